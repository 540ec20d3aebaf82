"""A server that runs for us: its address, its logins and databases, and its end."""

from __future__ import annotations

import atexit
import os
from dataclasses import replace
from types import TracebackType
from typing import Self

from app.embedded import roles
from app.embedded.access import DATABASE, OWNER, SUPERUSER, Access, ServiceUrls
from app.embedded.control import Arrival, Control
from app.embedded.home import Home
from app.embedded.lock import HomeLock


class RunningPostgres:
    """The embedded server while we hold its home. Leaving the `with` block, `stop`, or the end of
    the process stops it; after SIGKILL the next start takes it over.
    """

    def __init__(self, control: Control, lock: HomeLock, access: Access, arrival: Arrival) -> None:
        self.access = access
        self.arrival = arrival
        self._control = control
        self._lock = lock
        self._holder = os.getpid()
        atexit.register(self._stop_at_exit)

    @property
    def home(self) -> Home:
        """Where it really lies: for root perhaps not in the folder that was asked for."""
        return self._control.home

    @property
    def host(self) -> str:
        """Always the loopback address."""
        return self.access.host

    @property
    def port(self) -> int:
        """The same at the next start, while it is free."""
        return self.access.port

    @property
    def superuser(self) -> str:
        """The login that may do everything."""
        return SUPERUSER

    @property
    def password(self) -> str:
        """The superuser's password."""
        return self.access.password_of(SUPERUSER)

    @property
    def pid(self) -> int | None:
        """The server's process; None when it was killed under us."""
        found = self._control.find()
        return None if found is None else found.pid

    @property
    def superuser_url(self) -> str:
        """The superuser's way into the server's own database."""
        return self.dsn("postgres")

    @property
    def migration_url(self) -> str:
        """MIGRATION_URL: the owner of the service's database; `ensure_roles` makes both."""
        return self.access.urls().migration_url

    @property
    def database_url(self) -> str:
        """DATABASE_URL: the service's login; `ensure_roles` makes it."""
        return self.access.urls().database_url

    def dsn(self, database: str = DATABASE, login: str = SUPERUSER) -> str:
        """The URL by which `login` (default: the superuser) reaches `database`."""
        return self.access.dsn(database, login)

    def ensure_roles(self, database: str = DATABASE) -> ServiceUrls:
        """The logins `vidhuk_owner` and `vidhuk`, and the database that the first one owns."""
        roles.ensure_roles(self.access)
        self.ensure_database(database)
        return self.access.urls(database)

    def ensure_database(self, name: str, *, owner: str = OWNER, template: str | None = None) -> bool:
        """Make a database, or a copy of `template` (which nobody may be using); False when it was there."""
        return roles.ensure_database(self.access, name, owner=owner, template=template)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        roles.drop_database(self.access, name)

    def restart(self) -> None:
        """Stop the server if it runs and start it again on the same port: what was committed is there."""
        self._control.stop()
        replace(self._control, asked_port=self.port).start()

    def stop(self) -> None:
        """Stop the server and let go of its home; a second call does nothing."""
        if not self._lock.held:
            return
        try:
            self._control.stop()
        finally:
            self._lock.release()
            atexit.unregister(self._stop_at_exit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _stop_at_exit(self) -> None:
        if os.getpid() == self._holder:  # a forked child must not stop its parent's server
            self.stop()
