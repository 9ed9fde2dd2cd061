"""Mail by SMTP: text and HTML, threads by alert, and headers that keep auto-responders silent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b

import aiosmtplib
from aiosmtplib.response import SMTPResponse

from jobs.channels.sender import Outgoing, Result

TIMEOUT_S = 10
PERMANENT = 500
PORTS = {"starttls": 587, "tls": 465, "none": 25}


async def send(outgoing: Outgoing) -> Result:
    """One mail to all who haven't got it yet; it is to be tried again as long as one of them is refused for now only.

    Raises SecretError, OSError, SMTPException.
    """
    tls = outgoing.setting("tls", "starttls")
    host, port = _place(outgoing.setting("server"), PORTS.get(tls, 587))
    username = outgoing.setting("username", "")
    recipients = outgoing.recipients()
    try:
        refused, _ = await aiosmtplib.send(
            compose(outgoing, recipients),
            sender=outgoing.setting("from"),
            recipients=recipients,
            hostname=host,
            port=port,
            username=username or None,
            password=outgoing.setting("password") if username else None,
            use_tls=tls == "tls",
            start_tls=tls == "starttls",
            timeout=TIMEOUT_S,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = {one.recipient: SMTPResponse(one.code, one.message) for one in error.recipients}
    except aiosmtplib.SMTPDataError as error:
        said = f"{error.code} {error.message}"
        return Result("refused" if error.code >= 550 else "failed", said, error.code)
    except aiosmtplib.SMTPResponseException as error:
        return Result("failed", f"{error.code} {error.message}", error.code)
    outgoing.taken.update(one for one in recipients if one not in refused)
    return _verdict(refused, len(outgoing.taken))


def _verdict(refused: Mapping[str, tuple[int, str]], taken: int) -> Result:
    """What it means that some recipients were refused and others have the mail, from this try or an earlier one."""
    if not refused:
        return Result("sent", "", 250)
    code, said = min(refused.values())
    told = f"{len(refused)} of {len(refused) + taken} recipients were refused: {code} {said}"
    if code < PERMANENT:
        return Result("later", told, code)
    return Result("sent" if taken else "refused", told, 250 if taken else code)


def compose(outgoing: Outgoing, recipients: list[str]) -> EmailMessage:
    """The mail. Its id is the notice's, so that one that comes twice can be told; mails of one alert are a thread."""
    notice, message = outgoing.notice, outgoing.message
    sender = outgoing.setting("from")
    domain = sender.rpartition("@")[2].strip("> ") or "daymark.invalid"
    about = notice.group or next(iter(notice.revs), "") or notice.id
    root = f"<thread.{blake2b(about.encode(), digest_size=12).hexdigest()}@{domain}>"
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(datetime.fromtimestamp(notice.at_ms / 1000, UTC))
    mail["Message-ID"] = f"<{notice.id}@{domain}>"
    mail["In-Reply-To"] = mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Daymark-Notification"] = notice.id
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _place(server: str, usual: int) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() else (server, usual)
