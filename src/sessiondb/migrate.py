"""Applying and rolling back migrations, and bringing the functions and triggers to this version."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg.errors import Diagnostic

from sessiondb import ledger, objects, resources, steps
from sessiondb.checks import preflight, require_course_path, rollback_preflight
from sessiondb.database import (
    OUR_PATH,
    Connection,
    bound_waits_on_workers,
    catalogs,
    explain,
    installation,
    place,
    platform_schema,
    trusted,
)
from sessiondb.errors import Finding, SessiondbError, UsageError
from sessiondb.ledger import Migration, read_migrations
from sessiondb.locks import LockBudget, Report, advisory_lock, with_lock_budget
from sessiondb.objects import missing, wanted
from sessiondb.steps import Query, Statement, Step
from sessiondb.versions import refuse_newer
from sessiondb.watch import Progress, Watch

T = TypeVar("T")

Look = Callable[[Callable[[], Any]], Any]
"""Calls a function that reads, and returns what that returns."""

_TRIES = 3

Boundary = Callable[[str, str], None]
"""Called around each statement and commit with what it belongs to and what comes next or was done."""


@dataclass
class Runner:
    """Runs migrations on a connection as :meth:`sessiondb.database.Database.connect` yields it.

    Attributes:
        connection: in autocommit mode.
        budget: how long to wait for locks.
        report: receives what is being done, one line at a time.
        progress: receives how far an index is built.
        boundary: is called at every point where a crash would leave another state behind.
        changed: the last run has changed something.
    """

    connection: Connection
    budget: LockBudget = field(default_factory=LockBudget)
    report: Report = lambda line: None
    progress: Progress = lambda what, done, total: None
    boundary: Boundary = lambda migration, point: None
    changed: bool = False

    def __post_init__(self) -> None:
        self._watch = Watch(self.connection)
        self._point = ""
        self._told = ""
        self._path: str | None = None
        self.connection.add_notice_handler(self._notice)

    def _notice(self, notice: Diagnostic) -> None:
        # 00000: said by one of our procedures; "already exists, skipping" and the like have codes
        if notice.sqlstate == "00000":
            self.report(f"  {notice.message_primary}")

    def apply(self, to: str | None = None, course_path: str | None = None) -> list[str]:
        """Apply the pending migrations, oldest first, then what differs in code, and return the migrations' ids.

        Args:
            to: the last migration to apply, by id or its number; all when None.
            course_path: the way from a submission to its course; found from the foreign keys when None.

        Raises:
            PlatformRefusedError: preflight found something in the way; nothing was changed.
            LockNotObtainedError: another run is at work, or a lock was not to be had in time.
            SessiondbError: the ledger and the package do not fit each other, or a newer version was here.
        """
        require_course_path(self.connection, course_path)
        migrations = read_migrations(resources.MIGRATIONS)
        if to:
            _find(migrations, to)  # what cannot be meant is refused before we wait for another run
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            settle_course_path(self.connection, course_path)
            todo = self._look(lambda: pending(self.connection, migrations, to))
            if bool(todo) or self._look(lambda: is_outdated(self.connection)):
                report_warnings(self._look(lambda: preflight(self.connection, course_path)), self.report)
                self.report(f"Applying to {place(self.connection)}")
                self._each(
                    upgrade(self.connection, todo, self._look),
                    lambda of: "applying" if of in {m.id for m in todo} else "updating",
                )
            self._run(steps.comments(), "updating")
        return [m.id for m in todo]

    def rollback(self, to: str | None) -> list[str]:
        """Undo the applied migrations after ``to``, newest first, and return their ids.

        Args:
            to: the newest migration to keep, by id or its number; None to undo all.

        Raises:
            PlatformRefusedError: something of the platform stands in the way; nothing was changed.
            LockNotObtainedError: another run is at work, or a lock was not to be had in time.
            SessiondbError: the ledger and the package do not fit each other, or a newer version was here.
        """
        migrations = read_migrations(resources.MIGRATIONS)
        keep = _find(migrations, to).id if to else ""
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            refuse_newer(installation(self.connection))
            if not ledger.exists(self.connection):
                _refuse_leftovers(self.connection)
                return []
            applied = set(_verified(self.connection, migrations))
            self._repair(migrations[0])
            todo, there = _to_undo(self.connection, migrations, applied, keep)
            if todo:
                undone = [m.number for m in todo]
                report_warnings(self._look(lambda: rollback_preflight(self.connection, undone)), self.report)
                self.report(f"Rolling back in {place(self.connection)}")
            for migration in todo:
                undo = steps.undo(migration, platform_schema(self.connection), is_applied=migration.id in applied)
                self._each(undo, lambda of: "rolling back")
        return [m.id for m in todo if m.id in there]

    def _repair(self, first: Migration) -> None:
        """Make our own tables again where one is gone, and note what is there and not recorded, before a rollback."""
        gone = self._look(lambda: missing(self.connection))
        there = installation(self.connection)
        if there is None or any(o.after == first.number for o in gone):
            (step,) = steps.apply(first, platform_schema(self.connection))
            self._run(step, "making our own tables again:")
            self._run(Step(step.of, [steps.item("-- step: keep_staff", "")]), "making our own tables again:")
            there = wanted(self.connection)
        compiled_for = there
        states = self._look(lambda: objects.states(self.connection, compiled_for, every=True))
        for step in steps.tools(_gone_tools(states)):
            self._run(step, "making our own functions again:")
        unrecorded = {(s.kind, s.parent, s.name) for s in states if s.state == "UNRECORDED"}
        if unrecorded:
            found = [o for o in objects.objects() if o.key in unrecorded]
            self._run(steps.completion(found), "completing")

    def _each(self, steps_: Iterable[Step], doing: Callable[[str], str]) -> None:
        """Run steps, and report how long each migration took that has done something."""
        for of, group in itertools.groupby(steps_, lambda step: step.of):
            began = time.monotonic()
            for step in group:
                self._run(step, doing(of))
            if self._told == f"{doing(of)} {of}":
                self.report(f"  {time.monotonic() - began:.2f} s")

    def _look(self, read: Callable[[], T]) -> T:
        """Read what the database has, which waits where a table or a partition is locked whole."""
        return with_lock_budget(read, "preflight", self._watch, self.budget, self.report)

    def _run(self, step: Step, doing: str) -> None:
        """Run a step, and say so once for each migration."""
        self._point = "committed"
        self._doing = f"{doing} {step.of}"
        try:
            if not step.each:
                self._transaction(step.of, step.items)
            for item in step.items if step.each else ():
                if isinstance(item, Query):
                    self._query(step.of, item)
                else:
                    self._transaction(step.of, [item])
        except psycopg.Error as error:
            raise explain(error, f"{step.of} failed {self._place()}") from error

    def _place(self) -> str:
        """Return, for people, where a migration is."""
        if self._point in ("committed", "done"):
            return "before its next statement"
        return f'at "{shortened(self._point)}"'

    def _reach(self, of: str, point: str) -> None:
        if self._told != self._doing:
            self._told = self._doing
            self.report(self._doing)
        self.changed = True
        self._point = point
        self.boundary(of, point)

    def _query(self, of: str, query: Query) -> None:
        """Run the statements that a query returns, each by itself."""
        for attempt in range(1, _TRIES + 1):
            try:
                for statement in self._expanded(of, query):
                    if " CONCURRENTLY " in statement.text:
                        self._concurrently(of, statement.text)
                    else:
                        self._transaction(of, [statement], show=True)
                return
            except pg.DeadlockDetected:  # only a concurrent build gets here; what it left is cleared away first
                if attempt == _TRIES:
                    raise
                self.report("  cancelled by a deadlock; trying again")

    def _expanded(self, of: str, query: Query) -> list[Statement]:
        """Return the statements that a query returns; that it reads the platform's tables may mean waiting for them."""
        self._point = query.text
        return with_lock_budget(lambda: expanded(self.connection, query), of, self._watch, self.budget, self.report)

    def _concurrently(self, of: str, statement: str) -> None:
        """Build or drop an index while other sessions read and write.

        It waits for old transactions as long as they last and blocks no session meanwhile, so it has no
        lock_timeout: that would only leave an invalid index behind.
        """
        self._reach(of, statement)
        self.report(f"  {shortened(statement)}")
        with self._watch.index_build(self.progress, self.report):
            self.connection.execute("SET search_path TO DEFAULT")  # event triggers of the platform see their own
            try:
                self.connection.execute(trusted(statement))
            finally:
                if not self.connection.closed:
                    self.connection.execute(f"SET search_path TO {OUR_PATH}")
        self._reach(of, "done")

    def _transaction(self, of: str, items: Sequence[Statement | Query], *, show: bool = False) -> None:
        def execute(statement: Statement) -> None:
            self._reach(of, statement.text)
            if show:
                self.report(f"  {shortened(statement.text)}")
            self._set_path(None if statement.ours else "DEFAULT")
            self.connection.execute(trusted(statement.text))

        def run() -> None:
            self._path = None
            with self.connection.transaction():
                if self._watch.is_distributed:
                    bound_waits_on_workers(self.connection)
                for item in items:
                    if isinstance(item, Statement):
                        execute(item)
                    else:
                        self._point = item.text
                        self._set_path(None)
                        for statement in expanded(self.connection, item):
                            execute(statement)
                self._set_path("DEFAULT")  # deferred triggers fire at the commit
                self._reach(of, "commit")
            self._reach(of, "committed")

        if items:
            with_lock_budget(run, of, self._watch, self.budget, self.report)

    def _set_path(self, path: str | None) -> None:
        """Set the search_path in the transaction that is open: the platform's own (DEFAULT), or None for ours."""
        if path != self._path:
            self._path = path
            self.connection.execute(trusted(f"SET LOCAL search_path TO {path or OUR_PATH}"))


