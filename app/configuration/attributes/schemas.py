"""What custom attributes look like on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.configuration.fields import Strict, Title

AttributeKey = Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$", examples=["agency"])]


class AttributeType(StrEnum):
    """Type of an attribute's values."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


class AttributeIn(Strict):
    """The definition of an attribute; it replaces the one before and counts from the next event on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"type": "text", "title": "City agency", "groupable": True}]},
    )

    type: AttributeType
    title: Title | None = None
    personal: bool = Field(
        default=False,
        description="kept in the personal part of events, where erasure takes it; never a dimension",
    )
    groupable: bool = Field(default=False, description="metrics may filter and group by it")


class AttributeOut(BaseModel):
    """A registered attribute."""

    key: str = Field(examples=["agency"])
    type: AttributeType
    title: str | None
    personal: bool
    groupable: bool


class AttributePage(BaseModel):
    """Registered attributes, by key."""

    items: list[AttributeOut]
    next_cursor: str | None = None
