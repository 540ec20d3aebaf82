"""`python -m app bench`: one run of every case, printed as ratios."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import structlog
import uvloop
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import batch, breach, crowd, delivery, figures, idle, inlet, question, single
from benchmarks.load import LoadError
from benchmarks.plan import LARGE, QUICK, Plan
from benchmarks.processes import NotStartedError
from benchmarks.report import Line, as_json, machine, show
from benchmarks.stage import Place, Stage, open_stage

Case = Callable[[Plan, Stage, Place], Coroutine[Any, Any, list[Line]]]
CASES: dict[str, Case] = {
    "single": single.measure,
    "batch": batch.measure,
    "inlet": inlet.measure,
    "breach": breach.measure,
    "crowd": crowd.measure,
    "delivery": delivery.measure,
    "question": question.measure,
    "figures": figures.measure,
    "idle": idle.measure,
}

# what a case may meet when the service does not do its work; the others are still worth measuring
_FAILURES = (LoadError, NotStartedError, OSError, RuntimeError, httpx.HTTPError, asyncpg.PostgresError)


def main() -> None:
    """Read the words, run the cases, print the table."""
    words = _parser().parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console(stderr=words.json, highlight=False, width=None if sys.stdout.isatty() else 150)
    plan = QUICK if words.quick else LARGE if words.large else Plan()
    place, started = machine(), time.monotonic()
    lines: list[Line] = []
    failed: list[str] = []
    with open_stage() as stage:
        for name in words.only or CASES:
            console.print(f"[dim]{time.monotonic() - started:4.0f} s  {name} ...[/]")
            at = stage.make_place(f"bench_{name}")
            try:
                found = uvloop.run(CASES[name](plan, stage, at))
                for line in found:
                    console.print("       " + "  |  ".join(line.cells()))
                lines += found
            except _FAILURES as error:
                failed.append(name)
                console.print(f"[red]{name} gave no figures: {type(error).__name__}: {error}[/]")
            stage.server.drop_database(at.name)
    show(console, lines, place, time.monotonic() - started)
    if words.json:
        sys.stdout.write(as_json(lines, place) + "\n")
    if failed:
        sys.exit(f"no figures of: {', '.join(failed)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vidhuk bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="one short repetition of each case")
    sizes.add_argument("--large", action="store_true", help="ten million answers, a million open timers")
    parser.add_argument(
        "--json", action="store_true", help="print everything as JSON (the table goes to stderr)"
    )
    parser.add_argument("--only", action="append", choices=CASES, help="this case only (may be given again)")
    return parser


if __name__ == "__main__":
    main()
