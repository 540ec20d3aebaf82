"""The embedded server from its first start to its recovery from every kind of kill."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from pathlib import Path

import asyncpg
import pytest
from keeper import Keeper

from app.embedded import Arrival, EmbeddedError, RunningPostgres, find_running, start_embedded
from app.embedded.processes import command_of, list_processes_in


def ask(server: RunningPostgres, query: str, database: str = "postgres") -> object:
    async def session() -> object:
        connection = await asyncpg.connect(server.dsn(database), ssl=False)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(session())


def wait_until_gone(pid: int) -> None:
    give_up_at = time.monotonic() + 10
    while command_of(pid):
        assert time.monotonic() < give_up_at, f"process {pid} is still there"
        time.sleep(0.02)


def test_a_second_start_keeps_the_data_the_port_and_the_password(home: Path) -> None:
    with start_embedded(home, durable=False) as server:
        assert server.arrival is Arrival.CREATED
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        first = server.dsn()
    with start_embedded(home, durable=False) as server:
        assert server.arrival is Arrival.STARTED
        assert server.dsn() == first
        assert ask(server, "SELECT answer FROM kept") == 42


def test_leaving_the_block_stops_the_server(made_home: Path) -> None:
    with start_embedded(made_home, durable=False) as server:
        pid = server.pid
        assert pid is not None
        assert "postgres" in command_of(pid)
    assert command_of(pid) == ""
    server.stop()


def test_the_end_of_the_process_stops_the_server(made_home: Path) -> None:
    keeper = Keeper(made_home, wait=False).wait_ready()
    keeper.process.communicate(timeout=30)
    assert keeper.process.returncode == 0
    assert command_of(keeper.server_pid) == ""


def test_a_run_is_durable_unless_it_is_told_otherwise(made_home: Path) -> None:
    with start_embedded(made_home) as server:
        assert ask(server, "SELECT current_setting('fsync')") == "on"
        assert ask(server, "SELECT current_setting('synchronous_commit')") == "on"
    with start_embedded(made_home, durable=False) as server:
        assert ask(server, "SELECT current_setting('fsync')") == "off"


def test_two_starts_at_once_give_one_server_and_one_clear_refusal(home: Path) -> None:
    keepers = [Keeper(home), Keeper(home)]
    try:
        give_up_at = time.monotonic() + 60
        while all(keeper.process.poll() is None for keeper in keepers):
            assert time.monotonic() < give_up_at, "neither was refused"
            time.sleep(0.05)
        refused, winner = sorted(keepers, key=lambda keeper: keeper.process.poll() is None)
        winner.wait_ready()
        complaint = refused.process.communicate()[1]
        assert refused.process.returncode == 1
        assert complaint.startswith("already_running: ")
        assert f"process {winner.process.pid}" in complaint
        assert "VIDHUK_HOME" in complaint
    finally:
        for keeper in keepers:
            keeper.kill()
        start_embedded(home, durable=False).stop()


def test_a_server_left_by_a_killed_keeper_is_adopted_and_stopped_at_the_end(made_home: Path) -> None:
    keeper = Keeper(made_home).wait_ready()
    keeper.kill()
    assert "postgres" in command_of(keeper.server_pid)
    with start_embedded(made_home, durable=False) as server:
        assert server.arrival is Arrival.ADOPTED
        assert (server.pid, server.port) == (keeper.server_pid, keeper.port)
        assert ask(server, "SELECT 1") == 1
    assert command_of(keeper.server_pid) == ""


def test_a_left_server_with_other_settings_is_stopped_and_started_anew(made_home: Path) -> None:
    keeper = Keeper(made_home, durable=False).wait_ready()
    keeper.kill()
    with start_embedded(made_home, durable=True) as server:
        assert server.arrival is Arrival.STARTED
        assert server.pid != keeper.server_pid
        assert ask(server, "SELECT current_setting('fsync')") == "on"


def take_over(intruder: socket.socket, server: RunningPostgres) -> None:
    """Bind the port of a killed server; its children hold it until they notice."""
    until = time.monotonic() + 10
    while True:
        try:
            return intruder.bind((server.host, server.port))
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_what_was_committed_survives_the_kill_of_the_server(made_home: Path) -> None:
    with start_embedded(made_home) as server:
        ask(server, "CREATE TABLE survived AS SELECT 42 AS answer")
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert server.pid is None
        with socket.socket() as intruder:
            intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            take_over(intruder, server)
            intruder.listen()
            with pytest.raises(EmbeddedError):  # another port would leave everybody with a stale address
                server.restart()
        server.restart()
        assert server.pid not in (None, pid)
        assert ask(server, "SELECT answer FROM survived") == 42


def test_a_busy_backend_of_a_killed_server_does_not_keep_a_new_one_out(made_home: Path) -> None:
    endless = "SELECT count(*) FROM generate_series(1, 100000000000)"
    with start_embedded(made_home, durable=False) as server:

        def be_busy() -> None:
            with pytest.raises((asyncpg.PostgresError, OSError)):
                ask(server, endless)

        client = threading.Thread(target=be_busy)
        client.start()
        while ask(server, f"SELECT count(*) FROM pg_stat_activity WHERE query = '{endless}'") != 1:
            time.sleep(0.02)
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert list_processes_in(server.home.data), "the busy backend should have outlived its server"
        server.restart()
        client.join(10)
        assert not client.is_alive()
        assert ask(server, "SELECT 1") == 1


def test_a_kept_port_that_another_program_took_is_replaced(made_home: Path) -> None:
    with start_embedded(made_home, durable=False) as server:
        port = server.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with start_embedded(made_home, durable=False) as server:
            assert server.port != port
            assert ask(server, "SELECT 1") == 1
        with pytest.raises(EmbeddedError) as refusal:
            start_embedded(made_home, port=port, durable=False)
    assert refusal.value.reason == "port_taken"


def test_a_neighbour_finds_the_running_server_and_only_the_running_one(home: Path) -> None:
    assert find_running(home) is None
    with start_embedded(home, durable=False) as server:
        found = find_running(home)
        assert found is not None
        assert found.urls() == server.access.urls()
    assert find_running(home) is None


def test_a_cluster_that_was_not_finished_is_made_again(home: Path) -> None:
    with start_embedded(home, durable=False) as server:
        data = server.home.data
    draft = data.with_name("data.new-half")
    data.rename(draft)
    (draft / "global" / "pg_control").unlink()
    with start_embedded(home, durable=False) as server:
        assert server.arrival is Arrival.CREATED
        assert not draft.exists()
        assert ask(server, "SELECT 1") == 1


def test_the_cluster_of_another_major_version_is_refused_with_the_way_out(made_home: Path) -> None:
    with start_embedded(made_home, durable=False) as server:
        version = server.home.data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedError) as refusal:
        start_embedded(made_home, durable=False)
    assert refusal.value.reason == "other_version"
    assert "PostgreSQL 17" in str(refusal.value)
    assert "pg_dumpall" in refusal.value.cure
    version.write_text("18\n")
    start_embedded(made_home, durable=False).stop()


def test_a_server_that_cannot_start_says_why_and_lets_go_of_its_home(made_home: Path) -> None:
    with start_embedded(made_home, durable=False) as server:
        settings = server.home.data / "postgresql.auto.conf"
    settings.write_text("work_mem = 'much'\n")
    with pytest.raises(EmbeddedError) as refusal:
        start_embedded(made_home, durable=False)
    assert refusal.value.reason == "start_failed"
    assert "work_mem" in refusal.value.detail
    settings.write_text("")
    start_embedded(made_home, durable=False).stop()
