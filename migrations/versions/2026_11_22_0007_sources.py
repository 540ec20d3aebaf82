"""Extend the schema: sources.

Revision: 0007_sources, after 0006_bi.
"""

from __future__ import annotations

revision = "0007_sources"
down_revision = "0006_bi"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
