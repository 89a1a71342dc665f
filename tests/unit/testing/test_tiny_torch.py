"""The checkpoints that the makers write, seen by the standard library."""

from __future__ import annotations

import io
import pickletools
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from modelshelf.testing.tiny import Opcodes, TorchTensor, torch_pickle, write_torch

PAYLOAD = {
    "state_dict": OrderedDict(
        {"w": TorchTensor("F16", (2, 3)), "p": TorchTensor("F32", (), is_parameter=True)}
    ),
    "epoch": 3,
}


def opcodes(raw: bytes) -> list[tuple[str, object]]:
    """Names and arguments of a pickle's opcodes, without the memo."""
    return [
        (code.name, argument)
        for code, argument, _ in pickletools.genops(raw)
        if "PUT" not in code.name
    ]


def test_an_archive_has_the_entries_of_torch_in_their_order(tmp_path: Path) -> None:
    """One root, the pickle first, every entry stored at a multiple of 64 with a true checksum."""
    path = write_torch(tmp_path / "model.ckpt", PAYLOAD)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"model/{name}"
            for name in (
                "data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0",
                "data/1", "version", ".data/serialization_id",
            )
        ]  # fmt: skip
        assert archive.read("model/byteorder") == b"little"
        for entry in archive.infolist():
            header = path.read_bytes()[entry.header_offset :][:30]
            name_length, extra_length = struct.unpack("<2H", header[26:])
            assert (entry.header_offset + 30 + name_length + extra_length) % 64 == 0
            assert entry.compress_type == zipfile.ZIP_STORED


def test_a_tensor_is_pickled_as_torch_pickles_it() -> None:
    """Storage by persistent id; offset, size, strides, gradient and hooks behind it."""
    assert opcodes(torch_pickle(TorchTensor("F16", (2, 3)), lambda *_: "0")) == [
        ("PROTO", 2),
        ("GLOBAL", "torch._utils _rebuild_tensor_v2"),
        ("MARK", None),
        ("MARK", None),
        ("BINUNICODE", "storage"),
        ("GLOBAL", "torch HalfStorage"),
        ("BINUNICODE", "0"),
        ("BINUNICODE", "cpu"),
        ("BININT1", 6),
        ("TUPLE", None),
        ("BINPERSID", None),
        ("BININT1", 0),
        ("BININT1", 2),
        ("BININT1", 3),
        ("TUPLE2", None),
        ("BININT1", 3),
        ("BININT1", 1),
        ("TUPLE2", None),
        ("NEWFALSE", None),
        ("GLOBAL", "collections OrderedDict"),
        ("EMPTY_TUPLE", None),
        ("REDUCE", None),
        ("TUPLE", None),
        ("REDUCE", None),
        ("STOP", None),
    ]


def test_a_stream_is_five_pickles_and_the_numbers(tmp_path: Path) -> None:
    """The magic number, the version, the system, the object, the keys; then count and numbers."""
    raw = write_torch(tmp_path / "model.ckpt", PAYLOAD, legacy=True).read_bytes()
    stream = io.BytesIO(raw)
    first, second, _, _, keys = (
        [argument for code, argument, _ in pickletools.genops(stream) if code.name != "PUT"]
        for _ in range(5)
    )
    assert 0x1950A86A20F9469CFC6C in first
    assert 1001 in second
    assert len([key for key in keys if isinstance(key, str)]) == 2
    assert len(stream.read()) == 8 + 12 + 8 + 4


@pytest.mark.parametrize("legacy", [False, True])
def test_equal_seeds_give_equal_files(tmp_path: Path, *, legacy: bool) -> None:
    """Another seed changes the numbers and nothing else."""
    (tmp_path / "other").mkdir()
    path = write_torch(tmp_path / "m.ckpt", PAYLOAD, seed=1, legacy=legacy)
    same = write_torch(tmp_path / "other" / "m.ckpt", PAYLOAD, seed=1, legacy=legacy)
    assert path.read_bytes() == same.read_bytes()
    other = write_torch(tmp_path / "other" / "m.ckpt", PAYLOAD, seed=2, legacy=legacy)
    assert path.read_bytes() != other.read_bytes()
    assert path.stat().st_size == other.stat().st_size


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hollow_file_is_as_long_as_a_full_one(tmp_path: Path, *, legacy: bool) -> None:
    """Only the numbers are missing, and they take no disk."""
    full = write_torch(tmp_path / "m.ckpt", PAYLOAD, legacy=legacy).stat().st_size
    assert (
        write_torch(tmp_path / "m.ckpt", PAYLOAD, legacy=legacy, hollow=True).stat().st_size == full
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, [("NONE", None)]),
        (True, [("NEWTRUE", None)]),
        (70_000, [("BININT", 70_000)]),
        (300, [("BININT2", 300)]),
        (-1, [("BININT", -1)]),
        (10**300, [("LONG1", 10**300)]),
        (10**700, [("LONG4", 10**700)]),
        (0.5, [("BINFLOAT", 0.5)]),
        ((), [("EMPTY_TUPLE", None)]),
        ([1], [("EMPTY_LIST", None), ("MARK", None), ("BININT1", 1), ("APPENDS", None)]),
        (Opcodes(b"N"), [("NONE", None)]),
    ],
)
def test_plain_values_are_pickled_plainly(value: object, expected: list[object]) -> None:
    """One opcode for each, as the standard pickler takes it."""
    assert opcodes(torch_pickle(value))[1:-1] == expected


def test_what_is_written_twice_is_remembered() -> None:
    """Words and names come from the memo the second time."""
    names = [name for name, _ in opcodes(torch_pickle([f"w{n % 300}" for n in range(600)]))]
    assert names.count("BINUNICODE") == 300
    assert {"BINGET", "LONG_BINGET"} <= set(names)


def test_what_torch_does_not_pickle_is_a_type_error() -> None:
    """A maker that guesses would test nothing."""
    with pytest.raises(TypeError):
        torch_pickle(object())
