"""Events as callers write them, and looks into the database past every wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from tests.conftest import Server

T0 = (datetime.now(UTC) - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
"""Two days ago on the hour: every event of a test lies near it, none in the future."""

Json = dict[str, Any]


def at(**after: float) -> str:
    """A time this long after T0, as a caller writes it."""
    return (T0 + timedelta(**after)).isoformat().replace("+00:00", "Z")


def event(kind: str, event_id: str, *, when: str | None = None, source: str = "crm", **fields: Any) -> Json:
    """An envelope; `data`, `subject` ("case/C-1"), `object` and `version` come in as fields."""
    envelope: Json = {
        "type": kind,
        "id": event_id,
        "source": source,
        "occurred_at": at() if when is None else when,
        "data": {},
    }
    subject = fields.pop("subject", None)
    if subject is not None:
        subject_kind, _, ref = subject.partition("/")
        envelope["subject"] = {"kind": subject_kind, "ref": ref}
    return {**envelope, **fields}


def rating(
    event_id: str, value: Any = 9, *, scale: str = "nps_0_10", question: str = "nps", **rest: Any
) -> Json:
    """One answer; what is no field of the envelope goes into `data`."""
    envelope = {
        name: rest.pop(name) for name in ("when", "source", "object", "version", "subject") if name in rest
    }
    data = {"channel": "call", "question": question, "scale": scale, "value": value, **rest}
    return event("feedback.received", event_id, data=data, **envelope)


def results_of(answer: httpx.Response) -> list[str]:
    """The statuses of a batch answer, in order."""
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


def error_of(answer: httpx.Response, index: int = 0) -> Json:
    """The error of one entry of a batch answer."""
    error: Json = answer.json()["results"][index]["error"]
    return error


def assert_problem(answer: httpx.Response, status: int, code: str) -> Json:
    """The answer is this problem document; the document."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"].endswith(code)
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def query(server: Server, sql: str, *arguments: Any) -> list[Any]:
    """Rows as the superuser sees them."""
    connection = await asyncpg.connect(server.superuser)
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()


async def value_of(server: Server, sql: str, *arguments: Any) -> Any:
    """The first value of a query, as the superuser sees it."""
    return (await query(server, sql, *arguments))[0][0]
