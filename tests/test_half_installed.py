"""While an apply or a rollback is under way no role gains access, nor after.

Whatever others do comes where another transaction of theirs may: when one of ours has been committed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors, sql
from test_cli import TRIGGERS, on
from test_rules import World, both_tables, row_values

from sessiondb.connection import trusted
from sessiondb.errors import SessiondbError
from sessiondb.migrate import Runner

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
# an owner who is a superuser, and one who is not; partitions
on_three = pytest.mark.parametrize(
    "platform", [PLATFORMS["reference"], PLATFORMS["school"], PLATFORMS["partitioned"]], indirect=True, ids=str
)
TABLES = ("enrollments", "submissions")


def run(db: PlatformDatabase, command: str, boundary: Callable[[str, str], None], to: str | None = None) -> None:
    """Apply or roll back as the owner, and call ``boundary`` on the way."""
    with db.database().connect() as connection:
        runner = Runner(connection, boundary=boundary)
        runner.apply(to) if command == "apply" else runner.rollback(to)


# a session that a client gives


@dataclass
class Intruder:
    """A student who may write the two tables, and tries a session whenever there is a column for it."""

    world: World
    role: str
    session: UUID
    rows: dict[str, dict[str, Any]]
    tried: list[str] = field(default_factory=list)

    def tries(self, migration: str, point: str) -> None:
        if point not in {"committed", "done"}:
            return
        for table in TABLES:
            try:
                self.run("SELECT session_id FROM {table} LIMIT 0", table)
            except errors.UndefinedColumn:
                continue
            self.tried.append(migration)
            for statement in (
                "INSERT INTO {table} ({columns}) VALUES ({row})",
                "UPDATE {table} SET session_id = {session} WHERE user_id = {user}",
            ):
                with contextlib.suppress(errors.CheckViolation, errors.ForeignKeyViolation, errors.UniqueViolation):
                    self.run(statement, table)
                stored = self.world.stored(table, self.rows[table]["user_id"])
                assert self.session not in stored, (migration, statement)

    def run(self, template: LiteralString, table: str) -> None:
        row = {**self.rows[table], "session_id": self.session}
        with self.world.db.transaction():
            self.world.db.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self.role)))
            self.world.db.execute(
                sql.SQL(template).format(
                    table=sql.Identifier(self.world.platform.schema, table),
                    columns=sql.SQL(", ").join(map(sql.Identifier, row)),
                    row=sql.SQL(", ").join(map(sql.Literal, row.values())),
                    session=sql.Literal(self.session),
                    user=sql.Literal(row["user_id"]),
                )
            )


@pytest.fixture(params=["of another organisation", "that does not exist"])
def intruder(request: pytest.FixtureRequest, new_role: str, platform_db: PlatformDatabase) -> Iterator[Intruder]:
    with platform_db.connect() as connection:
        world, role = World(platform_db.platform, connection), sql.Identifier(new_role)
        connection.execute(
            sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(platform_db.platform.schema), role)
        )
        for table in TABLES:
            connection.execute(
                sql.SQL("GRANT SELECT, INSERT, UPDATE ON {} TO {}").format(
                    sql.Identifier(platform_db.platform.schema, table), role
                )
            )
        course = world.course()
        theirs = world.session(world.org(), course)
        user = world.user(world.org())
        yield Intruder(
            world,
            new_role,
            theirs if request.param == "of another organisation" else uuid4(),
            {table: row_values(world, table, user, course) for table in TABLES},
        )


@pytest.mark.slow
@on_three
def test_no_session_is_taken_from_a_client_before_it_can_be_checked_nor_after(
    intruder: Intruder, platform_db: PlatformDatabase
) -> None:
    for command in ("apply", "rollback", "apply"):
        intruder.tried.clear()
        run(platform_db, command, intruder.tries)
        assert len(set(intruder.tried)) > 5, intruder.tried  # migrations with a column
    assert on(platform_db, "check", "links_without_membership", "links_of_other_course", "foreign_keys").code == 0


@pytest.mark.parametrize("validated", [True, False])
@on_reference
def test_a_link_to_nowhere_under_a_key_that_was_never_validated_is_found_first(
    platform_db: PlatformDatabase, validated: bool
) -> None:
    """The platform's own column, with a key that sees new rows only."""
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE enrollments ADD session_id uuid")
        if not validated:
            connection.execute("UPDATE enrollments SET session_id = gen_random_uuid()")
        connection.execute("ALTER TABLE enrollments ADD FOREIGN KEY (session_id) REFERENCES sessions NOT VALID")

    applied = on(platform_db, "apply")

    assert applied.code == (0 if validated else 5), applied.err


