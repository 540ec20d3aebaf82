"""Rows and payloads through a mapping: what comes out, and which row is refused for which reason."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.events import Event, EventType, Subject, SubjectKind
from app.sources.base import SourceContext, SourceDefaults
from app.sources.errors import PayloadError
from app.sources.mapping import CompiledMapping, compile_mapping
from tests.sources.conftest import RECEIVED_AT
from tests.sources.table_rows import FILE, ROW, event_of, mapping_of


def _refusal(mapping: CompiledMapping, row: Any, number: int | None = 7) -> tuple[str, str]:
    with pytest.raises(PayloadError) as caught:
        mapping.events(row, SourceContext("shop", RECEIVED_AT), number, FILE)
    assert caught.value.cure
    return caught.value.reason, caught.value.pointer


def test_a_row_becomes_an_event_named_by_its_file_and_its_number() -> None:
    assert event_of(mapping_of()) == Event(
        type=EventType.FEEDBACK_RECEIVED,
        id=f"row:{FILE[:16]}:7:feedback.received",
        source="shop",
        occurred_at=datetime(2025, 12, 28, 7, 30, tzinfo=UTC),
        time_raw="28.12.2025 09:30",
        data={"channel": "call"},
    )


def test_a_row_with_an_identity_of_its_own_keeps_it_in_every_file() -> None:
    mapping = mapping_of(row_id={"column": "Ticket"})
    first = mapping.events({**ROW, "Ticket": " 15 "}, SourceContext("shop", RECEIVED_AT), 1, FILE)
    again = mapping.events({**ROW, "Ticket": "15"}, SourceContext("shop", RECEIVED_AT), 90, "cd" * 32)
    assert first == again
    assert first[0].id == "15:feedback.received"
    assert _refusal(mapping, {**ROW, "Ticket": ""}) == ("row_id_missing", "/7/Ticket")


def test_an_id_that_went_through_a_float_is_refused() -> None:
    mapping = mapping_of(row_id={"column": "Ticket"})
    assert event_of(mapping, {**ROW, "Ticket": 2**60 + 1}).id == f"{2**60 + 1}:feedback.received"
    assert _refusal(mapping, {**ROW, "Ticket": 1e17}) == ("wrong_type", "/7/Ticket")


def test_one_row_may_state_several_events_and_each_has_its_name() -> None:
    entries = [
        {
            "type": "feedback.received",
            "name": "received",
            "occurred_at": "opened_at",
            "subject": {"kind": "case"},
        },
        {
            "type": "case.closed",
            "name": "closed",
            "when": {"column": "closed_at"},
            "occurred_at": "closed_at",
            "subject": {"kind": "case"},
        },
    ]
    mapping = mapping_of(format="ndjson", row_id="id", events=entries)
    context = SourceContext("crm", RECEIVED_AT)
    open_row = {"id": 5, "opened_at": "2026-01-01T10:00:00Z", "closed_at": None}
    assert [event.id for event in mapping.events(open_row, context, 1, FILE)] == ["5:received"]
    closed_row = {**open_row, "closed_at": "2025-12-31T10:00:00Z"}
    received, closed = mapping.events(closed_row, context, 1, FILE)
    assert received.subject == closed.subject == Subject(SubjectKind.CASE, "5")
    assert closed.occurred_at < received.occurred_at, (
        "a row that closes before it opens is a fact all the same"
    )


@pytest.mark.parametrize(
    ("when", "row", "applies"),
    [
        ("Status == 'open'", ROW, True),
        ("Status == 'closed'", ROW, False),
        ("Status", ROW, True),
        ("Missing", ROW, False),
        ("length(Status) > `3`", ROW, True),
        ("Zero", {**ROW, "Zero": 0}, True),
        ({"column": "Status"}, {**ROW, "Status": " "}, False),
        ({"column": "Status"}, {**ROW, "Status": "N/A"}, False),
    ],
)
def test_an_event_is_stated_only_when_its_condition_holds(when: Any, row: Any, applies: bool) -> None:
    mapping = mapping_of({"when": when}, absent=["N/A"])
    assert bool(mapping.events(row, SourceContext("shop", RECEIVED_AT), 7, FILE)) is applies


def test_a_condition_that_cannot_be_applied_refuses_the_row_and_not_the_file() -> None:
    assert _refusal(mapping_of({"when": "length(Missing) > `3`"}), ROW) == ("expression_failed", "/7")


def _channel(**spec: Any) -> CompiledMapping:
    return mapping_of({"data": {"channel": {"column": "Channel", **spec}}})


def test_words_are_translated_and_unknown_ones_are_never_guessed() -> None:
    mapping = _channel(map={"Тел.": "call", "-": None})
    assert event_of(mapping).data == {"channel": "call"}
    assert event_of(mapping, {**ROW, "Channel": "-"}).data == {}
    assert event_of(mapping, {**ROW, "Channel": ""}).data == {}
    assert _refusal(mapping, {**ROW, "Channel": "Fax"}) == ("unmapped_value", "/7/Channel")


def test_a_default_serves_what_is_absent_and_what_has_no_word() -> None:
    mapping = _channel(map={"Тел.": "call"}, default="other")
    assert [event_of(mapping, {**ROW, "Channel": word}).data["channel"] for word in ("Тел.", "Fax", "")] == [
        "call",
        "other",
        "other",
    ]


def test_a_word_outside_the_vocabulary_is_refused_with_the_cure() -> None:
    assert _refusal(_channel(), ROW) == ("unknown_word", "/7/Channel")
    assert event_of(_channel(), {**ROW, "Channel": "email"}).data == {"channel": "email"}


def test_answers_that_were_skipped_are_left_out() -> None:
    def answer(question: str, column: str) -> dict[str, Any]:
        return {"question": {"value": question}, "scale": {"value": "csat_1_5"}, "value": {"column": column}}

    mapping = mapping_of(
        {"data": {"answers": [answer("staff", "Score"), answer("queue", "Queue")]}}, absent=["N/A"]
    )
    both = event_of(mapping, {**ROW, "Queue": "2"}).data["answers"]
    assert [(given["question"], given["value"]) for given in both] == [("staff", "4"), ("queue", "2")]
    assert len(event_of(mapping, {**ROW, "Queue": "N/A"}).data["answers"]) == 1
    assert "answers" not in event_of(mapping, {**ROW, "Score": "", "Queue": ""}).data


def test_a_customer_without_a_value_is_no_customer() -> None:
    mapping = mapping_of({"data": {"customer": {"type": {"value": "phone"}, "value": {"column": "Phone"}}}})
    assert event_of(mapping, {**ROW, "Phone": "+380"}).data["customer"] == {"type": "phone", "value": "+380"}
    assert "customer" not in event_of(mapping, {**ROW, "Phone": ""}).data


def test_attributes_are_cast_as_the_mapping_says() -> None:
    spec = {
        "n": {"column": "N", "cast": "number"},
        "yes": {"column": "Yes", "cast": "boolean"},
        "zip": {"column": "Zip"},
    }
    mapping = mapping_of({"data": {"attributes": spec}})
    row = {**ROW, "N": "4.50", "Yes": "No", "Zip": "01001"}
    assert event_of(mapping, row).data["attributes"] == {"n": 4.5, "yes": False, "zip": "01001"}
    for broken in ({"N": "4,5"}, {"N": "NaN"}, {"N": "1e9"}, {"Yes": "maybe"}):
        assert _refusal(mapping, row | broken) == ("wrong_type", f"/7/{next(iter(broken))}")


def test_a_deadline_becomes_utc() -> None:
    mapping = mapping_of({"data": {"due_at": {"column": "Due", "format": "%d.%m.%Y %H:%M"}}})
    assert event_of(mapping, {**ROW, "Due": "29.03.2026 09:00"}).data["due_at"] == "2026-03-29T06:00:00Z"
    assert _refusal(mapping, {**ROW, "Due": "soon"}) == ("time_invalid", "/7/Due")


@pytest.mark.parametrize(
    ("spec", "written"),
    [
        ({"column": "Date", "format": "%d.%m.%Y", "precision": "day"}, "28.12.2025"),
        ({"column": "Date", "precision": "day"}, "2025-12-28"),
        ({"column": "Date", "precision": "day"}, "2025-12-28T21:59:59+00:00"),
        ({"column": "Date", "format": "epoch_s", "precision": "day"}, "1766959199"),
    ],
)
def test_a_day_is_the_local_day_and_says_so(spec: dict[str, Any], written: str) -> None:
    event = event_of(mapping_of({"occurred_at": spec}), {"Date": written})
    assert event.day_precision
    assert event.occurred_at == datetime(2025, 12, 27, 22, 0, tzinfo=UTC)


def test_a_date_alone_is_no_instant() -> None:
    assert _refusal(mapping_of({"occurred_at": {"column": "Date"}}), {"Date": "2025-12-28"}) == (
        "time_invalid",
        "/7/Date",
    )


def test_the_nearest_zone_wins_and_without_one_the_row_is_refused() -> None:
    lviv = SourceContext("shop", RECEIVED_AT, ZoneInfo("America/New_York"))
    assert event_of(mapping_of(), context=lviv).occurred_at.hour == 7, "the mapping's zone, not the source's"
    zoneless = compile_mapping(
        {
            "mapping": 1,
            "id": "m",
            "format": "csv",
            "events": [
                {"type": "interaction.ended", "occurred_at": {"column": "Date", "format": "%d.%m.%Y %H:%M"}}
            ],
        }
    )
    assert event_of(zoneless, context=lviv).occurred_at.hour == 14
    assert _refusal(zoneless, ROW) == ("zone_missing", "/7/Date")


def test_a_row_without_the_time_of_a_stated_event_is_refused() -> None:
    assert _refusal(mapping_of(), {**ROW, "Date": ""}) == ("time_missing", "/7")


def test_objects_and_versions_make_revisions() -> None:
    mapping = mapping_of(
        {
            "occurred_at": "changed_at",
            "object": "id",
            "version": {"path": "changed_at", "format": "iso"},
            "data": {},
        },
        format="json",
    )
    context = SourceContext("forms", RECEIVED_AT)
    (first,) = mapping.events({"id": 7, "changed_at": "2026-01-01T10:00:00Z"}, context)
    (second,) = mapping.events({"id": 7, "changed_at": "2026-01-01T10:00:01Z"}, context)
    assert first.object == second.object == "7"
    assert first.version is not None and second.version == first.version + Decimal(1_000_000)
    assert first.id == f"7@{first.version}:feedback.received"


def test_a_payload_that_nothing_names_is_named_by_its_content() -> None:
    mapping = mapping_of({"occurred_at": {"received_at": True}, "data": {"text": "text"}}, format="json")
    context = SourceContext("bot", RECEIVED_AT)

    def named(payload: dict[str, Any]) -> str:
        (event,) = mapping.events(payload, context)
        assert event.occurred_at == RECEIVED_AT
        return event.id

    assert named({"text": "a", "n": 1}) == named({"n": 1, "text": "a"}) != named({"text": "b", "n": 1})


def test_two_events_of_one_row_never_share_an_id() -> None:
    entry = {"type": "feedback.received", "occurred_at": "at", "id": "id"}
    mapping = mapping_of(format="json", events=[{**entry, "name": "a"}, {**entry, "name": "b"}])
    assert _refusal(mapping, {"id": 1, "at": "2026-01-01T10:00:00Z"}) == ("duplicate_id", "/7")


@pytest.mark.parametrize("row", [None, [], "x", 5])
def test_what_is_no_object_is_no_row(row: Any) -> None:
    assert _refusal(mapping_of(), row) == ("wrong_type", "/7")


def test_the_defaults_of_the_source_fill_the_data() -> None:
    context = SourceContext("shop", RECEIVED_AT, defaults=SourceDefaults(location="kyiv-1", channel="web"))
    assert event_of(mapping_of(), context=context).data == {"channel": "call", "location": "kyiv-1"}
