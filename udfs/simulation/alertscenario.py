"""Scenario files of alerting: findings and what people do, moments, and who must have been told what by then.

    scenario: Nobody answers, so Ben is told after two minutes
    begin: 2026-03-09T12:00:00Z
    findings:
      - {at: 0s, kind: missing, workflow: file_receipt, rule: arrival, key: F1, severity: high}
    actions:
      - {at: 5m, kind: ack, who: anna, key: F1}
    expect:
      - {at: 0s, told: [{person: anna, reason: opened}], alerts: [{key: F1, state: open}]}
      - {at: 1m59s999ms, told: []}
      - {at: 2m, told: [{person: ben, reason: escalated}]}
      - {at: 1d, told: [], alerts: [{key: F1, state: acknowledged}]}

They are played by `udfs.simulation.alertrehearse`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from udfs.core.ids import finding_id
from udfs.packs.explain import validate
from udfs.packs.problems import PackError, Problem
from udfs.packs.sections import Section, Severity, Text
from udfs.packs.yamlfile import Document, read_documents
from udfs.simulation.scenario import MONDAY, At, Begin, Delta, Instant

LANE = "main"

State = Literal["pending", "open", "acknowledged", "suppressed", "escalated", "resolved", "expired"]


class Which(Section):
    """Alerts: all that have what is named."""

    EXAMPLE: ClassVar[str] = "{key: F1}"
    workflow: Text | None = None
    rule: Text | None = None
    key: Text | None = None

    def fits(self, row: dict[str, Any]) -> bool:
        """Whether it means the alert of this row."""
        return all(getattr(self, word) in (None, row[word]) for word in Which.model_fields)


class Reported(Section):
    """A finding as the detect job reports it. `happened` and `delta` are of what came after all; `deadline` is `at`,
    where it isn't named."""

    EXAMPLE: ClassVar[str] = "{at: 0s, kind: missing, workflow: file_receipt, rule: arrival, key: F1, severity: high}"
    at: At
    kind: Text
    workflow: str
    rule: Text
    key: Text
    severity: Severity = "high"
    groups: dict[Text, Text] = {}
    step: str = ""
    because: str = ""
    occurrence: str = ""
    deadline: At | None = None
    happened: At | None = None
    since: At | None = None
    delta: Delta | None = None
    amount: float | None = None


class Done(Which):
    """What somebody does with alerts."""

    EXAMPLE: ClassVar[str] = "{at: 5m, kind: ack, who: anna, key: F1}"
    at: At
    kind: Literal["ack", "unack", "suppress", "unsuppress", "resolve", "comment", "assign", "escalate"]
    who: Text
    why: str = ""
    text: str = ""
    until: At | None = None
    assignee: str = ""
    refused: bool = False


class Told(Section):
    """A message. What isn't named may be anything."""

    EXAMPLE: ClassVar[str] = "{person: anna, by: mail, reason: opened}"
    person: str | None = None
    by: Text | None = None
    reason: Text | None = None
    count: int | None = None
    hidden: int | None = None
    keys: list[Text] | None = None


class Standing(Which):
    """How alerts stand: all that it means, and there is at least one."""

    EXAMPLE: ClassVar[str] = "{key: F1, state: open}"
    state: State
    level: int | None = None
    severity: Severity | None = None
    count: int | None = None
    hidden: int | None = None
    excused: bool | None = None
    delta: Delta | None = None


class Moment(Section):
    """Time has come to `at`: who has been told since the moment before, in any order, and how some alerts stand."""

    EXAMPLE: ClassVar[str] = "{at: 2m, told: [{person: ben, reason: escalated}]}"
    at: At
    told: list[Told]
    alerts: list[Standing] = []


class AlertScenario(Section):
    """A story with a clock."""

    scenario: Text
    begin: Begin = MONDAY
    findings: Annotated[list[Reported], Field(min_length=1)]
    actions: list[Done] = []
    expect: Annotated[list[Moment], Field(min_length=1)]

    def ms(self, at: Instant) -> int:
        """Epoch ms."""
        return at.ms if at.absolute else self.begin + at.ms

    def finding(self, index: int) -> dict[str, Any]:
        """The row of a finding (docs/contracts.md)."""
        said = self.findings[index]
        at = self.ms(said.at)
        deadline = at if said.deadline is None else self.ms(said.deadline)
        words = said.model_dump(include={"kind", "workflow", "rule", "key", "severity", "groups", "step", "because"})
        id = finding_id(LANE, said.workflow, "", said.rule, said.kind, said.key, said.occurrence, deadline)
        return words | {
            "id": id,
            "lane": LANE,
            "version": 1,
            "rule_hash": "",
            "occurrence": said.occurrence,
            "deadline_ms": deadline,
            "at_ms": None if said.happened is None else self.ms(said.happened),
            "since_ms": None if said.since is None else self.ms(said.since),
            "delta_ms": said.delta,
            "event_id": "",
            "received_ms": at,
            "runbook": "",
            "amount": said.amount,
        }

    def action(self, index: int, alerts: list[str]) -> dict[str, Any]:
        """The row of an action on some alerts (docs/contracts.md)."""
        said = self.actions[index]
        return {
            "id": f"action {index + 1}",
            "at_ms": self.ms(said.at),
            "who": said.who,
            "kind": said.kind,
            "alerts": alerts,
            "why": said.why,
            "text": said.text,
            "until_ms": None if said.until is None else self.ms(said.until),
            "assignee": said.assignee,
        }


def read_alert_scenarios(file: Path) -> list[tuple[Document, AlertScenario]]:
    """The scenarios in a file, one a YAML document. Raises PackError with all that is wrong with their form."""
    documents, problems = read_documents(file)
    found: list[tuple[Document, AlertScenario]] = []
    for document in documents:
        scenario, faults = validate(AlertScenario, document)
        problems += faults
        if scenario is not None:
            problems += _order(document, scenario)
            found.append((document, scenario))
    if not documents and not problems:
        problems.append(Problem(str(file), 0, "", "is empty; it must hold a scenario"))
    if problems:
        raise PackError(problems)
    return found


def _order(document: Document, scenario: AlertScenario) -> Iterator[Problem]:
    moments = [scenario.ms(moment.at) for moment in scenario.expect]
    for index in range(1, len(moments)):
        if moments[index] <= moments[index - 1]:
            yield document.problem(("expect", index, "at"), "is not behind the moment before; sort them by time")
    findings, actions = [one.at for one in scenario.findings], [one.at for one in scenario.actions]
    for word, instants in (("findings", findings), ("actions", actions)):
        for index, at in enumerate(instants):
            if not scenario.begin <= scenario.ms(at) <= moments[-1]:
                text = "is before `begin` or behind the last moment, so it would not be played; move one of them"
                yield document.problem((word, index, "at"), text)
