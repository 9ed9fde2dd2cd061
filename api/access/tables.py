"""The tables of users, sessions, tokens and the audit. What creates them is in api/records/migrations.

Of a secret only its SHA-256 is kept: secrets are random and long, so that a fast hash is enough, and a copy of the
database signs nobody in. Passwords are another matter (passwords.py).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from api.records.tables import Number, metadata

NAME = 128  # characters
HASH = 64

users = Table(
    "users",
    metadata,
    Column("name", String(NAME), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("limits", JSON, nullable=False),
    Column("password", Text, nullable=True),
    Column("subject", String(512), nullable=True, unique=True),  # of the OpenID provider: issuer and sub
    Column("disabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(HASH), primary_key=True),
    Column(
        "user", String(NAME), ForeignKey("users.name", ondelete="CASCADE"), nullable=True
    ),  # null: the server's token
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Index("sessions_by_user", "user"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("hash", String(HASH), nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("user", String(NAME), ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(NAME), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=True),
    Index("tokens_by_user", "user"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("kind", String(16), primary_key=True),  # user or address
    Column("name", String(HASH), primary_key=True),  # hashed: what people type instead of their name may be a password
    Column("failures", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("id", String(HASH), primary_key=True),
    Column("purpose", String(16), nullable=False),  # welcome: a one-time sign-in; oidc: one that is under way
    Column("held", JSON, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(HASH), primary_key=True),
    Column("request", String(HASH), nullable=False),
    Column("status", Integer, nullable=False),  # 0: still at work
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),  # canonical JSON, `previous` in it
    Column("hash", String(HASH), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(256), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(512), nullable=False),
    Index("audit_by_subject", "subject"),
)
