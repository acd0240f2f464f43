"""docs/backup.md: what is dumped and restored has the links that it had, row by row."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from test_cli import on, rows
from test_plan import link

from sessiondb import resources

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

LINKS = [f"SELECT id, session_id FROM {table} ORDER BY id" for table in ("enrollments", "submissions")]


def links(db: PlatformDatabase) -> list[list[dict[str, object]]]:
    return [rows(db, query) for query in LINKS]


def copy(source: PlatformDatabase, target: PlatformDatabase, *options: str) -> str:
    """Dump one database, and run it in another; what psql says of errors."""
    server = source.cluster.server
    tools = [str(server.bindir / name) if server else shutil.which(name) for name in ("pg_dump", "psql")]
    if None in tools:
        pytest.skip("no pg_dump and psql")
    pg_dump, psql = map(str, tools)
    dumped = subprocess.run([pg_dump, *options, "-d", source.conninfo()], capture_output=True, text=True, check=True)
    restored = subprocess.run(
        [psql, "-X", "-q", "-d", target.conninfo()], input=dumped.stdout, capture_output=True, text=True, check=True
    )
    return restored.stderr


@pytest.mark.parametrize(
    "options",
    [(), ("--no-comments",), ("--no-owner",), ("-n", "public", "-n", "sessiondb")],
    ids=["whole", "no comments", "no owner", "both schemas"],
)
def test_a_dump_is_restored_with_its_links(
    cluster: Cluster, installed_db: PlatformDatabase, options: tuple[str, ...]
) -> None:
    link(installed_db)
    before = links(installed_db)
    assert any(row["session_id"] for table in before for row in table)
    with cluster.new_database(installed_db.platform) as other:
        said = copy(installed_db, other, *options)
        assert said.splitlines() == ['ERROR:  schema "public" already exists'] * ("public" in options)
        assert links(other) == before
        assert on(other, "apply").code == 0
        assert on(other, "check", *resources.names("checks"), "--format", "json").json["findings"] == []
        assert links(other) == before
        assert on(other, "rollback", "--all", "--yes").code == 0


def test_data_alone_is_restored_with_its_links_where_triggers_are_off(
    cluster: Cluster, installed_db: PlatformDatabase
) -> None:
    link(installed_db)
    before = links(installed_db)
    assert any(row["session_id"] for table in before for row in table)
    with cluster.new_database(installed_db.platform) as other:
        assert copy(installed_db, other, "--schema-only") == ""
        assert copy(installed_db, other, "--data-only", "--disable-triggers") == ""
        assert links(other) == before
        assert on(other, "apply").out.startswith("Nothing to do")
