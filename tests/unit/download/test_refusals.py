import json
from datetime import UTC, datetime

import pytest

from modelshelf.download.refusals import Retry, refusal, unexpected_content
from modelshelf.errors import (
    AccessDeniedError,
    DownloadError,
    InvalidAnswerError,
    NotYetPublicError,
    ProxyError,
    RemoteFileGoneError,
    RemoteServerError,
    RequestRefusedError,
    TermsNotAcceptedError,
    UnexpectedContentError,
)

_URL = "https://hub.example/a/model.bin?token=hidden"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522, 529])
def test_states_that_pass(status: int) -> None:
    """Trying again helps, after what the host asks for."""
    asked = refusal(status, {"retry-after": "7"}, b"", url=_URL)
    assert isinstance(asked, Retry)
    assert (asked.after, asked.most) == (7, None)
    assert isinstance(asked.error, RemoteServerError)
    quiet = refusal(status, {}, b"", url=_URL)
    assert isinstance(quiet, Retry)
    assert quiet.after is None


def test_dates_are_compared_with_the_given_time() -> None:
    """A date counts from now."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    asked = refusal(503, {"retry-after": "Sun, 01 Mar 2026 12:01:00 GMT"}, b"", now=now)
    assert isinstance(asked, Retry)
    assert asked.after == 60


def test_a_missing_file_may_turn_up() -> None:
    """A 404 is asked again twice, unless the hub says by its code that it is sure."""
    asked = refusal(404, {}, b'{"error":"Version not found"}', url=_URL)
    assert isinstance(asked, Retry)
    assert asked.most == 2
    assert isinstance(asked.error, RemoteFileGoneError)
    assert asked.error.reason == "Version not found"
    for code in ("EntryNotFound", "RevisionNotFound", "RepoNotFound"):
        assert isinstance(refusal(404, {"x-error-code": code}, b""), RemoteFileGoneError)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "said"),
    [
        (401, {}, b"", AccessDeniedError, "who asks"),
        (
            401,
            {"x-error-message": "Invalid credentials in Authorization header"},
            b"",
            AccessDeniedError,
            "Invalid credentials",
        ),
        (401, {"x-error-code": "RepoNotFound"}, b"", AccessDeniedError, "private"),
        (401, {"x-error-code": "GatedRepo"}, b"", TermsNotAcceptedError, "asked first"),
        (
            403,
            {"x-error-code": "GatedRepo", "x-error-message": "Ask its author."},
            b"",
            TermsNotAcceptedError,
            "Ask its author.",
        ),
        (401, {"x-error-code": "RevisionNotFound"}, b"", RemoteFileGoneError, "revision"),
        (
            403,
            {"x-error-message": "Access to this resource is disabled."},
            b"",
            RemoteFileGoneError,
            "disabled",
        ),
        (402, {}, b"", AccessDeniedError, "paid"),
        (403, {}, b'{"error":"Forbidden"}', AccessDeniedError, "Forbidden"),
        (
            401,
            {},
            b'{"error":"Unauthorized","message":"The creator requires you to log in"}',
            AccessDeniedError,
            "log in",
        ),
        (
            403,
            {},
            b'{"error":"Early Access","deadline":"2026-03-01T12:00:00Z","message":"Buy it"}',
            NotYetPublicError,
            "until 2026-03-01T12:00:00Z",
        ),
        (407, {}, b"", ProxyError, "password"),
        (410, {}, b'{"error":"Model archived"}', RemoteFileGoneError, "archived"),
        (451, {}, b"", AccessDeniedError, "law"),
        (400, {}, b'{"error":{"message":"Bad id"}}', RequestRefusedError, "Bad id"),
        (405, {}, b"", RequestRefusedError, "405"),
        (501, {}, b"", RemoteServerError, "501"),
        (204, {}, b"", InvalidAnswerError, "204"),
        (304, {}, b"", InvalidAnswerError, "304"),
    ],
)
def test_states_that_stay(
    status: int, headers: dict[str, str], body: bytes, kind: type[DownloadError], said: str
) -> None:
    """Each refusal has its own type, and tells what the host said."""
    error = refusal(status, headers, body, url=_URL)
    assert type(error) is kind
    assert said in str(error)
    assert "hidden" not in str(error)


def test_a_hosts_words_are_made_harmless() -> None:
    """Secrets, addresses' queries, control characters and long speeches do not come through."""
    said = "bad \x1b[31mtoken abc-secret at https://me:pw@hub.example/x?sig=1 " + "a" * 900
    error = refusal(401, {}, json.dumps({"error": said}).encode(), secrets=("abc-secret", ""))
    assert isinstance(error, AccessDeniedError)
    assert "secret" not in error.reason
    assert "sig" not in error.reason
    assert "pw@" not in error.reason
    assert "\x1b" not in error.reason
    assert len(error.reason) <= 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'{"error": 7}',
        b'{"error": {}}',
        b"{" * 10_000,
        b"\xff\xfe",
        b'{"a":' * 3000,
    ],
)
def test_odd_bodies_say_nothing(body: bytes) -> None:
    """What is no object with words in it leaves the status to speak."""
    error = refusal(403, {}, body)
    assert isinstance(error, AccessDeniedError)
    assert error.reason == "it is not for everybody"


