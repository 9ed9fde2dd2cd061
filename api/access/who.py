"""Whose request it is: a session's cookie, an API token, or one of the server's own tokens."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from api.access import sessions, tokens
from api.access.roles import EVERYTHING, Permissions
from api.clock import now_ms
from api.records.database import Records
from api.settings import Settings

COOKIE = "daymark"
TOKEN_FILE = "token"  # noqa: S105 (a file's name)


@dataclass(frozen=True)
class Who:
    """Somebody, and what they may do. `user` is who is signed in, '' of a token; `owner` the user behind a session or a
    token, '' of a program; `session` the id of a browser's session; `token` that of an API token. `name` is for people
    to read: what must not be mixed up goes by `account`."""

    name: str
    permissions: Permissions
    address: str = ""
    user: str = ""
    session: str = ""
    owner: str = ""
    token: str = ""

    @property
    def account(self) -> str:
        """What tells this one from everybody else, whatever they are called."""
        kind = "token" if self.token else "user" if self.user else "program"
        return f"{kind} {self.token or self.user or self.name}"


LOCAL = "local"
"""Everybody, where nobody has to sign in."""


class Doorkeeper:
    """Finds out who asks."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self._settings = settings
        self._records = records
        self._own: Mapping[str, str] = {"api-token": settings.api_token} if settings.api_token else {}

    def open(self) -> None:
        """Make, or read, the token of this machine's command line, and leave what the home keeps of people to its
        owner. Raises OSError if the home can't be written."""
        for file in self._settings.home.glob("records.db*"):
            file.chmod(0o600)
        if self._settings.sign_in == "required":
            self._own = {**self._own, "cli": local_token(self._settings.home)}

    def who(self, request: Request) -> Who | None:
        """Who asks; None for nobody that is known. Raises SQLAlchemyError while the relational store is away."""
        address = address_of(request)
        if self._settings.sign_in == "off":
            return Who(LOCAL, EVERYTHING, address)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return self._by_token(secret.strip(), address) if scheme.lower() == "bearer" else None
        return self._by_session(request.cookies.get(COOKIE, ""), address)

    def service(self, secret: str) -> str:
        """The name of the server's own token that a secret is; '' if it is none."""
        found = [name for name, own in self._own.items() if same(secret, own)]
        return found[0] if found else ""

    def _by_token(self, secret: str, address: str) -> Who | None:
        if name := self.service(secret):
            return Who(name, EVERYTHING, address)
        if not secret.startswith(tokens.BEGINS):
            return None
        found = tokens.find(self._records, secret, now_ms(), self._settings.oidc_token_days * tokens.DAY_MS)
        if found is None:
            return None
        token, permissions = found
        return Who(f"{token.user} (token {token.name})", permissions, address, owner=token.user, token=token.id)

    def _by_session(self, secret: str, address: str) -> Who | None:
        if not secret:
            return None
        idle_ms, longest_ms = self._settings.session_idle_s * 1000, self._settings.session_max_s * 1000
        found = sessions.find(self._records, secret, now_ms(), idle_ms, longest_ms)
        if found is None:
            return None
        mark, user = found
        if user is None:
            return Who("api-token", EVERYTHING, address, session=mark)
        return Who(user.name, user.permissions, address, user=user.name, session=mark, owner=user.name)


def address_of(request: Request) -> str:
    """Where a request comes from; of one through a proxy on this machine, what the proxy says (uvicorn sees to it)."""
    return request.client.host if request.client else ""


def same(given: str, wanted: str) -> bool:
    """Compare without telling by the time it takes."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def local_token(home: Path) -> str:
    """The token of this machine's command line, readable for the owner of the home alone. Raises OSError."""
    file = home / TOKEN_FILE
    try:
        return _owned(file)
    except FileNotFoundError:
        pass
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{TOKEN_FILE}.{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, secrets.token_urlsafe(32).encode())
    finally:
        os.close(handle)
    try:
        os.link(draft, file)  # of two that start at once one wins, and nobody reads half a token
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _owned(file)


def _owned(file: Path) -> str:
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    return file.read_text().strip()
