"""The holidays of countries and financial markets, from the library `holidays` (decision 7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

from udfs.packs.daytime import FIRST_YEAR, LAST_YEAR, day_of
from udfs.packs.problems import suggest

YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


@cache
def country_holidays(country: str, subdivision: str | None) -> frozenset[int]:
    """Days since 1970-01-01 from 1990 to 2100, as far as the library knows them. Raises ValueError with a suggestion.

    The library is loaded here, since most packs have no use for it.
    """
    import holidays
    from holidays.registry import EntityLoader

    codes = sorted(EntityLoader.get_country_codes())
    if country not in codes:
        raise ValueError(f"`{country}` is not the code of a country whose holidays are known{suggest(country, codes)}")
    parts = [*getattr(holidays, country).subdivisions]
    if subdivision is not None and subdivision not in parts:
        known = suggest(subdivision, parts) or f"; `{country}` has none"
        raise ValueError(f"`{subdivision}` is not a part of `{country}` with holidays of its own{known}")
    return _days(holidays.country_holidays(country, subdiv=subdivision, years=YEARS))


@cache
def market_holidays(market: str) -> frozenset[int]:
    """As `country_holidays`, for the code of a financial market."""
    import holidays
    from holidays.registry import EntityLoader

    codes = sorted(EntityLoader.get_financial_codes())
    if market not in codes:
        raise ValueError(f"`{market}` is not the code of a market whose holidays are known{suggest(market, codes)}")
    return _days(holidays.financial_holidays(market, years=YEARS))


def _days(dates: Iterable[date]) -> frozenset[int]:
    return frozenset([day_of(one) for one in dates])
