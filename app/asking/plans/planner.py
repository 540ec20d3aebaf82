"""Plans moments after the events that start them, and tells subscribers when one is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.asking.eligibility.repository import append_decisions, load_zones
from app.asking.eligibility.service import zone_of
from app.asking.plans.repository import insert_plans
from app.asking.policies import AskingPolicies
from app.db.engine import Tx
from app.domain.asking.eligibility import Ask, Decision
from app.domain.asking.moments import OUTGOING, plan_id, window_of
from app.domain.asking.policy import AskingPolicy, Moment
from app.domain.events import Event, Origin, StoredEvent, Subject
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Announcement, Commit, Draft, Place
from app.kit.ids import public_id

WINDOW_MISSED = "window_missed"
_DUE_TYPES = frozenset(OUTGOING.values())
_COPIED = ("channel", "touchpoint", "location", "employee", "segment", "product")


class MomentPlanner:
    """The announcer of `survey.due`, `resurvey.due` and `reminder.due`."""

    def __init__(self, policies: AskingPolicies) -> None:
        self._policies = policies

    async def announce(self, tx: Tx, commit: Commit, place: Place) -> Sequence[Announcement]:
        """Plan what live events start; what the loop found due goes out."""
        live = [event for event in commit.events if event.origin is Origin.LIVE]
        policy = (await self._policies.load(tx, commit.config)).at(commit.recorded_at)
        if policy.moments and live:
            await _plan(tx, commit, live, policy)
        return [Announcement(event, _data(event)) for event in commit.events if event.type in _DUE_TYPES]


async def _plan(tx: Tx, commit: Commit, live: Sequence[StoredEvent], policy: AskingPolicy) -> None:
    started = [
        (event, moment)
        for event in live
        for moment in policy.moments
        if moment.matches(event.type.value, event.fact) and commit.is_current(event)
    ]
    if not started:
        return
    places = {event.fact["location"] for event, _ in started if event.fact.get("location")}
    zones = await load_zones(tx, commit.tenant_id, places)
    rows: list[tuple[Any, ...]] = []
    missed: list[tuple[Ask, bytes | None, Decision]] = []
    for event, moment in started:
        stated = (event.fact.get("attributes") or {}).get("time_zone")
        named = stated if isinstance(stated, str) else zones.get(event.fact.get("location", ""))
        zone = zone_of(named, commit.config)
        window = window_of(moment, event.occurred_at, zone, policy.quiet)
        if window.ask_at is None or window.not_after < commit.recorded_at:
            channel = channel_of(moment, event)
            ask = Ask(window.not_before, channel, zone, moment=moment.key, survey=moment.survey)
            missed.append((ask, event.customer_ref, Decision(False)))
        else:
            identity = plan_id(commit.tenant_id, event.event_id, moment.key)
            ends = (window.not_before, window.not_after, window.ask_at)
            rows.append((commit.tenant_id, identity, moment.key, event.event_id, event.customer_ref, *ends))
    await insert_plans(tx, rows)
    now = commit.recorded_at
    await append_decisions(
        tx, commit.tenant_id, missed, now=now, policy=policy, actor=OWN_SOURCE, rule=WINDOW_MISSED
    )


def channel_of(moment: Moment, trigger: StoredEvent) -> str:
    """Where the customer would be asked: as the moment says, else where the customer was met."""
    return moment.channel or trigger.fact.get("channel") or "other"


def due_draft(
    commit: Commit, identity: UUID, moment: Moment, trigger: StoredEvent, not_after: Any, ref: str | None
) -> Draft:
    """The event that says that it is time to ask; its id is that of the plan."""
    data: dict[str, Any] = {
        **{name: trigger.fact[name] for name in _COPIED if trigger.fact.get(name) is not None},
        "moment": moment.key,
        "survey": moment.survey,
        "question": moment.question,
        "channel": channel_of(moment, trigger),
        "not_after": not_after,
        "trigger": {"type": trigger.type.value, "source": trigger.source, "id": trigger.external_id},
    }
    event = Event(
        type=OUTGOING[moment.kind],
        id=str(identity),
        source=OWN_SOURCE,
        occurred_at=commit.recorded_at,
        data={name: value for name, value in data.items() if name != "question"},
        subject=None if trigger.subject_kind is None else Subject(trigger.subject_kind, ref or ""),
    )
    made = draft(event, commit.config, received_at=commit.recorded_at, caused_by=trigger.event_id)
    return replace(
        made,
        fact={**made.fact, "asks": moment.question},
        personal={"subject_ref": ref} if ref else {},
        customer_ref=trigger.customer_ref,
        subject_id=trigger.subject_id,
        event_id=identity,
    )


def _data(event: StoredEvent) -> dict[str, Any]:
    """What subscribers get: no word of the customer's, but enough to find whom to ask."""
    fact = {name: value for name, value in event.fact.items() if name not in ("asks",)}
    trigger = fact.pop("trigger")
    cause = None if event.caused_by is None else public_id("evt", event.caused_by)
    return {
        **fact,
        "plan_id": public_id("plan", event.event_id),
        "question": event.fact.get("asks"),
        "trigger": {**trigger, "event_id": cause},
        "subject": None
        if event.subject_kind is None
        else {"kind": event.subject_kind.value, "ref": event.personal.get("subject_ref")},
        "customer_ref": None if event.customer_ref is None else event.customer_ref.hex(),
        "due_at": event.occurred_at,
        "sequence": event.position,
    }
