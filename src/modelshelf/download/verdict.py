"""Whether what arrived is what was announced."""

from __future__ import annotations

from dataclasses import replace

from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.redirects import SeenFacts
from modelshelf.errors import DigestMismatchError
from modelshelf.schema.digest import Digest, DigestAlgorithm
from modelshelf.schema.transfer import ExpectedContent, Verification

__all__ = ["expected_with", "verdict"]

_HEX = frozenset("0123456789abcdef")
_SHA256_DIGITS, _SHA1_DIGITS = 64, 40


def expected_with(expected: ExpectedContent, facts: SeenFacts) -> ExpectedContent:
    """Add what a hub said of the file on the way to it; the order's own word goes first.

    Example:
        >>> facts = SeenFacts(linked_size=3, linked_etag="a" * 64)
        >>> expected_with(ExpectedContent(), facts).sha256.short
        'aaaaaaaaaaaa'
    """
    tag = (facts.linked_etag or "").lower()
    if not set(tag) <= _HEX:
        tag = ""
    size = facts.linked_size if expected.size is None else expected.size
    if expected.has_digest or len(tag) not in {_SHA256_DIGITS, _SHA1_DIGITS}:
        return replace(expected, size=size)
    if len(tag) == _SHA1_DIGITS:
        return replace(expected, size=size, git_sha1=tag)
    return replace(expected, size=size, sha256=Digest(DigestAlgorithm.SHA256, tag))


def verdict(
    expected: ExpectedContent, found: FollowedDigests, *, url: str, is_size_announced: bool
) -> Verification:
    """Compare digests.

    Args:
        expected: What was announced; its size has been compared already.
        found: What was worked out.
        url: Where it came from, without secrets.
        is_size_announced: Whether a body cut short would have been noticed.

    Raises:
        DigestMismatchError: It is something else.
    """
    pairs = (
        ("SHA-256", _text(expected.sha256), _text(found.sha256)),
        ("BLAKE3", _text(expected.blake3), _text(found.blake3)),
        ("git SHA-1", expected.git_sha1, found.git_sha1),
    )
    for algorithm, announced, got in pairs:
        if announced is not None and announced.lower() != got:
            raise DigestMismatchError(
                url=url, algorithm=algorithm, expected=announced, got=got or "nothing"
            )
    if expected.has_digest:
        return Verification.DIGEST
    return Verification.SIZE if is_size_announced else Verification.UNVERIFIED


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else digest.hexadecimal
