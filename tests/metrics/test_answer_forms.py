"""An answer in each of its forms: the same cells, under the same names, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from app.metrics.formats import MEDIA_TYPES, Form
from tests.metrics.world import Answer, World, several


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/metrics/query.csv?", {}),
        ("/v1/metrics/query?format=csv&", {}),
        ("/v1/metrics/query?", {"Accept": "text/csv"}),
        ("/v1/metrics/query?", {"Accept": "application/json;q=0.5, text/csv"}),
    ],
)
async def test_csv_holds_the_same_cells_as_json(http, march: World, path: str, headers) -> None:
    flat = "metrics=nps,happiness&group_by=location&granularity=day&from=2026-03-01&to=2026-04-01"
    document = (await http.get(f"/v1/metrics/query?{flat}")).json()
    answer = await http.get(path + flat, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    names = [column["name"] for column in document["columns"]]
    assert list(rows[0]) == names
    assert len(rows) == len(document["rows"]) == 3
    for from_csv, from_json in zip(rows, document["rows"], strict=True):
        for name in names:
            value = from_json[name]
            text = "|".join(value) if isinstance(value, list) else "" if value is None else str(value)
            assert from_csv[name].removeprefix("'") == text


async def test_json_is_the_default_and_a_careless_accept_changes_nothing(http, march: World) -> None:
    for accept in ("*/*", "text/html", "", "text/csv;q=0.1, application/json", ";;q=x,,"):
        answer = await http.get("/v1/metrics/query?metrics=nps&period=1y", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


async def test_a_cell_that_a_spreadsheet_would_run_is_text(http: httpx.AsyncClient, march: World) -> None:
    flat = "metrics=responses&group_by=location&from=2026-03-01&to=2026-04-01"
    text = (await http.get(f"/v1/metrics/query.csv?{flat}")).text
    assert "'=cmd|' /C calc'!A0" in text
    assert not [line for line in text.splitlines() if line.startswith("=")]


async def test_negative_numbers_stay_numbers_in_csv(http: httpx.AsyncClient, world: World) -> None:
    await world.commit(*several(5, Answer(0)))
    flat = "metrics=nps&from=2026-03-01&to=2026-04-01"
    [row] = csv.DictReader(io.StringIO((await http.get(f"/v1/metrics/query.csv?{flat}")).text))
    assert row["nps"] == "-100.0"


@pytest.mark.parametrize("ending", ["json", "csv", "ndjson", "arrow", "parquet", "xlsx"])
async def test_an_answer_is_a_file_of_the_asked_form(http, march: World, ending: str) -> None:
    address = f"/v1/metrics/query.{ending}?metrics=nps&from=2026-03-01&to=2026-04-01"
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[Form(ending)]
    again = await http.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_unknown_ending_is_refused(http, march: World) -> None:
    assert (await http.get("/v1/metrics/query.xml?metrics=nps")).status_code == 422
