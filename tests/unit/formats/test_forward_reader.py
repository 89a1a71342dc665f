from __future__ import annotations

import io

import pytest

from modelshelf.formats.fault import FormatFault
from modelshelf.formats.forward_reader import ForwardReader


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it, and may give fewer than asked for."""

    def __init__(self, content: bytes, most: int = 1 << 30) -> None:
        super().__init__(content)
        self.count = 0
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(min(size or 0, self.most))
        self.count += len(found)
        return found


def test_bytes_come_in_order_whatever_is_stepped_over() -> None:
    """Within what was read ahead and beyond it."""
    content = bytes(range(256)) * 1000
    reader = ForwardReader(Counted(content), len(content))
    assert reader.take(3) == content[:3]
    reader.skip(7)
    assert (reader.offset, reader.take(2)) == (10, content[10:12])
    reader.skip(200_000)
    assert (reader.offset, reader.take(4)) == (200_012, content[200_012:200_016])
    reader.skip(reader.left)
    assert (reader.left, reader.take(0)) == (0, b"")


def test_short_reads_are_put_together() -> None:
    """One read may return less than asked for, on network file systems at least."""
    content = bytes(range(100))
    assert ForwardReader(Counted(content, most=7), 100).take(100) == content


def test_little_is_read_after_a_leap() -> None:
    """Headers that lie between weights do not bring the weights along."""
    stream = Counted(bytes(10_000_000))
    reader = ForwardReader(stream, 10_000_000)
    for _ in range(90):
        reader.take(20)
        reader.skip(100_000)
    assert stream.count < 100_000


@pytest.mark.parametrize("act", ["take", "skip"])
def test_nothing_lies_behind_the_end(act: str) -> None:
    """The error says where it stood and where the file ends."""
    reader = ForwardReader(Counted(b"abc"), 3)
    reader.take(1)
    with pytest.raises(FormatFault) as caught:
        getattr(reader, act)(3)
    assert caught.value.problem == "expected 3 bytes at offset 1, but the file ends at 3"


def test_a_file_that_shrinks_meanwhile_is_cut_short() -> None:
    """Its size was asked for when it was opened."""
    with pytest.raises(FormatFault, match="expected 5 bytes at offset 0"):
        ForwardReader(Counted(b"abc"), 10).take(5)


def test_a_problem_of_any_length_fits_a_screen() -> None:
    """Names come from the file, and nobody reads a megabyte of one."""
    problem = FormatFault(problem="begin" + "x" * 1_000_000 + "end").problem
    assert len(problem) < 700
    assert (problem[:5], problem[-3:]) == ("begin", "end")
