"""Whole imports against the real application: every row accounted for, twice is once, and the real files."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db.engine import Database
from app.importer.poster import Flags, Poster, ServiceError
from app.sources.mapping import CompiledMapping, compile_mapping
from tests.conftest import Tenant
from tests.importer.conftest import CSV_MAPPING, GOOD_ROWS, HEADER, do_import

Write = Callable[[str, str | bytes], Path]
ROOT = Path(__file__).parents[2]
COMPLAINTS = ROOT.parent / "shared" / "datasets" / "complaints"
needs_data_sets = pytest.mark.skipif(not COMPLAINTS.is_dir(), reason="the data sets are not here")


async def _stored(database: Database, tenant: Tenant) -> Counter[str]:
    async with database.write(tenant.tenant_id) as tx:
        rows = await tx.fetch("SELECT type, count(*) FROM events GROUP BY type")
    return Counter({row["type"]: row["count"] for row in rows})


async def test_every_row_is_stored_once_however_often_it_is_imported(
    client: httpx.AsyncClient,
    a_tenant: Tenant,
    database: Database,
    write: Write,
    csv_mapping: CompiledMapping,
) -> None:
    path = write("a.csv", HEADER + GOOD_ROWS)
    first = await do_import(client, path, csv_mapping)
    assert (dict(first.rows), first.exit_code) == ({"created": 3}, 0)
    again = await do_import(client, path, csv_mapping)
    assert (dict(again.rows), again.exit_code) == ({"duplicate": 3}, 0)
    assert (await _stored(database, a_tenant))["feedback.received"] == 3


async def test_an_import_that_broke_off_goes_on_where_it_stopped(
    client: httpx.AsyncClient, write: Write, csv_mapping: CompiledMapping
) -> None:
    class Dying(httpx.AsyncBaseTransport):
        """The way to the service, cut after the first request."""

        sent = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.sent += 1
            if self.sent > 1:
                raise httpx.ConnectError("cut", request=request)
            answer = await client.post(str(request.url), content=await request.aread(), headers=_NDJSON)
            return httpx.Response(answer.status_code, content=answer.content)

    async def no_sleep(_: float) -> None:
        return None

    path = write("a.csv", HEADER + GOOD_ROWS)
    async with httpx.AsyncClient(transport=Dying(), base_url="http://vidhuk.test") as dying:
        broken = await do_import(
            dying, path, csv_mapping, poster=lambda flags: Poster(dying, flags, sleep=no_sleep)
        )
    assert dict(broken.rows) == {"created": 2}
    assert broken.exit_code == 1
    assert broken.stopped is not None and broken.stopped.startswith("at row 3:")
    resumed = await do_import(client, path, csv_mapping)
    assert (dict(resumed.rows), resumed.exit_code) == ({"duplicate": 2, "created": 1}, 0)


_NDJSON = {"Content-Type": "application/x-ndjson"}


async def test_bad_rows_are_reported_one_by_one_and_the_good_ones_are_stored(
    client: httpx.AsyncClient, tmp_path: Path, write: Write, csv_mapping: CompiledMapping
) -> None:
    content = (
        HEADER
        + GOOD_ROWS
        + (
            "soon;kyiv-1;5;\n"  # no time: the mapping refuses
            "01.03.2026 10:00;kyiv-1;6;\n"  # outside its scale: the service refuses
            "01.03.2099 10:00;kyiv-1;5;\n"  # in the future: the service refuses
            "01.03.2026 13:00;kyiv-1;5;=1+1\x00\n"  # NUL: the service refuses the line
            "one cell\n"
            "01.03.2026 14:00;kyiv-1;5;last\n"
        )
    )
    report = tmp_path / "report.csv"
    ledger = await do_import(client, write("a.csv", content), csv_mapping, report=report)
    assert (dict(ledger.rows), ledger.exit_code) == ({"created": 4, "rejected": 5}, 1)
    with report.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["row"], line["status"], line["code"]) for line in lines] == [
        ("1", "created", ""),
        ("2", "created", ""),
        ("3", "created", ""),
        ("4", "rejected", "time_invalid"),
        ("5", "rejected", "score_outside_scale"),
        ("6", "rejected", "future_time"),
        ("7", "rejected", "nul_character"),
        ("8", "rejected", "ragged_row"),
        ("9", "created", ""),
    ]
    assert lines[3]["pointer"] == "/4/date" and lines[3]["cure"]


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(
    client: httpx.AsyncClient,
    a_tenant: Tenant,
    database: Database,
    write: Write,
    csv_mapping: CompiledMapping,
) -> None:
    path = write("a.csv", HEADER + GOOD_ROWS + "01.03.2026 10:00;kyiv-1;9;\n")
    ledger = await do_import(client, path, csv_mapping, flags=Flags(dry_run=True))
    assert dict(ledger.rows) == {"created": 3, "rejected": 1}
    assert (await _stored(database, a_tenant))["feedback.received"] == 0


async def test_a_row_that_states_nothing_is_passed_over(client: httpx.AsyncClient, write: Write) -> None:
    entry = {**CSV_MAPPING["events"][0], "when": {"column": "score"}}
    mapping = compile_mapping({**CSV_MAPPING, "events": [entry]})
    ledger = await do_import(client, write("a.csv", HEADER + "01.03.2026 10:00;k;;\n" + GOOD_ROWS), mapping)
    assert (dict(ledger.rows), ledger.exit_code) == ({"passed_over": 1, "created": 3}, 0)


async def test_nothing_starts_with_a_key_that_may_not_write(
    client: httpx.AsyncClient, api_key: Callable[..., Any], write: Write, csv_mapping: CompiledMapping
) -> None:
    client.headers["Authorization"] = f"Bearer {await api_key('feedback:read')}"
    with pytest.raises(ServiceError) as caught:
        await do_import(client, write("a.csv", HEADER + GOOD_ROWS), csv_mapping)
    assert "events:write" in caught.value.cure


def _gallery(name: str) -> CompiledMapping:
    document = json.loads((ROOT / "examples" / "mappings" / f"{name}.json").read_text(encoding="utf-8"))
    return compile_mapping(document)


@needs_data_sets
async def test_the_regulators_file_is_imported_twice_and_nothing_doubles(
    client: httpx.AsyncClient, a_tenant: Tenant, database: Database
) -> None:
    path = COMPLAINTS / "cfpb_2013_2017_sample.csv"
    first = await do_import(client, path, _gallery("cfpb"), source="cfpb", batch_events=1_000)
    assert (dict(first.rows), first.exit_code) == ({"created": 3_186}, 0)
    again = await do_import(client, path, _gallery("cfpb"), source="cfpb", batch_events=1_000)
    assert dict(again.rows) == {"duplicate": 3_186}
    stored = await _stored(database, a_tenant)
    assert (stored["feedback.received"], stored["case.assigned"]) == (3_186, 3_186)


@needs_data_sets
async def test_the_citys_file_is_imported_whole_with_its_cases(
    client: httpx.AsyncClient, a_tenant: Tenant, database: Database
) -> None:
    path = COMPLAINTS / "nyc311_2011_03_sample.csv"
    flags = Flags(backfill=True, open_cases=True)
    ledger = await do_import(
        client, path, _gallery("nyc311"), flags=flags, source="nyc311", batch_events=1_000
    )
    assert (dict(ledger.rows), ledger.exit_code) == ({"created": 2_000}, 0)
    stored = await _stored(database, a_tenant)
    assert (stored["feedback.received"], stored["case.closed"]) == (2_000, 1_958)
    assert stored["case.opened"] == 2_000
