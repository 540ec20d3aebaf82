"""The SQL in the code keeps the storage rules: no clock in an upsert, no lock across tenants."""

from pathlib import Path

import pytest

from .catalog import DECLARED
from .sql_texts import findings, statements

APP = Path(__file__).resolve().parents[2] / "app"
LOCAL = {name for name, declared in DECLARED.items() if declared.kind == "local"}


def test_the_sql_of_the_service_keeps_the_rules():
    found = {
        f"{path.relative_to(APP)}, {finding}"
        for path in APP.rglob("*.py")
        for finding in findings(path.read_text(), LOCAL)
    }
    assert found == set()


def test_the_statements_are_read_where_they_are():
    texts = [sql.text for path in APP.rglob("*.py") for sql in statements(path.read_text())]
    assert any("FOR UPDATE" in text and "SKIP LOCKED" in text for text in texts)
    assert any("DO UPDATE SET" in text for text in texts)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('sql = "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET at = now()"', "clock"),
        (
            'sql = f"INSERT INTO {t} ON CONFLICT DO UPDATE SET n = 1, at = CURRENT_TIMESTAMP"',
            "clock",
        ),
        ('sql = "SELECT 1 FROM events WHERE event_id = $1 FOR UPDATE"', "locked"),
        ('sql = "SELECT 1 FROM outbox JOIN cases USING (event_id) FOR UPDATE SKIP LOCKED"', "locked"),
        ('sql = f"SELECT 1 FROM {table} FOR NO KEY UPDATE"', "locked"),
        ("def get():\n    return select(cases).where(cases.c.case_id == id).with_for_update()", "get locks"),
    ],
)
def test_what_breaks_a_rule_is_found(code, said):
    assert [finding for finding in findings(code, LOCAL) if said in finding]


@pytest.mark.parametrize(
    "code",
    [
        'sql = "INSERT INTO t SELECT now() ON CONFLICT (a) DO UPDATE SET at = excluded.at"',
        'sql = "SELECT 1 FROM events WHERE tenant_id = $1 AND event_id = $2 FOR UPDATE"',
        'sql = "WITH due AS (SELECT subject_id FROM sla_due FOR UPDATE SKIP LOCKED) DELETE FROM sla_due"',
        'def f():\n    """SELECT 1 FROM events FOR UPDATE"""',
        "def get():\n    return select(t).where(t.c.tenant_id == tenant_id).with_for_update()",
    ],
)
def test_what_keeps_the_rules_is_left_alone(code):
    assert list(findings(code, LOCAL)) == []