def giving(world: World, table: str, user: UUID, course: UUID, session: UUID) -> sql.Composed:
    """The INSERT of a new row with the session that a client gives."""
    row = {**row_values(world, table, user, course), "session_id": session}
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(world.platform.schema, table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )


def takes(world: World, table: str, user: UUID, session: UUID) -> list[UUID | None]:
    """What a row that was given a session holds: none without a foreign key, which before 18 partitions have first."""
    keys = """
        SELECT EXISTS (SELECT FROM pg_constraint AS k
                         JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'session_id'
                        WHERE k.conrelid = r.tableoid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum])
          FROM {} AS r WHERE r.user_id = {}
    """
    return [session if has_key else None for (has_key,) in world.run(keys, table, user)]


@both_tables
@on_three
def test_no_row_stays_in_a_session_that_is_created_again_for_another_organisation_while_there_is_no_foreign_key(
    platform_db: PlatformDatabase, table: str
) -> None:
    """In the middle of an apply the row is stored without it; in that of a rollback it is saved what the session belonged to."""
    with platform_db.connect() as connection:
        world = World(platform_db.platform, connection)
        notices: list[str | None] = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        course = world.course()
        before = {}  # the user of each session that a rollback knows

        def gives_one() -> None:
            org = world.org()
            session = world.session(org, course)
            given, moved = world.user(org), world.user(org)
            world.write(table, moved, course)
            connection.execute(giving(world, table, given, course, session))
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", table, session, moved)
            expected = [takes(world, table, user, session) for user in (given, moved)]
            assert [world.stored(table, user) for user in (given, moved)] == expected
            assert [f"session {session} is not stored" in str(n) for n in notices] == [True] * expected.count([None])
            notices.clear()

        moments: list[str] = []

        def at(migration: str, point: str) -> None:
            has_key = connection.execute(
                "SELECT FROM pg_constraint WHERE contype = 'f' AND conname = %s", [f"{table}_session_id_fkey"]
            ).rowcount
            if migration >= "0003" and point in {"committed", "done"} and not has_key:
                moments.append(migration)
                gives_one()

        run(platform_db, "apply", at)
        assert {"0003", "0004"} <= {migration[:4] for migration in moments}
        for _ in range(2):
            org = world.org()
            session = world.session(org, course)
            before[session] = world.user(org)
            assert world.write(table, before[session], course) == session
        assert on(platform_db, "rollback", "--to", "0003", "--yes").code == 0
        young, users = world.session(org, course), [world.user(org) for _ in range(2)]
        for user, given in zip(users, (session, young), strict=True):
            world.write(table, user, course)
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", table, given, user)
        assert [world.stored(table, user) for user in users] == [[session], [young]]
        world.run("DELETE FROM {} WHERE id = {}", "sessions", young)  # the key goes with the column
        world.session(world.org(), course, id=young)
        assert on(platform_db, "apply").code == 0
        assert {session: world.stored(table, user) for session, user in before.items()} == {s: [s] for s in before}
        assert [world.stored(table, user) for user in users] == [[session], [None]]


@both_tables
@on_three
def test_a_transaction_with_an_older_snapshot_stores_no_session_without_the_foreign_key_either(
    installed_db: PlatformDatabase, table: str
) -> None:
    """It still sees the key that a rollback has dropped, and may be tried again."""
    with installed_db.connect() as connection, installed_db.connect() as older:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        insert = giving(world, table, student, course, session)
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT 1")
        assert on(installed_db, "rollback", "--all", "--yes").code == 0
        assert on(installed_db, "apply", "--to", "0003").code == 0
        with pytest.raises(errors.SerializationFailure, match="the foreign key of session_id of table"):
            older.execute(insert)
        older.execute("ROLLBACK")
        older.execute(insert)
        assert world.stored(table, student) == [None]


