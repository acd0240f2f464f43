"""plan --sql --single-transaction: one statement that does what apply does, for tools that are not psql."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.types.json import Jsonb
from test_cli import MIGRATIONS, run
from test_plan import books, link

Dump = Callable[..., str]


def batch(db: PlatformDatabase, *options: str) -> str:
    printed = run("plan", "--sql", "--single-transaction", "--schema", db.platform.schema, *options)
    assert printed.code == 0, printed
    return printed.out


def paste(db: PlatformDatabase, text: str, role: str | None = None) -> list[str]:
    """Send it as a web editor does, as one simple query; returns what the server says."""
    said: list[str] = []
    with db.connect(role or db.platform.owner) as connection:
        connection.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        connection.execute(text.encode(), prepare=False)
    return said


def test_the_batch_does_what_apply_does_and_once(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
) -> None:
    text = batch(platform_db)
    assert "\n\\" not in text

    assert paste(platform_db, text)[-1] == "sessiondb: everything is applied"
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)

    before = dump(platform_db), books(platform_db)
    assert paste(platform_db, text)[-1] == "sessiondb: nothing to do, everything is applied"
    assert (dump(platform_db), books(platform_db)) == before
    assert platform_db.apply() == []
    assert platform_db.rollback() == MIGRATIONS[::-1]


@pytest.mark.parametrize(
    "options", [(), ("--adopt", "--staff", "trainer,admin,owner", "--course-path", "a_id.b_id.c_id")]
)
def test_a_batch_is_not_larger_than_what_a_web_editor_accepts(options: tuple[str, ...]) -> None:
    """That of Supabase Studio refuses more than 0.98 MB, counted in 1024s."""
    assert len(run("plan", "--sql", "--single-transaction", *options).out.encode()) < 0.98 * 1024 * 1024


def test_a_batch_in_a_transaction_leaves_its_settings_as_they_were(platform_db: PlatformDatabase) -> None:
    shown = "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql%' ORDER BY name"
    with platform_db.connect(platform_db.platform.owner, autocommit=False) as connection:
        connection.execute("SET lock_timeout TO '7s'; SET search_path TO pg_catalog; SET DateStyle TO 'German'")
        before = connection.execute(shown).fetchall()
        connection.execute(batch(platform_db).encode(), prepare=False)
        assert connection.execute(shown).fetchall() == before


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
def test_no_batch_or_procedure_trusts_an_old_snapshot(
    installed_db: PlatformDatabase, level: psycopg.IsolationLevel
) -> None:
    """In which it would not see what another role has created since."""
    explain = "SELECT sessiondb.explain_link(gen_random_uuid(), gen_random_uuid())"
    with installed_db.connect(autocommit=False) as connection:
        for text in (batch(installed_db), explain, "CALL sessiondb.begin_backfill(NULL)"):
            connection.rollback()
            connection.isolation_level = level
            with pytest.raises(psycopg.Error, match="in READ COMMITTED only"):
                connection.execute(text.encode(), prepare=False)
            connection.rollback()
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            connection.execute(text.encode(), prepare=False)


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_who_calls_a_function_that_acts_for_another_role_cannot_make_it_trust_an_old_snapshot(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """By the setting with which sessiondb remembers what it has looked at."""
    with installed_db.connect() as connection, installed_db.connect(new_role) as caller:
        connection.execute(
            "CREATE FUNCTION why() RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS"
            " 'SELECT sessiondb.explain_link(gen_random_uuid(), gen_random_uuid())'"
        )
        caller.execute("SELECT public.why()")
        ((oid,),) = connection.execute("SELECT 'sessiondb'::regnamespace::oid::text").fetchall()
        caller.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        caller.execute("SELECT set_config('sessiondb.schema_oid', %s, true)", [oid])
        with pytest.raises(psycopg.Error, match="in READ COMMITTED only"):
            caller.execute("SELECT public.why()")


def test_a_batch_gives_saved_links_back(installed_db: PlatformDatabase) -> None:
    link(installed_db)
    links = "SELECT count(*) FROM {}.{} WHERE session_id IS NOT NULL"
    schema = sql.Identifier(installed_db.platform.schema)
    queries = [sql.SQL(links).format(schema, sql.Identifier(table)) for table in ("enrollments", "submissions")]
    with installed_db.connect() as connection:
        before = [connection.execute(query).fetchall() for query in queries]
        installed_db.rollback()
        paste(installed_db, batch(installed_db))
        assert [connection.execute(query).fetchall() for query in queries] == before
    assert before != [[(0,)], [(0,)]]


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_refused_batch_names_the_fix_and_changes_nothing(platform_db: PlatformDatabase, dump: Dump) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN status")
    before = dump(platform_db)
    text = batch(platform_db)
    with pytest.raises(psycopg.Error, match=r"nothing was changed(?s:.*)ADD COLUMN status") as refused:
        paste(platform_db, text)
    with pytest.raises(psycopg.errors.QueryCanceled) as canceled:
        paste(platform_db, f"SET statement_timeout TO '50ms'; {text}")
    assert str(refused.value.diag.message_detail).endswith("of the DO statement: DO $preflight$")
    for error in (refused.value, canceled.value):  # a web editor shows the context, too
        assert len(str(error.diag.context)) < 100, error
    assert dump(platform_db) == before


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_batch_makes_the_policies_for_staff_and_keeps_them(platform_db: PlatformDatabase) -> None:
    policies = "SELECT polname::text FROM pg_policy WHERE polname LIKE 'sessiondb%' ORDER BY polname"
    ours = [("sessiondb_staff_enrollments",), ("sessiondb_staff_submissions",)]
    for options, expected in ((("--staff", "trainer"), ours), ((), ours), (("--staff", ""), [])):
        paste(platform_db, batch(platform_db, *options))
        with platform_db.connect() as connection:
            assert connection.execute(policies).fetchall() == expected


@pytest.fixture
def editor(new_role: str, platform_db: PlatformDatabase) -> str:
    """The role of a web editor: no superuser, owner of the platform's tables, and not of schema auth."""
    role = sql.Identifier(new_role)
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("ALTER ROLE {} CREATEROLE BYPASSRLS").format(role))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(platform_db.name), role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA auth TO {0}; GRANT SELECT ON auth.users TO {0}").format(role))
        connection.execute(sql.SQL("REASSIGN OWNED BY hosted_owner TO {}").format(role))
    return new_role


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_role_of_a_hosted_backend_pastes_the_batch_and_goes_on(editor: str, platform_db: PlatformDatabase) -> None:
    assert (
        paste(platform_db, batch(platform_db, "--staff", "trainer,admin"), editor)[-1]
        == "sessiondb: everything is applied"
    )

    linked = "SELECT count(session_id) FROM submissions"
    with platform_db.connect() as connection:
        assert connection.execute(linked).fetchone() == (0,)
        for text in sql_of("migration-tools.md"):
            paste(platform_db, text, editor)
        assert connection.execute(linked).fetchone() == (2,)

    env = {"DATABASE_URL": platform_db.conninfo(editor)}
    for code, *command in ((0, "status", "--exit-code"), (0, "check"), (0, "rollback", "--all", "--yes")):
        done = run(*command, env=env)
        assert done.code == code, done


