"""What is installed, by reading only."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

from packaging.version import Version

from sessiondb import __version__, ledger, objects, resources
from sessiondb.checks import problems
from sessiondb.connection import Connection, catalogs, platform_schema, trusted
from sessiondb.errors import Finding
from sessiondb.findings import other_schema
from sessiondb.installation import Installation, installation
from sessiondb.migrate import settle_course_path
from sessiondb.objects import missing, wanted


def status(connection: Connection) -> dict[str, Any]:
    """Return what is installed, by reading only.

    Returns:
        ``{"schema", "version", "course_path", "staff", "current_user", "migrations": [{"id", "state",
        "applied_at"}], "triggers": [{"name", "table", "state", "enabled"}], "objects": [{"kind", "parent", "name",
        "state"}], "problems": [finding], "saved_links"}``. A migration's state is ``applied``, ``pending``, or
        ``unknown`` to this version; applied_at is an ISO time in UTC or None. An object's is ``INSTALLED``,
        ``OUTDATED`` (of another version or for another course path), ``CHANGED`` (by hand), ``MISSING``, ``UNRECORDED``
        or ``UNKNOWN`` (created by another version). A problem is a table of the platform that is missing before the
        first apply, or what keeps the triggers from working: see :func:`sessiondb.checks.problems`.
    """
    applied = ledger.applied(connection)
    there = installation(connection)
    staff = (there and there.staff) or {}
    known = [m.id for m in ledger.read_migrations(resources.MIGRATIONS)]
    schema = platform_schema(connection)
    may_look = "SELECT WHERE has_schema_privilege(current_setting('sessiondb.schema'), 'USAGE')"
    is_seen = there is not None and connection.execute(may_look).rowcount > 0
    found = _states(connection, there and _compiled_for(connection, there, schema, is_seen=is_seen))
    return {
        "schema": schema,
        "version": there.version if there else None,
        "course_path": there.course_path if there else None,
        "staff": staff.get("roles"),
        "current_user": staff.get("current_user"),
        "migrations": [
            {
                "id": id_,
                "state": _state(id_ in known, applied.get(id_)),
                "applied_at": applied[id_][0].isoformat(timespec="seconds") if id_ in applied else None,
            }
            for id_ in sorted({*known, *applied})
        ],
        "triggers": _triggers(connection, {s["name"]: s["state"] for s in found if s["kind"] == "trigger"}),
        "objects": found,
        "problems": [
            f.as_json() for f in (problems(connection, there) if there and is_seen else _no_platform(connection, there))
        ],
        "saved_links": 0 if there else ledger.saved_links(connection),
    }


def _no_platform(connection: Connection, there: Installation | None) -> list[Finding]:
    """Report tables that an apply needs and the schema lacks, if nothing is installed yet."""
    query = (
        "SELECT string_agg(t.name, ', ') FROM unnest(%s::text[]) AS t (name) WHERE NOT EXISTS ("
        "SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname = t.name)"
    )
    ((lacks,),) = connection.execute(query, [["orgs", "org_members", "courses", "sessions", *ledger.TABLES]]).fetchall()
    if there or not lacks:
        return []
    if found := other_schema(connection):
        return found
    schema = platform_schema(connection)
    detail = f'Schema "{schema}" lacks tables of the platform: {lacks}.'
    return [Finding("tables", "error", schema, detail, "sessiondb status --schema NAME")]


def _compiled_for(connection: Connection, there: Installation, schema: str, *, is_seen: bool) -> Installation:
    """Return what the code is compiled for; unchanged if this role may not see the platform's schema."""
    if not is_seen:
        return replace(there, platform_schema=schema)
    settle_course_path(connection, None)
    # the search_path of the role that applied remains
    return replace(wanted(connection), search_path=there.search_path)


def _state(is_known: bool, entry: tuple[Any, str | None] | None) -> str:
    """Return the state of a migration; if its hash is lost, it is pending."""
    if entry is None or entry[1] is None:
        return "pending"
    return "applied" if is_known else "unknown"


