"""What the desk has before it: all that is remembered, how to find it, and what has changed.

The other modules are functions on this. They change alerts, say so with `touch`, and leave it to `close` to write the
rows; so an alert has one new row and one new revision for each call, whatever happened to it.
"""

from __future__ import annotations

from typing import Final, Protocol

from udfs.alerting import alert as alerts
from udfs.alerting import records
from udfs.alerting.alert import Alert
from udfs.alerting.effects import AlertChanged, Effect, Halt, IncidentChanged, Logged
from udfs.alerting.graph import Graph
from udfs.alerting.index import Index
from udfs.alerting.policy import Policy
from udfs.alerting.records import Answer, Group, Incident, Page, Purse, Waiting
from udfs.alerting.rows import alert_row, incident_row, next_ms
from udfs.alerting.timers import Timers

REFRESH: Final = 1_000
"""Ms that a row may be behind where only a count of others has changed."""

KEPT: Final = 7 * 86_400_000
"""Ms for which an alert is known after it has ended: what is reported again then is nothing new."""

MOST_HALTED: Final = 5_000
"""Alerts in one halt record."""


class _Record(Protocol):
    @property
    def id(self) -> str: ...


class Book:
    """All instants are epoch ms; `now` is that of the call, and never goes back."""

    def __init__(self, policy: Policy, graph: Graph) -> None:
        self.policy = policy
        self.graph = graph
        self.now = 0
        self.received: int | None = None
        """When the finding that is dealt with reached Kafka."""
        self.alerts: dict[str, Alert] = {}
        self.groups: dict[str, Group] = {}
        self.incidents: dict[str, Incident] = {}
        self.shared: dict[str, str] = {}
        """The open incident of those that share something."""
        self.purses: dict[str, Purse] = {}
        self.pages: dict[str, Page] = {}
        self.stirred: set[str] = set()
        """The pages to be looked at when the call ends."""
        self.answers: dict[str, Answer] = {}
        self.waiting: dict[str, Waiting] = {}
        self.index = Index()
        self.due_alerts = Timers()
        self.due_groups = Timers()
        self.due_incidents = Timers()
        self.due_purses = Timers()
        self.out: list[Effect] = []
        self._dirty: dict[str, _Record | None] = {}
        self._touched: dict[str, Alert] = {}
        self._incidents: dict[str, Incident] = {}
        self._halts: dict[str, int] = {}

    # Changes

    def touch(self, alert: Alert) -> None:
        """An alert changes: it gets a new revision and, at the end of the call, a new row."""
        if alert.id not in self._touched:
            self._touched[alert.id] = alert
            alert.rev = max(alert.rev + 1, self.now << 20)
            alert.changed = self.now
            alert.refresh = None
            self.keep(alert)

    def renew(self, alert: Alert) -> None:
        """What is said of it from here on is said of a revision that no halt names, not even one of this call, which
        may be in an answer already."""
        self.touch(alert)
        alert.rev += 1

    def keep(self, alert: Alert) -> None:
        """Something changes that its row doesn't show."""
        self._dirty["a/" + alert.id] = alert

    def keep_group(self, group: Group) -> None:
        self._dirty["g/" + group.id] = group

    def keep_purse(self, purse: Purse) -> None:
        self._dirty["l/" + purse.id] = purse

    def keep_page(self, page: Page) -> None:
        self._dirty["p/" + page.id] = page

    def keep_answer(self, answer: Answer) -> None:
        self._dirty["x/" + answer.id] = answer

    def keep_waiting(self, waiting: Waiting) -> None:
        self.waiting[waiting.id] = waiting
        self._dirty["w/" + waiting.id] = waiting

    def touch_incident(self, incident: Incident) -> None:
        if incident.id not in self._incidents:
            self._incidents[incident.id] = incident
            incident.rev = max(incident.rev + 1, self.now << 20)
            incident.refresh = None
            self.keep_incident(incident)

    def keep_incident(self, incident: Incident) -> None:
        self._dirty["i/" + incident.id] = incident

    def refresh(self, alert: Alert) -> None:
        """A count of others that its row shows changes: the row follows soon."""
        if alert.refresh is None and alert.id not in self._touched:
            alert.refresh = self.now + REFRESH
            self.keep(alert)
            self.time(alert)

    def refresh_incident(self, incident: Incident) -> None:
        if incident.refresh is None and incident.id not in self._incidents:
            incident.refresh = self.now + REFRESH
            self.keep_incident(incident)
            self.due_incidents.put(incident.id, self.time_of_incident(incident))

    def forget(self, name: str) -> None:
        """An entry is not needed any more; `name` is that of the entry."""
        self._dirty[name] = None

    def log(
        self,
        alert: Alert,
        what: str,
        *,
        who: str = "",
        was: str = "",
        why: str = "",
        finding: str = "",
        action: str = "",
    ) -> None:
        """An entry of an alert's log. `was` is its state before, if that has changed."""
        self.out.append(
            Logged(
                {
                    "alert": alert.id,
                    "lane": alert.lane,
                    "rev": alert.rev,
                    "n": alert.logs,
                    "at_ms": self.now,
                    "who": who,
                    "what": what,
                    "from": was or alert.state,
                    "to": alert.state,
                    "why": why,
                    "finding": finding,
                    "action": action,
                    "opened_ms": alert.opened,
                    "incident": alert.incident,
                }
            )
        )
        alert.logs += 1
        self.keep(alert)

    def halt(self, alert: Alert) -> None:
        """No send about the alert as it was may start any more. Call it when it has been touched."""
        self._halts[alert.id] = alert.rev

    def take_halts(self) -> dict[str, int]:
        """The halts of this call, for somebody who sends them along with an answer."""
        halts, self._halts = self._halts, {}
        return halts

    # Time

    def time(self, alert: Alert) -> None:
        """Sets when the alert is to be looked at next."""
        instants = [alert.release, alert.refresh]
        instants += [next_ms(alert), alert.expires] if alert.ended is None else [alert.ended + KEPT]
        self.due_alerts.put(alert.id, min(one for one in instants if one is not None))

    @staticmethod
    def time_of_incident(incident: Incident) -> int | None:
        if incident.refresh is None and incident.resolved is not None:
            return incident.resolved + KEPT
        return incident.refresh

    # The end of a call

    def hidden(self, alert: Alert) -> int:
        """How many live alerts it explains."""
        return self.index.hides.count(alert.id)

    def row(self, alert: Alert) -> dict[str, object]:
        return alert_row(alert, self.hidden(alert))

    def close(self, priority: dict[str, str]) -> list[Effect]:
        """What the call has led to. `priority` has that of each incident that was touched."""
        said: list[Effect] = [AlertChanged(self.row(alert)) for alert in self._touched.values()]
        for alert in self._touched.values():
            if alert.id in self.alerts:
                self.time(alert)
        for incident in self._incidents.values():
            said.append(IncidentChanged(incident_row(incident, priority[incident.id])))
            self.due_incidents.put(incident.id, self.time_of_incident(incident))
        halts = list(self.take_halts().items())
        for first in range(0, len(halts), MOST_HALTED):
            part = dict(halts[first : first + MOST_HALTED])
            said.append(Halt({"type": "halt", "halt": part, "at_ms": self.now}))
        said += self.out
        self.out, self._touched, self._incidents = [], {}, {}
        return said

    @property
    def touched_alerts(self) -> list[Alert]:
        return list(self._touched.values())

    @property
    def touched_incidents(self) -> list[Incident]:
        return list(self._incidents.values())

    # Storing

    def changes(self) -> dict[str, bytes | None]:
        """What has to be stored since the last call; None: to be removed."""
        changed = {name: None if one is None else _encode(one) for name, one in self._dirty.items()}
        self._dirty = {}
        return changed

    def restore(self, name: str, stored: bytes) -> None:
        """Takes in one entry as it was stored. Raises UnknownFormat, or another error for bytes that are none."""
        kind, _, id = name.partition("/")
        if kind == "a":
            self.alerts[id] = alerts.decode(stored)
            self.now = max(self.now, self.alerts[id].changed)
        elif kind == "g":
            self.groups[id] = records.decode(stored, Group)
        elif kind == "i":
            self.incidents[id] = incident = records.decode(stored, Incident)
            if incident.shared and incident.resolved is None:
                other = self.incidents.get(self.shared.get(incident.shared, ""))
                if other is None or (other.opened, other.joined) < (incident.opened, incident.joined):
                    self.shared[incident.shared] = id  # the last one that was opened
            self.due_incidents.put(id, self.time_of_incident(incident))
        elif kind == "l":
            self.purses[id] = records.decode(stored, Purse)
        elif kind == "p":
            self.pages[id] = page = records.decode(stored, Page)
            self.index.keys.add(page.key, id)
        elif kind == "x":
            self.answers[id] = records.decode(stored, Answer)
        elif kind == "w":
            self.waiting[id] = records.decode(stored, Waiting)


def _encode(one: _Record) -> bytes:
    return alerts.encode(one) if isinstance(one, Alert) else records.encode(one)  # type: ignore[arg-type]
