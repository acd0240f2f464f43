"""One real PostgreSQL server for all tests, and for each test a database of its own.

The server is an ephemeral one (sessiondb.embedded), with --postgresql-exec started by that pg_ctl. Or it is the
one that pytest-postgresql's --postgresql-host, -port, -user and -password name, here or in an ini file; that
user must be a superuser. Each platform is loaded once, installed once, and copied for each test.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import math
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, Protocol, TypeVar

import psycopg
import pytest
import sqlparse
from platforms import PLATFORMS, Platform
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_postgresql import factories

from sessiondb.connection import Connection, trusted
from sessiondb.database import Choices, Database
from sessiondb.embedded import Server, ServerNotFound, ephemeral_server, find_bindir
from sessiondb.migrate import Runner

MEMORY = Path("/dev/shm")
Case = TypeVar("Case")


class Part(Protocol):
    """What the fixture ``part`` gives a test."""

    def __call__(self, cases: Sequence[Case]) -> list[Case]: ...


# The name keeps test runs apart that share a server.
postgresql_noproc = factories.postgresql_noproc(dbname=f"sessiondb_test_{os.getpid()}")


def pytest_configure() -> None:
    """Let nothing in the caller's environment lead the code under test to another database, or make it deaf."""
    for name in [*os.environ]:
        if name.startswith("PG") or name in ("DATABASE_URL", "SESSIONDB_DATABASE_URL"):
            del os.environ[name]
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # by `nohup ... &`: programs that we start would inherit that
        signal.signal(signal.SIGINT, lambda *_: None)  # this they do not, and we go on as deaf as we were


def pytest_addoption(parser: pytest.Parser) -> None:
    """A test on one platform finds nearly all that it finds on six; the time of six is for servers and releases."""
    parser.addoption(
        "--platforms",
        type=lambda given: len(PLATFORMS) if given == "all" else int(given),
        default=1,
        metavar="N|all",
        help="run a test that is for several platforms on so many of them, which are not the same for every test (1)",
    )
    parser.addoption(
        "--slow",
        nargs="?",
        const=(0, 1),
        type=_one_part,
        metavar="PART/PARTS",
        help="run the tests that take long, too, or so large a part of them (--slow=0/2: the first half)",
    )
    parser.addoption("--citus-bindir", type=Path, metavar="DIR", help="programs of a server that has Citus")


def _one_part(given: str) -> tuple[int, int]:
    """Refuse a file that follows ``--slow``, which argparse takes for its value."""
    if not (found := re.fullmatch(r"(\d+)/([1-9]\d*)", given)) or int(found[1]) >= int(found[2]):
        raise argparse.ArgumentTypeError(f"not a part such as 0/2: {given!r}. Put --slow after the files")
    return int(found[1]), int(found[2])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many a test waits for a lock."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a worker that has nothing left to do take over from the others: some tests take a hundred times as long as most."""
    from xdist.scheduler import WorkStealingScheduling  # noqa: PLC0415  (it may not be there)

    return WorkStealingScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep of each test for several platforms those that its name chooses, of one with many like cases a part.

    Slow tests are for CI: without ``--slow`` they are left out, unless the command line names their file.
    """
    same: dict[str, list[pytest.Item]] = {}
    like: dict[str, list[pytest.Item]] = {}
    left_out: set[pytest.Item] = set()
    for item in items:
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        same.setdefault(item.nodeid.replace(str(params.get("platform")), "platform"), []).append(item)
    for name, of_platforms in same.items():
        first = zlib.crc32(name.encode()) % len(of_platforms)
        left_out |= {*[*of_platforms[first:], *of_platforms[:first]][config.getoption("platforms") :]}
    for item in items:
        if item not in left_out and item.get_closest_marker("like_cases"):
            like.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, cases in like.items():
        marker = cases[0].get_closest_marker("like_cases")
        left_out |= {*cases} - {
            *a_part(config, name, cases, (marker and marker.kwargs.get("one_in")) or len(PLATFORMS))
        }
    all_cases = config.getoption("platforms") >= len(PLATFORMS)
    names_files = config.args_source is pytest.Config.ArgsSource.ARGS
    chosen, parts = config.getoption("slow") or ((0, 1) if all_cases or names_files else (0, 0))
    for item in items:
        if item.get_closest_marker("slow") and not (parts and zlib.crc32(item.nodeid.encode()) % parts == chosen):
            left_out.add(item)
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


def a_part(config: pytest.Config, name: str, cases: Sequence[Case], one_in: int = len(PLATFORMS)) -> list[Case]:
    """As large a part of many like cases as a test is given of the platforms, or less of long ones, chosen by its name."""
    platforms = config.getoption("platforms")
    share = 1 if platforms >= len(PLATFORMS) else platforms / one_in
    chosen = random.Random(name).sample(range(len(cases)), math.ceil(len(cases) * share))
    return [cases[number] for number in sorted(chosen)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures that tests have recorded with record_property; README's table of guarantees quotes them."""
    reports = terminalreporter.stats.get("passed", [])
    figures = [f"{name}: {value}" for report in reports for name, value in report.user_properties if " " in name]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(sorted(figures)))


