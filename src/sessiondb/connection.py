"""A connection, the two kinds of transactions of our SQL, and what else is done with a connection alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

Connection = psycopg.Connection[tuple[Any, ...]]

OUR_PATH = "pg_catalog, pg_temp"
"""The search_path of all SQL that touches no table of the platform (see :func:`platform_path`)."""

SILENCE = 3
"""The server ends a client that is silent for this many seconds: other sessions may be waiting for its locks.

The client may be suspended, or the network may be down; see :func:`rest` for a client that only waits.
"""


def trusted(text: str) -> LiteralString:
    """Return SQL that comes from our own files, marked as such for psycopg's type."""
    return text


def set_our_path(connection: Connection) -> None:
    """Set :data:`OUR_PATH`, in the open transaction or, without one, from now on.

    After a transaction that ran the platform's code, too: a function of it may have set another one for the session.
    """
    local = "LOCAL " * (connection.info.transaction_status != TransactionStatus.IDLE)
    connection.execute(trusted(f"SET {local}search_path TO {OUR_PATH}"))


@contextmanager
def catalogs(connection: Connection) -> Iterator[None]:
    """Open a read-only transaction, or join the open one, for queries that read only the catalogs.

    They join many small tables: to plan more join orders than this takes longer than to run any of them.
    """
    is_nested = connection.info.transaction_status != TransactionStatus.IDLE
    with connection.transaction():
        connection.execute("SET LOCAL transaction_read_only TO on")
        connection.execute("SET LOCAL from_collapse_limit TO 4; SET LOCAL join_collapse_limit TO 4")
        yield
        if is_nested:
            connection.execute("SET LOCAL from_collapse_limit TO DEFAULT; SET LOCAL join_collapse_limit TO DEFAULT")


def set_platform_path(connection: Connection) -> None:
    """Set the search_path that the platform's own code expects, in the open transaction or, without one, from now on.

    It is the initial one of the connection as it was understood then (the setting ``sessiondb.platform_path``). Not
    ``DEFAULT``: any role that may create schemas could create the one that ``"$user"`` means while a command runs.
    """
    is_local = connection.info.transaction_status != TransactionStatus.IDLE
    connection.execute(
        "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('sessiondb.platform_path'), %s)",
        [is_local],
    )


@contextmanager
def platform_path(connection: Connection) -> Iterator[None]:
    """Open a transaction, or join the open one, under the initial search_path of the connection.

    SQL that touches the platform's tables runs the platform's policies, triggers, defaults, event triggers and
    inlined functions, which expect this path. Every name in our own SQL that runs here is qualified.
    """
    before = None
    if connection.info.transaction_status != TransactionStatus.IDLE:
        ((before,),) = connection.execute("SELECT pg_catalog.current_setting('search_path')").fetchall()
    with connection.transaction():
        set_platform_path(connection)
        yield
        if before is not None:
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [before])
    if before is None:
        set_our_path(connection)


def named_path(schemas: Sequence[str]) -> str:
    """Return a search_path of these schemas, with those of temporary objects last."""
    named = [sql.Identifier(name).as_string(None) for name in schemas if not name.startswith("pg_temp")]
    return ", ".join([*named, "pg_temp"])


def place(connection: Connection) -> str:
    """Describe the database, the server and the role of a connection."""
    ((role,),) = connection.execute("SELECT current_user").fetchall()
    info = connection.info
    return f"database {info.dbname} on {info.host or 'localhost'}:{info.port}, as role {role}"


def platform_schema(connection: Connection) -> str:
    """Return the name of the platform's schema, from the setting ``sessiondb.schema``."""
    ((schema,),) = connection.execute("SELECT pg_catalog.current_setting('sessiondb.schema')").fetchall()
    return str(schema)


def rest(connection: Connection, seconds: float) -> None:
    """Wait, but keep the connection alive: the server ends it after :data:`SILENCE` without a message."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SILENCE / 6))
        if left > SILENCE / 6:
            connection.execute("SELECT")
