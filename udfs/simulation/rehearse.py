"""Plays scenarios and compares what is said with what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from udfs.core.effects import AT_RISK, PREDICTED, Effect, Finding
from udfs.core.measures import measured
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.durations import show_duration
from udfs.packs.load import Pack
from udfs.packs.problems import PackError, Problem, suggest
from udfs.packs.yamlfile import Document
from udfs.simulation.drive import Simulation
from udfs.simulation.scenario import Said, Scenario, check_names, find_scenarios, read_scenarios

Found = tuple[str, Finding]
"""An item's key and what was said of it."""


@dataclass
class Rehearsal:
    """A scenario that was played. `problems` is empty if all was said that was expected, and nothing else."""

    file: str
    scenario: str
    problems: list[Problem] = field(default_factory=list)


def rehearse(pack: Pack) -> Iterator[Rehearsal]:
    """Plays all scenarios of a pack, a file at a time."""
    specs = {spec.workflow: spec for spec in compiled(pack)}
    for file in find_scenarios(pack.folder):
        yield from _file(file, specs)


def compiled(pack: Pack) -> list[Spec]:
    """The workflows of a pack, as scenarios play them."""
    return [compile_workflow(one.data, version=one.version, lane="scenario") for one in pack.workflows]


def _file(file: Path, specs: dict[str, Spec]) -> Iterator[Rehearsal]:
    try:
        scenarios = read_scenarios(file)
    except PackError as fault:
        yield Rehearsal(str(file), "(can't be read)", fault.problems)
        return
    for document, scenario in scenarios:
        yield Rehearsal(str(file), scenario.scenario, list(_problems(document, scenario, specs)))


def _problems(document: Document, scenario: Scenario, specs: dict[str, Spec]) -> Iterator[Problem]:
    name = scenario.workflow or next(iter(specs))
    if scenario.workflow is None and len(specs) > 1:
        yield document.problem((), f"doesn't say which `workflow` it is about{suggest('', specs)}")
        return
    if name not in specs:
        yield document.problem(("workflow",), f"the pack has no workflow `{name}`{suggest(name, specs)}")
        return
    faults = list(check_names(document, scenario, specs[name]))
    yield from faults
    if not faults:
        for index, found in enumerate(play(scenario, specs[name])):
            yield from _compare(document, scenario, index, found)


def play(scenario: Scenario, spec: Spec) -> Iterator[list[Found]]:
    """For each moment what was said since the one before. What is said again under its id replaces what was said. That
    what was at risk is so no more is no finding of its own, and not said of one of an earlier moment."""
    said: dict[str, Found] = {}
    feared: set[str] = set()

    def emit(_: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding) and (effect.id in said or effect.id not in feared):
            said[effect.id] = (key, effect)
            if effect.kind in (AT_RISK, PREDICTED):
                feared.add(effect.id)

    spec = measured(spec, scenario.measures())
    simulation = Simulation([spec], emit)
    simulation.begin(scenario.begin)
    changes = sorted({at for one in scenario.blind for at in (scenario.ms(one.since) - 1, scenario.ms(one.until))})

    def advance(to: int) -> None:
        while changes and changes[0] <= to:
            at = changes.pop(0)
            simulation.advance(at)
            simulation.look(0, replace(spec, horizons=scenario.horizons(spec, at)))
        simulation.advance(to)

    copies = (scenario.copies(index, spec.key) for index in range(len(scenario.events)))
    arrivals = sorted(copies, key=lambda one: one[0])
    for moment in scenario.expect:
        now = scenario.ms(moment.at)
        while arrivals and arrivals[0][0] <= now:
            arrives, events = arrivals.pop(0)
            advance(arrives - 1)
            simulation.record(events)
        advance(now)
        yield list(said.values())
        said.clear()


def _compare(document: Document, scenario: Scenario, index: int, found: list[Found]) -> Iterator[Problem]:
    wanted = scenario.expect[index].findings
    matched = assign([[_fits(scenario, one, other) for other in found] for one in wanted])
    for number in sorted({*range(len(wanted))} - {*matched.values()}):
        instead = ", ".join(_shown(scenario, one) for one in found) or "nothing"
        yield document.problem(("expect", index, "findings", number), f"was not said; said was {instead}")
    for place, one in enumerate(found):
        if place not in matched:
            yield document.problem(("expect", index), f"{_shown(scenario, one)} was said, which was not expected")


def assign(fits: list[list[bool]]) -> dict[int, int]:
    """As many expectations as can be, each with something found that fits it: the place of what was found -> that of
    the expectation. `fits` has a row for each expectation."""
    matched: dict[int, int] = {}
    for number in range(len(fits)):
        _match(number, fits, matched, set())
    return matched


def _match(number: int, fits: list[list[bool]], matched: dict[int, int], tried: set[int]) -> bool:
    """Finds a finding for an expectation, by moving others to findings that fit them as well (augmenting paths)."""
    for place, fit in enumerate(fits[number]):
        if fit and place not in tried:
            tried.add(place)
            if place not in matched or _match(matched[place], fits, matched, tried):
                matched[place] = number
                return True
    return False


def _fits(scenario: Scenario, wanted: Said, found: Found) -> bool:
    key, finding = found
    pairs = (
        (wanted.kind, finding.kind),
        (wanted.rule, finding.rule),
        (wanted.key, key),
        (wanted.step, finding.step),
        (wanted.because, finding.because),
        (wanted.occurrence, finding.occurrence),
        (wanted.severity, finding.severity),
        (wanted.deadline and scenario.ms(wanted.deadline), finding.deadline),
        (wanted.happened and scenario.ms(wanted.happened), finding.at),
        (wanted.delta, finding.delta),
    )
    return all(want is None or want == is_ for want, is_ in pairs)


def _shown(scenario: Scenario, found: Found) -> str:
    """As one would write it into the file."""
    key, finding = found
    words = {"kind": finding.kind, "rule": finding.rule, "key": key, "step": finding.step}
    words["deadline"] = _when(scenario, finding.deadline)
    if finding.delta is not None:
        words["delta"] = "-" * (finding.delta < 0) + show_duration(abs(finding.delta))
    return "`{" + ", ".join(f"{name}: {value}" for name, value in words.items()) + "}`"


def _when(scenario: Scenario, instant: int) -> str:
    if instant >= scenario.begin:
        return show_duration(instant - scenario.begin)
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds")
