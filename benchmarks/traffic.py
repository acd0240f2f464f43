"""Students who submit while something else goes on, and how long that took them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.measure import percentile
from benchmarks.platform import Size
from benchmarks.server import Server

SUBMIT = """
INSERT INTO submissions (user_id, exercise_id, content)
VALUES (bench.id(1, %s::bigint), bench.id(4, %s::bigint), 'print(42)')
"""
PAUSE = 0.02
STALL = 0.05
"""Seconds; a write that takes longer counts as stalled."""


@dataclass
class Traffic:
    """What the writers saw: the begin and end of each write, in the order of the ends."""

    writes: list[tuple[float, float]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> dict[str, Any]:
        """Return how the writes fared that began in this time."""
        took = [done - at for at, done in self.writes if begin <= at < end]
        stalled = sorted((at, done) for at, done in self.writes if begin <= at < end and done - at > STALL)
        blocked, until = 0.0, 0.0
        for at, done in stalled:
            blocked += max(done - max(at, until), 0)
            until = max(until, done)
        return {
            "writes": len(took),
            "median_ms": percentile(took, 50) * 1e3,
            "p99_ms": percentile(took, 99) * 1e3,
            "longest_ms": max(took) * 1e3,
            "stalled_ms": blocked * 1e3,
        }


@contextmanager
def writers(server: Server, database: str, size: Size, number: int) -> Iterator[Traffic]:
    """Let so many clients submit, each about 50 times a second at most, until the end."""
    traffic, stop, failures = Traffic(), threading.Event(), list[psycopg.Error]()

    def write(first: int) -> None:
        student = first
        try:
            with server.connect(database) as connection:
                while not stop.wait(PAUSE):
                    student = (student + 7919) % size.users
                    begin = time.monotonic()
                    connection.execute(SUBMIT, [student, student % size.courses])
                    traffic.writes.append((begin, time.monotonic()))
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
