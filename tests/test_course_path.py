"""The way from a submission to its course: found, chosen, refused, and followed by what links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.types.json import Jsonb
from test_cli import on
from test_rules import World

from sessiondb.database import Choices
from sessiondb.errors import PlatformRefusedError, UsageError
from sessiondb.preflight import preflight

Dump = Callable[..., str]

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)

LESSONS = """
    CREATE TABLE lessons (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), course_id uuid REFERENCES courses);
    ALTER TABLE submissions ADD COLUMN lesson_id uuid REFERENCES lessons
    """
"""A second way, as short as the first."""


def change(db: PlatformDatabase, statements: str) -> None:
    """Change the platform before apply, as the superuser with its schema on the path."""
    with db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(db.platform.schema)))
        connection.execute(statements.encode())


def stored_path(db: PlatformDatabase) -> str | None:
    with db.connect() as connection:
        row = connection.execute("SELECT course_path FROM sessiondb.installation").fetchone()
    assert row is not None
    path: str | None = row[0]
    return path


def refusal(db: PlatformDatabase, course_path: str | None = None) -> str:
    """What apply says when it refuses the platform."""
    with pytest.raises(PlatformRefusedError) as refused:
        db.apply(course_path=course_path)
    (finding,) = refused.value.findings
    assert finding.check == "course_path"
    return f"{finding.detail} {finding.fix}"


@dataclass(frozen=True)
class Student:
    """A member of an organisation that has an active session in each of two courses."""

    id: UUID
    courses: list[UUID]
    sessions: list[UUID]

    @classmethod
    def of(cls, db: PlatformDatabase) -> Student:
        courses = [insert(db, "courses", title="A course")[0] for _ in range(2)]
        with db.connect() as connection:
            org = db.platform.add_org(connection)
            id_ = db.platform.add_member(connection, org, db.platform.add_user(connection))
            return cls(id_, courses, [db.platform.add_session(connection, org, course) for course in courses])


def insert(db: PlatformDatabase, table: str, **row: object) -> tuple[UUID, UUID | None]:
    """Insert a row; its id, and its session where it has one."""
    query = sql.SQL("INSERT INTO {} AS t ({}) VALUES ({}) RETURNING id, (to_jsonb(t) ->> 'session_id')::uuid").format(
        sql.Identifier(db.platform.schema, table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )
    with db.connect() as connection:
        (inserted,) = connection.execute(query).fetchall()
    id_, session = inserted
    return id_, session


def column(db: PlatformDatabase, query: str) -> str:
    """The value that a query returns."""
    with db.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


class TestFound:
    def test_on_every_platform(self, installed_db: PlatformDatabase) -> None:
        assert stored_path(installed_db) == installed_db.platform.course_path

    def test_given_as_it_would_be_found_is_the_same(
        self, platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
    ) -> None:
        platform_db.apply(course_path=platform_db.platform.course_path)
        assert dump(platform_db) == dump(installed_db)

    def test_again_after_a_rollback_though_session_id_leads_to_a_course_too(
        self, installed_db: PlatformDatabase
    ) -> None:
        installed_db.rollback(to="0006")
        installed_db.apply()
        assert stored_path(installed_db) == installed_db.platform.course_path

    def test_as_static_sql(self, installed_db: PlatformDatabase) -> None:
        with installed_db.connect() as connection:
            sources = connection.execute(
                "SELECT prosrc FROM pg_proc WHERE pronamespace = 'sessiondb'::regnamespace"
                " AND proname IN ('link_submission', 'check_session')"
            ).fetchall()
        assert len(sources) == 2
        for (source,) in sources:
            code = source.partition("*/")[2]
            assert "course_of" not in code
            # but for a row whose saved link is restored
            assert "EXECUTE" not in code.replace("EXECUTE v_query", "")

    @on_reference
    def test_though_a_longer_way_exists(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            CREATE TABLE modules (id uuid PRIMARY KEY, course_id uuid REFERENCES courses);
            CREATE TABLE items (id uuid PRIMARY KEY, module_id uuid REFERENCES modules);
            ALTER TABLE submissions ADD COLUMN item_id uuid REFERENCES items
            """,
        )
        platform_db.apply()
        assert stored_path(platform_db) == "exercise_id.course_id"

    @on_reference
    def test_with_a_warning_if_its_column_is_empty_in_all_rows(self, platform_db: PlatformDatabase) -> None:
        student = Student.of(platform_db)
        exercise, _ = insert(platform_db, "exercises", title="An exercise", course_id=student.courses[0])
        insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)
        change(platform_db, "ALTER TABLE submissions ADD COLUMN course_id uuid REFERENCES courses; ANALYZE submissions")
        for given in (None, "exercise_id.course_id"):
            with platform_db.database().connect(Choices(given)) as connection:
                found = [f for f in preflight(connection, given) if f.check == "course_path"]
            if given:
                assert found == []
            else:
                (warning,) = found
                assert "column course_id is empty in all rows" in warning.detail
                assert warning.fix.endswith("sessiondb apply --course-path exercise_id.course_id")

    @on_reference
    def test_through_a_table_in_another_schema(self, platform_db: PlatformDatabase) -> None:
        student = Student.of(platform_db)
        exercise, _ = insert(platform_db, "exercises", title="An exercise", course_id=student.courses[0])
        change(platform_db, "CREATE SCHEMA content; ALTER TABLE exercises SET SCHEMA content")
        platform_db.apply()
        assert stored_path(platform_db) == "exercise_id.course_id"
        assert insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)[1] == student.sessions[0]

    @on_reference
    def test_along_all_columns_of_a_foreign_key(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            CREATE TABLE tasks (tenant integer, id uuid, course_id uuid REFERENCES courses, PRIMARY KEY (tenant, id));
            ALTER TABLE submissions DROP COLUMN exercise_id, ADD COLUMN tenant integer, ADD COLUMN task_id uuid,
                ADD FOREIGN KEY (tenant, task_id) REFERENCES tasks (tenant, id)
            """,
        )
        platform_db.apply()
        assert stored_path(platform_db) == "task_id.course_id"
        student, task = Student.of(platform_db), uuid4()
        for tenant in (0, 1):
            insert(platform_db, "tasks", tenant=tenant, id=task, course_id=student.courses[tenant])
        for tenant in (0, 1):
            stored = insert(platform_db, "submissions", user_id=student.id, tenant=tenant, task_id=task)
            assert stored[1] == student.sessions[tenant]
        assert insert(platform_db, "submissions", user_id=student.id, task_id=task)[1] is None

    @on_hosted
    def test_in_spite_of_cycles(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            ALTER TABLE items ADD COLUMN part_of uuid REFERENCES items;
            ALTER TABLE modules ADD COLUMN first_item uuid REFERENCES items;
            ALTER TABLE submissions ADD COLUMN retry_of uuid REFERENCES submissions;
            ALTER TABLE courses ADD COLUMN last_submission uuid REFERENCES submissions
            """,
        )
        platform_db.apply()
        assert stored_path(platform_db) == "item_id.module_id.course_id"

    @on_reference
    def test_not_through_the_user_nor_their_organisations(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            ALTER TABLE exercises DROP CONSTRAINT exercises_course_id_fkey;
            ALTER TABLE users ADD COLUMN favourite uuid REFERENCES courses;
            ALTER TABLE org_members ADD COLUMN course_id uuid REFERENCES courses;
            ALTER TABLE submissions ADD COLUMN org_id uuid,
                ADD FOREIGN KEY (org_id, user_id) REFERENCES org_members (org_id, user_id)
            """,
        )
        assert "No foreign keys lead from submissions to courses" in refusal(platform_db)

    @on_reference
    def test_not_through_a_session_id_that_was_there(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            ALTER TABLE exercises DROP CONSTRAINT exercises_course_id_fkey;
            ALTER TABLE submissions ADD COLUMN session_id uuid REFERENCES sessions ON DELETE SET NULL
            """,
        )
        assert "No foreign keys lead from submissions to courses" in refusal(platform_db)


