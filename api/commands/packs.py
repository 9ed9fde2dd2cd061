"""`daymark validate` and `daymark simulate`: what needs no running stack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.commands.options import lane_name, new_file
from api.commands.output import emit, err, escape, guarded, out
from api.stack.errors import Exit, StackError
from udfs import memory
from udfs.packs.alertfile import ALERTING_FILE, is_alerting, load_alerting
from udfs.packs.compile import compile_workflow
from udfs.packs.load import Pack, find_packs, load_mapping, load_pack
from udfs.packs.mapping import SourceMapping
from udfs.packs.problems import PackError, Problem
from udfs.simulation.drive import Result
from udfs.simulation.drive import simulate as run_simulation
from udfs.simulation.events import read_events
from udfs.simulation.report import counts

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@guarded
def validate(
    packs: Annotated[
        list[Path], typer.Argument(help="Packs: folders with a workflow.yaml, or YAML files; and alerting files.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check packs and alerting files, and say what is wrong: file, line, and what would be right. Exit code 1 if one
    can't be used."""
    problems: list[Problem] = []
    workflows: list[str] = []
    documents: list[str] = []
    for path in [*packs, *(file for path in packs if (file := path / ALERTING_FILE).is_file())]:
        try:
            if is_alerting(path):
                found, warnings = load_alerting(path)
                documents += found
                problems += warnings
                continue
            for pack in (load_pack(one) for one in expand(path)):
                problems += pack.problems
                workflows += [one.name for one in pack.workflows]
        except PackError as error:
            problems += error.problems
    valid = all(problem.level != "error" for problem in problems)
    if as_json:
        told = [problem.as_dict() for problem in problems]
        emit({"valid": valid, "workflows": workflows, "documents": documents, "problems": told})
    else:
        for problem in problems:
            colour = "red" if problem.level == "error" else "yellow"
            out.print(f"[{colour}]{escape(str(problem))}[/{colour}]")
        if valid:
            out.print(f"[green]valid:[/green] {', '.join(workflows + documents)}")
    raise typer.Exit(Exit.OK if valid else Exit.FAILED)


@guarded
def simulate(
    pack: Annotated[Path, typer.Argument(help="The pack: a folder with a workflow.yaml, or a YAML file.")],
    log: Annotated[Path, typer.Argument(help="The log: .csv, .ndjson, .jsonl or .xes, also .gz.")],
    mapping: Annotated[
        Path | None, typer.Option(help="How to read the log (default: mapping.yaml of the pack).")
    ] = None,
    lane: Annotated[
        str, typer.Option(callback=lane_name, help="The lane whose findings these would be; part of their ids.")
    ] = "main",
    findings: Annotated[
        Path | None,
        typer.Option(callback=new_file, dir_okay=False, help="Write each finding to this file, as JSON lines."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a pack would have found in a log: the same core as the running job, without Kafka and Flink."""
    loaded = load_pack(pack)
    reader = mapping_for(loaded, mapping)
    specs = [compile_workflow(one.data, version=one.version, lane=lane) for one in loaded.workflows]
    memory.collect_young_only()
    unreadable: Counter[str] = Counter()
    result = run_simulation(specs, read_events(log, reader, unreadable))
    document = counts(result, specs) | {"unreadable": dict(sorted((unreadable + result.lost).items()))}
    if findings:
        findings.write_text("".join(f"{json.dumps(row)}\n" for row in rows(result)))
    if as_json:
        emit(document)
    else:
        _show(document)


def mapping_for(pack: Pack, given: Path | None) -> SourceMapping:
    """The mapping that was named, or the one beside the pack. Raises StackError if there is none, PackError."""
    if given:
        return load_mapping(given)
    if pack.mapping is None:
        raise StackError(f"There is no mapping.yaml in {pack.folder}. Write one, or name one with --mapping.")
    return pack.mapping


def rows(result: Result) -> Iterator[dict[str, object]]:
    """The findings with the names of docs/contracts.md, without what only the running job knows."""
    for spec, key, finding in result.findings.values():
        yield {
            "id": finding.id,
            "lane": spec.lane,
            "workflow": spec.workflow,
            "rule": finding.rule,
            "kind": finding.kind,
            "severity": finding.severity,
            "key": key,
            "step": finding.step,
            "because": finding.because,
            "deadline_ms": finding.deadline,
            "at_ms": finding.at,
            "delta_ms": finding.delta,
            "event_id": finding.event_id,
        }


def expand(path: Path) -> list[Path]:
    """The path itself, or the packs below it if it is a folder of packs."""
    if path.is_dir() and not (path / "workflow.yaml").exists() and (below := find_packs(path)):
        return below
    return [path]


def _show(document: dict[str, dict[str, dict[str, int]]]) -> None:
    out.print(f"{document['events']:,} events, {document['items']:,} items")
    kinds = list(dict.fromkeys(kind for found in document["findings"].values() for kind in found))
    table = Table("deadline", *(kind.replace("_", " ") for kind in kinds), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, found in document["findings"].items():
        table.add_row(name, *(f"{found.get(kind, 0):,}" for kind in kinds))
    out.print(table)
    for kind, number in document["other"].items():
        out.print(f"{kind.replace('_', ' ')}: {number:,}")
    if document["unreadable"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in document["unreadable"].items())
        err.print(f"could not be read: {reasons}")
