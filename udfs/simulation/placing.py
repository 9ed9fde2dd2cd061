"""Follows links between keys as the stages of the job do, in memory: which item's key an event belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from udfs.core.event import Event
from udfs.core.links import (
    Alias,
    Forward,
    Outcome,
    Teach,
    Unlinked,
    by_scheme,
    learn,
    next_look,
    on_time,
    place,
)
from udfs.core.spec import Correlation, Spec
from udfs.core.state import NEVER

Place = tuple[str, int, str]
"""An alias: the scheme, the key's index in it, and its text."""


class Placing:
    """`forward` receives (scheme, event with its item's key, since when its place was known). Instants are epoch ms.

    `lost` counts what could not be placed, by the reasons of dead letters.
    """

    def __init__(self, specs: Iterable[Spec], forward: Callable[[str, Event, int], None]) -> None:
        specs = list(specs)
        self.schemes: dict[str, Correlation] = by_scheme([s.correlation for s in specs if s.correlation is not None])
        self.lost: Counter[str] = Counter()
        self.watermark = -NEVER
        self._forward = forward
        self._types = {name: _types(specs, spec.keys) for name, spec in self.schemes.items()}
        self._aliases: dict[Place, Alias] = {}
        self._looks: list[tuple[int, Place]] = []  # a heap; an alias has an entry at or before its next look

    def record(self, events: Mapping[str, Event]) -> None:
        """A record, as the event that it is for each of its correlation keys."""
        for scheme, spec in self.schemes.items():
            borne = [index for index, name in enumerate(spec.keys) if name in events]
            for index in reversed(borne[1:]):
                self._learn(scheme, index, events[spec.keys[index]], borne[0], events[spec.keys[borne[0]]].key)
            if borne and borne[0] > 0:
                event = events[spec.keys[borne[0]]]
                if event.type in self._types[scheme]:
                    self._place(scheme, borne[0], event.key, event, -NEVER)

    def advance(self, watermark: int) -> None:
        """Time has come to `watermark`, from look to look, so that no link goes while events are on their way to it."""
        while self._looks and self._looks[0][0] <= watermark:
            now, where = heappop(self._looks)
            alias = self._aliases.get(where)
            if alias is None:
                continue
            spec = self.schemes[where[0]]
            outcomes = on_time(spec, alias, now)
            if alias.is_empty():
                del self._aliases[where]
            elif (look := next_look(spec, alias)) < NEVER:
                heappush(self._looks, (look, where))
            self._carry_out(where[0], outcomes)
        self.watermark = watermark

    def _learn(self, scheme: str, index: int, event: Event, to: int, text: str) -> None:
        self._teach(scheme, Teach(index, event.key, to, text, event.time))

    def _teach(self, scheme: str, link: Teach) -> None:
        where = (scheme, link.key, link.text)
        spec, alias = self.schemes[scheme], self._aliases.setdefault(where, Alias())
        before = next_look(spec, alias)
        outcomes = learn(spec, alias, link.to, link.to_text, link.since, self.watermark)
        self._look_again(spec, where, alias, before)
        self._carry_out(scheme, outcomes)

    def _place(self, scheme: str, index: int, text: str, event: Event, known: int) -> None:
        where = (scheme, index, text)
        spec, alias = self.schemes[scheme], self._aliases.setdefault(where, Alias())
        before = next_look(spec, alias)
        outcomes = place(spec, alias, event.time, known, event, self.watermark)
        self._look_again(spec, where, alias, before)
        self._carry_out(scheme, outcomes)

    def _look_again(self, spec: Correlation, where: Place, alias: Alias, before: int) -> None:
        look = next_look(spec, alias)
        if look < before:
            heappush(self._looks, (look, where))

    def _carry_out(self, scheme: str, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Teach):
                self._teach(scheme, outcome)
            elif isinstance(outcome, Forward) and outcome.key:
                self._place(scheme, outcome.key, outcome.text, outcome.parcel, outcome.known)
            elif isinstance(outcome, Forward):
                self._forward(scheme, renamed(outcome.parcel, outcome.text), outcome.known)
            else:
                self.lost["unlinked" if isinstance(outcome, Unlinked) else "two_links"] += 1


def _types(specs: Iterable[Spec], keys: tuple[str, ...]) -> set[str]:
    """The types of events that find their items by these keys."""
    found: set[str] = set()
    for spec in specs:
        if spec.correlation is not None and spec.correlation.keys == keys:
            found.update(spec.by_type)
    return found


def renamed(event: Event, key: str) -> Event:
    """The event, of another key."""
    return Event(
        *(event.id, event.source, event.type, event.time, key, event.groups, event.data),
        *(event.started, event.amount, event.received),
    )
