"""What a comparison of two bindings looks like on the wire."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.measures.statistics import wilson
from app.domain.sla.compare import Difference, Effect, Tally, Verdict
from app.kit.ids import public_id
from app.sla.comparing import Compared, Cut
from app.sla.schemas import VersionOut


class TallyOut(BaseModel):
    """Cycles of one timer by verdict."""

    met: int
    breached: int
    pending: int = Field(description="not yet due; not part of the attainment")
    cancelled: int
    policies: list[VersionOut] = Field(description="the versions that gave it; version 0: the draft")
    attainment: float | None = Field(description="met / (met + breached); null while nothing is decided")
    attainment_ci_low: float | None = Field(description="Wilson interval, 95 %")
    attainment_ci_high: float | None


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
    opened: int = Field(description="how many subjects opened in the period")
    subjects: int = Field(description="how many of them were read: all, or a fair sample")
    truncated: bool = Field(description="true: a sample was read, the same one when asked again")
    truncated_by: Cut | None = Field(
        description="what ended it: the limit asked for, the number of events, or ten seconds of reading"
    )
    timers: list[TimerComparison]
    counts: dict[str, int] = Field(
        description="cycles by effect: would_breach, saved, moved (another due time), added, removed"
    )
    would_breach: list[DifferenceOut]
    saved: list[DifferenceOut]


def comparison_out(compared: Compared, as_of: datetime, *, shown: int, opened: int) -> ComparisonOut:
    """A comparison as callers see it; `opened`: how many subjects the period holds."""
    comparison = compared.comparison
    cut: Cut | None = compared.cut or ("limit" if comparison.subjects < opened else None)
    return ComparisonOut(
        as_of=as_of,
        opened=opened,
        subjects=comparison.subjects,
        truncated=cut is not None,
        truncated_by=cut,
        timers=[
            TimerComparison(
                timer=timer,
                before=_tally_out(comparison.before.get(timer, Tally())),
                after=_tally_out(comparison.after.get(timer, Tally())),
            )
            for timer in comparison.timers()
        ],
        counts={effect.value: len(comparison.having(effect)) for effect in Effect},
        would_breach=[_out(item) for item in comparison.having(Effect.WOULD_BREACH)[:shown]],
        saved=[_out(item) for item in comparison.having(Effect.SAVED)[:shown]],
    )


def _tally_out(tally: Tally) -> TallyOut:
    counts = {verdict.value: tally.counts[verdict] for verdict in Verdict}
    policies = [VersionOut(key=key, version=version) for key, version in sorted(tally.policies)]
    met, decided = counts["met"], counts["met"] + counts["breached"]
    low, high = wilson(met, decided) if decided else (None, None)
    return TallyOut(
        **counts,
        policies=policies,
        attainment=None if tally.attainment is None else round(tally.attainment, 6),
        attainment_ci_low=None if low is None else round(low, 6),
        attainment_ci_high=None if high is None else round(high, 6),
    )


def _out(item: Difference) -> DifferenceOut:
    reading = item.after or item.before
    assert reading is not None, "a difference has a side"
    due_before, due_after = item.due_at
    return DifferenceOut(
        subject_id=public_id(item.kind.value, item.subject_id),
        timer=item.timer,
        cycle=reading.number,
        started_at=reading.started_at,
        due_before=due_before,
        due_after=due_after,
        stopped_at=reading.stopped_at,
    )
