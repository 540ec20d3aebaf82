"""Commands on cases: checked under the tenant's lock, then appended as the same events that sources send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.cases.completion import complete_order
from app.cases.playbooks import bound_playbooks
from app.cases.repository import find_case_id, find_history, find_row, get_history, list_own_refs, list_refs
from app.db.engine import Tx
from app.domain.case import Case, absorber_of, check, fold, merges_of
from app.domain.case_opening import case_opening
from app.domain.complaint import CaseKind, ComplaintFinding, DecidedBy
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.config import TenantConfig
from app.journal.drafts import draft
from app.journal.histories import find_histories
from app.journal.journal import Journal
from app.journal.orders import check_same
from app.journal.ports import OWN_SOURCE, POSITION_BITS, Commit, Identity
from app.journal.renames import Renames, load_renames
from app.journal.rows import select_events
from app.kit.ids import new_id, parse_public_id, public_id

_BY_HAND: Final = ComplaintFinding(DecidedBy.EXPLICIT, "by_hand", "opened by hand")
# A fact may be any of these; a command that would be one is refused.
_MISFITS: Final = frozenset(
    {
        "before_opening",
        "after_closing",
        "after_ending",
        "reopened_while_open",
        "reopened_too_late",
        "resumed_without_waiting",
    }
)
_NAMES_A_CASE: Final = {"merge": "into", "mark-duplicate": "of"}


class StaleCaseError(ConflictError):
    """The case has changed since the caller read it (412)."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was asked for.

    `stated` is all that the caller said (the same key must bring the same); `data` what of it goes into
    the event. `versions` are the versions of the case that the caller will act on, None: any. `by` names
    the API key.
    """

    data: Mapping[str, Any]
    stated: Mapping[str, Any]
    by: str
    command: str = "open"
    case_id: UUID | None = None
    occurred_at: datetime | None = None
    versions: frozenset[int] | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was carried out: its event, and the case as this very commit left it."""

    event: StoredEvent
    case_id: UUID
    case: Case
    history: tuple[StoredEvent, ...]
    config: TenantConfig
    renames: Renames

    @property
    def survivor_id(self) -> UUID | None:
        """The case that a merge named to go on in its place."""
        merges = merges_of([event for event in self.history if event.bearing is None])
        return absorber_of(self.case_id, merges)


