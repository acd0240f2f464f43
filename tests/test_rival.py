"""Another role that may create schemas never gets code of its own run by sessiondb, whenever it acts."""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from conftest import Cluster, Part, PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors, sql
from psycopg.pq import TransactionStatus
from test_backfill import call
from test_cli import BY_HAND, run
from test_grants import roles
from test_lock_budget import until, waits_for_table
from test_rules import World

from sessiondb import database, resources
from sessiondb.backfill import Pace, backfill
from sessiondb.connection import Connection
from sessiondb.database import Database
from sessiondb.errors import PlatformRefusedError, SessiondbError
from sessiondb.installation import installation
from sessiondb.ledger import saved_links
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import Runner

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

COMMANDS = (
    "status",
    "plan",
    "apply",
    "apply --dry-run",
    "rollback --all --yes",
    "check",
    "backfill",
    "backfill --dry-run",
    "show sessions",
    "session list",
    "org create --name A --slug a",
    "explain --user 00000000-0000-4000-8000-000000000001 --course 00000000-0000-4000-8000-000000000002",
)

TRAPPED_SCHEMA = """
    CREATE SCHEMA sessiondb;
    GRANT USAGE ON SCHEMA sessiondb TO PUBLIC;
    CREATE FUNCTION sessiondb.evil() RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user <> 'ROLE' THEN PERFORM nextval('public.fallen'); END IF;
        RETURN 'public';
    END $$;
    CREATE FUNCTION sessiondb.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM sessiondb.evil(); RETURN NEW; END $$;
    CREATE VIEW sessiondb.installation AS
        SELECT sessiondb.evil()::name AS platform_schema, NULL::text AS version, NULL::text AS course_path,
               NULL::text[] AS course_pieces, sessiondb.evil() AS search_path;
    CREATE VIEW sessiondb._yoyo_migration AS
        SELECT sessiondb.evil() AS migration_id, now()::timestamp AS applied_at_utc, ''::text AS migration_hash;
    CREATE VIEW sessiondb.objects AS SELECT sessiondb.evil() AS kind, ''::name AS parent, ''::name AS name;
    CREATE TABLE sessiondb._yoyo_version (version integer PRIMARY KEY, installed_at_utc timestamp);
    CREATE TRIGGER t BEFORE INSERT ON sessiondb._yoyo_version FOR EACH ROW EXECUTE FUNCTION sessiondb.evil_trigger();
    CREATE PROCEDURE sessiondb.begin_backfill(p_session_id uuid) LANGUAGE plpgsql AS $$
    BEGIN PERFORM sessiondb.evil(); END $$;
    CREATE PROCEDURE sessiondb.backfill(p_session_id uuid DEFAULT NULL) LANGUAGE plpgsql AS $$
    BEGIN PERFORM sessiondb.evil(); END $$;
    CREATE FUNCTION sessiondb.backfill_step(integer) RETURNS TABLE (
        table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint
    ) LANGUAGE plpgsql AS $$ BEGIN PERFORM sessiondb.evil(); END $$;
    CREATE FUNCTION sessiondb.backfill_remarks(uuid) RETURNS SETOF text LANGUAGE sql AS 'SELECT sessiondb.evil()';
    CREATE FUNCTION sessiondb.backfill_counts() RETURNS TABLE (
        table_name name, scanned bigint, linked bigint, unlinkable bigint, reasons jsonb, as_of timestamptz
    ) LANGUAGE plpgsql AS $$ BEGIN PERFORM sessiondb.evil(); END $$;
    CREATE VIEW sessiondb.backfill_progress AS
        SELECT length(sessiondb.evil()) AS linked, now() AS finished_at, sessiondb.evil() AS position;
    GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO PUBLIC;
"""


class Rival:
    """A role with CREATE on the database, which prepares schema sessiondb."""

    def __init__(self, db: PlatformDatabase, role: str) -> None:
        self.db, self.role = db, role
        with db.connect() as connection:
            connection.execute(
                "CREATE SEQUENCE IF NOT EXISTS public.fallen; GRANT ALL ON SEQUENCE public.fallen TO PUBLIC"
            )
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(db.name), sql.Identifier(role))
            )

    def prepare(self) -> bool:
        """Make the trapped schema if there is a moment for it, and return whether there was."""
        with self.db.connect() as connection:
            connection.execute(sql.SQL("SET ROLE {}; SET lock_timeout TO '50ms'").format(sql.Identifier(self.role)))
            try:
                connection.execute(TRAPPED_SCHEMA.replace("ROLE", self.role).encode())
            except (errors.LockNotAvailable, errors.DuplicateSchema, errors.UniqueViolation):
                return False
        return True

    def fallen(self) -> bool:
        """Return whether code of the rival's was run by another role."""
        with self.db.connect() as connection:
            return bool(connection.execute("SELECT is_called FROM public.fallen").fetchall()[0][0])


