"""For whom a plain endpoint acts, and how often one may ask.

Knows that an API key may name its users and a session may not, and by what each caller's quota is
counted. Does not know how a credential is checked (sessions.py). Called by the plain routes, and by
sessions.py where somebody new comes.
"""

import ipaddress
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field

from infra.api.problems import Refused
from infra.wiring import Services
from tools.stores import QuotaStore

WINDOW_S = 60
QUOTA = "requests"
IPV6_SITE_BITS = 64
"""One household gets a /64 (RFC 6177): its addresses count as one."""

UserId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="One of your own users, as you call them. With an API key only.",
        examples=["u-17"],
    ),
]


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """Counts requests by who sent them. Every method raises QuotaExceeded."""

    store: QuotaStore
    per_session: int
    """Requests a minute, of an address too."""
    per_key: int

    @classmethod
    def of(cls, services: Services) -> "RequestQuota":
        """The one that the settings ask for."""
        settings = services.settings
        return cls(
            services.stores.quotas, settings.requests_per_minute, settings.key_requests_per_minute
        )

    async def count_session(self, principal: str) -> None:
        """One more of a session."""
        await self._take(principal, self.per_session)

    async def count_key(self, principal: str) -> None:
        """One more of an API key, whichever of its users it is for."""
        await self._take(principal, self.per_key)

    async def count_address(self, address: str) -> None:
        """One more of an address: each session has a quota of its own, but not as many of them."""
        await self._take(f"address:{site_of(address)}", self.per_session)

    async def _take(self, counted: str, limit: int) -> None:
        await self.store.take(counted, QUOTA, limit=limit, window_s=WINDOW_S, now=time.time())


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    principal: str
    key_id: str | None
    fresh: bool
    """No credential came with it: the session begins with this request."""

    def acting_for(self, user_id: str | None) -> str:
        """The principal to act for. Raises: Refused when a session names somebody."""
        if user_id is None:
            return self.principal
        if self.key_id is None:
            raise Refused(
                403,
                "user_id_needs_key",
                "Only an API key may name a user; a session is one already. Leave out user_id.",
            )
        return f"{self.principal}:{user_id}"

    async def admit(self, quota: RequestQuota) -> None:
        """Count the request. Raises: QuotaExceeded."""
        if self.key_id is not None:
            await quota.count_key(self.principal)
        elif not self.fresh:  # who is new was counted by address when the session began
            await quota.count_session(self.principal)


def site_of(address: str) -> str:
    """What an address counts as: itself, or its /64 for IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address  # a Unix socket, or a name in a test
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))


async def _caller(request: Request) -> Caller:
    state = request.state
    return Caller(state.principal, state.key_id, state.fresh)


Asking = Annotated[Caller, Depends(_caller)]
