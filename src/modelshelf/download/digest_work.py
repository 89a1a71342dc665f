"""Digests that are worked out of one content at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from blake3 import blake3

from modelshelf.schema.digest import Digest, DigestAlgorithm

__all__ = ["DigestWork", "FollowedDigests"]


@dataclass(frozen=True, slots=True)
class FollowedDigests:
    """What was worked out of the bytes that arrived. None means: was not asked for."""

    size: int
    """Bytes that went into the digests."""
    sha256: Digest | None = None
    """SHA-256."""
    blake3: Digest | None = None
    """BLAKE3."""
    git_sha1: str | None = None
    """40 hexadecimal digits, as git names the content."""


class _Hasher(Protocol):
    def update(self, chunk: memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


class DigestWork:
    """Takes the bytes of a content in their order, and says its digests.

    Args:
        algorithms: Of `sha256` and `blake3`.
        git_size: Size of the content, if its git SHA-1 is wanted, which begins with that.

    Example:
        >>> work = DigestWork({"sha256"})
        >>> work.update(memoryview(b"abc"))
        >>> work.results().sha256.short
        'ba7816bf8f01'
    """

    def __init__(self, algorithms: Collection[str], *, git_size: int | None = None) -> None:
        wanted = {DigestAlgorithm(name) for name in algorithms}
        self._named: dict[str, _Hasher] = {}
        if DigestAlgorithm.SHA256 in wanted:
            self._named["sha256"] = hashlib.sha256()
        if DigestAlgorithm.BLAKE3 in wanted:
            self._named["blake3"] = blake3()
        if git_size is not None:
            # No protection: it is the name that git gives the content.
            self._named["git"] = hashlib.sha1(b"blob %d\0" % git_size, usedforsecurity=False)
        self._done = 0

    def __len__(self) -> int:
        """How many digests are worked out."""
        return len(self._named)

    @property
    def done(self) -> int:
        """Bytes that went into the digests."""
        return self._done

    def update(self, content: memoryview, beside: ThreadPoolExecutor | None = None) -> None:
        """Take the next bytes; they are not needed any more when this returns.

        Args:
            content: The bytes.
            beside: Works out all digests but the first, each in a thread of its own; None: one after the other.
        """
        waiting = []
        for hasher in list(self._named.values())[1:]:
            if beside is None:
                hasher.update(content)
            else:
                waiting.append(beside.submit(hasher.update, content))
        try:
            for hasher in list(self._named.values())[:1]:
                hasher.update(content)
        finally:
            wait(waiting)
        self._done += len(content)

    def results(self) -> FollowedDigests:
        """Return the digests of all that was taken."""
        raw = {name: hasher.digest() for name, hasher in self._named.items()}
        return FollowedDigests(
            size=self._done,
            sha256=Digest.sha256(raw["sha256"]) if "sha256" in raw else None,
            blake3=Digest.blake3(raw["blake3"]) if "blake3" in raw else None,
            git_sha1=raw["git"].hex() if "git" in raw else None,
        )
