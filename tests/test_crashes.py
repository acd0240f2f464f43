"""A crash at any point is survived: the same command, run again, ends where an undisturbed run ends.

"Where" is the schema as pg_dump writes it, and all rows: the platform's and those in schema sessiondb (the ledger and its
log, what is ours, the saved links), without the times at which they were written. At any point is with --platforms all:
else each test takes a sixth of its points, those that its name chooses.
"""

from __future__ import annotations

import difflib
import functools
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest
from conftest import Cluster, Part, PlatformDatabase
from platforms import PLATFORMS
from psycopg import IsolationLevel, sql

import sessiondb.migrate
from sessiondb import resources
from sessiondb.embedded import ServerNotFound, ephemeral_server
from sessiondb.errors import Exit, SessiondbError
from sessiondb.ledger import read_migrations
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import Runner

Dump = Callable[[PlatformDatabase], str]
State = tuple[list[str], list[str]]

STEPWISE = {
    (command, migration.id)
    for migration in read_migrations(resources.MIGRATIONS)
    for command, script in (("apply", migration.apply), ("rollback", migration.rollback))
    if not script.transactional
}
"""The commands and migrations that are more than one transaction."""

STARTS = ("first apply", "rollback", "apply again")
"""The commands, by what they start from: the platform as found, linked rows, the links that a rollback saved."""

CLI = (sys.executable, "-W", "error", "-m", "sessiondb")

PAUSES = """
import sys
from sessiondb.database import Database
from sessiondb.migrate import Runner

conninfo, schema, command, left = *sys.argv[1:4], int(sys.argv[4])

def boundary(migration, point):
    global left
    left -= 1
    if left == 0:
        print("here", flush=True)
        sys.stdin.readline()

with Database(conninfo, schema).connect() as connection:
    runner = Runner(connection, boundary=boundary)
    runner.apply() if command == "apply" else runner.rollback(None)
"""
"""A process that pauses at one of its boundaries: conninfo, schema, command, which one."""


@dataclass(frozen=True)
class Point:
    """A boundary of a run.

    Attributes:
        number: which one, from 1.
        command: ``apply`` or ``rollback``.
        migration: its id.
        moment: ``before`` a statement; ``commit``, ``committed`` or ``done`` after it.
        statement: that statement.
    """

    number: int
    command: str
    migration: str
    moment: str
    statement: str

    def __str__(self) -> str:
        return f"{self.number}: {self.migration}, {self.moment} {self.code[:60]!r}"

    @property
    def place(self) -> tuple[str, str, str]:
        """The same in a run that starts half-way."""
        return self.migration, self.moment, self.statement

    @property
    def code(self) -> str:
        """The statement without the comment above it."""
        return re.sub(r"^\s*--.*$", "", self.statement, flags=re.MULTILINE).strip()

    @property
    def kind(self) -> str:
        """What sort of statement it is."""
        code = self.code.replace("OR REPLACE ", "")
        if called := re.match(r"CALL sessiondb\.(\w+)\('(function|trigger)?", code):
            return " ".join(filter(None, ["CALL", *called.groups()]))
        verb = " ".join(re.findall(r"[A-Z]+", code)[: 1 if code.startswith("DO") else 2])
        marks = re.findall(
            r"CONCURRENTLY|VALIDATE|ATTACH|FOREIGN KEY|(?:DROP|ADD) COLUMN|saved_links|(?:DROP|CREATE) (?:TABLE|TRIGGER|INDEX)",
            code,
        )
        own_text = re.match(r"CREATE (FUNCTION|PROCEDURE|VIEW)|COMMENT|REVOKE", code)
        return " ".join([verb, *sorted({*marks} if not own_text else ())])

    @property
    def stepwise(self) -> bool:
        """Whether more than one transaction makes up the migration."""
        return (self.command, self.migration) in STEPWISE


def run(
    database: PlatformDatabase, command: str, reached: Callable[[Point, int], None] = lambda point, pid: None
) -> list[Point]:
    """Run a command and return its boundaries; ``reached`` is told of each, and of the backend's pid."""
    points: list[Point] = []
    with database.database().connect() as connection:

        def boundary(migration: str, text: str) -> None:
            after = text in ("commit", "committed", "done")
            known = after and points and points[-1].migration == migration
            statement = points[-1].statement if known else text
            points.append(Point(len(points) + 1, command, migration, text if after else "before", statement))
            reached(points[-1], connection.info.backend_pid)

        runner = Runner(connection, boundary=boundary)
        runner.apply() if command == "apply" else runner.rollback(None)
    return points


