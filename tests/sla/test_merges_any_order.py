"""Facts, merges and late reopenings of several cases in any order, over any commits: the same comes out."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.sla.conftest import Bench, acknowledge_within, policy_document
from tests.sla.teller import taking_back, told_in_any_order

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
        told.append(taking_back(taken_back["id"]))
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
        told.append(taking_back(dice.choice(told)["id"]))
    return told


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
    await told_in_any_order(bench, Random(seed), history)


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(more, marks=pytest.mark.full) for more in range(3, 60))]
)
async def test_late_reopenings_told_in_any_order_over_any_commits_come_out_the_same(
    bench: Bench, seed: int
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(30, cancel=_GONE)))
    await told_in_any_order(bench, Random(seed), long_history)
