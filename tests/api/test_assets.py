"""What browsers keep of style sheets and scripts, and how errors look in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.assets import ASK, FOR_EVER, assets

STYLE = "/static/style.css"
READER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_our_own_are_kept_compressed_and_asked_for_again_each_time(client: TestClient) -> None:
    first = client.get(STYLE, headers={"Accept-Encoding": "gzip"})
    assert (first.headers["cache-control"], first.headers["content-encoding"]) == (ASK, "gzip")
    assert first.text == (Path(__file__).parents[2] / "api" / "static" / "style.css").read_text()
    again = client.get(STYLE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"], again.content) == (304, ASK, b"")


def test_what_has_its_version_in_its_address_is_kept_for_ever(tmp_path: Path) -> None:
    (tmp_path / "5.1").mkdir()
    (tmp_path / "5.1" / "editor.js").write_text("let x = 1;" * 100)
    app = Starlette()
    app.mount("/vendor", assets(tmp_path, FOR_EVER))
    assert TestClient(app).get("/vendor/5.1/editor.js").headers["cache-control"] == FOR_EVER


def test_pages_are_neither_kept_nor_compressed(client: TestClient) -> None:
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["cache-control"] == "no-store"
    assert "content-encoding" not in page.headers


@pytest.mark.parametrize(
    "path", ["/nowhere", "/incidents/none", "/rules/none", "/items/none/none", "/rules/x?revision=-1"]
)
def test_a_browser_is_told_in_a_page_what_is_wrong(client: TestClient, path: str) -> None:
    shown = client.get(path, headers=READER)
    assert shown.status_code in (404, 422)
    assert shown.headers["content-type"].startswith("text/html")
    assert "Back to the overview" in shown.text


def test_a_program_is_told_in_json(client: TestClient) -> None:
    assert client.get("/nowhere").headers["content-type"] == "application/problem+json"


def test_what_an_address_says_is_text_in_the_page_that_refuses_it(client: TestClient) -> None:
    assert "<script>" not in client.get("/rules/%3Cscript%3Ealert(1)", headers=READER).text.split("</head>")[1]


def test_the_api_answers_with_json_in_a_browser_too(client: TestClient) -> None:
    assert client.get("/api/v1/nowhere", headers=READER).headers["content-type"] == "application/problem+json"
