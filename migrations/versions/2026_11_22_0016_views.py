"""Views: every metric by SQL; deadlines known by their day are judged as the service judges them.

Revision: 0016_views, after 0015_merges.
"""

from __future__ import annotations

from alembic import op

from migrations.bi.every import show_as_before, show_every_metric

revision = "0016_views"
down_revision = "0015_merges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    show_every_metric(op)  # type: ignore[arg-type]


def downgrade() -> None:
    show_as_before(op)  # type: ignore[arg-type]
