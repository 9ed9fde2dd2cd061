"""What a job's configuration must hold before anything is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.config import (
    ConfigError,
    FileInput,
    FolderOutput,
    JobConfig,
    check_files,
    read_config,
)

CONFIG = JobConfig(bootstrap="127.0.0.1:1", packs=(Path("pack"),), lateness_ms=2000)


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
