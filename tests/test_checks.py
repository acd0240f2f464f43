"""Every check is silent on a sound platform, speaks of its own fault, and is silent again once its fix was done."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from conftest import PlatformDatabase
from pglast.parser import scan
from platforms import PLATFORMS, Platform
from psycopg import sql
from sqltext import parsable
from test_cli import run

from sessiondb import checks, findings, preflight, resources
from sessiondb.checks import NOT_INSTALLED
from sessiondb.connection import trusted
from sessiondb.database import Choices, Database
from sessiondb.embedded import Server, ServerNotFound, ephemeral_server, find_bindir
from sessiondb.errors import STATEMENTS, Finding, PlatformRefusedError, UnclearNameError
from sessiondb.installation import installation
from sessiondb.objects import CODE, listed

SHAPE = ("check", "level", "object", "detail", "fix")
FILES = [(folder, name) for folder in ("checks", "preflight", "data_checks") for name in resources.names(folder)]

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
on_academy = pytest.mark.parametrize("platform", [PLATFORMS["academy"]], indirect=True, ids=str)
# another schema and an owner who is no superuser, partitions, and names that want quotes
on_odd_platforms = pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("school", "partitioned", "quoted")], indirect=True, ids=str
)


@contextmanager
def superuser(db: PlatformDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees the platform's tables and is rid of everything that stops it."""
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        yield connection


def execute(db: PlatformDatabase, *statements: str) -> None:
    with superuser(db) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def check(db: PlatformDatabase, *names: str) -> list[Finding]:
    """Run checks; without names all of the installation, since those of the data have tests of their own."""
    with db.database().transaction(read_only=True) as connection:
        findings = checks.check(connection, names, 3, lambda line: None)
    return [f for f in findings if names or (f.check not in resources.names("data_checks") and f.object != f.check)]


def look(db: PlatformDatabase, course_path: str | None = None, user: str | None = None) -> list[Finding]:
    """Look at the platform as apply does; what stands in the way, else the warnings."""
    with db.database(user).transaction(Choices(course_path), read_only=True) as connection:
        try:
            return preflight.preflight(connection, course_path)
        except PlatformRefusedError as error:
            return error.findings


