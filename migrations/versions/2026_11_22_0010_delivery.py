"""Delivery: what ordered endpoints and their messages keep beside."""

from __future__ import annotations

revision = "0010_delivery"
down_revision = "0009_care"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
