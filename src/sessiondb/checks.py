"""Questions to the database, one SQL file each, all answered with the same row."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence, Set
from xml.etree import ElementTree

import psycopg
from psycopg import errors as pg
from psycopg.rows import class_row

from sessiondb import ledger, objects, resources, versions
from sessiondb.database import (
    Connection,
    Installation,
    catalogs,
    installation,
    is_distributed,
    platform_path,
    platform_schema,
    trusted,
)
from sessiondb.errors import Finding, PlatformRefusedError, SessiondbError, UsageError
from sessiondb.locks import Report
from sessiondb.output import shown
from sessiondb.resources import literal

NOT_INSTALLED = Finding(
    "installation",
    "error",
    "schema sessiondb",
    "sessiondb is not installed in this database, or this role may not read schema sessiondb.",
    "Install it with: sessiondb apply; or GRANT USAGE ON SCHEMA sessiondb and SELECT on its tables.",
)


def check(
    connection: Connection, names: Sequence[str], examples: int, report: Report, timeout: float = 600.0
) -> list[Finding]:
    """Check that the installation is sound and the data coherent, by reading only.

    Args:
        connection: in a read-only transaction, as :meth:`sessiondb.database.Database.transaction` yields it.
        names: the checks to run; all when empty.
        examples: how many rows a finding names at most.
        report: receives each check that reads whole tables.
        timeout: how many seconds those may take together, and each for itself if that was not enough; one that is not
            done by then is a finding.

    Raises:
        UsageError: there is no check of a given name.
    """
    for name in names:
        if name not in check_names():
            raise UsageError(f'there is no check named "{name}"', f"The checks are: {', '.join(check_names())}")
    there = installation(connection)
    if there is None:
        return [NOT_INSTALLED]
    versions.refuse_newer(there)
    missing = objects.missing(connection)
    if gone := [o.name for o in missing if o.kind == "table" and o.after == "0001"]:
        detail = f"Tables of schema sessiondb are missing: {', '.join(gone)}."
        return [Finding("installation", "error", "schema sessiondb", detail, "Create them again: sessiondb apply")]
    connection.execute("SELECT set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
    wanted = names or check_names()
    of_data = [name for name in resources.names("data_checks") if name in wanted]
    # s.status of a table without that column would call a function status(s) of any role
    first = ("citus", "required_columns", "course_path") if of_data else ()
    found = _catalog_checks(
        connection,
        *((folder, [n for n in of_folder if n in wanted or n in first]) for folder, of_folder in _CATALOG_CHECKS),
    )
    findings = _pending(connection) if _PENDING in wanted else []
    findings += [finding for finding in found if finding.check in wanted]
    unfit = [
        *(f"column {o.parent}.{o.name} does not exist" for o in missing if o.kind == "column"),
        *(finding.detail.rstrip(".") for finding in found if finding.check in first),
    ]
    if of_data and unfit:
        detail, fix = f"The check cannot be run: {unfit[0]}.", "Fix what the other checks found, then run it again."
        findings += [Finding(name, "error", name, detail, fix) for name in of_data]
    elif of_data and there.course_pieces:
        for name in of_data:
            report(f"checking {name}")
        findings += _data_checks(connection, there, of_data, examples, timeout)
    return findings


def _data_checks(
    connection: Connection, there: Installation, names: Sequence[str], examples: int, timeout: float
) -> list[Finding]:
    """Run checks that read whole tables, in one statement; where that fails, each for itself.

    That a check could not be run, or not to its end, is a finding. Where Citus distributes the tables, it cannot plan
    several in one statement.
    """
    if there.distributed and len(names) > 1:
        return [finding for name in names for finding in _data_checks(connection, there, [name], examples, timeout)]
    query = data_query(connection, there, names, examples)
    try:
        with connection.transaction():
            # no join takes each with each, whatever the planner believes of a column that was added just now
            connection.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('enable_nestloop', 'off', true),"
                " set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')) / 1024, 65536)::text,"
                " true)",
                [f"{timeout * 1000:.0f}"],
            )
            with platform_path(connection):
                findings = _findings(connection, query)
            connection.execute("SET LOCAL statement_timeout TO 0")
            return findings
    except psycopg.ProgrammingError as error:
        detail = f"The check cannot be run: {error.diag.message_primary}."
        fix = (
            "GRANT this role SELECT on the tables of the platform, or run it as their owner."
            if isinstance(error, pg.InsufficientPrivilege)
            else "Fix what the other checks found, then run it again."
        )
    except (pg.QueryCanceled, pg.LockNotAvailable) as error:
        detail = f"The check did not finish: {error.diag.message_primary}."
        fix = f"When the server is less busy: sessiondb check {names[0]} --timeout 3600"
    if len(names) == 1:
        return [Finding(names[0], "error", names[0], detail, fix)]
    return [finding for name in names for finding in _data_checks(connection, there, [name], examples, timeout)]


def data_query(connection: Connection, there: Installation, names: Sequence[str], examples: int) -> str:
    """Return the checks of the data that are named as one query, which reads each large table once."""
    ((steps,),) = connection.execute("SELECT course_joins FROM sessiondb.installation").fetchall()
    texts = [resources.query(f"data_checks/{name}") for name in names]
    each = [resources.for_table(text, t) for text in texts for t in (ledger.TABLES if "{table}" in text else ("",))]
    query = "\nUNION ALL\n".join(map("SELECT f.* FROM (\n{}) AS f".format, each)).replace("{examples}", str(examples))
    query = resources.with_citus(query, is_distributed=there.distributed)
    query = resources.with_grouped_rows(query, is_distributed=there.distributed)
    query = resources.with_platform(query, there.platform_schema)
    return resources.with_joined_course(resources.with_course_path(query, there.course_pieces or []), steps)


def require_installed(connection: Connection) -> Installation:
    """Return what is installed, and refuse what the commands cannot work with; reads the catalogs only.

    Raises:
        SessiondbError: sessiondb is not installed here, or in part only, or the platform has changed.
    """
    there = installation(connection)
    if there is None:
        ledger.require_visible(connection)
        raise SessiondbError("sessiondb is not installed in this database", "Install it with: sessiondb apply")
    versions.require_same(there)
    missing = connection.execute(
        "SELECT FROM unnest(%s::text[]) AS f (name)"
        " WHERE NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = f.name)",
        [resources.names("functions")],
    )
    if missing.rowcount:
        raise SessiondbError("sessiondb is installed only in part in this database", "Finish it with: sessiondb apply")
    with connection.transaction():
        connection.execute("SELECT set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
        for change in _catalog_checks(connection, _CITUS, ("checks", ["course_path"]), _COLUMNS):
            raise SessiondbError(change.detail.rstrip("."), change.fix)
    gone = connection.execute(
        "SELECT t.name FROM unnest(%s::text[]) AS t (name)"
        " WHERE NOT EXISTS (SELECT FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = t.name"
        " AND a.attname = 'session_id' AND NOT a.attisdropped)",
        [list(ledger.TABLES), there.platform_schema],
    ).fetchone()
    if gone:
        raise SessiondbError(f"column {gone[0]}.session_id does not exist", "See: sessiondb check")
    return there


def require_columns(connection: Connection) -> None:
    """Refuse to read a platform that lacks a table or column: ``s.status`` of a table without it calls ``status(s)``.

    Raises:
        SessiondbError: with the first that is missing or of another type.
    """
    for change in _catalog_checks(connection, _COLUMNS):
        raise SessiondbError(change.detail.rstrip("."), change.fix)


def problems(connection: Connection) -> list[Finding]:
    """Return what is wrong with the triggers though each is as it was made.

    No session can be active; the owner of their functions has lost a right, so that INSERTs fail; triggers of the
    platform write session_id too.
    """
    return _catalog_checks(connection, ("preflight", ["active_status"]), ("checks", ["owner_rights", "other_triggers"]))


def check_names() -> list[str]:
    """Return the names of all checks, in the order in which they are run."""
    return [_PENDING, *(name for _, names in _CATALOG_CHECKS for name in names), *resources.names("data_checks")]


_PENDING = "pending_migrations"
_COLUMNS = ("preflight", ["required_columns"])
_CITUS = ("preflight", ["citus"])

# what was demanded of the platform at first must still be there
_CATALOG_CHECKS = [
    ("preflight", ["renamed", "citus", "required_columns", "active_status", "inheritance", "column_types"]),
    ("checks", resources.names("checks")),
]
"""The checks that read the catalogs only, by their folder below ``sql/``."""


def _pending(connection: Connection) -> list[Finding]:
    """Find the migrations of this package that are not applied: half of an installation is not sound."""
    applied = ledger.applied(connection)
    pending = [m.id for m in ledger.read_migrations(resources.MIGRATIONS) if m.id not in applied]
    if not pending:
        return []
    detail = f"Migrations are pending: {', '.join(pending)}."
    return [Finding(_PENDING, "error", "sessiondb._yoyo_migration", detail, "Run: sessiondb apply")]


def junit(findings: Sequence[Finding], names: Sequence[str], bad: Set[str]) -> str:
    """Return the findings as a JUnit XML report, a test case for each check.

    Args:
        findings: of :func:`check`.
        names: the checks that were run; all when empty.
        bad: the levels of the findings that are failures; the others are remarks.
    """
    ran = list(names) or check_names()
    found = {name: [f for f in findings if f.check == name] for name in [*ran, *(f.check for f in findings)]}
    failed = sum(any(f.level in bad for f in of_check) for of_check in found.values())
    suite = ElementTree.Element("testsuite", name="sessiondb check", tests=str(len(found)), failures=str(failed))
    for name, of_check in found.items():
        case = ElementTree.SubElement(suite, "testcase", classname="sessiondb", name=name)
        text = "\n".join(map(_line, of_check))
        failures = [f for f in of_check if f.level in bad]
        if failures:
            ElementTree.SubElement(case, "failure", message=_xml(failures[0].detail)).text = text
        elif of_check:
            ElementTree.SubElement(case, "system-out").text = text
    return ElementTree.tostring(suite, encoding="unicode")


def _line(finding: Finding) -> str:
    """Return a finding on one line, or on more where it has a diff, each with its sign."""
    detail = "\n".join(map(_xml, finding.detail.split("\n") if finding.has_lines else [finding.detail]))
    return f"{finding.level}: {_xml(finding.object)}: {detail} Fix: {_xml(finding.fix)}"


def _xml(text: str) -> str:
    """Return a text as it is printed, and without the characters that XML cannot hold."""
    return re.sub(r"[\ud800-\udfff\ufffe\uffff]", lambda m: repr(m.group())[1:-1], shown(text))


def _catalog_checks(connection: Connection, *folders: tuple[str, Sequence[str]]) -> list[Finding]:
    """Run checks that read the catalogs only: the names of each folder below ``sql/``."""
    with catalogs(connection):
        connection.execute("SET LOCAL statement_timeout TO '30s'")
        queries = [composed(connection, f"{folder}/{name}") for folder, names in folders for name in names]
        walk = resources.query("queries/course_paths")
        if any(walk in query for query in queries):  # the ways to the course are looked for once for all checks
            ((ways,),) = connection.execute(trusted(f"SELECT json_agg(w) FROM ({walk}) AS w")).fetchall()  # noqa: S608
            columns = "path text, hops integer, pieces text[], tables oid[], believed boolean, joins jsonb"
            known = f"SELECT w.* FROM json_to_recordset({literal(json.dumps(ways or []))}) AS w ({columns})"  # noqa: S608
            queries = [query.replace(walk, known) for query in queries]
        findings = [finding for query in queries for finding in _findings(connection, query)]
        connection.execute("SET LOCAL statement_timeout TO 0")
    return findings


def composed(connection: Connection | None, name: str) -> str:
    """Return a check with the queries and the lists that it is made of put in; without a connection for a script."""
    text = resources.query(name)
    if "{states}" not in text:
        return objects.with_objects(text, objects.objects())
    states = resources.query("queries/states").replace("{every}", "false")
    there = installation(connection) if connection else None
    return objects.with_objects(text.replace("{states}", states), objects.listed(there), there)


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
            connection.execute("SELECT parse_ident(%s)", [course_path])
    except pg.InvalidParameterValue:
        raise UsageError(
            f'"{course_path}" is not a course path',
            "Give column names separated by dots, for instance --course-path exercise_id.course_id",
        ) from None


def require_plannable(connection: Connection, course_path: str | None) -> None:
    """Refuse a platform that lacks what a plan is made of, or has several ways to the course.

    Raises:
        UsageError: ``course_path`` is not a list of names.
        PlatformRefusedError: with all that was found.
    """
    require_course_path(connection, course_path)
    findings = _catalog_checks(connection, ("preflight", ["citus", "course_path", "required_columns"]))
    if any(finding.level == "error" for finding in findings):
        raise PlatformRefusedError(findings)


_PREFLIGHT = [("preflight", resources.names("preflight")), ("checks", ["row_security", "triggers_last"])]


def preflight(connection: Connection, course_path: str | None) -> list[Finding]:
    """Look at the platform before anything is changed, and return the warnings.

    Raises:
        UsageError: ``course_path`` is not a list of names separated by dots.
        PlatformRefusedError: something stands in the way; it holds all that was found, the warnings as well.
    """
    require_course_path(connection, course_path)
    connection.execute(trusted(resources.query("script/staff")))
    findings = _catalog_checks(connection, *_PREFLIGHT)
    renamed = [finding for finding in findings if finding.check == "renamed"]
    if any(finding.level == "error" for finding in renamed):
        raise PlatformRefusedError(renamed)  # what else was found follows from it
    findings += _disk(connection)
    if is_distributed(connection):
        findings += _findings(connection, resources.query("queries/worker_rights"))
    if not any(finding.level == "error" for finding in findings):
        findings += _orphans(connection)
    if any(finding.level == "error" for finding in findings):
        raise PlatformRefusedError(findings)
    return findings


def preflight_script(schema: str) -> str:
    """Return what does the same as :func:`preflight` in psql, for a database that we cannot reach.

    It warns, or it raises with all that was found. It does not see the server's disk.

    Args:
        schema: the platform's.
    """
    orphans = resources.with_platform(resources.read("queries/orphaned_links.sql"), schema)
    of_each = [f"WHEN {literal(t)} THEN {literal(orphans.replace('{table}', t))}" for t in ledger.TABLES]
    queries = [composed(None, f"{folder}/{name}") for folder, names in _PREFLIGHT for name in names]
    return (
        resources.read("script/preflight.sql")
        .replace("{staff}", resources.query("script/staff").rstrip(";"))
        .replace("{checks}", "\nUNION ALL\n".join(map("SELECT f.* FROM (\n{}) AS f".format, queries)))
        .replace("{unproven_links}", resources.read("queries/unproven_links.sql"))
        .replace("{orphaned_links}", f"CASE v_table {' '.join(of_each)} END")
    )


def rollback_preflight(connection: Connection, undone: Sequence[str]) -> list[Finding]:
    """Look at what stands in the way of a rollback before anything is changed, and return the warnings.

    Args:
        connection: to a database in which sessiondb is installed.
        undone: the numbers of the migrations that are to be undone.

    Raises:
        PlatformRefusedError: something stands in the way; it holds all that was found, the warnings as well.
    """
    with connection.transaction():
        connection.execute("SELECT set_config('sessiondb.undone', %s, true)", [",".join(undone)])
        findings = _catalog_checks(
            connection, ("preflight", ["server", "renamed", "citus"]), ("rollback", resources.names("rollback"))
        )
    if any(finding.level == "error" for finding in findings):
        raise PlatformRefusedError(findings)
    return findings


def _orphans(connection: Connection) -> list[Finding]:
    """Find links to sessions that are gone, which a foreign key would trip over: only in columns of the platform."""
    tables = connection.execute(trusted(resources.read("queries/unproven_links.sql"))).fetchall()
    query = resources.with_platform(resources.read("queries/orphaned_links.sql"), platform_schema(connection))
    with platform_path(connection):
        return [finding for (table,) in tables for finding in _findings(connection, query.replace("{table}", table))]


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
            "Free space on the disk first.",
        )
    ]
