"""Announcing: what waits for its fan-out is JSON as it was written, for it is only handed on.

Revision: 0018_announcing, after 0017_turns.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_announcing"
down_revision = "0017_turns"
branch_labels = None
depends_on = None

_PARSED = postgresql.JSONB(astext_type=sa.Text())
_WRITTEN = postgresql.JSON(astext_type=sa.Text())


def upgrade() -> None:
    op.alter_column("outbox", "data", type_=_WRITTEN, existing_type=_PARSED, existing_nullable=False)


def downgrade() -> None:
    op.alter_column(
        "outbox",
        "data",
        type_=_PARSED,
        existing_type=_WRITTEN,
        existing_nullable=False,
        postgresql_using="data::jsonb",
    )
