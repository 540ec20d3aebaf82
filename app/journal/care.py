"""How cases are cared for, as configured: each kind of document in the version that binds a commit.

A version binds what is recorded from its making on, so that a rebuild decides by the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from app.domain.compensation import CompensationPolicy
from app.domain.compensation_document import default_policy_document, parse_policy
from app.domain.complaint import DEFAULT_RULES, ComplaintRules
from app.domain.complaint_document import parse_rules, rules_document
from app.domain.playbook import Playbooks
from app.domain.playbook_document import parse_playbooks
from app.domain.playbook_preset import DEFAULT_PLAYBOOKS, default_document
from app.domain.routing import Routing, parse_routing

Value = TypeVar("Value")
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class CareKind(StrEnum):
    """The documents that say how cases are cared for."""

    PLAYBOOKS = "playbooks"
    COMPLAINT_RULES = "complaint_rules"
    ROUTING = "routing"
    COMPENSATION = "compensation"


PRESETS: Final[Mapping[CareKind, Callable[[], dict[str, Any] | None]]] = {
    CareKind.PLAYBOOKS: default_document,
    CareKind.COMPLAINT_RULES: rules_document,
    CareKind.ROUTING: lambda: None,
    CareKind.COMPENSATION: default_policy_document,
}
"""What holds, as version 0, until a tenant writes his own; nobody is routed to before somebody is named."""

PARSERS: Final[Mapping[CareKind, Callable[[object], Any]]] = {
    CareKind.PLAYBOOKS: parse_playbooks,
    CareKind.COMPLAINT_RULES: parse_rules,
    CareKind.ROUTING: parse_routing,
    CareKind.COMPENSATION: parse_policy,
}


@dataclass(frozen=True, slots=True)
class CareVersion:
    """A document as it was written."""

    kind: str
    version: int
    created_at: datetime
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bound(Generic[Value]):
    """A configuration and the number of its version: 0 is the preset."""

    value: Value
    version: int = 0
    since: datetime = _ALWAYS


@dataclass(frozen=True, slots=True)
class CareConfig:
    """All versions of all documents, oldest first."""

    playbooks: tuple[Bound[Playbooks], ...] = (Bound(DEFAULT_PLAYBOOKS),)
    complaint_rules: tuple[Bound[ComplaintRules], ...] = (Bound(DEFAULT_RULES),)
    routing: tuple[Bound[Routing | None], ...] = (Bound(None),)
    compensation: tuple[Bound[CompensationPolicy], ...] = field(
        default_factory=lambda: (Bound(parse_policy(default_policy_document())),)
    )

    @classmethod
    def of(cls, versions: Iterable[CareVersion]) -> CareConfig:
        """The presets, and what the tenant wrote."""
        preset, found = cls(), {kind: list[Bound[Any]]() for kind in CareKind}
        for item in sorted(versions, key=lambda version: version.version):
            kind = CareKind(item.kind)
            found[kind].append(Bound(PARSERS[kind](item.document), item.version, item.created_at))
        return cls(**{kind.value: (*getattr(preset, kind.value), *bound) for kind, bound in found.items()})

    def playbooks_at(self, moment: datetime) -> Bound[Playbooks]:
        """The playbooks that bind what was recorded at this instant."""
        return _at(self.playbooks, moment)

    def complaint_rules_at(self, moment: datetime) -> Bound[ComplaintRules]:
        """The rules of complaint and severity that bind it."""
        return _at(self.complaint_rules, moment)

    def routing_at(self, moment: datetime) -> Bound[Routing | None]:
        """Who handles what; None while nobody was named."""
        return _at(self.routing, moment)

    def compensation_at(self, moment: datetime) -> Bound[CompensationPolicy]:
        """What may be given by whom."""
        return _at(self.compensation, moment)


def _at(versions: tuple[Bound[Value], ...], moment: datetime) -> Bound[Value]:
    return [bound for bound in versions if bound.since <= moment][-1]
