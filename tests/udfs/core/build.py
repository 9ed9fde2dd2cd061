"""Short ways to write specs and events in tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from udfs.core.clock import BusinessTime, ByTime
from udfs.core.effects import Effect, Finding, Transition
from udfs.core.event import Event
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.spec import BEGINNING, FIRST, LAST, Deadline, Spec, Step
from udfs.core.state import NEVER, Item


def event(step: str, time: int, id: str = "", source: str = "s", key: str = "K", **more: object) -> Event:
    """An event of type `step` at `time` ms; its id is made of both unless given."""
    return Event(id or f"{step}@{time}", source, step, time, key, **more)  # type: ignore[arg-type]


def workflow(
    steps: str,
    *,
    flow: Iterable[tuple[str, str]] = (),
    ends: Iterable[str] = (),
    starts: Iterable[str] = (),
    deadlines: Iterable[tuple[str, str, int, int | None, bool]] = (),
    order: str = "flag",
    tolerance: int = 0,
    duplicates: str = "flag",
    remember: int = 1000,
    expire_after: int = 10_000,
    not_before: Iterable[int] = (),
    overrides: Mapping[int, tuple[str, int]] | None = None,
    cancels: Mapping[int, str] | None = None,
    anchors: Mapping[int, str] | None = None,
    pauses: str = "",
    resumes: str = "",
    by: Mapping[int, ByTime] | None = None,
    business: Mapping[int, BusinessTime] | None = None,
) -> Spec:
    """A spec whose steps are the letters of `steps`; deadlines are (after, expect, within, warn, keep_after_end),
    where `after` may be "" for the item's beginning. `not_before` has a floor for each of them, or for none,
    `overrides` maps some to (market, within), `cancels` some to the steps that call them off, `anchors`, `by` and
    `business` some to another clock; at the steps `pauses` all clocks stop, at `resumes` they go on."""
    reach = {a: {b for x, b in flow if x == a} for a in steps}
    for _ in steps:
        for a in steps:
            reach[a] |= {c for b in reach[a] for c in reach[b]}
    index = {name: i for i, name in enumerate(steps)}

    def mask(names: Iterable[str]) -> int:
        return sum(1 << index[n] for n in names)

    revising = {*ends, *pauses, *resumes, *"".join((cancels or {}).values())}
    revising |= {a for i, (a, *_) in enumerate(deadlines) if anchors and anchors.get(i) == LAST}
    made = tuple(
        Step(
            index=i,
            name=name,
            on=name,
            start=name in starts,
            end="completed" if name in ends else "",
            revises=name in revising,
            before=mask(a for a in steps if name in reach[a] and a not in reach[name]),
            after=mask(b for b in reach[name] if name not in reach[b]),
        )
        for i, name in enumerate(steps)
    )
    floors = [*not_before]
    rules = tuple(
        Deadline(
            *(i, f"d{i}", index[a] if a else BEGINNING, index[b], within, warn),
            called_off_by=(0 if keep else mask(ends)) | mask(cancels.get(i, "") if cancels else ""),
            hash=f"h{i}",
            not_before=floors[i] if floors else 0,
            anchor=anchors.get(i, FIRST) if anchors and a else FIRST,
            by=by.get(i) if by else None,
            business=business.get(i) if business else None,
        )
        for i, (a, b, within, warn, keep) in enumerate(deadlines)
    )
    other = overrides or {}
    rules = tuple(
        replace(one, variants=(((("market", (other[n][0],)),), replace(one, within=other[n][1], warn=None, form=1)),))
        if n in other
        else one
        for n, one in enumerate(rules)
    )
    return Spec(
        lane="main",
        workflow="w",
        version=1,
        hash="hash",
        key="id",
        groups=("market",),
        steps=made,
        deadlines=rules,
        by_type={s.on: (s,) for s in made},
        starts=tuple(tuple(d for d in rules if d.after == s.index) for s in made),
        expects=tuple(tuple(d for d in rules if d.expect == s.index) for s in made),
        order_policy=order,
        order_tolerance=tolerance,
        duplicate_policy=duplicates,
        varies=bool(other),
        pauses=mask(pauses),
        resumes=mask(resumes),
        begins=tuple(d for d in rules if d.after == BEGINNING),
        plain=not (pauses or by or business or any(d.anchor != FIRST or d.after == BEGINNING for d in rules)),
        remember=remember,
        expire_after=expire_after,
    )


class Follower:
    """One item, followed through events and the passing of time; remembers what was last said under each identity."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.item: Item | None = None
        self.watermark = -NEVER
        self.said: list[Finding] = []
        self.moves: dict[str, Transition] = {}

    def see(self, *events: Event) -> Follower:
        """The events arrive, in this order, while time stands still."""
        for e in events:
            self.item, effects = on_event(self.spec, self.item, e, self.watermark)
            self._note(effects)
        return self

    def time(self, watermark: int) -> Follower:
        """Time moves on to `watermark`."""
        self.watermark = watermark
        while self.item is not None and (next_deadline(self.item) or 0) <= watermark:
            self.item, effects = on_time(self.spec, self.item, watermark)
            self._note(effects)
        return self

    def kinds(self) -> list[str]:
        """What was found, in the order in which it was said."""
        return [f.kind for f in self.said]

    def _note(self, effects: list[Effect]) -> None:
        for e in effects:
            if isinstance(e, Finding):
                self.said.append(e)
            else:
                self.moves[e.event_id] = e
