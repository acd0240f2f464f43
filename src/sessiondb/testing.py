"""For the tests of a platform: an ephemeral PostgreSQL with its schema and sessiondb, a new copy for each test.

With this line in the platform's conftest.py

    postgresql_proc = sessiondb.testing.postgresql_server(load=[Path("schema.sql"), sessiondb.testing.load()])

the fixture ``postgresql`` of pytest-postgresql is a connection to such a copy. docs/testing.md has a complete
example. This is the only module that imports pytest.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from sessiondb.connection import trusted
from sessiondb.database import Choices, Database
from sessiondb.embedded import Server, ephemeral_server
from sessiondb.migrate import Runner

MEMORY = Path("/dev/shm")  # noqa: S108  (a mkdtemp there)

Loader = Callable[..., object]
"""Fills a database; called with host, port, user, dbname and password, and possibly more in later versions."""


@dataclass(frozen=True)
class Process:
    """A running server, with all attributes that the client fixtures of pytest-postgresql 7 and later read."""

    host: str
    port: int
    user: str
    dbname: str
    version: int
    password: str | None = None
    options: str = ""
    maintenance_dbname: str = "postgres"

    @property
    def template_dbname(self) -> str:
        """The database of which every test gets a copy."""
        return f"{self.dbname}_tmpl"


def postgresql_server(
    *, load: Sequence[Loader | Path] = (), dbname: str = "tests", bindir: Path | str | None = None
) -> Any:
    """Return a session fixture: an ephemeral PostgreSQL server, also for root, which ends with the test run.

    If you name it ``postgresql_proc``, pytest-postgresql's own fixture ``postgresql`` uses it; pass another
    name to ``factories.postgresql(name)`` or ``factories.postgresql_noproc(depends_on=name)``.

    Args:
        load: fills the template database: SQL files, including those of pg_dump, and callables.
        dbname: the name of the copy that a test gets.
        bindir: the directory with initdb, pg_ctl and postgres; by default the one that pip installed, then the PATH.

    Raises:
        ServerNotFound: when the fixture is used, if no PostgreSQL server is installed.
    """

    @pytest.fixture(scope="session")
    def postgresql_server_fixture() -> Iterator[Process]:
        """An ephemeral PostgreSQL server."""
        with _server_in_memory(bindir) as server:
            address: dict[str, Any] = {"host": str(server.socket_dir), "port": server.port, "user": server.user}
            process = Process(**address, dbname=dbname, version=server.version)
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(process.template_dbname)))
            for element in load:
                loader = partial(_load_file, element) if isinstance(element, Path) else element
                loader(**address, dbname=process.template_dbname, password=process.password)
            yield process

    return postgresql_server_fixture


def load(*, schema: str = "public", course_path: str | None = None, adopt: bool = False) -> Loader:
    """Return a loader that applies sessiondb, for the ``load=[...]`` of any of pytest-postgresql's fixtures.

    Args:
        schema: the schema of the platform's tables, as ``--schema``.
        course_path: the columns from a submission to its course, as ``--course-path``.
        adopt: replace the platform's own triggers that write session_id, as ``--adopt``.
    """
    return partial(apply, schema=schema, course_path=course_path, adopt=adopt)


def apply(
    *,
    host: str,
    port: int | str,
    user: str,
    dbname: str,
    password: str | None = None,
    schema: str = "public",
    course_path: str | None = None,
    adopt: bool = False,
    **_further: object,
) -> None:
    """Apply sessiondb; also a loader by name: ``pytest --postgresql-load sessiondb.testing.apply``.

    Raises:
        SessiondbError: as ``sessiondb apply``, with the same message.
    """
    conninfo = make_conninfo("", host=host, port=port, user=user, dbname=dbname, password=password)
    with Database(conninfo, schema).connect(Choices(course_path, adopt)) as connection:
        Runner(connection).apply(course_path=course_path)


@contextmanager
def _server_in_memory(bindir: Path | str | None) -> Iterator[Server]:
    """Run an ephemeral server in memory, where copies are faster, if there is room and TMPDIR is not set.

    Not if files there cannot be executed, as in Docker: for root, the programs may be copied there.
    """
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        fits = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**31
        if fits and "TMPDIR" not in os.environ and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
            patch.setattr(tempfile, "tempdir", str(MEMORY))
        server = stack.enter_context(ephemeral_server(bindir))
        patch.undo()
        yield server


def _load_file(path: Path, **address: Any) -> None:
    """Run an SQL file, without the psql commands that pg_dump adds."""
    text = re.sub(r"^\\(un)?restrict .*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    with psycopg.connect(**address) as connection:
        connection.execute(trusted(text))
