"""The parts of a tenant's configuration: where each lies in the API, and which of its words are writable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel

from app.configuration.attributes.schemas import AttributeIn
from app.configuration.measures.schemas import AnnotationIn, TermsIn
from app.configuration.nouns.schemas import NounIn, NounKind
from app.configuration.questions.schemas import QuestionIn
from app.configuration.retention.router import RetentionRules
from app.configuration.sources.schemas import SourceIn
from app.metrics.alerts.schemas import AlertIn
from app.metrics.declared.schemas import CuboidIn
from app.metrics.saved.schemas import SavedQueryIn


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of configuration. Without `fields` its body is what the API shows as `document`."""

    name: str
    path: str
    fields: type[BaseModel] | None = None
    is_single: bool = False

    def body(self, shown: Mapping[str, Any]) -> Any:
        """What would have to be written to make what is shown; None where nobody wrote anything."""
        if shown.get("uncategorised") or shown.get("version", 1) == 0:
            return None
        if self.fields is None:
            return shown["document"]
        names = (field.alias or name for name, field in self.fields.model_fields.items())
        body = {name: shown[name] for name in names if name in shown}
        return None if self._is_untouched(body) else body

    def place(self, key: str) -> str:
        """Where one document is read and written."""
        return self.path if self.is_single else f"{self.path}/{quote(key, safe='')}"

    def _is_untouched(self, body: Mapping[str, Any]) -> bool:
        if self.fields is None or any(field.is_required() for field in self.fields.model_fields.values()):
            return False
        fresh = self.fields().model_dump(mode="json", by_alias=True)
        return all(fresh[name] == value for name, value in body.items())


SECTIONS: Final = (
    Section("attributes", "/v1/attributes", AttributeIn),
    *(Section(kind.value, f"/v1/directory/{kind.value}", NounIn) for kind in NounKind),
    Section("questions", "/v1/questions", QuestionIn),
    Section("calendars", "/v1/calendars"),
    Section("sla_policies", "/v1/sla/policies"),
    Section("playbooks", "/v1/playbooks", is_single=True),
    Section("complaint_rules", "/v1/complaint-rules", is_single=True),
    Section("routing", "/v1/routing", is_single=True),
    Section("compensation_policy", "/v1/compensation-policy", is_single=True),
    Section("asking_policy", "/v1/asking/policy", is_single=True),
    Section("journey_rules", "/v1/journey/rules", is_single=True),
    Section("metric_terms", "/v1/metrics/terms", TermsIn, is_single=True),
    Section("annotations", "/v1/metrics/annotations", AnnotationIn),
    Section("saved_queries", "/v1/metrics/queries", SavedQueryIn),
    Section("cuboids", "/v1/metrics/cuboids", CuboidIn),
    Section("alerts", "/v1/metrics/alerts", AlertIn),
    Section("sources", "/v1/sources", SourceIn),
    Section("retention", "/v1/privacy/retention", RetentionRules, is_single=True),
)
"""In the order in which they may name each other. Keys, endpoints and secrets belong to an installation."""


def parents_first(documents: Mapping[str, Any]) -> Iterable[str]:
    """Keys in an order in which whoever is named as `parent` comes before; circles come as they are."""
    placed: dict[str, None] = {}
    waiting = sorted(documents)
    while waiting:
        ready = [key for key in waiting if _parent(documents[key]) not in waiting] or waiting
        placed.update(dict.fromkeys(ready))
        waiting = [key for key in waiting if key not in placed]
    return placed


def _parent(document: Any) -> Any:
    return document.get("parent") if isinstance(document, dict) else None
