"""A client that is suspended, as when a laptop is closed, keeps nothing locked for longer than a few seconds."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from conftest import Cluster, Part, PlatformDatabase
from platforms import PLATFORMS
from psycopg.conninfo import make_conninfo
from test_crashes import (
    CLI,
    Commands,
    Point,
    backends,
    commands,
    difference,
    is_held_up,
    known,
    look,
    migrations_are_parsed_once,
    paused,
    run,
    run_cli,
    transaction,
    until,
)
from test_plan import by_psql, psql, running, script_for

from sessiondb.connection import SILENCE
from sessiondb.errors import Exit

__all__ = ["commands", "known", "migrations_are_parsed_once", "psql"]  # fixtures

SLACK = 2.0
"""What a busy machine may add."""

LOST = 6.0
"""The sum of what sessiondb.database.REACH lets the server's kernel wait, and one check of the connection."""


@contextmanager
def every_client(database: PlatformDatabase) -> Iterator[Callable[[], float]]:
    """A reader and two writers while the block runs; yields how long the longest of their statements took."""
    stop = threading.Event()
    took: list[float] = [0]
    failed: list[psycopg.Error] = []

    def work(statement: str) -> None:
        with database.connect() as connection:
            while not stop.wait(0.05):
                began = time.monotonic()
                try:
                    connection.execute(statement.encode())
                except psycopg.Error as error:
                    failed.append(error)
                    return
                took.append(time.monotonic() - began)

    threads = [
        threading.Thread(target=work, args=[statement])
        for statement in (
            "SELECT FROM enrollments CROSS JOIN submissions LIMIT 1",
            "UPDATE enrollments SET user_id = user_id",
            "UPDATE submissions SET user_id = user_id",
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield lambda: max(took)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []


@pytest.mark.slow
@pytest.mark.parametrize("start", ["first apply", "rollback"])
def test_a_suspended_client_lets_go_within_seconds_and_another_run_completes_its_work(
    commands: Commands, part: Part, start: str, record_property: Callable[[str, object], None]
) -> None:
    """At every boundary, in transactions and between them, of which each sixth is as many as there is time for."""
    command = commands("reference", start)
    longest = []

    def attempt(database: PlatformDatabase, point: Point) -> str:
        with paused(database, point) as process, every_client(database) as slowest:
            process.send_signal(signal.SIGSTOP)
            until(lambda: not backends(database, "application_name = 'sessiondb'"), SILENCE + SLACK)
            time.sleep(0.2)
        longest.append(slowest())
        run(database, command.verb)
        (wanted, _), (found, _) = command.end, look(database, command.dump)  # the writers have changed rows
        return difference((wanted, []), (found, []))

    assert command.wrong_after(part(command.points)[::6], attempt) == {}
    record_property(f"seconds behind a suspended client, {command.verb}", round(max(longest), 1))
    assert max(longest) < SILENCE + SLACK


@pytest.mark.slow
def test_a_client_that_is_resumed_says_in_one_sentence_what_came_of_it(commands: Commands) -> None:
    """It is suspended while it waits for a lock, and gets that when no client is there any more to go on."""
    command = commands("reference", "first apply")
    with command.clone() as database:
        with transaction(database, "SELECT FROM enrollments") as other_session:
            arguments = [*CLI, "-d", database.conninfo(), "apply", "--lock-timeout", "60"]
            with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
                try:
                    until(lambda: is_held_up(database))
                    process.send_signal(signal.SIGSTOP)
                    other_session.rollback()
                    until(lambda: not backends(database, "application_name = 'sessiondb'"), SILENCE + SLACK)
                    process.send_signal(signal.SIGCONT)
                    _, said = process.communicate(timeout=60)
                finally:
                    process.kill()
        message, hint = said.splitlines()[-2:]
        assert process.returncode == Exit.INCOMPLETE, said
        # a client that is writing in that moment does not come to read the server's last words
        ended = "the server received nothing from this client for seconds.*|server closed the connection unexpectedly"
        assert re.fullmatch(f'sessiondb: 0002.* failed at ".*": ({ended})', message)
        assert hint.endswith(" Committed changes stay; the same command resumes where it stopped.")
        run(database, "apply")
        assert command.difference(database) == ""


@pytest.mark.slow
def test_a_backfill_that_sleeps_is_not_taken_for_a_suspended_one_until_it_is(cluster: Cluster) -> None:
    with cluster.clone(PLATFORMS["reference"], installed=True) as database:
        arguments = [*CLI, "-d", database.conninfo(), "backfill", "--sleep", str(SILENCE + 1)]
        asleep = "application_name = 'sessiondb' AND state = 'idle' AND query = 'SELECT'"
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (Exit.DONE, "")

        arguments[-1] = "60"
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: backends(database, asleep) > 0)
            process.send_signal(signal.SIGSTOP)
            until(lambda: not backends(database, "application_name = 'sessiondb'"), SILENCE + SLACK)
            process.send_signal(signal.SIGCONT)
            _, said = process.communicate(timeout=60)
        assert process.returncode == Exit.INCOMPLETE, said
        assert len(said.splitlines()) == 2, said
        assert run_cli(database, "backfill").returncode == Exit.DONE


@contextmanager
def network(database: PlatformDatabase) -> Iterator[tuple[PlatformDatabase, threading.Event]]:
    """The database at the other end of a network, and what cuts that: nothing comes through, and no connection closes."""
    server, cut = database.cluster.server, threading.Event()
    if server is None:
        pytest.skip("the network is put before a server of our own only")
    listener = socket.create_server(("127.0.0.1", 0))
    sockets = [listener]

    def forward(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and not cut.is_set():
                target.sendall(data)
            if not cut.is_set():
                target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(f"{server.socket_dir}/.s.PGSQL.{server.port}")
                sockets.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=forward, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    host, port = listener.getsockname()
    admin = make_conninfo(database.cluster.admin, host=host, port=port)
    try:
        yield replace(database, cluster=replace(database.cluster, admin=admin)), cut
    finally:
        cut.set()
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.mark.slow
@pytest.mark.parametrize("start", ["first apply", "rollback"])
def test_a_network_that_is_cut_keeps_nothing_locked_and_another_run_completes_the_work(
    commands: Commands, part: Part, start: str
) -> None:
    """The client goes on, and what it sends is lost."""
    command = commands("reference", start)
    longest = []

    def attempt(database: PlatformDatabase, point: Point) -> str:
        with (
            network(database) as (far, cut),
            paused(far, point) as process,
            every_client(database) as slowest,
        ):
            cut.set()
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
            until(lambda: not backends(database, "application_name = 'sessiondb'"), SILENCE + SLACK)
            time.sleep(0.2)
        longest.append(slowest())
        run(database, command.verb)
        (wanted, _), (found, _) = command.end, look(database, command.dump)
        return difference((wanted, []), (found, []))

    assert command.wrong_after(part(command.points)[3::24], attempt) == {}
    assert max(longest) < SILENCE + SLACK


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may put a network between two programs")
def test_a_server_that_the_network_cuts_off_ends_our_sessions_within_seconds(
    cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    """In the kernel's own time, without the timeout for an idle transaction, whatever the session does."""
    if cluster.server is None:
        pytest.skip("the network is put before a server of our own only")
    try:
        subprocess.run(["unshare", "-n", "ip", "link", "add", "type", "veth"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine allows no network namespaces")
    arguments = ["unshare", "-n", sys.executable, str(Path(__file__).with_name("cut_network.py"))]
    done = subprocess.run([*arguments, str(cluster.server.bindir)], stdout=subprocess.PIPE, check=True)
    took = json.loads(done.stdout)
    record_property("seconds behind a network that is cut", max(took.values()))
    assert {case: seconds for case, seconds in took.items() if seconds > LOST + SLACK} == {}
    assert len(took) == 3


@pytest.mark.slow
def test_a_script_whose_psql_is_suspended_keeps_nothing_locked_and_is_completed_by_another_run(
    commands: Commands, part: Part, psql: str, tmp_path: Path
) -> None:
    """In each of its transactions, and between them."""
    command = commands("reference", "first apply")
    longest = []
    with command.clone() as database:
        lines = script_for(database).split("\n")
    # nothing is installed yet
    look = lines.index("\\endif", lines.index("\\if :sessiondb_is_installed"))
    ends = [number for number, line in enumerate(lines) if line == "COMMIT;" and number > look]
    for place in part([*ends, *(number + 1 for number in ends)])[::2]:
        script = "\n".join([*lines[:place], "\\! kill -STOP $PPID", *lines[place:]])
        with command.clone() as database, running(psql, database, script, tmp_path) as process:
            until(lambda: "T" in Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2])
            with every_client(database) as slowest:
                until(lambda: not by_name(database), SILENCE + SLACK)
                time.sleep(0.2)
            longest.append(slowest())
            process.send_signal(signal.SIGCONT)
            _, said = process.communicate(timeout=60)
            assert process.returncode not in (0, None), said
            done = by_psql(psql, database, "\n".join(lines), tmp_path)
            assert done.code == 0, done
            assert run_cli(database, "status", "--exit-code").returncode == Exit.DONE
            assert run_cli(database, "check").returncode == Exit.DONE
    assert max(longest) < SILENCE + SLACK


def by_name(database: PlatformDatabase) -> int:
    """How many connections of psql the server knows of."""
    query = "SELECT FROM pg_stat_activity WHERE datname = %s AND application_name = 'psql'"
    with psycopg.connect(database.cluster.admin) as admin:
        return admin.execute(query, [database.name]).rowcount
