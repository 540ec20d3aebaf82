"""Extend the schema: bi.

Revision: 0006_bi, after 0005_metrics.
"""

from __future__ import annotations

revision = "0006_bi"
down_revision = "0005_metrics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
