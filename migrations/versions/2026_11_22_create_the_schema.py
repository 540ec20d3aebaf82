"""Create the whole schema of the first release.

Revision: 0001_schema, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.security import create_lookups, create_partitions, create_roles, drop_lookups

revision = "0001_schema"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_roles(op)
    op.create_table(
        "announcements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("timer", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it became true (a breach: its due time)",
        ),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "provisional",
            sa.Boolean(),
            nullable=False,
            comment="a breach that a slow source may still refute",
        ),
        sa.Column("quiet", sa.Boolean(), nullable=False, comment="decided and counted, but sent to nobody"),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "subject_id",
            "timer",
            "cycle",
            "kind",
            "level",
            "revision",
            name=op.f("pk_announcements"),
        ),
        comment="What was decided about a timer, each exactly once; never rebuilt.",
    )
    op.secure_table("announcements", "tenant")
    op.create_index(
        "ix_announcements_told", "announcements", ["tenant_id", "announced_at", "event_id"], unique=False
    )
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the whole key"),
        sa.Column(
            "hint", sa.Text(), nullable=False, comment="prefix and last four letters, to tell keys apart"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        comment="API keys; the key itself is shown once and never stored.",
    )
    op.secure_table("api_keys", "local")
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="delivered, failed, internal or unknown"),
        sa.Column("failure", sa.Text(), nullable=True, comment="class of the failure"),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("manual", sa.Boolean(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("reply_bytes", sa.Integer(), nullable=True),
        sa.Column("reply_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("reply_excerpt", sa.Text(), nullable=True, comment="at most 1,000 printable letters"),
        sa.Column(
            "next_at", sa.DateTime(timezone=True), nullable=True, comment="when the next try was planned for"
        ),
        sa.PrimaryKeyConstraint("attempted_at", "message_id", "number", name=op.f("pk_attempts")),
        comment="Every HTTP try, append-only.",
        postgresql_partition_by="RANGE (attempted_at)",
    )
    op.secure_table("attempts", "local", worker=True)
    op.create_index("ix_attempts_message_id", "attempts", ["message_id", "number"], unique=False)
    op.create_table(
        "attributes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="text, number or boolean"),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("personal", sa.Boolean(), nullable=False, comment="kept in the personal part of an event"),
        sa.Column("groupable", sa.Boolean(), nullable=False, comment="may be a dimension of a metric query"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_attributes")),
        comment="Custom attributes that queries may filter and group by.",
    )
    op.secure_table("attributes", "tenant")
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="key hint, `operator` or `vidhuk`"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "audit_id", name=op.f("pk_audit")),
        comment="Who changed or erased what, append-only.",
    )
    op.secure_table("audit", "tenant")
    op.create_table(
        "calendars",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f("pk_calendars")),
        comment="Working calendars; a version never changes.",
    )
    op.secure_table("calendars", "tenant")
    op.create_table(
        "cases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False, comment="the subject's id"),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="last commit that touched the case: its ETag"
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("touchpoint", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("customer_facing", sa.Boolean(), nullable=False),
        sa.Column("initiative", sa.Text(), nullable=False),
        sa.Column("detection", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_response_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remedied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="withdrawn, duplicate, invalid or merged",
        ),
        sa.Column("reopened_count", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("anomalies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("repeat_of", sa.Uuid(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column(
            "quiet_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="what fell due before is not announced",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "case_id", name=op.f("pk_cases")),
        comment="One row per complaint or question, folded from its events.",
    )
    op.secure_table("cases", "tenant")
    op.create_index(
        "ix_cases_customer",
        "cases",
        ["tenant_id", "customer_ref"],
        unique=False,
        postgresql_where="customer_ref is not null",
    )
    op.create_index("ix_cases_opened", "cases", ["tenant_id", "opened_at"], unique=False)
    op.create_index("ix_cases_state", "cases", ["tenant_id", "state", "opened_at"], unique=False)
    op.create_table(
        "cuboid_day_employee",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.Date(), nullable=False),
        sa.Column("employee", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.SmallInteger(), nullable=False),
        sa.Column("collection_mode", sa.Text(), nullable=False),
        sa.Column("v0", sa.Integer(), nullable=False),
        sa.Column("v1", sa.Integer(), nullable=False),
        sa.Column("v2", sa.Integer(), nullable=False),
        sa.Column("v3", sa.Integer(), nullable=False),
        sa.Column("v4", sa.Integer(), nullable=False),
        sa.Column("v5", sa.Integer(), nullable=False),
        sa.Column("v6", sa.Integer(), nullable=False),
        sa.Column("v7", sa.Integer(), nullable=False),
        sa.Column("v8", sa.Integer(), nullable=False),
        sa.Column("v9", sa.Integer(), nullable=False),
        sa.Column("v10", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "bucket",
            "employee",
            "question",
            "measure",
            "scale_id",
            "scale_version",
            "collection_mode",
            name=op.f("pk_cuboid_day_employee"),
        ),
        comment="Answers counted by day, employee; derived, may be refolded.",
    )
    op.secure_table("cuboid_day_employee", "tenant")
    op.create_table(
        "cuboid_day_location",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.Date(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.SmallInteger(), nullable=False),
        sa.Column("collection_mode", sa.Text(), nullable=False),
        sa.Column("v0", sa.Integer(), nullable=False),
        sa.Column("v1", sa.Integer(), nullable=False),
        sa.Column("v2", sa.Integer(), nullable=False),
        sa.Column("v3", sa.Integer(), nullable=False),
        sa.Column("v4", sa.Integer(), nullable=False),
        sa.Column("v5", sa.Integer(), nullable=False),
        sa.Column("v6", sa.Integer(), nullable=False),
        sa.Column("v7", sa.Integer(), nullable=False),
        sa.Column("v8", sa.Integer(), nullable=False),
        sa.Column("v9", sa.Integer(), nullable=False),
        sa.Column("v10", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "bucket",
            "location",
            "question",
            "measure",
            "scale_id",
            "scale_version",
            "collection_mode",
            name=op.f("pk_cuboid_day_location"),
        ),
        comment="Answers counted by day, location; derived, may be refolded.",
    )
    op.secure_table("cuboid_day_location", "tenant")
    op.create_table(
        "cuboid_day_touchpoint_channel",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.Date(), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.SmallInteger(), nullable=False),
        sa.Column("collection_mode", sa.Text(), nullable=False),
        sa.Column("v0", sa.Integer(), nullable=False),
        sa.Column("v1", sa.Integer(), nullable=False),
        sa.Column("v2", sa.Integer(), nullable=False),
        sa.Column("v3", sa.Integer(), nullable=False),
        sa.Column("v4", sa.Integer(), nullable=False),
        sa.Column("v5", sa.Integer(), nullable=False),
        sa.Column("v6", sa.Integer(), nullable=False),
        sa.Column("v7", sa.Integer(), nullable=False),
        sa.Column("v8", sa.Integer(), nullable=False),
        sa.Column("v9", sa.Integer(), nullable=False),
        sa.Column("v10", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "bucket",
            "touchpoint",
            "channel",
            "question",
            "measure",
            "scale_id",
            "scale_version",
            "collection_mode",
            name=op.f("pk_cuboid_day_touchpoint_channel"),
        ),
        comment="Answers counted by day, touchpoint and channel; derived, may be refolded.",
    )
    op.secure_table("cuboid_day_touchpoint_channel", "tenant")
    op.create_table(
        "cuboid_hour_touchpoint_channel",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.SmallInteger(), nullable=False),
        sa.Column("collection_mode", sa.Text(), nullable=False),
        sa.Column("v0", sa.Integer(), nullable=False),
        sa.Column("v1", sa.Integer(), nullable=False),
        sa.Column("v2", sa.Integer(), nullable=False),
        sa.Column("v3", sa.Integer(), nullable=False),
        sa.Column("v4", sa.Integer(), nullable=False),
        sa.Column("v5", sa.Integer(), nullable=False),
        sa.Column("v6", sa.Integer(), nullable=False),
        sa.Column("v7", sa.Integer(), nullable=False),
        sa.Column("v8", sa.Integer(), nullable=False),
        sa.Column("v9", sa.Integer(), nullable=False),
        sa.Column("v10", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "bucket",
            "touchpoint",
            "channel",
            "question",
            "measure",
            "scale_id",
            "scale_version",
            "collection_mode",
            name=op.f("pk_cuboid_hour_touchpoint_channel"),
        ),
        comment="Answers counted by hour, touchpoint and channel; derived, may be refolded.",
    )
    op.secure_table("cuboid_hour_touchpoint_channel", "tenant")
    op.create_table(
        "deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="next try; while claimed: end of the lease",
        ),
        sa.Column("claim_id", sa.Uuid(), nullable=True, comment="fence of the worker that holds the lease"),
        sa.Column("manual", sa.Boolean(), nullable=False, comment="a resend or test: one try, its own row"),
        sa.Column("first_try", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False, comment="tries of the schedule already made"),
        sa.Column("faults", sa.SmallInteger(), nullable=False, comment="attempts spoilt by a fault of ours"),
        sa.Column("losses", sa.SmallInteger(), nullable=False, comment="leases that ended without a word"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_deliveries")),
        comment="The queue: what is still to be sent; rows leave it when their message is settled.",
        postgresql_with={
            "fillfactor": 70,
            "autovacuum_vacuum_scale_factor": 0.02,
            "autovacuum_vacuum_cost_delay": 0,
        },
    )
    op.secure_table("deliveries", "local", worker=True)
    op.create_index("ix_deliveries_manual", "deliveries", ["due_at"], unique=False, postgresql_where="manual")
    op.create_index("ix_deliveries_message_id", "deliveries", ["message_id"], unique=False)
    op.create_index(
        "ix_deliveries_queue",
        "deliveries",
        ["endpoint_id", "first_try", "due_at"],
        unique=False,
        postgresql_where="NOT manual",
    )
    op.create_table(
        "directory",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="location, employee, touchpoint, source, segment, product",
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "uncategorised", sa.Boolean(), nullable=False, comment="met in an event, not yet described"
        ),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "key", name=op.f("pk_directory")),
        comment="Nouns by key, created at first sight and completed later.",
    )
    op.secure_table("directory", "tenant")
    op.create_table(
        "endpoint_secrets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="hmac or ed25519"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="the master key that sealed it"),
        sa.Column(
            "public_key", sa.Text(), nullable=True, comment="what receivers verify Ed25519 signatures with"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="end of the overlap; null: the current secret",
        ),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_endpoint_secrets")),
        comment="Signing secrets; during an overlap an endpoint has several live ones.",
    )
    op.secure_table("endpoint_secrets", "local", worker=True)
    op.create_index("ix_endpoint_secrets_endpoint_id", "endpoint_secrets", ["endpoint_id"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "event_types",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="exact types, `family.*`, or `*`",
        ),
        sa.Column(
            "sealed_headers",
            sa.LargeBinary(),
            nullable=True,
            comment="custom headers as sealed JSON; null: none",
        ),
        sa.Column("header_names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="moves with every edit: the ETag"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True, comment="operator, gone (410) or failing"),
        sa.Column(
            "failing_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="first failure since the last success",
        ),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, comment="failures in a row"),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoints")),
        comment="Where a tenant wants its events posted.",
    )
    op.secure_table("endpoints", "local", worker=True)
    op.create_index("ix_endpoints_tenant_id", "endpoints", ["tenant_id", "endpoint_id"], unique=False)
    op.create_table(
        "event_personal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "customer_ref", sa.LargeBinary(), nullable=True, comment="keyed hash of the customer's identifier"
        ),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="text and the caller's references",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_event_personal")),
        comment="The personal part of an event: what erasure and retention take.",
    )
    op.secure_table("event_personal", "tenant")
    op.create_index(
        "ix_event_personal_customer",
        "event_personal",
        ["tenant_id", "customer_ref"],
        unique=False,
        postgresql_where="customer_ref is not null",
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="seq * 2^20 + n: order of the tenant's journal",
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "external_id", sa.Text(), nullable=False, comment="the caller's id: names the event for ever"
        ),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(),
            nullable=False,
            comment="HMAC of the content, to tell conflict from repeat",
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("caused_by", sa.Uuid(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("object", sa.Text(), nullable=True, comment="of which thing this event is a state"),
        sa.Column("version", sa.Numeric(), nullable=True),
        sa.Column("fact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("time_raw", sa.Text(), nullable=True),
        sa.Column("day_precision", sa.Boolean(), nullable=False),
        sa.Column("backdated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "tenant_id", "source", "external_id", name=op.f("uq_events_tenant_id_source_external_id")
        ),
        comment="Every business fact, in the order in which it was committed; never updated.",
    )
    op.secure_table("events", "tenant")
    op.create_index("ix_events_event", "events", ["tenant_id", "event_id"], unique=False)
    op.create_index(
        "ix_events_object",
        "events",
        ["tenant_id", "source", "object"],
        unique=False,
        postgresql_where="object is not null",
    )
    op.create_index(
        "ix_events_retractions",
        "events",
        ["tenant_id", sa.literal_column("(fact->>'event_id')")],
        unique=False,
        postgresql_where="type = 'event.retracted'",
    )
    op.create_index(
        "ix_events_subject",
        "events",
        ["tenant_id", "subject_id"],
        unique=False,
        postgresql_where="subject_id is not null",
    )
    op.create_table(
        "feedback",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("feedback_id", sa.Uuid(), nullable=False, comment="one answer, whatever its version"),
        sa.Column(
            "seq_from", sa.BigInteger(), nullable=False, comment="commit from which this version counts"
        ),
        sa.Column(
            "seq_to",
            sa.BigInteger(),
            nullable=True,
            comment="commit from which it counts no more; null: current",
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="joins the personal part (text)"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("answer_index", sa.SmallInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="rating, review, question, complaint, praise, suggestion",
        ),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True, comment="journey stage"),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column(
            "subject_id",
            sa.Uuid(),
            nullable=True,
            comment="case, interaction, survey act or review the answer belongs to",
        ),
        sa.Column(
            "question", sa.Text(), nullable=False, comment="question key; `none` for text without a score"
        ),
        sa.Column(
            "measure", sa.Text(), nullable=False, comment="nps, csat, ces, stars, happiness_only, staff, ..."
        ),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.SmallInteger(), nullable=False),
        sa.Column("raw_value", sa.Text(), nullable=True, comment="the score as it was sent"),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("norm01", sa.Double(), nullable=True),
        sa.Column("class", sa.Text(), nullable=False, comment="positive, neutral, negative, silent, unknown"),
        sa.Column(
            "slot", sa.SmallInteger(), nullable=True, comment="histogram column v0..v10; null without a score"
        ),
        sa.Column(
            "collection_mode", sa.Text(), nullable=False, comment="passive, staff_prompted, invited, scraped"
        ),
        sa.Column("incentivised", sa.Boolean(), nullable=False),
        sa.Column("force_majeure", sa.Text(), nullable=True, comment="claimed or confirmed"),
        sa.Column(
            "qualification", sa.Text(), nullable=True, comment="valid, invalid or unsure, by the expert"
        ),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("lang", sa.Text(), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("verification", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "feedback_id", "seq_from", name=op.f("pk_feedback")),
        comment="One row per answer and version; [seq_from, seq_to) are the commits at which it counts.",
    )
    op.secure_table("feedback", "tenant")
    op.create_index(
        "ix_feedback_current",
        "feedback",
        ["tenant_id", "occurred_at"],
        unique=False,
        postgresql_where="seq_to is null",
    )
    op.create_index(
        "ix_feedback_customer",
        "feedback",
        ["tenant_id", "customer_ref"],
        unique=False,
        postgresql_where="customer_ref is not null",
    )
    op.create_index("ix_feedback_event", "feedback", ["tenant_id", "event_id"], unique=False)
    op.create_index("ix_feedback_seq_from", "feedback", ["tenant_id", "seq_from"], unique=False)
    op.create_index(
        "ix_feedback_seq_to",
        "feedback",
        ["tenant_id", "seq_to"],
        unique=False,
        postgresql_where="seq_to is not null",
    )
    op.create_table(
        "inlets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_inlets")),
        comment="The secret path of a source's webhooks -> tenant and source.",
    )
    op.secure_table("inlets", "local")
    op.create_index("ix_inlets_tenant_id", "inlets", ["tenant_id"], unique=False)
    op.create_table(
        "message_bodies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="the JSON that is posted, once per event"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_message_bodies")),
        comment="What is posted: one body for all endpoints of an event.",
    )
    op.secure_table("message_bodies", "local", worker=True)
    op.create_index("ix_message_bodies_created_at", "message_bodies", ["created_at"], unique=False)
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="order in which messages came to be",
        ),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "sequence", sa.BigInteger(), nullable=False, comment="position of the event in the tenant's order"
        ),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="pending, delivered, exhausted, quarantined or cancelled",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="attempts on record, numbered from 1"),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column(
            "settled_at", sa.DateTime(timezone=True), nullable=True, comment="when the state became final"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
        comment="One event for one endpoint; keeps its id for life.",
        postgresql_with={"fillfactor": 80},
    )
    op.secure_table("messages", "local", worker=True)
    op.create_index("ix_messages_created_at", "messages", ["created_at"], unique=False)
    op.create_index(
        "ix_messages_endpoint_id", "messages", ["endpoint_id", "sequence", "number"], unique=False
    )
    op.create_index("ix_messages_sequence", "messages", ["tenant_id", "sequence", "number"], unique=False)
    op.create_table(
        "metric_folds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "folded_seq", sa.BigInteger(), nullable=False, comment="commits up to here are in the cuboids"
        ),
        sa.Column("time_zone", sa.Text(), nullable=False, comment="zone whose days the day cuboids count"),
        sa.Column(
            "relational",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="questions that count once per customer",
        ),
        sa.Column(
            "hours_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="the hour cuboid is whole from here",
        ),
        sa.Column("folded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_metric_folds")),
        comment="How far the cuboids of a tenant reach; queries add what was committed since.",
    )
    op.secure_table("metric_folds", "tenant")
    op.create_table(
        "notices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column(
            "type",
            sa.Text(),
            nullable=False,
            comment="endpoint.disabled, endpoint.recovered or message.exhausted",
        ),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        comment="Operational events on their way into the tenant's order and the outbox.",
    )
    op.secure_table("notices", "local", worker=True)
    op.create_index("ix_notices_tenant_id", "notices", ["tenant_id"], unique=False)
    op.create_table(
        "object_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="the event that states the current version"),
        sa.Column("version", sa.Numeric(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "source", "object", name=op.f("pk_object_heads")),
        comment="The current version of each revised object: greatest (version, occurred_at, id).",
    )
    op.secure_table("object_heads", "tenant")
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            nullable=False,
            comment="position of the event in the tenant's journal",
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
        comment="Announcements not yet fanned out to endpoints; rows are deleted when they are.",
    )
    op.secure_table("outbox", "local", worker=True)
    op.create_table(
        "policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "effective_from",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="binds what opens from here; null: always",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f("pk_policies")),
        comment="SLA policies; a version never changes.",
    )
    op.secure_table("policies", "tenant")
    op.create_table(
        "questions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False, comment="which metric reads the answers"),
        sa.Column("scale_id", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("wording_version", sa.Integer(), nullable=False),
        sa.Column(
            "relational", sa.Boolean(), nullable=False, comment="one answer per customer and 90 days counts"
        ),
        sa.Column(
            "uncategorised", sa.Boolean(), nullable=False, comment="met in an event, not yet described"
        ),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_questions")),
        comment="What was asked: a metric reads the answers whose question has its measure.",
    )
    op.secure_table("questions", "tenant")
    op.create_table(
        "raw_payloads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="adapted, ignored or quarantined"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "received_at", "raw_id", name=op.f("pk_raw_payloads")),
        comment="What providers sent, as it came; the short-lived place with clear identifiers.",
        postgresql_partition_by="RANGE (received_at)",
    )
    op.secure_table("raw_payloads", "tenant")
    op.create_index(
        "ix_raw_payloads_state", "raw_payloads", ["tenant_id", "state", "received_at"], unique=False
    )
    op.create_table(
        "sla_due",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_sla_due")),
        comment="When the clock of a subject must be read again; an index, mended by the sweep.",
    )
    op.secure_table("sla_due", "local", worker=True)
    op.create_index("ix_sla_due_next_at", "sla_due", ["next_at"], unique=False)
    op.create_table(
        "sla_timers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("timer", sa.Text(), nullable=False),
        sa.Column(
            "cycle", sa.Uuid(), nullable=False, comment="id of the event that started this run of the timer"
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("clock_kind", sa.Text(), nullable=False, comment="internal or statutory"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="as of the last evaluation; due_at and stopped_at decide",
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_seconds", sa.Double(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("touchpoint", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("anomalies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject_id", "timer", "cycle", name=op.f("pk_sla_timers")),
        comment="One row per timer and cycle: the reading of the clock at the last event or firing.",
    )
    op.secure_table("sla_timers", "tenant")
    op.create_index("ix_sla_timers_due", "sla_timers", ["tenant_id", "due_at"], unique=False)
    op.create_index("ix_sla_timers_started", "sla_timers", ["tenant_id", "started_at"], unique=False)
    op.create_table(
        "sources",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("adapter", sa.Text(), nullable=True, comment="null: posts canonical events"),
        sa.Column("verification", sa.Text(), nullable=False, comment="signature family of its webhooks"),
        sa.Column(
            "sealed_secrets",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="at most two live secrets, sealed",
        ),
        sa.Column("time_zone", sa.Text(), nullable=True, comment="zone of naive times"),
        sa.Column("defaults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "mapping",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="mapping document of the mapping adapter",
        ),
        sa.Column(
            "handles_cases",
            sa.Boolean(),
            nullable=False,
            comment="its case events decide whether a breach is final",
        ),
        sa.Column("grace_seconds", sa.Integer(), nullable=False),
        sa.Column("expected_every_seconds", sa.Integer(), nullable=True),
        sa.Column("backdate_bound_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_sources")),
        comment="Who sends: a CRM, a chat, a review site.",
    )
    op.secure_table("sources", "tenant")
    op.create_table(
        "subject_aliases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False, comment="a reference by which callers know the subject"),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "ref", name=op.f("pk_subject_aliases")),
        comment="Many references, one subject.",
    )
    op.secure_table("subject_aliases", "tenant")
    op.create_index(
        "ix_subject_aliases_subject", "subject_aliases", ["tenant_id", "subject_id"], unique=False
    )
    op.create_table(
        "subjects",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "subject_id", name=op.f("pk_subjects")),
        comment="What events are about: a case, an interaction, an order.",
    )
    op.secure_table("subjects", "tenant")
    op.create_table(
        "tenant_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="number of the last commit, without gaps"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="time of the last commit"
        ),
        sa.Column(
            "config_version",
            sa.BigInteger(),
            nullable=False,
            comment="moves with every change of configuration",
        ),
        sa.Column(
            "rebuilding",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="true: projections are being rebuilt, writers come again",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant_head")),
        comment="The only write lock: one row a tenant, counted up by every commit that appends.",
    )
    op.secure_table("tenant_head", "tenant")
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="short name in URLs of the operator"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False, comment="IANA zone of reports and of days"),
        sa.Column(
            "sealed_secret",
            sa.LargeBinary(),
            nullable=False,
            comment="key of customer references and fingerprints",
        ),
        sa.Column(
            "synthetic", sa.Boolean(), nullable=False, comment="true: demonstration data, not customers"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("key", name=op.f("uq_tenants_key")),
        comment="A customer of the service; every other row belongs to one.",
    )
    op.secure_table("tenants", "reference")
    op.create_table(
        "volumes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seq_from", sa.BigInteger(), nullable=False),
        sa.Column("seq_to", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="visitors, transactions, interactions"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("touchpoint", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "seq_from", name=op.f("pk_volumes")),
        comment="Visitors, transactions and interactions, counted or one by one.",
    )
    op.secure_table("volumes", "tenant")
    op.create_index(
        "ix_volumes_current",
        "volumes",
        ["tenant_id", "occurred_at"],
        unique=False,
        postgresql_where="seq_to is null",
    )
    create_lookups(op)
    create_partitions(op)


def downgrade() -> None:
    drop_lookups(op)
    op.drop_index("ix_volumes_current", table_name="volumes", postgresql_where="seq_to is null")
    op.drop_table("volumes")
    op.drop_table("tenants")
    op.drop_table("tenant_head")
    op.drop_table("subjects")
    op.drop_index("ix_subject_aliases_subject", table_name="subject_aliases")
    op.drop_table("subject_aliases")
    op.drop_table("sources")
    op.drop_index("ix_sla_timers_started", table_name="sla_timers")
    op.drop_index("ix_sla_timers_due", table_name="sla_timers")
    op.drop_table("sla_timers")
    op.drop_index("ix_sla_due_next_at", table_name="sla_due")
    op.drop_table("sla_due")
    op.drop_index("ix_raw_payloads_state", table_name="raw_payloads")
    op.drop_table("raw_payloads")
    op.drop_table("questions")
    op.drop_table("policies")
    op.drop_table("outbox")
    op.drop_table("object_heads")
    op.drop_index("ix_notices_tenant_id", table_name="notices")
    op.drop_table("notices")
    op.drop_table("metric_folds")
    op.drop_index("ix_messages_sequence", table_name="messages")
    op.drop_index("ix_messages_endpoint_id", table_name="messages")
    op.drop_index("ix_messages_created_at", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_message_bodies_created_at", table_name="message_bodies")
    op.drop_table("message_bodies")
    op.drop_index("ix_inlets_tenant_id", table_name="inlets")
    op.drop_table("inlets")
    op.drop_index("ix_feedback_seq_to", table_name="feedback", postgresql_where="seq_to is not null")
    op.drop_index("ix_feedback_seq_from", table_name="feedback")
    op.drop_index("ix_feedback_event", table_name="feedback")
    op.drop_index("ix_feedback_customer", table_name="feedback", postgresql_where="customer_ref is not null")
    op.drop_index("ix_feedback_current", table_name="feedback", postgresql_where="seq_to is null")
    op.drop_table("feedback")
    op.drop_index("ix_events_subject", table_name="events", postgresql_where="subject_id is not null")
    op.drop_index("ix_events_retractions", table_name="events", postgresql_where="type = 'event.retracted'")
    op.drop_index("ix_events_object", table_name="events", postgresql_where="object is not null")
    op.drop_index("ix_events_event", table_name="events")
    op.drop_table("events")
    op.drop_index(
        "ix_event_personal_customer", table_name="event_personal", postgresql_where="customer_ref is not null"
    )
    op.drop_table("event_personal")
    op.drop_index("ix_endpoints_tenant_id", table_name="endpoints")
    op.drop_table("endpoints")
    op.drop_index("ix_endpoint_secrets_endpoint_id", table_name="endpoint_secrets")
    op.drop_table("endpoint_secrets")
    op.drop_table("directory")
    op.drop_index("ix_deliveries_queue", table_name="deliveries", postgresql_where="NOT manual")
    op.drop_index("ix_deliveries_message_id", table_name="deliveries")
    op.drop_index("ix_deliveries_manual", table_name="deliveries", postgresql_where="manual")
    op.drop_table("deliveries")
    op.drop_table("cuboid_hour_touchpoint_channel")
    op.drop_table("cuboid_day_touchpoint_channel")
    op.drop_table("cuboid_day_location")
    op.drop_table("cuboid_day_employee")
    op.drop_index("ix_cases_state", table_name="cases")
    op.drop_index("ix_cases_opened", table_name="cases")
    op.drop_index("ix_cases_customer", table_name="cases", postgresql_where="customer_ref is not null")
    op.drop_table("cases")
    op.drop_table("calendars")
    op.drop_table("audit")
    op.drop_table("attributes")
    op.drop_index("ix_attempts_message_id", table_name="attempts")
    op.drop_table("attempts")
    op.drop_index("ix_api_keys_tenant_id", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index("ix_announcements_told", table_name="announcements")
    op.drop_table("announcements")
