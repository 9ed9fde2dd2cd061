"""Structured logs: one JSON object a line on standard error, for every process that `jobs` starts."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

FIELDS = {"levelname": "level", "name": "logger", "message": "message"}


def configure(part: str, level: int = logging.INFO) -> logging.Logger:
    """Send all logging of this process to standard error as JSON; every line names the `part` that wrote it.

    Further fields come with `extra={...}`. The Kafka client is only heard when something is wrong with it.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s", timestamp=True, rename_fields=FIELDS, static_fields={"part": part}
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.ERROR)
    return logging.getLogger(part)
