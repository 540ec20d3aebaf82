"""The ETag of an answer: equal tags, equal rows; computed before anything is counted."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from app.domain.measures.registry import REGISTRY_VERSION
from app.kit import json
from app.metrics.facts import TenantFacts
from app.metrics.query import MetricQuery
from app.metrics.schemas import MetricQueryIn


def answer_etag(
    given: MetricQueryIn,
    query: MetricQuery,
    facts: TenantFacts,
    *,
    form: str,
    with_parts: bool,
    now: datetime,
) -> str:
    """A weak tag: what was asked (times absolute), what is stored, how numbers are defined and shown.

    An answer that reads the clock (deadlines pass without any event) changes its tag every minute; any
    changes it when a source falls silent.
    """
    silent = [source.key for source in facts.sources if source.is_silent(now)]
    told: list[Any] = [
        str(facts.tenant_id),
        facts.seq,
        facts.config_version,
        REGISTRY_VERSION,
        form,
        with_parts,
        given.model_dump(mode="json", exclude={"period", "as_of"}),
        [query.period.start, query.period.end, query.zone.key],
        query.as_of if query.as_of_given else None,
        query.terms.version,
        silent,
        now.replace(second=0, microsecond=0) if query.reads_clock else None,
    ]
    return f'W/"{hashlib.sha256(json.dumps(told)).hexdigest()[:32]}"'


def is_current(if_none_match: str | None, etag: str) -> bool:
    """True when the caller already holds this answer."""
    if if_none_match is None:
        return False
    tags = [tag.strip() for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags or etag.removeprefix("W/") in tags
