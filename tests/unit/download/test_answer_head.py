from datetime import UTC, datetime

import pytest

from modelshelf.download.answer_head import (
    ContentRange,
    Entity,
    content_length,
    read_retry_after,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", 0), ("12", 12), (" 12 ", 12), ("12, 12", 12), ("9223372036854775807", 2**63 - 1)],
)
def test_reads_lengths(text: str, length: int) -> None:
    """A number of bytes, also one that was said twice alike."""
    assert content_length({"content-length": text}) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1_0",
        "0x1",
        "1.0",
        "\u0661",
        "12, 13",
        "12,",
        "9223372036854775808",
        "9" * 400,
    ],
)
def test_refuses_impossible_lengths(text: str) -> None:
    """What is no number of bytes is never taken for one."""
    with pytest.raises(ValueError, match="impossible"):
        content_length({"content-length": text})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes 0-4/4",
        "bytes 5-4/10",
        "bytes -1-4/10",
        "bytes 0-4",
        "bytes */10",
        "items 0-4/10",
        "bytes=0-4/10",
        "bytes 0-4/-5",
        "bytes 0-4/10, 6-7/10",
        "bytes 0-99999999999999999999/*",
        "bytes \u0660-\u0664/\u0661\u0660",
    ],
)
def test_refuses_impossible_ranges(text: str) -> None:
    """A range that cannot be is none."""
    assert ContentRange.parse(text) is None


def test_reads_ranges() -> None:
    """Offsets are half open here, and a total may be unknown."""
    assert ContentRange.parse("bytes 0-0/1") == ContentRange(0, 1, 1)
    assert ContentRange.parse("Bytes 5-9/*") == ContentRange(5, 10, None)
    assert ContentRange.whole_of_unsatisfied("bytes */1000") == 1000
    assert ContentRange.whole_of_unsatisfied("bytes 0-1/1000") is None
    assert ContentRange.whole_of_unsatisfied(f"bytes */{2**63}") is None


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"a"'}, '"a"'),
        ({"etag": 'W/"a"'}, None),
        ({"etag": '""'}, None),
        ({"etag": "a"}, None),
        ({"etag": '"a", "b"'}, None),
        ({}, None),
        (
            {
                "last-modified": "Sun, 01 Mar 2026 11:00:00 GMT",
                "date": "Sun, 01 Mar 2026 12:00:00 GMT",
            },
            "Sun, 01 Mar 2026 11:00:00 GMT",
        ),
        (
            {
                "last-modified": "Sun, 01 Mar 2026 12:00:00 GMT",
                "date": "Sun, 01 Mar 2026 12:00:00 GMT",
            },
            None,
        ),
        ({"last-modified": "Sun, 01 Mar 2026 11:00:00 GMT"}, None),
        ({"last-modified": "yesterday", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, None),
        (
            {
                "etag": 'W/"a"',
                "last-modified": "Sun, 01 Mar 2026 11:00:00 GMT",
                "date": "Sun, 01 Mar 2026 12:00:00 GMT",
            },
            None,
        ),
    ],
)
def test_tells_strong_validators(headers: dict[str, str], validator: str | None) -> None:
    """Only what cannot stay the same while bytes change may guard a resume (RFC 9110, section 8.8)."""
    assert Entity.of(200, headers).strong_validator == validator


def test_sizes_are_those_of_the_file() -> None:
    """The length of a part, of a packed body or of a redirect is not the file's."""
    length = {"content-length": "10"}
    assert Entity.of(200, length).size == 10
    assert Entity.of(200, {**length, "content-encoding": "gzip"}).size is None
    assert Entity.of(200, {**length, "transfer-encoding": "chunked"}).size is None
    assert Entity.of(302, length).size is None
    assert Entity.of(206, {**length, "content-range": "bytes 0-9/500"}).size == 500
    assert Entity.of(206, {**length, "content-range": "bytes 0-9/*"}).size is None
    assert Entity.of(206, {**length, "content-range": "nonsense"}).size is None


def test_tells_what_else_is_known() -> None:
    """Ranges, media type and packing."""
    entity = Entity.of(
        200,
        {
            "accept-ranges": "none",
            "content-type": "Text/HTML; charset=x",
            "content-encoding": "GZip",
        },
    )
    assert (entity.accepts_ranges, entity.content_type) == (False, "text/html")
    assert entity.content_encoding == "gzip"
    assert Entity.of(200, {"accept-ranges": "bytes"}).accepts_ranges is True
    assert Entity.of(200, {"content-encoding": "identity"}) == Entity()
    assert Entity.of(206, {}).accepts_ranges is True


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "9" * 300}, 10**9),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 01 Mar 2026 12:01:00 GMT"}, 60),
        ({"retry-after": "Sunday, 01-Mar-26 12:01:00 GMT"}, 60),
        ({"retry-after": "Sun Mar  1 12:01:00 2026"}, 60),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        (
            {
                "retry-after": "Sun, 01 Mar 2026 12:01:00 GMT",
                "date": "Sun, 01 Mar 2026 12:00:30 GMT",
            },
            30,
        ),
        ({"ratelimit": '"api";r=0;t=55'}, 55),
        ({"ratelimit": '"api";r=0;t=55, "pages";r=0;t=80'}, 80),
        ({"ratelimit": '"api";r=3;t=55'}, None),
        ({"ratelimit": "limit=500, remaining=0, reset=55", "ratelimit-reset": "55"}, 55),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        ({"ratelimit-remaining": "3", "ratelimit-reset": "12"}, None),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"x-ratelimit-reset": "nonsense"}, None),
        ({}, None),
    ],
)
def test_reads_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, dates by the host's own clock, and rate limits, all as seconds from now."""
    assert read_retry_after(headers, NOW) == seconds
