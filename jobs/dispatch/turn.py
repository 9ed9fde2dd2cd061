"""Whose turn it is to send: of several dispatchers one sends and the others stand by. Pure: time is given.

Each says in the log of notifications that it begins, now and then that it lives, and that it ends. Whoever began last
sends. Since the log is read to its end before each send, no send of the one before starts any more from there on,
whatever the clocks say; they only tell when somebody is believed to be gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from jobs.dispatch.records import Presence

BEAT_MS = 10_000
"""How often the one whose turn it is says so."""

SILENCE_MS = 30_000
"""After so long without a word it is taken to be gone."""


@dataclass(slots=True)
class Turn:
    """What one dispatcher knows. `run` is its own name; `place` is where it runs, and `fresh` that it has just started.

    A place has one process: what started there anew takes the turn of the one before at once. It is no longer fresh
    when it has lost its turn, so that two in one place by mistake don't take it from each other for ever.
    """

    run: str
    place: str
    fresh: bool = True
    begun: bool = False
    lost: bool = False
    _who: Presence | None = None
    _heard: int = 0

    def hear(self, said: Presence, now: int) -> None:
        """Take the next word of a dispatcher, heard at `now`."""
        if said.what == "begins":
            self.lost = self.lost or (self.begun and said.run != self.run)
            self.begun = self.begun or said.run == self.run
        elif self._who is not None and said.run != self._who.run:
            return  # it doesn't know yet that somebody began after it
        self._who, self._heard = said, now

    def may_begin(self, now: int) -> bool:
        """Whether nobody else has the turn at `now`, as far as that is known."""
        if self._who is None or self._who.what == "ends":
            return True
        if self.fresh and self._who.place == self.place:
            return True
        return now - self._heard >= SILENCE_MS
