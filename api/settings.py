"""What the serving process is told from outside: environment variables DAYMARK_*, checked once at the start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SERVERS = ("clickhouse", "clickhouses", "http", "https")
SECRET = ("dsn", "records_url", "api_token", "oidc_secret", "pii_key")
ROLE_NAMES = ("viewer", "operator", "editor", "admin")
_DAYS = re.compile(r"(\d+)\s*([dw]?)")


class SettingsError(Exception):
    """A setting that can't be used; the text names the variable and says what would be right."""


def _paths(value: Any) -> Any:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _words(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _days(value: Any) -> Any:
    """'30d', '4w' or '30' -> days; 0 keeps for ever."""
    if isinstance(value, str):
        match = _DAYS.fullmatch(value.strip())
        if match is None:
            raise ValueError("give days or weeks, such as 30d or 8w; 0 keeps for ever")
        return int(match[1]) * (7 if match[2] == "w" else 1)
    return value


def _dsn(value: str) -> str:
    """A DSN that can be taken apart. The message never shows it: it may hold a password."""
    forms = "give chdb:///directory or clickhouse://user:password@host:8123/database"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f"{forms}; a character such as / in the password is written %2F") from None
    embedded = parts.scheme == "chdb" and parts.path
    server = parts.scheme in SERVERS and parts.hostname and port != 0
    if value and not (embedded or server):
        raise ValueError(forms)
    return value


def _roles(value: list[str]) -> list[str]:
    """group=role, each with a role that there is."""
    for pair in value:
        group, _, role = pair.rpartition("=")
        if not group or role not in ROLE_NAMES:
            raise ValueError(f"{pair!r}: give group=role with a role of {', '.join(ROLE_NAMES)}, separated by commas")
    return value


def _limits(value: list[str]) -> list[str]:
    """group=*, group=workflow:name or group=name:value."""
    for pair in value:
        group, _, seen = pair.partition("=")
        name, _, inside = seen.partition(":")
        if not group or not (seen == "*" or (name and inside)):
            raise ValueError(
                f"{pair!r}: give group=*, group=workflow:orders or group=customer:acme, with commas between"
            )
    return value


Days = Annotated[int, BeforeValidator(_days), Field(ge=0, le=36500)]


