"""Digests: BLAKE3 is what a file or part *is*, SHA-256 is what the hubs call it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from modelshelf.errors import InvalidDigestError

__all__ = ["Digest", "DigestAlgorithm", "FileDigests"]

_HEX_256 = re.compile(r"[0-9a-f]{64}")


class DigestAlgorithm(StrEnum):
    """The hash functions whose results modelshelf keeps."""

    BLAKE3 = "blake3"
    SHA256 = "sha256"


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The 256-bit result of a named hash function over every byte of something.

    `Digest.parse` checks; the constructor trusts.

    Example:
        >>> Digest.parse("blake3:" + "0" * 64).algorithm.value
        'blake3'
    """

    algorithm: DigestAlgorithm
    """The hash function."""
    hexadecimal: str
    """64 lower-case hexadecimal digits."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `algorithm:hexadecimal`, as `str()` writes it; upper case is accepted.

        Raises:
            InvalidDigestError: Unknown algorithm or not 64 hexadecimal digits.
        """
        algorithm, _, hexadecimal = text.strip().lower().partition(":")
        if algorithm not in DigestAlgorithm.__members__.values() or not _HEX_256.fullmatch(
            hexadecimal
        ):
            raise InvalidDigestError(text=text)
        return cls(DigestAlgorithm(algorithm), hexadecimal)

    @classmethod
    def blake3(cls, raw: bytes) -> Self:
        """Wrap the 32 bytes that a BLAKE3 hasher returned."""
        return cls(DigestAlgorithm.BLAKE3, raw.hex())

    @classmethod
    def sha256(cls, raw: bytes) -> Self:
        """Wrap the 32 bytes that a SHA-256 hasher returned."""
        return cls(DigestAlgorithm.SHA256, raw.hex())

    @property
    def raw(self) -> bytes:
        """The 32 bytes themselves, as the database keeps them."""
        return bytes.fromhex(self.hexadecimal)

    @property
    def short(self) -> str:
        """The first twelve hexadecimal digits, for people."""
        return self.hexadecimal[:12]

    def __str__(self) -> str:
        return f"{self.algorithm.value}:{self.hexadecimal}"


@dataclass(frozen=True, slots=True)
class FileDigests:
    """What the one read of a copied file found out about its content."""

    size: int
    """Bytes hashed."""
    blake3: Digest
    """Identity inside modelshelf."""
    sha256: Digest
    """Identity outside."""
    data_sha256: Digest | None = None
    """Of a safetensors file the SHA-256 of its tensors, whatever its header says: AutoV3, as far as it was
    asked for."""
