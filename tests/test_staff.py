"""On a platform with row level security the staff of an organisation read the rows of its sessions, and no other role reads more."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from uuid import UUID

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_cli import on, rows, run

from sessiondb.connection import trusted

TRAINERS = "trainer, admin"

pytestmark = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)

PYTHON = UUID("00000000-0000-4000-8000-0000000000c1")
PEOPLE = {
    "trainer": "b1",
    "student": "b2",
    "admin": "b5",
    "auditor": "b6",
    "trainer of another organisation": "b7",
    "nobody": "b4",
}
SEEN = {
    "trainer": (2, 2),
    "student": (1, 1),
    "admin": (2, 2),
    "auditor": (0, 0),
    "trainer of another organisation": (1, 1),
    "nobody": (1, 1),
}
"""Enrolments and submissions that each reads: two of each in Atelier Nord, one in Campus Sud, and those of one's own."""


def user(who: str) -> UUID:
    return UUID(f"00000000-0000-4000-8000-0000000000{PEOPLE[who]}")


def as_(db: PlatformDatabase, who: str, query: str = "") -> tuple[int, ...]:
    """How many enrolments and submissions a user reads, as the front end asks."""
    with db.connect(autocommit=False) as connection, db.platform.as_student(connection, user(who)):
        counts = "SELECT (SELECT count(*) FROM enrollments), (SELECT count(*) FROM submissions)"
        return connection.execute((query or counts).encode()).fetchone() or ()


def seen(db: PlatformDatabase) -> dict[str, tuple[int, ...]]:
    return {who: as_(db, who) for who in PEOPLE}


@pytest.fixture
def people(platform_db: PlatformDatabase) -> PlatformDatabase:
    """A platform with two organisations at work, and policies of its own that read each other's tables."""
    north, south = (UUID(f"00000000-0000-4000-8000-0000000000a{n}") for n in (1, 2))
    platform = platform_db.platform
    with platform_db.connect() as connection:
        connection.execute(
            """
            ALTER TABLE org_members DROP CONSTRAINT org_members_role_check;
            INSERT INTO auth.users (id, email)
            SELECT ('00000000-0000-4000-8000-0000000000b' || n)::uuid, n || '@example.org' FROM generate_series(5, 8) AS n;
            INSERT INTO sessions (org_id, course_id, title, status)
            VALUES ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Sud', 'active');
            DELETE FROM enrollments WHERE user_id = '00000000-0000-4000-8000-0000000000b3';
            DELETE FROM submissions WHERE user_id = '00000000-0000-4000-8000-0000000000b3';
            """
        )
        for org, who, role in (
            (north, "admin", "admin"),
            (north, "auditor", "auditor"),
            (south, "trainer of another organisation", "trainer"),
        ):
            platform.add_member(connection, org, user(who), role)
        connection.execute(
            """
            DELETE FROM org_members WHERE user_id = '00000000-0000-4000-8000-0000000000b3';
            INSERT INTO org_members (org_id, user_id)
            VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b3'),
                   ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000b8');
            """
        )
    return platform_db


def let_members_be_read(db: PlatformDatabase) -> None:
    """Let the readers evaluate an expression that reads members and sessions."""
    with db.connect() as connection:
        connection.execute(
            "GRANT SELECT ON org_members, sessions TO authenticated;"
            "CREATE POLICY members ON org_members FOR SELECT TO authenticated USING (true);"
            "CREATE POLICY sessions ON sessions FOR SELECT TO authenticated USING (true)"
        )


def put_to_work(db: PlatformDatabase) -> None:
    with db.connect() as connection:
        connection.execute("DELETE FROM enrollments WHERE course_id = %s", [PYTHON])
        connection.execute(
            "DELETE FROM submissions WHERE item_id IN"
            " (SELECT i.id FROM items AS i JOIN modules AS m ON m.id = i.module_id WHERE m.course_id = %s)",
            [PYTHON],
        )
        for number in (2, 3, 8):
            student = UUID(f"00000000-0000-4000-8000-0000000000b{number}")
            assert db.platform.enroll(connection, student, PYTHON)
            assert db.platform.submit(connection, student, PYTHON)


@pytest.mark.slow
def test_staff_read_the_rows_of_their_organisation_and_no_other_role_reads_more(people: PlatformDatabase) -> None:
    people.apply()
    put_to_work(people)
    before = seen(people)
    assert before == {**SEEN, "trainer": (0, 0), "admin": (0, 0), "trainer of another organisation": (0, 0)}

    people.apply(staff=TRAINERS)
    assert seen(people) == SEEN

    people.apply(staff="trainer")
    assert seen(people) == {**SEEN, "admin": (0, 0)}

    assert people.apply() == []  # what was chosen stays
    assert seen(people) == {**SEEN, "admin": (0, 0)}

    people.apply(staff="")
    assert seen(people) == before


def test_names_of_ours_in_the_expression_of_the_current_user_stay_as_they_are(people: PlatformDatabase) -> None:
    people.apply()
    put_to_work(people)
    words = "'staff_user' || 'staff_roles' <> 'readers_of_submissions'"
    let_members_be_read(people)
    expression = f"(SELECT m.user_id FROM org_members AS m WHERE m.user_id = auth.uid() AND {words} LIMIT 1)"
    done = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)
    assert done.code == 0, done.err
    assert seen(people) == {**SEEN, "admin": (0, 0)}


def test_the_platforms_own_policies_may_read_the_tables_of_each_other(people: PlatformDatabase) -> None:
    """A student reads the sessions of their own enrolments; a policy that read sessions in its turn would not end."""
    people.apply()
    put_to_work(people)
    with people.connect("hosted_owner") as connection:
        connection.execute(
            """
            GRANT SELECT ON sessions, org_members TO authenticated;
            CREATE POLICY own ON sessions FOR SELECT TO authenticated
                USING (EXISTS (SELECT FROM enrollments AS e WHERE e.session_id = sessions.id));
            CREATE POLICY own ON org_members FOR SELECT TO authenticated
                USING (EXISTS (SELECT FROM sessions AS s WHERE s.org_id = org_members.org_id));
            """
        )
    people.apply(staff=TRAINERS)
    assert seen(people) == SEEN
    assert as_(people, "trainer", "SELECT count(*) FROM sessions") == (1,)


