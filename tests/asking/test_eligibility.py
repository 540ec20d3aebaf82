"""The eligibility endpoint over the facts of several tools, and its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from tests.builders import Json, assert_problem, at, event
from tests.conftest import MovedClock

OLENA = {"type": "email", "value": "olena@example.com"}


async def ask(client: httpx.AsyncClient, **terms: object) -> Json:
    answer = await client.post(
        "/v1/asking/eligibility", json={"customer": OLENA, "channel": "email", **terms}
    )
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def noon(days: int = 1) -> str:
    """A noon in Kyiv to come: no quiet hours."""
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    return f"{day}T12:00:00+02:00"


async def test_an_invitation_by_one_tool_holds_back_another_until_its_month_is_over(
    client: httpx.AsyncClient,
) -> None:
    assert (await ask(client, at=noon()))["allowed"]
    data = {"channel": "sms", "customer": {"type": "email", "value": " Olena@Example.com"}}
    await client.post("/v1/events", json=event("survey.started", "s1", data=data))
    held = await ask(client, at=noon())
    assert (held["allowed"], held["rule"], held["time_zone"]) == (False, "transactional_cap", "Europe/Kyiv")
    earliest = datetime.fromisoformat(at().replace("Z", "+00:00")) + timedelta(days=30)
    assert earliest <= datetime.fromisoformat(held["until"]) <= earliest + timedelta(hours=12)
    assert (await ask(client, at=held["until"]))["allowed"]
    # one that never arrived holds nobody back
    await client.post(
        "/v1/events", json=event("survey.not_reached", "n1", when=at(hours=1), subject="survey/crm:s1")
    )
    assert (await ask(client, at=noon()))["allowed"]


async def test_an_open_complaint_and_an_opt_out_hold_back_and_are_lifted(client: httpx.AsyncClient) -> None:
    opened = event("case.opened", "c1", subject="case/C1", data={"kind": "complaint", "customer": OLENA})
    out = event("customer.opted_out", "o1", data={"customer": OLENA, "channel": "email"})
    await client.post("/v1/events", json=[opened, out])
    found = await ask(client, at=noon())
    assert [item["rule"] for item in found["findings"]] == ["opted_out", "open_complaint"]
    assert found["until"] is None
    assert (await ask(client, at=noon(), channel="sms"))["rule"] == "open_complaint"
    closed = event("case.closed", "c2", when=at(hours=1), subject="case/C1")
    back = event("customer.opted_in", "o2", when=at(hours=1), data={"customer": OLENA})
    await client.post("/v1/events", json=[closed, back])
    assert (await ask(client, at=noon()))["allowed"]


async def test_many_are_judged_at_once_by_their_own_clocks_and_every_answer_is_logged(
    client: httpx.AsyncClient, clock: MovedClock
) -> None:
    await client.put("/v1/directory/location/ny", json={"details": {"time_zone": "America/New_York"}})
    asks = [
        {
            "customer": {"type": "email", "value": f"c{n}@example.com"},
            "channel": "email",
            "at": noon(),
            **more,
        }
        for n, more in enumerate(({}, {"location": "ny"}, {"time_zone": "Asia/Tokyo", "channel": "sms"}))
    ]
    answer = await client.post("/v1/asking/eligibility/batch", json={"asks": asks})
    assert [item["rule"] for item in answer.json()["items"]] == [None, "quiet_hours", None]
    log = (await client.get("/v1/asking/decisions", params={"allowed": "false"})).json()["items"]
    said = [(item["rule"], item["channel"], item["time_zone"]) for item in log]
    assert said == [("quiet_hours", "email", "America/New_York")]
    pages = await client.get("/v1/asking/decisions", params={"limit": 2})
    rest = await client.get(
        "/v1/asking/decisions", params={"limit": 2, "cursor": pages.json()["next_cursor"]}
    )
    assert (len(pages.json()["items"]), len(rest.json()["items"])) == (2, 1)
    [mine] = (await client.get("/v1/asking/decisions", params={"customer": "email:C0@example.com"})).json()[
        "items"
    ]
    assert mine["allowed"] is True


async def test_what_is_asked_wrongly_is_refused_with_the_place(client: httpx.AsyncClient) -> None:
    good = {"customer": OLENA, "channel": "email"}
    answer = await client.post("/v1/asking/eligibility", json={**good, "moment": "folowup"})
    assert assert_problem(answer, 422, "unknown_moment")["errors"][0]["pointer"] == "/moment"
    answer = await client.post("/v1/asking/eligibility/batch", json={"asks": [good, {**good, "moment": "x"}]})
    assert assert_problem(answer, 422, "unknown_moment")["errors"][0]["pointer"] == "/asks/1/moment"
    for bad in ({"time_zone": "Mars/One"}, {"channel": "fax"}, {"at": "2026-01-01T00:00:00"}, {"colour": 1}):
        assert (await client.post("/v1/asking/eligibility", json={**good, **bad})).status_code == 422
    assert (await client.get("/v1/asking/decisions", params={"cursor": "zzz"})).status_code == 422
