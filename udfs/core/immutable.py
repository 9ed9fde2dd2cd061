"""What all compiled rules have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)  # those of alerts, which are not compiled
class Immutable:
    """Pickled by what it is made of: one that can't be changed can't be filled in afterwards."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
