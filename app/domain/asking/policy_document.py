"""Reading an asking policy from its document: every refusal names the place and the cure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, Final

from app.domain.asking.policy import DEFAULT_POLICY, AskingPolicy, AskKind, Moment, Sampling, SecondLine
from app.domain.asking.quiet import QuietHours
from app.domain.channel import Channel
from app.domain.events import EventType
from app.domain.sla.document import Node, nearest

MOST_MOMENTS: Final = 50
_LONGEST: Final = 20 * 365 * 86_400
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DURATION: Final = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?")
_CHANNELS: Final = tuple(channel.value for channel in Channel)
_FACTS: Final = (
    "channel", "touchpoint", "location", "employee", "segment", "product", "type", "kind", "severity",
)  # fmt: skip
_DAYS, _HOURS = 86_400, 3600
_GAPS: Final = {
    "relational_days": _DAYS,
    "transactional_days": _DAYS,
    "any_hours": _HOURS,
    "identical_hours": _HOURS,
}
_SECTIONS: Final = ("format", "title", "response_timeouts", "eligibility", "moments", "sampling")
_MOMENT: Final = (
    "key", "kind", "on", "not_before", "not_after", "when", "survey", "question", "channel",
    "relational", "quiet", "held", "capped", "sampled",
)  # fmt: skip


def parse_asking_policy(document: Mapping[str, Any], version: int) -> AskingPolicy:
    """The policy that a document states; what it leaves out stays at its default.

    Raises InvalidError (`unknown_key`, `missing_key`, `bad_duration`, `bad_time`, `empty_window`,
    `duplicate_moment`, `unknown_event_type`, `unknown_fact`, `unknown_channel`, `sampling_missing` ...).
    """
    fields = Node(document).fields(_SECTIONS, ("format",))
    fields["format"].integer(1, 1, "unknown_format")
    policy = replace(DEFAULT_POLICY, version=version)
    if "response_timeouts" in fields:
        stated = fields["response_timeouts"].fields((*_CHANNELS, "default"))
        timeouts = {name: node.integer(1, 30 * 86_400) for name, node in stated.items()}
        policy = replace(policy, timeouts={**policy.timeouts, **timeouts})
    if "eligibility" in fields:
        policy = _eligibility(fields["eligibility"], policy)
    if "moments" in fields:
        policy = replace(policy, moments=_moments(fields["moments"]))
    if "sampling" in fields and fields["sampling"].value is not None:
        policy = replace(policy, sampling=_sampling(fields["sampling"]))
    for number, moment in enumerate(policy.moments):
        if moment.sampled and policy.sampling is None:
            raise Node(True, f"/moments/{number}/sampled").refusal(
                "sampling_missing", "This moment samples, and no sampling is stated.", "Add `sampling`."
            )
    return policy


def _eligibility(node: Node, policy: AskingPolicy) -> AskingPolicy:
    fields = node.fields((*_GAPS, "quiet_hours", "hold_open_complaint", "uncapped"))
    changes: dict[str, Any] = {}
    for name, unit in _GAPS.items():
        if name in fields:
            gap = f"{name.rpartition('_')[0]}_gap"
            changes[gap] = timedelta(seconds=unit * fields[name].integer(0, 3650))
    if "quiet_hours" in fields:
        changes["quiet"] = _quiet(fields["quiet_hours"])
    if "hold_open_complaint" in fields:
        changes["hold_open_complaint"] = fields["hold_open_complaint"].flag()
    if "uncapped" in fields:
        lists = fields["uncapped"].fields(("moments", "channels"))
        if "moments" in lists:
            changes["uncapped_moments"] = frozenset(item.slug() for item in lists["moments"].elements())
        if "channels" in lists:
            changes["uncapped_channels"] = frozenset(_channel(item) for item in lists["channels"].elements())
    return replace(policy, **changes)


def _quiet(node: Node) -> QuietHours | None:
    if node.value is None:
        return None
    fields = node.fields(("from", "to"), ("from", "to"))
    start, end = _wall_time(fields["from"]), _wall_time(fields["to"])
    if start == end:
        raise node.refusal("always_quiet", "Quiet hours that never end.", "Send null for no quiet hours.")
    return QuietHours(start, end)


def _moments(node: Node) -> tuple[Moment, ...]:
    elements = node.elements()
    if len(elements) > MOST_MOMENTS:
        raise node.refusal("too_many_moments", f"At most {MOST_MOMENTS} moments.")
    moments: dict[str, Moment] = {}
    for item in elements:
        moment = _moment(item)
        if moment.key in moments:
            raise item.refusal("duplicate_moment", f"The moment {moment.key!r} is stated twice.")
        moments[moment.key] = moment
    return tuple(moments.values())


def _moment(node: Node) -> Moment:
    fields = node.fields(_MOMENT, ("key", "on", "not_before", "not_after"))
    earliest, latest = _seconds(fields["not_before"]), _seconds(fields["not_after"])
    if latest <= earliest:
        raise fields["not_after"].refusal(
            "empty_window", "The window ends before it begins.", "Make `not_after` the greater one."
        )
    flags = {name: fields[name].flag() for name in _MOMENT[9:] if name in fields}
    return Moment(
        key=fields["key"].slug(),
        kind=fields["kind"].choice(AskKind) if "kind" in fields else AskKind.SURVEY,
        on=frozenset(_event_type(item) for item in fields["on"].elements()),
        not_before_seconds=earliest,
        not_after_seconds=latest,
        when=_conditions(fields["when"]) if "when" in fields else {},
        survey=fields["survey"].text() if "survey" in fields else None,
        question=fields["question"].text() if "question" in fields else None,
        channel=_channel(fields["channel"]) if "channel" in fields else None,
        **flags,
    )


def _conditions(node: Node) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for name, item in node.members().items():
        if name not in _FACTS and not re.fullmatch(r"attributes\.[A-Za-z]\w{0,62}", name, re.ASCII):
            raise item.refusal("unknown_fact", f"Events have no fact {name!r}.", nearest(name, _FACTS))
        conditions[name] = frozenset(value.text() for value in item.elements())
    return conditions


def _sampling(node: Node) -> Sampling:
    fields = node.fields(("dimension", "second", "window_days"))
    dimension = fields["dimension"].text() if "dimension" in fields else "product"
    if dimension not in ("product", "segment"):
        raise fields["dimension"].refusal("unknown_choice", "Lines of business are products or segments.")
    second = fields["second"].choice(SecondLine) if "second" in fields else SecondLine.CAPRICIOUS
    return Sampling(
        dimension, second, fields["window_days"].integer(1, 3650) if "window_days" in fields else 90
    )


def _event_type(node: Node) -> str:
    known = [kind.value for kind in EventType if not kind.is_derived]
    if node.value not in known:
        raise node.refusal(
            "unknown_event_type", f"There is no event {node.value!r}.", nearest(node.value, known)
        )
    return str(node.value)


def _channel(node: Node) -> str:
    if node.value not in _CHANNELS:
        raise node.refusal(
            "unknown_channel", f"There is no channel {node.value!r}.", nearest(node.value, _CHANNELS)
        )
    return str(node.value)


def _wall_time(node: Node) -> time:
    match = _TIME.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None:
        raise node.refusal("bad_time", "A time of day is expected here.", "Write it like 21:00.")
    return time(int(match[1]), int(match[2]))


def _seconds(node: Node) -> int:
    match = _DURATION.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None or not any(match.groups()):
        raise node.refusal("bad_duration", "A duration is expected here.", "Write it like PT12H or P7D.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 86_400 + hours * 3600 + minutes * 60 + seconds
    if total > _LONGEST:
        raise node.refusal("bad_duration", "This is longer than twenty years.", "Shorten it.")
    return total
