"""Real examples of what subscribers get: one for each shape of `data`."""

from app.webhooks.examples.endpoints import (
    ENDPOINT_DISABLED,
    ENDPOINT_FAILING,
    ENDPOINT_RECOVERED,
    ENDPOINT_TEST,
    MESSAGE_EXHAUSTED,
)
from app.webhooks.examples.figures import NO_DATA, metric
from app.webhooks.examples.handling import CASE, COMPENSATION, DEBRIEF, FAILURE, IMPROVEMENT, MODERATION
from app.webhooks.examples.people import ERASURE, SILENCE, asking
from app.webhooks.examples.timers import (
    DELAY_NOTICE_DUE,
    DELAY_NOTICE_MISSED,
    FEEDBACK_OFFER,
    REVIEW_UNANSWERED,
    SOURCE_SILENT,
    sla,
)

__all__ = [
    "CASE",
    "COMPENSATION",
    "DEBRIEF",
    "DELAY_NOTICE_DUE",
    "DELAY_NOTICE_MISSED",
    "ENDPOINT_DISABLED",
    "ENDPOINT_FAILING",
    "ENDPOINT_RECOVERED",
    "ENDPOINT_TEST",
    "ERASURE",
    "FAILURE",
    "FEEDBACK_OFFER",
    "IMPROVEMENT",
    "MESSAGE_EXHAUSTED",
    "MODERATION",
    "NO_DATA",
    "REVIEW_UNANSWERED",
    "SILENCE",
    "SOURCE_SILENT",
    "asking",
    "metric",
    "sla",
]
