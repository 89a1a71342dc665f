"""Xet: files that Hugging Face keeps in chunks, fetched through `hf_xet` where that is installed.

A hub that has a file in Xet says so on the answer that redirects to it: `X-Xet-Hash`, and where to get a
token to read with. This transport remembers that, and when the address that the redirect named is asked for
a range, the bytes come out of Xet. Everything above sees ranges as ever: the ledger, resuming, digests.

The library connects by itself, to whatever address it is told, past every check of peers. So only one hub is
believed, the user's own, and only where it leads to the web: another host could lead into the user's network,
and `local://` makes folders wherever it says.

Source: https://huggingface.co/docs/hub/storage-backends and https://huggingface.co/docs/xet.
"""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from threading import Lock
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from modelshelf.download.answer_head import ContentRange
from modelshelf.download.origin import Origin, WebAddress
from modelshelf.download.xet_answer import XetAnswer
from modelshelf.protocols import Answer, Request, Transport

__all__ = ["XetTransport", "has_xet"]

_HASH = re.compile(r"[0-9a-f]{64}")
_LINK = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="?xet-auth"?')
_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})")
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOST_KNOWN = 10_000
"""Addresses that are remembered; a repository has fewer files, and each is asked for soon."""
_LONGEST_ANSWER = 64 * 1024
_SOON = 30.0
"""Seconds before its end in which a token is not used any more."""
_SIZE = re.compile(r"[1-9][0-9]{0,17}")
_CALM: Mapping[str, object] = MappingProxyType(
    {
        # Whoever asks tries again, and knows better how often.
        "client.retry_max_attempts": 1,
        "client.connect_timeout": timedelta(seconds=10),
        "client.read_timeout": timedelta(seconds=15),
        # As it comes, it would take six gigabytes of memory.
        "reconstruction.min_reconstruction_fetch_size": 16_000_000,
        "reconstruction.min_prefetch_buffer": 16_000_000,
        "reconstruction.download_buffer_size": 64_000_000,
        "reconstruction.download_buffer_perfile_size": 16_000_000,
        "reconstruction.download_buffer_limit": 256_000_000,
        "telemetry.enabled": False,
    }
)
"""How the library is to behave, by its own names; one that a version does not know is left out."""


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
    headers: Mapping[str, str] = field(repr=False)
    """What opened the redirect, and opens that."""
    is_foreign: bool
    """As it was of the request that opened it."""


@dataclass(frozen=True, slots=True)
class _Access:
    """What the hub gives to read with: for all files of a commit, and for a while."""

    store: str
    token: str = field(repr=False)
    expires: int
    """Seconds since 1970."""


class XetTransport:
    """Passes everything on to another transport but ranges of files that are in Xet."""

    def __init__(
        self,
        inner: Transport,
        hub: str,
        *,
        schemes: Collection[str] = ("https",),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Hold the transport for everything else.

        Args:
            inner: Asks; closed with this one.
            hub: The address of the one hub whose word on Xet is believed.
            schemes: How the addresses may begin that it leads to.
            now: Tells the time of day, in seconds since 1970.
        """
        self._inner = inner
        self._hub = Origin.of(hub)
        self._schemes = frozenset(schemes)
        self._now = now
        self._lock = Lock()
        self._known: OrderedDict[str, _Stored] = OrderedDict()
        self._accesses: dict[str, _Access] = {}
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
        # An address that cannot be read is refused by whoever follows it.
        with suppress(ValueError):
            self._remember(request, answer)
        return answer

    def close(self) -> None:
        """Close connections; streams that are open may end."""
        self._inner.close()

    def _remember(self, request: Request, answer: Answer) -> None:
        if answer.status not in _MOVED or Origin.of(request.url) != self._hub:
            return
        said = answer.headers
        hash_, size = said.get("x-xet-hash", ""), said.get("x-linked-size", "")
        link, location = _LINK.search(said.get("link", "")), said.get("location", "")
        if not (_HASH.fullmatch(hash_) and _SIZE.fullmatch(size) and link and location):
            return
        authorize = urljoin(request.url, link[1])
        # The hub's token would go elsewhere.
        if hash_ in self._given_up or Origin.of(authorize) != self._hub:
            return
        headers = {name: text for name, text in request.headers.items() if name.lower() != "range"}
        # As whoever follows the redirect will write it.
        target = str(WebAddress.parse(urljoin(request.url, location.strip())))
        with self._lock:
            self._known[target] = _Stored(hash_, int(size), authorize, headers, request.is_foreign)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)

    def _open_stored(
        self, request: Request, stored: _Stored, start: int, last: int
    ) -> Answer | None:
        """Open a range; None where Xet does not give it, and the address itself is asked."""
        import hf_xet  # noqa: PLC0415 - whoever made this transport has it

        try:
            # A stream that is waited for can be ended in no other way than with its group.
            group = self._group(self._access(stored, request), stored)
            info = hf_xet.XetFileInfo(stored.hash, stored.size)
            stream = group.download_stream(info, start=start, end=last + 1)
        except Exception:  # noqa: BLE001 - the library's errors are of many kinds, and the address remains
            self._forget(request.url)
            return None
        held = ContentRange(start, last + 1, stored.size)
        give_up = partial(self._forget, request.url)
        return XetAnswer(request, held, stored.hash, stream, end=group.abort, give_up=give_up)

    def _group(self, access: _Access, stored: _Stored) -> Any:  # noqa: ANN401 - of a library without types
        with self._lock:
            self._session = self._session or _new_session()
        return self._session.new_download_stream_group(
            endpoint=access.store,
            token=access.token,
            token_expiry_unix_secs=access.expires,
            token_refresh_url=stored.authorize,
            token_refresh_headers=dict(stored.headers),
        )

    def _access(self, stored: _Stored, request: Request) -> _Access:
        with self._lock:
            access = self._accesses.get(stored.authorize)
        if access is None or access.expires < self._now() + _SOON:
            access = self._authorize(stored, request)
            with self._lock:
                self._accesses[stored.authorize] = access
        return access

    def _authorize(self, stored: _Stored, request: Request) -> _Access:
        asked = replace(
            request, url=stored.authorize, headers=stored.headers, is_foreign=stored.is_foreign
        )
        answer = self._inner.open(asked)
        try:
            content = bytearray()
            buffer = memoryview(bytearray(_LONGEST_ANSWER))
            while (length := answer.read_into(buffer)) and len(content) < _LONGEST_ANSWER:
                content += buffer[:length]
            said = json.loads(content)
        finally:
            answer.close()
        access = _Access(str(said["casUrl"]), str(said["accessToken"]), int(said["exp"]))
        if urlsplit(access.store).scheme not in self._schemes:
            message = "its store is not on the web"
            raise ValueError(message)
        return access

    def _forget(self, url: str) -> None:
        """Ask the address itself from now on, for as long as this transport lives."""
        with self._lock:
            stored = self._known.pop(url, None)
            if stored is not None:
                self._given_up.add(stored.hash)
                self._accesses.pop(stored.authorize, None)


def _new_session() -> Any:  # noqa: ANN401 - of a library without types
    import hf_xet  # noqa: PLC0415 - see above

    config = hf_xet.XetConfig()
    known = set(config.keys())
    calm = {name: value for name, value in _CALM.items() if name in known}
    return hf_xet.XetSession(config.with_config(calm))
