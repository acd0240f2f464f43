"""How the cost of a row grows with the number of sessions, organisations, members and rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.measure import alternate, compare
from benchmarks.platform import Size, run
from benchmarks.server import Server
from sessiondb.connection import Connection, trusted

TABLE_SIZE = "rows of submissions"

ENROLL = """
INSERT INTO enrollments (user_id, course_id)
SELECT user_id, course_id FROM bench.growth WHERE axis = %s AND size = %s
"""
ENROLL_IN_THE_OLDEST = """
INSERT INTO enrollments (user_id, course_id, session_id)
SELECT user_id, course_id, session_id FROM bench.growth WHERE axis = %s AND size = %s
"""
SUBMIT = """
INSERT INTO submissions (user_id, exercise_id)
SELECT g.user_id, x.id FROM bench.growth AS g JOIN exercises AS x USING (course_id) WHERE g.axis = %s AND g.size = %s
"""
SUBMIT_AMONG_OTHERS = """
INSERT INTO submissions (user_id, exercise_id) SELECT user_id, exercise_id FROM bench.rows WHERE n < %s
"""


def measure(server: Server, size: Size, rounds: int, rows: int, largest: int) -> dict[str, Any]:
    """Return for each axis and table the microseconds per row at each size, as ratios to the smallest."""
    result: dict[str, Any] = {}
    with server.connect(server.create("growth", "linked")) as connection:
        run(connection, "growth.sql", growth_rows=rows, growth_max=largest)
        connection.execute("VACUUM (ANALYZE)")
        steps = connection.execute("SELECT DISTINCT axis, size FROM bench.growth ORDER BY axis, size").fetchall()
        for axis in dict.fromkeys(axis for axis, _ in steps):
            sizes = [size for of, size in steps if of == axis]
            result[axis] = {
                table: compare(
                    alternate({str(n): partial(insert, connection, axis, n, rows) for n in sizes}, rounds),
                    str(sizes[0]),
                )
                for table, insert in {"enrollments": _enroll, "submissions": _submit}.items()
            }
    server.drop("growth")
    result[TABLE_SIZE] = _table_size(server, size, rounds, rows)
    return result


def _enroll(connection: Connection, axis: str, size: int, rows: int) -> float:
    connection.execute("VACUUM enrollments")
    with connection.transaction(force_rollback=True):
        return _timed(connection, ENROLL, (axis, size), rows)


def _submit(connection: Connection, axis: str, size: int, rows: int) -> float:
    """Submit as students whose enrolment is in the oldest of the active sessions."""
    connection.execute("VACUUM enrollments, submissions")
    with connection.transaction(force_rollback=True):
        connection.execute(ENROLL_IN_THE_OLDEST, (axis, size))
        return _timed(connection, SUBMIT, (axis, size), rows)


def _table_size(server: Server, size: Size, rounds: int, rows: int) -> dict[str, Any]:
    """Insert into tables of different size, each in a database of its own, with the triggers and without any."""
    sizes = [n for n in (10_000, 100_000, 1_000_000, 10_000_000) if n < size.submissions] + [size.submissions]
    with ExitStack() as stack:
        variants: dict[str, dict[str, Callable[[], float]]] = {"submissions": {}, "submissions without triggers": {}}
        for number in sizes:
            name = server.create(f"rows_{number}", "linked")
            stack.callback(server.drop, name)
            connection = stack.enter_context(server.connect(name))
            if number < size.submissions:
                connection.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM submissions LIMIT %s", [number])
                with connection.transaction():
                    connection.execute("TRUNCATE submissions")
                    connection.execute("ALTER TABLE submissions DISABLE TRIGGER USER")
                    connection.execute("CALL bench.load('submissions', 'INSERT INTO submissions SELECT * FROM kept')")
                    connection.execute("ALTER TABLE submissions ENABLE TRIGGER USER")
                connection.execute("DROP TABLE kept")
                connection.execute("REINDEX TABLE submissions")  # as dense as those of the table that is whole
                connection.execute("VACUUM (ANALYZE) submissions")
            for table, triggers in zip(variants, ("ENABLE", "DISABLE"), strict=True):
                variants[table][str(number)] = partial(
                    _submit_among_others, connection, min(rows, size.bulk_rows), triggers
                )
        return {table: compare(alternate(of_table, rounds), str(sizes[0])) for table, of_table in variants.items()}


def _submit_among_others(connection: Connection, rows: int, triggers: str) -> float:
    connection.execute("VACUUM submissions")
    with connection.transaction(force_rollback=True):
        connection.execute(trusted(f"ALTER TABLE submissions {triggers} TRIGGER USER"))
        return _timed(connection, SUBMIT_AMONG_OTHERS, (rows,), rows)


def _timed(connection: Connection, statement: str, values: tuple[object, ...], rows: int) -> float:
    begin = time.perf_counter()
    connection.execute(trusted(statement), values)
    return (time.perf_counter() - begin) * 1e6 / rows
