"""What a role may do with sessiondb in the database: no more than its command needs, and nothing by accident."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PARTICULAR, PLATFORMS
from psycopg import errors, sql
from test_checks import brief, check, look
from test_cli import ADA, BRUNO, SQL, Run, run
from test_rules import World, as_writer

from sessiondb.errors import PlatformRefusedError
from sessiondb.resources import query

GRANTS = Path(__file__).parents[1] / "docs" / "grants.md"
DRAFT = "00000000-0000-4000-8000-0000000000f9"
on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)

# the grants that each command needs

EXAMPLES = {
    "status": ["status"],
    "plan": ["plan"],
    "check": ["check"],
    "explain": ["explain --submission 00000000-0000-4000-8000-000000000021"],
    "show sessions": ["show sessions"],
    "show enrollments": ["show enrollments"],
    "show submissions": ["show submissions"],
    "show submissions --unlinked": ["show submissions --unlinked"],
    "session list": ["session list"],
    "backfill --dry-run": ["backfill --dry-run"],
    "backfill": ["backfill", "backfill"],  # the second takes the progress of the first away
    "org create": ["org create --name N --slug n"],
    "org list": ["org list"],
    "course list": ["course list"],
    "member list": ["member list --org campus-sud"],
    "member add": [f"member add --org campus-sud --user {BRUNO}"],
    "member set-role": [f"member set-role --org atelier-nord --user {ADA} trainer"],
    "member remove": [f"member remove --org atelier-nord --user {ADA}"],
    "session create": [f"session create --org atelier-nord --course {SQL} --by {ADA}"],
    "session set-status": [f"session set-status {DRAFT} completed"],
}


def documented() -> dict[str, list[str]]:
    """The commands of docs/grants.md, each with its grants, one object and one privilege each."""
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", GRANTS.read_text(encoding="utf-8"), re.MULTILINE)
    return {command.strip("`"): [*single_grants(" ".join(re.findall(r"`([^`]*)`", cell)))] for command, cell in rows}


def single_grants(statements: str) -> Iterator[str]:
    for statement in filter(None, map(str.strip, statements.split(";"))):
        match = re.fullmatch(r"GRANT ([A-Z, ]+) ON (SCHEMA |DATABASE |ROUTINE |)(.+) TO someone", statement)
        assert match, statement
        privileges, kind, objects = match.groups()
        for privilege in privileges.split(", "):
            yield from (f"{privilege} ON {kind}{name}" for name in objects.split(", "))


def test_every_command_is_documented_and_tried() -> None:
    assert documented().keys() == {"apply`, `rollback", *EXAMPLES}


@pytest.fixture
def someone(new_role: str, installed_db: PlatformDatabase) -> Iterator[Callable[..., None]]:
    """``someone("GRANT", "SELECT ON sessions")`` gives or takes a grant; no role has one at first."""
    with installed_db.connect() as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(
            "INSERT INTO sessions (id, org_id, course_id, title) SELECT %s, id, %s, 'x' FROM orgs LIMIT 1", [DRAFT, SQL]
        )
        connection.execute(  # so that a backfill has something to link
            "INSERT INTO sessions (org_id, course_id, title, status)"
            " SELECT DISTINCT m.org_id, c.id, 'y', 'active' FROM org_members AS m CROSS JOIN courses AS c"
        )
        connection.execute(  # which check names
            "WITH o AS (INSERT INTO orgs (name, slug) VALUES ('Without sessions', 'without-sessions') RETURNING id)"
            " INSERT INTO org_members (org_id, user_id) SELECT o.id, u.id FROM o, (SELECT id FROM users ORDER BY id LIMIT 1) AS u"
        )

        def change(verb: LiteralString, grant: str) -> None:
            for table in ("enrollments", "submissions"):  # a backfill may have come some way
                connection.execute(f"UPDATE {table} SET session_id = NULL WHERE session_id IS NOT NULL".encode())
            connection.execute("DELETE FROM sessiondb.backfill_progress")
            way: LiteralString = "TO" if verb == "GRANT" else "FROM"
            connection.execute(f"{verb} {grant} {way} {new_role}".encode())

        yield change


@pytest.mark.slow
@pytest.mark.parametrize("command", EXAMPLES)
@on_reference
def test_a_command_needs_just_the_grants_that_are_documented(
    new_role: str, installed_db: PlatformDatabase, someone: Callable[..., None], command: str
) -> None:
    grants = documented()[command]
    for grant in grants:
        someone("GRANT", grant)

    def ran() -> list[Run]:
        return [run("-d", installed_db.conninfo(new_role), *words.split(" ")) for words in EXAMPLES[command]]

    for grant in grants:
        someone("REVOKE", grant)
        last = ran()[-1]
        is_told = "could not be counted" in last.err  # the session is there all the same
        assert last.code in {1, 4} or is_told, f"{command} does not need {grant}"
        said = last.out if last.code == 4 else last.err
        named = grant.split(" ")[-1].split(".")[-1]
        assert named in said or "does not exist" in said, (grant, said)
        assert "Traceback" not in said
        assert "bug in sessiondb" not in said
        someone("GRANT", grant)
    for done in ran():
        assert done.code == 0, done


@on_reference
def test_apply_and_rollback_need_no_superuser(new_role: str, platform_db: PlatformDatabase) -> None:
    """Only to own the four tables, and to read those on the way to the course."""
    with platform_db.connect() as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for table in ("org_members", "sessions", "enrollments", "submissions"):
            connection.execute(f"ALTER TABLE {table} OWNER TO {new_role}".encode())
        for grant in documented()["apply`, `rollback"]:
            connection.execute(f"GRANT {grant.replace('platform', platform_db.name)} TO {new_role}".encode())
        flags = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = %s", [new_role]
        ).fetchone()
        assert flags == (False, False, False)

    conninfo = platform_db.conninfo(new_role)
    assert run("-d", conninfo, "apply").code == 0
    with platform_db.connect() as connection:
        world = World(platform_db.platform, connection)
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        assert world.write("submissions", user, course) == session
    assert run("-d", conninfo, "rollback", "--all", "--yes").code == 0


# what others give away

EVERYTHING: LiteralString = """
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON SCHEMAS TO {role};
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO {role}, PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON FUNCTIONS TO {role};
"""


@on_hosted
def test_default_privileges_of_the_platform_open_nothing(new_role: str, platform_db: PlatformDatabase) -> None:
    """Neither after apply, nor while links are saved between a rollback and the next apply."""
    names = {"owner": sql.Identifier("hosted_owner"), "role": sql.Identifier(new_role)}
    with platform_db.connect() as connection:
        connection.execute(sql.SQL(EVERYTHING).format(**names))
        platform_db.apply()
        assert others_in_schema_sessiondb(connection) == []
        assert check(platform_db, "grants") == []
        world = World(platform_db.platform, connection)
        org, course = world.org(), world.course()
        world.session(org, course)
        world.enroll(world.user(org), course)
        platform_db.rollback()
        assert connection.execute("SELECT count(*) FROM sessiondb.saved_links_of_enrollments").fetchone() == (1,)
        assert others_in_schema_sessiondb(connection) == []


@on_hosted
def test_the_default_privileges_of_a_superuser_who_works_for_the_owner_open_nothing(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """What a superuser creates in an installation of the owner is given to the owner, with what was granted on it."""
    platform_db.apply()
    with platform_db.connect() as connection:
        names = {"owner": sql.SQL("CURRENT_USER"), "role": sql.Identifier(new_role)}
        connection.execute(sql.SQL(EVERYTHING).format(**names))
        superuser = replace(platform_db, platform=replace(platform_db.platform, owner=None))
        for change in ("rollback", "apply", "rollback"):
            run("-d", superuser.conninfo(), change, *(["--to", "0005", "--yes"] * (change == "rollback")))
            assert others_in_schema_sessiondb(connection) == [], change
        owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'sessiondb'::regnamespace"
        assert connection.execute(owners).fetchall() == [("hosted_owner",)]


@on_hosted
def test_no_role_may_execute_a_trigger_function_however_that_was_granted(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """It could attach the function to a table of its own."""
    with installed_db.connect() as connection:
        grant = "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA sessiondb GRANT EXECUTE ON FUNCTIONS TO {}"
        connection.execute(sql.SQL(grant).format(sql.Identifier("hosted_owner"), sql.Identifier(new_role)))
        installed_db.rollback("0006")
        installed_db.apply()
        may = [
            name
            for kind, name, *_ in others_in_schema_sessiondb(connection)
            if kind == "function" and name in ("link_enrollment", "link_submission", "check_session", "note_change")
        ]
        assert may == []


def others_in_schema_sessiondb(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """What other roles than the owner have there, except the functions for PUBLIC."""
    return connection.execute(
        """
        SELECT o.kind, o.name, a.grantee::regrole, a.privilege_type
          FROM (SELECT 'schema', nspname, nspowner, nspacl FROM pg_namespace WHERE nspname = 'sessiondb'
                 UNION ALL
                SELECT 'relation', relname, relowner, relacl FROM pg_class WHERE relnamespace = 'sessiondb'::regnamespace
                 UNION ALL
                SELECT 'function', proname, proowner, coalesce(proacl, acldefault('f', proowner))
                  FROM pg_proc WHERE pronamespace = 'sessiondb'::regnamespace
               ) AS o (kind, name, owner, acl)
         CROSS JOIN aclexplode(o.acl) AS a
         WHERE a.grantee <> o.owner AND NOT (o.kind = 'function' AND a.grantee = 0)
        """
    ).fetchall()


@on_hosted
def test_a_role_that_was_granted_what_opens_the_schema_is_found(new_role: str, installed_db: PlatformDatabase) -> None:
    role = sql.Identifier(new_role)
    with installed_db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA sessiondb TO {}").format(role))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO {}").format(role))
        assert check(installed_db, "grants") == []  # who runs check and status needs them
        connection.execute(sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sessiondb TO {}").format(role))
        connection.execute(sql.SQL("GRANT UPDATE ON sessiondb.installation TO {}").format(role))
        connection.execute(sql.SQL("GRANT TRIGGER ON enrollments TO {}").format(role))
        findings = check(installed_db, "grants")
        assert [(level, object_) for _, level, object_ in brief(findings)] == [
            *(("error", f"function sessiondb.{name}") for name in DEFINERS),
            ("error", "table sessiondb.installation"),
            ("warning", "table enrollments"),
        ]
        assert all(new_role in finding.detail for finding in findings)
        for finding in findings:
            connection.execute(finding.fix.encode())
        assert check(installed_db, "grants") == []


DEFINERS = (
    *("check_session()", "link_enrollment()", "link_submission()", "note_change()", "require_owner()"),
    "sessions_of_staff(uuid)",
)
"""And what could be attached to another table."""


# what a stranger has made where we come to live

STRANGERS: dict[str, tuple[LiteralString, str]] = {
    "schema": ("CREATE SCHEMA sessiondb AUTHORIZATION {role}", "schema sessiondb"),
    "table": (
        "CREATE SCHEMA sessiondb; CREATE TABLE sessiondb.saved_links_of_enrollments ();"
        "ALTER TABLE sessiondb.saved_links_of_enrollments OWNER TO {role}",
        "schema sessiondb",
    ),
    "function": (
        "CREATE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';"
        "ALTER FUNCTION get_user_session_for_course OWNER TO {role}",
        "ROUTINE public.get_user_session_for_course(uuid,uuid)",
    ),
    "table of the rules": ("ALTER TABLE sessions OWNER TO {role}", "public.sessions"),
    "table that a command writes": ("ALTER TABLE orgs OWNER TO {role}", "public.orgs"),
    "table on the way to the course": ("ALTER TABLE modules OWNER TO {role}", "TABLE public.modules"),
    "view": (
        "ALTER TABLE orgs RENAME TO organisations; CREATE VIEW orgs AS SELECT * FROM organisations;"
        "ALTER VIEW orgs OWNER TO {role}",
        "public.orgs",
    ),
}


@pytest.mark.parametrize("what", STRANGERS)
@on_hosted
def test_a_superuser_takes_over_nothing_that_a_stranger_owns(
    new_role: str, platform_db: PlatformDatabase, what: str
) -> None:
    """They could change it afterwards, and have it run with the superuser's rights."""
    statement, object_ = STRANGERS[what]
    with platform_db.connect() as connection:
        connection.execute(sql.SQL(statement).format(role=sql.Identifier(new_role)))

    try:
        findings = look(platform_db, user=superuser(platform_db))
    except PlatformRefusedError as error:  # before anything in schema sessiondb is read
        findings = error.findings

    assert {("owners", "error", object_), ("table_owners", "error", object_)} & {*brief(findings)}
    assert any(new_role in finding.detail for finding in findings)


