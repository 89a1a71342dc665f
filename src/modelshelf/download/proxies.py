"""Which proxy stands between here and a host, as the environment names it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelshelf.download.origin import WebAddress

__all__ = ["Proxies"]


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies for http and https, and the hosts that are reached without."""

    http: str | None = field(default=None, repr=False)
    """Address of the proxy for http, maybe with a name and a password; None: there is none."""
    https: str | None = field(default=None, repr=False)
    """The same for https."""
    without: tuple[str, ...] = ()
    """Hosts reached directly: names, their subdomains, addresses, networks, with a port or not; `*` is all."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Proxies:
        """Read `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`.

        The lower case goes first, as everywhere. In a CGI program, where `HTTP_PROXY` can be set by whoever
        sends a request, the upper case is not read for http.

        Args:
            environ: Such as `os.environ`.

        Example:
            >>> proxies = Proxies.from_environment({"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "lan"})
            >>> proxies.for_url("https://hub.example/a"), proxies.for_url("https://nas.lan/a")
            ('http://proxy.example:3128', None)
        """

        def read(name: str) -> str:
            upper = "" if name == "http_proxy" and "REQUEST_METHOD" in environ else name.upper()
            return (environ.get(name) or environ.get(upper) or "").strip()

        general = read("all_proxy")
        return cls(
            http=_address(read("http_proxy") or general),
            https=_address(read("https_proxy") or general),
            without=tuple(
                name for name in read("no_proxy").lower().replace(",", " ").split() if name
            ),
        )

    def for_url(self, url: str) -> str | None:
        """Return the address of the proxy to ask for *url*, or None where the host is reached directly.

        Raises:
            ValueError: *url* is no absolute http or https address.
        """
        origin = WebAddress.parse(url).origin
        proxy = self.https if origin.scheme == "https" else self.http
        if proxy is None or any(_covers(name, origin.host, origin.port) for name in self.without):
            return None
        return proxy


def _address(text: str) -> str | None:
    """Return a proxy's address with its scheme, which people leave out."""
    return None if not text else text if "://" in text else f"http://{text}"


def _covers(pattern: str, host: str, port: int) -> bool:
    """Tell whether an entry of `no_proxy` means this host."""
    if pattern == "*":
        return True
    name, colon, wanted = pattern.rpartition(":")
    if colon and wanted.isdigit() and (":" not in name or name.endswith("]")):
        if int(wanted) != port:
            return False
        pattern = name
    pattern = pattern.strip("[]").removeprefix("*").strip(".")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return bool(pattern) and f".{host.rstrip('.')}".endswith(f".{pattern}")
