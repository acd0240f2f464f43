"""The page /trainer without a browser: who gets in, what is refused, what each button does to the database."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import pytest
from conftest import PlatformDatabase
from flask import Flask
from flask.testing import FlaskClient
from platforms import PLATFORMS
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from test_cli import COMMAND, environment, run
from test_suspended import network
from werkzeug.test import Client, TestResponse

from sessiondb import connection, resources
from sessiondb.cli import cli
from sessiondb.commands import Options, trainer
from sessiondb.connection import Connection
from sessiondb.errors import LockNotObtainedError, SessiondbError
from sessiondb.locks import ADVISORY_KEY
from sessiondb.trainer import create_app, links, store
from sessiondb.trainer.guard import Gate, Once
from sessiondb.trainer.store import View, Who
from sessiondb.trainer.texts import LANGUAGES, TEXTS, Texts

ADA, BRUNO, CHLOE, DMITRI = (f"00000000-0000-4000-8000-0000000000b{n}" for n in (1, 2, 3, 4))
NORD, SUD = (f"00000000-0000-4000-8000-0000000000a{n}" for n in (1, 2))
PYTHON, DATA = (f"00000000-0000-4000-8000-0000000000c{n}" for n in (1, 2))

ON_REFERENCE = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
HOST = "learn.example"
OURS = {"Origin": f"http://{HOST}", "Host": HOST}

EN, FR = Texts("en"), Texts("fr")


class Visitor:
    """A browser that keeps to the rules: it sends the forms that the pages have."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**OURS, **headers})

    def see(self, path: str, **headers: str) -> str:
        """The text of a page, which there is."""
        answer = self.get(path, **headers)
        assert answer.status_code == 200, _text(answer)
        return _text(answer)

    def press(self, path: str, action: str | None = None, **given: Any) -> TestResponse:
        """Send the form of a page with that action; without one, the form whose address is the page's own."""
        form = self.form(path, action)
        return self.send(action or path, **{**form, **given})

    def form(self, path: str, action: str | None = None) -> dict[str, Any]:
        """The hidden fields of that form."""
        page = self.get(path).text
        for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", page, re.DOTALL):
            named = re.search(r'action="([^"]*)"', attributes)
            if 'method="post"' in attributes and (named[1].strip() if named else None) == action:
                return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside))
        raise AssertionError(f"no form {action} on {path}: {_text(self.get(path))}")

    def send(self, path: str, **form: Any) -> TestResponse:
        return self.client.post(path, data=form, headers=OURS)


def _text(answer: TestResponse) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def app_of(database: PlatformDatabase, **given: Any) -> Flask:
    given = {"hosts": [HOST], "who": lambda _: "", "schema": database.platform.schema, **given}
    return create_app(database.conninfo(), **given)


@pytest.fixture
def visitor(installed_db: PlatformDatabase) -> Visitor:
    return Visitor(app_of(installed_db))


# who gets in


@ON_REFERENCE
def test_only_the_token_lets_in_and_it_does_so_once(installed_db: PlatformDatabase) -> None:
    gate = Gate("ticket")
    app = app_of(installed_db, gate=gate, who=None)
    first, second = Visitor(app), Visitor(app)
    assert first.get("/").status_code == 403
    assert first.get("/?token=wrong").status_code == 403
    answer = first.get(f"/?token={gate.token}")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert gate.token not in answer.text + cookie
    assert first.get("/").status_code == 200
    assert first.get(f"/?token={gate.token}").status_code == 303
    assert second.get(f"/?token={gate.token}").status_code == 403


