"""Half a character (a lone surrogate), wherever it stands in a rule, is told by its place and breaks nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from udfs.operators.batch import RuleRecord
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError
from udfs.packs.rulefile import read_rule

HALF = "x\ud800y"
RULE: dict[str, Any] = {
    "workflow": "w",
    "description": "d",
    "key": "id",
    "steps": {"a": {"on": "a", "start": True, "where": {"data.x": "1"}}, "b": {"on": "b"}},
    "flow": ["a -> b"],
    "deadlines": [{"id": "d", "after": "a", "expect": "b", "within": "5m", "severity": "high"}],
}


def places(value: Any, loc: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a text in the rule, and of the words beside it."""
    if isinstance(value, dict | list):
        for part in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[part], (*loc, part))
    yield loc


@pytest.mark.parametrize("loc", [loc for loc in places(RULE) if loc], ids=str)
@pytest.mark.parametrize("word", [False, True], ids=["a text", "a word"])
def test_it_is_a_problem_that_can_be_told(loc: tuple[Any, ...], word: bool) -> None:
    rule = copy.deepcopy(RULE)
    section: Any = rule
    for part in loc[:-1]:
        section = section[part]
    if word and isinstance(section, dict):
        section[HALF] = section.pop(loc[-1])
    else:
        section[loc[-1]] = HALF
    with pytest.raises(PackError, match="half a character") as refused:
        compile_workflow(rule, version=1, lane="main")
    str(refused.value).encode()


@pytest.mark.parametrize("text", ['workflow: "\\uD800"\nkey: id\n', 'workflow: w\nkey: id\n"\\uD800": 1\n'])
def test_a_text_with_one_is_no_rule(text: str) -> None:
    found, problems = read_rule(text)
    assert found is None
    assert any("half a character" in one.message for one in problems)
    orjson.dumps([one.as_dict() for one in problems])


def test_the_job_refuses_a_document_with_one_and_goes_on(tmp_path: Path) -> None:
    engine = Engine("main", (), (), compile_workflow, rules_topic="r")
    document = orjson.dumps({"workflow": "w", "version": 1, "definition": RULE | {"key": "HALF"}})
    record = RuleRecord(0, 0, 0, b"w", document.replace(b"HALF", b"\\ud800"))
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (whatever it says, it is a dead letter)
        engine.take(record)
    assert engine.refuse_rule(record, refused.value)
