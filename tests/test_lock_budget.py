"""A lock budget: short waits, then longer ones; who is in the way is named; when it is spent, nothing is half done."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import LiteralString

import psycopg
import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import IsolationLevel, sql

from sessiondb import resources
from sessiondb.connection import Connection
from sessiondb.errors import Exit, LockNotObtainedError, SessiondbError
from sessiondb.locks import LockBudget, with_lock_budget
from sessiondb.migrate import Runner
from sessiondb.watch import Watch

REFERENCE, PARTITIONED, HOSTED = PLATFORMS["reference"], PLATFORMS["partitioned"], PLATFORMS["hosted"]
MIGRATIONS = sorted(path.stem for path in resources.MIGRATIONS.glob("*.sql") if ".rollback" not in path.name)
CLI = (sys.executable, "-W", "error", "-m", "sessiondb")
TRY = re.compile(r"  no lock within (\S+) s, next try in \S+ s; in the way: (.*)")

on_reference = pytest.mark.parametrize("platform", [REFERENCE], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PARTITIONED], indirect=True, ids=str)
on_hosted = pytest.mark.parametrize("platform", [HOSTED], indirect=True, ids=str)
on_both = pytest.mark.parametrize("platform", [REFERENCE, PARTITIONED], indirect=True, ids=str)

Boundary = Callable[[str, str], None]


@dataclass
class Told:
    """What a run reports: its lines, and the progress of index builds."""

    lines: list[str] = field(default_factory=list)
    progress: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def tries(self) -> list[tuple[float, str]]:
        """How long each try waited in vain, and for whom."""
        return [(float(match[1]), match[2]) for match in map(TRY.fullmatch, self.lines) if match]

    def note_progress(self, what: str, done: int, total: int) -> None:
        self.progress.append((what, done, total))


def run(
    database: PlatformDatabase,
    told: Told | None = None,
    budget: LockBudget | None = None,
    boundary: Boundary = lambda migration, point: None,
    *,
    command: str = "apply",
) -> list[str]:
    """Run a command to its end."""
    told = told or Told()
    with database.database().connect() as connection:
        runner = Runner(connection, budget or LockBudget(), told.lines.append, told.note_progress, boundary)
        return runner.apply() if command == "apply" else runner.rollback(None)


def run_cli(database: PlatformDatabase, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end, or for a minute."""
    command = [*CLI, "-d", database.conninfo(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def transaction(database: PlatformDatabase, *statements: LiteralString) -> Iterator[Connection]:
    """A transaction of "the gradebook", which keeps its locks and its snapshot; rolled back at the end."""
    with database.connect(autocommit=False) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("SET application_name TO 'the gradebook'")
        for statement in statements:
            connection.execute(statement)
        yield connection
        connection.rollback()


def until(fact: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def waits_for_table(connection: Connection, table: str) -> bool:
    """Whether a run of ours is in the queue for a table's lock."""
    query = """
        SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
         WHERE a.application_name = 'sessiondb' AND NOT l.granted AND l.relation = to_regclass(%s)
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    return connection.execute(query, [table]).rowcount > 0


def waits_for_transaction(connection: Connection) -> bool:
    """Whether an index build waits for another session."""
    query = "SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND current_locker_pid > 0"
    return connection.execute(query).rowcount > 0


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between tries, which are for production."""
    monkeypatch.setattr(random, "uniform", lambda least, most: 0.05)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the short waits, which come to the long one in the end."""
    monkeypatch.setattr(LockBudget, "waits", lambda budget: repeat(budget.timeout))


# how long it waits


def test_the_waits_begin_short_and_stay_at_lock_timeout() -> None:
    assert [*islice(LockBudget().waits(), 6)] == [0.1, 0.2, 0.5, 1.5, 1.5, 1.5]
    assert [*islice(LockBudget(timeout=0.3).waits(), 4)] == [0.1, 0.2, 0.3, 0.3]
    assert [*islice(LockBudget(timeout=0.05).waits(), 2)] == [0.05, 0.05]


@on_reference
def test_the_longest_wait_is_beyond_deadlock_timeout(platform_db: PlatformDatabase) -> None:
    """Only then does the server ask an autovacuum that is in the way to yield."""
    with platform_db.connect() as connection:
        row = connection.execute("SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval)").fetchone()
    assert row
    assert LockBudget().timeout >= 1.25 * float(row[0])


@pytest.mark.usefixtures("at_once")
@on_reference
def test_no_session_waits_behind_us_longer_than_lock_timeout(
    platform_db: PlatformDatabase, record_property: Callable[[str, object], None]
) -> None:
    told = Told()
    stalls = [0.0]
    with (
        transaction(platform_db, "SELECT FROM enrollments"),
        platform_db.connect() as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        ours = pool.submit(run, platform_db, told, LockBudget(0.6, 3))
        while not ours.done():
            begin = time.monotonic()
            writer.execute("UPDATE enrollments SET status = status")
            stalls.append(time.monotonic() - begin)
        with pytest.raises(LockNotObtainedError):
            ours.result()
    assert [wait for wait, _ in told.tries][:5] == [0.1, 0.2, 0.5, 0.6, 0.6]
    record_property("longest stall behind a lock_timeout of 0.6 s", max(stalls))
    assert 0.5 < max(stalls) < 0.6 + 0.25


@pytest.mark.parametrize("platform", ["reference", "partitioned"])
@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_every_statement_but_concurrent_ones_has_a_lock_timeout(cluster: Cluster, platform: str, command: str) -> None:
    found: set[str] = set()
    with (
        cluster.clone(PLATFORMS[platform], installed=command == "rollback") as database,
        database.database().connect() as connection,
    ):

        def boundary(migration: str, point: str) -> None:
            # a concurrent build sets its own after the boundary
            if point not in ("committed", "done") and not re.match(r"(CREATE|DROP) INDEX CONCURRENTLY ", point):
                found.add(setting(connection, "lock_timeout"))

        runner = Runner(connection, boundary=boundary)
        runner.apply() if command == "apply" else runner.rollback(None)
    assert found == {"100ms"}


def setting(connection: Connection, name: str) -> str:
    row = connection.execute("SELECT coalesce(current_setting(%s, true), '')", [name]).fetchone()
    assert row
    value: str = row[0]
    return value


@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_what_a_run_reads_is_not_waited_for_without_end_either(cluster: Cluster, command: str) -> None:
    """Another session rewrites the tables, or forgot a transaction that did."""
    rewrite: LiteralString = "LOCK TABLE org_members, courses, exercises, sessions, enrollments, submissions"
    arguments = ["apply"] if command == "apply" else ["rollback", "--all", "--yes"]
    with cluster.clone(REFERENCE, installed=command == "rollback") as database, transaction(database, rewrite):
        ended = run_cli(database, *arguments, "--lock-timeout", "0.2", "--lock-budget", "1")
    assert ended.returncode == Exit.LOCKED
    assert "the gradebook" in ended.stderr


@pytest.mark.slow
@on_reference
def test_a_command_without_a_budget_waits_for_ten_seconds_and_says_how_to_see_for_whom(
    installed_db: PlatformDatabase,
) -> None:
    commands = (
        "status",
        "plan",
        "apply --dry-run",
        "check",
        "show enrollments",
        "session list",
        "backfill",
        "backfill --dry-run",
    )
    with transaction(installed_db, "LOCK TABLE sessions, enrollments, submissions") as connection:
        with ThreadPoolExecutor(len(commands)) as pool:
            began = time.monotonic()
            runs = pool.map(lambda command: run_cli(installed_db, *command.split()), commands)
            ended = dict(zip(commands, runs, strict=True))
            took = time.monotonic() - began
        connection.execute("SELECT")  # it still holds the lock
    assert {command: done.returncode for command, done in ended.items()} == dict.fromkeys(commands, Exit.LOCKED)
    assert "in the way: pid" in ended.pop("backfill").stderr
    for done in ended.values():
        assert "canceling statement due to lock timeout" in done.stderr
        assert "shows which; run the command again when that session has ended." in done.stderr
    assert took > 10


@on_reference
def test_where_the_role_has_a_lock_timeout_of_its_own_a_command_that_reads_keeps_to_it(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET lock_timeout TO '50ms'").format(sql.Identifier(installed_db.name)))
    with transaction(installed_db, "LOCK TABLE enrollments"):
        began = time.monotonic()
        ended = run_cli(installed_db, "show", "enrollments")
        took = time.monotonic() - began
    assert ended.returncode == Exit.LOCKED
    assert took < 10


@on_partitioned
def test_a_partition_that_is_locked_is_not_waited_for_without_end(platform_db: PlatformDatabase) -> None:
    """Neither by our statements nor by the queries that compose them."""
    platform_db.apply("0004")
    with transaction(platform_db, "LOCK TABLE submissions_2024"):
        ended = run_cli(platform_db, "apply", "--lock-timeout", "0.2", "--lock-budget", "1")
    assert ended.returncode == Exit.LOCKED
    assert "the gradebook" in ended.stderr


@pytest.mark.slow
@on_reference
def test_a_table_that_is_none_of_ours_may_be_locked(platform_db: PlatformDatabase) -> None:
    """Another session rewrites it, for hours."""
    with platform_db.connect() as connection:
        connection.execute(
            """
            CREATE TABLE invoices (id integer PRIMARY KEY, paid boolean DEFAULT false CHECK (paid IS NOT NULL));
            CREATE INDEX unpaid ON invoices (id) WHERE NOT paid;
            CREATE POLICY own ON invoices USING (NOT paid);
            """
        )
    with transaction(platform_db, "LOCK TABLE invoices"):
        for command in ("apply", "apply", "check", "rollback --all --yes"):
            budget = ["--lock-timeout", "0.2", "--lock-budget", "1"] if command != "check" else []
            ended = run_cli(platform_db, *command.split(), *budget)
            assert ended.returncode == Exit.DONE, ended.stderr


@pytest.mark.slow
@on_hosted
def test_no_timeout_of_the_role_cuts_a_run_short(
    platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while it waits for a lock, nor in a pause between two tries, nor while it builds an index."""
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    with platform_db.connect() as admin:
        for name in ("lock", "statement", "idle_in_transaction_session", "idle_session", "transaction"):
            if setting(admin, f"{name}_timeout"):  # transaction_timeout is new in PostgreSQL 17
                alter = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} TO '400ms'")
                admin.execute(alter.format(*map(sql.Identifier, ("hosted_owner", platform_db.name, f"{name}_timeout"))))
    with ExitStack() as blocker:

        def boundary(migration: str, point: str) -> None:
            if point.startswith("CREATE INDEX CONCURRENTLY submissions_session_id_idx"):
                blocker.enter_context(transaction(platform_db, "SELECT FROM courses"))
                threading.Timer(1, blocker.close).start()

        blocker.enter_context(transaction(platform_db, "SELECT FROM enrollments"))
        told = Told()
        with ThreadPoolExecutor(1) as pool:
            ours = pool.submit(run, platform_db, told, None, boundary)
            until(lambda: ours.done() or len(told.tries) > 1)
            blocker.close()
            assert ours.result(timeout=20) == MIGRATIONS


# what it tries again


@pytest.mark.parametrize("state", ["55P03", "40P01", "40001"])
@on_reference
def test_a_lock_timeout_a_deadlock_and_a_row_that_moved_are_tried_again(
    platform_db: PlatformDatabase, state: str
) -> None:
    tries = 0
    with platform_db.database().connect() as connection:

        def fail_twice() -> None:
            nonlocal tries
            tries += 1
            if tries < 3:
                connection.execute(f"DO 'BEGIN RAISE SQLSTATE ''{state}''; END'".encode())

        with closing(Watch(connection)) as watch:
            with_lock_budget(fail_twice, "it", watch, LockBudget(0.01), lambda line: None)
    assert tries == 3


@pytest.mark.parametrize("state", ["57014", "23505", "55006", "42P07", "55000", "53100"])
@on_reference
def test_no_other_error_is_tried_again(platform_db: PlatformDatabase, state: str) -> None:
    tries = 0
    with platform_db.database().connect() as connection:

        def fail() -> None:
            nonlocal tries
            tries += 1
            connection.execute(f"DO 'BEGIN RAISE SQLSTATE ''{state}''; END'".encode())

        with closing(Watch(connection)) as watch, pytest.raises(psycopg.Error) as raised:
            with_lock_budget(fail, "it", watch, LockBudget(0.01), lambda line: None)
    assert (tries, raised.value.sqlstate) == (1, state)


# whom it names


@pytest.mark.usefixtures("at_once")
@on_reference
def test_it_names_the_blocking_session(platform_db: PlatformDatabase) -> None:
    """Pid, application, role, state, age of the transaction and the beginning of its last query."""
    told = Told()
    query: LiteralString = (
        "SELECT status FROM enrollments WHERE status IS NULL OR status IS NOT NULL OR status > status"
    )
    with transaction(platform_db, query) as blocker:
        time.sleep(1.1)
        with pytest.raises(LockNotObtainedError) as raised:
            run(platform_db, told, LockBudget(0.2, 1))
        pid = blocker.info.backend_pid
    wanted = rf'pid {pid} \("the gradebook", role \w+, idle in transaction, in a transaction for 00:00:0\d\): '
    assert len(told.tries) > 2
    # looked for after 80 ms, the first time over a new connection: a busy machine may be too late for that
    for _, said in [*told.tries[1:], (0, str(raised.value).split("in the way: ")[1])]:
        assert re.fullmatch(wanted + re.escape(f'"{query[:80]}"'), said)
    assert re.match(r"0002\.add-enrollments-session_id: no lock within 1 s, \d+ tries; ", str(raised.value))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("start", "to", "table", "statement"),
    [
        ("0003", "0004", "sessions", "LOCK TABLE sessions IN ROW EXCLUSIVE MODE"),
        ("0006", "0007", "enrollments", "LOCK TABLE enrollments IN ROW EXCLUSIVE MODE"),
    ],
    ids=["the second table of a foreign key", "a trigger, after other statements"],
)
@on_reference
def test_it_names_the_one_in_the_way_of_whichever_lock_and_in_each_try(
    platform_db: PlatformDatabase, start: str, to: str, table: str, statement: LiteralString
) -> None:
    platform_db.apply(start)
    told = Told()
    with transaction(platform_db, statement) as blocker:
        with pytest.raises(LockNotObtainedError):
            run(platform_db, told, LockBudget(0.4, 2))
        pid = blocker.info.backend_pid
    assert len(told.tries) > 2
    assert [said for _, said in told.tries[1:] if not said.startswith(f'pid {pid} ("the gradebook", ')] == []


@on_hosted
def test_it_waits_and_goes_on_where_no_second_connection_is_to_be_had(platform_db: PlatformDatabase) -> None:
    told = Told()
    with platform_db.connect() as admin:
        admin.execute("ALTER ROLE hosted_owner CONNECTION LIMIT 1")
        try:
            with transaction(platform_db, "SELECT FROM enrollments") as blocker, ThreadPoolExecutor(1) as pool:
                ours = pool.submit(run, platform_db, told)
                until(lambda: told.tries)
                pid = blocker.info.backend_pid
                blocker.rollback()
                assert ours.result(timeout=20) == MIGRATIONS
        finally:
            admin.execute("ALTER ROLE hosted_owner CONNECTION LIMIT -1")
    told_of = rf'pid {pid} \("the gradebook", role \w+\): "<insufficient privilege>"'
    assert [said for _, said in told.tries if not re.fullmatch(told_of, said)] == []


# when the budget is spent


@on_reference
def test_a_spent_budget_is_exit_6_with_nothing_half_done_and_another_run_goes_on(
    platform_db: PlatformDatabase, dump: Callable[[PlatformDatabase], str]
) -> None:
    with transaction(platform_db, "SELECT FROM submissions"):
        ended = run_cli(platform_db, "apply", "--lock-timeout", "0.2", "--lock-budget", "0.6")
        assert ended.returncode == Exit.LOCKED
        failed, hint = ended.stderr.splitlines()[-2:]
        assert re.match(r"sessiondb: 0003\.add-submissions-session_id: no lock within 0\.6 s, \d tries; in the", failed)
        assert hint.startswith("  hint: This step changed nothing. Run the command again ")
    with platform_db.connect() as connection:
        ledger = connection.execute("SELECT migration_id FROM sessiondb._yoyo_migration ORDER BY 1").fetchall()
        assert [id_ for (id_,) in ledger] == MIGRATIONS[:2]
        assert connection.execute("SELECT FROM sessiondb.objects WHERE parent = 'submissions'").rowcount == 0
        assert connection.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").rowcount == 0
    told = Told()
    assert run(platform_db, told) == MIGRATIONS[2:]
    with ExitStack() as stack:
        undisturbed = stack.enter_context(platform_db.cluster.clone(REFERENCE, installed=True))
        assert dump(platform_db) == dump(undisturbed)


@pytest.mark.usefixtures("at_once")
@on_reference
def test_the_last_wait_is_cut_to_what_is_left_of_the_budget(platform_db: PlatformDatabase) -> None:
    began = time.monotonic()
    with (
        transaction(platform_db, "SELECT FROM enrollments"),
        pytest.raises(LockNotObtainedError, match="no lock within 2 s"),
    ):
        run(platform_db, budget=LockBudget(timeout=60, total=2))
    assert 1.9 < time.monotonic() - began < 30


@on_reference
def test_a_spent_budget_between_two_statements_of_a_migration_keeps_the_first(platform_db: PlatformDatabase) -> None:
    platform_db.apply("0003")
    with transaction(platform_db, "LOCK TABLE submissions IN ROW EXCLUSIVE MODE"), pytest.raises(LockNotObtainedError):
        run(platform_db, budget=LockBudget(0.1, 0.3))
    keys = "SELECT conname FROM pg_constraint WHERE conname LIKE '%session_id_fkey' AND convalidated ORDER BY 1"
    with platform_db.connect() as connection:
        assert connection.execute(keys).fetchall() == [("enrollments_session_id_fkey",)]
        assert run(platform_db) == MIGRATIONS[3:]
        found = connection.execute(keys).fetchall()
    assert found == [("enrollments_session_id_fkey",), ("submissions_session_id_fkey",)]


# indexes


@pytest.mark.parametrize("name", ["submissions_session_id_idx", "foreign_idx"])
@on_reference
def test_an_invalid_index_is_never_taken_for_the_real_one(platform_db: PlatformDatabase, name: str) -> None:
    """Of our name: dropped and built again. Of another name: left alone."""
    platform_db.apply("0004")
    index = sql.Identifier(name)
    with platform_db.connect() as connection:
        create = "CREATE INDEX {} ON submissions (session_id) WHERE session_id IS NOT NULL"
        connection.execute(sql.SQL(create).format(index))
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [name])
        before = connection.execute("SELECT to_regclass(%s)::oid", [name]).fetchone()
        told = Told()
        run(platform_db, told)
        query = "SELECT indisvalid, indexrelid FROM pg_index WHERE indexrelid = to_regclass(%s)"
        ours = connection.execute(query, ["submissions_session_id_idx"]).fetchone()
        foreign = connection.execute(query, ["foreign_idx"]).fetchone()
    assert ours
    assert before
    assert ours[0] is True
    if name == "foreign_idx":
        assert foreign == (False, before[0])
    else:
        assert ours[1] != before[0]
        assert "  DROP INDEX CONCURRENTLY IF EXISTS public.submissions_session_id_idx" in told.lines


