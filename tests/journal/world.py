"""A rich random history of one tenant, and the whole content of its projections."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from app.journal.journal import Journal
from tests.builders import Json, at, event, query, rating
from tests.conftest import Server

_CASE_STEPS = (
    "case.acknowledged", "case.assessed", "case.assigned", "case.replied", "case.apologised",
    "case.promised", "case.remedied", "case.closed", "case.reopened", "case.waiting_customer",
    "case.resumed", "case.escalated", "case.withdrawn", "case.marked_invalid", "case.customer_contacted",
    "case.verification_requested", "case.verified", "case.declined", "case.closing_notified",
)  # fmt: skip
_GIFTS = ("compensation.offered", "compensation.approved", "compensation.rejected",
          "compensation.delivered", "compensation.recovered")  # fmt: skip
_CAUSES = ("staff.rudeness", "office_process.queue", None)
_PLACES = ("k1", "k2", None)


def _placed(dice: random.Random, **data: Any) -> Json:
    where = {"location": dice.choice(_PLACES), "channel": dice.choice(("call", "chat", "store")),
             "touchpoint": dice.choice(("t0", "t1", "t2", None))}  # fmt: skip
    return {name: value for name, value in {**where, **data}.items() if value is not None}


def _when(dice: random.Random) -> str:
    return at(minutes=dice.randint(-3 * 1440, 1440))


def random_event(dice: random.Random, number: int) -> Json:
    """Any event that a caller may send; ids, objects and subjects are few, so that they meet."""
    event_id, case = f"e{number}", f"case/C{dice.randrange(6)}"
    if number and dice.random() < 0.15:
        case = f"case/feedback:crm:e{dice.randrange(number)}"
    customer = {"type": "email", "value": f"c{dice.randrange(4)}@example.com"}
    match dice.randrange(17):
        case 0 | 1:
            return rating(event_id, dice.randrange(11), when=_when(dice), customer=customer, text="so so",
                          **_placed(dice))  # fmt: skip
        case 2:
            answers = [
                {"question": q, "scale": "csat_1_5", "value": dice.randint(1, 5)} for q in ("q1", "q2")
            ]
            return event("feedback.received", event_id, when=_when(dice), object=f"o{dice.randrange(3)}",
                         version=dice.randrange(8), data=_placed(dice, answers=answers))  # fmt: skip
        case 3:
            kind = dice.choice(("review.published", "review.edited", "review.removed"))
            rated = {"question": "stars", "scale": "stars_1_5", "value": dice.randint(1, 5), "text": "review"}
            data = {} if kind == "review.removed" else rated
            review = f"R{dice.randrange(3)}"
            return event(kind, event_id, when=_when(dice), subject=f"review/{review}", object=review,
                         version=dice.randrange(9), data=data)  # fmt: skip
        case 4:
            severity = dice.choice((None, "sev1", "sev3", "sev4"))
            data = {"kind": "complaint", "severity": severity, "customer": customer,
                    "cause": dice.choice(_CAUSES)}  # fmt: skip
            return event("case.opened", event_id, when=_when(dice), subject=case, data=_placed(dice, **data))
        case 5 | 6:
            return event(
                dice.choice(_CASE_STEPS), event_id, when=_when(dice), subject=case, data={"text": "step"}
            )
        case 11:
            data = {"compensation": dice.choice(("a", "b")), "type": "money", "currency": "USD",
                    "amount": str(dice.choice((5, 1500)))}  # fmt: skip
            return event(dice.choice(_GIFTS), event_id, when=_when(dice), subject=case, data=data)
        case 12:
            return _care(dice, event_id, case)
        case 13:
            return _lesson(dice, event_id)
        case 7:
            if dice.random() < 0.5:
                return event(
                    "case.linked", event_id, when=_when(dice), subject=case, data={"ref": f"X{number}"}
                )
            return event(
                "case.merged",
                event_id,
                when=_when(dice),
                subject=case,
                data={"into": f"C{dice.randrange(6)}"},
            )
        case 8:
            data = _placed(dice, count=dice.randrange(500))
            return event("visitors.counted", event_id, when=_when(dice), object=f"door{dice.randrange(2)}",
                         version=dice.randrange(9), data=data)  # fmt: skip
        case 9:
            kind, data = dice.choice(
                (
                    ("interaction.ended", {}),
                    ("feedback.offered", {}),
                    ("survey.refused", {}),
                    ("feedback.received", {"scale": "csat_1_5", "value": dice.randint(1, 5)}),
                )
            )
            call = f"CALL-{dice.randrange(5)}"
            return event(
                kind, event_id, when=_when(dice), subject=f"interaction/{call}", data=_placed(dice, **data)
            )
        case 10 | 14:
            return _asking(dice, event_id, customer)
        case 15:
            kind = dice.choice(("response.qualified", "feedback.classified", "force_majeure.confirmed"))
            data = {"cause": "queue", "label": "negative", "qualification": dice.choice(("valid", "invalid")),
                    "is_complaint": dice.random() < 0.5}  # fmt: skip
            if dice.random() < 0.5:
                act = f"survey/S{dice.randrange(4)}"
                return event(kind, event_id, when=_when(dice), subject=act, data=data)
            return event(
                kind, event_id, when=_when(dice), data={**data, "event": f"e{dice.randrange(number + 5)}"}
            )
        case _:
            taken_back = f"e{dice.randrange(max(1, number))}"
            return event("event.retracted", event_id, when=_when(dice), data={"event": taken_back})


def _asking(dice: random.Random, event_id: str, customer: Json) -> Json:
    """A step of one of a few survey acts, a word about being asked, or a touchpoint's new name."""
    if dice.random() < 0.15:
        data = {"raw": f"t{dice.randrange(3)}", "touchpoint": f"t{dice.randrange(3)}"}
        return event("touchpoint.retagged", event_id, when=_when(dice), data=data)
    kind = dice.choice(("started", "started", "answered", "refused", "not_reached"))
    asked = {"question": f"q{dice.randrange(2)}", "scale": "csat_1_5"} if dice.random() < 0.8 else {}
    if kind == "answered":
        asked = {"question": f"q{dice.randrange(2)}", "scale": "csat_1_5", "value": dice.randint(1, 5)}
    data = _placed(dice, customer=customer, touchpoint=f"t{dice.randrange(3)}", **asked)
    return event(
        f"survey.{kind}", event_id, when=_when(dice), subject=f"survey/S{dice.randrange(4)}", data=data
    )


