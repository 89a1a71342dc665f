"""What it means when a host does not send the file: whether to try again, and what to tell the person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from modelshelf.download.answer_head import read_retry_after
from modelshelf.download.origin import public_url
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
from modelshelf.schema.address_secrets import with_bare_addresses

__all__ = ["BODY_PREFIX", "Retry", "refusal", "unexpected_content"]

BODY_PREFIX = 16 * 1024
"""Bytes of a body that are enough to understand it."""

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, *range(520, 531), 598, 599})
"""States of a host or of what stands before it that pass; 52x are those of a well-known CDN."""
_HEALING = 2
"""How often a 404 is asked again: hubs answer so while they look for the storage."""
_NO_SUCH = {
    "RepoNotFound": "there is no such repository, or it is private",
    "RevisionNotFound": "the repository has no such revision",
    "EntryNotFound": "the repository has no such file",
}
_GATED, _MISSING_REPOSITORY = "GatedRepo", "RepoNotFound"
_DISABLED = "access to this resource is disabled"
_LONGEST_WORDS = 200
_MEANINGS = {
    400: "it does not understand the request",
    401: "it wants to know who asks",
    402: "it wants to be paid",
    403: "it is not for everybody",
    404: "there is nothing",
    407: "the proxy asks for a name and a password",
    410: "it is there no more",
    451: "the law forbids it",
}
_POINTER = b"version https://git-lfs.github.com/spec/v1"
_LARGEST_POINTER = 1024
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|script)\b", re.IGNORECASE)
_LOGIN = re.compile(rb"log[\s-]?in\b|sign[\s-]?in\b|type=[\"']?password", re.IGNORECASE)
_DENIAL = re.compile(r"log.?in|sign.?in|unauthori|forbidden|token|credential|denied", re.IGNORECASE)
_PAGES = frozenset({"htm", "html", "md", "txt", "xhtml"})
"""Suffixes of files that may look like a page."""
_STORAGE_ERROR = re.compile(rb"<\?xml[^>]{0,200}\?>\s*<Error\b")


@dataclass(frozen=True, slots=True)
class Retry:
    """Asking again later may help."""

    error: DownloadError
    """What to say when it did not."""
    after: float | None
    """Seconds that the host asks to wait, not capped; None: it does not say."""
    most: int | None = None
    """How often it is worth it, at most; None: as often as the download's patience allows."""


def refusal(
    status: int,
    headers: Mapping[str, str],
    body_prefix: bytes,
    *,
    url: str = "",
    now: datetime | None = None,
    secrets: Collection[str] = (),
) -> DownloadError | Retry:
    """Say what an answer without the file means.

    Goes by a hub's own error code before the status, as hubs answer 401 for whatever a stranger may not know.

    Args:
        status: Any but 200, 206 and 416, which are about bytes, and redirects, which are followed.
        headers: Names in lower case.
        body_prefix: The first `BODY_PREFIX` bytes of the body, or fewer.
        url: What was asked for.
        now: The time, for a `Retry-After` that is a date; None asks the clock.
        secrets: Texts that the reason must not repeat, such as the token.

    Example:
        >>> retry = refusal(503, {"retry-after": "7"}, b"")
        >>> retry.after, type(retry.error).__name__
        (7.0, 'RemoteServerError')
        >>> print(refusal(401, {}, b'{"message": "Log in first"}', url="https://hub.example/a"))
        `https://hub.example/a` refuses access (401): Log in first
    """
    shown = public_url(url)
    told = _json(body_prefix)
    words = _words(headers, told, secrets)
    code = headers.get("x-error-code", "").strip()
    known = _by_code(code, status, words, shown)
    if known is not None:
        return known
    reason = words or _MEANINGS.get(status, "it does not say why")
    if status in _PASSING:
        after = read_retry_after(headers, now or datetime.now(UTC))
        return Retry(RemoteServerError(url=shown, status=status), after)
    if status == 404:  # noqa: PLR2004 - statuses are their own names
        return Retry(RemoteFileGoneError(url=shown, status=status, reason=reason), None, _HEALING)
    return _final(status, reason, told, shown)


