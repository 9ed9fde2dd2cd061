"""Writes the reference of routes in docs/api.md anew: `make api-docs`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from api.main import create_app
from api.openapi.reference import page
from api.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def current(home: Path) -> str:
    """The page as it should be."""
    return page(create_app(Settings(home=home, loader=False, kafka="127.0.0.1:1")).openapi(), PAGE.read_text())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="daymark-docs-") as scratch:
        PAGE.write_text(current(Path(scratch)))
