"""Lets the branches of a long union tell which metrics they hold: a filter by metric leaves the rest out."""

from __future__ import annotations

import re
from typing import Final

_LIST: Final = re.compile(
    r"\(VALUES (?P<rows>(?:(?!\(VALUES ).)*?)\) AS m\((?P<columns>metric, [^)]*)\)", re.DOTALL
)
_METRIC: Final = re.compile(r"\('([a-z0-9_]+)', \(")


def named(union: str) -> str:
    """The same rows; each list of metrics says what it holds.

    With `constraint_exclusion = on` the planner sees that `metric = 'nps'` contradicts a list without it, and
    drops the branch with all that is counted for it.
    """
    return _LIST.sub(_with_names, union)


def _with_names(found: re.Match[str]) -> str:
    metrics = ", ".join(f"'{metric}'" for metric in _METRIC.findall(found["rows"]))
    return (
        f"(SELECT * FROM (VALUES {found['rows']}) AS told({found['columns']}) "
        f"WHERE told.metric IN ({metrics})) AS m"
    )
