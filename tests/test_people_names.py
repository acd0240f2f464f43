"""What people call a user, a course, an organisation or a session is as good as its id."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS, Connection
from psycopg import sql
from test_cli import ADA, BRUNO, SQL, Run, environment, run
from test_docs import command

from sessiondb.cli import _Bash, cli
from sessiondb.output import visible
from sessiondb.resources import quoted

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

ORG = "00000000-0000-4000-8000-0000000000a1"


@pytest.fixture
def world(installed_db: PlatformDatabase) -> Iterator[World]:
    with installed_db.connect() as connection:
        yield World(installed_db, connection)


class World:
    """A database with a user, an organisation and a course of known names."""

    def __init__(self, db: PlatformDatabase, connection: Connection) -> None:
        self.db = db
        self.connection = connection
        self.user = str(db.platform.add_user(connection))
        self.course = str(db.platform.add_course(connection))
        self.org = str(db.platform.add_org(connection))
        self.name(db.platform.schema, "courses", "title", self.course, "SQL, pas à pas")
        self.name(db.platform.schema, "orgs", "name", self.org, "L'Atelier d'Été")
        self.name(db.platform.schema, "orgs", "slug", self.org, "ete")
        self.name(db.platform.user_schema or db.platform.schema, "users", "email", self.user, "zoe@example.net")

    def name(self, schema: str, table: str, column: str, id_: str, name: str) -> None:
        statement = sql.SQL("UPDATE {} SET {} = {} WHERE id = {}").format(
            sql.Identifier(schema, table), sql.Identifier(column), sql.Literal(name), sql.Literal(id_)
        )
        self.connection.execute(statement)

    def on(self, *words: str) -> Run:
        return run("-d", self.db.conninfo(), "--schema", self.db.platform.schema, *words)


def test_every_platforms_things_are_found_by_their_names(world: World) -> None:
    created = world.on(
        *("session", "create", "--org", "L'Atelier d'Été", "--course", "SQL, pas à PAS", "--by", "zoe@example.net"),
        *("--title", 'Ses"sion %s', "--format", "json"),
    )
    assert created.code == 0, created.err
    assert (created.json["org_id"], created.json["course_id"]) == (world.org, world.course)
    assert f"Course SQL, pas à pas: {world.course}" in created.err.splitlines()
    assert f"Organisation ete, L'Atelier d'Été: {world.org}" in created.err.splitlines()

    added = world.on("member", "add", "--org", "ete", "--user", "Zoe@Example.net", "--format", "json")
    assert added.code == 0, added.err
    assert (added.json["org_id"], added.json["user_id"]) == (world.org, world.user)
    assert "Organisation" not in added.err  # a slug is as good as an id

    explained = world.on("explain", "--user", "zoe@example.net", "--course", "SQL, pas à pas", "--format", "json")
    assert explained.json["session_id"] == created.json["id"], explained.err
    for words in (
        ["session", "set-status", 'Ses"sion %s', "completed"],
        ["show", "enrollments", "--session", 'ses"sion %s'],
    ):
        done = world.on(*words)
        assert done.code == 0, done.err
        assert created.json["id"] in done.err
    for words in (["--dry-run"], []):
        assert world.on("backfill", "--session", 'Ses"sion %s', *words).code == 0


@on_reference
def test_a_name_of_several_is_listed_and_nothing_is_done(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("UPDATE users SET full_name = 'Same' WHERE id IN (%s, %s)", [ADA, BRUNO])
    done = run("-d", installed_db.conninfo(), "member", "add", "--org", "atelier-nord", "--user", "Same")

    assert done.code == 1
    assert '"Same" is the name of 2 users:' in done.err
    assert all(any(id_ in line for line in done.err.splitlines()) for id_ in (ADA, BRUNO))

    for org, status in (("atelier-nord", "completed"), ("campus-sud", "active")):
        words = ("session", "create", "--org", org, "--course", SQL, "--title", "One", "--status", status)
        assert run("-d", installed_db.conninfo(), *words).code == 0
    several = run("-d", installed_db.conninfo(), "session", "set-status", "One", "draft")
    assert (several.code, several.out) == (1, "")
    for told in ("Atelier Nord, completed", "Campus Sud, active"):
        assert re.search(
            rf"^  [0-9a-f-]{{36}}  One \({told}, created \d{{4}}-\d\d-\d\d \d\d:\d\d\)$", several.err, re.MULTILINE
        )

    where = ("--org", "campus-sud", "--course", SQL, "--format", "json")
    one = run("-d", installed_db.conninfo(), "session", "set-status", "One", "draft", *where)
    assert one.code == 0, one.err
    no = run("-d", installed_db.conninfo(), "session", "set-status", one.json["id"], "draft", "--org", "atelier-nord")
    assert (no.code, no.out) == (1, "")
    assert "of this organisation" in no.err


@on_reference
def test_a_slug_goes_before_the_name_of_another_organisation_which_is_said(installed_db: PlatformDatabase) -> None:
    """Whoever may create organisations could choose the name of another for the slug."""
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO orgs (name, slug) VALUES ('atelier-nord', 'other')")
    found = run("-d", installed_db.conninfo(), "member", "list", "--org", "atelier-nord", "--format", "json")

    assert {row["user_id"] for row in found.json} >= {ADA}
    assert '"atelier-nord" is its slug; another organisation has it as its name' in found.err


@on_reference
def test_a_mistyped_name_is_answered_with_the_nearest(installed_db: PlatformDatabase) -> None:
    for words, nearest in (
        (["member", "add", "--org", "atelier-nrod", "--user", ADA], "atelier-nord, Atelier Nord"),
        (["explain", "--user", "bruno@exmaple.org", "--course", SQL], "bruno@example.org"),
        (["explain", "--user", "adda", "--course", SQL], "ada@example.org"),
        (["explain", "--user", ADA, "--course", "Data wiht SQL"], "Data with SQL"),
    ):
        done = run("-d", installed_db.conninfo(), *words)
        assert done.code == 1, done
        assert nearest in done.err.splitlines()[1]
        assert "hint:" in done.err
    nothing = run("-d", installed_db.conninfo(), "explain", "--user", "zzzzz", "--course", SQL)
    assert 'there is no user "zzzzz"' in nothing.err


@on_reference
def test_users_that_a_role_may_not_read_are_not_found_by_name(new_role: str, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        for grant in ("USAGE ON SCHEMA sessiondb", "SELECT ON sessiondb.installation"):
            connection.execute(f"GRANT {grant} TO {new_role}".encode())
        words = ["-d", installed_db.conninfo(new_role), "member", "add", "--org", ORG, "--user", "bruno@example.org"]
        cannot = run(*words).err
        assert 'this role can read no user "bruno@example.org": it may not read public.users\n' in cannot
        assert "Give the id of the user, or use a role that may read every row there." in cannot
        connection.execute(f"GRANT SELECT (id, email) ON users TO {new_role}".encode())
        assert f"User bruno@example.org: {BRUNO}" in run(*words).err.splitlines()
        connection.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
        assert "row level security may hide rows of public.users" in run(*words).err


@on_reference
@pytest.mark.parametrize("name", ["'", "$near$", "%L %s", "{0}", "\\", "''; DROP TABLE users; --"])
def test_an_odd_name_is_only_a_name(installed_db: PlatformDatabase, name: str) -> None:
    with installed_db.connect() as connection:
        connection.execute("UPDATE users SET full_name = %s WHERE id = %s", [name, BRUNO])
    done = run(
        "-d", installed_db.conninfo(), "member", "add", "--org", "campus-sud", "--user", name, "--format", "json"
    )

    assert done.json["user_id"] == BRUNO, done.err


def test_organisations_courses_and_members_are_listed(world: World) -> None:
    world.on("member", "add", "--org", "ete", "--user", world.user)

    orgs = {row["id"]: row for row in world.on("org", "list", "--format", "json").json}
    assert orgs[world.org]["slug"] == "ete"
    assert orgs[world.org]["members"] == 1
    assert world.course in {row["id"] for row in world.on("course", "list", "--format", "json").json}
    (member,) = world.on("member", "list", "--org", "ete", "--format", "json").json
    assert member["user_id"] == world.user
    assert "zoe@example.net" in member["member"]


def test_a_member_gets_another_role_and_is_removed(world: World) -> None:
    schema = world.db.platform.schema
    member = ("--org", "ete", "--user", "zoe@example.net")

    for words in (("set-role", "trainer"), ("remove",)):
        refused = world.on("member", words[0], *member, *words[1:])
        assert refused.code == 1
        assert "user zoe@example.net" in refused.err
        assert "is not a member of L'Atelier d'Été" in refused.err
    world.on("member", "add", *member)
    assert "is now in" in world.on("member", "set-role", *member, "trainer").out
    assert "was already in" in world.on("member", "set-role", *member, "trainer").out
    assert roles(world.connection, schema, world) == [("trainer",)]
    removed = world.on("member", "remove", *member)
    assert removed.out.startswith("User zoe@example.net")
    assert roles(world.connection, schema, world) == []


def roles(connection: psycopg.Connection[Any], schema: str, world: World) -> list[tuple[Any, ...]]:
    query = f"SELECT role::text FROM {quoted(schema)}.org_members WHERE user_id = '{world.user}'"
    return connection.execute(query.encode()).fetchall()


@on_reference
def test_who_creates_a_session_need_not_be_said_where_the_column_may_be_null(installed_db: PlatformDatabase) -> None:
    create = ("-d", installed_db.conninfo(), "session", "create", "--org", "atelier-nord", "--course", SQL)
    assert run(*create).code == 0
    with installed_db.connect() as connection:
        assert connection.execute("SELECT created_by FROM sessions").fetchall() == [(None,)]
        connection.execute("DELETE FROM sessions")
        connection.execute("ALTER TABLE sessions ALTER created_by SET NOT NULL")
    refused = run(*create)
    assert refused.code == 1
    assert "Add --by USER." in refused.err


@on_reference
def test_what_the_command_does_not_fill_but_a_session_requires_is_named_in_an_insert(
    installed_db: PlatformDatabase,
) -> None:
    on = ("-d", installed_db.conninfo())
    with installed_db.connect() as connection:
        connection.execute('ALTER TABLE sessions ALTER starts_on SET NOT NULL, ADD "the room" text NOT NULL')
        connection.execute("ALTER TABLE sessions ALTER created_by SET NOT NULL")

    fix = run(*on, "explain", "--user", ADA, "--course", SQL, "--format", "json").json["fixes"][0]
    (found,) = run(*on, "check", "orgs_without_sessions", "--format", "json").json["findings"]

    assert "your platform requires" in fix["what"]
    assert (fix["then"], found["fix"].partition("\n")[2]) == ("sessiondb backfill", "Then: sessiondb backfill")
    with installed_db.connect() as connection:
        for statement in (fix["command"], found["fix"].partition("\n")[0].partition("requires: ")[2]):
            filled = statement.replace("<starts_on>", "current_date").replace('<"the room">', "'12'")
            assert connection.execute(filled.encode()).rowcount == 1
    assert run(*on, *fix["then"].split()[1:]).code == 0
    refused = run(*on, "session", "create", "--org", "atelier-nord", "--course", SQL, "--by", ADA)
    assert refused.code == 1
    assert "the platform requires starts_on of a session" in refused.err
    assert "<starts_on>" in refused.err


@on_reference
def test_of_sessions_with_one_title_the_options_that_are_left_are_named(installed_db: PlatformDatabase) -> None:
    on = ("-d", installed_db.conninfo(), "session")
    for course in (SQL, "Python for beginners"):
        assert run(*on, "create", "--org", "atelier-nord", "--course", course, "--title", "Same").code == 0

    hints = [
        run(*on, "set-status", "Same", "completed", *given).err.splitlines()[-1]
        for given in ((), ("--org", "atelier-nord"))
    ]

    assert hints[0].endswith("Give the id of one of them, or its --org or --course.")
    assert hints[1].endswith("Give the id of one of them, or its --course.")


@on_reference
def test_a_session_that_is_shadowed_is_warned_of(installed_db: PlatformDatabase) -> None:
    create = ("session", "create", "--org", "atelier-nord", "--course", SQL, "--by", ADA, "--title")
    first = run("-d", installed_db.conninfo(), *create, "First", "--format", "json")
    assert "warning" not in first.err
    draft = run("-d", installed_db.conninfo(), *create, "Draft", "--status", "draft")
    assert "warning" not in draft.err

    second = run("-d", installed_db.conninfo(), *create, "Second", "--format", "json")
    assert 'session "First" is also active' in second.err
    assert 'others are linked to "Second"\n' in second.err
    fix = "session set-status First completed"
    assert fix in second.err
    for done in ("Changed", "Unchanged:"):
        assert run("-d", installed_db.conninfo(), *fix.split()).out.startswith(f'{done} session "First" (completed).\n')


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_a_session_that_has_ended_gets_a_status_that_the_platform_has(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TYPE campus.session_status RENAME VALUE 'completed' TO 'Fini !'")
        connection.execute("INSERT INTO campus.courses (id, title) VALUES (gen_random_uuid(), 'Latin')")
    on = ("-d", installed_db.conninfo(), "--schema", "campus")
    create = ("session", "create", "--org", "atelier-nord", "--course", "Latin", "--title")
    hint = "session set-status First 'Fini !'"

    first = run(*on, *create, "First")
    second = run(*on, *create, "Second")
    found = run(*on, "check", "shadowed_sessions")
    done = run(*on, *shlex.split(hint))

    assert (first.code, hint in second.err, hint in found.out, done.code) == (0, True, True, 0), first.err


@on_reference
def test_what_a_backfill_would_link_is_said_of_an_active_session_only(installed_db: PlatformDatabase) -> None:
    create = ("session", "create", "--org", "campus-sud", "--course", "Python for beginners", "--title", "South")
    said = [run("-d", installed_db.conninfo(), *create, "--status", status).out for status in ("draft", "active")]
    assert ["A backfill would now link" in out for out in said] == [False, True]


def linked(db: PlatformDatabase, title: str) -> tuple[int, int]:
    """How many enrolments and submissions are in the sessions with this title."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT (SELECT count(*) FROM enrollments AS e WHERE e.session_id = s.id),"
            " (SELECT count(*) FROM submissions AS b WHERE b.session_id = s.id) FROM sessions AS s WHERE s.title = %s",
            [title],
        )
        ((enrollments, submissions),) = rows.fetchall()
        return enrollments, submissions


