"""The platform's own code, fired by ours, runs under the platform's own search_path.

Its triggers, event triggers, deferred triggers, policies, defaults, domains and inlined functions name no schema (see
platforms/cooperative.sql); each writes down the path that it saw, or fails under another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import test_rules
from conftest import Part, PlatformDatabase
from platforms import PARTICULAR
from psycopg import sql
from psycopg.conninfo import make_conninfo
from test_cli import ADA, BRUNO, CHLOE, DMITRI, PYTHON, SQL, run
from test_plan import by_psql, psql, script_for
from test_rules import world

__all__ = ["psql", "world"]  # fixtures

on_cooperative = pytest.mark.parametrize("platform", [PARTICULAR["cooperative"]], indirect=True, ids=str)
on_particular = pytest.mark.parametrize("platform", [*PARTICULAR.values()], indirect=True, ids=str)
LOGS = ("row_history", "late_history", "ddl_log")


@dataclass
class Watched:
    """A database whose platform writes down under which path its code runs.

    Attributes:
        db: the database.
        options: how a connection begins, as libpq takes them.
    """

    db: PlatformDatabase
    options: str = ""
    fired: dict[str, set[str]] = field(default_factory=dict)

    def conninfo(self, role: str | None = None) -> str:
        return make_conninfo(self.db.conninfo(role or self.db.platform.owner), options=self.options)

    def run(self, command: str, *, fires: str = "", role: str | None = None, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command, and see to what it fired: what ``fires`` lists, and all under the platform's own path."""
        done = run("-d", self.conninfo(role), "--schema", self.db.platform.schema, *command.split())
        assert done.code in codes, f"{command}: {done.code}\n{done.out[-500:]}\n{done.err[-1000:]}"
        self.see(command, fires)
        return done.out + done.err

    def see(self, what: str, fires: str = "") -> None:
        """See to what was fired since the last time."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            own = connection.execute("SHOW search_path").fetchone()
        with self.db.connect() as connection:
            connection.execute("SET search_path TO history, pg_catalog")
            seen = {
                (log, fired, path)
                for log in LOGS
                for fired, path in connection.execute(f"SELECT fired, path FROM {log}".encode()).fetchall()
            }
            connection.execute("SET session_replication_role TO replica; TRUNCATE row_history, late_history, ddl_log")
        assert own
        wrong = sorted({entry for entry in seen if schemas(entry[2]) != schemas(own[0])})
        assert wrong == [], (what, wrong)
        said = {f"{log}: {fired}" for log, fired, _ in seen}
        missing = {entry.strip() for entry in fires.split(",") if entry.strip()} - said
        assert missing == set(), (what, missing, said)


def schemas(path: str) -> list[str]:
    """The schemas of a path. We add that of temporary objects, which PostgreSQL would search first, at the end."""
    path = path.removesuffix(", pg_temp")
    return [schema.strip().strip('"') for schema in path.split(",")]


HOW = {
    "of the database": ("", None),
    "of the role": ("", "ALTER ROLE {role} IN DATABASE {database} SET search_path TO learn, extensions, history"),
    "of the connection": ("-csearch_path=learn,extensions,history", None),
}


@pytest.fixture(params=[pytest.param(how, marks=pytest.mark.like_cases) for how in HOW])
def watched(request: pytest.FixtureRequest, platform_db: PlatformDatabase) -> Watched:
    """The platform, whose own path is set in one way or another."""
    options, statement = HOW[request.param]
    names = {
        "role": sql.Identifier(str(platform_db.platform.owner)),
        "database": sql.Identifier(platform_db.name),
    }
    with platform_db.connect() as connection:
        if request.param != "of the database":
            connection.execute(sql.SQL("ALTER DATABASE {database} RESET search_path").format(**names))
        if statement:
            connection.execute(sql.SQL(statement).format(**names))
    return Watched(platform_db, options)


ROWS = "row_history: {0}, late_history: {0}"
MADE = "ddl_log: ddl_command_end CREATE FUNCTION, ddl_log: ddl_command_end CREATE INDEX"
DROPPED = "ddl_log: sql_drop DROP INDEX, ddl_log: sql_drop ALTER TABLE, ddl_log: sql_drop DROP TABLE"


@pytest.mark.slow
@on_cooperative
def test_every_command_lets_the_platform_see_its_own_path(watched: Watched) -> None:
    for command in ("status", "plan"):
        watched.run(command)
    watched.run("apply", fires=f"{MADE}, ddl_log: ddl_command_end ALTER TABLE, ddl_log: ddl_command_end CREATE TRIGGER")
    for command in ("status", "plan", "check", "show sessions", "show enrollments", "show submissions --unlinked"):
        watched.run(command)
    watched.run("org create --name Nord --slug nord", fires=ROWS.format("INSERT orgs"))
    watched.run(f"member add --org nord --user {DMITRI} --role trainer", fires=ROWS.format("INSERT org_members"))
    created = f"session create --org nord --course {SQL} --by {ADA} --format json"
    session = json.loads(watched.run(created, fires=ROWS.format("INSERT sessions")))["id"]
    watched.run("session list")
    watched.run(f"explain --user {DMITRI} --course {SQL}")
    watched.run("backfill --dry-run")
    watched.run("backfill", fires=f"{ROWS.format('UPDATE enrollments')}, {ROWS.format('UPDATE submissions')}")
    watched.run(f"session set-status {session} completed", fires=ROWS.format("UPDATE sessions"))
    watched.run("rollback --all --yes", fires=DROPPED)
    # the links that were saved are restored
    watched.run("apply", fires=f"{MADE}, {ROWS.format('UPDATE enrollments')}, {ROWS.format('UPDATE submissions')}")
    watched.run("check")


@pytest.mark.slow
@on_cooperative
def test_half_of_an_apply_or_a_rollback_lets_it_see_its_own_path(watched: Watched, part: Part) -> None:
    """Whatever commit they are stopped at, and what completes them."""
    stops = [1, *part(range(2, 9))]
    for number in stops:
        watched.run(f"apply --to 000{number}")
        watched.run("check", codes=(0, 4))
    watched.run("apply")
    watched.run("backfill", fires=ROWS.format("UPDATE enrollments"))
    for number in reversed(stops):
        watched.run(f"rollback --to 000{number} --yes")
        watched.run("status")
    watched.run("apply", fires=ROWS.format("UPDATE enrollments"))


@pytest.mark.slow
@on_cooperative
def test_the_script_for_psql_lets_it_see_its_own_path(watched: Watched, psql: str, tmp_path: Path) -> None:
    for _ in range(2):
        done = by_psql(psql, watched.db, script_for(watched.db), tmp_path, {"PGOPTIONS": watched.options})
        assert done.code == 0, done.err
        watched.see("plan --sql")
    watched.run("backfill", fires=ROWS.format("UPDATE enrollments"))
    watched.run("rollback --to 0003 --yes")
    assert by_psql(psql, watched.db, script_for(watched.db), tmp_path, {"PGOPTIONS": watched.options}).code == 0
    watched.see("plan --sql, again")


@on_cooperative
def test_the_procedure_lets_it_see_its_own_path(watched: Watched) -> None:
    """Also where the caller has set another path: what counts is the one that the connection began with."""
    watched.run("apply")
    with psycopg.connect(watched.conninfo(), autocommit=True) as owner:
        owner.execute("SET search_path TO pg_catalog")
        owner.execute("CALL sessiondb.backfill()")
    watched.see(
        "CALL sessiondb.backfill()", fires=f"{ROWS.format('UPDATE enrollments')}, {ROWS.format('UPDATE submissions')}"
    )


@on_cooperative
def test_triggers_that_are_taken_over_see_the_platforms_own_path(watched: Watched) -> None:
    with psycopg.connect(watched.conninfo(), autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION own_link() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'"
        )
        for table in ("enrollments", "submissions"):
            owner.execute(f"ALTER TABLE {table} ADD session_id uuid".encode())
            owner.execute(
                f"CREATE TRIGGER own_link BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION own_link()".encode()
            )
    watched.see("the platform's own")
    watched.run("apply", codes=(5,))
    watched.run("apply --adopt", fires="ddl_log: sql_drop DROP TRIGGER")
    watched.run("check")
    watched.run("rollback --all --yes", fires="ddl_log: ddl_command_end CREATE TRIGGER")


@on_cooperative
def test_a_role_under_row_level_security_reads_through_the_helpers_of_the_policies(
    installed_db: PlatformDatabase,
) -> None:
    """As docs/grants.md has it for those who only read."""
    app = str(installed_db.platform.student_role)
    with installed_db.connect() as connection:
        connection.execute("GRANT USAGE ON SCHEMA sessiondb TO coop_app")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO coop_app")
        connection.execute("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA sessiondb TO coop_app")
        connection.execute("GRANT SELECT ON learn.orgs, learn.users TO coop_app")
    watched = Watched(installed_db, f"-crequest.jwt.claim.sub={BRUNO}")
    for command in ("session list", "show sessions", "show enrollments", "show submissions", "status"):
        watched.run(command, role=app)
    assert "Été 2024" in watched.run("session list", role=app)
    assert "linked" in watched.run(f"explain --user {BRUNO} --course {PYTHON}", role=app)
    watched.run("check", role=app, codes=(0, 4))
    watched.run("backfill --dry-run", role=app)


@pytest.fixture
def quiet_db(installed_db: PlatformDatabase) -> PlatformDatabase:
    """With sessiondb; the platform's own triggers, which fail under another path, are disabled."""
    with installed_db.connect() as connection:
        for table in ("enrollments", "submissions"):
            connection.execute(
                f"ALTER TABLE {table} DISABLE TRIGGER history, DISABLE TRIGGER stamp, DISABLE TRIGGER late_history".encode()
            )
            connection.execute(
                "DO $$ DECLARE v text; BEGIN FOR v IN SELECT conname FROM pg_constraint WHERE contype = 'c' AND"
                f" conrelid = '{table}'::regclass LOOP EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', v); END LOOP; END $$".encode()
            )
    return installed_db


