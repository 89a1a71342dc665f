"""Keeping a library's debug log from writing down what an address says behind its question mark."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

__all__ = ["discreet_logging"]

_TALKATIVE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
_QUERY = re.compile(r"\?[^\s\"'<>]*")


class _WithoutQueries(logging.Filter):
    """Takes queries out of what one thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its arguments made harmless."""
        if get_ident() == self._thread and isinstance(record.args, tuple):
            record.args = tuple(_harmless(one) for one in record.args)
        return True


@contextmanager
def discreet_logging() -> Iterator[None]:
    """Let urllib3 log requests of this thread without their queries, where tokens and signatures travel.

    A session that was handed in asks through urllib3, which logs each request line at the level DEBUG. Levels,
    handlers and what other threads log are not touched, and nothing of this stays.

    Example:
        >>> with discreet_logging():
        ...     logging.getLogger("urllib3.connectionpool").debug("GET %s", "/a?token=hidden")
    """
    talkers = [logging.getLogger(name) for name in _TALKATIVE]
    quiet = _WithoutQueries()
    for talker in talkers:
        talker.addFilter(quiet)
    try:
        yield
    finally:
        for talker in talkers:
            talker.removeFilter(quiet)


def _harmless(argument: object) -> object:
    """Return what may be logged in place of an argument."""
    if isinstance(argument, (int, float)) or argument is None:
        return argument
    text = str(argument)
    return _QUERY.sub("?…", text) if "?" in text else argument
