"""Complaint care: what the cases and the clock keep beside."""

from __future__ import annotations

revision = "0009_care"
down_revision = "0008_asking"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