def _care(dice: random.Random, event_id: str, case: str) -> Json:
    """A tick, a cause, a corrective action of a case, or an answer after it was handled."""
    match dice.randrange(4):
        case 0:
            data = {"ticked": [dice.choice(("thank", "explain", "nonsense"))]}
            return event("case.checklist_ticked", event_id, when=_when(dice), subject=case, data=data)
        case 1:
            data = {"cause": dice.choice(("staff.manner", "office_process.queue"))}
            return event("case.assessed", event_id, when=_when(dice), subject=case, data=data)
        case 2:
            kind = dice.choice(("case.action_linked", "case.improvement_informed"))
            data = {"action": f"FIX-{dice.randrange(2)}"}
            return event(kind, event_id, when=_when(dice), subject=case, data=data)
        case _:
            answer = {"question": "again", "scale": "nps_0_10", "measure": "nps", "value": dice.randrange(11)}
            return event(
                "survey.answered", event_id, when=_when(dice), subject=case, data={"answers": [answer]}
            )


def _lesson(dice: random.Random, event_id: str) -> Json:
    """A fact about an action, a debrief, a failure, or a proactive notice."""
    match dice.randrange(4):
        case 0:
            kind = dice.choice(("opened", "deployed", "cancelled"))
            action = f"action/FIX-{dice.randrange(2)}"
            data = {"name": "fix", "cause": "office_process.queue"}
            return event(f"corrective_action.{kind}", event_id, when=_when(dice), subject=action, data=data)
        case 1:
            step = dice.choice(("show", "support", "point_out", "ask_why", "discuss", "make_sure", "check"))
            data = {"step": step}
            return event("debrief.step_done", event_id, when=_when(dice), subject="debrief/D-1", data=data)
        case 2:
            kind = dice.choice(("taken", "closed"))
            failure = "failure/office_process.queue"
            data = {"owner": "taras"} if kind == "taken" else {}
            return event(f"recurring_failure.{kind}", event_id, when=_when(dice), subject=failure, data=data)
        case _:
            data = {"affected": 10, "reached": dice.randrange(10)}
            return event("proactive_notice.sent", event_id, when=_when(dice), object=f"N{dice.randrange(2)}",
                         version=dice.randrange(5), data=data)  # fmt: skip


async def projections(journal: Journal, server: Server, tenant_id: UUID) -> dict[str, list[str]]:
    """Every row of every projection table, as sorted text."""
    content: dict[str, list[str]] = {}
    for projection in journal.projections:
        for table in projection.tables:
            rows = await query(
                server, f"SELECT t::text AS row FROM {table.name} t WHERE tenant_id = $1", tenant_id
            )
            content[table.name] = sorted(row["row"] for row in rows)
    return content
