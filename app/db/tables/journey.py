"""The journey map: what is known of a touchpoint beside its name, rules that find it, and new names."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import tenant_table

journey_touchpoints = tenant_table(
    "journey_touchpoints",
    Column("key", Text, primary_key=True, comment="a touchpoint of the directory"),
    Column("stage", Text, nullable=False, comment="before, purchase, waiting or after"),
    Column("place", Integer, nullable=False, comment="order within the stage"),
    Column("owner", Text),
    Column("is_key", Boolean, nullable=False, comment="must have an active survey"),
    Column("controllable", Boolean, nullable=False),
    Column("channels", JSONB, nullable=False, comment="where customers come from; not the touchpoint"),
    Column("questions", JSONB, nullable=False, comment="keys of the questions that are asked here"),
    comment="The journey map: what stands beside the title and the parent in the directory.",
)

journey_rules = tenant_table(
    "journey_rules",
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="Rules from raw values to touchpoints; a version never changes.",
)

touchpoint_retags = tenant_table(
    "touchpoint_retags",
    Column("event_id", Uuid, primary_key=True),
    Column("raw", Text, nullable=False),
    Column("touchpoint", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("ix_touchpoint_retags_raw", "tenant_id", "raw"),
    comment="Touchpoints that got another name, from which commit on.",
)
