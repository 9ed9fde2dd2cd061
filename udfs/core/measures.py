"""What was seen of a workflow so far: how long its moves took. It comes from the history, beside the rules, and is no
part of what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from udfs.core.immutable import Immutable
from udfs.core.spec import BEGINNING, Spec
from udfs.core.stalled import limits


@dataclass(frozen=True)
class Measures(Immutable):
    """Of one workflow, in ms. `usual` has for the name of a step the 95th percentile of how long it took until anything
    else happened; `spans` for two steps the quantiles of how long it took from the first of one to the first of the
    other, as `udfs.core.forecast` reads them."""

    usual: dict[str, int]
    spans: dict[tuple[str, str], tuple[int, ...]]


def read(document: Any) -> Measures:
    """The measures in a statistics document (docs/contracts.md). Raises ValueError for an unfit one."""
    try:
        said = document["statistics"]
        usual = {str(name): _span(one["p95"]) for name, one in said.get("steps", {}).items()}
        spans: dict[tuple[str, str], tuple[int, ...]] = {}
        for after, following in said.get("spans", {}).items():
            for expect, one in following.items():
                spans[str(after), str(expect)] = _quantiles(one["quantiles"])
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"not a statistics document: {fault!r}") from None
    return Measures(usual, spans)


def measured(spec: Spec, measures: Measures | None) -> Spec:
    """The rules of a workflow with what was seen of it so far; as they are, where they don't ask for it."""
    if measures is None or (spec.stalled is None and spec.predict is None):
        return spec
    spans: list[tuple[int, ...]] = []
    for deadline in spec.deadlines if spec.predict is not None else ():
        after = "" if deadline.after == BEGINNING else spec.steps[deadline.after].name
        spans.append(measures.spans.get((after, spec.steps[deadline.expect].name), ()))
    usual = tuple([measures.usual.get(step.name, 0) for step in spec.steps])
    stalls = limits(spec.stalled, usual) if spec.stalled is not None else ()
    return replace(spec, stalls=stalls, spans=tuple(spans))


def _span(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 42:
        raise ValueError(f"{value!r} is no span in ms")
    return value


def _quantiles(values: Any) -> tuple[int, ...]:
    found = tuple([_span(value) for value in values])
    if len(found) != 5 or list(found) != sorted(found):
        raise ValueError(f"{values!r} are not five quantiles, in ascending order")
    return found
