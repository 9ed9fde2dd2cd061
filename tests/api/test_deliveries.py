"""What was given up is tried again when somebody asks; what can't be is refused with the reason."""

from __future__ import annotations

import orjson
import pytest
from starlette.testclient import TestClient

from api.store import Store, StoreError
from tests.api.alertrows import delivery
from tests.api.job import Job
from tests.api.rows import T0, insert

ID = "n" * 32
URL = f"/api/v1/deliveries/{ID}/retry"


@pytest.mark.parametrize("outcome", ["dead", "called_off"])
def test_what_was_given_up_or_called_off_is_handed_to_the_dispatcher(
    client: TestClient, job: Job, store: Store, outcome: str
) -> None:
    insert(store, "deliveries", delivery(outcome="retry"), delivery(attempt=2, at_ms=T0 + 1, outcome=outcome))
    assert (answer := client.post(URL)).status_code == 202
    assert answer.json() == {"id": ID}
    told = orjson.loads(job.sent[0].value or b"")
    assert (told["type"], told["id"], told["who"]) == ("retry", ID, "operator")
    [entry] = client.get("/api/v1/audit", params={"subject": "delivery/"}).json()["items"]
    assert (entry["who"], entry["action"], entry["subject"]) == ("operator", "retry", f"delivery/{ID}")


@pytest.mark.parametrize(
    ("outcome", "why"),
    [("sent", "it was sent"), ("retry", "tried again already"), ("superseded", "over before"), ("failed", "a test")],
)
def test_what_there_is_nothing_to_try_of_is_refused_with_the_reason(
    client: TestClient, job: Job, store: Store, outcome: str, why: str
) -> None:
    insert(store, "deliveries", delivery(outcome=outcome))
    answer = client.post(URL)
    assert (answer.status_code, why in answer.json()["detail"]) == (409, True)
    assert (job.sent, client.get("/api/v1/audit").json()["items"]) == ([], [])


def test_what_nobody_knows_of_is_a_404(client: TestClient, job: Job) -> None:
    answer = client.post("/api/v1/deliveries/unknown/retry")
    assert (answer.status_code, "'unknown'" in answer.json()["detail"]) == (404, True)
    assert job.sent == []


def test_while_clickhouse_is_away_the_dispatcher_decides(
    client: TestClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreError("ClickHouse does not answer")

    monkeypatch.setattr(Store, "query", away)
    assert client.post(URL).status_code == 202
    assert len(job.sent) == 1
