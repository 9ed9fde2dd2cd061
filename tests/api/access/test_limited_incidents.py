"""Somebody with limits acts on incidents whose alerts are all theirs; of all others nothing is touched."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.store import Store
from tests.api.access.conftest import signed_in
from tests.api.access.test_limited_operators import LIMITED
from tests.api.alertrows import alert, incident, logged
from tests.api.job import Job
from tests.api.rows import T0, insert

OWN, SECOND, SHARED, OTHERS = "o" * 32, "p" * 32, "s" * 32, "z" * 32
URL = "/api/v1/incidents"


def name(letter: str, number: int) -> str:
    return f"{letter}{number}".ljust(32, "0")


@pytest.fixture
def desk(guarded: TestClient, store: Store) -> TestClient:
    """Four incidents of two alerts each: two of acme, one of both customers, one of zorg."""
    acme = {"workflow": "ours", "groups": {"customer": "acme"}}
    zorg = {"workflow": "others", "groups": {"customer": "zorg"}}
    for letter, id, whose in (
        ("a", OWN, (acme, acme)),
        ("b", SECOND, (acme, acme)),
        ("c", SHARED, (acme, zorg)),
        ("d", OTHERS, (zorg, zorg)),
    ):
        insert(store, "incidents", incident(id=id, alerts=2, title=f"incident {letter}"))
        rows = [alert(id=name(letter, number), incident=id, **one) for number, one in enumerate(whose)]
        insert(store, "alerts", *rows)
    insert(store, "alerts", alert(id=name("e", 0), **acme), alert(id=name("f", 0), **zorg))
    return guarded


@pytest.fixture
def job(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(desk, monkeypatch)


@pytest.fixture(params=LIMITED)
def anna(desk: TestClient, request: pytest.FixtureRequest) -> TestClient:
    return signed_in(desk, "anna", "operator", LIMITED[request.param])


def test_what_is_done_to_an_incident_of_their_own_is_done_and_to_any_other_is_not(anna: TestClient, job: Job) -> None:
    bodies = {"note": {"text": "on it"}, "resolve": {"why": "over"}, "merge": {"alerts": [SECOND, name("e", 0)]}}
    for kind, body in bodies.items():
        answer = anna.post(f"{URL}/{OWN}/{kind}", json=body)
        assert answer.status_code == 200, (kind, answer.text)
        shared = anna.post(f"{URL}/{SHARED}/{kind}", json=body)
        assert shared.status_code == 403, kind
        assert "holds alerts outside of your limits" in shared.json()["detail"]
        for other in (OTHERS, "n" * 32):
            answer = anna.post(f"{URL}/{other}/{kind}", json=body)
            assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no incident '{other}'."), kind
    note, resolve, merge = job.actions
    assert (note["kind"], note["incident"], note["text"]) == ("incident_note", OWN, "on it")
    assert (resolve["kind"], resolve["alerts"]) == ("resolve", [name("a", 0), name("a", 1)]), "by name, and no other"
    assert (merge["kind"], merge["incident"]) == ("incident_merge", OWN)
    assert merge["alerts"] == [name("b", 0), name("b", 1), name("e", 0)]


@pytest.mark.parametrize(
    ("ids", "status"),
    [([SHARED], 403), ([name("c", 0)], 403), ([OTHERS], 404), ([name("f", 0)], 404), ([SECOND, name("d", 0)], 404)],
)
def test_an_incident_takes_in_nothing_that_is_others_too(
    anna: TestClient, job: Job, ids: list[str], status: int
) -> None:
    assert anna.post(f"{URL}/{OWN}/merge", json={"alerts": ids}).status_code == status
    assert job.actions == []


def test_an_alert_that_has_gone_to_another_customer_makes_an_incident_shared(
    desk: TestClient, store: Store, job: Job
) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    assert desk.get(f"{URL}/{OWN}").status_code == 200
    moved = alert(id=name("a", 0), incident=OWN, workflow="ours", groups={"customer": "zorg"}, rev=T0 << 21)
    insert(store, "alerts", moved)
    assert desk.get(f"{URL}/{OWN}").status_code == 404, "what it was before doesn't count"
    assert desk.post(f"{URL}/{OWN}/resolve").status_code == 403
    assert [row["id"] for row in desk.get(URL).json()["items"]] == [SECOND]
    assert job.actions == []


def test_the_status_page_is_everybodys(desk: TestClient, store: Store, job: Job) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    public = desk.post(f"{URL}/{OWN}/note", json={"text": "sorry", "public": True})
    assert public.status_code == 403
    assert "status page" in public.json()["detail"]
    insert(store, "incidents", incident(id=OWN, alerts=2, public=1, note="We look into it.", rev=T0 << 21))
    assert desk.post(f"{URL}/{OWN}/note", json={"text": "psst"}).status_code == 403, "it would take that one away"
    assert job.actions == []


def test_a_note_is_read_in_the_log_of_an_alert_by_whoever_sees_the_incident(desk: TestClient, store: Store) -> None:
    for letter, id in (("a", OWN), ("c", SHARED)):
        note = logged(alert=name(letter, 0), what="noted", why=f"zorg is late ({letter})", who="ben", incident=id)
        insert(store, "alertlog", note)
    said = {"a": "zorg is late (a)", "c": "about an incident that others' alerts belong to as well"}
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    for letter, why in said.items():
        assert [row["why"] for row in desk.get(f"/api/v1/alerts/{name(letter, 0)}/log").json()] == [why]
    signed_in(desk, "ops", "operator", Limits())
    assert desk.get(f"/api/v1/alerts/{name('c', 0)}/log").json()[0]["why"] == "zorg is late (c)"


def test_one_that_has_ended_is_refused_and_without_limits_the_job_decides(
    desk: TestClient, store: Store, job: Job
) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    ours = {"incident": OWN, "workflow": "ours", "groups": {"customer": "acme"}, "state": "resolved", "rev": T0 << 21}
    insert(store, "alerts", *(alert(id=name("a", number), **ours) for number in range(2)))
    answer = desk.post(f"{URL}/{OWN}/resolve")
    assert (answer.status_code, "resolved already" in answer.json()["detail"]) == (409, True)
    signed_in(desk, "ops", "operator", Limits())
    for id in (OWN, SHARED, "n" * 32):
        assert desk.post(f"{URL}/{id}/resolve").status_code == 200
    assert [action["kind"] for action in job.actions] == ["incident_resolve"] * 3


def test_the_page_offers_what_may_be_done(desk: TestClient) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    assert f'data-api="/api/v1/incidents/{OWN}/note"' in desk.get(f"/incidents/{OWN}").text
    signed_in(desk, "vera", "viewer", LIMITED["by group"])
    assert "/note" not in desk.get(f"/incidents/{OWN}").text


@pytest.mark.parametrize("path", ["/", "/alerts", f"/alerts/{name('a', 0)}", f"/alerts/{name('c', 0)}"])
def test_no_page_leads_to_an_incident_that_is_not_shown(anna: TestClient, path: str) -> None:
    page = anna.get(path).text
    assert f"/incidents/{SHARED}" not in page
    for id in {OWN, SECOND} & set(re.findall(r"/incidents/([\w-]+)", page)):
        assert anna.get(f"/incidents/{id}").status_code == 200
    told = anna.get("/api/v1/alerts").json()["items"]
    assert {row["incident"] for row in told} == {OWN, SECOND, ""}
    assert anna.get(f"/api/v1/alerts/{name('c', 0)}").json()["incident"] == ""
