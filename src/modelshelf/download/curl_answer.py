"""One exchange over libcurl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

import pycurl

from modelshelf.download.answer_head import content_length
from modelshelf.download.curl_handle import CurlHandle, CurlOverError
from modelshelf.download.origin import WebAddress
from modelshelf.download.wire import LARGEST_HEAD, MOST_HEADERS, BadAnswer, Head, read_head
from modelshelf.errors import (
    ConnectionLostError,
    DownloadError,
    InvalidAnswerError,
    ProxyError,
    StalledError,
    TlsError,
)
from modelshelf.protocols import Request

__all__ = ["CurlAnswer"]

_BUFFER = 512 * 1024
_GRACE = 1.0
_TLS = frozenset({51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98})
_HANDSHAKE, _PROXIES, _ODD = 35, frozenset({5, 97}), frozenset({8, 100})
_UNREACHED = frozenset({7, 56})
_WORDS = {
    1: "what came is no HTTP",
    6: "its name cannot be resolved",
    7: "nobody answered",
    18: "the connection ended too early",
    28: "nobody answered in time",
    52: "the connection ended too early",
}


class CurlAnswer:
    """See `protocols.Answer`."""

    status: int

    def __init__(
        self,
        handle: CurlHandle,
        request: Request,
        address: WebAddress,
        give_back: Callable[[CurlHandle], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        self.url = request.url
        self._handle = handle
        self._request = request
        self._address = address
        self._give_back = give_back
        self._clock = clock
        self._lines: list[bytes] = []
        self._room = LARGEST_HEAD
        self._head: Head | None = None
        self._is_flood = False
        self._is_tunnelled = False
        self._refused: BaseException | None = None
        self._target = memoryview(b"")
        self._filled = 0
        self._held = bytearray()
        self._is_paused = self._is_over = self._is_aborted = self._is_closed = False
        self._is_proxied = self._is_asked = False
        self._heard = clock()
        self._lock = Lock()

    def begin(self, *, is_proxied: bool) -> None:
        """Send the request and wait for the head."""
        easy, request = self._handle.easy, self._request
        easy.setopt(pycurl.URL, str(self._address))
        easy.setopt(pycurl.PATH_AS_IS, 1)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(request.connect_timeout * 1000), 1))
        easy.setopt(pycurl.BUFFERSIZE, _BUFFER)
        easy.setopt(pycurl.HEADERFUNCTION, self._take_line)
        easy.setopt(pycurl.WRITEFUNCTION, self._take_bytes)
        easy.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self._is_proxied = is_proxied
        self._handle.begin()
        deadline = self._clock() + request.connect_timeout + 2 * request.read_timeout
        while self._head is None:
            self._work(min(deadline, self._silence_ends()))
        self.status, self.headers = self._head.status, self._head.headers
        try:
            content_length(self.headers)
        except ValueError as error:
            raise InvalidAnswerError(url=self._address.public, reason=str(error)) from None
        coding = self.headers.get("transfer-encoding", "chunked").strip().lower()
        if coding != "chunked":
            reason = f"the transfer coding {coding[:40]!r}"
            raise InvalidAnswerError(url=self._address.public, reason=reason)

    def read_into(self, buffer: memoryview) -> int:
        """See `protocols.Answer`."""
        self._target, self._filled = buffer, 0
        if self._held:
            self._filled = min(len(buffer), len(self._held))
            buffer[: self._filled] = self._held[: self._filled]
            del self._held[: self._filled]
        try:
            self._heard = self._clock()
            if self._is_paused and not self._filled:
                self._is_paused = False
                self._handle.go_on()
            while not self._filled and not self._is_over:
                self._work(self._silence_ends())
        finally:
            self._target = memoryview(b"")
        if self._is_aborted:
            raise ConnectionLostError(url=self._address.public, reason="it was broken off")
        return self._filled

    def abort(self) -> None:
        """See `protocols.Answer`."""
        with self._lock:
            self._is_aborted = True
            if not self._is_closed:
                self._handle.wake()

    def close(self) -> None:
        """See `protocols.Answer`."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if self._is_over and not self._is_aborted and not self._held:
            self._handle.end()
            self._give_back(self._handle)
        else:
            self._handle.close()

    def drop(self) -> None:
        """Close without a second use."""
        with self._lock:
            self._is_closed = True
        self._handle.close()

    def _silence_ends(self) -> float:
        """Return when waiting ends if nothing comes."""
        if not self._is_asked:
            # Libcurl itself limits how long a connection takes.
            if not self._handle.easy.getinfo(pycurl.PRETRANSFER_TIME):
                return self._heard + self._request.connect_timeout + _GRACE
            self._is_asked, self._heard = True, self._clock()
        return self._heard + self._request.read_timeout

    def _work(self, until: float) -> None:
        """Let libcurl work once, and say what went wrong as a transport does."""
        failure: BaseException | None = None
        try:
            self._handle.work(until)
        except CurlOverError as over:
            self._is_over = True
            failure = self._failure(over)
        if self._refused is not None:
            failure = self._refused
        elif failure is None and self._is_aborted:
            failure = ConnectionLostError(url=self._address.public, reason="it was broken off")
        elif failure is None and not self._is_over and self._clock() >= until and not self._filled:
            seconds = f"{self._request.read_timeout:g} seconds"
            failure = StalledError(url=self._address.public, reason=seconds)
        if failure is not None:
            raise failure

    def _failure(self, over: CurlOverError) -> DownloadError | None:
        """Return what the end of an exchange means; None: it was a good one."""
        url, code = self._address.public, over.code
        reason = _WORDS.get(code, "the connection broke")
        error: DownloadError | None = None
        if self._is_flood:
            reason = (
                f"more than {MOST_HEADERS} header lines, or more than {LARGEST_HEAD} bytes of them"
            )
            error = InvalidAnswerError(url=url, reason=reason)
        elif code == 0:
            if self._head is None:
                error = ConnectionLostError(url=url, reason="what came is no HTTP")
        elif code in _ODD:
            error = InvalidAnswerError(url=url, reason="a head that cannot be")
        elif code in _PROXIES or (self._is_proxied and self._head is None and code in _UNREACHED):
            error = ProxyError(url=url, reason="it refused, or is not there")
        elif code in _TLS or (code == _HANDSHAKE and not _is_hang_up(over.words)):
            error = TlsError(url=url, reason="the handshake failed, or the certificate is wrong")
        else:
            error = ConnectionLostError(url=url, reason=reason)
        return error

    def _take_line(self, line: bytes) -> int | None:
        """Take a line of a head, of an interim or of the final answer."""
        self._heard = self._clock()
        self._room -= len(line)
        self._lines.append(line)
        if self._room < 0 or len(self._lines) > MOST_HEADERS + 2:
            self._is_flood = True
            return -1
        if line not in {b"\r\n", b"\n"} or self._head is not None:
            return None
        lines, self._lines = self._lines, []
        if self._is_tunnelled:
            # The first head is the proxy's, which opened the tunnel.
            self._is_tunnelled = False
            return None
        try:
            self._head = read_head(_Lines(lines))
        except EOFError:
            return None
        except (BadAnswer, OSError) as error:
            self._refused = InvalidAnswerError(url=self._address.public, reason=str(error))
            return -1
        return None

    def _take_bytes(self, portion: bytes) -> int | None:
        """Put bytes of the body where they are wanted, and pause libcurl where they are not yet."""
        self._heard = self._clock()
        room = len(self._target) - self._filled
        if room == 0:
            self._is_paused = True
            return int(pycurl.WRITEFUNC_PAUSE)
        count = min(room, len(portion))
        self._target[self._filled : self._filled + count] = portion[:count]
        self._filled += count
        self._held += portion[count:]
        return None

    def _open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> object:
        """Make a socket for libcurl, if who it is for may be talked to."""
        family, kind, protocol, place = address
        host = self._address.origin.host
        if not self._is_proxied and self._request.check_peer is not None:
            try:
                self._request.check_peer(host, place[0])
            except Exception as error:  # noqa: BLE001 - libcurl would swallow it: it is raised afterwards
                self._refused = error
                return pycurl.SOCKET_BAD
        self._is_tunnelled = self._is_proxied and self._address.origin.scheme == "https"
        self._handle.peers.add((host, place[0]))
        return self._handle.open_socket(family, kind, protocol)


class _Lines:
    """A head that is already here, to be read as from a wire."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines: Iterator[bytes] = iter(lines)

    def line(self, longest: int) -> bytes:
        """See `Wire`."""
        del longest
        line = next(self._lines, None)
        if line is None:
            raise EOFError
        return line

    def read_into(self, buffer: memoryview, most: int) -> int:
        """See `Wire`; there is no body here."""
        del buffer, most
        return 0


def _is_hang_up(words: str) -> bool:
    """Tell whether a handshake ended because the peer went away."""
    return any(part in words.lower() for part in ("reset", "eof", "syscall", "closed"))
