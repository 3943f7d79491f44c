"""For whom a plain endpoint acts, and how often one may ask.

Knows that an API key may name its users and a session may not, and by what each caller's quota is
counted. Does not know how a credential is checked (sessions.py). Called by the plain routes.
"""

import ipaddress
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field

from infra.api.problems import Refused
from infra.wiring import Services

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
class Caller:
    """Who sent a request."""

    principal: str
    key_id: str | None
    fresh: bool
    """No credential came with it: the session begins with this request."""
    address: str

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

    async def admit(self, services: Services) -> None:
        """Count the request. Raises: QuotaExceeded."""
        settings = services.settings
        counted, limit = self.principal, settings.requests_per_minute
        if self.key_id is not None:
            limit = settings.key_requests_per_minute
        elif self.fresh:  # who keeps no cookie would have a new quota with every request
            counted = f"address:{site_of(self.address)}"
        await services.stores.quotas.take(
            counted, QUOTA, limit=limit, window_s=WINDOW_S, now=time.time()
        )


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
    address = request.client.host if request.client else ""
    return Caller(state.principal, state.key_id, state.fresh, address)


Asking = Annotated[Caller, Depends(_caller)]