def superuser(db: PlatformDatabase) -> str:
    with db.connect() as connection:
        return connection.info.user


@on_hosted
def test_a_superuser_who_does_not_own_the_tables_is_warned(platform_db: PlatformDatabase) -> None:
    findings = look(platform_db, user=superuser(platform_db))

    assert brief(findings) == [("owners", "warning", superuser(platform_db))]
    assert "hosted_owner" in findings[0].fix
    assert look(platform_db) == []


# the owner of the functions


@pytest.mark.slow
@on_hosted
def test_what_a_superuser_applies_to_an_installation_belongs_to_its_owner(platform_db: PlatformDatabase) -> None:
    """Or the trigger functions would run with the rights of a superuser, and the owner could not go on."""
    owner, admin = ("-d", platform_db.conninfo("hosted_owner")), ("-d", platform_db.conninfo(), "--schema", "public")
    assert run(*owner, "apply").code == 0
    for to in ("0008", "0005", "0001"):
        assert run(*admin, "rollback", "--to", to, "--yes").code == 0
        assert run(*admin, "apply").code == 0
        with platform_db.connect() as connection:
            owners = connection.execute(
                "SELECT DISTINCT pg_get_userbyid(p.proowner) FROM pg_proc AS p"
                " WHERE p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course'"
            ).fetchall()
        assert owners == [("hosted_owner",)], to
        assert run(*owner, "status", "--exit-code").code == 0
        assert run(*owner, "backfill").code == 0


