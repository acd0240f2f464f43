"""Whatever stands in the way is found before the first statement, all of it at once, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import LiteralString

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.conninfo import make_conninfo
from test_checks import check, look
from test_cli import MIGRATIONS, column, on, run

from sessiondb import resources
from sessiondb.connection import trusted
from sessiondb.database import Choices, Database
from sessiondb.embedded import Server, ServerNotFound, ephemeral_server, find_bindir
from sessiondb.errors import Finding, PlatformRefusedError
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import Runner

Dump = Callable[..., str]

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
on_academy = pytest.mark.parametrize("platform", [PLATFORMS["academy"]], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)


def by_hand(db: PlatformDatabase, *statements: str) -> None:
    """Run statements as the superuser, with the platform's schema on the path."""
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        for statement in statements:
            connection.execute(statement.encode())


def refusal(database: Database) -> list[Finding]:
    """What apply refuses the platform for."""
    with pytest.raises(PlatformRefusedError) as refused, database.connect() as connection:
        Runner(connection).apply()
    return refused.value.findings


def warnings(database: Database) -> list[str]:
    """What apply warns of, and goes on."""
    said: list[str] = []
    with database.connect() as connection:
        assert Runner(connection, report=said.append).apply() == MIGRATIONS
    return [line for line in said if line.startswith("warning: ")]


def is_untouched(db: PlatformDatabase) -> bool:
    """Whether we made no schema and keep no lock."""
    return column(db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'sessiondb'") == ["0"] and column(
        db,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
    ) == ["0"]


# One fault at a time


@dataclass(frozen=True)
class Fault:
    """What is wrong with a platform, and what is said of it: regular expressions for the detail and the fix."""

    statements: tuple[str, ...]
    check: str
    object: str
    detail: str
    fix: str


def other_key(table: str, column: str, to: str) -> tuple[str, ...]:
    """What makes a column refer to a second key of a table."""
    return (
        f"ALTER TABLE {to} ADD public_id uuid UNIQUE DEFAULT gen_random_uuid()",
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey",
        f"UPDATE {table} AS r SET {column} = k.public_id FROM {to} AS k WHERE k.id = r.{column}",
        f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {to} (public_id)",
    )


