"""A hostile student: whatever they write, their rows are in no session where they do not belong.

They may do more here than a platform allows: read and write the two tables and their partitions, as far as row level
security says that a row is their own, and create anything in the platform's schema.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from conftest import PlatformDatabase
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import PLATFORMS
from psycopg import errors, sql
from test_checks import check
from test_lock_budget import until
from test_properties import PROFILE
from test_rules import World, both_tables, refused, row_values

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
OWN_ROWS: LiteralString = "user_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid"
NOT_HIS = ("another organisation", "another course", "nowhere")


@dataclass(frozen=True)
class Student:
    """A student, their course, its session in their organisation, and sessions of others."""

    world: World
    role: str
    id: UUID
    course: UUID
    session: UUID
    not_his: dict[str, UUID]

    @contextmanager
    def as_student(self) -> Iterator[None]:
        """Be the student in one transaction, which is undone where it fails."""
        with self.world.db.transaction():
            self.world.db.execute(
                "SELECT set_config('role', %s, true), set_config('request.jwt.claim.sub', %s, true)",
                [self.role, str(self.id)],
            )
            yield
            self.world.db.execute("SET LOCAL ROLE NONE")

    def run(self, template: LiteralString, table: str, **given: object) -> None:
        """Run a statement as the student: {table} is a table of the platform, {row} a row, the others are values.

        A row is given as a dict; {columns} are its columns, {row} its values.
        """
        row = given.pop("row", {})
        assert isinstance(row, dict)
        with self.as_student():
            self.world.db.execute(
                sql.SQL(template).format(
                    table=sql.Identifier(self.world.platform.schema, table),
                    schema=sql.Identifier(self.world.platform.schema),
                    columns=sql.SQL(", ").join(map(sql.Identifier, row)),
                    row=sql.SQL(", ").join(map(sql.Literal, row.values())),
                    **{name: sql.Literal(value) for name, value in given.items()},
                )
            )

    def new_row(self, table: str, course: UUID | None = None) -> dict[str, Any]:
        return row_values(self.world, table, self.id, course or self.course)

    def links(self, table: str) -> list[UUID | None]:
        return self.world.stored(table, self.id)


@pytest.fixture
def student(new_role: str, installed_db: PlatformDatabase) -> Iterator[Student]:
    platform = installed_db.platform
    with installed_db.connect() as db:
        role, schema = sql.Identifier(new_role), sql.Identifier(platform.schema)
        db.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, role))
        if platform.student_role:
            db.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(platform.student_role), role))
        for name in tables_and_partitions(db, platform.schema):
            table = sql.Identifier(platform.schema, name)
            db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(table, role))
            db.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))
            db.execute(sql.SQL("CREATE POLICY his_own ON {} USING (" + OWN_ROWS + ")").format(table))
        world = World(platform, db)
        mine, theirs, course = world.org(), world.org(), world.course()
        world.user(theirs)  # another user is a member where the student is not
        not_his = {
            "another organisation": world.session(theirs, course),
            "another course": world.session(mine, world.course()),
            "nowhere": uuid4(),
        }
        yield Student(world, new_role, world.user(mine), course, world.session(mine, course), not_his)


def tables_and_partitions(db: psycopg.Connection[Any], schema: str) -> list[str]:
    query = """
        SELECT c.relname FROM pg_class AS c
         WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND c.relkind IN ('r', 'p')
           AND c.relname ~ '^(enrollments|submissions)'
    """
    return [name for (name,) in db.execute(query, [schema])]


# {row} is a new row with a session of others
INSERTS: dict[str, LiteralString] = {
    "insert": "INSERT INTO {table} ({columns}) VALUES ({row})",
    "insert of a query": "INSERT INTO {table} ({columns}) SELECT {row}",
    "insert that may meet a row": "INSERT INTO {table} ({columns}) VALUES ({row}) ON CONFLICT DO NOTHING",
    "insert within a query": "WITH w AS (INSERT INTO {table} ({columns}) VALUES ({row}) RETURNING *) TABLE w",
    "insert in a block": "DO $do$ BEGIN INSERT INTO {table} ({columns}) VALUES ({row}); END $do$",
    "insert into a view": "CREATE VIEW {schema}.own AS TABLE {table}; INSERT INTO {schema}.own ({columns}) VALUES ({row})",
    "merge": "MERGE INTO {table} AS t USING (SELECT 1) AS v ON false WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({row})",
}
# of a row of the student that is where it belongs
UPDATES: dict[str, LiteralString] = {
    "update": "UPDATE {table} SET session_id = {session}",
    "update of more": "UPDATE {table} SET session_id = {session}, user_id = user_id",
    "update from a query": "UPDATE {table} SET session_id = v.id FROM (SELECT {session} AS id) AS v",
    "update after it was unlinked": "UPDATE {table} SET session_id = NULL; UPDATE {table} SET session_id = {session}",
    "update within a query": "WITH w AS (UPDATE {table} SET session_id = {session} RETURNING *) TABLE w",
    "update of a view": "CREATE VIEW {schema}.own AS TABLE {table}; UPDATE {schema}.own SET session_id = {session}",
    "update of a view of a view": (
        "CREATE VIEW {schema}.own AS TABLE {table}; CREATE TEMPORARY VIEW hers AS SELECT session_id AS s FROM {schema}.own;"
        "UPDATE hers SET s = {session}"
    ),
    "prepared update": "DEALLOCATE ALL; PREPARE own AS UPDATE {table} SET session_id = $1; EXECUTE own ({session})",
    "update of a cursor's row": (
        "DECLARE own CURSOR FOR SELECT FROM {table} FOR UPDATE; MOVE own;"
        "UPDATE {table} SET session_id = {session} WHERE CURRENT OF own"
    ),
    "merge": (
        "MERGE INTO {table} AS t USING (SELECT {session} AS id) AS v ON t.user_id IS NOT NULL"
        " WHEN MATCHED THEN UPDATE SET session_id = v.id"
    ),
}


def skip_without_merge(student: Student, attack: str) -> None:
    if attack == "merge" and student.world.db.info.server_version < 150000:
        pytest.skip("PostgreSQL 14 has no MERGE")


@pytest.mark.parametrize("attack", INSERTS)
@both_tables
def test_a_new_row_with_a_session_of_others_is_refused(student: Student, table: str, attack: str) -> None:
    skip_without_merge(student, attack)
    for session in student.not_his.values():
        row = {**student.new_row(table), "session_id": session}
        with refused(table):
            student.run(INSERTS[attack], table, row=row)
    assert student.links(table) == []


@pytest.mark.parametrize("attack", UPDATES)
@both_tables
def test_a_row_is_not_moved_to_a_session_of_others(student: Student, table: str, attack: str) -> None:
    skip_without_merge(student, attack)
    student.world.write(table, student.id, student.course)
    for session in student.not_his.values():
        with refused(table):
            student.run(UPDATES[attack], table, session=session)
    assert student.links(table) == [student.session]


@both_tables
def test_a_row_is_not_moved_to_a_session_of_others_by_a_trigger_that_writes_what_the_client_sent(
    student: Student, table: str
) -> None:
    """It need not be the statement that sets session_id."""
    world = student.world
    world.write(table, student.id, student.course)
    world.run("ALTER TABLE {} ADD patch jsonb", table)
    for statement in (
        "CREATE FUNCTION {schema}.patched() RETURNS trigger LANGUAGE plpgsql AS 'DECLARE r record;"
        " BEGIN r := jsonb_populate_record(NEW, NEW.patch); RETURN r; END'",
        "CREATE TRIGGER patched BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NEW.patch IS NOT NULL) EXECUTE FUNCTION {schema}.patched()",
    ):
        schema = sql.Identifier(world.platform.schema)
        world.db.execute(sql.SQL(statement).format(schema=schema, table=sql.Identifier(world.platform.schema, table)))
    for session in student.not_his.values():
        with refused(table):
            student.run("UPDATE {table} SET patch = {patch}", table, patch=json.dumps({"session_id": str(session)}))
    assert student.links(table) == [student.session]


@pytest.mark.parametrize("what", NOT_HIS)
def test_an_upsert_with_a_session_of_others_is_refused(student: Student, what: str) -> None:
    student.world.enroll(student.id, student.course)
    upsert: LiteralString = (
        "INSERT INTO {table} ({columns}) VALUES ({row}) ON CONFLICT (user_id, course_id) DO UPDATE SET session_id = "
    )
    row = student.new_row("enrollments")
    with refused("enrollments"):
        student.run(upsert + "{session}", "enrollments", row=row, session=student.not_his[what])
    with refused("enrollments"):
        student.run(upsert + "EXCLUDED.session_id", "enrollments", row={**row, "session_id": student.not_his[what]})
    assert student.links("enrollments") == [student.session]


@pytest.mark.parametrize(
    ("platform", "table"),
    [(PLATFORMS[name], "enrollments") for name in ("reference", "hosted", "school", "academy", "quoted")]
    + [(PLATFORMS[name], "submissions") for name in ("reference", "hosted", "school", "quoted")],
    indirect=["platform"],
    ids=str,
)
def test_a_session_that_was_found_for_the_proposed_row_does_not_fit_the_row_that_is_met(
    student: Student, table: str
) -> None:
    """EXCLUDED carries what our own trigger has found for another course."""
    elsewhere = student.world.course()
    student.world.write(table, student.id, elsewhere)
    met = student.world.run("SELECT id FROM {} WHERE user_id = {}", table, student.id)[0][0]
    row = {**student.new_row(table), "id": met}
    with refused(table):
        student.run(
            "INSERT INTO {table} ({columns}) VALUES ({row}) ON CONFLICT (id) DO UPDATE SET session_id = EXCLUDED.session_id",
            table,
            row=row,
        )
    assert student.links(table) == [None]


@both_tables
def test_copy_of_a_session_of_others_is_refused(student: Student, table: str) -> None:
    """By a role that is not held back by row level security, under which PostgreSQL has no COPY."""
    world = student.world
    for session in student.not_his.values():
        row = {**student.new_row(table), "session_id": session}
        columns = sql.SQL(", ").join(map(sql.Identifier, row))
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(world.platform.schema, table), columns)
        with refused(table), world.db.cursor().copy(copy) as data:
            data.write_row([*row.values()])


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_is_guarded_as_its_table_is(student: Student) -> None:
    world = student.world
    world.enroll(student.id, student.course)
    for month in (2, 5):
        row = {**student.new_row("submissions"), "submitted_at": f"202{month}-01-01"}
        student.run("INSERT INTO {table} ({columns}) VALUES ({row})", "submissions", row=row)
    tried = 0
    for partition in tables_and_partitions(world.db, "public"):
        root = partition.split("_")[0]
        for session in student.not_his.values():
            if not world.run("SELECT user_id FROM {} WHERE user_id = {}", partition, student.id):
                continue
            tried += 1
            with refused(root):
                student.run("UPDATE {table} SET session_id = {session}", partition, session=session)
            with refused(root):
                student.run(  # to another partition
                    "UPDATE {table} SET session_id = {session}, submitted_at = '2024-05-01'"
                    if root == "submissions"
                    else "UPDATE {table} SET session_id = {session}, status = 'x'",
                    partition,
                    session=session,
                )
    assert tried == len(NOT_HIS) * 5  # each table, and a partition of enrollments and two of submissions
    row = {**student.new_row("submissions"), "submitted_at": "2024-05-01"}
    for session in student.not_his.values():
        with refused("submissions"):
            student.run(
                "INSERT INTO {table} ({columns}) VALUES ({row})", "submissions_2024", row={**row, "session_id": session}
            )


@both_tables
def test_a_function_that_makes_the_guides_one_ambiguous_holds_up_no_row(student: Student, table: str) -> None:
    """Created by any role that may create in the platform's schema; the triggers ask one of their own."""
    student.run(
        "CREATE FUNCTION {schema}.get_user_session_for_course(uuid, uuid, integer DEFAULT 1) RETURNS uuid"
        " LANGUAGE sql AS 'SELECT NULL::uuid'",
        table,
    )
    with pytest.raises(errors.AmbiguousFunction):
        student.run("SELECT {schema}.get_user_session_for_course(NULL::uuid, NULL::uuid)", table)
    assert student.world.write(table, student.id, student.course) == student.session


