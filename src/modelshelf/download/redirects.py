"""From an order's address to the answer that has the file: who may be asked on the way, and who learns what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qs, urljoin

from modelshelf.download.address_policy import AddressPolicy
from modelshelf.download.guarded_connection import basic_credentials
from modelshelf.download.origin import WebAddress, public_url
from modelshelf.errors import ForbiddenAddressError, ForbiddenRedirectError, InvalidDownloadError
from modelshelf.protocols import Answer, Request, Transport
from modelshelf.schema.address_secrets import is_credential

__all__ = ["Arrived", "SeenFacts", "Timeouts", "open_at", "open_following"]

_MOVED = frozenset({301, 302, 303, 307, 308})
_LONGEST_TARGET = 32 * 1024
_DISPOSITION = "response-content-disposition"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a host may take."""

    connect: float = 10.0
    """Seconds until the connection must stand."""
    silence: float = 15.0
    """Seconds without any byte."""


@dataclass(frozen=True, slots=True)
class SeenFacts:
    """What hosts on the way said of the file. None: nobody said."""

    linked_size: int | None = None
    """Bytes, by `X-Linked-Size`."""
    linked_etag: str | None = None
    """SHA-256 of a large file, or the git SHA-1 of a small one, by `X-Linked-Etag`, without quotes."""
    commit: str | None = None
    """The revision, by `X-Repo-Commit`."""
    xet_hash: str | None = None
    """By `X-Xet-Hash`."""
    disposition: str | None = None
    """A `Content-Disposition`, as sent or as a signed address asks for it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An answer that sends nobody on, with what was learned on the way to it."""

    answer: Answer
    """Open; the caller closes it. Its status may be any."""
    url: str = field(repr=False)
    """Where it came from; may hold a signature."""
    hops: tuple[str, ...]
    """All addresses that were asked, the order's own first, without secrets."""
    facts: SeenFacts
    """What was said of the file, the earliest word winning."""
    is_at_origin: bool
    """Whether the answer is from the order's own origin, which alone got the secrets."""


def open_following(
    transport: Transport,
    url: str,
    *,
    headers: Mapping[str, str],
    secret_headers: Mapping[str, str],
    policy: AddressPolicy,
    timeouts: Timeouts,
    limit: int = 10,
) -> Arrived:
    """Ask for *url* and go where answers send on to, until one does not.

    Each address is resolved against the one before it. A name and password in *url* become a header for its
    origin; in an address that an answer gives they are dropped. So are parameters such as `token=` of *url*
    that an answer copies into another origin's address. Bodies of redirects are not waited for.

    Args:
        transport: Does a single exchange.
        url: The order's own address.
        headers: For everybody, such as Range.
        secret_headers: For the origin of *url* alone: same scheme, same host, same port, also after others
            were asked in between.
        policy: Whether an address may be talked to; asked with the number in the URL, then with the peer's.
        timeouts: For each exchange.
        limit: How many redirects are followed.

    Raises:
        InvalidDownloadError: *url* is no address for this.
        ForbiddenRedirectError: Too many redirects, in a circle, to another scheme than http or https, from
            https to http, or to what is no address.
        ForbiddenAddressError: An address on the way is not public.
        DownloadError: As `Transport.open`.
    """
    start = _start(url)
    secrets = dict(secret_headers)
    if start.user is not None and not any(name.lower() == "authorization" for name in secrets):
        secrets["Authorization"] = basic_credentials(start.user)
    here, hops, facts = start, [start.public], SeenFacts()
    seen = {str(start)}
    while True:
        is_home = here.origin == start.origin
        answer = _ask(
            transport, here, {**headers, **(secrets if is_home else {})}, policy, timeouts, is_home
        )
        try:
            facts = _more(facts, answer, here)
            if answer.status not in _MOVED or not answer.headers.get("location", "").strip():
                return Arrived(answer, str(here), tuple(hops), facts, is_home)
            there = _without_secrets(_next(here, answer.headers["location"]), start)
        except BaseException:
            answer.close()
            raise
        answer.close()
        if len(hops) > limit:
            _refuse(here, there.public, f"that would be redirect {len(hops)} in a row")
        # The same address twice may be a host that sets a cookie, but we keep none: it would never end.
        if str(there) in seen:
            _refuse(here, there.public, "that goes in circles")
        seen.add(str(there))
        hops.append(there.public)
        here = there


