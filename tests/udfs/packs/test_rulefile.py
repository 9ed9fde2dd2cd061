"""A rule as people edit it: every fault with its line, comments kept, differences told part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from udfs.packs.compare import compared, text_diff
from udfs.packs.load import load_pack
from udfs.packs.rulefile import read_rule, text_of, with_enabled, written
from udfs.packs.yamlfile import documents_in

ROOT = Path(__file__).parents[3]
TEXT = """\
# who follows trades
workflow: trade   # the name
key: trade_id
steps:
  send:  {on: sent, start: true}
  reply: {on: replied}
deadlines:
  - {id: reply, after: send, expect: reply, within: 5m}
"""


def test_a_sound_text_is_a_definition() -> None:
    found, problems = read_rule(TEXT)
    assert found is not None
    assert (found.name, problems) == ("trade", [])


def test_every_fault_is_told_with_its_line_and_what_would_be_right() -> None:
    found, problems = read_rule(TEXT.replace("expect: reply", "expect: repyl").replace("start: true", "strat: true"))
    assert found is None
    assert {problem.line for problem in problems} >= {5, 8}
    assert any("did you mean" in problem.message for problem in problems)


def test_a_key_that_no_mapping_has_is_a_fault_where_mappings_are_known() -> None:
    assert read_rule(TEXT, {"trade_id"})[0] is not None
    found, [problem] = read_rule(TEXT, {"order_id"})
    assert found is None
    assert "no key `trade_id`" in problem.message


@pytest.mark.parametrize("text", ["", "# nothing", "- a", "a: [", "\0", f"{TEXT}---\n{TEXT}", "workflow: &a [*a]"])
def test_what_is_no_rule_is_told_and_never_raised(text: str) -> None:
    found, problems = read_rule(text)
    assert found is None
    assert problems


@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}&*!|> \n\t'\"#%", max_size=60))
@settings(max_examples=examples(100), deadline=None, database=None)
def test_no_text_breaks_the_reading(text: str) -> None:
    for one in (text, TEXT + text):
        found, problems = read_rule(one)
        assert found or problems


def test_what_is_switched_off_keeps_its_comments_and_comes_back_as_it_was() -> None:
    off = with_enabled(TEXT, False)
    assert "# the name" in off
    assert documents_in(off, "")[0][0].data == documents_in(TEXT, "")[0][0].data | {"enabled": False}
    assert with_enabled(off, True) == off.replace("enabled: false", "enabled: true")


def test_what_is_written_in_one_line_is_switched_too() -> None:
    text = "{workflow: w, key: id, steps: {a: {on: a, start: true}}}"
    assert documents_in(with_enabled(text, False), "")[0][0].data["enabled"] is False


@pytest.mark.parametrize("pack", sorted(path.parent.name for path in (ROOT / "rules").glob("*/workflow.yaml")))
def test_the_text_of_each_shipped_workflow_says_what_its_pack_says(pack: str) -> None:
    for one in load_pack(ROOT / "rules" / pack).workflows:
        documents, problems = documents_in(text_of(Path(one.file), one), "")
        assert problems == []
        assert [document.data for document in documents] == [one.data]


def test_differences_are_told_by_the_id_of_a_deadline_not_by_its_place() -> None:
    before = documents_in(TEXT, "")[0][0].data
    extra = {"id": "first", "after": "send", "expect": "reply", "within": "1m"}
    after = before | {"deadlines": [extra, before["deadlines"][0] | {"within": "10m"}], "description": "for people"}
    assert [str(one) for one in compared(before, after)] == [
        "deadlines.reply.within: 5m becomes 10m",
        f"deadlines.first: {written_json(extra)} is new",
    ]
    assert [one.change for one in compared(after, before)] == ["removed", "changed"]
    assert compared(before, before) == []


def written_json(value: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": "{one}"' for name, one in value.items()) + "}"


def test_texts_are_compared_line_by_line() -> None:
    diff = text_diff(TEXT, TEXT.replace("5m", "10m"), ("revision 1", "revision 2"))
    assert diff.splitlines()[:2] == ["--- revision 1", "+++ revision 2"]
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] for line in changed] == ["-", "+"]
    assert "within: 10m" in changed[1]
    assert text_diff(TEXT, TEXT, ("a", "b")) == ""


def test_a_definition_that_is_written_out_reads_as_it_was() -> None:
    data = documents_in(TEXT, "")[0][0].data | {"zone": "Europe/London", "description": "18:00, ja\nnein"}
    assert documents_in(written(data), "")[0][0].data == data
