"""Linking all old rows: against one single UPDATE, beside a writer, and what the client needs for it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measure import alternate, compare
from benchmarks.platform import Size, run
from benchmarks.server import Server
from benchmarks.traffic import writers
from sessiondb.backfill import Pace, backfill
from sessiondb.database import Database

FEW = 100_000
"""Rows; what the client's memory for all rows is compared with."""


def measure(server: Server, rounds: int) -> dict[str, Any]:
    """Return rows per second, and the batches."""
    batches: list[float] = []
    return {
        "rows_per_second": rates(server, rounds, batches),
        "longest_batch_s": max(batches),
        "batches": len(batches),
    }


def rates(server: Server, rounds: int, batches: list[float]) -> dict[str, Any]:
    """Return rows per second of one single UPDATE and of the backfill, whose ``batches`` are told in seconds."""
    variants = {
        "floor": partial(_single_update, server),
        "sessiondb": partial(_in_batches, server, batches),
    }
    return compare(alternate(variants, rounds), "floor")


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


def under_traffic(server: Server, size: Size) -> dict[str, Any]:
    """Run the command beside a writer; return what the writer saw, and the command's memory for all rows and for few.

    The writer's commits wait for each new segment of the log, which is filled with zeros first. A server that has been
    running for a while has spare ones; here a rehearsal makes them, and says how long the writer is to be watched
    without a backfill, and beside a load of the processor alone.
    """
    server.create("backfill", "unlinked")
    begin = time.monotonic()
    _peak_memory(server)
    lasting = time.monotonic() - begin
    server.create("backfill", "unlinked")
    with server.connect("backfill") as connection:
        for _ in range(2):  # a checkpoint recycles the segments from before the one before it
            connection.execute("CHECKPOINT")
    with writers(server, "backfill", size, 1) as traffic:
        start = time.monotonic()
        time.sleep(lasting)
        begin = time.monotonic()
        all_rows = _peak_memory(server)
        end = time.monotonic()
        _load_processor(server, lasting)
        over = time.monotonic()
    rows = _linked(server)
    with server.connect("backfill") as connection:
        few = connection.execute(
            "UPDATE submissions SET session_id = NULL WHERE id IN (SELECT id FROM submissions LIMIT %s)",
            [min(FEW, size.submissions)],
        ).rowcount
    return {
        "writer": {
            "idle": traffic.between(start, begin),
            "backfill": traffic.between(begin, end),
            "processor": traffic.between(end, over),
        },
        "client_memory_mb": {str(few): _peak_memory(server), str(rows): all_rows},
    }


def _load_processor(server: Server, seconds: float) -> None:
    """Keep one backend busy that reads and writes nothing."""
    with server.connect("backfill") as connection, suppress(psycopg.errors.QueryCanceled):
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds * 1000:.0f}"])
        connection.execute("SELECT FROM generate_series(1, 1e15) AS n OFFSET 1e15")


def _peak_memory(server: Server) -> float:
    """Return the peak memory of ``sessiondb backfill``."""
    peak = 0.0
    command = [sys.executable, "-m", "sessiondb", "-d", server.conninfo("backfill"), "backfill"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = _peak(process.pid) or peak
            time.sleep(0.01)
    if process.returncode:
        raise RuntimeError(f"sessiondb backfill ended with {process.returncode}")
    return peak


def _peak(pid: int) -> float:
    """Return a process's peak memory so far, 0 where it cannot be read; getrusage() would count ours in."""
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
        return int(found.group(1)) / 1024 if found else 0.0
    return 0.0
