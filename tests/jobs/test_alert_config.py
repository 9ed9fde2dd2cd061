"""What the alert job is told, and the topics that it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.alertconfig import read_alert_config
from jobs.config import ConfigError
from jobs.topics import wanted


def written(folder: Path, **told: object) -> Path:
    file = folder / "alert.json"
    file.write_text(json.dumps(told))
    return file


def test_packs_are_found_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    config = read_alert_config(written(tmp_path, bootstrap="b", packs=["packs/one"]))
    assert config.packs == (tmp_path / "packs" / "one",)
    assert config.topic("alerts") == "daymark.alerts"


def test_what_is_wrong_with_a_configuration_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bootstrap: .*; flush: Extra"):
        read_alert_config(written(tmp_path, flush=3))


def test_a_configuration_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name the alert job's JSON configuration"):
        read_alert_config(tmp_path / "none.json")


def test_what_must_be_one_log_has_one_partition_and_takes_big_answers() -> None:
    topics = wanted("main")
    assert topics["daymark.notifications"].partitions == 1
    assert int(topics["daymark.notifications"].settings["max.message.bytes"]) > 10_000_000
    assert topics["daymark.alerting"].settings["cleanup.policy"] == "compact"
    assert {topics[f"daymark.{name}"].partitions for name in ("actions", "alerts", "alertlog", "incidents")} == {2}
