from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.schema.address_secrets import (
    bare_address,
    chooses_a_file,
    is_credential,
    is_secret,
    with_bare_addresses,
)

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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no address?", "no address?"),
        ("<https://h/a?sig=1> or 'HTTP://me:pw@h/b#top'", "<https://h/a> or 'HTTP://h/b'"),
        ("(https://me:p@w@h.example/x)", "(https://h.example/x)"),
        ("https://h/go?to=https://me:pw@i/x", "https://h/go"),
        ("https://h/go,http://me:pw@i/x", "https://h/go,http://i/x"),
        ("https://?sig=1", "https://"),
        ("GET https://h/it's?sig=1 said no", "GET https://h/it's said no"),
        ("https://me:it's@h/a", "https://h/a"),
        ("('https://h/it's?sig=it's').", "('https://h/it's')."),
        (
            "{'http':'http://me:pw@h:1','https':'http://me:pw@h:2'}",
            "{'http':'http://h:1','https':'http://h:2'}",
        ),
        ("no proxy at socks5://me:pw@p.example:1080", "no proxy at socks5://p.example:1080"),
    ],
)
def test_addresses_in_a_text_are_shown_bare(said: str, shown: str) -> None:
    """What is before an `@` and what is behind a `?` or `#` may be secret; the rest of the text is not."""
    assert with_bare_addresses(said) == shown


def test_addresses_without_end_take_no_time_without_end() -> None:
    """Looked for from each of them to the end, a text of this length took hours."""
    assert with_bare_addresses("http://" * 300_000 + "x?y") == "http://" * 300_000 + "x"
    assert with_bare_addresses("http://x?" + "')" * 700_000 + "y") == "http://x"
    assert bare_address("://" * 700_000) == "://" * 700_000
