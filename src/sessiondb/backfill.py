"""Linking rows that existed before their session was created, in short transactions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.rows import dict_row

from sessiondb import ledger
from sessiondb.citus import bound_waits_on_workers
from sessiondb.connection import Connection, platform_path, rest, set_our_path, set_platform_path
from sessiondb.errors import LockNotObtainedError, SessiondbError
from sessiondb.installation import hold_schema
from sessiondb.linking import require_session
from sessiondb.locks import LockBudget, Report, advisory_lock, who_is_in_the_way
from sessiondb.preconditions import require_installed
from sessiondb.watch import Watch

_TARGET_SECONDS = 0.2
_FIRST_ROWS = 100  # few: a client that waits for a long batch could be the victim of a deadlock
_MOST_ROWS = 5_000  # pages with nothing to link take no time, but the next ones may have much to do
_MOST_BLOCKS = 1024  # of a dry run, which writes nothing
_TRIES = 10
_LOCK_SECONDS = 0.5  # half of deadlock_timeout, usually; backfill_step() waits no longer than that
_GRACE_SECONDS = 1.0  # for the running batch when the time is up

_LAG = """
SELECT coalesce(max(EXTRACT(epoch FROM r.replay_lag)), 0)::float8,
       count(*) > 0 AND NOT pg_has_role('pg_read_all_stats', 'USAGE'),
       quote_ident(current_user)
  FROM pg_stat_replication AS r