FAULTS = {
    "users of several tenants": Fault(
        (
            "ALTER TABLE users ADD tenant integer NOT NULL DEFAULT 1",
            "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE, ADD PRIMARY KEY (tenant, id)",
            "ALTER TABLE org_members ADD tenant integer DEFAULT 1, ADD FOREIGN KEY (tenant, user_id) REFERENCES users",
        ),
        "unrelated_ids",
        "public.org_members.user_id",
        "Column user_id of table org_members refers, with other columns, to column id of public.users, which is not unique by itself",
        r"CREATE UNIQUE INDEX CONCURRENTLY ON public.users \(id\)",
    ),
    "courses with a key of two columns": Fault(
        (
            "ALTER TABLE courses ADD version integer NOT NULL DEFAULT 1",
            "ALTER TABLE courses DROP CONSTRAINT courses_pkey CASCADE, ADD PRIMARY KEY (id, version)",
            "ALTER TABLE exercises ADD version integer, ADD FOREIGN KEY (course_id, version) REFERENCES courses",
        ),
        "required_columns",
        "public.courses.id",
        "Column id of table public.courses is neither the primary key nor unique",
        r"CREATE UNIQUE INDEX CONCURRENTLY ON public.courses \(id\)",
    ),
    "organisations with a key of two columns": Fault(
        (
            "ALTER TABLE orgs ADD tenant integer NOT NULL DEFAULT 1",
            "ALTER TABLE orgs DROP CONSTRAINT orgs_pkey CASCADE, ADD PRIMARY KEY (id, tenant)",
        ),
        "required_columns",
        "public.orgs.id",
        "Column id of table public.orgs is neither the primary key nor unique",
        r"CREATE UNIQUE INDEX CONCURRENTLY ON public.orgs \(id\)",
    ),
    "a session_id that refers with other columns": Fault(
        (
            "ALTER TABLE sessions ADD UNIQUE (id, org_id)",
            "ALTER TABLE enrollments ADD session_id uuid, ADD org_id uuid,"
            " ADD FOREIGN KEY (session_id, org_id) REFERENCES sessions (id, org_id) MATCH FULL",
        ),
        "required_columns",
        "public.enrollments.session_id",
        "Foreign key enrollments_session_id_org_id_fkey of table public.enrollments is of session_id and other columns",
        "DROP CONSTRAINT enrollments_session_id_org_id_fkey",
    ),
    "course_id of enrollments that refers to another column than the id": Fault(
        other_key("enrollments", "course_id", "courses"),
        "required_columns",
        "public.enrollments.course_id",
        "Column course_id of table public.enrollments refers to column public_id of public.courses, but is compared with column id of it",
        "Store id there instead, and let foreign key enrollments_course_id_fkey refer to it",
    ),
    "course_id of sessions that refers to another column than the id": Fault(
        other_key("sessions", "course_id", "courses"),
        "required_columns",
        "public.sessions.course_id",
        "Column course_id of table public.sessions refers to column public_id of public.courses, but is compared with column id of it",
        "Store id there instead, and let foreign key sessions_course_id_fkey refer to it",
    ),
    "org_id of org_members that refers to another column than the id": Fault(
        other_key("org_members", "org_id", "orgs"),
        "required_columns",
        "public.org_members.org_id",
        "Column org_id of table public.org_members refers to column public_id of public.orgs, but is compared with column id of it",
        "Store id there instead, and let foreign key org_members_org_id_fkey refer to it",
    ),
    "org_id of sessions that refers to another column than the id": Fault(
        other_key("sessions", "org_id", "orgs"),
        "required_columns",
        "public.sessions.org_id",
        "Column org_id of table public.sessions refers to column public_id of public.orgs, but is compared with column id of it",
        "Store id there instead, and let foreign key sessions_org_id_fkey refer to it",
    ),
    "user_id of enrollments that refers to another column than the id": Fault(
        other_key("enrollments", "user_id", "users"),
        "required_columns",
        "public.enrollments.user_id",
        "Column user_id of table public.enrollments refers to column public_id of public.users, but is compared with column id of it",
        "Store id there instead, and let foreign key enrollments_user_id_fkey refer to it",
    ),
    "user_id of submissions that refers to another column than the id": Fault(
        other_key("submissions", "user_id", "users"),
        "required_columns",
        "public.submissions.user_id",
        "Column user_id of table public.submissions refers to column public_id of public.users, but is compared with column id of it",
        "Store id there instead, and let foreign key submissions_user_id_fkey refer to it",
    ),
    "a missing table": Fault(
        ("DROP TABLE org_members",),
        "required_columns",
        "public.org_members",
        "Table public.org_members does not exist",
        "--schema",
    ),
    "a table of Citus": Fault(  # what identifies it, without that extension; test_citus.py has the real one
        (
            "SET allow_system_table_mods TO on",
            "CREATE FUNCTION pg_catalog.citus_truncate_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE TRIGGER truncate_trigger_1 AFTER TRUNCATE ON submissions EXECUTE FUNCTION citus_truncate_trigger()",
            "UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 'truncate_trigger_1'",
        ),
        "citus",
        "public.submissions",
        "Table public.submissions is managed by Citus",
        "undistribute_table",
    ),
    "a view": Fault(
        ("ALTER TABLE org_members RENAME TO m", "CREATE VIEW org_members AS SELECT * FROM m"),
        "required_columns",
        "public.org_members",
        "is not a table",
        "name the schema",
    ),
    "no table of organisations": Fault(
        ("DROP TABLE orgs CASCADE",),
        "required_columns",
        "public.orgs",
        "Table public.orgs does not exist",
        "Create it, or a view of that name",
    ),
    "organisations that cannot be read": Fault(
        ("ALTER TABLE orgs RENAME TO o", "CREATE SEQUENCE orgs"),
        "required_columns",
        "public.orgs",
        "public.orgs is not a table",
        "name the schema",
    ),
    "submissions that are a view": Fault(
        ("ALTER TABLE submissions RENAME TO s", "CREATE VIEW submissions AS SELECT * FROM s"),
        "required_columns",
        "public.submissions",
        "public.submissions is not a table",
        "name the schema",
    ),
    "courses that are a view": Fault(
        ("ALTER TABLE courses RENAME TO c", "CREATE VIEW courses AS SELECT * FROM c"),
        "required_columns",
        "public.courses",
        "public.courses is not a table",
        "name the schema",
    ),
    "organisations with another identifier": Fault(
        ("ALTER TABLE orgs RENAME TO o", "CREATE VIEW orgs AS SELECT 1 AS id, name, slug FROM o"),
        "required_columns",
        "public.orgs.id",
        "is of type integer, not uuid",
        "uuid identifiers only",
    ),
    "organisations without an identifier": Fault(
        ("ALTER TABLE orgs RENAME TO o", "CREATE VIEW orgs AS SELECT name, slug FROM o"),
        "required_columns",
        "public.orgs.id",
        "Column id of table public.orgs does not exist",
        "Add it to view public.orgs",
    ),
    "rows in a table that inherits": Fault(
        ("CREATE TABLE late () INHERITS (submissions)",),
        "inheritance",
        "public.late",
        "Table public.late inherits from public.submissions: triggers and foreign keys",
        "ALTER TABLE public.late NO INHERIT public.submissions",
    ),
    "sessions in a table that inherits": Fault(
        ("CREATE TABLE courses_in_class () INHERITS (sessions)",),
        "inheritance",
        "public.courses_in_class",
        "inherits from public.sessions",
        "ALTER TABLE public.courses_in_class NO INHERIT public.sessions",
    ),
    "a partition of another table": Fault(
        (
            "CREATE TABLE all_enrollments (LIKE enrollments INCLUDING DEFAULTS) PARTITION BY RANGE (enrolled_at)",
            "ALTER TABLE all_enrollments ATTACH PARTITION enrollments DEFAULT",
        ),
        "inheritance",
        "public.enrollments",
        "is a partition of public.all_enrollments, so no column can be added to it",
        "ALTER TABLE public.all_enrollments DETACH PARTITION public.enrollments",
    ),
    "a partition on another server": Fault(
        (
            "ALTER TABLE org_members RENAME TO m",
            "CREATE TABLE org_members (LIKE m INCLUDING DEFAULTS) PARTITION BY LIST (role)",
            "CREATE FOREIGN DATA WRAPPER elsewhere",
            "CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere",
            "CREATE FOREIGN TABLE trainers PARTITION OF org_members FOR VALUES IN ('trainer') SERVER elsewhere",
        ),
        "inheritance",
        "public.trainers",
        "Partition public.trainers of table public.org_members is a foreign table",
        "ALTER TABLE public.org_members DETACH PARTITION public.trainers",
    ),
    "a table to which no column can be added any more": Fault(
        (
            "DO $$BEGIN WHILE (SELECT relnatts < 1600 FROM pg_class WHERE oid = 'enrollments'::regclass) LOOP"
            " ALTER TABLE enrollments ADD COLUMN extra int; ALTER TABLE enrollments DROP COLUMN extra; END LOOP; END$$",
        ),
        "required_columns",
        "public.enrollments",
        "Table public.enrollments has had 1600 columns",
        r"CREATE TABLE new_table \(LIKE public.enrollments INCLUDING ALL\)",
    ),
    "organisations of another name": Fault(
        ("ALTER TABLE orgs RENAME TO organizations",),
        "required_columns",
        "public.orgs",
        "Table public.orgs does not exist",
        "CREATE VIEW public.orgs AS SELECT \\* FROM public.organizations",
    ),
    "members of another name": Fault(
        ("ALTER TABLE org_members RENAME TO memberships",),
        "required_columns",
        "public.org_members",
        "Table public.org_members does not exist",
        "ALTER TABLE public.memberships RENAME TO org_members",
    ),
    "students of another name": Fault(
        ("ALTER TABLE submissions RENAME COLUMN user_id TO student_id",),
        "required_columns",
        "public.submissions.user_id",
        "Column user_id of table public.submissions does not exist",
        "ALTER TABLE public.submissions RENAME COLUMN student_id TO user_id",
    ),
    "sessions that are logins": Fault(
        (
            "ALTER TABLE sessions RENAME TO trainings",
            "CREATE TABLE sessions (sid text PRIMARY KEY, sess json NOT NULL, expire timestamptz NOT NULL)",
        ),
        "required_columns",
        "public.sessions",
        "does not hold training sessions.*but sid, sess, expire, as logins have",
        "Do not add columns to it",
    ),
    "students of another name and type": Fault(
        ("ALTER TABLE submissions DROP COLUMN user_id, ADD COLUMN learner_id bigint",),
        "required_columns",
        "public.submissions.user_id",
        "Column user_id of table public.submissions does not exist",
        "Column learner_id may be it, but it is of type bigint: sessiondb works with uuid",
    ),
    "students of a name of its own": Fault(
        ('ALTER TABLE enrollments RENAME COLUMN user_id TO "Élève"',),
        "required_columns",
        "public.enrollments.user_id",
        "Column user_id of table public.enrollments does not exist",
        '^Column "Élève" may be it. If so, rename it, also in the application: ALTER TABLE public.enrollments RENAME COLUMN "Élève" TO user_id$',
    ),
    "organisations of another name and type": Fault(
        ("DROP TABLE orgs CASCADE", "CREATE TABLE organisations (id serial PRIMARY KEY)"),
        "required_columns",
        "public.orgs",
        "Table public.orgs does not exist",
        "public.organisations may be it, but its id is of type integer: sessiondb works with uuid",
    ),
    "members in a table of two names": Fault(
        ("ALTER TABLE org_members RENAME TO user_organizations",),
        "required_columns",
        "public.org_members",
        "Table public.org_members does not exist",
        "ALTER TABLE public.user_organizations RENAME TO org_members",
    ),
    "submissions of another name": Fault(
        ("ALTER TABLE submissions RENAME TO quiz_attempts",),
        "required_columns",
        "public.submissions",
        "Table public.submissions does not exist",
        "ALTER TABLE public.quiz_attempts RENAME TO submissions",
    ),
    "sessions that are called cohorts": Fault(
        ("ALTER TABLE sessions RENAME TO cohorts",),
        "required_columns",
        "public.sessions",
        "Table public.sessions does not exist",
        "public.cohorts may be it. If so, rename it .*: ALTER TABLE public.cohorts RENAME TO sessions",
    ),
    "sessions that one of two tables may hold": Fault(
        ("ALTER TABLE sessions RENAME TO cohorts", "CREATE TABLE classes (id uuid PRIMARY KEY)"),
        "required_columns",
        "public.sessions",
        "Table public.sessions does not exist",
        "public.classes or public.cohorts may be it. If it is public.classes, .*: ALTER TABLE public.classes RENAME TO sessions",
    ),
    "logins of an organisation, beside cohorts": Fault(
        (
            "ALTER TABLE sessions RENAME TO cohorts",
            'CREATE TABLE sessions (id uuid PRIMARY KEY, "userId" uuid, org_id uuid, "sessionToken" text, "expiresAt" timestamptz)',
        ),
        "required_columns",
        "public.sessions",
        "does not hold training sessions.* it has no course_id, but sessionToken, expiresAt, as logins have",
        "Do not add columns to it.* public.cohorts may be it",
    ),
    "sessions without an organisation": Fault(
        ("ALTER TABLE sessions DROP COLUMN org_id",),
        "required_columns",
        "public.sessions.org_id",
        "Column org_id of table public.sessions does not exist",
        "sessions without one are not supported",
    ),
    "enrolments in a class": Fault(
        ("ALTER TABLE enrollments RENAME COLUMN course_id TO class_id",),
        "required_columns",
        "public.enrollments.course_id",
        "Column course_id of table public.enrollments does not exist",
        "Column class_id refers to the class of the enrolment already, so sessiondb has nothing to add",
    ),
    "sessions of no organisation": Fault(
        ("ALTER TABLE sessions DROP COLUMN org_id, DROP COLUMN course_id",),
        "required_columns",
        "public.sessions",
        "it has neither org_id nor course_id\\.",
        "Do not add columns to it.* create the right one\\.$",
    ),
    "courses without an identifier": Fault(
        ("ALTER TABLE courses RENAME COLUMN id TO number",),
        "required_columns",
        "public.courses.id",
        "Column id of table public.courses does not exist",
        "would be known to nothing else",
    ),
    "a missing column": Fault(
        ("ALTER TABLE sessions DROP COLUMN created_at",),
        "required_columns",
        "public.sessions.created_at",
        "Column created_at of table public.sessions does not exist",
        "ALTER TABLE public.sessions ADD COLUMN created_at timestamptz",
    ),
    "an identifier of another type": Fault(
        ("ALTER TABLE org_members DROP COLUMN user_id, ADD COLUMN user_id bigint",),
        "required_columns",
        "public.org_members.user_id",
        "is of type bigint, not uuid",
        "uuid identifiers only",
    ),
    "a time of another type": Fault(
        ("ALTER TABLE sessions DROP COLUMN created_at, ADD COLUMN created_at text",),
        "required_columns",
        "public.sessions.created_at",
        "is of type text, which is not a date or timestamp",
        "ALTER COLUMN created_at TYPE timestamptz",
    ),
    "a status of another type": Fault(
        ("ALTER TABLE sessions DROP COLUMN status, ADD COLUMN status integer",),
        "required_columns",
        "public.sessions.status",
        "is of type integer, not text, varchar or an enum",
        "ALTER COLUMN status TYPE text",
    ),
    "a status that is never active": Fault(
        (
            "CREATE TYPE state AS ENUM ('on', 'off')",
            "ALTER TABLE sessions DROP COLUMN status, ADD COLUMN status state",
        ),
        "active_status",
        "public.sessions.status",
        'no label "active"',
        "ALTER TYPE public.state ADD VALUE 'active'",
    ),
    "a label that may mean active": Fault(
        (
            "CREATE TYPE state AS ENUM ('brouillon', 'actif')",
            "ALTER TABLE sessions DROP COLUMN status, ADD COLUMN status state",
        ),
        "active_status",
        "public.sessions.status",
        'no label "active"',
        r"RENAME VALUE 'actif' TO 'active'\nOr add it: ALTER TYPE public.state ADD VALUE 'active'",
    ),
    "a status that a constraint never lets be active": Fault(
        (
            "DELETE FROM sessions",
            "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check, ALTER status SET DEFAULT 'DRAFT'",
            "ALTER TABLE sessions ADD CONSTRAINT known_status CHECK (status IN ('DRAFT', 'ACTIVE', 'inactive'))",
        ),
        "active_status",
        "public.sessions.status",
        'Constraint known_status of table public.sessions does not allow "active" in column status',
        r"add it: ALTER TABLE .* CHECK \(.*'active', 'DRAFT'",
    ),
    "a link of another type": Fault(
        ("ALTER TABLE enrollments ADD COLUMN session_id text",),
        "required_columns",
        "public.enrollments.session_id",
        "is of type text, not uuid",
        "If it holds sessions, .*: ALTER TABLE public.enrollments",
    ),
    "sessions without a key": Fault(
        ("ALTER TABLE sessions DROP CONSTRAINT sessions_pkey",),
        "session_key",
        "public.sessions",
        "neither the primary key nor unique",
        "ALTER TABLE public.sessions ADD PRIMARY KEY",
    ),
    "sessions with a key of two columns": Fault(
        ("ALTER TABLE sessions DROP CONSTRAINT sessions_pkey, ADD PRIMARY KEY (org_id, id)",),
        "session_key",
        "public.sessions",
        "neither the primary key nor unique",
        r"CREATE UNIQUE INDEX CONCURRENTLY ON public.sessions \(id\)",
    ),
    "sessions partitioned by their date": Fault(
        (
            "ALTER TABLE sessions RENAME TO s",
            "CREATE TABLE sessions (LIKE s INCLUDING DEFAULTS, PRIMARY KEY (id, created_at))"
            " PARTITION BY RANGE (created_at)",
        ),
        "session_key",
        "public.sessions",
        "neither the primary key nor unique",
        "must be partitioned by id alone, or not at all",
    ),
    "sessions that a crash would empty": Fault(
        ("ALTER TABLE sessions SET UNLOGGED", "ALTER TABLE enrollments SET UNLOGGED"),
        "session_key",
        "public.sessions",
        "is unlogged, and submissions, which is to refer to it, is not",
        "ALTER TABLE public.sessions SET LOGGED",
    ),
    "no way to the course": Fault(
        ("ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey",),
        "course_path",
        "public.submissions",
        "No foreign keys lead from submissions to courses",
        "--course-path item_id.items.module_id",
    ),
    "several ways to the course": Fault(
        ("ALTER TABLE submissions ADD COLUMN part uuid REFERENCES exercises",),
        "course_path",
        "public.submissions",
        "2 paths lead from submissions to courses: exercise_id.course_id, part.course_id",
        "--course-path exercise_id.course_id",
    ),
    "a student that the row does not have yet": Fault(
        (
            "ALTER TABLE enrollments DROP COLUMN user_id CASCADE, ADD COLUMN who text",
            "ALTER TABLE enrollments ADD COLUMN user_id uuid GENERATED ALWAYS AS (who::uuid) STORED",
        ),
        "generated_columns",
        "public.enrollments.user_id",
        "Column user_id of table public.enrollments is generated",
        "fills: ALTER TABLE public.enrollments ALTER COLUMN user_id DROP EXPRESSION$",
    ),
    "a course that the row does not have yet": Fault(
        (
            "ALTER TABLE enrollments DROP COLUMN course_id CASCADE, ADD COLUMN what text",
            "ALTER TABLE enrollments ADD COLUMN course_id uuid GENERATED ALWAYS AS (what::uuid) STORED",
        ),
        "generated_columns",
        "public.enrollments.course_id",
        "Column course_id of table public.enrollments is generated",
        "fills: ALTER TABLE public.enrollments ALTER COLUMN course_id DROP EXPRESSION$",
    ),
    "a way to the course that the row does not have yet": Fault(
        (
            "ALTER TABLE submissions DROP COLUMN exercise_id CASCADE, ADD COLUMN what text",
            "ALTER TABLE submissions ADD COLUMN exercise_id uuid GENERATED ALWAYS AS (what::uuid) STORED REFERENCES exercises",
        ),
        "generated_columns",
        "public.submissions.exercise_id",
        "Column exercise_id of table public.submissions is generated",
        "fills: ALTER TABLE public.submissions ALTER COLUMN exercise_id DROP EXPRESSION$",
    ),
    "an index name taken by a table": Fault(
        ("CREATE TABLE submissions_session_id_idx ()",),
        "names",
        "public.submissions_session_id_idx",
        "is used by a different object",
        "another name",
    ),
    "a constraint that refuses sessions": Fault(
        (
            "ALTER TABLE enrollments ADD COLUMN session_id uuid",
            "ALTER TABLE enrollments ADD CONSTRAINT none CHECK (session_id IS NULL)",
        ),
        "required_columns",
        "public.enrollments.session_id",
        'Constraint "?none"? of table public.enrollments refuses rows with a session',
        'DROP CONSTRAINT "?none"?$',
    ),
    "a domain without NULL": Fault(
        (
            "CREATE DOMAIN placed AS uuid CHECK (VALUE IS NOT NULL)",
            "TRUNCATE enrollments",
            "ALTER TABLE enrollments ADD COLUMN session_id placed",
        ),
        "required_columns",
        "public.enrollments.session_id",
        "Domain public.placed, .* allows no NULL",
        "ALTER COLUMN session_id TYPE uuid$",
    ),
    "a policy that refuses sessions": Fault(
        (
            "ALTER TABLE submissions ADD COLUMN session_id uuid",
            "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY none ON submissions FOR INSERT WITH CHECK (session_id IS NULL)",
        ),
        "required_columns",
        "public.submissions.session_id",
        'Policy "?none"? of table public.submissions refuses rows with a session',
        '^A session .* or change it: DROP POLICY "?none"? ON public.submissions$',
    ),
    "keys that are equal by the time zone of the client": Fault(
        (
            "ALTER TABLE exercises ADD COLUMN since timestamptz UNIQUE",
            "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey, ADD COLUMN day date REFERENCES exercises (since)",
        ),
        "course_path",
        "public.submissions.day",
        "whether they are equal depends on a setting of the client",
        "ALTER COLUMN day TYPE timestamp with time zone$",
    ),
    "keys of a domain that are equal by the time zone of the client": Fault(
        (
            "CREATE DOMAIN day AS date",
            "ALTER TABLE exercises ADD COLUMN since timestamptz UNIQUE",
            "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey, ADD COLUMN day day REFERENCES exercises (since)",
        ),
        "course_path",
        "public.submissions.day",
        "of type .*day, .* whether they are equal depends on a setting of the client",
        "ALTER COLUMN day TYPE timestamp with time zone$",
    ),
    "a constraint that requires a session": Fault(
        (
            "ALTER TABLE enrollments ADD COLUMN session_id uuid",
            "ALTER TABLE enrollments ADD CONSTRAINT placed CHECK (session_id IS NOT NULL) NOT VALID",
        ),
        "required_columns",
        "public.enrollments.session_id",
        "Constraint placed of table public.enrollments requires a session",
        "ALTER TABLE public.enrollments DROP CONSTRAINT placed",
    ),
    "a constraint that lets a session have one row": Fault(
        ("ALTER TABLE enrollments ADD COLUMN session_id uuid UNIQUE",),
        "required_columns",
        "public.enrollments.session_id",
        "Index enrollments_session_id_key of table public.enrollments allows only one row per session",
        "ALTER TABLE public.enrollments DROP CONSTRAINT enrollments_session_id_key",
    ),
    "an exclusion that lets a session have one row": Fault(
        ("ALTER TABLE enrollments ADD COLUMN session_id uuid, ADD CONSTRAINT alone EXCLUDE (session_id WITH =)",),
        "required_columns",
        "public.enrollments.session_id",
        "Index alone of table public.enrollments allows only one row per session",
        "ALTER TABLE public.enrollments DROP CONSTRAINT alone",
    ),
    "an index that lets a session have one row": Fault(
        (
            "ALTER TABLE submissions ADD COLUMN session_id uuid",
            "CREATE UNIQUE INDEX one ON submissions (session_id) WHERE content <> ''",
        ),
        "required_columns",
        "public.submissions.session_id",
        "Index one of table public.submissions allows only one row per session",
        "DROP INDEX CONCURRENTLY public.one",
    ),
    "an index name taken by another index": Fault(
        ("CREATE INDEX org_members_user_id_org_id_idx ON org_members (role)",),
        "names",
        "public.org_members_user_id_org_id_idx",
        "is used by a different object",
        "ALTER INDEX public.org_members_user_id_org_id_idx RENAME TO",
    ),
    "an index name taken on another table": Fault(
        ("CREATE INDEX enrollments_session_id_idx ON users (email)",),
        "names",
        "public.enrollments_session_id_idx",
        "is used by a different object",
        "ALTER INDEX public.enrollments_session_id_idx RENAME TO",
    ),
    "the name of the foreign key taken": Fault(
        ("ALTER TABLE enrollments ADD CONSTRAINT enrollments_session_id_fkey CHECK (true)",),
        "names",
        "enrollments.enrollments_session_id_fkey",
        "is used by: CHECK",
        "RENAME CONSTRAINT enrollments_session_id_fkey TO",
    ),
    "a trigger with a name like ours": Fault(
        (
            "CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON enrollments"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ),
        "names",
        "trigger zzz_sessiondb_link_enrollment on enrollments",
        "has the name of a trigger of sessiondb",
        "ALTER TRIGGER zzz_sessiondb_link_enrollment ON public.enrollments RENAME TO",
    ),
    "a trigger that writes session_id": Fault(
        (
            "ALTER TABLE enrollments ADD COLUMN session_id uuid",
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
            "CREATE TRIGGER fill BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION fill()",
        ),
        "other_triggers",
        "trigger fill on enrollments",
        "writes session_id, as ours will: CREATE TRIGGER fill",
        "sessiondb apply --adopt",
    ),
    "a trigger that gives the user after ours": Fault(
        (
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.user_id := NULL; RETURN NEW; END'",
            "CREATE TRIGGER zzzz BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION fill()",
        ),
        "triggers_last",
        "trigger zzzz on submissions",
        "Trigger zzzz on submissions fires after those of sessiondb",
        "ALTER TRIGGER zzzz ON public.submissions RENAME TO before_zzzz",
    ),
    "a schema of that name with something else in it": Fault(
        ("CREATE SCHEMA sessiondb", "CREATE TABLE sessiondb.films (title text)"),
        "schema_sessiondb",
        "sessiondb",
        "contains something else: films",
        "Rename or drop that schema",
    ),
    "a database that is read-only": Fault(
        (
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only TO on', current_database()); END $$",
        ),
        "server",
        "default_transaction_read_only",
        "Transactions are read-only by default",
        "without default_transaction_read_only",
    ),
}


