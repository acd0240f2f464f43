"""Any history of a platform: function and triggers do what the oracle says, at every step."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest
from conftest import PlatformDatabase
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Incoherent, Oracle, Row, Session
from platforms import EnrolledPlatform, Platform
from psycopg import errors, sql

from sessiondb.connection import Connection

HISTORIES = 100  # on each of the six platforms

settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("desk", deadline=None)
PROFILE = settings.get_profile("ci" if os.environ.get("CI") else "desk")

# A history is a list of steps, each the name of a method of Play and its arguments. Everything in it has a
# name, so that a history that fails can be read; only Play.cast knows the ids. Few people and much going on,
# so that things meet.
COUNTS = {"user": 2, "org": 2, "course": 2, "session": 5}
NAMES = {kind: [f"{kind} {n}" for n in range(count)] for kind, count in COUNTS.items()}
STEPS = 30

user, org, course, session = (st.sampled_from(names) for names in NAMES.values())
date = st.sampled_from([None, *(datetime(2024, month, 1, tzinfo=UTC) for month in (2, 9))])
status = st.sampled_from(["active", "active", "active", "draft", "completed"])
table = st.sampled_from(["enrollments", "submissions"])
maybe_course = st.sampled_from([*NAMES["course"] * 3, None])
maybe_session = st.sampled_from([*NAMES["session"], *[None] * 5])
joins = st.tuples(st.just("join"), org, user)
opens = st.tuples(st.just("open"), session, org, course, status, date)
enrols = st.tuples(st.just("enroll"), user, course, maybe_session)
submits = st.tuples(st.just("submit"), user, maybe_course, maybe_session)
steps = st.one_of(
    joins,
    opens,
    submits,
    submits,
    enrols,
    st.tuples(st.just("leave"), org, user),
    st.tuples(st.just("set_status"), session, status),
    st.tuples(st.just("transfer"), session, course),
    st.tuples(st.just("delete"), session),
    st.tuples(st.just("move"), table, user, maybe_session, maybe_session),
    st.tuples(st.just("write_again"), table, user),
)
finale = [("submit", user, course, None) for user in NAMES["user"] for course in NAMES["course"]]
histories = st.tuples(
    st.lists(joins, min_size=2, max_size=4),
    st.lists(opens, min_size=2, max_size=6),
    st.lists(enrols, max_size=3),
    st.lists(steps, min_size=15, max_size=STEPS),
    st.just(finale),
).map(lambda acts: [step for act in acts for step in act])


@dataclass(frozen=True)
class Play:
    """A history, played on the database and told to the oracle. What the platform cannot do is passed over."""

    platform: Platform
    db: Connection
    cast: dict[Any, UUID]
    tasks: dict[UUID, list[UUID]]
    course_of: dict[UUID, UUID]
    query: str
    oracle: Oracle = field(default_factory=Oracle)

    def join(self, org: UUID, user: UUID) -> None:
        if (org, user) not in self.oracle.members:
            self.oracle.members.add((org, user))
            self.platform.add_member(self.db, org, user)

    def leave(self, org: UUID, user: UUID) -> None:
        self.oracle.members.discard((org, user))
        self.run("DELETE FROM {} WHERE org_id = {} AND user_id = {}", "org_members", org, user)

    def open(self, session: UUID, org: UUID, course: UUID, status: str, created_at: datetime | None) -> None:
        if session not in self.oracle.sessions:
            self.oracle.sessions[session] = Session(org, course, status, created_at)
            self.platform.add_session(self.db, org, course, status, created_at=created_at, id=session)

    def set_status(self, session: UUID, status: str) -> None:
        if session in self.oracle.sessions:
            self.oracle.sessions[session].status = status
        self.run("UPDATE {} SET status = {} WHERE id = {}", "sessions", status, session)

    def transfer(self, session: UUID, course: UUID) -> None:
        if session in self.oracle.sessions:
            self.oracle.sessions[session].course = course
        self.run("UPDATE {} SET course_id = {} WHERE id = {}", "sessions", course, session)

    def delete(self, session: UUID) -> None:
        if session in self.oracle.sessions:
            self.oracle.delete(session)
        self.run("DELETE FROM {} WHERE id = {}", "sessions", session)

    def enroll(self, user: UUID, course: UUID, given: UUID | None) -> None:
        if not self.told("enrollments", user, course):  # a user enrols in a course once
            expected = answer(self.oracle.enroll, user, course, given)
            assert self.written(user, self.platform.enroll, self.db, user, course, given) == expected

    def submit(self, user: UUID, course: UUID | None, given: UUID | None) -> None:
        if isinstance(self.platform, EnrolledPlatform) and not self.told("enrollments", user, course):
            return
        # each time something else: hosted takes one submission for an item
        task = course and self.tasks[course][len(self.told("submissions", user, course))]
        expected = answer(self.oracle.submit, user, course, given)
        assert self.written(user, self.platform.submit, self.db, user, course, given, task) == expected

    def move(self, table: str, user: UUID, old: UUID | None, new: UUID | None) -> None:
        rows = [row for row in getattr(self.oracle, table) if (row.user, row.session) == (user, old)]
        expected = answer(self.oracle.move, rows, new)
        update = "UPDATE {} SET session_id = {} WHERE user_id = {} AND session_id IS NOT DISTINCT FROM {}"
        assert self.written(None, self.run, update, table, new, user, old) == expected

    def write_again(self, table: str, user: UUID) -> None:
        for row in getattr(self.oracle, table):
            if row.user == user:
                self.oracle.write_again(row)
        self.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)

    def written(self, student: UUID | None, write: Callable[..., object], *args: object) -> object:
        """What the database answers to a student, or to staff; what it refuses is undone."""

        def in_savepoint() -> object:
            with self.db.transaction(), self.platform.as_student(self.db, student) if student else nullcontext():
                return write(*args)

        return answer(in_savepoint)

    def told(self, table: str, user: UUID, course: UUID | None) -> list[Row]:
        """The rows that the oracle knows of."""
        return [row for row in getattr(self.oracle, table) if (row.user, row.course) == (user, course)]

    def compare(self) -> None:
        """Compare all that is stored, and what the function says of every user in every course."""
        users, courses = ([self.cast[name] for name in NAMES[kind]] for kind in ("user", "course"))
        found = Counter(
            (*row[:2], self.course_of.get(row[2], row[2]), row[3]) for row in self.db.execute(self.query.encode())
        )
        assert found == Counter(
            [("function", user, course, self.oracle.session_for(user, course)) for user in users for course in courses]
            + [("enrollment", row.user, row.course, row.session) for row in self.oracle.enrollments]
            + [("submission", row.user, row.course, row.session) for row in self.oracle.submissions]
        )

    def run(self, query: LiteralString, name: str, *values: object) -> None:
        """Run SQL in which the first ``{}`` is a table of the platform and the others are values."""
        table = sql.Identifier(self.platform.schema, name)
        self.db.execute(sql.SQL(query).format(table, *map(sql.Literal, values)))


def answer(ask: Callable[..., object], *args: object) -> object:
    """What is answered, ``incoherent`` where the session given is refused."""
    try:
        return ask(*args)
    except Incoherent:
        return "incoherent"
    except errors.CheckViolation as error:
        return "incoherent" if "_session_id_coherent" in str(error.diag.constraint_name) else error


def everything(platform: Platform, users: list[UUID], courses: list[UUID]) -> sql.Composed:
    """The query that shows what the function says and what is stored, a submission with its task."""
    names = ("get_user_session_for_course", "enrollments", "submissions")
    function, enrollments, submissions = (sql.Identifier(platform.schema, name) for name in names)
    task: sql.Composable = sql.Identifier(platform.task_column)
    if isinstance(platform, EnrolledPlatform):
        task = sql.SQL("(SELECT e.course_id FROM {} AS e WHERE e.id = {})").format(enrollments, task)
    return sql.SQL(
        """
        SELECT 'function', u, c, {function}(u, c) FROM unnest({users}) AS u CROSS JOIN unnest({courses}) AS c
         UNION ALL
        SELECT 'enrollment', user_id, course_id, session_id FROM {enrollments} WHERE user_id = ANY ({users})
         UNION ALL
        SELECT 'submission', user_id, {task}, session_id FROM {submissions} WHERE user_id = ANY ({users})
        """
    ).format(
        function=function,
        enrollments=enrollments,
        submissions=submissions,
        task=task,
        users=sql.Literal(users),
        courses=sql.Literal(courses),
    )


@pytest.mark.slow
def test_any_history_is_as_the_rules_say(installed_db: PlatformDatabase) -> None:
    platform, played = installed_db.platform, 0
    with installed_db.connect() as db:
        ids: dict[str, Callable[[Connection], UUID]] = {
            "user": platform.add_user,
            "org": platform.add_org,
            "course": platform.add_course,
            "session": lambda _: uuid4(),
        }
        cast: dict[Any, UUID] = {name: ids[kind](db) for kind, names in NAMES.items() for name in names}
        tasks = {
            cast[course]: [platform.new_task(db, cast[course]) for _ in range(STEPS + 1)] for course in NAMES["course"]
        }

        course_of = {task: course for course, done in tasks.items() for task in done}
        users, courses = ([cast[name] for name in NAMES[kind]] for kind in ("user", "course"))
        query = everything(platform, users, courses).as_string(db)

        @settings(PROFILE, max_examples=HISTORIES)
        @given(histories)
        def play(history: list[tuple[Any, ...]]) -> None:
            nonlocal played
            played += 1
            with db.transaction(force_rollback=True):
                stage = Play(platform, db, cast, tasks, course_of, query)
                for verb, *names in history:
                    getattr(stage, verb)(*(cast.get(name, name) for name in names))
                    stage.compare()

        play()
    assert played >= HISTORIES