@pytest.mark.slow
def test_the_policy_is_evaluated_once_a_query_and_the_index_is_used(people: PlatformDatabase) -> None:
    people.apply(staff=TRAINERS)
    with people.connect() as connection:
        connection.execute(
            """
            SET session_replication_role TO replica;
            INSERT INTO enrollments (user_id, course_id, source, session_id)
            SELECT gen_random_uuid(), c.id, 'web', s.id
              FROM generate_series(1, 100000) AS n
             CROSS JOIN (SELECT id FROM courses LIMIT 1) AS c
              LEFT JOIN sessions AS s ON n <= 10 AND s.id = '00000000-0000-4000-8000-0000000000f1';
            """
        )
        connection.execute("ANALYZE enrollments")
    with people.connect(autocommit=False) as connection, people.platform.as_student(connection, user("trainer")):
        rows = connection.execute("EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT * FROM enrollments").fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert "Seq Scan on enrollments" not in plan, plan
    assert "enrollments_session_id_idx" in plan
    assert re.findall(r"ProjectSet \(actual .*loops=(\d+)\)", plan) == ["1"], plan


@pytest.mark.slow
def test_status_and_plan_show_it_and_rollback_undoes_it(people: PlatformDatabase, dump: Callable[..., str]) -> None:
    before = dump(people)
    dsn = people.conninfo("hosted_owner")
    planned = run("-d", dsn, "plan", "--staff", "trainer", "-v").out
    assert f"CREATE POLICY sessiondb_staff_enrollments ON {people.platform.schema}.enrollments" in planned
    assert "ACCESS EXCLUSIVE on submissions" in planned

    assert run("-d", dsn, "apply", "--staff", "trainer", "--current-user", "auth.uid()").code == 0
    status = run("-d", dsn, "status").out
    assert "staff: trainer (of auth.uid())" in status
    assert "is installed completely" in status
    assert json.loads(run("-d", dsn, "--format", "json", "status").out)["staff"] == "trainer"
    assert json.loads(run("-d", dsn, "--format", "json", "plan").out) == {"statements": []}

    people.rollback(to="0009")
    assert policies(people) == set()
    people.rollback()
    assert dump(people) == before


def policies(db: PlatformDatabase) -> set[tuple[str, str]]:
    """Our policies, each with its roles."""
    query = "SELECT polname::text, polroles::regrole[]::text FROM pg_policy WHERE polname LIKE 'sessiondb%'"
    with db.connect() as connection:
        return {*connection.execute(query)}


@pytest.mark.slow
@pytest.mark.like_cases(one_in=3)
@pytest.mark.parametrize(
    "damage",
    [
        "DROP POLICY sessiondb_staff_enrollments ON enrollments",
        "ALTER POLICY sessiondb_staff_enrollments ON enrollments TO PUBLIC",
        "ALTER POLICY sessiondb_staff_submissions ON submissions USING (true)",
        "REVOKE EXECUTE ON FUNCTION sessiondb.sessions_of_staff(uuid) FROM authenticated",
        "REVOKE EXECUTE ON FUNCTION sessiondb.current_user_id() FROM authenticated",
        "GRANT EXECUTE ON FUNCTION sessiondb.sessions_of_staff(uuid) TO anon",
        "DELETE FROM sessiondb.objects WHERE kind = 'policy'",
        "UPDATE sessiondb.installation SET staff = NULL",
    ],
)
def test_what_is_changed_by_hand_is_reported_and_made_again(people: PlatformDatabase, damage: str) -> None:
    people.apply(staff=TRAINERS)
    put_to_work(people)
    with people.connect("hosted_owner") as connection:
        connection.execute(damage.encode())
    dsn = people.conninfo("hosted_owner")
    assert run("-d", dsn, "status", "--exit-code").code == 3
    assert run("-d", dsn, "check", "--strict").code == 4

    people.apply(staff=TRAINERS)
    assert seen(people) == SEEN
    assert run("-d", dsn, "status", "--exit-code").code == 0
    assert run("-d", dsn, "check", "--strict", "installed_objects", "staff").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("table", ["installation", "objects", "_yoyo_migration"])
def test_a_rollback_leaves_no_policy_though_a_table_of_ours_is_gone(
    people: PlatformDatabase, dump: Callable[..., str], table: str
) -> None:
    before = dump(people)
    people.apply(staff=TRAINERS)
    with people.connect("hosted_owner") as connection:
        connection.execute(f"DROP TABLE sessiondb.{table}".encode())
    people.apply()
    people.rollback()
    assert dump(people) == before
    people.apply(staff=TRAINERS)
    with people.connect("hosted_owner") as connection:
        connection.execute(f"DROP TABLE sessiondb.{table}".encode())
    if table == "_yoyo_migration":
        people.apply()
    people.rollback()
    assert dump(people) == before


def test_a_role_that_is_granted_select_later_is_seen_and_added(people: PlatformDatabase, new_role: str) -> None:
    """And one that is trusted with the tables as their owner is, or that sees every row, is not in the policy."""
    people.apply(staff=TRAINERS)
    of_each = [f"sessiondb_staff_{table}" for table in ("enrollments", "submissions")]
    assert policies(people) == {(name, "{authenticated}") for name in of_each}

    with people.connect() as connection:
        connection.execute(sql.SQL("GRANT SELECT (id) ON submissions TO {}").format(sql.Identifier(new_role)))
    dsn = people.conninfo("hosted_owner")
    assert run("-d", dsn, "status", "--exit-code").code == 3
    people.apply()
    assert policies(people) == {(of_each[0], "{authenticated}"), (of_each[1], f"{{authenticated,{new_role}}}")}
    assert run("-d", dsn, "status", "--exit-code").code == 0
    with people.connect(new_role) as connection:
        assert connection.execute("SELECT count(id) FROM submissions").fetchone() == (0,)
    with people.connect() as connection:
        connection.execute(sql.SQL("REVOKE SELECT (id) ON submissions FROM {}").format(sql.Identifier(new_role)))
    people.apply()
    assert policies(people) == {(name, "{authenticated}") for name in of_each}


@pytest.mark.parametrize("name", ["Doe, Jane", "SET search_path FROM CURRENT"])
def test_a_role_with_an_odd_name_reads_as_any_other(people: PlatformDatabase, name: str) -> None:
    with people.connect() as connection:
        connection.execute(f'CREATE ROLE "{name}"'.encode())
        try:
            connection.execute(f'GRANT SELECT ON enrollments, submissions TO "{name}"'.encode())
            people.apply(staff=TRAINERS)
            assert {f'"{name}\\' in roles for _, roles in policies(people)} == {True}
            assert on(people, "check", "staff", "grants").code == 0
            people.rollback()
        finally:
            connection.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'.encode())


