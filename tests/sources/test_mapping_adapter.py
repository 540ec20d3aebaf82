"""A mapping as an adapter: items of a payload, each by itself; no payload breaks it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.sources.base import SourceContext, adapt
from app.sources.errors import PayloadError
from app.sources.mapping import MappingAdapter, compile_mapping
from tests.sources.conftest import RECEIVED_AT
from tests.sources.table_rows import mapping_of

BATCH = {
    "mapping": 1,
    "id": "reviews",
    "format": "json",
    "items": "events[]",
    "row_id": "id",
    "events": [{"type": "feedback.received", "occurred_at": "at", "data": {"text": "text"}}],
}


def test_a_mapping_is_an_adapter_and_one_bad_item_costs_its_neighbours_nothing() -> None:
    adapter = MappingAdapter(compile_mapping(BATCH))
    assert adapter.name == "mapping:reviews"
    payload = {
        "events": [
            {"id": 1, "at": "2026-01-01T10:00:00Z"},
            {"id": 2, "at": "?"},
            {"id": 3, "at": "2026-01-01T10:00:00Z"},
        ]
    }
    adaptation = adapt(adapter, payload, SourceContext("site", RECEIVED_AT))
    assert [event.id for event in adaptation.events] == ["1:feedback.received", "3:feedback.received"]
    assert [(refusal.error.reason, refusal.item.value) for refusal in adaptation.refusals] == [
        ("time_invalid", {"id": 2, "at": "?"})
    ]


def test_a_payload_without_the_items_it_should_have_is_refused_whole() -> None:
    adaptation = adapt(
        MappingAdapter(compile_mapping(BATCH)), {"evens": []}, SourceContext("site", RECEIVED_AT)
    )
    assert [refusal.error.reason for refusal in adaptation.refusals] == ["items_missing"]
    empty = adapt(MappingAdapter(compile_mapping(BATCH)), {"events": []}, SourceContext("site", RECEIVED_AT))
    assert (empty.events, empty.refusals) == ((), ())


def test_a_list_is_its_elements_where_the_mapping_names_no_items() -> None:
    document = {key: value for key, value in BATCH.items() if key != "items"}
    adaptation = adapt(
        MappingAdapter(compile_mapping(document)),
        [{"id": 1, "at": "2026-01-01T10:00:00Z"}, {"id": 2, "at": 3}],
        SourceContext("site", RECEIVED_AT),
    )
    assert len(adaptation.events) == 1
    assert adaptation.refusals[0].error.pointer == "/1"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("Date", "Score", "Status", "Channel", "id"), _JSON)))
def test_no_row_is_anything_but_events_or_a_payload_error(row: dict[str, Any]) -> None:
    mapping = mapping_of(
        {
            "when": "Status || `true`",
            "data": {
                "channel": {"column": "Channel", "map": {"a": "call"}},
                "answers": [
                    {"question": {"value": "q"}, "scale": {"value": "csat_1_5"}, "value": {"column": "Score"}}
                ],
                "attributes": {"x": "length(Score)"},
            },
        },
        format="json",
        row_id="id",
    )
    try:
        mapping.events(row, SourceContext("any", RECEIVED_AT))
    except PayloadError as error:
        assert error.reason