@contextlib.contextmanager
def acting_before(
    db: PlatformDatabase, at: int, act: Callable[[], None]
) -> Generator[tuple[Connection, list[int]], None, None]:
    """Yield a connection before whose transaction number ``at`` something is done, and a list of its transactions.

    What stops the command ends the block.
    """
    begun: list[int] = []
    is_open = threading.Event()

    class Watched(psycopg.Connection[tuple[Any, ...]]):
        def wait(self, *args: Any, **options: Any) -> Any:
            if is_open.is_set() and self.info.transaction_status == TransactionStatus.IDLE:
                begun.append(at)
                if len(begun) == at:
                    act()
            return super().wait(*args, **options)

    with contextlib.suppress(SessiondbError), replace(db.database(), opens=Watched).connect() as connection:
        is_open.set()
        yield connection, begun


@on_reference
def test_nothing_in_a_schema_sessiondb_that_another_role_prepared_is_read_or_run(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    rival = Rival(platform_db, new_role)
    assert rival.prepare()

    for command in COMMANDS:
        refused = call(platform_db, *command.split())
        assert refused.code == 5, (command, refused.err)
        assert new_role in refused.err, (command, refused.err)
        assert not rival.fallen(), command


@pytest.mark.slow
@on_reference
def test_a_schema_sessiondb_that_is_replaced_at_any_moment_of_a_backfill_is_not_read(
    new_role: str, platform_db: PlatformDatabase, part: Part
) -> None:
    """Between any two of its transactions."""
    rival = Rival(platform_db, new_role)

    def replaces() -> None:
        with platform_db.connect() as other:
            other.execute("DROP SCHEMA sessiondb CASCADE")
        assert rival.prepare()

    def moments(at: int) -> int:
        """Backfill while the rival acts before a transaction, and return how many transactions there were."""
        with platform_db.connect() as other:
            other.execute("DROP SCHEMA IF EXISTS sessiondb CASCADE")
        platform_db.apply()
        with acting_before(platform_db, at, replaces) as (connection, begun):
            backfill(connection, None, Pace(batch_rows=1), lambda _: None, lambda *_: None)
        assert not rival.fallen(), at
        return len(begun)

    all_moments = moments(-1)
    assert all_moments > 10
    for at in part(range(1, all_moments)):
        moments(at)


@pytest.mark.slow
@on_reference
def test_a_schema_sessiondb_that_is_prepared_at_any_moment_of_an_apply_is_not_taken_over(
    new_role: str, platform_db: PlatformDatabase, part: Part
) -> None:
    rival = Rival(platform_db, new_role)
    prepared: list[bool] = []

    def moments(at: int) -> int:
        """Apply while the rival acts at this moment, 0 being after the first look; return how many there were."""
        points: list[str] = []

        def acts(_: str, point: str) -> None:
            points.append(point)
            if len(points) == at:
                prepared.append(rival.prepare())

        with platform_db.database().connect() as connection:
            if at == 0:
                prepared.append(rival.prepare())
            with contextlib.suppress(PlatformRefusedError, SessiondbError, psycopg.Error):
                Runner(connection, boundary=acts).apply("0001")
        assert not rival.fallen(), points
        with platform_db.connect() as connection:
            (owner,) = connection.execute(
                "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'sessiondb'"
            ).fetchone() or ("",)
            # a rival's schema is never half ours
            if owner == new_role:
                assert (
                    connection.execute(
                        "SELECT FROM pg_class WHERE relnamespace = 'sessiondb'::regnamespace"
                        " AND relowner <> %s::regrole",
                        [new_role],
                    ).fetchall()
                    == []
                )
            connection.execute("DROP SCHEMA IF EXISTS sessiondb CASCADE")
        return len(points)

    all_moments = moments(-1)
    assert all_moments > 10
    for at in {0, 1, *part(range(2, all_moments + 1))}:
        moments(at)
    assert True in prepared


@on_reference
@pytest.mark.parametrize("command", ["apply", "rollback", "backfill"])
def test_a_schema_sessiondb_that_takes_the_place_of_ours_while_a_command_waits_is_not_read(
    new_role: str, installed_db: PlatformDatabase, command: str
) -> None:
    """Another run, which the command waits for, drops ours; it has looked at that before."""
    rival = Rival(installed_db, new_role)
    prepared: list[bool] = []
    with installed_db.connect() as other, installed_db.database().connect() as connection:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])

        def acts(line: str) -> None:
            if "waiting for another" in line:
                other.execute("DROP SCHEMA sessiondb CASCADE")
                prepared.append(rival.prepare())
                other.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])

        runner = Runner(connection, report=acts)
        runs: dict[str, Callable[[], object]] = {
            "apply": runner.apply,
            "rollback": lambda: runner.rollback(None),
            "backfill": lambda: backfill(connection, None, Pace(), acts, lambda *_: None),
        }
        with pytest.raises(PlatformRefusedError, match=new_role):
            runs[command]()
    assert prepared == [True]
    assert not rival.fallen()


