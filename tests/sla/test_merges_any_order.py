"""Facts, merges and late reopenings of several cases in any order, over any commits: the same comes out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from app.journal.rebuild import rebuild
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_FACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("case.acknowledged", {}),
    ("case.replied", {"text": "we are on it"}),
    ("case.apologised", {}),
    ("case.promised", {"due_at": "2031-01-01T00:00:00Z"}),
    ("case.remedied", {}),
    ("case.closed", {"outcome": "upheld"}),
    ("case.reopened", {"reason": "again"}),
    ("case.waiting_customer", {}),
    ("case.resumed", {}),
    ("case.assessed", {"severity": "sev2", "cause": "office_process.queue"}),
    ("case.assigned", {"assignee": "olena"}),
    ("case.escalated", {"reason": "late"}),
    ("case.customer_contacted", {}),
    ("case.verification_requested", {}),
    ("case.verified", {}),
    ("case.withdrawn", {"reason": "solved"}),
    ("compensation.offered", {"compensation": "a", "type": "money", "amount": "5", "currency": "USD"}),
    ("compensation.delivered", {"compensation": "a"}),
    ("survey.answered", {"question": "again", "scale": "csat_1_5", "measure": "resurvey", "value": 5}),
    ("case.checklist_ticked", {"ticked": ["thank"]}),
)
_GONE = ["case.merged", "case.withdrawn"]
_METRICS = (
    "cases_opened",
    "cost_per_resolved",
    "sla_attainment",
    "fcr",
    "reopen_rate",
    "unanswered_share",
    "double_deviation_rate",
    "recovery_rate",
)
_COLUMNS = (
    "opened_at", "kind", "severity", "state", "channel", "cause", "assignee", "initiative", "detection",
    "promised_due_at", "acknowledged_at", "first_response_at", "remedied_at", "closed_at", "ended_at",
    "reopened_count", "steps", "contacts", "outcome", "verification", "compensation_net",
    "is_double_deviation",
)  # fmt: skip


_STANDING = """
SELECT subject_id, sum(n) AS wrong FROM (
    SELECT subject_id, CASE kind WHEN 'breached' THEN 1 WHEN 'breach_revoked' THEN -1 ELSE 0 END AS n
      FROM announcements WHERE tenant_id = $1 AND subject_id = any($2)
     UNION ALL
    SELECT subject_id, -1 FROM sla_timers WHERE tenant_id = $1 AND subject_id = any($2) AND (
        state = 'met_late' OR state = 'open' AND coalesce(breaches_after, due_at) < $3
        OR state = 'cancelled' AND coalesce(breaches_after, due_at) < cancelled_at)
) told GROUP BY subject_id
"""


def history(dice: Random) -> list[dict[str, Any]]:
    """Facts about two to four cases, some of which are merged, some merges taken back."""
    names = "ABCD"[: dice.randint(2, 4)]
    told: list[dict[str, Any]] = []

    def tell(event: str, name: str | None, seconds_ago: int, **data: Any) -> None:
        told.append({"type": event, "id": f"e{len(told)}", "name": name, "ago": seconds_ago, "data": data})

    for name in names:
        severity = dice.choice(("sev1", "sev3"))
        tell("case.opened", name, dice.randint(300, 400), kind="complaint", severity=severity)
    for _ in range(dice.randint(6, 14)):
        kind, data = dice.choice(_FACTS)
        tell(kind, dice.choice(names), dice.randint(1, 399), **data)
    merges = dice.randint(1, 3)
    for _ in range(merges):
        name = dice.choice(names)
        into = dice.choice([other for other in names if other != name])
        tell("case.merged", name, dice.randint(1, 399), into=into)
    if dice.random() < 0.6:
        taken_back = dice.choice(told[-merges:] if dice.random() < 0.7 else told)
        told.append(_taking_back(taken_back["id"]))
    return told


_DAYS = 24 * 3600
_EPOCHS = (40 * _DAYS, 20 * _DAYS, 0)


def long_history(dice: Random) -> list[dict[str, Any]]:
    """Facts about one to three cases, weeks apart, most of which are settled first and reopened later."""
    names = "ABC"[: dice.choice((1, 1, 2, 3))]
    told: list[dict[str, Any]] = []

    def tell(event: str, name: str, ago: int, **data: Any) -> None:
        told.append({"type": event, "id": f"e{len(told)}", "name": name, "ago": ago, "data": data})

    for name in names:
        stated = dice.choice(({}, {"severity": "sev1"}))
        tell("case.opened", name, _EPOCHS[0] + dice.randint(300, 400), channel="email", **stated)
    for epoch in _EPOCHS:
        for _ in range(dice.randint(2, 6)):
            kind, data = dice.choice(_FACTS)
            tell(kind, dice.choice(names), epoch + dice.randint(1, 60), **data)
        name = dice.choice(names)
        tell("case.reopened", name, epoch + dice.randint(50, 60))
        tell(dice.choice(("case.closed", "case.remedied")), name, epoch + dice.randint(1, 60))
    if len(names) > 1 and dice.random() < 0.6:
        name, into = dice.sample(names, 2)
        tell("case.merged", name, dice.choice(_EPOCHS) + dice.randint(1, 60), into=into)
    if dice.random() < 0.6:
        told.append(_taking_back(dice.choice(told)["id"]))
    return told


def _taking_back(event_id: str) -> dict[str, Any]:
    return {"type": "event.retracted", "id": "back", "name": None, "ago": 0, "data": {"event": event_id}}


def in_pieces(dice: Random, told: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The same in another order, some of it twice, over some commits; a retraction follows what it names."""
    mixed = [item for item in told if item["type"] != "event.retracted"]
    dice.shuffle(mixed)
    mixed += dice.sample(mixed, 2)
    for item in told:
        if item["type"] == "event.retracted":
            first = next(n for n, other in enumerate(mixed) if other["id"] == item["data"]["event"])
            mixed.insert(dice.randint(first + 1, len(mixed)), item)
    pieces: list[list[dict[str, Any]]] = []
    while mixed:
        size = dice.choice((1, 1, 2, 3, 8))
        pieces.append(mixed[:size])
        mixed = mixed[size:]
    return pieces


