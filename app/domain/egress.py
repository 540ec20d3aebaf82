"""Which addresses webhooks may reach: the table of refused ranges, and the operator's exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from app.domain.errors import InvalidError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DEFAULT_PORTS = frozenset({80, 443, 8080, 8443})

_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), name)
    for network, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers, and metadata of Alibaba"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "host services of Azure"),
        ("169.254.0.0/16", "link-local, and metadata of clouds"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relays"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, and broadcast"),
    )
)
# Only 2000::/3 is handed out as global unicast; all else is refused, the named ranges with their name.
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), name)
    for network, name in (
        ("::/8", "loopback, mapped (::ffff:), compatible, translated (SIIT, NAT64)"),
        ("100::/63", "discard"),
        ("2001::/23", "protocol assignments, Teredo, ORCHID"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private, and metadata of AWS"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_ISATAP_MARKS = frozenset({0x00005EFE, 0x02005EFE})


@dataclass(frozen=True, slots=True)
class EgressRules:
    """The operator's settings: networks allowed although refused by the table (any port there), and ports."""

    allow: tuple[Network, ...] = ()
    ports: frozenset[int] = DEFAULT_PORTS

    def allows(self, address: Address) -> bool:
        """True when the operator listed a network that holds this very address."""
        return any(address in network for network in self.allow if network.version == address.version)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The operator's allow-list. Raises InvalidError (`bad_network`) for a text that is no CIDR network."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ip_network(text.strip()))
        except ValueError as error:
            detail = f"{text!r} is not a network: {error}"
            raise InvalidError("bad_network", detail, cure="write it as 10.1.2.0/24") from error
    return tuple(networks)


def refusal(address: Address) -> str | None:
    """The name of the refused range that holds the address, or None for a public unicast address."""
    if isinstance(address, IPv4Address):
        return next((name for network, name in _REFUSED_V4 if address in network), None)
    named = next((name for network, name in _REFUSED_V6 if address in network), None)
    if named is not None:
        return named
    if address not in _GLOBAL_V6:
        return "not global unicast"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_MARKS:
        return "ISATAP tunnel"
    return None
