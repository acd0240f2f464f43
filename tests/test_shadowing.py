"""Nothing that a rival makes under a name that our SQL means otherwise is ever run by another role.

The platform's schema is on the search_path of the platform's connections, and many a platform lets every role create
there. PostgreSQL prefers an operator or a function with the exact types of the arguments to one of its own that needs a
cast, and looks for relations and types in the temporary schema of a session first. So a rival who knows our SQL has made
an operator, a function, a relation or a type for every name in it (traps.py). Every command is run, in every state.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
import traps
from conftest import Cluster, Part, PlatformDatabase
from platforms import PLATFORMS, EnrolledPlatform, Platform
from psycopg import sql
from sqlnames import REQUIRED_COLUMNS, Names, lint
from test_cli import ADA, BY_HAND, CHLOE, DMITRI, SQL, on
from test_plan import by_psql, psql

from sessiondb.connection import Connection
from sessiondb.migrate import Runner

__all__ = ["psql"]  # a fixture

UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
LOOKS = f"""
status
plan
check
show sessions
show enrollments
show submissions --unlinked
session list
explain --user {CHLOE} --course {SQL}
explain --user {UNKNOWN} --course {SQL}
backfill --dry-run
""".strip().splitlines()
WORKS = f"""
org create --name Nord --slug nord
member add --org nord --user {CHLOE}
session create --org nord --course {SQL} --by {ADA}
show enrollments --unlinked
backfill
session list
explain --user {CHLOE} --course {SQL}
explain --user {DMITRI} --course {SQL}
check
""".strip().splitlines()

SHORT = ["show sessions", "show enrollments", *WORKS]

DONE = (0,)
FOUND = (0, 4)
"""`check` may well find that a stranger may create things in the platform's schema."""
ANYHOW = (0, 1, 3, 4, 5, 7)
"""Where a command may have to refuse: not a defect of ours, and no session at the lock."""


@dataclass(frozen=True)
class Stage:
    """A database in which a state is played, and the traps that lie there; none when their types are learnt."""

    db: PlatformDatabase
    psql: str
    folder: Path
    names: Names
    shapes: traps.Columns | None

    def run(self, command: str, codes: tuple[int, ...] = DONE) -> str:
        """Run a command; return what it printed."""
        run = on(self.db, *command.split())
        if command.startswith("check"):
            codes = (*codes, *FOUND)
        assert run.code in codes, f"{command}: {run.code}\n{run.out[-500:]}\n{run.err[-1000:]}"
        assert "bug in sessiondb" not in run.err, f"{command}: {run.err}"
        return run.out

    def run_all(self, commands: list[str], codes: tuple[int, ...] = DONE) -> None:
        for command in commands:
            self.run(command, codes)

    def stop(self, command: str, number: int) -> None:
        """Apply or roll back, and stop at the commit of this number."""
        commits = itertools.count(1)

        def boundary(migration: str, point: str) -> None:
            if point in ("committed", "done") and next(commits) == number:
                raise InterruptedError

        with suppress(InterruptedError), self.db.database().connect() as connection:
            runner = Runner(connection, boundary=boundary)
            runner.apply() if command == "apply" else runner.rollback(None)

    def script(self, *arguments: str) -> int:
        """Apply with psql."""
        return by_psql(self.psql, self.db, on(self.db, "plan", "--sql", *arguments).out, self.folder).code

    @contextmanager
    def connected(self, role: str | None = None) -> Iterator[Connection]:
        """Yield a connection of the superuser, or of a role, whose own statements look nothing up on the platform."""
        with self.db.connect(role) as connection:
            connection.execute("SET search_path TO pg_catalog")
            yield connection

    def alter(self, statement: LiteralString, *names: str) -> None:
        """Change the platform as its owner; the first name is its schema."""
        with self.connected(self.db.platform.owner) as owner:
            owner.execute(sql.SQL(statement).format(*map(sql.Identifier, (self.db.platform.schema, *names))))

    def write(self) -> None:
        """Write rows as an application does, and as the rival, whose session has a trap for every relation and type."""
        platform = self.db.platform
        with self.connected() as connection:
            student, other = platform.add_user(connection), platform.add_user(connection)
        with self.connected(platform.owner) as owner:
            self._write_as(owner, student)
            # an application has the platform's schema on its path
            owner.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(platform.schema)))
            for statement in BY_HAND:
                with suppress(psycopg.Error):
                    owner.execute(statement.encode())
        with self.db.connect(traps.RIVAL) as rival:
            if self.shapes:
                assert traps.set_temporary_traps(rival, platform.schema, self.names, self.shapes) > 30
            for path in ("pg_catalog", "pg_temp, pg_catalog", sql.Identifier(platform.schema).as_string()):
                rival.execute("SELECT pg_catalog.set_config('search_path', %s, false)", [path])
                self._write_as(rival, other)

    def _write_as(self, connection: Connection, student: UUID) -> None:
        platform, schema = self.db.platform, sql.Identifier(self.db.platform.schema)
        tries: list[Callable[[], object]] = [
            lambda: platform.enroll(connection, student, UUID(SQL)),
            lambda: platform.submit(connection, student, UUID(SQL)),
            lambda: platform.enroll(connection, student, UUID(SQL), UUID(UNKNOWN)),
            lambda: platform.submit(connection, student, UUID(SQL), UUID(UNKNOWN)),
            lambda: connection.execute(
                sql.SQL("SELECT {}.get_user_session_for_course({}, {})").format(schema, student, SQL)
            ),
            *(
                lambda table=table, value=value: connection.execute(
                    sql.SQL("UPDATE {}.{} SET session_id = {}").format(schema, sql.Identifier(table), value)
                )
                for table in ("enrollments", "submissions")
                for value in (None, UNKNOWN)
            ),
        ]
        for attempt in tries:
            with suppress(psycopg.Error):
                attempt()


