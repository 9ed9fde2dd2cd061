"""Users, tokens, the audit and erasures, as the API tells them. Instants (epoch, UTC) are milliseconds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class LimitsTold(BaseModel):
    """What somebody is limited to."""

    workflows: list[str] | None = Field(description="null: no limit")
    groups: dict[str, list[str]] = Field(description="values by the group's name; one that isn't named has no limit")


class Me(BaseModel):
    """Who asks, and what they may do."""

    name: str
    actions: list[str]
    limits: LimitsTold


class TokenTold(BaseModel):
    """An API token, without its secret."""

    id: str
    prefix: str = Field(description="how the secret begins")
    user: str
    name: str
    scopes: list[str]
    limits: LimitsTold
    created_ms: int
    expires_ms: int
    used_ms: int | None = Field(description="to the minute, or null: never")


class NewToken(TokenTold):
    """A token as it was made."""

    secret: str = Field(description="told this once")


class UserTold(BaseModel):
    """A person who may sign in."""

    name: str
    role: str
    limits: LimitsTold
    subject: str = Field(description="the OpenID provider's name for them, empty of a local user")
    disabled: bool
    has_password: bool
    created_ms: int
    seen_ms: int | None


class SignInLink(BaseModel):
    """A link that signs in once; both are null where none was needed."""

    path: str | None
    expires_ms: int | None


class AuditChange(BaseModel):
    """One place that differs."""

    path: str
    before: Any
    after: Any


class AuditEntry(BaseModel):
    """Who changed what, when, from where."""

    id: int
    at_ms: int
    who: str
    action: str
    subject: str
    origin: str = Field(description="the address that the request came from")
    before: Any
    after: Any
    changes: list[AuditChange]
    previous: str = Field(description="the hash of the entry before")
    hash: str


class AuditVerdict(BaseModel):
    """Whether the chain of hashes holds."""

    intact: bool
    entries: int = Field(description="how many hold, from the first on")
    head: str = Field(description="the last hash that holds")
    at: int | None = Field(description="the id of the first entry that doesn't hold")
    fault: str
    redacted: int = Field(description="entries without what erasures took out of them since")


class Erased(BaseModel):
    """What was erased, as a digest."""

    kind: str = Field(description="key or value")
    digest: str = Field(description="SHA-256")
    at_ms: int


class ErasedNow(Erased):
    """What an erasure has done."""

    rows: dict[str, int] = Field(description="rows that are gone, by table")
    redacted: int = Field(description="entries of the audit in which it is no longer shown")
    also: list[str] = Field(description="other keys of the same item, which led to nothing else and went with it")
    shared: list[str] = Field(
        description="keys that lead to it, or to which it leads, and that others have part in: kept. Erase those that "
        "are the person's, too"
    )
    note: str = Field(description="what to think of, where nothing was found")
