"""The grammar of $filter: what it means, and that nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.bi.odata.errors import NotOfferedError, ODataError
from app.bi.odata.filter import Call, Comparison, Joined, Literal, Name, Not, OneOf, parse_filter
from app.domain.errors import DomainError

A, B, C = (Comparison("eq", Name(name), Literal("number", "1")) for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a eq 1", A),
        ("  a   eq 1  ", A),
        ("a eq 1 and b eq 1 or c eq 1", Joined("or", (Joined("and", (A, B)), C))),
        ("a eq 1 and (b eq 1 or c eq 1)", Joined("and", (A, Joined("or", (B, C))))),
        ("not a eq 1 and b eq 1", Joined("and", (Not(A), B))),
        ("not (a eq 1)", Not(A)),
        ("a", Name("a")),
        ("a ne null", Comparison("ne", Name("a"), Literal("null", "null"))),
        ("a eq 'it''s'", Comparison("eq", Name("a"), Literal("string", "it's"))),
        ("a lt -1.5e3", Comparison("lt", Name("a"), Literal("number", "-1.5e3"))),
        ("a ge 2026-03-01", Comparison("ge", Name("a"), Literal("date", "2026-03-01"))),
        (
            "a le 2026-03-01T00:00:00.5+02:00",
            Comparison("le", Name("a"), Literal("instant", "2026-03-01T00:00:00.5+02:00")),
        ),
        (
            "a eq 0192e4a0-7b5c-7000-8000-000000000000",
            Comparison("eq", Name("a"), Literal("guid", "0192e4a0-7b5c-7000-8000-000000000000")),
        ),
        ("a in ('x', 'y')", OneOf(Name("a"), (Literal("string", "x"), Literal("string", "y")))),
        (
            "contains(tolower(a), 'x')",
            Call("contains", (Call("tolower", (Name("a"),)), Literal("string", "x"))),
        ),
    ],
)
def test_a_filter_is_read_as_the_protocol_says(text, tree) -> None:
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a eq", 5),
        ("a eq 1 b", 8),
        ("a == 1", 3),
        ("(a eq 1", 8),
        ("a in (b)", 7),
        ("a eq 'x", 6),
        ("contains(a)", 1),
        ("eq 1; drop table x", 5),
        ("", 1),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, place: int) -> None:
    with pytest.raises(ODataError) as refused:
        parse_filter(text)
    assert f"(letter {place})" in refused.value.detail


def test_a_function_that_is_not_offered_is_named() -> None:
    with pytest.raises(NotOfferedError) as refused:
        parse_filter("year(a) eq 2026")
    assert "contains" in refused.value.cure


@pytest.mark.parametrize(
    "text", ["(" * 5_000, "not " * 1_500 + "a", "tolower(" * 200, "a eq 1 or " * 700, "x" * 9_000]
)
def test_a_monstrous_filter_is_refused(text: str) -> None:
    with pytest.raises(ODataError):
        parse_filter(text)


@given(st.text(st.sampled_from("ab('), not and or eq in 12.-:TZ/_\n\tü null"), max_size=60))
@example("9" * 400 + " eq a")
def test_any_text_is_a_tree_or_a_refusal(text: str) -> None:
    try:
        assert parse_filter(text) is not None
    except DomainError as error:
        assert error.detail
