"""Addresses on the web: taken apart once, strictly, and shown without their secrets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

__all__ = ["Origin", "WebAddress", "public_url", "same_origin"]

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[a-z0-9._-]{1,253}\Z")
_KEPT_IN_PATH = "!$%&'()*+,-./:;=@_~[]|"
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answers for an address, as RFC 6454 says: a secret given to one is for no other."""

    scheme: str
    """`http` or `https`."""
    host: str
    """Lower case, in ASCII; an IPv6 address without brackets."""
    port: int
    """1 to 65535, the scheme's own where the address names none."""

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an address.

        Raises:
            ValueError: It is no absolute http or https address, or readers could disagree about its host.

        Example:
            >>> Origin.of("HTTPS://user@Hub.Example/a?token=b")
            Origin(scheme='https', host='hub.example', port=443)
        """
        return WebAddress.parse(url).origin

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.bracketed_host}{port}"

    @property
    def bracketed_host(self) -> str:
        """The host as it stands in an address."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def host_header(self) -> str:
        """What the Host header says."""
        return str(self).partition("://")[2]


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An http or https address in its parts. It never shows what may be secret."""

    origin: Origin
    """Who answers for it."""
    path: str
    """Begins with `/`; odd characters are percent-encoded, those that were already stay as they are."""
    query: str = field(default="", repr=False)
    """What follows `?`; often a signature or a token."""
    user: str | None = field(default=None, repr=False)
    """`name:password`, decoded; None where the address names nobody."""

    @classmethod
    def parse(cls, url: str) -> WebAddress:
        """Take an address apart, and refuse what two readers could read in two ways.

        Args:
            url: Absolute. A fragment is dropped; a host outside ASCII is written in its ASCII form.

        Raises:
            ValueError: It is no absolute http or https address, or has blanks, control characters,
                backslashes or percent signs where a host stands. The text says which, without the address.

        Example:
            >>> str(WebAddress.parse("http://bücher.example:80/a b?x=1#top"))
            'http://xn--bcher-kva.example/a%20b?x=1'
        """
        text = url.strip(" \t\r\n")
        authority = re.match(r"[^:/?#]*://([^/?#]*)", text)
        if authority is None or _ODD.search(authority[0]):
            message = "it is no absolute address, or its host holds odd characters"
            raise ValueError(message)
        if re.search(r"[\x00-\x1f\x7f]", text):
            message = "it holds control characters"
            raise ValueError(message)
        try:
            parts = urlsplit(text)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            message = "its host or port cannot be read"
            raise ValueError(message) from None
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            message = "it is neither http nor https"
            raise ValueError(message)
        if port == 0:
            message = "its port is 0"
            raise ValueError(message)
        user = parts.netloc.rpartition("@")[0] if "@" in parts.netloc else None
        return cls(
            origin=Origin(scheme, _ascii_host(host), port or _PORTS[scheme]),
            path=quote(parts.path or "/", safe=_KEPT_IN_PATH),
            query=quote(parts.query, safe=_KEPT_IN_QUERY),
            user=None if user is None else unquote(user),
        )

    @property
    def target(self) -> str:
        """Path and query: what a request line asks for."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def public(self) -> str:
        """The address without user and query, for people, logs and journals."""
        return f"{self.origin}{self.path}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def public_url(url: str) -> str:
    """Return an address without user information, query and fragment: secrets travel there.

    Args:
        url: Any text; one that is no address is shown as little as possible.

    Example:
        >>> public_url("https://me:secret@hub.example/a.bin?token=b#c")
        'https://hub.example/a.bin'
        >>> public_url("mailto:me?secret")
        'mailto:…'
    """
    try:
        return WebAddress.parse(url).public
    except ValueError:
        scheme = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,15}):", url)
        return f"{scheme[1].lower()}:…" if scheme else "…"


def same_origin(one: str, other: str) -> bool:
    """Tell whether what is meant for *one* may be sent to *other*; no, where either cannot be read."""
    try:
        return Origin.of(one) == Origin.of(other)
    except ValueError:
        return False


def _ascii_host(host: str) -> str:
    """Return the host in the one form that is connected to, compared and checked."""
    if ":" in host:
        address, _, zone = host.partition("%")
        if zone:
            message = "its host names a network interface"
            raise ValueError(message)
        return ipaddress.IPv6Address(address).compressed
    try:
        plain = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        message = "its host is no name"
        raise ValueError(message) from None
    if not _HOST.match(plain):
        message = "its host is no name"
        raise ValueError(message)
    return plain
