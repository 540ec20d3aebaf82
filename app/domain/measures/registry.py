"""The one list of metrics: every reader (API, CSV, feeds, views, pages) takes its definitions from here."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from app.domain.errors import InvalidError
from app.domain.measures.ces import CES
from app.domain.measures.counts import FEEDBACK_COUNTS, VOLUME_COUNTS
from app.domain.measures.coverage import COVERAGE
from app.domain.measures.csat import CSAT
from app.domain.measures.definition import MetricDefinition
from app.domain.measures.handling import CASES, SLA
from app.domain.measures.happiness import HAPPINESS
from app.domain.measures.nps import NPS
from app.domain.measures.paradox import PARADOX
from app.domain.measures.recovery import RECOVERY
from app.domain.measures.returns import PROMISES, RETURNS
from app.domain.measures.silent_indices import SILENT_INDICES
from app.domain.measures.stars import STARS
from app.domain.measures.survey_shares import SURVEY_SHARES
from app.domain.measures.times import TIMES

_FAMILIES: Final = (
    *FEEDBACK_COUNTS,
    *NPS,
    *CSAT,
    *CES,
    *STARS,
    *HAPPINESS,
    *VOLUME_COUNTS,
    *COVERAGE,
    *CASES,
    *SLA,
    *SILENT_INDICES,
    *SURVEY_SHARES,
    *TIMES,
    *RECOVERY,
    *PARADOX,
    *RETURNS,
    *PROMISES,
)

METRICS: Final[Mapping[str, MetricDefinition]] = MappingProxyType({m.id: m for m in _FAMILIES})

REGISTRY_VERSION: Final = sha256(
    "\n".join(f"{m.id} {m.version} {m.formula}" for m in _FAMILIES).encode()
).hexdigest()[:12]
"""Changes whenever a definition does; part of every answer's ETag."""


def get_metric(metric_id: str) -> MetricDefinition:
    """The definition of a metric. Raises InvalidError `unknown_metric`; the cure names the nearest."""
    metric = METRICS.get(metric_id)
    if metric is not None:
        return metric
    near = get_close_matches(metric_id[:64], METRICS, n=1, cutoff=0.0)
    raise InvalidError(
        "unknown_metric",
        f"there is no metric {metric_id[:64]!r}",
        cure=f"The nearest is {near[0]!r}; GET /v1/metrics lists all of them.",
    )
