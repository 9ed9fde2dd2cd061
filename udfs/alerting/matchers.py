"""Which alerts something is about: by their labels.

An alert's labels are its lane, workflow, rule, kind, severity, key and step, and its groups under their own names. One
that isn't there is the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from udfs.core.immutable import Immutable

LABELS: Final = ("lane", "workflow", "rule", "kind", "severity", "key", "step")
"""The labels that every alert has; a group of such a name is hidden behind it."""


def labels_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a finding or alert row (docs/contracts.md)."""
    groups = row.get("groups")
    found = {str(name): str(value) for name, value in groups.items()} if isinstance(groups, Mapping) else {}
    return found | {name: str(row.get(name) or "") for name in LABELS}


@dataclass(frozen=True)
class Matcher(Immutable):
    """Fits where the label is one of `values`, or matches the regular expression `pattern` as a whole; with `negated`,
    where it isn't or doesn't."""

    label: str
    values: frozenset[str] = frozenset()
    pattern: str | None = None
    negated: bool = False

    def fits(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.label, "")
        found = value in self.values if self.pattern is None else bool(_compiled(self.pattern).fullmatch(value))
        return found is not self.negated


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def all_fit(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether the labels fit each of the matchers."""
    return all(matcher.fits(labels) for matcher in matchers)
