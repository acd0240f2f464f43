"""The migrations: what they leave in the platform and take away again, what their files say, what the ledger holds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlencode
from uuid import UUID

import pytest
import yoyo
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import Diagnostic
from yoyo.internalmigrations import needs_upgrading

from sessiondb import objects, resources
from sessiondb.connection import Connection, trusted
from sessiondb.errors import SessiondbError, UsageError
from sessiondb.installation import installation
from sessiondb.ledger import Script, read_migrations
from sessiondb.migrate import Runner
from sessiondb.objects import CODE

Dump = Callable[..., str]

FILES = sorted(resources.MIGRATIONS.glob("*.sql"))
SQL_FILES = sorted(resources.SQL.rglob("*.sql"))
IDS = [path.stem for path in FILES if not path.name.endswith(".rollback.sql")]
TABLES = ("enrollments", "submissions")

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
VERBS = {*["ALTER", "CALL", "COMMENT", "CREATE", "DELETE", "DO", "DROP", "INSERT", "REVOKE", "UPDATE"]}
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def run(connection: Connection, db: PlatformDatabase, query: LiteralString, table: str, *values: object) -> list[Any]:
    """Run SQL in which the first ``{}`` is a table of the platform and the others are values; the first column."""
    name = sql.Identifier(db.platform.schema, table)
    cursor = connection.execute(sql.SQL(query).format(name, *map(sql.Literal, values)))
    return [row[0] for row in cursor] if cursor.description else []


def links(connection: Connection, db: PlatformDatabase, user: UUID) -> dict[str, list[UUID | None]]:
    """The sessions of a user's rows in the two tables."""
    return {table: run(connection, db, "SELECT session_id FROM {} WHERE user_id = {}", table, user) for table in TABLES}


def place(connection: Connection, db: PlatformDatabase, user: UUID, session: UUID | None) -> None:
    """Give the user's rows a session by hand."""
    for table in TABLES:
        run(connection, db, "UPDATE {} SET session_id = {} WHERE user_id = {}", table, session, user)


@pytest.fixture
def linked(installed_db: PlatformDatabase) -> tuple[UUID, UUID, UUID]:
    """A user whose enrolment and submission are linked: the user, the session, and an older one of the same course."""
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course, user = platform.add_org(connection), platform.add_course(connection), platform.add_user(connection)
        platform.add_member(connection, org, user)
        older = platform.add_session(connection, org, course)
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, user, course) == platform.submit(connection, user, course) == session
    return user, session, older