# the states


def fresh(stage: Stage) -> None:
    stage.run_all(LOOKS, ANYHOW)
    stage.run_all(WORKS, ANYHOW)
    stage.run("apply")
    stage.run_all([*LOOKS, *WORKS])
    stage.write()
    stage.run_all(["rollback --all --yes", "status", "apply", "check", "rollback --all --yes"])


def by_script(stage: Stage) -> None:
    assert stage.script() == 0
    stage.run_all(LOOKS)
    assert stage.script("--adopt") == 0
    stage.run("apply")


def half_applied(stage: Stage) -> None:
    stage.run("apply --to 0001")
    stage.run_all(LOOKS, ANYHOW)
    stage.run("apply --to 0004")
    stage.write()
    stage.run_all([*LOOKS, *WORKS], ANYHOW)
    stage.stop("apply", 3)
    stage.run_all(["status", "plan", "check"], ANYHOW)
    stage.run("apply --to 0007")
    stage.write()
    assert stage.script() == 0
    stage.run("check")


def half_rolled_back(stage: Stage) -> None:
    stage.run_all(["apply", *WORKS])
    stage.write()
    for commit in (2, 9, 16):
        stage.stop("rollback", commit)
        stage.run_all(LOOKS, ANYHOW)
        stage.write()
    stage.run_all(["apply", "backfill", "check", "rollback --all --yes"])


def applied_again(stage: Stage) -> None:
    """With the columns there."""
    stage.run_all(["apply", *WORKS])
    for kept in ("0007", "0003"):
        stage.run(f"rollback --to {kept} --yes")
        stage.run_all(["plan", "status", "check"], ANYHOW)
        stage.write()
        stage.run_all(["apply", "check", "backfill"])


def adopted(stage: Stage) -> None:
    """The platform has a session_id of its own, and triggers that write it."""
    stage.alter(
        """
        CREATE FUNCTION {0}.own_link() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END';
        """
    )
    for table in ("enrollments", "submissions"):
        stage.alter("ALTER TABLE {0}.{1} ADD session_id uuid", table)
        stage.alter(
            "CREATE TRIGGER own_link BEFORE INSERT ON {0}.{1} FOR EACH ROW EXECUTE FUNCTION {0}.own_link()", table
        )
    stage.run_all(["status", "plan", "apply"], ANYHOW)
    stage.run("apply --adopt")
    stage.run_all([*LOOKS, *WORKS])
    stage.write()
    stage.run_all(["rollback --all --yes", "apply --adopt", "check"])


