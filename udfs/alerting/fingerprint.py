"""What is wrong with whom: the identity of an alert, through all that is found of it."""

from __future__ import annotations

import re
from typing import Final

from udfs.alerting.reported import OF_A_DEADLINE, Reported
from udfs.core.effects import STALLED
from udfs.core.ids import digest

_PROGRESS: Final = re.compile(r"\d+ of (\d+|\?)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?=$|T)")


def fingerprint(finding: Reported) -> str:
    """32 hex digits. All that is found of one deadline (predicted, at risk, missing, late) shares them, whatever its
    instant and the version of its rules.

    Of all other kinds it is the item, the rule, the kind, the step and the business date, if there is one: what happens
    to them again is the same alert once more.
    """
    if finding.kind in OF_A_DEADLINE:
        about: tuple[str, ...] = ("", "" if _PROGRESS.fullmatch(finding.occurrence) else finding.occurrence)
    else:
        date = business_date(finding)
        about = (finding.kind, f"{finding.step} as a whole" if finding.is_of_a_step else finding.step)
        about += (date,) if date else ()
    return digest(finding.lane, finding.workflow, finding.rule, finding.key, *about)


def business_date(finding: Reported) -> str:
    """The day that the finding is about, as its schedule counts days ("": none)."""
    found = _DATE.match(finding.occurrence)
    return found.group() if found and finding.kind != STALLED else ""
