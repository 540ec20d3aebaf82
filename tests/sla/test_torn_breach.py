"""The breach and its webhook are one commit: whichever statement is the last, there are both or neither."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from app.sla.rehearsal import Rehearsals
from app.sla.telling import tell
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_to_table")


class _Saboteur:
    """Cuts the connection off at the n-th statement that any of them is given; then no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        for name in _STATEMENTS:
            monkeypatch.setattr(asyncpg.Connection, name, self._watched(getattr(asyncpg.Connection, name)))

    def _watched(self, statement: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(connection: asyncpg.Connection, *arguments: Any, **options: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    self.left = None
                    connection.terminate()
                    raise asyncpg.ConnectionDoesNotExistError("cut off here")
            return await statement(connection, *arguments, **options)

        return watched


async def _told(bench: Bench) -> tuple[int, int, int]:
    """Breaches in the ledger, in the journal and in the outbox."""
    (row,) = await bench.fetch(
        "SELECT (SELECT count(*) FROM announcements WHERE tenant_id = $1 AND kind = 'breached') AS ledger, "
        "(SELECT count(*) FROM events WHERE tenant_id = $1 AND type = 'sla.breached') AS journal, "
        "(SELECT count(*) FROM outbox WHERE tenant_id = $1 AND type = 'sla.breached') AS outbox"
    )
    return row["ledger"], row["journal"], row["outbox"]


async def test_a_cut_at_any_statement_leaves_the_breach_and_its_webhook_or_neither(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.case("case.opened")
    bench.clock.advance(seconds=61)
    saboteur = _Saboteur(monkeypatch)
    cuts = 0
    while True:
        saboteur.left = cuts + 1
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await bench.loop.step()
        reached, saboteur.left = saboteur.left is None, None
        told = await _told(bench)
        assert told in ((0, 0, 0), (1, 1, 1)), f"cut at statement {cuts + 1}"
        if not reached or told == (1, 1, 1):
            break
        cuts += 1
    await bench.tick()
    assert await _told(bench) == (1, 1, 1)
    assert cuts > 8  # it was cut off inside the transaction, not only before it


async def test_a_cut_while_a_rehearsed_breach_is_told_leaves_all_of_it_or_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60, warnings=[], escalation=[])))
    await bench.case("case.opened")
    bench.clock.advance(seconds=50)
    journal = bench.services.journal
    rehearsals = Rehearsals(journal, bench.services.timers)
    while await rehearsals.step() == 0.0:
        pass
    due = await bench.fetch("SELECT tenant_id, subject_id FROM sla_due WHERE tenant_id = $1")
    rehearsed = rehearsals.take(due)[bench.tenant_id]
    bench.clock.advance(seconds=15)
    saboteur = _Saboteur(monkeypatch)
    cuts, told = 0, frozenset[Any]()
    while not told:
        saboteur.left = cuts + 1
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            told = await tell(journal, bench.tenant_id, rehearsed)
        saboteur.left = None
        assert await _told(bench) == ((1, 1, 1) if told else (0, 0, 0)), f"cut at statement {cuts + 1}"
        cuts += 1
    assert cuts > 8  # also between its three inserts
    assert await tell(journal, bench.tenant_id, rehearsed) == frozenset()
    await bench.tick()
    assert await _told(bench) == (1, 1, 1)
