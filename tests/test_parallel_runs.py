"""Many at once: one run works, the others wait for it and find nothing to do; the lock ends with its process."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import IsolationLevel

from sessiondb import resources
from sessiondb.connection import Connection
from sessiondb.errors import Exit, LockNotObtainedError
from sessiondb.locks import ADVISORY_KEY, LockBudget
from sessiondb.migrate import Runner

RUNS = 20
MIGRATIONS = sorted(path.stem for path in resources.MIGRATIONS.glob("*.sql") if ".rollback" not in path.name)
HOLDER = """
SELECT a.pid FROM pg_stat_activity AS a JOIN pg_locks AS l ON l.pid = a.pid
 WHERE a.datname = current_database() AND l.locktype = 'advisory'
"""
CLI = (sys.executable, "-W", "error", "-m", "sessiondb")

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)


def until(fact: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def start(database: PlatformDatabase, *arguments: str) -> subprocess.Popen[str]:
    """Start the command line on a database."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*CLI, "-d", database.conninfo(), *arguments], stdout=pipe, stderr=pipe, text=True)


@contextmanager
def reader(database: PlatformDatabase) -> Iterator[int]:
    """A transaction that holds a snapshot, and so holds up every concurrent index build; yields its pid."""
    with database.connect(autocommit=False) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT FROM users")
        yield connection.info.backend_pid
        connection.rollback()


def is_held_up(connection: Connection, pid: int) -> bool:
    """Whether another session builds an index and waits for the transaction of pid."""
    query = "SELECT FROM pg_stat_progress_create_index WHERE current_locker_pid = %s"
    return connection.execute(query, [pid]).rowcount > 0


def deadlocks(database: PlatformDatabase) -> int:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT pg_stat_get_db_deadlocks(oid) FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row
    found: int = row[0]
    return found


def assert_applied_once(database: PlatformDatabase, operation: str = "apply") -> None:
    with database.connect() as connection:
        log = "SELECT migration_id FROM sessiondb._yoyo_log WHERE operation = %s ORDER BY migration_id"
        assert [id_ for (id_,) in connection.execute(log, [operation])] == MIGRATIONS
        assert connection.execute("SELECT FROM pg_index WHERE NOT indisvalid").rowcount == 0
    assert deadlocks(database) == 0


@pytest.mark.slow
def test_of_20_simultaneous_runs_one_applies_and_the_others_find_nothing_to_do(platform_db: PlatformDatabase) -> None:
    barrier = threading.Barrier(RUNS)

    def apply(_: int) -> int:
        with platform_db.database().connect() as connection:
            barrier.wait()
            return len(Runner(connection).apply())

    with ThreadPoolExecutor(RUNS) as pool:
        assert Counter(pool.map(apply, range(RUNS))) == {len(MIGRATIONS): 1, 0: RUNS - 1}
    assert_applied_once(platform_db)


@pytest.mark.slow
def test_20_simultaneous_processes_all_exit_0(
    platform_db: PlatformDatabase, record_property: Callable[[str, object], None]
) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(start(platform_db, "apply")) for _ in range(RUNS)]
        ends = [(*process.communicate(timeout=60), process.returncode) for process in processes]
    assert [(code, err) for _, err, code in ends if code != Exit.DONE] == []
    first_lines = Counter(out.splitlines()[0] for out, _, _ in ends)
    done = f"{len(MIGRATIONS)} migrations applied."
    assert first_lines == {done: 1, "Nothing to do: all migrations are applied.": RUNS - 1}
    assert_applied_once(platform_db)
    record_property("simultaneous applies, one at work", RUNS)


@pytest.mark.slow
def test_runs_that_wait_while_an_index_is_built_do_not_hold_it_up(platform_db: PlatformDatabase) -> None:
    """A run that waited for the lock inside a statement would have a snapshot, and the build would wait for that."""
    platform_db.apply("0004")
    with platform_db.connect() as other, ThreadPoolExecutor(RUNS) as pool:
        with reader(platform_db) as pid:
            runs = [pool.submit(platform_db.apply) for _ in range(RUNS)]
            until(lambda: is_held_up(other, pid))
            time.sleep(2)  # all poll by now; longer than deadlock_timeout
            waits = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sessiondb' AND wait_event_type = 'Lock'"
            assert other.execute(f"{waits} AND datname = %s", [platform_db.name]).rowcount == 1
        done = Counter(len(run.result(timeout=30)) for run in runs)
    assert done == {len(MIGRATIONS) - 4: 1, 0: RUNS - 1}
    assert_applied_once(platform_db)


@pytest.mark.slow
def test_simultaneous_rollbacks_and_applies_take_turns(platform_db: PlatformDatabase) -> None:
    """Ten of each; none fails, and the database ends as the last of them leaves it."""
    with ThreadPoolExecutor(RUNS) as pool:
        runs = [pool.submit(platform_db.rollback if n % 2 else platform_db.apply) for n in range(RUNS)]
        done = Counter(len(run.result(timeout=60)) for run in runs)
    assert set(done) <= {0, len(MIGRATIONS)}
    assert done[len(MIGRATIONS)] >= 1
    assert deadlocks(platform_db) == 0
    platform_db.rollback()
    assert len(platform_db.apply()) == len(MIGRATIONS)


