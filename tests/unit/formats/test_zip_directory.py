"""What is said of an archive that two readers could read in two ways."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from modelshelf.errors import InvalidCheckpointError
from modelshelf.formats import read_checkpoint
from tests.fault.hostile_archives import PICKLE, Zip, deflated, sound, swapped


def problem_of(folder: Path, raw: bytes) -> str:
    path = folder / "model.ckpt"
    path.write_bytes(raw)
    with pytest.raises(InvalidCheckpointError) as caught:
        read_checkpoint(path)
    return caught.value.problem


def with_pickle(content: bytes, *, method: int = 0, flags: int = 0, size: int | None = None) -> Zip:
    """A checkpoint that is sound but for how its pickle is packed."""
    start = Zip().add("m/data.pkl", content, method=method, flags=flags, size=size)
    return start.add("m/data/w", bytes(24)).add("m/data/v", bytes(8))


def wide(count: int, *, here: int | None = None, disk: int = 0, length: int | None = None) -> bytes:
    """A sound checkpoint behind whose directory a 64-bit end stands, with numbers of its own."""
    whole = sound()
    raw = bytes(whole.raw + whole.directory)
    facts = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, disk, disk, count if here is None else here, count,
        len(whole.directory) if length is None else length, len(whole.raw),
    )  # fmt: skip
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(raw), 1)
    full = (0xFFFF,) * 4 + (0xFFFFFFFF,) * 2 + (0,)
    return raw + facts + locator + struct.pack("<4s4H2IH", b"PK\x05\x06", *full)


def test_what_a_person_packed_again_is_read(tmp_path: Path) -> None:
    """In the plain way, deflated, and with an end of 64 bits."""
    archives = [
        sound().close(),
        with_pickle(deflated(PICKLE), method=8, size=len(PICKLE)).close(),
        wide(3),
    ]
    for number, raw in enumerate(archives):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(raw)
        assert read_checkpoint(path).shapes == {"w": (2, 3), "v": (4,)}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (with_pickle(PICKLE, method=12).close(), "packed by method 12, expected none or deflate"),
        (with_pickle(PICKLE, size=len(PICKLE) + 9).close(), "packed by method 0, expected none"),
        (
            with_pickle(b"\0\0\0\xff\xff" * 1_000, method=8, size=100).close(),
            "'m/data.pkl' is packed to 5000 bytes, from 100",
        ),
        (with_pickle(PICKLE, flags=1).close(), "is not at offset 0 as the directory says"),
        (swapped(0, local_name="m/data/x").close(), "as the directory says"),
        (sound().add("m/data/x", b"", at=0).close(), "two of its entries begin at the same byte"),
        (sound().add("m/data/x", bytes(24), at=8).close(), "where something else begins"),
        (sound().add("m/data/w", b"").close(), "its directory names an entry twice"),
        (sound().close(here=2, count=2), "its directory has another length than it says"),
        (sound().close(here=9, count=9), "its directory at offset"),
        (sound().close(disk=1), "one part of an archive in several files"),
        (sound().close(first_disk=1), "one part of an archive in several files"),
        (sound().close(here=2), "one part of an archive in several files"),
        (sound().close(begin=1), "its directory ends at"),
        (sound().close(comment=10), "bytes are left over behind its end"),
        (sound().close() + b"x", "bytes are left over behind its end"),
        (sound().close()[:-22], "its directory is missing: the file is cut short"),
        (sound().close()[:-1], "its directory is missing: the file is cut short"),
        (sound().close().replace(b"PK\x01\x02", b"PK\x01\x03"), "its directory is damaged at byte 0"),
        (wide(3).replace(b"PK\x06\x06", b"PK\x06\x08"), "its 64-bit directory is not at"),
        (wide(3)[:-2] + b"\1\0", "bytes are left over behind its end"),
        (
            # Sixteen bytes before its end stands what would be the mark, were there room before the end.
            b"PK\3\4" + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, 4, 16) + b"PK\6\7" + bytes(12),
            "holds `data.pkl` 0 times",
        ),
        (wide(3, disk=1), "one part of an archive in several files"),
        (wide(3, here=2), "one part of an archive in several files"),
        (wide(3, length=7), "its directory ends at"),
        (wide(100_001), "100001 entries in"),
        (wide(3, length=17 << 20), "its directory ends at"),
        (
            wide(3).replace(struct.pack("<4s4H", b"PK\x05\x06", *(0xFFFF,) * 4),
                            struct.pack("<4s4H", b"PK\x05\x06", 0, 0, 4, 4)),
            "its two directories contradict each other",
        ),
    ],
)  # fmt: skip
def test_each_contradiction_is_told_by_itself(tmp_path: Path, raw: bytes, words: str) -> None:
    """All else in the archive is as it should be."""
    assert words in problem_of(tmp_path, raw)


@pytest.mark.parametrize(
    ("length", "words"), [(16 << 20, "damaged"), ((16 << 20) + 1, "more than")]
)
def test_a_directory_is_read_up_to_its_bound(tmp_path: Path, length: int, words: str) -> None:
    """A file may have a hole of gigabytes where it says that its directory lies."""
    path = tmp_path / "model.ckpt"
    path.write_bytes(b"PK\3\4")
    os.truncate(path, 4 + length)
    with path.open("ab") as stream:
        stream.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, length, 4, 0))
    with pytest.raises(InvalidCheckpointError, match=words):
        read_checkpoint(path)
