"""The holidays of countries and financial markets, from the library `holidays` (decision 7)."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Literal

from udfs.packs.daytime import FIRST_YEAR, LAST_YEAR, day_of
from udfs.packs.problems import suggest

YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


@cache
def listed_days(
    kind: Literal["country", "market"], code: str, part: str | None, category: Literal["public", "half_day"]
) -> frozenset[int]:
    """Days since 1970-01-01 from 1990 to 2100, as far as the library knows them. Raises ValueError with what would be
    right.

    The library is loaded here, since most packs have no use for it.
    """
    import holidays
    from holidays.registry import EntityLoader

    codes = EntityLoader.get_country_codes if kind == "country" else EntityLoader.get_financial_codes
    if code not in {*codes()}:
        known = suggest(code, sorted(codes(include_aliases=False)))
        raise ValueError(f"`{code}` is not the code of a {kind} whose holidays are known{known}")
    entity = getattr(holidays, code)
    parts = [*entity.subdivisions]
    if part is not None and part not in parts:
        known = suggest(part, parts) or f"; `{code}` has none"
        raise ValueError(f"`{part}` is not a part of `{code}` with holidays of its own{known}")
    if category not in entity.supported_categories:
        raise ValueError(f"the half days of `{code}` are not known; write them into the calendar's own `half_days`")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that some years are not known is said in docs/calendars.md
        days = entity(subdiv=part, years=YEARS, categories=(category,))
    return frozenset([day_of(one) for one in days])
