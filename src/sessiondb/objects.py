"""The list of the objects that sessiondb creates, ``sql/objects.toml``, and the query of their states."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

from sessiondb import __version__, resources
from sessiondb.connection import Connection, catalogs, trusted
from sessiondb.installation import TABLE_OWNER, Installation, hold_schema
from sessiondb.resources import literal

CODE = {"function": "functions", "trigger": "triggers", "policy": "policies"}
"""The kinds of objects that a new version replaces, with their folders; a migration creates the others once."""


_NO_STAFF = {"staff_user": "NULL::pg_catalog.uuid", "staff_roles": "NULL::pg_catalog.text[]"}
"""What sources are compiled with if there are no policies for staff."""


@dataclass(frozen=True)
class Object:
    """An entry of the list."""

    kind: str  # ``table``, ``column``, ``constraint``, ``index``, ``function``, ``trigger`` or ``policy``
    name: str  # as PostgreSQL knows it
    # the table of a column, constraint, index, trigger or policy; ``sessiondb`` or ``platform``, the schema of a
    # function or table
    parent: str
    after: str  # the number of the migration that it comes with
    comment: str  # what ``\d+`` shows
    args: str = ""  # the types of a function's arguments, as ``oidvectortypes()`` writes them
    public: bool = False  # whether PUBLIC keeps EXECUTE on the function
    found_after: str | None = None  # the migration that it comes with instead if the platform already had a session_id
    columns: tuple[str, ...] = ()  # the column lists that an index may have; the first one is built
    where: str | None = None  # the predicate of an index

    @property
    def key(self) -> tuple[str, str, str]:
        """Its identity: kind, parent and name."""
        return self.kind, self.parent, self.name

    @functools.cached_property
    def source(self) -> str:
        """The text of a function, trigger or policy, before it is compiled for a platform."""
        text = resources.with_queries(resources.read(f"{CODE[self.kind]}/{self.name}.sql")).strip("\n")
        # install() compares the facts of the object that it creates
        wanted = "(SELECT p_kind, p_parent, p_name::text, p_arguments)"
        return re.sub("{facts}", lambda _: facts({"trigger", "policy"}, wanted), text)

    def sha256(self, there: Installation | None) -> str | None:
        """Return the hash of the text as compiled for this installation; None for an object without a text.

        ``sessiondb.compile()`` does the same in the database.
        """
        if self.kind not in CODE or there is None:
            return None
        staff = there.staff["pieces"] if there.staff else _NO_STAFF
        pieces = tuple(there.course_pieces or ())
        return _sha256(
            self.source, there.platform_schema, there.search_path, pieces, tuple(staff.items()), there.distributed
        )


@functools.cache  # several queries of one run contain the hashes of all objects
def _sha256(
    text: str,
    platform_schema: str,
    search_path: str,
    pieces: Sequence[str],
    staff: Iterable[tuple[str, str]],
    is_distributed: bool,
) -> str:
    text = resources.with_citus(text, is_distributed=is_distributed)
    names = "".join([resources.quoted(platform_schema), search_path, " ".join(pieces)])
    for tag in ("function", "procedure"):
        if f"${tag}$" in names:
            longer = hashlib.md5(names.encode(), usedforsecurity=False).hexdigest()
            text = text.replace(f"${tag}$", f"${tag}_{longer}$")
    text = resources.with_course_path(resources.with_platform(text, platform_schema), pieces)
    for name, value in staff:
        text = value.join(re.split(rf"\b{name}\b", text))
    text = text.replace("SET search_path FROM CURRENT", f"SET search_path = {search_path}")
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def objects() -> tuple[Object, ...]:
    """Return the list in its order."""
    listed = tomllib.loads(resources.read("objects.toml"))
    found = []
    for kind, of_kind in listed.items():
        for name, entry in of_kind.items():
            parent = entry.pop("table", None) or entry.pop("schema", "sessiondb")
            bare = name.removeprefix(f"{parent}.")
            found.append(Object(kind, bare, parent, **{**entry, "columns": tuple(entry.get("columns", ()))}))
    return tuple(found)


def listed(there: Installation | None) -> list[Object]:
    """Return what this installation must have: the list, without the policies if no roles of staff are given."""
    return [o for o in objects() if o.kind != "policy" or (there and there.staff)]


def of_migration(number: str) -> list[Object]:
    """Return the objects that come with the migration of this number."""
    return [o for o in objects() if number in (o.after, o.found_after)]


def find(kind: str, name: str) -> Object:
    """Return the entry of this kind and name."""
    return next(o for o in objects() if (o.kind, o.name) == (kind, name))


def rows(wanted: Iterable[Object], there: Installation | None = None) -> str:
    """Return a VALUES list: kind, parent, name, arguments, migration, migration if found, hash of the text."""
    values = [(*o.key, o.args, o.after, o.found_after, o.sha256(there)) for o in wanted]
    literals = [", ".join(f"{literal(value)}::text" for value in row) for row in values]
    return "VALUES " + ",\n       ".join(f"({row})" for row in literals)


def indexes() -> str:
    """Return a VALUES list of the indexes: name, table, possible column lists, predicate, comment."""
    listed = [o for o in objects() if o.kind == "index"]
    values = [
        f"({literal(o.name)}::name, {literal(o.parent)}::name, {literal(list(o.columns))}::text[], "
        f"{literal(o.where)}::text, {literal(o.comment)}::text)"
        for o in listed
    ]
    return "VALUES " + ", ".join(values)


def facts(kinds: Set[str], wanted: str) -> str:
    """Return the query of the facts in the catalogs about objects of these kinds, named by a relation or a subquery."""
    branches = "\nUNION ALL\n".join(resources.query(f"facts/{kind}") for kind in sorted(kinds))
    return resources.query("queries/facts").replace("{wanted}", wanted).replace("{kinds}", branches)


def with_objects(text: str, wanted: Sequence[Object], there: Installation | None = None) -> str:
    """Replace the placeholders in a query with entries of the list and the query of their facts.

    ``{objects}`` is :func:`rows`, ``{indexes}`` :func:`indexes`, ``{names}`` the kind, parent and name of each,
    ``{facts}`` :func:`facts` of the relation ``wanted`` of the query.
    """
    put_in: dict[str, Callable[[], str]] = {
        "{facts}": lambda: facts({o.kind for o in wanted}, "wanted"),
        "{objects}": lambda: rows(wanted, there),
        "{indexes}": indexes,
        "{names}": lambda: "VALUES " + ", ".join(f"({', '.join(map(literal, o.key))})" for o in wanted),
    }
    return re.sub("|".join(put_in), lambda match: put_in[match.group()](), text)


@dataclass(frozen=True)
class State:
    """The state of an object, as ``queries/states.sql`` reports it."""

    kind: str  # this and the next two as :class:`Object` has them
    parent: str
    name: str
    migration: str  # the number of the migration that it came with
    state: str  # ``INSTALLED``, ``OUTDATED``, ``CHANGED``, ``MISSING``, ``UNRECORDED`` or ``UNKNOWN``
    was: dict[str, object] | None  # the facts when it was created, None if they are not known
    now: dict[str, object] | None  # the facts in the catalogs, None if the object does not exist


def states(connection: Connection, there: Installation, *, every: bool = False) -> list[State]:
    """Return the state of each object that must exist, by reading only; schema sessiondb is held.

    Args:
        connection: to a database that has a ledger.
        there: what the code is to be compiled for.
        every: include objects that need not exist yet.
    """
    with catalogs(connection):
        hold_schema(connection)
        text = resources.query("queries/states").replace("{every}", str(every).lower())
        text = with_objects(text, objects() if every else listed(there), there)
        return [State(*row) for row in connection.execute(trusted(text))]


def unprotected(connection: Connection) -> bool:
    """Return whether another role than the owner could write to a table of schema sessiondb; the schema is held."""
    with catalogs(connection):
        hold_schema(connection)
        found = connection.execute(trusted(resources.query("queries/tables_to_protect"))).fetchone()
    return found is not None


def live(connection: Connection, kinds: Sequence[str] = ("table", "column")) -> dict[Object, bool]:
    """Return the objects of the list that exist in the database, from the catalogs alone.

    Returns:
        Each with whether its comment marks it as one of sessiondb.
    """
    listed = {o.key: o for o in objects() if o.kind in kinds}
    values = ", ".join(f"({', '.join(map(literal, (*o.key, o.args)))})" for o in listed.values())
    with catalogs(connection):
        rows = connection.execute(trusted(facts({*kinds}, f"(VALUES {values})"))).fetchall()
    return {listed[kind, parent, name]: is_ours for kind, parent, name, _, is_ours, *_ in rows}


def leftovers(connection: Connection) -> list[Object]:
    """Return the objects with our comment in the platform's schema, for a database that has lost its ledger."""
    there = live(connection, ("column", "constraint", "index", "function", "policy"))
    return [o for o, is_ours in there.items() if is_ours]


