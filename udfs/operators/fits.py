"""Whether a job can run a rule: asked when the job starts, and of each rule that comes while it runs.

Not compiled: it is sent to the workers with the engine, and asked once for each rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udfs.core.spec import Spec


@dataclass(frozen=True)
class Fits:
    """`lateness` and `pulse` are the job's, in ms; `hashed` are its mappings with the keys that they hash."""

    lane: str
    lateness: int
    pulse: int
    hashed: Sequence[tuple[str, Sequence[str]]] = ()

    def __call__(self, spec: Spec) -> None:
        """Raises ValueError for a rule that the job can't run."""
        self._check_spans(spec)
        if spec.schedules and not self.pulse:
            text = f"workflow {spec.workflow} has schedules, which nothing begins where `pulse_ms` is 0"
            raise ValueError(f"{text}; leave that out")
        if spec.correlation is not None:
            self._check_keys(spec.correlation.keys)

    def _check_spans(self, spec: Spec) -> None:
        """An item must be known for longer than its events may be late: else one that is in time would find it
        forgotten."""
        for word, span in (("remember", spec.remember), ("expire_after", spec.expire_after)):
            if span <= self.lateness:
                raise ValueError(
                    f"workflow {spec.workflow}: `{word}` is {span} ms, but events of lane {self.lane} may be "
                    f"{self.lateness} ms late; make it longer, or the lateness shorter"
                )

    def _check_keys(self, keys: Sequence[str]) -> None:
        """The items of a key that is hashed would lie where the text itself does, and what follows links knows the hash
        only."""
        for mapping, hashed in self.hashed:
            for name in keys:
                if name in hashed:
                    text = f"mapping {mapping}: `{name}` is hashed, but a workflow has it among several keys"
                    raise ValueError(f"{text}; leave it out of `pii`, or give the workflow one key")
