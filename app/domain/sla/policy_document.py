"""Policy documents, format 1: what is accepted, and what is refused at save with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from app.domain.channel import Channel
from app.domain.complaint import CaseKind
from app.domain.events import EventType, SubjectKind
from app.domain.sla.document import Node
from app.domain.sla.policy import DEFAULT_ORDER, Policy, Rule, When
from app.domain.sla.timer import Timer
from app.domain.sla.timer_document import read_calendar_name, read_timer
from app.domain.sla.trigger_document import read_values

FORMAT = 1
SEVERITIES = ("sev1", "sev2", "sev3", "sev4")
CONDITIONS = (
    "subject", "kind", "severity", "channel", "touchpoint", "location", "employee", "product", "segment",
    "source", "cause", "initiative", "customer_facing", "lang", "attributes",
)  # fmt: skip
MOST_RULES = 500
_CLOSED: Final[Mapping[str, Collection[str]]] = {
    "severity": SEVERITIES,
    "subject": [kind.value for kind in SubjectKind],
    "kind": [*(kind.value for kind in CaseKind), "rating", "review"],
    "channel": [channel.value for channel in Channel],
}


def parse_policy(
    document: Mapping[str, Any], key: str, version: int, known_calendars: Collection[str]
) -> Policy:
    """Read a policy document.

    `{"format": 1, "calendar": "9x5", "title"?, "description"?, "effective_from"?, "order"?: 100,
    "rules": [{"name"?, "when"?: {"kind": "complaint", "severity": ["sev1", "sev2"]}, "timers": [...]}]}`.
    Raises InvalidError with reason and JSON pointer: unknown_key, missing_key, unknown_format,
    unknown_calendar, unknown_event, timer_cycle, never_stops, never_starts, statutory_pause,
    zero_target, target_too_long, percent_out_of_range, duplicate_timer, unreachable_rule ...
    """
    keys = ("format", "title", "description", "calendar", "effective_from", "order", "rules")
    fields = Node(document).fields(keys, required=("format", "calendar", "rules"))
    if fields["format"].value != FORMAT or isinstance(fields["format"].value, bool):
        raise fields["format"].refusal("unknown_format", f"Only format {FORMAT} is known.", "Write 1.")
    calendar = read_calendar_name(fields["calendar"], known_calendars)
    nodes = fields["rules"].elements()
    if not 1 <= len(nodes) <= MOST_RULES:
        detail = f"A policy has 1 to {MOST_RULES} rules."
        cure = "To promise nothing, write one rule with no timers."
        raise fields["rules"].refusal("no_rules", detail, cure)
    rules: list[Rule] = []
    for node in nodes:
        rule = _rule(node, calendar, known_calendars)
        _refuse_unreachable(rule, rules, node)
        rules.append(rule)
    if "description" in fields:
        fields["description"].text()
    return Policy(
        key=key,
        version=version,
        calendar=calendar,
        rules=tuple(rules),
        effective_from=_instant(fields["effective_from"]) if "effective_from" in fields else None,
        title=fields["title"].text() if "title" in fields else "",
        order=fields["order"].integer(0, 1000) if "order" in fields else DEFAULT_ORDER,
    )


def refuse_taken(policy: Policy, others: Iterable[Policy]) -> None:
    """A timer that another policy of the same order gives as well would be one or the other by chance.

    Raises InvalidError `timer_taken`.
    """
    own = {(timer.subject, timer.key) for timer in policy.timers()}
    for other in others:
        shared = sorted(key for subject, key in own & {(t.subject, t.key) for t in other.timers()})
        if other.key != policy.key and other.order == policy.order and shared:
            raise Node(policy.order, "/order").refusal(
                "timer_taken",
                f"The policy {other.key!r} has a timer {shared[0]!r} too, and the same order {other.order}.",
                "Rename the timer, or write an `order`: the policy with the smaller one gives it.",
            )


def refuse_unreachable(policy: Policy) -> None:
    """A rule behind one that holds whenever it does would never give its timers.

    Asked when a policy is saved: stored ones stay readable. Raises InvalidError `unreachable_rule`.
    """
    first_only = [(number, rule) for number, rule in enumerate(policy.rules) if not rule.also]
    for number, rule in first_only:
        for before, other in first_only:
            if before >= number or not rule.timers or not other.when.covers(rule.when):
                continue
            if all(other.concerns(subject) for subject in rule.by_subject):
                hides = f"{other.name or before!r} before it holds whenever it does"
                raise Node(rule.name, f"/rules/{number}").refusal(
                    "unreachable_rule",
                    f"The rule {rule.name or number!r} is never asked: {hides}.",
                    "Put it before that one, or write `also: true` to have its timers beside.",
                )


def _instant(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(str(node.value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise node.refusal(
            "bad_time", "A time with its zone is expected here.", "Write 2026-10-01T00:00:00Z."
        )
    return found


def _rule(node: Node, calendar: str, known_calendars: Collection[str]) -> Rule:
    fields = node.fields(("name", "also", "when", "timers"), required=("timers",))
    when = _when(fields["when"]) if "when" in fields else When()
    also = fields["also"].flag() if "also" in fields else False
    nodes = fields["timers"].elements()
    _refuse_cycles(nodes)
    timers: dict[str, Timer] = {}
    for child in nodes:
        timer = read_timer(child, calendar, known_calendars)
        if timer.key in timers:
            raise child.refusal(
                "duplicate_timer", f"The rule has a timer {timer.key!r} already.", "Rename one."
            )
        if "subject" in when.values and not when.values["subject"].holds(timer.subject.value):
            detail = f"The rule is not about the subject {timer.subject.value}."
            raise child.refusal("wrong_subject", detail, "Move the timer to another rule.")
        timers[timer.key] = timer
    if also and not timers:
        detail = "A rule that adds to others has at least one timer."
        raise fields["timers"].refusal("adds_nothing", detail, "Give it one, or drop `also`.")
    return Rule(when, tuple(timers.values()), fields["name"].text() if "name" in fields else "", also)


def _when(node: Node) -> When:
    fields = node.fields(CONDITIONS)
    attributes = fields.pop("attributes", None)
    values = {name: read_values(child, _closed_values(name)) for name, child in fields.items()}
    named = attributes.members().items() if attributes else ()
    return When(values, {name: read_values(child) for name, child in named})


def _closed_values(name: str) -> Collection[str]:
    """The words that a condition may name, where a misspelt one would silently never hold."""
    return _CLOSED.get(name, ())


def _refuse_unreachable(rule: Rule, earlier: list[Rule], node: Node) -> None:
    """A rule behind one with the same condition, or none, for the same subjects is never reached."""
    if rule.also:
        _refuse_twins(rule, earlier, node)
        return
    subjects = {timer.subject.value for timer in rule.timers} or {kind.value for kind in SubjectKind}
    for before in (before for before in earlier if not before.also):
        same = before.when == rule.when or before.when == When()
        if same and all(before.concerns(subject) for subject in subjects):
            raise node.refusal(
                "unreachable_rule",
                "A rule above matches all that this one would.",
                "Move it up, or narrow the other.",
            )


def _refuse_twins(rule: Rule, earlier: list[Rule], node: Node) -> None:
    """A timer that runs beside those of another rule is told from them by its key."""
    taken = {(timer.subject, timer.key) for before in earlier for timer in before.timers}
    for timer in rule.timers:
        if (timer.subject, timer.key) in taken:
            raise node.refusal("duplicate_timer", f"A rule above has a timer {timer.key!r}.", "Rename one.")


def _refuse_cycles(timers: list[Node]) -> None:
    """No timer may start on what it, or a timer that follows from it, announces."""
    announces, starts = [], []
    for node in timers:
        members = node.value if isinstance(node.value, Mapping) else {}
        events, start = members.get("events"), members.get("start")
        renamed = events.get("breached") if isinstance(events, Mapping) else None
        announces.append(str(renamed or EventType.SLA_BREACHED.value))
        starts.append(start if isinstance(start, list | tuple) else [start])
    follows = [{i for i, start in enumerate(starts) if name in start} for name in announces]
    for index, node in enumerate(timers):
        reached: set[int] = set()
        frontier = set(follows[index])
        while frontier:
            reached |= frontier
            frontier = {after for before in frontier for after in follows[before]} - reached
        if index in reached:
            raise Node(node.value, f"{node.pointer}/start").refusal(
                "timer_cycle", "The timer's own breach would start it again.", "Start it on a fact."
            )
