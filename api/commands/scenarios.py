"""`daymark test`: plays the scenarios of packs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.output import emit, escape, guarded, out
from api.commands.packs import AsJson, expand
from api.stack.errors import Exit
from udfs.alerting.graph import graph_of
from udfs.packs.alertfile import is_alerting
from udfs.packs.load import find_packs, load_pack
from udfs.simulation.alertrehearse import rehearse_alerting
from udfs.simulation.rehearse import Rehearsal, compiled, rehearse
from udfs.simulation.scenario import FOLDER


@guarded
def play(
    packs: Annotated[list[Path], typer.Argument(help="Packs, folders of packs, and alerting files.")],
    as_json: AsJson = False,
) -> None:
    """Play the scenarios of packs and alerting files, and say which went otherwise than expected. Exit code 1 if one
    did."""
    played: list[Rehearsal] = []
    empty: list[str] = []
    for file in (path for path in packs if is_alerting(path)):
        specs = [spec for folder in find_packs(file.parent) for spec in compiled(load_pack(folder))]
        of_file = list(rehearse_alerting(file, graph_of(specs)))
        played += of_file
        empty += [] if of_file else [str(file)]
        if not as_json:
            _show(file, of_file)
    for folder in (one for path in packs if not is_alerting(path) for one in expand(path)):
        pack = load_pack(folder)
        of_pack = list(rehearse(pack))
        played += of_pack
        empty += [] if of_pack else [str(pack.folder)]
        if not as_json:
            _show(pack.folder, of_pack)
    if as_json:
        emit({"scenarios": [_as_dict(one) for one in played], "without_scenarios": empty})
    right = bool(played) and not empty and all(not one.problems for one in played)  # not played is not proved
    raise typer.Exit(Exit.OK if right else Exit.FAILED)


def _show(folder: Path, played: list[Rehearsal]) -> None:
    for one in played:
        for problem in one.problems:
            out.print(f"[red]{escape(str(problem))}[/red]", soft_wrap=True)
    wrong = [one for one in played if one.problems]
    if not played:
        out.print(f"[yellow]{escape(str(folder))}: no scenarios; write one into {FOLDER}/*.yaml[/yellow]")
    elif wrong:
        names = ", ".join(f"“{one.scenario}”" for one in wrong)
        out.print(
            f"[red]{escape(str(folder))}: {len(wrong)} of {len(played)} scenarios went otherwise:[/red] {escape(names)}"
        )
    else:
        out.print(f"[green]{escape(str(folder))}: {len(played)} scenarios, all as expected[/green]")


def _as_dict(one: Rehearsal) -> dict[str, object]:
    return {
        "file": one.file,
        "scenario": one.scenario,
        "as_expected": not one.problems,
        "problems": [problem.as_dict() for problem in one.problems],
    }
