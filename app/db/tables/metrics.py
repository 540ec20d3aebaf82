"""Cuboids: the feedback histogram at a few grains, and how far each tenant's are folded.

They hold nothing of their own: deleting them and setting `folded_seq` to 0 loses no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    FromClause,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.kinds import tenant_table

HISTOGRAM_COLUMNS: Final = tuple(f"v{slot}" for slot in range(11))
COUNTER_COLUMNS: Final = (*HISTOGRAM_COLUMNS, "unknown", "silent", "items", "complaints")
ANSWER_KEY: Final = ("question", "measure", "scale_id", "scale_version", "collection_mode")


class Grain(StrEnum):
    """The bucket of a cuboid: a day of the tenant's zone, or an hour of UTC."""

    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Cuboid:
    """One cuboid: its table, its grain and the dimensions it keeps apart ('' stands for null)."""

    name: str
    grain: Grain
    dimensions: tuple[str, ...]
    table: Table

    @property
    def rows(self) -> FromClause:
        """Where it is read."""
        return self.table

    @property
    def key(self) -> tuple[str, ...]:
        """Its key columns after the tenant."""
        return ("bucket", *self.dimensions, *ANSWER_KEY)


def _cuboid(grain: Grain, *dimensions: str) -> Cuboid:
    name = "_".join(("cuboid", grain, *dimensions))
    kind: Any = Date if grain is Grain.DAY else DateTime(timezone=True)
    table = tenant_table(
        name,
        Column("bucket", kind, primary_key=True),
        *(Column(dimension, Text, primary_key=True) for dimension in dimensions),
        *(
            Column(column, SmallInteger if column == "scale_version" else Text, primary_key=True)
            for column in ANSWER_KEY
        ),
        *(Column(column, Integer, nullable=False) for column in COUNTER_COLUMNS),
        comment=f"Answers counted by {grain}, {' and '.join(dimensions)}; derived, may be refolded.",
    )
    return Cuboid(name, grain, dimensions, table)


CUBOIDS: Final = (
    _cuboid(Grain.DAY, "touchpoint", "channel"),
    _cuboid(Grain.DAY, "location"),
    _cuboid(Grain.DAY, "employee"),
    _cuboid(Grain.HOUR, "touchpoint", "channel"),
)
"""Smallest first: the first that covers a query answers it (design.md section 5)."""


metric_folds = tenant_table(
    "metric_folds",
    Column("folded_seq", BigInteger, nullable=False, comment="commits up to here are in the cuboids"),
    Column("time_zone", Text, nullable=False, comment="zone whose days the day cuboids count"),
    Column("relational", ARRAY(Text), nullable=False, comment="questions that count once per customer"),
    Column(
        "hours_from", DateTime(timezone=True), nullable=False, comment="the hour cuboid is whole from here"
    ),
    Column("folded_at", DateTime(timezone=True), nullable=False),
    comment="How far the cuboids of a tenant reach; queries add what was committed since.",
)

metric_terms = tenant_table(
    "metric_terms",
    Column("version", Integer, primary_key=True),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="What numbers depend on besides data: k of the silent, thresholds; a version never changes.",
)

metric_annotations = tenant_table(
    "metric_annotations",
    Column("key", Text, primary_key=True),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), comment="null: lasts"),
    Column("title", Text, nullable=False),
    Column("breaks_series", Boolean, nullable=False, comment="nothing is compared across its ends"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="What happened to a tenant that its numbers cannot tell: a crisis, a new wording, a move.",
)

metric_alerts = tenant_table(
    "metric_alerts",
    Column("key", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("evaluated_at", DateTime(timezone=True), comment="null: not yet, since it was written"),
    Column("problem", Text, comment="why the last evaluation failed"),
    comment="Rules by which the worker watches metrics.",
)

metric_alert_states = tenant_table(
    "metric_alert_states",
    Column("alert", Text, primary_key=True),
    Column("unit", Text, primary_key=True, comment="the group that the rule watches, as JSON"),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("finding", JSONB, nullable=False, comment="what was announced"),
    comment="Alerts that are raised; a row is the memory that keeps them from being told twice.",
)
