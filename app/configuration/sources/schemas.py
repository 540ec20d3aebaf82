"""What sources look like on the wire."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.configuration.fields import Key, Strict, TimeZone, Title
from app.configuration.sources.signature_schemas import HeaderName, SignatureIO
from app.domain.errors import InvalidError
from app.domain.scales import QuestionMeasure, get_scale
from app.sources.pulls import RECIPES
from app.sources.registry import ADAPTERS
from app.sources.shapes import FEEDBACK
from app.sources.signature_document import VERIFICATIONS

MAPPING_ADAPTER = "mapping"
_DAY = 86_400

SourceKey = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["chatwoot"])]


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value[:60]!r} is no network such as 192.0.2.0/24") from None


Network = Annotated[str, AfterValidator(_network)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def _known_word(field: str) -> AfterValidator:
    words = FEEDBACK[field].words or frozenset()

    def check(value: str) -> str:
        if value not in words:
            raise ValueError(f"{value[:60]!r} is not one of: {', '.join(sorted(words))}")
        return value

    return AfterValidator(check)


class QuestionRuleIO(Strict):
    """What one question of the partner asks, under the partner's own key for it."""

    as_: Literal["score", "text", "attribute", "nothing"] = Field(
        default="score", alias="as", description="what its answer is"
    )
    scale: Annotated[str, Field(max_length=64)] | None = Field(default=None, examples=["csat_1_5"])
    measure: QuestionMeasure | None = None
    question: Key | None = Field(default=None, description="our key for it; the partner's by default")
    words: dict[str, int | float | str] = Field(
        default_factory=dict,
        max_length=100,
        description="the partner's answers -> values of the scale",
        examples=[{"Good": 5, "Bad": 1}],
    )

    @model_validator(mode="after")
    def _has_a_known_scale(self) -> Self:
        if self.scale is not None:
            try:
                get_scale(self.scale)
            except InvalidError as error:
                raise ValueError(f"{error.detail}; {error.cure}") from None
        elif self.as_ == "score":
            raise ValueError("a score needs its scale, for example csat_1_5")
        return self


class SourceDefaultsIO(Strict):
    """What the source's events say where its payloads are silent."""

    channel: Annotated[str, _known_word("channel")] | None = Field(default=None, examples=["chat"])
    touchpoint: Key | None = Field(default=None, examples=["site_chat"])
    journey_stage: Annotated[str, _known_word("journey_stage")] | None = None
    location: Key | None = None
    employee: Key | None = None
    segment: Key | None = None
    product: Key | None = None
    lang: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    collection_mode: Annotated[str, _known_word("collection_mode")] | None = None
    ref_prefix: Annotated[str, StringConstraints(max_length=50, pattern=r"^[^\x00-\x1f]*$")] | None = Field(
        default=None, description="keeps references of two installations of one system apart"
    )
    questions: dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], QuestionRuleIO] = Field(
        default_factory=dict,
        max_length=300,
        description="what the partner's questions ask: forms, flows and buttons tell no scale",
        examples=[{"delivery_rating": {"scale": "csat_1_5", "measure": "csat"}}],
    )


class PullSettings(Strict):
    """What a source is asked for, and how often."""

    settings: dict[str, Annotated[str, StringConstraints(max_length=200)]] = Field(
        max_length=10, examples=[{"business": "la-palma-kyiv"}]
    )
    every_seconds: int = Field(default=900, ge=60, le=7 * _DAY)


