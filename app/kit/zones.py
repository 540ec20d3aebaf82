"""The time zones that may be named: those that mean the same on every machine, and to the database."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

_OF_THE_MACHINE: Final = frozenset({"localtime"})
"""Some systems list their own setting among the zones; PostgreSQL knows no such zone."""


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The IANA names."""
    return frozenset(available_timezones()) - _OF_THE_MACHINE
