"""The network between the import and the service: busy, restarting, refusing, or somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from app.importer.poster import Flags, Outcome, Poster, ServiceError

Answer = Callable[[httpx.Request], httpx.Response]


def _lines(count: int) -> list[bytes]:
    return [json.dumps({"id": f"e{index}"}).encode() for index in range(count)]


def _ids(request: httpx.Request) -> list[str]:
    return [json.loads(line)["id"] for line in request.content.splitlines()]


def _created(request: httpx.Request) -> httpx.Response:
    results = [{"index": n, "id": name, "status": "created"} for n, name in enumerate(_ids(request))]
    return httpx.Response(200, json={"results": results})


class Service:
    """A scripted service: one answer per request, the last one for ever; remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers[min(len(self.requests), len(self.answers)) - 1](request)

    async def post(self, count: int, flags: Flags = Flags()) -> list[Outcome]:  # noqa: B008 - a frozen value
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(self), base_url="http://vidhuk.test"
        ) as client:
            return await Poster(client, flags, sleep=self._sleep).post(_lines(count))

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def _problem(status: int, code: str, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, json={"code": code, "detail": "no"}, headers=headers)


def _gone(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def test_events_travel_as_ndjson_with_the_flags_that_were_asked_for() -> None:
    service = Service(_created)
    outcomes = await service.post(3, Flags(backfill=True, open_cases=True))
    assert [outcome.status for outcome in outcomes] == ["created"] * 3
    (request,) = service.requests
    assert request.headers["content-type"] == "application/x-ndjson"
    assert dict(request.url.params) == {"backfill": "true", "open_cases": "true"}
    assert Flags(backfill=False, open_cases=True).parameters() == {}


async def test_no_events_need_no_request() -> None:
    service = Service(_created)
    assert await service.post(0) == []
    assert service.requests == []


@pytest.mark.parametrize("passing", [_gone, _problem(503, "overloaded"), _problem(502, "bad_gateway")])
async def test_a_service_that_comes_back_costs_time_and_no_row(passing: Answer) -> None:
    service = Service(passing, passing, _created)
    assert len(await service.post(2)) == 2
    assert service.slept == [0.25, 0.5]


async def test_retry_after_is_honoured_within_reason() -> None:
    service = Service(
        _problem(429, "too_many", **{"retry-after": "7"}),
        _problem(503, "x", **{"retry-after": "999"}),
        _created,
    )
    await service.post(1)
    assert service.slept == [7.0, 30.0]


async def test_a_service_that_was_never_met_is_not_waited_for_long() -> None:
    service = Service(_gone)
    with pytest.raises(ServiceError) as caught:
        await service.post(1)
    assert caught.value.reason == "unreachable"
    assert sum(service.slept) < 2


async def test_only_what_the_service_calls_retryable_is_sent_again() -> None:
    def half(request: httpx.Request) -> httpx.Response:
        error = {"code": "database_unavailable", "retryable": True}
        results = [{"status": "created"}, {"status": "rejected", "error": error}, {"status": "duplicate"}]
        return httpx.Response(200, json={"results": results})

    service = Service(half, _created)
    assert [outcome.status for outcome in await service.post(3)] == ["created", "created", "duplicate"]
    assert _ids(service.requests[1]) == ["e1"]


async def test_what_stays_retryable_stops_the_import() -> None:
    error = {"code": "database_unavailable", "retryable": True}
    service = Service(
        lambda _: httpx.Response(503, json={"results": [{"status": "rejected", "error": error}]})
    )
    with pytest.raises(ServiceError) as caught:
        await service.post(1)
    assert caught.value.reason == "unavailable"


async def test_a_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    def small_only(request: httpx.Request) -> httpx.Response:
        return (
            _created(request) if len(_ids(request)) <= 2 else httpx.Response(413, json={"code": "too_large"})
        )

    service = Service(small_only)
    assert [outcome.status for outcome in await service.post(5)] == ["created"] * 5
    stored = [name for request in service.requests if len(_ids(request)) <= 2 for name in _ids(request)]
    assert stored == ["e0", "e1", "e2", "e3", "e4"]


async def test_one_event_that_is_too_large_is_rejected_alone() -> None:
    def picky(request: httpx.Request) -> httpx.Response:
        return httpx.Response(413) if "e1" in _ids(request) else _created(request)

    outcomes = await Service(picky).post(3)
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        ("created", ""),
        ("rejected", "too_large"),
        ("created", ""),
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_problem(401, "unknown_key"), "unknown_key"),
        (_problem(403, "scope_missing"), "scope_missing"),
        (lambda _: httpx.Response(404, text="<html>"), "http_404"),
        (lambda _: httpx.Response(200, text="hello"), "http_200"),
        (lambda _: httpx.Response(307, headers={"location": "http://other/"}), "http_307"),
        (lambda _: httpx.Response(200, json={"results": []}), "unexpected_answer"),
        (lambda _: httpx.Response(200, json={"results": {}}), "unexpected_answer"),
    ],
)
async def test_a_refusal_and_a_stranger_stop_the_import_at_once(answer: Answer, reason: str) -> None:
    service = Service(answer)
    with pytest.raises(ServiceError) as caught:
        await service.post(2)
    assert caught.value.reason == reason and caught.value.cure
    assert len(service.requests) == 1
