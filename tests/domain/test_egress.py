"""Where webhooks may go: both edges of each refused range, each disguise of loopback, each odd spelling."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.egress import Address, EgressRules, Network, parse_networks, refusal
from app.domain.errors import InvalidError
from app.domain.target import parse_target, vet

V4_RANGES = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
V6_RANGES = [
    "::/8",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
LOOPBACK = IPv4Address("127.0.0.1")
PUBLIC = [
    ip_address(text) for text in ("8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:2800:21f:cb07::1", "2a00::1")
]


def is_allowed(address: Address, allow: tuple[Network, ...] = ()) -> bool:
    return EgressRules(allow).allows(address) or refusal(address) is None


DEMO = EgressRules(allow=parse_networks(["127.0.0.0/8", "::1/128"]))
STRICT = EgressRules()


def inside_any(address: Address) -> bool:
    """The plain reading of the table, for the neighbours of its edges."""
    if isinstance(address, IPv6Address) and address not in IPv6Network("2000::/3"):
        return True
    ranges = [*V4_RANGES, *V6_RANGES, "2001::/23"]
    return any(address in ip_network(text) for text in ranges if ip_network(text).version == address.version)


@pytest.mark.parametrize("text", [*V4_RANGES, *V6_RANGES])
def test_both_edges_of_a_refused_range_are_refused_and_their_neighbours_only_if_refused_themselves(
    text: str,
) -> None:
    network = ip_network(text)
    first, last = network.network_address, network.broadcast_address
    assert not is_allowed(first)
    assert not is_allowed(last)
    for neighbour in (int(first) - 1, int(last) + 1):
        if 0 <= neighbour < 1 << network.max_prefixlen:
            address = type(first)(neighbour)
            assert is_allowed(address) is not inside_any(address)


@pytest.mark.parametrize("address", PUBLIC, ids=str)
def test_public_unicast_is_allowed(address: Address) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    "text",
    [
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:7f00:1",
        "fe80::5efe:7f00:1",
        "fe80::1%lo",
        "fd00:ec2::254",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "255.255.255.255",
        "4000::1",
        "1fff:ffff::1",
    ],
)
def test_every_mapped_translated_tunnelled_or_unassigned_form_is_refused(text: str) -> None:
    assert not is_allowed(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_what_the_standard_library_calls_private_is_never_allowed(address: IPv4Address) -> None:
    if is_allowed(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(2**125, 2**126 - 1).map(IPv6Address))
def test_no_global_ipv6_hides_an_address_of_ours(address: IPv6Address) -> None:
    if is_allowed(address):
        assert address.is_global
        assert address.teredo is None
        assert address.sixtofour is None


def test_an_operators_network_opens_itself_and_nothing_else() -> None:
    allow = parse_networks(["10.1.2.0/24"])
    assert is_allowed(ip_address("10.1.2.255"), allow)
    assert not is_allowed(ip_address("10.1.3.0"), allow)
    assert not is_allowed(ip_address("::ffff:10.1.2.3"), allow)


@pytest.mark.parametrize("text", ["10.1.2.3/24", "example.com", "", "10.0.0.0/33"])
def test_a_network_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_networks([text])
    assert refused.value.reason == "bad_network"


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path", "host_header"),
    [
        ("https://example.com", "https", "example.com", 443, "/", "example.com"),
        ("HTTPS://Example.COM:443/A?b=c", "https", "example.com", 443, "/A?b=c", "example.com"),
        ("http://example.com:8080/hook", "http", "example.com", 8080, "/hook", "example.com:8080"),
        ("https://example.com?x=1", "https", "example.com", 443, "/?x=1", "example.com"),
        (
            "https://xn--e1afmkfd.xn--p1ai/",
            "https",
            "xn--e1afmkfd.xn--p1ai",
            443,
            "/",
            "xn--e1afmkfd.xn--p1ai",
        ),
        ("http://[2606:4700::1]:8443/", "http", "2606:4700::1", 8443, "/", "[2606:4700::1]:8443"),
        ("https://8.8.8.8/%2e%2e/", "https", "8.8.8.8", 443, "/%2e%2e/", "8.8.8.8"),
    ],
)
def test_a_plain_url_is_taken_apart(
    url: str, scheme: str, host: str, port: int, path: str, host_header: str
) -> None:
    target = parse_target(url, STRICT)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)
    assert target.host_header == host_header


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "url_scheme"),
        ("file:///etc/passwd", "url_scheme"),
        ("gopher://example.com/", "url_scheme"),
        ("example.com/hook", "url_scheme"),
        ("//example.com", "url_scheme"),
        ("https:/example.com", "url_scheme"),
        ("https://user@example.com/", "url_userinfo"),
        ("https://example.com@127.0.0.1/", "url_userinfo"),
        ("https://example.com\\@127.0.0.1/", "url_characters"),
        ("https://example.com/\r\nHost: inside", "url_characters"),
        ("https://exam\tple.com/", "url_characters"),
        (" https://example.com/", "url_characters"),
        ("https://example.com/ x", "url_characters"),
        ("https://①②⑦.⓪.⓪.①/", "url_characters"),
        ("https://127。0。0。1/", "url_characters"),
        ("https://ex\x00ample.com/", "url_characters"),
        ("https://приклад.укр/", "url_characters"),
        ("https://example.com/#top", "url_fragment"),
        ("https://", "url_host"),
        ("https:///path", "url_host"),
        ("https://:443/", "url_host"),
        ("https://example.com:/", "url_host"),
        ("https://example.com:0/", "url_host"),
        ("https://example.com:080/", "url_host"),
        ("https://example.com:44e3/", "url_host"),
        ("https://localhost./", "url_host"),
        ("https://example.com./", "url_host"),
        ("https://a..b/", "url_host"),
        ("https://-a.example/", "url_host"),
        ("https://ex%61mple.com/", "url_host"),
        ("https://[::1%25lo]/", "url_host"),
        ("https://[::1/", "url_host"),
        ("https://[::g]/", "url_host"),
        ("https://::1/", "url_host"),
        ("https://0177.0.0.1/", "url_host"),
        ("https://2130706433/", "url_host"),
        ("https://0x7f.1/", "url_host"),
        ("https://0x7f000001/", "url_host"),
        ("https://127.1/", "url_host"),
        ("https://1.2.3.4.5/", "url_host"),
        ("https://256.1.1.1/", "url_host"),
        ("https://" + "a" * 64 + ".example/", "url_host"),
        ("https://" + "a." * 127 + "example/", "url_host"),
        ("https://example.com:22/", "port_refused"),
        ("https://example.com:5432/", "port_refused"),
        ("https://example.com:6379/", "port_refused"),
        ("https://example.com:99999/", "port_refused"),
        ("https://example.com/" + "a" * 2048, "url_length"),
    ],
)
def test_an_odd_spelling_is_refused_with_its_reason_and_a_pointer(url: str, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_target(url, STRICT)
    assert (refused.value.reason, refused.value.pointer) == (reason, "/url")


@given(st.text(st.characters(max_codepoint=0x2500), max_size=40))
def test_no_text_is_more_than_refused(tail: str) -> None:
    for url in (tail, "https://" + tail, "http://127.0.0.1" + tail):
        try:
            target = parse_target(url, DEMO)
        except InvalidError:
            continue
        assert target.host == target.host.lower()
        assert 0 < target.port <= 65_535


def refused_by(url: str, addresses: list[Address], rules: EgressRules = STRICT) -> str | None:
    try:
        vet(parse_target(url, rules), addresses, rules)
    except InvalidError as error:
        return error.reason
    return None


def test_one_bad_address_among_good_ones_refuses_the_whole_name() -> None:
    assert refused_by("https://example.com/", PUBLIC) is None
    assert refused_by("https://example.com/", [*PUBLIC, LOOPBACK]) == "address_refused"
    assert refused_by("https://example.com/", [LOOPBACK, *PUBLIC]) == "address_refused"


def test_an_allowed_network_opens_every_port_there_and_only_there() -> None:
    assert refused_by("http://127.0.0.1:5001/", [LOOPBACK], DEMO) is None
    assert refused_by("http://receiver.test:5001/", [LOOPBACK], DEMO) is None
    assert refused_by("http://receiver.test:5001/", [PUBLIC[0]], DEMO) == "port_refused"
    assert refused_by("http://8.8.8.8:5001/", [PUBLIC[0]], DEMO) == "port_refused"
    assert refused_by("http://127.0.0.1:5001/", [LOOPBACK]) == "port_refused"
    assert refused_by("http://127.0.0.1/", [LOOPBACK]) == "address_refused"


def test_the_operator_may_open_a_port_for_everybody() -> None:
    assert refused_by("https://example.com:9443/", PUBLIC, EgressRules(ports=frozenset({9443}))) is None
