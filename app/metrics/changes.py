"""What a span of commits changed: feedback rows weighed +1 and -1, the deltas of every cuboid.

Versioned rows are their own deltas: +1 where a version begins, -1 where it ends. An answer to a relational
question also changes when another one of the same customer comes or goes; such customers are counted
anew: +1 for all their answers as they stand after the span, -1 as they stood before it. The same goes for
presses on a device, of which one that comes or goes changes what counts in the 15 seconds after it.
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
from app.metrics.feedback_counts import weighed
from app.metrics.repeats import PRESS_GAP, credible, is_first_press, is_press, is_repeatable, stands
from app.metrics.shape import Seq, known_rows


class Commits(NamedTuple):
    """A tenant's commits (above, up_to]; None: all up to now. `relational` are its relational questions.

    `presses`: some of its answers name the device that was pressed.
    """

    tenant_id: UUID
    above: Seq
    up_to: Seq | None
    relational: tuple[str, ...]
    presses: bool = False

    @property
    def sides(self) -> tuple[tuple[int, Seq | None], ...]:
        """What stands after them is added, what stood before is taken away: (sign, known at)."""
        return (1, self.up_to), (-1, self.above)

    def hold(self, seq: ColumnElement[int]) -> ColumnElement[bool]:
        """True where something happened in these commits."""
        return and_(seq > self.above, true() if self.up_to is None else seq <= self.up_to)


def changes(
    keys: Sequence[ColumnElement[Any]], only: ColumnElement[bool], commits: Commits
) -> CompoundSelect[Any]:
    """The changes of these commits among the rows that `only` keeps, under `keys` and `weighed` columns."""
    own = and_(feedback.c.tenant_id == literal(commits.tenant_id), credible(feedback), only)
    single = own
    if commits.relational:
        single = and_(single, not_(is_repeatable(feedback, commits.relational)))
    if commits.presses:
        single = and_(single, not_(is_press(feedback)))
    parts: list[Select[Any]] = [
        select(*keys, *weighed(feedback, literal(1))).where(commits.hold(feedback.c.seq_from), single),
        select(*keys, *weighed(feedback, literal(-1))).where(commits.hold(feedback.c.seq_to), single),
    ]
    if commits.relational:
        parts += _of_customers(keys, own, commits)
    if commits.presses:
        parts += _of_presses(keys, own, commits)
    return all_of(*parts)


def _of_customers(
    keys: Sequence[ColumnElement[Any]], own: ColumnElement[bool], commits: Commits
) -> list[Select[Any]]:
    """Answers of the customers that these commits touched; their presses are counted with the presses."""
    touched = _touched(commits)
    same = and_(touched.c.customer_ref == feedback.c.customer_ref, touched.c.question == feedback.c.question)
    kept = and_(own, not_(is_press(feedback))) if commits.presses else own
    return [
        select(*keys, *weighed(feedback, literal(sign), stands(commits.relational, known_at)))
        .join_from(feedback, touched, same)
        .where(known_rows(feedback, known_at), kept)
        for sign, known_at in commits.sides
    ]


def _of_presses(
    keys: Sequence[ColumnElement[Any]], own: ColumnElement[bool], commits: Commits
) -> list[Select[Any]]:
    """Presses that these commits may have made count, or no longer count."""
    near = feedback.c.feedback_id.in_(_near_presses(commits))
    return [
        select(
            *keys,
            *weighed(
                feedback,
                literal(sign),
                stands(commits.relational, known_at) if commits.relational else None,
            ),
        ).where(known_rows(feedback, known_at), own, is_press(feedback), near, is_first_press(known_at))
        for sign, known_at in commits.sides
    ]


def _near_presses(commits: Commits) -> Select[Any]:
    """Ids of the presses up to 15 s after one that began or ended, and of those of touched customers."""
    pressed = select(feedback.c.device, feedback.c.occurred_at).where(
        feedback.c.tenant_id == literal(commits.tenant_id), is_press(feedback)
    )
    changed = union(
        pressed.where(commits.hold(feedback.c.seq_from)), pressed.where(commits.hold(feedback.c.seq_to))
    ).subquery("changed")
    near = feedback.alias("near")
    ids = select(near.c.feedback_id).where(
        near.c.tenant_id == literal(commits.tenant_id),
        near.c.device == changed.c.device,
        near.c.occurred_at >= changed.c.occurred_at,
        near.c.occurred_at < changed.c.occurred_at + PRESS_GAP,
    )
    if not commits.relational:
        return select(ids.subquery("ids").c.feedback_id)
    touched = _touched(commits)
    of_customers = select(near.c.feedback_id).where(
        near.c.tenant_id == literal(commits.tenant_id),
        is_press(near),
        near.c.customer_ref == touched.c.customer_ref,
        near.c.question == touched.c.question,
    )
    return select(union(ids, of_customers).subquery("ids").c.feedback_id)


def _touched(commits: Commits) -> Subquery:
    """Customers and relational questions of which some answer began or ended in these commits."""
    pairs = select(feedback.c.customer_ref, feedback.c.question).where(
        feedback.c.tenant_id == literal(commits.tenant_id), is_repeatable(feedback, commits.relational)
    )
    began = pairs.where(commits.hold(feedback.c.seq_from))
    return union(began, pairs.where(commits.hold(feedback.c.seq_to))).subquery("touched")
