"""Which addresses targets may reach: every public one, and the private ones that `egress.allow` names. Pure.

The table follows the IANA special-purpose registries rather than `ipaddress.is_global`, whose answer
changes between Python versions.
https://www.iana.org/assignments/iana-ipv4-special-registry/ and .../iana-ipv6-special-registry/
"""

from __future__ import annotations

import re
import socket
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from monitor.errors import AddressBlocked

Address: TypeAlias = IPv4Address | IPv6Address

_REFUSED_V4 = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("127.0.0.0/8", "a loopback"),
        ("10.0.0.0/8", "a private"),
        ("172.16.0.0/12", "a private"),
        ("192.168.0.0/16", "a private"),
        ("169.254.0.0/16", "a link-local (cloud metadata)"),
        ("168.63.129.16/32", "a cloud metadata"),
        ("100.64.0.0/10", "a carrier-grade NAT"),
        ("0.0.0.0/8", "an unspecified"),
        ("192.0.0.0/24", "a special-purpose"),
        ("192.0.2.0/24", "a documentation"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("198.18.0.0/15", "a benchmarking"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
    )
)
_REFUSED_V6 = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::1/128", "a loopback"),
        ("::/128", "an unspecified"),
        ("::ffff:0:0/96", "an IPv4-mapped"),
        ("::/96", "an IPv4-compatible"),
        ("64:ff9b::/96", "a NAT64"),
        ("64:ff9b:1::/48", "a NAT64"),
        ("2002::/16", "a 6to4"),
        ("2001::/32", "a Teredo"),
        ("2001::/23", "a special-purpose"),
        ("2001:db8::/32", "a documentation"),
        ("3fff::/20", "a documentation"),
        ("100::/64", "a discard-only"),
        ("5f00::/16", "an SRv6"),
        ("fc00::/7", "a private (unique local)"),
        ("fe80::/10", "a link-local"),
        ("fec0::/10", "a site-local"),
        ("ff00::/8", "a multicast"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NUMERIC_HOST = re.compile(r"[0-9][0-9a-fx.]*", re.IGNORECASE)


class Egress:
    """The operator's list of private networks (CIDRs) that targets may reach, and the decision made by it.

    An allowed IPv4 network opens its IPv4-mapped IPv6 form too. ValueError names an entry that is no CIDR.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allow = tuple(_network(entry) for entry in allow)

    def check(self, address: str | Address) -> None:
        """An address about to be connected to: returns when it is fine, AddressBlocked says why it is not."""
        problem = self.problem(address)
        if problem:
            raise AddressBlocked(problem)

    def problem(self, address: str | Address) -> str | None:
        """Why an address may not be reached, in words for people; None when it may."""
        ip = ip_address(address.partition("%")[0]) if isinstance(address, str) else address
        kind = _refused(ip)
        if kind is None or self._allowed(ip):
            return None
        inner = _embedded(ip)
        shown = f"{ip} ({inner})" if inner else str(ip)
        return f"{shown} is {kind} address, which targets may not reach unless egress.allow names it"

    def url_problem(self, url: str) -> str | None:
        """Why a URL whose host is a literal address (or localhost) may not be reached; None for any name."""
        try:
            host = _plain(urlsplit(url).hostname or "")
        except ValueError as error:
            return f"this is not a URL: {error}"
        if host == "localhost" or host.endswith(".localhost"):
            return self.problem("127.0.0.1")
        literal = _literal(host)
        return self.problem(literal) if literal else None

    def _allowed(self, ip: Address) -> bool:
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return any(ip in network or (mapped is not None and mapped in network) for network in self._allow)


def _plain(host: str) -> str:
    """A host as resolvers will read it: letters and digits in plain forms, the dots of IDNA as dots, lower case.

    https://www.rfc-editor.org/rfc/rfc3490#section-3.1
    """
    return unicodedata.normalize("NFKC", host).replace("\N{IDEOGRAPHIC FULL STOP}", ".").rstrip(".").lower()


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry, strict=False)
    except ValueError as error:
        raise ValueError(f"{entry!r} is not a network: write a CIDR such as 10.0.0.0/8") from error


def _refused(ip: Address) -> str | None:
    """The kind of a special address; None for an ordinary public one."""
    if isinstance(ip, IPv4Address):
        return next((kind for network, kind in _REFUSED_V4 if ip in network), None)
    kind = next((kind for network, kind in _REFUSED_V6 if ip in network), None)
    return kind or (None if ip in _GLOBAL_UNICAST else "a reserved")


def _embedded(ip: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it is of such a form: for the message only."""
    if isinstance(ip, IPv4Address):
        return None
    teredo = ip.teredo[1] if ip.teredo else None
    last = IPv4Address(int(ip) & 0xFFFFFFFF)
    compatible = 1 < int(ip) < 1 << 32
    translated = any(ip in network for network, kind in _REFUSED_V6 if kind == "a NAT64")
    return ip.ipv4_mapped or ip.sixtofour or teredo or (last if translated or compatible else None)


def _literal(host: str) -> Address | None:
    """The address that a host is a spelling of: dotted, colons, short, octal, hexadecimal or one number."""
    with suppress(ValueError):
        return ip_address(host.partition("%")[0])
    if not _NUMERIC_HOST.fullmatch(host):
        return None
    try:
        # The C library's own reading of 127.1, 0x7f000001 and 2130706433, which a resolver would follow.
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
