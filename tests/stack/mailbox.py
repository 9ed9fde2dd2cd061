"""The mails that people get from a running stack."""

from __future__ import annotations

import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from api.stack import ports, process
from tests.kafka_help import eventually


class Mailbox:
    """The demo's mail server, which can be away for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = ports.free()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--port", str(self.port), "--folder", str(self.folder)]
        self.process = process.start([sys.executable, "-m", "jobs.mailbox", *words], self.folder.with_suffix(".log"))
        eventually(lambda: not ports.is_free(self.port))

    def stop(self) -> None:
        process.stop(self.process)

    def about(self, key: str, person: str, word: str = "") -> list[EmailMessage]:
        """The mails to somebody about a file, those that have a word in their subject."""
        mails = [message_from_bytes(one.read_bytes(), policy=policy.default) for one in self.folder.glob("*.eml")]
        whole = [one for one in mails if one["To"] and one["Subject"]]  # else it is being written
        mine = [one for one in whole if person in one["To"] and key in one["Subject"]]
        return [one for one in mine if word in one["Subject"].lower()]
