from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.patience import Patience


@pytest.mark.property
@given(attempt=st.integers(1, 10_000), seed=st.integers())
def test_a_pause_is_between_half_of_the_doubled_one_and_the_cap(attempt: int, seed: int) -> None:
    patience = Patience(first_pause=0.5, longest_pause=30.0)
    whole = min(30.0, 0.5 * 2.0 ** min(attempt - 1, 60))
    assert whole / 2 <= patience.pause_before(attempt, Random(seed)) <= whole  # noqa: S311 - no secret


def test_no_pause_is_possible() -> None:
    assert Patience(first_pause=0.0).pause_before(3, Random(1)) == 0.0  # noqa: S311 - no secret
