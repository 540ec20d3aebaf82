"""Merges: facts follow the survivor.

Revision: 0015_merges, after 0014_counts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_merges"
down_revision = "0014_counts"
branch_labels = None
depends_on = None

_READ = ("events", "event_personal", "subjects", "subject_aliases", "case_ties")
_TIES = """
INSERT INTO case_ties (tenant_id, case_id, other_id)
SELECT tenant_id, {case}, {other} FROM events
 WHERE type = 'case.merged' AND subject_id IS NOT NULL AND fact->>'into_id' IS NOT NULL
    ON CONFLICT DO NOTHING
"""
# where merges had led a reference to another case, its own one is that of which the first events spoke
_HOMES = """
UPDATE subject_aliases a SET home_id = s.subject_id
  FROM subjects s
  JOIN events e ON e.tenant_id = s.tenant_id AND e.subject_id = s.subject_id
  JOIN event_personal p ON p.tenant_id = e.tenant_id AND p.event_id = e.event_id
 WHERE s.merged_into IS NOT NULL AND a.tenant_id = s.tenant_id AND a.kind = s.kind
   AND p.data->>'subject_ref' = a.ref AND a.subject_id <> s.subject_id
"""


def upgrade() -> None:
    op.add_column(
        "subject_aliases",
        sa.Column(
            "home_id",
            sa.Uuid(),
            nullable=True,
            comment="the subject of which events name it, where merges lead to another",
        ),
    )
    op.alter_column(
        "subject_aliases",
        "subject_id",
        existing_type=sa.Uuid(),
        existing_nullable=False,
        comment="of a case that was merged the one that goes on",
    )
    op.create_index(
        "ix_subject_aliases_home",
        "subject_aliases",
        ["tenant_id", "home_id"],
        unique=False,
        postgresql_where="home_id is not null",
    )
    op.create_table(
        "case_ties",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "case_id", "other_id", name=op.f("pk_case_ties")),
        comment="Cases that a merge named together, in both directions, whether it stands or not.",
    )
    op.secure_table("case_ties", "tenant")
    op.create_table(
        "case_spans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("home_id", sa.Uuid(), nullable=False, comment="the case of which events name it"),
        sa.Column("after_at", sa.DateTime(timezone=True), nullable=False, comment="its merge: later facts"),
        sa.Column(
            "until_at", sa.DateTime(timezone=True), nullable=True, comment="the next merge; null: for good"
        ),
        sa.Column("case_id", sa.Uuid(), nullable=False, comment="the case that these facts belong to"),
        sa.PrimaryKeyConstraint("tenant_id", "home_id", "after_at", name=op.f("pk_case_spans")),
        comment="From when to when the facts told of a merged case belong to which other one.",
    )
    op.create_index("ix_case_spans_case", "case_spans", ["tenant_id", "case_id"], unique=False)
    op.secure_table("case_spans", "tenant")
    _note_what_was_merged()


def _note_what_was_merged() -> None:
    # the owner is under row-level security too: for once it has to see the rows of all tenants
    for table in _READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_TIES.format(case="subject_id", other="(fact->>'into_id')::uuid"))
    op.execute(_TIES.format(case="(fact->>'into_id')::uuid", other="subject_id"))
    op.execute(_HOMES)
    for table in _READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_index("ix_case_spans_case", table_name="case_spans")
    op.drop_table("case_spans")
    op.drop_table("case_ties")
    op.drop_index(
        "ix_subject_aliases_home", table_name="subject_aliases", postgresql_where="home_id is not null"
    )
    op.drop_column("subject_aliases", "home_id")
    op.alter_column(
        "subject_aliases", "subject_id", existing_type=sa.Uuid(), existing_nullable=False, comment=None
    )
