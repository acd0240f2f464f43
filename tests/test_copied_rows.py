"""Code of the platform that takes rows of our tables by position, and publications of them, are named before apply."""

from __future__ import annotations

import re

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_cli import on
from test_preflight import by_hand, refusal, warnings

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

HISTORY = "CREATE TABLE history AS SELECT * FROM submissions WHERE false"
STAMPED = "CREATE TABLE history AS SELECT now() AS at, s.* FROM submissions AS s WHERE false"
WRITE = "UPDATE submissions SET content = 'again'"


def trigger(body: str, when: str = "AFTER UPDATE OR DELETE ON submissions FOR EACH ROW") -> tuple[str, str]:
    return (
        f"CREATE FUNCTION copy_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$",
        f"CREATE TRIGGER copy_row {when} EXECUTE FUNCTION copy_row()",
    )


OLD_ROWS = "AFTER UPDATE ON submissions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT"

BY_POSITION = {
    "SELECT OLD.*": ((HISTORY, *trigger("INSERT INTO history SELECT OLD.*")), WRITE),
    "VALUES (OLD.*)": ((HISTORY, *trigger("INSERT INTO public.history VALUES (OLD.*)")), WRITE),
    "(OLD).* behind others": ((STAMPED, *trigger("INSERT INTO history SELECT now(), (OLD).*")), WRITE),
    "a list of the target's columns only": (
        (HISTORY, *trigger("INSERT INTO history (id, user_id, exercise_id, content, submitted_at) SELECT old.*")),
        WRITE,
    ),
    "a transition table": ((HISTORY, *trigger("INSERT INTO history SELECT * FROM old_rows", OLD_ROWS)), WRITE),
    "a transition table with an alias": (
        (STAMPED, *trigger("INSERT INTO history SELECT now(), r.* FROM old_rows AS r", OLD_ROWS)),
        WRITE,
    ),
    "RETURN QUERY": (
        (
            "CREATE FUNCTION work(u uuid) RETURNS TABLE (a uuid, b uuid, c uuid, d text, e timestamptz) LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN QUERY SELECT s.* FROM submissions AS s WHERE s.user_id = u; END $$",
        ),
        "SELECT * FROM work(gen_random_uuid())",
    ),
    "a query function": (
        (
            "CREATE FUNCTION work() RETURNS TABLE (a uuid, b uuid, c uuid, d text, e timestamptz) LANGUAGE sql AS"
            " $$ SELECT * FROM public.submissions ORDER BY 5 $$",
        ),
        "SELECT * FROM work()",
    ),
    "an archive": (
        (
            HISTORY,
            "CREATE PROCEDURE archive() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO history SELECT * FROM submissions; END $$",
        ),
        "CALL archive()",
    ),
}


LIST = "s.id, s.user_id, s.exercise_id, coalesce(s.content, 'none'), s.submitted_at"
AS_A_ROW = {
    "RETURN QUERY": (
        (
            f"CREATE FUNCTION work() RETURNS SETOF submissions LANGUAGE plpgsql AS $$ BEGIN"
            f" RETURN QUERY SELECT {LIST} FROM submissions AS s WHERE s.id IN (SELECT id FROM submissions); END $$",
        ),
        "SELECT * FROM work()",
    ),
    "a query function": (
        (
            f"CREATE FUNCTION work() RETURNS submissions LANGUAGE sql AS $$ SELECT {LIST} FROM public.submissions AS s $$",
        ),
        "SELECT * FROM work()",
    ),
    "ROW()": (
        (
            f"CREATE FUNCTION work() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN"
            f" RETURN to_jsonb(ROW({LIST})::submissions) FROM submissions AS s LIMIT 1; END $$",
        ),
        "SELECT work()",
    ),
    "CAST (ROW() AS)": (
        (
            f"CREATE FUNCTION work() RETURNS SETOF text LANGUAGE sql AS"
            f" $$ SELECT (CAST(ROW({LIST}) AS public.submissions)).content FROM submissions AS s $$",
        ),
        "SELECT work()",
    ),
}


@pytest.mark.parametrize(("statements", "used"), AS_A_ROW.values(), ids=AS_A_ROW)
def test_code_that_lists_the_columns_of_a_row_of_the_table_is_refused_and_would_fail(
    platform_db: PlatformDatabase, statements: tuple[str, ...], used: str
) -> None:
    by_hand(platform_db, *statements, used)

    (found,) = [f for f in refusal(platform_db.database()) if f.level == "error"]

    assert (found.check, found.object) == ("copied_rows", "function public.work()")
    assert "SELECT t.* FROM public.submissions AS t, instead of its columns: id, user_id" in found.fix
    by_hand(platform_db, "ALTER TABLE submissions ADD COLUMN session_id uuid")
    with pytest.raises(psycopg.Error, match=r"return type mismatch|does not match|cannot cast type record"):
        by_hand(platform_db, used)


