"""Structured logs: one JSON object a line (or colours on a terminal), control characters escaped."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(level: str, *, as_json: bool) -> None:
    """Send structlog and the standard library to stderr in one shape."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if not as_json:
        # plain traces: the decorated ones print local variables, and those hold what customers wrote
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *((structlog.processors.format_exc_info,) if as_json else ()),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(message)s", force=True)
    logging.getLogger("uvicorn.access").disabled = True


def _to_stderr(*_names: object) -> structlog.PrintLogger:
    """A logger on what standard error is now: whoever redirects it may close it later."""
    return structlog.PrintLogger(sys.stderr)
