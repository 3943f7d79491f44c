"""The outer wall of the HTTP surface: which Host names are served, the headers on every answer.

Knows the browser's rules that protect the page. Does not know sessions or routes. Installed by
app.py.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.api.problems import Refused, response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class GuardMiddleware:
    """Refuses foreign Host names and adds the security headers."""

    def __init__(self, app: ASGIApp, served_on: str, allowed_hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._loopback_only = is_loopback(served_on)
        self._allowed = frozenset(name.lower() for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # Answers are personal; the page is checked each time, which its ETag makes cheap.
                personal = scope["path"].startswith("/v1/")
                headers.setdefault("Cache-Control", "no-store" if personal else "no-cache")
            await send(message)

        if not self._serves(Headers(scope=scope).get("host", "")):
            refused = Refused(
                421,
                "unknown_host",
                "This service does not answer to that host name: list it in USHER_ALLOWED_HOSTS.",
            )
            return await response(refused)(scope, receive, send_guarded)
        await self._app(scope, receive, send_guarded)

    def _serves(self, host: str) -> bool:
        """On loopback any other name is an attack (DNS rebinding); elsewhere a list is a choice."""
        name = hostname(host)
        if self._loopback_only:
            return is_loopback(name) or name in self._allowed
        return not self._allowed or is_loopback(name) or name in self._allowed


def hostname(host: str) -> str:
    """The name in a Host header without its port: "[::1]:8000" gives "::1"."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
