"""A whole pack, in an archive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.access.bodies import most
from api.context import Context, Ctx
from api.imports import UnsafeArchive, unpacked
from api.problems import Fault, ProblemError, documented
from api.routes.rules import Rule
from api.routes.rules import _put as put_in_force
from api.security import body_of
from udfs.packs.load import Pack, find_packs, load_pack
from udfs.packs.problems import PackError

router = APIRouter(prefix="/api/v1", tags=["rules"], responses=documented(401, 403, 413, 422, 503))
KINDS = ("application/zip", "application/gzip", "application/x-tar")
BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = {"requestBody": {"required": True, "content": dict.fromkeys(KINDS, BINARY)}}
Check = Annotated[bool, Query(description="say what is wrong, and put nothing in force")]


@router.post("/packs", openapi_extra=BODY)
async def import_pack(request: Request, ctx: Ctx, check: Check = False) -> dict[str, Any]:
    """Put the workflows of a pack in force: a zip or tar of its folder, of at most 20 MB also when it is unpacked.

    A source mapping in it is looked at, but is no rule: it changes with the next start.
    """
    data = await body_of(request, most("/api/v1/packs"))
    return await run_in_threadpool(_import, ctx, data, check)


def _import(ctx: Context, data: bytes, check: bool) -> dict[str, Any]:
    try:
        files = unpacked(data)
    except UnsafeArchive as fault:
        raise ProblemError(422, "Invalid archive", f"The archive was not taken: {fault}.") from None
    with tempfile.TemporaryDirectory(prefix="daymark-pack-") as place:
        folder = Path(place)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        packs = _loaded(folder)
    put = [one for pack in packs for one in pack.workflows]
    if not check:
        for one in put:
            put_in_force(ctx, one.name, Rule(definition=one.data, version=one.version))
    return {"checked": check, "workflows": [{"workflow": one.name, "version": one.version} for one in put]}


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
