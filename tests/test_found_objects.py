"""A platform where the guide's SQL was run by hand: apply uses what does the job, rollback gives everything back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.rows import scalar_row
from test_cli import MIGRATIONS, column, on, rows

from sessiondb import resources
from sessiondb.database import Choices
from sessiondb.errors import PlatformRefusedError
from sessiondb.migrate import Runner

Dump = Callable[..., str]

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
# partitions, and an owner who is no superuser in a schema of their own
on_three = pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("reference", "partitioned", "school")], indirect=True, ids=str
)


def by_hand(db: PlatformDatabase, *statements: str) -> None:
    """Run statements as the owner of the platform's tables, with its schema on the path."""
    with db.connect() as connection:
        if db.platform.owner:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(db.platform.owner)))
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        for statement in statements:
            connection.execute(statement.encode())


def value(db: PlatformDatabase, query: str) -> object:
    (answer,) = (value for row in rows(db, query) for value in row.values())
    return answer


@dataclass(frozen=True)
class Student:
    """A member of an organisation with two active sessions of a course."""

    user: UUID
    org: UUID
    course: UUID
    newest: UUID


def link_by_hand(db: PlatformDatabase) -> Student:
    """An enrolment and a submission in a session that we would not choose, since there is a newer one."""
    platform = db.platform
    with db.connect() as connection:
        org, course, user = platform.add_org(connection), platform.add_course(connection), platform.add_user(connection)
        platform.add_member(connection, org, user)
        older = platform.add_session(connection, org, course)
        assert platform.enroll(connection, user, course, older) == older
        assert platform.submit(connection, user, course, older) == older
        return Student(user, org, course, platform.add_session(connection, org, course))


def links(db: PlatformDatabase) -> list[str]:
    """Who is linked, and to what."""
    return sorted(
        column(db, "SELECT (user_id, session_id)::text FROM enrollments WHERE session_id IS NOT NULL")
        + column(db, "SELECT (user_id, session_id)::text FROM submissions WHERE session_id IS NOT NULL")
    )


def fellow_enrols(db: PlatformDatabase, student: Student) -> UUID | None:
    """Enrol another member of the same organisation; the session that they are linked to."""
    with db.connect() as connection:
        fellow = db.platform.add_member(connection, student.org, db.platform.add_user(connection))
        return db.platform.enroll(connection, fellow, student.course)


def origins(db: PlatformDatabase, kind: str) -> dict[str, str]:
    """Where the objects of a kind come from, in our own books."""
    found = rows(
        db,
        f"SELECT replace(parent, 'platform', '{db.platform.schema}') || '.' || name AS name, origin FROM sessiondb.objects WHERE kind = '{kind}'",
    )
    return {row["name"]: row["origin"] for row in found}


def checks(db: PlatformDatabase, *names: str) -> list[tuple[str, str]]:
    """Level and detail of what check finds in the catalogs, or by the checks named."""
    run = on(db, "check", *(names or resources.names("checks")), "--format", "json")
    assert run.code in (0, 4), run.err
    return [(finding["level"], finding["detail"]) for finding in run.json["findings"]]


def refusal(db: PlatformDatabase) -> list[tuple[str, str, str, str]]:
    """Check, object, detail and fix of what preflight refuses the platform for."""
    with pytest.raises(PlatformRefusedError) as refused:
        db.apply()
    assert {finding.level for finding in refused.value.findings} == {"error"}
    return [(f.check, f.object, f.detail, f.fix) for f in refused.value.findings]


# Columns, foreign keys, indexes


COLUMNS = (
    "ALTER TABLE enrollments ADD COLUMN session_id uuid",
    "ALTER TABLE submissions ADD COLUMN session_id uuid",
)
# What was done to each of the two tables, {t}, and does our job.
FOUND = {
    "columns": (),
    "a comment, a foreign key, an index of the linked rows": (
        "COMMENT ON COLUMN {t}.session_id IS 'the training session; ask Ada'",
        "ALTER TABLE {t} ADD CONSTRAINT {t}_to_session FOREIGN KEY (session_id) REFERENCES sessions ON DELETE SET NULL",
        "CREATE INDEX {t}_by_session ON {t} (session_id) WHERE (session_id IS NOT NULL)",
    ),
    "a foreign key and an index with our names": (
        "ALTER TABLE {t} ADD FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE SET NULL",
        "CREATE INDEX {t}_session_id_idx ON {t} (session_id)",
    ),
    "an index of more columns": ("CREATE INDEX {t}_by_session ON {t} (session_id, user_id DESC)",),
}


def prepare(db: PlatformDatabase, found: tuple[str, ...]) -> Student:
    """Columns, linked rows, and what else was done by hand to each of the tables."""
    by_hand(db, *COLUMNS)
    student = link_by_hand(db)
    by_hand(db, *(statement.format(t=table) for table in ("enrollments", "submissions") for statement in found))
    return student


def count_of_keys_and_indexes(db: PlatformDatabase, table: str) -> tuple[object, object]:
    """How many foreign keys to sessions the table has, and how many indexes that begin with session_id."""
    return value(
        db,
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"
        f" AND conrelid = '{table}'::regclass AND confrelid = 'sessions'::regclass",
    ), value(
        db,
        "SELECT count(*) FROM pg_index AS i JOIN pg_attribute AS a ON (a.attrelid, a.attnum) = (i.indrelid, i.indkey[0])"
        f" WHERE i.indrelid = '{table}'::regclass AND a.attname = 'session_id'",
    )


@on_three
@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_what_does_the_job_is_used_and_outlives_us(
    platform_db: PlatformDatabase, dump: Dump, found: tuple[str, ...]
) -> None:
    student = prepare(platform_db, found)
    before, linked = dump(platform_db), links(platform_db)

    assert platform_db.apply() == MIGRATIONS

    assert links(platform_db) == linked
    assert fellow_enrols(platform_db, student) == student.newest
    assert origins(platform_db, "column") == {"enrollments.session_id": "found", "submissions.session_id": "found"}
    assert count_of_keys_and_indexes(platform_db, "enrollments") == (1, 1)
    assert count_of_keys_and_indexes(platform_db, "submissions") == (1, 1)
    assert checks(platform_db) == []
    linked = links(platform_db)

    assert platform_db.rollback() == MIGRATIONS[::-1]

    assert links(platform_db) == linked
    assert dump(platform_db) == before


