"""The reference platform at scale, with sessiondb or without."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from psycopg import sql

from benchmarks.server import Server
from sessiondb import resources
from sessiondb.connection import Connection, trusted
from sessiondb.database import Database
from sessiondb.migrate import Runner

SQL = Path(__file__).with_name("sql")


@dataclass(frozen=True)
class Size:
    """How big the platform is; there are two sessions of each course in each organisation."""

    users: int
    orgs: int
    courses: int
    submissions: int
    bulk_rows: int

    @classmethod
    def of_scale(cls, scale: float, rows: int) -> Size:
        """Return the size with so many times 1 M submissions and 100 k users."""
        users, submissions = max(int(100_000 * scale), 1000), max(int(1_000_000 * scale), 1000)
        return cls(users, max(int(500 * min(scale, 1)), 5), 100, submissions, min(rows, users))


QUICK = Size(users=500, orgs=5, courses=20, submissions=1000, bulk_rows=200)

DATABASES = ("platform", "unlinked", "linked")
"""What the benchmarks copy: without sessiondb; with it, and no row has a session; all have theirs."""


def run(connection: Connection, file: str, **settings: object) -> None:
    """Run a file below benchmarks/sql/, with settings ``bench.NAME`` that it may read."""
    for name, value in settings.items():
        connection.execute(sql.SQL("SET {} TO {}").format(sql.Identifier("bench", name), sql.Literal(str(value))))
    connection.execute(trusted((SQL / file).read_text(encoding="utf-8")))


def build(server: Server, size: Size, names: Collection[str]) -> None:
    """Make those of DATABASES that are named, and ``platform``, which they come from."""
    with server.connect(server.create("platform")) as connection:
        connection.execute(trusted(resources.reference_platform()))
        run(connection, "platform.sql", **asdict(size))
        connection.execute("VACUUM (ANALYZE)")
    if "unlinked" in names:
        install(server, server.create("unlinked", "platform"))
    if "linked" in names:
        with server.connect(server.create("linked", "platform")) as connection:
            run(connection, "linked.sql", **asdict(size))
        install(server, "linked")


def install(server: Server, name: str) -> None:
    """Apply sessiondb."""
    with Database(server.conninfo(name), "public").connect() as connection:
        Runner(connection).apply()
        connection.execute("VACUUM (ANALYZE)")
