"""Versions of mappings, pull sources, and what became of a raw payload.

Revision: 0007_sources, after 0006_bi.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_sources"
down_revision = "0006_bi"
branch_labels = None
depends_on = None

_JSONB = postgresql.JSONB(astext_type=sa.Text())
_STATES = "adapted, ignored, quarantined or dismissed"


def upgrade() -> None:
    op.create_table(
        "source_mappings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", _JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "source", "version", name=op.f("pk_source_mappings")),
        comment="Every mapping document that a source has had; a raw payload names the one that read it.",
    )
    op.secure_table("source_mappings", "tenant")
    op.create_table(
        "source_pulls",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pull_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, comment="when it is asked again"),
        sa.Column(
            "claim_id",
            sa.Uuid(),
            nullable=True,
            comment="fence of the puller that asks now; next_at is its lease",
        ),
        sa.Column("cursor", _JSONB, nullable=True, comment="where the last pull ended"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pull_id", name=op.f("pk_source_pulls")),
        sa.UniqueConstraint("tenant_id", "source", name=op.f("uq_source_pulls_tenant_id_source")),
        comment="Sources that are asked, and when the next time is.",
    )
    op.secure_table("source_pulls", "local", worker=True)
    op.create_index("ix_source_pulls_next_at", "source_pulls", ["next_at"], unique=False)
    _add_columns()
    op.create_index("ix_raw_payloads_raw_id", "raw_payloads", ["tenant_id", "raw_id"], unique=False)
    op.create_index(
        "ix_raw_payloads_source", "raw_payloads", ["tenant_id", "source", "received_at"], unique=False
    )


def _add_columns() -> None:
    op.add_column(
        "sources",
        sa.Column("mapping_version", sa.Integer(), nullable=True, comment="its number in source_mappings"),
    )
    op.add_column(
        "sources",
        sa.Column("pull", _JSONB, nullable=True, comment="what a puller asks for, and how often"),
    )
    op.add_column(
        "sources",
        sa.Column(
            "sealed_credentials", _JSONB, nullable=True, comment="what a puller proves itself with, sealed"
        ),
    )
    op.add_column(
        "raw_payloads",
        sa.Column(
            "mended_body",
            sa.LargeBinary(),
            nullable=True,
            comment="what it was replayed as, when a person mended it",
        ),
    )
    op.add_column(
        "raw_payloads",
        sa.Column(
            "event_ids",
            _JSONB,
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="events of the journal that stand for it: what reprocess may replace",
        ),
    )
    op.add_column(
        "raw_payloads",
        sa.Column(
            "retracted_ids",
            _JSONB,
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="events that it stated once and that were taken back",
        ),
    )
    op.add_column(
        "raw_payloads",
        sa.Column(
            "mapping_version", sa.Integer(), nullable=True, comment="version of the mapping that read it"
        ),
    )
    op.add_column(
        "raw_payloads",
        sa.Column(
            "settled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was replayed or dismissed",
        ),
    )
    op.alter_column("raw_payloads", "state", comment=_STATES)


def downgrade() -> None:
    op.alter_column("raw_payloads", "state", comment="adapted, ignored or quarantined")
    op.drop_index("ix_raw_payloads_source", table_name="raw_payloads")
    op.drop_index("ix_raw_payloads_raw_id", table_name="raw_payloads")
    for column in ("settled_at", "mapping_version", "retracted_ids", "event_ids", "mended_body"):
        op.drop_column("raw_payloads", column)
    for column in ("sealed_credentials", "pull", "mapping_version"):
        op.drop_column("sources", column)
    op.drop_table("source_pulls")
    op.drop_table("source_mappings")