def expanded(connection: Connection, query: Query) -> list[Statement]:
    """Return the statements that a query of a step returns now."""
    with catalogs(connection):
        rows = connection.execute(trusted(query.text)).fetchall()
    return [Statement(text, locks or {}, scans) for text, locks, scans in rows]


def pending(connection: Connection, migrations: Sequence[Migration], to: str | None) -> list[Migration]:
    """Return those of all migrations that :meth:`Runner.apply` would run, oldest first, by reading only.

    One that is applied is run again where something that it made is gone: each copes with what is there.

    Raises:
        UsageError: there is no migration ``to``.
        SessiondbError: the ledger and the package do not fit each other, or a newer version was here.
    """
    last = _find(migrations, to) if to else migrations[-1]
    refuse_newer(installation(connection))
    applied = _verified(connection, migrations)
    gone = {o.after for o in missing(connection)}

    def is_whole(migration: Migration) -> bool:
        if migration.number in gone:
            return False
        queries = [steps.item(line, "") for line in migration.steps]
        return not any(expanded(connection, query) for query in queries if isinstance(query, Query))

    return [m for m in migrations if m.id <= last.id and not (applied.get(m.id) and is_whole(m))]


def undoable(connection: Connection, to: str | None) -> list[Migration]:
    """Return what :meth:`Runner.rollback` would undo, newest first, by reading only.

    Raises:
        UsageError: there is no migration ``to``, or it is not applied.
        SessiondbError: the ledger and the package do not fit each other, or a newer version was here.
    """
    migrations = read_migrations(resources.MIGRATIONS)
    keep = _find(migrations, to).id if to else ""
    refuse_newer(installation(connection))
    if not ledger.exists(connection):
        _refuse_leftovers(connection)
        return []
    applied = set(_verified(connection, migrations))
    if any(o.kind == "table" and o.after == "0001" for o in missing(connection)):  # a rollback makes it again first
        return [m for m in reversed(migrations) if m.id in applied and m.id > keep]
    todo, there = _to_undo(connection, migrations, applied, keep)
    return [m for m in todo if m.id in there]


