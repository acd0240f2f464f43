"""What differs for a connection to a database whose tables Citus distributes."""

from __future__ import annotations

from sessiondb import resources
from sessiondb.connection import Connection, trusted


def look_at_citus(connection: Connection, *, local: bool) -> None:
    """Note in the setting ``sessiondb.citus`` whether the platform's tables are distributed."""
    connection.execute(trusted(resources.query("script/citus", str(local).lower())))


def is_distributed(connection: Connection) -> bool:
    """Return whether :func:`look_at_citus` found the platform's tables distributed."""
    return connection.execute("SELECT WHERE current_setting('sessiondb.citus', true) = 'distributed'").rowcount > 0


def bound_waits_on_workers(connection: Connection) -> None:
    """Bound, in the open transaction, how long a statement waits for a lock on a worker of Citus, as it is here."""
    ((timeout,),) = connection.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchall()
    connection.execute(
        trusted(
            f"SET LOCAL citus.propagate_set_commands TO local; SET LOCAL lock_timeout TO '{timeout}';"
            " SET LOCAL citus.propagate_set_commands TO none"
        )
    )
