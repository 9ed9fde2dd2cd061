"""Users, API tokens, and what oneself may do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.access import passwords, people, sessions, tokens
from api.access.people import LastAdmin, User
from api.access.roles import SCOPES, Limits
from api.access.who import Who
from api.clock import now_ms
from api.context import Context, Ctx
from api.models.access import Me, NewToken, SignInLink, TokenTold, UserTold
from api.problems import Fault, ProblemError, documented, not_found
from api.records.database import Change

router = APIRouter(prefix="/api/v1", tags=["access"], responses=documented(401, 403, 422, 503))
WELCOME_MS = 24 * 60 * 60_000
Role = Literal["viewer", "operator", "editor", "admin"]
Name = Annotated[str, Path(pattern=people.NAMES, description="a user's name")]
Scopes = Literal["read", "survey", "events", "act", "rules", "audit", "manage", "erase"]


def _label(value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        raise ValueError("a name has no control characters")
    return value


class Access(BaseModel):
    """The workflows, and the values of each group, that somebody is limited to; left out: no limit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"groups": {"customer": ["acme"]}}]})

    workflows: Annotated[list[Annotated[str, Field(max_length=256)]] | None, Field(max_length=100)] = None
    groups: Annotated[dict[str, Annotated[list[str], Field(max_length=100)]], Field(max_length=20)] = {}

    def limits(self) -> Limits:
        """The limits that are meant."""
        return Limits.of(self.model_dump())


class UserPut(BaseModel):
    """What a user shall be. Without a password the one they have stays; a new user without one needs a link, or is
    prepared for the OpenID provider (`openid`): whoever comes first from there under that name is that user."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    limits: Access = Access()
    disabled: bool = False
    password: Annotated[str | None, Field(max_length=passwords.MOST)] = None
    openid: bool = False


class PasswordChange(BaseModel):
    """The password so far, unless there was none, and the one from now on."""

    model_config = ConfigDict(extra="forbid")

    current: Annotated[str, Field(max_length=passwords.MOST)] = ""
    new: Annotated[str, Field(max_length=passwords.MOST)]


class TokenPost(BaseModel):
    """A token to be made, for oneself."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(_label), Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scopes], Field(min_length=1, max_length=len(SCOPES))]
    days: Annotated[int, Field(ge=1, le=tokens.LONGEST_DAYS, description="until it expires")] = 90
    limits: Access = Access()


class LinkPost(BaseModel):
    """Whom a one-time link shall sign in; a user that isn't there when it is made becomes an admin."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, Field(pattern=people.NAMES)] = "admin"
    unless_somebody: Annotated[bool, Field(description="only while no admin can sign in yet")] = False


@router.get("/me", response_model=Me)
def who_am_i(request: Request) -> dict[str, Any]:
    """Who the request comes from, and what that may do."""
    who = _who(request)
    permissions = who.permissions
    return {"name": who.name, "actions": sorted(permissions.actions), "limits": permissions.limits.as_json()}


@router.post("/me/password", status_code=204)
def change_password(request: Request, ctx: Ctx, change: PasswordChange) -> None:
    """Change one's own password. All other sessions end."""
    set_password(ctx, user_of(request), change.current, change.new)


def set_password(ctx: Context, who: Who, current: str, new: str) -> None:
    """Give somebody another password, if they know the one so far. Raises ProblemError."""
    if fault := passwords.fault(new, who.user):
        raise _invalid("new", f"The new password {fault}.")
    with ctx.records.reading() as connection:
        has = people.read(connection, who.user)
    if has and has.subject:  # else they could sign in here when the provider lets them in no more
        raise ProblemError(403, "Not allowed", "You sign in at the OpenID provider and have no password here.")
    if has and has.has_password:
        try:
            people.sign_in(ctx.records, who.user, current, who.address, now_ms())
        except people.Refused as fault:
            raise ProblemError(403, "Not allowed", f"The current password is wrong. {fault}") from None
    hashed = passwords.hashed(new)
    with ctx.records.transaction() as tx:
        people.set_hash(tx, who.user, hashed)
        sessions.end_all(tx, who.user, who.session)
        tx.changed(Change(now_ms(), who.name, "put", f"user/{who.user}", None, {"password": "set anew"}, who.address))


@router.delete("/me/sessions", status_code=204)
def sign_out_everywhere(request: Request, ctx: Ctx) -> None:
    """End all of one's sessions, this one too."""
    who = user_of(request)
    with ctx.records.transaction() as tx:
        sessions.end_all(tx, who.user)
        tx.changed(Change(now_ms(), who.name, "sign-out", f"user/{who.user}", None, "everywhere", who.address))


@router.get("/tokens", response_model=list[TokenTold])
def list_tokens(request: Request, ctx: Ctx) -> list[dict[str, Any]]:
    """One's own tokens; everybody's for who may manage users. Never the secrets."""
    who = _who(request)
    with ctx.records.reading() as connection:
        found = tokens.listed(connection, "" if who.permissions.may("manage") else who.user or "-")
    return [token.as_json() for token in found]


@router.post("/tokens", status_code=201, response_model=NewToken)
def create_token(request: Request, ctx: Ctx, wanted: TokenPost) -> dict[str, Any]:
    """Make a token. `secret` is told this once; it may do what its scopes say and its owner may, never more."""
    return make_token(ctx, user_of(request), wanted)


