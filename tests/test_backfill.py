"""Rows that were there before their session: linked in short transactions, once, and never against another session."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from conftest import PlatformDatabase, held
from platforms import PLATFORMS, EnrolledPlatform, Platform
from psycopg import errors, sql

from sessiondb import backfill as module
from sessiondb.backfill import Pace, Result
from sessiondb.cli import main
from sessiondb.connection import Connection
from sessiondb.embedded import find_bindir
from sessiondb.locks import ADVISORY_KEY
from sessiondb.output import Progress

TABLES = ("enrollments", "submissions")
SPRING, AUTUMN, WINTER = (datetime(2024, month, 1, tzinfo=UTC) for month in (2, 9, 12))
COMMAND = (sys.executable, "-W", "error", "-m", "sessiondb")


def on(*names: str) -> pytest.MarkDecorator:
    """Not on every platform: for what has nothing to do with how a platform is built."""
    return pytest.mark.parametrize("platform", [PLATFORMS[name] for name in names], indirect=True, ids=str)


# the command line


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def call(db: PlatformDatabase, *arguments: str, user: str | None = None) -> Run:
    """Run a command as the owner of the tables; in this process, which is quicker by far."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["sessiondb", *dsn(db, user), *arguments])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, before)
    return Run(code, out.getvalue(), err.getvalue())


def dsn(db: PlatformDatabase, user: str | None = None) -> tuple[str, str]:
    return "-d", db.conninfo(user or db.platform.owner)


def backfill(db: PlatformDatabase, *arguments: str) -> dict[str, Any]:
    """Run a backfill that must come to its end, and return its JSON."""
    run = call(db, "backfill", "--format", "json", *arguments)
    assert run.code == 0, run.err
    document: dict[str, Any] = run.json
    assert document.pop("dry_run") is ("--dry-run" in arguments)
    return document


