"""Extend the schema: asking.

Revision: 0008_asking, after 0007_sources.
"""

from __future__ import annotations

revision = "0008_asking"
down_revision = "0007_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
