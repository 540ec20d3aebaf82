"""Opens a connection to one of the vetted addresses, telling each way of not getting there apart."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.delivery import FailureKind
from app.domain.egress import Address
from app.domain.target import Target
from app.webhooks.connection import Connection

MAX_ADDRESSES = 4
CONNECT_SECONDS = 5.0
NEVER_SECONDS = 3_600.0  # one deadline rules the whole attempt: a second one for the handshake would blur it

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})


class WireError(Exception):
    """An attempt that got no whole reply, with the class that log and metrics show."""

    def __init__(self, kind: FailureKind, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status


@dataclass(slots=True)
class Progress:
    """How far an attempt got, so that a timeout can say where."""

    phase: str = "looking the name up"
    connection: Connection | None = None

    @property
    def status(self) -> int | None:
        """The status of a reply that never ended."""
        return self.connection.status if self.connection else None


def tls_context(extra_ca_file: str | None = None) -> ssl.SSLContext:
    """Verifying TLS of version 1.2 and later; `extra_ca_file` adds an operator's own authority."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if extra_ca_file is not None:
        context.load_verify_locations(extra_ca_file)
    return context


async def dial(
    target: Target, addresses: Sequence[Address], tls: ssl.SSLContext, progress: Progress
) -> tuple[Address, Connection]:
    """Connect to the first vetted address that answers. Raises WireError with the last one's fault.

    The socket is connected to the address itself; the name serves for SNI and the certificate only.
    """
    tried = addresses[:MAX_ADDRESSES]
    for address in tried:
        progress.phase = f"connecting to {address}"
        try:
            if address is tried[-1]:
                return address, await _open(address, target, tls, progress)
            async with asyncio.timeout(CONNECT_SECONDS):
                return address, await _open(address, target, tls, progress)
        except (WireError, TimeoutError):
            if address is tried[-1]:
                raise
    raise WireError(FailureKind.DNS, f"{target.host} has no address")


async def _open(address: Address, target: Target, tls: ssl.SSLContext, progress: Progress) -> Connection:
    loop = asyncio.get_running_loop()
    connected = await _connect(loop, address, target.port)
    if not target.is_tls:
        return (await loop.create_connection(Connection, sock=connected))[1]
    progress.phase = "shaking hands for TLS"
    try:
        _, connection = await loop.create_connection(
            Connection,
            sock=connected,
            ssl=tls,
            server_hostname=target.host,
            ssl_handshake_timeout=NEVER_SECONDS,
        )
    except ssl.SSLCertVerificationError as error:
        raise WireError(FailureKind.TLS, f"certificate: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise WireError(FailureKind.TLS, f"handshake: {error.reason or error}") from error
    except ConnectionError as error:
        raise WireError(FailureKind.TLS, "the receiver ended the handshake") from error
    return connection


async def _connect(loop: asyncio.AbstractEventLoop, address: Address, port: int) -> socket.socket:
    unconnected = socket.socket(
        socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM
    )
    try:
        unconnected.setblocking(False)
        await loop.sock_connect(unconnected, (str(address), port))
    except BaseException as error:
        unconnected.close()
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            raise WireError(_kind_of(error), f"{address} port {port}: {error.strerror or error}") from error
        raise
    return unconnected


def _kind_of(error: OSError) -> FailureKind:
    if isinstance(error, ConnectionRefusedError):
        return FailureKind.REFUSED
    return FailureKind.UNREACHABLE if error.errno in _UNREACHABLE else FailureKind.RESET