@both_tables
@on_reference
def test_a_session_that_is_made_while_the_statement_runs_does_not_slip_through(student: Student, table: str) -> None:
    """By who may open sessions in another organisation: the foreign key looks when the statement is over."""
    world, session = student.world, uuid4()
    theirs = world.run("SELECT org_id FROM {} WHERE id = {}", "sessions", student.not_his["another organisation"])
    world.db.execute(sql.SQL("GRANT INSERT ON sessions TO {}").format(sql.Identifier(student.role)))
    with refused(table):
        student.run(
            "WITH opened AS (INSERT INTO sessions (id, org_id, course_id, title) VALUES ({session}, {org}, {course}, 'x'))"
            " INSERT INTO {table} ({columns}) VALUES ({row})",
            table,
            session=session,
            org=theirs[0][0],
            course=student.course,
            row={**student.new_row(table), "session_id": session},
        )
    assert student.links(table) == []


@both_tables
def test_staff_who_place_a_member_by_hand_are_not_refused(student: Student, table: str) -> None:
    """Whatever the session's status: before it begins, or once it is over."""
    world = student.world
    world.write(table, student.id, student.course)
    org = world.run("SELECT org_id FROM {} WHERE user_id = {}", "org_members", student.id)[0][0]
    for status in ("draft", "completed", "active"):
        by_hand = world.session(org, student.course, status)
        world.move(table, student.id, by_hand)
        assert world.stored(table, student.id) == [by_hand]


