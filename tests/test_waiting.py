"""What was looked at before a command waited for a lock is not trusted afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors, sql
from test_cli import on, rows
from test_lock_budget import until, waits_for_table
from test_upgrade import fill

REFERENCE = PLATFORMS["reference"]
on_reference = pytest.mark.parametrize("platform", [REFERENCE], indirect=True, ids=str)

ORG, COURSE = "--org=00000000-0000-4000-8000-0000000000a1", "--course=00000000-0000-4000-8000-0000000000c1"

RIVAL = (
    "GRANT CREATE ON SCHEMA public TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
)


def prepare(db: PlatformDatabase, role: str, *statements: str) -> None:
    with db.connect() as connection:
        for statement in (*RIVAL, "SET ROLE {role}", *statements):
            connection.execute(statement.format(role=role).encode())


def prepare_view(db: PlatformDatabase, role: str, table: str) -> None:
    """Make the view ``hers``, to be put in the place of a table; to read it is an error that says so."""
    prepare(
        db,
        role,
        "CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        f"CREATE VIEW hers AS SELECT * FROM {table} WHERE evil(); GRANT SELECT ON hers TO PUBLIC",
    )


def meanwhile(
    db: PlatformDatabase, waited: str, command: tuple[str, ...], *statements: str, mode: str = "ACCESS EXCLUSIVE"
) -> tuple[int, str]:
    """Run a command that waits for a table, and statements while it waits, and return how it ended."""
    with db.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute(f"LOCK TABLE {waited} IN {mode} MODE".encode())
            running = pool.submit(on, db, *command)
            until(lambda: waits_for_table(other, waited))
            with db.connect() as connection:
                for statement in statements:
                    connection.execute(statement.encode())
        ended = running.result(30)
    return ended.code, ended.out + ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "waited", "renamed", "command"),
    [
        (REFERENCE, "courses", "sessions", ("session", "list")),
        (REFERENCE, "courses", "orgs", ("org", "list")),
        (REFERENCE, "org_members", "sessions", ("session", "create", ORG, COURSE)),
        (REFERENCE, "courses", "sessions", ("explain", "--user=00000000-0000-4000-8000-0000000000b4", COURSE)),
        # here a check of the catalogs waits, before those of the data, whose tables are locked later
        (PLATFORMS["academy"], "enrollments", "sessions", ("check",)),
        (PLATFORMS["academy"], "submissions", "sessions", ("check",)),
        # one check alone, which names fewer tables than it reads
        (REFERENCE, "courses", "exercises", ("check", "split_students")),
        (REFERENCE, "courses", "sessions", ("check", "orgs_without_sessions")),
        # and what only the functions that it calls read
        (REFERENCE, "sessions", "orgs", ("check", "orgs_without_sessions")),
        (REFERENCE, "sessions", "users", ("check", "split_students")),
        (REFERENCE, "enrollments", "sessions", ("backfill", "--dry-run")),
        (REFERENCE, "enrollments", "exercises", ("show", "submissions", "--unlinked")),
    ],
    indirect=["platform"],
    ids=lambda given: given[0] if isinstance(given, tuple) else str(given),
)
@pytest.mark.parametrize("made", ["before", "meanwhile"])
def test_a_table_in_the_place_of_one_that_is_renamed_while_a_command_waits_is_not_used(
    new_role: str, installed_db: PlatformDatabase, waited: str, renamed: str, command: tuple[str, ...], made: str
) -> None:
    """A command that only reads has one snapshot, in which a view that was made meanwhile is not seen."""
    makes = "CREATE VIEW hers AS SELECT * FROM {} WHERE evil(); GRANT SELECT ON hers TO PUBLIC"
    prepare(
        installed_db,
        new_role,
        "CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        makes.format(renamed) if made == "before" else "SELECT",
    )

    code, said = meanwhile(
        installed_db,
        waited,
        command,
        f"ALTER TABLE {renamed} RENAME TO was",
        f"SET ROLE {new_role}",
        makes.format("was") if made == "meanwhile" else "SELECT",
        f"ALTER VIEW hers RENAME TO {renamed}",
    )

    assert "fallen" not in said
    assert code in (0, 1, 4), said


@pytest.mark.parametrize(
    ("waited", "column", "command"),
    [
        ("sessions", "sessions.status", ("session", "list")),
        ("sessions", "sessions.org_id", ("session", "create", ORG, COURSE)),
        ("enrollments", "enrollments.user_id", ("check",)),
        (
            "org_members",
            "org_members.user_id",
            ("member", "remove", ORG, "--user=00000000-0000-4000-8000-0000000000b2"),
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else given[0],
)
@on_reference
def test_a_function_in_the_place_of_a_column_that_is_renamed_while_a_command_waits_is_not_run(
    new_role: str, installed_db: PlatformDatabase, waited: str, column: str, command: tuple[str, ...]
) -> None:
    table, name = column.split(".")
    kind = "text" if name == "status" else "uuid"
    prepare(
        installed_db,
        new_role,
        f"CREATE FUNCTION {name}({table}) RETURNS {kind} LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
    )
    before = rows(installed_db, "SELECT count(*) FROM org_members")
    with installed_db.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO was".encode())
            running = pool.submit(on, installed_db, *command)
            until(lambda: waits_for_table(other, waited))
        ended = running.result(30)

    assert "fallen" not in ended.out + ended.err
    assert ended.code in (1, 4), ended.out + ended.err
    assert rows(installed_db, "SELECT count(*) FROM org_members") == before


@on_reference
def test_a_table_in_the_place_of_the_sessions_that_are_renamed_while_a_rollback_waits_is_not_used(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    prepare_view(installed_db, new_role, "sessions")

    code, said = meanwhile(
        installed_db,
        "submissions",
        ("rollback", "--all", "--yes"),
        "ALTER TABLE sessions RENAME TO was",
        "ALTER VIEW hers RENAME TO sessions",
        mode="ACCESS SHARE",
    )

    assert "fallen" not in said
    assert code in (1, 7), said
    with installed_db.connect() as connection:
        connection.execute("DROP VIEW sessions; ALTER TABLE was RENAME TO sessions")
    assert on(installed_db, "rollback", "--all", "--yes").code == 0


@on_reference
def test_a_view_in_the_place_of_a_materialized_one_that_is_renamed_while_a_command_waits_is_not_used(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """LOCK TABLE cannot lock the platform's ``orgs`` then."""
    with platform_db.connect() as connection:
        connection.execute(
            "ALTER TABLE orgs RENAME TO companies; CREATE MATERIALIZED VIEW orgs AS SELECT * FROM companies"
        )
    platform_db.apply()
    prepare_view(platform_db, new_role, "orgs")

    code, said = meanwhile(
        platform_db,
        "courses",
        ("session", "list"),
        "ALTER MATERIALIZED VIEW orgs RENAME TO was",
        "ALTER VIEW hers RENAME TO orgs",
    )

    assert (code, "fallen" in said) == (1, False), said
    assert "table public.orgs was renamed or dropped" in said


