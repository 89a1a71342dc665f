"""What to fetch, what is known of it beforehand, and what came of it: the nouns of one file's download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from modelshelf.schema.digest import Digest

__all__ = [
    "Downloaded",
    "ExpectedContent",
    "PrivateAddresses",
    "StopKind",
    "Stopped",
    "TransferOrder",
    "Verification",
]


class Verification(StrEnum):
    """How sure it is that what arrived is what its author published."""

    DIGEST = "digest"
    """A digest that was known beforehand agrees."""
    SIZE = "size"
    """The announced length agrees; a changed byte would not have been noticed."""
    UNVERIFIED = "unverified"
    """Nothing was announced. The end of the connection was taken for the end of the file."""


class PrivateAddresses(StrEnum):
    """Which hosts may have an address inside this machine or its network."""

    REFUSE = "refuse"
    """None: for addresses that come from strangers, as through a web API."""
    AS_NAMED = "as-named"
    """The host that the order itself names; a redirect may not lead to another one."""
    ALLOW = "allow"
    """All: for a network in which every host is one's own."""

    def narrowed(self, other: PrivateAddresses | None) -> PrivateAddresses:
        """Return the one of the two that allows less; None allows what this one does.

        Example:
            >>> PrivateAddresses.AS_NAMED.narrowed(PrivateAddresses.ALLOW).value
            'as-named'
        """
        order = list(PrivateAddresses)
        return self if other is None else min(self, other, key=order.index)


class StopKind(StrEnum):
    """What shall become of a transfer that is stopped."""

    PAUSE = "pause"
    """Keep what came, to the byte."""
    CANCEL = "cancel"
    """Remove what came."""


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """What a listing says of the bytes before the first one is here. None means: it does not say."""

    size: int | None = None
    """Bytes."""
    sha256: Digest | None = None
    """SHA-256."""
    blake3: Digest | None = None
    """BLAKE3."""
    git_sha1: str | None = None
    """40 hexadecimal digits: SHA-1 of `blob <size>`, NUL and the bytes, as git names small files."""

    @property
    def has_digest(self) -> bool:
        """Whether a changed byte would be noticed."""
        return bool(self.sha256 or self.blake3 or self.git_sha1)


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """One file to fetch."""

    url: str = field(repr=False)
    """The origin: asked anew whenever an address that it led to has expired."""
    destination: Path
    """An existing folder, in which the host's own name is used, or the path of the file to be."""
    expected: ExpectedContent = ExpectedContent()
    """What is known of the content."""
    token: str | None = field(default=None, repr=False)
    """Access token, sent as `Authorization: Bearer` to the origin of *url* and to nobody else."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Further headers, sent to the origin of *url* alone."""
    file_name: str | None = None
    """Name inside a destination that is a folder; None takes the host's."""
    overwrite: bool = False
    """Whether a file that stands at the final name is replaced, once the new one is whole."""
    keep_partial: bool = False
    """Whether what came stays when the transfer fails for good, for a later order of the same file."""
    private: PrivateAddresses = PrivateAddresses.AS_NAMED
    """Which private addresses may be talked to."""
    digests: frozenset[str] = frozenset()
    """Digests to work out although none is expected: `sha256`, `blake3`."""
    partial_key: str | None = None
    """What unfinished parts are found by; None works it out of *url* and what is expected."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole and stands at its final name."""

    path: Path
    """Where it is."""
    size: int
    """Bytes."""
    verification: Verification
    """What was compared."""
    sha256: Digest | None
    """SHA-256, where it was worked out."""
    blake3: Digest | None
    """BLAKE3, where it was worked out."""
    fetched: int
    """Bytes of content that this run took from the network; 0 when the file was already there."""
    etag: str | None
    """The host's entity tag."""
    content_type: str | None
    """The host's media type."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A transfer that somebody ended before its time."""

    kind: StopKind
    """Whether it can go on."""
    received: int
    """Bytes that are kept; 0 after a cancellation."""
