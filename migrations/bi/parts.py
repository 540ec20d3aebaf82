"""What a view of the `bi` schema is made of, and the columns that several of them share."""

from __future__ import annotations

from typing import NamedTuple


class Shown(NamedTuple):
    """One column of a view: its name, the expression behind it, its comment."""

    name: str
    expression: str
    comment: str


class View(NamedTuple):
    """One view: `rest` is what follows the list of columns."""

    name: str
    comment: str
    columns: tuple[Shown, ...]
    rest: str

    @property
    def statements(self) -> list[str]:
        """Create it and say what everything in it is."""
        head = f"CREATE VIEW bi.{self.name} WITH (security_invoker = true) AS\n"
        return [
            head + self._select,
            f"COMMENT ON VIEW bi.{self.name} IS {_quoted(self.comment)}",
            *(
                f"COMMENT ON COLUMN bi.{self.name}.{shown.name} IS {_quoted(shown.comment)}"
                for shown in self.columns
            ),
        ]

    @property
    def replacement(self) -> str:
        """Put it in the place of an earlier one with the same columns, whose comments stay."""
        return f"CREATE OR REPLACE VIEW bi.{self.name} WITH (security_invoker = true) AS\n{self._select}"

    @property
    def _select(self) -> str:
        columns = ",\n  ".join(f"{shown.expression} AS {shown.name}" for shown in self.columns)
        return f"SELECT {columns}\n{self.rest}"


_DIMENSIONS = {
    "source": "who sent it: the key of a CRM, a chat, a review site",
    "channel": "call, chat, store, web, ...",
    "touchpoint": "key of the touchpoint; see dim_touchpoint",
    "location": "key of the location; see dim_location",
    "employee": "key of the employee; see dim_employee",
    "segment": "key of the customer segment; see dim_segment",
    "product": "key of the product; see dim_product",
}


def dimensions(alias: str, *names: str) -> tuple[Shown, ...]:
    """Dimension columns of a table; all of them when none is named."""
    chosen = names or tuple(_DIMENSIONS)
    return tuple(Shown(name, f"{alias}.{name}", _DIMENSIONS[name]) for name in chosen)


def local_date(instant: str) -> str:
    """The day of an instant in the tenant's zone (alias `t`)."""
    return f"({instant} AT TIME ZONE t.time_zone)::date"


def row_id(*expressions: str) -> str:
    """A text by which a row of an aggregate is known: a hash of what it is grouped by."""
    parts = ", ".join(f"coalesce({expression}::text, chr(30))" for expression in expressions)
    return f"encode(sha256(convert_to(concat_ws(chr(31), {parts}), 'UTF8')), 'hex')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
