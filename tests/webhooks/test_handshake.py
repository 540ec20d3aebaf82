"""Receivers of CloudEvents are asked for their consent: shown, kept to in pace, never a silent block."""

from __future__ import annotations

import time

import httpx

from tests.receiver import Receiver, by_method, raw, silence, status
from tests.webhooks.conftest import Outlet
from tests.webhooks.routes import ENDPOINTS, create

ALLOWED = status(200, WebHook_Allowed_Origin="vidhuk.example.com", WebHook_Allowed_Rate="120", Allow="POST")


async def test_consent_is_shown_and_its_rate_becomes_the_throttle(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    url = receiver.on("/hook", by_method(OPTIONS=ALLOWED, POST=status(200)))
    made = await create(http, url, format="cloudevents")
    asked = receiver.arrivals()[0]
    assert (asked.method, asked.body) == ("OPTIONS", b"")
    assert asked.headers["webhook-request-origin"] == "vidhuk.example.com"
    assert "webhook-signature" not in asked.headers
    shown = made["handshake"]
    assert isinstance(shown, dict)
    assert (shown["state"], shown["allowed_per_minute"], shown["status"]) == ("allowed", 120, 200)
    assert made["throttle"] == {"messages": 120, "seconds": 60}
    assert (await http.get(f"{ENDPOINTS}/{made['id']}")).json()["handshake"] == shown


async def test_without_consent_messages_are_sent_all_the_same_and_the_state_says_so(
    http: httpx.AsyncClient, outlet: Outlet, receiver: Receiver
) -> None:
    url = receiver.on("/hook", by_method(OPTIONS=status(405), POST=status(200)))
    made = await create(http, url, format="cloudevents", throttle={"messages": 5, "seconds": 1})
    assert receiver.arrivals()[0].headers["webhook-request-rate"] == "300"
    shown = made["handshake"]
    assert isinstance(shown, dict)
    assert (shown["state"], shown["detail"]) == ("not_allowed", "it answered 405")
    await outlet.announce()
    await outlet.fan_out()
    await outlet.deliver(outlet.dispatcher())
    assert [arrival.method for arrival in receiver.arrivals()] == ["OPTIONS", "POST"]
    assert {row["state"] for row in await outlet.messages()} == {"delivered"}


async def test_a_test_asks_again_and_so_does_another_url(http: httpx.AsyncClient, receiver: Receiver) -> None:
    url = receiver.on("/hook", by_method(OPTIONS=status(404), POST=status(200)))
    made = await create(http, url, format="cloudevents")
    receiver.on("/hook", by_method(OPTIONS=ALLOWED, POST=status(200)))
    assert (await http.post(f"{ENDPOINTS}/{made['id']}/test", json={})).status_code == 202
    assert (await http.get(f"{ENDPOINTS}/{made['id']}")).json()["handshake"]["state"] == "allowed"
    other = receiver.on("/other", raw())
    changed = (await http.patch(f"{ENDPOINTS}/{made['id']}", json={"url": other})).json()
    assert (changed["handshake"]["state"], changed["handshake"]["detail"]) == ("no_answer", "reset")
    plain = (await http.patch(f"{ENDPOINTS}/{made['id']}", json={"format": "standard"})).json()
    assert plain["handshake"] is None


async def test_a_silent_receiver_costs_three_seconds_and_a_standard_one_is_not_asked(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    started = time.monotonic()
    made = await create(http, receiver.on("/mute", silence()), format="cloudevents")
    assert time.monotonic() - started < 8  # and not for ever
    shown = made["handshake"]
    assert isinstance(shown, dict)
    assert (shown["state"], shown["detail"], shown["status"]) == ("no_answer", "timeout", None)
    made = await create(http, receiver.on("/hook", status(200)))
    assert (made["handshake"], receiver.arrivals()) == (None, [])


async def test_an_address_inside_is_not_asked(http: httpx.AsyncClient, receiver: Receiver) -> None:
    answer = await http.post(ENDPOINTS, json={"url": "http://10.0.0.1/", "format": "cloudevents"})
    assert answer.status_code == 422
    made = await create(http, "http://nobody.invalid/", format="cloudevents")
    shown = made["handshake"]
    assert isinstance(shown, dict)
    assert (shown["state"], shown["detail"]) == ("no_answer", "dns")
    assert receiver.connections == 0
