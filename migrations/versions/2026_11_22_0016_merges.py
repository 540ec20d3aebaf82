"""Merges: facts follow the survivor.

Revision: 0016_merges, after 0015_firing.
"""

from __future__ import annotations

revision = "0016_merges"
down_revision = "0015_firing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