def crash(
    database: PlatformDatabase,
    command: str,
    doomed: Callable[[Point], bool],
    kill: Callable[[PlatformDatabase, int], None] | None = None,
) -> Point | None:
    """Run a command whose connection dies at the first doomed boundary; return that one, None if there was none."""
    fatal: list[Point] = []

    def reached(point: Point, pid: int) -> None:
        if not fatal and doomed(point):
            fatal.append(point)
            (kill or end_backend)(database, pid)

    try:
        run(database, command, reached)
    except SessiondbError:
        assert fatal
    else:
        assert not fatal, f"it went on without a connection after {fatal[0]}"
    return fatal[0] if fatal else None


def is_the_same(doomed: Point, point: Point) -> bool:
    return point.number == doomed.number


def end_backend(database: PlatformDatabase, pid: int) -> None:
    """Let an administrator end a backend; it is gone before it reads another command."""
    with psycopg.connect(database.cluster.admin, autocommit=True) as admin:
        assert admin.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone() == (True,)


@dataclass(frozen=True)
class Command:
    """A command on a database; what it starts from, and where it ends undisturbed."""

    verb: str
    start: PlatformDatabase
    points: list[Point]
    end: State
    dump: Dump

    @contextmanager
    def clone(self) -> Iterator[PlatformDatabase]:
        """The database as it is before the command."""
        with self.start.cluster.new_database(self.start.platform, self.start.name) as database:
            yield database

    def difference(self, database: PlatformDatabase) -> str:
        """How a database differs from where the command ends; empty if it does not."""
        return difference(self.end, look(database, self.dump))

    def wrong_after(self, points: Iterable[Point], attempt: Callable[[PlatformDatabase, Point], str]) -> dict[str, str]:
        """Let each point be attempted on a clone of its own; what went wrong, by point."""

        def in_clone(point: Point) -> tuple[str, str]:
            with self.clone() as database:
                try:
                    return str(point), attempt(database, point)
                except SessiondbError as error:
                    return str(point), str(error)

        with ThreadPoolExecutor(2) as pool:
            return {point: wrong for point, wrong in pool.map(in_clone, points) if wrong}


def look(database: PlatformDatabase, dump: Dump, *, log: bool = True) -> State:
    """The schema and the rows of a database, a line each."""
    tables = """
        SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('sessiondb', %s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         ORDER BY 1, 2
    """
    query = sql.SQL("SELECT (to_jsonb(t) - {}::text[])::text FROM {} AS t ORDER BY 1")
    found = []
    with database.connect() as connection:
        for schema, table in connection.execute(tables, [database.platform.schema]).fetchall():
            no_id = ["id"] if table == "_yoyo_log" else []
            without = sql.Literal([*no_id, "applied_at_utc", "installed_at_utc", "created_at_utc"])
            if log or table != "_yoyo_log":
                rows = connection.execute(query.format(without, sql.Identifier(schema, table)))
                found += [f"{table} {row}" for (row,) in rows]
    return dump(database).splitlines(), found


def difference(wanted: State, found: State) -> str:
    """How two states differ; empty if they do not."""
    lines = (line for one, other in zip(wanted, found, strict=True) for line in difflib.ndiff(one, other))
    return "\n".join(line for line in lines if line[0] in "+-" and not line[2:].startswith("--"))


def add_linked_rows(database: PlatformDatabase, submissions: int = 8) -> None:
    """Two students with linked rows, in as many partitions as there are, and one whom staff placed by hand."""
    platform = database.platform
    with database.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        old, new = (platform.add_session(connection, org, course, status) for status in ("completed", "active"))
        for place in (None, None, old):
            user = platform.add_member(connection, org, platform.add_user(connection))
            assert platform.enroll(connection, user, course, place) == (place or new)
            connection.execute(
                """
                INSERT INTO submissions (user_id, exercise_id, session_id, submitted_at)
                SELECT %s, e.id, %s, '2023-01-01 12:00+00'::timestamptz + g.n % 8 * interval '150 days'
                  FROM exercises AS e CROSS JOIN generate_series(1, %s) AS g (n)
                 WHERE e.course_id = %s
                """.replace("n % 8", "n %% 8"),
                [user, place, submissions, course],
            )
        for table, linked in (("enrollments", 3), ("submissions", 3 * submissions)):
            count = sql.SQL("SELECT count(session_id) FROM {}").format(sql.Identifier(table))
            assert connection.execute(count).fetchone() == (linked,)


