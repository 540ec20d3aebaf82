"""Bodies of the commands on checklists, verification, improvement and compensation; and the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from app.cases.bodies import (
    Assess,
    Assign,
    Because,
    Command,
    Escalate,
    Instant,
    Key,
    Link,
    MarkDuplicate,
    MayBecause,
    Merge,
    Promise,
    Ref,
    Reply,
    Settle,
)
from app.domain.compensation import CompensationType

Amount = Annotated[Decimal, Field(gt=0, le=10**12, decimal_places=6)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Tick(Command):
    """Steps of a checklist that are done."""

    checklist: Key = Field(default="reply", examples=["loyalty_conversion"])
    ticked: Annotated[list[Key], Field(min_length=1, max_length=50)] = Field(examples=[["fix", "report"]])


class LinkAction(Command):
    """The corrective action that this case calls for."""

    action: Ref = Field(description="id or reference of the action", examples=["FIX-12"])


class Inform(Command):
    """Tell the customer that it is better now, thanks to him."""

    action: Ref | None = Field(default=None, description="left out where only one is owed")


class Offer(Command):
    """A compensation; over the limit of whoever offers it, it waits for approval."""

    compensation: Ref | None = Field(default=None, description="its key in the case; left out: numbered")
    type: CompensationType = Field(examples=["money"])
    amount: Amount | None = Field(default=None, examples=["500.00"])
    currency: Currency | None = Field(default=None, examples=["UAH"])
    due_at: Instant | None = Field(default=None, description="by when it is promised")


class OnGift(Command):
    """A step of one compensation."""

    compensation: Ref | None = Field(
        default=None, description="its key; left out where only one can be meant"
    )


class RejectGift(OnGift):
    """The compensation is not given."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class RecoverGift(OnGift):
    """What carrier or insurer paid back of it."""

    amount: Amount = Field(examples=["120.00"])
    currency: Currency = Field(examples=["UAH"])


BODIES: Final[Mapping[str, type[Command]]] = {
    "acknowledge": Command,
    "assess": Assess,
    "assign": Assign,
    "reply": Reply,
    "apologise": Command,
    "promise": Promise,
    "decline": Because,
    "remedy": Settle,
    "communicate-decision": Settle,
    "resurvey": Command,
    "close": Settle,
    "reopen": MayBecause,
    "wait-customer": Command,
    "resume": Command,
    "escalate": Escalate,
    "withdraw": MayBecause,
    "mark-duplicate": MarkDuplicate,
    "mark-invalid": Because,
    "link": Link,
    "merge": Merge,
    "tick": Tick,
    "request-verification": Command,
    "verify": Command,
    "mark-unverified": Command,
    "link-action": LinkAction,
    "action-not-needed": Because,
    "inform-of-improvement": Inform,
    "offer-compensation": Offer,
    "approve-compensation": OnGift,
    "reject-compensation": RejectGift,
    "deliver-compensation": OnGift,
    "recover-compensation": RecoverGift,
}
