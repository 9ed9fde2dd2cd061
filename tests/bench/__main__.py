"""Runs sections of the benchmark and writes docs/benchmarks.md: python -m tests.bench [SECTION...] [--smoke]

Each section's result is kept in docs/benchmarks/data/, from which the document is rendered, also later and by itself
(--render). A smoke run keeps its results in .bench/ and leaves the document alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from tests.bench import machine, report
from tests.bench.section import SECTIONS, Options

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".bench"
DATA = ROOT / "docs" / "benchmarks" / "data"


def main(argv: list[str] | None = None) -> int:
    """0 if every section ran and met its targets, 1 if one failed, 3 if all ran but a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures Daymark beside its peers.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"default: all of {', '.join(SECTIONS)}")
    parser.add_argument("--smoke", action="store_true", help="small sizes, for developing; the document stays as it is")
    parser.add_argument("--items", type=int, default=Options.items, help="items of the throughput log (%(default)s)")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="rounds of a comparison (%(default)s)")
    parser.add_argument("--render", action="store_true", help="measure nothing, render what is there")
    options = parser.parse_args(argv)
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; the sections are {', '.join(SECTIONS)}")
    data = WORK / "smoke" if options.smoke else DATA
    wanted = [] if options.render else [name for name in SECTIONS if name in (options.sections or SECTIONS)]
    faults = [name for name in wanted if not _measure(name, options, data)]
    if not options.smoke:
        report.publish(data, ROOT / "docs")
    missed = _missed(data, [name for name in wanted if name not in faults])
    for line in missed:
        print(f"target missed: {line}", flush=True)
    if faults:
        print(f"failed: {', '.join(faults)}", file=sys.stderr)
    return 1 if faults else 3 if missed else 0


def _measure(name: str, options: argparse.Namespace, data: Path) -> bool:
    """Run a section and keep its result. A section that fails is told, and leaves the older result as it is."""
    work = WORK / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    began = time.monotonic()
    print(f"{name}: begins", flush=True)
    try:
        with machine.Watch() as watch:
            result = import_module(f"tests.bench.{name}").run(
                Options(work, options.smoke, options.items, options.rounds)
            )
    except Exception:
        traceback.print_exc()
        return False
    about = machine.about() | {"seconds": round(time.monotonic() - began), "taken_by_others": round(watch.taken, 3)}
    data.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"section": name, "about": about, **result}, indent=1, ensure_ascii=False)
    (data / f"{name}.json").write_text(text + "\n")
    print(report.section_text({"about": about, **result}), flush=True)
    print(f"{name}: {about['seconds']} s, others took {watch.taken:.0%} of the machine", flush=True)
    shutil.rmtree(work, ignore_errors=True)
    return True


def _missed(data: Path, names: list[str]) -> list[str]:
    results = [json.loads(file.read_text()) for name in names if (file := data / f"{name}.json").is_file()]
    return [f"{r['title']}: {t['name']}" for r in results for t in r["targets"] if t["met"] is False]


if __name__ == "__main__":
    sys.exit(main())