class Teller:
    """Tells a history under names of its own, and reads back what came of it."""

    def __init__(self, bench: Bench, version: int) -> None:
        self.bench, self.version = bench, f"v{version}"
        self.now = bench.clock().replace(microsecond=0)

    async def tell(self, piece: list[dict[str, Any]]) -> None:
        events = [self._event(item) for item in piece]
        answer = await self.bench.client.post("/v1/events", json=events)
        assert answer.status_code == 200, answer.text
        told = [result["status"] for result in answer.json()["results"]]
        assert set(told) <= {"created", "duplicate"}, answer.text

    def _event(self, item: dict[str, Any]) -> dict[str, Any]:
        data = dict(item["data"])
        for name in ("into", "event"):
            if name in data:
                data[name] = f"{self.version}-{data[name]}"
        if item["type"] == "case.opened":
            data["location"] = self.version
        event = {
            "type": item["type"],
            "id": f"{self.version}-{item['id']}",
            "source": "crm",
            "occurred_at": (self.now - timedelta(seconds=item["ago"])).isoformat(),
            "data": data,
        }
        if item["name"] is not None:
            event["subject"] = {"kind": "case", "ref": f"{self.version}-{item['name']}"}
        return event

    async def names(self) -> dict[Any, str]:
        rows = await self.bench.fetch(
            "SELECT coalesce(a.home_id, a.subject_id) AS case_id, a.ref FROM subject_aliases a "
            "WHERE a.tenant_id = $1 AND (starts_with(a.ref, $2) OR starts_with(a.ref, 'reopened:crm:' || $2)"
            "  AND NOT EXISTS (SELECT FROM cases c WHERE c.tenant_id = $1 AND c.state = 'invalid'"
            "                   AND c.case_id = coalesce(a.home_id, a.subject_id)))",
            f"{self.version}-",
        )
        return {row["case_id"]: row["ref"].replace(f"{self.version}-", "") for row in rows}

    async def cases(self) -> dict[str, Any]:
        names = await self.names()
        rows = await self.bench.fetch(
            "SELECT * FROM cases WHERE tenant_id = $1 AND case_id = any($2)", list(names)
        )
        found = {}
        for row in rows:
            shown = {name: str(row[name]) for name in _COLUMNS}
            odd = [(item["reason"], item["occurred_at"], item["field"]) for item in row["anomalies"]]
            shown["anomalies"] = str(sorted(odd, key=str))
            shown["merged_into"] = names.get(row["merged_into"], "")
            shown["repeat_of"] = names.get(row["repeat_of"], "")
            found[names[row["case_id"]]] = shown
        return found

    async def timers(self) -> list[tuple[str, ...]]:
        names = await self.names()
        rows = await self.bench.fetch(
            "SELECT * FROM sla_timers WHERE tenant_id = $1 AND subject_id = any($2)", list(names)
        )
        said = ("timer", "state", "started_at", "due_at", "stopped_at", "cancelled_at", "severity")
        return sorted((names[row["subject_id"]], *(str(row[name]) for name in said)) for row in rows)

    async def figures(self) -> list[dict[str, Any]]:
        asked = {
            "metrics": list(_METRICS),
            "period": {
                "from": (self.now - timedelta(days=60)).isoformat(),
                "to": (self.now + timedelta(days=1)).isoformat(),
            },
            "filters": [{"dimension": "location", "op": "in", "values": [self.version]}],
        }
        answer = await self.bench.client.post("/v1/metrics/query", json=asked)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    async def wrongly_told(self) -> dict[str, int]:
        """Case -> breaches that stand for its receivers, less those that are true."""
        names = await self.names()
        rows = await self.bench.fetch(_STANDING, list(names), self.bench.clock())
        return {names[row["subject_id"]]: row["wrong"] for row in rows if row["wrong"]}


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(more, marks=pytest.mark.full) for more in range(3, 60))]
)
async def test_merged_cases_told_in_any_order_over_any_commits_come_out_the_same(
    bench: Bench, seed: int
) -> None:
    await bench.put_policy(
        policy_document(
            acknowledge_within(120, pause=["waiting_customer"], cancel=_GONE),
            acknowledge_within(
                150, key="answer", clock_kind="statutory", stop=["case.replied"], cancel=_GONE
            ),
        )
    )
    await _told_in_any_order(bench, Random(seed), history)


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(more, marks=pytest.mark.full) for more in range(3, 60))]
)
async def test_late_reopenings_told_in_any_order_over_any_commits_come_out_the_same(
    bench: Bench, seed: int
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(30, cancel=_GONE)))
    await _told_in_any_order(bench, Random(seed), long_history)