@both_tables
@on_three
def test_what_the_session_of_a_transaction_with_an_older_snapshot_belongs_to_is_saved(
    installed_db: PlatformDatabase, table: str
) -> None:
    """It began before there was a place for it."""
    with installed_db.connect() as connection, installed_db.connect() as older:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        insert = giving(world, table, student, course, session)
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT 1")
        assert on(installed_db, "rollback", "--to", "0005", "--yes").code == 0
        older.execute(insert)
        older.execute("COMMIT")
        assert on(installed_db, "rollback", "--all", "--yes").code == 0
        saved = connection.execute(
            f"SELECT session_id, session_belongs_to FROM sessiondb.saved_links_of_{table}".encode()
        ).fetchall()
        assert saved == [(session, f"{org} {course}")]


@both_tables
@on_three
@pytest.mark.parametrize("to", [None, "0003"])
def test_a_column_that_was_dropped_by_hand_takes_no_session_before_it_has_its_foreign_key_again(
    installed_db: PlatformDatabase, table: str, to: str | None
) -> None:
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session = world.session(org, course)
        world.run("ALTER TABLE {} DROP COLUMN session_id CASCADE", table)
        given: list[list[UUID | None]] = []

        def at(migration: str, point: str) -> None:
            has_key = connection.execute(
                "SELECT FROM pg_constraint WHERE contype = 'f' AND conname = %s", [f"{table}_session_id_fkey"]
            ).rowcount
            number = "0002" if table == "enrollments" else "0003"
            if number <= migration < "1" and point in {"committed", "done"} and not has_key:
                student = world.user(org)
                connection.execute(giving(world, table, student, course, session))
                given.append(world.stored(table, student))
                assert given[-1] == takes(world, table, student, session)

        run(installed_db, "apply", at, to)
        assert given[0] == [None]
        student = world.user(org)
        connection.execute(giving(world, table, student, course, session))
        assert world.stored(table, student) == [session]
    assert on(installed_db, "status", "--exit-code").code == 0


@both_tables
@on_three
def test_a_table_that_was_created_again_takes_no_session_before_it_is_guarded_again(
    installed_db: PlatformDatabase, table: str
) -> None:
    """Its triggers and its foreign key went with the old one."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        theirs, session = world.session(world.org(), course), world.session(org, course)
        for name in TRIGGERS:
            if table.removesuffix("s") in name:
                world.run(trusted(f"DROP TRIGGER {name} ON {{}}"), table)
        world.run(trusted(f"ALTER TABLE {{}} DROP CONSTRAINT {table}_session_id_fkey"), table)
        seen: list[list[UUID | None]] = []

        def at(migration: str, point: str) -> None:
            if migration.startswith("0004") and point in {"committed", "done"}:
                student = world.user(org)
                with pytest.raises(errors.CheckViolation):
                    connection.execute(giving(world, table, student, course, theirs))
                connection.execute(giving(world, table, student, course, session))
                seen.append(world.stored(table, student))

        run(installed_db, "apply", at)
        assert seen[0] == [None]
    assert on(installed_db, "status", "--exit-code").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_that_is_newer_than_the_snapshot_stores_no_session_without_the_foreign_key_either(
    installed_db: PlatformDatabase,
) -> None:
    """The ledger of the snapshot says that there is one."""
    with installed_db.connect() as connection, installed_db.connect() as older:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        insert = giving(world, "submissions", student, course, session)
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT 1")
        installed_db.rollback("0002")
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_default")
        connection.execute("CREATE TABLE newer PARTITION OF submissions DEFAULT")
        installed_db.apply(to="0003")
        with pytest.raises(errors.SerializationFailure):
            older.execute(insert)
        older.execute("ROLLBACK")
        assert world.stored("submissions", student) == []


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_that_is_newer_than_the_snapshot_has_the_foreign_key_of_its_table(
    installed_db: PlatformDatabase,
) -> None:
    with installed_db.connect() as connection, installed_db.connect() as older:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        insert = giving(world, "submissions", student, course, session)
        world.run("UPDATE {} SET status = 'completed'", "sessions")  # no trigger would choose it again
        older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT 1")
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_default")
        connection.execute("CREATE TABLE newer PARTITION OF submissions DEFAULT")
        older.execute(insert)
        older.execute("COMMIT")
        assert world.stored("submissions", student) == [session]


# a saved link


@both_tables
@on_reference
def test_a_saved_link_comes_back_to_the_same_row_only(installed_db: PlatformDatabase, table: str) -> None:
    """Not to one of another user or on another thing that has got its key meanwhile."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session = world.session(org, course)
        stays, goes, changes = (world.user(org) for _ in range(3))
        for user in (stays, goes, changes):
            assert world.write(table, user, course) == session

        installed_db.rollback()
        comes = world.user(world.org())
        world.run("UPDATE {} SET user_id = {} WHERE user_id = {}", table, comes, goes)  # the key stays
        other = world.course()
        row = row_values(world, table, changes, other)
        column = {*row} - {"user_id", *world.platform.extras.get(table, {})}
        world.run(f"UPDATE {{}} SET {column.pop()} = {{}} WHERE user_id = {{}}", table, [*row.values()][-1], changes)
        installed_db.apply()

        assert world.stored(table, stays) == [session]
        assert world.stored(table, comes) == world.stored(table, changes) == [None]


