"""docs/backup.md: what is dumped and restored has the links that it had, row by row."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS, Platform
from psycopg import sql
from test_cli import on, rows, run
from test_plan import link

from sessiondb import resources
from sessiondb.embedded import ephemeral_server

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

BACKUP = Path(__file__).parents[1] / "docs" / "backup.md"
TABLES = ("enrollments", "submissions")


def links(db: PlatformDatabase) -> list[list[dict[str, object]]]:
    return [rows(db, f"SELECT id, session_id FROM {table} ORDER BY id") for table in TABLES]


@pytest.fixture
def source(installed_db: PlatformDatabase) -> PlatformDatabase:
    """With a student who is linked, one who has left the organisation since, and one who was taken out of the session."""
    for leave in (
        None,
        "DELETE FROM org_members WHERE user_id IN (SELECT user_id FROM enrollments WHERE session_id IS NOT NULL)",
        "UPDATE enrollments SET session_id = NULL WHERE user_id IN (SELECT user_id FROM org_members)",
    ):
        link(installed_db)
        if leave:
            with installed_db.connect() as connection:
                assert connection.execute(leave.encode()).rowcount > 0
    found = links(installed_db)
    assert [sum(row["session_id"] is not None for row in table) for table in found] == [2, 3]
    return installed_db


def dumped(source: PlatformDatabase, *options: str, of: Cluster | None = None, user: str | None = None) -> str:
    """What pg_dump writes, of the server of ``of``, as a role."""
    return _tool(of or source.cluster, "pg_dump", *options, "-d", source.conninfo(user)).stdout


def restore(target: PlatformDatabase, dump: str, user: str | None = None, *options: str) -> str:
    """Run a dump as a role; returns what psql says of errors."""
    return _tool(target.cluster, "psql", "-X", "-q", *options, "-d", target.conninfo(user), given=dump).stderr


def _tool(cluster: Cluster, name: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    path = shutil.which(name, path=str(cluster.server.bindir) if cluster.server else None)
    if path is None:
        pytest.skip(f"no {name}")
    env = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run([path, *arguments], input=given, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise OSError(done.stderr)
    return done


def restore_comments(source: PlatformDatabase, target: PlatformDatabase) -> None:
    """Run what the page says, with statements of another role that look like these comments."""
    evil = "COMMENT ON SCHEMA public IS 'run (sessiondb)';"
    with source.connect() as connection:
        connection.execute(
            f"CREATE FUNCTION harmless() RETURNS void LANGUAGE sql AS $$ SELECT /*\n{evil}\n*/ $$;"
            f"CREATE TABLE theirs (session_id uuid);"
            f"COMMENT ON COLUMN theirs.session_id IS $$it's\n{evil}\n\\! touch pwned\n(sessiondb)$$".encode()
        )
    (said,) = re.findall(r"```sh\n(psql .*?)```", BACKUP.read_text("utf-8"), re.DOTALL)
    for name, database in (("platform", source), ("copy", target)):
        said = said.replace(f"-d {name}", f"-d {shlex.quote(database.conninfo())}")
    psql = shutil.which("psql", path=str(source.cluster.server.bindir)) if source.cluster.server else None
    path = f"{Path(psql).parent}:{os.environ['PATH']}" if psql else os.environ["PATH"]
    subprocess.run(["bash", "-c", said], check=True, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL)
    with source.connect() as connection:
        connection.execute("DROP FUNCTION harmless(); DROP TABLE theirs")
    with target.connect() as connection:
        assert rows(target, "SELECT obj_description('public'::regnamespace) AS said")[0]["said"] != "run (sessiondb)"
        assert connection.execute("SELECT FROM pg_description WHERE description LIKE '%(sessiondb)'").rowcount > 5
    assert not Path("pwned").exists()


def is_as_before(target: PlatformDatabase, before: object, user: str | None = None) -> None:
    """The links are those, sessiondb is sound after an apply, and it can be rolled back."""

    def command(*arguments: str) -> str:
        done = run("-d", target.conninfo(user), *arguments)
        assert done.code == 0, done
        return done.out

    assert links(target) == before
    command("apply")
    command("status", "--exit-code")
    command("check", *resources.names("checks"))
    assert links(target) == before
    command("rollback", "--all", "--yes")


@pytest.mark.like_cases(one_in=4)
@pytest.mark.parametrize(
    "options",
    [(), ("--no-comments",), ("--no-owner", "--no-acl"), ("-n", "public", "-n", "sessiondb")],
    ids=["whole", "no comments", "no owner and no grants", "both schemas"],
)
def test_a_dump_is_restored_with_its_links(
    cluster: Cluster, source: PlatformDatabase, options: tuple[str, ...]
) -> None:
    with cluster.new_database(source.platform) as target:
        said = restore(target, dumped(source, *options))
        assert said.splitlines() == ['ERROR:  schema "public" already exists'] * ("public" in options)
        is_as_before(target, links(source))


def test_a_dump_is_restored_with_its_links_by_another_owner(
    cluster: Cluster, new_role: str, source: PlatformDatabase
) -> None:
    with cluster.new_database(source.platform) as target:
        cluster.execute("ALTER DATABASE {} OWNER TO {}", target.name, new_role)
        with target.connect() as connection:
            connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(new_role)))
        assert restore(target, dumped(source, "--no-owner", "--no-acl"), new_role) == ""
        is_as_before(target, links(source), new_role)


@pytest.fixture
def older(cluster: Cluster) -> Iterator[Cluster]:
    """An older server than the one that the tests run on."""
    mine = cluster.server.version if cluster.server else 0
    for bindir in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)):
        if int(bindir.parent.name) < mine and (bindir / "pg_ctl").exists():
            with ephemeral_server(bindir) as server:
                admin = f"host={server.socket_dir} port={server.port} user={server.user} dbname=postgres"
                found = Cluster(admin, cluster.prefix, server)
                yield found
                found.close()
            return
    pytest.skip("no older server on this machine")


@pytest.mark.slow
def test_a_dump_of_an_older_server_is_restored_with_its_links(
    cluster: Cluster, older: Cluster, platform: Platform
) -> None:
    with older.clone(platform, installed=True) as source:
        link(source)
        with cluster.new_database(source.platform) as target:
            restore(target, dumped(source, of=cluster))
            is_as_before(target, links(source))


def test_data_alone_is_restored_with_its_links_where_triggers_are_off(
    cluster: Cluster, source: PlatformDatabase
) -> None:
    with cluster.new_database(source.platform) as target:
        assert restore(target, dumped(source, "--schema-only")) == ""
        assert restore(target, dumped(source, "--data-only", "--disable-triggers")) == ""
        is_as_before(target, links(source))


def test_data_alone_is_refused_with_what_to_do_and_then_restored_by_the_owner(
    cluster: Cluster, new_role: str, source: PlatformDatabase
) -> None:
    """Into a database where the schema was made by the platform's own migrations, and sessiondb applied."""
    data = dumped(source, "--data-only", "-n", "public")
    with cluster.clone(source.platform, installed=True) as target:
        with target.connect() as connection:
            role = sql.Identifier(new_role)
            for (table,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            ):
                connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))
                connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), role))
            said = restore(target, data, new_role)
            assert "does not fit this row" in said
            assert "HINT:  Leave session_id out" in said
            assert "DISABLE TRIGGER USER" in said
            for table in ("users", "orgs", "courses"):
                connection.execute(f"TRUNCATE {table} CASCADE".encode())
        switch = "".join(f"ALTER TABLE public.{table} {{0}} TRIGGER USER;\n" for table in TABLES)
        whole = switch.format("DISABLE") + data + switch.format("ENABLE")
        assert restore(target, whole, new_role, "-1", "-v", "ON_ERROR_STOP=1") == ""
        assert links(target) == links(source)
        is_as_before(target, links(source))


