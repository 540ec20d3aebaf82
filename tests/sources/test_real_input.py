"""Other people's data, read where it lies beside the checkout: real payloads and files, counted facts."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import Event, EventType
from app.ingest.reading import event_of
from app.sources.base import SourceContext, adapt
from app.sources.delivery import Delivery
from app.sources.errors import PayloadError
from app.sources.mapping import compile_mapping
from app.sources.registry import ADAPTERS, get_adapter
from app.sources.signatures import get_family
from app.sources.verification import VerificationError, verify
from tests.sources.conftest import RECEIVED_AT

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"
COMPLAINTS = ROOT.parent / "shared" / "datasets" / "complaints"
MAPPINGS = ROOT / "examples" / "mappings"

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample payloads are not here")
needs_data_sets = pytest.mark.skipif(not COMPLAINTS.is_dir(), reason="the data sets are not here")


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def _through_the_door(event: Event) -> Event:
    """The event as the door would read it from a request: what an adapter writes must be accepted there."""
    envelope: dict[str, Any] = {
        "type": event.type.value,
        "id": event.id,
        "source": event.source,
        "occurred_at": event.occurred_at.isoformat(),
        "data": json.loads(json.dumps(event.data)),
    }
    if event.subject is not None:
        envelope["subject"] = {"kind": event.subject.kind.value, "ref": event.subject.ref}
    return event_of(envelope)


@needs_samples
@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("conversation_opened", []),
        ("conversation_resolved", [EventType.INTERACTION_ENDED, EventType.CASE_CLOSED]),
        ("conversation_status_changed", []),
        ("message_created", [EventType.CASE_CUSTOMER_CONTACTED]),
        ("message_updated", []),
        ("webwidget_triggered", []),
    ],
)
def test_chatwoots_published_payloads_say_what_they_say(
    name: str, types: list[EventType], case_context: SourceContext
) -> None:
    adaptation = adapt(get_adapter("chatwoot"), _sample(f"chatwoot/{name}.json"), case_context)
    assert adaptation.refusals == ()
    assert [_through_the_door(event).type for event in adaptation.events] == types


@needs_samples
def test_trustpilots_published_batch_gives_a_review_and_one_loud_stranger(context: SourceContext) -> None:
    adaptation = adapt(get_adapter("trustpilot"), _sample("trustpilot/service_review_events.json"), context)
    (event,) = adaptation.events
    assert _through_the_door(event).type is EventType.REVIEW_PUBLISHED
    assert event.data["answers"][0]["value"] == 4
    assert event.occurred_at == datetime(2022, 7, 8, 22, 41, 48, tzinfo=UTC)
    assert [refusal.error.reason for refusal in adaptation.refusals] == ["unknown_event"]


@needs_samples
@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_no_partners_payload_breaks_another_partners_adapter(adapter: str, context: SourceContext) -> None:
    for path in sorted(SAMPLES.glob("*/*.json")):
        try:
            payload = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        for event in adapt(get_adapter(adapter), payload, context).events:
            _through_the_door(event)


@needs_samples
def test_squares_published_signature_verifies() -> None:
    body = (SAMPLES / "square" / "test_notification_signature_vector.json").read_bytes()
    signature = "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="
    url = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"
    delivery = Delivery({"x-square-hmacsha256-signature": signature}, body.strip(), url=url)
    verify(get_family("square"), delivery, ["Ibxx_5AKakO-3qeNVR61Dw"], RECEIVED_AT)
    with pytest.raises(VerificationError):
        verify(get_family("square"), delivery, ["Ibxx_5AKakO-3qeNVR61Dx"], RECEIVED_AT)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    path = COMPLAINTS / name
    if path.suffix == ".ndjson":
        yield from (
            json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
        )
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _map(mapping: str, name: str) -> list[Event]:
    compiled = compile_mapping(json.loads((MAPPINGS / f"{mapping}.json").read_text(encoding="utf-8")))
    identity = hashlib.sha256((COMPLAINTS / name).read_bytes()).hexdigest()
    context = SourceContext("city", RECEIVED_AT)
    return [
        event for n, row in enumerate(_rows(name), 1) for event in compiled.events(row, context, n, identity)
    ]


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.json")), ids=lambda path: path.stem)
def test_every_mapping_of_the_gallery_compiles(path: Path) -> None:
    assert compile_mapping(json.loads(path.read_text(encoding="utf-8"))).rules


@needs_data_sets
def test_the_city_file_gives_the_counted_facts() -> None:
    """Counted independently in the file: 2,000 rows, 42 open, 1,941 due and closed, of which 304 late."""
    events = _map("nyc311", "nyc311_2011_03_sample.csv")
    received = {event.subject: event for event in events if event.type is EventType.FEEDBACK_RECEIVED}
    closed = {event.subject: event for event in events if event.type is EventType.CASE_CLOSED}
    assert (len(received), len(closed)) == (2_000, 1_958)
    assert Counter(event.data["channel"] for event in received.values()) == {
        "call": 1_733,
        "other": 207,
        "web": 60,
    }
    due = {
        subject: datetime.fromisoformat(event.data["due_at"])
        for subject, event in received.items()
        if "due_at" in event.data
    }
    assert len(due) == 1_983
    assert sum(subject in closed for subject in due) == 1_941
    assert sum(closed[subject].occurred_at > at for subject, at in due.items() if subject in closed) == 304
    assert sum(closed[subject].occurred_at < received[subject].occurred_at for subject in closed) == 1
    assert len({event.id for event in events}) == len(events)


@needs_data_sets
def test_the_citys_clock_change_is_followed() -> None:
    """New York was 5 hours behind UTC until 2011-03-13 and 4 hours from then on."""
    offsets: dict[bool, set[float]] = {False: set(), True: set()}
    for event in _map("nyc311", "nyc311_2011_03_sample.csv"):
        written = datetime.strptime(event.time_raw or "", _US).replace(tzinfo=UTC)
        if datetime(2011, 3, 1, tzinfo=UTC) <= written < datetime(2011, 4, 1, tzinfo=UTC):
            summer = written >= datetime(2011, 3, 13, 3, tzinfo=UTC)
            offsets[summer].add((event.occurred_at - written).total_seconds() / 3600)
    assert offsets == {False: {5.0}, True: {4.0}}


_US = "%m/%d/%Y %I:%M:%S %p"


@needs_data_sets
def test_the_regulators_file_gives_days_and_a_negative_lag() -> None:
    """3,186 rows of which 8 lines occur more than once: the row is the identity, not the content."""
    events = _map("cfpb", "cfpb_2013_2017_sample.csv")
    received = [event for event in events if event.type is EventType.FEEDBACK_RECEIVED]
    sent = {event.subject: event for event in events if event.type is EventType.CASE_ASSIGNED}
    assert len(received) == len(sent) == 3_186
    assert len({event.id for event in events}) == len(events)
    assert all(event.day_precision for event in events)
    assert Counter(event.data["attributes"].get("timely") for event in received) == {True: 3_093, False: 93}
    assert Counter(event.data["attributes"].get("disputed") for event in received) == {
        False: 2_534,
        True: 595,
        None: 57,
    }
    lags = [
        (sent[event.subject].occurred_at - event.occurred_at).total_seconds() / 86_400 for event in received
    ]
    assert min(lags) < 0 and round(max(lags)) == 292


@needs_data_sets
@pytest.mark.parametrize("name", ["cfpb_from_s3_fixture.ndjson", "cfpb_ccdb_fixture.ndjson"])
def test_the_regulators_own_format_is_read_line_by_line(name: str) -> None:
    compiled = compile_mapping(json.loads((MAPPINGS / "cfpb_api.json").read_text(encoding="utf-8")))
    events = []
    refused = []
    for number, row in enumerate(_rows(name), 1):
        try:
            events += compiled.events(row, SourceContext("cfpb", RECEIVED_AT), number, "00" * 32)
        except PayloadError as error:
            refused.append((number, error.reason))
    assert len(events) == 18
    assert refused == [(10, "time_missing")]


@needs_data_sets
def test_what_the_mappings_write_is_accepted_at_the_door() -> None:
    for mapping, name in (
        ("nyc311", "nyc311_2011_03_sample.csv"),
        ("nyc311", "nyc311_2016_noise_sample.csv"),
        ("cfpb", "cfpb_2013_2017_sample.csv"),
    ):
        for event in _map(mapping, name):
            _through_the_door(event)
