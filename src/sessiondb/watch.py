"""A second connection that looks at what the first one is waiting for or working on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from sessiondb.database import Connection

Progress = Callable[[str, int, int], None]
"""Is told of long work: what is being done, how much of it is done, how much there is."""

_BLOCKERS = """
SELECT pg_catalog.format(
           'pid %%s (%%s, role %%s, %%s%%s): %%s',
           a.pid, coalesce(nullif(a.application_name, ''), 'no application name'), a.usename, a.state,
           ', in a transaction for '
               || pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start)::text,
           pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), 80))
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s)) AS b (pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
 UNION ALL
SELECT pg_catalog.format('prepared transaction %%L of role %%s, prepared %%s', x.gid, x.owner, x.prepared)
  FROM pg_catalog.pg_prepared_xacts AS x
 WHERE 0 = ANY (pg_catalog.pg_blocking_pids(%s))
"""

_INDEX_BUILD = """
SELECT p.phase, p.blocks_done, p.blocks_total, p.lockers_done, p.lockers_total, p.current_locker_pid
  FROM pg_catalog.pg_stat_progress_create_index AS p
 WHERE p.pid = %s
"""


class Watch:
    """Looks at the work of a connection from another one, which is opened when it is first needed.

    Where no second connection is to be had, nothing is seen and the work goes on.

    Args:
        connection: the one that works.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._pid = connection.info.backend_pid
        self._eye: Connection | None = None
        self._lock = threading.Lock()

    def blockers(self) -> list[str]:
        """Return who holds the lock that the connection waits for, a line each."""
        return [row[0] for row in self._look(_BLOCKERS, [self._pid, self._pid])]

    @contextmanager
    def blockers_seen_after(self, seconds: float) -> Iterator[list[str]]:
        """Look for blockers once, so many seconds into the block; the list fills then."""
        seen: list[str] = []
        timer = threading.Timer(seconds, lambda: seen.extend(self.blockers()))
        timer.daemon = True
        timer.start()
        try:
            yield seen
        finally:
            timer.cancel()
            timer.join()

    @contextmanager
    def index_build(self, progress: Progress) -> Iterator[None]:
        """Tell ``progress`` of an index that the connection builds in the block, twice a second."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.5):
                for phase, blocks, all_blocks, lockers, all_lockers, locker in self._look(_INDEX_BUILD, [self._pid]):
                    if phase.startswith("waiting") and locker:
                        progress(f"{phase} (pid {locker})", lockers, all_lockers)
                    else:
                        progress(phase, blocks, all_blocks)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def close(self) -> None:
        """Close the second connection."""
        if self._eye:
            self._eye.close()

    def _look(self, query: str, arguments: list[Any]) -> list[tuple[Any, ...]]:
        with self._lock, suppress(psycopg.Error):
            if self._eye is None:
                info = self.connection.info
                self._eye = psycopg.connect(
                    info.dsn,
                    password=info.password or None,
                    autocommit=True,
                    application_name="sessiondb watch",
                    client_encoding="UTF8",
                )
            return self._eye.execute(query.encode(), arguments).fetchall()
        return []
