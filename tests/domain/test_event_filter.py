"""Filters: what passes, what is refused with its place, and that no document is more than refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidError
from app.domain.event_filter import MAX_CONDITIONS, MAX_DEPTH, Op, conditions, holds, parse_filter

BODY: dict[str, Any] = {
    "type": "sla.breached",
    "timestamp": "2026-11-22T12:15:00Z",
    "data": {
        "case": {"severity": "sev2", "product": None, "reopened_count": 2, "customer_facing": True},
        "refs": ["crm-1", "crm-2"],
        "timers": [{"key": "reply", "percent": 50}, {"key": "remedy", "percent": 110}],
    },
}


def condition(field: str, op: str, *values: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "values": list(values)}


@pytest.mark.parametrize(
    ("field", "op", "values", "expected"),
    [
        ("type", "eq", ["sla.breached"], True),
        ("type", "eq", ["sla.met"], False),
        ("data.case.severity", "in", ["sev1", "sev2"], True),
        ("data.case.severity", "not_in", ["sev1", "sev2"], False),
        ("data.case.severity", "ne", ["sev1"], True),
        ("data.case.nothing", "ne", ["sev1"], True),  # no value differs from every value
        ("data.case.nothing", "not_in", ["sev1"], True),
        ("data.case.nothing", "eq", ["sev1"], False),
        ("data.case.nothing.deeper", "gte", [0], False),
        ("data.case.product", "is_null", [], True),
        ("data.case.product", "not_null", [], False),
        ("data.case.severity", "is_null", [], False),
        ("data.case.reopened_count", "gte", [2], True),
        ("data.case.reopened_count", "gte", [2.5], False),
        ("data.case.reopened_count", "lte", [2], True),
        ("data.case.reopened_count", "gte", ["1"], False),  # a text is no number
        ("data.case.customer_facing", "eq", [True], True),
        ("data.case.customer_facing", "eq", [1], False),  # nor is a truth
        ("timestamp", "gte", ["2026-11-22T00:00:00Z"], True),
        ("data.refs", "eq", ["crm-2"], True),  # one of a list is enough
        ("data.refs", "ne", ["crm-2"], False),
        ("data.timers.percent", "gte", [100], True),
        ("data.timers.key", "in", ["close"], False),
        ("data.case", "eq", ["sev2"], False),
    ],
)
def test_a_condition_compares_a_field(field: str, op: str, values: list[Any], expected: bool) -> None:
    parsed = parse_filter(condition(field, op, *values))
    assert holds(parsed, BODY) is expected
    assert holds(parse_filter({"not": condition(field, op, *values)}), BODY) is not expected


def test_groups_join_conditions() -> None:
    yes, no = condition("type", "eq", "sla.breached"), condition("type", "eq", "sla.met")
    assert holds(parse_filter({"all": [yes, yes]}), BODY)
    assert not holds(parse_filter({"all": [yes, no]}), BODY)
    assert holds(parse_filter({"any": [no, yes]}), BODY)
    assert not holds(parse_filter({"any": [no, no]}), BODY)
    assert holds(parse_filter({"all": [{"any": [no, yes]}, {"not": {"all": [yes, no]}}]}), BODY)


def test_an_operator_left_out_is_equality() -> None:
    assert holds(parse_filter({"field": "type", "values": ["sla.breached"]}), BODY)


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        ([], "filter_shape", "/filter"),
        ({}, "filter_shape", "/filter"),
        ({"field": "type", "op": "eq", "values": ["a"], "extra": 1}, "filter_shape", "/filter"),
        ({"all": [], "any": []}, "filter_shape", "/filter"),
        ({"all": []}, "filter_shape", "/filter/all"),
        ({"any": {}}, "filter_shape", "/filter/any"),
        ({"not": 1}, "filter_shape", "/filter/not"),
        ({"all": [{"field": "a..b"}]}, "filter_field", "/filter/all/0/field"),
        ({"field": ""}, "filter_field", "/filter/field"),
        ({"field": 1}, "filter_field", "/filter/field"),
        ({"field": "a", "op": "like", "values": ["x"]}, "filter_op", "/filter/op"),
        ({"field": "a", "op": ["eq"], "values": ["x"]}, "filter_op", "/filter/op"),
        ({"field": "a", "values": "x"}, "filter_values", "/filter/values"),
        ({"field": "a", "values": [None]}, "filter_values", "/filter/values"),
        ({"field": "a", "values": [{}]}, "filter_values", "/filter/values"),
        ({"field": "a", "values": []}, "filter_values", "/filter/values"),
        ({"field": "a", "values": ["x", "y"]}, "filter_values", "/filter/values"),
        ({"field": "a", "op": "in", "values": []}, "filter_values", "/filter/values"),
        ({"field": "a", "op": "is_null", "values": ["x"]}, "filter_values", "/filter/values"),
        ({"field": "a", "op": "gte", "values": [True]}, "filter_values", "/filter/values"),
        ({"field": "a", "values": ["x" * 501]}, "filter_values", "/filter/values"),
    ],
)
def test_a_bad_filter_is_refused_with_its_place(document: Any, reason: str, pointer: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_filter(document)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)


def test_a_filter_is_bounded_in_depth_and_in_size() -> None:
    deep: dict[str, Any] = condition("type", "eq", "x")
    for _ in range(MAX_DEPTH - 1):
        deep = {"not": deep}
    parse_filter(deep)
    with pytest.raises(InvalidError):
        parse_filter({"not": deep})
    many = {"any": [condition("type", "eq", "x")] * MAX_CONDITIONS}
    assert len(list(conditions(parse_filter(many)))) == MAX_CONDITIONS
    with pytest.raises(InvalidError):
        parse_filter({"all": [many, condition("type", "eq", "x")]})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(["type", "data.a", "data.a.b", "data", "data.a.b.c"])
_FILTERS = st.recursive(
    st.one_of(
        st.builds(
            lambda f, v: condition(f, "in", *v), _FIELDS, st.lists(st.integers() | st.text(), min_size=1)
        ),
        st.builds(
            lambda f, o, v: condition(f, o, v),
            _FIELDS,
            st.sampled_from(["eq", "ne", "gte", "lte"]),
            st.integers(),
        ),
        st.builds(lambda f, o: condition(f, o), _FIELDS, st.sampled_from(["is_null", "not_null"])),
    ),
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=6,
)


@given(_JSON)
def test_no_document_is_more_than_refused(document: Any) -> None:
    try:
        parse_filter(document)
    except InvalidError as error:
        assert error.pointer.startswith("/filter")


@given(_FILTERS, st.dictionaries(st.sampled_from("abc"), _JSON, max_size=3))
def test_any_filter_has_an_answer_for_any_body_and_its_negation_the_other(
    document: dict[str, Any], data: dict[str, Any]
) -> None:
    try:
        parsed = parse_filter(document)
        negated = parse_filter({"not": document})
    except InvalidError as error:
        assert error.reason == "filter_too_large"
        return
    body = {"type": "sla.met", "timestamp": "2026-11-22T12:15:00Z", "data": data}
    assert holds(parsed, body) is not holds(negated, body)


def test_every_operator_is_tried_above() -> None:
    assert {op.value for op in Op} == {"eq", "ne", "in", "not_in", "gte", "lte", "is_null", "not_null"}
