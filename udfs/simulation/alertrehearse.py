"""Plays scenarios of alerting at the very desk that runs in Flink, with a virtual clock, and compares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from udfs.alerting.desk import Desk
from udfs.alerting.effects import AlertChanged, Applied, Effect, Notify
from udfs.alerting.graph import Graph
from udfs.alerting.policy import Policy
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertfile import load_alerting
from udfs.packs.durations import show_duration
from udfs.packs.problems import PackError, Problem
from udfs.packs.yamlfile import Document
from udfs.simulation.alertscenario import AlertScenario, Standing, Told, read_alert_scenarios
from udfs.simulation.rehearse import Rehearsal, assign
from udfs.simulation.scenario import find_scenarios

Row = dict[str, Any]


def rehearse_alerting(file: Path, graph: Graph) -> Iterator[Rehearsal]:
    """Plays all scenarios beside an alerting file. Raises PackError, if that can't be used."""
    policy = compile_policy(load_alerting(file)[0])
    for one in find_scenarios(file.parent):
        try:
            scenarios = read_alert_scenarios(one)
        except PackError as fault:
            yield Rehearsal(str(one), "(can't be read)", fault.problems)
            continue
        for document, scenario in scenarios:
            yield Rehearsal(str(one), scenario.scenario, list(rehearse(document, scenario, policy, graph)))


def rehearse(document: Document, scenario: AlertScenario, policy: Policy, graph: Graph) -> Iterator[Problem]:
    """Plays one scenario, and says what went otherwise."""
    stage = _Stage(document, scenario, Desk(policy, graph))
    for index in range(len(scenario.expect)):
        yield from stage.play_to(index)
        yield from _told(document, scenario, index, stage.told)
        yield from _standing(document, index, scenario.expect[index].alerts, stage.alerts.values())
        stage.told = []


class _Stage:
    """A desk, its clock, and what came over it."""

    def __init__(self, document: Document, scenario: AlertScenario, desk: Desk) -> None:
        self.document = document
        self.scenario = scenario
        self.desk = desk
        self.told: list[Row] = []
        self.alerts: dict[str, Row] = {}
        self.acted: dict[str, int] = {}  # what was done and has had no answer yet
        self.answers: dict[str, Row] = {}
        happenings = [(scenario.ms(one.at), 0, index) for index, one in enumerate(scenario.findings)]
        happenings += [(scenario.ms(one.at), 1, index) for index, one in enumerate(scenario.actions)]
        self.coming = sorted(happenings)
        self.take(desk.on_time(scenario.begin))

    def play_to(self, index: int) -> Iterator[Problem]:
        """Everything up to and including a moment. What happens at an instant is known before time has come there."""
        moment = self.scenario.ms(self.scenario.expect[index].at)
        while self.coming and self.coming[0][0] <= moment:
            at, kind, which = self.coming.pop(0)
            self.advance(at - 1)
            if kind == 0:
                self.take(self.desk.on_finding(self.scenario.finding(which), at))
            else:
                yield from self.act(which, at)
        self.advance(moment)
        yield from self.judge()

    def act(self, index: int, at: int) -> Iterator[Problem]:
        """An action. Its answer may be waited for until time goes on."""
        said = self.scenario.actions[index]
        meant = [id for id, row in self.alerts.items() if said.fits(row)]
        if not meant:
            yield self.document.problem(("actions", index), "there is no such alert by then")
            return
        action = self.scenario.action(index, meant)
        self.acted[action["id"]] = index
        self.take(self.desk.on_action(action, at))

    def judge(self) -> Iterator[Problem]:
        """Whether the answers to what was done are those expected."""
        for id, index in self.acted.items():
            answer = self.answers[id]
            if (answer["outcome"] == "refused") is not self.scenario.actions[index].refused:
                text = f"was {answer['outcome']}{': ' * bool(answer['detail'])}{answer['detail']}"
                yield self.document.problem(("actions", index), text)
        self.acted = {}

    def advance(self, to: int) -> None:
        """Time goes from timer to timer, as it would by ticks."""
        while (due := self.desk.next_time()) is not None and due <= to:
            self.take(self.desk.on_time(due))
        self.take(self.desk.on_time(to))

    def take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Notify):
                self.told.append(effect.row)
            elif isinstance(effect, AlertChanged):
                self.alerts[effect.row["id"]] = effect.row
            elif isinstance(effect, Applied):
                self.answers[effect.row["action"]] = effect.row


def _told(document: Document, scenario: AlertScenario, index: int, found: list[Row]) -> Iterator[Problem]:
    wanted = scenario.expect[index].told
    matched = assign([[_fits(one, row) for row in found] for one in wanted])
    for number in sorted({*range(len(wanted))} - {*matched.values()}):
        instead = ", ".join(_shown(scenario, row) for row in found) or "nobody"
        yield document.problem(("expect", index, "told", number), f"was not told; told was {instead}")
    for place, row in enumerate(found):
        if place not in matched:
            yield document.problem(("expect", index), f"{_shown(scenario, row)} was told, which was not expected")


def _fits(wanted: Told, row: Row) -> bool:
    pairs = (
        (wanted.person, row["person"]),
        (wanted.by, row["channel"]),
        (wanted.reason, row["reason"]),
        (wanted.count, row["count"]),
        (wanted.hidden, row["hidden"]),
        (None if wanted.keys is None else sorted(wanted.keys), sorted(one["key"] for one in row["alerts"])),
    )
    return all(want is None or want == is_ for want, is_ in pairs)


def _shown(scenario: AlertScenario, row: Row) -> str:
    """As one would write it into the file."""
    words = {"person": row["person"], "by": row["channel"], "reason": row["reason"], "count": row["count"]}
    at = show_duration(row["at_ms"] - scenario.begin)
    return "`{" + ", ".join(f"{name}: {value}" for name, value in words.items()) + "}` at " + at


def _standing(document: Document, index: int, wanted: list[Standing], rows: Iterable[Row]) -> Iterator[Problem]:
    rows = list(rows)
    for number, one in enumerate(wanted):
        meant = [row for row in rows if one.fits(row)]
        loc = ("expect", index, "alerts", number)
        if not meant:
            yield document.problem(loc, "there is no such alert")
        pairs = [(word, getattr(one, word)) for word in ("state", "level", "severity", "count", "hidden", "excused")]
        for row in meant:
            for word, want in [*pairs, ("delta_ms", one.delta)]:
                if want is not None and row[word] != want:
                    yield document.problem(loc, f"`{word}` of `{row['key']}` is {row[word]}, not {want}")
