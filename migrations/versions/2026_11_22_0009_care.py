"""Extend the schema: complaint care.

Revision: 0009_care, after 0008_asking.
"""

from __future__ import annotations

from alembic import op

revision = "0009_care"
down_revision = "0008_asking"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_compensations_offered", "compensations", ["tenant_id", "employee", "offered_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_compensations_offered", table_name="compensations")
