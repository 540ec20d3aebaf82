"""Complaints whose deadline the source has set: timers that fall due when the bench wants them to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.stage import Place

_BATCH = 500
_TIMER: dict[str, Any] = {
    "key": "given_due",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.remedied", "case.closed"],
    "due": {"from_event": "due_at"},
}
_POLICY: dict[str, Any] = {
    "format": 1,
    "title": "Bench",
    "calendar": "24x7",
    "rules": [{"name": "every case", "when": {"subject": "case"}, "timers": [_TIMER]}],
}


async def put_policy(place: Place, port: int) -> None:
    """Of every case only the deadline that its source has set counts."""
    async with _client(place, port) as client:
        (await client.put("/v1/sla/policies/default", json=_POLICY)).raise_for_status()


async def post_complaints(place: Place, port: int, name: str, due_at: Sequence[datetime]) -> None:
    """A complaint for each deadline. Raises when one of them was not stored."""
    opened_at = datetime.now(UTC)
    async with _client(place, port) as client:
        for first in range(0, len(due_at), _BATCH):
            numbers = range(first, min(first + _BATCH, len(due_at)))
            events = [_complaint(f"{name}-{number}", opened_at, due_at[number]) for number in numbers]
            answer = await client.post("/v1/events", content=json.dumps(events))
            answer.raise_for_status()
            if answer.json()["counts"]["created"] != len(events):
                raise RuntimeError(f"complaints were refused: {answer.text[:500]}")


def _client(place: Place, port: int) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {place.key}", "Content-Type": "application/json"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)


def _complaint(ref: str, opened_at: datetime, due_at: datetime) -> dict[str, Any]:
    return {
        "type": "case.opened",
        "id": f"opened-{ref}",
        "source": "crm",
        "occurred_at": opened_at.isoformat(),
        "subject": {"kind": "case", "ref": ref},
        "data": {
            "kind": "complaint",
            "severity": "sev3",
            "channel": "call",
            "touchpoint": "line-1",
            "due_at": due_at.isoformat(),
        },
    }
