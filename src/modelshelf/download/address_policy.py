"""Which addresses may be talked to: what a stranger names must not lead into this machine or its network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from modelshelf.download.origin import WebAddress, public_url
from modelshelf.errors import ForbiddenAddressError
from modelshelf.protocols import Address
from modelshelf.schema.transfer import PrivateAddresses

__all__ = ["AddressPolicy", "is_public"]

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED = tuple(
    ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")
)
"""Networks whose last four bytes are an IPv4 address that a gateway or an old host talks to."""
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


class AddressPolicy:
    """Decides which peers may be talked to; its `check` is a `protocols.PeerCheck`.

    Args:
        private: Who may have an address that is not public.
        named_host: The host that the order itself names, as `Origin.host` writes it.

    Example:
        >>> policy = AddressPolicy(PrivateAddresses.AS_NAMED, "nas.local")
        >>> policy.check("nas.local", "192.168.1.7")
        >>> policy.check_url("http://0x7f.1/admin")
        Traceback (most recent call last):
        modelshelf.errors.download.ForbiddenAddressError: `http://0x7f.1` leads to `127.0.0.1`, which is not a public address
    """  # noqa: E501 - an error's sentence stays on one line

    def __init__(self, private: PrivateAddresses, named_host: str) -> None:
        self._private = private
        self._named_host = named_host

    def check(self, host: str, address: Address) -> None:
        """See `protocols.PeerCheck`."""
        if not self.allows(host) and not is_public(address):
            raise ForbiddenAddressError(url=host, address=address)

    def check_url(self, url: str) -> None:
        """Check an address on the web whose host is a number, in whatever way it is written.

        Names pass: who they lead to is known only when a connection stands.

        Raises:
            ForbiddenAddressError: The number is that of a forbidden address.
            ValueError: *url* is no absolute http or https address.
        """
        origin = WebAddress.parse(url).origin
        address = _literal(origin.host)
        if address is not None and not self.allows(origin.host) and not is_public(address):
            raise ForbiddenAddressError(url=public_url(str(origin)).rstrip("/"), address=address)

    def allows(self, host: str) -> bool:
        """Tell whether this host may have any address."""
        if self._private is PrivateAddresses.AS_NAMED:
            return host == self._named_host
        return self._private is PrivateAddresses.ALLOW


def is_public(address: Address) -> bool:
    """Tell whether a numeric address can be anybody's on the internet, and nobody's in here.

    Not public are loopback, link-local (with the cloud's metadata service), private, shared (carrier NAT),
    multicast, unspecified and reserved addresses, and IPv6 ones that carry such an IPv4 address inside. What
    is no address is not public.

    Example:
        >>> is_public("8.8.8.8"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
        (True, False, False)
    """
    try:
        outer = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    carried: list[_IP] = [*_carried(outer)]
    return all(_is_global(one) for one in carried or [outer])


def _carried(address: _IP) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if (
        any(address in network for network in _TRANSLATED)
        or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    ):
        yield last


def _is_global(address: _IP) -> bool:
    """Tell whether an address is routed on the internet, to one receiver."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_unspecified
        and not address.is_loopback
        and not address.is_link_local
        and not address.is_reserved
        and not (isinstance(address, ipaddress.IPv6Address) and address in _SITE_LOCAL)
    )


def _literal(host: str) -> Address | None:
    """Return the address that a host is, written in decimal, octal, hexadecimal or short; None: a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
