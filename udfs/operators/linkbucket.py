"""The aliases of one bucket of one stage: takes frames and the passing of time, gives frames for the stages behind."""

from __future__ import annotations

from typing import Any

from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.links import (
    Alias,
    Contradiction,
    Forward,
    Outcome,
    Teach,
    decode,
    encode,
    learn,
    next_look,
    on_time,
    place,
)
from udfs.core.source import Mapping, Unreadable
from udfs.core.spec import Correlation
from udfs.core.state import NEVER
from udfs.operators.batch import Frame
from udfs.operators.batch import decode as frames_of
from udfs.operators.engine import Engine
from udfs.operators.intake import is_plausible, key_of
from udfs.operators.routed import LINK, NO_SCHEME, REFUSED, ROUTED, Routed, kept, pack, taken_up, unpack
from udfs.operators.store import Store
from udfs.operators.wheel import Wheel


def refused(frame: Frame, reason: str, detail: str) -> bytes:
    """A frame that goes to the end of the stages and becomes a dead letter there."""
    return pack(Routed(frame, NO_SCHEME, 0, f"{reason} {detail}"[:10_000], REFUSED, -NEVER))


class LinkBucket:
    """Instants are epoch ms. `links` holds the aliases by storage key (scheme, text), `index` the wheel that knows when
    to look at which. `key` is the index of the stage's key in the workflows' lists.

    What comes is a record that bears the key, or a frame that another stage sends here. Aliases are decoded for one
    call only: an alias is seldom used twice within a batch.
    """

    def __init__(self, engine: Engine, key: int, links: Store, index: Store) -> None:
        self._engine = engine
        self._key = key
        self._links = links
        self._index = index
        self._wheel = Wheel(index)
        names = index.keys()
        for name in names:
            self._wheel.found(name)
        self._aliases: dict[str, Alias] = {}
        self._outputs: list[bytes] = []

    def __len__(self) -> int:
        """How many aliases are kept decoded."""
        return len(self._aliases)

    def on_batch(self, batch: bytes, watermark: int) -> list[bytes]:
        """Takes the frames of a batch. What can't be read is left out: its copy for another key says why."""
        if watermark > self._wheel.now:
            self._wheel.now = watermark
        for frame in frames_of(batch):
            if frame.key == ROUTED:
                self._take_routed(unpack(frame), watermark)
                continue
            mapping = self._engine.mappings[frame.mapping]
            try:
                record = mapping.parse(frame.payload)
                event = mapping.event(record, mapping.key_names[frame.key], "", frame.received)
                if mapping.matches(record) and is_plausible(self._engine, mapping, event, frame):
                    self._take(mapping, frame, record, event, watermark)
            except Unreadable:
                continue
        return self._flush()

    def on_time(self, now: int) -> list[bytes]:
        """Time has come to `now`: no event at or before it is expected any more."""
        wheel = self._wheel
        wheel.advance(now)
        while (where := wheel.pop()) is not None:
            scheme, _, text = where.partition(SEPARATOR)
            spec = self._engine.correlations().get(scheme)
            alias = self._alias(where)
            if spec is None:  # no workflow has these keys any more
                spec = Correlation((), 0, 0)
            for outcome in on_time(spec, alias, now):
                self._carry_out(None, scheme, text, outcome)
            look = next_look(spec, alias)
            if look < NEVER:
                wheel.file(max(look, now + 1), where)
        wheel.close()
        return self._flush()

    def next_timer(self) -> int | None:
        """The earliest instant at which `on_time` has something to do. To the ms: it must come before the watermark."""
        return self._wheel.earliest()

    def save(self) -> None:
        """Stores what was looked at since the last time."""
        puts: dict[str, bytes] = {}
        for where, alias in self._aliases.items():
            if alias.is_empty():
                self._links.remove(where)
            else:
                puts[where] = encode(alias)
        if puts:
            self._links.put_all(puts)
        self._aliases = {}
        indexed: dict[str, bytes] = {}
        for name in self._wheel.save(indexed):
            self._index.remove(name)
        if indexed:
            self._index.put_all(indexed)

    def shrink(self, limit: int) -> None:
        """Nothing is kept decoded beyond a call."""

    def _take(self, mapping: Mapping, frame: Frame, record: dict[str, Any], event: Event, watermark: int) -> None:
        """A record: it teaches a link where it bears a key before this one too, else it looks for its place."""
        name = mapping.key_names[frame.key]
        for scheme, spec in self._engine.correlations().items():
            if len(spec.keys) <= self._key or spec.keys[self._key] != name:
                continue
            for key, other in enumerate(spec.keys[: self._key]):
                text = key_of(mapping, record, other)
                if text is not None:
                    self._learn(frame, scheme, spec, event.key, key, text, event.time, watermark)
                    break
            else:
                if self._engine.correlated(scheme, event.type):
                    routed = Routed(frame, scheme, self._key, event.key, frame.key, -NEVER)
                    self._place(frame, spec, routed, event.time, watermark)

    def _take_routed(self, routed: Routed, watermark: int) -> None:
        spec = self._engine.correlations()[routed.scheme]
        frame = routed.frame(0)
        if routed.own == LINK:
            to, text = routed.to, routed.to_text
            self._learn(frame, routed.scheme, spec, routed.text, to, text, routed.known, watermark)
            return
        mapping = self._engine.mappings[routed.mapping]
        event = mapping.event(mapping.parse(routed.payload), mapping.key_names[routed.own], "", routed.received)
        self._place(frame, spec, routed, event.time, watermark)

    def _learn(
        self,
        frame: Frame,
        scheme: str,
        spec: Correlation,
        own: str,
        key: int,
        text: str,
        time: int,
        watermark: int,
    ) -> None:
        where = f"{scheme}{SEPARATOR}{own}"
        alias = self._alias(where)
        before = next_look(spec, alias)
        for outcome in learn(spec, alias, key, text, time, watermark):
            self._carry_out(frame, scheme, own, outcome)
        self._look_again(spec, where, alias, before)

    def _place(self, frame: Frame, spec: Correlation, routed: Routed, time: int, watermark: int) -> None:
        where = f"{routed.scheme}{SEPARATOR}{routed.text}"
        alias = self._alias(where)
        before = next_look(spec, alias)
        for outcome in place(spec, alias, time, routed.known, kept(self._engine, routed), watermark):
            self._carry_out(frame, routed.scheme, routed.text, outcome)
        self._look_again(spec, where, alias, before)

    def _alias(self, where: str) -> Alias:
        alias = self._aliases.get(where)
        if alias is None:
            stored = self._links.get(where)
            alias = self._aliases[where] = Alias() if stored is None else decode(stored)
        return alias

    def _look_again(self, spec: Correlation, where: str, alias: Alias, before: int) -> None:
        """The wheel has an entry at or before `before`; another one is needed where the next look is sooner."""
        look = next_look(spec, alias)
        if look < before:
            self._wheel.file(look, where)

    def _carry_out(self, frame: Frame | None, scheme: str, own: str, outcome: Outcome) -> None:
        """`frame` is what the outcome came of, None where time did it."""
        engine = self._engine
        if isinstance(outcome, Forward):
            routed = taken_up(engine, outcome.parcel)
            if routed.own != REFUSED:
                routed.scheme, routed.key, routed.text, routed.known = scheme, outcome.key, outcome.text, outcome.known
            self._outputs.append(pack(routed))
        elif isinstance(outcome, Teach):
            assert frame is not None  # noqa: S101  (time teaches nothing)
            link = Routed(frame, scheme, outcome.key, outcome.text, LINK, outcome.since)
            link.to, link.to_text, link.payload = outcome.to, outcome.to_text, b""
            self._outputs.append(pack(link))
        else:
            names = engine.correlations()[scheme].keys if scheme in engine.correlations() else ()
            name = names[self._key] if names else "a key that no workflow has any more,"
            if isinstance(outcome, Contradiction):
                assert frame is not None  # noqa: S101
                detail = f"{name} {own!r} was met with another {names[outcome.key]} too; it stays with {outcome.kept!r}"
                self._outputs.append(refused(frame, "two_links", detail))
            else:
                detail = f"nothing led from {name} {own!r} to {names[0] if names else 'an item'} in time"
                routed = taken_up(engine, outcome.parcel)
                self._outputs.append(refused(routed.frame(0), "unlinked", detail))

    def _flush(self) -> list[bytes]:
        outputs, self._outputs = self._outputs, []
        return [b"".join(outputs)] if outputs else []
