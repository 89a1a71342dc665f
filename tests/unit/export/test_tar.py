from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from modelshelf.errors import BlobCorruptError
from modelshelf.testing.faults import flip_bit
from tests.shelves import open_shelf, plain_pipeline


def archive_of(tmp_path: Path, files: dict[str, bytes]) -> bytes:
    """Return the archive of a pipeline with these files, called `model`."""
    stream = BytesIO()
    with open_shelf(tmp_path / "shelf") as shelf:
        shelf.add(plain_pipeline(tmp_path / "model", files))
        shelf.export_tar(selector="model", stream=stream)
    return stream.getvalue()


def test_entries_belong_to_nobody_and_no_time(tmp_path: Path) -> None:
    """Nothing of this machine is in the archive: owner, date and modes are always the same."""
    content = archive_of(tmp_path, {"a": b"1"})
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        entries = archive.getmembers()
    assert {(one.uid, one.gid, one.uname, one.gname, one.mtime) for one in entries} == {
        (0, 0, "", "", 0)
    }
    assert {one.mode for one in entries} == {0o644, 0o755}
    names = [one.name for one in entries]
    assert names[0] == "model"
    assert names[1:] == sorted(names[1:])


def test_long_and_odd_names(tmp_path: Path) -> None:
    """Names that the oldest tar could not hold are in the archive as they are."""
    odd = {"x" * 200: b"1", "y" * 120 + "/" + "z" * 120: b"2", "new\nline ü": b"3"}
    with tarfile.open(fileobj=BytesIO(archive_of(tmp_path, odd))) as archive:
        assert {f"model/{name}" for name in odd} <= set(archive.getnames())


def test_a_damaged_file_leaves_the_archive_without_an_end(tmp_path: Path) -> None:
    """Whoever unpacks what was written before the damage was found is told that it is cut short."""
    stream = BytesIO()
    with open_shelf(tmp_path / "shelf") as shelf:
        model = shelf.import_model(plain_pipeline(tmp_path / "model", {"zz": b"1" * 100}))
        flip_bit(Path(shelf.files(model)[-1].location), 0)
        with pytest.raises(BlobCorruptError):
            shelf.export_tar(selector=model, stream=stream)
    assert not stream.getvalue().endswith(bytes(1024))