@on_reference
@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_a_schema_sessiondb_that_takes_the_place_of_ours_after_a_run_is_not_read(
    new_role: str, installed_db: PlatformDatabase, command: str
) -> None:
    rival = Rival(installed_db, new_role)
    with installed_db.database().connect() as connection:
        runner = Runner(connection)
        runner.apply() if command == "apply" else runner.rollback(None)
        with installed_db.connect() as other:
            other.execute("DROP SCHEMA IF EXISTS sessiondb CASCADE")
        assert rival.prepare()
        for read in (installation, saved_links):
            with pytest.raises(PlatformRefusedError, match=new_role):
                read(connection)
    assert not rival.fallen()


@on_reference
def test_a_schema_sessiondb_that_takes_the_place_of_ours_between_two_batches_is_not_read(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    rival = Rival(installed_db, new_role)
    prepared: list[bool] = []

    def acts(*_: int) -> None:
        with installed_db.connect() as other:
            other.execute("DROP SCHEMA sessiondb CASCADE")
        prepared.append(rival.prepare())

    with installed_db.database().connect() as connection:
        with pytest.raises(SessiondbError, match="was dropped or replaced"):
            backfill(connection, None, Pace(batch_rows=1), lambda _: None, acts)
        assert connection.info.transaction_status == TransactionStatus.IDLE
    assert prepared == [True]
    assert not rival.fallen()


@on_reference
def test_a_schema_sessiondb_that_takes_the_place_of_ours_during_a_call_of_backfill_is_not_read(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """While it waits to try a batch again."""
    rival = Rival(installed_db, new_role)
    between = """
        SELECT FROM pg_stat_activity AS a
         WHERE a.pid = %s
           AND (a.wait_event = 'PgSleep'
                OR EXISTS (SELECT FROM pg_locks AS l
                            WHERE l.pid = a.pid AND NOT l.granted AND l.relation = 'sessiondb.installation'::regclass))
    """
    platform = installed_db.platform
    with installed_db.connect() as caller, installed_db.connect() as watch, ThreadPoolExecutor(1) as pool:
        org, course = platform.add_org(watch), platform.add_course(watch)
        platform.enroll(watch, platform.add_member(watch, org, platform.add_user(watch)), course)
        platform.add_session(watch, org, course)
        pid = caller.info.backend_pid
        with installed_db.connect() as other, other.transaction():
            other.execute("SELECT FROM enrollments WHERE session_id IS NULL FOR UPDATE")
            calling = pool.submit(caller.execute, "CALL sessiondb.backfill()")
            until(lambda: watch.execute("SELECT FROM pg_locks WHERE NOT granted AND pid = %s", [pid]).rowcount)
            other.execute("DROP SCHEMA sessiondb CASCADE")
            other.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(new_role)))
            other.execute(TRAPPED_SCHEMA.replace("ROLE", new_role).encode())
            until(lambda: watch.execute(between, [pid]).rowcount)
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="schema sessiondb was replaced"):
            calling.result(30)
    assert not rival.fallen()