@contextmanager
def process(db: PlatformDatabase, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A backfill in a process of its own."""
    command = [*COMMAND, *dsn(db), "backfill", "--format", "json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as popen:
        try:
            yield popen
        finally:
            popen.kill()


def psql(db: PlatformDatabase, *commands: str) -> Run:
    """Run commands in one session of psql, as the owner of the tables, each whatever became of the last."""
    options = [option for command in commands for option in ("-c", command)]
    done = subprocess.run(
        [find_bindir() / "psql", "-XAtq", *dsn(db), *options], capture_output=True, encoding="utf-8", check=False
    )
    return Run(done.returncode, done.stdout, done.stderr)


# rows


def insert_many(
    platform: Platform, connection: Connection, table: str, columns: Mapping[str, Sequence[object]], *returning: str
) -> list[tuple[Any, ...]]:
    """Insert rows of uuids, text and times, given column by column; return what is stored in some columns."""
    types = {str: "text[]", UUID: "uuid[]", datetime: "timestamptz[]"}
    kinds = [type(next(filter(None, values), uuid4())) for values in columns.values()]
    arrays = [
        sql.SQL("{}::{}").format(sql.Literal([*values]), sql.SQL(types[kind]))
        for values, kind in zip(columns.values(), kinds, strict=True)
    ]
    extras = {**platform.extras.get(table, {})}
    schema = platform.user_schema if table == "users" and platform.user_schema else platform.schema
    insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS row ({})").format(
        sql.Identifier(schema, table),
        sql.SQL(", ").join(map(sql.Identifier, [*columns, *extras])),
        sql.SQL(", ").join([*(sql.Identifier("row", name) for name in columns), *map(sql.Literal, extras.values())]),
        sql.SQL(", ").join(arrays),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    if not returning:
        connection.execute(insert)
        return []
    names = sql.SQL(", ").join(map(sql.Identifier, returning))
    return connection.execute(insert + sql.SQL(" RETURNING ") + names).fetchall()


def add_users(platform: Platform, connection: Connection, number: int, *orgs: UUID) -> list[UUID]:
    """Users, members of the same organisations."""
    users = [uuid4() for _ in range(number)]
    insert_many(platform, connection, "users", {"id": users, "email": [f"{user}@example.org" for user in users]})
    for org in orgs:
        insert_many(platform, connection, "org_members", {"user_id": users, "org_id": [org] * number})
    return users


@contextmanager
def unnoticed(connection: Connection) -> Iterator[None]:
    """No trigger fires, as when rows are restored or replicated; also with no column session_id yet."""
    connection.execute("SET session_replication_role TO replica")
    yield
    connection.execute("SET session_replication_role TO origin")


def add_old_rows(
    platform: Platform,
    connection: Connection,
    pairs: Sequence[tuple[UUID, UUID]],
    submissions: int = 1,
    session: UUID | None = None,
) -> None:
    """An enrolment and some submissions of each pair of a user and a course; the enrolments perhaps with a session."""
    courses = {course for _, course in pairs}
    tasks = {course: [platform.new_task(connection, course) for _ in range(submissions)] for course in courses}
    ids = [uuid4() for _ in pairs]
    enrolled: dict[str, list[Any]] = {"user_id": [u for u, _ in pairs], "course_id": [c for _, c in pairs]}
    if isinstance(platform, EnrolledPlatform):
        enrolled["id"] = ids
    if session:
        enrolled["session_id"] = [session for _ in pairs]
    done: dict[str, list[Any]] = {"user_id": [], platform.task_column: []}
    if platform.name == "partitioned":
        done["submitted_at"] = []
    for (user, course), enrollment in zip(pairs, ids, strict=True):
        for number in range(submissions):
            done["user_id"].append(user)
            done[platform.task_column].append(
                enrollment if isinstance(platform, EnrolledPlatform) else tasks[course][number]
            )
            if platform.name == "partitioned":  # every partition has its share
                when = datetime(2022, 6, 1, tzinfo=UTC) + timedelta(days=365 * (len(done["user_id"]) % 4))
                done["submitted_at"].append(when)
    with unnoticed(connection):
        insert_many(platform, connection, "enrollments", enrolled)
        if submissions:
            insert_many(platform, connection, "submissions", done)


def clear(platform: Platform, connection: Connection) -> None:
    """Leave nothing that comes with the platform in our way."""
    for table in ("submissions", "enrollments", "sessions", "org_members"):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(platform.schema, table)))


@dataclass(frozen=True)
class Scene:
    """Old rows of every kind, and where they belong."""

    course: UUID
    sessions: tuple[UUID, UUID]
    """That of the autumn, and the last one, of the winter."""
    expected: dict[UUID, tuple[UUID | None, UUID | None]] = field(default_factory=dict)
    """User to the session of their enrolment, and of their submission."""
    unlinkable: dict[str, dict[str, int]] = field(default_factory=dict)


def scene(platform: Platform, connection: Connection, *, placed: bool) -> Scene:
    """Rows of every kind; ``placed``: also some whose enrolment staff has linked, which takes an installed sessiondb."""
    clear(platform, connection)
    north, south, past, empty = (platform.add_org(connection) for _ in range(4))
    course, bare = platform.add_course(connection), platform.add_course(connection)
    platform.add_session(connection, north, course, created_at=None)  # unknown dates come last
    spring = platform.add_session(connection, north, course, created_at=SPRING)
    autumn = platform.add_session(connection, north, course, created_at=AUTUMN)
    winter = platform.add_session(connection, south, course, created_at=WINTER)
    over = platform.add_session(connection, past, course, "completed", created_at=WINTER)
    here = Scene(course, (autumn, winter))

    def add(orgs: Sequence[UUID], course: UUID, enrolled: UUID | None, submitted: UUID | None, given: bool) -> None:
        (user,) = add_users(platform, connection, 1, *orgs)
        add_old_rows(platform, connection, [(user, course)], session=enrolled if given else None)
        here.expected[user] = enrolled, submitted

    add([north], course, autumn, autumn, False)
    add([south], course, winter, winter, False)
    add([north, south, past], course, winter, winter, False)
    add([past], course, None, None, False)
    add([], course, None, None, False)
    add([empty], course, None, None, False)
    add([north], bare, None, None, False)
    reasons = dict.fromkeys(["no_active_session", "no_membership", "session_in_other_org", "no_session_for_course"], 1)
    here.unlinkable.update({table: dict(reasons) for table in TABLES})
    if placed:
        add([north, south], course, spring, spring, True)  # the submission follows the enrolment
        add([north, past], course, over, autumn, True)  # not where that session is over
        add([north], course, winter, autumn, True)  # nor where it is of an organisation that they have left
    if not isinstance(platform, EnrolledPlatform):
        (user,) = add_users(platform, connection, 1, north)
        with unnoticed(connection):
            platform.submit(connection, user, None)
        here.unlinkable["submissions"]["course_unknown"] = 1
    return here


def many(db: PlatformDatabase, number: int, submissions: int = 1) -> UUID:
    """Old rows that all belong to one session."""
    platform = db.platform
    with db.connect() as connection:
        clear(platform, connection)
        org, course = platform.add_org(connection), platform.add_course(connection)
        session = platform.add_session(connection, org, course)
        pairs = [(user, course) for user in add_users(platform, connection, number, org)]
        add_old_rows(platform, connection, pairs, submissions)
        connection.execute("ANALYZE")  # so that --batch-rows is about as many
    return session


def rows(db: PlatformDatabase, query: LiteralString, *names: str) -> list[tuple[Any, ...]]:
    """What the superuser gets; each ``{}`` is a table of the platform."""
    with db.connect() as connection:
        tables = (sql.Identifier(db.platform.schema, name) for name in names)
        return connection.execute(sql.SQL(query).format(*tables)).fetchall()


def linked(db: PlatformDatabase, table: str) -> int:
    ((number,),) = rows(db, "SELECT count(session_id) FROM {}", table)
    return int(number)


def links(db: PlatformDatabase) -> dict[UUID, list[UUID | None]]:
    """User to the sessions of their enrolment and their submission."""
    query: LiteralString = """
        SELECT e.user_id, e.session_id, b.session_id FROM {} AS e JOIN {} AS b ON b.user_id = e.user_id
    """
    return {user: sessions for user, *sessions in rows(db, query, *TABLES)}


def versions(db: PlatformDatabase) -> set[tuple[Any, ...]]:
    """Every row that there is, as it was written and where; another set when a row was written again."""
    query: LiteralString = "SELECT tableoid::bigint, ctid::text, xmin::text, session_id FROM {}"
    return {row for table in TABLES for row in rows(db, query, table)}


# what is linked


def test_old_rows_get_what_the_trigger_would_choose_now(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection, placed=True)

    backfill(installed_db)

    assert links(installed_db) == {user: [*sessions] for user, sessions in here.expected.items()}
    with installed_db.connect() as connection:
        for user, (_, submitted) in here.expected.items():
            if submitted:
                assert platform.submit(connection, user, here.course) == submitted


def test_rows_from_before_apply_are_linked(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        here = scene(platform_db.platform, connection, placed=False)
    platform_db.apply()

    backfill(platform_db)

    assert links(platform_db) == {user: [*sessions] for user, sessions in here.expected.items()}


@on("reference", "hosted", "partitioned")
def test_rows_of_disabled_triggers_are_linked(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        clear(platform, connection)
        org, course = platform.add_org(connection), platform.add_course(connection)
        session = platform.add_session(connection, org, course)
        (user,) = add_users(platform, connection, 1, org)
        for verb in ("DISABLE", "ENABLE"):
            for table in TABLES:
                statement: LiteralString = f"ALTER TABLE {{}} {verb} TRIGGER USER"
                connection.execute(sql.SQL(statement).format(sql.Identifier(platform.schema, table)))
            if verb == "DISABLE":
                assert platform.enroll(connection, user, course) is None
                assert platform.submit(connection, user, course) is None

    backfill(installed_db)

    assert links(installed_db) == {user: [session, session]}


def test_every_row_is_counted_with_its_reason(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection, placed=True)
    belonging = {table: sum(bool(s[i]) for s in here.expected.values()) for i, table in enumerate(TABLES)}
    belonging["enrollments"] -= 3  # staff has linked them

    document = backfill(installed_db)

    assert document == {"complete": True} | {
        table: {
            "scanned": belonging[table] + sum(here.unlinkable[table].values()),
            "linked": belonging[table],
            "unlinkable": sum(here.unlinkable[table].values()),
            "reasons": here.unlinkable[table],
        }
        for table in TABLES
    }


@on("quoted")
def test_a_dry_run_prints_the_counts_of_the_backfill(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection, placed=False)

    dry, real = call(installed_db, "backfill", "--dry-run"), call(installed_db, "backfill")

    expected = [
        line
        for table in TABLES
        for line in [
            f"{table}: 3 linked, {sum(here.unlinkable[table].values())} cannot be.",
            *(f"  {reason}: {number}" for reason, number in sorted(here.unlinkable[table].items())),
        ]
    ]
    assert real.out.splitlines() == expected
    assert dry.out.splitlines() == [
        *(line.replace("linked,", "would be linked,") for line in expected),
        "A dry run: nothing was written.",
    ]


def test_a_linked_row_is_never_touched(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        here = scene(platform, connection, placed=True)
        # neither the one that the rules would choose nor one that they would let a user choose
        wrong = platform.add_session(connection, platform.add_org(connection), platform.add_course(connection))
        pairs = [(user, here.course) for user in add_users(platform, connection, 3)]
        add_old_rows(platform, connection, pairs, session=wrong)
    before = {row for row in versions(installed_db) if row[-1]}
    assert len(before) == 6

    backfill(installed_db)

    assert before <= versions(installed_db)


def test_a_finished_backfill_that_is_run_again_writes_no_row(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        scene(installed_db.platform, connection, placed=True)
    first = backfill(installed_db)
    before = versions(installed_db)

    second = backfill(installed_db)

    assert versions(installed_db) == before
    for table in TABLES:
        unlinkable = {name: first[table][name] for name in ("unlinkable", "reasons")}
        assert second[table] == {"scanned": unlinkable["unlinkable"], "linked": 0, **unlinkable}


def test_with_session_only_what_belongs_to_it_is_linked(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection, placed=True)
    autumn, _ = here.sessions

    dry = backfill(installed_db, "--session", str(autumn), "--dry-run")
    document = backfill(installed_db, "--session", str(autumn))

    of_autumn = [sum(sessions[i] == autumn for sessions in here.expected.values()) for i in range(2)]
    assert of_autumn == [1, 3]
    for table, number in zip(TABLES, of_autumn, strict=True):
        assert document[table] == {"scanned": number, "linked": number, "unlinkable": 0, "reasons": {}}
        assert linked(installed_db, table) == number + (3 if table == "enrollments" else 0)
    assert dry == document

    backfill(installed_db)
    assert links(installed_db) == {user: [*sessions] for user, sessions in here.expected.items()}


@on("reference")
def test_a_session_that_does_not_exist_is_told_in_one_sentence(installed_db: PlatformDatabase) -> None:
    unknown = str(uuid4())

    for arguments in (["--session", unknown], ["--session", unknown, "--dry-run"]):
        run = call(installed_db, "backfill", *arguments)
        assert (run.code, run.out) == (1, "")
        assert run.err.splitlines()[0] == f"sessiondb: there is no session with the id {unknown}"


@on("reference", "partitioned", "quoted")
def test_the_triggers_of_the_platform_that_a_backfill_fires_are_named_before(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        scene(platform, connection, placed=False)
        schema, table = sql.Identifier(platform.schema), sql.Identifier(platform.schema, "submissions")
        connection.execute(
            sql.SQL("CREATE FUNCTION {}.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'").format(
                schema
            )
        )
        for name, event in {
            "touch": "BEFORE UPDATE",
            "Audit": "AFTER INSERT OR UPDATE OF session_id",
            "other": "BEFORE UPDATE OF user_id",
            "insert_only": "BEFORE INSERT",
            "off": "BEFORE UPDATE",
        }.items():
            connection.execute(
                sql.SQL("CREATE TRIGGER {} {} ON {} FOR EACH ROW EXECUTE FUNCTION {}.act()").format(
                    sql.Identifier(name),
                    sql.SQL(event),
                    table,
                    schema,
                )
            )
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER off").format(table))
    remark = 'Linking a row of submissions fires the platform\'s triggers on UPDATE: "Audit", touch.'

    assert call(installed_db, "backfill", "--dry-run").err.splitlines() == [remark]
    assert call(installed_db, "backfill").err.splitlines() == [remark]
    assert psql(installed_db, "CALL sessiondb.backfill()").err.splitlines()[0] == f"NOTICE:  {remark}"


@on("reference")
def test_of_a_session_that_is_not_active_it_is_said_that_nothing_will_be_linked_to_it(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        platform = installed_db.platform
        session = platform.add_session(
            connection, platform.add_org(connection), platform.add_course(connection), "draft"
        )
    remark = f"Session {session} is draft, and only active ones are chosen: nothing will be linked to it."

    for arguments in (["--session", str(session), "--dry-run"], ["--session", str(session)]):
        run = call(installed_db, "backfill", *arguments)
        assert (run.code, run.err.splitlines()) == (0, [remark])


def test_dry_run_counts_the_same_and_writes_nothing(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        scene(installed_db.platform, connection, placed=True)
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only TO on").format(
                sql.Identifier(installed_db.name)
            )
        )
    before = versions(installed_db)

    dry = backfill(installed_db, "--dry-run")

    assert versions(installed_db) == before
    assert rows(installed_db, "SELECT FROM sessiondb.backfill_progress") == []
    refused = call(installed_db, "backfill")
    assert refused.code == 1
    assert refused.err.startswith("sessiondb: cannot execute ")
    assert refused.err.count("\n") <= 2
    with psycopg.connect(installed_db.cluster.admin, autocommit=True) as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(sql.Identifier(installed_db.name))
        )
    assert backfill(installed_db) == dry


@on("school", "partitioned")
def test_an_empty_platform_has_nothing_to_link(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        clear(installed_db.platform, connection)

    nothing = {"scanned": 0, "linked": 0, "unlinkable": 0, "reasons": {}}
    for arguments in (["--dry-run"], []):
        assert backfill(installed_db, *arguments) == {"complete": True} | dict.fromkeys(TABLES, nothing)


@on("partitioned")
def test_a_table_without_a_partition_has_nothing_to_link(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        clear(installed_db.platform, connection)
        connection.execute("DROP TABLE submissions_2023, submissions_2024, submissions_2025, submissions_default")

    nothing = {"scanned": 0, "linked": 0, "unlinkable": 0, "reasons": {}}
    assert backfill(installed_db) == {"complete": True} | dict.fromkeys(TABLES, nothing)


@on("partitioned")
def test_rows_of_partitions_of_partitions_are_linked(installed_db: PlatformDatabase) -> None:
    session = many(installed_db, 8, submissions=4)
    with installed_db.connect() as connection, unnoticed(connection):
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_2024")
        connection.execute(
            """
            CREATE TABLE submissions_of_2024 PARTITION OF submissions
               FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00') PARTITION BY LIST (id);
            CREATE TABLE others PARTITION OF submissions_of_2024 DEFAULT;
            INSERT INTO submissions SELECT * FROM submissions_2024
            """
        )

    assert backfill(installed_db)["submissions"]["linked"] == 32
    assert rows(installed_db, "SELECT DISTINCT session_id FROM {}", "others") == [(session,)]


# tables in any state


STATES: dict[str, LiteralString] = {
    "never analysed": "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname ~ '^(enrol|submis)'",
    "analysed": "ANALYZE {0}, {1}",
    "analysed while it was empty": "UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE relname ~ '^(enrol|submis)'",
    "analysed long ago": "UPDATE pg_class SET reltuples = 3, relpages = 1 WHERE relname ~ '^(enrol|submis)'",
    "of more pages than fit an integer three times": "UPDATE pg_class SET reltuples = 36e9, relpages = 720000000"
    " WHERE relname ~ '^(enrol|submis)'",
    "sparse": "DELETE FROM {1} WHERE ctid::text !~ '[05],7[)]'; ANALYZE {1}",
    "sparse and vacuumed": "DELETE FROM {1} WHERE ctid::text !~ '[05],7[)]'; VACUUM {1}; ANALYZE {1}",
    "clustered again": "VACUUM FULL {0}; VACUUM FULL {1}",
}


@pytest.mark.like_cases(one_in=3)
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@on("academy")
def test_every_page_of_a_table_is_read_whatever_its_statistics_say(
    installed_db: PlatformDatabase, state: LiteralString
) -> None:
    many(installed_db, 300, submissions=5)
    with installed_db.connect() as connection:
        for statement in state.split("; "):
            tables = (sql.Identifier(installed_db.platform.schema, table) for table in TABLES)
            connection.execute(sql.SQL(statement).format(*tables))
    count = {table: rows(installed_db, "SELECT count(*) FROM {}", table)[0][0] for table in TABLES}
    assert all(count.values())

    batches = [0]

    with installed_db.database().connect() as connection:
        result = run(connection, Pace(batch_rows=40), lambda done, total, linked: batches.append(linked))

    assert {table: result.tables[table]["linked"] for table in TABLES} == count
    assert {table: linked(installed_db, table) for table in TABLES} == count
    assert max(after - before for before, after in pairwise(batches)) < 200  # a page, or what is 40 at a guess


@on("reference", "partitioned")
def test_an_enrolment_is_found_by_its_student_whatever_the_statistics_say(installed_db: PlatformDatabase) -> None:
    """An ANALYZE from before the backfill says that no enrolment has a session, so that to look there costs nothing."""
    session = many(installed_db, 1000)
    with installed_db.connect() as connection:
        connection.execute("UPDATE enrollments SET session_id = %s", [session])
    ((user, course),) = rows(installed_db, "SELECT user_id, course_id FROM {} LIMIT 1", "enrollments")
    with installed_db.connect() as connection, connection.transaction():
        assert installed_db.platform.submit(connection, user, course) == session
        connection.execute("SELECT FROM sessiondb.choose_sessions(%s, %s, true)", [[user], [course]])
        read = connection.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname ~ '^enrollments'"
        ).fetchone()
    assert read
    assert 0 < read[0] < 10


@on("reference")
def test_what_cannot_be_linked_is_chosen_for_in_one_pass_over_the_sessions(installed_db: PlatformDatabase) -> None:
    """Not in one for each row, though the courses of all sessions do not fit work_mem; those that are different do."""
    with installed_db.connect() as db:
        platform = installed_db.platform
        org, course, bare = platform.add_org(db), platform.add_course(db), platform.add_course(db)
        db.execute("SET work_mem TO '64kB'")
        db.execute(
            "INSERT INTO sessions (org_id, course_id, title, status)"
            " SELECT %s, %s, 'over', 'completed' FROM generate_series(1, 40000)",
            [org, course],
        )
        db.execute("ANALYZE sessions")
        add_old_rows(platform, db, [(user, bare) for user in add_users(platform, db, 500, org)])
        began = time.monotonic()
        db.execute("SELECT FROM sessiondb.link_batch('enrollments', 'enrollments', '(0,0)', '(1000,0)', NULL, 'count')")
        assert time.monotonic() - began < 0.5  # 500 times the 40,000 take seconds


@pytest.mark.slow
@on("reference")
def test_the_loop_holds_no_rows(installed_db: PlatformDatabase) -> None:
    """The client is sent five numbers a batch, so its memory does not grow with the table."""
    many(installed_db, 1000, submissions=3)
    steps = 0

    def progress(done: int, total: int, linked: int) -> None:
        nonlocal steps
        steps += 1

    with installed_db.database().connect() as connection:
        run(connection, Pace(batch_rows=50))  # what is loaded once
        with installed_db.connect() as superuser:
            superuser.execute("UPDATE submissions SET session_id = NULL")
        tracemalloc.start()
        try:
            result = run(connection, Pace(batch_rows=50), progress)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert result.tables["submissions"]["linked"] == 3000
    assert steps > 50
    assert peak < 200_000


def run(
    connection: Connection,
    pace: Pace = Pace(),  # noqa: B008  (it is frozen)
    progress: Callable[[int, int, int], None] = lambda done, total, linked: None,
    report: Callable[[str], None] = lambda line: None,
) -> Result:
    """Run a backfill in which the test may do something between two batches."""
    return module.backfill(connection, None, pace, report, progress)


# interrupted


@on("reference")
def test_the_progress_of_a_resumed_backfill_includes_earlier_runs(installed_db: PlatformDatabase) -> None:
    many(installed_db, 100)

    def stop(done: int, total: int, linked: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), installed_db.database().connect() as connection:
        run(connection, Pace(batch_rows=20), stop)
    before = sum(linked(installed_db, table) for table in TABLES)
    counts: list[int] = []
    with installed_db.database().connect() as connection:
        run(connection, Pace(batch_rows=20), lambda done, total, linked: counts.append(linked))

    assert 0 < before < counts[0] < counts[-1] == 200


def test_the_bar_shows_the_time_left_though_linking_adds_pages() -> None:
    bar = Progress()
    for done in (50, 60, 70):
        bar._draw("pages", done, done + 50)
        time.sleep(0.01)
    assert bar._bar
    (task,) = bar._bar.tasks
    bar.close()

    assert (task.completed, task.total) == (70, 120)
    assert task.time_remaining is not None


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alone(db: PlatformDatabase) -> bool:
    """Whether every client but this one is gone."""
    query: LiteralString = """
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    return rows(db, query) == [(0,)]


def is_waited_for(admin: Connection, holder: Connection) -> bool:
    found = admin.execute(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND %s = ANY (pg_blocking_pids(pid))",
        [holder.info.backend_pid],
    )
    return found.rowcount > 0


def progress_of(db: PlatformDatabase) -> list[tuple[Any, ...]]:
    return rows(db, "SELECT table_name, sum(linked)::int FROM sessiondb.backfill_progress GROUP BY 1 ORDER BY 1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "number"),
    [
        (PLATFORMS["partitioned"], signal.SIGKILL),
        (PLATFORMS["academy"], signal.SIGKILL),
        (PLATFORMS["academy"], signal.SIGTERM),
        (PLATFORMS["hosted"], signal.SIGINT),
    ],
    indirect=["platform"],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_backfill_that_is_ended_keeps_every_batch_that_it_has_done(
    installed_db: PlatformDatabase, number: signal.Signals
) -> None:
    many(installed_db, 300, submissions=4)
    with process(installed_db, "--batch-rows", "20", "--sleep", "0.05") as doomed:
        wait_for(lambda: linked(installed_db, "submissions") > 200)
        doomed.send_signal(number)
        out, err = doomed.communicate(timeout=30)
    assert doomed.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert ("Traceback" in err, "run the command again" in err) == (False, number != signal.SIGKILL)
    wait_for(lambda: is_alone(installed_db))
    if number == signal.SIGKILL:
        assert out == ""
    else:  # what was done by then is told
        told = json.loads(out)
        assert (told["complete"], told["submissions"]["linked"]) == (False, linked(installed_db, "submissions"))
    done = {row for row in versions(installed_db) if row[-1]}
    assert progress_of(installed_db) == [(table, linked(installed_db, table)) for table in TABLES]
    assert 500 < len(done) < 1500

    document = backfill(installed_db)

    assert done <= versions(installed_db)  # nothing is done again
    assert document["complete"] is True
    assert [document[table]["linked"] for table in TABLES] == [300, 1200]
    assert [document[table]["scanned"] for table in TABLES] == [300, 1200]


@on("school", "academy", "partitioned")
def test_max_runtime_stops_and_the_next_run_goes_on_there(installed_db: PlatformDatabase) -> None:
    many(installed_db, 200, submissions=2)

    run = call(installed_db, "backfill", "--format", "json", "--max-runtime", "2", "--sleep", "1", "--batch-rows", "10")

    assert run.code == 7, run.err
    assert run.json["complete"] is False
    stopped = {table: run.json[table]["linked"] for table in TABLES}
    assert 0 < sum(stopped.values()) < 600
    assert stopped == {table: linked(installed_db, table) for table in TABLES}
    done = {row for row in versions(installed_db) if row[-1]}
    in_words = call(installed_db, "backfill", "--max-runtime", "0")
    assert (in_words.code, in_words.out.splitlines()[-1]) == (7, "Stopped before the end; run it again to resume.")

    document = backfill(installed_db)

    assert done <= versions(installed_db)
    assert [document[table]["linked"] for table in TABLES] == [200, 400]
    assert [linked(installed_db, table) for table in TABLES] == [200, 400]


@on("reference")
@pytest.mark.parametrize("options", [("--sleep", "600"), ("--sleep", "600", "--dry-run")], ids=" ".join)
def test_the_time_is_up_also_while_it_sleeps(installed_db: PlatformDatabase, options: tuple[str, ...]) -> None:
    many(installed_db, 100)

    run = call(installed_db, "backfill", "--format", "json", "--max-runtime", "1", "--batch-rows", "20", *options)

    assert (run.code, run.json["complete"], run.json["enrollments"]["linked"] > 0) == (7, False, True)


@on("reference")
def test_the_time_is_up_also_while_a_row_is_locked(installed_db: PlatformDatabase) -> None:
    many(installed_db, 50)
    with installed_db.connect(autocommit=False) as other:
        other.execute("SELECT FROM submissions LIMIT 1 FOR UPDATE")

        run = call(installed_db, "backfill", "--format", "json", "--max-runtime", "1")

    assert run.code == 7, run.err
    assert "in the way: " in run.err
    assert [run.json[table]["linked"] for table in TABLES] == [50, 49]


@on("reference")
@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=" ".join)
def test_the_time_is_up_also_while_a_table_is_locked(installed_db: PlatformDatabase, options: tuple[str, ...]) -> None:
    many(installed_db, 50)
    with installed_db.connect(autocommit=False) as other:
        other.execute("LOCK TABLE submissions")

        run = call(installed_db, "backfill", "--format", "json", "--max-runtime", "1", *options)

    assert run.code == 7, run.err
    assert [run.json[table]["linked"] for table in TABLES] == [0, 0]
    assert ("in the way: " in run.err) == (not options)


@pytest.mark.slow
@on("reference")
def test_a_session_that_keeps_a_table_locked_is_named_and_not_waited_for_forever(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.3)
    many(installed_db, 50)
    with installed_db.connect(autocommit=False) as other:
        other.execute("LOCK TABLE submissions")

        run = call(installed_db, "backfill")

        assert (run.code, run.out) == (6, "")
        assert f"in the way: pid {other.info.backend_pid} " in run.err.splitlines()[-2]

    assert backfill(installed_db)["submissions"]["linked"] == 50


@on("reference")
def test_what_became_linkable_behind_a_run_that_was_stopped_is_told_and_linked_by_the_next(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 400, submissions=4)
    assert stop_half_way(installed_db)
    with installed_db.connect() as connection, unnoticed(connection):
        connection.execute("UPDATE enrollments SET session_id = NULL")
    wait_for(lambda: is_alone(installed_db))

    ((as_of,),) = rows(installed_db, "SELECT min(as_of) FROM sessiondb.backfill_counts()")
    resumed, again = call(installed_db, "backfill"), call(installed_db, "backfill")

    assert "Resuming the previous backfill; counts include earlier runs." in resumed.err
    here = f"{as_of.astimezone():%Y-%m-%d %H:%M:%S}"
    assert f"linkable after {here} may not be linked yet: run the command again." in resumed.err
    assert "may not be linked yet" not in again.err
    assert_all_linked(installed_db)


@on("partitioned")
def test_a_partition_that_is_detached_and_attached_again_meanwhile_is_linked(installed_db: PlatformDatabase) -> None:
    many(installed_db, 100, submissions=4)
    with installed_db.connect() as connection:

        def link_all() -> None:
            while connection.execute("SELECT table_name FROM sessiondb.backfill_step(1000)").fetchall() not in (
                [],
                [(None,)],
            ):
                pass

        ((partition, bound),) = connection.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class AS c"
            " WHERE c.oid = (SELECT tableoid FROM submissions GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)"
        ).fetchall()
        connection.execute("CALL sessiondb.begin_backfill(NULL)")
        connection.execute(f"ALTER TABLE submissions DETACH PARTITION {partition}".encode())
        link_all()
        connection.execute(f"ALTER TABLE submissions ATTACH PARTITION {partition} {bound}".encode())
        link_all()

    assert_all_linked(installed_db)


