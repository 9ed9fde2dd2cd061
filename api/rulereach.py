"""How far a rule reaches: which events it makes somebody see who is limited to its workflow, and sees what moves its
items. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Definition = Mapping[str, Any]


def beyond(stands: Definition | None, wanted: Definition) -> list[str]:
    """The event types of which `wanted` follows more than the definition that stands: new ones, more of a type, or what
    another key leads to. Both are sound definitions."""
    steps = list(wanted["steps"].values())
    if stands is None or _keys(stands) != _keys(wanted):
        return sorted({step["on"] for step in steps})
    known = list(stands["steps"].values())
    return sorted({step["on"] for step in steps if not any(_inside(step, one) for one in known)})


def _inside(step: Definition, known: Definition) -> bool:
    """Whether all that a step follows is followed by a known one, which begins items where it does."""
    if step["on"] != known["on"] or (step.get("start", False) and not known.get("start", False)):
        return False
    narrow, wide = step.get("where") or {}, known.get("where") or {}
    return all(path in narrow and _values(narrow[path]) <= _values(wide[path]) for path in wide)


def _values(accepted: Any) -> set[str]:
    listed: Iterable[Any] = accepted if isinstance(accepted, list) else [accepted]
    return {f"{type(one).__name__} {one}" for one in listed}


def _keys(definition: Definition) -> list[str]:
    key = definition["key"]
    return [key] if isinstance(key, str) else list(key)
