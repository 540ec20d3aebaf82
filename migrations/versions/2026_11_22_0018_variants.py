"""Variants: more of the method.

Revision: 0018_variants, after 0017_views.
"""

from __future__ import annotations

revision = "0018_variants"
down_revision = "0017_views"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
