"""What a span of commits changed: feedback rows weighed +1 and -1, the deltas of every cuboid.

Versioned rows are their own deltas: +1 where a version begins, -1 where it ends. An answer to a relational
question also changes when another one of the same customer comes or goes; such customers are counted
anew: +1 for all their answers as they stand after the span, -1 as they stood before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    literal,
    not_,
    select,
    true,
    union,
)
from sqlalchemy import union_all as all_of

from app.db.tables.feedback import feedback
from app.metrics.feedback_counts import credible, is_repeatable, stands, weighed
from app.metrics.shape import Seq, known_rows


class Commits(NamedTuple):
    """A tenant's commits (above, up_to]; None: all up to now. `relational` are its relational questions."""

    tenant_id: UUID
    above: Seq
    up_to: Seq | None
    relational: tuple[str, ...]

    def hold(self, seq: ColumnElement[int]) -> ColumnElement[bool]:
        """True where something happened in these commits."""
        return and_(seq > self.above, true() if self.up_to is None else seq <= self.up_to)


def changes(
    keys: Sequence[ColumnElement[Any]], only: ColumnElement[bool], commits: Commits
) -> CompoundSelect[Any]:
    """The changes of these commits among the rows that `only` keeps, under `keys` and `weighed` columns."""
    own = and_(feedback.c.tenant_id == literal(commits.tenant_id), credible(feedback), only)
    single = not_(is_repeatable(feedback, commits.relational)) if commits.relational else true()
    parts: list[Select[Any]] = [
        select(*keys, *weighed(feedback, literal(1))).where(commits.hold(feedback.c.seq_from), own, single),
        select(*keys, *weighed(feedback, literal(-1))).where(commits.hold(feedback.c.seq_to), own, single),
    ]
    if commits.relational:
        touched = _touched(commits)
        for sign, known_at in ((1, commits.up_to), (-1, commits.above)):
            counts = stands(commits.relational, known_at)
            parts.append(
                select(*keys, *weighed(feedback, literal(sign), counts))
                .join_from(
                    feedback,
                    touched,
                    and_(
                        touched.c.customer_ref == feedback.c.customer_ref,
                        touched.c.question == feedback.c.question,
                    ),
                )
                .where(known_rows(feedback, known_at), own)
            )
    return all_of(*parts)


def _touched(commits: Commits) -> Subquery:
    """Customers and relational questions of which some answer began or ended in these commits."""
    pairs = select(feedback.c.customer_ref, feedback.c.question).where(
        feedback.c.tenant_id == literal(commits.tenant_id), is_repeatable(feedback, commits.relational)
    )
    began = pairs.where(commits.hold(feedback.c.seq_from))
    return union(began, pairs.where(commits.hold(feedback.c.seq_to))).subquery("touched")
