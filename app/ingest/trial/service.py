"""A sample read as its inlet would read it; shared by the API and the command line."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.domain.errors import InvalidError
from app.ingest.adapting import Reading, item_errors, read_payload
from app.ingest.results import Result, Status
from app.ingest.trial.schemas import TrialEvent, TrialIn, TrialOut
from app.sources.base import Adapter, SourceContext
from app.sources.configured import adapter_of, defaults_of
from app.sources.times import find_zone

_UNSCORED = "answer_"


def try_sample(wanted: TrialIn, now: datetime) -> TrialOut:
    """What the sample says, as far as it can be told without a database. Raises InvalidError."""
    return shown(read_sample(wanted, now))


def read_sample(
    wanted: TrialIn, now: datetime, adapter: Adapter | None = None, context: SourceContext | None = None
) -> Reading:
    """What the sample says; `adapter` and `context` are those of the configured source, if it named one.

    Raises InvalidError for what is wrong with the trial itself; what is wrong with the sample is in `errors`.
    """
    if wanted.mapping is not None or wanted.adapter is not None:
        adapter = _adapter(wanted)
    if adapter is None:
        raise InvalidError(
            "no_adapter",
            "nothing says how to read the sample",
            pointer="/adapter",
            cure="name an adapter, give a mapping, or name a configured source",
        )
    context = _context(wanted, context or SourceContext(wanted.source or "sample", now))
    return read_payload(adapter, context, _body(wanted), _headers(wanted))


def _adapter(wanted: TrialIn) -> Adapter:
    try:
        adapter = adapter_of(wanted.adapter, wanted.mapping)
    except InvalidError as error:
        place = "/mapping" if wanted.mapping is not None else ""
        raise InvalidError(
            error.reason, error.detail, pointer=f"{place}{error.pointer}", cure=error.cure
        ) from None
    return adapter


def _context(wanted: TrialIn, context: SourceContext) -> SourceContext:
    if wanted.time_zone is not None:
        zone = find_zone(wanted.time_zone)
        if zone is None:
            raise InvalidError(
                "unknown_zone",
                f"there is no time zone {wanted.time_zone[:60]!r}",
                pointer="/time_zone",
                cure="use an IANA name such as Europe/Kyiv",
            )
        context = replace(context, zone=zone)
    if wanted.defaults is not None or wanted.handles_cases is not None:
        handles = context.defaults.handles_cases if wanted.handles_cases is None else wanted.handles_cases
        defaults = (
            replace(context.defaults, handles_cases=handles)
            if wanted.defaults is None
            else _defaults(wanted.defaults, handles_cases=handles)
        )
        context = replace(context, defaults=defaults)
    return context


def _defaults(stated: Mapping[str, Any], *, handles_cases: bool) -> Any:
    try:
        return defaults_of(stated, handles_cases=handles_cases)
    except (AttributeError, TypeError) as error:
        raise InvalidError(
            "wrong_type",
            "these defaults are not those of a source",
            pointer="/defaults",
            cure="write them as in the source's configuration",
        ) from error


def _body(wanted: TrialIn) -> bytes:
    if wanted.body is not None:
        return wanted.body.encode("utf-8", "surrogatepass")
    return jsonlib.dumps(wanted.payload).encode()  # as it travels: numbers of any size, read like an inlet's


def _headers(wanted: TrialIn) -> dict[str, str]:
    stated = {name.lower(): value for name, value in wanted.headers.items()}
    return stated | {"content-type": wanted.content_type if wanted.body is not None else "application/json"}


def shown(reading: Reading, results: Sequence[Result] = ()) -> TrialOut:
    """The reading as it is shown; `results` say what the journal thinks of its events, in order."""
    refused = [result.error for result in results if result.error is not None]
    states: list[Status | None] = [result.status for result in results] or [None] * len(reading.events)
    unscored: list[str] = []
    for event in reading.events:
        attributes = event.data.get("attributes") or {}
        unscored += [name.removeprefix(_UNSCORED) for name in attributes if name.startswith(_UNSCORED)]
    return TrialOut(
        events=[
            TrialEvent(
                type=event.type.value,
                id=event.id,
                occurred_at=event.occurred_at,
                subject=None
                if event.subject is None
                else {"kind": event.subject.kind.value, "ref": event.subject.ref},
                object=event.object,
                version=None if event.version is None else str(event.version),
                data=dict(event.data),
                status=status,
            )
            for event, status in zip(reading.events, states, strict=True)
        ],
        errors=item_errors([*reading.refusals, *refused]),
        unscored=list(dict.fromkeys(unscored)),
    )
