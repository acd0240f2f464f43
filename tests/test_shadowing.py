"""Nothing that somebody makes in the platform's schema, or in pg_temp, is ever run in place of what our SQL means.

The platform's schema is on the search_path of our functions and connections, and many a platform lets every role
create there. PostgreSQL prefers an operator or a function with the exact types of the arguments to one of its own
that needs a cast, so an attacker who guesses the types has his code run with the rights of the owner.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors, sql
from test_cli import ADA, BRUNO, CHLOE, SQL, on

# what an installation lives through, each line a command
LIFE = f"""
plan
apply
status
org create --name Nord --slug nord
member add --org nord --user {CHLOE}
session create --org nord --course {SQL} --by {ADA}
session list
explain --user {CHLOE} --course {SQL}
show sessions
show enrollments
show submissions --unlinked
show enrollments --unlinked
backfill --dry-run
backfill
check
rollback --all --yes
apply
check
""".strip().splitlines()
OPERATORS = "= <> < <= > >= || + - * / ~ !~ ->> ~~ !~~ ~~* @> <@ && % #> #>> ->"
TYPES = (
    '"char" bool float4 float8 int2 int4 int8 interval jsonb name numeric oid regclass regnamespace regprocedure regtype'
    " text timestamptz uuid varchar int2[] int2vector name[] oid[] text[] uuid[]"
)


@pytest.fixture
def trapped_db(new_role: str, platform_db: PlatformDatabase) -> PlatformDatabase:
    """The platform, where an attacker has made every operator that PostgreSQL does not have, each an alarm."""
    schema, role = sql.Identifier(platform_db.platform.schema), sql.Identifier(new_role)
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, role))
        connection.execute(sql.SQL("SET ROLE {}").format(role))
        for name, value in (("schema", platform_db.platform.schema), ("types", TYPES), ("operators", OPERATORS)):
            connection.execute("SELECT set_config(%s, %s, false)", [f"trap.{name}", value])
        connection.execute("SET search_path TO pg_catalog")
        connection.execute(SET_TRAPS)
    return platform_db


SET_TRAPS = """
DO $traps$
DECLARE
    v_schema text := quote_ident(current_setting('trap.schema'));
    v_pair record;
    v_operator text;
BEGIN
    FOR v_pair IN
        WITH types AS (
            SELECT t.name::regtype AS type FROM string_to_table(current_setting('trap.types'), ' ') AS t (name)
             UNION ALL
            SELECT t.oid FROM pg_type AS t
             WHERE t.typnamespace = quote_ident(current_setting('trap.schema'))::regnamespace AND t.typtype IN ('d', 'e')
        )
        SELECT l.type AS l, r.type AS r, row_number() OVER () AS number FROM types AS l CROSS JOIN types AS r
    LOOP
        EXECUTE format(
            'CREATE FUNCTION %s.trap_%s(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN '
            'RAISE EXCEPTION USING MESSAGE = ''trapped by an operator of %s and %s''; END $f$',
            v_schema, v_pair.number, v_pair.l, v_pair.r, v_pair.l, v_pair.r);
        FOREACH v_operator IN ARRAY string_to_array(current_setting('trap.operators'), ' ') LOOP
            CONTINUE WHEN EXISTS (
                SELECT FROM pg_operator AS o
                 WHERE o.oprnamespace = 'pg_catalog'::regnamespace
                   AND (o.oprname, o.oprleft, o.oprright) = (v_operator, v_pair.l, v_pair.r));
            EXECUTE format('CREATE OPERATOR %s.%s (FUNCTION = %s.trap_%s, LEFTARG = %s, RIGHTARG = %s)',
                           v_schema, v_operator, v_schema, v_pair.number, v_pair.l, v_pair.r);
        END LOOP;
    END LOOP;