class TestApply:
    def test_twice_changes_nothing(self, installed_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(installed_db), ledger_rows(installed_db)
        assert installed_db.apply() == []
        assert (dump(installed_db), ledger_rows(installed_db)) == before

    def test_leaves_in_the_platform_schema_only_what_the_guide_names(
        self, platform_db: PlatformDatabase, installed_db: PlatformDatabase
    ) -> None:
        added = objects_of(installed_db) - objects_of(platform_db)
        indexes = {name for kind, _, name in added if kind == "index"}
        assert added - {item for item in added if item[0] == "index"} == {
            ("function", "", "get_user_session_for_course"),
            *(("column", table, "session_id") for table in TABLES),
            *(("constraint", table, f"{table}_session_id_fkey") for table in TABLES),
            *(
                ("trigger", f"{table}s", f"zzz_sessiondb_{verb}_{table}{event}")
                for table in ("enrollment", "submission")
                for verb, event in (("check", ""), ("check", "_update"), ("link", ""), ("link", "_update"))
            ),
        }
        assert (
            {f"{table}_session_id_idx" for table in TABLES}
            <= indexes
            <= {
                "sessions_active_org_id_course_id_idx",
                "org_members_user_id_org_id_idx",
                "enrollments_user_id_course_id_idx",
                *(f"{table}_session_id_idx" for table in TABLES),
            }
        )

    def test_makes_no_schema_but_sessiondb(self, platform_db: PlatformDatabase, installed_db: PlatformDatabase) -> None:
        query = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'"
        with platform_db.connect() as before, installed_db.connect() as after:
            added = {*after.execute(query)} - {*before.execute(query)}
        assert added == {("sessiondb",)}

    def test_uses_no_name_that_postgresql_would_shorten(self, platform_db: PlatformDatabase) -> None:
        notices: list[Diagnostic] = []
        with platform_db.database().connect() as connection:
            connection.add_notice_handler(notices.append)
            connection.execute("SET client_min_messages = notice")
            Runner(connection).apply()
        assert [notice.message_primary for notice in notices if notice.sqlstate == "42622"] == []

    def test_of_an_unknown_migration_is_refused(self, platform_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(platform_db)
        with pytest.raises(UsageError, match='no migration "0099"'):
            platform_db.apply(to="0099")
        assert dump(platform_db) == before


def objects_of(db: PlatformDatabase) -> set[tuple[str, str, str]]:
    """Kind, table and name of what is in the platform's schema; of what partitions inherit, only the parent's."""
    query = """
        WITH platform AS (
            SELECT c.* FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = %(schema)s AND NOT c.relispartition
        )
        SELECT 'column', h.relname, a.attname FROM platform AS h
          JOIN pg_attribute AS a ON a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE h.relkind NOT IN ('i', 'I')
         UNION ALL
        SELECT CASE WHEN h.relkind IN ('i', 'I') THEN 'index' ELSE 'relation' END, '', h.relname FROM platform AS h
         UNION ALL
        SELECT 'constraint', h.relname, k.conname FROM platform AS h
          JOIN pg_constraint AS k ON k.conrelid = h.oid
         UNION ALL
        SELECT 'trigger', h.relname, t.tgname FROM platform AS h
          JOIN pg_trigger AS t ON t.tgrelid = h.oid AND NOT t.tgisinternal
         UNION ALL
        SELECT 'rule', h.relname, r.rulename FROM platform AS h JOIN pg_rewrite AS r ON r.ev_class = h.oid
         UNION ALL
        SELECT 'policy', h.relname, p.polname FROM platform AS h JOIN pg_policy AS p ON p.polrelid = h.oid
         UNION ALL
        SELECT 'function', '', p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE n.nspname = %(schema)s
         UNION ALL
        SELECT 'type', '', t.typname FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
         WHERE n.nspname = %(schema)s
        """
    with db.connect() as connection:
        return {*connection.execute(query, {"schema": db.platform.schema})}


class TestRollback:
    def test_of_all_leaves_the_platform_as_it_was(self, platform_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(platform_db)
        assert platform_db.apply() == IDS
        assert platform_db.rollback() == IDS[::-1]
        assert dump(platform_db) == before

    def test_of_all_leaves_but_the_saved_links(
        self, installed_db: PlatformDatabase, platform_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID], dump: Dump
    ) -> None:
        installed_db.rollback()
        assert dump(installed_db, exclude_sessiondb=True) == dump(platform_db)
        with installed_db.connect() as connection:
            left = connection.execute(
                "SELECT relname::text, relkind::text FROM pg_class"
                " WHERE relnamespace = 'sessiondb'::regnamespace AND relkind <> 'i' ORDER BY relname"
            ).fetchall()
            functions = "SELECT FROM pg_proc WHERE pronamespace = 'sessiondb'::regnamespace"
            assert connection.execute(functions).rowcount == 0
        assert left == [(f"saved_links_of_{table}", "r") for table in ("enrollments", "submissions")]

    @pytest.mark.slow
    def test_and_apply_leads_where_the_first_apply_led(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID], dump: Dump
    ) -> None:
        first = dump(installed_db)
        for _ in range(2):
            installed_db.rollback()
            assert installed_db.apply() == IDS
            assert dump(installed_db) == first

    @pytest.mark.slow
    def test_step_by_step_goes_back_the_way_that_apply_came(
        self, platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
    ) -> None:
        way = [parts(dump(platform_db))]
        with platform_db.database().connect() as connection:
            for id_ in IDS:
                assert Runner(connection).apply(to=id_) == [id_]
                way.append(parts(dump(platform_db)))
            assert way.pop() == parts(dump(installed_db))
            for undone, kept in zip(reversed(IDS), [*reversed(IDS[:-1]), None], strict=True):
                assert Runner(connection).rollback(to=kept) == [undone]
                left = parts(dump(platform_db))
                # the keys of our columns go with them
                keys = [part for part in left if "_session_id_fkey" in part] if undone[:4] in ("0004", "0003") else []
                assert sum("ADD CONSTRAINT" in part for part in keys) == {"0004": 2, "0003": 1}.get(undone[:4], 0)
                assert [part for part in left if part not in keys] == way.pop(), undone

    def test_of_a_platform_without_sessiondb_does_nothing(self, platform_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(platform_db)
        assert platform_db.rollback() == []
        assert dump(platform_db) == before

    def test_to_an_unknown_migration_is_refused(self, installed_db: PlatformDatabase, dump: Dump) -> None:
        before = dump(installed_db)
        with pytest.raises(UsageError, match='no migration "0099"'):
            installed_db.rollback(to="0099")
        assert dump(installed_db) == before


def parts(dump: str) -> list[str]:
    """The objects of a dump but those that keep the links while a rollback is under way."""
    return [
        part
        for part in dump.split("\n--\n-- Name: ")
        if not re.match(".*(saved_links_of_|changed_rows_of_|zzz_sessiondb_save)", part)
    ]


class TestLinksOverARollback:
    def test_come_back(self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID]) -> None:
        user, _, older = linked
        with installed_db.connect() as connection:
            place(connection, installed_db, user, older)  # which no trigger would choose
            installed_db.rollback()
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [older] for table in TABLES}

    def test_come_back_when_they_were_written_during_the_rollback(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID]
    ) -> None:
        user, _, older = linked
        installed_db.rollback(to="0005")  # all is saved, the columns are still there
        with installed_db.connect() as connection:
            place(connection, installed_db, user, older)
            installed_db.rollback()
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [older] for table in TABLES}

    def test_come_back_as_null_when_they_were_ended_during_the_rollback(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID]
    ) -> None:
        user, _, _ = linked
        installed_db.rollback(to="0005")
        with installed_db.connect() as connection:
            place(connection, installed_db, user, None)
            installed_db.rollback()
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [None] for table in TABLES}

    def test_are_let_go_when_their_session_is_deleted(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID], dump: Dump
    ) -> None:
        user, session, _ = linked
        before = dump(installed_db)
        installed_db.rollback()
        with installed_db.connect() as connection:
            run(connection, installed_db, "DELETE FROM {} WHERE id = {}", "sessions", session)
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [None] for table in TABLES}
        assert dump(installed_db) == before

    def test_are_let_go_when_their_row_is_deleted(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID], dump: Dump
    ) -> None:
        user, _, _ = linked
        before = dump(installed_db)
        installed_db.rollback()
        with installed_db.connect() as connection:
            for table in reversed(TABLES):
                run(connection, installed_db, "DELETE FROM {} WHERE user_id = {}", table, user)
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [] for table in TABLES}
        assert dump(installed_db) == before

    def test_give_way_to_what_the_row_was_linked_to_since(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID]
    ) -> None:
        user, _, older = linked
        installed_db.rollback()
        installed_db.apply(to="0005")  # the columns are there, nothing is restored yet
        with installed_db.connect() as connection:
            place(connection, installed_db, user, older)
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [older] for table in TABLES}

    def test_come_back_though_the_user_has_left(
        self, installed_db: PlatformDatabase, linked: tuple[UUID, UUID, UUID]
    ) -> None:
        user, session, _ = linked
        with installed_db.connect() as connection:
            run(connection, installed_db, "DELETE FROM {} WHERE user_id = {}", "org_members", user)
            installed_db.rollback()
            installed_db.apply()
            assert links(connection, installed_db, user) == {table: [session] for table in TABLES}

    @pytest.mark.slow
    @on_reference
    def test_come_back_by_the_thousand(self, installed_db: PlatformDatabase) -> None:
        platform, count = installed_db.platform, 12_000
        with installed_db.connect() as connection:
            org, course = platform.add_org(connection), platform.add_course(connection)
            session = platform.add_session(connection, org, course)
            connection.execute(
                """
                WITH people AS (
                    INSERT INTO users (email) SELECT n || '@example.org' FROM generate_series(1, %s) AS n RETURNING id
                )
                INSERT INTO org_members (org_id, user_id) SELECT %s, id FROM people
                """,
                [count, org],
            )
            enrol = "INSERT INTO enrollments (user_id, course_id) SELECT user_id, %s FROM org_members WHERE org_id = %s"
            connection.execute(enrol, [course, org])
            installed_db.rollback()
            installed_db.apply()
            linked = connection.execute("SELECT FROM enrollments WHERE session_id = %s", [session]).rowcount
        assert linked == count


