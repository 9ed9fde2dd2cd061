"""What the alert job is told: one JSON file, checked before anything is started."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.config import ConfigError


class AlertConfig(BaseModel):
    """The settings of the alert job. There is one for all lanes. Spans are milliseconds.

    `lanes`: those whose findings make alerts; empty: all, replays too. `packs` are those that detect runs with, since
    what lies upstream of what explains alerts.
    `look_back_ms`: a job that remembers nothing takes what was found and done since so long ago, not all there is.
    `tick_ahead_ms`: a tick that is further ahead of its record's timestamp moves nothing. `flush_ms`: how long a
    finding may wait for others to make a batch with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap: str
    lanes: tuple[str, ...] = ()
    packs: tuple[Path, ...] = ()
    topic_prefix: str = Field("daymark.", pattern=r"^[A-Za-z0-9._-]*$")
    look_back_ms: int = Field(3_600_000, ge=0)
    tick_ahead_ms: int = Field(60_000, ge=0)
    flush_ms: int = Field(5, ge=1)
    uid_prefix: str = "daymark-alert"

    def topic(self, name: str) -> str:
        """The full name of one of the topics of docs/contracts.md."""
        return self.topic_prefix + name


def read_alert_config(file: Path) -> AlertConfig:
    """The configuration in a JSON file; relative paths in it start at its folder. Raises ConfigError."""
    try:
        config = AlertConfig.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{file}: can't be read: {error.strerror}; name the alert job's JSON configuration"
        ) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{file}: {faults}") from None
    return config.model_copy(update={"packs": tuple(file.parent.absolute() / path for path in config.packs)})
