"""One exchange over HTTP: a request goes out, an answer's head comes back, its body is read when wanted.

A transport follows no redirect, decodes nothing, repeats nothing and knows no secrets of its own. All of
that is decided above it, once, so that every transport behaves alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Address", "Answer", "PeerCheck", "Request", "Transport"]

Address = str
"""The numeric address of a connected peer, such as `192.0.2.7` or `2001:db8::7`."""


class PeerCheck(Protocol):
    """Decides whether a connected peer may be talked to."""

    def __call__(self, host: str, address: Address) -> None:
        """Return when it may be.

        Args:
            host: The name that the URL gave.
            address: Who really answered the connection.

        Raises:
            ForbiddenAddressError: It may not be; nothing was sent to it.
        """


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. The method is GET: some hosts sign their addresses for nothing else."""

    url: str
    """Absolute, `http` or `https`, without user information and fragment."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """All headers except Host and Connection. May hold a secret, so it is not shown."""
    connect_timeout: float = 10.0
    """Seconds until the connection must stand, TLS included."""
    read_timeout: float = 15.0
    """Seconds without any byte after which a read fails with `StalledError`."""
    check_peer: PeerCheck | None = None
    """Asked after connecting and before anything is sent; None lets everybody pass."""
    is_foreign: bool = False
    """Whether this is another origin than the order's: what a session would send by itself stays at home."""


class Answer(Protocol):
    """The head of an answer, and its body as it comes in. Used by one thread, except for `abort`."""

    @property
    def url(self) -> str:
        """The URL that was asked."""

    @property
    def status(self) -> int:
        """The three digits, 200 to 599; interim answers are never seen."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case; a name that came twice has its values joined by `, `."""

    def read_into(self, buffer: memoryview) -> int:
        """Wait for the next bytes of the body, exactly as they were sent, and put them into *buffer*.

        Returns:
            How many there were, 1 to `len(buffer)`; 0 at the end of the body. Where a length was announced
            the end comes after that many bytes, and what the peer sends beyond them is not read.

        Raises:
            ConnectionLostError: The connection broke, or ended before the announced length or the last chunk.
            StalledError: No byte came for `read_timeout` seconds.
        """

    def abort(self) -> None:
        """Make a `read_into` that waits in another thread fail at once, with `ConnectionLostError`."""

    def close(self) -> None:
        """Let go of the connection; one whose body was read to its end may serve another request."""


class Transport(Protocol):
    """Opens exchanges, from any number of threads at once."""

    def open(self, request: Request) -> Answer:
        """Send *request* and wait for the head of the answer.

        Raises:
            ConnectionLostError: Nobody answered, the name is unknown, the connection broke, or what came is no
                HTTP. Trying again may help.
            StalledError: The peer was silent for too long. Trying again may help.
            TlsError: The certificate or the handshake is wrong; trying again does not help.
            ProxyError: The proxy refused, or is not there; trying again does not help.
            InvalidAnswerError: The head is larger than 64 KiB or 100 lines, or breaks the protocol.
            ForbiddenAddressError: `check_peer` refused.
        """

    def close(self) -> None:
        """Close idle connections; exchanges that are open may end."""