class TestTheFiles:
    @each_file
    def test_are_named_after_what_they_do(self, path: Path) -> None:
        assert re.fullmatch(r"\d{4}\.[a-z]+-[a-z_]+(-[a-z_]+)*(\.rollback)?\.sql", path.name)

    def test_come_in_pairs_and_are_numbered_without_gaps(self) -> None:
        names = [f"{id_}{ending}" for id_ in IDS for ending in (".rollback.sql", ".sql")]
        assert [path.name for path in FILES] == sorted(names)
        assert [int(id_[:4]) for id_ in IDS] == list(range(1, len(IDS) + 1))

    def test_say_what_they_depend_on(self) -> None:
        migrations = yoyo.read_migrations(str(resources.MIGRATIONS))
        for migration in migrations:
            migration.load()
        depends = {migration.id: [before.id for before in migration.depends] for migration in migrations}
        assert depends == {id_: [before] if before else [] for before, id_ in pairwise(["", *IDS])}

    @pytest.mark.parametrize("path", SQL_FILES + FILES, ids=lambda path: path.name)
    def test_are_ascii_with_unix_line_endings(self, path: Path) -> None:
        assert not re.search(rb"[^\x20-\x7e\n]", path.read_bytes())

    @each_file
    def test_say_what_happens_if_the_process_dies(self, path: Path) -> None:
        header, _, _ = path.read_text().partition("\n\n")
        assert re.search(r"(-- |\. )If the process dies: \w", header)
        assert script(path).transactional == ("If the process dies: nothing was committed" in header)

    @each_file
    def test_say_which_lock_each_statement_takes(self, path: Path) -> None:
        """Those of the steps say it with each statement that they return."""
        header, _, _ = path.read_text().partition("\n\n")
        for item in script(path).items:
            if item.startswith("-- step: "):
                continue
            named = re.findall(r"^-- lock(?: where [^:]+)?: [A-Z ]+ on \w", item, re.MULTILINE)
            assert bool(named) is not ("Locks: none on the platform's tables" in header)

    @each_file
    def test_are_of_statements_or_of_steps(self, path: Path) -> None:
        steps = re.findall(r"^-- step: (.*)$", path.read_text(), re.MULTILINE)
        if steps:
            assert [*script(path).items] == [f"-- step: {step}" for step in steps]
            assert not re.sub(r"^--.*$", "", path.read_text(), flags=re.MULTILINE).strip()
            assert {step.split()[0] for step in steps} <= {*resources.names("steps")}
        else:
            assert [bare(item) for item in script(path).items] == psql_statements(path.read_text())

    @each_file
    def test_hold_no_statement_that_ends_a_transaction_or_prints_rows(self, path: Path) -> None:
        for item in script(path).items:
            verb, _, _ = bare(item).partition(" ")
            assert item.startswith("-- step: ") or verb in VERBS

    @each_file
    def test_hold_no_text_of_a_function_or_trigger(self, path: Path) -> None:
        assert not re.search(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE|TRIGGER)", path.read_text())

    @pytest.mark.parametrize("id_", IDS)
    def test_name_the_objects_that_come_with_them(self, id_: str) -> None:
        """For the reader; what comes with which migration is said in the list."""
        text = (resources.MIGRATIONS / f"{id_}.sql").read_text()
        named = re.findall(r"^-- object: (\w+) (\w+)(, where .*)?$", text, re.MULTILINE)
        listed = {
            (o.kind, o.name, bool(o.found_after == id_[:4])) for o in objects.of_migration(id_[:4]) if o.kind in CODE
        }
        assert {(kind, name, bool(where)) for kind, name, where in named} == listed
        assert len(named) == len(listed)


