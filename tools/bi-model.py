"""Writes docs/bi/semantic-model.yaml and docs/bi/superset/*.yaml from the views and the registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.bi.odata.model import KEYS
from app.domain.measures.registry import METRICS
from migrations.bi.daily import METRIC_IDS, RATIO_IDS
from migrations.bi.every import EVERY_METRIC_IDS, EVERY_RATIO_IDS, SNAPSHOT_METRIC_IDS, VIEWS
from migrations.bi.figures import MORE_METRIC_IDS, MORE_RATIO_IDS
from migrations.bi.periods import PERIOD_METRIC_IDS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "bi"
HEAD = (
    "# The views and metrics as a semantic model, in the manner of the Open Semantic Interchange (0.1).\n"
    "# Written by tools/bi-model.py; tests compare it with the schema and the catalogue.\n"
)
TYPES = {
    "text": "string",
    "uuid": "string",
    "timestamp with time zone": "timestamp",
    "date": "date",
    "integer": "integer",
    "bigint": "integer",
    "double precision": "number",
    "boolean": "boolean",
}
FACTS = (
    "feedback", "feedback_daily", "cases", "sla_timers", "volumes", "case_outcomes", "orders",
    "displayed_ratings", "customers_daily",
)  # fmt: skip
RATIOS = RATIO_IDS | MORE_RATIO_IDS | EVERY_RATIO_IDS
DAYS = {
    "feedback": "local_date",
    "feedback_daily": "local_date",
    "metric_daily": "local_date",
    "volumes": "local_date",
    "cases": "opened_date",
    "sla_timers": "due_date",
    "case_outcomes": "opened_date",
    "orders": "promised_date",
    "displayed_ratings": "local_date",
    "customers_daily": "local_date",
    "backlog_daily": "local_date",
    "metric_by_period": "starts_on",
}
TIMES = {"feedback": "occurred_at", "cases": "opened_at", "sla_timers": "due_at"}
OWN = {
    "feedback": {
        "answers": "count(*) FILTER (WHERE counts AND answer_class <> 'silent')",
        "people": "count(DISTINCT customer_key)",
    },
    "feedback_daily": {
        "answers": "sum(answers)",
        "negative_percent": "100.0 * sum(negative) / nullif(sum(classed), 0)",
    },
    "cases": {
        "opened": "count(*) FILTER (WHERE counts_as_opened)",
        "unanswered": "count(*) FILTER (WHERE is_unanswered)",
    },
    "sla_timers": {
        "met_percent": "100.0 * count(*) FILTER (WHERE outcome = 'met') "
        "/ nullif(count(*) FILTER (WHERE outcome = 'met' OR is_breached), 0)",
        "overdue": "count(*) FILTER (WHERE outcome = 'open_overdue')",
    },
}


def main() -> None:
    """Needs no database: types are those that were frozen."""
    frozen = (ROOT / "tests" / "bi" / "frozen_views.txt").read_text().splitlines()
    types = dict(line.split(" ", 1) for line in frozen)
    daily = [_metric(metric_id) for metric_id in (*METRIC_IDS, *MORE_METRIC_IDS, *EVERY_METRIC_IDS)]
    metrics = [*daily, *map(_of_period, PERIOD_METRIC_IDS), *map(_of_snapshot, SNAPSHOT_METRIC_IDS)]
    model = {
        "name": "vidhuk",
        "description": "Customer feedback, complaint cases and their deadlines. Every metric is added up "
        "from its components before it is divided.",
        "datasets": [_dataset(view, types) for view in VIEWS],
        "relationships": list(_relationships()),
        "metrics": metrics,
    }
    text = _yaml({"version": "0.1", "semantic_model": [model]})
    (DOCS / "semantic-model.yaml").write_text(HEAD + text)
    for view in VIEWS:
        if view.name in (*OWN, "metric_daily"):
            (DOCS / "superset" / f"{view.name}.yaml").write_text(_yaml(_superset(view, types, daily)))


def _metric(metric_id: str) -> dict[str, Any]:
    defined = METRICS[metric_id]
    only = f"FILTER (WHERE metric = '{metric_id}')"
    divided = f" / nullif(sum(denominator) {only}, 0)" if metric_id in RATIOS else ""
    apart = " Never added up across scale_id and collection_mode." if defined.is_score else ""
    return _told(metric_id, f"sum(numerator) {only}{divided}", "metric_daily", apart)


def _of_period(metric_id: str) -> dict[str, Any]:
    """A metric that has one row for each period and grain: whoever groups by both gets that row."""
    apart = " One granularity, grain and period at a time: it cannot be added up."
    return _told(metric_id, f"max(value) FILTER (WHERE metric = '{metric_id}')", "metric_by_period", apart)


def _of_snapshot(metric_id: str) -> dict[str, Any]:
    """A metric of the backlog: a column, one row for each day and grain."""
    return _told(metric_id, f"max({metric_id})", "backlog_daily", " One day and grain at a time.")


def _told(metric_id: str, expression: str, dataset: str, more: str) -> dict[str, Any]:
    defined = METRICS[metric_id]
    return {
        "name": metric_id,
        "title": defined.title,
        "expression": expression,
        "dataset": dataset,
        "unit": str(defined.unit),
        "better": str(defined.better),
        "definition_version": defined.version,
        "formula": defined.formula,
        "description": defined.description + more,
    }


def _dataset(view: Any, types: dict[str, str]) -> dict[str, Any]:
    fields = [
        {
            "name": shown.name,
            "expression": shown.name,
            "type": TYPES[types[f"{view.name}.{shown.name}"]],
            "description": shown.comment,
        }
        for shown in view.columns
    ]
    return {
        "name": view.name,
        "source": f"bi.{view.name}",
        "primary_key": list(KEYS[view.name]),
        "description": view.comment,
        "fields": fields,
    }


def _relationships() -> Any:
    for fact in FACTS:
        for noun in ("touchpoint", "location", "employee", "segment", "product", "source"):
            yield _relationship(fact, noun, f"dim_{noun}", noun)
    for view in ("metric_daily", "metric_by_period", "backlog_daily"):
        for noun in ("touchpoint", "location"):
            yield _relationship(view, noun, f"dim_{noun}", noun)
    for fact, day in DAYS.items():
        yield _relationship(fact, day, "dim_date", "local_date")
    for fact in ("feedback", "feedback_daily", "customers_daily"):
        yield _relationship(fact, "question", "dim_question", "question")
    yield _relationship("feedback_attributes", "feedback_id", "feedback", "feedback_id")
    yield _relationship("sla_timers", "case_id", "cases", "case_id")
    yield _relationship("case_outcomes", "case_id", "cases", "case_id")


def _relationship(left: str, column: str, right: str, key: str) -> dict[str, Any]:
    return {
        "name": f"{left}_to_{right}",
        "from": left,
        "to": right,
        "from_columns": [column],
        "to_columns": [key],
    }


def _superset(view: Any, types: dict[str, str], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    if view.name == "metric_daily":
        told = [
            {
                "metric_name": metric["name"],
                "verbose_name": metric["title"],
                "expression": metric["expression"],
                "description": metric["formula"],
            }
            for metric in metrics
        ]
    else:
        told = [{"metric_name": name, "expression": sql} for name, sql in OWN[view.name].items()]
    columns = [
        {
            "column_name": shown.name,
            "description": shown.comment,
            "is_dttm": types[f"{view.name}.{shown.name}"] in ("date", "timestamp with time zone"),
            "groupby": True,
            "filterable": True,
        }
        for shown in view.columns
    ]
    return {
        "table_name": view.name,
        "schema": "bi",
        "description": view.comment,
        "main_dttm_col": TIMES.get(view.name, "local_date"),
        "columns": columns,
        "metrics": told,
        "version": "1.0.0",
    }


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    main()
