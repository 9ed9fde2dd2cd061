"""What a job's configuration must hold before anything is started."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.config import (
    ConfigError,
    FileInput,
    FolderOutput,
    JobConfig,
    check_files,
    check_pulse,
    check_spans,
    read_config,
)
from tests.udfs.core.build import workflow
from udfs.core.plan import Every, Schedule

CONFIG = JobConfig(bootstrap="127.0.0.1:1", packs=(Path("pack"),), lateness_ms=2000)


@pytest.mark.parametrize("span", [1999, 2000])
@pytest.mark.parametrize("word", ["remember", "expire_after"])
def test_an_item_must_be_known_for_longer_than_its_events_may_be_late(word: str, span: int) -> None:
    spans = {"remember": 9000, "expire_after": 9000, word: span}
    with pytest.raises(ConfigError, match=f"`{word}` is {span} ms"):
        check_spans([workflow("AB", **spans)], CONFIG)  # type: ignore[arg-type]
    check_spans([workflow("AB", remember=2001, expire_after=2001)], CONFIG)


def test_schedules_need_the_pulse() -> None:
    scheduled = replace(workflow("AB"), schedules=(Schedule("feed", "h", 0, frozenset({"K"}), Every(1000)),))
    check_pulse([scheduled], CONFIG)
    silent = CONFIG.model_copy(update={"pulse_ms": 0})
    check_pulse([workflow("AB")], silent)
    with pytest.raises(ConfigError, match="workflow w has schedules"):
        check_pulse([scheduled], silent)


FILES = {"input": {"file": "log.ndjson"}, "output": {"folder": "out"}, "packs": ["pack"], "rules_topic": None}


def test_a_job_from_a_file_into_a_folder_needs_no_kafka_and_its_paths_begin_beside_the_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "job.json").write_text(json.dumps(FILES))
    config = read_config(tmp_path / "job.json")
    assert config.input == FileInput(file=tmp_path / "log.ndjson")
    assert config.output == FolderOutput(folder=tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"input": None}, "`bootstrap` is missing"),
        ({"output": None}, "`bootstrap` is missing"),
        ({"rules_topic": "daymark.rules"}, "set `rules_topic` to null"),
        ({"topics": ["t"]}, "leave one of them out"),
    ],
)
def test_a_job_that_can_not_tell_where_its_records_are_is_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    (tmp_path / "job.json").write_text(json.dumps(FILES | change))
    with pytest.raises(ConfigError, match=complaint):
        read_config(tmp_path / "job.json")


def test_rows_of_another_job_are_not_written_behind_unless_it_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(FILES))
    config = read_config(tmp_path / "job.json")
    with pytest.raises(ConfigError, match=r"log\.ndjson is not there"):
        check_files(config, resumes=False)
    (tmp_path / "log.ndjson").touch()
    check_files(config, resumes=False)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings-0.ndjson").touch()
    check_files(config, resumes=True)
    with pytest.raises(ConfigError, match="name an empty folder"):
        check_files(config, resumes=False)
