"""Questions to the database, one SQL file each, all answered with the same row."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

import psycopg
from psycopg import errors as pg
from psycopg.rows import class_row

from sessiondb import ledger, resources
from sessiondb.database import Connection, Database, catalogs, installation, trusted
from sessiondb.errors import HostRefusedError, UsageError
from sessiondb.locks import Report


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: the name of the check, which is the name of its SQL file.
        level: ``error``, ``warning`` or ``info``.
        object: the database object or row that it is about.
        detail: one sentence on what is wrong.
        fix: the statement, command or step that mends it.
    """

    check: str
    level: str
    object: str
    detail: str
    fix: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)


NOT_INSTALLED = Finding(
    "installation",
    "error",
    "schema sessiondb",
    "sessiondb is not installed in this database, or this role may not read schema sessiondb.",
    "Install it with: sessiondb apply; or GRANT USAGE ON SCHEMA sessiondb and SELECT on its tables.",
)


def check(connection: Connection, names: Sequence[str], examples: int, report: Report) -> list[Finding]:
    """Check that the installation is sound and the data coherent, by reading only.

    Args:
        connection: in a read-only transaction, as :meth:`sessiondb.database.Database.transaction` yields it.
        names: the checks to run; all when empty.
        examples: how many rows a finding names at most.
        report: is told of each check that reads whole tables.

    Raises:
        UsageError: there is no check of a given name.
    """
    of_catalogs, of_data = [_PENDING, *resources.names("checks")], resources.names("data_checks")
    for name in names:
        if name not in [*of_catalogs, *of_data]:
            raise UsageError(
                f'there is no check named "{name}"', f"The checks are: {', '.join([*of_catalogs, *of_data])}"
            )
    there = installation(connection)
    if there is None:
        return [NOT_INSTALLED]
    connection.execute("SELECT pg_catalog.set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
    wanted = [name for name in of_catalogs if not names or name in names]
    findings = _pending(connection) if _PENDING in wanted else []
    findings += _catalog_checks(connection, "checks", [name for name in wanted if name != _PENDING])
    for name in of_data if there.course_pieces else []:
        if names and name not in names:
            continue
        report(f"checking {name}")
        query = resources.with_course_path(resources.read(f"data_checks/{name}.sql"), there.course_pieces or [])
        try:
            with connection.transaction():
                findings += _findings(connection, query.replace("{examples}", str(examples)))
        except psycopg.ProgrammingError as error:
            detail = f"The check cannot be run: {error.diag.message_primary}."
            findings.append(
                Finding(name, "error", name, detail, "Mend what the other checks found, then run it again.")
            )
    return findings


_PENDING = "pending_migrations"


def _pending(connection: Connection) -> list[Finding]:
    """Find the migrations of this package that are not applied: half of an installation is not sound."""
    applied = ledger.applied(connection)
    pending = [m.id for m in ledger.read_migrations(resources.MIGRATIONS) if m.id not in applied]
    if not pending:
        return []
    detail = f"Migrations are pending: {', '.join(pending)}."
    return [Finding(_PENDING, "error", "sessiondb._yoyo_migration", detail, "Run: sessiondb apply")]


def junit(findings: Sequence[Finding], names: Sequence[str]) -> str:
    """Return the findings as a JUnit XML report, a test case for each check; only errors are failures.

    Args:
        findings: of :func:`check`.
        names: the checks that were run; all when empty.
    """
    ran = list(names) or [_PENDING, *resources.names("checks"), *resources.names("data_checks")]
    found = {name: [f for f in findings if f.check == name] for name in [*ran, *(f.check for f in findings)]}
    failed = sum(any(f.level == "error" for f in of_check) for of_check in found.values())
    suite = ElementTree.Element("testsuite", name="sessiondb check", tests=str(len(found)), failures=str(failed))
    for name, of_check in found.items():
        case = ElementTree.SubElement(suite, "testcase", classname="sessiondb", name=name)
        text = "\n".join(f"{f.level}: {f.object}: {f.detail} Fix: {f.fix}" for f in of_check)
        if any(f.level == "error" for f in of_check):
            ElementTree.SubElement(case, "failure", message=of_check[0].detail).text = text
        elif of_check:
            ElementTree.SubElement(case, "system-out").text = text
    return ElementTree.tostring(suite, encoding="unicode")


def _catalog_checks(connection: Connection, folder: str, names: Sequence[str]) -> list[Finding]:
    """Run checks that read the catalogs only, of a folder below ``sql/``."""
    with catalogs(connection):
        connection.execute("SET LOCAL statement_timeout TO '30s'")
        findings = [
            finding
            for name in names
            for finding in _findings(connection, resources.with_function_bodies(resources.read(f"{folder}/{name}.sql")))
        ]
        connection.execute("SET LOCAL statement_timeout TO 0")
    return findings


def _findings(connection: Connection, query: str) -> list[Finding]:
    with connection.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute(trusted(query)).fetchall()


def require_course_path(connection: Connection, course_path: str | None) -> None:
    """Refuse what is no list of names separated by dots.

    Raises:
        UsageError: ``course_path`` is given, and is none.
    """
    try:
        with connection.transaction():
            connection.execute("SELECT pg_catalog.parse_ident(%s)", [course_path])
    except pg.InvalidParameterValue:
        raise UsageError(
            f'"{course_path}" is not a course path',
            "Give column names separated by dots, for instance --course-path exercise_id.course_id",
        ) from None


def require_plannable(connection: Connection, course_path: str | None) -> None:
    """Refuse a host that lacks what a plan is made of, or has several ways to the course.

    Raises:
        UsageError: ``course_path`` is not a list of names.
        HostRefusedError: with all that was found.
    """
    require_course_path(connection, course_path)
    findings = _catalog_checks(connection, "preflight", ["course_path", "required_columns"])
    if findings:
        raise HostRefusedError(findings)


def preflight(connection: Connection, course_path: str | None) -> list[Finding]:
    """Look at the host before anything is changed, and return the warnings.

    Raises:
        UsageError: ``course_path`` is not a list of names separated by dots.
        HostRefusedError: something stands in the way; it holds all that was found.
    """
    require_course_path(connection, course_path)
    findings = [
        *_catalog_checks(connection, "preflight", resources.names("preflight")),
        *_catalog_checks(connection, "checks", ["triggers_last"]),
        *_disk(connection),
    ]
    if not any(finding.level == "error" for finding in findings):
        findings += _orphans(connection)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise HostRefusedError(errors)
    return findings


def require_own_backend(database: Database, connection: Connection) -> None:
    """Refuse a pooler that gives every transaction another server connection.

    The advisory lock, the settings and the search_path of a run belong to one server connection. A
    pooler betrays itself when a second client is given the connection that the first still uses.

    Raises:
        HostRefusedError: the connection is pooled by transaction or by statement.
    """
    own = connection.info.backend_pid
    mine = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    with database.transaction(read_only=True) as other:
        row = other.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        again = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    if mine != again or mine == row:
        raise HostRefusedError(
            [
                Finding(
                    "pooler",
                    "error",
                    "connection",
                    f"A pooler gives every transaction another server connection (pid {own} is shared), so a lock"
                    " would be lost between two of them.",
                    "Connect to the server itself, or to a pool in session mode.",
                )
            ]
        )


def _orphans(connection: Connection) -> list[Finding]:
    """Find links to sessions that are gone, which a foreign key would trip over: only in columns of the host."""
    findings = []
    for table in ("enrollments", "submissions"):
        row = connection.execute(
            """
            SELECT a.attname IS NOT NULL
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                                WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum])
              FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              LEFT JOIN pg_catalog.pg_attribute AS a
                     ON a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped
             WHERE n.nspname = pg_catalog.current_setting('sessiondb.schema') AND c.relname = %s
            """,
            [table],
        ).fetchone()
        if row is None or not row[0]:
            continue
        query = resources.read("queries/orphaned_links.sql").replace("{table}", table)
        orphans = connection.execute(trusted(query)).fetchone()
        if orphans and orphans[0]:
            findings.append(
                Finding(
                    "orphaned_links",
                    "error",
                    f"{table}.session_id",
                    f"Rows of {table} are linked to sessions that are gone.",
                    f"Unlink them: UPDATE {table} SET session_id = NULL WHERE session_id IS NOT NULL"  # noqa: S608  (printed)
                    f" AND NOT EXISTS (SELECT FROM sessions WHERE sessions.id = {table}.session_id)",
                )
            )
    return findings


def _disk(connection: Connection) -> list[Finding]:
    """Compare the size of the indexes to come with the free space, where the server's disk is ours to see."""
    with catalogs(connection):
        row = connection.execute(trusted(resources.read("queries/index_space.sql"))).fetchone()
    host = connection.info.host
    if row is None or row[1] is None or not (host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}):
        return []
    try:
        free = shutil.disk_usage(row[1]).free
    except OSError:
        return []
    if free >= row[0]:
        return []
    return [
        Finding(
            "disk",
            "error",
            str(row[1]),
            f"The indexes may take {row[0] // 2**20} MB, and the server's disk has {free // 2**20} MB left.",
            "Make room on the disk first.",
        )
    ]
