"""Sources and asking: what they keep beside."""

from __future__ import annotations

revision = "0012_asking"
down_revision = "0011_figures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
