"""A policy, findings and actions, and what came of them, for the tests of alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from udfs.alerting.desk import Desk
from udfs.alerting.effects import AlertChanged, Applied, Effect, Halt, IncidentChanged, Logged, Notify
from udfs.alerting.graph import Graph
from udfs.alerting.policy import (
    Branch,
    Channel,
    Contact,
    Escalation,
    Limit,
    Policy,
    Route,
    Step,
    Target,
)
from udfs.alerting.windows import Agenda, Window

NOW = 1_700_000_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

PEOPLE = {name: Contact(by=("mail",), addresses={"mail": f"{name}@example.org"}) for name in ("anna", "ben", "eve")}
STEPS = (
    Step(0, (Target("person", "anna"),)),
    Step(2 * MINUTE, (Target("person", "ben"),)),
    Step(10 * MINUTE, (Target("person", "eve"),)),
)
GRAPH = Graph(
    upstream={
        "trades": {
            "send": frozenset(),
            "reply": frozenset({"send"}),
            "settle": frozenset({"send", "reply"}),
        },
        "batches": {"loaded": frozenset()},
    },
    parents={"trades": (("batch", "batches"),)},
)


def policy(*windows: Window, limit: int = 1_000, routes: Branch | None = None, **route: Any) -> Policy:
    """Anna at once, Ben after two minutes, Eve after ten."""
    return Policy(
        routes=routes or Branch(Route(**{"name": "all", "team": "desk", "escalation": "desk"} | route)),
        escalations={"desk": Escalation(STEPS), "second": Escalation(STEPS[1:]), "nobody": Escalation((Step(0, ()),))},
        people=PEOPLE,
        channels={"mail": Channel(limit=Limit(limit))},
        agenda=Agenda(windows),
    )


def finding(key: str = "T-1", kind: str = "missing", rule: str = "reply", **fields: Any) -> dict[str, Any]:
    """A finding of the trades; its id is made of what it says."""
    row = {
        "lane": "main",
        "workflow": "trades",
        "version": 1,
        "rule_hash": "x",
        "rule": rule,
        "kind": kind,
        "severity": "high",
        "key": key,
        "groups": {},
        "step": rule,
        "because": "",
        "occurrence": "0",
        "deadline_ms": NOW - SECOND,
        "at_ms": None,
        "delta_ms": None,
        "since_ms": NOW - MINUTE,
        "event_id": "",
        "received_ms": NOW - 5,
        "runbook": "runbooks/reply.md",
    } | fields
    return {"id": f"{row['workflow']} {rule} {kind} {key} {row['occurrence']} {row['deadline_ms']}"} | row


def late(key: str = "T-1", after: int = 60_000, **fields: Any) -> dict[str, Any]:
    deadline = fields.pop("deadline_ms", NOW - SECOND)
    return finding(key, "late", deadline_ms=deadline, at_ms=deadline + after, delta_ms=after, **fields)


def blind(back: int | None = None, since: int = NOW - HOUR, **fields: Any) -> dict[str, Any]:
    """The source of the trades is silent; with `back` it was, and isn't any more."""
    return finding(
        "gateway",
        "blind",
        "heartbeat",
        workflow="",
        step="",
        occurrence="trades",
        deadline_ms=since + MINUTE,
        since_ms=since,
        at_ms=back,
        **fields,
    )


def stalled_step(step: str = "send", back: int | None = None, **fields: Any) -> dict[str, Any]:
    since = NOW - HOUR
    return finding(
        step,
        "stalled",
        "stalled",
        step=step,
        occurrence="step",
        because="214 items wait",
        deadline_ms=since + MINUTE,
        since_ms=since,
        at_ms=back,
        **fields,
    )


def action(kind: str, *alerts: str, id: str = "", **fields: Any) -> dict[str, Any]:
    id = id or f"{kind} {' '.join(alerts)} {fields}"
    return {"id": id, "at_ms": 0, "who": "anna", "kind": kind, "alerts": list(alerts)} | fields


