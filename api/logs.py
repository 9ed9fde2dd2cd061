"""Structured logs: one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

FORMAT = "{levelname}{name}{message}"
NOISY = ("kafka", "clickhouse_connect", "uvicorn.access")


def configure(level: str = "INFO") -> None:
    """Send every log record of the process, uvicorn's included, to standard error as JSON with an ISO time in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(FORMAT, style="{", timestamp=True, rename_fields={"levelname": "level", "name": "logger"})
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
