"""The forms of an answer: names, media types, and what has to be installed for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, Final, assert_never

from app.domain.errors import NotAcceptableError
from app.kit import json
from app.metrics.arrow_format import arrow_bytes, parquet_bytes
from app.metrics.columns import Column
from app.metrics.csv_format import csv_bytes
from app.metrics.xlsx_format import xlsx_bytes


class Form(StrEnum):
    """A form, by the ending that files and URLs of it have."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    ARROW = "arrow"
    PARQUET = "parquet"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.NDJSON: "application/x-ndjson",
    Form.ARROW: "application/vnd.apache.arrow.stream",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What each form is called in Accept and Content-Type."""

TABULAR: Final = tuple(form for form in Form if form is not Form.JSON)
"""The forms that hold the rows alone, under the same column names."""

HEAVY: Final = frozenset({Form.ARROW, Form.PARQUET, Form.XLSX})
"""The forms that take long enough to be written beside the event loop."""

_MODULE_OF: Final = {Form.PARQUET: "pyarrow", Form.XLSX: "xlsxwriter"}


def is_installed(form: Form) -> bool:
    """True when this process can write the form."""
    return form not in _MODULE_OF or find_spec(_MODULE_OF[form]) is not None


def require_installed(form: Form) -> None:
    """Raises NotAcceptableError `form_not_installed`, naming the extra that is missing."""
    if not is_installed(form):
        raise NotAcceptableError(
            "form_not_installed",
            f"this installation cannot write {form} ({_MODULE_OF[form]} is missing)",
            pointer="header:Accept",
            cure=f"install the extra `vidhuk[{form}]`, or ask for csv, ndjson or arrow",
        )


def content_type(form: Form) -> str:
    """The whole Content-Type of a form."""
    parameters = {Form.CSV: "; charset=utf-8; header=present"}
    return MEDIA_TYPES[form] + parameters.get(form, "")


def table_bytes(
    form: Form,
    columns: Sequence[Column],
    rows: Sequence[dict[str, Any]],
    zone: str,
    about: Iterable[tuple[str, str]],
) -> bytes:
    """The rows in a tabular form; `zone` is that of their instants, `about` is for workbooks."""
    match form:
        case Form.CSV:
            return csv_bytes(columns, rows)
        case Form.NDJSON | Form.JSON:
            return b"".join(json.dumps(row) + b"\n" for row in rows)
        case Form.ARROW:
            return arrow_bytes(columns, rows, zone)
        case Form.PARQUET:
            return parquet_bytes(columns, rows, zone)
        case Form.XLSX:
            return xlsx_bytes(columns, rows, about)
        case _:
            assert_never(form)
