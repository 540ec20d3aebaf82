"""Extend the schema: views for reports, saved queries and their feeds.

Revision: 0006_bi, after 0005_metrics.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import security  # noqa: F401 - registers op.secure_table
from migrations.bi.schema import create_bi, drop_bi

revision = "0006_bi"
down_revision = "0005_metrics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "query_feeds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False, comment="key of the saved query"),
        sa.Column("name", sa.Text(), nullable=False, comment="who reads it, in the words of its maker"),
        sa.Column(
            "reads_rows",
            sa.Boolean(),
            nullable=False,
            comment="true: shows what small groups are made of, as its maker might see it",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "feed_id", name=op.f("pk_query_feeds")),
        comment="Signed URLs of saved queries; the signature is never stored.",
    )
    op.secure_table("query_feeds", "tenant")
    op.create_index("ix_query_feeds_query", "query_feeds", ["tenant_id", "query"], unique=False)
    op.create_table(
        "saved_queries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="its place in the URL, for ever"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "document",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the query as it was sent: relative periods stay so",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_saved_queries")),
        comment="Metric queries with a name and a stable URL.",
    )
    op.secure_table("saved_queries", "tenant")
    create_bi(op)


def downgrade() -> None:
    drop_bi(op)
    op.drop_table("saved_queries")
    op.drop_index("ix_query_feeds_query", table_name="query_feeds")
    op.drop_table("query_feeds")
