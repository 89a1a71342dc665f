"""The hashes by which other programs call a model file, all from one read.

BLAKE3 and SHA-256 are what modelshelf keeps; the others are what people find in a sidecar, in an image's
parameters or on a web page, and want to search for. None of them is an identity: each is either short or
samples.

* AutoV1: 8 digits of the SHA-256 of the 64 KiB behind the first MiB; AUTOMATIC1111's first model hash,
  `sshs_legacy_hash` in kohya's files. Files that are shorter all have that of nothing, `e3b0c442`.
* AutoV2: 10 digits of the SHA-256 of the file.
* AutoV3: 12 digits of the SHA-256 of a safetensors file's bytes behind the header, so that editing the
  metadata leaves it; `sshs_model_hash`, or `modelspec.hash_sha256` with `0x` before it (ModelSpec 1.0.1).
* CRC-32, in eight upper-case digits as Civitai shows it.
* imohash: murmur3 of three samples, with the size written over its front; MM2's quick `hash`
  (`kalafut/imohash` `algorithm.md`, version 1.0).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import mmh3
from blake3 import blake3

from modelshelf.blobs.hashing import Advance, Content, Hasher, feed
from modelshelf.blobs.source_reader import advancing, open_source
from modelshelf.schema.digest import Digest
from modelshelf.schema.progress import ProgressReporter
from modelshelf.schema.recipe import StorableFile

__all__ = [
    "DataHasher",
    "ModelHasher",
    "ModelHashes",
    "hash_data",
    "hash_model",
    "imohash",
    "imohash_of",
]

_LEGACY_AT = 1024 * 1024
_LEGACY_SIZE = 64 * 1024
_WINDOW = 16 * 1024
_WHOLE_BELOW = 128 * 1024
_LENGTH = 8
"""Bytes of a safetensors file that give the length of its header."""
_VARINT = 0x80
_AUTOV1_DIGITS, _AUTOV2_DIGITS, _AUTOV3_DIGITS = 8, 10, 12


@dataclass(frozen=True, slots=True)
class ModelHashes:
    """What one read of a model file found out; everything in hexadecimal digits."""

    size: int
    """Bytes read."""
    blake3: str
    """64 digits over every byte: the identity inside modelshelf."""
    sha256: str
    """64 digits over every byte: the identity outside."""
    data_sha256: str | None
    """64 digits over the tensors of a safetensors file; None for any other file."""
    autov1: str
    """8 digits; that of nothing, `e3b0c442`, for a file of at most a MiB."""
    crc32: str
    """8 digits in upper case."""
    imohash: str | None
    """32 digits; None where the content was not as long as it said, as samples need the length."""

    @property
    def autov2(self) -> str:
        """10 digits."""
        return self.sha256[:_AUTOV2_DIGITS]

    @property
    def autov3(self) -> str | None:
        """12 digits; None for anything but a safetensors file."""
        return None if self.data_sha256 is None else self.data_sha256[:_AUTOV3_DIGITS]


class ModelHasher:
    """Takes a file's bytes in order and gives all its hashes.

    Feed it through `update`, or each of `lanes` on a thread of its own: the copying pass does. All
    hash functions let other threads run while they work.

    Example:
        >>> hasher = ModelHasher(size=5)
        >>> hasher.update(memoryview(b"hello"))
        >>> hasher.hashes().autov2, hasher.hashes().crc32, hasher.hashes().autov3
        ('2cf24dba5f', '3610A686', None)
    """

    def __init__(self, size: int) -> None:
        self._blake3 = blake3()
        self._sha256 = hashlib.sha256()
        self._data = DataHasher(size)
        self._samples = _Samples(size)
        self.lanes: tuple[Hasher, ...] = (self._blake3, self._sha256, self._data, self._samples)
        """Four hashers; every one of them wants all chunks."""

    def update(self, chunk: memoryview) -> None:
        """Take the next bytes."""
        for lane in self.lanes:
            lane.update(chunk)

    def hashes(self) -> ModelHashes:
        """Return the hashes of what was taken so far."""
        return ModelHashes(
            size=self._samples.seen,
            blake3=self._blake3.hexdigest(),
            sha256=self._sha256.hexdigest(),
            data_sha256=None if (data := self._data.digest()) is None else data.hexadecimal,
            autov1=self._samples.legacy.hexdigest()[:_AUTOV1_DIGITS],
            crc32=f"{self._samples.crc32:08X}",
            imohash=self._samples.imohash(),
        )


def hash_model(content: Content, *, advance: Advance | None = None) -> ModelHashes:
    """Compute all hashes of *content* in one read.

    Args:
        content: What to read; what it raises is passed on.
        advance: Told of progress.
    """
    hasher = ModelHasher(content.size)
    feed(content, hasher.lanes, advance=advance)
    return hasher.hashes()


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


class _Samples:
    """What needs no thread of its own: the checksum, and hashes of a few ranges."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._windows = tuple(_windows(size))
        self._sampled = mmh3.mmh3_x64_128()
        self.legacy = hashlib.sha256()
        """Of the 64 KiB behind the first MiB."""
        self.crc32 = 0
        """Of everything."""
        self.seen = 0
        """Bytes."""

    def update(self, chunk: memoryview, /) -> None:
        self.crc32 = zlib.crc32(chunk, self.crc32)
        for begin, end in self._windows:
            self._sampled.update(_part(chunk, begin - self.seen, end - self.seen))
        legacy = _LEGACY_AT - self.seen
        self.legacy.update(_part(chunk, legacy, legacy + _LEGACY_SIZE))
        self.seen += len(chunk)

    def imohash(self) -> str | None:
        if self.seen != self._size:
            return None
        return _inject_size(self._sampled.digest(), self._size)


def _part(chunk: memoryview, begin: int, end: int) -> memoryview:
    """Cut *begin* to *end* out of a chunk that may have none of it."""
    return chunk[max(0, begin) : max(0, end)]


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
