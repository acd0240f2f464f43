"""What check says of the rows: each fault is found and counted, and a sound world is left in peace."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
from conftest import PlatformDatabase
from platforms import EnrolledPlatform, Platform
from psycopg import sql
from test_backfill import (
    AUTUMN,
    SPRING,
    TABLES,
    Run,
    add_old_rows,
    add_users,
    backfill,
    call,
    clear,
    links,
    on,
    unnoticed,
    versions,
)
from test_explain import WITHOUT_ID, auditor

from sessiondb import checks, resources
from sessiondb.connection import Connection

NAMES = resources.names("data_checks")
FIVE = 5


@dataclass(frozen=True)
class World:
    """A sound world: students of one organisation in the session of one course."""

    platform: Platform
    db: Connection
    org: UUID
    course: UUID
    session: UUID
    students: list[UUID]

    def run(self, query: LiteralString, table: str, *values: object) -> None:
        """Run SQL in which the first ``{}`` is a table of the platform and the others are values."""
        name = sql.Identifier(self.platform.schema, table)
        assert self.db.execute(sql.SQL(query).format(name, *map(sql.Literal, values))).rowcount > 0

    def everywhere(self, query: LiteralString, *values: object) -> None:
        """Run it on both tables, with no trigger that could object."""
        with unnoticed(self.db):
            for table in TABLES:
                self.run(query, table, *values)


def world(platform: Platform, db: Connection) -> World:
    """Sound, and with much that is nearly a fault."""
    clear(platform, db)
    org, course = platform.add_org(db), platform.add_course(db)
    past = platform.add_session(db, org, course, "completed", created_at=SPRING)
    session = platform.add_session(db, org, course, created_at=SPRING)
    platform.add_session(db, org, platform.add_course(db), created_at=SPRING)  # of another course
    other = platform.add_org(db)
    platform.add_session(db, other, course, created_at=SPRING)  # of another organisation
    add_users(platform, db, 1, other)
    platform.add_session(db, org, course, "completed", created_at=AUTUMN)  # newer, but over
    platform.add_session(db, platform.add_org(db), course, "completed")  # it has no members, but it is over
    platform.add_org(db)  # no session, but no members
    (veteran,) = add_users(platform, db, 1, org)
    for place in (platform.enroll, platform.submit):  # staff has placed the student where it is over
        assert place(db, veteran, course, past) == past
    students = add_users(platform, db, FIVE, org)
    for student in students:
        assert [platform.enroll(db, student, course), platform.submit(db, student, course)] == [session, session]
    return World(platform, db, org, course, session, students)


def of_other_course(its: World) -> None:
    elsewhere = its.platform.add_session(its.db, its.org, its.platform.add_course(its.db))
    its.everywhere("UPDATE {} SET session_id = {} WHERE user_id = ANY ({})", elsewhere, its.students)


def without_membership(its: World) -> None:
    its.run("DELETE FROM {} WHERE user_id = ANY ({})", "org_members", its.students)


def of_no_session(its: World) -> None:
    its.everywhere("UPDATE {} SET session_id = {} WHERE user_id = ANY ({})", uuid4(), its.students)


def orgs_without_sessions(its: World) -> None:
    for _ in range(FIVE):
        add_users(its.platform, its.db, 2, its.platform.add_org(its.db))


def sessions_without_members(its: World) -> None:
    for _ in range(FIVE):
        its.platform.add_session(its.db, its.platform.add_org(its.db), its.course)


def shadowed_sessions(its: World) -> None:
    for created_at in [*[None] * FIVE, AUTUMN]:  # not the one that there was: students are enrolled in it
        its.platform.add_session(its.db, its.org, its.course, created_at=created_at)


def split_students(its: World) -> None:
    other = its.platform.add_session(its.db, its.org, its.course, "completed")
    its.run("UPDATE {} SET session_id = {} WHERE user_id = ANY ({})", "submissions", other, its.students)


def unlinked_rows(its: World) -> None:
    its.everywhere("UPDATE {} SET session_id = NULL WHERE user_id = ANY ({})", its.students)


@dataclass(frozen=True)
class Fault:
    """A fault in five rows, and how it is reported."""

    do: Callable[[World], None]
    level: str
    detail: str
    objects: tuple[str, ...] = TABLES
    examples: bool = True


FAULTS = {
    "links_of_other_course": Fault(
        of_other_course, "error", "5 rows of {object} are linked to a session of another course"
    ),
    "links_without_membership": Fault(
        without_membership,
        "warning",
        "5 rows of {object} are linked to a session of an organisation that the user is not a member of",
    ),
    "links_without_session": Fault(
        of_no_session, "error", "5 rows of {object} are linked to a session that does not exist"
    ),
    "orgs_without_sessions": Fault(
        orgs_without_sessions, "info", "5 organisations with members have no session", ("org_members",)
    ),
    "sessions_without_members": Fault(
        sessions_without_members,
        "warning",
        "5 active sessions belong to an organisation without members",
        ("sessions",),
    ),
    "shadowed_sessions": Fault(shadowed_sessions, "warning", "5 active sessions can never be chosen", ("sessions",)),
    "split_students": Fault(
        split_students,
        "warning",
        "5 students have submissions that are not in the session of their enrolment",
        ("submissions",),
    ),
    "unlinked_rows": Fault(
        unlinked_rows,
        "warning",
        "5 rows of 6 in {object} have no session, though the rules find one.",
        examples=False,
    ),
}


def check(db: PlatformDatabase, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The findings of the checks that are named, else of all that read rows; of the shape that scripts rely on."""
    names = () if {*NAMES} & {*arguments} else NAMES
    run = call(db, "check", "--format", "json", *arguments, *names)
    assert run.code == code, run.err
    document = run.json
    assert {*document} == {"ok", "findings"}
    assert document["ok"] is (code == 0)
    findings: list[dict[str, Any]] = document["findings"]
    for finding in findings:
        assert {*finding} == {"check", "level", "object", "detail", "fix"}
        assert all(isinstance(value, str) and value for value in finding.values()), finding
    return findings


