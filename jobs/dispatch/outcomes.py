"""What comes of a try: what a channel says of it, how long to wait for the next one, and the row that is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from jobs.dispatch.queues import Pending
from jobs.dispatch.records import Delivery, Notify, masked

FIRST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 5 * 60_000
LONGEST_DETAIL = 500
LISTED = 1_000
"""Alerts that the row of a failed try names: there may be many tries, and a notice may be about ten thousand."""

MOST_LISTED = 10_000
"""Alerts that the row of a message names which was sent, so that its link can acknowledge all of them. A record of
Kafka holds a megabyte, and an action as many alerts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a channel says of one try. `refused`: it will never take this one, though the channel works; `later`: it
    doesn't take this one now, though it works, as for a mailbox that is full.

    `busy`: the receiver asks for patience, which is nobody's fault. `wait_ms`: how long it wants to be left alone.
    """

    outcome: Literal["sent", "failed", "refused", "later", "busy"]
    detail: str = ""
    status: int | None = None
    wait_ms: int = 0


def alerts_of(notice: Notify) -> list[str]:
    """The ids of the alerts that a notice is about."""
    return list(notice.revs) or [str(row["id"]) for row in notice.alerts if row.get("id")]


def row_of(
    pending: Pending, outcome: str, detail: str, now: int, status: int | None = None, took_ms: int = 0
) -> Delivery:
    """The row of an attempt, or of the decision that there is none."""
    notice = pending.notice
    return Delivery(
        id=notice.id,
        attempt=pending.attempt,
        at_ms=now,
        took_ms=took_ms,
        channel=notice.channel,
        type="",
        person=notice.person,
        address=masked(notice.address),
        outcome=outcome,
        status=status,
        detail=detail[:LONGEST_DETAIL],
        alerts=alerts_of(notice)[: MOST_LISTED if outcome == "sent" else LISTED],
        reason=notice.reason,
        lane=notice.lane,
    )


def refused_row(id: str, now: int) -> Delivery:
    """The answer to a wish that something be tried again which isn't there. It is no attempt."""
    detail = "nothing was tried again: the log of notifications has none with this id, or has it no more"
    return Delivery(id, 0, now, 0, "", "", "", "", "refused", None, detail, [], "", "")


def back_off_ms(id: str, attempt: int) -> int:
    """Twice as long after each try, half of it by chance: those that failed together don't come back together.

    The chance is a hash, so that the same try of the same notice always waits equally long.
    """
    longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(attempt - 1, 20))
    chance = int.from_bytes(blake2b(f"{id} {attempt}".encode(), digest_size=4).digest(), "big") / 2**32
    return int(longest * (0.5 + chance / 2))