@on("partitioned")
def test_partitions_that_come_and_go_meanwhile_are_linked_and_passed_over(installed_db: PlatformDatabase) -> None:
    many(installed_db, 100, submissions=4)
    changed = False

    def progress(done: int, total: int, linked: int) -> None:
        nonlocal changed
        if not changed:
            changed = True
            with installed_db.connect() as connection:
                connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_2023")
                connection.execute("CREATE TABLE submissions_late (LIKE submissions INCLUDING DEFAULTS)")
                connection.execute(
                    "INSERT INTO submissions_late SELECT (s).* FROM ("
                    "SELECT jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(),"
                    " 'submitted_at', '1999-06-01')) AS s FROM submissions_2023 AS p) AS moved"
                )
                connection.execute(
                    "ALTER TABLE submissions ATTACH PARTITION submissions_late"
                    " FOR VALUES FROM ('1999-01-01') TO ('2000-01-01')"
                )

    with installed_db.database().connect() as connection:
        assert run(connection, Pace(batch_rows=20), progress).complete

    assert changed
    assert_all_linked(installed_db)


@pytest.fixture
def replica(installed_db: PlatformDatabase, tmp_path: Path) -> Iterator[None]:
    """A client that receives the server's WAL, as a replica does."""
    receiver = find_bindir() / "pg_receivewal"
    if not receiver.exists():
        pytest.skip("there is no pg_receivewal here")
    command = [str(receiver), "-D", str(tmp_path), "--no-loop", "-d", installed_db.cluster.admin]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as popen:
        try:
            with psycopg.connect(installed_db.cluster.admin, autocommit=True) as connection:
                wait_for(lambda: connection.execute("SELECT FROM pg_stat_replication").rowcount > 0)
            yield
        finally:
            popen.terminate()