def lost(stage: Stage) -> None:
    """A user, a course and rows that lead nowhere."""
    stage.run("apply")
    platform = stage.db.platform
    tables = ["enrollments"] if isinstance(platform, EnrolledPlatform) else ["enrollments", "submissions"]
    if "submissions" in tables:
        stage.alter("ALTER TABLE {0}.submissions ALTER {1} DROP NOT NULL", platform.task_column)
    with stage.connected() as owner:
        student = platform.add_user(owner)
        platform.enroll(owner, student, UUID(SQL))
        platform.submit(owner, student, UUID(SQL))
        for table in tables:
            name = sql.Identifier(platform.schema, table)
            if table == "submissions":
                nowhere = sql.SQL("UPDATE {} SET {} = NULL WHERE user_id = {}")
                owner.execute(nowhere.format(name, sql.Identifier(platform.task_column), student))
            ((row,),) = owner.execute(sql.SQL("SELECT id FROM {} WHERE user_id = {}").format(name, student)).fetchall()
            stage.run(f"explain --{table.removesuffix('s')} {row}")
    stage.run_all(
        [
            f"explain --user {student} --course {SQL}",
            f"explain --user {UNKNOWN} --course {SQL}",
            f"explain --user {student} --course {UNKNOWN}",
            "show submissions --unlinked",
            "backfill",
            "check",
        ]
    )
    stage.run_all([f"explain --submission {UNKNOWN}", f"show enrollments --session {UNKNOWN}"], ANYHOW)


def renamed_table(stage: Stage) -> None:
    stage.run_all(["apply", *WORKS])
    for table in ("org_members", "sessions", "courses", "submissions"):
        stage.alter("ALTER TABLE {0}.{1} RENAME TO renamed", table)
        stage.run_all(["status", "plan", "check", *SHORT], ANYHOW)
        stage.write()
        stage.alter("ALTER TABLE {0}.renamed RENAME TO {1}", table)
    stage.run("check")


def renamed_column(stage: Stage, part: Part) -> None:
    """PostgreSQL takes ``s.title`` for ``title(s)`` then."""
    stage.run_all(["apply", *WORKS])
    there = columns_of(stage.db)
    mine = there & {*stage.names.columns, ("orgs", "slug"), ("orgs", "name"), ("sessions", "title")}
    for table, column in part(sorted(mine)):
        stage.alter("ALTER TABLE {0}.{1} RENAME {2} TO renamed", table, column)
        stage.run_all(SHORT, ANYHOW)
        stage.write()
        stage.alter("ALTER TABLE {0}.{1} RENAME renamed TO {2}", table, column)
    # while links are saved, and while they are not restored yet: also columns that we name because they are those of a key
    for commands in (["check", "rollback --to 0005 --yes"], ["rollback --all --yes", "apply --to 0005"]):
        stage.run_all(commands)
        for table, column in part(sorted(there)):
            stage.alter("ALTER TABLE {0}.{1} RENAME {2} TO renamed", table, column)
            stage.write()
            stage.alter("ALTER TABLE {0}.{1} RENAME renamed TO {2}", table, column)
    stage.run_all(["apply", "check"])


def columns_of(db: PlatformDatabase) -> set[tuple[str, str]]:
    """The columns of the tables that every platform has, and session_id."""
    with db.connect() as connection:
        found = connection.execute(
            "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_attribute AS a"
            "  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            "  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname::text = ANY (%s) AND NOT a.attisdropped AND a.attnum > 0",
            [db.platform.schema, [*REQUIRED_COLUMNS]],
        ).fetchall()
    return {*found, *((table, "session_id") for table in ("enrollments", "submissions"))}


STATES = (fresh, by_script, half_applied, half_rolled_back, applied_again, adopted, lost, renamed_table)


# that a trap which is run leaves its mark

EQUALS, FORMAT, TEXT, VARCHAR_TYPE, BOOLEAN = 98, 3539, 25, 1043, 16
OPENS: dict[str, tuple[str, LiteralString]] = {
    "operator": ("{schema}", "SELECT 'a'::varchar = 'b'::varchar"),
    "operator with ANY": ("{schema}", "SELECT 'a'::varchar = ANY (ARRAY['b'::varchar])"),
    "IN": ("{schema}", "SELECT 'a'::varchar IN ('b')"),
    "IS DISTINCT FROM": ("{schema}", "SELECT 'a'::varchar IS DISTINCT FROM 'b'::varchar"),
    "NULLIF": ("{schema}", "SELECT NULLIF('a'::varchar, 'b'::varchar)"),
    "CASE": ("{schema}", "SELECT CASE 'a'::varchar WHEN 'b' THEN 1 END"),
    "function": ("{schema}", "SELECT format('%s', 'a'::varchar)"),
    "column": ("{schema}", "SELECT s.title FROM sessions AS s"),
    "relation": ("{schema}, pg_catalog", "SELECT FROM pg_class"),
    "type": ("{schema}, pg_catalog", "SELECT NULL::text"),
    "in a transaction that is undone": (
        "{schema}",
        "DO 'BEGIN PERFORM ''a''::varchar = ''b''::varchar; RAISE ''no''; END'",
    ),
    "in one that only reads": (
        "{schema}",
        "BEGIN; SET TRANSACTION READ ONLY; SELECT 'a'::varchar = 'b'::varchar; ROLLBACK",
    ),
    "swallowed": (
        "{schema}",
        "DO 'BEGIN PERFORM ''a''::varchar = ''b''::varchar; PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END'",
    ),
}


