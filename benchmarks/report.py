"""What came out: figures of every repetition, their ratios, and the table that is printed."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio (or, without anything to compare, the figure itself) should come to."""

    text: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """True when the value lies on the right side."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


@dataclass(slots=True)
class Line:
    """One row of the table. `ours` and `theirs` hold one figure a repetition, side by side in time."""

    what: str
    unit: str
    against: str
    goal: Goal | None = None
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    note: str = ""

    def add(self, ours: float, theirs: float | None = None) -> None:
        """One repetition."""
        self.ours.append(ours)
        if theirs is not None:
            self.theirs.append(theirs)

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs, repetition by repetition: the machine's drift cancels out."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=False) if other]

    @property
    def is_met(self) -> bool | None:
        """Whether the median meets the goal; None without a goal."""
        values = self.ratios or self.ours
        if self.goal is None or not values or self.goal.at_least is self.goal.at_most:
            return None
        return self.goal.is_met(median(values))

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        ratios = self.ratios
        shown = f"{_figure(median(ratios))} ({_range(ratios)})" if ratios else "-"
        mark = {True: " [green]met[/]", False: " [red]missed[/]", None: ""}[self.is_met]
        goal = "-" if self.goal is None else self.goal.text + mark
        against = self.against if not self.theirs else f"{self.against}: {_figure(median(self.theirs))}"
        return self.what, f"{_figure(median(self.ours))} {self.unit}", against, shown, goal

    def as_json(self) -> dict[str, object]:
        """Everything that was measured."""
        return {**asdict(self), "ratios": self.ratios, "met": self.is_met}


def machine() -> dict[str, object]:
    """Where the figures were taken: they mean little elsewhere, the ratios more."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def show(console: Console, lines: Sequence[Line], place: dict[str, object], seconds: float) -> None:
    """Print the table for people."""
    table = Table("what", "ours (median)", "against (median)", "ratio (range)", "goal", title="make bench")
    for line in lines:
        if line.ours:
            table.add_row(*line.cells())
    console.print(table)
    for line in lines:
        if line.note:
            console.print(f"[dim]{line.what}: {line.note}[/]")
    facts = ", ".join(f"{name} {value}" for name, value in place.items())
    console.print(f"[dim]{facts}; {seconds:.0f} s. Compare within this table only.[/]")


def as_json(lines: Sequence[Line], place: dict[str, object]) -> str:
    """The same for machines."""
    return json.dumps({"machine": place, "lines": [line.as_json() for line in lines]}, indent=1)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _range(values: Sequence[float]) -> str:
    return f"{_figure(min(values))}-{_figure(max(values))}"
