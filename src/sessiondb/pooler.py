"""Poolers between sessiondb and the server, and the one kind that does not work."""

from __future__ import annotations

import selectors
from typing import Any

import psycopg

from sessiondb.errors import Finding, PlatformRefusedError

_PATIENCE = 4
"""How many seconds to wait for a second connection."""

_ROUNDS = 3


def backend_pid(connection: psycopg.Connection[Any]) -> int:
    """Return the pid of the server process that answers; a pooler invents the one that libpq knows."""
    ((pid,),) = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchall()
    return int(pid)


def require_own_backend(connection: psycopg.Connection[Any]) -> None:
    """Refuse a pooler that gives every transaction another server connection.

    The advisory lock, the settings and the search_path of a run belong to one server connection: such
    a pooler would lose them and pass them on to another client. Nothing is set here.

    A connection that can be cancelled by the pid that the server reported is the server itself. A pooler must invent
    a pid; it is detected if our transactions run in several server processes, or if a second client
    gets the one that we still use.

    Args:
        connection: in autocommit mode.

    Raises:
        PlatformRefusedError: the connection is pooled by transaction or by statement.
    """
    own = {backend_pid(connection)}
    if own == {connection.info.backend_pid}:
        return
    # more than once, because other clients of the pool may interfere
    for _ in range(_ROUNDS):
        own.add(backend_pid(connection))
        other = second_connection(connection)
        if other is None:  # the pool reserves our server connection and has no other
            return
        with other:
            another = backend_pid(other)
        own.add(backend_pid(connection))
        if len(own) > 1 or another in own:
            raise refusal()


def refusal() -> PlatformRefusedError:
    """Return the error of a connection that is pooled by transaction or by statement."""
    detail = "A pooler gives every transaction another server connection, so locks would be lost between transactions."
    fix = "Connect directly to the server, or to a pool in session mode."
    return PlatformRefusedError([Finding("pooler", "error", "connection", detail, fix)])


def second_connection(connection: psycopg.Connection[Any]) -> psycopg.Connection[tuple[Any, ...]] | None:
    """Open another connection like this one, in autocommit mode; None if none is available soon.

    The server or the role may not allow more. A pooler that has none left makes the first query wait for
    minutes; psycopg cannot limit that wait, so the query is sent through libpq.
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
