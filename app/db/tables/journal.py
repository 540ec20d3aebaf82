"""The journal: facts, the personal part that erasure may take, and the names by which things are known."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import tenant_table

events = tenant_table(
    "events",
    Column("position", BigInteger, primary_key=True, comment="seq * 2^20 + n: order of the tenant's journal"),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False, comment="the caller's id: names the event for ever"),
    Column(
        "fingerprint",
        LargeBinary,
        nullable=False,
        comment="HMAC of the content, to tell conflict from repeat",
    ),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("origin", Text, nullable=False),
    Column("caused_by", Uuid),
    Column("subject_kind", Text),
    Column("subject_id", Uuid),
    Column("object", Text, comment="of which thing this event is a state"),
    Column("version", Numeric),
    Column("fact", JSONB, nullable=False),
    Column("time_raw", Text),
    Column("day_precision", Boolean, nullable=False),
    Column("backdated", Boolean, nullable=False),
    UniqueConstraint("tenant_id", "source", "external_id"),
    Index("ix_events_event", "tenant_id", "event_id"),
    Index("ix_events_subject", "tenant_id", "subject_id", postgresql_where="subject_id is not null"),
    Index("ix_events_object", "tenant_id", "source", "object", postgresql_where="object is not null"),
    Index(
        "ix_events_retractions",
        "tenant_id",
        text("(fact->>'event_id')"),
        postgresql_where="type = 'event.retracted'",
    ),
    Index("ix_events_displayed", "tenant_id", "occurred_at", postgresql_where="type = 'rating.displayed'"),
    Index("ix_events_orders", "tenant_id", "subject_id", postgresql_where="subject_kind = 'order'"),
    comment="Every business fact, in the order in which it was committed; never updated.",
)

event_personal = tenant_table(
    "event_personal",
    Column("event_id", Uuid, primary_key=True),
    Column("customer_ref", LargeBinary, comment="keyed hash of the customer's identifier"),
    Column("data", JSONB, nullable=False, comment="text and the caller's references"),
    Index(
        "ix_event_personal_customer",
        "tenant_id",
        "customer_ref",
        postgresql_where="customer_ref is not null",
    ),
    comment="The personal part of an event: what erasure and retention take.",
)

subjects = tenant_table(
    "subjects",
    Column("subject_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("merged_into", Uuid),
    comment="What events are about: a case, an interaction, an order.",
)

subject_aliases = tenant_table(
    "subject_aliases",
    Column("kind", Text, primary_key=True),
    Column("ref", Text, primary_key=True, comment="a reference by which callers know the subject"),
    Column("subject_id", Uuid, nullable=False, comment="of a case that was merged the one that goes on"),
    Column("home_id", Uuid, comment="the subject of which events name it, where merges lead to another"),
    Index("ix_subject_aliases_subject", "tenant_id", "subject_id"),
    Index("ix_subject_aliases_home", "tenant_id", "home_id", postgresql_where="home_id is not null"),
    comment="Many references, one subject.",
)

case_ties = tenant_table(
    "case_ties",
    Column("case_id", Uuid, primary_key=True),
    Column("other_id", Uuid, primary_key=True),
    comment="Cases that a merge named together, in both directions, whether it stands or not.",
)

object_heads = tenant_table(
    "object_heads",
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("event_id", Uuid, nullable=False, comment="the event that states the current version"),
    Column("version", Numeric, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("external_id", Text, nullable=False),
    comment="The current version of each revised object: greatest (version, occurred_at, id).",
)