def _differing(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Case -> what of it is otherwise than it should be."""
    rows = {name: (found.get(name, {}), wanted.get(name, {})) for name in found.keys() | wanted.keys()}
    return {
        name: {
            key: (one.get(key), other.get(key))
            for key in one.keys() | other.keys()
            if one.get(key) != other.get(key)
        }
        for name, (one, other) in rows.items()
        if one != other
    }


async def _told_in_any_order(bench: Bench, dice: Random, history: Callable[[Random], Any]) -> None:
    told = history(dice)
    straight = Teller(bench, 0)
    await straight.tell(sorted(told, key=lambda item: -item["ago"]))
    await bench.tick(1)
    tellers = [straight]
    for version in (1, 2):
        teller = Teller(bench, version)
        teller.now = straight.now
        for piece in in_pieces(dice, told):
            await teller.tell(piece)
            if dice.random() < 0.3:
                await bench.tick()
        tellers.append(teller)
    await bench.tick(30)
    cases, timers = await straight.cases(), await straight.timers()
    assert cases and timers
    for teller in tellers:
        assert await teller.wrongly_told() == {}, (
            "whatever was said meanwhile, the receiver ends with the truth"
        )
        assert _differing(await teller.cases(), cases) == {}
        assert await teller.timers() == timers
        rows = [{**row, "location": None} for row in await teller.figures()]
        assert rows == [{**row, "location": None} for row in await straight.figures()]
    await rebuild(bench.services.journal, bench.tenant_id)
    for teller in tellers:
        assert (await teller.cases(), await teller.timers()) == (cases, timers), "after a rebuild"
