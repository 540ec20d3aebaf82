"""Extend the schema: sla.

Revision: 0002_sla, after 0001_schema.
"""

from __future__ import annotations

revision = "0002_sla"
down_revision = "0001_schema"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