def test_a_reader_that_was_renamed_reads_on_and_no_fix_takes_that_away(people: PlatformDatabase) -> None:
    with people.connect() as connection:
        connection.execute("CREATE ROLE reader_before")
        now = "reader_before"
        try:
            connection.execute("GRANT SELECT ON enrollments, submissions TO reader_before")
            people.apply(staff=TRAINERS)
            connection.execute("ALTER ROLE reader_before RENAME TO reader_after")
            now = "reader_after"
            found = on(people, "check", "grants", "--format", "json").json["findings"]
            assert [f["fix"] for f in found if "reader_after" in f["fix"]] == []
        finally:
            connection.execute(f"DROP OWNED BY {now}; DROP ROLE {now}".encode())


def test_no_type_of_another_role_after_returning_is_used_to_ask_for_the_current_user(
    new_role: str, people: PlatformDatabase
) -> None:
    """PostgreSQL records no dependency on it."""
    expression = "JSON_VALUE(nullif(current_setting('app.j', true), '')::jsonb, (chr(36) || '.sub')::jsonpath RETURNING {})::text::uuid"
    with people.connect() as connection:
        if connection.info.server_version < 170000:
            pytest.skip("there is no JSON_VALUE before PostgreSQL 17")
        connection.execute("CREATE DOMAIN uid AS text")
        connection.execute(sql.SQL("CREATE SCHEMA theirs AUTHORIZATION {}").format(sql.Identifier(new_role)))
        connection.execute("GRANT USAGE ON SCHEMA theirs TO PUBLIC; CREATE DOMAIN theirs.uid AS text")
        connection.execute(sql.SQL("ALTER DOMAIN theirs.uid OWNER TO {}").format(sql.Identifier(new_role)))

    refused = on(people, "apply", "--staff", TRAINERS, "--current-user", expression.format("theirs.uid"))
    assert (refused.code, "uses type theirs.uid" in refused.err) == (1, True), refused.err
    assert rows(people, "SELECT to_regnamespace('sessiondb') AS s") == [{"s": None}]

    assert on(people, "apply", "--staff", TRAINERS, "--current-user", expression.format("public.uid")).code == 0
    with people.connect() as connection:
        connection.execute(sql.SQL("ALTER DOMAIN public.uid OWNER TO {}").format(sql.Identifier(new_role)))
    assert "use type" in on(people, "check", "code_of_others").out


def test_a_view_of_the_rows_is_read_as_before(people: PlatformDatabase, new_role: str) -> None:
    """Its owner's policies apply, but the right to call their function is that of the role that reads it."""
    role = sql.Identifier(new_role)
    with people.connect() as connection:
        connection.execute("GRANT SELECT ON submissions TO authenticated")
        connection.execute("CREATE VIEW scores AS SELECT id FROM submissions; ALTER VIEW scores OWNER TO authenticated")
        connection.execute("CREATE VIEW best AS SELECT id FROM scores; ALTER VIEW best OWNER TO authenticated")
        connection.execute(sql.SQL("GRANT SELECT ON best TO {}").format(role))
    people.apply(staff=TRAINERS)
    with people.connect(new_role) as connection:
        assert connection.execute("SELECT FROM best").rowcount == 0
    assert run("-d", people.conninfo("hosted_owner"), "check", "staff", "grants").code == 0
    with people.connect() as connection:  # one that is made later, after the next apply
        connection.execute(
            "DROP VIEW best; CREATE VIEW worst AS SELECT id FROM scores; ALTER VIEW worst OWNER TO authenticated"
        )
        people.apply()
        allowed = "SELECT has_function_privilege(%s, 'sessiondb.sessions_of_staff(uuid)', 'EXECUTE')"
        assert connection.execute(allowed, [new_role]).fetchone() == (False,)
        connection.execute(sql.SQL("GRANT SELECT ON worst TO {}").format(role))
    people.apply()
    with people.connect(new_role) as connection:
        assert connection.execute("SELECT FROM worst").rowcount == 0
    people.apply(staff="")
    with people.connect() as connection:
        connection.execute("DROP VIEW scores CASCADE")


@pytest.mark.slow
def test_a_view_gives_no_right_to_a_role_that_could_ask_for_the_sessions_of_any_user(
    new_role: str, people: PlatformDatabase
) -> None:
    """A reader could grant its view to a role that may name what is in schema sessiondb; the owner may grant its own."""
    role = sql.Identifier(new_role)
    people.apply()
    with people.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA sessiondb TO {}").format(role))
        for owner, seen in (("authenticated", 0), ("hosted_owner", 0), ("hosted_owner", 1)):
            connection.execute("CREATE VIEW scores AS SELECT FROM submissions")
            connection.execute(sql.SQL("ALTER VIEW scores OWNER TO {}").format(sql.Identifier(owner)))
            connection.execute(sql.SQL("GRANT SELECT ON scores TO {}").format(role))
            if seen:  # through a view of a reader
                connection.execute(
                    "ALTER VIEW scores RENAME TO inner_scores; ALTER VIEW inner_scores OWNER TO authenticated"
                )
                connection.execute(
                    "CREATE VIEW scores AS SELECT FROM inner_scores; ALTER VIEW scores OWNER TO hosted_owner"
                )
                connection.execute("GRANT SELECT ON inner_scores TO hosted_owner")
                connection.execute(sql.SQL("GRANT SELECT ON scores TO {}").format(role))
            people.apply(staff=TRAINERS)
            acl = "SELECT count(*) FROM pg_proc WHERE proname = 'sessions_of_staff' AND proacl::text ~ %s"
            assert connection.execute(acl, [rf"[{{,]{new_role}="]).fetchone() == (seen,), owner
            people.apply(staff="")
            connection.execute("DROP VIEW IF EXISTS scores, inner_scores")


