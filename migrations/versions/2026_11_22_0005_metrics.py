"""Extend the schema: metrics.

Revision: 0005_metrics, after 0004_webhooks.
"""

from __future__ import annotations

revision = "0005_metrics"
down_revision = "0004_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
