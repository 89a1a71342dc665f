from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.damage import rounds
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.fault

ROUNDS = 300


@pytest.mark.parametrize("name", TARGETS)
def test_damage_is_one_typed_error_or_a_possible_answer(tmp_path: Path, name: str) -> None:
    """A few hundred rounds from a fixed seed; `python -m tests.fuzz` runs as many as there is time."""
    outcomes = list(islice(rounds(TARGETS[name], tmp_path, seed=20), ROUNDS))
    assert len(outcomes) == ROUNDS
    # Damage that nothing survives, or that everything does, would test nothing.
    assert 0 < sum(outcomes) < ROUNDS
