"""Endpoint options and message filters over HTTP: shown as asked for, refused with their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from app.command_line.schema import description
from app.webhooks.options import FILTER_EXAMPLE
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet
from tests.webhooks.routes import ENDPOINTS, MESSAGES, code_of, create

OPTIONS: dict[str, Any] = {
    "filter": FILTER_EXAMPLE,
    "payload": "thin",
    "format": "cloudevents",
    "throttle": {"messages": 100, "seconds": 60},
    "concurrency": 4,
    "deadline_ms": 2_500,
    "retry_delays_seconds": [10, 60],
}


async def test_options_are_shown_as_they_were_asked_for_and_null_takes_them_back(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    plain = await create(http, receiver.url(), event_types=["sla.*"])
    defaults = {name: plain[name] for name in OPTIONS}
    assert defaults == dict.fromkeys(OPTIONS) | {"payload": "full", "format": "standard"}
    created = await create(http, receiver.url(), event_types=["sla.*"], **OPTIONS)
    assert {name: created[name] for name in OPTIONS} == OPTIONS

    path = f"{ENDPOINTS}/{plain['id']}"
    changed = await http.patch(path, json=OPTIONS)
    assert {name: changed.json()[name] for name in OPTIONS} == OPTIONS
    back = await http.patch(path, json={**defaults, "payload": "full"})
    assert {name: back.json()[name] for name in OPTIONS} == defaults
    assert (await http.patch(path, json={"description": "same"})).json()["payload"] == "full"


@pytest.mark.parametrize(
    ("options", "code", "pointer"),
    [
        ({"filter": {"field": "data.facts"}}, "filter_values", "/filter/values"),
        ({"filter": {"all": []}}, "filter_shape", "/filter/all"),
        ({"filter": {"field": "data.reading.breachd_at", "op": "not_null"}}, "unknown_field", "/filter"),
        ({"filter": {"field": "data.case.state", "values": ["open"]}}, "unknown_field", "/filter"),
        ({"filter": []}, "invalid_request", "/filter"),
        ({"throttle": {"messages": 0}}, "invalid_request", "/throttle/messages"),
        ({"throttle": {"messages": 1, "minutes": 1}}, "invalid_request", "/throttle/minutes"),
        ({"concurrency": 0}, "invalid_request", "/concurrency"),
        ({"deadline_ms": 9}, "invalid_request", "/deadline_ms"),
        ({"deadline_ms": 30_001}, "invalid_request", "/deadline_ms"),
        ({"retry_delays_seconds": [0]}, "invalid_request", "/retry_delays_seconds/0"),
        ({"retry_delays_seconds": [60] * 21}, "invalid_request", "/retry_delays_seconds"),
        ({"payload": "slim"}, "invalid_request", "/payload"),
        ({"format": "xml"}, "invalid_request", "/format"),
    ],
)
async def test_a_bad_option_is_refused_at_creation_and_at_change(
    http: httpx.AsyncClient, receiver: Receiver, options: dict[str, Any], code: str, pointer: str
) -> None:
    body = {"url": receiver.url(), "event_types": ["sla.*"]}
    created = await create(http, **body)
    for answer in (
        await http.post(ENDPOINTS, json={**body, **options}),
        await http.patch(f"{ENDPOINTS}/{created['id']}", json=options),
    ):
        assert code_of(answer) == (422, code), answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_misspelt_field_is_answered_with_the_nearest_one(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    answer = await http.post(
        ENDPOINTS,
        json={"url": receiver.url(), "filter": {"field": "data.reading.breachd_at", "op": "not_null"}},
    )
    assert "data.reading.breached_at" in answer.json()["errors"][0]["cure"]


async def test_other_types_are_refused_while_the_filter_asks_for_a_field_that_they_lack(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    wanted = {"field": "data.case.state", "values": ["open"]}
    created = await create(http, receiver.url(), event_types=["case.*"], filter=wanted)
    answer = await http.patch(f"{ENDPOINTS}/{created['id']}", json={"event_types": ["sla.*"]})
    assert code_of(answer) == (422, "unknown_field")


async def test_messages_are_found_by_time_and_failure_and_shown_with_their_body(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    await create(http, receiver.on("/hook", status(500), status(200)), payload="thin")
    await outlet.announce(count=2, note="kept to ourselves")
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())

    async def found(**query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await http.get(MESSAGES, params=query)).json()["items"]
        return items

    now = datetime.now(UTC)
    assert len(await found(since=(now - timedelta(minutes=1)).isoformat())) == 2
    assert len(await found(until=(now - timedelta(minutes=1)).isoformat())) == 0
    (failed,) = await found(failure="status")
    assert (failed["state"], "body" in failed) == ("pending", False)
    caught_up = await found(after=0, body="true")
    assert [item["sequence"] for item in caught_up] == [1, 2]
    for item in caught_up:
        sent = next(arrival for arrival in receiver.arrivals() if arrival.webhook_id == item["id"])
        assert item["body"] == sent.json
        assert item["content_type"] == sent.headers["content-type"]


async def test_an_attempt_shows_the_request_as_it_was_sent_without_the_custom_headers(
    http: httpx.AsyncClient, receiver: Receiver, outlet: Outlet
) -> None:
    await create(http, receiver.on("/hook", status(200)), headers={"X-Key": "hunter2"})
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    (message,) = (await http.get(MESSAGES)).json()["items"]
    answer = await http.get(f"{MESSAGES}/{message['id']}/attempts")
    (attempt,) = answer.json()["items"]
    (arrival,) = receiver.arrivals()
    assert attempt["request"]["url"] == receiver.url()
    sent = {name.lower(): value for name, value in attempt["request"]["headers"].items()}
    assert sent.items() <= arrival.headers.items()
    assert {"webhook-id", "webhook-timestamp", "webhook-signature", "content-type"} <= sent.keys()
    assert "hunter2" not in answer.text


def test_the_api_description_is_valid() -> None:
    validate(description())
