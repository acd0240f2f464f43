"""A later version installs itself on the databases of an earlier one, in whatever state those are, and nothing is lost.

Both are made here from this checkout: the earlier one has a function and an index comment more and a rollback file with a
mistake in it; the later one a changed function, a changed trigger, a new function, a new migration, and that mistake corrected.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import pytest
import warm_start
from conftest import Cluster, Part, PlatformDatabase
from platforms import PLATFORMS, Platform
from releases.keep import OWN_TRIGGER
from test_cli import Run, environment

from sessiondb import __version__, resources
from sessiondb.ledger import read_migrations

Dump = Callable[..., str]

LATER = "1000.0"
NEWEST = read_migrations(resources.MIGRATIONS)[-1].id
NEW = f"{int(NEWEST[:4]) + 1:04}.create-later_notes"
"""The later version's migration."""

REFERENCE, PARTITIONED = PLATFORMS["reference"], PLATFORMS["partitioned"]
on_reference = pytest.mark.parametrize("platform", [REFERENCE], indirect=True, ids=str)

OLD_HELPER = """CREATE OR REPLACE FUNCTION sessiondb.old_helper()
RETURNS integer
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT 1
$function$
"""

CRASHES = """
import os, signal, sys
from sessiondb.database import Database
from sessiondb.migrate import Runner

conninfo, schema, left = sys.argv[1], sys.argv[2], int(sys.argv[3])

def boundary(of, point):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

with Database(conninfo, schema).connect() as connection:
    Runner(connection, boundary=boundary).apply()
print(-left)
"""
"""An apply that dies at one of its boundaries, or with 0 at none and prints how many there are: conninfo, schema, which."""


@dataclass(frozen=True)
class Version:
    """A sessiondb in a directory of its own."""

    folder: Path
    number: str

    def edit(self, name: str, *replacements: tuple[str, str]) -> None:
        """Change a file below ``migrations/`` or ``sql/``."""
        path = self.folder / "sessiondb" / name
        text = path.read_text() if path.exists() else ""
        for old, new in replacements:
            assert old in text, (name, old)
            text = text.replace(old, new)
        path.write_text(text)

    def add(self, name: str, text: str) -> None:
        with (self.folder / "sessiondb" / name).open("a") as file:
            file.write(text)

    def python(self, *arguments: str) -> Run:
        """Run Python with this version on its path."""
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            env=environment({"PYTHONPATH": str(self.folder)}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def run(self, db: PlatformDatabase, *arguments: str) -> Run:
        """Run this version's command line as the owner of the tables."""
        given = ["-d", db.conninfo(db.platform.owner), "--schema", db.platform.schema, *arguments]
        return Run(*warm_start.run(given, environment({"PYTHONPATH": str(self.folder)}), timeout=120))

    def ok(self, db: PlatformDatabase, *arguments: str) -> Run:
        done = self.run(db, *arguments)
        assert done.code == 0, done
        return done


def make(folder: Path, number: str) -> Version:
    package = Path(shutil.copytree(Path(__file__).parents[1] / "src" / "sessiondb", folder / "sessiondb"))
    shutil.copytree(resources.MIGRATIONS, package / "migrations")
    shutil.copytree(resources.SQL, package / "sql")
    version = Version(folder, number)
    version.edit("__init__.py", (f'__version__ = "{__version__}"', f'__version__ = "{number}"'))
    return version


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Version:
    version = make(tmp_path_factory.mktemp("earlier"), __version__)
    version.add("sql/functions/old_helper.sql", OLD_HELPER)
    version.add("sql/objects.toml", '\n[function.old_helper]\nargs = ""\nafter = "0009"\ncomment = "Goes"\n')
    version.add("migrations/0009.create-backfill_progress.rollback.sql", "SELECT 1 / 0;\n")
    return version


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Version:
    version = make(tmp_path_factory.mktemp("later"), LATER)
    # a comment in a body is a change, too, and one that no rule depends on
    version.edit("sql/functions/find_session.sql", ("DECLARE\n", "-- changed\nDECLARE\n"))
    version.edit(
        "sql/triggers/zzz_sessiondb_link_enrollment.sql",
        ("WHEN (NEW.session_id IS NULL)", "WHEN (NEW.session_id IS NULL AND NEW.user_id IS NOT NULL)"),
    )
    version.add("sql/functions/later_helper.sql", OLD_HELPER.replace("old_helper", "later_helper"))
    version.add("sql/objects.toml", f'\n[function.later_helper]\nargs = ""\nafter = "{NEW[:4]}"\ncomment = "New"\n')
    version.add("sql/objects.toml", f'\n[table.later_notes]\nafter = "{NEW[:4]}"\ncomment = "New"\n')
    version.add(
        f"migrations/{NEW}.sql",
        f"-- Notes.\n--\n-- depends: {NEWEST}\n\n"
        "CREATE TABLE IF NOT EXISTS sessiondb.later_notes (note text PRIMARY KEY);\n\n-- object: function later_helper\n",
    )
    version.add(f"migrations/{NEW}.rollback.sql", "-- Notes.\n\nDROP TABLE IF EXISTS sessiondb.later_notes;\n")
    return version


@dataclass(frozen=True)
class Learners:
    """A student who is linked, one who was there before the session, and the session."""

    org: UUID
    course: UUID
    session: UUID
    old: UUID


def fill(db: PlatformDatabase) -> Learners:
    """Rows from before the session, then the session, and rows that were linked to it."""
    platform = db.platform
    with db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        old, new = (platform.add_member(connection, org, platform.add_user(connection)) for _ in range(2))
        platform.enroll(connection, old, course)
        platform.submit(connection, old, course)
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, new, course) == platform.submit(connection, new, course) == session
    return Learners(org, course, session, old)


