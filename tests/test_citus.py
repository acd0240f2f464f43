"""On Citus: distributed as docs/citus.md describes, all works as on a plain server; else it is refused before anything is changed.

Needs the programs of a server that has the extension: ``pytest tests/test_citus.py --citus-bindir DIR``.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import warm_start
from platforms import PLATFORMS
from psycopg import sql
from psycopg.conninfo import make_conninfo
from test_cli import Run, environment
from test_explain import REASONS
from test_trainer import ADA, EN, HOST, NORD, PYTHON, Visitor
from test_trainer import _wait as linking

from sessiondb.connection import Connection, trusted
from sessiondb.embedded import Server, ephemeral_server
from sessiondb.trainer import create_app

REFERENCE = PLATFORMS["reference"]
SETTINGS = {
    "shared_preload_libraries": "citus",
    "citus.enable_schema_based_sharding": "on",
    "citus.shard_count": "8",
    "max_prepared_transactions": "100",
    "wal_level": "logical",  # to move a shard while it is written
}

OF_STUDENTS = ("enrollments", "submissions")
FOR_ALL = ("users", "orgs", "courses", "org_members", "exercises", "sessions")


@pytest.fixture(scope="session")
def nodes(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """A coordinator and two workers."""
    bindir = request.config.option.citus_bindir
    if bindir is None:
        pytest.skip("no server with Citus: name the directory of its programs with --citus-bindir")
    with ExitStack() as stack:
        yield [stack.enter_context(ephemeral_server(bindir, settings=SETTINGS)) for _ in range(3)]


def prepare(connection: Connection) -> None:
    """Load the platform, with keys by which the rows of students can be distributed."""
    REFERENCE.load(connection)
    for table in OF_STUDENTS:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (user_id, id)")


def distribute(connection: Connection) -> None:
    """Distribute the rows of students, and the others to every node."""
    for table in FOR_ALL:
        connection.execute("SELECT create_reference_table(%s)", [table])
    for table in OF_STUDENTS:
        connection.execute("SELECT create_distributed_table(%s, 'user_id')", [table])


@pytest.fixture
def bare(nodes: list[Server]) -> Iterator[str]:
    """An empty database of the cluster."""
    for node in nodes:
        with psycopg.connect(node.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform")
        with psycopg.connect(node.dsn("platform"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION citus")
    with psycopg.connect(nodes[0].dsn("platform"), autocommit=True) as connection:
        connection.execute("SET citus.enable_schema_based_sharding TO off")
        connection.execute("SELECT citus_set_coordinator_host(%s, %s)", [str(nodes[0].socket_dir), nodes[0].port])
        for node in nodes[1:]:
            connection.execute("SELECT citus_add_node(%s, %s)", [str(node.socket_dir), node.port])
    try:
        yield nodes[0].dsn("platform")
    finally:
        for node in nodes:
            with psycopg.connect(node.dsn(), autocommit=True) as connection:
                connection.execute("DROP DATABASE platform WITH (FORCE)")


@pytest.fixture
def conninfo(bare: str) -> str:
    """A database of the cluster with the reference platform, whose rows of students can be distributed."""
    with psycopg.connect(bare, autocommit=True) as connection:
        prepare(connection)
    return bare


@dataclass
class Both:
    """The same platform twice: distributed on the cluster, and plain on the same server."""

    cluster: str
    plain: str
    workers: Sequence[str]

    def execute(self, statement: LiteralString, *, worker: int | None = None) -> None:
        """Send it to both, to the cluster through its coordinator or through a worker."""
        through = self.cluster if worker is None else self.workers[worker]
        for conninfo in (through, self.plain):
            with psycopg.connect(conninfo, autocommit=True) as connection:
                connection.execute(statement)

    def copy(self, table: str, rows: Sequence[Sequence[object]], columns: str, *, worker: int) -> None:
        """Send rows to both with COPY."""
        for conninfo in (self.workers[worker], self.plain):
            with (
                psycopg.connect(conninfo) as connection,
                connection.cursor() as cursor,
                cursor.copy(trusted(f"COPY {table} ({columns}) FROM STDIN")) as copy,
            ):
                for row in rows:
                    copy.write_row(row)

    def run(self, *arguments: str, code: int = 0) -> Run:
        """Run a command on both, and return what it said on the cluster, which of a command that reads is the same."""
        one, other = on(self.cluster, *arguments), on(self.plain, *arguments)
        assert (one.code, other.code) == (code, code), (one, other)
        assert one.out == other.out or arguments[0] in ("apply", "rollback", "backfill", "check")
        return one

    def ask(self, query: LiteralString) -> list[tuple[object, ...]]:
        """Return the rows of a query, which are the same on both."""
        answers = []
        for conninfo in (self.cluster, self.plain):
            with psycopg.connect(conninfo) as connection:
                answers.append(connection.execute(query).fetchall())
        assert answers[0] == answers[1]
        return answers[0]

    def links(self) -> int:
        """Return how many rows have a session, after comparing each row."""
        rows = self.ask(
            "SELECT 'enrollments', id, user_id, session_id FROM enrollments UNION ALL"
            " SELECT 'submissions', id, user_id, session_id FROM submissions ORDER BY 1, 2, 3"
        )
        return sum(row[3] is not None for row in rows)


@pytest.fixture
def both(nodes: list[Server], conninfo: str) -> Iterator[Both]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        distribute(connection)
    with psycopg.connect(nodes[0].dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
        with psycopg.connect(nodes[0].dsn("plain"), autocommit=True) as plain:
            prepare(plain)
        yield Both(conninfo, nodes[0].dsn("plain"), [node.dsn("platform") for node in nodes[1:]])
        connection.execute("DROP DATABASE plain WITH (FORCE)")


def on(conninfo: str, *arguments: str) -> Run:
    """Run sessiondb on the coordinator."""
    return Run(*warm_start.run(("-d", conninfo, *arguments), environment(None), timeout=300))


STUDENTS: LiteralString = """
INSERT INTO users (id, email) SELECT md5(n::text)::uuid, n || '@example.org' FROM generate_series(1, 400) AS n;
INSERT INTO org_members (org_id, user_id)
SELECT ('00000000-0000-4000-8000-0000000000a' || 1 + n % 2)::uuid, md5(n::text)::uuid FROM generate_series(1, 360) AS n;
INSERT INTO org_members (org_id, user_id)
SELECT ('00000000-0000-4000-8000-0000000000a' || 2 - n % 2)::uuid, md5(n::text)::uuid FROM generate_series(1, 40) AS n
"""
"""Nine in ten in one organisation, some in two, some in none."""

OLD: LiteralString = """
INSERT INTO enrollments (id, user_id, course_id)
SELECT md5('e' || n)::uuid, md5(n::text)::uuid, ('00000000-0000-4000-8000-0000000000c' || 1 + n % 2)::uuid FROM generate_series(1, 200) AS n;
INSERT INTO submissions (id, user_id, exercise_id)
SELECT md5('s' || n)::uuid, md5((1 + n % 200)::text)::uuid, ('00000000-0000-4000-8000-0000000000e' || 1 + n % 3)::uuid
  FROM generate_series(1, 600) AS n;
