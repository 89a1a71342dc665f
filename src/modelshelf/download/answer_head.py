"""What the headers of an answer say of a file: lengths, ranges, validators and how long to wait.

Pure reading of texts that a stranger wrote. Whatever is missing or cannot be true is None, or a `ValueError`
where believing it would be dangerous.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["ContentRange", "Entity", "content_length", "read_retry_after"]

LARGEST = 2**63 - 1
"""More bytes than this no file can have."""

_RANGE = re.compile(r"bytes[ \t]+([0-9]{1,20})-([0-9]{1,20})/([0-9]{1,20}|\*)\Z", re.IGNORECASE)
_UNSATISFIED = re.compile(r"bytes[ \t]+\*/([0-9]{1,20})\Z", re.IGNORECASE)
_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"\Z')
_REMAINING = re.compile(r"(?:^|[;,\s])r=([0-9]{1,15})(?:[;,\s]|$)")
_UNTIL = re.compile(r"(?:^|[;,\s])t=([0-9]{1,15})(?:[;,\s]|$)")
_SECOND_OF_DOUBT = timedelta(seconds=1)
_EPOCHS = 10**8
"""A reset above this is a time since 1970, below it a number of seconds: hosts send either."""
_LONGEST = 10**9


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes of the whole an answer holds (RFC 9110, section 14.4)."""

    start: int
    """Offset of the first byte."""
    end: int
    """Offset behind the last byte."""
    total: int | None
    """Bytes of the whole; None where the host does not know."""

    @classmethod
    def parse(cls, text: str) -> ContentRange | None:
        """Read a `Content-Range`, or return None where it cannot be true.

        Example:
            >>> ContentRange.parse("bytes 0-99/1000")
            ContentRange(start=0, end=100, total=1000)
            >>> ContentRange.parse("bytes 5-4/1000") is None
            True
        """
        match = _RANGE.match(text.strip())
        if match is None:
            return None
        start, end = int(match[1]), int(match[2]) + 1
        total = None if match[3] == "*" else int(match[3])
        if start >= end or end > LARGEST or (total is not None and not end <= total <= LARGEST):
            return None
        return cls(start, end, total)

    @staticmethod
    def whole_of_unsatisfied(text: str) -> int | None:
        """Return how many bytes there are, from the `bytes */1000` of a 416; None where it does not say."""
        match = _UNSATISFIED.match(text.strip())
        return int(match[1]) if match and int(match[1]) <= LARGEST else None


