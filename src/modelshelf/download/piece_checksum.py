"""The checksum of a piece of a download, cheap enough to take of every byte that arrives.

It tells a page that a power cut left zeroed or old from one that was written. It is no proof against
malice: what a file *is* is told by the digest that its author published.
"""

from __future__ import annotations

from xxhash import xxh3_64_intdigest

__all__ = ["piece_checksum"]


def piece_checksum(content: bytes | memoryview, seed: int = 0) -> int:
    """Return XXH3 of *content*, at a fiftieth of the price of SHA-256; other threads go on meanwhile.

    Args:
        content: The bytes.
        seed: Makes checksums of one purpose useless for another.

    Returns:
        64 bits, the same on every machine.

    Example:
        >>> f"{piece_checksum(b'abc'):016x}"
        '78af5f94892f3950'
    """
    return xxh3_64_intdigest(content, seed)
