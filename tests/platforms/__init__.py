"""Databases as found in the wild, and one way to use them all.

A test that states a rule takes any of PLATFORMS, applies, and then:

    task = platform.new_task(conn, course)  # before the switch: a student may not
    with platform.as_student(conn, user):
        assert platform.submit(conn, user, course, task=task) == session
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import EllipsisType
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[Any]

ID = sql.SQL("t.id")
USER_ID = sql.SQL("t.user_id")
# Through the whole row: works before apply too, when there is no such column.
SESSION_ID = sql.SQL("(to_jsonb(t.*) ->> 'session_id')::uuid")


@dataclass(frozen=True, kw_only=True, eq=False)
class Platform:
    """One platform: what a test may expect of it, and how to put rows into it."""

    name: str
    schema: str = "public"
    course_path: str
    """As `sessiondb status` shows it."""
    owner: str | None = None
    """Owns the tables, runs apply; None: the superuser."""
    student_role: str | None = None
    """Inserts and reads enrollments and submissions, nothing else; None: no such role."""
    trigger_tables: tuple[str, ...] = ("enrollments", "submissions")
    statuses: tuple[str, ...] = ("draft", "active", "completed", "cancelled")
    """What sessions.status may be."""
    user_schema: str | None = None
    search_path: tuple[str, ...] = ()
    """That of the database itself, which the platform's own code relies on."""
    task_column: str
    """The column of submissions where the path begins."""
    task_tables: tuple[tuple[str, str], ...] = ()
    """The tables on the way to courses, each with its column of the path."""
    extras: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Table to what its NOT NULL columns need beside the columns of the rules."""

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(__file__).with_name(f"{self.name}.sql")

    def load(self, conn: Connection) -> None:
        """Create the platform in an empty database."""
        conn.execute(self.path.read_bytes())

    def grant_create(self, conn: Connection, dbname: str) -> None:
        """Let the owner apply in a clone: CREATE DATABASE copies no grants on databases, nor their settings."""
        if self.search_path:
            path = sql.SQL(", ").join(map(sql.Identifier, self.search_path))
            conn.execute(sql.SQL("ALTER DATABASE {} SET search_path TO {}").format(sql.Identifier(dbname), path))
        if self.owner is not None:
            names = map(sql.Identifier, (dbname, self.owner))
            conn.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(*names))

    def add_user(self, conn: Connection) -> UUID:
        user: UUID = self._insert(conn, "users", {"email": f"{uuid4()}@example.org"})
        return user

    def add_org(self, conn: Connection) -> UUID:
        slug = f"org-{uuid4().hex}"
        org: UUID = self._insert(conn, "orgs", {"name": slug.title(), "slug": slug})
        return org

    def add_course(self, conn: Connection) -> UUID:
        """A course in which one submission can be made."""
        course: UUID = self._insert(conn, "courses", {"title": "A course"})
        self.new_task(conn, course)
        return course

    def add_member(self, conn: Connection, org: UUID, user: UUID, role: str = "student") -> UUID:
        """Make the user a member; returns the user."""
        row = {"org_id": org, "user_id": user, "role": role}
        self._insert(conn, "org_members", row, USER_ID)
        return user

    def add_session(
        self,
        conn: Connection,
        org: UUID,
        course: UUID,
        status: str = "active",
        *,
        created_at: datetime | EllipsisType | None = ...,
        id: UUID | None = None,  # noqa: A002
    ) -> UUID:
        """created_at: `...` is the column's default, None is NULL."""
        row: dict[str, object] = {"id": id or uuid4(), "title": "A session"}
        row |= {"org_id": org, "course_id": course, "status": status}
        row |= {} if created_at is ... else {"created_at": created_at}
        session: UUID = self._insert(conn, "sessions", row)
        return session

    def new_task(self, conn: Connection, course: UUID) -> UUID:
        """What a submission is for (an exercise, an item), new in that course."""
        task = course
        for table, column in reversed(self.task_tables):
            task = self._insert(conn, table, {column: task})
        return task

    def enroll(self, conn: Connection, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        """Enrol; returns the session stored. A session of None is not sent."""
        row = {"user_id": user, "course_id": course, "session_id": session}
        return self._insert_linked(conn, "enrollments", row)

    def submit(
        self,
        conn: Connection,
        user: UUID | None,
        course: UUID | None,
        session: UUID | None = None,
        task: UUID | None = None,
    ) -> UUID | None:
        """Submit; returns the session stored. A session of None is not sent.

        Without a task: one of the course that the user has not done, else a new one,
        which only the superuser can make. Without a course and a task: for no course.
        """
        done = self._resolve(conn, user, course, task)
        row = {"user_id": user, self.task_column: done, "session_id": session}
        return self._insert_linked(conn, "submissions", row)

    @contextmanager
    def as_student(self, conn: Connection, user: UUID) -> Iterator[None]:
        """Be that student, with a student's rights; nothing where there is no such role.

        Outside a transaction the switch is committed, so that a rollback inside keeps it,
        and what is done inside is committed at the end, as by `conn.transaction()`.
        """
        if self.student_role is None:
            yield
            return
        outside = conn.info.transaction_status == TransactionStatus.IDLE
        self._become(conn, self.student_role, str(user), commit=outside)
        try:
            yield
        finally:
            failed = conn.info.transaction_status == TransactionStatus.INERROR
            if failed and outside:
                conn.rollback()
            if outside or not failed:  # else the caller's rollback switches back
                self._become(conn, "none", "", commit=outside)

    def _become(self, conn: Connection, role: str, sub: str, *, commit: bool) -> None:
        claim = "set_config('request.jwt.claim.sub', %s, false)"
        conn.execute(f"SELECT set_config('role', %s, false), {claim}", (role, sub))
        if commit:
            conn.commit()

    def _resolve(
        self,
        conn: Connection,
        user: UUID | None,
        course: UUID | None,
        task: UUID | None,
    ) -> UUID | None:
        """Find the value of the task column."""
        if task is not None or course is None or not self.task_tables:
            return task or course
        tasks: sql.Composable = sql.Literal(course)
        for table, column in reversed(self.task_tables):
            tasks = sql.SQL("SELECT id FROM {} WHERE {} IN ({})").format(
                self._table(table), sql.Identifier(column), tasks
            )
        done = sql.SQL("SELECT FROM {} AS s WHERE s.{} = task.id AND s.user_id = {}")
        undone = sql.SQL("SELECT id FROM ({}) AS task WHERE NOT EXISTS ({}) LIMIT 1")
        column_name, user_id = sql.Identifier(self.task_column), sql.Literal(user)
        done_by_user = done.format(self._table("submissions"), column_name, user_id)
        found: UUID | None = _value(conn, undone.format(tasks, done_by_user))
        return found or self.new_task(conn, course)

    def _insert_linked(self, conn: Connection, table: str, row: Mapping[str, UUID | None]) -> UUID | None:
        given = {column: value for column, value in row.items() if value is not None}
        stored: UUID | None = self._insert(conn, table, given, SESSION_ID)
        return stored

    def _insert(
        self,
        conn: Connection,
        table: str,
        row: Mapping[str, object],
        returning: sql.SQL = ID,
    ) -> Any:
        # Literals, not parameters: psycopg would read the % in an identifier.
        row = {**self.extras.get(table, {}), **row}
        insert = sql.SQL("INSERT INTO {} AS t ({}) VALUES ({}) RETURNING {}").format(
            self._table(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Literal, row.values())),
            returning,
        )
        return _value(conn, insert)

    def _table(self, table: str) -> sql.Identifier:
        schema = self.user_schema if table == "users" else None
        return sql.Identifier(schema or self.schema, table)


