"""What tenants and their keys look like on the wire."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.auth import Scope

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
TenantKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]

_known_zones = lru_cache(maxsize=1)(available_timezones)


def _known_zone(name: str) -> str:
    if name not in _known_zones():
        near = get_close_matches(name, _known_zones(), n=1)
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


class TenantOut(BaseModel):
    """A tenant."""

    id: str = Field(examples=["ten_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    key: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Retail"])
    time_zone: str = Field(examples=["Europe/Kyiv"])
    synthetic: bool
    created_at: datetime


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


class NewKeyOut(KeyOut):
    """An API key at its birth: the only time that its text is shown."""

    key: str = Field(examples=["vk_live_pQ3..."])


class KeyPage(BaseModel):
    """Keys, oldest first, the dead ones too."""

    items: list[KeyOut]
    next_cursor: str | None = None


class WhoAmI(BaseModel):
    """Whose key this is and what it may do."""

    tenant: TenantOut
    key: KeyOut
