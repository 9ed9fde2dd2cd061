"""Who sends what people are told: the dispatcher, and in a demo a mailbox beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.stack.home import Home
from api.stack.parts import Options, Service
from api.stack.supervisor import Supervisor


def senders(home: Path, *traffic: str) -> list[Service]:
    supervisor = Supervisor(Home(home), Options(home=home, http_port=8421, traffic=traffic), lambda _: None)
    return [part for part in supervisor.senders if isinstance(part, Service)]


def test_a_demo_sends_its_mail_to_a_mailbox_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYMARK_SMTP", raising=False)
    mailbox, dispatcher = senders(tmp_path, "jobs.traffic.play", "trade_lifecycle")
    port = mailbox.command[list(mailbox.command).index("--port") + 1]
    assert dispatcher.env["DAYMARK_SMTP"] == f"127.0.0.1:{port}"
    assert dispatcher.env["DAYMARK_PUBLIC_URL"] == "http://127.0.0.1:8421", "its links work on this machine"


def test_a_mail_server_that_is_named_goes_before_the_mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYMARK_SMTP", "smtp.example.com:25")
    (dispatcher,) = senders(tmp_path, "jobs.traffic.play", "trade_lifecycle")
    assert dispatcher.env["DAYMARK_SMTP"] == "smtp.example.com:25"


def test_up_starts_a_dispatcher_and_no_mailbox(tmp_path: Path) -> None:
    assert [part.name for part in senders(tmp_path)] == ["dispatcher"]
