"""Complementary suppression: no total gives a hidden group away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.measures.values import MetricStatus, MetricValue, share_value
from app.metrics.suppression import withhold_tellers


def hidden(values: list[MetricValue]) -> list[int]:
    return [i for i, value in enumerate(values) if value.status is MetricStatus.SUPPRESSED]


def of_sizes(*sizes: int) -> list[MetricValue]:
    return [share_value(n // 2, n, {"positive": n // 2}) for n in sizes]


def test_one_small_group_takes_the_next_smallest_with_it() -> None:
    keys = [(None, place) for place in "abcd"]
    shown = withhold_tellers(keys, of_sizes(50, 3, 12, 40))
    assert hidden(shown) == [1, 2]
    assert (shown[2].value, shown[2].n, shown[2].parts) == (None, 12, {"positive": None})


def test_two_small_groups_and_none_need_no_third() -> None:
    keys = [(None, place) for place in "abc"]
    assert hidden(withhold_tellers(keys, of_sizes(50, 3, 4))) == [1, 2]
    assert hidden(withhold_tellers(keys, of_sizes(50, 5, 9))) == []
    assert withhold_tellers([], []) == []


def test_a_small_group_alone_or_beside_nothing_is_its_own_total() -> None:
    assert hidden(withhold_tellers([(None, "a")], of_sizes(3))) == [0]
    assert hidden(withhold_tellers([(None, "a"), (None, "b")], of_sizes(3, 0))) == [0]


def test_what_is_withheld_along_one_axis_is_covered_along_the_other() -> None:
    # days x places; the 3 on day 1 hides a neighbour in its row, one in its column, and the corner
    keys = [(day, place) for day in (1, 2) for place in "ab"]
    assert hidden(withhold_tellers(keys, of_sizes(3, 10, 20, 30))) == [0, 1, 2, 3]


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_line_ends_with_exactly_one_hidden_group(table: list[list[int]]) -> None:
    keys = [(row, column) for row in range(len(table)) for column in range(3)]
    shown = withhold_tellers(keys, of_sizes(*(n for row in table for n in row)))
    for axis in (0, 1):
        for fixed in {key[1 - axis] for key in keys}:
            line = [value for key, value in zip(keys, shown, strict=True) if key[1 - axis] == fixed]
            known = [value for value in line if value.status is not MetricStatus.NO_DATA]
            assert len(hidden(line)) != 1 or len(known) == 1
