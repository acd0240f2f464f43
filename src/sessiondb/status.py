"""What is installed, by reading only."""

from __future__ import annotations

import re
from typing import Any

from sessiondb import ledger, resources
from sessiondb.database import Connection, catalogs, installation, trusted


def status(connection: Connection) -> dict[str, Any]:
    """Return what is installed, by reading only.

    Returns:
        ``{"schema", "course_path", "migrations": [{"id", "state", "applied_at"}], "triggers":
        [{"name", "table", "state", "enabled"}]}``; a migration's state is ``applied`` or ``pending``,
        a trigger's ``INSTALLED``, ``OUTDATED`` or ``MISSING``, applied_at an ISO time in UTC or None.
    """
    applied = ledger.applied(connection)
    schema = connection.execute("SELECT pg_catalog.current_setting('sessiondb.schema')").fetchone()
    there = installation(connection)
    return {
        "schema": schema and schema[0],
        "course_path": there.course_path if there else None,
        "migrations": [
            {
                "id": m.id,
                "state": "applied" if m.id in applied else "pending",
                "applied_at": applied[m.id][0].isoformat(timespec="seconds") if m.id in applied else None,
            }
            for m in ledger.read_migrations(resources.MIGRATIONS)
        ],
        "triggers": _triggers(connection, installed=ledger.exists(connection)),
    }


def _triggers(connection: Connection, *, installed: bool) -> list[dict[str, Any]]:
    shipped = {
        name: match.group(1)
        for name in resources.names("triggers")
        if (match := re.search(r" ON (\w+)$", resources.read(f"triggers/{name}.sql"), re.MULTILINE))
    }
    live: dict[str, dict[str, Any]] = {}
    if installed:
        with catalogs(connection):
            rows = connection.execute(trusted(resources.read("queries/triggers.sql"))).fetchall()
        live = {name: {"state": state, "enabled": enabled} for name, state, enabled in rows}
    missing = {"state": "MISSING", "enabled": False}
    return [
        {"name": name, "table": table, **live.get(name, missing)}
        for name, table in sorted(shipped.items(), key=lambda item: (item[1], item[0]))
    ]