_PAGE = b"<!DOCTYPE html><html><title>A model</title>"
_LOGIN = b"\xef\xbb\xbf \n<HTML><body><form>Log in: <input type=password></form>"
_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
)


@pytest.mark.parametrize(
    ("media_type", "body", "name", "kind"),
    [
        ("text/html", _PAGE, "a.safetensors", UnexpectedContentError),
        ("application/octet-stream", _PAGE, "a.safetensors", UnexpectedContentError),
        ("text/html; charset=utf-8", _LOGIN, "a.safetensors", AccessDeniedError),
        ("text/html", b"<p>hello", "a.safetensors", UnexpectedContentError),
        ("text/html", _PAGE, "page.html", None),
        ("text/html", b"\x00\x01binary", "a.bin", None),
        ("text/plain", _POINTER, "a.safetensors", UnexpectedContentError),
        ("application/json", b'{"error":"Please log in"}', "a.bin", AccessDeniedError),
        ("application/json", b'{"message":"No such thing"}', "a.bin", UnexpectedContentError),
        ("application/json", b'{"error":"Please log in"}', "config.json", None),
        ("application/json", b'{"model":"x"}', "a.bin", None),
        (
            "application/xml",
            b'<?xml version="1.0"?>\n<Error><Code>x',
            "a.bin",
            UnexpectedContentError,
        ),
        ("application/xml", b'<?xml version="1.0"?>\n<Error><Code>x', "a.xml", None),
        ("", b"", "a.bin", None),
        ("application/octet-stream", b"\x80\x00\x00\x00\x00\x00\x00\x00{}", "a.safetensors", None),
    ],
)
def test_knows_what_is_no_model(
    media_type: str, body: bytes, name: str, kind: type[DownloadError] | None
) -> None:
    """Pages, messages and pointers are not files, unless that is what was asked for."""
    error = unexpected_content({"content-type": media_type}, body, url=_URL, name=name)
    assert (None if error is None else type(error)) is kind
    assert "hidden" not in str(error)


def test_a_login_page_is_known_by_its_address() -> None:
    """Where the walk ended says more than a page that is written by scripts."""
    error = unexpected_content({}, _PAGE, url="https://hub.example/login?next=x", name="a.bin")
    assert isinstance(error, AccessDeniedError)


def test_a_large_file_is_no_pointer() -> None:
    """A pointer is small; what only begins like one is a file."""
    assert unexpected_content({}, _POINTER, url=_URL, name="a.txt", size=5000) is None


@pytest.mark.parametrize("name", ["html", "txt", "MD"])
def test_a_name_without_a_suffix_wants_no_page(name: str) -> None:
    """An address such as `/html` has a file of that name, and not of that kind."""
    assert unexpected_content({}, _PAGE, url=_URL, name=name) is not None
    assert unexpected_content({}, _PAGE, url=_URL, name=f"page.{name}") is None
