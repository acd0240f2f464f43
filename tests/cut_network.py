"""Prints how many seconds a server keeps a session of ours after the network is cut, for each thing that it may do then.

To be run as root in a network namespace of its own (``unshare -n``), with the directory of the server's programs. The
client is in another namespace; after the cut, what the server sends goes to a station that does not exist.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psycopg
from psycopg import sql

from sessiondb.database import Database
from sessiondb.embedded import ephemeral_server

SERVER, CLIENT, NOWHERE = "10.9.0.1", "10.9.0.2", "02:00:00:00:00:01"
CASES = {
    "sending a large result": "SELECT repeat('x', 1000), generate_series(1, 100000000)",
    "idle in transaction": "BEGIN; SET LOCAL idle_in_transaction_session_timeout TO 0",
    "running a statement": "SELECT pg_sleep(600)",
}
OURS = "SELECT FROM pg_stat_activity WHERE application_name = 'sessiondb'"


def client(statement: str) -> None:
    """Run a statement on a connection of ours, fetching each row as it comes."""
    with Database(f"host={SERVER} user=postgres dbname=postgres").connect() as connection:
        if statement.startswith("BEGIN"):
            connection.execute(statement.encode())
            signal.pause()
        for _ in connection.cursor().stream(statement.encode()):
            pass


def ip(words: str, *before: str) -> str:
    """Run ``ip``."""
    return subprocess.run([*before, "ip", *words.split()], check=True, capture_output=True, text=True).stdout


def main(bindir: str) -> None:
    """Cut the network in each case."""
    ip("link set lo up")
    with (
        subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE) as other,
        ephemeral_server(bindir, settings={"listen_addresses": "*"}) as server,
        psycopg.connect(server.dsn(), autocommit=True) as admin,
    ):
        there = ("nsenter", "-t", str(other.pid), "-n")
        ip(f"link add near type veth peer name far netns {other.pid}")
        ip(f"addr add {SERVER}/24 dev near")
        ip("link set near up")
        ip(f"addr add {CLIENT}/24 dev far", *there)
        ip("link set far up", *there)
        hba = admin.execute("SHOW hba_file").fetchall()[0][0]
        admin.execute(sql.SQL("COPY (SELECT 'host all all all trust') TO {}").format(hba))
        admin.execute("SELECT pg_reload_conf()")
        took = {}
        for case, statement in CASES.items():
            process = subprocess.Popen([*there, sys.executable, __file__, "--client", statement])
            while admin.execute(f"{OURS} AND query = %s", [statement]).rowcount == 0:
                time.sleep(0.05)
            time.sleep(1)
            ip(f"neigh replace {CLIENT} lladdr {NOWHERE} nud permanent dev near")
            began = time.monotonic()
            while admin.execute(OURS).rowcount and time.monotonic() < began + 30:
                time.sleep(0.05)
            took[case] = round(time.monotonic() - began, 1)
            process.kill()
            process.wait()
            ip(f"neigh del {CLIENT} dev near")
        sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    client(sys.argv[2]) if sys.argv[1] == "--client" else main(sys.argv[1])