@on_reference
def test_older_rows_are_linked_at_once_where_that_is_asked_for(installed_db: PlatformDatabase) -> None:
    on = ("-d", installed_db.conninfo())
    create = ("session", "create", "--org", "campus-sud", "--course", "Python for beginners", "--title", "South")

    closed = run(*on, *create, "--status", "draft", "--backfill")
    assert (closed.code, closed.out) == (2, "")
    created = run(*on, *create, "--backfill", "--format", "json")
    assert created.code == 0, created.err
    counts = {"scanned": 1, "linked": 1, "unlinkable": 0, "reasons": {}}
    assert created.json["backfill"] == {"enrollments": counts, "submissions": counts, "complete": True}
    assert linked(installed_db, "South") == (1, 1)

    added = run(*on, "member", "add", "--org", "campus-sud", "--user", "bruno@example.org", "--backfill")
    assert added.code == 0, added.err
    assert added.out.splitlines()[1:] == ["enrollments: 1 linked, 0 cannot be.", "submissions: 1 linked, 0 cannot be."]
    assert linked(installed_db, "South") == (2, 2)
    again = run(*on, "member", "add", "--org", "campus-sud", "--user", "bruno@example.org", "--backfill")
    assert (again.code, again.out.splitlines()[1]) == (0, "enrollments: 0 linked, 0 cannot be.")

    data = ("session", "create", "--org", "atelier-nord", "--course", SQL, "--title", "North", "--status", "draft")
    assert run(*on, *data).code == 0
    no = run(*on, "member", "add", "--org", "atelier-nord", "--user", "dmitri@example.org", "--backfill")
    assert no.code == 1
    assert "none of the user's older rows can be linked" in no.err
    opened = run(*on, "session", "set-status", "North", "active", "--backfill")
    assert opened.code == 0, opened.err
    assert linked(installed_db, "North") == (1, 1)


