"""Another role that acts at one moment of a command, or at every moment, never gets code of its own run."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import Part, PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors, sql
from test_backfill import call
from test_cli import run
from test_lock_budget import until
from test_plan import by_psql, psql, script_for
from test_rival import TRAPPED_SCHEMA, Rival, acting_before, on_reference

from sessiondb import ledger, migrate, queries
from sessiondb.connection import Connection
from sessiondb.errors import PlatformRefusedError, SessiondbError
from sessiondb.installation import Installation
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import Runner, expanded
from sessiondb.steps import Query, Statement

__all__ = ["psql"]  # a fixture


@on_reference
def test_a_function_that_another_role_drops_before_it_is_set_aside_is_not_created_by_a_rollback(
    new_role: str, platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apply has read its definition by then, and a rollback runs what was saved, as the role that rolls back."""
    made: list[str] = []
    with platform_db.connect() as rival, platform_db.database().connect() as connection:
        role = sql.Identifier(new_role)
        rival.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}; SET ROLE {}").format(role, role))

        def creates(migration: str, point: str) -> None:
            if migration.startswith("0007.") and not made:
                made.append(point)
                rival.execute(
                    "CREATE FUNCTION public.get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid"
                    " LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN gen_random_uuid(); END'"
                )

        def drops(connection: Connection, query: Query) -> list[Statement]:
            if query.name == "set_aside_function":
                rival.execute("DROP FUNCTION IF EXISTS public.get_user_session_for_course(uuid, uuid)")
            return expanded(connection, query)

        monkeypatch.setattr(migrate, "expanded", drops)
        Runner(connection, boundary=creates).apply()
    assert "INSERT INTO sessiondb.objects" in made[0]

    platform_db.rollback()

    with platform_db.connect() as connection:
        assert connection.execute("SELECT FROM pg_proc WHERE proname = 'get_user_session_for_course'").rowcount == 0


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
@pytest.mark.parametrize("way", ["apply", "script"])
def test_a_schema_in_the_search_path_that_is_dropped_while_apply_waits_is_refused(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path, way: str
) -> None:
    """Any role could create it again, and the trigger functions would look there."""
    with platform_db.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(sql.SQL("CREATE SCHEMA hosted_owner AUTHORIZATION {}").format(sql.Identifier(new_role)))
        other.execute("GRANT USAGE ON SCHEMA hosted_owner TO PUBLIC")
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])

        def acts() -> None:
            other.execute("DROP SCHEMA hosted_owner")
            other.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])

        if way == "script":
            running = pool.submit(by_psql, psql, platform_db, script_for(platform_db), tmp_path)
            waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DO $lock$%'"
            until(lambda: other.execute(waits).rowcount > 0)
            acts()
            refused = running.result(30).err
        else:
            with platform_db.database().connect() as connection:
                runner = Runner(connection, report=lambda line: acts() if "waiting for another" in line else None)
                with pytest.raises(PlatformRefusedError) as error:
                    runner.apply()
            refused = str(error.value)
        assert "hosted_owner" in refused
        assert "was dropped meanwhile" in refused
        assert other.execute("SELECT FROM pg_namespace WHERE nspname = 'sessiondb'").rowcount == 0


