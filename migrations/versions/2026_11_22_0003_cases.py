"""Extend the schema: cases.

Revision: 0003_cases, after 0002_sla.
"""

from __future__ import annotations

revision = "0003_cases"
down_revision = "0002_sla"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
