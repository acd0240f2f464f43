"""What belongs to another role is not taken for ours, and not run for it, whatever its name is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import LiteralString

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from psycopg import connect, errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from test_checks import brief, carry_out, check, look
from test_cli import on, rows, run
from test_grants import owned_by_another_role, roles
from test_rules import World

on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)


def by_role(db: PlatformDatabase, role: str, *statements: LiteralString) -> None:
    """Run statements as a role that may make functions in the platform's schema, and put triggers on its tables."""
    name, schema = sql.Identifier(role), sql.Identifier(db.platform.schema)
    with db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, name))
        connection.execute(sql.SQL("GRANT TRIGGER ON ALL TABLES IN SCHEMA {} TO {}").format(schema, name))
        connection.execute(sql.SQL("SET search_path TO {}; SET ROLE {}").format(schema, name))
        connection.execute(
            "CREATE OR REPLACE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        for statement in statements:
            connection.execute(statement)


# triggers that have a name like ours


@on_partitioned
@pytest.mark.parametrize("table", ["submissions", "submissions_2024"])
def test_a_trigger_is_not_taken_for_ours_by_its_name(new_role: str, installed_db: PlatformDatabase, table: str) -> None:
    by_role(
        installed_db,
        new_role,
        f"CREATE TRIGGER zzz_sessiondb_more BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION mine()",
    )
    object_ = f"trigger zzz_sessiondb_more on {table}"

    assert brief(check(installed_db, "triggers_last")) == [("triggers_last", "warning", object_)]
    assert ("triggers_last", "warning", object_) in brief(look(installed_db))
    assert "zzz_sessiondb_more" in on(installed_db, "backfill").err  # it fires, and may refuse or change the row
    (finding,) = check(installed_db, "triggers_last")
    with installed_db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert check(installed_db, "triggers_last") == []


@on_partitioned
def test_a_table_with_the_name_that_the_index_of_a_partition_is_to_have_is_refused(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """It can be computed."""
    index = "submissions_2024_' || left(md5('submissions_session_id_idx' || 'submissions_2024'), 8) || '_idx"
    with platform_db.connect() as connection:
        ((name,),) = connection.execute(f"SELECT '{index}'".encode()).fetchall()
        connection.execute(
            f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}; CREATE TABLE public.{name} ()".encode()
        )

    (finding,) = [f for f in look(platform_db) if f.check == "names"]

    assert (finding.level, finding.object) == ("error", f"public.{name}")
    assert new_role in finding.detail
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        connection.execute(f"ALTER TABLE {name} RENAME TO another".encode())
    assert on(platform_db, "apply").code == 0
    assert check(platform_db, "indexes") == []


@pytest.mark.slow
@on_partitioned
@pytest.mark.parametrize("name", ["zzz_sessiondb_link_submission", "zzz_sessiondb_save"])
@pytest.mark.parametrize("table", ["submissions", "submissions_2024"])
def test_a_trigger_that_has_the_very_name_of_ours_is_refused(
    new_role: str, platform_db: PlatformDatabase, table: str, name: str
) -> None:
    """On a partition alone, too, where ours could not be made."""
    by_role(
        platform_db, new_role, f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION mine()"
    )

    (finding,) = [f for f in look(platform_db) if f.check == "names"]
    assert (finding.level, finding.object) == ("error", f"trigger {name} on {table}")
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert on(platform_db, "apply").code == 0


@on_hosted
def test_a_trigger_that_was_put_in_the_place_of_ours_does_not_count(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_role(
        installed_db,
        new_role,
        "CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission BEFORE INSERT ON submissions"
        " FOR EACH ROW EXECUTE FUNCTION mine()",
    )

    status = on(installed_db, "status", "--exit-code", "--format", "json")
    assert status.code == 3
    assert [t for t in status.json["triggers"] if t["name"] == "zzz_sessiondb_link_submission"] == [
        {"name": "zzz_sessiondb_link_submission", "table": "submissions", "state": "CHANGED", "enabled": False}
    ]
    assert ("installed_objects", "error") in {(f.check, f.level) for f in check(installed_db)}
    assert on(installed_db, "apply").code == 5

    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DISABLE TRIGGER zzz_sessiondb_link_submission")
    assert check(installed_db, "triggers_enabled") == []  # it is not ours that is disabled


@on_hosted
def test_a_rollback_is_not_stopped_half_way_by_a_trigger_with_a_name_like_ours(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_role(
        installed_db,
        new_role,
        "CREATE TRIGGER zzz_sessiondb_more BEFORE UPDATE OF session_id ON submissions FOR EACH ROW"
        " WHEN (NEW.session_id IS NULL) EXECUTE FUNCTION mine()",
    )

    refused = on(installed_db, "rollback", "--all", "--yes")

    assert refused.code == 5
    assert "zzz_sessiondb_more" in refused.err
    assert on(installed_db, "status", "--exit-code").code == 0


# a type that belongs to another role


TYPES: dict[str, tuple[LiteralString, LiteralString, str]] = {
    "of an array": ("CREATE TYPE mood AS ENUM ('well')", "mood[]", "mood"),
    "a domain": ("CREATE DOMAIN mood AS text", "mood", "mood"),
    "a row of a table": ("CREATE TABLE mood (id text)", "mood", "mood"),
    "a part of another type": ("CREATE DOMAIN mood AS text", "outer_mood", "mood"),
}


@on_hosted
@pytest.mark.parametrize("kind", TYPES)
def test_a_type_of_another_role_in_a_table_of_the_platform_is_found_before_and_after(
    new_role: str, platform_db: PlatformDatabase, kind: str
) -> None:
    """A cast of it to json, which that role may make at any time, runs where to_jsonb() reads the row."""
    made, column, named = TYPES[kind]
    by_role(platform_db, new_role, made)
    with platform_db.connect() as connection:
        connection.execute("SET search_path TO public")
        if kind == "a part of another type":
            connection.execute("CREATE TYPE outer_mood AS (mood mood[])")
        connection.execute(f"ALTER TABLE enrollments ADD mood {column}")

    (finding,) = [f for f in look(platform_db) if f.level == "error"]
    assert (finding.check, finding.object) == ("column_types", f"TYPE public.{named}")
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        taken_over = finding.fix.partition(": ")[2]
        connection.execute(taken_over.encode())
    assert on(platform_db, "apply").code == 0
    assert check(platform_db, "column_types") == []

    with platform_db.connect() as connection:
        connection.execute(f"ALTER {taken_over.split()[1]} public.{named} OWNER TO {new_role}".encode())
    assert brief(check(platform_db, "column_types")) == [("column_types", "error", finding.object)]


@on_hosted
def test_the_range_of_a_multirange_of_another_role_is_found(new_role: str, platform_db: PlatformDatabase) -> None:
    by_role(platform_db, new_role, "CREATE TYPE mood AS RANGE (subtype = float8, multirange_type_name = moods)")
    with platform_db.connect() as connection:
        connection.execute("SET search_path TO public; ALTER TABLE enrollments ADD mood moods")

    findings = [f for f in look(platform_db) if f.level == "error"]
    assert {f.check for f in findings} == {"column_types"}
    assert "TYPE public.mood" in {f.object for f in findings}
    with platform_db.connect() as connection:
        for finding in findings:
            connection.execute(finding.fix.partition(": ")[2].encode())
    assert on(platform_db, "apply").code == 0


@on_hosted
def test_a_type_in_a_schema_of_another_role_is_found_before_and_after(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """It may rename the schema, and create another type with that name: one of an extension belongs to a superuser."""
    with platform_db.connect() as connection:
        connection.execute(f"CREATE SCHEMA ext AUTHORIZATION {new_role}; GRANT USAGE ON SCHEMA ext TO PUBLIC".encode())
        connection.execute("CREATE TYPE ext.mood AS ENUM (); ALTER TABLE enrollments ADD mood ext.mood")

    (finding,) = [f for f in look(platform_db) if f.level == "error"]
    assert (finding.check, finding.object) == ("column_types", "SCHEMA ext")
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert on(platform_db, "apply").code == 0
    assert check(platform_db, "column_types") == []

    with platform_db.connect() as connection:
        connection.execute(f"ALTER SCHEMA ext OWNER TO {new_role}".encode())
    assert brief(check(platform_db, "column_types")) == [("column_types", "error", "SCHEMA ext")]
    # no check reads rows then
    (unread,) = check(platform_db, "unlinked_rows")
    assert unread.detail.startswith("The check cannot be run: Type ext.mood")


@on_partitioned
def test_a_check_of_a_partition_with_the_words_of_that_of_its_table_may_call_another_function(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """IS DISTINCT FROM does not show its operator: it was there before ATTACH."""
    known = "CONSTRAINT known CHECK (kind IS DISTINCT FROM 'none'::kind)"
    with installed_db.connect() as connection:
        connection.execute("CREATE TYPE kind AS ENUM ('text', 'none')")
        connection.execute(f"ALTER TABLE submissions ADD kind kind, ADD {known}".encode())
    by_role(
        installed_db,
        new_role,
        "CREATE FUNCTION same(kind, kind) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text = $2::text'",
        "CREATE OPERATOR = (LEFTARG = kind, RIGHTARG = kind, FUNCTION = same)",
    )
    with installed_db.connect() as connection:
        connection.execute(f"REVOKE CREATE ON SCHEMA public FROM {new_role}".encode())
        connection.execute(f"CREATE TABLE later (LIKE submissions INCLUDING DEFAULTS, {known})".encode())
        connection.execute(
            "ALTER TABLE submissions ATTACH PARTITION later FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"
        )

    objects = {f.object for f in check(installed_db, "code_of_others")}

    assert objects == {"table constraint known on public.later"}


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_trigger_that_was_taken_over_is_not_restored_while_its_type_is_in_a_schema_of_another_role(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA ext; GRANT USAGE ON SCHEMA ext TO PUBLIC; CREATE DOMAIN ext.word AS text")
        connection.execute("ALTER TABLE enrollments ADD session_id uuid REFERENCES sessions ON DELETE SET NULL")
        connection.execute(
            "CREATE FUNCTION lk() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.session_id := (SELECT min(s.id::text)::uuid FROM public.sessions AS s WHERE s.course_id = NEW.course_id); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER lk BEFORE INSERT ON enrollments FOR EACH ROW WHEN (NEW.status <> ALL ('{off}'::ext.word[]::text[]))"
            " EXECUTE FUNCTION lk()"
        )
    assert on(platform_db, "apply", "--adopt").code == 0
    with platform_db.connect() as connection:
        connection.execute(f"ALTER SCHEMA ext OWNER TO {new_role}".encode())

    refused = on(platform_db, "rollback", "--all", "--yes")

    assert refused.code == 5
    assert f"it uses type ext.word, which is in a schema of role {new_role}" in refused.err
    with platform_db.connect() as connection:
        fix = refused.err[refused.err.index("ALTER SCHEMA") :].splitlines()[0]
        connection.execute(fix.encode())
    assert on(platform_db, "rollback", "--all", "--yes").code == 0


# a schema that belongs to another role


@on_hosted
def test_a_schema_of_another_role_in_the_search_path_is_found_before_and_after(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """One that has the name of the role that applies, for instance: the functions of the triggers would look there."""
    owner = sql.Identifier("hosted_owner")
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(owner))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO PUBLIC").format(owner))
        assert look(platform_db) == []
        connection.execute(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(owner, sql.Identifier(new_role)))

    (finding,) = look(platform_db)
    assert brief([finding]) == [("search_path", "error", "schema hosted_owner")]
    assert f"of role {new_role}" in finding.detail
    assert on(platform_db, "apply").code == 5
    dsn = platform_db.conninfo("hosted_owner")
    (option,) = re.findall(r"PGOPTIONS=(\S+) in the environment", finding.fix)
    with_option = ("-d", make_conninfo(dsn, options=f"{conninfo_to_dict(dsn).get('options', '')} {option}"))
    assert run(*with_option, "apply").code == 0
    assert check(platform_db, "code_of_others") == []

    with platform_db.connect() as connection:
        connection.execute("ALTER SCHEMA hosted_owner OWNER TO CURRENT_USER")
        assert on(platform_db, "apply").code == 0
        assert check(platform_db, "code_of_others") == []
        connection.execute(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(owner, sql.Identifier(new_role)))
    assert brief(check(platform_db, "code_of_others")) == [("code_of_others", "error", "schema hosted_owner")]
    assert run(*with_option, "apply").code == 0
    assert check(platform_db, "code_of_others") == []


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@on_hosted
def test_the_search_path_that_is_printed_is_pasted_into_a_shell_and_keeps_the_other_schemas(
    new_role: str, platform_db: PlatformDatabase, shell: str
) -> None:
    """A name may hold what means something to the shell, or to libpq in its options."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    odd = sql.Identifier("Le'Campus $x$ \\\"")
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {0}; GRANT USAGE ON SCHEMA {0} TO PUBLIC").format(odd))
        connection.execute(sql.SQL("CREATE SCHEMA his AUTHORIZATION {}").format(sql.Identifier(new_role)))
        connection.execute("GRANT USAGE ON SCHEMA his TO PUBLIC")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET search_path TO his, {}, public, his").format(
                sql.Identifier(platform_db.name), odd
            )
        )

    (finding,) = look(platform_db)
    (option,) = re.findall(r"(PGOPTIONS=.+) in the environment", finding.fix)
    asked = subprocess.run(
        [shell, "-c", f"{option} printenv PGOPTIONS"], capture_output=True, text=True, check=True, timeout=60
    )
    with connect(make_conninfo(platform_db.conninfo("hosted_owner"), options=asked.stdout[:-1])) as connection:
        path = connection.execute("SELECT current_schemas(false)").fetchone()

    assert path == ([odd.as_string()[1:-1].replace('""', '"'), "public"],)


@on_hosted
def test_a_schema_of_another_role_is_not_found_in_a_search_path_that_does_not_name_it(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """What stands between the quotes of two names is no third name."""
    with platform_db.connect() as connection:
        connection.execute("CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO PUBLIC")
        connection.execute(sql.SQL('CREATE SCHEMA ", " AUTHORIZATION {}').format(sql.Identifier(new_role)))
        connection.execute('GRANT CREATE ON SCHEMA ", " TO PUBLIC')
    dsn = make_conninfo(platform_db.conninfo("hosted_owner"), options="-csearch_path=public,extensions")

    for command in ("apply", "session list", "backfill", "check", "rollback --all --yes"):
        done = run("-d", dsn, *command.split())
        assert (done.code, '", "' in done.out + done.err) == (0, False), (command, done)


@on_hosted
def test_no_command_runs_the_platforms_code_under_a_search_path_with_a_schema_of_another_role(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """One that was created after apply, with the name of the role that runs the commands, which comes first."""
    owner = sql.Identifier("hosted_owner")
    with installed_db.connect() as connection:
        for statement in (
            "CREATE FUNCTION public.look() RETURNS void LANGUAGE sql AS ''",
            "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM look(); RETURN NEW; END'",
            "CREATE FUNCTION public.allow() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM look(); RETURN true; END'",
            "CREATE TRIGGER note BEFORE INSERT OR UPDATE ON public.orgs FOR EACH ROW EXECUTE FUNCTION public.note()",
            "CREATE TRIGGER note BEFORE UPDATE ON public.enrollments FOR EACH ROW EXECUTE FUNCTION public.note()",
            "ALTER TABLE public.sessions FORCE ROW LEVEL SECURITY; CREATE POLICY allow ON public.sessions USING (allow())",
            "CREATE SCHEMA {owner} AUTHORIZATION {owner}",
        ):
            connection.execute(sql.SQL(statement).format(owner=owner))
        by_owner = ("-d", installed_db.conninfo("hosted_owner"))
        assert run(*by_owner, "session", "list").code == 0
        assert check(installed_db, "search_path") == []
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(owner))
        connection.execute(
            sql.SQL(
                "GRANT CREATE ON DATABASE {database} TO {role}; SET ROLE {role}; CREATE SCHEMA {owner};"
                "GRANT USAGE ON SCHEMA {owner} TO PUBLIC;"
                "CREATE FUNCTION {owner}.look() RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'"
            ).format(database=sql.Identifier(installed_db.name), role=sql.Identifier(new_role), owner=owner)
        )
    org, user = "--org=00000000-0000-4000-8000-0000000000a1", "--user=00000000-0000-4000-8000-0000000000b4"
    course = "--course=00000000-0000-4000-8000-0000000000c1"
    named = f"Schema hosted_owner of role {new_role} is in the search_path of this connection"
    for command, code in (
        (["org", "list"], 1),
        (["org", "create", "--name=A", "--slug=a"], 1),
        (["member", "list", org], 1),
        (["member", "add", org, user, "--backfill"], 1),
        (["session", "list", "--status=active"], 1),
        (["session", "create", org, course, "--backfill"], 1),
        (["show", "submissions"], 1),
        (["explain", user, course], 1),
        (["backfill"], 1),
        (["backfill", "--dry-run"], 1),
        (["trainer", "--no-browser"], 1),
        (["check"], 4),
        (["check", "split_students"], 4),
        (["apply"], 5),
        (["rollback", "--all", "--dry-run"], 5),
        (["rollback", "--all", "--yes"], 5),
    ):
        done = run(*by_owner, *command)
        said = " ".join((done.out + done.err).split())
        assert (command, done.code) == (command, code), said
        assert named in said or command == ["check", "split_students"], command
        assert "fallen" not in said, command
        assert "PGOPTIONS=-csearch_path=public in the environment" in said or command == ["check", "split_students"], (
            command
        )
    (finding,) = check(installed_db, "search_path")
    assert brief([finding]) == [("search_path", "error", "schema hosted_owner")]
    with installed_db.connect("hosted_owner") as connection:
        for call in ("CALL sessiondb.backfill()", "CALL sessiondb.begin_backfill(NULL)"):
            with pytest.raises(errors.ObjectNotInPrerequisiteState, match=f"schema hosted_owner of role {new_role}"):
                connection.execute(call)

    elsewhere = make_conninfo(installed_db.conninfo("hosted_owner"), options="-csearch_path=public")
    assert run("-d", elsewhere, "backfill").code == 0


# partitions that belong to another role


def refused(db: PlatformDatabase, user: str | None = None) -> list[tuple[str, str, str]]:
    return [found for found in brief(look(db, user=user)) if found[1] == "error"]


@on_partitioned
@pytest.mark.parametrize("partition", ["enrollments_1", "submissions_default"])
def test_a_partition_of_another_role_is_refused(new_role: str, platform_db: PlatformDatabase, partition: str) -> None:
    """Its triggers run in a backfill, with the rights of the role that runs that."""
    with platform_db.connect() as connection:
        connection.execute(
            sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(partition), sql.Identifier(new_role))
        )

    (finding,) = [f for f in look(platform_db) if f.level == "error"]
    assert (finding.check, finding.object) == ("table_owners", f"public.{partition}")
    assert new_role in finding.detail
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        connection.execute(finding.fix.rpartition(": ")[2].encode())
        assert refused(platform_db) == []
        # a new one, below another
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_2025")
        connection.execute(
            "CREATE TABLE later PARTITION OF submissions FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2026-01-01 00:00+00')"
            " PARTITION BY RANGE (submitted_at); CREATE SCHEMA elsewhere;"
            "CREATE TABLE elsewhere.leaf PARTITION OF later DEFAULT"
        )
        connection.execute(sql.SQL("ALTER TABLE elsewhere.leaf OWNER TO {}").format(sql.Identifier(new_role)))
        assert refused(platform_db) == [("table_owners", "error", "elsewhere.leaf")]


@on_partitioned
def test_a_role_that_does_not_own_a_partition_is_refused_before_anything_is_changed(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """PostgreSQL would refuse to add the column to it, half-way."""
    with platform_db.connect() as connection:
        role = sql.Identifier(new_role)
        for table in ("org_members", "sessions", "enrollments", "submissions"):
            connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), role))
        connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(role))
        connection.execute(sql.SQL("GRANT SELECT ON exercises TO {}").format(role))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(platform_db.name), role))
        found = refused(platform_db, user=new_role)
        assert {check for check, *_ in found} == {"privileges"}
        assert ("privileges", "error", "public.submissions_2024") in found
        partitions = [o for _, _, o in found]
        for partition in partitions:
            connection.execute(f"ALTER TABLE {partition} OWNER TO {new_role}".encode())

    assert refused(platform_db, user=new_role) == []
    assert run("-d", platform_db.conninfo(new_role), "apply").code == 0


@on_partitioned
def test_what_belongs_to_a_group_belongs_to_its_members(
    cluster: Cluster, new_role: str, platform_db: PlatformDatabase
) -> None:
    """They may put a trigger there, which would run with the rights of the one member that applies and links."""
    with roles(cluster, "staff") as (staff,), owned_by_another_role(platform_db, staff, new_role):
        with platform_db.connect() as connection:
            role, group = sql.Identifier(new_role), sql.Identifier(staff)
            connection.execute(sql.SQL("GRANT {} TO {}").format(group, role))
            connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(role))
            connection.execute(sql.SQL("GRANT SELECT ON exercises TO {}").format(role))
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(platform_db.name), role)
            )
            for (table,) in connection.execute(
                "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
                " AND c.relname ~ '^(org_members|sessions|enrollments|submissions)'"
            ).fetchall():
                connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), role))
            assert refused(platform_db, user=new_role) == []
            for table in ("sessions", "enrollments_0"):
                connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), group))

        expected = [("table_owners", "error", "public.enrollments_0"), ("table_owners", "error", "public.sessions")]
        assert refused(platform_db, user=new_role) == expected
        # a superuser cannot know which of them has the right ones
        assert {*expected, ("table_owners", "error", "public.enrollments")} < {*refused(platform_db)}
        # all that belongs to the owner of enrollments is trusted, by that role
        with platform_db.connect() as connection:
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, group))
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(platform_db.name), group)
            )
            connection.execute(sql.SQL("GRANT SELECT ON exercises TO {}").format(group))
            connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(group))
        assert refused(platform_db, user=new_role) != []  # any role that has it may give it to another one
        assert refused(platform_db, user=staff) == []


# keys that are not enforced


@pytest.fixture
def _not_enforced(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        if connection.info.server_version < 180000:
            pytest.skip("PostgreSQL 18 is the first with foreign keys that are not enforced")


KEY = "FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE SET NULL NOT ENFORCED"
on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)


@pytest.mark.usefixtures("_not_enforced")
@on_reference
def test_a_key_that_is_not_enforced_does_not_count(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute(f"ALTER TABLE submissions ADD session_id uuid, ADD CONSTRAINT theirs {KEY}".encode())
        connection.execute("UPDATE submissions SET session_id = gen_random_uuid()")
    assert on(platform_db, "apply").code == 5  # it may lead anywhere
    with platform_db.connect() as connection:
        connection.execute("UPDATE submissions SET session_id = NULL")
    assert on(platform_db, "apply").code == 0

    assert [f for f in check(platform_db) if f.level != "info"] == []
    with platform_db.connect() as connection:
        with pytest.raises(errors.CheckViolation):
            connection.execute("UPDATE submissions SET session_id = gen_random_uuid()")
        connection.execute("ALTER TABLE submissions DISABLE TRIGGER USER")
        with pytest.raises(errors.ForeignKeyViolation):
            connection.execute("UPDATE submissions SET session_id = gen_random_uuid()")
        connection.execute("ALTER TABLE submissions ENABLE TRIGGER USER")
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    with platform_db.connect() as connection:
        left = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'submissions'::regclass AND contype = 'f'"
        )
        names = {name for (name,) in left}
    assert "theirs" in names
    assert "submissions_session_id_fkey" not in names


@pytest.mark.usefixtures("_not_enforced")
@on_reference
def test_a_key_that_is_not_enforced_under_the_name_of_ours_is_refused(platform_db: PlatformDatabase) -> None:
    refused_until_fixed(platform_db, "submissions", "submissions_session_id_fkey")


@pytest.mark.usefixtures("_not_enforced")
@pytest.mark.parametrize("name", ["theirs", "submissions_session_id_fkey"])
@pytest.mark.parametrize("table", ["submissions", "submissions_2024"])
@on_partitioned
def test_a_key_that_is_not_enforced_is_refused_on_a_partitioned_table(
    platform_db: PlatformDatabase, table: str, name: str
) -> None:
    """PostgreSQL lets no other be beside it, in the middle of an apply."""
    refused_until_fixed(platform_db, table, name)


def refused_until_fixed(db: PlatformDatabase, table: str, name: str) -> None:
    with db.connect() as connection:
        connection.execute("ALTER TABLE submissions ADD session_id uuid")
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {KEY}".encode())
    (finding,) = [f for f in look(db) if f.level == "error"]
    assert (finding.check, finding.object) == ("names", f"{table}.{name}")
    assert "enforced" in finding.detail.lower()
    assert on(db, "apply").code == 5
    with db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert on(db, "apply").code == 0
    assert check(db, "foreign_keys") == []


@pytest.mark.usefixtures("_not_enforced")
@pytest.mark.parametrize("platform", [PLATFORMS["reference"], PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_key_of_ours_that_is_not_enforced_any_more_is_found_and_made_again(platform_db: PlatformDatabase) -> None:
    platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ALTER CONSTRAINT submissions_session_id_fkey NOT ENFORCED")
    found = [(f.check, f.level) for f in check(platform_db)]
    assert {*found} == {("foreign_keys", "error")}
    assert on(platform_db, "status", "--exit-code").code == 3

    assert on(platform_db, "apply").code == 0
    assert check(platform_db) == []


# tables in the place of others


@pytest.mark.slow
@pytest.mark.parametrize("table", ["org_members", "sessions", "enrollments", "submissions"])
@on_hosted
def test_a_table_of_another_role_in_the_place_of_a_renamed_one_is_not_used(
    new_role: str, installed_db: PlatformDatabase, table: str
) -> None:
    """Its policies would run with the rights of whoever runs a command."""
    role, name = sql.Identifier(new_role), sql.Identifier(table)
    with owned_by_another_role(installed_db, new_role), installed_db.connect() as connection:
        for statement in (
            "GRANT USAGE, CREATE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
            "ALTER TABLE {name} RENAME TO renamed; GRANT SELECT ON renamed TO {role}; SET ROLE {role}",
            "CREATE FUNCTION fallen() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
            "CREATE TABLE {name} (LIKE renamed); INSERT INTO {name} SELECT * FROM renamed",
            "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; GRANT ALL ON {name} TO PUBLIC",
            "CREATE POLICY fallen ON {name} USING (fallen()); RESET ROLE",
        ):
            connection.execute(sql.SQL(statement).format(name=name, role=role))
        org, user = "--org=00000000-0000-4000-8000-0000000000a1", "--user=00000000-0000-4000-8000-0000000000b4"
        for command in (
            ["session", "list"],
            ["org", "list"],
            ["member", "list", org],
            ["member", "add", org, user],
            ["member", "set-role", org, user, "trainer"],
            ["session", "create", org, "--course=00000000-0000-4000-8000-0000000000c1"],
            ["session", "set-status", "00000000-0000-4000-8000-0000000000f1", "active"],
            ["session", "list", "--status=active"],
            ["show", "submissions"],
            ["explain", user, "--course=00000000-0000-4000-8000-0000000000c1"],
            ["backfill"],
            ["check"],
        ):
            done = run("-d", installed_db.conninfo("hosted_owner"), *command)
            assert (done.code, f"belongs to role {new_role}" in " ".join((done.out + done.err).split())) == (
                4 if command == ["check"] else 1,
                True,
            )
            assert "fallen" not in done.out + done.err


@pytest.mark.slow
@pytest.mark.parametrize("user", [None, "hosted_owner"])
@on_hosted
def test_a_schema_of_another_role_in_the_place_of_the_renamed_one_is_not_used(
    new_role: str, platform_db: PlatformDatabase, user: str | None
) -> None:
    """All its tables belong to that role, so the owner of its enrollments must not be the measure of the others."""
    role, database = sql.Identifier(new_role), sql.Identifier(platform_db.name)
    assert run("-d", platform_db.conninfo(user), "apply").code == 0
    with platform_db.connect() as connection:
        for statement in (
            "GRANT CREATE ON DATABASE {database} TO {role}; ALTER SCHEMA public RENAME TO campus",
            "GRANT USAGE ON SCHEMA campus TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA campus TO {role}; SET ROLE {role}",
            "CREATE SCHEMA public; SET search_path TO public",
            "CREATE FUNCTION fallen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        ):
            connection.execute(sql.SQL(statement).format(role=role, database=database))
        for table in ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions"):
            connection.execute(
                sql.SQL(
                    "CREATE TABLE {name} (LIKE campus.{name} INCLUDING ALL); INSERT INTO {name} SELECT * FROM campus.{name};"
                    "CREATE TRIGGER fallen BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION fallen()"
                ).format(name=sql.Identifier(table))
            )
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")
    for command in (["session", "list"], ["org", "list"], ["show", "submissions"], ["backfill"], ["check"], ["apply"]):
        done = run("-d", platform_db.conninfo(user), *command)
        assert (done.code, "fallen" in done.out + done.err) == (1, False)
        assert "sessiondb apply --schema campus" in done.err
    for command in (["backfill"], ["apply"]):
        assert run("-d", platform_db.conninfo(user), "--schema", "public", *command).code == 1

    theirs = make_conninfo(platform_db.conninfo(user), options="-c search_path=campus")
    assert run("-d", theirs, "--schema", "campus", "apply").code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "said"),
    [("0001", "belong to several roles"), ("0002", "sessiondb apply --schema campus"), ("0006", "campus")],
)
@on_hosted
def test_no_table_in_a_schema_with_the_old_name_is_read_before_rows_are_linked(
    new_role: str, platform_db: PlatformDatabase, to: str, said: str
) -> None:
    """The triggers that check rows say whose tables the platform's are."""
    platform_db.apply(to)
    with platform_db.connect() as connection:
        connection.execute(
            f"ALTER SCHEMA public RENAME TO campus; CREATE SCHEMA public AUTHORIZATION {new_role}".encode()
        )
        connection.execute(
            f"SET ROLE {new_role}; CREATE TABLE public.enrollments (); SET search_path TO public;"
            "CREATE FUNCTION fallen() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END';"
            "CREATE VIEW orgs AS SELECT NULL::uuid AS id, fallen() AS name, '' AS slug".encode()
        )
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")
    for command in ("status", "session list", "org list", "check", "apply", "rollback --all --yes"):
        done = run("-d", platform_db.conninfo("hosted_owner"), *command.split())
        assert (done.code, said in done.err, "fallen" in done.err) == (1, True, False), done
    owner = make_conninfo(platform_db.conninfo("hosted_owner"), options="-c search_path=campus")
    applied = run("-d", owner, "--schema", "campus", "apply")
    assert applied.code == 0, applied.err


@pytest.mark.parametrize("kind", ["VIEW", "TABLE"])
@pytest.mark.parametrize("table", ["orgs", "courses"])
@on_hosted
def test_a_view_or_table_of_another_role_in_the_place_of_a_renamed_orgs_or_courses_is_not_read(
    new_role: str, installed_db: PlatformDatabase, table: str, kind: str
) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"ALTER TABLE public.{table} RENAME TO renamed".encode())
    by_role(installed_db, new_role, f"CREATE {kind} {table} AS SELECT 1 AS id, 'x' AS name, 'x' AS slug, 'x' AS title")

    done = run("-d", installed_db.conninfo("hosted_owner"), "org", "list")

    assert (done.code, f"belongs to role {new_role}" in " ".join(done.err.split())) == (1, True)


@on_hosted
def test_a_rollback_reads_no_view_of_another_role_in_the_place_of_the_renamed_sessions(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE public.sessions RENAME TO renamed")
    by_role(installed_db, new_role, "CREATE VIEW sessions AS SELECT 1 / 0 AS id, 1 AS org_id, 1 AS course_id")

    done = run("-d", installed_db.conninfo(), "rollback", "--all", "--yes")

    assert (done.code, f"belongs to role {new_role}" in " ".join(done.err.split())) == (5, True), done.err


@pytest.mark.parametrize("table", ["org_members", "courses", "sessions"])
@on_hosted
def test_a_running_backfill_stops_at_a_table_of_another_role_in_the_place_of_a_renamed_one(
    new_role: str, installed_db: PlatformDatabase, table: str
) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        platform.enroll(connection, platform.add_member(connection, org, platform.add_user(connection)), course)
        platform.add_session(connection, org, course)
        connection.execute("CALL sessiondb.begin_backfill(NULL)")
        connection.execute(f"ALTER TABLE public.{table} RENAME TO renamed".encode())
    by_role(
        installed_db,
        new_role,
        f"CREATE TABLE {table} AS SELECT * FROM renamed WITH NO DATA; GRANT ALL ON {table} TO PUBLIC",
        "CREATE FUNCTION fallen() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY fallen ON {table} USING (fallen())",
    )

    for statement in ("SELECT FROM sessiondb.backfill_step(1000)", "CALL sessiondb.backfill()"):
        with (
            installed_db.connect("hosted_owner") as connection,
            pytest.raises(errors.ObjectNotInPrerequisiteState, match=f"belongs to role {new_role}"),
        ):
            connection.execute(statement)


# what was written down and is parsed again


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "made", "code"),
    [
        ("", "FUNCTION own_link() RETURNS trigger", 5),
        ("WHEN (is_missing(NEW.session_id))", "FUNCTION is_missing(uuid) RETURNS boolean", 1),
    ],
    ids=["its function", "a closer function"],
)
@on_hosted
def test_an_adopted_trigger_does_not_come_back_over_a_function_of_another_role(
    new_role: str, platform_db: PlatformDatabase, when: str, made: str, code: int
) -> None:
    with platform_db.connect() as connection:
        for statement in (
            "GRANT CREATE ON SCHEMA public TO hosted_owner; SET ROLE hosted_owner",
            "ALTER TABLE enrollments ADD session_id uuid REFERENCES sessions ON DELETE SET NULL",
            "CREATE FUNCTION is_missing(anyelement) RETURNS boolean LANGUAGE sql AS 'SELECT $1 IS NULL'",
            "CREATE FUNCTION own_link() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
            f"CREATE TRIGGER own_link BEFORE INSERT ON enrollments FOR EACH ROW {when} EXECUTE FUNCTION own_link()",
        ):
            connection.execute(statement.encode())
    assert on(platform_db, "apply", "--adopt").code == 0
    if not when:
        with platform_db.connect() as connection:
            connection.execute("DROP FUNCTION own_link()")
    by_role(platform_db, new_role, f"CREATE {made} LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'")

    refused = on(platform_db, "rollback", "--all", "--yes")

    assert (refused.code, "own_link" in refused.err) == (code, True), refused.err
    assert rows(platform_db, "SELECT FROM pg_trigger WHERE tgname = 'own_link'") == []
    assert on(platform_db, "apply").code == 0
    with platform_db.connect() as connection:
        connection.execute(f"DROP OWNED BY {new_role}".encode())
        connection.execute(
            "CREATE OR REPLACE FUNCTION own_link() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert len(rows(platform_db, "SELECT FROM pg_trigger WHERE tgname = 'own_link'")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "over", "code"), [("kind", "text", 5), ("kind", "text[]", 5), ("own_link", "text", 0)]
)
@on_hosted
def test_an_adopted_trigger_does_not_come_back_over_a_type_of_another_role(
    new_role: str, platform_db: PlatformDatabase, made: str, over: str, code: int
) -> None:
    """A literal of its array runs the CHECK already when the trigger is parsed; a type with the name of its function does not."""
    with platform_db.connect() as connection:
        for statement in (
            "GRANT CREATE ON SCHEMA public TO hosted_owner; SET ROLE hosted_owner",
            "ALTER TABLE enrollments ADD session_id uuid REFERENCES sessions ON DELETE SET NULL",
            f"CREATE DOMAIN kind AS {over}",
            "CREATE FUNCTION own_link() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
            "CREATE TRIGGER own_link BEFORE INSERT ON enrollments FOR EACH ROW"
            " WHEN (('{\"{a}\"}'::kind[]) IS NOT NULL) EXECUTE FUNCTION own_link()",
        ):
            connection.execute(statement.encode())
        assert on(platform_db, "apply", "--adopt").code == 0
        if made == "kind":
            connection.execute("DROP DOMAIN kind")
    by_role(
        platform_db,
        new_role,
        f"CREATE FUNCTION fall({over}) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
        f"CREATE DOMAIN {made} AS {over} CHECK (fall(VALUE))",
    )

    undone = on(platform_db, "rollback", "--all", "--yes")

    assert (undone.code, "fallen" in undone.err) == (code, False), undone.err
    assert len(rows(platform_db, "SELECT FROM pg_trigger WHERE tgname = 'own_link'")) == (code == 0)


# what is trusted for its place alone


@on_hosted
def test_a_table_that_inherits_from_one_of_the_platform_is_refused_if_it_belongs_to_another_role(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """Its owner could put a trigger on it, and rows into it that the rules read."""
    with installed_db.connect() as connection:
        connection.execute("CREATE TABLE archived_members () INHERITS (org_members)")
        connection.execute(sql.SQL("ALTER TABLE archived_members OWNER TO {}").format(sql.Identifier(new_role)))
    table = "public.archived_members"
    assert brief(check(installed_db, "table_owners")) == [("table_owners", "error", table)]
    refused = on(installed_db, "org", "list")
    assert (refused.code, table in refused.err) == (1, True), refused.err


@on_hosted
def test_a_table_of_another_role_behind_two_views_is_refused(new_role: str, platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        for statement in (
            "ALTER TABLE orgs RENAME TO companies; ALTER TABLE companies OWNER TO {role}",
            "GRANT SELECT ON companies TO hosted_owner; SET ROLE hosted_owner",
            "CREATE VIEW some_orgs AS SELECT * FROM companies; CREATE VIEW orgs AS SELECT * FROM some_orgs",
        ):
            connection.execute(sql.SQL(statement).format(role=sql.Identifier(new_role)))
    assert ("table_owners", "error", "public.companies") in refused(platform_db)


@on_hosted
def test_no_fix_gives_the_tables_of_the_platform_to_a_role_that_owns_some_of_them(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """Before the first apply it may have created those that the platform calls differently."""
    with platform_db.connect() as connection:
        for table in ("orgs", "org_members", "sessions", "submissions"):
            connection.execute(
                sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), sql.Identifier(new_role))
            )
    ended = on(platform_db, "apply")
    assert ended.code == 5
    assert f"OWNER TO {new_role}" not in ended.err
    assert f"Connect as {new_role}" not in ended.err


@on_hosted
def test_a_row_of_the_progress_that_names_another_table_does_not_make_a_backfill_write_to_it(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """A role that may run a backfill may write such a row."""
    with installed_db.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE TABLE mine AS SELECT user_id, course_id, NULL::uuid AS session_id FROM enrollments;"
                "ALTER TABLE mine OWNER TO {role};"
                "INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode)"
                " SELECT 1, 'mine', 'mine', relfilenode FROM pg_class WHERE oid = 'mine'::regclass"
            ).format(role=sql.Identifier(new_role))
        )
        assert on(installed_db, "backfill").code == 0
        assert connection.execute("SELECT FROM mine WHERE session_id IS NOT NULL").rowcount == 0


@on_hosted
def test_what_another_role_made_in_schema_sessiondb_is_found_after_it_was_given_to_the_owner(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """By REASSIGN OWNED, or a restore with --no-owner. The triggers do not take it for a table of saved links."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        assert world.write("enrollments", student, course) == session
        strange = world.session(world.org(), course)
        for statement in (
            "GRANT USAGE, CREATE ON SCHEMA sessiondb TO {role}; GRANT SELECT ON enrollments TO {role}; ALTER ROLE {role} BYPASSRLS",
            "GRANT TRIGGER ON sessiondb.backfill_progress TO {role}; SET ROLE {role}",
            "CREATE FUNCTION sessiondb.ask(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1'",
            "CREATE FUNCTION sessiondb.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER theirs BEFORE INSERT ON sessiondb.backfill_progress FOR EACH ROW EXECUTE FUNCTION sessiondb.f()",
            "CREATE TABLE sessiondb.saved_links_of_enrollments AS"
            f" SELECT id, user_id, course_id, '{strange}'::uuid AS session_id FROM enrollments",
            "ALTER TABLE sessiondb.saved_links_of_enrollments ADD PRIMARY KEY (id); RESET ROLE",
            "REVOKE ALL ON SCHEMA sessiondb FROM {role}; REVOKE ALL ON sessiondb.backfill_progress FROM {role}",
            "REASSIGN OWNED BY {role} TO hosted_owner",
        ):
            connection.execute(sql.SQL(statement).format(role=sql.Identifier(new_role)))
        with pytest.raises(errors.CheckViolation):
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", "enrollments", strange, student)
    findings = check(installed_db, "installed_objects")
    assert brief(findings) == [
        ("installed_objects", "error", object_)
        for object_ in (
            "function sessiondb.ask(character varying)",
            "function sessiondb.f()",
            "table sessiondb.saved_links_of_enrollments",
            "trigger theirs on sessiondb.backfill_progress",
        )
    ]
    carry_out(installed_db, sorted(findings, key=lambda f: f.object, reverse=True))
    assert check(installed_db, "installed_objects") == []


@on_hosted
def test_a_schema_of_the_search_path_that_is_gone_stops_a_procedure(installed_db: PlatformDatabase) -> None:
    """Any role that may create schemas could create it again."""
    with installed_db.connect() as connection:
        connection.execute('SET sessiondb.platform_path TO \'"public", "gone", pg_temp\'')
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="schema gone"):
            connection.execute("CALL sessiondb.begin_backfill(NULL)")


@pytest.mark.parametrize("typed", ["{}::public.person", "({}::public.person[])[1]"])
@on_hosted
def test_a_type_of_another_role_is_refused_in_the_expression_of_the_current_user_also_behind_an_array(
    new_role: str, platform_db: PlatformDatabase, typed: str
) -> None:
    by_role(platform_db, new_role, "CREATE DOMAIN person AS uuid")
    expression = typed.format("(nullif(current_setting('app.user_ids', true), ''))")
    ended = on(platform_db, "apply", "--staff", "trainer", "--current-user", expression)
    assert (ended.code, f"of role {new_role}" in ended.err) == (1, True), ended.err


@on_hosted
def test_the_check_of_a_domain_of_another_role_in_a_constraint_of_the_platform_is_found(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_role(
        installed_db,
        new_role,
        "CREATE FUNCTION allows(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE DOMAIN label AS text CHECK (allows(VALUE))",
    )
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE orgs ADD CONSTRAINT labelled CHECK (('{x}'::label[])[1] = 'x')")
    (finding,) = check(installed_db, "code_of_others")
    assert "function public.allows(text)" in finding.detail


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_table_of_another_role_in_the_place_of_one_on_a_path_without_a_key_is_refused(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """No foreign key shows that the renamed one was meant."""
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey")
    assert on(platform_db, "apply", "--course-path", "exercise_id.exercises.course_id").code == 0
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE exercises RENAME TO was")
    by_role(platform_db, new_role, "CREATE TABLE exercises (id uuid PRIMARY KEY, course_id uuid)")

    assert ("course_path", "error", "public.exercises") in brief(check(platform_db, "course_path"))
    for command in (("show", "submissions"), ("backfill",), ("check", "split_students")):
        refused = on(platform_db, *command)
        said = " ".join((refused.err + refused.out).split())
        assert (refused.code != 0, f"belongs to role {new_role}" in said) == (True, True), command


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
@pytest.mark.parametrize(
    "statement",
    [
        # it could create an index on it, whose expression is evaluated for each row
        "CREATE TABLE theirs (LIKE org_members) PARTITION BY RANGE (user_id);"
        "ALTER TABLE theirs ATTACH PARTITION org_members DEFAULT",
        # its CHECK is evaluated by the planner
        "CREATE TABLE theirs () INHERITS (users)",
        "CREATE TABLE theirs () INHERITS (exercises)",
        # its owner may write the rows of the other
        "CREATE TABLE theirs (); ALTER TABLE org_members INHERIT theirs",
        # it is behind a view
        "ALTER TABLE orgs RENAME TO companies; CREATE VIEW orgs AS SELECT * FROM companies;"
        "CREATE TABLE theirs (LIKE companies) PARTITION BY RANGE (id);"
        "ALTER TABLE theirs ATTACH PARTITION companies DEFAULT",
    ],
    ids=[
        "of which one is a partition",
        "that inherits from the users",
        "that inherits from one on the path",
        "from which one inherits",
        "of which one behind a view is a partition",
    ],
)
def test_a_table_of_another_role_that_is_related_to_one_that_is_read_is_refused_before_and_after(
    new_role: str, platform_db: PlatformDatabase, statement: str
) -> None:
    with platform_db.connect() as connection:
        connection.execute(f"{statement}; ALTER TABLE theirs OWNER TO {new_role}".encode())
    assert any("public.theirs" in object_ or object_ == "TABLE theirs" for _, _, object_ in refused(platform_db))
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE theirs OWNER TO CURRENT_USER")
    assert on(platform_db, "apply").code == 0
    with platform_db.connect() as connection:
        connection.execute(f"ALTER TABLE theirs OWNER TO {new_role}".encode())
    found = brief(check(platform_db, "table_owners")) + brief(check(platform_db, "course_path"))
    assert {(level, object_) for _, level, object_ in found} == {("error", "public.theirs")}
    assert on(platform_db, "backfill").code == 1


@on_hosted
def test_no_function_is_called_in_the_place_of_the_role_of_a_member(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """A platform need not have that column."""
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE org_members RENAME COLUMN role TO job")
        member = connection.execute("SELECT org_id, user_id FROM org_members LIMIT 1").fetchall()[0]
    by_role(
        installed_db,
        new_role,
        "CREATE FUNCTION role(org_members) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
    )
    removed = on(installed_db, "member", "remove", "--org", str(member[0]), "--user", str(member[1]))
    assert removed.code == 0, removed.err


@on_hosted
def test_a_function_of_another_role_does_not_keep_half_an_installation_from_being_rolled_back(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    platform_db.apply(to="0005")
    by_role(
        platform_db,
        new_role,
        "CREATE FUNCTION get_user_session_for_course(uuid, uuid) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    )
    undone = on(platform_db, "rollback", "--all", "--yes")
    assert undone.code == 0, undone.err
    assert len(rows(platform_db, "SELECT FROM pg_proc WHERE proname = 'get_user_session_for_course'")) == 1


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_role_that_an_archive_with_our_triggers_was_given_to_is_not_trusted(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "ALTER TABLE enrollments RENAME TO archive;"
            "ALTER INDEX enrollments_session_id_idx RENAME TO archive_session_id_idx;"
            "CREATE TABLE enrollments (LIKE archive INCLUDING ALL); ALTER TABLE enrollments DROP COLUMN session_id"
        )
        connection.execute(f"ALTER TABLE archive OWNER TO {new_role}".encode())

    applied = on(installed_db, "apply")

    assert applied.code == 0, applied.err
    assert f"Connect as {new_role}" not in applied.err
    assert f"It belongs to role {new_role} now" in applied.err
    assert brief(check(installed_db, "table_owners")) == []
    with installed_db.connect() as connection:
        connection.execute(f"ALTER TABLE courses OWNER TO {new_role}".encode())
    assert brief(check(installed_db, "table_owners")) == [("table_owners", "error", "public.courses")]


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
@pytest.mark.parametrize("is_moved", [False, True], ids=["archive of a third role", "archive moved there by its owner"])
def test_a_schema_in_the_place_of_a_renamed_one_is_not_used_either_where_an_archive_has_another_owner(
    new_role: str, installed_db: PlatformDatabase, is_moved: bool
) -> None:
    archivist = new_role if is_moved else "campus_app"
    with installed_db.connect() as connection:
        connection.execute(
            "CREATE TABLE campus.archive (LIKE campus.enrollments);"
            "CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON campus.archive"
            " FOR EACH ROW EXECUTE FUNCTION sessiondb.link_enrollment()"
        )
        connection.execute(f"ALTER TABLE campus.archive OWNER TO {archivist}".encode())
        assert on(installed_db, "org", "list").code == 0
        connection.execute("ALTER SCHEMA campus RENAME TO learn")
        connection.execute(
            f"CREATE SCHEMA campus AUTHORIZATION {new_role}; GRANT USAGE ON SCHEMA campus TO PUBLIC".encode()
        )
        connection.execute(f"GRANT USAGE ON SCHEMA learn TO {new_role}; SET ROLE {new_role}".encode())
        for table in ("orgs", "org_members", "courses", "sessions", "enrollments"):
            connection.execute(f"CREATE TABLE campus.{table} (id uuid PRIMARY KEY)".encode())
        connection.execute("CREATE TABLE campus.submissions (course_id uuid REFERENCES campus.courses)")
        if is_moved:
            connection.execute("ALTER TABLE learn.archive SET SCHEMA campus")
        connection.execute("RESET ROLE")
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match=f"belongs to role {new_role}"):
            connection.execute("CALL sessiondb.begin_backfill(NULL)")
    refused = run("-d", installed_db.conninfo(installed_db.platform.owner), "backfill")
    assert (refused.code, f"belongs to role {new_role}" in refused.err) == (1, True), refused.err
    assert run("-d", installed_db.conninfo(), "backfill").code == 5


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "sessiondb.platform_path = '{0}'",
        """sessiondb.platform_path = '"{0}", pg_temp'""",
        "sessiondb.schema_oid = 1",
        "search_path = '{0}'",
    ],
)
@on_hosted
def test_what_the_caller_of_a_function_of_the_owner_set_or_made_is_not_used_in_it(
    new_role: str, installed_db: PlatformDatabase, setting: str
) -> None:
    """The owner may offer explain_link() to students that way; the platform's own code has names without a schema."""
    by_role(
        installed_db,
        new_role,
        "CREATE FUNCTION allowed() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'",
    )
    with installed_db.connect() as connection:
        connection.execute(
            f"""
            CREATE SCHEMA {new_role}; GRANT USAGE ON SCHEMA {new_role} TO PUBLIC; ALTER FUNCTION allowed() SET SCHEMA {new_role};
            GRANT USAGE ON SCHEMA sessiondb TO hosted_owner; SET ROLE hosted_owner;
            CREATE TABLE admins (id uuid);
            CREATE FUNCTION public.allowed() RETURNS boolean LANGUAGE sql STABLE RETURN true;
            CREATE FUNCTION visible() RETURNS boolean LANGUAGE plpgsql STABLE
                AS 'BEGIN RETURN (SELECT count(*) FROM admins) >= 0 AND allowed(); END';
            ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY seen ON sessions USING (visible());
            CREATE FUNCTION why(u uuid, c uuid) RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path TO public, pg_temp
                AS 'SELECT sessiondb.explain_link(u, c)';
            """.encode()
        )
        ((user, course),) = connection.execute("SELECT user_id, course_id FROM enrollments LIMIT 1").fetchall()
        connection.execute(f'RESET ROLE; GRANT TEMPORARY ON DATABASE "{installed_db.name}" TO {new_role}'.encode())
        connection.execute(f"SET SESSION AUTHORIZATION {new_role}".encode())
        connection.execute(
            f"CREATE TEMPORARY VIEW admins AS SELECT {new_role}.allowed(); GRANT SELECT ON admins TO PUBLIC".encode()
        )
        if setting:
            connection.execute(f"SET {setting.format(new_role)}".encode())
        ((answer,),) = connection.execute("SELECT public.why(%s, %s)", [user, course]).fetchall()
    assert answer["reason"] == "linked"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SET search_path TO public", "PERFORM set_config('search_path', 'public', true)"])
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_search_path_that_the_platforms_own_code_sets_is_not_that_of_our_sql(
    new_role: str, platform_db: PlatformDatabase, how: str
) -> None:
    """A trigger or an event trigger may set it for the session."""
    with platform_db.connect() as connection:
        connection.execute(
            f"CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {how}; RETURN NEW; END $$;"
            f"CREATE FUNCTION log() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {how}; END $$;"
            "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION touch();"
            "CREATE EVENT TRIGGER log ON ddl_command_end EXECUTE FUNCTION log()".encode()
        )
    for left, right in (("oid", "regclass"), ("oid", "regnamespace"), ("name", "text"), ("text", "name")):
        by_role(
            platform_db,
            new_role,
            f"CREATE FUNCTION fall({left}, {right}) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END';"
            f"CREATE OPERATOR = (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = fall)",
        )
    for command in ("apply", "backfill", "rollback --to 0001 --yes", "apply", "check", "rollback --all --yes"):
        done = on(platform_db, *command.split())
        assert (done.code in (0, 4), "fallen" in done.err + done.out) == (True, False), (command, done.err[-1500:])


@pytest.mark.slow
@on_hosted
@pytest.mark.parametrize(
    "command",
    [
        "session list",
        "course list",
        "org list",
        "show submissions",
        "backfill",
        "explain --user dmitri@example.org --course 'Data with SQL'",
        "apply",
        "rollback --all --yes",
        "CALL sessiondb.backfill(NULL)",
        "SELECT sessiondb.explain_link(gen_random_uuid(), gen_random_uuid())",
    ],
)
def test_no_command_reads_a_column_of_a_type_that_was_given_to_another_role(
    new_role: str, platform_db: PlatformDatabase, command: str
) -> None:
    """Its owner may create a cast to text, which runs as the role that reads."""
    with platform_db.connect() as connection:
        connection.execute("CREATE TYPE public.state AS ENUM ('draft', 'active', 'completed', 'cancelled')")
        for (name,) in connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'public.sessions'::regclass AND contype = 'c'"
        ).fetchall():
            connection.execute(f'ALTER TABLE public.sessions DROP CONSTRAINT "{name}"'.encode())
        connection.execute(
            "ALTER TABLE public.sessions ALTER status DROP DEFAULT, ALTER status TYPE public.state USING status::public.state"
        )
        assert on(platform_db, "apply").code == 0
        connection.execute(
            f"ALTER TYPE public.state OWNER TO {new_role}; CREATE SCHEMA of_other AUTHORIZATION {new_role}; SET ROLE {new_role}".encode()
        )
        connection.execute(
            "CREATE FUNCTION of_other.say(public.state) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen''; END'"
        )
        connection.execute("CREATE CAST (public.state AS text) WITH FUNCTION of_other.say(public.state)")
        connection.execute("RESET ROLE")
        if command.startswith(("CALL", "SELECT")):
            with pytest.raises(errors.ObjectNotInPrerequisiteState, match=r"Type public\.state of column status"):
                connection.execute(command.encode())
            return

    done = on(platform_db, *shlex.split(command))

    assert "fallen" not in done.out + done.err
    assert (done.code != 0, "Type public.state of column status" in " ".join(done.err.split())) == (True, True)


@on_hosted
@pytest.mark.parametrize("kind", ["operator", "collation", "table of users"])
def test_what_a_column_that_is_read_is_compared_with_is_not_in_a_schema_of_another_role(
    new_role: str, platform_db: PlatformDatabase, kind: str
) -> None:
    with platform_db.connect() as connection:
        connection.execute(f"CREATE SCHEMA ext AUTHORIZATION {new_role}; GRANT USAGE ON SCHEMA ext TO PUBLIC".encode())
        if kind == "operator":
            if not connection.execute("SELECT FROM pg_available_extensions WHERE name = 'citext'").rowcount:
                pytest.skip("this server has no citext")
            connection.execute("CREATE EXTENSION citext SCHEMA ext; ALTER TYPE ext.citext SET SCHEMA public")
            connection.execute("ALTER TABLE public.enrollments ADD code public.citext")
        elif kind == "collation":
            connection.execute("CREATE COLLATION ext.mine (provider = libc, locale = 'C')")
            connection.execute("ALTER TABLE public.enrollments ADD code text COLLATE ext.mine")
        else:
            connection.execute("CREATE DOMAIN ext.mail AS text; ALTER TABLE auth.users ADD other_mail ext.mail")

    found = {f.object for f in look(platform_db) if f.check == "column_types"}

    assert found == {"SCHEMA ext"}


@on_partitioned
def test_a_backfill_by_call_refuses_a_partition_in_a_schema_of_another_role(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(f"CREATE SCHEMA archive AUTHORIZATION {new_role}".encode())
        connection.execute("ALTER TABLE public.submissions_2023 SET SCHEMA archive")
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="schema archive of a partition belongs to role"):
            connection.execute("CALL sessiondb.backfill(NULL)")


@on_hosted
def test_a_type_in_a_schema_of_the_owner_is_good_enough_for_the_table_of_users_of_another_role(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute("CREATE SCHEMA ext AUTHORIZATION hosted_owner; CREATE DOMAIN ext.mail AS text")
        connection.execute(f"ALTER TABLE auth.users ADD other_mail ext.mail, OWNER TO {new_role}".encode())

    assert [f for f in check(installed_db) if f.check == "column_types"] == []
