"""Tells a history of cases in any order, over any commits, and reads back what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.journal.rebuild import rebuild
from tests.sla.conftest import Bench

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


_NAMES = """
SELECT coalesce(a.home_id, a.subject_id) AS case_id, a.ref,
       coalesce(c.state, 'merged') NOT IN ('awaiting_opening', 'invalid') AS is_opened
  FROM subject_aliases a
  LEFT JOIN cases c ON c.tenant_id = $1 AND c.case_id = coalesce(a.home_id, a.subject_id)
 WHERE a.tenant_id = $1 AND a.kind = 'case' AND a.ref ~ $2
"""
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


def taking_back(event_id: str) -> dict[str, Any]:
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
        assert set(told) <= {"created", "duplicate", "revised", "stale"}, answer.text

    def _event(self, item: dict[str, Any]) -> dict[str, Any]:
        data = dict(item["data"])
        if "into" in data:
            data["into"] = self._ref(data["into"], item["ago"])
        if "event" in data:
            data["event"] = f"{self.version}-{data['event']}"
        if item["type"] == "case.opened" or "question" in data:
            data["location"] = self.version
        event = {
            "type": item["type"],
            "id": f"{self.version}-{item['id']}",
            "source": "crm",
            "occurred_at": self._at(item["ago"]).isoformat(),
            "data": data,
        }
        if "object" in item:
            event |= {"object": f"{self.version}-{item['object']}", "version": item["version"]}
        if item["name"] is not None:
            event["subject"] = {"kind": "case", "ref": self._ref(item["name"], item["ago"])}
        return event

    def _at(self, ago: int) -> datetime:
        return self.now - timedelta(seconds=ago)

    def _ref(self, name: str, ago: int) -> str:
        """The case of this name; `feedback:<object>` and `internal` are those that we open ourselves."""
        if name == "internal":
            return f"internal:exit:{self.version}:{self._at(ago).date().isoformat()}"
        kind, _, rest = name.rpartition(":")
        return f"{kind}:crm:{self.version}-{rest}" if kind else f"{self.version}-{name}"

    async def names(self, *, opened: bool = True) -> dict[Any, str]:
        """The cases. Whether one that nothing opens by now ever was opened may depend on the order."""
        begins = rf"^((feedback|reopened):crm:|internal:exit:)?{self.version}[-:]"
        return {
            row["case_id"]: row["ref"].replace(f"{self.version}-", "").replace(f":{self.version}:", ":")
            for row in await self.bench.fetch(_NAMES, begins)
            if not opened or row["is_opened"]
        }

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
        names = await self.names(opened=False)
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
        names = await self.names(opened=False)
        rows = await self.bench.fetch(_STANDING, list(names), self.bench.clock())
        return {names[row["subject_id"]]: row["wrong"] for row in rows if row["wrong"]}


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


async def told_in_any_order(bench: Bench, dice: Random, history: Callable[[Random], Any]) -> None:
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
    for teller in tellers:
        if await teller.wrongly_told():
            await bench.tick()  # what fell due since the last look
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
