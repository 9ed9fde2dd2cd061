"""Two who are called alike are two: what one has open, has begun or has asked for is not the other's."""

from __future__ import annotations

import pytest
from fastapi.responses import StreamingResponse
from starlette.testclient import TestClient

from api import live
from api.access import tokens
from api.access.roles import Limits
from api.backtests import Job as Simulation
from api.clock import now_ms
from api.problems import ProblemError
from api.routes.rulehistory import found
from tests.api.access.conftest import put_user, records_of
from tests.api.access.test_open_streams import context_for
from tests.api.job import Job

SCOPES = frozenset({"read", "act", "rules"})


@pytest.fixture
def secrets(guarded: TestClient) -> list[str]:
    """Two tokens of one person, of one name: in lists and in the audit they read alike."""
    put_user(records_of(guarded), "anna", "editor")
    made = []
    with records_of(guarded).transaction() as tx:
        for _ in range(2):
            made.append(tokens.create(tx, "anna", "t", SCOPES, Limits(), 1, "anna", "", now_ms())[1])
    return made


def test_one_of_two_who_are_called_alike_takes_no_screen_from_the_other(
    guarded: TestClient, secrets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_OPEN", 1)
    one, other = (context_for(guarded, authorization=f"Bearer {secret}") for secret in secrets)
    assert one.who is not None
    assert other.who is not None
    assert one.who.name == other.who.name
    one.live.open[one.account] += 1
    with pytest.raises(ProblemError, match="Close some"):
        one.watch(("wall",), lambda: "")
    assert isinstance(other.watch(("wall",), lambda: ""), StreamingResponse)
    other.live.open.clear()
    other.live.open[other.account] += 1
    assert guarded.get("/api/v1/alerts/live", headers={"Authorization": f"Bearer {secrets[1]}"}).status_code == 429


def test_a_simulation_is_there_for_who_began_it_and_for_nobody_of_the_same_name(
    guarded: TestClient, secrets: list[str]
) -> None:
    one, other = (context_for(guarded, authorization=f"Bearer {secret}") for secret in secrets)
    job = Simulation("trade", "main", None, {"steps": {}}, 0, 0, 1, [])
    begun = one.backtests.start(one.store, one.account, job, "")
    assert found(one, "trade", begun.id) is begun
    with pytest.raises(ProblemError, match="no such simulation of yours"):
        found(other, "trade", begun.id)
    one.backtests.close()


def test_the_same_idempotency_key_of_two_who_are_called_alike_is_two_actions(
    guarded: TestClient, secrets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(guarded, monkeypatch)
    for secret in (*secrets, secrets[0]):
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"}
        assert guarded.post(f"/api/v1/alerts/{'a' * 32}/ack", headers=headers).status_code == 200
    assert len(job.actions) == len({action["id"] for action in job.actions}) == 2
