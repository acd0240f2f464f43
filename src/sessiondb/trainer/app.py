"""The WSGI application: what holds for every request, and what is answered when something goes wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, current_app, g, make_response, redirect, render_template, request, url_for
from psycopg import errors as pg
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sessiondb import __version__
from sessiondb.errors import PlatformRefusedError, SessiondbError
from sessiondb.output import shown
from sessiondb.trainer import guard, texts
from sessiondb.trainer.guard import Denied
from sessiondb.trainer.links import Links
from sessiondb.trainer.pages import Pages
from sessiondb.trainer.store import MOST, Store, Who, is_away

_LANGUAGE = "sessiondb-lang"

_KEPT = {"q", "org", "course", "status", "page", "count", "to"}
"""What an address says that the same page in another language needs; other names may mean something to url_for()."""


def create_app(
    database: str,
    *,
    hosts: Collection[str],
    who: Callable[[Request], str | UUID | None] | None = None,
    role: str | None = None,
    schema: str | None = None,
    secret: bytes | None = None,
    gate: guard.Gate | None = None,
) -> Flask:
    """Return the page as a WSGI application, to be mounted where a platform likes, for instance at ``/trainer``.

    Args:
        database: how to connect, as libpq has it. What this role may do, and the row level security that holds for it,
            decide what is seen and done.
        hosts: the names, each with its port unless that is the usual one, under which browsers may know the page.
        who: says which user asks, as an id of the platform, by its own login; None refuses the request, and so
            does "" where there is a role. Not needed with a gate.
        role: what each transaction becomes, with the user of ``who`` in the claims of a hosted backend.
        schema: of the platform's tables, as ``--schema``.
        secret: what the tokens in forms are made with; the same in all processes that serve the page.
        gate: lets in who has the address that was printed, in the place of a login.
    """
    if who is None and gate is None:
        raise ValueError("create_app() needs who=, which says who asks")
    if isinstance(hosts, str):
        raise TypeError("hosts= is a collection of names: of a text each part would be one")
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.before_request(_Entrance(hosts, gate, who, role, secret or secrets.token_bytes(32)))
    app.after_request(_close_up)
    app.context_processor(_common)
    app.register_error_handler(Denied, lambda error: _message(403, g.t("denied"), g.t(error.why, **error.values)))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SessiondbError, _failed)
    if gate is None:  # visitors of a site need not know what a database administrator does
        app.register_error_handler(PlatformRefusedError, _refused)
    app.register_error_handler(TimeoutError, lambda _: _message(504, g.t("slow")))  # the same button, pressed before
    store = Store.of(database, schema)
    Pages(store, Links(store), guard.Once()).register(app)
    return app


@dataclass(frozen=True)
class _Entrance:
    """Looks at each request before it is answered: who sends it, and whether a page of ours made them send it."""

    hosts: Collection[str]
    gate: guard.Gate | None
    who: Callable[[Request], str | UUID | None] | None
    role: str | None
    secret: bytes

    def __call__(self) -> AnyResponse | None:
        chosen = request.args.get("lang") or request.cookies.get(_LANGUAGE)
        g.lang = chosen if chosen in texts.LANGUAGES else request.accept_languages.best_match(texts.LANGUAGES, "en")
        g.t = texts.Texts(g.lang)
        if not guard.is_our_host(request, self.hosts):
            raise Denied("denied_host")
        if request.endpoint == "static":
            return None
        token = request.args.get("token")
        if self.gate and not self.gate.is_in(request):
            if token is None or not self.gate.exchange(token):
                raise Denied("denied_token")
            # a page, no redirect: that would come from where the address was clicked, and bring no cookie
            response = make_response(render_template("enter.html"))
            self.gate.let_in(response, request.script_root or "/")
            return response
        user = self.who(request) if self.who else ""
        if user is None or (self.role is not None and not user):
            raise Denied("denied_user")
        user = str(user)
        g.who = Who(user or None, self.role)
        g.csrf = guard.csrf_token(self.secret, (self.gate.token if self.gate else "") + user)
        if request.method == "POST":
            given = request.form.get("csrf", "")
            if not guard.is_our_form(request) or not secrets.compare_digest(given.encode(), g.csrf.encode()):
                raise Denied("denied_form")
        return redirect(url_for("overview"), 303) if token else None


def _close_up(response: Response) -> Response:
    """Give every answer what keeps it from being used otherwise, and keep the language that was chosen."""
    for name, value in guard.HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    response.vary.update(["Accept-Language", "Cookie"])
    if request.args.get("lang") in texts.LANGUAGES:
        path = request.script_root or "/"
        response.set_cookie(_LANGUAGE, request.args["lang"], 10_000_000, path=path, httponly=True, samesite="Lax")
    return response


def _common() -> dict[str, Any]:
    """Return what all templates use."""
    return {
        "t": g.t,
        "lang": g.lang,
        "languages": texts.LANGUAGES,
        "here": _here,
        "most": MOST,
        "csrf": g.get("csrf"),
        "new_key": secrets.token_urlsafe,
        "version": __version__,
    }


def _here(lang: str) -> str:
    """Return the address of this page in a language."""
    if not request.endpoint or request.method != "GET":
        return url_for("overview", lang=lang)
    given = {name: value for name, value in request.args.items() if name in _KEPT}
    return url_for(request.endpoint, **{**given, **(request.view_args or {}), "lang": lang})


def _message(code: int, title: str, *lines: str, retry: bool = False) -> tuple[str, int, dict[str, str]]:
    headers = {"Retry-After": "5"} if retry else {}
    return render_template("message.html", title=title, lines=lines, retry=retry), code, headers


def _http(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    if error.code == 404:
        return _message(404, g.t("missing"), g.t("missing_why"))
    return _message(error.code or 500, g.t("error"), g.t("error_back"))


def _failed(error: SessiondbError) -> tuple[str, int, dict[str, str]]:
    """Say what the database answered; one that is lost is asked again by the page itself."""
    if is_away(error):
        posted = [g.t("lost_posted")] if request.method == "POST" else []
        return _message(503, g.t("lost"), g.t("lost_why"), *posted, retry=True)
    if isinstance(error.__cause__, pg.QueryCanceled):
        return _message(504, g.t("slow"), *g.t.wrong(error))
    if isinstance(error.__cause__, pg.InsufficientPrivilege):
        return _message(403, g.t("denied"), *g.t.wrong(error))
    return _message(409, g.t("error"), *g.t.wrong(error), g.t("error_back"))


def _refused(error: PlatformRefusedError) -> tuple[str, int, dict[str, str]]:
    """Say that the page cannot work; the log says why, with the names of roles and objects."""
    current_app.logger.error("%s", shown(" ".join(error.lines)))
    return _message(409, g.t("error"), g.t("wrong_setup"), g.t("error_back"))
