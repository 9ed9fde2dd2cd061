"""Where to find alerts without looking at all of them. Everything here follows from the alerts themselves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from udfs.alerting.alert import Alert
from udfs.core.effects import BLIND

Name = TypeVar("Name", bound=Hashable)
Item = tuple[str, str, str]
"""Lane, workflow, key."""


class Sets(Generic[Name]):
    """Ids of alerts by name."""

    def __init__(self) -> None:
        self._sets: dict[Name, set[str]] = {}

    def add(self, name: Name, id: str) -> None:
        self._sets.setdefault(name, set()).add(id)

    def drop(self, name: Name, id: str) -> None:
        found = self._sets.get(name)
        if found is not None:
            found.discard(id)
            if not found:
                del self._sets[name]

    def get(self, name: Name) -> set[str]:
        """Don't change it."""
        return self._sets.get(name) or set()

    def count(self, name: Name) -> int:
        return len(self._sets.get(name, ()))


class Index:
    """`items`, `workflows` and `values` (lane, group, value) find live alerts; `blind` and `steps` those causes that
    hold for a whole workflow; `hides` has what an alert explains, `shared` who of those shown shares something (see
    `incidents`) with when they were shown. `members` are the live alerts of an incident, `parts` all that are known, by
    item. `groups` has the live alerts of a group, `waiting` by (group, lane) what is to be told, `owed` what a purse's
    digest will say. `paged` has the alerts of a page, `keys` the pages of a key."""

    def __init__(self) -> None:
        self.items: Sets[Item] = Sets()
        self.workflows: Sets[tuple[str, str]] = Sets()
        self.values: Sets[tuple[str, str, str]] = Sets()
        self.blind: Sets[tuple[str, str]] = Sets()
        self.steps: Sets[tuple[str, str]] = Sets()
        self.hides: Sets[str] = Sets()
        self.members: Sets[str] = Sets()
        self.parts: Sets[tuple[str, Item]] = Sets()
        self.groups: Sets[str] = Sets()
        self.waiting: Sets[tuple[str, str]] = Sets()
        self.owed: Sets[str] = Sets()
        self.paged: Sets[str] = Sets()
        self.keys: Sets[str] = Sets()
        self.shared: dict[str, dict[str, int]] = {}

    def restore(self, alerts: dict[str, Alert]) -> None:
        """Takes in alerts as they were stored."""
        for alert in sorted(alerts.values(), key=lambda one: (one.shown, one.id)):
            if alert.is_live:
                self.enter(alert)
                self.join(alert)
                if alert.explained_by:
                    self.hides.add(alert.explained_by, alert.id)
                if alert.held == "" and alert.shown:
                    self.show(alert)
            elif alert.incident:
                self.parts.add((alert.incident, item_of(alert)), alert.id)
            for track in alert.tracks:
                for lane in track.lanes:
                    self.waiting.add((track.group, lane), alert.id)
            for purse in alert.owed:
                self.owed.add(purse, alert.id)
            for page in alert.pages:
                self.paged.add(page, alert.id)

    def enter(self, alert: Alert) -> None:
        """An alert lives."""
        self.items.add(item_of(alert), alert.id)
        if alert.may_be_explained:
            self.workflows.add((alert.lane, alert.workflow), alert.id)
            for name, value in alert.groups.items():
                self.values.add((alert.lane, name, value), alert.id)
        if alert.kind == BLIND:
            for workflow in alert.occurrence.split(","):
                self.blind.add((alert.lane, workflow), alert.id)
        elif alert.is_of_a_step:
            self.steps.add((alert.lane, alert.workflow), alert.id)
        for track in alert.tracks:
            self.groups.add(track.group, alert.id)

    def leave(self, alert: Alert) -> None:
        """It has ended, or what it is found by is about to change."""
        self.items.drop(item_of(alert), alert.id)
        self.workflows.drop((alert.lane, alert.workflow), alert.id)
        for name, value in alert.groups.items():
            self.values.drop((alert.lane, name, value), alert.id)
        for workflow in alert.occurrence.split(","):
            self.blind.drop((alert.lane, workflow), alert.id)
        self.steps.drop((alert.lane, alert.workflow), alert.id)
        for track in alert.tracks:
            self.groups.drop(track.group, alert.id)

    def join(self, alert: Alert) -> None:
        """It belongs to its incident, if any."""
        if alert.incident:
            self.members.add(alert.incident, alert.id)
            self.parts.add((alert.incident, item_of(alert)), alert.id)

    def forget(self, alert: Alert) -> None:
        """It is known no more."""
        self.parts.drop((alert.incident, item_of(alert)), alert.id)

    def show(self, alert: Alert) -> None:
        """People can see it: it may share something with others that they see."""
        for name in shares(alert):
            self.shared.setdefault(name, {})[alert.id] = alert.shown

    def hide(self, alert: Alert) -> None:
        for name in shares(alert):
            found = self.shared.get(name)
            if found is not None:
                found.pop(alert.id, None)
                if not found:
                    del self.shared[name]


def item_of(alert: Alert) -> Item:
    return alert.lane, alert.workflow, alert.key


def shares(alert: Alert) -> Iterator[str]:
    """What an alert of an item may have in common with others: workflow, rule and a group's value; without groups,
    workflow and rule."""
    if alert.kind == BLIND or alert.is_of_a_step:
        return
    names = [f"{name}={value}" for name, value in sorted(alert.groups.items())] or [""]
    for name in names:
        yield "\x1f".join((alert.lane, alert.workflow, alert.rule, name))