def brief(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return sorted((finding.check, finding.level, finding.object) for finding in findings)


# the files


@pytest.mark.parametrize(("folder", "name"), FILES, ids=[f"{folder}-{name}" for folder, name in FILES])
@on_reference
def test_a_check_returns_findings_under_its_own_name(installed_db: PlatformDatabase, folder: str, name: str) -> None:
    with installed_db.database().transaction(read_only=True) as connection:
        if folder == "data_checks":
            there = installation(connection)
            assert there
            query = checks.data_query(connection, there, [name], 3)
        else:
            query = findings.composed(connection, f"{folder}/{name}")
    assert {*re.findall(r"'(\w+)' AS \"check\"", query)} == {name}

    with installed_db.database().transaction(read_only=True) as connection:
        if folder != "data_checks":
            connection.execute("SET LOCAL search_path TO pg_catalog, pg_temp")
        cursor = connection.execute(query.encode())
        assert [column.name for column in cursor.description or ()] == [*SHAPE]


@on_reference
def test_a_check_that_does_not_exist_is_named_with_those_that_do(installed_db: PlatformDatabase) -> None:
    with pytest.raises(UnclearNameError) as error:
        check(installed_db, "triggers_last", "indexs")

    assert str(error.value) == 'there is no check "indexs"; the checks are'
    assert error.value.hint == "Did you mean indexes?"
    assert error.value.candidates == checks.check_names()


def test_every_check_is_silent_after_apply(installed_db: PlatformDatabase) -> None:
    """But for the one that says that row level security hides the rows from staff: test_staff.py."""
    assert [finding for finding in check(installed_db) if finding.check != "staff"] == []


def test_every_check_is_silent_before_apply(platform_db: PlatformDatabase) -> None:
    assert look(platform_db) == []


def test_a_platform_without_sessiondb_is_told_so_and_nothing_else(platform_db: PlatformDatabase) -> None:
    assert check(platform_db) == [NOT_INSTALLED]
    assert NOT_INSTALLED.level == "error"


# faults of an installation


@dataclass(frozen=True)
class Fault:
    """A fault made by hand, and how it is reported.

    ``finds`` is each check's level and objects; {schema} and the like are put into ``does`` and ``finds``.
    ``by_apply``: an apply makes it good, after the SQL that is printed, if any; else that SQL alone does.
    """

    does: str
    finds: dict[str, tuple[str, list[str]]]
    by_apply: bool = False


TRIGGER_AFTER_OURS = "{0}BEFORE INSERT ON {1} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"

FAULTS: dict[str, Fault] = {
    "trigger dropped": Fault(
        "DROP TRIGGER zzz_sessiondb_link_submission ON submissions",
        {"installed_objects": ("error", ["trigger submissions.zzz_sessiondb_link_submission"])},
        by_apply=True,
    ),
    "trigger disabled": Fault(
        "ALTER TABLE enrollments DISABLE TRIGGER zzz_sessiondb_link_enrollment",
        {"triggers_enabled": ("error", ["trigger zzz_sessiondb_link_enrollment on enrollments"])},
    ),
    "trigger only for replicated changes": Fault(
        "ALTER TABLE enrollments ENABLE REPLICA TRIGGER zzz_sessiondb_check_enrollment",
        {"triggers_enabled": ("error", ["trigger zzz_sessiondb_check_enrollment on enrollments"])},
    ),
    "all triggers disabled": Fault(
        "ALTER TABLE submissions DISABLE TRIGGER USER",
        {
            "triggers_enabled": (
                "error",
                [
                    "trigger zzz_sessiondb_check_submission on submissions",
                    "trigger zzz_sessiondb_check_submission_update on submissions",
                    "trigger zzz_sessiondb_link_submission on submissions",
                    "trigger zzz_sessiondb_link_submission_update on submissions",
                ],
            )
        },
    ),
    "trigger changed": Fault(
        "CREATE OR REPLACE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON enrollments"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION sessiondb.link_enrollment()",
        {"installed_objects": ("error", ["trigger enrollments.zzz_sessiondb_link_enrollment"])},
        by_apply=True,
    ),
    "trigger renamed": Fault(
        "ALTER TRIGGER zzz_sessiondb_link_enrollment ON enrollments RENAME TO aaa",
        {"installed_objects": ("error", ["trigger enrollments.zzz_sessiondb_link_enrollment"])},
        by_apply=True,
    ),
    "table that inherits": Fault(
        "CREATE TABLE late () INHERITS (sessions)",
        {"inheritance": ("error", ["{quoted}.late"])},
    ),
    "function body replaced": Fault(
        "CREATE OR REPLACE FUNCTION sessiondb.link_enrollment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN RETURN NEW; END'",
        {"installed_objects": ("error", ["function sessiondb.link_enrollment"])},
        by_apply=True,
    ),
    "function of the guide replaced": Fault(
        "CREATE OR REPLACE FUNCTION {schema}.get_user_session_for_course(p_user_id uuid, p_course_id uuid)"
        " RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid'",
        {"installed_objects": ("error", ["function {name}.get_user_session_for_course"])},
        by_apply=True,
    ),
    "function without its search_path": Fault(
        "ALTER FUNCTION sessiondb.link_submission() RESET search_path",
        {"installed_objects": ("error", ["function sessiondb.link_submission"])},
        by_apply=True,
    ),
    "function with the caller's rights": Fault(
        "ALTER FUNCTION sessiondb.check_session() SECURITY INVOKER",
        {"installed_objects": ("error", ["function sessiondb.check_session"])},
        by_apply=True,
    ),
    "column dropped": Fault(
        "ALTER TABLE enrollments DROP COLUMN session_id CASCADE",
        {
            "foreign_keys": ("error", ["constraint enrollments.enrollments_session_id_fkey"]),
            "indexes": ("error", ["index enrollments.enrollments_session_id_idx"]),
            "installed_objects": (
                "error",
                [
                    "column enrollments.session_id",
                    "trigger enrollments.zzz_sessiondb_check_enrollment",
                    "trigger enrollments.zzz_sessiondb_check_enrollment_update",
                    "trigger enrollments.zzz_sessiondb_link_enrollment",
                    "trigger enrollments.zzz_sessiondb_link_enrollment_update",
                ],
            ),
        },
        by_apply=True,
    ),
    "column made NOT NULL": Fault(
        "DELETE FROM enrollments; ALTER TABLE enrollments ALTER session_id SET NOT NULL",
        {"required_columns": ("error", ["{quoted}.enrollments.session_id"])},
    ),
    "foreign key dropped": Fault(
        "ALTER TABLE submissions DROP CONSTRAINT submissions_session_id_fkey",
        {"foreign_keys": ("error", ["constraint submissions.submissions_session_id_fkey"])},
        by_apply=True,
    ),
    "foreign key with another action": Fault(
        "ALTER TABLE submissions DROP CONSTRAINT submissions_session_id_fkey,"
        " ADD CONSTRAINT submissions_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions ON DELETE CASCADE",
        {"installed_objects": ("error", ["constraint submissions.submissions_session_id_fkey"])},
        by_apply=True,
    ),
    "index dropped": Fault(
        "DROP INDEX submissions_session_id_idx",
        {"indexes": ("error", ["index submissions.submissions_session_id_idx"])},
        by_apply=True,
    ),
    "index that does another job": Fault(
        "DROP INDEX submissions_session_id_idx; CREATE INDEX submissions_session_id_idx ON submissions (user_id)",
        {"installed_objects": ("error", ["index submissions.submissions_session_id_idx"])},
        by_apply=True,
    ),
    "index that others serve dropped": Fault(
        "DROP INDEX submissions_session_id_idx; CREATE INDEX my_own ON submissions (session_id)",
        {"installed_objects": ("error", ["index submissions.submissions_session_id_idx"])},
        by_apply=True,
    ),
    "trigger of the platform after ours": Fault(
        "CREATE TRIGGER zzzz_platform BEFORE INSERT ON submissions"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        {"triggers_last": ("warning", ["trigger zzzz_platform on submissions"])},
    ),
    "trigger of the platform that writes session_id": Fault(
        "CREATE FUNCTION {schema}.mine() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END';"
        "CREATE TRIGGER aaa_platform BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION {schema}.mine()",
        {"other_triggers": ("error", ["trigger aaa_platform on enrollments"])},
    ),
    "granted to PUBLIC": Fault(
        "GRANT USAGE ON SCHEMA sessiondb TO PUBLIC; GRANT SELECT, INSERT ON sessiondb.objects TO PUBLIC;"
        "GRANT EXECUTE ON FUNCTION sessiondb.note_change() TO PUBLIC",
        {
            "grants": ("error", ["schema sessiondb", "table sessiondb.objects", "function sessiondb.note_change()"]),
            "installed_objects": ("error", ["function sessiondb.note_change"]),
        },
    ),
    "trigger privilege granted": Fault(
        "GRANT TRIGGER ON submissions TO PUBLIC",
        {"grants": ("warning", ["table submissions"])},
    ),
    "course path renamed": Fault(
        "ALTER TABLE submissions RENAME {task} TO moved",
        {"course_path": ("error", ["{path}"])},
        by_apply=True,
    ),
}


def of_platform(platform: Platform, text: str) -> str:
    given = {
        "{schema}": quote_ident(platform.schema),
        "{name}": platform.schema,
        "{quoted}": platform.schema if platform.schema.islower() else quote_ident(platform.schema),
        "{task}": quote_ident(platform.task_column),
        "{path}": platform.course_path,
    }
    for name, value in given.items():
        text = text.replace(name, value)
    return text


def quote_ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@on_odd_platforms
def test_a_fault_is_found_and_its_fix_works(installed_db: PlatformDatabase, fault: str) -> None:
    platform, expected = installed_db.platform, FAULTS[fault]
    execute(installed_db, of_platform(platform, expected.does))

    findings = check(installed_db)

    assert {finding.check for finding in findings} == set(expected.finds)
    for name, (level, objects) in expected.finds.items():
        mine = [finding for finding in findings if finding.check == name]
        assert {finding.level for finding in mine} == {level}
        # of a partitioned table, its partitions may be named as well
        found = {finding.object for finding in mine}
        assert {of_platform(platform, text) for text in objects} <= found
        assert platform.name == "partitioned" or len(found) == len(objects)
        # the objects of which another check says so are left out only beside it
        assert {*check(installed_db, name)} >= {*mine}
    assert all(finding.detail and finding.fix for finding in findings)

    if expected.by_apply:
        assert any("sessiondb apply" in finding.fix for finding in findings)
    carry_out(installed_db, findings)
    if expected.by_apply:
        installed_db.apply()
    assert check(installed_db) == []


def carry_out(db: PlatformDatabase, findings: list[Finding]) -> None:
    """Run the SQL of the fixes, each once, from the first to the last, as a user would who copies them into psql."""
    with db.connect() as connection:
        for _, to_paste in dict.fromkeys(fix for finding in findings for fix in finding.fixes):
            if to_paste and not to_paste.startswith("sessiondb"):
                connection.execute(to_paste.encode())


def test_every_statement_in_a_fix_can_be_pasted_whole() -> None:
    """No words stand after it, and none before it but a sentence and a colon."""
    hole = re.compile(r"%(?:\d\$)?s")
    found = 0
    for folder, name in [*FILES, *(("rollback", name) for name in resources.names("rollback"))]:
        text = resources.read(f"{folder}/{name}.sql").encode("ascii").decode()
        for token in scan(text):
            if token.name != "SCONST" or text[token.start + 1] == "%":
                continue
            parts = (
                re.sub(r"'\s*\n\s*'", "", text[token.start : token.end + 1]).removeprefix("E")[1:-1].removeprefix(": ")
            )
            for what, to_paste in Finding(name, "", "", "", parts.replace("''", "'").replace(r"\n", "\n")).fixes:
                assert not re.search(rf"\b(?:{STATEMENTS}) [A-Z]{{2,}} ", what), (name, what)
                if re.match(f"(?:{STATEMENTS}) ", to_paste):
                    found += 1
                    filled = to_paste.replace("DROP %s", "DROP DEFAULT").replace("{table}", "t")
                    filled = re.sub(r"%(?:\d\$)?I", "a", re.sub(r"%(?:\d\$)?L", "'a'", filled))
                    assert parsable(filled, hole), (name, to_paste)
    assert found > 40


@on_reference
def test_each_function_and_trigger_is_made_again_by_an_apply(installed_db: PlatformDatabase) -> None:
    execute(installed_db, 'UPDATE sessiondb.objects SET facts = facts || \'{"result": "changed"}\'')
    findings = check(installed_db, "installed_objects")
    code = [finding for finding in findings if finding.object.startswith(("function", "trigger"))]
    assert len(code) == sum(o.kind in CODE for o in listed(None))
    assert {finding.fix for finding in code} == {"Run: sessiondb apply"}

    installed_db.apply()

    assert not {finding.object for finding in code} & {f.object for f in check(installed_db, "installed_objects")}


CHANGES = {
    "a line replaced": (
        "RETURN NEW;",
        "RETURN NULL;",
        ["@@ -12,1 +12,1 @@", "-    RETURN NEW;", "+    RETURN NULL;"],
    ),
    "a line removed": (
        "    RETURN NEW;\n",
        "",
        ["@@ -12,1 +12,0 @@", "-    RETURN NEW;"],
    ),
    "lines added": (
        "    RETURN NEW;",
        "".join(f"    PERFORM {number};\n" for number in range(7)) + "    RETURN NEW;",
        ["@@ -12,0 +12,7 @@", *[f"+    PERFORM {number};" for number in range(5)], "+... 2 more lines"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@on_reference
def test_of_a_function_that_was_changed_the_lines_that_differ_are_shown(
    installed_db: PlatformDatabase, change: str
) -> None:
    was, now, shown = CHANGES[change]
    with superuser(installed_db) as connection:
        query = "SELECT pg_get_functiondef('sessiondb.link_enrollment'::regproc)"
        ((text,),) = connection.execute(query).fetchall()
        assert was in text
        connection.execute(text.replace(was, now).encode())

    (finding,) = check(installed_db)

    assert finding.detail.splitlines() == ["The function was changed after it was created:", *shown]


def test_every_check_has_a_fault() -> None:
    found = {name for fault in FAULTS.values() for name in fault.finds}
    elsewhere = {
        "active_status",
        "search_path",
        "row_security",
        "pending_migrations",
        "renamed",
        "owner_rights",
        "column_types",
        "staff",
        "citus",
        "code_of_others",
        "column_grants",
        "table_owners",
        "uncommitted",
        "unpinned_functions",
        "unrelated_ids",
    }  # test_status_column.py, below, test_damage.py, test_roles, _strangers, _staff, _citus, _grants, _preflight
    assert found | elsewhere == set(checks.check_names()) - set(resources.names("data_checks"))


@on_hosted
def test_row_level_security_that_is_forced_is_found_and_its_fix_works(installed_db: PlatformDatabase) -> None:
    """Only where the owner is no superuser and there is row level security to force."""
    tables = ("items", "submissions")
    execute(installed_db, *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables))

    findings = [finding for finding in check(installed_db, "row_security") if finding.level == "error"]

    assert brief(findings) == [("row_security", "error", f"public.{table}") for table in tables]
    carry_out(installed_db, findings)
    assert check(installed_db, "row_security") == []


@on_hosted
def test_no_right_link_is_called_wrong_to_the_owner_from_whom_a_forced_policy_hides_members(
    installed_db: PlatformDatabase,
) -> None:
    """The fix would unlink all rows."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        platform.add_session(connection, org, course)
        assert platform.submit(connection, user, course)
    execute(installed_db, "ALTER TABLE org_members FORCE ROW LEVEL SECURITY")

    (told,) = check(installed_db, "links_without_membership")

    assert (told.check, "links_without_membership" in told.detail) == ("row_security", True)
    assert "BYPASSRLS" in told.fix


@on_reference
def test_no_command_fails_because_of_a_value_that_no_jsonb_holds(installed_db: PlatformDatabase) -> None:
    """Of type json, which students may be able to write."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user, other = (platform.add_member(connection, org, platform.add_user(connection)) for _ in range(2))
        platform.submit(connection, other, course)
        session = platform.add_session(connection, org, course)
        platform.submit(connection, user, course)
        tables = ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions", "exercises", "users")
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ADD answer json DEFAULT '\"\\u0000\"'".encode())
        connection.execute("INSERT INTO submissions (user_id) VALUES (%s)", [user])
        connection.execute("DELETE FROM org_members WHERE user_id = %s", [user])
        ((row,),) = connection.execute("SELECT id FROM submissions WHERE exercise_id IS NULL").fetchall()

    (found,) = check(installed_db, "links_without_membership")
    assert "submissions is linked" in found.detail
    for command in (
        "show sessions",
        "show submissions",
        "show submissions --unlinked",
        "show enrollments",
        "org list",
        "course list",
        "session list",
        f"member list --org {org}",
        f"explain --user {other} --course {course}",
        f"explain --submission {row}",
        f"session set-status {session} completed",
        f"session create --org {org} --course {course}",
        "org create --name A --slug a",
        "backfill",
    ):
        ended = run("-d", installed_db.conninfo(), *command.split())
        assert "\\u0000" not in ended.err, command
        assert ended.code in (0, 1), (command, ended.err)


@on_reference
def test_a_column_of_another_type_is_found(installed_db: PlatformDatabase) -> None:
    """Only without the foreign key and the triggers, which PostgreSQL would not let be."""
    execute(
        installed_db,
        *(f"DROP TRIGGER {name} ON submissions" for name in resources.names("triggers") if "submission" in name),
        "ALTER TABLE submissions DROP CONSTRAINT submissions_session_id_fkey",
        "ALTER TABLE submissions ALTER session_id TYPE text",
    )

    assert brief(check(installed_db)) == [("required_columns", "error", "public.submissions.session_id")]


@on_reference
def test_a_foreign_key_that_is_not_validated_is_found(installed_db: PlatformDatabase) -> None:
    """As an apply leaves it that is ended between the two statements."""
    execute(
        installed_db,
        "UPDATE pg_constraint SET convalidated = false"
        " WHERE conrelid = 'enrollments'::regclass AND conname = 'enrollments_session_id_fkey'",
    )

    findings = check(installed_db)

    assert brief(findings) == [("foreign_keys", "error", "constraint enrollments.enrollments_session_id_fkey")]
    installed_db.apply()
    assert check(installed_db) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "warns"),
    [("ON DELETE SET NULL", False), ("ON DELETE SET NULL NOT VALID", True), ("ON DELETE CASCADE", True)],
)
@on_reference
def test_a_foreign_key_of_the_platform_own_is_good_enough_if_it_sets_null(
    platform_db: PlatformDatabase, kind: str, warns: bool
) -> None:
    execute(
        platform_db,
        "ALTER TABLE enrollments ADD session_id uuid",
        f"ALTER TABLE enrollments ADD CONSTRAINT mine FOREIGN KEY (session_id) REFERENCES sessions {kind}",
    )
    platform_db.apply()

    assert brief(check(platform_db)) == [("foreign_keys", "warning", "constraint enrollments.mine")] * warns
    if "NOT VALID" in kind:
        carry_out(platform_db, check(platform_db))
        assert check(platform_db) == []


@pytest.mark.parametrize("platform", [PLATFORMS[name] for name in ("school", "quoted")], indirect=True, ids=str)
def test_an_index_that_is_not_valid_is_found(installed_db: PlatformDatabase) -> None:
    """As CREATE INDEX CONCURRENTLY leaves it when it is interrupted."""
    execute(
        installed_db,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'submissions_session_id_idx'::regclass",
    )

    findings = check(installed_db)

    assert brief(findings) == [("indexes", "error", "index submissions.submissions_session_id_idx")]
    installed_db.apply()
    assert check(installed_db) == []


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_an_index_that_is_half_built_on_the_partitions_is_found(installed_db: PlatformDatabase) -> None:
    execute(
        installed_db,
        "DROP INDEX submissions_session_id_idx",
        "CREATE INDEX submissions_session_id_idx ON ONLY submissions (session_id) WHERE session_id IS NOT NULL",
        "CREATE INDEX mine ON submissions_2024 (session_id) WHERE session_id IS NOT NULL",
        "ALTER INDEX submissions_session_id_idx ATTACH PARTITION mine",
    )

    findings = check(installed_db, "indexes")

    assert {finding.object for finding in findings} == {"index submissions.submissions_session_id_idx"}
    carry_out(installed_db, findings)
    installed_db.apply()
    assert check(installed_db, "indexes") == []


@on_reference
def test_a_course_path_that_leads_elsewhere_is_found(installed_db: PlatformDatabase) -> None:
    """exercise_id refers to another table now, and that one has a course, too."""
    execute(
        installed_db,
        "CREATE TABLE tasks (id uuid PRIMARY KEY, course_id uuid REFERENCES courses)",
        "INSERT INTO tasks SELECT id, course_id FROM exercises",
        "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey",
        "ALTER TABLE submissions ADD FOREIGN KEY (exercise_id) REFERENCES tasks",
    )

    assert brief(check(installed_db)) == [("course_path", "error", "exercise_id.course_id")]
    installed_db.apply()
    assert check(installed_db) == []


@pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("hosted", "academy", "quoted")], indirect=True, ids=str
)
def test_a_path_without_a_foreign_key_is_restored_by_the_command_of_the_fix(installed_db: PlatformDatabase) -> None:
    column = installed_db.platform.task_column
    execute(
        installed_db,
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE submissions DROP CONSTRAINT %I', k.conname)"
        " FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)"
        f" WHERE k.conrelid = 'submissions'::regclass AND k.contype = 'f' AND a.attname = '{column}'); END $$",
    )

    (finding,) = [f for f in check(installed_db) if f.level == "error"]

    assert finding.check == "course_path"
    program, *arguments = shlex.split(finding.fixes[0][1])
    assert program == "sessiondb"
    assert run("-d", installed_db.conninfo(installed_db.platform.owner), *arguments).code == 0
    assert check(installed_db, "course_path", "installed_objects") == []


