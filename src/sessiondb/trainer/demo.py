"""A believable school on an embedded PostgreSQL, for who wants to see the page before there is a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from sessiondb import resources
from sessiondb.connection import trusted
from sessiondb.database import Database
from sessiondb.embedded import ephemeral_server
from sessiondb.migrate import Runner


@contextmanager
def school() -> Iterator[str]:
    """Yield the address of a database with the school, gone at the end.

    Raises:
        ServerNotFound: no PostgreSQL server is installed here.
    """
    with ephemeral_server() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform")
        dsn = server.dsn("platform")
        fill(dsn)
        yield dsn


def fill(dsn: str) -> None:
    """Create the reference platform with the school in an empty database, and sessiondb half-way."""
    before, after = Path(__file__).with_name("demo.sql").read_text(encoding="utf-8").split("-- apply\n")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(trusted(resources.reference_platform()))
        connection.execute(trusted(before))
        with Database(dsn).connect() as ours:
            Runner(ours).apply()
        connection.execute(trusted(after))
