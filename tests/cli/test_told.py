"""What the live view says of people: who was told of what, who couldn't be, who acknowledged."""

from __future__ import annotations

from typing import Any

from api.commands.told import Told

NOTICE = {"type": "notify", "id": "n1", "title": "Opened: files F-1: receive is missing"}


def delivery(**more: Any) -> dict[str, Any]:
    row = {"id": "n1", "lane": "demo", "outcome": "sent", "person": "anna", "address": "a***@example.com"}
    return row | {"channel": "mail", "reason": "opened", "detail": ""} | more


def alert(**more: Any) -> dict[str, Any]:
    row = {"id": "a1", "lane": "demo", "state": "acknowledged", "acked_by": "anna", "acked_ms": 5}
    return row | {"summary": "files F-1: receive is missing"} | more


def line(told: Told, topic: str, row: dict[str, Any]) -> str:
    text = told.line(f"daymark.{topic}", row)
    return " ".join(text.plain.split()) if text else ""


def test_a_delivery_is_told_in_the_words_of_its_notification() -> None:
    told = Told("demo")
    assert line(told, "notifications", NOTICE) == ""
    assert line(told, "deliveries", delivery()) == "TOLD anna by mail: Opened: files F-1: receive is missing"


def test_what_was_notified_before_one_looked_is_told_by_its_reason() -> None:
    assert line(Told("demo"), "deliveries", delivery(person="")) == "TOLD a***@example.com by mail: opened"


def test_what_can_not_be_delivered_says_why_and_a_try_that_is_repeated_says_nothing() -> None:
    told = Told("demo")
    refused = delivery(outcome="dead", detail="550 no such user")
    assert line(told, "deliveries", refused) == "NOT TOLD anna by mail: 550 no such user"
    assert line(told, "deliveries", delivery(outcome="retry")) == ""


def test_an_acknowledgement_is_told_once_however_often_the_alert_is_written() -> None:
    told = Told("demo")
    assert line(told, "alerts", alert(state="open", acked_by="", acked_ms=None)) == ""
    assert line(told, "alerts", alert()) == "ACKNOWLEDGED by anna: files F-1: receive is missing"
    assert line(told, "alerts", alert(count=2)) == ""
    assert line(told, "alerts", alert(acked_ms=6, acked_by="ben")).startswith("ACKNOWLEDGED by ben")


def test_other_lanes_and_other_records_say_nothing() -> None:
    told = Told("main")
    for topic, row in (("deliveries", delivery()), ("alerts", alert()), ("notifications", {"type": "halt"})):
        assert line(told, topic, row) == ""
