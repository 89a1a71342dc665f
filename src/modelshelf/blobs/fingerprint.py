"""What three short reads of a file tell about it.

imohash samples 16 KiB at the start, the middle and the end of a file and mixes them with its size
(`kalafut/imohash` algorithm description, version 1.0); MM2 publishes it as a model's `hash`. Equal files
always have equal samples, so samples that the store has never seen prove the content new; two fine-tunes
of one model may well share them, so known samples prove nothing and the content is hashed.

The store's own fingerprint is BLAKE3 over the same samples: murmur3, which imohash ends with, is easy to
collide on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from blake3 import blake3

from modelshelf.blobs.model_hashes import imohash_of
from modelshelf.blobs.source_reader import open_source
from modelshelf.schema.recipe import StorableFile

__all__ = ["FINGERPRINT_SIZE", "Fingerprint", "fingerprint"]

FINGERPRINT_SIZE = 16
_WINDOW = 16 * 1024
_WHOLE_BELOW = 128 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two hashes over the same samples."""

    quick: bytes
    """`FINGERPRINT_SIZE` bytes; equal for equal content."""
    imohash: bytes
    """16 bytes: what other programs call the file's quick hash."""


def fingerprint(source: StorableFile) -> Fingerprint:
    """Sample a file of the user, or one that is made of it.

    Raises:
        SourceChangedError: It is not what it was when it was listed.
        SourceUnreadableError: The system refused to read it.
    """
    whole = source.size < _WHOLE_BELOW
    windows = (0,) if whole else (0, source.size // 2, source.size - _WINDOW)
    buffer = memoryview(bytearray(source.size if whole else _WINDOW))
    sampled = bytearray()
    with open_source(source) as reader:
        for offset in windows:
            sampled += buffer[: reader.read_into(buffer, offset)]
    quick = blake3(source.size.to_bytes(8, "little") + sampled).digest(FINGERPRINT_SIZE)
    return Fingerprint(quick, bytes.fromhex(imohash_of(sampled, source.size)))
