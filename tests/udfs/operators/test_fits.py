"""Rules that a job can't run are refused, when it starts as while it runs."""

from __future__ import annotations

import pickle
from dataclasses import replace

import orjson
import pytest

from tests.udfs.core.build import workflow
from tests.udfs.operators.test_bucket import MAPPING, WORKFLOW, document
from udfs.core.plan import Every, Schedule
from udfs.core.spec import Correlation
from udfs.operators.batch import RuleRecord
from udfs.operators.engine import Engine
from udfs.operators.fits import Fits
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

FITS = Fits("main", lateness=2000, pulse=60_000, hashed=[("desk", ("fill",))])


@pytest.mark.parametrize("span", [1999, 2000])
@pytest.mark.parametrize("word", ["remember", "expire_after"])
def test_an_item_must_be_known_for_longer_than_its_events_may_be_late(word: str, span: int) -> None:
    spans = {"remember": 9000, "expire_after": 9000, word: span}
    with pytest.raises(ValueError, match=f"`{word}` is {span} ms"):
        FITS(workflow("AB", **spans))  # type: ignore[arg-type]
    FITS(workflow("AB", remember=2001, expire_after=2001))


def test_schedules_need_the_pulse() -> None:
    rules = workflow("AB", remember=9000)
    scheduled = replace(rules, schedules=(Schedule("feed", "h", 0, frozenset({"K"}), Every(1000)),))
    FITS(scheduled)
    silent = replace(FITS, pulse=0)
    silent(rules)
    with pytest.raises(ValueError, match="workflow w has schedules"):
        silent(scheduled)


def test_a_hashed_key_cannot_be_in_a_list() -> None:
    rules = workflow("AB", remember=9000)
    FITS(replace(rules, correlation=Correlation(("order", "execution"), 1, 1)))
    with pytest.raises(ValueError, match="mapping desk: `fill` is hashed"):
        FITS(replace(rules, correlation=Correlation(("order", "fill"), 1, 1)))


def test_a_rule_that_the_job_cannot_run_is_refused_by_its_workers_too_and_the_one_before_stays_in_force() -> None:
    made = Engine("main", [compile_mapping(MAPPING)], ["events"], compile_workflow, fits=FITS)
    made.put_rule(document(WORKFLOW))
    at_work = pickle.loads(pickle.dumps(made))  # noqa: S301 (ours)
    short = RuleRecord(0, 5, 0, b"trade", document(WORKFLOW | {"remember": "2s"}, version=2))
    for one in (made, at_work):
        with pytest.raises(ValueError, match="`remember` is 2000 ms") as refused:
            one.take(short)
        assert one.spec_at("trade", 0).version == 1
        assert b"`remember` is 2000 ms" in one.refuse_rule(short, refused.value)
    assert orjson.loads(short.document)["version"] == 2