END
$traps$
"""


@pytest.mark.parametrize(
    "platform", [PLATFORMS["school"], PLATFORMS["academy"], PLATFORMS["quoted"]], indirect=True, ids=str
)
def test_no_operator_of_somebody_else_is_run(trapped_db: PlatformDatabase) -> None:
    platform = trapped_db.platform

    def done(*arguments: str) -> None:
        run = on(trapped_db, *arguments)
        assert (run.code, "trapped" in run.out + run.err) == (0, False), (arguments, run.out, run.err)

    for command in LIFE:
        done(*command.split())
    with trapped_db.connect(platform.student_role) as student:
        student.execute("SET search_path TO pg_catalog")  # the test's own statements are not what is tested
        assert platform.enroll(student, UUID(CHLOE), UUID(SQL)) is not None
        if platform.task_column == "course_id":
            assert platform.submit(student, UUID(CHLOE), UUID(SQL)) is not None
    with trapped_db.connect(platform.owner) as owner:
        owner.execute("SET search_path TO pg_catalog")
        assert platform.submit(owner, UUID(CHLOE), UUID(SQL)) is not None
        owner.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(platform.schema)))
        owner.execute("CALL sessiondb.backfill()")


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"], PLATFORMS["quoted"]], indirect=True, ids=str)
def test_no_operator_of_somebody_else_is_run_to_explain_a_row(trapped_db: PlatformDatabase) -> None:
    """Nor where its course is not found, or its user."""
    platform = trapped_db.platform
    trapped_db.apply()
    with trapped_db.connect() as owner:
        owner.execute("SET search_path TO pg_catalog")
        student = platform.add_user(owner)
        platform.enroll(owner, student, UUID(SQL))
        platform.submit(owner, student, UUID(SQL))
        rows = {table: sql.Identifier(platform.schema, table) for table in ("enrollments", "submissions")}
        query = sql.SQL("SELECT id FROM {} WHERE user_id = {}")
        ids = {t: owner.execute(query.format(name, sql.Literal(student))).fetchall()[0][0] for t, name in rows.items()}
        lost = sql.SQL("ALTER TABLE {0} ALTER {1} DROP NOT NULL; UPDATE {0} SET {1} = NULL")
        owner.execute(lost.format(rows["submissions"], sql.Identifier(platform.task_column)))
    for question in (
        f"--enrollment {ids['enrollments']}",
        f"--submission {ids['submissions']}",
        f"--user {student} --course {SQL}",
        f"--user {SQL} --course {SQL}",
    ):
        run = on(trapped_db, "explain", *question.split())
        assert (run.code, "trapped" in run.out + run.err) == (0, False), (question, run.out, run.err)


@pytest.mark.parametrize("path", ["code.course_id", "unbound.exercises.course_id"])
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_no_operator_of_somebody_else_is_run_on_the_way_to_the_course(trapped_db: PlatformDatabase, path: str) -> None:
    """Where the way leads over a varchar, for which the catalog has no operators of its own."""
    platform = trapped_db.platform
    with trapped_db.connect() as owner:
        owner.execute("ALTER TABLE submissions DROP exercise_id")
        owner.execute("ALTER TABLE exercises DROP id, ADD id varchar(9) PRIMARY KEY DEFAULT left(random()::text, 9)")
        owner.execute("ALTER TABLE submissions ADD code varchar(9) REFERENCES exercises, ADD unbound varchar(9)")
        trapped_db.apply(course_path=path)
        owner.execute("SET search_path TO pg_catalog")
        session = platform.add_session(owner, platform.add_org(owner), UUID(SQL))
        owner.execute("INSERT INTO public.org_members SELECT org_id, %s FROM public.sessions", [BRUNO])
        linked = owner.execute(
            """
            INSERT INTO public.submissions (user_id, code, unbound)
            SELECT %s, id, id FROM public.exercises WHERE course_id OPERATOR(pg_catalog.=) %s RETURNING session_id
            """,
            [BRUNO, SQL],
        ).fetchall()
    assert linked == [(session,)]
    for command in ("check", "show submissions --unlinked", "backfill", f"session set-status {session} completed"):
        run = on(trapped_db, *command.split())
        assert (run.code, "trapped" in run.out + run.err) == (0, False), (command, run.out, run.err)


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_no_function_of_somebody_else_is_run_where_the_platform_has_no_such_column(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """PostgreSQL takes o.slug for slug(o) then; whatever needs the column fails, the others go on without it."""
    names = {"orgs": ("slug", "name"), "sessions": ("title", "created_by"), "courses": ("title",)}
    names |= dict.fromkeys(("enrollments", "submissions"), ("id",))
    with installed_db.connect() as connection:
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(new_role)))
        session = installed_db.platform.add_session(connection, installed_db.platform.add_org(connection), UUID(SQL))
        for table, columns in names.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} RENAME {column} TO own_{column}".encode())
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(new_role)))
                connection.execute(
                    f"CREATE FUNCTION public.{column}({table}) RETURNS {'uuid' if column == 'id' else 'text'}"
                    " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$".encode()
                )
                connection.execute("RESET ROLE")
        for table in ("enrollments", "submissions"):
            with pytest.raises(errors.UndefinedColumn):
                connection.execute("SELECT sessiondb.explain_row(%s, gen_random_uuid())", [table])
    for command, code in {
        "org create --name Nord --slug nord": 1,
        f"member add --org atelier-nord --user {CHLOE}": 1,
        f"session create --org atelier-nord --course {SQL} --by {ADA}": 1,
        f"session set-status {session} completed": 0,
        "session list": 0,
        "show sessions": 0,
        "show enrollments --unlinked": 0,
        "show submissions": 0,
        f"explain --user {CHLOE} --course {SQL}": 0,
        "check": 0,
    }.items():
        run = on(installed_db, *command.split())
        assert (run.code, "trapped" in run.out + run.err) == (code, False), (command, run.out, run.err)
