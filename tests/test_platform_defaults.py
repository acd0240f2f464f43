"""What a platform does to every new object, by default privileges or an event trigger, and what it is refused for."""

from __future__ import annotations

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_cli import on, run

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)


@on_reference
def test_where_new_functions_are_not_public_the_application_still_finds_its_session(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    platform = platform_db.platform
    with platform_db.connect() as connection:
        connection.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    platform_db.apply()
    with platform_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        role = sql.Identifier(new_role)
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public, sessiondb TO {}").format(role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA sessiondb TO {}").format(role))
    with platform_db.connect(new_role) as connection:
        found = connection.execute("SELECT get_user_session_for_course(%s, %s)", [user, course]).fetchone()
    assert found == (session,)
    explained = run("-d", platform_db.conninfo(new_role), "explain", "--user", str(user), "--course", str(course))
    assert explained.code == 0, explained
    assert on(platform_db, "check").code == 0

    with platform_db.connect() as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION get_user_session_for_course FROM PUBLIC")
        connection.execute("UPDATE sessiondb.objects SET sha256 = '' WHERE name = 'get_user_session_for_course'")
    assert on(platform_db, "apply").code == 0
    with platform_db.connect() as connection:
        kept = connection.execute(
            "SELECT has_function_privilege('public', 'get_user_session_for_course(uuid, uuid)', 'EXECUTE')"
        ).fetchone()
    assert kept == (False,)  # a decision about this function


@pytest.mark.slow
@on_reference
def test_where_each_new_table_gets_row_level_security_a_role_with_the_documented_grants_sees_what_is_installed(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            """
            CREATE FUNCTION secure_table() RETURNS event_trigger LANGUAGE plpgsql AS $$
            DECLARE
                v_table text;
            BEGIN
                FOR v_table IN SELECT object_identity FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
                    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_table);
                END LOOP;
            END $$;
            CREATE EVENT TRIGGER secure_table ON ddl_command_end WHEN tag IN ('CREATE TABLE') EXECUTE FUNCTION secure_table()
            """
        )
    platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute(
            sql.SQL(
                "GRANT USAGE ON SCHEMA sessiondb TO {0}; GRANT SELECT ON sessiondb._yoyo_migration,"
                " sessiondb.migration_content, sessiondb.installation, sessiondb.objects TO {0}"
            ).format(sql.Identifier(new_role))
        )
        secured = "SELECT count(*) FROM pg_class WHERE relnamespace = 'sessiondb'::regnamespace AND relrowsecurity"
        assert connection.execute(secured).fetchone() == (0,)
    assert run("-d", platform_db.conninfo(new_role), "status", "--exit-code").code == 0
    assert on(platform_db, "check").code == 0
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0


@on_reference
def test_what_an_event_trigger_grants_when_a_table_is_altered_is_revoked_last(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """With TRIGGER on a table of ours, a role could have its code run by the next command that writes there."""
    with platform_db.connect() as connection:
        connection.execute(
            sql.SQL(
                """
                CREATE FUNCTION open_table() RETURNS event_trigger LANGUAGE plpgsql AS $$
                DECLARE
                    v_table text;
                BEGIN
                    FOR v_table IN SELECT object_identity FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
                        EXECUTE format('GRANT ALL ON TABLE %s TO {}', v_table);
                    END LOOP;
                END $$;
                CREATE EVENT TRIGGER open_table ON ddl_command_end
                    WHEN tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'ALTER TABLE') EXECUTE FUNCTION open_table()
                """
            ).format(sql.Identifier(new_role))
        )
        may = (
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind = 'r'"
            " AND has_table_privilege(%s, c.oid, 'TRIGGER')"
        )
        for command in ("apply", "rollback --to 0005 --yes", "apply"):
            done = on(platform_db, *command.split())
            assert (done.code, connection.execute(may, [new_role]).fetchall()) == (0, []), done.err
        connection.execute("DROP EVENT TRIGGER open_table")
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(new_role)))


@on_reference
def test_a_typed_table_is_refused_with_the_way_out(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "CREATE TYPE submission AS (id uuid, user_id uuid, exercise_id uuid, content text, submitted_at timestamptz);"
            "ALTER TABLE submissions OF submission"
        )
    refused = on(platform_db, "apply")
    assert refused.code == 5
    assert "Table public.submissions is a typed table (OF public.submission)" in refused.err
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions NOT OF")
    assert on(platform_db, "apply").code == 0


@on_reference
def test_bytes_that_are_no_utf_8_in_a_database_without_an_encoding_are_explained(
    installed_db: PlatformDatabase,
) -> None:
    cluster = installed_db.cluster
    cluster.execute(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
        name := f"{installed_db.name}_ascii",
    )
    try:
        db = PlatformDatabase(installed_db.platform, name, cluster)
        with db.connect() as connection:
            installed_db.platform.load(connection)
        assert on(db, "apply").code == 0
        with db.connect() as connection:
            connection.execute("SET client_encoding TO SQL_ASCII; UPDATE courses SET title = E'caf\\351'")
        said = on(db, "course", "list")
        assert (said.code, "SQL_ASCII" in said.err) == (1, True), said
    finally:
        cluster.execute("DROP DATABASE {} WITH (FORCE)", name)