class _RepeatedError(Exception):
    """The same order was carried out while we waited for the lock: give the place back."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


class CaseCommands:
    """Carries out commands: one transaction each, one order per tenant, the first answer for a repeat."""

    def __init__(self, journal: Journal, *, committed: Callable[[], None]) -> None:
        self._journal = journal
        self._committed = committed

    async def execute(self, tenant_id: UUID, order: Order) -> Done:
        """Carry out an order.

        Raises NotFoundError for an unknown case, StaleCaseError for another version of it, ConflictError
        for what it does not allow now, InvalidError for what can never be right.
        """
        try:
            async with self._journal.transaction(tenant_id) as tx:
                repeated = await self._find_repeated(tx, tenant_id, order)
                if repeated is not None:
                    return repeated
                commit = await self._journal.lock(tx, tenant_id)
                repeated = await self._find_repeated(tx, tenant_id, order)
                if repeated is not None:
                    raise _RepeatedError(repeated)
                done = await self._append(tx, commit, order)
        except _RepeatedError as error:
            return error.done
        self._committed()
        return done

    async def _append(self, tx: Tx, commit: Commit, order: Order) -> Done:
        asked = _opening(tx, commit, order) if order.case_id is None else self._step(tx, commit, order)
        event = await asked
        made = draft(event, commit.config, received_at=commit.recorded_at)
        made = replace(made, fingerprint=_fingerprint(commit.config, order))
        appended = await self._journal.append(tx, commit, [made])
        stored = appended.events[0]
        assert stored.subject_id is not None, "a command is about a case"
        case_id = commit.about(stored) or stored.subject_id
        case = commit.folded[case_id]
        _refuse_misfit(case, stored)
        renames = await load_renames(tx, commit.config, commit.end_position)
        return Done(stored, case_id, case, tuple(commit.histories[case_id]), commit.config, renames)

    async def _step(self, tx: Tx, commit: Commit, order: Order) -> Event:
        """The event of a command on an existing case."""
        assert order.case_id is not None
        history = await get_history(tx, commit.tenant_id, order.case_id)
        row = None if order.versions is None else await find_row(tx, commit.tenant_id, order.case_id)
        if order.versions is not None and (row is None or row["seq"] not in order.versions):
            detail = "the case has changed since you read it"
            raise StaleCaseError("stale_case", detail, pointer="header:If-Match", cure="read it again")
        case = fold(history)
        at = order.occurred_at or _now_for(history, case, commit)
        if case.is_opened and at < case.current.started_at:
            detail = f"occurred_at lies before the case was opened, {case.current.started_at.isoformat()}"
            raise InvalidError("before_opening", detail, pointer="/occurred_at", cure="mend the time")
        data = await _named_cases(tx, commit.tenant_id, order)
        data = await complete_order(tx, commit, case, order.command, data)
        kind = check(case, order.command, data, at, bound_playbooks(commit.config, history, case).value)
        subject = Subject(SubjectKind.CASE, await _ref_of(tx, commit.tenant_id, order, history))
        return _event(kind, order, subject, at, data)

    async def _find_repeated(self, tx: Tx, tenant_id: UUID, order: Order) -> Done | None:
        """What the same order did before. Raises ConflictError when the key was used for another one."""
        if order.idempotency_key is None:
            return None
        identity = Identity(OWN_SOURCE, _event_id(order))
        head = await self._journal.read_head(tx, tenant_id, [identity])
        known = head.known.get(identity)
        if known is None:
            return None
        check_same(known.fingerprint, _fingerprint(head.config, order))
        return await _done_before(tx, tenant_id, known.event_id, head.config)


async def _done_before(tx: Tx, tenant_id: UUID, event_id: UUID, config: TenantConfig) -> Done:
    case_id = await tx.fetchval(
        "SELECT subject_id FROM events WHERE tenant_id = $1 AND event_id = $2", tenant_id, event_id
    )
    [event] = await select_events(tx, tenant_id, "e.event_id = $2", event_id)
    then = await find_histories(tx, tenant_id, (case_id,), before=(event.seq + 1) << POSITION_BITS)
    case_id = next(item for item, told in then.items() if any(known.event_id == event_id for known in told))
    renames = await load_renames(tx, config, event.position)
    return Done(event, case_id, fold(then[case_id]), tuple(then[case_id]), config, renames)


async def _opening(tx: Tx, commit: Commit, order: Order) -> Event:
    """The event that opens a case by hand."""
    data = dict(order.data)
    ref = data.pop("ref", None)
    known = None if ref is None else await find_case_id(tx, commit.tenant_id, ref)
    if known is not None and fold(await get_history(tx, commit.tenant_id, known)).is_opened:
        detail = f"the case {public_id('case', known)} is known by this reference already"
        raise ConflictError("case_exists", detail, pointer="/ref", cure="send commands to it")
    repeat_of = data.pop("repeat_of", None)
    if repeat_of is not None:
        earlier = await _get_named_case(tx, commit.tenant_id, repeat_of, "repeat_of")
        repeat_of = public_id("case", earlier)
    kind = CaseKind(data["kind"])
    opening = case_opening(data, _BY_HAND, kind, repeat_of=repeat_of)
    stated = {name: value for name, value in data.items() if name not in ("severity", "attributes")}
    subject = Subject(SubjectKind.CASE, ref or public_id("ref", new_id()))
    at = order.occurred_at or commit.recorded_at
    return _event(EventType.CASE_OPENED, order, subject, at, {**opening, **stated})


def _event(kind: EventType, order: Order, subject: Subject, at: datetime, data: Mapping[str, Any]) -> Event:
    return Event(
        type=kind,
        id=_event_id(order),
        source=OWN_SOURCE,
        occurred_at=at,
        data={**data, "by": order.by},
        subject=subject,
    )


def _event_id(order: Order) -> str:
    """The caller's Idempotency-Key names the event for ever; without one it gets a name of its own."""
    if order.idempotency_key is None:
        return public_id("command", new_id())
    return f"command:{order.idempotency_key}"


