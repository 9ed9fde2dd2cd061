"""The screen of rules without JavaScript: a text field, buttons, and the same refusals in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.screens.rule import drawing
from api.store import Store
from tests.api.job import Job
from tests.api.test_rules_history import happened
from tests.api.test_rules_versions import TEXT, URL, eyes, longer, put, quick_hashes, signed_in

__all__ = ["eyes", "quick_hashes"]
PAGE = "/rules/trade"


def press(client: TestClient, what: str, text: str = TEXT, path: str = PAGE, **more: Any) -> Any:
    """Send the editor's form by one of its buttons; the answer behind the redirect."""
    return client.post(path, data={"do": what, "text": text, **more})


def mark_in(page: str) -> str:
    """The mark of the draft that a page shows."""
    [mark] = re.findall(r'name="draft" value="([0-9a-f]{16})"', page)
    return str(mark)


def test_a_rule_is_written_checked_put_changed_and_rolled_back(client: TestClient, job: Job) -> None:
    assert "workflow: my_workflow" in client.get("/new-rule").text
    assert "fault" in press(client, "check", TEXT.replace("send:", "sned:"), "/new-rule").text
    new = press(client, "put", TEXT, "/new-rule", why="a new desk")
    assert new.url.path == PAGE
    assert "In force" in new.text
    assert press(client, "put", longer("6m"), known="1").status_code == 200
    page = client.get(PAGE).text
    assert "deadlines.reply.within: 5m becomes 6m" in page
    assert "a new desk" in page
    press(client, "rollback:1", known="2")
    assert client.get(URL).json()["text"] == TEXT
    assert "withdrawn" in press(client, "withdraw", known="3").text
    assert "withdrawn" in client.get("/rules").text


def test_a_lost_update_is_told_and_the_text_is_not_lost(client: TestClient, job: Job) -> None:
    put(client)
    put(client, longer("6m"), 1)
    page = press(client, "put", longer("7m"), known="1")
    assert page.status_code == 422
    assert "revision 2" in page.text
    assert "within: 7m" in page.text


def test_what_people_write_is_shown_and_never_run(client: TestClient, job: Job) -> None:
    evil = "</textarea><script>alert(1)</script>"
    for page in (
        press(client, "check", evil),
        press(client, "put", f"{TEXT}description: '{evil}'\n", why=evil),
        client.get("/rules"),
    ):
        assert "<script>alert" not in page.text
        assert "style=" not in page.text


def test_without_a_script_a_simulation_comes_anew_until_it_is_done(client: TestClient, store: Store, job: Job) -> None:
    happened(store)
    put(client)
    page = press(client, "simulate", days="3000")
    assert re.search(r"/rules/trade/simulations/[0-9a-f]{16}$", page.url.path)
    for _ in range(600):
        if 'data-state="done"' in page.text:
            break
        assert 'http-equiv="refresh"' in page.text
        page = client.get(page.url.path)
    assert "This rule would have raised" in page.text
    assert "within: 5m" in press(client, "check", TEXT).text


def test_a_graph_is_drawn_of_what_can_be_understood() -> None:
    drawn = drawing(TEXT)
    assert drawn is not None
    assert [node["name"] for node in drawn["nodes"]] == ["send", "reply"]
    assert [(line["from"], line["to"], line["due"]) for line in drawn["lines"]] == [("send", "reply", "≤ 5m")]
    broken = drawing(TEXT + "flow: [send -> reply, 'send ->', reply -> nowhere, 7]\n")
    assert broken is not None
    assert len(broken["lines"]) == 1
    assert drawing("workflow: w") is None
    many = "\n".join(f"  s{number}: {{on: a}}" for number in range(500))
    assert drawing(f"steps:\n{many}") is None


@given(st.text(alphabet="ab:-[]{}&*!|> \n\"'", max_size=80))
@settings(max_examples=60, deadline=None, database=None)
def test_no_text_breaks_the_drawing(text: str) -> None:
    drawing(text)
    drawing(f"steps: {{{text}}}\nflow: [{text}]")
    drawing(f"steps: {{a: {{on: x}}, b: {text}}}\nflow:\n- {text}\n- a -> b\ndeadlines: [{text}]")


def test_viewers_read_and_editors_change(eyes: TestClient) -> None:
    signed_in(eyes, "anna", "editor")
    assert "Kept as a draft" in press(eyes, "put", TEXT, "/new-rule").text
    assert "Waiting for approval" in eyes.get("/rules").text
    signed_in(eyes, "ben", "editor")
    page = eyes.get(PAGE)
    assert "within: 5m" in page.text, "whoever approves a new rule reads it first"
    assert 'value="approve"' not in eyes.get("/rules").text
    assert press(eyes, "approve").status_code == 422, "without saying which draft"
    assert "Kept." in press(eyes, "approve", draft=mark_in(page.text)).text
    signed_in(eyes, "vera", "viewer")
    page = eyes.get(PAGE)
    assert page.status_code == 200
    assert "Put in force" not in page.text
    assert press(eyes, "put").status_code == 403


@pytest.mark.parametrize("what", ["", "nothing", "rollback:x", "rollback:99999999999", "approve", "discard", "enable"])
def test_what_the_page_never_asks_for_is_refused_in_words(client: TestClient, job: Job, what: str) -> None:
    put(client)
    assert press(client, what).status_code == 422


def test_the_schema_that_completes_words_is_the_languages_own(client: TestClient) -> None:
    assert "deadlines" in client.get("/api/v1/schemas/workflow").json()["properties"]
