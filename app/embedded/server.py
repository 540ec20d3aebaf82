"""Brings up the server of a home: finds its place, takes its lock, makes its cluster, starts it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from app.embedded.access import SUPERUSER, Access
from app.embedded.account import find_owner
from app.embedded.cluster import check_version, create_cluster
from app.embedded.control import Arrival, Control
from app.embedded.home import Home
from app.embedded.lock import HomeLock
from app.embedded.place import bring_along, choose_home, hand_over, list_places
from app.embedded.processes import find_postmaster
from app.embedded.programs import settle_programs
from app.embedded.running import RunningPostgres

log = structlog.get_logger()


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A PostgreSQL 18 of our own in `data_dir`, on loopback; `durable=False` is faster, not safe (tests)."""

    data_dir: Path
    port: int | None = None
    durable: bool = True

    def start(self) -> RunningPostgres:
        """Start it, or take over the one that a killed process left. Raises EmbeddedError, which tells
        its reader what to do: also when another process already runs it (`already_running`).
        """
        home = choose_home(self.data_dir)
        home.prepare()
        lock = HomeLock.claim(home.lock)
        try:
            return self._start(home, lock)
        except BaseException:
            lock.release()
            raise

    def _start(self, home: Home, lock: HomeLock) -> RunningPostgres:
        bring_along(self.data_dir, home)
        control = Control(home, settle_programs(home), self.port, self.durable)
        access = Access(port=0, secret=home.get_secret())
        made = not home.has_cluster()
        if made:
            create_cluster(home, control.programs, access.password_of(SUPERUSER), durable=self.durable)
        check_version(home, control.programs)
        if home.account and find_owner(home.data) != home.account:  # it was copied, or restored, by root
            hand_over(home, home.data)
        try:
            port, arrival = control.start()
        except BaseException:  # Ctrl-C as well: nothing may go on running unwatched
            control.stop()
            raise
        if made:
            arrival = Arrival.CREATED
        log.info("embedded_running", home=str(home.folder), port=port, arrival=arrival)
        return RunningPostgres(control, lock, replace(access, port=port), arrival)


def start_embedded(data_dir: Path, *, port: int | None = None, durable: bool = True) -> RunningPostgres:
    """Start the embedded server of `data_dir` (see EmbeddedPostgres)."""
    return EmbeddedPostgres(data_dir, port, durable).start()


def find_running(data_dir: Path) -> Access | None:
    """The way into the server of `data_dir` that another process runs (`make run` next door), if any."""
    for place in list_places(data_dir):
        home = Home(place, None)
        port = home.find_port()
        if port is not None and find_postmaster(home.data) and os.access(home.secret, os.R_OK):
            return Access(port, home.get_secret())
    return None