@on_reference
def test_a_saved_link_to_a_session_that_is_gone_is_no_leave_to_give_its_id(installed_db: PlatformDatabase) -> None:
    """It could be created for another organisation before the statement ends."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        user, session = world.user(org), world.session(org, course)
        assert world.write("enrollments", user, course) == session
        installed_db.rollback()
        installed_db.apply(to="0005")
        world.run("DELETE FROM {} WHERE id = {}", "sessions", session)

        with pytest.raises(errors.CheckViolation):
            world.run("UPDATE {} SET session_id = {} WHERE user_id = {}", "enrollments", session, user)


@on_reference
def test_a_saved_link_does_not_come_back_to_another_session_with_the_same_id(installed_db: PlatformDatabase) -> None:
    """Whoever may create sessions in another organisation may choose their ids."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        stays = world.session(org, course)
        users = {stays: world.user(org)}
        assert world.write("submissions", users[stays], course) == stays
        elsewhere = [(world.org(), course), (org, world.course())]
        for _ in elsewhere:
            session = world.session(org, course)  # the newest
            users[session] = world.user(org)
            assert world.write("submissions", users[session], course) == session
            assert world.write("enrollments", users[session], course) == session
        changed = [*users][1:]
        tried: list[str] = []

        def tries(migration: str, point: str) -> None:
            """Another role writes such a row while apply is at work."""
            if point in {"committed", "done"} and "0002" <= migration < "0006":
                tried.append(migration)
                for session in changed:
                    with pytest.raises(errors.CheckViolation):
                        world.run(
                            "UPDATE {} SET session_id = {} WHERE user_id = {}", "enrollments", session, users[session]
                        )

        installed_db.rollback()
        for session, (other, of) in zip(changed, elsewhere, strict=True):
            world.run("UPDATE {} SET org_id = {}, course_id = {} WHERE id = {}", "sessions", other, of, session)
        run(installed_db, "apply", tries)

        assert tried
        assert world.stored("submissions", users[stays]) == [stays]
        for session in changed:
            assert world.stored("submissions", users[session]) == world.stored("enrollments", users[session]) == [None]


