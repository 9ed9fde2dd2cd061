"""`daymark rules`: says what really became of a rule, and scripts can tell by the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands import rules

PACK = Path(__file__).parents[2] / "rules" / "trade_lifecycle"


class Api:
    """Answers as the API does: `outcome` to a change, `refused` when asked for the revision, the second time on."""

    def __init__(self) -> None:
        self.outcome, self.refused, self.asked = "sent", "", 0
        self.revision, self.known = 0, [""]

    def tell(self, state: Any, method: str, path: str, body: Any, if_match: str) -> Any:
        self.known.append(if_match)
        if not if_match:
            told = httpx.Response(
                409, json={"detail": "It is in revision 2."}, request=httpx.Request(method, "http://x")
            )
            told.raise_for_status()
        revision = None if self.outcome == "waits" else 3
        return {"workflow": path.partition("/")[2], "version": 1, "revision": revision, "outcome": self.outcome}

    def ask(self, state: Any, path: str) -> Any:
        if path == "rules/trade_lifecycle":
            return {"revision": self.revision}
        assert path == "rules/trade_lifecycle/versions/3"
        self.asked += 1
        return {"refused": self.refused if self.asked > 1 else ""}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(rules, "Home", lambda: SimpleNamespace(require_running=lambda: None))
    monkeypatch.setattr(rules, "tell", made.tell)
    monkeypatch.setattr(rules, "ask", made.ask)
    monkeypatch.setattr(rules, "EVERY_S", 0.001)
    return made


def put(*more: str) -> Result:
    return CliRunner().invoke(app, ["rules", "put", str(PACK), "--wait", "0.05", *more])


def withdraw(*more: str) -> Result:
    return CliRunner().invoke(app, ["rules", "withdraw", "trade_lifecycle", *more])


def test_a_rule_that_is_sent_and_not_refused_is_put_in_force(api: Api) -> None:
    result = put()
    assert (result.exit_code, "put in force" in result.output) == (0, True)
    assert withdraw().exit_code == 0


def test_what_the_pack_gave_is_replaced_and_what_somebody_changed_only_if_that_is_said(api: Api) -> None:
    assert put().exit_code == 0
    assert api.known[-1] == '"0"'
    api.revision = 2
    result = put()
    assert result.exit_code == 1
    assert "It is in revision 2. Or give --overwrite." in result.output.replace("\n", " ")
    assert put("--overwrite").exit_code == 0
    assert api.known[-1] == "*"


@pytest.mark.parametrize(("outcome", "word"), [("waits", "another person"), ("pending", "Kafka can't be reached")])
def test_what_waits_is_not_called_in_force(api: Api, outcome: str, word: str) -> None:
    api.outcome = outcome
    for result in (put(), withdraw()):
        assert result.exit_code == 5
        assert word in result.output.replace("\n", " ")
        assert "in force" not in result.output
        assert "withdrawn" not in result.output
    assert api.asked == 0, "the job can't have refused what it hasn't got"


def test_what_the_job_refuses_is_a_failure_with_its_reason(api: Api) -> None:
    api.refused = "workflow trade_lifecycle: `remember` is too short"
    result = put()
    assert result.exit_code == 1
    assert "the job refused it: workflow trade_lifecycle: `remember` is too short" in result.output
    [row] = json.loads(put("--json").stdout)
    assert (row["outcome"], row["refused"]) == ("sent", api.refused)


def test_nobody_has_to_wait(api: Api) -> None:
    assert CliRunner().invoke(app, ["rules", "put", str(PACK), "--wait", "0"]).exit_code == 0
    assert api.asked == 0


def test_an_answer_of_a_proxy_is_told_by_its_status(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **known: object) -> Any:
        request = httpx.Request("PUT", "http://127.0.0.1/")
        httpx.Response(502, text="<html>", request=request).raise_for_status()

    monkeypatch.setattr(rules, "tell", refuse)
    result = put()
    assert (result.exit_code, "502" in result.output) == (1, True)
