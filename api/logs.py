"""Structured logs: one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

FORMAT = "{levelname}{name}{message}"
# We say ourselves that Kafka or ClickHouse is away; their clients would say so several times a second.
LEVELS = {"kafka": "WARNING", "kafka.net": "CRITICAL", "clickhouse_connect": "ERROR", "urllib3": "ERROR"}


def configure(level: str = "INFO") -> None:
    """Send every log record of the process, uvicorn's included, to standard error as JSON with an ISO time in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            FORMAT,
            style="{",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name, least in LEVELS.items():
        logging.getLogger(name).setLevel(least)