@on_three
def test_a_link_that_is_written_before_a_rollback_saves_those_of_its_table_does_not_lead_to_another_session(
    installed_db: PlatformDatabase,
) -> None:
    """Its session is younger than what the rollback knows of sessions, and the row is away when it is created again."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, other, course = world.org(), world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        world.write("submissions", student, course)
        ((key,),) = world.run("SELECT id FROM {} WHERE user_id = {}", "submissions", student)
        away = uuid4() if isinstance(key, UUID) else -1
        done: list[str] = []

        def saved(table: str) -> bool:
            return connection.execute("SELECT to_regclass(%s)", [f"sessiondb.saved_links_of_{table}"]).fetchone() != (
                None,
            )

        def acts(migration: str, point: str) -> None:
            if point != "committed":
                return
            if not done and saved("enrollments") and not saved("submissions"):
                done.append(migration)
                young = world.session(org, course)
                world.run("UPDATE {} SET session_id = {} WHERE id = {}", "submissions", young, key)
            elif len(done) == 1 and saved("submissions"):
                ((young,),) = world.run("SELECT session_id FROM {} WHERE user_id = {}", "submissions", student)
                links = connection.execute(
                    "SELECT FROM sessiondb.saved_links_of_submissions WHERE session_id = %s", [young]
                )
                if links.rowcount:
                    done.append(migration)
                    world.run("UPDATE {} SET id = {}, session_id = NULL WHERE id = {}", "submissions", away, key)
                    world.run("UPDATE {} SET org_id = {} WHERE id = {}", "sessions", other, young)

        run(installed_db, "rollback", acts)
        assert done == ["0006.restore-links", "0006.restore-links"]
        world.run("UPDATE {} SET id = {} WHERE id = {}", "submissions", key, away)
        installed_db.apply()
        assert world.stored("submissions", student) in ([None], [session])


@both_tables
@on_three
def test_a_link_that_a_rollback_kept_is_not_to_another_session_with_the_same_id(
    installed_db: PlatformDatabase, table: str
) -> None:
    """The foreign key stays as long as the column."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, other, course = world.org(), world.org(), world.course()
        stays, leaves = world.user(org), world.user(other)
        kept, changed = world.session(org, course), world.session(other, course)
        assert world.write(table, stays, course) == kept
        assert world.write(table, leaves, course) == changed

        assert on(installed_db, "rollback", "--to", "0003", "--yes").code == 0
        world.run("DELETE FROM {} WHERE id = {}", "sessions", changed)
        world.session(org, course, id=changed)
        assert (world.stored(table, stays), world.stored(table, leaves)) == ([kept], [None])
        assert on(installed_db, "apply").code == 0
        assert (world.stored(table, stays), world.stored(table, leaves)) == ([kept], [None])


