"""The OData feed over HTTP: documents, options, pages, refusals in the shape that clients show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bi.odata.model import KEYS
from app.main import create_api
from app.wiring import Services
from tests.conftest import MakeKey
from tests.metrics.world import Answer, World

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANSWERS = (
    Answer(9, NOON, touchpoint="checkout", location="kyiv"),
    Answer(3, NOON.replace(day=11), touchpoint="checkout", location=None),
    Answer(7, NOON.replace(day=12), touchpoint="O'Hara", location="lviv"),
    Answer(10, NOON.replace(day=12), touchpoint=None, location="kyiv", channel="call"),
)


@pytest.fixture
async def feed(services: Services, a_tenant, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    """A client as Excel is one: Basic, the key as the password; four answers are there."""
    world = World(services.database, a_tenant.tenant_id)
    await world.commit(*ANSWERS)
    transport = httpx.ASGITransport(app=create_api(services))
    auth = ("excel", await api_key("feedback:read"))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test/odata/v4/", auth=auth
    ) as feed:
        yield feed


async def values(feed: httpx.AsyncClient, **options: str) -> list[Any]:
    """The scores of the answers that these options keep, in the order of the answer."""
    answer = await feed.get("feedback", params={f"${name}": text for name, text in options.items()})
    assert answer.status_code == 200, answer.text
    return [row["value"] for row in answer.json()["value"]]


async def test_the_documents_describe_every_view(feed: httpx.AsyncClient) -> None:
    service = (await feed.get("")).json()
    assert [entry["name"] for entry in service["value"]] == list(KEYS)
    assert service["@odata.context"] == "http://vidhuk.test/odata/v4/$metadata"
    answer = await feed.get("$metadata", headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.headers["odata-version"] == "4.0"
    types = {
        found.get("Name"): found for found in ElementTree.fromstring(answer.content).iter(f"{EDM}EntityType")
    }
    assert set(types) == set(KEYS)
    for name, key in KEYS.items():
        assert tuple(ref.get("Name") for ref in types[name].iter(f"{EDM}PropertyRef")) == key
        (row,) = (await feed.get(name, params={"$top": "1"})).json()["value"] or [None]
        if row is not None:
            assert list(row) == [found.get("Name") for found in types[name].iter(f"{EDM}Property")]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("value ge 9", [9, 10]),
        ("9 le value", [9, 10]),
        ("touchpoint eq 'checkout'", [9, 3]),
        ("touchpoint eq 'O''Hara'", [7]),
        ("touchpoint ne 'checkout'", [7, 10]),
        ("touchpoint eq null or location eq null", [3, 10]),
        ("local_date gt 2026-03-10 and local_date le 2026-03-11", [3]),
        ("occurred_at lt 2026-03-11T00:00:00+02:00", [9]),
        ("location in ('kyiv', 'odesa') and not (channel eq 'call')", [9]),
        ("startswith(touchpoint, 'check') and endswith(location, 'yiv')", [9]),
        ("contains(tolower(touchpoint), 'hara')", [7]),
        ("counts and not is_complaint and value lt 100000000000", [9, 3, 7, 10]),
        ("answer_class eq channel", []),
    ],
)
async def test_a_filter_keeps_what_it_says(feed: httpx.AsyncClient, condition: str, kept: list[int]) -> None:
    assert sorted(await values(feed, filter=condition)) == sorted(kept)
    counted = await feed.get("feedback/$count", params={"$filter": condition})
    assert (counted.text, counted.headers["content-type"]) == (str(len(kept)), "text/plain; charset=utf-8")


async def test_order_top_skip_select_and_count(feed: httpx.AsyncClient) -> None:
    assert await values(feed, orderby="value desc") == [10, 9, 7, 3]
    assert await values(feed, orderby="local_date desc,value", top="2") == [7, 10]
    assert await values(feed, orderby="value", skip="1", top="2") == [7, 9]
    answer = (
        await feed.get("feedback", params={"$select": "value,channel", "$count": "true", "$top": "0"})
    ).json()
    assert (answer["@odata.count"], answer["value"]) == (4, [])
    assert answer["@odata.context"].endswith("$metadata#feedback(value,channel)")
    one = (await feed.get("feedback", params={"$select": "value", "$top": "1"})).json()
    assert list(one["value"][0]) == ["value"]
    assert "@odata.nextLink" not in one


@pytest.mark.parametrize("order", ["", "location", "location desc", "touchpoint desc,value", "local_date"])
@pytest.mark.parametrize("top", ["", "3"])
async def test_pages_follow_each_other_whatever_the_order(
    feed: httpx.AsyncClient, order: str, top: str
) -> None:
    options = {"$select": "value", "$filter": "value gt 0"}
    options |= {"$orderby": order} if order else {}
    options |= {"$top": top} if top else {}
    whole = (await feed.get("feedback", params=options)).json()["value"]
    assert len(whole) == int(top or 4)
    found, answer = (
        [],
        (await feed.get("feedback", params=options, headers={"Prefer": "maxpagesize=1"})).json(),
    )
    while True:
        assert len(answer["value"]) == 1
        found += answer["value"]
        if "@odata.nextLink" not in answer:
            break
        answer = (await feed.get(answer["@odata.nextLink"], headers={"Prefer": "maxpagesize=1"})).json()
    assert found == whole


@pytest.mark.parametrize(
    ("address", "status", "code", "said"),
    [
        ("feedbak", 404, "unknown_entity_set", "feedback"),
        ("feedback?$filter=chanel eq 'x'", 400, "unknown_property", "channel"),
        ("feedback?$filter=value eq 'x'", 400, "wrong_type_of_value", "Edm.Double"),
        ("feedback?$filter=local_date eq 2026-02-31", 400, "wrong_type_of_value", "2026-03-01"),
        ("feedback?$filter=occurred_at gt 0001-01-01T00:00:00%2B14:00", 400, "wrong_type_of_value", "Edm"),
        ("feedback?$filter=value eq 1e999", 400, "wrong_type_of_value", "Edm.Double"),
        ("feedback?$filter=scale_version eq 99999999999999999999", 400, "wrong_type_of_value", "Int32"),
        ("feedback?$filter=value", 400, "malformed_filter", "condition"),
        ("feedback?$filter=value eq channel", 400, "malformed_filter", "Edm.String"),
        ("feedback?$filter=1 eq 1", 400, "malformed_filter", "property"),
        ("feedback?$filter=value gt null", 400, "malformed_filter", "null"),
        ("feedback?$orderby=value down", 400, "malformed_order", "value down"),
        ("feedback?$select=valu", 400, "unknown_property", "value"),
        ("feedback?$top=-1", 400, "invalid_number", "$top"),
        ("feedback?$count=yes", 400, "invalid_flag", "$count"),
        ("feedback?$skiptoken=abc", 400, "invalid_skiptoken", "nextLink"),
        ("feedback?$expand=cases", 501, "option_not_offered", "$expand"),
        ("feedback?$apply=aggregate(value)", 501, "option_not_offered", "$apply"),
        ("feedback?$format=atom", 501, "format_not_offered", "atom"),
        ("feedback?$filter=year(local_date) eq 2026", 501, "unknown_function", "year"),
        ("feedback?$fliter=value eq 1", 400, "unknown_option", "$filter"),
        ("feedback?$top=1&$top=2", 400, "repeated_option", "$top"),
    ],
)
async def test_a_refusal_says_what_is_wrong_in_the_shape_of_the_protocol(
    feed, address, status, code, said
) -> None:
    answer = await feed.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert said in answer.json()["error"]["message"]
    assert answer.headers["odata-version"] == "4.0"


async def test_without_a_key_a_client_is_asked_for_one_and_without_the_scope_refused(feed, api_key) -> None:
    nobody = await feed.get("feedback", auth=("x", "vk_test_no"))
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Basic realm="vidhuk"')
    poor = await feed.get("feedback", auth=("x", await api_key("metrics:read")))
    assert (poor.status_code, poor.json()["error"]["code"]) == (403, "missing_scope")


_NAMES = ["value", "channel", "local_date", "occurred_at", "counts", "feedback_id", "norm01"]
_MARKS = ["eq", "ne", "gt", "in", "and", "or", "not", "(", ")", ",", "contains(", "tolower("]
_VALUES = ["null", "true", "'x'", "5", "-1e9", "2026-03-01", "2026-03-01T00:00:00Z", str(UUID(int=7))]
_WORDS = st.sampled_from([*_NAMES, *_MARKS, *_VALUES])


@given(words=st.lists(_WORDS, max_size=12), order=st.text(max_size=10), token=st.text(max_size=10))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_options_break_the_feed(feed: httpx.AsyncClient, words, order, token) -> None:
    for options in ({"$filter": " ".join(words)}, {"$orderby": order}, {"$skiptoken": token}):
        answer = await feed.get("feedback", params=options)
        assert answer.status_code in (200, 400, 501), (options, answer.text)
