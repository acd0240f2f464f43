"""Every existing row is accounted for: linked, or left with a reason that a person can act on.

SESSIONDB_TEST_ROWS=100000 does it with as many rows on each platform.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest
from conftest import PlatformDatabase
from oracle import Oracle, Session
from platforms import EnrolledPlatform, Platform
from psycopg import sql
from test_backfill import AUTUMN, SPRING, TABLES, add_users, backfill, call, clear, insert_many, on, rows, unnoticed
from test_explain import carry_out, reason

from sessiondb.connection import Connection

ROWS = int(os.environ.get("SESSIONDB_TEST_ROWS", "3000"))
PER_STUDENT = 28
"""About so many rows each has: an enrolment in each course, and three submissions there."""


@dataclass
class Filled:
    """A platform with old rows of every kind, and what must become of them."""

    platform: Platform
    db: Connection
    oracle: Oracle = field(default_factory=Oracle)
    linkable: Counter[str] = field(default_factory=Counter)
    """Table to the number of rows."""
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {table: Counter() for table in TABLES})
    courses: list[UUID] = field(default_factory=list)

    def fill(self, number: int) -> None:
        platform, db = self.platform, self.db
        clear(platform, db)
        north, south, past, empty = orgs = [platform.add_org(db) for _ in range(4)]
        for org in orgs:
            self.oracle.members.add((org, platform.add_member(db, org, platform.add_user(db), "trainer")))
        self.courses = [platform.add_course(db) for _ in range(7)]
        both, closed, northern, draft, *_ = self.courses  # the others have no session
        for org, course, status, date in (
            (north, both, "active", SPRING),
            (north, both, "active", AUTUMN),
            (south, both, "active", None),
            (past, both, "completed", AUTUMN),
            (south, closed, "completed", AUTUMN),
            (north, closed, "draft", AUTUMN),
            (north, northern, "active", SPRING),
            (north, draft, "draft", SPRING),
            (south, draft, "active", SPRING),
        ):
            session = platform.add_session(db, org, course, status, created_at=date)
            self.oracle.sessions[session] = Session(org, course, status, date)
        groups: list[list[UUID]] = [
            [],
            [north],
            [south],
            [north, south],
            [past],
            [empty],
            [empty, north],
            [past, south],
        ]
        each = max(1, number // (len(groups) * PER_STUDENT))
        for group in groups:
            self.enrol(add_users(platform, db, each, *group), group)
        db.execute("ANALYZE")

    def enrol(self, students: list[UUID], group: list[UUID]) -> None:
        """Enrol some in all courses, and let them submit; one student in ten has been placed or linked before."""
        one = students[0]
        self.oracle.members |= {(org, one) for org in group}
        for course in self.courses:
            tasks = [self.platform.new_task(self.db, course) for _ in range(3)]
            chosen = self.oracle.session_for(one, course)
            why = reason(self.oracle, one, course, chosen)
            placed = students[: len(students) // 10] if chosen else []
            ids = [uuid4() for _ in students]
            columns: dict[str, list[Any]] = {
                "user_id": students,
                "course_id": [course] * len(students),
                "session_id": [chosen if student in placed else None for student in students],
            }
            if isinstance(self.platform, EnrolledPlatform):
                columns["id"] = ids
            with unnoticed(self.db):
                insert_many(self.platform, self.db, "enrollments", columns)
                for task in tasks:
                    self.submit(students, ids, task)
            self.account("enrollments", why, len(students) - len(placed))
            self.account("submissions", why, len(students) * len(tasks))
        if not isinstance(self.platform, EnrolledPlatform):
            self.delete_an_item(students)

    def submit(self, students: list[UUID], enrolments: list[UUID], task: UUID) -> None:
        enrolled = isinstance(self.platform, EnrolledPlatform)
        columns: dict[str, list[Any]] = {
            "user_id": students,
            self.platform.task_column: enrolments if enrolled else [task] * len(students),
        }
        if self.platform.name == "partitioned":
            first = datetime(2022, 3, 1, tzinfo=UTC)
            columns["submitted_at"] = [first + timedelta(days=n * 97 % 1500) for n in range(len(students))]
        insert_many(self.platform, self.db, "submissions", columns)

    def delete_an_item(self, students: list[UUID]) -> None:
        """Let them submit something that is deleted afterwards."""
        platform = self.platform
        course = platform.add_course(self.db)
        task = platform.new_task(self.db, course)
        table, key = (
            (platform.task_tables[-1][0], platform.task_tables[-1][1]) if platform.task_tables else ("courses", "id")
        )
        with unnoticed(self.db):
            self.submit(students, [], task)
        delete = sql.SQL("DELETE FROM {} WHERE {} = {}")
        names = sql.Identifier(platform.schema, table), sql.Identifier(key), sql.Literal(course)
        self.db.execute(delete.format(*names))
        self.account("submissions", "course_unknown", len(students))

    def account(self, table: str, why: str, number: int) -> None:
        if why == "linked":
            self.linkable[table] += number
        else:
            self.reasons[table][why] += number


def total(db: PlatformDatabase, table: str) -> tuple[int, int]:
    """The rows that there are, and those without a session."""
    query: LiteralString = "SELECT count(*), count(*) - count(session_id) FROM {}"
    ((number, unlinked),) = rows(db, query, table)
    return number, unlinked


def counted_by_check(db: PlatformDatabase, *names: str) -> dict[str, Counter[str]]:
    """The rows that check says are not linked, by reason; it must find no error."""
    run = call(db, "check", "--format", "json", *names)
    assert run.code == 0, run.out
    counts: dict[str, Counter[str]] = {table: Counter() for table in TABLES}
    for finding in run.json["findings"]:
        assert finding["level"] != "error"
        if finding["check"] == "unlinked_rows":
            match = re.fullmatch(
                r"(\d+) rows? of (\d+) in (\w+) (?:has|have) no session(?:, though the rules find one| \((\w+)\))\.",
                finding["detail"],
            )
            assert match
            assert (int(match[2]), match[3]) == (total(db, match[3])[0], finding["object"])
            counts[match[3]][match[4] or "linked"] += int(match[1])
    return counts


def shown(db: PlatformDatabase, table: str) -> list[dict[str, Any]]:
    """The rows that show says are not linked, each with its reason."""
    run = call(db, "show", table, "--unlinked", "--format", "json")
    assert run.code == 0, run.err
    found: list[dict[str, Any]] = run.json
    return found


@pytest.mark.slow
def test_every_row_is_linked_or_has_a_reason_and_all_counts_agree(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as db:
        filled = Filled(platform, db)
        filled.fill(ROWS)
    before = {table: total(installed_db, table) for table in TABLES}
    assert ROWS * 0.8 < sum(number for number, _ in before.values()) < ROWS * 1.5
    for table in TABLES:
        assert before[table][1] == filled.linkable[table] + filled.reasons[table].total()

    # before: what could be linked is counted as such
    dry = backfill(installed_db, "--dry-run")
    linkable = {table: filled.reasons[table] + Counter(linked=filled.linkable[table]) for table in TABLES}
    assert counted_by_check(installed_db, "unlinked_rows") == linkable
    seen = {table: Counter(row["reason"] for row in shown(installed_db, table)) for table in TABLES}
    assert seen == linkable

    done = backfill(installed_db)

    assert done == dry
    for table in TABLES:
        left = filled.reasons[table]
        assert done[table]["linked"] == filled.linkable[table]
        assert Counter(done[table]["reasons"]) == left
        assert done[table]["unlinkable"] == left.total() == total(installed_db, table)[1]
        assert done[table]["scanned"] == before[table][1]
    assert counted_by_check(installed_db) == filled.reasons
    unlinked = {table: shown(installed_db, table) for table in TABLES}
    for table, found in unlinked.items():
        assert Counter(row["reason"] for row in found) == filled.reasons[table]
        assert {row["session_id"] for row in found} == {None}
    assert {*filled.reasons["submissions"]} | {*filled.reasons["enrollments"]} >= {
        "no_membership",
        "no_session_for_course",
        "no_active_session",
        "session_in_other_org",
    }

    fix_all(installed_db, unlinked)


def fix_all(db: PlatformDatabase, unlinked: dict[str, list[dict[str, Any]]]) -> None:
    """For each reason carry out what explain prints for one row, until its last fix, a backfill, links that row."""
    for table, found in reversed(unlinked.items()):
        for why in sorted({row["reason"] for row in found}, reverse=True):
            # one that an earlier fix has not helped already; by chance a few have helped them all
            row = next((r for r in found if r["reason"] == why and ask(db, table, r)["reason"] == why), None)
            if row is None:
                continue
            while (answer := ask(db, table, row))["reason"] not in ("linked", "already_linked"):
                carry_out(db, answer["fix"])
            if answer["fix"]:  # a statement that writes the row itself has linked it
                carry_out(db, answer["fix"])
            ((session,),) = rows(db, where(row), table)
            assert str(session) == answer["session_id"], why


def where(row: dict[str, Any]) -> LiteralString:
    """A query for the session of a row that show has printed, whatever its key is."""
    keys = ["id"] if "id" in row else [name for name in ("user_id", "course_id", "attempt_no") if name in row]
    conditions = [f"{name} = '{row[name]}'" for name in keys]
    return f"SELECT session_id FROM {{}} WHERE {' AND '.join(conditions)}"


def ask(db: PlatformDatabase, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """What explain says of a row, by its id or by its user and course."""
    if "id" in row:
        question = ["--enrollment" if table == "enrollments" else "--submission", row["id"]]
    elif "course_id" in row:
        question = ["--user", row["user_id"], "--course", row["course_id"]]
    else:
        query: LiteralString = f"SELECT course_id FROM {{}} WHERE id = '{row['enrollment_id']}'"
        ((course,),) = rows(db, query, "enrollments")
        question = ["--user", row["user_id"], "--course", str(course)]
    run = call(db, "explain", "--format", "json", *question)
    assert run.code == 0, run.err
    document: dict[str, Any] = run.json
    return document


@on("quoted")
def test_names_on_the_way_to_the_course_may_hold_percent_signs(platform_db: PlatformDatabase) -> None:
    platform = platform_db.platform
    with platform_db.connect() as db:
        clear(platform, db)
        course = platform.add_course(db)
        (student,) = add_users(platform, db, 1)
        with unnoticed(db):
            platform.submit(db, student, course)
        table = sql.Identifier(platform.schema, "submissions")
        db.execute(
            sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}").format(
                table, sql.Identifier(platform.task_column), sql.Identifier("100%s %(x)s %")
            )
        )
    platform_db.apply()

    assert [row["reason"] for row in shown(platform_db, "submissions")] == ["no_membership"]
    assert counted_by_check(platform_db)["submissions"] == Counter(no_membership=1)
    assert backfill(platform_db)["submissions"]["reasons"] == {"no_membership": 1}


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("table", TABLES)
@on("reference", "partitioned")
def test_show_with_a_session_shows_what_is_linked_to_it_and_unlinked_what_is_not(
    installed_db: PlatformDatabase, table: str
) -> None:
    with installed_db.connect() as db:
        filled = Filled(installed_db.platform, db)
        filled.fill(200)
    backfill(installed_db)
    linked = sum(
        len(call(installed_db, "show", table, "--session", str(session), "--format", "json").json)
        for session in filled.oracle.sessions
    )

    assert linked + len(shown(installed_db, table)) == total(installed_db, table)[0]
