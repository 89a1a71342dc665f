"""A host on loopback that says exactly the bytes that it was given, for the contract of transports."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Self

__all__ = ["SECONDS", "Say", "ScriptedHost", "reset", "telling", "written_answer"]

SECONDS = 20.0
"""How long a host waits for somebody before it gives up; no test takes that long."""
Say = Callable[[socket.socket], None]
"""What a host does with a connection."""


class ScriptedHost:
    """Listens on loopback, and says to each request the next of its answers, on one connection after the other.

    Args:
        answers: Bytes to send, or a function that gets the connection. An answer that is the last, or is
            followed by None, is the last on its connection.
    """

    def __init__(self, *answers: bytes | Say | None) -> None:
        self._answers = list(answers)
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        """Heads of the requests as they came."""
        self.connections = 0
        """How many connections there were."""
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/a/model.bin?token=hidden"
        """An address of this host, with something in it that nobody may show."""
        Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and end what is open."""
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            self.connections += 1
            self._open.append(connection)
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            while head := _read_head(connection):
                with self._lock:
                    self.requests.append(head)
                    answer = self._answers.pop(0) if self._answers else None
                    is_last = not self._answers or self._answers[0] is None
                    if is_last and self._answers:
                        self._answers.pop(0)
                if callable(answer):
                    answer(connection)
                elif answer is not None:
                    connection.sendall(answer)
                if is_last or answer is None:
                    break
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            connection.close()


def _read_head(connection: socket.socket) -> bytes:
    """Return the head of a request; empty where the connection ends."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        portion = connection.recv(1)
        if not portion:
            return b""
        head += portion
    return head


def written_answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    """Write an answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@contextmanager
def telling(then: Say) -> Iterator[tuple[Say, Event]]:
    """Give a script that plays *then* and waits until the test is over."""
    over = Event()

    def say(connection: socket.socket) -> None:
        then(connection)
        over.wait(SECONDS)

    try:
        yield say, over
    finally:
        over.set()


def reset(connection: socket.socket) -> None:
    """End a connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
