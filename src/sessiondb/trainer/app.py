"""The WSGI application: what holds for every request, and what is answered when something goes wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from typing import Any

import psycopg
from flask import Flask, Request, Response, g, make_response, redirect, render_template, request, url_for
from psycopg import errors as pg
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sessiondb import __version__
from sessiondb.database import is_lost
from sessiondb.errors import SessiondbError
from sessiondb.trainer import guard, texts
from sessiondb.trainer.links import Links
from sessiondb.trainer.pages import Pages
from sessiondb.trainer.store import MOST, Store, Who

_LANGUAGE = "sessiondb-lang"


class Denied(Exception):  # noqa: N818  (an answer, no error)
    """The visitor may not come in, or not so.

    Args:
        why: the key of the text that says why.
    """


def create_app(
    database: str,
    *,
    hosts: Collection[str],
    who: Callable[[Request], str | None] | None = None,
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
        who: says which user asks, as an id of the platform, by its own login; None lets nobody in. With a gate it need
            not be given.
        role: what each transaction becomes, with the user of ``who`` in the claims of a hosted backend.
        schema: of the platform's tables, as ``--schema``.
        secret: what the tokens in forms are made with; the same in all processes that serve the page.
        gate: lets in who has the address that was printed, in the place of a login.
    """
    if who is None and gate is None:
        raise ValueError("create_app() needs who=, which says who asks")
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    store = Store.of(database, schema)
    key = secret or secrets.token_bytes(32)

    def visitor() -> str:
        """Return who asks, or refuse."""
        if gate and not gate.is_in(request):
            raise Denied("denied_token")
        user = who(request) if who else ""
        if user is None:
            raise Denied("missing_why")
        return user

    @app.before_request
    def _let_in() -> AnyResponse | str | None:
        chosen = request.args.get("lang") or request.cookies.get(_LANGUAGE)
        g.lang = texts.choose(chosen, request.headers.get("Accept-Language", ""))
        g.t = texts.Texts(g.lang)
        g.who = Who()
        if not guard.is_our_host(request, hosts):
            raise Denied("denied_host")
        if request.endpoint == "static":
            return None
        token = request.args.get("token")
        if gate and token is not None and not gate.is_in(request) and gate.exchange(token):
            # a page, no redirect: that would come from where the address was clicked, and bring no cookie
            response = make_response(render_template("enter.html"))
            gate.let_in(response, request.script_root or "/")
            return response
        user = visitor()
        g.who = Who(user or None, role)
        g.csrf = guard.csrf_token(key, (gate.token if gate else "") + user)
        if request.method == "POST":
            given = request.form.get("csrf", "")
            if not guard.is_our_form(request) or not secrets.compare_digest(given.encode(), g.csrf.encode()):
                raise Denied("denied_form")
        if token is not None:
            return redirect(url_for("overview"), 303)
        return None

    @app.after_request
    def _close_up(response: Response) -> Response:
        for name, value in guard.HEADERS.items():
            response.headers[name] = value
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        response.vary.update(["Accept-Language", "Cookie"])
        if request.args.get("lang") in texts.LANGUAGES:
            path = request.script_root or "/"
            response.set_cookie(_LANGUAGE, request.args["lang"], 10_000_000, path=path, httponly=True, samesite="Lax")
        return response

    @app.context_processor
    def _common() -> dict[str, Any]:
        def here(lang: str) -> str:
            if not request.endpoint or request.method != "GET":
                return url_for("overview", lang=lang)
            given = {name: value for name, value in request.args.items() if name not in ("lang", "token", "done")}
            return url_for(request.endpoint, **{**given, **(request.view_args or {}), "lang": lang})

        return {
            "t": g.t,
            "lang": g.lang,
            "languages": texts.LANGUAGES,
            "here": here,
            "most": MOST,
            "csrf": g.get("csrf"),
            "new_key": secrets.token_urlsafe,
            "version": __version__,
        }

    def message(code: int, title: str, *lines: str, retry: bool = False) -> tuple[str, int, dict[str, str]]:
        headers = {"Retry-After": "5"} if retry else {}
        return render_template("message.html", title=title, lines=lines, retry=retry), code, headers

    @app.errorhandler(Denied)
    def _denied(error: Denied) -> tuple[str, int, dict[str, str]]:
        return message(403, g.t("denied"), g.t(str(error)))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> tuple[str, int, dict[str, str]]:
        if error.code == 404:
            return message(404, g.t("missing"), g.t("missing_why"))
        return message(error.code or 500, g.t("error"), str(error.description))

    @app.errorhandler(SessiondbError)
    def _failed(error: SessiondbError) -> tuple[str, int, dict[str, str]]:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, psycopg.Error) and is_lost(cause):
            app.logger.warning("%s", error)
            posted = [g.t("lost_posted")] if request.method == "POST" else []
            return message(503, g.t("lost"), g.t("lost_why"), *posted, retry=True)
        said = g.t("error_detail", message=" ".join(error.lines))
        if isinstance(cause, pg.QueryCanceled):
            return message(504, g.t("slow"), said)
        if isinstance(cause, pg.InsufficientPrivilege):
            return message(403, g.t("denied"), said)
        return message(409, g.t("error"), said, g.t("error_back"))

    Pages(store, Links(store), guard.Once()).register(app)
    return app
