"""What was given away is found, whatever it was given on and to whom, and its fix takes it away."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PARTICULAR, PLATFORMS
from psycopg import errors, sql
from test_bad_input import on as on_database
from test_checks import brief, carry_out, check
from test_rules import World

from sessiondb.connection import Connection, trusted


def on(name: str) -> pytest.MarkDecorator:
    found = {**PLATFORMS, **PARTICULAR}[name]
    return pytest.mark.parametrize("platform", [found], indirect=True, ids=str)


# {role} is given something
GIVEN: dict[str, tuple[LiteralString, str, str]] = {
    "a column of ours": (
        "GRANT UPDATE (previous_definition) ON sessiondb.objects TO {role}",
        "error",
        "table sessiondb.objects",
    ),
    "columns of ours": ("GRANT INSERT (kind, name) ON sessiondb.objects TO {role}", "error", "table sessiondb.objects"),
    "a column to PUBLIC": (
        "GRANT SELECT (version) ON sessiondb.installation TO PUBLIC",
        "error",
        "table sessiondb.installation",
    ),
    "all of what backfill keeps to PUBLIC": (
        "GRANT DELETE ON sessiondb.backfill_progress TO PUBLIC",
        "error",
        "table sessiondb.backfill_progress",
    ),
    **{
        f"a trigger on {table}": (trusted(f"GRANT TRIGGER ON {table} TO {{role}}"), "warning", f"table {table}")
        for table in ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions", "items", "modules")
    },
    "a trigger to PUBLIC": ("GRANT TRIGGER ON org_members TO PUBLIC", "warning", "table org_members"),
    "a foreign key": ("GRANT REFERENCES ON sessions TO {role}", "warning", "table sessions"),
    "a foreign key to members": ("GRANT REFERENCES ON org_members TO {role}", "warning", "table org_members"),
    "a foreign key to a column": ("GRANT REFERENCES (id) ON sessions TO {role}", "warning", "table sessions"),
    "a trigger on a table that a foreign key changes": (
        "CREATE TABLE notes (session_id uuid REFERENCES sessions ON DELETE CASCADE); GRANT TRIGGER ON notes TO {role}",
        "warning",
        "table notes",
    ),
    **{
        f"a trigger on a table that follows {what}": (
            trusted(
                f"{before}; CREATE TABLE notes ({columns}, FOREIGN KEY (a, b) REFERENCES {key} ON UPDATE CASCADE);"
                "GRANT TRIGGER ON notes TO {role}"
            ),
            "warning",
            "table notes",
        )
        for what, before, columns, key in (
            ("a status", "ALTER TABLE sessions ADD UNIQUE (id, status)", "a uuid, b text", "sessions (id, status)"),
            (
                "a role",
                "ALTER TABLE org_members ADD n integer GENERATED ALWAYS AS IDENTITY, ADD UNIQUE (n, role)",
                "a integer, b text",
                "org_members (n, role)",
            ),
            (
                "what a deletion sets to NULL",
                "CREATE TABLE other (x uuid UNIQUE, s uuid REFERENCES sessions ON DELETE SET NULL, UNIQUE (x, s))",
                "a uuid, b uuid",
                "other (x, s)",
            ),
            (
                "what is computed from a session",
                "ALTER TABLE enrollments ADD k uuid GENERATED ALWAYS AS (coalesce(session_id, id)) STORED;"
                "ALTER TABLE enrollments ADD UNIQUE (id, k)",
                "a uuid, b uuid",
                "enrollments (id, k)",
            ),
        )
    },
    "a trigger on a table that a rule writes to": (
        "CREATE TABLE notes (s uuid);"
        "CREATE RULE noted AS ON UPDATE TO sessions DO ALSO INSERT INTO notes VALUES (NEW.id); GRANT TRIGGER ON notes TO {role}",
        "warning",
        "table notes",
    ),
    "a trigger on a table to which a view leads that a rule writes to": (
        "CREATE TABLE notes (s uuid); CREATE VIEW noted AS SELECT * FROM notes;"
        "CREATE RULE noted AS ON UPDATE TO sessions DO ALSO INSERT INTO noted VALUES (NEW.id); GRANT TRIGGER ON notes TO {role}",
        "warning",
        "table notes",
    ),
    "a foreign key to what is computed from a session": (
        "ALTER TABLE enrollments ADD k uuid GENERATED ALWAYS AS (coalesce(session_id, id)) STORED, ADD UNIQUE (id, k);"
        "GRANT REFERENCES ON enrollments TO {role}",
        "warning",
        "table enrollments",
    ),
    # where functions of the platform write is not known
    "triggers on other tables": (
        "CREATE TABLE notes (s uuid); CREATE VIEW noted AS SELECT * FROM notes; GRANT TRIGGER ON notes, noted TO {role}",
        "info",
        "tables of schema public",
    ),
    "a trigger on a table of another schema": (
        "GRANT TRIGGER ON auth.users TO {role}",
        "info",
        "tables of schema auth",
    ),
    "foreign keys to other tables": (
        "GRANT REFERENCES ON courses, enrollments TO {role} WITH GRANT OPTION",
        "info",
        "tables of schema public",
    ),
    "foreign keys to columns of another table": (
        "CREATE TABLE notes (a uuid, b uuid); GRANT REFERENCES (a, b) ON notes TO {role}",
        "info",
        "table notes",
    ),
    "a trigger on a table that follows what a trigger may change": (
        "CREATE TABLE notes (e uuid REFERENCES enrollments ON UPDATE CASCADE); GRANT TRIGGER ON notes TO {role}",
        "info",
        "tables of schema public",
    ),
    "the platform's schema": ("GRANT CREATE ON SCHEMA public TO {role}", "warning", "schema public"),
    "the platform's schema to PUBLIC": ("GRANT CREATE ON SCHEMA public TO PUBLIC", "warning", "schema public"),
    "a function of the triggers": (
        "GRANT EXECUTE ON FUNCTION sessiondb.link_submission() TO {role}",
        "error",
        "function sessiondb.link_submission()",
    ),
    "a trigger function that has no rights": (
        "GRANT EXECUTE ON FUNCTION sessiondb.require_owner() TO {role}",
        "error",
        "function sessiondb.require_owner()",
    ),
    "all tables, one of which was made writable": (
        "GRANT pg_write_all_data TO {role}; DROP TRIGGER zzz_sessiondb_require_owner ON sessiondb.objects",
        "warning",
        "schema sessiondb",
    ),
}
HARMLESS: dict[str, LiteralString] = {
    "what check reads": "GRANT USAGE ON SCHEMA sessiondb TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO {role}",
    "what backfill writes": "GRANT SELECT, INSERT, UPDATE, DELETE ON sessiondb.backfill_progress TO {role}",
    "the platform's data": "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "all tables": "GRANT pg_write_all_data TO {role}",
}


def give(connection: Connection, statement: LiteralString, role: str) -> None:
    connection.execute(sql.SQL(statement).format(role=sql.Identifier(role)))


@contextmanager
def roles(cluster: Cluster, *names: str) -> Iterator[list[str]]:
    made = [f"{cluster.prefix}_{name}" for name in names]
    for role in made:
        cluster.execute("CREATE ROLE {} LOGIN", role)
    try:
        yield made
    finally:
        for role in made:
            cluster.execute("DROP ROLE {}", role)


@contextmanager
def owned_by_another_role(db: PlatformDatabase, *names: str) -> Iterator[None]:
    """What the roles have got in the database is taken away at the end, so that they can be dropped."""
    try:
        yield
    finally:
        with db.connect() as connection:
            for name in names:
                role = sql.Identifier(name)
                connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER; DROP OWNED BY {}").format(role, role))


@pytest.mark.parametrize("what", GIVEN)
@on("hosted")
def test_what_was_given_to_a_role_is_found_and_taken_away(
    new_role: str, installed_db: PlatformDatabase, what: str
) -> None:
    statement, level, object_ = GIVEN[what]
    with installed_db.connect() as connection:
        give(connection, statement, new_role)

        findings = check(installed_db, "grants")

        assert brief(findings) == [("grants", level, object_)]
        assert ("Every role" if "PUBLIC" in statement else new_role) in findings[0].detail
        connection.execute(findings[0].fix.encode())
        assert check(installed_db, "grants") == []


@on("reference")
def test_who_may_have_created_what_is_not_committed_is_found_when_its_right_is_revoked(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection, installed_db.connect(new_role, autocommit=False) as maker:
        give(connection, "CREATE SCHEMA own AUTHORIZATION {role}; GRANT TRIGGER ON sessions TO {role}", new_role)
        maker.execute("CREATE FUNCTION own.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        maker.execute("CREATE TRIGGER t BEFORE UPDATE ON public.sessions FOR EACH ROW EXECUTE FUNCTION own.f()")
        give(connection, "REVOKE TRIGGER ON sessions FROM {role}", new_role)
        (finding,) = check(installed_db, "uncommitted")
        assert brief([finding]) == [("uncommitted", "warning", "table public.sessions")]
        assert new_role in finding.detail
        connection.execute(finding.fix.encode())
        assert check(installed_db, "uncommitted") == []
        with contextlib.suppress(errors.AdminShutdown):
            maker.execute("SELECT 1")
    with installed_db.connect() as connection:
        connection.execute("DROP SCHEMA own CASCADE")


@pytest.mark.parametrize("to", ["{role}", "PUBLIC"])
@on("reference")
def test_a_role_that_reads_by_columns_is_told_which_one_is_new(
    new_role: str, platform_db: PlatformDatabase, to: str
) -> None:
    with platform_db.connect() as connection:
        names = ", ".join(
            name
            for (name,) in connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'submissions'::regclass AND attnum > 0"
            ).fetchall()
        )
        give(
            connection,
            trusted(f"GRANT SELECT ({names}) ON submissions TO {to}; GRANT SELECT (id) ON enrollments TO {to}"),
            new_role,
        )
        with connection.transaction(force_rollback=True):
            give(connection, "SET LOCAL ROLE {role}", new_role)
            connection.execute("SELECT * FROM submissions")
        platform_db.apply()
        (finding,) = check(platform_db, "column_grants")
        assert brief([finding]) == [("column_grants", "info", "public.submissions")]
        connection.execute(finding.fix.encode())
        assert check(platform_db, "column_grants") == []
        give(connection, "SET ROLE {role}", new_role)
        connection.execute("SELECT * FROM submissions")


@on("hosted")
def test_an_owner_that_may_not_use_the_schema_of_its_tables_is_told_the_statement(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        connection.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC, hosted_owner")
        refused = on_database(installed_db, "check", user="hosted_owner")
        assert refused.code == 1
        (fix,) = re.findall(r"hint: (GRANT .*)", refused.err)
        connection.execute(fix.encode())
    assert on_database(installed_db, "check", user="hosted_owner").code == 0


@pytest.mark.parametrize(
    "removed",
    [
        "DROP TRIGGER zzz_sessiondb_require_owner ON sessiondb.objects",
        "ALTER TABLE sessiondb.objects ENABLE TRIGGER zzz_sessiondb_require_owner_of_row",
        "ALTER TABLE sessiondb.objects DISABLE TRIGGER ALL",
    ],
)
@on("hosted")
def test_a_table_of_ours_that_other_roles_could_write_to_is_found(
    installed_db: PlatformDatabase, removed: LiteralString
) -> None:
    with installed_db.connect() as connection:
        connection.execute(removed)
    (finding,) = check(installed_db, "installed_objects")
    assert (finding.level, finding.object, finding.fix) == (
        "error",
        "table sessiondb.objects",
        "Run: sessiondb apply",
    )
    installed_db.apply()
    assert check(installed_db, "installed_objects") == []


@pytest.mark.parametrize("what", HARMLESS)
@on("hosted")
def test_what_a_role_needs_is_not_found(new_role: str, installed_db: PlatformDatabase, what: str) -> None:
    with installed_db.connect() as connection:
        give(connection, HARMLESS[what], new_role)

    assert check(installed_db, "grants") == []


@pytest.mark.parametrize("name", ["partitioned", "quoted", "dollars", "academy"])
@pytest.mark.parametrize("table", ["sessions", "submissions"])
def test_the_fix_can_be_run_whatever_the_names(
    request: pytest.FixtureRequest, new_role: str, cluster: Cluster, name: str, table: str
) -> None:
    with cluster.clone({**PLATFORMS, **PARTICULAR}[name], installed=True) as db, db.connect() as connection:
        schema = db.platform.schema
        with connection.transaction():
            for grant in (
                "CREATE ON SCHEMA {0}",
                "TRIGGER ON {0}.{1}",
                "REFERENCES (user_id) ON {0}.{1}" if table == "submissions" else "REFERENCES (id) ON {0}.{1}",
            ):
                place = sql.SQL(grant).format(sql.Identifier(schema), sql.Identifier(table))
                connection.execute(sql.SQL("GRANT {} TO {}").format(place, sql.Identifier(new_role)))
        findings = check(db, "grants")
        expected = [("grants", "warning", f"schema {schema}"), ("grants", "warning", f"table {table}")]
        expected += [("grants", "warning" if table == "sessions" else "info", f"table {table}")]
        assert brief(findings) == sorted(expected)
        for finding in findings:
            connection.execute(finding.fix.encode())
        assert check(db, "grants") == []


@on("partitioned")
def test_a_trigger_on_a_partition_is_found(new_role: str, installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        give(connection, "GRANT TRIGGER ON submissions_2024 TO {role}", new_role)

    assert brief(check(installed_db, "grants")) == [("grants", "warning", "table submissions_2024")]


@on("reference")
def test_a_trigger_on_a_table_that_refers_to_a_partition_is_found(new_role: str, platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "DROP TABLE org_members;"
            "CREATE TABLE org_members (org_id uuid REFERENCES orgs, user_id uuid, role text, PRIMARY KEY (org_id, user_id))"
            " PARTITION BY HASH (org_id);"
            "CREATE TABLE some_members PARTITION OF org_members FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
            "CREATE TABLE badges (o uuid, u uuid, FOREIGN KEY (o, u) REFERENCES some_members ON DELETE CASCADE)"
        )
        platform_db.apply()
        give(connection, "GRANT TRIGGER ON badges TO {role}", new_role)

    assert brief(check(platform_db, "grants")) == [("grants", "warning", "table badges")]


@on("partitioned")
def test_code_that_a_role_left_behind_is_found_when_its_rights_are_revoked(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with owned_by_another_role(installed_db, new_role), installed_db.connect() as connection:
        for statement in (
            "CREATE TYPE mood AS ENUM ('well'); CREATE DOMAIN checked AS mood",
            "CREATE SCHEMA kept; CREATE FUNCTION kept.holds() RETURNS boolean LANGUAGE sql RETURN true",
            "ALTER FUNCTION kept.holds() OWNER TO {role}; GRANT CREATE ON SCHEMA kept TO {role}",
            "CREATE SCHEMA taken; CREATE FUNCTION taken.holds() RETURNS boolean LANGUAGE sql RETURN true",
            "ALTER FUNCTION taken.holds() OWNER TO {role}",
            "CREATE FUNCTION kept.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "ALTER FUNCTION kept.f() OWNER TO {role}",
            "CREATE TRIGGER bbb BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION kept.f()",
            "ALTER TABLE org_members ADD CONSTRAINT taken CHECK (taken.holds())",
            "CREATE TRIGGER ccc BEFORE INSERT ON orgs FOR EACH ROW WHEN (query_to_xml('SELECT 1', true, true, '') IS NULL)"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            # what it gave to functions of others
            "CREATE SCHEMA left_behind AUTHORIZATION {role}; CREATE EXTENSION tcn SCHEMA left_behind",
            "CREATE EXTENSION refint; CREATE FUNCTION runs(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; RETURN $1; END'",
            "SET ROLE {role}; CREATE OPERATOR left_behind.@@@"
            " (LEFTARG = tsquery, RIGHTARG = text, FUNCTION = pg_catalog.ts_rewrite); RESET ROLE",
            "CREATE TRIGGER ddd AFTER DELETE ON courses FOR EACH ROW EXECUTE FUNCTION left_behind.triggered_change_notification()",
            "CREATE TRIGGER eee AFTER DELETE ON courses FOR EACH ROW"
            " EXECUTE FUNCTION check_foreign_key('1', 'cascade', 'id', 'left_behind.others', 'c')",
            "CREATE TRIGGER fff BEFORE INSERT ON courses FOR EACH ROW WHEN (runs('SELECT 1') IS NULL)"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE TRIGGER ggg BEFORE INSERT ON courses FOR EACH ROW"
            " WHEN (('a'::tsquery OPERATOR(left_behind.@@@) 'SELECT 1') IS NULL)"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "ALTER TABLE orgs ADD CONSTRAINT runs CHECK (query_to_xml('SELECT 1', true, true, '') IS NOT NULL) NOT VALID",
            "CREATE TRIGGER hhh BEFORE INSERT ON courses FOR EACH ROW WHEN (record_in('(x)'::cstring, 16384::oid, -1) IS NULL)"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE TABLE notes (user_id uuid, org_id uuid, id uuid PRIMARY KEY,"
            " FOREIGN KEY (user_id, org_id) REFERENCES org_members (user_id, org_id) ON DELETE CASCADE)",
            "CREATE TABLE left_behind.enrollments (n uuid REFERENCES notes ON DELETE CASCADE);"
            "ALTER TABLE left_behind.enrollments OWNER TO {role}",
            "GRANT TRIGGER ON submissions_2024, sessions TO {role}",
            "GRANT REFERENCES ON sessions, courses TO {role}",
            'SET ROLE {role}; CREATE TABLE left_behind."100%" (s uuid REFERENCES sessions ON DELETE CASCADE)',
            "CREATE TABLE left_behind.others (c uuid REFERENCES courses)",
            "CREATE FUNCTION left_behind.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER aaa BEFORE INSERT ON submissions_2024 FOR EACH ROW EXECUTE FUNCTION left_behind.f()",
            'CREATE TRIGGER "50%s" BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION left_behind.f()',
            "CREATE FUNCTION left_behind.holds() RETURNS boolean LANGUAGE sql RETURN true",
            "CREATE FUNCTION left_behind.of_index(text) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN true",
            "CREATE FUNCTION left_behind.mood() RETURNS text LANGUAGE sql RETURN 'well'",
            "CREATE FUNCTION left_behind.text(mood) RETURNS text LANGUAGE sql RETURN 'well'",
            "RESET ROLE; REVOKE ALL ON submissions_2024, sessions, courses FROM {role}",
            # what the owner of the tables made with such functions
            "ALTER TABLE sessions ADD CONSTRAINT holds CHECK (left_behind.holds())",
            "ALTER TABLE orgs ADD mood text DEFAULT left_behind.mood(), ADD well checked",
            "CREATE POLICY theirs ON enrollments USING (left_behind.holds() AND kept.holds())",
            "ALTER DOMAIN checked ADD CONSTRAINT is_well CHECK (left_behind.holds())",
            "SET ROLE {role}; CREATE DOMAIN left_behind.inner_one AS text CHECK (left_behind.holds()); RESET ROLE",
            "CREATE DOMAIN outer_one AS left_behind.inner_one; CREATE DOMAIN outer_ones AS outer_one[]",
            "ALTER TABLE courses ADD CONSTRAINT deep CHECK (title::outer_one IS NOT NULL)",
            "ALTER TABLE orgs ADD CONSTRAINT deeper CHECK ((ARRAY[slug]::outer_ones)[1] IS NOT NULL)",
            "CREATE DOMAIN word AS text CHECK (left_behind.of_index(VALUE)); CREATE DOMAIN title AS text CHECK (VALUE::word <> '')",
            "ALTER TABLE orgs ADD subtitle title",
            "CREATE DOMAIN labels AS text DEFAULT (upper('x')::left_behind.inner_one)::text; ALTER TABLE orgs ADD label labels",
            "CREATE DOMAIN ran AS text DEFAULT ts_rewrite('a'::tsquery, 'SELECT 1 LIMIT 0')::text",
            "ALTER TABLE orgs ADD ran ran DEFAULT NULL; ALTER TABLE orgs ALTER ran DROP DEFAULT",
            "CREATE INDEX by_theirs ON users (id) WHERE left_behind.of_index('x')",
            "ALTER TABLE orgs ADD CONSTRAINT one_each EXCLUDE USING btree (id WITH =) WHERE (left_behind.of_index('x'))",
            "CREATE CAST (mood AS text) WITH FUNCTION left_behind.text(mood) AS ASSIGNMENT",
            # partitions have these, too, but from their table
            "ALTER TABLE submissions ADD CONSTRAINT of_all CHECK (left_behind.of_index('x'))",
            "CREATE INDEX of_each ON submissions (left_behind.of_index(id::text))",
            "CREATE TRIGGER on_each BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION left_behind.f()",
        ):
            give(connection, trusted(statement), new_role)
        # before PostgreSQL 15 the table itself uses what a generated column calls
        generated = ["default value for public.sessions.made"] if connection.info.server_version >= 150000 else []
        if generated:
            connection.execute(
                "ALTER TABLE sessions ADD made boolean GENERATED ALWAYS AS (left_behind.of_index('x')) STORED"
            )

        findings = check(installed_db)

        objects = (
            "cast (public.mood AS pg_catalog.text)",
            "default value for public.orgs.mood",
            *generated,
            "domain constraint is_well on public.checked",
            "domain constraint title_check on public.title",
            "domain constraint word_check on public.word",
            'foreign key 100%_s_fkey of left_behind."100%"',
            "foreign key enrollments_n_fkey of left_behind.enrollments",
            "index public.by_theirs",
            "index public.of_each",
            "policy theirs on public.enrollments",
            "table constraint deep on public.courses",
            "table constraint deeper on public.orgs",
            "table constraint holds on public.sessions",
            "table constraint of_all on public.submissions",
            "table constraint one_each on public.orgs",
            "table constraint runs on public.orgs",
            "table constraint taken on public.org_members",
            'trigger "50%s" on public.sessions',
            "trigger aaa on public.submissions_2024",
            "trigger bbb on public.sessions",
            "trigger ccc on public.orgs",
            "trigger ddd on public.courses",
            "trigger eee on public.courses",
            "trigger fff on public.courses",
            "trigger ggg on public.courses",
            "trigger hhh on public.courses",
            "trigger on_each on public.submissions",
            "type public.labels",
            "type public.ran",
        )
        levels = {"trigger eee on public.courses": "info"}
        assert sorted({*brief(findings)}, key=lambda f: f[2]) == [
            ("code_of_others", levels.get(object_, "warning"), object_) for object_ in objects
        ]
        carry_out(installed_db, findings)
        assert check(installed_db) == []


@on("hosted")
def test_a_trigger_of_ours_on_a_table_of_another_role_is_found_when_its_rights_are_revoked(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """It would tell that role the session of any user, with the rights of the owner."""
    with installed_db.connect() as connection:
        give(
            connection,
            "GRANT EXECUTE ON FUNCTION sessiondb.link_enrollment, sessiondb.check_session TO {role}",
            new_role,
        )
        give(connection, "GRANT USAGE ON SCHEMA sessiondb TO {role}; CREATE SCHEMA own AUTHORIZATION {role}", new_role)
        give(
            connection,
            "SET ROLE {role}; CREATE TABLE own.seen (user_id uuid, course_id uuid, session_id uuid)",
            new_role,
        )
        connection.execute(
            "CREATE TRIGGER seen BEFORE INSERT ON own.seen FOR EACH ROW EXECUTE FUNCTION sessiondb.link_enrollment()"
        )
        connection.execute("RESET ROLE; REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA sessiondb FROM " + new_role)
    (finding,) = check(installed_db, "code_of_others", "grants")
    assert (finding.level, finding.object) == ("error", "trigger seen on own.seen")
    carry_out(installed_db, [finding])
    assert check(installed_db, "code_of_others") == []


@on("hosted")
def test_a_role_that_may_read_saved_links_is_found(new_role: str, installed_db: PlatformDatabase) -> None:
    """They show the session of every student."""
    installed_db.rollback("0005")
    with installed_db.connect() as connection:
        give(connection, "GRANT SELECT ON ALL TABLES IN SCHEMA sessiondb TO {role}", new_role)
        findings = [f for f in check(installed_db, "grants") if new_role in f.detail]
        assert [f.object for f in findings] == [
            f"table sessiondb.{kind}_of_{name}"
            for kind in ("changed_rows", "saved_links")
            for name in ("enrollments", "submissions")
        ]
        for finding in findings:
            connection.execute(finding.fix.encode())
    assert check(installed_db, "grants") == []


@on("hosted")
def test_only_the_owner_writes_to_the_tables_of_schema_sessiondb(new_role: str, installed_db: PlatformDatabase) -> None:
    """Whatever a role was granted: a rollback runs what is there. Also what a rollback saves."""
    installed_db.rollback("0003")
    with installed_db.connect() as connection:
        give(connection, "GRANT USAGE ON SCHEMA sessiondb TO {role}", new_role)
        give(
            connection,
            "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA sessiondb TO {role};"
            "GRANT pg_write_all_data TO {role}",
            new_role,
        )
        tables = connection.execute(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind = 'r'"
        ).fetchall()
        assert len(tables) == 10
        give(connection, "SET ROLE {role}", new_role)
        for (name,) in tables:
            for statement in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                with pytest.raises(errors.InsufficientPrivilege, match="only the owner of table"):
                    connection.execute(sql.SQL(statement).format(sql.Identifier("sessiondb", name)))
    assert installed_db.apply()


@on("cooperative")
def test_a_schema_that_the_platforms_functions_look_into_is_found(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        for schema in ("extensions", "history"):
            give(connection, trusted(f"GRANT CREATE ON SCHEMA {schema} TO {{role}}"), new_role)
        connection.execute("CREATE SCHEMA another")
        give(connection, "GRANT CREATE ON SCHEMA another TO {role}", new_role)

    assert [f.object for f in check(installed_db, "grants")] == ["schema extensions", "schema history"]


@on("hosted")
def test_what_was_handed_on_is_taken_away_at_its_source(
    new_role: str, cluster: Cluster, installed_db: PlatformDatabase
) -> None:
    with (
        roles(cluster, "second") as (second,),
        owned_by_another_role(installed_db, second),
        installed_db.connect() as connection,
    ):
        give(connection, "GRANT TRIGGER ON sessions TO {role} WITH GRANT OPTION; SET ROLE {role}", new_role)
        give(connection, "GRANT TRIGGER ON sessions TO {role}; RESET ROLE", second)
        for finding in check(installed_db, "grants"):
            connection.execute(finding.fix.encode())

        assert check(installed_db, "grants") == []


@on("hosted")
def test_a_group_is_as_strange_as_its_members(cluster: Cluster, installed_db: PlatformDatabase) -> None:
    """Also one that the owner of the tables, or a role that row level security does not bind, belongs to."""
    with (
        roles(cluster, "staff", "member") as (staff, member),
        owned_by_another_role(installed_db, staff, member),
        installed_db.connect() as connection,
    ):
        give(connection, "GRANT {role} TO hosted_owner, service_role", staff)
        give(
            connection,
            "GRANT TRIGGER ON sessions TO {role}; GRANT UPDATE (sha256) ON sessiondb.objects TO {role}",
            staff,
        )
        findings = check(installed_db, "grants")
        assert [(f.level, f.object) for f in findings] == [
            ("error", "table sessiondb.objects"),
            ("warning", "table sessions"),
        ]
        assert all(f"Role {staff}, with its members, may" in f.detail for f in findings)
        give(connection, "REVOKE ALL ON sessions, sessiondb.objects FROM {role}", staff)

        # one whose members have its rights, but not what makes it trusted
        connection.execute("GRANT TRIGGER ON sessions TO service_role")
        assert check(installed_db, "grants") == []
        give(connection, "GRANT service_role TO {role}", member)
        assert ("grants", "warning", "table sessions") in brief(check(installed_db, "grants"))
        give(connection, "REVOKE service_role FROM {role}", member)


@on("hosted")
def test_who_is_trusted_is_not_found(cluster: Cluster, installed_db: PlatformDatabase) -> None:
    """Superusers, the owner of the database, and the owner of enrollments; but not who is a member of the last."""
    with (
        roles(cluster, "boss", "other", "member") as (boss, other, member),
        owned_by_another_role(installed_db, other, member, boss),
        installed_db.connect() as connection,
    ):
        give(connection, "ALTER TABLE sessions OWNER TO {role}", other)
        give(connection, "GRANT TRIGGER ON sessions TO CURRENT_USER, hosted_owner, {role}", boss)
        assert [f.object for f in check(installed_db, "grants")] == ["table sessions"]
        cluster.execute("ALTER DATABASE {} OWNER TO {}", installed_db.name, boss)
        assert check(installed_db, "grants") == []
        give(connection, "GRANT hosted_owner TO {role}", member)
        assert [f.object for f in check(installed_db, "grants")] == ["tables of schema auth", "table sessions"]
        give(connection, "REVOKE hosted_owner FROM {role}", member)
        cluster.execute("ALTER DATABASE {} OWNER TO CURRENT_USER", installed_db.name)


@on("reference")
def test_a_trigger_function_that_runs_as_the_owner_under_the_path_of_who_deletes_a_session_is_found(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """PostgreSQL runs ON DELETE SET NULL as the owner of the table, under the search_path of the role that deletes."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        world.write("enrollments", student, course)
        give(connection, "CREATE SCHEMA own AUTHORIZATION {role}; GRANT USAGE ON SCHEMA own TO PUBLIC", new_role)
        for statement in (
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM now(); RETURN NEW; END'",
            "CREATE FUNCTION own.now() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''as %'', current_user; END'",
            "ALTER FUNCTION own.now() OWNER TO {role}; GRANT SELECT (id), DELETE ON sessions TO {role}",
        ):
            give(connection, trusted(statement), new_role)
        assert check(installed_db, "unpinned_functions") == []
        connection.execute("CREATE TRIGGER touch BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION touch()")
        (finding,) = check(installed_db, "unpinned_functions")
        assert brief([finding]) == [("unpinned_functions", "warning", "function public.touch()")]
        assert new_role in finding.detail
        delete = sql.SQL(
            "SET ROLE {}; SET search_path TO own, pg_catalog; DELETE FROM public.sessions WHERE id = {}"
        ).format(sql.Identifier(new_role), sql.Literal(session))
        with pytest.raises(errors.RaiseException, match="as "):
            connection.execute(delete)
        connection.execute("RESET search_path; RESET ROLE")
        connection.execute(finding.fix.encode())
        assert check(installed_db, "unpinned_functions") == []
        connection.execute(delete)
        connection.execute("RESET search_path; RESET ROLE")
        assert world.stored("enrollments", student) == [None]
        # what the planner may evaluate when it checks the foreign key
        connection.execute(
            "CREATE FUNCTION statuses() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$SELECT ARRAY[lower('Active')]$$;"
            "ALTER TABLE sessions ADD CONSTRAINT one CHECK (status <> ALL (statuses())) NOT VALID"
        )
        give(connection, "GRANT INSERT (user_id, course_id), SELECT ON enrollments TO {role}", new_role)
        assert check(installed_db, "unpinned_functions") == []
        give(connection, "GRANT INSERT ON enrollments TO {role}", new_role)
        (finding,) = check(installed_db, "unpinned_functions")
        assert brief([finding]) == [("unpinned_functions", "warning", "function public.statuses()")]
        connection.execute("ALTER TABLE sessions DROP CONSTRAINT one")
        assert check(installed_db, "unpinned_functions") == []
        connection.execute("ALTER TABLE sessions ADD EXCLUDE USING btree (id WITH =) WHERE (statuses() IS NULL)")
        (finding,) = check(installed_db, "unpinned_functions")
        assert brief([finding]) == [("unpinned_functions", "warning", "function public.statuses()")]


