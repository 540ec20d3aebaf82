"""A payload of our own in each partner's shape -> the events it must give: the fixture is the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidError
from app.domain.events import Event
from app.ingest.reading import validated
from app.sources.base import ADAPTER_FAILED, SourceContext, adapt
from app.sources.configured import defaults_of
from app.sources.registry import ADAPTERS, get_adapter
from tests.sources.conftest import RECEIVED_AT

CASES = [
    (path.stem, case)
    for path in sorted((Path(__file__).parent / "fixtures" / "cases").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


def context_of(case: dict[str, Any]) -> SourceContext:
    stated = case.get("defaults", {})
    return SourceContext(
        "partner",
        RECEIVED_AT,
        ZoneInfo(case["zone"]) if "zone" in case else None,
        defaults_of(stated, handles_cases=stated.get("handles_cases", False)),
        case.get("headers", {}),
    )


def shown(event: Event) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "id": event.id,
        "occurred_at": event.occurred_at.isoformat(),
        "subject": None if event.subject is None else f"{event.subject.kind.value} {event.subject.ref}",
        "object": event.object,
        "version": None if event.version is None else str(event.version),
        "data": event.data,
    }


def assert_holds(part: Any, whole: Any, where: str) -> None:
    """What is expected stands in what came; attributes and answers must be whole."""
    if isinstance(part, dict) and not where.endswith("/attributes"):
        for key, value in part.items():
            assert_holds(value, whole.get(key), f"{where}/{key}")
    else:
        assert whole == part, where


@pytest.mark.parametrize(("adapter", "case"), CASES, ids=[f"{name}: {case['name']}" for name, case in CASES])
def test_a_payload_says_what_it_says(adapter: str, case: dict[str, Any]) -> None:
    adaptation = adapt(get_adapter(adapter), case["payload"], context_of(case))
    for event in adaptation.events:
        validated(event)  # what an adapter says is held to the contract of the door
    events = [shown(event) for event in adaptation.events]
    assert [refusal.error.reason for refusal in adaptation.refusals] == case.get("refused", [])
    assert len(events) == len(case["expected"]), events
    for index, (wanted, event) in enumerate(zip(case["expected"], events, strict=True)):
        assert_holds(wanted, event, f"/{index}")


def test_every_adapter_has_a_case() -> None:
    assert set(ADAPTERS) - {"chatwoot", "trustpilot"} == {name for name, _ in CASES}


def test_a_field_that_nobody_knows_changes_nothing() -> None:
    for adapter, case in CASES:
        payload = case["payload"]
        if not isinstance(payload, dict) or adapter == "telegram":
            continue  # no object to add to; Telegram's field names are its event names
        stranger = {**payload, "zz_new_field_of_the_partner": {"a": [1, None]}}
        known = adapt(get_adapter(adapter), payload, context_of(case))
        met = adapt(get_adapter(adapter), stranger, context_of(case))
        assert [shown(event) for event in met.events] == [shown(event) for event in known.events], case[
            "name"
        ]


_WRONG = st.sampled_from(
    [None, "", "x", 0, -1, 3.5, 10**30, True, [], {}, [[]], [None], {"a": {}}, "\ud800", "9" * 400]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in _places(below, (*path, key)))]


def _replaced(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    if isinstance(value, dict):
        return {
            key: _replaced(item, path[1:], wrong) if key == path[0] else item for key, item in value.items()
        }
    return [_replaced(item, path[1:], wrong) if key == path[0] else item for key, item in enumerate(value)]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_wrong_type_anywhere_is_events_or_a_refusal_and_never_a_crash(data: st.DataObject) -> None:
    adapter, case = data.draw(st.sampled_from(CASES))
    broken = case["payload"]
    for _ in range(data.draw(st.integers(1, 3))):
        broken = _replaced(broken, data.draw(st.sampled_from(_places(broken))), data.draw(_WRONG))
    adaptation = adapt(get_adapter(adapter), broken, context_of(case))
    for refusal in adaptation.refusals:
        assert refusal.error.reason != ADAPTER_FAILED, refusal.error.detail
    for event in adaptation.events:
        try:
            validated(event)
        except InvalidError as error:
            assert error.pointer
