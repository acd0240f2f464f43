"""A second connection that observes what the first one is waiting for or working on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from sessiondb import resources
from sessiondb.citus import is_distributed
from sessiondb.connection import OUR_PATH, Connection
from sessiondb.pooler import backend_pid, second_connection

Progress = Callable[[str, int, int], None]
"""Receives the progress of long work: what is being done, how much is done, and the total."""

_INDEX_BUILD = """
SELECT p.phase, p.blocks_done, p.blocks_total, p.lockers_done, p.lockers_total, p.current_locker_pid
  FROM pg_stat_progress_create_index AS p
 WHERE p.pid = {pid}
"""


class Watch:
    """Observes a connection from another one, which is opened when it is first needed.

    If no second connection is available, nothing is observed and the work continues.

    Args:
        connection: the one to observe.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # then it may wait on the workers of Citus, where the wait must be limited as well
        self.is_distributed = is_distributed(connection)
        self._pid = backend_pid(connection)
        # what waits for a row does so for half of it, so that no other session is the victim of a deadlock
        ((deadlock_timeout,),) = connection.execute(
            "SELECT setting::float / 1000 FROM pg_settings WHERE name = 'deadlock_timeout'"
        ).fetchall()
        self._often = 0.4 * deadlock_timeout
        self._eye: Connection | None = None
        self._is_blind = False
        self._lock = threading.Lock()

    def blockers(self) -> list[str]:
        """Return the sessions that hold the lock for which the connection waits."""
        pids = f"pg_blocking_pids({self._pid})"
        # usually it waits for none, which is faster to find out
        return self._who(pids) if self._look(f"SELECT FROM unnest({pids})") else []

    @contextmanager
    def blockers_seen_every(self, seconds: float) -> Iterator[list[str]]:
        """Look for blockers at least so often while the block runs; the list holds those that were seen last."""
        seen: list[str] = []

        def look() -> None:
            seen[:] = self.blockers() or seen

        with self._calling_every(min(seconds, self._often), look):
            yield seen

    @contextmanager
    def index_build(self, progress: Progress, report: Callable[[str], None]) -> Iterator[None]:
        """Observe twice per second the index that the connection builds or drops in the block.

        Args:
            progress: receives how much is built.
            report: receives each session once that the build waits for and that does not end soon.
        """
        build = _INDEX_BUILD.format(pid=self._pid)
        blocking = f"SELECT unnest(pg_blocking_pids({self._pid}))"
        reported: set[int] = set()
        before: set[int] = set()

        def look() -> None:
            nonlocal before
            for phase, blocks, all_blocks, lockers, all_lockers, locker in self._look(build):
                if phase.startswith("waiting") and locker:
                    progress(f"{phase} (pid {locker})", lockers, all_lockers)
                else:
                    progress(phase, blocks, all_blocks)
            now = {pid for (pid,) in self._look(blocking)}
            for pid in (now & before) - reported:
                reported.add(pid)
                for who in self._who(f"ARRAY[{pid}]"):
                    report(f"  waiting for the end of: {who}")
            before = now

        with self._calling_every(0.5, look):
            yield

    def close(self) -> None:
        """Close the second connection."""
        if self._eye:
            self._eye.close()

    @contextmanager
    def _calling_every(self, seconds: float, look: Callable[[], None]) -> Iterator[None]:
        """Call a function every so many seconds while the block runs, in a thread of its own."""
        done = threading.Event()

        def run() -> None:
            while not done.wait(seconds):
                look()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            # wait for the current query, which may take seconds through a pooler, but keep the connection alive
            while thread.is_alive():
                thread.join(0.5)
                with suppress(psycopg.Error):
                    if thread.is_alive():
                        self.connection.execute("SELECT")

    def _who(self, pids: str) -> list[str]:
        """Describe the backends whose pids an SQL expression returns."""
        return [row[0] for row in self._look(resources.query("queries/in_the_way", pids)) if row[0]]

    def _look(self, query: str) -> list[tuple[Any, ...]]:
        with self._lock, suppress(psycopg.Error):
            if self._eye is None and not self._is_blind:
                self._eye = second_connection(self.connection)
                self._is_blind = self._eye is None
                if self._eye:
                    self._eye.execute(f"SET search_path TO {OUR_PATH}")
            if self._eye:
                return self._eye.execute(query.encode()).fetchall()
        return []
