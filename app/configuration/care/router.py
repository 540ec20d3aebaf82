"""`/v1/playbooks`, `/v1/complaint-rules`, `/v1/routing`, `/v1/compensation-policy`: how cases are handled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request, Response

from app.configuration.care import repository
from app.configuration.care.schemas import CareDocumentOut, CareDocumentPage
from app.configuration.care.service import document_out, preset_out, put_document
from app.configuration.changes import configuring
from app.configuration.documents.paging import Version, found, read_version_cursor
from app.configuration.fields import REFUSALS, Cursor, Limit, link_next
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.editing import EditingRoute, IfMatch, etag_of_version
from app.journal.care import PRESETS, CareKind

router = APIRouter(
    tags=["Care"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)

_ROUTING_EXAMPLE: Final = {
    "owners": [{"employee": "olena"}, {"employee": "ivan", "brand": "lux"}],
    "rules": [
        {"name": "queues", "when": {"cause": "office_process.queue"}, "assignee": "shift_lead"},
        {"name": "safety", "when": {"severity": "sev1", "kind": "complaint"}, "assignee": "head_of_service"},
    ],
    "managers": {"shift_lead": "head_of_service"},
}


@dataclass(frozen=True, slots=True)
class _Resource:
    """Where a kind of document lives, and what it is called."""

    kind: CareKind
    path: str
    noun: str
    about: str

    @property
    def name(self) -> str:
        return self.path.strip("/").partition("/")[2].replace("-", "_")


_RESOURCES: Final = (
    _Resource(
        CareKind.PLAYBOOKS,
        "/v1/playbooks",
        "the playbooks",
        "Steps, closing rules and checklists for every kind and severity. A new version binds cases that "
        "open or are reopened after it.",
    ),
    _Resource(
        CareKind.COMPLAINT_RULES,
        "/v1/complaint-rules",
        "the complaint rules",
        "What makes a complaint of feedback, and what makes it graver. What is left out stays as in the "
        "preset.",
    ),
    _Resource(
        CareKind.ROUTING,
        "/v1/routing",
        "the routing",
        "Exactly one active feedback owner, one more for each brand that has its own, and ordered rules of "
        "which the first that holds names the assignee of a new case.",
    ),
    _Resource(
        CareKind.COMPENSATION,
        "/v1/compensation-policy",
        "the compensation policy",
        "What may be given by whom in one case, and who approves more. Amounts are judged, and turned into "
        "the tenant's currency, by the version in force when they are granted.",
    ),
)


def _add(resource: _Resource) -> None:
    kind, name, noun = resource.kind, resource.name, resource.noun
    example = PRESETS[kind]() or _ROUTING_EXAMPLE

    async def read(principal: ConfigManager, response: Response, database: DatabaseDep) -> CareDocumentOut:
        async with database.tenant(principal.tenant_id) as connection:
            row = await repository.find_newest(connection, principal.tenant_id, kind)
        shown = preset_out(kind) if row is None else document_out(row)
        response.headers["ETag"] = etag_of_version(shown.version)
        return shown

    async def write(
        principal: ConfigManager,
        document: dict[str, Any],
        response: Response,
        database: DatabaseDep,
        now: NowDep,
        if_match: IfMatch = None,
    ) -> CareDocumentOut:
        async with configuring(database, principal, now) as change:
            shown = await put_document(change, kind, document, if_match)
        response.headers["ETag"] = etag_of_version(shown.version)
        return shown

    async def versions(
        principal: ConfigManager,
        request: Request,
        response: Response,
        database: DatabaseDep,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> CareDocumentPage:
        below = read_version_cursor(cursor)
        async with database.tenant(principal.tenant_id) as connection:
            rows = await repository.list_versions(
                connection, principal.tenant_id, kind, below=below, limit=limit + 1
            )
        page = CareDocumentPage(items=[document_out(row) for row in rows[:limit]])
        if len(rows) > limit:
            page.next_cursor = link_next(request, response, str(page.items[-1].version))
        return page

    async def version_of(
        principal: ConfigManager, version: Version, response: Response, database: DatabaseDep
    ) -> CareDocumentOut:
        async with database.tenant(principal.tenant_id) as connection:
            row = await repository.find_version(connection, principal.tenant_id, kind, version)
        return document_out(found(row, response, f"version {version} of {noun}"))

    write.__annotations__["document"] = Annotated[dict[str, Any], Body(examples=[example])]
    read.__doc__ = f"{resource.about}"
    write.__doc__ = f"A new version of {noun}, unless it says what the newest one says already."
    versions.__doc__ = f"Versions of {noun}, the newest first."
    version_of.__doc__ = f"One version of {noun}; it never changes."
    add = router.add_api_route
    add(resource.path, read, methods=["GET"], summary=f"Read {noun}", operation_id=f"get_{name}")
    add(resource.path, write, methods=["PUT"], summary=f"Write {noun}", operation_id=f"put_{name}")
    add(
        f"{resource.path}/versions",
        versions,
        methods=["GET"],
        summary=f"List versions of {noun}",
        operation_id=f"list_{name}_versions",
    )
    add(
        f"{resource.path}/versions/{{version}}",
        version_of,
        methods=["GET"],
        summary=f"Read a version of {noun}",
        operation_id=f"get_{name}_version",
    )


for _resource in _RESOURCES:
    _add(_resource)
