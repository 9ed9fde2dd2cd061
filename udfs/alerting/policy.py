"""Who is told what about an alert, when and how: the alerting documents, compiled. Immutable and pure; it pickles.

All instants are epoch ms, all spans ms. Nothing here raises: a name that isn't known means nobody. A policy is made by
`udfs.packs.alertcompile.compile_policy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from udfs.alerting.matchers import Matcher, all_fit
from udfs.alerting.rotation import OnCall
from udfs.alerting.windows import Agenda, Kind
from udfs.core.clock import BusinessTime
from udfs.core.immutable import Immutable
from udfs.core.state import NEVER

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

RESPOND: Final = {"critical": 15 * MINUTE, "high": HOUR, "medium": 8 * HOUR, "low": 3 * DAY}
"""How soon somebody should have answered, by severity, unless the routes say otherwise."""


@dataclass(frozen=True)
class Route(Immutable):
    """How an alert is dealt with.

    Without an `escalation` it is kept and shown, and nobody is told. `group_by` names labels. `wait_ms` passes before
    the first of a group is told, `interval_ms` between updates of a group, `repeat_ms` between reminders while it is
    open and not acknowledged (0: none). An alert is `pending` for `hold_ms` before it opens. `severity` is what it
    counts as ("": its own). An acknowledgement holds for `ack_ms`; an alert of an instant, which has no cure, expires
    after `event_ms`, any other after `expire_ms`.
    """

    name: str = "default"
    team: str = ""
    escalation: str = ""
    group_by: tuple[str, ...] = ("lane", "workflow", "rule")
    wait_ms: int = 0
    interval_ms: int = 5 * MINUTE
    repeat_ms: int = 4 * HOUR
    hold_ms: int = 0
    severity: str = ""
    ack_ms: int = DAY
    event_ms: int = 4 * HOUR
    expire_ms: int = 7 * DAY


@dataclass(frozen=True)
class Branch(Immutable):
    """A route, what it is for, and the routes below it: of those the first that fits holds, and with `go_on` those
    behind it too."""

    route: Route = Route()
    matchers: tuple[Matcher, ...] = ()
    go_on: bool = False
    below: tuple[Branch, ...] = ()

    def routes(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """The routes of an alert that fits this one."""
        fitting = False
        for branch in self.below:
            if all_fit(branch.matchers, labels):
                fitting = True
                yield from branch.routes(labels)
                if not branch.go_on:
                    return
        if not fitting:
            yield self.route


class Target(NamedTuple):
    """Whom a step tells; `by` names channels, none: by those of the person or team."""

    kind: Literal["person", "team", "on_call", "channel"]
    name: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step(Immutable):
    """Tells the targets `after_ms` after the alert opened, if nobody has answered.

    With `during`, that time passes within these hours only; but where there is an `otherwise` it always passes, and
    whoever stands there is told outside of the hours.
    """

    after_ms: int
    targets: tuple[Target, ...]
    during: BusinessTime | None = None
    otherwise: tuple[Target, ...] | None = None

    def due(self, since: int) -> int:
        """When it is due. NEVER, if its hours never come."""
        if self.during is None or self.otherwise is not None:
            return since + self.after_ms
        if self.after_ms:
            return self.during.add(since, self.after_ms)
        opening = self.during.add(since, 1)  # when the first ms has passed
        return opening if opening == NEVER else opening - 1

    def targets_at(self, at: int) -> tuple[Target, ...]:
        """Whom it tells at an instant."""
        if self.during is None or self.otherwise is None or self.during.between(at, at + 1):
            return self.targets
        return self.otherwise


@dataclass(frozen=True)
class Escalation(Immutable):
    """Steps, and how often they begin anew, `every_ms` after they last began."""

    steps: tuple[Step, ...]
    rounds: int = 1
    every_ms: int = 0


class Recipient(NamedTuple):
    """One to be told: through which channel, who (a person's name; "": whoever reads the channel), and at which
    address ("": the channel knows its own)."""

    channel: str
    person: str
    address: str


class Mute(NamedTuple):
    """Why nobody is told: the silence or maintenance window, and until when (epoch ms)."""

    id: str
    kind: Kind
    until: int
    by: str
    why: str


@dataclass(frozen=True)
class Limit(Immutable):
    """`count` messages at once to one recipient, and so many again in each `per_ms` (0: no limit)."""

    count: int = 10
    per_ms: int = MINUTE


@dataclass(frozen=True)
class Contact(Immutable):
    """A person: the channels used where nothing else is said, and the address for each channel that can reach them."""

    by: tuple[str, ...] = ()
    addresses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Team(Immutable):
    """Its people, and the channels that it reads together."""

    members: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel(Immutable):
    """`address` is where it goes when no person is meant; None: it can only reach people. A `pager` keeps an incident
    of its own open until it is told that all is well (see `pages`). A `room` is told once, whoever in it is meant."""

    limit: Limit = field(default_factory=Limit)
    address: str | None = ""
    pager: bool = False
    room: bool = False


@dataclass(frozen=True)
class Gathering(Immutable):
    """So many `alerts` that share something are an incident, if they come within `within_ms`, and each further one
    within that of the last. From `value` at risk on its priority is one higher."""

    alerts: int = 5
    within_ms: int = 10 * MINUTE
    value: float = 1_000_000


@dataclass(frozen=True)
class Policy(Immutable):
    """What the alerting documents say."""

    routes: Branch = Branch()
    respond: dict[str, int] = field(default_factory=lambda: dict(RESPOND))
    escalations: dict[str, Escalation] = field(default_factory=dict)
    on_calls: dict[str, OnCall] = field(default_factory=dict)
    people: dict[str, Contact] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    incidents: Gathering = Gathering()

    def route(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """The routes of an alert: the first that fits, and those behind it where it says `continue`. At least one."""
        return tuple(self.routes.routes(labels))

    def steps(self, escalation: str) -> tuple[Step, ...]:
        """The steps of one round."""
        found = self.escalations.get(escalation)
        return found.steps if found else ()

    def step_due(self, escalation: str, step: int, since: int) -> int | None:
        """When a step is due, if nobody answers, of an alert that opened (or was un-acknowledged) at `since`. None:
        there is no such step.

        Steps are numbered on through the rounds: of three steps, step 3 is the first of the second round. None is due
        before the one in front of it.
        """
        found = self.escalations.get(escalation)
        if found is None or not found.steps or not 0 <= step < len(found.steps) * found.rounds:
            return None
        last, place = divmod(step, len(found.steps))
        dues = [one.due(since + last * found.every_ms) for one in found.steps[: place + 1]]
        if last:
            dues.append(self.step_due(escalation, step - place - 1, since) or NEVER)
        due = max(dues)
        return None if due >= NEVER else due

    def recipients(self, escalation: str, step: int, at: int) -> tuple[Recipient, ...]:
        """Who is told by a step at an instant, each once. None where nobody is on call: go on with the next step."""
        steps = self.steps(escalation)
        if not steps or step < 0:
            return ()
        targets = steps[step % len(steps)].targets_at(at)
        return tuple(dict.fromkeys(found for target in targets for found in self._reached(target, at)))

    def today(self, told: Recipient) -> Recipient | None:
        """Somebody who was told, as the documents have them now; None: they, or their address, are in none."""
        person = Target("person", told.person, (told.channel,))
        return next(self._reached(person, 0) if told.person else self._room(told.channel), None)

    def on_call(self, schedule: str, at: int) -> tuple[str, ...]:
        """The people on call; none in a gap."""
        found = self.on_calls.get(schedule)
        return found.who(at) if found else ()

    def muted(self, labels: Mapping[str, str], at: int) -> Mute | None:
        """What keeps an alert from being told: a maintenance window before a silence, of several the one that ends
        last."""
        found: Mute | None = None
        for window, until in self.agenda.open(at):
            rank = (window.kind == "maintenance", until)
            if (found is None or rank > (found.kind == "maintenance", found.until)) and window.hides(labels):
                found = Mute(window.id, window.kind, until, window.by, window.why)
        return found

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which a silence or window begins or ends; None, if none does."""
        return self.agenda.next_change(at)

    def limit(self, channel: str) -> Limit:
        """How much one recipient gets through a channel."""
        found = self.channels.get(channel)
        return found.limit if found else Limit()

    def is_pager(self, channel: str) -> bool:
        """Whether what is told there stays open until it is closed there."""
        found = self.channels.get(channel)
        return found is not None and found.pager

    def ack_ms(self, labels: Mapping[str, str]) -> int:
        """How long an acknowledgement holds before its reminder: what the first route says."""
        return next(self.routes.routes(labels)).ack_ms

    def respond_ms(self, severity: str) -> int:
        """How soon somebody should have answered."""
        return self.respond.get(severity, RESPOND["low"])

    def _reached(self, target: Target, at: int) -> Iterator[Recipient]:
        if target.kind == "channel":
            yield from self._room(target.name)
            return
        team = self.teams.get(target.name, Team()) if target.kind == "team" else None
        if team is not None and not target.by:
            for channel in team.channels:
                yield from self._room(channel)
        named = team.members if team else (target.name,)
        for name in self.on_call(target.name, at) if target.kind == "on_call" else named:
            contact = self.people.get(name, Contact())
            for channel in target.by or contact.by:
                if channel in contact.addresses:
                    alone = Recipient(channel, name, contact.addresses[channel])
                    yield from self._room(channel) if self.channels.get(channel, Channel()).room else [alone]

    def _room(self, name: str) -> Iterator[Recipient]:
        channel = self.channels.get(name)
        if channel is not None and channel.address is not None:
            yield Recipient(name, "", channel.address)


EMPTY: Final = Policy()
"""Without any documents: every alert is kept and shown, nobody is told."""
