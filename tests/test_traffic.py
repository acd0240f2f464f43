"""Under traffic: 16 writers never fail, and hardly wait, while sessiondb is rolled back and applied again.

The numbers are printed (pytest -s) and recorded as properties of the tests (pytest --junit-xml).
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import IsolationLevel
from psycopg.rows import scalar_row

from sessiondb.locks import LockBudget
from sessiondb.migrate import Runner

PROCESSES, THREADS = 4, 4
SUBMISSIONS = 50_000
BUDGET = LockBudget()
SLACK = 0.1
"""What a write may take longer than the longest wait for a lock, beside what it takes without us."""

PLATFORM: LiteralString = """
INSERT INTO users (email) SELECT 'student' || n FROM generate_series(1, 2000) AS n;
INSERT INTO orgs (name, slug) SELECT 'Org ' || n, 'org-' || n FROM generate_series(0, 19) AS n;
INSERT INTO courses (title) SELECT 'Course ' || n FROM generate_series(0, 19) AS n;
INSERT INTO exercises (course_id, title) SELECT id, 'Exercise' FROM courses WHERE title ~ '^Course ';

CREATE SCHEMA test;
CREATE VIEW test.students AS  -- each is in one course, and most are in the organisation that has a session of it
SELECT u.id AS user_id, o.id AS org_id, c.id AS course_id, x.id AS exercise_id, u.n % 10 <> 7 AS is_member
  FROM (SELECT id, substr(email, 8)::integer AS n FROM users WHERE email ~ '^student') AS u
  JOIN orgs AS o ON o.slug = 'org-' || u.n % 20
  JOIN courses AS c ON c.title = 'Course ' || u.n % 20
  JOIN exercises AS x ON x.course_id = c.id;

INSERT INTO sessions (org_id, course_id, title, status)
SELECT DISTINCT org_id, course_id, 'Session', 'active' FROM test.students;
INSERT INTO org_members (org_id, user_id) SELECT org_id, user_id FROM test.students WHERE is_member;
INSERT INTO enrollments (user_id, course_id) SELECT user_id, course_id FROM test.students;
INSERT INTO submissions (user_id, exercise_id, content)
SELECT user_id, exercise_id, 'a first try' FROM test.students CROSS JOIN generate_series(1, 25);

CREATE TABLE test.links AS
SELECT id, session_id FROM enrollments UNION ALL SELECT id, session_id FROM submissions;
ANALYZE;
"""
"""Filled while sessiondb is installed, so that all rows are linked that can be."""

LOST: LiteralString = """
SELECT count(*) FROM test.links AS before
  JOIN (SELECT id, session_id FROM enrollments UNION ALL SELECT id, session_id FROM submissions) AS now USING (id)
 WHERE before.session_id IS NOT NULL AND now.session_id IS DISTINCT FROM before.session_id
"""
WRONG: LiteralString = """
SELECT count(*) FILTER (WHERE session_id IS DISTINCT FROM get_user_session_for_course(user_id, course_id)), count(*)
  FROM (SELECT user_id, course_id, session_id, enrolled_at AS at FROM enrollments
         UNION ALL
        SELECT s.user_id, x.course_id, s.session_id, s.submitted_at
          FROM submissions AS s JOIN exercises AS x ON x.id = s.exercise_id) AS written
 WHERE at > %s