@pytest.mark.parametrize("options", [(), ("--no-comments",)], ids=["with comments", "no comments"])
def test_a_dump_of_one_schema_is_installed_again_and_a_rollback_leaves_nothing_of_ours(
    cluster: Cluster, source: PlatformDatabase, dump: Callable[..., str], options: tuple[str, ...]
) -> None:
    with cluster.new_database(source.platform) as target:
        said = restore(target, dumped(source, "-n", "public", *options))
        assert 'schema "sessiondb" does not exist' in said
        if options:
            restore_comments(source, target)
        is_as_before(target, links(source))
        source.rollback()
        assert dump(target, exclude_sessiondb=True) == dump(source, exclude_sessiondb=True)


# a role that makes dumps


def test_a_role_that_could_dump_before_is_named_with_the_grants_that_it_needs(
    cluster: Cluster, new_role: str, platform_db: PlatformDatabase
) -> None:
    role = sql.Identifier(new_role)
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
        connection.execute(sql.SQL("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {}").format(role))
    assert dumped(platform_db, user=new_role)

    applied = on(platform_db, "apply")
    assert applied.code == 0
    assert f"Role {new_role} " in applied.err
    with pytest.raises(OSError, match="permission denied for schema sessiondb"):
        dumped(platform_db, user=new_role)
    fix = next(line for line in applied.err.splitlines() if "GRANT" in line)
    with platform_db.connect() as connection:
        connection.execute(fix.partition("apply: ")[2].encode())
    link(platform_db)

    with cluster.new_database(platform_db.platform) as target:
        restore(target, dumped(platform_db, user=new_role))
        is_as_before(target, links(platform_db))

    # what is made later can be dumped as well, and what was granted stays
    for arguments in (("rollback", "--to", "0004", "--yes"), ("apply",)):
        done = on(platform_db, *arguments)
        assert (done.code, "may read every table" in done.err) == (0, False), done
        assert dumped(platform_db, user=new_role)