@pytest.mark.parametrize("of_type", ["bigint USING extract(epoch FROM created_at)", "text"])
@on_reference
def test_a_time_of_another_type_is_one_again_after_the_statement_of_the_fix(
    installed_db: PlatformDatabase, of_type: str
) -> None:
    dated = "SELECT id, created_at FROM sessions ORDER BY id"
    platform = installed_db.platform
    with superuser(installed_db) as connection:
        platform.add_session(connection, platform.add_org(connection), platform.add_course(connection))
        connection.execute("UPDATE sessions SET created_at = date_trunc('second', created_at)")
        before = connection.execute(dated).fetchall()
    change = f"ALTER TABLE sessions ALTER created_at DROP DEFAULT, ALTER created_at TYPE {of_type}"
    execute(installed_db, change)

    (finding,) = check(installed_db, "required_columns")

    execute(installed_db, finding.fixes[0][1])
    assert check(installed_db) == []
    with superuser(installed_db) as connection:
        assert connection.execute(dated).fetchall() == before != []


@on_reference
def test_a_shorter_way_that_came_later_is_no_fault(installed_db: PlatformDatabase) -> None:
    execute(installed_db, "ALTER TABLE submissions ADD course_id uuid REFERENCES courses")

    assert check(installed_db) == []


@pytest.mark.parametrize(
    ("platform", "table"),
    [(PLATFORMS["reference"], "submissions"), (PLATFORMS["partitioned"], "submissions_2024")],
    indirect=["platform"],
    ids=str,
)
def test_a_trigger_after_ours_is_an_error_where_it_changes_the_user(installed_db: PlatformDatabase, table: str) -> None:
    execute(
        installed_db,
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN NEW.user_id := NEW.user_id; RETURN NEW; END'",
        f"CREATE TRIGGER zzzz BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fill()",
    )

    findings = check(installed_db)

    assert brief(findings) == [("triggers_last", "error", f"trigger zzzz on {table}")]
    carry_out(installed_db, findings)
    assert check(installed_db) == []


