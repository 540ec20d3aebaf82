"""Bytes from people we do not know: each is refused with its place and cure, and none gives a 500."""

from __future__ import annotations

import gzip
import json
import zlib

import httpx

from app.wiring import Services
from tests.builders import assert_problem, error_of, event, rating, results_of, value_of
from tests.conftest import MakeKey, Server, make_key, make_tenant

JSON = {"Content-Type": "application/json"}


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await client.post(
        "/v1/events", content=body, headers={**JSON, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


async def test_what_is_not_strict_json_is_refused_as_a_whole(
    client: httpx.AsyncClient, server: Server
) -> None:
    good = json.dumps(rating("x", "VALUE", text="TEXT")).encode()
    bodies = {
        b"": "malformed_json",
        b"{": "malformed_json",
        good.replace(b'"VALUE"', b"NaN"): "malformed_json",
        good.replace(b'"VALUE"', b"Infinity"): "malformed_json",
        good.replace(b'"VALUE"', b"-Infinity"): "malformed_json",
        good.replace(b'"VALUE"', b"1e999"): "malformed_json",
        good.replace(b'"VALUE"', b"9" * 5000): "malformed_json",
        good.replace(b"TEXT", b"\\ud800"): "malformed_json",
        good.replace(b"TEXT", b"\\udc00\\ud800"): "malformed_json",
        good.replace(b"TEXT", b"a\\u0000b"): "nul_character",
        good.replace(b'"text"', b'"te\\u0000xt"'): "nul_character",
        good.replace(b"TEXT", b"a\x00b"): "malformed_json",
        good.replace(b"TEXT", b"\xff\xfe"): "malformed_json",
        good.replace(b"TEXT", b"\xed\xa0\x80"): "malformed_json",
        good.decode().encode("utf-16"): "malformed_json",
        b"\xef\xbb\xbf" + good: "malformed_json",
        b"[" * 900 + b"]" * 900: "too_deep",
        b"[" * 100_000: "too_deep",
        b'{"a":' * 900 + b"1" + b"}" * 900: "too_deep",
        good + b"{}": "malformed_json",
        b"{'a': 1}": "malformed_json",
    }
    for body, code in bodies.items():
        assert_problem(await post(client, body), 400, code)
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_a_deep_value_at_the_limit_is_judged_and_one_level_more_is_not_read(
    client: httpx.AsyncClient,
) -> None:
    def nested(levels: int) -> bytes:
        return b'{"type":"feedback.received","data":' + b"[" * levels + b"]" * levels + b"}"

    assert (await post(client, nested(31))).status_code == 422
    assert_problem(await post(client, nested(32)), 400, "too_deep")


async def test_a_value_that_is_no_event_is_refused_where_it_stands(client: httpx.AsyncClient) -> None:
    for body in (b"5", b'"text"', b"null", b"true"):
        assert_problem(await post(client, body), 422, "not_an_object")
    answer = await post(client, json.dumps([5, None, [], rating("ok"), {}]).encode())
    assert results_of(answer) == ["rejected", "rejected", "rejected", "created", "rejected"]


async def test_other_media_types_charsets_and_encodings_are_415(client: httpx.AsyncClient) -> None:
    body = json.dumps(rating("x")).encode()
    for media_type in ("text/plain", "application/xml", "", "application/x-www-form-urlencoded", "json"):
        answer = await post(client, body, Content_Type=media_type)
        assert "application/json" in assert_problem(answer, 415, "unsupported_media_type")["detail"]
    assert_problem(
        await post(client, body, Content_Type="application/json; charset=utf-16"), 415, "unsupported_charset"
    )
    for encoding in ("br", "deflate", "zstd", "gzip, gzip", "gzip;q=1"):
        assert_problem(await post(client, body, Content_Encoding=encoding), 415, "unsupported_encoding")
    assert (await post(client, body, Content_Type="Application/JSON; Charset=UTF-8")).status_code == 201


async def test_broken_and_bursting_gzip_is_refused(client: httpx.AsyncClient, services: Services) -> None:
    body = gzip.compress(json.dumps([rating(f"a{n}") for n in range(200)]).encode())
    broken = [
        body[: len(body) // 2],
        body[:-1],
        b"no gzip at all",
        body + b"trailing",
        gzip.compress(b"") + b"x",
        b"",
    ]
    for item in broken:
        assert_problem(await post(client, item, Content_Encoding="gzip"), 400, "broken_gzip")
    flipped = body[:-6] + bytes([body[-6] ^ 255]) + body[-5:]
    assert_problem(await post(client, flipped, Content_Encoding="gzip"), 400, "broken_gzip")
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(b" " * 2**20) for _ in range(40)) + squeezer.flush()
    assert len(bomb) < services.settings.max_body_bytes / 500
    assert_problem(await post(client, bomb, Content_Encoding="gzip"), 413, "body_too_large")
    nested = gzip.compress(gzip.compress(b"[]"))
    assert_problem(await post(client, nested, Content_Encoding="gzip"), 400, "malformed_json")


async def test_forty_megabytes_are_too_much_and_no_more_than_the_limit_is_read(
    client: httpx.AsyncClient, services: Services
) -> None:
    sent = 0

    async def chunks():  # type: ignore[no-untyped-def]
        nonlocal sent
        for _ in range(40):
            sent += 2**20
            yield b" " * 2**20

    answer = await client.post("/v1/events", content=chunks(), headers=JSON)
    assert_problem(answer, 413, "body_too_large")


async def test_ten_thousand_events_are_taken_to_be_judged_and_one_more_is_not(
    client: httpx.AsyncClient,
) -> None:
    line = b'{"type":"x"}\n'
    for media_type, body in (
        ("application/json", b"[" + b",".join([b"1"] * 10_001) + b"]"),
        ("application/x-ndjson", line * 10_001),
    ):
        body_of = assert_problem(await post(client, body, Content_Type=media_type), 413, "too_many_events")
        assert "10000" in body_of["detail"]
    answer = await post(client, line * 10_000, Content_Type="application/x-ndjson")
    assert answer.status_code == 200
    assert answer.json()["counts"]["rejected"] == 10_000


async def test_a_flood_of_empty_lines_is_no_flood_of_work(client: httpx.AsyncClient) -> None:
    answer = await post(client, b"\n" * 5_000_000, Content_Type="application/x-ndjson")
    assert results_of(answer) == []
    assert_problem(
        await post(client, b"1\n" * 5_000_000, Content_Type="application/x-ndjson"), 413, "too_many_events"
    )


async def test_the_good_rows_beside_bad_ones_are_stored(client: httpx.AsyncClient, server: Server) -> None:
    posted = [
        rating("good-1"),
        rating("bad-1", 11),
        {**rating("bad-2"), "type": "feedback.recieved"},
        {**rating("bad-3"), "occurred_at": "2025-01-01T00:00:00"},
        {**rating("bad-4"), "occurred_at": "2199-01-01T00:00:00Z"},
        rating("bad-5", scale="nps"),
        rating("good-1"),
        rating("good-1", 2),
        rating("good-2"),
    ]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["created", *["rejected"] * 5, "duplicate", "rejected", "created"]
    codes = [error_of(answer, n)["code"] for n in (1, 2, 3, 4, 5, 7)]
    assert codes == [
        "score_outside_scale",
        "unknown_type",
        "missing_zone",
        "future_time",
        "unknown_scale",
        "event_conflict",
    ]
    for n in (1, 2, 3, 4, 5, 7):
        assert error_of(answer, n)["pointer"].startswith("/")
        assert error_of(answer, n)["cure"]
    assert await value_of(
        server, "SELECT array_agg(external_id ORDER BY position) FROM events WHERE source='crm'"
    ) == [
        "good-1",
        "good-2",
    ]


async def test_without_a_live_key_of_the_right_scope_nothing_is_read(
    client: httpx.AsyncClient, api_key: MakeKey, server: Server
) -> None:
    event_of = rating("a1")
    wrong = {
        "unauthenticated": [None, "Bearer", "Bearer ", "Basic !!!", "Basic Og==", "Digest x", "Basic \xff"],
        "unknown_key": ["Bearer vk_test_wrong", "Bearer \xe9\xff", "Bearer " + "x" * 5000, "Basic eDp5"],
    }
    del client.headers["Authorization"]
    for code, values in wrong.items():
        for value in values:
            headers = {} if value is None else {"Authorization": value.encode("latin-1")}
            answer = await client.post("/v1/events", json=event_of, headers=headers)
            body = assert_problem(answer, 401, code)
            assert body["errors"][0]["pointer"] == "header:Authorization"
            assert "Bearer" in answer.headers["www-authenticate"]
    reader = {"Authorization": f"Bearer {await api_key('feedback:read', 'metrics:read')}"}
    body = assert_problem(
        await client.post("/v1/events", json=event_of, headers=reader), 403, "missing_scope"
    )
    assert "events:write" in body["detail"]
    assert await value_of(server, "SELECT count(*) FROM events") == 0
    writer = await api_key("events:write")
    assert (await client.post("/v1/events", json=event_of, headers={"X-Api-Key": writer})).status_code == 201


async def test_another_tenants_events_cannot_be_reached_by_their_ids(
    client: httpx.AsyncClient, services: Services, server: Server
) -> None:
    first = (await client.post("/v1/events", json=rating("shared-id"))).json()
    other = await make_tenant(services, "other")
    headers = {"Authorization": f"Bearer {await make_key(services, other)}"}
    again = await client.post("/v1/events", json=rating("shared-id"), headers=headers)
    assert again.status_code == 201
    assert again.json()["event_id"] != first["event_id"]
    undo = event("event.retracted", "u1", data={"event": "shared-id"})
    assert (await client.post("/v1/events", json=undo, headers=headers)).status_code == 201
    assert await value_of(server, "SELECT count(*) FROM feedback WHERE seq_to IS NULL") == 1


async def test_odd_text_in_every_field_is_stored_or_refused_but_never_breaks(
    client: httpx.AsyncClient, server: Server
) -> None:
    texts = [
        "\u202e",
        "\ufeff",
        "\U0010ffff",
        "a\r\nb",
        "=1+1",
        "' OR 1=1 --",
        "\x7f",
        "𝒳" * 60,
        " ",
        "\u2028",
        "e\u0301",
    ]
    posted = []
    for n, text in enumerate(texts):
        where = {"location": text, "employee": text, "touchpoint": text, "attributes": {"note": text}}
        posted.append(rating(f"{n}{text}", source=f"s{text}", object=text, version=n, text=text, **where))
    for index, item in enumerate(posted):
        answer = await client.post("/v1/events", json=item)
        assert answer.status_code in (201, 422), (texts[index], answer.text)
        if answer.status_code == 201:
            stored = await value_of(
                server, "SELECT fact->'attributes'->>'note' FROM events WHERE external_id = $1", item["id"]
            )
            assert stored == texts[index]


async def test_a_nul_in_the_address_is_refused_before_any_route(client: httpx.AsyncClient) -> None:
    for address in ("/v1/feedback?location=a%00b", "/v1/feedback/fb_%00", "/in/%00", "/v1/events?atomic=%00"):
        method = "POST" if address.startswith(("/in", "/v1/events")) else "GET"
        answer = await client.request(method, address)
        assert 400 <= answer.status_code < 500, (address, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_routes_of_the_framework_hold_bodies_to_the_same_parser(client: httpx.AsyncClient) -> None:
    for body, code in (
        (b'{"name": NaN}', "malformed_json"),
        (b'{"name": "\\ud800"}', "malformed_json"),
        (b'{"\\ud800": 1}', "malformed_json"),
        (b'{"name": "\\u0000", "scopes": []}', "nul_character"),
        (b"[" * 900 + b"]" * 900, "too_deep"),
        (b"\xff", "malformed_json"),
    ):
        assert_problem(await client.post("/v1/keys", content=body, headers=JSON), 400, code)
    big = await client.post("/v1/keys", content=b" " * (5 * 2**20), headers=JSON)
    assert_problem(big, 413, "body_too_large")
    assert big.headers["connection"] == "close"
