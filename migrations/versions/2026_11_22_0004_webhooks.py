"""Filters, throttles, circuit breakers and replays of webhooks.

Revision: 0004_webhooks, after 0003_cases.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_webhooks"
down_revision = "0003_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("replay_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="running, done or cancelled"),
        sa.Column("which", sa.Text(), nullable=False, comment="failed, missing or all"),
        sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages_per_second", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False, comment="found when it was asked for"),
        sa.Column("queued", sa.Integer(), nullable=False, comment="queued again so far"),
        sa.Column("passed_over", sa.Integer(), nullable=False, comment="found, but waiting already or gone"),
        sa.Column(
            "at_sequence", sa.BigInteger(), nullable=False, comment="where it stands: the last one looked at"
        ),
        sa.Column("at_number", sa.BigInteger(), nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="when it queues the next batch"
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("replay_id", name=op.f("pk_replays")),
        comment="Jobs that queue a range of messages again, a batch at a time.",
    )
    op.secure_table("replays", "local", worker=True)
    op.create_index(
        "ix_replays_due_at", "replays", ["due_at"], unique=False, postgresql_where="state = 'running'"
    )
    op.create_index("ix_replays_tenant_id", "replays", ["tenant_id", "replay_id"], unique=False)
    op.create_index(
        "uq_replays_endpoint_id",
        "replays",
        ["endpoint_id"],
        unique=True,
        postgresql_where="state = 'running'",
    )
    op.add_column("attempts", sa.Column("url", sa.Text(), nullable=True, comment="where it was posted to"))
    op.add_column(
        "attempts",
        sa.Column("signature", sa.Text(), nullable=True, comment="the `webhook-signature` that was sent"),
    )
    op.add_column(
        "deliveries", sa.Column("replay_id", sa.Uuid(), nullable=True, comment="the replay that queued it")
    )
    op.create_index(
        "ix_deliveries_replay_id",
        "deliveries",
        ["replay_id"],
        unique=False,
        postgresql_where="replay_id IS NOT NULL",
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "filter",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="condition on what is posted; null: all",
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column("payload", sa.Text(), server_default="full", nullable=False, comment="full or thin"),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "format", sa.Text(), server_default="standard", nullable=False, comment="standard or cloudevents"
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "deadline_ms", sa.Integer(), nullable=True, comment="of one whole attempt; null: the service's"
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "retry_delays_seconds",
            postgresql.ARRAY(sa.Integer()),
            nullable=True,
            comment="own schedule; null: the service's",
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "concurrency",
            sa.SmallInteger(),
            nullable=True,
            comment="most attempts at once, of all workers; null: theirs",
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column("throttle_messages", sa.Integer(), nullable=True, comment="at most so many ..."),
    )
    op.add_column(
        "endpoints",
        sa.Column("throttle_seconds", sa.Integer(), nullable=True, comment="... in so many seconds"),
    )
    op.add_column(
        "endpoints",
        sa.Column("tokens", sa.Double(), nullable=True, comment="what the throttle had left at `tokens_at`"),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "tokens_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="last claim under a throttle, limit or probe",
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "open_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="left alone until then, then asked by one probe",
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "warned_percent",
            sa.SmallInteger(),
            nullable=True,
            comment="the latest warning of this run of failures",
        ),
    )
    op.alter_column(
        "endpoints",
        "disabled_reason",
        existing_type=sa.TEXT(),
        comment="operator, gone (410), asked (by the receiver) or failing",
        existing_comment="operator, gone (410) or failing",
        existing_nullable=True,
    )
    op.add_column(
        "message_bodies",
        sa.Column("type", sa.Text(), nullable=True, comment="null: written before replays were"),
    )
    op.add_column("message_bodies", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.add_column("message_bodies", sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_message_bodies_sequence", "message_bodies", ["tenant_id", "sequence"], unique=False)
    op.add_column(
        "messages",
        sa.Column(
            "given_up_at", sa.DateTime(timezone=True), nullable=True, comment="when it ended undelivered"
        ),
    )
    op.add_column(
        "messages",
        sa.Column("replay_id", sa.Uuid(), nullable=True, comment="the latest replay that queued it again"),
    )
    op.add_column(
        "messages", sa.Column("payload", sa.Text(), nullable=True, comment="full or thin; null: full")
    )
    op.add_column(
        "messages",
        sa.Column("format", sa.Text(), nullable=True, comment="standard or cloudevents; null: standard"),
    )
    # the owner is under row-level security too: for once it has to see the rows of all tenants
    op.execute("ALTER TABLE messages NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE messages SET given_up_at = settled_at "
        "WHERE state IN ('exhausted', 'quarantined', 'cancelled')"
    )
    op.execute("ALTER TABLE messages FORCE ROW LEVEL SECURITY")
    op.create_index(
        "ix_messages_given_up",
        "messages",
        ["tenant_id", "sequence", "number"],
        unique=False,
        postgresql_where="given_up_at IS NOT NULL",
    )
    op.create_index(
        "ix_messages_replay_id",
        "messages",
        ["replay_id"],
        unique=False,
        postgresql_where="replay_id IS NOT NULL",
    )
    op.alter_column(
        "notices",
        "type",
        existing_type=sa.TEXT(),
        comment="an operational type of the catalogue",
        existing_comment="endpoint.disabled, endpoint.recovered or message.exhausted",
        existing_nullable=False,
    )
    op.create_index("ix_outbox_tenant_id", "outbox", ["tenant_id", "outbox_id"], unique=False)
    for table in ("messages", "message_bodies"):  # only retention asks by age: a block range is enough
        op.drop_index(f"ix_{table}_created_at", table_name=table)
        op.create_index(f"ix_{table}_created_at", table, ["created_at"], postgresql_using="brin")


def downgrade() -> None:
    for table in ("messages", "message_bodies"):
        op.drop_index(f"ix_{table}_created_at", table_name=table)
        op.create_index(f"ix_{table}_created_at", table, ["created_at"])
    op.drop_index("ix_outbox_tenant_id", table_name="outbox")
    op.alter_column(
        "notices",
        "type",
        existing_type=sa.TEXT(),
        comment="endpoint.disabled, endpoint.recovered or message.exhausted",
        existing_comment="an operational type of the catalogue",
        existing_nullable=False,
    )
    op.drop_index("ix_messages_replay_id", table_name="messages", postgresql_where="replay_id IS NOT NULL")
    op.drop_index("ix_messages_given_up", table_name="messages", postgresql_where="given_up_at IS NOT NULL")
    op.drop_column("messages", "format")
    op.drop_column("messages", "payload")
    op.drop_column("messages", "replay_id")
    op.drop_column("messages", "given_up_at")
    op.drop_index("ix_message_bodies_sequence", table_name="message_bodies")
    op.drop_column("message_bodies", "occurred_at")
    op.drop_column("message_bodies", "sequence")
    op.drop_column("message_bodies", "type")
    op.alter_column(
        "endpoints",
        "disabled_reason",
        existing_type=sa.TEXT(),
        comment="operator, gone (410) or failing",
        existing_comment="operator, gone (410), asked (by the receiver) or failing",
        existing_nullable=True,
    )
    op.drop_column("endpoints", "warned_percent")
    op.drop_column("endpoints", "open_until")
    op.drop_column("endpoints", "tokens_at")
    op.drop_column("endpoints", "tokens")
    op.drop_column("endpoints", "throttle_seconds")
    op.drop_column("endpoints", "throttle_messages")
    op.drop_column("endpoints", "concurrency")
    op.drop_column("endpoints", "retry_delays_seconds")
    op.drop_column("endpoints", "deadline_ms")
    op.drop_column("endpoints", "format")
    op.drop_column("endpoints", "payload")
    op.drop_column("endpoints", "filter")
    op.drop_index(
        "ix_deliveries_replay_id", table_name="deliveries", postgresql_where="replay_id IS NOT NULL"
    )
    op.drop_column("deliveries", "replay_id")
    op.drop_column("attempts", "signature")
    op.drop_column("attempts", "url")
    op.drop_index("uq_replays_endpoint_id", table_name="replays", postgresql_where="state = 'running'")
    op.drop_index("ix_replays_tenant_id", table_name="replays")
    op.drop_index("ix_replays_due_at", table_name="replays", postgresql_where="state = 'running'")
    op.drop_table("replays")
