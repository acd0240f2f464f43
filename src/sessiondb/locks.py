"""Waiting for locks without blocking other sessions for long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

import psycopg
from psycopg import errors as pg

from sessiondb import resources
from sessiondb.connection import Connection, rest, trusted
from sessiondb.errors import LockNotObtainedError
from sessiondb.watch import Watch

ADVISORY_KEY = int.from_bytes(b"sessiond", "big")
"""The key of the advisory lock; advisory locks belong to one database."""

_SHORTEST = 0.1
"""How many seconds the first try waits for a lock, and the last one at least."""

Report = Callable[[str], None]

T = TypeVar("T")


@dataclass(frozen=True)
class LockBudget:
    """How long to wait for locks."""

    # the longest that one statement waits in a lock's queue, in seconds. Sessions that queue behind it wait as long.
    # Longer than deadlock_timeout (1 s by default), because only then a blocking autovacuum is asked to yield.
    timeout: float = 1.5
    total: float = 600.0  # give up after this many seconds. The last wait is shortened to the time that is left.

    def waits(self) -> Iterator[float]:
        """Yield the lock_timeout of each try: short ones first, then always the last."""
        yield from (wait for wait in (_SHORTEST, 0.2, 0.5) if wait < self.timeout)
        yield from repeat(self.timeout)


@contextmanager
def advisory_lock(connection: Connection, budget: LockBudget, report: Report) -> Iterator[None]:
    """Hold sessiondb's lock on this database while the block runs.

    It is a session lock: it ends with the connection, however that ends. It is polled, because a
    statement that waits for it would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for those.

    Raises:
        LockNotObtainedError: another run still holds it when the budget is spent.
    """
    deadline = time.monotonic() + budget.total
    pause = 0.025
    reported = False
    while connection.execute("SELECT WHERE pg_try_advisory_lock(%s)", [ADVISORY_KEY]).rowcount == 0:
        if time.monotonic() >= deadline:
            raise LockNotObtainedError(
                f"another sessiondb run is working on this database: {_holder(connection)}",
                "Wait for it to end, then run the command again.",
            )
        if not reported:
            report(f"waiting for another sessiondb run: {_holder(connection)}")
            reported = True
        left = max(deadline - time.monotonic(), 0)
        time.sleep(min(pause * random.uniform(0.5, 1.0), left))  # noqa: S311  (jitter, not a secret)
        pause = min(pause * 2, 1.0)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])


def _holder(connection: Connection) -> str:
    row = connection.execute(trusted(resources.query("queries/lock_holder", str(ADVISORY_KEY)))).fetchone()
    return row[0] if row else "it has just ended"


def with_lock_budget(run: Callable[[], T], what: str, watch: Watch, budget: LockBudget, report: Report) -> T:
    """Run a transaction that may wait for locks, and repeat it if it does not get them in time.

    Args:
        run: one transaction on the watched connection; it is undone completely if it gets no lock.
        what: what is run, for messages.
        watch: finds the blocking sessions. The lock_timeout of its connection is set for each try.
        budget: how long to wait in one try and in total.
        report: receives every failed try with the blocking sessions.

    Returns:
        The result of ``run``.

    Raises:
        LockNotObtainedError: the budget is spent. Nothing of ``run`` has happened.
    """
    connection = watch.connection
    deadline = time.monotonic() + budget.total
    tries = enumerate(budget.waits(), start=1)
    while True:
        attempt, longest = next(tries)
        # anything shorter would be pointless
        wait = min(longest, max(deadline - time.monotonic(), _SHORTEST))
        connection.execute(trusted(f"SET lock_timeout TO {wait * 1000:.0f}"))
        began = time.monotonic()
        try:
            with watch.blockers_seen_every(wait * 0.8) as blockers:
                return run()
        # the last if a row has just been moved to another partition
        except (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure) as error:
            others = who_is_in_the_way(error, blockers)
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockNotObtainedError(
                    f"{what}: no lock within {budget.total:g} s, {attempt} tries; in the way: {others}",
                    "This step changed nothing. Run the command again when the blocking session has ended, "
                    "or with a larger --lock-budget.",
                ) from error
            pause = min(random.uniform(0.5, 1.5) * min(wait * 4, 5.0), left)  # noqa: S311  (jitter, not a secret)
            took = min(time.monotonic() - began, wait)
            report(f"  no lock within {took:.3g} s, next try in {pause:.1f} s; in the way: {others}")
            rest(connection, pause)
        finally:
            if not connection.closed:
                connection.execute("SET lock_timeout TO 0")


def who_is_in_the_way(error: psycopg.Error, blockers: Sequence[str]) -> str:
    """Describe the sessions that blocked a lock.

    Args:
        error: names them itself if sessiondb.lock_tables() raised it.
        blockers: those that :meth:`sessiondb.watch.Watch.blockers_seen_every` found.
    """
    named = (error.diag.message_detail or "").partition("In the way: ")[2]
    return named or "; ".join(blockers) or "unknown, it has just ended"
