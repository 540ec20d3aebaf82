"""The `bi` schema as a whole: views, and what a report's login may read of the tables below them."""

from __future__ import annotations

from alembic.operations import Operations

from migrations.bi.daily import DAILY
from migrations.bi.dimensions import DIMENSIONS
from migrations.bi.rows import ROWS
from migrations.security import APP, BI

VIEWS = (*ROWS, *DAILY, *DIMENSIONS)

# The tenant stands in the login's own name, which no SET can change. Whoever is called otherwise has none.
OWN_TENANT = "tenant_id = substring(session_user::text, '^bi_([0-9a-f]{32})_')::uuid"

_PLACE = "channel, touchpoint, location, employee, segment, product"
READ = {
    "tenants": "tenant_id, key, name, time_zone, synthetic",
    "feedback": "tenant_id, feedback_id, seq_to, answer_index, occurred_at, source, kind, stage, "
    f"{_PLACE}, customer_ref, subject_kind, subject_id, question, measure, scale_id, scale_version, value, "
    "norm01, class, collection_mode, incentivised, force_majeure, qualification, cause, lang, verification, "
    "attributes, event_id, device",
    "volumes": f"tenant_id, event_id, seq_to, kind, count, occurred_at, source, {_PLACE}, amount, currency",
    "cases": f"tenant_id, case_id, opened_at, kind, severity, state, source, {_PLACE}, cause, assignee, "
    "customer_ref, customer_facing, initiative, due_given_at, promised_due_at, acknowledged_at, "
    "first_response_at, remedied_at, closed_at, ended_at, reopened_count, repeat_of, merged_into",
    "sla_timers": "tenant_id, subject_id, timer, cycle, policy, policy_version, clock_kind, state, "
    f"started_at, due_at, stopped_at, cancelled_at, target_seconds, severity, kind, source, {_PLACE}",
    "questions": "tenant_id, key, measure, scale_id, wording, wording_version, relational",
    "directory": "tenant_id, kind, key, title, parent, uncategorised",
    "attributes": "tenant_id, key, personal, groupable",
    "sources": "tenant_id, key, title, last_event_at, expected_every_seconds, disabled_at",
}
"""Table -> the columns that the views need; secrets, texts and personal parts are not among them."""


def create_bi(operations: Operations) -> None:
    """Make the schema, its views, and the rights of reports."""
    operations.execute("CREATE SCHEMA bi")
    operations.execute("COMMENT ON SCHEMA bi IS 'Read-only views for reports; columns are only ever added.'")
    operations.execute(f"GRANT USAGE ON SCHEMA bi TO {BI}, {APP}")
    for view in VIEWS:
        for statement in view.statements:
            operations.execute(statement)
        operations.execute(f"GRANT SELECT ON bi.{view.name} TO {BI}, {APP}")
    for table, columns in READ.items():
        operations.execute(f"CREATE POLICY reports ON {table} FOR SELECT TO {BI} USING ({OWN_TENANT})")
        operations.execute(f"GRANT SELECT ({columns}) ON {table} TO {BI}")


def drop_bi(operations: Operations) -> None:
    """Take back what `create_bi` made."""
    for view in reversed(VIEWS):
        operations.execute(f"DROP VIEW bi.{view.name}")
    operations.execute("DROP SCHEMA bi")
    for table, columns in READ.items():
        operations.execute(f"REVOKE SELECT ({columns}) ON {table} FROM {BI}")
        operations.execute(f"DROP POLICY reports ON {table}")
