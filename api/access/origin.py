"""Whether a write that a browser sends comes from a page of ours (cross-site request forgery). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

SAFE = ("GET", "HEAD", "OPTIONS")


def foreign(method: str, headers: Mapping[str, str], ours: Collection[str], *, cookie: bool) -> bool:
    """Whether a request must be refused: a write from another site's page. `ours` are our scheme and host.

    Browsers say where a write comes from, in `Sec-Fetch-Site` and `Origin`. One that counts by a cookie must bring at
    least one of them; a program without a cookie brings neither.
    """
    if method in SAFE:
        return False
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    if site and site not in ("same-origin", "none"):
        return True
    if origin:
        return origin.lower() not in ours
    return cookie and not site
