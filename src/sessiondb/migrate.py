"""Applying and rolling back migrations, and updating functions and triggers to this version."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg.errors import Diagnostic

from sessiondb import ledger, objects, resources, steps
from sessiondb.citus import bound_waits_on_workers
from sessiondb.connection import (
    Connection,
    catalogs,
    place,
    platform_schema,
    set_our_path,
    set_platform_path,
    trusted,
)
from sessiondb.errors import Finding, SessiondbError, UsageError
from sessiondb.installation import hold_schema, installation, look_again, refuse_other
from sessiondb.ledger import Migration, read_migrations
from sessiondb.locks import LockBudget, Report, advisory_lock, with_lock_budget
from sessiondb.objects import missing, wanted
from sessiondb.preconditions import require_search_path
from sessiondb.preflight import preflight, require_course_path, rollback_preflight
from sessiondb.server_errors import explain
from sessiondb.steps import Query, Statement, Step
from sessiondb.watch import Progress, Watch

T = TypeVar("T")

Look = Callable[[Callable[[], Any]], Any]
"""Calls a function that only reads, and returns its result."""

_TRIES = 3

Boundary = Callable[[str, str], None]
"""Called around each statement and commit with the migration and with what comes next or was done."""


@dataclass
class Runner:
    """Runs migrations on a connection as :meth:`sessiondb.database.Database.connect` yields it."""

    connection: Connection  # in autocommit mode
    budget: LockBudget = field(default_factory=LockBudget)  # how long to wait for locks
    report: Report = lambda line: None  # receives what is being done, line by line
    progress: Progress = lambda what, done, total: None  # receives the progress of an index build
    # is called at every point at which a crash would leave a different state
    boundary: Boundary = lambda migration, point: None
    changed: bool = False  # whether the last run has changed something
    again: list[str] = field(default_factory=list)  # the migrations of the last run that had been applied before
    saved: int = 0  # how many links a rollback of all migrations has left in schema sessiondb

    def __post_init__(self) -> None:
        self._watch = Watch(self.connection)
        self._point = ""
        self._told = ""
        self._is_ours = True
        self._has_event_triggers = False
        self.connection.add_notice_handler(self._notice)

    def _notice(self, notice: Diagnostic) -> None:
        # 00000: from one of our procedures; "already exists, skipping" and the like have other codes
        if notice.sqlstate == "00000":
            self.report(f"  notice: {notice.message_primary}")

    def apply(self, to: str | None = None, course_path: str | None = None) -> list[str]:
        """Apply the pending migrations, oldest first, then the code that differs, and return the migrations' ids.

        Args:
            to: the last migration to apply, by id or its number; all when None.
            course_path: the path from a submission to its course; found from the foreign keys if None.

        Raises:
            PlatformRefusedError: preflight found an obstacle; nothing was changed.
            LockNotObtainedError: another run is working, or a lock was not obtained in time.
            SessiondbError: the ledger and the package do not match, or a newer version was applied.
        """
        require_course_path(self.connection, course_path)
        migrations = read_migrations(resources.MIGRATIONS)
        if to:
            find_migration(migrations, to)  # refuse an unknown one before waiting for another run
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            self._look(lambda: look_again(self.connection))
            settle_course_path(self.connection, course_path)
            todo = self._look(lambda: pending(self.connection, migrations, to))
            before = self._look(lambda: ledger.applied(self.connection))
            self.again = [m.id for m in todo if m.id in before]
            if bool(todo) or self._look(lambda: is_outdated(self.connection)):
                report_warnings(self._look(lambda: preflight(self.connection, course_path)), self.report)
                self.report(f"Applying to {place(self.connection)}")
                self._each(
                    upgrade(self.connection, todo, self._look),
                    lambda of: "applying" if of in {m.id for m in todo} else "updating",
                )
            self._run(steps.comments(), "updating")
        return [m.id for m in todo]

    def rollback(self, to: str | None, reported: Sequence[Finding] = ()) -> list[str]:
        """Undo the applied migrations after ``to``, newest first, and return their ids.

        Args:
            to: the newest migration to keep, by id or its number; None to undo all.
            reported: warnings that the user has already seen.

        Raises:
            PlatformRefusedError: something on the platform prevents it; nothing was changed.
            LockNotObtainedError: another run is working, or a lock was not obtained in time.
            SessiondbError: the ledger and the package do not match, or a newer version was applied.
        """
        migrations = read_migrations(resources.MIGRATIONS)
        keep = find_migration(migrations, to).id if to else ""
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            self._look(lambda: look_again(self.connection))
            applied = self._look(lambda: _applied(self.connection, migrations))
            if applied is None:
                self.saved = self._look(lambda: ledger.saved_links(self.connection))
                return []
            self._look(lambda: require_search_path(self.connection))  # event triggers fire in the repair
            self._repair(migrations[0], {id_[:4] for id_ in applied})
            todo, there = self._look(lambda: _to_undo(self.connection, migrations, applied, keep))
            if todo:
                undone = [m.number for m in todo]
                found = self._look(lambda: rollback_preflight(self.connection, undone))
                report_warnings([warning for warning in found if warning not in reported], self.report)
                self.report(f"Rolling back in {place(self.connection)}")
            for migration in todo:
                if migration.number == "0001":  # while the schema is still ours
                    self.saved = self._look(lambda: ledger.saved_links(self.connection))
                undo = steps.undo(migration, platform_schema(self.connection), is_applied=migration.id in applied)
                self._each(undo, lambda of: "rolling back")
        return [m.id for m in todo if m.id in there]

    def _repair(self, first: Migration, applied: Set[str]) -> None:
        """Before a rollback, create missing tables of our own again, and record objects that are not recorded.

        Not the foreign keys if 0004 is rolled back: those of our columns go with them.
        """
        gone = self._look(lambda: missing(self.connection))
        there = installation(self.connection)
        if there is None or any(o.after == first.number for o in gone):
            (step,) = steps.apply(first, platform_schema(self.connection))
            self._run(step, "creating missing tables of schema sessiondb:")
            keep = [steps.item("-- step: keep_staff", ""), *steps.protection().items]
            self._run(Step(step.of, keep), "creating missing tables of schema sessiondb:")
            there = wanted(self.connection)
        compiled_for = there
        states = self._look(lambda: objects.states(self.connection, compiled_for, every=True))
        for step in steps.tools(_tools(states, lambda number: number in applied)):
            self._run(step, "installing functions of schema sessiondb:")
        unrecorded = {(s.kind, s.parent, s.name) for s in states if s.state == "UNRECORDED"}
        # not a function of the platform or of another role, which an apply would have replaced
        ours = {o.key for o in objects.leftovers(self.connection)} if unrecorded else set()
        found = [
            o
            for o in objects.objects()
            if o.key in unrecorded
            and (o.parent != "platform" or o.key in ours)
            and (o.kind != "constraint" or o.after in applied)
        ]
        if found:
            self._run(steps.completion(found), "completing")

    def _each(self, steps_: Iterable[Step], doing: Callable[[str], str]) -> None:
        """Run steps, and report how long each migration took that changed something."""
        for of, group in itertools.groupby(steps_, lambda step: step.of):
            began = time.monotonic()
            for step in group:
                self._run(step, doing(of))
            if self._told == f"{doing(of)} {of}":
                self.report(f"  {time.monotonic() - began:.2f} s")

    def _look(self, read: Callable[[], T], what: str = "preflight") -> T:
        """Read from the database, which may have to wait for a lock on a table or a partition."""

        def held() -> T:
            with self.connection.transaction():
                installation(self.connection)  # which stays then
                return read()

        return with_lock_budget(held, what, self._watch, self.budget, self.report)

    def _run(self, step: Step, doing: str) -> None:
        """Run a step, and report it once per migration."""
        self._point = "committed"
        self._doing = f"{doing} {step.of}"
        try:
            if not step.each:
                self._transaction(step.of, step.items, creates=step.creates)
            for item in step.items if step.each else ():
                if isinstance(item, Query):
                    self._query(step.of, item)
                else:
                    self._transaction(step.of, [item])
        except psycopg.Error as error:
            is_between = self._point in ("committed", "done")
            place = "before its next statement" if is_between else f'at "{shortened(self._point)}"'
            raise explain(error, f"{step.of} failed {place}") from error

    def _reach(self, of: str, point: str) -> None:
        if self._told != self._doing:
            self._told = self._doing
            self.report(self._doing)
        self.changed = True
        self._point = point
        self.boundary(of, point)

    def _query(self, of: str, query: Query) -> None:
        """Run the statements that a query returns one by one."""

        def read() -> list[Statement]:
            hold_schema(self.connection)
            return expanded(self.connection, query)

        for attempt in range(1, _TRIES + 1):
            self._point = query.text
            try:
                for statement in self._look(read, of):
                    if statement.text.startswith(("CREATE INDEX CONCURRENTLY ", "DROP INDEX CONCURRENTLY ")):
                        self._concurrently(of, statement.text)
                    else:
                        self._transaction(of, [statement], show=not statement.text.startswith("COMMENT "))
                return
            except pg.DeadlockDetected:  # only a concurrent build; the next try first removes what it left
                if attempt == _TRIES:
                    raise
                self.report("  cancelled by a deadlock; trying again")

    def _concurrently(self, of: str, statement: str) -> None:
        """Build or drop an index while other sessions read and write.

        It waits for old transactions to end and blocks no session meanwhile, so it has no lock_timeout,
        which would only leave an invalid index.
        """
        self._reach(of, statement)
        self.report(f"  {shortened(statement)}")
        with self._watch.index_build(self.progress, self.report):
            set_platform_path(self.connection)  # event triggers of the platform expect this path
            try:
                self.connection.execute(trusted(statement))
            finally:
                if not self.connection.closed:
                    set_our_path(self.connection)
        self._reach(of, "done")

    def _transaction(
        self, of: str, items: Sequence[Statement | Query], *, creates: bool = False, show: bool = False
    ) -> None:
        def execute(statement: Statement) -> None:
            self._reach(of, statement.text)
            if show:
                self.report(f"  {shortened(statement.text)}")
            self._set_path(ours=statement.ours)
            self.connection.execute(trusted(statement.text))

        def run() -> None:
            self._is_ours = True
            with self.connection.transaction():
                query = "SELECT EXISTS (SELECT FROM pg_event_trigger)"
                ((self._has_event_triggers,),) = self.connection.execute(query).fetchall()
                if not creates:
                    hold_schema(self.connection)
                if self._watch.is_distributed:
                    bound_waits_on_workers(self.connection)
                for item in items:
                    if isinstance(item, Statement):
                        execute(item)
                    else:
                        self._point = item.text
                        self._set_path(ours=True)
                        for statement in expanded(self.connection, item):
                            execute(statement)
                self._set_path(ours=False)  # deferred triggers fire at the commit
                self._reach(of, "commit")
            set_our_path(self.connection)
            self._reach(of, "committed")

        if items:
            with_lock_budget(run, of, self._watch, self.budget, self.report)

    def _set_path(self, *, ours: bool) -> None:
        """Set the search_path in the open transaction, ours or the platform's."""
        # a function of an event trigger may have set another one
        if ours != self._is_ours or self._has_event_triggers:
            self._is_ours = ours
            if ours:
                set_our_path(self.connection)
            else:
                set_platform_path(self.connection)


