"""Cuboids that a tenant declares: what they keep apart, how far each is folded, and their counts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.kinds import tenant_table
from app.db.tables.metrics import ANSWER_KEY, COUNTER_COLUMNS

DIMENSION_SLOTS: Final = ("d0", "d1", "d2")
"""Columns for the dimensions of a declared cuboid, in its order; what it has no use for is ''."""

declared_cuboids = tenant_table(
    "declared_cuboids",
    Column("key", Text, primary_key=True),
    Column("dimensions", ARRAY(Text), nullable=False, comment="what its days are kept apart by"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="Combinations that a tenant asks for often: counted ahead by the worker, by local day.",
)

declared_folds = tenant_table(
    "declared_folds",
    Column("cuboid", Text, primary_key=True),
    Column("dimensions", ARRAY(Text), nullable=False, comment="what the counts are kept apart by"),
    Column("folded_seq", BigInteger, nullable=False, comment="commits up to here are in the counts"),
    Column("time_zone", Text, nullable=False, comment="zone whose days are counted"),
    Column("relational", ARRAY(Text), nullable=False, comment="questions that count once per customer"),
    Column("folded_at", DateTime(timezone=True), nullable=False),
    Column("problem", Text, comment="why it cannot be folded; it is not read then"),
    comment="How far the declared cuboids reach; derived, may be emptied.",
)

declared_counts = tenant_table(
    "declared_counts",
    Column("cuboid", Text, primary_key=True),
    Column("bucket", Date, primary_key=True),
    *(Column(slot, Text, primary_key=True) for slot in DIMENSION_SLOTS),
    *(
        Column(column, SmallInteger if column == "scale_version" else Text, primary_key=True)
        for column in ANSWER_KEY
    ),
    *(Column(column, Integer, nullable=False) for column in COUNTER_COLUMNS),
    comment="Answers of the declared cuboids counted by day; derived, may be refolded.",
)
