"""Whose facts are whose, where cases were merged: what is later than a merge belongs to the survivor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, exists, func, literal, or_, select

from app.db.tables.cases import case_spans, cases
from app.db.tables.journal import case_ties


def has_merges(tenant_id: UUID) -> ColumnElement[bool]:
    """True where cases were ever merged; who never did pays nothing for the rule."""
    return exists(select(literal(1)).where(case_ties.c.tenant_id == literal(tenant_id)))


def belongs_to_case(table: Any, *, merges: bool) -> ColumnElement[bool]:
    """True for rows (with `subject_id` and `occurred_at`) that tell of the row of `cases` beside them."""
    if not merges:
        told: ColumnElement[bool] = table.c.subject_id == cases.c.case_id
        return told
    homes = (
        select(case_spans.c.home_id)
        .where(case_spans.c.tenant_id == cases.c.tenant_id, case_spans.c.case_id == cases.c.case_id)
        .correlate(cases)
        .scalar_subquery()
    )
    # an array, so that each of them is found by its index
    named: Any = func.array_append(func.array(homes), cases.c.case_id)
    moved = (
        select(case_spans.c.case_id)
        .where(
            case_spans.c.tenant_id == table.c.tenant_id,
            case_spans.c.home_id == table.c.subject_id,
            case_spans.c.after_at < table.c.occurred_at,
            or_(case_spans.c.until_at.is_(None), table.c.occurred_at <= case_spans.c.until_at),
        )
        .correlate(table)
        .scalar_subquery()
    )
    return and_(
        table.c.subject_id == any_(named), func.coalesce(moved, table.c.subject_id) == cases.c.case_id
    )
