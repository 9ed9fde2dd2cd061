"""With which rules a job starts."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from jobs.config import ConfigError, JobConfig, fits
from jobs.detect import put_in_force
from tests.udfs.operators.test_bucket import MAPPING, WORKFLOW, document
from udfs.operators.batch import RuleRecord
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

FEED = {"id": "feed", "expect": "send", "key": "DAILY", "every": "1h"}
KEYS = {"key": ["trade_id", "secret"]}
HASHED = MAPPING | {
    "keys": {"trade_id": "data.trade_id", "secret": "data.secret"},
    "pii": {"data.secret": "hash"},
}


def engine(**settings: object) -> Engine:
    config = JobConfig(bootstrap="127.0.0.1:1", packs=(Path("pack"),), lateness_ms=2000, **settings)  # type: ignore[arg-type]
    mapping = compile_mapping(HASHED)
    return Engine("main", [mapping], ["events"], compile_workflow, fits=fits(config, [mapping]))


@pytest.mark.parametrize("unfit", [{"remember": "2s"}, {"schedules": [FEED]}, KEYS, {"steps": {}}])
def test_a_record_of_the_rules_topic_that_the_job_cannot_run_holds_up_nobody(unfit: dict[str, object]) -> None:
    made = engine(pulse_ms=0)
    other = WORKFLOW | {"workflow": "other"}
    changes = [
        RuleRecord(0, 0, 0, b"trade", document(WORKFLOW | unfit, version=2)),
        RuleRecord(0, 1, 0, b"other", document(other)),
    ]
    put_in_force(made, [document(WORKFLOW)], changes)
    assert {orjson.loads(one)["workflow"] for one in made.documents.values()} == {"trade", "other"}
    assert [spec.version for _, spec in made.in_force(0)] == [1, 1]
    with pytest.raises(ValueError, match=r"trade|steps"):
        made.take(changes[0])  # as the running job does


def test_a_pack_that_the_job_cannot_run_is_an_error_at_the_start() -> None:
    with pytest.raises(ConfigError, match="`remember` is 2000 ms"):
        put_in_force(engine(), [document(WORKFLOW | {"remember": "2s"})], [])