@pytest.mark.parametrize(
    ("statements", "refused"),
    [
        (
            "CREATE TABLE students (id uuid PRIMARY KEY); ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_fkey;"
            "ALTER TABLE enrollments ADD FOREIGN KEY (user_id) REFERENCES students NOT VALID",
            [
                "Column user_id of table enrollments refers to table public.students, and is compared with column user_id of org_members,"
                " which refers to public.users; no foreign key shows that they have the same ids."
            ],
        ),
        (
            "CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES users); INSERT INTO profiles SELECT id FROM users;"
            "ALTER TABLE submissions DROP CONSTRAINT submissions_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES profiles",
            [],
        ),
        (
            "CREATE TABLE runs (id uuid PRIMARY KEY); ALTER TABLE sessions DROP CONSTRAINT sessions_course_id_fkey,"
            "ADD FOREIGN KEY (course_id) REFERENCES runs NOT VALID",
            [
                "Column course_id of table sessions refers to table public.runs, and is compared with column id of courses;"
                " no foreign key shows that they have the same ids."
            ],
        ),
        (
            "CREATE TABLE products (id uuid PRIMARY KEY); INSERT INTO products SELECT id FROM courses;"
            "ALTER TABLE courses ADD FOREIGN KEY (id) REFERENCES products;"
            "ALTER TABLE sessions DROP CONSTRAINT sessions_course_id_fkey, ADD FOREIGN KEY (course_id) REFERENCES products",
            [],
        ),
        ("ALTER TABLE org_members DROP CONSTRAINT org_members_user_id_fkey", []),
        (
            "ALTER TABLE enrollments ADD UNIQUE (user_id, course_id); ALTER TABLE submissions DROP exercise_id, ADD course_id uuid,"
            "DROP CONSTRAINT submissions_user_id_fkey, ADD FOREIGN KEY (user_id, course_id) REFERENCES enrollments (user_id, course_id)",
            [],
        ),
    ],
    ids=[
        "students",
        "profiles of users",
        "runs of courses",
        "products that are courses",
        "no foreign key",
        "an enrolment of the user",
    ],
)
@on_reference
def test_ids_of_tables_that_no_foreign_key_shows_to_have_the_same_are_refused(
    platform_db: PlatformDatabase, statements: str, refused: list[str]
) -> None:
    by_hand(platform_db, statements)
    found = look(platform_db)
    assert [(finding.check, finding.level, finding.detail) for finding in found] == [
        ("unrelated_ids", "error", detail) for detail in refused
    ]
    for finding in found:
        statement = finding.fix.removeprefix("Store the same ids there; or, if they are the same, show it: ")
        assert statement.startswith("ALTER TABLE ")
        by_hand(platform_db, statement)
    assert platform_db.apply() == MIGRATIONS
    assert check(platform_db, "unrelated_ids") == []