class TestRefused:
    """Nothing is changed then, and the words say what to do."""

    @pytest.fixture(autouse=True)
    def unchanged(self, platform_db: PlatformDatabase, dump: Dump) -> Iterator[None]:
        yield
        assert "sessiondb" not in dump(platform_db)

    @on_reference
    def test_of_two_ways_equally_short(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, LESSONS)
        said = refusal(platform_db)
        assert "2 paths lead from submissions to courses: exercise_id.course_id, lesson_id.course_id." in said
        assert "--course-path exercise_id.course_id" in said

    @on_reference
    def test_of_two_columns_that_lead_to_one_table(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, 'ALTER TABLE submissions ADD COLUMN "Bonus.Id" uuid REFERENCES exercises')
        assert '2 paths lead from submissions to courses: "Bonus.Id".course_id, exercise_id.course_id.' in refusal(
            platform_db
        )

    @on_reference
    def test_of_two_columns_at_the_end(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, "ALTER TABLE exercises ADD COLUMN next_course_id uuid REFERENCES courses")
        assert "exercise_id.course_id, exercise_id.next_course_id." in refusal(platform_db)

    @on_reference
    def test_of_none(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, "ALTER TABLE exercises DROP CONSTRAINT exercises_course_id_fkey")
        said = refusal(platform_db)
        assert "No foreign keys lead from submissions to courses" in said
        assert "--course-path item_id.items.module_id.modules.course_id" in said

    @on_reference
    @pytest.mark.parametrize(
        "path",
        [
            "nothing",
            "exercise_id.nothing",
            "exercise_id.title",  # no uuid
            "exercise_id.course_id.title",
            "lesson.course_id",
            "content.exercises.course_id",  # text is not to be joined with a uuid
            "exercise_id.nowhere.course_id",
            "user_id.nowhere.course_id",
        ],
    )
    def test_of_one_that_leads_nowhere(self, platform_db: PlatformDatabase, path: str) -> None:
        assert f"The course path {path} leads nowhere" in refusal(platform_db, path)

    @on_reference
    @pytest.mark.parametrize("path", [".", "exercise_id.", ".course_id", "exercise_id..course_id", '"open', "a b", "1"])
    def test_of_one_that_is_no_path(self, platform_db: PlatformDatabase, path: str) -> None:
        with pytest.raises(UsageError) as refused:
            platform_db.apply(course_path=path)
        assert path in str(refused.value)
        assert "exercise_id.course_id" in (refused.value.hint or "")

    @on_reference
    def test_without_a_table_of_courses(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, "DROP TABLE courses CASCADE")
        for path in (None, "exercise_id.course_id"):
            with pytest.raises(PlatformRefusedError, match=r"Table public\.courses does not exist"):
                platform_db.apply(course_path=path)


