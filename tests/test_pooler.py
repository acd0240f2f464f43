"""Through a real PgBouncer: all works in session mode; in transaction mode what reads works, the rest is refused."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.conninfo import make_conninfo
from test_cli import MIGRATIONS, Run, column, on, run

Dump = Callable[..., str]

PGBOUNCER = shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer: apt-get install pgbouncer")

# an owner who is a superuser, and one who is not, in a schema of their own
on_two = pytest.mark.parametrize("platform", [PLATFORMS["reference"], PLATFORMS["school"]], indirect=True, ids=str)
on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)


@dataclass(frozen=True)
class Pooler:
    """A PgBouncer before a database."""

    db: PlatformDatabase
    conninfo: str

    def __call__(self, *arguments: str) -> Run:
        """Run sessiondb through it, as the owner of the platform's tables."""
        return run("-d", self.conninfo, "--schema", self.db.platform.schema, *arguments)

    @contextmanager
    def client(self) -> Iterator[psycopg.Connection[Any]]:
        """An application's connection."""
        with psycopg.connect(self.conninfo, autocommit=True, prepare_threshold=None) as connection:
            yield connection


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@contextmanager
def pooler(db: PlatformDatabase, mode: str, **settings: str) -> Iterator[Pooler]:
    """Run a PgBouncer, as the account that the server runs as: it refuses to be root, as the server does."""
    server = db.cluster.server
    if server is None:
        pytest.skip("PgBouncer is put before a server of our own only")
    assert PGBOUNCER
    user = db.platform.owner or server.user
    account = pwd.getpwuid(server.socket_dir.stat().st_uid)
    with tempfile.TemporaryDirectory(prefix="pgb-", dir="/tmp") as name:  # short enough for a socket
        home = Path(name)
        options = {
            "pool_mode": mode,
            "listen_addr": "",
            "unix_socket_dir": str(home),
            "auth_type": "trust",
            "auth_file": str(home / "users"),
            "logfile": str(home / "log"),
            "default_pool_size": "5",
            **settings,
        }
        database = f"{db.name} = host={server.socket_dir} port={server.port}"
        lines = ["[databases]", database, "[pgbouncer]", *(f"{key} = {value}" for key, value in options.items())]
        (home / "users").write_text(f'"{user}" ""\n')
        (home / "ini").write_text("\n".join(lines) + "\n")
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [account.pw_gid]}
            for path in (home, *home.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        process = subprocess.Popen(
            [PGBOUNCER, "-q", str(home / "ini")], cwd="/", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **identity
        )
        try:
            deadline = time.monotonic() + 60
            while not listens(home / ".s.PGSQL.6432"):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline, (home / "log").read_text()
                time.sleep(0.01)
            yield Pooler(db, make_conninfo("", host=name, port=6432, user=user, dbname=db.name))
        finally:
            process.kill()
            process.communicate()


# Session mode


@pytest.mark.slow
@on_two
def test_in_session_mode_apply_and_rollback_do_what_they_do_without_a_pooler(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
) -> None:
    before = dump(platform_db)
    with pooler(platform_db, "session") as through:
        dry = through("apply", "--dry-run", "--format", "json")
        assert (dry.code, dry.err) == (0, "")
        assert dump(platform_db) == before

        applied = through("apply", "--format", "json")

        assert applied.code == 0, applied.err
        assert applied.json["applied"] == MIGRATIONS
        assert dump(platform_db) == dump(installed_db)
        assert through("apply").out.startswith("Nothing to do: all migrations are applied.\n")

        undone = through("rollback", "--all", "--yes", "--format", "json")

        assert undone.code == 0, undone.err
        assert undone.json["rolled_back"] == MIGRATIONS[::-1]
        assert dump(platform_db) == before


def course_and_user(db: PlatformDatabase) -> tuple[str, str]:
    with db.connect() as connection:
        return str(db.platform.add_course(connection)), str(db.platform.add_user(connection))


@on_school
def test_in_session_mode_every_command_works(installed_db: PlatformDatabase) -> None:
    course, user = course_and_user(installed_db)
    with pooler(installed_db, "session") as through:
        for arguments in (
            ("org", "create", "--name", "Campus Est", "--slug", "campus-est"),
            ("member", "add", "--org", "campus-est", "--user", user),
            ("session", "create", "--org", "campus-est", "--course", course, "--by", user),
            ("backfill",),
            ("backfill", "--dry-run"),
            ("explain", "--user", user, "--course", course),
            *READING,
        ):
            done = through(*arguments)
            assert done.code == 0, (arguments, done.err)


@pytest.mark.slow
@on_reference
def test_in_session_mode_one_server_connection_is_enough(platform_db: PlatformDatabase) -> None:
    """A second client, which looks at what we wait for, waits for one in vain; the work goes on."""
    with pooler(platform_db, "session", default_pool_size="1") as through:
        with platform_db.connect(autocommit=False) as reader:
            reader.execute("SELECT FROM enrollments")
            stopped = through("apply", "--lock-timeout", "0.3", "--lock-budget", "0.2")
            assert stopped.code == 6
            assert f"in the way: pid {reader.info.backend_pid} " in stopped.err
        assert through("apply").code == 0


@on_reference
def test_in_session_mode_apply_names_the_blocking_session(platform_db: PlatformDatabase) -> None:
    """A client of PgBouncer is told a made-up number of its backend."""
    with pooler(platform_db, "session") as through, platform_db.connect(autocommit=False) as reader:
        reader.execute("SELECT FROM enrollments")

        stopped = through("apply", "--lock-timeout", "0.3", "--lock-budget", "0.2")

        assert stopped.code == 6
        assert f"in the way: pid {reader.info.backend_pid} " in stopped.err


# Transaction mode


READING = (
    ("status",),
    ("status", "--exit-code"),
    ("plan",),
    ("check", "installed_objects", "foreign_keys", "indexes"),
    ("show", "sessions"),
    ("show", "enrollments"),
    ("show", "submissions", "--unlinked"),
    ("session", "list"),
)


def without_address(done: Run) -> Run:
    """What a command said, without the server that it names."""
    return replace(done, out=re.sub(r"\ADatabase .*?\.\n", "", done.out, flags=re.DOTALL))


@pytest.mark.slow
@on_school
def test_in_transaction_mode_what_reads_shows_what_it_shows_without_a_pooler(installed_db: PlatformDatabase) -> None:
    course, user = course_and_user(installed_db)
    with pooler(installed_db, "transaction", server_round_robin="1") as through:
        with through.client() as one, one.transaction(), through.client() as other, other.transaction():
            one.execute("SELECT 1")  # so that there are two for each command to go astray between
            other.execute("SELECT 1")
        for arguments in (
            *READING,
            ("check",),
            ("check", "--format", "junit"),
            ("explain", "--user", user, "--course", course),
            ("explain", "--user", user, "--course", course, "--format", "json"),
            ("show", "sessions", "--format", "json"),
            ("backfill", "--dry-run"),
        ):
            directly = on(installed_db, *arguments)
            assert directly.code == 0, arguments
            assert without_address(through(*arguments)) == without_address(directly), arguments


@on_school
def test_in_transaction_mode_what_writes_in_one_transaction_works(installed_db: PlatformDatabase) -> None:
    course, user = course_and_user(installed_db)
    with pooler(installed_db, "transaction", server_round_robin="1") as through:
        for arguments in (
            ("org", "create", "--name", "Campus Est", "--slug", "campus-est"),
            ("member", "add", "--org", "campus-est", "--user", user),
            ("session", "create", "--org", "campus-est", "--course", course, "--by", user),
        ):
            done = through(*arguments)
            assert done.code == 0, (arguments, done.err)
        explained = through("explain", "--user", user, "--course", course, "--format", "json")
    assert explained.json["reason"] == "linked"


@on_school
def test_in_transaction_mode_plan_shows_what_apply_would_do(platform_db: PlatformDatabase) -> None:
    with pooler(platform_db, "transaction") as through:
        assert through("plan") == on(platform_db, "plan")
        assert through("status", "--exit-code").code == 3


def is_refused(done: Run) -> bool:
    """Whether preflight named the pooler."""
    fix = "    fix: Connect directly to the server, or to a pool in session mode.\n"
    return done.code == 5 and not done.out and "A pooler gives every transaction" in done.err and fix in done.err


@on_school
def test_in_transaction_mode_apply_is_refused_and_nothing_changed(platform_db: PlatformDatabase, dump: Dump) -> None:
    before = dump(platform_db)
    with pooler(platform_db, "transaction") as through:
        assert is_refused(through("apply"))
        assert is_refused(through("apply", "--dry-run"))
    assert dump(platform_db) == before


@on_school
def test_in_transaction_mode_rollback_and_backfill_are_refused_and_nothing_changed(
    installed_db: PlatformDatabase, dump: Dump
) -> None:
    before = dump(installed_db)
    with pooler(installed_db, "transaction") as through:
        assert is_refused(through("rollback", "--all", "--yes"))
        assert is_refused(through("backfill"))
    assert dump(installed_db) == before


SETTINGS = ("search_path", "statement_timeout", "idle_in_transaction_session_timeout", "client_min_messages")


@on_school
def test_in_transaction_mode_no_setting_is_left_behind_for_the_next_client(installed_db: PlatformDatabase) -> None:
    """An application that got the same server connection afterwards would look into another schema."""
    show = sql.SQL("SELECT {}").format(
        sql.SQL(", ").join(sql.SQL("current_setting({})").format(name) for name in SETTINGS)
    )
    with pooler(installed_db, "transaction", default_pool_size="2") as through:
        with through.client() as client:
            before = client.execute(show).fetchone()
        for arguments in (("apply",), ("rollback", "--all", "--yes"), ("backfill",), ("status",), ("show", "sessions")):
            through(*arguments)
            with through.client() as one, one.transaction(), through.client() as other, other.transaction():
                assert (arguments, one.execute(show).fetchone()) == (arguments, before)
                assert (arguments, other.execute(show).fetchone()) == (arguments, before)


@on_school
@pytest.mark.parametrize(
    "settings",
    [{"default_pool_size": "1"}, {"server_round_robin": "1"}, {"default_pool_size": "2", "server_round_robin": "1"}],
    ids=["of one connection", "taken in turn", "of two, taken in turn"],
)
def test_a_pool_in_transaction_mode_is_recognised_and_at_once(
    platform_db: PlatformDatabase, dump: Dump, settings: dict[str, str]
) -> None:
    before = dump(platform_db)
    with pooler(platform_db, "transaction", query_wait_timeout="60", **settings) as through:
        if settings.get("default_pool_size") != "1":  # as many idle connections as the pool will hold
            with through.client() as one, one.transaction(), through.client() as other, other.transaction():
                one.execute("SELECT 1")
                other.execute("SELECT 1")
        started = time.monotonic()
        assert is_refused(through("apply"))
        assert time.monotonic() - started < 30
    assert dump(platform_db) == before
    assert column(platform_db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == ["0"]


# Statement mode


@on_school
def test_in_statement_mode_every_command_is_refused_with_the_way_out(
    installed_db: PlatformDatabase, dump: Dump
) -> None:
    before = dump(installed_db)
    with pooler(installed_db, "statement") as through:
        for command in ("apply", "rollback --all --yes", "backfill", "status", "check", "org create --name N --slug n"):
            refused = through(*command.split())
            assert (command, refused.code, refused.out) == (command, 5, "")
            assert "Connect directly to the server, or to a pool in session mode." in refused.err, refused
            assert "connection was lost" not in refused.err, refused
    assert dump(installed_db) == before
