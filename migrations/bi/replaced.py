"""Views of rows in the place of earlier ones: whose answers are, what is overdue, how deadlines end."""

from __future__ import annotations

from typing import Final

from migrations.bi.belonging import case_of
from migrations.bi.dimensions import DIM_SOURCE
from migrations.bi.parts import Shown, View
from migrations.bi.rows import CASES, FEEDBACK, SLA_TIMERS

# Where a start is known by its day only, the deadline is the end of the due day.
_LIMIT: Final = "coalesce(s.breaches_after, s.due_at)"
_OUTCOME: Final = f"""CASE
    WHEN s.stopped_at <= now() THEN CASE WHEN s.stopped_at <= {_LIMIT} THEN 'met' ELSE 'closed_late' END
    WHEN s.cancelled_at <= now() THEN CASE WHEN s.cancelled_at > {_LIMIT} THEN 'closed_late'
                                           ELSE 'cancelled' END
    WHEN s.state <> 'paused' AND {_LIMIT} < now() THEN 'open_overdue'
    ELSE 'pending' END"""


def has_overdue(tenant_id: str, subject_id: str) -> str:
    """True when a deadline of the subject has passed and nothing stopped it."""
    return (
        f"EXISTS (SELECT FROM sla_timers s WHERE s.tenant_id = {tenant_id} AND s.subject_id = {subject_id} "
        f"AND {_OUTCOME} = 'open_overdue')"
    )


def _replaced(view: View, *more: Shown, **expressions: str) -> View:
    """The view with other expressions behind some columns, and with more columns."""
    kept = (
        Shown(shown.name, expressions.get(shown.name, shown.expression), shown.comment)
        for shown in view.columns
    )
    return View(view.name, view.comment, (*kept, *more), view.rest)


ANSWERS_OF_CASES: Final = _replaced(
    FEEDBACK, case_id=f"CASE WHEN f.subject_kind = 'case' THEN {case_of('f')} END"
)
OVERDUE_CASES: Final = _replaced(
    CASES,
    Shown(
        "has_overdue",
        has_overdue("c.tenant_id", "c.case_id"),
        "true: a deadline has passed and nothing stopped it",
    ),
)
JUDGED_SLA_TIMERS: Final = _replaced(
    SLA_TIMERS,
    Shown("subject_kind", "s.subject_kind", "what case_id names: case, or another subject"),
    Shown("breaches_after", _LIMIT, "due_at, or the end of the due day where only the start's day is known"),
    outcome=_OUTCOME,
    is_breached=f"({_OUTCOME} IN ('closed_late', 'open_overdue'))",
    late_seconds="extract(epoch FROM greatest(coalesce(s.stopped_at, s.cancelled_at, now()) "
    f"- {_LIMIT}, interval '0'))::double precision",
)
DIM_SOURCE_SILENT: Final = _replaced(
    DIM_SOURCE,
    Shown(
        "is_silent",
        "CASE WHEN s.disabled_at IS NULL AND s.expected_every_seconds IS NOT NULL THEN coalesce("
        "s.last_event_at + s.expected_every_seconds * interval '1 second' < now(), true) END",
        "true: should have been heard of again by now; null: nobody said how often",
    ),
)
REPLACED: Final = (ANSWERS_OF_CASES, OVERDUE_CASES, JUDGED_SLA_TIMERS, DIM_SOURCE_SILENT)