@on("academy")
@pytest.mark.usefixtures("replica")
def test_who_may_not_see_how_far_replicas_are_behind_is_told_which_grant_is_missing(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 10)
    owner = str(installed_db.platform.owner)

    refused = call(installed_db, "backfill", "--max-lag", "10")

    assert (refused.code, refused.out) == (1, "")
    assert f"GRANT pg_read_all_stats TO {owner}" in refused.err
    installed_db.cluster.execute("GRANT pg_read_all_stats TO {}", owner)
    try:
        assert call(installed_db, "backfill", "--max-lag", "10").code == 0
    finally:
        installed_db.cluster.execute("REVOKE pg_read_all_stats FROM {}", owner)
    assert_all_linked(installed_db)


@on("reference")
def test_a_backfill_of_another_session_starts_again(installed_db: PlatformDatabase) -> None:
    session = many(installed_db, 400)
    assert call(installed_db, "backfill", "--max-runtime", "0.01", "--sleep", "0.1", "--batch-rows", "10").code == 7
    before = linked(installed_db, "enrollments")

    assert backfill(installed_db, "--session", str(session))["enrollments"]["linked"] == 400 - before
    assert [linked(installed_db, table) for table in TABLES] == [400, 400]


@on("academy")
def test_a_table_that_was_rewritten_between_two_runs_is_walked_again(installed_db: PlatformDatabase) -> None:
    many(installed_db, 400, submissions=4)
    assert stop_half_way(installed_db)

    rewrite(installed_db)
    backfill(installed_db)

    assert_all_linked(installed_db)


