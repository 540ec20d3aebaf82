"""Pareto: which few groups make most of a count; and a sample that nobody can steer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

VITAL_SHARE = 0.80


class ParetoRow(NamedTuple):
    """One group of a count, largest first; `is_vital` belongs to the few that make 80 %."""

    group: str | None
    total: int
    share: float
    cumulative_share: float
    is_vital: bool


def pareto(counts: Mapping[str | None, int]) -> list[ParetoRow]:
    """Groups by count, ties by name (the nameless last). Shares are fractions of the total."""
    total = sum(counts.values())
    rows, before = [], 0
    for group, count in sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or "")):
        if count > 0:
            is_vital = before < VITAL_SHARE * total
            before += count
            rows.append(ParetoRow(group, count, count / total, before / total, is_vital))
    return rows


def sample(ids: Iterable[str], size: int, seed: str) -> Sequence[str]:
    """`size` of the ids, the same for the same seed: those whose hash with the seed is smallest.

    An id's chance depends on nothing but the seed, so that neither order nor growth of the list steers it.
    """

    def rank(item: str) -> bytes:
        return hashlib.sha256(f"{seed}\x00{item}".encode()).digest()

    return sorted(ids, key=rank)[:size]
