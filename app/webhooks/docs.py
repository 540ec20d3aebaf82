"""The generated parts of the integrators' page: code that is run by tests, the schedule, the catalogue."""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.domain.delivery import RETRY_DELAYS_SECONDS
from app.webhooks.catalogue import OUTGOING, OutgoingType
from app.webhooks.openapi import example_of
from app.webhooks.options import FILTER_EXAMPLE

_PART = re.compile(r"(<!-- (\w+)(?:: (\w+) (\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str, root: Path) -> str:
    """The page with every part between `<!-- ... -->` and `<!-- end -->` made anew."""

    def part(match: re.Match[str]) -> str:
        head, kind, language, path, end = match.groups()
        return head + _make(kind, language, path, root) + end

    return _PART.sub(part, page)


def _make(kind: str, language: str | None, path: str | None, root: Path) -> str:
    if kind == "code" and path is not None:
        return f"```{language}\n{(root / path).read_text().rstrip()}\n```\n"
    if kind == "schedule":
        return _schedule()
    if kind == "filter":
        return _block(FILTER_EXAMPLE)
    if kind == "catalogue":
        return "".join(map(_entry, OUTGOING.values()))
    raise ValueError(f"no part of the page is called {kind!r}")


def _schedule() -> str:
    lines = ["| Try | After the one before | Since the first |", "|---|---|---|", "| 1 | | at once |"]
    since = 0
    for number, delay in enumerate(RETRY_DELAYS_SECONDS, start=2):
        since += delay
        lines.append(f"| {number} | {_span(delay)} | {_span(since)} |")
    return "\n".join(lines) + "\n"


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def _entry(outgoing: OutgoingType) -> str:
    return f"### `{outgoing.type}`\n\n{outgoing.description}\n\n{_block(example_of(outgoing))}\n"


def _block(value: object) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"