"""


# the writers, in processes of their own


@dataclass
class Writer:
    """One connection that inserts and updates all six tables, and what became of that.

    Attributes:
        writes: how many there were.
        stalls: begin, end and statement of those that took longer than 20 ms.
        links: the sessions that the database said it linked new rows to, by the row's id.
        errors: what went wrong.
    """

    writes: int
    stalls: list[tuple[float, float, str]]
    links: dict[str, str]
    errors: list[str]

    def run(self, conninfo: str, seed: int, stop: threading.Event) -> None:
        """Write until told to stop."""
        dice = random.Random(seed)
        with psycopg.connect(conninfo, autocommit=True, application_name="writer") as connection:
            self.connection = connection
            self.students = connection.execute(
                "SELECT user_id, org_id, course_id, exercise_id FROM test.students"
            ).fetchall()
            self.written = [row[0] for row in connection.execute("SELECT id FROM submissions LIMIT 5000").fetchall()]
            while not stop.wait(dice.uniform(0, 0.04)):
                try:
                    self.do_something(dice)
                except psycopg.Error as error:
                    self.errors.append(f"{type(error).__name__}: {error}")
                    if connection.closed:
                        return

    def do_something(self, dice: random.Random) -> None:
        """Insert into and update each table now and then, most often those that students write to."""
        user, org, course, exercise = dice.choice(self.students)
        what = dice.randrange(12)
        if what == 0:
            new = self.execute("INSERT INTO orgs (name, slug) VALUES ('New', %s) RETURNING id", uuid4())
            self.execute("INSERT INTO org_members (org_id, user_id) VALUES (%s, %s) RETURNING org_id", new, user)
            self.execute("UPDATE orgs SET name = 'Newer' WHERE id = %s RETURNING id", org)
        elif what == 1:
            new = self.execute("INSERT INTO courses (title) VALUES ('New') RETURNING id")
            self.execute(
                "INSERT INTO sessions (org_id, course_id, title) VALUES (%s, %s, 'New') RETURNING id", org, new
            )
            self.execute("UPDATE courses SET title = title WHERE id = %s RETURNING id", course)
        elif what == 2:
            self.execute("UPDATE org_members SET role = 'student' WHERE user_id = %s RETURNING role", user)
            self.execute("UPDATE sessions SET title = 'Newer' WHERE org_id = %s RETURNING id", org)
        elif what == 3:
            self.execute("UPDATE enrollments SET status = 'completed' WHERE user_id = %s RETURNING id", user)
        elif what in (4, 5):
            new = self.execute("INSERT INTO users (email) VALUES (%s) RETURNING id", uuid4())
            self.execute("INSERT INTO org_members (org_id, user_id) VALUES (%s, %s) RETURNING org_id", org, new)
            with self.connection.transaction():  # sessions first, then the tables that we lock first
                self.execute("UPDATE sessions SET title = 'Newest' WHERE org_id = %s RETURNING id", org)
                links = self.insert("enrollments", "course_id", new, course)
                links |= self.insert("submissions", "exercise_id", new, exercise)
            self.links.update(links)
        elif what in (6, 7):
            self.execute(
                "UPDATE submissions SET content = 'improved' WHERE id = %s RETURNING id", dice.choice(self.written)
            )
        else:
            self.links.update(self.insert("submissions", "exercise_id", user, exercise))

    def insert(self, table: LiteralString, column: LiteralString, user: object, value: object) -> dict[str, str]:
        """Insert a row; returns its id and the session that it was linked to, if it was."""
        # through the whole row: there may be no such column just now
        returning: LiteralString = "RETURNING ARRAY[t.id::text, to_jsonb(t) ->> 'session_id']"
        statement = "INSERT INTO " + table + " AS t (user_id, " + column + ") VALUES (%s, %s) " + returning
        new, session = self.execute(statement, user, value)
        return {new: session} if session else {}

    def execute(self, statement: LiteralString, *values: object) -> Any:
        begin = time.monotonic()
        found = self.connection.cursor(row_factory=scalar_row).execute(statement, values).fetchone()
        end = time.monotonic()
        self.writes += 1
        if end - begin > 0.02:
            self.stalls.append((begin, end, statement[:40]))
        return found


def main(conninfo: str, seed: int) -> None:
    """Let some writers write until the end of standard input, then print what became of them."""
    stop = threading.Event()
    writers = [Writer(0, [], {}, []) for _ in range(THREADS)]
    threads = [threading.Thread(target=writer.run, args=(conninfo, seed + n, stop)) for n, writer in enumerate(writers)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    done = [{name: getattr(w, name) for name in ("writes", "stalls", "links", "errors")} for w in writers]
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))


# what is done to them


class Traffic:
    """16 writers, from here on until :meth:`end`."""

    def __init__(self, stack: ExitStack, database: PlatformDatabase) -> None:
        self.processes = []
        for number in range(PROCESSES):
            command = [sys.executable, __file__, database.conninfo(), str(number * THREADS)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            self.processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        with database.connect() as connection:
            query = "SELECT FROM pg_stat_activity WHERE application_name = 'writer' AND query ~ 'INSERT|UPDATE'"
            deadline = time.monotonic() + 30
            while connection.execute(f"{query} AND datname = current_database()").rowcount < PROCESSES * THREADS:
                assert time.monotonic() < deadline, "the writers do not write"
                time.sleep(0.05)

    def end(self) -> list[Writer]:
        """Stop the writers and return them."""
        ends = [process.communicate(timeout=30) for process in self.processes]
        assert [err for _, err in ends if err] == []
        return [Writer(**writer) for out, _ in ends for writer in json.loads(out)]


@dataclass
class Phase:
    """A time in which something was done."""

    name: str
    begin: float
    end: float = 0
    rungs: tuple[float, ...] = ()

    def stalls(self, writers: list[Writer]) -> list[float]:
        """How long the writes took that took long in this time, the longest first."""
        found = (stall for writer in writers for stall in writer.stalls)
        return sorted((end - begin for begin, end, _ in found if end > self.begin and begin < self.end), reverse=True)


@contextmanager
def for_two_seconds(database: PlatformDatabase, *statements: LiteralString) -> Iterator[None]:
    """A transaction of another session, idle until two seconds after a run of ours has come to wait for a lock."""
    waits = "SELECT FROM pg_stat_activity WHERE application_name = 'sessiondb' AND wait_event_type = 'Lock'"
    with database.connect(autocommit=False) as connection, database.connect() as eye:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for statement in statements:
            connection.execute(statement)

        def end() -> None:
            deadline = time.monotonic() + 20
            while not eye.execute(f"{waits} AND datname = current_database()").rowcount and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(2)
            connection.rollback()

        thread = threading.Thread(target=end)
        thread.start()
        yield
        thread.join()


def reader(database: PlatformDatabase) -> AbstractContextManager[None]:
    """A report that reads for long."""
    return for_two_seconds(database, *(f"SELECT count(*) FROM {table}" for table in ("enrollments", "submissions")))


def idle_writer(database: PlatformDatabase) -> AbstractContextManager[None]:
    """A writer who went to lunch."""
    enroll: LiteralString = (
        "INSERT INTO enrollments (user_id, course_id) SELECT u.id, c.id FROM users AS u, courses AS c"
    )
    submit: LiteralString = "INSERT INTO submissions (user_id) SELECT id FROM users LIMIT 1"
    return for_two_seconds(database, f"{enroll} WHERE u.email = 'ada@example.org' LIMIT 1", submit)


def no_session(database: PlatformDatabase) -> AbstractContextManager[None]:
    return nullcontext()


@pytest.fixture(scope="module")
def platform(cluster: Cluster) -> Iterator[PlatformDatabase]:
    with cluster.clone(PLATFORMS["reference"], installed=True) as database:
        with database.connect() as connection:
            connection.execute(PLATFORM)
            row = connection.execute("SELECT count(*), count(session_id) FROM submissions").fetchone()
            assert row
            assert row[0] >= SUBMISSIONS
            assert row[1] > SUBMISSIONS * 0.8
        yield database


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("other_session", [no_session, reader, idle_writer])
def test_no_write_fails_or_waits_long_and_no_link_is_lost(
    cluster: Cluster,
    platform: PlatformDatabase,
    dump: Callable[[PlatformDatabase], str],
    record_property: Callable[[str, object], None],
    other_session: Callable[[PlatformDatabase], AbstractContextManager[None]],
) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(cluster.new_database(platform.platform, platform.name))
        connection = stack.enter_context(database.connect())
        traffic = Traffic(stack, database)
        phases = [Phase("without a migration", time.monotonic())]
        time.sleep(2)
        phases[0].end = time.monotonic()
        for name in ("rollback", "apply"):
            lines: list[str] = []
            with other_session(database), database.database().connect() as own:
                phases.append(Phase(name, time.monotonic()))
                runner = Runner(own, BUDGET, lines.append)
                assert runner.apply() if name == "apply" else runner.rollback(None)
                phases[-1].end = time.monotonic()
            phases[-1].rungs = tuple(float(wait) for wait in re.findall(r"no lock within (\S+) s", "\n".join(lines)))
        applied = connection.execute("SELECT clock_timestamp()").fetchone()
        time.sleep(1)
        writers = traffic.end()

        assert [error for writer in writers for error in writer.errors] == []
        assert min(writer.writes for writer in writers) > 20
        baseline = next(iter(phases[0].stalls(writers)), 0.02)
        limit = BUDGET.timeout + SLACK + baseline
        for phase in phases:
            stalls = phase.stalls(writers)
            longest = max([0, *stalls]) * 1000
            record_property(
                f"16 writers and {other_session.__name__}, {phase.name}",
                f"{phase.end - phase.begin:.1f} s, longest stall of a write {longest:.0f} ms,"
                f" {len(stalls)} over 20 ms; tries without a lock: {[*phase.rungs]}",
            )
        record_property(
            f"16 writers and {other_session.__name__}, in all",
            f"{sum(writer.writes for writer in writers)} writes; limit {limit * 1000:.0f} ms:"
            f" lock_timeout {BUDGET.timeout * 1000:.0f} + {SLACK * 1000:.0f} + {baseline * 1000:.0f} without us",
        )
        assert max(stall for phase in phases for stall in [0, *phase.stalls(writers)]) <= limit
        if other_session is not no_session:
            assert all(phase.rungs for phase in phases[1:]), "no session was in the way"

        assert connection.execute(LOST).fetchone() == (0,)
        links = {id_: session for writer in writers for id_, session in writer.links.items()}
        now: dict[str, str | None] = {}
        for table in ("enrollments", "submissions"):
            now.update(connection.execute(f"SELECT id::text, session_id::text FROM {table}").fetchall())
        assert len(links) > 100
        assert {id_: (session, now[id_]) for id_, session in links.items() if now[id_] != session} == {}
        wrong = connection.execute(WRONG, applied).fetchone()
        assert wrong
        assert wrong[0] == 0
        assert wrong[1] > 20
        assert dump(database) == dump(platform)
