"""The catalogue of outgoing types, the patterns over it, and its face in OpenAPI."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from app.domain.errors import InvalidError
from app.domain.events import EventType
from app.webhooks.catalogue import OUTGOING
from app.webhooks.openapi import WebhookBody, describe_webhooks
from app.webhooks.patterns import check_patterns, get_type, matches


@pytest.mark.parametrize(
    ("patterns", "event_type", "expected"),
    [
        (["*"], "sla.breached", True),
        (["sla.*"], "sla.breached", True),
        (["sla.breached"], "sla.breached", True),
        (["sla.breach"], "sla.breached", False),
        (["sla.*"], "slated.x", False),
        (["sla*"], "sla.breached", False),
        (["case.*", "sla.met"], "sla.breached", False),
        ([], "sla.breached", False),
    ],
)
def test_a_pattern_is_exact_a_family_or_all(patterns: list[str], event_type: str, expected: bool) -> None:
    assert matches(patterns, event_type) is expected


@pytest.mark.parametrize(
    "event_type", [item for item in EventType if item.is_derived or item.startswith("case.")]
)
def test_everything_that_is_announced_is_in_the_catalogue(event_type: EventType) -> None:
    assert event_type.value in OUTGOING


@given(st.text(max_size=20))
def test_a_pattern_that_passes_the_check_matches_something(pattern: str) -> None:
    try:
        check_patterns([pattern])
    except InvalidError:
        return
    assert any(matches([pattern], event_type) for event_type in OUTGOING)


def test_a_pattern_is_no_type_to_test_with() -> None:
    with pytest.raises(InvalidError):
        get_type("*")
    assert get_type("sla.met").type == "sla.met"


@pytest.mark.parametrize("event_type", OUTGOING)
def test_every_example_is_a_body_that_a_receiver_may_see(event_type: str) -> None:
    example = OUTGOING[event_type].example
    body = WebhookBody(type=event_type, timestamp="2026-11-22T12:15:00Z", data=dict(example))  # type: ignore[arg-type]
    assert body.data["sequence"] > 0
    assert len(body.model_dump_json()) < 20_000


def test_openapi_lists_every_type_and_stays_valid() -> None:
    app = FastAPI()
    describe_webhooks(app)
    description = app.openapi()
    validate(description)
    assert set(description["webhooks"]) == set(OUTGOING)
    operation = description["webhooks"]["sla.breached"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["example"]["type"] == "sla.breached"
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
