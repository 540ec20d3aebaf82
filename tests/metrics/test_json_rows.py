"""Rows written column by column are what the encoder writes row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import json
from app.metrics.columns import Column, ColumnType
from app.metrics.json_rows import rows_json
from app.metrics.rows import Row, Table

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
    table = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    assert rows_json(columns, table) == json.dumps([dict(zip(names, row, strict=True)) for row in rows])


def test_what_is_written_already_is_embedded_as_it_is() -> None:
    assert json.dumps({"rows": json.written(rows_json([Column("n", "integer")], [(1, None)]))}) == (
        b'{"rows":[{"n":1},{"n":null}]}'
    )


@pytest.mark.parametrize("table", [[(1,)], [(1,), (1, 2)]])
def test_a_table_of_another_shape_is_refused(table: Table) -> None:
    with pytest.raises(ValueError, match=r"zip|has 2 cells, not 1"):
        rows_json([Column("n", "integer"), Column("m", "integer")], table)
