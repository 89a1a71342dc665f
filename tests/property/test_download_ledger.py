"""A ledger says of a byte that it is there when, and only when, it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.spans import Spans

pytestmark = pytest.mark.property

RANGES = st.tuples(st.integers(0, 40), st.integers(0, 40))
STEPS = st.lists(st.tuples(st.booleans(), RANGES), max_size=20)


class TestSpans:
    """A set of ranges behaves as the set of its bytes."""

    @given(STEPS, RANGES)
    def test_it_equals_a_plain_set(
        self, steps: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]
    ) -> None:
        """After any additions and removals, whatever is asked."""
        spans, plain = Spans(), set[int]()
        for adding, (start, end) in steps:
            changed = spans.add(start, end) if adding else spans.remove(start, end)
            again = changed.add(start, end) if adding else changed.remove(start, end)
            plain = plain | set(range(start, end)) if adding else plain - set(range(start, end))
            assert changed == again
            spans = changed
        ranges = list(spans)
        assert {byte for span in ranges for byte in range(*span)} == plain
        assert all(one.end < other.start for one, other in pairwise(ranges))
        assert spans == Spans(ranges)
        assert (spans.total, spans.end) == (len(plain), max(plain, default=-1) + 1)
        assert spans.prefix == next(byte for byte in range(42) if byte not in plain)
        assert spans.contains(*asked) == (set(range(*asked)) <= plain)
        missing = {byte for span in spans.missing(asked[1], asked[0]) for byte in range(*span)}
        assert missing == set(range(*asked)) - plain
