"""Public ids and page cursors: there and back, and nothing else is taken for one."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.ids import new_id, parse_public_id, public_id


@given(st.uuids())
def test_a_public_id_names_its_uuid_and_only_under_its_prefix(value: UUID) -> None:
    text = public_id("case", value)
    assert parse_public_id("case", text) == value
    assert parse_public_id("evt", text) is None


@given(st.lists(st.uuids(), min_size=2, max_size=5))
def test_public_ids_sort_as_their_uuids(values: list[UUID]) -> None:
    ordered = [public_id("x", value) for value in sorted(values)]
    assert ordered == sorted(ordered)


def test_new_ids_rise() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))


@given(st.text(max_size=40))
def test_any_other_text_is_no_id(text: str) -> None:
    found = parse_public_id("case", f"case_{text}")
    assert found is None or public_id("case", found) == f"case_{text}"


@pytest.mark.parametrize(
    "text", ["", "case", "case_", "case_" + "8" + "0" * 25, "case_" + "I" * 26, "CASE_" + "0" * 26]
)
def test_ids_of_another_shape_are_none(text: str) -> None:
    assert parse_public_id("case", text) is None


def test_a_cursor_gives_its_key_back() -> None:
    assert decode_cursor(encode_cursor(7, "2025", None), 3) == [7, "2025", None]


@given(st.text(max_size=60))
def test_any_other_text_is_a_cursor_error_or_a_list(text: str) -> None:
    with suppress(CursorError):
        assert len(decode_cursor(text, 2)) == 2


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(1), 2)
