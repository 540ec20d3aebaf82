"""`/v1/questions` and `/v1/scales`: what is asked, and on which scales it is answered."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.configuration.changes import configuring
from app.configuration.fields import REFUSALS, Cursor, KeyPath, Limit, link_next, read_cursor
from app.configuration.questions import repository
from app.configuration.questions.schemas import (
    KeyedQuestionIn,
    QuestionIn,
    QuestionOut,
    QuestionPage,
    QuestionsIn,
    RangeOut,
    ScaleOut,
    ScalePage,
)
from app.configuration.questions.service import define, question_out
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.domain.scales import SCALES, QuestionMeasure, Scale
from app.editing import EditingRoute, IfMatch, check_match, etag_of

router = APIRouter(
    tags=["Questions"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("/v1/questions", summary="List questions", operation_id="list_questions")
async def list_questions(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    measure: QuestionMeasure | None = None,
    uncategorised: bool | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuestionPage:
    """Questions, by key."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_questions(
            connection,
            principal.tenant_id,
            measure=measure,
            uncategorised=uncategorised,
            after=read_cursor(cursor),
            limit=limit + 1,
        )
    page = QuestionPage(items=[question_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.put("/v1/questions", summary="Define questions", operation_id="put_questions")
async def put_questions(
    principal: ConfigManager, wanted: QuestionsIn, database: DatabaseDep, now: NowDep
) -> QuestionPage:
    """Define many at once, all or none; those that are not listed stay as they are."""
    async with configuring(database, principal, now) as change:
        return QuestionPage(items=await define(change, wanted.items, "/items/{}"))


@router.get("/v1/questions/{key:path}", summary="Read a question", operation_id="get_question")
async def get_question(
    principal: ConfigManager, key: KeyPath, response: Response, database: DatabaseDep
) -> QuestionOut:
    """One question by its key."""
    async with database.tenant(principal.tenant_id) as connection:
        known = await repository.find_questions(connection, principal.tenant_id, [key])
    if key not in known:
        raise NotFoundError("not_found", f"there is no question {key!r}")
    question = question_out(known[key])
    response.headers["ETag"] = etag_of(question)
    return question


@router.put("/v1/questions/{key:path}", summary="Define a question", operation_id="put_question")
async def put_question(
    principal: ConfigManager,
    key: KeyPath,
    wanted: QuestionIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> QuestionOut:
    """Define one question, replacing its definition; it is created when no event asked it yet."""
    async with configuring(database, principal, now) as change:
        known = await repository.find_questions(change.connection, principal.tenant_id, [key])
        check_match(if_match, etag_of(question_out(known[key])) if key in known else None)
        [question] = await define(change, [KeyedQuestionIn(key=key, **wanted.model_dump())], "")
    response.headers["ETag"] = etag_of(question)
    return question


@router.get("/v1/scales", summary="List scales", operation_id="list_scales")
async def list_scales(_principal: ConfigManager) -> ScalePage:
    """The scale registry: it ships with the service, the same for every tenant."""
    return ScalePage(items=[_scale_out(scale) for scale in SCALES.values()])


def _scale_out(scale: Scale) -> ScaleOut:
    def shown(name: str) -> Any:
        part = getattr(scale, name)
        return None if part is None else RangeOut(low=float(part.low), high=float(part.high))

    ranges = {name: shown(name) for name in ("negative", "neutral", "positive", "top_box", "bottom_box")}
    return ScaleOut(
        id=scale.id,
        version=scale.version,
        measure=scale.measure,
        minimum=float(scale.minimum),
        maximum=float(scale.maximum),
        step=float(scale.step),
        reversed=scale.reversed,
        labelled=scale.labelled,
        off_by_default=scale.off_by_default,
        **ranges,
    )
