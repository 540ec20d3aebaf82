"""Builders: a tenant's answers, volumes, cases and timers, written commit by commit as the journal would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from app.db.engine import Database
from app.db.tables.cases import case_spans, cases
from app.db.tables.configuration import attributes, directory, questions
from app.db.tables.feedback import feedback, volumes
from app.db.tables.journal import case_ties, event_personal, events
from app.db.tables.journey import touchpoint_retags
from app.db.tables.metrics import metric_terms
from app.db.tables.sla import sla_timers
from app.db.tables.tenants import tenant_head
from app.domain.scales import SCALES, ScaledValue, get_scale

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """One answer, as little of it as a test wants to say."""

    value: int | float | str | None = 9
    at: datetime = NOON
    scale: str = "nps_0_10"
    measure: str | None = None
    question: str | None = None
    channel: str = "web"
    touchpoint: str | None = None
    location: str | None = None
    employee: str | None = None
    segment: str | None = None
    source: str = "crm"
    kind: str = "rating"
    mode: str = "invited"
    customer: bytes | None = None
    silent: bool = False
    qualification: str | None = None
    force_majeure: str | None = None
    cause: str | None = None
    case_id: UUID | None = None
    subject: tuple[str, UUID] | None = None
    index: int = 0
    device: str | None = None
    verification: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    answer_id: UUID = field(default_factory=uuid4)

    def read(self) -> ScaledValue:
        return get_scale(self.scale).read(self.value)

    @property
    def answer_class(self) -> str:
        return "silent" if self.silent else self.read().answer_class.value

    @property
    def measured(self) -> str:
        return self.measure or SCALES[self.scale].measure.value

    def row(self, tenant_id: UUID, seq: int) -> dict[str, Any]:
        read = None if self.silent else self.read()
        subject = self.subject or (None if self.case_id is None else ("case", self.case_id))
        scored = read is not None and read.value is not None and self.scale != "text_only"
        return {
            "tenant_id": tenant_id,
            "feedback_id": self.answer_id,
            "seq_from": seq,
            "seq_to": None,
            "event_id": uuid4(),
            "position": seq << 20,
            "answer_index": self.index,
            "occurred_at": self.at,
            "source": self.source,
            "kind": self.kind,
            "channel": self.channel,
            "touchpoint": self.touchpoint,
            "location": self.location,
            "employee": self.employee,
            "segment": self.segment,
            "customer_ref": self.customer,
            "question": self.question or self.measured,
            "measure": self.measured,
            "scale_id": self.scale,
            "scale_version": 1,
            "raw_value": None if self.value is None else str(self.value),
            "value": read.value if scored else None,
            "norm01": read.norm01 if scored else None,
            "class": self.answer_class,
            "slot": get_scale(self.scale).slot(read.value) if scored else None,
            "collection_mode": self.mode,
            "incentivised": False,
            "qualification": self.qualification,
            "force_majeure": self.force_majeure,
            "cause": self.cause,
            "subject_kind": subject and subject[0],
            "subject_id": subject and subject[1],
            "attributes": dict(self.attributes),
            "device": self.device,
            "verification": self.verification,
        }


def several(count: int, answer: Answer) -> list[Answer]:
    """The same answer from `count` people."""
    return [replace(answer, answer_id=uuid4()) for _ in range(count)]


class World:
    """One tenant's tables, moved on by commits."""

    def __init__(self, database: Database, tenant_id: UUID) -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.seq = 0
        self.live: dict[UUID, Answer] = {}

    async def commit(self, *added: Answer, ended: Iterable[UUID] = ()) -> int:
        """One commit: versions of these answers end, these begin (an answer that is live is revised)."""
        self.seq += 1
        revised = {answer.answer_id for answer in added} & self.live.keys()
        gone = [*revised, *ended]
        async with self.database.tenant(self.tenant_id) as connection:
            if gone:
                await connection.execute(
                    update(feedback)
                    .where(feedback.c.feedback_id.in_(gone), feedback.c.seq_to.is_(None))
                    .values(seq_to=self.seq)
                )
            for answer_id in gone:
                del self.live[answer_id]
            if added:
                await connection.execute(insert(feedback), [a.row(self.tenant_id, self.seq) for a in added])
            self.live |= {answer.answer_id: answer for answer in added}
            await self._head(connection)
        return self.seq

    async def count(self, kind: str, number: int, at: datetime = NOON, **where: str) -> None:
        """A volume arrives."""
        self.seq += 1
        row = {
            "kind": kind,
            "count": number,
            "occurred_at": at,
            "source": "counter",
            "attributes": {},
            **where,
        }
        await self._insert(
            volumes, row | {"event_id": uuid4(), "seq_from": self.seq, "position": self.seq << 20}
        )

    async def case(self, opened_at: datetime, **columns: Any) -> UUID:
        """A case as its projection leaves it; its id."""
        self.seq += 1
        case_id = columns.pop("case_id", None) or uuid4()
        row = {
            "case_id": case_id,
            "seq": self.seq,
            "opened_at": opened_at,
            "kind": "complaint",
            "severity": "sev3",
            "state": "open",
            "source": "crm",
            "customer_facing": True,
            "initiative": "reactive",
            "reopened_count": 0,
        }
        empty = {"detection": {}, "attributes": {}, "steps": [], "anomalies": []}
        await self._insert(cases, row | empty | columns)
        return case_id

    async def event(
        self, kind: str, at: datetime, subject: tuple[str, UUID] | None = None, **told: Any
    ) -> UUID:
        """A fact of the journal; `customer` goes into its personal part, the rest is the fact."""
        self.seq += 1
        event_id, customer = uuid4(), told.pop("customer", None)
        row = {
            "position": self.seq << 20,
            "event_id": event_id,
            "type": kind,
            "source": told.pop("source", "crm"),
            "external_id": str(event_id),
            "fingerprint": b"",
            "occurred_at": at,
            "recorded_at": at,
            "received_at": at,
            "origin": "live",
            "subject_kind": subject and subject[0],
            "subject_id": subject and subject[1],
            "fact": told,
            "day_precision": False,
            "backdated": False,
        }
        await self._insert(events, row)
        if customer is not None:
            await self._insert(event_personal, {"event_id": event_id, "customer_ref": customer, "data": {}})
        return event_id

    async def merge(
        self, home_id: UUID, case_id: UUID, after: datetime | None, until: datetime | None = None
    ) -> None:
        """Later facts of the first case are those of the other one; without a time it was taken back."""
        for pair in ((home_id, case_id), (case_id, home_id)):
            await self._insert(case_ties, dict(zip(("case_id", "other_id"), pair, strict=True)))
        if after is not None:
            span = {"home_id": home_id, "after_at": after, "until_at": until, "case_id": case_id}
            await self._insert(case_spans, span)

    async def rename(self, raw: str, touchpoint: str) -> None:
        """A touchpoint gets another name."""
        self.seq += 1
        row = {"raw": raw, "touchpoint": touchpoint, "occurred_at": NOON, "seq": self.seq << 20}
        await self._insert(touchpoint_retags, row | {"event_id": uuid4()})

    async def timer(self, due_at: datetime | None, **columns: Any) -> None:
        """A timer cycle as its projection leaves it."""
        self.seq += 1
        row = {
            "subject_id": uuid4(),
            "timer": "given_due",
            "cycle": uuid4(),
            "seq": self.seq,
            "subject_kind": "case",
            "policy": "standard",
            "policy_version": 1,
            "clock_kind": "internal",
            "state": "running",
            "started_at": (due_at or NOON) - timedelta(days=3),
            "due_at": due_at,
            "attributes": {},
            "anomalies": [],
        }
        await self._insert(sla_timers, row | columns)

    async def attribute(self, key: str, kind: str = "text", *, groupable: bool = True) -> None:
        """An attribute is registered."""
        await self._insert(attributes, {"key": key, "type": kind, "personal": False, "groupable": groupable})

    async def noun(self, kind: str, key: str, parent: str | None = None) -> None:
        """A noun is described."""
        row = {"kind": kind, "key": key, "parent": parent, "details": {}, "uncategorised": False}
        await self._insert(directory, row | {"first_seen_at": NOON})

    async def relational(self, question: str) -> None:
        """A question of which one answer per customer and 90 days counts."""
        await self._insert(
            questions,
            {
                "key": question,
                "measure": "nps",
                "scale_id": "nps_0_10",
                "wording_version": 1,
                "relational": True,
                "uncategorised": False,
                "first_seen_at": NOON,
            },
        )

    async def terms(self, document: dict[str, Any]) -> None:
        """The first version of the tenant's terms, valid from the year's beginning."""
        row = {"version": 1, "valid_from": datetime(2026, 1, 1, tzinfo=UTC), "document": document}
        await self._insert(metric_terms, row | {"created_at": NOON})

    async def _insert(self, table: Any, row: dict[str, Any]) -> None:
        async with self.database.tenant(self.tenant_id) as connection:
            await connection.execute(insert(table), [{"tenant_id": self.tenant_id, **row}])
            await self._head(connection)

    async def _head(self, connection: Any) -> None:
        await connection.execute(
            update(tenant_head).where(tenant_head.c.tenant_id == self.tenant_id).values(seq=self.seq)
        )
