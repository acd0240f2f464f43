"""Processes of sessiondb that need not start Python and import its modules, which takes longer than most commands.

A server process has done so, and cut the migrations into statements; for each command line it forks, and the child runs
the command as ``python -m sessiondb`` would, with its own arguments, environment, files and exit code. It ends without
taking the modules down one by one, which takes longer than all the rest; its own garbage is collected, so that a warning
from there is seen.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVER = """
import functools, gc, json, os, sys, traceback
import rich.console, rich.progress, rich.table, sqlparse, yoyo.migrations
import sessiondb.backfill, sessiondb.cli, sessiondb.plan, sessiondb.linking, sessiondb.records, sessiondb.status
from sessiondb import ledger, resources

sqlparse.split = functools.cache(sqlparse.split)
for migration in ledger.read_migrations(resources.MIGRATIONS):
    migration.apply, migration.rollback

def end_as_python_does(call):
    code = 0
    try:
        call()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

gc.collect()
gc.freeze()
for line in sys.stdin:
    arguments, environment, files = json.loads(line)
    if (child := os.fork()) == 0:
        for number, file in enumerate(files):
            os.dup2(os.open(file, os.O_RDWR), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[1:] = arguments
        end_as_python_does(sessiondb.cli.main)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

_idle: dict[str, list[subprocess.Popen[str]]] = {}
"""Servers that wait, by their PYTHONPATH."""


def run(arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Run sessiondb, warnings being errors, and return its exit code and what it wrote to stdout and stderr."""
    path = environment.get("PYTHONPATH", "")
    idle = _idle.setdefault(path, [])
    server = idle.pop() if idle else _started(path)
    assert server.stdin
    assert server.stdout
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("out", "err")]
        for file in files:
            file.touch()
        server.stdin.write(json.dumps([arguments, dict(environment), [os.devnull, *map(str, files)]]) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], timeout)[0]:
            server.kill()
            raise subprocess.TimeoutExpired(["sessiondb", *arguments], timeout)
        code = int(server.stdout.readline())
        idle.append(server)
        out, err = (file.read_text(encoding="utf-8") for file in files)
    return code, out, err


def _started(path: str) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-W", "error", "-c", SERVER], subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": path} if path else None
    server = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    with server:
        server.kill()