@pytest.mark.parametrize(
    "trigger",
    [
        "aaa BEFORE INSERT ON submissions FOR EACH ROW",
        "zzzz AFTER INSERT ON submissions FOR EACH ROW",
        "zzzz BEFORE DELETE ON submissions FOR EACH ROW",
        "zzzz BEFORE INSERT ON courses FOR EACH ROW",
    ],
)
@on_reference
def test_a_trigger_that_cannot_disturb_ours_is_no_fault(installed_db: PlatformDatabase, trigger: str) -> None:
    execute(
        installed_db,
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        f"CREATE TRIGGER {trigger} EXECUTE FUNCTION quiet()",
    )

    assert check(installed_db) == []


@on_reference
def test_migrations_that_are_pending_are_found(platform_db: PlatformDatabase) -> None:
    """Half of an installation is not sound, even if its objects are as installed by this version."""
    platform_db.apply(to="0006")

    findings = check(platform_db)

    assert any(finding.level == "error" and "pending" in finding.detail for finding in findings)
    assert any("sessiondb apply" in finding.fix for finding in findings)


# what stands in the way of an apply


@dataclass(frozen=True)
class Obstacle:
    """Something about a platform, and what preflight says of it."""

    is_: str
    finds: list[tuple[str, str]]
    """The check and the object of each error."""
    says: str
    fix: str
    course_path: str | None = None


