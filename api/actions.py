"""What people do to alerts and incidents: an action goes to the alert job by way of the outbox, and the job answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from api.actor import Actor
from api.clock import now_ms
from api.context import Context
from api.records import actions
from api.records.database import Change

Row = dict[str, Any]
NOTHING: Row = {"alerts": [], "incident": "", "why": "", "until_ms": None, "assignee": "", "text": "", "public": 0}


@dataclass(frozen=True)
class Outcome:
    """What became of an action: `answer` is the job's, None while it is pending."""

    id: str
    answer: Row | None

    @property
    def refused(self) -> bool:
        return self.answer is not None and self.answer.get("outcome") == "refused"


async def act(ctx: Context, actor: Actor, id: str, kind: str, **given: Any) -> Outcome:
    """Have the alert job do something and wait for its answer, for as long as DAYMARK_ACTION_WAIT_S says.

    `given` are fields of the action record (docs/contracts.md). An action with an id that was answered before is not
    sent again. With Kafka away it is kept, and done when that is back: until then it is pending.
    """
    known = await outcome_of(ctx, id)
    if known and known.answer:
        return known
    now = now_ms()
    action = {"id": id, "at_ms": now, "who": actor.name, "kind": kind, **NOTHING, **given}
    await run_in_threadpool(_send, ctx, actor, action)
    return Outcome(id, await ctx.listener.answers.wait(id, ctx.settings.action_wait_s))


async def outcome_of(ctx: Context, id: str) -> Outcome | None:
    """What has become of an action of the last week so far; None for one that nobody sent."""
    if heard := ctx.listener.answers.get(id):
        return Outcome(id, heard)
    known = await run_in_threadpool(_find, ctx, id)
    return Outcome(id, known.answer) if known else None


def _find(ctx: Context, id: str) -> actions.Known | None:
    with ctx.records.reading() as connection:
        return actions.find(connection, id)


async def within_limits(ctx: Context, ids: list[str]) -> list[str]:
    """Those of some alerts that whoever asks may act on. To somebody with limits the others are not there; who has none
    may act on alerts that the store has not got yet."""
    if ctx.who is None or not ctx.who.permissions.limits:
        return ids
    rows = await run_in_threadpool(ctx.store.query, "alerts/there", ids=ids)
    there = {row["id"] for row in rows}
    return [one for one in ids if one in there]


def _send(ctx: Context, actor: Actor, action: Row) -> None:
    alerts = action["alerts"]
    key = action["incident"] or (alerts[0] if len(alerts) == 1 else action["id"])
    subject = f"incident/{action['incident']}" if action["incident"] else f"alert/{key}"
    with ctx.records.transaction() as tx:
        after = {name: value for name, value in action.items() if value not in ([], "", None)}
        tx.changed(Change(action["at_ms"], actor.name, action["kind"], subject, None, after, actor.origin))
        actions.begin(tx, action["id"], action["at_ms"])
        tx.publish(f"{ctx.settings.topic_prefix}actions", key.encode(), orjson.dumps(action), action["at_ms"])
    ctx.relay.wake()
