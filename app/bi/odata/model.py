"""What the feed offers: each `bi` view is an entity set; columns and words come from the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from app.bi.odata.errors import NotOfferedError
from app.domain.errors import NotFoundError

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "feedback": ("feedback_id",),
    "feedback_attributes": ("feedback_id", "attribute"),
    "feedback_daily": ("row_id",),
    "metric_daily": ("row_id",),
    "metric_by_period": ("row_id",),
    "backlog_daily": ("row_id",),
    "customers_daily": ("row_id",),
    "cases": ("case_id",),
    "case_outcomes": ("case_id",),
    "orders": ("order_id",),
    "displayed_ratings": ("event_id",),
    "sla_timers": ("case_id", "timer", "cycle"),
    "volumes": ("event_id",),
    "dim_touchpoint": ("touchpoint",),
    "dim_location": ("location",),
    "dim_employee": ("employee",),
    "dim_segment": ("segment",),
    "dim_product": ("product",),
    "dim_question": ("question",),
    "dim_source": ("source",),
    "dim_date": ("local_date",),
    "tenant": ("tenant",),
}
"""Entity set -> the columns by which a row is known; never null."""


class Edm(StrEnum):
    """A primitive type of OData."""

    STRING = "Edm.String"
    GUID = "Edm.Guid"
    INSTANT = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    INT32 = "Edm.Int32"
    INT64 = "Edm.Int64"
    DOUBLE = "Edm.Double"
    BOOLEAN = "Edm.Boolean"

    @property
    def is_number(self) -> bool:
        return self in (Edm.INT32, Edm.INT64, Edm.DOUBLE)


TYPE_OF: Final[Mapping[str, Edm]] = {
    "text": Edm.STRING,
    "uuid": Edm.GUID,
    "timestamp with time zone": Edm.INSTANT,
    "date": Edm.DATE,
    "integer": Edm.INT32,
    "bigint": Edm.INT64,
    "double precision": Edm.DOUBLE,
    "boolean": Edm.BOOLEAN,
}
"""Type of a column in the database -> its type here."""


@dataclass(frozen=True, slots=True)
class Property:
    """One column of an entity set."""

    name: str
    type: Edm
    description: str


@dataclass(frozen=True, slots=True)
class EntitySet:
    """One view: its key and its columns, in order."""

    name: str
    key: tuple[str, ...]
    properties: Mapping[str, Property]
    description: str


@dataclass(frozen=True, slots=True)
class Model:
    """All entity sets by name."""

    sets: Mapping[str, EntitySet]

    def get_set(self, name: str) -> EntitySet:
        """The entity set of that name. Raises NotFoundError naming the nearest, NotOfferedError."""
        if "(" in name:
            raise NotOfferedError(
                "single_entity_not_offered",
                "rows are not addressed by their key here",
                cure="filter by the key: $filter=case_id eq ...",
            )
        found = self.sets.get(name)
        if found is None:
            near = get_close_matches(name[:64], self.sets, n=1, cutoff=0.0)
            cure = f"the nearest is {near[0]!r}" if near else ""
            raise NotFoundError("unknown_entity_set", f"there is no entity set {name[:64]!r}", cure=cure)
        return found
