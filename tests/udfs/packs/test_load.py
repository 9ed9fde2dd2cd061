"""Packs from disk: where they are found, what makes a warning, what a YAML word means."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.packs.load import find_packs, load_mapping, load_pack
from udfs.packs.problems import PackError

WORKFLOW = """\
workflow: trades
key: trade_id
steps:
  send:  {on: trade.sent, start: true}
  reply: {on: trade.replied, end: completed}
flow: send -> reply
deadlines:
  - {id: reply, after: send, expect: reply, within: 5m, severity: low}
"""
MAPPING = "source: trades\nkeys: {trade_id: data.trade_id}\ngroups: {market: data.market}\n"


def pack(folder: Path, workflow: str, mapping: str | None = None) -> Path:
    (folder / "workflow.yaml").write_text(workflow)
    if mapping is not None:
        (folder / "mapping.yaml").write_text(mapping)
    return folder


def messages(path: Path) -> list[str]:
    return [f"{problem.level} {problem.line} {problem.path}: {problem.message}" for problem in load_pack(path).problems]


def test_a_folder_is_a_pack_with_the_mapping_beside_the_workflow(tmp_path: Path) -> None:
    loaded = load_pack(pack(tmp_path, WORKFLOW, MAPPING))
    assert [one.name for one in loaded.workflows] == ["trades"]
    assert loaded.mapping is not None
    assert loaded.mapping.key_names == ("trade_id",)
    assert loaded.problems == []


def test_a_file_is_a_pack_too_and_need_not_have_a_mapping(tmp_path: Path) -> None:
    loaded = load_pack(pack(tmp_path, WORKFLOW) / "workflow.yaml")
    assert loaded.mapping is None
    assert loaded.workflows[0].version == 1


def test_a_file_may_hold_several_workflows(tmp_path: Path) -> None:
    second = WORKFLOW.replace("workflow: trades", "workflow: orders\nversion: 4")
    loaded = load_pack(pack(tmp_path, f"{WORKFLOW}---\n{second}"))
    assert [(one.name, one.version, one.line) for one in loaded.workflows] == [("trades", 1, 1), ("orders", 4, 10)]


def test_a_missing_pack_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"there is no such file; a pack is a folder with a workflow\.yaml"):
        load_pack(tmp_path / "nowhere")


def test_a_mapping_loads_from_its_file_or_from_its_folder(tmp_path: Path) -> None:
    pack(tmp_path, WORKFLOW, MAPPING)
    assert load_mapping(tmp_path).name == load_mapping(tmp_path / "mapping.yaml").name == "trades"


def test_packs_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a/deep"):
        (tmp_path / name).mkdir(parents=True)
        pack(tmp_path / name, WORKFLOW)
    assert find_packs(tmp_path) == [tmp_path / "a/deep", tmp_path / "b"]


def test_words_mean_what_yaml_1_2_says(tmp_path: Path) -> None:
    steps = "{data.flag: yes, data.day: 2026-01-31, data.at: 18:00, data.n: 7, data.x: [1.5, true, null]}"
    text = WORKFLOW.replace("{on: trade.sent, start: true}", f"{{on: trade.sent, start: true, where: {steps}}}")
    data = load_pack(pack(tmp_path, text)).workflows[0].data
    assert data["steps"]["send"] == {
        "on": "trade.sent",
        "start": True,
        "where": {
            "data.flag": "yes",
            "data.day": "2026-01-31",
            "data.at": "18:00",
            "data.n": 7,
            "data.x": [1.5, True, None],
        },
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", start: true", "", "warning 3 steps: no step has `start: true`; mark those at which an item begins"),
        (
            "within: 5m",
            "within: 5m, runbook: runbooks/x.md",
            "warning 8 deadlines[0].runbook: there is no file `FOLDER/runbooks/x.md`; write it, or correct the name",
        ),
        (
            "flow: send -> reply",
            "flow: reply -> send",
            "warning 8 deadlines[0].expect: the flow puts `reply` before `send`; swap them, or correct the flow",
        ),
        (
            "flow: send",
            "  lost: {on: trade.lost}\nflow: send",
            "warning 6 steps.lost: no path of the flow leads from a start step to `lost`; "
            "add it to a chain of `flow`, or give it `start: true`",
        ),
        (
            "flow: send",
            "  lost: {on: trade.lost}\nflow:\n  - lost -> reply\n  - send",
            "warning 6 steps.lost: no path of the flow leads from a start step to `lost`; "
            "begin a path to it, or give it `start: true`",
        ),
        (
            "flow: send",
            "  again: {on: trade.sent, where: {data.x: 1}}\nflow: send -> again -> reply\n#",
            "warning 6 steps.again: never happens: step `send` above takes the same events; "
            "tell them apart with `where`",
        ),
        (
            "after: send, expect: reply",
            "after: reply, expect: send",
            "warning 8 deadlines[0].after: `reply` ends the item, which calls this deadline off; "
            "add `keep_after_end: true`",
        ),
        (
            "flow: send -> reply",
            "order: {policy: alert}",
            "warning 6 order: there is no `flow`, so no step is out of order; write the flow, or remove `order`",
        ),
    ],
)
def test_a_doubtful_pack_gets_a_warning_and_loads(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message.replace("FOLDER", str(tmp_path)) in messages(pack(tmp_path, WORKFLOW.replace(old, new)))


def test_a_sound_pack_gets_no_warning(tmp_path: Path) -> None:
    (tmp_path / "reply.md").write_text("# Call them")
    text = WORKFLOW.replace("within: 5m", "within: 5m, warn: 80%, runbook: reply.md")
    assert messages(pack(tmp_path, text, MAPPING)) == []


def test_each_of_several_keys_must_be_the_mappings_and_none_may_be_hashed(tmp_path: Path) -> None:
    text = WORKFLOW.replace("key: trade_id", "key: [trade_id, order_id, fill]")
    mapping = "source: t\nkeys: {trade_id: trade, order_id: order}\npii: {order: hash}\n"
    with pytest.raises(PackError) as caught:
        load_pack(pack(tmp_path, text, mapping))
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        ("key[2]", "the mapping has no key `fill`; there is `trade_id`, `order_id`"),
        ("key[1]", "the mapping hashes `order_id`, and links can't be followed by it; leave it out of `pii`"),
    ]


def test_keys_and_groups_must_be_names_of_the_mapping(tmp_path: Path) -> None:
    text = WORKFLOW.replace("key: trade_id", "key: tradeid\ngroups: [book]")
    with pytest.raises(PackError) as caught:
        load_pack(pack(tmp_path, text, MAPPING))
    assert [problem.message for problem in caught.value.problems] == [
        "the mapping has no key `tradeid`; did you mean `trade_id`?",
        "the mapping has no group `book`; there is `market`",
    ]


def test_faults_of_the_mapping_and_of_the_workflow_come_together(tmp_path: Path) -> None:
    folder = pack(tmp_path, WORKFLOW.replace("5m", "soon"), MAPPING.replace("keys", "kyes"))
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    assert {Path(problem.file).name for problem in caught.value.problems} == {"mapping.yaml", "workflow.yaml"}


def test_an_alias_bomb_is_refused_in_time(tmp_path: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (tmp_path / "workflow.yaml").write_text(f"l0: &l0 [x]\n{levels}")
    with pytest.raises(PackError, match="more than 100,000 parts"):
        load_pack(tmp_path)


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workflow.yaml").write_text("[" * 5000)
    with pytest.raises(PackError, match="nested too deeply"):
        load_pack(tmp_path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workflow.yaml").write_bytes(b"owner: J\xe9r\xf4me\n")
    with pytest.raises(PackError, match="is not UTF-8 at byte 8; save it as UTF-8"):
        load_pack(tmp_path)
