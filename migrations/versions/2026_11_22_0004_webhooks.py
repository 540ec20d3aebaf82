"""Extend the schema: webhooks.

Revision: 0004_webhooks, after 0003_cases.
"""

from __future__ import annotations

revision = "0004_webhooks"
down_revision = "0003_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
