"""What saved queries and their feeds look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.metrics.schemas import MetricQueryIn

QueryKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SavedQueryIn(BaseModel):
    """A query to keep; a relative period stays relative."""

    model_config = ConfigDict(extra="forbid")

    title: Title = Field(examples=["NPS by touchpoint, last 28 days"])
    query: MetricQueryIn


class SavedQueryOut(BaseModel):
    """A saved query and where its answer is."""

    key: str = Field(examples=["nps-by-touchpoint"])
    title: str
    query: MetricQueryIn
    url: str = Field(description="its answer; `.csv`, `.xlsx` ... may be added")
    created_at: datetime
    updated_at: datetime


class SavedQueries(BaseModel):
    """All saved queries by key."""

    items: list[SavedQueryOut]


class FeedIn(BaseModel):
    """A feed to open."""

    model_config = ConfigDict(extra="forbid")

    name: Title = Field(description="who reads it", examples=["Sheet of the board"])
    expires_in_days: int = Field(default=90, ge=1, le=400)
    reads_rows: bool = Field(
        default=False,
        description="show what groups below five answers are made of (the key that opens it must hold "
        "`feedback:read`)",
    )


class FeedOut(BaseModel):
    """A feed without its address, which is shown once."""

    id: str = Field(examples=["feed_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    name: str
    query: str = Field(description="key of the saved query")
    state: Literal["live", "expired", "revoked"]
    reads_rows: bool
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewFeedOut(FeedOut):
    """A feed at its birth."""

    url: str = Field(description="CSV for whoever has this address; keep it like a password")


class Feeds(BaseModel):
    """Feeds of a query, newest first, the dead ones too."""

    items: list[FeedOut]
