"""Which answers count: found credible, not given again within 90 days, no echo of a press on the same device.

Both rules look at when something was said and never at when it arrived: any order gives the same counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Tuple,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)

from app.db.tables.feedback import feedback
from app.domain.scales import AnswerClass
from app.metrics.shape import Seq, known_rows

RELATIONAL_WINDOW: Final = timedelta(days=90)
PRESS_GAP: Final = timedelta(seconds=15)
"""domain.md 3.4: a press sooner after another one on the same device is the same customer playing."""

_PASSIVE: Final = "passive"


def credible(rows: FromClause) -> ColumnElement[bool]:
    """Answers that the expert found invalid are counted nowhere."""
    return rows.c.qualification.is_distinct_from("invalid")


def is_repeatable(rows: FromClause, relational: Sequence[str]) -> ColumnElement[bool]:
    """Answers of a known customer to a relational question: a later one may replace them."""
    return and_(rows.c.question.in_(relational), rows.c.customer_ref.is_not(None))


def stands(relational: Sequence[str], known_at: Seq | None) -> ColumnElement[bool]:
    """False for an answer to a relational question that its customer gave again within 90 days.

    The rule looks at when the answers were given, not when they arrived: any order gives the same.
    """
    later = feedback.alias("later")
    given_again = exists(
        select(literal(1)).where(
            later.c.tenant_id == feedback.c.tenant_id,
            later.c.customer_ref == feedback.c.customer_ref,
            later.c.question == feedback.c.question,
            known_rows(later, known_at),
            credible(later),
            later.c["class"] != str(AnswerClass.SILENT),
            tuple_(later.c.occurred_at, later.c.feedback_id)
            > tuple_(feedback.c.occurred_at, feedback.c.feedback_id),
            later.c.occurred_at <= feedback.c.occurred_at + RELATIONAL_WINDOW,
        )
    )
    return not_(and_(feedback.c.question.in_(relational), given_again))


def is_press(rows: FromClause) -> ColumnElement[bool]:
    """A press that nobody asked for, on a device that is known."""
    return and_(rows.c.device.is_not(None), rows.c.collection_mode == _PASSIVE)


def is_first_press(known_at: Seq | None) -> ColumnElement[bool]:
    """False for a press less than 15 s after another one on its device; true for whatever is no press.

    The one before need not count itself: a child that drums on the buttons is one customer. Of answers to one
    question in the same instant the worst stands. Answers of one event are one press.
    """
    earlier = feedback.alias("earlier")
    pressed_before = exists(
        select(literal(1)).where(
            earlier.c.tenant_id == feedback.c.tenant_id,
            earlier.c.device == feedback.c.device,
            is_press(earlier),
            known_rows(earlier, known_at),
            credible(earlier),
            earlier.c.event_id != feedback.c.event_id,
            earlier.c.occurred_at > feedback.c.occurred_at - PRESS_GAP,
            earlier.c.occurred_at <= feedback.c.occurred_at,
            or_(
                earlier.c.occurred_at < feedback.c.occurred_at,
                and_(earlier.c.question == feedback.c.question, _said(earlier) < _said(feedback)),
            ),
        )
    )
    return not_(and_(is_press(feedback), pressed_before))


def _said(rows: FromClause) -> Tuple:
    """What tells answers of one instant apart; ids come last, because they know who arrived first."""
    score = func.coalesce(rows.c.norm01, -1.0)
    return tuple_(rows.c["class"], rows.c.scale_id, score, rows.c.feedback_id)