@pytest.mark.parametrize("platform", [PLATFORMS["reference"], PLATFORMS["school"]], indirect=True, ids=str)
@pytest.mark.parametrize("named", ["", "CONSTRAINT to_session"], ids=["our name", "another name"])
def test_a_foreign_key_that_is_not_valid_is_left_as_it_is(
    platform_db: PlatformDatabase, dump: Dump, named: str
) -> None:
    key = f"ALTER TABLE {{t}} ADD {named} FOREIGN KEY (session_id) REFERENCES sessions ON DELETE SET NULL NOT VALID"
    prepare(platform_db, (key,))
    before = dump(platform_db)

    platform_db.apply()

    assert [level for level, _ in checks(platform_db)] == ["warning", "warning"]
    assert all("is not validated" in detail for _, detail in checks(platform_db, "foreign_keys"))
    platform_db.rollback()
    assert dump(platform_db) == before


@on_reference
@pytest.mark.parametrize("named", ["", "CONSTRAINT to_session"], ids=["our name", "another name"])
def test_check_warns_of_a_found_foreign_key_that_keeps_sessions_from_being_deleted(
    platform_db: PlatformDatabase, named: str
) -> None:
    prepare(platform_db, (f"ALTER TABLE {{t}} ADD {named} FOREIGN KEY (session_id) REFERENCES sessions",))
    platform_db.apply()

    found = checks(platform_db)

    assert [level for level, _ in found] == ["warning", "warning"]
    assert all("Deleting a session does not set session_id" in detail for _, detail in found)


@on_reference
def test_of_two_columns_the_one_that_was_found_stays(platform_db: PlatformDatabase, dump: Dump) -> None:
    by_hand(platform_db, COLUMNS[0])
    before = dump(platform_db)

    platform_db.apply()
    link_by_hand(platform_db)
    assert origins(platform_db, "column") == {"enrollments.session_id": "found", "submissions.session_id": "created"}
    linked, enrolled = links(platform_db), column(platform_db, "SELECT session_id FROM enrollments ORDER BY id")
    platform_db.rollback()

    assert column(platform_db, "SELECT session_id FROM enrollments ORDER BY id") == enrolled
    assert dump(platform_db, exclude_sessiondb=True) == before
    platform_db.apply()
    assert links(platform_db) == linked


@on_reference
def test_an_invalid_index_with_our_name_is_built_again_and_is_ours(platform_db: PlatformDatabase, dump: Dump) -> None:
    """It is what a CREATE INDEX CONCURRENTLY by hand left behind; pg_dump does not know it."""
    by_hand(
        platform_db,
        *COLUMNS,
        "CREATE INDEX enrollments_session_id_idx ON enrollments (session_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'enrollments_session_id_idx'::regclass",
    )
    before = dump(platform_db)

    platform_db.apply()

    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'enrollments_session_id_idx'::regclass"
    assert value(platform_db, valid) is True
    platform_db.rollback()
    assert dump(platform_db) == before


# An index of a partitioned table with our name that another session has not finished, so that it is invalid.
SHELL = "CREATE INDEX submissions_session_id_idx ON ONLY submissions (session_id) WHERE session_id IS NOT NULL"
UNFINISHED = {
    "nothing attached": (SHELL,),
    "of another definition": ("CREATE INDEX submissions_session_id_idx ON ONLY submissions (session_id)",),
    "one partition attached": (
        SHELL,
        "CREATE INDEX mine ON submissions_2024 (session_id) WHERE session_id IS NOT NULL",
        "ALTER INDEX submissions_session_id_idx ATTACH PARTITION mine",
    ),
    "an invalid one attached": (
        SHELL,
        "CREATE INDEX mine ON submissions_2024 (session_id) WHERE session_id IS NOT NULL",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'mine'::regclass",
        "ALTER INDEX submissions_session_id_idx ATTACH PARTITION mine",
    ),
}


@pytest.mark.like_cases(one_in=2)
@on_partitioned
@pytest.mark.parametrize("unfinished", UNFINISHED.values(), ids=UNFINISHED)
def test_an_unfinished_index_of_a_partitioned_table_is_refused_until_our_name_is_free(
    platform_db: PlatformDatabase, dump: Dump, unfinished: tuple[str, ...]
) -> None:
    by_hand(platform_db, *COLUMNS, *unfinished)

    ((check, object_, _, fix),) = refusal(platform_db)

    assert (check, object_) == ("names", "public.submissions_session_id_idx")
    by_hand(platform_db, fix[fix.index("ALTER INDEX") :])
    before = dump(platform_db)
    assert platform_db.apply() == MIGRATIONS
    assert checks(platform_db) == []
    platform_db.rollback()
    assert dump(platform_db) == before


@on_partitioned
def test_a_rollback_takes_the_index_of_a_partition_away_that_apply_did_not_come_to_attach(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS)  # which would take their indexes along
    before = dump(platform_db)

    def stop(migration: str, next_: str) -> None:
        if next_.startswith("ALTER INDEX public.submissions_session_id_idx ATTACH"):
            raise InterruptedError(next_)

    with platform_db.database().connect() as connection, pytest.raises(InterruptedError):
        Runner(connection, boundary=stop).apply()
    left = "SELECT indexrelid::regclass FROM pg_index AS i WHERE indrelid = 'submissions_2023'::regclass"
    left += " AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)"
    assert len(column(platform_db, left)) == 1

    platform_db.rollback()

    assert dump(platform_db) == before


