"""Sources and asking: the decision log says in which zone it judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_asking"
down_revision = "0011_figures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that may be empty: what was decided before says no zone."""
    op.add_column(
        "ask_decisions", sa.Column("time_zone", sa.Text(), comment="whose quiet hours were looked at")
    )


def downgrade() -> None:
    """Without it."""
    op.drop_column("ask_decisions", "time_zone")
