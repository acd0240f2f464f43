"""The names by which people call users, courses, organisations and sessions, and the words of roles and statuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from sessiondb import preconditions, queries, resources
from sessiondb.connection import Connection, platform_path, trusted
from sessiondb.errors import SessiondbError, UnclearNameError

_SIMILAR = 5
"""So many similar names are found at most."""

_KINDS = {
    "user": ("user", "users", "Check the e-mail or the name, or give the id."),
    "course": ("course", "courses", "List them with: sessiondb course list"),
    "org": (
        "organisation",
        "organisations",
        "List them with: sessiondb org list; create one with: sessiondb org create --name NAME --slug SLUG",
    ),
    "session": ("session", "sessions", "List them with: sessiondb session list"),
}
"""Singular and plural of what a command names, and a hint where to find it."""


def find(
    connection: Connection,
    kind: str,
    name: str,
    say: Callable[[str], object],
    within: tuple[UUID | None, UUID | None] | None = None,
) -> UUID:
    """Return the id of a user, course, organisation or session.

    Args:
        connection: as :meth:`sessiondb.database.Database.connect` yields it.
        kind: ``user``, ``course``, ``org`` or ``session``.
        name: its id, which need not exist, or a name that people use.
        say: receives what was found by a name, except by a slug, which is as clear as an id.
        within: the organisation and the course of the session, where the command has options for them.

    Raises:
        UnclearNameError: several match the name, or none does.
    """
    org, course = within or (None, None)
    # not all that UUID() takes: shell_name() excludes what is an id here, and nothing else
    if not (org or course) and re.fullmatch("[0-9a-fA-F]{32}", name.replace("-", "")):
        return UUID(name)
    noun, nouns, hint = _KINDS[kind]
    queries.require_installed(connection)
    with platform_path(connection), connection.cursor(row_factory=dict_row) as cursor:
        query: LiteralString = "SELECT n.id, n.name, n.found_by FROM sessiondb.find_named(%(kind)s, %(name)s) AS n"
        if org or course:
            query = queries.query(connection, "sessions_within")
        asked = {"kind": kind, "name": name, "org": org, "course": course}
        found = cursor.execute(query, asked).fetchall()
        apart: dict[UUID, str] = {}
        if kind == "session" and len(found) > 1:
            query = queries.query(connection, "sessions_apart")
            rows = cursor.execute(query, {"ids": [row["id"] for row in found]}).fetchall()
            apart = {row["id"]: f" ({row['apart']})" for row in rows}
    candidates = [f"{row['id']}  {row['name']}{apart.get(row['id'], '')}" for row in found]
    if not found and (hidden := _hidden_names(connection, kind)):
        way = f"Give the id of the {noun}, or use a role that may read every row there."
        raise UnclearNameError(f'this role can read no {noun} "{name}": {hidden}', [], way)
    if not found and not connection.execute(trusted(resources.query("queries/columns_looked_for")), asked).rowcount:
        what = "e-mails" if kind == "user" and "@" in name else "names"
        raise UnclearNameError(
            f'no {what} of {nouns} are known, so "{name}" cannot be looked up', [], f"Give the id of the {noun}."
        )
    if not found:
        where = " of this organisation" * bool(org) + " in this course" * bool(course)
        raise UnclearNameError(f'there is no {noun} "{name}"{where}', [], hint)
    if found[0]["found_by"] == "near":
        more = ["..."] if len(found) == _SIMILAR else []
        raise UnclearNameError(f'there is no {noun} "{name}"; the most similar names are', candidates + more, hint)
    if len(found) > 1:
        number, more = ("more than 20", ["..."]) if len(found) > 20 else (str(len(found)), [])
        options = [option for option, given in (("--org", org), ("--course", course)) if within and not given]
        hint = "Give the id of one of them" + f", or its {' or '.join(options)}" * bool(options) + "."
        raise UnclearNameError(f'"{name}" is the name of {number} {nouns}', [*candidates[:20], *more], hint)
    if found[0]["found_by"] != "slug":
        say(f"{noun.capitalize()} {found[0]['name']}: {found[0]['id']}")
    if found[0]["found_by"] == "both":
        say(f'"{name}" is its slug; another {noun} has it as its name, and is found by its id.')
    return UUID(str(found[0]["id"]))


def _hidden_names(connection: Connection, kind: str) -> str:
    """Return what keeps the role from reading all names of a kind, or nothing."""
    query = trusted(resources.query("queries/hidden_names", f"{resources.literal(kind)}::text"))
    return ", and ".join(
        f"row level security may hide rows of {table}" if may_read else f"it may not read {table}"
        for table, may_read in connection.execute(query)
    )


def shell_name(connection: Connection, kind: str, id_: UUID) -> str:
    """Return an unambiguous name for use in a command, or the id; ``kind`` as for :func:`find`."""
    return str(
        queries.one(connection, "SELECT sessiondb.shell_name(%(kind)s, %(id)s) AS name", {"kind": kind, "id": id_})[
            "name"
        ]
    )


def offered(connection: Connection, kind: str) -> list[str]:
    """Return what a shell offers for a kind of :func:`find`, a ``role`` or ``status``: at most 1000 slugs or names."""
    if kind in VALUES:
        return allowed(connection, *VALUES[kind]) or _in_use(connection, kind)
    queries.require_installed(connection)
    with platform_path(connection):
        rows = connection.execute("SELECT n.name FROM sessiondb.list_names(%s) AS n (name)", [kind]).fetchall()
    return [name for (name,) in rows]


VALUES = {"role": ("org_members", "role"), "status": ("sessions", "status")}
"""The columns that accept certain words only."""


def allowed(connection: Connection, table: str, column: str) -> list[str]:
    """Return the values that an enum or a CHECK lists for a column of the platform, in their order."""
    query = trusted(resources.query("queries/allowed_values", "%(table)s", "%(column)s"))
    rows = connection.execute(query, {"table": table, "column": column}).fetchall()
    return [value for (value,) in rows]


def _in_use(connection: Connection, kind: str) -> list[str]:
    """Return the roles or statuses in use on the platform, at most 1000."""
    queries.require_readable(connection)
    table, column = VALUES[kind]
    # not t.role: without such a column, that would call a function role(org_members) of any role
    query = f"SELECT DISTINCT {column}::pg_catalog.text FROM platform.{table} AS t ORDER BY 1 LIMIT 1000"  # noqa: S608
    return [name for (name,) in queries.rows(connection, queries.of_platform(connection, query)) if name]


_NEAR = 0.75
"""How alike a misspelt word must be; "archived" is not meant to be "active"."""


def spelled(connection: Connection, status: str, *, is_asked: bool = False) -> str:
    """Return a status in the spelling of the platform, ignoring case; refuse one that is misspelled.

    If ``is_asked``, sessions with it are looked for: then also one that the column could not hold or that is like one.
    """
    listed = allowed(connection, *VALUES["status"])
    known = listed or _in_use(connection, "status")
    same = [value for value in known if value.lower() == status.lower()]
    if status in known or len(same) > 1:
        return status
    if listed and not same and status == "active":
        raise SessiondbError('sessions cannot have the status "active" any more', "See: sessiondb check active_status")
    near = get_close_matches(status.lower(), known, 1, _NEAR)
    if not same and ((near and listed) or (is_asked and (near or listed))):
        hint = f"Did you mean {near[0]}? " if near else ""
        raise SessiondbError(f'unknown session status "{status}"', f"{hint}The platform knows: {', '.join(known)}")
    return same[0] if same else status


def role_of_students(connection: Connection) -> str:
    """Return the role of a new member: student or, if the platform's list lacks that, of most enrolled members.

    Raises:
        SessiondbError: none of them shows it.
    """
    roles = allowed(connection, "org_members", "role")
    if not roles or "student" in roles:
        return "student"
    queries.require_readable(connection)
    preconditions.require_columns(connection, all_tables=True)  # enrolments, too
    query = """
        SELECT role::pg_catalog.text
          FROM platform.org_members AS m
         WHERE EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) m.user_id)
         GROUP BY 1
         ORDER BY pg_catalog.count(*) DESC, 1
         LIMIT 1"""
    for (role,) in queries.rows(connection, queries.of_platform(connection, query)):
        return str(role)
    raise SessiondbError("this platform has no role student", f"Give one of its roles: {', '.join(roles)}")
