"""A whole step stands still by a rule that came through a real rules topic; the finding goes to a real topic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.publish import Publisher, Record
from api.rulebook import Rulebook
from api.settings import Settings
from api.stack.kafka import KafkaBroker
from api.standstill import Standstill
from api.store import Store
from jobs import topics
from tests.api.rows import T0
from tests.api.test_standstill import DUE, PACK, leaves, waits
from tests.kafka_help import records
from udfs.packs.load import load_pack

pytestmark = pytest.mark.real
PREFIX = "standstill."


def test_a_rule_of_the_topic_is_followed_until_it_is_withdrawn(
    store: Store, settings: Settings, broker: KafkaBroker, tmp_path: Path
) -> None:
    topics.ensure(broker.bootstrap, topics.wanted("main", PREFIX))
    (tmp_path / "w.yaml").write_text(PACK)
    definition = load_pack(tmp_path / "w.yaml").workflows[0].data
    settings = settings.model_copy(update={"kafka": broker.bootstrap, "topic_prefix": PREFIX})
    publisher, rulebook = Publisher(settings), Rulebook(settings)
    standstill = Standstill(store, publisher, settings, rulebook)
    waits(store, "K1", T0)
    rulebook.refresh()
    assert standstill.tell(DUE) == []

    rule = {"workflow": "w", "version": 1, "effective_from": 0, "definition": definition}
    publisher.publish([Record(f"{PREFIX}rules", b"w", json.dumps(rule).encode())])
    rulebook.refresh()
    assert len(standstill.tell(DUE)) == 1
    [sent] = [record for part in records(broker.bootstrap, f"{PREFIX}findings").values() for record in part]
    finding = json.loads(sent.value)
    assert (sent.key, finding["kind"], finding["step"]) == (b"a", "stalled", "a")
    store.insert("findings", sent.value)

    leaves(store, "K1", T0, DUE + 1)
    publisher.publish([Record(f"{PREFIX}rules", b"w", None)])
    rulebook.refresh()
    assert rulebook.in_force(DUE) == []
    assert standstill.tell(DUE + 2) == []
    rulebook.close()
    publisher.close()
