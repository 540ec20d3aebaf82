"""Every form of an answer holds the same cells: numbers are equal, not alike."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import openpyxl
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import NotAcceptableError
from app.metrics import formats
from app.metrics.columns import Column
from app.metrics.formats import MEDIA_TYPES, TABULAR, Form, require_installed, table_bytes
from app.metrics.negotiation import preferred_form

COLUMNS = (
    Column("bucket", "datetime"),
    Column("touchpoint", "text"),
    Column("attributes.weight", "number"),
    Column("attributes.vip", "boolean"),
    Column("nps", "number"),
    Column("nps_n", "integer"),
    Column("nps_reasons", "list"),
)
KYIV = timezone(timedelta(hours=2))
_INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.replace(microsecond=0, tzinfo=KYIV)
)
_WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=12
)
_NUMBERS = st.decimals(-1000, 1000, places=3).map(float)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "bucket": st.none() | _INSTANTS,
            "touchpoint": st.none() | _WORDS,
            "attributes.weight": st.none() | _NUMBERS,
            "attributes.vip": st.none() | st.booleans(),
            "nps": st.none() | _NUMBERS | st.integers(-100, 100),
            "nps_n": st.none() | st.integers(0, 10**9),
            "nps_reasons": st.lists(st.sampled_from(["low_n", "suppressed"]), max_size=2),
        }
    ),
    max_size=8,
)


def written(form: Form, rows: list[dict[str, Any]]) -> bytes:
    return table_bytes(form, COLUMNS, rows, "Europe/Kyiv", [("metric", "=SUM(A1)")])


def plain(row: dict[str, Any]) -> list[Any]:
    """The cells as every form can tell them: instants in UTC, reasons as text."""
    return [
        value.astimezone(UTC)
        if isinstance(value, datetime)
        else "|".join(value)
        if isinstance(value, list)
        else value
        for value in (row[column.name] for column in COLUMNS)
    ]


def from_csv(body: bytes) -> list[list[Any]]:
    readers = {"datetime": datetime.fromisoformat, "number": float, "integer": int, "boolean": "true".__eq__}
    found = []
    for cells in list(csv.reader(io.StringIO(body.decode(), newline="")))[1:]:
        row: list[Any] = []
        for column, cell in zip(COLUMNS, cells, strict=True):
            if column.type in readers:
                row.append(None if cell == "" else readers[column.type](cell))
            else:
                row.append(cell)
        found.append(row)
    return found


def from_ndjson(body: bytes) -> list[list[Any]]:
    rows = [json.loads(line) for line in body.splitlines()]
    for row in rows:
        row["bucket"] = row["bucket"] and datetime.fromisoformat(row["bucket"])
    return [plain(row) for row in rows]


def from_table(table: Any) -> list[list[Any]]:
    return [plain(row) for row in table.to_pylist()]


def from_xlsx(body: bytes) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(body))["rows"]
    found = []
    for local, offset, *others in list(sheet.iter_rows(values_only=True))[1:]:
        assert (local is None) == (offset is None)
        found.append([local and local.replace(tzinfo=KYIV), *others])
    return found


READERS = {
    Form.CSV: from_csv,
    Form.NDJSON: from_ndjson,
    Form.ARROW: lambda body: from_table(pyarrow.ipc.open_stream(body).read_all()),
    Form.PARQUET: lambda body: from_table(pyarrow.parquet.read_table(io.BytesIO(body))),
    Form.XLSX: from_xlsx,
}


def in_form(form: Form, cells: list[Any]) -> list[Any]:
    """What a form makes of null and text where it has no other way."""
    if form is Form.CSV:
        text = cells[1] or ""
        return [*cells[:1], "'" + text if text[:1] in tuple("=+-@＝＋－＠") and text else text, *cells[2:]]
    return cells


@pytest.mark.parametrize("form", TABULAR)
@given(rows=ROWS)
@settings(max_examples=40, deadline=None)
def test_every_form_gives_back_the_cells_that_went_in(form: Form, rows: list[dict[str, Any]]) -> None:
    assert READERS[form](written(form, rows)) == [in_form(form, plain(row)) for row in rows]


def test_every_tabular_form_has_a_reader_here() -> None:
    assert set(READERS) == set(TABULAR)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_text_of_a_csv_is_run_by_a_spreadsheet(start: str) -> None:
    row = dict.fromkeys((column.name for column in COLUMNS), None) | {
        "touchpoint": f'{start}HYPERLINK("x")',
        "nps": -3,
    }
    (cells,) = list(csv.reader(io.StringIO(written(Form.CSV, [row]).decode(), newline="")))[1:]
    assert cells[1].startswith("'" + start)
    assert cells[4] == "-3"


def test_no_text_of_a_workbook_is_a_formula() -> None:
    row = dict.fromkeys((column.name for column in COLUMNS), None) | {"touchpoint": "=1+1"}
    book = openpyxl.load_workbook(io.BytesIO(written(Form.XLSX, [row])))
    assert (book["rows"]["C2"].value, book["rows"]["C2"].data_type) == ("=1+1", "s")
    assert book["about"]["B1"].data_type == "s"


def test_csv_is_rfc_4180() -> None:
    row = dict.fromkeys((column.name for column in COLUMNS), None) | {"touchpoint": 'a "b",\r\nc'}
    head, line = written(Form.CSV, [row]).split(b"\r\n", 1)
    assert head == b"bucket,touchpoint,attributes.weight,attributes.vip,nps,nps_n,nps_reasons"
    assert line == b',"a ""b"",\r\nc",,,,,\r\n'


def test_a_form_whose_library_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_MODULE_OF", {Form.PARQUET: "a_library_that_nobody_installed"})
    require_installed(Form.XLSX)
    with pytest.raises(NotAcceptableError) as refused:
        require_installed(Form.PARQUET)
    assert refused.value.reason == "form_not_installed"
    assert "vidhuk[parquet]" in refused.value.cure


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.JSON),
        ("*/*", Form.JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Form.JSON),
        ("text/csv", Form.CSV),
        ("text/*", Form.CSV),
        ("text/csv;q=0.5, application/json", Form.JSON),
        ("application/*", Form.JSON),
        ("application/x-ndjson", Form.NDJSON),
        ("application/jsonl", Form.NDJSON),
        (MEDIA_TYPES[Form.ARROW] + ", */*;q=0.1", Form.ARROW),
        (MEDIA_TYPES[Form.PARQUET], Form.PARQUET),
        (MEDIA_TYPES[Form.XLSX], Form.XLSX),
        ("text/csv;q=nonsense", Form.JSON),
    ],
)
def test_the_accept_header_chooses_the_form(accept: str, form: Form) -> None:
    assert preferred_form({"accept": accept}) is form
