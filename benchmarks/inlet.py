"""Partners' webhooks through an adapter and through a mapping, beside such answers at the standard door."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any

import httpx

from benchmarks.bodies import post
from benchmarks.load import Load
from benchmarks.plan import Plan
from benchmarks.processes import free_port, running
from benchmarks.report import Line
from benchmarks.stage import Place, Stage

_CONNECTIONS = 64
_SECRET = "the secret that the partner shows"  # noqa: S105 - of a source that lives for this run only
_MAPPING: dict[str, Any] = {
    "mapping": 1,
    "id": "bench",
    "title": "A survey tool's answer",
    "format": "json",
    "events": [
        {
            "name": "answered",
            "id": {"path": "response.id"},
            "type": "feedback.received",
            "occurred_at": {"path": "response.finished_at"},
            "data": {
                "channel": {"value": "web"},
                "question": {"value": "nps"},
                "scale": {"value": "nps_0_10"},
                "value": {"path": "response.score"},
                "text": {"path": "response.comment"},
            },
        }
    ],
}


async def measure(plan: Plan, stage: Stage, place: Place) -> list[Line]:
    """Single deliveries flat out, each door in turn, repetition by repetition."""
    adapter = Line("partner's webhook through an adapter (Chatwoot)", "req/s", "the standard door")
    mapping = Line("the same through a mapping document", "req/s", "the standard door")
    port = free_port()
    with running(["-m", "app", "serve"], place.environment(port), port):
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {place.key}"}
        ) as client:
            chat = await _inlet(client, "chat", adapter="chatwoot", verification="chatwoot")
            survey = await _inlet(client, "survey", adapter="mapping", mapping=_MAPPING)
        door, numbers = _door(place.key), count()
        ask_chat, ask_survey = _chat(chat, numbers), _survey(survey, numbers)
        async with Load(port, _CONNECTIONS) as load:
            for _ in range(plan.repetitions):
                standard = (await load.flat_out(plan.window_seconds, door)).check(201).rate
                by_adapter = (await load.flat_out(plan.window_seconds, ask_chat)).check(200)
                adapter.add(by_adapter.rate, standard)
                by_mapping = (await load.flat_out(plan.window_seconds, ask_survey)).check(200)
                mapping.add(by_mapping.rate, standard)
    return [adapter, mapping]


async def _inlet(client: httpx.AsyncClient, key: str, **source: Any) -> str:
    """The address of a new source."""
    if "verification" in source:
        source["secrets"] = [_SECRET]
    answer = await client.put(f"/v1/sources/{key}", json={**source, "defaults": {"channel": "chat"}})
    if answer.is_error:
        raise RuntimeError(f"the source was refused: {answer.text[:500]}")
    path: str = (await client.post(f"/v1/sources/{key}/token")).raise_for_status().json()["path"]
    return path


def _door(key: str) -> Callable[[], bytes]:
    numbers = count()

    def ask() -> bytes:
        data = {"channel": "web", "question": "nps", "scale": "nps_0_10", "value": 9, "text": _TEXT}
        event = {
            "type": "feedback.received",
            "id": f"door-{next(numbers)}",
            "source": "bench",
            "occurred_at": _now(),
            "data": data,
        }
        return post("/v1/events", json.dumps(event).encode(), key=key)

    return ask


def _chat(path: str, numbers: Iterator[int]) -> Callable[[], bytes]:
    """A rating that a customer gave in the chat window, as Chatwoot sends and signs it."""

    def ask() -> bytes:
        number = next(numbers)
        body = json.dumps(
            {
                "event": "message_updated",
                "id": number,
                "content_type": "input_csat",
                "content_attributes": {
                    "submitted_values": {"csat_survey_response": {"rating": 5, "feedback_message": _TEXT}}
                },
                "created_at": _now(),
                "conversation": {"id": number, "channel": "Channel::WebWidget"},
            }
        ).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(_SECRET.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
        headers = f"X-Chatwoot-Timestamp: {stamp}\r\nX-Chatwoot-Signature: sha256={signature}\r\n"
        return _with_headers(post(path, body), headers)

    return ask


def _survey(path: str, numbers: Iterator[int]) -> Callable[[], bytes]:
    def ask() -> bytes:
        answer = {"id": f"r-{next(numbers)}", "finished_at": _now(), "score": 9, "comment": _TEXT}
        return post(path, json.dumps({"response": answer}).encode())

    return ask


def _with_headers(request: bytes, headers: str) -> bytes:
    first, _, rest = request.partition(b"\r\n")
    return first + b"\r\n" + headers.encode() + rest


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


_TEXT = "The operator listened, called back within the hour and the line works again."
