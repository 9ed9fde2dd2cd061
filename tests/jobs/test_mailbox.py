"""The demo's mail server: a mail is a page whose link can be clicked."""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

from api.stack import ports, process
from jobs.mailbox import Keeper
from tests.kafka_help import eventually

ROOT = Path(__file__).resolve().parents[2]


def mail(id: str = "<n1@x>", subject: str = "[high] ../../etc: late") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "daymark@example.com", "anna@example.com", subject
    made["Message-ID"], made["Date"] = id, "Mon, 02 Mar 2026 08:00:00 +0000"
    made.set_content("text")
    made.add_alternative('<a href="https://d.example/ack/TOKEN">Acknowledge</a>', subtype="html")
    return made


def test_a_mail_becomes_a_page_and_a_file_whose_names_stay_in_the_folder(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "box")
    for _ in range(2):
        keeper.keep(bytes(mail()), ["anna@example.com"])
    keeper.keep(bytes(mail("<n2@x>")), ["anna@example.com"])
    keeper.keep(b"no mail at all", [])
    pages = sorted((tmp_path / "box").glob("20260302*.html"))
    assert [page.name for page in pages] == [
        "20260302-080000-anna@example.com-high-..-..-etc-late-n1x.html",
        "20260302-080000-anna@example.com-high-..-..-etc-late-n2x.html",
    ]
    assert "ack/TOKEN" in pages[0].read_text()
    assert len(list((tmp_path / "box").iterdir())) == 6
    assert [one.name for one in tmp_path.iterdir()] == ["box"]


def test_the_mail_server_takes_mail_by_smtp(tmp_path: Path) -> None:
    port = ports.free()
    command = [sys.executable, "-m", "jobs.mailbox", "--port", str(port), "--folder", str(tmp_path / "box")]
    running = process.start(command, tmp_path / "mailbox.log", {"PYTHONPATH": str(ROOT)})
    try:
        eventually(lambda: not ports.is_free(port))
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(mail())
        assert len(list((tmp_path / "box").glob("*.eml"))) == 1
    finally:
        process.stop(running)
