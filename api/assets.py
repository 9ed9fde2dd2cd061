"""Style sheets, scripts and pictures: compressed, and kept by browsers for as long as they hold."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

ASK = "no-cache"
"""Kept, but each time asked whether it still holds: a page of a new version never meets the script of an old one."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For what has its version in its address."""


class _Kept(StaticFiles):
    def __init__(self, folder: Path, caching: str) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._caching = caching

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers["Cache-Control"] = self._caching
        return answer


def assets(folder: Path, caching: str) -> ASGIApp:
    """The files of a folder, which may be absent; to be mounted. Only these are compressed: a page may hold a secret
    beside what somebody else put into its address, and its compressed length would tell."""
    return GZipMiddleware(_Kept(folder, caching), compresslevel=6)
