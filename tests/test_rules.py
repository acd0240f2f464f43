"""R1-R6 and R8 of the design as facts, on every platform; students write with a student's rights where a platform has such."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from conftest import PlatformDatabase, held
from platforms import PLATFORMS, EnrolledPlatform, Platform
from psycopg import errors, sql
from psycopg.pq import DiagnosticField

from sessiondb import resources
from sessiondb.connection import Connection

EARLY, LATE = (datetime(2024, month, 1, tzinfo=UTC) for month in (2, 9))
LOW, HIGH = UUID(int=1), UUID(int=2**128 - 1)
AllSay = Callable[[UUID, UUID, UUID | None], None]
both_tables = pytest.mark.parametrize("table", ["enrollments", "submissions"])


@dataclass(frozen=True)
class World:
    """A platform with sessiondb, and what people do on it; ``db`` is the superuser's connection."""

    platform: Platform
    db: Connection

    def org(self) -> UUID:
        return self.platform.add_org(self.db)

    def course(self) -> UUID:
        return self.platform.add_course(self.db)

    def user(self, *orgs: UUID, role: str = "student") -> UUID:
        user = self.platform.add_user(self.db)
        for org in orgs:
            self.platform.add_member(self.db, org, user, role)
        return user

    def session(self, org: UUID, course: UUID, status: str = "active", **kwargs: Any) -> UUID:
        return self.platform.add_session(self.db, org, course, status, **kwargs)

    def enroll(self, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        with self.platform.as_student(self.db, user):
            return self.platform.enroll(self.db, user, course, session)

    def submit(self, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        """Submit something new, for which academy wants an enrolment first."""
        task = self.platform.new_task(self.db, course)
        with self.platform.as_student(self.db, user):
            return self.platform.submit(self.db, user, course, session, task)

    def write(self, table: str, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        """Write a row of either table for a user who is not enrolled yet."""
        if table == "enrollments":
            return self.enroll(user, course, session)
        if isinstance(self.platform, EnrolledPlatform):
            self.enroll(user, course)
        return self.submit(user, course, session)

    def find(self, user: UUID | None, course: UUID | None) -> UUID | None:
        """What the guide's function says."""
        query = "SELECT {}(p_user_id => {}, p_course_id => {})"
        found: UUID | None = self.run(query, "get_user_session_for_course", user, course)[0][0]
        return found

    def stored(self, table: str, user: UUID) -> list[UUID | None]:
        """The sessions of the user's rows."""
        rows = self.run("SELECT session_id FROM {} WHERE user_id = {}", table, user)
        return [session for (session,) in rows]

    def move(self, table: str, user: UUID, session: UUID | None) -> None:
        """Place the user's rows in a session by hand."""
        self.run("UPDATE {} SET session_id = {} WHERE user_id = {}", table, session, user)

    def end(self, session: UUID) -> None:
        self.run("UPDATE {} SET status = 'completed' WHERE id = {}", "sessions", session)

    def leave(self, org: UUID, user: UUID) -> None:
        self.run("DELETE FROM {} WHERE org_id = {} AND user_id = {}", "org_members", org, user)

    def run(self, query: LiteralString, name: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL in which the first ``{}`` is an object of the platform and the others are values."""
        object_ = sql.Identifier(self.platform.schema, name)
        cursor = self.db.execute(sql.SQL(query).format(object_, *map(sql.Literal, values)))
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def world(installed_db: PlatformDatabase) -> Iterator[World]:
    with installed_db.connect() as connection:
        yield World(installed_db.platform, connection)


class TestTheSessionOfAUserInACourse:
    """R1 and R2: what get_user_session_for_course() answers, an enrolment and a submission get."""

    @pytest.fixture
    def assert_all_say(self, world: World) -> AllSay:
        def assert_all_say(user: UUID, course: UUID, session: UUID | None) -> None:
            assert world.find(user, course) == session
            assert world.enroll(user, course) == session
            assert world.submit(user, course) == session

        return assert_all_say

    def test_is_the_active_one_of_their_organisation(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        assert_all_say(world.user(org), course, world.session(org, course))

    def test_is_the_newest(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        newest = world.session(org, course, created_at=LATE, id=LOW)
        world.session(org, course, created_at=EARLY, id=HIGH)
        assert_all_say(world.user(org), course, newest)

    def test_is_the_newest_whatever_the_order_of_insertion(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        world.session(org, course, created_at=EARLY)
        newest = world.session(org, course, created_at=LATE)
        assert_all_say(world.user(org), course, newest)

    def test_is_one_without_a_date_last(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        world.session(org, course, created_at=None, id=HIGH)
        dated = world.session(org, course, created_at=EARLY, id=LOW)
        assert_all_say(world.user(org), course, dated)

    def test_is_one_without_a_date_if_there_is_no_other(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        undated = world.session(org, course, created_at=None)
        assert_all_say(world.user(org), course, undated)

    def test_is_of_two_as_new_the_one_with_the_greatest_id(self, world: World, assert_all_say: AllSay) -> None:
        org = world.org()
        for created_at in (EARLY, None):
            for low_first in (True, False):
                course = world.course()
                low, high = ids = sorted((uuid4(), uuid4()))
                for id_ in ids if low_first else (high, low):
                    world.session(org, course, created_at=created_at, id=id_)
                assert_all_say(world.user(org), course, high)

    def test_is_the_newest_of_all_their_organisations(self, world: World, assert_all_say: AllSay) -> None:
        orgs, course = [world.org() for _ in range(3)], world.course()
        dates = (EARLY, LATE, None)
        sessions = [world.session(o, course, created_at=d) for o, d in zip(orgs, dates, strict=True)]
        assert_all_say(world.user(*orgs), course, sessions[1])

    def test_is_of_two_organisations_as_new_the_one_with_the_greatest_id(
        self, world: World, assert_all_say: AllSay
    ) -> None:
        orgs, course = [world.org(), world.org()], world.course()
        for org, id_ in zip(orgs, (HIGH, LOW), strict=True):
            world.session(org, course, created_at=EARLY, id=id_)
        assert_all_say(world.user(*orgs), course, HIGH)

    def test_does_not_depend_on_their_role(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        for role in ("student", "trainer", "admin"):
            assert_all_say(world.user(org, role=role), course, session)

    def test_is_not_one_of_another_organisation(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        world.session(world.org(), course, created_at=LATE)
        mine = world.session(org, course, created_at=EARLY)
        assert_all_say(world.user(org), course, mine)
        assert_all_say(world.user(world.org()), course, None)

    def test_is_not_one_of_another_course(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        world.session(org, world.course())
        assert_all_say(world.user(org), course, None)

    def test_is_not_one_that_is_not_active(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        for status in set(world.platform.statuses) - {"active"}:
            world.session(org, course, status, created_at=LATE)
        assert_all_say(world.user(org), course, None)
        active = world.session(org, course, created_at=EARLY)
        assert_all_say(world.user(org), course, active)

    def test_is_none_for_a_user_in_no_organisation(self, world: World, assert_all_say: AllSay) -> None:
        course = world.course()
        world.session(world.org(), course)
        assert_all_say(world.user(), course, None)

    def test_is_none_for_a_former_member(self, world: World, assert_all_say: AllSay) -> None:
        org, course = world.org(), world.course()
        world.session(org, course)
        user = world.user(org)
        world.leave(org, user)
        assert_all_say(user, course, None)


class TestTheFunction:
    def test_answers_null_to_null(self, world: World) -> None:
        org, course = world.org(), world.course()
        world.session(org, course)
        user = world.user(org)
        assert world.find(None, course) is None
        assert world.find(user, None) is None
        assert world.find(None, None) is None

    def test_is_null_for_an_unknown_user_or_course(self, world: World) -> None:
        assert world.find(uuid4(), uuid4()) is None

    def test_is_exactly_the_one_of_the_guide(self, world: World) -> None:
        (row,) = world.db.execute(
            """
            SELECT p.proargnames, p.proargtypes::regtype[]::text[], p.prorettype::regtype::text, p.proretset,
                   l.lanname, p.provolatile, p.prosecdef, p.pronargdefaults, n.nspname
              FROM pg_proc AS p
              JOIN pg_language AS l ON l.oid = p.prolang
              JOIN pg_namespace AS n ON n.oid = p.pronamespace
             WHERE p.proname = 'get_user_session_for_course'
            """
        ).fetchall()
        names, types = ["p_user_id", "p_course_id"], ["uuid", "uuid"]
        assert row == (names, types, "uuid", False, "plpgsql", "s", False, 0, world.platform.schema)

    def test_shows_no_caller_what_they_may_not_read(self, world: World) -> None:
        if world.platform.student_role is None:
            pytest.skip(f"{world.platform} has no role with less rights than the owner's")
        org, course = world.org(), world.course()
        world.session(org, course)
        user = world.user(org)
        with (
            pytest.raises(errors.InsufficientPrivilege),
            world.platform.as_student(world.db, user),
        ):
            world.find(user, course)

    def test_finds_the_platform_tables_whatever_the_callers_search_path(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.db.execute("CREATE TEMPORARY TABLE sessions (id uuid); CREATE TEMPORARY TABLE org_members ()")
        for path in ("", "pg_temp", "sessiondb, pg_temp"):
            world.db.execute("SELECT set_config('search_path', %s, false)", [path])
            assert world.find(user, course) == session


class TestASubmission:
    """R4: it goes where the student's enrolment in the course is, while they may be there."""

    def test_stays_in_the_session_of_the_enrolment_when_a_newer_one_opens(self, world: World) -> None:
        org, course = world.org(), world.course()
        autumn = world.session(org, course, created_at=EARLY)
        user = world.user(org)
        assert world.enroll(user, course) == autumn
        winter = world.session(org, course, created_at=LATE)
        assert world.submit(user, course) == autumn
        assert world.find(user, course) == winter

    def test_goes_to_the_newest_once_the_enrolments_session_is_over(self, world: World) -> None:
        org, course = world.org(), world.course()
        autumn = world.session(org, course, created_at=LATE)
        user = world.user(org)
        world.enroll(user, course)
        winter = world.session(org, course, created_at=EARLY)
        world.end(autumn)
        assert world.submit(user, course) == winter
        assert world.stored("enrollments", user) == [autumn]

    def test_goes_to_the_newest_once_the_membership_is_gone(self, world: World) -> None:
        here, there, course = world.org(), world.org(), world.course()
        user = world.user(here, there)
        mine = world.session(here, course, created_at=LATE)
        assert world.enroll(user, course) == mine
        other = world.session(there, course, created_at=EARLY)
        world.leave(here, user)
        assert world.submit(user, course) == other

    def test_goes_nowhere_once_no_session_is_left(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.enroll(user, course)
        world.end(session)
        assert world.submit(user, course) is None

    def test_goes_to_the_newest_once_the_enrolments_session_is_of_another_course(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.enroll(user, course)
        world.run("UPDATE {} SET course_id = {} WHERE id = {}", "sessions", world.course(), session)
        assert world.submit(user, course) is None

    def test_goes_to_the_newest_if_the_enrolment_has_no_session(self, world: World) -> None:
        org, course = world.org(), world.course()
        user = world.user(org)
        assert world.enroll(user, course) is None
        session = world.session(org, course)
        assert world.submit(user, course) == session

    def test_goes_to_the_newest_without_any_enrolment(self, world: World) -> None:
        if isinstance(world.platform, EnrolledPlatform):
            pytest.skip(f"{world.platform} takes no submission without an enrolment")
        org, course = world.org(), world.course()
        session = world.session(org, course)
        assert world.submit(world.user(org), course) == session

    def test_does_not_follow_the_enrolment_in_another_course(self, world: World) -> None:
        org, course, other = world.org(), world.course(), world.course()
        user = world.user(org)
        world.session(org, other)
        world.enroll(user, other)
        assert world.write("submissions", user, course) is None

    def test_does_not_follow_the_enrolment_of_another_student(self, world: World) -> None:
        org, course = world.org(), world.course()
        earlier = world.session(org, course, created_at=EARLY)
        assert world.enroll(world.user(org), course) == earlier
        newest = world.session(org, course, created_at=LATE)
        assert world.write("submissions", world.user(org), course) == newest

    def test_stays_in_the_older_session_that_staff_placed_the_enrolment_in(self, world: World) -> None:
        org, course = world.org(), world.course()
        older = world.session(org, course, created_at=EARLY)
        world.session(org, course, created_at=LATE)
        user = world.user(org)
        assert world.enroll(user, course, older) == older
        assert world.submit(user, course) == older

    @pytest.mark.parametrize(
        "renamed",
        [
            *("sessions.org_id", "sessions.course_id", "sessions.status", "org_members.org_id", "org_members.user_id"),
            *("enrollments.course_id", "enrollments.user_id", "the path"),
        ],
    )
    def test_is_not_linked_by_another_column_in_the_place_of_one_that_was_renamed(
        self, world: World, renamed: str
    ) -> None:
        """In a sub-select, PostgreSQL takes a column of that name from outside."""
        org, course = world.org(), world.course()
        user = world.user(org)
        world.enroll(user, course, world.session(org, course))
        task = world.platform.new_task(world.db, course)
        table, _, column = renamed.partition(".")
        if not column:
            query = (
                "SELECT course_joins -> -2 ->> 'to', course_joins -> -1 -> 'columns' ->> 0 FROM sessiondb.installation"
            )
            ((table, column),) = world.db.execute(query).fetchall()
            relation: sql.Composable = sql.SQL(table) if table else sql.Identifier(world.platform.schema, "submissions")
        else:
            relation = sql.Identifier(world.platform.schema, table)
        world.db.execute(sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO gone").format(relation, sql.Identifier(column)))

        with world.platform.as_student(world.db, user), pytest.raises(errors.UndefinedColumn):
            world.platform.submit(world.db, user, course, None, task)


class TestSessionsAreOptional:
    """R5: a row is never refused because there is nothing to link it to."""

    @both_tables
    def test_a_row_without_a_session_is_stored(self, world: World, table: str) -> None:
        user = world.user(world.org())
        assert world.write(table, user, world.course()) is None
        assert world.stored(table, user) == [None]

    @both_tables
    def test_a_row_of_a_user_in_no_organisation_is_stored(self, world: World, table: str) -> None:
        user = world.user()
        assert world.write(table, user, world.course()) is None
        assert world.stored(table, user) == [None]

    def test_a_submission_for_no_course_is_stored(self, world: World) -> None:
        if isinstance(world.platform, EnrolledPlatform):
            pytest.skip(f"{world.platform} takes no submission without a course")
        org = world.org()
        world.session(org, world.course())
        user = world.user(org)
        with world.platform.as_student(world.db, user):
            assert world.platform.submit(world.db, user, None) is None
        assert world.stored("submissions", user) == [None]

    @pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], ids=str)
    def test_a_submission_for_an_item_in_no_module_is_stored(self, world: World) -> None:
        user = world.user(world.org())
        item = world.run("INSERT INTO {} (kind) VALUES ('quiz') RETURNING id", "items")[0][0]
        with world.platform.as_student(world.db, user):
            assert world.platform.submit(world.db, user, None, task=item) is None

    @both_tables
    def test_an_explicit_null_is_as_good_as_nothing(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.enroll(user, course)
        values = row_values(world, table, world.user(org) if table == "enrollments" else user, course)
        insert(world, table, {**values, "session_id": None})
        assert world.stored(table, values["user_id"]) == [session]


class TestASessionThatIsDeletedWhileARowIsWritten:
    """R5, when others delete what there is to link to and commit after the row is written."""

    @both_tables
    def test_gives_way_to_the_next_one(self, installed_db: PlatformDatabase, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        user, next_one = world.user(org), world.session(org, course, created_at=EARLY)
        newest = world.session(org, course, created_at=LATE)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{newest}'"):
            assert world.write(table, user, course) == next_one

    @both_tables
    def test_leaves_the_row_without_one(self, installed_db: PlatformDatabase, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        user, only = world.user(org), world.session(org, course)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{only}'"):
            assert world.write(table, user, course) is None
        assert world.stored(table, user) == [None]

    def test_gives_way_though_it_is_the_one_of_their_enrolment(
        self, installed_db: PlatformDatabase, world: World
    ) -> None:
        org, course = world.org(), world.course()
        user, enrolled = world.user(org), world.session(org, course, created_at=EARLY)
        world.enroll(user, course)
        newer = world.session(org, course, created_at=LATE)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{enrolled}'"):
            assert world.submit(user, course) == newer

    @both_tables
    def test_and_one_that_is_just_changed_blocks_no_session(
        self, installed_db: PlatformDatabase, world: World, table: str
    ) -> None:
        org, course = world.org(), world.course()
        user, session = world.user(org), world.session(org, course)
        world.db.execute("SET lock_timeout TO '100ms'")
        with held(installed_db, 0.5, f"UPDATE sessions SET status = status WHERE id = '{session}'"):
            assert world.write(table, user, course) == session

    @both_tables
    def test_and_one_that_is_not_chosen_blocks_no_session(
        self, installed_db: PlatformDatabase, world: World, table: str
    ) -> None:
        here, there, course = world.org(), world.org(), world.course()
        user, older = world.user(here, there), world.session(there, course, created_at=EARLY)
        newest = world.session(here, course, created_at=LATE)
        world.db.execute("SET lock_timeout TO '100ms'")
        with held(installed_db, 0.5, f"DELETE FROM sessions WHERE id = '{older}'"):
            assert world.write(table, user, course) == newest

    @both_tables
    def test_and_one_that_is_given_to_another_organisation_is_not_chosen(
        self, installed_db: PlatformDatabase, world: World, table: str
    ) -> None:
        here, there, course = world.org(), world.org(), world.course()
        user, older = world.user(here, there), world.session(there, course, created_at=EARLY)
        newest = world.session(here, course, created_at=LATE)
        given = f"UPDATE sessions SET org_id = '{world.org()}' WHERE id = '{newest}'"
        with held(installed_db, 0.3, f"{given}; LOCK TABLE sessions IN EXCLUSIVE MODE"):
            assert world.write(table, user, course) == older

    def test_nor_is_one_of_their_enrolments_that_is_given_to_another_organisation(
        self, installed_db: PlatformDatabase, world: World
    ) -> None:
        org, course = world.org(), world.course()
        user, session = world.user(org), world.session(org, course)
        world.enroll(user, course)
        given = f"UPDATE sessions SET org_id = '{world.org()}' WHERE id = '{session}'"
        with held(installed_db, 0.3, f"{given}; LOCK TABLE sessions IN EXCLUSIVE MODE"):
            found = world.db.execute("SELECT sessiondb.find_enrolled_session(%s, %s)", [user, course])
            assert found.fetchall() == [(None,)]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "verb", ["DELETE FROM {} WHERE id = {}", "UPDATE {} SET status = 'completed' WHERE id = {}"]
    )
    @pytest.mark.parametrize("order", ["newest first", "oldest first"])
    @pytest.mark.parametrize("orgs", [1, 2])
    @both_tables
    def test_one_after_the_other_in_whatever_order(
        self, installed_db: PlatformDatabase, world: World, table: str, orgs: int, order: str, verb: LiteralString
    ) -> None:
        of, course = [world.org() for _ in range(orgs)], world.course()
        users = [world.user(*of) for _ in range(4)]
        sessions = [world.session(of[n % orgs], course, created_at=date) for n, date in enumerate((EARLY, LATE))]
        if order == "newest first":
            sessions.reverse()
        with installed_db.connect() as admin, ThreadPoolExecutor(4) as students:
            admin.execute("SET deadlock_timeout TO '100ms'")
            written = []
            with admin.transaction():
                for session in sessions:
                    World(world.platform, admin).run(verb, "sessions", session)
                    written += [students.submit(write_as, installed_db, table, users.pop(), course) for _ in range(2)]
                    time.sleep(0.3)
        assert {one.result() for one in written} <= {None, *sessions}
        if verb.startswith("DELETE") and order == "newest first":
            assert {one.result() for one in written} == {None}

    @pytest.mark.slow
    @pytest.mark.timeout(60)
    def test_no_write_fails_and_no_session_is_cancelled_for_ten_seconds(self, installed_db: PlatformDatabase) -> None:
        with installed_db.connect() as db:
            world = World(installed_db.platform, db)
            of, course = [world.org() for _ in range(3)], world.course()
            kept = world.session(of[0], course, created_at=EARLY)
        until = time.monotonic() + 10

        def write(orgs: list[UUID]) -> set[UUID | None]:
            found = set()
            with installed_db.connect() as db:
                db.execute("SET deadlock_timeout TO '100ms'")
                mine = World(installed_db.platform, db)
                while time.monotonic() < until:
                    for table in ("enrollments", "submissions"):
                        found.add(mine.write(table, mine.user(*orgs), course))
            return found

        def open_and_delete(turn: int) -> int:
            rounds = 0
            with installed_db.connect() as db:
                db.execute("SET deadlock_timeout TO '100ms'")
                mine = World(installed_db.platform, db)
                while time.monotonic() < until:
                    opened = [mine.session(org, course, created_at=LATE) for org in of]
                    with db.transaction():
                        for session in opened[::turn]:
                            mine.run("DELETE FROM {} WHERE id = {}", "sessions", session)
                            time.sleep(0.005)
                    rounds += 1
            return rounds

        with ThreadPoolExecutor(6) as pool:
            writers = [pool.submit(write, orgs) for orgs in (of[:1], of[:1], of, of)]
            admins = [pool.submit(open_and_delete, turn) for turn in (1, -1)]
            assert all(admin.result() > 10 for admin in admins)
            assert all(kept in writer.result() or len(writer.result()) > 1 for writer in writers)


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_an_insert_of_several_rows_that_deadlocks_with_a_deletion_of_their_sessions_can_be_retried(
    installed_db: PlatformDatabase, world: World
) -> None:
    org, courses = world.org(), [world.course(), world.course()]
    user, (first, second) = world.user(org), [world.session(org, course) for course in courses]
    insert: LiteralString = (
        "INSERT INTO enrollments (user_id, course_id) VALUES (%s, %s), (%s, %s) RETURNING session_id"
    )

    def enrol_in_both() -> list[UUID | None]:
        with installed_db.connect() as db:
            db.execute("SET deadlock_timeout TO '1s'")
            return [session for (session,) in db.execute(insert, [user, courses[0], user, courses[1]])]

    with installed_db.connect() as admin, ThreadPoolExecutor(1) as student:
        admin.execute("SET deadlock_timeout TO '1min'")
        with admin.transaction():
            admin.execute("DELETE FROM sessions WHERE id = %s", [second])
            written = student.submit(enrol_in_both)
            time.sleep(0.5)  # it has a lock on the first, and waits for the second
            admin.execute("DELETE FROM sessions WHERE id = %s", [first])
        with pytest.raises(psycopg.errors.DeadlockDetected):
            written.result()
    assert enrol_in_both() == [None, None]


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_under_repeatable_read_an_insert_fails_whose_session_was_deleted_after_its_snapshot(
    installed_db: PlatformDatabase, world: World
) -> None:
    org, course = world.org(), world.course()
    user, session = world.user(org), world.session(org, course)
    with installed_db.connect(autocommit=False) as db, installed_db.connect() as admin:
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        db.execute("SELECT")
        admin.execute("DELETE FROM sessions WHERE id = %s", [session])
        with pytest.raises(psycopg.errors.SerializationFailure):
            World(world.platform, db).write("enrollments", user, course)


def write_as(db: PlatformDatabase, table: str, user: UUID, course: UUID) -> UUID | None:
    """Write a row by a connection of its own."""
    with db.connect() as connection:
        connection.execute("SET deadlock_timeout TO '100ms'")
        return World(db.platform, connection).write(table, user, course)


class TestARowThatIsWrittenAgain:
    """R8: linked as if it were new, where it has no session and is given none."""

    @both_tables
    def test_is_linked(self, world: World, table: str) -> None:
        user, _, session = self.unlinked(world, table)
        world.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)
        assert world.stored(table, user) == [session]

    @both_tables
    def test_keeps_the_session_that_it_has(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        user, session = world.user(org), world.session(org, course, created_at=EARLY)
        world.write(table, user, course)
        world.session(org, course, created_at=LATE)
        world.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)
        assert world.stored(table, user) == [session]

    @both_tables
    def test_keeps_none_when_it_is_taken_out_of_its_session(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        user, _ = world.user(org), world.session(org, course)
        world.write(table, user, course)
        world.move(table, user, None)
        assert world.stored(table, user) == [None]

    @both_tables
    def test_keeps_none_when_its_session_is_deleted(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        user, session = world.user(org), world.session(org, course, created_at=LATE)
        world.session(org, course, created_at=EARLY)
        world.write(table, user, course)
        world.run("DELETE FROM {} WHERE id = {}", "sessions", session)
        assert world.stored(table, user) == [None]

    @both_tables
    def test_may_still_be_given_one_by_hand(self, world: World, table: str) -> None:
        user, course, newest = self.unlinked(world, table)
        ((org,),) = world.run("SELECT org_id FROM {} WHERE id = {}", "sessions", newest)
        other = world.session(org, course, "draft", created_at=EARLY)
        world.move(table, user, other)
        assert world.stored(table, user) == [other]

    @both_tables
    def test_does_not_fail_for_want_of_a_session(self, world: World, table: str) -> None:
        user = world.user(world.org())
        world.write(table, user, world.course())
        world.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)
        assert world.stored(table, user) == [None]

    def unlinked(self, world: World, table: str) -> tuple[UUID, UUID, UUID]:
        """A row from before there was a session: its user, the course, the session."""
        org, course = world.org(), world.course()
        user = world.user(org)
        world.write(table, user, course)
        return user, course, world.session(org, course)


class TestAGivenSession:
    """R6: kept if it is of the row's course and of an organisation of the row's user, else refused."""

    @both_tables
    def test_is_kept_whatever_its_status(self, world: World, table: str) -> None:
        org = world.org()
        for status in world.platform.statuses:
            course = world.course()
            world.session(org, course, created_at=LATE)
            given = world.session(org, course, status, created_at=EARLY)
            assert world.write(table, world.user(org), course, given) == given

    @both_tables
    def test_is_kept_in_any_organisation_of_the_user(self, world: World, table: str) -> None:
        orgs, course = [world.org(), world.org()], world.course()
        sessions = [world.session(org, course) for org in orgs]
        for session in sessions:
            assert world.write(table, world.user(*orgs), course, session) == session

    @both_tables
    def test_of_another_course_is_refused(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        other = world.session(org, world.course())
        user = world.user(org)
        with refused(table):
            world.write(table, user, course, other)
        assert world.stored(table, user) == []

    @both_tables
    def test_of_another_organisation_is_refused(self, world: World, table: str) -> None:
        org, theirs, course = world.org(), world.org(), world.course()
        world.session(org, course)
        foreign = world.session(theirs, course)
        user = world.user(org)
        with refused(table):
            world.write(table, user, course, foreign)
        assert world.stored(table, user) == []

    @both_tables
    def test_is_refused_to_a_user_in_no_organisation(self, world: World, table: str) -> None:
        course = world.course()
        session = world.session(world.org(), course)
        with refused(table):
            world.write(table, world.user(), course, session)

    def test_is_refused_for_a_submission_for_no_course(self, world: World) -> None:
        if isinstance(world.platform, EnrolledPlatform):
            pytest.skip(f"{world.platform} takes no submission without a course")
        org = world.org()
        session = world.session(org, world.course())
        with refused("submissions"):
            world.platform.submit(world.db, world.user(org), None, session)

    @both_tables
    def test_that_does_not_exist_is_refused(self, world: World, table: str) -> None:
        user = world.user(world.org())
        with refused(table):
            world.write(table, user, world.course(), uuid4())
        assert world.stored(table, user) == []

    @both_tables
    def test_may_be_changed_to_a_coherent_one(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        world.session(org, course)
        user = world.user(org)
        world.write(table, user, course)
        for status in world.platform.statuses:
            other = world.session(org, course, status)
            world.move(table, user, other)
            assert world.stored(table, user) == [other]

    @both_tables
    def test_may_not_be_changed_to_an_incoherent_one(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.write(table, user, course)
        with refused(table):
            world.move(table, user, world.session(org, world.course()))
        with refused(table):
            world.move(table, user, world.session(world.org(), course))
        with refused(table):
            world.move(table, user, uuid4())
        assert world.stored(table, user) == [session]

    @both_tables
    def test_may_not_be_set_to_an_incoherent_one_on_an_unlinked_row(self, world: World, table: str) -> None:
        course = world.course()
        user = world.user()
        world.write(table, user, course)
        with refused(table):
            world.move(table, user, world.session(world.org(), course))

    @both_tables
    def test_is_not_checked_again_when_it_is_written_back_unchanged(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.write(table, user, course)
        world.leave(org, user)
        world.move(table, user, session)
        world.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)
        assert world.stored(table, user) == [session]

    @both_tables
    def test_is_checked_when_it_comes_back_after_null(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.write(table, user, course)
        world.leave(org, user)
        world.move(table, user, None)
        with refused(table):
            world.move(table, user, session)

    @both_tables
    def test_may_always_be_set_to_null(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.write(table, user, course)
        world.leave(org, user)
        world.end(session)
        world.move(table, user, None)
        assert world.stored(table, user) == [None]

    @both_tables
    def test_that_is_deleted_leaves_null(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course, created_at=LATE)
        world.session(org, course, created_at=EARLY)
        user = world.user(org)
        world.write(table, user, course)
        world.leave(org, user)
        world.run("DELETE FROM {} WHERE id = {}", "sessions", session)
        assert world.stored(table, user) == [None]

    @both_tables
    def test_that_is_refused_reveals_nothing_of_it(self, world: World, table: str) -> None:
        """Whether it exists, whose it is, of which course, and which course the exercise leads to: one answer for all."""
        mine, theirs, course = world.org(), world.org(), world.course()
        answers = set()
        for session in (
            world.session(theirs, course),
            world.session(mine, world.course()),
            world.session(theirs, world.course()),
            uuid4(),
        ):
            user = world.user(mine)
            with pytest.raises(errors.CheckViolation) as raised:
                world.write(table, user, course, session)
            said = " ".join(str(getattr(raised.value.diag, f.name.lower(), "")) for f in DiagnosticField)
            answers.add(said.replace(str(session), "the session"))
        (answer,) = answers
        assert "the session" in answer
        assert not [secret for secret in (mine, theirs, course) if str(secret) in answer]


@contextmanager
def refused(table: str) -> Iterator[None]:
    with pytest.raises(psycopg.Error) as raised:
        yield
    diag = raised.value.diag
    assert (diag.sqlstate, diag.constraint_name) == ("23514", f"{table}_session_id_coherent")
    assert (diag.table_name, diag.column_name) == (table, "session_id")
    assert diag.message_detail == (
        "There is no such session of the row's course in an organisation that the row's user is a member of."
    )
    assert diag.message_hint


@contextmanager
def as_writer(world: World, user: UUID) -> Iterator[None]:
    """Be someone who may read and write the two tables and nothing else; all is undone at the end."""
    platform, db = world.platform, world.db
    with db.transaction(force_rollback=True):
        if platform.student_role is None:
            schema = sql.Identifier(platform.schema)
            db.execute("CREATE ROLE sessiondb_test_writer")
            db.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO sessiondb_test_writer").format(schema))
            for table in ("enrollments", "submissions"):
                world.run("GRANT SELECT, INSERT ON {} TO sessiondb_test_writer", table)
            db.execute("SET LOCAL ROLE sessiondb_test_writer")
        with platform.as_student(db, user):
            yield


class TestARoleThatMayOnlyWriteTheTwoTables:
    def test_has_its_rows_linked(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user, task = world.user(org), world.platform.new_task(world.db, course)
        with as_writer(world, user):
            assert world.platform.enroll(world.db, user, course) == session
            assert world.platform.submit(world.db, user, course, task=task) == session

    def test_is_refused_an_incoherent_session(self, world: World) -> None:
        course = world.course()
        user, foreign = world.user(world.org()), world.session(world.org(), course)
        with as_writer(world, user), refused("enrollments"):
            world.platform.enroll(world.db, user, course, foreign)

    def test_cannot_read_what_the_triggers_read(self, world: World) -> None:
        with as_writer(world, world.user()):
            for table in ("org_members", "sessions"):
                with pytest.raises(errors.InsufficientPrivilege), world.db.transaction():
                    world.run("SELECT FROM {}", table)

    def test_cannot_use_schema_sessiondb(self, world: World) -> None:
        queries: list[LiteralString] = [
            "SELECT sessiondb.session_status('x')",
            "SELECT sessiondb.org_of_slug('atelier-nord')",
            "CALL sessiondb.compile('SELECT 1')",
            "TABLE sessiondb.installation",
        ]
        with as_writer(world, world.user()):
            for query in queries:
                with pytest.raises(errors.InsufficientPrivilege, match="schema"), world.db.transaction():
                    world.db.execute(query)

    def test_could_call_only_functions_of_ours_that_show_what_they_may_read(self, world: World) -> None:
        open_to_all = world.db.execute(
            """
            SELECT p.proname FROM pg_proc AS p
             CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
             WHERE p.pronamespace = 'sessiondb'::regnamespace AND a.grantee = 0
            """
        ).fetchall()
        # explain and what it is made of: with the caller's rights, and no role gets into the schema unasked
        assert {name for (name,) in open_to_all} == {
            "ask",
            "choose_sessions",
            "course_expression",
            "enrolled_sessions",
            "explain_course",
            "explain_facts",
            "explain_link",
            "explain_outcome",
            "explain_row",
            "explain_steps",
            "find_named",
            "find_similar",
            "grouped_rows",
            "hidden_tables",
            "hold_tables",
            "is_of_this_transaction",
            "list_names",
            "name_of",
            "names_in",
            "org_command",
            "platform_path",
            "query_of_course",
            "require_name",
            "require_tables",
            "require_trusted",
            "require_types",
            "require_visible",
            "sessions_for_user",
            "shell_name",
            "table_of_users",
        }


class TestRowsInBulk:
    """However a row comes in, it is linked by itself."""

    @pytest.fixture
    def users(self, world: World) -> dict[UUID, UUID | None]:
        """Three users with a session of their own each, one with none."""
        self.course = world.course()
        self.orgs = [world.org() for _ in range(3)]
        users = {world.user(org): world.session(org, self.course) for org in self.orgs}
        return {**users, world.user(): None}

    def links(self, world: World, table: str, users: dict[UUID, UUID | None]) -> dict[UUID, UUID | None]:
        return {user: session for user in users for session in world.stored(table, user)}

    @both_tables
    def test_by_one_insert(self, world: World, table: str, users: dict[UUID, UUID | None]) -> None:
        insert(world, table, *(row_values(world, table, user, self.course) for user in users))
        assert self.links(world, table, users) == users

    def test_by_insert_select(self, world: World, users: dict[UUID, UUID | None]) -> None:
        extras = world.platform.extras.get("enrollments", {})
        columns = sql.SQL(", ").join(map(sql.Identifier, ["user_id", "course_id", *extras]))
        values = sql.SQL(", ").join(map(sql.Literal, [self.course, *extras.values()]))
        names = [sql.Identifier(world.platform.schema, name) for name in ("enrollments", "org_members")]
        query = sql.SQL("INSERT INTO {} ({}) SELECT user_id, {} FROM {} WHERE org_id = ANY ({})")
        world.db.execute(query.format(names[0], columns, values, names[1], sql.Literal(self.orgs)))
        assert self.links(world, "enrollments", users) == {u: s for u, s in users.items() if s}

    @both_tables
    def test_by_copy(self, world: World, table: str, users: dict[UUID, UUID | None]) -> None:
        rows = [row_values(world, table, user, self.course) for user in users]
        name = sql.Identifier(world.platform.schema, table)
        columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        with world.db.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
            for row in rows:
                copy.write_row([*row.values()])
        assert self.links(world, table, users) == users

    def test_by_an_upsert_that_finds_nothing(self, world: World, users: dict[UUID, UUID | None]) -> None:
        rows = [row_values(world, "enrollments", user, self.course) for user in users]
        insert(world, "enrollments", *rows, suffix="ON CONFLICT (user_id, course_id) DO NOTHING")
        assert self.links(world, "enrollments", users) == users

    def test_by_an_upsert_that_writes_the_row_again(self, world: World) -> None:
        user, row, session = self.unlinked(world)
        insert(world, "enrollments", row, suffix="ON CONFLICT (user_id, course_id) DO NOTHING")
        assert world.stored("enrollments", user) == [None]
        update = "ON CONFLICT (user_id, course_id) DO UPDATE SET status = EXCLUDED.status"
        insert(world, "enrollments", row, suffix=update)
        assert world.stored("enrollments", user) == [session]

    def test_by_an_upsert_that_takes_the_proposed_session(self, world: World) -> None:
        user, row, session = self.unlinked(world)
        update = "ON CONFLICT (user_id, course_id) DO UPDATE SET session_id = EXCLUDED.session_id"
        insert(world, "enrollments", row, suffix=update)
        assert world.stored("enrollments", user) == [session]

    def unlinked(self, world: World) -> tuple[UUID, dict[str, Any], UUID]:
        """An enrolment from before there was a session: its user, its row, the session."""
        org, course = world.org(), world.course()
        user = world.user(org)
        world.enroll(user, course)
        return user, row_values(world, "enrollments", user, course), world.session(org, course)

    @both_tables
    def test_under_any_search_path(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        for path in ("", "pg_temp", "sessiondb, pg_temp"):
            user = world.user(org)
            world.db.execute("SELECT set_config('search_path', %s, false)", [path])
            assert world.write(table, user, course) == session
            with refused(table):
                world.write(table, world.user(), course, session)

    @both_tables
    def test_whatever_lies_in_the_callers_temporary_schema(self, world: World, table: str) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        for name in ("sessions", "org_members", "enrollments", *(name for name, _ in world.platform.task_tables)):
            world.db.execute(sql.SQL("CREATE TEMPORARY TABLE {} ()").format(sql.Identifier(name)))
        assert world.write(table, user, course) == session


def row_values(world: World, table: str, user: UUID, course: UUID) -> dict[str, Any]:
    """A new row of either table without session_id; on academy the user is enrolled for it."""
    row: dict[str, Any] = {**world.platform.extras.get(table, {}), "user_id": user}
    if table == "enrollments":
        return {**row, "course_id": course}
    task = world.platform.new_task(world.db, course)
    if isinstance(world.platform, EnrolledPlatform):
        enrolment = "SELECT id FROM {} WHERE user_id = {} AND course_id = {}"
        if not world.run(enrolment, "enrollments", user, course):
            world.enroll(user, course)
        task = world.run(enrolment, "enrollments", user, course)[0][0]
    return {**row, world.platform.task_column: task}


def insert(world: World, table: str, *rows: dict[str, Any], suffix: LiteralString = "") -> None:
    """Insert rows with one statement."""
    query = sql.SQL("INSERT INTO {} ({}) VALUES {} {}").format(
        sql.Identifier(world.platform.schema, table),
        sql.SQL(", ").join(map(sql.Identifier, rows[0])),
        sql.SQL(", ").join(sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row.values()))) for row in rows),
        sql.SQL(suffix),
    )
    world.db.execute(query)


class TestTheHostsOwnTriggers:
    @pytest.mark.parametrize("name", ["a_fill", "zzz_fill"])
    @pytest.mark.parametrize(("table", "column"), [("enrollments", "course_id"), ("submissions", "user_id")])
    def test_have_filled_the_row_in_before_ours_look(self, world: World, table: str, column: str, name: str) -> None:
        org, course = world.org(), world.course()
        user = world.user(org)
        row = row_values(world, table, user, course)
        session = world.session(org, course)
        function = "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}"
        world.run(function, "fill", f"BEGIN NEW.{column} := '{row[column]}'; RETURN NEW; END")
        trigger = sql.SQL("CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION {}()")
        names = (sql.Identifier(world.platform.schema, object_) for object_ in (table, "fill"))
        world.db.execute(trigger.format(sql.Identifier(name), *names))
        insert(world, table, {**row, column: None})
        assert world.stored(table, user) == [session]

    def test_fire_before_ours(self, world: World) -> None:
        before = world.db.execute(
            """
            SELECT c.relname, array_agg(t.tgname::text ORDER BY t.tgname)
              FROM pg_trigger AS t
              JOIN pg_class AS c ON c.oid = t.tgrelid
              JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = %s AND c.relname IN ('enrollments', 'submissions')
               AND NOT t.tgisinternal AND t.tgtype & 2 = 2  -- BEFORE
             GROUP BY c.relname ORDER BY c.relname
            """,
            [world.platform.schema],
        ).fetchall()
        for (table, names), row in zip(before, ["enrollment", "submission"], strict=True):
            ours = [f"check_{row}", f"check_{row}_update", f"link_{row}", f"link_{row}_update"]
            assert names[-4:] == [f"zzz_sessiondb_{name}" for name in ours], table
            assert not [name for name in names[:-4] if "sessiondb" in name]

    @pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], ids=str)
    def test_that_know_the_user_from_the_request_suffice(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user, task = world.user(org), world.platform.new_task(world.db, course)
        with world.platform.as_student(world.db, user):
            assert world.platform.submit(world.db, None, course, task=task) == session
        assert world.stored("submissions", user) == [session]

    @pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], ids=str)
    def test_that_enrol_a_buyer_have_them_linked(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        user = world.user(org)
        world.run("INSERT INTO {} (user_id, course_id, amount_cents) VALUES ({}, {}, 1)", "purchases", user, course)
        assert world.stored("enrollments", user) == [session]


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], ids=str)
class TestAPartitionedTable:
    def test_links_a_row_that_is_written_to_a_partition(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        row = {**row_values(world, "submissions", world.user(org), course), "submitted_at": "2024-05-05"}
        insert(world, "submissions_2024", row)
        assert world.stored("submissions", row["user_id"]) == [session]

    def test_links_a_row_in_a_partition_made_later(self, world: World) -> None:
        org, course = world.org(), world.course()
        session = world.session(org, course)
        world.db.execute(
            "CREATE TABLE submissions_2030 PARTITION OF submissions FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"
        )
        row = {**row_values(world, "submissions", world.user(org), course), "submitted_at": "2030-05-05"}
        insert(world, "submissions", row)
        assert world.stored("submissions_2030", row["user_id"]) == [session]


class TestOurObjects:
    def test_the_platform_and_the_triggers_ask_the_same_question(self, world: World) -> None:
        """The query of get_user_session_for_course() stands in sessiondb.find_session(), which also asks of which org."""
        bodies = {
            name: " ".join(body.replace(", member.of_org", "").replace("v_chosen, v_org_id", "v_session_id").split())
            for name, body in world.db.execute(
                "SELECT p.proname, p.prosrc FROM pg_proc AS p"
                " WHERE p.proname IN ('find_session', 'get_user_session_for_course')"
            ).fetchall()
        }
        (query,) = re.findall(r"SELECT newest\.id .*? LIMIT 1;", bodies["get_user_session_for_course"])
        assert query in bodies["find_session"]

    def test_explain_themselves(self, world: World) -> None:
        silent = world.db.execute(
            """
            SELECT 'function', p.proname FROM pg_proc AS p
              JOIN pg_namespace AS n ON n.oid = p.pronamespace
             WHERE (n.nspname = 'sessiondb' OR p.proname = 'get_user_session_for_course')
               AND obj_description(p.oid, 'pg_proc') IS NULL
             UNION ALL
            SELECT 'relation', c.relname FROM pg_class AS c
             WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind IN ('r', 'v')
               AND obj_description(c.oid, 'pg_class') IS NULL
             UNION ALL
            SELECT 'trigger', t.tgname FROM pg_trigger AS t
             WHERE starts_with(t.tgname, 'zzz_sessiondb_') AND t.tgparentid = 0
               AND obj_description(t.oid, 'pg_trigger') IS NULL
             UNION ALL
            SELECT 'column', a.attrelid::regclass::text FROM pg_attribute AS a
              JOIN pg_class AS c ON c.oid = a.attrelid
             WHERE a.attname = 'session_id' AND c.relname IN ('enrollments', 'submissions')
               AND col_description(a.attrelid, a.attnum) IS NULL
             UNION ALL
            SELECT 'schema', 'sessiondb' WHERE obj_description('sessiondb'::regnamespace, 'pg_namespace') IS NULL
            """
        ).fetchall()
        assert silent == []

    def test_those_that_applications_call_pin_the_path_that_apply_began_with(self, world: World) -> None:
        """Ours to what touches no table of the platform; the others run under the path of the connection."""
        functions = world.db.execute(
            """
            SELECT p.proname::text, p.prosecdef OR p.proname = 'get_user_session_for_course',
                   (SELECT substring(s, 'search_path=(.*)') FROM unnest(p.proconfig) AS s WHERE starts_with(s, 'search_path='))
              FROM pg_proc AS p
             WHERE p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course'
            """
        ).fetchall()
        ((begun,),) = world.db.execute("SELECT replace(search_path, '\"', '') FROM sessiondb.installation").fetchall()
        assert {name for name, _, path in functions if path == begun} == {
            "check_session",
            "current_user_id",
            "get_user_session_for_course",
            "link_enrollment",
            "link_submission",
            "sessions_of_staff",
        }
        assert {path for _, is_called, path in functions if is_called} == {begun, "pg_catalog, pg_temp"}
        assert {path for _, is_called, path in functions if not is_called} <= {begun, None, "pg_catalog, pg_temp"}

    def test_act_with_the_owners_rights_only_as_trigger_functions_and_in_policies(self, world: World) -> None:
        definers = world.db.execute(
            """
            SELECT proname::text, prorettype::regtype::text FROM pg_proc
             WHERE prosecdef AND (pronamespace = 'sessiondb'::regnamespace OR proname = 'get_user_session_for_course')
             ORDER BY proname
            """
        ).fetchall()
        names = ["check_session", "link_enrollment", "link_submission", "note_change"]
        assert definers == [*((name, "trigger") for name in names), ("sessions_of_staff", "uuid")]


# names of variables


def test_columns_with_the_names_of_our_variables_stop_no_write(platform_db: PlatformDatabase) -> None:
    platform = platform_db.platform
    sources = (resources.SQL / "functions").glob("*.sql")
    names = sorted({name for path in sources for name in re.findall(r"\b[vp]_\w+", path.read_text(encoding="utf-8"))})
    assert len(names) > 50
    columns = sql.SQL(", ").join(sql.SQL("ADD {} uuid").format(sql.Identifier(name)) for name in names)
    with platform_db.connect() as connection:
        for table in ("org_members", "sessions", "enrollments", "submissions", "courses"):
            connection.execute(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(platform.schema, table), columns))
    platform_db.apply()
    with platform_db.connect() as connection:
        world = World(platform, connection)
        first, second, course = world.org(), world.org(), world.course()
        for orgs in ((first,), (first, second)):
            session = world.session(orgs[-1], course)
            for table in ("enrollments", "submissions"):
                user = world.user(*orgs)
                assert world.write(table, user, course) == session
                assert world.write(table, world.user(*orgs), course, session) == session
            query = sql.SQL("SELECT {}.get_user_session_for_course({}, {})").format(
                sql.Identifier(platform.schema), user, course
            )
            asked = connection.execute(query).fetchone()
            assert asked == (session,)
