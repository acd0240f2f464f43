"""The steps of apply and rollback: apply runs them, plan shows them, and the script for psql contains them.

A step is a transaction, or a query whose rows are statements to run one by one. Statements about schema sessiondb run
under ``pg_catalog, pg_temp``, statements about the platform's tables under the platform's search_path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from sessiondb import __version__, ledger, objects, resources
from sessiondb.ledger import Migration
from sessiondb.objects import CODE, Object, State
from sessiondb.resources import literal

Locks = Mapping[str, str]
"""The mode of the lock on each table."""


@dataclass(frozen=True)
class Statement:
    """A statement that is sent as it is."""

    text: str  # the statement
    locks: Locks = field(default_factory=dict)  # those that it acquires on tables of the platform
    scans: str | None = None  # the table that it reads completely
    ours: bool = False  # whether it is about schema sessiondb and runs under our own search_path


@dataclass(frozen=True)
class Query:
    """A query whose rows are statements to run: the statement, its locks, the table that it scans."""

    text: str  # the query
    name: str  # the name of its file below ``sql/steps/``


@dataclass(frozen=True)
class Step:
    """A transaction or, if ``each`` is true, statements that commit one by one."""

    of: str  # the id of the migration, or another name of what this belongs to
    items: Sequence[Statement | Query]  # what to run, in order
    each: bool = False  # every statement commits by itself, and one with CONCURRENTLY runs outside a transaction
    creates: bool = False  # it creates schema sessiondb if there is none, and then looks whose it is


_SECURE = Statement("CALL sessiondb.secure_schema()", ours=True)
"""The end of a transaction that created or altered something in schema sessiondb."""


def apply(migration: Migration, schema: str, *, staff: bool = False) -> Iterator[Step]:
    """Yield the steps of a migration, with the functions, triggers and policies that come with it.

    Args:
        migration: a pending migration.
        schema: the platform's schema.
        staff: whether there are roles of staff, and so policies.
    """
    comes = objects.of_migration(migration.number)
    claimed = [o for o in comes if o.kind not in (*CODE, "table") or o.parent == "platform"]
    claim = [ours("claim", claimed, "true")] if claimed else []
    body = [item(line, schema) for line in migration.apply.items]
    if migration.number == "0001":
        # the first statement creates the schema or finds one that another role has just created; grants from
        # default privileges of the platform are revoked before the commit
        body.insert(1, Statement(resources.query("script/trusted", "true"), ours=True))
    end = [
        *(configure() if migration.number == "0001" else []),
        *(configure_staff() if any(o.kind == "policy" for o in comes) else []),
        *_installs(migration.number, comes),
        *([_recorded(comes)] if comes else []),
        *([ours("forget_keys", comes)] if any(o.kind == "column" for o in comes) else []),
        *(Statement(text, ours=True) for text in ledger.mark_applied(migration)),
    ]
    if migration.apply.transactional:
        yield Step(migration.id, [*claim, *body, *end], creates=migration.number == "0001")
        for o in comes if staff else ():
            if o.kind == "policy":
                yield Step(migration.id, [_install(o, o.after), _recorded([o])])
        return
    yield Step(migration.id, claim)
    yield Step(migration.id, body, each=True)
    yield Step(migration.id, end)


def undo(migration: Migration, schema: str, *, is_applied: bool) -> Iterator[Step]:
    """Yield the steps that undo a migration, with the functions and triggers that came with it.

    Args:
        migration: a migration that is applied or was interrupted.
        schema: the platform's schema.
        is_applied: whether it is in the ledger.
    """
    code = [uninstall(migration.number)]
    body = [item(line, schema) for line in migration.rollback.items]
    mark = [Statement(text, ours=True) for text in ledger.mark_rolled_back(migration)] if is_applied else []
    forget = [Statement(f"DELETE FROM sessiondb.objects WHERE migration = '{migration.number}'", ours=True)]  # noqa: S608
    if migration.number == "0001":  # the ledger goes with it
        yield Step(migration.id, [*code, *forget, *body])
        return
    if migration.rollback.transactional:
        yield Step(migration.id, [*code, *body, *forget, *mark, _SECURE])
        return
    # A migration that is partly undone counts as not applied, like one that is partly applied: both directions
    # then begin with it, and its steps find what exists.
    if mark:
        yield Step(migration.id, mark)
    yield Step(migration.id, body, each=True)
    yield Step(migration.id, [*code, *forget])


def code(states: Iterable[State] | None) -> Iterator[Step]:
    """Yield the steps that update the code to this version: functions, triggers and policies by table, then drops.

    Between any two of them the platform's INSERTs work, and each can be repeated.

    Args:
        states: the states of the objects; None for a script, which installs everything.
    """
    states = None if states is None else [*states]
    listed = {o.key for o in objects.objects()}
    unknown = [(s.kind, s.parent, s.name) for s in states or () if s.state == "UNKNOWN" and s.kind in CODE]
    if states is None or any(key in listed for key in unknown):
        yield Step("policies for staff", [uninstall("staff")])  # before their roles can no longer call the function
    differ = {(s.kind, s.parent, s.name): s.migration for s in states or () if s.state not in ("INSTALLED", "UNKNOWN")}
    due = [o for o in objects.objects() if o.kind in CODE and (states is None or o.key in differ)]
    for what, group in (
        ("functions", [o for o in due if o.kind == "function"]),
        *(
            (f"{CODE[kind]} of {table}", [o for o in due if (o.kind, o.parent) == (kind, table)])
            for kind in ("trigger", "policy")
            for table in ledger.TABLES
        ),
    ):
        installs = [i for o in group for i in ([_install(o, differ[o.key])] if differ else _installs_of(o))]
        if installs:
            yield Step(what, [*_bootstrap(), *installs, _recorded(group), _SECURE])
    if states is None or any(key not in listed for key in unknown):
        yield Step(
            "triggers of an earlier version", [item(f"-- step: replace_save_trigger {t}", "") for t in ledger.TABLES]
        )
        yield Step("objects that this version no longer has", [uninstall(None)])


def protection() -> Step:
    """Return the step that lets only the owner write to the tables of schema sessiondb again."""
    return Step("protection of tables", [_SECURE])


def tools(names: Set[str]) -> Iterator[Step]:
    """Yield a step that installs these functions, which other steps call."""
    if names:
        found = [o for o in objects.objects() if o.kind == "function" and o.name in names]
        yield Step("functions", [*_bootstrap(), *(_install(o, o.after) for o in found), _recorded(found), _SECURE])


def guards(lost: Sequence[Object]) -> Step:
    """Return the step to take before foreign keys are created again, for tables that were created again.

    Args:
        lost: the triggers that check a session and are missing, though the columns are there.
    """
    columns = [o for o in objects.objects() if o.kind == "column"]
    installs = [*_bootstrap(), *(_install(o, o.after) for o in lost), _recorded(lost), _SECURE] if lost else []
    return Step("triggers that check a session", [*installs, ours("forget_keys", columns)])


def comments() -> Step:
    """Return a step that restores lost comments."""
    commented = [o for o in objects.objects() if o.kind != "table"]
    rows = ", ".join(f"({', '.join(map(literal, (*o.key, o.args, o.comment)))})" for o in commented)
    text = objects.with_objects(resources.query("steps/comments"), commented).replace("{comments}", f"VALUES {rows}")
    return Step("comments", [Query(text, "comments")], each=True)


def configure() -> list[Statement]:
    """Return the statement that records the schema, the course path and the version."""
    return [Statement(resources.query("steps/configure", literal(__version__)), ours=True)]


def configure_staff() -> list[Statement]:
    """Return the statement that records the parameters of the policies for staff."""
    return [Statement(resources.query("steps/configure_staff"), ours=True)]


def uninstall(number: str | None) -> Query:
    """Return the query that drops the code of a migration; for None what is not listed, for ``staff`` the policies."""
    text = resources.query("steps/uninstall", f"{literal(number)}::text")
    return Query(objects.with_objects(text, objects.objects()), "uninstall")


def ours(name: str, wanted: Sequence[Object], *arguments: str) -> Statement:
    """Return a statement of ``sql/steps/`` about these objects and the records of them in schema sessiondb."""
    return Statement(objects.with_objects(resources.query(f"steps/{name}", *arguments), wanted), ours=True)


def completion(found: Sequence[Object]) -> Step:
    """Return a step that completes the records of existing objects."""
    return Step("sessiondb.objects", [ours("claim", found, "false"), ours("record", found)])


def _recorded(made: Sequence[Object]) -> Statement:
    """Return the statement that records new objects; with a policy, also the grants on the function that it calls."""
    called = ("sessions_of_staff", "current_user_id")
    granted = [objects.find("function", name) for name in called] if any(o.kind == "policy" for o in made) else []
    return ours("record", [*made, *granted])


def _installs(number: str, comes: Sequence[Object]) -> Iterator[Statement]:
    """Yield statements that install the code of a migration, functions first."""
    if number == "0001":
        yield from _bootstrap()
    # what is needed only if the column already existed comes last, under a lock that is held by then
    for o in sorted(comes, key=lambda o: (o.kind != "function", number == o.found_after)):
        if o.kind in ("function", "trigger"):
            yield from _installs_of(o, number)
    if any(o.kind == "function" for o in comes):
        yield _SECURE


def _bootstrap() -> Iterator[Statement]:
    """Yield statements that create the installer, which then records itself like all others."""
    for name in ("compile", "platform_path", "run_on_platform", "install_routine", "install"):
        yield Statement(objects.find("function", name).source)


def _installs_of(o: Object, number: str | None = None) -> Iterator[Statement]:
    """Yield statements that install an object with this migration; for None with the one that suits the platform."""
    if o.found_after is None:
        yield _install(o, o.after)
        return
    for after, where in ((o.after, "created"), (o.found_after, "found")):
        if number in (None, after):
            yield _install(o, after, where)


def _install(o: Object, number: str, where: str | None = None) -> Statement:
    tag = next(t for t in ("$source$", "$source1$", "$source2$") if t not in o.source)
    # all of them, of exactly the declared types: another role could have created a procedure that fits fewer better
    arguments = [
        literal(o.kind),
        literal(o.parent),
        f"{literal(o.name)}::name",
        literal(o.args),
        literal(number),
        f"{tag}\n{o.source}\n{tag}",
        literal(o.comment),
        "true" if o.public else "false",
        literal(where) if where else "NULL",
    ]
    locks = {o.parent: _LOCK_FOR[o.kind]} if o.kind in _LOCK_FOR and where is None else {}
    return Statement(f"CALL sessiondb.install({', '.join(arguments)})", locks, ours=True)


_LOCK_FOR = {"trigger": "SHARE ROW EXCLUSIVE", "policy": "ACCESS EXCLUSIVE"}
"""The lock on its table under which an object is created."""

_LOCK = re.compile(r"^-- lock: ([A-Z ]+) on (\w+)$", re.MULTILINE)


def item(text: str, schema: str) -> Statement | Query:
    """Return an item of a migration file: a statement with the comments above it, or a step."""
    if text.startswith("-- step: "):
        name, *rest = text.removeprefix("-- step: ").split()
        return Query(resources.query(f"steps/{name}", *_arguments(name, *rest)), name)
    locks = {table: mode for mode, table in _LOCK.findall(text)}
    bare = re.sub(r"\A(--.*\n|\n)+", "", text)
    return Statement(resources.with_platform(bare, schema), locks)


def _arguments(name: str, *rest: str) -> list[str]:
    """Return the arguments of a step as SQL: for an index or a key its entry in the list, else the table."""
    if name in ("index", "drop_index"):
        (o,) = (objects.find("index", index) for index in rest)
        all_ = [*map(literal, (o.name, o.parent, list(o.columns), o.where, o.comment))]
        return all_ if name == "index" else all_[:2]
    if name == "add_column":
        (o,) = (o for table in rest for o in objects.objects() if (o.kind, o.parent) == ("column", table))
        return [literal(o.parent), literal(o.comment)]
    if name == "foreign_key":
        return [literal(objects.find("constraint", key).parent) for key in rest]
    return [*map(literal, rest)]
