"""What apply would run: as a list with the locks, or as a script for psql."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import sql

from sessiondb import checks, ledger, resources
from sessiondb.database import SPELLING, Connection, catalogs, trusted
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import EXPANDS

BLOCKS = {
    "ACCESS EXCLUSIVE": "reads and writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "SHARE": "writes",
    "SHARE UPDATE EXCLUSIVE": "other DDL and vacuum",
    "ROW EXCLUSIVE": "other DDL",
    "ROW SHARE": "DROP and the like",
    "ACCESS SHARE": "DROP and the like",
}
"""What a table lock keeps others from doing (PostgreSQL manual, 13.3.1, table 13.2)."""

Locks = dict[str, str]
"""Table to the mode of the lock on it."""


def plan(connection: Connection, migrations: Sequence[ledger.Migration]) -> list[dict[str, Any]]:
    """Return the statements that apply would run, by reading only.

    Args:
        connection: as :class:`sessiondb.database.Database` yields it.
        migrations: those to apply, as :func:`sessiondb.migrate.pending` returns them.

    Returns:
        one object a statement: ``migration``, ``statement``, ``transactional`` (it commits with the
        others of its migration, else by itself), ``locks`` on tables of the platform, each ``{"mode",
        "table", "blocks", "rows", "bytes"}`` and held until the commit, and ``scans``, the table that
        is read from end to end, or None. No statement rewrites a table. ACCESS SHARE, which every
        query takes, is not listed; ``rows`` is an estimate, None before the first ANALYZE.
    """
    with catalogs(connection):
        query = resources.with_function_bodies("SELECT w.relname FROM ({triggers_writing('session_id')}) AS w")
        adopted = {row[0] for row in connection.execute(trusted(query))}
        sizes = {
            table: (rows, size)
            for table, rows, size in connection.execute(trusted(resources.read("queries/table_sizes.sql")))
        }
    return [
        {
            "migration": migration.id,
            "statement": text,
            "transactional": migration.apply.transactional,
            "locks": [_lock(mode, table, *sizes.get(table, (None, None))) for table, mode in locks.items()],
            "scans": scans,
        }
        for migration in migrations
        for statement in migration.apply.statements
        for text, locks, scans in _expanded(connection, statement, adopted)
    ]


def _lock(mode: str, table: str, rows: int | None, size: int | None) -> dict[str, Any]:
    return {"mode": mode, "table": table, "blocks": BLOCKS[mode], "rows": rows, "bytes": size}


def _expanded(connection: Connection, statement: str, adopted: set[str]) -> list[tuple[str, Locks, str | None]]:
    """Return what would run for a statement of a migration: the text, its locks, the table it scans.

    A query that returns statements is answered by the body of its function, which stands alone, so
    that nothing of ours need be installed; it tells the locks of each. Where it returns none, the
    query is all that runs. The locks of any other statement are in the comment above it.
    """
    bare = re.sub(r"^--.*\n", "", statement, flags=re.MULTILINE).strip()
    call = re.fullmatch(r"SELECT s\.statement FROM sessiondb\.(\w+)\((.*)\) AS s;", bare, re.DOTALL)
    if call is None:
        comment = re.search(r"^-- lock( where there is such a trigger)?: ([A-Z ]+) on (\w+)$", statement, re.MULTILINE)
        if comment is None:
            return [(bare, {}, None)]
        condition, mode, table = comment.groups()
        return [(bare, {table: mode} if not condition or table in adopted else {}, None)]
    name, arguments = call.groups()
    with catalogs(connection):
        connection.execute(trusted(f"PREPARE sessiondb_plan AS {resources.function_body(name)}"))
        rows = connection.execute(trusted(f"EXECUTE sessiondb_plan ({arguments})")).fetchall()
        connection.execute("DEALLOCATE sessiondb_plan")
    return [(text, locks or {}, scans) for text, locks, scans in rows] or [(bare, {}, None)]


def script(schema: str, course_path: str | None, *, adopt: bool, lock_timeout: float) -> Iterator[str]:
    """Yield the lines of a psql script that does what apply does, ledger included, without a connection.

    It can be run again after it was stopped: what is applied is passed over.

    Args:
        schema: the platform's schema.
        course_path: the way from a submission to its course; found from the foreign keys when None.
        adopt: whether triggers of the platform that write session_id are taken over.
        lock_timeout: the longest wait for a lock, in seconds; the script stops there.
    """
    timeout = f"{lock_timeout * 1000:.0f}ms"
    settings = {
        "client_encoding": "UTF8",
        **SPELLING,
        "sessiondb.schema": schema,
        "sessiondb.course_path": course_path or "",
        "sessiondb.adopt": "on" if adopt else "",
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "client_min_messages": "notice" if adopt else "warning",
    }
    migrations = ledger.read_migrations(resources.MIGRATIONS)
    same_backend = resources.read("script/same_backend.sql").rstrip()
    yield resources.read("script/begin.sql").rstrip()
    yield same_backend  # before anything is set
    for name, value in settings.items():
        yield f"SET {name} TO {sql.Literal(value).as_string(None)};"
    yield f"SET search_path TO {sql.Identifier(schema).as_string(None)}, pg_temp;"
    yield "-- When psql is killed, its work ends within a second; a server on Windows cannot notice."
    yield (
        "DO $notice$ BEGIN SET client_connection_check_interval TO '1s';"
        " EXCEPTION WHEN invalid_parameter_value THEN NULL; END $notice$;"
    )
    yield resources.read("script/lock.sql").replace("{key}", str(ADVISORY_KEY)).rstrip()
    contents = ", ".join(f"('{migration.id}', '{migration.sha256}')" for migration in migrations)
    installed = resources.read("script/installed.sql").replace("{migrations}", contents)
    yield installed.replace("{count}", str(len(migrations))).rstrip()
    yield checks.preflight_script().rstrip()
    for number, migration in enumerate(migrations):
        yield f"\n\\echo {migration.id}"
        yield same_backend
        if number == 0:
            yield "SELECT NOT :'sessiondb_is_installed'::boolean AS sessiondb_is_pending \\gset"
        else:
            yield (
                "SELECT NOT EXISTS (SELECT FROM sessiondb._yoyo_migration"  # noqa: S608  (our own text)
                f" WHERE migration_id::text = '{migration.id}') AS sessiondb_is_pending \\gset"
            )
        yield "\\if :sessiondb_is_pending"
        yield f"SET lock_timeout TO '{timeout}';"
        if migration.apply.transactional:
            yield "BEGIN;"
        for statement in migration.apply.statements:
            if EXPANDS in statement:
                yield _expanding(statement, timeout)
            else:
                yield statement
        if not migration.apply.transactional:
            yield f"SET lock_timeout TO '{timeout}';\nBEGIN;"
        yield from (f"{statement};" for statement in ledger.mark_applied(migration))
        yield "COMMIT;"
        yield "\\endif"
    yield "\n-- The settings of the session are again those that it began with."
    for name in [*settings, "search_path", "client_connection_check_interval", "lock_timeout"]:
        yield f"RESET {name};"
    yield resources.read("script/end.sql").replace("{key}", str(ADVISORY_KEY)).rstrip()


def _expanding(statement: str, timeout: str) -> str:
    """Return the query with psql's \\gexec; a concurrent build gets no lock_timeout, all else does."""
    query = re.sub(r"^--.*\n", "", statement, flags=re.MULTILINE).strip().rstrip(";")
    return (
        "SELECT pg_catalog.format('SET lock_timeout TO %L', "  # noqa: S608  (our own text)
        "CASE WHEN e.statement LIKE '% CONCURRENTLY %'"
        f" THEN '0' ELSE '{timeout}' END), e.statement\n  FROM ({query}) AS e (statement) \\gexec"
    )