@on_reference
@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["", "dry-run"])
def test_no_other_role_replaces_what_a_backfill_looks_a_name_up_with(
    new_role: str, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """Where a rollback would end after the command has looked whose schema sessiondb is."""
    rival = Rival(installed_db, new_role)
    platform = installed_db.platform
    replaced: list[bool] = []
    look = queries.require_installed

    def acts(connection: Connection) -> Installation:
        there = look(connection)
        with installed_db.connect() as other:
            other.execute("SET lock_timeout TO '50ms'")
            try:
                other.execute("DROP SCHEMA sessiondb CASCADE")
            except errors.LockNotAvailable:
                replaced.append(False)
            else:
                replaced.append(rival.prepare())
                other.execute(
                    "CREATE FUNCTION sessiondb.find_named(text, text, OUT id uuid, OUT name text, OUT found_by text)"
                    " RETURNS SETOF record LANGUAGE sql AS 'SELECT NULL::uuid, sessiondb.evil(), NULL'"
                )
        return there

    with installed_db.connect() as connection:
        platform.add_session(connection, platform.add_org(connection), platform.add_course(connection))
    monkeypatch.setattr(queries, "require_installed", acts)

    run = call(installed_db, "backfill", "--session", "A session", *options)

    assert (run.code, {*replaced}) == (0, {False}), run.err
    assert not rival.fallen()


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_what_another_role_commits_after_the_snapshot_of_a_command_that_only_reads_is_not_read(
    new_role: str, installed_db: PlatformDatabase, isolation: str
) -> None:
    """It was made while that role could, and is committed before any one of the statements; whatever the database sets."""
    role = sql.Identifier(new_role)
    with installed_db.connect() as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_isolation TO {}").format(
                sql.Identifier(installed_db.name), sql.Literal(isolation)
            )
        )
        connection.execute("DROP TABLE sessiondb.migration_content")  # which is then left out
    at = sent = 0

    class Watched(psycopg.Connection[tuple[Any, ...]]):
        def execute(self, *args: Any, **options: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == at:
                maker.commit()
            return super().execute(*args, **options)

    while sent >= at:
        at, sent = at + 1, 0
        with installed_db.connect() as connection, installed_db.connect(new_role, autocommit=False) as maker:
            connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA sessiondb TO {}").format(role))
            maker.execute(
                "CREATE FUNCTION sessiondb.evil() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END';"
                "CREATE VIEW sessiondb.migration_content AS SELECT sessiondb.evil() AS migration_id, '' AS sha256;"
                "GRANT SELECT ON sessiondb.migration_content TO PUBLIC"
            )
            connection.execute(sql.SQL("REVOKE ALL ON SCHEMA sessiondb FROM {}").format(role))
            refused = ""
            try:
                with replace(installed_db.database(), opens=Watched).transaction(read_only=True) as reader:
                    ledger.applied(reader)
            except SessiondbError as error:
                refused = str(error)
            assert "fallen" not in refused, at
            maker.rollback()
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
    assert at > 5


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize(
    "command",
    [
        "check",
        "org create --name A --slug a",
        "show submissions --unlinked",
        "explain --user 00000000-0000-4000-8000-000000000001 --course 00000000-0000-4000-8000-000000000002",
        "backfill",
        "trainer",
    ],
)
def test_no_function_that_another_role_commits_at_any_moment_is_run_in_the_place_of_one_that_is_missing(
    new_role: str, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Before PostgreSQL 18, nothing shows that a role is creating a function."""
    role = sql.Identifier(new_role)
    of_functions = REPLACED.partition("UNION ALL")[0].replace("%%", "%").replace("PERFORM sessiondb.evil(); ", "")
    with installed_db.connect() as connection:
        made = {statement for (statement,) in connection.execute(of_functions.encode()).fetchall()}
        installed_db.rollback(to="0008")
        made -= {statement for (statement,) in connection.execute(of_functions.encode()).fetchall()}
    assert len(made) > 30
    at = sent = 0
    execute = psycopg.Connection.execute

    def acts(self: Connection, *args: Any, **options: Any) -> Any:
        nonlocal sent
        if self.info.parameter_status("application_name") == "sessiondb":
            sent += 1
            if sent == at:
                maker.commit()
        return execute(self, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", acts)
    while sent >= at:
        at, sent = at + 1, 0
        with installed_db.connect() as connection, installed_db.connect(new_role, autocommit=False) as maker:
            connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA sessiondb TO {}").format(role))
            for statement in made:
                maker.execute(statement.encode())
            connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA sessiondb FROM {}").format(role))
            ended = call(installed_db, *command.split())
            assert ended.code != 0, at
            assert "fallen" not in ended.err, at
            maker.rollback()
            connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
    assert at > 5


# a view or table, or a routine, of the rival for each of ours, with the same columns or arguments
REPLACED = """
SELECT format('CREATE %%s sessiondb.%%I(%%s) %%s LANGUAGE plpgsql AS %%L', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
              p.proname, pg_get_function_arguments(p.oid), 'RETURNS ' || pg_get_function_result(p.oid),
              'BEGIN PERFORM sessiondb.evil(); RAISE EXCEPTION ''fallen''; END')
  FROM pg_proc AS p
 WHERE p.pronamespace = 'sessiondb'::regnamespace
UNION ALL
SELECT CASE WHEN %s THEN
           format('CREATE VIEW sessiondb.%%I AS SELECT %%s WHERE sessiondb.evil() IS NOT NULL', c.relname, string_agg(
                  format('NULL::%%s AS %%I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' ORDER BY a.attnum))
       ELSE
           format('CREATE TABLE sessiondb.%%I (%%s, %%s); CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON sessiondb.%%1$I'
                  ' EXECUTE FUNCTION sessiondb.evil_trigger()', c.relname, string_agg(
                  format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum),
                  (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p'))
       END
  FROM pg_class AS c
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind = 'r'
 GROUP BY c.oid
"""


def replace_schema(db: PlatformDatabase, role: str, theirs: list[str]) -> None:
    """Drop schema sessiondb, and have the role create one."""
    with db.connect() as other:
        other.execute("DROP SCHEMA IF EXISTS sessiondb CASCADE")
        other.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        other.execute(TRAPPED_SCHEMA.partition("CREATE VIEW sessiondb.installation")[0].replace("ROLE", role).encode())
        for statement in theirs:
            other.execute(statement.encode())
        other.execute("GRANT ALL ON ALL TABLES IN SCHEMA sessiondb TO PUBLIC")


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize("command", ["first apply", "apply", "rollback"])
def test_a_schema_sessiondb_that_is_replaced_at_any_moment_of_an_apply_or_a_rollback_is_not_read(
    new_role: str, platform_db: PlatformDatabase, part: Part, command: str
) -> None:
    """Between any two of its transactions."""
    rival = Rival(platform_db, new_role)
    platform_db.apply()
    with platform_db.connect() as connection:
        theirs = [statement for (statement,) in connection.execute(REPLACED, [command != "first apply"])]

    def moments(at: int) -> int:
        """Run the command while the rival acts before a transaction, and return how many transactions there were."""
        with platform_db.connect() as other:
            other.execute("DROP SCHEMA IF EXISTS sessiondb CASCADE")
        platform_db.apply()
        if command != "rollback":
            platform_db.rollback("0003" if command == "apply" else None)
        with acting_before(platform_db, at, lambda: replace_schema(platform_db, new_role, theirs)) as (
            connection,
            begun,
        ):
            Runner(connection).rollback(None) if command == "rollback" else Runner(connection).apply()
        assert not rival.fallen(), at
        return len(begun)

    all_moments = moments(-1)
    assert all_moments > 100
    for at in part(range(1, all_moments, 2)):
        moments(at)


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize(
    ("place", "relation"),
    [
        ("\\set sessiondb_is_installed false", "view"),
        ("\\echo checking 0002.add-enrollments-session_id", "table"),
        ("\\echo checking 0005.create-indexes", "table"),
        ("\\echo checking 0009.create-backfill_progress", "table"),
        ("\\echo checking functions and triggers", "table"),
    ],
)
def test_a_schema_sessiondb_that_is_replaced_while_the_script_runs_is_not_read(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path, place: str, relation: str
) -> None:
    rival = Rival(platform_db, new_role)
    platform_db.apply()
    script = script_for(platform_db)
    assert script.count(f"{place}\n") == 1
    script = script.replace(f"{place}\n", f"SELECT pg_advisory_lock_shared(7) \\g /dev/null\n{place}\n")
    with platform_db.connect() as other, ThreadPoolExecutor(1) as pool:
        theirs = [statement for (statement,) in other.execute(REPLACED, [relation == "view"])]
        other.execute("SELECT pg_advisory_lock(7)")
        running = pool.submit(by_psql, psql, platform_db, script, tmp_path)
        waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
        until(lambda: running.done() or other.execute(waits).rowcount)
        assert not running.done(), running.result()
        replace_schema(platform_db, new_role, theirs)
        other.execute("SELECT pg_advisory_unlock(7)")
        done = running.result()
    assert done.code == 3
    assert not rival.fallen(), done


RENAME_TO_AND_FRO = """
DO $$
BEGIN
    LOOP
        BEGIN
            ALTER SCHEMA prepared RENAME TO sessiondb;
        EXCEPTION WHEN duplicate_schema OR unique_violation THEN
            NULL;
        END;
        COMMIT;
        PERFORM pg_sleep(0.002 * random());
        BEGIN
            ALTER SCHEMA sessiondb RENAME TO prepared;
        EXCEPTION WHEN insufficient_privilege OR invalid_schema_name OR duplicate_schema THEN
            NULL;
        END;
        COMMIT;
        PERFORM pg_sleep(0.002 * random());
    END LOOP;
END $$
"""


@pytest.mark.slow
@on_reference
def test_a_schema_sessiondb_that_is_renamed_to_and_fro_is_not_read(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    """There for one statement of a command, gone for the next, and there again."""
    rival = Rival(platform_db, new_role)
    prepared = TRAPPED_SCHEMA.replace("ROLE", new_role).replace("PERFORM sessiondb.evil()", "PERFORM nextval('fallen')")
    scripts = [script_for(platform_db), script_for(platform_db, "--single-transaction")]
    with platform_db.connect() as admin, platform_db.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(new_role)))
        other.execute(prepared.replace("sessiondb", "prepared").encode())
        other.execute("CREATE TABLE prepared.migration_content (migration_id text, sha256 text)")
        renaming = pool.submit(other.execute, RENAME_TO_AND_FRO)

        def repeat(seconds: float, *commands: Callable[[], tuple[int, str]]) -> set[int]:
            """Run commands in turn, and return their exit codes."""
            codes: set[int] = set()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for command in commands:
                    code, err = command()
                    codes.add(code)
                    assert not rival.fallen(), err
                    assert "nextval" not in err  # which a transaction that only reads refuses
            return codes

        def of(command: str) -> Callable[[], tuple[int, str]]:
            def run() -> tuple[int, str]:
                done = call(platform_db, *command.split())
                return done.code, done.err

            return run

        def by(script: str) -> Callable[[], tuple[int, str]]:
            def run() -> tuple[int, str]:
                done = by_psql(psql, platform_db, script, tmp_path)
                return done.code, done.err

            return run

        try:
            assert repeat(2, of("status")) == {0, 5}
            assert repeat(2, of("apply --to 0001"), of("rollback --all --yes")) <= {0, 1, 5}
            # so that no apply ends this by a success
            admin.execute("ALTER TABLE orgs RENAME TO organisations")
            assert repeat(2, of("apply")) == {5}
            assert repeat(2, of("org create --name A --slug a")) == {1, 5}
            assert repeat(4, *map(by, scripts)) == {0, 3}  # psql goes on after an error of the one statement
        finally:
            other.cancel()
            with pytest.raises(errors.QueryCanceled):
                renaming.result(10)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["apply", "plan --sql", "plan --sql --single-transaction", "backfill", "CALL"])
@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_schema_with_the_name_of_the_role_that_another_one_creates_meanwhile_is_not_searched(
    new_role: str, platform_db: PlatformDatabase, psql: str, tmp_path: Path, command: str
) -> None:
    """``"$user"`` would mean it from then on, before schema public."""
    with platform_db.connect() as connection:
        for statement in (
            "CREATE FUNCTION public.look() RETURNS void LANGUAGE sql AS ''",
            "CREATE FUNCTION public.looks() RETURNS void LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock_shared(7); PERFORM look(); END'",
            "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM public.looks(); RETURN NEW; END'",
            "CREATE FUNCTION public.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM public.looks(); END'",
            "GRANT CREATE ON DATABASE {database} TO {role}",
        ):
            connection.execute(
                sql.SQL(statement).format(database=sql.Identifier(platform_db.name), role=sql.Identifier(new_role))
            )
        if command in ("backfill", "CALL"):
            platform_db.apply()
            connection.execute(
                "UPDATE sessions SET status = 'active', org_id = '00000000-0000-4000-8000-0000000000a1';"
                "CREATE TRIGGER note BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION public.note()"
            )
        else:
            connection.execute("CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION public.note_ddl()")

    def runs() -> tuple[int, str]:
        if command == "CALL":
            with platform_db.connect("hosted_owner") as connection:
                connection.execute("CALL sessiondb.backfill()")
            return 0, ""
        if command.startswith("plan"):
            script = script_for(platform_db, *command.split()[2:])
            done = by_psql(psql, platform_db, script, tmp_path, env={"PGUSER": "hosted_owner"})
            return done.code, done.err
        done = run("-d", platform_db.conninfo("hosted_owner"), command)
        return done.code, done.err

    with platform_db.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT pg_advisory_lock(7)")
        running = pool.submit(runs)
        waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
        until(lambda: running.done() or other.execute(waits).rowcount)
        assert not running.done(), running.result()
        other.execute(
            sql.SQL(
                "SET ROLE {role}; CREATE SCHEMA hosted_owner; GRANT USAGE ON SCHEMA hosted_owner TO PUBLIC;"
                "CREATE FUNCTION hosted_owner.look() RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END';"
                "RESET ROLE"
            ).format(role=sql.Identifier(new_role))
        )
        other.execute("SELECT pg_advisory_unlock(7)")
        code, said = running.result()

    assert "fallen" not in said
    assert code == 0, said
