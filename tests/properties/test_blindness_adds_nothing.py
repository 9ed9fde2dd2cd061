"""A source that is blind for a while, and reports on return, leads to what is found when it always reports at once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.core.build import event, workflow
from udfs.core.codec import decode, encode
from udfs.core.effects import Finding
from udfs.core.event import Event
from udfs.core.machine import on_event, on_time
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item

GRACE = 3
BLIND = "CD"


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Clocks that A and B start, and C, D and E stop; the source of C and D is blind for a while. E may be an end. (A
    clock that a blind step starts or calls off is another matter, and so is what came before what.)"""
    drawn = draw(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("CDE"), st.integers(1, 40)), min_size=1))
    deadlines = [
        (a, b, n, draw(st.one_of(st.none(), st.integers(0, n - 1))), draw(st.booleans())) for a, b, n in drawn[:4]
    ]
    return workflow(
        "ABCDE",
        deadlines=deadlines,
        not_before=[draw(st.integers(0, n - 1)) for _, _, n, _, _ in deadlines] if draw(st.booleans()) else [],
        ends=draw(st.sampled_from(["", "E"])),
        order="ignore",
        duplicates="drop",
        remember=10_000,
        expire_after=10_000,
    )


moments = st.lists(
    st.tuples(st.sampled_from("AABCDDE"), st.integers(0, 80)),
    min_size=2,
    max_size=14,
    unique_by=lambda moment: moment[1],
)


class Run:
    """One item, followed while some steps are blind from `since` until `until`."""

    def __init__(self, spec: Spec, blind: str, since: int, until: int) -> None:
        horizons = tuple(since - 1 if step.name in blind else NEVER for step in spec.steps)
        self.phases = [(since - 1, replace(spec, horizons=horizons)), (until, spec)]
        self.spec = spec
        self.item: Item | None = None
        self.watermark = -NEVER
        self.said: dict[str, tuple[object, ...]] = {}

    def move(self, to: int) -> None:
        """Time moves on to `to`, and stops where what can be seen changes."""
        while self.phases and self.phases[0][0] <= to:
            at, spec = self.phases.pop(0)
            self._settle(at)
            self.spec = spec
        self._settle(to)

    def see(self, arriving: Event) -> None:
        self.item, effects = on_event(self.spec, self.item, arriving, self.watermark)
        self.said |= {e.id: tuple(e) for e in effects if isinstance(e, Finding)}

    def _settle(self, now: int) -> None:
        self.watermark = now
        if self.item is not None:
            self.item, effects = on_time(self.spec, decode(encode(self.item)), now)
            self.said |= {e.id: tuple(e) for e in effects if isinstance(e, Finding)}


def found(run: Run, arrivals: list[tuple[int, Event]]) -> dict[str, tuple[object, ...]]:
    for at, arriving in sorted(arrivals, key=lambda one: (one[0], one[1].time)):
        run.move(at - 1)
        run.see(arriving)
    run.move(NEVER)
    return run.said


@settings(max_examples=examples(600), deadline=None)
@given(specs(), moments, st.integers(0, 80), st.integers(1, 80))
def test_what_is_found_after_a_blind_time_is_what_would_have_been_found(
    spec: Spec, happened: list[tuple[str, int]], since: int, length: int
) -> None:
    back = since + length
    stream = [event(step, time, id=f"{n}") for n, (step, time) in enumerate(happened)]
    at_once = [(e.time, e) for e in stream]
    held_back = [(back if e.type in BLIND and since <= e.time < back else e.time, e) for e in stream]
    always = found(Run(spec, "", since, back + GRACE), at_once)
    assert found(Run(spec, BLIND, since, back + GRACE), held_back) == always
