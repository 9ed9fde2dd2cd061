"""A whole pack, in an archive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import rulechanges, ruleset
from api.access.bodies import most
from api.context import Context, Ctx
from api.exports import files_beside, packed
from api.imports import UnsafeArchive, unpacked
from api.models import PackTaken
from api.paging import PathText
from api.problems import Fault, ProblemError, documented
from api.records.rules import PUT
from api.rulechanges import Change
from api.rulechecks import ANY
from api.security import body_of
from udfs.packs.load import Pack, find_packs, load_pack
from udfs.packs.problems import PackError
from udfs.packs.rulefile import text_of

router = APIRouter(prefix="/api/v1", tags=["rules"], responses=documented(401, 403, 409, 413, 422, 503))
KINDS = ("application/zip", "application/gzip", "application/x-tar")
BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = {"requestBody": {"required": True, "content": dict.fromkeys(KINDS, BINARY)}}
Check = Annotated[bool, Query(description="say what is wrong, and put nothing in force")]
Overwrite = Annotated[bool, Query(description="replace workflows that are there, whichever revision they are in")]


@router.post("/packs", response_model=PackTaken, openapi_extra=BODY)
async def import_pack(request: Request, ctx: Ctx, check: Check = False, overwrite: Overwrite = False) -> dict[str, Any]:
    """Put the workflows of a pack in force, all of them or, if anything is wrong with one, none: a zip or tar of its
    folder, of at most 20 MB also when it is unpacked. `outcome` says of each whether Kafka has it (`sent`), will get it
    (`pending`), or it `waits` for approval. One that is there already is replaced with `overwrite` alone, else 409.

    A source mapping in it is looked at, but is no rule: it changes with the next start.
    """
    data = await body_of(request, most("/api/v1/packs"))
    return await run_in_threadpool(_import, ctx, data, check, overwrite)


@router.get("/rules/{workflow}/pack", response_class=Response, responses=documented(404))
def export_pack(ctx: Ctx, workflow: PathText) -> Response:
    """The pack of a rule as a zip, to be imported elsewhere: the rules of its file as they stand now, and its mapping,
    calendars, scenarios and runbooks. A rule that came with no pack is alone in it."""
    with ctx.records.reading() as connection:
        one = ruleset.standing(ctx, connection, workflow)
        given = ctx.rulebook.given
        file = given[workflow].file if workflow in given else ""
        names = [name for name in given if file and given[name].file == file and ruleset.visible(ctx, name)]
        texts = [ruleset.standing(ctx, connection, name).text for name in names] or [one.text]
    folder = Path(file).parent
    beside = files_beside(folder) if file and ctx.who and not ctx.who.permissions.limits else {}
    headers = {"Content-Disposition": f'attachment; filename="{quote(workflow, safe="")}.zip"'}
    return Response(packed(texts, beside), media_type="application/zip", headers=headers)


def _import(ctx: Context, data: bytes, check: bool, overwrite: bool) -> dict[str, Any]:
    try:
        files = unpacked(data)
    except UnsafeArchive as fault:
        raise ProblemError(422, "Invalid archive", f"The archive was not taken: {fault}.") from None
    with tempfile.TemporaryDirectory(prefix="daymark-pack-") as place:
        folder = Path(place)
        _write(files, folder)
        packs = _loaded(folder)
        put = [one for pack in packs for one in pack.workflows]
        texts = [text_of(Path(one.file), one) for one in put]
    names = [one.name for one in put]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ProblemError(422, "Invalid pack", f"Nothing was put in force. It defines {', '.join(twice)} twice.")
    told: list[dict[str, Any]] = [{"workflow": one.name, "version": one.version} for one in put]
    if not check:
        known = ANY if overwrite else None
        changes = {
            one.name: Change(PUT, text, one.data, "from an archive", known, one.version)
            for one, text in zip(put, texts, strict=True)
        }
        for row, done in zip(told, rulechanges.apply_all(ctx, changes), strict=True):
            row["outcome"] = done.outcome
    return {"checked": check, "workflows": told}


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Put the files of a pack below a folder. Raises a 503 problem where there is no room for them."""
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    except OSError as fault:
        detail = f"The server could not unpack the pack: {fault.strerror}. Make room in its temporary folder."
        raise ProblemError(503, "No room", detail) from fault


def _loaded(folder: Path) -> list[Pack]:
    """The packs in a folder, or in those below it. Raises a 422 problem with every fault and its place."""
    faults: list[Fault] = []
    packs = []
    folders = {file.parent for file in folder.rglob("workflow.yaml")} or {*find_packs(folder)}
    for path in sorted(folders):
        try:
            packs.append(load_pack(path))
        except PackError as error:
            faults += [Fault(field=str(one).replace(f"{folder}/", ""), message=one.message) for one in error.problems]
        except OSError as error:
            faults.append(Fault(field=path.name, message=str(error.strerror)))
    if faults or not packs:
        detail = f"First: {faults[0].field}" if faults else "There is no workflow.yaml in it."
        raise ProblemError(422, "Invalid pack", f"Nothing was put in force. {detail}", faults)
    return packs
