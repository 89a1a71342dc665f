"""Asking hubs over `requests`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import urljoin

import requests
import urllib3

from modelshelf.errors import HubAnswerError, HubUnreachableError
from modelshelf.formats.json_bytes import parse_json_bytes
from modelshelf.schema.hub_answer import HubAnswer
from modelshelf.schema.hub_settings import origin_of

__all__ = ["RequestsHubClient"]

_LONGEST = 16 * 1024 * 1024
"""Bytes of an answer; a page of a tree with a thousand files has half a megabyte."""
_PIECE = 64 * 1024
_MOST_HOPS = 5
_CONNECT, _READ = 10.0, 30.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 500, 502, 503, 504})
_LASTING = (requests.exceptions.SSLError, requests.exceptions.ProxyError)
_OWN = {"User-Agent": "modelshelf", "Accept": "application/json"}
# Civitai sends whoever looks like a browser to its login page, and its firewall refuses the libraries'
# own names: a plain honest one is let through.


class RequestsHubClient:
    """A `HubClient` on a session of `requests`.

    A connection that breaks and a status that passes (500, 502, 503, 504, 408) are tried again after each
    of *pauses*; a limit (429), a certificate or a proxy that refuses are not.

    Example:
        >>> with RequestsHubClient(pauses=()) as client:
        ...     client.get_json("http://127.0.0.1:1/api/models/acme/lens")
        Traceback (most recent call last):
            ...
        modelshelf.errors.hub.HubUnreachableError: cannot reach http://127.0.0.1:1: no connection, or it broke
    """

    def __init__(
        self,
        session: requests.Session | None = None,
        *,
        patience: float = 120.0,
        pauses: Sequence[float] = (0.5, 2.0),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make one.

        Args:
            session: Used exactly as it is, and left open; None makes one of our own.
            patience: Seconds that one answer may take as a whole.
            pauses: Seconds to wait before each further try.
            sleep: Waits.
        """
        self._session = session or requests.Session()
        self._patience = patience
        self._pauses = tuple(pauses)
        self._sleep = sleep
        self._is_ours = session is None

    def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> HubAnswer:
        """GET *url*, as `HubClient` promises."""
        first = origin_of(url)
        sent = _OWN | dict(headers or {})
        for _ in range(_MOST_HOPS):
            answer = self._ask_again(url, sent)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or target is None:
                return answer
            url = urljoin(url, target)
            if not url.lower().startswith(("http://", "https://")):
                raise HubAnswerError(hub=_named(first), problem="a redirect to no web address")
            if origin_of(url) != first:
                sent = dict(_OWN)
        raise HubAnswerError(hub=_named(first), problem=f"more than {_MOST_HOPS} redirects")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections; a session that somebody brought stays open."""
        if self._is_ours:
            self._session.close()

    def _ask_again(self, url: str, headers: Mapping[str, str]) -> HubAnswer:
        """Ask until there is an answer that stays, or no pause is left."""
        for pause in self._pauses:
            try:
                answer = self._ask(url, headers)
            except HubUnreachableError as error:
                if error.__cause__ is None or isinstance(error.__cause__, _LASTING):
                    raise
            else:
                if answer.status not in _PASSING:
                    return answer
            self._sleep(pause)
        return self._ask(url, headers)

    def _ask(self, url: str, headers: Mapping[str, str]) -> HubAnswer:
        hub = _named(origin_of(url))
        try:
            with self._session.get(
                url,
                headers=dict(headers),
                timeout=(_CONNECT, _READ),
                allow_redirects=False,
                stream=True,
                # Else a line in ~/.netrc would take the place of the token.
                auth=_unchanged if self._is_ours else None,
            ) as response:
                return HubAnswer(
                    url=url.partition("?")[0],
                    status=response.status_code,
                    headers={name.lower(): text for name, text in response.headers.items()},
                    body=parse_json_bytes(_read(response, hub, self._patience)),
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise HubUnreachableError(hub=hub, reason=_reason(error)) from error


def _read(response: requests.Response, hub: str, patience: float) -> bytes:
    deadline = time.monotonic() + patience
    pieces, length = [], 0
    for piece in _pieces(response):
        pieces.append(piece)
        length += len(piece)
        if length > _LONGEST:
            raise HubAnswerError(hub=hub, problem=f"more than {_LONGEST} bytes")
        if time.monotonic() > deadline:
            raise HubUnreachableError(
                hub=hub, reason=f"its answer takes longer than {patience:.0f} s"
            )
    return b"".join(pieces)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """Yield what is there: a server that sends a byte a minute must not hold us until a piece is full."""
    raw = response.raw
    if not isinstance(raw, urllib3.HTTPResponse):
        # A session that a test made has whatever it has.
        yield from response.iter_content(_PIECE)
        return
    while piece := raw.read1(_PIECE, decode_content=True):
        yield piece


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _named(origin: tuple[str, str, int]) -> str:
    scheme, host, port = origin
    usual = port == {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{host}" if usual else f"{scheme}://{host}:{port}"


def _reason(error: Exception) -> str:
    """Say in words what happened; the library's own words repeat the URL with its query."""
    kinds = (
        (requests.exceptions.SSLError, "it could not prove who it is (TLS)"),
        (requests.exceptions.ProxyError, "the proxy does not let the request through"),
        (requests.exceptions.Timeout, "it does not answer in time"),
        (urllib3.exceptions.TimeoutError, "it does not answer in time"),
        (requests.exceptions.ConnectionError, "no connection, or it broke"),
    )
    return next((said for kind, said in kinds if isinstance(error, kind)), type(error).__name__)
