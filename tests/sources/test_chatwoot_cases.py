"""Chatwoot as the place where cases are handled: a conversation's life as facts of its case."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.events import EventType
from app.ingest.reading import validated
from app.sources.base import SourceContext, adapt
from app.sources.registry import get_adapter
from tests.sources.conftest import LoadPayload

CHANGED = "chatwoot/conversation_status_changed"
SAID = "chatwoot/message_created_agent"
NAMES = ["conversation_status_changed", "conversation_opened", "conversation_updated"]
CONTACT = {"id": 501, "type": "contact", "name": "Olena"}


def facts(payload: dict[str, Any], context: SourceContext) -> list[tuple[EventType, dict[str, Any]]]:
    adaptation = adapt(get_adapter("chatwoot"), payload, context)
    assert adaptation.refusals == ()
    return [(validated(event).type, event.data) for event in adaptation.events]


def before(key: str, value: Any, now: Any) -> list[dict[str, Any]]:
    return [{key: {"previous_value": value, "current_value": now}}]


def test_a_new_conversation_opens_a_case_with_the_customers_first_words(
    payload: LoadPayload, case_context: SourceContext
) -> None:
    messages = [{"message_type": 3, "content": "Hello!"}, {"message_type": 0, "content": "No light"}]
    created = payload(CHANGED, event="conversation_created", status="open", messages=messages)
    ((kind, data),) = facts(created, case_context)
    assert (kind, data["kind"], data["text"]) == (EventType.CASE_OPENED, "question", "No light")
    assert data["customer"] == {"type": "phone", "value": "+380501112233"}


def test_a_resolved_conversation_closes_its_case(payload: LoadPayload, case_context: SourceContext) -> None:
    kinds = [kind for kind, _ in facts(payload(CHANGED), case_context)]
    assert kinds == [EventType.INTERACTION_ENDED, EventType.CASE_CLOSED]


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        (before("status", "resolved", "open"), [EventType.CASE_REOPENED]),
        (before("status", "pending", "open"), []),
        (before("assignee_id", None, 12), [EventType.CASE_ASSIGNED]),
        ([], []),
        (None, []),
    ],
)
@pytest.mark.parametrize(
    "name", ["conversation_status_changed", "conversation_opened", "conversation_updated"]
)
def test_only_what_was_before_says_what_changed(
    name: str, changes: Any, kinds: list[EventType], payload: LoadPayload, case_context: SourceContext
) -> None:
    moved = payload(CHANGED, event=name, status="open", changed_attributes=changes)
    assert [kind for kind, _ in facts(moved, case_context)] == kinds


@pytest.mark.parametrize("kind", ["incoming", 0])
def test_a_customers_message_contacts_the_case(
    kind: str | int, payload: LoadPayload, case_context: SourceContext
) -> None:
    ((act, data),) = facts(payload(SAID, message_type=kind, sender=CONTACT), case_context)
    assert act is EventType.CASE_CUSTOMER_CONTACTED
    assert data["customer"] == {"type": "chatwoot_contact", "value": "501"}
    assert "human" not in data and "employee" not in data


def test_elsewhere_a_conversation_is_no_case(payload: LoadPayload, context: SourceContext) -> None:
    created = payload(CHANGED, event="conversation_created", status="open")
    reopened = payload(CHANGED, status="open", changed_attributes=before("status", "resolved", "open"))
    assert facts(created, context) == facts(reopened, context) == []
    assert facts(payload(SAID, message_type="incoming", sender=CONTACT), context) == []
