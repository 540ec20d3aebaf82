"""The system query options of one request, understood: what to select, in which order, from where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from app.bi.odata.conditions import get_property
from app.bi.odata.errors import NotOfferedError, ODataError
from app.bi.odata.filter import Node, parse_filter
from app.bi.odata.model import EntitySet, Property
from app.bi.odata.values import read_text
from app.kit.cursors import CursorError, decode_cursor, encode_cursor

PAGE_SIZE: Final = 5_000
_MOST_SORT_KEYS: Final = 5
_LARGEST: Final = 2**31
_KNOWN: Final = ("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$format")
_NOT_OFFERED: Final = ("$expand", "$search", "$apply", "$compute", "$levels", "$deltatoken")


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the order; by the protocol null is the least of values."""

    property: Property
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of an entity set. `after`: the sort values of the last row of the page before."""

    entity_set: EntitySet
    select: tuple[str, ...]
    order: tuple[SortKey, ...]
    filter: Node | None = None
    filter_text: str = ""
    top: int | None = None
    skip: int = 0
    count: bool = False
    after: tuple[Any, ...] | None = None
    page_size: int = PAGE_SIZE

    @property
    def limit(self) -> int:
        """Rows of this page."""
        return self.page_size if self.top is None else min(self.page_size, self.top)


def read_options(entity_set: EntitySet, parameters: Iterable[tuple[str, str]], prefer: str = "") -> Options:
    """The options of a request. Raises ODataError, NotOfferedError."""
    given = _by_name(parameters)
    chosen = _select(entity_set, given.get("$select", "*"))
    order = _order(entity_set, given.get("$orderby", ""))
    text = given.get("$filter", "").strip()
    options = Options(
        entity_set,
        chosen,
        order,
        filter=parse_filter(text) if text else None,
        filter_text=text,
        top=_whole(given, "$top"),
        skip=_whole(given, "$skip") or 0,
        count=_flag(given, "$count"),
        page_size=_page_size(prefer),
    )
    token = given.get("$skiptoken")
    return options if token is None else replace(options, after=_after(token, order))


def next_link(base: str, options: Options, last: dict[str, Any], given: int) -> str:
    """The address of the next page, all options frozen."""
    values = [_written(last[key.property.name]) for key in options.order]
    parameters: list[tuple[str, str]] = []
    if options.filter_text:
        parameters.append(("$filter", options.filter_text))
    if options.select != tuple(options.entity_set.properties):
        parameters.append(("$select", ",".join(options.select)))
    asked = [
        key for key in options.order if key.property.name not in options.entity_set.key or key.descending
    ]
    if asked:
        order = ",".join(f"{k.property.name} {'desc' if k.descending else 'asc'}" for k in options.order)
        parameters.append(("$orderby", order))
    if options.top is not None:
        parameters.append(("$top", str(options.top - given)))
    parameters.append(("$skiptoken", encode_cursor(*values)))
    return f"{base}{options.entity_set.name}?{urlencode(parameters, quote_via=quote, safe='$,')}"


def _by_name(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        option = name if name.startswith("$") else f"${name}"  # 4.01 lets clients leave the sign out
        if option in _NOT_OFFERED:
            raise NotOfferedError("option_not_offered", f"{option} is not offered", pointer=option)
        if option not in _KNOWN:
            raise ODataError(
                "unknown_option",
                f"there is no query option {name[:40]!r}",
                pointer=name[:40],
                cure=f"known are {', '.join(_KNOWN)}",
            )
        if option in given:
            raise ODataError("repeated_option", f"{option} is given twice", pointer=option)
        given[option] = value
    form = given.get("$format", "json").partition(";")[0]
    if form not in ("json", "application/json"):
        raise NotOfferedError("format_not_offered", f"the feed has no {form[:40]!r}", pointer="$format")
    return given


def _select(entity_set: EntitySet, text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or "*" in names:
        return tuple(entity_set.properties)
    found = [get_property(entity_set, name, "$select").name for name in names]
    return tuple(dict.fromkeys(found))


def _order(entity_set: EntitySet, text: str) -> tuple[SortKey, ...]:
    """The asked keys, then those of the entity, by which no two rows are equal."""
    keys: dict[str, SortKey] = {}
    for part in (part for part in text.split(",") if part.strip()):
        name, *direction = part.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise ODataError("malformed_order", f"{part.strip()[:60]!r} is no sort key", pointer="$orderby")
        found = get_property(entity_set, name, "$orderby")
        keys.setdefault(name, SortKey(found, direction == ["desc"]))
    for name in entity_set.key:
        keys.setdefault(name, SortKey(entity_set.properties[name]))
    if len(keys) > _MOST_SORT_KEYS + len(entity_set.key):
        raise ODataError("too_many_sort_keys", f"more than {_MOST_SORT_KEYS} sort keys", pointer="$orderby")
    return tuple(keys.values())


def _whole(given: dict[str, str], option: str) -> int | None:
    text = given.get(option)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) >= _LARGEST:
        raise ODataError(
            "invalid_number", f"{option} is a whole number from 0, not {text[:20]!r}", pointer=option
        )
    return int(text)


def _flag(given: dict[str, str], option: str) -> bool:
    text = given.get(option, "false")
    if text not in ("true", "false"):
        raise ODataError("invalid_flag", f"{option} is true or false, not {text[:20]!r}", pointer=option)
    return text == "true"


def _page_size(prefer: str) -> int:
    """`Prefer: maxpagesize=100` asks for smaller pages; larger than ours they do not become."""
    for entry in prefer.lower().split(","):
        name, _, value = entry.strip().partition("=")
        if name in ("maxpagesize", "odata.maxpagesize") and value.isascii() and value.isdigit():
            return max(1, min(PAGE_SIZE, int(value[:9])))
    return PAGE_SIZE


def _after(token: str, order: tuple[SortKey, ...]) -> tuple[Any, ...]:
    try:
        texts = decode_cursor(token, len(order))
        return tuple(
            None if text is None else read_text(str(text), key.property.type)
            for text, key in zip(texts, order, strict=True)
        )
    except (CursorError, ValueError, OverflowError, KeyError):
        raise ODataError(
            "invalid_skiptoken",
            "this $skiptoken is not one of this query",
            pointer="$skiptoken",
            cure="follow @odata.nextLink as it is",
        ) from None


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
