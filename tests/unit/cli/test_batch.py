from __future__ import annotations

import json

import pytest

from modelshelf.cli.batch import Batch
from modelshelf.cli.session import Session
from modelshelf.errors import (
    ModelshelfError,
    SourceNotFoundError,
    StoreBusyError,
    UnknownModelException,
)


def batch_of(*errors: ModelshelfError | None) -> Batch:
    batch = Batch(Session())
    for place, error in enumerate(errors):
        with batch.item(f"item {place}"):
            if error is not None:
                raise error
    return batch


def fail(error: Exception) -> None:
    raise error


MISSING = SourceNotFoundError(path="/nowhere")
UNKNOWN = UnknownModelException(wanted="nobody")
BUSY = StoreBusyError(what="models.db")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((), 0),
        ((None, None), 0),
        ((None, MISSING), 3),
        ((MISSING,), 4),
        ((MISSING, UNKNOWN), 4),
        ((MISSING, BUSY), 1),
    ],
)
def test_one_status_tells_how_a_batch_went(
    errors: tuple[ModelshelfError | None, ...], expected: int
) -> None:
    """3 where some were done; the common status where none was."""
    assert batch_of(*errors).status == expected


def test_a_search_that_finds_is_not_yet_a_success() -> None:
    """Looking through one folder and failing at the next is a failure, not half a success."""
    batch = Batch(Session())
    with batch.search("a"):
        pass
    with batch.search("b"):
        fail(MISSING)
    assert batch.status == 4


def test_what_failed_carries_its_own_code() -> None:
    """Each item of the JSON document says which it is and why."""
    assert [(each["item"], each["code"]) for each in batch_of(None, MISSING).failed] == [
        ("item 1", "source-not-found")
    ]


def test_what_nobody_foresaw_is_not_swallowed() -> None:
    """A bug ends the run with its own words."""
    with pytest.raises(ZeroDivisionError), Batch(Session()).item("x"):
        fail(ZeroDivisionError())


def test_failures_are_json_lines_where_the_document_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads stdout can read stderr too."""
    with Batch(Session(json=True)).item("x"):
        fail(UNKNOWN)
    assert json.loads(capsys.readouterr().err) == {
        "type": "error",
        "code": "model-unknown",
        "exit": 4,
        "message": "no model is called `nobody`",
        "hint": UNKNOWN.advice,
    }


def test_items_that_were_done_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """They count as all others do; a failure that is shown as data is not told twice."""
    batch = Batch(Session())
    batch.take("a", None)
    batch.take("b", MISSING, tell=False)
    assert (batch.status, capsys.readouterr().err) == (3, "")
    batch.take("c", MISSING)
    assert "nothing exists at `/nowhere`" in capsys.readouterr().err
    assert [one["item"] for one in batch.failed] == ["b", "c"]
