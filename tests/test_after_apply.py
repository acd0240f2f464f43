"""docs/after-apply.md, line by line: what a platform may do after apply, what check reports, and what to run."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from sqltext import ROOT
from test_cli import run
from test_upgrade import Learners, fill

from sessiondb.checks import check
from sessiondb.connection import trusted

PAGE = (ROOT / "docs/after-apply.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| (?!change \|)(.+?) \| (linked|not linked|fail) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
"""What is done, what becomes of new rows, the checks that report it, what to run."""


@dataclass(frozen=True)
class Change:
    """What a platform does.

    Attributes:
        does: the statements.
        repairs: those that the page's last column describes, for people to run before what it names of sessiondb.
        schema: the platform's, afterwards.
    """

    does: str
    repairs: str = ""
    schema: str = "public"


BUILT_AGAIN = """
    ALTER TABLE submissions RENAME TO submissions_old;
    CREATE TABLE submissions (LIKE submissions_old INCLUDING DEFAULTS) PARTITION BY HASH (id);
    CREATE TABLE submissions_0 PARTITION OF submissions FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    ALTER TABLE submissions ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users,
        ADD FOREIGN KEY (exercise_id) REFERENCES exercises;
"""
COPIED = "INSERT INTO submissions SELECT * FROM submissions_old;"

CHANGES = {
    "add, rename or drop a column that": Change(
        "ALTER TABLE submissions ADD note text; ALTER TABLE submissions RENAME content TO answer;"
        "ALTER TABLE enrollments DROP status"
    ),
    "move a table to": Change("CLUSTER submissions USING submissions_pkey"),
    "change the type of `created_at`": Change("ALTER TABLE sessions ALTER created_at TYPE timestamp"),
    "change the type of `sessions.status`": Change(
        "CREATE TYPE state AS ENUM ('draft', 'active'); ALTER TABLE sessions DROP CONSTRAINT sessions_status_check;"
        "ALTER TABLE sessions ALTER status DROP DEFAULT, ALTER status TYPE state USING status::state"
    ),
    "rename the label `active`": Change(
        "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check; UPDATE sessions SET status = 'open';"
        "ALTER TABLE sessions ADD CONSTRAINT known CHECK (status IN ('draft', 'open'))",
        "ALTER TABLE sessions DROP CONSTRAINT known; UPDATE sessions SET status = 'active'",
    ),
    "add a shorter path": Change("ALTER TABLE submissions ADD course_id uuid REFERENCES courses"),
    "drop the foreign key to": Change("ALTER TABLE exercises DROP CONSTRAINT exercises_course_id_fkey"),
    "drop another foreign key": Change("ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey"),
    "rename a column on the path": Change("ALTER TABLE exercises RENAME course_id TO of_course"),
    "rename a table on the path": Change("ALTER TABLE exercises RENAME TO tasks"),
    "rename a column that the rules read": Change(
        "ALTER TABLE sessions RENAME course_id TO of_course", "ALTER TABLE sessions RENAME of_course TO course_id"
    ),
    "rename `session_id`": Change(
        "ALTER TABLE enrollments RENAME session_id TO training_id",
        "ALTER TABLE enrollments RENAME training_id TO session_id",
    ),
    "rename `submissions`": Change(
        "ALTER TABLE submissions RENAME TO handed_in", "ALTER TABLE handed_in RENAME TO submissions"
    ),
    "rename the schema": Change("ALTER SCHEMA public RENAME TO campus", schema="campus"),
    "move the tables": Change(
        "CREATE SCHEMA campus; DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " LOOP EXECUTE format('ALTER TABLE %s SET SCHEMA campus', t); END LOOP; END $$",
        schema="campus",
    ),
    "drop an index": Change("DROP INDEX submissions_session_id_idx"),
    "drop a trigger": Change("DROP TRIGGER zzz_sessiondb_link_submission ON submissions"),
    "drop a table": Change(f"{BUILT_AGAIN} {COPIED} DROP TABLE submissions_old"),
    "do so with `": Change(BUILT_AGAIN + COPIED),
    "do so without": Change(
        f"{BUILT_AGAIN} ALTER TABLE submissions DROP session_id; INSERT INTO submissions (id, user_id, exercise_id)"
        "SELECT id, user_id, exercise_id FROM submissions_old"
    ),
    "add a BEFORE trigger": Change(
        "CREATE FUNCTION claim() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.user_id := NEW.user_id; RETURN NEW; END';"
        "CREATE TRIGGER zzzz_claim BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION claim()",
        "ALTER TRIGGER zzzz_claim ON submissions RENAME TO claim",
    ),
    "enable row level security": Change("ALTER TABLE submissions ENABLE ROW LEVEL SECURITY"),
    "give a table that the rules read": Change("ALTER TABLE campus.sessions OWNER TO {}"),
    "publish all tables": Change("CREATE PUBLICATION everything FOR ALL TABLES"),
}
"""By how their lines begin."""

REFUSED = {
    "the schema does not exist": 'schema "public" does not exist',
    "they are no longer in the old one": 'table enrollments is no longer in schema "public", but in "campus"',
}
"""What check cannot do, as the page and as the command says it."""


def test_each_line_of_the_page_is_one_of_these_changes() -> None:
    assert len(LINES) == len(re.findall(r"^\|", PAGE, re.MULTILINE)) - 2
    assert [key for line in LINES for key in CHANGES if line[0].startswith(key)] == [*CHANGES]


def written(db: PlatformDatabase, schema: str, learners: Learners, task: object) -> str:
    """What becomes of the rows of a student who enrols and submits."""
    platform = db.platform
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        ((user,),) = connection.execute(
            "INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.org') RETURNING id"
        ).fetchall()
        connection.execute("INSERT INTO org_members (org_id, user_id) VALUES (%s, %s)", [learners.org, user])
        found = set()
        for table, column, value in (
            ("enrollments", "course_id", learners.course),
            ("submissions", platform.task_column, task),
        ):
            try:
                ((linked,),) = connection.execute(
                    f"INSERT INTO {table} AS t (user_id, {column}) VALUES (%s, %s)"
                    " RETURNING to_jsonb(t) ->> 'session_id'",
                    [user, value],
                ).fetchall()
            except psycopg.Error:
                return "fail"
            found.add(linked)
    assert found <= {str(learners.session), None}
    return "not linked" if None in found else "linked"


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
@pytest.mark.like_cases
@pytest.mark.parametrize("line", [line for line in LINES if not line[0].startswith("give ")], ids=lambda line: line[0])
def test_the_line_says_what_happens_and_what_to_run(installed_db: PlatformDatabase, line: tuple[str, ...]) -> None:
    what, rows, checks, to_run = line
    change = next(change for key, change in CHANGES.items() if what.startswith(key))
    learners = fill(installed_db)
    dsn = ("-d", installed_db.conninfo())
    with installed_db.connect() as connection:
        task = installed_db.platform.new_task(connection, learners.course)
        query = "SELECT id, session_id FROM {}.submissions WHERE session_id IS NOT NULL"
        linked = connection.execute(query.format("public").encode()).fetchall()
        connection.execute(change.does.encode())

    assert written(installed_db, change.schema, learners, task) == rows
    checked = run(*dsn, "check", "--format", "json")
    if checks in REFUSED:
        assert (checked.code, REFUSED[checks] in checked.err.replace("\\", "")) == (1, True), checked
    else:
        # what a check of the data says is that it cannot be run meanwhile
        unfit = {f["check"] for f in checked.json["findings"] if f["object"] == f["check"]}
        found = {f["check"] for f in checked.json["findings"] if f["level"] == "error"} - unfit
        assert found == {*re.findall(r"`(\w+)`", checks)}, checked.out

    if change.repairs:
        with installed_db.connect() as connection:
            connection.execute(change.repairs.encode())
    for step in re.findall(r"`((?:sessiondb|ALTER) [^`]+)`", to_run) if not to_run.startswith("nothing") else ():
        shown = [step]
        if step.startswith("sessiondb"):
            path = "".join(re.findall(r"--course-path ([\w.]+)\"", checked.out))
            done = run(*dsn, *step.replace("NEW", change.schema).replace("PATH", path).split()[1:])
            assert done.code == 0, done
            shown = re.findall("^  ([A-Z]+ .*;)$", done.out, re.MULTILINE) if " check " in step else []
        with installed_db.connect() as connection:
            for statement in shown:
                connection.execute(statement.encode())
    assert written(installed_db, change.schema, learners, task) == "linked"
    with installed_db.connect() as connection:
        assert {*linked} <= {*connection.execute(query.format(change.schema).encode()).fetchall()}
    assert run(*dsn, "check").code == 0
    assert run(*dsn, "status", "--exit-code").code == 0
    assert run(*dsn, "rollback", "--all", "--yes").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_links_in_a_table_that_was_kept_are_not_lost_to_a_backfill_before_they_are_copied(
    installed_db: PlatformDatabase,
) -> None:
    learners = fill(installed_db)
    dsn = ("-d", installed_db.conninfo())
    with installed_db.connect() as connection:
        connection.execute("UPDATE sessions SET status = 'completed'")
        installed_db.platform.add_session(connection, learners.org, learners.course)
        connection.execute(CHANGES["do so without"].does.encode())
        connection.execute("ALTER INDEX submissions_session_id_idx RENAME TO old_submissions_session_id_idx")
        assert run(*dsn, "apply").out.splitlines()[-1] == "Next: sessiondb check renamed"
        assert run(*dsn, "backfill").code == 0
        (finding,) = run(*dsn, "--format", "json", "check", "renamed").json["findings"]
        statement = finding["fix"].partition(": ")[2].encode()
        with pytest.raises(psycopg.errors.RaiseException, match="have another session by now"):
            connection.execute(statement)
        connection.execute(
            "UPDATE submissions AS n SET session_id = o.session_id FROM submissions_old AS o WHERE o.id = n.id"
        )
        connection.execute(statement)
    assert run(*dsn, "check", "renamed").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_fix_of_a_column_that_was_renamed_restores_its_name(installed_db: PlatformDatabase) -> None:
    dsn = ("-d", installed_db.conninfo())
    for table, column in (
        *[("sessions", name) for name in ("org_id", "course_id", "status", "created_at")],
        *[("org_members", name) for name in ("user_id", "org_id")],
        *[("enrollments", name) for name in ("user_id", "course_id")],
        ("submissions", "user_id"),
    ):
        with installed_db.connect() as connection:
            connection.execute(f'ALTER TABLE {table} RENAME {column} TO "autre nom"'.encode())
        found = run(*dsn, "check", "--format", "json").json["findings"]
        (fix,) = (
            f["fix"] for f in found if (f["check"], f["object"]) == ("required_columns", f"public.{table}.{column}")
        )
        before, _, statement = fix.partition(": ")
        assert before == 'Column "autre nom" may be it. If so, restore its name'
        assert f"\nNext: {fix};\n" in run(*dsn, "status").out
        with installed_db.connect() as connection:
            connection.execute(statement.encode())
    assert run(*dsn, "status", "--exit-code").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_the_line_of_the_owner_says_what_happens_and_what_to_run(new_role: str, installed_db: PlatformDatabase) -> None:
    ((what, rows, checks, _),) = (line for line in LINES if line[0].startswith("give "))
    does = next(change.does for key, change in CHANGES.items() if what.startswith(key))
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        role = sql.Identifier(new_role)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA campus TO {}").format(role))
        connection.execute(sql.SQL(trusted(does)).format(role))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            platform.enroll(connection, user, course)
        assert rows == "fail"
        with installed_db.database().transaction(read_only=True) as reader:
            found = [f for f in check(reader, [], 1, lambda line: None) if f.level == "error" and f.object != f.check]
        assert {f.check for f in found} == {*re.findall(r"`(\w+)`", checks)}
        for finding in found:
            connection.execute(finding.fixes[0][1].encode())
        assert platform.enroll(connection, user, course) == session
    with installed_db.database().transaction(read_only=True) as reader:
        assert not [f for f in check(reader, [], 1, lambda line: None) if f.level == "error"]


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_row_that_moves_to_another_partition_is_checked_as_a_new_one(installed_db: PlatformDatabase) -> None:
    learners = fill(installed_db)
    move = "UPDATE submissions SET submitted_at = {} WHERE session_id = {}"
    with installed_db.connect() as connection:
        connection.execute("DELETE FROM org_members")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(sql.SQL(move).format("2023-06-01", learners.session))
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role TO replica")
            assert connection.execute(sql.SQL(move).format("2023-06-01", learners.session)).rowcount > 0
    with installed_db.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT tableoid::regclass::text FROM submissions WHERE session_id IS NOT NULL"
        )
        assert found.fetchall() == [("submissions_2023",)]


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_statements_that_do_more_than_before_do_what_the_page_says(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    learners = fill(installed_db)
    with installed_db.connect() as connection:
        user = platform.add_member(connection, learners.org, platform.add_user(connection))
        assert platform.enroll(connection, user, learners.course) == learners.session
        newest = platform.add_session(connection, learners.org, learners.course)
        upsert = (
            "INSERT INTO enrollments (user_id, course_id) VALUES (%s, %s)"
            " ON CONFLICT (user_id, course_id) DO UPDATE SET status = 'again'{} RETURNING session_id"
        )
        for more, session in (("", learners.session), (", session_id = EXCLUDED.session_id", newest)):
            found = connection.execute(upsert.format(more).encode(), [user, learners.course]).fetchall()
            assert found == [(session,)]
        connection.execute("TRUNCATE sessions CASCADE")
        assert connection.execute("SELECT FROM enrollments UNION ALL SELECT FROM submissions").fetchall() == []


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_detached_partition_keeps_what_dropping_its_column_removes(installed_db: PlatformDatabase) -> None:
    fill(installed_db)
    ours = """
        SELECT k.conname FROM pg_constraint AS k WHERE k.conrelid = 'submissions_2024'::regclass AND k.confrelid = 'sessions'::regclass
        UNION ALL
        SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
         WHERE i.indrelid = 'submissions_2024'::regclass AND pg_get_indexdef(i.indexrelid) LIKE '%session_id%'
    """
    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_2024")
    installed_db.rollback()
    with installed_db.connect() as connection:
        assert connection.execute(ours).rowcount == 2
        connection.execute("ALTER TABLE submissions_2024 DROP COLUMN session_id")
        assert connection.execute(ours).rowcount == 0
