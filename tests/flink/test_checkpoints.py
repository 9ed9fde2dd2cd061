"""Which state a job resumes from."""

from __future__ import annotations

import os
from pathlib import Path

from api.stack.checkpoints import newest


def _state(folder: Path, age: int, content: bytes = b"state") -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(content)
    os.utime(folder / "_metadata", (1_000_000 - age, 1_000_000 - age))
    return folder


def test_the_newest_wins_whether_checkpoint_or_savepoint(tmp_path: Path) -> None:
    _state(tmp_path / "job1" / "chk-9", age=30)
    savepoint = _state(tmp_path / "savepoint-1", age=10)
    _state(tmp_path / "job2" / "chk-1", age=20)
    assert newest(tmp_path) == savepoint.as_uri()
    younger = _state(tmp_path / "job3" / "chk-2", age=5)
    assert newest(tmp_path) == younger.as_uri()


def test_what_is_half_written_does_not_count(tmp_path: Path) -> None:
    complete = _state(tmp_path / "job" / "chk-1", age=10)
    (tmp_path / "job" / "chk-2").mkdir()
    (tmp_path / "job" / "chk-2" / "._metadata.inprogress.1").write_bytes(b"st")
    _state(tmp_path / "job" / "chk-3", age=0, content=b"")
    assert newest(tmp_path) == complete.as_uri()


def test_a_lane_that_never_ran_has_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "nothing") is None
