"""A tenant's configuration as the write path needs it: parsed once, kept until its version moves."""

from __future__ import annotations

import hmac
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db.engine import Tx
from app.domain.errors import NotFoundError
from app.domain.journey.rules import NO_RULES, JourneyRules, parse_journey_rules
from app.domain.sla import Calendar, Policy, parse_calendar, parse_policy
from app.journal.care import CareConfig, CareVersion
from app.kit import json
from app.kit.crypto import Sealer

_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: which metric reads it and on which scale."""

    key: str
    measure: str
    scale_id: str


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What the write path must know of a source."""

    key: str
    time_zone: ZoneInfo | None = None
    handles_cases: bool = False
    grace_seconds: int = 0
    backdate_bound_seconds: int = 7 * 86_400
    expected_every_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A calendar and when this version of it was made."""

    calendar: Calendar
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of a policy and the moment from which it binds what opens."""

    policy: Policy
    effective_from: datetime | None


@dataclass(frozen=True, slots=True)
class Repin:
    """A recomputation: what opened in [opened_from, opened_before) counts by other versions from then on.

    Calendars as they stood at `calendars_at`; of the policies, these versions by key, of all others the
    version that bound it before. Until it is `finished`, nothing is announced of these subjects.
    """

    opened_from: datetime
    opened_before: datetime
    calendars_at: datetime
    policies: Mapping[str, Policy]
    finished: bool


@dataclass(slots=True)
class TenantConfig:
    """Everything a stored number of this tenant depends on, at one configuration version."""

    tenant_id: UUID
    version: int
    secret: bytes
    zone: ZoneInfo
    questions: dict[str, Question] = field(default_factory=dict)
    attributes: dict[str, bool] = field(default_factory=dict)
    """The registered ones, and whether each is personal."""
    has_overlays: bool = False
    """true: some answers were amended or re-tagged, and new ones must be looked up"""
    has_merges: bool = False
    """true: some cases were merged, and histories must be read with those of their families"""
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    calendars: dict[str, list[CalendarVersion]] = field(default_factory=dict)
    policies: list[PolicyVersion] = field(default_factory=list)
    """by the time from which they bind"""
    journey: JourneyRules = NO_RULES
    stages: dict[str, str] = field(default_factory=dict)
    """touchpoint -> stage of the journey"""
    nouns: set[tuple[str, str]] = field(default_factory=set)
    care: CareConfig = field(default_factory=CareConfig)
    heard: dict[str, datetime] = field(default_factory=dict)
    """source -> when its last event was last written down"""
    timed_subjects: frozenset[str] = frozenset()
    """the kinds of subject that some version of a policy gives timers to"""
    has_statutory: bool = False
    """whether some version of a policy has a statutory clock"""
    repins: list[Repin] = field(default_factory=list)
    """recomputations, the oldest first"""
    _bound: dict[int, tuple[Policy, ...]] = field(default_factory=dict)
    _customer_key: hmac.HMAC = field(init=False, repr=False, compare=False)
    _content_key: hmac.HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # setting up a keyed hash costs more than hashing an event
        self._customer_key = hmac.new(self.secret, b"customer\x00", "sha256")
        self._content_key = hmac.new(self.secret, b"content\x00", "sha256")

    def source(self, key: str) -> SourceConfig:
        """The source's configuration, or the defaults of one met for the first time."""
        return self.sources.get(key) or SourceConfig(key)

    def customer_ref(self, kind: str, value: str) -> bytes:
        """The keyed hash under which a customer is known (16 bytes of HMAC-SHA256)."""
        return self._keyed(self._customer_key, f"{kind}\x00{normalise_identifier(kind, value)}".encode())

    def fingerprint(self, content: Mapping[str, Any]) -> bytes:
        """The keyed hash by which a repeat is told from a conflict (16 bytes)."""
        return self._keyed(self._content_key, json.canonical(content))

    @staticmethod
    def _keyed(begun: hmac.HMAC, content: bytes) -> bytes:
        mac = begun.copy()
        mac.update(content)
        return mac.digest()[:16]

    def policies_at(self, opened_at: datetime) -> tuple[Policy, ...]:
        """The policies that bind what opened at this instant: of each key the newest in force, in order."""
        count = bisect_right(self.policies, opened_at, key=lambda version: version.effective_from or _ALWAYS)
        if count not in self._bound:
            newest = {version.policy.key: version.policy for version in self.policies[:count]}
            self._bound[count] = in_order(newest.values())
        return self._bound[count]

    def repin_of(self, opened_at: datetime) -> Repin | None:
        """The last recomputation of what opened at this instant; of each policy the last version named."""
        covering = [pin for pin in self.repins if pin.opened_from <= opened_at < pin.opened_before]
        if not covering:
            return None
        named: dict[str, Policy] = {}
        for pin in covering:
            named |= pin.policies
        return replace(covering[-1], policies=named)

    def calendars_at(self, moment: datetime) -> dict[str, Calendar]:
        """The calendars pinned by what opens at this instant: the newest made by then, else the first."""
        pinned: dict[str, Calendar] = {}
        for key, versions in self.calendars.items():
            made = [version.calendar for version in versions if version.created_at <= moment]
            pinned[key] = made[-1] if made else versions[0].calendar
        return pinned


