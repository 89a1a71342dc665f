import pytest

from modelshelf.download.address_policy import AddressPolicy, is_public
from modelshelf.errors import ForbiddenAddressError
from modelshelf.schema.transfer import PrivateAddresses

_SPECIAL = [
    "0.0.0.0",  # noqa: S104 - an address, not a binding
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::5efe:7f00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "nonsense",
    "",
]
_PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "2606:4700::1111",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", _SPECIAL)
def test_special_addresses_are_not_public(address: str) -> None:
    """Addresses of this machine, its network or nobody, however they are wrapped, are refused to strangers."""
    assert not is_public(address)
    for private in (PrivateAddresses.REFUSE, PrivateAddresses.AS_NAMED):
        policy = AddressPolicy(private, "hub.example")
        with pytest.raises(ForbiddenAddressError) as caught:
            policy.check("cdn.example", address)
        assert caught.value.address == address
    AddressPolicy(PrivateAddresses.ALLOW, "hub.example").check("cdn.example", address)


@pytest.mark.parametrize("address", _PUBLIC)
def test_other_addresses_are_public(address: str) -> None:
    """What anybody on the internet can have passes."""
    assert is_public(address)
    AddressPolicy(PrivateAddresses.REFUSE, "hub.example").check("cdn.example", address)


def test_the_named_host_may_be_private() -> None:
    """Only the host that the order names, not one that it leads to, unless nobody may."""
    policy = AddressPolicy(PrivateAddresses.AS_NAMED, "nas.local")
    policy.check("nas.local", "192.168.1.2")
    with pytest.raises(ForbiddenAddressError):
        policy.check("other.local", "192.168.1.2")
    with pytest.raises(ForbiddenAddressError):
        AddressPolicy(PrivateAddresses.REFUSE, "nas.local").check("nas.local", "192.168.1.2")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "①②⑦.0.0.1",
        "0",
    ],
)
def test_numbers_are_checked_however_they_are_written(host: str) -> None:
    """Decimal, octal, hexadecimal, short, mapped and full-width loopback is loopback."""
    policy = AddressPolicy(PrivateAddresses.AS_NAMED, "hub.example")
    with pytest.raises(ForbiddenAddressError) as caught:
        policy.check_url(f"http://{host}/a?token=hidden")
    assert "hidden" not in str(caught.value)


def test_names_are_checked_later() -> None:
    """Who a name leads to is known when the connection stands; public numbers pass at once."""
    policy = AddressPolicy(PrivateAddresses.REFUSE, "hub.example")
    policy.check_url("https://localhost/a")
    policy.check_url("https://8.8.8.8/a")