@pytest.mark.parametrize("grant", ["", "GRANT SELECT (id) ON enrollments TO {}"])
def test_a_view_gives_public_no_right_nor_one_that_its_owner_may_not_read(
    new_role: str, people: PlatformDatabase, grant: str
) -> None:
    """Any role may make one, and grant it."""
    role = sql.Identifier(new_role)
    with people.connect(new_role) as other, people.connect() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA own AUTHORIZATION {}").format(role))
        other.execute("CREATE TEMP VIEW seen AS SELECT id FROM public.enrollments")
        other.execute("CREATE VIEW own.seen AS SELECT id FROM public.enrollments; GRANT SELECT ON own.seen TO PUBLIC")
        connection.execute(
            "CREATE VIEW counts AS SELECT count(*) FROM enrollments; ALTER VIEW counts OWNER TO hosted_owner"
        )
        connection.execute("GRANT SELECT ON counts TO anon")  # no policy applies to the owner
        connection.execute(sql.SQL(trusted(grant)).format(role))
        people.apply(staff=TRAINERS)
        acl = "SELECT count(*) FROM pg_proc WHERE proname = 'sessions_of_staff' AND proacl::text ~ %s"
        found = connection.execute(acl, [rf"[{{,](anon{'' if grant else '|' + new_role}|)="]).fetchone()
        connection.execute("DROP SCHEMA own CASCADE")
    assert found == (0,)


def test_a_rollback_of_the_policies_says_how_to_choose_them_again(people: PlatformDatabase) -> None:
    people.apply(staff=TRAINERS)
    said = run("-d", people.conninfo("hosted_owner"), "rollback", "--to", "0009", "--yes")
    assert (said.code, f"sessiondb apply --staff '{TRAINERS}'" in said.err) == (0, True), said.err


def test_default_privileges_of_the_platform_neither_give_nor_take_it(people: PlatformDatabase) -> None:
    with people.connect("hosted_owner") as connection:
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO anon, authenticated, service_role")
    people.apply(staff=TRAINERS)
    put_to_work(people)
    assert seen(people) == SEEN
    query = "SELECT proacl::text FROM pg_proc WHERE proname = 'sessions_of_staff'"
    with people.connect() as connection:
        assert connection.execute(query).fetchone() == ("{hosted_owner=X/hosted_owner,authenticated=X/hosted_owner}",)
    people.apply(staff="")
    with people.connect() as connection:
        assert connection.execute(query).fetchone() == ("{hosted_owner=X/hosted_owner}",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--current-user", "no_such()"), "no_such()"),
        (("--current-user", "1; DROP TABLE purchases"), "syntax error"),
        (("--current-user", "$$x$$"), "dollar sign"),
        (("--current-user", "'not a uuid'"), "invalid input syntax"),
    ],
)
def test_an_expression_that_gives_no_user_is_refused_before_anything_is_changed(
    people: PlatformDatabase, dump: Callable[..., str], options: tuple[str, ...], said: str
) -> None:
    before = dump(people)
    ended = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", *options)
    assert ended.code in (1, 2)
    assert said in ended.err
    assert dump(people) == before


def test_an_expression_without_staff_is_refused(platform_db: PlatformDatabase) -> None:
    dsn = platform_db.conninfo("hosted_owner")
    refused = run("-d", dsn, "apply", "--current-user", "auth.uid()")
    assert (refused.code, "Name the roles with --staff." in refused.err) == (2, True)
    assert rows(platform_db, "SELECT FROM pg_namespace WHERE nspname = 'sessiondb'") == []
    assert run("-d", dsn, "apply", "--staff", "trainer").code == 0
    assert run("-d", dsn, "apply", "--current-user", "auth.uid()").code == 0  # the roles are known


def test_a_role_that_no_member_can_have_is_refused_before_anything_is_changed(platform_db: PlatformDatabase) -> None:
    ended = run("-d", platform_db.conninfo("hosted_owner"), "apply", "--staff", "trainer, trainr")
    assert ended.code == 5
    assert 'cannot hold "trainr", a role of --staff' in ended.err
    assert '"trainer"' not in ended.err
    assert rows(platform_db, "SELECT FROM pg_namespace WHERE nspname = 'sessiondb'") == []


@pytest.mark.parametrize("roles", ["trainer,", ",", "trainer,,admin", " , trainer"])
def test_an_empty_role_is_refused(platform_db: PlatformDatabase, roles: str) -> None:
    """A member whose role is an empty text would be staff."""
    refused = run("-d", platform_db.conninfo("hosted_owner"), "apply", "--staff", roles)
    assert (refused.code, f'--staff "{roles}" has an empty role' in refused.err) == (2, True)


def test_a_dry_run_plans_the_policies_without_evaluating_the_expression(people: PlatformDatabase) -> None:
    dsn = people.conninfo("hosted_owner")
    expression = "(SELECT m.user_id FROM org_members AS m WHERE m.user_id = auth.uid() LIMIT 1)"
    planned = run("-d", dsn, "apply", "--dry-run", "--staff", "trainer", "--current-user", expression)
    assert (planned.code, "sessiondb_staff_enrollments" in planned.out) == (0, True), planned.err


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(SELECT m.user_id FROM org_members AS m LIMIT 1)", "SELECT (user_id) ON TABLE public.org_members"),
        ("mine()", "EXECUTE ON FUNCTION public.mine()"),
    ],
)
def test_an_expression_that_a_reader_may_not_evaluate_is_refused(
    people: PlatformDatabase, expression: str, said: str
) -> None:
    """Each SELECT of that reader would fail."""
    with people.connect("hosted_owner") as connection:
        connection.execute("CREATE FUNCTION mine() RETURNS uuid LANGUAGE sql AS 'SELECT auth.uid()'")
        connection.execute("REVOKE ALL ON FUNCTION mine() FROM PUBLIC, authenticated")
    refused = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)
    assert (refused.code, f"GRANT {said} TO authenticated" in refused.err) == (1, True), refused.err
    assert rows(people, "SELECT FROM pg_namespace WHERE nspname = 'sessiondb'") == []


@pytest.mark.parametrize(
    "expression",
    [
        "('{x}'::mine[])[1]::uuid",
        "(nullif(of_mine(), '{x}'))[1]::uuid",
        """('("x")'::"of it").is_mine::uuid""",
        "('{x}'::yours[])[1]::uuid",
        "('{x}'::checked[])[1]::uuid",
        "lower('[x,x]'::span)::text::uuid",
        "lower('{[x,x]}'::spans)::text::uuid",
    ],
)
def test_no_literal_of_a_type_of_another_role_is_read(new_role: str, people: PlatformDatabase, expression: str) -> None:
    """Already when the expression is parsed, the CHECK of a domain would run."""
    with people.connect() as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}".encode())
        connection.execute(
            """
            CREATE FUNCTION fall(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'fallen'; END $$;
            CREATE DOMAIN mine AS text CHECK (fall(VALUE));
            CREATE FUNCTION of_mine() RETURNS mine[] LANGUAGE sql AS 'SELECT NULL::mine[]';
            CREATE TYPE "of it" AS (is_mine mine);
            """
        )
    with people.connect("hosted_owner") as connection:
        connection.execute("CREATE DOMAIN yours AS mine; CREATE DOMAIN checked AS text CHECK (fall(VALUE))")
        connection.execute("CREATE TYPE span AS RANGE (SUBTYPE = mine, MULTIRANGE_TYPE_NAME = spans)")
    refused = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)
    assert (refused.code, f"of role {new_role}" in refused.err, "fallen" in refused.err) == (1, True, False), (
        refused.err
    )


