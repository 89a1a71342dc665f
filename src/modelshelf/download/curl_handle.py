"""One libcurl engine with its connection, driven by the thread that waits for bytes."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import pycurl

__all__ = ["CurlHandle", "CurlOverError"]


class CurlOverError(Exception):
    """The exchange ended; `code` is libcurl's, 0 for a good end."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(code)
        self.code = code
        """One of libcurl's `CURLE_…`."""
        self.words = words
        """What libcurl says; may quote addresses."""


class CurlHandle:
    """Lets libcurl work whenever somebody waits, and never longer; used by one thread, except for `wake`.

    Args:
        clock: Seconds that only ever grow.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.easy = pycurl.Curl()
        """Set its options before `begin`."""
        self.peers: set[tuple[str, str]] = set()
        """Hosts and addresses that were connected to, and checked, since it was made."""
        self._clock = clock
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._remind)
        # One connection is all that it may keep: others would be without an owner.
        self._multi.setopt(pycurl.M_MAXCONNECTS, 1)
        self._poll = select.poll()
        self._bell, self._ringer = os.pipe()
        os.set_blocking(self._ringer, False)
        self._poll.register(self._bell, select.POLLIN)
        self._made: list[socket.socket] = []
        self._due: float | None = None
        self._refused: CurlOverError | None = None
        self._is_working = self._is_closed = False

    @property
    def is_quiet(self) -> bool:
        """Libcurl itself looks whether its connection still stands."""
        return not self._is_closed

    def begin(self) -> None:
        """Start the exchange that the options describe."""
        self._refused = None
        self._multi.add_handle(self.easy)
        self._is_working = True
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def end(self) -> None:
        """Take the exchange out, finished or not, and forget its options; the connection stays if it can."""
        if self._is_working:
            self._multi.remove_handle(self.easy)
            self._is_working = False
        self.easy.reset()

    def work(self, until: float) -> None:
        """Wait for something to happen, until a moment by the clock, and let libcurl deal with it.

        Raises:
            CurlOverError: The exchange is over, well or not.
        """
        # What was done since the last time, as when a pause ended, may have been the end.
        self._look_for_the_end()
        wait = max(until - self._clock(), 0.0)
        if self._due is not None:
            wait = min(wait, max(self._due - self._clock(), 0.0))
        ready = self._poll.poll(wait * 1000)
        for descriptor, events in ready:
            if descriptor == self._bell:
                continue
            mask = pycurl.CSELECT_IN if events & (select.POLLIN | select.POLLHUP) else 0
            mask |= pycurl.CSELECT_OUT if events & select.POLLOUT else 0
            mask |= pycurl.CSELECT_ERR if events & (select.POLLERR | select.POLLNVAL) else 0
            self._act(descriptor, mask)
        if self._due is not None and self._clock() >= self._due:
            self._due = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._look_for_the_end()

    def go_on(self) -> None:
        """Let a transfer continue that a callback paused; `work` says if that was its end."""
        try:
            self.easy.pause(pycurl.PAUSE_CONT)
        except pycurl.error as error:
            # What had come meanwhile is handed to the callbacks at once, and one of them refused it.
            self._refused = CurlOverError(*error.args)
            return
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def open_socket(self, family: int, kind: int, protocol: int) -> socket.socket:
        """Make a socket for libcurl, which works with a duplicate of it."""
        self._made.append(socket.socket(family, kind, protocol))
        return self._made[-1]

    def wake(self) -> None:
        """Let a waiting `work` return at once, from any thread, and every later one too."""
        # A pipe that is full is heard as well.
        with suppress(BlockingIOError):
            os.write(self._ringer, b"!")

    def close(self) -> None:
        """End the connection."""
        if not self._is_closed:
            self._is_closed = True
            self.end()
            self.easy.close()
            self._multi.close()
            os.close(self._bell)
            os.close(self._ringer)

    def _act(self, descriptor: int, events: int) -> None:
        """Let libcurl act, and close what it has duplicates of, so that its own close ends a connection."""
        self._multi.socket_action(descriptor, events)
        while self._made:
            self._made.pop().close()

    def _look_for_the_end(self) -> None:
        """Raise how the exchange ended, if it did."""
        if self._refused is not None:
            raise self._refused
        _, good, bad = self._multi.info_read()
        for _, code, words in bad:
            raise CurlOverError(code, words)
        if good:
            raise CurlOverError(0)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        """Note which socket libcurl waits for."""
        if what == pycurl.POLL_REMOVE:
            with suppress(KeyError):
                self._poll.unregister(descriptor)
        else:
            mask = select.POLLIN if what in {pycurl.POLL_IN, pycurl.POLL_INOUT} else 0
            mask |= select.POLLOUT if what in {pycurl.POLL_OUT, pycurl.POLL_INOUT} else 0
            self._poll.register(descriptor, mask)

    def _remind(self, milliseconds: int) -> None:
        """Note when libcurl wants to be called at the latest."""
        self._due = None if milliseconds < 0 else self._clock() + milliseconds / 1000