INSERT INTO submissions (id, user_id) SELECT md5('x' || n)::uuid, md5(n::text)::uuid FROM generate_series(1, 10) AS n
"""

SESSIONS: LiteralString = """
INSERT INTO sessions (id, org_id, course_id, title, status, created_at)
SELECT md5('session' || n)::uuid, ('00000000-0000-4000-8000-0000000000a' || 1 + n % 2)::uuid,
       ('00000000-0000-4000-8000-0000000000c' || 1 + n / 2 % 2)::uuid, 'Session ' || n, CASE WHEN n = 7 THEN 'draft' ELSE 'active' END,
       '2026-09-01'::date + n
  FROM generate_series(0, 7) AS n
"""


def write(both: Both) -> None:
    """Write as applications do, through both workers and the coordinator."""
    enrol = "INSERT INTO enrollments (id, user_id, course_id) VALUES (md5('f{0}')::uuid, md5('{0}')::uuid, '00000000-0000-4000-8000-0000000000c{1}')"
    for n in range(201, 231):
        both.execute(trusted(enrol.format(n, 1 + n % 2)), worker=n % 2)
    both.execute(
        "INSERT INTO enrollments (id, user_id, course_id) SELECT md5('g' || n)::uuid, md5(n::text)::uuid,"
        " ('00000000-0000-4000-8000-0000000000c' || 1 + n % 2)::uuid FROM generate_series(231, 330) AS n",
        worker=0,
    )
    upsert: LiteralString = (
        "INSERT INTO enrollments (id, user_id, course_id) SELECT md5('h' || n)::uuid, md5(n::text)::uuid,"
        " ('00000000-0000-4000-8000-0000000000c' || 1 + n % 2)::uuid FROM generate_series(101, 350) AS n"
        " ON CONFLICT (user_id, course_id) DO UPDATE SET status = 'again'"
    )
    both.execute(upsert, worker=1)
    with psycopg.connect(both.plain) as connection:
        users = connection.execute("SELECT n, md5(n::text)::uuid FROM generate_series(1, 400) AS n").fetchall()
    exercise = "00000000-0000-4000-8000-0000000000e{}"
    rows = [(f"{'0' * 8}-0000-4000-8000-{n:012d}", user, exercise.format(1 + n % 3)) for n, user in users]
    both.copy("submissions", rows, "id, user_id, exercise_id", worker=0)


def test_all_is_as_on_a_plain_server(both: Both) -> None:
    both.execute(STUDENTS)
    both.execute(OLD)
    both.run("apply")
    both.execute(SESSIONS)
    write(both)
    linked = both.links()
    assert linked > 300

    both.run("backfill")
    assert both.links() > linked
    linked = both.links()
    assert "unlinked_rows" in both.run("check").out
    for user, course in (
        ("5@example.org", "Data with SQL"),
        ("dmitri@example.org", "Data with SQL"),
        ("bruno@example.org", "Data with SQL"),
    ):
        assert both.run("explain", "--user", user, "--course", course, code=0).out
    for command in (
        "show sessions",
        "show sessions --unlinked",
        "org list",
        "course list",
        "member list --org campus-sud",
    ):
        both.run(*command.split())
    both.execute("UPDATE sessions SET status = 'completed' WHERE title = 'Session 3'")
    both.execute("DELETE FROM org_members WHERE user_id = md5('3')::uuid")
    both.run("rollback", "--all", "--yes")
    both.execute("UPDATE enrollments SET status = 'again' WHERE user_id = md5('5')::uuid", worker=0)
    both.run("apply")
    assert both.links() == linked


def write_many(both: Both, first: int) -> None:
    """Write 25,000 rows in each of the ways that applications have, from two connections at once, each through a worker.

    The rows of both connections are of the same students, but no row is written by both: two clients that upsert the same rows in
    different orders deadlock without any trigger.
    """
    course = "('00000000-0000-4000-8000-0000000000c' || 1 + n % 2)::uuid"
    exercise = "('00000000-0000-4000-8000-0000000000e' || 1 + n % 3)::uuid"

    def each(worker: int) -> None:
        for conninfo in (both.workers[worker], both.plain):
            with psycopg.connect(conninfo, autocommit=True) as connection:

                def rows(since: int, count: int, worker: int = worker, connection: Connection = connection) -> None:
                    """Insert submissions of every second number."""
                    connection.execute(
                        trusted(
                            "INSERT INTO submissions (id, user_id, exercise_id) SELECT"  # a value of each column, sent as VALUES is
                            f" md5('w' || n)::uuid, md5((1 + n / 2 % 4000)::text)::uuid, {exercise}"
                            f" FROM generate_series({first + since + worker}, {first + since + 2 * count - 1}, 2) AS n"
                        )
                    )

                for n in range(0, 2000, 2):
                    rows(n, 1)
                for n in range(2000, 10000, 200):
                    rows(n, 100)
                numbers = range(first + 10000 + worker, first + 20000, 2)
                with (
                    connection.cursor() as cursor,
                    cursor.copy("COPY submissions (id, user_id, exercise_id) FROM STDIN") as copy,
                ):
                    for n in numbers:
                        user = md5(str(1 + n // 2 % 4000).encode()).hexdigest()
                        copy.write_row(
                            (md5(f"w{n}".encode()).hexdigest(), user, f"00000000-0000-4000-8000-0000000000e{1 + n % 3}")
                        )
                for n in range(worker, 5000, 100):
                    connection.execute(
                        trusted(
                            "INSERT INTO enrollments (id, user_id, course_id)"
                            f" SELECT md5('e' || n)::uuid, md5((1 + n / 2)::text)::uuid, {course} FROM generate_series({n}, {n + 98}, 2) AS n"
                            " ON CONFLICT (user_id, course_id) DO UPDATE SET status = 'again'"
                        )
                    )

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(each, (0, 1)))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_fifty_thousand_rows_through_two_workers_are_as_on_a_plain_server(both: Both) -> None:
    """In each step of a database's life. A failed write, for instance of a deadlock, fails the test."""
    both.execute(trusted(STUDENTS.replace(", 400)", ", 4000)").replace(", 360)", ", 3600)")))
    both.execute(OLD)
    both.run("apply")
    write_many(both, 0)
    assert both.links() == 0
    both.execute(SESSIONS)
    write_many(both, 20000)
    linked = [both.links()]
    both.run("backfill")
    linked.append(both.links())
    assert 20000 < linked[0] < linked[1]
    found = [
        [
            (finding["check"], finding["level"], finding["detail"])  # their fixes name one of many rows
            for finding in on(conninfo, "check", "--format", "json").json["findings"]
        ]
        for conninfo in (both.cluster, both.plain)
    ]
    assert found[0] == found[1]

    both.execute(
        "INSERT INTO courses (id, title) SELECT ('00000000-0000-4000-8000-0000000000c' || n)::uuid, 'Course ' || n FROM generate_series(7, 9) AS n;"
        "INSERT INTO sessions (id, org_id, course_id, title, status) VALUES"
        " (md5('over')::uuid, '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c8', 'Over', 'completed'),"
        " (md5('there')::uuid, '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c9', 'There', 'active')"
    )
    reasons = set()
    for user, title in itertools.product(
        ("40", "100", "101", "3999"), ("Python for beginners", "Course 7", "Course 8", "Course 9")
    ):
        reasons.add(
            both.run("explain", "--user", f"{user}@example.org", "--course", title, "--format", "json").json["reason"]
        )
    for table in OF_STUDENTS:
        course = "exercise_id" if table == "submissions" else "course_id"
        for condition in ("session_id IS NULL", "session_id IS NOT NULL", f"{course} IS NULL"):
            for (row,) in both.ask(trusted(f"SELECT id::text FROM {table} WHERE {condition} ORDER BY id LIMIT 3")):
                reasons.add(both.run("explain", f"--{table[:-1]}", str(row), "--format", "json").json["reason"])
    assert reasons == {*REASONS}

    for _ in range(2):
        both.run("rollback", "--all", "--yes")
        both.ask("SELECT s.id, s.user_id FROM submissions AS s ORDER BY 1, 2")
        both.run("apply")
        assert both.links() == linked[1]


