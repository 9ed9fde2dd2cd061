"""Records that can't be read, and the reasons that their dead letters must give."""

from __future__ import annotations

import json
import random

from jobs.traffic.item import Emission, Truth, iso

DEAD_LETTER = "dead_letter"


def garbage(rng: random.Random, event_type: str, key_name: str, at: int) -> tuple[Emission, Truth]:
    """A record that reaches Kafka at `at` (epoch ms) and looks nearly like one of that type, with that key."""
    name = f"G-{at}"
    good = {"specversion": "1.0", "id": name, "source": "/broken", "type": event_type, "time": iso(at)}
    keyed = {"data": {key_name: name}}
    reason, value = rng.choice(
        [
            ("not_json", f"<record><id>{name}</id></record>".encode()),
            ("not_json", json.dumps(good | keyed).encode()[:-9]),
            ("not_an_object", json.dumps([event_type, name]).encode()),
            ("no_key", json.dumps(good | {"data": {"remark": "no key"}}).encode()),
            ("bad_time", json.dumps(good | keyed | {"time": "yesterday"}).encode()),
        ]
    )
    return Emission(at, "", value), Truth(at, DEAD_LETTER, reason, "")