def _to_undo(
    connection: Connection, migrations: Sequence[Migration], applied: set[str], keep: str
) -> tuple[list[Migration], set[str]]:
    """Return the migrations to undo, newest first, and the ids of those of which there is something.

    Raises:
        UsageError: the one to keep is not applied.
    """
    if keep and keep not in applied:
        raise UsageError(f"migration {keep} is not applied", "See: sessiondb status")
    recorded = {row[0] for row in connection.execute("SELECT DISTINCT migration FROM sessiondb.objects")}
    newest = max(applied | {m.id for m in migrations if m.number in recorded}, default="")
    there = {m.id for m in migrations if m.id <= newest}
    todo = [m for m in reversed(migrations) if m.id in there and m.id > keep]
    # one that is not transactional may have been stopped on its way, in either direction
    following = next((m for m in migrations if m.id not in there), None)
    if applied and following and following.id > keep and not following.rollback.transactional:
        todo.insert(0, following)
    return todo, there


def settle_course_path(connection: Connection, given: str | None) -> None:
    """Let the foreign keys decide again, where none is given and the path that is kept leads nowhere any more."""
    if given is None and installation(connection):
        with catalogs(connection):
            paths = connection.execute(trusted(resources.query("queries/course_paths"))).rowcount
        if paths == 0:
            local = not connection.autocommit
            connection.execute("SELECT set_config('sessiondb.course_path', '', %s)", [local])


def is_outdated(connection: Connection) -> bool:
    """Return whether something that is installed differs from what this version installs."""
    if not ledger.exists(connection):
        return False
    there, then = installation(connection), wanted(connection)
    return there != then or any(s.state != "INSTALLED" for s in objects.states(connection, then))


