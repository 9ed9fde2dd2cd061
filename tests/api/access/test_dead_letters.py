"""What is personal in a record that could not be read is masked where it is shown, as it is in all others."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.screens.deadletters import HIDDEN, shown
from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import HOME, signed_in
from tests.api.rows import T0, insert
from udfs.packs.mapping import compile_mapping

TEXT = """source: shop
format: cloudevents
keys: {order: data.order}
pii: {data.email: hash, data.name: mask}
"""
PLAIN = {"source": "shop", "format": "cloudevents", "keys": {"order": "data.order"}}
MASKING = compile_mapping(PLAIN | {"pii": {"data.email": "hash", "data.name": "mask"}}, pii_key=b"")
OTHER = compile_mapping(PLAIN | {"pii": {"data.iban": "mask"}}, pii_key=b"")
RAW = json.dumps({"data": {"email": "a@b.c", "name": "Anna", "iban": "DE1", "n": 1}}).encode()


def test_all_mappings_of_the_topic_mask_and_hashes_are_masked_too() -> None:
    assert json.loads(shown(RAW, [MASKING], whole=False))["data"] == {
        "email": "***",
        "name": "***",
        "iban": "DE1",
        "n": 1,
    }
    assert json.loads(shown(RAW, [MASKING, OTHER], whole=True))["data"]["iban"] == "***"


@pytest.mark.parametrize("raw", [b'{"data": {"name": "An', b"\xff\xfe", b'["Anna"]', b"[" * 100_000, b""])
def test_what_is_no_json_object_is_for_those_who_may_see_the_whole(raw: bytes) -> None:
    assert shown(raw, [MASKING], whole=False) == HIDDEN
    assert shown(raw, [MASKING], whole=True) == raw
    assert shown(raw, [compile_mapping(PLAIN)], whole=False) == raw, "no mapping says that anything is personal"


def test_page_and_api_show_viewers_no_personal_data_of_dead_letters(
    app_of: Callable[[Settings], TestClient], settings: Settings, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "mapping.yaml").write_text(TEXT)
    client = app_of(
        settings.model_copy(update={"mappings": [tmp_path / "mapping.yaml"], "sign_in": "required", "rate_limit": 0})
    )
    client.headers.update(HOME)
    about = {"lane": "main", "topic": "daymark.events.main", "partition": 0, "received_ms": T0, "reason": "no_key"}
    for offset, raw in enumerate((RAW, b'{"data": {"name": "Anna')):
        insert(store, "dead_letters", about | {"offset": offset, "detail": "d", "raw": base64.b64encode(raw).decode()})
    for role, cut in (("viewer", False), ("admin", True)):
        signed_in(client, role, role)
        told = [base64.b64decode(row["raw"]) for row in client.get("/api/v1/dead-letters").json()["items"]]
        assert sum(b"Anna" in raw for raw in told) == int(cut), "only of the one that is cut, and only to an admin"
        page = client.get("/dead-letters").text
        assert "a@b.c" not in page
        assert ("Anna" in page) == cut
