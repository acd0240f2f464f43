"""Checks of the database, one SQL file each, all of which return the same columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from difflib import get_close_matches
from xml.etree import ElementTree

import psycopg
from psycopg import errors as pg

from sessiondb import ledger, objects, resources
from sessiondb.connection import Connection, platform_path, trusted
from sessiondb.errors import Exit, Finding, UnclearNameError
from sessiondb.findings import catalog_checks, findings_of, other_schema, unfinished
from sessiondb.installation import Installation, installation, refuse_other
from sessiondb.locks import Report
from sessiondb.output import shown
from sessiondb.preconditions import PARTLY_INSTALLED, STAFFS_TABLES, hold_tables
from sessiondb.resources import literal

NOT_INSTALLED = Finding(
    "installation",
    "error",
    "schema sessiondb",
    "sessiondb is not installed in this database.",
    "Install it: sessiondb apply",
)


def check(
    connection: Connection, names: Sequence[str], examples: int, report: Report, timeout: float = 600.0
) -> list[Finding]:
    """Verify the installation and the consistency of the data, by reading only.

    Args:
        connection: in a read-only transaction, as :meth:`sessiondb.database.Database.transaction` yields it.
        names: the checks to run; all when empty.
        examples: the maximum number of rows that a finding names.
        report: receives each check that reads whole tables.
        timeout: how many seconds those may take together, and then each by itself if that was too short; one that does
            not finish is a finding.

    Raises:
        UnclearNameError: there is no check of a given name.
    """
    for name in names:
        if name not in check_names():
            near = get_close_matches(name, check_names(), 1)
            hint = f"Did you mean {near[0]}?" if near else "Without a name, all are run."
            raise UnclearNameError(f'there is no check "{name}"; the checks are', check_names(), hint, Exit.USAGE)
    there = installation(connection)
    if there is None:
        ledger.require_visible(connection)
        return other_schema(connection) or [NOT_INSTALLED]
    refuse_other(there, older=False)
    missing = objects.missing(connection)
    if gone := [o.name for o in missing if o.kind == "table" and o.after == "0001"]:
        detail = f"Tables of schema sessiondb are missing: {', '.join(gone)}."
        return [Finding("installation", "error", "schema sessiondb", detail, "Create them again: sessiondb apply")]
    connection.execute("SELECT set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
    wanted = names or check_names()
    of_data = [name for name in resources.names("data_checks") if name in wanted]
    found = catalog_checks(
        connection,
        *((folder, [n for n in of_folder if n in wanted or n in _FIRST]) for folder, of_folder in _CATALOG_CHECKS),
        is_each_by_itself=True,
    )
    causes = _causes(found)
    following = [name for name in _FOLLOWING if causes and name in wanted and name != causes[0].check]
    findings = _pending(connection) if _PENDING in wanted else []
    findings += _told_once(f for f in found if f.check in wanted and f.check not in following)
    reasons = [
        # without the column, s.status would call a function status(s) of any role
        *(
            finding.detail.rstrip(".")
            for finding in causes or found
            if finding.check in _FIRST and finding.level == "error"
        ),
        *(f"column {o.parent}.{o.name} does not exist" for o in missing if o.kind == "column"),
    ]
    if reasons:
        detail, fix = f"The check cannot be run: {reasons[0]}.", "Fix what the other checks found, then run it again."
        findings += [Finding(name, "error", name, detail, fix) for name in (*following, *of_data)]
    elif of_data and there.course_pieces:
        hidden, of_data = _hidden(connection, of_data)
        findings += hidden
        for name in of_data:
            report(f"checking {name}")
        if of_data:
            findings += _data_checks(connection, there, of_data, examples, timeout)
    return findings


def _causes(findings: Sequence[Finding]) -> list[Finding]:
    """Return the errors from which others follow: what was renamed or, if nothing was, the columns that are missing."""
    of_names = {name: [f for f in findings if (f.check, f.level) == (name, "error")] for name in _FIRST[:2]}
    return next(filter(None, of_names.values()), [])


def _told_once(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what a second check says of an index or a foreign key.

    What is missing is reported with what it is for; of what was changed, the lines that differ are shown.
    """
    found = list(findings)
    states = {f.object: f.fix == "Run: sessiondb apply" for f in found if f.check == "installed_objects"}
    known = {f.object for f in found if f.check in ("foreign_keys", "indexes")}
    return [
        f
        for f in found
        if not (f.object in known and f.object in states) or (f.check == "installed_objects") != states[f.object]
    ]


