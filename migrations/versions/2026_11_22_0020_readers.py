"""Readers: the views tell the variants of metrics, and whose facts are whose after a merge.

Revision: 0020_readers, after 0019_question.
"""

from __future__ import annotations

revision = "0020_readers"
down_revision = "0019_question"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