class Play:
    """A desk, and all that came of what was put in. Between any two calls the desk is stored and restored, if asked:
    nothing may change by it."""

    def __init__(self, rules: Policy | None = None, graph: Graph = GRAPH, restarts: bool = False) -> None:
        self.policy = rules or policy()
        self.graph = graph
        self.restarts = restarts
        self.saved: dict[str, bytes] = {}
        self.desk = Desk(self.policy, graph)
        self.now = NOW
        self.effects: list[Effect] = []
        self.next: int | None = None
        """When time is to be moved on to; a desk that was restored would always say: now."""

    def find(self, row: Mapping[str, Any], now: int | None = None) -> list[Effect]:
        return self._after(self.desk.on_finding(row, self._at(now)))

    def act(self, row: Mapping[str, Any], now: int | None = None) -> list[Effect]:
        return self._after(self.desk.on_action(row, self._at(now)))

    def end(self, row: Mapping[str, Any], now: int | None = None) -> list[Effect]:
        """An action that is done when its moment is over."""
        return self.act(row, now) + self.time(self.now)

    def time(self, now: int) -> list[Effect]:
        return self._after(self.desk.on_time(self._at(now)))

    def run(self, until: int) -> list[Effect]:
        """Goes from timer to timer, as the job does."""
        found: list[Effect] = []
        while (due := self.next) is not None and due <= until:
            found += self.time(max(due, self.now))
        return found + self.time(until)

    def configure(self, rules: Policy) -> None:
        self.policy = rules
        self.desk.configure(rules)
        self.next = self.desk.next_time()

    def restart(self) -> None:
        self.desk = Desk(self.policy, self.graph, list(self.saved.items()))

    def _at(self, now: int | None) -> int:
        self.now = self.now if now is None else now
        return self.now

    def _after(self, effects: list[Effect]) -> list[Effect]:
        self.effects += effects
        for name, stored in self.desk.changes().items():
            if stored is None:
                self.saved.pop(name, None)
            else:
                self.saved[name] = stored
        self.next = self.desk.next_time()
        if self.restarts:
            self.restart()
        return effects

    def alert(self, key: str = "T-1") -> dict[str, Any]:
        """How the alert of a key stands."""
        return alerts(self.effects)[key]

    def id(self, key: str = "T-1") -> str:
        return str(self.alert(key)["id"])

    def incident(self) -> dict[str, Any]:
        return [one.row for one in self.effects if isinstance(one, IncidentChanged)][-1]


def alerts(effects: Iterable[Effect]) -> dict[str, dict[str, Any]]:
    """The last row of each alert, by key."""
    return {one.row["key"]: one.row for one in effects if isinstance(one, AlertChanged)}


def told(effects: Iterable[Effect]) -> list[tuple[str, str, int]]:
    """Who was told, why, and of how many alerts."""
    return [(one.row["person"], one.row["reason"], one.row["count"]) for one in messages(effects)]


def messages(effects: Iterable[Effect]) -> list[Notify]:
    return [one for one in effects if isinstance(one, Notify)]


def logged(effects: Iterable[Effect]) -> list[str]:
    return [one.row["what"] for one in effects if isinstance(one, Logged)]


def halted(effects: Iterable[Effect]) -> dict[str, int]:
    """The alerts of which nothing may be sent any more, up to which revision."""
    found: dict[str, int] = {}
    for one in effects:
        if isinstance(one, Halt | Applied):
            found |= one.row["halt"]
    return found


def answer(effects: Iterable[Effect]) -> dict[str, Any]:
    return [one.row for one in effects if isinstance(one, Applied)][-1]


def relieved(key: str = "T-1", before: int | None = 30_000, **fields: Any) -> dict[str, Any]:
    """What was at risk is so no more: done so many ms before its deadline (None: called off)."""
    warned = finding(key, "at_risk", **{"deadline_ms": NOW - MINUTE} | fields)
    return warned | {"at_ms": NOW, "delta_ms": None if before is None else -before}
