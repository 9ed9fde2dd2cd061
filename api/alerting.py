"""Alerting documents: what may be put, taken away, or applied together, so that no document names what isn't there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.access import within
from api.access.roles import UNLIMITED, Limits
from api.actor import Actor
from api.clock import now_ms
from api.context import Context
from api.problems import Fault, ProblemError
from api.records import documents
from api.records.database import MOST_BYTES, Transaction
from api.records.documents import Conflict, Document
from udfs.alerting.policy import Policy
from udfs.packs.alertcheck import check_all, check_document, check_removal
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertkinds import plain
from udfs.packs.problems import ERROR, Problem

ANY = -1
"""The version of whoever doesn't care which one he changes."""


@dataclass(frozen=True)
class Applied:
    """What applying a file did: keys `<kind>/<name>` of documents, and what was found doubtful."""

    changed: list[str]
    deleted: list[str]
    unchanged: list[str]
    warnings: list[Problem]


def bodies(connection: Connection) -> dict[str, Any]:
    """All documents by `<kind>/<name>`."""
    return {f"{one.kind}/{one.name}": one.body for one in documents.listed(connection)}


def policy(ctx: Context) -> Policy:
    """What the documents say now. Raises no problems: what can't be used is left out, as the job does."""
    with ctx.records.reading() as connection:
        return compile_policy(bodies(connection))


def put(
    ctx: Context, actor: Actor, kind: str, name: str, body: Any, known: int | None
) -> tuple[Document, bool, list[Problem]]:
    """Store a document; returns it, whether it changed, and warnings.

    `known` is the version that the caller has seen, 0 for none, ANY, or None where he says nothing: then only a new
    document is taken. What somebody with limits puts is kept within them. Raises a 422 problem with every fault, 409 or
    412 for a lost update, 403 for what could reach beyond the limits.
    """
    require_seen(ctx, kind)
    with ctx.records.transaction() as tx:
        warnings = _judged(check_document(kind, name, body, bodies(tx.connection)))
        standing = documents.read(tx.connection, kind, name)
        if standing and not seen(ctx, [standing]):
            raise ProblemError(403, "Not allowed", f"There is another {kind} of that name; take another name.")
        body = within_limits(ctx, body)
        fresh, changed = _stored(ctx, tx, actor, kind, name, body, known)
    ctx.relay.wake()
    return fresh, changed, warnings


def remove(ctx: Context, actor: Actor, kind: str, name: str, known: int | None) -> Document | None:
    """Delete a document; None if there was none that whoever asks sees. Raises a 409 problem if others name it, 412 for
    a lost update."""
    require_seen(ctx, kind)
    with ctx.records.transaction() as tx:
        standing = documents.read(tx.connection, kind, name)
        if standing is None or not seen(ctx, [standing]):
            return None
        faults = check_removal(kind, name, bodies(tx.connection))
        if faults:
            detail = f"{faults[0].file} needs it; change that first. Nothing was deleted."
            raise ProblemError(409, "Still in use", detail, list(_faults(faults)))
        expected = None if known in (None, ANY) else known
        try:
            gone = documents.delete(
                tx, ctx.relay.topic, kind, name, who=actor.name, at_ms=now_ms(), expected=expected, origin=actor.origin
            )
        except Conflict as conflict:
            raise _lost(conflict, known) from None
    ctx.relay.wake()
    return gone


def limits_of(ctx: Context) -> Limits:
    """The limits of whoever asks."""
    return ctx.who.permissions.limits if ctx.who else UNLIMITED


def seen(ctx: Context, found: Iterable[Document]) -> list[Document]:
    """Those of some documents that whoever asks may see, and change if they may act: to somebody with limits, silences
    that can hide nothing but theirs. What else there is is of all tenants at once."""
    limits = limits_of(ctx)
    return [one for one in found if not limits or (one.kind == "silence" and within.inside(one.body["match"], limits))]


def require_seen(ctx: Context, kind: str) -> None:
    """Of all documents silences alone can be somebody's own. Raises a 403 problem."""
    if kind != "silence" and limits_of(ctx):
        detail = f"You are limited to some workflows or groups; a {kind} is for all. You may put silences."
        raise ProblemError(403, "Not allowed", detail)


def within_limits(ctx: Context, body: Any) -> Any:
    """A silence as whoever asks may put it: with the matchers that keep it theirs. Raises a 403 problem."""
    limits = limits_of(ctx)
    if not limits:
        return body
    try:
        return {**body, "match": within.narrowed(body["match"], limits)}
    except within.Beyond as fault:
        raise ProblemError(403, "Not allowed", str(fault)) from None


def apply(ctx: Context, actor: Actor, given: Mapping[str, Any], *, prune: bool) -> Applied:
    """Put many documents at once, all or none; with `prune` delete the others, except silences.

    Raises a 422 problem with every fault of what would then be there.
    """
    with ctx.records.transaction() as tx:
        before = bodies(tx.connection)
        spare = [key for key in before if prune and key not in given and not key.startswith("silence/")]
        wanted = {key: body for key, body in {**before, **given}.items() if key not in spare}
        warnings = _judged(check_all(plain(wanted)))
        changed = [key for key, body in given.items() if _stored(ctx, tx, actor, *_parts(key), body, ANY)[1]]
        for key in spare:
            kind, name = _parts(key)
            documents.delete(tx, ctx.relay.topic, kind, name, who=actor.name, at_ms=now_ms(), origin=actor.origin)
    ctx.relay.wake()
    return Applied(changed, spare, [key for key in given if key not in changed], warnings)


def _stored(
    ctx: Context, tx: Transaction, actor: Actor, kind: str, name: str, body: Any, known: int | None
) -> tuple[Document, bool]:
    expected = {None: 0, ANY: None}.get(known, known)
    document = Document(kind, name, 0, body, actor.name, now_ms())
    try:
        return documents.put(tx, ctx.relay.topic, document, expected=expected, origin=actor.origin)
    except Conflict as conflict:
        standing = documents.read(tx.connection, kind, name)
        if known is None and standing and standing.body == body:  # said again, word for word
            return standing, False
        raise _lost(conflict, known) from None
    except ValueError:
        raise ProblemError(413, "Body too large", f"A document has at most {MOST_BYTES:,} bytes; send less.") from None


def _lost(conflict: Conflict, known: int | None) -> ProblemError:
    if known is None:
        detail = f'It is in version {conflict.version}. Say which one you change: `If-Match: "{conflict.version}"`.'
        return ProblemError(409, "Exists already", detail)
    detail = f"{str(conflict).capitalize()}, not in the one that you changed. Read it again, and change that."
    return ProblemError(412, "Changed meanwhile", detail)


def _judged(problems: Iterable[Problem]) -> list[Problem]:
    """The warnings. Raises a 422 problem if there are errors."""
    found = list(problems)
    errors = [one for one in found if one.level == ERROR]
    if errors:
        detail = f"Nothing was changed; {len(errors)} fault{'s' * (len(errors) > 1)}. First: {errors[0]}"
        raise ProblemError(422, "Invalid alerting document", detail, list(_faults(errors)))
    return found


def _faults(problems: Iterable[Problem]) -> Iterable[Fault]:
    return (Fault(field=".".join(filter(None, (one.file, one.path))), message=one.message) for one in problems)


def _parts(key: str) -> tuple[str, str]:
    kind, _, name = key.partition("/")
    return kind, name