def test_a_backfill_that_was_stopped_is_completed_by_a_call_in_sql(both: Both) -> None:
    both.execute(STUDENTS)
    both.execute(OLD)
    both.run("apply")
    both.execute(SESSIONS)
    assert on(both.cluster, "backfill", "--batch-rows", "50", "--sleep", "0.2", "--max-runtime", "1").code == 7
    with psycopg.connect(both.cluster, autocommit=True) as connection:
        ((some,),) = connection.execute("SELECT count(session_id) FROM enrollments").fetchall()
        connection.execute("CALL sessiondb.backfill()")
    assert on(both.plain, "backfill").code == 0
    assert both.links() > some > 0


def test_an_open_enrolment_blocks_no_other_session(both: Both) -> None:
    both.execute(STUDENTS)
    assert on(both.cluster, "apply").code == 0
    both.execute(SESSIONS)
    enrol = (
        "INSERT INTO enrollments (user_id, course_id) VALUES (md5('{}')::uuid, '00000000-0000-4000-8000-0000000000c1')"
    )
    with psycopg.connect(both.workers[0]) as first, psycopg.connect(both.workers[1]) as second:
        for n in range(1, 21):  # rows on both workers in one transaction
            first.execute(trusted(enrol.format(n)))
        second.execute("SET lock_timeout TO '2s'")
        for n in range(21, 41):
            second.execute(trusted(enrol.format(n)))
        with psycopg.connect(both.cluster, autocommit=True) as third:
            third.execute("SET lock_timeout TO '2s'; SET statement_timeout TO '5s'")
            third.execute("INSERT INTO courses (title) VALUES ('Another')")
            third.execute("UPDATE sessions SET title = 'Another' WHERE title = 'Session 0'")
    with psycopg.connect(both.cluster) as connection:
        assert connection.execute(
            "SELECT count(session_id) FROM enrollments WHERE user_id IN (SELECT md5(n::text)::uuid FROM generate_series(1, 40) AS n)"
        ).fetchone() == (40,)


