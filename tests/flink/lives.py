"""Ten alerts that a kill of the alert job meets at ten steps of their lives, and who is to be told of each."""

from __future__ import annotations

from typing import Any

from tests.flink.alertlane import AlertLane
from tests.flink.audience import Audience
from tests.kafka_help import eventually

SECOND = 1_000
ANNA, BEN = "anna@example.com", "ben@example.com"
OPENED, ESCALATED, ENDED = (ANNA, "opened"), (BEN, "escalated"), (ANNA, "resolved")


class Lives:
    """Ten alerts, each at another step of its life when the job is killed."""

    ends = {
        "told": ("acknowledged", OPENED),
        "escalated": ("escalated", OPENED, ESCALATED),
        "answered": ("acknowledged", OPENED),
        "closed": ("resolved", OPENED, ENDED),
        "put-right": ("resolved", OPENED, ENDED),
        "found": ("escalated", OPENED, ESCALATED),
        "being-answered": ("acknowledged", OPENED),
        "due": ("escalated", OPENED, ESCALATED),
        "being-closed": ("resolved", OPENED, ENDED),
        "being-put-right": ("resolved", OPENED, ENDED),
    }
    """The state in which each is to end, and who is to have been told of it."""

    def __init__(self, alerts: AlertLane, people: Audience, begin: int) -> None:
        self.alerts, self.people, self.begin = alerts, people, begin
        self.keys = {name: f"{name}-{begin}" for name in self.ends}
        self.ids: dict[str, str] = {}
        self.actions: list[str] = []

    def tick(self, seconds: int) -> None:
        self.alerts.tick(self.begin + seconds * SECOND)

    def find(self, name: str, **more: Any) -> None:
        key = self.keys[name]
        self.alerts.find(key, rule=key, **more)  # of one rule they would be an incident

    def arrives(self, name: str) -> None:
        self.find(name, kind="late", at_ms=self.alerts.began + 1, delta_ms=1)

    def act(self, kind: str, name: str) -> None:
        alert = self.ids.get(name) or self.alerts.alert(self.keys[name])["id"]
        self.actions.append(self.alerts.act(kind, alert, partition=0))

    def await_heard(self, *names: str, who: tuple[str, str] = OPENED, seconds: float = 60) -> None:
        eventually(lambda: all(who in self.people.heard().get(self.keys[name], ()) for name in names), seconds)

    def open(self) -> None:
        """What happens before the checkpoint: most of them are told, the first of them a little before the others."""
        self.tick(0)
        self.find("escalated")
        self.tick(10)
        known = ("answered", "closed", "put-right", "being-answered", "due", "being-closed", "being-put-right")
        for name in known:
            self.find(name)
        self.await_heard("escalated", *known)
        ids = {row["key"]: row["id"] for row in self.alerts.rows("alerts")}
        self.ids = {name: ids[key] for name, key in self.keys.items() if key in ids}
        self.tick(119)

    def go_on(self) -> None:
        """What the killed job has done, and the one in its place knows nothing of."""
        self.tick(120)
        self.find("told")
        self.act("ack", "answered")
        self.act("resolve", "closed")
        self.arrives("put-right")
        self.tick(121)  # an end by a person is told when its moment is over
        self.await_heard("told")
        self.await_heard("escalated", who=ESCALATED)
        self.await_heard("closed", "put-right", who=ENDED)
        eventually(lambda: self.alerts.alert(self.keys["answered"])["state"] == "acknowledged")

    def begin_to(self) -> None:
        """What the killed job has read, and not done yet."""
        self.alerts.tick_but_for_one(self.begin + 129 * SECOND)
        self.find("found")
        self.act("ack", "being-answered")
        self.act("resolve", "being-closed")
        self.arrives("being-put-right")

    def end(self) -> None:
        """Time goes on: past the escalations, before which the one that was told is answered."""
        self.tick(129)
        self.tick(131)
        self.await_heard("due", who=ESCALATED, seconds=120)
        self.act("ack", "told")
        for action in self.actions:
            assert self.alerts.answer(action)["outcome"] == "applied"
        self.tick(260)
        self.await_heard("found", who=ESCALATED)
        eventually(self.people.is_all_delivered)

    def ended(self) -> dict[str, tuple[Any, ...]]:
        """What `ends` should be, as it came about."""
        heard = self.people.heard()
        rows = {row["key"]: row for row in sorted(self.alerts.rows("alerts"), key=lambda row: int(row["rev"]))}
        return {name: (rows[key]["state"], *sorted(heard[key])) for name, key in self.keys.items()}
