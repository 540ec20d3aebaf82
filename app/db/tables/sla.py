"""SLA timers (the truth), the due index (only an index), and what was announced (a ledger)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import local_table, tenant_table

sla_timers = tenant_table(
    "sla_timers",
    Column("subject_id", Uuid, primary_key=True),
    Column("timer", Text, primary_key=True),
    Column("cycle", Uuid, primary_key=True, comment="id of the event that started this run of the timer"),
    Column("seq", BigInteger, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("clock_kind", Text, nullable=False, comment="internal or statutory"),
    Column("state", Text, nullable=False, comment="as of the last evaluation; due_at and stopped_at decide"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column(
        "breaches_after",
        DateTime(timezone=True),
        comment="due_at, or the end of the due day where the start is known by its day",
    ),
    Column("stopped_at", DateTime(timezone=True)),
    Column("cancelled_at", DateTime(timezone=True)),
    Column("target_seconds", Double),
    Column("severity", Text),
    Column("kind", Text),
    Column("source", Text),
    Column("channel", Text),
    Column("touchpoint", Text),
    Column("location", Text),
    Column("employee", Text),
    Column("segment", Text),
    Column("product", Text),
    Column("attributes", JSONB, nullable=False),
    Column("anomalies", JSONB, nullable=False),
    Index("ix_sla_timers_due", "tenant_id", "due_at"),
    Index("ix_sla_timers_started", "tenant_id", "started_at"),
    comment="One row per timer and cycle: the reading of the clock at the last event or firing.",
)

sla_due = local_table(
    "sla_due",
    Column("subject_id", Uuid, primary_key=True),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Index("ix_sla_due_next_at", "next_at"),
    worker=True,
    comment="When the clock of a subject must be read again; an index, mended by the sweep.",
)

announcements = tenant_table(
    "announcements",
    Column("subject_id", Uuid, primary_key=True),
    Column("timer", Text, primary_key=True),
    Column("cycle", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column(
        "at", DateTime(timezone=True), nullable=False, comment="when it became true (a breach: its due time)"
    ),
    Column("announced_at", DateTime(timezone=True), nullable=False),
    Column("provisional", Boolean, nullable=False, comment="a breach that a slow source may still refute"),
    Column("quiet", Boolean, nullable=False, comment="decided and counted, but sent to nobody"),
    Index("ix_announcements_told", "tenant_id", "announced_at", "event_id"),
    comment="What was decided about a timer, each exactly once; never rebuilt.",
)

sla_recomputations = tenant_table(
    "sla_recomputations",
    Column("recomputation_id", Uuid, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_from", DateTime(timezone=True), nullable=False, comment="what opened earlier is frozen"),
    Column("opened_before", DateTime(timezone=True), nullable=False),
    Column("policy", Text, comment="null: the version that bound each subject"),
    Column("policy_version", Integer),
    Column("calendars_at", DateTime(timezone=True), nullable=False, comment="calendars as they stood then"),
    Column("cursor", Uuid, comment="the last subject that is done"),
    Column("counts", JSONB, nullable=False, comment="subjects looked at, verdicts that changed"),
    Column("finished_at", DateTime(timezone=True)),
    comment="Corrections of versions: what opened in a period counts by other ones; never rebuilt.",
)
