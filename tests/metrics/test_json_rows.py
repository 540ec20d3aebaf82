"""Rows written column by column are what the encoder writes row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import json
from app.metrics.columns import Column, ColumnType
from app.metrics.json_rows import rows_json
from app.metrics.rows import Row

CELLS: dict[ColumnType, st.SearchStrategy[object]] = {
    "text": st.none() | st.text() | st.sampled_from(['a,"b"', "},{", "\\"]),
    "number": st.none() | st.floats() | st.integers(-(2**53), 2**53),
    "integer": st.none() | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.none() | st.booleans(),
    "datetime": st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)),
    "list": st.lists(st.text(), max_size=3),
}


@given(st.lists(st.tuples(*CELLS.values()), max_size=12), st.text(alphabet='ab"\\,', max_size=4))
def test_rows_are_written_as_the_encoder_would(rows: list[Row], mark: str) -> None:
    columns = [Column(f"{mark}{kind}", kind) for kind in CELLS]
    names = [column.name for column in columns]
    assert rows_json(columns, rows) == json.dumps([dict(zip(names, row, strict=True)) for row in rows])


def test_what_is_written_already_is_embedded_as_it_is() -> None:
    assert json.dumps({"rows": json.written(rows_json([Column("n", "integer")], [(1,), (None,)]))}) == (
        b'{"rows":[{"n":1},{"n":null}]}'
    )


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        rows_json([Column("n", "integer"), Column("m", "integer")], [(1,)])