OBSTACLES: dict[str, Obstacle] = {
    "no table": Obstacle(
        "DROP TABLE org_members",
        [("required_columns", "public.org_members")],
        "Table public.org_members does not exist.",
        "--schema",
    ),
    "a view": Obstacle(
        "ALTER TABLE org_members RENAME TO members; CREATE VIEW org_members AS SELECT * FROM members",
        [("required_columns", "public.org_members")],
        "public.org_members is not a table.",
        "--schema",
    ),
    "no column": Obstacle(
        "ALTER TABLE sessions DROP COLUMN created_at",
        [("required_columns", "public.sessions.created_at")],
        "Column created_at of table public.sessions does not exist.",
        "ALTER TABLE public.sessions ADD COLUMN created_at timestamptz DEFAULT now()",
    ),
    "not uuid": Obstacle(
        "ALTER TABLE org_members DROP CONSTRAINT org_members_org_id_fkey, ALTER org_id TYPE text",
        [("required_columns", "public.org_members.org_id")],
        "Column org_id of table public.org_members is of type text, not uuid.",
        "uuid identifiers only",
    ),
    "no order in time": Obstacle(
        "ALTER TABLE sessions ALTER created_at DROP DEFAULT, ALTER created_at TYPE text",
        [("required_columns", "public.sessions.created_at")],
        "Column created_at of table public.sessions is of type text, which is not a date or timestamp.",
        "ALTER COLUMN created_at TYPE timestamptz USING created_at::timestamptz",
    ),
    "status is a number": Obstacle(
        "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check, ALTER status DROP DEFAULT,"
        " ALTER status TYPE integer USING 1",
        [("required_columns", "public.sessions.status")],
        "Column status of table public.sessions is of type integer, not text, varchar or an enum.",
        "ALTER TABLE public.sessions ALTER COLUMN status TYPE text",
    ),
    "status without the label": Obstacle(
        "CREATE TYPE state AS ENUM ('open', 'closed'); ALTER TABLE sessions DROP CONSTRAINT sessions_status_check,"
        " ALTER status DROP DEFAULT, ALTER status TYPE state USING 'open'",
        [("active_status", "public.sessions.status")],
        'has no label "active"',
        "ADD VALUE 'active'",
    ),
    "session_id of another type": Obstacle(
        "ALTER TABLE enrollments ADD session_id text",
        [("required_columns", "public.enrollments.session_id")],
        "Column session_id of table public.enrollments is of type text, not uuid.",
        "ALTER COLUMN session_id TYPE uuid USING",
    ),
    "no key of sessions": Obstacle(
        "ALTER TABLE sessions DROP CONSTRAINT sessions_pkey",
        [("session_key", "public.sessions")],
        "neither the primary key nor unique",
        "ALTER TABLE public.sessions ADD PRIMARY KEY (id)",
    ),
    "a schema of our name": Obstacle(
        "CREATE SCHEMA sessiondb; CREATE TABLE sessiondb.theirs (); CREATE VIEW sessiondb.seen AS SELECT 1",
        [("schema_sessiondb", "sessiondb")],
        "A schema named sessiondb exists and contains something else: seen, theirs.",
        "Rename or drop that schema.",
    ),
    "no way to the course": Obstacle(
        "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey",
        [("course_path", "public.submissions")],
        "No foreign keys lead from submissions to courses",
        "--course-path",
    ),
    "two ways to the course": Obstacle(
        "ALTER TABLE exercises ADD old_course_id uuid REFERENCES courses",
        [("course_path", "public.submissions")],
        "2 paths lead from submissions to courses: exercise_id.course_id, exercise_id.old_course_id.",
        "--course-path exercise_id.course_id",
    ),
    "a way that leads nowhere": Obstacle(
        "",
        [("course_path", "public.submissions")],
        "The course path item_id.course_id leads nowhere",
        "--course-path",
        course_path="item_id.course_id",
    ),
    "a way that ends in a number": Obstacle(
        "ALTER TABLE exercises ADD rank integer",
        [("course_path", "public.submissions")],
        "The course path exercise_id.rank leads nowhere",
        "--course-path",
        course_path="exercise_id.rank",
    ),
    "the name of an index is taken": Obstacle(
        "CREATE INDEX org_members_user_id_org_id_idx ON org_members (role)",
        [("names", "public.org_members_user_id_org_id_idx")],
        "is used by a different object",
        "ALTER INDEX public.org_members_user_id_org_id_idx RENAME TO ",
    ),
    "the name of an index is a table": Obstacle(
        "CREATE TABLE org_members_user_id_org_id_idx ()",
        [("names", "public.org_members_user_id_org_id_idx")],
        "is used by a different object",
        "Give public.org_members_user_id_org_id_idx another name.",
    ),
    "the name of the foreign key is taken": Obstacle(
        "ALTER TABLE enrollments ADD CONSTRAINT enrollments_session_id_fkey CHECK (true)",
        [("names", "enrollments.enrollments_session_id_fkey")],
        "is used by: CHECK (true)",
        "ALTER TABLE public.enrollments RENAME CONSTRAINT enrollments_session_id_fkey TO ",
    ),
    "session_id is something else": Obstacle(
        "CREATE TABLE logins (id uuid PRIMARY KEY); ALTER TABLE submissions ADD session_id uuid,"
        " ADD CONSTRAINT mine FOREIGN KEY (session_id) REFERENCES logins",
        [("names", "submissions.session_id")],
        "refers to public.logins, not to sessions",
        "RENAME COLUMN session_id TO logins_id",
    ),
    "the name of a trigger is taken": Obstacle(
        "CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE UPDATE ON enrollments"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        [("names", "trigger zzz_sessiondb_link_enrollment on enrollments")],
        "has the name of a trigger of sessiondb",
        "ALTER TRIGGER zzz_sessiondb_link_enrollment ON public.enrollments RENAME TO ",
    ),
    "a trigger that writes session_id": Obstacle(
        "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END';"
        "CREATE TRIGGER mine BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION mine()",
        [("other_triggers", "trigger mine on enrollments")],
        "CREATE TRIGGER mine BEFORE INSERT",
        "sessiondb apply --adopt",
    ),
}


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("name", OBSTACLES)
@on_reference
def test_an_obstacle_is_found_before_anything_is_changed(platform_db: PlatformDatabase, name: str) -> None:
    obstacle = OBSTACLES[name]
    execute(platform_db, "CREATE TABLE unrelated ()" if not obstacle.is_ else cascade(obstacle.is_))

    findings = look(platform_db, course_path=obstacle.course_path)

    assert brief(findings) == [(check, "error", object_) for check, object_ in obstacle.finds]
    for finding in findings:
        assert obstacle.says in finding.detail
        assert obstacle.fix in finding.fix
    with pytest.raises(PlatformRefusedError) as refused:
        platform_db.apply(course_path=obstacle.course_path)
    assert refused.value.findings == findings
    assert check(platform_db) == [NOT_INSTALLED]


