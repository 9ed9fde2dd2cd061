"""Who a request comes from. Whoever signs people in sets `request.state.actor`; else it is `operator`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request


@dataclass(frozen=True)
class Actor:
    """A person or a program by name, and the address that the request came from. `account` tells one from everybody
    else of that name."""

    name: str
    origin: str = ""
    account: str = ""


def actor_of(request: Request) -> Actor:
    """The request's actor; without a sign-in `operator`, at the address of the connection."""
    known: Actor | None = getattr(request.state, "actor", None)
    return known or Actor("operator", request.client.host if request.client else "")


Who = Annotated[Actor, Depends(actor_of)]
