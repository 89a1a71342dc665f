from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.disk import LocalDisk
from modelshelf.manager import NormalizedModelManager
from modelshelf.protocols import Disk
from modelshelf.testing import tiny
from modelshelf.testing.faults import LinklessDisk, ShortWritingDisk
from tests.shelves import INDEX, contents, open_shelf, stored_bytes, tar_contents

# `make property` runs many more examples than fit into the time of one test.
pytestmark = [pytest.mark.property, pytest.mark.timeout(3600)]

MAKERS: Mapping[str, Callable[[Path], Path]] = MappingProxyType(
    {
        **{base: partial(tiny.pipeline, base=base) for base in tiny.BASES},
        "fp16": partial(tiny.pipeline, base="sd-1", variant="fp16"),
        "both-variants": partial(tiny.pipeline, base="sd-1", variant="both", size=2_000_000),
        "sharded": partial(tiny.pipeline, base="flux", sharded=True),
        "inpaint": partial(tiny.pipeline, base="sd-2", inpaint=True),
        "no-checker": partial(tiny.pipeline, base="sd-1", with_safety_checker=False, extras=False),
        "narrow": partial(tiny.pipeline, base="sdxl", size=1_000_000),
        "vae-folder": partial(tiny.vae, folder=True),
        "controlnet-folder": partial(tiny.controlnet, folder=True),
        "embedding-folder": partial(tiny.textual_inversion, folder=True),
        "adapter-folder": partial(tiny.ip_adapter, folder=True),
        "clip-vision": tiny.clip_vision,
        "t5-folder": tiny.t5,
        "vae.safetensors": tiny.vae,
        "ldm-vae.safetensors": partial(tiny.vae, style="ldm"),
        "kohya.safetensors": tiny.lora,
        "peft.safetensors": partial(tiny.lora, base="sdxl", style="peft"),
        "controlnet.safetensors": tiny.controlnet,
        "embedding.safetensors": tiny.textual_inversion,
        "adapter.safetensors": tiny.ip_adapter,
        "t5.safetensors": partial(tiny.t5, folder=False),
        "checkpoint.safetensors": tiny.checkpoint,
        "ema.safetensors": partial(tiny.checkpoint, base="sd-2", ema=True),
    }
)
"""Every layout that the maker makes."""

WAYS: Mapping[str, Callable[[Disk], Disk]] = MappingProxyType(
    {
        "link": lambda disk: disk,
        "symlink": partial(LinklessDisk, kinds=("clone", "link")),
        "hardlink": partial(LinklessDisk, kinds=("clone", "symlink")),
        "short-writes": partial(ShortWritingDisk, at_most=1_000_001),
    }
)
"""Disks on which views and exports come about in different ways."""


def exported(shelf: NormalizedModelManager, selector: int, to: Path, method: str) -> Path:
    """Export a model; return where it is."""
    return shelf.export(selector=selector, destination=to, method=method).path


class TestEveryLayout:
    """Add then export of every layout the maker makes is byte-identical (every file, every name)."""

    @pytest.mark.parametrize("layout", MAKERS)
    def test_comes_back_byte_for_byte(self, tmp_path: Path, layout: str) -> None:
        """By link, by copy and as an archive, with its name and its empty and nested folders."""
        source = MAKERS[layout](tmp_path / "source" / layout)
        original = contents(source)
        with open_shelf(tmp_path / "shelf") as shelf:
            model = shelf.import_model(source)
            for method in ("link", "copy"):
                made = exported(shelf, model, tmp_path / method, method)
                assert made.name == source.name
                assert contents(made) == original
            assert tar_contents(shelf, model) == original
            assert shelf.verify().clean
        assert contents(source) == original

    @pytest.mark.parametrize("way", WAYS)
    def test_comes_back_on_every_kind_of_disk(self, tmp_path: Path, way: str) -> None:
        """A file system without links, and one that writes little at a time, give the same bytes."""
        source = tiny.pipeline(tmp_path / "source" / "model", base="sd-1", size=500_000)
        original = contents(source)
        disk = WAYS[way](LocalDisk())
        with open_shelf(tmp_path / "shelf", disk=disk) as shelf:
            model = shelf.import_model(source)
            made = exported(shelf, model, tmp_path / "out", "link")
            assert contents(made) == original
            assert contents(shelf.get_model(model).path) == original
            assert shelf.verify().clean
            shelf.collect_garbage()
            assert shelf.verify().clean

    def test_export_by_link_shares_the_stored_bytes(self, tmp_path: Path) -> None:
        """A linked export is the stored file under another name, or shares its blocks."""
        source = tiny.lora(tmp_path / "ink.safetensors")
        with open_shelf(tmp_path / "shelf") as shelf:
            model = shelf.import_model(source)
            outcome = shelf.export(selector=model, destination=tmp_path / "out")
            (file,) = shelf.files(model)
            same = Path(file.location).stat().st_ino == outcome.path.stat().st_ino
            assert same == (outcome.method == "hardlink")
            assert outcome.method in {"hardlink", "reflink"}

    def test_the_archive_is_the_same_every_time(self, tmp_path: Path) -> None:
        """Two exports of a model, from two libraries, are one archive."""
        source = tiny.pipeline(tmp_path / "model", base="sd-1", size=300_000)
        archives = set()
        for number in range(2):
            with open_shelf(tmp_path / f"shelf-{number}") as shelf:
                stream = (tmp_path / f"{number}.tar").open("wb")
                with stream:
                    shelf.export_tar(selector=shelf.import_model(source), stream=stream)
            archives.add((tmp_path / f"{number}.tar").read_bytes())
        assert len(archives) == 1


