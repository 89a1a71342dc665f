import pytest

from modelshelf.download.origin import Origin, WebAddress, public_url, same_origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Hub.Example", "http://hub.example"),
        ("HTTPS://hub.example:443/a", "https://hub.example"),
        ("https://hub.example:8443/a", "https://hub.example:8443"),
        ("http://me:p%40ss@hub.example/", "http://hub.example"),
        ("http://a@b@hub.example/", "http://hub.example"),
        ("http://BÜCHER.example/", "http://xn--bcher-kva.example"),
        ("http://[::FFFF:127.0.0.1]:80/", "http://[::ffff:7f00:1]"),
        ("http://127.0.0.1/", "http://127.0.0.1"),
        ("  https://hub.example/a\n", "https://hub.example"),
    ],
)
def test_reads_origins(url: str, origin: str) -> None:
    """Scheme, host and port decide; case, user, default port and script do not."""
    assert str(Origin.of(url)) == origin
    assert same_origin(url, origin)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.example/a",
        "//hub.example/a",
        "file:///etc/passwd",
        "ftp://hub.example/",
        "data:text/plain,a",
        "http://",
        "http:///a",
        "http://:80/",
        "http://hub.example:0/",
        "http://hub.example:99999/",
        "http://hub.example:8o/",
        "http://hub.example\\@evil.example/",
        "http://hub.example /",
        "http://hub%2eexample/",
        "http://hub.example%00.evil.example/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://hub.exa\nmple/",
        "http://hub.example/a\r\nX: b",
        "http://hub.example/\0",
        "http://a" + "a" * 300 + ".example/",
    ],
)
def test_refuses_what_can_be_read_in_two_ways(url: str) -> None:
    """What is no absolute address, or hides its host, has no origin, and its secrets are not shown."""
    with pytest.raises(ValueError, match="it"):
        Origin.of(url)
    assert not same_origin(url, url)
    assert "evil" not in public_url(url)


def test_origins_differ() -> None:
    """Another scheme, port, host or a subdomain is somebody else."""
    home = "https://hub.example/a"
    for other in ("http://hub.example/a", "https://hub.example:444/a", "https://a.hub.example/a"):
        assert not same_origin(home, other)


def test_takes_an_address_apart() -> None:
    """Path and query are made sendable, what was encoded stays, and the user is decoded."""
    address = WebAddress.parse("http://me:p%40ss@hub.example/a b/%2e%2F/ä?x=1 2&y=%20#top")
    assert address.target == "/a%20b/%2e%2F/%C3%A4?x=1%202&y=%20"
    assert address.user == "me:p@ss"
    assert address.public == "http://hub.example/a%20b/%2e%2F/%C3%A4"


def test_shows_no_secrets() -> None:
    """Neither what is shown to people, nor what Python shows of an address, has its user or query."""
    url = "https://me:hidden@hub.example/a.bin?token=hidden#hidden"
    assert public_url(url) == "https://hub.example/a.bin"
    assert "hidden" not in repr(WebAddress.parse(url))
    assert public_url("secret nonsense") == "…"