def _states(connection: Connection, there: Installation | None) -> list[dict[str, str]]:
    """Return the state of each object that must exist; of a trigger, the worse one of its own and its function's."""
    if not ledger.exists(connection):
        left = objects.leftovers(connection)
        return [dict(zip(("kind", "parent", "name", "state"), (*o.key, "UNRECORDED"), strict=True)) for o in left]
    # without one of these nothing else can be reported
    gone = [o for o in missing(connection) if o.kind == "table" and o.name in ("objects", "installation")]
    if gone or there is None:
        rows = [(*o.key, "MISSING") for o in gone] or [("table", "sessiondb", "installation", "EMPTY")]
    else:
        found = objects.states(connection, there)
        of_function = {f"{s.parent}.{s.name}": s.state for s in found if s.kind == "function"}
        rows = [
            (s.kind, s.parent, s.name, of_function.get(str(s.now["function"]), s.state))
            if s.kind == "trigger" and s.now and s.state == "INSTALLED"
            else (s.kind, s.parent, s.name, s.state)
            for s in found
        ]
    return [dict(zip(("kind", "parent", "name", "state"), row, strict=True)) for row in rows]


def _triggers(connection: Connection, states: dict[str, str]) -> list[dict[str, Any]]:
    with catalogs(connection):
        rows = connection.execute(trusted(resources.query("queries/triggers"))).fetchall()
    enabled = {name for name, is_enabled in rows if is_enabled}
    ours = [o for o in objects.objects() if o.kind == "trigger"]
    return [
        {"name": o.name, "table": o.parent, "state": states.get(o.name, "MISSING"), "enabled": o.name in enabled}
        for o in sorted(ours, key=lambda o: (o.parent, o.name))
    ]


def summary(state: dict[str, Any]) -> tuple[str, str | None]:
    """Return the result of :func:`status` in one line, and the next step.

    The step is None if everything is applied and as this version installs it.
    """
    pending = [m["id"] for m in state["migrations"] if m["state"] == "pending"]
    differing = [o for o in state["objects"] if o["state"] != "INSTALLED"]
    if state["version"] is None and not differing:
        said = ["sessiondb is not installed in this database."]
        said += [ledger.of_saved_links(state["saved_links"])] if state["saved_links"] else []
        said += [problem["detail"] for problem in state["problems"]]
        if not state["problems"]:
            return " ".join(said), "sessiondb apply"
        fix = Finding(**state["problems"][0])
        return " ".join(said), fix.fix_line if fix.fix.startswith("If ") else fix.fixes[0][1]
    said = [f"{len(pending)} of {len(state['migrations'])} migrations pending"] if pending else []
    for what, words in _WORDS.items():
        if number := sum(o["state"] == what for o in differing):
            said.append(f"{number} object{'s' if number > 1 else ''} {words}")
    if state["problems"]:
        of_problems = []
        for _, alike in groupby(state["problems"], lambda problem: problem["check"]):  # of each partition, for instance
            first_one, *others = [problem["detail"].rstrip(".") for problem in alike]
            of_problems.append(first_one + f" ({len(others)} more of this kind)" * bool(others))
        # an apply may run without the right, and refuses what else there is
        first = [Finding(**p) for p in state["problems"] if not (said and p["check"] == "owner_rights")]
        step = first[0].fix_line.removeprefix("Run: ") if first else "sessiondb apply"
        return ". ".join([*of_problems, *([", ".join(said).capitalize()] if said else [])]) + ".", step
    if not said:
        return f"sessiondb {state['version']} is installed completely.", None
    installed, ours = Version(state["version"] or __version__), Version(__version__)
    if installed < ours:
        return (
            f"Version {installed} is installed, and apply upgrades it to {ours}: {', '.join(said)}.",
            "sessiondb apply",
        )
    return f"{', '.join(said)}.".capitalize(), f"use sessiondb {installed}" if installed > ours else "sessiondb apply"


_WORDS = {
    "MISSING": "missing",
    "CHANGED": "changed by hand",
    "OUTDATED": "of another version",
    "UNRECORDED": "not recorded",
    "EMPTY": "without its row",
    "UNKNOWN": "unknown to this version",
}
