"""Which version of a workflow an item is ruled by, and what becomes of open items when versions are put in force.

A version is in force from an instant on, by event time. An item begins under the newest one that is in force at its
first event, and stays with it, but for this:

- A version that *migrates* takes over the open items of all earlier ones, once time has come to its instant.
- A version that is not *enabled* holds from its instant to the next version's. Nothing begins meanwhile, events of that
  while belong to no item, and what was open is closed.
- A workflow that was *withdrawn* is closed whole. What is put afterwards begins anew: its items have places of their
  own in storage, so that no old one can be taken for a new one, however long it takes to clear them away.

All of it is a function of the versions, the times of the item's events, and the watermark. When an item happens to be
looked at makes no difference to what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from udfs.core.ids import SEPARATOR
from udfs.core.spec import Spec
from udfs.core.state import NEVER

NOT: int = -1
"""The place of what is in no topic."""


class Version(NamedTuple):
    """A version of a workflow: in force from `since` (epoch ms) on; `number` is for people, and orders versions of the
    same instant. `place` is the offset of its document in the rules topic, NOT if it came otherwise."""

    since: int
    number: int
    spec: Spec
    place: int


class Closing(NamedTuple):
    """Why an item is closed, and from which instant on (epoch ms)."""

    since: int
    reason: str


class Plan:
    """What the versions of one workflow do to items that are open.

    `versions` are in the order in which they come into force. `withdrawn` is the offset of the record that withdrew all
    earlier ones, NOT if none did. Storage keys of items that live begin with `prefix`.
    """

    def __init__(self, workflow: str, versions: Sequence[Version], withdrawn: int) -> None:
        self.workflow = workflow
        self.withdrawn = withdrawn
        self.prefix = (workflow if withdrawn == NOT else f"{workflow}@{withdrawn}") + SEPARATOR
        self._versions = list(versions)
        self._spells: list[tuple[int, int, int]] = []  # of being disabled: from, until, which version says so
        for n, one in enumerate(self._versions):
            until = self._versions[n + 1].since if n + 1 < len(self._versions) else NEVER
            if not one.spec.enabled and one.since < until:
                self._spells.append((one.since, until, one.number))
        self.intervenes = withdrawn != NOT or bool(self._spells) or any(one.spec.migrates for one in self._versions)

    def __reduce__(self) -> tuple[type[Plan], tuple[str, list[Version], int]]:
        """Sent to workers with the engine; a compiled class can't be unless it says how."""
        return Plan, (self.workflow, self._versions, self.withdrawn)

    def closes(self, began: int, now: int) -> Closing | None:
        """Why what began at `began`, or happened then, is no open item at `now`; None: nothing is against it. (An event
        may lie ahead of the watermark: then the versions of its own time count.)"""
        for since, until, number in self._spells:
            if since <= now and began < until:
                return Closing(since, f"disabled by version {number}")
        return None

    def moves(self, spec: Spec, began: int, ruled: int, now: int) -> Version | None:
        """The next version that has taken over by `now` what began at `began` and is under `spec`; None: it stays.
        `ruled` is the instant of the version that it has moved to, -1 if it has not.

        One that follows another key can't: which items would they be?
        """
        for one in self._versions[self._behind(spec.hash, began if ruled < 0 else ruled) :]:
            takes_over = one.since <= now and one.spec.migrates and one.spec.enabled
            if takes_over and one.spec.key == spec.key and one.spec.hash != spec.hash:
                return one
        return None

    def _behind(self, content_hash: str, at: int) -> int:
        """From where on versions are later than that of an item which was put under it at an instant. It may have been
        an earlier one than that of its time, which was not known yet; or one that nobody knows any more."""
        for n in range(len(self._versions) - 1, -1, -1):
            if self._versions[n].since <= at and self._versions[n].spec.hash == content_hash:
                return n + 1
        return 0

    def holds(self, content_hash: str) -> bool:
        """Whether it is the hash of one of these versions."""
        return any(one.spec.hash == content_hash for one in self._versions)

    def digest(self, now: int) -> str:
        """Another text whenever more has to be done to open items than before."""
        facts = [self.prefix]
        for one in self._versions:
            if one.since <= now and (one.spec.migrates or not one.spec.enabled):
                facts.append(f"{one.since} {one.number} {one.spec.hash} {one.spec.enabled} {one.spec.migrates}")
        return blake2b("\n".join(facts).encode(), digest_size=8).hexdigest()
