"""CloudEvents 1.0 in JSON: what must hold before an event is taken in."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import orjson

from api.problems import Fault

MAX_EVENT_BYTES = 1_000_000  # Kafka's usual limit for a record, and the job's
MAX_BATCH = 10_000
_NAME = re.compile(r"[a-z0-9]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_REQUIRED = ("id", "source", "type", "time")
_TEXTS = ("id", "source", "type", "subject", "datacontenttype", "dataschema")
_LONGEST = 1024


def faults(event: Any, index: int, size: int) -> list[Fault]:
    """Everything that is wrong with one event, each with the attribute at fault; empty when it is fine."""
    if not isinstance(event, dict):
        return [Fault(index=index, field="", message="an event is a JSON object")]
    found = [(name, message) for name in sorted({*_REQUIRED, *event}) if (message := _attribute(event, name))]
    if "specversion" not in event:
        found.append(("specversion", "is required; this server takes '1.0'"))
    if "data" in event and "data_base64" in event:
        found.append(("data_base64", "an event has data or data_base64, not both"))
    if not found and size > MAX_EVENT_BYTES:
        found.append(("data", f"the event has more than {MAX_EVENT_BYTES:,} bytes"))
    return [Fault(index=index, field=name, message=message) for name, message in found]


def _attribute(event: dict[str, Any], name: str) -> str:
    """What is wrong with one attribute; '' when nothing is."""
    value = event.get(name)
    if name in ("data", "data_base64"):
        return ""
    if name == "specversion":
        return "" if value == "1.0" else "this server takes '1.0'"
    if name in _REQUIRED and value is None:
        return "is required" + (", in RFC 3339 with a zone" if name == "time" else "")
    if name == "time":
        return _time(value)
    if name in _TEXTS:
        if value is None and name not in _REQUIRED:
            return ""
        if not isinstance(value, str) or not value:
            return "must be a text that is not empty"
        return f"has more than {_LONGEST} characters" if len(value) > _LONGEST else ""
    if not _NAME.fullmatch(name):
        return "names of attributes have lower-case letters and digits only; put it into data"
    if value is not None and not isinstance(value, str | int | bool):
        return "an extension attribute is a text, an integer or a boolean; put objects into data"
    return ""


def _time(value: Any) -> str:
    wanted = "must be RFC 3339 with a zone, such as 2026-03-01T08:00:00Z"
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return wanted
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return wanted
    return "" if 1970 <= moment.year <= 2200 else "must lie between the years 1970 and 2200"


class Posted(NamedTuple):
    """An event as it was sent: what goes on to Kafka are its bytes, as numbers may not fit what Python reads."""

    event: dict[str, Any]
    raw: bytes


def read(body: bytes) -> tuple[list[Posted], list[Fault]]:
    """The events in a request's body, one or a batch, and everything that is wrong with them."""
    try:
        parsed = orjson.loads(body)
        raws = msgspec.json.decode(body, type=list[msgspec.Raw]) if isinstance(parsed, list) else [body.strip()]
    except (orjson.JSONDecodeError, msgspec.DecodeError) as error:
        return [], [Fault(field="", message=f"the body is not JSON: {error}")]
    events = parsed if isinstance(parsed, list) else [parsed]
    batch = [Posted(event, bytes(raw)) for event, raw in zip(events, raws, strict=True)]
    if not batch:
        return [], [Fault(field="", message="the batch holds no event")]
    if len(batch) > MAX_BATCH:
        return [], [Fault(field="", message=f"a batch has at most {MAX_BATCH:,} events; this one has {len(batch):,}")]
    return batch, [fault for index, (event, raw) in enumerate(batch) for fault in faults(event, index, len(raw))]
