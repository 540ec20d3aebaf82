"""What this process counts of itself, for Prometheus; no label names a tenant, a person or an address."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    start_http_server,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

__all__ = ["CONTENT_TYPE", "exposition", "serve_exposition"]

REGISTRY = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUESTS = Histogram(
    "vidhuk_http_request_seconds",
    "Requests by door (events, inlet, api) and class of status",
    ["door", "status"],
    buckets=_FAST,
    registry=REGISTRY,
)
EVENTS = Counter("vidhuk_events", "Events by what became of them", ["outcome"], registry=REGISTRY)
COMMITS = Histogram(
    "vidhuk_commit_seconds", "One ingest transaction, retries included", buckets=_FAST, registry=REGISTRY
)
COMMITTED = Histogram(
    "vidhuk_commit_events",
    "Events of one ingest transaction",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
    registry=REGISTRY,
)
INGEST_WAITING = Gauge(
    "vidhuk_ingest_waiting_events", "Events accepted and not yet committed", registry=REGISTRY
)
CONNECTIONS = Gauge(
    "vidhuk_database_connections", "Connections of the pool by state", ["state"], registry=REGISTRY
)
LOOP_STEPS = Counter(
    "vidhuk_loop_steps",
    "Steps of a background loop by how they ended",
    ["loop", "outcome"],
    registry=REGISTRY,
)
LOOP_SECONDS = Counter(
    "vidhuk_loop_busy_seconds", "Time spent in the steps of a loop", ["loop"], registry=REGISTRY
)
LOOP_SUCCESS = Gauge(
    "vidhuk_loop_last_success_timestamp_seconds",
    "When a loop's last good step ended",
    ["loop"],
    registry=REGISTRY,
)
ATTEMPTS = Counter("vidhuk_attempts", "Webhook attempts by how they ended", ["outcome"], registry=REGISTRY)
QUEUES = {
    name: Gauge(f"vidhuk_{name}", text, registry=REGISTRY)
    for name, text in {
        "outbox": "Announcements that wait for their fan-out",
        "outbox_age_seconds": "Age of the oldest of them",
        "timers_due": "SLA timers whose time has come and that have not fired",
        "timers_late_seconds": "How late the latest of them is",
        "deliveries_waiting": "Deliveries that wait, for their time or for their endpoint",
        "deliveries_held": "Deliveries that an ordered endpoint holds back behind an earlier one",
        "deliveries_due": "Deliveries whose time has come",
        "deliveries_late_seconds": "How late the latest of them is",
        "queue_dead_rows": "Dead rows of the queues: what grows and grows is kept by an open transaction",
        "endpoints_failing": "Endpoints that failed five times in a row or more",
        "endpoints_left_alone": "Endpoints with an open circuit",
        "endpoints_disabled": "Endpoints that are switched off",
    }.items()
}
READY = Gauge("vidhuk_ready", "1: the process can do its work (as /readyz says)", registry=REGISTRY)
LISTENING = Gauge("vidhuk_listening", "0: woken by polling only", registry=REGISTRY)


def exposition() -> bytes:
    """The text that Prometheus reads."""
    return generate_latest(REGISTRY)


def serve_exposition(host: str, port: int) -> None:
    """Answer scrapes from a thread of its own, for a process without an API."""
    start_http_server(port, host, registry=REGISTRY)
