"""Xet: files that Hugging Face keeps in chunks, fetched through `hf_xet` where that is installed.

A hub that has a file in Xet says so on the answer that redirects to it: `X-Xet-Hash`, and where to get a
token to read with. This transport remembers that, and when the address that the redirect named is asked for
a range, the bytes come out of Xet. Everything above sees ranges as ever: the ledger, resuming, digests.

Source: https://huggingface.co/docs/hub/storage-backends and https://huggingface.co/docs/xet.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urljoin

from modelshelf.download.answer_head import ContentRange
from modelshelf.download.origin import Origin, WebAddress, public_url
from modelshelf.errors import ConnectionLostError, StalledError
from modelshelf.protocols import Answer, Request, Transport

__all__ = ["XetTransport", "has_xet"]

_HASH = re.compile(r"[0-9a-f]{64}")
_LINK = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="?xet-auth"?')
_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})")
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOST_KNOWN = 10_000
"""Addresses that are remembered; a repository has fewer files, and each is asked for soon."""
_LONGEST_ANSWER = 64 * 1024
_WAITING = 4
"""Pieces that have come and were not asked for yet."""


def has_xet() -> bool:
    """Say whether `hf_xet` is installed, in a version that can stream."""
    if find_spec("hf_xet") is None:
        return False
    import hf_xet  # type: ignore[import-untyped]  # noqa: PLC0415 - only where it is there

    return hasattr(hf_xet, "XetSession")


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file in Xet."""

    hash: str
    size: int
    authorize: str
    """Where to get a token, at the hub's own origin."""
    headers: Mapping[str, str]
    """What opened the redirect, and opens that."""


class _Stream(Protocol):
    def __next__(self) -> bytes: ...
    def cancel(self) -> object: ...


class XetTransport:
    """Passes everything on to another transport but ranges of files that are in Xet."""

    def __init__(self, inner: Transport) -> None:
        """Hold the transport for everything else.

        Args:
            inner: Asks; closed with this one.
        """
        self._inner = inner
        self._lock = Lock()
        self._known: OrderedDict[str, _Stored] = OrderedDict()
        self._groups: dict[str, Any] = {}
        self._given_up: set[str] = set()
        self._session: Any = None

    def open(self, request: Request) -> Answer:
        """Send *request*; see `protocols.Transport`."""
        stored = self._known.get(request.url)
        wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
        if stored is not None and wanted is not None:
            start, last = int(wanted[1]), min(int(wanted[2]), stored.size - 1)
            answer = self._open_stored(request, stored, start, last) if start <= last else None
            if answer is not None:
                return answer
        answer = self._inner.open(request)
        self._remember(request, answer)
        return answer

    def close(self) -> None:
        """Close connections; streams that are open may end."""
        with self._lock:
            groups, self._groups = list(self._groups.values()), {}
        for group in groups:
            group.abort()
        self._inner.close()

    def _remember(self, request: Request, answer: Answer) -> None:
        said = answer.headers
        hash_, size = said.get("x-xet-hash", ""), said.get("x-linked-size", "")
        link, location = _LINK.search(said.get("link", "")), said.get("location", "")
        if answer.status not in _MOVED or not location or link is None:
            return
        authorize = urljoin(request.url, link[1])
        if (
            not _HASH.fullmatch(hash_)
            or hash_ in self._given_up
            or not size.isdecimal()
            or int(size) == 0
        ):
            return
        if Origin.of(authorize) != Origin.of(request.url):
            # The hub's token would go there.
            return
        headers = {name: text for name, text in request.headers.items() if name != "Range"}
        try:
            # As whoever follows the redirect will write it.
            target = str(WebAddress.parse(urljoin(request.url, location.strip())))
        except ValueError:
            return
        with self._lock:
            self._known[target] = _Stored(hash_, int(size), authorize, headers)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)

    def _open_stored(
        self, request: Request, stored: _Stored, start: int, last: int
    ) -> Answer | None:
        """Open a range; None where Xet does not give it, and the address itself is asked."""
        import hf_xet  # noqa: PLC0415 - whoever made this transport has it

        try:
            group = self._group(stored, request)
            info = hf_xet.XetFileInfo(stored.hash, stored.size)
            stream = group.download_stream(info, start=start, end=last + 1)
        except Exception:  # noqa: BLE001 - the library's errors are of many kinds, and the address remains
            self._forget(request.url)
            return None
        held = ContentRange(start, last + 1, stored.size)
        return _XetAnswer(request, stored, held, stream, partial(self._forget, request.url))

    def _group(self, stored: _Stored, request: Request) -> Any:  # noqa: ANN401 - of a library without types
        """Return the connections for one token; a token is for all files of a commit."""
        with self._lock:
            if stored.authorize in self._groups:
                return self._groups[stored.authorize]
        import hf_xet  # noqa: PLC0415 - see above

        access = self._authorize(stored, request)
        with self._lock:
            self._session = self._session or hf_xet.XetSession()
            group = self._session.new_download_stream_group(
                endpoint=access["casUrl"],
                token=access["accessToken"],
                token_expiry_unix_secs=int(access["exp"]),
                token_refresh_url=stored.authorize,
                token_refresh_headers=dict(stored.headers),
            )
            return self._groups.setdefault(stored.authorize, group)

    def _authorize(self, stored: _Stored, request: Request) -> Mapping[str, Any]:
        asked = replace(request, url=stored.authorize, headers=stored.headers, is_foreign=False)
        answer = self._inner.open(asked)
        try:
            content = bytearray()
            buffer = memoryview(bytearray(_LONGEST_ANSWER))
            while (length := answer.read_into(buffer)) and len(content) < _LONGEST_ANSWER:
                content += buffer[:length]
            said: Mapping[str, Any] = json.loads(content)
        finally:
            answer.close()
        return said

    def _forget(self, url: str) -> None:
        """Ask the address itself from now on, for as long as this transport lives."""
        with self._lock:
            stored = self._known.pop(url, None)
            if stored is not None:
                self._given_up.add(stored.hash)
            group = None if stored is None else self._groups.pop(stored.authorize, None)
        if group is not None:
            group.abort()


class _XetAnswer:
    """A range of a file, as an answer over HTTP would bring it."""

    def __init__(
        self,
        request: Request,
        stored: _Stored,
        held: ContentRange,
        stream: _Stream,
        give_up: Callable[[], None],
    ) -> None:
        self._url = request.url
        self._stream = stream
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
                "etag": f'"{stored.hash}"',
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
        self._is_over.set()
        self._stream.cancel()
        with suppress(Full):
            self._came.put_nowait(ConnectionError("it was broken off"))

    def close(self) -> None:
        """Let go of what was not read."""
        self._is_over.set()
        if self._left:
            self._stream.cancel()
        self._rest = memoryview(b"")

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
