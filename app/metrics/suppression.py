"""Hides one more group where a total would give away a suppressed one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.measures.values import MetricStatus, MetricValue, withheld
from app.metrics.cells import Key


def withhold_tellers(keys: Sequence[Key], values: Sequence[MetricValue]) -> list[MetricValue]:
    """The values of one metric, with no suppressed one alone among groups that add up to a known total.

    Along every axis (time and each dimension) the groups that differ only there have a total that another
    query tells. Where exactly one of them is suppressed, the smallest of the others is withheld too, until
    nothing more has to be.
    """
    shown = list(values)
    pending = True
    while pending:
        pending = False
        for line in _lines(keys):
            hidden = [i for i in line if shown[i].status is MetricStatus.SUPPRESSED]
            others = [
                i for i in line if shown[i].status not in (MetricStatus.SUPPRESSED, MetricStatus.NO_DATA)
            ]
            if len(hidden) == 1 and others:
                smallest = min(others, key=lambda i: shown[i].n)
                shown[smallest] = withheld(shown[smallest])
                pending = True
    return shown


def _lines(keys: Sequence[Key]) -> Iterator[list[int]]:
    """For each axis, the indices of the keys that are equal but for that axis."""
    for axis in range(len(keys[0]) if keys else 0):
        lines: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for index, key in enumerate(keys):
            lines[key[:axis] + key[axis + 1 :]].append(index)
        yield from lines.values()
