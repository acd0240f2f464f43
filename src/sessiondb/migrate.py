"""Applying and rolling back migrations, and telling what is applied."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.errors import Diagnostic

from sessiondb import ledger, resources
from sessiondb.checks import preflight, require_course_path, rollback_preflight
from sessiondb.database import Connection, explain, installation, trusted
from sessiondb.errors import Finding, SessiondbError, UsageError
from sessiondb.ledger import Migration, Script, read_migrations
from sessiondb.locks import LockBudget, Report, advisory_lock, with_lock_budget
from sessiondb.watch import Progress, Watch

EXPANDS = "-- run each statement that this returns"
"""The mark above a query whose rows are statements to run, one transaction each (psql: \\gexec)."""

_TRIES = 3

Boundary = Callable[[str, str], None]
"""Called around each statement and commit with the migration's id and what comes next or was done."""


@dataclass
class Runner:
    """Runs migrations on a connection as :meth:`sessiondb.database.Database.connect` yields it.

    Attributes:
        connection: in autocommit mode.
        budget: how long to wait for locks.
        report: is told what is being done, one line at a time.
        progress: is told how far an index is built.
        boundary: is called at every point where a crash would leave another state behind.
    """

    connection: Connection
    budget: LockBudget = field(default_factory=LockBudget)
    report: Report = lambda line: None
    progress: Progress = lambda what, done, total: None
    boundary: Boundary = lambda migration, point: None

    def __post_init__(self) -> None:
        self._watch = Watch(self.connection)
        self._point = ""
        self.connection.add_notice_handler(self._notice)

    def _notice(self, notice: Diagnostic) -> None:
        # 00000: said by one of our procedures; "already exists, skipping" and the like have codes
        if notice.sqlstate == "00000":
            self.report(f"  {notice.message_primary}")

    def apply(self, to: str | None = None, course_path: str | None = None) -> list[str]:
        """Apply the pending migrations, oldest first, and return their ids.

        Args:
            to: the last migration to apply, by id or its number; all when None.
            course_path: the way from a submission to its course; found from the foreign keys when None.

        Raises:
            PlatformRefusedError: preflight found something in the way; nothing was changed.
            LockNotObtainedError: another run is at work, or a lock was not to be had in time.
            SessiondbError: the ledger and the package do not fit each other.
        """
        require_course_path(self.connection, course_path)
        migrations = read_migrations(resources.MIGRATIONS)
        if to:
            _find(migrations, to)  # what cannot be meant is refused before we wait for another run
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            todo = pending(self.connection, migrations, to, course_path)
            if todo:
                self._report_warnings(lambda: preflight(self.connection, course_path))
            for migration in todo:
                self.report(f"applying {migration.id}")
                self._run(migration, migration.apply, ledger.mark_applied)
        return [m.id for m in todo]

    def rollback(self, to: str | None) -> list[str]:
        """Undo the applied migrations after ``to``, newest first, and return their ids.

        Args:
            to: the newest migration to keep, by id or its number; None to undo all.

        Raises:
            PlatformRefusedError: something of the platform stands in the way; nothing was changed.
            LockNotObtainedError: another run is at work, or a lock was not to be had in time.
            SessiondbError: the ledger and the package do not fit each other.
        """
        migrations = read_migrations(resources.MIGRATIONS)
        keep = _find(migrations, to).id if to else ""
        with closing(self._watch), advisory_lock(self.connection, self.budget, self.report):
            applied = _verified(self.connection, migrations)
            if keep and keep not in applied:
                raise UsageError(f"migration {keep} is not applied", "See: sessiondb status")
            todo = [m for m in reversed(migrations) if m.id in applied and m.id > keep]
            # one that is not transactional may have been stopped on its way, in either direction
            following = next((m for m in migrations if m.id not in applied), None)
            if applied and following and following.id > keep and not following.rollback.transactional:
                todo.insert(0, following)
            if todo:
                undone = [statement for migration in todo for statement in migration.rollback.statements]
                self._report_warnings(lambda: rollback_preflight(self.connection, undone))
            for migration in todo:
                self.report(f"rolling back {migration.id}")
                self._run(migration, migration.rollback, ledger.mark_rolled_back if migration.id in applied else None)
        return [m.id for m in todo if m.id in applied]

    def _report_warnings(self, look: Callable[[], Sequence[Finding]]) -> None:
        """Look at the platform, which waits where a table or a partition of it is locked whole."""
        report_warnings(with_lock_budget(look, "preflight", self._watch, self.budget, self.report), self.report)

    def _run(self, migration: Migration, script: Script, mark: Callable[[Migration], list[str]] | None) -> None:
        self._point = "committed"
        try:
            self._steps(migration, script, mark)
        except psycopg.Error as error:
            raise explain(error, f"{migration.id} failed {self._place()}") from error

    def _place(self) -> str:
        """Return, for people, where a migration is."""
        if self._point in ("committed", "done"):
            return "before its next statement"
        return f'at "{shortened(self._point)}"'

    def _reach(self, migration: Migration, point: str) -> None:
        self._point = point
        self.boundary(migration.id, point)

    def _steps(self, migration: Migration, script: Script, mark: Callable[[Migration], list[str]] | None) -> None:
        def write_ledger() -> None:
            # the rollback of the first migration drops the ledger
            if mark and ledger.exists(self.connection):
                for statement in mark(migration):
                    self._reach(migration, statement)
                    self.connection.execute(trusted(statement))
            self._reach(migration, "commit")

        if script.transactional:
            self._transaction(migration, [*script.statements, write_ledger])
            return
        # What is half undone counts as not applied, as what is half done does: both directions then
        # begin with this migration, and its statements find what is there.
        undoing = script is migration.rollback
        if undoing:
            self._transaction(migration, [write_ledger])
        for statement in script.statements:
            self._each(migration, statement)
        if not undoing:
            self._transaction(migration, [write_ledger])

    def _each(self, migration: Migration, statement: str) -> None:
        """Run one statement of a migration that is not transactional, or all those that it returns."""
        if EXPANDS not in statement:
            self._transaction(migration, [statement])
            return
        for attempt in range(1, _TRIES + 1):
            try:
                for expanded in self._expanded(migration, statement):
                    self.report(f"  {shortened(expanded)}")
                    if " CONCURRENTLY " in expanded:
                        self._concurrently(migration, expanded)
                    else:
                        self._transaction(migration, [expanded])
                return
            except pg.DeadlockDetected:  # only a concurrent build gets here; what it left is cleared away first
                if attempt == _TRIES:
                    raise
                self.report("  a deadlock ended this; it is tried again")

    def _expanded(self, migration: Migration, statement: str) -> list[str]:
        """Return the statements that a query returns; that it reads the platform's tables may mean waiting for them."""
        self._point = statement

        def run() -> list[str]:
            return [row[0] for row in self.connection.execute(trusted(statement))]

        return with_lock_budget(run, migration.id, self._watch, self.budget, self.report)

    def _concurrently(self, migration: Migration, statement: str) -> None:
        """Build or drop an index while everybody reads and writes.

        It waits for old transactions as long as they last and blocks nobody meanwhile, so it has no
        lock_timeout: that would only leave an invalid index behind.
        """
        self._reach(migration, statement)
        with self._watch.index_build(self.progress, self.report):
            self.connection.execute(trusted(statement))
        self._reach(migration, "done")

    def _transaction(self, migration: Migration, steps: Sequence[str | Callable[[], None]]) -> None:
        def run() -> None:
            with self.connection.transaction():
                for step in steps:
                    if callable(step):
                        step()
                    else:
                        self._reach(migration, step)
                        self.connection.execute(trusted(step))
            self._reach(migration, "committed")

        with_lock_budget(run, migration.id, self._watch, self.budget, self.report)