@pytest.mark.parametrize(("statements", "used"), BY_POSITION.values(), ids=BY_POSITION)
def test_code_that_takes_rows_by_position_is_refused_and_would_fail(
    platform_db: PlatformDatabase, statements: tuple[str, ...], used: str
) -> None:
    by_hand(platform_db, *statements, used)

    (found,) = [f for f in refusal(platform_db.database()) if f.level == "error"]

    assert found.check == "copied_rows"
    assert found.object.startswith("function public.")
    assert "rows of public.submissions by position" in found.detail
    assert "Name the columns instead of *: id, user_id, exercise_id, content" in found.fix
    by_hand(platform_db, "ALTER TABLE submissions ADD COLUMN session_id uuid")
    with pytest.raises(psycopg.Error, match=r"more expressions than target|return type mismatch|does not match"):
        by_hand(platform_db, used)


@pytest.mark.parametrize("schema", ["pg_temp", "of_another"])
def test_a_function_of_another_role_that_no_trigger_calls_does_not_stop_apply(
    new_role: str, platform_db: PlatformDatabase, schema: str
) -> None:
    """Nor does its text choose a table for the fix."""
    body = "BEGIN INSERT INTO public.users SELECT * FROM public.enrollments; END"
    with platform_db.connect() as rival:
        rival.execute(f"CREATE SCHEMA of_another AUTHORIZATION {new_role}".encode())
        rival.execute(f"SET ROLE {new_role}".encode())
        rival.execute(f"CREATE FUNCTION {schema}.f() RETURNS void LANGUAGE plpgsql AS '{body}'".encode())

        applied = on(platform_db, "apply")

    assert applied.code == 0
    assert ("copies rows of public.enrollments" in applied.err) == (schema == "of_another")
    assert "at the end of the copy" not in applied.err