def links(db: PlatformDatabase) -> list[tuple[Any, ...]]:
    """Every row of the two tables with its session, which is there or saved."""
    with db.connect() as connection:
        return sorted(
            connection.execute(
                "SELECT 'e', (to_jsonb(e) - 'session_id')::text, user_id::text, to_jsonb(e) ->> 'session_id'"
                "  FROM enrollments AS e UNION ALL"
                " SELECT 's', (to_jsonb(s) - 'session_id')::text, user_id::text, to_jsonb(s) ->> 'session_id'"
                "  FROM submissions AS s"
            ).fetchall()
        )


def new_row_is_linked(db: PlatformDatabase, learners: Learners) -> bool:
    """Whether a student who enrols and submits now gets the session."""
    platform = db.platform
    with db.connect() as connection:
        user = platform.add_member(connection, learners.org, platform.add_user(connection))
        enrolled = platform.enroll(connection, user, learners.course)
        return enrolled == platform.submit(connection, user, learners.course) == learners.session


def installed(db: PlatformDatabase, dump: Dump) -> str:
    """The schema of the database, and what sessiondb has recorded of its objects."""
    with db.connect() as connection:
        recorded = connection.execute(
            "SELECT kind, parent, name, migration, origin, sha256, facts::text, previous_definition"
            "  FROM sessiondb.objects ORDER BY 1, 2, 3"
        ).fetchall()
        there = connection.execute("SELECT version, course_path FROM sessiondb.installation").fetchall()
    return dump(db) + "\n".join(map(str, [*recorded, *there]))


def plain(db: PlatformDatabase, earlier: Version) -> Learners:
    earlier.ok(db, "apply")
    return fill(db)


def with_a_backfill_under_way(db: PlatformDatabase, earlier: Version) -> Learners:
    learners = plain(db, earlier)
    assert earlier.run(db, "backfill", "--max-runtime", "0").code == 7
    with db.connect() as connection:
        connection.execute("CALL sessiondb.begin_backfill(NULL)")
    return learners


def with_an_adopted_trigger(db: PlatformDatabase, earlier: Version) -> Learners:
    with db.connect() as connection:
        for statement in OWN_TRIGGER:
            connection.execute(statement)
    earlier.ok(db, "apply", "--adopt")
    return fill(db)


def stopped_half_way(db: PlatformDatabase, earlier: Version) -> Learners:
    """Applied up to the indexes only; then some of the rows are linked by hand."""
    earlier.ok(db, "apply", "--to", "0005")
    platform = db.platform
    with db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        old = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, old, course, session) == session
    return Learners(org, course, session, old)


STATES: dict[str, tuple[Platform, Callable[[PlatformDatabase, Version], Learners]]] = {
    "with links": (REFERENCE, plain),
    "partitions": (PARTITIONED, plain),
    "a backfill under way": (REFERENCE, with_a_backfill_under_way),
    "an adopted trigger": (REFERENCE, with_an_adopted_trigger),
    "stopped half-way": (PARTITIONED, stopped_half_way),
}