class TestChosen:
    @on_reference
    @pytest.mark.parametrize("way", [0, 1])
    def test_of_two_it_is_the_one_that_links(self, platform_db: PlatformDatabase, way: int) -> None:
        change(platform_db, LESSONS)
        path = ["exercise_id.course_id", "lesson_id.course_id"][way]
        platform_db.apply(course_path=path)
        assert stored_path(platform_db) == path
        student = Student.of(platform_db)
        exercise, _ = insert(platform_db, "exercises", title="An exercise", course_id=student.courses[0])
        lesson, _ = insert(platform_db, "lessons", course_id=student.courses[1])
        stored = insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise, lesson_id=lesson)
        assert stored[1] == student.sessions[way]

    @on_reference
    def test_it_may_be_the_longer_one(self, platform_db: PlatformDatabase) -> None:
        change(
            platform_db,
            """
            CREATE TABLE modules (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), course_id uuid REFERENCES courses);
            ALTER TABLE exercises ADD COLUMN module_id uuid REFERENCES modules
            """,
        )
        platform_db.apply(course_path="exercise_id.module_id.course_id")
        student = Student.of(platform_db)
        module, _ = insert(platform_db, "modules", course_id=student.courses[1])
        row = {"title": "An exercise", "course_id": student.courses[0], "module_id": module}
        exercise, _ = insert(platform_db, "exercises", **row)
        assert insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)[1] == student.sessions[1]

    @on_hosted
    @pytest.mark.parametrize(
        ("path", "dropped"),
        [
            (
                "item_id.items.module_id.modules.course_id",
                ["submissions_item_id", "items_module_id", "modules_course_id"],
            ),
            ("item_id.items.module_id.modules.course_id", ["submissions_item_id", "items_module_id"]),
            ("item_id.module_id.modules.course_id", ["items_module_id", "modules_course_id"]),
            ("item_id.module_id.course_id", ["modules_course_id"]),
        ],
        ids=lambda value: value if isinstance(value, str) else f"{len(value)} dropped",
    )
    def test_it_may_name_the_tables_that_no_foreign_key_names(
        self, platform_db: PlatformDatabase, path: str, dropped: list[str]
    ) -> None:
        for key in dropped:
            change(platform_db, f"ALTER TABLE {key.split('_')[0]} DROP CONSTRAINT {key}_fkey")
        platform_db.apply(course_path=path)
        assert stored_path(platform_db) == path
        student = Student.of(platform_db)
        module, _ = insert(platform_db, "modules", course_id=student.courses[0], title="A module")
        item, _ = insert(platform_db, "items", module_id=module, kind="quiz")
        answer = Jsonb({})
        assert (
            insert(platform_db, "submissions", user_id=student.id, item_id=item, answer=answer)[1]
            == student.sessions[0]
        )

    @on_reference
    def test_another_one_that_leads_nowhere_is_refused_later(self, installed_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(installed_db)
        with pytest.raises(PlatformRefusedError, match="The course path course_id leads nowhere"):
            installed_db.apply(course_path="course_id")
        assert dump(installed_db) == before

    @on_reference
    @pytest.mark.parametrize("path", ["exercise_id.course_id", '"exercise_id"."course_id"', "Exercise_ID . COURSE_ID"])
    def test_it_may_be_given_again_in_any_spelling(self, installed_db: PlatformDatabase, path: str) -> None:
        assert installed_db.apply(course_path=path) == []

    @on_reference
    def test_it_is_changed_by_an_apply_and_links_stay(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, LESSONS)
        platform_db.apply(course_path="exercise_id.course_id")
        student = Student.of(platform_db)
        exercise, _ = insert(platform_db, "exercises", title="An exercise", course_id=student.courses[0])
        row, linked = insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)
        assert linked == student.sessions[0]
        assert platform_db.apply(course_path="lesson_id.course_id") == []
        assert stored_path(platform_db) == "lesson_id.course_id"
        with platform_db.connect() as connection:
            kept = connection.execute("SELECT session_id FROM submissions WHERE id = %s", [row]).fetchone()
        assert kept == (linked,)
        assert insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)[1] is None

    @on_reference
    def test_it_survives_a_rollback_only_by_being_chosen_again(self, platform_db: PlatformDatabase) -> None:
        change(platform_db, LESSONS)
        platform_db.apply(course_path="lesson_id.course_id")
        platform_db.rollback()
        assert "2 paths lead from submissions to courses" in refusal(platform_db)


