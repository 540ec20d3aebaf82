"""Configuration: plain rows; whatever a stored number depends on is versioned and immutable."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import local_table, tenant_table

questions = tenant_table(
    "questions",
    Column("key", Text, primary_key=True),
    Column("measure", Text, nullable=False, comment="which metric reads the answers"),
    Column("scale_id", Text, nullable=False),
    Column("wording", Text),
    Column("wording_version", Integer, nullable=False),
    Column("relational", Boolean, nullable=False, comment="one answer per customer and 90 days counts"),
    Column("uncategorised", Boolean, nullable=False, comment="met in an event, not yet described"),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    comment="What was asked: a metric reads the answers whose question has its measure.",
)

directory = tenant_table(
    "directory",
    Column(
        "kind", Text, primary_key=True, comment="location, employee, touchpoint, source, segment, product"
    ),
    Column("key", Text, primary_key=True),
    Column("title", Text),
    Column("parent", Text),
    Column("details", JSONB, nullable=False),
    Column("uncategorised", Boolean, nullable=False, comment="met in an event, not yet described"),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    comment="Nouns by key, created at first sight and completed later.",
)

attributes = tenant_table(
    "attributes",
    Column("key", Text, primary_key=True),
    Column("type", Text, nullable=False, comment="text, number or boolean"),
    Column("title", Text),
    Column("personal", Boolean, nullable=False, comment="kept in the personal part of an event"),
    Column("groupable", Boolean, nullable=False, comment="may be a dimension of a metric query"),
    comment="Custom attributes that queries may filter and group by.",
)

calendars = tenant_table(
    "calendars",
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="Working calendars; a version never changes.",
)

policies = tenant_table(
    "policies",
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("effective_from", DateTime(timezone=True), comment="binds what opens from here; null: always"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="SLA policies; a version never changes.",
)

sources = tenant_table(
    "sources",
    Column("key", Text, primary_key=True),
    Column("title", Text),
    Column("adapter", Text, comment="null: posts canonical events"),
    Column("verification", Text, nullable=False, comment="signature family of its webhooks"),
    Column("sealed_secrets", JSONB, nullable=False, comment="at most two live secrets, sealed"),
    Column("time_zone", Text, comment="zone of naive times"),
    Column("defaults", JSONB, nullable=False),
    Column("mapping", JSONB(none_as_null=True), comment="mapping document of the mapping adapter"),
    Column("mapping_version", Integer, comment="its number in source_mappings"),
    Column("pull", JSONB(none_as_null=True), comment="what a puller asks for, and how often"),
    Column(
        "sealed_credentials", JSONB(none_as_null=True), comment="what a puller proves itself with, sealed"
    ),
    Column(
        "handles_cases", Boolean, nullable=False, comment="its case events decide whether a breach is final"
    ),
    Column("grace_seconds", Integer, nullable=False),
    Column("expected_every_seconds", Integer),
    Column("backdate_bound_seconds", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    Column("last_event_at", DateTime(timezone=True)),
    comment="Who sends: a CRM, a chat, a review site.",
)

source_mappings = tenant_table(
    "source_mappings",
    Column("source", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="Every mapping document that a source has had; a raw payload names the one that read it.",
)

source_pulls = local_table(
    "source_pulls",
    Column("pull_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False, comment="when it is asked again"),
    Column("claim_id", Uuid, comment="fence of the puller that asks now; next_at is its lease"),
    Column("cursor", JSONB(none_as_null=True), comment="where the last pull ended"),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("last_error", Text),
    Column("pulled_at", DateTime(timezone=True)),
    Index("ix_source_pulls_next_at", "next_at"),
    UniqueConstraint("tenant_id", "source"),
    worker=True,
    comment="Sources that are asked, and when the next time is.",
)

inlets = local_table(
    "inlets",
    Column("token_hash", LargeBinary, primary_key=True),
    Column("source", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_inlets_tenant_id", "tenant_id"),
    comment="The secret path of a source's webhooks -> tenant and source.",
)