@on_hosted
def test_students_write_while_a_superuser_rolls_back_and_the_owner_applies_again(platform_db: PlatformDatabase) -> None:
    """What the rollback saves belongs to the role that applied, as whom the trigger saves links."""
    owner = ("-d", platform_db.conninfo("hosted_owner"))
    assert run(*owner, "apply").code == 0
    assert run("-d", platform_db.conninfo(), "--schema", "public", "rollback", "--to", "0005", "--yes").code == 0
    with platform_db.connect() as connection:
        connection.execute(
            "UPDATE submissions SET session_id = session_id; UPDATE enrollments SET session_id = session_id"
        )
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class AS c"
            " WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind = 'r'"
        ).fetchall()
    assert owners == [("hosted_owner",)]
    assert run(*owner, "apply").code == 0
    assert run(*owner, "status", "--exit-code").code == 0


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize(
    "lost",
    [
        "REVOKE USAGE ON SCHEMA public FROM {role}, PUBLIC",
        "REVOKE SELECT ON org_members FROM {role}",
        "REVOKE UPDATE ON sessions FROM {role}",
        "REVOKE SELECT ON exercises FROM {role}",
        "REVOKE SELECT ON sessions FROM {role}; GRANT SELECT (id, org_id, status) ON sessions TO {role}",
        "REVOKE USAGE ON SCHEMA sessiondb FROM {role}",
        "REVOKE EXECUTE ON FUNCTION sessiondb.find_session FROM {role}",
        "REVOKE UPDATE ON enrollments FROM {role}",
        "REVOKE SELECT ON enrollments FROM {role}; GRANT SELECT (user_id, course_id) ON enrollments TO {role}",
        "ALTER TABLE submissions OWNER TO {role}; REVOKE SELECT ON submissions FROM {role}",
        "REVOKE SELECT ON sessiondb.installation FROM {role}",
        "CREATE FUNCTION public.sees() RETURNS boolean LANGUAGE sql RETURN true; ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON sessions USING (public.sees()); REVOKE EXECUTE ON FUNCTION public.sees FROM PUBLIC",
        "CREATE FUNCTION public.fits() RETURNS boolean LANGUAGE sql RETURN true; ALTER TABLE enrollments ADD CHECK (public.fits());"
        "REVOKE EXECUTE ON FUNCTION public.fits FROM PUBLIC",
        "REVOKE DELETE ON sessiondb.backfill_progress FROM {role}",
    ],
)
@on_reference
def test_a_right_that_the_owner_of_the_functions_lost_is_found_and_its_fix_restores_it(
    new_role: str, installed_db: PlatformDatabase, lost: LiteralString
) -> None:
    """Also how an installation is given to another owner, as docs/grants.md says."""
    role = sql.Identifier(new_role)
    ((pinned, statement),) = re.findall(
        r"```sql\n(SET search_path [^\n]*)\n([^`]*)\\gexec\nRESET search_path;\n```", GRANTS.read_text(encoding="utf-8")
    )
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE FUNCTION format(text, text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'"
        )
        connection.execute(pinned.encode())
        connection.execute(
            "CREATE FUNCTION public.get_user_session_for_course(date) RETURNS text LANGUAGE sql SECURITY DEFINER RETURN '';"
            "CREATE FUNCTION sessiondb.replaced_get_user_session_for_course(uuid, p_id uuid) RETURNS uuid LANGUAGE sql RETURN p_id"
        )
        alters = [alter for (alter,) in connection.execute(statement.replace("new_owner", new_role))]
        assert not [alter for alter in alters if "(date)" in alter or "replaced" in alter]
        for alter in alters:
            connection.execute(alter)
        connection.execute("RESET search_path")
        for grant in (
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT ON org_members, sessions, enrollments, exercises TO {role}",
            "GRANT UPDATE ON sessions TO {role}",
            "ALTER TABLE enrollments OWNER TO {role}",
        ):
            connection.execute(sql.SQL(grant).format(role=role))
        assert [f for f in check(installed_db) if f.check == "owner_rights"] == []

        connection.execute(sql.SQL(lost).format(role=role))
        (finding,) = [f for f in check(installed_db) if f.check == "owner_rights"]
        assert finding.level == "error"
        assert new_role in run("-d", installed_db.conninfo(), "status").out
        connection.execute(finding.fix.encode())
        assert [f for f in check(installed_db) if f.check == "owner_rights"] == []


