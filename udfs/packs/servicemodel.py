"""What a workflow is worth to those it serves: words that change nothing of what is found."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from udfs.packs.sections import Section, Text


def _share(value: Any) -> Any:
    found = re.fullmatch(r"\s*([0-9]{1,3}(\.[0-9]{1,4})?)\s*%\s*", value) if isinstance(value, str) else None
    if found is None or not 0 < float(found[1]) <= 100:
        raise ValueError("must be a share above `0%`, and at most `100%`, like `99.5%`")
    return round(float(found[1]) / 100, 6)


Objective = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,4})?\s*%\s*$", "examples": ["99.5%"]}),
]


class Service(Section):
    """`objectives`: which share of a deadline or schedule is to be met. `minutes_per_item`: what an item that completes
    saves somebody. `confirmed` and `corrected`: the steps at which somebody found an item right, or put it right."""

    EXAMPLE: ClassVar[str] = (
        "{objectives: {reply: 99.5%}, minutes_per_item: 4, confirmed: [settle], corrected: [amend]}"
    )
    objectives: dict[Text, Objective] = {}
    minutes_per_item: Annotated[float, Field(gt=0, le=100_000)] | None = None
    confirmed: list[Text] = []
    corrected: list[Text] = []
