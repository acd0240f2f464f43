"""Runs the checks below ``sql/`` that read only the catalogs, and returns what they find."""

from __future__ import annotations

import json
from collections.abc import Sequence

import psycopg
from psycopg import errors as pg
from psycopg.rows import class_row

from sessiondb import objects, resources
from sessiondb.connection import Connection, catalogs, trusted
from sessiondb.errors import Finding, PlatformRefusedError
from sessiondb.installation import installation
from sessiondb.resources import literal

_CATALOG_SECONDS = 30.0  # for each check of the catalogs, which takes less than a second


def catalog_checks(
    connection: Connection, *folders: tuple[str, Sequence[str]], is_each_by_itself: bool = False
) -> list[Finding]:
    """Run the named checks of each folder below ``sql/``, which read only the catalogs.

    One that does not finish is a finding if each stands by itself: any role could create what takes long to look at.
    """
    with catalogs(connection):
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{_CATALOG_SECONDS * 1000:.0f}"])
        named = [name for _, names in folders for name in names]
        queries = [composed(connection, f"{folder}/{name}") for folder, names in folders for name in names]
        walk = resources.query("queries/course_paths")
        if any(walk in query for query in queries):  # find the paths to the course once for all checks
            ((ways,),) = connection.execute(trusted(f"SELECT json_agg(w) FROM ({walk}) AS w")).fetchall()  # noqa: S608
            columns = "path text, hops integer, pieces text[], tables oid[], believed boolean, joins jsonb"
            known = f"SELECT w.* FROM json_to_recordset({literal(json.dumps(ways or []))}) AS w ({columns})"  # noqa: S608
            queries = [query.replace(walk, known) for query in queries]
        findings = []
        for name, query in zip(named, queries, strict=True):
            try:
                with connection.transaction():
                    findings += findings_of(connection, query)
            except pg.QueryCanceled as error:
                if not is_each_by_itself:
                    raise
                fix = f"When the server is less busy, run: sessiondb check {name}"
                findings.append(Finding(name, "error", name, unfinished(error), fix))
        connection.execute("SET LOCAL statement_timeout TO 0")
    return findings


def composed(connection: Connection | None, name: str) -> str:
    """Return a check with the queries and lists that it includes; without a connection for a script."""
    text = resources.query(name)
    if "{states}" not in text:
        return objects.with_objects(text, objects.objects())
    states = resources.query("queries/states").replace("{every}", "false")
    there = installation(connection) if connection else None
    return objects.with_objects(text.replace("{states}", states), objects.listed(there), there)


def findings_of(connection: Connection, query: str) -> list[Finding]:
    """Return the rows of our own query, which has the columns of a finding."""
    with connection.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute(trusted(query)).fetchall()


def without_errors(findings: list[Finding]) -> list[Finding]:
    """Return the findings, all of which are warnings.

    Raises:
        PlatformRefusedError: with all of them, because there is an error.
    """
    if any(finding.level == "error" for finding in findings):
        raise PlatformRefusedError(findings)
    return findings


def unfinished(error: psycopg.Error) -> str:
    """Return what is reported of a check that was cancelled or waited for a lock in vain."""
    return f"The check did not finish: {error.diag.message_primary}."


def other_schema(connection: Connection) -> list[Finding]:
    """Return the schema that has the tables of the platform, if another was named, or none."""
    return catalog_checks(connection, ("preflight", ["other_schema"]))
