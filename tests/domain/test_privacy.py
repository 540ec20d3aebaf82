"""Traces of a person in bytes, and what is left of a message without them."""

import pytest

from app.domain.privacy import left_of_attributes, names_somebody, redacted, traces_of


@pytest.mark.parametrize(
    ("kind", "value", "body", "found"),
    [
        ("email", "olena@example.com", b'{"email": "Olena@Example.COM"}', True),
        ("email", "olena@example.com", b"from=olena%40example.com&x=1", True),
        ("email", "olena@example.com", b'{"email": "elena@example.com"}', False),
        ("phone", "+380 67 123-45-67", b'{"phone": "380671234567"}', True),
        ("phone", "380671234567", b'{"phone": "+38 (067) 123-45-67"}', True),
        ("phone", "380671234567", b'{"phone": "380671234568"}', False),
        ("name", "\u041e\u043b\u0435\u043d\u0430", '{"n": "\u041e\u043b\u0435\u043d\u0430"}'.encode(), False),
        ("name", "\u043e\u043b\u0435\u043d\u0430", b'{"n": "\\u043e\\u043b\\u0435\\u043d\\u0430"}', True),
    ],
)
def test_an_identifier_is_found_as_it_is_written(kind: str, value: str, body: bytes, found: bool) -> None:
    # cyrillic capitals are the exception: bytes know the case of latin letters only
    assert traces_of(kind, value).found_in(body) is found


def test_names_of_own_events_are_looked_for_unless_they_are_short() -> None:
    traces = traces_of("email", "a@b.c", ["conversation-4711", "10"])
    assert traces.found_in(b'{"id": "conversation-4711"}')
    assert not traces.found_in(b'{"id": 10}')


def test_a_message_keeps_our_ids_and_numbers_and_nothing_else() -> None:
    data = {
        "case": {"id": "case_01kb3v6n8qe5vr2a4d1f7m9xyz", "severity": "sev2", "attributes": {"city": "Kyiv"}},
        "ref": "olena@example.com",
        "subject": {"kind": "order", "ref": "4711"},
        "trigger": {"id": "receipt-1", "event_id": "evt_1"},
        "list": [{"text": "they shouted at me", "n": 3}],
        "refs": ["T-1"],
        "explanation": "Olena@example.com was late",
        "sequence": 7,
    }
    assert redacted(data, traces_of("email", "olena@example.com")) == {
        "case": {"id": "case_01kb3v6n8qe5vr2a4d1f7m9xyz", "severity": "sev2", "attributes": None},
        "ref": None,
        "subject": {"kind": "order", "ref": None},
        "trigger": {"id": None, "event_id": "evt_1"},
        "list": [{"text": None, "n": 3}],
        "refs": [],
        "explanation": None,
        "sequence": 7,
    }


@pytest.mark.parametrize(
    ("key", "value", "personal"),
    [
        ("tier", "gold", False),
        ("time_zone", "Europe/Kyiv", False),
        ("answer_Which_shop", "Odesa Arcadia", False),
        ("visits", 380501112233, False),
        ("order", "A-1024", False),
        ("renamed", "yes", False),
        ("author_name", "Olena", True),
        ("answer_E_mail", "none", True),
        ("answer_телефон", "так", True),
        ("contact", "olena@example.com", True),
        ("note", "call +38 (050) 111-22-33", True),
        ("wish", "please call me after six o'clock", True),
        ("blob", "x" * 61, True),
    ],
)
def test_what_an_unregistered_attribute_says_of_a_person(key: str, value: object, personal: bool) -> None:
    assert names_somebody(key, value) is personal


def test_an_erasure_leaves_numbers_codes_and_what_the_tenant_vouches_for() -> None:
    traces = traces_of("email", "olena@example.com")
    told = {"tier": "gold", "visits": 3, "city": "New York", "who": "Olena Koval", "x": "olena@example.com"}
    assert left_of_attributes(told, {"city", "x"}, traces) == {
        "tier": "gold",
        "visits": 3,
        "city": "New York",
    }
