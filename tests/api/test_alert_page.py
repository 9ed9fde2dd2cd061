"""An alert's page: what holds the alert, how old an answer to it is, and what can be done about it there."""

from __future__ import annotations

import re
import time

import pytest
from starlette.testclient import TestClient

from api.store import Store
from tests.api.test_alertmanager import moment, silence
from tests.api.test_with_the_core_of_alerts import DeskJob, only
from tests.api.test_with_the_core_of_alerts import desk as desk


@pytest.fixture
def page(client: TestClient, desk: DeskJob, store: Store) -> str:
    """The address of the page of an alert that is open."""
    desk.find(id="1" * 32)
    return f"/alerts/{only(client)['id']}"


def fact(text: str, name: str) -> str:
    """What the page says of one fact, without its tags; "" if it says nothing."""
    found = re.search(rf"<dt>{name}</dt><dd[^>]*>(.*?)</dd>", text)
    return re.sub("<.*?>", "", found[1]) if found else ""


def offered(text: str) -> set[str]:
    """The actions that the page offers."""
    return set(re.findall(r'data-api="/api/v1/alerts/\w+/(\w+)"', text))


def test_it_tells_who_acknowledged_how_long_ago_and_no_escalation_after_that(client: TestClient, page: str) -> None:
    assert fact(client.get(page).text, "next escalation")
    client.post(f"/api/v1{page}/ack", json={"until": moment(time.time() + 3_600)})
    text, acked = client.get(page).text, only(client)["acked_ms"]
    assert re.search(r"\d\d:\d\d:\d\d by .+, until", fact(text, "acknowledged"))
    assert f'data-until="{acked}"' in text, "static/times.js makes that: 2 h ago"
    assert fact(text, "next escalation") == ""
    assert f'data-until="{acked}"' in client.get("/alerts").text


def test_it_tells_which_silence_or_person_keeps_it_quiet(client: TestClient, page: str) -> None:
    name = client.post("/api/v2/silences", json=silence()).json()["silenceID"]
    text = client.get(page).text
    assert fact(text, "kept quiet by").startswith(f"silence {name}, until ")
    assert fact(text, "next escalation") == ""
    client.delete(f"/api/v2/silence/{name}")
    assert fact(client.get(page).text, "kept quiet by") == ""
    client.post(f"/api/v1{page}/suppress", json={"until": moment(time.time() + 3_600)})
    assert fact(client.get(page).text, "kept quiet by").startswith(f"{only(client)['suppressed_by']}, until ")


def test_all_that_can_be_done_to_an_alert_can_be_done_there(client: TestClient, page: str) -> None:
    text = client.get(page).text
    assert offered(text) == {"ack", "unack", "suppress", "unsuppress", "escalate", "resolve", "assign", "comment"}
    assert 'data-field="text" required' in text
    client.post(f"/api/v1{page}/comment", json={"text": "the <b>vendor</b> is called"})
    assert "the &lt;b&gt;vendor&lt;/b&gt; is called" in client.get(page).text
