"""The promise of `test_crashes`, for checkpoints: in a file of its own, so that both run side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault.crash_loop import CHECKPOINT_USE_CASES
from tests.fault.test_crashes import kill_at_every_operation

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("use_case", CHECKPOINT_USE_CASES)
def test_a_kill_at_any_operation_leaves_the_old_library_or_the_new_one(
    use_case: str, tmp_path: Path
) -> None:
    """A checkpoint is converted and registered whole, or not there; what is there comes back."""
    kill_at_every_operation(use_case, tmp_path)
