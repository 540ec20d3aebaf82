"""What replays look like on the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.webhooks.schemas import Patterns

_EXAMPLE: dict[str, Any] = {
    "which": "failed",
    "since": "2026-11-20T08:00:00Z",
    "until": "2026-11-22T08:00:00Z",
    "messages_per_second": 20,
}


class Which(StrEnum):
    """Which messages of the range are sent again."""

    FAILED = "failed"
    MISSING = "missing"
    ALL = "all"


class ReplayIn(BaseModel):
    """A range of messages to send again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    which: Which = Field(
        default=Which.FAILED,
        description="`failed`: what ended undelivered starts its schedule afresh, same id. `missing`: events "
        "that this endpoint would get by its types and filter of today, but never got, as new messages. "
        "`all`: all that was sent or given up, same id",
    )
    since: AwareDatetime = Field(description="messages that came to be from then on, at most 90 days ago")
    until: AwareDatetime | None = Field(default=None, description="and before then; default: now")
    event_types: Patterns | None = Field(default=None, description="only of these types; default: all")
    messages_per_second: int = Field(
        default=20,
        ge=1,
        le=500,
        description="how fast they are queued; the endpoint's throttle holds too",
    )


class ReplayOut(BaseModel):
    """A replay and how far it is."""

    id: str = Field(examples=["rpl_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    endpoint_id: str
    state: str = Field(description="running, done (all is queued) or cancelled", examples=["running"])
    which: Which
    since: datetime
    until: datetime
    event_types: list[str]
    messages_per_second: int
    total: int = Field(description="found when it was asked for")
    queued: int = Field(description="queued again so far")
    passed_over: int = Field(description="found, but waiting already, filtered out, or their body is gone")
    waiting: int | None = Field(default=None, description="queued and not yet settled (only for one replay)")
    delivered: int | None = Field(default=None, description="queued and delivered (only for one replay)")
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class ReplayPage(BaseModel):
    """Replays, newest first."""

    items: list[ReplayOut]
    next_cursor: str | None = None