def in_order(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Policies in the order in which they are asked for a timer."""
    return tuple(sorted(policies, key=lambda policy: policy.place))


def normalise_identifier(kind: str, value: str) -> str:
    """The same customer written two ways gives one reference: case of e-mails, punctuation of phones."""
    text = value.strip()
    if kind == "email":
        return text.casefold()
    if kind == "phone":
        return "".join(filter(str.isdigit, text)).removeprefix("00")
    return text


_CONFIG_SQL = """
SELECT 'tenant' AS what, sealed_secret AS sealed, time_zone AS a,
       CASE WHEN EXISTS (SELECT FROM amendments WHERE tenant_id = $1)
              OR EXISTS (SELECT FROM touchpoint_retags WHERE tenant_id = $1) THEN 'overlays' END AS b,
       CASE WHEN EXISTS (SELECT FROM case_ties WHERE tenant_id = $1) THEN 'merges' END AS c,
       NULL::jsonb AS document, NULL::timestamptz AS at, 0 AS version
  FROM tenants WHERE tenant_id = $1
UNION ALL
SELECT 'question', NULL, key, measure, scale_id, NULL, NULL, 0 FROM questions WHERE tenant_id = $1
UNION ALL
SELECT 'attribute', NULL, key, CASE WHEN personal THEN 'personal' END, NULL, NULL, NULL, 0
  FROM attributes WHERE tenant_id = $1
UNION ALL
SELECT 'source', NULL, key, time_zone, NULL,
       jsonb_build_object('handles_cases', handles_cases, 'grace_seconds', grace_seconds,
                          'backdate_bound_seconds', backdate_bound_seconds,
                          'expected_every_seconds', expected_every_seconds), NULL, 0
  FROM sources WHERE tenant_id = $1
UNION ALL
SELECT 'calendar', NULL, key, NULL, NULL, document, created_at, version FROM calendars WHERE tenant_id = $1
UNION ALL
SELECT 'journey', NULL, key, NULL, NULL, document, created_at, version FROM journey_rules WHERE tenant_id = $1
UNION ALL
SELECT 'stage', NULL, key, stage, NULL, NULL, NULL, 0 FROM journey_touchpoints WHERE tenant_id = $1
UNION ALL
SELECT 'policy', NULL, key, NULL, NULL, document, effective_from, version FROM policies WHERE tenant_id = $1
UNION ALL
SELECT 'repin', NULL, to_char(created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), policy, NULL,
       jsonb_build_object('opened_from', opened_from, 'opened_before', opened_before,
                          'finished', finished_at IS NOT NULL), calendars_at, coalesce(policy_version, 0)
  FROM sla_recomputations WHERE tenant_id = $1
UNION ALL
SELECT 'care', NULL, kind, NULL, NULL, document, created_at, version FROM care_documents WHERE tenant_id = $1
ORDER BY what, a, version
"""


class ConfigCache:
    """The configurations of the tenants this process writes for."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._known: dict[UUID, TenantConfig] = {}

    async def get_config(self, tx: Tx, tenant_id: UUID, version: int) -> TenantConfig:
        """The configuration at this version, read in the caller's transaction when it moved."""
        known = self._known.get(tenant_id)
        if known is not None and known.version == version:
            return known
        config = self._parse(tenant_id, version, await tx.fetch(_CONFIG_SQL, tenant_id))
        self._known[tenant_id] = config
        return config

    def find_known(self, tenant_id: UUID) -> TenantConfig | None:
        """The configuration that was read last, if any: it may have moved since."""
        return self._known.get(tenant_id)

    def forget(self, tenant_id: UUID) -> None:
        """Read this tenant's configuration anew next time."""
        self._known.pop(tenant_id, None)

    def _parse(self, tenant_id: UUID, version: int, rows: list[Any]) -> TenantConfig:
        by_kind: dict[str, list[Any]] = {}
        for row in rows:
            by_kind.setdefault(row["what"], []).append(row)
        if "tenant" not in by_kind:
            raise NotFoundError("unknown_tenant", "this tenant does not exist")
        tenant = by_kind["tenant"][0]
        config = TenantConfig(
            tenant_id, version, self._sealer.open(tenant["sealed"], tenant_id.bytes), ZoneInfo(tenant["a"])
        )
        config.has_overlays = tenant["b"] is not None
        config.has_merges = tenant["c"] is not None
        for row in by_kind.get("question", []):
            config.questions[row["a"]] = Question(row["a"], row["b"], row["c"])
        for row in by_kind.get("attribute", []):
            config.attributes[row["a"]] = row["b"] == "personal"
        for row in by_kind.get("source", []):
            zone = ZoneInfo(row["b"]) if row["b"] else None
            config.sources[row["a"]] = SourceConfig(row["a"], zone, **row["document"])
        for row in by_kind.get("calendar", []):
            calendar = parse_calendar(row["document"], row["a"], row["version"])
            config.calendars.setdefault(row["a"], []).append(CalendarVersion(calendar, row["at"]))
        for row in by_kind.get("policy", []):
            policy = parse_policy(row["document"], row["a"], row["version"], config.calendars.keys())
            config.policies.append(PolicyVersion(policy, row["at"]))
        for row in by_kind.get("journey", [])[-1:]:
            config.journey = parse_journey_rules(row["document"], row["version"])
        config.stages = {row["a"]: row["b"] for row in by_kind.get("stage", [])}
        known_policies = {(known.policy.key, known.policy.version): known.policy for known in config.policies}
        config.timed_subjects = frozenset().union(*(policy.subjects for policy in known_policies.values()))
        config.has_statutory = any(policy.has_statutory for policy in known_policies.values())
        config.repins = [_repin(row, known_policies) for row in by_kind.get("repin", [])]
        care = [
            CareVersion(row["a"], row["version"], row["at"], row["document"])
            for row in by_kind.get("care", [])
        ]
        config.care = CareConfig.of(care)
        config.policies.sort(key=lambda known: known.effective_from or _ALWAYS)
        return config


def _repin(row: Any, policies: Mapping[tuple[str, int], Policy]) -> Repin:
    stated = row["document"]
    return Repin(
        opened_from=datetime.fromisoformat(stated["opened_from"]),
        opened_before=datetime.fromisoformat(stated["opened_before"]),
        calendars_at=row["at"],
        policies={} if row["b"] is None else {row["b"]: policies[(row["b"], row["version"])]},
        finished=stated["finished"],
    )
