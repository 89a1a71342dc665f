"""Damages files at random, the same way for the same seed, and holds a reader to its promise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.schema.tensor import TensorIndex

__all__ = ["Target", "damaged", "rounds"]

Reader = Callable[[Path], TensorIndex]
Target = tuple[Reader, Callable[[Path], Sequence[Path]]]
"""A reader, and what makes sound files for it in a folder."""

TELLING = (
    b"\0", b"\xff", b"\x7f", b"\x80", b"\0" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x7f" * 4,
    b"PK\x03\x04", b"PK\x05\x06", b"\x80\x02", b"(", b"t", b"R", b"Q", b"q", b".", b"]", b"}", b"a",
    b"cposix\nsystem\n", b"r\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"{", b'"', b"[", b":", b"ustar",
)  # fmt: skip
"""What headers turn on: limits, magic numbers, opcodes."""


def damaged(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of *seeds* with one to eight faults in it."""
    raw = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        _damage(chance, raw, seeds)
    return bytes(raw)


def _damage(chance: random.Random, raw: bytearray, seeds: Sequence[bytes]) -> None:
    at, length = chance.randrange(len(raw) + 1), chance.choice((1, 1, 2, 4, 8, 40))
    match chance.randrange(7):
        case 0:
            raw[at : at + 1] = bytes((chance.randrange(256),))
        case 1:
            word = chance.choice(TELLING)
            raw[at : at + len(word)] = word
        case 2:
            raw[at:at] = chance.choice(TELLING)
        case 3:
            del raw[at : at + length]
        case 4:
            raw[at:at] = raw[at : at + length]
        case 5:
            other = chance.choice(seeds)
            begin = chance.randrange(len(other) + 1)
            raw[at : at + length] = other[begin : begin + length]
        case _:
            if chance.random() < 1 / 8:
                del raw[at:]


def rounds(target: Target, folder: Path, *, seed: int) -> Iterator[bool]:
    """Read one damaged file after the other, without end; yield whether it was still readable.

    Any exception but `FormatError` comes through, and so does an answer that cannot be true; the file
    stays in *folder* as `damaged` then.
    """
    read, make = target
    seeds = [path.read_bytes() for path in make(folder)]
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated, no secret
    path = folder / "damaged"
    while True:
        path.write_bytes(damaged(chance, seeds))
        try:
            index = read(path)
        except FormatError:
            yield False
        else:
            _check(index, path.stat().st_size)
            yield True


def _check(index: TensorIndex, size: int) -> None:
    """An answer may be another one than before the damage, but not an impossible one."""
    for name, entry in index.tensors.items():
        name.encode("utf-8")
        assert 0 <= entry.begin <= entry.end <= size
        assert all(type(side) is int and side >= 0 for side in entry.shape)
    for key, text in index.metadata.items():
        (key + text).encode("utf-8")
    assert index.findings == tuple(sorted(index.findings))