def _fingerprint(config: TenantConfig, order: Order) -> bytes:
    """Of what was asked, not of the event: a repeat leaves the time to us again, and it has moved on."""
    asked = None if order.case_id is None else str(order.case_id)
    return config.fingerprint({"command": order.command, "case": asked, "stated": order.stated})


def _now_for(history: list[StoredEvent], case: Case, commit: Commit) -> datetime:
    """Now, or just after the latest known fact where a source's clock runs ahead."""
    facts = (event.occurred_at for event in history if not event.type.is_derived)
    return max(commit.recorded_at, case.current.started_at, *facts)


async def _named_cases(tx: Tx, tenant_id: UUID, order: Order) -> dict[str, Any]:
    """The data with other cases named by their reference; refuses what would tangle two cases."""
    data, field = dict(order.data), _NAMES_A_CASE.get(order.command)
    if order.command == "link":
        other = await find_case_id(tx, tenant_id, data["ref"])
        if other not in (None, order.case_id):
            detail = "another case is known by this reference"
            raise ConflictError("ref_taken", detail, pointer="/ref", cure="merge the two cases")
    if field is None or field not in data:
        return data
    other = await _get_named_case(tx, tenant_id, data[field], field)
    if other == order.case_id:
        raise InvalidError("same_case", "this is the case itself", pointer=f"/{field}", cure="name another")
    history = await get_history(tx, tenant_id, other)
    survivor = fold(history)
    if order.command == "merge" and (survivor.ended_as is not None or survivor.closed_at is not None):
        detail = f"the case that is to survive is {survivor.state.value}"
        raise ConflictError("survivor_not_open", detail, pointer="/into", cure="merge into an open case")
    refs = await list_own_refs(tx, tenant_id, other)
    return {**data, field: data[field] if data[field] in refs else _first_ref(refs, history)}


async def _get_named_case(tx: Tx, tenant_id: UUID, named: str, field: str) -> UUID:
    """A case by its id or by a reference."""
    case_id = parse_public_id("case", named)
    if case_id is None or not await find_history(tx, tenant_id, case_id):
        case_id = await find_case_id(tx, tenant_id, named)
    if case_id is None:
        detail = f"there is no case {named!r}"
        raise InvalidError("unknown_case", detail, pointer=f"/{field}", cure="send its id or a reference")
    return case_id


async def _ref_of(tx: Tx, tenant_id: UUID, order: Order, history: list[StoredEvent]) -> str:
    """The reference under which the event is filed: one that leads to this case."""
    assert order.case_id is not None
    if not await list_refs(tx, tenant_id, order.case_id):
        detail = "the case was merged, and its references lead to another one"
        raise ConflictError("case_merged", detail, cure="send it to the surviving case")
    return _first_ref(await list_own_refs(tx, tenant_id, order.case_id), history)


def _first_ref(refs: list[str], history: list[StoredEvent]) -> str:
    """The reference that the case got first, of those it still has."""
    told = (event.personal.get("subject_ref") for event in history)
    return next((ref for ref in told if ref in refs), refs[0])


def _refuse_misfit(case: Case, stored: StoredEvent) -> None:
    for anomaly in case.anomalies:
        if anomaly.event_id == stored.event_id and anomaly.reason in _MISFITS:
            detail = f"at that time the case did not allow it: {anomaly.reason.replace('_', ' ')}"
            raise ConflictError(anomaly.reason, detail, pointer="/occurred_at", cure="send a later time")
