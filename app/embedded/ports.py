"""A port for the server: the kept one while it is free, else one that no outgoing connection takes."""

from __future__ import annotations

import secrets
import socket

from app.embedded.access import HOST
from app.embedded.errors import EmbeddedError

# Below the range from which Linux (32768) and macOS (49152) take the ports of outgoing connections.
_FIRST, _COUNT = 20_000, 10_000
_TRIES = 50


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose_port(asked: int | None, kept: int | None) -> int:
    """The port to start on. Raises EmbeddedError (`port_taken`) when the asked one is not free."""
    if asked is not None:
        if not is_free(asked):
            raise EmbeddedError(
                "port_taken",
                f"Another program listens on {HOST}:{asked}.",
                cure="Stop it, or ask for another port.",
            )
        return asked
    if kept is not None and is_free(kept):
        return kept
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(_COUNT)
        if is_free(port):
            return port
    raise EmbeddedError(
        "port_taken",
        f"No free port was found between {_FIRST} and {_FIRST + _COUNT}.",
        cure="Stop some servers, or ask for a port.",
    )
