"""Where a lane's state lies on disk, and which part of it is the newest that a job can resume from."""

from __future__ import annotations

import os
from pathlib import Path

METADATA = "_metadata"


def newest(folder: Path) -> str | None:
    """The URI of the newest complete checkpoint or savepoint below `folder`; None if there is none.

    Flink writes `_metadata` last and puts it in place in one step, so whatever has it is complete. A checkpoint's
    folder is `<job>/chk-<n>`, a savepoint's `savepoint-<…>`.
    """
    found = [file for pattern in ("*/chk-*", "savepoint-*") for file in folder.glob(f"{pattern}/{METADATA}")]
    ages = [(status.st_mtime_ns, file) for file in found if (status := _status(file)) and status.st_size]
    return uri(max(ages)[1].parent) if ages else None


def uri(path: Path) -> str:
    """A path as Flink's own Path class reads it: nothing is percent-encoded, since nothing is decoded there."""
    return f"file://{path.absolute()}"


def _status(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None  # deleted meanwhile: a running job gives up its older checkpoints