class SourceSettings(Strict):
    """Everything about a source that may be shown."""

    title: Title | None = Field(default=None, examples=["Chat on the site"])
    adapter: str | None = Field(
        default=None,
        max_length=60,
        description=f"{', '.join(ADAPTERS)}, or `{MAPPING_ADAPTER}`; null: it posts canonical events itself",
        examples=["chatwoot"],
    )
    mapping: dict[str, Any] | None = Field(
        default=None, description=f"mapping document (format json) of the adapter `{MAPPING_ADAPTER}`"
    )
    verification: str = Field(
        default="none",
        max_length=60,
        description=f"signature family of its webhooks: {', '.join(VERIFICATIONS)}",
        examples=["chatwoot"],
    )
    verification_header: HeaderName | None = Field(
        default=None, description="where the family's proof stands, when not in its usual header"
    )
    signature: SignatureIO | None = Field(
        default=None,
        description="with `custom` (how the partner signs) and `google_oidc` (for whom the tokens are)",
        examples=[{"header": "X-Delighted-Webhook-Signature", "prefix": "sha256="}],
    )
    public_url: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https?://[^\s]+$")] | None = (
        Field(
            default=None,
            description="the address that the partner was given, as it knows it: some sign it, and a proxy "
            "may change it",
            examples=["https://feedback.example.com/in/in_3vJ..."],
        )
    )
    allowed_networks: Annotated[list[Network], Field(max_length=100)] = Field(
        default_factory=list,
        description="the partner's addresses; with a list, deliveries from elsewhere are refused (401)",
        examples=[["194.88.218.0/24"]],
    )
    pull: PullSettings | None = Field(
        default=None, description=f"for sources that are asked: {', '.join(RECIPES)}"
    )
    time_zone: TimeZone | None = Field(default=None, description="zone of times without an offset")
    defaults: SourceDefaultsIO = Field(default_factory=SourceDefaultsIO)
    handles_cases: bool = Field(
        default=False, description="complaints are worked there: its events decide whether a breach is final"
    )
    grace_seconds: int = Field(default=0, ge=0, le=7 * _DAY, description="how late its events usually come")
    expected_every_seconds: int | None = Field(
        default=None, ge=60, le=90 * _DAY, description="longer without an event: the source is silent"
    )
    backdate_bound_seconds: int = Field(
        default=7 * _DAY, ge=0, le=100 * 366 * _DAY, description="older events are marked `backdated`"
    )
    disabled: bool = Field(default=False, description="true: its webhooks are refused")


class SourceIn(SourceSettings):
    """The settings of a source; they replace the ones before. Secrets are kept unless they are sent."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Chat on the site",
                    "adapter": "chatwoot",
                    "verification": "chatwoot",
                    "secrets": ["the secret that the partner shows"],
                    "time_zone": "Europe/Kyiv",
                    "defaults": {"channel": "chat", "touchpoint": "site_chat"},
                    "handles_cases": True,
                    "grace_seconds": 60,
                }
            ]
        },
    )

    secrets: list[Secret] | None = Field(
        default=None,
        max_length=2,
        description="at most two live ones, for a rotation; never shown again. Left out: they stay",
    )

    credentials: dict[str, Annotated[str, StringConstraints(max_length=20_000)]] | None = Field(
        default=None,
        max_length=10,
        description="what a puller proves itself with; never shown again. Left out: they stay",
    )


class PullOut(BaseModel):
    """How the asking goes."""

    next_at: datetime
    pulled_at: datetime | None = Field(description="when it last worked")
    failures: int = Field(description="in a row")
    last_error: str | None


class SourceOut(SourceSettings):
    """A source: created when an event first named it, or when it was configured."""

    key: str = Field(examples=["chatwoot"])
    mapping_version: int | None = Field(description="number of the mapping document, from 1")
    has_credentials: bool = Field(default=False, description="whether a puller could prove itself")
    live_secrets: int = Field(description="how many secrets are stored")
    live_tokens: int = Field(description="how many secret paths lead to it")
    created_at: datetime
    last_event_at: datetime | None


class SourcePage(BaseModel):
    """Sources, by key."""

    items: list[SourceOut]
    next_cursor: str | None = None


class SourceCounts(BaseModel):
    """What a source has sent, and what became of it."""

    key: str
    days: int = Field(description="how many days back")
    adapted: int = Field(description="payloads that state events")
    ignored: int = Field(description="payloads that say nothing which is kept")
    quarantined: int = Field(description="payloads that were not understood, or not wholly")
    dismissed: int
    quarantine_reasons: dict[str, int] = Field(examples=[{"unknown_event": 2}])
    last_payload_at: datetime | None
    last_event_at: datetime | None = Field(description="by either door")
    is_silent: bool | None = Field(
        description="whether its last event is older than `expected_every_seconds`; null: none is stated"
    )


class TokenOut(BaseModel):
    """The secret path of a source's webhooks: shown once, stored as a hash."""

    token: str = Field(examples=["in_3vJ..."])
    path: str = Field(description="give the partner this path behind your host", examples=["/in/in_3vJ..."])
    created_at: datetime
    previous: Literal["dropped", "kept"] = Field(description="whether the paths before still work")
