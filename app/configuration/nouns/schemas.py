"""What nouns look like on the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, FiniteFloat, StrictBool, StrictInt, StrictStr

from app.configuration.fields import Key, Strict, Title


class NounKind(StrEnum):
    """Which dimension of an event names it."""

    LOCATION = "location"
    EMPLOYEE = "employee"
    TOUCHPOINT = "touchpoint"
    PRODUCT = "product"
    SEGMENT = "segment"
    CAUSE = "cause"


Detail = (
    StrictBool
    | Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
    | FiniteFloat
    | Annotated[StrictStr, Field(max_length=2_000)]
    | None
)
Details = Annotated[dict[Annotated[str, Field(min_length=1, max_length=63)], Detail], Field(max_length=60)]


class NounIn(Strict):
    """The description of a noun; it replaces the one before."""

    title: Title | None = Field(default=None, examples=["Khreshchatyk 22"])
    parent: Key | None = Field(default=None, description="key of the same kind above it", examples=["kyiv"])
    details: Details = Field(default_factory=dict, examples=[{"city": "Kyiv", "opened": "2019-04-01"}])


class KeyedNounIn(NounIn):
    """One noun of a bulk description."""

    key: Key = Field(examples=["kyiv-1"])


class NounsIn(Strict):
    """Nouns to be described; those that are not listed stay as they are."""

    items: list[KeyedNounIn] = Field(min_length=1, max_length=1_000)


class NounOut(KeyedNounIn):
    """A noun: created when an event first named it, or when it was described."""

    uncategorised: bool = Field(description="met in an event, not yet described")
    first_seen_at: datetime


class NounPage(Strict):
    """Nouns of one kind, by key."""

    items: list[NounOut]
    next_cursor: str | None = None
