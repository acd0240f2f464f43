"""The pages: what each asks the database, and what each button does."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from flask import Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sessiondb import naming, records
from sessiondb.errors import SessiondbError, UnclearNameError
from sessiondb.trainer.guard import Denied, Once
from sessiondb.trainer.links import Links
from sessiondb.trainer.store import MOST, PAGE_ROWS, Row, Store, View, is_away

_CHOICES = 200
"""A list to choose from is no longer than this; where there is more, one types the name."""

_STATUSES = ["draft", "active", "completed", "cancelled"]
_ROLES = ["student", "trainer", "admin"]

_TITLE = 200
"""So long a title may be; the field takes no more."""

_PEOPLE = 100
"""So many students are listed whose work is not linked, for each thing that helps."""

_WEEKS = 26


class _OvertakenError(Exception):
    """Another session was created since the form for this one was shown."""

    def __init__(self, session: Row) -> None:
        super().__init__()
        self.session = session


@dataclass(frozen=True)
class Pages:
    """The pages of the application."""

    store: Store  # what they show
    links: Links  # the linking that goes on meanwhile
    once: Once  # what has been done for which form

    def register(self, app: Flask) -> None:
        """Give each page its address."""
        get, post = ["GET"], ["POST"]
        for rule, view, methods in (
            ("/", self.overview, get),
            ("/new", self.new, get),
            ("/new/<uuid:org>/<uuid:course>", self.new_session, get),
            ("/new/<uuid:org>/<uuid:course>", self.create, post),
            ("/sessions/<uuid:session>", self.session, get),
            ("/sessions/<uuid:session>/status", self.status, get),
            ("/sessions/<uuid:session>/status", self.set_status, post),
            ("/sessions/<uuid:session>/members", self.join, post),
            ("/sessions/<uuid:session>/link", self.linking, get),
            ("/sessions/<uuid:session>/link", self.link, post),
            ("/orgs", self.orgs, get),
            ("/orgs/<uuid:org>", self.org, get),
            ("/orgs/<uuid:org>/add", self.add, post),
            ("/orgs/<uuid:org>/<uuid:user>/role", self.set_role, post),
            ("/orgs/<uuid:org>/<uuid:user>/remove", self.ask_remove, get),
            ("/orgs/<uuid:org>/<uuid:user>/remove", self.remove, post),
        ):
            app.add_url_rule(rule, view.__name__, view, methods=methods)

    def _once(self, act: Callable[[], str]) -> Response:
        """Do what a form asks for, and go where that leads."""
        key = request.form.get("key") or abort(400)
        asked = repr((g.who, request.full_path, sorted(request.form.items(multi=True))))
        return redirect(self.once.do(hashlib.sha256(f"{key} {asked}".encode()).hexdigest(), act), 303)

    # the sessions

    def overview(self) -> str:
        search, status = _text("q"), _text("status")
        org, course = _id("org"), _id("course")
        page = _page()
        with self.store.open(g.who) as view:
            shown = view.rows(
                "overview",
                org=org,
                course=course,
                status=status,
                search=search,
                most=MOST,
                limit=PAGE_ROWS + 1,
                skip=(page - 1) * PAGE_ROWS,
            )
            more, shown = len(shown) > PAGE_ROWS, shown[:PAGE_ROWS]
            of = [[s[column] for s in shown] for column in ("org_id", "course_id")]
            patience = {"seconds": 4.0} if "count" in request.args else {}
            counts = view.quick_rows("unlinked_counts", **patience, orgs=of[0], courses=of[1]) if shown else []
            orgs = self._choices(view, "orgs", org)
            courses = self._choices(view, "courses", course)
            statuses = view.labels("sessions", "status", _STATUSES)
            has_times = view.has_times
        unlinked = None if counts is None else {(c["org_id"], c["course_id"]): c["rows"] for c in counts}
        filters = {"q": search, "org": org, "course": course, "status": status}
        return render_template(
            "overview.html",
            groups=[(org_id, [*of_org]) for org_id, of_org in groupby(shown, itemgetter("org_id"))],
            unlinked=unlinked,
            counted="count" in request.args,
            chart=_chart(s["weeks"] for s in shown) if has_times else None,
            orgs=orgs,
            courses=courses,
            statuses=statuses,
            filters={name: value for name, value in filters.items() if value},
            page=page,
            more=more,
        )

    def session(self, session: UUID) -> str:
        page = _page()
        with self.store.open(g.who, "live") as view:
            found = _one(view.rows("session", session=session, most=MOST))
            students = view.rows("students", session=session, limit=PAGE_ROWS + 1, skip=(page - 1) * PAGE_ROWS)
            of = {"org": found["org_id"], "course": found["course_id"]}
            unlinked = view.quick_rows("unlinked", seconds=4, people=_PEOPLE, session=session, **of)
            siblings = view.rows("siblings", session=session, **of)
            statuses = view.labels("sessions", "status", _STATUSES)
            progress = self.links.progress(view, session, g.who)
            has_times, sees_all = view.has_times, view.sees_all
        return render_template(
            "session.html",
            s=found,
            sees_all=sees_all,
            students=students[:PAGE_ROWS],
            more=len(students) > PAGE_ROWS,
            page=page,
            is_counted=unlinked is not None,
            groups=[[*rows] for _, rows in groupby(unlinked or [], itemgetter("remedy", "session_id"))],
            siblings=siblings,
            statuses=statuses,
            progress=progress,
            chart=_chart([found["weeks"]]) if has_times else None,
        )

    # a new one

    def new(self) -> str | Response:
        names = {"org": _text("org"), "course": _text("course")}
        unclear: dict[str, UnclearNameError] = {}
        with self.store.open(g.who) as view:
            ids = {}
            for kind, name in names.items():
                try:
                    ids[kind] = naming.find(view.connection, kind, name, lambda _: None) if name else None
                except UnclearNameError as error:
                    unclear[kind] = error
            if ids.get("org") and ids.get("course"):
                return redirect(url_for("new_session", org=ids["org"], course=ids["course"]))
            orgs = self._choices(view, "orgs", ids.get("org"))
            courses = self._choices(view, "courses", ids.get("course"))
        return render_template("new.html", orgs=orgs, courses=courses, names=names, unclear=unclear)

    def create(self, org: UUID, course: UUID) -> str | tuple[str, int] | Response:
        given = {name: request.form.get(name, "") for name in ("title", "status", "by")}
        if len(given["title"]) > _TITLE:
            abort(400)

        seen = request.form.get("seen", 0, type=int)

        def act() -> str:
            by = _uuid(given["by"]) if given["by"] else None
            with self.store.open(g.who, "live") as view:
                # two at once, also in two processes, see each other's session
                view.connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{org} {course}"])
                newest = view.rows("newest_session", org=org, course=course)
                if newest and newest[0]["number"] > seen:
                    raise _OvertakenError(newest[0])
                title = given["title"].strip() or None
                row = records.create_session(view.connection, org, course, by, title, given["status"])
            if request.form.get("link") and row["status"] == "active" and view.sees_all:
                self.links.start(row["id"], g.who)
                return url_for("linking", session=row["id"], done="created")
            return url_for("session", session=row["id"], done="created")

        try:
            return self._once(act)
        except _OvertakenError as error:
            return self.new_session(org, course, given, meanwhile=error.session), 409
        except SessiondbError as error:
            if is_away(error):
                raise
            return self.new_session(org, course, given, error), 409

    def new_session(
        self,
        org: UUID,
        course: UUID,
        given: Row | None = None,
        error: SessiondbError | None = None,
        meanwhile: Row | None = None,
    ) -> str:
        with self.store.open(g.who) as view:
            of_org = _named(view.rows("orgs", search=None, id=org, limit=1, skip=0), org)
            of_course = _named(view.rows("courses", id=course, limit=1), course)
            of = {"session": None, "org": org, "course": course}
            unlinked = view.quick_rows("unlinked", seconds=4, people=_PEOPLE, **of)
            siblings = view.rows("siblings", **of)
            newest = view.rows("newest_session", org=org, course=course)
            staff = view.rows("members", org=org, users=None, staff=True, search=None, limit=_CHOICES, skip=0)
            statuses = view.labels("sessions", "status", _STATUSES)
            (required,) = view.rows("required", most=_TITLE)
            sees_all = view.sees_all
        return render_template(
            "new_session.html",
            org=of_org,
            course=of_course,
            would_link=_would_link(unlinked),
            siblings=siblings,
            sees_all=sees_all,
            required=required,
            staff=staff,
            statuses=statuses,
            given=given or {"status": "active", "by": g.who.user},
            error=error,
            meanwhile=meanwhile,
            seen=newest[0]["number"] if newest else 0,
        )

    # its status

    def status(self, session: UUID) -> str:
        to = _text("to") or abort(400)
        with self.store.open(g.who) as view:
            found = _one(view.rows("session", session=session, most=MOST))
            of = {"session": session, "org": found["org_id"], "course": found["course_id"]}
            if to not in view.labels("sessions", "status", _STATUSES):
                abort(400)
            siblings = view.rows("siblings", **of)
            unlinked = view.quick_rows("unlinked", seconds=4, people=_PEOPLE, **of) if to == "active" else []
            sees_all = view.sees_all
        place = next((place for place, row in enumerate(siblings) if row["id"] == session), len(siblings))
        others = [row for row in siblings if row["id"] != session]
        return render_template(
            "status.html",
            s=found,
            to=to,
            newer=siblings[:place],
            others=others,
            sees_all=sees_all,
            would_link=_would_link(unlinked),
        )

    def set_status(self, session: UUID) -> Response:
        def act() -> str:
            with self.store.open(g.who, "live") as view:
                row = records.set_session_status(view.connection, session, request.form.get("to", ""))
            if request.form.get("link") and row["status"] == "active" and view.sees_all:
                self.links.start(session, g.who)
                return url_for("linking", session=session, done="status")
            return url_for("session", session=session, done="status")

        return self._once(act)

    # what is not linked

    def join(self, session: UUID) -> Response:
        users = [_uuid(user) for user in request.form.getlist("user")]
        if len(users) > _PEOPLE:
            abort(400)
        if not users:
            return redirect(url_for("session", session=session, done="choose_one", _anchor="unlinked"), 303)

        def act() -> str:
            with self.store.open(g.who, "live") as view:
                found = _one(view.rows("session", session=session, most=1))
                role = naming.role_of_students(view.connection)
                for user in users:
                    records.add_member(view.connection, found["org_id"], user, role)
            if found["status"] == "active" and view.sees_all:
                self.links.start(session, g.who)
                return url_for("linking", session=session, done="added_links")
            return url_for("session", session=session, done="added")

        return self._once(act)

    def link(self, session: UUID) -> Response:
        def act() -> str:
            with self.store.open(g.who) as view:
                _one(view.rows("session", session=session, most=1))
                if not view.sees_all:
                    raise Denied("partial", session=session)
            self.links.start(session, g.who)
            return url_for("linking", session=session)

        return self._once(act)

    def linking(self, session: UUID) -> str:
        with self.store.open(g.who, "live") as view:
            found = _one(view.rows("session", session=session, most=1))
            progress = self.links.progress(view, session, g.who)
        return render_template("linking.html", s=found, progress=progress, sees_all=view.sees_all)

    # organisations

    def orgs(self) -> str:
        search, page = _text("q"), _page()
        with self.store.open(g.who) as view:
            found = view.rows("orgs", search=search, id=None, limit=PAGE_ROWS + 1, skip=(page - 1) * PAGE_ROWS)
        return render_template(
            "orgs.html", orgs=found[:PAGE_ROWS], more=len(found) > PAGE_ROWS, page=page, searched=search
        )

    def org(self, org: UUID, unclear: UnclearNameError | None = None) -> str:
        search, page = _text("q"), _page()
        with self.store.open(g.who) as view:
            found = _named(view.rows("orgs", search=None, id=org, limit=1, skip=0), org)
            skip = (page - 1) * PAGE_ROWS
            of = {"org": org, "staff": False}
            members = view.rows("members", **of, users=None, search=search, limit=PAGE_ROWS + 1, skip=skip)
            roles = view.labels("org_members", "role", _ROLES)
            candidates = [c.split(None, 1) for c in unclear.candidates if " " in c] if unclear else []
            users = [id_ for id_, _ in candidates]
            already = view.rows("members", **of, users=users, search=None, limit=len(users), skip=0)
        return render_template(
            "org.html",
            org=found,
            members=members[:PAGE_ROWS],
            more=len(members) > PAGE_ROWS,
            page=page,
            searched=search,
            has_names=view.has_names,
            roles=roles,
            asked=request.form.get("user", "").strip(),
            asked_role=request.form.get("role", roles[0] if "student" not in roles else "student"),
            unclear=unclear,
            candidates=candidates,
            already={str(member["user_id"]) for member in already},
        )

    def add(self, org: UUID) -> str | tuple[str, int] | Response:
        name = request.form.get("user", "").strip()
        if not name:
            return redirect(url_for("org", org=org, done="no_name", _anchor="add"), 303)

        def act() -> str:
            with self.store.open(g.who, "live") as view:
                user = naming.find(view.connection, "user", name, lambda _: None)
                role = request.form.get("role") or naming.role_of_students(view.connection)
                row = records.add_member(view.connection, org, user, role)
            return url_for("org", org=org, done="added" if row["created"] else "was_added")

        try:
            return self._once(act)
        except UnclearNameError as error:
            return self.org(org, error), 409

    def set_role(self, org: UUID, user: UUID) -> Response:
        def act() -> str:
            with self.store.open(g.who, "live") as view:
                records.set_member_role(view.connection, org, user, request.form.get("role", ""))
            return url_for("org", org=org, done="role", q=_text("q"), page=_page() if _page() > 1 else None)

        return self._once(act)

    def ask_remove(self, org: UUID, user: UUID) -> str:
        with self.store.open(g.who) as view:
            found = _named(view.rows("orgs", search=None, id=org, limit=1, skip=0), org)
            member = _one(view.rows("members", org=org, users=[user], staff=False, search=None, limit=1, skip=0))
        return render_template("remove.html", org=found, member=member)

    def remove(self, org: UUID, user: UUID) -> Response:
        def act() -> str:
            with self.store.open(g.who, "live") as view:
                records.remove_member(view.connection, org, user)
            return url_for("org", org=org, done="removed")

        return self._once(act)

    @staticmethod
    def _choices(view: View, name: str, chosen: UUID | None) -> list[Row] | None:
        """Return what to choose from, None where that is too much for a list."""
        more = {"search": None, "skip": 0} if name == "orgs" else {}
        found = view.rows(name, id=chosen, limit=_CHOICES + 1, **more)
        return found if len(found) <= _CHOICES else None


def _text(name: str) -> str | None:
    """Return what an address says, without what PostgreSQL cannot hold."""
    return request.args.get(name, "").replace("\0", "").strip()[:200] or None


def _id(name: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(request.args.get(name, ""))
    return None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        abort(400)


def _page() -> int:
    page = request.args.get("page", 1, type=int)
    return min(max(page, 1), 100_000)


def _one(rows: list[Row]) -> Row:
    """Return what was asked for; what is not there and what the visitor may not see is the same."""
    return rows[0] if rows else abort(404)


def _named(rows: list[Row], wanted: UUID) -> Row:
    return _one([row for row in rows if row["id"] == wanted])


def _would_link(unlinked: list[Row] | None) -> int | None:
    """Return how many rows a session would get; None where they could not be counted in time."""
    return None if unlinked is None else unlinked[0]["of_would_link"] if unlinked else 0


def _chart(of_each: Iterable[dict[str, int] | None]) -> list[tuple[datetime.date, int]]:
    """Return the last weeks, by their Mondays, with the sum of what is counted in each."""
    counts: Counter[str] = Counter()
    for weeks in of_each:
        counts.update(weeks or {})
    today = datetime.datetime.now(tz=datetime.UTC).date()
    monday = today - datetime.timedelta(days=today.weekday())
    days = [monday - datetime.timedelta(weeks=back) for back in reversed(range(_WEEKS))]
    return [(day, counts[day.isoformat()]) for day in days]
