"""Each pack's made-up traffic: what its faults must lead to is exactly what the core finds in it, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from jobs.traffic.item import Emission, Truth
from jobs.traffic.play import business_of
from jobs.traffic.stream import Run, Stream, happenings
from udfs.core.effects import Effect, Finding
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.packs.compile import compile_workflow
from udfs.packs.load import Pack, find_packs, load_pack
from udfs.packs.values import Unreadable
from udfs.simulation.drive import Simulation

RULES = Path(__file__).parents[2] / "rules"
PACKS = [folder.name for folder in find_packs(RULES)]
ORIGIN = 1_780_000_000_000
HOUR = 3_600_000
LATENESS = 2000
TICK = 10_000
BY_THE_JOB = ("dead_letter", "invalid")
"""What is found before the core hears of an event."""

Found = Counter[tuple[str, str, str]]
"""How often (kind, rule, key) is found."""


@cache
def pack_of(name: str) -> Pack:
    return load_pack(RULES / name)


@cache
def things(name: str) -> tuple[Emission | Truth, ...]:
    """All that happens in a run as long as a first one's past, to the end of its last story."""
    business = business_of(name)
    run = Run("a", 11, ORIGIN, until=ORIGIN + int(business.hours * HOUR))
    stream = Stream(business, [run], ORIGIN - 1)
    return tuple(stream.until((run.until or 0) + business.longest))


def seeded(name: str) -> Found:
    return Counter((t.kind, t.rule, t.key) for t in things(name) if isinstance(t, Truth) and t.kind not in BY_THE_JOB)


def unreadable(name: str) -> Counter[str]:
    return Counter(t.rule for t in things(name) if isinstance(t, Truth) and t.kind == "dead_letter")


def keyed(pack: Pack, value: bytes, number: int) -> list[tuple[str, object]]:
    """The record as an event for each of its correlation keys, as the batcher makes copies. Raises Unreadable."""
    mapping = pack.mapping
    assert mapping is not None
    record = mapping.parse(value)
    found: list[tuple[str, object]] = []
    faults: list[Unreadable] = []
    for name in mapping.key_names:
        try:
            found.append((name, mapping.event(record, name, str(number), 0)))
        except Unreadable as fault:
            faults.append(fault)
    if not found:
        raise next((fault for fault in faults if fault.reason != "no_key"), faults[0])
    return found


@cache
def played(name: str) -> tuple[Found, Counter[str], frozenset[tuple[str, str]]]:
    """What the core finds, the reasons of dead letters, and the steps of each workflow that were passed."""
    pack = pack_of(name)
    found: dict[str, tuple[str, str, str]] = {}
    dead: Counter[str] = Counter()
    passed: set[tuple[str, str]] = set()

    business = business_of(name)
    last_due = ORIGIN + int(business.hours * HOUR) + business.lead

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            if effect.deadline > last_due and effect.rule in {one.id for one in spec.schedules}:
                return  # behind the end of the run, from where on nobody sends anything
            found[effect.id] = (effect.kind, effect.rule, key)
        else:
            passed.add((spec.workflow, effect.step))

    specs = [compile_workflow(one.data, version=one.version, lane="demo") for one in pack.workflows]
    simulation = Simulation(specs, emit)
    simulation.begin(ORIGIN)
    tick = ORIGIN
    for number, thing in enumerate(things(name)):
        if isinstance(thing, Truth):
            continue
        if thing.at > tick:
            tick = thing.at - (thing.at - ORIGIN) % TICK
            simulation.advance(tick - LATENESS - 1)
            tick += TICK
        try:
            for key_name, event in keyed(pack, thing.value, number):
                simulation.event(event, key_name)  # type: ignore[arg-type]
        except Unreadable as fault:
            dead[fault.reason] += 1
    simulation.advance(NEVER)
    return Counter(found.values()), dead, frozenset(passed)


@pytest.mark.parametrize("name", PACKS)
def test_what_is_seeded_is_exactly_what_is_found(name: str) -> None:
    found, dead, _ = played(name)
    assert not seeded(name) - found, "seeded, and not found"
    assert not found - seeded(name), "found, and not seeded"
    assert dead == unreadable(name)


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_of_the_pack_is_broken_and_every_step_passed(name: str) -> None:
    specs = [compile_workflow(one.data, version=one.version, lane="demo") for one in pack_of(name).workflows]
    broken = {rule for kind, rule, _ in seeded(name) if kind == "missing"}
    assert broken == {rule.id for spec in specs for rule in (*spec.deadlines, *spec.schedules)}
    _, _, passed = played(name)
    assert passed == {(spec.workflow, step.name) for spec in specs for step in spec.steps}


@pytest.mark.parametrize("name", PACKS)
def test_it_has_every_kind_of_fault_that_the_pack_can_find(name: str) -> None:
    kinds = {kind for kind, _, _ in seeded(name)}
    data = [workflow.data for workflow in pack_of(name).workflows]
    limits = [one for workflow in data for one in workflow.get("deadlines", [])]
    limits += [one for workflow in data for one in workflow.get("schedules", [])]
    early = {"early"} if any("not_before" in one for one in limits) else set()
    warned = {"at_risk"} if any("warn" in one for one in limits) else set()
    judged = any(compile_workflow(one, version=1, lane="demo").flow for one in data)
    unexpected = {"unexpected"} if judged else set()
    assert kinds == {"missing", "late", "reported_late", "duplicate", "out_of_order"} | early | warned | unexpected
    assert unreadable(name)


@pytest.mark.parametrize("name", PACKS)
def test_most_items_are_all_right(name: str) -> None:
    keys = {json.loads(t.value)["subject"] for t in things(name) if isinstance(t, Emission) and t.key}
    with_findings = {key for _, _, key in seeded(name)}
    assert 0.01 < len(with_findings) / len(keys) < 0.35


@pytest.mark.parametrize("name", PACKS)
def test_a_first_run_has_enough_to_look_at_and_not_too_much_for_a_minute(name: str) -> None:
    end = ORIGIN + int(business_of(name).hours * HOUR)
    emitted = [t for t in things(name) if isinstance(t, Emission) and t.at <= end]
    assert 2_000 < len(emitted) < 60_000
    assert [e.at for e in emitted] == sorted(e.at for e in emitted)


@pytest.mark.parametrize("name", PACKS)
def test_no_story_is_longer_than_it_says(name: str) -> None:
    business = business_of(name)
    minutes = range(ORIGIN // 60_000, ORIGIN // 60_000 + 600)
    for minute in minutes:
        ends = [thing.at for thing in happenings(business, Run("a", 3, 0), minute)]
        assert all(at < minute * 60_000 + business.longest for at in ends)


@pytest.mark.parametrize("name", PACKS)
def test_no_other_packs_mapping_takes_its_records_for_its_own(name: str) -> None:
    """So that all packs can be run in one lane, whose topic they share."""
    others = [pack_of(one) for one in PACKS if one != name]
    for thing in things(name)[:5000]:
        if isinstance(thing, Emission) and thing.key:
            for other in others:
                with pytest.raises(Unreadable, match="no `"):
                    keyed(other, thing.value, 0)