@pytest.mark.parametrize("platform", [REFERENCE, HOSTED], indirect=True, ids=str)
def test_an_index_that_another_session_is_building_is_refused(platform_db: PlatformDatabase) -> None:
    """Also where our role may not see what that other role is doing."""
    platform_db.apply("0004")
    build = "CREATE INDEX CONCURRENTLY submissions_session_id_idx ON submissions (session_id)"
    with platform_db.connect() as admin, platform_db.connect() as builder, ThreadPoolExecutor(2) as pool:
        with transaction(platform_db, "LOCK TABLE submissions IN ROW EXCLUSIVE MODE"):
            building = pool.submit(builder.execute, build)
            until(lambda: waits_for_transaction(admin))
            ours = pool.submit(run, platform_db)
            try:
                with pytest.raises(SessiondbError, match="is being built by another session"):
                    ours.result(timeout=5)
            finally:
                end_ours(admin)
        building.result(timeout=10)
        assert admin.execute("SELECT FROM pg_index WHERE NOT indisvalid").rowcount == 0


def end_ours(admin: Connection) -> None:
    """End what is left of a run, so that a test that fails does not wait for it."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    admin.execute(f"{query} WHERE application_name = 'sessiondb' AND datname = current_database()")


@on_reference
def test_an_index_build_of_another_session_on_the_same_table_is_never_the_victim_of_ours(
    platform_db: PlatformDatabase,
) -> None:
    """Ours must not wait for the table with a snapshot: theirs would wait for that, and ours for theirs."""
    platform_db.apply("0004")
    build = "CREATE INDEX CONCURRENTLY by_time ON submissions (submitted_at)"
    with platform_db.connect() as admin, platform_db.connect() as builder, ThreadPoolExecutor(2) as pool:
        with transaction(platform_db, "LOCK TABLE submissions IN ROW EXCLUSIVE MODE"):
            building = pool.submit(builder.execute, build)
            until(lambda: waits_for_transaction(admin))
            ours = pool.submit(run, platform_db)
            time.sleep(2.5)  # ours has looked for a deadlock, after deadlock_timeout, and found none
        building.result(timeout=20)
        assert ours.result(timeout=20) == MIGRATIONS[4:]


@on_reference
def test_an_index_build_in_another_database_is_not_in_the_way(cluster: Cluster, platform_db: PlatformDatabase) -> None:
    """Databases that were copied from the same one have tables with the same oids."""
    told = Told()
    with (
        cluster.clone(REFERENCE, installed=False) as twin,
        twin.connect() as builder,
        twin.connect() as admin,
        transaction(twin, "SELECT FROM users") as blocker,
        ThreadPoolExecutor(1) as pool,
    ):
        oid = "SELECT 'enrollments'::regclass::oid"
        with platform_db.connect() as here:
            assert here.execute(oid).fetchone() == admin.execute(oid).fetchone()
        building = pool.submit(builder.execute, "CREATE INDEX CONCURRENTLY slow ON enrollments (status)")
        try:
            until(lambda: waits_for_transaction(admin))
            assert run(platform_db, told, LockBudget(0.2, 1)) == MIGRATIONS
            assert not building.done()
        finally:
            blocker.rollback()
    assert told.tries == []
    assert [line for line in told.lines if "lock_tables('SHARE UPDATE EXCLUSIVE'" in line] == []


@on_both
def test_a_concurrent_build_that_a_deadlock_ends_is_cleared_away_and_repeated(platform_db: PlatformDatabase) -> None:
    """A session with a snapshot waits for our lock; ours comes to wait for it last, and so is the victim."""
    table = "submissions" if platform_db.platform is REFERENCE else "submissions_2024"
    platform_db.apply("0004")
    told = Told()
    with (
        platform_db.connect() as admin,
        platform_db.connect(autocommit=False) as other,
        ThreadPoolExecutor(2) as pool,
        ExitStack() as writer,
    ):

        def boundary(migration: str, point: str) -> None:
            if point.startswith("CREATE INDEX CONCURRENTLY submissions_") and f".{table} " in point and not begun:
                lock = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(table))
                writer.enter_context(transaction(platform_db)).execute(lock)
                begun.append(True)

        begun: list[bool] = []
        ours = pool.submit(run, platform_db, told, None, boundary)
        until(lambda: begun and waits_for_transaction(admin))
        other.isolation_level = IsolationLevel.REPEATABLE_READ
        other.execute("SELECT FROM users")
        lock = sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(sql.Identifier(table))
        waiting = pool.submit(other.execute, lock)
        time.sleep(1.3)  # the other one has looked for a deadlock and found none
        writer.close()
        waiting.result(timeout=10)
        other.rollback()
        assert ours.result(timeout=20) == MIGRATIONS[4:]
        assert "  cancelled by a deadlock; trying again" in told.lines
        assert admin.execute("SELECT FROM pg_index WHERE NOT indisvalid").rowcount == 0


@on_reference
def test_an_index_build_shows_its_progress_and_the_sessions_it_waits_for(platform_db: PlatformDatabase) -> None:
    told = Told()
    with transaction(platform_db, "SELECT FROM users") as blocker, ThreadPoolExecutor(1) as pool:
        pid = blocker.info.backend_pid
        ours = pool.submit(run, platform_db, told)
        until(lambda: told.progress)
        blocker.rollback()
        ours.result(timeout=20)
    assert (f"waiting for old snapshots (pid {pid})", 0, 1) in told.progress


@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_an_index_build_and_an_index_drop_name_whom_they_wait_for(cluster: Cluster, command: str) -> None:
    """Once, however long that lasts."""
    told = Told()
    with (
        cluster.clone(REFERENCE, installed=command == "rollback") as database,
        transaction(database) as blocker,
        ThreadPoolExecutor(1) as pool,
    ):

        def boundary(migration: str, point: str) -> None:
            if re.match(r"(CREATE|DROP) INDEX CONCURRENTLY ", point) and not begun:
                begun.append(blocker.execute("SELECT id FROM submissions"))

        begun: list[object] = []
        pid = blocker.info.backend_pid
        ours = pool.submit(run, database, told, None, boundary, command=command)
        wanted = re.compile(
            rf'  waiting for the end of: pid {pid} \("the gradebook", .*\): "SELECT id FROM submissions"'
        )
        until(lambda: ours.done() or any(map(wanted.fullmatch, told.lines)))
        time.sleep(1.2)  # two more looks
        blocker.rollback()
        ours.result(timeout=60)
    assert len([line for line in told.lines if wanted.fullmatch(line)]) == 1


@on_reference
def test_the_index_of_a_large_table_shows_how_many_blocks_are_done(
    platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 MB, looked at 250 times as often as a larger one would be, and built again if the looks came too late."""

    class Hasty(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(timeout and timeout / 250)

    def seen() -> list[tuple[int, int]]:
        return [(done, total) for what, done, total in told.progress if what.endswith("scanning table")]

    platform_db.apply("0004")
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ALTER content SET STORAGE PLAIN")
        connection.execute(
            """
            INSERT INTO submissions (user_id, content)
            SELECT (SELECT id FROM users LIMIT 1), repeat('x', 3000) FROM generate_series(1, 20000)
            """
        )
    told = Told()
    monkeypatch.setattr(threading, "Event", Hasty)
    for _ in range(5):
        run(platform_db, told)
        if any(done for done, total in seen() if total == 10_000):
            break
        platform_db.rollback("0004")
    assert any(0 < done <= total == 10_000 for done, total in seen())


# deadlocks with writers


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.usefixtures("at_once", "patient")
@pytest.mark.parametrize(
    ("platform", "start", "command", "first", "second"),
    [
        ("reference", "0003", "apply", "sessions", "enrollments"),
        ("reference", "0004", "rollback", "sessions", "submissions"),
        ("partitioned", "0002", "apply", "submissions_2024", "submissions"),
    ],
    ids=["adding a foreign key", "dropping a foreign key", "adding a column to a partitioned table"],
)
@pytest.mark.parametrize("late", [0.4, 0.93])
def test_a_writer_is_never_the_victim_of_a_deadlock_with_us(
    cluster: Cluster, platform: str, start: str, command: str, first: str, second: str, late: float
) -> None:
    """We wait for the table that a session wants next, behind another; it has another one that we want next.

    It is behind us in the queue, and so has waited longer than we have when we get the one and want the other: its
    look for a deadlock, deadlock_timeout after it began to wait, must not find us waiting.
    """
    with (
        cluster.clone(PLATFORMS[platform], installed=False) as database,
        database.connect() as admin,
        database.connect(autocommit=False) as writer,
        ThreadPoolExecutor(2) as pool,
    ):
        database.apply(start)
        writer.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(first)))
        with ExitStack() as other:
            lock = sql.SQL("LOCK TABLE ONLY {} IN ROW EXCLUSIVE MODE").format(sql.Identifier(second))
            other.enter_context(transaction(database)).execute(lock)
            ours = pool.submit(run, database, None, None, command=command)
            until(lambda: waits_for_table(admin, second))
            written = pool.submit(writer.execute, lock)
            time.sleep(late)
        written.result(timeout=10)
        writer.commit()
        assert ours.result(timeout=30)
