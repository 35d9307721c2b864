"""Structured logs: one JSON line an event on standard error, without addresses, cookies or anything voters sent."""

from __future__ import annotations

import logging
import sys

import structlog
from flask import Flask


def init_logs(app: Flask) -> None:
    """JSON lines everywhere but in tests, where the plain form reads better."""
    renderer = (
        structlog.dev.ConsoleRenderer(colors=False) if app.config["TESTING"] else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.UnicodeDecoder(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