@ON_REFERENCE
def test_the_platforms_login_says_who_asks_and_without_it_there_is_nothing(installed_db: PlatformDatabase) -> None:
    app = app_of(installed_db, who=lambda request: request.headers.get("X-User"))
    visitor = Visitor(app)
    assert visitor.get("/").status_code == 403
    assert visitor.get("/", **{"X-User": ADA}).status_code == 200
    with pytest.raises(TypeError, match="collection"):
        app_of(installed_db, hosts=HOST)
    with pytest.raises(ValueError, match="who="):
        create_app(installed_db.conninfo(), hosts=[HOST])


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_without_a_user_nobody_has_the_rights_of_the_role_that_connects(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    visitor = Visitor(app_of(installed_db, who=lambda _: "", role=new_role))
    answer = visitor.get("/")
    assert answer.status_code == 403
    assert EN("denied_user") in _text(answer)
    with pytest.raises(ValueError, match="needs a user"):
        Who(None, new_role)


@ON_REFERENCE
def test_the_login_may_say_who_asks_as_a_uuid(installed_db: PlatformDatabase) -> None:
    Visitor(app_of(installed_db, who=lambda _: UUID(ADA))).see("/")


@ON_REFERENCE
@pytest.mark.parametrize("host", ["evil.example", f"{HOST}:81", f"{HOST}.evil.example", "127.0.0.1"])
def test_a_name_that_somebody_else_made_lead_to_us_is_not_answered(visitor: Visitor, host: str) -> None:
    for path in ("/", "/static/style.css"):
        assert visitor.get(path, Host=host).status_code == 403


@ON_REFERENCE
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": f"https://{HOST}"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_a_form_that_comes_from_elsewhere_is_refused(
    visitor: Visitor, installed_db: PlatformDatabase, headers: dict[str, str]
) -> None:
    page = f"/new/{NORD}/{DATA}"
    form = visitor.form(page) | {"title": "T", "status": "active", "by": ""}
    assert visitor.client.post(page, data=form, headers={"Host": HOST, **headers}).status_code == 403
    assert _sessions(installed_db) == []
    browsers = {"Host": HOST, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert visitor.client.post(page, data=form, headers=browsers).status_code == 303


@ON_REFERENCE
def test_each_form_has_the_visitors_own_token_and_each_button_needs_it(installed_db: PlatformDatabase) -> None:
    app = app_of(installed_db, who=lambda request: request.headers.get("X-User", ADA))
    visitor = Visitor(app)
    session = visitor.press(f"/new/{NORD}/{DATA}", title="T", status="active", by="").location.partition("?")[0]
    other = visitor.get(f"/orgs/{NORD}", **{"X-User": BRUNO}).text
    token = re.search(r'name="csrf" value="(\w+)"', other)
    assert token
    posts = [rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(posts) == 7
    for rule in posts:
        path = rule.replace("<uuid:session>", session.split("/")[-1]).replace("<uuid:org>", NORD)
        path = path.replace("<uuid:course>", DATA).replace("<uuid:user>", BRUNO)
        for csrf in ("", "é", token[1]):
            answer = visitor.send(
                path, csrf=csrf, key="k", user=DMITRI, role="admin", title="T", status="active", to="draft"
            )
            assert answer.status_code == 403, path
    with installed_db.connect() as connection:
        members = connection.execute("SELECT count(*) FROM org_members WHERE org_id = %s", [NORD]).fetchone()
    assert members == (3,)
    assert [status for _, status in _sessions(installed_db)] == ["active"]


@ON_REFERENCE
def test_every_answer_forbids_what_a_page_does_not_need(visitor: Visitor) -> None:
    for path in ("/", f"/orgs/{NORD}", "/nothing", "/static/page.js"):
        with visitor.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert (headers.get("Cache-Control") == "no-store") == ("static" not in path)


def test_no_template_has_a_script_or_a_style_of_its_own_or_turns_escaping_off() -> None:
    folder = Path(__file__).parents[1] / "src" / "sessiondb" / "trainer"
    for template in (folder / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|autoescape|javascript:", text), template.name
        assert re.findall(r"<script(?! src=\"\{\{ url_for)", text) == [], template.name
        # what is passed on as it is, is written in the template
        assert len(re.findall(r"'[^']*'\|safe", text)) == text.count("|safe")


# the buttons


def _sessions(database: PlatformDatabase) -> list[tuple[str, str]]:
    with database.connect() as connection:
        return connection.execute("SELECT title, status FROM sessions ORDER BY created_at, title").fetchall()


def _wait(visitor: Visitor, path: str) -> str:
    """What the page about the linking says at the end."""
    for _ in range(200):
        text = visitor.see(path)
        if EN("linking_leave") not in text:
            return text
        time.sleep(0.1)
    raise AssertionError(text)


@ON_REFERENCE
def test_a_new_session_says_what_it_shadows_and_links_the_old_rows(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    page = f"/new/{NORD}/{PYTHON}"
    text = visitor.see(page)
    assert EN("would_link", rows=EN("n_rows", n=4), org="Atelier Nord") in text
    answer = visitor.press(page, title=" Autumn ", status="active", by=ADA, link="1")
    assert answer.status_code == 303
    assert answer.location.endswith("/link?done=created")
    assert EN("linked_n", n=4) in _wait(visitor, answer.location)
    today = datetime.now(UTC).date()
    assert EN("shadows", title="Autumn", since=EN("since", day=EN.day(today))) in visitor.see(page)
    assert _sessions(installed_db) == [("Autumn", "active")]
    text = visitor.see(answer.location.replace("/link", ""))
    assert "Bruno Keller bruno@example.org 2 Sep 2024 1 10 Sep 2024" in text
    text = visitor.see("/?lang=en&status=active&q=autu")
    assert "Active" in text
    assert "2 2 11 Sep 2024 0" in text  # students, submissions, the last, not linked


@ON_REFERENCE
def test_what_the_platform_refuses_is_said_and_nothing_of_the_form_is_lost(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    page = f"/new/{NORD}/{DATA}"
    assert visitor.press(page, title="T" * 201, status="active", by="").status_code == 400
    answer = visitor.press(page, title="My title", status="nonsense", by="")
    assert answer.status_code == 409
    assert "My title" in answer.text
    assert 'unknown session status "nonsense"' in _text(answer)
    headers = {**OURS, "Accept-Language": "fr"}
    form = visitor.form(page) | {"title": "T", "status": "nonsense", "by": ""}
    assert FR("wrong_rule") in _text(visitor.client.post(page, data=form, headers=headers))
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE sessions ALTER created_by SET NOT NULL")
    answer = visitor.press(page, title="My title", status="active", by="")
    assert EN("wrong_creator") in _text(answer)
    assert EN("nobody") not in visitor.see(page)
    assert _sessions(installed_db) == []


@ON_REFERENCE
def test_who_is_no_member_is_added_and_linked_by_one_button(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    session = visitor.press(f"/new/{SUD}/{DATA}", title="T", status="active", by="").location.partition("?")[0]
    text = visitor.see(session)
    assert EN("remedy_join", org="Campus Sud") in text
    assert "Dmitri Sokolov dmitri@example.org 1 enrolment and 1 submission" in text
    answer = visitor.press(session, f"{session}/members")
    assert "choose_one" in answer.location
    assert EN("remedy_join_gives", org="Campus Sud") in text
    answer = visitor.press(session, f"{session}/members", user=DMITRI)
    assert EN("done_added_links") in visitor.see(answer.location)
    assert EN("linked_n", n=2) in _wait(visitor, answer.location)
    assert EN("unlinked_none") in visitor.see(session)


@ON_REFERENCE
def test_who_is_added_has_the_role_of_enrolled_members_where_no_role_is_student(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE org_members DROP CONSTRAINT IF EXISTS org_members_role_check")
        connection.execute(
            "UPDATE org_members SET role = CASE role WHEN 'student' THEN 'etudiant' ELSE 'formateur' END"
        )
        connection.execute("ALTER TABLE org_members ADD CHECK (role IN ('formateur', 'etudiant'))")
    session = visitor.press(f"/new/{SUD}/{DATA}", title="T", status="active", by="").location.partition("?")[0]
    visitor.press(session, f"{session}/members", user=DMITRI)
    with installed_db.connect() as connection:
        roles = connection.execute("SELECT role FROM org_members WHERE user_id = %s", [DMITRI]).fetchall()
    assert roles == [("etudiant",)]


@ON_REFERENCE
def test_a_student_is_added_where_the_work_would_go(visitor: Visitor) -> None:
    page = f"/new/{SUD}/{DATA}"
    first = visitor.press(page, title="First", status="draft", by="").location.partition("?")[0]
    assert EN("join_inactive") in visitor.see(first)
    second = visitor.press(page, title="Second", status="active", by="").location.partition("?")[0]
    assert EN("join_elsewhere", title="Second") in visitor.see(first)
    assert EN("remedy_join_gives", org="Campus Sud") in visitor.see(second)


@ON_REFERENCE
def test_of_many_students_some_are_listed_and_all_are_counted(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "WITH u AS (INSERT INTO users (email) SELECT n || '@example.org' FROM generate_series(1, 250) AS n RETURNING id)"
            " INSERT INTO enrollments (user_id, course_id) SELECT id, %s FROM u",
            [DATA],
        )
    text = visitor.see(visitor.press(f"/new/{NORD}/{DATA}", title="T", status="active", by="").location)
    assert EN("and_more", n=151) in text  # Dmitri, too, is in no organisation


@pytest.mark.slow
@ON_REFERENCE
def test_no_date_and_no_name_that_a_student_gives_keeps_the_pages_from_trainers(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    """A date that no timestamptz holds, and a name that would be sorted for longer than a page may take."""
    session = visitor.press(f"/new/{NORD}/{DATA}", title="T", status="active", by="").location
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ALTER submitted_at DROP DEFAULT, ALTER submitted_at TYPE date")
        connection.execute("UPDATE submissions SET submitted_at = '5874897-12-31'")
        connection.execute("UPDATE users SET full_name = repeat('\u00e9', 20000000)")
    for path in ("/", session, f"/orgs/{NORD}"):
        visitor.see(path)


@ON_REFERENCE
def test_a_name_in_an_address_is_looked_up(visitor: Visitor) -> None:
    assert visitor.get("/new?org=atelier-nord&course=Data with SQL").location == f"/new/{NORD}/{DATA}"
    text = visitor.see("/new?org=Atelier Nort&course=zzz")
    assert EN("which_thing", name="Atelier Nort") in text
    assert EN("no_such", name="zzz") in text


@ON_REFERENCE
def test_work_is_grouped_by_what_helps_and_the_button_is_of_that(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    first = visitor.press(f"/new/{NORD}/{PYTHON}", title="First", status="draft", by="").location.partition("?")[0]
    text = visitor.see(first)
    assert EN("remedy_activate_why", org="Atelier Nord") in text
    second = visitor.press(f"/new/{SUD}/{PYTHON}", title="Second", status="active", by="").location.partition("?")[0]
    text = visitor.see(first)
    assert f"Campus Sud , {EN('since', day='')}" in text
    assert EN("remedy_follow_why", title="Second") in text  # Chloe, who is a member of both
    assert EN("remedy_activate_gives", what="1 enrolment and 1 submission", who="1 student") in text  # Bruno
    assert EN("remedy_link_why", org="Campus Sud") in visitor.see(second)
    # the session that is older goes second
    text = visitor.see(f"{first}/status?to=active")
    assert EN("would_link_here", rows=EN("n_rows", n=2), org="Atelier Nord") in text
    form = visitor.form(f"{first}/status?to=active")
    assert EN("linked_n", n=2) in _wait(visitor, visitor.send(f"{first}/status", **form, link="1").location)


@ON_REFERENCE
def test_a_change_of_status_says_before_what_follows(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    old = visitor.press(f"/new/{NORD}/{DATA}", title="Old", status="active", by="").location.partition("?")[0]
    new = visitor.press(f"/new/{NORD}/{DATA}", title="New", status="active", by="").location.partition("?")[0]
    assert EN("status_then", title="Old") in visitor.see(f"{new}/status?to=completed")
    form = visitor.form(f"{new}/status?to=completed")
    assert visitor.send(f"{new}/status", **form).status_code == 303
    assert sorted(_sessions(installed_db)) == [("New", "completed"), ("Old", "active")]
    org = "Atelier Nord"
    assert EN("status_then_none", org=org, course="Data with SQL") in visitor.see(f"{old}/status?to=draft")
    assert EN("status_neither") in visitor.see(f"{new}/status?to=cancelled")
    assert visitor.get(f"{new}/status?to=unknown").status_code == 400
    text = visitor.see(f"{new}/status?to=active")
    assert EN("status_first", org=org, course="Data with SQL") in text
    assert EN("status_shadows", title="Old") in text


@ON_REFERENCE
def test_members_are_added_by_name_changed_and_removed(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    page, add = f"/orgs/{SUD}", f"/orgs/{SUD}/add"

    def members() -> dict[str, str]:
        with installed_db.connect() as connection:
            rows = connection.execute("SELECT user_id::text, role FROM org_members WHERE org_id = %s", [SUD])
            return dict(rows.fetchall())

    assert "added" in visitor.press(page, add, user="bruno@example.org", role="student").location
    assert "was_added" in visitor.press(page, add, user="Bruno Keller", role="trainer").location
    unclear = visitor.press(page, add, user="Dmitri Socolov", role="admin")
    assert unclear.status_code == 409
    assert EN("which", name="Dmitri Socolov") in _text(unclear)
    assert "dmitri@example.org, Dmitri Sokolov" in _text(unclear)
    assert EN("no_such_user", name="zzz") in _text(visitor.press(page, add, user="zzz", role="student"))
    assert members() == {CHLOE: "student", BRUNO: "student"}
    blank = visitor.press(page, add, user=" ", role="student")
    assert EN("no_name") in visitor.see(blank.location.partition("#")[0])
    role = f"{page}/{BRUNO}/role?page=1"
    assert "role" in visitor.press(page, role, role="trainer").location
    assert members()[BRUNO] == "trainer"
    assert EN("remove_ask", name="Bruno Keller", org="Campus Sud") in visitor.see(f"{page}/{BRUNO}/remove")
    form = visitor.form(f"{page}/{BRUNO}/remove")
    assert visitor.send(f"{page}/{BRUNO}/remove", **form).status_code == 303
    assert visitor.send(f"{page}/{BRUNO}/remove", **form).status_code == 303  # pressed twice
    assert members() == {CHLOE: "student"}


@ON_REFERENCE
def test_who_is_searched_for_is_offered_unless_a_member_and_it_is_said_that_there_may_be_more(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO users (email, full_name) SELECT n || '@example.org', 'Manon Petit-' || n FROM generate_series(1, 4) AS n"
        )
    page, add = f"/orgs/{SUD}", f"/orgs/{SUD}/add"
    visitor.press(page, add, user="1@example.org", role="student")

    four = visitor.press(page, add, user="Manon", role="student")
    assert f"1@example.org, Manon Petit-1 ({EN('already')})" in _text(four)
    assert four.text.count(f">{EN('choose_person')}<") == 3
    assert EN("which_more") not in _text(four)
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO users (email, full_name) VALUES ('5@example.org', 'Manon Petit-5')")
    assert EN("which_more") in _text(visitor.press(page, add, user="Manon", role="student"))


@ON_REFERENCE
def test_names_are_sorted_as_people_expect_it(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("UPDATE users SET full_name = 'Élodie' WHERE id = %s", [CHLOE])
        connection.execute("UPDATE users SET full_name = 'zoé' WHERE id = %s", [BRUNO])
    text = visitor.see(f"/orgs/{NORD}")
    assert text.index("Ada ") < text.index("Élodie") < text.index("zoé")


@ON_REFERENCE
def test_the_title_that_is_proposed_is_one_that_the_platform_takes(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE sessions ALTER title TYPE varchar(15)")
    assert 'maxlength="15" value="Session - Data "' in visitor.get(f"/new/{NORD}/{DATA}").text


@ON_REFERENCE
def test_a_session_without_an_end_has_a_beginning(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    session = visitor.press(f"/new/{NORD}/{DATA}", title="T", status="active", by="").location.partition("?")[0]
    for column, text in (("starts_on", EN("from", day="1 Sep 2024")), ("ends_on", "1 Sep 2024 \N{EN DASH} 1 Sep 2024")):
        with installed_db.connect() as connection:
            connection.execute(f"UPDATE sessions SET {column} = '2024-09-01'".encode())
        assert text in visitor.see(session)


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_where_the_label_active_was_renamed_the_pages_show_what_there_is(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as db:
        platform = installed_db.platform
        session = platform.add_session(db, platform.add_org(db), platform.add_course(db))
        db.execute("ALTER TYPE campus.session_status RENAME VALUE 'active' TO 'open'")
    for page in ("/", f"/sessions/{session}"):
        assert "open" in visitor.see(page)


@ON_REFERENCE
def test_a_form_sent_ten_times_at_once_acts_once_and_all_arrive_at_the_same_page(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    page = f"/new/{NORD}/{PYTHON}"
    form = visitor.form(page) | {"title": "T", "status": "active", "by": "", "link": "1"}
    with ThreadPoolExecutor(10) as pool:
        answers = [
            *pool.map(lambda _: visitor.client.application.test_client().post(page, data=form, headers=OURS), range(10))
        ]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert _sessions(installed_db) == [("T", "active")]
    _wait(visitor, answers[0].location)


@ON_REFERENCE
def test_a_form_that_two_processes_get_at_once_acts_in_one_and_the_other_says_so(
    installed_db: PlatformDatabase,
) -> None:
    first, second = (Visitor(app_of(installed_db, secret=b"of both")) for _ in range(2))
    page = f"/new/{NORD}/{PYTHON}"
    form = first.form(page) | {"title": "T", "status": "draft", "by": ""}
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(lambda visitor: visitor.send(page, **form), (first, second))]
    done, told = sorted(answers, key=lambda answer: answer.status_code)
    assert (done.status_code, told.status_code) == (303, 409)
    assert EN("meanwhile", title="T") in _text(told)
    assert _sessions(installed_db) == [("T", "draft")]
    assert second.press(page, title="U", status="draft", by="").status_code == 303


@ON_REFERENCE
def test_two_trainers_may_each_press_every_button_twice(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    """The same form again leads to the same page; another trainer's form of before finds what it asks for done."""
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE TABLE written (what text);"
            " CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO written VALUES (concat_ws(' ', TG_OP, TG_TABLE_NAME)); RETURN NULL; END $$;"
            " CREATE TRIGGER note AFTER INSERT OR DELETE OR UPDATE ON org_members FOR EACH ROW EXECUTE FUNCTION note();"
            " CREATE TRIGGER note AFTER INSERT OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION note()"
        )
    new, org = f"/new/{SUD}/{DATA}", f"/orgs/{SUD}"
    session = visitor.press(new, title="T", status="active", by="").location.partition("?")[0]
    for page, action, given, results, writes in (
        (session, f"{session}/members", {"user": DMITRI}, {"done=added_links"}, ["INSERT org_members"]),
        (
            org,
            f"{org}/add",
            {"user": BRUNO, "role": "student"},
            {"done=added", "done=was_added"},
            ["INSERT org_members"],
        ),
        (org, f"{org}/{BRUNO}/role?page=1", {"role": "trainer"}, {"done=role"}, ["UPDATE org_members"]),
        (f"{org}/{BRUNO}/remove", None, {}, {"done=removed"}, ["DELETE org_members"]),
        (f"{session}/status?to=draft", None, {}, {"done=status"}, ["UPDATE sessions"]),
    ):
        form = visitor.form(page, action)
        with installed_db.connect() as connection:
            connection.execute("TRUNCATE written")
        forms = [{**form, "key": key, **given} for key in ("one", "one", "two", "two")]
        with ThreadPoolExecutor(4) as pool:
            clients = [visitor.client.application.test_client() for _ in forms]
            path = action or page.partition("?")[0]
            answers = [*pool.map(lambda c, f, p=path: c.post(p, data=f, headers=OURS), clients, forms)]
        places = [answer.location for answer in answers if answer.status_code == 303]
        assert places[0] == places[1]
        assert {place.partition("?")[2].partition("&")[0] for place in places} <= results
        # another trainer has removed the member already
        assert [EN("wrong_gone") in _text(a) for a in answers if a.status_code != 303] in ([], [True, True])
        with installed_db.connect() as connection:
            written = [
                what for (what,) in connection.execute("SELECT DISTINCT what FROM written ORDER BY 1").fetchall()
            ]
        assert written == writes


@ON_REFERENCE
def test_a_key_is_good_for_the_same_form_of_the_same_visitor_only(installed_db: PlatformDatabase) -> None:
    app = app_of(installed_db, who=lambda request: request.headers.get("X-User", ADA))
    visitor, page = Visitor(app), f"/orgs/{NORD}"
    key = {"key": "the same"}
    assert "=added" in visitor.press(page, f"{page}/add", user=DMITRI, role="student", **key).location
    assert "=role" in visitor.press(page, f"{page}/{DMITRI}/role?page=1", role="trainer", **key).location
    assert "=role" in visitor.press(page, f"{page}/{DMITRI}/role?page=1", role="admin", **key).location
    visitor.client.environ_base["HTTP_X_USER"] = BRUNO
    assert "was_added" in visitor.press(page, f"{page}/add", user=DMITRI, role="student", **key).location
    with installed_db.connect() as connection:
        role = connection.execute("SELECT role FROM org_members WHERE user_id = %s", [DMITRI]).fetchone()
    assert role == ("admin",)


@ON_REFERENCE
def test_a_button_that_takes_too_long_is_said(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    form = visitor.form(f"/new/{NORD}/{DATA}") | {"title": "T", "status": "active", "by": ""}

    def too_long(*_: object) -> str:
        raise TimeoutError

    monkeypatch.setattr(Once, "do", too_long)
    answer = visitor.send(f"/new/{NORD}/{DATA}", **form)
    assert (answer.status_code, EN("slow") in answer.text) == (504, True)


def test_what_failed_may_be_pressed_again() -> None:
    once, tries = Once(), iter([OSError("no"), None])

    def act() -> str:
        if error := next(tries):
            raise error
        return "there"

    with pytest.raises(OSError, match="no"):
        once.do("key", act)
    assert once.do("key", act) == "there"
    assert once.do("key", act) == "there"


# what is there, and what goes wrong


@pytest.mark.parametrize("path", ["/", "/new", "/orgs"])
def test_the_pages_work_on_every_platform(visitor: Visitor, path: str) -> None:
    visitor.see(path)


def test_a_session_is_opened_and_linked_on_every_platform(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        student = platform.add_member(connection, org, platform.add_user(connection))
        platform.enroll(connection, student, course)
        platform.submit(connection, student, course)
    page = f"/new/{org}/{course}"
    assert EN("n_rows", n=2) in visitor.see(page)
    answer = visitor.press(page, title='50 % "é"', status="active", by=str(student), link="1")
    assert EN("linked_n", n=2) in _wait(visitor, answer.location)
    text = visitor.see(answer.location.replace("/link", ""))
    assert "example.org" in text or str(student) in text
    assert EN("chart_session", n=1) in text
    assert "1 1" in visitor.see("/?q=50 % %22é")


@ON_REFERENCE
def test_a_platform_that_keeps_no_times_and_no_titles_has_its_pages_all_the_same(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    session = visitor.press(f"/new/{NORD}/{PYTHON}", title="T", status="active", by="").location.partition("?")[0]
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DROP submitted_at; ALTER TABLE enrollments DROP enrolled_at")
        connection.execute(
            "ALTER TABLE sessions DROP title; ALTER TABLE courses DROP title; ALTER TABLE orgs DROP name"
        )
    assert EN("chart") not in visitor.see("/") + visitor.see(session)
    assert EN("unnamed") in visitor.see("/")
    assert "atelier-nord" in visitor.see(f"/orgs/{NORD}")


@ON_REFERENCE
@pytest.mark.parametrize(
    "path",
    [f"/sessions/{NORD}", f"/orgs/{ADA}", f"/new/{NORD}/{NORD}", f"/sessions/{NORD}/link", "/sessions/x", "/..%2f"],
)
def test_what_is_not_there_is_said_so(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert EN("missing") in _text(answer)


@ON_REFERENCE
@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=99999999999",
        "org=x",
        "q=%00",
        "q=%25s%27",
        "lang=xx",
        "status=%F0%9F%92%A9",
        "endpoint=x&_method=POST",
    ],
)
def test_an_address_that_somebody_edited_shows_something(visitor: Visitor, query: str) -> None:
    visitor.see(f"/?{query}")


@ON_REFERENCE
def test_a_database_that_is_gone_is_said_and_comes_back(visitor: Visitor, installed_db: PlatformDatabase) -> None:
    form = visitor.form(f"/new/{NORD}/{DATA}") | {"title": "T", "status": "active", "by": ""}
    name = installed_db.name
    installed_db.cluster.execute("ALTER DATABASE {} RENAME TO {}", name, f"{name}_away")
    try:
        answer = visitor.get("/")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert EN("lost_why") in _text(answer)
        assert 'http-equiv="refresh"' in answer.text
        mounted = visitor.client.get("/orgs?q=x", headers=OURS, environ_overrides={"SCRIPT_NAME": "/trainer"})
        assert 'href="/trainer/orgs?q=x"' in mounted.text
        posted = visitor.send(f"/new/{NORD}/{DATA}", **form)
        assert posted.status_code == 503
        assert EN("lost_posted") in _text(posted)
    finally:
        installed_db.cluster.execute("ALTER DATABASE {} RENAME TO {}", f"{name}_away", name)
    assert visitor.send(f"/new/{NORD}/{DATA}", **form).status_code == 303


@ON_REFERENCE
def test_a_database_that_is_silent_is_said_in_seconds(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_SILENCE", 1)
    monkeypatch.setitem(store._PATIENCE, "connect_timeout", 2)
    with network(installed_db) as (behind, cut):
        visitor, rows = Visitor(app_of(behind)), View.rows

        def silent(*given: Any, **arguments: Any) -> Any:
            cut.set()
            return rows(*given, **arguments)

        monkeypatch.setattr(View, "rows", silent)
        for _ in ("in the middle of a page", "from the beginning"):
            began = time.monotonic()
            answer = visitor.get("/")
            assert (answer.status_code, EN("lost") in _text(answer)) == (503, True)
            assert time.monotonic() - began < 4
        monkeypatch.undo()
        cut.clear()
        visitor.see("/")


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_where_sessiondb_is_not_installed_the_page_says_so(platform_db: PlatformDatabase) -> None:
    answer = Visitor(app_of(platform_db)).get("/")
    assert answer.status_code == 409
    assert "sessiondb is not installed" in _text(answer)


@ON_REFERENCE
def test_nothing_of_a_rival_is_read_and_no_column_is_taken_for_a_function(
    new_role: str, visitor: Visitor, installed_db: PlatformDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE sessions RENAME status TO state")
        assert "status" in _text(visitor.get("/"))
        assert visitor.get("/").status_code == 409
        connection.execute("ALTER TABLE sessions RENAME state TO status")
        visitor.see("/")
        connection.execute(sql.SQL("ALTER TABLE sessiondb.installation OWNER TO {}").format(sql.Identifier(new_role)))
        answer = visitor.get("/")
        connection.execute("ALTER TABLE sessiondb.installation OWNER TO CURRENT_USER")
    assert answer.status_code == 409
    assert (new_role in _text(answer), new_role in caplog.text) == (False, True)


@ON_REFERENCE
def test_a_rivals_function_or_operator_in_the_platforms_schema_is_not_run(
    new_role: str, visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    session = visitor.press(f"/new/{NORD}/{PYTHON}", title="T", status="draft", by="").location.partition("?")[0]
    with installed_db.connect() as connection:
        connection.execute(sql.SQL(RIVAL).format(role=sql.Identifier(new_role)))
    for path in (
        "/",
        session,
        f"{session}/status?to=active",
        f"{session}/link",
        f"/new/{NORD}/{PYTHON}",
        f"/orgs/{NORD}",
    ):
        visitor.see(path)


@ON_REFERENCE
def test_no_cast_of_a_type_of_another_role_with_the_name_of_one_of_postgresql_is_run(
    new_role: str, visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    session = visitor.press(f"/new/{NORD}/{PYTHON}", title="T", status="draft", by="").location.partition("?")[0]
    with installed_db.connect() as connection:
        connection.execute(
            f"""
            CREATE SCHEMA h AUTHORIZATION {new_role}; GRANT USAGE ON SCHEMA h TO PUBLIC; SET ROLE {new_role};
            CREATE TYPE h.timestamptz AS ENUM ('x');
            CREATE FUNCTION h.cast(h.timestamptz) RETURNS pg_catalog.timestamptz LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$;
            CREATE CAST (h.timestamptz AS pg_catalog.timestamptz) WITH FUNCTION h.cast(h.timestamptz);
            RESET ROLE;
            ALTER TABLE sessions DROP COLUMN starts_on;
            ALTER TABLE sessions ADD COLUMN starts_on h.timestamptz DEFAULT 'x'
            """.encode()
        )
    for path in ("/", session):
        answer = visitor.get(path)
        assert (answer.status_code, "Type h.timestamptz of column starts_on" in _text(answer)) == (409, True)


RIVAL = """
    GRANT CREATE ON SCHEMA public TO {role};
    SET ROLE {role};
    CREATE FUNCTION public.format(text, text, text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$;
    CREATE FUNCTION public.is_equal(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$;
    CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = public.is_equal);
    RESET ROLE;
"""


@ON_REFERENCE
def test_only_queries_that_qualify_each_name_run_under_the_platforms_search_path(
    visitor: Visitor, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[str, bool] = {}
    query, path = resources.query, connection.platform_path

    def noted(name: str, *arguments: str) -> str:
        sent[name] = False
        return query(name, *arguments)

    @contextmanager
    def under_the_platforms(connection: Connection) -> Iterator[None]:
        sent[[*sent][-1]] = True
        with path(connection):
            yield

    monkeypatch.setattr(resources, "query", noted)
    monkeypatch.setattr(store, "platform_path", under_the_platforms)
    visitor.press(f"/new/{NORD}/{PYTHON}", title="T", status="draft", by="")
    session = visitor.get("/").text.partition('href="/sessions/')[2].partition('"')[0]
    sent.clear()
    visitor.see(f"/sessions/{session}")
    of_page = {name: is_platforms for name, is_platforms in sent.items() if name.startswith("trainer/")}
    assert {"trainer/is_linking", "trainer/progress", "trainer/session", "trainer/unlinked"} <= {*of_page}
    for name, is_platforms in of_page.items():
        assert is_platforms == ("platform." in query(name)), name


@ON_REFERENCE
def test_the_linking_can_be_left_and_a_second_trainer_does_no_harm(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    """While somebody keeps the table locked, both wait; then both have what they asked for."""
    first = visitor.press(f"/new/{NORD}/{PYTHON}", title="A", status="active", by="").location.partition("?")[0]
    with installed_db.connect(autocommit=False) as other:
        other.execute("LOCK TABLE enrollments IN SHARE MODE")
        linking = visitor.press(first, f"{first}/link").location
        assert EN("linking_leave") in visitor.see(linking)
        other_tab = Visitor(visitor.client.application)
        assert other_tab.press(first, f"{first}/link").location == linking
        assert EN("linking_leave") in other_tab.see(linking)
        visitor.see("/")
        other.rollback()
    assert EN("linked_n", n=4) in _wait(other_tab, linking)


@ON_REFERENCE
def test_one_thread_links_one_session_after_the_other_and_the_rest_see_their_place(
    visitor: Visitor, installed_db: PlatformDatabase
) -> None:
    made = [
        visitor.press(f"/new/{NORD}/{course}", title=course, status="active", by="").location.partition("?")[0]
        for course in (PYTHON, DATA)
    ]
    threads = threading.active_count()
    with installed_db.connect(autocommit=False) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        addresses = [visitor.press(page, f"{page}/link").location for page in made[:1]]
        addresses.append(visitor.send(f"{made[1]}/link", **visitor.form(made[0], f"{made[0]}/link")).location)
        assert threading.active_count() == threads + 1
        assert EN("linking_before", n=1) in visitor.see(addresses[1])
        assert "pid" not in visitor.see(addresses[0])
    assert EN("linked_n", n=4) in _wait(visitor, addresses[0])
    assert EN("linked_n", n=0) not in _wait(visitor, addresses[1])  # nothing was left for it


@ON_REFERENCE
def test_what_stopped_a_linking_does_not_name_who_was_in_the_way(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise LockNotObtainedError("another run is working: pid 1, role boss, client 10.0.0.1", "Wait.")

    monkeypatch.setattr(links, "backfill", stopped)
    session = visitor.press(f"/new/{NORD}/{PYTHON}", title="T", status="active", by="").location.partition("?")[0]
    text = _wait(visitor, visitor.press(session, f"{session}/link").location)
    assert EN("state_failed") in text
    assert "boss" not in text


# rights

RIGHTS = """
    CREATE POLICY page_orgs ON orgs TO {role} USING (id IN (SELECT page_orgs()));
    CREATE POLICY page_members ON org_members TO {role} USING (org_id IN (SELECT page_orgs()));
    CREATE POLICY page_sessions ON sessions TO {role} USING (org_id IN (SELECT page_orgs()));
    CREATE POLICY page_courses ON courses TO {role} USING (true);
    CREATE POLICY page_modules ON modules TO {role} USING (true);
    CREATE POLICY page_items ON items TO {role} USING (true);
    CREATE POLICY page_enrollments ON enrollments TO {role} USING (true);
    CREATE POLICY page_submissions ON submissions TO {role} USING (true);
    GRANT USAGE ON SCHEMA sessiondb, auth TO {role};
    GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO {role};
    GRANT EXECUTE ON ALL ROUTINES IN SCHEMA sessiondb TO {role};
    GRANT SELECT ON orgs, courses, modules, items, enrollments, submissions TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON org_members, sessions TO {role};
"""
WHOSE = """
    CREATE FUNCTION page_orgs() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT org_id FROM org_members WHERE user_id = auth.uid() AND role IN ('trainer', 'admin') $$
"""


@pytest.fixture
def visiting_role(new_role: str, installed_db: PlatformDatabase) -> str:
    """A role that sees of a hosted backend what its policies show the user who asks."""
    with installed_db.connect() as connection:
        connection.execute(WHOSE)
        connection.execute(sql.SQL(RIGHTS).format(role=sql.Identifier(new_role)))
    return new_role


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_trainer_of_a_hosted_backend_sees_only_the_organisations_that_its_policies_show(
    visiting_role: str, installed_db: PlatformDatabase
) -> None:
    visitor = Visitor(app_of(installed_db, who=lambda request: request.headers.get("X-User"), role=visiting_role))
    visitor.client.environ_base["HTTP_X_USER"] = ADA
    text = visitor.see("/")
    assert "Autumn 2024" in text
    assert "Spring 2024" not in text
    assert "Atelier Nord" in text
    assert "Campus Sud" not in text
    spring = "/sessions/00000000-0000-4000-8000-0000000000f2"
    assert visitor.get(spring).status_code == 404
    assert visitor.get(f"{spring}/link").status_code == 404
    assert visitor.get(f"/orgs/{SUD}").status_code == 404
    form = visitor.form(f"/orgs/{NORD}", f"/orgs/{NORD}/add") | {"user": DMITRI, "role": "student"}
    assert visitor.send(f"/orgs/{SUD}/add", **form).status_code in (403, 409)
    assert visitor.send(f"/orgs/{NORD}/add", **form).status_code == 303
    for rule in (rule for rule in visitor.client.application.url_map.iter_rules() if "POST" in (rule.methods or ())):
        path = rule.rule.replace("<uuid:session>", spring.rpartition("/")[2]).replace("<uuid:org>", SUD)
        path = path.replace("<uuid:course>", PYTHON).replace("<uuid:user>", CHLOE)
        given = {**form, "key": rule.rule, "to": "draft", "title": "T", "status": "draft", "by": ADA}
        assert visitor.send(path, **given).status_code in (403, 404, 409), path
    visitor.client.environ_base["HTTP_X_USER"] = BRUNO  # a student
    assert EN("overview_none") in visitor.see("/")
    visitor.client.environ_base["HTTP_X_USER"] = "'; RESET ROLE; --"
    assert visitor.get("/").status_code in (403, 409)
    with installed_db.connect() as connection:
        rows = connection.execute("SELECT org_id::text FROM org_members WHERE user_id = %s", [DMITRI]).fetchall()
    assert rows == [(NORD,)]


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_who_sees_a_part_of_the_sessions_links_nothing_old(visiting_role: str, installed_db: PlatformDatabase) -> None:
    """Chloe is a member of both organisations, and the newer session is one that Ada does not see."""
    autumn, spring = (f"00000000-0000-4000-8000-0000000000f{n}" for n in (1, 2))
    with installed_db.connect() as connection:
        grant: LiteralString = "GRANT UPDATE ON enrollments, submissions, sessiondb.backfill_progress TO {}"
        connection.execute(sql.SQL(grant).format(sql.Identifier(visiting_role)))
        connection.execute("UPDATE sessions SET created_at = now() + '1 day' WHERE id = %s", [spring])
        for table in ("enrollments", "submissions"):
            statement: LiteralString = "ALTER TABLE {0} DISABLE TRIGGER USER; UPDATE {0} SET session_id = NULL"
            connection.execute(sql.SQL(statement).format(sql.Identifier(table)))
        visitor = Visitor(app_of(installed_db, who=lambda _: ADA, role=visiting_role))
        page = f"/sessions/{autumn}"
        text = visitor.see(page)
        assert EN("partial", session=autumn) in text
        assert EN("remedy_link") not in text
        with pytest.raises(AssertionError, match="no form"):
            visitor.form(page, f"{page}/link")
        form = visitor.form(f"/orgs/{NORD}", f"/orgs/{NORD}/add")
        answer = visitor.send(f"{page}/link", **form)
        assert (answer.status_code, EN("partial", session=autumn) in _text(answer)) == (403, True)
        assert EN("partial_link_why", org="Atelier Nord") in text
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(visiting_role)))
        with pytest.raises(errors.InsufficientPrivilege, match="hides sessions, members or enrolments"):
            connection.execute("CALL sessiondb.begin_backfill(NULL)")
        connection.execute("RESET ROLE")
        as_role = make_conninfo(installed_db.conninfo(), options=f"-crole={visiting_role}")
        refused = run("-d", as_role, "backfill")
        assert (refused.code, "hides sessions, members or enrolments" in refused.err) == (1, True), refused.err
        linked = connection.execute("SELECT count(session_id) FROM enrollments").fetchone()
    assert linked == (0,)


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_the_command_acts_as_a_user(visiting_role: str, installed_db: PlatformDatabase) -> None:
    acting = ("--as", ADA, "--as-role", visiting_role)
    with started("-d", installed_db.conninfo(), "trainer", "--no-browser", *acting) as (_, line):
        address = line.split()[-1]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        browser.open(address).close()
        with browser.open(address.partition("?")[0]) as answer:
            page = answer.read().decode()
    assert "Autumn 2024" in page
    assert "Spring 2024" not in page
    done = run("-d", installed_db.conninfo(), "trainer", "--as-role", visiting_role)
    assert (done.code, "--as names" in done.err) == (2, True), done.err
    # authenticated is there, but may not do all this
    done = run("-d", installed_db.conninfo(visiting_role), "trainer", "--no-browser", "--as", ADA)
    assert (done.code, 'permission denied to set role "authenticated"' in done.err) == (1, True), done.err


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_page_runs_no_policy_under_a_search_path_with_a_schema_of_another_role(
    visiting_role: str, installed_db: PlatformDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """One that has the name of the role that the page becomes, which is then the first."""
    visitor = Visitor(app_of(installed_db, who=lambda _: ADA, role=visiting_role))
    assert visitor.get("/").status_code == 200
    with installed_db.connect() as connection:
        name = sql.Identifier(visiting_role)
        connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION anon").format(name))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO PUBLIC").format(name))

    answer = visitor.get("/")

    assert answer.status_code == 409
    assert f"Schema {visiting_role} of role anon is in the search_path" in caplog.text
    assert visiting_role not in _text(answer)


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_the_users_of_a_hosted_backend_have_the_names_of_their_profiles(
    visiting_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute("UPDATE profiles SET full_name = NULL WHERE id = %s", [CHLOE])
        policy: LiteralString = (
            "GRANT SELECT ON profiles TO {0}; CREATE POLICY names ON profiles FOR SELECT TO {0} USING (true)"
        )
        connection.execute(sql.SQL(policy).format(sql.Identifier(visiting_role)))
    visitor = Visitor(app_of(installed_db, who=lambda _: ADA, role=visiting_role))
    text = visitor.see(f"/orgs/{NORD}")
    assert "Ada" in text
    assert CHLOE in text  # who has no name
    page = f"/orgs/{NORD}"
    assert "was_added" in visitor.press(page, f"{page}/add", user="Bruno Keller", role="student").location
    assert "ada@example.org" in Visitor(app_of(installed_db)).see(page)  # who may read the e-mails sees those
    with installed_db.connect() as connection:
        grant: LiteralString = "REVOKE SELECT ON profiles FROM {}"
        connection.execute(sql.SQL(grant).format(sql.Identifier(visiting_role)))
    assert EN("user_hint_id") in visitor.see(page)


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_role_without_rights_is_told_so(new_role: str, installed_db: PlatformDatabase) -> None:
    answer = Visitor(app_of(installed_db, who=lambda _: ADA, role=new_role)).get("/")
    assert answer.status_code == 403
    assert "permission denied" in _text(answer)


# the languages


def test_every_text_is_in_both_languages_with_the_same_values() -> None:
    for key, both in TEXTS.items():
        english, french = ({*re.findall(r"\{(\w+)\}", text)} for text in both)
        assert english == french, key
        assert both[0].count("|") == both[1].count("|"), key


def test_every_text_is_used_and_every_used_one_is_there() -> None:
    folder = Path(__file__).parents[1] / "src" / "sessiondb" / "trainer"
    files = [*folder.glob("templates/*.html"), folder / "app.py", folder / "pages.py", folder / "texts.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = text.replace(
        (folder / "texts.py").read_text(encoding="utf-8").partition("TEXTS")[2].partition("\n}\n")[0], ""
    )
    made = ("status_", "role_", "done_", "state_", "remedy_", "partial_")
    unused = [key for key in TEXTS if f"'{key}'" not in text and f'"{key}"' not in text and not key.startswith(made)]
    assert unused == []
    asked = {*re.findall(r"\bt\('(\w+)'", text), *re.findall(r'\bg\.t\("(\w+)"', text)}
    assert asked - {*TEXTS} - {prefix for prefix in asked if prefix in made} == set()


def test_every_error_is_said_in_the_language_and_then_quoted() -> None:
    for state, key in {
        "22003": "wrong_value",
        "23502": "wrong_column",
        "40P01": "wrong_busy",
        "42P01": "wrong_shape",
        "53100": "wrong_full",
        "55000": "wrong_shape",
        "XX001": "wrong_fault",
        "P0001": "wrong_rule",
        "AB123": "wrong_rule",
        None: "wrong_setup",
    }.items():
        error = SessiondbError("no such thing")
        if state:
            error.__cause__ = type("Raised", (errors.DatabaseError,), {"sqlstate": state})()
        for t, quoted in ((EN, "says: “no such thing”"), (FR, "indique\u00a0: «\u00a0no such thing\u00a0»")):
            said, words = t.wrong(error)
            assert (said, words.endswith(quoted)) == (t(key), True)


@pytest.mark.parametrize(
    ("wanted", "accepted", "chosen"),
    [
        (None, "", "en"),
        (None, "de, fr-CH;q=0.8, en;q=0.9", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (None, "*;q=oops,,;;fr", "en"),
        (None, "fr;q=0, de", "en"),
        ("fr", "en", "fr"),
        ("xx", "fr", "fr"),
    ],
)
def test_the_language_is_the_browsers_unless_one_was_chosen(wanted: str | None, accepted: str, chosen: str) -> None:
    page = (
        create_app("", hosts=[], who=lambda _: None)
        .test_client()
        .get("/", query_string={"lang": wanted} if wanted else {}, headers={"Accept-Language": accepted})
    )
    assert f'<html lang="{chosen}"' in page.text


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    assert [Texts(lang)("n_students", n=12_345) for lang in LANGUAGES] == ["12,345 students", "12\u202f345 étudiants"]
    assert [Texts(lang)("n_students", n=0) for lang in LANGUAGES] == ["0 students", "0 étudiant"]
    assert [Texts(lang).day(date(2026, 2, 3)) for lang in LANGUAGES] == ["3 Feb 2026", "3 févr. 2026"]
    assert Texts("en").day("infinity") == "infinity"
    assert Texts("en").day(datetime.max.replace(tzinfo=UTC)) == "31 Dec 9999"
    assert Texts("fr")("remedy_join", org="Atelier Nord") == "Pas membre d'Atelier Nord"
    assert Texts("fr")("remedy_join", org="Campus Sud") == "Pas membre de Campus Sud"
    assert Texts("fr")("remedy_follow_do", title="?") == "Ouvrir «\u00a0?\u00a0»"


# the command, and what docs/trainer.md says

DOCS = (Path(__file__).parents[1] / "docs" / "trainer.md").read_text(encoding="utf-8")


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the first line that it prints."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@ON_REFERENCE
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_address_serves_and_ends_when_it_is_told_to(
    installed_db: PlatformDatabase, ending: signal.Signals
) -> None:
    with started("-d", installed_db.conninfo(), "trainer", "--no-browser") as (process, line):
        address = line.split()[-1]
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200
            path = urllib.parse.urlsplit(address).path.rstrip("/")
            assert re.fullmatch(r"/trainer/[\w-]{16}", path)
            assert f"Path={path};" in answer.headers["Set-Cookie"]
        root, _, _ = address.partition("trainer/")
        for place, code in ((root, 404), (f"{root}trainer/", 404), (f"{root[:-1]}{path}/", 403)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(place)
            refused.value.close()
            assert refused.value.code == code
        process.send_signal(ending)
        assert process.wait(20) == 0


def test_the_browser_is_given_a_file_that_others_cannot_read() -> None:
    with trainer._forwarding("http://127.0.0.1:1/trainer/x/?token=y") as address:
        page = Path(urllib.parse.urlsplit(address).path)
        assert "token" not in address
        assert "url=http://127.0.0.1:1/trainer/x/?token=y" in page.read_text("utf-8")
        assert page.parent.stat().st_mode & 0o077 == 0
    assert not page.exists()


@ON_REFERENCE
def test_a_port_that_is_taken_and_a_database_that_is_not_there_are_said(installed_db: PlatformDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("-d", installed_db.conninfo(), "trainer", "--no-browser", "--port", port)
    assert (done.code, f"port {port} is taken" in done.err) == (1, True), done.err
    done = run("-d", "postgresql://nobody@127.0.0.1:1/x", "trainer", "--no-browser")
    assert (done.code, "cannot connect" in done.err) == (1, True), done.err


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    monkeypatch.delitem(sys.modules, "sessiondb.trainer.serve", raising=False)
    with pytest.raises(SessiondbError, match="package waitress") as raised:
        cli.main(["trainer", "--no-browser"], standalone_mode=False, obj=Options())
    assert "pip install flask waitress" in str(raised.value.hint)


@ON_REFERENCE
def test_the_grants_of_the_documentation_are_enough_for_every_button(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    (grants,) = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)
    with installed_db.connect() as connection:
        connection.execute(grants.replace("trainer_page", new_role).encode())
    visitor = Visitor(create_app(installed_db.conninfo(new_role), hosts=[HOST], who=lambda _: ""))
    for path in ("/", "/new", "/orgs"):
        visitor.see(path)
    answer = visitor.press(f"/new/{SUD}/{DATA}", title="T", status="draft", by=ADA)
    session = answer.location.partition("?")[0]
    form = visitor.form(f"{session}/status?to=active")
    assert visitor.send(f"{session}/status", **form).status_code == 303
    answer = visitor.press(session, f"{session}/members", user=DMITRI)
    assert EN("linked_n", n=2) in _wait(visitor, answer.location)
    role = f"/orgs/{SUD}/{DMITRI}/role?page=1"
    assert visitor.press(f"/orgs/{SUD}", role, role="trainer").status_code == 303
    form = visitor.form(f"/orgs/{SUD}/{DMITRI}/remove")
    assert visitor.send(f"/orgs/{SUD}/{DMITRI}/remove", **form).status_code == 303


@ON_REFERENCE
def test_the_example_of_the_documentation_lets_in_who_has_logged_in(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    monkeypatch.setenv("DATABASE_URL", installed_db.conninfo())
    monkeypatch.setenv("SECRET_KEY", "a secret")
    names: dict[str, Any] = {"__name__": "wsgi"}
    exec(compile(example, "wsgi.py", "exec"), names)
    browser = Client(names["application"])
    with browser.get("/trainer/", base_url="http://learn.example") as answer:
        assert answer.status_code == 403
    with browser.get(f"/login/{ADA}", base_url="http://learn.example", follow_redirects=True) as answer:
        assert answer.status_code == 200
        assert 'href="/trainer/new"' in answer.get_data(as_text=True)
