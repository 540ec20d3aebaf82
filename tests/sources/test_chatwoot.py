"""What Chatwoot's webhooks say, and what they do not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.events import Event, EventType, Subject, SubjectKind
from app.sources.base import Adaptation, SourceContext, SourceDefaults, adapt
from app.sources.chatwoot import ChatwootAdapter
from app.sources.errors import UnknownEventError
from tests.sources.conftest import RECEIVED_AT, LoadPayload

CONVERSATION = Subject(SubjectKind.INTERACTION, "conversation:42")


def _adapt(payload: Any, context: SourceContext) -> Adaptation:
    return adapt(ChatwootAdapter(), payload, context)


def _one(payload: Any, context: SourceContext) -> Event:
    adaptation = _adapt(payload, context)
    assert adaptation.refusals == ()
    (event,) = adaptation.events
    return event


def _refusal(payload: Any, context: SourceContext) -> tuple[str, str]:
    adaptation = _adapt(payload, context)
    assert adaptation.events == ()
    (refusal,) = adaptation.refusals
    return refusal.error.reason, refusal.error.pointer


def test_a_resolved_conversation_is_an_interaction_that_ended(
    payload: LoadPayload, context: SourceContext
) -> None:
    event = _one(payload("chatwoot/conversation_status_changed"), context)
    assert event == Event(
        type=EventType.INTERACTION_ENDED,
        id="conversation:42:ended@1767261600.123456",
        source="marigold",
        occurred_at=datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC),
        time_raw="1767261600.123456",
        subject=CONVERSATION,
        data={
            "channel": "messenger",
            "employee": "marigold:12",
            "customer": {"type": "phone", "value": "+380501112233"},
        },
    )


@pytest.mark.parametrize("status", ["open", "pending", "snoozed", None])
def test_a_conversation_in_any_other_status_says_nothing(
    status: str | None, payload: LoadPayload, context: SourceContext
) -> None:
    changed = payload("chatwoot/conversation_status_changed", status=status)
    assert _adapt(changed, context) == Adaptation((), ())


def test_old_and_new_names_of_one_resolution_are_one_event(
    payload: LoadPayload, context: SourceContext
) -> None:
    new = _one(payload("chatwoot/conversation_status_changed"), context)
    old = _one(payload("chatwoot/conversation_status_changed", event="conversation_resolved"), context)
    assert old == new


def test_an_agents_message_is_a_reply_only_where_cases_are_handled(
    payload: LoadPayload, context: SourceContext, case_context: SourceContext
) -> None:
    sent = payload("chatwoot/message_created_agent")
    assert _adapt(sent, context) == Adaptation((), ())
    event = _one(sent, case_context)
    assert (event.type, event.id) == (EventType.CASE_REPLIED, "message:9001")
    assert event.subject == Subject(SubjectKind.CASE, "conversation:42")
    assert event.data == {
        "human": True,
        "channel": "messenger",
        "employee": "marigold:12",
        "text": "We are on it",
    }


@pytest.mark.parametrize(
    "automatic",
    [
        {"sender": None},
        {"sender": {"id": 1, "name": "Bot", "type": "agent_bot"}},
        {"sender": {"id": 1, "name": "Assistant", "type": "captain_assistant"}},
        {"content_attributes": {"automation_rule_id": 5}},
        {"additional_attributes": {"campaign_id": 9}},
    ],
)
def test_a_reply_that_no_person_wrote_is_not_human(
    automatic: dict[str, Any], payload: LoadPayload, case_context: SourceContext
) -> None:
    event = _one(payload("chatwoot/message_created_agent", **automatic), case_context)
    assert event.data["human"] is False
    assert "employee" not in event.data


@pytest.mark.parametrize(
    "silent",
    [
        {"private": True},
        {"message_type": "template"},
        {"message_type": "activity"},
        {"event": "message_updated"},
    ],
)
def test_notes_templates_and_edits_are_no_replies(
    silent: dict[str, Any], payload: LoadPayload, case_context: SourceContext
) -> None:
    assert _adapt(payload("chatwoot/message_created_agent", **silent), case_context) == Adaptation((), ())


def test_a_csat_answer_is_feedback_on_the_conversation(payload: LoadPayload, context: SourceContext) -> None:
    event = _one(payload("chatwoot/message_updated_csat"), context)
    assert event.type is EventType.FEEDBACK_RECEIVED
    assert event.subject == CONVERSATION
    assert (event.object, event.version) == ("csat:9100", Decimal(1767262170500000))
    assert event.occurred_at == datetime(2026, 1, 1, 10, 9, 30, 500000, tzinfo=UTC)
    assert event.data == {
        "kind": "rating",
        "channel": "messenger",
        "channel_raw": "Channel::Whatsapp",
        "employee": "marigold:12",
        "interaction": "conversation:42",
        "customer": {"type": "phone", "value": "+380501112233"},
        "answers": [{"question": "csat", "measure": "csat", "scale": "csat_1_5", "value": 2}],
        "text": "Waited for an hour",
        "collection_mode": "invited",
        "attributes": {"inbox_id": "3", "inbox": "WhatsApp shop"},
    }


def test_a_changed_answer_is_a_later_version_of_the_same_object(
    payload: LoadPayload, context: SourceContext
) -> None:
    first_payload = payload("chatwoot/message_updated_csat")
    second_payload = payload("chatwoot/message_updated_csat")
    second_payload["conversation"]["messages"][0]["updated_at"] = "2026-01-01T10:10:00Z"
    second_payload["content_attributes"]["submitted_values"]["csat_survey_response"]["rating"] = 4
    first, second = _one(first_payload, context), _one(second_payload, context)
    assert first.object == second.object
    assert first.id != second.id
    assert first.version is not None and second.version is not None and first.version < second.version


def test_the_same_delivery_twice_is_the_same_event(payload: LoadPayload, context: SourceContext) -> None:
    later = SourceContext("marigold", datetime(2026, 2, 1, tzinfo=UTC))
    csat = payload("chatwoot/message_updated_csat")
    assert _one(csat, context) == _one(csat, later)


def test_two_answers_with_one_coarse_time_keep_ids_of_their_own(
    payload: LoadPayload, context: SourceContext
) -> None:
    events = []
    for rating in (1, 5):
        csat = payload("chatwoot/message_updated_csat")
        csat["conversation"] |= {"messages": [], "updated_at": None}
        csat["content_attributes"]["submitted_values"]["csat_survey_response"]["rating"] = rating
        events.append(_one(csat, context))
    assert events[0].occurred_at == events[1].occurred_at == datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
    assert events[0].id != events[1].id


def test_a_survey_that_was_sent_is_an_offer_and_no_answer(
    payload: LoadPayload, context: SourceContext
) -> None:
    sent = payload("chatwoot/message_updated_csat", event="message_created", content_attributes={})
    event = _one(sent, context)
    assert (event.type, event.id, event.subject) == (
        EventType.FEEDBACK_OFFERED,
        "csat:9100:offered",
        CONVERSATION,
    )
    assert event.occurred_at == datetime(2026, 1, 1, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"rating": "5"}, {"value": 5, "text": None}),
        ({"rating": None, "feedback_message": "так собі"}, {"value": None, "text": "так собі"}),
        ({"rating": 1, "feedback_message": "  "}, {"value": 1, "text": None}),
    ],
)
def test_a_rating_or_a_comment_alone_is_an_answer(
    answer: dict[str, Any], expected: dict[str, Any], payload: LoadPayload, context: SourceContext
) -> None:
    csat = payload("chatwoot/message_updated_csat")
    csat["content_attributes"]["submitted_values"]["csat_survey_response"] = answer
    data = _one(csat, context).data
    values = [given["value"] for given in data.get("answers", [])]
    assert values == ([] if expected["value"] is None else [expected["value"]])
    assert data.get("text") == expected["text"]


@pytest.mark.parametrize("unanswered", [{}, {"submitted_values": {}}, {"submitted_values": None}])
def test_an_updated_survey_without_an_answer_says_nothing(
    unanswered: dict[str, Any], payload: LoadPayload, context: SourceContext
) -> None:
    assert _adapt(
        payload("chatwoot/message_updated_csat", content_attributes=unanswered), context
    ) == Adaptation(())


@pytest.mark.parametrize("rating", [0, 6, -1, 4.5, True, "п'ять", [5], "5.0"])
def test_a_rating_outside_its_scale_is_quarantined_never_clipped(
    rating: object, payload: LoadPayload, context: SourceContext
) -> None:
    csat = payload("chatwoot/message_updated_csat")
    csat["content_attributes"]["submitted_values"]["csat_survey_response"]["rating"] = rating
    assert _refusal(csat, context) == (
        "score_invalid",
        "/content_attributes/submitted_values/csat_survey_response/rating",
    )


@pytest.mark.parametrize(
    "name",
    [
        "conversation_created",
        "conversation_opened",
        "conversation_updated",
        "webwidget_triggered",
        "contact_updated",
    ],
)
def test_known_events_that_say_nothing_are_passed_over(name: str, context: SourceContext) -> None:
    assert _adapt({"event": name, "whatever": [1, 2]}, context) == Adaptation((), ())


@pytest.mark.parametrize("name", ["conversation_exploded", "", None])
def test_an_unknown_event_is_loud(name: str | None, context: SourceContext) -> None:
    (refusal,) = _adapt({"event": name}, context).refusals
    assert isinstance(refusal.error, UnknownEventError)
    assert (refusal.error.reason, refusal.error.pointer) == ("unknown_event", "/event")


@pytest.mark.parametrize(
    ("broken", "reason", "pointer"),
    [
        ([], "wrong_type", ""),
        ("text", "wrong_type", ""),
        ({"event": 7}, "wrong_type", "/event"),
        ({"event": "conversation_resolved"}, "field_missing", "/id"),
        ({"event": "conversation_resolved", "id": 1.5}, "wrong_type", "/id"),
        ({"event": "conversation_resolved", "id": 1}, "time_missing", "/timestamp"),
        ({"event": "conversation_resolved", "id": 1, "timestamp": "soon"}, "time_invalid", "/timestamp"),
        ({"event": "conversation_resolved", "id": 1, "timestamp": 5, "meta": []}, "wrong_type", "/meta"),
    ],
)
def test_a_broken_payload_is_refused_with_its_place(
    broken: Any, reason: str, pointer: str, context: SourceContext
) -> None:
    assert _refusal(broken, context) == (reason, pointer)


def test_defaults_fill_what_chatwoot_does_not_say_and_prefix_its_refs(payload: LoadPayload) -> None:
    defaults = SourceDefaults(location="kyiv-1", channel="app", ref_prefix="north:")
    event = _one(
        payload("chatwoot/conversation_status_changed"),
        SourceContext("marigold", RECEIVED_AT, defaults=defaults),
    )
    assert event.data["location"] == "kyiv-1"
    assert event.data["channel"] == "messenger"
    assert event.subject == Subject(SubjectKind.INTERACTION, "north:conversation:42")


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (
            {"email": "o@example.com", "phone_number": "+1", "id": 5},
            {"type": "email", "value": "o@example.com"},
        ),
        ({"email": None, "phone_number": "+1", "id": 5}, {"type": "phone", "value": "+1"}),
        ({"identifier": "crm-9", "id": 5}, {"type": "external_id", "value": "crm-9"}),
        ({"id": 5, "type": "contact"}, {"type": "chatwoot_contact", "value": "5"}),
        ({}, None),
        ({"id": 5, "type": "user"}, None),
    ],
)
def test_a_customer_is_known_by_the_identity_that_other_systems_share(
    contact: dict[str, Any], expected: dict[str, str] | None, payload: LoadPayload, context: SourceContext
) -> None:
    resolved = payload("chatwoot/conversation_status_changed", meta={"sender": contact})
    assert _one(resolved, context).data.get("customer") == expected
