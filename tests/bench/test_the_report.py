"""The document is rendered from saved results alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as bench
from tests.bench import report
from tests.bench.section import SECTIONS

ABOUT = {
    "date": "2026-01-02 03:04 UTC",
    "commit": "abc1234",
    "cpu": "Some CPU",
    "cores": 2,
    "memory_gib": 23,
    "system": "Linux 6",
    "python": "3.11.7",
    "java": "openjdk 17",
    "packages": {"orjson": "3.13.0"},
    "seconds": 61,
    "taken_by_others": 0.0123,
}
RESULT: dict[str, Any] = {
    "section": "silence",
    "about": ABOUT,
    "title": "Silence",
    "notes": ["What is timed."],
    "targets": [
        {"name": "p99, ms", "target": "≤ 1500", "measured": 1234.5, "met": True},
        {"name": "of a peer", "target": "≥ 1.0", "measured": None, "met": None},
        {"name": "exact", "target": "yes", "measured": False, "met": False},
    ],
    "tables": [{"title": "Delays", "rows": [{"count": 1_000_000, "p50 | p99": "1 | 2"}], "notes": ["A note."]}],
    "charts": [{"title": "Found within (ms)", "x": "ms", "y": "share", "series": {"found": [[1, 0.5], [2, 1.0]]}}],
}


def test_a_target_is_met_or_missed_or_not_measured() -> None:
    text = report.document([RESULT], "")
    assert "| Silence | p99, ms | ≤ 1500 | 1,234.5 | yes |" in text
    assert "| Silence | of a peer | ≥ 1.0 | - | not measured |" in text
    assert "| Silence | exact | yes | no | **no** |" in text


def test_tables_notes_charts_and_the_machine_are_shown() -> None:
    text = report.document([RESULT], "## What each change bought\n\nMuch.\n")
    assert "| 1,000,000 | 1 \\| 2 |" in text
    assert "What is timed." in text
    assert "A note." in text
    assert "![Found within (ms)](benchmarks/silence-found-within-ms.svg)" in text
    assert "Some CPU, 2 cores, 23 GiB, Linux 6" in text
    assert "| 61 s | 1.2% |" in text
    assert text.endswith("## What each change bought\n\nMuch.\n")


def test_the_document_is_made_of_the_saved_files_in_the_order_of_the_sections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(report, "_draw", lambda result, folder: drawn.append(result["section"]))
    data = tmp_path / "benchmarks" / "data"
    data.mkdir(parents=True)
    for name in reversed(SECTIONS):
        (data / f"{name}.json").write_text(json.dumps(RESULT | {"section": name, "title": f"About {name}"}))
    report.publish(data, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    places = [text.index(f"## About {name}\n") for name in SECTIONS]
    assert places == sorted(places)
    assert drawn == list(SECTIONS)


def test_a_section_that_fails_leaves_the_older_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Section:
        @staticmethod
        def run(options: object) -> dict[str, Any]:
            return {name: RESULT[name] for name in ("title", "targets", "tables")}

    monkeypatch.setattr(bench, "WORK", tmp_path)
    monkeypatch.setattr(bench, "import_module", lambda name: Section)
    assert bench.main(["silence", "--smoke"]) == 3, "a target is missed"
    kept = (tmp_path / "smoke" / "silence.json").read_text()
    assert json.loads(kept)["targets"] == RESULT["targets"]
    monkeypatch.setattr(Section, "run", staticmethod(lambda options: 1 / 0))
    assert bench.main(["silence", "--smoke"]) == 1, "a section failed"
    assert (tmp_path / "smoke" / "silence.json").read_text() == kept
    assert not [file for file in tmp_path.iterdir() if file.name != "smoke" and any(file.iterdir())]
