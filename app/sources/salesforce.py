"""Salesforce: change events (CDC) of the object Case, as a relay posts them; other objects say nothing.

Only what changed is in the event. A created case is opened, a new status closes, escalates or reopens it, a
new owner assigns it, where Salesforce handles cases. A gap event means that changes were lost: it is loud.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.reading import Reader
from app.sources.times import epoch_milliseconds

_STATUSES = {
    "closed": EventType.CASE_CLOSED,
    "escalated": EventType.CASE_ESCALATED,
    "reopened": EventType.CASE_REOPENED,
    "waiting on customer": EventType.CASE_WAITING_CUSTOMER,
    "on hold": EventType.CASE_WAITING_CUSTOMER,
}
_SEVERITIES = {"high": "sev2", "medium": "sev3", "low": "sev4"}
_ORIGINS = {"phone": "call", "email": "email", "web": "web", "chat": "chat"}
_KINDS = {"question": "question", "problem": "complaint", "complaint": "complaint"}
_KINDS["feature request"] = "suggestion"


class SalesforceAdapter:
    """Adapter of Salesforce's change data capture events."""

    name = "salesforce"

    def items(self, payload: object) -> Sequence[Item]:
        """One change event is one statement; a list is one each; CometD's envelope (`data`) is opened."""
        if isinstance(payload, list):
            return [Item(f"/{index}", one) for index, one in enumerate(payload)]
        reader = Reader.of(payload)
        inner = reader.object("data") if isinstance(reader.raw("data"), dict) else reader
        return (Item(inner.pointer, inner.value),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The facts of one change. Raises PayloadError, UnknownEventError."""
        change = Reader.of(item.value, item.pointer)
        payload = change.object("payload")
        header = payload.object("ChangeEventHeader")
        entity, act = header.text("entityName"), header.text("changeType")
        if entity is None or act is None:
            raise UnknownEventError("Salesforce", entity, pointer=header.at("entityName"))
        if act.startswith("GAP_"):
            raise PayloadError(
                "changes_lost",
                f"Salesforce lost the details of a {act} of {entity[:40]}",
                pointer=header.at("changeType"),
                cure="Import the records again, then resolve this entry.",
            )
        if act not in ("CREATE", "UPDATE", "DELETE", "UNDELETE"):
            raise UnknownEventError("Salesforce", act, pointer=header.at("changeType"))
        if entity != "Case" or not context.defaults.handles_cases:
            return []
        facts = _facts(payload, act, context)
        return [event for fact in facts for event in _for_each(change, header, *fact, context)]


def _facts(payload: Reader, act: str, context: SourceContext) -> list[tuple[EventType, dict[str, object]]]:
    if act == "CREATE":
        lines = filter(None, (payload.text("Subject"), payload.text("Description")))
        opened: dict[str, object] = {
            "text": "\n".join(lines),
            "kind": _KINDS.get((payload.text("Type") or "").lower()),
            "severity": _SEVERITIES.get((payload.text("Priority") or "").lower()),
            "channel": _ORIGINS.get((payload.text("Origin") or "").lower()),
        }
        return [(EventType.CASE_OPENED, opened)]
    facts: list[tuple[EventType, dict[str, object]]] = []
    if act == "UPDATE":
        status = _STATUSES.get((payload.text("Status") or "").lower())
        if status is not None:
            facts.append((status, {}))
        if owner := context.employee(payload.identifier("OwnerId")):
            facts.append((EventType.CASE_ASSIGNED, {"assignee": owner}))
    return facts


def _for_each(
    change: Reader, header: Reader, act: EventType, data: dict[str, object], context: SourceContext
) -> list[Event]:
    """A change may be of several records at once."""
    moment = epoch_milliseconds(header.raw("commitTimestamp"), header.at("commitTimestamp"))
    key = f"{header.required_identifier('transactionKey')}:{header.identifier('sequenceNumber') or 0}"
    records = header.raw("recordIds")
    if not isinstance(records, list) or not records or not all(isinstance(one, str) for one in records):
        raise PayloadError(
            "field_missing", "no record is named", pointer=header.at("recordIds"), cure="Send recordIds."
        )
    return [
        context.event(
            act,
            f"{key}:{record}:{act.value}",
            moment,
            context.subject(SubjectKind.CASE, "case", record),
            data,
        )
        for record in records
    ]
