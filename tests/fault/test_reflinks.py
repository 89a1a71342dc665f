"""On a file system that shares blocks, nothing costs space twice, and nobody can write through."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings
from modelshelf.testing import tiny

pytestmark = pytest.mark.fault

_IMAGE_SIZE = 350 * 1024 * 1024
_MODEL_SIZE = 60_000_000


@pytest.fixture(scope="module")
def xfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A freshly made XFS, mounted."""
    if os.geteuid() != 0 or shutil.which("mkfs.xfs") is None:
        pytest.skip("needs root and mkfs.xfs, to mount a file system that shares blocks")
    folder = tmp_path_factory.mktemp("xfs")
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(_IMAGE_SIZE)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
    done = subprocess.run(["mount", "-o", "loop", image, mounted], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this system does not let root mount an image")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


def _used(folder: Path) -> int:
    os.sync()
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def test_adding_and_exporting_share_the_blocks_of_the_source(xfs: Path) -> None:
    """Four names of 60 MB, source, part, view and export, take them once; each is a file of its own."""
    lora = tiny.lora(xfs / "LoWRA.safetensors", base="sd-1", size=_MODEL_SIZE)
    before = _used(xfs)
    with normalized_model_manager(Settings(root=xfs / "root")) as nmm:
        nmm.import_model(lora)
        made = nmm.export("LoWRA", destination=xfs / "out")
        assert _used(xfs) - before < _MODEL_SIZE / 2
        assert made.method == "reflink"
        assert filecmp.cmp(lora, made.path, shallow=False)

        with made.path.open("r+b") as file:
            file.write(b"somebody edits the export")
        with lora.open("r+b") as file:
            file.write(b"and the source")
        assert nmm.verify().clean


def test_a_view_of_reflinks_goes_and_comes_back(xfs: Path) -> None:
    """Deleting takes the clones away, undo makes them again, and a changed clone is not ours to take."""
    pipeline = tiny.pipeline(xfs / "pipeline", base="flux", size=4_000_000)
    with normalized_model_manager(Settings(root=xfs / "library")) as nmm:
        nmm.import_model(pipeline)
        view = nmm.get_model("pipeline").path
        trashed = nmm.delete("pipeline")
        assert not view.exists()
        nmm.undo(trashed.trash_id)
        assert (view / "model_index.json").stat().st_nlink == 1
        assert nmm.verify().clean

        edited = view / "README.md"
        edited.chmod(0o644)
        edited.write_text("the user's words")
        nmm.delete("pipeline")
        assert [path.name for path in view.iterdir()] == ["README.md"]
        assert edited.read_text() == "the user's words"
