"""Secrets: named in channel documents, found in the environment or in files at each send, and never in a log."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

LONGEST = 65_536
LEAST_HIDDEN = 6
"""Shorter ones aren't hidden: they would tear holes into every text."""

OWN = "DAYMARK_"
ALLOWED = ("DAYMARK_SECRET_", "DAYMARK_SMTP")
FOLDER = "DAYMARK_SECRETS"
USUAL = "/run/secrets"
"""Where container platforms put secrets."""

HIDDEN = "[hidden]"


class SecretError(Exception):
    """A setting that can't be found; the text names it and never its value."""


class Vault:
    """Finds what documents only name, and hides it in texts that others may read.

    Whoever may write channel documents could have anything sent to an address of his own: so Daymark's own variables
    are not given out, and files only from one folder, the one in DAYMARK_SECRETS.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self._known: set[str] = set()

    def reveal(self, setting: Any, name: str) -> str:
        """The text of a setting: plain, or `{"env": NAME}`, or `{"file": PATH}`. Raises SecretError naming `name`."""
        if isinstance(setting, str):
            return setting
        match setting:
            case {"text": str(text)}:
                return text
            case {"env": str(variable)}:
                return self._remember(self._from_env(variable, name))
            case {"file": str(path)}:
                return self._remember(self._from_file(Path(path), name))
        raise SecretError(f"`{name}` is missing in the channel, or is neither a text nor an `env` nor a `file`")

    def hide(self, text: str) -> str:
        """The text without any secret that has been found so far."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _from_env(self, variable: str, name: str) -> str:
        if variable.startswith(OWN) and not variable.startswith(ALLOWED):
            raise SecretError(
                f"`{name}` names {variable}, a setting of Daymark's own; name one without {OWN}, or {ALLOWED[0]}…"
            )
        if not (value := self.env.get(variable, "").strip()):
            raise SecretError(f"`{name}`: the dispatcher's environment has no {variable}")
        return value

    def _from_file(self, path: Path, name: str) -> str:
        folder = self.env.get(FOLDER) or USUAL
        if not path.resolve().is_relative_to(Path(folder).resolve()):
            raise SecretError(f"`{name}`: {path} is not in {folder}, from where secrets are read ({FOLDER})")
        try:
            with path.open() as file:
                value = file.read(LONGEST).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(f"`{name}`: {path} can't be read: {type(error).__name__}") from None
        if not value:
            raise SecretError(f"`{name}`: {path} is empty")
        return value

    def _remember(self, secret: str) -> str:
        path = secret.partition("://")[2].partition("/")[2]  # a receiver may name it alone, in what it answers
        for one in (secret, path):
            if len(one) >= LEAST_HIDDEN:
                self._known.update(_spellings(one))
        return secret


def _spellings(secret: str) -> set[str]:
    """A secret as receivers and libraries may quote it: as it is, in JSON, as bytes, in a URL."""
    quoted = json.dumps(secret)[1:-1]
    return {
        secret,
        quoted,
        quoted.replace("/", "\\/"),
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
        quote(secret),
        quote(secret, safe=""),
    }


class HidingFilter(logging.Filter):
    """Hides secrets in log records, in their fields and in the texts of exceptions too."""

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self.vault = vault

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # the words don't fit together; the handler would print them as they are
            text = f"{record.msg} {record.args}"
        record.msg, record.args = self.vault.hide(text), None
        if record.exc_info:
            record.exc_text = self.vault.hide(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        for name, value in record.__dict__.items():
            if isinstance(value, str) and name not in ("msg", "levelname", "name"):
                record.__dict__[name] = self.vault.hide(value)
        return True
