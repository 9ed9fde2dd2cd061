"""Rules are changed: each change is a revision in the store, and goes to Kafka by the outbox, or waits as a draft.

So a change that was taken is never lost, however long the broker is away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from api import ruleset
from api.clock import now_ms
from api.context import Context
from api.problems import ProblemError, not_found
from api.records import rules
from api.records.database import Transaction
from api.records.rules import DISABLE, ENABLE, PUT, ROLLBACK, WITHDRAW, Draft, Revision
from api.rulechecks import check, invalid, require_known
from api.rulereach import beyond
from udfs.packs.problems import ERROR, Problem
from udfs.packs.rulefile import with_enabled, written

STEP_S = 0.02


@dataclass(frozen=True)
class Change:
    """What somebody wants done. `known` is the revision that he has seen, ANY, ABSENT, or None where he says nothing:
    then only a new workflow is taken. `effective_from`: epoch ms, None for when it is put in force."""

    action: str
    text: str
    definition: dict[str, Any]
    why: str = ""
    known: int | None = None
    version: int | None = None
    effective_from: int | None = None


@dataclass(frozen=True)
class Done:
    """What became of a change: a revision, `pending` while Kafka hasn't got it, or a draft."""

    revision: Revision | None
    draft: Draft | None = None
    pending: bool = False
    warnings: tuple[Problem, ...] = ()

    @property
    def outcome(self) -> str:
        """sent: Kafka has it; pending: Kafka will get it; waits: for another person."""
        return "waits" if self.draft else "pending" if self.pending else "sent"


def put(ctx: Context, workflow: str, change: Change) -> Done:
    """Put a text in force. Raises a 422 problem with every fault, 409 for a lost update, 412 for a rule that is there
    and shouldn't be."""
    found, problems = ruleset.read(ctx, change.text)
    if found is None:
        raise invalid([one for one in problems if one.level == ERROR])
    done = apply(ctx, workflow, replace(change, definition=found.data))
    return replace(done, warnings=tuple(problems))


def put_definition(ctx: Context, workflow: str, change: Change) -> Done:
    """Put a definition in force, whose text nobody wrote. Raises as `put` does."""
    check(workflow, change.definition, change.text, change.version, ctx.settings.lane)
    return apply(ctx, workflow, replace(change, text=written(change.definition)))


def switch(ctx: Context, workflow: str, enabled: bool, why: str, known: int | None) -> Done:
    """Enable or disable a workflow as it stands, as a revision of its own. Raises as `put` does."""
    with ctx.records.reading() as connection:
        now = ruleset.standing(ctx, connection, workflow)
    if now.action == WITHDRAW:
        raise ProblemError(409, "Withdrawn", "This rule was withdrawn; put it in force again instead.")
    if (now.state == "enabled") == enabled:
        raise ProblemError(409, "Nothing to do", f"The rule is {now.state} already.")
    definition = {**now.definition, "enabled": enabled}
    seen = now.revision if known is None else known  # the rest stays as it is, so no update is lost
    change = Change(ENABLE if enabled else DISABLE, with_enabled(now.text, enabled), definition, why, seen)
    return apply(ctx, workflow, change)


def roll_back(ctx: Context, workflow: str, number: int, why: str, known: int | None) -> Done:
    """Put the text of an older revision in force, as a new one. Raises as `put` does, 404 for one that isn't there."""
    with ctx.records.reading() as connection:
        old = ruleset.revision(ctx, connection, workflow, number)
    return apply(ctx, workflow, Change(ROLLBACK, old.text, old.definition, why, known))


def withdraw(ctx: Context, workflow: str, why: str, known: int | None) -> Done:
    """Withdraw a workflow. Raises a 404 problem for one that isn't in force, 503 while that can't be told, 409 for a
    lost update."""
    with ctx.records.reading() as connection:
        now = ruleset.known_to(ctx, connection, workflow)
    if now is None:
        now = ruleset.of_topic(ctx, workflow)
    if now is None or now.action == WITHDRAW:
        raise not_found(f"There is no workflow {workflow!r} in force.")
    change = Change(WITHDRAW, now.text, now.definition, why, known, now.version)
    return apply(ctx, workflow, change)


def apply(ctx: Context, workflow: str, change: Change) -> Done:
    """Do a change whose definition is sound, or keep it as a draft where another person must approve it."""
    return apply_all(ctx, {workflow: change})[0]


def apply_all(ctx: Context, changes: Mapping[str, Change]) -> list[Done]:
    """Do changes of several workflows together, or none of them: what is wrong with one raises before any is done."""
    for workflow, change in changes.items():
        check(workflow, change.definition, change.text, change.version, ctx.settings.lane)
    with ctx.records.transaction() as tx:
        done = [_done(ctx, tx, workflow, change) for workflow, change in changes.items()]
    missing = _unsent(ctx, [one.revision.workflow for one in done if one.revision])
    return [replace(one, pending=one.revision is not None and one.revision.workflow in missing) for one in done]


def _done(ctx: Context, tx: Transaction, workflow: str, change: Change) -> Done:
    now = ruleset.known_to(ctx, tx.connection, workflow)
    require_known(now, change.known)
    if ctx.settings.four_eyes:
        return Done(None, _keep(ctx, tx, workflow, now, change))
    return Done(_store(ctx, tx, workflow, now, change, ctx.who.name if ctx.who else ""))


