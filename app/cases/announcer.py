"""What subscribers are told of cases themselves: opened, replied, remedied, closed, reopened ..."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.db.engine import Tx
from app.domain.case import Case
from app.domain.events import Origin, SubjectKind
from app.journal.ports import Announcement, Commit, Place
from app.kit.ids import public_id


class CaseAnnouncer:
    """Announces each live case event once, with the case as it stands after it."""

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """One announcement per live `case.*` event of this commit."""
        return [
            Announcement(event, _data(commit.folded[event.subject_id], event))
            for event in commit.events
            if event.subject_kind is SubjectKind.CASE
            and event.subject_id in commit.folded
            and event.origin is Origin.LIVE
            and event.type.value.startswith("case.")
        ]


def _data(case: Case, event: Any) -> dict[str, Any]:
    return {
        "case": case_data(event.subject_id, case),
        "event_id": public_id("evt", event.event_id),
        "ref": event.personal.get("subject_ref"),
        "occurred_at": event.occurred_at,
        "source": event.source,
        "sequence": event.position,
    }


def case_data(case_id: Any, case: Case) -> dict[str, Any]:
    """A case as subscribers get it: no text, no customer."""
    return {
        "id": public_id("case", case_id),
        "kind": case.kind.value,
        "severity": case.severity.value,
        "state": case.state.value,
        "opened_at": case.opened_at,
        "channel": case.channel,
        "touchpoint": case.touchpoint,
        "location": case.location,
        "employee": case.employee,
        "product": case.product,
        "segment": case.segment,
        "cause": case.cause,
        "assignee": case.assignee,
        "due_given_at": case.due_given_at,
        "promised_due_at": case.promised_due_at,
        "customer_facing": case.customer_facing,
        "steps": {step.value: at for step, at in case.steps.items()},
        "reopened_count": case.reopened_count,
    }
