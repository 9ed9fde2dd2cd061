"""Questions and orders to the API of a running stack, with the environment's token for it, or the home's."""

from __future__ import annotations

import os
from typing import Any

import httpx

from api.stack.home import Home, State
from api.tls import trusting

TOKEN = "DAYMARK_API_TOKEN"  # noqa: S105 (the variable's name)


def ask(state: State, path: str, seconds: float = 60, **parameters: str) -> Any:
    """What the API answers to a GET of /api/v1/`path`. Raises httpx.HTTPError, also for an answer that is an error."""
    answer = httpx.get(
        f"{state.url}/api/v1/{path}",
        params=parameters,
        headers=_headers(),
        timeout=seconds,
        verify=trusting(state.tls_cert),
    )
    return answer.raise_for_status().json()


def tell(state: State, method: str, path: str, body: Any, seconds: float = 60, if_match: str = "") -> Any:
    """What the API answers to a PUT, or the like, of /api/v1/`path`. Raises httpx.HTTPError as `ask` does."""
    answer = httpx.request(
        method,
        f"{state.url}/api/v1/{path}",
        json=body,
        headers=_headers() | ({"If-Match": if_match} if if_match else {}),
        timeout=seconds,
        verify=trusting(state.tls_cert),
    )
    return answer.raise_for_status().json()


def health_of(state: State, seconds: float = 3) -> Any:
    """What /readyz says, whatever its status. Raises httpx.HTTPError, ValueError."""
    verify = trusting(state.tls_cert)
    return httpx.get(f"{state.url}/readyz", headers=_headers(), timeout=seconds, verify=verify).json()


def _headers() -> dict[str, str]:
    token = os.environ.get(TOKEN) or _own()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _own() -> str:
    """The token that the serving process left in the home for its owner; '' where there is none to be read."""
    try:
        return (Home().path / "token").read_text().strip()
    except OSError:
        return ""
