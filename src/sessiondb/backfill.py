"""Linking the rows that were there before their session, one short transaction after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import errors as pg
from psycopg.rows import dict_row

from sessiondb.database import Connection
from sessiondb.errors import LockNotObtainedError, SessiondbError
from sessiondb.locks import LockBudget, Report, advisory_lock, who_is_in_the_way
from sessiondb.watch import Watch

_TARGET_SECONDS = 0.2
_MOST_ROWS = 5_000  # after pages with nothing to link, which take no time, may come some with much
_TRIES = 5
_LOCK_SECONDS = 2.0

Progress = Callable[[int, int, int], None]
"""Is told how many pages are behind us, how many there are, and how many rows are linked."""


@dataclass(frozen=True)
class Pace:
    """How a backfill goes about its work.

    Attributes:
        batch_rows: about so many rows of the table in a transaction; None to aim at 200 ms each.
        sleep: seconds between two batches.
        max_runtime: stop after so many seconds; None to go on to the end.
        max_lag: pause while a replica is more than so many seconds behind; None not to look.
    """

    batch_rows: int | None = None
    sleep: float = 0.0
    max_runtime: float | None = None
    max_lag: float | None = None


@dataclass
class Result:
    """What a backfill did.

    Attributes:
        tables: for ``enrollments`` and ``submissions``: ``scanned``, the rows without a session that were
            looked at, ``linked``, ``unlinkable``, and ``reasons``, the unlinkable ones by reason.
        complete: whether it came to the end.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    complete: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {**self.tables, "complete": self.complete}


def backfill(connection: Connection, session: UUID | None, pace: Pace, report: Report, progress: Progress) -> Result:
    """Link the old rows to what the triggers would choose for them now.

    Args:
        connection: in autocommit mode; each batch is a transaction of its own, with its progress.
        session: link only what belongs to this session; None for all.
        pace: how fast to go, and for how long.
        report: is told of pauses and of batches that are tried again.
        progress: is told after each batch.

    Raises:
        SessiondbError: sessiondb is not installed, there is no such session, or a batch failed again and
            again. What was linked stays linked, and the next run goes on there.
        LockNotObtainedError: another run is at work, or somebody keeps a row locked: the same holds.
    """
    _require_session(connection, session)
    deadline = time.monotonic() + pace.max_runtime if pace.max_runtime is not None else None
    rows = pace.batch_rows or 1000
    linked = 0
    with closing(Watch(connection)) as watch, advisory_lock(connection, LockBudget(), report):
        connection.execute("CALL sessiondb.begin_backfill(%s)", [session])
        while deadline is None or time.monotonic() < deadline:
            _wait_for_replicas(connection, pace.max_lag, report)
            began = time.monotonic()
            step = _step(watch, rows, report)
            if step is None:
                return _result(connection, complete=True)
            linked += step["linked"]
            progress(step["blocks_done"], step["blocks_total"], linked)
            if pace.batch_rows is None:
                took = max(time.monotonic() - began, 0.001)
                rows = round(min(max(rows * min(max(_TARGET_SECONDS / took, 0.5), 2.0), 100), _MOST_ROWS))
            time.sleep(pace.sleep)
        return _result(connection, complete=False)


