"""Firing: what is to be said is made ready before its time.

Revision: 0015_firing, after 0014_counts.
"""

from __future__ import annotations

revision = "0015_firing"
down_revision = "0014_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
