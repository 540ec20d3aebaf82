"""What requests of people and the answers to them look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class PersonIn(BaseModel):
    """How the person is known."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = Field(examples=["email"])
    value: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = Field(
        examples=["olena@example.com"]
    )


class ErasureIn(BaseModel):
    """Forget this person."""

    model_config = ConfigDict(extra="forbid")

    customer: PersonIn


class ErasureOut(BaseModel):
    """An erasure: asked for, and carried out within seconds."""

    id: str = Field(examples=["ers_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    state: Literal["pending", "completed"]
    requested_at: datetime
    completed_at: datetime | None
    counts: dict[str, int] = Field(description="what was reached: table -> rows")


class ErasurePage(BaseModel):
    """Erasures, the newest first."""

    items: list[ErasureOut]


class ExportIn(BaseModel):
    """Everything about this person."""

    model_config = ConfigDict(extra="forbid")

    customer: PersonIn


class ExportOut(BaseModel):
    """Everything that is stored about one person."""

    customer_ref: str
    events: list[dict[str, Any]] = Field(description="facts and personal parts, in journal order")
    tables: dict[str, list[dict[str, Any]]] = Field(description="what was derived from them, table by table")
    raw_payloads: list[dict[str, Any]] = Field(description="what providers sent, while it is kept")
    truncated: bool = Field(description="true: more is stored than one answer holds")
