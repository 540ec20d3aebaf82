"""What the journey map leaves out: key touchpoints without a living survey, names nobody placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.journey.rules import Stage


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """A touchpoint as the map has it; `stage` is None for one that was only met in events."""

    key: str
    parent: str | None = None
    stage: Stage | None = None
    is_key: bool = False
    owner: str | None = None
    questions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at a touchpoint in the period: asked or answered questions, and when last."""

    answers: int = 0
    last_at: datetime | None = None
    questions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Covered:
    """A touchpoint with what was heard at it and below it, and what is missing."""

    touchpoint: Touchpoint
    answers: int
    answers_below: int
    last_at: datetime | None
    findings: tuple[str, ...] = field(default=())


def cover(touchpoints: Iterable[Touchpoint], heard: Mapping[str, Heard]) -> list[Covered]:
    """Every touchpoint with its findings, those of the map in its order, the unplaced ones last.

    `uncategorised`: met in events and not on the map. Of key touchpoints: `no_survey` (no question is
    asked there), `survey_silent` (none of its questions was asked or answered in the period), `no_owner`.
    A survey at a touchpoint below covers the one above it.
    """
    known = {item.key: item for item in touchpoints}
    below: dict[str, list[str]] = {}
    for item in known.values():
        if item.parent is not None:
            below.setdefault(item.parent, []).append(item.key)
    return [_covered(item, known, below, heard) for item in known.values()]


def _covered(
    item: Touchpoint,
    known: Mapping[str, Touchpoint],
    below: Mapping[str, Sequence[str]],
    heard: Mapping[str, Heard],
) -> Covered:
    tree = _tree(item.key, below)
    own = heard.get(item.key, Heard())
    findings: list[str] = []
    if item.stage is None:
        findings.append("uncategorised")
    if item.is_key:
        asked = {question for key in tree if key in known for question in known[key].questions}
        if not asked:
            findings.append("no_survey")
        elif not any(asked & heard[key].questions for key in tree if key in heard):
            findings.append("survey_silent")
        if item.owner is None:
            findings.append("no_owner")
    return Covered(
        item,
        own.answers,
        sum(heard[key].answers for key in tree if key in heard) - own.answers,
        max((heard[key].last_at for key in tree if key in heard), key=_or_never, default=None),
        tuple(findings),
    )


def _tree(key: str, below: Mapping[str, Sequence[str]]) -> list[str]:
    found, waiting = [key], list(below.get(key, ()))
    while waiting:
        nearest = waiting.pop()
        if nearest not in found:
            found.append(nearest)
            waiting += below.get(nearest, ())
    return found


def _or_never(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