def test_no_function_of_the_platform_in_the_expression_is_run_by_apply(people: PlatformDatabase) -> None:
    """It may call a function of another role, which must not get the rights of a superuser."""
    with people.connect("hosted_owner") as connection:
        connection.execute("CREATE FUNCTION me() RETURNS uuid LANGUAGE plpgsql STABLE AS 'BEGIN RAISE ''run''; END'")
    applied = run("-d", people.conninfo(), "apply", "--staff", "trainer", "--current-user", "me()")
    assert applied.code == 0, applied.err


def test_no_temporary_table_of_a_reader_says_who_asks(people: PlatformDatabase) -> None:
    with people.connect("hosted_owner") as connection:
        connection.execute(
            "CREATE TABLE who AS SELECT NULL::uuid AS id WHERE false; GRANT SELECT ON who TO authenticated;"
            "CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE AS"
            " 'SELECT coalesce((SELECT id FROM who LIMIT 1), auth.uid())'"
        )
    dsn = people.conninfo("hosted_owner")
    assert run("-d", dsn, "apply", "--staff", "trainer,admin", "--current-user", "me()").code == 0
    put_to_work(people)
    with people.connect() as connection:
        staff = connection.execute("SELECT user_id FROM org_members WHERE role IN ('trainer', 'admin')").fetchall()
        connection.execute(f'GRANT TEMPORARY ON DATABASE "{people.name}" TO authenticated'.encode())
    for member in staff:
        with people.connect(autocommit=False) as connection, people.platform.as_student(connection, user("student")):
            connection.execute("CREATE TEMP TABLE who (id uuid)")
            connection.execute("INSERT INTO who VALUES (%s)", member)
            assert connection.execute("SELECT FROM submissions").rowcount == SEEN["student"][1]
    assert staff


@pytest.mark.parametrize("policy", ["id IN (SELECT user_id FROM public.enrollments)", None, "a view"])
def test_an_expression_that_reads_what_the_policies_are_for_is_refused(
    people: PlatformDatabase, policy: str | None
) -> None:
    """Each policy would call itself, and every query of a reader fail."""
    expression = "(SELECT p.id FROM profiles AS p WHERE p.id = auth.uid())"
    with people.connect("hosted_owner") as connection:
        if policy == "a view":
            if connection.info.server_version < 150000:
                pytest.skip("views run with the rights of their owner")
            connection.execute(
                "CREATE VIEW mine WITH (security_invoker) AS SELECT user_id AS id FROM enrollments; GRANT SELECT ON mine TO authenticated"
            )
            expression = "(SELECT m.id FROM mine AS m WHERE m.id = auth.uid() LIMIT 1)"
        elif policy:
            connection.execute(f"CREATE POLICY mates ON profiles USING ({policy})".encode())
        else:
            expression = "(SELECT e.user_id FROM enrollments AS e WHERE e.user_id = auth.uid() LIMIT 1)"
    refused = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)
    assert (refused.code, "would call itself" in refused.err) == (1, True), refused.err


def test_a_right_that_the_expression_needs_and_a_reader_has_lost_is_found(people: PlatformDatabase) -> None:
    dsn = people.conninfo("hosted_owner")
    with people.connect("hosted_owner") as connection:
        connection.execute("CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT auth.uid()'")
    assert run("-d", dsn, "apply", "--staff", "trainer,admin", "--current-user", "me()").code == 0
    put_to_work(people)
    with people.connect("hosted_owner") as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION me() FROM PUBLIC, anon, authenticated, service_role")

    found = run("-d", dsn, "check", "staff", "--format", "json")

    (finding,) = found.json["findings"]
    assert (found.code, finding["fix"]) == (4, "GRANT EXECUTE ON FUNCTION public.me() TO authenticated")
    with people.connect("hosted_owner") as connection:
        connection.execute(finding["fix"].encode())
    assert seen(people) == SEEN


@pytest.mark.slow
def test_readers_read_on_after_an_apply_that_installs_functions_alone(people: PlatformDatabase) -> None:
    """Although default privileges give each function to them, which apply withdraws from the others."""
    with people.connect("hosted_owner") as connection:
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO authenticated")
    people.apply(staff=TRAINERS)
    put_to_work(people)
    with people.connect("hosted_owner") as connection:
        connection.execute("UPDATE sessiondb.objects SET sha256 = '' WHERE kind = 'function'")
    people.apply()
    assert seen(people) == SEEN


def test_current_user_is_the_reader_in_the_expression_and_in_what_it_calls(people: PlatformDatabase) -> None:
    """As in the policies of the platform; not the owner of sessiondb."""
    with people.connect("hosted_owner") as connection:
        connection.execute(
            "CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE AS"
            " 'SELECT CASE WHEN current_user = ''authenticated'' THEN auth.uid()"
            " ELSE ''00000000-0000-4000-8000-0000000000b1'' END'"
        )
    dsn = people.conninfo("hosted_owner")
    assert run("-d", dsn, "apply", "--staff", "trainer,admin", "--current-user", "me()").code == 0
    put_to_work(people)
    assert seen(people) == SEEN


def test_a_platform_without_auth_uid_names_the_current_user_itself(people: PlatformDatabase) -> None:
    with people.connect() as connection:
        connection.execute("ALTER FUNCTION auth.uid() RENAME TO other_uid")
    dsn = people.conninfo("hosted_owner")
    refused = run("-d", dsn, "apply", "--staff", "trainer,admin")
    assert (refused.code, "--current-user" in refused.err) == (1, True)

    setting = "nullif(current_setting('request.jwt.claim.sub', true), '')"
    assert run("-d", dsn, "apply", "--staff", "trainer,admin", "--current-user", setting).code == 0
    with people.connect() as connection:
        connection.execute("ALTER FUNCTION auth.other_uid() RENAME TO uid")  # a trigger of the platform calls it
    put_to_work(people)
    assert seen(people) == SEEN


