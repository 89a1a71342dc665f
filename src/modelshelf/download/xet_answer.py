"""A range that comes out of Xet, as an answer over HTTP would bring it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import MappingProxyType
from typing import Protocol

from modelshelf.download.answer_head import ContentRange
from modelshelf.download.origin import public_url
from modelshelf.errors import ConnectionLostError, StalledError
from modelshelf.protocols import Request

__all__ = ["XetAnswer"]

_WAITING = 4
"""Pieces that have come and were not asked for yet."""


class _Stream(Protocol):
    def __next__(self) -> bytes: ...


class XetAnswer:
    """A range of a file, as an answer over HTTP would bring it."""

    def __init__(
        self,
        request: Request,
        held: ContentRange,
        version: str,
        stream: _Stream,
        *,
        end: Callable[[], object],
        give_up: Callable[[], None],
    ) -> None:
        """Begin to read.

        Args:
            request: What was asked.
            held: Which bytes come.
            version: The hash of the whole content.
            stream: Brings them.
            end: Makes a thread that waits for the stream go on.
            give_up: Told when the stream failed.
        """
        self._url = request.url
        self._stream = stream
        self._end = end
        self._give_up = give_up
        self._timeout = request.read_timeout
        self._rest = memoryview(b"")
        self._left = held.end - held.start
        # The library waits as long as it likes, so a thread of its own waits for it.
        self._came: Queue[bytes | Exception | None] = Queue(_WAITING)
        self._is_over = Event()
        self._headers = MappingProxyType(
            {
                "content-range": f"bytes {held.start}-{held.end - 1}/{held.total}",
                "content-length": str(self._left),
                "content-type": "application/octet-stream",
                "accept-ranges": "bytes",
                # The content's own hash: two answers with the same one are of the same bytes.
                "etag": f'"{version}"',
            }
        )
        Thread(target=self._read, name="modelshelf-xet", daemon=True).start()

    @property
    def url(self) -> str:
        """The URL that was asked."""
        return self._url

    @property
    def status(self) -> int:
        """Always a range."""
        return 206

    @property
    def headers(self) -> Mapping[str, str]:
        """As the file host would send them."""
        return self._headers

    def read_into(self, buffer: memoryview) -> int:
        """Wait for the next bytes; see `protocols.Answer`."""
        if not self._left:
            return 0
        if not self._rest:
            self._rest = memoryview(self._next())
        length = min(len(buffer), len(self._rest), self._left)
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        self._left -= length
        return length

    def abort(self) -> None:
        """Make a `read_into` that waits in another thread fail."""
        self._finish()
        with suppress(Full):
            self._came.put_nowait(ConnectionError("it was broken off"))

    def close(self) -> None:
        """Let go of what was not read."""
        self._finish()
        self._rest = memoryview(b"")

    def _finish(self) -> None:
        self._is_over.set()
        # The library may find that it has ended already.
        with suppress(Exception):
            self._end()

    def _next(self) -> bytes:
        try:
            came = self._came.get(timeout=self._timeout)
        except Empty:
            self._give_up()
            raise StalledError(
                url=public_url(self._url), reason=f"{self._timeout:g} seconds"
            ) from None
        if isinstance(came, bytes):
            return came
        if not self._is_over.is_set():
            self._give_up()
        reason = str(came) if came else f"it ended {self._left} bytes too early"
        raise ConnectionLostError(url=public_url(self._url), reason=reason) from came

    def _read(self) -> None:
        """Hand on what comes, until it ends or nobody wants it."""
        try:
            while not self._is_over.is_set():
                piece = next(self._stream)
                if piece:
                    self._hand_on(piece)
        except StopIteration:
            self._hand_on(None)
        except Exception as error:  # noqa: BLE001 - whatever the library calls it
            self._hand_on(error)

    def _hand_on(self, piece: bytes | Exception | None) -> None:
        while not self._is_over.is_set():
            with suppress(Full):
                self._came.put(piece, timeout=1)
                return