@on_reference
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_with_its_fix(platform_db: PlatformDatabase, fault: Fault) -> None:
    by_hand(platform_db, *fault.statements)

    (found,) = refusal(platform_db.database())

    assert (found.check, found.level, found.object) == (fault.check, "error", fault.object)
    assert re.search(fault.detail, found.detail)
    assert re.search(fault.fix, found.fix)


@pytest.mark.slow
@pytest.mark.like_cases
@on_reference
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_refused_is_as_before(platform_db: PlatformDatabase, dump: Dump, fault: Fault) -> None:
    by_hand(platform_db, *fault.statements)
    before = dump(platform_db)

    refusal(platform_db.database())

    assert dump(platform_db) == before


@on_reference
def test_virtual_columns_that_would_be_in_our_indexes_are_refused(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        if connection.info.server_version < 180000:
            pytest.skip("PostgreSQL has virtual columns since version 18")
    by_hand(
        platform_db,
        "ALTER TABLE sessions DROP COLUMN created_at, DROP COLUMN status",
        "ALTER TABLE sessions ADD COLUMN created_at timestamptz GENERATED ALWAYS AS ('2026-01-01 00:00:00+00') VIRTUAL",
        "ALTER TABLE sessions ADD COLUMN status text GENERATED ALWAYS AS ('active') VIRTUAL",
        "ALTER TABLE sessions ADD COLUMN note text GENERATED ALWAYS AS ('') VIRTUAL",
    )

    found = refusal(platform_db.database())

    assert [(f.check, f.object) for f in found] == [
        ("generated_columns", "public.sessions.created_at"),
        ("generated_columns", "public.sessions.status"),
    ]
    assert {f.fix for f in found} == {"Create it again as STORED, or as an ordinary column."}


@on_reference
def test_a_table_that_inherits_from_another_is_as_good_as_any(platform_db: PlatformDatabase, dump: Dump) -> None:
    by_hand(
        platform_db, "CREATE TABLE dated (enrolled_at timestamptz NOT NULL)", "ALTER TABLE enrollments INHERIT dated"
    )
    before = dump(platform_db)

    assert warnings(platform_db.database()) == []

    platform_db.rollback()
    assert dump(platform_db) == before


@on_hosted
@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_organisations_may_belong_to_another_role_and_be_a_view(platform_db: PlatformDatabase, kind: str) -> None:
    by_hand(
        platform_db,
        *(["ALTER TABLE orgs RENAME TO o", "CREATE VIEW orgs AS SELECT id, name, slug FROM o"] * (kind == "VIEW")),
        f"ALTER {kind} orgs OWNER TO CURRENT_USER",
        "REVOKE ALL ON orgs FROM hosted_owner",
    )

    assert warnings(platform_db.database()) == []


# What a platform of any name may have, and what fixes it as printed, in a psql of which we know nothing
MENDABLE = {
    "a missing column": "ALTER TABLE sessions DROP COLUMN created_at CASCADE",
    "a link of another type": "ALTER TABLE enrollments ADD COLUMN session_id text",
    "a link that must not be NULL": "ALTER TABLE submissions ADD COLUMN session_id uuid NOT NULL DEFAULT gen_random_uuid()",
    "a link to a session that is gone": "ALTER TABLE submissions ADD COLUMN session_id uuid;"
    " UPDATE submissions SET session_id = gen_random_uuid()",
    "sessions without a key": "ALTER TABLE sessions DROP CONSTRAINT sessions_pkey CASCADE",
    "sessions with a key of two columns": "ALTER TABLE sessions DROP CONSTRAINT sessions_pkey CASCADE,"
    " ADD PRIMARY KEY (org_id, id)",
    "sessions that a crash would empty": "ALTER TABLE sessions SET UNLOGGED",
    "an index name taken": "CREATE INDEX submissions_session_id_idx ON submissions (user_id)",
    "the name of the foreign key taken": "ALTER TABLE enrollments ADD CONSTRAINT enrollments_session_id_fkey CHECK (true)",
    "a table that inherits": 'CREATE TABLE "Late" () INHERITS (sessions)',
    "a link to something else": 'CREATE TABLE "Log in" (id uuid PRIMARY KEY);'
    ' ALTER TABLE submissions ADD COLUMN session_id uuid REFERENCES "Log in"',
    "a trigger with a name like ours": "CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON enrollments"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
}
on_odd_platforms = pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("school", "partitioned", "quoted")], indirect=True, ids=str
)


