"""The catalogue: every metric's definition, and the attributes that this tenant may group by."""

from __future__ import annotations

from app.domain.measures.definition import MetricDefinition
from app.domain.measures.registry import METRICS, REGISTRY_VERSION
from app.metrics.dimensions import ATTRIBUTE_PREFIX
from app.metrics.facts import TenantFacts
from app.metrics.query import kept_apart
from app.metrics.schemas import CatalogueOut, MetricOut


def catalogue_of(facts: TenantFacts) -> CatalogueOut:
    """All metrics in the order of the registry."""
    groupable = [key for key, attribute in facts.attributes.items() if attribute.groupable]
    return CatalogueOut(
        version=REGISTRY_VERSION,
        metrics=[_described(metric) for metric in METRICS.values()],
        attributes=[ATTRIBUTE_PREFIX + key for key in sorted(groupable)],
    )


def _described(metric: MetricDefinition) -> MetricOut:
    return MetricOut(
        id=metric.id,
        version=metric.version,
        title=metric.title,
        original_term=metric.original_term,
        bsc=metric.bsc,
        description=metric.description,
        formula=metric.formula,
        unit=metric.unit,
        better=metric.better,
        populations=list(metric.populations),
        measure=metric.measure,
        scales=list(metric.scale_ids),
        parts=list(metric.parts),
        dimensions=sorted(metric.dimensions),
        kept_apart_by=list(kept_apart(metric)),
        gates=list(metric.gates),
        off_by_default=metric.off_by_default,
    )