def test_a_row_that_is_given_away_keeps_its_link_and_check_finds_it(
    student: Student, installed_db: PlatformDatabase
) -> None:
    """The session is checked when it is written; what becomes of the row later is the platform's business."""
    world = student.world
    world.enroll(student.id, student.course)
    world.submit(student.id, student.course)
    world.run("UPDATE {} SET course_id = {} WHERE user_id = {}", "enrollments", world.course(), student.id)
    outsider = world.user()
    world.run("UPDATE {} SET user_id = {} WHERE user_id = {}", "submissions", outsider, student.id)

    assert student.links("enrollments") == world.stored("submissions", outsider) == [student.session]
    found = {(finding.check, finding.object) for finding in check(installed_db, *CHECKS)}
    assert found >= {("links_of_other_course", "enrollments"), ("links_without_membership", "submissions")}


CHECKS = ("links_of_other_course", "links_without_membership")


# any history of statements

tables = st.sampled_from(["enrollments", "submissions"])
courses = st.sampled_from(["own course", "another course", "a third course"])
sessions = st.sampled_from(
    ["own", "of another course", "of another organisation", "of the third course", None, "left out"]
)
STEPS = st.one_of(
    st.tuples(st.just("insert"), tables, courses, sessions),
    st.tuples(st.just("upsert"), tables, courses, sessions),
    st.tuples(st.just("link"), tables, sessions),
    st.tuples(st.just("give"), tables, st.booleans()),
    st.tuples(st.just("take a course"), courses),
    st.tuples(st.just("delete"), tables),
)
REFUSALS = (errors.CheckViolation, errors.ForeignKeyViolation, errors.InsufficientPrivilege, errors.UniqueViolation)
BEGINNING = [(False, ("delete", "submissions")), (False, ("upsert", "enrollments", "own course", "left out"))]
END = [
    (False, ("upsert", "enrollments", "own course", "of another organisation")),
    (False, ("upsert", "enrollments", "own course", "left out")),
    (False, ("link", "enrollments", "of another organisation")),
    (False, ("give", "enrollments", False)),
]


