"""Who may come in, and what a browser may be made to do: token, cookie, CSRF, Host, Origin and the headers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future

from flask import Request, Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every answer. Nothing is loaded from elsewhere, and no other site learns from where we come. To our own
address the browser says it: without, it hides the Origin of forms, and on a plain http name nothing else says it."""


class Denied(Exception):  # noqa: N818  (an answer, no error)
    """The visitor may not come in, or not so.

    Args:
        why: the key of the text that says why.
        values: what is put into it.
    """

    def __init__(self, why: str, **values: object) -> None:
        super().__init__(why)
        self.why = why
        self.values = values


class Gate:
    """Lets in one who has the address that was printed: its token is good once, and exchanged for a cookie.

    Args:
        cookie: the name of the cookie; browsers keep those of all ports of a machine together.
    """

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie
        self.token = secrets.token_urlsafe(32)
        self._key = secrets.token_urlsafe(32)
        self._is_used = False
        self._lock = threading.Lock()

    def is_in(self, request: Request) -> bool:
        """Return whether the request brings the cookie."""
        return hmac.compare_digest(request.cookies.get(self.cookie, "").encode(), self._key.encode())

    def exchange(self, token: str) -> bool:
        """Return whether this is the token, for the first time."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return False
        with self._lock:
            is_first, self._is_used = not self._is_used, True
        return is_first

    def let_in(self, response: Response, path: str) -> None:
        """Give the cookie; it ends with the browser, and it is good as long as this process runs."""
        response.set_cookie(self.cookie, self._key, path=path, httponly=True, samesite="Strict")


def csrf_token(secret: bytes, visitor: str) -> str:
    """Return what each form must send back: no other site can read it, and another visitor has another one."""
    return hmac.new(secret, f"csrf {visitor}".encode(), hashlib.sha256).hexdigest()


def is_our_host(request: Request, hosts: Collection[str]) -> bool:
    """Return whether the browser knows us by one of these names: any name can be made to lead to 127.0.0.1."""
    return request.host in hosts


def is_our_form(request: Request) -> bool:
    """Return whether a page of ours sent this: its Origin says so, or the browser where our policy hides that."""
    origin = request.headers.get("Origin", "null")
    if origin != "null":
        return origin == request.host_url.rstrip("/")
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


class Once:
    """Does what a form asks for once, however often its button is pressed: each form carries a key of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: dict[str, Future[str]] = {}

    def do(self, key: str, act: Callable[[], str]) -> str:
        """Return where to go after the act; pressed again, the same, when the first one has ended.

        What failed may be tried again with the same key.
        """
        with self._lock:
            result = self._results.get(key)
            is_first = result is None
            if result is None:
                result = self._results[key] = Future()
                if len(self._results) > 10_000:
                    del self._results[next(iter(self._results))]
        if not is_first:
            return result.result(timeout=60)
        try:
            where = act()
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            result.set_exception(error)
            raise
        result.set_result(where)
        return where
