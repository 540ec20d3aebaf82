"""Question: new questions asked faster.

Revision: 0019_question, after 0018_variants.
"""

from __future__ import annotations

revision = "0019_question"
down_revision = "0018_variants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