def cascade(statement: str) -> str:
    """What hangs on a dropped thing goes with it."""
    return re.sub(r"(DROP (TABLE|COLUMN|CONSTRAINT) \w+)", r"\1 CASCADE", statement)


@on_academy
def test_a_role_that_owns_no_table_is_told_whom_to_connect_as_for_each(platform_db: PlatformDatabase) -> None:
    findings = look(platform_db, user=platform_db.platform.student_role)

    assert {finding.check for finding in findings} == {"privileges"}
    assert brief(findings) == sorted(
        ("privileges", "error", f"public.{table}")
        for table in ("enrollments", "org_members", "sessions", "submissions")
    )
    assert all(
        platform_db.platform.student_role in finding.detail for finding in findings if platform_db.platform.student_role
    )
    for finding in findings:
        assert finding.fix == "Connect as academy_owner, or as a member of that role that inherits its privileges."


@on_academy
def test_a_schema_sessiondb_of_another_role_is_found(installed_db: PlatformDatabase) -> None:
    """The owner of the platform's tables is not the role that installed."""
    execute(
        installed_db,
        "ALTER SCHEMA sessiondb OWNER TO CURRENT_USER",
        "GRANT USAGE ON SCHEMA sessiondb TO academy_owner",
    )

    findings = [finding for finding in look(installed_db) if finding.check == "privileges"]

    assert brief(findings) == [("privileges", "error", "sessiondb")]
    assert findings[0].detail.startswith("Schema sessiondb belongs to ")