@pytest.fixture(scope="session")
def names() -> Names:
    return lint().names


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_a_trap_that_is_run_leaves_its_mark(base: PlatformDatabase, names: Names) -> None:
    """Whatever becomes of the statement; but not when the rival runs it."""
    schema = sql.Identifier(base.platform.schema)
    learnt = {
        traps.Call(EQUALS, is_operator=True, types=(VARCHAR_TYPE, VARCHAR_TYPE), result=BOOLEAN),
        traps.Call(FORMAT, is_operator=False, types=(TEXT, VARCHAR_TYPE), result=TEXT),
    }
    few = Names(types={"text", *names.types}, columns={("sessions", "title")})
    with base.connect() as connection:
        shapes = traps.columns(connection, base.platform.schema, Names(relations={"pg_class"}))
        assert traps.set_traps(connection, base.platform.schema, few, learnt, shapes) > 20
        connection.execute(sql.SQL("ALTER TABLE {}.sessions RENAME title TO renamed").format(schema))
    for what, (path, statement) in OPENS.items():
        with clone(base, track_functions="all") as db:
            for role in (traps.RIVAL, base.platform.owner):
                with db.connect(role) as connection, suppress(psycopg.Error):
                    connection.execute(sql.SQL(f"SET search_path TO {path}").format(schema=schema))
                    connection.execute(statement)
                assert bool(traps.sprung(db)) == (role != traps.RIVAL), (what, role)


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_the_types_that_operators_and_functions_are_called_with_are_learnt(base: PlatformDatabase) -> None:
    if base.cluster.server is None:
        pytest.skip("from the log of a server of our own")
    log = base.cluster.server.socket_dir.with_name("server.log")
    begins = log.stat().st_size
    with clone(base, debug_print_parse="on", debug_pretty_print="off") as db, db.connect() as connection:
        connection.execute(
            "SELECT format('%s', s.title), s.title = ANY (ARRAY[s.title]), s.title IS DISTINCT FROM s.title,"
            "       (SELECT max(o.slug || o.name) FROM campus.orgs AS o)"
            "  FROM campus.sessions AS s WHERE s.title::text = 'a'"
        )
    found = traps.calls(log.read_bytes()[begins:].decode(errors="replace"))
    called = {(c.oid, c.types) for c in found}
    assert called >= {
        (FORMAT, (TEXT, VARCHAR_TYPE)),
        (EQUALS, (VARCHAR_TYPE, -1015)),
        (EQUALS, (VARCHAR_TYPE, VARCHAR_TYPE)),
        (EQUALS, (TEXT, TEXT)),
        (654, (VARCHAR_TYPE, VARCHAR_TYPE)),
    }


# the grounds


def over_other_types(platform: Platform) -> Platform:
    """The way to the course leads over a varchar, for which the catalog has no operators of its own, and over a domain.

    That is of a type of an extension in the platform's schema, where a rival may make an operator for the domain itself.
    """
    return replace(platform, task_column="code", course_path="code.course_id")


OTHER_TYPES: LiteralString = """
CREATE EXTENSION citext;
CREATE DOMAIN part AS citext;
ALTER TABLE submissions DROP exercise_id;
ALTER TABLE exercises DROP id, ADD id varchar(9) NOT NULL DEFAULT left(random()::text, 9), ADD part part NOT NULL DEFAULT 'a';
ALTER TABLE exercises ADD PRIMARY KEY (id, part);
ALTER TABLE submissions ADD code varchar(9), ADD part part NOT NULL DEFAULT 'a', ADD FOREIGN KEY (code, part) REFERENCES exercises;
ALTER TABLE submissions DROP CONSTRAINT submissions_pkey;
ALTER TABLE submissions ADD PRIMARY KEY (id, part);
"""


@pytest.fixture
def rival(cluster: Cluster) -> Iterator[None]:
    """The role of the rival, for one test; ask for it before a database."""
    cluster.execute("CREATE ROLE {} LOGIN", traps.RIVAL)
    yield
    cluster.execute("DROP ROLE {}", traps.RIVAL)


