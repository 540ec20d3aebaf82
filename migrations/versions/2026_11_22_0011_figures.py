"""Figures: what the metrics keep beside."""

from __future__ import annotations

revision = "0011_figures"
down_revision = "0010_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
