"""Who is asking: signed sessions in a cookie (pages) or a bearer token (programs), or an API key.

Knows how a session is issued, checked and renewed, how a key is checked, that a page of another
origin may not act with a visitor's cookie, and that one address may not begin sessions without end.
Does not know what a principal may do (stores check ownership). Every /v1 route takes `Principal`;
it never comes from a body.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from itsdangerous import BadSignature, TimestampSigner
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.api.callers import RequestQuota
from infra.api.problems import Refused, documented, response, translate
from tools import api_keys
from tools.stores import Keys, StoreFailure

COOKIE = "usher_session"
LIFETIME_S = 30 * 24 * 3600
RENEW_AFTER_S = 24 * 3600
"""A cookie older than this is issued anew: the 30 days slide, without a cookie on every answer."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Session:
    """A principal and how old its proof is."""

    principal: str
    age_s: float
    key_id: str | None = None
    """Of the API key that proves it, if one does."""


class Signer:
    """Makes and checks session tokens: principal, time and HMAC-SHA256."""

    def __init__(self, secret: bytes) -> None:
        self._signer = TimestampSigner(
            secret, salt="usher.session", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def issue(self, principal: str) -> str:
        """A token that proves the principal for 30 days."""
        return self._signer.sign(principal).decode("ascii")

    def check(self, token: str) -> Session | None:
        """Whose token this is; None when it is broken, forged or expired."""
        try:
            principal, signed_at = self._signer.unsign(
                token, max_age=LIFETIME_S, return_timestamp=True
            )
        except (BadSignature, UnicodeError):
            return None
        return Session(
            principal.decode("ascii"), self._signer.get_timestamp() - signed_at.timestamp()
        )


def new_principal() -> str:
    """An anonymous principal that cannot be guessed."""
    return secrets.token_hex(16)


class SessionMiddleware:
    """Puts the principal on the request and keeps the visitor's cookie fresh."""

    def __init__(
        self,
        app: ASGIApp,
        signer: Signer,
        keys: Keys,
        quota: RequestQuota,
        allowed_origins: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._signer = signer
        self._keys = keys
        self._quota = quota
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _needs_session(scope["path"]):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        try:
            session, by_bearer = await self._identify(headers)
            if not by_bearer and scope["method"] not in SAFE_METHODS:
                check_origin(headers, scope["scheme"], self._allowed_origins)
            if session is None:  # a new one comes with a new quota, so that has a bound too
                await self._quota.count_address(_address(scope))
        except (Refused, StoreFailure) as error:
            return await response(translate(error))(scope, receive, send)
        fresh = session is None
        session = session or Session(new_principal(), 0)
        state = scope.setdefault("state", {})
        state["principal"], state["by_bearer"] = session.principal, by_bearer
        state["key_id"], state["fresh"] = session.key_id, fresh
        if not by_bearer and (fresh or session.age_s > RENEW_AFTER_S):
            send = self._with_cookie(send, session.principal, secure=scope["scheme"] == "https")
        await self._app(scope, receive, send)

    async def _identify(self, headers: Headers) -> tuple[Session | None, bool]:
        authorization = headers.get("authorization")
        if authorization is None:
            token = _cookie(headers)
            return (self._signer.check(token) if token else None), False
        scheme, _, token = authorization.partition(" ")
        session = await self._check(token.strip()) if scheme.lower() == "bearer" else None
        if session is None:
            raise Refused(
                401,
                "bad_token",
                "The bearer token is broken, expired or revoked: POST /v1/sessions issues a new "
                "session, usher keys create a new key.",
                {"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return session, True

    async def _check(self, token: str) -> Session | None:
        """Whose bearer token this is: a session's, or an API key's."""
        parsed = api_keys.parse(token)
        if parsed is None:
            return self._signer.check(token)
        key_id, secret = parsed
        key = await self._keys.find(key_id)
        if key is None or not api_keys.opens(key, secret):
            return None
        return Session(f"key:{key_id}", 0, key_id)

    def _with_cookie(self, send: Send, principal: str, *, secure: bool) -> Send:
        cookie = (
            f"{COOKIE}={self._signer.issue(principal)}; Path=/; Max-Age={LIFETIME_S}; "
            f"HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
        )

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return send_with_cookie


def _needs_session(path: str) -> bool:
    return path == "/" or path.startswith("/v1/")


def _address(scope: Scope) -> str:
    """Who is at the other end; behind a proxy on this machine, uvicorn puts there whom it names."""
    client = scope.get("client")
    return client[0] if client else ""


def _cookie(headers: Headers) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


def check_origin(headers: Headers, scheme: str, allowed: frozenset[str]) -> None:
    """Refuse an unsafe request that a page of another origin makes (cross-site request forgery).

    Browsers always tell on such requests; a client that sends neither header is no browser and has
    no cookie that a page could borrow.
    """
    origin = headers.get("origin")
    if origin is not None and origin in allowed:
        return
    site = headers.get("sec-fetch-site", "same-origin")
    own = f"{scheme}://{headers.get('host', '')}".lower()
    if site not in ("same-origin", "none") or (origin is not None and origin.lower() != own):
        raise Refused(
            403,
            "other_origin",
            "A page of another origin may not act with this session: use a bearer token, or list "
            "the origin in USHER_ALLOWED_ORIGINS.",
        )


async def _principal(request: Request) -> str:
    principal: str = request.state.principal
    return principal


Principal = Annotated[str, Depends(_principal)]


class SessionBody(BaseModel):
    """A session for programs; send it as `Authorization: Bearer <token>`."""

    token: str
    token_type: str = "bearer"
    expires_in: int = LIFETIME_S
    """Seconds; ask again with the token before that to keep the same identity."""


def router(signer: Signer, quota: RequestQuota) -> APIRouter:
    """The route that issues sessions."""
    routes = APIRouter(prefix="/v1", tags=["sessions"])

    @routes.post("/sessions", status_code=201, responses=documented(401, 403, 429, 503))
    async def issue(request: Request) -> SessionBody:
        """Issue a bearer token: a new anonymous identity, or the same one again for a valid bearer.

        A cookie's identity is never given out as a token: a script in the page could carry it away.
        Nor is an API key's: a token would outlive its revocation. New identities are counted by
        address, or by the key that asks for them; over the quota, 429.
        """
        state = request.state
        if state.by_bearer and state.key_id is None:
            return SessionBody(token=signer.issue(state.principal))
        if state.key_id is not None:
            await quota.count_key(state.principal)
        elif not state.fresh:  # who is new was counted already
            await quota.count_address(_address(request.scope))
        return SessionBody(token=signer.issue(new_principal()))

    return routes
