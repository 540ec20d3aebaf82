"""What a mapping may call, and how it reads a form, the whole payload and a header."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.events import Event
from app.sources.base import Adaptation, SourceContext, SourceDefaults, adapt
from app.sources.errors import MappingError, PayloadError
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.mapping.expression import compile_expression
from app.sources.mapping.functions import Envelope
from app.sources.questions import QuestionRule
from tests.sources.conftest import RECEIVED_AT

DOCUMENT = {
    "tags": [{"id": "a", "text": "Quick"}, {"id": "b", "text": "Kind"}],
    "chosen": ["b", "zz"],
    "id": 7,
    "mark": "4,5 of 5",
    "stars": "★★★☆☆",
    "html": "<p>So <b>cold</b></p>",
    "inner": '{"score": 3}',
    "key": "score",
    "none": None,
}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("text('ticket:', id)", "ticket:7"),
        ("text('ticket:', none)", None),
        ("upper(key)", "SCORE"),
        ("lower(none)", None),
        ("trim('  a ')", "a"),
        ("split('a|b', '|')[1]", "b"),
        ("split(none, '|')", None),
        ("replace('+38 050', ' ', '')", "+38050"),
        ("number_in(mark)", 4.5),
        ("number_in('none')", None),
        ("number_in(id)", 7),
        ("count(stars, '★')", 3),
        ("plain(html)", "So cold"),
        ("from_json(inner).score", 3),
        ("get(from_json(inner), key)", 3),
        ("find(tags, 'id', chosen[0]).text", "Kind"),
        ("find(none, 'id', 'a')", None),
        ("find_all(tags, 'id', chosen)[].text", ["Kind"]),
        ("find_all(none, 'id', none)[].text || key", "score"),
        ("entries(from_json(inner))", [{"key": "score", "value": 3}]),
        ("payload().account", "acme"),
        ("header('X-Event')", "rated"),
        ("header('x-other')", None),
    ],
)
def test_a_function_finds(expression: str, found: Any) -> None:
    envelope = Envelope({"account": "acme"}, {"x-event": "rated"})
    assert compile_expression(expression, "").search(DOCUMENT, "", envelope) == found


@pytest.mark.parametrize("expression", ["from_json('{')", "lower(id)", "replace(html, 'p', payload())"])
def test_what_cannot_be_applied_is_a_refusal(expression: str) -> None:
    with pytest.raises(PayloadError) as caught:
        compile_expression(expression, "").search(DOCUMENT, "/3")
    assert (caught.value.reason, caught.value.pointer) == ("expression_failed", "/3")


def test_a_text_cannot_be_blown_up() -> None:
    grown = "replace(@, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
    with pytest.raises(PayloadError):
        compile_expression(" | ".join([grown] * 5), "").search("aaaaaaaaaa", "")


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("header(name)", "written out"),
        ("header('Authorization')", "never kept"),
        ("header('X-Hub-Signature-256')", "never kept"),
        ("header('X-Api-Key')", "never kept"),
        ("lowercase(name)", "did you mean lower()"),
    ],
)
def test_what_may_not_be_called_is_refused_when_it_is_saved(expression: str, says: str) -> None:
    with pytest.raises(MappingError) as caught:
        compile_expression(expression, "/x")
    assert says in caught.value.detail and caught.value.pointer == "/x"


EVENT: dict[str, Any] = {
    "type": "feedback.received",
    "id": "id",
    "occurred_at": "at",
    "data": {"channel": {"value": "web"}},
}
PAYLOAD = {"id": "1", "at": "2026-01-09T08:00Z", "shop": "S1", "score": 4}


def mapped(event: dict[str, Any], payload: Any, **told: Any) -> Adaptation:
    document = {"mapping": 1, "id": "m", "format": "json", "events": [EVENT | event]}
    items = told.pop("items", None)
    document |= {"items": items} if items else {}
    return adapt(MappingAdapter(compile_mapping(document)), payload, SourceContext("s", RECEIVED_AT, **told))


def one(found: Adaptation) -> Event:
    assert found.refusals == ()
    (event,) = found.events
    return event


def test_a_form_is_read_by_the_questions_of_the_source() -> None:
    form = {
        "each": "entries(answers)",
        "key": "key",
        "value": "value",
        "as": {"path": "key", "map": {"why": "text"}, "default": "attribute"},
    }
    answers = {"q1": "4 - Good", "why": "Cold", "extra": ["a", "b"], "empty": None, "mail": "o@example.com"}
    questions = {
        "q1": QuestionRule(scale="csat_1_5", measure="csat", words={"4 - Good": 4}),
        "mail": QuestionRule(as_="nothing"),
    }
    data = one(
        mapped({"form": form}, PAYLOAD | {"answers": answers}, defaults=SourceDefaults(questions=questions))
    ).data
    assert data["answers"] == [{"question": "q1", "scale": "csat_1_5", "measure": "csat", "value": 4}]
    assert (data["text"], data["attributes"]) == ("Cold", {"answer_extra": "a, b"})


def test_a_form_adds_to_what_the_event_says_itself() -> None:
    form = {"each": "answers", "key": "k", "value": "v", "as": {"value": "text"}}
    data = {"channel": {"value": "web"}, "text": "shop", "attributes": {"shop": "shop"}}
    found = one(mapped({"form": form, "data": data}, PAYLOAD | {"answers": [{"k": "a", "v": "More"}]})).data
    assert (found["text"], found["attributes"]) == ("S1\nMore", {"shop": "S1"})


def test_a_score_of_a_form_outside_its_scale_is_refused() -> None:
    form = {
        "each": "answers",
        "key": "k",
        "value": "v",
        "as": {"value": "score"},
        "scale": {"value": "csat_1_5"},
    }
    found = mapped({"form": form}, PAYLOAD | {"answers": [{"k": "a", "v": 9}]})
    assert [refusal.error.reason for refusal in found.refusals] == ["score_invalid"]


def test_an_item_looks_at_the_whole_payload() -> None:
    payload = {"shop": "S9", "rows": [{"id": "1", "at": "2026-01-09T08:00:00Z"}]}
    data = {"channel": {"value": "kiosk"}, "location": "payload().shop"}
    assert one(mapped({"data": data}, payload, items="rows")).data["location"] == "S9"


def test_a_header_decides_and_is_among_those_that_are_kept() -> None:
    event = EVENT | {"when": "header('X-Topic') == 'rating'"}
    mapping = compile_mapping({"mapping": 1, "id": "m", "format": "json", "events": [event]})
    assert mapping.headers() == {"x-topic"}
    for topic, count in (("rating", 1), ("other", 0)):
        context = SourceContext("s", RECEIVED_AT, headers={"x-topic": topic})
        assert len(adapt(MappingAdapter(mapping), PAYLOAD, context).events) == count


@pytest.mark.parametrize("at", ["2026-01-09T08:00:00Z", "09.01.2026 08:00 +0000", 1767945600])
def test_a_time_may_be_written_in_several_ways(at: Any) -> None:
    event = {"occurred_at": {"path": "at", "format": ["%d.%m.%Y %H:%M %z", "epoch_s", "iso"]}}
    assert one(mapped(event, PAYLOAD | {"at": at})).occurred_at.isoformat() == "2026-01-09T08:00:00+00:00"


def test_a_time_in_none_of_the_ways_is_refused() -> None:
    event = {"occurred_at": {"path": "at", "format": ["%d.%m.%Y", "rfc_2822"]}}
    (refusal,) = mapped(event, PAYLOAD | {"at": "soon"}).refusals
    assert refusal.error.reason == "time_invalid"


ANSWER = {"question": {"value": "q"}, "scale": {"value": "csat_1_5"}, "value": "score"}


@pytest.mark.parametrize(
    ("data", "reason", "pointer"),
    [
        ({"answers": [ANSWER | {"scale": "csat_1_5"}]}, "constant_as_path", "/answers/0/scale"),
        ({"answers": [ANSWER | {"scale": {"value": "csat_5"}}]}, "unknown_word", "/answers/0/scale/value"),
        ({"customer": {"type": "email", "value": "id"}}, "constant_as_path", "/customer/type"),
    ],
)
def test_a_constant_that_is_written_as_a_path_is_refused_when_it_is_saved(
    data: dict[str, Any], reason: str, pointer: str
) -> None:
    with pytest.raises(MappingError) as caught:
        mapped({"data": data}, PAYLOAD)
    assert (caught.value.reason, caught.value.pointer) == (reason, f"/events/0/data{pointer}")


def test_an_answer_whose_question_is_not_found_is_refused_with_the_cure() -> None:
    (refusal,) = mapped({"data": {"answers": [ANSWER | {"question": "csat"}]}}, PAYLOAD).refusals
    assert refusal.error.reason == "question_missing"
    assert "/events/0/data/answers/0/question" in refusal.error.cure