def expanded(connection: Connection, query: Query) -> list[Statement]:
    """Return the statements that the query of a step returns now."""
    with catalogs(connection):
        rows = connection.execute(trusted(query.text)).fetchall()
    return [Statement(text, locks or {}, scans) for text, locks, scans in rows]


def pending(connection: Connection, migrations: Sequence[Migration], to: str | None) -> list[Migration]:
    """Return the migrations that :meth:`Runner.apply` would run, oldest first, by reading only.

    An applied migration runs again if something that it created is missing, whatever ``to`` is: each copes with what
    exists.

    Raises:
        UsageError: there is no migration ``to``.
        SessiondbError: the ledger and the package do not match, or a newer version was applied.
    """
    last = find_migration(migrations, to) if to else migrations[-1]
    refuse_other(installation(connection), older=False)
    applied = _verified(connection, migrations)
    gone = {o.after for o in missing(connection)}

    def is_whole(migration: Migration) -> bool:
        if migration.number in gone:
            return False
        queries = [steps.item(line, "") for line in migration.steps]
        return not any(expanded(connection, query) for query in queries if isinstance(query, Query))

    return [m for m in migrations if (m.id <= last.id or m.id in applied) and not (applied.get(m.id) and is_whole(m))]


def undoable(connection: Connection, to: str | None) -> list[Migration]:
    """Return what :meth:`Runner.rollback` would undo, newest first, by reading only.

    Raises:
        UsageError: there is no migration ``to``, or it is not applied.
        SessiondbError: the ledger and the package do not match, or a newer version was applied.
    """
    migrations = read_migrations(resources.MIGRATIONS)
    keep = find_migration(migrations, to).id if to else ""
    applied = _applied(connection, migrations)
    if applied is None:
        return []
    if any(o.kind == "table" and o.after == "0001" for o in missing(connection)):  # a rollback creates it again first
        return [m for m in reversed(migrations) if m.id in applied and m.id > keep]
    todo, there = _to_undo(connection, migrations, applied, keep)
    return [m for m in todo if m.id in there]


