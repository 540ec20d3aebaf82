"""What a payload that is read again changes: decided over what stands for it, without a database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.domain.events import Event, EventType
from app.ingest.payloads.replacing import Finding, plan_change

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def fact(name: str) -> Event:
    return Event(EventType.FEEDBACK_RECEIVED, name, "kiosk", NOW)


def plan(findings: list[Finding], standing: list[str], retracted: list[str]) -> tuple[list[str], ...]:
    change = plan_change(findings, standing, retracted, source="kiosk", run="r2", now=NOW)
    gone = [event.data["event"] for event in change.retractions]
    return [event.id for event in change.events], gone, list(change.standing)


NEW, SAME, OTHER = (
    lambda name: Finding(fact(name), differs=False, known=False),
    lambda name: Finding(fact(name), differs=False, known=True),
    lambda name: Finding(fact(name), differs=True, known=False),
)


@pytest.mark.parametrize(
    ("findings", "standing", "retracted", "planned"),
    [
        ([], [], [], ([], [], [])),
        ([NEW("a")], [], [], (["a"], [], ["a"])),
        ([SAME("a")], ["a"], [], ([], [], ["a"])),
        ([SAME("a")], ["a~r1"], ["a"], ([], [], ["a~r1"])),
        ([OTHER("a")], ["a"], [], (["a~r2"], ["a"], ["a~r2"])),
        ([OTHER("a")], ["a~r1"], ["a"], (["a~r2"], ["a~r1"], ["a~r2"])),
        ([], ["a", "b"], [], ([], ["a", "b"], [])),
        ([SAME("a"), NEW("c")], ["a", "b"], [], (["c"], ["b"], ["a", "c"])),
        # it was stated, taken back, and is stated again: the old id would stay taken back
        ([SAME("a")], [], ["a"], (["a~r2"], [], ["a~r2"])),
        # another payload's fact is not ours to take back
        ([SAME("x")], [], [], ([], [], [])),
    ],
)
def test_equal_facts_stay_others_are_stated_anew_and_taken_back(
    findings: list[Finding], standing: list[str], retracted: list[str], planned: tuple[list[str], ...]
) -> None:
    assert plan(findings, standing, retracted) == planned
