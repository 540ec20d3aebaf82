"""Terms, annotations and alerts of metrics; the device of a press; indexes for cases, devices and orders.

Revision: 0005_metrics, after 0004_webhooks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_metrics"
down_revision = "0004_webhooks"
branch_labels = None
depends_on = None

TABLES = ("metric_terms", "metric_annotations", "metric_alerts", "metric_alert_states")


def upgrade() -> None:
    op.create_table(
        "metric_terms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version", name=op.f("pk_metric_terms")),
        comment="What numbers depend on besides data: k of the silent, thresholds; a version never changes.",
    )
    op.create_table(
        "metric_annotations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True, comment="null: lasts"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "breaks_series", sa.Boolean(), nullable=False, comment="nothing is compared across its ends"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_metric_annotations")),
        comment="What happened to a tenant that its numbers cannot tell: a crisis, a new wording, a move.",
    )
    op.create_table(
        "metric_alerts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "evaluated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null: not yet, since it was written",
        ),
        sa.Column("problem", sa.Text(), nullable=True, comment="why the last evaluation failed"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_metric_alerts")),
        comment="Rules by which the worker watches metrics.",
    )
    op.create_table(
        "metric_alert_states",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="the group that the rule watches, as JSON"),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finding", postgresql.JSONB(), nullable=False, comment="what was announced"),
        sa.PrimaryKeyConstraint("tenant_id", "alert", "unit", name=op.f("pk_metric_alert_states")),
        comment="Alerts that are raised; a row is the memory that keeps them from being told twice.",
    )
    op.secure_table("metric_terms", "tenant")
    op.secure_table("metric_annotations", "tenant")
    op.secure_table("metric_alerts", "tenant")
    op.secure_table("metric_alert_states", "tenant")
    op.add_column(
        "feedback",
        sa.Column(
            "device",
            sa.Text(),
            nullable=True,
            comment="the terminal that was pressed; its presses under 15 s apart are one",
        ),
    )
    op.create_index(
        "ix_feedback_device",
        "feedback",
        ["tenant_id", "device", "occurred_at"],
        postgresql_where=sa.text("device is not null"),
    )
    op.create_index(
        "ix_feedback_case",
        "feedback",
        ["tenant_id", "subject_id"],
        postgresql_where=sa.text("subject_kind = 'case' and seq_to is null"),
    )
    op.create_index(
        "ix_events_orders",
        "events",
        ["tenant_id", "subject_id"],
        postgresql_where=sa.text("subject_kind = 'order'"),
    )


def downgrade() -> None:
    op.drop_index("ix_events_orders", table_name="events")
    op.drop_index("ix_feedback_case", table_name="feedback")
    op.drop_index("ix_feedback_device", table_name="feedback")
    op.drop_column("feedback", "device")
    for table in reversed(TABLES):
        op.drop_table(table)