def _to_undo(
    connection: Connection, migrations: Sequence[Migration], applied: set[str], keep: str
) -> tuple[list[Migration], set[str]]:
    """Return the migrations to undo, newest first, and the ids of those that have left something.

    Raises:
        UsageError: the one to keep is not applied.
    """
    if keep and keep not in applied:
        raise UsageError(f"migration {keep} is not applied", "See: sessiondb status")
    recorded = {row[0] for row in connection.execute("SELECT DISTINCT migration FROM sessiondb.objects")}
    newest = max(applied | {m.id for m in migrations if m.number in recorded}, default="")
    there = {m.id for m in migrations if m.id <= newest}
    todo = [m for m in reversed(migrations) if m.id in there and m.id > keep]
    # the one that follows may have been interrupted in either direction, if it is not transactional
    following = [m for m in migrations if m.id not in there and m.id > keep]
    left = [m for m in following[:1] if applied and not m.rollback.transactional]
    if any(m.number in {"0002", "0003", "0004"} for m in todo):  # what saves the links comes before it
        left += [m for m in following if m.number == "0006" and m not in left]
    todo[:0] = reversed(left)
    return todo, there


def settle_course_path(connection: Connection, given: str | None) -> None:
    """Find the path from the foreign keys again if none is given and the recorded one no longer leads to a course."""
    if given is None and installation(connection):
        with catalogs(connection):
            paths = connection.execute(trusted(resources.query("queries/course_paths"))).rowcount
        if paths == 0:
            local = not connection.autocommit
            connection.execute("SELECT set_config('sessiondb.course_path', '', %s)", [local])


