"""Which sources of a lane can be seen, as one bucket knows it from the pulse, and what follows for its rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from udfs.core.effects import BLIND
from udfs.core.ids import finding_id
from udfs.core.sight import Sight, hear, look
from udfs.core.source import Mapping
from udfs.core.spec import Spec, Step
from udfs.core.state import NEVER
from udfs.operators import rows
from udfs.operators.batch import element
from udfs.operators.buckets import bucket_of
from udfs.operators.engine import Engine
from udfs.operators.pulse import Pulse
from udfs.operators.rowtypes import FindingRow

STORED: Final = "sight"
"""What a bucket's index calls what is stored of a lookout."""

HELD: Final = 300_000
"""What waits for a source to be seen again is looked at each five minutes as well, for after a restart."""

RULE: Final = "heartbeat"
SEVERITY: Final = "high"


class Lookout:
    """The sources that have a heartbeat. `stored` is what `changed` returned last, None at the first start.

    `blind` tells whether one of them can't be seen now, `returned` whether the last pulse brought one back to sight.
    """

    def __init__(self, engine: Engine, stored: bytes | None) -> None:
        self._engine = engine
        self._sources = engine.watched
        known = orjson.loads(stored) if stored else {}
        self._sights = {mapping.name: Sight(*known.get(mapping.name, ())) for mapping, _ in self._sources}
        self._changed = False
        self._views: dict[str, tuple[Spec, Spec]] = {}
        self.blind = False
        self.returned = False
        self._count()

    def on_pulse(self, said: Pulse, now: int) -> list[bytes]:
        """Takes note of what a reader has heard. `now` is the lane's time, epoch ms. Returns the findings that this
        bucket is to tell: each source has one bucket that speaks for it."""
        outputs: list[bytes] = []
        self.returned = False
        differs = False
        for mapping, topics in self._sources:
            sight = self._sights[mapping.name]
            before = (sight.seen, sight.since, sight.back)
            for topic in topics:
                hear(sight, said.topics.get(topic, -NEVER))
            back = sight.back
            look(sight, mapping.heartbeat, mapping.grace, now)
            if before == (sight.seen, sight.since, sight.back):
                continue
            self._changed = True
            if before[1:] == (sight.since, sight.back):
                continue
            differs = True
            self.returned |= before[1] < NEVER and before[1] != sight.since
            if said.bucket != bucket_of(mapping.name, said.buckets):
                continue
            if before[2] == NEVER > back and before[1] != sight.since:  # its grace was over before anybody looked
                outputs.append(self._finding(mapping, before[1], back))
            if sight.is_blind:
                outputs.append(self._finding(mapping, sight.since, sight.back))
        if differs:
            self._count()
        return outputs

    def view(self, spec: Spec) -> Spec:
        """The rules of a workflow as they hold now, with the horizons of its steps."""
        known = self._views.get(spec.hash)
        if known is None or known[0] is not spec:
            known = self._views[spec.hash] = (spec, replace(spec, horizons=self._horizons(spec)))
        return known[1]

    def changed(self) -> bytes | None:
        """What has to be stored, None if nothing has changed since the last call."""
        if not self._changed:
            return None
        self._changed = False
        return orjson.dumps({name: [s.seen, s.since, s.back] for name, s in self._sights.items()})

    def _count(self) -> None:
        """What follows from the sights as they are now."""
        self.blind = False
        for sight in self._sights.values():
            self.blind |= sight.is_blind
        self._views = {}

    def _horizons(self, spec: Spec) -> tuple[int, ...]:
        """For each step the last instant up to which it is known; none where all is."""
        horizons = [self._horizon(spec, step) for step in spec.steps]
        return tuple(horizons) if min(horizons) < NEVER else ()

    def _horizon(self, spec: Spec, step: Step) -> int:
        horizon = NEVER
        for mapping, _ in self._sources:
            if feeds(mapping, spec, step) or (leads(mapping, spec) and self._is_led(spec, step)):
                horizon = min(horizon, self._sights[mapping.name].since - 1)
        return horizon if horizon < NEVER - 1 else NEVER

    def _is_led(self, spec: Spec, step: Step) -> bool:
        """Whether a step's events may come without the item's own key, so that links have to lead them to it."""
        if spec.correlation is None:
            return False
        aliases = spec.correlation.keys[1:]
        return [one for one in self._engine.mappings if feeds(one, spec, step) and _bears(one, aliases)] != []

    def _finding(self, mapping: Mapping, since: int, again: int) -> bytes:
        name, back = mapping.name, again if again < NEVER else None
        row = FindingRow(
            id=finding_id(self._engine.lane, "", "", RULE, BLIND, name, "", since),
            lane=self._engine.lane,
            workflow="",
            version=0,
            rule_hash="",
            rule=RULE,
            kind=BLIND,
            severity=SEVERITY,
            key=name,
            groups={},
            step="",
            because="",
            occurrence=",".join(self._fed(mapping)),
            deadline_ms=since,
            at_ms=back,
            delta_ms=None if back is None else back - since,
            since_ms=since - mapping.heartbeat,
            event_id="",
            received_ms=back or 0,
            runbook="",
        )
        return element("F", name, rows.line(row))

    def _fed(self, mapping: Mapping) -> list[str]:
        """The workflows for which the source sends something."""
        found: dict[str, bool] = {}
        for spec in self._engine.specs.values():
            for step in spec.steps:
                if feeds(mapping, spec, step):
                    found[spec.workflow] = True
        return sorted(found)


def feeds(mapping: Mapping, spec: Spec, step: Step) -> bool:
    """Whether a source sends the events of a step: what carries a key of the workflow's and has one of its types."""
    keys = spec.correlation.keys if spec.correlation is not None else (spec.key,)
    return _bears(mapping, keys) > 0 and (not mapping.types or step.on in mapping.types)


def leads(mapping: Mapping, spec: Spec) -> bool:
    """Whether a source may show by which of a workflow's several keys an item is found."""
    return spec.correlation is not None and _bears(mapping, spec.correlation.keys) > 1


def _bears(mapping: Mapping, keys: tuple[str, ...]) -> int:
    return len([name for name in keys if name in mapping.key_names])