def pending(
    connection: Connection, migrations: Sequence[Migration], to: str | None, course_path: str | None
) -> list[Migration]:
    """Return those of all migrations that :meth:`Runner.apply` would run, oldest first, by reading only.

    Raises:
        UsageError: there is no migration ``to``, or another course path is in use.
        SessiondbError: the ledger and the package do not fit each other.
    """
    require_course_path(connection, course_path)
    last = _find(migrations, to) if to else migrations[-1]
    applied = _verified(connection, migrations)
    _require_same_course_path(connection, course_path)
    return [m for m in migrations if m.id not in applied and m.id <= last.id]


def report_warnings(warnings: Sequence[Finding], report: Report) -> None:
    """Report what preflight warns of."""
    for warning in warnings:
        report(f"warning: {warning.detail}\n  fix: {warning.fix}")


def _verified(connection: Connection, migrations: Sequence[Migration]) -> set[str]:
    """Return the ids that are applied, after comparing the ledger with the files."""
    applied = ledger.applied(connection)
    known = {m.id: m for m in migrations}
    for id_, (_, sha256) in applied.items():
        if id_ not in known:
            raise SessiondbError(
                f"migration {id_} is applied here, but this sessiondb does not have it",
                "Use the version of sessiondb that applied it, or a newer one.",
            )
        if sha256 != known[id_].sha256:
            raise SessiondbError(
                f"migration {id_} was edited after it was applied",
                "Restore the file as it was released; a change is a new migration.",
            )
    if sorted(applied) != [m.id for m in migrations][: len(applied)]:
        raise SessiondbError(
            "an older migration is missing in the ledger: "
            + ", ".join(m.id for m in migrations if m.id not in applied),
            "Restore table sessiondb._yoyo_migration.",
        )
    return set(applied)


def _require_same_course_path(connection: Connection, course_path: str | None) -> None:
    there = installation(connection)
    current = there.course_path if there else None
    if course_path and current and _parsed(connection, course_path) != _parsed(connection, current):
        raise UsageError(
            f"sessiondb is installed with the course path {current}",
            "To change it: sessiondb rollback --to 0007, then sessiondb apply --course-path "
            f"{course_path}. Links stay as they are.",
        )


def readable(statement: str) -> str:
    """Return the statement for people to read: without the comments above it, and no literal for what DO runs."""
    bare = re.sub(r"\A(\s*--.*\n)+", "", statement).strip()
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


def _parsed(connection: Connection, course_path: str) -> Any:
    row = connection.execute("SELECT pg_catalog.parse_ident(%s)", [course_path]).fetchone()
    return row and row[0]
