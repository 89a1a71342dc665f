"""Looking up the addresses of a name, within a time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

__all__ = ["AddressInfo", "look_up"]

AddressInfo: TypeAlias = tuple[int, int, int, str, Any]
"""What `socket.getaddrinfo` returns of one address."""

_Ask = Callable[..., Sequence[AddressInfo]]


def look_up(
    host: str, port: int, *, seconds: float, ask: _Ask = socket.getaddrinfo
) -> Sequence[AddressInfo]:
    """Return the addresses of *host* for a stream to *port*.

    The system's resolver cannot be broken off and tries many servers many times, each with a time-out of its
    own. So it is asked in a thread, which is left to itself once it took too long. An address needs no thread.

    Args:
        host: A name, or an address.
        port: Which port.
        seconds: The longest to wait.
        ask: The resolver.

    Raises:
        TimeoutError: It took too long.
        OSError: The name is unknown, or nobody can be asked.
        UnicodeError: It can be no name.

    Example:
        >>> [(*_, address)] = look_up("127.0.0.1", 80, seconds=1.0)
        >>> address
        ('127.0.0.1', 80)
    """
    try:
        return ask(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    answers: SimpleQueue[Sequence[AddressInfo] | OSError | UnicodeError] = SimpleQueue()

    def find() -> None:
        try:
            answers.put(ask(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=find, name="modelshelf-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, seconds))
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, (OSError, UnicodeError)):
        raise answer
    return answer
