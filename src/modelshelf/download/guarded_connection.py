"""A connection to a host, made only if its real address may be talked to, before a byte is sent."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.download.name_lookup import look_up
from modelshelf.download.origin import Origin, WebAddress, public_url
from modelshelf.download.wire import BadAnswer, SocketWire, read_head
from modelshelf.errors import ConnectionLostError, ProxyError, StalledError, TlsError
from modelshelf.protocols import Address, PeerCheck, Request

__all__ = ["Connection", "Dialer", "basic_credentials", "check_named", "words_of"]


@dataclass(slots=True, eq=False)
class Connection:
    """A socket that stands, TLS included."""

    socket: socket.socket
    """Its time-out is whoever's uses it."""
    peer: Address | None
    """Who was checked; None where a proxy stands between."""
    proxy: WebAddress | None
    """Who passes requests on in place of the host itself, address by address; None: nobody, or a tunnel."""

    @property
    def is_quiet(self) -> bool:
        """Whether the peer neither closed nor sent what nobody asked for."""
        try:
            poll = select.poll()
            poll.register(self.socket, select.POLLIN | select.POLLERR | select.POLLHUP)
            return not poll.poll(0)
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """End it."""
        self.socket.close()


class Dialer:
    """Makes connections, directly or through a proxy.

    Args:
        tls: What proves a host; None trusts no host over https.
        clock: Seconds that only ever grow.
    """

    def __init__(self, tls: ssl.SSLContext, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tls = tls
        self._clock = clock

    def connect(self, request: Request, origin: Origin, proxy: str | None) -> Connection:
        """Connect to *origin*, within the time-out of *request*.

        Args:
            request: Whose check is asked as soon as the peer is known, before TLS.
            origin: The host to talk to.
            proxy: Through whom; its own address is not checked, as the user named it.

        Raises:
            ConnectionLostError: The name is unknown, or nobody answers.
            StalledError: The handshake came to no end.
            TlsError: The host cannot prove who it is.
            ProxyError: The proxy is not there, refuses, or is of a kind that is not spoken.
            ForbiddenAddressError: The check refused.
        """
        deadline = self._clock() + request.connect_timeout
        url = public_url(request.url)
        middle = None if proxy is None else _proxy_address(url, proxy)
        if middle is None:
            sock = self._reach(url, origin.host, origin.port, deadline)
        else:
            try:
                sock = self._reach(url, middle.origin.host, middle.origin.port, deadline)
            except ConnectionLostError as error:
                raise ProxyError(url=url, reason=error.reason) from None
        try:
            peer = None if middle else str(sock.getpeername()[0])
            if peer is not None and request.check_peer is not None:
                request.check_peer(origin.host, peer)
            if origin.scheme == "http":
                return Connection(sock, peer, middle)
            if middle is not None:
                self._tunnel(url, sock, origin, middle, deadline)
            return Connection(self._secure(url, sock, origin.host, deadline), peer, None)
        except BaseException:
            sock.close()
            raise

    def _reach(self, url: str, host: str, port: int, deadline: float) -> socket.socket:
        """Connect to the first address of a host that answers; each gets its share of the time."""
        try:
            found = look_up(host, port, seconds=deadline - self._clock())
        except (OSError, UnicodeError) as error:
            raise ConnectionLostError(url=url, reason=words_of(error)) from None
        reason = "it has no address"
        for number, (family, kind, protocol, _, address) in enumerate(found):
            share = (deadline - self._clock()) / (len(found) - number)
            if share <= 0:
                break
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(share)
                sock.connect(address)
            except OSError as error:
                sock.close()
                reason = words_of(error)
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise ConnectionLostError(url=url, reason=reason)

    def _tunnel(
        self, url: str, sock: socket.socket, origin: Origin, proxy: WebAddress, deadline: float
    ) -> None:
        """Ask a proxy to pass bytes on to the host, unread."""
        where = f"{origin.bracketed_host}:{origin.port}"
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
        if proxy.user is not None:
            lines.append(f"Proxy-Authorization: {basic_credentials(proxy.user)}")
        wire = SocketWire(sock, clock=self._clock)
        wire.deadline = deadline
        reason = None
        try:
            sock.settimeout(max(deadline - self._clock(), 0.001))
            sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
            status = read_head(wire).status
            if status // 100 != 2:  # noqa: PLR2004 - success is 2xx
                reason = f"status {status}"
        except (OSError, EOFError) as error:
            reason = words_of(error)
        except BadAnswer as error:
            reason = str(error)
        if reason is not None:
            raise ProxyError(url=url, reason=reason)

    def _secure(self, url: str, sock: socket.socket, host: str, deadline: float) -> ssl.SSLSocket:
        """Shake hands; what the host shows must be for its name."""
        failure: ConnectionLostError | TlsError
        try:
            sock.settimeout(max(deadline - self._clock(), 0.001))
            # An end without a farewell may be anybody's doing, and must not pass for the end of a file.
            return self._tls.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except ssl.SSLCertVerificationError as error:
            failure = TlsError(url=url, reason=error.verify_message or "the certificate is wrong")
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            failure = ConnectionLostError(url=url, reason="it closed during the handshake")
        except ssl.SSLError as error:
            failure = TlsError(url=url, reason=(error.reason or "the handshake failed").lower())
        except TimeoutError:
            failure = StalledError(url=url, reason="the whole handshake")
        except (OSError, ValueError) as error:
            failure = ConnectionLostError(url=url, reason=words_of(error))
        raise failure


def check_named(check: PeerCheck, host: str) -> None:
    """Check a host that somebody else will connect to: its literal address, or those its name has here.

    A name that is unknown here passes: behind some proxies no outer name is known.

    Raises:
        ForbiddenAddressError: One of them may not be talked to.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, address in found:
        check(host, str(address[0]))


def basic_credentials(user: str) -> str:
    """Return the value of a header that names *user*, given as `name:password` (RFC 7617)."""
    pair = user if ":" in user else f"{user}:"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def words_of(error: BaseException) -> str:
    """Say what the system said, without addresses: the texts of libraries quote them, secrets included."""
    if isinstance(error, TimeoutError):
        return "nobody answered in time"
    if isinstance(error, EOFError):
        return "the connection ended too early"
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved ({error.strerror or 'unknown'})"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror[0].lower()}{error.strerror[1:]}"
    return "the connection broke"


def _proxy_address(url: str, proxy: str) -> WebAddress:
    """Read the address of a proxy that can be spoken to."""
    try:
        address = WebAddress.parse(proxy)
    except ValueError:
        reason = "its address is no http address"
        raise ProxyError(url=url, reason=reason) from None
    if address.origin.scheme != "http":
        reason = "only proxies that are reached over http are spoken to"
        raise ProxyError(url=url, reason=reason)
    return address