def test_of_thousands_of_functions_of_another_role_those_that_a_trigger_calls_are_searched(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """The first hundred, too; all of them would take minutes."""
    copies = "CREATE FUNCTION of_another.{}() RETURNS {} LANGUAGE plpgsql AS 'BEGIN INSERT INTO users SELECT {}; END'"
    with platform_db.connect() as rival:
        rival.execute(f"CREATE SCHEMA of_another AUTHORIZATION {new_role}".encode())
        rival.execute(f"SET ROLE {new_role}".encode())
        rival.execute(copies.format("early", "void", "* FROM public.enrollments").encode())
        rival.execute(
            "DO $$ BEGIN FOR n IN 1..1000 LOOP"
            " EXECUTE format('CREATE FUNCTION of_another.f%s() RETURNS void LANGUAGE sql AS %L', n, ''); END LOOP; END $$"
        )
        rival.execute(copies.format("late", "void", "* FROM public.enrollments").encode())
        rival.execute(copies.format("fired", "trigger", "NEW.*").encode())
        rival.execute("RESET ROLE")
        rival.execute("CREATE TRIGGER f AFTER UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION of_another.fired()")

    refused = on(platform_db, "apply")

    assert set(re.findall(r"unction of_another\.(\w+)\(\) copies rows", refused.err)) == {"early", "fired"}


HARMLESS = {
    "named columns": ((HISTORY, *trigger("INSERT INTO history (id, content) SELECT OLD.id, OLD.content")), WRITE),
    "a target that has the column": (
        (HISTORY, "ALTER TABLE history ADD COLUMN session_id uuid", *trigger("INSERT INTO history SELECT OLD.*")),
        WRITE,
    ),
    "a document": (
        ("CREATE TABLE history (row jsonb)", *trigger("INSERT INTO history SELECT to_jsonb(OLD.*)")),
        WRITE,
    ),
    "a count": (
        ("CREATE TABLE history (n integer)", *trigger("INSERT INTO history SELECT count(*) FROM old_rows", OLD_ROWS)),
        WRITE,
    ),
    "rows of the table's own type": (
        ("CREATE FUNCTION work() RETURNS SETOF submissions LANGUAGE sql AS 'SELECT * FROM submissions'",),
        "SELECT * FROM work()",
    ),
    "a row of the table's own type": (
        (
            "CREATE FUNCTION work() RETURNS SETOF submissions LANGUAGE plpgsql AS $$ BEGIN"
            " RETURN QUERY SELECT s.* FROM submissions AS s WHERE (s.id, s.user_id) IN (SELECT id, user_id FROM submissions);"
            " RETURN QUERY SELECT (jsonb_populate_record(NULL::submissions, to_jsonb(s))).* FROM submissions AS s LIMIT 1; END $$",
        ),
        "SELECT count(*) FROM work()",
    ),
    "a row that is copied as a whole": (
        (
            "CREATE FUNCTION work() RETURNS SETOF jsonb LANGUAGE sql AS"
            " 'SELECT to_jsonb(ROW(s.*)::submissions) FROM submissions AS s'",
        ),
        "SELECT work()",
    ),
    "one of a few columns": (
        (
            "CREATE FUNCTION work() RETURNS TABLE (a uuid) LANGUAGE sql AS"
            " 'SELECT id FROM (SELECT * FROM submissions) AS s'",
        ),
        "SELECT * FROM work()",
    ),
    "a body that PostgreSQL has read": (
        (
            "CREATE FUNCTION work() RETURNS TABLE (a uuid, b uuid, c uuid, d text, e timestamptz)"
            " BEGIN ATOMIC SELECT * FROM submissions; END",
        ),
        "SELECT * FROM work()",
    ),
}


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize(("statements", "used"), HARMLESS.values(), ids=HARMLESS)
def test_code_that_names_its_columns_is_none_of_it(
    platform_db: PlatformDatabase, statements: tuple[str, ...], used: str
) -> None:
    by_hand(platform_db, *statements)

    assert warnings(platform_db.database()) == []

    by_hand(platform_db, used)


def test_a_copy_whose_target_is_known_only_at_run_time_is_a_warning(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, HISTORY, *trigger("EXECUTE format('INSERT INTO %I SELECT ($1).*', 'history') USING OLD"))

    (warning,) = warnings(platform_db.database())

    assert "Function public.copy_row() copies rows of public.submissions by position" in warning


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "WITH gone AS (DELETE FROM submissions WHERE false RETURNING *) INSERT INTO history SELECT * FROM gone",
        "INSERT INTO history TABLE submissions",
        "INSERT INTO history SELECT DISTINCT ON (s.user_id) * FROM submissions AS s",
        "INSERT INTO history SELECT s.*, now() FROM submissions AS s",
    ],
)
def test_a_copy_that_may_be_of_all_columns_is_a_warning(platform_db: PlatformDatabase, statement: str) -> None:
    columns = ", now() AS at" if "now()" in statement else ""
    by_hand(
        platform_db,
        f"CREATE TABLE history AS SELECT s.*{columns} FROM submissions AS s",
        f"CREATE FUNCTION work() RETURNS void LANGUAGE plpgsql AS 'BEGIN {statement}; END'",
    )
    with platform_db.connect() as connection:
        connection.execute("SELECT work()")

    (warning,) = warnings(platform_db.database())

    assert "Function public.work() copies rows" in warning
    with platform_db.connect() as connection, pytest.raises(psycopg.errors.SyntaxError):
        connection.execute("SELECT work()")


def test_a_publication_is_a_warning_with_the_order(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "CREATE PUBLICATION news FOR TABLE submissions, courses")

    printed = on(platform_db, "apply").err

    assert printed.count("warning: ") == 1
    assert "Publication news sends public.submissions: a subscriber whose table lacks" in printed
    assert ": ALTER TABLE public.submissions ADD COLUMN session_id uuid;\n" in printed
    assert platform_db.apply() == []


def test_a_publication_of_all_tables_is_a_warning_of_ours(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, "CREATE PUBLICATION news FOR ALL TABLES")

    told = warnings(platform_db.database())

    assert len(told) == 3
    assert "sends all tables, including those that apply creates in schema sessiondb" in told[-1]


def test_a_published_table_without_replica_identity_is_a_warning_and_its_fix_works(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE submissions ADD COLUMN session_id uuid",
        "ALTER TABLE submissions REPLICA IDENTITY NOTHING",
        "CREATE PUBLICATION news FOR TABLE submissions",
    )
    printed = on(platform_db, "apply").err
    assert "has no replica identity: neither a backfill nor the deletion of a session" in printed
    fix = "ALTER TABLE public.submissions REPLICA IDENTITY FULL"
    assert fix in printed

    with pytest.raises(psycopg.Error, match="does not have a replica identity"):
        by_hand(platform_db, "UPDATE submissions SET session_id = NULL")
    by_hand(platform_db, fix, "UPDATE submissions SET session_id = NULL")
