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
)  # fmt: skip
_PLACES = ("k1", "k2", None)


def _placed(dice: random.Random, **data: Any) -> Json:
    where = {"location": dice.choice(_PLACES), "channel": dice.choice(("call", "chat", "store"))}
    return {name: value for name, value in {**where, **data}.items() if value is not None}


def _when(dice: random.Random) -> str:
    return at(minutes=dice.randint(-3 * 1440, 1440))


def random_event(dice: random.Random, number: int) -> Json:
    """Any event that a caller may send; ids, objects and subjects are few, so that they meet."""
    event_id, case = f"e{number}", f"case/C{dice.randrange(6)}"
    customer = {"type": "email", "value": f"c{dice.randrange(4)}@example.com"}
    match dice.randrange(14):
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
            data = {"kind": "complaint", "severity": f"sev{dice.randint(1, 4)}", "customer": customer}
            return event("case.opened", event_id, when=_when(dice), subject=case, data=_placed(dice, **data))
        case 5 | 6:
            return event(
                dice.choice(_CASE_STEPS), event_id, when=_when(dice), subject=case, data={"text": "step"}
            )
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
                (("interaction.ended", {}), ("feedback.offered", {}), ("survey.refused", {}))
            )
            call = f"CALL-{dice.randrange(5)}"
            return event(
                kind, event_id, when=_when(dice), subject=f"interaction/{call}", data=_placed(dice, **data)
            )
        case 10 | 11:
            return _asking(dice, event_id, customer)
        case 12:
            kind = dice.choice(("response.qualified", "feedback.classified", "force_majeure.confirmed"))
            data = {"cause": "queue", "label": "negative", "qualification": dice.choice(("valid", "invalid"))}
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
