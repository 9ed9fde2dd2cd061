"""The user that a person is for whom the OpenID provider vouches: role and limits by their groups, at each sign-in."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import Connection

from api.access import people, sessions, tokens
from api.access.oidc import Person
from api.access.people import Refused, User
from api.access.roles import NOTHING, UNLIMITED, Limits
from api.records.database import Change, Records, Transaction

WHO = "OpenID"
ADMIN = "admin"


def admitted(records: Records, person: Person, role: str, limits: Limits | None, origin: str, now_ms: int) -> User:
    """The user of a person, with the role and the limits that their groups give now; `limits` is None where groups give
    none, and an admin sets them. Raises Refused; who has no role any more then has no session and no token either."""
    with records.transaction() as tx:
        before = _known(tx.connection, person)
        name = before.name if before else re.sub(r"[^\w.@+ -]", "_", person.name)[: people.LONGEST_NAME].strip()
        if before is None and (fault := people.name_fault(name)):
            raise Refused(f"The name {name!r} that the provider gives you {fault}. Ask an admin there.")
        if before is None and people.read(tx.connection, name) is not None:
            raise Refused(f"There is another user named {name!r} here. Ask an admin to rename or remove that one.")
        if role:
            wanted = replace(before or User(name, role), role=role, limits=_limits(before, role, limits))
            wanted = replace(wanted, subject=person.subject)
            user = before if wanted == before else people.put(tx, wanted, WHO, origin, now_ms, forced=True)
        else:
            user = None
            _turned_away(tx, before, name, origin, now_ms)
    if user is None:
        raise Refused(f"None of your groups has a role here ({', '.join(person.groups) or 'you are in no group'}).")
    if user.disabled:
        raise Refused("This user is disabled here.")
    return user


def _known(connection: Connection, person: Person) -> User | None:
    """Who came before as this person, or was prepared for whoever comes first under that name."""
    return people.by_subject(connection, person.subject) or people.by_subject(connection, people.awaited(person.name))


def _limits(before: User | None, role: str, given: Limits | None) -> Limits:
    """Those that groups give; else those that an admin set. Without either somebody sees nothing, but an admin all: who
    becomes one, or no longer is, begins anew."""
    if given is not None:
        return given
    if before is not None and (before.role == role or ADMIN not in (before.role, role)):
        return before.limits
    if before is not None and before.subject == people.awaited(before.name):
        return before.limits
    return UNLIMITED if role == ADMIN else NOTHING


def _turned_away(tx: Transaction, before: User | None, name: str, origin: str, now_ms: int) -> None:
    tx.changed(Change(now_ms, name, "sign-in refused", f"user/{name}", origin=origin))
    if before is not None and before.role:
        people.put(tx, replace(before, role=""), WHO, origin, now_ms, forced=True)
        sessions.end_all(tx, before.name)
        tokens.revoke_all(tx, before.name, WHO, origin, now_ms)