@pytest.fixture(scope="session", autouse=True)
def _cut_each_file_once() -> Iterator[None]:
    """Reading the migrations takes sqlparse 0.1 s, and the tests do it hundreds of times."""
    cut = functools.cache(sqlparse.split)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlparse, "split", lambda text: [*cut(text)])
        yield


@dataclass(frozen=True)
class PlatformDatabase:
    """A database with a platform in it, for one test."""

    platform: Platform
    name: str
    cluster: Cluster

    def conninfo(self, user: str | None = None) -> str:
        """How to connect as ``user``, or as the superuser."""
        database = make_conninfo(self.cluster.admin, dbname=self.name)
        if user is None:
            return database
        if self.cluster.server is None:  # it may want a password that this role lacks: log in, then become it
            return make_conninfo(database, options=f"-c role={user}")
        return make_conninfo(database, user=user)

    def connect(self, user: str | None = None, *, autocommit: bool = True) -> Connection:
        """Connect as ``user``, or as the superuser; to be used in a ``with`` statement."""
        return psycopg.connect(self.conninfo(user), autocommit=autocommit)

    def database(self, user: str | None = None) -> Database:
        """The database as sessiondb sees it, for ``user`` or for the owner of the platform's tables."""
        return Database(self.conninfo(user or self.platform.owner), self.platform.schema)

    def apply(self, to: str | None = None, course_path: str | None = None, staff: str | None = None) -> list[str]:
        """Apply as the owner."""
        with self.database().connect(Choices(course_path, staff=staff)) as connection:
            return Runner(connection).apply(to, course_path)

    def rollback(self, to: str | None = None) -> list[str]:
        """Roll back as the owner, everything unless ``to`` is given."""
        with self.database().connect() as connection:
            return Runner(connection).rollback(to)


@contextmanager
def held(db: PlatformDatabase, seconds: float, *statements: str) -> Iterator[None]:
    """Another session has done this in a transaction, and commits it only after a while."""
    with db.connect(autocommit=False) as other:
        other.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        for statement in statements:
            assert other.execute(trusted(statement)).rowcount > 0
        timer = threading.Timer(seconds, other.commit)
        timer.start()
        try:
            yield
        finally:
            timer.join()


@dataclass(frozen=True)
class Cluster:
    """The server; ``admin`` is its superuser's conninfo, ``server`` is None where it is someone's own."""

    admin: str
    prefix: str
    server: Server | None
    templates: dict[tuple[str, bool], str] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    stack: ExitStack = field(default_factory=ExitStack)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    kept: list[Connection] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """The superuser's, for what is about whole databases; kept, since to make one takes as long as to copy one."""
        if not self.kept or self.kept[-1].closed:
            self.kept.append(psycopg.connect(self.admin, autocommit=True))
        return self.kept[-1]

    def execute(self, statement: LiteralString, *names: str) -> None:
        """Run a statement that is about a whole database or a role."""
        self.connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def new_database(self, platform: Platform, template: str = "template1") -> Iterator[PlatformDatabase]:
        """A copy of a database, dropped afterwards."""
        database = PlatformDatabase(platform, f"{self.prefix}_{next(self.numbers)}", self)
        # without the default WAL_LOG it takes half the time; its checkpoints cost nothing where fsync is off
        files: LiteralString = " STRATEGY FILE_COPY" if self.server and self.server.version >= 15 else ""
        self.execute("CREATE DATABASE {} TEMPLATE {}" + files, database.name, template)
        try:
            yield database
        finally:
            self.end_connections(database.name)
            self.execute("DROP DATABASE {} WITH (FORCE)", database.name)

    def end_connections(self, name: str) -> None:
        """End those to a database, and wait until they are gone: DROP DATABASE sleeps 100 ms if one is still ending."""
        ended = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a WHERE a.datname = %s"
        patience = time.monotonic() + 5
        while self.connection.execute(ended, [name]).rowcount and time.monotonic() < patience:
            time.sleep(0.001)

    @contextmanager
    def clone(self, platform: Platform, *, installed: bool) -> Iterator[PlatformDatabase]:
        """A database with the platform, and with sessiondb if ``installed``."""
        if (platform.name, installed) not in self.templates:
            template = self.clone(platform, installed=False) if installed else self.new_database(platform)
            database = self.stack.enter_context(template)
            if installed:
                database.apply()
            else:
                self._load(database)
            self.templates[platform.name, installed] = database.name
        with self.new_database(platform, self.templates[platform.name, installed]) as database:
            platform.grant_create(self.connection, database.name)
            yield database

    def _load(self, database: PlatformDatabase) -> None:
        roles = "SELECT rolname FROM pg_catalog.pg_roles"
        with database.connect() as connection:
            before = {name for (name,) in connection.execute(roles)}
            database.platform.load(connection)
            self.roles.update(name for (name,) in connection.execute(roles) if name not in before)

    def close(self) -> None:
        """Drop the templates, then the roles that the platforms made, where no other test run needs them."""
        self.stack.close()
        for role in self.roles:
            with suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.UndefinedObject):
                self.execute("DROP ROLE {}", role)
        self.connection.close()


