from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.schema.address_secrets import chooses_a_file, is_credential, is_secret

CREDENTIALS = ["token", "ACCESS_TOKEN", "api-key", "apikey", "key", "auth", "password", "userpat"]
SIGNATURES = ["X-Amz-Signature", "sig", "signature", "Key-Pair-Signature", "X-Goog-Credential"]
HARMLESS = ["author", "design", "fileId", "monkey", "keynote", "revision", "type", ""]


def test_a_credential_goes_to_no_other_host() -> None:
    """Every one is a secret, but not every secret is one: hosts hand signatures on."""
    assert all(map(is_credential, CREDENTIALS))
    assert not any(map(is_credential, [*SIGNATURES, *HARMLESS]))
    assert all(map(is_secret, [*CREDENTIALS, *SIGNATURES]))
    assert not any(map(is_secret, HARMLESS))


@pytest.mark.property
@given(
    st.text("-_.xab", max_size=4),
    st.sampled_from([*CREDENTIALS, *SIGNATURES, *HARMLESS]),
    st.text(max_size=9),
)
def test_what_chooses_a_file_is_no_secret(before: str, name: str, value: str) -> None:
    """Whatever stands before its name, and whatever its value is."""
    assert not (chooses_a_file(before + name, value) and is_secret(before + name))


def test_a_name_without_end_is_shown_to_nobody() -> None:
    """Nobody calls a parameter so, and looking at each of its letters would take minutes."""
    assert is_secret("_" * 1_000_000)