@on_hosted
@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE INDEX ON submissions (norm(id::text))"],
        ["ALTER TABLE submissions ADD COLUMN low text GENERATED ALWAYS AS (norm(id::text)) STORED"],
        [
            "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER quiet BEFORE UPDATE ON submissions FOR EACH ROW WHEN (norm(NEW.id::text) = 'x') EXECUTE FUNCTION quiet()",
        ],
        [
            "CREATE DOMAIN note AS text CHECK (norm(VALUE) <> '!')",
            "ALTER TABLE submissions ADD COLUMN remark note",
        ],
    ],
    ids=["an index", "a generated column", "the condition of a trigger", "a domain"],
)
def test_a_function_that_the_owner_evaluates_when_it_writes_and_may_not_execute_any_more_is_found(
    installed_db: PlatformDatabase, statements: list[LiteralString]
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE FUNCTION norm(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower($1); END'"
        )
        for statement in statements:
            connection.execute(statement)
        assert [f for f in check(installed_db) if f.check == "owner_rights"] == []
        connection.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")

        (finding,) = [f for f in check(installed_db) if f.check == "owner_rights"]
        assert "FUNCTION public.norm(text)" in finding.fix
        connection.execute(finding.fix.encode())
    assert [f for f in check(installed_db) if f.check == "owner_rights"] == []


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_table_of_a_policy_that_the_owner_may_not_read_any_more_is_found(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE TABLE public.tenants (id uuid); GRANT SELECT ON public.tenants TO hosted_owner;"
            "CREATE POLICY of_tenants ON public.sessions AS RESTRICTIVE USING (org_id IN (SELECT t.id FROM public.tenants AS t) OR true);"
            "CREATE TABLE public.others (id uuid);"
            "CREATE POLICY of_others ON public.sessions TO pg_monitor USING (org_id IN (SELECT o.id FROM public.others AS o));"
            "ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        )
        assert [f for f in check(installed_db) if f.check == "owner_rights"] == []
        connection.execute("REVOKE SELECT ON public.tenants FROM hosted_owner")

        (finding,) = [f for f in check(installed_db) if f.check == "owner_rights"]
        assert finding.fix == "GRANT SELECT ON public.tenants TO hosted_owner"


@pytest.mark.parametrize("platform", [PARTICULAR["cooperative"]], indirect=True, ids=str)
def test_the_function_of_an_operator_that_the_owner_may_not_execute_any_more_is_found(
    installed_db: PlatformDatabase,
) -> None:
    """An extension's, by which a submission's exercise is found."""
    with installed_db.connect() as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'citext'").rowcount == 0:
            pytest.skip("this server has no citext")
        connection.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA extensions FROM PUBLIC")

        fixes = [f.fix for f in check(installed_db) if f.check == "owner_rights"]
        assert [f for f in fixes if "citext_eq" in f]
        for fix in fixes:
            connection.execute(fix.encode())
    assert [f for f in check(installed_db) if f.check == "owner_rights"] == []


@on_hosted
def test_a_table_that_the_role_of_check_may_not_read_is_granted_to_it_by_the_fix(platform_db: PlatformDatabase) -> None:
    platform_db.apply()
    dsn = ("-d", platform_db.conninfo("hosted_owner"), "--format", "json", "check")
    with platform_db.connect() as connection:
        connection.execute("REVOKE SELECT ON courses, orgs FROM hosted_owner")
        denied = [f for f in run(*dsn).json["findings"] if "permission denied" in f["detail"]]
        assert {f["fix"] for f in denied} == {"GRANT SELECT ON public.courses, public.orgs TO hosted_owner"}
        connection.execute(denied[0]["fix"].encode())
    assert not [f for f in run(*dsn).json["findings"] if "cannot be run" in f["detail"]]


@on_hosted
def test_what_a_superuser_applied_by_mistake_is_given_to_the_owner_as_the_page_says(
    platform_db: PlatformDatabase,
) -> None:
    """Also when it was rolled back, and only the saved links are there."""
    ((pinned, statement),) = re.findall(
        r"```sql\n(SET search_path [^\n]*)\n([^`]*)\\gexec\nRESET search_path;\n```", GRANTS.read_text(encoding="utf-8")
    )
    superuser = replace(platform_db, platform=replace(platform_db.platform, owner=None))
    superuser.apply()
    (warning,) = [f for f in check(superuser) if f.check == "owner_rights"]
    assert (warning.level, warning.object) == ("warning", "postgres")
    run("-d", superuser.conninfo(), "backfill")
    assert run("-d", superuser.conninfo(), "rollback", "--all", "--yes").code == 0
    refused = run("-d", platform_db.conninfo("hosted_owner"), "apply")
    assert (refused.code, "To change the owner, see docs/grants.md" in refused.err) == (5, True)
    with platform_db.connect() as connection:
        connection.execute(pinned.encode())
        for (alter,) in connection.execute(statement.replace("new_owner", "hosted_owner")).fetchall():
            connection.execute(alter)
    assert run("-d", platform_db.conninfo("hosted_owner"), "apply").code == 0
    assert [f for f in check(platform_db) if f.check == "owner_rights"] == []
    assert "superuser" not in run("-d", superuser.conninfo(), "apply").err


@pytest.mark.parametrize("platform", [PLATFORMS["academy"], PLATFORMS["school"]], indirect=True, ids=str)
def test_a_role_that_everything_was_given_to_goes_on_as_its_owner(
    new_role: str, installed_db: PlatformDatabase, cluster: Cluster
) -> None:
    """As docs/grants.md says."""
    platform, role = installed_db.platform, sql.Identifier(new_role)
    with installed_db.connect() as connection:
        for given in ("REASSIGN OWNED BY {owner} TO {role}", "GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"):
            names = {
                "owner": sql.Identifier(platform.owner or ""),
                "role": role,
                "schema": sql.Identifier(platform.schema),
            }
            connection.execute(sql.SQL(given).format(**names))
        cluster.execute("GRANT CREATE ON DATABASE {} TO {}", installed_db.name, new_role)
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, user, course) == session
    for command in (
        "check",
        "status --exit-code",
        "rollback --all --yes",
        f"apply --schema {platform.schema}",
        "check",
    ):
        done = run("-d", installed_db.conninfo(new_role), *command.split())
        assert done.code == 0, done


@on_hosted
def test_a_policy_that_names_the_former_owner_is_found_and_the_fix_adds_the_new_one(
    new_role: str, installed_db: PlatformDatabase, cluster: Cluster
) -> None:
    with installed_db.connect() as connection:
        for statement in (
            "ALTER TABLE submissions FORCE ROW LEVEL SECURITY",
            'CREATE POLICY "of the owner" ON submissions TO hosted_owner USING (true)',
            f"REASSIGN OWNED BY hosted_owner TO {new_role}",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {new_role}",
        ):
            connection.execute(statement.encode())
        (found,) = [
            f
            for f in run("-d", installed_db.conninfo(new_role), "check", "--format", "json").json["findings"]
            if f["check"] == "row_security"
        ]
        first, other = found["fix"].split("\n")
        assert other == "Or: ALTER TABLE public.submissions NO FORCE ROW LEVEL SECURITY"
        connection.execute(first.split(": ", 1)[1].encode())
        assert connection.execute(
            "SELECT cardinality(polroles) FROM pg_policy WHERE polname = 'of the owner'"
        ).fetchone() == (2,)
    assert run("-d", installed_db.conninfo(new_role), "check", "row_security").out == "No problems found.\n"


# what is called directly


def test_a_trigger_function_has_no_effect_when_called_directly(new_role: str, installed_db: PlatformDatabase) -> None:
    """Even where a role was granted all that could be."""
    with installed_db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA sessiondb TO {}").format(sql.Identifier(new_role)))
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(new_role)))
        connection.execute("CREATE TEMPORARY TABLE own (user_id uuid, course_id uuid, session_id uuid)")
        for name in DEFINERS[:-1]:
            function = sql.Identifier("sessiondb", name.removesuffix("()"))
            trigger = "CREATE TRIGGER t BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION {}()"
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(sql.SQL(trigger).format(function))
        connection.execute("RESET ROLE")
        connection.execute(
            "CREATE TRIGGER t AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION sessiondb.note_change('DROP SCHEMA public')"
        )
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="whose links sessiondb does not save"):
            connection.execute("INSERT INTO own DEFAULT VALUES")
        assert connection.execute("SELECT to_regnamespace('public') IS NULL").fetchone() == (False,)


