"""Privacy: erasures on their way, and how long a tenant keeps what."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, LargeBinary, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import local_table, tenant_table

erasures = local_table(
    "erasures",
    Column("erasure_id", Uuid, primary_key=True, comment="the event that asked for it"),
    Column("customer_ref", LargeBinary, comment="whom to forget; null when it is done"),
    Column("token", LargeBinary, nullable=False, comment="the random name that takes its place"),
    Column("sealed_identifier", LargeBinary, comment="what to look for in raw bodies; null when it is done"),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), comment="null: completed"),
    Column("completed_at", DateTime(timezone=True)),
    Column("counts", JSONB, nullable=False, comment="what was reached: table -> rows"),
    Index("ix_erasures_next_at", "next_at"),
    Index("ix_erasures_tenant", "tenant_id", "requested_at"),
    worker=True,
    comment="People who asked to be forgotten; nothing here says who they were once it is done.",
)

retention_rules = tenant_table(
    "retention_rules",
    Column("text_days", Integer, comment="personal parts of events; null: kept"),
    Column("raw_days", Integer, comment="raw payloads; null: as the service is set"),
    Column("decision_days", Integer, comment="the decision log; null: kept"),
    Column("message_days", Integer, comment="webhook messages and attempts; null: as `text_days`"),
    Column("text_position", BigInteger, nullable=False, comment="personal parts up to here were dropped"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    comment="How long a tenant keeps what; one row each.",
)
