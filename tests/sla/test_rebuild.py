"""Rebuild: every projection comes out equal, and nothing is decided or announced again."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from app.journal.rebuild import rebuild
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_CASE_FACTS = (
    "case.acknowledged", "case.assessed", "case.assigned", "case.replied", "case.apologised", "case.promised",
    "case.declined", "case.remedied", "case.decision_communicated", "case.resurveyed", "case.closed",
    "case.reopened", "case.waiting_customer", "case.resumed", "case.escalated", "case.withdrawn",
    "case.marked_duplicate", "case.marked_invalid", "case.linked", "case.merged", "case.customer_contacted",
    "case.opened",
)  # fmt: skip
_LEDGERS = (
    "events",
    "event_personal",
    "outbox",
    "announcements",
    "sla_due",
    "directory",
    "questions",
    "sources",
)


class History:
    """A random but repeatable history: facts early, late, twice, revised, retracted, filled in, commanded."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.random = Random(seed)
        self.ids: list[str] = []

    async def live(self, steps: int) -> None:
        """Let so many things happen."""
        doings = (self._feedback, self._review, self._case, self._case, self._interaction, self._volume)
        rare = (self._retraction, self._command, self._policy)
        for number in range(steps):
            await self.random.choice(rare if number % 7 == 6 else doings)()
            if self.random.random() < 0.3:
                await self.bench.tick(self.random.choice((1, 15, 40, 70)))

    def _when(self) -> dict[str, Any]:
        """How long ago (or, with a fast clock, ahead), and whether it is filled in."""
        ago = self.random.choice((0, 0, 5, 30, 90, 4000, -60))
        return {"ago": ago, "query": "?backfill=true&open_cases=true" if self.random.random() < 0.1 else ""}

    def _named(self) -> dict[str, str]:
        self.ids.append(f"e-{len(self.ids)}")
        return {"id": self.ids[-1]}

    async def _feedback(self) -> None:
        value = self.random.randrange(11)
        data = {
            "channel": "call",
            "question": "nps",
            "scale": "nps_0_10",
            "value": value,
            "text": f"said {value}",
            "location": self.random.choice(("kyiv-1", "lviv-1")),
            "touchpoint": "till",
        }
        if self.random.random() < 0.5:
            data["customer"] = {"type": "email", "value": f"c{self.random.randrange(3)}@example.com"}
        await self.bench.post("feedback.received", None, data, **self._when(), **self._named())

    async def _review(self) -> None:
        kind = self.random.choice(("review.published", "review.edited", "review.removed"))
        data: dict[str, Any] = {"channel": "review"}
        if kind != "review.removed":
            data |= {"question": "stars", "scale": "stars_1_5", "value": self.random.randrange(1, 6)}
        ref = f"r-{self.random.randrange(3)}"
        more = {"object": ref, "version": self.random.randrange(6), **self._named()}
        await self.bench.post(kind, ("review", ref), data, **self._when(), **more)

    async def _case(self) -> None:
        kind, ref = self.random.choice(_CASE_FACTS), f"T-{self.random.randrange(5)}"
        data: dict[str, Any] = {
            "case.opened": {"kind": "complaint", "severity": self.random.choice(("sev1", "sev3"))},
            "case.assessed": {"severity": "sev2", "cause": "staff.rudeness"},
            "case.promised": {"due_at": "2031-01-01T00:00:00Z"},
            "case.linked": {"ref": f"L-{self.random.randrange(4)}"},
            "case.merged": {"into": f"T-{self.random.randrange(5)}"},
            "case.replied": {"text": "hello", "human": self.random.random() < 0.7},
        }.get(kind, {})
        if self.random.random() < 0.2:
            data["attributes"] = {"team": self.random.choice(("north", "south"))}
        await self.bench.case(kind, ref, data, **self._when(), **self._named())

    async def _interaction(self) -> None:
        kind, ref = (
            self.random.choice(("interaction.ended", "feedback.offered")),
            f"i-{self.random.randrange(6)}",
        )
        await self.bench.post(
            kind, ("interaction", ref), {"channel": "call"}, **self._when(), **self._named()
        )

    async def _volume(self) -> None:
        more = {"object": f"day-{self.random.randrange(2)}", **self._named()}
        data = {"count": self.random.randrange(100), "location": "kyiv-1"}
        await self.bench.post("visitors.counted", None, data, **self._when(), **more)

    async def _retraction(self) -> None:
        if self.ids:
            await self.bench.post("event.retracted", None, {"event": self.random.choice(self.ids)})

    async def _command(self) -> None:
        cases = (await self.bench.get("/v1/cases?limit=50"))["items"]
        if cases:
            command = self.random.choice(
                ("acknowledge", "reply", "decline", "wait-customer", "reopen", "withdraw")
            )
            body = {"reason": "because"} if command in ("decline", "reopen", "withdraw") else {}
            await self.bench.client.post(f"/v1/cases/{self.random.choice(cases)['id']}/{command}", json=body)

    async def _policy(self) -> None:
        kind = self.random.choice(("internal", "statutory"))
        document = policy_document(acknowledge_within(self.random.choice((30, 90)), clock_kind=kind))
        await self.bench.put_policy(document, effective_from=self.bench.clock())