def test_saved_links_are_taken_of_the_platform_tables_alone(installed_db: PlatformDatabase) -> None:
    installed_db.rollback("0006")
    with installed_db.connect() as connection:
        connection.execute("SELECT set_config('sessiondb.schema', %s, false)", [installed_db.platform.schema])
        connection.execute("SET search_path TO pg_catalog")
        for statement, *_ in connection.execute(
            query("steps/prepare_saved_links", "'enrollments'").encode()
        ).fetchall():
            connection.execute(statement)
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE enrollments AS TABLE {} WITH NO DATA").format(
                sql.Identifier(installed_db.platform.schema, "enrollments")
            )
        )
        connection.execute(
            "CREATE TRIGGER t AFTER INSERT ON pg_temp.enrollments FOR EACH ROW"
            " EXECUTE FUNCTION sessiondb.note_change('enrollments')"
        )
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="whose links sessiondb does not save"):
            connection.execute("INSERT INTO pg_temp.enrollments DEFAULT VALUES")


@on_reference
def test_grants_survive_an_apply_and_are_printed_by_a_rollback(new_role: str, installed_db: PlatformDatabase) -> None:
    """As statements that can be run again after another apply."""
    grants = documented()["backfill"]
    with installed_db.connect() as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for grant in grants:
            connection.execute(f"GRANT {grant} TO {new_role}".encode())
        connection.execute(f"GRANT INSERT (session_id, id) ON submissions TO {new_role}".encode())
        connection.execute("ALTER FUNCTION sessiondb.backfill_step(integer) RESET search_path")
    as_role = ("-d", installed_db.conninfo(new_role), "backfill")

    assert run("-d", installed_db.conninfo(), "apply").code == 0  # puts back what was changed
    assert run(*as_role).code == 0

    rolled_back = run("-d", installed_db.conninfo(), "rollback", "--all", "--yes")
    assert rolled_back.code == 0, rolled_back
    again = re.search(r"After another apply, run: (.*)", rolled_back.err)
    assert again
    assert "GRANT INSERT (session_id) ON TABLE public.submissions" in again[1]
    installed_db.apply()
    assert run(*as_role).code == 1
    with installed_db.connect() as connection:
        connection.execute(again[1].encode())
    assert run(*as_role).code == 0