def until(fact: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@contextmanager
def transaction(database: PlatformDatabase, statement: str) -> Iterator[psycopg.Connection]:
    """A transaction of another session that keeps its snapshot and its locks while the block runs."""
    with database.connect(autocommit=False) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("SET statement_timeout TO '20s'")
        connection.execute(statement.encode())
        yield connection
        connection.rollback()


def backends(database: PlatformDatabase, condition: LiteralString = "true") -> int:
    """How many connections of sessiondb the server knows of."""
    query: LiteralString = (
        "SELECT FROM pg_stat_activity WHERE datname = %s AND starts_with(application_name, 'sessiondb')"
    )
    with psycopg.connect(database.cluster.admin) as admin:
        return admin.execute(query + " AND " + condition, [database.name]).rowcount


def is_held_up(database: PlatformDatabase) -> bool:
    """Whether a run of sessiondb waits for the lock of another session."""
    return backends(database, "wait_event_type = 'Lock'") > 0


@contextmanager
def paused(database: PlatformDatabase, point: Point) -> Iterator[subprocess.Popen[str]]:
    """A real process that has come to a boundary and goes on when it is told to; killed at the end."""
    arguments = [sys.executable, "-c", PAUSES, database.conninfo(), database.platform.schema, point.command]
    pipe = subprocess.PIPE
    with subprocess.Popen([*arguments, str(point.number)], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL


Commands = Callable[..., Command]


@pytest.fixture(scope="module", autouse=True)
def migrations_are_parsed_once() -> Iterator[None]:
    """That takes as long as applying them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessiondb.migrate, "read_migrations", functools.cache(read_migrations))
        yield


@pytest.fixture(scope="module")
def known() -> dict[tuple[int, str, str], Command]:
    return {}


@pytest.fixture
def commands(cluster: Cluster, dump: Dump, known: dict[tuple[int, str, str], Command]) -> Commands:
    """``commands(platform, start, on=cluster)``: what they start from is made once for each server."""

    def build(platform: str, start: str, on: Cluster) -> Command:
        if start == "apply again":
            template = on.stack.enter_context(commands(platform, "rollback", on).clone())
            template.rollback()
        else:
            template = on.stack.enter_context(on.clone(PLATFORMS[platform], installed=start == "rollback"))
        if start == "rollback":
            add_linked_rows(template)
        verb = "rollback" if start == "rollback" else "apply"
        with on.new_database(template.platform, template.name) as database:
            return Command(verb, template, run(database, verb), look(database, dump), dump)

    def commands(platform: str, start: str, on: Cluster = cluster) -> Command:
        key = id(on), platform, start
        if key not in known:
            known[key] = build(platform, start, on)
        return known[key]

    return commands


@pytest.fixture(
    params=[(platform, start) for platform in ("reference", "partitioned") for start in STARTS], ids=", ".join
)
def command(request: pytest.FixtureRequest, commands: Commands) -> Command:
    return commands(*request.param)


# an administrator ends the backend


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["reference", "partitioned"])
def test_a_rollback_and_an_apply_lose_no_link(commands: Commands, platform: str) -> None:
    before, again = commands(platform, "rollback"), commands(platform, "apply again")
    _, linked = look(before.start, before.dump, log=False)
    assert linked == [row for row in again.end[1] if not row.startswith("_yoyo_log ")]


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
def test_a_run_that_dies_at_each_boundary_in_turn_ends_where_an_undisturbed_one_ends(
    command: Command,
    commands: Commands,
    part: Part,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Every boundary of an apply and of both rollbacks, also inside transactions; of the others those that differ.

    An index that is built already is not looked at again: where a run died before the comment on it, the end of a later
    run makes it, and dies there, too.
    """
    for preflight in ("preflight", "rollback_preflight"):  # they only read, and take half of the time
        monkeypatch.setattr(sessiondb.migrate, preflight, lambda *_: [])
    every = command.verb == "rollback" or command is commands("reference", "first apply")
    built = re.compile("COMMENT ON INDEX ")
    points = [p for p in command.points if (every or p.stepwise) and not built.match(p.code)]
    places = {p.place for p in part(points)}
    late: set[tuple[str, str, str]] = set()
    died: set[tuple[str, str, str]] = set()

    def is_doomed(point: Point) -> bool:
        if point.migration == "comments":
            late.add(point.place)
        return point.place in (places | late) - died

    with command.clone() as database:
        while point := crash(database, command.verb, is_doomed):
            died.add(point.place)
        assert died == places | late
        # an index that was built before a crash gets its comment later; each of them, where all points are taken
        commented = {p.code for p in command.points if built.match(p.code)}
        assert {text for _, _, text in late} <= commented
        assert {text for _, _, text in late} == commented or places != {p.place for p in points}
        assert command.difference(database) == ""
    record_property(f"crashes survived, {command.start.platform}, {command.verb}", len(died))


def commits(command: Command) -> list[Point]:
    """The boundaries after a commit; the others leave in the database what the one before them leaves."""
    return [point for point in command.points if point.moment in ("committed", "done")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "start"),
    [
        ("reference", "first apply"),
        ("reference", "rollback"),
        ("partitioned", "apply again"),
        ("partitioned", "rollback"),
    ],
)
def test_one_crash_after_any_commit_is_made_good_by_running_the_command_again(
    commands: Commands, part: Part, platform: str, start: str
) -> None:
    """On the partitioned platform only where it differs from the other."""
    command = commands(platform, start)

    def attempt(database: PlatformDatabase, doomed: Point) -> str:
        assert crash(database, command.verb, functools.partial(is_the_same, doomed)) == doomed
        run(database, command.verb)
        return command.difference(database)

    points = [point for point in commits(command) if point.stepwise or platform == "reference"]
    assert command.wrong_after(part(points), attempt) == {}


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("start", ["first apply", "apply again"])
def test_an_apply_that_died_can_be_rolled_back_instead(commands: Commands, part: Part, start: str) -> None:
    """No object of ours stays in the platform, and no link is lost that an earlier rollback saved."""
    command = commands("reference", start)
    before = look(command.start, command.dump)

    def attempt(database: PlatformDatabase, doomed: Point) -> str:
        crash(database, "apply", functools.partial(is_the_same, doomed))
        run(database, "rollback")
        return difference(before, look(database, command.dump))

    stepwise = [point for point in commits(command) if point.stepwise]
    assert command.wrong_after(part(stepwise), attempt) == {}


@pytest.mark.slow
def test_a_rollback_that_died_can_be_undone_by_an_apply(commands: Commands, part: Part) -> None:
    command = commands("reference", "rollback")
    before = look(command.start, command.dump, log=False)

    def attempt(database: PlatformDatabase, doomed: Point) -> str:
        crash(database, "rollback", functools.partial(is_the_same, doomed))
        run(database, "apply")
        return difference(before, look(database, command.dump, log=False))

    stepwise = [point for point in commits(command) if point.stepwise]
    assert command.wrong_after(part(stepwise), attempt) == {}


# the process is killed


@pytest.mark.slow
def test_a_killed_process_at_a_statement_of_each_kind_is_made_good(commands: Commands, part: Part) -> None:
    """Before the first statement of each kind, and before the first commit, in whichever command has it."""
    ways = [
        commands("partitioned", "apply again"),
        commands("partitioned", "rollback"),
        commands("reference", "rollback"),
    ]
    first: dict[str, tuple[Command, Point]] = {}
    for way in ways:
        for point in way.points:
            if point.moment in ("before", "commit"):
                first.setdefault(f"{way.verb} {point.kind if point.moment == 'before' else 'commit'}", (way, point))

    def attempt(database: PlatformDatabase, point: Point) -> str:
        with paused(database, point):
            pass
        run(database, way.verb)
        return way.difference(database)

    chosen = part([*first.values()])
    for way in ways:
        assert way.wrong_after([point for other, point in chosen if other is way], attempt) == {}


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize(
    ("platform", "start", "statement", "other_session"),
    [
        (
            "reference",
            "first apply",
            r"CALL sessiondb.lock_tables\('ACCESS EXCLUSIVE', 'public.submissions",
            "SELECT FROM submissions",
        ),
        ("reference", "first apply", "CREATE INDEX CONCURRENTLY sessions_", "SELECT FROM users"),
        ("partitioned", "first apply", "CREATE INDEX CONCURRENTLY submissions_2024_", "SELECT FROM users"),
        (
            "reference",
            "apply again",
            "DO .*DELETE FROM sessiondb.saved_links_of_submissions ",
            "SELECT FROM submissions FOR UPDATE",
        ),
        ("reference", "rollback", "DROP INDEX CONCURRENTLY", "SELECT FROM submissions"),
        ("partitioned", "rollback", "DO .*DROP INDEX public.submissions_", "SELECT FROM submissions_2024"),
    ],
)
def test_a_process_killed_in_the_middle_of_a_statement_leaves_the_server_within_2_s(
    commands: Commands, platform: str, start: str, statement: str, other_session: str
) -> None:
    """It is in the middle as long as it waits for a transaction of another session."""
    command = commands(platform, start)
    point = next(p for p in command.points if p.moment == "before" and re.match(statement, p.code, re.DOTALL))
    with command.clone() as database:
        with paused(database, point) as process, transaction(database, other_session):
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
            until(lambda: is_held_up(database))
            process.kill()
            until(lambda: not backends(database), 2)
        if "CREATE INDEX CONCURRENTLY" in statement:
            with database.connect() as connection:
                assert connection.execute("SELECT FROM pg_index WHERE NOT indisvalid").rowcount > 0
        run(database, command.verb)
        assert command.difference(database) == ""


@pytest.mark.slow
def test_a_process_killed_between_two_batches_of_restored_links_loses_none(cluster: Cluster, dump: Dump) -> None:
    with cluster.clone(PLATFORMS["reference"], installed=True) as database:
        add_linked_rows(database, 4000)
        before = look(database, dump, log=False)
        database.rollback()
        with cluster.new_database(database.platform, database.name) as clone:
            points = run(clone, "apply")
            assert difference(before, look(clone, dump, log=False)) == ""
        batch = "DELETE FROM sessiondb.saved_links_of_submissions "
        batches = [p for p in points if p.moment == "committed" and batch in p.code]
        assert len(batches) > 2
        for point in batches[:2]:
            with cluster.new_database(database.platform, database.name) as clone:
                with paused(clone, point):
                    pass
                run(clone, "apply")
                assert difference(before, look(clone, dump, log=False)) == ""


# the server stops


@pytest.mark.slow
def test_a_server_that_stops_at_once_and_starts_again_is_no_matter(
    cluster: Cluster, commands: Commands, part: Part
) -> None:
    """At every sixth boundary after a commit and every sixth before one; what is committed is on the disk."""
    settings = {"synchronous_commit": "on", "full_page_writes": "on"}
    with ExitStack() as stack:
        try:
            bindir = cluster.server.bindir if cluster.server else None
            server = stack.enter_context(ephemeral_server(bindir, settings=settings))
        except ServerNotFound as error:
            pytest.skip(str(error))
        own = stack.enter_context(closing(Cluster(server.dsn(), "crashes", server)))

        def stop(database: PlatformDatabase, pid: int) -> None:
            own.connection.close()
            server.stop("immediate")
            server.start()

        for platform, start in (("reference", "apply again"), ("partitioned", "rollback")):
            command = commands(platform, start, own)
            before_a_commit = [point for point in command.points if point.moment == "commit"]
            for doomed in part([*commits(command)[::6], *before_a_commit[::6]]):
                with command.clone() as database:
                    assert crash(database, command.verb, functools.partial(is_the_same, doomed), stop) == doomed
                    run(database, command.verb)
                    assert command.difference(database) == "", doomed


# it is told to stop


@contextmanager
def in_a_queue(database: PlatformDatabase) -> Iterator[Callable[[], bool]]:
    with transaction(database, "SELECT FROM enrollments"):
        yield lambda: is_held_up(database)


@contextmanager
def in_an_index_build(database: PlatformDatabase) -> Iterator[Callable[[], bool]]:
    database.apply("0004")
    with transaction(database, "SELECT FROM users"):
        yield lambda: is_held_up(database)


@contextmanager
def behind_another_run(database: PlatformDatabase) -> Iterator[Callable[[], bool]]:
    with database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        yield lambda: backends(database, "query ~ 'pg_try_advisory_lock'") > 0


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("waiting", [in_a_queue, in_an_index_build, behind_another_run])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)], ids=["INT", "TERM"]
)
def test_a_signal_ends_a_waiting_process_within_2_s_and_another_run_goes_on(
    commands: Commands,
    waiting: Callable[[PlatformDatabase], AbstractContextManager[Callable[[], bool]]],
    number: signal.Signals,
    code: Exit,
    record_property: Callable[[str, object], None],
) -> None:
    command = commands("reference", "first apply")
    with command.clone() as database:
        with waiting(database) as has_come_to_it:
            arguments = [*CLI, "-d", database.conninfo(), "apply", "--lock-timeout", "5"]
            with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
                try:
                    until(has_come_to_it)
                    process.send_signal(number)
                    begin = time.monotonic()
                    _, said = process.communicate(timeout=10)
                    seconds = time.monotonic() - begin
                finally:
                    process.kill()
            assert (process.returncode, "run the command again" in said) == (code, True), said
            assert seconds < 2
            record_property(f"seconds to stop, {waiting.__name__}, {number.name}", round(seconds, 2))
            until(lambda: not backends(database), 5)
        run(database, "apply")
        assert command.difference(database) == ""


