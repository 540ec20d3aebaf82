"""`/v1/journey`: touchpoints are placed on the map, rules find them, templates to begin with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel, Field

from app.configuration.changes import Change, configuring
from app.configuration.documents import repository as documents
from app.configuration.fields import REFUSALS, Key, Strict, Title
from app.configuration.journey import repository
from app.configuration.nouns.repository import find_nouns
from app.configuration.nouns.schemas import KeyedNounIn, NounKind
from app.configuration.nouns.service import describe
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.journey.rules import Stage, parse_journey_rules
from app.domain.journey.templates import TEMPLATES, template
from app.editing import EditingRoute, IfMatch, check_match, etag_of_version

KEY = "default"
RULES_EXAMPLE = {
    "format": 1,
    "rules": [{"when": {"channel_raw": ["web-chat-2"]}, "touchpoint": "online_chat", "stage": "after"}],
}

router = APIRouter(
    prefix="/v1/journey",
    tags=["Journey"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


class PlacedTouchpoint(Strict):
    """A touchpoint and its place on the map. Channels are where customers come from, not touchpoints."""

    key: Key = Field(examples=["online_chat"])
    title: Title | None = Field(default=None, examples=["Online chat"])
    parent: Key | None = Field(default=None, description="the touchpoint above it")
    stage: Stage
    place: int = Field(default=0, ge=0, le=10_000, description="order within the stage")
    owner: Key | None = Field(default=None, description="who answers for it")
    is_key: bool = Field(default=False, description="must have an active survey")
    controllable: bool = True
    channels: list[Key] = Field(default_factory=list, max_length=20, examples=[["chat"]])
    questions: list[Key] = Field(
        default_factory=list, max_length=50, description="what is asked here", examples=[["csat_chat"]]
    )


class TouchpointsIn(Strict):
    """Touchpoints to be placed; those that are not listed stay where they are."""

    items: list[PlacedTouchpoint] = Field(min_length=1, max_length=1_000)


class TouchpointsOut(BaseModel):
    """The touchpoints that were placed, or those of a template."""

    items: list[PlacedTouchpoint]


class TemplatesOut(BaseModel):
    """Industries that have a template."""

    items: list[str] = Field(examples=[list(TEMPLATES)])


class JourneyRulesOut(BaseModel):
    """One version of the rules; version 0: there are none yet."""

    version: int
    document: dict[str, Any] = Field(examples=[RULES_EXAMPLE])


@router.put("/touchpoints", summary="Place touchpoints", operation_id="put_journey_touchpoints")
async def put_touchpoints(
    principal: ConfigManager, wanted: TouchpointsIn, database: DatabaseDep, now: NowDep
) -> TouchpointsOut:
    """All or none. Titles and parents go into the directory; what is stored keeps the names it has."""
    async with configuring(database, principal, now) as change:
        await _place(change, wanted.items)
    return TouchpointsOut(items=wanted.items)


@router.get("/rules", summary="Read the rules", operation_id="get_journey_rules")
async def get_rules(principal: ConfigManager, response: Response, database: DatabaseDep) -> JourneyRulesOut:
    """The newest version."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await documents.find_newest(connection, repository.RULES, principal.tenant_id, KEY)
    found = _rules_out(row)
    response.headers["ETag"] = etag_of_version(found.version)
    return found


@router.put("/rules", summary="Write the rules", operation_id="put_journey_rules")
async def put_rules(
    principal: ConfigManager,
    document: Annotated[dict[str, Any], Body(examples=[RULES_EXAMPLE])],
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> JourneyRulesOut:
    """A new version; it names the touchpoint of events from now on. For what is stored see the retags."""
    async with configuring(database, principal, now) as change:
        before = await documents.find_newest(change.connection, repository.RULES, change.tenant_id, KEY)
        check_match(if_match, None if before is None else etag_of_version(before.version))
        found = _rules_out(before)
        if found.document != document or before is None:
            found = JourneyRulesOut(version=found.version + 1, document=document)
            parse_journey_rules(document, found.version)
            values = {"tenant_id": change.tenant_id, "key": KEY, "created_at": change.now}
            await documents.insert_version(
                change.connection, repository.RULES, {**values, **found.model_dump()}
            )
            change.note("journey_rules.put", KEY, f"version {found.version}")
    response.headers["ETag"] = etag_of_version(found.version)
    return found


@router.get("/templates", summary="List templates", operation_id="list_journey_templates")
async def list_templates(_principal: ConfigManager) -> TemplatesOut:
    """Starting points by industry."""
    return TemplatesOut(items=list(TEMPLATES))


@router.get("/templates/{industry}", summary="Read a template", operation_id="get_journey_template")
async def get_template(
    _principal: ConfigManager,
    industry: Literal["retail", "restaurant", "telecom", "e_commerce"],
    lang: Literal["uk", "ru", "en"] = "en",
) -> TouchpointsOut:
    """Touchpoints by stage; change them as you like and PUT them to the map."""
    return TouchpointsOut(items=[PlacedTouchpoint(**item) for item in template(industry, lang)])


async def _place(change: Change, wanted: list[PlacedTouchpoint]) -> None:
    known = await find_nouns(
        change.connection, change.tenant_id, NounKind.TOUCHPOINT, [item.key for item in wanted]
    )
    nouns = [
        KeyedNounIn(
            key=item.key,
            title=item.title,
            parent=item.parent,
            details=known[item.key].details if item.key in known else {},
        )
        for item in wanted
    ]
    await describe(change, NounKind.TOUCHPOINT, nouns, "/items/{}")
    rows = [
        {"tenant_id": change.tenant_id, **item.model_dump(mode="json", exclude={"title", "parent"})}
        for item in wanted
    ]
    await repository.put_touchpoints(change.connection, rows)
    change.note("journey.put", "touchpoints", f"{len(rows)} placed")


def _rules_out(row: Any) -> JourneyRulesOut:
    if row is None:
        return JourneyRulesOut(version=0, document={"format": 1, "rules": []})
    return JourneyRulesOut(version=row.version, document=row.document)