@on_hosted
def test_a_function_of_another_role_in_our_place_is_found(platform_db: PlatformDatabase) -> None:
    execute(
        platform_db,
        "CREATE FUNCTION get_user_session_for_course(uuid, uuid) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    )

    findings = look(platform_db)

    assert [(finding.check, finding.level) for finding in findings] == [("names", "error")]
    assert "get_user_session_for_course(uuid,uuid) exists and belongs to " in findings[0].detail
    assert "hosted_owner may not replace it" in findings[0].detail


@on_reference
def test_everything_in_the_way_is_found_at_once(platform_db: PlatformDatabase) -> None:
    execute(
        platform_db,
        "ALTER TABLE sessions DROP COLUMN created_at, DROP COLUMN org_id, DROP CONSTRAINT sessions_pkey",
        "DROP TABLE org_members",
        "ALTER TABLE enrollments ADD session_id integer",
        "CREATE SCHEMA sessiondb",
        "CREATE TABLE sessiondb.theirs ()",
    )

    assert brief(look(platform_db)) == [
        ("required_columns", "error", "public.enrollments.session_id"),
        ("required_columns", "error", "public.org_members"),
        ("required_columns", "error", "public.sessions.created_at"),
        ("required_columns", "error", "public.sessions.org_id"),
        ("schema_sessiondb", "error", "sessiondb"),
        ("session_key", "error", "public.sessions"),
    ]


@on_reference
def test_a_read_only_default_is_found(platform_db: PlatformDatabase) -> None:
    platform_db.cluster.execute("ALTER DATABASE {} SET default_transaction_read_only TO on", platform_db.name)

    assert brief(look(platform_db)) == [("server", "error", "default_transaction_read_only")]


@on_reference
def test_a_transaction_that_is_open_for_long_is_a_warning(platform_db: PlatformDatabase) -> None:
    with platform_db.connect(autocommit=False) as other:
        other.execute("SELECT FROM sessions")
        assert look(platform_db) == []  # not for long yet
        query = resources.query("preflight/open_transactions").replace("interval '1 minute'", "interval '0'")
        with platform_db.database().transaction(read_only=True) as connection:
            pids = [row[2] for row in connection.execute(query.encode()) if row[1] == "warning"]
        assert pids == [f"pid {other.info.backend_pid}"]


@on_reference
def test_a_disk_that_is_too_small_is_found(platform_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    if platform_db.cluster.server is None:
        pytest.skip("the server's disk may be another one")
    execute(platform_db, "ANALYZE")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(total=0, used=0, free=0))

    with pytest.raises(PlatformRefusedError) as refused:
        platform_db.apply()

    assert [(finding.check, finding.level) for finding in refused.value.findings] == [("disk", "error")]
    assert check(platform_db) == [NOT_INSTALLED]


@on_reference
def test_a_warning_lets_apply_go_on(platform_db: PlatformDatabase) -> None:
    """A trigger that fires after ours, but writes nothing that we read."""
    execute(
        platform_db,
        "CREATE TRIGGER zzzz BEFORE INSERT ON submissions"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )

    assert brief(look(platform_db)) == [("triggers_last", "warning", "trigger zzzz on submissions")]
    assert platform_db.apply()


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that may be set and stopped as a test likes, with the reference platform."""
    try:
        find_bindir()
    except ServerNotFound as error:
        pytest.skip(str(error))
    with ephemeral_server(settings={"max_prepared_transactions": "5"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            PLATFORMS["reference"].load(connection)
        yield server


def look_at(server: Server) -> list[Finding]:
    with Database(server.dsn()).transaction(read_only=True) as connection:
        try:
            return preflight.preflight(connection, None)
        except PlatformRefusedError as error:
            return error.findings


def test_a_prepared_transaction_in_the_way_is_found(own_server: Server) -> None:
    for table, finds in {"sessions": ["prepared transaction 'it''s left'"], "courses": []}.items():
        with psycopg.connect(own_server.dsn(), autocommit=True) as connection:
            for statement in ("BEGIN", f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE", "PREPARE TRANSACTION 'it''s left'"):
                connection.execute(statement.encode())

        findings = look_at(own_server)

        assert brief(findings) == [("open_transactions", "error", name) for name in finds]
        with psycopg.connect(own_server.dsn(), autocommit=True) as connection:
            fix = findings[0].fix.rpartition(": ")[2] if findings else "ROLLBACK PREPARED 'it''s left'"
            connection.execute(fix.encode())
        assert look_at(own_server) == []


def test_a_standby_is_found(own_server: Server) -> None:
    """A real one: it follows no primary here, but it recovers for ever and takes no writes."""
    standby = own_server.socket_dir.with_name("data") / "standby.signal"
    own_server.stop()
    standby.touch()
    own_server.start()

    findings = look_at(own_server)

    assert brief(findings) == [("server", "error", "server")]
    assert findings[0].detail == "The server is a standby: it accepts no writes."
    assert "target_session_attrs" in findings[0].fix
    own_server.stop()
    standby.unlink()
    own_server.start()


@on_reference
def test_a_database_that_is_half_applied_is_told_so_and_nothing_else(platform_db: PlatformDatabase) -> None:
    """The functions that the checks of the data call come last."""
    assert run("-d", platform_db.conninfo(), "apply", "--to", "0007").code == 0
    found = run("-d", platform_db.conninfo(), "check")
    errors = [line for line in found.out.splitlines() if line.startswith("error")]
    assert (found.code, len(errors)) == (4, 2), found.out
    assert "and 5 other checks: The check cannot be run: sessiondb is only partly installed." in " ".join(
        found.out.split()
    )


@on_reference
def test_objects_that_are_missing_for_one_reason_are_reported_together(installed_db: PlatformDatabase) -> None:
    execute(installed_db, "DROP FUNCTION sessiondb.shell_name, sessiondb.name_of, sessiondb.find_similar")
    found = run("-d", installed_db.conninfo(), "check", "installed_objects")
    assert found.out.splitlines()[0] == "error    installed_objects: function sessiondb.find_similar and 2 others: The"
    assert found.out.splitlines()[-1] == "Found 1 error."
    assert len(check(installed_db, "installed_objects")) == 3


@on_reference
def test_a_check_that_does_not_finish_is_a_finding_and_the_others_are_run(
    installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any role could create what takes long to look at."""
    composed = findings.composed

    def slow(connection: psycopg.Connection[Any], name: str) -> str:
        query = composed(connection, name)
        return f"SELECT c.* FROM pg_sleep(60), ({query}) AS c" if name == "checks/grants" else query

    monkeypatch.setattr(findings, "composed", slow)
    monkeypatch.setattr(findings, "_CATALOG_SECONDS", 4.0)
    with installed_db.connect() as connection:
        connection.execute("DROP INDEX submissions_session_id_idx")

    with installed_db.database().transaction(read_only=True) as reader:
        found = checks.check(reader, ["grants", "indexes"], 3, lambda line: None)

    assert [(f.check, f.level) for f in found] == [("grants", "error"), ("indexes", "error")]
    assert "did not finish" in found[0].detail
    assert found[0].fix_line.endswith("run: sessiondb check grants")


@on_reference
def test_what_follows_from_a_table_of_another_role_is_not_looked_at(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    """A chain of foreign keys could be endless."""
    with installed_db.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA own AUTHORIZATION {role}; GRANT REFERENCES (id) ON sessions TO {role}; SET ROLE {role};"
                "CREATE TABLE own.t0 (id uuid PRIMARY KEY REFERENCES public.sessions ON DELETE CASCADE);"
                "CREATE TABLE own.t1 (id uuid PRIMARY KEY REFERENCES own.t0 ON DELETE CASCADE)"
            ).format(role=sql.Identifier(new_role))
        )
        connection.execute("RESET ROLE")
        query = trusted(resources.query("queries/changed_tables", "'public'::regnamespace"))
        tables = connection.execute(sql.SQL("SELECT w.relid::regclass::text FROM ({}) AS w").format(sql.SQL(query)))
        assert {name for (name,) in tables if "own" in name} == {"own.t0"}
    found = check(installed_db, "code_of_others")
    assert [f.object for f in found if "foreign key" in f.object] == ["foreign key t0_id_fkey of own.t0"]
