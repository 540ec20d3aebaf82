"""The clock is read and ids are made in `app/kit` only: everything else is handed a time and an id."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[2] / "app"
CLOCK = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"),
}  # fmt: skip
CHANCE = {"uuid1", "uuid4", "uuid6", "uuid7", "uuid8"}


def uses(code: str) -> Iterator[str]:
    """Where the code asks the clock of the machine, or chance, for a time or an id."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in CLOCK or node.attr in CHANCE:
                yield f"line {node.lineno}: {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in CHANCE or (node.module, alias.name) in CLOCK:
                    yield f"line {node.lineno}: from {node.module} import {alias.name}"


def test_only_the_kit_reads_the_clock_and_makes_ids():
    found = {
        f"{path.relative_to(APP)}, {use}"
        for path in APP.rglob("*.py")
        if path.relative_to(APP).parts[0] != "kit"
        for use in uses(path.read_text())
    }
    assert found == set()


def test_the_kit_does_both():
    assert list(uses((APP / "kit" / "clock.py").read_text()))
    assert list(uses((APP / "kit" / "ids.py").read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "import datetime as d; d.datetime.now()",
        "clock = datetime.utcnow",
        "date.today()",
        "time.time()",
        "from time import time",
        "uuid.uuid4()",
        "from uuid import uuid4 as new",
    ],
)
def test_every_way_around_is_found(code):
    assert list(uses(code))


@pytest.mark.parametrize("code", ["func.now()", "clock()", "time.monotonic()", "uuid5(a, b)", "datetime.max"])
def test_what_is_neither_is_left_alone(code):
    assert not list(uses(code))
