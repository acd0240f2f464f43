"""The commands as a user runs them: real processes, the words on stdout and stderr, the exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import click
import psycopg
import pytest
import warm_start
from conftest import PlatformDatabase, held
from platforms import PLATFORMS, Platform
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

import sessiondb.cli
from sessiondb import __version__, output, resources
from sessiondb.embedded import ServerNotFound, find_bindir
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import shortened

MIGRATIONS = sorted(path.stem for path in resources.MIGRATIONS.glob("*.sql") if ".rollback" not in path.name)
TRIGGERS = resources.names("triggers")
ADA, BRUNO, CHLOE, DMITRI = (f"00000000-0000-4000-8000-0000000000b{n}" for n in (1, 2, 3, 4))
PYTHON, SQL = (f"00000000-0000-4000-8000-0000000000c{n}" for n in (1, 2))
BY_HAND = (
    "CALL sessiondb.backfill()",
    "CALL sessiondb.begin_backfill(NULL)",
    f"SELECT sessiondb.explain_link('{BRUNO}', '{PYTHON}')",
    f"SELECT sessiondb.explain_row('submissions', '{BRUNO}')",
)
"""What users may run in psql."""
TITLE = "L'été : \"Session\" d'Automne à Orléans; 100 % $$ {0} \\"

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)


@dataclass(frozen=True)
class Run:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be one JSON document, by the letter of RFC 8259."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def run(*arguments: str, env: Mapping[str, str] | None = None, stdout: int | IO[bytes] = subprocess.PIPE) -> Run:
    """Run sessiondb in a process of its own, with warnings as errors and no user at the terminal."""
    if not any(name.startswith(("PYTHON", "LC_")) for name in env or {}) and stdout == subprocess.PIPE:
        return Run(*warm_start.run(arguments, environment(env), timeout=60))
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Run(done.returncode, done.stdout or "", done.stderr)


COMMAND = (sys.executable, "-W", "error", "-m", "sessiondb")


def environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own without what names a database (conftest.py sees to the rest of the process, too)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") and "DATABASE" not in name}
    return {**kept, **(added or {})}


def on(db: PlatformDatabase, *arguments: str) -> Run:
    """Run sessiondb on a database as the owner of its tables."""
    return run("-d", db.conninfo(db.platform.owner), "--schema", db.platform.schema, *arguments)


def rows(db: PlatformDatabase, query: str) -> list[dict[str, Any]]:
    """What the superuser gets, with the platform's schema on the path."""
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        return connection.cursor(row_factory=dict_row).execute(query.encode()).fetchall()


def column(db: PlatformDatabase, query: str) -> list[str]:
    return [str(value) for row in rows(db, query) for value in row.values()]


@pytest.fixture
def reader() -> Iterator[Callable[[PlatformDatabase], str]]:
    """How to connect to a database as a role that may read what is there now, and nothing else."""
    made: list[tuple[PlatformDatabase, str]] = []

    def make(db: PlatformDatabase) -> str:
        role = f"{db.name}_reader"
        db.cluster.execute("CREATE ROLE {} LOGIN", role)
        made.append((db, role))
        with db.connect() as connection:
            for schema in {db.platform.schema, "sessiondb"} & set(column(db, "SELECT nspname FROM pg_namespace")):
                for grant in ("USAGE ON SCHEMA {}", "SELECT ON ALL TABLES IN SCHEMA {}"):
                    names = sql.Identifier(schema), sql.Identifier(role)
                    connection.execute(sql.SQL("GRANT " + grant + " TO {}").format(*names))
        return db.conninfo(role)

    yield make
    for db, role in made:
        with db.connect() as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        db.cluster.execute("DROP ROLE {}", role)


# apply, status, plan, rollback


def test_apply_says_what_it_did_and_the_second_time_that_there_is_nothing_to_do(platform_db: PlatformDatabase) -> None:
    count = {table: len(rows(platform_db, f"SELECT FROM {table}")) for table in ("enrollments", "submissions")}

    has_session = bool(rows(platform_db, "SELECT FROM sessions WHERE status = 'active'"))

    first = on(platform_db, "apply", "--format", "json")

    assert first.code == 0, first.err
    assert first.json == {
        "applied": MIGRATIONS,
        "course_path": platform_db.platform.course_path,
        "linked": {table: {"linked": 0, "unlinked": number} for table, number in count.items()},
    }
    assert re.findall(r"^applying (\S+)\n(?:  .*\n)*?  \d+\.\d\d s$", first.err, re.MULTILINE) == MIGRATIONS

    second = on(platform_db, "apply")

    assert re.match(rf"Applying to database {platform_db.name} on \S+:\d+, as role \S+\n", first.err)
    assert (second.code, second.err) == (0, "")
    assert second.out.splitlines() == [
        "Nothing to do: all migrations are applied.",
        f"A submission's course is found by {platform_db.platform.course_path}.",
        f"enrollments: 0 linked to a session, {count['enrollments']} not.",
        f"submissions: 0 linked to a session, {count['submissions']} not.",
        f"Next: sessiondb {'backfill' if has_session else 'session create --org ORG --course COURSE --backfill'}",
    ]


