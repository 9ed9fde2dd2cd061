"""A pack as an archive: the rules as they stand, and what stands beside them in the pack's folder."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from api.imports import MEMBER_BYTES, MEMBERS, SUFFIXES, TOTAL_BYTES
from udfs.packs.load import WORKFLOW_FILE


def files_beside(folder: Path) -> dict[str, bytes]:
    """The mapping, calendars, scenarios and runbooks of a pack's folder, by path; no links, nothing hidden, and no more
    than an import would take."""
    found: dict[str, bytes] = {}
    left = TOTAL_BYTES
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        plain = file.is_file() and not any(part.is_symlink() for part in (file, *file.parents) if part != folder)
        hidden = any(part.startswith(".") for part in path.parts)
        if not plain or hidden or file.suffix.lower() not in SUFFIXES or file.stat().st_size > MEMBER_BYTES:
            continue
        left -= file.stat().st_size
        if left < 0 or len(found) >= MEMBERS - 1:
            break
        found[str(path)] = file.read_bytes()
    return found


def packed(texts: list[str], beside: Mapping[str, bytes]) -> bytes:
    """A zip with the rules in one file, and the files beside it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(WORKFLOW_FILE, "---\n".join(f"{text.rstrip()}\n" for text in texts))
        for name, data in beside.items():
            if name != WORKFLOW_FILE:
                archive.writestr(name, data)
    return content.getvalue()
