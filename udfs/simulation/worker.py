"""`python -m udfs.simulation.worker`: a backtest in a process of its own, which can be stopped and bounded.

Reads one JSON line from its input: `events` (a file of rows, one a line, by time), `lane`, `mappings`, `before` and
`after` (definitions; `before` may be null), `begin`, `since`, `until` (epoch ms), `notes` (told with the result).
Writes lines: `{"done", "total"}` on the way, then `{"result"}` or `{"error"}`.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError
from udfs.simulation.backtest import Findings, Record, compare, run
from udfs.simulation.history import History, caveats

MOST_MEMORY = 3 << 30
"""Bytes of address space; a history that needs more ends the process, not the machine."""


def main() -> int:
    """Returns 1 for a job that can't be done."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    os.nice(5)  # people look at screens meanwhile
    try:
        _say({"result": backtest(orjson.loads(sys.stdin.buffer.readline()))})
    except PackError as fault:
        _say({"error": f"the rule can't be run: {fault.problems[0]}"})
        return 1
    except MemoryError:
        _say({"error": "this history takes more memory than a simulation may have; choose a shorter time"})
        return 1
    return 0


def backtest(job: dict[str, Any]) -> dict[str, Any]:
    """The result of a job. Raises PackError."""
    old = compile_workflow(job["before"], version=1, lane=job["lane"]) if job["before"] else None
    new = compile_workflow(job["after"], version=1, lane=job["lane"])
    known = [old, new] if old else [new]
    keys = {name for one in known for name in (one.correlation.keys if one.correlation else (one.key,))}
    history = History(job["mappings"], keys)
    records = list(_records(Path(job["events"]), history))
    total = len(records) * len(known)
    before = _run(old, records, job, 0, total) if old else None
    after = _run(new, records, job, total - len(records), total)
    result = compare(before, after, job["since"], job["until"])
    notes = [*job.get("notes", ()), *caveats(job["after"], job["mappings"])]
    if history.truncated:
        notes.append(f"{history.truncated} events were too long to be kept whole; what they say is not known here.")
    notes += [f"{count} events have no `{name}` that can be read." for name, count in sorted(history.unusable.items())]
    return {**result, "events": len(records), "notes": notes}


def _run(spec: Spec, records: list[Record], job: dict[str, Any], behind: int, total: int) -> Findings:
    def progress(done: int) -> None:
        _say({"done": behind + done, "total": total})

    return run(spec, records, job["begin"], job["until"], progress)


def _records(file: Path, history: History) -> Iterator[Record]:
    with file.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            copies = history.copies(row)
            if copies:
                yield row["time_ms"], copies


def _say(word: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(word) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
