"""A second connection that looks at what the first one is waiting for or working on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from sessiondb import resources
from sessiondb.database import Connection
from sessiondb.pooler import backend_pid, second_connection

Progress = Callable[[str, int, int], None]
"""Is told of long work: what is being done, how much of it is done, how much there is."""

_INDEX_BUILD = """
SELECT p.phase, p.blocks_done, p.blocks_total, p.lockers_done, p.lockers_total, p.current_locker_pid
  FROM pg_catalog.pg_stat_progress_create_index AS p
 WHERE p.pid = {pid}
"""


class Watch:
    """Looks at the work of a connection from another one, which is opened when it is first needed.

    Where no second connection is to be had, nothing is seen and the work goes on.

    Args:
        connection: the one that works.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._pid = backend_pid(connection)
        self._eye: Connection | None = None
        self._is_blind = False
        self._lock = threading.Lock()

    def blockers(self) -> list[str]:
        """Return who holds the lock that the connection waits for."""
        query = resources.function_body("in_the_way").replace("$1", f"pg_catalog.pg_blocking_pids({self._pid})")
        return [row[0] for row in self._look(query) if row[0]]

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
        query = _INDEX_BUILD.format(pid=self._pid)

        def look() -> None:
            while not done.wait(0.5):
                for phase, blocks, all_blocks, lockers, all_lockers, locker in self._look(query):
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

    def _look(self, query: str) -> list[tuple[Any, ...]]:
        with self._lock, suppress(psycopg.Error):
            if self._eye is None and not self._is_blind:
                self._eye = second_connection(self.connection)
                self._is_blind = self._eye is None
            if self._eye:
                return self._eye.execute(query.encode()).fetchall()
        return []
