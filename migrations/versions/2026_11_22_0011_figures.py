"""Figures: cuboids that a tenant declares, how far each is folded, their counts; displayed ratings found.

Revision: 0011_figures, after 0010_delivery.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.bi.figures import narrow_metric_daily, widen_metric_daily

revision = "0011_figures"
down_revision = "0010_delivery"
branch_labels = None
depends_on = None

TABLES = ("declared_cuboids", "declared_folds", "declared_counts")
_KEY = (
    "cuboid",
    "bucket",
    "d0",
    "d1",
    "d2",
    "question",
    "measure",
    "scale_id",
    "scale_version",
    "collection_mode",
)
_COUNTERS = (*(f"v{slot}" for slot in range(11)), "unknown", "silent", "items", "complaints")
_TYPES = {"bucket": sa.Date(), "scale_version": sa.SmallInteger()}


def upgrade() -> None:
    op.create_table(
        "declared_cuboids",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "dimensions",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="what its days are kept apart by",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_declared_cuboids")),
        comment="Combinations that a tenant asks for often: counted ahead by the worker, by local day.",
    )
    op.create_table(
        "declared_folds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("cuboid", sa.Text(), nullable=False),
        sa.Column(
            "dimensions",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="what the counts are kept apart by",
        ),
        sa.Column(
            "folded_seq", sa.BigInteger(), nullable=False, comment="commits up to here are in the counts"
        ),
        sa.Column("time_zone", sa.Text(), nullable=False, comment="zone whose days are counted"),
        sa.Column(
            "relational",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="questions that count once per customer",
        ),
        sa.Column("folded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "problem", sa.Text(), nullable=True, comment="why it cannot be folded; it is not read then"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "cuboid", name=op.f("pk_declared_folds")),
        comment="How far the declared cuboids reach; derived, may be emptied.",
    )
    op.create_table(
        "declared_counts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, _TYPES.get(name, sa.Text()), nullable=False) for name in _KEY),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTERS),
        sa.PrimaryKeyConstraint("tenant_id", *_KEY, name=op.f("pk_declared_counts")),
        comment="Answers of the declared cuboids counted by day; derived, may be refolded.",
    )
    op.create_index(
        "ix_events_displayed",
        "events",
        ["tenant_id", "occurred_at"],
        postgresql_where=sa.text("type = 'rating.displayed'"),
    )
    op.secure_table("declared_cuboids", "tenant")
    op.secure_table("declared_folds", "tenant")
    op.secure_table("declared_counts", "tenant")
    widen_metric_daily(op)  # type: ignore[arg-type]


def downgrade() -> None:
    narrow_metric_daily(op)  # type: ignore[arg-type]
    op.drop_index("ix_events_displayed", table_name="events")
    for table in reversed(TABLES):
        op.drop_table(table)