def test_a_function_of_another_role_is_not_run_to_ask_for_the_current_user(
    new_role: str, people: PlatformDatabase, dump: Callable[..., str]
) -> None:
    """Whoever may create a schema could create auth.uid() where the platform has none."""
    dsn, role = people.conninfo("hosted_owner"), sql.Identifier(new_role)
    made = sql.SQL(
        "CREATE SCHEMA {name} AUTHORIZATION {role}; SET ROLE {role}; GRANT USAGE ON SCHEMA {name} TO PUBLIC;"
        "CREATE FUNCTION {name}.uid() RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$; RESET ROLE"
    )
    with people.connect() as connection:
        connection.execute("ALTER SCHEMA auth RENAME TO other_auth")
        connection.execute(made.format(name=sql.Identifier("auth"), role=role))
        connection.execute(made.format(name=sql.Identifier("Mine"), role=role))
        before = dump(people)
        for options in ((), ("--current-user", "AUTH.uid()"), ("--current-user", 'coalesce(NULL, "Mine" . uid ())')):
            refused = run("-d", dsn, "apply", "--staff", "trainer", *options)
            assert (refused.code, f"uid() of role {new_role}" in refused.err, "run\n" in refused.err) == (
                1,
                True,
                False,
            )
        assert dump(people) == before

        connection.execute('DROP SCHEMA auth, "Mine" CASCADE; ALTER SCHEMA other_auth RENAME TO auth')
        assert run("-d", dsn, "apply", "--staff", "trainer").code == 0
        assert run("-d", dsn, "check", "code_of_others").code == 0
        connection.execute("ALTER SCHEMA auth RENAME TO other_auth")
        connection.execute(made.format(name=sql.Identifier("auth"), role=role))
        assert as_(people, "trainer")
        assert run("-d", dsn, "check", "code_of_others").code == 0
        connection.execute(sql.SQL("ALTER SCHEMA other_auth OWNER TO {}").format(role))
        found = run("-d", dsn, "--format", "json", "check", "code_of_others")
        assert (found.code, f"function other_auth.uid() of role {new_role}" in found.out) == (4, True)
        connection.execute("ALTER SCHEMA other_auth OWNER TO CURRENT_USER")
        connection.execute("DROP SCHEMA auth CASCADE; ALTER SCHEMA other_auth RENAME TO auth")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("CREATE TABLE child () INHERITS (people); ALTER TABLE child OWNER TO {role}", "table public.child"),
        ("CREATE POLICY all_of_them ON people USING (fall())", "function public.fall()"),
        ("ALTER TABLE people ADD CHECK (id IS NULL OR fall())", "function public.fall()"),
        ("CREATE OR REPLACE VIEW people_here AS SELECT id FROM people WHERE fall()", "function public.fall()"),
        ("ALTER TABLE people OWNER TO {role}", "table public.people"),
    ],
    ids=["child", "policy", "constraint", "function in a view", "table behind a view"],
)
def test_code_of_another_role_behind_what_the_expression_reads_is_found_before_and_after(
    new_role: str, people: PlatformDatabase, made: str, said: str
) -> None:
    """It would run with the rights of each role that reads."""
    role = sql.Identifier(new_role)
    dsn = people.conninfo("hosted_owner")
    expression = "(SELECT id FROM people_here LIMIT 1)"
    with people.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE TABLE people (id uuid); CREATE VIEW people_here AS SELECT id FROM people;"
                "GRANT SELECT ON people_here TO PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role};"
                "CREATE FUNCTION fall() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'fallen'; END $$"
            ).format(role=role)
        )
        connection.execute("RESET ROLE")
        assert run("-d", dsn, "apply", "--staff", "trainer", "--current-user", expression).code == 0
        assert run("-d", dsn, "check", "code_of_others").code == 0
        connection.execute(sql.SQL(made).format(role=role))
    found = run("-d", dsn, "check", "code_of_others")
    assert (found.code, f"{said} of role {new_role}" in " ".join(found.out.split())) == (4, True), found.out
    assert run("-d", dsn, "rollback", "--all", "--yes").code == 0
    refused = run("-d", dsn, "apply", "--staff", "trainer", "--current-user", expression)
    assert (refused.code, f"{said} of role {new_role}" in refused.err, "fallen" in refused.err) == (1, True, False), (
        refused.err
    )


@pytest.mark.parametrize(
    ("made", "expression"),
    [
        (
            "CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same)",
            "email OPERATOR(public.===) 'x'",
        ),
        (
            "CREATE FUNCTION own.step(boolean, text) RETURNS boolean LANGUAGE sql RETURN true;"
            "ALTER FUNCTION own.step OWNER TO {role};"
            "CREATE AGGREGATE public.all_of(text) (SFUNC = own.step, STYPE = boolean)",
            "(SELECT all_of(u.email) FROM auth.users AS u)",
        ),
        (
            "CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same);"
            "CREATE DOMAIN public.kind AS text CHECK (VALUE OPERATOR(public.===) VALUE)",
            "'{{x}}'::public.kind[] IS NOT NULL",
        ),
        (
            "CREATE DOMAIN public.word AS text CHECK (own.same(VALUE, VALUE));"
            "CREATE DOMAIN public.words AS text[] CHECK (VALUE::public.word[] IS NOT NULL);"
            "CREATE DOMAIN public.kind AS text CHECK (ARRAY[VALUE]::public.words IS NOT NULL)",
            "'{{x}}'::public.kind[] IS NOT NULL",
        ),
        (
            "CREATE FUNCTION public.me(is_same boolean DEFAULT own.same('x', 'y')) RETURNS boolean LANGUAGE sql AS 'SELECT $1'",
            "public.me()",
        ),
        (
            "CREATE DOMAIN public.word AS text CHECK (own.same(VALUE, VALUE));"
            "CREATE FUNCTION public.inner(t text DEFAULT 'x'::public.word) RETURNS text LANGUAGE sql AS 'SELECT $1';"
            "CREATE FUNCTION public.me(t text DEFAULT public.inner()) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "public.me()",
        ),
        (
            "CREATE TABLE public.people (id uuid); CREATE VIEW public.known AS SELECT * FROM public.people;"
            "ALTER TABLE public.people ENABLE ROW LEVEL SECURITY; ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;"
            "CREATE POLICY q ON public.people USING (own.same('x', 'y'));"
            "CREATE POLICY p ON auth.users USING (id IN (SELECT k.id FROM public.known AS k))",
            "true",
        ),
    ],
    ids=["operator", "aggregate", "domain", "domain in a CHECK", "default", "default of a default", "policy"],
)
def test_no_function_of_another_role_is_run_behind_an_operator_an_aggregate_or_a_domain(
    new_role: str, people: PlatformDatabase, made: str, expression: str
) -> None:
    """That of the owner names it, and its owner may replace it; a literal of a domain runs its CHECK when it is parsed."""
    role = sql.Identifier(new_role)
    with people.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA own AUTHORIZATION {role}; GRANT USAGE ON SCHEMA own TO PUBLIC;"
                "CREATE FUNCTION own.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'fallen'; END $$;"
                "ALTER FUNCTION own.same OWNER TO {role};" + trusted(made)
            ).format(role=role)
        )
        refused = run(
            "-d",
            people.conninfo(),
            "apply",
            "--staff",
            "trainer",
            "--current-user",
            f"(SELECT id FROM auth.users WHERE {expression.format()} LIMIT 1)",
        )
        connection.execute("DROP SCHEMA own CASCADE")
    assert (refused.code, f"of role {new_role}" in refused.err, "fallen" in refused.err) == (1, True, False), (
        refused.err
    )


