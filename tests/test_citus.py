"""On Citus: what it manages is refused before anything is changed, and ordinary tables work as on any server.

Needs the programs of a server that has the extension: ``pytest tests/test_citus.py --citus-bindir DIR``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from platforms import PLATFORMS
from psycopg import sql
from test_cli import Run, run

from sessiondb.database import Connection
from sessiondb.embedded import Server, ephemeral_server

REFERENCE = PLATFORMS["reference"]
OF_STUDENTS = ("enrollments", "submissions")


@pytest.fixture(scope="session")
def nodes(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """A coordinator and two workers."""
    bindir = request.config.option.citus_bindir
    if bindir is None:
        pytest.skip("no server with Citus: name the directory of its programs with --citus-bindir")
    settings = {"shared_preload_libraries": "citus", "citus.enable_schema_based_sharding": "on"}
    with ExitStack() as stack:
        yield [stack.enter_context(ephemeral_server(bindir, settings=settings)) for _ in range(3)]


@pytest.fixture
def conninfo(nodes: list[Server]) -> Iterator[str]:
    """A database of the cluster with the reference platform, whose rows of students can be distributed."""
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
        REFERENCE.load(connection)
        for table in OF_STUDENTS:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (user_id, id)")
    try:
        yield nodes[0].dsn("platform")
    finally:
        for node in nodes:
            with psycopg.connect(node.dsn(), autocommit=True) as connection:
                connection.execute("DROP DATABASE platform WITH (FORCE)")


def on(conninfo: str, *arguments: str) -> Run:
    """Run sessiondb on the coordinator."""
    return run("-d", conninfo, *arguments)


def distribute(connection: Connection) -> None:
    """Distribute them by student, and the others to every node."""
    for table in ("users", "orgs", "courses", "org_members", "exercises", "sessions"):
        connection.execute("SELECT create_reference_table(%s)", [table])
    for table in OF_STUDENTS:
        connection.execute("SELECT create_distributed_table(%s, 'user_id')", [table])


def test_ordinary_tables_work_as_on_any_server(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert on(conninfo, "apply").code == 0
        assert (
            on(
                conninfo,
                "session",
                "create",
                "--org",
                "atelier-nord",
                "--course",
                "Data with SQL",
                "--title",
                "Automne",
            ).code
            == 0
        )
        linked = connection.execute(
            "INSERT INTO enrollments (user_id, course_id) VALUES"
            " ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c2') RETURNING session_id"
        ).fetchone()
        assert linked is not None
        assert linked[0] is not None
        for command in (["check"], ["backfill"], ["rollback", "--all", "--yes"], ["apply"]):
            assert on(conninfo, *command).code == 0
        assert connection.execute("SELECT count(session_id) FROM enrollments").fetchone() == (1,)


def test_distributed_tables_are_refused_before_anything_is_changed(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        distribute(connection)
        for command in (["apply"], ["plan"], ["apply", "--dry-run"]):
            refused = on(conninfo, *command)
            assert refused.code == 5, refused
            assert "Table public.submissions is managed by Citus" in refused.err
        assert connection.execute("SELECT to_regnamespace('sessiondb')").fetchone() == (None,)


def test_reference_tables_and_tables_local_to_citus_are_refused(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT create_reference_table('courses')")
    assert "Table public.courses is managed by Citus" in on(conninfo, "apply").err


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
    with psycopg.connect(conninfo, autocommit=True) as connection:
        distribute(connection)
        connection.execute("SELECT undistribute_table('submissions', cascade_via_foreign_keys => true)")
    assert on(conninfo, "apply").code == 0
