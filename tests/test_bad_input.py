"""What a user does wrong is told in one sentence that names it, with a remedy; nothing is half done after it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import click
import psycopg
import pytest
from click.testing import CliRunner
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS, Platform
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from test_cli import BY_HAND, Run, run

from sessiondb.cli import cli
from sessiondb.embedded import Server, ServerNotFound, ephemeral_server, find_bindir

PASSWORD = "s3cr3t-pa55"
UNKNOWN = "00000000-0000-4000-8000-00000000dead"
ADA, COURSE = "00000000-0000-4000-8000-0000000000b1", "00000000-0000-4000-8000-0000000000c1"
SESSION = "00000000-0000-4000-8000-0000000000f1"  # of each platform but the reference

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)

ONE_SENTENCE = re.compile(r"sessiondb: [^\n]+(; the checks are:(\n  \w+)+)?\n  hint: [^\n]+\n")
USAGE = re.compile(r"Usage: [^\n]+\nTry '[^\n]+ --help' for help\.\n\nError: [^\n]+\n")
REFUSAL = re.compile(
    r"sessiondb: (preflight refuses this platform|schema sessiondb is not trusted); nothing was changed:\n(  [^\n]+\n    fix: [^\n]+\n)+"
)


def assert_told(done: Run, code: int, *says: str) -> None:
    """One sentence with a remedy, on stderr alone, that names the thing and no secret."""
    assert (done.code, done.out) == (code, ""), done.err
    assert PASSWORD not in done.err
    assert "Traceback" not in done.err
    assert "bug in sessiondb" not in done.err
    shapes = {5: (REFUSAL,), 2: (ONE_SENTENCE, USAGE)}.get(code, (ONE_SENTENCE,))
    assert any(shape.fullmatch(done.err) for shape in shapes), done.err
    for text in says:
        assert text in done.err


def dsn(db: PlatformDatabase, user: str | None = None) -> str:
    """How to connect as the owner, with a password; a server that trusts us does not look at it."""
    conninfo = db.conninfo(user or db.platform.owner)
    return make_conninfo(conninfo, **({} if "password" in conninfo_to_dict(conninfo) else {"password": PASSWORD}))


def on(db: PlatformDatabase, *arguments: str, user: str | None = None) -> Run:
    return run("-d", dsn(db, user), "--schema", db.platform.schema, *arguments)


def execute(db: PlatformDatabase, *statements: str) -> None:
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        for statement in statements:
            connection.execute(statement.encode())


def counts(db: PlatformDatabase) -> list[int]:
    """How many rows there are in the tables that a command may write."""
    numbers: list[int] = []
    with db.connect() as connection:
        for table in ("orgs", "org_members", "sessions", "enrollments", "submissions"):
            name = sql.Identifier(db.platform.schema, table)
            with suppress(psycopg.errors.UndefinedTable):
                numbers += connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchall()[0]
    return numbers


@contextmanager
def unchanged(db: PlatformDatabase, dump: Callable[..., str]) -> Iterator[None]:
    """Nothing is half done: the schema and the number of rows are what they were."""
    before = dump(db), counts(db)
    yield
    assert (dump(db), counts(db)) == before


# the server


def uri(scheme: str = "postgresql", user: str = "owner", host: str = "127.0.0.1:1", dbname: str = "platform") -> str:
    return f"{scheme}://{user}:{PASSWORD}@{host}/{dbname}"


NOBODY_THERE: dict[str, tuple[list[str], dict[str, str]]] = {
    "postgresql URI": (["-d", uri()], {}),
    "postgres URI": (["-d", uri("postgres")], {}),
    "key=value": (["-d", f"host=127.0.0.1 port=1 user=owner dbname=platform password={PASSWORD}"], {}),
    "service": (["-d", "service=platform"], {}),
    "SESSIONDB_DATABASE_URL": ([], {"SESSIONDB_DATABASE_URL": uri()}),
    "DATABASE_URL": ([], {"DATABASE_URL": uri()}),
    "PG*": ([], {"PGHOST": "127.0.0.1", "PGPORT": "1", "PGUSER": "owner", "PGPASSWORD": PASSWORD}),
}


@pytest.mark.parametrize("way", NOBODY_THERE)
def test_where_no_server_answers_one_sentence_says_so(way: str, tmp_path: Path) -> None:
    arguments, env = NOBODY_THERE[way]
    services = tmp_path / "services"
    services.write_text(f"[platform]\nhost=127.0.0.1\nport=1\nuser=owner\ndbname=platform\npassword={PASSWORD}\n")

    done = run(*arguments, "apply", env={**env, "PGSERVICEFILE": str(services)})

    assert_told(done, 1, '"127.0.0.1", port 1', "Connection refused", "-d")


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        (uri(host="nosuch.invalid"), "nosuch.invalid"),
        (f"host=/nosuch/directory user=owner password={PASSWORD}", "/nosuch/directory"),
        (f"service=nosuch password={PASSWORD}", 'service "nosuch" not found'),
        (f"host=127.0.0.1 port=1 sslmode=bogus password={PASSWORD}", "bogus"),
        (f"host=127.0.0.1 port=1 connect_timeout=soon password={PASSWORD}", "connect_timeout"),
        (f"host=127.0.0.1 port=http password={PASSWORD}", '"http"'),
    ],
    ids=["host name", "socket", "service", "sslmode", "connect_timeout", "port"],
)
def test_an_address_that_leads_nowhere_is_answered_with_what_is_wrong_with_it(dsn: str, says: str) -> None:
    done = run("-d", dsn, "status")

    assert done.code in (1, 2)
    assert_told(done, done.code, says)
    assert "connection was lost" not in done.err  # there was none


MALFORMED = {
    "brackets": f"postgresql://owner:{PASSWORD}@[::1/platform",
    "percent": f"postgresql://owner:%zz{PASSWORD}@127.0.0.1:1/platform",
    "parameter of a URI": f"{uri()}?bogus=1",
    "Prisma's parameter of a URI": f"{uri()}?schema=public",
    "a blank in a URI": f"{uri()} and more",
    "parameter": f"host=127.0.0.1 password={PASSWORD} bogus=1",
    "quote": f"host=127.0.0.1 password='{PASSWORD}",
    "a blank in a password": f"host=127.0.0.1 password=my {PASSWORD}",
    "another database": f"mysql://owner:{PASSWORD}@127.0.0.1:1/platform",
    "SQLAlchemy's": f"postgresql+psycopg://owner:{PASSWORD}@127.0.0.1:1/platform",
}


@pytest.mark.parametrize("way", MALFORMED)
def test_a_malformed_address_is_not_repeated(way: str) -> None:
    assert_told(
        run("-d", MALFORMED[way], "status"),
        2,
        "database address",
        "postgresql://user@host/dbname",
        {"another database": "PostgreSQL only", "SQLAlchemy's": "SQLAlchemy"}.get(way, "?schema= of Prisma"),
    )


@pytest.mark.parametrize(
    "address",
    [
        f"owner:{PASSWORD}@127.0.0.1:1/platform",
        f"//owner:{PASSWORD}@127.0.0.1/platform",
        f"postgresql:/owner:{PASSWORD}@127.0.0.1/platform",
        "postgresql://owner:s3cr3t@pa55@127.0.0.1:1/platform",
        "postgresql://owner:s3cr3t/pa55@127.0.0.1:1/platform",
        "postgresql://owner:s3cr3t?pa55@127.0.0.1:1/platform",
    ],
)
@on_reference
def test_no_part_of_a_password_is_printed_even_where_libpq_takes_it_for_something_else(
    platform_db: PlatformDatabase, address: str
) -> None:
    """A forgotten scheme is a database name to libpq, an @ in the password begins the platform."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(platform_db.conninfo()).items()}
    server = {
        f"PG{name.upper()}": parameters[name] for name in ("host", "port", "user", "password") if name in parameters
    }

    done = run("-d", address, "status", env=server)

    assert done.code in (1, 2)
    assert_told(done, done.code)
    for part in ("s3cr3t", "pa55"):
        assert part not in done.err


