"""The hashes by which other programs call a model file, beside the SHA-256 that everybody knows.

They are what people find in a sidecar, in an image's parameters or on a web page, and want to search for.
Neither is an identity: one leaves the header out, the other samples. AutoV2 is the first ten digits of the
SHA-256 and needs nothing of its own.

* AutoV3: 12 digits of the SHA-256 of a safetensors file's bytes behind the header, so that editing the
  metadata leaves it; `sshs_model_hash`, or `modelspec.hash_sha256` with `0x` before it (ModelSpec 1.0.1).
* imohash: murmur3 of three samples, with the size written over its front; MM2's quick `hash`
  (`kalafut/imohash` `algorithm.md`, version 1.0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import mmh3

from modelshelf.blobs.hashing import Content, feed
from modelshelf.blobs.source_reader import advancing, open_source
from modelshelf.schema.digest import Digest
from modelshelf.schema.progress import ProgressReporter
from modelshelf.schema.recipe import StorableFile

__all__ = ["DataHasher", "hash_data", "imohash", "imohash_of"]

_WINDOW = 16 * 1024
_WHOLE_BELOW = 128 * 1024
_LENGTH = 8
"""Bytes of a safetensors file that give the length of its header."""
_VARINT = 0x80


def imohash(content: Content) -> str:
    """Compute the quick hash alone: at most 128 KiB are read, of a large file 48.

    Args:
        content: What to read; what it raises is passed on. Its size counts and must be right.

    Returns:
        32 hexadecimal digits, as the `imohash` package and its `imosum` print them.
    """
    sampled = bytearray()
    for begin, end in _windows(content.size):
        buffer = memoryview(bytearray(end - begin))
        done = 0
        while done < len(buffer) and (length := content.read_into(buffer[done:], begin + done)):
            done += length
        sampled += buffer[:done]
    return imohash_of(sampled, content.size)


def imohash_of(sampled: bytes | bytearray, size: int) -> str:
    """Compute the quick hash of samples that were taken already.

    Args:
        sampled: The whole content below 128 KiB, else 16 KiB each from its start, middle and end.
        size: Of the whole content.
    """
    return _inject_size(mmh3.mmh3_x64_128_digest(sampled), size)


def hash_data(source: StorableFile, report: ProgressReporter) -> Digest | None:
    """Compute the SHA-256 of the tensors of a safetensors file; None for any other file.

    Raises:
        SourceChangedError: It is not what it was when it was listed.
        SourceUnreadableError: The system refused to read it.
    """
    hasher = DataHasher(source.size)
    with open_source(source) as reader:
        read = feed(reader, (hasher,), advance=advancing("hashing", source, report))
        reader.check_unchanged(read)
    return hasher.digest()


class DataHasher:
    """SHA-256 of what stands behind the header, if the bytes begin as a safetensors file does: AutoV3."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._start = bytearray()
        self._skip: int | None = None
        self._sha256 = hashlib.sha256()

    def update(self, chunk: memoryview, /) -> None:
        """Take the next bytes."""
        if self._skip is None:
            missing = _LENGTH + 1 - len(self._start)
            self._start += chunk[:missing]
            if len(self._start) <= _LENGTH:
                return
            # What was just taken is part of the header, of which at least the brace is there.
            self._skip = _LENGTH + int.from_bytes(self._start[:_LENGTH], "little") - _LENGTH - 1
            chunk = chunk[missing:]
        if not self._is_safetensors():
            return
        self._sha256.update(chunk[self._skip :])
        self._skip = max(0, self._skip - len(chunk))

    def _is_safetensors(self) -> bool:
        length = int.from_bytes(self._start[:_LENGTH], "little")
        return self._start[_LENGTH:] == b"{" and _LENGTH + length <= self._size

    def digest(self) -> Digest | None:
        """None for anything but a safetensors file."""
        return Digest.sha256(self._sha256.digest()) if self._is_safetensors() else None


def _windows(size: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges that imohash samples, in order and without overlap."""
    if size < _WHOLE_BELOW:
        yield 0, size
        return
    for begin in (0, size // 2, size - _WINDOW):
        yield begin, begin + _WINDOW


def _inject_size(murmur: bytes, size: int) -> str:
    # The specification prints murmur's two halves as numbers, mmh3 as they lie in memory.
    digest = murmur[7::-1] + murmur[:7:-1]
    length = _varint(size)
    return (length + digest[len(length) :]).hex()


def _varint(number: int) -> bytes:
    """Write *number* as Protocol Buffers do: seven bits a byte, the lowest first."""
    written = bytearray()
    while number >= _VARINT:
        written.append(number % _VARINT + _VARINT)
        number //= _VARINT
    return bytes([*written, number])
