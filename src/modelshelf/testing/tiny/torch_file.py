"""Writes checkpoints as `torch.save` does, in its ZIP layout and in the one before, without torch.

Nothing here reads a file, and nothing is shared with the readers in `formats`.

Source: the files that torch 1.6 to 2.13 writes, byte by byte, and
https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from modelshelf.testing.tiny.payload import Piece, numbers
from modelshelf.testing.tiny.torch_pickle import (
    ELEMENT_BYTES,
    TorchTensor,
    stored_count,
    torch_pickle,
)

__all__ = ["write_torch", "write_torch_zip"]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_SYSTEM = {
    "protocol_version": _VERSION,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}
_ALIGNMENT = 64
_FIRST_ADDRESS = 94_817_122_966_016
_FULL = 0xFFFF_FFFF
_FLAGS = 0x808
"""Names are UTF-8, and sizes stand behind the data."""


class _Storage(NamedTuple):
    """The numbers of one or more tensors."""

    name: str
    """What its random numbers are made from."""
    dtype: str
    """Of each number."""
    elements: int
    """How many."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.elements * ELEMENT_BYTES[self.dtype]

    def blocks(self, seed: int | str) -> Iterator[bytes]:
        """Make its bytes."""
        return numbers(Piece(f"{seed}:{self.name}", 0, self.elements), self.dtype)


class _Keys:
    """Gives storages their keys while the pickle is written, and remembers them."""

    def __init__(self, *, are_addresses: bool) -> None:
        self.storages: dict[str, _Storage] = {}
        self._keys: dict[str, str] = {}
        self._are_addresses = are_addresses

    def __call__(self, name: str, tensor: TorchTensor) -> str:
        word = tensor.storage or name
        if word not in self._keys:
            number = len(self._keys)
            key = str(_FIRST_ADDRESS + _ALIGNMENT * number if self._are_addresses else number)
            self._keys[word] = key
            self.storages[key] = _Storage(word, tensor.dtype, tensor.stored)
        return self._keys[word]


def write_torch(
    path: Path | str,
    payload: object,
    *,
    seed: int | str = 0,
    legacy: bool = False,
    hollow: bool = False,
) -> Path:
    r"""Write *payload* to *path* as `torch.save` does.

    Args:
        path: The file; folders above it are made, a file that is there is replaced.
        payload: Dicts, lists and plain values around `TorchTensor`.
        seed: Equal seeds give equal files; a tensor's numbers depend on it and on its dotted name.
        legacy: The layout of torch before 1.6: five pickles, then the numbers.
        hollow: Leave the numbers a hole of zeros, which costs no disk; their checksums are then wrong.

    Returns:
        The path.

    Example:
        >>> path = write_torch("w.ckpt", {"state_dict": {"w": TorchTensor("F16", (2, 3))}})
        >>> path.read_bytes()[:4]
        b'PK\x03\x04'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    keys = _Keys(are_addresses=legacy)
    pickle = torch_pickle(payload, keys, legacy=legacy)
    if legacy:
        with target.open("wb") as file:
            _write_legacy(file, pickle, keys.storages, None if hollow else seed)
        return target
    blocks = {
        f"data/{key}": storage.size if hollow else b"".join(storage.blocks(seed))
        for key, storage in keys.storages.items()
    }
    return write_torch_zip(target, pickle, blocks)


def _write_legacy(
    file: BinaryIO, pickle: bytes, storages: dict[str, _Storage], seed: int | str | None
) -> None:
    file.writelines(torch_pickle(value) for value in (_MAGIC, _VERSION, _SYSTEM))
    file.write(pickle)
    keys = sorted(storages)
    file.write(torch_pickle(keys))
    for key in keys:
        storage = storages[key]
        file.write(struct.pack("<q", stored_count(storage.dtype, storage.elements)))
        if seed is None:
            file.seek(storage.size, 1)
        else:
            file.writelines(storage.blocks(seed))
    file.truncate()


def write_torch_zip(path: Path | str, pickle: bytes, entries: dict[str, bytes | int]) -> Path:
    """Write the archive of a checkpoint around a *pickle* of any making.

    Args:
        path: The file.
        pickle: What stands in `data.pkl`.
        entries: More entries below the root, with their bytes, or how long a hole they are.

    Returns:
        The path.
    """
    target = Path(path)
    root = target.stem
    fixed: dict[str, bytes | int] = {
        "data.pkl": pickle,
        ".format_version": b"1",
        ".storage_alignment": b"64",
        "byteorder": b"little",
    }
    last: dict[str, bytes | int] = {"version": b"3\n", ".data/serialization_id": b"0" * 40}
    with target.open("wb") as file:
        directory = [
            _write_entry(file, f"{root}/{name}".encode(), content)
            for name, content in (fixed | entries | last).items()
        ]
        begin = file.tell()
        file.writelines(directory)
        _write_end(file, begin, len(directory))
    return target


def _write_entry(file: BinaryIO, name: bytes, content: bytes | int) -> bytes:
    """Write one entry, and return its line of the directory."""
    header = file.tell()
    size = content if isinstance(content, int) else len(content)
    is_long, is_far = size >= _FULL, header >= _FULL
    # The writer's own order: sizes, then where the entry begins, each only where 32 bits are too few.
    wide = (struct.pack("<2Q", size, size) if is_long else b"") + (
        struct.pack("<Q", header) if is_far else b""
    )
    field = struct.pack("<2H", 1, len(wide)) + wide if wide else b""
    start = header + 30 + len(name) + len(field) + 4
    padding = b"Z" * (-start % _ALIGNMENT)
    extra = field + b"FB" + struct.pack("<H", len(padding)) + padding
    file.write(
        struct.pack("<4s5H3I2H", b"PK\x03\x04", 0, _FLAGS, 0, 0, 0, 0, 0, 0, len(name), len(extra))
    )
    file.write(name + extra)
    checksum = 0
    if isinstance(content, int):
        file.seek(content, 1)
    else:
        checksum = zlib.crc32(content)
        file.write(content)
    sizes = struct.pack("<2Q" if wide else "<2I", size, size)
    file.write(b"PK\x07\x08" + struct.pack("<I", checksum) + sizes)
    short = _FULL if is_long else size
    numbers_ = (
        checksum,
        short,
        short,
        len(name),
        len(field),
        0,
        0,
        0,
        0,
        _FULL if is_far else header,
    )
    return (
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 0, 0, _FLAGS, 0, 0, 0, *numbers_) + name + field
    )


def _write_end(file: BinaryIO, begin: int, count: int) -> None:
    """Write the end of the directory twice, in 64 and in 32 bits, as torch always does."""
    end = file.tell()
    size = end - begin
    file.write(
        struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 798, 45, 0, 0, count, count, size, begin)
    )
    file.write(struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1))
    file.write(
        struct.pack(
            "<4s4H2IH",
            b"PK\x05\x06",
            0,
            0,
            min(count, 0xFFFF),
            min(count, 0xFFFF),
            size,
            min(begin, _FULL),
            0,
        )
    )
