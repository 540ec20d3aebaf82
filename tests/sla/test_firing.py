"""The loop and the door together: what is announced of a timer, when, and exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from app.db.engine import Tx
from app.journal.ports import Announcement, Commit, Place
from app.sla.loop import SlaSweep
from app.wiring import Services
from tests.sla.conftest import Bench, acknowledge_within, loop_of, policy_document


async def test_a_complaint_is_warned_of_then_breached_then_escalated(bench: Bench) -> None:
    opened_at = await bench.post(
        "feedback.received", None, {"channel": "call", "kind": "complaint", "text": "nobody called back"}
    )
    await bench.tick()
    assert await bench.types() == []
    await bench.tick(31)
    assert await bench.types() == ["sla.warning"]
    await bench.tick(14)  # real seconds pass too, on a slow machine more than one
    assert await bench.types() == ["sla.warning"]
    await bench.tick(16)
    assert await bench.types() == ["sla.warning", "sla.breached", "sla.escalated"]
    await bench.tick(60)
    told = await bench.told()
    assert [item.type for item in told] == ["sla.warning", "sla.breached", "sla.escalated", "sla.escalated"]
    warned, breached, first, second = (item.data for item in told)
    due_at = (opened_at + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    assert breached["reading"]["due_at"].replace("+00:00", "Z") == due_at
    assert (warned["percent"], first["to"], second["to"]) == (50, "assignee", "manager")
    assert breached["confidence"] == "final"
    assert breached["reading"]["state"] == "breached"
    assert "acknowledge runs from" in breached["explanation"]
    assert "nobody called back" not in str(breached)


async def test_a_breach_is_told_once_however_often_the_loop_looks(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.tick(61)
    told = await bench.types()
    for _ in range(3):
        await bench.tick()
    await bench.case("case.assigned", data={"assignee": "olena"})
    assert await bench.types() == told
    ledger = await bench.fetch("SELECT kind FROM announcements WHERE tenant_id = $1 AND kind = 'breached'")
    assert len(ledger) == 1


async def test_two_processes_that_fire_at_once_tell_each_breach_once(
    bench: Bench, other_services: Services
) -> None:
    for number in range(12):
        await bench.case("case.opened", f"T-{number}")
    bench.clock.advance(seconds=61)
    loops = [loop_of(bench.services), loop_of(other_services)] * 2
    await asyncio.gather(*(loop.step() for loop in loops))
    types = await bench.types()
    assert types.count("sla.breached") == 12
    events = await bench.fetch("SELECT event_id FROM events WHERE tenant_id = $1 AND type = 'sla.breached'")
    assert len(events) == 12


async def test_the_loop_sleeps_until_the_next_due_time(bench: Bench) -> None:
    await bench.case("case.opened")
    bench.clock.advance(seconds=29.5)
    assert 0 < await bench.loop.step() <= 0.5
    assert await bench.types() == []


async def test_an_interaction_without_an_offer_is_missed_and_one_with_an_offer_is_not(bench: Bench) -> None:
    await bench.post("interaction.ended", ("interaction", "call-1"), {"channel": "call"})
    await bench.post("interaction.ended", ("interaction", "call-2"), {"channel": "call"})
    await bench.post("feedback.offered", ("interaction", "call-2"))
    await bench.post("interaction.ended", ("interaction", "call-3"), {"channel": "call"})
    rating = {"channel": "call", "question": "nps", "scale": "nps_0_10", "value": 9, "interaction": "call-3"}
    await bench.post("feedback.received", None, rating)
    await bench.tick(21)
    missed = [
        told.data["subject"]["refs"] for told in await bench.told() if told.type == "feedback_offer.missed"
    ]
    assert missed == [["call-1"]]
    assert (await bench.types()).count("sla.met") == 2


async def test_a_late_acknowledgement_is_met_late_after_its_breach(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.tick(61)
    await bench.tick(10)
    await bench.case("case.acknowledged")
    told = await bench.told()
    types = [item.type for item in told]
    assert (types[-1], types.count("sla.breached"), types.count("sla.met")) == ("sla.met_late", 1, 0)
    assert 10 <= told[-1].data["reading"]["late_seconds"] < 15


async def test_an_acknowledgement_in_time_but_told_late_revokes_the_breach(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.tick(61)
    await bench.case("case.acknowledged", ago=20)
    told = [(item.type, item.revision) for item in await bench.told() if item.type != "sla.escalated"]
    assert told[-3:] == [("sla.breached", 0), ("sla.breach_revoked", 0), ("sla.met", 1)]
    (row,) = await bench.fetch("SELECT state FROM sla_timers WHERE tenant_id = $1 AND timer = 'acknowledge'")
    assert row["state"] == "met"
    await bench.tick(120)
    assert len(await bench.told()) == len(told) + 1


async def test_a_breach_that_was_revoked_can_stand_again(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.tick(61)
    await bench.case("case.acknowledged", id="ack-1", ago=20)
    await bench.post("event.retracted", None, {"event": "ack-1"})
    told = [(item.type, item.revision) for item in await bench.told() if "breach" in item.type]
    assert told == [("sla.breached", 0), ("sla.breach_revoked", 0), ("sla.breached", 1)]


async def test_filled_in_history_is_decided_and_counted_but_not_announced(bench: Bench) -> None:
    query = "?backfill=true&open_cases=true"
    old = {"channel": "call", "kind": "complaint", "text": "cold tea"}
    await bench.post("feedback.received", None, old, ago=86_400, query=query)
    await bench.post("interaction.ended", ("interaction", "old"), ago=86_400, query=query)
    await bench.tick(5)
    assert await bench.types() == []
    timers = (await bench.get("/v1/sla/timers?overdue=true"))["items"]
    assert sorted(timer["timer"] for timer in timers) == ["acknowledge", "feedback_offer"]
    assert {timer["state"] for timer in timers} == {"breached"}
    assert await bench.fetch("SELECT 1 FROM announcements WHERE tenant_id = $1") == []


async def test_filled_in_history_that_falls_due_later_fires(bench: Bench) -> None:
    due_at = (bench.clock() + timedelta(seconds=30)).isoformat()
    await bench.case("case.opened", data={"due_at": due_at}, ago=86_400, query="?backfill=true")
    await bench.tick(31)
    assert [(item.type, item.timer) for item in await bench.told()] == [("sla.breached", "given_due")]


async def test_the_due_time_that_an_event_gives_is_kept_to_the_second(bench: Bench) -> None:
    due_at = bench.clock() + timedelta(seconds=25)
    await bench.case("case.opened", data={"due_at": due_at.isoformat()})
    await bench.case("case.opened", "T-2")
    await bench.tick(10)  # real seconds pass too
    assert await bench.types() == []
    bench.clock.advance(seconds=(due_at - bench.clock()).total_seconds() + 0.001)
    await bench.tick()
    (told,) = await bench.told()
    assert (told.type, told.timer) == ("sla.breached", "given_due")
    assert told.data["subject"]["refs"] == ["T-1"]


async def test_a_timer_that_was_late_when_we_learned_of_it_fires_in_the_same_commit(bench: Bench) -> None:
    await bench.case("case.opened", ago=3600)
    assert (await bench.types()).count("sla.breached") == 1
    commits = await bench.fetch(
        "SELECT DISTINCT sequence >> 20 AS seq FROM outbox WHERE tenant_id = $1 "
        "AND type IN ('case.opened', 'sla.breached')"
    )
    assert len(commits) == 1


async def test_all_events_of_one_post_are_folded_before_a_timer_is_judged(bench: Bench) -> None:
    now = bench.clock()
    events = [
        {"type": kind, "id": kind, "source": "crm", "occurred_at": (now - timedelta(seconds=ago)).isoformat(),
         "subject": {"kind": "case", "ref": "T-1"}, "data": {}}
        for kind, ago in (("case.opened", 3600), ("case.acknowledged", 3580))
    ]  # fmt: skip
    answer = await bench.client.post("/v1/events", json=events)
    assert answer.status_code == 200
    assert await bench.types() == ["sla.met"]


class _Falls:
    """An announcer that dies after the others have done their work."""

    def __init__(self) -> None:
        self.is_down = True

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        if self.is_down and commit.touched:
            raise RuntimeError("killed while announcing")
        return ()


async def test_a_breach_and_its_message_are_committed_together_or_not_at_all(bench: Bench) -> None:
    await bench.case("case.opened")
    falls = _Falls()
    bench.services.journal.announcers += (falls,)
    await bench.tick(61)
    assert await bench.types() == []
    assert await bench.fetch("SELECT 1 FROM announcements WHERE tenant_id = $1") == []
    assert await bench.fetch("SELECT 1 FROM events WHERE tenant_id = $1 AND type LIKE 'sla.%'") == []
    falls.is_down = False
    await bench.tick(3601)
    assert (await bench.types()).count("sla.breached") == 1


async def test_a_subject_that_cannot_be_read_holds_up_nobody(bench: Bench) -> None:
    for number in range(7):
        await bench.case("case.opened", f"T-{number}")
    await bench.execute(
        "UPDATE events SET fact = '[]' WHERE tenant_id = $1 AND subject_id = "
        "(SELECT subject_id FROM subject_aliases WHERE tenant_id = $1 AND ref = 'T-3')"
    )
    await bench.tick(61)
    breached = [told.data["subject"]["refs"][0] for told in await bench.told() if told.type == "sla.breached"]
    assert sorted(breached) == [f"T-{number}" for number in range(7) if number != 3]
    assert await bench.loop.step() > 0
    (due,) = await bench.fetch(
        "SELECT next_at - now() AS wait FROM sla_due d JOIN subject_aliases a USING (tenant_id, subject_id) "
        "WHERE tenant_id = $1 AND a.ref = 'T-3'"
    )
    assert due["wait"] > timedelta(minutes=50)


async def test_a_breach_is_provisional_until_the_grace_of_its_sources_has_passed(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.put_source("crm", grace_seconds=40)
    await bench.tick(61)
    (breached,) = [told for told in await bench.told() if told.type == "sla.breached"]
    assert breached.data["confidence"] == "provisional"
    await bench.tick(30)
    assert "sla.breach_confirmed" not in await bench.types()
    await bench.tick(10)
    await bench.tick(100)
    types = await bench.types()
    assert (types.count("sla.breached"), types.count("sla.breach_confirmed")) == (1, 1)
    assert "sla.breach_revoked" not in types


async def test_a_provisional_breach_is_revoked_by_a_slow_source_and_never_confirmed(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.put_source("crm", grace_seconds=40)
    await bench.tick(61)
    await bench.case("case.acknowledged", ago=30)
    await bench.tick(100)
    types = [item for item in await bench.types() if "breach" in item]
    assert types == ["sla.breached", "sla.breach_revoked"]


async def test_a_breach_told_only_when_final_waits_for_the_grace(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60, announce="when_final")))
    await bench.case("case.opened")
    await bench.put_source("crm", grace_seconds=40)
    await bench.tick(61)
    assert "sla.breached" not in await bench.types()
    await bench.tick(40)
    (breached,) = [told for told in await bench.told() if told.type == "sla.breached"]
    assert breached.data["confidence"] == "final"


async def test_the_sweep_finds_timers_that_the_due_index_forgot_and_leaves_quiet_ones(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.post("interaction.ended", ("interaction", "old"), ago=86_400, query="?backfill=true")
    await bench.case("case.opened", "T-2", ago=86_400, query="?backfill=true")
    await bench.execute("DELETE FROM sla_due WHERE tenant_id = $1")
    await bench.tick(61)
    assert await bench.types() == []
    sweep = SlaSweep(bench.services.database, bench.services.journal)
    assert await sweep.mend(bench.tenant_id) == 1
    assert (await bench.types()).count("sla.breached") == 1
    assert await sweep.mend(bench.tenant_id) == 0
