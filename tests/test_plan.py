"""The plan says what apply then does, lock for lock; its script for psql does the same as apply."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from test_cli import MIGRATIONS, Run, column, environment, on, rows, run
from test_course_path import LESSONS
from test_damage import DAMAGES
from test_found_objects import by_hand
from test_preflight import FAULTS, HARMLESS, TOGETHER
from test_rival import Rival

import sessiondb.migrate
from sessiondb import ledger, objects, output, resources, steps
from sessiondb.connection import Connection
from sessiondb.database import Choices
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import Runner, on_one_line, pending
from sessiondb.plan import BLOCKS, plan
from sessiondb.resources import with_platform
from sessiondb.steps import Statement, Step

Dump = Callable[..., str]
Locks = dict[str, str]
"""Table to the strongest lock on it."""

# From the weakest to the strongest (PostgreSQL manual, 13.3.1).
MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
# partitions, and an owner who is no superuser in a schema of their own
on_two = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"], PLATFORMS["school"]], indirect=True, ids=str)

# The guide's SQL, run by hand on one table: a column, and a trigger that is to be taken over.
BY_HAND = (
    "ALTER TABLE enrollments ADD COLUMN session_id uuid",
    "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
    "CREATE TRIGGER fill BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION fill()",
)


def link(db: PlatformDatabase) -> None:
    """A linked enrolment and a linked submission, so that a rollback has links to save."""
    platform = db.platform
    with db.connect() as connection:
        org, course, user = platform.add_org(connection), platform.add_course(connection), platform.add_user(connection)
        platform.add_member(connection, org, user)
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, user, course) == session
        assert platform.submit(connection, user, course) == session


def make_plan(db: PlatformDatabase, *, adopt: bool = False) -> list[dict[str, Any]]:
    with db.database().transaction(Choices(adopt=adopt), read_only=True) as connection:
        return plan_of_all(connection)


def plan_of_all(connection: Connection) -> list[dict[str, Any]]:
    return plan(connection, pending(connection, ledger.read_migrations(resources.MIGRATIONS), None))


# The locks


# What the backend holds, folded into the table as a whole: a partition's into its parent's, and an index's into
# its table's, since planning a query on a table locks each of its valid indexes. Of what the backend has not
# committed the observer knows nothing, so an index that is being made is not counted; no other session can meet it.
HELD = """
SELECT root.relname, l.mode
  FROM pg_locks AS l
  JOIN pg_class AS c ON c.oid = l.relation
  LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
  JOIN pg_class AS t ON t.oid = coalesce(i.indrelid, c.oid)
  JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(t.oid), t.oid)
  JOIN pg_namespace AS n ON n.oid = root.relnamespace
 WHERE l.pid = %s AND l.granted AND l.locktype = 'relation'
   AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
   AND n.nspname = %s
   AND t.relkind IN ('r', 'p')
   AND i.indisvalid IS NOT FALSE
"""
ROOTS = """
SELECT c.relname, root.relname
  FROM pg_class AS c
  JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
  JOIN pg_namespace AS n ON n.oid = root.relnamespace
 WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
"""
SEQUENTIAL_SCANS = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = %s"


def strongest(*held: tuple[str, str]) -> Locks:
    """The strongest lock on each table, if it is ROW SHARE or stronger.

    Every statement also locks what it reads in ACCESS SHARE mode, and so does the planner of another; that is
    in the way of DROP only, the plan does not list it, and here it is left out.
    """
    locks: Locks = {}
    for table, mode in sorted(held, key=lambda lock: MODES.index(lock[1])):
        if mode != "ACCESS SHARE":
            locks[table] = mode
    return locks


@dataclass
class Seen:
    """What a statement was seen to do, at its end and before its transaction's."""

    migration: str
    statement: str
    held: Locks
    scanned: set[str]


Told = dict[str, tuple[Step, Statement]]
"""Statements of a rollback by their texts, and the steps that they belong to."""


def _telling_steps(undo: Callable[..., Iterator[Step]], told: Told) -> Callable[..., Iterator[Step]]:
    def telling(*arguments: Any, **options: Any) -> Iterator[Step]:
        for step in undo(*arguments, **options):
            told[""] = (step, Statement(""))
            told.update({item.text: (step, item) for item in step.items if isinstance(item, Statement)})
            yield step

    return telling


def _telling_rows(expanded: Callable[..., list[Statement]], told: Told) -> Callable[..., list[Statement]]:
    def telling(*arguments: Any) -> list[Statement]:
        statements = expanded(*arguments)
        step, _ = told[""]
        told.update({statement.text: (step, statement) for statement in statements})
        return statements

    return telling