@on("academy", "partitioned")
def test_a_table_that_is_rewritten_during_a_run_is_walked_again(installed_db: PlatformDatabase) -> None:
    many(installed_db, 400, submissions=4)
    rewritten = False

    def progress(done: int, total: int, linked: int) -> None:
        nonlocal rewritten
        if linked > 1200 and not rewritten:
            rewritten = True
            rewrite(installed_db)

    with installed_db.database().connect() as connection:
        run(connection, Pace(batch_rows=100), progress)

    assert rewritten
    assert_all_linked(installed_db)


@on("academy")
def test_a_batch_that_waits_for_a_rewrite_does_not_take_the_rest_of_the_table_for_done(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 400, submissions=4)
    assert stop_half_way(installed_db)
    with (
        installed_db.connect() as connection,
        installed_db.connect() as other,
        installed_db.connect() as eye,
        ThreadPoolExecutor() as pool,
    ):
        table = sql.Identifier(installed_db.platform.schema, "submissions")
        connection.execute(sql.SQL("DELETE FROM {} WHERE session_id IS NOT NULL").format(table))
        with connection.transaction():
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN user_id TYPE uuid USING user_id::text::uuid").format(table)
            )
            batch = pool.submit(
                lambda: other.execute("SELECT from_row::text FROM sessiondb.next_batch(100)").fetchall()
            )
            waits = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
            while not eye.execute(waits, [other.info.backend_pid]).rowcount:
                assert not batch.done()

        assert batch.result() == [("(0,0)",)]


def stop_half_way(db: PlatformDatabase) -> bool:
    """Stop a backfill of 400 enrolments and 1600 submissions in the midst of the submissions."""

    def progress(done: int, total: int, linked: int) -> None:
        if linked > 1200:
            raise KeyboardInterrupt

    with db.database().connect() as connection, pytest.raises(KeyboardInterrupt):
        run(connection, Pace(batch_rows=100), progress)
    return 400 < linked(db, "submissions") < 1600


def rewrite(db: PlatformDatabase) -> None:
    """Delete what is linked and rewrite the table, so that the other rows are now on its first pages."""
    with db.connect() as connection:
        table = sql.Identifier(db.platform.schema, "submissions")
        connection.execute(sql.SQL("DELETE FROM {} WHERE session_id IS NOT NULL").format(table))
        connection.execute(sql.SQL("VACUUM FULL {}").format(table))


def assert_all_linked(db: PlatformDatabase) -> None:
    for table in TABLES:
        ((number, unlinked),) = rows(db, "SELECT count(*), count(*) - count(session_id) FROM {}", table)
        assert (number > 0, unlinked) == (True, 0), table


# beside others


def second_student(db: PlatformDatabase, table: str = "submissions") -> UUID:
    """Whose row is read with the first batch."""
    ((user,),) = rows(db, "SELECT user_id FROM {} ORDER BY tableoid, ctid OFFSET 1 LIMIT 1", table)
    assert isinstance(user, UUID)
    return user


def test_rows_that_another_session_has_locked_are_linked_at_the_end(installed_db: PlatformDatabase) -> None:
    session = many(installed_db, 100)
    locks = [
        f"SELECT FROM {table} WHERE user_id = '{second_student(installed_db, table)}' FOR UPDATE" for table in TABLES
    ]
    counts: list[int] = []

    with held(installed_db, 3, *locks), installed_db.database().connect() as connection:
        result = run(connection, progress=lambda done, total, linked: counts.append(linked))

    assert 0 < counts[0] < 100  # those that were free did not wait
    assert [*links(installed_db).values()] == [[session, session]] * 100
    all_of_them = {"scanned": 100, "linked": 100, "unlinkable": 0, "reasons": {}}
    assert result.as_json() == {"complete": True} | dict.fromkeys(TABLES, all_of_them)


@pytest.mark.parametrize("strength", ["NO KEY UPDATE", "SHARE"])
@on("reference")
def test_any_lock_that_is_in_the_way_is_waited_for(installed_db: PlatformDatabase, strength: str) -> None:
    many(installed_db, 10)

    with held(installed_db, 0.2, f"SELECT FROM submissions FOR {strength}"):
        assert backfill(installed_db)["submissions"]["linked"] == 10


@pytest.mark.parametrize(("table", "column"), [("enrollments", "status"), ("submissions", "content")])
@on("academy", "partitioned")
def test_rows_that_were_locked_end_as_they_should_whatever_was_done_with_them(
    installed_db: PlatformDatabase, table: str, column: str
) -> None:
    session = many(installed_db, 50)
    ((org, course),) = rows(installed_db, "SELECT org_id, course_id FROM {}", "sessions")
    with installed_db.connect() as connection:
        other = installed_db.platform.add_session(connection, org, course, "completed")
    short, long, placed, gone = [user for (user,) in rows(installed_db, "SELECT user_id FROM {} LIMIT 4", table)]

    with held(
        installed_db,
        0.3,
        f"UPDATE {table} SET {column} = 'again' WHERE user_id = '{short}'",
        f"UPDATE {table} SET {column} = repeat('again', 1000) WHERE user_id = '{long}'",  # on another page
        f"UPDATE {table} SET session_id = '{other}' WHERE user_id = '{placed}'",
        f"DELETE FROM {table} WHERE user_id = '{gone}'",
    ):
        document = backfill(installed_db)

    assert document["complete"] is True
    expected = dict.fromkeys(links(installed_db), session) | {placed: other}
    assert gone not in expected
    place = TABLES.index(table)
    assert {user: sessions[place] for user, sessions in links(installed_db).items()} == expected
    assert document[table]["unlinkable"] == 0
    assert_all_linked(installed_db)


@on("partitioned")
def test_a_row_that_moves_to_another_partition_meanwhile_is_linked(installed_db: PlatformDatabase) -> None:
    many(installed_db, 40)
    ((row,),) = rows(installed_db, "SELECT id FROM {} ORDER BY ctid LIMIT 1", "submissions_2023")
    move = f"UPDATE submissions SET submitted_at = '2025-06-01' WHERE id = '{row}'"

    with held(installed_db, 0.3, move):
        assert backfill(installed_db)["complete"] is True

    assert_all_linked(installed_db)


@on("reference")
def test_rows_that_a_rule_keeps_as_they_are_do_not_count_as_linked(installed_db: PlatformDatabase) -> None:
    many(installed_db, 20)
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE RULE keep AS ON UPDATE TO submissions DO INSTEAD UPDATE users SET full_name = full_name"
        )

    document = backfill(installed_db)

    assert (document["submissions"]["linked"], document["submissions"]["reasons"]) == (0, {"not_written": 20})
    assert linked(installed_db, "submissions") == 0


@on("reference", "partitioned")
def test_a_row_that_the_platform_lets_no_role_change_stays_as_it_is_and_holds_up_nothing(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 20)
    user = second_student(installed_db)
    with installed_db.connect() as connection:
        connection.execute("CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        connection.execute(
            sql.SQL(
                "CREATE TRIGGER keep BEFORE UPDATE ON submissions FOR EACH ROW WHEN (OLD.user_id = {})"
                " EXECUTE FUNCTION public.keep()"
            ).format(sql.Literal(user))
        )
    lock = f"SELECT FROM submissions WHERE user_id = '{user}' FOR UPDATE"

    with held(installed_db, 0.3, lock):
        document = backfill(installed_db)

    assert (document["complete"], document["submissions"]["linked"]) == (True, 19)
    assert document["submissions"]["reasons"] == {"not_written": 1}
    assert linked(installed_db, "submissions") == 19


