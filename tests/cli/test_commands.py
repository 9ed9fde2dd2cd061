"""The command line without a running stack: help, exit codes, JSON, sentences in place of tracebacks."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
from typer import BadParameter
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands.options import lane_name
from api.commands.replay import fitting
from api.commands.rules import instant
from api.commands.run import demo_lane, playable
from api.commands.status import works
from api.stack import ports
from api.stack.errors import StackError
from udfs.packs.load import find_packs

ROOT = Path(__file__).parents[2]
PACK = ROOT / "rules" / "trade_lifecycle"
COMMANDS = ("up", "demo", "status", "stop", "replay", "simulate", "test", "schema", "validate", "rules", "version")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAYMARK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def daymark(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def event(trade: str, kind: str, time: str, **data: object) -> str:
    body = {"specversion": "1.0", "id": f"{trade}-{kind}", "source": "/t", "type": f"trade.{kind}", "time": time}
    return json.dumps(body | {"data": {"trade_id": trade, "market": "EU", "book": "b"} | data})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A trade that is not verified, one that is verified late, and a line that is not JSON."""
    lines = [
        event("T-1", "ingested", "2026-03-02T10:00:00Z"),
        event("T-2", "ingested", "2026-03-02T10:00:00Z"),
        "no json",
        event("T-2", "verified", "2026-03-02T10:03:00Z"),
        event("T-2", "rejected", "2026-03-02T10:04:00Z"),
    ]
    file = tmp_path / "log.ndjson"
    file.write_text("\n".join(lines))
    return file


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = daymark(command, "--help")
    assert result.exit_code == 0
    assert command in result.output


def test_help_names_every_command_and_every_exit_code() -> None:
    output = daymark("--help").output
    assert all(command in output for command in COMMANDS)
    assert all(
        code in output
        for code in ("0 fine", "1 failed", "2 wrong usage", "3 Daymark does", "4 something", "5 done", "130")
    )


def test_wrong_usage_is_exit_code_two() -> None:
    assert daymark("validate").exit_code == 2
    assert daymark("up", "--port", "no").exit_code == 2
    assert daymark("frobnicate").exit_code == 2
    assert daymark("demo", "--speed", "quick").exit_code == 2


def test_the_demo_names_the_packs_that_it_can_play() -> None:
    names = [folder.name for folder in find_packs(ROOT / "rules")]
    listed = daymark("demo", "--list")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == names
    unknown = daymark("demo", "--pack", "trade_livecycle")
    assert unknown.exit_code == 2
    assert "There is no traffic for a pack 'trade_livecycle'" in unknown.output
    assert all(name in unknown.output for name in names)


def test_each_packs_demo_has_a_lane_of_its_own() -> None:
    lanes = {pack: demo_lane(pack) for pack in playable()}
    assert lanes["trade_lifecycle"] == "demo"
    assert lanes["file_receipt"] == "demo-file-receipt"
    assert len(set(lanes.values())) == len(lanes)
    assert all(lane_name(lane) for lane in lanes.values())


@pytest.mark.parametrize("name", ["../../clickhouse", "Main", "-x", "", "a" * 49, "a/b", "a\n"])
@pytest.mark.parametrize("command", [("up",), ("simulate", PACK, "x.csv"), ("replay", "x.csv", "--pack", PACK)])
def test_what_is_no_name_of_a_lane_is_wrong_usage(command: tuple[object, ...], name: str, home: Path) -> None:
    result = daymark(*command, "--lane", name)
    assert result.exit_code == 2
    assert "is no lane's name" in result.output
    assert not home.exists()


@pytest.mark.parametrize("command", [("status",), ("stop",), ("replay", __file__, "--pack", PACK)])
def test_what_needs_a_running_stack_says_so_with_exit_code_three(command: tuple[object, ...], home: Path) -> None:
    result = daymark(*command)
    assert result.exit_code == 3
    assert f"Daymark does not run in {home}" in result.output


def test_status_for_scripts_is_json_even_when_nothing_runs(home: Path) -> None:
    result = daymark("status", "--json")
    assert result.exit_code == 3
    assert json.loads(result.output) == {"running": False, "home": str(home)}


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_taken_port_is_one_sentence_and_nothing_is_started(command: str, home: Path) -> None:
    others = [word for option in ("--kafka-port", "--flink-port") for word in (option, ports.free())]
    with socket.create_server((ports.HOST, 0)) as server:
        taken = server.getsockname()[1]
        result = daymark(command, "--port", taken, *others)
    assert result.exit_code == 4
    assert f"Port {taken} (HTTP) is taken by" in result.output
    assert "choose another port with --port" in result.output
    assert "Traceback" not in result.output
    assert not (home / "logs" / "kafka.log").exists()
    assert daymark("status").exit_code == 3


@pytest.mark.parametrize(
    ("job", "clock", "age", "fine"),
    [
        ("RUNNING", "live", 5, True),
        ("RUNNING", "behind", 5000, True),
        ("RUNNING", "unknown", 5, True),
        ("RUNNING", "unknown", 5000, False),
        ("RUNNING", "blind", 5000, False),
        ("RESTARTING", "live", 5000, False),
        ("unknown", "live", 5, False),
    ],
)
def test_status_is_fine_only_while_the_job_runs_and_time_moves(job: str, clock: str, age: float, fine: bool) -> None:
    assert works(job, clock, age) is fine


