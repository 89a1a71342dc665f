from __future__ import annotations

import pytest

from modelshelf.download.digest_work import FollowedDigests
from modelshelf.download.redirects import SeenFacts
from modelshelf.download.verdict import expected_with, verdict
from modelshelf.errors import DigestMismatchError
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import ExpectedContent, Verification

SHA256 = Digest.sha256(b"\1" * 32)
OTHER = Digest.sha256(b"\2" * 32)
URL = "https://hub.example/x"


def test_a_hub_tells_what_the_order_does_not() -> None:
    facts = SeenFacts(linked_size=3, linked_etag=SHA256.hexadecimal)
    assert expected_with(ExpectedContent(), facts) == ExpectedContent(size=3, sha256=SHA256)


def test_a_hub_names_small_files_as_git_does() -> None:
    facts = SeenFacts(linked_etag="ab" * 20)
    assert expected_with(ExpectedContent(), facts).git_sha1 == "ab" * 20


def test_the_orders_own_word_goes_first() -> None:
    ordered = ExpectedContent(size=5, sha256=OTHER)
    facts = SeenFacts(linked_size=3, linked_etag=SHA256.hexadecimal)
    assert expected_with(ordered, facts) == ordered


@pytest.mark.parametrize("tag", [None, "", "opaque", "z" * 64, "ab" * 16])
def test_a_tag_that_is_no_digest_proves_nothing(tag: str | None) -> None:
    assert expected_with(ExpectedContent(), SeenFacts(linked_etag=tag)) == ExpectedContent()


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (ExpectedContent(sha256=SHA256), FollowedDigests(3, sha256=OTHER)),
        (ExpectedContent(sha256=SHA256), FollowedDigests(3)),
        (ExpectedContent(git_sha1="ab" * 20), FollowedDigests(3, git_sha1="cd" * 20)),
        (
            ExpectedContent(sha256=SHA256, blake3=Digest.blake3(b"\1" * 32)),
            FollowedDigests(3, sha256=SHA256, blake3=Digest.blake3(b"\2" * 32)),
        ),
    ],
)
def test_any_digest_that_differs_is_a_mismatch(
    expected: ExpectedContent, found: FollowedDigests
) -> None:
    with pytest.raises(DigestMismatchError):
        verdict(expected, found, url=URL, is_size_announced=True)


def test_it_says_what_was_compared() -> None:
    found = FollowedDigests(3, sha256=SHA256)
    sure = verdict(ExpectedContent(sha256=SHA256), found, url=URL, is_size_announced=True)
    size = verdict(ExpectedContent(), found, url=URL, is_size_announced=True)
    nothing = verdict(ExpectedContent(), found, url=URL, is_size_announced=False)
    assert (sure, size, nothing) == (
        Verification.DIGEST,
        Verification.SIZE,
        Verification.UNVERIFIED,
    )