@on_reference
def test_a_course_key_may_be_a_domain_over_uuid(platform_db: PlatformDatabase) -> None:
    change(platform_db, "CREATE DOMAIN course_key AS uuid; ALTER TABLE exercises ALTER course_id TYPE course_key")
    assert platform_db.apply()

    assert stored_path(platform_db) == "exercise_id.course_id"
    for command in ("check", "session list", "apply"):
        done = on(platform_db, *command.split())
        assert done.code == 0, done


@pytest.mark.parametrize("type_", ["text", "varchar(200)", "uuid"])
@on_reference
def test_a_foreign_key_to_another_column_of_courses_leads_on_to_the_id_of_that_row(
    platform_db: PlatformDatabase, type_: str
) -> None:
    change(
        platform_db,
        f"""
        ALTER TABLE courses ADD slug {type_} UNIQUE DEFAULT gen_random_uuid();
        ALTER TABLE exercises DROP course_id, ADD course_slug {type_} REFERENCES courses (slug) ON UPDATE CASCADE
        """,
    )
    assert "leads nowhere" in refusal(platform_db, "exercise_id.course_slug")
    platform_db.apply()
    assert stored_path(platform_db) == "exercise_id.course_slug.id"

    student = Student.of(platform_db)
    right, other = student.courses
    with platform_db.connect() as connection:
        connection.execute(
            "INSERT INTO exercises (title, course_slug) SELECT 'An exercise', slug FROM courses WHERE id = %s", [right]
        )
        (exercise,) = connection.execute("SELECT id FROM exercises WHERE course_slug IS NOT NULL").fetchone() or ()
    row, session = insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)
    assert session == student.sessions[0]
    if type_ == "uuid":  # as the id of another course
        change(platform_db, f"UPDATE courses SET slug = '{other}' WHERE id = '{right}'")
        assert insert(platform_db, "submissions", user_id=student.id, exercise_id=exercise)[1] == student.sessions[0]
    change(platform_db, f"UPDATE submissions SET session_id = NULL WHERE id = '{row}'")
    for command in (
        f"explain --submission {row}",
        "backfill",
        f"explain --submission {row}",
        "session list",
        "show submissions",
        f"session create --org {column(platform_db, 'SELECT id FROM orgs LIMIT 1')} --course {right} --title Later",
        "check",
        "apply --course-path exercise_id.course_slug.id",
        "rollback --all --yes",
        "apply",
    ):
        done = on(platform_db, *command.split())
        assert done.code == 0, done
    assert column(platform_db, f"SELECT session_id FROM submissions WHERE id = '{row}'") == str(student.sessions[0])