PATHS = ["pg_catalog", "pg_temp, pg_catalog", "nowhere", "learn"]


@pytest.mark.parametrize("path", PATHS)
@on_cooperative
def test_a_trigger_reads_under_the_path_of_apply_whatever_that_of_its_caller_is(
    quiet_db: PlatformDatabase, path: str
) -> None:
    """The policies on sessions and org_members are forced on their owner, too, and their helpers read tables."""
    platform = quiet_db.platform
    with quiet_db.connect() as connection:
        session = platform.add_session(connection, platform.add_org(connection), UUID(SQL))
        student = platform.add_user(connection)
        connection.execute(
            "INSERT INTO org_members (org_id, user_id) SELECT org_id, %s FROM sessions WHERE id = %s",
            [student, session],
        )
        task = platform.new_task(connection, UUID(SQL))
    with quiet_db.connect(platform.student_role) as app:
        app.execute("SELECT set_config('request.jwt.claim.sub', %s, false)", [str(student)])
        app.execute("SELECT set_config('search_path', %s, false)", [path])
        call = "SELECT learn.get_user_session_for_course(%s, %s)"
        assert app.execute(call, [student, UUID(SQL)]).fetchone() == (session,)
    # the policies on what a student writes are read under the student's own path, whatever we do
    with quiet_db.connect() as connection:
        connection.execute(
            "ALTER TABLE enrollments DISABLE ROW LEVEL SECURITY; ALTER TABLE submissions DISABLE ROW LEVEL SECURITY"
        )
    with quiet_db.connect(platform.student_role) as app:
        app.execute("SELECT set_config('search_path', %s, false)", [path])
        for table, column, value in (("enrollments", "course_id", SQL), ("submissions", "exercise_id", task)):
            inserted = app.execute(
                sql.SQL("INSERT INTO {} (user_id, {}) VALUES ({}, {}) RETURNING session_id").format(
                    sql.Identifier("learn", table), sql.Identifier(column), str(student), str(value)
                )
            ).fetchone()
            assert inserted == (session,)


