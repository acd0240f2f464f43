"""Why a row is in its session or in none: told to people, and never other than what trigger and backfill do."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest
from conftest import PlatformDatabase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Oracle, Row, Session
from platforms import PLATFORMS, EnrolledPlatform, Platform
from psycopg import sql
from test_backfill import (
    AUTUMN,
    SPRING,
    TABLES,
    add_old_rows,
    add_users,
    backfill,
    call,
    clear,
    insert_many,
    on,
    rows,
    unnoticed,
)
from test_properties import PROFILE

from sessiondb import ledger, resources
from sessiondb.connection import Connection
from sessiondb.output import without_ids

REASONS = (
    "already_linked",
    "course_unknown",
    "linked",
    "no_membership",
    "no_session_for_course",
    "no_active_session",
    "session_in_other_org",
)
STEPS = ("row", "enrollments", "submissions", "user", "course", "memberships", "sessions", "choice")

WITHOUT_ID = {"academy": ("submissions",), "partitioned": ("enrollments",)}
"""Platforms of which a table has no column id."""


@dataclass(frozen=True)
class Case:
    """A student in a course, with an old enrolment and an old submission."""

    user: UUID
    course: UUID
    reason: str
    session: UUID | None = None


@dataclass(frozen=True)
class Scene:
    """A case for each reason."""

    cases: Mapping[str, Case]
    north: UUID
    south: UUID
    autumn: UUID


def scene(platform: Platform, connection: Connection) -> Scene:
    clear(platform, connection)
    north, south, empty = (platform.add_org(connection) for _ in range(3))
    course, quiet, bare = (platform.add_course(connection) for _ in range(3))
    for org in (north, south, empty):
        platform.add_member(connection, org, platform.add_user(connection), "trainer")
    platform.add_session(connection, north, course, "draft", created_at=SPRING)
    autumn = platform.add_session(connection, north, course, created_at=AUTUMN)
    platform.add_session(connection, south, quiet, "completed")
    cases = []
    for orgs, where, reason, session in (
        ([north], course, "linked", autumn),
        ([], course, "no_membership", None),
        ([north], bare, "no_session_for_course", None),
        ([south], quiet, "no_active_session", None),
        ([empty], course, "session_in_other_org", None),
    ):
        (user,) = add_users(platform, connection, 1, *orgs)
        add_old_rows(platform, connection, [(user, where)])
        cases.append(Case(user, where, reason, session))
    (user,) = add_users(platform, connection, 1, north)
    platform.enroll(connection, user, course)
    platform.submit(connection, user, course)
    cases.append(Case(user, course, "already_linked", autumn))
    return Scene({case.reason: case for case in cases}, north, south, autumn)


def explain(db: PlatformDatabase, *arguments: str, user: str | None = None) -> dict[str, Any]:
    """What is answered, which must be of the shape that scripts rely on."""
    run = call(db, "explain", "--format", "json", *arguments, user=user)
    assert (run.code, run.err) == (0, "")
    document: dict[str, Any] = run.json
    assert {*document} == {"session_id", "reason", "verdict", "steps", "fix", "fixes"}
    assert document["verdict"].endswith(".")
    assert [{*fix} for fix in document["fixes"]] == [{"what", "command", "then"}] * len(document["fixes"])
    first = document["fixes"][0] if document["fixes"] else {}
    assert document["fix"] == (first.get("command") or first.get("what"))
    assert document["reason"] in REASONS
    for step in document["steps"]:
        assert {*step} == {"step", "ok", "detail"}
        assert (step["step"] in STEPS, type(step["ok"]), type(step["detail"])) == (True, bool, str)
        assert step["detail"].endswith(".")
    assert [step["step"] for step in document["steps"][-1:]] == ["choice"]
    return document


def about(case: Case) -> list[str]:
    return ["--user", str(case.user), "--course", str(case.course)]


def row_id(db: PlatformDatabase, table: str, user: UUID) -> str:
    with db.connect() as connection:
        query = sql.SQL("SELECT id FROM {} WHERE user_id = {}")
        found = connection.execute(
            query.format(sql.Identifier(db.platform.schema, table), sql.Literal(user))
        ).fetchone()
    assert found
    return str(found[0])


def ask(db: PlatformDatabase, case: Case) -> dict[str, dict[str, Any]]:
    """The answers to the three questions; of rows only where the platform's rows have an id."""
    questions = {"pair": about(case)}
    for table, option in zip(TABLES, ("--enrollment", "--submission"), strict=True):
        if table not in WITHOUT_ID.get(db.platform.name, ()):
            questions[table] = [option, row_id(db, table, case.user)]
    return {name: explain(db, *question) for name, question in questions.items()}


def details(document: dict[str, Any], name: str) -> list[tuple[bool, str]]:
    return [(step["ok"], step["detail"]) for step in document["steps"] if step["step"] == name]


def carry_out(db: PlatformDatabase, fix: str) -> None:
    """Do as the fix says, as a user would who copies it into a shell, or into psql."""
    if not fix.startswith("sessiondb "):
        with db.connect() as connection:
            assert connection.execute(fix.encode()).rowcount == 1
        return
    done = call(db, *shlex.split(fix)[1:])
    assert done.code == 0, done.err