@on_reference
def test_a_backfill_that_cannot_be_finished_says_what_was_done_and_is_an_error(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'")
        connection.execute("CREATE TRIGGER no BEFORE UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION no()")

    create = ("session", "create", "--org", "campus-sud", "--course", "Python for beginners", "--title", "South")
    created = run("-d", installed_db.conninfo(), *create, "--backfill")

    assert created.code == 1
    assert created.out.startswith('Created session "South" (active).\n')
    assert "enrollments: 1 linked" in created.out
    assert "no" in created.err


@on_reference
def test_a_wrong_status_or_role_is_answered_with_those_that_there_are(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE org_members ADD CHECK (role IN ('student', 'it''s', 'trainer'))")
    on = ("-d", installed_db.conninfo())

    status = run(*on, "session", "create", "--org", "campus-sud", "--course", SQL, "--status", "nope")
    role = run(*on, "member", "add", "--org", "campus-sud", "--user", ADA, "--role", "nope")

    assert status.err.splitlines()[-2:] == [
        'sessiondb: unknown session status "nope"',
        "  hint: The platform knows: draft, active, completed, cancelled",
    ]
    assert role.err.splitlines()[-1] == "  hint: The platform knows: student, it's, trainer"
    assert (status.code, role.code) == (1, 1)
    create = (*on, "session", "create", "--org", "campus-sud", "--course", SQL, "--status")
    assert "(completed)." in run(*create, "Completed").out
    assert "  hint: Did you mean completed? The platform knows: draft," in run(*create, "complted").err
    assert "  hint: The platform knows: draft," in run(*create, "archived").err  # not active
    for words, number in ((("--status", "Completed"), 1), (("--org", "atelier-nord"), 0), (("--course", SQL), 1)):
        assert len(run(*on, "session", "list", *words, "--format", "json").json) == number


@on_reference
def test_a_role_that_no_member_has_is_given_with_a_warning(installed_db: PlatformDatabase) -> None:
    add = ("-d", installed_db.conninfo(), "member", "add", "--org", "campus-sud", "--user")
    warning = "warning: No member has the role studnt yet; roles in use: student, trainer. Did you mean student?"

    mistyped = run(*add, ADA, "--role", "studnt")
    assert (mistyped.code, warning in mistyped.err.splitlines()) == (0, True)
    assert "warning" not in run(*add, BRUNO, "--role", "trainer").err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("member add --org ", ["atelier-nord", "campus-sud", "mon-org"]),
        ("session create --course py", ["Python for beginners"]),
        ("backfill --session ", ["Session Automne 2024"]),
        ("session set-status x ", ["draft", "active", "completed", "cancelled"]),
        ("member set-role --org x --user y ", ["student", "trainer"]),
        ("rollback --to 0001", ["0001.create-bookkeeping"]),
    ],
)
@on_reference
def test_the_tab_key_offers_what_the_database_has(
    installed_db: PlatformDatabase, typed: str, offered: list[str]
) -> None:
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO orgs (name, slug) VALUES ('Mon Organisation', 'mon-org')")
        connection.execute(
            "INSERT INTO sessions (org_id, course_id, title) SELECT o.id, c.id, 'Session Automne 2024'"
            "  FROM orgs AS o CROSS JOIN courses AS c LIMIT 1"
        )
    words = f"sessiondb {typed}"
    place = str(len(words.split()) - (not words.endswith(" ")))
    shell = {"_SESSIONDB_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": place}

    def offers(database: str) -> str:
        env = environment({**shell, "DATABASE_URL": database})
        done = subprocess.run([command()], env=env, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.strip()

    here = offers(installed_db.conninfo())
    assert here.splitlines() == [f"plain,{name}" for name in offered]
    assert offers("host=127.0.0.1 port=1") == (here if "rollback" in typed else "")


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_what_the_tab_key_puts_into_a_command_line_of_bash_is_a_word(quote: str, tmp_path: Path) -> None:
    name = """$(echo run) `echo run` 'it' \\"s\\" \\ !"""
    offer = tmp_path / "offer"
    offer.write_text(f"#!/bin/sh\ncat <<'END'\nplain,{name}\nEND\n")
    offer.chmod(0o700)
    source = _Bash(cli, {}, "sessiondb", "_SESSIONDB_COMPLETE").source()
    script = f"""{source}
        COMP_WORDS=(sessiondb "$2") COMP_CWORD=1
        _sessiondb_completion "$1"
        eval "printf %s $2$COMPREPLY$2"
    """
    done = subprocess.run(["bash", "-c", script, "bash", offer, quote], capture_output=True, text=True, check=True)
    assert done.stdout == name


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_no_name_that_the_tab_key_puts_into_a_command_line_of_bash_recalls_another_line(
    quote: str, tmp_path: Path
) -> None:
    """As a course of that name would where somebody types: in an interactive shell, also in double quotes."""
    offer = tmp_path / "offer"
    offer.write_text("#!/bin/sh\necho 'plain,Intro !#; touch run #'\n")
    offer.chmod(0o700)
    source = _Bash(cli, {}, "sessiondb", "_SESSIONDB_COMPLETE").source()
    script = f"""{source}
        COMP_WORDS=(sessiondb "$2") COMP_CWORD=1
        _sessiondb_completion "$1"
        printf '%s\\n' "printf '<%s>' $2$COMPREPLY$2"
    """
    typed = subprocess.run(
        ["bash", "-c", script, "bash", offer, quote], capture_output=True, text=True, check=True
    ).stdout
    shell = ["bash", "--norc", "--noprofile", "-i"]
    done = subprocess.run(shell, input=typed, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "<Intro !#; touch run #>"
    assert not (tmp_path / "run").exists()


@on_reference
def test_no_user_takes_the_place_of_another_by_their_display_name(installed_db: PlatformDatabase) -> None:
    def role_of(email: str) -> list[str]:
        words = ("member", "list", "--org", "campus-sud", "--format", "json")
        return [row["role"] for row in run("-d", installed_db.conninfo(), *words).json if email in str(row)]

    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO users (id, email, full_name) VALUES (gen_random_uuid(), 'Boss@Example.org', 'The Boss'),"
            " (gen_random_uuid(), 'mallory@evil.org', 'boss@example.org'), (gen_random_uuid(), 'eve@evil.org', 'new@example.org')"
        )
    make = ("-d", installed_db.conninfo(), "member", "add", "--org", "campus-sud", "--role", "trainer", "--user")
    assert run(*make, "boss@example.org").code == 0
    assert (role_of("Boss@Example.org"), role_of("mallory@evil.org")) == (["trainer"], [])

    nobody = run(*make, "new@example.org")
    assert (nobody.code, role_of("eve@evil.org")) == (1, [])
    assert 'there is no user "new@example.org"' in nobody.err

    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE users RENAME email TO address")
    nobody = run(*make, "new@example.org")
    assert (nobody.code, role_of("eve@evil.org")) == (1, [])
    assert 'no e-mails of users are known, so "new@example.org" cannot be looked up' in nobody.err
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE users RENAME address TO email")

    with installed_db.connect() as connection:
        connection.execute(
            "ALTER TABLE users ADD username text; UPDATE users SET username = 'the boss' WHERE email = 'eve@evil.org';"
            "INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'boss@example.org'),"
            " (gen_random_uuid(), 'Ada Lovelace'), (gen_random_uuid(), 'x'); UPDATE users SET full_name = 'ada lovelace' WHERE email = 'x'"
        )
    for name in ("The Boss", "the boss", "boss@example.org", "Ada Lovelace"):
        several = run(*make, name)
        assert (several.code, f'"{name}" is the name of 2 users' in several.err) == (1, True), several.err
    assert (role_of("boss@example.org"), role_of("eve@evil.org")) == ([], [])


@on_reference
def test_no_user_takes_the_place_of_another_for_a_role_that_may_not_read_the_emails(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO users (id, email, full_name) VALUES (gen_random_uuid(), 'mallory@evil.org', 'boss@example.org'),"
            " (gen_random_uuid(), 'boss@example.org', 'The Boss')"
        )
        connection.execute(
            f"GRANT USAGE ON SCHEMA sessiondb, public TO {new_role}; GRANT SELECT (id, full_name) ON users TO {new_role};"
            f"GRANT SELECT ON sessiondb.installation, org_members TO {new_role}; SET ROLE {new_role}".encode()
        )
        query = "SELECT f.name FROM sessiondb.find_named('user', %s) AS f WHERE f.found_by <> 'near'"
        assert connection.execute(query, ["boss@example.org"]).fetchall() == []
        assert connection.execute(query, ["The Boss"]).fetchall() == [("The Boss",)]
        connection.execute("RESET ROLE")


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_no_user_takes_the_place_of_another_where_only_another_table_has_the_emails(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%(id)s, 'eve@evil.org');"
            "INSERT INTO profiles (id, full_name) VALUES (%(id)s, 'boss@example.org')"
            " ON CONFLICT (id) DO UPDATE SET full_name = EXCLUDED.full_name".replace("%(id)s", f"'{uuid4()}'")
        )
        query = "SELECT f.name FROM sessiondb.find_named('user', %s) AS f"  # nor is it proposed
        connection.execute("SET ROLE hosted_owner")
        assert connection.execute(query, ["boss@example.org"]).fetchall() == []
        # the key of user_id may be to the profiles, and theirs to the users
        connection.execute(
            "RESET ROLE; ALTER TABLE profiles ADD username text; UPDATE profiles SET username = full_name"
        )
        for table in ("org_members", "enrollments", "submissions"):
            keys = (
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND confrelid = 'auth.users'::regclass"
            )
            for (key,) in connection.execute(keys, [table]).fetchall():
                connection.execute(
                    f"ALTER TABLE {table} DROP CONSTRAINT {key},"
                    " ADD FOREIGN KEY (user_id) REFERENCES profiles NOT VALID".encode()
                )
        connection.execute("SET ROLE hosted_owner")
        assert connection.execute(query, ["boss@example.org"]).fetchall() == []


