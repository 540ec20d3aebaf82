"""Trustpilot's batches: states of reviews, and one bad event that costs its neighbours nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.events import EventType, Subject, SubjectKind
from app.sources.base import Adaptation, SourceContext, adapt
from app.sources.trustpilot import TrustpilotAdapter
from tests.sources.conftest import RECEIVED_AT, LoadPayload


def _adapt(payload: Any, context: SourceContext) -> Adaptation:
    return adapt(TrustpilotAdapter(), payload, context)


def _review(name: str, **data: Any) -> dict[str, Any]:
    return {"events": [{"eventName": name, "version": "1", "eventData": {"id": "r", **data}}]}


def test_a_batch_gives_the_states_of_its_reviews_in_order(
    payload: LoadPayload, context: SourceContext
) -> None:
    adaptation = _adapt(payload("trustpilot/batch"), context)
    assert adaptation.refusals == ()
    assert [(event.type, event.id) for event in adaptation.events] == [
        (EventType.REVIEW_PUBLISHED, "review:rev-1@2026-01-05T08:30:00.000Z"),
        (EventType.REVIEW_EDITED, "review:rev-1@2026-01-07T12:00:00.000Z"),
        (EventType.REVIEW_REPLIED, "review:rev-1:replied@2026-01-06T09:00:00Z"),
        (EventType.REVIEW_REMOVED, "review:rev-2:removed"),
    ]


def test_a_published_review_carries_its_answer_and_its_author(
    payload: LoadPayload, context: SourceContext
) -> None:
    published = _adapt(payload("trustpilot/batch"), context).events[0]
    assert published.occurred_at == datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    assert published.subject == Subject(SubjectKind.REVIEW, "review:rev-1")
    assert published.data == {
        "kind": "review",
        "channel": "review",
        "location": "kyiv-1",
        "customer": {"type": "trustpilot_consumer", "value": "cons-9"},
        "author": "Ірина",
        "transaction": "ORD-77",
        "answers": [{"question": "stars", "measure": "stars", "scale": "stars_1_5", "value": 2}],
        "title": "Довго чекала…",
        "text": "Довго чекала на доставку",
        "lang": "uk",
        "collection_mode": "scraped",
        "source_url": "https://reviews.example.com/rev-1",
        "verification": "verified",
        "attributes": {"tag_sales_team": "north, web"},
    }


def test_an_edit_and_a_removal_are_greater_versions_of_the_same_object(context: SourceContext) -> None:
    created = _adapt(
        _review("service-review-created", stars=1, createdAt="2026-01-05T08:00:00Z"), context
    ).events[0]
    edited = _adapt(
        _review(
            "service-review-updated",
            stars=3,
            createdAt="2026-01-05T08:00:00Z",
            updatedAt="2026-01-06T08:00:00Z",
        ),
        context,
    ).events[0]
    removed = _adapt(_review("service-review-deleted", updatedAt="2026-01-06T08:00:00Z"), context).events[0]
    assert created.object == edited.object == removed.object == "review:r"
    assert created.version is not None and edited.version is not None and removed.version is not None
    assert created.version < edited.version < removed.version


def test_a_removal_without_a_time_happened_at_the_latest_when_we_heard_of_it(context: SourceContext) -> None:
    (removed,) = _adapt(_review("service-review-deleted"), context).events
    assert removed.occurred_at == RECEIVED_AT


def test_an_edit_without_a_time_is_named_by_its_content(context: SourceContext) -> None:
    def edit(stars: int) -> str:
        return _adapt(_review("service-review-updated", stars=stars), context).events[0].id

    assert edit(1) == edit(1) != edit(2)


def test_an_unknown_event_is_quarantined_alone(payload: LoadPayload, context: SourceContext) -> None:
    batch = payload("trustpilot/batch")
    batch["events"][1]["eventName"] = "foo"
    adaptation = _adapt(batch, context)
    assert [event.type for event in adaptation.events] == [
        EventType.REVIEW_PUBLISHED,
        EventType.REVIEW_REMOVED,
    ]
    (refusal,) = adaptation.refusals
    assert (refusal.error.reason, refusal.error.pointer) == ("unknown_event", "/events/1/eventName")
    assert refusal.item.value == batch["events"][1]


def test_a_refused_item_can_be_replayed_by_itself(payload: LoadPayload, context: SourceContext) -> None:
    batch = payload("trustpilot/batch")
    batch["events"][0]["eventData"]["stars"] = 9
    (refusal,) = _adapt(batch, context).refusals
    assert refusal.error.pointer == "/events/0/eventData/stars"
    mended = {"events": [refusal.item.value]}
    batch["events"][0]["eventData"]["stars"] = 1
    assert [event.type for event in _adapt(mended, context).events] == [EventType.REVIEW_PUBLISHED]


def test_an_empty_batch_is_legal(context: SourceContext) -> None:
    assert _adapt({"events": []}, context) == Adaptation((), ())


@pytest.mark.parametrize("broken", [None, [], "x", {"events": {}}, {"events": ["x"]}, {"events": [None]}])
def test_what_is_no_batch_is_refused_whole(broken: Any, context: SourceContext) -> None:
    adaptation = _adapt(broken, context)
    assert adaptation.events == ()
    assert [(refusal.error.reason, refusal.item.value) for refusal in adaptation.refusals] == [
        ("wrong_type", broken)
    ]


def test_a_review_without_stars_or_author_is_still_a_review(context: SourceContext) -> None:
    data = {
        "createdAt": "2026-01-05T08:00:00Z",
        "text": "Ok",
        "consumer": None,
        "locationId": None,
        "tags": None,
    }
    (event,) = _adapt(_review("service-review-created", **data), context).events
    assert event.data == {
        "kind": "review",
        "channel": "review",
        "text": "Ok",
        "collection_mode": "scraped",
        "verification": "presumed_genuine",
    }


@pytest.mark.parametrize("created", ["yesterday", 1767261600, "2026-01-05T08:00:00"])
def test_a_time_that_cannot_be_read_is_refused(created: object, context: SourceContext) -> None:
    (refusal,) = _adapt(_review("service-review-created", createdAt=created), context).refusals
    assert refusal.error.pointer == "/events/0/eventData/createdAt"
