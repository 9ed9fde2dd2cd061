"""What a workflow and its parts mean, without what only people read: two that mean the same have the same hash.

The hash is the identity of a rule, so words that older Daymarks didn't know are left out where they say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from udfs.packs import model as language
from udfs.packs.allowed import policy_of
from udfs.packs.calendars import meaning as calendar_meaning
from udfs.packs.calendars import zone_name
from udfs.packs.check import overridden
from udfs.packs.deadlinemodel import Deadline, Override, Tier
from udfs.packs.durations import parse_part
from udfs.packs.flow import ONE_OF, edges, groups, joins
from udfs.packs.outline import ALL
from udfs.packs.paths import parse_path
from udfs.packs.schedules import schedule_meaning
from udfs.packs.stalled import stalled_meaning

NEWER = ("not_before", "by", "days", "cut_off", "zone", "calendar", "anchor")
"""Words that older Daymarks didn't know: a deadline that doesn't use them means what it meant, and keeps its hash."""


def content_hash(content: Any) -> str:
    """16 hex digits over the canonical JSON of plain data."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def workflow_meaning(workflow: language.Workflow) -> dict[str, Any]:
    """What the workflow does, without what only people read: two workflows with the same meaning have the same hash.

    Steps and deadlines are lists, since an item's state names them by index. `enabled` and `migrate` say how a version
    is put in force, not what it means: what is disabled and enabled again is the same.
    """
    return (
        {
            "workflow": workflow.workflow,
            "key": workflow.key,
            "groups": workflow.groups,
            "steps": [
                [*step_meaning(workflow, name), step.start, step.end, *_limits(step)]
                for name, step in workflow.steps.items()
            ],
            "flow": edges(workflow.flow),
            "deadlines": [deadline_meaning(workflow, rule) | _forms(rule) for rule in workflow.deadlines],
            "order": workflow.order.model_dump(exclude=set() if workflow.order.edges else {"edges"}),
            "duplicates": workflow.duplicates.model_dump(exclude=_unsaid(workflow.duplicates)),
            "remember": workflow.remember,
            "expire_after": workflow.expire_after,
            **({"pause": workflow.pause.model_dump()} if workflow.pause else {}),
        }
        | _allowed(workflow)
        | _schedules_meaning(workflow)
        | _correlate_meaning(workflow)
        | stalled_meaning(workflow)
    )


def _allowed(workflow: language.Workflow) -> dict[str, Any]:
    """What the flow says beyond plain chains; nothing where it is not judged, as before."""
    if policy_of(workflow) == "ignore":
        counted = [name for name, step in workflow.steps.items() if step.children]
        told = workflow.unexpected.policy != "ignore"  # of children too many
        return {"surplus": [told, workflow.unexpected.severity]} if counted else {}
    judged = {"policy": policy_of(workflow), "severity": workflow.unexpected.severity}
    return {"unexpected": judged, "alternatives": groups(workflow.flow, ONE_OF), "joins": joins(workflow.flow)}


def _unsaid(copies: language.Duplicates) -> set[str]:
    """The words on copies that older Daymarks didn't know, where they say nothing."""
    return {name for name, says in (("window", copies.window), ("content", copies.by == "content")) if not says}


def _limits(step: language.Step) -> list[Any]:
    """What a step says of how often it happens; nothing where it says nothing, as before."""
    said = {"optional": step.optional, "max": step.max} if step.optional or step.max else {}
    waits_for = {"children": step.children.model_dump()} if step.children else {}
    return [said | waits_for] if said or waits_for else []


def _schedules_meaning(workflow: language.Workflow) -> dict[str, Any]:
    """Nothing where there are none: then the workflow keeps its hash."""
    said = [schedule_meaning(one, workflow.calendars, workflow.zone) | {"key": one.key} for one in workflow.schedules]
    return {"schedules": said} if said else {}


def _correlate_meaning(workflow: language.Workflow) -> dict[str, Any]:
    """Nothing where there is one key: then the workflow keeps its hash."""
    if len(workflow.keys) == 1:
        return {}
    said = workflow.correlate or language.Correlate()
    return {"correlate": [said.hold, link_memory(workflow)]}


def step_meaning(workflow: language.Workflow, name: str) -> list[Any]:
    step = workflow.steps[name]
    return [name, step.on, sorted([[*parse_path(path)], values] for path, values in step.where.items())]


def deadline_meaning(workflow: language.Workflow, rule: Deadline) -> dict[str, Any]:
    """The deadline, resolved to what its steps are: it stays the same rule when other parts of the workflow change."""
    unsaid = {name for name in NEWER if getattr(rule, name) == Deadline.model_fields[name].default}
    meaning = {
        **rule.model_dump(exclude={"runbook", "tiers", "overrides", *unsaid}),
        **_time_meaning(workflow, rule),
        "warn": warning_of(rule),
        "after": None if rule.after is None else step_meaning(workflow, rule.after),
        "expect": step_meaning(workflow, rule.expect),
    }
    cancelling = [step_meaning(workflow, name) for name in cancelled_by(workflow, rule)]
    return meaning | ({"cancelled_by": cancelling} if cancelling else {})


def _time_meaning(workflow: language.Workflow, rule: Deadline) -> dict[str, Any]:
    """The zone and the calendar of a deadline that goes by them, in words: the days that a calendar comes to may be
    corrected without the rule's becoming another."""
    named = {name for name in (rule.calendar, *(one.calendar for one in rule.overrides)) if name is not None}
    if rule.by is None and not named:
        return {}
    calendars = {name: calendar_meaning(workflow.calendars, name) for name in sorted(named)}
    zone = zone_of(workflow, rule)
    others = [zone_of(workflow, overridden(rule, one)) for one in rule.overrides]
    return {
        "zone": zone,
        **({"calendars": calendars} if calendars else {}),
        **({"zones": others} if any(other != zone for other in others) else {}),
    }


def _forms(rule: Deadline) -> dict[str, Any]:
    """What a deadline says of further limits and of groups; nothing where it says nothing, as before."""
    forms: dict[str, Sequence[Tier | Override]] = {"tiers": rule.tiers, "overrides": rule.overrides}
    return {name: [form_meaning(one) for one in said] for name, said in forms.items() if said}


def form_meaning(form: Tier | Override) -> dict[str, Any]:
    unsaid = {name for name in NEWER if getattr(form, name, None) is None}
    return form.model_dump(exclude={"runbook", *unsaid})


def link_memory(workflow: language.Workflow) -> int:
    """How long a link is known after its last use, in ms: unless the workflow says so, as long as an item may be."""
    said = workflow.correlate or language.Correlate()
    return max(workflow.remember, workflow.expire_after) if said.remember is None else said.remember


def cancelled_by(workflow: language.Workflow, rule: Deadline) -> list[str]:
    wanted = {rule.id, ALL}
    return [name for name, step in workflow.steps.items() if wanted & {*step.cancels}]


def warning_of(rule: Deadline) -> int | None:
    return None if rule.warn is None else parse_part(rule.warn, rule.within or 0)


def zone_of(workflow: language.Workflow, form: Deadline) -> str:
    """The deadline's own zone, or that of its calendar, or the workflow's."""
    named = zone_name(workflow.calendars, form.calendar) if form.calendar else None
    return form.zone or named or workflow.zone