class EnrolledPlatform(Platform):
    """A submission hangs on the student's enrolment; a task is the course itself."""

    def _resolve(
        self,
        conn: Connection,
        user: UUID | None,
        course: UUID | None,
        task: UUID | None,
    ) -> UUID | None:
        enrolments, key = self._table("enrollments"), map(sql.Literal, (user, course))
        query = sql.SQL("SELECT id FROM {} WHERE user_id = {} AND course_id = {}")
        found: UUID | None = _value(conn, query.format(enrolments, *key))
        if found is None:
            raise ValueError(f"{self}: user {user} must enrol in course {course} first")
        return found


def _value(conn: Connection, query: sql.Composed) -> Any:
    return conn.cursor(row_factory=scalar_row).execute(query).fetchone()


_REFERENCE = Platform(
    name="reference",
    course_path="exercise_id.course_id",
    task_column="exercise_id",
    task_tables=(("exercises", "course_id"),),
    extras={"exercises": {"title": "An exercise"}},
)
_HOSTED = Platform(
    name="hosted",
    course_path="item_id.module_id.course_id",
    owner="hosted_owner",
    student_role="authenticated",
    statuses=("draft", "scheduled", "active", "completed", "cancelled"),
    user_schema="auth",
    task_column="item_id",
    task_tables=(("items", "module_id"), ("modules", "course_id")),
    extras={
        "modules": {"title": "A module"},
        "items": {"kind": "quiz"},
        "enrollments": {"source": "web"},
        "submissions": {"answer": Jsonb({"choices": [1]})},
    },
)
_SCHOOL = Platform(
    name="school",
    schema="campus",
    course_path="course_id",
    owner="campus_owner",
    student_role="campus_app",
    statuses=("draft", "active", "completed"),
    task_column="course_id",
)
_ACADEMY = EnrolledPlatform(
    name="academy",
    course_path="enrollment_id.course_id",
    owner="academy_owner",
    student_role="academy_app",
    statuses=("draft", "active", "completed", "archived"),
    task_column="enrollment_id",
)
_PARTITIONED = replace(_REFERENCE, name="partitioned")
_QUOTED_TABLE = """Exercises; "drop" $$ it's. Été 100%"""
_QUOTED = Platform(
    name="quoted",
    schema='We "love"; dots. Été 100%',
    course_path='"Exercise.Id"."Cours ""Id""; 1.É 100%"',
    task_column="Exercise.Id",
    task_tables=((_QUOTED_TABLE, 'Cours "Id"; 1.É 100%'),),
    extras={_QUOTED_TABLE: {"title": "An exercise"}},
)