@pytest.fixture
def fresh(cluster: Cluster, later: Version, dump: Dump) -> Callable[[Platform, bool], str]:
    """What a fresh install of the later version gives on a platform, with its own trigger or without."""
    given: dict[tuple[str, bool], str] = {}

    def of(platform: Platform, adopted: bool) -> str:
        if (platform.name, adopted) not in given:
            with cluster.clone(platform, installed=False) as db:
                if adopted:
                    with db.connect() as connection:
                        for statement in OWN_TRIGGER:
                            connection.execute(statement)
                later.ok(db, "apply", *["--adopt"] * adopted)
                given[platform.name, adopted] = installed(db, dump)
        return given[platform.name, adopted]

    return of


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("state", STATES)
def test_a_database_in_any_state_becomes_as_a_fresh_install(
    cluster: Cluster, earlier: Version, later: Version, dump: Dump, fresh: Callable[[Platform, bool], str], state: str
) -> None:
    platform, prepare = STATES[state]
    with cluster.clone(platform, installed=False) as db:
        found = dump(db, exclude_sessiondb=True)
        learners = prepare(db, earlier)
        before = links(db)
        if state == "an adopted trigger":
            found = ""  # compared in test_found_objects.py

        assert later.ok(db, "status").out.splitlines()[-1] == "Next: sessiondb apply"
        assert later.run(db, "status", "--exit-code").code == 3
        refused = (
            later.run(db, "session", "list")
            if state == "stopped half-way"
            else later.run(db, "explain", *asked(learners))
        )
        assert refused.code in (0, 1)
        assert "sessiondb apply" in refused.err or refused.code == 0

        planned = later.ok(db, "plan", "--format", "json").json["statements"]
        assert {NEW, "functions"} & {statement["migration"] for statement in planned}
        assert links(db) == before  # it only reads

        applied = later.ok(db, "apply", "--format", "json").json["applied"]
        assert applied[-1] == NEW

        assert links(db) == before
        assert installed(db, dump) == fresh(platform, state == "an adopted trigger")
        assert later.run(db, "check").code == 0
        assert later.run(db, "status", "--exit-code").code == 0
        assert new_row_is_linked(db, learners)
        later.ok(db, "backfill")
        assert not [row for row in links(db) if row[2] == str(learners.old) and row[3] is None]

        linked = links(db)
        later.ok(db, "rollback", "--all", "--yes")
        assert not found or dump(db, exclude_sessiondb=True) == found
        later.ok(db, "apply", *["--adopt"] * (state == "an adopted trigger"))
        assert links(db) == linked


def asked(learners: Learners) -> tuple[str, ...]:
    return ("--user", str(learners.old), "--course", str(learners.course))


@pytest.mark.slow
@on_reference
def test_saved_links_of_an_earlier_rollback_come_back_with_a_later_version(
    platform_db: PlatformDatabase, earlier: Version, later: Version, dump: Dump, fresh: Callable[[Platform, bool], str]
) -> None:
    """The earlier version cannot roll back its last migration; a later one's rollback file can be corrected."""
    plain(platform_db, earlier)
    before = links(platform_db)
    stopped = earlier.run(platform_db, "rollback", "--all", "--yes")
    assert stopped.code == 1
    assert "division by zero" in stopped.err

    later.ok(platform_db, "rollback", "--all", "--yes")
    assert {session for *_, session in links(platform_db)} == {None}
    later.ok(platform_db, "apply")

    assert links(platform_db) == before
    assert installed(platform_db, dump) == fresh(platform_db.platform, False)


@on_reference
def test_an_older_version_shows_a_newer_database_and_leaves_it_alone(
    platform_db: PlatformDatabase, earlier: Version, later: Version, dump: Dump
) -> None:
    later.ok(platform_db, "apply")
    learners = fill(platform_db)
    before = installed(platform_db, dump), links(platform_db)

    status = earlier.run(platform_db, "status", "--format", "json")
    assert status.code == 0, status
    assert status.json["version"] == LATER
    assert {"id": NEW, "state": "unknown"}.items() <= status.json["migrations"][-1].items()
    unknown = [o["name"] for o in status.json["objects"] if o["state"] == "UNKNOWN"]
    assert unknown == ["later_helper"]
    assert earlier.ok(platform_db, "status").out.splitlines()[-1] == f"Next: use sessiondb {LATER}"
    assert earlier.run(platform_db, "status", "--exit-code").code == 3
    for command in (
        ["apply"],
        ["apply", "--dry-run"],
        ["plan"],
        ["rollback", "--all", "--yes"],
        ["check"],
        ["backfill"],
        ["explain", *asked(learners)],
        ["show", "submissions"],
        ["member", "add", "--org", "x", "--user", str(learners.old)],
        ["session", "set-status", str(learners.session), "completed"],
    ):
        refused = earlier.run(platform_db, *command)
        assert refused.code == 1, (command, refused)
        assert f"this database was set up by sessiondb {LATER}, and this is sessiondb {__version__}" in refused.err, (
            command
        )
        assert f"Use sessiondb {LATER} or later." in refused.err
    assert (installed(platform_db, dump), links(platform_db)) == before


