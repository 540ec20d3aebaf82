"""The strict parser: what it refuses, and by which name."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text().filter(lambda text: "\x00" not in text),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
).filter(lambda value: "\\u0000" not in str(json.dumps(value)))


@given(values)
def test_what_we_write_is_read_back_equal(value: object) -> None:
    assert json.parse_untrusted(json.dumps(value), max_depth=64) == value


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_json_error(body: bytes) -> None:
    try:
        json.parse_untrusted(body)
    except json.JsonError as error:
        assert error.reason in ("malformed_json", "too_deep", "nul_character", "too_many_keys")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed_json"),
        (b"NaN", "malformed_json"),
        (b"[1e999]", "malformed_json"),
        (b'"\\ud800"', "malformed_json"),
        (b"\xef\xbb\xbf1", "malformed_json"),
        (b'"a\\u0000"', "nul_character"),
        (b'{"a\\u0000":1}', "nul_character"),
        (b'[{"a":["\\u0000"]}]', "nul_character"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b"[" * 5000 + b"]" * 5000, "too_deep"),
    ],
)
def test_a_body_is_refused_by_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(json.JsonError) as caught:
        json.parse_untrusted(body)
    assert caught.value.reason == reason


def test_brackets_and_nul_inside_a_text_are_only_text() -> None:
    text = "[" * 100 + "{" * 100 + "\\u0000"
    assert json.parse_untrusted(json.dumps([text])) == [text]


def test_many_keys_are_refused_past_the_limit_and_not_at_it() -> None:
    body = json.dumps([{"a": 1, "b": 2}, {"c": 3}])
    assert json.parse_untrusted(body, max_keys=3)
    with pytest.raises(json.JsonError):
        json.parse_untrusted(body, max_keys=2)


def test_equal_values_have_equal_canonical_bytes_whatever_the_order_of_keys() -> None:
    assert json.canonical({"b": [1, {"y": 1, "x": 2}], "a": 2}) == json.canonical(
        {"a": 2, "b": [1, {"x": 2, "y": 1}]}
    )
    assert json.canonical({"a": [1, 2]}) != json.canonical({"a": [2, 1]})


def test_values_of_the_database_are_written() -> None:
    written = json.dumps([Decimal("1.50"), Decimal(3), UUID(int=1), b"\x01\xff", {1}, (2,)])
    assert json.loads(written) == [1.5, 3, "00000000-0000-0000-0000-000000000001", "01ff", [1], [2]]
    with pytest.raises(TypeError):
        json.dumps(object())
