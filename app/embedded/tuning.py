"""The server's settings, given on its command line: what runs can be compared with what we would run."""

from __future__ import annotations

from app.embedded.access import HOST

_ALWAYS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
# For tests only: a machine that loses power loses the cluster; a process that is killed does not.
_THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def list_options(port: int, *, durable: bool) -> list[str]:
    """The `-c name=value` words of one server."""
    settings = {"port": str(port), **_ALWAYS, **(_DURABLE if durable else _THROWAWAY)}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