def _step(watch: Watch, rows: int, report: Report) -> dict[str, Any] | None:
    """Do one batch; one that a concurrent change made fail is done again."""
    connection = watch.connection
    for attempt in range(1, _TRIES + 1):
        try:
            with (
                watch.blockers_seen_after(_LOCK_SECONDS * 0.8) as blockers,
                connection.transaction(),
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [f"{_LOCK_SECONDS}s"])
                return cursor.execute("SELECT * FROM sessiondb.backfill_step(%s)", [rows]).fetchone()
        except pg.LockNotAvailable as error:
            in_the_way = who_is_in_the_way(error, blockers)
            if attempt == _TRIES:
                raise LockNotObtainedError(
                    f"somebody keeps a row locked that is to be linked; in the way: {in_the_way}",
                    "Wait for that transaction to end, or end it, then run the command again: it goes on there.",
                ) from error
            report(f"  a row is locked, the batch is tried again; in the way: {in_the_way}")
        except (
            pg.DeadlockDetected,
            pg.SerializationFailure,  # the row has just been moved to another partition
            pg.ForeignKeyViolation,  # the session that was chosen has just been deleted
            pg.CheckViolation,  # the row or the membership has just been changed
        ) as error:
            if attempt == _TRIES:
                raise
            report(f"  the batch is tried again: {error.diag.message_primary}")
        time.sleep(0.2 * attempt)
    return None


def _require_session(connection: Connection, session: UUID | None) -> None:
    if session is None:
        return
    if connection.execute("SELECT FROM sessions WHERE id = %s", [session]).rowcount == 0:
        raise SessiondbError(f"there is no session with the id {session}", "List them with: sessiondb session list")


def _wait_for_replicas(connection: Connection, max_lag: float | None, report: Report) -> None:
    told = False
    while max_lag is not None:
        row = connection.execute(
            "SELECT coalesce(max(EXTRACT(epoch FROM r.replay_lag)), 0)::float8 FROM pg_catalog.pg_stat_replication AS r"
        ).fetchone()
        if row is None or row[0] <= max_lag:
            return
        if not told:
            report(f"  a replica is {row[0]:.0f} s behind; waiting")
            told = True
        time.sleep(1)


def _result(connection: Connection, *, complete: bool) -> Result:
    rows = connection.execute(
        """
        SELECT p.table_name, sum(p.scanned)::bigint, sum(p.linked)::bigint, pg_catalog.jsonb_agg(p.reasons)
          FROM sessiondb.backfill_progress AS p
         GROUP BY p.table_name
         ORDER BY p.table_name
        """
    )
    tables = {"enrollments": _counts(0, 0, []), "submissions": _counts(0, 0, [])}
    tables |= {table: _counts(scanned, linked, reasons) for table, scanned, linked, reasons in rows}
    return Result(tables, complete)


def _counts(scanned: int, linked: int, reasons: list[dict[str, int]]) -> dict[str, Any]:
    total: dict[str, int] = {}
    for counted in reasons:
        for reason, number in counted.items():
            total[reason] = total.get(reason, 0) + number
    return {"scanned": scanned, "linked": linked, "unlinkable": sum(total.values()), "reasons": total}


def dry_run(connection: Connection, session: UUID | None, progress: Progress) -> Result:
    """Count what :func:`backfill` would do, by reading only.

    Args:
        connection: in a read-only transaction.
        session: count only what belongs to this session; None for all.
        progress: is told after each batch.
    """
    _require_session(connection, session)
    result = Result({"enrollments": _counts(0, 0, []), "submissions": _counts(0, 0, [])}, complete=True)
    partitions = connection.execute("SELECT * FROM sessiondb.backfill_partitions()").fetchall()
    total, done, linked = sum(blocks for _, _, blocks in partitions), 0, 0
    for table, partition, blocks in partitions:
        for first, last in _ranges(blocks):
            row = connection.execute(
                "SELECT scanned, linked, reasons FROM sessiondb.link_batch(%s, %s, %s, %s, %s, 'count')",
                [table, partition, first, last, session],
            ).fetchone()
            assert row is not None  # noqa: S101  (the function returns one row)
            counts = result.tables[table]
            result.tables[table] = _counts(
                counts["scanned"] + row[0], counts["linked"] + row[1], [counts["reasons"], row[2]]
            )
            done, linked = done + last - first, linked + row[1]
            progress(done, total, linked)
    return result


def _ranges(blocks: int, size: int = 1024) -> Iterator[tuple[int, int]]:
    for first in range(0, blocks, size):
        yield first, min(first + size, blocks)