def sql_of(page: str) -> list[str]:
    """The SQL that a page tells its reader to run."""
    text = (Path(__file__).parents[1] / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"(?<=^```sql\n).*?(?=^```$)", text, re.MULTILINE | re.DOTALL)


POLICIES = """
CREATE FUNCTION public.is_owner() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT EXISTS (SELECT FROM public.org_members AS m WHERE m.user_id = auth.uid() AND m.role = 'owner') $$;

CREATE POLICY "Own memberships" ON org_members FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see all" ON enrollments FOR SELECT TO authenticated USING ((SELECT is_owner()));
CREATE POLICY "Owners see all" ON submissions FOR SELECT TO authenticated USING ((SELECT is_owner()));
"""
"""What the platform of the guide has besides what docs/grants.md advises."""

STUDENTS_SEE_SESSIONS = """
CREATE POLICY "Students see their sessions" ON sessions FOR SELECT TO authenticated
    USING (EXISTS (SELECT FROM enrollments AS e WHERE e.session_id = sessions.id AND e.user_id = auth.uid()));
"""

NORTH, SOUTH, COURSE, ITEM = (UUID(f"00000000-0000-4000-8000-0000000000{end}") for end in ("a1", "a2", "c2", "e3"))
OF_NORTH = {"trainer": "b1", "student": "b2", "another student": "b3"}
OF_SOUTH = {"trainer of the other": "b7", "student of the other": "b8"}
PEOPLE = {name: UUID(f"00000000-0000-4000-8000-0000000000{end}") for name, end in {**OF_NORTH, **OF_SOUTH}.items()}
DASHBOARD = """
SELECT concat_ws(': ', o.name, s.title), u.user_id, u.what
  FROM sessions AS s
  LEFT JOIN orgs AS o ON o.id = s.org_id
  JOIN (SELECT e.session_id, e.user_id, 'enrolled' AS what FROM enrollments AS e
        UNION ALL
        SELECT b.session_id, b.user_id, b.answer ->> 'said' FROM submissions AS b) AS u ON u.session_id = s.id
 ORDER BY s.title, u.user_id, u.what DESC
"""


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_the_trainer_sees_the_work_from_one_paste_to_the_dashboard(editor: str, platform_db: PlatformDatabase) -> None:
    platform = platform_db.platform

    def as_(who: str, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What the front end asks for a user."""
        with platform_db.connect(autocommit=False) as connection, platform.as_student(connection, PEOPLE[who]):
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def submit(who: str, said: str) -> None:
        upsert = (
            "INSERT INTO submissions (user_id, item_id, answer) VALUES (%s, %s, %s)"
            " ON CONFLICT (user_id, item_id) DO UPDATE SET answer = EXCLUDED.answer"
        )
        as_(who, upsert, PEOPLE[who], ITEM, Jsonb({"said": said}))

    with platform_db.connect() as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'b7@example.org'), (%s, 'b8@example.org')",
            [PEOPLE[who] for who in OF_SOUTH],
        )
        platform.add_member(connection, SOUTH, PEOPLE["trainer of the other"], "trainer")
        platform.add_member(connection, SOUTH, PEOPLE["student of the other"])
        connection.execute(
            "DELETE FROM org_members WHERE org_id = %s AND user_id = %s", [SOUTH, PEOPLE["another student"]]
        )
    advice, _ = sql_of("grants.md")
    paste(platform_db, POLICIES + advice, editor)
    submit("student", "before there is sessiondb")

    said = paste(platform_db, batch(platform_db, "--staff", "trainer,admin"), editor)
    assert said[-1] == "sessiondb: everything is applied"
    submit("student of the other", "before there is a session")
    assert as_("trainer", DASHBOARD) == []

    paste(platform_db, STUDENTS_SEE_SESSIONS, editor)
    session = "INSERT INTO sessions (org_id, course_id, title, status) VALUES ('{}', '{}', '{}', 'active')"
    paste(platform_db, session.format(NORTH, COURSE, "North"), editor)
    paste(platform_db, session.format(SOUTH, COURSE, "South"), editor)
    for who in ("student", "another student", "student of the other"):
        as_(who, "INSERT INTO enrollments (user_id, course_id, source) VALUES (%s, %s, 'web')", PEOPLE[who], COURSE)
        submit(who, "again")

    def seen(title: str, *who: str) -> list[tuple[object, ...]]:
        return [(title, PEOPLE[name], what) for name in who for what in ("enrolled", "again")]

    assert as_("trainer", DASHBOARD) == seen("Atelier Nord: North", "student", "another student")
    assert as_("trainer of the other", DASHBOARD) == seen("Campus Sud: South", "student of the other")
    assert as_("student", DASHBOARD) == seen("North", "student")
    assert as_("student of the other", DASHBOARD) == seen("South", "student of the other")
    for who in ("student", "trainer of the other"):
        with pytest.raises(psycopg.errors.CheckViolation):  # asking for a session is not enough
            as_(
                who,
                "INSERT INTO submissions (user_id, item_id, answer, session_id)"
                " SELECT %s, %s, '{}', '00000000-0000-4000-8000-0000000000f1'",
                PEOPLE[who],
                ITEM,
            )