@on_reference
def test_a_printed_command_names_the_very_thing_and_nothing_that_looks_like_it(installed_db: PlatformDatabase) -> None:
    codes = [code for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000 and visible(chr(code)) != chr(code)]
    ends = sorted({*codes} - ({code + 1 for code in codes} & {code - 1 for code in codes}))
    query = "SELECT sessiondb.org_command('member', o.id, %s), o.id::text FROM orgs AS o WHERE o.slug = %s"
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO orgs (name, slug) VALUES (%s, %s)", [ORG, ORG])  # the id of another one
        connection.execute("INSERT INTO orgs (name, slug) VALUES ('Mine', 'my-slug')")
        for slug, is_id in ((ORG, True), ("my-slug", False)):
            ((command_, id_),) = connection.execute(query, [ADA, slug]).fetchall()
            assert command_ == f"sessiondb member add --org {id_ if is_id else slug} --user ada@example.org"
        ((course,),) = connection.execute("INSERT INTO courses (title) VALUES ('x') RETURNING id").fetchall()
        for code in ends:
            connection.execute("UPDATE courses SET title = %s WHERE id = %s", [f"a{chr(code)}b", course])
            ((name,),) = connection.execute("SELECT sessiondb.shell_name('course', %s)", [course]).fetchall()
            assert name == str(course), hex(code)


