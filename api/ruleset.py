"""The rules as they stand: in force by packs, by the store, or by Kafka alone, as whoever asks may see them."""

from __future__ import annotations

from sqlalchemy import Connection

from api.access.roles import Subject
from api.clock import now_ms
from api.context import Context
from api.problems import ProblemError, not_found
from api.records import rules
from api.records.rules import PACK, TOPIC, WITHDRAW, Revision
from api.rulebook import Rulebook, RulesUnknown
from udfs.packs.load import Definition
from udfs.packs.problems import Problem
from udfs.packs.rulefile import read_rule, written


def listed(ctx: Context, connection: Connection) -> list[Revision]:
    """Each workflow that whoever asks may see, as it stands, by name; withdrawn ones too."""
    found = {one.workflow: one for one in _given(ctx)} | {one.workflow: one for one in rules.all_newest(connection)}
    return [found[name] for name in sorted(found) if visible(ctx, name)]


def standing(ctx: Context, connection: Connection, workflow: str) -> Revision:
    """A workflow as it stands. Raises a 404 problem for one that isn't known, or is not for whoever asks."""
    found = known_to(ctx, connection, workflow) if visible(ctx, workflow) else None
    if found is None:
        raise not_found(f"There is no rule {workflow!r}.")
    return found


def revisions(ctx: Context, connection: Connection, workflow: str) -> list[Revision]:
    """Every revision, the newest first; the last is the pack's, where one has it. Raises a 404 problem."""
    standing(ctx, connection, workflow)
    stored = rules.revisions(connection, workflow)
    given = [one for one in _given(ctx) if one.workflow == workflow and (one.action == PACK or not stored)]
    return [*stored, *given]


def in_force(ctx: Context, connection: Connection, workflow: str, at_ms: int) -> Revision | None:
    """The revision that holds at an instant by event time (epoch ms), whoever asks: what is withdrawn, or only to come,
    doesn't. None if there is none."""
    stored = rules.revisions(connection, workflow)
    given = [one for one in _given(ctx) if one.workflow == workflow and (one.action == PACK or not stored)]
    known: list[Revision] = []
    for one in [*stored, *given]:
        if one.action == WITHDRAW:
            break
        known.append(one)
    held = [one for one in known if (one.effective_from or 0) <= at_ms]
    return max(held, key=lambda one: (one.effective_from or 0, one.revision), default=None)


def revision(ctx: Context, connection: Connection, workflow: str, number: int) -> Revision:
    """One revision. Raises a 404 problem."""
    for one in revisions(ctx, connection, workflow):
        if one.revision == number:
            return one
    raise not_found(f"The rule {workflow!r} has no revision {number}.")


def visible(ctx: Context, workflow: str) -> bool:
    """Whether whoever asks may see a rule. It is for all groups alike, so somebody limited to one sees none."""
    return ctx.who is None or ctx.who.permissions.may("read", Subject(workflow))


def keys_and_groups(ctx: Context) -> tuple[set[str], set[str]]:
    """What the source mappings define."""
    mappings = ctx.publisher.mappings
    return {n for one in mappings for n in one.key_names}, {n for one in mappings for n in one.group_names}


def read(ctx: Context, text: str) -> tuple[Definition | None, list[Problem]]:
    """A rule's text as a definition, and what is wrong with it, against this server's source mappings."""
    return read_rule(text, *keys_and_groups(ctx))


def known_to(ctx: Context, connection: Connection, workflow: str) -> Revision | None:
    """A workflow as it stands, whoever asks; None if nothing that this process has read knows it."""
    stored = rules.newest(connection, workflow)
    return stored or next((one for one in _given(ctx) if one.workflow == workflow), None)


def _given(ctx: Context) -> list[Revision]:
    """What is in force without the store: the packs' rules, and those that came through Kafka alone."""
    book = ctx.rulebook
    found = {
        name: Revision(name, 0, PACK, one.version, 0, book.text(name), one.data) for name, one in book.given.items()
    }
    for spec in book.in_force(now_ms()):
        if spec.workflow not in found:
            definition = book.definition(spec)
            one = Revision(spec.workflow, 0, TOPIC, spec.version, None, written(definition), definition)
            found[spec.workflow] = one
    return list(found.values())


def of_topic(ctx: Context, workflow: str) -> Revision | None:
    """A rule that only Kafka may know of, read anew from there. Raises a 503 problem while it can't be."""
    rulebook = Rulebook(ctx.settings)  # one of its own: the process's is another thread's
    try:
        rulebook.refresh()
    except RulesUnknown as error:
        raise ProblemError(503, "Kafka not available", f"Which rules there are can't be told: {error}.") from error
    finally:
        rulebook.close()
    if not rulebook.engine.has(workflow):
        return None
    spec = next(one for one in reversed(rulebook.engine.specs.values()) if one.workflow == workflow)
    definition = rulebook.definition(spec)
    return Revision(workflow, 0, TOPIC, spec.version, None, written(definition), definition)
