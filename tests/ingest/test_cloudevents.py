"""CloudEvents in every mode are the same event; what is no JSON inside is refused with its place."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx

from app.domain.errors import InvalidError
from app.domain.events import Event
from app.ingest.reading import Refusal, read_events

DATA = {"channel": "call", "question": "q", "scale": "csat_1_5", "value": 4}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "c-1",
    "source": "crm",
    "type": "feedback.received",
    "time": "2026-11-01T10:00:00Z",
    "subject": "case/№7",
}
_STRUCTURED, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


def structured(**changed: Any) -> dict[str, Any]:
    return {**ATTRIBUTES, "data": DATA, **changed}


def read_one(document: Any, media_type: str = _STRUCTURED, **headers: str) -> Event | Refusal:
    body = json.dumps(document).encode()
    reading = read_events(body, media_type, None, {"content-type": media_type, **headers})
    (item,) = asyncio.run(reading).items
    return item


def error_of(item: Event | Refusal) -> InvalidError:
    assert isinstance(item, Refusal)
    return item.error


def test_every_mode_gives_the_same_event() -> None:
    one = read_one(structured())
    assert isinstance(one, Event) and one.subject is not None and one.subject.ref == "№7"
    headers = {f"ce-{name}": value for name, value in ATTRIBUTES.items()} | {"ce-subject": "case/%E2%84%967"}
    assert read_one(DATA, "application/json", **headers) == one
    assert read_one([structured()], _BATCH) == one
    encoded = base64.b64encode(json.dumps(DATA).encode()).decode()
    assert read_one({**ATTRIBUTES, "data_base64": encoded, "traceparent": None}) == one
    assert read_one(structured(comexampleothervalue=5, dataschema=None)) == one


def test_data_that_is_no_json_is_refused_with_its_place() -> None:
    xml = error_of(read_one(structured(datacontenttype="application/xml", data="<a/>")))
    assert (xml.reason, xml.pointer) == ("unsupported_data", "/datacontenttype")
    broken = error_of(read_one({**ATTRIBUTES, "data_base64": "... base64 ..."}))
    assert (broken.reason, broken.pointer) == ("unreadable_data", "/data_base64")
    assert error_of(read_one(structured(data="I'm just a string"))).pointer == "/data"


def test_an_empty_batch_is_legal() -> None:
    assert asyncio.run(read_events(b"[]", _BATCH, None, {"content-type": _BATCH})).items == []


async def test_the_door_takes_binary_mode(client: httpx.AsyncClient) -> None:
    headers = {f"ce-{name}": value for name, value in ATTRIBUTES.items()} | {"ce-subject": "case/%E2%84%967"}
    first = await client.post("/v1/events", json=DATA, headers=headers)
    again = await client.post("/v1/events", json=structured())
    assert (first.status_code, again.json()["status"]) == (201, "duplicate")
