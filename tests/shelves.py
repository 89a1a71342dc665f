"""Libraries to test with: opened on any disk, filled with plain models, and compared byte for byte."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.assembly import assemble
from modelshelf.protocols import Disk
from modelshelf.schema.model import ModelInfo
from modelshelf.settings import Settings

__all__ = [
    "StandingClock",
    "contents",
    "open_shelf",
    "part_path",
    "plain_pipeline",
    "said",
    "stored_bytes",
    "tar_contents",
]

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.6.0",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
CLASSES = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}


class StandingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        """Let time go by."""
        self.now += timedelta(days=days)


def open_shelf(
    root: Path, *, disk: Disk | None = None, clock: StandingClock | None = None
) -> NormalizedModelManager:
    """Open the library at *root*, on the local disk and with a standing clock unless told otherwise."""
    return NormalizedModelManager(
        assemble(Settings(root=root), clock=clock or StandingClock(), disk=disk)
    )


def plain_pipeline(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """Make a pipeline of a UNet and a VAE whose weights are a few bytes, and of any further files."""
    everything = {
        "model_index.json": json.dumps(INDEX).encode(),
        **{
            f"{part}/config.json": json.dumps({"_class_name": name}).encode()
            for part, name in CLASSES.items()
        },
        "unet/weights.bin": folder.name.encode() * 40,
        "vae/weights.bin": b"the same vae " * 30,
        **(files or {}),
    }
    for member, content in everything.items():
        path = folder / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every file below *folder* with its bytes, and every empty folder with None."""
    return dict(_contents(folder))


def _contents(top: Path) -> Iterator[tuple[str, bytes | None]]:
    if top.is_file():
        yield "", top.read_bytes()
    for folder, folders, names in os.walk(top):
        relative = Path(folder).relative_to(top)
        if not folders and not names:
            yield str(relative), None
        for name in names:
            yield str(relative / name), Path(folder, name).read_bytes()


def tar_contents(shelf: NormalizedModelManager, selector: str | int) -> dict[str, bytes | None]:
    """Return what a model's tar archive holds, as `contents` does for a folder."""
    stream = BytesIO()
    written = shelf.export_tar(selector=selector, stream=stream)
    assert written == len(stream.getvalue())
    stream.seek(0)
    found: dict[str, bytes | None] = {}
    with tarfile.open(fileobj=stream) as archive:
        for entry in archive:
            opened = archive.extractfile(entry)
            name = entry.name.partition("/")[2]
            if name or opened is not None:
                found[name] = None if opened is None else opened.read()
    return found


def stored_bytes(root: Path) -> int:
    """Add up what the blob folder takes, each inode once."""
    seen = {}
    for folder, _, names in os.walk(root / "models" / "blob"):
        for name in names:
            status = Path(folder, name).lstat()
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


def part_path(pipeline: ModelInfo, folder: str) -> Path:
    """Return where the store has one component of a pipeline."""
    return next(part.path for part in pipeline.parts if part.folder == folder)


_THEIRS = {"key", "path", "created_at", "updated_at", "last_used_at", "revision", "converted_at"}
"""Fields of a record that differ between any two libraries."""


def said(shelf: NormalizedModelManager, root: Path) -> dict[str, object]:
    """Return everything that a library says of its models, but for keys, places of parts and times."""
    models = [*shelf.list_models(), *shelf.list_pipelines()]
    usage = shelf.usage()
    return {
        "models": sorted(map(_said, models), key=str),
        "records": sorted(
            (
                sorted((name, value) for name, value in record.items() if name not in _THEIRS)
                for record in (shelf.store.get_model(one.key).model_dump() for one in models)
            ),
            key=str,
        ),
        "files": {
            one.name: [(file.member, file.sha256, file.autov3) for file in shelf.files(one.key)]
            for one in models
        },
        "views": sorted(
            path.relative_to(root).as_posix() for path in root.glob("models/[!.b]*/*/*")
        ),
        "usage": (
            usage.stored,
            sorted(
                (one.name, one.type, one.logical, one.unique, one.shared) for one in usage.models
            ),
        ),
        "duplicates": shelf.duplicates(),
    }


def _said(info: ModelInfo) -> tuple[object, ...]:
    parts = [(part.folder, part.type, part.bases, part.hash, part.refcount) for part in info.parts]
    found = {name: value for name, value in json.loads(info.detail).items() if name != "rules"}
    return (info.name, info.type, info.bases, info.format, info.hash, found, parts)
