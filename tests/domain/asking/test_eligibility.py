"""Who may be asked, rule by rule, and that the promised instant is the first one that is allowed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.eligibility import Ask, Contacts, PastAsk, Word, decide, refused_channels
from app.domain.asking.policy import DEFAULT_POLICY

KYIV = ZoneInfo("Europe/Kyiv")
NOON = datetime(2026, 3, 10, 10, tzinfo=UTC)  # 12:00 in Kyiv
ASK = Ask(NOON, "email", KYIV)
ON_DEVICE = Ask(NOON, "kiosk", KYIV, survey="s")


def ago(**delta: float) -> datetime:
    return NOON - timedelta(**delta)


def rule_of(ask: Ask, contacts: Contacts) -> str | None:
    return decide(ask, contacts, DEFAULT_POLICY).rule


@pytest.mark.parametrize(
    ("ask", "contacts", "rule"),
    [
        (ASK, Contacts(), None),
        (ASK, Contacts([PastAsk(ago(days=29, hours=23))]), "transactional_cap"),
        (ASK, Contacts([PastAsk(ago(days=30))]), None),
        (replace(ASK, relational=True), Contacts([PastAsk(ago(days=89), relational=True)]), "relational_cap"),
        (replace(ASK, relational=True), Contacts([PastAsk(ago(days=90), relational=True)]), None),
        (replace(ASK, relational=True), Contacts([PastAsk(ago(days=1))]), None),
        (ASK, Contacts([PastAsk(ago(days=1), capped=False)]), None),
        # who does not say what is to be asked is held back by either
        (replace(ASK, relational=None), Contacts([PastAsk(ago(days=89), relational=True)]), "relational_cap"),
        (replace(ASK, relational=None), Contacts([PastAsk(ago(days=29))]), "transactional_cap"),
        (replace(ASK, relational=None), Contacts([PastAsk(ago(days=31))]), None),
        (ASK, Contacts([PastAsk(ago(days=1), relational=True)]), None),
        (replace(ASK, channel="kiosk"), Contacts([PastAsk(ago(days=1))]), None),
        (replace(ASK, moment="post_resolution"), Contacts([PastAsk(ago(days=1))]), None),
        (
            replace(ASK, channel="kiosk", survey="s"),
            Contacts([PastAsk(ago(hours=11), survey="s")]),
            "identical",
        ),
        (ON_DEVICE, Contacts([PastAsk(ago(hours=12), survey="s")]), None),
        (replace(ASK, channel="kiosk", question="q"), Contacts([PastAsk(ago(hours=1), question="p")]), None),
        (ASK, Contacts(complaint_open=True), "open_complaint"),
        (replace(ASK, held=False), Contacts(complaint_open=True), None),
        (ASK, Contacts(opted_out=frozenset({"*"})), "opted_out"),
        (ASK, Contacts(opted_out=frozenset({"email"})), "opted_out"),
        (ASK, Contacts(opted_out=frozenset({"sms"})), None),
        (replace(ASK, at=datetime(2026, 3, 10, 19, tzinfo=UTC)), Contacts(), "quiet_hours"),
        (replace(ASK, at=datetime(2026, 3, 10, 18, 59, tzinfo=UTC)), Contacts(), None),
        (replace(ASK, at=datetime(2026, 3, 11, 6, 59, tzinfo=UTC)), Contacts(), "quiet_hours"),
        (replace(ASK, at=datetime(2026, 3, 11, 7, tzinfo=UTC)), Contacts(), None),
        (replace(ASK, zone=ZoneInfo("America/New_York")), Contacts(), "quiet_hours"),
        (replace(ASK, at=datetime(2026, 3, 10, 19, tzinfo=UTC), quiet=False), Contacts(), None),
    ],
)
def test_each_rule_at_its_edge(ask: Ask, contacts: Contacts, rule: str | None) -> None:
    assert rule_of(ask, contacts) == rule


def test_the_strongest_rule_is_named_and_all_are_listed() -> None:
    contacts = Contacts([PastAsk(ago(days=1))], frozenset({"*"}), complaint_open=True)
    decision = decide(ASK, contacts, DEFAULT_POLICY)
    assert [finding.rule for finding in decision.findings] == [
        "opted_out",
        "open_complaint",
        "transactional_cap",
    ]
    assert (decision.rule, decision.until) == ("opted_out", None)


def test_a_cap_that_ends_at_night_is_lifted_in_the_morning() -> None:
    decision = decide(ASK, Contacts([PastAsk(ago(days=29, hours=12))]), DEFAULT_POLICY)
    assert decision.until == datetime(2026, 3, 11, 7, tzinfo=UTC)


@given(
    hours=st.floats(0, 24 * 40),
    asked=st.lists(
        st.tuples(st.floats(0, 24 * 100), st.booleans(), st.sampled_from(["a", "b", None])), max_size=4
    ),
    relational=st.booleans(),
    zone=st.sampled_from(["Europe/Kyiv", "America/New_York", "Asia/Kathmandu", "UTC"]),
)
def test_the_instant_that_is_promised_is_the_first_one_that_is_allowed(
    hours: float, asked: list[tuple[float, bool, str | None]], relational: bool, zone: str
) -> None:
    at = NOON + timedelta(hours=hours)
    past = [PastAsk(at - timedelta(hours=before), kind, survey=survey) for before, kind, survey in asked]
    ask = Ask(at, "email", ZoneInfo(zone), relational=relational, survey="a")
    contacts = Contacts(past)
    decision = decide(ask, contacts, DEFAULT_POLICY)
    if decision.allowed:
        return
    assert decision.until is not None
    assert decision.until > at
    assert decide(replace(ask, at=decision.until), contacts, DEFAULT_POLICY).allowed
    for share in (0.0, 0.25, 0.5, 0.9, 0.999):
        before = at + (decision.until - at) * share
        assert not decide(replace(ask, at=before), contacts, DEFAULT_POLICY).allowed


def test_the_latest_word_about_being_asked_counts() -> None:
    def word(hours: float, channel: str, out: bool) -> Word:
        return Word(NOON + timedelta(hours=hours), UUID(int=int(hours * 10)), channel, out)

    assert refused_channels([word(1, "sms", True)]) == {"sms"}
    assert refused_channels([word(2, "sms", False), word(1, "sms", True)]) == frozenset()
    assert refused_channels([word(1, "*", True), word(2, "sms", False)]) == {"*"}
    assert refused_channels([word(1, "sms", True), word(2, "*", False)]) == frozenset()
