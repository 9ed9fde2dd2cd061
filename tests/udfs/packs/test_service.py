"""What a workflow says under `service`: names that are there, and nothing of what a rule means."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.packs.problems import PackError

MAPPING = "source: s\ntopic: t\nid: id\ntype: type\ntime: time\nkeys: {id: data.id}\n"
WORKFLOW = """
workflow: w
key: id
steps: {a: {on: a, start: true}, b: {on: b, end: completed}}
deadlines: [{id: reply, after: a, expect: b, within: 5m}]
"""


def load(folder: Path, service: str) -> str:
    """The content hash of the workflow."""
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "workflow.yaml").write_text(f"{WORKFLOW}{service}")
    document = orjson.loads(load_pack(folder).workflows[0].document)
    return compile_workflow(document["definition"], version=1, lane="main").hash


def test_it_is_no_part_of_what_a_rule_means(tmp_path: Path) -> None:
    plain = load(tmp_path, "")
    said = "service: {objectives: {reply: 99.5%}, minutes_per_item: 4, confirmed: [b], corrected: [a]}\n"
    assert load(tmp_path, said) == plain


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("{objectives: {replies: 99%}}", "did you mean `reply`?"),
        ("{objectives: {reply: 101%}}", "at most `100%`"),
        ("{objectives: {reply: 0%}}", "above `0%`"),
        ("{objectives: {reply: 0.99}}", "like `99.5%`"),
        ("{confirmed: [c]}", "there is no step `c`"),
        ("{confirmed: [a], corrected: [a]}", "remove one"),
        ("{minutes_per_item: 0}", "minutes_per_item"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_line(tmp_path: Path, service: str, says: str) -> None:
    with pytest.raises(PackError) as refused:
        load(tmp_path, f"service: {service}\n")
    assert says in str(refused.value)
    assert "workflow.yaml:6" in str(refused.value)
