"""R1-R6 of the design as facts, on every host; students write with a student's rights where a host has such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from conftest import HostDatabase, held
from hosts import HOSTS, EnrolledHost, Host
from psycopg import errors, sql
from psycopg.pq import DiagnosticField

from sessiondb.database import Connection

if TYPE_CHECKING:
    from typing_extensions import LiteralString

EARLY, LATE = (datetime(2024, month, 1, tzinfo=timezone.utc) for month in (2, 9))
LOW, HIGH = UUID(int=1), UUID(int=2**128 - 1)
AllSay = Callable[[UUID, UUID, UUID | None], None]
both_tables = pytest.mark.parametrize("table", ["enrollments", "submissions"])


@dataclass(frozen=True)
class Platform:
    """A host with sessiondb, and what people do on it; ``db`` is the superuser's connection."""

    host: Host
    db: Connection

    def org(self) -> UUID:
        return self.host.add_org(self.db)

    def course(self) -> UUID:
        return self.host.add_course(self.db)

    def user(self, *orgs: UUID, role: str = "student") -> UUID:
        user = self.host.add_user(self.db)
        for org in orgs:
            self.host.add_member(self.db, org, user, role)
        return user

    def session(self, org: UUID, course: UUID, status: str = "active", **kwargs: Any) -> UUID:
        return self.host.add_session(self.db, org, course, status, **kwargs)

    def enroll(self, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        with self.host.as_student(self.db, user):
            return self.host.enroll(self.db, user, course, session)

    def submit(self, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        """Submit something new, for which academy wants an enrolment first."""
        task = self.host.new_task(self.db, course)
        with self.host.as_student(self.db, user):
            return self.host.submit(self.db, user, course, session, task)

    def write(self, table: str, user: UUID, course: UUID, session: UUID | None = None) -> UUID | None:
        """Write a row of either table for a user who is not enrolled yet."""
        if table == "enrollments":
            return self.enroll(user, course, session)
        if isinstance(self.host, EnrolledHost):
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
        """Run SQL in which the first ``{}`` is an object of the host and the others are values."""
        object_ = sql.Identifier(self.host.schema, name)
        cursor = self.db.execute(sql.SQL(query).format(object_, *map(sql.Literal, values)))
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def platform(installed_db: HostDatabase) -> Iterator[Platform]:
    with installed_db.connect() as connection:
        yield Platform(installed_db.host, connection)


class TestTheSessionOfAUserInACourse:
    """R1 and R2: what get_user_session_for_course() answers, an enrolment and a submission get."""

    @pytest.fixture
    def assert_all_say(self, platform: Platform) -> AllSay:
        def assert_all_say(user: UUID, course: UUID, session: UUID | None) -> None:
            assert platform.find(user, course) == session
            assert platform.enroll(user, course) == session
            assert platform.submit(user, course) == session

        return assert_all_say

    def test_is_the_active_one_of_his_organisation(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        assert_all_say(platform.user(org), course, platform.session(org, course))

    def test_is_the_newest(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        newest = platform.session(org, course, created_at=LATE, id=LOW)
        platform.session(org, course, created_at=EARLY, id=HIGH)
        assert_all_say(platform.user(org), course, newest)

    def test_is_the_newest_whatever_the_order_of_insertion(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, course, created_at=EARLY)
        newest = platform.session(org, course, created_at=LATE)
        assert_all_say(platform.user(org), course, newest)

    def test_is_one_without_a_date_last(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, course, created_at=None, id=HIGH)
        dated = platform.session(org, course, created_at=EARLY, id=LOW)
        assert_all_say(platform.user(org), course, dated)

    def test_is_one_without_a_date_if_there_is_no_other(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        undated = platform.session(org, course, created_at=None)
        assert_all_say(platform.user(org), course, undated)

    def test_is_of_two_as_new_the_one_with_the_greatest_id(self, platform: Platform, assert_all_say: AllSay) -> None:
        org = platform.org()
        for created_at in (EARLY, None):
            for low_first in (True, False):
                course = platform.course()
                low, high = ids = sorted((uuid4(), uuid4()))
                for id_ in ids if low_first else (high, low):
                    platform.session(org, course, created_at=created_at, id=id_)
                assert_all_say(platform.user(org), course, high)

    def test_is_the_newest_of_all_his_organisations(self, platform: Platform, assert_all_say: AllSay) -> None:
        orgs, course = [platform.org() for _ in range(3)], platform.course()
        dates = (EARLY, LATE, None)
        sessions = [platform.session(o, course, created_at=d) for o, d in zip(orgs, dates, strict=True)]
        assert_all_say(platform.user(*orgs), course, sessions[1])

    def test_is_of_two_organisations_as_new_the_one_with_the_greatest_id(
        self, platform: Platform, assert_all_say: AllSay
    ) -> None:
        orgs, course = [platform.org(), platform.org()], platform.course()
        for org, id_ in zip(orgs, (HIGH, LOW), strict=True):
            platform.session(org, course, created_at=EARLY, id=id_)
        assert_all_say(platform.user(*orgs), course, HIGH)

    def test_does_not_depend_on_his_role(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        for role in ("student", "trainer", "admin"):
            assert_all_say(platform.user(org, role=role), course, session)

    def test_is_not_one_of_another_organisation(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        platform.session(platform.org(), course, created_at=LATE)
        mine = platform.session(org, course, created_at=EARLY)
        assert_all_say(platform.user(org), course, mine)
        assert_all_say(platform.user(platform.org()), course, None)

    def test_is_not_one_of_another_course(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, platform.course())
        assert_all_say(platform.user(org), course, None)

    def test_is_not_one_that_is_not_active(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        for status in set(platform.host.statuses) - {"active"}:
            platform.session(org, course, status, created_at=LATE)
        assert_all_say(platform.user(org), course, None)
        active = platform.session(org, course, created_at=EARLY)
        assert_all_say(platform.user(org), course, active)

    def test_is_none_for_who_is_in_no_organisation(self, platform: Platform, assert_all_say: AllSay) -> None:
        course = platform.course()
        platform.session(platform.org(), course)
        assert_all_say(platform.user(), course, None)

    def test_is_none_for_who_has_left(self, platform: Platform, assert_all_say: AllSay) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, course)
        user = platform.user(org)
        platform.leave(org, user)
        assert_all_say(user, course, None)


class TestTheFunction:
    def test_answers_null_to_null(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, course)
        user = platform.user(org)
        assert platform.find(None, course) is None
        assert platform.find(user, None) is None
        assert platform.find(None, None) is None

    def test_answers_null_to_who_and_what_is_unknown(self, platform: Platform) -> None:
        assert platform.find(uuid4(), uuid4()) is None

    def test_is_exactly_the_one_of_the_guide(self, platform: Platform) -> None:
        (row,) = platform.db.execute(
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
        assert row == (names, types, "uuid", False, "plpgsql", "s", False, 0, platform.host.schema)

    def test_tells_nobody_what_he_may_not_read(self, platform: Platform) -> None:
        if platform.host.student_role is None:
            pytest.skip(f"{platform.host} has no role with less rights than the owner's")
        org, course = platform.org(), platform.course()
        platform.session(org, course)
        user = platform.user(org)
        with (
            pytest.raises(errors.InsufficientPrivilege),
            platform.host.as_student(platform.db, user),
        ):
            platform.find(user, course)

    def test_finds_the_hosts_tables_whatever_the_callers_search_path(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.db.execute("CREATE TEMPORARY TABLE sessions (id uuid); CREATE TEMPORARY TABLE org_members ()")
        for path in ("", "pg_temp", "sessiondb, pg_temp"):
            platform.db.execute("SELECT set_config('search_path', %s, false)", [path])
            assert platform.find(user, course) == session


class TestASubmission:
    """R4: it goes where the student's enrolment in the course is, while he may be there."""

    def test_stays_in_the_session_of_the_enrolment_when_a_newer_one_opens(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        autumn = platform.session(org, course, created_at=EARLY)
        user = platform.user(org)
        assert platform.enroll(user, course) == autumn
        winter = platform.session(org, course, created_at=LATE)
        assert platform.submit(user, course) == autumn
        assert platform.find(user, course) == winter

    def test_goes_to_the_newest_once_the_enrolments_session_is_over(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        autumn = platform.session(org, course, created_at=LATE)
        user = platform.user(org)
        platform.enroll(user, course)
        winter = platform.session(org, course, created_at=EARLY)
        platform.end(autumn)
        assert platform.submit(user, course) == winter
        assert platform.stored("enrollments", user) == [autumn]

    def test_goes_to_the_newest_once_the_membership_is_gone(self, platform: Platform) -> None:
        here, there, course = platform.org(), platform.org(), platform.course()
        user = platform.user(here, there)
        mine = platform.session(here, course, created_at=LATE)
        assert platform.enroll(user, course) == mine
        other = platform.session(there, course, created_at=EARLY)
        platform.leave(here, user)
        assert platform.submit(user, course) == other

    def test_goes_nowhere_once_no_session_is_left(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.enroll(user, course)
        platform.end(session)
        assert platform.submit(user, course) is None

    def test_goes_to_the_newest_once_the_enrolments_session_is_of_another_course(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.enroll(user, course)
        platform.run("UPDATE {} SET course_id = {} WHERE id = {}", "sessions", platform.course(), session)
        assert platform.submit(user, course) is None

    def test_goes_to_the_newest_if_the_enrolment_has_no_session(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        user = platform.user(org)
        assert platform.enroll(user, course) is None
        session = platform.session(org, course)
        assert platform.submit(user, course) == session

    def test_goes_to_the_newest_without_any_enrolment(self, platform: Platform) -> None:
        if isinstance(platform.host, EnrolledHost):
            pytest.skip(f"{platform.host} takes no submission without an enrolment")
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        assert platform.submit(platform.user(org), course) == session

    def test_does_not_follow_the_enrolment_in_another_course(self, platform: Platform) -> None:
        org, course, other = platform.org(), platform.course(), platform.course()
        user = platform.user(org)
        platform.session(org, other)
        platform.enroll(user, other)
        assert platform.write("submissions", user, course) is None

    def test_does_not_follow_the_enrolment_of_another_student(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        earlier = platform.session(org, course, created_at=EARLY)
        assert platform.enroll(platform.user(org), course) == earlier
        newest = platform.session(org, course, created_at=LATE)
        assert platform.write("submissions", platform.user(org), course) == newest

    def test_stays_in_the_older_session_that_staff_placed_the_enrolment_in(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        older = platform.session(org, course, created_at=EARLY)
        platform.session(org, course, created_at=LATE)
        user = platform.user(org)
        assert platform.enroll(user, course, older) == older
        assert platform.submit(user, course) == older


class TestSessionsAreOptional:
    """R5: a row is never refused because there is nothing to link it to."""

    @both_tables
    def test_a_row_without_a_session_is_stored(self, platform: Platform, table: str) -> None:
        user = platform.user(platform.org())
        assert platform.write(table, user, platform.course()) is None
        assert platform.stored(table, user) == [None]

    @both_tables
    def test_a_row_of_who_is_in_no_organisation_is_stored(self, platform: Platform, table: str) -> None:
        user = platform.user()
        assert platform.write(table, user, platform.course()) is None
        assert platform.stored(table, user) == [None]

    def test_a_submission_for_no_course_is_stored(self, platform: Platform) -> None:
        if isinstance(platform.host, EnrolledHost):
            pytest.skip(f"{platform.host} takes no submission without a course")
        org = platform.org()
        platform.session(org, platform.course())
        user = platform.user(org)
        with platform.host.as_student(platform.db, user):
            assert platform.host.submit(platform.db, user, None) is None
        assert platform.stored("submissions", user) == [None]

    @pytest.mark.parametrize("host", [HOSTS["hosted"]], ids=str)
    def test_a_submission_for_an_item_in_no_module_is_stored(self, platform: Platform) -> None:
        user = platform.user(platform.org())
        item = platform.run("INSERT INTO {} (kind) VALUES ('quiz') RETURNING id", "items")[0][0]
        with platform.host.as_student(platform.db, user):
            assert platform.host.submit(platform.db, user, None, task=item) is None

    @both_tables
    def test_an_explicit_null_is_as_good_as_nothing(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.enroll(user, course)
        values = row_values(platform, table, platform.user(org) if table == "enrollments" else user, course)
        insert(platform, table, {**values, "session_id": None})
        assert platform.stored(table, values["user_id"]) == [session]


class TestASessionThatIsDeletedWhileARowIsWritten:
    """R5, when others delete what there is to link to and commit after the row is written."""

    @both_tables
    def test_gives_way_to_the_next_one(self, installed_db: HostDatabase, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        user, next_one = platform.user(org), platform.session(org, course, created_at=EARLY)
        newest = platform.session(org, course, created_at=LATE)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{newest}'"):
            assert platform.write(table, user, course) == next_one

    @both_tables
    def test_leaves_the_row_without_one(self, installed_db: HostDatabase, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        user, only = platform.user(org), platform.session(org, course)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{only}'"):
            assert platform.write(table, user, course) is None
        assert platform.stored(table, user) == [None]

    def test_gives_way_though_it_is_the_one_of_his_enrolment(
        self, installed_db: HostDatabase, platform: Platform
    ) -> None:
        org, course = platform.org(), platform.course()
        user, enrolled = platform.user(org), platform.session(org, course, created_at=EARLY)
        platform.enroll(user, course)
        newer = platform.session(org, course, created_at=LATE)
        with held(installed_db, 0.2, f"DELETE FROM sessions WHERE id = '{enrolled}'"):
            assert platform.submit(user, course) == newer

    @both_tables
    def test_and_one_that_is_just_changed_holds_up_nobody(
        self, installed_db: HostDatabase, platform: Platform, table: str
    ) -> None:
        org, course = platform.org(), platform.course()
        user, session = platform.user(org), platform.session(org, course)
        platform.db.execute("SET lock_timeout TO '100ms'")
        with held(installed_db, 0.5, f"UPDATE sessions SET status = status WHERE id = '{session}'"):
            assert platform.write(table, user, course) == session


class TestAGivenSession:
    """R6: kept if it is of the row's course and of an organisation of the row's user, else refused."""

    @both_tables
    def test_is_kept_whatever_its_status(self, platform: Platform, table: str) -> None:
        org = platform.org()
        for status in platform.host.statuses:
            course = platform.course()
            platform.session(org, course, created_at=LATE)
            given = platform.session(org, course, status, created_at=EARLY)
            assert platform.write(table, platform.user(org), course, given) == given

    @both_tables
    def test_is_kept_in_any_organisation_of_the_user(self, platform: Platform, table: str) -> None:
        orgs, course = [platform.org(), platform.org()], platform.course()
        sessions = [platform.session(org, course) for org in orgs]
        for session in sessions:
            assert platform.write(table, platform.user(*orgs), course, session) == session

    @both_tables
    def test_of_another_course_is_refused(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        other = platform.session(org, platform.course())
        user = platform.user(org)
        with refused(table):
            platform.write(table, user, course, other)
        assert platform.stored(table, user) == []

    @both_tables
    def test_of_another_organisation_is_refused(self, platform: Platform, table: str) -> None:
        org, theirs, course = platform.org(), platform.org(), platform.course()
        platform.session(org, course)
        foreign = platform.session(theirs, course)
        user = platform.user(org)
        with refused(table):
            platform.write(table, user, course, foreign)
        assert platform.stored(table, user) == []

    @both_tables
    def test_is_refused_to_who_is_in_no_organisation(self, platform: Platform, table: str) -> None:
        course = platform.course()
        session = platform.session(platform.org(), course)
        with refused(table):
            platform.write(table, platform.user(), course, session)

    def test_is_refused_for_a_submission_for_no_course(self, platform: Platform) -> None:
        if isinstance(platform.host, EnrolledHost):
            pytest.skip(f"{platform.host} takes no submission without a course")
        org = platform.org()
        session = platform.session(org, platform.course())
        with refused("submissions"):
            platform.host.submit(platform.db, platform.user(org), None, session)

    @both_tables
    def test_that_does_not_exist_is_refused(self, platform: Platform, table: str) -> None:
        user = platform.user(platform.org())
        with refused(table):
            platform.write(table, user, platform.course(), uuid4())
        assert platform.stored(table, user) == []

    @both_tables
    def test_may_be_changed_to_a_coherent_one(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        platform.session(org, course)
        user = platform.user(org)
        platform.write(table, user, course)
        for status in platform.host.statuses:
            other = platform.session(org, course, status)
            platform.move(table, user, other)
            assert platform.stored(table, user) == [other]

    @both_tables
    def test_may_not_be_changed_to_an_incoherent_one(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.write(table, user, course)
        with refused(table):
            platform.move(table, user, platform.session(org, platform.course()))
        with refused(table):
            platform.move(table, user, platform.session(platform.org(), course))
        with refused(table):
            platform.move(table, user, uuid4())
        assert platform.stored(table, user) == [session]

    @both_tables
    def test_may_not_be_set_to_an_incoherent_one_on_an_unlinked_row(self, platform: Platform, table: str) -> None:
        course = platform.course()
        user = platform.user()
        platform.write(table, user, course)
        with refused(table):
            platform.move(table, user, platform.session(platform.org(), course))

    @both_tables
    def test_is_not_checked_again_when_it_is_written_back_unchanged(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.write(table, user, course)
        platform.leave(org, user)
        platform.move(table, user, session)
        platform.run("UPDATE {} SET user_id = user_id WHERE user_id = {}", table, user)
        assert platform.stored(table, user) == [session]

    @both_tables
    def test_is_checked_when_it_comes_back_after_null(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.write(table, user, course)
        platform.leave(org, user)
        platform.move(table, user, None)
        with refused(table):
            platform.move(table, user, session)

    @both_tables
    def test_may_always_be_set_to_null(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.write(table, user, course)
        platform.leave(org, user)
        platform.end(session)
        platform.move(table, user, None)
        assert platform.stored(table, user) == [None]

    @both_tables
    def test_that_is_deleted_leaves_null(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course, created_at=LATE)
        platform.session(org, course, created_at=EARLY)
        user = platform.user(org)
        platform.write(table, user, course)
        platform.leave(org, user)
        platform.run("DELETE FROM {} WHERE id = {}", "sessions", session)
        assert platform.stored(table, user) == [None]

    @both_tables
    def test_that_is_refused_betrays_nothing_of_it(self, platform: Platform, table: str) -> None:
        """Whether it exists, whose it is, of which course, and which course the exercise leads to: one answer for all."""
        mine, theirs, course = platform.org(), platform.org(), platform.course()
        answers = set()
        for session in (
            platform.session(theirs, course),
            platform.session(mine, platform.course()),
            platform.session(theirs, platform.course()),
            uuid4(),
        ):
            user = platform.user(mine)
            with pytest.raises(errors.CheckViolation) as raised:
                platform.write(table, user, course, session)
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
def as_writer(platform: Platform, user: UUID) -> Iterator[None]:
    """Be someone who may read and write the two tables and nothing else; all is undone at the end."""
    host, db = platform.host, platform.db
    with db.transaction(force_rollback=True):
        if host.student_role is None:
            schema = sql.Identifier(host.schema)
            db.execute("CREATE ROLE sessiondb_test_writer")
            db.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO sessiondb_test_writer").format(schema))
            for table in ("enrollments", "submissions"):
                platform.run("GRANT SELECT, INSERT ON {} TO sessiondb_test_writer", table)
            db.execute("SET LOCAL ROLE sessiondb_test_writer")
        with host.as_student(db, user):
            yield


class TestARoleThatMayOnlyWriteTheTwoTables:
    def test_has_its_rows_linked(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user, task = platform.user(org), platform.host.new_task(platform.db, course)
        with as_writer(platform, user):
            assert platform.host.enroll(platform.db, user, course) == session
            assert platform.host.submit(platform.db, user, course, task=task) == session

    def test_is_refused_an_incoherent_session(self, platform: Platform) -> None:
        course = platform.course()
        user, foreign = platform.user(platform.org()), platform.session(platform.org(), course)
        with as_writer(platform, user), refused("enrollments"):
            platform.host.enroll(platform.db, user, course, foreign)

    def test_cannot_read_what_the_triggers_read(self, platform: Platform) -> None:
        with as_writer(platform, platform.user()):
            for table in ("org_members", "sessions"):
                with pytest.raises(errors.InsufficientPrivilege), platform.db.transaction():
                    platform.run("SELECT FROM {}", table)

    def test_cannot_use_schema_sessiondb(self, platform: Platform) -> None:
        queries: list[LiteralString] = [
            "SELECT sessiondb.refuse_session('x', NULL)",
            "SELECT sessiondb.org_of_slug('atelier-nord')",
            "CALL sessiondb.compile('SELECT 1')",
            "TABLE sessiondb.installation",
        ]
        with as_writer(platform, platform.user()):
            for query in queries:
                with pytest.raises(errors.InsufficientPrivilege, match="schema"), platform.db.transaction():
                    platform.db.execute(query)

    def test_could_call_no_function_of_ours_but_those_that_tell_what_he_may_read(self, platform: Platform) -> None:
        open_to_all = platform.db.execute(
            """
            SELECT p.proname FROM pg_proc AS p
             CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
             WHERE p.pronamespace = 'sessiondb'::regnamespace AND a.grantee = 0
            """
        ).fetchall()
        # explain and what it is made of: with the caller's rights, and nobody gets into the schema unasked
        assert {name for (name,) in open_to_all} == {
            "choose_sessions",
            "count_rows",
            "explain_course",
            "explain_enrollment",
            "explain_link",
            "explain_submission",
            "explain_user",
            "member_command",
            "name_of_org",
            "session_command",
            "slug_of_org",
            "title_of_session",
        }


class TestRowsInBulk:
    """However a row comes in, it is linked by itself."""

    @pytest.fixture
    def users(self, platform: Platform) -> dict[UUID, UUID | None]:
        """Three users with a session of their own each, one with none."""
        self.course = platform.course()
        self.orgs = [platform.org() for _ in range(3)]
        users = {platform.user(org): platform.session(org, self.course) for org in self.orgs}
        return {**users, platform.user(): None}

    def links(self, platform: Platform, table: str, users: dict[UUID, UUID | None]) -> dict[UUID, UUID | None]:
        return {user: session for user in users for session in platform.stored(table, user)}

    @both_tables
    def test_by_one_insert(self, platform: Platform, table: str, users: dict[UUID, UUID | None]) -> None:
        insert(platform, table, *(row_values(platform, table, user, self.course) for user in users))
        assert self.links(platform, table, users) == users

    def test_by_insert_select(self, platform: Platform, users: dict[UUID, UUID | None]) -> None:
        extras = platform.host.extras.get("enrollments", {})
        columns = sql.SQL(", ").join(map(sql.Identifier, ["user_id", "course_id", *extras]))
        values = sql.SQL(", ").join(map(sql.Literal, [self.course, *extras.values()]))
        names = [sql.Identifier(platform.host.schema, name) for name in ("enrollments", "org_members")]
        query = sql.SQL("INSERT INTO {} ({}) SELECT user_id, {} FROM {} WHERE org_id = ANY ({})")
        platform.db.execute(query.format(names[0], columns, values, names[1], sql.Literal(self.orgs)))
        assert self.links(platform, "enrollments", users) == {u: s for u, s in users.items() if s}

    @both_tables
    def test_by_copy(self, platform: Platform, table: str, users: dict[UUID, UUID | None]) -> None:
        rows = [row_values(platform, table, user, self.course) for user in users]
        name = sql.Identifier(platform.host.schema, table)
        columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        with platform.db.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
            for row in rows:
                copy.write_row([*row.values()])
        assert self.links(platform, table, users) == users

    def test_by_an_upsert_that_finds_nothing(self, platform: Platform, users: dict[UUID, UUID | None]) -> None:
        rows = [row_values(platform, "enrollments", user, self.course) for user in users]
        insert(platform, "enrollments", *rows, suffix="ON CONFLICT (user_id, course_id) DO NOTHING")
        assert self.links(platform, "enrollments", users) == users

    def test_not_by_an_upsert_that_leaves_session_id_alone(self, platform: Platform) -> None:
        user, row, _ = self.unlinked(platform)
        insert(platform, "enrollments", row, suffix="ON CONFLICT (user_id, course_id) DO NOTHING")
        update = "ON CONFLICT (user_id, course_id) DO UPDATE SET status = EXCLUDED.status"
        insert(platform, "enrollments", row, suffix=update)
        assert platform.stored("enrollments", user) == [None]

    def test_by_an_upsert_that_takes_the_proposed_session(self, platform: Platform) -> None:
        user, row, session = self.unlinked(platform)
        update = "ON CONFLICT (user_id, course_id) DO UPDATE SET session_id = EXCLUDED.session_id"
        insert(platform, "enrollments", row, suffix=update)
        assert platform.stored("enrollments", user) == [session]

    def unlinked(self, platform: Platform) -> tuple[UUID, dict[str, Any], UUID]:
        """An enrolment from before there was a session: its user, its row, the session."""
        org, course = platform.org(), platform.course()
        user = platform.user(org)
        platform.enroll(user, course)
        return user, row_values(platform, "enrollments", user, course), platform.session(org, course)

    @both_tables
    def test_under_any_search_path(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        for path in ("", "pg_temp", "sessiondb, pg_temp"):
            user = platform.user(org)
            platform.db.execute("SELECT set_config('search_path', %s, false)", [path])
            assert platform.write(table, user, course) == session
            with refused(table):
                platform.write(table, platform.user(), course, session)

    @both_tables
    def test_whatever_lies_in_the_callers_temporary_schema(self, platform: Platform, table: str) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        for name in ("sessions", "org_members", "enrollments", *(name for name, _ in platform.host.task_tables)):
            platform.db.execute(sql.SQL("CREATE TEMPORARY TABLE {} ()").format(sql.Identifier(name)))
        assert platform.write(table, user, course) == session


def row_values(platform: Platform, table: str, user: UUID, course: UUID) -> dict[str, Any]:
    """A new row of either table without session_id; on academy the user is enrolled for it."""
    row: dict[str, Any] = {**platform.host.extras.get(table, {}), "user_id": user}
    if table == "enrollments":
        return {**row, "course_id": course}
    task = platform.host.new_task(platform.db, course)
    if isinstance(platform.host, EnrolledHost):
        enrolment = "SELECT id FROM {} WHERE user_id = {} AND course_id = {}"
        if not platform.run(enrolment, "enrollments", user, course):
            platform.enroll(user, course)
        task = platform.run(enrolment, "enrollments", user, course)[0][0]
    return {**row, platform.host.task_column: task}


def insert(platform: Platform, table: str, *rows: dict[str, Any], suffix: LiteralString = "") -> None:
    """Insert rows with one statement."""
    query = sql.SQL("INSERT INTO {} ({}) VALUES {} {}").format(
        sql.Identifier(platform.host.schema, table),
        sql.SQL(", ").join(map(sql.Identifier, rows[0])),
        sql.SQL(", ").join(sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row.values()))) for row in rows),
        sql.SQL(suffix),
    )
    platform.db.execute(query)


class TestTheHostsOwnTriggers:
    @pytest.mark.parametrize("name", ["a_fill", "zzz_fill"])
    @pytest.mark.parametrize(("table", "column"), [("enrollments", "course_id"), ("submissions", "user_id")])
    def test_have_filled_the_row_in_before_ours_look(
        self, platform: Platform, table: str, column: str, name: str
    ) -> None:
        org, course = platform.org(), platform.course()
        user = platform.user(org)
        row = row_values(platform, table, user, course)
        session = platform.session(org, course)
        function = "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}"
        platform.run(function, "fill", f"BEGIN NEW.{column} := '{row[column]}'; RETURN NEW; END")
        trigger = sql.SQL("CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION {}()")
        names = (sql.Identifier(platform.host.schema, object_) for object_ in (table, "fill"))
        platform.db.execute(trigger.format(sql.Identifier(name), *names))
        insert(platform, table, {**row, column: None})
        assert platform.stored(table, user) == [session]

    def test_fire_before_ours(self, platform: Platform) -> None:
        before = platform.db.execute(
            """
            SELECT c.relname, array_agg(t.tgname::text ORDER BY t.tgname)
              FROM pg_trigger AS t
              JOIN pg_class AS c ON c.oid = t.tgrelid
              JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = %s AND c.relname IN ('enrollments', 'submissions')
               AND NOT t.tgisinternal AND t.tgtype & 2 = 2  -- BEFORE
             GROUP BY c.relname ORDER BY c.relname
            """,
            [platform.host.schema],
        ).fetchall()
        for (table, names), row in zip(before, ["enrollment", "submission"], strict=True):
            ours = [f"check_{row}", f"check_{row}_update", f"link_{row}"]
            assert names[-3:] == [f"zzz_sessiondb_{name}" for name in ours], table
            assert not [name for name in names[:-3] if "sessiondb" in name]

    @pytest.mark.parametrize("host", [HOSTS["hosted"]], ids=str)
    def test_that_know_the_user_from_the_request_suffice(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user, task = platform.user(org), platform.host.new_task(platform.db, course)
        with platform.host.as_student(platform.db, user):
            assert platform.host.submit(platform.db, None, course, task=task) == session
        assert platform.stored("submissions", user) == [session]

    @pytest.mark.parametrize("host", [HOSTS["hosted"]], ids=str)
    def test_that_enrol_a_buyer_have_him_linked(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        user = platform.user(org)
        platform.run("INSERT INTO {} (user_id, course_id, amount_cents) VALUES ({}, {}, 1)", "purchases", user, course)
        assert platform.stored("enrollments", user) == [session]


@pytest.mark.parametrize("host", [HOSTS["partitioned"]], ids=str)
class TestAPartitionedTable:
    def test_links_a_row_that_is_written_to_a_partition(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        row = {**row_values(platform, "submissions", platform.user(org), course), "submitted_at": "2024-05-05"}
        insert(platform, "submissions_2024", row)
        assert platform.stored("submissions", row["user_id"]) == [session]

    def test_links_a_row_in_a_partition_made_later(self, platform: Platform) -> None:
        org, course = platform.org(), platform.course()
        session = platform.session(org, course)
        platform.db.execute(
            "CREATE TABLE submissions_2030 PARTITION OF submissions FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"
        )
        row = {**row_values(platform, "submissions", platform.user(org), course), "submitted_at": "2030-05-05"}
        insert(platform, "submissions", row)
        assert platform.stored("submissions_2030", row["user_id"]) == [session]


class TestOurObjects:
    def test_the_platform_and_the_triggers_ask_the_same_question(self, platform: Platform) -> None:
        """get_user_session_for_course() is word for word sessiondb.find_session(), but for its comment and the lock."""
        bodies = platform.db.execute(
            r"""
            SELECT DISTINCT regexp_replace(p.prosrc, '/[*].*?[*]/|\n *FOR KEY SHARE', '', 'g') FROM pg_proc AS p
             WHERE p.proname IN ('find_session', 'get_user_session_for_course')
            """
        ).fetchall()
        assert len(bodies) == 1

    def test_explain_themselves(self, platform: Platform) -> None:
        silent = platform.db.execute(
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

    def test_pin_their_search_path(self, platform: Platform) -> None:
        functions = platform.db.execute(
            """
            SELECT p.proname, ARRAY(SELECT s FROM unnest(p.proconfig) AS s WHERE starts_with(s, 'search_path=')) AS pinned,
                   ARRAY['search_path=pg_catalog, pg_temp', format('search_path=%%I, pg_temp', %s::text)] AS allowed
              FROM pg_proc AS p
             WHERE (p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course')
               -- a procedure that has settings of its own may not commit; it qualifies every name instead
               AND p.proname <> 'backfill'
            """,
            [platform.host.schema],
        ).fetchall()
        assert [name for name, pinned, allowed in functions if pinned not in ([allowed[0]], [allowed[1]])] == []

    def test_act_with_the_owners_rights_only_as_trigger_functions(self, platform: Platform) -> None:
        definers = platform.db.execute(
            """
            SELECT proname::text, prorettype::regtype::text FROM pg_proc
             WHERE prosecdef AND (pronamespace = 'sessiondb'::regnamespace OR proname = 'get_user_session_for_course')
             ORDER BY proname
            """
        ).fetchall()
        names = ["check_enrollment", "check_submission", "link_enrollment", "link_submission", "save_link"]
        assert definers == [(name, "trigger") for name in names]