@dataclass
class Trace:
    """Applies or rolls back, and looks at the locks of each statement from another connection.

    Within a transaction locks are kept to its end, so after a statement those are held that it and the ones
    before it took. What runs outside of one, CREATE and DROP INDEX CONCURRENTLY, lets go of them: a third
    connection, in a transaction that writes to the table, keeps it waiting while we look.
    """

    db: PlatformDatabase
    choices: Choices = field(default_factory=Choices)
    planned: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)

    def run(self, undo: bool = False) -> Trace:
        schema = self.db.platform.schema
        with self.db.database().connect(self.choices) as connection, self.db.connect() as self.eye:
            self.planned = [] if undo else plan_of_all(connection)
            told: Told = {}
            self.backend = connection.info.backend_pid
            self.roots = dict(self.eye.execute(ROOTS, [schema]).fetchall())
            execute, current = connection.execute, ("", "")

            def boundary(migration: str, point: str) -> None:
                nonlocal current
                current = (migration, point)

            def traced(statement: Any, *arguments: Any) -> Any:
                migration, announced = current
                if statement != announced:
                    return execute(statement, *arguments)  # a look at the catalogs, a setting
                if undo:
                    self._plan(*told[announced])
                if re.match(r"(CREATE|DROP) INDEX CONCURRENTLY ", announced):
                    with self._held_up(announced) as held:
                        result = execute(statement, *arguments)
                    self.seen.append(Seen(migration, announced, held, set()))
                    return result
                assert connection.info.transaction_status == TransactionStatus.INTRANS
                before = dict(execute(SEQUENTIAL_SCANS, [schema]).fetchall())
                result = execute(statement, *arguments)
                held, after = self._held(), execute(SEQUENTIAL_SCANS, [schema]).fetchall()
                scanned = {self.roots.get(table, table) for table, scans in after if scans > before.get(table, 0)}
                self.seen.append(Seen(migration, announced, held, scanned))
                return result

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(connection, "execute", traced)
                runner = Runner(connection, boundary=boundary)
                if undo:
                    patch.setattr(steps, "undo", _telling_steps(steps.undo, told))
                    patch.setattr(sessiondb.migrate, "expanded", _telling_rows(sessiondb.migrate.expanded, told))
                    runner.rollback(None)
                else:
                    runner.apply()
        return self

    def _plan(self, step: Step, statement: Statement) -> None:
        """Put a statement of a rollback, of which there is no plan, into the form of one, when its turn comes."""
        self.planned.append(
            {
                "migration": step.of,
                "statement": statement.text,
                "transactional": not step.each,
                "locks": [{"mode": mode, "table": table} for table, mode in statement.locks.items()],
            }
        )

    def _held(self) -> Locks:
        held = self.eye.execute(HELD, [self.backend, self.db.platform.schema]).fetchall()
        words = [(table, re.sub(r"(?<!^)(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()) for table, mode in held]
        return strongest(*words)

    @contextmanager
    def _held_up(self, statement: str) -> Iterator[Locks]:
        """Have the statement wait for a session that writes to its table, and look at its locks meanwhile."""
        held: Locks = {}
        waiting = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"

        def look() -> None:
            deadline = time.monotonic() + 10
            while not self.eye.execute(waiting, [self.backend]).rowcount and time.monotonic() < deadline:
                time.sleep(0.005)
            held.update(self._held())
            writer.rollback()

        with self.db.connect(autocommit=False) as writer:
            if created := re.match(r"CREATE INDEX CONCURRENTLY .*? ON (.*?) \(", statement):
                table = created.group(1)
            else:
                index = statement.removeprefix("DROP INDEX CONCURRENTLY IF EXISTS ")
                row = self.eye.execute(
                    "SELECT i.indrelid::regclass::text FROM pg_index AS i WHERE i.indexrelid = %s::regclass", [index]
                ).fetchone()
                assert row
                table = row[0]
            writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
            thread = threading.Thread(target=look)
            thread.start()
            try:
                yield held
            finally:
                thread.join()

    def predicted(self, migration: str, statement: str) -> Locks:
        """What the plan says is held after the statement."""
        of_migration = [s for s in self.planned if s["migration"] == migration]
        last = next(n for n, s in enumerate(of_migration) if s["statement"] == statement)
        first = last
        while first > 0 and of_migration[first]["transactional"] and of_migration[first - 1]["transactional"]:
            first -= 1
        locks = [lock for s in of_migration[first : last + 1] for lock in s["locks"]]
        return strongest(*((self.roots[lock["table"]], lock["mode"]) for lock in locks))


def prove(trace: Trace) -> None:
    """Compare what was seen with the plan, statement by statement."""
    assert trace.seen
    texts = {statement["statement"] for statement in trace.planned}
    assert [seen.statement[:300] for seen in trace.seen if seen.statement not in texts] == []
    differing = [
        f"{s.migration}: {s.statement[:300]}: held {s.held}, planned {planned}"
        for s in trace.seen
        if s.held != (planned := trace.predicted(s.migration, s.statement))
    ]
    assert not differing, "\n".join(differing)


FILES = """
SELECT c.relname, pg_relation_filenode(c.oid)
  FROM pg_class AS c
  LEFT JOIN pg_class AS t ON t.reltoastrelid = c.oid
  JOIN pg_namespace AS n ON n.oid = coalesce(t.relnamespace, c.relnamespace)
 WHERE c.relkind IN ('r', 't') AND n.nspname = current_schema()
 ORDER BY c.oid
"""


@dataclass(frozen=True)
class Applied:
    """One apply, traced; the files of the platform's tables before it and after it."""

    trace: Trace
    files: tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module", params=[*PLATFORMS.values()], ids=str)
def applied(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Applied]:
    """Each of the platforms in turn, applied under observation."""
    with cluster.clone(request.param, installed=False) as db:
        before = rows(db, FILES)
        trace = Trace(db).run()
        yield Applied(trace, (before, rows(db, FILES)))


@pytest.mark.like_cases
def test_each_statement_takes_the_locks_that_the_plan_says(applied: Applied) -> None:
    prove(applied.trace)
    executed = {seen.statement for seen in applied.trace.seen}
    assert [s["statement"] for s in applied.trace.planned if s["locks"] and s["statement"] not in executed] == []
    modes = {mode for seen in applied.trace.seen for mode in seen.held.values()}
    assert modes >= {"ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ROW SHARE"}


@pytest.mark.like_cases
def test_only_validations_and_index_builds_read_a_whole_table(applied: Applied) -> None:
    trace = applied.trace
    scans = {s["statement"]: trace.roots.get(s["scans"], s["scans"]) for s in trace.planned if s["scans"]}
    reading = re.compile(r".* VALIDATE CONSTRAINT |CREATE INDEX CONCURRENTLY ")
    assert [*scans] == [s["statement"] for s in trace.planned if reading.match(s["statement"])]
    for seen in trace.seen:
        # a validation looks up the sessions, too, by their index or not
        assert seen.scanned - {"sessions"} <= {scans.get(seen.statement)}, seen
        assert "VALIDATE" in seen.statement or not seen.scanned, seen


@pytest.mark.like_cases
def test_no_statement_rewrites_a_table(applied: Applied) -> None:
    before, after = applied.files
    assert len(before) > 6
    assert after == before


@pytest.mark.slow
@on_two
def test_the_locks_of_a_take_over_are_those_of_the_plan(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, *BY_HAND)

    trace = Trace(platform_db, Choices(adopt=True)).run()

    prove(trace)
    (taken_over,) = (s for s in trace.seen if "DROP TRIGGER fill ON " in s.statement)
    assert taken_over.held == {"enrollments": "ACCESS EXCLUSIVE"}


@pytest.mark.like_cases(one_in=2)
@on_two
@pytest.mark.parametrize("adopted", [False, True], ids=["plain", "after a take-over"])
def test_the_locks_of_a_rollback_are_those_of_its_steps(platform_db: PlatformDatabase, adopted: bool) -> None:
    by_hand(platform_db, *(BY_HAND[1:] if adopted else ()))
    with platform_db.database().connect(Choices(adopt=adopted)) as connection:
        Runner(connection).apply()
    link(platform_db)

    trace = Trace(platform_db).run(undo=True)

    prove(trace)


@pytest.mark.slow
@on_two
@pytest.mark.parametrize("to", ["0005", None], ids=["stopped half-way", "done"])
def test_the_locks_of_an_apply_after_a_rollback_are_those_of_the_plan(
    installed_db: PlatformDatabase, to: str | None
) -> None:
    link(installed_db)
    installed_db.rollback(to)  # to 0005: the links are being kept, and the columns are still there

    trace = Trace(installed_db).run()

    prove(trace)
    assert any("DELETE FROM sessiondb.saved_links_of_" in seen.statement for seen in trace.seen)


@pytest.mark.slow
@on_two
def test_the_locks_of_an_apply_after_a_crash_are_those_of_the_plan(platform_db: PlatformDatabase) -> None:
    platform_db.apply("0004")
    by_hand(platform_db, "CREATE INDEX org_members_user_id_org_id_idx ON org_members (user_id, org_id)")
    with platform_db.connect() as connection:  # as if its building had been cut short
        connection.execute(
            "UPDATE pg_index SET indisvalid = false"
            " WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname = 'org_members_user_id_org_id_idx')"
        )

    trace = Trace(platform_db).run()

    prove(trace)
    rebuilt = any(seen.statement.startswith("DROP INDEX CONCURRENTLY") for seen in trace.seen)
    # school has another index that does the job of ours, so the remnant does not matter
    assert rebuilt == (platform_db.platform.name != "school")
    assert make_plan(platform_db) == []
    assert on(platform_db, "status", "--exit-code").code == 0


# What an apply of another version meets, and what it repairs.
DIFFERING = {
    "code of another version": "UPDATE sessiondb.objects SET sha256 = '' WHERE kind IN ('function', 'trigger')",
    "a function that was dropped": "DROP FUNCTION sessiondb.find_session(uuid, uuid)",
    "a trigger that was dropped": "DROP TRIGGER zzz_sessiondb_check_submission_update ON submissions",
    "a trigger that was changed": "DROP TRIGGER zzz_sessiondb_link_enrollment ON enrollments;"
    " CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON enrollments"
    " FOR EACH ROW EXECUTE FUNCTION sessiondb.link_enrollment()",
    "a trigger of another version": "CREATE TRIGGER zzz_sessiondb_old BEFORE INSERT ON submissions"
    " FOR EACH ROW EXECUTE FUNCTION sessiondb.link_submission();"
    " INSERT INTO sessiondb.objects (kind, parent, name, migration, origin)"
    " VALUES ('trigger', 'submissions', 'zzz_sessiondb_old', '0008', 'created')",
    "an index that was dropped": "DROP INDEX enrollments_session_id_idx",
    "a key that was dropped": "ALTER TABLE submissions DROP CONSTRAINT submissions_session_id_fkey",
    "a column that was dropped": "ALTER TABLE enrollments DROP COLUMN session_id CASCADE",
    "comments that were lost": "COMMENT ON COLUMN enrollments.session_id IS NULL;"
    " COMMENT ON INDEX submissions_session_id_idx IS NULL; COMMENT ON FUNCTION sessiondb.name_of IS NULL;"
    " COMMENT ON CONSTRAINT submissions_session_id_fkey ON submissions IS NULL;"
    " COMMENT ON TRIGGER zzz_sessiondb_link_submission ON submissions IS NULL",
    "records that were lost": "DELETE FROM sessiondb.objects",
}


@pytest.mark.like_cases
@on_two
@pytest.mark.parametrize("statements", DIFFERING.values(), ids=DIFFERING)
def test_the_locks_of_an_apply_to_what_is_installed_are_those_of_the_plan(
    installed_db: PlatformDatabase, dump: Dump, statements: str
) -> None:
    before = dump(installed_db)
    by_hand(installed_db, statements)

    trace = Trace(installed_db).run()

    prove(trace)
    assert dump(installed_db) == before
    assert make_plan(installed_db) == []


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_the_locks_of_an_apply_with_other_roles_of_staff_are_those_of_the_plan(installed_db: PlatformDatabase) -> None:
    """With the first roles the policies are created, with none they are dropped; others change only their function."""
    for staff, locked in (("trainer", ledger.TABLES), ("trainer,admin", ()), ("", ledger.TABLES)):
        trace = Trace(installed_db, Choices(staff=staff)).run()

        prove(trace)
        held = strongest(*(lock for seen in trace.seen for lock in seen.held.items()))
        assert held == dict.fromkeys(locked, "ACCESS EXCLUSIVE")
        assert make_plan(installed_db) == []


@pytest.mark.slow
@on_two
def test_where_the_ledger_was_lost_no_lock_is_taken_that_the_plan_does_not_say(installed_db: PlatformDatabase) -> None:
    """It says all those of a first apply; a trigger that is as it should be is left alone."""
    by_hand(installed_db, "DELETE FROM sessiondb._yoyo_migration; DELETE FROM sessiondb.migration_content")

    trace = Trace(installed_db).run()

    assert [s.migration for s in trace.seen if "INSERT INTO sessiondb._yoyo_migration" in s.statement] == MIGRATIONS
    for seen in trace.seen:
        planned = trace.predicted(seen.migration, seen.statement)
        assert {table: MODES.index(mode) <= MODES.index(planned[table]) for table, mode in seen.held.items()} == (
            dict.fromkeys(seen.held, True)
        ), seen
    assert all(not seen.held for seen in trace.seen if "'zzz_sessiondb_link_" in seen.statement)


@on_partitioned
def test_attaching_the_index_of_a_partition_keeps_readers_of_the_partition_out(platform_db: PlatformDatabase) -> None:
    """Which is why the plan has to say so: ALTER INDEX locks the partition's index, and every query locks that."""
    attaching = [s for s in make_plan(platform_db) if "ATTACH PARTITION" in s["statement"]]
    (statement,) = (s for s in attaching if "submissions_2024_" in s["statement"])
    by_hand(platform_db, *BY_HAND[:1], "ALTER TABLE submissions ADD COLUMN session_id uuid")
    by_hand(platform_db, "CREATE INDEX submissions_session_id_idx ON ONLY submissions (session_id)")
    index = statement["statement"].rpartition(".")[2]
    by_hand(platform_db, f"CREATE INDEX {index} ON submissions_2024 (session_id)")

    with platform_db.connect(autocommit=False) as alterer, platform_db.connect() as reader:
        alterer.execute(statement["statement"].encode())
        reader.execute("SET lock_timeout TO '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            reader.execute("SELECT FROM submissions_2024")

    assert {(lock["table"], lock["mode"], lock["blocks"]) for s in attaching for lock in s["locks"]} >= {
        ("submissions_2024", "ACCESS EXCLUSIVE", "reads and writes")
    }


@on_partitioned
def test_a_plan_copes_with_partitions_of_any_name(platform_db: PlatformDatabase) -> None:
    name = "submissions; ACCESS SHARE on x, y 2026"
    by_hand(
        platform_db,
        f'CREATE TABLE "{name}" PARTITION OF submissions'
        " FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00')",
    )

    planned = make_plan(platform_db)

    building = {lock["table"] for s in planned if "CONCURRENTLY" in s["statement"] for lock in s["locks"]}
    assert {name, "submissions_2025"} <= building


@on_reference
def test_what_a_lock_blocks_is_what_it_keeps_others_from(platform_db: PlatformDatabase) -> None:
    attempts = {
        "reads": "SELECT FROM enrollments",
        "writes": "UPDATE enrollments SET status = '' WHERE false",
        "vacuum": "VACUUM enrollments",
        "other DDL": "CREATE INDEX ON enrollments (status)",
        "DROP": "DROP TABLE enrollments",
    }
    found = {}
    with platform_db.connect(autocommit=False) as holder, platform_db.connect() as other:
        other.execute("SET lock_timeout TO '30ms'")
        for mode in BLOCKS:
            holder.execute(f"LOCK TABLE enrollments IN {mode} MODE".encode())
            blocked = set()
            for what, statement in attempts.items():
                try:
                    if what != "vacuum":
                        other.execute("BEGIN")
                    other.execute(statement.encode())
                except psycopg.errors.LockNotAvailable:
                    blocked.add(what)
                if what != "vacuum":
                    other.execute("ROLLBACK")
            holder.rollback()
            found[mode] = (
                "reads and writes"
                if {"reads", "writes"} <= blocked
                else "writes"
                if "writes" in blocked
                else "other DDL and vacuum"
                if {"other DDL", "vacuum"} <= blocked
                else "other DDL"
                if "other DDL" in blocked
                else "DROP and the like"
                if "DROP" in blocked
                else "nothing"
            )

    assert found == BLOCKS
    said = {
        lock["blocks"] for s in make_plan(platform_db) for lock in s["locks"] if lock["mode"] == "SHARE ROW EXCLUSIVE"
    }
    assert said == {"writes"}


# Scans, rewrites, sizes


def test_no_plan_waits_for_a_table_that_it_does_not_lock(platform_db: PlatformDatabase) -> None:
    """Any role that may create one may lock it."""
    schema = sql.Identifier(platform_db.platform.schema)
    with platform_db.connect() as other:
        other.execute(sql.SQL("CREATE TABLE {}.theirs ()").format(schema))
        other.execute(sql.SQL("BEGIN; LOCK TABLE {}.theirs").format(schema))
        assert make_plan(platform_db)
        other.execute("ROLLBACK")


@on_two
def test_the_plan_shows_the_size_of_each_table(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute("ANALYZE")

    locks = {lock["table"]: lock for s in make_plan(platform_db) for lock in s["locks"]}

    for table in ("enrollments", "submissions", "sessions"):
        assert locks[table]["rows"] == len(rows(platform_db, f"SELECT FROM {table}"))
        (size,) = column(
            platform_db,
            "SELECT sum(pg_table_size(coalesce(p.relid, c.oid))) FROM pg_class AS c"
            " LEFT JOIN pg_partition_tree(c.oid) AS p ON c.relkind = 'p' AND p.isleaf"
            f" WHERE c.oid = '{table}'::regclass",
        )
        assert locks[table]["bytes"] == int(size)


@on_two
def test_the_plan_does_not_make_up_the_rows_of_a_table_that_was_never_analysed(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "DROP TABLE org_members", "CREATE TABLE org_members (org_id uuid, user_id uuid, role text)")

    locks = {lock["table"]: lock for s in make_plan(platform_db) for lock in s["locks"]}

    assert locks["org_members"]["rows"] is None


# What people read


@on_partitioned
def test_people_read_of_each_lock_whom_it_blocks_and_how_long(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "ANALYZE enrollments")

    lines = on(platform_db, "plan").out.splitlines()

    sizes = {lock["table"]: output.size(lock["bytes"]) for s in make_plan(platform_db) for lock in s["locks"]}
    number = lines.index("0002.add-enrollments-session_id")
    assert lines[number + 3 : number + 5] == [
        "  ALTER TABLE public.enrollments ADD COLUMN session_id pg_catalog.uuid",
        f"    ACCESS EXCLUSIVE on enrollments (about 3 rows, {sizes['enrollments']}):"
        " blocks reads and writes until 0002 commits",
    ]
    number = lines.index(
        "  CREATE INDEX CONCURRENTLY org_members_user_id_org_id_idx ON public.org_members (user_id, org_id)"
    )
    assert lines[number + 1] == (
        f"    SHARE UPDATE EXCLUSIVE on org_members (rows unknown, {sizes['org_members']}):"
        " blocks other DDL and vacuum while all of org_members is read"
    )
    attached = next(line for line in lines if "ATTACH PARTITION public.submissions_2024_" in line)
    assert lines[lines.index(attached) + 1] == (
        f"    ACCESS EXCLUSIVE on submissions_2024 (rows unknown, {sizes['submissions_2024']}):"
        " blocks reads and writes until it commits"
    )


@pytest.mark.parametrize("applied", ["nothing", "0004"])
def test_people_read_of_every_statement(platform_db: PlatformDatabase, applied: str) -> None:
    """Or how many there are that lock nothing; all of them with --verbose, as one would write them in psql."""
    if applied != "nothing":
        platform_db.apply(applied)
    planned = make_plan(platform_db)

    lines = on(platform_db, "plan").out.splitlines()
    shown = on(platform_db, "plan", "--verbose").out

    last = " ".join(" ".join(lines[-3:]).split())
    assert last.partition(f"{len(planned)} ")[2].startswith(
        "statements. ACCESS SHARE, which every query takes, is not listed."
    )
    listed = [line for line in lines if re.match(r"  [A-Z]", line)]
    assert len(listed) == sum(bool(s["locks"]) for s in planned)
    for migration in MIGRATIONS if applied == "nothing" else MIGRATIONS[4:]:
        locking = [bool(s["locks"]) for s in planned if s["migration"] == migration]
        quiet = "no lock on a table of the platform"
        if any(locking):
            quiet = f"{locking.count(False)} more statements: no further lock on a table of the platform"
        after = lines[lines.index(migration) + 1 :]
        assert next(line for line in after if " lock on a table" in line) == f"  {quiet}"
    comments = 0
    for statement in planned:
        quoted = re.fullmatch("DO '(.*)'", statement["statement"], re.DOTALL)
        text = quoted[1].replace("''", "'") if quoted else statement["statement"]
        if text.startswith("CALL sessiondb.install("):  # shown as what it creates
            text = re.sub(r"\A(--.*\n)+", "", text.split("$\n", 1)[1].rsplit("\n$", 1)[0])
        text = with_platform(text, platform_db.platform.schema)
        assert textwrap.indent(text, "  ").lstrip() in shown
        comments += len(re.findall("^--", text, re.MULTILINE))
    # none but those that are part of the source of a function or trigger
    assert len(re.findall("^  --", shown, re.MULTILINE)) == comments
    assert "DO 'BEGIN" not in shown


@on_reference
def test_people_read_that_there_is_nothing_to_do(installed_db: PlatformDatabase) -> None:
    assert on(installed_db, "plan").out == "Nothing to do: all migrations are applied.\n"
    dry = on(installed_db, "apply", "--dry-run", "--to", "0002")
    assert dry.out == "Nothing to do: every migration up to 0002 is applied.\n"


@on_partitioned
def test_the_plan_knows_the_size_of_a_partition_in_another_schema(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "CREATE SCHEMA archive", "ALTER TABLE submissions_2023 SET SCHEMA archive", "ANALYZE")

    locks = [lock for s in make_plan(platform_db) for lock in s["locks"] if lock["table"] == "submissions_2023"]

    assert locks
    assert all(lock["bytes"] and lock["rows"] is not None for lock in locks)


@on_reference
def test_people_read_of_links_that_are_restored_in_many_transactions_once(installed_db: PlatformDatabase) -> None:
    link(installed_db)
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO submissions (user_id, exercise_id)"
            " SELECT user_id, exercise_id FROM submissions, generate_series(1, 12000) WHERE session_id IS NOT NULL"
        )
    installed_db.rollback("0005")

    batches = [
        s
        for s in make_plan(installed_db)
        if "DELETE FROM sessiondb.saved_links_of_submissions AS r WHERE r.ctid" in s["statement"]
    ]
    read = [
        line
        for line in on(installed_db, "plan").out.splitlines()
        if "DELETE FROM sessiondb.saved_links_of_submissions AS r WHERE r.ctid" in line
    ]

    assert len(batches) > 2
    assert read == [f"  {on_one_line(batches[0]['statement'])} -- and {len(batches) - 1} more like it"]


# Reading only


def test_plan_changes_nothing(platform_db: PlatformDatabase, dump: Dump) -> None:
    before = dump(platform_db)

    planned = make_plan(platform_db)

    assert list(dict.fromkeys(statement["migration"] for statement in planned)) == MIGRATIONS
    assert dump(platform_db) == before


@on_two
def test_dry_run_changes_nothing_and_shows_the_plan(platform_db: PlatformDatabase, dump: Dump) -> None:
    before = dump(platform_db)

    planned = on(platform_db, "plan", "--format", "json")
    dry = on(platform_db, "apply", "--dry-run", "--format", "json")

    assert (planned.code, planned.err, dry.code, dry.err) == (0, "", 0, "")
    assert planned.json == dry.json == {"statements": make_plan(platform_db)}
    assert dump(platform_db) == before


def test_where_all_is_applied_the_plan_is_empty(installed_db: PlatformDatabase) -> None:
    assert make_plan(installed_db) == []


@on_reference
def test_where_some_is_applied_the_plan_has_the_rest(platform_db: PlatformDatabase) -> None:
    platform_db.apply("0004")

    assert {s["migration"] for s in make_plan(platform_db)} == set(MIGRATIONS[4:])


REFUSED = {
    "a trigger that writes session_id": BY_HAND,
    "a column of another type": ("ALTER TABLE submissions ADD COLUMN session_id text",),
    "a missing table": ("DROP TABLE org_members",),
    "two ways to the course": ("ALTER TABLE submissions ADD COLUMN part uuid REFERENCES exercises",),
    "several faults": ("DROP TABLE org_members", "ALTER TABLE submissions ADD COLUMN session_id text"),
}


@on_reference
@pytest.mark.parametrize("statements", REFUSED.values(), ids=REFUSED)
def test_dry_run_refuses_what_apply_refuses_in_the_same_words(
    platform_db: PlatformDatabase, dump: Dump, statements: tuple[str, ...]
) -> None:
    by_hand(platform_db, *statements)
    before = dump(platform_db)

    dry, real = on(platform_db, "apply", "--dry-run"), on(platform_db, "apply")

    assert (dry.code, dry.out) == (5, "")
    assert dry == real
    assert dump(platform_db) == before


@on_reference
def test_dry_run_shows_the_warnings_that_apply_shows(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, *BY_HAND)

    dry = on(platform_db, "apply", "--dry-run", "--adopt")

    assert dry.code == 0
    warnings = [line for line in dry.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert warnings[0] in on(platform_db, "apply", "--adopt").err


@on_reference
def test_dry_run_stops_where_apply_would_stop(platform_db: PlatformDatabase) -> None:
    planned = on(platform_db, "apply", "--dry-run", "--to", "0003", "--format", "json")

    assert {s["migration"] for s in planned.json["statements"]} == set(MIGRATIONS[:3])


@on_reference
def test_dry_run_and_plan_show_what_another_course_path_changes(installed_db: PlatformDatabase, dump: Dump) -> None:
    by_hand(installed_db, LESSONS)
    path = ("--course-path", "lesson_id.course_id")
    before = dump(installed_db)

    dry = on(installed_db, "apply", "--dry-run", *path, "--format", "json")

    assert on(installed_db, "plan", *path, "--format", "json") == dry
    assert {s["migration"] for s in dry.json["statements"]} == {"settings", "functions"}
    installs = re.findall(r"CALL sessiondb\.install\('function', 'sessiondb', '(\w+)'", dry.out)
    with_path = [o.name for o in objects.objects() if o.kind == "function" and re.search(r"course_of\(\w+\)", o.source)]
    assert sorted(installs) == sorted(with_path)
    assert dump(installed_db) == before
    assert on(installed_db, "apply", *path).code == 0
    assert on(installed_db, "plan").out == on(installed_db, "plan", *path).out
    assert make_plan(installed_db) == []


@on_reference
def test_dry_run_refuses_a_course_path_that_apply_refuses(installed_db: PlatformDatabase) -> None:
    path = ("--course-path", "user_id")

    dry, real = on(installed_db, "apply", "--dry-run", *path), on(installed_db, "apply", *path)

    assert (real.code, real.out) == (5, "")
    assert dry == real
    assert on(installed_db, "plan", *path) == real


@on_reference
def test_plan_and_dry_run_refuse_a_ledger_that_apply_refuses(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("UPDATE sessiondb.migration_content SET sha256 = '' WHERE migration_id LIKE '0002%'")

    real = on(installed_db, "apply")

    assert (real.code, real.out) == (1, "")
    assert "migration 0002.add-enrollments-session_id was edited after it was applied" in real.err
    assert on(installed_db, "apply", "--dry-run") == on(installed_db, "plan") == real


@on_reference
def test_a_migration_that_does_not_exist_is_refused_before_another_run_is_waited_for(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        real = on(platform_db, "apply", "--to", "0099")

    assert (real.code, real.out) == (2, "")
    assert 'there is no migration "0099"' in real.err
    assert "another sessiondb run" not in real.err
    assert on(platform_db, "apply", "--dry-run", "--to", "0099") == real


# The script for psql


SAID = [*(f"checking {what}" for what in (*MIGRATIONS, "functions and triggers")), "everything is applied"]
"""What the script says, whatever is pending."""

LEDGER = (
    "SELECT migration_hash, migration_id FROM sessiondb._yoyo_migration ORDER BY 2",
    "SELECT migration_hash, migration_id, operation, username, hostname, comment FROM sessiondb._yoyo_log ORDER BY 2",
    "SELECT version FROM sessiondb._yoyo_version ORDER BY 1",
    "SELECT * FROM sessiondb.migration_content ORDER BY 1",
    "SELECT * FROM sessiondb.objects ORDER BY 1, 2, 3",
    "SELECT * FROM sessiondb.installation",
)


def books(db: PlatformDatabase) -> list[list[dict[str, Any]]]:
    """All that is written in schema sessiondb, but for the times."""
    return [rows(db, query) for query in LEDGER]


def script_for(db: PlatformDatabase, *options: str) -> str:
    """The script, written where no database can be reached."""
    env = {"PGHOST": "/nowhere", "PGPORT": "1", "PGDATABASE": "none"}
    written = run("plan", "--sql", "--schema", db.platform.schema, *options, env=env)
    assert (written.code, written.err) == (0, "")
    return written.out


@pytest.fixture(scope="session")
def psql(cluster: Cluster) -> str:
    """The psql that came with the server, else the one on the PATH."""
    if cluster.server and (cluster.server.bindir / "psql").exists():
        return str(cluster.server.bindir / "psql")
    found = shutil.which("psql")
    if found is None:
        pytest.skip("no psql beside the server, none on the PATH")
    return found


@contextmanager
def running(
    psql: str, db: PlatformDatabase, script: str, tmp_path: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """psql at work on a script, as the owner of the platform's tables."""
    file = tmp_path / "apply.sql"
    file.write_text(script, encoding="utf-8")
    conninfo = conninfo_to_dict(db.conninfo(db.platform.owner))
    password = str(conninfo.pop("password", ""))
    process = subprocess.Popen(
        [psql, "-X", "-f", str(file), "-d", make_conninfo("", **conninfo)],
        env=environment({"PGPASSWORD": password, "LC_ALL": "C", **(env or {})}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def by_psql(psql: str, db: PlatformDatabase, script: str, tmp_path: Path, env: Mapping[str, str] | None = None) -> Run:
    with running(psql, db, script, tmp_path, env) as process:
        out, err = process.communicate(timeout=30)
        return Run(process.returncode, out, err)


@pytest.mark.slow
def test_the_script_does_what_apply_does(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    before, script = dump(platform_db), script_for(platform_db)

    first = by_psql(psql, platform_db, script, tmp_path)

    assert (first.code, first.err) == (0, ""), first.err
    assert first.out.splitlines() == SAID
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)

    times = rows(platform_db, "SELECT * FROM sessiondb._yoyo_migration ORDER BY migration_id")
    with platform_db.connect(autocommit=False) as other:  # leaves others ACCESS SHARE only
        other.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(platform_db.platform.schema)))
        other.execute("LOCK TABLE orgs, org_members, courses, sessions, enrollments, submissions IN EXCLUSIVE MODE")
        second = by_psql(psql, platform_db, script_for(platform_db, "--lock-timeout", "0.05"), tmp_path)

    assert (second.code, second.err) == (0, "")
    assert rows(platform_db, "SELECT * FROM sessiondb._yoyo_migration ORDER BY migration_id") == times
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)
    assert on(platform_db, "apply").out.startswith("Nothing to do: all migrations are applied.\n")
    assert on(platform_db, "check", *resources.names("checks"), "--format", "json").json["findings"] == []
    platform_db.rollback()
    assert dump(platform_db) == before


@pytest.mark.slow
@pytest.mark.like_cases(one_in=3)
@on_reference
@pytest.mark.parametrize(
    "damage",
    [
        "all tables of ours truncated",
        "migration_content truncated",
        "objects dropped",
        "all functions dropped",
        "install dropped",
        "an index dropped",
    ],
)
def test_the_script_makes_again_what_apply_makes_again(
    installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path, damage: str
) -> None:
    before = dump(installed_db)
    with installed_db.connect() as connection:
        connection.execute(DAMAGES[damage].encode())

    done = by_psql(psql, installed_db, script_for(installed_db), tmp_path)

    assert (done.code, done.err) == (0, ""), done.err
    assert dump(installed_db) == before
    assert on(installed_db, "status", "--exit-code").code == 0
    assert on(installed_db, "apply").out.startswith("Nothing to do: all migrations are applied.\n")


@pytest.mark.slow
@on_reference
def test_the_script_takes_over_what_apply_takes_over(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    by_hand(platform_db, *BY_HAND)
    before = dump(platform_db)

    refused = by_psql(psql, platform_db, script_for(platform_db), tmp_path)

    assert refused.code == 3  # psql's, for a script that failed
    assert "writes session_id, as ours will: CREATE TRIGGER fill" in refused.err
    assert "--adopt" in refused.err

    adopted = by_psql(psql, platform_db, script_for(platform_db, "--adopt"), tmp_path)

    assert adopted.code == 0, adopted.err
    assert "CREATE TRIGGER fill BEFORE INSERT ON public.enrollments" in adopted.err
    triggers = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    assert column(platform_db, triggers) == column(installed_db, triggers)
    platform_db.rollback()
    assert dump(platform_db) == before


@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
def test_the_script_takes_the_course_path_and_works_whatever_the_clients_encoding_is(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    script = script_for(platform_db, "--course-path", platform_db.platform.course_path)

    done = by_psql(psql, platform_db, script, tmp_path, {"PGCLIENTENCODING": "LATIN1"})

    assert (done.code, done.err) == (0, "")
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)


@on_reference
def test_the_script_writes_the_same_whatever_the_client_has_set(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    """A name in quotes that needs none would be written down so, and never be what check finds."""
    options = "-c quote_all_identifiers=on -c DateStyle=German -c IntervalStyle=iso_8601"

    done = by_psql(psql, platform_db, script_for(platform_db), tmp_path, {"PGOPTIONS": options})

    assert (done.code, done.err) == (0, "")
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)


# A lock that stops the script, in the order of the migrations.
IN_THE_WAY = {
    "a reader of enrollments": "LOCK TABLE enrollments IN ACCESS SHARE MODE",
    "a reader of submissions": "LOCK TABLE submissions IN ACCESS SHARE MODE",
    "a writer of sessions": "LOCK TABLE sessions IN ROW EXCLUSIVE MODE",
}


@pytest.mark.like_cases(one_in=3)
@on_partitioned
@pytest.mark.parametrize("lock", IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_a_script_that_a_lock_stopped_goes_on_when_it_is_run_again(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path, lock: str
) -> None:
    script = script_for(platform_db, "--lock-timeout", "0.05")
    with platform_db.connect(autocommit=False) as other:
        other.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(platform_db.platform.schema)))
        other.execute(lock.encode())
        stopped = by_psql(psql, platform_db, script, tmp_path)

    assert stopped.code == 3
    assert "lock timeout" in stopped.err
    assert 0 < len(column(platform_db, "SELECT migration_id FROM sessiondb._yoyo_migration")) < len(MIGRATIONS)

    again = by_psql(psql, platform_db, script, tmp_path)

    assert (again.code, again.err) == (0, "")
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)


@pytest.mark.slow
@on_reference
def test_a_script_whose_psql_was_killed_goes_on_when_it_is_run_again(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    """Killed while it builds an index, which waits for a transaction that does not end by itself."""
    script = script_for(platform_db)
    with platform_db.connect(autocommit=False) as writer, platform_db.connect() as eye:
        writer.execute("LOCK TABLE org_members IN ROW EXCLUSIVE MODE")
        backends = "SELECT pid FROM pg_stat_activity WHERE application_name = 'psql' AND datname = current_database()"
        with running(psql, platform_db, script, tmp_path) as process:
            wait_for(lambda: eye.execute(f"{backends} AND wait_event_type = 'Lock'".encode()).rowcount > 0)
            process.send_signal(signal.SIGKILL)
        wait_for(lambda: eye.execute(backends).rowcount == 0, 30)  # the writer still holds its lock, and ours is gone
    assert column(platform_db, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == ["1"]

    again = by_psql(psql, platform_db, script, tmp_path)

    assert (again.code, again.err) == (0, "")
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)


ORPHANED = (*BY_HAND[:1], "UPDATE enrollments SET session_id = gen_random_uuid()")


@on_reference
@pytest.mark.parametrize(
    "statements",
    [[statement for name in TOGETHER for statement in FAULTS[name].statements], ORPHANED],
    ids=["many faults", "links to sessions that are gone"],
)
def test_the_script_refuses_what_apply_refuses_in_the_same_words(
    platform_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path, statements: Sequence[str]
) -> None:
    by_hand(platform_db, *statements)
    before = dump(platform_db)

    refused = by_psql(psql, platform_db, script_for(platform_db), tmp_path)

    assert (refused.code, refused.out) == (3, "")
    assert on(platform_db, "apply").err.removeprefix("sessiondb: ") in refused.err
    assert dump(platform_db) == before


@on_reference
def test_the_script_refuses_a_schema_that_does_not_exist(
    platform_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    before = dump(platform_db)

    refused = by_psql(psql, platform_db, run("plan", "--sql", "--schema", "campus").out, tmp_path)

    assert refused.code == 3
    assert 'schema "campus" does not exist in this database' in refused.err
    assert dump(platform_db) == before


@on_reference
def test_the_script_shows_the_warnings_of_apply_and_continues(
    platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    by_hand(platform_db, HARMLESS)

    warned = by_psql(psql, platform_db, script_for(platform_db), tmp_path)

    assert (warned.code, warned.out.splitlines()) == (0, SAID)
    assert "WARNING:  Trigger zzzz on submissions fires after those of sessiondb" in warned.err
    assert "HINT:  Give it a name that sorts before those of sessiondb: ALTER TRIGGER zzzz" in warned.err


@on_reference
def test_the_script_leaves_an_interactive_session_as_it_was(
    platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    (tmp_path / "script.sql").write_text(script_for(platform_db), encoding="utf-8")
    look = (
        "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1;\n"
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();\n"
        "\\echo :ON_ERROR_STOP :QUIET\n"
        "\\set\n"
    )
    session = (
        "\\echo cut\n"
        f"{look}"
        "\\echo cut\n"
        f"SELECT pg_advisory_lock({ADVISORY_KEY});\n"  # as a run that was stopped leaves it
        f"\\i {tmp_path}/script.sql\n"
        "\\echo cut\n"
        f"{look}"
    )

    done = by_psql(psql, platform_db, session, tmp_path)

    assert (done.code, done.err) == (0, "")
    _, before, during, after = done.out.split("cut\n")
    assert during.splitlines()[-len(SAID) :] == SAID
    assert "off off" in after
    assert _without_results(after) == _without_results(before)


def _without_results(shown: str) -> list[str]:
    """What psql shows of a session but the results of the last statement."""
    return [line for line in shown.splitlines() if not line.startswith("LAST")]


@on_reference
def test_the_script_refuses_to_run_in_a_transaction(
    platform_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    before = dump(platform_db)

    refused = by_psql(psql, platform_db, "BEGIN;\n" + script_for(platform_db), tmp_path)

    assert refused.code == 3
    assert "this script begins and ends its own transactions" in refused.err
    assert dump(platform_db) == before


@pytest.mark.like_cases(one_in=3)
@on_reference
@pytest.mark.parametrize("place", ["AS sessiondb_backend \\gset\n", "\\echo checking 0006.restore-links\n"])
def test_the_script_stops_where_a_transaction_lands_on_another_backend(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path, place: str
) -> None:
    script = script_for(platform_db)
    assert script.count(place) == 1

    stopped = by_psql(psql, platform_db, script.replace(place, place + "\\connect -\n"), tmp_path)

    assert stopped.code == 3
    assert "a pooler gives every transaction another server connection" in stopped.err
    assert "0007" not in stopped.out

    again = by_psql(psql, platform_db, script, tmp_path)

    assert (again.code, again.err) == (0, "")
    assert dump(platform_db) == dump(installed_db)


@on_reference
def test_the_script_refuses_an_installation_that_is_not_its_own(
    installed_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    def refusal(*options: str) -> str:
        refused = by_psql(psql, installed_db, run("plan", "--sql", *options).out, tmp_path)
        assert refused.code == 3
        return refused.err

    assert 'is installed in this database for schema "public", not "campus"' in refusal("--schema", "campus")
    assert "The course path user_id leads nowhere" in refusal("--course-path", "user_id")
    by_hand(installed_db, "UPDATE sessiondb.migration_content SET sha256 = '' WHERE migration_id LIKE '0002%'")
    assert "missing from this script, or differ in it: 0002.add-enrollments-session_id" in refusal()


@on_reference
def test_the_script_takes_the_schema_to_which_the_tables_were_moved(
    installed_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    by_hand(installed_db, "ALTER SCHEMA public RENAME TO campus", "CREATE SCHEMA public")

    done = by_psql(psql, installed_db, run("plan", "--sql", "--schema", "campus").out, tmp_path)

    assert done.code == 0, done
    assert run("-d", installed_db.conninfo(), "status", "--exit-code").code == 0


@pytest.mark.slow
@on_reference
def test_the_script_takes_another_course_path(
    installed_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    by_hand(installed_db, LESSONS)
    with installed_db.cluster.new_database(installed_db.platform, installed_db.name) as applied:
        applied.apply(course_path="lesson_id.course_id")

        done = by_psql(psql, installed_db, script_for(installed_db, "--course-path", "lesson_id.course_id"), tmp_path)

        assert (done.code, done.err) == (0, "")
        assert dump(installed_db) == dump(applied)
        assert books(installed_db) == books(applied)


@on_reference
def test_the_script_reads_nothing_in_a_schema_that_another_role_makes_while_it_waits(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    rival = Rival(platform_db, new_role)
    with platform_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        with running(psql, platform_db, script_for(platform_db), tmp_path) as process:
            waits = "SELECT FROM pg_stat_activity WHERE query LIKE '%%pg_try_advisory_lock%%' AND datname = %s AND pid <> %s"
            wait_for(lambda: other.execute(waits, [platform_db.name, other.info.backend_pid]).rowcount > 0)
            assert rival.prepare()
            other.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])
            _, err = process.communicate(timeout=30)

    assert process.returncode == 3
    assert f"schema sessiondb (role {new_role})" in err
    assert not rival.fallen()


@on_reference
def test_what_is_written_for_no_schema_trusts_no_role_for_a_table_in_schema_public(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    """The platform is in another schema."""
    rival = Rival(platform_db, new_role)
    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA learn; ALTER TABLE enrollments SET SCHEMA learn")
        connection.execute(f"CREATE TABLE public.enrollments (); ALTER TABLE enrollments OWNER TO {new_role}".encode())
    assert rival.prepare()

    done = by_psql(psql, platform_db, run("plan", "--sql").out, tmp_path)
    assert (done.code, "belong to several roles" in done.err) == (3, True)
    with pytest.raises(psycopg.errors.RaiseException, match="several roles"), platform_db.connect() as connection:
        connection.execute(run("plan", "--sql", "--single-transaction").out.encode())
    assert not rival.fallen()


@on_reference
def test_the_script_and_apply_keep_out_of_each_others_way(
    platform_db: PlatformDatabase, dump: Dump, psql: str, tmp_path: Path
) -> None:
    before = dump(platform_db)
    with platform_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"sessiond", "big")])
        stopped = by_psql(psql, platform_db, script_for(platform_db), tmp_path)

    assert stopped.code == 3
    assert "another sessiondb run is working on this database" in stopped.err
    assert dump(platform_db) == before


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def loosely(script: str) -> str:
    """The psql script as a tool runs it that knows none of psql's commands and goes on after errors."""
    text = re.sub(r"^\\.*\n", "", script, flags=re.MULTILINE)
    return re.sub(r" \\g(exec|set)$", ";", text, flags=re.MULTILINE)


def without_stop(script: str) -> str:
    """The psql script without its ON_ERROR_STOP."""
    return script.replace("\\set ON_ERROR_STOP on", "\\set ON_ERROR_STOP off")


EVENT_TRIGGER = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_query() !~ 'secure_schema' THEN  -- of the ledger's own tables
        RAISE EXCEPTION 'not now';
    END IF;
END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('{tag}') EXECUTE FUNCTION refuse();
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run_as", "fault", "kept_back"),
    [
        (loosely, "", ["0002", "0003", "0004", "0005"]),
        (without_stop, EVENT_TRIGGER.format(tag="CREATE INDEX"), ["0005"]),
        (without_stop, EVENT_TRIGGER.format(tag="ALTER TABLE"), ["0002", "0003", "0004"]),
        (without_stop, EVENT_TRIGGER.format(tag="CREATE TRIGGER"), ["0002", "0003", "0007", "0008"]),
    ],
    ids=["without psql's commands", "no index", "no column", "no trigger"],
)
@on_reference
def test_no_run_of_the_script_records_a_migration_whose_objects_are_not_there(
    platform_db: PlatformDatabase,
    psql: str,
    tmp_path: Path,
    run_as: Callable[[str], str],
    fault: str,
    kept_back: list[str],
) -> None:
    with platform_db.connect() as connection:
        connection.execute(fault.encode())
    by_psql(psql, platform_db, run_as(script_for(platform_db)), tmp_path)
    with platform_db.connect() as connection:
        connection.execute("DROP EVENT TRIGGER IF EXISTS refuse")
        recorded = {row[0][:4] for row in connection.execute("SELECT migration_id FROM sessiondb._yoyo_migration")}

    assert not recorded & set(kept_back)
    assert {"0001", "0009"} <= recorded
    platform_db.apply()
    assert run("check", env={"DATABASE_URL": platform_db.conninfo()}).code == 0


@on_reference
def test_the_script_shows_the_statement_that_closes_schema_sessiondb(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    platform_db.apply()
    script = on(platform_db, "plan", "--sql").out
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA sessiondb TO {}").format(sql.Identifier(new_role)))
    done = by_psql(psql, platform_db, script, tmp_path)
    assert f"HINT:  REVOKE CREATE ON SCHEMA sessiondb FROM {new_role} CASCADE" in done.err
    assert "drop them" not in done.err
