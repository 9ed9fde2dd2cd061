"""The benchmark's own parts: what it compares with must be right, or a wrong program could look fast."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.bench import function, runs, smoke, truth
from tests.bench.generate import SLACK_MS, generate, time_of, with_ticks
from tests.bench.section import NotExact
from tests.bench.verdicts import Found

ITEMS = 2000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bench") / "log.ndjson"
    generate(ITEMS, 7, file)
    return file


@pytest.fixture(scope="module")
def known(log: Path) -> Counter[truth.Record]:
    return truth.expected(json.loads(log.with_name(f"{log.name}.truth.json").read_text()))


def test_the_same_seed_gives_the_same_log_and_another_one_another(log: Path, tmp_path: Path) -> None:
    generate(ITEMS, 7, tmp_path / "same")
    generate(ITEMS, 8, tmp_path / "other")
    assert (tmp_path / "same").read_bytes() == log.read_bytes()
    assert (tmp_path / "other").read_bytes() != log.read_bytes()


def test_the_log_has_every_kind_of_anomaly(known: Counter[truth.Record]) -> None:
    verdicts = {record[0] for record in known}
    assert verdicts == {"MISSING", "LATE", "DUPLICATE", "OUT_OF_ORDER", truth.COMPLETED}


@pytest.mark.parametrize("program", smoke.PROGRAMS)
def test_every_program_finds_the_truth(program: str, log: Path, known: Counter[truth.Record], tmp_path: Path) -> None:
    results = tmp_path / "results"
    one = runs.run([*smoke.PROGRAMS[program], log, results], tmp_path / "said", cwd=smoke.REPOSITORY)
    truth.check(known, truth.read([results]), program)
    assert one.events == sum(1 for _ in log.open())
    assert one.seconds < one.wall


def test_a_record_that_is_lost_and_one_too_many_are_told(known: Counter[truth.Record]) -> None:
    records = list(known.elements())
    lost = next(one for one in records if one[0] == "LATE")
    without = [one for one in records if one is not lost]
    with pytest.raises(NotExact, match=r"-1 LATE .*\+1 MISSING"):
        truth.check(known, [*without, ("MISSING", "T1", "A-B", 5)], "somebody")
    truth.check(known, records, "somebody")


def test_a_missing_hop_found_for_another_instant_is_wrong(known: Counter[truth.Record]) -> None:
    name, key, edge, at = next(one for one in known if one[0] == "MISSING")
    moved = (known - Counter([(name, key, edge, at)])) + Counter([(name, key, edge, at + 1)])
    with pytest.raises(NotExact, match="-1 MISSING"):
        truth.check(known, moved.elements(), "somebody")


def test_a_job_that_leaves_out_transitions_is_not_exact(log: Path, known: Counter[truth.Record]) -> None:
    with log.open("rb") as lines:
        outputs = function.Host().run(function.steps(lines))
    whole, events = Found(), sum(1 for _ in log.open())
    for tag, topic in zip("FTIE", ("findings", "transitions", "items", "eventlog"), strict=True):
        parts = (value for t, _, value in map(function.split_element, outputs) if t == tag)
        whole.take(topic, (json.loads(line) for value in parts for line in value.split(b"\n")))
    whole.check(known, events, "the function")
    whole.transitions.pop()
    with pytest.raises(NotExact, match="transitions"):
        whole.check(known, events, "the function")


def test_no_event_comes_further_behind_its_tick_than_the_lane_allows(log: Path) -> None:
    tick = 0
    with log.open("rb") as lines:
        for line in with_ticks(lines):
            if line.startswith(b'{"tick"'):
                assert json.loads(line)["tick"] > tick
                tick = json.loads(line)["tick"]
            else:
                assert time_of(line) >= tick - SLACK_MS
                assert time_of(line) == json.loads(line)["ts"]


def test_a_program_that_fails_has_no_figures(tmp_path: Path) -> None:
    with pytest.raises(runs.Failed, match="out of luck"):
        runs.run([sys.executable, "-c", "import sys; sys.exit('out of luck')"], tmp_path / "said")


def test_the_smoke_test_fails_when_a_ratio_falls_by_more_than_a_third() -> None:
    assert smoke.ratios({"plain Python": 1.0, "core alone": 2.0}) == {"core alone": 0.5}
    assert smoke.fallen({"core alone": 0.41}, {"core alone": 0.6}) == []
    assert "0.60 is recorded" in smoke.fallen({"core alone": 0.39}, {"core alone": 0.6})[0]


def test_pytest_collects_no_benchmark() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/bench"]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=smoke.REPOSITORY).stdout
    files = {line.partition("::")[0].rpartition("/")[2] for line in listed.splitlines() if "::" in line}
    assert files
    assert all(name.startswith("test_") for name in files)
