"""Damage by hand: status reports it, apply repairs it, and rollback leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_cli import column, on, run
from test_upgrade import fill, installed, links, new_row_is_linked

from sessiondb import objects, resources

Dump = Callable[..., str]

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

OURS = (
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
    "migration_content",
    "installation",
    "objects",
    "backfill_progress",
)
"""Our own tables."""

DAMAGES = {
    **{f"{table} truncated": f"TRUNCATE sessiondb.{table}" for table in OURS},
    **{f"{table} dropped": f"DROP TABLE sessiondb.{table} CASCADE" for table in OURS},
    "a row of _yoyo_migration gone": "DELETE FROM sessiondb._yoyo_migration WHERE migration_id LIKE '0003%'",
    "a row of migration_content gone": "DELETE FROM sessiondb.migration_content WHERE migration_id LIKE '0005%'",
    "a column's row of objects gone": "DELETE FROM sessiondb.objects WHERE kind = 'column' AND parent = 'submissions'",
    "a function's row of objects gone": "DELETE FROM sessiondb.objects WHERE name = 'link_submission'",
    "all tables of ours truncated": "; ".join(f"TRUNCATE sessiondb.{table}" for table in OURS),
    "all tables of ours dropped": "; ".join(f"DROP TABLE sessiondb.{table} CASCADE" for table in OURS),
    "schema sessiondb dropped": "DROP SCHEMA sessiondb CASCADE",
    "a function dropped": "DROP FUNCTION sessiondb.link_submission() CASCADE",
    "install dropped": "DROP PROCEDURE sessiondb.install",
    "all functions dropped": "DO $$ DECLARE f text; BEGIN FOR f IN SELECT oid::regprocedure FROM pg_proc"
    " WHERE pronamespace = 'sessiondb'::regnamespace LOOP EXECUTE 'DROP ROUTINE ' || f || ' CASCADE'; END LOOP; END $$",
    "the function of the guide dropped": "DROP FUNCTION get_user_session_for_course(uuid, uuid)",
    "a trigger dropped": "DROP TRIGGER zzz_sessiondb_check_submission ON submissions",
    "a foreign key dropped": "ALTER TABLE enrollments DROP CONSTRAINT enrollments_session_id_fkey",
    "an index dropped": "DROP INDEX submissions_session_id_idx",
    "comments dropped": "COMMENT ON FUNCTION get_user_session_for_course IS NULL; COMMENT ON FUNCTION sessiondb.name_of IS"
    " NULL; COMMENT ON TRIGGER zzz_sessiondb_link_submission ON submissions IS NULL; COMMENT ON COLUMN enrollments.session_id IS NULL; COMMENT ON INDEX submissions_session_id_idx IS"
    " NULL; COMMENT ON CONSTRAINT enrollments_session_id_fkey ON enrollments IS NULL",
}
"""What a careless hand does, without a loss of links."""

UNSEEN = {"_yoyo_log truncated", "backfill_progress truncated", "_yoyo_version truncated", "comments dropped"}
"""These are no fault: a log and a progress are allowed to be empty, and a comment is no part of what is compared."""


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("damage", DAMAGES)
@on_reference
def test_status_shows_what_is_damaged_and_apply_repairs_it(
    installed_db: PlatformDatabase, dump: Dump, damage: str
) -> None:
    learners = fill(installed_db)
    before, expected = links(installed_db), installed(installed_db, dump)
    with installed_db.connect() as connection:
        connection.execute(DAMAGES[damage].encode())

    status = on(installed_db, "status", "--exit-code")
    assert status.code == (0 if damage in UNSEEN else 3), status.out
    assert status.code == 0 or status.out.splitlines()[-1] == "Next: sessiondb apply"
    assert "not installed" not in status.out
    checked = on(installed_db, "check")
    assert checked.code in (0, 4), checked
    assert checked.code == 0 or "sessiondb apply" in checked.out

    applied = on(installed_db, "apply")
    assert applied.code == 0, applied
    assert damage in UNSEEN or "Nothing to do" not in applied.out
    assert installed(installed_db, dump) == expected
    assert links(installed_db) == before
    assert on(installed_db, "status", "--exit-code").code == 0
    assert on(installed_db, "check").code == 0
    assert new_row_is_linked(installed_db, learners)
    assert on(installed_db, "apply").out.startswith("Nothing to do")


@on_reference
def test_apply_counts_the_migrations_that_were_pending_and_names_those_that_it_ran_again(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection:
        connection.execute("DROP INDEX submissions_session_id_idx")
    again = "Applied again, to create what was missing: 0005.create-indexes."
    assert on(installed_db, "apply").out.splitlines()[0] == again
    assert on(installed_db, "rollback", "--to", "0009", "--yes").code == 0
    with installed_db.connect() as connection:
        connection.execute("DROP INDEX submissions_session_id_idx")
    assert on(installed_db, "apply").out.splitlines()[0] == f"1 migration applied. {again}"


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("damage", DAMAGES)
@on_reference
def test_a_rollback_leaves_nothing_of_ours_or_says_what_to_do(
    platform_db: PlatformDatabase, dump: Dump, damage: str
) -> None:
    found = dump(platform_db, exclude_sessiondb=True)
    platform_db.apply()
    fill(platform_db)
    linked = links(platform_db)
    with platform_db.connect() as connection:
        connection.execute(DAMAGES[damage].encode())

    rolled_back = on(platform_db, "rollback", "--all", "--yes")
    if rolled_back.code != 0:
        assert "sessiondb apply" in rolled_back.err, rolled_back
        assert on(platform_db, "apply").code == 0
        rolled_back = on(platform_db, "rollback", "--all", "--yes")

    assert rolled_back.code == 0, rolled_back
    assert dump(platform_db, exclude_sessiondb=True) == found
    platform_db.apply()
    assert links(platform_db) == linked


@on_reference
def test_a_platform_whose_schema_was_renamed_is_led_out(installed_db: PlatformDatabase) -> None:
    learners = fill(installed_db)
    before = links(installed_db)
    with installed_db.connect() as connection:
        connection.execute("ALTER SCHEMA public RENAME TO campus")
        connection.execute(f'ALTER DATABASE "{installed_db.name}" SET search_path TO campus')

    dsn = ("-d", installed_db.conninfo())
    lost = run(*dsn, "status")
    assert lost.code == 1
    assert "sessiondb apply --schema campus" in lost.err

    applied = run(*dsn, "apply", "--schema", "campus")
    assert applied.code == 0, applied
    assert run(*dsn, "status", "--exit-code").code == 0
    assert run(*dsn, "check").code == 0
    assert links(installed_db) == before
    with installed_db.connect() as connection:
        ((user,),) = connection.execute("INSERT INTO users (email) VALUES ('late@example.org') RETURNING id").fetchall()
        connection.execute("INSERT INTO org_members (org_id, user_id) VALUES (%s, %s)", [learners.org, user])
        ((linked,),) = connection.execute(
            "INSERT INTO enrollments (user_id, course_id) VALUES (%s, %s) RETURNING session_id",
            [user, learners.course],
        ).fetchall()
    assert linked == learners.session
    assert run(*dsn, "rollback", "--all", "--yes").code == 0
    assert column_count(installed_db) == 0


@on_reference
def test_a_platform_whose_schema_was_built_again_is_installed_again(
    installed_db: PlatformDatabase, platform_db: PlatformDatabase, dump: Dump
) -> None:
    expected = installed(installed_db, dump)
    with installed_db.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        installed_db.platform.load(connection)

    assert on(installed_db, "status", "--exit-code").code == 3
    applied = on(installed_db, "apply")
    assert applied.code == 0, applied
    assert on(installed_db, "check").code == 0
    assert parts(installed(installed_db, dump)) == parts(expected)
    assert new_row_is_linked(installed_db, fill(installed_db))
    assert on(installed_db, "rollback", "--all", "--yes").code == 0
    assert parts(dump(installed_db, exclude_sessiondb=True)) == parts(dump(platform_db, exclude_sessiondb=True))


def parts(dump: str) -> list[str]:
    """The objects of a dump, whatever schema public belongs to and is granted to."""
    found = [part.partition("\n\n\n--\n")[0].strip() for part in dump.split("\n--\n-- Name: ")]
    return [part for part in found if not part.startswith(("public; ", "SCHEMA public"))][1:]


@on_reference
def test_submissions_that_were_converted_to_a_partitioned_table_are_linked_again(
    installed_db: PlatformDatabase,
) -> None:
    learners = fill(installed_db)
    with installed_db.connect() as connection:
        connection.execute(
            """
            ALTER TABLE submissions RENAME TO submissions_old;
            CREATE TABLE submissions (LIKE submissions_old INCLUDING DEFAULTS) PARTITION BY HASH (id);
            ALTER TABLE submissions DROP COLUMN session_id;
            ALTER TABLE submissions ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users,
                ADD FOREIGN KEY (exercise_id) REFERENCES exercises;
            CREATE TABLE submissions_0 PARTITION OF submissions FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE submissions_1 PARTITION OF submissions FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO submissions (id, user_id, exercise_id, content)
            SELECT id, user_id, exercise_id, content FROM submissions_old;
            DROP TABLE submissions_old;
            """
        )

    assert on(installed_db, "status", "--exit-code").code == 3
    applied = on(installed_db, "apply")
    assert applied.code == 0, applied
    assert on(installed_db, "status", "--exit-code").code == 0
    assert on(installed_db, "check").code == 0
    assert new_row_is_linked(installed_db, learners)
    assert on(installed_db, "backfill").code == 0
    assert not column(
        installed_db, f"SELECT id FROM submissions WHERE user_id = '{learners.old}' AND session_id IS NULL"
    )
    assert on(installed_db, "rollback", "--all", "--yes").code == 0
    assert column_count(installed_db) == 0


RENAMED = {
    "a column": "ALTER TABLE enrollments RENAME COLUMN session_id TO training_id",
    "submissions": "ALTER TABLE submissions RENAME TO handed_in",
    "sessions": "ALTER TABLE sessions RENAME TO trainings",
    "all three tables": "ALTER TABLE enrollments RENAME TO enrolled; ALTER TABLE submissions RENAME TO handed_in;"
    " ALTER TABLE sessions RENAME TO trainings",
    "a schema": "CREATE SCHEMA archive; ALTER TABLE submissions SET SCHEMA archive",
}


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("command", ["apply", "rollback"])
@pytest.mark.parametrize("what", RENAMED)
@on_reference
def test_what_was_renamed_gets_its_name_back_before_anything_is_changed(
    platform_db: PlatformDatabase, dump: Dump, what: str, command: str
) -> None:
    found = dump(platform_db, exclude_sessiondb=True)
    platform_db.apply()
    fill(platform_db)
    before, expected = links(platform_db), installed(platform_db, dump)
    with platform_db.connect() as connection:
        connection.execute(RENAMED[what].encode())

    assert on(platform_db, "status", "--exit-code").code == 3
    checked = on(platform_db, "check")
    renamed, *others = re.findall(r"^(?:error|warning) +(.*)", checked.out, re.MULTILINE)
    assert all(line.startswith("renamed: ") for line in (renamed, *others[:-1]))
    number = 4 + len(resources.names("data_checks"))  # course_path, foreign_keys, indexes, installed_objects
    assert others[-1].startswith(f"required_columns and {number} other checks: The check cannot be run: ")
    run_it = (command, "--all", "--yes") if command == "rollback" else (command,)
    damaged = dump(platform_db)
    refused = on(platform_db, *run_it)
    assert refused.code == 5, refused
    assert dump(platform_db) == damaged
    with platform_db.connect() as connection:
        for fix in re.findall("fix: .*: (ALTER .*)", refused.err):
            connection.execute(fix.encode())
        connection.execute("DROP SCHEMA IF EXISTS archive")

    done = on(platform_db, *run_it)
    assert done.code == 0, done
    if command == "rollback":
        assert dump(platform_db, exclude_sessiondb=True) == found
        platform_db.apply()
    assert installed(platform_db, dump) == expected
    assert links(platform_db) == before


@on_reference
def test_a_table_of_another_role_that_looks_like_a_renamed_one_is_not_taken_for_ours(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"GRANT CREATE ON DATABASE {installed_db.name} TO {new_role}; SET ROLE {new_role}".encode())
        for table in ("pg_temp.mine", "of_another.mine"):
            schema = table.partition(".")[0]
            if schema != "pg_temp":
                connection.execute(f"CREATE SCHEMA {schema}".encode())
            connection.execute(
                f"CREATE TABLE {schema}.s (id uuid PRIMARY KEY);"
                f"CREATE TABLE {table} (id uuid, session_id uuid CONSTRAINT enrollments_session_id_fkey REFERENCES {schema}.s);"
                f"COMMENT ON CONSTRAINT enrollments_session_id_fkey ON {table} IS '(sessiondb)'".encode()
            )

        assert "No problems found" in on(installed_db, "check", "renamed").out
        assert on(installed_db, "rollback", "--all", "--yes").code == 0


@on_reference
def test_a_table_that_is_kept_beside_the_new_one_is_told_and_left_behind_by_no_rollback(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    platform_db.apply()
    learners = fill(platform_db)
    for _ in range(2):
        assert new_row_is_linked(platform_db, learners)
    with platform_db.connect() as connection:
        connection.execute(
            """
            ALTER TABLE submissions RENAME TO submissions_old;
            CREATE TABLE submissions (LIKE submissions_old INCLUDING DEFAULTS);
            ALTER TABLE submissions ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users,
                ADD FOREIGN KEY (exercise_id) REFERENCES exercises;
            ALTER TABLE submissions DROP COLUMN session_id;
            INSERT INTO submissions (id, user_id, exercise_id, content) SELECT id, user_id, exercise_id, content FROM submissions_old;
            ALTER INDEX submissions_session_id_idx RENAME TO submissions_old_session_id_idx
            """
        )
        was_linked = connection.execute("SELECT FROM submissions_old WHERE session_id IS NOT NULL").rowcount
    applied = on(platform_db, "apply")
    assert applied.code == 0, applied
    assert "warning: Table public.submissions_old" in applied.err
    assert on(platform_db, "status", "--exit-code").code == 0
    assert new_row_is_linked(platform_db, learners)

    refused = on(platform_db, "rollback", "--all", "--yes")
    assert refused.code == 5, refused
    with platform_db.connect() as connection:
        # whose membership has ended is left out, and all others are copied
        ((student,),) = connection.execute(
            "DELETE FROM org_members AS m USING submissions_old AS o WHERE o.user_id = m.user_id AND o.session_id IS NOT NULL"
            " AND o.id = (SELECT min(l.id::text)::uuid FROM submissions_old AS l WHERE l.session_id IS NOT NULL) RETURNING m.user_id"
        ).fetchall()
        ((left_out,),) = connection.execute(
            "SELECT count(session_id) FROM submissions_old WHERE user_id = %s", [student]
        ).fetchall()
        # and so is one whose course is gone, which keeps its link in the old table
        ((of_no_course,),) = connection.execute(
            "SELECT min(o.id::text)::uuid FROM submissions_old AS o JOIN org_members AS m USING (user_id) JOIN sessions AS s ON s.id = o.session_id"
            " WHERE s.org_id = m.org_id"
        ).fetchall()
        connection.execute("UPDATE submissions SET exercise_id = NULL WHERE id = %s", [of_no_course])
        (fix,) = re.findall(": (DO .*)", refused.err)
        warned: list[str] = []
        connection.add_notice_handler(lambda notice: warned.append(str(notice.message_primary)))
        connection.execute(fix.encode())
        assert warned == [
            "rows of public.submissions have another course than their session by now, or none, and no link"
        ]
        copied = connection.execute("SELECT FROM submissions AS n WHERE session_id IS NOT NULL").rowcount
        assert copied == was_linked - left_out - 1 + 1  # the new one
        connection.execute("UPDATE submissions_old SET session_id = NULL WHERE id = %s", [of_no_course])
        connection.execute(fix.encode())
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert column_count(platform_db) == 0


@pytest.mark.parametrize("platform", [PLATFORMS["academy"]], indirect=True, ids=str)
def test_links_of_a_table_without_a_column_id_are_copied_by_its_primary_key(installed_db: PlatformDatabase) -> None:
    fill(installed_db)
    with installed_db.connect() as connection:
        before = connection.execute("SELECT session_id FROM submissions ORDER BY user_id, attempt_no").fetchall()
        connection.execute(
            """
            ALTER TABLE submissions RENAME TO submissions_old;
            CREATE TABLE submissions (LIKE submissions_old);
            INSERT INTO submissions SELECT * FROM submissions_old;
            ALTER TABLE submissions DROP session_id, OWNER TO academy_owner, ADD FOREIGN KEY (enrollment_id) REFERENCES enrollments (id);
            ALTER INDEX submissions_session_id_idx RENAME TO old_submissions_session_id_idx
            """
        )
        assert on(installed_db, "apply").code == 0
        for statement in re.findall("^  ([A-Z]+ .*;)$", on(installed_db, "check", "renamed").out, re.MULTILINE):
            connection.execute(statement.encode())
        after = connection.execute("SELECT session_id FROM submissions ORDER BY user_id, attempt_no").fetchall()
    assert after == before != []
    assert on(installed_db, "status", "--exit-code").code == 0


@on_reference
def test_a_copy_of_a_table_is_no_concern_of_ours(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("CREATE TABLE submissions_copy (LIKE submissions INCLUDING ALL)")
    assert on(installed_db, "check").code == 0
    assert on(installed_db, "apply").out.startswith("Nothing to do")
    assert on(installed_db, "rollback", "--all", "--yes").code == 0


@on_reference
def test_sessions_that_were_built_again_beside_the_old_ones_are_referred_to_again(
    installed_db: PlatformDatabase,
) -> None:
    learners = fill(installed_db)
    before = links(installed_db)
    with installed_db.connect() as connection:
        connection.execute(
            """
            ALTER TABLE sessions RENAME TO sessions_old;
            CREATE TABLE sessions (LIKE sessions_old INCLUDING ALL);
            INSERT INTO sessions SELECT * FROM sessions_old
            """
        )
    refused = on(installed_db, "apply")
    assert refused.code == 5, refused
    with installed_db.connect() as connection:
        for fix in re.findall("fix: .*: (ALTER .*)", refused.err):
            connection.execute(fix.encode())
    assert on(installed_db, "apply").code == 0
    assert on(installed_db, "check").code == 0
    assert links(installed_db) == before
    assert new_row_is_linked(installed_db, learners)


@on_reference
def test_a_column_on_the_way_to_the_course_that_was_renamed_is_told_by_status(installed_db: PlatformDatabase) -> None:
    learners = fill(installed_db)
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE exercises RENAME COLUMN course_id TO of_course")
    status = on(installed_db, "status", "--exit-code")
    assert status.code == 3, status
    gone = (
        "Column course_id of table public.exercises, on the path exercise_id.course_id from submissions to courses, no"
    )
    assert f"\n{gone} longer exists. " in re.sub(r"\n    (?=\w)", " ", status.out)
    assert "which no longer leads to courses" in status.out
    assert status.out.endswith(": sessiondb apply\n")
    assert on(installed_db, "apply").code == 0
    assert on(installed_db, "status", "--exit-code").code == 0
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE exercises RENAME COLUMN of_course TO course_id")
    assert on(installed_db, "apply").code == 0
    assert new_row_is_linked(installed_db, learners)


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize("name", [o.name for o in objects.of_migration("0001") if o.kind == "function"])
@on_reference
def test_an_installation_that_was_stopped_and_lost_a_tool_is_completed(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump, name: str
) -> None:
    platform_db.apply(to="0006")
    with platform_db.connect() as connection:
        connection.execute(f"DROP ROUTINE sessiondb.{name} CASCADE".encode())
    assert on(platform_db, "plan").code == 0
    applied = on(platform_db, "apply")
    assert applied.code == 0, applied
    assert installed(platform_db, dump) == installed(installed_db, dump)


@on_reference
def test_what_is_left_of_an_installation_is_told_whatever_that_is(platform_db: PlatformDatabase, dump: Dump) -> None:
    found = dump(platform_db, exclude_sessiondb=True)
    platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute("DROP SCHEMA sessiondb CASCADE")
        for table in ("enrollments", "submissions"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN session_id".encode())
    assert on(platform_db, "status", "--exit-code").code == 3
    refused = on(platform_db, "rollback", "--all", "--yes")
    assert refused.code == 1, refused
    assert "get_user_session_for_course" in refused.err
    assert on(platform_db, "apply").code == 0
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert dump(platform_db, exclude_sessiondb=True) == found


@on_reference
def test_the_triggers_of_a_column_that_was_there_before_us_are_recorded_with_the_migration_they_came_with(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE enrollments ADD COLUMN session_id uuid")
    platform_db.apply()
    expected = installed(platform_db, dump)
    with platform_db.connect() as connection:
        connection.execute("TRUNCATE sessiondb.objects")
    assert on(platform_db, "apply").code == 0
    assert installed(platform_db, dump) == expected


@on_reference
def test_what_others_left_in_schema_sessiondb_is_no_reason_to_drop_saved_links(
    installed_db: PlatformDatabase,
) -> None:
    fill(installed_db)
    before = links(installed_db)
    with installed_db.connect() as connection:
        connection.execute("ALTER FUNCTION sessiondb.name_of(text, uuid) RENAME TO left_behind")
    assert on(installed_db, "rollback", "--all", "--yes").code == 0

    refused = on(installed_db, "apply")
    assert refused.code == 5, refused
    assert "left_behind" in refused.err
    assert "keep the tables saved_links_of_" in refused.err
    with installed_db.connect() as connection:
        connection.execute("DROP FUNCTION sessiondb.left_behind")
    assert on(installed_db, "apply").code == 0
    assert links(installed_db) == before


def column_count(db: PlatformDatabase) -> int:
    """How many columns session_id of ours are left."""
    with db.connect() as connection:
        return connection.execute(
            "SELECT FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
            " WHERE a.attname = 'session_id' AND c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text <> 'sessiondb'"
        ).rowcount
