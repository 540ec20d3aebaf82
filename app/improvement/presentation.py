"""Rows of improvement become what callers see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.recurrence import REGISTRY_SIZE, weight
from app.improvement.schemas import ActionOut, DebriefOut, FailureOut, NoticeOut, OwedOut, fields_of
from app.kit.ids import public_id


def action_out(row: Any, links: Mapping[str, Any]) -> ActionOut:
    """An action with the counts of its cases."""
    counted = links.get(row.ref)
    fields = fields_of(ActionOut, row)
    fields |= {"cases": counted.cases if counted else 0, "owed": counted.owed if counted else 0}
    return ActionOut(**{**fields, "id": public_id("action", row.action_id)})


def failures_out(rows: Sequence[Any], counts: Mapping[str, Mapping[str, int]]) -> list[FailureOut]:
    """Failures by what they weigh now, open ones first; the twelve heaviest open ones are the registry."""
    weighed = [(row, weight(counts.get(row.cause, {}))) for row in rows]
    weighed.sort(key=lambda pair: (pair[0].state != "open", -pair[1], pair[0].detected_at, pair[0].cause))
    found = []
    for place, (row, heavy) in enumerate(weighed, start=1):
        is_open = row.state == "open"
        fields = {
            **fields_of(FailureOut, row),
            "id": public_id("failure", row.failure_id),
            "rank": place if is_open else None,
            "in_registry": is_open and place <= REGISTRY_SIZE,
            "weight": heavy,
            "cases_now": sum(counts.get(row.cause, {}).values()),
        }
        found.append(FailureOut(**fields))
    return found


def debrief_out(row: Any) -> DebriefOut:
    """A debrief as callers see it."""
    fields = fields_of(DebriefOut, row)
    case_id = None if row.case_id is None else public_id("case", row.case_id)
    return DebriefOut(**{**fields, "id": public_id("debrief", row.debrief_id), "case_id": case_id})


def notice_out(row: Any) -> NoticeOut:
    """A notice as callers see it."""
    return NoticeOut(**{**fields_of(NoticeOut, row), "event_id": public_id("evt", row.event_id)})


def owed_out(row: Any) -> OwedOut:
    """An obligation as callers see it."""
    return OwedOut(
        case_id=public_id("case", row.case_id),
        refs=list(row.refs),
        action=row.action,
        action_name=row.action_name,
        deployed_at=row.deployed_at,
        due_at=row.due_at,
        assignee=row.assignee,
        kind=row.kind,
        severity=row.severity,
        cause=row.cause,
        location=row.location,
        reply_channel=row.preferred_channel or row.channel,
    )
