"""A webhook URL taken apart, with every spelling refused that two parsers might read differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address, ip_address

from app.domain.egress import Address, EgressRules, refusal
from app.domain.errors import InvalidError

MAX_URL_LENGTH = 2_048


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: `host` in lower-case ASCII without brackets, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def is_tls(self) -> bool:
        """True for https."""
        return self.scheme == "https"

    @property
    def host_header(self) -> str:
        """The value of `Host`: brackets around IPv6, the port unless it is the scheme's own."""
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def vet(target: Target, addresses: Sequence[Address], rules: EgressRules) -> None:
    """Refuse a target unless EVERY address that its name resolved to is allowed.

    One refused address among public ones is how a name is moved inside between check and connect.
    Raises InvalidError (`address_refused`, `port_refused`).
    """
    for address in addresses:
        why = None if rules.allows(address) else refusal(address)
        if why is not None:
            raise InvalidError(
                "address_refused",
                f"{target.host} leads to {address} ({why})",
                pointer="/url",
                cure="use a public address, or ask the operator to allow the network",
            )
    if target.port not in rules.ports and not all(map(rules.allows, addresses)):
        raise _refused_port(target.port, rules)


_SHAPE = re.compile(r"(https?)://([^/?]*)([/?].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_target(url: str, rules: EgressRules) -> Target:
    """Take a webhook URL apart, refusing every spelling that two parsers might read differently.

    http or https, no user information, no fragment, visible ASCII only, a canonical host, an
    allowed port. Where the operator allows networks, an unlisted port is left for `vet` to judge.
    Raises InvalidError with the pointer `/url`.
    """
    if len(url) > MAX_URL_LENGTH:
        raise _refused("url_length", f"longer than {MAX_URL_LENGTH} characters")
    if re.search(r"[^\x21-\x7e]", url) or "\\" in url:
        raise _refused(
            "url_characters",
            "only visible ASCII characters and no backslash may stand in a URL",
            "write an international name in its xn-- form and percent-encode the rest",
        )
    if "#" in url:
        raise _refused("url_fragment", "a fragment is never sent", "leave out everything from the `#` on")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise _refused(
            "url_scheme", "a webhook URL starts with http:// or https://", "write https://<your host>/<path>"
        )
    scheme, authority, path = shape[1].lower(), shape[2], shape[3] or "/"
    if "@" in authority:
        raise _refused("url_userinfo", "no user name or password may stand in the URL", "use a custom header")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _refused("url_host", f"{authority!r} is not a host with an optional port")
    host, literal = _parse_host(parts[1].lower())
    port = int(parts[2]) if parts[2] else (443 if scheme == "https" else 80)
    if port > 65_535 or (port not in rules.ports and not _may_be_allowed(literal, rules)):
        raise _refused_port(port, rules)
    return Target(scheme, host, port, path if path.startswith("/") else "/" + path, literal)


def _parse_host(host: str) -> tuple[str, Address | None]:
    if host.startswith("["):
        try:
            address = IPv6Address(host[1:-1])
        except AddressValueError as error:
            raise _refused("url_host", f"{host} is not an IPv6 address") from error
        return str(address), address
    labels = host.split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        try:
            return host, ip_address(host)
        except ValueError as error:
            raise _refused("url_host", f"{host} is an odd spelling of an address", "192.0.2.1") from error
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _refused("url_host", f"{host!r} is not a host name", "no trailing dot, no empty label")
    return host, None


def _may_be_allowed(literal: Address | None, rules: EgressRules) -> bool:
    """An unlisted port stays possible only where the operator's networks can be meant."""
    return rules.allows(literal) if literal is not None else bool(rules.allow)


def _refused(reason: str, detail: str, cure: str = "") -> InvalidError:
    return InvalidError(reason, detail, pointer="/url", cure=cure)


def _refused_port(port: int, rules: EgressRules) -> InvalidError:
    ports = ", ".join(map(str, sorted(rules.ports)))
    return _refused("port_refused", f"port {port} may not be called", f"use one of {ports}")