@pytest.mark.slow
@on("reference")
def test_a_row_that_stays_locked_stops_the_backfill_and_the_next_run_links_it(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIES", 1)
    many(installed_db, 50)
    lock = f"SELECT FROM submissions WHERE user_id = '{second_student(installed_db)}' FOR UPDATE"

    with held(installed_db, 4, lock):
        stopped = call(installed_db, "backfill", "--format", "json")
        assert [linked(installed_db, table) for table in TABLES] == [50, 49]

    assert stopped.code == 6
    told = json.loads(stopped.out)
    assert (told["complete"], [told[table]["linked"] for table in TABLES]) == (False, [50, 49])
    waits, error = stopped.err.splitlines()
    assert waits.startswith("  a row or a table is locked")
    assert json.loads(error)["error"]["hint"].startswith("Wait for that transaction to end")
    assert backfill(installed_db)["submissions"]["linked"] == 50


@on("reference")
def test_a_client_is_never_the_victim_of_a_deadlock_with_a_backfill_whatever_deadlock_timeout_is(
    installed_db: PlatformDatabase,
) -> None:
    session = many(installed_db, 20)
    one, other = (user for (user,) in rows(installed_db, "SELECT user_id FROM {} ORDER BY ctid LIMIT 2", "enrollments"))
    with installed_db.connect() as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} SET deadlock_timeout TO '200ms'").format(sql.Identifier(installed_db.name))
        )
    lock: LiteralString = "SELECT FROM enrollments WHERE user_id = %s FOR UPDATE"

    with (
        installed_db.connect() as admin,
        installed_db.connect(autocommit=False) as first,
        installed_db.connect(autocommit=False) as client,
    ):
        first.execute(lock, [one])
        client.execute(lock, [other])

        with process(installed_db) as ours:
            wait_for(lambda: is_waited_for(admin, first))
            first.rollback()
            wait_for(lambda: is_waited_for(admin, client))
            time.sleep(0.25)  # ours would have looked for a deadlock, and found none
            client.execute("UPDATE enrollments SET status = 'again' WHERE user_id = %s", [one])
            client.commit()
            out, err = ours.communicate(timeout=30)

    assert ours.returncode == 0, err
    assert json.loads(out)["complete"] is True
    assert [*links(installed_db).values()] == [[session, session]] * 20


@pytest.mark.parametrize("opens_another", [True, False])
@on("reference")
def test_a_session_that_is_closed_while_a_row_is_waited_for_is_not_chosen(
    installed_db: PlatformDatabase, opens_another: bool
) -> None:
    platform = installed_db.platform
    session = many(installed_db, 20)
    with installed_db.connect() as admin, installed_db.connect(autocommit=False) as client:
        ((org, course),) = admin.execute("SELECT org_id, course_id FROM sessions WHERE id = %s", [session]).fetchall()
        client.execute("SELECT FROM submissions WHERE ctid = (SELECT min(ctid) FROM submissions) FOR UPDATE")
        with process(installed_db) as ours:
            wait_for(lambda: is_waited_for(admin, client))
            admin.execute("UPDATE sessions SET status = 'completed' WHERE id = %s", [session])
            # of the enrolment, which is linked to the closed session, a submission takes nothing
            other = platform.add_session(admin, org, course) if opens_another else None
            client.rollback()
            out, err = ours.communicate(timeout=30)

    assert ours.returncode == 0, err
    of_submissions = [link for _, link in links(installed_db).values()]
    assert (of_submissions.count(session), of_submissions.count(other)) == (19, 1)
    reasons = {} if opens_another else {"no_active_session": 1}
    assert json.loads(out)["submissions"] == {
        "scanned": 20,
        "linked": 20 - len(reasons),
        "unlinkable": len(reasons),
        "reasons": reasons,
    }


@on("reference")
def test_a_batch_holds_no_row_while_it_waits_for_another(installed_db: PlatformDatabase) -> None:
    """Several short waits in a row could make a session that waits for the first row the victim of a deadlock."""
    many(installed_db, 20)
    lock: LiteralString = "SELECT FROM submissions WHERE id = %s FOR UPDATE"
    first, second = (row for (row,) in rows(installed_db, "SELECT id FROM {} ORDER BY ctid LIMIT 2", "submissions"))
    with (
        installed_db.connect() as admin,
        installed_db.connect(autocommit=False) as other,
        installed_db.connect(autocommit=False) as client,
    ):
        other.execute(lock, [first])
        client.execute(lock, [second])
        with process(installed_db) as ours:
            wait_for(lambda: is_waited_for(admin, other))
            other.rollback()
            wait_for(lambda: is_waited_for(admin, client))
            client.execute("SET LOCAL lock_timeout TO '200ms'")
            client.execute("UPDATE submissions SET content = 'mine' WHERE id = %s", [first])
            client.commit()
            _, err = ours.communicate(timeout=30)

    assert ours.returncode == 0, err
    assert_all_linked(installed_db)


@pytest.mark.parametrize("is_call", [False, True])
@on("hosted")
def test_rows_that_a_policy_shows_but_does_not_let_a_role_update_are_left(
    installed_db: PlatformDatabase, is_call: bool
) -> None:
    many(installed_db, 20)
    with installed_db.connect() as connection:
        ((hidden,),) = connection.execute("SELECT id FROM submissions LIMIT 1").fetchall()
        connection.execute(
            sql.SQL(
                """
                CREATE POLICY seen ON submissions FOR SELECT TO hosted_owner USING (true);
                CREATE POLICY graded ON submissions FOR UPDATE TO hosted_owner USING (id <> {});
                ALTER TABLE submissions FORCE ROW LEVEL SECURITY
                """
            ).format(hidden)
        )
    if is_call:
        done = psql(installed_db, "SET statement_timeout TO '20s'", "CALL sessiondb.backfill()")
        assert done.code == 0, done.err
    else:
        told = backfill(installed_db, "--max-runtime", "20")
        assert told["complete"] is True
        assert told["submissions"] == {"scanned": 20, "linked": 19, "unlinkable": 1, "reasons": {"row_security": 1}}
    assert rows(installed_db, "SELECT id FROM {} WHERE session_id IS NULL", "submissions") == [(hidden,)]


def test_a_batch_and_what_refers_to_its_rows_do_not_wait_for_each_other(installed_db: PlatformDatabase) -> None:
    """Inserting a row that refers to an enrolment or a submission takes a lock FOR KEY SHARE on it."""
    platform = installed_db.platform
    session = many(installed_db, 20)
    tables = [sql.Identifier(platform.schema, table) for table in TABLES]
    with installed_db.connect(autocommit=False) as ours, installed_db.connect(autocommit=False) as theirs:
        theirs.execute("SET lock_timeout TO '1s'")
        ours.execute("SET lock_timeout TO '1s'")
        for table in tables:
            theirs.execute(sql.SQL("SELECT FROM {} FOR KEY SHARE").format(table))
        ours.execute("CALL sessiondb.begin_backfill(NULL)")
        while ours.execute("SELECT FROM sessiondb.backfill_step(1000)").rowcount:
            pass
        skipped = ours.execute("SELECT sum(skipped), sum(linked) FROM sessiondb.backfill_progress").fetchone()
        assert skipped == (0, 40)  # not even at first

        theirs.rollback()
        theirs.execute("SET lock_timeout TO '1s'")
        for table in tables:
            assert theirs.execute(sql.SQL("SELECT FROM {} FOR KEY SHARE").format(table)).rowcount == 20
        if isinstance(platform, EnrolledPlatform):
            ((user, course),) = rows(installed_db, "SELECT user_id, course_id FROM {} LIMIT 1", "enrollments")
            assert platform.submit(theirs, user, course) == session
        for table in tables:
            with theirs.transaction(force_rollback=True), pytest.raises(errors.LockNotAvailable):
                theirs.execute(sql.SQL("SELECT FROM {} FOR SHARE NOWAIT").format(table))


@on("hosted", "partitioned", "quoted")
def test_a_session_that_is_deleted_meanwhile_is_no_failure(installed_db: PlatformDatabase) -> None:
    session = many(installed_db, 20)

    with held(installed_db, 0.3, f"DELETE FROM sessions WHERE id = '{session}'"):
        document = backfill(installed_db)

    nothing = {"scanned": 20, "linked": 0, "unlinkable": 20, "reasons": {"no_session_for_course": 20}}
    assert document == {"complete": True} | dict.fromkeys(TABLES, nothing)


@on("reference")
def test_a_membership_that_ends_meanwhile_is_no_failure(installed_db: PlatformDatabase) -> None:
    many(installed_db, 20)
    leave = f"DELETE FROM org_members WHERE user_id = '{second_student(installed_db)}'"
    lock = f"SELECT FROM enrollments WHERE user_id = '{second_student(installed_db)}' FOR UPDATE"

    with held(installed_db, 0.3, lock, leave):
        document = backfill(installed_db)

    assert [document[table]["linked"] for table in TABLES] == [19, 19]
    assert [linked(installed_db, table) for table in TABLES] == [19, 19]
    assert [document[table]["reasons"] for table in TABLES] == [{"no_membership": 1}] * 2


