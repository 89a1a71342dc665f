from __future__ import annotations

from modelshelf.download.spans import Span, Spans


def test_ranges_that_touch_become_one() -> None:
    """However they come, the same bytes are the same set."""
    assert Spans([(5, 9), (0, 5), (3, 4), (12, 12)]) == Spans().add(0, 9)


def test_adding_swallows_what_lies_between() -> None:
    """One range that overlaps three leaves one."""
    assert list(Spans([(0, 2), (4, 6), (8, 10)]).add(1, 9)) == [Span(0, 10)]


def test_removing_cuts_a_range_in_two() -> None:
    """Both ends stay."""
    assert list(Spans([(0, 10)]).remove(3, 7)) == [Span(0, 3), Span(7, 10)]


def test_nothing_is_added_or_removed_by_an_empty_range() -> None:
    """Not even a range of no bytes."""
    held = Spans([(0, 10)])
    assert (held.add(20, 20), held.remove(5, 5), held.remove(7, 3)) == (held, held, held)


def test_what_is_missing_is_what_is_still_to_come() -> None:
    """Gaps, and the end; or only those behind an offset."""
    held = Spans([(2, 4), (6, 8)])
    assert list(held.missing(10)) == [Span(0, 2), Span(4, 6), Span(8, 10)]
    assert list(held.missing(10, start=3)) == [Span(4, 6), Span(8, 10)]
    assert list(held.missing(7)) == [Span(0, 2), Span(4, 6)]
    assert list(held.missing(0)) == []


def test_the_prefix_ends_at_the_first_gap() -> None:
    """It is none when the first byte is not there."""
    assert (Spans([(0, 5), (6, 9)]).prefix, Spans([(1, 5)]).prefix, Spans().prefix) == (5, 0, 0)


def test_it_tells_what_it_holds() -> None:
    """Whole ranges, their end and their number."""
    held = Spans([(0, 5), (6, 9)])
    assert [held.contains(*span) for span in [(0, 5), (1, 3), (4, 7), (5, 6), (5, 5)]] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert (held.total, held.end, len(held), Spans().end) == (8, 9, 2, 0)


def test_equal_sets_have_equal_hashes_and_unlike_things_differ() -> None:
    """A set is no tuple."""
    assert hash(Spans([(0, 1), (1, 2)])) == hash(Spans([(0, 2)]))
    assert Spans([(0, 2)]) != ((0, 2),)


def test_it_shows_its_ranges() -> None:
    """For whoever looks at a failed test."""
    assert repr(Spans([(0, 2), (4, 6)])) == "Spans((0, 2), (4, 6))"
