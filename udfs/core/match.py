"""Which step of a workflow an event is an occurrence of."""

from __future__ import annotations

from typing import Any

from udfs.core.event import Event
from udfs.core.spec import Spec, Step


def match(spec: Spec, event: Event) -> Step | None:
    """The first step, as declared, that the event is an occurrence of."""
    for step in spec.by_type.get(event.type, ()):
        if not step.where or _holds(step, event.data):
            return step
    return None


def _holds(step: Step, data: dict[str, Any] | None) -> bool:
    return all(_value(data, path) in accepted for path, accepted in step.where)


def _value(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data if isinstance(data, (str, int, float, bool)) else None
