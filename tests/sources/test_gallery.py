"""The ready mappings: each compiles, and reads the partner's shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from app.configuration.mappings.gallery import get_mapping, list_mappings
from app.domain.events import Event
from app.ingest.reading import validated
from app.sources.base import SourceContext, adapt
from app.sources.bodies import decode
from app.sources.mapping import MappingAdapter, compile_mapping


def read(name: str, payload: Any, context: SourceContext) -> list[Event]:
    adaptation = adapt(MappingAdapter(compile_mapping(get_mapping(name).document)), payload, context)
    assert adaptation.refusals == ()
    return [validated(event) for event in adaptation.events]


@pytest.mark.parametrize("name", [one.id for one in list_mappings()])
def test_a_ready_mapping_compiles_under_its_own_name(name: str) -> None:
    assert compile_mapping(get_mapping(name).document).id == name


def test_a_form_of_any_length_gives_one_answer_per_rating(context: SourceContext) -> None:
    fields = [
        {"key": "a", "label": "Food", "type": "RATING", "value": 2},
        {"key": "b", "label": "Recommend", "type": "LINEAR_SCALE", "value": 9},
        {"key": "c", "label": "Skipped", "type": "RATING", "value": None},
        {"key": "d", "label": "Why", "type": "TEXTAREA", "value": "Cold soup"},
        {"key": "e", "label": "Mail", "type": "INPUT_EMAIL", "value": "o@example.com"},
    ]
    data = {"responseId": "r1", "formName": "Lunch", "fields": fields}
    payload = {
        "eventId": "e1",
        "eventType": "FORM_RESPONSE",
        "createdAt": "2026-01-09T08:00:00Z",
        "data": data,
    }
    (event,) = read("tally", payload, context)
    assert event.data["answers"] == [
        {"question": "Food", "scale": "stars_1_5", "measure": "stars", "value": "2"},
        {"question": "Recommend", "scale": "nps_0_10", "measure": "nps", "value": "9"},
    ]
    assert (event.data["text"], event.object) == ("Cold soup", "r1")


def test_json_in_a_field_of_a_form_is_read(context: SourceContext) -> None:
    inner = (
        '{"id": "T9", "visitor": {"emailAddress": "o@example.com"}, "items": ['
        '{"kind": "MessageToOperator", "timestamp": "1767945600.1"},'
        '{"kind": "MessageToVisitor", "operatorId": "77", "timestamp": "1767945660.25"}]}'
    )
    body = urlencode({"data": inner}).encode()
    (event,) = read("olark", decode(body, "application/x-www-form-urlencoded"), context)
    assert (event.type.value, event.data["employee"]) == ("interaction.ended", "77")
    assert event.occurred_at.isoformat() == "2026-01-09T08:01:00.250000+00:00"


def test_broken_json_in_a_field_is_a_refusal_that_says_where(context: SourceContext) -> None:
    adapter = MappingAdapter(compile_mapping(get_mapping("olark").document))
    (refusal,) = adapt(adapter, {"data": "{"}, context).refusals
    assert (refusal.error.reason, refusal.error.pointer) == ("malformed_json", "/data")


def test_a_plain_form_is_scored(context: SourceContext) -> None:
    body = b"id=7&score=10&comment=Fine&email=o%40example.com"
    (event,) = read("nps_form", decode(body, "application/x-www-form-urlencoded"), context)
    assert event.data["answers"][0]["value"] == "10"


def test_a_list_of_presses_is_one_answer_each(context: SourceContext) -> None:
    presses = [
        {"press_id": n, "pressed_at": "2026-01-09T08:00:00Z", "button": colour, "shop": "s1"}
        for n, colour in enumerate(("green", "red"))
    ]
    values = [event.data["answers"][0]["value"] for event in read("kiosk_buttons", presses, context)]
    assert values == ["1", "-1"]