class Settings(BaseModel):
    """Each field is the variable DAYMARK_<FIELD>, except `api_token` and the rest that say otherwise.

    `dsn` is where ClickHouse is: `chdb:///directory` for the embedded engine (one process owns the directory),
    `clickhouse://user:password@host:8123/database` for a server. Empty: `<home>/clickhouse`, embedded.
    `records_url` is the relational store's: `postgresql://user:password@host/database`. Empty: the file
    `<home>/records.db`, SQLite.
    `lane` is where POST /events writes when a request names none. `mappings` are source mappings, separated by the
    system's path separator; they give posted events their topic and their correlation key,
    and an event that none of them can read is refused. `packs` are those that the lane's job was submitted with,
    separated likewise: with the rules topic they tell which steps may stand still. `retention_*` are days since a row
    was inserted; 0 keeps for ever. `loader` = false leaves the loading to a process of its own.
    `pii_key` is the secret of fields that mappings hash; erasing needs it, to find them.
    `sign_in` = off lets everybody on this machine do everything; it can't be combined with another host than loopback.
    `api_token` is an admin's token for programs. `tls_cert` and `tls_key` are PEM files. `public_url` is what browsers
    call this server, where that isn't what they send as Host. `status_page` is a YAML file that says what `/status`
    tells everybody (docs/status-page.md); without it nothing. `oidc_*`: the OpenID provider's URL, this server as its
    client, the claim that names a person's groups, the role that each group gives (`ops=operator`): the best; and what
    each group lets one see (`ops=*`, `acme=customer:acme`): all of it. Without, an admin sets limits. The tokens of who
    signs in there hold for `oidc_token_days` from the last sign-in; 0: as long as those of anybody else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Path(".daymark")
    dsn: Annotated[str, AfterValidator(_dsn)] = ""
    records_url: str = ""
    kafka: str = "127.0.0.1:19092"
    topic_prefix: str = Field("daymark.", pattern=r"^[A-Za-z0-9._-]*$")
    lane: str = Field("main", pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    mappings: Annotated[list[Path], BeforeValidator(_paths)] = []
    packs: Annotated[list[Path], BeforeValidator(_paths)] = []
    host: str = "127.0.0.1"
    port: int = Field(8420, ge=0, le=65535)
    allowed_hosts: Annotated[list[str], BeforeValidator(_words)] = []
    api_token: str = ""
    sign_in: str = Field("required", pattern=r"^(required|off)$")
    session_idle_s: int = Field(43_200, ge=60, description="a session that nobody used for so long has ended")
    session_max_s: int = Field(604_800, ge=60, description="a session ends after so long, used or not")
    rate_limit: int = Field(3000, ge=0, description="requests a minute of each user or token; 0: as many as they like")
    tls_cert: Path | None = None
    tls_key: Path | None = None
    status_page: Path | None = None
    public_url: str = Field("", pattern=r"^(https?://[^/?#\s]+)?$")
    oidc_issuer: str = Field("", pattern=r"^(https?://\S+)?$")
    oidc_client: str = ""
    oidc_secret: str = ""
    oidc_groups: str = "groups"
    oidc_roles: Annotated[list[str], BeforeValidator(_words), AfterValidator(_roles)] = []
    oidc_limits: Annotated[list[str], BeforeValidator(_words), AfterValidator(_limits)] = []
    pii_key: str = ""
    oidc_token_days: int = Field(30, ge=0, le=366)
    loader: bool = True
    statistics_every_s: int = Field(3600, ge=0, le=604_800, description="how often statistics are published; 0: never")
    statistics_days: int = Field(7, ge=1, le=400, description="how many days of history statistics are made of")
    statistics_least: int = Field(30, ge=2, description="how often a span must have been seen to be usual")
    stalled_every_s: int = Field(60, ge=0, le=86_400, description="how often whole steps are looked at; 0: never")
    four_eyes: bool = Field(False, description="a change of a rule waits until another person approves it")
    action_wait_s: float = Field(3.0, ge=0, le=30, description="how long a request waits for the alert job's answer")
    loader_group: str = "daymark-loader"
    stale_after_s: int = Field(30, ge=1, description="a lane whose clock stood still for so long is blind (grey)")
    retention_events: Days = 30
    retention_transitions: Days = 90
    retention_items: Days = 90
    retention_findings: Days = 400
    retention_dead_letters: Days = 30
    retention_progress: Days = 0
    retention_alerts: Days = 400
    retention_alertlog: Days = 400
    retention_incidents: Days = 400
    retention_deliveries: Days = 90
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")

    @property
    def store_dsn(self) -> str:
        """The DSN to open: `dsn`, or the embedded engine below `home`."""
        return self.dsn or f"chdb://{(self.home / 'clickhouse').absolute()}"

    @property
    def retention(self) -> dict[str, int]:
        """Days by table."""
        prefix = "retention_"
        names = [name for name in type(self).model_fields if name.startswith(prefix)]
        return {name.removeprefix(prefix): getattr(self, name) for name in names}

    @property
    def public_hosts(self) -> list[str]:
        """The Host headers that are answered; another one could be a page that rebinds its name to this machine.

        A server that other machines may reach asks them to sign in instead, unless `allowed_hosts` names it.
        """
        if self.host not in LOOPBACK and not self.allowed_hosts:
            return ["*"]
        return ["127.0.0.1", "localhost", "::1", "[::1]", *self.allowed_hosts]

    def require_safe(self) -> None:
        """Raise SettingsError when the server would let in other machines without a sign-in, or half of what belongs
        together is missing."""
        if self.host not in LOOPBACK and self.sign_in == "off":
            raise SettingsError(
                f"DAYMARK_HOST is {self.host}, which other machines can reach, but DAYMARK_SIGN_IN is off. "
                "Leave DAYMARK_SIGN_IN at `required`, or bind 127.0.0.1."
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("DAYMARK_TLS_CERT and DAYMARK_TLS_KEY belong together; one of them is not set.")
        if bool(self.oidc_issuer) != bool(self.oidc_client):
            raise SettingsError("DAYMARK_OIDC_ISSUER and DAYMARK_OIDC_CLIENT belong together; one of them is not set.")
        if self.api_token and len(self.api_token) < 16:
            raise SettingsError(f"DAYMARK_API_TOKEN has {len(self.api_token)} characters; it needs at least 16.")


def from_env(env: Mapping[str, str] | None = None) -> Settings:
    """The settings in `env` (default: the process's own). Raises SettingsError naming every variable at fault."""
    env = os.environ if env is None else env
    given = {name: value for name in Settings.model_fields if (value := env.get(f"DAYMARK_{name.upper()}"))}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("; ".join(_fault(str(e["loc"][0]), e["input"], e["msg"]) for e in error.errors())) from None


def _fault(name: str, value: Any, message: str) -> str:
    """What is wrong with a variable, without the value of one that holds a secret."""
    shown = "" if name in SECRET else f"={value!r}"
    return f"DAYMARK_{name.upper()}{shown}: {message}"
