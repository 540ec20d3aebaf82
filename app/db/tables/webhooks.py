"""Webhooks out: endpoints and their secrets, what is queued for them, and what came of each attempt."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.kinds import local_table

_BUSY = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0}

endpoints = local_table(
    "endpoints",
    Column("endpoint_id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text),
    Column("event_types", ARRAY(Text), nullable=False, comment="exact types, `family.*`, or `*`"),
    Column("sealed_headers", LargeBinary, comment="custom headers as sealed JSON; null: none"),
    Column("header_names", ARRAY(Text), nullable=False),
    Column("version", Integer, nullable=False, comment="moves with every edit: the ETag"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    Column("disabled_reason", Text, comment="operator, gone (410) or failing"),
    Column("failing_since", DateTime(timezone=True), comment="first failure since the last success"),
    Column("last_failure_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, comment="failures in a row"),
    Index("ix_endpoints_tenant_id", "tenant_id", "endpoint_id"),
    worker=True,
    comment="Where a tenant wants its events posted.",
)

endpoint_secrets = local_table(
    "endpoint_secrets",
    Column("secret_id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False, comment="hmac or ed25519"),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False, comment="the master key that sealed it"),
    Column("public_key", Text, comment="what receivers verify Ed25519 signatures with"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), comment="end of the overlap; null: the current secret"),
    Index("ix_endpoint_secrets_endpoint_id", "endpoint_id"),
    worker=True,
    comment="Signing secrets; during an overlap an endpoint has several live ones.",
)

message_bodies = local_table(
    "message_bodies",
    Column("event_id", Uuid, primary_key=True),
    Column("body", LargeBinary, nullable=False, comment="the JSON that is posted, once per event"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_message_bodies_created_at", "created_at"),
    worker=True,
    comment="What is posted: one body for all endpoints of an event.",
)

messages = local_table(
    "messages",
    Column("message_id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(), nullable=False, comment="order in which messages came to be"),
    Column("endpoint_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="position of the event in the tenant's order"),
    Column("type", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False, comment="pending, delivered, exhausted, quarantined or cancelled"),
    Column("attempts", Integer, nullable=False, comment="attempts on record, numbered from 1"),
    Column("last_status", Integer),
    Column("last_failure", Text),
    Column("settled_at", DateTime(timezone=True), comment="when the state became final"),
    Index("ix_messages_sequence", "tenant_id", "sequence", "number"),
    Index("ix_messages_endpoint_id", "endpoint_id", "sequence", "number"),
    Index("ix_messages_created_at", "created_at"),
    worker=True,
    comment="One event for one endpoint; keeps its id for life.",
    postgresql_with={"fillfactor": 80},
)

deliveries = local_table(
    "deliveries",
    Column("delivery_id", Uuid, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("endpoint_id", Uuid, nullable=False),
    Column(
        "due_at", DateTime(timezone=True), nullable=False, comment="next try; while claimed: end of the lease"
    ),
    Column("claim_id", Uuid, comment="fence of the worker that holds the lease"),
    Column("manual", Boolean, nullable=False, comment="a resend or test: one try, its own row"),
    Column("first_try", Boolean, nullable=False),
    Column("tries", SmallInteger, nullable=False, comment="tries of the schedule already made"),
    Column("faults", SmallInteger, nullable=False, comment="attempts spoilt by a fault of ours"),
    Column("losses", SmallInteger, nullable=False, comment="leases that ended without a word"),
    Index("ix_deliveries_queue", "endpoint_id", "first_try", "due_at", postgresql_where="NOT manual"),
    Index("ix_deliveries_manual", "due_at", postgresql_where="manual"),
    Index("ix_deliveries_message_id", "message_id"),
    worker=True,
    comment="The queue: what is still to be sent; rows leave it when their message is settled.",
    postgresql_with=_BUSY,
)

attempts = local_table(
    "attempts",
    Column("attempted_at", DateTime(timezone=True), primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False, comment="delivered, failed, internal or unknown"),
    Column("failure", Text, comment="class of the failure"),
    Column("status", Integer),
    Column("manual", Boolean, nullable=False),
    Column("duration_ms", Integer),
    Column("detail", Text),
    Column("reply_bytes", Integer),
    Column("reply_sha256", LargeBinary),
    Column("reply_excerpt", Text, comment="at most 1,000 printable letters"),
    Column("next_at", DateTime(timezone=True), comment="when the next try was planned for"),
    Index("ix_attempts_message_id", "message_id", "number"),
    worker=True,
    comment="Every HTTP try, append-only.",
    postgresql_partition_by="RANGE (attempted_at)",
)

notices = local_table(
    "notices",
    Column("notice_id", Uuid, primary_key=True),
    Column(
        "type", Text, nullable=False, comment="endpoint.disabled, endpoint.recovered or message.exhausted"
    ),
    Column("endpoint_id", Uuid, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
    Index("ix_notices_tenant_id", "tenant_id"),
    worker=True,
    comment="Operational events on their way into the tenant's order and the outbox.",
)