def test_no_history_of_a_student_ends_in_a_session_of_another_organisation(student: Student) -> None:
    """Rows may go from course to course, and the student may have an accomplice who is in no organisation."""
    world, db = student.world, student.world.db
    accomplice = replace(student, id=world.user())
    third = world.course()
    theirs = world.run("SELECT org_id FROM {} WHERE id = {}", "sessions", student.not_his["another organisation"])
    others = world.run("SELECT course_id FROM {} WHERE id = {}", "sessions", student.not_his["another course"])
    course_named = {"own course": student.course, "another course": others[0][0], "a third course": third}
    session_named = {
        "own": student.session,
        "of another course": student.not_his["another course"],
        "of another organisation": student.not_his["another organisation"],
        "of the third course": world.session(theirs[0][0], third),
        None: None,
    }
    rows = {
        (who.id, table, name): who.new_row(table, course)
        for who in (student, accomplice)
        for table in ("enrollments", "submissions")
        for name, course in course_named.items()
    }
    outcomes = set()

    def do(who: Student, verb: str, *names: Any) -> None:
        table = names[0]
        if verb in ("insert", "upsert"):
            row = {**rows[who.id, table, names[1]]}
            if names[2] != "left out":
                row["session_id"] = session_named[names[2]]
            arbiter = "(user_id, course_id)" if table == "enrollments" else ""
            clause = f"ON CONFLICT {arbiter} DO " + (
                "UPDATE SET session_id = EXCLUDED.session_id" if arbiter else "NOTHING"
            )
            who.run(
                "INSERT INTO {table} ({columns}) VALUES ({row}) " + (clause if verb == "upsert" else ""), table, row=row
            )
        elif verb == "link":
            who.run("UPDATE {table} SET session_id = {session}", table, session=session_named.get(names[1]))
        elif verb == "give":
            other = accomplice if who is student else student
            who.run(
                "UPDATE {table} SET user_id = {user}" + (", session_id = {session}" if names[1] else ""),
                table,
                user=other.id,
                session=student.session,
            )
        elif verb == "take a course":
            who.run("UPDATE {table} SET course_id = {course}", "enrollments", course=course_named[table])
        else:
            who.run("DELETE FROM {table}", table)

    @settings(PROFILE, max_examples=25)
    @given(st.lists(st.tuples(st.booleans(), STEPS), max_size=12))
    def play(history: list[tuple[bool, tuple[Any, ...]]]) -> None:
        with db.transaction(force_rollback=True):
            for by_accomplice, (verb, *names) in [*BEGINNING, *history, *END]:
                try:
                    do(accomplice if by_accomplice else student, verb, *names)
                    outcomes.add((verb, "done"))
                except REFUSALS as error:
                    outcomes.add((verb, type(error).__name__))
                for table in ("enrollments", "submissions"):
                    astray = world.run(
                        "SELECT r.* FROM {} AS r WHERE r.session_id = ANY ({}) AND r.user_id = ANY ({})",
                        table,
                        [session_named["of another organisation"], session_named["of the third course"]],
                        [student.id, accomplice.id],
                    )
                    assert astray == []
                    assert not [link for link in accomplice.links(table) if link]

    play()
    assert {("upsert", "done"), ("link", "CheckViolation")} <= outcomes
    # a row that moves to the partition of another user is checked there before their policy is
    assert {("give", "InsufficientPrivilege"), ("give", "CheckViolation")} & outcomes


