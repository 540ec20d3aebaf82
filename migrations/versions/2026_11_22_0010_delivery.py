"""Delivery: order of messages, handshakes, messages by subject, days of their own, erasure in flight."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_delivery"
down_revision = "0009_care"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("order_key", sa.Text(), nullable=True, comment="what it must not overtake; null: anything"),
    )
    op.add_column(
        "deliveries",
        sa.Column(
            "order_sequence", sa.BigInteger(), nullable=True, comment="its place behind others of the key"
        ),
    )
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["endpoint_id", "order_key", "order_sequence"],
        unique=False,
        postgresql_where="order_key IS NOT NULL AND due_at = 'infinity'",
    )
    op.create_index(
        "uq_deliveries_order",
        "deliveries",
        ["endpoint_id", "order_key"],
        unique=True,
        postgresql_where="order_key IS NOT NULL AND due_at < 'infinity'",
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "ordering", sa.Text(), server_default="none", nullable=False, comment="none, subject or endpoint"
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column(
            "handshake",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="the latest CloudEvents handshake; null: none",
        ),
    )
    op.add_column(
        "messages",
        sa.Column(
            "subject",
            sa.Text(),
            nullable=True,
            comment="public id of the case or subject that the event is about",
        ),
    )
    op.add_column(
        "messages",
        sa.Column(
            "redacted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when an erasure took a person out of it",
        ),
    )
    op.create_index(
        "ix_messages_subject",
        "messages",
        ["tenant_id", "subject", "sequence", "number"],
        unique=False,
        postgresql_where="subject IS NOT NULL",
    )
    op.add_column(
        "retention_rules",
        sa.Column(
            "message_days",
            sa.Integer(),
            nullable=True,
            comment="webhook messages and attempts; null: as `text_days`",
        ),
    )


def downgrade() -> None:
    op.drop_column("retention_rules", "message_days")
    op.drop_index("ix_messages_subject", table_name="messages", postgresql_where="subject IS NOT NULL")
    op.drop_column("messages", "redacted_at")
    op.drop_column("messages", "subject")
    op.drop_column("endpoints", "handshake")
    op.drop_column("endpoints", "ordering")
    op.drop_index(
        "uq_deliveries_order",
        table_name="deliveries",
        postgresql_where="order_key IS NOT NULL AND due_at < 'infinity'",
    )
    op.drop_index(
        "ix_deliveries_held",
        table_name="deliveries",
        postgresql_where="order_key IS NOT NULL AND due_at = 'infinity'",
    )
    op.drop_column("deliveries", "order_sequence")
    op.drop_column("deliveries", "order_key")