@on_reference
@pytest.mark.parametrize(
    "spelling",
    ["{%s}", "{{%s}}", "0_%.0s000000-0000-4000-8000-0000000000ff", "\u0660%.0s0000000-0000-4000-8000-0000000000ff"],
)
def test_a_printed_command_names_no_other_thing_by_what_python_takes_for_its_id(
    installed_db: PlatformDatabase, spelling: str
) -> None:
    """UUID() of Python ignores braces, and reads 32 characters as int() does, with underscores and other digits."""
    theirs = "00000000-0000-4000-8000-0000000000ff"
    name = spelling % theirs
    assert str(UUID(name)) == theirs
    with installed_db.connect() as connection:
        connection.execute("INSERT INTO orgs (id, name, slug) VALUES (%s, 'Theirs', 'theirs')", [theirs])
        create = "INSERT INTO orgs (name, slug) VALUES ('Mine', %s) RETURNING id"
        ((mine,),) = connection.execute(create, [name]).fetchall()
        ((fix,),) = connection.execute("SELECT sessiondb.org_command('member', %s, %s)", [mine, ADA]).fetchall()
        done = run("-d", installed_db.conninfo(), *shlex.split(fix)[1:])
        assert done.code == 0, done.err
        joined = "SELECT org_id FROM org_members WHERE org_id = ANY (%s::uuid[])"
        assert connection.execute(joined, [[str(mine), theirs]]).fetchall() == [(mine,)]
