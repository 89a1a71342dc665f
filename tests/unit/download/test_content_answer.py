from __future__ import annotations

import pytest

from modelshelf.download.content_answer import content_of
from modelshelf.download.failed_attempts import UnusableAnswerError

ASKED = (100, 200)


def test_the_range_that_was_asked_for_is_right() -> None:
    content = content_of(206, {"content-range": "bytes 100-199/1000", "etag": '"a"'}, ASKED)
    assert content is not None
    assert (content.start, content.end, content.is_part) == (100, 200, True)
    assert (content.entity.size, content.entity.strong_validator) == (1000, '"a"')


def test_the_front_of_a_range_is_right_too() -> None:
    content = content_of(206, {"content-range": "bytes 100-149/1000"}, ASKED)
    assert content is not None
    assert (content.start, content.end) == (100, 150)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {"content-range": "bytes 0-99/1000"}),
        (206, {"content-range": "bytes 101-199/1000"}),
        (206, {"content-range": "bytes 100-200/1000"}),
        (206, {"content-range": "bytes 100-199/*"}),
        (206, {"content-range": "bytes 100-199/150"}),
        (206, {"content-range": "bytes 199-100/1000"}),
        (206, {"content-range": "bytes 100-199/1000", "content-length": "99"}),
        (206, {"content-range": "bytes 100-199/1000", "content-length": "-1"}),
        (206, {"content-range": "bytes 100-199/1000", "content-encoding": "gzip"}),
        (206, {"content-type": "multipart/byteranges; boundary=x"}),
        (206, {}),
        (200, {"content-encoding": "gzip"}),
        (200, {"content-length": "99999999999999999999"}),
    ],
)
def test_whatever_else_comes_is_thrown_away(status: int, headers: dict[str, str]) -> None:
    with pytest.raises(UnusableAnswerError):
        content_of(status, headers, ASKED)


def test_a_range_for_which_nobody_asked_is_thrown_away() -> None:
    with pytest.raises(UnusableAnswerError):
        content_of(206, {"content-range": "bytes 0-99/1000"}, None)


@pytest.mark.parametrize(
    ("headers", "size", "is_marked"),
    [
        ({"content-length": "7"}, 7, True),
        ({"transfer-encoding": "chunked"}, None, True),
        ({}, None, False),
    ],
)
def test_a_whole_file_says_how_its_end_is_known(
    headers: dict[str, str], size: int | None, *, is_marked: bool
) -> None:
    content = content_of(200, headers, ASKED)
    assert content is not None
    assert (content.start, content.end, content.is_part) == (0, size, False)
    assert content.end_is_marked is is_marked


def test_no_such_bytes_are_no_content() -> None:
    assert content_of(416, {"content-range": "bytes */50"}, ASKED) is None
