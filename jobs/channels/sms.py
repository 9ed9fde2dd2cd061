"""Text messages through a gateway that takes Twilio's requests."""

from __future__ import annotations

from urllib.parse import quote

from jobs.channels.httpsend import request
from jobs.channels.sender import Outgoing, Result


async def send(outgoing: Outgoing) -> Result:
    """One message to each number that hasn't got it yet; the first that isn't taken decides.

    Raises SecretError, httpx.HTTPError.
    """
    account, token = outgoing.setting("account"), outgoing.setting("token")
    url = f"{outgoing.setting('url').rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"
    result = Result("sent")
    for number in outgoing.recipients():
        form = {"To": number, "From": outgoing.setting("from"), "Body": outgoing.message.text}
        key = {"Idempotency-Key": f"{outgoing.notice.id}-{number}"}  # several numbers are several messages
        result = await request(outgoing, url, data=form, auth=(account, token), headers=key)
        if result.outcome != "sent":
            break
        outgoing.taken.add(number)
    return result
