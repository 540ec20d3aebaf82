"""May this customer be asked, on this channel, now; if not, until when and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking.policy import AskingPolicy

MOST_STEPS: Final = 16


class Rule(StrEnum):
    """What may stand against asking, the strongest first."""

    OPTED_OUT = "opted_out"
    OPEN_COMPLAINT = "open_complaint"
    IDENTICAL = "identical"
    RELATIONAL_CAP = "relational_cap"
    TRANSACTIONAL_CAP = "transactional_cap"
    ANY_CAP = "any_cap"
    QUIET_HOURS = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants to ask, and when (aware). `zone`: where the customer lives.

    `relational` None: they did not say what; then no cap of either kind may stand against it.
    """

    at: datetime
    channel: str
    zone: ZoneInfo
    relational: bool | None = False
    question: str | None = None
    survey: str | None = None
    moment: str | None = None
    quiet: bool = True
    held: bool = True


@dataclass(frozen=True, slots=True)
class PastAsk:
    """An invitation that reached the customer; `capped` is False for device prompts and the like."""

    at: datetime
    relational: bool = False
    question: str | None = None
    survey: str | None = None
    capped: bool = True


@dataclass(frozen=True, slots=True)
class Contacts:
    """What is known of a customer: invitations, refused channels (`*`: all), an open complaint."""

    asks: Sequence[PastAsk] = ()
    opted_out: frozenset[str] = frozenset()
    complaint_open: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One opt-out or opt-in of a customer, for a channel or (`*`) for all of them."""

    at: datetime
    event_id: UUID
    channel: str
    opted_out: bool


def refused_channels(words: Iterable[Word]) -> frozenset[str]:
    """The channels on which a customer wants to be asked no more: the latest word counts.

    A word about all channels takes back every earlier one about a single channel.
    """
    refused: set[str] = set()
    for word in sorted(words, key=lambda word: (word.at, word.event_id)):
        if word.channel == "*":
            refused = {"*"} if word.opted_out else set()
        elif word.opted_out:
            refused.add(word.channel)
        else:
            refused.discard(word.channel)
    return frozenset(refused)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that forbids it; `until` is None where no time will lift it by itself."""

    rule: Rule
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: `rule` is the strongest of the `findings`, `until` the first instant that all allow."""

    allowed: bool
    rule: Rule | None = None
    until: datetime | None = None
    findings: tuple[Finding, ...] = ()


def decide(ask: Ask, contacts: Contacts, policy: AskingPolicy) -> Decision:
    """The decision by domain.md 6.5: opt-out, hold of an open complaint, identical within 12 hours,
    frequency caps (relational 90 days, transactional 30), quiet hours 21-09 of the customer.

    A gap ends at its very end: asked again exactly then is allowed. `until` is None when a rule has no end
    that is known (an opt-out, an open complaint).
    """
    findings = tuple(_findings(ask, contacts, policy))
    if not findings:
        return Decision(True)
    return Decision(False, findings[0].rule, _first_allowed(ask, contacts, policy, findings), findings)


def _findings(ask: Ask, contacts: Contacts, policy: AskingPolicy) -> Iterator[Finding]:
    if contacts.opted_out & {"*", ask.channel}:
        yield Finding(Rule.OPTED_OUT, None)
    if ask.held and policy.hold_open_complaint and contacts.complaint_open:
        yield Finding(Rule.OPEN_COMPLAINT, None)
    same = [past for past in contacts.asks if _is_identical(ask, past)]
    yield from _gap(Rule.IDENTICAL, ask, same, policy.identical_gap)
    if policy.is_capped(ask.channel, ask.moment):
        counted = [past for past in contacts.asks if past.capped]
        if ask.relational is not False:
            long = [past for past in counted if past.relational]
            yield from _gap(Rule.RELATIONAL_CAP, ask, long, policy.relational_gap)
        if ask.relational is not True:
            short = [past for past in counted if not past.relational]
            yield from _gap(Rule.TRANSACTIONAL_CAP, ask, short, policy.transactional_gap)
        yield from _gap(Rule.ANY_CAP, ask, counted, policy.any_gap)
    if ask.quiet and policy.quiet is not None and policy.quiet.holds(ask.at, ask.zone):
        yield Finding(Rule.QUIET_HOURS, policy.quiet.next_open(ask.at, ask.zone))


def _gap(rule: Rule, ask: Ask, asks: Sequence[PastAsk], gap: timedelta) -> Iterator[Finding]:
    ends = [past.at + gap for past in asks if ask.at < past.at + gap]
    if ends:
        yield Finding(rule, max(ends))


def _is_identical(ask: Ask, past: PastAsk) -> bool:
    if ask.survey is not None or past.survey is not None:
        return ask.survey == past.survey
    return ask.question is not None and ask.question == past.question


def _first_allowed(
    ask: Ask, contacts: Contacts, policy: AskingPolicy, findings: Sequence[Finding]
) -> datetime | None:
    """Step from end to end until nothing forbids it: a cap may end in the middle of the night."""
    for _ in range(MOST_STEPS):
        ends = [finding.until for finding in findings]
        if None in ends:
            return None
        at = max(end for end in ends if end is not None)
        findings = tuple(_findings(replace(ask, at=at), contacts, policy))
        if not findings:
            return at
    return None
