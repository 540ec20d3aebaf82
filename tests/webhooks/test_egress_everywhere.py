"""The guard gives the same answer wherever a URL turns up: created, changed, tested, delivered."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from app.domain.egress import EgressRules
from app.kit.ids import parse_public_id, public_id
from app.webhooks import service
from app.webhooks.egress import EgressGuard
from app.webhooks.sender import Sender
from app.webhooks.transport import VettedTransport
from tests.receiver import Receiver, status
from tests.webhooks.conftest import Outlet
from tests.webhooks.routes import ENDPOINTS
from tests.webhooks.senders import Names, ip_address

INSIDE = [
    "http://127.0.0.1:8080/",
    "http://10.1.2.3/",
    "http://169.254.169.254/latest/meta-data",
    "http://168.63.129.16/",
    "http://100.100.100.200/",
    "http://192.88.99.1/",
    "http://[::1]:8080/",
    "http://[::127.0.0.1]:8080/",
    "http://[::ffff:127.0.0.1]:8080/",
    "http://[::ffff:0:7f00:1]:8080/",
    "http://[64:ff9b::7f00:1]:8080/",
    "http://[2002:7f00:1::]:8080/",
    "http://[2606:4700::5efe:7f00:1]:8080/",
    "http://[fd00:ec2::254]/",
    "http://2130706433:8080/",
    "http://0x7f.1:8080/",
    "http://0177.0.0.1:8080/",
    "http://127.1:8080/",
    "http://localhost.:8080/",
    "http://a@127.0.0.1:8080/",
    "http://inside.test:8080/",
    "http://mixed.test:8080/",
    "http://many.test:8080/",
    "http://8.8.8.8:5432/",
    "file:///etc/passwd",
]


class Directory(Names):
    """Names that lead inside: alone, beside a public address, as the last of a thousand."""

    def __init__(self) -> None:
        many = [str(ip_address("8.8.0.0") + number) for number in range(999)]
        super().__init__(
            inside_test=[["127.0.0.1"]],
            mixed_test=[["93.184.215.14", "10.0.0.1"]],
            many_test=[[*many, "127.0.0.1"]],
        )


@pytest.fixture
def strict(outlet: Outlet, api: Any) -> EgressGuard:
    guard = EgressGuard(EgressRules(), Directory())
    api.state.egress = guard
    return guard


async def test_an_address_inside_is_refused_at_creation_and_at_change(
    http: httpx.AsyncClient, strict: EgressGuard, outlet: Outlet
) -> None:
    good = await http.post(ENDPOINTS, json={"url": "https://93.184.215.14/hook"})
    assert good.status_code == 201
    for url in INSIDE:
        created = await http.post(ENDPOINTS, json={"url": url})
        changed = await http.patch(f"{ENDPOINTS}/{good.json()['id']}", json={"url": url})
        for answer in (created, changed):
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url"), url
        assert created.json()["code"] == changed.json()["code"]
    listed = (await http.get(ENDPOINTS)).json()["items"]
    assert [item["url"] for item in listed] == ["https://93.184.215.14/hook"]


async def test_an_address_inside_is_refused_at_delivery_and_in_a_test_even_where_it_is_stored(
    strict: EgressGuard, outlet: Outlet
) -> None:
    """As if it had been stored before the rules changed, or its name had moved since."""
    endpoints = [await outlet.endpoint("https://93.184.215.14/hook", "sla.*") for _ in INSIDE]
    async with outlet.database.worker() as tx:
        for endpoint_id, url in zip(endpoints, INSIDE, strict=True):
            await tx.execute("UPDATE endpoints SET url = $2 WHERE endpoint_id = $1", endpoint_id, url)
    await outlet.announce()
    await outlet.fan_out()
    for endpoint_id in endpoints:
        async with outlet.edit() as edit:
            await service.send_test(edit, endpoint_id, "endpoint.test")
    async with Receiver(port=0) as canary:
        dispatcher = outlet.dispatcher(sender=Sender(VettedTransport(strict)))
        await outlet.deliver(dispatcher, rounds=3)
        assert canary.connections == 0
    attempts = await outlet.attempts()
    assert len(attempts) == 2 * len(INSIDE)
    assert {(row["outcome"], row["failure"]) for row in attempts} == {("failed", "address_refused")}


async def test_a_canary_on_this_machine_hears_nothing_until_the_operator_allows_it(
    outlet: Outlet, receiver: Receiver
) -> None:
    await outlet.endpoint(receiver.on("/canary", status(200)), "sla.*")
    await outlet.announce()
    await outlet.fan_out()
    strict = EgressGuard(EgressRules())
    await outlet.deliver(outlet.dispatcher(sender=Sender(VettedTransport(strict))))
    assert receiver.connections == 0
    await outlet.make_due()
    await outlet.deliver(outlet.dispatcher())  # with the operator's network
    assert len(receiver.arrivals("/canary")) == 1


async def test_a_name_server_that_never_answers_delays_creation_by_three_seconds_at_most(
    http: httpx.AsyncClient, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.egress.CHECK_SECONDS", 0.2)

    async def silence(_host: str) -> tuple[Any, ...]:
        import asyncio

        await asyncio.sleep(60)
        return ()

    api.state.egress = EgressGuard(EgressRules(), silence)
    started = time.monotonic()
    answer = await http.post(ENDPOINTS, json={"url": "https://slow.test/"})
    assert answer.status_code == 201  # delivery judges it again
    assert time.monotonic() - started < 2
    endpoint_id = parse_public_id("ep", answer.json()["id"])
    assert endpoint_id is not None
    assert public_id("ep", endpoint_id) == answer.json()["id"]