@on_reference
def test_apply_ends_with_an_insert_where_session_create_does_not_fit_the_platform(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE sessions DROP title, ADD capacity integer NOT NULL")

    (next_,) = re.findall("^Next: (.*)", on(platform_db, "apply").out, re.MULTILINE)

    insert, backfill = next_.split("; then: ")
    assert backfill == "sessiondb backfill"
    with platform_db.connect() as connection:
        here = platform_db.platform
        values = {"org_id": here.add_org(connection), "course_id": here.add_course(connection), "capacity": 12}
        filled = re.sub("<(.*?)>", lambda match: f"'{values[match[1]]}'", insert)
        assert connection.execute(filled.encode()).rowcount == 1


@on_reference
def test_apply_to_stops_there_by_number_or_by_id(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply", "--to", "0002", "--format", "json").json["applied"] == MIGRATIONS[:2]
    assert on(platform_db, "apply", "--to", MIGRATIONS[3], "--format", "json").json["applied"] == MIGRATIONS[2:4]

    status = on(platform_db, "status", "--exit-code", "--format", "json")
    assert status.code == 3
    assert [m["state"] for m in status.json["migrations"]] == ["applied"] * 4 + ["pending"] * (len(MIGRATIONS) - 4)
    assert on(platform_db, "status").code == 0  # 3 only where it was asked for

    earlier = on(platform_db, "apply", "--to", "0002")
    assert earlier.code == 0
    assert earlier.out.startswith("Nothing to do")
    assert "all migrations" not in earlier.out  # the others are pending

    rest = on(platform_db, "apply")
    assert rest.out.startswith(f"{len(MIGRATIONS) - 4} migrations applied.\n")


def test_a_platform_without_sessiondb_needs_but_select_to_look_at(
    platform_db: PlatformDatabase, reader: Callable[[PlatformDatabase], str]
) -> None:
    """Its status, and a plan that is what apply then does."""
    as_reader = ("-d", reader(platform_db), "--schema", platform_db.platform.schema, "--format", "json")
    status = run(*as_reader, "status", "--exit-code")

    assert (status.code, status.err) == (3, "")
    assert status.json["database"].startswith(f"database {platform_db.name} on ")
    assert status.json == {
        "database": status.json["database"],
        "schema": platform_db.platform.schema,
        "course_path": None,
        "staff": None,
        "current_user": None,
        "migrations": [{"id": id_, "state": "pending", "applied_at": None} for id_ in MIGRATIONS],
        "triggers": [
            {"name": name, "table": table_of(name), "state": "MISSING", "enabled": False}
            for name in sorted(TRIGGERS, key=lambda name: (table_of(name), name))
        ],
        "version": None,
        "objects": [],
        "problems": [],
        "saved_links": 0,
    }

    plan = run(*as_reader, "plan")

    assert (plan.code, plan.err) == (0, "")
    statements = plan.json["statements"]
    assert [*dict.fromkeys(statement["migration"] for statement in statements)] == MIGRATIONS
    built = [s for s in statements if re.match(r"CREATE INDEX CONCURRENTLY \w+ ON ", s["statement"])]
    assert built
    assert not any(statement["transactional"] for statement in built)
    added = [s for s in statements if "ADD COLUMN session_id" in s["statement"]]
    assert [(s["transactional"], [lock["mode"] for lock in s["locks"]]) for s in added] == [
        (True, ["ACCESS EXCLUSIVE"])
    ] * 2
    assert {lock["table"] for s in added for lock in s["locks"]} == {"enrollments", "submissions"}

    apply = on(platform_db, "apply")
    ran = [line.strip().removesuffix("...") for line in apply.err.splitlines() if re.match(r"  (?!\d|fix: )", line)]
    planned = iter([shortened(statement["statement"]) for statement in statements])
    assert any("ALTER TABLE" in line and "ADD CONSTRAINT" in line for line in ran)  # not the locks before it only
    assert [line for line in ran if not any(text.startswith(line) for text in planned)] == []  # in that order


def test_a_platform_with_sessiondb_needs_but_select_to_look_at(
    installed_db: PlatformDatabase, reader: Callable[[PlatformDatabase], str]
) -> None:
    """The schema need not be named any more."""
    as_reader = ("-d", reader(installed_db), "--format", "json")
    status = run(*as_reader, "status", "--exit-code")

    assert (status.code, status.err) == (0, "")
    applied_at = [migration.pop("applied_at") for migration in status.json["migrations"]]
    assert status.json["schema"] == installed_db.platform.schema
    assert status.json["course_path"] == installed_db.platform.course_path
    assert [(m["id"], m["state"]) for m in status.json["migrations"]] == [(id_, "applied") for id_ in MIGRATIONS]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", when) for when in applied_at)
    assert status.json["triggers"] == [
        {"name": name, "table": table_of(name), "state": "INSTALLED", "enabled": True}
        for name in sorted(TRIGGERS, key=lambda name: (table_of(name), name))
    ]

    plan = run(*as_reader, "plan")
    assert (plan.code, plan.err, plan.json) == (0, "", {"statements": []})
    assert run(*as_reader, "plan", "--format", "table").out == "Nothing to do: all migrations are applied.\n"

    check = run(*as_reader, "check")
    assert (check.code, check.json["ok"]) == (0, True)
    assert all(finding.keys() == FINDING for finding in check.json["findings"])
    assert "error" not in {finding["level"] for finding in check.json["findings"]}

    for what in ("sessions", "submissions"):
        shown = run(*as_reader, "show", what)
        is_hidden = shown.err.startswith(f"Row level security may hide rows of public.{what} from role ")
        assert (shown.code, is_hidden) == (0, installed_db.platform.name == "hosted"), shown
        assert isinstance(shown.json, list)


FINDING = {"check", "level", "object", "detail", "fix"}


def table_of(trigger: str) -> str:
    return "enrollments" if "enrollment" in trigger else "submissions"


@on_reference
def test_status_prints_what_is_missing_disabled_or_changed_and_the_next_step(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE enrollments DISABLE TRIGGER zzz_sessiondb_link_enrollment")
        connection.execute("DROP TRIGGER zzz_sessiondb_link_submission ON submissions")
        connection.execute("ALTER FUNCTION sessiondb.check_session() RESET search_path")

    status = on(installed_db, "status")

    assert (status.code, status.err) == (0, "")
    assert status.out.startswith(f"Database {installed_db.name} on ")
    said = "enrollments is disabled. 1 object missing, 5 objects changed by hand. "
    assert said in " ".join(status.out.split())
    assert f"schema: public\nversion: {__version__}\ncourse path: exercise_id.course_id\n" in status.out
    enable = "ALTER TABLE public.enrollments ENABLE TRIGGER zzz_sessiondb_link_enrollment;"
    assert status.out.endswith(f"\n\nNext: {enable}\n")
    words = [line.split() for line in status.out.splitlines()]
    assert ["zzz_sessiondb_link_enrollment", "INSTALLED", "DISABLED"] in words
    assert ["zzz_sessiondb_link_submission", "MISSING", "-"] in words
    assert ["zzz_sessiondb_check_submission", "CHANGED", "ENABLED"] in words
    assert [MIGRATIONS[0], "applied"] in [line[:2] for line in words]


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_trigger_that_is_disabled_on_a_partition_alone_is_not_enabled(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        ((part, trigger),) = connection.execute(
            "SELECT t.tgrelid::regclass::text, t.tgname::text FROM pg_trigger AS t"
            " WHERE t.tgparentid <> 0 AND t.tgname LIKE 'zzz\\_sessiondb\\_link\\_%' LIMIT 1"
        ).fetchall()
        connection.execute(f"ALTER TABLE {part} DISABLE TRIGGER {trigger}".encode())

    words = [line.split() for line in on(installed_db, "status").out.splitlines()]

    assert [trigger, "INSTALLED", "DISABLED"] in words


@on_reference
def test_a_role_that_may_not_see_which_schema_it_is_is_told_so(new_role: str, platform_db: PlatformDatabase) -> None:
    """Not that a table does not exist in schema public, nor to create it."""
    with platform_db.connect() as connection:
        connection.execute("ALTER SCHEMA public RENAME TO learn; CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO public")
    assert on(platform_db, "apply", "--schema", "learn").code == 0
    for words in (["plan"], ["org", "list"], ["course", "list"], ["session", "list"]):
        refused = run("-d", platform_db.conninfo(new_role), *words)
        assert refused.code == 1
        assert refused.err.startswith("sessiondb: schema sessiondb belongs to ")


@on_reference
def test_a_finding_in_a_table_says_of_which_object_it_is(new_role: str, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"GRANT EXECUTE ON FUNCTION sessiondb.check_session() TO {new_role}".encode())
        connection.execute("ALTER TABLE enrollments DISABLE TRIGGER zzz_sessiondb_link_enrollment")

    said = " ".join(on(installed_db, "check", "grants", "triggers_enabled").out.split())

    assert f"error grants: function sessiondb.check_session(): Role {new_role} may act with the rights" in said
    assert "error triggers_enabled: Trigger zzz_sessiondb_link_enrollment on table" in said


@on_reference
def test_status_before_apply_says_what_is_not_there_once(platform_db: PlatformDatabase) -> None:
    first, *lines = on(platform_db, "status").out.splitlines()

    assert first.startswith(f"Database {platform_db.name} on ")
    assert "sessiondb is not installed in this database." in lines
    assert [line.split()[0] for line in lines if " pending" in line] == MIGRATIONS
    assert lines[-1] == "Next: sessiondb apply"
    assert "MISSING" not in "\n".join(lines)

    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA elsewhere")
    nothing = on(platform_db, "--schema", "elsewhere", "status").out
    nothing = " ".join(nothing.split())
    assert 'Schema "elsewhere" lacks tables of the platform: ' in nothing
    assert "Next: sessiondb apply --schema public" in nothing


@on_reference
def test_status_names_a_schema_of_another_role_with_the_condition_that_it_is_the_platform_s(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """It could have been made in order to be named."""
    with platform_db.connect() as connection:
        connection.execute(f"CREATE SCHEMA mine AUTHORIZATION {new_role}".encode())
        for table in ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions"):
            connection.execute(f"ALTER TABLE {table} SET SCHEMA mine".encode())

    for command in ("status", "apply"):
        ended = on(platform_db, command)
        said = " ".join((ended.out + ended.err).split())
        assert "If that is the platform's, name it: sessiondb apply --schema mine" in said


def test_a_script_is_not_json() -> None:
    refused = run("plan", "--sql", "--format", "json")
    assert (refused.code, refused.out, "--sql prints SQL, not JSON" in refused.err) == (2, "", True)


@on_reference
def test_rollback_to_keeps_that_migration(installed_db: PlatformDatabase) -> None:
    rollback = on(installed_db, "rollback", "--to", "7", "--yes", "--format", "json")

    assert rollback.code == 0, rollback.err
    assert rollback.json == {"rolled_back": MIGRATIONS[:6:-1]}
    assert re.findall(r"^rolling back (\S+)$", rollback.err, re.MULTILINE) == MIGRATIONS[:6:-1]
    assert column(installed_db, "SELECT migration_id FROM sessiondb._yoyo_migration ORDER BY 1") == MIGRATIONS[:7]

    again = on(installed_db, "rollback", "--to", MIGRATIONS[6], "--yes")
    assert (again.code, again.err) == (0, "")
    assert again.out.startswith("Nothing to do")
    assert "no migration is applied" not in again.out  # seven are


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--to ID or --all; 10 migrations can be undone in database "),
        (["--yes"], "Undo only the newest, 0010.let-staff-read: sessiondb rollback --to 0009."),
        (["--to", "0006", "--all", "--yes"], "--to ID or --all"),
        (["--all"], "--yes"),
        (["--to", "0006"], "--yes"),
    ],
    ids=" ".join,
)
@on_reference
def test_rollback_needs_to_be_told_how_far_and_yes(
    installed_db: PlatformDatabase, arguments: list[str], says: str
) -> None:
    rollback = on(installed_db, "rollback", *arguments)

    assert (rollback.code, rollback.out) == (2, "")
    assert says in rollback.err
    assert len(column(installed_db, "SELECT migration_id FROM sessiondb._yoyo_migration")) == len(MIGRATIONS)


@pytest.mark.parametrize(
    ("answer", "code", "says"), [("y", 0, "migrations rolled back."), ("n", 1, "nothing was done")], ids=["yes", "no"]
)
@on_reference
def test_rollback_asks_at_a_terminal(installed_db: PlatformDatabase, answer: str, code: int, says: str) -> None:
    with at_terminal("-d", installed_db.conninfo(), "rollback", "--all") as (process, terminal):
        terminal.write(f"{answer}\n".encode())
        shown = read_all(terminal)

    assert f"To be rolled back in database {installed_db.name} on" in shown
    assert [line.strip() for line in shown.splitlines() if re.match(r"  \d{4}\.", line)][
        : len(MIGRATIONS)
    ] == MIGRATIONS[::-1]
    assert f"Undo {len(MIGRATIONS)} migrations? [y/N]" in shown
    assert says in shown
    assert process.returncode == code
    assert bool(rows(installed_db, "SELECT FROM pg_namespace WHERE nspname = 'sessiondb'")) is (code != 0)


@on_reference
def test_rollback_looks_before_it_asks(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("GRANT USAGE ON SCHEMA sessiondb TO pg_monitor")
        connection.execute("UPDATE submissions SET content = content")
    before = on(installed_db, "status").out

    dry = on(installed_db, "rollback", "--all", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert "The links of 0 enrolments and 0 submissions are saved" in dry.out
    assert "After another apply, run: GRANT USAGE ON SCHEMA sessiondb TO pg_monitor" in dry.out
    nothing = on(installed_db, "rollback", "--to", "0010")
    assert (nothing.code, nothing.out) == (0, "Nothing to do: no migration after 0010 is applied.\n")
    two = on(installed_db, "rollback", "--to", "0008", "--dry-run", "--format", "json").json
    assert two == {"would_roll_back": MIGRATIONS[:7:-1], "warnings": []}
    assert on(installed_db, "status").out == before

    for arguments, code, says in (
        (["--to", "0099"], 2, 'there is no migration "0099"'),
        (["--all"], 5, "The view public.v depends on the table column public.submissions.session_id"),
    ):
        with installed_db.connect() as connection:
            connection.execute("CREATE OR REPLACE VIEW v AS SELECT session_id FROM submissions")
        with at_terminal("-d", installed_db.conninfo(), "rollback", *arguments) as (process, terminal):
            shown = read_all(terminal)
        assert "[y/N]" not in shown
        assert says in shown, shown
        assert process.returncode == code


@on_reference
def test_links_that_a_rollback_leaves_are_said_with_how_to_delete_them(installed_db: PlatformDatabase) -> None:
    create = ("session", "create", "--org", "campus-sud", "--course", "Python for beginners", "--backfill")
    assert on(installed_db, *create).code == 0
    said = "2 links stay in schema sessiondb; DROP SCHEMA sessiondb CASCADE deletes them."

    assert on(installed_db, "rollback", "--all", "--yes").out.splitlines()[-1] == said
    assert said in " ".join(on(installed_db, "status").out.split())
    assert on(installed_db, "status", "--format", "json").json["saved_links"] == 2

    with installed_db.connect() as connection:
        connection.execute("DROP SCHEMA sessiondb CASCADE")
    assert "links stay" not in on(installed_db, "status").out
    assert on(installed_db, "apply").out.splitlines()[-1] == "Next: sessiondb backfill"


# the options of all commands


@on_reference
def test_options_work_before_and_after_the_command(installed_db: PlatformDatabase) -> None:
    dsn = installed_db.conninfo()
    before = run("-d", dsn, "--schema", "public", "--format", "json", "status")
    after = run("status", "--format", "json", "--schema", "public", "--dsn", dsn)
    deeper = run("--format", "json", "session", "list", "-d", dsn)
    both = run("-d", "dbname=nowhere", "--format", "json", "status", "-d", dsn, "--format", "table")

    assert before.code == after.code == deeper.code == both.code == 0
    assert before.json == after.json
    assert deeper.json == []
    assert "\nschema: public\n" in both.out


@on_reference
def test_verbose_shows_every_statement_on_stderr(installed_db: PlatformDatabase) -> None:
    quiet = on(installed_db, "rollback", "--to", "0007", "--yes")
    verbose = on(installed_db, "-v", "apply")

    assert "TRIGGER" not in quiet.err
    told = "  0008.link-submissions: CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission BEFORE INSERT "
    assert told in verbose.err
    assert " -- " not in verbose.err  # no comment, which on one line would hide what follows it
    assert verbose.code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
def test_the_schema_is_needed_only_until_sessiondb_is_installed(installed_db: PlatformDatabase) -> None:
    dsn = installed_db.conninfo(installed_db.platform.owner)

    assert run("-d", dsn, "show", "submissions", "--limit", "1").code == 0

    other = run("-d", dsn, "--schema", "pg_catalog", "status")
    assert other.code == 1
    assert f'for schema "{installed_db.platform.schema}", not "pg_catalog"' in other.err


# which database

PARAMETERS = ("host", "port", "user", "password", "dbname", "options")


def parameters(db: PlatformDatabase) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo_to_dict(db.conninfo()).items() if name in PARAMETERS}


def uri(scheme: str, given: Mapping[str, str]) -> str:
    rest = {name: value for name, value in given.items() if name not in ("user", "dbname")}
    return f"{scheme}://{quote(given['user'])}@/{quote(given['dbname'])}?{urlencode(rest, quote_via=quote)}"


def libpq(given: Mapping[str, str]) -> dict[str, str]:
    return {f"PG{name.upper().replace('DBNAME', 'DATABASE')}": value for name, value in given.items()}


@on_reference
def test_a_database_can_be_named_in_each_of_libpqs_ways(installed_db: PlatformDatabase, tmp_path: Path) -> None:
    given = parameters(installed_db)
    services = tmp_path / "services"
    services.write_text("\n".join(["[platform]", *(f"{name}={value}" for name, value in given.items()), ""]))
    service = {"PGSERVICEFILE": str(services)}
    server = libpq({name: value for name, value in given.items() if name != "dbname"})
    ways: dict[str, tuple[list[str], dict[str, str]]] = {
        "postgresql URI": (["-d", uri("postgresql", given)], {}),
        "postgres URI": (["-d", uri("postgres", given)], {}),
        "key=value": (["-d", make_conninfo("", **given)], {}),
        "service=NAME": (["-d", "service=platform"], service),
        "PGSERVICE": ([], {**service, "PGSERVICE": "platform"}),
        "the bare name": (["-d", given["dbname"]], server),
        "PG*": ([], libpq(given)),
        "SESSIONDB_DATABASE_URL": ([], {"SESSIONDB_DATABASE_URL": uri("postgresql", given)}),
        "DATABASE_URL": ([], {"DATABASE_URL": uri("postgres", given)}),
    }

    ran = {way: run(*arguments, "status", "--exit-code", env=env) for way, (arguments, env) in ways.items()}

    assert {way: done.err for way, done in ran.items() if done.code != 0} == {}


@on_reference
def test_the_nearest_name_of_a_database_counts(installed_db: PlatformDatabase) -> None:
    given = parameters(installed_db)
    here = uri("postgresql", given)
    names = {f"h{number}": uri("postgresql", {**given, "dbname": f"h{number}"}) for number in (1, 2, 3)}
    env = {
        **libpq({**given, "dbname": "h3"}),
        "DATABASE_URL": names["h2"],
        "SESSIONDB_DATABASE_URL": names["h1"],
    }

    assert run("-d", here, "status", env=env).code == 0
    for looked_for, variable in [("h1", "SESSIONDB_DATABASE_URL"), ("h2", "DATABASE_URL"), ("h3", "PGDATABASE")]:
        assert f'database "{looked_for}" does not exist' in run("status", env=env).err
        del env[variable]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
def test_the_clients_encoding_does_not_matter(installed_db: PlatformDatabase, encoding: str) -> None:
    arguments = ("-d", installed_db.conninfo(), "show", "enrollments", "--format", "json")
    usual, other = run(*arguments), run(*arguments, env={"PGCLIENTENCODING": encoding})

    assert (other.code, other.err) == (0, "")
    assert other.json == usual.json


# show


def test_show_unlinked_lists_exactly_the_unlinked_rows(installed_db: PlatformDatabase) -> None:
    """Rows from before, linked ones, and new ones that nothing links: of a user in no organisation."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        session = link_two_rows(platform, connection)
        for table in ("enrollments", "submissions"):
            assert count(installed_db, table, "session_id IS NULL") > 0

    for table in ("enrollments", "submissions"):
        shown = on(installed_db, "show", table, "--unlinked", "--format", "json")
        assert (shown.code, shown.err) == (0, "")
        assert identities(shown.json) == identities(
            rows(installed_db, f"SELECT * FROM {table} WHERE session_id IS NULL")
        )
        assert {row["session_id"] for row in shown.json} == {None}

        linked = on(installed_db, "show", table, "--session", str(session), "--format", "json")
        assert {(row["session_id"], row["session_title"]) for row in linked.json} == {(str(session), "A session")}
        assert len(linked.json) == 2


def link_two_rows(platform: Platform, connection: psycopg.Connection[Any]) -> UUID:
    """Let two students enrol and submit in a new session, and a stranger without one."""
    org, course = platform.add_org(connection), platform.add_course(connection)
    session = platform.add_session(connection, org, course)
    students = [platform.add_member(connection, org, platform.add_user(connection)) for _ in range(2)]
    for user in (*students, platform.add_user(connection)):
        expected = session if user in students else None
        assert platform.enroll(connection, user, course) == expected
        assert platform.submit(connection, user, course) == expected
    return session


def identities(some: list[dict[str, Any]]) -> Counter[tuple[tuple[str, str], ...]]:
    """Rows without what is written differently in JSON: keys, whatever a platform has for one, are left."""
    return Counter(
        tuple(sorted((name, str(value)) for name, value in row.items() if name.casefold().endswith(("id", "_no"))))
        for row in some
    )


def count(db: PlatformDatabase, table: str, condition: str) -> int:
    return len(rows(db, f"SELECT FROM {table} WHERE {condition}"))


def test_a_title_that_is_cut_keeps_the_number_that_distinguishes_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    titles = [f"Session - Python for beginners{number}" for number in ("", " (2)", " (12)")]

    output.table([{"title": title} for title in titles], {"title": "title"})

    assert capsys.readouterr().out.splitlines()[2:] == [
        "Session - Python for be…",
        "Session - Python fo… (2)",
        "Session - Python f… (12)",
    ]


@on_reference
def test_show_prints_one_line_a_row_whatever_is_in_it(installed_db: PlatformDatabase) -> None:
    """A student's code has tabs, newlines and control characters in it, and a name may have them, too."""
    content = "\ndef answer():\n\treturn 42  # \x1b[31mred\x1b[0m [bold] :smile:"
    with installed_db.connect() as connection:
        connection.execute("UPDATE submissions SET content = %s", [content])
        connection.execute(b"UPDATE users SET email = 'b\nforged  \x1b[1m' || email")

    shown = run("-d", installed_db.conninfo(), "show", "submissions", env={"COLUMNS": "60"})

    assert (shown.code, shown.err) == (0, "")
    heading, ruler, *lines = shown.out.splitlines()
    assert heading.split() == ["student", "course", "session", "org", "submitted"]
    assert [len(line) for line in lines] == [len(ruler)] * 3
    assert len(ruler) <= 60
    assert all(re.fullmatch(r"b… .* \d{4}-\d\d-\d\d", line) for line in lines)

    wide = run("-d", installed_db.conninfo(), "show", "submissions", "--wide", env={"COLUMNS": "60"})
    assert len(wide.out.splitlines()) == 5
    assert wide.out.count("def answer():…") == 3
    for value in column(installed_db, "SELECT id, user_id, exercise_id FROM submissions"):
        assert value in wide.out
    for form in ("json", "csv"):
        shown = run("-d", installed_db.conninfo(), "show", "submissions", "--format", form)
        assert shown.code == 0
        read = json.loads(shown.out) if form == "json" else list(csv.DictReader(io.StringIO(shown.out)))
        assert [row["content"] for row in read] == [content] * 3


@on_reference
def test_show_gives_json_as_it_is_stored(installed_db: PlatformDatabase) -> None:
    """Numbers with more digits than a float, or than Python reads, and values in more brackets than Python opens."""
    answers = [
        "0.12345678901234567890123",
        "1" + "0" * 5000,
        "[" * 3000 + "]" * 3000,
        '{"k": 1, "k": 2}',
        "1e999",
        '["\u202e",\t1]',
    ]
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ADD answer json, ADD scores float8[]")
        connection.execute("DELETE FROM submissions")
        for answer in answers:
            connection.execute(
                "INSERT INTO submissions (user_id, answer, scores) VALUES (%s, %s, '{NaN,-Infinity}')", [ADA, answer]
            )

    for form in ("table", "json", "csv"):
        shown = run("-d", installed_db.conninfo(), "show", "submissions", "--wide", "--format", form)
        assert (shown.code, shown.err) == (0, "")
        if form == "json":
            for answer in answers[:-1]:
                assert f'"answer": {answer}, "scores": ["NaN", "-Infinity"]' in shown.out
            assert '["\\u202e", 1]' in shown.out
        if form == "csv":
            assert [row["answer"] for row in csv.DictReader(io.StringIO(shown.out))] == answers


@pytest.mark.slow
@on_reference
def test_show_fits_a_terminal_of_80_columns(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        link_two_rows(installed_db.platform, connection)
        connection.execute("UPDATE sessions SET title = repeat('ééé ', 30)")
    for arguments in (
        *(["show", what] for what in ("sessions", "enrollments", "submissions")),
        *(["show", what, "--unlinked"] for what in ("enrollments", "submissions")),
        *([what, "list"] for what in ("session", "org", "course")),
        *(["status"], ["member", "list", "--org", "campus-sud"]),
    ):
        with at_terminal("-d", installed_db.conninfo(), *arguments) as (process, terminal):
            shown = read_all(terminal)
        assert process.returncode == 0
        assert max(map(len, shown.splitlines())) <= 80, shown


@on_reference
def test_show_limits_a_table_to_100_rows_and_says_so(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO submissions (user_id, content) SELECT %s, 'row ' || n FROM generate_series(1, 150) AS n", [ADA]
        )

    table = on(installed_db, "show", "submissions")
    assert len(table.out.splitlines()) == 2 + 100
    assert "--limit" in table.err

    limited = on(installed_db, "show", "submissions", "--limit", "2")
    assert (len(limited.out.splitlines()), limited.err) == (2 + 2, "")
    assert len(on(installed_db, "show", "submissions", "--limit", "2", "--format", "json").json) == 2
    assert len(on(installed_db, "show", "submissions", "--format", "json").json) == 153


@on_reference
def test_show_sessions_by_id_and_those_without_rows(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        used = link_two_rows(installed_db.platform, connection)
        org, course = installed_db.platform.add_org(connection), installed_db.platform.add_course(connection)
        idle = installed_db.platform.add_session(connection, org, course, "draft")

    def shown(*arguments: str) -> list[str]:
        return [row["id"] for row in on(installed_db, "show", "sessions", *arguments, "--format", "json").json]

    assert shown() == [str(idle), str(used)]  # newest first
    assert shown("--session", str(used)) == [str(used)]
    assert shown("--unlinked") == [str(idle)]
    assert shown("--unlinked", "--session", str(used)) == []


@pytest.mark.parametrize("what", ["sessions", "enrollments", "submissions"])
@on_reference
def test_show_says_of_an_unknown_session_that_there_is_none(installed_db: PlatformDatabase, what: str) -> None:
    """An empty table would say that nothing is linked to it."""
    nowhere = uuid4()
    for form in ("table", "json"):
        shown = on(installed_db, "show", what, "--session", str(nowhere), "--format", form)
        assert (shown.code, shown.out) == (1, "")
        assert f"there is no session with the id {nowhere}" in shown.err
        assert "sessiondb session list" in shown.err


@pytest.mark.parametrize("what", ["enrollments", "submissions"])
@on_reference
def test_a_row_cannot_be_of_a_session_and_of_none(installed_db: PlatformDatabase, what: str) -> None:
    shown = on(installed_db, "show", what, "--unlinked", "--session", str(uuid4()))
    assert (shown.code, shown.out) == (2, "")
    assert "--session or --unlinked" in shown.err


def test_show_has_titles_beside_the_ids(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        session = link_two_rows(installed_db.platform, connection)

    (shown,) = on(installed_db, "show", "sessions", "--session", str(session), "--format", "json").json
    (listed,) = [
        row for row in on(installed_db, "session", "list", "--format", "json").json if row["id"] == str(session)
    ]
    assert shown["course_title"] == listed["course"] == "A course"
    assert shown["org_slug"] == listed["org"]
    assert shown["org_slug"]
    for table in ("enrollments", "submissions"):
        linked = on(installed_db, "show", table, "--session", str(session), "--format", "json").json
        unlinked = on(installed_db, "show", table, "--unlinked", "--format", "json").json
        assert {(row["course_title"], row["session_title"]) for row in linked} == {("A course", "A session")}
        assert "A course" in {row["course_title"] for row in unlinked}


@on_reference
def test_a_column_of_the_platform_is_not_taken_for_a_row_of_a_query_of_ours(installed_db: PlatformDatabase) -> None:
    """Our queries call a row by one letter, and PostgreSQL takes a bare name for a column first."""
    letters = ", ".join(f"ADD {letter} integer" for letter in string.ascii_lowercase)
    with installed_db.connect() as connection:
        for table in ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions"):
            connection.execute(f"ALTER TABLE {table} {letters}".encode())

    test_show_has_titles_beside_the_ids(installed_db)
    explained = on(installed_db, "explain", "--user", BRUNO, "--course", PYTHON)
    assert "Member of Atelier Nord (student)." in explained.out
    assert (on(installed_db, "backfill").code, on(installed_db, "check").code) == (0, 0)


@on_reference
def test_show_copes_with_values_that_python_cannot_hold(installed_db: PlatformDatabase) -> None:
    """A course without an end is a common way to write `infinity`."""
    with installed_db.connect() as connection:
        link_two_rows(installed_db.platform, connection)
        connection.execute("UPDATE sessions SET ends_on = 'infinity', created_at = '-infinity'")
        connection.execute("ALTER TABLE submissions ADD score float8 DEFAULT 'NaN', ADD blob bytea DEFAULT '\\xdead'")
        connection.execute(
            "ALTER TABLE submissions ADD ends time DEFAULT '24:00', ADD takes interval DEFAULT '1 month'"
        )
        connection.execute("ALTER TABLE submissions ADD counts_on daterange DEFAULT '[2024-09-01,)'")

    sessions = on(installed_db, "show", "sessions", "--format", "json")
    assert (sessions.code, sessions.err) == (0, "")
    assert (sessions.json[0]["ends_on"], sessions.json[0]["created_at"]) == ("infinity", "-infinity")
    assert "infinity" in on(installed_db, "show", "sessions").out
    assert on(installed_db, "session", "list", "--format", "json").json[0]["created_at"] == "-infinity"

    submissions = on(installed_db, "show", "submissions", "--format", "json")
    assert {(row["score"], row["blob"]) for row in submissions.json} == {("NaN", "\\xdead")}
    assert {row["ends"] for row in submissions.json} == {"24:00:00"}
    assert {(row["takes"], row["counts_on"]) for row in submissions.json} == {("1 mon", "[2024-09-01,)")}
    assert "\\xdead" in on(installed_db, "show", "submissions", "--wide").out


# the guide's steps


def test_the_guides_steps_from_an_organisation_to_a_session(installed_db: PlatformDatabase) -> None:
    """With accents and quotes in every name."""
    org = on(installed_db, "org", "create", "--name", TITLE, "--slug", "l'été", "--format", "json")
    assert org.code == 0, org.err
    assert org.json == {"id": org.json["id"], "name": TITLE, "slug": "l'été", "created": True}

    added = on(installed_db, "member", "add", "--org", "l'été", "--user", BRUNO, "--format", "json")
    assert added.code == 0, added.err
    assert added.json == {
        "org_id": org.json["id"],
        "user_id": BRUNO,
        "role": "student",
        "created": True,
        "org": TITLE,
        "user": added.json["user"],
    }
    assert added.json["user"].endswith(f" ({BRUNO})")

    create = ("session", "create", "--org", "l'été", "--course", PYTHON, "--by", ADA, "--format", "json")
    created = on(installed_db, *create, "--title", TITLE)
    assert created.code == 0, created.err
    assert created.json == {
        "id": created.json["id"],
        "org_id": org.json["id"],
        "course_id": PYTHON,
        "title": TITLE,
        "status": "active",
        **linkable(installed_db, PYTHON),
        "org": TITLE,
        "course": f'"Python for beginners" ({PYTHON})',
    }
    assert created.json["linkable_enrollments"] > 0
    stored = rows(installed_db, f"SELECT title, created_by FROM sessions WHERE id = '{created.json['id']}'")
    assert stored == [{"title": TITLE, "created_by": UUID(ADA)}]

    untitled = on(installed_db, *create[:-2], "--status", "draft", "-v")
    first = untitled.out.splitlines()[0]
    assert first.startswith('Created session "Session - Python for beginners" (draft) (')
    draft = first.split("(")[-1].rstrip(").")

    done = on(installed_db, "session", "set-status", created.json["id"], "completed", "--format", "json")
    assert (done.code, done.json["status"]) == (0, "completed")
    assert {name: done.json[name] for name in linkable(installed_db, PYTHON)} == linkable(installed_db, PYTHON)

    sessions = {row["id"]: row for row in on(installed_db, "session", "list", "--format", "json").json}
    assert sessions[created.json["id"]]["title"] == TITLE
    assert sessions[created.json["id"]]["org"] == "l'été"
    assert sessions[created.json["id"]]["course"] == "Python for beginners"
    assert (sessions[created.json["id"]]["status"], sessions[draft]["status"]) == ("completed", "draft")


def linkable(db: PlatformDatabase, course: str) -> dict[str, int]:
    """R7 by R2 itself: the unlinked rows of a course for whose user the function now finds a session."""
    platform = db.platform
    owner: dict[str, str] = {"enrollments": "course_id"}
    path = [quote_ident(name) for name in [platform.task_column, *(name for _, name in platform.task_tables)]]
    tables = [quote_ident(table) for table, _ in platform.task_tables]
    if platform.name == "academy":
        path, tables = ["enrollment_id", "course_id"], ["enrollments"]
    expression = f"r.{path[0]}"
    for table, name in zip(tables, path[1:], strict=True):
        expression = f"(SELECT t.{name} FROM {table} AS t WHERE t.id = {expression})"
    owner["submissions"] = expression
    return {
        f"linkable_{table}": count(
            db,
            f"{table} AS r",
            f"r.session_id IS NULL AND {courses} = '{course}' "
            f"AND get_user_session_for_course(r.user_id, '{course}') IS NOT NULL",
        )
        for table, courses in owner.items()
    }


def quote_ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@on_reference
def test_an_organisation_that_another_session_creates_at_the_same_time_is_found(installed_db: PlatformDatabase) -> None:
    with held(installed_db, 0.5, "INSERT INTO orgs (name, slug) VALUES ('A', 'same')"):
        found = on(installed_db, "org", "create", "--name", "A", "--slug", "same", "--format", "json")

    assert (found.code, found.json["created"]) == (0, False), found.err
    assert count(installed_db, "orgs", "slug = 'same'") == 1


@on_reference
def test_the_guides_steps_say_what_they_did_or_found(installed_db: PlatformDatabase) -> None:
    org = ("org", "create", "--name", "Mon Organisation", "--slug", "mon-org")
    assert on(installed_db, *org).out == 'Created organisation "Mon Organisation" (mon-org).\n'
    assert on(installed_db, *org).out == 'There is already organisation "Mon Organisation" (mon-org).\n'

    again = on(installed_db, *org, "--format", "json").json
    assert (again["name"], again["created"]) == ("Mon Organisation", False)
    other = on(installed_db, "org", "create", "--name", "Another", "--slug", "mon-org")
    assert (other.code, other.out) == (1, "")
    assert 'its name is "Mon Organisation"' in other.err

    member = ("member", "add", "--org", "mon-org", "--user", BRUNO)
    for done in ("is now", "was already"):
        said = on(installed_db, *member).out
        assert " ".join(said.split()) == f"User bruno@example.org, Bruno Keller {done} in Mon Organisation, as student."
        assert f" ({BRUNO}) was" in on(installed_db, *member, "-v").out
    other = on(installed_db, *member, "--role", "trainer")
    assert (other.code, other.out) == (1, "")
    assert f"Run: sessiondb member set-role --org mon-org --user {BRUNO} trainer" in other.err
    assert count(installed_db, "org_members", f"org_id = '{again['id']}'") == 1

    created = on(installed_db, "session", "create", "--org", "mon-org", "--course", PYTHON, "--by", ADA)
    assert created.out.splitlines() == [
        'Created session "Session - Python for beginners" (active).',
        'It is a session of the course "Python for beginners" for Mon Organisation.',
        "A backfill would now link 1 enrolment and 1 submission of this course without a",
        "    session.",
        "Run: sessiondb backfill --session 'Session - Python for beginners'",
    ]
    assert "Session - Python for beginne" in on(installed_db, "session", "list").out


# check


@on_reference
def test_where_no_role_is_student_a_new_member_has_the_role_of_most_enrolled_members(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE org_members DROP CONSTRAINT IF EXISTS org_members_role_check")
        connection.execute(
            "UPDATE org_members SET role = CASE role WHEN 'student' THEN 'etudiant' ELSE 'formateur' END"
        )
        connection.execute("ALTER TABLE org_members ADD CHECK (role IN ('formateur', 'etudiant'))")
        connection.execute(
            "INSERT INTO enrollments (user_id, course_id) SELECT m.user_id, c.id FROM org_members AS m, courses AS c"
            " WHERE m.role = 'etudiant' ON CONFLICT DO NOTHING"
        )
    on(installed_db, "org", "create", "--name", "Mon Organisation", "--slug", "mon-org")
    assert "as etudiant" in " ".join(on(installed_db, "member", "add", "--org", "mon-org", "--user", BRUNO).out.split())
    with installed_db.connect() as connection:
        connection.execute("DELETE FROM enrollments")
    refused = on(installed_db, "member", "add", "--org", "mon-org", "--user", CHLOE)
    assert refused.code == 1
    assert "Give one of its roles: formateur, etudiant" in refused.err


@on_reference
def test_a_title_that_is_proposed_is_cut_to_what_the_column_holds(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE sessions ALTER title TYPE varchar(20)")
    on(installed_db, "org", "create", "--name", "Mon Organisation", "--slug", "mon-org")
    create = ("session", "create", "--org", "mon-org", "--course", "Python for beginners", "--format", "json")
    titles = [on(installed_db, *create).json["title"] for _ in range(2)]
    assert titles == ["Session - Python for", "Session - Python (2)"]


def test_a_row_whose_key_is_no_uuid_is_explained_by_its_user_and_course() -> None:
    refused = run("explain", "--enrollment", "3")
    assert refused.code == 2
    assert "with --user and --course" in " ".join(refused.err.split())


@on_reference
def test_a_rollback_of_everything_says_which_choices_the_next_apply_needs_again(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ADD COLUMN course_id uuid REFERENCES courses")
    platform_db.apply(course_path="exercise_id.course_id")
    assert "sessiondb apply --course-path exercise_id.course_id" in on(platform_db, "rollback", "--all", "--yes").err
    platform_db.apply()
    assert "--course-path" not in on(platform_db, "rollback", "--all", "--yes").err


@on_reference
def test_check_of_a_broken_installation_exits_4_with_its_findings(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("DROP INDEX submissions_session_id_idx")

    broken = on(installed_db, "check", *resources.names("checks"), "--format", "json")

    assert (broken.code, broken.json["ok"], broken.err) == (4, False, "")
    assert all(finding.keys() == FINDING for finding in broken.json["findings"])
    assert {finding["check"] for finding in broken.json["findings"]} == {"indexes"}


@on_reference
def test_check_takes_names_and_a_warning_is_not_an_error(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("DROP INDEX submissions_session_id_idx")
        connection.execute(
            "CREATE TRIGGER zzzz BEFORE INSERT ON submissions"
            " FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()"
        )

    named = on(installed_db, "check", "triggers_last", "--format", "json")
    assert (named.code, named.json["ok"]) == (0, True)
    assert [finding["level"] for finding in named.json["findings"]] == ["warning"]

    words = on(installed_db, "check", "indexes", "triggers_last")
    assert words.code == 4
    assert "No valid index on submissions (session_id)" in " ".join(words.out.split())
    assert "zzzz" in words.out
    assert on(installed_db, "check", "foreign_keys").out == "No problems found.\n"


# errors


@on_reference
def test_an_error_is_json_where_json_is_asked_for(platform_db: PlatformDatabase) -> None:
    platform_db.apply(to="0001")
    for arguments, code, message in (
        (["status", "-d", "host=127.0.0.1 port=1"], 1, "cannot connect"),
        (["apply", "-d", platform_db.conninfo(), "--course-path", "nowhere.x"], 5, "preflight refuses"),
        (["migrate"], 2, "Run: sessiondb apply"),
        (["show"], 2, "Missing argument"),
        (["rollback", "--all", "-d", platform_db.conninfo()], 2, "rollback requires confirmation"),
    ):
        done = run(*arguments, "--format", "json")
        assert (done.code, done.out) == (code, ""), done
        error = json.loads(done.err)["error"]
        assert error["exit_code"] == code
        assert message in error["message"]
        assert [finding["level"] for finding in error.get("findings", [])][:1] == ["error"] * (code == 5)


@pytest.mark.parametrize(
    ("given", "ours"), [("up", "apply"), ("help", "--help"), ("version", "--version"), ("down", "rollback --to ID")]
)
def test_a_word_of_another_tool_is_answered_with_ours(given: str, ours: str) -> None:
    done = run(given)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"No such command '{given}'. Run: sessiondb {ours}\n")


@on_reference
def test_a_hint_names_what_named_the_database(platform_db: PlatformDatabase) -> None:
    nowhere = {"host": "127.0.0.1", "port": "1"}
    uri_ = "postgresql://127.0.0.1:1/x"
    for arguments, env, says in (
        (["-d", uri_], {"DATABASE_URL": platform_db.conninfo()}, "is from -d."),
        ([], {"SESSIONDB_DATABASE_URL": uri_, "DATABASE_URL": platform_db.conninfo()}, "SESSIONDB_DATABASE_URL;"),
        ([], {"DATABASE_URL": uri_}, "is from DATABASE_URL;"),
        ([], libpq(nowhere), "is from the PG* variables;"),
        (["-d", "service=nosuch"], {}, "Add the service to ~/.pg_service.conf"),
    ):
        done = run(*arguments, "status", env=env)
        assert (done.code, says in done.err) == (1, True), done.err


# help


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(sessiondb.cli.cli))


def examples(command: click.Command) -> list[str]:
    """The lines below "Example:", which end a command's help."""
    _, _, lines = (command.help or "").partition("Example:\n")
    return [line.strip() for line in lines.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_ends_in_examples_that_can_be_run(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the database."""

    def stop(*arguments: Any, **options: Any) -> Any:
        raise InterruptedError

    monkeypatch.setattr("sessiondb.database.Database.require_own_backend", lambda self: None)
    monkeypatch.setattr("sessiondb.database.Database.connect", stop)
    monkeypatch.setattr("sessiondb.database.Database.transaction", stop)
    monkeypatch.setattr("sessiondb.demo.run", stop)
    monkeypatch.setattr("sessiondb.trainer.demo.school", stop)
    monkeypatch.setattr("click.confirm", lambda *arguments, **options: True)
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())

    lines = examples(COMMANDS[path])

    assert lines
    for line in lines:
        program, *arguments = shlex.split(line.partition(" > ")[0])
        assert program == "sessiondb"
        assert set(path) <= set(arguments)
        with suppress(InterruptedError):
            sessiondb.cli.cli.main(arguments, standalone_mode=False)


def test_help_names_every_command() -> None:
    for option in ("--help", "-h"):
        helped = run(option)
        assert (helped.code, helped.err) == (0, "")
        for path in COMMANDS:
            assert max(map(len, run(*path, option).out.splitlines())) <= 80
        assert helped.out.startswith("Usage: ")
        assert {path[0] for path in COMMANDS} <= set(re.findall(r"^  ([a-z]+)  ", helped.out, re.MULTILINE))

    version = run("--version")
    assert re.search(r"\d+\.\d+", version.out)


@pytest.mark.parametrize("group", ["", "session", "member", "org", "course"])
def test_a_group_alone_is_answered_with_its_help_and_2(group: str) -> None:
    alone = run(*group.split())

    assert (alone.code, alone.out) == (2, "")
    assert alone.err == run(*group.split(), "--help").out


def test_help_imports_nothing_that_would_keep_it_from_answering_at_once() -> None:
    """Its budget is 150 ms, which the benchmarks measure; psycopg, yoyo or rich would spend it."""
    script = (
        "import sys; from sessiondb.cli import main; sys.argv[1:] = sys.argv[1:] or ['--help']\n"
        "try: main()\n"
        "finally: print({'psycopg', 'yoyo', 'rich', 'sqlparse'} & set(sys.modules), file=sys.stderr)"
    )
    for arguments in ([], ["apply", "--help"], ["session", "create", "--help"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        assert done.stderr == "set()\n"


# output without a reader


@on_reference
def test_output_into_a_closed_pipe_ends_quietly(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO submissions (user_id) SELECT %s FROM generate_series(1, 5000)", [ADA])
    arguments = ["-d", installed_db.conninfo(), "show", "submissions", "--format", "json"]

    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("[{")
        process.stdout.close()  # as `head -1` does
        assert process.stderr.read() == ""
    assert process.returncode == 0


@on_reference
def test_a_pipe_that_is_closed_before_we_write_ends_quietly(installed_db: PlatformDatabase) -> None:
    for command in ("status", "check triggers_last"):
        read, write = os.pipe()
        os.close(read)
        done = run("-d", installed_db.conninfo(), *command.split(), stdout=write)
        os.close(write)
        assert (done.code, done.err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@on_reference
def test_a_full_disk_is_one_sentence(installed_db: PlatformDatabase) -> None:
    for command in ("status", "show submissions --format json"):
        with Path("/dev/full").open("wb") as full:
            done = run("-d", installed_db.conninfo(), *command.split(), stdout=full)
        assert done.code == 1
        assert done.err.startswith('{"error": ' if "json" in command else "sessiondb: ")
        assert "No space left on device" in done.err
        assert "Traceback" not in done.err


@pytest.mark.slow
@on_reference
def test_a_stream_that_is_closed_from_the_beginning_is_as_one_that_goes_nowhere(platform_db: PlatformDatabase) -> None:
    for command in ("apply >&-", "check --format junit >&- 2>&-", "rollback --all --yes <&-"):
        line = f"{shlex.join([*COMMAND, '-d', platform_db.conninfo()])} {command}"
        done = subprocess.run(
            line, shell=True, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, "bug" in done.stderr) == (0, False), done.stderr


def closed_pipe() -> int:
    """A pipe that is closed at its other end."""
    read, write = os.pipe()
    os.close(read)
    return write


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("output", [closed_pipe, full_disk])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@on_reference
def test_output_that_goes_nowhere_stops_no_work_and_is_told_where_it_is_the_result(
    platform_db: PlatformDatabase, output: Callable[[], int], stream: str
) -> None:
    for command in ("apply -v", "backfill", "rollback --all --yes -v"):
        write = output()
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: write}
        done = subprocess.run(
            [*COMMAND, "-d", platform_db.conninfo(), *command.split()],
            stdout=streams["stdout"],
            stderr=streams["stderr"],
            env=environment(),
            text=True,
            timeout=60,
            check=False,
        )
        os.close(write)
        assert done.returncode == (1 if stream == "stdout" else 0)
        if stream == "stdout":
            *_, message, hint = done.stderr.splitlines()
            assert message.startswith("sessiondb: the output cannot be written: ")
            assert hint == "  hint: Its changes to the database stay: sessiondb status."
        with platform_db.connect() as connection:
            there = connection.execute("SELECT FROM pg_namespace WHERE nspname = 'sessiondb'").rowcount
        assert there == (0 if "rollback" in command else 1)
        if "apply" in command:
            assert run("-d", platform_db.conninfo(), "status", "--exit-code").code == 0


@on_reference
def test_a_terminal_that_is_closed_stops_no_work(platform_db: PlatformDatabase) -> None:
    with platform_db.connect(autocommit=False) as other:
        other.execute("SELECT FROM enrollments")
        process = subprocess.Popen(
            [*COMMAND, "-d", platform_db.conninfo(), "apply"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        while "0002" not in (line := process.stderr.readline()):
            assert line
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        other.rollback()
    with process:
        assert process.wait(60) == 0
    assert run("-d", platform_db.conninfo(), "status", "--exit-code").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
def test_a_terminal_without_accents_shows_what_it_can(installed_db: PlatformDatabase) -> None:
    for command in ("status", "status --format json"):
        done = run("-d", installed_db.conninfo(), *command.split(), env={"PYTHONIOENCODING": "ascii"})
        assert (done.code, done.err) == (0, "")
        assert "100%" in done.out
    assert done.json["schema"] == installed_db.platform.schema


# signals and locks


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
@on_reference
def test_a_signal_ends_a_waiting_apply(platform_db: PlatformDatabase, number: signal.Signals, code: int) -> None:
    arguments = ["-d", platform_db.conninfo(), "apply"]
    with platform_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            assert process.stderr
            assert process.stdout
            assert process.stderr.readline().startswith("waiting for another sessiondb run: pid ")
            process.send_signal(number)
            said = process.stderr.read()
            assert process.stdout.read() == ""
    assert process.returncode == code
    assert re.fullmatch(r"\n?sessiondb: .*run the command again.*\n", said)


def test_nothing_that_psycopg_logs_stands_beside_our_message() -> None:
    """It logs an error that it ignores in the rollback of a transaction, in which SIGINT may have come."""
    script = (
        "import logging, sys; from sessiondb.cli import main; sys.argv[1:] = ['--version']\n"
        "try:\n    main()\nfinally:\n    logging.getLogger('psycopg').warning('error ignored in rollback')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (", version " in done.stdout, done.stderr) == (True, "")


@on_reference
def test_a_lock_that_is_not_to_be_had_is_exit_6(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
        busy = on(platform_db, "apply", "--lock-budget", "0")

        assert (busy.code, busy.out) == (6, "")
        assert f"pid {other.info.backend_pid}" in busy.err
        assert "hint: " in busy.err


# demo


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short directory for temporary files, open as /tmp is: what the account that runs the server needs."""
    try:
        find_bindir()
    except ServerNotFound as error:
        pytest.skip(str(error))
    path = Path(tempfile.mkdtemp(prefix="sdb-", dir="/tmp"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


@pytest.mark.slow
def test_demo_runs_the_guides_workflow_and_leaves_nothing(scratch: Path) -> None:
    start = time.perf_counter()
    demo = run("demo", env={"TMPDIR": str(scratch)})

    assert demo.code == 0, demo.err
    # what one process at a time would have taken: the machine has other things to do
    assert (time.perf_counter() - start) / max(1, os.getloadavg()[0] / (os.cpu_count() or 1)) < 10
    assert [*scratch.iterdir()] == []
    assert "WRONG" not in demo.out
    assert len(demo.out.splitlines()) <= 60
    assert not re.search("[0-9a-f]{8}-[0-9a-f]{4}-", demo.out)
    for part in ("$ sessiondb apply", "$ sessiondb session create", "$ sessiondb explain", "--backfill"):
        assert part in demo.out
    came, told = re.findall(r"^(\d+) of (\d+) results are as expected\.$", demo.out, re.MULTILINE)[0]
    assert came == told == str(demo.out.count("  ok: "))

    everything = run("demo", "--verbose", env={"TMPDIR": str(scratch)})
    for part in ("platform=> INSERT INTO ", "$ sessiondb org create", "$ sessiondb check", f"({BRUNO})"):
        assert part in everything.out


def test_demo_takes_no_database() -> None:
    for option in ("-d", "--schema"):
        done = run("demo", option, "production")
        assert (done.code, done.out) == (2, "")
        assert "demo runs on a database of its own" in done.err


@pytest.mark.slow
def test_demo_in_json_keeps_the_database_where_it_is_told(scratch: Path) -> None:
    kept = scratch / "kept" / "here"
    demo = run("demo", "--keep", str(kept), "--format", "json", env={"TMPDIR": str(scratch)})

    assert demo.code == 0, demo.err
    assert demo.json["ok"] is True
    assert all(step["ok"] for step in demo.json["steps"])
    assert len(demo.json["steps"]) >= 9
    assert [*scratch.iterdir()] == [scratch / "kept"]
    assert (kept / "data" / "PG_VERSION").exists()
    assert not (kept / "data" / "postmaster.pid").exists()

    other = scratch / "other"
    said = run("demo", "--keep", str(other), env={"TMPDIR": str(scratch)}).out
    assert "dbname=guide" in said
    is_for_nobody_else(other / "data", said)

    again = run("demo", "--keep", str(kept), env={"TMPDIR": str(scratch)})
    assert again.code == 1
    assert f"sessiondb: {kept}/data exists already" in again.err
    assert (kept / "data" / "PG_VERSION").exists()


def is_for_nobody_else(data: Path, said: str) -> None:
    """The server starts as it is told; its socket is where only its account and root come, and they are asked for."""
    start, address = re.findall(r"^  (.*pg_ctl .* start|export DATABASE_URL=.*)$", said, re.MULTILINE)
    conninfo = shlex.split(address.partition("=")[2])[0]
    subprocess.run(start, shell=True, check=True, stdout=subprocess.DEVNULL)
    try:
        assert data.stat().st_mode & 0o777 == 0o700
        assert run("-d", conninfo, "apply").code == 0
        with psycopg.connect(conninfo, autocommit=True) as connection:
            assert connection.info.host == str(data)
            assert not connection.execute(
                "SELECT FROM pg_settings WHERE name = 'listen_addresses' AND setting <> ''"
            ).rowcount
            assert (data / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
            connection.execute("CREATE ROLE another LOGIN")
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(conninfo, user="another")
    finally:
        subprocess.run(start.removesuffix("start") + "stop", shell=True, check=True, stdout=subprocess.DEVNULL)


def test_demo_keeps_no_server_where_it_could_have_no_socket(tmp_path: Path) -> None:
    for name in ("x" * 100, "a,b"):
        kept = run("demo", "--keep", str(tmp_path / name))
        assert (kept.code, kept.out) == (2, "")
        assert "is too long for the socket of a server, or has a comma" in kept.err
    assert [*tmp_path.iterdir()] == []


# a terminal of 80 columns


class at_terminal:  # noqa: N801  (used as a function is)
    """Run sessiondb at a pseudo-terminal; gives the process and our end of it."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments

    def __enter__(self) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *self.arguments],
            env=environment({"TERM": "dumb", "COLUMNS": "80", "LINES": "24"}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.terminal = os.fdopen(ours, "r+b", buffering=0)
        return self.process, self.terminal

    def __exit__(self, *error: object) -> None:
        self.process.wait(timeout=60)
        self.terminal.close()


def read_all(terminal: IO[bytes]) -> str:
    """What a process writes until it ends, when Linux says EIO."""
    text = b""
    while True:
        try:
            part = terminal.read(65536)
        except OSError:
            part = b""
        if not part:
            return text.decode()
        text += part


@on_reference
def test_ctrl_c_at_the_question_of_rollback_is_130(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("click.termui.visible_prompt_func", interrupt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["sessiondb", "-d", installed_db.conninfo(), "rollback", "--all"])
    with pytest.raises(SystemExit) as ended:
        sessiondb.cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.endswith("sessiondb: interrupted; nothing was done\n")