@on_reference
def test_a_schema_sessiondb_that_takes_the_place_of_ours_while_a_command_reads_it_is_not_read(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """The command waits for a table of ours that a rollback is about to drop."""
    rival = Rival(installed_db, new_role)
    with installed_db.database().connect() as connection, ThreadPoolExecutor(1) as pool:
        with installed_db.connect() as other, other.transaction():
            other.execute("LOCK TABLE sessiondb.installation")
            reading = pool.submit(installation, connection)
            until(lambda: waits_for_table(other, "sessiondb.installation"))
            other.execute("DROP SCHEMA sessiondb CASCADE")
        assert reading.result(10) is None
        assert rival.prepare()
        with pytest.raises(PlatformRefusedError, match=new_role):
            installation(connection)
    assert not rival.fallen()


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
@pytest.mark.parametrize(
    "relation",
    [
        "TABLE public.enrollments ()",
        "VIEW public.enrollments AS SELECT",
        "SEQUENCE public.enrollments",
        "TYPE public.enrollments AS ()",
        "TABLE public.any (id uuid CONSTRAINT enrollments UNIQUE)",
    ],
)
def test_no_role_is_trusted_for_a_relation_in_a_schema_that_was_not_named(
    cluster: Cluster, new_role: str, platform_db: PlatformDatabase, relation: str
) -> None:
    """The platform is in another schema than public."""
    rival = Rival(platform_db, new_role)
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE enrollments SET SCHEMA auth")
        connection.execute(
            f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}; CREATE {relation}".encode()
        )
    database = Database(platform_db.conninfo())
    if relation.startswith(("TABLE public.enr", "VIEW")):
        with pytest.raises(SessiondbError, match="several roles"), database.connect():
            pass
    assert rival.prepare()
    if relation == "TABLE public.enrollments ()":  # as if it was installed there
        with platform_db.connect() as connection:
            connection.execute(
                f"SET ROLE {new_role}; CREATE OR REPLACE FUNCTION sessiondb.link_enrollment() RETURNS trigger"
                " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER zzz_sessiondb_link_enrollment"
                " BEFORE INSERT ON public.enrollments FOR EACH ROW EXECUTE FUNCTION sessiondb.link_enrollment()".encode()
            )

    with pytest.raises(PlatformRefusedError, match=new_role), database.connect():
        pass
    # a role can give its rights away, to one that did not ask for them
    with roles(cluster, "dba") as (dba,):
        with platform_db.connect() as connection:
            connection.execute(f"GRANT {new_role} TO {dba}".encode())
        with pytest.raises(PlatformRefusedError, match=new_role), Database(platform_db.conninfo(dba)).connect():
            pass
    assert not rival.fallen()


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_no_role_is_trusted_for_a_table_that_has_the_name_for_moments(
    new_role: str, platform_db: PlatformDatabase, is_there: bool
) -> None:
    """For every other statement of the command."""
    rival = Rival(platform_db, new_role)
    assert rival.prepare()
    names = {False: "a", True: "enrollments"}
    with platform_db.connect() as other:
        other.execute("ALTER TABLE enrollments SET SCHEMA auth")
        other.execute(f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}".encode())
        other.execute(f"CREATE TABLE public.{names[is_there]} ()".encode())
        states = itertools.cycle([is_there, not is_there])

        class Renaming(psycopg.Connection[tuple[Any, ...]]):
            def execute(self, *args: Any, **options: Any) -> Any:
                now = next(states)
                other.execute(f"ALTER TABLE public.{names[now]} RENAME TO {names[not now]}".encode())
                return super().execute(*args, **options)

        database = replace(Database(platform_db.conninfo()), opens=Renaming)
        with pytest.raises(PlatformRefusedError, match=new_role), database.connect():
            pass
        assert not rival.fallen()


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_no_fix_takes_its_own_schema_from_the_owner_of_an_installation(platform_db: PlatformDatabase) -> None:
    """Who is not trusted in another schema."""
    assert run("-d", platform_db.conninfo("hosted_owner"), "apply").code == 0

    refused = run("-d", platform_db.conninfo(), "--schema", "auth", "status")

    assert (refused.code, " of role hosted_owner" in refused.err) == (5, True)
    assert "REVOKE" not in refused.err