def sessions_of(db: PlatformDatabase, user: UUID) -> list[UUID | None]:
    """The sessions of their enrolment and of their submission."""
    with db.connect() as connection:
        parts = [
            sql.SQL("SELECT {}::int AS place, session_id FROM {} WHERE user_id = {}").format(
                sql.Literal(place), sql.Identifier(db.platform.schema, table), sql.Literal(user)
            )
            for place, table in enumerate(TABLES)
        ]
        found = connection.execute(sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY 1"))
        return [session for _, session in found]


# the answers


def test_every_reason_is_told_of_every_kind_of_question(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)

    for case in here.cases.values():
        for name, document in ask(installed_db, case).items():
            reason = "linked" if (name, case.reason) == ("pair", "already_linked") else case.reason
            assert document["reason"] == reason, name
            assert document["session_id"] == (str(case.session) if case.session else None), name
            assert details(document, "choice")[0][0] is (case.session is not None)
            assert details(document, "memberships")[0][0] is (case.reason != "no_membership")
            assert details(document, "row") == [] if name == "pair" else len(details(document, "row")) == 1


def test_a_row_that_leads_to_no_course_is_course_unknown(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        student = here.cases["linked"].user
        if not isinstance(platform, EnrolledPlatform):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(platform.schema, "submissions")))
            with unnoticed(connection):
                platform.submit(connection, student, None)
    unknown = explain(installed_db, "--user", str(student), "--course", str(uuid4()))

    assert (unknown["reason"], unknown["session_id"]) == ("course_unknown", None)
    assert details(unknown, "course")[0][0] is False
    if not isinstance(platform, EnrolledPlatform):
        document = explain(installed_db, "--submission", row_id(installed_db, "submissions", student))
        assert (document["reason"], document["session_id"]) == ("course_unknown", None)
        ((found, detail),) = details(document, "course")
        assert not found
        assert detail.startswith("The row leads to no course: ")


