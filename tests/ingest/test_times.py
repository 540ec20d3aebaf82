"""When it happened: offsets, zones of sources, clocks that run ahead, history, days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from app.wiring import Services
from tests.builders import T0, at, error_of, event, query, rating, results_of, value_of
from tests.conftest import Server, Tenant


async def errors_of(client: httpx.AsyncClient, times: list[str]) -> list[tuple[str, str]]:
    posted = [rating(f"t{n}", when=when) for n, when in enumerate(times)]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["rejected"] * len(times), answer.text
    return [(error_of(answer, n)["code"], error_of(answer, n)["pointer"]) for n in range(len(times))]


async def test_a_time_without_an_offset_is_refused_and_the_cure_names_the_zone(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/events", json=[rating("t1", when="2025-03-01T10:00:00")])
    assert error_of(answer)["code"] == "missing_zone"
    assert error_of(answer)["pointer"] == "/occurred_at"
    assert "zone" in error_of(answer)["cure"]


async def test_a_time_without_an_offset_is_read_in_the_zone_of_its_source(
    client: httpx.AsyncClient, server: Server, services: Services, a_tenant: Tenant
) -> None:
    await client.post("/v1/events", json=rating("first", source="pbx"))
    async with services.database.write(a_tenant.tenant_id) as tx:
        await tx.execute("UPDATE sources SET time_zone = 'America/New_York' WHERE key = 'pbx'")
        await tx.execute("UPDATE tenant_head SET config_version = config_version + 1")
    posted = [
        rating("winter", when="2025-01-15T10:00:00", source="pbx"),
        rating("summer", when="2025-07-15T10:00:00", source="pbx"),
        rating("stated", when="2025-07-15T10:00:00+03:00", source="pbx"),
        rating("other", when="2025-07-15T10:00:00", source="crm"),
    ]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["created", "created", "created", "rejected"]
    rows = await query(server, "SELECT external_id, occurred_at, time_raw FROM events WHERE source = 'pbx'")
    stored = {row["external_id"]: row for row in rows}
    assert stored["winter"]["occurred_at"] == datetime(2025, 1, 15, 15, tzinfo=UTC)
    assert stored["summer"]["occurred_at"] == datetime(2025, 7, 15, 14, tzinfo=UTC)
    assert stored["stated"]["occurred_at"] == datetime(2025, 7, 15, 7, tzinfo=UTC)
    assert stored["winter"]["time_raw"] == "2025-01-15T10:00:00"


async def test_five_minutes_ahead_is_a_fast_clock_and_six_are_the_future(client: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    near, far = (now + timedelta(minutes=4)).isoformat(), (now + timedelta(minutes=6)).isoformat()
    answer = await client.post("/v1/events", json=[rating("near", when=near), rating("far", when=far)])
    assert results_of(answer) == ["created", "rejected"]
    assert error_of(answer, 1)["code"] == "future_time"


async def test_placeholders_and_the_ends_of_time_are_refused(client: httpx.AsyncClient) -> None:
    ancient = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z"]
    future = ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "2200-01-01T00:00:00Z"]
    unreadable = [
        "",
        "yesterday",
        "2025-02-30T00:00:00Z",
        "2025-01-01",
        "1735689600",
        "2025-01-01T00:00:61Z",
        "2025-01-01T00:00:00+99:99",
        "٢٠٢٥-٠١-٠١T٠٠:٠٠:٠٠Z",
        "2025-01-01T00:00:00 Z",
        "2025-W01-1T00:00Z",
    ]
    found = await errors_of(client, [*ancient, *future, *unreadable])
    assert {pointer for _, pointer in found} == {"/occurred_at"}
    codes = [code for code, _ in found]
    assert codes == ["ancient_time"] * 3 + ["future_time"] * 3 + ["unreadable_time"] * len(unreadable)


async def test_the_spellings_of_rfc_3339_are_one_instant(client: httpx.AsyncClient) -> None:
    spelled = [
        "2025-03-01T10:00:00Z",
        "2025-03-01t10:00:00z",
        "2025-03-01 10:00:00Z",
        "2025-03-01T12:00:00+02:00",
        "2025-03-01T10:00:00.000000+00:00",
        "2025-03-01T10:00Z",
        "2025-03-01T12:00:00+0200",
    ]
    answer = await client.post("/v1/events", json=[rating("same", when=when) for when in spelled])
    assert results_of(answer) == ["created"] + ["duplicate"] * (len(spelled) - 1)


async def test_an_old_event_is_stored_and_marked_backdated(client: httpx.AsyncClient, server: Server) -> None:
    await client.post("/v1/events", json=[rating("old", when=at(days=-60)), rating("new")])
    rows = await query(server, "SELECT external_id, backdated FROM events WHERE source = 'crm'")
    assert {row["external_id"]: row["backdated"] for row in rows} == {"old": True, "new": False}


async def test_the_time_as_it_was_written_and_its_precision_are_kept(
    client: httpx.AsyncClient, server: Server
) -> None:
    written = (T0.replace(tzinfo=None) + timedelta(hours=5, minutes=30)).isoformat() + "+05:30"
    await client.post("/v1/events", json=[rating("a1", when=written), {**rating("a2"), "precision": "day"}])
    rows = await query(server, "SELECT occurred_at, time_raw, day_precision FROM events ORDER BY position")
    assert (rows[0]["occurred_at"], rows[0]["time_raw"], rows[0]["day_precision"]) == (T0, written, False)
    assert rows[1]["day_precision"] is True


async def test_a_deadline_inside_the_data_needs_an_offset_and_a_sane_year(
    client: httpx.AsyncClient, server: Server
) -> None:
    deadlines = [
        "2025-03-01T10:00:00",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        1735689600,
        "soon",
    ]
    posted = [
        event("case.opened", f"c{n}", subject=f"case/C{n}", data={"due_at": due})
        for n, due in enumerate(deadlines)
    ]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["rejected"] * len(posted)
    assert {error_of(answer, n)["pointer"] for n in range(len(posted))} == {"/data/due_at"}
    good = event("case.opened", "c9", subject="case/C9", data={"due_at": "2025-03-01T12:00:00+02:00"})
    assert (await client.post("/v1/events", json=good)).status_code == 201
    assert (
        await value_of(server, "SELECT fact->>'due_at' FROM events WHERE external_id = 'c9'")
        == "2025-03-01T10:00:00Z"
    )
