"""What a comparison of two bindings looks like on the wire."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.events import SubjectKind
from app.domain.sla.compare import Comparison, Difference, Effect, Tally, Verdict
from app.kit.ids import public_id


class TallyOut(BaseModel):
    """Cycles of one timer by verdict."""

    met: int
    breached: int
    pending: int = Field(description="not yet due; not part of the attainment")
    cancelled: int
    attainment: float | None = Field(description="met / (met + breached); null while nothing is decided")


class TimerComparison(BaseModel):
    """One timer before and after."""

    timer: str = Field(examples=["first_response"])
    before: TallyOut
    after: TallyOut


class DifferenceOut(BaseModel):
    """One cycle that would read differently."""

    subject_id: str = Field(examples=["case_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    timer: str
    cycle: int
    started_at: datetime
    due_before: datetime | None
    due_after: datetime | None
    stopped_at: datetime | None


class ComparisonOut(BaseModel):
    """Attainment before and after, and the cycles that change; lists are cut at `shown`."""

    as_of: datetime
    subjects: int = Field(description="how many were read")
    truncated: bool = Field(description="true: the period holds more; narrow it")
    timers: list[TimerComparison]
    counts: dict[str, int] = Field(
        description="cycles by effect: would_breach, saved, moved (another due time), added, removed"
    )
    would_breach: list[DifferenceOut]
    saved: list[DifferenceOut]


def comparison_out(
    comparison: Comparison, kind: SubjectKind, as_of: datetime, *, shown: int, truncated: bool
) -> ComparisonOut:
    """A comparison as callers see it."""
    return ComparisonOut(
        as_of=as_of,
        subjects=comparison.subjects,
        truncated=truncated,
        timers=[
            TimerComparison(
                timer=timer,
                before=_tally_out(comparison.before.get(timer, Tally())),
                after=_tally_out(comparison.after.get(timer, Tally())),
            )
            for timer in comparison.timers()
        ],
        counts={effect.value: len(comparison.having(effect)) for effect in Effect},
        would_breach=[_out(item, kind) for item in comparison.having(Effect.WOULD_BREACH)[:shown]],
        saved=[_out(item, kind) for item in comparison.having(Effect.SAVED)[:shown]],
    )


def _tally_out(tally: Tally) -> TallyOut:
    counts = {verdict.value: tally.counts[verdict] for verdict in Verdict}
    return TallyOut(**counts, attainment=None if tally.attainment is None else round(tally.attainment, 6))


def _out(item: Difference, kind: SubjectKind) -> DifferenceOut:
    reading = item.after or item.before
    assert reading is not None, "a difference has a side"
    due_before, due_after = item.due_at
    return DifferenceOut(
        subject_id=public_id(kind.value, item.subject_id),
        timer=item.timer,
        cycle=reading.number,
        started_at=reading.started_at,
        due_before=due_before,
        due_after=due_after,
        stopped_at=reading.stopped_at,
    )