async def _rows(bench: Bench, names: tuple[str, ...] | list[str]) -> dict[str, list[str]]:
    """Every row of these tables, as text, in a fixed order."""
    return {
        name: [
            row["line"]
            for row in await bench.fetch(
                f"SELECT t::text AS line FROM {name} t WHERE tenant_id = $1 ORDER BY 1"
            )
        ]
        for name in names
    }


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(more, marks=pytest.mark.full) for more in range(3, 16))]
)
async def test_rebuild_leaves_every_projection_equal_and_announces_nothing(bench: Bench, seed: int) -> None:
    await History(bench, seed).live(120)
    projected = [table.name for item in bench.services.journal.projections for table in item.tables]
    looked_at = bench.clock()
    await bench.tick()
    before, ledgers = await _rows(bench, projected), await _rows(bench, _LEDGERS)
    for name in ("cases", "sla_timers", "feedback", "volumes", "subjects", "subject_aliases", "object_heads"):
        assert before[name], f"the history fills {name}"
    await rebuild(bench.services.journal, bench.tenant_id)
    after = await _rows(bench, projected)
    for name in projected:
        assert after[name] == before[name], name
    assert await _rows(bench, _LEDGERS) == ledgers
    await bench.tick()
    told, known = (await _rows(bench, ["announcements"]))["announcements"], set(ledgers["announcements"])
    # real time went on meanwhile: a timer of this history may have fallen due in it, and nothing else
    since = "SELECT t::text AS line FROM announcements t WHERE tenant_id = $1 AND at > $2 AND kind = any($3)"
    due_kinds = ["warning", "breached", "escalated"]
    fell_due_since = {row["line"] for row in await bench.fetch(since, looked_at, due_kinds)}
    assert known <= set(told) <= known | fell_due_since


async def test_a_rebuild_mends_what_somebody_broke(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.tick(61)
    projected = [table.name for item in bench.services.journal.projections for table in item.tables]
    before = await _rows(bench, projected)
    await bench.execute("UPDATE cases SET severity = 'sev1' WHERE tenant_id = $1")
    await bench.execute("DELETE FROM sla_timers WHERE tenant_id = $1")
    assert await _rows(bench, projected) != before
    await rebuild(bench.services.journal, bench.tenant_id)
    assert await _rows(bench, projected) == before


async def test_after_a_rebuild_the_clock_goes_on(bench: Bench) -> None:
    await bench.case("case.opened")
    await rebuild(bench.services.journal, bench.tenant_id)
    await bench.tick(61)
    assert (await bench.types()).count("sla.breached") == 1


async def test_a_fact_of_a_fast_clock_is_in_the_timers_at_once(bench: Bench) -> None:
    await bench.case("case.opened")
    await bench.case("case.acknowledged", ago=-20)
    (timer,) = (await bench.get("/v1/sla/timers?timer=acknowledge"))["items"]
    assert timer["state"] == "met"
    await bench.tick(21)
    assert await bench.types() == ["sla.met"]
