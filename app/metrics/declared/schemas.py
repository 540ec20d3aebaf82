"""What declared cuboids look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.metrics.declared.source import MOST_DIMENSIONS

CuboidKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class CuboidIn(BaseModel):
    """A combination of dimensions to count ahead."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"dimensions": ["location", "attributes.agency"]}]}
    )

    dimensions: list[Name] = Field(
        min_length=1,
        max_length=MOST_DIMENSIONS,
        description="of answers; registered attributes of type text too. Question, measure, scale and "
        "collection mode are always kept apart",
    )


class CuboidOut(CuboidIn):
    """A declared cuboid and how far it is."""

    key: str
    created_at: datetime
    state: Literal["building", "ready", "failed"] = Field(
        description="`ready`: queries that it covers are answered from it"
    )
    folded_seq: int = Field(description="commits up to here are counted; queries add the rest")
    behind: int = Field(description="commits still to fold")
    rows: int
    problem: str | None = Field(description="`value_too_long`: an attribute beyond 300 bytes cannot be a key")


class Cuboids(BaseModel):
    """The declared cuboids by key."""

    items: list[CuboidOut]