def test_an_operator_of_another_role_is_not_run_to_ask_for_the_current_user(
    new_role: str, people: PlatformDatabase
) -> None:
    """Neither one that is there before, nor one that is made later and fits better than that of PostgreSQL."""
    let_members_be_read(people)
    dsn, role = people.conninfo("hosted_owner"), sql.Identifier(new_role)
    expression = "(SELECT m.user_id FROM org_members AS m WHERE m.role = current_setting('app.role', true) LIMIT 1)"
    apply = ("-d", dsn, "apply", "--staff", "trainer", "--current-user", expression)
    made = sql.SQL(
        "GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role};"
        "CREATE FUNCTION same(varchar, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$;"
        "CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = same); RESET ROLE"
    ).format(role=role)
    with people.connect() as connection:
        connection.execute("ALTER TABLE org_members DROP CONSTRAINT IF EXISTS org_members_role_check")
        connection.execute("ALTER TABLE org_members ALTER role TYPE varchar(40)")
        connection.execute(made)
        refused = run(*apply)
        assert (refused.code, f"of role {new_role}" in refused.err, "run\n" in refused.err) == (1, True, False)
        connection.execute("DROP OPERATOR = (varchar, text)")
        assert run(*apply).code == 0
        connection.execute("DROP FUNCTION same")
        connection.execute(made)
        assert as_(people, "trainer")
        again = run("-d", dsn, "apply")
        assert (again.code, again.out.splitlines()[0]) == (0, "Nothing to do: all migrations are applied.")


def test_no_name_in_the_expression_of_the_current_user_is_looked_up_again(
    new_role: str, people: PlatformDatabase
) -> None:
    """Nothing fits enum = enum or concat("any") exactly, so that what is made later for just these types would fit better."""
    let_members_be_read(people)
    dsn, role = people.conninfo("hosted_owner"), sql.Identifier(new_role)
    expression = (
        "(SELECT m.user_id FROM org_members AS m JOIN sessions AS s USING (org_id)"
        " WHERE m.user_id = auth.uid() AND m.kind = 'person' AND concat(m.role, '!') <> '!' LIMIT 1)"
    )
    made = sql.SQL(
        "GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role};"
        "CREATE FUNCTION same(kind, kind) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$;"
        "CREATE OPERATOR = (LEFTARG = kind, RIGHTARG = kind, FUNCTION = same);"
        "CREATE FUNCTION concat(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'run'; END $$; RESET ROLE"
    ).format(role=role)
    with people.connect() as connection:
        connection.execute("CREATE TYPE kind AS ENUM ('person', 'bot')")
        connection.execute("ALTER TABLE org_members ADD kind kind NOT NULL DEFAULT 'person'")
        assert run("-d", dsn, "apply", "--staff", "trainer", "--current-user", expression).code == 0
        assert run("-d", dsn, "backfill").code == 0
        before = as_(people, "trainer")
        assert before > (0, 0)
        connection.execute(made)
        assert as_(people, "trainer") == before
        assert run("-d", dsn, "check", "code_of_others").code == 0
        connection.execute("DROP POLICY sessiondb_staff_enrollments ON enrollments")
        refused = run("-d", dsn, "apply")
        assert (refused.code, f"of role {new_role}" in refused.err, "run\n" in refused.err) == (1, True, False)


def test_check_without_it_warns_that_only_students_read_their_rows(people: PlatformDatabase) -> None:
    people.apply()
    dsn = people.conninfo("hosted_owner")

    def warned() -> list[str]:
        findings = json.loads(run("-d", dsn, "--format", "json", "check", "staff").out)["findings"]
        assert {f["fix"] for f in findings} <= {
            "With the roles that your staff have in org_members: sessiondb apply --staff ROLES"
        }
        return [f["object"] for f in findings]

    assert warned() == ["public.enrollments", "public.submissions"]
    with people.connect("hosted_owner") as connection:
        connection.execute(
            "CREATE POLICY staff ON submissions FOR SELECT USING (session_id IN (SELECT id FROM sessions))"
        )
    assert warned() == ["public.enrollments"]
    people.apply(staff=TRAINERS)
    assert warned() == []


def test_a_table_without_row_level_security_is_named_by_apply_and_check(people: PlatformDatabase) -> None:
    dsn = people.conninfo("hosted_owner")
    with people.connect("hosted_owner") as connection:
        connection.execute("ALTER TABLE submissions DISABLE ROW LEVEL SECURITY")
        applied = run("-d", dsn, "apply", "--staff", "trainer,admin")
        assert "not enabled on table submissions, so its policy for staff has no effect" in " ".join(
            applied.out.split()
        )

        (finding,) = json.loads(run("-d", dsn, "--format", "json", "check", "staff").out)["findings"]
        assert (finding["level"], finding["object"]) == ("warning", "public.submissions")
        connection.execute(finding["fix"].partition(": ")[2].encode())
    assert json.loads(run("-d", dsn, "--format", "json", "check", "staff").out)["findings"] == []