"""
"""How many seconds the slowest replica is behind, whether this role may not see that, and the name of the role."""

Progress = Callable[[int, int, int], None]
"""Receives how many pages are done, how many there are, and how many rows are linked, also by earlier runs."""


@dataclass(frozen=True)
class Pace:
    """How fast a backfill works."""

    batch_rows: int | None = None  # approximate rows per transaction; None aims at 200 ms each
    sleep: float = 0.0  # seconds between two batches
    max_runtime: float | None = None  # stop after this many seconds; None for no limit
    max_lag: float | None = None  # pause while a replica is more than this many seconds behind; None for no limit


@dataclass
class Result:
    """What a backfill did, even if an error or a signal ended it."""

    # for ``enrollments`` and ``submissions``: ``scanned``, the rows without a session that were looked at, ``linked``,
    # ``unlinkable``, and ``reasons``, the unlinkable ones by reason
    tables: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {t: {"scanned": 0, "linked": 0, "unlinkable": 0, "reasons": {}} for t in ledger.TABLES}
    )
    complete: bool = False  # whether it reached the end

    def as_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {**self.tables, "complete": self.complete}

    def add(self, other: Result) -> None:
        """Add the counts of another backfill."""
        self.complete = self.complete and other.complete
        for table, counts in other.tables.items():
            self.count(table, counts["scanned"], counts["linked"], counts["reasons"])

    def count(self, table: str, scanned: int, linked: int, reasons: Mapping[str, int]) -> None:
        """Add rows of a table that were looked at."""
        counts = self.tables[table]
        counts["scanned"] += scanned
        counts["linked"] += linked
        counts["unlinkable"] += sum(reasons.values())
        for reason, number in reasons.items():
            counts["reasons"][reason] = counts["reasons"].get(reason, 0) + number


class _TimeIsUp(Exception):  # noqa: N818  (no error)
    """The run has reached its time limit."""


class _Window:
    """The time that a run may take; None for no limit."""

    def __init__(self, connection: Connection, seconds: float | None) -> None:
        self._connection = connection
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.0)

    def sleep(self, seconds: float) -> None:
        left = self.left()
        rest(self._connection, min(seconds, left))
        if seconds >= left:
            raise _TimeIsUp


def backfill(
    connection: Connection,
    session: UUID | None,
    pace: Pace,
    report: Report,
    progress: Progress,
    result: Result | None = None,
    *,
    dry: bool = False,
) -> Result:
    """Link the existing rows to what the triggers would choose for them now.

    Args:
        connection: in autocommit mode; each batch is a separate transaction, including its progress. For a dry run in a
            read-only transaction.
        session: link only what belongs to this session; None for all.
        pace: how fast to work, and for how long.
        report: receives remarks before the backfill, pauses, and batches that are retried.
        progress: is called after each batch.
        result: is filled and returned; shows what was done even if this raises.
        dry: only count what would be linked, by reading.

    Raises:
        SessiondbError: sessiondb is not installed, there is no such session, this role cannot see how far
            replicas are behind, or a batch failed again and again. What was linked stays linked, and the
            next run resumes there.
        LockNotObtainedError: another run is working, or another session keeps a row or a table locked; likewise.
    """
    result = result or Result()
    window = _Window(connection, pace.max_runtime)
    if dry:
        with suppress(_TimeIsUp):
            _dry_run(connection, session, pace, window, report, progress, result)
            result.complete = True
        return result
    _lag(connection, pace.max_lag)
    patience = LockBudget(total=min(LockBudget.total, window.left()))
    with closing(Watch(connection)) as watch, advisory_lock(connection, patience, report):
        require_installed(connection)
        (begun,) = connection.execute("SELECT now()").fetchall()
        with suppress(_TimeIsUp):
            _begin(watch, session, window, report)
            try:
                _link(watch, pace, window, report, progress)
                result.complete = True
            finally:
                with suppress(psycopg.OperationalError):  # the connection may be lost
                    _count(connection, result)
        since = "SELECT min(c.as_of) AS since FROM sessiondb.backfill_counts() AS c HAVING min(c.as_of) < %s"
        for row in _kept(connection, since, *begun) if result.complete else ():
            when = f"{row['since'].astimezone():%Y-%m-%d %H:%M:%S}"  # in the user's time zone
            report(f"Rows that became linkable after {when} may not be linked yet: run the command again.")
    return result


_REMARKS = "SELECT r.remark FROM sessiondb.backfill_remarks(%s::pg_catalog.uuid) AS r (remark)"


def _begin(watch: Watch, session: UUID | None, window: _Window, report: Report) -> None:
    """Prepare the backfill, and report remarks on it."""
    _execute(watch, window, report, "CALL sessiondb.begin_backfill(%s::pg_catalog.uuid)", session)
    for row in _execute(watch, window, report, _REMARKS, session):
        report(row["remark"])
    resumed = "SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NOT NULL OR p.position IS NOT NULL"
    if _kept(watch.connection, resumed):
        report("Resuming the previous backfill; counts include earlier runs.")


_LINKED = "SELECT coalesce(sum(p.linked), 0)::bigint AS linked FROM sessiondb.backfill_progress AS p"


def _link(watch: Watch, pace: Pace, window: _Window, report: Report, progress: Progress) -> None:
    """Link batch after batch until nothing is left or the time is up."""
    rows = pace.batch_rows or _FIRST_ROWS
    linked = _kept(watch.connection, _LINKED)[0]["linked"]
    window.sleep(0)
    while True:
        _wait_for_replicas(watch.connection, pace.max_lag, window, report)
        began = time.monotonic()
        steps = _execute(watch, window, report, "SELECT * FROM sessiondb.backfill_step(%s::pg_catalog.int4)", rows)
        if not steps:
            return
        (step,) = steps
        linked += step["linked"]
        progress(step["blocks_done"], step["blocks_total"], linked)
        if pace.batch_rows is None:
            took = max(time.monotonic() - began, 0.001)
            rows = round(min(max(rows * min(max(_TARGET_SECONDS / took, 0.5), 2.0), 100), _MOST_ROWS))
        window.sleep(pace.sleep)


def _execute(
    watch: Watch, window: _Window, report: Report, statement: LiteralString, argument: object
) -> list[dict[str, Any]]:
    """Run a statement of the backfill; repeat it if a lock or a concurrent change made it fail."""
    connection = watch.connection
    attempt = 0
    while True:
        attempt += 1
        wait = min(_LOCK_SECONDS, window.left())
        timeouts = {"lock": _milliseconds(wait), "statement": _milliseconds(window.left() + _GRACE_SECONDS)}
        try:
            with (
                watch.blockers_seen_every(wait * 0.8) as blockers,
                connection.transaction(),
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                cursor.execute(
                    # no notice of the platform's triggers: for each the server would wait while the client is suspended
                    "SELECT pg_catalog.set_config('lock_timeout', %(lock)s, true),"
                    " pg_catalog.set_config('client_min_messages', 'error', true),"
                    " pg_catalog.set_config('statement_timeout', %(statement)s, true)",
                    timeouts,
                )
                hold_schema(connection)
                set_platform_path(connection)  # also for the commit, as in platform_path()
                if watch.is_distributed:
                    bound_waits_on_workers(connection)
                cursor.execute(statement, [argument])
                rows = cursor.fetchall() if cursor.description else []
            set_our_path(connection)
            return rows
        except pg.QueryCanceled as error:
            if window.left() > 0:
                raise
            report("  the time was up before the end of the batch, which was undone")
            raise _TimeIsUp from error
        except pg.LockNotAvailable as error:
            in_the_way = who_is_in_the_way(error, blockers)
            report(f"  a row or a table is locked; in the way: {in_the_way}")
            if window.left() == 0:
                raise _TimeIsUp from error
            if attempt == _TRIES:
                raise LockNotObtainedError(
                    f"another session keeps a row to be linked, or its table, locked; in the way: {in_the_way}",
                    "Wait for that transaction to end, or end it, then run the command again; it resumes there.",
                ) from error
        except (
            pg.DeadlockDetected,
            pg.SerializationFailure,  # the row has just been moved to another partition
            pg.ForeignKeyViolation,  # the session that was chosen has just been deleted
            pg.CheckViolation,  # the row or the membership has just been changed
            pg.UndefinedTable,  # the partition has just been dropped
        ) as error:
            is_ours = (error.diag.constraint_name or _COHERENT).endswith(_COHERENT)
            if attempt == _TRIES or (isinstance(error, pg.CheckViolation) and not is_ours):
                raise
            report(f"  retrying the batch: {error.diag.message_primary}")
        window.sleep(0.2 * attempt)


_COHERENT = "_session_id_coherent"
"""How the constraint ends that our triggers name; Citus leaves the name out."""


def _milliseconds(seconds: float) -> str:
    """Return a timeout for PostgreSQL, for which 0 means none."""
    return "0" if math.isinf(seconds) else str(min(max(round(seconds * 1000), 1), 2**31 - 1))


def _lag(connection: Connection, max_lag: float | None) -> float:
    """Return how many seconds the slowest replica is behind, 0 without --max-lag.

    Raises:
        SessiondbError: there are replicas, and this role may not see how far they are behind.
    """
    if max_lag is None:
        return 0.0
    ((lag, is_hidden, role),) = connection.execute(_LAG).fetchall()
    if is_hidden:
        raise SessiondbError(
            "this role may not see the lag of the replicas, which --max-lag needs",
            f"GRANT pg_read_all_stats TO {role}, or pg_monitor; or leave --max-lag out.",
        )
    return float(lag)


def _wait_for_replicas(connection: Connection, max_lag: float | None, window: _Window, report: Report) -> None:
    reported = False
    while max_lag is not None and (lag := _lag(connection, max_lag)) > max_lag:
        if not reported:
            report(f"  a replica is {lag:.0f} s behind; waiting")
            reported = True
        window.sleep(1)


def _count(connection: Connection, result: Result) -> None:
    """Fill in what was done so far, including earlier runs."""
    done = "SELECT table_name, scanned, linked, unlinkable, reasons FROM sessiondb.backfill_counts()"
    result.tables = {counts.pop("table_name"): counts for counts in _kept(connection, done)}


def _kept(connection: Connection, query: LiteralString, *arguments: object) -> list[dict[str, Any]]:
    """Return the rows of a query of what the backfill keeps in schema sessiondb."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        hold_schema(connection)
        return cursor.execute(query, arguments).fetchall()


