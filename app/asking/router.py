"""`/v1/asking`: may this customer be asked, what was decided, what is planned, what coupons brought."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.asking.eligibility import repository
from app.asking.eligibility.schemas import (
    DecisionOut,
    DecisionPage,
    EligibilityBatchIn,
    EligibilityBatchOut,
    EligibilityIn,
    EligibilityOut,
)
from app.asking.eligibility.service import Eligibility
from app.asking.plans import repository as plans
from app.asking.plans.schemas import LinesOut, PlanOut, PlanPage, ReferralsOut
from app.deps import DatabaseDep, EventsWriter, FeedbackReader, NowDep, refuse_unknown_query
from app.domain.errors import InvalidError
from app.journal.journal import Journal
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.ids import public_id
from app.problems import Problem

router = APIRouter(
    prefix="/v1/asking",
    tags=["Asking"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 422, 503)},
)
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]


def _eligibility(request: Request) -> Eligibility:
    services = request.app.state.services
    return Eligibility(services.journal, services.asking_policies)


@router.post("/eligibility", summary="May this customer be asked?", operation_id="post_eligibility")
async def post_eligibility(
    principal: EventsWriter, wanted: EligibilityIn, request: Request, now: NowDep
) -> EligibilityOut:
    """If not: until when, and by which rule. Every answer is noted in the decision log.

    It reads the `survey.started` of every tool, so post one whenever you do ask.
    """
    service = _eligibility(request)
    [found] = await service.judge(principal.tenant_id, [wanted], now=now, actor=principal.hint, pointer="")
    return found


@router.post(
    "/eligibility/batch", summary="May these customers be asked?", operation_id="post_eligibility_batch"
)
async def post_eligibility_batch(
    principal: EventsWriter, wanted: EligibilityBatchIn, request: Request, now: NowDep
) -> EligibilityBatchOut:
    """The same for up to 1,000 at once, answered in order."""
    found = await _eligibility(request).judge(
        principal.tenant_id, wanted.asks, now=now, actor=principal.hint, pointer="/asks/{}"
    )
    return EligibilityBatchOut(items=found)


@router.get("/decisions", summary="Read the decision log", operation_id="list_ask_decisions")
async def list_ask_decisions(
    principal: FeedbackReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    customer: Annotated[str | None, Query(max_length=300, description="`type:value`")] = None,
    allowed: bool | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DecisionPage:
    """Who wanted to ask, what was answered and by which rule; the newest first."""
    ref = None if customer is None else await _customer_ref(request, principal.tenant_id, customer)
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_decisions(
            connection,
            principal.tenant_id,
            customer_ref=ref,
            allowed=allowed,
            before=_before(cursor),
            limit=limit + 1,
        )
    page = DecisionPage(items=[_decision_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        last = rows[limit - 1]
        page.next_cursor = encode_cursor(last.at.isoformat(), str(last.decision_id))
        link = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return page


@router.get("/plans", summary="List what is planned", operation_id="list_asking_plans")
async def list_asking_plans(
    principal: FeedbackReader,
    database: DatabaseDep,
    moment: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
) -> PlanPage:
    """Survey moments to come, the next one first."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await plans.list_plans(connection, principal.tenant_id, moment=moment, limit=limit)
    return PlanPage(
        items=[
            PlanOut(
                id=public_id("plan", row.plan_id),
                moment=row.moment,
                trigger=public_id("evt", row.trigger_id),
                customer_ref=None if row.customer_ref is None else row.customer_ref.hex(),
                not_before=row.not_before,
                not_after=row.not_after,
                ask_at=row.next_at,
            )
            for row in rows
        ]
    )


@router.get("/lines", summary="Whom to ask", operation_id="get_sampled_lines")
async def get_sampled_lines(principal: FeedbackReader, request: Request, now: NowDep) -> LinesOut:
    """The two lines of business that sampling moments ask: the most profitable one, and the most
    capricious (complaints per sale) or the newest. Both null while nothing is known."""
    services = request.app.state.services
    async with services.database.write(principal.tenant_id) as tx:
        config = (await services.journal.read_head(tx, principal.tenant_id, ())).config
        policy = (await services.asking_policies.load(tx, config)).at(now)
        lines = await plans.load_lines(tx, principal.tenant_id, policy.sampling, now)
    return LinesOut(**lines)


@router.get("/referrals", summary="What referrals brought", operation_id="get_referrals")
async def get_referrals(
    principal: FeedbackReader,
    database: DatabaseDep,
    coupon: Annotated[str | None, Query(max_length=100)] = None,
) -> ReferralsOut:
    """Recommendations made, copies of coupons handed out and used, and the share that was used."""
    async with database.tenant(principal.tenant_id) as connection:
        counts = await plans.count_referrals(connection, principal.tenant_id, coupon)
    copies, activated = counts.get("issued", 0), counts.get("activated", 0)
    return ReferralsOut(
        referrals=counts.get("referral", 0),
        copies_issued=copies,
        activated=activated,
        activation=activated / copies if copies else None,
    )


async def _customer_ref(request: Request, tenant_id: UUID, customer: str) -> bytes:
    kind, separator, value = customer.partition(":")
    if not separator or not value or "\x00" in customer:
        raise InvalidError(
            "unreadable_customer", "this is no customer", pointer="query:customer", cure="send `type:value`"
        )
    journal: Journal = request.app.state.services.journal
    async with journal.database.write(tenant_id) as tx:
        head = await journal.read_head(tx, tenant_id, ())
    return head.config.customer_ref(kind, value)


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        at, decision_id = decode_cursor(cursor, 2)
        return datetime.fromisoformat(at), UUID(decision_id)
    except (CursorError, ValueError, TypeError, AttributeError):
        raise InvalidError(
            "invalid_cursor", "this is no cursor of this list", pointer="query:cursor", cure="begin anew"
        ) from None


def _decision_out(row: Any) -> DecisionOut:
    return DecisionOut(
        decision_id=public_id("ask", row.decision_id),
        customer_ref=None if row.customer_ref is None else row.customer_ref.hex(),
        **{
            name: row._mapping[name]
            for name in DecisionOut.model_fields
            if name not in ("decision_id", "customer_ref")
        },
    )
