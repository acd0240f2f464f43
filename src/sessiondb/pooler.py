"""Poolers between us and the server, and the one kind that we cannot work through."""

from __future__ import annotations

import selectors
from typing import Any

import psycopg

from sessiondb.errors import Finding, PlatformRefusedError

_PATIENCE = 4
"""So many seconds are waited for a second connection."""

_ROUNDS = 3


def backend_pid(connection: psycopg.Connection[Any]) -> int:
    """Return the pid of the server process that answers; a pooler makes up the one that libpq knows."""
    ((pid,),) = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchall()
    return int(pid)


def require_own_backend(connection: psycopg.Connection[Any]) -> None:
    """Refuse a pooler that gives every transaction another server connection.

    The advisory lock, the settings and the search_path of a run belong to one server connection: such
    a pooler would lose them, and hand them to the transaction of another client. Nothing is set here.

    A connection that can be cancelled by the pid that the server reported is the server itself. A pooler must invent
    a pid; it is detected when our transactions run in several server processes (where it takes them in
    turn), or when a second client is given the one that we still use.

    Args:
        connection: in autocommit mode.

    Raises:
        PlatformRefusedError: the connection is pooled by transaction or by statement.
    """
    own = {backend_pid(connection)}
    if own == {connection.info.backend_pid}:
        return
    # more than once, for other clients of the pool may have come in between
    for _ in range(_ROUNDS):
        own.add(backend_pid(connection))
        other = second_connection(connection)
        if other is None:  # the pool keeps our server connection for us, and has no further one
            return
        with other:
            another = backend_pid(other)
        own.add(backend_pid(connection))
        if len(own) > 1 or another in own:
            raise PlatformRefusedError(
                [
                    Finding(
                        "pooler",
                        "error",
                        "connection",
                        "A pooler gives every transaction another server connection, so a lock would be lost"
                        " between two of them.",
                        "Connect directly to the server, or to a pool in session mode.",
                    )
                ]
            )


def second_connection(connection: psycopg.Connection[Any]) -> psycopg.Connection[tuple[Any, ...]] | None:
    """Open another connection like the one given, in autocommit mode; None where none is to be had soon.

    The server or the role may allow no more. A pooler that has no more lets the first query wait, for
    minutes: psycopg cannot wait for a time only, so that query is sent through libpq.
    """
    info = connection.info
    try:
        other = psycopg.connect(
            info.dsn,
            password=info.password or None,
            autocommit=True,
            application_name="sessiondb watch",
            client_encoding="UTF8",
            connect_timeout=_PATIENCE,
        )
    except psycopg.Error:
        return None
    other.pgconn.send_query(b"SELECT")
    with selectors.DefaultSelector() as selector:
        selector.register(other.fileno(), selectors.EVENT_READ)
        if selector.select(_PATIENCE):
            while other.pgconn.get_result():
                pass
            return other
    other.close()
    return None