@pytest.mark.slow
@on_odd_platforms
@pytest.mark.parametrize("fault", MENDABLE.values(), ids=MENDABLE)
def test_the_printed_fixes_fix_the_platform(platform_db: PlatformDatabase, fault: str) -> None:
    by_hand(platform_db, fault)

    for _ in range(2):  # rows are looked at when all else is as it should be
        with platform_db.connect() as connection:
            for finding in refusal(platform_db.database()):
                connection.execute(finding.fixes[0][1].encode())
        with suppress(PlatformRefusedError):
            assert platform_db.apply() == MIGRATIONS
            return
    pytest.fail("the fixes did not fix it")


# Faults that do not hide each other
TOGETHER = (
    "no table of organisations",
    "rows in a table that inherits",
    "a missing table",
    "a missing column",
    "a status of another type",
    "a link of another type",
    "several ways to the course",
    "an index name taken by a table",
    "the name of the foreign key taken",
    "a trigger with a name like ours",
    "a trigger that gives the user after ours",
)


@on_reference
def test_all_faults_are_told_at_once_with_exit_code_5_and_nothing_is_changed(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *(statement for name in TOGETHER for statement in FAULTS[name].statements))
    before = dump(platform_db)

    refused = on(platform_db, "apply")

    assert (refused.code, refused.out) == (5, "")
    first, *lines = refused.err.splitlines()
    assert first == "sessiondb: preflight refuses this platform; nothing was changed:"
    lines = [line for line in lines if not line.startswith("    If it holds something else, ")]
    assert len(lines) == 2 * len(TOGETHER)  # what is wrong, and what to do
    for name in TOGETHER:
        told = [
            (detail, fix)
            for detail, fix in zip(lines[::2], lines[1::2], strict=True)
            if re.search(FAULTS[name].detail, detail) and re.search(FAULTS[name].fix, fix)
        ]
        assert len(told) == 1, name
        assert told[0][1].startswith("    fix: ")
    assert dump(platform_db) == before
    assert is_untouched(platform_db)


@on_reference
def test_warnings_are_told_beside_what_is_refused(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, HARMLESS, *FAULTS["several ways to the course"].statements)

    refused = on(platform_db, "apply")

    assert refused.code == 5
    assert "2 paths lead from submissions to courses" in refused.err
    assert "trigger" in refused.err.lower()
    assert "fires after those of sessiondb" in refused.err


HARMLESS = "CREATE TRIGGER zzzz BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"


@on_reference
def test_a_trigger_that_fires_after_ours_and_writes_nothing_that_we_read_is_a_warning(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(platform_db, HARMLESS)

    (warning,) = warnings(platform_db.database())

    assert "fires after those of sessiondb" in warning


@pytest.mark.parametrize("given", ["exercise_id", "user_id.course_id", "exercise_id.title", "nothing.course_id"])
@on_reference
def test_a_course_path_that_leads_nowhere_is_refused(platform_db: PlatformDatabase, given: str) -> None:
    with pytest.raises(PlatformRefusedError) as refused:
        platform_db.apply(course_path=given)

    (found,) = refused.value.findings
    assert (found.check, found.level, found.object) == ("course_path", "error", "public.submissions")
    assert given in found.detail
    assert is_untouched(platform_db)


@on_reference
def test_a_course_path_that_no_foreign_key_bears_out_is_a_warning(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "ALTER TABLE exercises DROP CONSTRAINT exercises_course_id_fkey")
    path = ("--course-path", "exercise_id.course_id", "--to", "0001")

    applied = on(platform_db, "apply", *path)

    assert applied.code == 0
    assert "warning: No foreign key confirms that exercise_id.course_id leads to a course" in applied.err
    fix = re.search("ALTER TABLE .*", applied.err)
    assert fix
    assert fix[0] == "ALTER TABLE public.exercises ADD FOREIGN KEY (course_id) REFERENCES public.courses NOT VALID;"
    by_hand(platform_db, fix[0])
    assert "warning" not in on(platform_db, "apply", *path[:2]).err


@pytest.mark.parametrize(
    "rule",
    [
        "status::varchar IN ('active', 'ended')",
        "status IN ('DRAFT', 'ended') OR status = lower('ACTIVE')",
        "status NOT IN ('DRAFT', 'ended')",
        "lower(status) IN ('draft', 'ended') IS NOT NULL",
    ],
)
@on_reference
def test_a_rule_that_may_let_a_status_be_active_is_fine(platform_db: PlatformDatabase, rule: str) -> None:
    by_hand(platform_db, "DELETE FROM sessions", f"ALTER TABLE sessions ADD CONSTRAINT known_status CHECK ({rule})")

    assert platform_db.apply() == MIGRATIONS


@on_reference
def test_a_generated_column_that_we_do_not_read_is_fine(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "ALTER TABLE submissions ADD COLUMN size integer GENERATED ALWAYS AS (length(content)) STORED")

    assert platform_db.apply() == MIGRATIONS


def test_every_platform_passes_without_a_warning(platform_db: PlatformDatabase) -> None:
    """The partitioned one, too, on every version of PostgreSQL."""
    assert warnings(platform_db.database()) == []


# Rights


def objects(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.object) for finding in findings]


@on_school
def test_a_role_that_may_only_write_rows_is_told_whom_to_connect_as(platform_db: PlatformDatabase, dump: Dump) -> None:
    """A GRANT would give rights to the wrong role."""
    before = dump(platform_db)

    found = refusal(platform_db.database("campus_app"))

    assert set(objects(found)) == {
        ("privileges", f"campus.{table}") for table in ("enrollments", "org_members", "sessions", "submissions")
    }
    said = {finding.object: finding for finding in found}
    assert "belongs to campus_owner" in said["campus.sessions"].detail
    assert said["campus.sessions"].fix.startswith("Connect as campus_owner")
    assert {finding.level for finding in found} == {"error"}
    assert dump(platform_db) == before


@on_school
def test_an_owner_who_may_not_create_a_schema_is_refused_until_granted(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, f'REVOKE CREATE ON DATABASE "{platform_db.name}" FROM campus_owner')

    (found,) = refusal(platform_db.database())

    assert (found.check, found.object) == ("privileges", platform_db.name)
    by_hand(platform_db, found.fix)
    assert platform_db.apply() == MIGRATIONS


