"""Installing sessiondb under traffic, and what its commands take at that size."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import Any

from benchmarks.measure import alternate, summary
from benchmarks.platform import Size
from benchmarks.server import Server
from benchmarks.traffic import writers
from sessiondb import resources
from sessiondb.checks import check_names

WRITERS = 16
DATA_CHECKS = resources.names("data_checks")
COMMANDS = {
    "--help": ["--help"],
    "status": ["status"],
    "check": ["check"],
    "check of the catalogs": ["check", *(name for name in check_names() if name not in DATA_CHECKS)],
    "explain": [
        "explain",
        "--user=00000000-0000-4000-8000-100000000001",
        "--course=00000000-0000-4000-8000-300000000001",
    ],
}


def measure(server: Server, size: Size, rounds: int, idle_seconds: float) -> dict[str, Any]:
    """Apply while 16 clients write, then time the commands that only read."""
    server.create("apply", "platform")
    with writers(server, "apply", size, WRITERS) as traffic:
        time.sleep(1)  # until all are connected
        start = time.monotonic()
        time.sleep(idle_seconds)
        begin = time.monotonic()
        _sessiondb(server, "apply")
        end = time.monotonic()
    commands = alternate({name: partial(_sessiondb, server, *words) for name, words in COMMANDS.items()}, rounds)
    return {
        "wall_s": end - begin,
        "writers": WRITERS,
        "idle": traffic.between(start, begin),
        "apply": traffic.between(begin, end),
        "commands_s": {name: summary(took) for name, took in commands.items()},
    }


def _sessiondb(server: Server, *words: str) -> float:
    command = [sys.executable, "-m", "sessiondb", "-d", server.conninfo("apply"), *words]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begin
    if done.returncode not in (0, 4):  # check has findings: rows that a backfill would link
        raise RuntimeError(f"sessiondb {words[0]} failed: {done.stderr}")
    return took
