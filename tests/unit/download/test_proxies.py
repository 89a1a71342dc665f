import pytest

from modelshelf.download.proxies import Proxies


def test_reads_the_environment() -> None:
    """Each scheme has its proxy, `all_proxy` is for those without, and lower case goes first."""
    environ = {"http_proxy": "http://a:1", "HTTP_PROXY": "http://b:1", "ALL_PROXY": "c:1"}
    proxies = Proxies.from_environment(environ)
    assert proxies.for_url("http://hub.example/") == "http://a:1"
    assert proxies.for_url("https://hub.example/") == "http://c:1"
    assert Proxies.from_environment({}).for_url("http://hub.example/") is None


def test_a_request_cannot_name_the_proxy() -> None:
    """In a CGI program `HTTP_PROXY` is a header that a stranger sent."""
    environ = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "http://evil:1"}
    assert Proxies.from_environment(environ).for_url("http://hub.example/") is None


@pytest.mark.parametrize(
    ("entry", "url", "is_direct"),
    [
        ("*", "http://hub.example/", True),
        ("hub.example", "http://hub.example/", True),
        ("hub.example", "http://a.hub.example/", True),
        (".hub.example", "http://hub.example/", True),
        ("*.hub.example", "http://a.hub.example/", True),
        ("hub.example", "http://thub.example/", False),
        ("HUB.example", "http://hub.example/", True),
        ("hub.example:80", "http://hub.example/", True),
        ("hub.example:81", "http://hub.example/", False),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("127.0.0.1", "http://127.0.0.1:99/", True),
        ("[::1]:99", "http://[::1]:99/", True),
        ("::1", "http://[::1]/", True),
        ("a b,hub.example", "http://hub.example/", True),
        ("", "http://hub.example/", False),
        (".", "http://hub.example/", False),
    ],
)
def test_exceptions(entry: str, url: str, is_direct: bool) -> None:  # noqa: FBT001 - a table's column
    """`no_proxy` means names and what is below them, addresses, networks, and ports."""
    proxies = Proxies.from_environment({"all_proxy": "http://p:1", "no_proxy": entry})
    assert (proxies.for_url(url) is None) is is_direct


def test_shows_no_password() -> None:
    """The name and the password of a proxy are nobody's business."""
    assert "hidden" not in repr(Proxies(http="http://me:hidden@p:1", https="http://me:hidden@p:1"))
