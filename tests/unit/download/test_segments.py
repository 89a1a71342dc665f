from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.segments import FIRST_SEGMENT, Segment, Segments

MIB = 2**20


def test_the_first_bytes_go_first() -> None:
    segments = Segments([(5 * MIB, 9 * MIB), (0, 2 * MIB)])
    first = segments.take(rate=0.0, connections=1)
    assert first is not None
    assert (first.start, first.end) == (0, 2 * MIB)


def test_an_unknown_connection_gets_the_size_of_a_first_request() -> None:
    segment = Segments([(0, 100 * MIB)]).take(rate=0.0, connections=1)
    assert segment is not None
    assert segment.left == FIRST_SEGMENT


def test_a_fast_connection_gets_more_and_never_more_than_the_largest() -> None:
    segments = Segments([(0, 10_000 * MIB)])
    slow = segments.take(rate=1e6, connections=1)
    fast = segments.take(rate=1e9, connections=1)
    assert slow is not None
    assert fast is not None
    assert (slow.left, fast.left) == (4_000_000, 256 * MIB)


def test_segments_become_short_towards_the_end() -> None:
    segments = Segments([(0, 64 * MIB)])
    lengths = []
    while (segment := segments.take(rate=1e9, connections=4, split=False)) is not None:
        lengths.append(segment.left)
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == 8 * MIB
    assert lengths[-1] <= MIB


def test_the_slowest_tail_is_split_so_that_both_end_together() -> None:
    segments = Segments([(0, 40 * MIB)])
    slow = segments.take_at(0, 40 * MIB)
    slow.rate = 1.0 * MIB
    helper = segments.take(rate=3.0 * MIB, connections=2)
    assert helper is not None
    assert (slow.end, helper.start, helper.end) == (10 * MIB, 10 * MIB, 40 * MIB)


def test_what_is_nearly_done_is_not_split() -> None:
    segments = Segments([(0, 8 * MIB)])
    segment = segments.take_at(0, 8 * MIB)
    segment.rate = 100.0 * MIB
    assert not segments.can_split
    assert segments.take(rate=100.0 * MIB, connections=2) is None


def test_what_did_not_come_is_free_again() -> None:
    segments = Segments([(0, 10)])
    segment = segments.take_at(0, 10)
    segments.advance(segment, 4)
    segments.give_back(segment)
    segments.give_back(segment)
    again = segments.take(rate=0.0, connections=1)
    assert again is not None
    assert (again.start, again.end, segments.unassigned) == (4, 10, 0)


def test_bytes_that_are_taken_are_not_given_twice() -> None:
    segments = Segments([(0, 10)])
    segments.take_at(0, 5)
    with pytest.raises(ValueError, match="3-6"):
        segments.take_at(3, 6)


SPANS = st.lists(st.integers(0, 30 * MIB), min_size=2, max_size=8, unique=True).map(sorted)
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["take", "bring", "fail"]),
        st.integers(0, 5),
        st.sampled_from([0.0, 1e5, 1e6, 1e9]),
        st.sampled_from([1, MIB // 2, 5 * MIB, 30 * MIB]),
    ),
    max_size=80,
)


@pytest.mark.property
@given(bounds=SPANS, actions=ACTIONS)
def test_every_missing_byte_comes_exactly_once_in_whatever_order_workers_end(
    bounds: list[int], actions: list[tuple[str, int, float, int]]
) -> None:
    missing = list(zip(bounds[::2], bounds[1::2], strict=False))
    segments = Segments(missing)
    working: list[Segment] = []
    came: list[tuple[int, int]] = []
    for action, who, rate, amount in actions:
        if action == "take":
            taken = segments.take(rate=rate, connections=len(working) + 1)
            if taken is not None:
                taken.rate = rate
                working.append(taken)
        elif working:
            segment = working[who % len(working)]
            if action == "bring":
                count = min(segment.left, amount)
                came.append((segment.position, segment.position + count))
                segments.advance(segment, count)
            if action == "fail" or not segment.left:
                segments.give_back(segment)
                working.remove(segment)
    for segment in working:
        segments.give_back(segment)
    while (rest := segments.take(rate=1e9, connections=1)) is not None:
        came.append((rest.start, rest.end))
        segments.advance(rest, rest.left)
        segments.finish(rest)
    assert segments.done
    assert _joined(came) == _joined(missing)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join neighbours; fails where two overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        assert not joined or joined[-1][1] <= start, "a byte came twice"
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
