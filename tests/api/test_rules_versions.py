"""Rules with their revisions: who changed what and why, no lost update, and two people where two must look."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api import rulechanges
from api.access.roles import Limits
from api.clock import now_ms
from api.settings import Settings
from tests.api.access.conftest import quick_hashes, signed_in
from tests.api.job import Job
from tests.api.test_imports import zipped

__all__ = ["quick_hashes"]
PACK = Path(__file__).parents[2] / "rules" / "trade_lifecycle"
TEXT = """\
# follows trades
workflow: trade
key: trade_id
steps:
  send:  {on: sent, start: true}
  reply: {on: replied}
deadlines:
  - {id: reply, after: send, expect: reply, within: 5m}
"""
MAPPING = b"source: trades\nkeys: {trade_id: data.id}\n"
URL = "/api/v1/rules/trade"


def longer(span: str) -> str:
    return TEXT.replace("5m", span)


def put(client: TestClient, text: str = TEXT, known: int | None = None, **more: Any) -> Any:
    headers = {} if known is None else {"If-Match": f'"{known}"'}
    return client.put(URL, json={"text": text, **more}, headers=headers)


def approve(client: TestClient) -> Any:
    """Read the draft, and approve it."""
    seen = client.get(f"{URL}/draft").headers.get("ETag", "")
    return client.post(f"{URL}/draft/approve", headers={"If-Match": seen})


def sent(job: Job) -> list[Any]:
    return [record.value and orjson.loads(record.value) for record in job.sent if record.topic.endswith(".rules")]


def test_a_text_is_put_and_kept_with_who_when_and_why(client: TestClient, job: Job) -> None:
    answer = put(client, why="replies are late since Monday")
    assert (answer.status_code, answer.headers["ETag"], answer.json()["outcome"]) == (202, '"1"', "sent")
    assert [one["definition"]["workflow"] for one in sent(job)] == ["trade"]
    found = client.get(URL)
    assert found.headers["ETag"] == '"1"'
    assert found.json()["text"] == TEXT, "with its comments"
    [row] = client.get(f"{URL}/versions").json()
    assert (row["who"], row["why"], row["action"]) == ("local", "replies are late since Monday", "put")
    assert [one["workflow"] for one in client.get("/api/v1/rules").json()] == ["trade"]


def test_a_lost_update_is_refused(client: TestClient, job: Job) -> None:
    put(client)
    assert put(client, longer("6m")).status_code == 409, "whoever doesn't say what he changes"
    assert put(client, longer("6m"), 1).status_code == 202
    late = put(client, longer("7m"), 1)
    assert (late.status_code, "revision 2" in late.json()["detail"]) == (409, True)
    definition = {"workflow": "trade", "key": "id", "steps": {"a": {"on": "a", "start": True}}}
    for unsaid in (
        client.put(URL, json={"definition": definition}),
        client.delete(URL),
        client.post(f"{URL}/rollback", json={"revision": 1}),
        client.post("/api/v1/packs", content=zipped({"workflow.yaml": TEXT.encode(), "mapping.yaml": MAPPING})),
    ):
        assert unsaid.status_code == 409, unsaid.text
    assert client.put(URL, json={"text": TEXT}, headers={"If-None-Match": "*"}).status_code == 412
    assert client.put(URL, json={"text": TEXT}, headers={"If-Match": "2"}).status_code == 412
    assert len(sent(job)) == 2


def test_only_if_it_is_not_there_yet_is_taken_at_its_word(client: TestClient, with_pack: TestClient, job: Job) -> None:
    new = {"If-None-Match": "*"}
    assert client.put(URL, json={"text": TEXT}, headers=new).status_code == 202
    assert client.put(URL, json={"text": TEXT}, headers=new).status_code == 412
    client.delete(URL, headers={"If-Match": "*"})
    assert client.put(URL, json={"text": TEXT}, headers=new).status_code == 202, "what was withdrawn isn't there"
    url = "/api/v1/rules/trade_lifecycle"
    text = with_pack.get(url).json()["text"]
    assert with_pack.put(url, json={"text": text}, headers=new).status_code == 412, (
        "a pack's rule is there, in revision 0"
    )


def test_a_pack_replaces_what_is_there_only_where_that_is_said(client: TestClient, job: Job) -> None:
    put(client, longer("6m"))
    archive = zipped({"workflow.yaml": TEXT.encode(), "mapping.yaml": MAPPING})
    refused = client.post("/api/v1/packs", content=archive)
    assert (refused.status_code, "overwrite=true" in refused.json()["detail"]) == (409, True)
    assert client.post("/api/v1/packs", content=archive, params={"overwrite": True}).status_code == 200
    assert client.get(URL).json()["text"] == TEXT


def test_the_version_that_items_show_counts_on_by_itself(client: TestClient, job: Job) -> None:
    put(client)
    put(client, longer("6m"), 1)
    put(client, longer("7m") + "version: 9\n", 2)
    put(client, longer("8m") + "version: 9\n", 3)
    assert [one["version"] for one in sent(job)] == [1, 2, 9, 10]


def test_a_rollback_is_a_new_revision_with_the_old_text(client: TestClient, job: Job) -> None:
    put(client)
    put(client, longer("6m"), 1)
    back = client.post(f"{URL}/rollback", json={"revision": 1, "why": "too long"}, headers={"If-Match": '"2"'})
    assert (back.status_code, back.json()["revision"]) == (202, 3)
    assert client.get(URL).json()["text"] == TEXT
    first, _, third = sent(job)
    assert third["definition"] == first["definition"]
    assert third["version"] > first["version"]
    assert third["effective_from"] >= first["effective_from"]
    assert client.post(f"{URL}/rollback", json={"revision": 9}, headers={"If-Match": "*"}).status_code == 404


def test_a_rollback_of_what_is_only_to_come_holds_from_then_on(client: TestClient, job: Job) -> None:
    put(client)
    later = 1 << 45
    put(client, longer("6m"), 1, effective_from=later)
    client.post(f"{URL}/rollback", json={"revision": 1}, headers={"If-Match": '"2"'})
    assert sent(job)[-1]["effective_from"] == later, "else the mistake would come into force after all"


def test_a_rule_is_switched_off_and_on_and_withdrawn(client: TestClient, job: Job) -> None:
    put(client)
    assert client.post(f"{URL}/enable", json={}).status_code == 409
    assert client.post(f"{URL}/disable", json={"why": "maintenance"}).status_code == 202
    assert client.get(URL).json()["state"] == "disabled"
    assert "# follows trades" in client.get(URL).json()["text"]
    client.post(f"{URL}/enable", json={})
    gone = client.delete(URL, params={"why": "no longer traded"}, headers={"If-Match": '"3"'})
    assert gone.status_code == 202
    assert client.get(URL).json()["state"] == "withdrawn"
    assert client.post(f"{URL}/disable", json={}).status_code == 409
    assert [one and one["definition"].get("enabled") for one in sent(job)] == [None, False, True, None]
    assert put(client).status_code == 202, "what was withdrawn may be put anew"


def test_two_revisions_are_compared(client: TestClient, job: Job) -> None:
    put(client)
    put(client, longer("6m"), 1)
    diff = client.get(f"{URL}/diff", params={"older": 1}).json()
    assert [part["sentence"] for part in diff["parts"]] == ["deadlines.reply.within: 5m becomes 6m"]
    assert "+  - {id: reply" in diff["text"]
    assert diff["same_meaning"] is False
    put(client, longer("360s") + "description: other words\n", 2)
    assert client.get(f"{URL}/diff", params={"older": 2, "newer": 3}).json()["same_meaning"] is True
    assert client.get(f"{URL}/diff", params={"older": 7}).status_code == 404


@pytest.mark.parametrize("text", ["", "\t", "a: [", "workflow: trade", "- 1", "&a [*a]", TEXT.replace("5m", "soon")])
def test_every_fault_of_a_text_has_a_line_and_nothing_is_put(client: TestClient, text: str) -> None:
    verdict = client.post("/api/v1/rules/validate", json={"text": text}).json()
    assert verdict["valid"] is False
    assert verdict["problems"]
    assert put(client, text).status_code == 422
    assert client.get(URL).status_code == 404


def test_a_sound_text_is_called_valid(client: TestClient) -> None:
    assert client.post("/api/v1/rules/validate", json={"text": TEXT}).json() == {
        "valid": True,
        "workflow": "trade",
        "problems": [],
    }


@pytest.fixture
def with_pack(serve: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    return serve(settings.model_copy(update={"packs": [PACK], "mappings": [PACK]}))


def test_a_packs_rule_is_revision_0_until_it_is_overridden(with_pack: TestClient) -> None:
    url = "/api/v1/rules/trade_lifecycle"
    given = with_pack.get(url)
    assert (given.headers["ETag"], given.json()["action"]) == ('"0"', "pack")
    assert "#" in given.json()["text"]
    changed = given.json()["text"].replace("within: 5m", "within: 6m")
    assert with_pack.put(url, json={"text": changed}).status_code == 409
    assert with_pack.put(url, json={"text": changed}, headers={"If-Match": '"0"'}).json()["outcome"] == "pending"
    assert [one["revision"] for one in with_pack.get(f"{url}/versions").json()] == [1, 0]
    with_pack.post(f"{url}/rollback", json={"revision": 0}, headers={"If-Match": '"1"'})
    assert with_pack.get(url).json()["text"] == given.json()["text"]


def test_a_key_that_no_mapping_gives_is_refused_in_a_text(with_pack: TestClient) -> None:
    answer = with_pack.put(URL, json={"text": TEXT.replace("trade_id", "tarde_id")})
    assert answer.status_code == 422
    assert "did you mean `trade_id`" in answer.json()["detail"]


def test_an_exported_pack_can_be_imported_again(with_pack: TestClient) -> None:
    url = "/api/v1/rules/trade_lifecycle"
    archive = with_pack.get(f"{url}/pack").content
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert {"workflow.yaml", "mapping.yaml"} <= set(names)
    assert any(name.startswith("scenarios/") for name in names)
    assert any(name.startswith("runbooks/") for name in names)
    checked = with_pack.post("/api/v1/packs", content=archive, params={"check": True})
    assert checked.json()["workflows"][0]["workflow"] == "trade_lifecycle"
    assert with_pack.post("/api/v1/packs", content=archive, params={"overwrite": True}).status_code == 200
    assert with_pack.get(url).json()["revision"] == 1


def test_a_link_out_of_the_packs_folder_is_not_exported(
    serve: Callable[[Settings], TestClient], settings: Settings, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "workflow.yaml").write_text(TEXT)
    (tmp_path / "secret.md").write_text("secret")
    (pack / "link.md").symlink_to(tmp_path / "secret.md")
    client = serve(settings.model_copy(update={"packs": [pack]}))
    assert zipfile.ZipFile(io.BytesIO(client.get(f"{URL}/pack").content)).namelist() == ["workflow.yaml"]


@pytest.fixture
def eyes(serve: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    """An app where two people must look, and everybody signs in."""
    client = serve(settings.model_copy(update={"sign_in": "required", "rate_limit": 0, "four_eyes": True}))
    client.headers.update({"Origin": "http://127.0.0.1"})
    return client


def test_with_four_eyes_a_change_waits_for_another_person(eyes: TestClient) -> None:
    signed_in(eyes, "anna", "editor")
    assert put(eyes, why="new").json()["outcome"] == "waits"
    assert eyes.get(URL).status_code == 404
    assert eyes.get(f"{URL}/draft").json()["who"] == "anna"
    assert approve(eyes).status_code == 403, "whoever made it"
    signed_in(eyes, "ben", "editor")
    assert put(eyes, longer("6m")).status_code == 409, "one draft at a time"
    assert approve(eyes).status_code == 202
    row = eyes.get(URL).json()
    assert (row["who"], row["approved_by"], row["why"]) == ("anna", "ben", "new")
    assert approve(eyes).status_code == 404


def test_what_is_approved_is_what_was_read(eyes: TestClient) -> None:
    signed_in(eyes, "anna", "editor")
    put(eyes)
    read = eyes.get(f"{URL}/draft").headers["ETag"]
    put(eyes, longer("90m"))
    signed_in(eyes, "ben", "editor")
    for seen in ({}, {"If-Match": read}, {"If-Match": "*"}):
        assert eyes.post(f"{URL}/draft/approve", headers=seen).status_code == 409
    assert eyes.get(URL).status_code == 404
    assert approve(eyes).status_code == 202
    assert eyes.get(URL).json()["text"] == longer("90m")


@pytest.mark.parametrize("path", ["disable", "rollback"])
def test_what_is_approved_later_holds_from_then_on(
    eyes: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    signed_in(eyes, "anna", "editor")
    put(eyes, effective_from=0)
    signed_in(eyes, "ben", "editor")
    approve(eyes)
    body = {"revision": 1} if path == "rollback" else {}
    assert eyes.post(f"{URL}/{path}", json=body, headers={"If-Match": '"1"'}).status_code == 202
    assert eyes.get(f"{URL}/draft").json()["effective_from"] is None
    signed_in(eyes, "carl", "editor")
    later = now_ms() + 60_000
    monkeypatch.setattr(rulechanges, "now_ms", lambda: later)
    assert approve(eyes).json()["effective_from"] == later, "nothing is found otherwise for the time until then"


def test_with_four_eyes_nothing_else_gets_past_them(eyes: TestClient) -> None:
    signed_in(eyes, "anna", "admin")
    put(eyes)
    token = eyes.post("/api/v1/tokens", json={"name": "t", "scopes": ["rules"], "days": 1}).json()["secret"]
    eyes.cookies.clear()
    own = {"Authorization": f"Bearer {token}"}
    assert eyes.post(f"{URL}/draft/approve", headers=own).status_code == 403, "her own token is she"
    cli = {"Authorization": f"Bearer {(eyes.app.state.context.settings.home / 'token').read_text()}"}  # type: ignore[attr-defined]
    assert eyes.post(f"{URL}/draft/approve", headers=cli).status_code == 403, "a program is no person"
    definition = {"workflow": "other", "key": "id", "steps": {"a": {"on": "a", "start": True}}}
    answer = eyes.put("/api/v1/rules/other", json={"definition": definition}, headers=cli)
    assert answer.json()["outcome"] == "waits"
    signed_in(eyes, "ben", "editor")
    assert eyes.delete(f"{URL}/draft").status_code == 200
    assert eyes.get(f"{URL}/draft").status_code == 404


def bearer(client: TestClient, name: str) -> dict[str, str]:
    """A token of whoever is signed in, under a name, as a header. Ends the session's part in what follows."""
    wanted = {"name": name, "scopes": ["rules", "read"], "days": 1}
    secret = client.post("/api/v1/tokens", json=wanted).json()["secret"]
    client.cookies.clear()
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("name", ["t", "x (token y", "t) (token u"])
def test_a_token_is_its_owner_whatever_it_is_called(eyes: TestClient, name: str) -> None:
    signed_in(eyes, "anna", "editor")
    put(eyes)
    own = bearer(eyes, name)
    assert eyes.post(f"{URL}/draft/approve", headers=own).status_code == 403, "her own draft by her own token"
    assert eyes.delete(f"{URL}/draft", headers=own).status_code == 200
    assert eyes.put(URL, json={"text": TEXT}, headers=own).json()["outcome"] == "waits"
    assert eyes.get(f"{URL}/draft", headers=own).json()["who"] == "anna"
    signed_in(eyes, "anna", "editor")
    assert eyes.post(f"{URL}/draft/approve").status_code == 403, "what her token made, by herself"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (longer("6m"), 202),
        (TEXT.replace("on: replied", "on: replied, where: {data.of: acme}"), 202),
        (TEXT.replace("on: replied", "on: zorg.replied"), 403),
        (TEXT.replace("on: replied}", "on: replied, start: true}"), 403),
        (TEXT.replace("key: trade_id", "key: order_id"), 403),
        (TEXT.replace("key: trade_id", "key: [trade_id, order_id]"), 403),
    ],
    ids=["another span", "less of a type", "another type", "items begin by it", "another key", "one more key"],
)
def test_an_editor_with_limits_puts_no_rule_by_which_he_would_see_more(
    serve: Callable[[Settings], TestClient], settings: Settings, text: str, status: int
) -> None:
    client = serve(settings.model_copy(update={"sign_in": "required", "rate_limit": 0}))
    client.headers.update({"Origin": "http://127.0.0.1"})
    signed_in(client, "root", "admin")
    assert put(client).status_code == 202
    signed_in(client, "carl", "editor", Limits(frozenset({"trade", "new"})))
    assert put(client, text, 1).status_code == status
    new = client.put("/api/v1/rules/new", json={"text": text.replace("workflow: trade", "workflow: new")})
    assert new.status_code == 403


def test_with_four_eyes_such_a_rule_waits_for_somebody_without_limits(eyes: TestClient) -> None:
    inside = Limits(frozenset({"trade"}))
    signed_in(eyes, "carl", "editor", inside)
    assert put(eyes).json()["outcome"] == "waits"
    signed_in(eyes, "cleo", "editor", inside)
    assert approve(eyes).status_code == 403
    signed_in(eyes, "ben", "editor")
    assert approve(eyes).status_code == 202


def test_somebody_with_limits_sees_and_changes_the_rules_inside_alone(eyes: TestClient) -> None:
    signed_in(eyes, "anna", "editor", Limits(frozenset({"other"})))
    assert put(eyes).status_code == 403
    signed_in(eyes, "root", "admin")
    put(eyes)
    signed_in(eyes, "ben", "admin")
    assert approve(eyes).status_code == 202
    signed_in(eyes, "carl", "viewer", Limits(frozenset({"other"})))
    assert eyes.get("/api/v1/rules").json() == []
    for path in ("", "/versions", "/versions/1", "/diff?older=1", "/pack"):
        assert eyes.get(f"{URL}{path}").status_code == 404, path
    assert eyes.post(f"{URL}/disable", json={}).status_code == 403
