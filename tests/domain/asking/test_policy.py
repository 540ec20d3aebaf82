"""The asking policy: its preset is the method's, its windows respect the night, bad ones are refused."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.asking.moments import window_of
from app.domain.asking.policy import DEFAULT_POLICY, AskKind, Moment, preset_document
from app.domain.asking.policy_document import parse_asking_policy
from app.domain.asking.quiet import QuietHours
from app.domain.errors import InvalidError

KYIV = ZoneInfo("Europe/Kyiv")
NIGHT = QuietHours(time(21), time(9))
HOUR = 3600


def moment(after: float, until: float, **terms: Any) -> Moment:
    return Moment(
        "m", AskKind.SURVEY, frozenset({"interaction.ended"}), int(after * HOUR), int(until * HOUR), **terms
    )


def kyiv(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=KYIV).astimezone(UTC)


def test_the_preset_says_what_the_method_says() -> None:
    policy = parse_asking_policy(preset_document(), 1)
    windows = {
        item.key: (timedelta(seconds=item.not_before_seconds), timedelta(seconds=item.not_after_seconds))
        for item in policy.moments
    }
    assert windows == {
        "immediate": (timedelta(), timedelta(minutes=20)),
        "followup": (timedelta(hours=12), timedelta(hours=72)),
        "project": (timedelta(hours=72), timedelta(hours=168)),
        "post_resolution": (timedelta(hours=24), timedelta(hours=48)),
        "reorder_baby_goods": (timedelta(days=7), timedelta(days=14)),
        "reorder_printer_supplies": (timedelta(days=60), timedelta(days=90)),
        "reorder_child_furniture": (timedelta(days=7 * 365), timedelta(days=7 * 365 + 30)),
        "reorder_coffee": (timedelta(days=30), timedelta(days=37)),
    }
    assert (policy.quiet, policy.relational_gap.days, policy.transactional_gap.days) == (NIGHT, 90, 30)


@pytest.mark.parametrize(
    ("channel", "stated", "seconds"),
    [("kiosk", None, 60), ("call", None, 600), ("chat", None, 600), ("sms", None, 259_200),
     (None, None, 259_200), ("kiosk", 5, 5)],
)  # fmt: skip
def test_the_time_to_answer_depends_on_the_channel(
    channel: str | None, stated: int | None, seconds: int
) -> None:
    assert DEFAULT_POLICY.timeout_seconds(channel, stated) == seconds


@pytest.mark.parametrize(
    ("occurred_at", "item", "ask_at"),
    [
        (kyiv(10, 12), moment(12, 72), kyiv(11, 9)),  # midnight: shifted to the morning
        (kyiv(10, 22), moment(12, 72), kyiv(11, 10)),
        (kyiv(10, 20, 50), moment(0, 1 / 3), kyiv(10, 20, 50)),
        (kyiv(10, 21), moment(0, 1 / 3), None),  # no minute of the window is open
        (kyiv(10, 8, 50), moment(0, 1 / 3), kyiv(10, 9)),
        (kyiv(10, 20), moment(0, 0.9), kyiv(10, 20)),
        (kyiv(10, 21), moment(0, 1 / 3, quiet=False), kyiv(10, 21)),
        (kyiv(28, 20), moment(12, 72), kyiv(29, 9)),  # the night in which the clocks go forward
    ],
)
def test_a_window_is_shifted_out_of_the_night_or_missed(
    occurred_at: datetime, item: Moment, ask_at: datetime | None
) -> None:
    assert window_of(item, occurred_at, KYIV, NIGHT).ask_at == ask_at


def test_a_window_that_ends_at_night_is_used_before_the_night() -> None:
    # 20:59 to 22:00: the opening after the night comes too late, and at its beginning it was open
    assert window_of(moment(0, 1), kyiv(10, 20, 59), KYIV, NIGHT).ask_at == kyiv(10, 20, 59)


@pytest.mark.parametrize(
    ("change", "reason", "pointer"),
    [
        ({"format": 2}, "unknown_format", "/format"),
        ({"momments": []}, "unknown_key", "/momments"),
        ({"response_timeouts": {"fax": 60}}, "unknown_key", "/response_timeouts/fax"),
        ({"response_timeouts": {"sms": 0}}, "out_of_range", "/response_timeouts/sms"),
        ({"eligibility": {"quiet_hours": {"from": "25:00", "to": "09:00"}}},
         "bad_time", "/eligibility/quiet_hours/from"),
        ({"eligibility": {"quiet_hours": {"from": "09:00", "to": "09:00"}}},
         "always_quiet", "/eligibility/quiet_hours"),
        ({"moments": [{"key": "a", "on": ["visit"], "not_before": "PT1H", "not_after": "PT2H"}]},
         "unknown_event_type", "/moments/0/on/0"),
        ({"moments": [{"key": "a", "on": ["interaction.ended"], "not_before": "PT2H", "not_after": "PT1H"}]},
         "empty_window", "/moments/0/not_after"),
        ({"moments": [{"key": "a", "on": ["interaction.ended"], "not_before": "2h", "not_after": "PT1H"}]},
         "bad_duration", "/moments/0/not_before"),
        ({"moments": [{"key": "a", "on": ["interaction.ended"], "not_before": "PT1H", "not_after": "PT2H",
                       "sampled": True}]}, "sampling_missing", "/moments/0/sampled"),
        ({"moments": [{"key": "a", "on": ["interaction.ended"], "not_before": "PT1H", "not_after": "PT2H",
                       "when": {"colour": ["red"]}}]}, "unknown_fact", "/moments/0/when/colour"),
    ],
)  # fmt: skip
def test_a_bad_policy_is_refused_where_it_is_bad(change: dict[str, Any], reason: str, pointer: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_asking_policy({"format": 1, **change}, 1)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)
