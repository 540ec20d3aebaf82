"""Cases over HTTP: the list, one case, its history, and the commands that move it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from app.auth import Principal, Scope
from app.cases import repository
from app.cases.bodies import CaseIn, Command, Instant
from app.cases.care_bodies import BODIES
from app.cases.commands import CaseCommands, Done, Order, StaleCaseError
from app.cases.filters import COLUMNS, CaseOrder, decode_place, encode_place, read_filters
from app.cases.places import position_in, versions_in
from app.cases.presentation import KnownCase, case_detail, case_item, command_out, event_out
from app.cases.schemas import CaseDetail, CaseEventPage, CasePage, CommandOut
from app.deps import CasesReader, CasesWriter, DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.domain.case import COMMANDS, refs_of
from app.domain.errors import NotFoundError
from app.domain.events import Bearing
from app.domain.sla.document import nearest
from app.journal.renames import load_renames
from app.kit.cursors import encode_cursor
from app.problems import Problem, error_of, problem_response, request_id_of

_TIMEOUT_SECONDS = 20
_DECLARED_ONLY = [Depends(refuse_unknown_query)]
_COMMAND_ERRORS: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (409, 412)}

router = APIRouter(tags=["Cases"], responses={code: {"model": Problem} for code in (401, 403, 404, 422, 503)})

Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]
RefPath = Annotated[str, Path(max_length=200, description="a reference of the case")]
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", description="the same key: done once"),
]
IfMatch = Annotated[
    str | None, Header(max_length=500, description="act only on this version of the case (its ETag)")
]


def get_commands(request: Request) -> CaseCommands:
    """The command flow of this process."""
    services = request.app.state.services
    return CaseCommands(services.journal, committed=lambda: services.bell.ring("fanout", "sla", "fold"))


CommandsDep = Annotated[CaseCommands, Depends(get_commands)]


def _filter_parameters() -> list[dict[str, Any]]:
    schema = {"type": "array", "items": {"type": "string"}}
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name in COLUMNS]


@router.get(
    "/v1/cases",
    summary="List cases",
    operation_id="list_cases",
    openapi_extra={"parameters": _filter_parameters()},
)
async def list_cases(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    opened_from: Annotated[Instant | None, Query(description="opened at or after")] = None,
    opened_to: Annotated[Instant | None, Query(description="opened before")] = None,
    overdue: Annotated[bool, Query(description="true: an open timer is past its due time")] = False,
    sort: Annotated[
        CaseOrder, Query(description="`due`: only cases with an open deadline, the nearest first")
    ] = CaseOrder.OPENED,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CasePage:
    """Cases, newest first, or by their nearest deadline. Filters are joined by AND, repeated ones by OR.

    `attributes.<key>=value` filters by an attribute. With `sort=due` a deadline that moves while pages are
    read may let a case slip by; newest first never does.
    """
    filters = read_filters(request.query_params.multi_items())
    filters.opened_from, filters.opened_to = opened_from, opened_to
    filters.overdue_at = now if overdue else None
    filters.order = sort
    if cursor is not None:
        filters.place = decode_place(sort, cursor)
    async with database.tenant(principal.tenant_id, timeout_seconds=_TIMEOUT_SECONDS) as connection:
        rows = await repository.list_cases(connection, principal.tenant_id, filters, limit + 1)
    page = CasePage(items=[case_item(row, now) for row in rows[:limit]])
    if len(rows) > limit:
        last = rows[limit - 1]
        reached = last.due_at if sort is CaseOrder.DUE else last.opened_at
        page.next_cursor = encode_place(sort, reached, last.case_id)
        _link_next(request, response, page.next_cursor)
    return page


@router.get(
    "/v1/cases/by-ref/{ref:path}",
    summary="Read the case that a reference names",
    operation_id="get_case_by_ref",
    dependencies=_DECLARED_ONLY,
)
async def get_case_by_ref(
    principal: CasesReader, request: Request, response: Response, ref: RefPath, now: NowDep
) -> CaseDetail:
    """The case that a source's reference names; of a merged case the one that survived."""
    return await _read_case(principal, request, response, now, ref=ref)


@router.get(
    "/v1/cases/{case_id}", summary="Read a case", operation_id="get_case", dependencies=_DECLARED_ONLY
)
async def get_case(
    principal: CasesReader, request: Request, response: Response, case_id: str, now: NowDep
) -> CaseDetail:
    """A case with its steps, timers read now, what is missing to close it, and what may be done next."""
    return await _read_case(principal, request, response, now, case_id=case_id)


