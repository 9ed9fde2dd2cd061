"""How often somebody may ask: counted in this process, a sliding minute for each."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

ANONYMOUS = 60
"""What one address may send a minute without being known: sign-ins, wrong tokens."""


def network(address: str) -> str:
    """What is counted for an address: of IPv6 the network of 64 bits, whose addresses are all one subscriber's."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))
    return address


class Rates:
    """`many`: requests a minute of somebody who is known; 0: as many as they like."""

    def __init__(self, many: int) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._known = RateLimitItemPerMinute(many) if many else None
        self._anonymous = RateLimitItemPerMinute(ANONYMOUS)

    def known(self, name: str) -> int:
        """Count a request of somebody; seconds to wait if it is one too many, else 0."""
        return self._count(self._known, "known", name) if self._known else 0

    def anonymous(self, address: str) -> int:
        """Count a request of an address; seconds to wait if it is one too many, else 0."""
        return self._count(self._anonymous, "anonymous", network(address))

    def _count(self, item: RateLimitItemPerMinute, kind: str, name: str) -> int:
        if self._limiter.hit(item, kind, name):
            return 0
        return max(1, round(60 / item.amount))
