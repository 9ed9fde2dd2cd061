"""What people and machines get to see of a notification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import preview, render
from udfs.alerting.render.texts import RenderError

ADDRESSES = Addresses("https://d.example/alerts", "https://d.example/alerts/f1", "https://d.example/ack/TOKEN")
ALERT = {
    "id": "f1", "workflow": "daily_feeds", "kind": "missing", "severity": "critical", "key": "EU<FEED>",
    "step": "received", "breach_ms": 1_772_438_400_000, "summary": "daily_feeds EU<FEED>: received is missing",
    "groups": {"desk": "a&b"}, "runbook": "runbooks/feed.md", "hidden": 3, "ended_ms": None,
}  # fmt: skip
TYPES = ("email", "sms", "slack", "teams", "pagerduty", "webhook", "browser")


def notify(**more: Any) -> dict[str, Any]:
    row = {"type": "notify", "id": "n1", "reason": "opened", "title": "Opened: EU<FEED> is missing", "alerts": [ALERT]}
    return {**row, "count": 1, "dedup_key": "key-1", "revs": {"f1": 7}, **more}


def channel(type: str, **more: Any) -> dict[str, Any]:
    return {"type": type, **more}


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize(
    "reason", ["opened", "update", "escalated", "reminder", "resolved", "digest", "acknowledged", "test"]
)
def test_every_channel_can_show_every_reason(type: str, reason: str) -> None:
    message = render(channel(type), notify(reason=reason), ADDRESSES)
    assert message.title == "[critical] Opened: EU<FEED> is missing"
    json.dumps(preview(channel(type), notify(reason=reason)))


def test_instants_that_no_calendar_has_and_groups_that_are_none_are_shown_as_they_are() -> None:
    strange = ALERT | {"breach_ms": 1 << 61, "groups": ["market"]}
    message = render(channel("email"), notify(alerts=[strange]), ADDRESSES)
    assert f"since {1 << 61} ms" in message.text
    assert "market" not in message.text


@pytest.mark.parametrize("type", TYPES)
def test_a_notification_of_which_almost_everything_is_missing_can_be_shown(type: str) -> None:
    assert render(channel(type), {"id": "n"}, Addresses()).title


@pytest.mark.parametrize(("reason", "offered"), [("opened", True), ("reminder", True), ("resolved", False)])
def test_a_link_to_acknowledge_is_offered_only_where_an_answer_is_wanted(reason: str, offered: bool) -> None:
    for type in ("email", "slack", "teams", "webhook", "sms"):
        shown = json.dumps(preview(channel(type), notify(reason=reason), ADDRESSES))
        assert ("/ack/TOKEN" in shown) is offered, type


def test_mail_has_what_happened_in_text_and_escaped_in_html() -> None:
    message = render(channel("email"), notify(count=25), ADDRESSES)
    for word in ("since 2026-03-02 08:00:00 UTC", "explains 3 more", "runbooks/feed.md", "and 24 more"):
        assert word in message.text
        assert word in message.html
    assert "desk: a&b" in message.text
    assert "EU&lt;FEED&gt;" in message.html
    assert "EU<FEED>" not in message.html


@pytest.mark.parametrize(
    ("reason", "answered", "said"),
    [
        ("opened", None, True),
        ("escalated", None, True),
        ("reminder", 1_772_438_400_000, False),
        ("resolved", None, False),
    ],
)
def test_mail_says_by_when_an_answer_is_wanted_as_long_as_one_is(reason: str, answered: int | None, said: bool) -> None:
    alert = ALERT | {"respond_by_ms": 1_772_438_700_000, "answered_ms": answered}
    message = render(channel("email"), notify(reason=reason, alerts=[alert]), ADDRESSES)
    for text in (message.text, message.html):
        assert ("to be answered by 2026-03-02 08:05:00 UTC" in text) is said


def test_times_are_in_the_readers_zone_where_it_is_known() -> None:
    assert "09:00:00 CET" in render(channel("email"), notify(), ADDRESSES, "Europe/Amsterdam").text
    assert "08:00:00 UTC" in render(channel("email"), notify(), ADDRESSES, "Nowhere/Land").text


def test_a_slack_message_mentions_nobody_by_accident() -> None:
    payload = render(channel("slack"), notify(alerts=[{**ALERT, "summary": "<!channel> & more"}]), ADDRESSES).payload
    assert "<!channel>" not in json.dumps(payload)
    assert payload["blocks"][2]["elements"][0]["url"].endswith("/ack/TOKEN")


def test_a_teams_card_has_buttons_that_open_links() -> None:
    payload = render(channel("teams"), notify(), ADDRESSES).payload
    card = payload["attachments"][0]["content"]
    assert [(one["type"], one["title"]) for one in card["actions"]] == [
        ("Action.OpenUrl", "Acknowledge"),
        ("Action.OpenUrl", "Open"),
    ]


@pytest.mark.parametrize(
    ("reason", "action"),
    [("opened", "trigger"), ("escalated", "trigger"), ("acknowledged", "acknowledge"), ("resolved", "resolve")],
)
def test_a_pager_event_keeps_its_key_from_trigger_to_resolve(reason: str, action: str) -> None:
    event = render(channel("pagerduty"), notify(reason=reason, title="x" * 2000), ADDRESSES).payload
    assert (event["event_action"], event["dedup_key"]) == (action, "key-1")
    if action == "trigger":
        assert len(event["payload"]["summary"]) == 1024
        assert event["payload"]["severity"] == "critical"


def test_a_webhook_gets_the_notification_or_what_its_template_makes_of_it() -> None:
    assert json.loads(render(channel("webhook"), notify(), ADDRESSES).body)["acknowledge_url"].endswith("TOKEN")
    own = channel("webhook", body='{"what": {{ title | tojson }}, "rev": {{ notification.revs.f1 }}}')
    assert json.loads(render(own, notify(), ADDRESSES).body) == {"what": "Opened: EU<FEED> is missing", "rev": 7}


def test_own_templates_take_the_place_of_those_that_are_shipped() -> None:
    own = {"title": "{{ count }}x\n{{ severity }}", "text": "hello {{ person }}", "html": "<b>{{ title }}</b>"}
    message = render(channel("email", templates=own), notify(person="anna"), ADDRESSES)
    assert (message.title, message.text) == ("1x critical", "hello anna")
    assert message.html == "<b>Opened: EU&lt;FEED&gt; is missing</b>"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ titel }}", "'titel' is undefined"),
        ("{% if %}", "line 1"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ alerts.append(1) }}", "not safely callable|unsafe"),
        ("{{ 'x' * 300000 }}", "gave 300000 characters"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_template_at_fault_is_named_and_can_do_no_harm(template: str, says: str) -> None:
    with pytest.raises(RenderError, match=says):
        render(channel("email", templates={"text": template}), notify(), ADDRESSES)


def test_a_channel_of_a_type_that_this_version_doesnt_know_is_named() -> None:
    with pytest.raises(RenderError, match="'pigeon' is no type"):
        render(channel("pigeon"), notify(), ADDRESSES)


def test_a_key_with_markdown_in_it_makes_no_link_in_a_card_of_teams() -> None:
    message = render(channel("teams"), notify(title="[Sign in again](https://evil.example)"), ADDRESSES)
    assert message.payload is not None
    title, _ = message.payload["attachments"][0]["content"]["body"]
    assert title["text"] == r"\[critical\] \[Sign in again\](https://evil.example)"