@on("reference")
def test_a_second_run_waits_for_the_first(installed_db: PlatformDatabase) -> None:
    many(installed_db, 20)

    with held(installed_db, 0.3, f"SELECT pg_advisory_xact_lock({ADVISORY_KEY})"):
        run = call(installed_db, "backfill", "--format", "json")

    assert run.err.startswith("waiting for another sessiondb run: pid ")
    assert (run.code, run.json["submissions"]["linked"]) == (0, 20)


@on("partitioned")
def test_of_two_runs_at_the_same_time_both_end_well_and_one_has_linked_everything(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 200, submissions=4)
    options = ("--batch-rows", "50", "--sleep", "0.01")

    with process(installed_db, *options) as one, process(installed_db, *options) as other:
        ended = [popen.communicate(timeout=30) for popen in (one, other)]
        assert [popen.returncode for popen in (one, other)] == [0, 0], ended

    assert sorted(json.loads(out)["submissions"]["linked"] for out, _ in ended) == [0, 800]
    assert_all_linked(installed_db)


# without Python


def test_call_in_psql_links_the_same(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection, placed=True)
    dry = backfill(installed_db, "--dry-run")

    run = psql(installed_db, "CALL sessiondb.backfill()")

    told = [f"NOTICE:  {remark}" for remark in call(installed_db, "backfill", "--dry-run").err.splitlines()]
    assert len(told) == (2 if installed_db.platform.name == "hosted" else 0), "its set_updated_at on both tables"
    told += [
        line
        for table in TABLES
        for line in [
            f"NOTICE:  {table}: {dry[table]['linked']} linked, {dry[table]['unlinkable']} cannot be.",
            *(f"NOTICE:    {reason}: {number}" for reason, number in sorted(dry[table]["reasons"].items())),
        ]
    ]
    assert (run.code, run.out, run.err.splitlines()) == (0, "", told)
    assert links(installed_db) == {user: [*sessions] for user, sessions in here.expected.items()}
    assert progress_of(installed_db) == [(table, dry[table]["linked"]) for table in TABLES]
    assert [backfill(installed_db)[table]["linked"] for table in TABLES] == [0, 0]


@on("partitioned", "quoted")
def test_call_with_a_session_links_only_what_belongs_to_it(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        here = scene(installed_db.platform, connection, placed=True)
    autumn, _ = here.sessions

    assert psql(installed_db, f"CALL sessiondb.backfill('{autumn}')").code == 0

    assert [linked(installed_db, table) for table in TABLES] == [4, 3]


@on("school", "partitioned", "quoted")
def test_call_with_a_session_that_does_not_exist_leaves_the_progress_of_another_backfill(
    installed_db: PlatformDatabase,
) -> None:
    many(installed_db, 30)
    with installed_db.connect() as connection:
        make_stumble(connection, installed_db.platform, second_student(installed_db))
    assert psql(installed_db, "CALL sessiondb.backfill()").code == 1
    before = progress_of(installed_db)

    refused = psql(installed_db, f"CALL sessiondb.backfill('{(nowhere := uuid4())}')")

    assert refused.code == 1
    assert refused.err.splitlines()[:2] == [
        f"ERROR:  there is no session with the id {nowhere}",
        "HINT:  List them with: sessiondb session list",
    ]
    assert progress_of(installed_db) == before


@on("school", "partitioned", "quoted")
def test_call_commits_as_it_goes_and_goes_on_where_it_was_stopped(installed_db: PlatformDatabase) -> None:
    many(installed_db, 100, submissions=2)
    with installed_db.connect() as connection:
        make_stumble(connection, installed_db.platform, second_student(installed_db))

    stopped = psql(installed_db, "CALL sessiondb.backfill()")

    assert stopped.code == 1
    assert "\nERROR:  stumbled\n" in stopped.err
    assert linked(installed_db, "enrollments") == 100
    assert linked(installed_db, "submissions") < 200
    done = {row for row in versions(installed_db) if row[-1]}
    with installed_db.connect() as connection:
        connection.execute("DROP FUNCTION public.stumble() CASCADE")

    assert psql(installed_db, "CALL sessiondb.backfill()").code == 0

    assert done <= versions(installed_db)
    assert progress_of(installed_db) == [("enrollments", 100), ("submissions", 200)]
    assert_all_linked(installed_db)


def make_stumble(connection: Connection, platform: Platform, user: UUID) -> None:
    """A trigger of the platform that lets no role update the submissions of that user."""
    connection.execute(
        """
        CREATE FUNCTION public.stumble() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'stumbled'; END $$
        """
    )
    connection.execute(
        sql.SQL(
            "CREATE TRIGGER stumble BEFORE UPDATE ON {} FOR EACH ROW WHEN (OLD.user_id = {})"
            " EXECUTE FUNCTION public.stumble()"
        ).format(sql.Identifier(platform.schema, "submissions"), sql.Literal(user))
    )


@on("reference")
@pytest.mark.parametrize("position", ['{"block": "x"}', '{"block": 1e400}', '{"block": -1}', "[]", '{"user_id": "x"}'])
def test_a_position_that_no_backfill_saved_is_not_resumed_from(installed_db: PlatformDatabase, position: str) -> None:
    """Every backfill would end with an error of PostgreSQL; a role that may run one may write any position."""
    many(installed_db, 20)
    with installed_db.connect() as connection:
        connection.execute("CALL sessiondb.begin_backfill(NULL)")
        connection.execute("UPDATE sessiondb.backfill_progress SET position = %s", [position])
    assert "linked" in psql(installed_db, "CALL sessiondb.backfill()").err
    assert rows(installed_db, "SELECT FROM enrollments WHERE session_id IS NULL") == []


LOCKS_HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@on("reference")
@pytest.mark.parametrize("table", ["sessions", "org_members", "enrollments"])
def test_a_role_that_does_not_see_every_row_by_which_a_session_is_chosen_links_none(
    new_role: str, installed_db: PlatformDatabase, table: str
) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA sessiondb TO {new_role}".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public, sessiondb TO {new_role}".encode())
        connection.execute(f"GRANT ALL ON sessiondb.backfill_progress TO {new_role}".encode())
        connection.execute(f"GRANT EXECUTE ON ALL ROUTINES IN SCHEMA sessiondb TO {new_role}".encode())
        connection.execute(f"SET ROLE {new_role}".encode())
        connection.execute("CALL sessiondb.begin_backfill(NULL)")
        connection.execute("RESET ROLE")
        connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())
        connection.execute(f"SET ROLE {new_role}".encode())
        for refused in ("CALL sessiondb.begin_backfill(NULL)", "SELECT * FROM sessiondb.backfill_step(10)"):
            with pytest.raises(errors.InsufficientPrivilege, match="it would link rows wrongly"):
                connection.execute(refused.encode())
        connection.execute("RESET ROLE")
        connection.execute(f"CREATE POLICY every_row ON {table} FOR SELECT USING (true)".encode())
        connection.execute(f"SET ROLE {new_role}".encode())
        if table == "enrollments":  # of the others, it locks rows
            connection.execute("CALL sessiondb.begin_backfill(NULL)")


@on("reference")
def test_call_lets_go_of_the_lock_however_it_ends(installed_db: PlatformDatabase) -> None:
    many(installed_db, 20)
    with installed_db.connect() as connection:
        make_stumble(connection, installed_db.platform, second_student(installed_db))

    failed = psql(installed_db, "CALL sessiondb.backfill()", LOCKS_HELD)
    assert ("stumbled" in failed.err, failed.out) == (True, "0\n")

    call_again = ["CALL sessiondb.backfill()", "DROP FUNCTION public.stumble() CASCADE", "CALL sessiondb.backfill()"]
    assert psql(installed_db, *call_again, LOCKS_HELD).out == "0\n"

    in_transaction = psql(installed_db, "BEGIN", "CALL sessiondb.backfill()", "ROLLBACK", LOCKS_HELD)
    assert ("invalid transaction termination" in in_transaction.err, in_transaction.out) == (True, "0\n")


