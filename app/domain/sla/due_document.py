"""Reading durations and due rules from a policy document."""

from __future__ import annotations

import re

from app.domain.errors import InvalidError
from app.domain.sla.document import Node, nearest
from app.domain.sla.timer import (
    AfterDuration,
    CloseOfBusinessDay,
    Counting,
    Due,
    Duration,
    Earliest,
    EndOfDay,
    GivenByEvent,
    Simple,
)
from app.domain.sla.trigger_document import read_fact

LONGEST_SECONDS = 10 * 366 * 86_400
LONGEST_DAYS = 3_660
_ISO_DURATION = re.compile(
    r"P(?!$)(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?!$)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12})S)?)?", re.ASCII
)
_UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_BUSINESS_UNITS = ("business_hours", "business_days")
GIVEN = ("due_at", "promised_at")
"""The fields by which an event may give a due time."""
_DUE_FORMS = ("duration", "from_event", "calendar_rule", "min_of")
_DUE_KEYS = (*_DUE_FORMS, "clock", "of")


def read_due(node: Node) -> Due:
    """A due rule in one of its forms:

    `{"duration": "PT4H" | {"hours": 4}, "clock": "elapsed" | "business"}`,
    `{"from_event": "due_at", "of"?: event type}`, `{"calendar_rule": {"close_of_business_day": 3}}`,
    `{"calendar_rule": {"end_of_day": 30}}`, `{"min_of": [rule, rule, ...]}`.
    """
    fields = node.fields(_DUE_KEYS)
    if "min_of" not in fields:
        return _simple(node, fields)
    if len(fields) > 1:
        raise node.refusal("ambiguous_due", "min_of stands alone.", "Put the other rule into min_of.")
    parts = fields["min_of"].elements()
    if len(parts) < 2:
        raise fields["min_of"].refusal(
            "too_few_parts", "min_of chooses between two rules or more.", "Write the rule without min_of."
        )
    return Earliest(tuple(_simple(part, part.fields(_DUE_KEYS)) for part in parts))


def _simple(node: Node, fields: dict[str, Node]) -> Simple:
    form, *others = [name for name in _DUE_FORMS if name in fields] or [""]
    if not form:
        raise node.refusal("missing_due", "No due rule is given.", f"Give one of: {', '.join(_DUE_FORMS)}.")
    if others:
        raise node.refusal("ambiguous_due", f"{form} and {others[0]} are two rules.", "Use min_of for both.")
    counting = fields["clock"].choice(Counting) if "clock" in fields else None
    if "of" in fields and form != "from_event":
        raise fields["of"].refusal("unknown_key", "`of` goes with from_event.", "Remove it.")
    if form == "duration":
        return AfterDuration(read_duration(fields[form], counting))
    if form == "from_event":
        of = read_fact(fields["of"]) if "of" in fields else ""
        return GivenByEvent(_given(fields[form]), counting or Counting.ELAPSED, of)
    if form == "calendar_rule":
        return _calendar_rule(fields[form], counting)
    raise fields[form].refusal(
        "nested_min_of", "min_of does not stand inside min_of.", "Write one flat list."
    )


def _given(node: Node) -> str:
    """A field that no event has would give no deadline, and nobody would hear of it."""
    name = node.slug()
    if name not in GIVEN:
        raise node.refusal("unknown_field", f"No event gives a due time as {name!r}.", nearest(name, GIVEN))
    return name


def _calendar_rule(node: Node, counting: Counting | None) -> CloseOfBusinessDay | EndOfDay:
    fields = node.fields(("close_of_business_day", "end_of_day"))
    if len(fields) != 1:
        raise node.refusal("ambiguous_due", "Exactly one calendar rule is expected here.", "Drop the other.")
    ((name, value),) = fields.items()
    n = value.integer(1, LONGEST_DAYS, "target_out_of_range")
    if name == "end_of_day":
        return EndOfDay(n, counting or Counting.ELAPSED)
    return CloseOfBusinessDay(n, counting or Counting.BUSINESS)


def read_duration(node: Node, counting: Counting | None = None) -> Duration:
    """`"PT1H30M"` on the clock given, or `{"minutes": 20}`, `{"business_days": 1}`.

    Raises InvalidError: bad_duration, zero_target, target_too_long, mixed_clocks, ambiguous_days.
    """
    if isinstance(node.value, str):
        return _checked(node, _iso(node, counting or Counting.ELAPSED))
    fields = node.fields((*_UNIT_SECONDS, *_BUSINESS_UNITS))
    if not fields:
        raise node.refusal("zero_target", "The duration is empty.", 'Write it like {"hours": 4}.')
    business = [name for name in fields if name in _BUSINESS_UNITS]
    if business and (counting is Counting.ELAPSED or "days" in fields):
        detail = f"{business[0]} count on the business clock only."
        raise node.refusal("mixed_clocks", detail, "Use hours for elapsed time, or drop `clock`.")
    counting = Counting.BUSINESS if business else counting or Counting.ELAPSED
    amounts = {name: _amount(child) for name, child in fields.items()}
    if "days" in fields and counting is Counting.BUSINESS:
        raise _ambiguous_days(fields["days"])
    units = {**_UNIT_SECONDS, "business_hours": 3600}
    seconds = sum(amount * units[name] for name, amount in amounts.items() if name in units)
    return _checked(node, Duration(round(seconds), amounts.get("business_days", 0), counting))


def _amount(node: Node) -> float:
    amount = node.number()
    if amount <= 0:
        raise _zero(node)
    if amount > LONGEST_SECONDS:
        raise _too_long(node)
    return amount


def _iso(node: Node, counting: Counting) -> Duration:
    match = _ISO_DURATION.fullmatch(str(node.value))
    if match is None:
        raise node.refusal(
            "bad_duration",
            f"{node.value!r} is not a duration of weeks, days, hours, minutes and seconds.",
            "Write it like 'PT4H' or 'P14D'; months and years have no fixed length.",
        )
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if (weeks or days) and counting is Counting.BUSINESS:
        raise _ambiguous_days(node)
    total = (weeks * 7 + days) * 86_400 + hours * 3600 + minutes * 60 + seconds
    return Duration(total, 0, counting)


def _checked(node: Node, duration: Duration) -> Duration:
    if duration.seconds <= 0 and duration.business_days <= 0:
        raise _zero(node)
    if duration.seconds > LONGEST_SECONDS or duration.business_days > LONGEST_DAYS:
        raise _too_long(node)
    return duration


def _zero(node: Node) -> InvalidError:
    return node.refusal("zero_target", "A target of zero is missed as it begins.", "Give a positive one.")


def _too_long(node: Node) -> InvalidError:
    return node.refusal("target_too_long", "A target may be ten years long at most.", "Give a shorter one.")


def _ambiguous_days(node: Node) -> InvalidError:
    return node.refusal(
        "ambiguous_days",
        "On the business clock a day could mean 24 hours or a working day.",
        "Write business_days, or use the elapsed clock.",
    )
