"""What one INSERT costs: the floor, sessiondb, the application, and the guide's approach written by hand."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.measure import alternate, compare
from benchmarks.platform import SQL, Size, run
from benchmarks.server import PREFIX, Server
from sessiondb.connection import Connection, trusted

TABLES = ("enrollments", "submissions")


@dataclass(frozen=True)
class Clients:
    """How many insert at the same time, and for how long each waits besides, asleep, in microseconds.

    For each statement that it sends, and for each commit to be on the disk: here they are next to the server.
    """

    number: int
    round_trip_us: int = 0
    flush_us: int = 0


CLIENTS = {
    "1 client": Clients(1),
    "8 clients": Clients(8),
    "1 client on a network": Clients(1, round_trip_us=500, flush_us=1000),
}
DATABASES = {"floor": "plain", "sessiondb": "triggers", "application": "plain", "naive": "by_hand"}
"""Each variant's database; those that differ in what the client sends only share one."""

SENT = {
    "enrollments": ("user_id, course_id", "user_id, new_course_id", "new_session_id"),
    "submissions": ("user_id, exercise_id, content", "user_id, exercise_id, 'print(42)'", "session_id"),
}
"""For each table the columns, where bench.rows has them, and where it has the session."""


def measure(
    server: Server,
    size: Size,
    rounds: int,
    lasting: str,
    variants: Sequence[str] = (*DATABASES,),
    clients: Sequence[str] = (*CLIENTS,),
) -> dict[str, Any]:
    """Measure single rows in transactions of their own, and many rows in one statement.

    Args:
        server: has the database ``linked``.
        size: of the platform.
        rounds: how often the variants take turns.
        lasting: how long each run of pgbench goes on, as its option.
        variants: which of DATABASES.
        clients: which of CLIENTS.
    """
    databases = {DATABASES[variant] for variant in variants}
    for name in databases:
        server.create(name, "linked")
        with server.connect(name) as connection:
            if name != "triggers":
                run(connection, "no_triggers.sql")
            if name == "by_hand":
                run(connection, "naive.sql")
    result: dict[str, Any] = {"single": {}, "bulk": {}}
    for table in TABLES:
        result["bulk"][table] = {way: _bulk(server, table, way, rounds, variants) for way in ("select", "copy")}
    for table in TABLES:
        result["single"][table] = {
            name: _single(server, size, table, CLIENTS[name], rounds, lasting, variants) for name in clients
        }
    for name in databases:
        server.drop(name)
    return result


def _single(
    server: Server, size: Size, table: str, clients: Clients, rounds: int, lasting: str, variants: Sequence[str]
) -> dict[str, Any]:
    scripts = {"floor": "floor", "sessiondb": "trigger", "application": "application", "naive": "trigger"}
    runs = {
        name: partial(_pgbench, server, size, DATABASES[name], f"{table}-{scripts[name]}.pgbench", clients, lasting)
        for name in variants
    }
    return compare(alternate(runs, rounds), "floor")


def _pgbench(server: Server, size: Size, database: str, script: str, clients: Clients, lasting: str) -> float:
    """Return the transactions per second."""
    defined = [f"--define={name}={value}" for name, value in {**asdict(size), **asdict(clients)}.items()]
    clients_and_threads = [f"-c{clients.number}", f"-j{min(clients.number, 2)}"]
    command = [str(server.pgbench()), "-n", "-M", "prepared", *clients_and_threads, lasting]
    with server.connect(database) as connection:
        connection.execute("VACUUM enrollments, submissions")
        connection.execute("CHECKPOINT")
    done = subprocess.run(
        [*command, *defined, "-f", str(SQL / script), server.conninfo(database)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise RuntimeError(f"pgbench {script} on {PREFIX}{database} failed: {done.stderr}")
    return float(found.group(1))


def _bulk(server: Server, table: str, way: str, rounds: int, variants: Sequence[str]) -> dict[str, Any]:
    """Return the microseconds per row of inserting all of bench.rows at once, which no application can help with."""
    with ExitStack() as stack:
        runs: dict[str, Callable[[], float]] = {}
        for name in variants:
            if name != "application":
                connection = stack.enter_context(server.connect(DATABASES[name]))
                runs[name] = partial(_insert, connection, *_statement(connection, table, way, name == "floor"), table)
        return compare(alternate(runs, rounds), "floor")


def _statement(connection: Connection, table: str, way: str, with_session: bool) -> tuple[str, list[bytes]]:
    """Return the statement, and for COPY what is sent."""
    columns, rows, session = SENT[table]
    if with_session:
        columns, rows = f"{columns}, session_id", f"{rows}, {session}"
    query = f"SELECT {rows} FROM bench.rows ORDER BY n"
    if way == "select":
        return f"INSERT INTO {table} ({columns}) {query}", []
    with connection.cursor().copy(trusted(f"COPY ({query}) TO STDOUT")) as copy:
        return f"COPY {table} ({columns}) FROM STDIN", [*_chunks(b"".join(map(bytes, copy)))]


def _chunks(data: bytes, length: int = 1 << 16) -> Iterator[bytes]:
    for begin in range(0, len(data), length):
        yield data[begin : begin + length]


def _insert(connection: Connection, statement: str, data: list[bytes], table: str) -> float:
    """Insert and roll back, so that every round finds the same table."""
    connection.execute(trusted(f"VACUUM {table}"))
    with connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        begin = time.perf_counter()
        if data:
            with cursor.copy(trusted(statement)) as copy:
                for chunk in data:
                    copy.write(chunk)
        else:
            cursor.execute(trusted(statement))
        return (time.perf_counter() - begin) * 1e6 / cursor.rowcount