def longer_course_paths(connection: Connection, path: str) -> list[str]:
    """Return the other paths along foreign keys from a submission to its course, which ``path`` was preferred to."""
    with connection.transaction(), catalogs(connection):
        connection.execute("SELECT set_config('sessiondb.course_path', '', true)")
        found = connection.execute(trusted(resources.query("queries/course_paths"))).fetchall()
    return [other for other, *_ in found if other != path]


def is_outdated(connection: Connection) -> bool:
    """Return whether an installed object differs from what this version installs."""
    if not ledger.exists(connection):
        return False
    there, then = installation(connection), wanted(connection)
    return (
        there != then
        or any(s.state != "INSTALLED" for s in objects.states(connection, then))
        or objects.unprotected(connection)
    )


def upgrade(connection: Connection, todo: Sequence[Migration], look: Look = lambda read: read()) -> Iterator[Step]:
    """Yield the steps of an apply, each for the state of the database at that time.

    Args:
        connection: runs each step before the next one is requested; for a plan, it only reads.
        todo: the pending migrations.
        look: calls a function that reads the catalogs, and repeats it if a lock was not obtained.
    """
    there, then = installation(connection), look(lambda: wanted(connection))
    if there != then and not (todo and todo[0].number == "0001"):
        yield Step("settings", [*steps.configure(), *steps.configure_staff()])
    if todo and todo[0].number != "0001":
        before = look(lambda: objects.states(connection, then))
        numbers = {m.number for m in todo}
        yield from steps.tools(_tools(before, lambda number: number not in numbers))
        if "0004" in numbers:
            gone = {s.name for s in before if (s.kind, s.state) == ("trigger", "MISSING") and s.migration < "0004"}
            yield steps.guards([o for o in objects.objects() if o.name in gone and o.after not in numbers])
    for migration in todo:
        yield from steps.apply(migration, then.platform_schema, staff=then.staff is not None)
    # in a plan, what the migrations above create does not exist yet
    gone = {o.name for o in look(lambda: missing(connection))}
    if gone & {"_yoyo_migration", "objects", "installation"}:
        return
    states = look(lambda: objects.states(connection, then))
    again = {m.number for m in todo}
    found = {(s.kind, s.parent, s.name) for s in states if s.state in ("UNRECORDED", "MISSING")}
    lost = [o for o in objects.objects() if o.key in found and o.kind not in objects.CODE and o.after not in again]
    if lost:
        yield steps.completion(lost)
        # whether a column is ours or the platform's decides with which migration its triggers come
        states = look(lambda: objects.states(connection, then))
    yield from steps.code(states)
    if look(lambda: objects.unprotected(connection)):
        yield steps.protection()