@on_reference
def test_a_newer_version_reads_and_rolls_back_an_older_database(
    platform_db: PlatformDatabase, earlier: Version, later: Version, dump: Dump
) -> None:
    found = dump(platform_db, exclude_sessiondb=True)
    learners = plain(platform_db, earlier)

    for command in (["status"], ["plan"]):
        later.ok(platform_db, *command)
    check = later.run(platform_db, "check", "--format", "json")
    assert check.code == 4
    assert {f["check"] for f in check.json["findings"] if f["level"] == "error"} == {
        "pending_migrations",
        "installed_objects",
    }
    for command in (["backfill"], ["explain", *asked(learners)], ["show", "enrollments"]):
        refused = later.run(platform_db, *command)
        assert refused.code == 1, (command, refused)
        assert "Upgrade it first: sessiondb apply" in refused.err

    later.ok(platform_db, "rollback", "--all", "--yes")
    assert dump(platform_db, exclude_sessiondb=True) == found


@pytest.mark.slow
@on_reference
def test_no_write_fails_during_an_upgrade(platform_db: PlatformDatabase, earlier: Version, later: Version) -> None:
    learners = plain(platform_db, earlier)
    done, failed, written = threading.Event(), [], []

    def write() -> None:
        while not done.is_set():
            try:
                written.append(new_row_is_linked(platform_db, learners))
            except Exception as error:
                failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    applied = later.run(platform_db, "apply")
    done.set()
    for writer in writers:
        writer.join()

    assert applied.code == 0, applied
    assert failed == []
    assert written
    assert all(written)


@pytest.mark.slow
@on_reference
def test_an_upgrade_that_dies_anywhere_is_completed_by_the_next(
    cluster: Cluster,
    platform_db: PlatformDatabase,
    earlier: Version,
    later: Version,
    dump: Dump,
    fresh: Callable[[Platform, bool], str],
    part: Part,
    record_property: Callable[[str, object], None],
) -> None:
    """At every boundary of its transactions; what the platform writes meanwhile is stored and linked."""
    learners = plain(platform_db, earlier)
    expected = fresh(platform_db.platform, False)
    with cluster.new_database(platform_db.platform, platform_db.name) as db:
        boundaries = int(later.python("-c", CRASHES, db.conninfo(), db.platform.schema, "0").out)
    assert boundaries > 20
    chosen = part(range(1, boundaries + 1))
    for number in chosen:
        with cluster.new_database(platform_db.platform, platform_db.name) as db:
            before = links(db)
            dead = later.python("-c", CRASHES, db.conninfo(), db.platform.schema, str(number))
            assert dead.code == -signal.SIGKILL, dead
            assert links(db) == before
            assert new_row_is_linked(db, learners), number
            later.ok(db, "apply")
            assert installed(db, dump) == expected, number
    record_property("crashes of an upgrade", len(chosen))


@pytest.mark.slow
@on_reference
def test_one_changed_line_of_a_function_is_a_new_version_of_it(platform_db: PlatformDatabase, tmp_path: Path) -> None:
    version = make(tmp_path, __version__)
    version.ok(platform_db, "apply")
    assert version.run(platform_db, "status", "--exit-code").code == 0

    version.edit("sql/functions/get_user_session_for_course.sql", ("DECLARE\n", "-- a line\nDECLARE\n"))

    assert version.run(platform_db, "status", "--exit-code").code == 3
    version.ok(platform_db, "apply")
    assert version.run(platform_db, "check").code == 0
    assert version.run(platform_db, "status", "--exit-code").code == 0
    assert re.search("-- a line", body(platform_db))


def body(db: PlatformDatabase) -> str:
    with db.connect() as connection:
        ((text,),) = connection.execute(
            "SELECT prosrc FROM pg_proc WHERE proname = 'get_user_session_for_course'"
        ).fetchall()
    return str(text)


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_trigger_that_is_disabled_on_one_partition_stays_so_when_a_new_version_of_it_comes(
    installed_db: PlatformDatabase,
) -> None:
    query: LiteralString = (
        "SELECT tgrelid::regclass::text, tgenabled::text FROM pg_trigger"
        " WHERE tgname = 'zzz_sessiondb_link_submission' ORDER BY 1"
    )
    with installed_db.connect() as db:
        db.execute("ALTER TABLE submissions_2024 DISABLE TRIGGER zzz_sessiondb_link_submission")
        db.execute("ALTER TABLE submissions_2025 ENABLE ALWAYS TRIGGER zzz_sessiondb_link_submission")
        before = db.execute(query).fetchall()
        assert {("submissions", "O"), ("submissions_2024", "D"), ("submissions_2025", "A")} <= {*before}
        db.execute("UPDATE sessiondb.objects SET sha256 = 'of before' WHERE name = 'zzz_sessiondb_link_submission'")

        installed_db.apply()

        assert db.execute("SELECT FROM sessiondb.objects WHERE sha256 = 'of before'").fetchall() == []
        assert db.execute(query).fetchall() == before