def open_at(
    transport: Transport,
    url: str,
    *,
    headers: Mapping[str, str],
    policy: AddressPolicy,
    timeouts: Timeouts,
    secret_headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask the one address that a redirect led to, such as a signed one of a storage, and follow nothing.

    Args:
        transport: Does the exchange.
        url: What `Arrived.url` said.
        headers: All headers of ours.
        policy: Whether the address may be talked to.
        timeouts: For the exchange.
        secret_headers: Only where *url* is at the order's own origin: its secrets. None: it is elsewhere.

    Raises:
        ForbiddenAddressError: The address is not public.
        DownloadError: As `Transport.open`.
    """
    secrets = secret_headers or {}
    is_home = secret_headers is not None
    return _ask(transport, _start(url), {**headers, **secrets}, policy, timeouts, is_home)


def _start(url: str) -> WebAddress:
    """Read the address of an order."""
    try:
        return WebAddress.parse(url)
    except ValueError as error:
        raise InvalidDownloadError(url=public_url(url), reason=str(error)) from None


def _ask(
    transport: Transport,
    address: WebAddress,
    headers: Mapping[str, str],
    policy: AddressPolicy,
    timeouts: Timeouts,
    is_home: bool,  # noqa: FBT001 - internal
) -> Answer:
    """Make one exchange with an address that passes the policy."""
    try:
        policy.check_url(str(address))
        return transport.open(
            Request(
                str(address),
                headers,
                connect_timeout=timeouts.connect,
                read_timeout=timeouts.silence,
                check_peer=policy.check,
                is_foreign=not is_home,
            )
        )
    except ForbiddenAddressError as error:
        failure = ForbiddenAddressError(url=address.public, address=error.address)
    raise failure


def _next(here: WebAddress, location: str) -> WebAddress:
    """Return where an answer sends on to, if that may be followed."""
    if len(location) > _LONGEST_TARGET:
        _refuse(here, "…", f"the address has more than {_LONGEST_TARGET} characters")
    # Headers are read as Latin-1; hosts that write other characters plainly mean UTF-8.
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    text = location.strip()
    try:
        target = urljoin(str(here), text)
        there = WebAddress.parse(target)
    except ValueError as error:
        _refuse(here, public_url(text), str(error))
    if here.origin.scheme == "https" and there.origin.scheme == "http":
        _refuse(
            here,
            there.public,
            "it leaves https, so that anybody between could read and change the file",
        )
    # A stranger must not choose whose name and password are sent, not even to itself.
    return WebAddress(there.origin, there.path, there.query)


def _without_secrets(there: WebAddress, start: WebAddress) -> WebAddress:
    """Take the order's own secret parameters out of a stranger's address, where a host simply copies them."""
    if there.origin == start.origin:
        return there
    secret = {pair for pair in start.query.split("&") if is_credential(pair.partition("=")[0])}
    kept = [pair for pair in there.query.split("&") if pair not in secret]
    return WebAddress(there.origin, there.path, "&".join(kept))


def _refuse(here: WebAddress, target: str, reason: str) -> NoReturn:
    """Raise: this redirect is not followed."""
    raise ForbiddenRedirectError(url=here.public, target=target, reason=reason)


def _more(facts: SeenFacts, answer: Answer, address: WebAddress) -> SeenFacts:
    """Add what an answer says to what was said before."""
    said = answer.headers
    wished: dict[str, list[str]] = {}
    with suppress(ValueError):
        wished = parse_qs(address.query, max_num_fields=200)
    asked = [value for name in wished if name.lower() == _DISPOSITION for value in wished[name]]
    return SeenFacts(
        linked_size=_first(facts.linked_size, _size(said.get("x-linked-size", ""))),
        linked_etag=facts.linked_etag or _bare_tag(said.get("x-linked-etag", "")),
        commit=facts.commit or said.get("x-repo-commit") or None,
        xet_hash=facts.xet_hash or said.get("x-xet-hash") or None,
        disposition=facts.disposition or said.get("content-disposition") or next(iter(asked), None),
    )


def _first(one: int | None, other: int | None) -> int | None:
    """Return what was said first; 0 is said."""
    return other if one is None else one


def _size(text: str) -> int | None:
    """Read a number of bytes; None where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def _bare_tag(text: str) -> str | None:
    """Return an entity tag without its quotes and the mark of a weak one; None where there is none."""
    return text.strip().removeprefix("W/").strip('"') or None