@pytest.fixture
def base(rival: None, cluster: Cluster, platform: Platform) -> Iterator[PlatformDatabase]:
    """The platform, on which the rival may read and write what students do."""
    with cluster.clone(platform, installed=False) as found:
        database = replace(found, platform=over_other_types(platform)) if platform.name == "reference" else found
        with database.connect() as connection:
            if platform.name == "reference":
                connection.execute(OTHER_TYPES)
            role, schema = sql.Identifier(traps.RIVAL), sql.Identifier(platform.schema)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
            connection.execute(
                sql.SQL("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role)
            )
            if platform.student_role:
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(platform.student_role), role))
        yield database


@contextmanager
def clone(base: PlatformDatabase, **settings: str) -> Iterator[PlatformDatabase]:
    """A copy of a database, with settings of its own; its connections look into the platform's schema first."""
    schema = sql.Identifier(base.platform.schema)
    connection = base.cluster.connection
    with base.cluster.new_database(base.platform, base.name) as database:
        for name, value in {**settings, "search_path": sql.SQL("{}, public").format(schema)}.items():
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} TO {}").format(*map(sql.Identifier, (database.name, name)), value)
            )
        base.platform.grant_create(connection, database.name)
        yield database


# what is looked up when these run is looked up in the others, too, most of it in a fresh one
LEARNING = (fresh, by_script, applied_again, adopted, lost)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "platform",
    [PLATFORMS[name] for name in ("school", "academy", "hosted", "quoted", "reference")],
    indirect=True,
    ids=str,
)
def test_nothing_of_a_rival_is_run(base: PlatformDatabase, names: Names, psql: str, tmp_path: Path, part: Part) -> None:
    server = base.cluster.server
    if server is None:
        pytest.skip("what the commands look up is learnt from the log of a server of our own")
    log = server.socket_dir.with_name("server.log")

    def since(place: int) -> str:
        with log.open("rb") as file:
            file.seek(place)
            return file.read().decode(errors="replace")

    learnt: set[traps.Call] = set()
    shapes: traps.Columns = {}
    states = part(STATES)
    for state in [fresh, *(state for state in LEARNING if state in states and state is not fresh)]:
        begins = log.stat().st_size
        with clone(base, debug_print_parse="on", debug_pretty_print="off") as db:
            if not shapes:
                with ExitStack() as undone:
                    db.apply()
                    undone.callback(db.rollback)
                    with db.connect() as connection:
                        shapes = traps.columns(connection, db.platform.schema, names)
            state(Stage(db, psql, tmp_path, names, None))
        learnt |= traps.calls(since(begins))
    assert len(learnt) > 200
    sprung, failed = [], []
    with clone(base) as trapped:
        with trapped.connect() as connection:
            assert traps.set_traps(connection, trapped.platform.schema, names, learnt, shapes) > 300
        for state in states:
            begins = log.stat().st_size
            with clone(trapped, track_functions="all") as db:
                try:
                    state(Stage(db, psql, tmp_path, names, shapes))
                except (AssertionError, psycopg.Error) as error:
                    failed.append((state.__name__, error))
                if traps.sprung(db):
                    sprung += [(state.__name__, *said) for said in sorted({*traps.marks(since(begins))})]
    assert (sprung, failed) == ([], []), "\n".join(map(str, [*sprung, *failed]))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("school", "hosted", "quoted")], indirect=True, ids=str
)
def test_no_function_of_a_rival_is_run_in_the_place_of_a_column(
    base: PlatformDatabase, names: Names, psql: str, tmp_path: Path, part: Part
) -> None:
    """PostgreSQL takes ``s.title`` for ``title(s)`` where table sessions has no such column any more."""
    log = base.cluster.server.socket_dir.with_name("server.log") if base.cluster.server else None
    begins = log.stat().st_size if log else 0
    with clone(base) as trapped:
        with trapped.connect() as connection:
            columns = Names(columns=names.columns | columns_of(trapped))
            assert traps.set_traps(connection, trapped.platform.schema, columns, set(), {}) >= len(names.columns)
        with clone(trapped, track_functions="all") as db:
            renamed_column(Stage(db, psql, tmp_path, names, {}), part)
            count = traps.sprung(db)
    said = sorted({*traps.marks(log.read_bytes()[begins:].decode(errors="replace"))}) if log else []
    assert count == {}, "\n".join(map(str, said))
