"""Touchpoints that got another name, for populations that are read from the journal itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case

from app.journal.ports import POSITION_BITS
from app.journal.renames import Renames
from app.metrics.facts import TenantFacts
from app.metrics.query import MetricQuery


def by_its_name(name: str, column: ColumnElement[Any], query: MetricQuery, facts: TenantFacts) -> Any:
    """A dimension as an event states it; a touchpoint by the name that it had got when it was known."""
    if name != "touchpoint" or not facts.renames:
        return column
    end = None if query.known_at is None else (query.known_at + 1) << POSITION_BITS
    known = [(raw, new) for at, raw, new in facts.renames if end is None or at < end]
    renames = Renames(known)
    names = {raw: renames.name_of(raw) for raw, _ in known}
    return case(names, value=column, else_=column) if names else column
