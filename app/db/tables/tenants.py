"""Tenants, their commit counter, and the keys that speak for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Index, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.kinds import local_table, reference_table, tenant_table

tenants = reference_table(
    "tenants",
    Column("tenant_id", Uuid, primary_key=True),
    Column("key", Text, nullable=False, unique=True, comment="short name in URLs of the operator"),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, comment="IANA zone of reports and of days"),
    Column(
        "sealed_secret", LargeBinary, nullable=False, comment="key of customer references and fingerprints"
    ),
    Column("synthetic", Boolean, nullable=False, comment="true: demonstration data, not customers"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    Column("events_per_minute", Integer, comment="what its keys may post; null: any"),
    comment="A customer of the service; every other row belongs to one.",
)

tenant_head = tenant_table(
    "tenant_head",
    Column("seq", BigInteger, nullable=False, comment="number of the last commit, without gaps"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="time of the last commit"),
    Column("config_version", BigInteger, nullable=False, comment="moves with every change of configuration"),
    Column(
        "rebuilding",
        Boolean,
        nullable=False,
        server_default="false",
        comment="true: projections are being rebuilt, writers come again",
    ),
    Column("allowance", Double, comment="events that may still be posted at allowance_at; below 0: owed"),
    Column("allowance_at", DateTime(timezone=True)),
    comment="The only write lock: one row a tenant, counted up by every commit that appends.",
)

api_keys = local_table(
    "api_keys",
    Column("key_id", Uuid, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the whole key"),
    Column("hint", Text, nullable=False, comment="prefix and last four letters, to tell keys apart"),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    Index("ix_api_keys_tenant_id", "tenant_id"),
    comment="API keys; the key itself is shown once and never stored.",
)

audit = tenant_table(
    "audit",
    Column("audit_id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False, comment="key hint, `operator` or `vidhuk`"),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text),
    comment="Who changed or erased what, append-only.",
)