def test_validate_says_which_workflows_are_valid() -> None:
    result = daymark("validate", PACK)
    assert result.exit_code == 0
    assert "valid: trade_lifecycle" in result.output


def test_validate_names_file_line_and_remedy_of_what_is_wrong(tmp_path: Path) -> None:
    pack = tmp_path / "workflow.yaml"
    pack.write_text((PACK / "workflow.yaml").read_text().replace("expect: reply,", "expect: repyl,"))
    result = daymark("validate", pack)
    assert result.exit_code == 1
    assert "did you mean `reply`?" in result.output
    document = json.loads(daymark("validate", pack, "--json").output)
    assert document["valid"] is False
    fault = next(problem for problem in document["problems"] if problem["level"] == "error")
    assert fault["file"] == str(pack)
    assert fault["line"] == 1 + pack.read_text().splitlines().index(
        next(line for line in pack.read_text().splitlines() if "repyl" in line)
    )


def test_simulate_prints_the_documented_json(log: Path) -> None:
    result = daymark("simulate", PACK, log, "--json")
    assert result.exit_code == 0
    document = json.loads(result.output)
    assert document["events"] == 4
    assert document["items"] == 2
    assert document["findings"]["verify"] == {"missing": 2, "late": 1}
    assert document["other"] == {"duplicate": 0, "out_of_order": 0}
    assert document["unreadable"] == {"not_json": 1}


def test_simulate_writes_each_finding_with_its_id(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "findings.ndjson"
    assert daymark("simulate", PACK, log, "--findings", file, "--lane", "replay-1").exit_code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted((row["kind"], row["key"]) for row in rows) == [
        ("late", "T-2"),
        ("missing", "T-1"),
        ("missing", "T-2"),
    ]
    assert len({row["id"] for row in rows}) == 3
    assert {row["lane"] for row in rows} == {"replay-1"}


def test_a_log_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    result = daymark("simulate", PACK, tmp_path / "none.csv")
    assert result.exit_code == 1
    assert "there is no such file" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none.csv",), "'none.csv' does not exist"),
        ((__file__, "--speed", "quick"), "'quick' is no speed; give a factor such as 1000x, or max."),
        ((__file__, "--speed", "inf"), "is no speed"),
        ((__file__, "--lateness", "2"), "is not a duration"),
    ],
)
def test_what_a_replay_can_not_do_is_wrong_usage_before_anything_is_made(
    words: tuple[object, ...], sentence: str, home: Path
) -> None:
    result = daymark("replay", *words, "--pack", PACK)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.replace("│", " ").split())
    assert not home.exists()


def test_findings_into_a_folder_that_is_not_there_are_wrong_usage(log: Path, tmp_path: Path) -> None:
    result = daymark("simulate", PACK, log, "--findings", tmp_path / "none" / "f.ndjson")
    assert result.exit_code == 2
    assert "There is no folder" in result.output


def test_a_mapping_is_replayed_with_the_running_packs_that_follow_its_keys(tmp_path: Path) -> None:
    other = tmp_path / "mapping.yaml"
    other.write_text("source: s\ntopic: shop.orders\nkeys: {order: data.order}\n")
    assert fitting([PACK], PACK / "mapping.yaml") == fitting([PACK], None) == [PACK]
    with pytest.raises(StackError, match=r"None of the running packs .* follows a key that .* reads \(order\).*--pack"):
        fitting([PACK], other)


def test_a_pack_without_a_mapping_asks_for_one(tmp_path: Path, log: Path) -> None:
    (tmp_path / "workflow.yaml").write_text((PACK / "workflow.yaml").read_text())
    result = daymark("simulate", tmp_path, log)
    assert result.exit_code == 1
    assert "name one with --mapping" in result.output
    assert daymark("simulate", tmp_path, log, "--mapping", PACK / "mapping.yaml").exit_code == 0


def test_version_prints_the_version() -> None:
    assert daymark("version").output.startswith("daymark ")


def test_test_plays_the_scenarios_of_a_pack() -> None:
    result = daymark("test", PACK)
    assert result.exit_code == 0
    assert "scenarios, all as expected" in result.output.replace("\n", " ")
    assert all(one["as_expected"] for one in json.loads(daymark("test", PACK, "--json").output)["scenarios"])


def test_test_fails_where_a_scenario_went_otherwise_and_where_none_is(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(PACK, pack)
    file = pack / "scenarios" / "reply.yaml"
    file.write_text(file.read_text().replace("within", "").replace("{kind: missing, rule: reply, key: T1}", "", 1))
    result = daymark("test", pack)
    assert result.exit_code == 1
    assert "went otherwise" in result.output
    shutil.rmtree(pack / "scenarios")
    result = daymark("test", pack)
    assert result.exit_code == 1
    assert "no scenarios" in result.output


@pytest.mark.parametrize(
    ("text", "at"), [("beginning", 0), ("1970-01-01T00:00:01Z", 1000), ("1970-01-01T01:00+01:00", 0)]
)
def test_a_rule_is_put_from_an_instant(text: str, at: int) -> None:
    assert instant(text) == at


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-03-01T08:00:00", "1969-01-01T00:00:00Z"])
def test_what_is_no_instant_is_wrong_usage(text: str) -> None:
    with pytest.raises(BadParameter, match="now, beginning"):
        instant(text)


@pytest.mark.parametrize("words", [("put", PACK), ("withdraw", "trade_lifecycle")])
def test_rules_need_a_running_stack(words: tuple[object, ...]) -> None:
    assert daymark("rules", *words).exit_code == 3
