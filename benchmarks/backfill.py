"""Linking all old rows: against one single UPDATE, beside a writer, and what the client needs for it."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import Any

from benchmarks.host import Size, run
from benchmarks.measure import alternate, compare
from benchmarks.server import Server
from benchmarks.traffic import writers
from sessiondb.backfill import Pace, backfill
from sessiondb.database import Database


def measure(server: Server, size: Size, rounds: int, idle_seconds: float) -> dict[str, Any]:
    """Return rows per second, the batches, the latency of a writer, and the memory of the client."""
    batches: list[float] = []
    variants = {
        "floor": partial(_single_update, server),
        "sessiondb": partial(_in_batches, server, batches),
    }
    return {
        "rows_per_second": compare(alternate(variants, rounds), "floor"),
        "longest_batch_s": max(batches),
        "batches": len(batches),
        "writer": _beside_a_writer(server, size, idle_seconds),
        "client_memory_mb": _client_memory(server),
    }


def _single_update(server: Server) -> float:
    with server.connect(server.create("backfill", "unlinked")) as connection:
        connection.execute("CHECKPOINT")
        begin = time.perf_counter()
        run(connection, "single_update.sql")
        return _linked(server) / (time.perf_counter() - begin)


def _in_batches(server: Server, batches: list[float]) -> float:
    server.create("backfill", "unlinked")
    ends: list[float] = []
    with Database(server.conninfo("backfill"), "public").connect() as connection:
        connection.execute("CHECKPOINT")
        begin = time.perf_counter()
        backfill(connection, None, Pace(), lambda line: None, lambda *progress: ends.append(time.perf_counter()))
        took = time.perf_counter() - begin
    batches.extend(end - start for start, end in zip([begin, *ends], ends, strict=False))
    return _linked(server) / took


def _linked(server: Server) -> int:
    with server.connect("backfill") as connection:
        row = connection.execute(
            "SELECT (SELECT count(session_id) FROM enrollments) + (SELECT count(session_id) FROM submissions)"
        ).fetchone()
        return row[0] if row else 0


def _beside_a_writer(server: Server, size: Size, idle_seconds: float) -> dict[str, Any]:
    server.create("backfill", "unlinked")
    with (
        writers(server, "backfill", size, 1) as traffic,
        Database(server.conninfo("backfill"), "public").connect() as connection,
    ):
        start = time.monotonic()
        time.sleep(idle_seconds)
        begin = time.monotonic()
        backfill(connection, None, Pace(), lambda line: None, lambda *progress: None)
        end = time.monotonic()
    return {"idle": traffic.between(start, begin), "backfill": traffic.between(begin, end)}


def _client_memory(server: Server) -> dict[str, float]:
    """Return the peak memory of ``sessiondb backfill`` when it has all rows to link, and when it has none."""
    server.create("backfill", "unlinked")
    peak = {}
    for rows in ("all rows", "no rows"):
        command = [sys.executable, "-m", "sessiondb", "-d", server.conninfo("backfill"), "backfill"]
        null = os.open(os.devnull, os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
        process = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        os.close(null)
        if status:
            raise RuntimeError(f"sessiondb backfill ended with {os.waitstatus_to_exitcode(status)}")
        peak[rows] = usage.ru_maxrss / 1024
    return peak
