from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.egress import Egress
from monitor.errors import AddressBlocked

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_w23_private_and_special_addresses_are_refused_with_a_reason(address: str) -> None:
    """Every special range, in every IPv6 disguise, is refused and the error names the address."""
    with pytest.raises(AddressBlocked, match=r"egress\.allow"):
        Egress().check(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_public_addresses_are_open(address: str) -> None:
    """Ordinary public addresses need no permission."""
    Egress().check(address)


def test_an_allowed_range_opens_itself_and_its_mapped_form_only() -> None:
    """10/8 opens 10.1.2.3 and ::ffff:10.1.2.3, but no other disguise and no neighbour."""
    egress = Egress(["10.0.0.0/8"])
    egress.check("10.1.2.3")
    egress.check("::ffff:10.1.2.3")
    for address in ("64:ff9b::a01:203", "2002:a01:203::", "127.0.0.1", "::ffff:127.0.0.1", "172.16.0.1"):
        assert egress.problem(address)


def test_an_allowed_ipv6_range_opens_itself() -> None:
    """Unique local addresses can be opened like any other."""
    Egress(["fd00::/8"]).check("fd12::1")
    assert Egress(["fd00::/8"]).problem("10.0.0.1")


def test_the_reason_shows_what_a_disguise_stands_for() -> None:
    """An operator reads which IPv4 address was meant, and what kind it is."""
    assert "(127.0.0.1)" in str(Egress().problem("::ffff:127.0.0.1"))
    assert "(10.0.0.1) is a 6to4" in str(Egress().problem("2002:a00:1::"))
    assert "(169.254.169.254) is a NAT64" in str(Egress().problem("64:ff9b::a9fe:a9fe"))
    assert str(Egress().problem("127.0.0.1")).startswith("127.0.0.1 is a loopback address")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/hook?a=b",
        "http://user:pass@10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]:81/",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://LOCALHOST.:80/",
        "http://a.localhost/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://①②⑦.0.0.1/",
        "http://１２７.0.0.1/",
    ],
)
def test_a_literal_private_address_in_a_url_is_a_problem(url: str) -> None:
    """However the address is spelt, `check` says so before anything is sent."""
    assert Egress().url_problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://8.8.8.8/",
        "https://10.example.com/",
        "https://0xcafe.example/",
        "https://1.2.3.4.5/",
        "nonsense",
    ],
)
def test_names_and_public_literals_are_no_problem(url: str) -> None:
    """A name is judged when it is connected to, by the address it then has."""
    assert Egress().url_problem(url) is None


def test_a_url_that_cannot_be_read_is_a_problem() -> None:
    """Half an IPv6 literal is reported, not raised."""
    assert "not a URL" in str(Egress().url_problem("http://[::1"))


def test_an_allowed_literal_is_no_problem() -> None:
    """What the operator opened may be written down."""
    egress = Egress(["127.0.0.0/8"])
    assert egress.url_problem("http://127.0.0.1:9000/") is None
    assert egress.url_problem("http://localhost:9000/") is None


def test_an_allow_entry_that_is_no_network_is_named() -> None:
    """The error repeats the entry and shows how one is written."""
    with pytest.raises(ValueError, match=r"'intranet' is not a network: write a CIDR"):
        Egress(["intranet"])


@given(st.ip_addresses(v=4))
def test_no_disguise_of_a_refused_ipv4_address_gets_through(ip: object) -> None:
    """Mapped, compatible, 6to4 and NAT64 forms of any IPv4 address are refused where nothing is allowed."""
    high, low = divmod(int(ip), 1 << 16)  # type: ignore[call-overload]  # an IPv4Address, typed as object
    forms = [f"::ffff:{ip}", f"64:ff9b::{high:x}:{low:x}", f"2002:{high:x}:{low:x}::1", f"::{high:x}:{low:x}"]
    assert all(Egress().problem(form) for form in forms)