@on_reference
def test_a_view_that_hides_a_table_while_a_backfill_waits_for_it_is_not_read(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """In a schema that is named like the role that runs it, and so comes first in its search_path."""
    Rival(installed_db, new_role)
    with (
        installed_db.connect() as connection,
        installed_db.connect() as rival,
        installed_db.connect(autocommit=False) as other,
        ThreadPoolExecutor() as pool,
    ):
        user = connection.info.user
        other.execute("LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE")
        batch = pool.submit(
            connection.execute,
            "SELECT * FROM sessiondb.link_batch('submissions', 'public.submissions', '(0,0)', '(100,0)', NULL, 'link')",
        )
        waits = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
        while rival.execute(waits, [connection.info.backend_pid]).rowcount == 0:
            time.sleep(0.01)
        rival.execute(
            sql.SQL(
                """
                SET ROLE {role};
                CREATE SCHEMA {user};
                CREATE FUNCTION {user}.evil() RETURNS uuid LANGUAGE plpgsql AS $$
                BEGIN PERFORM nextval('public.fallen'); RETURN NULL; END $$;
                CREATE VIEW {user}.submissions AS
                    SELECT '(0,1)'::tid AS ctid, {user}.evil() AS user_id,
                           NULL::uuid AS exercise_id, NULL::uuid AS session_id;
                GRANT ALL ON SCHEMA {user} TO PUBLIC;
                GRANT ALL ON {user}.submissions TO PUBLIC
                """
            ).format(role=sql.Identifier(new_role), user=sql.Identifier(user))
        )
        other.commit()

        assert batch.result(timeout=30).fetchall()[0][0] == 3
        assert rival.execute("SELECT is_called FROM public.fallen").fetchall() == [(False,)]


@on_reference
def test_the_triggers_use_nothing_that_another_role_left_in_schema_sessiondb(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """A table of saved links, and functions that fit a domain of the platform better than ours."""
    platform = platform_db.platform
    with platform_db.connect() as connection:
        connection.execute("CREATE DOMAIN person AS uuid; ALTER TABLE enrollments ALTER user_id TYPE person")
        platform_db.apply()
        world = World(platform, connection)
        org, theirs, course = world.org(), world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        strange = world.session(theirs, course)
        connection.execute(
            sql.SQL(
                "GRANT USAGE, CREATE ON SCHEMA sessiondb TO {0}; GRANT USAGE ON SCHEMA {2} TO {0};"
                "GRANT SELECT ON {1} TO {0}; SET ROLE {0}"
            ).format(
                sql.Identifier(new_role),
                sql.Identifier(platform.schema, "enrollments"),
                sql.Identifier(platform.schema),
            )
        )
        for name, types in (
            ("find_session", "person, uuid"),
            ("find_enrolled_session", "person, uuid"),
        ):
            of = types.replace("person", sql.Identifier(platform.schema, "person").as_string())
            connection.execute(
                f"CREATE FUNCTION sessiondb.{name}({of}) RETURNS uuid LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'".encode()
            )
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION sessiondb.fallen() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END';"
                "CREATE TABLE sessiondb.saved_links_of_enrollments AS SELECT id, user_id, course_id, {}::uuid AS session_id FROM {};"
                "ALTER TABLE sessiondb.saved_links_of_enrollments ADD PRIMARY KEY (id), ENABLE ROW LEVEL SECURITY;"
                "GRANT ALL ON sessiondb.saved_links_of_enrollments TO PUBLIC;"
                "CREATE POLICY fallen ON sessiondb.saved_links_of_enrollments USING (sessiondb.fallen()); RESET ROLE"
            ).format(sql.Literal(strange), sql.Identifier(platform.schema, "enrollments"))
        )
        assert world.write("enrollments", student, course) == session
        with pytest.raises(errors.CheckViolation):
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", "enrollments", strange, student)
        connection.execute(
            sql.SQL(
                "DROP POLICY fallen ON sessiondb.saved_links_of_enrollments; DELETE FROM sessiondb.saved_links_of_enrollments;"
                "INSERT INTO sessiondb.saved_links_of_enrollments SELECT id, user_id, course_id, {} FROM {}"
            ).format(sql.Literal(strange), sql.Identifier(platform.schema, "enrollments"))
        )
        with pytest.raises(errors.CheckViolation):
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", "enrollments", strange, student)
        assert world.stored("enrollments", student) == [session]


