"""The modules that every event passes through, compiled by mypyc: the same sources, several times as fast.

`python -m udfs.compiled` (part of `make setup`) compiles them into `build/compiled/`. They are used by whoever imports
`udfs`, if they were made of exactly the sources that are there; else, or with DAYMARK_PURE=1, Python reads the sources
as ever. So what runs is never older than what one reads, and nothing depends on a C compiler.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from functools import cache
from hashlib import sha256
from pathlib import Path

MODULES = {
    "core": (
        "answers",
        "atrisk",
        "calendar",
        "children",
        "clock",
        "codec",
        "course",
        "deadlines",
        "duplicates",
        "effects",
        "event",
        "flow",
        "forecast",
        "ids",
        "immutable",
        "instants",
        "lifetime",
        "links",
        "machine",
        "match",
        "measures",
        "migrate",
        "order",
        "overrides",
        "pace",
        "pauses",
        "plan",
        "predicted",
        "said",
        "schedule",
        "schedulestate",
        "sight",
        "source",
        "spec",
        "stalled",
        "state",
        "upkeep",
        "versions",
        "zone",
    ),
    "packs": ("mapping", "paths", "pii", "times", "values"),
    "operators": (
        "advance",
        "batch",
        "bucket",
        "buckets",
        "cache",
        "clockfaults",
        "engine",
        "intake",
        "linkbucket",
        "lookout",
        "postponed",
        "pulse",
        "routed",
        "rows",
        "schedules",
        "shelf",
        "sweep",
        "upkeep",
        "wheel",
    ),
    "simulation": ("drive", "events", "expected", "logs", "placing"),
}

ROOT = Path(__file__).parents[1]


def path(package: str, sources: list[str]) -> list[str]:
    """The package's `__path__`: where its compiled modules are, then its sources."""
    folder = _folder()
    if folder is None:
        return sources
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # the modules share one library, which is found there
    return [str(folder / "udfs" / package), *sources]


@cache
def _folder() -> Path | None:
    if os.environ.get("DAYMARK_PURE") == "1":
        return None
    try:
        folder = _made_of_these_sources()
    except OSError:
        return None  # inside an archive
    return folder if folder.is_dir() else None


def _sources() -> list[str]:
    return [f"udfs/{package}/{module}.py" for package, modules in MODULES.items() for module in modules]


def _made_of_these_sources() -> Path:
    """All sources count: types and constants of modules that are not compiled are compiled into those that are."""
    digest = sha256(str(sys.implementation.cache_tag).encode())
    for file in [ROOT / "udfs/compiled.py", *sorted((ROOT / "udfs").glob("*/*.py"))]:
        digest.update(file.name.encode() + file.read_bytes())
    return ROOT / "build" / "compiled" / digest.hexdigest()[:16]


def _missing() -> str | None:
    if shutil.which(os.environ.get("CC", "cc")) is None:
        return "no C compiler"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "no headers of Python"  # a package of their own in Debian
    return None


def main() -> int:
    """Compiles the modules. Says why not, and succeeds, where there is nothing to compile with."""
    missing = _missing()
    if missing:
        print(
            f"{missing}: Daymark runs as plain Python, slower. To compile it: sudo apt-get install gcc python3.11-dev, "
            f"then {sys.executable} -m udfs.compiled"
        )
        return 0
    from mypyc.build import mypycify
    from setuptools import Distribution

    os.chdir(ROOT)
    folder = _made_of_these_sources()
    begun = ROOT / "build" / "compiling"
    shutil.rmtree(begun, ignore_errors=True)
    options = ["--ignore-missing-imports", "--no-warn-unused-ignores", "--allow-subclassing-any"]
    extensions = mypycify(
        [*options, *_sources()], target_dir=str(begun / "c"), opt_level="3", debug_level="0", group_name="daymark"
    )
    command = Distribution({"name": "daymark", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(begun / "lib"), str(begun / "objects")
    command.ensure_finalized()
    command.run()
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.parent.mkdir(parents=True)
    (begun / "lib").rename(folder)
    shutil.rmtree(begun)
    return 0


if __name__ == "__main__":
    sys.exit(main())