def approve(ctx: Context, workflow: str, mark: str) -> Done:
    """Put the draft of a workflow in force, if it is the one with that mark. Raises a 403 problem for who made it, 404
    without one, 409 if it is another, or about a revision that no longer stands."""
    person = ctx.who.owner if ctx.who else ""
    with ctx.records.transaction() as tx:
        draft = rules.draft(tx.connection, workflow)
        if draft is None:
            raise not_found(f"No change of {workflow!r} waits for approval.")
        if not person or person == draft.who:
            detail = "Another person than the one who made it must approve it, signed in as a user."
            raise ProblemError(403, "Four eyes", detail)
        if mark != draft.mark:
            detail = f'Approve what you have read: send `If-Match: "{draft.mark}"` if it is the one that waits now.'
            raise ProblemError(409, "Not the one that waits", detail)
        now = ruleset.known_to(ctx, tx.connection, workflow)
        if (now.revision if now else None) != draft.base:
            detail = "The rule has changed since this draft was made. Discard it, and make the change anew."
            raise ProblemError(409, "Changed meanwhile", detail)
        names = ("action", "text", "definition", "why", "version", "effective_from")
        change = Change(**{name: getattr(draft, name) for name in names})
        fresh = _store(ctx, tx, workflow, now, change, draft.who, person)
        rules.drop_draft(tx.connection, workflow)
    return Done(fresh, pending=bool(_unsent(ctx, [workflow])))


def discard(ctx: Context, workflow: str) -> Draft:
    """Forget a draft. Raises a 404 problem without one."""
    with ctx.records.transaction() as tx:
        draft = rules.draft(tx.connection, workflow)
        if draft is None:
            raise not_found(f"No change of {workflow!r} waits for approval.")
        rules.drop_draft(tx.connection, workflow)
        tx.changed(ctx.change("discard", f"rule/{workflow}", {"draft": draft.action, "of": draft.who}))
    return draft


def _keep(ctx: Context, tx: Transaction, workflow: str, now: Revision | None, change: Change) -> Draft:
    person = (ctx.who.owner or ctx.who.name) if ctx.who else ""
    before = rules.draft(tx.connection, workflow)
    if before is not None and before.who != person:
        detail = f"A change of {workflow} by {before.who} waits for approval. Approve or discard that one first."
        raise ProblemError(409, "Waits for approval", detail)
    draft = Draft(
        workflow,
        now.revision if now else None,
        change.action,
        change.version,
        change.effective_from,
        change.text,
        change.definition,
        person,
        change.why,
        now_ms(),
    )
    rules.put_draft(tx.connection, draft)
    tx.changed(ctx.change("draft", f"rule/{workflow}", now.document if now else None, change.definition))
    return draft


def _store(
    ctx: Context,
    tx: Transaction,
    workflow: str,
    now: Revision | None,
    change: Change,
    who: str,
    approved_by: str = "",
) -> Revision:
    if ctx.who and ctx.who.permissions.limits and (more := beyond(now.definition if now else None, change.definition)):
        detail = (
            f"The rule would follow more than the one that stands: {', '.join(more)}. You are limited, and would come"
        )
        raise ProblemError(403, "Beyond your limits", f"{detail} to see it; ask somebody without limits to put it.")
    at = now_ms()
    fresh = Revision(
        workflow,
        now.revision + 1 if now else 1,
        change.action,
        change.version or _next_version(now, change),
        _since(now, change, at),
        change.text,
        change.definition,
        who,
        change.why,
        at,
        approved_by,
    )
    rules.add(tx.connection, fresh)
    document = fresh.document
    action = "put" if document else "withdraw"
    tx.changed(ctx.change(action, f"rule/{workflow}", now.document if now else None, document))
    value = None if document is None else orjson.dumps(document)
    tx.publish(_topic(ctx), workflow.encode(), value, at)
    return fresh


def _next_version(now: Revision | None, change: Change) -> int:
    """The one that the text names if it is a new one, else the last one counted on."""
    said = int(change.definition.get("version", 1))
    return said if now is None or said > now.version else now.version + 1


def _since(now: Revision | None, change: Change, at: int) -> int | None:
    """From when on a change holds that is put in force at an instant (epoch ms): what is switched or rolled back from
    then on, or, where what stands will only hold from an instant to come, from that one on."""
    if change.action == WITHDRAW:
        return None
    if change.effective_from is not None:
        return change.effective_from
    return at if change.action == PUT or now is None else max(at, now.effective_from or 0)


def _unsent(ctx: Context, workflows: Sequence[str]) -> set[str]:
    """Those workflows whose changes Kafka hasn't got, within the time that a request waits."""
    if not workflows:
        return set()
    ctx.relay.wake()
    until = time.monotonic() + ctx.settings.action_wait_s
    while True:
        with ctx.records.reading() as connection:
            missing = {one for one in workflows if rules.unsent(connection, _topic(ctx), one)}
        if not missing or time.monotonic() > until or not ctx.publisher.reachable():
            return missing
        time.sleep(STEP_S)


def _topic(ctx: Context) -> str:
    return f"{ctx.settings.topic_prefix}rules"