def test_the_steps_name_organisations_roles_and_sessions_with_their_status(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        orgs = sql.Identifier(platform.schema, "orgs")
        for org, name in ((here.north, "Atelier Nord"), (here.south, "Campus Sud")):
            rename = sql.SQL("UPDATE {} SET name = {} WHERE id = {}")
            connection.execute(rename.format(orgs, sql.Literal(name), sql.Literal(org)))
        for table, title in (("sessions", "initcap(status::text) || ' one'"), ("courses", "'À 100 %s'")):
            entitle: LiteralString = f"UPDATE {{}} SET title = {title}"
            connection.execute(sql.SQL(entitle).format(sql.Identifier(platform.schema, table)))

    good = explain(installed_db, *about(here.cases["linked"]))
    assert details(good, "course") == [(True, f'Course "À 100 %s" ({here.cases["linked"].course}).')]
    assert details(good, "memberships") == [(True, "Member of Atelier Nord (student).")]
    sessions = 'Atelier Nord has 2 sessions of the course: "Active one" active, "Draft one" draft.'
    assert details(good, "sessions") == [(True, sessions)]
    chosen = f'"Active one" ({here.autumn}) is chosen: the newest active session of the course in the user\'s'
    assert details(good, "choice")[0][1].startswith(chosen)

    nowhere = explain(installed_db, *about(here.cases["no_membership"]))
    student = here.cases["no_membership"].user
    ((found, detail),) = details(nowhere, "memberships")
    assert not found
    assert detail.endswith(f" ({student}) is a member of no organisation.")
    elsewhere = explain(installed_db, *about(here.cases["session_in_other_org"]))
    ((found, detail),) = details(elsewhere, "sessions")
    assert not found  # no session for this student
    assert detail.startswith("Atelier Nord, which is not an organisation of the user, has 2 sessions of the course: ")
    over = explain(installed_db, *about(here.cases["no_active_session"]))
    assert details(over, "sessions") == [(False, 'Campus Sud has 1 session of the course: "Completed one" completed.')]
    bare = explain(installed_db, *about(here.cases["no_session_for_course"]))
    assert details(bare, "sessions") == [(False, "No organisation has a session of the course.")]


def test_of_the_organisations_that_are_not_the_users_three_are_listed(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        course, own = platform.add_course(connection), platform.add_org(connection)
        for _ in range(5):
            platform.add_session(connection, platform.add_org(connection), course)
        user = platform.add_member(connection, own, platform.add_user(connection))
        told = details(explain(installed_db, "--user", str(user), "--course", str(course)), "sessions")
        assert len(told) == 4
        assert told[3] == (False, "More organisations, which are none of the user, have sessions of the course.")

        platform.add_session(connection, own, course)
        ((found, detail),) = details(explain(installed_db, "--user", str(user), "--course", str(course)), "sessions")
        assert found
        assert "not an organisation of the user" not in detail


def test_the_session_of_the_enrolment_is_said_to_be_why(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        course = here.cases["linked"].course
        (student,) = add_users(platform, connection, 1, here.north)
        platform.enroll(connection, student, course, here.autumn)
        newer = platform.add_session(connection, here.north, course)

    document = explain(installed_db, "--user", str(student), "--course", str(course))

    assert (document["reason"], document["session_id"]) == ("linked", str(here.autumn))
    assert details(document, "choice")[0][1].endswith(
        " is chosen: the session of the student's enrolment, which is still active."
    )
    assert str(newer) != document["session_id"]


def test_of_a_user_and_a_course_the_rows_are_counted_by_session(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        case = here.cases["linked"]
        platform.submit(connection, case.user, case.course)
        idle = explain(installed_db, *about(case))
    autumn = f'"A session" ({here.autumn})'

    assert details(idle, "enrollments") == [(False, "The user has 1 enrolment in the course: 1 not linked.")]
    assert details(idle, "submissions") == [
        (False, f"The user has 2 submissions in the course: 1 linked to {autumn}, 1 not linked.")
    ]
    assert idle["fix"] == f"sessiondb backfill --session {here.autumn}"  # others have the same title
    assert idle["verdict"].startswith("Not all is linked yet: ")

    carry_out(installed_db, idle["fix"])

    done = explain(installed_db, *about(case))
    assert details(done, "enrollments") == [(True, f"The user has 1 enrolment in the course: 1 linked to {autumn}.")]
    assert details(done, "submissions") == [(True, f"The user has 2 submissions in the course: 2 linked to {autumn}.")]
    assert done["fix"] is None
    nothing = explain(installed_db, "--user", str(case.user), "--course", str(here.cases["no_active_session"].course))
    assert details(nothing, "submissions") == [(False, "The user has no submission in the course.")]

    new = f"New work would be linked to session {autumn}."
    assert done["verdict"] == f"Linked to session {autumn}. {new}"
    yet = "No enrolment or submission in the course yet. New work would not be linked: "
    assert nothing["verdict"].startswith(yet)
    assert nothing["fixes"][0]["what"].startswith("for new work, ")
    assert "--backfill" not in nothing["fix"]
    with installed_db.connect() as connection:
        members = sql.Identifier(platform.schema, "org_members")
        connection.execute(sql.SQL("DELETE FROM {} WHERE user_id = {}").format(members, sql.Literal(case.user)))
    verdict = explain(installed_db, *about(case))["verdict"]
    assert verdict.startswith(f"Linked to session {autumn}. New work would not be linked: the student is a member of")


@on("reference")
def test_a_backfill_of_everything_is_named_where_the_rows_belong_to_different_sessions(
    installed_db: PlatformDatabase,
) -> None:
    """A student who is enrolled twice, once in the session of autumn, and once without a session."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        connection.execute("ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_course_id_key")
        case = here.cases["already_linked"]
        platform.add_session(connection, here.north, case.course)
        with unnoticed(connection):
            platform.enroll(connection, case.user, case.course)

    document = explain(installed_db, *about(case))

    assert document["session_id"] == str(here.autumn)
    assert document["fix"] == "sessiondb backfill"


@on("reference", "academy", "quoted")
def test_a_link_that_the_rules_would_not_make_today_is_told_from_one_that_is_wrong(
    installed_db: PlatformDatabase,
) -> None:
    platform = installed_db.platform
    table, option = ("enrollments", "--enrollment") if platform.name == "academy" else ("submissions", "--submission")

    def said(student: UUID) -> tuple[bool, str, str | None]:
        document = explain(installed_db, option, row_id(installed_db, table, student))
        assert document["reason"] == "already_linked"
        ((right, detail),) = details(document, "choice")
        return right, detail, document["fix"]

    with installed_db.connect() as connection:
        here = scene(platform, connection)
        case = here.cases["already_linked"]
        stays = "A row that is linked stays in its session. Today the rules would choose "
        assert said(case.user) == (True, f"{stays}the same one.", None)

        closed = sql.SQL("UPDATE {} SET status = {} WHERE id = {}").format(
            sql.Identifier(platform.schema, "sessions"), sql.Literal("completed"), sql.Literal(here.autumn)
        )
        connection.execute(closed)
        assert said(case.user) == (True, f"{stays}none (no_active_session).", None)
        winter = platform.add_session(connection, here.north, case.course)
        assert said(case.user) == (True, f'{stays}"A session" ({winter}).', None)

        other = platform.add_session(connection, here.north, platform.add_course(connection))
        with unnoticed(connection):
            move = sql.SQL("UPDATE {} SET session_id = {} WHERE user_id = {}")
            connection.execute(
                move.format(sql.Identifier(platform.schema, table), sql.Literal(other), sql.Literal(case.user))
            )
        right, detail, fix = said(case.user)
        assert not right
        assert detail.startswith("The link is wrong: the session is of course ")
        assert fix is not None
        carry_out(installed_db, fix)
        assert said(case.user) == (True, f"{stays}the same one.", None)

        leave = sql.SQL("DELETE FROM {} WHERE user_id = {}")
        connection.execute(leave.format(sql.Identifier(platform.schema, "org_members"), sql.Literal(case.user)))
    right, detail, fix = said(case.user)
    assert not right
    assert detail.endswith(", and the user is not a member of it. Today the rules would choose none (no_membership).")
    assert fix is not None
    carry_out(installed_db, fix)
    document = explain(installed_db, option, row_id(installed_db, table, case.user))
    assert (document["session_id"], document["reason"]) == (None, "no_membership")


@on("reference", "academy")
def test_a_user_who_does_not_exist_is_distinguished_from_one_without_rows(installed_db: PlatformDatabase) -> None:
    platform, unknown = installed_db.platform, uuid4()
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        course = str(here.cases["linked"].course)
        idle = platform.add_user(connection)

    def said(user: UUID, role: str | None = None) -> tuple[list[tuple[bool, str]], str]:
        document = explain(installed_db, "--user", str(user), "--course", course, user=role)
        assert document["reason"] == "no_membership"
        return details(document, "user"), document["fix"]

    nothing = "has no membership, no enrolment and no submission"
    missing, fix = said(unknown)
    assert [found for found, _ in missing] == [False]
    assert missing[0][1].startswith(f"There is no user {unknown} in table ")
    assert fix == "Check the id of the user."
    known, fix = said(idle)
    assert [found for found, _ in known] == [True]
    assert known[0][1].endswith(f" ({idle}) {nothing}.")
    assert fix.startswith("sessiondb member add ")
    assert details(explain(installed_db, *about(here.cases["no_membership"])), "user") == []
    with auditor(installed_db) as role, installed_db.connect() as connection:
        users = sql.Identifier(platform.user_schema or platform.schema, "users")
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(users, sql.Identifier(role)))
        assert said(unknown, role)[0] == [(True, f"User {unknown} {nothing}; the id may be wrong.")]


@on("reference", "hosted", "quoted", "partitioned")
def test_a_row_that_leads_to_no_course_is_fixed_by_the_statement_that_is_printed(
    installed_db: PlatformDatabase,
) -> None:
    """Wherever on the way it breaks off: at each column that is NULL in turn."""
    platform = installed_db.platform
    for table, column in [("submissions", platform.task_column), *platform.task_tables]:
        with installed_db.connect() as connection:
            case = scene(platform, connection).cases["linked"]
            name = sql.Identifier(platform.schema, table)
            nullable = sql.SQL("ALTER TABLE {} ALTER {} DROP NOT NULL").format(name, sql.Identifier(column))
            connection.execute(nullable)
            with unnoticed(connection):
                connection.execute(sql.SQL("UPDATE {} SET {} = NULL").format(name, sql.Identifier(column)))
        submission = row_id(installed_db, "submissions", case.user)

        document = explain(installed_db, "--submission", submission)

        assert document["reason"] == "course_unknown"
        ((found, detail),) = details(document, "course")
        assert not found
        assert table in detail.replace('""', '"')
        assert column in detail.replace('""', '"')
        assert f" is NULL in the row with id = '{submission}'" in detail or table != "submissions"
        carry_out(installed_db, document["fix"])
        fixed = explain(installed_db, "--submission", submission)
        assert fixed["session_id"] == str(case.session)
        # a statement that writes the row itself has linked it
        assert fixed["reason"] == ("already_linked" if table == "submissions" else "linked")
        if fixed["fix"]:
            carry_out(installed_db, fixed["fix"])
        assert explain(installed_db, "--submission", submission)["reason"] == "already_linked"


@on("reference")
def test_an_enrolment_in_a_course_that_is_gone_is_fixed_by_the_statement_that_is_printed(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        case = scene(installed_db.platform, connection).cases["linked"]
        connection.execute("ALTER TABLE enrollments DROP CONSTRAINT enrollments_course_id_fkey")
        with unnoticed(connection):
            connection.execute("UPDATE enrollments SET course_id = %s WHERE user_id = %s", [gone := uuid4(), case.user])
    enrolment = row_id(installed_db, "enrollments", case.user)

    document = explain(installed_db, "--enrollment", enrolment)

    assert document["reason"] == "course_unknown"
    assert f"is {gone}, of which there is no row in table public.courses," in details(document, "course")[0][1]
    words = call(installed_db, "explain", "--enrollment", str(enrolment)).out
    assert re.search(r"Fix: .*, in psql:\n  UPDATE .*;\nThen, in a shell:\n  sessiondb backfill\n$", words), words
    carry_out(installed_db, document["fix"])
    assert explain(installed_db, "--enrollment", enrolment)["reason"] == "already_linked"  # it was written again


@on("partitioned", "quoted")
def test_an_answer_in_words_says_what_the_json_says(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
    for case in here.cases.values():
        document = explain(installed_db, *about(case))

        run = call(installed_db, "explain", *about(case))

        assert (run.code, run.err) == (0, "")
        verdict, steps, *fixes = run.out.strip("\n").split("\n\n")
        assert " ".join(verdict.split()) == without_ids(document["verdict"])
        told = re.split(r"\n(?=  yes |  no )", "\n" + steps)[1:]
        assert [" ".join(step.split()) for step in told] == [
            f"{'yes' if step['ok'] else 'no'} {step['step']} {without_ids(step['detail'])}"
            for step in document["steps"]
        ]
        commands = [line for fix in fixes for line in fix.split("\n") if line.startswith("  sessiondb ")]
        assert commands == [f"  {fix['command']}" for fix in document["fixes"]]  # ready to paste
        assert max(len(line) for line in run.out.splitlines() if line not in commands) <= 80
    assert str(here.autumn) in call(installed_db, "explain", *about(here.cases["linked"]), "-v").out


# the fix


MENDABLE = ("linked", "no_membership", "no_session_for_course", "no_active_session", "session_in_other_org")


@pytest.mark.slow
def test_after_the_fix_and_a_backfill_the_rows_are_linked(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
    for why in MENDABLE:
        case = here.cases[why]
        documents = ask(installed_db, case)
        fixes = {document["fix"] for document in documents.values()}
        assert len(fixes) == 1  # whatever was asked about
        (fix,) = fixes

        carry_out(installed_db, fix)

        backfill(installed_db)
        enrolled, submitted = sessions_of(installed_db, case.user)
        assert enrolled is not None
        assert enrolled == submitted
        assert {name: answer["reason"] for name, answer in ask(installed_db, case).items()} == {
            name: "linked" if name == "pair" else "already_linked" for name in documents
        }


def test_what_needs_no_fix_has_none(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)

    for document in ask(installed_db, here.cases["already_linked"]).values():
        assert document["fix"] is None


@on("reference", "school")
def test_where_more_than_one_thing_is_missing_one_fix_leads_to_the_next(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        clear(platform, connection)
        org = platform.add_org(connection)
        course, bare = platform.add_course(connection), platform.add_course(connection)
        platform.add_session(connection, org, course, "completed")
        students = add_users(platform, connection, 2)
        add_old_rows(platform, connection, [*zip(students, (course, bare), strict=True)])

    for student, where in zip(students, (course, bare), strict=True):
        met = []
        while (document := explain(installed_db, "--user", str(student), "--course", str(where)))["reason"] != "linked":
            met.append(document["reason"])
            carry_out(installed_db, document["fix"])
            assert len(met) < 4
        assert met[0] == "no_membership"
        assert met[1:] == (["no_active_session"] if where == course else ["no_session_for_course"])
        backfill(installed_db)
        assert None not in sessions_of(installed_db, student)


@on("reference")
def test_a_fix_fills_the_columns_that_the_platform_has(installed_db: PlatformDatabase) -> None:
    """The commands for members and sessions would fill others."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        clear(platform, connection)
        platform.add_org(connection)
        course = platform.add_course(connection)
        (student,) = add_users(platform, connection, 1)
        add_old_rows(platform, connection, [(student, course)])
        connection.execute("ALTER TABLE org_members DROP COLUMN role; ALTER TABLE sessions DROP COLUMN created_by")
        connection.execute("ALTER TABLE sessions ADD COLUMN room text NOT NULL DEFAULT ''")
    question = ("--user", str(student), "--course", str(course))

    carry_out(installed_db, explain(installed_db, *question)["fix"])
    assert call(installed_db, "status", "--exit-code").code == 0
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE sessions ALTER COLUMN room DROP DEFAULT, DROP COLUMN title")
    fix = explain(installed_db, *question)["fix"]
    assert "'<room>'" not in fix
    carry_out(installed_db, fix.replace("<room>", "'1'"))
    backfill(installed_db)
    assert None not in sessions_of(installed_db, student)


@on("reference")
def test_a_platform_without_an_organisation_is_told_to_create_one(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        clear(platform, connection)
        connection.execute("DELETE FROM orgs")
        student, course = platform.add_user(connection), platform.add_course(connection)

    fix = explain(installed_db, "--user", str(student), "--course", str(course))["fix"]

    carry_out(installed_db, fix)
    assert "org create" in fix


SLUGS = ["it's", "two words", "-dash", "--org", "$(id)", "a;b", "été", '"', "a\\b", "100%", "a\nb", "{examples}"]


@on("quoted")
def test_a_fix_can_be_run_as_printed_whatever_the_slug(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        case = scene(platform, connection).cases["no_membership"]
        table = sql.Identifier(platform.schema, "orgs")
        for slug in SLUGS:
            ours = sql.SQL("id = (SELECT org_id FROM {} WHERE status = 'active')").format(
                sql.Identifier(platform.schema, "sessions")
            )
            connection.execute(sql.SQL("UPDATE {} SET slug = {} WHERE {}").format(table, sql.Literal(slug), ours))
            fix = explain(installed_db, *about(case))["fix"]
            assert shlex.split(fix)[:4] == ["sessiondb", "member", "add", "--org"]
            carry_out(installed_db, fix)
            leave = sql.SQL("DELETE FROM {} WHERE user_id = {}")
            left = connection.execute(
                leave.format(sql.Identifier(platform.schema, "org_members"), sql.Literal(case.user))
            )
            assert left.rowcount == 1


@on("reference")
def test_names_and_slugs_that_a_platform_does_not_have_are_not_made_up(installed_db: PlatformDatabase) -> None:
    """R1-R7 read neither orgs.name and slug nor the titles, nor a role."""
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
        connection.execute(
            """
            ALTER TABLE orgs DROP COLUMN name, DROP COLUMN slug;
            ALTER TABLE sessions DROP COLUMN title;
            ALTER TABLE courses DROP COLUMN title;
            ALTER TABLE org_members DROP COLUMN role
            """
        )

    for case in here.cases.values():
        for document in ask(installed_db, case).values():
            texts = [detail for step in document["steps"] for detail in [step["detail"]]]
            assert not any('""' in text or "None" in text or "''" in text for text in texts), texts
            assert document["fix"] is None or "''" not in document["fix"]
    ((_, detail),) = details(explain(installed_db, *about(here.cases["linked"])), "memberships")
    assert detail == f"Member of organisation {here.north} (-)."


@on("reference", "quoted")
def test_organisations_without_a_slug_are_named_otherwise(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN slug").format(sql.Identifier(platform.schema, "orgs")))
        connection.execute(
            sql.SQL("ALTER TABLE {} ALTER title DROP NOT NULL").format(sql.Identifier(platform.schema, "sessions"))
        )
        for why in ("no_membership", "no_session_for_course", "session_in_other_org"):
            carry_out(installed_db, explain(installed_db, *about(here.cases[why]))["fix"])
            assert explain(installed_db, *about(here.cases[why]))["reason"] in ("linked", "already_linked")


def test_the_organisation_to_join_is_one_with_an_active_session_and_it_is_said_which(
    installed_db: PlatformDatabase,
) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection)
        course = here.cases["no_membership"].course
        newer = platform.add_session(connection, here.south, course, "completed", created_at=None)
        connection.execute(
            sql.SQL("UPDATE {} SET created_at = now() WHERE id = {}").format(
                sql.Identifier(platform.schema, "sessions"), sql.Literal(newer)
            )
        )
        slugs = sql.SQL("SELECT name, slug FROM {} WHERE id = {}")
        ((name, slug),) = connection.execute(
            slugs.format(sql.Identifier(platform.schema, "orgs"), sql.Literal(here.north))
        ).fetchall()

    for why in ("no_membership", "session_in_other_org"):
        document = explain(installed_db, *about(here.cases[why]))
        fix = document["fixes"][-1]
        assert fix["command"].startswith(f"sessiondb member add --org {slug} ")
        assert fix["what"].endswith(f"which gives {name} access to this student's work")
        assert details(document, "choice")[0][1].endswith(f' {name} has an active one: "A session" ({here.autumn}).')


def test_the_students_own_organisation_comes_first_and_each_way_links_the_rows_at_once(
    installed_db: PlatformDatabase,
) -> None:
    for number, command in ((0, "session create"), (1, "member add")):
        with installed_db.connect() as connection:
            case = scene(installed_db.platform, connection).cases["session_in_other_org"]
        fix = explain(installed_db, *about(case))["fixes"][number]
        assert fix["command"].startswith(f"sessiondb {command} --org ")

        carry_out(installed_db, fix["command"])

        assert None not in sessions_of(installed_db, case.user)


@on("reference")
def test_a_fix_names_what_people_know_where_that_is_one_thing_only(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        case = scene(installed_db.platform, connection).cases["no_membership"]

        def user(email: str) -> str:
            connection.execute("UPDATE users SET email = %s WHERE id = %s", [email, case.user])
            return shlex.split(explain(installed_db, *about(case))["fix"])[6]

        assert user("l'été d@x") == "l'été d@x"
        connection.execute("INSERT INTO users (email, full_name) VALUES ('b', 'a NAME'), (gen_random_uuid(), 'A name')")
        for odd in ("a name", "--help", str(uuid4()), "a\nb", "x://y:z@h", "", " "):
            connection.execute("UPDATE users SET full_name = 'a name' WHERE id = %s", [case.user])
            assert user(odd) in (str(case.user), "a name"), odd
        assert user("a name") == str(case.user)  # others differ only in upper and lower case
        assert user("another name") == "another name"
        assert user("") == str(case.user)


# asking


def test_a_row_that_does_not_exist_is_told_in_one_sentence(installed_db: PlatformDatabase) -> None:
    unknown = str(uuid4())

    for table, option in zip(TABLES, ("--enrollment", "--submission"), strict=True):
        run = call(installed_db, "explain", option, unknown)
        assert (run.code, run.out) == (1, "")
        sentence, hint = run.err.splitlines()
        if table in WITHOUT_ID.get(installed_db.platform.name, ()):
            assert sentence.startswith(f"sessiondb: {table} of this platform have no column id")
            assert hint == "  hint: Use --user and --course instead."
        else:
            assert sentence == f"sessiondb: there is no row {unknown} in {table}"
            assert hint == f"  hint: List them with: sessiondb show {table}"


@on("reference")
def test_who_does_not_see_all_rows_is_told_no_link_is_wrong(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
    cases = here.cases
    linked, lone = cases["already_linked"], cases["no_session_for_course"]
    questions = [about(cases[why]) for why in ("linked", "no_membership", "session_in_other_org")]
    row = ["--enrollment", row_id(installed_db, "enrollments", linked.user)]
    with auditor(installed_db) as role:
        with installed_db.connect() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} NOBYPASSRLS").format(sql.Identifier(role)))
            connection.execute("ALTER TABLE org_members ENABLE ROW LEVEL SECURITY")
            connection.execute("CREATE POLICY none ON org_members USING (false)")
        for question in (*questions, row, about(lone)):
            document = explain(installed_db, *question, user=role)
            said = f"Role {role} may not see every row of public.org_members under row level security"
            assert said in document["verdict"]
            assert [fix["command"] for fix in document["fixes"]] == [None]
            assert "BYPASSRLS or, where it is not forced, the owner" in document["fix"]
            if question != row:
                assert details(document, "choice") == [(False, "Not known, because rows may be hidden.")]
        linked_to = explain(installed_db, *row, user=role)
        assert linked_to["verdict"].startswith("Linked: the row is in session ")
        assert linked_to["session_id"] == str(here.autumn)
        assert "as far as role" in details(linked_to, "memberships")[0][1]
        unknown = explain(installed_db, "--user", str(linked.user), "--course", str(uuid4()), user=role)
        assert unknown["verdict"].endswith("there is no such course.")  # nobody hides courses

        with installed_db.connect() as connection:
            connection.execute("CREATE POLICY everything ON org_members FOR SELECT USING (true)")
        assert explain(installed_db, *row, user=role) == explain(installed_db, *row)
        with installed_db.connect() as connection:
            connection.execute("DROP POLICY everything ON org_members")

        found = call(installed_db, "check", "--format", "json", user=role).json["findings"]
        (hidden,) = (f for f in found if "Row level security may hide" in f["detail"])
        assert (hidden["check"], hidden["level"], hidden["object"]) == ("row_security", "warning", "public.org_members")
        assert "links_without_membership" in hidden["detail"]
        assert "BYPASSRLS" in hidden["fix"]
        assert not {f["check"] for f in found} & {"links_without_membership", "unlinked_rows", "shadowed_sessions"}


@on("reference")
def test_a_session_without_organisation_is_as_if_it_did_not_exist(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
        case = here.cases["no_session_for_course"]
        connection.execute("ALTER TABLE sessions ALTER org_id DROP NOT NULL")
        lone = installed_db.platform.add_session(connection, here.north, case.course)
        connection.execute("UPDATE sessions SET org_id = NULL WHERE id = %s", [lone])

    document = explain(installed_db, *about(case))

    assert document["reason"] == "no_session_for_course"
    assert details(document, "sessions") == [(False, "No organisation has a session of the course.")]
    assert document["fix"].startswith("sessiondb session create ")
    found = call(installed_db, "check", "--format", "json").json["findings"]
    assert "sessions_without_members" not in {f["check"] for f in found}
    assert "(no_session_for_course)" in str(found)


@on("reference")
def test_an_empty_name_is_bad_usage(installed_db: PlatformDatabase) -> None:
    for user, course in (("", ""), ("a", ""), ("", "a")):
        run = call(installed_db, "explain", "--user", user, "--course", course)
        assert (run.code, "is empty" in run.err) == (2, True)


@on("reference")
def test_rows_whose_ids_are_numbers_are_asked_for_by_user_and_course(installed_db: PlatformDatabase) -> None:
    """The rules read no id of a submission, so a platform may number them."""
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DROP COLUMN id, ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY")

    run = call(installed_db, "explain", "--submission", str(uuid4()))

    assert (run.code, run.out) == (1, "")
    assert "not installed" not in run.err
    assert "--user and --course" in run.err


@on("reference")
def test_a_platform_without_sessiondb_is_told_to_apply(platform_db: PlatformDatabase) -> None:
    for question in (["--user", str(uuid4()), "--course", str(uuid4())], ["--submission", str(uuid4())]):
        run = call(platform_db, "explain", *question)
        assert (run.code, run.out) == (1, "")
        assert run.err.splitlines()[0] == "sessiondb: sessiondb is not installed in this database"


@pytest.mark.slow
@on("reference")
def test_after_each_step_of_an_installation_the_hint_is_to_finish_it(platform_db: PlatformDatabase) -> None:
    """Not the last one. What is linked by then is no answer: the triggers come late."""
    steps = [migration.id for migration in ledger.read_migrations(resources.MIGRATIONS)]
    unknown = str(uuid4())
    for step in steps[:-1]:
        platform_db.apply(step)
        for command in (
            ("explain", "--user", unknown, "--course", unknown),
            ("explain", "--submission", unknown),
            ("backfill",),
            ("backfill", "--dry-run"),
            *(("show", what) for what in ("sessions", *TABLES)),
            *(("show", table, "--unlinked") for table in TABLES),
        ):
            run = call(platform_db, *command)
            assert (run.code, run.out) == (1, ""), (step, command)
            assert run.err.splitlines() == [
                "sessiondb: sessiondb is only partly installed in this database",
                "  hint: Complete it: sessiondb apply",
            ], (step, command)
    platform_db.apply()
    assert call(platform_db, "backfill").code == 0


@contextmanager
def auditor(db: PlatformDatabase) -> Iterator[str]:
    """A role that may read the platform's tables and ours, and nothing else; where there are row policies, past them."""
    platform, role = db.platform, f"auditor_{uuid4().hex[:8]}"
    name = sql.Identifier(role)
    with db.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS").format(name))
        try:
            for schema in (platform.schema, "sessiondb"):
                grant = sql.SQL("GRANT USAGE ON SCHEMA {0} TO {1}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1}")
                connection.execute(grant.format(sql.Identifier(schema), name))
            connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only TO on").format(name))
            yield role
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(name))


@pytest.mark.slow
def test_to_read_the_tables_is_right_enough(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
    with auditor(installed_db) as role:
        for case in here.cases.values():
            assert explain(installed_db, *about(case), user=role) == explain(installed_db, *about(case))
            for table, option in zip(TABLES, ("--enrollment", "--submission"), strict=True):
                if table not in WITHOUT_ID.get(installed_db.platform.name, ()):
                    question = [option, row_id(installed_db, table, case.user)]
                    assert explain(installed_db, *question, user=role) == explain(installed_db, *question)


@on("hosted", "academy")
def test_nothing_is_written(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection)
    query: LiteralString = "SELECT ctid::text, xmin::text FROM {}"
    tables = [*TABLES, "sessions", "org_members", "orgs", "courses"]
    before = [rows(installed_db, query, table) for table in tables]

    for case in here.cases.values():
        ask(installed_db, case)

    assert [rows(installed_db, query, table) for table in tables] == before


# explain, backfill and trigger are one

CASES = 10_000
"""On all platforms together; a case is one user in one course, linked in every way. Explain is asked about one of a kind."""
WORLDS = 28
USERS, COURSES, ORGS, SESSIONS = 12, 5, 5, 12

dates = st.sampled_from([None, *(datetime(2024, month, 1, tzinfo=UTC) for month in (2, 9))])
statuses = st.sampled_from(["active", "active", "draft", "completed"])
users = st.integers(0, USERS - 1)
# the last organisation has sessions and no members, the one before members and no sessions; the last course no session
members = st.sets(st.tuples(st.integers(0, ORGS - 2), users), max_size=2 * USERS)
sessions = st.lists(
    st.tuples(st.sampled_from([*range(ORGS - 2), ORGS - 1]), st.integers(0, COURSES - 2), statuses, dates),
    max_size=SESSIONS,
)
# the session of an enrolment: none yet, or one of them all, whether it fits or not
enrolments = st.dictionaries(
    st.tuples(users, st.integers(0, COURSES - 1)), st.one_of(st.none(), st.integers(0, SESSIONS - 1)), max_size=40
)
worlds = st.tuples(members, sessions, enrolments)

Pair = tuple[UUID, UUID]
Said = dict[Pair, tuple[UUID | None, str]]
Stored = Counter[tuple[str, UUID, UUID | None]]


def reason(oracle: Oracle, user: UUID, course: UUID, session: UUID | None) -> str:
    """Section 6 of the design, of a course that there is: the first of these that is true."""
    in_course = [one for one in oracle.sessions.values() if one.course == course]
    mine = {org for org, member in oracle.members if member == user}
    if session is not None:
        return "linked"
    if not mine:
        return "no_membership"
    if not in_course:
        return "no_session_for_course"
    if any(one.org in mine for one in in_course):
        return "no_active_session"
    return "session_in_other_org"


@dataclass
class World:
    """A platform in the database and in the oracle; every student has submitted in every course that they may."""

    platform: Platform
    db: Connection
    users: list[UUID]
    orgs: list[UUID]
    courses: list[UUID]
    tasks: dict[UUID, list[UUID]]
    oracle: Oracle = field(default_factory=Oracle)
    enrolled: dict[Pair, UUID] = field(default_factory=dict)
    """The ids of the enrolments."""

    def build(self, members: set[tuple[int, int]], sessions: list[Any], enrolments: dict[Any, int | None]) -> None:
        ids = [uuid4() for _ in sessions]
        for org, user in sorted(members):
            self.oracle.members.add((self.orgs[org], self.users[user]))
            self.platform.add_member(self.db, self.orgs[org], self.users[user])
        for id_, (org, course, status, date) in zip(ids, sessions, strict=True):
            self.oracle.sessions[id_] = Session(self.orgs[org], self.courses[course], status, date)
            self.platform.add_session(self.db, self.orgs[org], self.courses[course], status, created_at=date, id=id_)
        for (user, course), place in enrolments.items():
            given = ids[place] if place is not None and place < len(ids) else None
            self.oracle.enrollments.append(Row(self.users[user], self.courses[course], given))
        with unnoticed(self.db):
            self.enroll([(row.user, row.course, row.session) for row in self.oracle.enrollments if row.course])
            self.submit(0)
        self.oracle.submissions += [Row(*pair) for pair in self.submitting]

    @property
    def pairs(self) -> list[Pair]:
        return [(user, course) for user in self.users for course in self.courses]

    def one_of_a_kind(self, table: str | None) -> Iterable[Pair]:
        """Pairs that differ in more than the user; the link of an enrolment decides about submissions alone."""
        enrolled = {} if table == "enrollments" else {(r.user, r.course): r.session for r in self.oracle.enrollments}
        kinds = {}
        for user, course in self.pairs:
            orgs = frozenset(org for org, member in self.oracle.members if member == user)
            kinds[orgs, course, (user, course) in enrolled, enrolled.get((user, course))] = user, course
        return kinds.values()

    @property
    def submitting(self) -> list[Pair]:
        """Who may submit, and where."""
        return [pair for pair in self.pairs if pair in self.enrolled or not isinstance(self.platform, EnrolledPlatform)]

    def enroll(self, rows: Sequence[tuple[UUID, UUID, UUID | None]]) -> Said:
        """Enrol all at once; return the session that is stored."""
        ids = {(user, course): uuid4() for user, course, _ in rows}
        names = ("user_id", "course_id", "session_id")
        columns: dict[str, list[Any]] = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        if isinstance(self.platform, EnrolledPlatform):
            columns["id"] = [*ids.values()]
        stored = insert_many(self.platform, self.db, "enrollments", columns, *names) if rows else []
        self.enrolled |= ids
        return {(user, course): (session, "") for user, course, session in stored}

    def submit(self, number: int) -> Said:
        """Let every student submit; return the session that is stored."""
        column, of = self.platform.task_column, {}
        for user, course in self.submitting:
            enrolment = isinstance(self.platform, EnrolledPlatform)
            of[user, self.enrolled[user, course] if enrolment else self.tasks[course][number]] = course
        columns = {"user_id": [user for user, _ in of], column: [task for _, task in of]}
        stored = insert_many(self.platform, self.db, "submissions", columns, *columns, "session_id") if of else []
        return {(user, of[user, task]): (session, "") for user, task, session in stored}

    def submission_session(self, user: UUID, course: UUID) -> UUID | None:
        """R4, of the oracle as it stands."""
        answer = self.oracle.submit(user, course, None)
        self.oracle.submissions.pop()
        return answer

    def expected(self) -> tuple[Said, Said]:
        """What is to be said of an enrolment and of a submission of each pair."""
        chosen = [
            {pair: self.oracle.session_for(*pair) for pair in self.pairs},
            {pair: self.submission_session(*pair) for pair in self.pairs},
        ]
        enrolments, submissions = (
            {pair: (session, reason(self.oracle, *pair, session)) for pair, session in of.items()} for of in chosen
        )
        return enrolments, submissions

    def chosen(self, table: str) -> Said:
        """What the backfill would choose."""
        users, courses = ([*column] for column in zip(*self.pairs, strict=True))
        query = "SELECT user_id, course_id, session_id, reason FROM sessiondb.choose_sessions(%s, %s, %s)"
        found = self.db.execute(query, [users, courses, table == "submissions"])
        return {(user, course): (session, why or "linked") for user, course, session, why in found}

    def explained(self, table: str | None) -> Said:
        """What explain says, of pairs or of rows of a table; of one pair of each kind, since a call takes 50 ms."""
        users, courses = ([*column] for column in zip(*self.one_of_a_kind(table), strict=True))
        found = self.db.execute(
            """
            SELECT p.u, p.c, (x.e ->> 'session_id')::uuid, x.e ->> 'reason'
              FROM unnest(%s::uuid[], %s::uuid[]) AS p (u, c)
             CROSS JOIN LATERAL (SELECT sessiondb.explain_link(p.u, p.c, NULL, %s::text) AS e OFFSET 0) AS x
            """,
            [users, courses, table],
        )
        return {(user, course): (session, why) for user, course, session, why in found}

    def backfill(self) -> Stored:
        """What is stored after a backfill."""
        self.db.execute("CALL sessiondb.begin_backfill(NULL)")
        while self.db.execute("SELECT FROM sessiondb.backfill_step(100000)").rowcount:
            pass
        stored: Stored = Counter()
        for table in TABLES:
            query = sql.SQL("SELECT user_id, session_id FROM {}").format(sql.Identifier(self.platform.schema, table))
            stored.update((table, user, session) for user, session in self.db.execute(query))
        return stored

    def after_backfill(self) -> Stored:
        """R7: the enrolments, and then what R4 says of each submission."""
        for row in self.oracle.enrollments:
            row.session = row.session or self.oracle.session_for(row.user, row.course)
        for row in self.oracle.submissions:
            row.session = self.submission_session(row.user, row.course) if row.course else None
        told = {"enrollments": self.oracle.enrollments, "submissions": self.oracle.submissions}
        return Counter((table, row.user, row.session) for table, its in told.items() for row in its)


def sessions_said(said: Said, pairs: Iterable[Pair]) -> dict[Pair, UUID | None]:
    return {pair: said[pair][0] for pair in pairs}


@pytest.mark.slow
def test_explain_backfill_and_trigger_agree_on_any_platform(installed_db: PlatformDatabase) -> None:
    platform, cases = installed_db.platform, 0
    met: set[str] = set()
    with installed_db.connect() as db:
        clear(platform, db)
        users = add_users(platform, db, USERS)
        orgs = [platform.add_org(db) for _ in range(ORGS)]
        courses = [platform.add_course(db) for _ in range(COURSES)]
        tasks = {course: [platform.new_task(db, course) for _ in range(2)] for course in courses}

        @settings(PROFILE, max_examples=WORLDS, suppress_health_check=[HealthCheck.too_slow])
        @given(worlds)
        def play(drawn: tuple[Any, Any, Any]) -> None:
            nonlocal cases
            with db.transaction(force_rollback=True):
                world = World(platform, db, users, orgs, courses, tasks)
                world.build(*drawn)
                of_enrolments, of_submissions = world.expected()
                for table, way, expected in (
                    ("enrollments", "enrollments", of_enrolments),
                    ("submissions", None, of_submissions),
                ):
                    assert world.chosen(table) == expected
                    said = world.explained(way)
                    assert said == {pair: expected[pair] for pair in said}
                with db.transaction(force_rollback=True):
                    submitted = world.submit(1)
                    assert sessions_said(submitted, submitted) == sessions_said(of_submissions, world.submitting)
                    late = [(*pair, None) for pair in world.pairs if pair not in world.enrolled]
                    enrolled = world.enroll(late)
                    assert sessions_said(enrolled, enrolled) == sessions_said(of_enrolments, enrolled)
                assert world.backfill() == world.after_backfill()
                cases += len(world.pairs)
                met.update(why for said in (of_enrolments, of_submissions) for _, why in said.values())

        play()
    assert cases >= CASES / len(PLATFORMS)
    assert met == {*REASONS} - {"already_linked", "course_unknown"}
