"""What the latest events look like."""

from __future__ import annotations

from string import ascii_lowercase

import pytest
from starlette.testclient import TestClient

from api.store import Store
from tests.api.rows import T0, event, insert, progress


def test_a_shapes_share_is_of_all_that_was_looked_at_not_of_the_shapes_shown(client: TestClient, store: Store) -> None:
    insert(store, "progress", progress(watermark_ms=T0, at_ms=T0))
    kinds = [first + second for first in ascii_lowercase[:10] for second in ascii_lowercase[:10]]
    events = [event(id=f"p{n}", time_ms=T0 - 1_000 - n, type=kind) for n, kind in enumerate(kinds)]
    insert(store, "events", *events)

    shown = client.get("/api/v1/events/patterns").json()

    assert len(shown) == 20
    assert shown[0]["share"] == pytest.approx(1)
