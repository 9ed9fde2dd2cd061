"""What a job's configuration must hold before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.config import ConfigError, JobConfig, check_spans
from tests.udfs.core.build import workflow

CONFIG = JobConfig(bootstrap="127.0.0.1:1", packs=(Path("pack"),), lateness_ms=2000)


@pytest.mark.parametrize("span", [1999, 2000])
@pytest.mark.parametrize("word", ["remember", "expire_after"])
def test_an_item_must_be_known_for_longer_than_its_events_may_be_late(word: str, span: int) -> None:
    spans = {"remember": 9000, "expire_after": 9000, word: span}
    with pytest.raises(ConfigError, match=f"`{word}` is {span} ms"):
        check_spans([workflow("AB", **spans)], CONFIG)  # type: ignore[arg-type]
    check_spans([workflow("AB", remember=2001, expire_after=2001)], CONFIG)
