"""What is said of a deadline, as a finding. Instants are epoch ms."""

from __future__ import annotations

from udfs.core import children
from udfs.core.effects import Finding
from udfs.core.ids import finding_id
from udfs.core.spec import BEGINNING, FIRST, Deadline, Spec
from udfs.core.state import Item, Occurrence, Slot


def finding(
    spec: Spec, deadline: Deadline, item: Item, kind: str, instant: int, slot: Slot, reply: Occurrence | None
) -> Finding:
    occurrence = "0" if deadline.anchor == FIRST else str(slot.since)
    counted = bool(spec.tells) and spec.steps[deadline.expect].children is not None
    started_by = item.trace[0].step if deadline.after == BEGINNING else deadline.after
    return Finding(
        id=finding_id(spec.lane, spec.workflow, deadline.hash, deadline.id, kind, item.key, occurrence, instant),
        kind=kind,
        rule=deadline.id,
        rule_hash=deadline.hash,
        severity=deadline.severity,
        step=spec.steps[deadline.expect].name,
        because=spec.steps[started_by].name,
        occurrence=children.progress(spec, item, deadline.expect) if counted else occurrence,
        deadline=instant,
        at=reply.time if reply else None,
        delta=reply.time - instant if reply else None,
        since=slot.since,
        event_id=reply.id if reply else "",
        received=reply.received if reply else 0,
        runbook=deadline.runbook,
    )
