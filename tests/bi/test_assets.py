"""The shipped dashboards, datasets and model: every statement runs, every name is one that exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.domain.measures.registry import METRICS

from .conftest import connected

DOCS = Path(__file__).resolve().parents[2] / "docs" / "bi"
MODEL = yaml.safe_load((DOCS / "semantic-model.yaml").read_text())["semantic_model"][0]
FROZEN = [
    line.split(" ")[0] for line in Path(__file__).with_name("frozen_views.txt").read_text().splitlines()
]


def panels(name: str) -> list[dict[str, Any]]:
    return json.loads((DOCS / "grafana" / name).read_text())["panels"]


def as_grafana_sends(sql: str) -> str:
    """The macros and variables filled in."""
    sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '2020-01-01' AND '2030-01-01'", sql)
    sql = sql.replace("${channel:sqlstring}", "'x','call'")
    assert "$" not in sql
    return sql


async def test_every_statement_of_the_dashboard_runs_as_a_login_of_reports(reports) -> None:
    async with connected(reports.mine) as login:
        for panel in panels("postgresql.json"):
            rows = await login.fetch(as_grafana_sends(panel["targets"][0]["rawSql"]))
            if panel["targets"][0]["format"] == "time_series" and rows:
                assert {"time", "metric", "value"} <= set(rows[0].keys()), panel["title"]


async def test_every_metric_of_the_model_runs(reports) -> None:
    async with connected(reports.mine) as login:
        for dataset in {metric["dataset"] for metric in MODEL["metrics"]}:
            told = [m["expression"] for m in MODEL["metrics"] if m["dataset"] == dataset]
            await login.fetch(f"SELECT {', '.join(told)} FROM {dataset}")
        for path in DOCS.glob("superset/*.yaml"):
            document = yaml.safe_load(path.read_text())
            told = [metric["expression"] for metric in document["metrics"]]
            await login.fetch(f"SELECT {', '.join(told)} FROM {document['schema']}.{document['table_name']}")


def test_the_model_names_every_column_of_every_view_and_no_other() -> None:
    told = [
        f"{dataset['name']}.{field['name']}" for dataset in MODEL["datasets"] for field in dataset["fields"]
    ]
    assert sorted(told) == sorted(FROZEN)
    ends = [(r["from"], r["from_columns"]) for r in MODEL["relationships"]]
    ends += [(r["to"], r["to_columns"]) for r in MODEL["relationships"]]
    assert [end for end in ends if f"{end[0]}.{end[1][0]}" not in FROZEN] == []


def test_the_model_tells_metrics_as_the_catalogue_defines_them() -> None:
    for metric in MODEL["metrics"]:
        defined = METRICS[metric["name"]]
        assert (metric["formula"], metric["definition_version"]) == (defined.formula, defined.version)


@pytest.mark.parametrize("panel", panels("infinity.json"), ids=lambda panel: panel["title"])
async def test_every_address_of_the_dashboard_is_answered_with_the_columns_it_shows(
    panel, client: httpx.AsyncClient
):
    (target,) = panel["targets"]
    address = target["url"].replace("${url}", "")
    for name, instant in (("from", "2026-03-01T00:00:00.000Z"), ("to", "2026-03-29T00:00:00.000Z")):
        address = address.replace(f"${{__{name}:date:iso}}", instant)
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    known = {column["name"] for column in answer.json()["columns"]}
    assert {column["selector"] for column in target["columns"]} <= known


def test_the_table_of_views_in_the_text_is_whole() -> None:
    text = (DOCS / "README.md").read_text()
    assert {name for name in {line.split(".")[0] for line in FROZEN} if f"`{name}`" not in text} == set()
