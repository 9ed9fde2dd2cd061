"""How far an item has come in its flow: what `udfs.core.flow` keeps of the occurrences that it has judged."""

from __future__ import annotations

from typing import Any

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
class Course:
    """The marking of an item's flow, as of the occurrence (`time`, `seq`), epoch ms, the last that was judged.

    `seen`, `chosen` and `excused` are bit masks of steps: those that happened in this round, the alternatives that were
    taken, and those that were told as unexpected. `last` is the bit of the step that was judged last. `end` is the end
    step that the item stands at (-1: none) and `ended` its event time. `counts` counts the steps that have a maximum.
    `found` holds the `seq` of what was told as unexpected last, `told` counts all of it.
    """

    __slots__ = ("chosen", "counts", "end", "ended", "excused", "found", "last", "seen", "seq", "time", "told")

    def __init__(self, time: int, seq: int) -> None:
        self.time = time
        self.seq = seq
        self.seen = 0
        self.chosen = 0
        self.excused = 0
        self.last = 0
        self.end = -1
        self.ended = 0
        self.counts: dict[int, int] = {}
        self.found: list[int] = []
        self.told = 0

    def begin(self) -> None:
        """A new round of the flow: the item had ended and starts again."""
        self.seen = 0
        self.chosen = 0
        self.excused = 0
        self.last = 0
        self.end = -1
        self.counts = {}

    def ahead(self) -> Course:
        """A copy to look ahead with."""
        copy = Course(self.time, self.seq)
        copy.seen = self.seen
        copy.chosen = self.chosen
        copy.excused = self.excused
        copy.last = self.last
        copy.end = self.end
        copy.ended = self.ended
        copy.counts = self.counts.copy()
        return copy

    def moved(self, places: list[int]) -> Course:
        """The same in another version of the workflow, where step n has the index places[n] (-1: none)."""
        moved = Course(self.time, self.seq)
        moved.ended, moved.found, moved.told = self.ended, self.found, self.told
        for step, place in enumerate(places):
            if place >= 0:
                moved.seen |= (self.seen >> step & 1) << place
                moved.chosen |= (self.chosen >> step & 1) << place
                moved.excused |= (self.excused >> step & 1) << place
                moved.last |= (self.last >> step & 1) << place
                if step in self.counts:
                    moved.counts[place] = self.counts[step]
                if step == self.end:
                    moved.end = place
        return moved

    def stored(self) -> tuple[Any, ...]:
        """For `encode` of udfs.core.codec; `restored` reads it."""
        marking = (self.seen, self.chosen, self.excused, self.last, self.end, self.ended)
        return (self.time, self.seq, *marking, self.counts, self.found, self.told)


def restored(fields: list[Any]) -> Course:
    """The course that `stored` wrote."""
    course = Course(fields[0], fields[1])
    course.seen, course.chosen, course.excused, course.last, course.end, course.ended = fields[2:8]
    course.counts, course.found, course.told = fields[8:11]
    return course
