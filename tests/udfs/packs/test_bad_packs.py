"""Every bad pack in tests/fixtures/packs/bad gets exactly the messages that its first lines expect."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from udfs.packs.load import load_mapping, load_pack
from udfs.packs.problems import PackError

BAD = sorted((Path(__file__).parents[2] / "fixtures/packs/bad").glob("*.yaml"))
MARK = "# expect "


def expected(file: Path) -> list[str]:
    return [line.removeprefix(MARK) for line in file.read_text().splitlines() if line.startswith(MARK)]


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_pack_gets_its_messages(file: Path) -> None:
    load = load_mapping if file.name.startswith("mapping_") else load_pack
    with pytest.raises(PackError) as caught:
        load(file)
    messages = [str(problem).removeprefix(f"{file}:").strip() for problem in caught.value.problems]
    assert messages == expected(file)


def test_there_are_more_than_sixty_bad_packs_and_each_expects_a_message() -> None:
    assert len(BAD) > 60
    assert all(expected(file) for file in BAD)


def test_a_problem_names_file_line_and_path_for_scripts() -> None:
    file = next(file for file in BAD if file.stem == "unknown_step_in_deadline")
    with pytest.raises(PackError) as caught:
        load_pack(file)
    (problem,) = caught.value.problems
    assert problem.as_dict() == {
        "file": str(file),
        "line": 9,
        "path": "deadlines[0].expect",
        "message": "step `repyl` is not defined; did you mean `reply`?",
        "level": "error",
    }


def test_a_pack_error_survives_the_way_between_processes() -> None:
    with pytest.raises(PackError) as caught:
        load_pack(BAD[0])
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems  # noqa: S301
