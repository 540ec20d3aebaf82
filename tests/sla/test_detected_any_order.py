"""Complaints that we detect ourselves, among what sources tell of them, in any order: the same comes out."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.sla.conftest import Bench, acknowledge_within, policy_document
from tests.sla.teller import taking_back, told_in_any_order

_HANDLING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("case.acknowledged", {}),
    ("case.replied", {"text": "we are on it"}),
    ("case.remedied", {}),
    ("case.closed", {"outcome": "upheld"}),
    ("case.declined", {"reason": "not ours"}),
    ("case.withdrawn", {"reason": "solved"}),
    ("case.reopened", {"reason": "again"}),
    ("case.waiting_customer", {}),
    ("case.marked_duplicate", {"of": "another"}),
)
_DAY = 24 * 3600
_NAMES = ("A", "B", "feedback:R", "internal")


def spoken_history(dice: Random) -> list[dict[str, Any]]:
    """Answers about cases, states of a review and presses on a device, and how the sources handled them."""
    told: list[dict[str, Any]] = []
    signed = dice.choice((0, 0, 0.6))
    epochs = dice.choice(((0,), (0,), (40 * _DAY, 20 * _DAY, 0)))

    def tell(event: str, name: str | None, ago: int, data: dict[str, Any], **more: Any) -> None:
        told.append({"type": event, "id": f"e{len(told)}", "name": name, "ago": ago, "data": data, **more})

    def speak(name: str | None, ago: int, **more: Any) -> None:
        answer = {"question": "again", "scale": "csat_1_5", "value": dice.choice((1, 1, 2, 3, 5))}
        who = {"customer": dice.choice(("anna", "bo"))} if dice.random() < signed else {}
        tell(
            "feedback.received",
            name,
            ago,
            {**answer, **who, "channel": "chat", **more.pop("data", {})},
            **more,
        )

    def moment() -> int:
        return dice.choice(epochs) + dice.randint(1, 399)

    for name in _NAMES:
        if dice.random() < (0.6 if name in "AB" else 0.2):
            tell("case.opened", name, moment(), {"kind": "complaint", "severity": "sev3"})
    for name in "AB":
        for _ in range(dice.randint(0, 3)):
            speak(name, moment())
    for version in range(dice.randint(0, 3)):
        speak(None, moment(), object="R", version=version + 1)
    for _ in range(dice.choice((0, 0, 2, 4))):
        speak(
            None,
            dice.choice(epochs) + dice.randint(1, 399),
            data={"touchpoint": "exit", "collection_mode": "passive"},
        )
    for _ in range(dice.randint(2, 9)):
        kind, data = dice.choice(_HANDLING)
        tell(kind, dice.choice(_NAMES), moment(), data)
    if dice.random() < 0.3:
        name, into = dice.sample(_NAMES[:3], 2)
        tell("case.merged", name, moment(), {"into": into})
    for other in dice.sample((*_NAMES[:3], "L"), dice.choice((0, 0, 1, 2))):
        tell("case.linked", dice.choice("AB"), moment(), {"ref": other})
        tell(*dice.choice((("case.acknowledged", "L"), ("case.remedied", "L"))), moment(), {})
    said = [item for item in told if item["type"] == "feedback.received" and item["data"]["value"] == 3]
    for item in said[:1]:
        tell("feedback.classified", None, item["ago"] - 1, {"event": item["id"], "is_complaint": True})
    if dice.random() < 0.5:
        told.append(taking_back(dice.choice(told)["id"]))
    return told


@pytest.mark.parametrize(
    "seed", [1, 2, 3, *(pytest.param(more, marks=pytest.mark.full) for more in range(4, 120))]
)
async def test_detected_complaints_told_in_any_order_over_any_commits_come_out_the_same(
    bench: Bench, seed: int
) -> None:
    gone = ["case.merged", "case.withdrawn"]
    await bench.put_policy(policy_document(acknowledge_within(120, cancel=gone)))
    await told_in_any_order(bench, Random(seed), spoken_history)