PARTS = st.sampled_from(["", "vae/", "unet/", "docs/", "vae/deep/er/", "model_index.json.d/"])
NAMES = st.one_of(
    st.sampled_from(
        ["a", "A", "a b", "new\nline", "tab\t", "ünï", "u\u0308", "-rf", "~", "a'\"b", ".hidden"]
    ),
    st.sampled_from(["bin", "safetensors", "json", ".partial", "model", "..."]),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12
    ),
    st.text(string.printable.replace("/", ""), min_size=1, max_size=12),
).filter(lambda name: name not in {".", ".."} and not name.endswith((".json", ".safetensors")))
"""Any name but those by which a file claims a format that it would have to keep to."""
CONTENT = st.one_of(
    st.sampled_from([b"", b"same", b"\0" * 5000]), st.binary(max_size=64), st.binary(max_size=4000)
)
TREES = st.dictionaries(
    st.tuples(PARTS, NAMES).map("".join), st.one_of(st.none(), CONTENT), max_size=12
)
"""Paths in a pipeline folder with content; None stands for an empty folder."""


def make_tree(folder: Path, tree: Mapping[str, bytes | None]) -> Path:
    """Make a pipeline folder with these files; of two that cannot both be, the first."""
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(INDEX))
    for member, content in tree.items():
        path = folder / member
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir(exist_ok=True)
            elif not path.exists():
                path.write_bytes(content)
        except (FileExistsError, NotADirectoryError):
            continue
    return folder


class TestAnyFolder:
    """Files of a pipeline outside component folders (README, …, nested folders) survive export.

    "Names with newlines/`..`/non-UTF-8, 0-byte files, names that differ only in case: each has a
    decided, tested behaviour." The decision here: what can be kept is kept as it is.
    """

    @given(tree=TREES)
    def test_comes_back_byte_for_byte(self, tree: Mapping[str, bytes | None]) -> None:
        """Whatever the folder holds is exported, shown and archived as it was."""
        with TemporaryDirectory() as place:
            here = Path(place)
            source = make_tree(here / "source" / "model", tree)
            original = contents(source)
            with open_shelf(here / "shelf") as shelf:
                model = shelf.import_model(source)
                assert contents(exported(shelf, model, here / "link", "link")) == original
                assert contents(exported(shelf, model, here / "copy", "copy")) == original
                assert contents(shelf.get_model(model).path) == original
                assert tar_contents(shelf, model) == original
                assert shelf.verify().clean
                assert shelf.usage().stored == stored_bytes(here / "shelf")

    @given(tree=TREES)
    def test_adding_twice_is_adding_once(self, tree: Mapping[str, bytes | None]) -> None:
        """Importing what is there under the same name returns the id and stores nothing."""
        with TemporaryDirectory() as place:
            here = Path(place)
            source = make_tree(here / "source" / "model", tree)
            with open_shelf(here / "shelf") as shelf:
                first = shelf.add(source)
                before = contents(here / "shelf" / "models" / "blob")
                second = shelf.add(source)
                assert (second.info.id, second.info.key) == (first.info.id, first.info.key)
                assert (second.is_new, second.bytes_stored, second.parts_stored) == (False, 0, 0)
                assert contents(here / "shelf" / "models" / "blob") == before

    @given(one=TREES, other=TREES)
    def test_two_folders_do_not_disturb_each_other(
        self, one: Mapping[str, bytes | None], other: Mapping[str, bytes | None]
    ) -> None:
        """Both come back right, whatever they share, and after the first is deleted the second too."""
        with TemporaryDirectory() as place:
            here = Path(place)
            sources = [
                make_tree(here / "s" / name, tree) for name, tree in (("a", one), ("b", other))
            ]
            originals = [contents(source) for source in sources]
            with open_shelf(here / "shelf") as shelf:
                models = [shelf.import_model(source) for source in sources]
                assert [contents(shelf.get_model(model).path) for model in models] == originals
                assert shelf.usage().stored == stored_bytes(here / "shelf")
                shelf.delete(models[0])
                shelf.collect_garbage(expire_trash=timedelta(0))
                made = exported(shelf, models[1], here / "out", "copy")
                assert contents(made) == originals[1]
                assert shelf.usage().stored == stored_bytes(here / "shelf")
                assert shelf.verify().clean