def _dry_run(
    connection: Connection,
    session: UUID | None,
    pace: Pace,
    window: _Window,
    report: Report,
    progress: Progress,
    result: Result,
) -> None:
    @contextmanager
    def in_time() -> Iterator[None]:
        timeout = _milliseconds(window.left())
        connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [timeout])
        try:
            yield
        except pg.QueryCanceled as error:
            if window.left() > 0:
                raise
            raise _TimeIsUp from error

    def ask(query: LiteralString, *arguments: object) -> list[tuple[Any, ...]]:
        with platform_path(connection), in_time():
            return connection.execute(query, arguments).fetchall()

    with in_time():
        there = require_installed(connection)
        require_session(connection, session)
    window.sleep(0)
    for (remark,) in ask(_REMARKS, session):
        report(remark)
    linked = 0
    for table, done, total, scanned, would_link, reasons in _counted(ask, session, by_user=there.distributed):
        result.count(table, scanned, would_link, reasons)
        linked += would_link
        progress(done, total, linked)
        window.sleep(pace.sleep)


def _counted(
    ask: Callable[..., list[tuple[Any, ...]]], session: UUID | None, *, by_user: bool
) -> Iterator[tuple[str, int, int, int, int, dict[str, int]]]:
    """Yield the table, how much is done and of how much, and what a backfill would do, for each batch."""
    if by_user:
        for place, table in enumerate(ledger.TABLES):
            last: UUID | None = None
            while last is None or last.int < 2**128 - 1:
                ((last, scanned, linked, reasons),) = ask(
                    "SELECT l.last_user, l.scanned, l.linked, l.reasons"
                    "  FROM sessiondb.link_users(%s::pg_catalog.name, %s::pg_catalog.uuid, %s::pg_catalog.int4,"
                    " %s::pg_catalog.uuid, true) AS l",
                    table,
                    last,
                    _MOST_ROWS,
                    session,
                )
                yield table, place * 2**16 + (last.int >> 112) + 1, len(ledger.TABLES) * 2**16, scanned, linked, reasons
        return
    partitions = ask(
        "SELECT b.table_name, b.partition::pg_catalog.oid, b.blocks FROM sessiondb.backfill_partitions() AS b"
    )
    total, done = sum(blocks for _, _, blocks in partitions), 0
    for table, partition, blocks in partitions:
        for first in range(0, blocks, _MOST_BLOCKS):
            after = min(first + _MOST_BLOCKS, blocks)
            ((scanned, linked, reasons),) = ask(
                "SELECT l.scanned, l.linked, l.reasons FROM sessiondb.link_batch(%s::pg_catalog.name,"
                " %s::pg_catalog.regclass, %s::pg_catalog.tid, %s::pg_catalog.tid, %s::pg_catalog.uuid, 'count') AS l",
                table,
                partition,
                f"({first},0)",
                f"({after},0)",
                session,
            )
            done += after - first
            yield table, done, total, scanned, linked, reasons