@on_reference
def test_a_saved_link_comes_back_though_the_work_was_graded_meanwhile(platform_db: PlatformDatabase) -> None:
    """Even to a session that is completed, where a backfill would not find it again."""
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE submissions ADD graded_by uuid REFERENCES users (id)")
        platform_db.apply()
        world = World(platform_db.platform, connection)
        org, course = world.org(), world.course()
        student, session = world.user(org), world.session(org, course)
        assert world.write("submissions", student, course) == session
        connection.execute("UPDATE sessions SET status = 'completed' WHERE id = %s", [session])
        platform_db.rollback()
        connection.execute("UPDATE submissions SET graded_by = user_id")
        platform_db.apply()
        assert world.run("SELECT session_id FROM {} WHERE user_id = {}", "submissions", student) == [(session,)]


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} ({columns}, id, session_id) VALUES ({row}, {id}, {session})",
        "UPDATE {table} SET id = {id}, session_id = {session} WHERE user_id = {user}",
    ],
)
@both_tables
@on_reference
def test_no_row_gets_a_saved_link_by_taking_the_key_of_a_row_that_is_gone(
    installed_db: PlatformDatabase, table: str, statement: LiteralString
) -> None:
    """A student who is in the organisation deletes the row, and gives its key to one who is not."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session = world.session(org, course)
        friend, student = world.user(org), world.user()
        assert world.write(table, friend, course) == session
        world.write(table, student, course)
        ((key,),) = world.run("SELECT id FROM {} WHERE user_id = {}", table, friend)
        tried: list[str] = []

        def tries(migration: str, point: str) -> None:
            there = connection.execute("SELECT to_regclass(%s) IS NULL", [f"sessiondb.saved_links_of_{table}"])
            if point not in {"committed", "done"} or there.fetchone() == (True,):
                return
            row = row_values(world, table, student, course if "UPDATE" in statement else world.course())
            with contextlib.suppress(errors.UndefinedColumn), connection.transaction(force_rollback=True):
                world.run("DELETE FROM {} WHERE user_id = {}", table, friend)
                tried.append(migration)
                with pytest.raises(errors.CheckViolation):
                    connection.execute(
                        sql.SQL(statement).format(
                            table=sql.Identifier(world.platform.schema, table),
                            columns=sql.SQL(", ").join(map(sql.Identifier, row)),
                            row=sql.SQL(", ").join(map(sql.Literal, row.values())),
                            id=key,
                            session=session,
                            user=student,
                        )
                    )

        run(installed_db, "rollback", tries)
        run(installed_db, "apply", tries)
        assert len(set(tried)) > 5
        assert world.stored(table, friend) == [session]


CHANGES: dict[str, LiteralString] = {
    "its key": "UPDATE submissions SET id = gen_random_uuid() WHERE user_id = %(user)s",
    "its time": "UPDATE submissions SET submitted_at = submitted_at + interval '1 s' WHERE user_id = %(user)s",
    "its partition": "UPDATE submissions SET submitted_at = '2023-06-01' WHERE user_id = %(user)s",
    "its exercise": "UPDATE submissions SET exercise_id = %(task)s WHERE user_id = %(user)s",
}


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_row_that_changes_while_links_are_saved_keeps_its_link(installed_db: PlatformDatabase, what: str) -> None:
    """At any moment before the column goes, though the link is saved by the row's key and by what it is about."""
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session = world.session(org, course)
        users = [world.user(org) for _ in range(60)]
        for user in users:
            assert world.write("submissions", user, course) == session
        changed: list[Any] = []

        def change(migration: str, point: str) -> None:
            if point in {"committed", "done"} and "0004" <= migration < "0007":
                user = users[len(changed)]
                task = world.platform.new_task(connection, course)
                assert connection.execute(CHANGES[what], {"user": user, "task": task}).rowcount == 1
                changed.append(migration)

        run(installed_db, "rollback", change)
        assert len(changed) > 5
        installed_db.apply()

        assert {user: world.stored("submissions", user) for user in users} == {user: [session] for user in users}


