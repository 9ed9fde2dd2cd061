"""From the deadlines of a workflow to those that the core reads: one for each limit, each in all its forms."""

from __future__ import annotations

from dataclasses import replace

from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime, ByTime
from udfs.core.spec import BEGINNING, Deadline
from udfs.core.zone import Zone
from udfs.packs import deadlinemodel as language
from udfs.packs.calendars import EVERY_DAY, compile_calendar
from udfs.packs.check import overridden
from udfs.packs.durations import parse_part
from udfs.packs.meaning import cancelled_by, content_hash, deadline_meaning, form_meaning, warning_of, zone_of
from udfs.packs.model import Workflow
from udfs.packs.values import group_text
from udfs.packs.zones import compile_zone


def compile_deadlines(workflow: Workflow) -> tuple[Deadline, ...]:
    """Those of the workflow, then their further tiers."""
    limits = [(rule, 0) for rule in workflow.deadlines]
    limits += [(rule, tier) for rule in workflow.deadlines for tier in range(1, len(rule.tiers) + 1)]
    return tuple(
        replace(
            _limit(workflow, rule, tier, None, index),
            variants=tuple(
                (_conditions(one), replace(_limit(workflow, rule, tier, one, index), form=form))
                for form, one in enumerate(rule.overrides, 1)
            ),
        )
        for index, (rule, tier) in enumerate(limits)
    )


def _limit(
    workflow: Workflow, rule: language.Deadline, tier: int, override: language.Override | None, index: int
) -> Deadline:
    """One limit of a deadline, as it holds for the groups of an override, or for all others."""
    place = {name: index for index, name in enumerate(workflow.steps)}
    form = overridden(rule, override)
    further = rule.tiers[tier - 1] if tier else None
    meaning = deadline_meaning(workflow, rule)
    special = [form_meaning(one) for one in (further, override) if one is not None]
    return Deadline(
        index=index,
        id=rule.id,
        after=BEGINNING if rule.after is None else place[rule.after],
        expect=place[rule.expect],
        within=_within(form, further),
        warn=warning_of(form) if further is None else None,
        severity=form.severity if further is None else further.severity,
        runbook=rule.runbook if further is None else further.runbook or rule.runbook,
        called_off_by=sum(1 << place[name] for name in _called_off_by(workflow, rule)),
        hash=content_hash([meaning, *special] if special else meaning),
        not_before=form.not_before if further is None else 0,
        tier=tier,
        anchor=rule.anchor,
        by=_by(workflow, form, further),
        business=_business(workflow, form),
    )


def _called_off_by(workflow: Workflow, rule: language.Deadline) -> set[str]:
    """The steps that call a deadline off: those that cancel it, and ends, unless it outlives them."""
    ends = {name for name, step in workflow.steps.items() if step.end and not rule.keep_after_end}
    return ends.union(cancelled_by(workflow, rule))


def _conditions(override: language.Override) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(map(group_text, values))) for name, values in override.when.items())


def _within(form: language.Deadline, tier: language.Tier | None) -> int:
    span = form.within or 0
    return span if tier is None or tier.within is None else parse_part(tier.within, span)


def _by(workflow: Workflow, form: language.Deadline, tier: language.Tier | None) -> ByTime | None:
    if form.by is None:
        return None
    at = form.by if tier is None or tier.by is None else tier.by
    cut_off = form.cut_off if form.cut_off is not None else form.by
    zone, calendar = _zone_and_calendar(workflow, form)
    return ByTime(zone, calendar, at, form.days, cut_off)


def _business(workflow: Workflow, form: language.Deadline) -> BusinessTime | None:
    """A span counts business time where a calendar is named."""
    if form.by is not None or form.calendar is None:
        return None
    return BusinessTime(*_zone_and_calendar(workflow, form))


def _zone_and_calendar(workflow: Workflow, form: language.Deadline) -> tuple[Zone, Calendar]:
    calendar = compile_calendar(workflow.calendars, form.calendar or EVERY_DAY)
    return compile_zone(zone_of(workflow, form)), calendar
