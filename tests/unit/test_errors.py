from __future__ import annotations

import pickle
import re

import pytest

from modelshelf import errors
from modelshelf.errors import ModelshelfError, NotEnoughSpaceError

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
