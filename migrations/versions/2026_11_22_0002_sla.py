"""Extend the schema: sla.

Revision: 0002_sla, after 0001_schema.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_sla"
down_revision = "0001_schema"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sla_recomputations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("recomputation_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "opened_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="what opened earlier is frozen",
        ),
        sa.Column("opened_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=True, comment="null: the version that bound each subject"),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column(
            "calendars_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="calendars as they stood then",
        ),
        sa.Column("cursor", sa.Uuid(), nullable=True, comment="the last subject that is done"),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="subjects looked at, verdicts that changed",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "recomputation_id", name=op.f("pk_sla_recomputations")),
        comment="Corrections of versions: what opened in a period counts by other ones; never rebuilt.",
    )
    op.secure_table("sla_recomputations", "tenant")
    op.add_column(
        "sla_timers",
        sa.Column(
            "breaches_after",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="due_at, or the end of the due day where the start is known by its day",
        ),
    )
    # Rows of before have none until their subject is touched or rebuilt; readers take due_at for it.
    op.create_index(
        "ix_cases_merged",
        "cases",
        ["tenant_id", "merged_into"],
        unique=False,
        postgresql_where="merged_into is not null",
    )


def downgrade() -> None:
    op.drop_index("ix_cases_merged", table_name="cases", postgresql_where="merged_into is not null")
    op.drop_column("sla_timers", "breaches_after")
    op.drop_table("sla_recomputations")
