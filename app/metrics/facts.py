"""What a query must know of its tenant before it can be understood, read in the query's own snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.measures.terms import DEFAULT_TERMS, Terms


class AttributeType(StrEnum):
    """Type of a registered attribute."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A registered attribute: its type, and whether queries may use it."""

    key: str
    type: AttributeType
    groupable: bool


@dataclass(frozen=True, slots=True)
class FoldState:
    """How far the cuboids reach, by which configuration, and from when their hours are whole."""

    folded_seq: int
    time_zone: str
    relational: tuple[str, ...]
    hours_from: datetime


@dataclass(frozen=True, slots=True)
class Declared:
    """A cuboid that the tenant declared, as far as it is folded."""

    key: str
    dimensions: tuple[str, ...]
    fold: FoldState


@dataclass(frozen=True, slots=True)
class Annotation:
    """What happened to the tenant; across its ends nothing is claimed where it breaks the series."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    breaks_series: bool

    def touches(self, start: datetime, end: datetime) -> bool:
        """True when it lasts at some moment of [start, end)."""
        return self.starts_at < end and (self.ends_at is None or self.ends_at > start)

    def breaks(self, start: datetime, end: datetime) -> bool:
        """True when one of its ends lies inside: then before and after are not of one series."""
        ends = (self.starts_at, self.ends_at)
        return self.breaks_series and any(at is not None and start < at < end for at in ends)


@dataclass(frozen=True, slots=True)
class SourceState:
    """When a source was last heard of (recorded), and how often it should be heard of, where that is told."""

    key: str
    last_event_at: datetime | None
    expected_every_seconds: int | None = None

    def is_silent(self, now: datetime) -> bool | None:
        """True when it should have been heard of again; null where nobody said how often."""
        if self.expected_every_seconds is None:
            return None
        return self.last_event_at is None or now - self.last_event_at > timedelta(
            seconds=self.expected_every_seconds
        )


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """The tenant at the snapshot of a query. `relational` questions count once per customer and 90 days."""

    tenant_id: UUID
    seq: int
    config_version: int
    time_zone: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    relational: tuple[str, ...] = ()
    presses: bool = False
    """True where answers name the device that was pressed"""
    merges: bool = False
    """True where cases were merged: facts then belong to the case that went on by then"""
    renames: tuple[tuple[int, str, str], ...] = ()
    """(position, touchpoint, its new name), in the order in which they were given"""
    sources: tuple[SourceState, ...] = ()
    fold: FoldState | None = None
    declared: tuple[Declared, ...] = ()
    terms: tuple[tuple[datetime, Terms], ...] = ()
    """(valid from, terms), in the order of their versions"""
    annotations: tuple[Annotation, ...] = ()

    def terms_at(self, moment: datetime) -> Terms:
        """The newest version that was valid then; the defaults before the first."""
        valid = [terms for valid_from, terms in self.terms if valid_from <= moment]
        return valid[-1] if valid else DEFAULT_TERMS
