"""What a row costs in instructions, counted by valgrind around one backend: other work on the machine does not matter.

The backend is ``postgres --single`` on a copy of a prepared data directory. A statement is counted from one call of
pg_backend_pid() to the next one, for which valgrind writes down its counts.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks import platform, report
from benchmarks.insert import SENT
from benchmarks.measure import alternate, compare
from benchmarks.platform import QUICK, Size, run
from benchmarks.server import PREFIX, QUIET, Server
from sessiondb import embedded
from sessiondb.connection import Connection, trusted

ROOT = Path(__file__).resolve().parents[1]
MEASURED = {
    "enrollments": ("once", "enrollments"),
    "submissions": ("once", "submissions"),
    "submissions, several enrolments": ("twice", "submissions"),
}
"""The platform, where (user_id, course_id) of an enrolment is unique or not, and the table that is written."""

CALLS = {"first call": range(1), "calls 2 to 6": range(1, 6), "later calls": range(6, 106)}
"""INSERTs of one row by a new connection; the plans of the first ones are made each time.

The later ones are so many because each finds its place in the indexes in more or fewer steps, and some extend a table.
"""

SIZE = Size(users=30_000, orgs=150, courses=100, submissions=300_000, bulk_rows=30_000)
SMALL = Size(users=5000, orgs=50, courses=100, submissions=20_000, bulk_rows=5000)
"""Counted in half a minute."""


def _rows(size: Size) -> int:
    """Return how many rows are counted; as many are inserted before them, which brings the pages into memory."""
    return min(1000, size.bulk_rows // 20)


PREPARED = {**QUIET, "max_wal_size": "64MB", "wal_level": "minimal", "max_wal_senders": "0"}
SINGLE = {"fsync": "off", "full_page_writes": "off", "jit": "off", "shared_buffers": "256MB", "huge_pages": "off"}
MARK = "SELECT pg_catalog.pg_backend_pid()"


def skipped() -> str | None:
    """Return why nothing can be counted here."""
    return None if shutil.which("valgrind") else "SKIPPED: valgrind is not installed, no instructions are counted"


def part(
    bindir: Path | None, quick: bool, repeats: int, against: str | None, rounds: int
) -> tuple[str, dict[str, Any]]:
    """Return the part of performance.json, and its name; ``small`` in it is what ``--bounds`` compares with."""
    size = QUICK if quick else SIZE
    result, described = measure(bindir, size, repeats, against, rounds)
    result["small"] = result["counted"] if quick else measure(bindir, SMALL, repeats)[0]["counted"]
    return named(described), report.tagged(described, size, quick, result)


def named(described: dict[str, Any]) -> str:
    """Return the name of the part that holds the figures of such a server."""
    return f"instructions-{re.findall(r'PostgreSQL ([0-9]+)', described['version'])[0]}"


def measure(
    bindir: Path | None, size: Size, repeats: int, against: str | None = None, rounds: int = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a row costs with each variant of the triggers, and what the server is.

    Args:
        bindir: where the programs of the server are; None for the embedded one.
        size: of the platform.
        repeats: how often each is counted.
        against: another version, a revision of git or a checkout.
        rounds: how often the variants take turns in the measure of processor time; 0 leaves it out.
    """
    with (
        _checkouts(against) as checkouts,
        embedded.ephemeral_server(bindir, settings=PREPARED) as ephemeral,
        ExitStack() as stack,
    ):
        pool = ThreadPoolExecutor(os.cpu_count())
        stack.callback(pool.shutdown, cancel_futures=True)
        server = Server(ephemeral.dsn(), ephemeral.bindir)
        variants = ["floor", *checkouts]
        described = server.described()
        _build(server, size, checkouts)
        inputs = {
            (name, variant): _statements(server, base, table, variant == "floor", _rows(size))
            for name, (base, table) in MEASURED.items()
            for variant in variants
        }
        result: dict[str, Any] = {"counted": {}}
        if rounds:
            result["processor"] = {
                name: _processor(server, base, table, variants, rounds, size.bulk_rows // 6)
                for name, (base, table) in MEASURED.items()
            }
        ephemeral.stop()
        counted = {
            (name, variant): [
                pool.submit(_count, ephemeral, f"{MEASURED[name][0]}_{_database(variant)}", statements, _rows(size))
                for _ in range(repeats)
            ]
            for (name, variant), statements in inputs.items()
        }
        for name in MEASURED:
            taken = {variant: [run.result() for run in counted[name, variant]] for variant in variants}
            result["counted"][name] = {
                what: compare({variant: [one[what] for one in runs] for variant, runs in taken.items()}, "floor")
                for what in taken["floor"][0]
            }
    return result, described


@contextmanager
def _checkouts(against: str | None) -> Iterator[dict[str, Path]]:
    """Yield the checkouts whose triggers are counted, by the names of their variants."""
    checkouts = {"shipped": ROOT}
    with tempfile.TemporaryDirectory() as folder:
        if against:
            if not Path(against).is_dir():
                archive = subprocess.run(["git", "archive", against], cwd=ROOT, capture_output=True, check=True).stdout
                subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
            checkouts[against] = Path(against).resolve() if Path(against).is_dir() else Path(folder)
        yield checkouts


def _database(variant: str) -> str:
    return variant if variant in ("floor", "shipped") else "against"


def _build(server: Server, size: Size, checkouts: dict[str, Path]) -> None:
    """Make a database of each platform and variant."""
    platform.build(server, size, [])
    with server.connect("platform") as connection:
        run(connection, "linked.sql", **asdict(size))
    for base in dict.fromkeys(base for base, _ in MEASURED.values()):
        with server.connect(server.create(base, "platform")) as connection:
            if base == "twice":
                run(connection, "twice.sql")
        for variant, checkout in checkouts.items():
            name = server.create(f"{base}_{_database(variant)}", base)
            subprocess.run(
                [sys.executable, "-m", "sessiondb", "-d", server.conninfo(name), "apply"],
                env={**os.environ, "PYTHONPATH": str(checkout / "src")},
                check=True,
                capture_output=True,
            )
            with server.connect(name) as connection:
                connection.execute("VACUUM (ANALYZE)")
        server.drop(base)
        with server.connect(server.create(f"{base}_floor", f"{base}_shipped")) as connection:
            run(connection, "no_triggers.sql")
    server.drop("platform")


def _statements(server: Server, base: str, table: str, with_session: bool, number: int) -> dict[str, str]:
    """Return what is counted, each statement by a name of its own: one row by each call, and ``number`` at once."""
    columns, values, session = SENT[table]
    if with_session:
        columns, values = f"{columns}, session_id", f"{values}, {session}"
    with server.connect(f"{base}_floor") as connection:
        names = ", ".join("'{}'" if "'" not in value else value for value in values.split(", "))
        needed = ", ".join(value for value in values.split(", ") if "'" not in value)
        singles = f"SELECT {needed} FROM bench.rows WHERE n < {CALLS['later calls'].stop} ORDER BY n"
        rows = connection.execute(trusted(singles)).fetchall()
    bulk = f"INSERT INTO {table} ({columns}) SELECT {values} FROM bench.rows WHERE n >= {{}} AND n < {{}}"
    first = len(rows)
    return {
        **{f"call {n}": f"INSERT INTO {table} ({columns}) VALUES ({names.format(*row)})" for n, row in enumerate(rows)},
        "warm": bulk.format(first, first + number),
        "none": bulk.format(0, 0),
        "all": bulk.format(first + number, first + 2 * number),
    }


def _count(ephemeral: embedded.Server, database: str, statements: dict[str, str], rows: int) -> dict[str, float]:
    """Return the instructions of a row in bulk, and of an INSERT of one row by a new connection."""
    table = statements["none"].split()[2]
    data = ephemeral.socket_dir.with_name("data")
    with tempfile.TemporaryDirectory(dir=data.parent, ignore_cleanup_errors=True) as folder:
        subprocess.run(["cp", "-a", data, f"{folder}/data"], check=True)
        account = ephemeral.account
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        settings = [word for name, value in SINGLE.items() for word in ("-c", f"{name}={value}")]
        unlinked = f"SELECT pg_catalog.count(*) AS unlinked FROM {table} WHERE session_id IS NULL"
        lines = [MARK, MARK, *(line for text in statements.values() for line in (text, MARK)), unlinked]
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--vgdb=no", "--dump-before=pg_backend_pid"),
                f"--callgrind-out-file={folder}/counts",
                *(str(ephemeral.programs / "postgres"), "--single", "-D", f"{folder}/data", *settings),
                f"{PREFIX}{database}",
            ],
            input="\n".join(lines) + "\n",
            env={
                **{"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                "LD_LIBRARY_PATH": str(ephemeral.programs.with_name("lib")),
            },
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[account.pw_gid] if account else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or "ERROR" in done.stderr or 'unlinked = "0"' not in done.stdout:
            raise RuntimeError(f"counting in {database} failed: {done.stderr[-2000:]} {done.stdout[-200:]}")
        _, mark, *counts = (_total(Path(f"{folder}/counts.{n}")) for n in range(1, len(statements) + 3))
    taken = {name: count - mark for name, count in zip(statements, counts, strict=True)}
    calls = {name: sum(taken[f"call {n}"] for n in numbers) / len(numbers) for name, numbers in CALLS.items()}
    return {"row": (taken["all"] - taken["none"]) / rows, **calls}


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise RuntimeError(f"valgrind wrote no totals in {dump}")
    return int(found[1])


def _processor(
    server: Server, base: str, table: str, variants: Sequence[str], rounds: int, rows: int
) -> dict[str, Any]:
    """Return what a row of a large INSERT takes of a processor, and what it asks of the kernel's memory."""
    statements = {variant: _statements(server, base, table, variant == "floor", rows) for variant in variants}

    def inserted(variant: str, around: Callable[[Connection, Callable[[], object]], float]) -> float:
        """Insert by a new connection and roll back; return what ``around`` the INSERT finds, for each row.

        Only its plans are made before: a large INSERT would leave a heap that is returned to the kernel less often.
        """
        database = f"{base}_{_database(variant)}"
        with server.connect(database) as connection:
            connection.execute(trusted(f"VACUUM {table}"))
        with server.connect(database) as connection, connection.transaction(force_rollback=True):
            for n in range(CALLS["calls 2 to 6"].stop):
                connection.execute(trusted(statements[variant][f"call {n}"]))
            return around(connection, partial(connection.execute, trusted(statements[variant]["all"]))) / rows

    def seconds(connection: Connection, insert: Callable[[], object]) -> float:
        begin = server.processor_seconds(connection)
        insert()
        return (server.processor_seconds(connection) - begin) * 1e6

    runs = {variant: partial(inserted, variant, seconds) for variant in variants}
    result = compare(alternate(runs, rounds), "floor")
    for variant in variants:
        result[variant]["page faults"] = inserted(variant, _page_faults)
        if shutil.which("strace"):
            result[variant]["brk calls"] = inserted(variant, _brk_calls)
    return result


def _page_faults(connection: Connection, insert: Callable[[], object]) -> float:
    stat = Path(f"/proc/{connection.info.backend_pid}/stat")
    before = int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[7])
    insert()
    return int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[7]) - before


def _brk_calls(connection: Connection, insert: Callable[[], object]) -> float:
    """Count the calls that enlarge or shrink the heap."""
    backend = connection.info.backend_pid
    with tempfile.NamedTemporaryFile() as log:
        with subprocess.Popen(
            ["strace", "-qq", "-e", "trace=brk", "-o", log.name, "-p", str(backend)], stderr=subprocess.DEVNULL
        ) as strace:
            while not re.search(
                r"^TracerPid:\s+[1-9]", Path(f"/proc/{backend}/status").read_text(encoding="ascii"), re.MULTILINE
            ):
                if strace.poll() is not None:
                    raise click.ClickException("strace may not look at the server's processes")
                time.sleep(0.01)
            insert()
            strace.send_signal(signal.SIGINT)
        return sum(line.startswith(b"brk(") for line in log)
