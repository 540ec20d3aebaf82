"""`/v1/metrics/alerts`: rules by which the worker watches metrics, and what is raised."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from app.deps import ConfigManager, DatabaseDep, MetricsReader, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.editing import EditingRoute, IfMatch, check_match, etag_of
from app.journal.audit import Deed, append_audit
from app.kit import json
from app.metrics.alerts import repository
from app.metrics.alerts.schemas import AlertIn, AlertKey, AlertOut, AlertPage, RaisedOut
from app.metrics.query import resolve
from app.metrics.repository import snapshot
from app.problems import Problem

router = APIRouter(
    prefix="/v1/metrics/alerts",
    tags=["Metrics"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 412, 422, 503)},
)

KeyInPath = Annotated[AlertKey, Path(examples=["staff-above-25"])]


@router.get("", summary="List alert rules", operation_id="list_alerts")
async def list_alerts(principal: MetricsReader, database: DatabaseDep) -> AlertPage:
    """All rules by key, each with the groups for which it is raised now."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_alerts(connection, principal.tenant_id)
        states = await repository.list_states(connection, principal.tenant_id)
    raised: defaultdict[str, list[RaisedOut]] = defaultdict(list)
    for state in states:
        raised[state.alert].append(_raised(state))
    return AlertPage(items=[_shown(row, raised[row.key]) for row in rows])


@router.get("/{key}", summary="Get an alert rule", operation_id="get_alert")
async def get_alert(
    principal: MetricsReader, key: KeyInPath, response: Response, database: DatabaseDep
) -> AlertOut:
    """One rule with the groups for which it is raised; the ETag is the rule's alone."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_alert(connection, principal.tenant_id, key)
        states = await repository.list_states(connection, principal.tenant_id)
    if row is None:
        raise _unknown(key)
    alert = _shown(row, [_raised(state) for state in states if state.alert == key])
    response.headers["ETag"] = _etag(alert)
    return alert


@router.put("/{key}", summary="Write an alert rule", operation_id="put_alert")
async def put_alert(
    principal: ConfigManager,
    key: KeyInPath,
    wanted: AlertIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> AlertOut:
    """Write a rule or replace it; what the old one had raised is forgotten, the new one is looked at soon."""
    if wanted.query is not None:
        async with snapshot(database, principal.tenant_id) as view:
            resolve(wanted.query, await view.get_facts(), now)
    document = wanted.model_dump(mode="json", by_alias=True)
    async with database.tenant(principal.tenant_id) as connection:
        before = await repository.find_alert(connection, principal.tenant_id, key, lock=True)
        check_match(if_match, None if before is None else _etag(_shown(before, [])))
        await repository.put_alert(connection, principal.tenant_id, key, document, now)
        deed = Deed(principal.hint, "metric_alert.put", key, now, json.dumps_text(document))
        await append_audit(connection, principal.tenant_id, deed)
    told: dict[str, Any] = {"key": key, "evaluated_at": None, "problem": None, "raised": []}
    alert = AlertOut(**{**document, **told})
    response.headers["ETag"] = _etag(alert)
    return alert


@router.delete("/{key}", summary="Remove an alert rule", operation_id="delete_alert", status_code=204)
async def delete_alert(
    principal: ConfigManager, key: KeyInPath, database: DatabaseDep, now: NowDep, if_match: IfMatch = None
) -> None:
    """Remove a rule and what it had raised; nobody is told."""
    async with database.tenant(principal.tenant_id) as connection:
        before = await repository.find_alert(connection, principal.tenant_id, key, lock=True)
        if before is None:
            raise _unknown(key)
        check_match(if_match, _etag(_shown(before, [])))
        await repository.delete_alert(connection, principal.tenant_id, key)
        deed = Deed(principal.hint, "metric_alert.deleted", key, now)
        await append_audit(connection, principal.tenant_id, deed)


def _shown(row: Any, raised: list[RaisedOut]) -> AlertOut:
    told = {"key": row.key, "evaluated_at": row.evaluated_at, "problem": row.problem, "raised": raised}
    return AlertOut(**{**row.document, **told})


def _raised(state: Any) -> RaisedOut:
    return RaisedOut(unit=json.loads(state.unit), raised_at=state.raised_at, finding=state.finding)


def _etag(alert: AlertOut) -> str:
    """The tag of the rule itself: what it found is not what an editor edits."""
    return etag_of(alert, without=("evaluated_at", "problem", "raised"))


def _unknown(key: str) -> NotFoundError:
    return NotFoundError("not_found", f"there is no alert {key!r}")