def test_a_session_that_is_deleted_meanwhile_fails_no_enrolment(both: Both) -> None:
    """Whichever comes first: the row gets another session, or loses the one that it got."""
    both.execute(STUDENTS)
    assert on(both.cluster, "apply").code == 0
    both.execute(SESSIONS)
    enrol = "INSERT INTO enrollments (user_id, course_id) VALUES (md5('{}')::uuid, '00000000-0000-4000-8000-0000000000c2') RETURNING session_id"
    newest = "SELECT id FROM sessions WHERE title = 'Session 6'"
    with psycopg.connect(both.cluster) as deleting:
        ((gone,),) = deleting.execute(newest).fetchall()
        deleting.execute("DELETE FROM sessions WHERE id = %s", [gone])
        got: list[object] = []

        def insert() -> None:
            with psycopg.connect(both.workers[0]) as connection:
                got.extend(connection.execute(trusted(enrol.format(100))).fetchone() or ())

        thread = threading.Thread(target=insert)
        thread.start()
        thread.join(1)
        assert got == []  # it waits
        deleting.commit()
        thread.join(20)
    assert got not in ([], [None], [gone])


def test_a_wrong_session_is_refused_on_a_worker_as_on_a_plain_server(both: Both) -> None:
    both.execute(STUDENTS)
    both.run("apply")
    both.execute(SESSIONS)
    for conninfo in (both.workers[0], both.plain):
        with psycopg.connect(conninfo) as connection, pytest.raises(psycopg.errors.CheckViolation) as refused:
            connection.execute(
                "INSERT INTO enrollments (user_id, course_id, session_id)"
                " VALUES (md5('50')::uuid, '00000000-0000-4000-8000-0000000000c1', md5('session1')::uuid)"
            )
        assert "does not fit" in str(refused.value)
        assert refused.value.diag.message_hint


