"""A home may have any name: blanks and letters that are not ASCII reach Java and Flink as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.stack import ports
from api.stack.checkpoints import METADATA, newest
from api.stack.kafka import KafkaBroker


def test_a_checkpoint_is_named_without_percent_signs_since_flink_decodes_none(tmp_path: Path) -> None:
    checkpoint = tmp_path / "hö me" / "job" / "chk-7"
    checkpoint.mkdir(parents=True)
    (checkpoint / METADATA).write_text("x")
    assert newest(tmp_path / "hö me") == f"file://{checkpoint}"


@pytest.mark.real
def test_the_broker_keeps_its_data_in_the_home_whatever_its_name(tmp_path: Path) -> None:
    home = tmp_path / "hö me €\\😀"
    broker = KafkaBroker(home, ports.free())
    try:
        broker.start()
        broker.wait()
    finally:
        broker.stop()
    assert (home / "kafka" / "data" / "meta.properties").exists()
    assert [one.name for one in tmp_path.iterdir()] == [home.name]
