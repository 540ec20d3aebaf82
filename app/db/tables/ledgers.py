"""Ledgers: the outbox of each commit, and the raw payloads of providers; never rebuilt."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.db.kinds import local_table, tenant_table

outbox = local_table(
    "outbox",
    Column("outbox_id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="position of the event in the tenant's journal"),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_outbox_tenant_id", "tenant_id", "outbox_id"),
    worker=True,
    comment="Announcements not yet fanned out to endpoints; rows are deleted when they are.",
)

raw_payloads = tenant_table(
    "raw_payloads",
    Column("received_at", DateTime(timezone=True), primary_key=True),
    Column("raw_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False, comment="adapted, ignored, quarantined or dismissed"),
    Column("reason", Text),
    Column("detail", Text),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("mended_body", LargeBinary, comment="what it was replayed as, when a person mended it"),
    Column(
        "event_ids",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="events of the journal that stand for it: what reprocess may replace",
    ),
    Column(
        "retracted_ids",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="events that it stated once and that were taken back",
    ),
    Column("mapping_version", Integer, comment="version of the mapping that read it"),
    Column("settled_at", DateTime(timezone=True), comment="when it was replayed or dismissed"),
    Index("ix_raw_payloads_raw_id", "tenant_id", "raw_id"),
    Index("ix_raw_payloads_source", "tenant_id", "source", "received_at"),
    Index("ix_raw_payloads_state", "tenant_id", "state", "received_at"),
    comment="What providers sent, as it came; the short-lived place with clear identifiers.",
    postgresql_partition_by="RANGE (received_at)",
)
