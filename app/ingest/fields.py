"""The words of which the data of events are made: names, references, customers, answers, dimensions."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.domain.channel import Channel as Channel  # part of the contract
from app.domain.scales import QuestionMeasure

Key = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$"
    ),
]
"""A name within the tenant: location, employee, touchpoint, question ..."""
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A caller's reference: case number, call id, e-mail address."""
Text = Annotated[str, StringConstraints(max_length=30_000)]
Amount = Annotated[Decimal, Field(ge=0, le=10**12, decimal_places=6)]
Scalar = str | int | float | bool | None
Severity = Literal["sev1", "sev2", "sev3", "sev4"]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_LONGEST_ATTRIBUTE = 2_000


def _bounded_attributes(value: dict[str, Scalar]) -> dict[str, Scalar]:
    for key, item in value.items():
        if _ATTRIBUTE.fullmatch(key) is None:
            raise ValueError(
                f"{key[:70]!r} is no attribute name: letters, digits and _, a letter first, 63 at most"
            )
        if isinstance(item, str) and len(item) > _LONGEST_ATTRIBUTE:
            raise ValueError(f"the attribute {key!r} is longer than {_LONGEST_ATTRIBUTE} characters")
        if isinstance(item, int) and abs(item) > 2**63 - 1:
            raise ValueError(f"the attribute {key!r} is a number too large to store; send it as text")
    return value


Attributes = Annotated[dict[str, Scalar], Field(max_length=60), AfterValidator(_bounded_attributes)]


class Data(BaseModel):
    """Data in which unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Customer(Data):
    """How the customer is known at the source; only a keyed hash of it is kept."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = Field(examples=["email"])
    value: Ref = Field(examples=["olena@example.com"])


class Where(Data):
    """Dimensions that most events share; what they name is created at first sight."""

    channel: Channel | None = None
    channel_raw: Key | None = Field(default=None, description="the source's own word for the channel")
    touchpoint: Key | None = None
    journey_stage: Literal["before", "purchase", "waiting", "after"] | None = None
    location: Key | None = None
    employee: Key | None = None
    segment: Key | None = None
    product: Key | None = None
    customer: Customer | None = None
    attributes: Attributes | None = None


class AnswerIn(Data):
    """One answer: a question and a score on its scale."""

    question: Key | None = Field(default=None, examples=["nps_after_call"])
    scale: Key | None = Field(
        default=None, examples=["nps_0_10"], description="may be left out for a known question"
    )
    value: Decimal | str = Field(examples=[9])
    measure: QuestionMeasure | None = Field(default=None, description="for a question met for the first time")
    wording_version: int | None = Field(default=None, ge=1, le=10_000)