@on_cooperative
def test_keys_that_ignore_case_lead_to_the_course(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'citext'").rowcount == 0:
            pytest.skip("this server has no citext")
        student = platform.add_user(connection)
        platform.add_member(connection, platform.add_org(connection), student)
        session = connection.execute(
            "INSERT INTO sessions (org_id, course_id, title, status)"
            " SELECT org_id, %s, 'A session', 'active' FROM org_members WHERE user_id = %s RETURNING id",
            [SQL, student],
        ).fetchone()
        submitted = connection.execute(
            "INSERT INTO submissions (user_id, exercise_id) VALUES (%s, 'JOIN-1') RETURNING session_id, id", [student]
        ).fetchone()
        assert (session, submitted) == (session, (*(session or ()), *(submitted or ())[1:]))
        connection.execute("UPDATE submissions SET session_id = NULL WHERE user_id = %s", [student])
    watched = Watched(installed_db)
    assert submitted
    assert "linked" in watched.run(f"explain --submission {submitted[1]}")
    watched.run("backfill")
    watched.run("check")
    with installed_db.connect() as connection:
        found = connection.execute("SELECT session_id FROM submissions WHERE user_id = %s", [student]).fetchone()
    assert found == session


@on_cooperative
def test_a_role_that_is_a_domain_is_checked_by_the_platform(installed_db: PlatformDatabase) -> None:
    watched = Watched(installed_db)
    watched.run(f"member add --org campus-sud --user {DMITRI} --role trainer", fires=ROWS.format("INSERT org_members"))
    refused = watched.run(f"member add --org campus-sud --user {BRUNO} --role boss", codes=(1,))
    assert "member_role" in refused


@on_cooperative
def test_a_path_on_which_pg_catalog_is_not_the_first_is_refused(platform_db: PlatformDatabase) -> None:
    """An operator in a schema before it would be taken for PostgreSQL's."""
    with platform_db.connect() as connection:
        name = sql.Identifier(platform_db.name)
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path TO learn, pg_catalog").format(name))
    refused = run("-d", platform_db.conninfo(platform_db.platform.owner), "--schema", "learn", "apply")
    assert refused.code == 5, refused.err
    assert "pg_catalog" in refused.err
    assert "search_path" in refused.err


@pytest.mark.slow
@on_particular
def test_a_schema_whose_name_ends_what_quotes_it_is_a_name_like_any_other(
    platform_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    schema, owner = platform_db.platform.schema, platform_db.conninfo(platform_db.platform.owner)
    for command in (
        "plan",
        "apply",
        "status",
        "check",
        f"session create --org atelier-nord --course {SQL} --by {ADA}",
        f"member add --org atelier-nord --user {DMITRI}",
        "backfill",
        "show sessions",
        "show enrollments",
        "show submissions --unlinked",
        f"explain --user {CHLOE} --course {SQL}",
        "check",
        "rollback --to 0003 --yes",
        "apply",
        "check",
        "rollback --all --yes",
    ):
        done = run("-d", owner, "--schema", schema, *command.split())
        assert done.code == 0, (command, done.err)
    done = by_psql(psql, platform_db, script_for(platform_db), tmp_path)
    assert done.code == 0, done.err
    checked = run("-d", owner, "check")
    assert checked.code == 0, checked.out


# the rules, on these platforms, too


@on_particular
class TestTheSessionOfAUserInACourse(test_rules.TestTheSessionOfAUserInACourse):
    pass


@on_particular
class TestTheFunction(test_rules.TestTheFunction):
    test_shows_no_caller_what_they_may_not_read = None  # type: ignore[assignment]  # coop_app may read what concerns it


@on_particular
class TestASubmission(test_rules.TestASubmission):
    pass


@on_particular
class TestSessionsAreOptional(test_rules.TestSessionsAreOptional):
    test_a_submission_for_an_item_in_no_module_is_stored = None  # type: ignore[assignment]  # of a platform of its own


@on_particular
class TestAGivenSession(test_rules.TestAGivenSession):
    pass


@on_particular
class TestRowsInBulk(test_rules.TestRowsInBulk):
    test_under_any_search_path = None  # type: ignore[assignment]  # the platform's own code does not run so
