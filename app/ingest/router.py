"""The API description of the events door; the requests themselves are answered before the framework."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.ingest.results import Status
from app.ingest.schemas import DATA_MODELS, EventIn
from app.problems import Problem

router = APIRouter(tags=["Events"])

_EXAMPLE = {
    "type": "feedback.received",
    "id": "call-4711-nps",
    "source": "call-centre",
    "occurred_at": "2026-11-22T10:15:00+02:00",
    "data": {
        "channel": "call",
        "touchpoint": "support_line",
        "employee": "olena",
        "question": "nps_after_call",
        "scale": "nps_0_10",
        "value": 9,
        "customer": {"type": "phone", "value": "+380501234567"},
    },
}


class ItemError(BaseModel):
    """Why one event was rejected."""

    code: str
    status: int
    detail: str
    pointer: str
    cure: str | None = None
    retryable: bool = Field(
        description="true: the fault is ours and of the moment; send the same event again"
    )


class ItemResult(BaseModel):
    """What became of one event."""

    index: int
    id: str | None
    status: Status
    event_id: str | None = Field(default=None, examples=["evt_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    error: ItemError | None = None


class BatchResult(BaseModel):
    """What became of each event, in input order."""

    dry_run: bool
    counts: dict[str, int]
    results: list[ItemResult]


class EventResult(BaseModel):
    """What became of the event."""

    id: str
    status: Literal["created", "duplicate", "revised", "stale"]
    event_id: str | None = Field(default=None, description="none for what a dry run would create")


def _request_body() -> dict[str, Any]:
    event: dict[str, Any] = {"$ref": "#/components/schemas/EventIn"}
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [event, {"type": "array", "items": event, "maxItems": 10_000}]},
                "examples": {"one": {"value": _EXAMPLE}, "several": {"value": [_EXAMPLE]}},
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "one event a line"}},
            "application/cloudevents+json": {
                "schema": {
                    "type": "object",
                    "description": "a structured CloudEvent: `time` = occurred_at, `subject` = kind/ref; in "
                    "binary mode the attributes are `ce-` headers and the body is the data",
                    "required": ["specversion", "id", "source", "type", "time"],
                }
            },
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": {"type": "object"}, "description": "CloudEvents"}
            },
        },
    }


@router.post(
    "/v1/events",
    summary="Post events",
    operation_id="post_events",
    status_code=200,
    response_model=BatchResult,
    responses={
        201: {"model": EventResult, "description": "one event was stored"},
        **{code: {"model": Problem} for code in (400, 401, 403, 408, 409, 413, 415, 422, 503)},
    },
    openapi_extra={
        "requestBody": _request_body(),
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": {"type": "boolean", "default": False},
                "description": description,
            }
            for name, description in {
                "atomic": "all or nothing",
                "dry_run": "say what would happen, store nothing",
                "backfill": "history: what fell due before now is decided and counted, but not announced",
                "open_cases": "with `backfill`: let negative feedback open cases",
            }.items()
        ]
        + [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "serves as the `id` of an event without one (`key/index` in a batch)",
            }
        ],
        "security": [{"HTTPBearer": []}, {"APIKeyHeader": []}, {"HTTPBasic": []}],
    },
)
async def post_events() -> BatchResult:
    """Store facts. Answered after the commit; nothing that was acknowledged is ever lost.

    One event: 201 created, 200 for a duplicate, a revision or a stale version, a problem otherwise.
    Several: 200 with one result per event, in input order; the good ones are stored.
    """
    raise AssertionError("the door stands in front of this route")


def event_schemas() -> dict[str, Any]:
    """JSON schemas of the envelope and of the data of each event type, for the API description."""
    schemas: dict[str, Any] = {}
    models: list[type[BaseModel]] = [EventIn, *dict.fromkeys(DATA_MODELS.values())]
    for model in models:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas["EventIn"]["properties"]["data"]["description"] = "by `type`: " + "; ".join(
        f"{event_type.value}: {model.__name__}"
        for event_type, model in DATA_MODELS.items()
        if not event_type.is_derived
    )
    return schemas