def test_an_apply_that_comes_when_a_rollback_is_about_to_end_waits_for_it(installed_db: PlatformDatabase) -> None:
    """The rollback has dropped the table in which the apply would read where sessiondb is installed."""
    with ThreadPoolExecutor(1) as pool, installed_db.database().connect() as connection:
        runs: list[Future[list[str]]] = []

        def boundary(migration: str, point: str) -> None:
            if (migration, point) == (MIGRATIONS[0], "commit"):
                runs.append(pool.submit(installed_db.apply))
                time.sleep(0.5)

        assert Runner(connection, boundary=boundary).rollback(None) == MIGRATIONS[::-1]
        assert runs[0].result(timeout=30) == MIGRATIONS


def test_two_databases_of_one_server_do_not_wait_for_each_other(
    cluster: Cluster, platform_db: PlatformDatabase
) -> None:
    with cluster.clone(PLATFORMS["school"], installed=False) as neighbour, neighbour.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        with platform_db.database().connect() as own:
            assert Runner(own, LockBudget(total=0)).apply() == MIGRATIONS


@pytest.mark.slow
def test_a_run_that_waits_looks_at_least_every_second(
    platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server notices within another second that a client in the middle of a statement is gone: 2 s in all."""
    sleep, pauses = time.sleep, list[float]()

    def noted_sleep(seconds: float) -> None:
        pauses.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    monkeypatch.setattr(time, "sleep", noted_sleep)
    with platform_db.connect() as other, platform_db.database().connect() as own:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        with pytest.raises(LockNotObtainedError):
            Runner(own, LockBudget(total=4)).apply()
    assert len(pauses) > 5
    assert max(pauses) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("at_work", [False, True], ids=["between two statements", "inside a statement"])
def test_a_run_goes_on_within_2_s_after_the_one_that_it_waits_for_was_killed(
    platform_db: PlatformDatabase, *, at_work: bool
) -> None:
    platform_db.apply("0004")
    told: list[str] = []

    def apply() -> int:
        with platform_db.database().connect() as connection:
            return len(Runner(connection, report=told.append).apply())

    with ExitStack() as stack:
        other = stack.enter_context(platform_db.connect())
        pool = stack.enter_context(ThreadPoolExecutor(1))
        blocker = stack.enter_context(ExitStack())
        pid = blocker.enter_context(reader(platform_db))
        holder = stack.enter_context(start(platform_db, "apply"))
        stack.callback(holder.kill)
        until(lambda: is_held_up(other, pid))
        if not at_work:
            holder.send_signal(signal.SIGSTOP)
            blocker.close()
            until(lambda: other.execute(f"{HOLDER} AND state = 'idle'").rowcount)
        at = other.execute(HOLDER).fetchone()
        waiting = pool.submit(apply)
        until(lambda: told)
        assert at
        assert told[0].startswith(f"waiting for another sessiondb run: pid {at[0]}, sessiondb,")
        time.sleep(2)  # by now its pauses are long
        holder.kill()
        killed = time.monotonic()
        until(lambda: other.execute(HOLDER).fetchone() not in (None, at))
        went_on = time.monotonic()
        until(lambda: len(told) > 2)
        blocker.close()
        assert waiting.result(timeout=30) == len(MIGRATIONS) - 4
    assert told[2] == "applying 0005.create-indexes"
    assert went_on - killed <= 2


@pytest.mark.parametrize("command", [["apply"], ["rollback", "--all", "--yes"]], ids=["apply", "rollback"])
def test_a_run_that_waited_in_vain_says_for_whom_and_exits_6(
    installed_db: PlatformDatabase, command: list[str]
) -> None:
    with installed_db.connect() as other:
        other.execute("SET application_name TO 'a run from elsewhere'")
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        begin = time.monotonic()
        with start(installed_db, *command, "--lock-budget", "1") as process:
            out, err = process.communicate(timeout=20)
        assert time.monotonic() - begin < 5
        holder = (
            f'pid {other.info.backend_pid}, "a run from elsewhere", role postgres, client local, connected since 20'
        )
    assert process.returncode == Exit.LOCKED
    assert out == ""
    waiting, failed, hint = err.splitlines()
    assert waiting.startswith(f"waiting for another sessiondb run: {holder}")
    assert failed.startswith(f"sessiondb: another sessiondb run is working on this database: {holder}")
    assert hint == "  hint: Wait for it to end, then run the command again."
    with start(installed_db, *command) as process:
        process.communicate(timeout=20)
    assert process.returncode == Exit.DONE


def test_only_one_of_two_that_change_a_status_at_once_is_told_that_it_did(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as other, installed_db.connect(autocommit=False) as first:
        platform = installed_db.platform
        session = platform.add_session(other, platform.add_org(other), platform.add_course(other))
        changed = "SELECT changed FROM sessiondb.change_session_status(%s, 'completed')"
        assert first.execute(changed, [session]).fetchone() == (True,)
        with start(installed_db, "session", "set-status", str(session), "completed", "--format", "json") as second:
            waits = "SELECT FROM pg_stat_activity WHERE application_name = 'sessiondb' AND wait_event_type = 'Lock'"
            until(lambda: other.execute(f"{waits} AND datname = %s", [installed_db.name]).rowcount == 1)
            first.commit()
            out, err = second.communicate(timeout=30)
    assert (second.returncode, err) == (Exit.DONE, "")
    assert json.loads(out)["changed"] is False