def _has_own_server(config: pytest.Config) -> bool:
    """Whether the user names a server, on the command line or in an ini file."""
    defaults = {"host": "127.0.0.1", "port": None, "user": "postgres", "password": None}
    return any(
        config.getoption(f"postgresql_{name}") or (config.getini(f"postgresql_{name}") or default) != default
        for name, default in defaults.items()
    )


@pytest.fixture(scope="session")
def ephemeral(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """The ephemeral server, handed over to pytest-postgresql; None where the user has one of their own."""
    if _has_own_server(request.config):
        yield None
        return
    option = request.config.option
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**31:
            patch.setattr(tempfile, "tempdir", str(MEMORY))  # a clone takes 10 ms here and 50 ms on a disk
        server = stack.enter_context(ephemeral_server(option.postgresql_exec))
        patch.undo()
        option.postgresql_host, option.postgresql_port = str(server.socket_dir), server.port
        option.postgresql_user = server.user
        yield server


@pytest.fixture(scope="session")
def cluster(ephemeral: Server | None, postgresql_noproc: Any) -> Iterator[Cluster]:
    """The server; ``ephemeral`` comes first, so that ``postgresql_noproc`` finds its address."""
    given = {name: getattr(postgresql_noproc, name) or None for name in ("host", "port", "user", "password", "options")}
    maintenance = getattr(postgresql_noproc, "maintenance_dbname", "postgres")  # pytest-postgresql >= 9
    cluster = Cluster(make_conninfo("", dbname=maintenance, **given), postgresql_noproc.dbname, ephemeral)
    if cluster.connection.info.server_version < 150000:  # as later versions have it; our checks warn of it
        with psycopg.connect(make_conninfo(cluster.admin, dbname="template1"), autocommit=True) as connection:
            connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield cluster
    cluster.close()


@pytest.fixture(params=[*PLATFORMS.values()], ids=str)
def platform(request: pytest.FixtureRequest) -> Platform:
    """Each of the platforms in turn."""
    platform: Platform = request.param
    return platform


@pytest.fixture
def new_role(cluster: Cluster) -> Iterator[str]:
    """A role without any rights. Ask for it before the database, so that it is dropped after what it has there."""
    name = f"{cluster.prefix}_role"
    cluster.execute("CREATE ROLE {} LOGIN", name)
    yield name
    cluster.execute("DROP ROLE {}", name)


@pytest.fixture
def platform_db(cluster: Cluster, platform: Platform) -> Iterator[PlatformDatabase]:
    """The platform as it was found."""
    with cluster.clone(platform, installed=False) as database:
        yield database


@pytest.fixture
def installed_db(cluster: Cluster, platform: Platform) -> Iterator[PlatformDatabase]:
    """The platform with sessiondb applied."""
    with cluster.clone(platform, installed=True) as database:
        yield database


@pytest.fixture
def part(request: pytest.FixtureRequest) -> Part:
    """``part(cases)``: as large a part of many like cases as the test is given of the platforms, chosen by its name."""
    return functools.partial(a_part, request.config, request.node.nodeid)


@pytest.fixture
def dump(cluster: Cluster) -> Callable[..., str]:
    """``dump(db, exclude_sessiondb=False)``: the schema of a database as pg_dump writes it."""
    with psycopg.connect(cluster.admin) as connection:
        needed = connection.info.server_version // 10000
    pg_dump = next(filter(lambda path: _major(path) >= needed, _pg_dumps(cluster.server)), None)
    if pg_dump is None:
        pytest.skip(f"no pg_dump of PostgreSQL {needed} or later on the PATH")

    def dump(database: PlatformDatabase, exclude_sessiondb: bool = False) -> str:
        command = [str(pg_dump), "--schema-only", *(["--exclude-schema=sessiondb"] if exclude_sessiondb else [])]
        conninfo = conninfo_to_dict(database.conninfo())
        password = str(conninfo.pop("password", ""))
        run = subprocess.run(
            [*command, "--dbname", make_conninfo("", **conninfo)],
            env={**os.environ, "PGPASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return re.sub(r"^\\(un)?restrict .*\n", "", run.stdout, flags=re.MULTILINE)

    return dump


def _pg_dumps(server: Server | None) -> Iterator[Path]:
    """The pg_dump that came with the server, else those that may be new enough for it."""
    if server:
        yield server.bindir / "pg_dump"
    elif found := shutil.which("pg_dump"):
        yield Path(found)
    with suppress(ServerNotFound):
        yield find_bindir() / "pg_dump"


def _major(pg_dump: Path) -> int:
    try:
        version = subprocess.run([pg_dump, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"\) (\d+)", version)
    return int(match.group(1)) if match else 0
