"""What lies upstream of what: which steps of a workflow come before which, and which workflow's items are parts of
which other's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from udfs.core.immutable import Immutable
from udfs.core.spec import Spec


@dataclass(frozen=True)
class Graph(Immutable):
    """`upstream` has for each workflow and step the steps that the flow puts before it. `parents` has for each workflow
    (group, workflow) pairs: the group holds the key of an item of that other workflow, which it is a part of.
    `awaiting` has for each workflow the steps that wait for the item's parts: those with `children`, and what the flow
    puts behind them."""

    upstream: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    parents: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    awaiting: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_upstream(self, workflow: str, step: str, of: str) -> bool:
        """Whether the flow puts one step before another."""
        return step in self.upstream.get(workflow, {}).get(of, ())

    def awaits_parts(self, workflow: str, step: str) -> bool:
        """Whether a step of a whole can't happen before its parts have."""
        return step in self.awaiting.get(workflow, ())


NOTHING = Graph()


def graph_of(specs: Iterable[Spec]) -> Graph:
    """The graph of the workflows in force. An item is a part of another where it has a group that is named as the
    other's key."""
    known = {spec.workflow: spec for spec in specs}
    upstream = {
        workflow: {
            step.name: frozenset(one.name for one in spec.steps if step.before >> one.index & 1) for step in spec.steps
        }
        for workflow, spec in known.items()
    }
    parents = {
        workflow: tuple(
            (spec.key, other) for other, spec in sorted(known.items()) if other != workflow and spec.key in child.groups
        )
        for workflow, child in known.items()
    }
    awaiting = {workflow: frozenset(_awaiting(spec)) for workflow, spec in known.items()}
    return Graph(
        upstream,
        {workflow: found for workflow, found in parents.items() if found},
        {workflow: found for workflow, found in awaiting.items() if found},
    )


def _awaiting(spec: Spec) -> Iterator[str]:
    counting = sum(1 << step.index for step in spec.steps if step.children is not None)
    for step in spec.steps:
        if (step.before | 1 << step.index) & counting:
            yield step.name
