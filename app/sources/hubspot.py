"""HubSpot: batches of CRM events; tickets are cases where HubSpot handles them, the rest says nothing.

`hs_pipeline_stage` of the default pipeline moves the case (2 waits for the customer, 4 is closed);
`hubspot_owner_id` assigns it. A feedback submission names only its id: it is `survey.answered`.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.reading import Reader
from app.sources.times import epoch_milliseconds

FEEDBACK_SUBMISSIONS = "0-19"
_STAGES = {"2": EventType.CASE_WAITING_CUSTOMER, "3": EventType.CASE_RESUMED, "4": EventType.CASE_CLOSED}
_NOUNS = ("contact", "company", "deal", "product", "line_item", "conversation", "object", "ticket")
_ACTS: tuple[str, ...] = (
    "creation",
    "deletion",
    "propertyChange",
    "merge",
    "restore",
    "associationChange",
    "newMessage",
)
_ACTS += ("privacyDeletion",)
_SEVERITIES = {"URGENT": "sev2", "HIGH": "sev2", "MEDIUM": "sev3", "LOW": "sev4"}


class HubSpotAdapter:
    """Adapter of HubSpot's webhooks."""

    name = "hubspot"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per event of the batch."""
        if isinstance(payload, list):
            return [Item(f"/{index}", one) for index, one in enumerate(payload)]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one CRM event. Raises PayloadError, UnknownEventError."""
        said = Reader.of(item.value, item.pointer)
        kind = said.text("subscriptionType") or ""
        noun, _, act = kind.partition(".")
        if noun not in _NOUNS or act not in _ACTS:
            raise UnknownEventError("HubSpot", kind or None, pointer=said.at("subscriptionType"))
        if noun == "object" and act == "creation" and said.text("objectTypeId") == FEEDBACK_SUBMISSIONS:
            return [_event(said, EventType.SURVEY_ANSWERED, SubjectKind.SURVEY, "submission", {}, context)]
        if noun != "ticket" or not context.defaults.handles_cases:
            return []
        return _ticket(said, act, context)


def _ticket(said: Reader, act: str, context: SourceContext) -> list[Event]:
    if act == "creation":
        return [_case(said, EventType.CASE_OPENED, {}, context)]
    if act == "merge":
        # HubSpot keeps the primary ticket; the merged ones are named in a list of their own.
        return []
    value = said.identifier("propertyValue") or ""
    match said.text("propertyName") if act == "propertyChange" else None:
        case "hs_pipeline_stage" if value in _STAGES:
            return [_case(said, _STAGES[value], {}, context)]
        case "hubspot_owner_id" if value:
            return [_case(said, EventType.CASE_ASSIGNED, {"assignee": context.employee(value)}, context)]
        case "hs_ticket_priority" if value.upper() in _SEVERITIES:
            return [_case(said, EventType.CASE_ASSESSED, {"severity": _SEVERITIES[value.upper()]}, context)]
        case _:
            return []


def _case(said: Reader, act: EventType, data: dict[str, object], context: SourceContext) -> Event:
    return _event(said, act, SubjectKind.CASE, "ticket", data, context)


def _event(
    said: Reader,
    act: EventType,
    kind: SubjectKind,
    noun: str,
    data: dict[str, object],
    context: SourceContext,
) -> Event:
    number = said.required_identifier("objectId")
    moment = epoch_milliseconds(said.raw("occurredAt"), said.at("occurredAt"))
    # HubSpot repeats event ids after a while: the object and the time part them.
    name = f"{said.required_identifier('eventId')}:{number}@{moment.raw}"
    return context.event(act, name, moment, context.subject(kind, noun, number), data)