# it fails


def run_cli(database: PlatformDatabase, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*CLI, "-d", database.conninfo(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.like_cases(one_in=3)
@pytest.mark.parametrize(
    ("start", "tag", "failed"),
    [
        ("first apply", "CREATE INDEX", '0005.create-indexes failed at "CREATE INDEX CONCURRENTLY '),
        ("first apply", "CREATE TRIGGER", '0002.add-enrollments-session_id failed at "CREATE OR REPLACE TRIGGER '),
        ("rollback", "DROP ROUTINE", '0010.let-staff-read failed at "DROP ROUTINE '),
    ],
)
def test_an_error_names_the_migration_and_the_statement_and_another_run_goes_on(
    commands: Commands, start: str, tag: str, failed: str
) -> None:
    """An event trigger of the platform refuses the statement."""
    command = commands("reference", start)
    arguments = ["apply"] if command.verb == "apply" else ["rollback", "--all", "--yes"]
    with command.clone() as database:
        with database.connect() as connection:
            connection.execute(
                """
                CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql
                    AS 'BEGIN RAISE ''no DDL'' USING DETAIL = ''It is the week of exams.'', HINT = ''Wait''; END'
                """
            )
            event = "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ({}) EXECUTE FUNCTION public.refuse()"
            connection.execute(sql.SQL(event).format(tag))
            ended = run_cli(database, *arguments)
            connection.execute("DROP EVENT TRIGGER refuse; DROP FUNCTION public.refuse")
        message, hint = ended.stderr.splitlines()[-2:]
        assert (ended.returncode, message.startswith(f"sessiondb: {failed}")) == (Exit.ERROR, True), ended.stderr
        assert message.endswith('": no DDL: It is the week of exams.')
        assert hint == "  hint: Wait. Committed changes stay; the same command resumes where it stopped."
        run(database, command.verb)
        assert command.difference(database) == ""


@pytest.mark.slow
@pytest.mark.parametrize("waiting", [in_a_queue, in_an_index_build, behind_another_run])
def test_a_connection_that_the_server_ends_is_told_in_one_sentence_and_another_run_goes_on(
    commands: Commands, waiting: Callable[[PlatformDatabase], AbstractContextManager[Callable[[], bool]]]
) -> None:
    command = commands("reference", "first apply")
    with command.clone() as database:
        with waiting(database) as has_come_to_it, database.connect() as admin:
            arguments = [*CLI, "-d", database.conninfo(), "apply", "--lock-timeout", "60"]
            with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
                try:
                    until(has_come_to_it)
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'sessiondb' AND datname = current_database()"
                    )
                    _, said = process.communicate(timeout=60)
                finally:
                    process.kill()
        message, hint = said.splitlines()[-2:]
        assert process.returncode == Exit.INCOMPLETE
        # a client that is writing in that moment does not come to read the server's last words
        ended = "terminating connection due to .* command|server closed the connection unexpectedly"
        assert re.fullmatch(f'sessiondb: (.* failed at ".*": )?({ended})', message)
        assert hint == (
            "  hint: The connection was lost; run the command again when the server answers."
            " Committed changes stay; the same command resumes where it stopped."
        )
        run(database, "apply")
        assert command.difference(database) == ""