@on("reference")
def test_call_beside_another_run_is_refused(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        run = psql(installed_db, "CALL sessiondb.backfill()")

    assert run.code == 1
    assert run.err.startswith("ERROR:  another sessiondb run is working on this database")


@on("reference")
def test_call_that_is_refused_leaves_the_other_run_alone(installed_db: PlatformDatabase) -> None:
    many(installed_db, 100, submissions=4)
    refused: list[Run] = []

    def progress(done: int, total: int, linked: int) -> None:
        if not refused:
            refused.append(psql(installed_db, f"CALL sessiondb.backfill('{uuid4()}')"))

    with installed_db.database().connect() as connection:
        result = run(connection, Pace(batch_rows=50), progress)

    assert [call.code for call in refused] == [1]
    assert [result.tables[table]["linked"] for table in TABLES] == [100, 400]
    assert_all_linked(installed_db)


@pytest.mark.slow
@on("reference")
def test_call_does_not_wait_for_ever_for_a_row_that_stays_locked(installed_db: PlatformDatabase) -> None:
    many(installed_db, 50)
    with installed_db.connect(autocommit=False) as other:
        other.execute("SELECT FROM submissions LIMIT 1 FOR UPDATE")

        stopped = psql(installed_db, "CALL sessiondb.backfill()")

    assert "NOTICE:  stopped; linked by this call: 99" in stopped.err
    assert "ERROR:  canceling statement due to lock timeout" in stopped.err
    assert [linked(installed_db, table) for table in TABLES] == [50, 49]
    assert psql(installed_db, "CALL sessiondb.backfill()").code == 0
    assert_all_linked(installed_db)


@on("reference")
def test_call_takes_no_harm_from_a_session_that_is_deleted_meanwhile(installed_db: PlatformDatabase) -> None:
    session = many(installed_db, 20)

    with held(installed_db, 0.3, f"DELETE FROM sessions WHERE id = '{session}'"):
        run = psql(installed_db, "CALL sessiondb.backfill()")

    assert (run.code, "ERROR" in run.err) == (0, False)
    assert [linked(installed_db, table) for table in TABLES] == [0, 0]


@on("reference")
def test_a_row_that_was_changed_before_its_session_was_active_is_linked_wherever_it_is_then(
    installed_db: PlatformDatabase,
) -> None:
    """Its UPDATE found no session, and moved it to a page that had been read: so a second pass reads the whole table."""
    many(installed_db, 300)
    with installed_db.connect() as connection:
        connection.execute("DELETE FROM submissions WHERE ctid < '(1,0)'")
        connection.execute("VACUUM submissions")
        connection.execute("UPDATE sessions SET status = 'draft'")
    ((number,),) = rows(installed_db, "SELECT count(*) FROM {}", "submissions")
    with installed_db.connect(autocommit=False) as other, installed_db.database().connect() as connection:
        moved = other.execute(
            "UPDATE submissions SET content = 'again' WHERE ctid = (SELECT min(ctid) FROM submissions)"
            " RETURNING ctid::text, session_id"
        ).fetchall()
        assert [(place[:3], session) for place, session in moved] == [("(0,", None)]
        connection.execute("UPDATE public.sessions SET status = 'active'")

        def progress(done: int, total: int, linked: int) -> None:
            if linked == 300 + number - 1:
                other.commit()

        result = run(connection, Pace(batch_rows=20), progress)

    assert_all_linked(installed_db)
    assert result.as_json()["submissions"] == {"scanned": number, "linked": number, "unlinkable": 0, "reasons": {}}


@pytest.mark.slow
@on("reference", "school")
@pytest.mark.parametrize("by_call", [False, True])
def test_no_row_is_linked_to_a_session_that_was_closed_while_its_batch_waited_for_it(
    installed_db: PlatformDatabase, by_call: bool
) -> None:
    session = many(installed_db, 20)
    query = f"UPDATE sessions SET status = 'completed' WHERE id = '{session}'"
    new = (
        "INSERT INTO sessions (org_id, course_id, title, status, created_at)"
        f" SELECT org_id, course_id, 'the next', 'active', now() FROM sessions WHERE id = '{session}'"
    )
    locked = f"SELECT FROM sessions WHERE id = '{session}' FOR UPDATE"
    with held(installed_db, 0.5, locked, query, new):
        if by_call:
            with installed_db.connect() as connection:
                connection.execute("CALL sessiondb.backfill()")
        else:
            backfill(installed_db)
    with installed_db.connect() as connection:
        for table in TABLES:
            name = sql.Identifier(installed_db.platform.schema, table)
            stored = connection.execute(sql.SQL("SELECT count(*) FROM {} WHERE session_id = {}").format(name, session))
            assert stored.fetchone() == (0,)


@on("reference", "school")
@pytest.mark.parametrize("by_call", [False, True])
@pytest.mark.parametrize("ends", ["", "EXCEPTION WHEN division_by_zero THEN RETURN NULL; "])
def test_a_backfill_that_fills_a_session_which_a_trigger_closes_then_ends(
    installed_db: PlatformDatabase, by_call: bool, ends: str
) -> None:
    """Also in a subtransaction, as that of a block with EXCEPTION is."""
    session = many(installed_db, 20)
    with installed_db.connect() as connection:
        connection.execute(f"SET search_path TO {installed_db.platform.schema}".encode())
        connection.execute(
            "CREATE FUNCTION close() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS"
            " 'BEGIN UPDATE sessions SET status = ''completed'' WHERE id = NEW.session_id AND"
            " (SELECT count(*) FROM enrollments WHERE session_id = NEW.session_id) >= 10; RETURN NULL; "
            f"{ends}END';"
            "CREATE TRIGGER close AFTER UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION close()".encode()
        )
        if by_call:
            connection.execute("CALL sessiondb.backfill()")
    if not by_call:
        backfill(installed_db)

    with installed_db.connect() as connection:
        connection.execute(f"SET search_path TO {installed_db.platform.schema}".encode())
        query = "SELECT count(*) FROM enrollments WHERE session_id = %s"
        assert connection.execute(query, [session]).fetchone() == (20,)


@on("hosted")
def test_call_works_whatever_the_session_has_set_and_left(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("PREPARE sessiondb_held AS SELECT 1; SET quote_all_identifiers TO on")
        connection.execute("CALL sessiondb.backfill()")


@pytest.mark.parametrize(
    "forged",
    [
        "started_at = '2999-01-01', finished_at = CASE turn WHEN 1 THEN timestamptz '2999-01-02' END",
        """reasons = '{"no_membership": "x"}'""",
        """reasons = '{"no_membership": 9223372036854775807}'""",
        "reasons = '1'",
        "scanned = 9223372036854775807",
        "linked = -1",
        "turn = 9223372036854775807 WHERE turn = 2",
        "started_at = '-infinity', finished_at = CASE turn WHEN 1 THEN timestamptz '2024-01-02' END",
    ],
)
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_progress_that_no_backfill_has_written_is_not_resumed(
    installed_db: PlatformDatabase, forged: LiteralString
) -> None:
    """A role that may run a backfill could make that of the owner end with nothing linked, or with an error."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        platform.enroll(connection, platform.add_member(connection, org, platform.add_user(connection)), course)
        platform.add_session(connection, org, course)
        connection.execute(
            "INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, started_at)"
            " VALUES (1, 'enrollments', 'enrollments'::regclass, pg_relation_filenode('enrollments'), '2024-01-01'),"
            " (2, 'submissions', 'submissions'::regclass, pg_relation_filenode('submissions'), '2024-01-01')"
        )
        connection.execute("UPDATE sessiondb.backfill_progress SET " + forged)

    assert call(installed_db, "backfill").code == 0

    assert linked(installed_db, "enrollments") == 1


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_row_that_breaks_a_constraint_of_the_platform_stops_a_backfill_at_once(
    installed_db: PlatformDatabase,
) -> None:
    """It was there before the constraint, which is NOT VALID; no repetition helps."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        platform.enroll(connection, platform.add_member(connection, org, platform.add_user(connection)), course)
        platform.add_session(connection, org, course)
        connection.execute("ALTER TABLE enrollments ADD CONSTRAINT strict CHECK (id IS NULL) NOT VALID")
        notices: list[str] = []
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        with pytest.raises(errors.CheckViolation, match="strict"):
            connection.execute("CALL sessiondb.backfill()")

    ended = call(installed_db, "backfill")

    assert (ended.code, "retrying" in ended.err, "NOT VALID" in ended.err) == (1, False, True), ended.err
    assert not [notice for notice in notices if "tried again" in notice]


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
@pytest.mark.parametrize(("policy", "hides"), [("title <> 'none'", True), ("true", False)])
def test_the_owner_from_whom_a_forced_policy_may_hide_sessions_is_told(
    installed_db: PlatformDatabase, policy: str, *, hides: bool
) -> None:
    """The triggers see what the policies show to who writes; the owner may see others, and would link to these."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        platform.enroll(connection, user, course)
        platform.add_session(connection, org, course)
        for table, condition in (("sessions", policy), ("org_members", "true"), ("enrollments", "true")):
            connection.execute(
                f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY; CREATE POLICY part ON {table} USING ({condition})".encode()
            )

    ended = call(installed_db, "backfill")
    explained = call(installed_db, "explain", "--user", str(user), "--course", str(course))

    assert ended.code == 0, ended.err
    assert ("Row level security may hide" in ended.err) is hides, ended.err
    assert ("as far as role" in explained.out) is hides, explained.out
    assert linked(installed_db, "enrollments") > 0
