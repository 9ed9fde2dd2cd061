"""A stand-in for Kafka and the alert job: it takes what the outbox sends, and answers actions at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.publish import Record

Row = dict[str, Any]


class Job:
    """`sent` are all records in order; `answer` makes the applied record of an action, or None for none."""

    def __init__(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.context = client.app.state.context  # type: ignore[attr-defined]
        self.sent: list[Record] = []
        self.answer: Callable[[Row], Row | None] = self.applied
        monkeypatch.setattr(self.context.publisher, "publish", self._publish)
        monkeypatch.setattr(self.context.relay, "wake", self.context.relay.send)

    @staticmethod
    def applied(action: Row) -> Row:
        alerts = [{"id": one, "state": "acknowledged", "rev": 7} for one in action["alerts"]]
        return {
            "type": "applied",
            "action": action["id"],
            "outcome": "applied",
            "detail": "",
            "alerts": alerts,
            "at_ms": 5,
        }

    @staticmethod
    def refused(action: Row) -> Row:
        return Job.applied(action) | {"outcome": "refused", "detail": "It has ended.", "alerts": []}

    @property
    def actions(self) -> list[Row]:
        return [orjson.loads(record.value or b"") for record in self.sent if record.topic.endswith(".actions")]

    def _publish(self, records: Sequence[Record]) -> None:
        self.sent += records
        for record in records:
            if record.topic.endswith(".actions") and (said := self.answer(orjson.loads(record.value or b""))):
                self.context.listener.hear("daymark.notifications", orjson.dumps(said))
