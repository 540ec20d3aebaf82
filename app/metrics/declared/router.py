"""HTTP: the cuboids that a tenant declares, and how far they are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Path

from app.deps import ConfigManager, DatabaseDep, MetricsReader, NowDep, refuse_unknown_query
from app.domain.errors import InvalidError
from app.domain.measures.definition import DIMENSIONS_OF, Population
from app.journal.audit import Deed, append_audit
from app.kit import json
from app.metrics.declared import repository
from app.metrics.declared.schemas import CuboidIn, CuboidKey, CuboidOut, Cuboids
from app.metrics.dimensions import get_dimension
from app.metrics.facts import Attribute, AttributeType
from app.metrics.repository import snapshot
from app.problems import Problem

router = APIRouter(
    prefix="/v1/metrics/cuboids",
    tags=["Metrics"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422, 503)},
)

Key = Annotated[CuboidKey, Path(examples=["location-agency"])]
_ALWAYS: Final = ("question", "measure", "scale_id", "collection_mode")


@router.get("", summary="List declared cuboids", operation_id="list_cuboids")
async def list_cuboids(principal: MetricsReader, database: DatabaseDep) -> Cuboids:
    """All of them by key, and how far each is built."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_cuboids(connection, principal.tenant_id)
    return Cuboids(items=[_shown(row) for row in rows])


@router.put("/{key}", summary="Declare a cuboid", operation_id="put_cuboid")
async def put_cuboid(
    principal: ConfigManager, database: DatabaseDep, now: NowDep, key: Key, given: Annotated[CuboidIn, Body()]
) -> CuboidOut:
    """Days of these dimensions are counted ahead, in the background; until then rows answer as before."""
    tenant_id = principal.tenant_id
    async with snapshot(database, tenant_id) as view:
        _check(given.dimensions, (await view.get_facts()).attributes)
    async with database.tenant(tenant_id) as connection:
        await repository.put_cuboid(connection, tenant_id, key, given.dimensions, now)
        deed = Deed(principal.hint, "metric_cuboid.put", key, now, json.dumps_text(given.dimensions))
        await append_audit(connection, tenant_id, deed)
        return _shown(await repository.get_cuboid(connection, tenant_id, key))


@router.delete("/{key}", status_code=204, summary="Take a cuboid back", operation_id="delete_cuboid")
async def delete_cuboid(principal: ConfigManager, database: DatabaseDep, now: NowDep, key: Key) -> None:
    """No number changes; what it covered is counted from the rows again."""
    tenant_id = principal.tenant_id
    async with database.tenant(tenant_id) as connection:
        await repository.get_cuboid(connection, tenant_id, key)
        await repository.delete_cuboid(connection, tenant_id, key)
        await append_audit(connection, tenant_id, Deed(principal.hint, "metric_cuboid.deleted", key, now))


def _check(dimensions: list[str], attributes: Mapping[str, Attribute]) -> None:
    """Raises InvalidError for what answers do not carry, and for what is kept apart already."""
    for number, name in enumerate(dimensions):
        pointer = f"/dimensions/{number}"
        ref = get_dimension(name, attributes, pointer)
        if name in _ALWAYS or name in dimensions[:number]:
            raise InvalidError(
                "dimension_already_kept",
                f"{name} is kept apart already",
                pointer=pointer,
                cure="leave it out",
            )
        if ref.dimension is not None and ref.dimension not in DIMENSIONS_OF[Population.FEEDBACK]:
            raise InvalidError(
                "dimension_not_valid",
                f"answers have no {name}",
                pointer=pointer,
                cure="cuboids count answers; cases and timers are never counted ahead",
            )
        if ref.attribute is not None and ref.type is not AttributeType.TEXT:
            raise InvalidError(
                "dimension_not_valid",
                f"{name} is a {ref.type}",
                pointer=pointer,
                cure="only attributes of type text can be counted ahead",
            )


def _shown(row: Any) -> CuboidOut:
    folded, problem = int(row.folded_seq or 0), row.problem
    built = row.folded_seq is not None and (folded > 0 or int(row.seq) == 0)
    return CuboidOut(
        key=row.key,
        dimensions=row.dimensions,
        created_at=row.created_at,
        state="failed" if problem else "ready" if built and folded >= int(row.seq) else "building",
        folded_seq=folded,
        behind=int(row.seq) - folded,
        rows=row.counted,
        problem=problem,
    )