def test_what_was_distributed_after_a_release_was_applied_is_upgraded_by_apply(bare: str) -> None:
    """Of 0.1.0: with one table adopted, and a backfill that was stopped."""
    with psycopg.connect(bare, autocommit=True) as connection:
        load_release(connection)
        links = connection.execute(ALL_LINKS).fetchall()
        for table in OF_STUDENTS:
            connection.execute(trusted(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        distribute(connection)
        assert connection.execute(ALL_LINKS).fetchall() == links
        assert on(bare, "apply", "--adopt").code == 0
        for table in OF_STUDENTS:
            connection.execute(trusted(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        assert on(bare, "status", "--exit-code").code == 0
        assert on(bare, "backfill").code == 0
        linked = connection.execute(ALL_LINKS).fetchall()
        assert len(linked) > len(links)
        assert set(links) < set(linked)
        for command in (["rollback", "--all", "--yes"], ["apply", "--adopt"]):
            assert on(bare, *command).code == 0
        assert connection.execute(ALL_LINKS).fetchall() == linked


def test_a_rollback_before_the_tables_are_distributed_and_an_apply_after_it_keep_the_links(bare: str) -> None:
    with psycopg.connect(bare, autocommit=True) as connection:
        load_release(connection)
        for command in (["apply", "--adopt"], ["backfill"]):
            assert on(bare, *command).code == 0
        links = connection.execute(ALL_LINKS).fetchall()
        assert on(bare, "rollback", "--all", "--yes").code == 0
        connection.execute("DROP TRIGGER own_link ON enrollments")
        distribute(connection)
        assert on(bare, "apply").code == 0
        assert connection.execute(ALL_LINKS).fetchall() == links
        assert on(bare, "status", "--exit-code").code == 0


def load_release(connection: Connection) -> None:
    """Load a platform on which 0.1.0 is applied, with keys by which it can be distributed."""
    connection.execute("SET citus.enable_schema_based_sharding TO off")
    connection.execute((Path(__file__).parent / "releases/0.1.0-reference.sql").read_bytes())
    connection.execute("RESET search_path; SET citus.enable_unsafe_triggers TO on")
    for table in OF_STUDENTS:
        connection.execute(trusted(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (user_id, id)"))


ALL_LINKS: LiteralString = (
    "SELECT 'enrollments', id, session_id FROM enrollments WHERE session_id IS NOT NULL UNION ALL"
    " SELECT 'submissions', id, session_id FROM submissions WHERE session_id IS NOT NULL ORDER BY 1, 2"
)


def submit(both: Both, worker: int, is_over: threading.Event) -> None:
    """Submit through a worker until that is over."""
    n = 0
    with psycopg.connect(both.workers[worker], autocommit=True) as connection:
        while not is_over.is_set():
            n += 1
            submission = (
                f"INSERT INTO submissions (id, user_id, exercise_id) VALUES (md5('{worker} {n}')::uuid,"
                f" md5('{1 + n % 400}')::uuid, '00000000-0000-4000-8000-0000000000e{1 + n % 3}')"
            )
            # a deadlock with the DROP TABLE of a shard that was moved, or the trigger finds its shard gone
            with suppress(psycopg.errors.DeadlockDetected, psycopg.errors.InternalError_):
                connection.execute(trusted(submission))


@pytest.mark.slow
def test_a_node_that_is_added_and_shards_that_move_meanwhile_take_the_triggers_and_the_links_along(
    both: Both, nodes: list[Server], request: pytest.FixtureRequest
) -> None:
    """A write to a shard that moves may fail; each that succeeds is linked as on a plain server."""
    both.execute(STUDENTS)
    both.run("apply")
    both.execute(SESSIONS)
    with ExitStack() as stack:
        added = stack.enter_context(ephemeral_server(request.config.option.citus_bindir, settings=SETTINGS))
        for name, statement in (("postgres", "CREATE DATABASE platform"), ("platform", "CREATE EXTENSION citus")):
            with psycopg.connect(added.dsn(name), autocommit=True) as connection:
                connection.execute(trusted(statement))
        is_over = threading.Event()

        with ThreadPoolExecutor(2) as threads:
            writing = [threads.submit(submit, both, worker, is_over) for worker in (0, 1)]
            try:
                with psycopg.connect(both.cluster, autocommit=True) as connection:
                    home = sql.Literal(str(nodes[0].socket_dir))  # where Citus connects to the coordinator itself
                    connection.execute(sql.SQL("ALTER SYSTEM SET citus.local_hostname TO {}").format(home))
                    connection.execute("SELECT pg_reload_conf()")
                    connection.execute("SELECT citus_add_node(%s, %s)", [str(added.socket_dir), added.port])
                    connection.execute("SELECT rebalance_table_shards(shard_transfer_mode := 'block_writes')")
            finally:
                is_over.set()
        assert [future.result() for future in writing] == [None, None]
        with psycopg.connect(both.cluster, autocommit=True) as connection:
            written = connection.execute(
                "SELECT id, user_id, exercise_id FROM submissions WHERE id::text NOT LIKE '00000000-%'"
            ).fetchall()
            moved = connection.execute("SELECT FROM citus_shards WHERE nodename = %s", [str(added.socket_dir)])
            assert moved.rowcount > 0
        with psycopg.connect(both.plain) as plain, plain.cursor() as cursor:
            cursor.executemany("INSERT INTO submissions (id, user_id, exercise_id) VALUES (%s, %s, %s)", written)
        linked = both.links()
        assert linked > 100
        assert on(both.cluster, "status", "--exit-code").code == 0
        with psycopg.connect(both.cluster, autocommit=True) as connection:
            refused = on(both.cluster, "rollback", "--all", "--yes")
            if refused.code:  # unless Citus was faster
                assert refused.code == 5, refused
                assert "CALL citus_cleanup_orphaned_resources()" in refused.err
                connection.execute("CALL citus_cleanup_orphaned_resources()")
        both.run("rollback", "--all", "--yes")
        both.run("apply")
        assert both.links() == linked


def test_the_script_and_the_batch_do_what_apply_does(both: Both, request: pytest.FixtureRequest) -> None:
    """On both, from where a rollback leaves links to restore."""
    both.execute(STUDENTS)
    both.execute(OLD)
    both.run("apply")
    both.execute(SESSIONS)
    both.run("backfill")
    linked = both.links()
    psql = [request.config.option.citus_bindir / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
    for options in ([], ["--single-transaction"]):
        both.run("rollback", "--all", "--yes")
        script = on(both.cluster, "plan", "--sql", *options).out
        for conninfo in (both.cluster, both.plain):
            subprocess.run([*psql, conninfo], input=script, encoding="utf-8", check=True, capture_output=True)
        assert both.links() == linked
        for conninfo in (both.cluster, both.plain):
            assert on(conninfo, "status", "--exit-code").code == 0


def test_the_pages_for_trainers_are_as_on_a_plain_server(both: Both) -> None:
    both.execute(STUDENTS)
    both.run("apply")
    both.execute(OLD)
    visitors = [
        Visitor(create_app(conninfo, hosts=[HOST], who=lambda _: "", schema="public"))
        for conninfo in (both.cluster, both.plain)
    ]

    def see(path: str) -> str:
        one, other = (visitor.see(path) for visitor in visitors)
        assert one == other
        return one

    for path in ("/", "/new", "/orgs", f"/orgs/{NORD}", f"/new/{NORD}/{PYTHON}"):
        assert see(path)
    for visitor in visitors:
        created = visitor.press(f"/new/{NORD}/{PYTHON}", title="Autumn", status="active", by=ADA, link="1")
        assert EN("linked_n", n=0) not in linking(visitor, created.location)
        assert "Autumn" in visitor.see(created.location.replace("/link", "").partition("?")[0])
    both.ask(
        "SELECT count(*) FROM enrollments WHERE session_id IS NOT NULL UNION ALL SELECT count(*) FROM submissions WHERE session_id IS NOT NULL"
    )


def test_ordinary_tables_work_as_on_any_server(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert on(conninfo, "apply").code == 0
        create = ("session", "create", "--org", "atelier-nord", "--course", "Data with SQL", "--title", "Automne")
        assert on(conninfo, *create).code == 0
        linked = connection.execute(
            "INSERT INTO enrollments (user_id, course_id) VALUES"
            " ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c2') RETURNING session_id"
        ).fetchone()
        assert linked is not None
        assert linked[0] is not None
        for command in (["check"], ["backfill"], ["rollback", "--all", "--yes"], ["apply"]):
            assert on(conninfo, *command).code == 0
        assert connection.execute("SELECT count(session_id) FROM enrollments").fetchone() == (1,)


UNSUPPORTED: dict[str, tuple[tuple[str, ...], LiteralString, str]] = {
    "a reference table alone": (("courses",), "SELECT", "Table public.courses is managed by Citus"),
    "sessions distributed": (
        tuple(table for table in FOR_ALL if table != "sessions"),
        "SELECT create_distributed_table('sessions', 'org_id')",
        "table public.sessions is no reference table",
    ),
    "a table on the way local": (
        tuple(table for table in FOR_ALL if table != "exercises"),
        "SELECT",
        "table public.exercises is no reference table",
    ),
    "another column": (
        FOR_ALL,
        "SELECT create_distributed_table('enrollments', 'course_id'), create_distributed_table('submissions', 'user_id')",
        "table public.enrollments is not distributed by user_id",
    ),
    "one shard": (
        FOR_ALL,
        "SELECT create_distributed_table('enrollments', NULL), create_distributed_table('submissions', NULL)",
        "table public.enrollments has one shard, as in the schema of a tenant",
    ),
    "copies of shards": (
        FOR_ALL,
        "SET citus.shard_replication_factor TO 2; SELECT create_distributed_table('enrollments', 'user_id');"
        " SELECT create_distributed_table('submissions', 'user_id')",
        "more than one copy",
    ),
}


def assert_scripts_are_refused(request: pytest.FixtureRequest, conninfo: str, reason: str, *options: str) -> None:
    """Run what ``plan --sql`` writes, for psql and for other tools, and see that it stops with this reason."""
    psql = [request.config.option.citus_bindir / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", conninfo]
    for form in ([], ["--single-transaction"]):
        script = on(conninfo, "plan", "--sql", *form, *options).out
        stopped = subprocess.run(psql, input=script, encoding="utf-8", check=False, capture_output=True)
        assert stopped.returncode == 3
        assert reason in stopped.stderr


@pytest.mark.parametrize("topology", UNSUPPORTED)
def test_another_topology_is_refused_before_anything_is_changed(
    conninfo: str, topology: str, request: pytest.FixtureRequest
) -> None:
    for_all, statement, reason = UNSUPPORTED[topology]
    with psycopg.connect(conninfo, autocommit=True) as connection:
        keys = (
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint WHERE contype = 'f' OR contype = 'u'"
            " AND conrelid = 'enrollments'::regclass"
        )
        for key in connection.execute(keys).fetchall():
            connection.execute(trusted("ALTER TABLE {} DROP CONSTRAINT {}".format(*key)))
        for table, columns in {"enrollments": "user_id, course_id, id", "sessions": "org_id, id"}.items():
            connection.execute(
                trusted(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY ({columns})")
            )
        for table in for_all:
            connection.execute("SELECT create_reference_table(%s)", [table])
        if len(for_all) < len(FOR_ALL):
            connection.execute("SELECT create_distributed_table('enrollments', 'user_id')")
            connection.execute("SELECT create_distributed_table('submissions', 'user_id')")
        connection.execute(statement)
        for command in (["apply"], ["plan"]):
            refused = on(conninfo, *command, "--course-path", "exercise_id.exercises.course_id")
            assert refused.code == 5, refused
            assert reason in refused.err
        assert_scripts_are_refused(request, conninfo, reason, "--course-path", "exercise_id.exercises.course_id")
        assert connection.execute("SELECT to_regnamespace('sessiondb')").fetchone() == (None,)


def test_what_was_distributed_after_apply_is_refused_by_all_that_would_lose_links(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert on(conninfo, "apply").code == 0
        keys = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'submissions'::regclass AND contype = 'f'"
        )
        for (key,) in keys.fetchall():
            connection.execute(sql.SQL("ALTER TABLE submissions DROP CONSTRAINT {}").format(sql.Identifier(key)))
        connection.execute("TRUNCATE submissions")  # to distribute rows copies them through the triggers
        connection.execute("SET citus.enable_unsafe_triggers TO on")
        connection.execute("SELECT create_distributed_table('submissions', 'user_id')")
        for command in (["backfill"], ["rollback", "--all", "--yes"], ["apply"]):
            refused = on(conninfo, *command)
            assert refused.code in (1, 5), refused
            assert "managed by Citus" in refused.err
        assert on(conninfo, "check").code == 4
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="managed by Citus"):
            connection.execute("CALL sessiondb.backfill()")
        columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'session_id' AND table_schema = 'public'"
        assert connection.execute(columns).fetchone() == (2,)


def test_the_fix_that_is_printed_makes_apply_work(conninfo: str) -> None:
    """For tables distributed each by itself, and for the schema of a tenant."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET citus.enable_schema_based_sharding TO off; CREATE SCHEMA tenant")
        for prepared, fix in (
            (
                "SELECT create_distributed_table('submissions', 'user_id')",
                r"SELECT pg_catalog.undistribute_table\('public.submissions', cascade_via_foreign_keys => true\)",
            ),
            ("SELECT citus_schema_distribute('tenant')", r"SELECT pg_catalog.citus_schema_undistribute\('tenant'\)"),
        ):
            for table in (*FOR_ALL, *OF_STUDENTS):
                if "tenant" in fix:
                    connection.execute(trusted(f"ALTER TABLE {table} SET SCHEMA tenant"))
                elif table != "submissions":
                    connection.execute("SELECT create_reference_table(%s)", [table])
            connection.execute(trusted(prepared))
            schema = "tenant" if "tenant" in fix else "public"
            refused = on(conninfo, "--schema", schema, "apply")
            assert refused.code == 5, refused
            printed = re.search(fix, refused.err)
            assert printed, refused.err
            connection.execute(trusted(printed.group()))
    assert on(conninfo, "--schema", "tenant", "apply").code == 0


def test_an_owner_who_is_no_superuser_needs_the_rights_on_each_worker_that_preflight_names(
    nodes: list[Server], bare: str, request: pytest.FixtureRequest
) -> None:
    """Then all works for the owner, and the triggers for a role that may do no more than write."""
    with psycopg.connect(bare, autocommit=True) as admin:
        admin.execute("CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN")
        admin.execute("GRANT CREATE ON DATABASE platform TO owner; GRANT USAGE, CREATE ON SCHEMA public TO owner")
        owner, app = make_conninfo(bare, user="owner"), make_conninfo(nodes[1].dsn("platform"), user="app")
        with psycopg.connect(owner, autocommit=True) as connection:
            prepare(connection)
            distribute(connection)
            connection.execute("GRANT INSERT ON enrollments, submissions TO app")
            connection.execute(trusted(f"{STUDENTS}; {OLD}"))
        with psycopg.connect(nodes[2].dsn("platform"), autocommit=True) as worker:
            worker.execute("SET citus.enable_ddl_propagation TO off; REVOKE CREATE ON SCHEMA public FROM owner")
            refused = on(owner, "apply")
            assert refused.code == 5, refused
            reason = "Role owner may not create a schema, or a function in schema public, on worker"
            assert reason in refused.err
            assert_scripts_are_refused(request, owner, reason)
            printed = re.search(r"Run there: (.*)", refused.err)
            assert printed
            worker.execute("RESET citus.enable_ddl_propagation")
            worker.execute(trusted(printed.group(1)))
        assert on(owner, "apply").code == 0

        # the remnant of CREATE INDEX CONCURRENTLY that failed on a worker
        ((index,),) = admin.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'enrollments_session_id_idx'::regclass RETURNING"
            " (SELECT 'enrollments_session_id_idx_' || min(shardid) FROM citus_shards WHERE table_name = indrelid::regclass AND nodename = %s)",
            [str(nodes[2].socket_dir)],
        ).fetchall()
        with psycopg.connect(nodes[2].dsn("platform"), autocommit=True) as worker:
            worker.execute("SET citus.enable_ddl_propagation TO off; SET citus.override_table_visibility TO off")
            worker.execute("SET citus.enable_manual_changes_to_shards TO on")
            worker.execute(trusted(f"DROP INDEX {index}"))
        assert on(owner, "apply").code == 0

        with psycopg.connect(owner, autocommit=True) as connection, psycopg.connect(app, autocommit=True) as writer:
            connection.execute(SESSIONS)
            for n in range(201, 241):
                writer.execute(
                    "INSERT INTO enrollments (user_id, course_id) VALUES (md5(%s)::uuid, '00000000-0000-4000-8000-0000000000c1')",
                    [str(n)],
                )
            with writer.cursor().copy("COPY submissions (user_id, exercise_id) FROM STDIN") as copy:
                for n in range(201, 241):
                    copy.write_row((md5(str(n).encode()).hexdigest(), "00000000-0000-4000-8000-0000000000e1"))
            written = "SELECT count(session_id) FROM {} WHERE user_id IN (SELECT md5(n::text)::uuid FROM generate_series(201, 240) AS n)"
            for table in OF_STUDENTS:
                assert connection.execute(trusted(written.format(table))).fetchone() == (40,)
            connection.execute("CALL sessiondb.backfill()")
            links = connection.execute(ALL_LINKS).fetchall()
            assert len(links) > 600
            for command in (["backfill"], ["explain", "--user", "5@example.org", "--course", "Data with SQL"]):
                assert on(owner, *command).code == 0
            assert on(owner, "check").code == 0
            admin.execute(  # what a node left that was removed
                "INSERT INTO pg_dist_cleanup (record_id, operation_id, object_type, object_name, node_group_id, policy_type)"
                " VALUES (nextval('pg_dist_cleanup_recordid_seq'), 1, 1, 'public.enrollments_1', 99, 2)"
            )
            for command in (["rollback", "--all", "--yes"], ["apply"]):
                assert on(owner, *command).code == 0
            assert connection.execute(ALL_LINKS).fetchall() == links