def make_token(ctx: Context, who: Who, wanted: TokenPost) -> dict[str, Any]:
    """As `create_token`, for `who`, a user. Raises ProblemError."""
    beyond = [name for name in wanted.scopes if name not in who.permissions.actions]
    if beyond:
        raise ProblemError(403, "Not allowed", f"You may not do this yourself: {', '.join(beyond)}.")
    scopes, limits = frozenset[str](wanted.scopes), wanted.limits.limits()
    with ctx.records.transaction() as tx:
        token, secret = tokens.create(
            tx, who.user, wanted.name, scopes, limits, wanted.days, who.name, who.address, now_ms()
        )
    return {**token.as_json(), "secret": secret}


@router.delete("/tokens/{number}", status_code=204, responses=documented(404))
def revoke_token(request: Request, ctx: Ctx, number: Annotated[str, Path(max_length=64)]) -> None:
    """End a token: one's own; anybody's for who may manage users."""
    who = _who(request)
    end_token(ctx, who, number, "" if who.permissions.may("manage") else who.user or "-")


def end_token(ctx: Context, who: Who, number: str, owner: str) -> None:
    """End a token of `owner`, or anybody's if that is ''. Raises a 404 problem if there is none."""
    with ctx.records.transaction() as tx:
        if not tokens.revoke(tx, number, owner, who.name, who.address, now_ms()):
            raise not_found(f"No token {number!r}.")


@router.get("/users", response_model=list[UserTold])
def list_users(ctx: Ctx) -> list[dict[str, Any]]:
    """All users."""
    with ctx.records.reading() as connection:
        return [user.as_json() for user in people.listed(connection)]


@router.put("/users/{name}", response_model=UserTold, responses=documented(409))
def put_user(request: Request, ctx: Ctx, name: Name, wanted: UserPut) -> dict[str, Any]:
    """Create or change a user. It counts from their next request on; a new password, or `disabled`, signs them out."""
    return save_user(ctx, _who(request), name, wanted).as_json()


def save_user(ctx: Context, who: Who, name: str, wanted: UserPut) -> User:
    """As `put_user`. Raises ProblemError."""
    if wanted.password is not None and (fault := passwords.fault(wanted.password, name)):
        raise _invalid("password", f"The password {fault}.")
    if fault := people.name_fault(name):
        raise _invalid("name", f"The name {name!r} {fault}.")
    with ctx.records.transaction() as tx:
        before = people.read(tx.connection, name)
        if before and before.subject and wanted.password is not None:
            raise _invalid("password", f"{name} signs in at the OpenID provider and has no password here.")
        if wanted.openid and (wanted.password is not None or (before and not before.subject)):
            raise _invalid("openid", f"{name} is a local user. One who signs in at the OpenID provider is made anew.")
        subject = before.subject if before else people.awaited(name) if wanted.openid else ""
        user = User(name, wanted.role, wanted.limits.limits(), subject, wanted.disabled)
        try:
            return people.put(tx, user, who.name, who.address, now_ms(), wanted.password)
        except LastAdmin as fault:
            raise ProblemError(409, "Last admin", str(fault)) from None


@router.delete("/users/{name}", status_code=204, responses=documented(404, 409))
def delete_user(request: Request, ctx: Ctx, name: Annotated[str, Path(max_length=128)]) -> None:
    """Delete a user with all sessions and tokens. What they did stays in the audit."""
    who = _who(request)
    with ctx.records.transaction() as tx:
        try:
            found = people.remove(tx, name, who.name, who.address, now_ms())
        except LastAdmin as fault:
            raise ProblemError(409, "Last admin", str(fault)) from None
        if not found:
            raise not_found(f"No user {name!r}.")


@router.post("/sign-in-links", status_code=201, response_model=SignInLink)
def create_link(request: Request, ctx: Ctx, wanted: LinkPost) -> dict[str, Any]:
    """A one-time link, for a day, that signs a user in: for the first start, and for who has forgotten a password.

    `path` is null where `unless_somebody` was asked and an admin can sign in.
    """
    who = _who(request)
    if fault := people.name_fault(wanted.user):
        raise _invalid("user", f"The name {wanted.user!r} {fault}.")
    expires_ms = now_ms() + WELCOME_MS
    with ctx.records.transaction() as tx:
        if wanted.unless_somebody and (ctx.settings.sign_in == "off" or people.anybody(tx.connection)):
            return {"path": None, "expires_ms": None}
        creates = people.read(tx.connection, wanted.user) is None
        secret = sessions.link(tx, "welcome", {"user": wanted.user, "creates": creates}, expires_ms)
        tx.changed(Change(now_ms(), who.name, "sign-in link", f"user/{wanted.user}", origin=who.address))
    return {"path": f"/welcome/{secret}", "expires_ms": expires_ms}


def _who(request: Request) -> Who:
    who: Who = request.state.who
    return who


def user_of(request: Request) -> Who:
    """Who asks, if that is a user: the server's own tokens have no password, no sessions and no tokens."""
    who = _who(request)
    if not who.user:
        detail = f"This is about a user's own account; {who.name!r} is none. Sign in as a user."
        raise ProblemError(403, "Not a user", detail)
    return who


def _invalid(field: str, detail: str) -> ProblemError:
    return ProblemError(422, "Invalid request", detail, [Fault(field=field, message=detail)])
