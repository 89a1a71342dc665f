"""Several items in one command: each on its own, and one exit status that tells how it went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modelshelf.cli.failure import describe, report
from modelshelf.cli.session import Session
from modelshelf.errors import ModelshelfError

__all__ = ["Batch"]

_SOME_FAILED = 3


class Batch:
    """Runs items one after another; one that fails does not stop the next.

    Example:
        >>> batch = Batch(Session(json=True))
        >>> with batch.item("a"):
        ...     pass
        >>> batch.status
        0
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._errors: list[tuple[str, ModelshelfError]] = []
        self._done = 0

    @contextmanager
    def item(self, name: str) -> Iterator[None]:
        """Do one item inside; what modelshelf foresaw is told and remembered, nothing else."""
        before = len(self._errors)
        with self.search(name):
            yield
        self._done += len(self._errors) == before

    @contextmanager
    def search(self, name: str) -> Iterator[None]:
        """Look for items inside: to fail is a failure, to succeed is nothing done yet."""
        try:
            yield
        except ModelshelfError as error:
            report(self._session, error)
            self._errors.append((name, error))

    def take(self, name: str, error: ModelshelfError | None, *, tell: bool = True) -> None:
        """Take an item that was done elsewhere.

        Args:
            name: What it is called.
            error: How it failed; None where it did not.
            tell: False where the failure is shown as data.
        """
        if error is None:
            self._done += 1
            return
        if tell:
            report(self._session, error)
        self._errors.append((name, error))

    @property
    def failed(self) -> list[dict[str, object]]:
        """What failed, for the JSON document."""
        return [{"item": name, **describe(error)} for name, error in self._errors]

    @property
    def status(self) -> int:
        """0 all done, 3 some, the items' own status where none was done and all failed alike."""
        statuses = {error.exit_status for _, error in self._errors}
        if not statuses:
            return 0
        if self._done:
            return _SOME_FAILED
        return statuses.pop() if len(statuses) == 1 else 1