def _rests_on(name: str, tables: Set[str]) -> Set[str]:
    """Return those of the tables of which a check of the data must see every row, according to its header."""
    header = re.findall(r"^-- must see every row of: (all but )?(.*)$", resources.read(f"data_checks/{name}.sql"), re.M)
    ((all_but, listed),) = header
    return tables - {*listed.split(", ")} if all_but else tables & {*listed.split(", ")}


def _hidden(connection: Connection, names: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """Return a finding where row level security would make checks report what is not so, and the other checks."""
    query = resources.query("queries/hidden_tables")
    query = f"SELECT h.name, h.full_name FROM (\n{query}\n) AS h WHERE NOT h.shows_all ORDER BY 2"  # noqa: S608  (our own)
    tables: dict[str, str] = dict(connection.execute(trusted(query)).fetchall())
    rest = {name: _rests_on(name, tables.keys()) for name in names}
    unfit = [name for name in names if rest[name]]
    if not unfit:
        return [], list(names)
    hidden = ", ".join(full_name for name, full_name in tables.items() if any(name in rest[check] for check in unfit))
    detail = f"Row level security may hide rows of {hidden} from this role, so these were not run: {', '.join(unfit)}."
    fix = (
        "Run them with a role that sees every row: one that has BYPASSRLS or, where it is not forced, the owner of the"
        " tables."
    )
    return [Finding("row_security", "warning", hidden, detail, fix)], [name for name in names if name not in unfit]


def _data_checks(
    connection: Connection, there: Installation, names: Sequence[str], examples: int, timeout: float
) -> list[Finding]:
    """Run checks that read whole tables in one statement or, if that fails, each by itself.

    A check that cannot be run or does not finish is a finding. Citus cannot plan several checks of distributed tables
    in one statement.
    """
    if there.distributed and len(names) > 1:
        return [finding for name in names for finding in _data_checks(connection, there, [name], examples, timeout)]
    query = data_query(connection, there, names, examples)
    # what it names, and what the functions that it calls read
    named = [*STAFFS_TABLES, *re.findall(rf"{re.escape(resources.quoted(there.platform_schema))}\.(\w+)", query)]
    try:
        # in the place of one that does not exist, PostgreSQL would call another with its name
        if any(f"{o.parent}.{o.name}(" in query for o in objects.missing_functions(connection)):
            raise pg.UndefinedFunction
        with connection.transaction():
            # no nested loops, whatever the planner assumes about a column that was just added
            connection.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('enable_nestloop', 'off', true),"
                " set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')) / 1024, 65536)::text,"
                " true)",
                [f"{timeout * 1000:.0f}"],
            )
            if absent := hold_tables(connection, is_installed=True, only=named):
                detail = f"The check cannot be run: {absent[0]} does not exist."
                return [Finding(name, "error", name, detail, "Fix what the other checks found.") for name in names]
            with platform_path(connection):
                findings = findings_of(connection, query)
            connection.execute("SET LOCAL statement_timeout TO 0")
            return findings
    except (psycopg.ProgrammingError, psycopg.DataError, pg.ProgramLimitExceeded) as error:
        # the platform's tables and columns are there, by the other checks; its own code or a value may still fail
        is_partly = isinstance(error, pg.UndefinedFunction)
        detail = f"The check cannot be run: {PARTLY_INSTALLED if is_partly else error.diag.message_primary}."
        fix = (
            _lacking_select(connection, named)
            if isinstance(error, pg.InsufficientPrivilege)
            else "Fix what the other checks found, then run it again."
        )
    except (pg.QueryCanceled, pg.LockNotAvailable) as error:
        detail = unfinished(error)
        fix = f"When the server is less busy, run: sessiondb check {names[0]} --timeout 3600"
    if len(names) == 1:
        return [Finding(names[0], "error", names[0], detail, fix)]
    return [finding for name in names for finding in _data_checks(connection, there, [name], examples, timeout)]


def _lacking_select(connection: Connection, tables: Sequence[str]) -> str:
    """Return the GRANT without which the current role cannot read the tables of the platform with these names."""
    query = resources.query("queries/lacking_select", literal(f"{{{','.join(tables)}}}"))
    grant = connection.execute(trusted(query)).fetchone()
    return (
        str(grant[0])
        if grant
        else "Grant this role SELECT on the tables of the platform, or run the check as their owner."
    )


