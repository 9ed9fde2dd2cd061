"""The secret that signs acknowledge links: the dispatcher signs with it, the API verifies with it."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "DAYMARK_LINK_SECRET"
FILE = "link.secret"
LEAST = 32


class LinkSecretError(Exception):
    """The secret can't be had; the text says what to do."""


def link_secret(home: Path, env: Mapping[str, str]) -> str:
    """The value of DAYMARK_LINK_SECRET, or what `link.secret` in the home says; whoever comes first makes that file.

    Raises LinkSecretError if the secret is too short, or the file can't be read or written.
    """
    if secret := env.get(VARIABLE, ""):
        return _checked(secret, VARIABLE)
    file = home / FILE
    try:
        if not file.exists():
            _make(file)
        return _checked(file.read_text().strip(), str(file))
    except OSError as error:
        raise LinkSecretError(f"{file} can't be used: {error}; or set {VARIABLE}") from error


def _checked(secret: str, where: str) -> str:
    if len(secret) < LEAST:
        raise LinkSecretError(f"{where} has {len(secret)} characters; a secret for links needs at least {LEAST}.")
    return secret


def _make(file: Path) -> None:
    """Put the file there whole or not at all, readable by its owner only; of two processes the first one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".link-secret-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as temporary:
            temporary.write(secrets.token_urlsafe(48))
        os.link(name, file)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