def script(path: Path) -> Script:
    """A migration or a rollback as the runner reads it."""
    id_ = path.name.removesuffix(".sql").removesuffix(".rollback")
    (migration,) = (m for m in read_migrations(resources.MIGRATIONS) if m.id == id_)
    return migration.rollback if ".rollback" in path.name else migration.apply


def bare(statement: str) -> str:
    """A statement without the comments before it and the semicolon."""
    return re.sub(r"^(\s*--.*\n)*", "", statement).strip().rstrip(";")


def psql_statements(text: str) -> list[str]:
    """Cut as psql does: at the semicolons outside of quotes, dollar quotes, comments and parentheses."""
    token = r"--.*|/\*(?:.|\n)*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$(?:.|\n)*?\$\1\$|[();]"
    cuts, depth = [0], 0
    for match in re.finditer(token, text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] == ";" and depth == 0:
            cuts.append(match.end())
    return [bare(text[start:end]) for start, end in pairwise(cuts)]


class TestAFileThatWasTamperedWith:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The migrations, to be changed."""
        folder = shutil.copytree(resources.MIGRATIONS, tmp_path / "migrations")
        monkeypatch.setattr(resources, "MIGRATIONS", folder)
        return folder

    @pytest.fixture
    def refused(self, installed_db: PlatformDatabase, dump: Dump) -> Callable[[str], None]:
        """Expect neither apply nor rollback to do anything."""
        before = dump(installed_db), ledger_rows(installed_db)

        def refused(message: str) -> None:
            for command in (installed_db.apply, installed_db.rollback):
                with pytest.raises(SessiondbError, match=message) as raised:
                    command()
                assert raised.value.hint or "must contain" in message
            assert (dump(installed_db), ledger_rows(installed_db)) == before

        return refused

    @on_reference
    def test_after_it_was_applied_is_refused(self, folder: Path, refused: Callable[[str], None]) -> None:
        with folder.joinpath(f"{IDS[4]}.sql").open("a") as file:
            file.write("SELECT 1;\n")
        refused(rf"migration {IDS[4]} was edited after it was applied")

    @on_reference
    def test_in_a_rollback_file_or_a_line_for_the_reader_is_no_change(
        self, folder: Path, installed_db: PlatformDatabase
    ) -> None:
        """A mistake in a rollback file can be corrected, and an object be taken off the list, after a release."""
        with folder.joinpath(f"{IDS[4]}.rollback.sql").open("a") as file:
            file.write("-- corrected\n")
        first = folder / f"{IDS[0]}.sql"
        first.write_text(first.read_text().replace("-- object: function compile\n", ""))
        assert installed_db.apply() == []
        assert installed_db.rollback() == IDS[::-1]

    @on_reference
    def test_by_taking_its_rollback_away_is_refused(self, folder: Path, refused: Callable[[str], None]) -> None:
        folder.joinpath(f"{IDS[-1]}.rollback.sql").unlink()
        refused(f"migration {IDS[-1]} has no rollback file")

    @on_reference
    def test_by_taking_it_away_is_refused(self, folder: Path, refused: Callable[[str], None]) -> None:
        for ending in (".sql", ".rollback.sql"):
            folder.joinpath(f"{IDS[-1]}{ending}").unlink()
        refused(f"migration {IDS[-1]} is applied here, but this sessiondb does not have it")

    @on_reference
    def test_by_taking_its_dependency_away_is_refused(self, folder: Path, refused: Callable[[str], None]) -> None:
        last = folder / f"{IDS[-1]}.sql"
        last.write_text(last.read_text().replace(f"-- depends: {IDS[-2]}\n", "--\n"))
        refused(f"migration {IDS[-1]} must contain: -- depends: ")

    @pytest.mark.parametrize("newline", ["\r\n", " \n", "\t\r\n"], ids=["CRLF", "trailing blanks", "both"])
    @on_reference
    def test_in_its_line_endings_only_is_the_same(
        self, folder: Path, installed_db: PlatformDatabase, newline: str
    ) -> None:
        for path in folder.glob("*.sql"):
            path.write_bytes(path.read_text().replace("\n", newline).encode())
        assert installed_db.apply() == []
        assert installed_db.rollback() == IDS[::-1]
        assert installed_db.apply() == IDS

    @on_reference
    def test_with_crlf_makes_the_same_objects(
        self, folder: Path, platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
    ) -> None:
        for path in folder.glob("*.sql"):
            path.write_bytes(path.read_text().replace("\n", "\r\n").encode())
        platform_db.apply()
        assert dump(platform_db) == dump(installed_db)


class TestTheList:
    """sql/objects.toml says what there is."""

    @pytest.mark.parametrize("kind", CODE)
    def test_has_an_entry_for_each_file_and_a_file_for_each_entry(self, kind: str) -> None:
        assert resources.names(CODE[kind]) == sorted(o.name for o in objects.objects() if o.kind == kind)

    @pytest.mark.parametrize("o", [o for o in objects.objects() if o.kind in CODE], ids=lambda o: o.name)
    def test_has_one_object_a_file_of_its_name(self, o: objects.Object) -> None:
        statement = r"^CREATE (OR REPLACE FUNCTION|OR REPLACE PROCEDURE|OR REPLACE TRIGGER|POLICY) (?:sessiondb\.|platform\.)?(\w+)"
        ((_, name),) = re.findall(statement, o.source, re.MULTILINE)
        assert name == o.name
        assert not o.source.endswith(";")

    def test_says_what_the_catalogs_show_after_an_apply(self, installed_db: PlatformDatabase) -> None:
        with installed_db.connect() as connection:
            functions = connection.execute(
                """
                SELECT p.proname::text, oidvectortypes(p.proargtypes), obj_description(p.oid, 'pg_proc'),
                       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
                  FROM pg_proc AS p
                 WHERE p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course'
                """
            ).fetchall()
            triggers = connection.execute(
                "SELECT t.tgname::text, obj_description(t.oid, 'pg_trigger') FROM pg_trigger AS t"
                " WHERE starts_with(t.tgname, 'zzz_sessiondb_') AND t.tgparentid = 0"
                " AND NOT starts_with(t.tgname, 'zzz_sessiondb_require_owner')"
            ).fetchall()
        listed = objects.objects()
        assert {*functions} == {(o.name, o.args, o.comment, o.public) for o in listed if o.kind == "function"}
        assert {*triggers} == {(o.name, o.comment) for o in listed if o.kind == "trigger"}

    def test_is_compiled_alike_in_python_and_in_sql(self, installed_db: PlatformDatabase) -> None:
        with installed_db.database().connect() as connection:
            there = installation(connection)
            recorded = connection.execute("SELECT kind, parent, name, sha256 FROM sessiondb.objects").fetchall()
        of_each = {(kind, parent, name): sha256 for kind, parent, name, sha256 in recorded if sha256}
        assert of_each == {o.key: o.sha256(there) for o in objects.listed(there) if o.kind in CODE}


class TestTheLedger:
    def test_can_be_read_by_yoyo(self, installed_db: PlatformDatabase) -> None:
        migrations = yoyo.read_migrations(str(resources.MIGRATIONS))
        with yoyo_backend(installed_db) as backend:
            assert not needs_upgrading(backend)
            assert [m.id for m in backend.to_apply(migrations)] == []
            assert [m.id for m in backend.to_rollback(migrations)] == IDS[::-1]
            assert backend.get_applied_migration_hashes() == [m.hash for m in read_migrations(resources.MIGRATIONS)]

    def test_can_be_read_by_yoyo_half_way(self, installed_db: PlatformDatabase) -> None:
        installed_db.rollback(to=IDS[5])
        migrations = yoyo.read_migrations(str(resources.MIGRATIONS))
        with yoyo_backend(installed_db) as backend:
            assert not needs_upgrading(backend)
            assert [m.id for m in backend.to_apply(migrations)] == IDS[6:]

    def test_logs_who_applied_and_who_rolled_back(self, installed_db: PlatformDatabase) -> None:
        installed_db.rollback(to=IDS[-2])
        installed_db.apply()
        with installed_db.connect() as connection:
            log = connection.execute(
                "SELECT operation, migration_id, created_at_utc - timezone('UTC', now()) BETWEEN '-1 h' AND '1 min',"
                " username <> '' AND hostname <> '' FROM sessiondb._yoyo_log ORDER BY created_at_utc"
            ).fetchall()
        done = [*(("apply", id_) for id_ in IDS), ("rollback", IDS[-1]), ("apply", IDS[-1])]
        assert log == [(*entry, True, True) for entry in done]


@contextmanager
def yoyo_backend(db: PlatformDatabase) -> Iterator[Any]:
    """A connection of yoyo's own, which makes tables of its own when it opens."""
    address = {name: value for name, value in conninfo_to_dict(db.conninfo()).items() if name != "dbname"}
    backend = yoyo.get_backend(f"postgresql+psycopg:///{db.name}?{urlencode({**address, 'schema': 'sessiondb'})}")
    with closing(backend.connection):
        yield backend


def ledger_rows(db: PlatformDatabase) -> list[tuple[Any, ...]]:
    with db.connect() as connection:
        return [
            row
            for table in (
                "_yoyo_migration",
                "_yoyo_log",
                "_yoyo_version",
                "migration_content",
                "objects",
                "installation",
            )
            for row in connection.execute(trusted(f"SELECT to_jsonb(t)::text FROM sessiondb.{table} AS t ORDER BY 1"))
        ]
