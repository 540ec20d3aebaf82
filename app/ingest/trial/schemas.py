"""A trial on the wire: a sample and how to read it, the events that it gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.ingest.results import Status
from app.ingest.router import ItemError

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class TrialIn(BaseModel):
    """A sample, and the source, adapter or mapping that is to read it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "adapter": "typeform",
                    "defaults": {"questions": {"scale": {"scale": "csat_1_5", "measure": "csat"}}},
                    "payload": {
                        "event_type": "form_response",
                        "event_id": "e1",
                        "form_response": {"token": "t", "submitted_at": "2026-11-22T10:00:00Z"},
                    },
                }
            ]
        },
    )

    source: Name | None = Field(default=None, description="a configured source; what is given beside it wins")
    adapter: Annotated[str, StringConstraints(max_length=60)] | None = None
    mapping: dict[str, Any] | None = Field(default=None, description="a mapping document, format json")
    defaults: dict[str, Any] | None = Field(default=None, description="as in the source's configuration")
    handles_cases: bool | None = None
    time_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    payload: Any = Field(default=None, description="the sample as JSON")
    body: Annotated[str, StringConstraints(max_length=1_000_000)] | None = Field(
        default=None, description="the sample as it travels: a form, multipart, CSV"
    )
    content_type: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f]*$")] = (
        "application/json"
    )
    headers: dict[str, Annotated[str, StringConstraints(max_length=1_000)]] = Field(
        default_factory=dict, max_length=50, examples=[{"X-Shopify-Topic": "orders/paid"}]
    )


class TrialEvent(BaseModel):
    """One event that the sample states."""

    type: str
    id: str
    occurred_at: datetime
    subject: dict[str, str] | None = None
    object: str | None = None
    version: str | None = None
    data: dict[str, Any]
    status: Status | None = Field(
        default=None, description="what the journal would answer; null: it was not asked (command line)"
    )


class TrialOut(BaseModel):
    """What the sample says. Nothing is stored."""

    events: list[TrialEvent]
    errors: list[ItemError] = Field(description="what was not understood: it would go to quarantine")
    unscored: list[str] = Field(
        description="answers that no question of `defaults.questions` explains: kept as attributes"
    )