# what SECURITY.md promises

PROMISE = re.compile(r"^\| [^|]+ \| (?:`test_\w+\.py::[\w:]+`(?:, )?)+ \|$", re.MULTILINE)
HERE = Path(__file__).parent


def test_every_promise_names_a_test_that_is_there() -> None:
    text = (HERE.parent / "SECURITY.md").read_text(encoding="utf-8")
    section = text.split("## What is promised")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    promises = PROMISE.findall(section)

    assert len(rows) == len(promises) > 20
    for file, name in re.findall(r"`(test_\w+\.py)::([\w:]+)`", section):
        *classes, function = name.split("::")
        scope: list[ast.stmt] = ast.parse((HERE / file).read_text(encoding="utf-8")).body
        for class_ in classes:
            (found,) = (node for node in scope if isinstance(node, ast.ClassDef) and node.name == class_)
            scope = found.body
        assert function in {node.name for node in scope if isinstance(node, ast.FunctionDef)}, name


def test_the_security_page_is_one_page() -> None:
    assert len((HERE.parent / "SECURITY.md").read_text(encoding="utf-8").splitlines()) <= 130


@both_tables
def test_a_session_that_a_row_is_given_is_not_replaced_by_one_of_the_same_id_meanwhile(
    student: Student, installed_db: PlatformDatabase, table: str
) -> None:
    """The foreign key is checked at the end of the statement, and the session must be the same then."""
    row = {**student.new_row(table), "session_id": student.session}
    slow: LiteralString = "WITH new AS (INSERT INTO {table} ({columns}) VALUES ({row}) RETURNING id) SELECT pg_advisory_xact_lock(42) FROM new"
    with installed_db.connect() as admin, ThreadPoolExecutor(1) as pool:
        admin.execute("SELECT pg_advisory_lock(42); SET lock_timeout TO '50ms'")
        running = pool.submit(student.run, slow, table, row=row)
        until(lambda: admin.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").rowcount == 1)
        with pytest.raises(errors.LockNotAvailable):
            admin.execute("DELETE FROM sessions WHERE id = %s", [student.session])
        admin.execute("SELECT pg_advisory_unlock(42)")
        running.result(10)
    assert student.links(table) == [student.session]
