"""The lint of the SQL in the code: what a cluster refuses, or what would lock rows of every tenant."""

import ast
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

_STATEMENT = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WITH|ON CONFLICT)\b")
_CLOCK = re.compile(r"\b(now\s*\(|current_timestamp\b|clock_timestamp\s*\(|statement_timestamp\s*\()", re.I)
_NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?\"?(\w+)", re.I)
_LOCK = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b", re.I)


class SqlText(NamedTuple):
    """A statement in the code; what is filled in when it runs stands in it as `?`."""

    line: int
    text: str


def statements(code: str) -> Iterator[SqlText]:
    """The SQL texts of a module: every string that reads like one and is no docstring."""
    tree = ast.parse(code)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)} | {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) not in skipped:
            text = _text(node)
            if text is not None and _STATEMENT.search(text):
                yield SqlText(node.lineno, text)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "?" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def findings(code: str, local: Collection[str]) -> Iterator[str]:
    """What breaks a rule; `local` are the tables that one node holds alone, where any row may be locked."""
    for line, text in statements(code):
        _, found, changes = text.partition("DO UPDATE SET")
        if found and _CLOCK.search(changes):
            yield f"line {line}: the clock is asked after DO UPDATE SET"
        if _LOCK.search(text) and "tenant_id" not in text and not _is_local(text, local):
            yield f"line {line}: rows are locked whatever their tenant"
    for function in ast.walk(ast.parse(code)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _locks_any_tenant(function):
            yield f"line {function.lineno}: {function.name} locks rows whatever their tenant"


def _is_local(text: str, local: Collection[str]) -> bool:
    # names that the statement itself gives to its parts are no tables
    parts = set(re.findall(r"\b(\w+)\s+AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(", text, re.I))
    tables = set(_NAMED.findall(_LOCK.sub("", text))) - parts
    return bool(tables) and tables <= set(local)


def _locks_any_tenant(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    named = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    return "with_for_update" in named and "tenant_id" not in named
