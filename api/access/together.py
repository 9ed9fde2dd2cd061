"""Which other keys go with a key that is erased: those that lead to it and to nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from api.store import Store

MOST = 40
"""Keys that are named; further ones that would go with the first are among those that are kept."""
MOST_EDGES = 10_000
STEPS = 3
"""From a key to its item, to the item's other keys, to all that those lead to."""


@dataclass(frozen=True)
class Together:
    """`also` are keys that are about the same item and no other; `shared` those that others have part in, too: a batch,
    a parent, a customer of several orders."""

    also: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


def found(store: Store, keys: Collection[str]) -> Together:
    """What goes with an item's keys (one, and what a mapping makes of it), or with a key that leads to an item. Raises
    StoreError."""
    near = set(keys)
    for _ in range(STEPS):
        edges = _edges(store, near)
        near |= {key for edge in edges for key in edge}
    whole = together(set(keys), edges)
    if len(edges) < MOST_EDGES:
        return whole
    return Together((), tuple(sorted({*whole.also, *whole.shared}))[:MOST])  # not all is known of who has part in what


def together(known: set[str], edges: Iterable[tuple[str, str]]) -> Together:
    """The same, out of (key of an event, key of an item that it moved). Pure."""
    items, others = defaultdict(set), defaultdict(set)
    for other, item in edges:
        items[other].add(item)
        others[item].add(other)
    led = set().union(*(items[key] for key in known)) - known
    own = set(known)
    if len(led) == 1 and not any(key in items[key] for key in known):
        own |= led  # a key that leads to one item, and is none itself
    beside = set().union(*(others[key] for key in own)) - own
    own |= {key for key in beside if items[key] <= own}
    also = sorted(own - known)
    shared = (led | beside) - own
    return Together(tuple(also[:MOST]), tuple(sorted(shared | set(also[MOST:])))[:MOST])


def _edges(store: Store, keys: Collection[str]) -> list[tuple[str, str]]:
    rows = store.query("erasures/together", keys=sorted(keys), limit=MOST_EDGES)
    return [(row["other"], row["item"]) for row in rows]