# How a column came to be that is of no use to us, what is said of it, and the statement that fixes it.
MISFITS = {
    "text": ("text", "is of type text, not uuid", "ALTER COLUMN session_id TYPE uuid"),
    "integer": ("integer", "is of type integer, not uuid", "RENAME COLUMN session_id TO old_session_id"),
    "not null": ("uuid NOT NULL", "NOT NULL", "ALTER COLUMN session_id DROP NOT NULL"),
    "a default": ("uuid DEFAULT gen_random_uuid()", "default", "ALTER COLUMN session_id DROP DEFAULT"),
    "generated": ("uuid GENERATED ALWAYS AS (user_id) STORED", "generated", "ALTER COLUMN session_id DROP EXPRESSION"),
    "to another table": ("uuid REFERENCES courses", "courses, not to sessions", "RENAME COLUMN session_id TO"),
    "to another column": ("uuid REFERENCES sessions (badge)", "badge", "DROP CONSTRAINT"),
}


@on_reference
@pytest.mark.parametrize(("column_is", "says", "fixes"), MISFITS.values(), ids=MISFITS)
def test_a_column_that_cannot_do_the_job_is_refused_with_the_statement_that_fixes_it(
    platform_db: PlatformDatabase, dump: Dump, column_is: str, says: str, fixes: str
) -> None:
    by_hand(
        platform_db,
        "ALTER TABLE sessions ADD COLUMN badge uuid UNIQUE",
        "DELETE FROM submissions",  # for NOT NULL and foreign keys
        f"ALTER TABLE submissions ADD COLUMN session_id {column_is}",
    )
    before = dump(platform_db)

    found = refusal(platform_db)

    assert all("submissions" in object_ for _, object_, _, _ in found)
    assert any(says in detail for _, _, detail, _ in found)
    assert any(fixes in fix for *_, fix in found)
    assert dump(platform_db) == before


@on_three
def test_a_column_of_text_is_fixed_with_the_links_that_it_holds(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, *COLUMNS)
    link_by_hand(platform_db)
    linked = links(platform_db)
    by_hand(
        platform_db,
        "ALTER TABLE enrollments ALTER COLUMN session_id TYPE text",
        "ALTER TABLE submissions ALTER COLUMN session_id TYPE varchar(36)",
    )

    by_hand(platform_db, *statements_that_mend(platform_db))

    assert links(platform_db) == linked
    assert platform_db.apply() == MIGRATIONS
    assert links(platform_db) == linked


def statements_that_mend(db: PlatformDatabase) -> list[str]:
    """What the findings of a refusal say is to be run."""
    return [found.group() for *_, fix in refusal(db) if (found := re.search(r"ALTER TABLE .*", fix))]


@pytest.mark.like_cases(one_in=3)
@on_reference
@pytest.mark.parametrize(
    "type_",
    [
        "text",
        "text DEFAULT 'none'",
        "varchar(36)",
        "char(36)",
        "integer",
        "bigint",
        "bigint GENERATED ALWAYS AS IDENTITY",
        "uuid[]",
        "jsonb",
        "bytea",
        "text GENERATED ALWAYS AS (content || '') STORED",
        "xid8",
    ],
)
def test_the_statements_that_fix_a_column_of_any_other_type_work(platform_db: PlatformDatabase, type_: str) -> None:
    by_hand(platform_db, "DELETE FROM submissions", f"ALTER TABLE submissions ADD COLUMN session_id {type_}")

    by_hand(platform_db, *statements_that_mend(platform_db))

    assert platform_db.apply("0003") == MIGRATIONS[:3]


@on_three
def test_links_to_sessions_that_are_gone_are_refused_before_the_first_statement(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS, "UPDATE enrollments SET session_id = gen_random_uuid()")
    before = dump(platform_db)

    ((_, object_, _, fix),) = refusal(platform_db)

    assert object_ == "enrollments.session_id"
    assert dump(platform_db) == before
    found = re.search(r"UPDATE .*", fix)
    assert found
    by_hand(platform_db, found.group())
    assert platform_db.apply() == MIGRATIONS


# The function


SIGNATURE = "get_user_session_for_course(uuid, uuid)"


@dataclass(frozen=True)
class Function:
    """A function that the platform has, and what was said about it later."""

    parameters: str = "p_user_id uuid, p_course_id uuid"
    result: str = "uuid"
    options: str = "STABLE"
    body: str = "-- the guide's\n  RETURN (SELECT s.id FROM sessions AS s WHERE s.course_id = $2 LIMIT 1);"
    more: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        create = (
            f"CREATE FUNCTION get_user_session_for_course({self.parameters}) RETURNS {self.result}"
            f" LANGUAGE plpgsql {self.options} AS $$\nBEGIN\n  {self.body}\nEND\n$$"
        )
        return create, *self.more


SAID = (
    f"COMMENT ON FUNCTION {SIGNATURE} IS 'It''s the guide''s; 100% \"own\" work'",
    f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO pg_monitor",
)
FUNCTIONS = {
    "the same parameters": Function(),
    "the same parameters, a comment and grants": Function(more=SAID),
    "other attributes": Function(options="SECURITY DEFINER STRICT PARALLEL SAFE COST 7 SET work_mem TO '8MB'"),
    "other parameter names": Function("a_user uuid, a_course uuid", more=SAID),
    "no parameter names": Function("uuid, uuid"),
    "a default": Function("p_user_id uuid, p_course_id uuid DEFAULT NULL", more=SAID),
    "another result": Function(result="text", more=SAID),
    "a set": Function(result="SETOF uuid", body="RETURN QUERY SELECT s.id FROM sessions AS s;"),
    "an overload beside it": Function(
        more=("CREATE FUNCTION get_user_session_for_course(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",)
    ),
}


def is_replaced_and_put_back(db: PlatformDatabase, dump: Dump, function: Function) -> None:
    by_hand(db, *function.statements)
    before = dump(db)

    db.apply()
    student = link_by_hand(db)

    named = f"p_user_id => '{student.user}', p_course_id => '{student.course}'"
    assert value(db, f"SELECT get_user_session_for_course({named})") == student.newest
    assert origins(db, "function")[f"{db.platform.schema}.get_user_session_for_course"] == "replaced"
    assert checks(db, "installed_objects") == []
    by_hand(db, "DELETE FROM submissions", "DELETE FROM enrollments")  # so that no links are kept

    db.rollback()

    assert dump(db) == before


@pytest.mark.slow
@pytest.mark.like_cases(one_in=3)
@on_reference
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_platform_function_is_replaced_and_put_back(
    platform_db: PlatformDatabase, dump: Dump, function: Function
) -> None:
    is_replaced_and_put_back(platform_db, dump, function)


