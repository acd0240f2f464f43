"""What the pages of ``sessiondb trainer`` take on the server, by the clock."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from flask.testing import FlaskClient

from benchmarks.measure import alternate, summary
from benchmarks.server import Server
from sessiondb.trainer import create_app

HOST = "localhost"
PAGES = {
    "overview": "/",
    "overview, searched": "/?q=Course+7",
    "overview, of a course": "/?course=00000000-0000-4000-8000-300000000001",
    "a session": "/sessions/00000000-0000-4000-8000-500000000001",
    "an organisation": "/orgs/00000000-0000-4000-8000-200000000001",
}


def measure(server: Server, rounds: int) -> dict[str, Any]:
    """Ask for each page, as the server of the pages does, without the network and the browser."""
    client = create_app(server.conninfo("linked"), hosts={HOST}, who=lambda _: "the benchmark").test_client()
    pages = alternate({name: partial(_get, client, path) for name, path in PAGES.items()}, rounds)
    return {"pages_s": {name: summary(took) for name, took in pages.items()}}


def _get(client: FlaskClient, path: str) -> float:
    begin = time.perf_counter()
    answer = client.get(path, base_url=f"http://{HOST}")
    took = time.perf_counter() - begin
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return took
