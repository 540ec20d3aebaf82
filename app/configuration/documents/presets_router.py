"""`/v1/sla/presets`: rules of law and of standards as timers, to read and to adopt."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from app.configuration.changes import configuring
from app.configuration.documents import repository
from app.configuration.documents.repository import POLICIES
from app.configuration.documents.schemas import PolicyOut
from app.configuration.documents.service import put_policy
from app.configuration.fields import REFUSALS, DocumentKey, Strict
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.domain.sla.regulatory import REGULATORY_PRESETS, RegulatoryPreset, adopt, get_regulatory_preset
from app.editing import EditingRoute, IfMatch, etag_of_version

router = APIRouter(
    prefix="/v1/sla/presets",
    tags=["SLA"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)

_PolicyKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}$")]


class PresetOut(BaseModel):
    """A rule of law or of a standard as timers."""

    key: str = Field(examples=["fca_payments"])
    title: str
    jurisdiction: str = Field(description="ISO 3166-1 alpha-2; empty: international", examples=["GB"])
    source: str = Field(description="where its numbers come from")
    note: str
    warning: str = Field(examples=["Verify before use: ..."])
    rule: dict[str, Any] = Field(description="what adopting it adds to a policy")


class PresetPage(BaseModel):
    """All presets."""

    items: list[PresetOut]


class AdoptionIn(Strict):
    """Into which policy, by which calendar, and for which cases."""

    policy: _PolicyKey = Field(
        default="default",
        description="a new version of this policy is made; one that does not exist yet is begun, to bind "
        "beside the others (`calendar` is needed then)",
    )
    calendar: _PolicyKey | None = Field(
        default=None, description="its business days; default: the policy's calendar"
    )
    when: dict[str, Any] | None = Field(
        default=None,
        description="a further condition",
        examples=[{"attributes": {"product_line": "payments"}}],
    )
    verified: bool = Field(description="true: somebody compared the preset with the rule in force")


@router.get("", summary="List presets of law", operation_id="list_sla_presets")
async def list_presets(principal: ConfigManager) -> PresetPage:
    """Every preset, each with its source; verify before use."""
    return PresetPage(items=[_preset_out(preset) for preset in REGULATORY_PRESETS])


@router.get("/{key}", summary="Read a preset of law", operation_id="get_sla_preset")
async def get_preset(principal: ConfigManager, key: DocumentKey) -> PresetOut:
    """One preset."""
    return _preset_out(get_regulatory_preset(key))


@router.post(
    "/{key}/adoptions", summary="Adopt a preset of law", operation_id="adopt_sla_preset", status_code=201
)
async def adopt_preset(
    principal: ConfigManager,
    key: DocumentKey,
    adoption: AdoptionIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> PolicyOut:
    """A new version of a policy with the preset's timers beside its own; it binds what opens from now on.

    Adopted again, it replaces what was adopted before.
    """
    preset = get_regulatory_preset(key)
    async with configuring(database, principal, now) as change:
        row = await repository.find_newest(change.connection, POLICIES, change.tenant_id, adoption.policy)
        if row is None and adoption.calendar is None:
            cure = "name a policy that exists, or a `calendar` to begin this one"
            raise NotFoundError(
                "not_found", f"there is no policy {adoption.policy!r}", pointer="/policy", cure=cure
            )
        begun = {"format": 1, "title": preset.title, "calendar": adoption.calendar, "rules": []}
        stated = begun if row is None else row.document
        newest = {name: value for name, value in stated.items() if name != "effective_from"}
        document = adopt(newest, preset, preset.rule(adoption.calendar, adoption.when))
        policy = await put_policy(change, adoption.policy, document, if_match)
        verified = "verified" if adoption.verified else "NOT verified"
        change.note("preset.adopt", key, f"{adoption.policy} version {policy.version}, {verified}")
    response.headers["ETag"] = etag_of_version(policy.version)
    return policy


def _preset_out(preset: RegulatoryPreset) -> PresetOut:
    return PresetOut(
        key=preset.key,
        title=preset.title,
        jurisdiction=preset.jurisdiction,
        source=preset.source,
        note=preset.note,
        warning=preset.warning,
        rule=preset.rule(),
    )
