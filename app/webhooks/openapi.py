"""The `webhooks` section of OpenAPI, generated from the catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header
from pydantic import BaseModel, ConfigDict, Field

from app.webhooks.catalogue import OUTGOING, OutgoingType

EXAMPLE_AT = "2026-11-22T12:15:00Z"


class WebhookBody(BaseModel):
    """What is posted to an endpoint."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="which event this is", examples=["sla.breached"])
    timestamp: datetime = Field(description="when it happened (not when it was sent)")
    data: dict[str, Any] = Field(
        description="as in the type's example; `sequence` orders the events of a tenant: keep the greatest"
    )


WebhookId = Annotated[
    str, Header(alias="webhook-id", description="the same for every try of a message: deduplicate by it")
]
WebhookTimestamp = Annotated[
    int,
    Header(alias="webhook-timestamp", description="Unix seconds of this try: refuse more than 5 minutes off"),
]
WebhookSignature = Annotated[
    str,
    Header(
        alias="webhook-signature",
        description="space-separated `v1,<base64 HMAC-SHA256>` or `v1a,<base64 Ed25519>` over "
        "`{webhook-id}.{webhook-timestamp}.{body}` (Standard Webhooks)",
    ),
]


def describe_webhooks(api: FastAPI) -> None:
    """Declare every outgoing type on the application's description."""
    for outgoing in OUTGOING.values():
        api.webhooks.add_api_route(
            outgoing.type,
            _receive,
            methods=["POST"],
            summary=outgoing.type,
            description=outgoing.description,
            operation_id="on_" + outgoing.type.replace(".", "_"),
            tags=["Webhooks out"],
            status_code=204,
            response_description="any 2xx takes the message; anything else is tried again for three days",
            openapi_extra={
                "requestBody": {"content": {"application/json": {"example": example_of(outgoing)}}}
            },
        )


def _receive(
    body: WebhookBody,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None:
    """Never called: the receiver implements it."""


def example_of(outgoing: OutgoingType) -> dict[str, Any]:
    """A whole body of this type."""
    return {"type": outgoing.type, "timestamp": EXAMPLE_AT, "data": outgoing.example}