@on_reference
def test_apply_says_which_path_it_took_and_what_others_there_are(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            "CREATE TABLE lessons (id uuid PRIMARY KEY, course_id uuid REFERENCES courses);"
            "ALTER TABLE exercises ADD COLUMN lesson_id uuid REFERENCES lessons"
        )

    first = " ".join(on(platform_db, "apply").out.split())
    assert "is found by exercise_id.course_id. Other paths lead there, too: exercise_id.lesson_id.course_id. " in first
    chosen = " ".join(on(platform_db, "apply", "--course-path", "exercise_id.lesson_id.course_id").out.split())
    assert "is found by exercise_id.lesson_id.course_id. enrollments: " in chosen


@on_reference
def test_a_temporal_foreign_key_is_no_way_for_a_row_may_refer_to_several_by_it(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as connection:
        if connection.info.server_version < 180000:
            pytest.skip("PostgreSQL has temporal foreign keys since version 18")
    change(
        platform_db,
        """
        CREATE TABLE lessons (id int4range, valid_at daterange, course_id uuid NOT NULL REFERENCES courses, PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
        ALTER TABLE submissions DROP COLUMN exercise_id, ADD lesson_id int4range, ADD during daterange,
            ADD FOREIGN KEY (lesson_id, PERIOD during) REFERENCES lessons (id, PERIOD valid_at)
        """,
    )
    assert "from submissions to courses" in refusal(platform_db)


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
@pytest.mark.parametrize("applied", [True, False])
def test_a_table_with_the_name_of_a_column_of_the_path_is_no_step_of_it(
    new_role: str, platform_db: PlatformDatabase, *, applied: bool
) -> None:
    """Any role that may create tables could lead submissions to courses of its own."""
    if applied:
        platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role}".encode())
        connection.execute("CREATE TABLE module_id (id uuid PRIMARY KEY, course_id uuid)")

    platform_db.apply(course_path=None if applied else "item_id.module_id.course_id")

    with platform_db.connect() as connection:
        ((tables,),) = connection.execute(
            "SELECT array_agg(j ->> 'to') FROM sessiondb.installation, jsonb_array_elements(course_joins) AS j"
        ).fetchall()
    assert tables == ["public.items", "public.modules", "public.courses"]


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_columns_of_a_foreign_key_with_different_collations_are_compared_as_by_the_key(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as connection:
        connection.execute('ALTER TABLE exercises ADD COLUMN code text COLLATE "C" UNIQUE')
        connection.execute("UPDATE exercises SET code = id::text")
        connection.execute(
            'ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey, ADD COLUMN task text COLLATE "POSIX" REFERENCES exercises (code)'
        )
        connection.execute("UPDATE submissions SET task = exercise_id::text")
    platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute("INSERT INTO submissions (user_id, task) SELECT user_id, task FROM submissions LIMIT 1")
    assert on(platform_db, "check").code in (0, 4)
    assert "cannot be run" not in on(platform_db, "check").err + on(platform_db, "check").out
    assert on(platform_db, "backfill").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_row_of_a_table_that_inherits_from_one_on_the_path_is_no_step_of_it_as_a_foreign_key_sees_none(
    platform_db: PlatformDatabase,
) -> None:
    platform_db.apply()
    with platform_db.connect() as connection:
        pieces = "SELECT array_to_string(course_pieces, 'r') FROM sessiondb.installation"
        # or a table that is partitioned later would seem empty
        assert "ONLY" not in str(connection.execute(pieces).fetchall())
        connection.execute("CREATE TABLE quizzes () INHERITS (exercises)")
    assert on(platform_db, "check", "course_path").code == 4
    platform_db.apply()
    with platform_db.connect() as connection:
        world = World(platform_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        task = world.platform.new_task(connection, course)
        connection.execute(
            "INSERT INTO quizzes (id, course_id, title)"
            " SELECT e.id, c.id, 'with its id' FROM ONLY exercises AS e JOIN courses AS c ON c.id <> e.course_id"
        )
        with world.platform.as_student(connection, student):
            assert world.platform.submit(connection, student, course, None, task) == session
        assert world.write("enrollments", student, course) == session
        connection.execute("UPDATE submissions SET session_id = NULL WHERE session_id = %s", [session])
    assert on(platform_db, "backfill").code == 0
    with platform_db.connect() as connection:
        assert World(platform_db.platform, connection).stored("submissions", student) == [session]
    assert on(platform_db, "check").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_columns_with_different_collations_on_a_path_without_a_foreign_key_are_compared_by_that_of_the_key(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as connection:
        connection.execute(
            'CREATE TABLE items (code text COLLATE "C" PRIMARY KEY, course_id uuid NOT NULL REFERENCES courses (id))'
        )
        connection.execute("INSERT INTO items SELECT id::text, course_id FROM exercises")
        connection.execute('ALTER TABLE submissions ADD code text COLLATE "POSIX"')
        connection.execute("UPDATE submissions SET code = exercise_id::text")
    platform_db.apply(course_path="code.items.course_id")
    with platform_db.connect() as connection:
        connection.execute("INSERT INTO submissions (user_id, code) SELECT user_id, code FROM submissions LIMIT 1")
    assert on(platform_db, "backfill").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_a_path_whose_keys_have_become_equal_by_the_time_zone_of_the_client_is_found(
    platform_db: PlatformDatabase,
) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE exercises ADD since timestamptz UNIQUE")
        connection.execute(
            "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey, ADD day timestamptz REFERENCES exercises (since)"
        )
    platform_db.apply()
    assert on(platform_db, "check", "course_path").code == 0
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ALTER day TYPE date")
    found = on(platform_db, "check", "course_path")
    assert (found.code, "depends on a setting of the client" in " ".join(found.out.split())) == (4, True)
