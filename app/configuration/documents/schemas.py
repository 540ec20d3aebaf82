"""What calendars, policies and their versions look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.domain.sla import calendar_preset, default_policy_document

CALENDAR_EXAMPLE = calendar_preset("9x5", tz="Europe/Kyiv")
_DEFAULT = default_policy_document()
POLICY_EXAMPLE = {
    **_DEFAULT,
    "rules": [rule for rule in _DEFAULT["rules"] if rule["name"] in ("interactions", "sev3")],
}


class CalendarOut(BaseModel):
    """One version of a calendar; it never changes."""

    key: str = Field(examples=["9x5"])
    version: int = Field(examples=[1])
    document: dict[str, Any] = Field(examples=[CALENDAR_EXAMPLE])
    created_at: datetime


class CalendarPage(BaseModel):
    """Calendars in their newest versions by key, or versions of one, the newest first."""

    items: list[CalendarOut]
    next_cursor: str | None = None


class PolicyOut(BaseModel):
    """One version of an SLA policy; it never changes."""

    key: str = Field(examples=["default"])
    version: int = Field(examples=[1])
    document: dict[str, Any]
    effective_from: datetime | None = Field(description="binds what opens from here; null: always")
    in_force: bool = Field(description="true: what opens now is bound by this version")
    created_at: datetime


class PolicyPage(BaseModel):
    """Policies in their newest versions by key, or versions of one, the newest first."""

    items: list[PolicyOut]
    next_cursor: str | None = None