@on_school
@pytest.mark.parametrize("name", ["the same parameters, a comment and grants", "a default"])
def test_the_function_of_an_owner_who_is_no_superuser_is_replaced_and_put_back(
    platform_db: PlatformDatabase, dump: Dump, name: str
) -> None:
    is_replaced_and_put_back(platform_db, dump, FUNCTIONS[name])


@on_reference
def test_what_depends_on_a_function_that_was_set_aside_goes_on_working(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(
        platform_db,
        *FUNCTIONS["other parameter names"].statements,
        "CREATE VIEW suggestions AS SELECT id, get_user_session_for_course(user_id, course_id) FROM enrollments",
    )
    before, suggested = dump(platform_db), column(platform_db, "SELECT * FROM suggestions ORDER BY id")

    platform_db.apply()

    assert column(platform_db, "SELECT * FROM suggestions ORDER BY id") == suggested
    platform_db.rollback()
    assert dump(platform_db) == before


@on_reference
def test_a_rollback_copes_with_a_function_that_was_dropped_after_it_was_set_aside(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(platform_db, *FUNCTIONS["other parameter names"].statements)
    platform_db.apply()
    by_hand(platform_db, "DROP FUNCTION sessiondb.replaced_get_user_session_for_course")

    assert len(platform_db.rollback()) == len(MIGRATIONS)


@on_school
def test_a_function_with_the_name_of_one_that_is_set_aside_stops_neither_apply_nor_rollback(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(
        platform_db,
        *FUNCTIONS["other parameter names"].statements,
        "CREATE FUNCTION replaced_get_user_session_for_course(uuid, uuid) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    )
    before = dump(platform_db)

    platform_db.apply()
    platform_db.rollback()

    assert dump(platform_db) == before


@on_school
def test_a_function_of_another_owner_is_refused(platform_db: PlatformDatabase, dump: Dump) -> None:
    by_hand(platform_db, *Function().statements)
    with platform_db.connect() as connection:
        connection.execute("ALTER FUNCTION campus.get_user_session_for_course(uuid, uuid) OWNER TO CURRENT_USER")
    before = dump(platform_db)

    ((check, object_, _, fix),) = refusal(platform_db)

    assert (check, object_) == ("names", "campus.get_user_session_for_course(uuid,uuid)")
    assert dump(platform_db) == before
    found = re.search(r"ALTER ROUTINE .*", fix)
    assert found
    with platform_db.connect() as connection:
        connection.execute(found.group().encode())
    assert platform_db.apply() == MIGRATIONS


@on_reference
def test_a_superuser_sets_a_function_of_another_owner_aside_who_could_change_ours(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *Function(more=SAID).statements, f"ALTER FUNCTION {SIGNATURE} OWNER TO pg_database_owner")
    before = dump(platform_db)

    platform_db.apply()

    owner = "SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'get_user_session_for_course'"
    assert value(platform_db, owner + " AND pronamespace = 'public'::regnamespace") == "postgres"
    platform_db.rollback()
    assert dump(platform_db) == before


# Triggers


@dataclass(frozen=True)
class Trigger:
    """A trigger of the platform on enrollments, and what was done to it later; {t} is its name."""

    body: str = "BEGIN NEW.session_id := gen_random_uuid(); RETURN NEW; END"
    when: str = "BEFORE INSERT"
    each: str = "FOR EACH ROW"
    more: tuple[str, ...] = ()

    def statements(self, name: str) -> tuple[str, ...]:
        quoted = '"' + name.replace('"', '""') + '"'
        return (
            f"CREATE FUNCTION {quoted}() RETURNS trigger LANGUAGE plpgsql AS $$ {self.body} $$",
            f"CREATE TRIGGER {quoted} {self.when} ON enrollments {self.each} EXECUTE FUNCTION {quoted}()",
            *(statement.format(t=quoted) for statement in self.more),
        )


AFTER = "AFTER INSERT"
WRITERS = {
    ":=": Trigger(),
    "=": Trigger("BEGIN NEW.session_id = NULL; RETURN NEW; END"),
    "= after a comment": Trigger("BEGIN\n  -- the newest one\n  NEW.session_id = NULL; RETURN NEW; END"),
    "= in THEN": Trigger("BEGIN IF NEW.status = '' THEN /* fill */ NEW.session_id = NULL; END IF; RETURN NEW; END"),
    "= in ELSE": Trigger("BEGIN IF true THEN NULL; ELSE NEW.session_id = NULL; END IF; RETURN NEW; END"),
    "= in a loop": Trigger("BEGIN FOR i IN 1..2 LOOP NEW.session_id = NULL; END LOOP; RETURN NEW; END"),
    "INTO": Trigger("BEGIN SELECT s.id INTO NEW.session_id FROM sessions AS s LIMIT 1; RETURN NEW; END"),
    "INTO STRICT, second": Trigger(
        "BEGIN SELECT 'x', s.id INTO STRICT NEW.status, NEW.session_id FROM sessions AS s LIMIT 1; RETURN NEW; END"
    ),
    "INTO at the end": Trigger("BEGIN SELECT id FROM sessions LIMIT 1 INTO NEW.session_id; RETURN NEW; END"),
    "FETCH INTO": Trigger(
        "DECLARE c CURSOR FOR SELECT id FROM sessions; BEGIN OPEN c; FETCH c INTO NEW.session_id; RETURN NEW; END"
    ),
    "EXECUTE INTO": Trigger("BEGIN EXECUTE 'SELECT gen_random_uuid()' INTO NEW.session_id; RETURN NEW; END"),
    "quoted": Trigger('BEGIN NEW."session_id" := NULL; RETURN NEW; END'),
    "all quoted": Trigger('BEGIN "new"."session_id" := NULL; RETURN NEW; END'),
    "UPPER CASE": Trigger("BEGIN NEW.SESSION_ID := NULL; RETURN NEW; END"),
    "spread out": Trigger("BEGIN NEW . session_id\n    := NULL; RETURN NEW; END"),
    "the whole row": Trigger(
        "BEGIN NEW := jsonb_populate_record(NEW, jsonb_build_object('session_id', NULL)); RETURN NEW; END"
    ),
    "the whole row with =": Trigger(
        "BEGIN NEW = jsonb_populate_record(NEW, jsonb_build_object('status', 'x', 'session_id', NULL)); RETURN NEW; END"
    ),
    "the whole row from elsewhere": Trigger(
        "BEGIN NEW := jsonb_populate_record(NEW, (SELECT to_jsonb(s) FROM sessions AS s LIMIT 1)); RETURN NEW; END"
    ),
    "INTO the whole row": Trigger(
        "BEGIN SELECT (jsonb_populate_record(NEW, to_jsonb(s))).* INTO NEW FROM sessions AS s LIMIT 1; RETURN NEW; END"
    ),
    "EXECUTE INTO the whole row": Trigger("BEGIN EXECUTE 'SELECT ($1).*' INTO STRICT NEW USING NEW; RETURN NEW; END"),
    "another row": Trigger("""BEGIN RETURN jsonb_populate_record(NEW, '{"session_id": null}'); END"""),
    "a copy": Trigger("DECLARE r enrollments; BEGIN r := NEW; r.session_id := NULL; RETURN r; END"),
    "a copy with =": Trigger("DECLARE r enrollments; BEGIN r = NEW; r.session_id = NULL; RETURN r; END"),
    "UPDATE": Trigger("BEGIN UPDATE enrollments SET session_id = NULL WHERE id = NEW.id; RETURN NULL; END", AFTER),
    "UPDATE of several": Trigger(
        "BEGIN UPDATE ONLY public.enrollments AS e SET status = lower('X'), session_id = (SELECT id FROM sessions LIMIT 1)"
        " WHERE e.id = NEW.id; RETURN NULL; END",
        AFTER,
    ),
    "UPDATE of a row": Trigger(
        "BEGIN UPDATE enrollments SET (status, session_id) = ('x', NULL) WHERE id = NEW.id; RETURN NULL; END", AFTER
    ),
    "UPDATE of the other table": Trigger(
        'BEGIN UPDATE public."submissions" s SET session_id = NULL WHERE user_id = NEW.user_id; RETURN NULL; END', AFTER
    ),
    "dynamic UPDATE": Trigger(
        "BEGIN EXECUTE 'UPDATE enrollments SET session_id = NULL WHERE id = $1' USING NEW.id; RETURN NULL; END", AFTER
    ),
}
# Bodies that have to do with session_id and do not write it.
READERS = {
    "copies it to a log": "INSERT INTO seen (id, session_id) VALUES (NEW.id, NEW.session_id);",
    "copies it to a log in another way": "INSERT INTO seen SELECT NEW.id, NEW.session_id;",
    "counts by it": "UPDATE seen SET times = times + 1 WHERE session_id = NEW.session_id;",
    "updates another table": "UPDATE seen SET session_id = NEW.session_id WHERE id = NEW.id;",
    "updates another column": "UPDATE enrollments SET status = 'x' WHERE session_id = NEW.session_id AND false;",
    "joins on it": "UPDATE enrollments AS e SET status = lower('X') FROM seen AS a JOIN sessions AS s ON a.session_id = s.id"
    " WHERE false;",
    "sends it": "PERFORM pg_notify('linked', NEW.session_id::text);",
    "reads by it": "SELECT s.id INTO found FROM sessions AS s WHERE s.id = NEW.session_id;",
    "compares it": "IF NEW.session_id = OLD.session_id THEN RETURN NULL; END IF;",
    "keeps a comparison": "same := NEW.session_id = OLD.session_id;",
    "compares it with a copy's": "same := old.session_id = NEW.session_id; IF NEW.status = '' THEN RETURN old; END IF;",
    "copies it to a variable": "found := NEW.session_id;",
    "writes a column of the whole row": "NEW := jsonb_populate_record(NEW, jsonb_build_object('status', NEW.session_id));",
    "writes a column of the whole row with =": "NEW = json_populate_record(NEW, json_build_object('status', 'x'));",
    "writes a column by its name in JSON": """NEW := jsonb_populate_record(NEW, '{"status": "x"}');""",
    "reads the whole row": "SELECT * INTO NEW FROM jsonb_populate_record(NEW, jsonb_build_object('status', 'x'));",
    "compares the whole row": "IF NEW = OLD THEN RETURN NULL; END IF; same := NEW = OLD;",
    "wrote it once": "-- NEW.session_id := NULL;\n  /* UPDATE enrollments SET session_id = NULL; */",
    "writes a column of a like name": "UPDATE enrollments SET last_session_id = NEW.session_id WHERE false;",
}
FOR_READERS = (
    "ALTER TABLE enrollments ADD COLUMN last_session_id uuid",
    "CREATE TABLE seen (id uuid, session_id uuid, times integer DEFAULT 1)",
)


def readers() -> list[str]:
    return [
        statement
        for name, does in READERS.items()
        for statement in Trigger(
            f"DECLARE found uuid; same boolean; BEGIN\n  {does}\n  RETURN NULL; END", "AFTER INSERT OR UPDATE"
        ).statements(name)
    ]


def adopt(db: PlatformDatabase) -> str:
    """Apply with --adopt; what was reported."""
    said: list[str] = []
    with db.database().connect(Choices(adopt=True)) as connection:
        Runner(connection, report=said.append).apply()
    return "\n".join(said)


def definition(db: PlatformDatabase, trigger: str, table: str = "enrollments") -> str:
    """The trigger as PostgreSQL writes it."""
    with db.connect() as connection, connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute("SET search_path TO pg_catalog")
        found = cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass",
            [trigger, sql.Identifier(db.platform.schema, table).as_string(None)],
        ).fetchone()
    assert isinstance(found, str)
    return found


@on_reference
def test_a_trigger_is_refused_that_writes_session_id_in_whatever_way_and_none_that_only_reads_it(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS, *FOR_READERS, *readers())
    by_hand(platform_db, *(statement for name, trigger in WRITERS.items() for statement in trigger.statements(name)))
    before = dump(platform_db)

    found = refusal(platform_db)

    assert sorted(object_ for _, object_, _, _ in found) == sorted(f"trigger {name} on enrollments" for name in WRITERS)
    for check, object_, detail, fix in found:
        name = object_.removeprefix("trigger ").removesuffix(" on enrollments")
        assert check == "other_triggers"
        assert definition(platform_db, name) in detail
        assert "sessiondb apply --adopt" in fix
    assert dump(platform_db) == before


@pytest.mark.slow
@on_reference
def test_triggers_that_only_read_session_id_outlive_apply_adopt_and_rollback(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS, *FOR_READERS, *readers())
    before, old = dump(platform_db), {name: definition(platform_db, name) for name in READERS}

    said = adopt(platform_db)

    assert "taken over" not in said
    assert {name: definition(platform_db, name) for name in READERS} == old
    student = link_by_hand(platform_db)
    assert fellow_enrols(platform_db, student) == student.newest
    assert checks(platform_db) == []
    platform_db.rollback()
    assert dump(platform_db) == before


# A function for any table, which writes the column that the trigger names.
FILL = "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s RETURN NEW; END $$"
WITH_AN_ARGUMENT = FILL % "NEW := jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], NULL));"


@on_reference
def test_a_trigger_writes_the_column_that_its_arguments_name(platform_db: PlatformDatabase) -> None:
    on_enrollments = "BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION fill"
    by_hand(platform_db, WITH_AN_ARGUMENT, f"CREATE TRIGGER stamp {on_enrollments} ('status')")

    assert platform_db.apply("0003") == MIGRATIONS[:3]

    by_hand(platform_db, f"CREATE TRIGGER link {on_enrollments} ('session_id')")
    assert [object_ for _, object_, _, _ in refusal(platform_db)] == ["trigger link on enrollments"]


# Triggers on single partitions; those of enrollments have the same name.
ON_PARTITIONS = (
    FILL % "NEW.session_id := NULL;",
    "CREATE TRIGGER fill BEFORE INSERT ON enrollments_0 FOR EACH ROW EXECUTE FUNCTION fill()",
    "CREATE TRIGGER fill BEFORE INSERT ON enrollments_1 FOR EACH ROW EXECUTE FUNCTION fill()",
    "ALTER TABLE enrollments_1 DISABLE TRIGGER fill",
    "CREATE TRIGGER fill_2024 BEFORE INSERT ON submissions_2024 FOR EACH ROW EXECUTE FUNCTION fill()",
    "CREATE TRIGGER fill_2025 BEFORE INSERT ON submissions_2025 FOR EACH ROW EXECUTE FUNCTION fill()",
)


@on_partitioned
def test_the_triggers_of_partitions_are_refused_or_taken_over_and_given_back(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS, *ON_PARTITIONS)
    before = dump(platform_db)

    assert [object_ for _, object_, _, _ in refusal(platform_db)] == [
        "trigger fill on enrollments_0",
        "trigger fill on enrollments_1",
        "trigger fill_2024 on submissions_2024",
        "trigger fill_2025 on submissions_2025",
    ]

    said = adopt(platform_db)

    assert said.count("is taken over; a rollback restores it with: CREATE TRIGGER") == 4
    assert checks(platform_db) == []
    student = link_by_hand(platform_db)
    assert fellow_enrols(platform_db, student) == student.newest
    platform_db.rollback()
    assert dump(platform_db) == before


@on_partitioned
def test_the_triggers_of_partitions_of_one_name_in_several_schemas_are_all_given_back(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *COLUMNS, FILL % "NEW.session_id := NULL;")
    for table, where in (("y1.p", "2030"), ("y2.p", "2031"), ("public.p", "2032")):
        by_hand(
            platform_db,
            f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}",
            f"CREATE TABLE {table} PARTITION OF submissions FOR VALUES FROM ('{where}-01-01') TO ('{where}-12-31')",
            f"CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fill()",
        )
    before = dump(platform_db)

    said = adopt(platform_db)

    for table in ("y1.p", "y2.p", "p"):
        assert f"trigger t on {table} is taken over" in said
    assert checks(platform_db) == []
    platform_db.rollback()
    assert dump(platform_db) == before


@on_partitioned
def test_a_trigger_that_is_disabled_on_one_partition_is_given_back_so(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(
        platform_db,
        *COLUMNS,
        FILL % "NEW.session_id := NULL;",
        "CREATE TRIGGER fill BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION fill()",
        "ALTER TABLE submissions ENABLE ALWAYS TRIGGER fill",
        "ALTER TABLE submissions_2024 DISABLE TRIGGER fill",
    )
    states = (
        "SELECT format('%s %s', tgrelid::regclass, tgenabled) AS state FROM pg_trigger WHERE tgname = 'fill' ORDER BY 1"
    )
    before = column(platform_db, states)
    assert "submissions_2024 D" in before

    adopt(platform_db)
    assert column(platform_db, states) == []
    platform_db.rollback()

    assert column(platform_db, states) == before


@on_reference
def test_what_is_given_back_means_what_it_meant_whatever_another_role_has_made_meanwhile(
    new_role: str, platform_db: PlatformDatabase, dump: Dump
) -> None:
    """An enum has no "=" of its own, so that another role's is the closest."""
    compared = (
        "NEW.kind = 'a'",
        "NEW.kind IS DISTINCT FROM 'a'",
        "NULLIF(NEW.kind, 'a') IS NULL",
        "CASE NEW.kind WHEN 'a' THEN true END",
    )
    by_hand(
        platform_db,
        *COLUMNS,
        "CREATE TYPE kind AS ENUM ('a', 'b')",
        "ALTER TABLE enrollments ADD kind kind",
        FILL % "NEW.session_id := NULL;",
        *(
            f"CREATE TRIGGER fill_{n} BEFORE INSERT ON enrollments FOR EACH ROW WHEN ({compares}) EXECUTE FUNCTION fill()"
            for n, compares in enumerate(compared)
        ),
        "CREATE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid LANGUAGE sql STABLE"
        " BEGIN ATOMIC SELECT session_id FROM enrollments WHERE kind = 'a' AND user_id = p_user_id LIMIT 1; END",
    )
    before = dump(platform_db)
    adopt(platform_db)
    with platform_db.connect() as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}".encode())
        connection.execute("CREATE FUNCTION eq(kind, kind) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
        connection.execute("CREATE OPERATOR = (LEFTARG = kind, RIGHTARG = kind, FUNCTION = eq)")

    platform_db.rollback()

    with platform_db.connect() as connection:  # nothing depends on it
        connection.execute("DROP OPERATOR = (kind, kind); DROP FUNCTION eq")
        connection.execute(f"REVOKE CREATE ON SCHEMA public FROM {new_role}".encode())
    assert dump(platform_db) == before


@on_partitioned
def test_the_trigger_of_a_partition_that_is_gone_keeps_no_rollback_from_going_on(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, *COLUMNS, *ON_PARTITIONS)
    adopt(platform_db)
    by_hand(
        platform_db,
        "DROP TABLE submissions_2024",
        "ALTER TABLE submissions DETACH PARTITION submissions_2025",
    )
    said: list[str] = []

    with platform_db.database().connect() as connection:
        Runner(connection, report=said.append).rollback(None)

    assert "  notice: trigger fill_2025 on submissions_2025 is restored" in said
    assert any("fill_2024 is not restored, as table submissions_2024 is gone: CREATE TRIGGER" in line for line in said)
    left = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname ~ '^fill'"
    assert sorted(column(platform_db, left)) == ["enrollments_0", "enrollments_1", "submissions_2025"]


# Every way in which a trigger can be attached; the names want quotes.
SHAPES = {
    "Insert; or update": Trigger(when="BEFORE INSERT OR UPDATE"),
    'of "a" column': Trigger(when="BEFORE UPDATE OF course_id, status"),
    "it's disabled": Trigger(more=("ALTER TABLE enrollments DISABLE TRIGGER {t}",)),
    "always, 100%": Trigger(
        more=(
            "ALTER TABLE enrollments ENABLE ALWAYS TRIGGER {t}",
            "COMMENT ON TRIGGER {t} ON enrollments IS 'it''s the guide''s; 100% own work'",
        )
    ),
    "replica": Trigger(more=("ALTER TABLE enrollments ENABLE REPLICA TRIGGER {t}",)),
    "Condition": Trigger(each="FOR EACH ROW WHEN (NEW.session_id IS NULL AND NEW.status <> 'it''s; over')"),
    "After": WRITERS["UPDATE"],
    "deferred": Trigger(WRITERS["UPDATE"].body, AFTER, "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", ()),
    "for each statement": Trigger(
        "BEGIN UPDATE enrollments AS e SET session_id = NULL FROM added AS a WHERE a.id = e.id; RETURN NULL; END",
        AFTER,
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT",
    ),
}


@on_reference
def test_triggers_are_taken_over_and_given_back_as_they_were(platform_db: PlatformDatabase, dump: Dump) -> None:
    statements = [statement for name, trigger in SHAPES.items() for statement in trigger.statements(name)]
    by_hand(
        platform_db, *COLUMNS, *(s.replace('TRIGGER "deferred"', 'CONSTRAINT TRIGGER "deferred"') for s in statements)
    )
    before, old = dump(platform_db), [definition(platform_db, name) for name in SHAPES]

    said = adopt(platform_db)

    assert [trigger for trigger in old if trigger not in said] == []
    ours = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'enrollments'::regclass"
    assert all(name.startswith("zzz_sessiondb_") for name in column(platform_db, ours))
    student = link_by_hand(platform_db)
    assert fellow_enrols(platform_db, student) == student.newest
    assert checks(platform_db) == []
    platform_db.rollback()
    assert dump(platform_db) == before


GUIDE = (
    *COLUMNS,
    "ALTER TABLE enrollments ADD FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE SET NULL",
    "CREATE INDEX idx_enrollments_session ON enrollments (session_id)",
    *Function(more=SAID).statements,
    "CREATE FUNCTION auto_assign() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF NEW.session_id IS NULL THEN NEW.session_id := get_user_session_for_course(NEW.user_id, NULL); END IF;"
    " RETURN NEW; END $$",
    "CREATE TRIGGER auto_assign_session BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION auto_assign()",
    'CREATE TRIGGER "Assign; it\'s" BEFORE INSERT OR UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION auto_assign()',
    'ALTER TABLE submissions DISABLE TRIGGER "Assign; it\'s"',
    "COMMENT ON TRIGGER auto_assign_session ON enrollments IS 'step 2 of the guide'",
)
ITS_TRIGGERS = (
    "SELECT tgname FROM pg_trigger WHERE tgname IN ('auto_assign_session', 'Assign; it''s') AND tgparentid = 0"
)


def test_a_platform_that_followed_the_guide_is_refused_then_adopted_then_given_back(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *GUIDE)
    link_by_hand(platform_db)
    before, linked = dump(platform_db), links(platform_db)
    old = [
        definition(platform_db, "auto_assign_session"),
        definition(platform_db, "Assign; it's", "submissions"),
    ]

    refused = on(platform_db, "apply")

    assert (refused.code, refused.out) == (5, "")
    assert refused.err.count("sessiondb apply --adopt") == 2
    assert all(trigger in refused.err for trigger in old)
    assert dump(platform_db) == before

    adopted = on(platform_db, "apply", "--adopt")

    assert adopted.code == 0, adopted.err
    assert all(f" is taken over; a rollback restores it with: {trigger}" in adopted.err for trigger in old)
    assert adopted.err.count("--adopt takes it over") == 2
    assert "sessiondb apply --adopt" not in adopted.err
    assert "does not exist, skipping" not in adopted.err
    assert links(platform_db) == linked
    assert column(platform_db, ITS_TRIGGERS) == []
    assert checks(platform_db) == []
    student = link_by_hand(platform_db)
    assert fellow_enrols(platform_db, student) == student.newest
    linked = links(platform_db)

    undone = on(platform_db, "rollback", "--all", "--yes")

    assert undone.code == 0, undone.err
    assert undone.err.count(" is restored") == 2
    assert links(platform_db) == linked
    assert dump(platform_db) == before


@pytest.mark.slow
@on_reference
def test_a_trigger_comes_back_when_ours_go_and_is_not_taken_over_again_unasked(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *GUIDE)
    before = dump(platform_db)
    adopt(platform_db)
    assert column(platform_db, ITS_TRIGGERS) == []

    platform_db.rollback("0006")

    assert len(column(platform_db, ITS_TRIGGERS)) == 2
    assert [check for check, *_ in refusal(platform_db)] == ["other_triggers", "other_triggers"]
    adopt(platform_db)
    assert column(platform_db, ITS_TRIGGERS) == []
    platform_db.rollback()
    assert dump(platform_db) == before


@on_reference
def test_a_trigger_that_is_taken_over_is_not_in_the_way_by_its_name(platform_db: PlatformDatabase) -> None:
    by_hand(platform_db, *GUIDE, "ALTER TRIGGER auto_assign_session ON enrollments RENAME TO zzzz_assign")

    refused, told = on(platform_db, "apply").err, adopt(platform_db)

    assert "Trigger zzzz_assign on enrollments fires after those of sessiondb" in refused
    assert "trigger zzzz_assign on enrollments is taken over" in told
    assert "fires after" not in told


@on_reference
def test_a_trigger_that_is_taken_over_is_printed_even_to_a_role_that_wants_no_notices(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(platform_db, *GUIDE)
    with platform_db.connect() as connection:
        quiet = sql.SQL("ALTER DATABASE {} SET client_min_messages TO 'error'")
        connection.execute(quiet.format(sql.Identifier(platform_db.name)))

    assert "CREATE TRIGGER auto_assign_session" in adopt(platform_db)


@pytest.mark.slow
@on_reference
def test_what_was_taken_over_and_is_made_again_is_told_of_and_taken_over_again(
    platform_db: PlatformDatabase, dump: Dump
) -> None:
    by_hand(platform_db, *GUIDE)
    before = dump(platform_db)
    adopt(platform_db)
    by_hand(platform_db, *_replacing(GUIDE[-5:]))

    status = on(platform_db, "status", "--exit-code")
    found = on(platform_db, "check", *resources.names("checks"), "--format", "json").json["findings"]

    assert status.code == 3
    assert "The trigger was taken over and created again" in " ".join(status.out.split())
    assert "(1 more of this kind)" in " ".join(status.out.split())
    assert "Next: sessiondb apply --adopt" in status.out
    assert [f["fix"] for f in found] == ["Run: sessiondb apply --adopt"] * 2
    by_hand(platform_db, *_replacing(Function().statements))
    assert "1 object changed by hand" in " ".join(on(platform_db, "status").out.split())
    assert on(platform_db, "apply", "--adopt").code == 0
    assert column(platform_db, ITS_TRIGGERS) == []
    assert checks(platform_db) == []
    assert on(platform_db, "status", "--exit-code").code == 0
    platform_db.rollback()
    assert dump(platform_db) == before


def _replacing(statements: tuple[str, ...]) -> list[str]:
    return [text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") for text in statements]


PARTITION = "CREATE TABLE {0} PARTITION OF submissions FOR VALUES FROM ('{1}-01-01') TO ('{1}-12-31')"
ITS_TRIGGER = "CREATE TRIGGER t BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION fill()"
ARCHIVED = (*COLUMNS, FILL % "NEW.session_id := NULL;", "CREATE SCHEMA archive_of_all_the_years_before")
TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 't' ORDER BY 1"


@on_partitioned
def test_the_triggers_of_partitions_whose_long_names_differ_at_the_end_are_all_given_back(
    platform_db: PlatformDatabase,
) -> None:
    by_hand(platform_db, *ARCHIVED)
    for year in (2030, 2031):
        table = f"archive_of_all_the_years_before.submissions_of_the_whole_platform_{year}"
        by_hand(platform_db, PARTITION.format(table, year), ITS_TRIGGER.format(table))
    before = column(platform_db, TRIGGERS)
    adopt(platform_db)

    by_hand(platform_db, ITS_TRIGGER.format(table))

    assert "apply --adopt" in on(platform_db, "check", "other_triggers").out
    adopt(platform_db)
    assert column(platform_db, TRIGGERS) == []
    platform_db.rollback()
    assert column(platform_db, TRIGGERS) == before


@pytest.mark.slow
@on_partitioned
@pytest.mark.parametrize("table", ["archive_of_all_the_years_before.p", "public.p"])
def test_a_trigger_that_0_1_0_took_over_on_a_partition_in_another_schema_is_given_back(
    platform_db: PlatformDatabase, table: str
) -> None:
    """Its record does not have the schema; since then there is a trigger of that name again, or on a table of that name."""
    theirs = "archive_of_all_the_years_before.p"
    by_hand(platform_db, *ARCHIVED, PARTITION.format(theirs, 2030), ITS_TRIGGER.format(theirs))
    expected = {*column(platform_db, TRIGGERS)} if table == "public.p" else set()
    adopt(platform_db)
    by_hand(platform_db, "UPDATE sessiondb.objects SET parent = 'p' WHERE parent ~ '[.]p$'")
    by_hand(platform_db, "UPDATE sessiondb.installation SET version = '0.1.0'")
    if table == "public.p":
        by_hand(platform_db, PARTITION.format(table, 2031))
    by_hand(platform_db, ITS_TRIGGER.format(table).replace("INSERT", "INSERT OR UPDATE"))
    expected |= {*column(platform_db, TRIGGERS)}

    adopt(platform_db)

    assert column(platform_db, TRIGGERS) == []
    platform_db.rollback()
    assert {*column(platform_db, TRIGGERS)} == expected


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_an_index_that_served_under_another_name_is_ours_when_it_gets_ours(platform_db: PlatformDatabase) -> None:
    """As after an archive took the name with it."""
    by_hand(
        platform_db,
        "ALTER TABLE enrollments ADD session_id uuid REFERENCES sessions ON DELETE SET NULL",
        "CREATE INDEX other ON enrollments (session_id)",
    )
    platform_db.apply()
    by_hand(platform_db, "ALTER INDEX other RENAME TO enrollments_session_id_idx")

    platform_db.apply()

    assert checks(platform_db, "installed_objects") == []
