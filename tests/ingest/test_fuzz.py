"""Whatever comes in, the answer is no 500: random JSON for the door, random requests for every route."""

from __future__ import annotations

import asyncio
import json as stdlib_json
import random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import DomainError
from app.domain.events import EventType
from app.ingest.reading import Refusal, read_events
from app.ingest.schemas import DATA_MODELS, EventIn
from app.journal.config import TenantConfig
from app.journal.drafts import draft
from app.kit import json
from app.kit.http import BodyError
from tests.builders import T0, rating

_FIELDS = sorted({name for model in (EventIn, *DATA_MODELS.values()) for name in model.model_fields})
_VALUES = [
    "nps_0_10",
    "NaN",
    "9",
    "sev1",
    "case",
    "C-1",
    "",
    "\ud7ff",
    "x" * 300,
    T0.isoformat(),
    "1e400",
    "none",
]

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_VALUES)
)
keys = st.sampled_from(_FIELDS) | st.text(max_size=5)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)
bodies_of_data = st.dictionaries(st.sampled_from(_FIELDS), documents, max_size=6)
almost_events = st.fixed_dictionaries(
    {
        "type": st.sampled_from([item.value for item in EventType]),
        "id": st.text(min_size=1, max_size=10),
        "source": st.just("fuzz"),
        "occurred_at": st.just(T0.isoformat()) | st.datetimes().map(str) | st.text(max_size=30),
        "data": bodies_of_data | st.just(rating("x")["data"]),
    },
    optional={
        "subject": documents | st.just({"kind": "case", "ref": "C-1"}),
        "object": documents,
        "version": documents | st.decimals().map(str),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(almost_events | documents, max_size=4) | documents)
def test_reading_and_drafting_end_in_an_event_or_a_refusal(config: TenantConfig, body: Any) -> None:
    try:
        raw = json.dumps(body)
    except TypeError:
        return  # no JSON: integers beyond 64 bits, lone surrogates
    try:
        reading = asyncio.run(read_events(raw, "application/json", None))
    except BodyError as error:
        assert error.status < 500
        return
    for item in reading.items:
        if isinstance(item, Refusal):
            assert item.error.reason
            assert item.error.pointer == "" or item.error.pointer.startswith("/")
            continue
        try:
            made = draft(item, config, received_at=T0)
        except DomainError:
            continue
        json.dumps({"fact": made.fact, "personal": made.personal})


@pytest.fixture(scope="module")
def config() -> TenantConfig:
    return TenantConfig(UUID(int=1), 1, b"secret", ZoneInfo("Europe/Kyiv"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for media_type in ("application/json", "application/x-ndjson"):
        try:
            asyncio.run(read_events(body, media_type, "key"))
        except BodyError as error:
            assert error.status < 500


def _random_event(dice: random.Random) -> Any:
    """A good event of a random type with some of its parts replaced by nonsense."""
    nonsense = [
        None,
        True,
        -1,
        0,
        2**63,
        1.5,
        "",
        "x",
        "𝒳" * 30,
        [],
        {},
        [1],
        {"a": [{}]},
        "2025-01-01T00:00:00Z",
        "NaN",
    ]
    event = rating(f"f{dice.randrange(50)}", dice.randrange(12), customer={"type": "email", "value": "a@b"})
    event["type"] = dice.choice(list(EventType)).value
    if dice.random() < 0.7:
        model = DATA_MODELS[EventType(event["type"])]
        event["data"] = {name: dice.choice(nonsense) for name in dice.sample(sorted(model.model_fields), 2)}
        if dice.random() < 0.5:
            event["data"] |= {
                name: value
                for name, value in {
                    "kind": "complaint",
                    "text": "t",
                    "count": 3,
                    "event": f"f{dice.randrange(50)}",
                    "into": "C-1",
                    "ref": "C-2",
                }.items()
                if name in model.model_fields
            }
    if dice.random() < 0.8:
        event["subject"] = {
            "kind": dice.choice(["case", "review", "order", "interaction"]),
            "ref": f"C-{dice.randrange(4)}",
        }
    if dice.random() < 0.3:
        event |= {"object": f"o{dice.randrange(3)}", "version": dice.choice([1, 2, "3", T0.isoformat(), -7])}
    if dice.random() < 0.2:
        event[dice.choice(list(event))] = dice.choice(nonsense)
    return event


async def test_random_events_are_stored_or_refused_and_none_is_poison(client: httpx.AsyncClient) -> None:
    dice = random.Random(11)
    for _ in range(25):
        answer = await client.post("/v1/events", json=[_random_event(dice) for _ in range(20)])
        assert answer.status_code == 200, answer.text
        for result in answer.json()["results"]:
            assert result["status"] != "rejected" or result["error"]["code"] not in ("quarantined", "?"), (
                result
            )
            assert not result.get("error", {}).get("retryable"), result


def _nonsense(dice: random.Random) -> Any:
    texts = [
        "",
        "x",
        "-1",
        "0",
        "99999999999999999999999",
        "null",
        "\u202e",
        "' OR 1=1",
        "%s",
        "../..",
        "a" * 5000,
        "2025-01-01T00:00:00Z",
        "2025-13-45",
        "NaN",
        "1e400",
        "true",
        "28d",
        "nps",
        "Europe/Kyiv",
        "💥",
    ]
    return dice.choice([None, True, False, 0, -1, 2**31, 2**63, 2**80, 0.5, 1e300, [], {}, ["x"], {"a": 1},
                        *texts])  # fmt: skip


def _by_schema(dice: random.Random, schema: dict[str, Any], known: dict[str, Any], depth: int = 0) -> Any:
    """A value that mostly follows the schema, with nonsense here and there."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if depth > 6 or dice.random() < 0.15:
        return _nonsense(dice)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _by_schema(dice, dice.choice(schema[union]), known, depth + 1)
    if "enum" in schema:
        return dice.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    if schema.get("examples") and dice.random() < 0.5:
        return dice.choice(list(schema["examples"]))
    match schema.get("type"):
        case "object":
            named = {
                name: _by_schema(dice, item, known, depth + 1)
                for name, item in schema.get("properties", {}).items()
                if name in schema.get("required", ()) or dice.random() < 0.5
            }
            if isinstance(schema.get("additionalProperties"), dict):
                named["key"] = _by_schema(dice, schema["additionalProperties"], known, depth + 1)
            return named
        case "array":
            return [
                _by_schema(dice, schema.get("items", {}), known, depth + 1) for _ in range(dice.randrange(3))
            ]
        case "integer":
            return dice.choice([0, 1, 5, -1, 2**31, 2**63, 2**80])
        case "number":
            return dice.choice([0, 0.5, 1e300, -3])
        case "boolean":
            return dice.random() < 0.5
        case "string":
            return dice.choice(
                ["x", "default", "2025-01-01T00:00:00Z", "2025-01-01", "nps", "", "a" * 300, "💥", "k-1"]
            )
        case _:
            return _nonsense(dice)


def _request(
    dice: random.Random, path: str, operation: dict[str, Any], schemas: dict[str, Any]
) -> tuple[httpx.URL, bytes | None]:
    """An address and a body for one operation."""
    params: dict[str, str] = {}
    for parameter in operation.get("parameters", ()):
        value = _by_schema(dice, parameter["schema"], schemas)
        text = value if isinstance(value, str) else stdlib_json.dumps(value)
        if parameter["in"] == "path":
            known = dice.choice(["default", "acme", "case_01kb3v6n8qe5vr2a4d1f7m9xyz", text[:80] or "x"])
            path = path.replace("{" + parameter["name"] + "}", known)
        elif parameter["in"] == "query" and dice.random() < 0.4:
            params[parameter["name"]] = text[:4000]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    url = httpx.URL("http://vidhuk.test", path=path, params=params)
    if content is None:
        return url, None
    return url, stdlib_json.dumps(_by_schema(dice, content["schema"], schemas)).encode()


async def _faults(client: httpx.AsyncClient, dice: random.Random, rounds: int) -> list[str]:
    """Every answer of 500 and above that random requests to all routes get."""
    document = (await client.get("/openapi.json")).json()
    schemas, found = document["components"]["schemas"], []
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for method, path, operation in operations * rounds:
        url, body = _request(dice, path, operation, schemas)
        answer = await client.request(method, url, content=body, headers={"Content-Type": "application/json"})
        if answer.status_code >= 500:
            found.append(f"{method} {url} {body!r:.600} -> {answer.status_code} {answer.text[:200]}")
    return found


async def test_no_route_answers_a_random_request_with_a_fault_of_ours(client: httpx.AsyncClient) -> None:
    assert await _faults(client, random.Random(5), rounds=4) == []


@pytest.mark.full
async def test_no_route_answers_any_of_many_random_requests_with_a_fault_of_ours(
    client: httpx.AsyncClient,
) -> None:
    assert await _faults(client, random.Random(6), rounds=40) == []