def unexpected_content(
    headers: Mapping[str, str],
    body_prefix: bytes,
    *,
    url: str,
    name: str,
    size: int | None = None,
) -> DownloadError | None:
    """Say what came in place of a file, with a status that says all is well; None where it may be the file.

    Not for a file whose digest is known: that decides better.

    Args:
        headers: Names in lower case.
        body_prefix: The first `BODY_PREFIX` bytes of the body, or all of them.
        url: Where it came from; a page to log in is often told by its address.
        name: Of the file to be; a page may be what is wanted.
        size: Bytes of the whole body, None where unknown.

    Example:
        >>> page = b"<!DOCTYPE html><title>Sign in</title>"
        >>> print(unexpected_content({}, page, url="https://hub.example/login?next=a", name="a.ckpt"))
        `https://hub.example/login` refuses access (200): a page to log in came in place of the file
    """
    shown = public_url(url)
    suffix = name.lower().rpartition(".")[2] if "." in name else ""
    start = body_prefix.removeprefix(b"\xef\xbb\xbf").lstrip()
    media_type = headers.get("content-type", "").lower()
    error: DownloadError | None = None
    if start.startswith(_POINTER) and (size is None or size <= _LARGEST_POINTER):
        error = UnexpectedContentError(url=shown, got="a pointer of Git LFS")
    elif _PAGE.match(start) or ("text/html" in media_type and start.startswith(b"<")):
        error = None if suffix in _PAGES else _page(body_prefix, shown)
    elif _STORAGE_ERROR.match(start) and suffix != "xml":
        error = UnexpectedContentError(url=shown, got="a storage's error message")
    elif "json" in media_type and suffix not in {"json", "jsonl"}:
        words = _words({}, _json(body_prefix), ())
        if words is not None and _DENIAL.search(words):
            error = AccessDeniedError(url=shown, status=200, reason=words)
        elif words is not None:
            error = UnexpectedContentError(url=shown, got=f"the message {words!r}")
    return error


def _page(body: bytes, url: str) -> DownloadError:
    """Return what a web page means: that somebody shall log in, or that the address is wrong."""
    path = url.rpartition("://")[2].partition("/")[2].encode()
    if _LOGIN.search(path) or _LOGIN.search(body):
        reason = "a page to log in came in place of the file"
        return AccessDeniedError(url=url, status=200, reason=reason)
    return UnexpectedContentError(url=url, got="a web page")


def _by_code(code: str, status: int, words: str | None, url: str) -> DownloadError | None:
    """Return what a hub's own code or words mean, or None where it has none that is known."""
    if words is not None and words.lower().rstrip(".") == _DISABLED:
        return RemoteFileGoneError(url=url, status=status, reason=words)
    if code == _GATED:
        reason = words or "its authors want to be asked first"
        return TermsNotAcceptedError(url=url, status=status, reason=reason)
    if code == _MISSING_REPOSITORY and status in {401, 403}:
        return AccessDeniedError(url=url, status=status, reason=_NO_SUCH[code])
    if code in _NO_SUCH:
        return RemoteFileGoneError(url=url, status=status, reason=_NO_SUCH[code])
    return None


def _final(status: int, reason: str, told: Mapping[str, object], url: str) -> DownloadError:
    """Return the error for a status after which asking again is of no use."""
    deadline = told.get("deadline")
    error: DownloadError
    if status == 403 and isinstance(deadline, str) and deadline:  # noqa: PLR2004 - as above
        until = re.sub(r"[^0-9A-Za-z:.+ -]", "", deadline)[:40]
        error = NotYetPublicError(url=url, status=status, reason=f"{reason} (until {until})")
    elif status in {401, 402, 403, 451}:
        error = AccessDeniedError(url=url, status=status, reason=reason)
    elif status == 407:  # noqa: PLR2004 - as above
        error = ProxyError(url=url, reason=_MEANINGS[status])
    elif status == 410:  # noqa: PLR2004 - as above
        error = RemoteFileGoneError(url=url, status=status, reason=reason)
    elif status >= 500:  # noqa: PLR2004 - the class of the host's mistakes
        error = RemoteServerError(url=url, status=status)
    elif status >= 400:  # noqa: PLR2004 - the class of the asker's mistakes
        error = RequestRefusedError(url=url, status=status, reason=reason)
    else:
        reason = f"status {status}, which brings no file"
        error = InvalidAnswerError(url=url, reason=reason)
    return error


def _json(body: bytes) -> dict[str, object]:
    """Read a small JSON object; empty where the body is none."""
    if body.lstrip()[:1] != b"{" or len(body) > BODY_PREFIX:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _words(
    headers: Mapping[str, str], told: Mapping[str, object], secrets: Collection[str]
) -> str | None:
    """Return what the host says in words, on one line and without secrets; None where it says nothing."""
    error, message = told.get("error"), told.get("message")
    if isinstance(error, dict):
        error = error.get("message")
    said = [headers.get("x-error-message", ""), error, message]
    texts = [text.strip() for text in said if isinstance(text, str) and text.strip()]
    text = ": ".join(dict.fromkeys(texts[:1] if headers.get("x-error-message") else texts))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    text = with_bare_addresses(text)
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if not text:
        return None
    return text if len(text) <= _LONGEST_WORDS else f"{text[: _LONGEST_WORDS - 1]}…"
