"""Extend the schema: asking, the journey map, privacy.

Revision: 0008_asking, after 0007_sources.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_asking"
down_revision = "0007_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "amendments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="type of the event"),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "target_source",
            sa.Text(),
            nullable=True,
            comment="with target_id: the event that stated the answer",
        ),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True, comment="else: all answers of this subject"),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("stated", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_amendments")),
        comment="What experts and classifiers said of answers; the latest word of each kind counts.",
    )
    op.secure_table("amendments", "tenant")
    op.create_index("ix_amendments_subject", "amendments", ["tenant_id", "subject_id"], unique=False)
    op.create_index(
        "ix_amendments_target", "amendments", ["tenant_id", "target_source", "target_id"], unique=False
    )
    op.create_table(
        "ask_decisions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "asked_for", sa.DateTime(timezone=True), nullable=False, comment="the instant that was judged"
        ),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("survey", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=True),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True, comment="the strongest rule against it"),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="first instant at which it is allowed; null: unknown",
        ),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", name=op.f("pk_ask_decisions")),
        comment="Who was asked whether a customer may be asked, and what was answered; append-only.",
    )
    op.secure_table("ask_decisions", "tenant")
    op.create_index("ix_ask_decisions_at", "ask_decisions", ["tenant_id", "at", "decision_id"], unique=False)
    op.create_index("ix_ask_decisions_customer", "ask_decisions", ["tenant_id", "customer_ref"], unique=False)
    op.create_table(
        "asking_due",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_asking_due")),
        comment="When the time to answer of a survey act ends.",
    )
    op.secure_table("asking_due", "local", worker=True)
    op.create_index("ix_asking_due_next_at", "asking_due", ["next_at"], unique=False)
    op.create_table(
        "asking_plans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False, comment="of the tenant, the event and the moment"),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column(
            "trigger_id", sa.Uuid(), nullable=False, comment="the event after which the customer is asked"
        ),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_asking_plans")),
        comment="Survey moments to come; a row leaves when it was decided.",
    )
    op.secure_table("asking_plans", "local", worker=True)
    op.create_index("ix_asking_plans_next_at", "asking_plans", ["next_at"], unique=False)
    op.create_index("ix_asking_plans_tenant", "asking_plans", ["tenant_id", "next_at"], unique=False)
    op.create_table(
        "asking_policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f("pk_asking_policies")),
        comment="How long answers are waited for, who may be asked and when; a version never changes.",
    )
    op.secure_table("asking_policies", "tenant")
    op.create_table(
        "contact_permissions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False, comment="`*`: all of them"),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_contact_permissions")),
        comment="Who wants to be asked no more, or again; the latest word per channel counts.",
    )
    op.secure_table("contact_permissions", "tenant")
    op.create_index(
        "ix_contact_permissions_customer", "contact_permissions", ["tenant_id", "customer_ref"], unique=False
    )
    op.create_table(
        "erasures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False, comment="the event that asked for it"),
        sa.Column(
            "customer_ref", sa.LargeBinary(), nullable=True, comment="whom to forget; null when it is done"
        ),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="the random name that takes its place"),
        sa.Column(
            "sealed_identifier",
            sa.LargeBinary(),
            nullable=True,
            comment="what to look for in raw bodies; null when it is done",
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="null: completed"),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what was reached: table -> rows",
        ),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
        comment="People who asked to be forgotten; nothing here says who they were once it is done.",
    )
    op.secure_table("erasures", "local", worker=True)
    op.create_index("ix_erasures_next_at", "erasures", ["next_at"], unique=False)
    op.create_index("ix_erasures_tenant", "erasures", ["tenant_id", "requested_at"], unique=False)
    op.create_table(
        "journey_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f("pk_journey_rules")),
        comment="Rules from raw values to touchpoints; a version never changes.",
    )
    op.secure_table("journey_rules", "tenant")
    op.create_table(
        "journey_touchpoints",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="a touchpoint of the directory"),
        sa.Column("stage", sa.Text(), nullable=False, comment="before, purchase, waiting or after"),
        sa.Column("place", sa.Integer(), nullable=False, comment="order within the stage"),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("is_key", sa.Boolean(), nullable=False, comment="must have an active survey"),
        sa.Column("controllable", sa.Boolean(), nullable=False),
        sa.Column(
            "channels",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="where customers come from; not the touchpoint",
        ),
        sa.Column(
            "questions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="keys of the questions that are asked here",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_journey_touchpoints")),
        comment="The journey map: what stands beside the title and the parent in the directory.",
    )
    op.secure_table("journey_touchpoints", "tenant")
    op.create_table(
        "referrals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="referral, issued or activated"),
        sa.Column("coupon", sa.Text(), nullable=True),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_referrals")),
        comment="Recommendations that were made, coupons handed out and used.",
    )
    op.secure_table("referrals", "tenant")
    op.create_index("ix_referrals_at", "referrals", ["tenant_id", "occurred_at"], unique=False)
    op.create_table(
        "retention_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("text_days", sa.Integer(), nullable=True, comment="personal parts of events; null: kept"),
        sa.Column(
            "raw_days", sa.Integer(), nullable=True, comment="raw payloads; null: as the service is set"
        ),
        sa.Column("decision_days", sa.Integer(), nullable=True, comment="the decision log; null: kept"),
        sa.Column(
            "text_position", sa.BigInteger(), nullable=False, comment="personal parts up to here were dropped"
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_retention_rules")),
        comment="How long a tenant keeps what; one row each.",
    )
    op.secure_table("retention_rules", "tenant")
    op.create_table(
        "survey_acts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="the latest invitation"),
        sa.Column(
            "waits_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="end of the time to answer; null: not waiting",
        ),
        sa.Column(
            "outcome", sa.Text(), nullable=False, comment="pending, answered, refused, silent or not_reached"
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("touchpoint", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("customer_ref", sa.LargeBinary(), nullable=True),
        sa.Column("survey", sa.Text(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=True),
        sa.Column("relational", sa.Boolean(), nullable=False),
        sa.Column("questions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject_id", name=op.f("pk_survey_acts")),
        comment="One row per contact in which a customer was asked, folded from its events.",
    )
    op.secure_table("survey_acts", "tenant")
    op.create_index("ix_survey_acts_asked", "survey_acts", ["tenant_id", "asked_at"], unique=False)
    op.create_index(
        "ix_survey_acts_customer",
        "survey_acts",
        ["tenant_id", "customer_ref"],
        unique=False,
        postgresql_where="customer_ref is not null",
    )
    op.create_table(
        "touchpoint_retags",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_touchpoint_retags")),
        comment="Touchpoints that got another name, from which commit on.",
    )
    op.secure_table("touchpoint_retags", "tenant")
    op.create_index("ix_touchpoint_retags_raw", "touchpoint_retags", ["tenant_id", "raw"], unique=False)
    op.add_column(
        "feedback",
        sa.Column(
            "reading",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what was read off the text: language, sentiment, hints; no score",
        ),
    )


def downgrade() -> None:
    op.drop_column("feedback", "reading")
    op.drop_index("ix_touchpoint_retags_raw", table_name="touchpoint_retags")
    op.drop_table("touchpoint_retags")
    op.drop_index(
        "ix_survey_acts_customer", table_name="survey_acts", postgresql_where="customer_ref is not null"
    )
    op.drop_index("ix_survey_acts_asked", table_name="survey_acts")
    op.drop_table("survey_acts")
    op.drop_table("retention_rules")
    op.drop_index("ix_referrals_at", table_name="referrals")
    op.drop_table("referrals")
    op.drop_table("journey_touchpoints")
    op.drop_table("journey_rules")
    op.drop_index("ix_erasures_tenant", table_name="erasures")
    op.drop_index("ix_erasures_next_at", table_name="erasures")
    op.drop_table("erasures")
    op.drop_index("ix_contact_permissions_customer", table_name="contact_permissions")
    op.drop_table("contact_permissions")
    op.drop_table("asking_policies")
    op.drop_index("ix_asking_plans_tenant", table_name="asking_plans")
    op.drop_index("ix_asking_plans_next_at", table_name="asking_plans")
    op.drop_table("asking_plans")
    op.drop_index("ix_asking_due_next_at", table_name="asking_due")
    op.drop_table("asking_due")
    op.drop_index("ix_ask_decisions_customer", table_name="ask_decisions")
    op.drop_index("ix_ask_decisions_at", table_name="ask_decisions")
    op.drop_table("ask_decisions")
    op.drop_index("ix_amendments_target", table_name="amendments")
    op.drop_index("ix_amendments_subject", table_name="amendments")
    op.drop_table("amendments")