@on_academy
def test_an_owner_who_may_not_create_in_the_platform_schema_is_refused_until_granted(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(platform_db, "REVOKE CREATE ON SCHEMA public FROM academy_owner, PUBLIC")

    (found,) = refusal(platform_db.database())

    assert (found.check, found.object) == ("privileges", "public")
    by_hand(platform_db, found.fix)
    assert platform_db.apply() == MIGRATIONS


@on_school
def test_a_schema_sessiondb_of_another_role_is_refused(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "CREATE SCHEMA sessiondb")

    (found,) = refusal(platform_db.database())

    assert (found.check, found.object) == ("privileges", "sessiondb")
    assert "campus_owner may not act for it" in found.detail


@on_reference
def test_a_schema_sessiondb_with_functions_of_another_role_is_refused(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "CREATE SCHEMA sessiondb",
        "CREATE FUNCTION sessiondb.claim() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    )

    (found,) = refusal(platform_db.database())

    assert (found.check, found.object) == ("schema_sessiondb", "sessiondb")
    assert "contains something else: claim." in found.detail


# Row level security. Our triggers run with the rights of the owner, who sees every row unless it is forced.


@on_hosted
@pytest.mark.parametrize("table", ["sessions", "org_members", "enrollments", "submissions", "items", "modules"])
def test_forced_row_level_security_that_would_blind_the_triggers_is_refused(
    platform_db: PlatformDatabase, dump: Dump, table: str
) -> None:
    by_hand(platform_db, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    before = dump(platform_db)

    (found,) = refusal(platform_db.database())

    assert (found.check, found.level, found.object) == ("row_security", "error", f"public.{table}")
    assert "hosted_owner" in found.detail
    assert f"ALTER TABLE public.{table} NO FORCE ROW LEVEL SECURITY" in found.fix
    assert dump(platform_db) == before


@on_hosted
def test_forced_row_level_security_with_a_policy_that_shows_all_is_no_matter(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE sessions FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_of_it ON sessions TO hosted_owner USING (true)",
        "ALTER TABLE org_members FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_users ON org_members USING (true)",
        "ALTER TABLE courses FORCE ROW LEVEL SECURITY",  # not read by the triggers
    )

    assert warnings(platform_db.database()) == []

    platform = platform_db.platform
    with platform_db.connect() as connection:
        org, course, user = platform.add_org(connection), platform.add_course(connection), platform.add_user(connection)
        session = platform.add_session(connection, org, course)
        platform.add_member(connection, org, user)
        with platform.as_student(connection, user):
            assert platform.enroll(connection, user, course) == session


@on_hosted
def test_forced_row_level_security_with_a_policy_that_shows_some_is_a_warning(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE sessions FORCE ROW LEVEL SECURITY",
        "CREATE POLICY newer ON sessions USING (created_at > '2020-01-01')",
    )

    (warning,) = warnings(platform_db.database())

    assert "public.sessions" in warning


@on_hosted
def test_a_restrictive_policy_takes_away_what_another_one_shows(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE org_members FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_users ON org_members USING (true)",
        "CREATE POLICY students ON org_members AS RESTRICTIVE USING (role = 'student')",
    )

    (warning,) = warnings(platform_db.database())

    assert "only those rows of table public.org_members that its policies select" in warning


@on_hosted
@pytest.mark.parametrize(("table", "what"), [("submissions", "update"), ("sessions", "lock")])
def test_a_policy_that_lets_rows_be_seen_but_not_updated_is_refused(
    platform_db: PlatformDatabase, table: str, what: str
) -> None:
    """The backfill updates, and the triggers keep the session that they choose from being deleted."""
    by_hand(
        platform_db,
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY all_of_it ON {table} FOR SELECT TO hosted_owner USING (true)",
    )

    (found,) = refusal(platform_db.database())

    assert (found.check, found.object) == ("row_security", f"public.{table}")
    assert f"{what} no row of table public.{table}" in found.detail


@on_hosted
def test_a_table_of_another_role_on_the_way_to_the_course_must_be_readable_and_show_its_rows(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE items OWNER TO CURRENT_USER",
        "REVOKE ALL ON items FROM hosted_owner",
        # a longer way is not taken, so it does not matter
        "CREATE TABLE parts (id uuid PRIMARY KEY, item_id uuid REFERENCES items)",
        "ALTER TABLE submissions ADD COLUMN part_id uuid REFERENCES parts",
    )

    unreadable, hidden = refusal(platform_db.database())

    assert objects([unreadable, hidden]) == [("privileges", "public.items"), ("row_security", "public.items")]
    assert unreadable.fix == "GRANT SELECT ON public.items TO hosted_owner"
    assert hidden.fix == "ALTER ROLE hosted_owner BYPASSRLS"
    by_hand(platform_db, unreadable.fix, "ALTER TABLE items DISABLE ROW LEVEL SECURITY")
    assert platform_db.apply() == MIGRATIONS


@on_hosted
def test_row_level_security_that_is_forced_later_is_found_by_check(installed_db: PlatformDatabase) -> None:
    by_hand(installed_db, "ALTER TABLE sessions FORCE ROW LEVEL SECURITY")

    check = on(installed_db, "check", "row_security", "--format", "json")

    assert check.code == 4
    (found,) = check.json["findings"]
    assert (found["level"], found["object"]) == ("error", "public.sessions")


# What else goes on in the server


@contextmanager
def patched(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> Iterator[None]:
    """Put another text into the SQL that is read from our files, for what cannot be waited for in a test."""
    read, found = resources.read, []

    def other(name: str) -> str:
        text = read(name)
        found.append(old in text)
        return text.replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(resources, "read", other)
        yield
    assert any(found)


@on_reference
def test_an_old_transaction_is_a_warning(platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with (
        patched(monkeypatch, "interval '1 minute'", "interval '0'"),
        psycopg.connect(platform_db.conninfo(), application_name="nightly report") as other,
        platform_db.database().connect() as connection,
    ):
        other.execute("SELECT 1")
        pid = other.info.backend_pid
        Runner(connection, report=said.append).apply("0001")

    (warning,) = (line for line in said if line.startswith("warning: "))
    assert f'(pid {pid}, "nightly report", idle in transaction) has been open since' in warning
    assert (
        f"fix: Wait for it, or end it: SELECT pg_catalog.pg_terminate_backend({pid});" in said[said.index(warning) + 1]
    )


@on_reference
def test_a_transaction_of_less_than_a_minute_is_no_matter(platform_db: PlatformDatabase) -> None:
    with platform_db.connect(autocommit=False) as other:
        other.execute("SELECT 1")
        assert warnings(platform_db.database()) == []


@on_reference
def test_a_disk_without_room_for_the_indexes_is_refused(
    platform_db: PlatformDatabase, dump: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    if platform_db.cluster.server is None:
        pytest.skip("the server's disk may be another one")
    by_hand(platform_db, "ANALYZE")
    before = dump(platform_db)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))

    (found,) = refusal(platform_db.database())

    assert (found.check, found.level) == ("disk", "error")
    assert found.object == column(platform_db, "SHOW data_directory")[0]
    assert "MB left" in found.detail
    assert "Free space" in found.fix
    assert dump(platform_db) == before


@on_reference
def test_a_disk_that_cannot_be_seen_is_no_matter(
    platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(path)

    by_hand(platform_db, "ANALYZE")
    monkeypatch.setattr("shutil.disk_usage", refuse)

    assert warnings(platform_db.database()) == []


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that may be stopped, with the reference platform."""
    try:
        bindir = find_bindir(request.config.option.postgresql_exec)
    except ServerNotFound as error:
        pytest.skip(str(error))
    with ephemeral_server(bindir, settings={"max_prepared_transactions": "5"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            PLATFORMS["reference"].load(connection)
        yield server


def execute(server: Server, statement: LiteralString) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(statement)


def test_a_prepared_transaction_on_our_tables_is_refused(server: Server) -> None:
    execute(server, "BEGIN; LOCK TABLE submissions IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'it''s open'")
    try:
        refused = run("-d", server.dsn(), "apply")
        (found,) = refusal(Database(server.dsn()))
    finally:
        execute(server, "ROLLBACK PREPARED 'it''s open'")

    assert (refused.code, refused.out) == (5, "")
    assert (found.check, found.level, found.object) == (
        "open_transactions",
        "error",
        "prepared transaction 'it''s open'",
    )
    assert "holds a lock on table public.submissions" in found.detail
    assert found.fix == "End it, with ROLLBACK or with COMMIT: COMMIT PREPARED 'it''s open'"
    assert found.detail in refused.err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["apply", "rollback --all --yes"])
def test_a_prepared_transaction_on_a_partition_is_refused(server: Server, command: str) -> None:
    """A rollback would stop half-way, and wait for it in vain."""
    platform = PLATFORMS["partitioned"]
    execute(server, "CREATE DATABASE parts")
    dsn = make_conninfo(server.dsn(), dbname="parts")
    schema = ("--schema", platform.schema)
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            platform.load(connection)
            if command != "apply":
                assert run("-d", dsn, *schema, "apply").code == 0
            connection.execute(
                sql.SQL("BEGIN; LOCK TABLE {} IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'open'").format(
                    sql.Identifier(platform.schema, "submissions_2024")
                )
            )
            refused = run("-d", dsn, *schema, *command.split())
            connection.execute("ROLLBACK PREPARED 'open'")
        assert run("-d", dsn, *schema, *command.split()).code == 0
    finally:
        execute(server, "DROP DATABASE parts WITH (FORCE)")

    assert refused.code == 5
    assert "Prepared transaction 'open' of role" in refused.err


def test_the_name_of_a_prepared_transaction_forges_no_line_of_a_fix(server: Server) -> None:
    name = r"E'x\'\nOr let it end by itself: ALTER ROLE mallory SUPERUSER --'"
    execute(server, trusted(f"BEGIN; LOCK TABLE submissions IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION {name}"))
    try:
        refused = run("-d", server.dsn(), "apply")
    finally:
        execute(server, trusted(f"ROLLBACK PREPARED {name}"))

    assert refused.code == 5
    fixes = [line for line in refused.err.splitlines() if line.startswith("    ")]
    assert fixes == ["    fix: End it. Its name has invisible characters: see pg_prepared_xacts."]


def test_a_prepared_transaction_that_holds_the_advisory_lock_is_named(server: Server) -> None:
    execute(server, trusted(f"BEGIN; SELECT pg_advisory_xact_lock({ADVISORY_KEY}); PREPARE TRANSACTION 'it''s held'"))
    try:
        waiting = run("-d", server.dsn(), "apply", "--lock-budget", "0.1")
    finally:
        execute(server, "ROLLBACK PREPARED 'it''s held'")

    assert waiting.code == 6
    assert "prepared transaction 'it''s held' of role" in waiting.err


def test_a_prepared_transaction_on_other_tables_is_no_matter(server: Server) -> None:
    """CREATE INDEX CONCURRENTLY waits for old snapshots, and a prepared transaction has none."""
    execute(server, "BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'elsewhere'")
    try:
        with Database(server.dsn()).connect() as connection:
            assert Runner(connection).apply() == MIGRATIONS
            Runner(connection).rollback(None)
    finally:
        execute(server, "ROLLBACK PREPARED 'elsewhere'")


def test_a_standby_is_refused(server: Server) -> None:
    """It has no primary to follow, but it is one: it is in recovery and can be read."""
    signal_file = server.socket_dir.with_name("data") / "standby.signal"
    server.stop()
    signal_file.touch()
    try:
        server.start()
        refused, dry = run("-d", server.dsn(), "apply"), run("-d", server.dsn(), "apply", "--dry-run")
        (found,) = refusal(Database(server.dsn()))
        status = run("-d", server.dsn(), "status")
    finally:
        server.stop("immediate")
        signal_file.unlink()
        server.start()

    assert (refused.code, refused.out) == (5, "")
    assert dry == refused
    assert (found.check, found.level, found.object) == ("server", "error", "server")
    assert "is a standby" in found.detail
    assert "Connect to the primary" in found.fix
    assert found.detail in refused.err
    assert status.code == 0  # what reads works there


# A rollback


def carry_out(db: PlatformDatabase, findings: list[Finding]) -> None:
    """Run the fixes as they are printed, in their order, in a psql of which we know nothing."""
    with db.connect() as connection:
        for finding in findings:
            connection.execute(re.sub(r"^[\w ,]+: ", "", finding.fix).encode())


def rollback_refusal(database: Database, to: str | None = None) -> list[Finding]:
    """What a rollback is refused for."""
    with pytest.raises(PlatformRefusedError) as refused, database.connect() as connection:
        Runner(connection).rollback(to)
    return refused.value.findings


# What a platform may have made of session_id and of our functions, and how it is told
DEPENDENTS = {
    "CREATE VIEW linked AS SELECT user_id, session_id FROM enrollments": "view {}.linked",
    "CREATE VIEW counted AS SELECT session_id, count(*) FROM linked GROUP BY 1": "view {}.counted",
    'CREATE MATERIALIZED VIEW "Mine" AS SELECT session_id FROM submissions': 'materialized view {}."Mine"',
    "ALTER TABLE submissions ADD CONSTRAINT asked CHECK (get_user_session_for_course(user_id, NULL) IS NULL) NOT VALID": (
        "table constraint asked on {}.submissions"
    ),
    "CREATE TABLE visits (session_id uuid DEFAULT get_user_session_for_course(NULL, NULL))": (
        "default value for {}.visits.session_id"
    ),
    "CREATE RULE log AS ON UPDATE TO submissions WHERE OLD.session_id IS NULL DO ALSO DELETE FROM visits": (
        "rule log on {}.submissions"
    ),
    "CREATE FUNCTION of_row(r enrollments) RETURNS uuid BEGIN ATOMIC SELECT (r).session_id; END": (
        "function {}.of_row({}.enrollments)"
    ),
    "CREATE POLICY own ON enrollments USING (session_id IS NOT NULL)": "policy own on {}.enrollments",
    "ALTER TABLE submissions ADD COLUMN is_linked boolean GENERATED ALWAYS AS (session_id IS NOT NULL) STORED": (
        "table column {}.submissions.is_linked"
    ),
    "CREATE TRIGGER seen BEFORE UPDATE OF session_id ON enrollments"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()": "trigger seen on {}.enrollments",
    "CREATE TRIGGER too BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION sessiondb.link_enrollment()": (
        "trigger too on {}.enrollments"
    ),
    "CREATE FUNCTION why(id uuid) RETURNS jsonb BEGIN ATOMIC SELECT sessiondb.explain_row('enrollments', id); END": (
        "function {}.why(pg_catalog.uuid)"
    ),
    "CREATE VIEW installed AS SELECT * FROM sessiondb.installation": "view {}.installed",
    "CREATE VIEW at AS SELECT 'sessiondb'::regnamespace AS n": "view {}.at",
    "CREATE VIEW of_index AS SELECT 'submissions_session_id_idx'::regclass AS i": "view {}.of_index",
    "CREATE VIEW of_key AS SELECT 'sessiondb.objects_pkey'::regclass AS i": "view {}.of_key",
    "CREATE DOMAIN who AS uuid CHECK (get_user_session_for_course(VALUE, NULL) IS NULL)": (
        "domain constraint who_check on {}.who"
    ),
    # of any role that has a schema, whose name must not look like another line of ours
    'CREATE POLICY "own. Run: x" ON visits USING (EXISTS (SELECT session_id FROM enrollments))': (
        'policy "own. Run: x" on {}.visits'
    ),
}


@on_odd_platforms
def test_a_rollback_is_refused_for_all_that_depends_on_what_it_drops_until_that_is_gone(
    installed_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(installed_db, *DEPENDENTS)
    before = dump(installed_db)

    found = rollback_refusal(installed_db.database())

    (schema,) = column(installed_db, "SELECT quote_ident(platform_schema) FROM sessiondb.installation")
    told = {finding.object for finding in found}
    assert told == {name.replace("{}", schema) for name in DEPENDENTS.values()}
    assert {finding.check for finding in found} == {"dependents"}
    errors = [finding for finding in found if finding.level == "error"]
    # before PostgreSQL 15 a generated column goes without a word
    assert {finding.object for finding in found if finding not in errors} <= {
        f"table column {schema}.submissions.is_linked"
    }
    assert dump(installed_db) == before
    carry_out(installed_db, errors)
    assert installed_db.rollback() == MIGRATIONS[::-1]


@on_reference
def test_a_refused_rollback_exits_with_5_and_names_all_at_once(installed_db: PlatformDatabase, dump: Dump) -> None:
    by_hand(installed_db, *DEPENDENTS, "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey")
    before = dump(installed_db)

    refused = on(installed_db, "rollback", "--all", "--yes")

    assert (refused.code, refused.out) == (5, "")
    first, *lines = refused.err.splitlines()
    assert first == "sessiondb: preflight refuses this platform; nothing was changed:"
    assert len(lines) == 2 * (len(DEPENDENTS) + 1)
    assert "CASCADE" not in refused.err
    assert dump(installed_db) == before


@on_reference
def test_what_depends_on_ours_and_on_each_other_is_named_too(installed_db: PlatformDatabase) -> None:
    """Any role may make such functions, of its own temporary objects."""
    by_hand(
        installed_db,
        "CREATE FUNCTION here() RETURNS uuid RETURN get_user_session_for_course(NULL, NULL)",
        "CREATE VIEW there AS SELECT here() AS id",
        "CREATE OR REPLACE FUNCTION here() RETURNS uuid"
        " RETURN coalesce(get_user_session_for_course(NULL, NULL), (SELECT id FROM there))",
    )
    found = rollback_refusal(installed_db.database())
    assert sorted(objects(found)) == [("dependents", "function public.here()"), ("dependents", "view public.there")]
    carry_out(installed_db, found[:1])
    assert installed_db.rollback() == MIGRATIONS[::-1]


@on_reference
def test_a_rollback_minds_only_what_it_undoes(installed_db: PlatformDatabase) -> None:
    by_hand(
        installed_db,
        "CREATE VIEW linked AS SELECT session_id FROM enrollments",
        "CREATE VIEW asked AS SELECT get_user_session_for_course(NULL, NULL)",
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey",
    )

    assert installed_db.rollback("0007") == MIGRATIONS[:6:-1]
    assert objects(rollback_refusal(installed_db.database(), "0006")) == [("dependents", "view public.asked")]
    assert objects(rollback_refusal(installed_db.database(), "0005")) == [
        ("dependents", "view public.asked"),
        ("saved_links", "public.submissions"),
    ]


@on_reference
def test_what_depends_on_a_column_that_we_found_does_not_matter(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE enrollments ADD COLUMN session_id uuid",
        "CREATE VIEW linked AS SELECT session_id FROM enrollments",
        "CREATE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid"
        " LANGUAGE sql AS 'SELECT NULL::uuid'",
        "CREATE VIEW asked AS SELECT get_user_session_for_course(NULL, NULL)",
    )
    platform_db.apply()

    assert platform_db.rollback() == MIGRATIONS[::-1]


@on_partitioned
def test_what_goes_with_the_column_is_told_before(installed_db: PlatformDatabase) -> None:
    by_hand(
        installed_db,
        "CREATE INDEX mine ON submissions (session_id, user_id)",
        "ALTER TABLE enrollments ADD CONSTRAINT linked CHECK (session_id IS NOT NULL OR user_id IS NOT NULL)",
    )
    said: list[str] = []

    with installed_db.database().connect() as connection:
        Runner(connection, report=said.append).rollback(None)

    told = [line for line in said if line.startswith("warning: ")]
    assert len(told) == 2
    assert (
        "table constraint linked on public.enrollments is dropped together with the table column public.enrollments.session_id"
        in " ".join(told)
    )
    assert "CREATE INDEX mine ON" in " ".join(said)


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize(
    "alone",
    [
        [],
        ["ALTER TABLE submissions ADD PRIMARY KEY (id) DEFERRABLE"],
        [
            "ALTER TABLE submissions ADD COLUMN made text GENERATED ALWAYS AS (content || '') STORED",
            "ALTER TABLE submissions ADD UNIQUE (made)",
        ],
    ],
    ids=["none", "deferrable", "generated"],
)
def test_a_rollback_that_cannot_save_the_links_is_refused(
    installed_db: PlatformDatabase, dump: Dump, alone: list[str]
) -> None:
    by_hand(
        installed_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey",
        *alone,
        "CREATE TABLE late () INHERITS (enrollments)",
    )
    before = dump(installed_db)

    late, submissions = rollback_refusal(installed_db.database())

    assert (late.check, late.object) == ("saved_links", "public.late")
    assert "its links are not saved" in late.detail
    assert (submissions.check, submissions.object) == ("saved_links", "public.submissions")
    assert "has no primary key" in submissions.detail
    assert dump(installed_db) == before
    carry_out(installed_db, [late, submissions])
    assert installed_db.rollback() == MIGRATIONS[::-1]


@on_reference
def test_a_rollback_that_cannot_put_back_the_platform_triggers_is_refused(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        'CREATE FUNCTION "fill (it)"() RETURNS trigger LANGUAGE plpgsql'
        " AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
        'CREATE FUNCTION "fill (it)"(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$',
        "ALTER TABLE enrollments ADD COLUMN session_id uuid",
        'CREATE TRIGGER fill BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION "fill (it)"()',
        'CREATE TRIGGER "Fill" BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION "fill (it)"()',
    )
    with platform_db.database().connect(Choices(adopt=True)) as connection:
        Runner(connection).apply()
    by_hand(
        platform_db,
        "CREATE TRIGGER fill BEFORE INSERT ON enrollments"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )

    (another,) = rollback_refusal(platform_db.database())
    carry_out(platform_db, [another])
    by_hand(platform_db, 'ALTER FUNCTION "fill (it)"() RENAME TO other')
    gone = rollback_refusal(platform_db.database())
    by_hand(platform_db, 'ALTER FUNCTION other RENAME TO "fill (it)"')

    assert (another.check, another.object) == ("replaced_triggers", "trigger fill on public.enrollments")
    assert "another trigger has this name" in another.detail
    assert {finding.object for finding in gone} == {
        'trigger "Fill" on public.submissions',
        "trigger fill on public.enrollments",
    }
    assert all('its function public."fill (it)" no longer exists' in finding.detail for finding in gone)
    assert platform_db.rollback() == MIGRATIONS[::-1]


@on_school
def test_a_rollback_by_a_role_that_does_not_own_the_tables_is_refused(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_hand(
        installed_db,
        f"GRANT USAGE ON SCHEMA sessiondb TO {new_role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO {new_role}",
    )

    found = [f for f in rollback_refusal(installed_db.database(new_role)) if f.level == "error"]

    assert set(objects(found)) == {
        ("privileges", name)
        for name in (
            *(f"table campus.{table}" for table in ("enrollments", "org_members", "sessions", "submissions")),
            "schema sessiondb",
        )
    }
    assert {finding.fix for finding in found} == {
        "Connect as campus_owner, or as a member of that role that inherits its privileges."
    }
    last = [f for f in rollback_refusal(installed_db.database(new_role), "0008") if f.level == "error"]
    assert objects(last) == [("privileges", "schema sessiondb")]


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_no_link_is_called_orphaned_because_a_forced_policy_hides_its_session(platform_db: PlatformDatabase) -> None:
    """The fix would unlink all rows."""
    platform = platform_db.platform
    with platform_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        session = platform.add_session(connection, org, course)
        connection.execute(
            "ALTER TABLE enrollments ADD session_id uuid; ALTER TABLE sessions FORCE ROW LEVEL SECURITY;"
            "CREATE POLICY part ON sessions USING (title = 'none')"
        )
        user = platform.add_member(connection, org, platform.add_user(connection))
        platform.enroll(connection, user, course)
        connection.execute("UPDATE enrollments SET session_id = %s", [session])

    refused = run("-d", platform_db.conninfo("hosted_owner"), "apply", "--dry-run")

    assert "linked to sessions that are gone" not in refused.err
    assert "sessions" in refused.err


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_that_is_half_detached_is_refused_before_anything_is_changed(
    installed_db: PlatformDatabase,
) -> None:
    """As DETACH ... CONCURRENTLY leaves it that is interrupted; a rollback would stop half-way."""
    by_hand(
        installed_db, "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'submissions_2023'::regclass"
    )

    for command in (["rollback", "--all", "--yes"], ["apply"]):
        refused = run("-d", installed_db.conninfo(installed_db.platform.owner), *command)
        assert refused.code == 5, refused.err
        assert "ALTER TABLE public.submissions DETACH PARTITION public.submissions_2023 FINALIZE" in " ".join(
            refused.err.split()
        )
        if command[0] == "rollback":
            by_hand(installed_db, "DROP INDEX submissions_session_id_idx")  # apply has something to do


@on_reference
def test_a_table_that_is_partitioned_by_session_is_refused(platform_db: PlatformDatabase) -> None:
    """PostgreSQL moves no row to another partition in a BEFORE trigger."""
    with platform_db.connect() as connection:
        connection.execute(
            "ALTER TABLE submissions RENAME TO old_submissions;"
            "CREATE TABLE submissions (LIKE old_submissions INCLUDING DEFAULTS, session_id uuid, FOREIGN KEY (exercise_id) REFERENCES exercises)"
            " PARTITION BY LIST (session_id);"
            "CREATE TABLE submissions_of_none PARTITION OF submissions DEFAULT"
        )

    with pytest.raises(PlatformRefusedError) as refused:
        platform_db.apply()

    found = [f for f in refused.value.findings if "partitioned by session_id" in f.detail]
    assert [(f.check, f.object) for f in found] == [("required_columns", "public.submissions.session_id")]


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_that_takes_no_row_with_a_session_is_refused(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "ALTER TABLE submissions ADD session_id uuid;"
            "CREATE TABLE apart (LIKE submissions INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY LIST (session_id);"
            "ALTER TABLE submissions_2024 ADD CONSTRAINT alone CHECK (session_id IS NULL);"
            "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey CASCADE;"
            "ALTER TABLE submissions ATTACH PARTITION apart FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"
        )

    with pytest.raises(PlatformRefusedError) as refused:
        platform_db.apply()

    found = [f.detail for f in refused.value.findings if f.check == "required_columns"]
    assert "Constraint alone of table public.submissions_2024 refuses rows with a session." in found
    assert [f for f in found if f.startswith("Table public.apart is partitioned by session_id")]


@on_reference
def test_a_function_of_the_guides_name_that_acts_for_others_is_named_before_it_is_replaced(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "CREATE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER RETURN NULL::uuid"
        )

    applied = on(platform_db, "apply")

    assert (
        applied.code,
        "Function public.get_user_session_for_course(uuid,uuid) acts" in " ".join(applied.err.split()),
    ) == (0, True)