def test_check_proposes_the_roles_of_the_platform(people: PlatformDatabase) -> None:
    people.apply()
    dsn = people.conninfo("hosted_owner")

    def proposed() -> set[str]:
        findings = json.loads(run("-d", dsn, "--format", "json", "check", "staff").out)["findings"]
        return {f["fix"].partition("sessiondb apply ")[2] for f in findings}

    assert proposed() == {"--staff ROLES"}  # the roles are not known: there is no list and no statistics
    with people.connect("hosted_owner") as connection:
        connection.execute("ANALYZE org_members")
        assert proposed() == {"--staff trainer"}  # of what only one member has, the statistics say nothing
        connection.execute("UPDATE org_members SET role = 'apprenant'; ANALYZE org_members")
        assert proposed() == {"--staff ROLES"}
        connection.execute("ALTER TABLE org_members ADD CHECK (role IN ('formatrice', 'apprenant'))")
    with people.connect() as connection:
        connection.execute("ALTER FUNCTION auth.uid() RENAME TO other_uid")
    assert proposed() == {"--staff formatrice --current-user EXPRESSION"}


def test_what_the_policies_read_is_reported_when_it_was_renamed(people: PlatformDatabase) -> None:
    people.apply(staff=TRAINERS)
    dsn = ("-d", people.conninfo("hosted_owner"))
    for change, restored, report in (
        (
            "org_members RENAME role TO rank",
            "org_members RENAME rank TO role",
            "Column role of table public.org_members",
        ),
        (
            "submissions RENAME TO handed_in",
            "handed_in RENAME TO submissions",
            "Table public.handed_in was submissions",
        ),
    ):
        with people.connect("hosted_owner") as connection:
            connection.execute(f"ALTER TABLE {change}".encode())
            for command, code in (("status", 3), ("check", 4)):
                found = run(*dsn, command, *["--exit-code"] * (command == "status"))
                assert (found.code, report in " ".join(found.out.split())) == (code, True), found
            assert run(*dsn, "plan").code == 0
            connection.execute(f"ALTER TABLE {restored}".encode())
        assert run(*dsn, "status", "--exit-code").code == 0


def test_staff_read_though_the_owner_may_no_longer_use_the_schema_of_auth_uid(people: PlatformDatabase) -> None:
    people.apply(staff=TRAINERS)
    assert run("-d", people.conninfo("hosted_owner"), "backfill").code == 0
    before = as_(people, "trainer")
    assert before > (0, 0)
    with people.connect() as connection:
        connection.execute("REVOKE USAGE ON SCHEMA auth FROM hosted_owner")
    assert as_(people, "trainer") == before


@pytest.mark.slow
def test_a_script_for_psql_does_the_same(people: PlatformDatabase) -> None:
    def psql(*options: str) -> None:
        done = run("plan", "--sql", *options)
        assert done.code == 0
        subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", people.conninfo("hosted_owner")],
            input=done.out,
            encoding="utf-8",
            check=True,
            stdout=subprocess.DEVNULL,
        )

    let_members_be_read(people)
    psql(
        "--staff",
        "trainer,admin",
        "--current-user",
        "(SELECT m.user_id FROM org_members AS m WHERE m.user_id = auth.uid() LIMIT 1)",
    )
    kept = rows(people, "SELECT staff ->> 'current_user' AS of_user FROM sessiondb.installation")
    assert "FROM public.org_members" in kept[0]["of_user"]
    put_to_work(people)
    assert seen(people) == SEEN
    assert people.apply() == []
    psql()
    assert seen(people) == SEEN
    psql("--staff", "")
    assert policies(people) == set()


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT (to_jsonb(l) ->> 'user_id')::uuid FROM public.logins AS l LIMIT 1)",
        "(SELECT gen_random_uuid() WHERE EXISTS (SELECT FROM public.logins))",
        "(SELECT gen_random_uuid() WHERE current_user::text OPERATOR(public.===) 'student')",
    ],
    ids=["a whole row", "any row", "the function of an operator"],
)
def test_an_expression_that_not_every_reader_may_evaluate_is_refused_with_the_grant(
    people: PlatformDatabase, expression: str
) -> None:
    with people.connect() as connection:
        connection.execute(
            "CREATE TABLE public.logins (name text, user_id uuid); ALTER TABLE public.logins OWNER TO hosted_owner;"
            "CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 = $2; END';"
            "CREATE OPERATOR public.=== (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text);"
            "REVOKE EXECUTE ON FUNCTION public.same FROM PUBLIC; GRANT EXECUTE ON FUNCTION public.same TO hosted_owner"
        )
    apply = ("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)

    refused = run(*apply)

    assert refused.code == 1
    (grant,) = set(re.findall(r"GRANT (?:SELECT|EXECUTE) ON \w+ public\.[^;]+?(?= TO)", " ".join(refused.err.split())))
    with people.connect() as connection:
        connection.execute(f"{grant} TO PUBLIC".encode())
    assert run(*apply).code == 0


@pytest.mark.parametrize("kind", ["the negator of an operator", "the type of a column"])
def test_what_the_expression_leads_to_is_of_no_other_role(new_role: str, people: PlatformDatabase, kind: str) -> None:
    role = sql.Identifier(new_role)
    with people.connect() as connection:
        connection.execute(
            sql.SQL(
                "GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role};"
                "CREATE TYPE public.kind AS ENUM ('web');"
                "CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 = $2; END';"
                "CREATE FUNCTION public.other(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 <> $2; END';"
                "CREATE OPERATOR public.=== (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text, NEGATOR = OPERATOR(public.!==));"
                "CREATE OPERATOR public.!== (FUNCTION = public.other, LEFTARG = text, RIGHTARG = text, NEGATOR = OPERATOR(public.===));"
                "RESET ROLE; ALTER FUNCTION public.same OWNER TO hosted_owner; ALTER OPERATOR public.=== (text, text) OWNER TO hosted_owner;"
                "CREATE TABLE public.logins (name text, user_id uuid, kind public.kind); ALTER TABLE public.logins OWNER TO hosted_owner;"
                "GRANT SELECT ON public.logins TO PUBLIC"
            ).format(role=role)
        )
    expression = (
        "(SELECT gen_random_uuid() WHERE NOT (current_user::text OPERATOR(public.===) 'student'))"
        if "negator" in kind
        else "(SELECT (to_jsonb(l) ->> 'user_id')::uuid FROM public.logins AS l LIMIT 1)"
    )

    refused = run("-d", people.conninfo("hosted_owner"), "apply", "--staff", "trainer", "--current-user", expression)

    named = "function public.other" if "negator" in kind else "type public.kind"
    assert (refused.code, re.search(rf"{named}\S* of role {new_role}", refused.err) is not None) == (1, True)
