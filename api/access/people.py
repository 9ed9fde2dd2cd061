"""Users, and signing in with a password: the lockout, and who is there at the first start."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from api.access import lockout, passwords
from api.access.rates import network
from api.access.roles import UNLIMITED, Limits, Permissions, of_role
from api.access.tables import attempts, links, sessions, users
from api.records.database import Change, Records, Transaction

LONGEST_NAME = 128
AWAITED = "awaited "
NAMES = r"^[\w.@+-]([\w.@+ -]{0,126}[\w.@+-])?$"
SERVICES = ("api-token", "cli", "link", "local")
"""Who stands in the audit without being a user: the server's own tokens, links in messages, nobody in particular."""


class Refused(Exception):
    """A sign-in that is not let in. The text may be shown; `wait_ms` is how long none is looked at, 0: at once."""

    def __init__(self, message: str, wait_ms: int = 0) -> None:
        super().__init__(message)
        self.wait_ms = wait_ms


class LastAdmin(Exception):
    """The change would leave nobody who may manage users."""


@dataclass(frozen=True)
class User:
    """A person who may sign in. `subject` is the OpenID provider's name for them, '' of a local user. `role` is '' of
    one whom that provider gives none any more."""

    name: str
    role: str
    limits: Limits = UNLIMITED
    subject: str = ""
    disabled: bool = False
    has_password: bool = False
    created_ms: int = 0
    seen_ms: int | None = None

    @property
    def permissions(self) -> Permissions:
        """What they may do now."""
        return Permissions() if self.disabled else of_role(self.role, self.limits)

    def as_json(self) -> dict[str, Any]:
        """What the API and the audit show: nothing secret."""
        return {**vars(self), "limits": self.limits.as_json()}


def name_fault(name: str) -> str:
    """Why nobody may be called so; '' for a name that is right."""
    if name in SERVICES:
        return "is the server's own in the audit; take another one"
    if not re.fullmatch(NAMES, name):
        return "is none: give 1 to 128 letters, digits and . @ + - _, and blanks only between them"
    return ""


def read(connection: Connection, name: str) -> User | None:
    """A user by name."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return _user(row) if row else None


def awaited(name: str) -> str:
    """The subject of a user who was prepared for whoever comes first under that name from the OpenID provider."""
    return f"{AWAITED}{name}"


def by_subject(connection: Connection, subject: str) -> User | None:
    """A user by the OpenID provider's name for them."""
    row = connection.execute(select(users).where(users.c.subject == subject)).first()
    return _user(row) if row else None


