"""People who are told: a dispatcher in a process of its own, a mail server, an HTTP server, and what came there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import trustme

from jobs.dispatch.records import FINAL
from tests.flink.alertlane import AlertLane
from tests.jobs.dispatch.world import World
from tests.jobs.receivers import HttpReceiver, Mailbox, http_receiver, mail_server

Row = dict[str, Any]


class Arrival(NamedTuple):
    """A message that came: its idempotency key, and where it came to: an address or a path."""

    id: str
    to: str


class Audience:
    """Everybody that the alerts of a lane are told to. Mails go to `server`, everything else below `url`."""

    def __init__(self, lane: AlertLane, server: str, mailbox: Mailbox, receiver: HttpReceiver) -> None:
        self.server, self.url = server, receiver.url
        self._lane = lane
        self._mailbox = mailbox
        self._receiver = receiver
        self._world = World(lane.bootstrap, lane.cluster.home / lane.name, lane.prefix)

    @contextmanager
    def dispatcher(self) -> Iterator[None]:
        """The one that tells them."""
        with self._world.victim():
            yield
        self._world.producer.close(timeout=2)

    def arrivals(self) -> list[Arrival]:
        """All that came, mails first, each sort in its order."""
        mails = [Arrival(mail["X-Daymark-Notification"], mail["To"]) for mail in tuple(self._mailbox.mails)]
        return mails + [Arrival(one.key, one.path) for one in tuple(self._receiver.requests)]

    def messages(self) -> dict[str, Row]:
        """The notifications that the job has written, by id; one that was written twice is one."""
        return {row["id"]: row for row in self._lane.rows("notifications") if row["type"] == "notify"}

    def heard(self) -> dict[str, list[tuple[str, str]]]:
        """Who has got a message about each key, and why, in order; of messages about one alert."""
        said, found = self.messages(), defaultdict(list)
        for one in self.arrivals():
            found[said[one.id]["alerts"][0]["key"]].append((one.to, said[one.id]["reason"]))
        return dict(found)

    def is_all_delivered(self) -> bool:
        """Whether the dispatcher is done with all that the job has written."""
        return self.messages().keys() <= {row.id for row in self._world.rows() if row.outcome in FINAL}

    def outcomes(self) -> dict[str, str]:
        """What became of each notification last."""
        return self._world.outcomes()


@contextmanager
def audience(lane: AlertLane) -> Iterator[Audience]:
    """The receivers; a dispatcher is started by who has told it of channels."""
    with mail_server(trustme.CA(), tls="none") as (server, mailbox), http_receiver() as receiver:
        yield Audience(lane, server, mailbox, receiver)
