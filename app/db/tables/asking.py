"""Asking: its policy, survey acts, what is due, permissions, decisions, referrals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import local_table, tenant_table

asking_policies = tenant_table(
    "asking_policies",
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="How long answers are waited for, who may be asked and when; a version never changes.",
)

survey_acts = tenant_table(
    "survey_acts",
    Column("subject_id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False, comment="the latest invitation"),
    Column("waits_until", DateTime(timezone=True), comment="end of the time to answer; null: not waiting"),
    Column("outcome", Text, nullable=False, comment="pending, answered, refused, silent or not_reached"),
    Column("source", Text, nullable=False),
    Column("channel", Text),
    Column("touchpoint", Text),
    Column("location", Text),
    Column("employee", Text),
    Column("customer_ref", LargeBinary),
    Column("survey", Text),
    Column("moment", Text),
    Column("relational", Boolean, nullable=False),
    Column("questions", JSONB, nullable=False),
    Index("ix_survey_acts_asked", "tenant_id", "asked_at"),
    Index(
        "ix_survey_acts_customer", "tenant_id", "customer_ref", postgresql_where="customer_ref is not null"
    ),
    comment="One row per contact in which a customer was asked, folded from its events.",
)

asking_due = local_table(
    "asking_due",
    Column("subject_id", Uuid, primary_key=True),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Index("ix_asking_due_next_at", "next_at"),
    worker=True,
    comment="When the time to answer of a survey act ends.",
)

asking_plans = local_table(
    "asking_plans",
    Column("plan_id", Uuid, primary_key=True, comment="of the tenant, the event and the moment"),
    Column("moment", Text, nullable=False),
    Column("trigger_id", Uuid, nullable=False, comment="the event after which the customer is asked"),
    Column("customer_ref", LargeBinary),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("not_after", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Index("ix_asking_plans_next_at", "next_at"),
    Index("ix_asking_plans_tenant", "tenant_id", "next_at"),
    worker=True,
    comment="Survey moments to come; a row leaves when it was decided.",
)

contact_permissions = tenant_table(
    "contact_permissions",
    Column("event_id", Uuid, primary_key=True),
    Column("customer_ref", LargeBinary, nullable=False),
    Column("channel", Text, nullable=False, comment="`*`: all of them"),
    Column("opted_out", Boolean, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Index("ix_contact_permissions_customer", "tenant_id", "customer_ref"),
    comment="Who wants to be asked no more, or again; the latest word per channel counts.",
)

ask_decisions = tenant_table(
    "ask_decisions",
    Column("decision_id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("asked_for", DateTime(timezone=True), nullable=False, comment="the instant that was judged"),
    Column("customer_ref", LargeBinary),
    Column("channel", Text),
    Column("survey", Text),
    Column("question", Text),
    Column("moment", Text),
    Column("allowed", Boolean, nullable=False),
    Column("rule", Text, comment="the strongest rule against it"),
    Column("until", DateTime(timezone=True), comment="first instant at which it is allowed; null: unknown"),
    Column("findings", JSONB, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("time_zone", Text, comment="whose quiet hours were looked at"),
    Index("ix_ask_decisions_at", "tenant_id", "at", "decision_id"),
    Index("ix_ask_decisions_customer", "tenant_id", "customer_ref"),
    comment="Who was asked whether a customer may be asked, and what was answered; append-only.",
)

referrals = tenant_table(
    "referrals",
    Column("event_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, comment="referral, issued or activated"),
    Column("coupon", Text),
    Column("copies", Integer, nullable=False),
    Column("customer_ref", LargeBinary),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Index("ix_referrals_at", "tenant_id", "occurred_at"),
    comment="Recommendations that were made, coupons handed out and used.",
)
