"""Correlation by several keys: what is known of one value of a secondary key (an alias), and who waits for it.

    learn(spec, alias, ...)   it met a key that stands before its own
    place(spec, alias, ...)   an event bears it, and no key that stands before it
    on_time(spec, alias, now) time has come to `now`: no event at or before it is expected any more
    next_look(spec, alias)    when `on_time` has something to do

A link leads from a key to one that stands before it in the workflow's list, so that following links comes to an end:
at the primary key, index 0. All instants are epoch ms, UTC. Nothing here has a clock or does I/O.

Where an event goes depends on the set of events, not on the order of their arrival within the allowed lateness. A link
counts from the event time of the earliest event that shows it. An event that happened before that goes on when the
watermark shows that no earlier one is to come, and bears that instant: it was not `known` sooner where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from mypy_extensions import mypyc_attr

from udfs.core.codec import UnknownFormat
from udfs.core.ids import SEPARATOR
from udfs.core.spec import Correlation
from udfs.core.state import NEVER

FORMAT: Final = 1
NOWHERE: Final = 0xFF
"""The index of the key that an alias without a link leads to. There are fewer keys."""


def scheme_of(keys: tuple[str, ...]) -> str:
    """8 hex digits that name a list of keys, in state and between processes."""
    return blake2b(SEPARATOR.join(keys).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def by_scheme(correlations: Iterable[Correlation]) -> dict[str, Correlation]:
    """Workflows with the same keys share their links: the longest spans hold for all of them."""
    found: dict[str, Correlation] = {}
    for one in correlations:
        scheme = scheme_of(one.keys)
        known = found.get(scheme, one)
        found[scheme] = Correlation(one.keys, max(one.hold, known.hold), max(one.remember, known.remember))
    return found


MOST_WAITING: Final = 1024
"""Events that one alias holds. More of them is a key that is none, and would hold up its bucket."""


class Forward(NamedTuple):
    """The event goes on to the key with this index and text; `known` is the latest instant on its way so far."""

    key: int
    text: str
    known: int
    parcel: Any


class Teach(NamedTuple):
    """Another alias, `text` of the key with index `key`, leads to `to_text` of the key `to`, since an instant."""

    key: int
    text: str
    to: int
    to_text: str
    since: int


class Contradiction(NamedTuple):
    """The alias has met two values of one key. It stays with the one of the earlier event, `kept`."""

    key: int
    kept: str


class Unlinked(NamedTuple):
    """The time is over in which the event could have been placed, or too many wait already."""

    parcel: Any


Outcome = Forward | Teach | Contradiction | Unlinked


@mypyc_attr(acyclic=True)
class Waiting:
    """An event at `time` that bears the alias. `parcel` is what the host needs of it."""

    __slots__ = ("known", "parcel", "time")

    def __init__(self, time: int, known: int, parcel: Any) -> None:
        self.time = time
        self.known = known
        self.parcel = parcel


@mypyc_attr(acyclic=True)
class Alias:
    """What is known of one value of a secondary key: the link that it has, the event time since when, the event time
    when it was last used, and the events that wait."""

    __slots__ = ("key", "since", "text", "used", "waiting")

    def __init__(self) -> None:
        self.key = NOWHERE
        self.text = ""
        self.since = 0
        self.used = -NEVER
        self.waiting: list[Waiting] = []

    def is_empty(self) -> bool:
        """Whether nothing is left to remember."""
        return self.key == NOWHERE and not self.waiting


def learn(spec: Correlation, alias: Alias, key: int, text: str, time: int, watermark: int) -> list[Outcome]:
    """An event at `time` shows the alias together with `text`, a value of the key with index `key`."""
    outcomes: list[Outcome] = []
    if alias.key == NOWHERE or time > alias.used + spec.remember:
        alias.key, alias.text, alias.since, alias.used = key, text, time, time
    elif key == alias.key and text != alias.text:
        if (time, text) < (alias.since, alias.text):
            alias.text, alias.since = text, time
        outcomes.append(Contradiction(key, alias.text))
    elif key == alias.key:
        alias.since = min(alias.since, time)
    elif key < alias.key:
        outcomes.append(Teach(alias.key, alias.text, key, text, max(time, alias.since)))
        alias.key, alias.text, alias.since = key, text, time
    else:
        outcomes.append(Teach(key, text, alias.key, alias.text, max(time, alias.since)))
    alias.used = max(alias.used, time)
    if alias.waiting:
        outcomes += _release(spec, alias, watermark)
    return outcomes


def place(spec: Correlation, alias: Alias, time: int, known: int, parcel: Any, watermark: int) -> list[Outcome]:
    """An event at `time` bears the alias and nothing that stands before it: it goes on, or waits."""
    if len(alias.waiting) >= MOST_WAITING:
        return [Unlinked(parcel)]
    alias.waiting.append(Waiting(time, known, parcel))
    return _release(spec, alias, watermark)


def on_time(spec: Correlation, alias: Alias, now: int) -> list[Outcome]:
    """Lets go on what waited for this instant, gives up what waited in vain, and forgets a link that is not used."""
    outcomes = _release(spec, alias, now)
    waiting: list[Waiting] = []
    for one in alias.waiting:
        if one.time + spec.hold <= now:
            outcomes.append(Unlinked(one.parcel))
        else:
            waiting.append(one)
    alias.waiting = waiting
    if alias.key != NOWHERE and alias.used + spec.remember <= now:
        alias.key, alias.text = NOWHERE, ""
    return outcomes


def next_look(spec: Correlation, alias: Alias) -> int:
    """The next instant at which `on_time` has something to do; NEVER if there is none."""
    look = NEVER
    if alias.key != NOWHERE:
        look = alias.used + spec.remember
    for one in alias.waiting:
        then = alias.since - 1 if _leads(spec, alias, one) else one.time + spec.hold
        look = min(look, then)
    return look


def _release(spec: Correlation, alias: Alias, watermark: int) -> list[Outcome]:
    """What can go on, the earliest first, since each that does keeps the link known for longer."""
    outcomes: list[Outcome] = []
    waiting: list[Waiting] = []
    alias.waiting.sort(key=_time_of)
    for one in alias.waiting:
        if not _leads(spec, alias, one) or alias.since > max(one.time, one.known, watermark + 1):
            waiting.append(one)
            continue
        outcomes.append(Forward(alias.key, alias.text, max(one.known, alias.since), one.parcel))
        alias.used = max(alias.used, one.time)
    alias.waiting = waiting
    return outcomes


def _leads(spec: Correlation, alias: Alias, one: Waiting) -> bool:
    """Whether the link is the event's: it was still known then, and came before the event had waited too long."""
    return alias.key != NOWHERE and one.time <= alias.used + spec.remember and alias.since <= one.time + spec.hold


def _time_of(one: Waiting) -> int:
    return one.time


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def encode(alias: Alias) -> bytes:
    """The stored form. Parcels must be made of what MessagePack knows."""
    waiting = [(one.time, one.known, one.parcel) for one in alias.waiting]
    return _encoder.encode((FORMAT, alias.key, alias.text, alias.since, alias.used, waiting))


def decode(stored: bytes) -> Alias:
    """What `encode` stored; tuples in parcels are lists now. Raises UnknownFormat for what a newer Daymark wrote."""
    fields: list[Any] = _decoder.decode(stored)
    if fields[0] != FORMAT:
        raise UnknownFormat(f"a link has format {fields[0]}, this Daymark reads up to {FORMAT}: use a newer Daymark")
    alias = Alias()
    alias.key, alias.text, alias.since, alias.used = fields[1:5]
    alias.waiting = [Waiting(*one) for one in fields[5]]
    return alias
