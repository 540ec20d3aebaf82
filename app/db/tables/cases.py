"""Cases: the folded state of each complaint or question."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import tenant_table

cases = tenant_table(
    "cases",
    Column("case_id", Uuid, primary_key=True, comment="the subject's id"),
    Column("seq", BigInteger, nullable=False, comment="last commit that touched the case: its ETag"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("channel", Text),
    Column("touchpoint", Text),
    Column("location", Text),
    Column("employee", Text),
    Column("segment", Text),
    Column("product", Text),
    Column("cause", Text),
    Column("assignee", Text),
    Column("customer_ref", LargeBinary),
    Column("customer_facing", Boolean, nullable=False),
    Column("initiative", Text, nullable=False),
    Column("detection", JSONB, nullable=False),
    Column("due_given_at", DateTime(timezone=True)),
    Column("promised_due_at", DateTime(timezone=True)),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("first_response_at", DateTime(timezone=True)),
    Column("remedied_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True), comment="withdrawn, duplicate, invalid or merged"),
    Column("reopened_count", Integer, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("anomalies", JSONB, nullable=False),
    Column("repeat_of", Uuid),
    Column("merged_into", Uuid),
    Column("quiet_until", DateTime(timezone=True), comment="what fell due before is not announced"),
    Index("ix_cases_opened", "tenant_id", "opened_at"),
    Index("ix_cases_state", "tenant_id", "state", "opened_at"),
    Index("ix_cases_customer", "tenant_id", "customer_ref", postgresql_where="customer_ref is not null"),
    Index("ix_cases_merged", "tenant_id", "merged_into", postgresql_where="merged_into is not null"),
    comment="One row per complaint or question, folded from its events.",
)
