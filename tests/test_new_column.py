"""Code of the platform that the new column would change, or its end break, is found before it does."""

from __future__ import annotations

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_cli import on
from test_preflight import by_hand, refusal, warnings

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

LOGINS = "CREATE TABLE logins (id uuid, user_id uuid, session_id uuid)"
REFUSED = {
    "a parameter in SQL": (
        "CREATE FUNCTION f(session_id uuid) RETURNS SETOF text LANGUAGE sql AS"
        " 'SELECT s.content FROM submissions AS s WHERE session_id IS NULL'"
    ),
    "a parameter in PL/pgSQL": (
        "CREATE FUNCTION f(session_id uuid) RETURNS bigint LANGUAGE plpgsql AS"
        " 'BEGIN RETURN (SELECT count(*) FROM public.enrollments WHERE id = session_id); END'"
    ),
    "a column of the result": (
        "CREATE FUNCTION f() RETURNS TABLE (session_id uuid) LANGUAGE plpgsql AS"
        " 'BEGIN session_id := NULL; RETURN QUERY SELECT id FROM submissions WHERE id = session_id; END'"
    ),
    "a variable": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS"
        " 'DECLARE n bigint; Session_Id uuid; BEGIN RETURN (SELECT count(*) FROM submissions WHERE id = session_id); END'"
    ),
}
WARNED = {
    "a column of another table": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS"
        " 'SELECT count(session_id) FROM logins JOIN submissions USING (user_id)'"
    ),
}
HARMLESS = {
    "a name with its table": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS"
        " 'SELECT count(l.session_id) FROM logins AS l JOIN submissions USING (user_id)'"
    ),
    "a name with that of the function": (
        "CREATE FUNCTION f(session_id uuid) RETURNS bigint LANGUAGE sql AS"
        " 'SELECT count(*) FROM submissions WHERE id = f.session_id'"
    ),
    "columns of an INSERT and a name of a result": (
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO logins (id, session_id) SELECT id, id AS session_id FROM submissions; END'"
    ),
    "a statement on other tables": (
        "CREATE FUNCTION f(session_id uuid) RETURNS bigint LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM FROM submissions; RETURN (SELECT count(*) FROM courses AS c WHERE c.id = session_id); END'"
    ),
    "a body that PostgreSQL has parsed": (
        "CREATE FUNCTION f(session_id uuid) RETURNS bigint"
        " RETURN (SELECT count(*) FROM submissions WHERE id = session_id)"
    ),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_parameter_or_variable_that_the_column_would_hide_is_refused(platform_db: PlatformDatabase, how: str) -> None:
    by_hand(platform_db, LOGINS, REFUSED[how])

    (finding,) = refusal(platform_db.database())

    assert (finding.check, finding.level) == ("ambiguous_names", "error")
    assert "names session_id without its table" in finding.detail


@pytest.mark.parametrize("how", WARNED)
def test_a_name_that_may_be_another_tables_is_a_warning(platform_db: PlatformDatabase, how: str) -> None:
    by_hand(platform_db, LOGINS, WARNED[how])

    applied = on(platform_db, "apply")

    assert (applied.code, "names session_id without its table" in applied.err) == (0, True)
    with platform_db.connect() as connection, pytest.raises(psycopg.errors.AmbiguousColumn):
        connection.execute("SELECT f()")


@pytest.mark.parametrize("how", HARMLESS)
def test_a_name_that_stays_what_it_was_is_none_of_it(platform_db: PlatformDatabase, how: str) -> None:
    by_hand(platform_db, LOGINS, HARMLESS[how])
    call = "SELECT f(NULL::uuid)" if "session_id uuid)" in HARMLESS[how] else "SELECT f()"
    with platform_db.connect() as connection:
        before = connection.execute(call.encode()).fetchall()

    applied = on(platform_db, "apply")

    assert (applied.code, "names session_id" in applied.err) == (0, False)
    with platform_db.connect() as connection:
        assert connection.execute(call.encode()).fetchall() == before


def test_a_check_of_whole_rows_is_refused_and_a_view_of_them_is_a_warning(platform_db: PlatformDatabase) -> None:
    """A row is NOT NULL only if all its columns are."""
    by_hand(
        platform_db,
        "CREATE VIEW found AS SELECT e.id FROM enrollments AS e WHERE e IS NOT NULL",
        "ALTER TABLE submissions ADD CONSTRAINT whole CHECK (submissions IS NOT NULL) NOT VALID",
    )
    found = {(finding.object, finding.level) for finding in refusal(platform_db.database())}
    assert found == {("view public.found", "warning"), ("table constraint whole on public.submissions", "error")}

    by_hand(platform_db, "ALTER TABLE submissions DROP CONSTRAINT whole")
    (warning,) = warnings(platform_db.database())
    assert "view public.found asks whether whole rows" in warning


def test_a_function_that_a_call_of_ours_could_mean_is_refused(platform_db: PlatformDatabase) -> None:
    by_hand(
        platform_db,
        "CREATE FUNCTION get_user_session_for_course(a uuid, b uuid, c boolean DEFAULT true) RETURNS uuid LANGUAGE sql RETURN a",
        "CREATE FUNCTION get_user_session_for_course(a uuid, b uuid, c boolean, d boolean) RETURNS uuid LANGUAGE sql RETURN a",
    )
    (finding,) = refusal(platform_db.database())
    by_hand(platform_db, finding.fix)
    assert on(platform_db, "apply").code == 0
    with platform_db.connect() as connection:
        connection.execute("SELECT get_user_session_for_course(gen_random_uuid(), gen_random_uuid())")


def test_functions_that_name_the_column_are_told_before_a_rollback_drops_it(platform_db: PlatformDatabase) -> None:
    platform_db.apply()
    by_hand(
        platform_db,
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF NEW.session_id IS NULL THEN RAISE LOG ''none''; END IF; RETURN NEW; END'",
        "CREATE TRIGGER noted BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION noted()",
        "CREATE FUNCTION linked() RETURNS bigint LANGUAGE sql AS 'SELECT count(session_id) FROM enrollments'",
    )
    refused = on(platform_db, "rollback", "--all", "--yes")
    assert refused.code == 5
    assert "Function public.noted() names session_id" in refused.err
    by_hand(platform_db, "DROP TRIGGER noted ON submissions; DROP FUNCTION noted()")
    kept = on(platform_db, "rollback", "--to", "0003", "--yes")
    assert (kept.code, "linked()" in kept.err) == (0, False)
    done = on(platform_db, "rollback", "--all", "--yes")
    assert (done.code, "Function public.linked() names session_id" in done.err) == (0, True)
