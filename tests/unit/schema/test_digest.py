from __future__ import annotations

import pytest

from modelshelf.errors import InvalidDigestError
from modelshelf.schema.digest import Digest, DigestAlgorithm

_ZEROS = "0" * 64


def test_a_digest_reads_what_it_writes() -> None:
    """`parse` is the inverse of `str`."""
    digest = Digest.sha256(bytes(range(32)))
    assert Digest.parse(str(digest)) == digest


def test_upper_case_and_space_around_are_accepted() -> None:
    """Hubs and people write hexadecimal in both cases."""
    assert Digest.parse("  BLAKE3:" + "AB" * 32 + "\n").hexadecimal == "ab" * 32


def test_a_digest_is_its_bytes() -> None:
    """`raw` gives back what the hasher returned."""
    assert Digest.blake3(bytes(range(32))).raw == bytes(range(32))


@pytest.mark.parametrize(
    "text",
    ["", "blake3:", _ZEROS, "md5:" + _ZEROS, "blake3:" + "0" * 63, "sha256:" + "g" * 64],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    """The error shows what was given."""
    with pytest.raises(InvalidDigestError) as caught:
        Digest.parse(text)
    assert caught.value.facts["text"] == text


def test_equal_bytes_of_two_algorithms_are_two_digests() -> None:
    """The algorithm is part of what a digest is."""
    assert Digest(DigestAlgorithm.BLAKE3, _ZEROS) != Digest(DigestAlgorithm.SHA256, _ZEROS)
