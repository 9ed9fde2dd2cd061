"""What a change of a rule must be to be taken: sound, of its workflow, not too long, and about what stands."""

from __future__ import annotations

from typing import Any

import orjson

from api.problems import Fault, ProblemError
from api.records.database import MOST_BYTES
from api.records.rules import WITHDRAW, Revision
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError, Problem

ANY, ABSENT = -1, -2
"""The revision of whoever doesn't care which one he changes; of whoever only wants one that isn't there yet."""
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
    """Raises a 409 problem where it isn't said what is changed, or isn't what stands: the update of somebody else would
    be lost; 412 where only a new rule was wanted."""
    stands = now if now is not None and now.action != WITHDRAW else None
    if known == ABSENT and stands:
        raise ProblemError(412, "Exists already", f"{stands.workflow} is there, {_as_it_is(stands)}.")
    if known is None and stands:
        say = f'`If-Match: "{stands.revision}"`, `*` for whichever it is, or of a pack `?overwrite=true`'
        detail = f"{stands.workflow} is there, {_as_it_is(stands)}. Say which one you change: {say}."
        raise ProblemError(409, "Exists already", detail)
    if known is not None and known >= 0 and (now is None or known != now.revision):
        found = f"The rule is {_as_it_is(now)}" if now else "There is no such rule"
        raise ProblemError(409, "Changed meanwhile", f"{found}, not in {known}. Read it again, and change that.")


def _as_it_is(now: Revision) -> str:
    return f"in revision {now.revision}{f' by {now.who}' if now.who else ''}"


def invalid(problems: list[Problem]) -> ProblemError:
    """422 with every fault, its line and its place."""
    faults = [Fault(field=_place(one), message=one.message) for one in problems]
    detail = f"Nothing was put in force. First: {faults[0].message}" if faults else "Nothing was put in force."
    return ProblemError(422, "Invalid rule", detail, faults)


def _place(problem: Problem) -> str:
    if problem.line:
        return f"line {problem.line}{f', {problem.path}' if problem.path else ''}"
    return f"definition.{problem.path}"