PLATFORMS: dict[str, Platform] = {
    platform.name: platform for platform in (_REFERENCE, _HOSTED, _SCHOOL, _ACADEMY, _PARTITIONED, _QUOTED)
}

_COOPERATIVE = Platform(
    name="cooperative",
    schema="learn",
    course_path="exercise_id.course_id",
    owner="coop_owner",
    student_role="coop_app",
    search_path=("learn", "extensions", "history"),
    task_column="exercise_id",
    task_tables=(("exercises", "course_id"),),
    extras={"exercises": {"title": "An exercise"}},
)


class RenamedPlatform(Platform):
    """The reference platform, in a schema and with a column on the way to the course whose names end what quotes them."""

    @property
    def path(self) -> Path:
        return _REFERENCE.path

    def load(self, conn: Connection) -> None:
        super().load(conn)
        column = sql.Identifier(self.task_tables[0][1])
        conn.execute(sql.SQL("ALTER TABLE exercises RENAME course_id TO {}").format(column))
        conn.execute(sql.SQL("ALTER SCHEMA public RENAME TO {}").format(sql.Identifier(self.schema)))
        conn.execute("CREATE SCHEMA public")


_ENDING = r"""The "$function$"; \n $procedure$ $source$ $$ '; --"""
_DOLLARS = RenamedPlatform(
    name="dollars",
    schema=_ENDING,
    course_path='exercise_id."course of ""$function$"" $source$"',
    task_column="exercise_id",
    task_tables=(("exercises", 'course of "$function$" $source$'),),
    extras={"exercises": {"title": "An exercise"}},
)

PARTICULAR: dict[str, Platform] = {platform.name: platform for platform in (_COOPERATIVE, _DOLLARS)}
"""Platforms for tests that are about what is particular to them: a test that sets a search_path would break their code."""
