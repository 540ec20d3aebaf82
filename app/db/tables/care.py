"""How cases are cared for, and what is learned from them: documents, actions, failures, debriefs, notices."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import tenant_table

care_documents = tenant_table(
    "care_documents",
    Column("kind", Text, primary_key=True, comment="playbooks, complaint_rules, routing, compensation"),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, comment="binds what is recorded from here"),
    comment="Playbooks, rules, routing and compensation policy; a version never changes.",
)

compensations = tenant_table(
    "compensations",
    Column("case_id", Uuid, primary_key=True),
    Column("compensation", Text, primary_key=True, comment="its key within the case"),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="pending_approval, approved, rejected, delivered"),
    Column("kind", Text, comment="service, product, money, discount, bonus, gift"),
    Column("amount", Numeric),
    Column("currency", Text),
    Column("base_amount", Numeric, comment="in the tenant's currency at the rate of the grant"),
    Column("base_currency", Text),
    Column("recovered", Numeric, nullable=False, comment="got back from carrier or insurer"),
    Column("net", Numeric, comment="what it costs once granted: base_amount less recovered"),
    Column("employee", Text),
    Column("offered_at", DateTime(timezone=True)),
    Column("over_limit_at", DateTime(timezone=True)),
    Column("approved_at", DateTime(timezone=True)),
    Column("rejected_at", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Index("ix_compensations_offered", "tenant_id", "employee", "offered_at"),
    comment="What was offered, approved, given and got back in each case.",
)

case_actions = tenant_table(
    "case_actions",
    Column("case_id", Uuid, primary_key=True),
    Column("action", Text, primary_key=True, comment="reference of the corrective action"),
    Column("seq", BigInteger, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Column("deployed_at", DateTime(timezone=True), comment="from here the customer is owed a word"),
    Column("informed_at", DateTime(timezone=True), comment="told: thanks to you it is better"),
    Column("customer_facing", Boolean, nullable=False, comment="false: there is nobody to tell"),
    Index("ix_case_actions_action", "tenant_id", "action"),
    comment="Which corrective actions each case gave rise to, and whether its customer was told.",
)

corrective_actions = tenant_table(
    "corrective_actions",
    Column("action_id", Uuid, primary_key=True, comment="the subject's id"),
    Column("seq", BigInteger, nullable=False),
    Column("ref", Text, nullable=False),
    Column("state", Text, nullable=False, comment="open, deployed, cancelled"),
    Column("name", Text),
    Column("cause", Text),
    Column("severity", Text),
    Column("owner", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("deployed_at", DateTime(timezone=True)),
    Column("cancelled_at", DateTime(timezone=True)),
    Index("ix_corrective_actions_ref", "tenant_id", "ref"),
    Index("ix_corrective_actions_opened", "tenant_id", "opened_at"),
    comment="Systemic fixes, each for many cases.",
)

recurring_failures = tenant_table(
    "recurring_failures",
    Column("failure_id", Uuid, primary_key=True, comment="the subject's id"),
    Column("cause", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="open, closed"),
    Column("detected_at", DateTime(timezone=True), nullable=False),
    Column("rule", Text, comment="many_cases or rate_rose; null: registered by hand"),
    Column("cases", Integer, comment="in the 28 days before its detection"),
    Column("cases_before", Integer, comment="in the 28 days before those"),
    Column("owner", Text),
    Column("action", Text, comment="reference of the corrective action that is to end it"),
    Column("closed_at", DateTime(timezone=True)),
    Index("ix_recurring_failures_cause", "tenant_id", "cause"),
    comment="Causes that came back too often, each with its owner and action.",
)

debriefs = tenant_table(
    "debriefs",
    Column("debrief_id", Uuid, primary_key=True, comment="the subject's id"),
    Column("seq", BigInteger, nullable=False),
    Column("ref", Text, nullable=False),
    Column("state", Text, nullable=False, comment="open, held (all but the later check), completed"),
    Column("checklist", Text, nullable=False, comment="debrief_negative or debrief_positive"),
    Column("employee", Text),
    Column("cause", Text),
    Column("severity", Text),
    Column("location", Text),
    Column("case_id", Uuid),
    Column("steps", JSONB, nullable=False, comment="step -> when it was done"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("held_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    Index("ix_debriefs_opened", "tenant_id", "opened_at"),
    comment="Talks with employees about what customers said of them.",
)

proactive_notices = tenant_table(
    "proactive_notices",
    Column("event_id", Uuid, primary_key=True, comment="the event that states its current version"),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("channel", Text),
    Column("location", Text),
    Column("product", Text),
    Column("segment", Text),
    Column("cause", Text),
    Column("affected", Integer, comment="customers whom it concerns"),
    Column("reached", Integer, comment="customers who were told before they asked"),
    Index("ix_proactive_notices_occurred", "tenant_id", "occurred_at"),
    comment="News that we broke before customers had to ask.",
)