@pytest.mark.slow
@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("is_open", [False, True], ids=["committed", "open"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE submissions SET id = gen_random_uuid() WHERE user_id = %(user)s",
        "UPDATE submissions SET id = gen_random_uuid(), submitted_at = submitted_at - interval '1 year' WHERE user_id = %(user)s",
        "DELETE FROM submissions WHERE id = (SELECT id FROM submissions WHERE user_id = %(user)s LIMIT 1)",
    ],
)
@pytest.mark.parametrize("platform", [PLATFORMS["reference"], PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_no_link_stays_saved_under_a_key_that_its_row_had_while_a_rollback_saved_it(
    installed_db: PlatformDatabase, change: LiteralString, is_open: bool
) -> None:
    """Or the student could give it to any number of new rows."""
    with installed_db.connect() as connection, installed_db.connect() as other, contextlib.ExitStack() as waiting:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session, user = world.session(org, course), world.user(org)
        for _ in range(20):
            world.write("submissions", user, course)
        changed: list[str] = []

        def changes(migration: str, point: str) -> None:
            there = connection.execute("SELECT FROM pg_trigger WHERE tgname = 'zzz_sessiondb_save'").rowcount
            if point not in {"committed", "done"} or not there:
                return
            changed.append(migration)
            waiting.pop_all().close()
            if is_open:  # the next batch copies what was there before, and waits
                other.execute("BEGIN")
            assert other.execute(change, {"user": user}).rowcount
            if is_open:
                timer = threading.Timer(0.2, other.execute, ["COMMIT"])
                timer.start()
                waiting.callback(timer.join)

        run(installed_db, "rollback", changes, to="0005")
        waiting.pop_all().close()
        assert changed
        installed_db.rollback()
        saved = connection.execute(
            "SELECT id FROM sessiondb.saved_links_of_submissions WHERE user_id = %s AND session_id = %s",
            [user, session],
        ).fetchall()
        there_now = connection.execute("SELECT id FROM submissions WHERE user_id = %s", [user]).fetchall()
        assert sorted(saved) == sorted(there_now)


BACK = """
CREATE FUNCTION pg_temp.back(k uuid, n uuid) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN UPDATE submissions SET id = n WHERE id = k; RETURN n; END $$
"""
"""Changes a row again in RETURNING, so that the AFTER trigger of the outer UPDATE is the last one, with what is not so."""


@pytest.mark.slow
@pytest.mark.parametrize("is_forced", [False, True])
@pytest.mark.parametrize("platform", [PLATFORMS["school"], PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_no_link_is_saved_under_a_key_that_its_row_has_lost_again_in_the_same_statement(
    installed_db: PlatformDatabase, is_forced: bool
) -> None:
    schema = sql.Identifier(installed_db.platform.schema)
    with installed_db.connect() as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(schema))
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session, user = world.session(org, course), world.user(org)
        world.write("submissions", user, course)
        if is_forced:
            connection.execute(
                "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                "CREATE POLICY part ON submissions USING (id::text = current_setting('app.id', true))"
            )
        installed_db.rollback(to="0005")
        connection.execute(BACK)
        for _ in range(5):
            connection.execute(
                "UPDATE submissions SET id = gen_random_uuid() WHERE user_id = %s RETURNING pg_temp.back(id, id)",
                [user],
            )
            changed = "WITH n AS (SELECT gen_random_uuid() AS id), o AS (SELECT id FROM submissions WHERE user_id = %s)"
            connection.execute(
                f"{changed} UPDATE submissions AS s SET id = n.id FROM n, o WHERE s.id = o.id"
                " RETURNING pg_temp.back(n.id, o.id)".encode(),
                [user],
            )
        installed_db.rollback()
        saved = connection.execute(
            "SELECT id FROM sessiondb.saved_links_of_submissions WHERE user_id = %s AND session_id = %s",
            [user, session],
        ).fetchall()
        assert saved == connection.execute("SELECT id FROM submissions WHERE user_id = %s", [user]).fetchall()


@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_partition_that_is_attached_while_links_are_saved_keeps_its_own(installed_db: PlatformDatabase) -> None:
    """The next rollback saves them."""
    attach = "ALTER TABLE submissions ATTACH PARTITION submissions_2024 FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00')"
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        org, course = world.org(), world.course()
        session, user = world.session(org, course), world.user(org)
        assert world.write("submissions", user, course) == session
        connection.execute("UPDATE submissions SET submitted_at = '2024-06-01' WHERE user_id = %s", [user])
        connection.execute("ALTER TABLE submissions DETACH PARTITION submissions_2024")
        attached: list[str] = []

        def attaches(migration: str, point: str) -> None:
            if point in {"committed", "done"} and migration.startswith("0005") and not attached:
                attached.append(point)
                connection.execute(attach)

        with pytest.raises(SessiondbError, match="of table submissions_2024 are not saved") as refused:
            run(installed_db, "rollback", attaches)
        assert "Run rollback again" in str(refused.value.hint)
        installed_db.rollback()
        installed_db.apply()

        assert world.stored("submissions", user) == [session]


@on_reference
def test_a_view_that_is_made_while_a_rollback_waits_stops_it_with_what_to_do(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:

        def creates(migration: str, point: str) -> None:
            if point in {"committed", "done"} and migration.startswith("0005"):
                connection.execute("CREATE OR REPLACE VIEW late AS SELECT session_id FROM enrollments")

        with pytest.raises(SessiondbError, match="view late depends on") as refused:
            run(installed_db, "rollback", creates)
        assert "CASCADE" not in str(refused.value.hint)
        assert "drop that first" in str(refused.value.hint)
        again = on(installed_db, "rollback", "--all", "--yes")
        assert (again.code, "DROP VIEW public.late" in again.err) == (5, True)
        connection.execute("DROP VIEW late")
        assert on(installed_db, "rollback", "--all", "--yes").code == 0


@on_reference
def test_rows_without_a_link_leave_nothing_behind(installed_db: PlatformDatabase) -> None:
    """Though they are written while links are saved."""
    with installed_db.connect() as connection:

        def write(migration: str, point: str) -> None:
            if migration.startswith("0006") and point in {"committed", "done"}:
                connection.execute("UPDATE submissions SET content = 'x'")

        run(installed_db, "rollback", write)
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'sessiondb'").rowcount == 0


# a function of the guide's name

FUNCTION: LiteralString = """
    CREATE FUNCTION {}.get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid
    LANGUAGE sql AS 'SELECT NULL::uuid'
"""


@dataclass
class Rival:
    """A role that may create in the platform's schema, and creates the function at the given time."""

    db: PlatformDatabase
    role: str
    has_come: Callable[[str, str], bool]
    has_made: bool = False

    def makes(self, migration: str, point: str) -> None:
        if not self.has_made and self.has_come(migration, point):
            self.run(FUNCTION)
            self.has_made = True

    def run(self, statement: LiteralString) -> None:
        schema = sql.Identifier(self.db.platform.schema)
        with self.db.connect() as connection:
            connection.execute(
                sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, sql.Identifier(self.role))
            )
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
            connection.execute(sql.SQL(statement).format(schema))


def owner_of_the_function(db: PlatformDatabase) -> str:
    with db.connect() as connection:
        row = connection.execute(
            "SELECT p.proowner::regrole::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
            " WHERE p.proname = 'get_user_session_for_course' AND n.nspname = %s",
            [db.platform.schema],
        ).fetchone()
    assert row
    return str(row[0])


@on_reference
def test_a_function_that_a_rival_makes_after_preflight_stops_a_superuser(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    rival = Rival(platform_db, new_role, lambda migration, point: migration.startswith("0006") and point == "committed")

    with pytest.raises(SessiondbError, match=r"0007.* failed"):
        run(platform_db, "apply", rival.makes)

    assert rival.has_made
    rival.run("DROP FUNCTION {}.get_user_session_for_course")
    platform_db.apply()
    assert owner_of_the_function(platform_db) != new_role


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_a_function_that_a_rival_makes_after_preflight_stops_a_role_that_may_not_set_it_aside(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    rival = Rival(platform_db, new_role, lambda migration, point: migration.startswith("0006") and point == "committed")

    with pytest.raises(SessiondbError, match="must be owner of function"):
        run(platform_db, "apply", rival.makes)

    rival.run("DROP FUNCTION {}.get_user_session_for_course")
    platform_db.apply()
    assert owner_of_the_function(platform_db) == platform_db.platform.owner


@on_reference
def test_a_function_that_a_rival_makes_in_the_last_moment_is_not_taken_for_ours(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    rival = Rival(
        platform_db, new_role, lambda _, point: "CREATE OR REPLACE FUNCTION platform.get_user_session" in point
    )

    with pytest.raises(SessiondbError, match=r"another role created a function public\.get_user_session_for_course"):
        run(platform_db, "apply", rival.makes)

    assert rival.has_made
    rival.run("DROP FUNCTION {}.get_user_session_for_course")
    platform_db.apply()
    assert owner_of_the_function(platform_db) != new_role


@on_reference
def test_nor_is_one_that_a_rival_makes_in_the_place_of_ours(new_role: str, installed_db: PlatformDatabase) -> None:
    """Ours was dropped by hand, and is made again."""
    rival = Rival(
        installed_db, new_role, lambda _, point: "CREATE OR REPLACE FUNCTION platform.get_user_session" in point
    )
    with installed_db.connect() as connection:
        connection.execute("DROP FUNCTION get_user_session_for_course(uuid, uuid)")

    with pytest.raises(SessiondbError, match=r"another role created a function public\.get_user_session_for_course"):
        run(installed_db, "apply", rival.makes)

    assert rival.has_made
