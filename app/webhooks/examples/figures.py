"""What is told of metrics."""

from __future__ import annotations

from typing import Any


def metric(metric_id: str, **told: Any) -> dict[str, Any]:
    """The data of one alert about a metric."""
    return {
        "alert": "watch-" + metric_id.replace("_", "-"),
        "state": "raised",
        "metric": metric_id,
        "title": "what the metric is called",
        "unit": {"employee": "olena", "collection_mode": "staff_prompted"},
        "value": 31.2,
        "n": 214,
        "ci_low": 26.1,
        "ci_high": 36.3,
        "status": "ok",
        "reasons": [],
        "period": {"from": "2026-10-25T22:00:00Z", "to": "2026-11-22T22:00:00Z"},
        "terms_version": 3,
        "definition_version": 1,
        "sequence": 4402341478405,
        **told,
    }


NO_DATA: dict[str, Any] = {
    "alert": "key-touchpoints",
    "state": "raised",
    "unit": {"touchpoint": "checkout"},
    "since": "2026-11-21T12:15:00Z",
    "quiet_hours": 24,
    "sequence": 4402341478406,
}