def missing(connection: Connection) -> list[Object]:
    """Return the tables and columns of the list that the database does not have."""
    there = live(connection)
    return [o for o in objects() if o.kind in ("table", "column") and o not in there]


def missing_functions(connection: Connection) -> list[Object]:
    """Return the functions of the list that the database does not have, or that are of a role that is not trusted.

    Nothing is called before it is known that these are ours: no look shows what another role has not committed yet,
    and before PostgreSQL 18 nothing shows that it is creating a function.

    Args:
        connection: as for :func:`sessiondb.installation.is_there`.
    """
    listed = [o for o in objects() if o.kind == "function"]
    found = connection.execute(
        trusted(resources.query("queries/found_functions", TABLE_OWNER)),
        {part: [getattr(o, part) for o in listed] for part in ("parent", "name", "args")},
    ).fetchall()
    return [o for o in listed if (o.parent, o.name) not in found]


def wanted(connection: Connection) -> Installation:
    """Return what is to be installed for the schema and the course path of the connection."""
    with catalogs(connection):
        pinned = resources.query("queries/pinned_path")
        ((schema, search_path, distributed),) = connection.execute(
            trusted(
                f"SELECT current_setting('sessiondb.schema'), ({pinned}),"
                " coalesce(current_setting('sessiondb.citus', true) = 'distributed', false)"
            )
        ).fetchall()
        paths = connection.execute(trusted(resources.query("queries/shortest_course_paths"))).fetchall()
        ((staff,),) = connection.execute(trusted(resources.query("queries/staff"))).fetchall()
    path, _, pieces, *_ = paths[0] if len(paths) == 1 else (None, None, None)  # then preflight refuses
    return Installation(schema, __version__, path, pieces, search_path, staff, distributed)