@pytest.mark.parametrize(
    ("platform", "users"), [(REFERENCE, "users"), (PLATFORMS["hosted"], "profiles")], indirect=["platform"], ids=str
)
def test_a_view_in_the_place_of_the_table_of_users_that_is_renamed_while_a_command_waits_is_not_used(
    new_role: str, installed_db: PlatformDatabase, users: str
) -> None:
    prepare_view(installed_db, new_role, users)

    code, said = meanwhile(
        installed_db,
        "orgs",
        ("member", "list", ORG),
        f"ALTER TABLE {users} RENAME TO was",
        f"ALTER VIEW hers RENAME TO {users}",
    )

    assert (code, "fallen" in said) == (1, False), said
    assert f"table public.{users} was renamed or dropped" in said


@on_reference
def test_a_view_in_the_place_of_a_table_on_the_path_that_is_renamed_while_links_are_restored_is_not_used(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """The trigger that checks each restored link reads the path, with the rights of its owner."""
    fill(installed_db)
    linked = rows(installed_db, "SELECT id, session_id FROM submissions ORDER BY id")
    assert on(installed_db, "rollback", "--all", "--yes").code == 0
    prepare_view(installed_db, new_role, "exercises")

    code, said = meanwhile(
        installed_db,
        "enrollments",
        ("apply",),
        "ALTER TABLE exercises RENAME TO was",
        "ALTER VIEW hers RENAME TO exercises",
        mode="ACCESS SHARE",
    )

    assert (code, "fallen" in said) == (1, False), said
    with installed_db.connect() as connection:
        connection.execute("DROP VIEW exercises; ALTER TABLE was RENAME TO exercises")
    assert on(installed_db, "apply").code == 0
    assert rows(installed_db, "SELECT id, session_id FROM submissions ORDER BY id") == linked


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
@pytest.mark.parametrize("mode", ["count", "link"])
def test_a_view_in_the_place_of_a_partition_that_is_renamed_while_a_batch_waits_for_it_is_not_read(
    new_role: str, installed_db: PlatformDatabase, mode: str
) -> None:
    """Its own wait ends with the name that it has looked up before."""
    prepare(
        installed_db,
        new_role,
        "CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        "CREATE VIEW hers AS SELECT '(0,1)'::tid AS ctid, r.* FROM submissions_2024 AS r WHERE evil()",
        "GRANT SELECT ON hers TO PUBLIC",
    )
    batch = (
        "SELECT * FROM sessiondb.link_batch('submissions', 'submissions_2024'::regclass, '(0,0)', '(9,0)', NULL, %s)"
    )
    with installed_db.connect() as other, installed_db.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("SET application_name TO sessiondb")
        with other.transaction():
            other.execute("LOCK TABLE submissions_2024 IN ACCESS EXCLUSIVE MODE")
            running = pool.submit(connection.execute, batch, [mode])
            until(lambda: waits_for_table(other, "submissions_2024"))
            other.execute("ALTER TABLE submissions_2024 RENAME TO was; ALTER VIEW hers RENAME TO submissions_2024")
        with pytest.raises(errors.UndefinedTable, match="was renamed during a batch"):
            running.result(30)


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_table_in_a_schema_that_takes_the_name_of_a_renamed_one_while_a_batch_waits_is_not_written(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA archive; ALTER TABLE submissions_2024 SET SCHEMA archive")
        platform_db.apply()
        for statement in (
            "GRANT CREATE ON DATABASE {database} TO {role}; SET ROLE {role}; CREATE SCHEMA ready",
            "GRANT USAGE ON SCHEMA ready TO PUBLIC",
            "CREATE TABLE ready.submissions_2024 (user_id uuid, session_id uuid)",
            "INSERT INTO ready.submissions_2024 SELECT gen_random_uuid() FROM generate_series(1, 100)",
            "GRANT ALL ON ready.submissions_2024 TO PUBLIC; RESET ROLE",
        ):
            connection.execute(
                sql.SQL(statement).format(database=sql.Identifier(platform_db.name), role=sql.Identifier(new_role))
            )
    with platform_db.connect() as other, platform_db.connect() as owner, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("SELECT FROM archive.submissions_2024 FOR UPDATE")
            running = pool.submit(on, platform_db, "backfill")
            waits = "SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND a.application_name = 'sessiondb'"
            until(lambda: owner.execute(waits).rowcount)
            owner.execute("ALTER SCHEMA archive RENAME TO archive_2024; ALTER SCHEMA ready RENAME TO archive")
        assert running.result(30).code == 0
        assert owner.execute("SELECT FROM archive.submissions_2024 WHERE session_id IS NOT NULL").rowcount == 0
        assert owner.execute("SELECT FROM archive_2024.submissions_2024 WHERE session_id IS NOT NULL").rowcount > 0
