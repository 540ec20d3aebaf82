"""How a time kept in a fact is read."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_of(value: object) -> datetime | None:
    """A time kept in a fact, aware and in UTC; None when there is none, or none that can be read."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None
