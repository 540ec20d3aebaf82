"""A word that comes late is given time to be followed by the next one before a missed deadline is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.settings import Settings
from tests.sla.conftest import Bench

_COMPLAINT = {"channel": "call", "kind": "complaint", "text": "nobody called back"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A process that lets sources settle for a minute."""
    return settings.model_copy(update={"settle_seconds": 60.0})


async def test_a_complaint_learned_of_late_is_no_breach_yet(bench: Bench) -> None:
    await bench.post("feedback.received", None, _COMPLAINT, ago=600, id="f-1")
    assert await bench.types() == []
    await bench.case("case.acknowledged", "feedback:crm:f-1", ago=595)
    await bench.tick(61)
    assert await bench.types() == ["sla.met"]


async def test_nobody_speaking_up_it_is_told_when_the_time_is_over(bench: Bench) -> None:
    await bench.post("feedback.received", None, _COMPLAINT, ago=600, id="f-1")
    await bench.tick(59)
    assert "sla.breached" not in await bench.types()
    await bench.tick(2)
    assert (await bench.types()).count("sla.breached") == 1


async def test_a_command_of_ours_waits_for_nobody(bench: Bench) -> None:
    due_at = bench.clock() - timedelta(seconds=5)
    answer = await bench.client.post("/v1/cases", json={"ref": "T-1", "due_at": due_at.isoformat()})
    assert answer.status_code == 201, answer.text
    assert await bench.types() == ["sla.breached"]