@pytest.mark.parametrize("how", ["open", "a trigger", "in an ANALYZE of a superuser"])
@on_reference
def test_what_another_role_has_not_committed_in_schema_sessiondb_is_waited_for(
    new_role: str, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It could commit at any moment of a rollback, though its rights are revoked."""
    monkeypatch.setattr(database, "_PATIENCE", "200ms")
    analyzes = "ANALYZE" in how
    with installed_db.connect() as connection, installed_db.connect(None if analyzes else new_role) as rival:
        connection.execute(
            sql.SQL(
                "GRANT USAGE, CREATE ON SCHEMA sessiondb TO {0}; GRANT TRIGGER ON sessiondb.objects TO {0};"
                "CREATE SCHEMA {0} AUTHORIZATION {0}"
            ).format(sql.Identifier(new_role))
        )
        function = sql.SQL(
            "CREATE FUNCTION {}.evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'"
        )
        rival.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(new_role)))
        rival.execute(function.format(sql.Identifier(new_role)))
        create = "CREATE VIEW sessiondb.saved_links_of_enrollments AS SELECT 1"
        if analyzes:
            rival.execute(
                sql.SQL(
                    """
                    CREATE TABLE {role}.t (i int);
                    INSERT INTO {role}.t VALUES (1);
                    CREATE FUNCTION {role}.acts() RETURNS void LANGUAGE plpgsql AS $$
                    BEGIN
                        IF current_setting('test.acts', true) = 'on' THEN
                            EXECUTE {create};
                            PERFORM pg_advisory_xact_lock({key});  -- as if it were a run of sessiondb
                        END IF;
                    END $$;
                    CREATE FUNCTION {role}.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
                    BEGIN PERFORM {role}.acts(); RETURN $1; END $$;
                    CREATE INDEX ON {role}.t ({role}.f(i)); RESET ROLE; SET test.acts TO 'on'
                    """
                ).format(role=sql.Identifier(new_role), create=sql.Literal(create), key=ADVISORY_KEY)
            )
        rival.execute("BEGIN")
        if analyzes:
            rival.execute(sql.SQL("ANALYZE {}.t").format(sql.Identifier(new_role)))
        elif how == "open":
            rival.execute(create.encode())
        else:
            trigger = (
                "CREATE TRIGGER t BEFORE DELETE ON sessiondb.objects FOR EACH STATEMENT EXECUTE FUNCTION {}.evil()"
            )
            rival.execute(sql.SQL(trigger).format(sql.Identifier(new_role)))
        connection.execute(
            sql.SQL("REVOKE ALL ON SCHEMA sessiondb FROM {0}; REVOKE ALL ON sessiondb.objects FROM {0}").format(
                sql.Identifier(new_role)
            )
        )
        for command in (["status"], ["backfill"], ["rollback", "--all", "--yes", "--lock-budget", "1"]):
            waited = call(installed_db, *command)
            assert (waited.code, "n the way: pid" in waited.err) == (6, True), waited.err
        with pytest.raises(errors.LockNotAvailable, match="In the way: pid"):
            connection.execute("SET lock_timeout TO '200ms'; CALL sessiondb.begin_backfill(NULL)")
        rival.execute("COMMIT")
        refused = call(installed_db, "rollback", "--all", "--yes")
        assert (refused.code, "fallen" in refused.err) == (5, False), refused.err


@pytest.mark.parametrize(
    ("granted", "fix"),
    [
        ("CREATE ON SCHEMA sessiondb", "CREATE ON SCHEMA sessiondb"),
        ("ALL ON sessiondb.objects, sessiondb.installation", "REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA sessiondb"),
        ("TRIGGER ON sessiondb.backfill_progress", "TRIGGER ON ALL TABLES IN SCHEMA sessiondb"),
        ("REFERENCES (kind) ON sessiondb.objects", "REFERENCES ON ALL TABLES IN SCHEMA sessiondb"),
    ],
)
@on_reference
def test_what_another_role_may_make_in_schema_sessiondb_is_refused_with_the_statement_that_fixes_it(
    new_role: str, installed_db: PlatformDatabase, granted: str, fix: str
) -> None:
    """Also a trigger or a foreign key: it could make one while a command waits for a lock."""
    with installed_db.connect() as connection:
        connection.execute(f"GRANT {granted} TO {new_role} WITH GRANT OPTION".encode())
        refused = call(installed_db, "status")
        assert refused.code == 5
        statement = f"REVOKE {fix} FROM {new_role} CASCADE"
        assert statement in " ".join(refused.err.split())
        connection.execute(statement.encode())
        assert call(installed_db, "status").code == 0
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="is open to roles"):
            connection.execute(f"GRANT {granted} TO {new_role}; CALL sessiondb.begin_backfill(NULL)".encode())


@on_reference
def test_the_statement_that_fixes_it_quotes_the_name_of_the_role(
    cluster: Cluster, installed_db: PlatformDatabase
) -> None:
    role = f'{cluster.prefix} "odd"; role'
    cluster.execute("CREATE ROLE {}", role)
    try:
        with installed_db.connect() as connection:
            connection.execute(sql.SQL("GRANT CREATE ON SCHEMA sessiondb TO {}").format(sql.Identifier(role)))
            (fix,) = re.findall(r"fix: (REVOKE .*)", call(installed_db, "status").err)
            connection.execute(fix.encode())
        assert call(installed_db, "status").code == 0
    finally:
        with installed_db.connect() as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        cluster.execute("DROP ROLE {}", role)


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize(
    "thing",
    [
        "CREATE TABLE sessiondb.t ()",
        "CREATE FUNCTION sessiondb.find_session(uuid, text) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        # a rollback would put it in the place of the platform's
        "CREATE FUNCTION sessiondb.replaced_get_user_session_for_course(uuid, uuid) RETURNS uuid LANGUAGE sql AS 'SELECT $1'",
        "CREATE TYPE sessiondb.t AS ENUM ()",
        "CREATE FUNCTION sessiondb.eq(uuid, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        "CREATE OPERATOR sessiondb.= (LEFTARG = uuid, RIGHTARG = text, FUNCTION = sessiondb.eq)",
        "CREATE VIEW sessiondb.v AS SELECT 1",
        "CREATE EXTENSION citext SCHEMA sessiondb",
        "CREATE TEXT SEARCH CONFIGURATION sessiondb.t (COPY = simple)",
        "CREATE SCHEMA own; CREATE FUNCTION own.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE UPDATE ON sessiondb.backfill_progress FOR EACH ROW EXECUTE FUNCTION own.f()",
        # no function of that role
        "CREATE TRIGGER t BEFORE UPDATE ON sessiondb.backfill_progress FOR EACH ROW WHEN (set_config('x.y', '', true) IS NULL)"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        # before PostgreSQL 18 its triggers run with the rights of the role that deletes a row of ours
        "CREATE SCHEMA own; CREATE TABLE own.t (turn bigint REFERENCES sessiondb.backfill_progress ON DELETE CASCADE)",
    ],
)
def test_a_thing_of_another_role_in_schema_sessiondb_is_refused_by_every_command(
    new_role: str, installed_db: PlatformDatabase, thing: str
) -> None:
    role = sql.Identifier(new_role)
    Rival(installed_db, new_role)
    with installed_db.connect() as connection:
        if (
            "citext" in thing
            and not connection.execute("SELECT FROM pg_available_extensions WHERE name = 'citext'").rowcount
        ):
            pytest.skip("this server has no extension citext")
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA sessiondb TO {}").format(role))
        connection.execute(sql.SQL("GRANT TRIGGER, REFERENCES ON sessiondb.backfill_progress TO {}").format(role))
        connection.execute(sql.SQL("SET ROLE {}").format(role))
        connection.execute(thing.encode())
        connection.execute("RESET ROLE")
        connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA sessiondb FROM {}").format(role))
        connection.execute(sql.SQL("REVOKE TRIGGER, REFERENCES ON sessiondb.backfill_progress FROM {}").format(role))
    for command in COMMANDS:
        refused = call(installed_db, *command.split())
        said = "trigger t on sessiondb.backfill_progress of role unknown" if "set_config" in thing else new_role
        assert (refused.code, said in refused.err) == (5, True), (command, refused.err)
        assert ("DROP EXTENSION citext" in refused.err) == ("citext" in thing), refused.err
    with installed_db.connect() as connection:
        for statement in BY_HAND:
            with pytest.raises(
                errors.ObjectNotInPrerequisiteState, match="unknown" if "set_config" in thing else new_role
            ):
                connection.execute(statement.encode())


@on_reference
def test_five_things_of_another_role_are_named_without_the_types_that_come_with_tables(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"GRANT USAGE, CREATE ON SCHEMA sessiondb TO {new_role}; SET ROLE {new_role}".encode())
        for number in range(7):
            connection.execute(f"CREATE TABLE sessiondb.t{number} ()".encode())
        connection.execute(f"RESET ROLE; REVOKE CREATE ON SCHEMA sessiondb FROM {new_role}".encode())
    named = ", ".join(f"table sessiondb.t{number} of role {new_role}" for number in range(5))
    assert f"not all of it belongs to a role that is trusted: {named}, and 2 more." in call(installed_db, "status").err


@on_reference
def test_a_foreign_key_to_a_table_of_schema_sessiondb_is_refused_whoever_owns_it_by_now(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """Another role may have created it, with triggers on its table, before it was given to a trusted one."""
    with installed_db.connect() as connection:
        for statement in (
            "CREATE SCHEMA own AUTHORIZATION {0}; GRANT REFERENCES ON sessiondb.backfill_progress TO {0}",
            "GRANT USAGE ON SCHEMA sessiondb TO {0}; SET ROLE {0}",
            "CREATE TABLE own.t (turn bigint REFERENCES sessiondb.backfill_progress ON DELETE CASCADE); RESET ROLE",
            "REVOKE REFERENCES ON sessiondb.backfill_progress FROM {0}; REASSIGN OWNED BY {0} TO CURRENT_USER",
        ):
            connection.execute(sql.SQL(statement).format(sql.Identifier(new_role)))
    refused = call(installed_db, "backfill")
    assert (refused.code, "table constraint t_turn_fkey on own.t of role unknown" in refused.err) == (5, True)


@on_reference
def test_a_thing_of_a_predefined_role_in_schema_sessiondb_is_refused(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """Any of its members may have created it; PostgreSQL does not record such an owner in pg_shdepend."""
    with installed_db.connect() as connection:
        connection.execute(
            f"GRANT pg_monitor TO {new_role}; GRANT USAGE, CREATE ON SCHEMA sessiondb TO PUBLIC".encode()
        )
        connection.execute(f"SET ROLE {new_role}; SET ROLE pg_monitor".encode())
        connection.execute(
            "CREATE PROCEDURE sessiondb.lock_tables(text, text) LANGUAGE plpgsql AS 'BEGIN RAISE ''run''; END'"
        )
        connection.execute("RESET ROLE; REVOKE ALL ON SCHEMA sessiondb FROM PUBLIC")
        for command in ("status", "rollback --all --yes", "backfill"):
            refused = call(installed_db, *command.split())
            assert (refused.code, "of role pg_monitor" in refused.err) == (5, True), (command, refused.err)
        connection.execute("DROP PROCEDURE sessiondb.lock_tables(text, text)")
    assert call(installed_db, "status").code == 0


@on_reference
def test_what_only_names_the_schema_stops_no_command(new_role: str, installed_db: PlatformDatabase) -> None:
    """Any role may make such things; default privileges concern only what that role creates there."""
    with installed_db.connect() as connection:
        connection.execute(f"SET ROLE {new_role}".encode())
        connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA sessiondb GRANT SELECT ON TABLES TO PUBLIC")
        connection.execute("CREATE FUNCTION pg_temp.f() RETURNS regnamespace RETURN 'sessiondb'::regnamespace")
        assert call(installed_db, "status").code == 0
        connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA sessiondb REVOKE SELECT ON TABLES FROM PUBLIC")


@on_reference
def test_a_schema_sessiondb_that_takes_the_place_of_ours_after_a_command_has_looked_is_not_read(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """Where a rollback ends in the middle of the command, or the command is that rollback."""
    rival = Rival(installed_db, new_role)
    with installed_db.connect() as other, installed_db.database().connect() as connection:
        assert installation(connection)
        other.execute("DROP SCHEMA sessiondb CASCADE")
        assert rival.prepare()
        for read in (installation, saved_links):
            with pytest.raises(PlatformRefusedError, match=new_role):
                read(connection)
        other.execute("DROP SCHEMA sessiondb CASCADE")
        assert installation(connection) is None
    assert not rival.fallen()


@on_reference
def test_a_command_that_only_reads_sees_in_its_snapshot_that_the_schema_is_another_one_now(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    rival = Rival(installed_db, new_role)

    def read() -> object:
        with installed_db.database().transaction(read_only=True) as connection:
            return installation(connection)

    with installed_db.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("LOCK TABLE sessiondb.installation")
            reading = pool.submit(read)
            until(lambda: waits_for_table(other, "sessiondb.installation"))
            other.execute("DROP SCHEMA sessiondb CASCADE")
            other.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(new_role)))
            other.execute(TRAPPED_SCHEMA.replace("ROLE", new_role).encode())
        assert reading.result(10) is None
    assert not rival.fallen()


@on_reference
def test_no_other_role_replaces_schema_sessiondb_until_a_transaction_that_has_read_it_ends(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    rival = Rival(installed_db, new_role)
    with installed_db.connect() as other, installed_db.database().transaction(read_only=True) as connection:
        other.execute("SET lock_timeout TO '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            other.execute("DROP SCHEMA sessiondb CASCADE")
        assert not rival.prepare()
        assert installation(connection)


@on_reference
def test_a_schema_that_is_made_after_the_first_look_does_not_show_who_owns_the_tables(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """She would be the owner whom apply measures the other tables by, and whose functions it trusts."""
    rival = Rival(platform_db, new_role)
    owner = resources.query("queries/right_owner", "'public'::regnamespace")
    with platform_db.database().connect() as connection:
        ((before,),) = connection.execute(f"SELECT ({owner})".encode()).fetchall()
        assert rival.prepare()
        with platform_db.connect() as other:
            other.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(new_role)))
            other.execute("CREATE TABLE sessiondb.mine (id int)")
            other.execute(
                "CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON sessiondb.mine"
                " FOR EACH ROW EXECUTE FUNCTION sessiondb.evil_trigger()"
            )
        ((after,),) = connection.execute(f"SELECT ({owner})".encode()).fetchall()

    assert before is not None
    assert after == before


@on_reference
def test_functions_of_another_role_do_not_complete_an_installation(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    assert call(platform_db, "apply", "--to", "0008").code == 0
    with platform_db.connect() as connection:
        role = sql.Identifier(new_role)
        connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}; SET ROLE {}").format(role, role, role))
        for name in resources.names("functions"):
            connection.execute(
                sql.SQL("CREATE FUNCTION {}.{}() RETURNS void LANGUAGE sql AS ''").format(role, sql.Identifier(name))
            )

    refused = call(platform_db, "org", "create", "--name", "A", "--slug", "a")

    assert (refused.code, "only partly installed" in refused.err) == (1, True), refused.err


@on_reference
def test_a_role_that_connects_after_a_transaction_has_looked_at_the_sessions_is_seen(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """PostgreSQL shows the sessions as they were when the transaction looked first."""
    with installed_db.connect(autocommit=False) as caller, installed_db.connect() as connection:
        caller.execute("SET lock_timeout TO '50ms'; SELECT FROM pg_stat_activity")
        role = sql.Identifier(new_role)
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA sessiondb TO {}").format(role))
        with installed_db.connect(new_role, autocommit=False) as rival:
            rival.execute("CREATE TABLE sessiondb.mine ()")
            connection.execute(sql.SQL("REVOKE ALL ON SCHEMA sessiondb FROM {}").format(role))
            with pytest.raises(errors.LockNotAvailable, match="In the way: pid"):
                caller.execute("CALL sessiondb.begin_backfill(NULL)")
            rival.rollback()
