"""The ready mappings: each compiles, and reads the partner's shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from app.configuration.mappings.gallery import get_mapping, list_mappings
from app.domain.events import Event
from app.ingest.reading import validated
from app.sources.base import SourceContext, SourceDefaults, adapt
from app.sources.bodies import decode
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.questions import QuestionRule
from tests.sources.conftest import RECEIVED_AT


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


def test_a_chosen_option_is_told_by_its_words(context: SourceContext) -> None:
    options = [{"id": "o1", "text": "Kyiv"}, {"id": "o2", "text": "Odesa"}]
    fields = [{"key": "a", "label": "Shop", "type": "DROPDOWN", "value": ["o2"], "options": options}]
    payload = {
        "eventId": "e2",
        "eventType": "FORM_RESPONSE",
        "createdAt": "2026-01-09T08:00:00Z",
        "data": {"responseId": "r2", "fields": fields},
    }
    (event,) = read("tally", payload, context)
    assert event.data["attributes"] == {"answer_Shop": "Odesa"}


def test_a_helpdesks_batch_is_a_case_and_its_rating(context: SourceContext) -> None:
    ticket = {"id": "9", "subject": "Broken", "description": "<b>Again</b>", "channel": "Phone"}
    batch = [
        {"eventType": "Ticket_Add", "eventTime": "1767945600000", "payload": ticket},
        {
            "eventType": "Ticket_Update",
            "eventTime": "1767945700000",
            "payload": {"id": "9", "statusType": "Closed"},
            "prevState": {"statusType": "Open"},
        },
        {
            "eventType": "Customer_Happiness_Add",
            "eventTime": "1767945800000",
            "payload": {"id": "3", "ticketId": "9", "rating": "BAD"},
        },
        {"eventType": "Contact_Add", "eventTime": "1767945900000", "payload": {"id": "1"}},
    ]
    opened, closed, rated = read("zoho_desk", batch, context)
    assert (opened.type.value, opened.data["text"], opened.data["channel"]) == (
        "case.opened",
        "Broken\nAgain",
        "call",
    )
    assert closed.subject == opened.subject == rated.subject
    assert rated.data["answers"][0]["value"] in (-1, "-1")


def test_a_sheets_row_is_read_in_the_zone_of_the_source() -> None:
    payload = {
        "namedValues": {"Timestamp": ["01/09/2026 10:00:00"], "How was it?": ["4"], "Email Address": [""]},
        "range": {"rowStart": 5},
    }
    questions = {"How was it?": QuestionRule(scale="csat_1_5", measure="csat")}
    context = SourceContext(
        "sheet", RECEIVED_AT, ZoneInfo("Europe/Kyiv"), SourceDefaults(questions=questions)
    )
    (event,) = read("google_forms_script", payload, context)
    assert (event.id, event.occurred_at.isoformat()) == ("row:5", "2026-01-09T08:00:00+00:00")
    assert "customer" not in event.data and len(event.data["answers"]) == 1


def test_a_call_that_nobody_took_did_not_take_place(context: SourceContext) -> None:
    data = {"id": 8, "direction": "inbound", "ended_at": 1767945600, "raw_digits": "+380 50-111-22-33"}
    call = {"event": "call.ended", "timestamp": 1767945600, "data": data}
    assert read("aircall", call, context) == []
    (event,) = read("aircall", call | {"data": data | {"answered_at": 1767945500}}, context)
    assert event.data["customer"] == {"type": "phone", "value": "+380501112233"}
