"""Other ways to write the triggers, measured beside those that are shipped."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.insert import SENT
from benchmarks.measure import alternate, compare
from benchmarks.platform import SQL, run
from benchmarks.server import Server
from sessiondb.connection import Connection, trusted

TRIGGERS = {"enrollments": "enrollment", "submissions": "submission"}


def measure(server: Server, rounds: int, rows: int) -> dict[str, Any]:
    """Return the microseconds of a processor per row of each form, for each table."""
    result = {}
    with server.connect(server.create("forms", "linked")) as connection:
        for table in TRIGGERS:
            forms = sorted(path.stem.split("-")[1] for path in (SQL / "forms").glob(f"{table}-*.sql"))
            variants = {
                form: partial(_insert, server, connection, table, form, rows) for form in ("floor", "shipped", *forms)
            }
            result[table] = compare(alternate(variants, rounds), "floor")
    server.drop("forms")
    return result


def _insert(server: Server, connection: Connection, table: str, form: str, rows: int) -> float:
    """Put the form in the place of the trigger, insert, and roll both back."""
    columns, values, session = SENT[table]
    if form == "floor":
        columns, values = f"{columns}, session_id", f"{values}, {session}"
    statement = f"INSERT INTO {table} ({columns}) SELECT {values} FROM bench.rows WHERE n >= %s AND n < %s"
    connection.execute(trusted(f"VACUUM {table}"))
    with connection.transaction(force_rollback=True):
        if form == "floor":
            run(connection, "no_triggers.sql")
        elif form != "shipped":
            run(connection, f"forms/{table}-{form}.sql")
            connection.execute(
                trusted(
                    f"CREATE OR REPLACE TRIGGER zzz_sessiondb_link_{TRIGGERS[table]} BEFORE INSERT ON {table} "
                    "FOR EACH ROW WHEN (NEW.session_id IS NULL) EXECUTE FUNCTION bench.form()"
                )
            )
        connection.execute(trusted(statement), [0, 20])  # its plans are made
        begin = server.processor_seconds(connection)
        connection.execute(trusted(statement), [20, 20 + rows])
        return (server.processor_seconds(connection) - begin) * 1e6 / rows
