"""What endpoints, messages and attempts look like on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.webhooks.options import FILTER_EXAMPLE, EndpointOptions


def _in_utc(at: datetime) -> datetime:
    """The same moment in UTC: at the ends of the calendar a zone may lead out of it."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is outside of the calendar") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=100)]
Description = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Scheme = Literal["hmac", "ed25519"]

_EXAMPLE: dict[str, Any] = {
    "url": "https://crm.example.com/webhooks/vidhuk",
    "event_types": ["sla.*", "case.opened"],
    "description": "CRM",
}
_FILTERED: dict[str, Any] = {
    "url": "https://pager.example.com/hooks",
    "event_types": ["sla.breached", "sla.escalated"],
    "filter": FILTER_EXAMPLE,
    "payload": "thin",
    "throttle": {"messages": 60, "seconds": 60},
}


class EndpointIn(EndpointOptions):
    """An endpoint to be created."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE, _FILTERED]})

    url: Url = Field(description="http or https, a public address")
    event_types: Patterns = Field(default=["*"], description="exact types, `family.*`, or `*` for all")
    description: Description | None = None
    headers: dict[str, str] = Field(
        default_factory=dict, description="sent with every try; stored sealed and never shown again"
    )
    signature: Scheme = Field(default="hmac", description="`ed25519`: the receiver holds only a public key")
    secret: str | None = Field(
        default=None,
        max_length=200,
        description="`whsec_...` or `whsk_...` of your own; generated when left out",
    )


class EndpointPatch(EndpointOptions):
    """What to change of an endpoint; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"event_types": ["sla.breached"]}]}
    )

    # by factories: a default that its own schema refuses has no place in the API description
    url: Url = Field(default_factory=str, description="messages that wait go to the new URL")
    event_types: Patterns = Field(default_factory=list)
    description: Description | None = None
    headers: dict[str, str] = Field(default_factory=dict, description="replaces all custom headers")


class SecretOut(BaseModel):
    """A signing secret, without the secret."""

    kind: Scheme
    created_at: datetime
    expires_at: datetime | None = Field(description="end of the overlap; null: the current one")
    public_key: str | None = Field(description="`whpk_...`, for ed25519")


class HandshakeOut(BaseModel):
    """What the receiver said when it was asked (OPTIONS) whether it wants our CloudEvents."""

    state: Literal["allowed", "not_allowed", "no_answer"] = Field(
        description="only shown: messages are sent in any case"
    )
    origin: str = Field(description="the `WebHook-Request-Origin` that we gave")
    allowed_per_minute: int | None = Field(
        description="`WebHook-Allowed-Rate`; a faster `throttle` yields to it"
    )
    status: int | None
    detail: str | None
    checked_at: datetime


class EndpointOut(EndpointOptions):
    """An endpoint."""

    id: str = Field(examples=["ep_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    url: str
    event_types: list[str]
    description: str | None
    header_names: list[str] = Field(description="custom headers; their values are never shown")
    state: Literal["enabled", "disabled"]
    disabled_at: datetime | None
    disabled_reason: Literal["operator", "gone", "asked", "failing"] | None
    failing_since: datetime | None = Field(description="first failure since the last success")
    failures: int = Field(description="failures in a row")
    open_until: datetime | None = Field(
        description="left alone until then (it failed ten times in a row, or asked to wait); then one probe"
    )
    handshake: HandshakeOut | None = Field(
        default=None, description="only with `format: cloudevents`; asked at each change of URL and each test"
    )
    waiting: int | None = Field(default=None, description="messages not yet settled (only for one endpoint)")
    created_at: datetime
    updated_at: datetime
    secrets: list[SecretOut]


class NewEndpointOut(EndpointOut):
    """A new endpoint with its secret: the only time that it is shown."""

    secret: str | None = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class EndpointPage(BaseModel):
    """Endpoints, oldest first."""

    items: list[EndpointOut]
    next_cursor: str | None = None


class RotateIn(BaseModel):
    """How to change over to a new secret."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_seconds": 86_400}]})

    overlap_seconds: int = Field(
        default=86_400,
        ge=0,
        le=7 * 86_400,
        description="for so long messages are signed with the old one too",
    )
    signature: Scheme = "hmac"
    secret: str | None = Field(default=None, max_length=200)


class RotateOut(BaseModel):
    """The new secret: the only time that it is shown."""

    secret: str | None = Field(description="null for a private key, which never leaves: use `public_key`")
    public_key: str | None
    secrets: list[SecretOut]


class TestIn(BaseModel):
    """Which event to send as a test."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"event_type": "sla.breached"}]}
    )

    event_type: str = Field(
        default="endpoint.test", max_length=100, description="its catalogue example is sent"
    )


class MessageRef(BaseModel):
    """A message that was queued: follow its attempts."""

    message_id: str = Field(examples=["msg_01kb3v6n8qe5vr2a4d1f7m9xyz"])


class MessageOut(BaseModel):
    """One event for one endpoint."""

    id: str = Field(description="the `webhook-id`", examples=["msg_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    endpoint_id: str
    event_id: str
    sequence: int = Field(description="place of the event in the tenant's order")
    type: str
    occurred_at: datetime
    created_at: datetime
    state: Literal["pending", "delivered", "exhausted", "quarantined", "cancelled"]
    attempts: int
    last_status: int | None
    last_failure: str | None
    settled_at: datetime | None
    next_at: datetime | None = Field(
        description="when the next try is due (or, being tried, must have ended)"
    )
    waits_for: str | None = Field(
        default=None, description="the earlier message that it must not overtake (an ordered endpoint)"
    )
    subject: str | None = Field(default=None, description="the case or subject that it is about")
    replay_id: str | None = Field(default=None, description="the latest replay that queued it again")
    redacted_at: datetime | None = Field(
        default=None, description="when a person or old words were taken out: earlier tries posted more"
    )


class MessageDetail(MessageOut):
    """A message with what is posted."""

    content_type: str
    body: dict[str, Any] | None = Field(
        description="exactly what is posted, parsed; null once retention or erasure took it"
    )


class MessageProof(MessageDetail):
    """A message with the very bytes that are posted."""

    raw: str | None = Field(
        description="the body to the byte (UTF-8): each attempt signed `webhook-id.webhook-timestamp.raw`"
    )


class MessagePage(BaseModel):
    """Messages; with what is posted where that was asked for."""

    items: list[MessageDetail | MessageOut]
    next_cursor: str | None = None


class RequestOut(BaseModel):
    """The request of a try; its body is the message's."""

    method: Literal["POST"] = "POST"
    url: str
    headers: dict[str, str] = Field(description="as they were sent, but for the endpoint's custom ones")


class AttemptOut(BaseModel):
    """One HTTP try."""

    number: int
    attempted_at: datetime
    outcome: Literal["delivered", "failed", "internal", "unknown"]
    failure: str | None = Field(description="class of the failure", examples=["timeout"])
    status: int | None
    manual: bool
    duration_ms: int | None
    detail: str | None
    reply_bytes: int | None = Field(description="bytes read of the reply's body, at most 16,384")
    reply_sha256: str | None
    reply_excerpt: str | None = Field(description="at most 1,000 printable characters")
    next_at: datetime | None
    request: RequestOut | None = Field(description="what was sent; null where that is not known")


class AttemptPage(BaseModel):
    """Attempts in order."""

    items: list[AttemptOut]
