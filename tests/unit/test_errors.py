from __future__ import annotations

import pickle
import re

import pytest

from modelshelf import errors
from modelshelf.errors import InvalidRecordFileError, ModelshelfError, NotEnoughSpaceError

_CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", _CLASSES, ids=lambda kind: kind.code)
def test_every_error_says_what_a_face_needs(kind: type[ModelshelfError]) -> None:
    """A stable code, both statuses, a sentence, and facts that are declared."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.exit_status in {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
    assert 400 <= kind.http_status < 600
    assert kind.message
    declared = {name for one in kind.__mro__ for name in getattr(one, "__annotations__", {})}
    used = set(re.findall(r"{(\w+)", kind.message + kind.hint))
    assert used <= declared


def test_codes_are_unique() -> None:
    """A code names one kind of failure."""
    codes = [kind.code for kind in _CLASSES]
    assert len(set(codes)) == len(codes)


def test_an_error_keeps_its_facts_across_processes() -> None:
    """Pickling gives back class, sentence and facts."""
    error = NotEnoughSpaceError(path="/models", needed=10, free=3)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - it was written one line above
    assert (type(again), str(again), again.facts) == (type(error), str(error), error.facts)


@pytest.mark.parametrize(
    ("needed", "free", "said"),
    [
        (10, 1, "10 bytes needed, 1 free"),
        (0, 0, "an unknown number of bytes needed, 0 free"),
    ],
)
def test_a_full_disk_is_told_as_far_as_it_is_known(needed: int, free: int, said: str) -> None:
    """A database does not say how much it wanted to write."""
    error = NotEnoughSpaceError(path="/models", needed=needed, free=free)
    assert str(error) == f"not enough space at `/models`: {said}"


@pytest.mark.parametrize(("count", "said"), [(1, "1 mistake:"), (3, "3 mistakes:")])
def test_one_thing_is_not_called_several(count: int, said: str) -> None:
    """A number stands before its noun as people write it."""
    error = InvalidRecordFileError(path="models.yaml", count=count, problem="line 3: …")
    assert str(error) == f"`models.yaml` has {said} line 3: …"
