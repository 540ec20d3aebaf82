"""Raw payloads on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.ingest.router import ItemError

State = Literal["adapted", "ignored", "quarantined", "dismissed"]
PlainText = Annotated[str, StringConstraints(max_length=4_000_000, pattern=r"^[^\x00]*$")]


class PayloadOut(BaseModel):
    """What a provider sent, and what became of it."""

    id: str = Field(examples=["raw_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    source: str
    received_at: datetime
    state: State
    reason: str | None = Field(examples=["unknown_event"])
    detail: str | None = Field(description="where and why, statement by statement")
    events: list[str] = Field(description="ids, within the source, of the events that stand for it")
    mapping_version: int | None
    settled_at: datetime | None = Field(description="when it was last read again, or dismissed")


class PayloadDetail(PayloadOut):
    """A payload with its bytes: the one place with clear identifiers."""

    headers: dict[str, Any]
    body: str | None = Field(description="the body as text; null when it is no UTF-8")
    body_base64: str
    mended_body: str | None = Field(description="what it was replayed as, when somebody mended it")


class PayloadPage(BaseModel):
    """Payloads, newest first."""

    items: list[PayloadOut]
    next_cursor: str | None = None


class PayloadReplayIn(BaseModel):
    """How to read a payload again: as it came, or mended."""

    model_config = ConfigDict(extra="forbid")

    payload: Any = Field(default=None, description="a mended payload, as JSON")
    text: PlainText | None = Field(default=None, description="a mended payload, as text (a form, CSV)")
    announce: bool = Field(default=True, description="false: decide and count what follows, announce nothing")
    dry_run: bool = Field(default=False, description="say what would happen, change nothing")


class DismissIn(BaseModel):
    """Why a payload is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        examples=["a test of the partner"]
    )


class Reread(BaseModel):
    """What came of one payload that was read again."""

    id: str
    state: State
    added: int = Field(description="events that the journal has now and had not before")
    unchanged: int
    retracted: int = Field(description="events taken back: the payload does not state them any more")
    errors: list[ItemError] = Field(description="why it is (still) in quarantine")


class ReprocessIn(BaseModel):
    """Which payloads to read again with the adapter, mapping and questions that the source has now."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
    state: State | None = Field(default=None, description="only these; all but dismissed ones by default")
    reason: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] | None = None
    since: datetime | None = Field(default=None, description="only what arrived from then on")
    until: datetime | None = Field(default=None, description="only what arrived before")
    announce: bool = Field(default=False, description="announce what follows; by default nothing is")
    dry_run: bool = False
    limit: int = Field(default=200, ge=1, le=1_000, description="payloads of one call")
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the call before"
    )


class ReprocessOut(BaseModel):
    """What came of them; with `next_cursor` there are more."""

    read: int
    added: int
    unchanged: int
    retracted: int
    quarantined: int
    dry_run: bool
    items: list[Reread] = Field(description="those that changed something, or were not understood")
    next_cursor: str | None = None
