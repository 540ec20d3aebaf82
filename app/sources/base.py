"""The contract of a source adapter: a payload has items, an item has events, and nothing is lost between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from app.domain.events import Event, EventType, Subject, SubjectKind
from app.sources.errors import PayloadError
from app.sources.questions import QuestionRule
from app.sources.shapes import shape_of
from app.sources.times import Moment

ADAPTER_FAILED = "adapter_failed"
"""Reason of a refusal that is the fault of an adapter, not of the payload."""


@dataclass(frozen=True, slots=True)
class SourceDefaults:
    """What a source's configuration says where a payload is silent.

    `handles_cases`: complaints are worked in that system, so that its agents' replies are facts of
    cases. `ref_prefix` keeps two installations of one system apart ("north:" -> "north:conversation:10").
    `questions` says what the partner's questions ask, by the partner's own keys, and on which scale.
    """

    channel: str | None = None
    touchpoint: str | None = None
    journey_stage: str | None = None
    location: str | None = None
    employee: str | None = None
    segment: str | None = None
    product: str | None = None
    lang: str | None = None
    collection_mode: str | None = None
    handles_cases: bool = False
    ref_prefix: str = ""
    questions: Mapping[str, QuestionRule] = field(default_factory=dict)


_DEFAULTED = (
    "channel",
    "touchpoint",
    "journey_stage",
    "location",
    "employee",
    "segment",
    "product",
    "lang",
    "collection_mode",
)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """All that an adapter may know beside the payload.

    `received_at` is the arrival at our door (aware, UTC); `zone` reads times written without one;
    `headers` (lower-case names) are those of `delivery.KEPT_HEADERS`: a partner may name its event there.
    """

    source: str
    received_at: datetime
    zone: ZoneInfo | None = None
    defaults: SourceDefaults = field(default_factory=SourceDefaults)
    headers: Mapping[str, str] = field(default_factory=dict)

    def ref(self, noun: str, identifier: str) -> str:
        """The caller's reference to a thing of this source: `conversation:10`."""
        return f"{self.defaults.ref_prefix}{noun}:{identifier}"

    def subject(self, kind: SubjectKind, noun: str, identifier: str) -> Subject:
        """The subject of that reference."""
        return Subject(kind, self.ref(noun, identifier))

    def employee(self, identifier: str | None) -> str | None:
        """Directory key of a partner's agent: agents of two sources never share a key by accident."""
        return None if identifier is None else f"{self.source}:{identifier}"

    def arrival(self) -> Moment:
        """The time of a payload that tells none: the latest at which it can have happened."""
        return Moment(self.received_at, self.received_at.isoformat())

    def event(
        self,
        event_type: EventType,
        event_id: str,
        moment: Moment,
        subject: Subject | None,
        stated: Mapping[str, object],
        *,
        object: str | None = None,
        version: Decimal | None = None,
    ) -> Event:
        """An event of this source; `object` is a reference made by `ref`."""
        return Event(
            type=event_type,
            id=event_id,
            source=self.source,
            occurred_at=moment.at,
            time_raw=moment.raw,
            subject=subject,
            object=object,
            version=version,
            data=self.data(event_type, stated),
        )

    def data(self, event_type: EventType, stated: Mapping[str, object]) -> dict[str, object]:
        """`stated` without what is empty, completed by the defaults that this event type has room for."""
        data = {key: value for key, value in stated.items() if value not in (None, "", {}, [])}
        attributes = data.get("attributes")
        if isinstance(attributes, Mapping):
            kept = {name: value for name, value in attributes.items() if value not in (None, "")}
            data |= {"attributes": kept} if kept else {}
            if not kept:
                del data["attributes"]
        shape = shape_of(event_type)
        for key in _DEFAULTED:
            default = getattr(self.defaults, key)
            if default is not None and key in shape:
                data.setdefault(key, default)
        return data


@dataclass(frozen=True, slots=True)
class Item:
    """One statement inside a payload and the JSON pointer to it ("" when the payload is one statement).

    `payload` is the whole that it stands in, where the adapter may look at that too (a mapping).
    """

    pointer: str
    value: object
    payload: object = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that could not be understood, and why: it goes to quarantine and can be replayed alone."""

    item: Item
    error: PayloadError


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What came of a payload. Both empty: it was understood and says nothing that the journal keeps."""

    events: tuple[Event, ...]
    refusals: tuple[Refusal, ...] = ()


class Adapter(Protocol):
    """One partner's language. Stateless and pure: the same payload gives the same events for ever."""

    @property
    def name(self) -> str:
        """Slug of the partner: registry key, log field and metric label."""
        ...

    def items(self, payload: object) -> Sequence[Item]:
        """The statements of a payload, in order. Raises PayloadError when there is no finding them."""
        ...

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events that one item states. Raises PayloadError, or UnknownEventError."""
        ...


def adapt(adapter: Adapter, payload: object, context: SourceContext) -> Adaptation:
    """Every event of a payload; an item that is not understood is refused alone, its neighbours live."""
    try:
        items = adapter.items(payload)
    except PayloadError as error:
        return Adaptation((), (Refusal(Item("", payload), error),))
    events: list[Event] = []
    refusals: list[Refusal] = []
    for item in items:
        try:
            events.extend(adapter.events(item, context))
        except PayloadError as error:
            refusals.append(Refusal(item, error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must not lose what a partner sends once
            refusals.append(Refusal(item, _failure(adapter, error)))
    return Adaptation(tuple(events), tuple(refusals))


def _failure(adapter: Adapter, error: Exception) -> PayloadError:
    return PayloadError(
        ADAPTER_FAILED,
        f"the adapter {adapter.name} failed: {type(error).__name__}: {str(error)[:200]}",
        cure="This is a fault of the service: report it, and replay the payload when it is mended.",
    )