@dataclass(frozen=True, slots=True)
class Entity:
    """One version of a file, as its host describes it."""

    size: int | None = None
    """Bytes of the whole file, not of this answer."""
    etag: str | None = None
    """Entity tag as sent, quotes and `W/` included."""
    last_modified: str | None = None
    """As sent."""
    strong_validator: str | None = None
    """What `If-Range` may carry: a strong tag, or a date that RFC 9110, section 8.8.2.2, calls strong."""
    content_type: str | None = None
    """Media type without parameters, lower case."""
    content_encoding: str | None = None
    """How the bytes are packed, lower case; None where they are the file's own."""
    accepts_ranges: bool | None = None
    """Whether parts may be asked for; None where the host does not say."""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str]) -> Entity:
        """Read what an answer says of the file.

        Args:
            status: 200 or 206 describe the file; of other answers only what is not about bytes is read.
            headers: Names in lower case.

        Raises:
            ValueError: A length that is negative, too large, or given twice and differently.

        Example:
            >>> entity = Entity.of(206, {"content-range": "bytes 0-0/7", "etag": '"a"'})
            >>> entity.size, entity.strong_validator, entity.accepts_ranges
            (7, '"a"', True)
        """
        etag = headers.get("etag", "").strip()
        tag = etag if _TAG.match(etag) else None
        modified = headers.get("last-modified", "").strip() or None
        encoding = headers.get("content-encoding", "").strip().lower()
        return cls(
            size=_whole_size(status, headers),
            etag=tag,
            last_modified=modified,
            strong_validator=_strong(tag, modified, headers.get("date", "")),
            content_type=headers.get("content-type", "").partition(";")[0].strip().lower() or None,
            content_encoding=None if encoding in {"", "identity"} else encoding,
            accepts_ranges=_accepts_ranges(status, headers),
        )


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes the body of an answer has, or None where the headers do not say.

    Raises:
        ValueError: The length is no number, too large, or given twice and differently.

    Example:
        >>> content_length({"content-length": "12, 12"})
        12
    """
    text = headers.get("content-length")
    if text is None:
        return None
    lengths = {part.strip() for part in text.split(",")}
    first = lengths.pop()
    # `isdigit` alone knows digits of all scripts, and int() underscores and signs.
    if lengths or not re.fullmatch(r"[0-9]{1,19}", first) or int(first) > LARGEST:
        message = f"the impossible length {text[:40]!r}"
        raise ValueError(message)
    return int(first)


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how many seconds a host asks to wait, or None where it does not ask.

    Reads `Retry-After` as seconds and as a date, the `RateLimit` of the IETF draft (`"api";r=0;t=55`) where
    nothing remains, and the older `RateLimit-Reset` and `X-RateLimit-Reset`.

    Args:
        headers: Names in lower case.
        now: The time, with a zone; the answer's own `Date` is preferred, as clocks differ.

    Returns:
        Seconds, not negative; the caller caps them.

    Example:
        >>> from datetime import datetime, timezone
        >>> now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        >>> read_retry_after({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}, now)
        60.0
        >>> read_retry_after({"ratelimit": '"api";r=0;t=55'}, now)
        55.0
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,400}(\.[0-9]{0,20})?", text):
        return min(float(text), float(_LONGEST))
    until = _date(text)
    if until is not None:
        since = _date(headers.get("date", "")) or now
        return min(max((until - since).total_seconds(), 0.0), float(_LONGEST))
    limit = headers.get("ratelimit", "")[:1000]
    waits = [
        int(seconds[1])
        for policy in limit.split(",")
        if (left := _REMAINING.search(policy))
        and int(left[1]) == 0
        and (seconds := _UNTIL.search(policy))
    ]
    if waits:
        return float(min(max(waits), _LONGEST))
    for prefix in ("ratelimit", "x-ratelimit"):
        remaining = headers.get(f"{prefix}-remaining", "0").strip()
        reset = headers.get(f"{prefix}-reset", "").strip()
        if re.fullmatch(r"0+", remaining) and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{0,9})?", reset):
            seconds_left = float(reset)
            if seconds_left > _EPOCHS:
                seconds_left -= now.timestamp()
            return min(max(seconds_left, 0.0), float(_LONGEST))
    return None


def _whole_size(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the size of the whole file, as an answer with this status states it."""
    length = content_length(headers)
    if status == 206:  # noqa: PLR2004 - partial content, RFC 9110
        part = ContentRange.parse(headers.get("content-range", ""))
        return part.total if part else None
    packed = headers.get("content-encoding", "").strip().lower() not in {"", "identity"}
    is_chunked = "transfer-encoding" in headers
    return length if status == 200 and not packed and not is_chunked else None  # noqa: PLR2004


def _strong(tag: str | None, modified: str | None, date: str) -> str | None:
    """Return what proves that two answers hold the same bytes, or None."""
    if tag is not None:
        # Where there is a tag, a date is the weaker witness: it is not asked.
        return None if tag.startswith("W/") or tag == '""' else tag
    if modified is None:
        return None
    changed, sent = _date(modified), _date(date)
    # Changed in the second in which it was sent, it could change again within the same second.
    return modified if changed and sent and sent - changed >= _SECOND_OF_DOUBT else None


def _accepts_ranges(status: int, headers: Mapping[str, str]) -> bool | None:
    """Tell whether parts may be asked for; None where the answer does not say."""
    units = headers.get("accept-ranges", "").strip().lower()
    if status == 206 or units == "bytes":  # noqa: PLR2004 - partial content, RFC 9110
        return True
    return False if units == "none" else None


def _date(text: str) -> datetime | None:
    """Read a date in any of HTTP's three forms; None where it is none."""
    try:
        moment = parsedate_to_datetime(text[:60])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
