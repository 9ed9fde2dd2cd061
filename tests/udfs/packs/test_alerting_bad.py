"""Every bad file in tests/fixtures/alerting/bad gets exactly the messages that its first lines expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.packs.alertfile import is_alerting, load_alerting
from udfs.packs.problems import PackError

ROOT = Path(__file__).parents[3]
BAD = sorted((ROOT / "tests/fixtures/alerting/bad").glob("*.yaml"))
MARK = "# expect "


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_alerting_file_gets_its_messages(file: Path) -> None:
    expected = [line.removeprefix(MARK) for line in file.read_text().splitlines() if line.startswith(MARK)]
    with pytest.raises(PackError) as caught:
        load_alerting(file)
    messages = [str(problem).removeprefix(f"{file}:").strip() for problem in caught.value.problems]
    assert messages == expected != []


def test_there_are_more_than_fifty_bad_files() -> None:
    assert len(BAD) > 50


def test_a_file_that_is_not_there_says_so() -> None:
    with pytest.raises(PackError, match="can't be read"):
        load_alerting("nowhere.yaml")


def test_an_alerting_file_is_told_from_a_pack(tmp_path: Path) -> None:
    (tmp_path / "calendars.yaml").write_text("calendars: {office: {}}")
    assert is_alerting(ROOT / "rules/alerting.yaml")
    assert not is_alerting(ROOT / "rules/file_receipt/workflow.yaml")
    assert not is_alerting(ROOT / "rules/file_receipt")
    assert not is_alerting(tmp_path / "calendars.yaml")
    assert not is_alerting(tmp_path / "nowhere.yaml")
