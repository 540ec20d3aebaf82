"""`/v1/privacy/retention`: how long words, raw bodies and the decision log are kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.configuration.changes import configuring, difference
from app.configuration.fields import REFUSALS, Strict
from app.configuration.retention import repository
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.editing import EditingRoute, IfMatch, check_match, etag_of

router = APIRouter(
    prefix="/v1/privacy/retention",
    tags=["Privacy"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)
Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionRules(Strict):
    """Days; null leaves things as they are. Facts and counters are kept in any case."""

    text_days: Days | None = Field(
        default=None,
        description="texts, authors, references, and what of them stands in webhook messages, delivered or "
        "not; null: kept (messages: as the service is set, which is the longest there is)",
    )
    raw_days: Days | None = Field(
        default=None, description="raw payloads; null: as the service is set, which is the longest there is"
    )
    decision_days: Days | None = Field(default=None, description="the log of asking; null: kept")
    message_days: Days | None = Field(
        default=None,
        description="webhook messages with their attempts; longer than `text_days`: the record of what was "
        "sent and answered outlives its words; null: they go with `text_days`",
    )


@router.get("", summary="Read the retention rules", operation_id="get_retention")
async def get_retention(
    principal: ConfigManager, response: Response, database: DatabaseDep
) -> RetentionRules:
    """What holds for this tenant."""
    async with database.tenant(principal.tenant_id) as connection:
        rules = _out(await repository.find_rules(connection, principal.tenant_id))
    response.headers["ETag"] = etag_of(rules)
    return rules


@router.put("", summary="Write the retention rules", operation_id="put_retention")
async def put_retention(
    principal: ConfigManager,
    wanted: RetentionRules,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> RetentionRules:
    """Carried out within the hour. What was dropped does not come back."""
    async with configuring(database, principal, now) as change:
        before = _out(await repository.find_rules(change.connection, principal.tenant_id))
        check_match(if_match, etag_of(before))
        detail = difference(before.model_dump(), wanted.model_dump())
        if detail is not None:
            values = {"tenant_id": principal.tenant_id, **wanted.model_dump(), "updated_at": change.now}
            await repository.put_rules(change.connection, values)
            change.note("retention.put", "default", detail)
    response.headers["ETag"] = etag_of(wanted)
    return wanted


def _out(row: Any) -> RetentionRules:
    if row is None:
        return RetentionRules()
    return RetentionRules(**{name: getattr(row, name) for name in RetentionRules.model_fields})