@on_reference
def test_grants_on_a_function_that_was_replaced_are_kept_by_a_rollback(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "CREATE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid LANGUAGE sql AS 'SELECT $1'"
        )
        connection.execute(f"GRANT EXECUTE ON FUNCTION get_user_session_for_course TO {new_role}".encode())
    platform_db.apply()

    rolled_back = run("-d", platform_db.conninfo(), "rollback", "--all", "--yes")

    assert (rolled_back.code, "grants are lost" in rolled_back.err) == (0, False)
    with platform_db.connect() as connection:
        assert connection.execute(
            "SELECT FROM pg_proc WHERE proname = 'get_user_session_for_course' AND array_to_string(proacl, ' ') LIKE %s",
            [f"%{new_role}=X%"],
        ).rowcount


@on_hosted
def test_anon_and_authenticated_have_no_way_into_schema_sessiondb(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        for role in ("anon", "authenticated", "service_role"):
            found = connection.execute(
                """
                SELECT has_schema_privilege(%(role)s, 'sessiondb', 'USAGE'),
                       (SELECT coalesce(bool_or(has_table_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE, DELETE')), false)
                          FROM pg_class AS c WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind IN ('r', 'v'))
                """,
                {"role": role},
            ).fetchone()
            assert found == (False, False)


@on_hosted
def test_the_function_shows_a_student_nothing_of_others(installed_db: PlatformDatabase) -> None:
    """Not even where they may call it, as an API allows: their policies hide the rows that it reads."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        world.session(org, course)
        member, student = world.user(org), world.user(org)
        assert world.find(member, course)
        connection.execute("GRANT SELECT ON org_members, sessions TO authenticated")
        with as_writer(world, student):
            assert world.find(member, course) is None
            assert world.find(student, course) is None


@on_hosted
def test_what_is_counted_or_listed_comes_with_the_tables_of_which_rows_may_be_hidden(
    platform_db: PlatformDatabase,
) -> None:
    """The owner is no superuser, and the policies, which are forced, show it few submissions."""
    owner = platform_db.conninfo("hosted_owner")
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY some_rows ON submissions TO hosted_owner USING (user_id IS NULL)")
    remark = "Row level security may hide rows of public.submissions from role hosted_owner."

    applied = run("-d", owner, "apply")
    assert (applied.code, remark in " ".join(applied.out.split())) == (0, True), applied
    assert remark in run("-d", owner, "show", "submissions").err
    assert remark not in run("-d", owner, "show", "enrollments").err
    (org, course) = (run("-d", owner, what, "list", "--format", "json").json[0]["id"] for what in ("org", "course"))
    created = run("-d", owner, "session", "create", "--org", org, "--course", course, "--title", "New")
    assert f"{remark} A backfill may find more to link." in " ".join(created.out.split()), created
    undone = run("-d", owner, "rollback", "--all", "--dry-run")
    assert f"{remark} The links of those are saved, too." in undone.out


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_a_superuser_need_not_name_the_schema_to_roll_back_or_to_go_on(platform_db: PlatformDatabase) -> None:
    """Of tables that belong to another role, and are not in schema public."""
    dsn = platform_db.conninfo()
    assert run("-d", dsn, "--schema", platform_db.platform.schema, "apply").code == 0
    for command in ("rollback --to 0005 --yes", "apply", "rollback --all --yes"):
        ended = run("-d", dsn, *command.split())
        assert ended.code == 0, (command, ended.err)


@on_hosted
@pytest.mark.parametrize("command", ["apply", "rollback"])
def test_a_member_of_the_owner_that_may_not_set_its_role_to_it_is_refused(
    new_role: str, installed_db: PlatformDatabase, command: str
) -> None:
    """What it creates in schema sessiondb could not be given to the owner."""
    with installed_db.connect() as connection:
        if connection.info.server_version < 160000:
            pytest.skip("every member may before PostgreSQL 16")
        give = sql.SQL("GRANT hosted_owner TO {} WITH INHERIT TRUE, SET FALSE")
        connection.execute(give.format(sql.Identifier(new_role)))
        connection.execute("ALTER FUNCTION sessiondb.check_session() SECURITY INVOKER")
        before = connection.execute("SELECT migration_id FROM sessiondb._yoyo_migration ORDER BY 1").fetchall()

        refused = run(
            "-d",
            installed_db.conninfo(new_role),
            *{"apply": ["apply"], "rollback": ["rollback", "--all", "--yes"]}[command],
        )

        assert (refused.code, "may not set its role to hosted_owner" in refused.err) == (5, True), refused.err
        assert connection.execute("SELECT migration_id FROM sessiondb._yoyo_migration ORDER BY 1").fetchall() == before


@on_hosted
def test_a_grant_that_a_role_has_granted_on_stops_no_rollback(new_role: str, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        role = sql.Identifier(new_role)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA sessiondb TO {}").format(role))
        connection.execute(
            sql.SQL("GRANT EXECUTE ON FUNCTION sessiondb.check_session() TO {} WITH GRANT OPTION").format(role)
        )
        connection.execute(
            sql.SQL(
                "SET ROLE {}; GRANT EXECUTE ON FUNCTION sessiondb.check_session() TO authenticated; RESET ROLE"
            ).format(role)
        )
    assert run("-d", installed_db.conninfo("hosted_owner"), "rollback", "--to", "0006", "--yes").code == 0


@on_reference
def test_the_function_of_the_guide_shows_each_row_as_the_policies_of_the_caller_do_in_any_plan(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """A policy may depend on what a parallel worker does not have, such as the process of the client."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        world.session(org, course)
        user = world.user(org)
        connection.execute(
            "CREATE TABLE many AS SELECT %s AS user_id, %s AS course_id FROM generate_series(1, 2000)", [user, course]
        )
        connection.execute("ALTER TABLE org_members ENABLE ROW LEVEL SECURITY")
        connection.execute(
            "CREATE POLICY mine ON org_members USING (pg_backend_pid() = current_setting('app.pid')::int)"
        )
        connection.execute(
            sql.SQL("GRANT SELECT ON many, org_members, sessions TO {}").format(sql.Identifier(new_role))
        )
    with installed_db.connect(new_role) as connection:
        connection.execute(
            "SELECT set_config('app.pid', pg_backend_pid()::text, false), set_config('parallel_setup_cost', '0', false),"
            " set_config('parallel_tuple_cost', '0', false), set_config('min_parallel_table_scan_size', '0', false),"
            " set_config('parallel_leader_participation', 'off', false)"
        )
        counted = connection.execute(
            "SELECT count(*), count(get_user_session_for_course(user_id, course_id)) FROM many"
        )
        assert counted.fetchone() == (2000, 2000)
