"""What is worded before its time is told as if it were read then, and never when something came between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.journal.journal import Journal
from app.privacy.erasure import ErasureLoop
from app.sla.loop import SlaLoop
from app.sla.rehearsal import Rehearsals
from app.wiring import Services
from tests.sla.conftest import Bench, Told, acknowledge_within, policy_document

_PLAIN = acknowledge_within(60, warnings=[], escalation=[])
_TICK = timedelta(microseconds=1)
_PUT_DOWN = """
SELECT e.*, a.announced_at, a.at, a.provisional, a.quiet, a.level, a.revision, o.sequence, o.type AS told_as,
       o.occurred_at AS told_at, o.created_at, a.subject_id AS about, a.cycle, a.timer,
       (o.data->>'sequence')::bigint AS told_sequence, (o.data->>'detected_at')::timestamptz AS detected_at
  FROM announcements a JOIN events e USING (tenant_id, event_id) JOIN outbox o USING (tenant_id, event_id)
 WHERE a.tenant_id = $1 ORDER BY e.position
"""


class Process:
    """A worker that rehearses."""

    def __init__(self, services: Services) -> None:
        self.rehearsals = Rehearsals(services.journal, services.timers)
        self.loop = SlaLoop(
            services.database, services.journal, services.bell, poll_seconds=1.0, rehearsals=self.rehearsals
        )

    async def rehearse(self) -> None:
        """Look at everything of the next half minute."""
        while await self.rehearsals.step() == 0.0:
            pass


@pytest.fixture
async def process(bench: Bench) -> AsyncIterator[Process]:
    await bench.put_policy(policy_document(_PLAIN))
    yield Process(bench.services)


def was_rehearsed(told: Told) -> bool:
    """A rehearsal reads the clock as of the first instant of the breach, a live look as of its commit."""
    reading = told.data["reading"]
    as_of = datetime.fromisoformat(reading["as_of"])
    if as_of == datetime.fromisoformat(reading["due_at"]) + _TICK:
        return True
    assert is_as_of_telling(told)
    return False


def is_as_of_telling(told: Told) -> bool:
    """Whether its clock was read under the lock under which it was told."""
    return bool(told.data["reading"]["as_of"] == told.data["detected_at"])


async def told_of(bench: Bench) -> dict[str, Told]:
    """The breaches that were told, by reference."""
    found = {item.data["subject"]["refs"][0]: item for item in await bench.told()}
    assert len(found) == len(await bench.told())
    return found


async def test_a_rehearsed_breach_is_told_with_the_same_words_and_rows_as_one_that_was_not(
    bench: Bench, process: Process
) -> None:
    for ref in ("live", "rehearsed"):
        await bench.case("case.opened", ref, {"channel": "call"})
        bench.clock.advance(seconds=40)
        if ref == "rehearsed":
            await process.rehearse()
        bench.clock.advance(seconds=30)
        await process.loop.step()
    told = await told_of(bench)
    assert {ref: was_rehearsed(item) for ref, item in told.items()} == {"live": False, "rehearsed": True}
    assert keys_of(told["live"].data) == keys_of(told["rehearsed"].data)
    assert told["rehearsed"].data["sequence"] > told["live"].data["sequence"]
    assert await bench.fetch("SELECT FROM sla_due WHERE tenant_id = $1") == []
    live, rehearsed = (dict(row) for row in await bench.fetch(_PUT_DOWN))
    assert_same_but_for_whom(live, rehearsed)


def assert_same_but_for_whom(live: dict[str, Any], rehearsed: dict[str, Any]) -> None:
    """Journal, ledger and outbox hold the same of both, each with its own ids and times."""
    assert {name for name, value in live.items() if value != rehearsed[name]} == {
        "position", "sequence", "told_sequence", "event_id", "external_id", "fingerprint", "fact",
        "subject_id", "about", "caused_by", "cycle", "occurred_at", "told_at", "at", "recorded_at",
        "received_at", "announced_at", "created_at", "detected_at",
    }  # fmt: skip
    assert keys_of(live["fact"]) == keys_of(rehearsed["fact"])
    for row in (live, rehearsed):
        assert row["position"] == row["sequence"] == row["told_sequence"]
        assert row["external_id"] == str(row["event_id"])
        assert row["fingerprint"] == row["event_id"].bytes
        assert (row["subject_id"], row["caused_by"]) == (row["about"], row["cycle"])
        assert row["occurred_at"] == row["told_at"] == row["at"]
        assert {row[name] for name in ("received_at", "announced_at", "created_at", "detected_at")} == {
            row["recorded_at"]
        }


def keys_of(value: Any) -> Any:
    """The shape of a document."""
    if isinstance(value, dict):
        return {key: keys_of(item) for key, item in value.items()}
    return type(value).__name__ if not isinstance(value, int | float) else "number"


async def test_a_rehearsal_counts_only_for_what_nothing_was_told_of_since(
    bench: Bench, process: Process
) -> None:
    for ref in ("stopped", "assigned", "untouched"):
        await bench.case("case.opened", ref)
    bench.clock.advance(seconds=50)
    await process.rehearse()
    await bench.case("case.acknowledged", "stopped")
    await bench.case("case.assigned", "assigned", {"assignee": "olena"})
    bench.clock.advance(seconds=15)
    await process.loop.step()
    told = {ref: item for ref, item in (await told_of(bench)).items() if item.type == "sla.breached"}
    assert {ref: was_rehearsed(item) for ref, item in told.items()} == {"assigned": False, "untouched": True}
    assert told["assigned"].data["standing"]["assignee"] == "olena"


async def test_a_rehearsal_does_not_outlive_the_configuration_it_was_made_under(
    bench: Bench, process: Process
) -> None:
    await bench.case("case.opened")
    bench.clock.advance(seconds=50)
    await process.rehearse()
    await bench.put_source("crm", grace_seconds=600)
    bench.clock.advance(seconds=15)
    await process.loop.step()
    (told,) = await bench.told()
    assert (told.data["confidence"], was_rehearsed(told)) == ("provisional", False)


async def test_a_source_that_fell_silent_since_makes_a_rehearsed_breach_provisional(
    bench: Bench, process: Process
) -> None:
    await bench.case("case.opened")
    await bench.execute(
        "UPDATE sources SET handles_cases = true, expected_every_seconds = 62 WHERE tenant_id = $1"
    )
    await bench.execute("UPDATE tenant_head SET config_version = config_version + 1 WHERE tenant_id = $1")
    bench.clock.advance(seconds=50)
    await process.rehearse()
    bench.clock.advance(seconds=15)
    await process.loop.step()
    (told,) = await bench.told()
    assert (told.data["confidence_reason"], was_rehearsed(told)) == ("source_silent", False)


async def test_who_sleeps_past_the_next_mark_tells_both_once(bench: Bench, process: Process) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60, warnings=[90], escalation=[])))
    await bench.case("case.opened")
    bench.clock.advance(seconds=40)
    await process.rehearse()  # the warning at 54 s
    bench.clock.advance(seconds=30)
    await process.loop.step()
    assert await bench.types() == ["sla.warning", "sla.breached"]
    assert not was_rehearsed((await bench.told())[1])
    await bench.tick()
    assert len(await bench.types()) == 2


async def test_who_sleeps_past_the_next_mark_costs_its_neighbour_nothing(
    bench: Bench, process: Process
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60, warnings=[90], escalation=[])))
    await bench.case("case.opened", "early")
    bench.clock.advance(seconds=10)
    await bench.case("case.opened", "late")
    bench.clock.advance(seconds=30)
    await process.rehearse()  # the warnings at 54 and at 64 s
    bench.clock.advance(seconds=26)
    await process.loop.step()
    told = [
        (item.data["subject"]["refs"][0], item.type, is_as_of_telling(item)) for item in await bench.told()
    ]
    assert sorted(told) == [
        ("early", "sla.breached", True),
        ("early", "sla.warning", True),
        ("late", "sla.warning", False),
    ]
    assert len(await bench.fetch("SELECT FROM sla_due WHERE tenant_id = $1")) == 1


async def test_two_processes_that_rehearsed_the_same_tell_it_once(
    bench: Bench, process: Process, other_services: Services
) -> None:
    other = Process(other_services)
    for number in range(12):
        await bench.case("case.opened", f"T-{number}")
    bench.clock.advance(seconds=50)
    await process.rehearse()
    await other.rehearse()
    bench.clock.advance(seconds=15)
    await asyncio.gather(process.loop.step(), other.loop.step())
    assert [was_rehearsed(item) for item in (await told_of(bench)).values()] == [True] * 12


async def test_a_process_is_rushed_while_it_tells_but_never_for_long(
    bench: Bench, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.case("case.opened")
    bench.clock.advance(seconds=50)
    await process.rehearse()
    bench.clock.advance(seconds=15)
    during: list[bool] = []
    lock = Journal.lock

    async def watched(*arguments: Any, **options: Any) -> Any:
        during.append(process.loop.is_rushed())
        monkeypatch.setattr("app.sla.loop.RUSH_SECONDS", 0.0)
        during.append(process.loop.is_rushed())
        return await lock(*arguments, **options)

    monkeypatch.setattr(Journal, "lock", watched)
    await process.loop.step()
    monkeypatch.undo()
    assert during == [True, False]
    assert not process.loop.is_rushed()
    assert len(await bench.told()) == 1


async def test_who_was_forgotten_since_is_in_no_message(bench: Bench, process: Process) -> None:
    customer = {"type": "phone", "value": "+380501112233"}
    services = bench.services
    await bench.case("case.opened", "call +380501112233", {"channel": "call", "customer": customer})
    bench.clock.advance(seconds=50)
    await process.rehearse()
    answer = await bench.client.post("/v1/privacy/erasures", json={"customer": customer})
    assert answer.status_code == 202
    await ErasureLoop(services.journal, services.sealer, services.bell).step()
    bench.clock.advance(seconds=15)
    await process.loop.step()
    (told,) = await bench.told()
    assert "380501112233" not in str(told.data)
    assert not was_rehearsed(told)


async def test_what_is_rehearsed_again_is_read_anew(bench: Bench, process: Process) -> None:
    await bench.case("case.opened")
    bench.clock.advance(seconds=40)
    await process.rehearse()
    await bench.case("case.assigned", data={"assignee": "olena"})
    await process.rehearse()
    bench.clock.advance(seconds=25)
    await process.loop.step()
    (told,) = [item for item in await bench.told() if item.type == "sla.breached"]
    assert (told.data["standing"]["assignee"], was_rehearsed(told)) == ("olena", True)


async def test_a_subject_that_cannot_be_rehearsed_costs_its_neighbours_no_breach(
    bench: Bench, process: Process
) -> None:
    for number in range(3):
        await bench.case("case.opened", f"T-{number}")
    await bench.execute(
        "UPDATE events SET fact = '[]' WHERE tenant_id = $1 AND subject_id = "
        "(SELECT subject_id FROM subject_aliases WHERE tenant_id = $1 AND ref = 'T-1')"
    )
    bench.clock.advance(seconds=50)
    await process.rehearse()
    bench.clock.advance(seconds=15)
    await process.loop.step()
    told = await told_of(bench)
    assert {ref: was_rehearsed(item) for ref, item in told.items()} == {"T-0": True, "T-2": False}