def upgrade(connection: Connection, todo: Sequence[Migration], look: Look = lambda read: read()) -> Iterator[Step]:
    """Yield the steps of an apply, each as the database is when its turn comes.

    Args:
        connection: one that runs each step before it asks for the next, or that only reads, for a plan.
        todo: the pending migrations.
        look: calls what reads the catalogs, and may call it again when it has waited for a lock in vain.
    """
    there, then = installation(connection), look(lambda: wanted(connection))
    if there != then and not (todo and todo[0].number == "0001"):
        yield Step("version", [*steps.configure(), *steps.configure_staff()])
    if todo and todo[0].number != "0001":
        yield from steps.tools(_gone_tools(look(lambda: objects.states(connection, then))))
    for migration in todo:
        yield from steps.apply(migration, then.platform_schema, staff=then.staff is not None)
    # where this is a plan, what a migration above brings is not due yet
    gone = {o.name for o in look(lambda: missing(connection))}
    if gone & {"_yoyo_migration", "objects", "installation"}:
        return
    states = look(lambda: objects.states(connection, then))
    again = {m.number for m in todo}
    found = {(s.kind, s.parent, s.name) for s in states if s.state in ("UNRECORDED", "MISSING")}
    lost = [o for o in objects.objects() if o.key in found and o.kind not in objects.CODE and o.after not in again]
    if lost:
        yield steps.completion(lost)
        # what a column is, ours or the platform's own, decides which migration its triggers come with
        states = look(lambda: objects.states(connection, then))
    yield from steps.code(states)


def _gone_tools(states: Sequence[objects.State]) -> set[str]:
    """Return the names of the functions that the migrations call and that are gone."""
    return {s.name for s in states if s.state == "MISSING" and s.kind == "function" and s.migration == "0001"}


def report_warnings(warnings: Sequence[Finding], report: Report) -> None:
    """Report what preflight warns of."""
    for warning in warnings:
        report(f"warning: {warning.detail}")
        report(f"  fix: {warning.fix}")


def _verified(connection: Connection, migrations: Sequence[Migration]) -> dict[str, str | None]:
    """Return the ids that are applied, each with the hash of its text, after comparing the ledger with the files."""
    applied = ledger.applied(connection)
    known = {m.id: m for m in migrations}
    for id_, (_, sha256) in applied.items():
        if id_ not in known:
            raise SessiondbError(
                f"migration {id_} is applied here, but this sessiondb does not have it",
                "Use the version of sessiondb that applied it, or a newer one.",
            )
        if sha256 not in (None, known[id_].sha256):
            raise SessiondbError(
                f"migration {id_} was edited after it was applied",
                "Restore the released file; put the change into a new migration.",
            )
    return {id_: sha256 for id_, (_, sha256) in applied.items()}


def _refuse_leftovers(connection: Connection) -> None:
    """Refuse to say that nothing is installed, where something of ours is left and the ledger is gone."""
    left = [o.name if o.parent == "platform" else f"{o.parent}.{o.name}" for o in objects.leftovers(connection)]
    if left:
        raise SessiondbError(
            f"the record of the installation is lost, but objects of sessiondb still exist: {', '.join(left)}",
            "Run: sessiondb apply && sessiondb rollback --all",
        )


def readable(statement: str) -> str:
    """Return the statement for people to read: without the comments above it, and no literal for what it runs."""
    installed = re.search(r"\ACALL sessiondb\.install\(.*\$(source\d?)\$\n(.*)\n\$\1\$", statement, re.DOTALL)
    bare = re.sub(r"\A(\s*--.*\n)+", "", installed[2] if installed else statement).strip()
    block = re.fullmatch(r"DO '((?:[^']|'')*)'", bare)
    return f"DO $$ {block[1]} $$".replace("''", "'") if block and "$$" not in bare else bare


def on_one_line(statement: str) -> str:
    """Return the statement for people to read, without line breaks and without the comments in it."""
    return " ".join(re.sub(r"^\s*--.*$", "", readable(statement), flags=re.MULTILINE).split())


def shortened(statement: str) -> str:
    """Return the statement on one line, short and without the locks that it takes first, for people to see it."""
    line = re.sub(r"CALL sessiondb\.lock_tables\(('([^']|'')*'(, )?)+\); ", "", on_one_line(statement))
    return line if len(line) <= 150 else line[:147] + "..."


def _find(migrations: Sequence[Migration], name: str) -> Migration:
    """Return the migration with this id, or whose number this is.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [m for m in migrations if name in (m.id, m.id.split(".")[0])]
    if len(found) != 1:
        raise UsageError(
            f'there is no migration "{name}"', "The migrations are: " + ", ".join(m.id for m in migrations)
        )
    return found[0]