@router.get(
    "/v1/cases/{case_id}/events",
    summary="Read the history of a case",
    operation_id="list_case_events",
    dependencies=_DECLARED_ONLY,
)
async def list_case_events(
    principal: CasesReader,
    request: Request,
    response: Response,
    case_id: str,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CaseEventPage:
    """Every event of the case in the order of the journal; text only for keys with `feedback:read`."""
    wanted, after = parse_id("case", case_id), position_in(cursor)
    async with database.write(principal.tenant_id) as tx:
        history = await repository.get_history(tx, principal.tenant_id, wanted)
    told = (event for event in history if event.position > after and event.bearing is not Bearing.INHERITED)
    events = list(islice(told, limit + 1))
    with_personal = principal.may(Scope.FEEDBACK_READ)
    page = CaseEventPage(items=[event_out(event, with_personal=with_personal) for event in events[:limit]])
    if len(events) > limit:
        page.next_cursor = encode_cursor(events[limit - 1].position)
        _link_next(request, response, page.next_cursor)
    return page


@router.post(
    "/v1/cases",
    status_code=201,
    summary="Open a case",
    operation_id="open_case",
    responses=_COMMAND_ERRORS,
    response_model=CommandOut,
    dependencies=_DECLARED_ONLY,
)
async def open_case(
    principal: CasesWriter,
    request: Request,
    response: Response,
    body: CaseIn,
    commands: CommandsDep,
    idempotency_key: IdempotencyKey = None,
) -> CommandOut:
    """Open a case by hand. Feedback opens its cases by itself; this is for what came in another way."""
    order = Order(
        data=body.data(),
        stated=body.stated(),
        by=principal.hint,
        occurred_at=body.occurred_at,
        idempotency_key=idempotency_key,
    )
    done = await commands.execute(principal.tenant_id, order)
    answer = _answer(done, request, response)
    response.headers["Location"] = f"/v1/cases/{answer.case.id}"
    return answer


def _command_route(command: str, model: type[Command]) -> Callable[..., Awaitable[Any]]:
    async def run_command(
        principal: CasesWriter,
        request: Request,
        response: Response,
        case_id: str,
        commands: CommandsDep,
        body: Any = None,
        idempotency_key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Any:
        asked: Command = body or model()
        order = Order(
            data=asked.data(),
            stated=asked.stated(),
            by=principal.hint,
            command=command,
            case_id=parse_id("case", case_id),
            occurred_at=asked.occurred_at,
            versions=versions_in(if_match),
            idempotency_key=idempotency_key,
        )
        try:
            done = await commands.execute(principal.tenant_id, order)
        except StaleCaseError as error:
            errors, request_id = [error_of(error)], request_id_of(request)
            return problem_response(412, error.reason, error.detail, errors=errors, request_id=request_id)
        return _answer(done, request, response)

    # a body may be left out where every field may be
    required = any(field.is_required() for field in model.model_fields.values())
    run_command.__annotations__["body"] = model if required else model | None
    if required:
        run_command.__defaults__ = (..., *(run_command.__defaults__ or ())[1:])
    run_command.__doc__ = f"{model.__doc__ if model is not Command else 'Say that it was done.'}"
    return run_command


for _command, _model in BODIES.items():
    router.add_api_route(
        f"/v1/cases/{{case_id}}/{_command}",
        _command_route(_command, _model),
        methods=["POST"],
        summary=f"{_command.replace('-', ' ').capitalize()} ({COMMANDS[_command].value})",
        operation_id=f"{_command.replace('-', '_')}_case",
        response_model=CommandOut,
        responses=_COMMAND_ERRORS,
        dependencies=_DECLARED_ONLY,
    )


@router.post("/v1/cases/{case_id}/{command}", include_in_schema=False)
async def refuse_command(principal: CasesWriter, case_id: str, command: str) -> None:
    """A command that does not exist, with the nearest one that does."""
    raise NotFoundError(
        "unknown_command",
        f"there is no command {command[:80]!r}",
        pointer="path:command",
        cure=nearest(command[:80], list(COMMANDS)),
    )


async def _read_case(
    principal: Principal,
    request: Request,
    response: Response,
    now: datetime,
    *,
    case_id: str | None = None,
    ref: str | None = None,
) -> CaseDetail:
    services, tenant_id = request.app.state.services, principal.tenant_id
    wanted = None if case_id is None else parse_id("case", case_id)
    async with services.database.write(tenant_id) as tx:
        if wanted is None:
            wanted = await repository.get_case_id(tx, tenant_id, ref or "")
        head = await services.journal.read_head(tx, tenant_id, ())
        history = await repository.get_history(tx, tenant_id, wanted)
        refs = await repository.list_refs(tx, tenant_id, wanted)
        row = await repository.find_row(tx, tenant_id, wanted)
        renames = await load_renames(tx, head.config)
    version = max(event.seq for event in history) if row is None else row["seq"]
    survivor_id = None if row is None else row["merged_into"]
    known = KnownCase(wanted, history, head.config, refs, version, renames, survivor_id)
    response.headers["ETag"] = f'"{known.version}"'
    return case_detail(known, services.read_timers, now)


def _answer(done: Done, request: Request, response: Response) -> CommandOut:
    refs = sorted(refs_of(done.history))
    known = KnownCase(
        done.case_id, done.history, done.config, refs, done.event.seq, done.renames, done.survivor_id
    )
    response.headers["ETag"] = f'"{known.version}"'
    return command_out(done.event, known, request.app.state.services.read_timers)


def _link_next(request: Request, response: Response, cursor: str) -> None:
    response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