@on_reference
def test_an_unknown_database_or_role_is_named(platform_db: PlatformDatabase) -> None:
    unknown = make_conninfo(dsn(platform_db), dbname="nosuch")
    assert_told(run("-d", unknown, "apply"), 1, 'database "nosuch" does not exist', "Check the name")

    if platform_db.cluster.server is None:
        return  # someone's own server may ask for a password first
    unknown = make_conninfo(dsn(platform_db), user="nosuch")
    assert_told(run("-d", unknown, "apply"), 1, 'role "nosuch" does not exist', "Check the name")


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that may be set and stopped as a test likes; database `platform` has the reference platform and
    sessiondb, database `bare` the platform only; role owner owns everything and has a password."""
    try:
        find_bindir()
    except ServerNotFound as error:
        pytest.skip(str(error))
    with ephemeral_server() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE owner SUPERUSER LOGIN PASSWORD '{PASSWORD}'".encode())
            connection.execute("CREATE DATABASE bare OWNER owner")
        with psycopg.connect(server.dsn("bare"), autocommit=True) as connection:
            PLATFORMS["reference"].load(connection)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform TEMPLATE bare")
        assert run("-d", server.dsn("platform"), "apply").code == 0
        yield server


@pytest.fixture
def password_needed(own_server: Server) -> Iterator[None]:
    rules = own_server.socket_dir.with_name("data") / "pg_hba.conf"
    before = rules.read_text()

    def reload(text: str) -> None:
        with psycopg.connect(own_server.dsn(), autocommit=True) as connection:
            rules.write_text(text)  # in place, so that its owner stays
            loaded = connection.execute("SELECT pg_conf_load_time()").fetchone()
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute("SELECT pg_conf_load_time()").fetchone() == loaded:
                time.sleep(0.01)

    reload("local all postgres trust\nlocal all all scram-sha-256\n")
    yield
    reload(before)


def test_a_wrong_password_is_refused_and_not_printed(own_server: Server, password_needed: None) -> None:
    given = make_conninfo(own_server.dsn("platform"), user="owner")

    assert run("-d", given, "status", env={"PGPASSWORD": PASSWORD}).code == 0
    assert run("-d", make_conninfo(given, password=PASSWORD), "status").code == 0

    wrong = make_conninfo(given, password=f"{PASSWORD}!")
    assert_told(run("-d", wrong, "apply"), 1, 'password authentication failed for user "owner"', "PGPASSWORD")
    assert_told(run("-d", given, "apply", env={"HOME": "/nosuch"}), 1, "no password", "PGPASSWORD")


def test_a_standby_is_read_and_not_written_to(own_server: Server) -> None:
    """A real one: it follows no primary here, but it recovers for ever and takes no writes."""
    standby = own_server.socket_dir.with_name("data") / "standby.signal"
    own_server.stop()
    standby.touch()
    own_server.start()
    here = ("-d", make_conninfo(own_server.dsn("platform"), password=PASSWORD))
    there = ("-d", make_conninfo(own_server.dsn("bare"), password=PASSWORD))

    for command in ([*there, "apply"], [*here, "rollback", "--all", "--yes"]):
        assert_told(run(*command), 5, "The server is a standby", "target_session_attrs=read-write")
    writing = (
        ["org", "create", "--name", "A", "--slug", "a"],
        ["member", "add", "--org", "atelier-nord", "--user", "00000000-0000-4000-8000-0000000000b4"],
        ["session", "create", "--org", "atelier-nord", "--course", COURSE, "--by", ADA],
    )
    for arguments in writing:
        assert_told(run(*here, *arguments), 1, "primary")
    for reading in ("status", "check indexes", "show submissions", "plan", "session list"):
        read = run(*here, *reading.split())
        assert (read.code, read.err) == (0, "")
    own_server.stop()
    standby.unlink()
    own_server.start()


# the platform


@pytest.mark.parametrize("command", ["apply", "status", "plan", "check", "show sessions"])
@on_reference
def test_an_unknown_schema_is_refused(platform_db: PlatformDatabase, command: str) -> None:
    done = run("-d", dsn(platform_db), "--schema", "nosuch", *command.split())

    assert_told(done, 1, 'schema "nosuch" does not exist', "--schema")


@on_school
def test_before_the_first_apply_each_command_names_the_schema_of_the_platform(platform_db: PlatformDatabase) -> None:
    for command in ("session list", "org list", "backfill", f"explain --user {uuid4()} --course {uuid4()}", "apply"):
        said = run("-d", platform_db.conninfo(), *command.split())
        assert (said.code != 0, "apply --schema campus" in said.err) == (True, True), (command, said.err)


@on_school
def test_no_tables_of_another_role_are_proposed_without_its_name_nor_before_those_of_the_platform(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            f"CREATE SCHEMA shared; GRANT CREATE ON SCHEMA shared TO {new_role}; SET ROLE {new_role}".encode()
        )
        for table in ("courses", "orgs", "org_members", "sessions", "submissions"):
            connection.execute(f"CREATE TABLE shared.{table} (id uuid)".encode())
        said = run("-d", platform_db.conninfo(), "session", "list")
        assert "apply --schema campus" in said.err
        connection.execute("RESET ROLE")
        for table in ("enrollments", "courses", "orgs"):
            connection.execute(f"ALTER TABLE campus.{table} RENAME TO was_{table}".encode())
        said = run("-d", platform_db.conninfo(), "session", "list")
        assert f'schema "shared" of role {new_role} has' in " ".join(said.err.split())
        connection.execute("DROP SCHEMA shared CASCADE")


@on_school
def test_the_name_of_a_schema_that_is_proposed_forges_no_fix(platform_db: PlatformDatabase) -> None:
    """Any role that may create a schema chooses its name."""
    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA elsewhere")
        connection.execute('ALTER SCHEMA campus RENAME TO "app\nThen: GRANT pg_read_all_data TO mallory; --"')
    for command in ("apply", "check", "status"):
        said = run("-d", platform_db.conninfo(), "--schema", "elsewhere", command)
        assert "pg_read_all_data" in said.out + said.err
        assert not re.search(r"^\W*(Then|GRANT)\b", said.out + said.err, re.MULTILINE)


@on_school
def test_a_schema_without_the_tables_is_refused_and_not_changed(
    platform_db: PlatformDatabase, dump: Callable[..., str]
) -> None:
    """All that are missing are named, not the first."""
    execute(platform_db, "CREATE SCHEMA elsewhere")
    with unchanged(platform_db, dump):
        done = run("-d", platform_db.conninfo(), "--schema", "elsewhere", "apply")

    tables = ("courses", "enrollments", "org_members", "sessions", "submissions")
    assert_told(done, 5, 'Schema "elsewhere" lacks tables of the platform: ', *tables, "apply --schema ")
    assert done.err.count("fix: ") == 1
    for command in ("status", "check", "plan"):
        said = run("-d", platform_db.conninfo(), "--schema", "elsewhere", command)
        assert f"sessiondb apply --schema {platform_db.platform.schema}\n" in said.out + said.err
    listed = run("-d", platform_db.conninfo(), "--schema", "elsewhere", "session", "list")
    assert_told(listed, 1, 'Schema "elsewhere" lacks', "--schema")
    for what in ("sessions", "submissions"):
        shown = run("-d", platform_db.conninfo(), "--schema", "elsewhere", "show", what)
        assert_told(shown, 1, "sessiondb is not installed in this database", "sessiondb apply")

    execute(platform_db, "ALTER TABLE campus.courses SET SCHEMA elsewhere")
    done = run("-d", platform_db.conninfo(), "--schema", "elsewhere", "apply")
    assert_told(done, 5, 'schema "campus" of role campus_owner has enrollments, org_members, ')


@on_reference
def test_everything_that_is_missing_or_wrong_is_told_at_once(
    platform_db: PlatformDatabase, dump: Callable[..., str]
) -> None:
    execute(
        platform_db,
        "DROP TABLE org_members",
        "ALTER TABLE sessions DROP COLUMN created_at, DROP CONSTRAINT sessions_pkey CASCADE",
        "ALTER TABLE sessions DROP CONSTRAINT sessions_org_id_fkey, ALTER org_id TYPE text",
        "ALTER TABLE enrollments ADD session_id bigint",
        "ALTER TABLE submissions DROP COLUMN exercise_id",
        "CREATE TABLE public.unrelated ()",
    )
    with unchanged(platform_db, dump):
        done = on(platform_db, "apply")

    assert_told(
        done,
        5,
        "Table public.org_members does not exist.",
        "Column created_at of table public.sessions does not exist.",
        "Column org_id of table public.sessions is of type text, not uuid.",
        "Column session_id of table public.enrollments is of type bigint, not uuid.",
        "Column id of table public.sessions is neither the primary key nor unique.",
        "No foreign keys lead from submissions to courses",
    )


@pytest.mark.parametrize(
    "platform",
    [platform for platform in PLATFORMS.values() if platform.student_role and platform.name != "hosted"],
    indirect=True,
    ids=str,
)
def test_a_role_that_is_not_the_owner_is_refused_and_changes_nothing(
    platform_db: PlatformDatabase, dump: Callable[..., str]
) -> None:
    role, owner = str(platform_db.platform.student_role), str(platform_db.platform.owner)
    with unchanged(platform_db, dump):
        done = on(platform_db, "apply", user=role)

    assert_told(
        done,
        5,
        *(f"{role} is not the owner of table {platform_db.platform.schema}.{t}" for t in ("enrollments", "sessions")),
    )
    assert f"belongs to {owner}" in done.err
    assert f"Connect as {owner}" in done.err


@on_school
def test_a_role_that_may_not_use_the_installation_is_told_whose_it_is(
    installed_db: PlatformDatabase, dump: Callable[..., str]
) -> None:
    role = str(installed_db.platform.student_role)
    with unchanged(installed_db, dump):
        for command in (
            "org create --name A --slug a",
            "apply",
            "apply --dry-run",
            "rollback --all --yes",
            "status",
            "plan",
        ):
            done = on(installed_db, *command.split(), user=role)
            assert_told(
                done,
                1,
                f"schema sessiondb belongs to {installed_db.platform.owner}, and role {role} may not use it",
                f"Connect as {installed_db.platform.owner}",
            )


@pytest.mark.parametrize("path", ["a..b", 'a."b', "exercise_id."])
@pytest.mark.parametrize("command", ["apply", "plan"])
@on_reference
def test_a_malformed_course_path_is_refused(platform_db: PlatformDatabase, command: str, path: str) -> None:
    done = on(platform_db, command, "--course-path", path)

    assert_told(done, 2, f'"{path}"', "--course-path exercise_id.course_id")
    assert "sessiondb" not in schemas(platform_db)


def schemas(db: PlatformDatabase) -> set[str]:
    with db.connect() as connection:
        return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace")}


@on_reference
def test_an_installed_platform_keeps_its_course_path(installed_db: PlatformDatabase, dump: Callable[..., str]) -> None:
    with unchanged(installed_db, dump):
        malformed = on(installed_db, "apply", "--course-path", "a..b")
        dry = on(installed_db, "apply", "--dry-run", "--course-path", "a/b")
        another = on(installed_db, "apply", "--course-path", "item_id.course_id")
    same = on(installed_db, "apply", "--course-path", 'exercise_id . "course_id"')

    assert_told(malformed, 2, '"a..b"', "--course-path exercise_id.course_id")
    assert_told(dry, 2, '"a/b"', "--course-path exercise_id.course_id")
    assert_told(another, 5, "The course path item_id.course_id leads nowhere", "--course-path")
    assert same.code == 0


@on_reference
def test_a_course_path_that_is_ambiguous_or_leads_nowhere_is_refused(
    platform_db: PlatformDatabase, dump: Callable[..., str]
) -> None:
    execute(platform_db, "ALTER TABLE exercises ADD old_course_id uuid REFERENCES courses")
    with unchanged(platform_db, dump):
        ambiguous = on(platform_db, "apply")
        nowhere = on(platform_db, "apply", "--course-path", "nosuch.course_id")
        planned = on(platform_db, "plan")

    assert_told(ambiguous, 5, "exercise_id.course_id, exercise_id.old_course_id", "--course-path exercise_id.course_id")
    assert_told(nowhere, 5, "nosuch.course_id leads nowhere")
    assert_told(planned, 5, "exercise_id.course_id, exercise_id.old_course_id")  # a plan that could not be carried out
    assert on(platform_db, "apply", "--course-path", "exercise_id.old_course_id").code == 0


@on_reference
def test_commands_say_that_sessiondb_is_not_installed(platform_db: PlatformDatabase, dump: Callable[..., str]) -> None:
    with unchanged(platform_db, dump):
        for command in (
            "show submissions",
            "show sessions --unlinked",
            "org create --name A --slug a",
            f"session set-status {UNKNOWN} active",
        ):
            assert_told(on(platform_db, *command.split()), 1, "sessiondb is not installed", "sessiondb apply")


# the names of things


def test_an_unknown_status_is_named_with_those_that_there_are(installed_db: PlatformDatabase) -> None:
    """A CHECK, an enum: each platform has its own way to say which."""
    platform = installed_db.platform
    create = ("session", "create", "--org", "atelier-nord", "--course", COURSE, "--by", ADA, "--status", "actif")
    before = counts(installed_db)
    session = SESSION
    if platform.name == "reference":
        with installed_db.connect() as connection:
            session = str(
                platform.add_session(connection, platform.add_org(connection), platform.add_course(connection))
            )
        before = counts(installed_db)

    assert_told(on(installed_db, *create), 1, '"actif"', *platform.statuses)
    assert_told(on(installed_db, "session", "set-status", session, "actif"), 1, '"actif"', *platform.statuses)
    assert counts(installed_db) == before


@on_reference
def test_a_status_is_checked_even_where_any_text_is_taken(installed_db: PlatformDatabase) -> None:
    execute(installed_db, "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check")
    create = ("session", "create", "--org", "atelier-nord", "--course", COURSE, "--by", ADA, "--status")

    assert_told(on(installed_db, *create, "actif"), 1, '"actif"', "active", "completed")
    assert on(installed_db, *create, "paused").code == 0


@dataclass(frozen=True)
class Wrong:
    """A command line, and what must be said of it."""

    command: str
    code: int
    says: tuple[str, ...]


CREATE = f"session create --org atelier-nord --course {COURSE} --by {ADA}"
WRONG = {
    "organisation of a session": Wrong(
        CREATE.replace("atelier-nord", "nosuch"), 1, ('"nosuch"', "sessiondb org create")
    ),
    "organisation of a member": Wrong(f"member add --org nosuch --user {ADA}", 1, ('"nosuch"', "sessiondb org create")),
    "course": Wrong(CREATE.replace(COURSE, UNKNOWN), 1, (UNKNOWN, "course")),
    "creator": Wrong(CREATE.replace(ADA, UNKNOWN), 1, (UNKNOWN,)),
    "member": Wrong(f"member add --org atelier-nord --user {UNKNOWN}", 1, (UNKNOWN,)),
    "session": Wrong(f"session set-status {UNKNOWN} active", 1, (UNKNOWN, "sessiondb session list")),
    "empty title": Wrong(f"{CREATE} --title=", 1, ("title",)),
    "blank title": Wrong(f"{CREATE} --title=\t\n", 1, ("title",)),
    "empty name": Wrong("org create --name= --slug x", 1, ("a name", "Give both")),
    "empty slug": Wrong("org create --name x --slug=", 1, ("a slug", "Give both")),
    "empty role": Wrong(f"member add --org atelier-nord --user {ADA} --role=", 1, ("role", "Leave it out")),
    "title in another encoding": Wrong(f"{CREATE} --title=" + os.fsdecode(b"\xc9t\xe9"), 2, ("--title", "UTF-8")),
    "slug in another encoding": Wrong("org create --name x --slug=" + os.fsdecode(b"\xe9"), 2, ("--slug", "UTF-8")),
    "name of a course": Wrong(CREATE.replace(COURSE, "c1"), 1, ('no course "c1"', "sessiondb course list")),
    "name of a creator": Wrong(CREATE.replace(ADA, "b1"), 1, ('no user "b1"', "id")),
    "name of a member": Wrong("member add --org atelier-nord --user zzz", 1, ('no user "zzz"', "id")),
    "name of a session": Wrong("session set-status f1 active", 1, ('no session "f1"', "sessiondb session list")),
    "session to show": Wrong("show submissions --session f1", 1, ('no session "f1"', "sessiondb session list")),
    "role of a member": Wrong(f"member set-role --org campus-sud --user {ADA} trainer", 1, ("not a member", "list")),
    "member to remove": Wrong(f"member remove --org campus-sud --user {ADA}", 1, ("not a member", "list")),
    "what to show": Wrong("show students", 2, ("'students'", "submissions")),
    "no limit": Wrong("show submissions --limit 0", 2, ("--limit", "0")),
    "too great a limit": Wrong("show submissions --limit 99999999999999999999", 2, ("--limit",)),
    "migration to apply": Wrong("apply --to 9999", 2, ('"9999"', "0001.")),
    "migration to keep": Wrong("rollback --to nosuch --yes", 2, ('"nosuch"', "0001.")),
    "check": Wrong("check nosuch", 2, ('"nosuch"', "installed_objects")),
    "option": Wrong("status --nosuch", 2, ("--nosuch",)),
    "option before the command": Wrong("--nosuch status", 2, ("--nosuch",)),
    "command": Wrong("aply", 2, ("'aply'",)),
    "argument": Wrong("status now", 2, ("now",)),
    "format": Wrong("--format xml status", 2, ("'xml'", "json")),
    "missing option": Wrong("org create --name x", 2, ("'--slug'",)),
    "missing argument": Wrong("session set-status", 2, ("'SESSION'",)),
    "lock timeout of no time": Wrong("apply --lock-timeout 0", 2, ("--lock-timeout",)),
}


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[PlatformDatabase]:
    """One for all that is refused anyway."""
    with cluster.clone(PLATFORMS["reference"], installed=True) as db:
        yield db


@pytest.fixture(scope="module")
def fresh_dump() -> list[str]:
    """What the dump of ``installed`` is, once it was made."""
    return []


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_command_line_is_refused_and_changes_nothing(
    installed: PlatformDatabase, what: str, dump: Callable[..., str], fresh_dump: list[str]
) -> None:
    wrong, before = WRONG[what], counts(installed)
    fresh_dump[:] = fresh_dump or [dump(installed)]

    assert_told(on(installed, *wrong.command.split(" ")), wrong.code, *wrong.says)

    assert counts(installed) == before
    assert dump(installed) == fresh_dump[0]


@pytest.mark.parametrize(
    "title", ["'", '"', "l'été", 'a "b" c', "\\", "''; DROP TABLE sessions; --", "%s %(x)s {0} $$ $1"]
)
def test_a_title_with_quotes_is_stored_as_it_is(installed: PlatformDatabase, title: str) -> None:
    done = on(installed, *CREATE.split(), "--title", title, "--format", "json")

    assert done.code == 0, done.err
    assert done.json["title"] == title
    execute(installed, "DELETE FROM sessions")


NUMBERS = {
    f"{name} {option.opts[-1]}": option.type
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
}


@pytest.mark.parametrize("option", NUMBERS)
def test_a_number_that_no_option_can_take_is_refused(option: str) -> None:
    assert len(NUMBERS) >= 9
    for number in ("nan", "inf", "-inf", "-1", "1e30", "9" * 30, "many"):
        done = CliRunner().invoke(cli, ["-d", uri(), *option.split(), number])

        assert done.exit_code == 2, done.output
        assert done.output.splitlines()[-1].startswith(f"Error: Invalid value for '{option.split()[1]}': ")


@on_reference
def test_a_migration_that_is_not_applied_cannot_be_kept(platform_db: PlatformDatabase) -> None:
    platform_db.apply(to="0002")

    assert_told(on(platform_db, "rollback", "--to", "0004", "--yes"), 2, "0004.", "is not applied", "sessiondb status")


@on_school
def test_what_is_too_long_for_the_columns_of_the_platform_is_refused(installed_db: PlatformDatabase) -> None:
    before = counts(installed_db)

    assert_told(on(installed_db, *CREATE.split(), "--title", "x" * 201), 1, "character varying(200)")
    assert_told(on(installed_db, "org", "create", "--name", "A", "--slug", "x" * 61), 1, "character varying(60)")
    assert counts(installed_db) == before


@pytest.mark.parametrize(
    ("does", "command", "says"),
    [
        ("ALTER TABLE orgs RENAME TO organisations", "org create --name A --slug a", "orgs"),
        ("ALTER TABLE orgs RENAME slug TO key", "org create --name A --slug a", "slug"),
        ("ALTER TABLE sessions RENAME created_by TO author", CREATE, "created_by"),
        ("ALTER TABLE sessions ADD room text NOT NULL", CREATE, "room"),
        ("ALTER TABLE orgs ADD owner text NOT NULL CHECK (owner <> '')", "org create --name A --slug a", "owner"),
        ("ALTER TABLE sessions ADD CHECK (title ~ '^[A-Z]')", f"{CREATE} --title=été", "sessions_title_check"),
        ("CREATE UNIQUE INDEX one ON sessions ((true))", CREATE, "one"),
    ],
    ids=["no table", "no column", "no creator", "NOT NULL", "NOT NULL without rows", "CHECK", "unique"],
)
@on_reference
def test_a_step_of_the_guide_says_where_the_platform_is_not_as_the_guide_knows_it(
    installed_db: PlatformDatabase, does: str, command: str, says: str
) -> None:
    """What only the guide's own steps need is not asked for before an apply; they say it themselves."""
    platform: Platform = installed_db.platform
    if "UNIQUE" in does:
        with installed_db.connect() as connection:
            platform.add_session(connection, platform.add_org(connection), platform.add_course(connection))
    execute(installed_db, "DELETE FROM org_members", "DELETE FROM orgs" if "ADD owner" in does else "SELECT 1", does)

    assert_told(on(installed_db, *command.split()), 1, says)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "check", "says", "remedy"),
    [
        (
            "exercises RENAME course_id TO course",
            "course_path",
            "Column course_id of table public.exercises",
            "sessiondb apply",
        ),
        (
            "submissions RENAME exercise_id TO exercise",
            "course_path",
            "Column exercise_id of table public.submissions",
            "sessiondb apply",
        ),
        ("exercises RENAME TO tasks", "course_path", "Table public.exercises", "sessiondb apply"),
        (
            "org_members RENAME user_id TO member",
            "required_columns",
            "Column user_id of table public.org_members does not exist",
            "ALTER TABLE",
        ),
    ],
    ids=["course", "task", "table", "member"],
)
@on_reference
def test_what_the_platform_has_renamed_is_named_by_whatever_needs_it(
    installed_db: PlatformDatabase, does: str, check: str, says: str, remedy: str
) -> None:
    execute(installed_db, f"ALTER TABLE {does}")

    found = on(installed_db, "check", check)
    assert (found.code, found.err) == (4, ""), found
    assert says in " ".join(found.out.split())
    assert f"The check cannot be run: {says}" in " ".join(on(installed_db, "check", "unlinked_rows").out.split())
    for command in (f"explain --user {ADA} --course {COURSE}", "show submissions --unlinked", "backfill"):
        assert_told(on(installed_db, *command.split()), 1, says, remedy)
    if check == "required_columns":  # of our index, which follows the column, nothing is said
        refused = on(installed_db, "apply").err
        assert f"  {says}.\n    fix: " in refused
        assert refused.count("    fix: ") == 1
        first, *others = re.findall("^error +(.*)", on(installed_db, "check").out, re.MULTILINE)
        assert (first.split(":")[0], len(others)) == ("required_columns", 1)
    if says.startswith(("Column exercise_id", "Column user_id")):  # of a row that has none, s.name calls a function
        gone = r"column public\.\w+\.(exercise_id|user_id) does not exist"
        with installed_db.connect() as connection:
            for statement in BY_HAND:
                with pytest.raises(psycopg.errors.UndefinedColumn, match=gone):
                    connection.execute(statement.encode())