def _tools(states: Sequence[objects.State], is_applied: Callable[[str], bool]) -> set[str]:
    """Return the names of functions to install before the migrations, which call them or rely on what they do.

    Args:
        states: of all objects.
        is_applied: whether the migration with a number is applied; a function of an earlier version may call a new one.
    """
    functions = [s for s in states if s.kind == "function"]
    return {s.name for s in functions if s.state in _DIFFERS or (s.state == "MISSING" and is_applied(s.migration))}


_DIFFERS = ("OUTDATED", "CHANGED")


def report_warnings(warnings: Sequence[Finding], report: Report) -> None:
    """Report the warnings of preflight."""
    for warning in warnings:
        report(f"warning: {warning.detail}")
        report(f"  fix: {warning.fix_line}")


def _verified(connection: Connection, migrations: Sequence[Migration]) -> dict[str, str | None]:
    """Return the applied ids with the hashes of their texts, after comparing the ledger with the files."""
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
                "Restore the released file, and make the change in a new migration.",
            )
    return {id_: sha256 for id_, (_, sha256) in applied.items()}


def _applied(connection: Connection, migrations: Sequence[Migration]) -> set[str] | None:
    """Return the ids of the applied migrations, None if there is no ledger and no object of ours."""
    refuse_other(installation(connection), older=False)
    if ledger.exists(connection):
        return set(_verified(connection, migrations))
    left = [o.name if o.parent == "platform" else f"{o.parent}.{o.name}" for o in objects.leftovers(connection)]
    if left:
        raise SessiondbError(
            f"the record of the installation is lost, but objects of sessiondb still exist: {', '.join(left)}",
            "Run: sessiondb apply && sessiondb rollback --all",
        )
    return None


def readable(statement: str) -> str:
    """Return a readable statement: without the comments above it, and with the text that it installs or runs."""
    installed = re.search(r"\ACALL sessiondb\.install\(.*\$(source\d?)\$\n(.*)\n\$\1\$", statement, re.DOTALL)
    bare = re.sub(r"\A(\s*--.*\n)+", "", installed[2] if installed else statement).strip()
    block = re.fullmatch(r"DO '((?:[^']|'')*)'", bare)
    return f"DO $$ {block[1]} $$".replace("''", "'") if block and "$$" not in bare else bare


def on_one_line(statement: str) -> str:
    """Return a readable statement on one line, without its comments."""
    return " ".join(re.sub(r"^\s*--.*$", "", readable(statement), flags=re.MULTILINE).split())


_WRITES = "CREATE|ALTER TABLE|DROP|INSERT INTO|UPDATE|DELETE FROM"


def shortened(statement: str) -> str:
    """Return a readable statement on one line, shortened and without the locks and tests with which it begins."""
    locks = r"CALL sessiondb\.lock_tables\('[A-Z ]+', ARRAY\[('([^']|'')*'(, )?)+\]::pg_catalog\.regclass\[\]\); "
    line = re.sub(locks, "", on_one_line(statement))
    line = re.sub(rf"\ADO \$\$ .*?(?=\b({_WRITES})\b)", "DO $$ ... ", line)
    return line if len(line) <= 150 else line[:147] + "..."


def find_migration(migrations: Sequence[Migration], name: str) -> Migration:
    """Return the migration with this id or number.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [m for m in migrations if name.zfill(4) in (m.id, m.number)]
    if len(found) != 1:
        raise UsageError(
            f'there is no migration "{name}"', "The migrations are: " + ", ".join(m.id for m in migrations)
        )
    return found[0]
