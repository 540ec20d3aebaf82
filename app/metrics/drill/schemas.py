"""What the rows behind a number look like on the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field


class RowType(StrEnum):
    """What a row is."""

    FEEDBACK = "feedback"
    CASE = "case"
    TIMER = "timer"
    ORDER = "order"
    EVENT = "event"


class CountedRowOut(BaseModel):
    """One row that was counted."""

    type: RowType
    id: str = Field(description="of the feedback, case or order; of a timer the event that started its cycle")
    at: datetime = Field(description="the time by which it was counted; of the backlog its opening")
    in_numerator: bool | None = Field(description="null where the metric is no share")
    value: float | str | None = Field(description="what it adds: seconds, money, a count, or its class")
    timer: str | None = None
    case: str | None = Field(default=None, description="of a timer: the case whose deadline it is")
    url: str | None = Field(description="where to read it")


class CountedRowsOut(BaseModel):
    """A page of the rows behind a number."""

    metric: str
    population: str
    equals: Annotated[str, Field(examples=["fcr_n"])] = Field(
        description="the column of the answer that `total` is"
    )
    value_is: str | None = Field(description="what `value` means: seconds, class, outcome, count, rating ...")
    total: float | None = Field(description="all rows, or what they add up to; on the first page only")
    in_numerator: int | None = Field(description="of them in the numerator; on the first page only")
    items: list[CountedRowOut]
    next_cursor: str | None = None
