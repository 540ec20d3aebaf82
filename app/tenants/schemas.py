"""What tenants and their keys look like on the wire."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.auth import Scope
from app.kit.zones import zone_names

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
TenantKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


def _known_zone(name: str) -> str:
    if name not in zone_names():
        near = get_close_matches(name, zone_names(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no IANA time zone {name[:60]!r}{hint}")
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class TenantIn(BaseModel):
    """A tenant to be created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"key": "acme", "name": "Acme Retail", "time_zone": "Europe/Kyiv"}]},
    )

    key: TenantKey = Field(description="short name, for ever")
    name: Title
    time_zone: TimeZone = Field(default="UTC", description="IANA zone of reports and of days")
    synthetic: bool = Field(default=False, description="true: demonstration data, not customers")


class TenantPatch(BaseModel):
    """What the operator may change of a tenant; what is left out stays as it is.

    The short name and the zone stay for ever: days that were counted would be other days.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"disabled": True}, {"events_per_minute": 6000}]}
    )

    name: Title | None = None
    disabled: bool | None = Field(
        default=None,
        description="true: its keys and inlets are refused from their next request on",
    )
    events_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="what its keys may post a minute, on average; null: any number"
    )


class TenantOut(BaseModel):
    """A tenant."""

    id: str = Field(examples=["ten_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    key: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Retail"])
    time_zone: str = Field(examples=["Europe/Kyiv"])
    synthetic: bool
    created_at: datetime
    disabled_at: datetime | None = None
    events_per_minute: int | None = Field(default=None, description="null: no limit")


class TenantPage(BaseModel):
    """Tenants, oldest first."""

    items: list[TenantOut]
    next_cursor: str | None = None


class KeyIn(BaseModel):
    """An API key to be created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "call centre", "scopes": ["events:write"]}]},
    )

    name: Title = Field(description="what it is for, in your words")
    scopes: list[Scope] = Field(
        min_length=1, max_length=len(Scope), description="`admin` holds all the others"
    )
    expires_at: AwareDatetime | None = Field(default=None, description="refused from then on; null: never")


class KeyOut(BaseModel):
    """An API key without its text, which is shown once and never stored."""

    id: str = Field(examples=["key_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    hint: str = Field(description="prefix and last four letters", examples=["vk_live_...x1Yz"])
    name: str = Field(examples=["call centre"])
    scopes: list[Scope]
    state: Literal["live", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(default=None, description="to within five minutes; null: never")


class NewKeyOut(KeyOut):
    """An API key at its birth: the only time that its text is shown."""

    key: str = Field(examples=["vk_live_pQ3..."])


class KeyPage(BaseModel):
    """Keys, oldest first, the dead ones too."""

    items: list[KeyOut]
    next_cursor: str | None = None


class AuditEntry(BaseModel):
    """Something that was changed, and by whom."""

    id: str = Field(examples=["aud_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    at: datetime
    actor: str = Field(description="hint of the key, `operator` or `vidhuk`", examples=["vk_live_...x1Yz"])
    action: str = Field(examples=["key.created"])
    target: str
    detail: str | None = None


class AuditPage(BaseModel):
    """Entries of the audit, the newest first."""

    items: list[AuditEntry]
    next_cursor: str | None = None


class WhoAmI(BaseModel):
    """Whose key this is and what it may do."""

    tenant: TenantOut
    key: KeyOut