def data_query(connection: Connection, there: Installation, names: Sequence[str], examples: int) -> str:
    """Return the named checks of the data as one query, which reads each large table once."""
    ((steps,),) = connection.execute("SELECT course_joins FROM sessiondb.installation").fetchall()
    texts = [resources.query(f"data_checks/{name}") for name in names]
    each = [resources.for_table(text, t) for text in texts for t in (ledger.TABLES if "{table}" in text else ("",))]
    query = "\nUNION ALL\n".join(map("SELECT f.* FROM (\n{}) AS f".format, each)).replace("{examples}", str(examples))
    if "{ended}" in query:
        query = query.replace("{ended}", literal(ended_status(connection)))
    query = resources.with_citus(query, is_distributed=there.distributed)
    query = resources.with_grouped_rows(query, is_distributed=there.distributed)
    query = resources.with_platform(query, there.platform_schema)
    return resources.with_joined_course(resources.with_course_path(query, there.course_pieces or []), steps)


def ended_status(connection: Connection) -> str:
    """Return the status of a session that has ended, as a word of a command for a shell."""
    ((status,),) = connection.execute(trusted(resources.query("queries/ended_status"))).fetchall()
    return str(status)


def problems(connection: Connection, there: Installation) -> list[Finding]:
    """Return what keeps unchanged triggers from working.

    What they read was renamed or dropped, or the owner of their functions has lost a right, so INSERTs fail; no session
    can be active; triggers of the platform also write session_id; or ours are disabled.
    """
    with connection.transaction():
        connection.execute("SELECT set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
        found = catalog_checks(
            connection,
            ("preflight", ["renamed", "required_columns", "active_status"]),
            ("checks", ["course_path", "table_owners", "owner_rights", "other_triggers", "triggers_enabled"]),
        )
    return _causes(found) or [finding for finding in found if finding.level == "error"]


def found_by(connection: Connection, name: str) -> list[Finding]:
    """Return what one check of the catalogs finds, by its name."""
    ((folder, _),) = [of_folder for of_folder in _CATALOG_CHECKS if name in of_folder[1]]
    with connection.transaction():
        return catalog_checks(connection, (folder, [name]))


def check_names() -> list[str]:
    """Return the names of all checks in the order in which they run."""
    return [_PENDING, *(name for _, names in _CATALOG_CHECKS for name in names), *resources.names("data_checks")]


_PENDING = "pending_migrations"

_FIRST = ("renamed", "required_columns", "citus", "search_path", "table_owners", "column_types", "course_path")

_FOLLOWING = ("required_columns", "course_path", "foreign_keys", "indexes", "installed_objects")

# what preflight required of the platform must still be there
_CATALOG_CHECKS = [
    (
        "preflight",
        [
            "renamed",
            "citus",
            "required_columns",
            "active_status",
            "inheritance",
            "column_types",
            "search_path",
            "unrelated_ids",
        ],
    ),
    ("checks", resources.names("checks")),
]
"""The checks that read only the catalogs, by their folder below ``sql/``."""


def _pending(connection: Connection) -> list[Finding]:
    """Find the migrations of this package that are not applied: the installation is incomplete."""
    applied = ledger.applied(connection)
    pending = [m.id for m in ledger.read_migrations(resources.MIGRATIONS) if m.id not in applied]
    if not pending:
        return []
    detail = f"Migrations are pending: {', '.join(pending)}."
    return [Finding(_PENDING, "error", "sessiondb._yoyo_migration", detail, "Run: sessiondb apply")]


def junit(findings: Sequence[Finding], names: Sequence[str], bad: Set[str]) -> str:
    """Return the findings as a JUnit XML report with a test case for each check.

    Args:
        findings: of :func:`check`.
        names: the checks that were run; all when empty.
        bad: the levels that are failures; the others are remarks.
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
    """Return a finding on one line, or on several if it has a diff, each with its sign."""
    detail = "\n".join(map(_xml, finding.detail.split("\n") if finding.has_lines else [finding.detail]))
    return f"{finding.level}: {_xml(finding.object)}: {detail} Fix: {_xml(finding.fix_line)}"


def _xml(text: str) -> str:
    """Return a text as it is printed, and without the characters that XML cannot hold."""
    return re.sub(r"[\ud800-\udfff\ufffe\uffff]", lambda m: repr(m.group())[1:-1], shown(text))
