"""How an endpoint wants its messages: which, in what shape, how fast, how long, how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.domain.errors import InvalidError
from app.domain.event_filter import conditions, parse_filter
from app.domain.ordering import Ordering
from app.domain.outgoing import Format, Payload
from app.webhooks.patterns import matching_types, nearest_field

FILTER_EXAMPLE: dict[str, Any] = {
    "all": [
        {"field": "data.standing.severity", "op": "in", "values": ["sev1", "sev2"]},
        {"not": {"field": "data.facts.channel", "op": "eq", "values": ["email"]}},
    ]
}

Delay = Annotated[int, Field(ge=1, le=86_400)]


class Throttle(BaseModel):
    """At most `messages` in any `seconds`, evenly paced."""

    model_config = ConfigDict(extra="forbid")

    messages: int = Field(ge=1, le=10_000)
    seconds: int = Field(default=1, ge=1, le=3_600)


class EndpointOptions(BaseModel):
    """What may be left out."""

    filter: dict[str, Any] | None = Field(
        default=None,
        description="only events whose body passes: `{field, op, values}`, or `all`, `any`, `not` of such. "
        "`field` is a path in the body as posted in full; `ne` and `not_in` hold where it has no value",
        examples=[FILTER_EXAMPLE],
    )
    payload: Payload = Field(default=Payload.FULL, description="`thin`: ids only, fetch the rest with a key")
    format: Format = Field(
        default=Format.STANDARD, description="`cloudevents`: a structured CloudEvent 1.0, signed alike"
    )
    ordering: Ordering = Field(
        default=Ordering.NONE,
        description="`subject`: messages about one case or subject come one after another, in the order of "
        "`sequence`; the next one waits until the one before is delivered or given up. `endpoint`: all of "
        "them. Holds for messages that come to be from then on",
    )
    throttle: Throttle | None = Field(default=None, description="null: as fast as it takes them")
    concurrency: int | None = Field(
        default=None, ge=1, le=100, description="most requests at once, of all workers; null: the service's"
    )
    deadline_ms: int | None = Field(
        default=None, ge=10, le=30_000, description="for one whole try; null: the service's (15 s)"
    )
    retry_delays_seconds: list[Delay] | None = Field(
        default=None,
        max_length=20,
        description="seconds between tries, of your own; [] is one try only; null: the service's ten tries "
        "over three days",
        examples=[[10, 60, 600]],
    )


def check_filter(document: Any, event_types: list[str]) -> None:
    """Refuse a filter that is none, or that asks for a field which no subscribed event has.

    Raises InvalidError.
    """
    parsed = parse_filter(document)
    types = matching_types(event_types)
    for condition in conditions(parsed):
        near = nearest_field(condition.path, types)
        if near is not None:
            raise InvalidError(
                "unknown_field",
                f"no event that this endpoint asks for has a field `{'.'.join(condition.path)}`",
                pointer="/filter",
                cure=f"did you mean `{near}`?" if near else "see the examples of the event catalogue",
            )


def option_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the table has them; only those that are given."""
    columns = {name: values[name] for name in _PLAIN if name in values}
    if "throttle" in values:
        throttle = values["throttle"] or {}
        columns["throttle_messages"] = throttle.get("messages")
        columns["throttle_seconds"] = throttle.get("seconds")
        columns["tokens"] = columns["tokens_at"] = None
    return columns


def throttle_of(row: Any) -> Throttle | None:
    """The throttle of a row."""
    if row.throttle_messages is None:
        return None
    return Throttle(messages=row.throttle_messages, seconds=row.throttle_seconds)


def options_of(row: Any) -> dict[str, Any]:
    """The options of a row, as callers see them."""
    return {**{name: getattr(row, name) for name in _PLAIN}, "throttle": throttle_of(row)}


_PLAIN = ("filter", "payload", "format", "ordering", "concurrency", "deadline_ms", "retry_delays_seconds")
