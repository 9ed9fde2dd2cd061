"""What a change of a rule must be to be taken: sound, of its workflow, not too long, and about what stands."""

from __future__ import annotations

from typing import Any

import orjson

from api.problems import Fault, ProblemError
from api.records.database import MOST_BYTES
from api.records.rules import WITHDRAW, Revision
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError, Problem

ANY = -1
"""The revision of whoever doesn't care which one he changes."""
LONGEST_NAME = 200


def check(workflow: str, definition: dict[str, Any], text: str, version: int | None, lane: str) -> None:
    """Raises a problem for a definition that nothing could run, or that is of another workflow."""
    try:
        spec = compile_workflow(definition, version=version or 1, lane=lane)
    except PackError as error:
        raise invalid(error.problems) from None
    if spec.workflow != workflow:
        detail = f"The definition is of the workflow {spec.workflow!r}; put it at /api/v1/rules/{spec.workflow}."
        raise ProblemError(422, "Invalid rule", detail)
    if len(workflow) > LONGEST_NAME:
        raise ProblemError(422, "Invalid rule", f"A workflow's name has at most {LONGEST_NAME} characters.")
    try:
        size = len(orjson.dumps(definition)) + 1000
    except TypeError as fault:
        raise ProblemError(422, "Invalid rule", f"The definition can't be written as JSON: {fault}.") from None
    if size > MOST_BYTES or len(text.encode()) > MOST_BYTES:
        raise ProblemError(413, "Body too large", f"A rule document has at most {MOST_BYTES:,} bytes; send less.")


def require_known(now: Revision | None, known: int | None) -> None:
    """Raises a 409 problem where it isn't said what is changed, 412 where it isn't what stands."""
    if known == ANY:
        return
    exists = now is not None and now.action != WITHDRAW
    if known is None and exists and now:
        detail = f'It is in revision {now.revision}. Say which one you change: `If-Match: "{now.revision}"`.'
        raise ProblemError(409, "Exists already", detail)
    if known is not None and (now is None or known != now.revision):
        stands = f"The rule is in revision {now.revision}" if now else "There is no such rule"
        raise ProblemError(412, "Changed meanwhile", f"{stands}, not in {known}. Read it again, and change that.")


def invalid(problems: list[Problem]) -> ProblemError:
    """422 with every fault, its line and its place."""
    faults = [Fault(field=_place(one), message=one.message) for one in problems]
    detail = f"Nothing was put in force. First: {faults[0].message}" if faults else "Nothing was put in force."
    return ProblemError(422, "Invalid rule", detail, faults)


def _place(problem: Problem) -> str:
    if problem.line:
        return f"line {problem.line}{f', {problem.path}' if problem.path else ''}"
    return f"definition.{problem.path}"
