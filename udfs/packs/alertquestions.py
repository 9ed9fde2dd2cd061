"""What people ask of the alerting documents before anything happens: who is on call when, which windows come, what a
window hides, who would be told about an alert. Instants are epoch ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from udfs.alerting.policy import Mute, Policy, Recipient, Route
from udfs.alerting.rotation import Shift
from udfs.alerting.windows import Window
from udfs.core.state import NEVER
from udfs.packs.alertcompile import Compiler
from udfs.packs.alertkinds import plain, read_models, readable
from udfs.packs.alertmodel import Maintenance, Silence

FAR = 400 * 86_400_000
"""How far ahead it is looked for shifts and windows: a year and more."""


class Opening(NamedTuple):
    """A stretch in which a silence or maintenance window holds."""

    id: str
    kind: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Told:
    """A step of an escalation, and who is told by it if nobody has answered."""

    step: int
    due: int
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A route that an alert takes, and who would be told."""

    route: Route
    steps: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of an alert that opens at an instant."""

    routes: tuple[Explained, ...]
    mute: Mute | None
    ack_ms: int
    respond_ms: int


def next_shifts(policy: Policy, schedule: str, at: int, count: int) -> list[Shift]:
    """The shifts of an on-call schedule from the one at `at` on, with gaps. Raises KeyError for an unknown one."""
    return list(islice(policy.on_calls[schedule].shifts(at, at + FAR), count))


def next_openings(policy: Policy, at: int, count: int) -> list[Opening]:
    """The windows that hold at `at`, and those that begin after it, by their beginning."""
    found = [one for window in policy.agenda.windows for one in openings(window, at, count)]
    return sorted(found, key=lambda one: (one.begin, one.end, one.id))[:count]


def openings(window: Window, at: int, count: int) -> list[Opening]:
    """The next stretches of a window; one that holds at `at` is said to begin then."""
    found: list[Opening] = []
    here: int | None = at
    while here is not None and here < at + FAR and len(found) < count:
        until = window.until(here)
        if until is not None:
            found.append(Opening(window.id, window.kind, here, until))
            here = until
        if until is None or window.until(here) is None:
            here = window.next_change(here)
    return found


def preview(
    kind: str, name: str, body: Any, others: Mapping[str, Any], alerts: Iterable[Mapping[str, str]], at: int
) -> tuple[list[int], list[Opening]]:
    """Which of the alerts (by their labels; indexes) a silence or maintenance window is about, and when it next holds.
    Raises ValueError with what is wrong, if its form is."""
    key = f"{kind}/{name}"
    found, unreadable = readable(plain({**others, key: body}))
    models, problems = read_models(found)
    said = models.get(key)
    compiler = Compiler(models)
    match said:
        case Silence():
            window = compiler.silence(name, said)
        case Maintenance():
            window = compiler.maintenance(name, said)
        case _:
            faults = [str(problem) for problem in unreadable + problems if problem.file == key]
            raise ValueError("\n".join(faults) or f"{key} is neither a silence nor a maintenance window")
    return [index for index, labels in enumerate(alerts) if window.hides(labels)], openings(window, at, 10)


def explain(policy: Policy, labels: Mapping[str, str], at: int) -> Explanation:
    """What becomes of an alert with these labels that opens at `at` and is not answered."""
    routes = policy.route(labels)
    severity = next((one.severity for one in routes if one.severity), labels.get("severity", ""))
    told = tuple(Explained(route, _told(policy, route, at + route.hold_ms + route.wait_ms)) for route in routes)
    return Explanation(
        told, policy.muted({**labels, "severity": severity}, at), policy.ack_ms(labels), policy.respond_ms(severity)
    )


def _told(policy: Policy, route: Route, since: int) -> tuple[Told, ...]:
    found: list[Told] = []
    while (due := policy.step_due(route.escalation, len(found), since)) is not None and due < NEVER:
        found.append(Told(len(found), due, policy.recipients(route.escalation, len(found), due)))
    return tuple(found)
