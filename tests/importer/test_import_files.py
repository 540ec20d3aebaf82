"""Files as they come: what costs a row, what costs the file, and what costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.importer.files import FileError, NumberedRow, open_rows
from app.sources.errors import PayloadError
from app.sources.mapping import CompiledMapping, compile_mapping
from tests.importer.conftest import CSV_MAPPING, GOOD_ROWS, HEADER

Write = Callable[[str, str | bytes], Path]
NDJSON = {
    "mapping": 1,
    "id": "lines",
    "format": "ndjson",
    "row_id": "id",
    "events": [{"type": "feedback.received", "occurred_at": "at"}],
}


def _read(path: Path, mapping: CompiledMapping) -> list[NumberedRow]:
    with open_rows(path, mapping) as file:
        return list(file.rows)


def _bad(rows: list[NumberedRow]) -> dict[int, str]:
    return {row.number: row.value.reason for row in rows if isinstance(row.value, PayloadError)}


def test_rows_are_numbered_from_the_first_data_row(write: Write, csv_mapping: CompiledMapping) -> None:
    rows = _read(write("a.csv", HEADER + GOOD_ROWS), csv_mapping)
    assert [row.number for row in rows] == [1, 2, 3]
    assert rows[1].value == {
        "date": "01.03.2026 11:00",
        "shop": "kyiv-1",
        "score": "1",
        "text": "довго; дуже\nдовго",
    }


def test_a_byte_order_mark_and_blank_lines_cost_nothing(write: Write, csv_mapping: CompiledMapping) -> None:
    rows = _read(write("a.csv", "\ufeff" + HEADER + "\n" + GOOD_ROWS + "\n\n"), csv_mapping)
    assert [row.number for row in rows] == [1, 2, 3]


def test_the_identity_is_that_of_the_content_not_of_the_name(
    write: Write, csv_mapping: CompiledMapping
) -> None:
    def identity(name: str, content: str) -> str:
        with open_rows(write(name, content), csv_mapping) as file:
            return file.identity

    assert identity("a.csv", HEADER + GOOD_ROWS) == identity("b.csv", HEADER + GOOD_ROWS)
    assert identity("a.csv", HEADER + GOOD_ROWS) != identity("c.csv", HEADER + GOOD_ROWS + " ")


def test_a_bad_row_costs_itself_and_not_the_file(write: Write, csv_mapping: CompiledMapping) -> None:
    content = (HEADER + "1;2;3\n" + GOOD_ROWS + "1;2;3;4;5\n").encode() + b"01.03.2026 10:00;k;5;\xff\xfe\n"
    rows = _read(write("a.csv", content), csv_mapping)
    assert _bad(rows) == {1: "ragged_row", 5: "ragged_row", 6: "wrong_encoding"}
    assert len(rows) == 6


def test_a_field_without_end_costs_its_row(write: Write, csv_mapping: CompiledMapping) -> None:
    long = "x" * (1 << 20)
    rows = _read(write("a.csv", HEADER + f"01.03.2026 10:00;k;5;{long}{long}\n" + GOOD_ROWS), csv_mapping)
    assert _bad(rows) == {1: "unreadable_row"}
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("date;shop;text\n", "missing_column"),
        ("date,shop,score,text\n", "missing_column"),
        ("date;shop;score;text;shop\n", "duplicate_column"),
        ("", "missing_column"),
    ],
)
def test_a_file_that_was_not_written_for_the_mapping_is_refused_before_any_row(
    header: str, reason: str, write: Write, csv_mapping: CompiledMapping
) -> None:
    with pytest.raises(FileError) as caught:
        _read(write("a.csv", header + GOOD_ROWS if header else ""), csv_mapping)
    assert caught.value.reason == reason
    assert caught.value.cure


def test_a_misspelt_column_is_answered_with_the_nearest_one(
    write: Write, csv_mapping: CompiledMapping
) -> None:
    with pytest.raises(FileError, match="no column 'score'") as caught:
        _read(write("a.csv", "date;shop;scores;text\n"), csv_mapping)
    assert "'scores'" in caught.value.cure


def test_an_optional_column_may_be_missing(write: Write) -> None:
    mapping = compile_mapping({**CSV_MAPPING, "optional": ["text"]})
    rows = _read(write("a.csv", "date;shop;score\n01.03.2026 10:00;k;5\n"), mapping)
    assert _bad(rows) == {} and len(rows) == 1


def test_another_encoding_is_read_when_the_mapping_names_it(write: Write) -> None:
    mapping = compile_mapping({**CSV_MAPPING, "csv": {"delimiter": ";", "encoding": "windows-1251"}})
    rows = _read(write("a.csv", (HEADER + GOOD_ROWS).encode("windows-1251")), mapping)
    assert isinstance(rows[0].value, dict) and rows[0].value["text"] == "дякую"


def test_a_file_that_is_not_there_and_a_mapping_for_webhooks_are_refused(
    tmp_path: Path, csv_mapping: CompiledMapping, write: Write
) -> None:
    with pytest.raises(FileError) as caught:
        _read(tmp_path / "none.csv", csv_mapping)
    assert caught.value.reason == "unreadable_file"
    with pytest.raises(FileError) as caught:
        _read(write("a.json", "{}"), compile_mapping({**NDJSON, "format": "json"}))
    assert caught.value.reason == "wrong_format"


def test_ndjson_lines_keep_their_line_numbers_and_bad_ones_are_refused_alone(write: Write) -> None:
    lines = [
        b'\xef\xbb\xbf{"id": 1}',
        b"",
        b"{broken",
        b"[" * 5_000,
        b'{"a": "\\u0000"}',
        b'{"a": "\xff"}',
        b"NaN",
        b'{"id": 8}',
    ]
    rows = _read(write("a.ndjson", b"\n".join(lines)), compile_mapping(NDJSON))
    assert [row.number for row in rows] == [1, 3, 4, 5, 6, 7, 8]
    assert sorted(_bad(rows)) == [3, 4, 5, 6, 7]
    assert rows[-1].value == {"id": 8}
