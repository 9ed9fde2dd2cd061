"""`daymark replay`: a log through Kafka and the running Flink, in a lane of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from api.commands.options import lane_name, replay_speed, span
from api.commands.output import emit, err, guarded, out
from api.commands.packs import AsJson, mapping_for
from api.commands.run import mappings_of
from api.stack import process
from api.stack.ask import ask
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State
from api.stack.lanes import Lane
from api.stack.parts import module
from udfs.core.effects import LATE, MISSING
from udfs.packs.durations import parse_duration
from udfs.packs.load import load_mapping, load_pack
from udfs.packs.outline import RESERVED_RULES


@guarded
def replay(
    log: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The log: .csv, .ndjson, .jsonl or .xes, also .gz.")
    ],
    pack: Annotated[
        Path | None, typer.Option(help="A folder with a workflow.yaml, or a YAML file (default: the running packs).")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="How to read the log (default: the pack's mapping.yaml).")
    ] = None,
    speed: Annotated[
        str, typer.Option(callback=replay_speed, help="How many times faster than life, such as 1000x, or max.")
    ] = "max",
    lane: Annotated[
        str | None, typer.Option(callback=lane_name, help="The lane's name (default: one of its own, replay-…).")
    ] = None,
    keep_order: Annotated[bool, typer.Option(help="Send in the log's order, not by event time.")] = False,
    lateness: Annotated[
        str, typer.Option(callback=span, help="How late an event may come and still be in time.")
    ] = "2s",
    parallelism: Annotated[int, typer.Option(help="Flink workers for this replay.", min=1, max=16)] = 1,
    batch_records: Annotated[int, typer.Option(help="Records in a batch at most.", min=1)] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Send a log through Kafka and Flink in a lane of its own, beside live traffic, and say what was found.

    Needs a running stack (`daymark up`). What is found has the same ids as `daymark simulate` gives for that lane.
    """
    home = Home()
    state = home.require_running()
    packs = [pack] if pack else fitting([Path(one) for one in state.packs], mapping)
    loaded = [load_pack(one) for one in packs]
    for one in loaded:
        mapping_for(one, mapping)
    lane = lane or f"replay-{loaded[0].workflows[0].name.replace('_', '-')[:30]}-{int(time.time())}"
    files = [mapping] if mapping else mappings_of(tuple(packs))
    settings = {
        "mappings": [str(file.absolute()) for file in files],
        "lateness_ms": parse_duration(lateness),
        "batch_records": batch_records,
    }
    began = time.monotonic()
    err.print(f"[dim]preparing lane {lane}[/dim]")
    with process.interruptible(), Lane(home.path, state, lane, packs, parallelism, **settings) as running:
        sent = _send(log, running, files, speed, keep_order)
        err.print("[dim]waiting for the last results[/dim]")
        running.finish()
    document = {"lane": lane, **sent, **summary(state, lane), "total_seconds": round(time.monotonic() - began, 1)}
    emit(document) if as_json else _show(document, state)


def fitting(packs: list[Path], mapping: Path | None) -> list[Path]:
    """The packs that can follow what the mapping reads: it gives the key of one of their workflows.

    All of those with a mapping of their own where none is named. Raises StackError if no pack is left, PackError.
    """
    loaded = [(path, load_pack(path)) for path in packs]
    if mapping is None:
        fit = [path for path, pack in loaded if pack.mapping]
        wrong = "has a mapping.yaml. Name one with --mapping"
    else:
        names = load_mapping(mapping).key_names
        fit = [path for path, pack in loaded if any(one.key in names for one in pack.workflows)]
        wrong = f"follows a key that {mapping} reads ({', '.join(names)}). Name a pack with --pack"
    if not fit:
        raise StackError(f"None of the running packs ({', '.join(map(str, packs))}) {wrong}.", Exit.USAGE)
    return fit


def summary(state: State, lane: str) -> dict[str, Any]:
    """What the API knows of a lane, in the form that `simulate --json` has."""
    try:
        rows = ask(state, "findings/counts", lane=lane)
        workflows = ask(state, "workflows", lane=lane)
    except httpx.HTTPError as error:
        raise StackError(f"The lane {lane} was replayed, but the API does not say what was found: {error}") from error
    findings: dict[str, dict[str, int]] = {}
    other: dict[str, int] = {"duplicate": 0, "out_of_order": 0}
    for row in rows:
        if row["rule"] in RESERVED_RULES:
            other[row["kind"]] = other.get(row["kind"], 0) + row["findings"]
        else:
            kinds = findings.setdefault(row["rule"], {MISSING: 0, LATE: 0})
            kinds[row["kind"]] = kinds.get(row["kind"], 0) + row["findings"]
    items = sum(row["items"] for row in workflows)
    return {"items": items, "findings": dict(sorted(findings.items())), "other": other}


def _send(log: Path, lane: Lane, mappings: list[Path], speed: str, keep_order: bool) -> dict[str, Any]:
    """Run jobs.replay, which shows its progress on this terminal; returns what it says it sent."""
    arguments: list[str | Path] = [log, "--topic", lane.topic, "--bootstrap", lane.bootstrap, "--speed", speed]
    arguments += [word for file in mappings for word in ("--mapping", file)]
    arguments += ["--keep-order"] if keep_order else []
    sender = process.start_beside(module("jobs.replay", *arguments))
    try:
        said, _ = sender.communicate()
    finally:
        process.stop(sender, 3)
    if sender.returncode:
        raise typer.Exit(sender.returncode if sender.returncode > 0 else Exit.FAILED)
    return dict(json.loads(said.splitlines()[-1]))


def _show(document: dict[str, Any], state: State) -> None:
    rate = document["records"] / max(document["seconds"], 0.001)
    out.print(f"{document['records']:,} records sent in {document['seconds']:.1f} s ({rate:,.0f} a second); ")
    out.print(f"{document['unreadable']:,} could not be read, {document['items']:,} items")
    for rule, kinds in document["findings"].items():
        out.print(f"  {rule}: " + ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in kinds.items()))
    for kind, number in document["other"].items():
        out.print(f"  {kind.replace('_', ' ')}: {number:,}")
    out.print(f"{state.url}/?lane={document['lane']}")