def listed(connection: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def anybody(connection: Connection) -> bool:
    """Whether somebody can sign in who may manage users, with a password or at an OpenID provider."""
    can = users.c.password.is_not(None) | users.c.subject.is_not(None)
    return any(_manages(_user(row)) for row in connection.execute(select(users).where(can)))


def put(
    tx: Transaction,
    user: User,
    who: str,
    origin: str,
    now_ms: int,
    password: str | None = None,
    *,
    forced: bool = False,
) -> User:
    """Create or change a user; a changed role, limit or password counts from the next request on, and a disabled one
    is signed out. Raises LastAdmin, unless `forced`: then a provider decides."""
    before = read(tx.connection, user.name)
    row: dict[str, Any] = {"role": user.role, "limits": user.limits.as_json(), "disabled": user.disabled}
    row |= {"subject": user.subject or None}
    if password is not None:
        row["password"] = passwords.hashed(password)
    if before:
        tx.connection.execute(update(users).where(users.c.name == user.name).values(row))
    else:
        tx.connection.execute(insert(users).values({**row, "name": user.name, "created_ms": now_ms}))
    if before and _manages(before) and not forced:
        _require_admin(tx.connection)
    if user.disabled or (before and password is not None):
        tx.connection.execute(delete(sessions).where(sessions.c.user == user.name))
    after = read(tx.connection, user.name)
    assert after is not None  # noqa: S101 (it was just written)
    told = {**after.as_json(), **({"password": "set anew"} if password is not None else {})}
    tx.changed(Change(now_ms, who, "put", f"user/{user.name}", before.as_json() if before else None, told, origin))
    return after


def set_hash(tx: Transaction, name: str, kept: str) -> None:
    """Keep the hash of another password."""
    tx.connection.execute(update(users).where(users.c.name == name).values(password=kept))


def remove(tx: Transaction, name: str, who: str, origin: str, now_ms: int) -> bool:
    """Delete a user with sessions, tokens and sign-in links; False if there was none. Raises LastAdmin."""
    before = read(tx.connection, name)
    if before is None:
        return False
    tx.connection.execute(delete(users).where(users.c.name == name))
    tx.connection.execute(delete(links).where(links.c.held["user"].as_string() == name))
    if _manages(before):
        _require_admin(tx.connection)
    tx.changed(Change(now_ms, who, "delete", f"user/{name}", before.as_json(), None, origin))
    return True


def sign_in(records: Records, name: str, password: str, address: str, now_ms: int) -> User:
    """The user with that name and password. Raises Refused, with the same words whatever is wrong.

    The attempt is counted before the password is looked at, so that many at once are no way around the lockout.
    """
    places = (("user", _key(name)), ("address", _key(network(address))))
    with records.transaction() as tx:
        wait_ms = max(_until(tx.connection, *place) for place in places) - now_ms
        if wait_ms > 0:
            raise Refused(f"Too many failed attempts. Try again in {-(-wait_ms // 1000)} s.", wait_ms)
        for place in places:
            _count(tx.connection, *place, now_ms)
        known = select(users).where(users.c.name == name)
        row = None if "\0" in name else tx.connection.execute(known).first()  # PostgreSQL can't even look for it
    right = passwords.right(row.password if row else None, password)
    if row is None or not right or row.disabled or row.subject:
        with records.transaction() as tx:
            subject = f"user/{name}" if row else "user"  # what isn't a name may be a password that was typed there
            tx.changed(Change(now_ms, name if row else "", "sign-in refused", subject, origin=address))
        raise Refused("Name or password is wrong.")
    with records.transaction() as tx:
        of_user, of_address = (((attempts.c.kind == kind) & (attempts.c.name == key)) for kind, key in places)
        tx.connection.execute(delete(attempts).where(of_user))
        # This one didn't fail. Those before it did, and one's own right password is no way to go on with others' names.
        tx.connection.execute(update(attempts).where(of_address).values(failures=attempts.c.failures - 1))
        tx.connection.execute(delete(attempts).where(of_address, attempts.c.failures < 1))
        if passwords.outdated(row.password):
            fresh = {"password": passwords.hashed(password)}
            tx.connection.execute(update(users).where(users.c.name == name).values(fresh))
    return _user(row)


def _until(connection: Connection, kind: str, key: str) -> int:
    query = select(attempts).where(attempts.c.kind == kind, attempts.c.name == key)
    row = connection.execute(query).first()
    return lockout.until(kind, row.failures, row.last_ms) if row else 0


def _count(connection: Connection, kind: str, key: str, now_ms: int) -> None:
    place = (attempts.c.kind == kind) & (attempts.c.name == key)
    row = connection.execute(select(attempts).where(place)).first()
    if row is None:
        connection.execute(insert(attempts).values(kind=kind, name=key, failures=1, last_ms=now_ms))
        return
    failures = lockout.counted(row.failures, row.last_ms, now_ms)
    connection.execute(update(attempts).where(place).values(failures=failures, last_ms=now_ms))


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _require_admin(connection: Connection) -> None:
    if not any(map(_manages, listed(connection))):
        raise LastAdmin("Nobody would be left who may manage users. Make somebody else an admin without limits first.")


def _manages(user: User) -> bool:
    """Whether somebody may manage users: an admin who is neither disabled nor limited."""
    return user.permissions.may("manage")


def _user(row: Row[Any]) -> User:
    return User(
        name=row.name,
        role=row.role,
        limits=Limits.of(row.limits),
        subject=row.subject or "",
        disabled=row.disabled,
        has_password=row.password is not None,
        created_ms=row.created_ms,
        seen_ms=row.seen_ms,
    )
