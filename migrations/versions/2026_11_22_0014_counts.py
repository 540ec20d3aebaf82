"""Counts: `metric_daily` counts complaints by case, and its ratios add up over places.

Revision: 0014_counts, after 0013_door.
"""

from __future__ import annotations

from alembic import op

from migrations.bi.complaints import CASES_COMPLAINED_OF
from migrations.bi.figures import MORE_METRICS_DAILY

revision = "0014_counts"
down_revision = "0013_door"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(CASES_COMPLAINED_OF.replacement)


def downgrade() -> None:
    op.execute(MORE_METRICS_DAILY.replacement)