def examples_of(finding: dict[str, Any]) -> list[str]:
    """The rows that a finding names."""
    match = re.search(r"for example (.*)\.$", finding["detail"])
    named = match.group(1).split(", ") if match else []
    return [re.sub(r"^.* \((.+)\)$", r"\1", name) for name in named]  # the id of what has a name


def test_every_data_check_has_a_fault() -> None:
    assert [*FAULTS] == NAMES


def test_a_sound_platform_is_left_in_peace(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        world(installed_db.platform, db)

    assert check(installed_db, "--strict") == []


def test_no_platform_has_an_error_when_sessiondb_has_just_been_applied(installed_db: PlatformDatabase) -> None:
    everything = call(installed_db, "check", "--format", "json")
    assert everything.code == 0
    assert [finding for finding in everything.json["findings"] if finding["level"] == "error"] == []
    backfill(installed_db)
    assert [finding for finding in check(installed_db) if finding["level"] == "error"] == []


def test_a_fault_is_found_and_counted_and_no_other_check_takes_it_for_its_own(installed_db: PlatformDatabase) -> None:
    for name, fault in FAULTS.items():
        with installed_db.connect() as db:
            fault.do(world(installed_db.platform, db))
        code = 4 if fault.level == "error" else 0

        findings = check(installed_db, name, code=code)

        assert {finding["check"] for finding in findings} == {name}
        assert {finding["level"] for finding in findings} == {fault.level}
        assert tuple(sorted(finding["object"] for finding in findings)) == fault.objects
        for finding in findings:
            assert finding["detail"].startswith(fault.detail.format(object=finding["object"]))
            assert len({*examples_of(finding)}) == (3 if fault.examples else 0)
        assert check(installed_db, code=code) == findings
        assert call(installed_db, "check", name, "--strict").code == (0 if fault.level == "info" else 4)


@on("school")
def test_the_fix_of_split_students_leaves_what_does_not_fit_the_session_of_the_enrolment(
    installed_db: PlatformDatabase,
) -> None:
    """An enrolment that was moved to another course, and work that leads to another: any of them would stop the statement."""
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        split_students(its)
        elsewhere = its.platform.add_course(db)
        with unnoticed(db):
            its.run("UPDATE {} SET course_id = {} WHERE user_id = {}", "enrollments", elsewhere, its.students[0])
            its.run("UPDATE {} SET course_id = {} WHERE user_id = {}", "submissions", elsewhere, its.students[1])

        (finding,) = check(installed_db, "split_students")
        assert finding["detail"].startswith("3 students have submissions")
        db.execute(finding["fix"].partition(": ")[2].encode())

    assert check(installed_db, "split_students") == []


@on("school", "partitioned")
def test_no_more_examples_are_given_than_asked_for(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        elsewhere = {"links_without_session", "split_students", "unlinked_rows"}  # of rows that have other faults
        for name, fault in FAULTS.items():
            if name not in elsewhere:
                fault.do(its)

    for number in (1, 2, 1000):
        findings = check(installed_db, "--examples", str(number), code=4)
        assert {finding["check"] for finding in findings} >= {*FAULTS} - elsewhere
        for finding in findings:
            total = int(finding["detail"].split()[0])
            assert len({*examples_of(finding)}) == min(number, total)

    assert call(installed_db, "check", "--examples", "0").code == 2


def test_what_is_not_linked_is_counted_by_reason(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as db:
        its = world(platform, db)
        bare = platform.add_course(db)
        add_old_rows(platform, db, [(user, its.course) for user in add_users(platform, db, 2)], submissions=2)
        add_old_rows(platform, db, [(user, bare) for user in its.students[:3]])
        add_old_rows(platform, db, [(user, its.course) for user in add_users(platform, db, 1, its.org)])
        if not isinstance(platform, EnrolledPlatform):
            with unnoticed(db):
                platform.submit(db, its.students[0], None)

    said: dict[tuple[str, str], list[str]] = {}
    for finding in check(installed_db):
        assert finding["check"] == "unlinked_rows"
        said.setdefault((finding["object"], finding["level"]), []).append(finding["detail"])

    broken = 0 if isinstance(platform, EnrolledPlatform) else 1
    assert said == {
        ("enrollments", "warning"): ["1 row of 12 in enrollments has no session, though the rules find one."],
        ("enrollments", "info"): [
            "2 rows of 12 in enrollments have no session (no_membership).",
            "3 rows of 12 in enrollments have no session (no_session_for_course).",
        ],
        ("submissions", "warning"): [
            f"1 row of {14 + broken} in submissions has no session, though the rules find one."
        ],
        ("submissions", "info"): [
            *[f"1 row of 15 in submissions has no session ({reason})." for reason in ["course_unknown"] if broken],
            f"4 rows of {14 + broken} in submissions have no session (no_membership).",
            f"3 rows of {14 + broken} in submissions have no session (no_session_for_course).",
        ],
    }
    backfill(installed_db)
    assert "warning" not in {finding["level"] for finding in check(installed_db, "--strict")}


@on("reference", "hosted", "partitioned", "quoted")
def test_a_link_survives_what_it_was_handed_in_for(installed_db: PlatformDatabase) -> None:
    """The item is deleted, and the submission leads to no course any more: that is not another course."""
    platform = installed_db.platform
    with installed_db.connect() as db:
        its = world(platform, db)
        its.run("DELETE FROM {}", platform.task_tables[-1][0])
        count = sql.SQL("SELECT count(session_id) FROM {}").format(sql.Identifier(platform.schema, "submissions"))
        assert db.execute(count).fetchone() == (FIVE + 1,)

    assert check(installed_db) == []


@on("reference")
def test_a_submission_in_any_session_of_a_student_who_is_enrolled_in_two_is_no_fault(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        db.execute("ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_course_id_key")
        other = its.platform.add_session(db, its.org, its.course)
        twice, once = its.students[:2]
        assert its.platform.enroll(db, twice, its.course, other) == other
        assert its.platform.submit(db, twice, its.course, other) == other
        assert check(installed_db, "split_students") == []

        assert its.platform.submit(db, once, its.course, other) == other
        (finding,) = check(installed_db, "split_students")
        assert examples_of(finding) == [str(once)]
        assert db.execute(re.findall(r"UPDATE .*$", finding["fix"])[0]).rowcount == 1
    assert check(installed_db, "split_students") == []


@on("reference", "school")
def test_a_link_to_a_session_whose_course_was_set_to_null_is_a_fault(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        db.execute(
            sql.SQL("ALTER TABLE {} ALTER course_id DROP NOT NULL").format(
                sql.Identifier(its.platform.schema, "sessions")
            )
        )
        its.run("UPDATE {} SET course_id = NULL WHERE id = {}", "sessions", its.session)
        for finding in check(installed_db, "links_of_other_course", code=4):
            assert finding["detail"].startswith(f"{FIVE} rows of {finding['object']} are linked")
            (statement,) = re.findall(r"UPDATE .*$", finding["fix"], re.MULTILINE)
            assert db.execute(statement).rowcount == FIVE
    assert check(installed_db, "links_of_other_course") == []


def test_rows_without_an_id_are_named_by_their_user(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        of_other_course(its)
    without = WITHOUT_ID.get(installed_db.platform.name, ())

    findings = check(installed_db, "links_of_other_course", code=4)

    students = {f"of user {student}" for student in its.students}
    assert [{*examples_of(finding)} <= students for finding in findings] == [table in without for table in TABLES]


@pytest.mark.slow
def test_the_commands_of_a_fix_can_be_run_as_printed(installed_db: PlatformDatabase) -> None:
    """And where one command fixes what the check has named, no other is wanted."""
    fixed = {"orgs_without_sessions", "sessions_without_members", "shadowed_sessions", "unlinked_rows"}
    for name, fault in FAULTS.items():
        with installed_db.connect() as db:
            fault.do(world(installed_db.platform, db))
        for _ in range(FIVE):  # of organisations without a session, the fix is for one
            findings = check(installed_db, name, "--examples", "5", code=4 if fault.level == "error" else 0)
            for finding in findings:
                assert not re.search(r"\b(ID|SLUG|NNNN)\b", finding["fix"])
                for command in re.findall(r"^(?:.*: )?sessiondb (\w.*)", finding["fix"], re.MULTILINE):
                    done = call(installed_db, *shlex.split(command))
                    assert done.code == 0, done.err
        if name in fixed:
            assert check(installed_db, name) == []


def test_what_a_row_that_cannot_be_linked_wants_is_asked_as_printed(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as db:
        its = world(platform, db)
        add_old_rows(platform, db, [(user, its.course) for user in add_users(platform, db, 2)])
        if not isinstance(platform, EnrolledPlatform):
            with unnoticed(db):
                platform.submit(db, its.students[0], None)

    told = set()
    for finding in check(installed_db):
        reason = finding["detail"].rstrip(").").rpartition("(")[2]
        (explain,) = re.findall(r"sessiondb (explain .*)$", finding["fix"])
        answer = call(installed_db, *shlex.split(explain), "--format", "json")
        assert answer.json["reason"] == reason
        told.add(reason)
    assert told == {"no_membership"} | ({"course_unknown"} if not isinstance(platform, EnrolledPlatform) else set())


@on("reference", "school")
def test_a_session_that_students_are_enrolled_in_is_hidden_by_no_newer_one(installed_db: PlatformDatabase) -> None:
    """R4: what they submit goes there as long as it is active."""
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        its.platform.add_session(db, its.org, its.course, created_at=AUTUMN)
        assert its.platform.submit(db, its.students[0], its.course) == its.session
        assert check(installed_db, "shadowed_sessions") == []

        its.run("DELETE FROM {} WHERE user_id = ANY ({})", "org_members", its.students)
        (finding,) = check(installed_db, "shadowed_sessions")
    assert finding["detail"].startswith("1 active session can never be chosen")
    assert examples_of(finding) == [str(its.session)]


def test_the_statement_that_unlinks_what_is_wrong_can_be_run_as_printed(installed_db: PlatformDatabase) -> None:
    for name in ("links_of_other_course", "links_without_membership", "links_without_session"):
        with installed_db.connect() as db:
            its = world(installed_db.platform, db)
            FAULTS[name].do(its)
            for finding in check(installed_db, name, code=4 if FAULTS[name].level == "error" else 0):
                (statement,) = re.findall(r"UPDATE .*$", finding["fix"], re.MULTILINE)
                assert db.execute(statement).rowcount == FIVE

        assert check(installed_db, name) == []
        backfill(installed_db)
        right = None if name == "links_without_membership" else its.session
        found = {user: sessions for user, sessions in links(installed_db).items() if user in its.students}
        assert found == {key: [right, right] for key in its.students}


# running them


@on("reference")
def test_a_check_that_is_named_is_the_only_one_that_runs(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        unlinked_rows(its)
        shadowed_sessions(its)
        db.execute("ALTER TABLE enrollments DISABLE TRIGGER zzz_sessiondb_link_enrollment")

    def ran(*names: str) -> tuple[list[str], list[str]]:
        run = call(installed_db, "check", "--format", "json", *names)
        return run.err.splitlines(), sorted({finding["check"] for finding in run.json["findings"]})

    assert ran("unlinked_rows") == (["checking unlinked_rows"], ["unlinked_rows"])
    assert ran("shadowed_sessions", "triggers_enabled") == (
        ["checking shadowed_sessions"],
        ["shadowed_sessions", "triggers_enabled"],
    )
    assert ran("triggers_enabled") == ([], ["triggers_enabled"])
    everything = ["shadowed_sessions", "triggers_enabled", "unlinked_rows"]
    assert ran() == ([f"checking {name}" for name in NAMES], everything)

    unknown = call(installed_db, "check", "unlinked_row")
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.startswith('sessiondb: there is no check "unlinked_row"; the checks are:\n')


def test_to_read_the_tables_is_right_enough(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        for fault in (of_other_course, shadowed_sessions, unlinked_rows, orgs_without_sessions):
            fault(its)
        with unnoticed(db):
            its.run("UPDATE {} SET session_id = {}", "enrollments", its.session)
    before = versions(installed_db)

    with auditor(installed_db) as role:
        its_view = call(installed_db, "check", "--format", "json", user=role)

    owners_view = call(installed_db, "check", "--format", "json")
    assert (its_view.code, its_view.json) == (owners_view.code, owners_view.json)
    assert versions(installed_db) == before


@on("school", "academy")
def test_a_role_that_may_not_read_the_tables_is_told_so(installed_db: PlatformDatabase) -> None:
    run = call(installed_db, "check", user=installed_db.platform.student_role)

    assert run.code in (1, 4)
    assert "Traceback" not in run.err
    assert "schema sessiondb" in run.out + run.err


@on("reference", "quoted")
def test_a_role_that_may_not_read_one_of_the_tables_is_told_what_it_lacks(installed_db: PlatformDatabase) -> None:
    with auditor(installed_db) as role, installed_db.connect() as db:
        table = sql.Identifier(installed_db.platform.schema, "submissions")
        db.execute(sql.SQL("REVOKE SELECT ON {} FROM {}").format(table, sql.Identifier(role)))
        run = call(installed_db, "check", "--format", "json", user=role)

    assert run.code == 4
    lacking = [finding for finding in run.json["findings"] if "permission denied" in finding["detail"]]
    assert {finding["detail"] for finding in lacking} == {
        "The check cannot be run: permission denied for table submissions."
    }
    assert {finding["fix"].split()[0] for finding in lacking} == {"GRANT"}


@on("reference")
def test_work_in_a_new_session_after_that_of_the_enrolment_has_ended_is_no_fault(
    installed_db: PlatformDatabase,
) -> None:
    """Nor when the student has left its organisation."""
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        other = its.platform.add_session(db, its.org, its.course, "completed")
        its.run("UPDATE {} SET session_id = {} WHERE user_id = ANY ({})", "submissions", other, its.students)
        assert len(check(installed_db, "split_students")) == 1
        db.execute("UPDATE sessions SET status = CASE id WHEN %s THEN 'active' ELSE 'completed' END", [other])
        assert check(installed_db, "split_students") == []
        db.execute("UPDATE sessions SET status = 'active'; DELETE FROM org_members")
        assert check(installed_db, "split_students") == []


@on("reference")
def test_a_check_that_takes_too_long_is_a_finding_and_the_others_are_run(installed_db: PlatformDatabase) -> None:
    """Here it waits for a session that has locked the table."""
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        shadowed_sessions(its)
    with installed_db.connect(autocommit=False) as other:
        other.execute("LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE")
        findings = check(
            installed_db, "links_of_other_course", "shadowed_sessions", "split_students", "--timeout", "1", code=4
        )

    slow = {f["check"]: f for f in findings if f["level"] == "error"}
    assert [*slow] == ["links_of_other_course", "split_students"]
    for name, finding in slow.items():
        assert finding["detail"] == "The check did not finish: canceling statement due to statement timeout."
        (command,) = re.findall(r"sessiondb (check .*)$", finding["fix"])
        assert check(installed_db, *shlex.split(command)[1:]) == [], name
    assert "shadowed_sessions" in {finding["check"] for finding in findings}


def add_many_rows(db: PlatformDatabase) -> None:
    """Two hundred courses with a hundred submissions each, unlinked; where an index leads from the course."""
    with db.connect() as connection, unnoticed(connection):
        connection.execute(
            """
            INSERT INTO users (email) SELECT 'many' || n FROM generate_series(1, 100) AS n;
            INSERT INTO courses (title) SELECT 'many' FROM generate_series(1, 200);
            INSERT INTO exercises (course_id, title) SELECT id, 'many' FROM courses WHERE title = 'many';
            INSERT INTO enrollments (user_id, course_id)
            SELECT u.id, c.id FROM users AS u CROSS JOIN courses AS c WHERE u.email LIKE 'many%' AND c.title = 'many';
            INSERT INTO submissions (user_id, exercise_id, content)
            SELECT u.id, x.id, '' FROM users AS u CROSS JOIN exercises AS x WHERE u.email LIKE 'many%' AND x.title = 'many';
            CREATE INDEX ON exercises (course_id);
            CREATE INDEX ON submissions (exercise_id);
            CREATE INDEX ON enrollments (course_id)
            """
        )
    with db.connect() as connection:
        connection.execute("VACUUM (ANALYZE)")


@on("reference")
def test_all_checks_together_read_each_large_table_once(installed_db: PlatformDatabase) -> None:
    add_many_rows(installed_db)

    with installed_db.database().transaction(read_only=True) as connection:
        checks.check(connection, NAMES, 3, lambda line: None)
        read = connection.execute(
            "SELECT relname, seq_scan FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('enrollments', 'submissions') ORDER BY relname"
        ).fetchall()

    assert read == [("enrollments", 1), ("submissions", 1)]


@on("reference")
def test_what_a_backfill_would_link_is_counted_from_the_course(installed_db: PlatformDatabase) -> None:
    add_many_rows(installed_db)

    with installed_db.connect(autocommit=False) as connection:
        connection.execute("SELECT sessiondb.count_linkable(id) FROM courses WHERE title = 'many' LIMIT 1")
        read = connection.execute(
            # the planner looks up the first and the last value of an index besides
            "SELECT relname, seq_scan, round(idx_tup_fetch, -1) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('enrollments', 'submissions') ORDER BY relname"
        ).fetchall()

    assert read == [("enrollments", 0, 100), ("submissions", 0, 100)]


@on("reference", "partitioned")
def test_a_session_is_committed_before_it_is_counted_what_a_backfill_would_link(installed_db: PlatformDatabase) -> None:
    """The count waits for another session, and what waits for the new session does not wait for the count."""
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        db.execute(sql.SQL("ALTER DATABASE {} SET lock_timeout TO '300ms'").format(sql.Identifier(db.info.dbname)))
    with installed_db.connect(autocommit=False) as other:
        other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier("submissions")))
        done = call(installed_db, "session", "set-status", str(its.session), "completed", "--format", "json")

    assert done.code == 0, done.err
    assert (done.json["status"], done.json["linkable_submissions"]) == ("completed", None)
    assert done.err.startswith("What a backfill would link now could not be counted: ")


# for CI


def junit(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """The whole report: each check with its failure, and with what is said beside."""
    suite = ElementTree.fromstring(run.out)
    cases = suite.findall("testcase")
    failures = {case.attrib["name"]: found.text or "" for case in cases if (found := case.find("failure")) is not None}
    remarks = {
        case.attrib["name"]: found.text or "" for case in cases if (found := case.find("system-out")) is not None
    }
    assert (suite.tag, suite.attrib["tests"], suite.attrib["failures"]) == (
        "testsuite",
        str(len(cases)),
        str(len(failures)),
    )
    return failures, remarks


@on("reference", "quoted")
def test_junit_has_a_case_for_each_check_and_a_failure_for_each_that_found_an_error(
    installed_db: PlatformDatabase,
) -> None:
    everything = set(checks.check_names())
    with installed_db.connect() as db:
        its = world(installed_db.platform, db)
        sound = call(installed_db, "check", "--format", "junit")
        assert (sound.code, junit(sound)) == (0, ({}, {}))
        assert {case.attrib["name"] for case in ElementTree.fromstring(sound.out)} == everything

        of_other_course(its)
        shadowed_sessions(its)
    faulty = call(installed_db, "check", "--format", "junit")
    failures, remarks = junit(faulty)

    assert faulty.code == 4
    assert ([*failures], [*remarks]) == (["links_of_other_course"], ["shadowed_sessions"])
    for finding in check(installed_db, "links_of_other_course", code=4):
        assert finding["detail"] in failures["links_of_other_course"]
        for line in finding["fix"].splitlines():
            assert line in failures["links_of_other_course"]
    one = ElementTree.fromstring(call(installed_db, "check", "--format", "junit", "shadowed_sessions").out)
    assert [case.attrib["name"] for case in one] == ["shadowed_sessions"]


@on("reference")
def test_with_strict_a_warning_is_a_failure_in_junit_too(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        shadowed_sessions(world(installed_db.platform, db))

    run = call(installed_db, "check", "--strict", "--format", "junit")

    assert run.code == 4
    assert [*junit(run)[0]] == ["shadowed_sessions"]


@on("reference")
def test_junit_is_well_formed_whatever_a_function_contains(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as db:
        body = "BEGIN /* <&\"'> ]]> \f \x01 \x1b[0m é */ RETURN NULL; END"
        change = "CREATE OR REPLACE FUNCTION sessiondb.link_enrollment() RETURNS trigger"
        db.execute(sql.SQL(f"{change} LANGUAGE plpgsql AS {{}}").format(sql.Literal(body)))

    run = call(installed_db, "check", "--format", "junit")

    assert run.code == 4
    assert "installed_objects" in junit(run)[0]


@on("reference")
def test_a_report_is_one_json_document(installed_db: PlatformDatabase) -> None:
    run = call(installed_db, "check", "--format", "json")

    assert json.loads(run.out) == run.json
