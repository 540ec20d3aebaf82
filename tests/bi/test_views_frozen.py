"""The `bi` views are a contract: names and types are frozen, everything is explained, nothing is JSON."""

from pathlib import Path

import pytest

from .conftest import connected

FROZEN = Path(__file__).with_name("frozen_views.txt")
_COLUMNS = """
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) AS line,
       coalesce(col_description(c.oid, a.attnum), '') AS comment,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS about
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'bi'::regnamespace ORDER BY c.relname, a.attnum
"""


@pytest.fixture
async def columns(server):
    async with connected(server.owner) as owner:
        return await owner.fetch(_COLUMNS)


async def test_the_columns_are_those_that_were_promised(columns):
    """A new column is a new line of the file; a line that changes or goes breaks somebody's report."""
    assert [row["line"] for row in columns] == FROZEN.read_text().splitlines()


async def test_every_view_and_column_says_what_it_is(columns):
    assert [row["line"] for row in columns if not row["comment"] or not row["about"]] == []


async def test_no_column_is_json_an_array_or_of_a_time_without_zone(columns):
    odd = ("json", "[]", "without time zone", "bytea", "numeric")
    assert [row["line"] for row in columns if any(word in row["line"].split(" ", 1)[1] for word in odd)] == []
