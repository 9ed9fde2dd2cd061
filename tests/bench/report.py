"""The document, rendered from the sections' saved results: docs/benchmarks.md, with a chart as SVG beside its data.

`history.md`, kept by hand, is included at its end: what each change bought.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.section import SECTIONS

FOLDER = "benchmarks"
HEAD = """# Benchmarks

Rendered by `make bench` from what it measured; edit [history.md](benchmarks/history.md) instead, or the sections in
`tests/bench/`. The figures to compare are the ratios: each is between things measured in turns in the same run, since
absolute times depend on the machine and on who else uses it. Results are compared with the truth before a time counts;
a run that isn't exact is an error and has no row.
"""


def publish(data: Path, docs: Path) -> None:
    """Write docs/benchmarks.md and its charts from the results in `data`."""
    results = [json.loads(file.read_text()) for name in SECTIONS if (file := data / f"{name}.json").is_file()]
    history = docs / FOLDER / "history.md"
    (docs / "benchmarks.md").write_text(document(results, history.read_text() if history.is_file() else ""))
    for result in results:
        _draw(result, docs / FOLDER)


def document(results: Sequence[Mapping[str, Any]], history: str) -> str:
    """The whole page."""
    parts = [HEAD, "## Targets\n", _table(_targets(results)), "## Machine\n", _machines(results)]
    for result in results:
        parts.append(section_text(result, FOLDER))
    return "\n".join([*parts, history]).rstrip() + "\n"


def section_text(result: Mapping[str, Any], charts: str | None = None) -> str:
    """One section; with its charts, if the folder that they lie in is named."""
    parts = [f"## {result['title']}\n"]
    parts += [f"{note}\n" for note in result.get("notes", ())]
    parts.append(_table([{name: cell for name, cell in row.items() if name} for row in _targets([result])]))
    for table in result["tables"]:
        parts.append(f"### {table['title']}\n\n{_table(table['rows'])}")
        parts += [f"{note}\n" for note in table.get("notes", ())]
    if charts is not None:
        parts += [f"![{c['title']}]({charts}/{chart_file(result, c)})\n" for c in result.get("charts", ())]
    return "\n".join(parts)


def chart_file(result: Mapping[str, Any], chart: Mapping[str, Any]) -> str:
    """The name of a chart's file."""
    return re.sub(r"[^a-z0-9]+", "-", f"{result['section']} {chart['title']}".lower()).strip("-") + ".svg"


def _targets(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "": result["title"],
            "target": target["name"],
            "wanted": target["target"],
            "measured": "-" if target["measured"] is None else target["measured"],
            "met": {True: "yes", False: "**no**", None: "not measured"}[target["met"]],
        }
        for result in results
        for target in result["targets"]
    ]


def _machines(results: Sequence[Mapping[str, Any]]) -> str:
    """Where and when each section was measured: they may be of different days."""
    rows = []
    for result in results:
        about = result["about"]
        packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
        rows.append(
            {
                "section": result["title"],
                "date": about["date"],
                "commit": about["commit"],
                "machine": f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}",
                "versions": f"Python {about['python']}, {about['java']}, {packages}",
                "took": f"{about['seconds']} s",
                "taken by others": f"{about['taken_by_others']:.1%}",
            }
        )
    return _table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([_cell(row[name]) for name in names] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    return str(value).replace("|", "\\|")


def _draw(result: Mapping[str, Any], folder: Path) -> None:
    """The charts, by the interpreter that has matplotlib; without one they stay as they are, and it is said."""
    python = Path(__file__).resolve().parents[2] / ".venv-bench" / "bin" / "python"
    if not python.is_file():
        print("no charts are drawn: matplotlib is in .venv-bench, which `make bench` makes", file=sys.stderr)
        return
    wanted = [{**chart, "file": str(folder / chart_file(result, chart))} for chart in result.get("charts", ())]
    script = Path(__file__).with_name("charts.py")
    subprocess.run([str(python), str(script)], input=json.dumps(wanted), text=True, check=True)
