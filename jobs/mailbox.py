"""A mail server for the demo: it delivers nothing, and keeps each mail as a file, and as a page that a browser opens.

python -m jobs.mailbox --port 2525 --folder .daymark/mailbox
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from jobs import logs

HOST = "127.0.0.1"
LONGEST_NAME = 80
KEPT = 2_000
"""Pairs of files; older ones are deleted, since a demo may run for days."""

log = logging.getLogger("mailbox")


class Keeper:
    """Keeps mails in a folder, the newest last by name. One that comes again, by its id, replaces itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one mail; the answer to the client."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        try:
            name = self.keep(content, envelope.rcpt_tos)
        except OSError as error:
            log.warning("a mail can't be kept", extra={"error": str(error)})
            return "452 can't be kept now"
        log.info("mail", extra={"file": name})
        return "250 kept"

    def keep(self, content: bytes, recipients: list[str]) -> str:
        """Write a mail and its page; the name that both have. Raises OSError."""
        mail = message_from_bytes(content, policy=policy.default)
        name = _name(mail, recipients)
        html = mail.get_body(("html", "plain"))
        (self.folder / f"{name}.eml").write_bytes(content)
        (self.folder / f"{name}.html").write_text(html.get_content() if html is not None else "", encoding="utf-8")
        for old in sorted(self.folder.glob("*.*"))[: -2 * KEPT]:
            old.unlink(missing_ok=True)
        return name


def _name(mail: EmailMessage, recipients: list[str]) -> str:
    """Time, recipient and subject, as a file name."""
    sent = mail["Date"].datetime if mail["Date"] is not None else datetime.now(UTC)
    words = f"{recipients[0] if recipients else ''} {mail['Subject'] or ''}"
    plain = re.sub(r"[^A-Za-z0-9@.]+", "-", words).strip("-.")[:LONGEST_NAME]
    id = re.sub(r"[^A-Za-z0-9]", "", str(mail["Message-ID"] or ""))[:8]
    return f"{sent:%Y%m%d-%H%M%S}-{plain}-{id}"


async def serve(port: int, folder: Path) -> None:
    """Take mail on this machine until SIGTERM or SIGINT. Raises OSError if the port is taken."""
    stop, loop, keeper = asyncio.Event(), asyncio.get_running_loop(), Keeper(folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: SMTP(keeper, hostname="mailbox", loop=loop), HOST, port)
    async with server:
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Keep mails until told to stop."""
    parser = argparse.ArgumentParser(prog="jobs.mailbox", description="Keeps mails as files and delivers nothing.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args(argv)
    logs.configure("mailbox")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(options.port, options.folder))
    except OSError as error:
        print(f"jobs.mailbox: {HOST}:{options.port} can't be listened on: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
