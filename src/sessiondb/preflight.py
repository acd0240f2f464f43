"""Verifies the platform before apply or rollback changes anything."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress

from psycopg import errors as pg

from sessiondb import ledger, resources
from sessiondb.citus import is_distributed
from sessiondb.connection import Connection, catalogs, platform_path, platform_schema, trusted
from sessiondb.errors import STATEMENTS, Finding, UsageError
from sessiondb.findings import catalog_checks, composed, findings_of, other_schema, without_errors
from sessiondb.preconditions import require_owners
from sessiondb.resources import literal

_PREFLIGHT = [
    ("preflight", resources.names("preflight")),
    ("checks", ["table_owners", "row_security", "triggers_last"]),
]


def preflight(connection: Connection, course_path: str | None) -> list[Finding]:
    """Verify the platform before anything is changed, and return the warnings.

    Raises:
        UsageError: ``course_path`` is not a list of names separated by dots.
        PlatformRefusedError: apply cannot run; it holds all findings, including warnings.
    """
    require_course_path(connection, course_path)
    findings = catalog_checks(connection, *_PREFLIGHT)
    # the others follow from these
    for first in (("other_schema",), ("renamed", "table_owners")):
        without_errors([finding for finding in findings if finding.check in first])
    findings += _disk(connection)
    if is_distributed(connection):
        findings += findings_of(connection, resources.query("queries/worker_rights"))
    warnings = without_errors(findings)
    connection.execute(trusted(resources.query("script/staff")))  # it reads the members
    return without_errors(warnings + _orphans(connection))


def preflight_script(schema: str) -> str:
    """Return SQL for psql that does the same as :func:`preflight`, for a database that we cannot reach.

    It warns, or raises an error with all findings. It does not see the server's disk.

    Args:
        schema: the platform's.
    """
    orphans = resources.with_platform(resources.query("queries/orphaned_links"), schema)
    of_each = [f"WHEN {literal(t)} THEN {literal(orphans.replace('{table}', t))}" for t in ledger.TABLES]
    queries = [composed(None, f"{folder}/{name}") for folder, names in _PREFLIGHT for name in names]
    walk = resources.query("queries/course_paths")
    checks = "\nUNION ALL\n".join(map("SELECT f.* FROM (\n{}\n) AS f".format, queries))
    checks = checks.replace(walk, resources.query("queries/known_course_paths"))  # as in catalog_checks()
    return (
        resources.with_queries(resources.read("script/preflight.sql"))
        .replace("{staff}", resources.query("script/staff").rstrip(";"))
        .replace("{statements}", STATEMENTS)
        .replace("{checks}", checks)
        .replace("{worker_rights}", resources.query("queries/worker_rights"))
        .replace("{unproven_links}", resources.query("queries/unproven_links"))
        .replace("{orphaned_links}", f"CASE v_table {' '.join(of_each)} END")
    )


def rollback_preflight(connection: Connection, undone: Sequence[str]) -> list[Finding]:
    """Verify that a rollback can run before anything is changed, and return the warnings.

    Args:
        connection: to a database in which sessiondb is installed.
        undone: the numbers of the migrations that are to be undone.

    Raises:
        PlatformRefusedError: the rollback cannot run; it holds all findings, including warnings.
    """
    with connection.transaction():
        # without a course path: what the foreign keys alone would give the next apply
        connection.execute(
            "SELECT set_config('sessiondb.undone', %s, true), set_config('sessiondb.course_path', '', true)",
            [",".join(undone)],
        )
        findings = catalog_checks(
            connection,
            ("checks", ["table_owners"]),
            ("preflight", ["server", "renamed", "citus", "saved_links"]),
            ("rollback", [name for name in resources.names("rollback") if name != "choices"]),
        )
        if is_distributed(connection):
            findings += findings_of(connection, resources.query("queries/left_shards"))
        # only then what a role without rights on the schema cannot ask
        warnings = without_errors(findings)
        return without_errors(
            warnings + catalog_checks(connection, ("preflight", ["column_types"]), ("rollback", ["choices"]))
        )


def require_course_path(connection: Connection, course_path: str | None) -> None:
    """Refuse a course path that is not a list of names separated by dots.

    Raises:
        UsageError: ``course_path`` is not such a list.
    """
    try:
        with connection.transaction():
            connection.execute("SELECT parse_ident(%s)", [course_path])
    except pg.InvalidParameterValue:
        raise UsageError(
            f'"{course_path}" is not a course path',
            "Give column names separated by dots, for instance --course-path exercise_id.course_id",
        ) from None


def require_plannable(connection: Connection, course_path: str | None) -> None:
    """Refuse a platform that lacks what a plan needs, or has several paths to the course.

    Raises:
        UsageError: ``course_path`` is not a list of names.
        PlatformRefusedError: with all that was found.
    """
    require_course_path(connection, course_path)
    without_errors(other_schema(connection))
    without_errors(catalog_checks(connection, ("preflight", ["citus", "course_path", "required_columns"])))


def _orphans(connection: Connection) -> list[Finding]:
    """Find links to deleted sessions, which a foreign key would refuse; only in columns of the platform."""
    tables = connection.execute(trusted(resources.query("queries/unproven_links"))).fetchall()
    query = resources.with_platform(resources.query("queries/orphaned_links"), platform_schema(connection))
    with connection.transaction():
        require_owners(connection)
        with platform_path(connection):
            return [found for (table,) in tables for found in findings_of(connection, query.replace("{table}", table))]


def _disk(connection: Connection) -> list[Finding]:
    """Compare the size of the new indexes with the free space, if the server is on this machine."""
    with catalogs(connection):
        row = connection.execute(trusted(resources.query("queries/index_space"))).fetchone()
    host = connection.info.host
    if row is None or row[1] is None or not (host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}):
        return []
    needed, folder = row
    with suppress(OSError):
        if (free := shutil.disk_usage(folder).free) < needed:
            detail = f"The indexes may need {needed >> 20} MB, but the server's disk has only {free >> 20} MB left."
            return [Finding("disk", "error", str(folder), detail, "Free space on the disk first.")]
    return []
