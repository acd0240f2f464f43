"""sessiondb.testing: what docs/testing.md promises to the tests of a platform."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg.conninfo import conninfo_to_dict
from pytest_postgresql import factories
from pytest_postgresql.janitor import DatabaseJanitor

from sessiondb import testing
from sessiondb.connection import Connection
from sessiondb.embedded import ServerNotFound, find_bindir
from sessiondb.errors import PlatformRefusedError

try:
    find_bindir()
except ServerNotFound as error:
    pytest.skip(str(error), allow_module_level=True)

PAGE = Path(__file__).parents[1] / "docs" / "testing.md"
EXAMPLE = re.compile(r"^```\w+\n(?:#|--) (?P<name>\w+\.\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
BRUNO, PYTHON = "00000000-0000-4000-8000-0000000000b2", "00000000-0000-4000-8000-0000000000c1"

reference_proc = testing.postgresql_server(load=[PLATFORMS["reference"].path, testing.load()], dbname="reference")
reference = factories.postgresql("reference_proc")

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)


def _value(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
def test_the_example_of_the_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # for this run (.ci/run), not for the one of the example
    files = {match["name"]: match["text"] for match in EXAMPLE.finditer(PAGE.read_text(encoding="utf-8"))}
    assert [*files] == ["conftest.py", "schema.sql", "test_sessions.py"]
    for name, text in files.items():
        tmp_path.joinpath(name).write_text(text, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert re.search(r"^2 passed in ", run.stdout, re.MULTILINE), run.stdout + run.stderr
    assert run.returncode == 0


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_migrated_copy_of_its_own(reference: Connection, turn: str) -> None:
    assert _value(reference, "SELECT count(*) FROM sessions") == 0
    session = _value(
        reference,
        "INSERT INTO sessions (org_id, course_id, title, status)"
        f" SELECT org_id, '{PYTHON}', 'Session Automne 2024', 'active' FROM org_members WHERE user_id = '{BRUNO}'"
        " RETURNING id",
    )
    reference.commit()

    submit = (
        f"INSERT INTO submissions (user_id, exercise_id) SELECT '{BRUNO}', id FROM exercises"
        f" WHERE course_id = '{PYTHON}' LIMIT 1 RETURNING session_id"
    )
    assert _value(reference, submit) == session


def test_a_copy_is_quick(reference_proc: testing.Process) -> None:
    """The page says what was measured; the bound here is for any machine, at any load."""

    def seconds() -> float:
        start = time.perf_counter()
        with DatabaseJanitor(
            host=reference_proc.host,
            port=reference_proc.port,
            user=reference_proc.user,
            dbname="quick",
            template_dbname=reference_proc.template_dbname,
        ):
            return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.5


@pytest.fixture
def address(platform_db: PlatformDatabase) -> dict[str, str]:
    """What a loader of pytest-postgresql is called with; tests on a server of one's own have a password, too."""
    given = {"password": "", **conninfo_to_dict(platform_db.conninfo())}
    return {name: str(given[name]) for name in ("host", "port", "user", "dbname", "password")}


@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
@pytest.mark.parametrize("further", [{}, {"autocommit": False}], ids=["pytest-postgresql 7", "pytest-postgresql 10"])
def test_the_loader_applies_to_any_schema(
    platform_db: PlatformDatabase, address: dict[str, str], further: dict[str, bool]
) -> None:
    testing.load(schema=platform_db.platform.schema, course_path=platform_db.platform.course_path)(**address, **further)

    assert platform_db.apply() == []


@on_reference
def test_the_loader_goes_by_its_name_as_well(platform_db: PlatformDatabase, address: dict[str, str]) -> None:
    janitor = DatabaseJanitor(**address)  # type: ignore[arg-type]  # a port may be a string

    janitor.load("sessiondb.testing.apply")

    assert platform_db.apply() == []


@on_reference
def test_the_loader_says_what_apply_would_say_and_takes_over_as_it_does(
    platform_db: PlatformDatabase, address: dict[str, str]
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "ALTER TABLE enrollments ADD COLUMN session_id uuid;"
            " CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END';"
            " CREATE TRIGGER own BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION own()"
        )

    with pytest.raises(PlatformRefusedError, match="Trigger own on enrollments writes session_id"):
        testing.load()(**address)
    testing.load(adopt=True)(**address)

    assert platform_db.apply() == []


@on_reference
def test_a_schema_file_may_have_what_pg_dump_says_to_psql(
    platform_db: PlatformDatabase, address: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("\\restrict cjRk\n\nCREATE TABLE été (id uuid);\n\n\\unrestrict cjRk\n", encoding="utf-8")

    testing._load_file(file, **address)

    with platform_db.connect() as connection:
        assert _value(connection, "SELECT count(*) FROM été") == 0


def test_no_other_module_imports_pytest() -> None:
    script = (
        "import pkgutil, sys, sessiondb\n"
        "for module in pkgutil.walk_packages(sessiondb.__path__, 'sessiondb.'):\n"
        "    if module.name not in ('sessiondb.testing', 'sessiondb.__main__'): __import__(module.name)\n"
        "assert 'sessiondb.cli' in sys.modules and 'pytest' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
