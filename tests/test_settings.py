"""How the role, the database or the client has values and names spelled makes no difference to what we do and say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_batch import batch
from test_cli import BRUNO, CHLOE, MIGRATIONS, PYTHON, SQL, on, run
from test_crashes import is_held_up, until
from test_plan import books, by_psql, link, psql, script_for

from sessiondb.checks import check

__all__ = ["psql"]  # a fixture

Dump = Callable[..., str]

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "quote_all_identifiers": "on",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "constraint_exclusion": "on",
    "xmlbinary": "hex",
}
READERS = (
    ("status",),
    ("check",),
    ("show", "sessions"),
    ("show", "enrollments"),
    ("show", "submissions"),
    ("session", "list"),
    ("explain", "--user", BRUNO, "--course", PYTHON),
)

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
# names that want quotes, and partitions
on_three = pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("reference", "partitioned", "quoted")], indirect=True, ids=str
)


def choose(db: PlatformDatabase, settings: dict[str, str]) -> None:
    """Set it, and nothing else, for every role that connects to the database from now on."""
    with db.connect() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(db.name)))
        for name, value in settings.items():
            alter = sql.SQL("ALTER DATABASE {} SET {} TO {}")
            connection.execute(alter.format(sql.Identifier(db.name), sql.Identifier(name), sql.Literal(value)))


@on_three
def test_apply_and_rollback_do_and_write_the_same(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
) -> None:
    before = dump(platform_db)

    choose(platform_db, SETTINGS)
    assert platform_db.apply() == MIGRATIONS

    choose(platform_db, {})  # pg_dump would say it their way
    assert books(platform_db) == books(installed_db)
    assert dump(platform_db) == dump(installed_db)

    link(platform_db)
    choose(platform_db, SETTINGS)
    assert platform_db.rollback() == MIGRATIONS[::-1]

    choose(platform_db, {})
    assert dump(platform_db, exclude_sessiondb=True) == before


@on_reference
@pytest.mark.parametrize("options", [None, "-c DateStyle=German -c quote_all_identifiers=on"])
def test_the_commands_that_read_say_the_same(installed_db: PlatformDatabase, options: str | None) -> None:
    def told() -> list[tuple[int, str]]:
        runs = [run("-d", installed_db.conninfo(), "--format", "json", *reader, env=env) for reader in READERS]
        return [(ended.code, ended.out) for ended in runs]

    link(installed_db)
    env: dict[str, str] = {}
    before = told()
    assert {code for code, _ in before} <= {0, 4}

    if options is None:
        choose(installed_db, SETTINGS)
    else:
        env["PGOPTIONS"] = options

    assert told() == before


@pytest.mark.parametrize("options", [(), ("--single-transaction",)], ids=["script", "batch"])
def test_what_plan_writes_is_not_compiled_by_the_server(options: tuple[str, ...]) -> None:
    """A look at the platform looks expensive to the planner; where there is LLVM it would take a minute to compile."""
    written = run("plan", "--sql", *options).out
    off = {"script": "SET jit TO 'off';", "batch": "PERFORM set_config('jit', 'off', true);"}
    assert written.index(off["batch" if options else "script"]) < written.index("$preflight$")


@on_reference
@pytest.mark.parametrize("read_only", [True, False, None])
def test_no_statement_of_ours_that_asks_the_catalogs_is_compiled_by_the_server(
    installed_db: PlatformDatabase, read_only: bool | None
) -> None:
    """The first of them, which asks whose schema sessiondb is, would take five seconds to compile."""
    choose(installed_db, {"jit": "on"})
    compiled: list[str] = []

    class Watched(psycopg.Connection[tuple[Any, ...]]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            ((jit,),) = super().execute("SELECT pg_catalog.current_setting('jit')").fetchall()
            if jit == "on":
                compiled.append(query)
            return super().execute(query, *args, **options)

    database = replace(installed_db.database(), opens=Watched)
    with database.connect() if read_only is None else database.transaction(read_only=read_only) as connection:
        check(connection, [], 1, lambda line: None)

    # once more for the snapshot of a command that reads
    assert len(compiled) <= (4 if read_only else 3)
    assert not [query for query in compiled if "pg_namespace" in query]


AWKWARD = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Pacific/Kiritimati",
    "array_nulls": "off",
    "backslash_quote": "off",
    "bytea_output": "escape",
    "check_function_bodies": "off",
    "client_encoding": "LATIN1",
    "client_min_messages": "error",
    "constraint_exclusion": "on",
    "default_table_access_method": "other_heap",
    "default_toast_compression": "pglz",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "enable_bitmapscan": "off",
    "enable_hashagg": "off",
    "enable_hashjoin": "off",
    "enable_indexscan": "off",
    "enable_mergejoin": "off",
    "enable_nestloop": "off",
    "enable_partition_pruning": "off",
    "enable_seqscan": "off",
    "escape_string_warning": "on",
    "extra_float_digits": "-15",
    "from_collapse_limit": "1",
    "idle_in_transaction_session_timeout": "200ms",
    "idle_session_timeout": "200ms",
    "jit_above_cost": "0",
    "join_collapse_limit": "1",
    "lock_timeout": "1ms",
    "plan_cache_mode": "force_generic_plan",
    "plpgsql.check_asserts": "off",
    "plpgsql.extra_errors": "all",
    "plpgsql.extra_warnings": "all",
    "plpgsql.variable_conflict": "use_variable",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "search_path": "nowhere",
    "session_replication_role": "replica",
    "standard_conforming_strings": "off",
    "statement_timeout": "200ms",
    "synchronous_commit": "off",
    "transaction_timeout": "200ms",
    "transform_null_equals": "on",
    "work_mem": "64kB",
    "xmlbinary": "hex",
    "xmloption": "document",
}
"""What changes what a statement means or may do, at the value that is furthest from what a server comes with."""

OTHER_VALUES = {"client_encoding": "SQL_ASCII", "plpgsql.variable_conflict": "use_column"}

Story = list[tuple[str, int, list[str], list[str]]]
"""Each command with its exit code and the lines that it said."""


def inserted(db: PlatformDatabase, statement: str) -> tuple[str, int, str, str]:
    """What a row got that an application wrote; it does not set what the database sets for it."""
    with psycopg.connect(db.conninfo()) as connection:
        if connection.execute("SHOW session_replication_role").fetchone() == ("replica",):
            connection.execute("SET session_replication_role TO origin")  # or triggers do not fire, which it is for
        ((linked,),) = connection.execute(statement.encode()).fetchall()
    return (statement, 0, str(linked), "")


def story(db: PlatformDatabase, psql: str, tmp_path: Path) -> Story:
    """What every command does on the reference platform, in order."""

    def command(*arguments: str) -> tuple[str, int, str, str]:
        ended = on(db, *arguments)
        assert ended.code == 0, (arguments, ended)
        return (" ".join(arguments), ended.code, ended.out, ended.err)

    def script() -> tuple[str, int, str, str]:
        ended = by_psql(psql, db, script_for(db), tmp_path)
        assert ended.code == 0, ended
        return ("plan --sql", ended.code, ended.out, ended.err)

    def pasted() -> tuple[str, int, str, str]:
        text = batch(db)
        with psycopg.connect(db.conninfo(), autocommit=True) as connection:
            # as its first lines say: it is one statement, and cannot set the isolation of its transaction
            connection.execute("SET statement_timeout TO 0; SET default_transaction_isolation TO 'read committed'")
            connection.execute(text, prepare=False)
        return ("plan --sql --single-transaction", 0, "", "")

    at = ("--org", "atelier-nord", "--course")
    told = [
        command("apply"),
        command("status", "--exit-code"),
        command("check"),
        command("org", "create", "--name", "École d'été", "--slug", "ete"),
        command("member", "add", "--org", "ete", "--user", "bruno@example.org"),
        command("session", "create", *at, PYTHON, "--title", "Été"),
        command("session", "create", *at, SQL, "--status", "draft"),
        command("session", "set-status", "Session - Data with SQL", "active"),
        inserted(
            db, f"INSERT INTO public.enrollments (user_id, course_id) VALUES ('{BRUNO}', '{SQL}') RETURNING session_id"
        ),
        command("backfill", "--dry-run"),
        command("backfill"),
        inserted(
            db,
            "INSERT INTO public.submissions (user_id, exercise_id) SELECT '"
            + CHLOE
            + "', e.id FROM public.exercises AS e"
            f" WHERE e.course_id = '{PYTHON}' ORDER BY e.id LIMIT 1 RETURNING session_id",
        ),
        command("explain", "--user", BRUNO, "--course", PYTHON),
        *(command(*reader) for reader in READERS),
        command("rollback", "--all", "--yes"),
        script(),
        command("rollback", "--to", "0003", "--yes"),
        command("apply"),
        command("rollback", "--all", "--yes"),
        pasted(),
        command("status", "--exit-code"),
        inserted(db, "SELECT count(*) FROM public.updates"),
    ]

    def without_chance(text: str) -> list[str]:
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text.replace(db.name, "DATABASE"))
        text = re.sub(
            r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?([+-]\d\d(:\d\d)?)?|\d+/s|\d+\.\d+ s\b", "TIME", text
        )
        return sorted(" ".join(line.split()) for line in text.splitlines())  # show has no order

    return [(what, code, without_chance(out), without_chance(err)) for what, code, out, err in told]


@pytest.fixture(scope="module")
def expected(cluster: Cluster, psql: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    with awkward(cluster, {}) as db:
        return story(db, psql, tmp_path_factory.mktemp("expected"))


@contextmanager
def awkward(cluster: Cluster, settings: Mapping[str, str], role: str | None = None) -> Iterator[PlatformDatabase]:
    """The reference platform in a database, or for a role, with these settings; an UPDATE of its tables takes a while."""
    with cluster.clone(PLATFORMS["reference"], installed=False) as db:
        with db.connect() as connection:
            connection.execute(
                "CREATE TABLE updates (at timestamptz DEFAULT now());"
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM pg_catalog.pg_sleep(0.3); INSERT INTO public.updates DEFAULT VALUES; RETURN NULL; END';"
                "CREATE TRIGGER slow AFTER UPDATE ON enrollments EXECUTE FUNCTION slow();"
                "CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler"
            )
            known = {name for (name,) in connection.execute("SELECT name FROM pg_settings")}
            for name, value in settings.items():
                if name in known or "." in name:
                    whose = sql.SQL("ROLE {} IN " if role else "").format(sql.Identifier(role or ""))
                    connection.execute(
                        sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(
                            whose, sql.Identifier(db.name), sql.Identifier(name), sql.Literal(value)
                        )
                    )
        yield db


@pytest.mark.slow
@pytest.mark.like_cases(one_in=48)  # each plays the whole story
@pytest.mark.parametrize(("name", "value"), [*AWKWARD.items(), *OTHER_VALUES.items()])
def test_with_any_setting_of_the_database_each_command_gives_the_result_that_it_gives_without(
    cluster: Cluster, psql: str, tmp_path: Path, expected: Story, name: str, value: str
) -> None:
    with awkward(cluster, {name: value}) as db:
        told = story(db, psql, tmp_path)
    differing = [
        f"{ran}, without: {without[1:]}" for ran, without in zip(told, expected, strict=True) if ran != without
    ]
    assert not differing, "\n".join(differing)


@pytest.mark.slow
def test_with_all_settings_at_once_each_command_gives_the_result_that_it_gives_without(
    cluster: Cluster, psql: str, tmp_path: Path, expected: Story
) -> None:
    """Of a role this time."""
    with awkward(cluster, {n: v for n, v in AWKWARD.items() if not n.startswith("enable_")}, "postgres") as db:
        told = story(db, psql, tmp_path)
    differing = [
        f"{ran}, without: {without[1:]}" for ran, without in zip(told, expected, strict=True) if ran != without
    ]
    assert not differing, "\n".join(differing)


@on_reference
def test_where_transactions_are_read_only_by_default_what_reads_works_and_what_writes_is_refused(
    installed_db: PlatformDatabase,
) -> None:
    """It is how a DBA, or a service whose disk is full, keeps a database from being written to."""
    link(installed_db)
    before = [on(installed_db, *reader) for reader in READERS]
    choose(installed_db, {"default_transaction_read_only": "on"})
    assert [on(installed_db, *reader) for reader in READERS] == before
    assert on(installed_db, "rollback", "--all", "--yes").code == 5
    for writer in (("backfill",), ("org", "create", "--name", "New", "--slug", "new")):
        refused = on(installed_db, *writer)
        assert refused.code == 1
        assert "default_transaction_read_only" in refused.err


@on_reference
def test_a_short_command_that_another_transaction_made_fail_is_tried_again(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection, installed_db.connect() as eye:
        platform = installed_db.platform
        session = platform.add_session(
            connection, platform.add_org(connection), platform.add_course(connection), "draft"
        )
        connection.execute(
            "CREATE FUNCTION count_active() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN UPDATE public.orgs SET name = name WHERE id = NEW.org_id; RETURN NULL; END';"
            "CREATE TRIGGER count_active AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION count_active()"
        )
        connection.execute("SET deadlock_timeout TO '1min'")  # it is the other one that notices, and fails
        with ThreadPoolExecutor() as pool:
            with connection.transaction():
                connection.execute("UPDATE orgs SET name = name WHERE id = (SELECT org_id FROM sessions)")
                ended = pool.submit(on, installed_db, "session", "set-status", str(session), "active")
                until(lambda: is_held_up(installed_db))
                connection.execute("UPDATE sessions SET title = title")
            changed = ended.result()
        assert (changed.code, changed.err) == (0, "")
        assert eye.execute("SELECT status FROM sessions").fetchall() == [("active",)]
        assert eye.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone() == (
            1,
        )