@on("partitioned")
def test_a_type_of_another_role_after_returning_is_found_in_statistics_and_in_what_a_partition_generates(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """PostgreSQL records no dependency on it, and a partition may generate a column in another way than its table."""
    with installed_db.connect() as connection:
        if connection.info.server_version < 170000:
            pytest.skip("there is no JSON_VALUE before PostgreSQL 17")
        give(connection, "CREATE SCHEMA theirs AUTHORIZATION {role}", new_role)
        give(
            connection,
            "SET ROLE {role}; CREATE DOMAIN theirs.mark AS text; GRANT USAGE ON SCHEMA theirs TO PUBLIC; RESET ROLE",
            new_role,
        )
        marked = "JSON_VALUE(answers, '$.mark' RETURNING theirs.mark)"
        connection.execute("ALTER TABLE submissions ADD answers jsonb")
        connection.execute("ALTER TABLE submissions ADD mark text GENERATED ALWAYS AS (answers ->> 'mark') STORED")
        connection.execute(
            f"CREATE TABLE submissions_2031 PARTITION OF submissions (mark GENERATED ALWAYS AS ({marked}) STORED)"
            " FOR VALUES FROM ('2031-01-01') TO ('2032-01-01')".encode()
        )
        connection.execute(f"CREATE STATISTICS marks ON ({marked}), user_id FROM submissions".encode())

    found = {finding.object for finding in check(installed_db, "code_of_others")}

    assert found == {"default value for public.submissions_2031.mark", "statistics object public.marks"}


@on("partitioned")
def test_a_partition_in_a_schema_of_another_role_is_refused_and_found(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        give(connection, "CREATE SCHEMA archive AUTHORIZATION {role}", new_role)
        connection.execute("ALTER TABLE submissions_2024 SET SCHEMA archive")
    refused = on_database(platform_db, "apply")
    assert (refused.code, "Schema archive belongs to role" in refused.err) == (5, True), refused.err
    with platform_db.connect() as connection:
        connection.execute("ALTER SCHEMA archive OWNER TO CURRENT_USER")
        assert on_database(platform_db, "apply").code == 0
        give(connection, "ALTER SCHEMA archive OWNER TO {role}", new_role)
    (finding,) = check(platform_db, "table_owners")
    assert (finding.level, finding.object) == ("error", "SCHEMA archive")
