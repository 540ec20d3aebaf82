"""Views: every metric by SQL.

Revision: 0017_views, after 0016_merges.
"""

from __future__ import annotations

revision = "0017_views"
down_revision = "0016_merges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
