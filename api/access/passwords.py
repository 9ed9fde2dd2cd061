"""Passwords: argon2id, at most two at a time, since each takes 64 MiB."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 12, 256
HASHER = PasswordHasher()  # RFC 9106's second recommendation: 64 MiB, three passes
_TURN = threading.Semaphore(2)
_NOBODYS: list[str] = []


def fault(password: str, name: str) -> str:
    """What is wrong with a new password; '' when nothing is."""
    if len(password) < LEAST:
        return f"has {len(password)} characters; at least {LEAST} are needed"
    if len(password) > MOST:
        return f"has {len(password)} characters; at most {MOST} are taken"
    if len(set(password)) < 5 or (name and name.lower() in password.lower() and len(password) < len(name) + LEAST):
        return "is too easy to guess: use more different characters, and not your name"
    return ""


def hashed(password: str) -> str:
    """The hash to keep, with its parameters and salt in it."""
    with _TURN:
        return HASHER.hash(password)


def right(kept: str | None, password: str) -> bool:
    """Whether a password is the one whose hash was kept. It takes as long where nobody has that name (None)."""
    if len(password) > MOST:
        return False
    if kept is None and not _NOBODYS:
        _NOBODYS.append(hashed("nobody's password"))
    with _TURN:
        try:
            return HASHER.verify(kept or _NOBODYS[0], password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)
