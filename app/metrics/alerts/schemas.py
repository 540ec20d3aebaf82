"""What alert rules look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.domain.measures.alerts import AlertKind
from app.metrics.buckets import Granularity
from app.metrics.schemas import MetricQueryIn

_INDICES = ("ink_personal", "ink_office", "iel")
AlertKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}$")]


class AlertIn(BaseModel):
    """A rule: what is watched, and when it is told."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "metric.threshold_breached",
                    "query": {"metrics": ["ink_personal"], "group_by": ["employee"], "period": "28d"},
                    "above": 25,
                }
            ]
        },
    )

    kind: AlertKind
    query: MetricQueryIn | None = Field(
        default=None, description="one metric and how it is split: each group is watched; for all but no_data"
    )
    below: float | None = Field(default=None, description="threshold: raised when the metric is below")
    above: float | None = Field(default=None, description="threshold: raised when the metric is above")
    by_point: bool = Field(
        default=False,
        description="judge the value itself, not the bound of its interval that favours us",
    )
    touchpoints: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list,
        max_length=500,
        description="no_data: which must have feedback; default: those with `key: true` in their details",
    )
    quiet_hours: int = Field(default=24, ge=1, le=24 * 90, description="no_data: hours without any feedback")
    every_seconds: int = Field(default=300, ge=60, le=86_400)
    announce_cleared: bool = Field(default=True, description="tell too when it is over")
    enabled: bool = True

    @model_validator(mode="after")
    def _is_whole(self) -> AlertIn:
        if self.kind is AlertKind.NO_DATA:
            return self
        query = self.query
        if query is None or len(query.metrics) != 1:
            raise ValueError(f"{self.kind} needs a query with exactly one metric")
        if query.granularity is not Granularity.NONE or query.known_at is not None or query.as_of is not None:
            raise ValueError("the query of an alert looks at one period as of now: no granularity, no as_of")
        if self.kind is AlertKind.THRESHOLD and self.below is None and self.above is None:
            raise ValueError("a threshold needs `below` or `above`")
        if self.kind is AlertKind.CHANGE and query.compare is None:
            raise ValueError("a change needs `compare` in its query")
        gated = self.kind in (AlertKind.REPRESENTATIVENESS, AlertKind.RELIABILITY)
        if gated and query.metrics[0] not in _INDICES:
            raise ValueError(f"{self.kind} watches one of {', '.join(_INDICES)}")
        return self


class RaisedOut(BaseModel):
    """A group for which the alert is raised."""

    unit: dict[str, Any]
    raised_at: datetime
    finding: dict[str, Any]


class AlertOut(AlertIn):
    """A rule, when it was looked at, and what it found."""

    model_config = ConfigDict(extra="ignore")

    key: str
    evaluated_at: datetime | None
    problem: str | None
    raised: list[RaisedOut]


class AlertPage(BaseModel):
    """All alert rules, by key."""

    items: list[AlertOut]
