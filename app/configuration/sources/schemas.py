"""What sources look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.configuration.fields import Key, Strict, TimeZone, Title
from app.sources.registry import ADAPTERS
from app.sources.shapes import FEEDBACK
from app.sources.signatures import FAMILIES

MAPPING_ADAPTER = "mapping"
_DAY = 86_400

SourceKey = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["chatwoot"])]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def _known_word(field: str) -> AfterValidator:
    words = FEEDBACK[field].words or frozenset()

    def check(value: str) -> str:
        if value not in words:
            raise ValueError(f"{value[:60]!r} is not one of: {', '.join(sorted(words))}")
        return value

    return AfterValidator(check)


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
        description=f"signature family of its webhooks: {', '.join(FAMILIES)}",
        examples=["chatwoot"],
    )
    verification_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")] | None = Field(
        default=None, description="where the family's proof stands, when not in its usual header"
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


class SourceOut(SourceSettings):
    """A source: created when an event first named it, or when it was configured."""

    key: str = Field(examples=["chatwoot"])
    live_secrets: int = Field(description="how many secrets are stored")
    live_tokens: int = Field(description="how many secret paths lead to it")
    created_at: datetime
    last_event_at: datetime | None


class SourcePage(BaseModel):
    """Sources, by key."""

    items: list[SourceOut]
    next_cursor: str | None = None


class TokenOut(BaseModel):
    """The secret path of a source's webhooks: shown once, stored as a hash."""

    token: str = Field(examples=["in_3vJ..."])
    path: str = Field(description="give the partner this path behind your host", examples=["/in/in_3vJ..."])
    created_at: datetime
    previous: Literal["dropped", "kept"] = Field(description="whether the paths before still work")
