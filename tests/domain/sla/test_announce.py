"""What is announced, once each, through provisional breaches, revocations, backfill and downtime."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.events import EventType
from app.domain.sla import (
    Announced,
    Announcement,
    ClockEvent,
    ClockReading,
    Timer,
    announcement_id,
    announcements,
    next_wakeup,
)

from .builders import a_timer, an_event, around_the_clock, at, one

OPENED = an_event("case.opened", "2026-03-04 10:00")
DUE = at("2026-03-04 11:00")
REPLIED_IN_TIME = an_event("case.replied", "2026-03-04 10:50")
REPLIED_LATE = an_event("case.replied", "2026-03-04 11:40")
LADDER = [{"percent": 100, "to": "assignee"}, {"percent": 150, "to": "manager"}]
FULL = a_timer(warnings=[75], escalation=LADDER)


class Ledger:
    """Announces readings one after another, as the loop would."""

    def __init__(self, timer: Timer, *events: ClockEvent) -> None:
        self.timer = timer
        self.events = [OPENED, *events]
        self.rows: list[Announced] = []

    def reading(self, now: str | datetime) -> ClockReading:
        as_of = at(now) if isinstance(now, str) else now
        return one(self.timer, around_the_clock(), self.events, as_of)

    def look(self, now: str | datetime, **terms: Any) -> list[str]:
        """Announce at an instant; what was said, with levels and revisions that are not zero."""
        reading = self.reading(now)
        said = announcements(reading, self.rows, reading.as_of, **terms)
        self.rows += [Announced(a.kind, a.level, a.revision, a.provisional) for a in said]
        assert announcements(reading, self.rows, reading.as_of, **terms) == (), "each is said once"
        return [self.word(item) for item in said]

    @staticmethod
    def word(item: Announcement) -> str:
        level = f" {item.level}" if item.level else ""
        revision = f" r{item.revision}" if item.revision else ""
        return f"{item.kind}{level}{revision}{' provisional' if item.provisional else ''}"


def test_a_case_left_alone_is_warned_breached_and_escalated_in_order() -> None:
    ledger = Ledger(FULL)
    assert ledger.look("2026-03-04 10:44") == []
    assert ledger.look("2026-03-04 10:45") == ["warning 75"]
    assert ledger.look(DUE) == []
    assert ledger.look("2026-03-04 11:00:01") == ["breached", "escalated 1"]
    assert ledger.look("2026-03-04 11:29") == []
    assert ledger.look("2026-03-04 11:30") == ["escalated 2"]
    assert ledger.look("2027-03-04 11:30") == []


def test_after_downtime_all_is_said_late_in_order_and_none_skipped() -> None:
    reading = Ledger(FULL).reading("2026-03-05 00:00")
    said = announcements(reading, (), at("2026-03-05 00:00"))
    assert [(a.kind.value, a.at) for a in said] == [
        ("warning", at("2026-03-04 10:45")),
        ("breached", DUE),
        ("escalated", DUE),
        ("escalated", at("2026-03-04 11:30")),
    ]
    assert [a.to for a in said] == ["", "", "assignee", "manager"]


def test_a_stop_in_time_is_met_and_its_warning_is_no_longer_worth_saying() -> None:
    assert Ledger(FULL, REPLIED_IN_TIME).look("2026-03-04 12:00") == ["met"]


def test_a_stop_at_the_due_instant_never_escalates() -> None:
    ledger = Ledger(FULL, an_event("case.replied", DUE))
    assert ledger.look("2026-03-04 10:46") == ["warning 75"]
    assert ledger.look("2026-03-04 11:00") == ["met"]


def test_a_late_stop_is_met_late_after_the_breach() -> None:
    ledger = Ledger(a_timer(), REPLIED_LATE)
    assert ledger.look("2026-03-04 11:01") == ["breached"]
    assert ledger.look("2026-03-04 11:41") == ["met_late"]
    assert Ledger(a_timer(), REPLIED_LATE).look("2026-03-04 12:00") == ["breached", "met_late"]


def test_what_ends_a_case_is_said_only_when_it_was_not_breached() -> None:
    withdrawn = an_event("case.withdrawn", "2026-03-04 10:30")
    assert Ledger(a_timer(), withdrawn).look("2026-03-04 12:00") == ["cancelled"]
    too_late = an_event("case.withdrawn", "2026-03-04 11:30")
    assert Ledger(FULL, too_late).look("2026-03-04 12:00") == ["breached"]


def test_a_provisional_breach_is_confirmed_once() -> None:
    ledger = Ledger(a_timer())
    assert ledger.look("2026-03-04 11:01", final=False) == ["breached provisional"]
    assert ledger.look("2026-03-04 11:05", final=False) == []
    assert ledger.look("2026-03-04 11:10", final=True) == ["breach_confirmed"]
    assert ledger.look("2026-03-04 11:20", final=True) == []


def test_a_provisional_breach_is_revoked_by_a_stop_that_was_in_time() -> None:
    ledger = Ledger(a_timer())
    assert ledger.look("2026-03-04 11:01", final=False) == ["breached provisional"]
    ledger.events.append(REPLIED_IN_TIME)
    assert ledger.look("2026-03-04 11:05", final=False) == ["breach_revoked", "met r1"]
    assert ledger.look("2026-03-04 11:10", final=True) == []


def test_a_provisional_breach_stays_when_the_stop_was_late() -> None:
    ledger = Ledger(a_timer())
    ledger.look("2026-03-04 11:01", final=False)
    ledger.events.append(REPLIED_LATE)
    assert ledger.look("2026-03-04 11:45", final=False) == ["met_late"]
    assert ledger.look("2026-03-04 11:50", final=True) == ["breach_confirmed"]


def test_a_final_breach_is_never_confirmed_but_the_truth_still_revokes_it() -> None:
    ledger = Ledger(a_timer())
    assert ledger.look("2026-03-04 11:01") == ["breached"]
    assert ledger.look("2026-03-04 11:02") == []
    ledger.events.append(REPLIED_IN_TIME)
    assert ledger.look("2026-03-06 00:00") == ["breach_revoked", "met r1"]


def test_a_breach_that_comes_back_is_a_further_revision() -> None:
    ledger = Ledger(FULL)
    assert ledger.look("2026-03-04 11:01") == ["warning 75", "breached", "escalated 1"]
    ledger.events.append(REPLIED_IN_TIME)
    assert ledger.look("2026-03-04 11:05") == ["breach_revoked", "met r1"]
    ledger.events.remove(REPLIED_IN_TIME)  # it was retracted
    assert ledger.look("2026-03-04 11:10") == ["breached r1"]
    ledger.events.append(REPLIED_IN_TIME)
    assert ledger.look("2026-03-04 11:20") == ["breach_revoked r1", "met r2"]


def test_a_pause_learned_late_that_lies_before_the_breach_revokes_it() -> None:
    ledger = Ledger(a_timer(stop=["case.remedied"], pause=["waiting_customer"]))
    assert ledger.look("2026-03-04 11:01") == ["breached"]
    ledger.events.append(an_event("case.waiting_customer", "2026-03-04 10:30"))
    assert ledger.look("2026-03-04 11:05") == ["breach_revoked"]
    ledger.events.append(an_event("case.resumed", "2026-03-04 12:00"))
    assert ledger.look("2026-03-04 12:30") == []
    assert ledger.look("2026-03-04 12:31") == ["breached r1"]


def test_when_final_waits_and_then_says_everything_in_order() -> None:
    ledger = Ledger(a_timer(announce="when_final", escalation=LADDER), REPLIED_LATE)
    assert ledger.look("2026-03-04 11:35", final=False) == []
    assert ledger.look("2026-03-04 11:45", final=False) == []
    assert ledger.look("2026-03-04 12:00", final=True) == ["breached", "met_late"]


def test_when_final_says_nothing_of_a_breach_that_was_none() -> None:
    ledger = Ledger(a_timer(announce="when_final"))
    assert ledger.look("2026-03-04 11:35", final=False) == []
    ledger.events.append(REPLIED_IN_TIME)
    assert ledger.look("2026-03-04 11:45", final=False) == ["met"]


def test_what_fell_due_before_the_backfill_is_quiet_and_what_comes_later_is_not() -> None:
    quiet_until = at("2026-03-04 11:10")
    ledger = Ledger(FULL)
    assert ledger.look("2026-03-04 11:15", quiet_until=quiet_until) == []
    assert ledger.look("2026-03-04 11:30", quiet_until=quiet_until) == ["escalated 2"]
    later = Ledger(FULL)
    assert later.look("2026-03-04 11:15", quiet_until=at("2026-03-04 10:50")) == ["breached", "escalated 1"]
    # Due at the very instant of the backfill is not yet missed then.
    assert Ledger(FULL).look("2026-03-04 11:15", quiet_until=DUE) == ["breached", "escalated 1"]
    done = Ledger(a_timer(), REPLIED_IN_TIME)
    assert done.look("2026-03-04 11:15", quiet_until=quiet_until) == []


def test_a_breach_that_was_past_when_we_learned_of_it_waits_for_what_comes_with_it() -> None:
    terms = {"received_at": at("2026-03-04 13:00"), "settle_seconds": 60}
    ledger = Ledger(FULL)
    assert ledger.look("2026-03-04 13:00:10", **terms) == []
    reading = ledger.reading("2026-03-04 13:00:10")
    wakes = next_wakeup(reading, ledger.rows, reading.as_of, **terms)
    assert wakes == at("2026-03-04 13:01")
    assert ledger.look(wakes, **terms)[:2] == ["warning 75", "breached"]
    in_time = Ledger(FULL, REPLIED_IN_TIME)
    assert in_time.look("2026-03-04 13:00:20", **terms) == ["met"]


def test_a_breach_that_fell_due_after_the_last_event_does_not_wait() -> None:
    ledger = Ledger(a_timer())
    assert ledger.look("2026-03-04 11:00:01", received_at=at("2026-03-04 10:59:59"), settle_seconds=60) == [
        "breached"
    ]


def test_5c_7_hundreds_of_looks_say_a_breach_once() -> None:
    ledger = Ledger(FULL)
    said = [
        word for minute in range(300) for word in ledger.look(OPENED.occurred_at + timedelta(minutes=minute))
    ]
    assert said == ["warning 75", "breached", "escalated 1", "escalated 2"]


def test_following_the_wakeups_finds_everything_at_its_first_instant() -> None:
    ledger = Ledger(FULL, an_event("case.replied", "2026-03-04 12:00"))
    now: datetime | None = OPENED.occurred_at
    heard = []
    while now is not None:
        heard += [(word, now) for word in ledger.look(now)]
        reading = ledger.reading(now)
        following = next_wakeup(reading, ledger.rows, now)
        assert following is None or following > now
        now = following
    tick = timedelta(microseconds=1)
    assert heard == [
        ("warning 75", at("2026-03-04 10:45")),
        ("breached", DUE + tick),
        ("escalated 1", DUE + tick),
        ("escalated 2", at("2026-03-04 11:30")),
        ("met_late", at("2026-03-04 12:00")),
    ]


def test_a_provisional_breach_is_looked_at_again_when_the_grace_runs_out() -> None:
    ledger = Ledger(a_timer())
    ledger.look("2026-03-04 11:01", final=False)
    reading = ledger.reading("2026-03-04 11:01")
    final_at = at("2026-03-04 11:30")
    assert next_wakeup(reading, ledger.rows, reading.as_of, final=False, final_at=final_at) == final_at
    ledger.look("2026-03-04 11:30", final=True)
    settled = ledger.reading("2026-03-04 11:30")
    assert next_wakeup(settled, ledger.rows, settled.as_of, final=True, final_at=final_at) is None


def test_a_policy_may_give_the_breach_another_name() -> None:
    timer = a_timer(
        subject="interaction",
        start=["interaction.ended"],
        stop=["feedback.offered"],
        events={"breached": "feedback_offer.missed"},
    )
    ended = an_event("interaction.ended", "2026-03-04 10:00")
    reading = one(timer, around_the_clock(), [ended], at("2026-03-04 12:00"))
    (said,) = announcements(reading, (), reading.as_of)
    assert said.event_type is EventType.FEEDBACK_OFFER_MISSED
    plain = one(a_timer(), around_the_clock(), [OPENED], at("2026-03-04 12:00"))
    assert announcements(plain, (), plain.as_of)[0].event_type is EventType.SLA_BREACHED


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": UUID(int=9)},
        {"subject": UUID(int=9)},
        {"timer": "remedy"},
        {"cycle": UUID(int=9)},
        {"kind": "met"},
        {"level": 1},
        {"revision": 1},
    ],
)
def test_the_id_of_an_announcement_follows_from_every_part_of_its_key(other: dict[str, Any]) -> None:
    key: dict[str, Any] = {
        "tenant": UUID(int=1),
        "subject": UUID(int=2),
        "timer": "reply",
        "cycle": UUID(int=3),
        "kind": "breached",
        "level": 0,
        "revision": 0,
    }
    assert announcement_id(**key) == announcement_id(**key)
    assert announcement_id(**key) != announcement_id(**(key | other))
    assert announcement_id(**key).version == 5
