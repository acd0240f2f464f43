"""Names that hold what we quote with, what we put names in the place of, or what ends a line or a comment.

A schema, a column and a table on the way to the course may have any name. Each is handled from the first apply to the last
rollback, by the command line and by psql, or refused before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import Connection, RenamedPlatform
from psycopg import sql
from sqltext import ROOT
from test_checks import check, look
from test_cli import on
from test_plan import by_psql, psql, script_for
from test_rules import World

from sessiondb.migrate import Runner

__all__ = ["psql"]  # a fixture

MARKS = {
    "half a tag": "$function",
    "a longer tag": "$function_d41d8cd98f00b204e9800998ecf8427e$ $function$",
    "quotes": """it's a "name" """,
    "a quote at the end": "name'",
    "a double quote at the end": 'name"',
    "backslashes": r"\1 \g<0> \n \\",
    "a backslash at the end": "name\\",
    "a line break": "two\nlines\r\n",
    "comments": "/* a */ b -- c",
    "the end of a comment": "*/ name",
    "the beginning of a comment": "name /*",
    "the end of a statement": "a; COMMIT; --",
    "format": "%s %I %L %1$s 100%",
    "str.format": "{0} {facts} {names} {course}",
    "a query of ours": "{course_paths()} {states}",
    "parameters": """$1 %(session)s :x :'y' :"z" """,
    "commands of psql": "\\gset \\q :sessiondb",
    "our schema": "sessiondb.x",
    "characters that are invisible": "a\u202eb\u200bc\t",
    "dots": "a.b.c",
}
ALONE = {
    "our name for the schema": "platform",
    "what the schema is put in": "platform.sessions",
    "the longest": "é" * 31,
    "a word of SQL": "select",
}
"""What means something as the whole name only."""

REFUSED = {
    "what the course is put in": "course_of(NEW)",
    "what the path is put in": "SET search_path FROM CURRENT",
    "what the user of staff is put in": "a staff_user",
    "what the roles of a policy are put in": "readers_of_submissions b",
}
"""PostgreSQL would put a name in the middle of these when it makes our functions."""

SOURCES = [*(ROOT / "sql").rglob("*.sql"), *(ROOT / "migrations").glob("*.sql"), *(ROOT / "src").rglob("*.py")]


def packed() -> list[str]:
    """All marks, and all tags of dollar quoting that a text of ours has, as many in a name as it can hold."""
    tags = {tag for path in SOURCES for tag in re.findall(r"\$[a-z]*\w*\$", path.read_text(encoding="utf-8"))}
    names = [*ALONE.values()]
    for mark in sorted([*MARKS.values(), *tags], key=lambda mark: (mark[-1] in "'\"\\", mark)):
        fitting = (n for n in range(len(ALONE), len(names)) if len(f"{names[n]} {mark}".encode()) <= 63)
        if (at := next(fitting, None)) is None or names[at][-1] in "'\"\\":
            names.append(mark)
        else:
            names[at] += f" {mark}"
    return names


class OddPlatform(RenamedPlatform):
    """The reference platform with odd names for the schema, the column and the table on the way to the course."""

    def load(self, conn: Connection) -> None:
        super().load(conn)
        table = sql.Identifier(self.schema, "exercises")
        conn.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(table, sql.Identifier(self.task_tables[0][0])))


def odd(mark: str) -> OddPlatform:
    is_bare = re.fullmatch("[a-z_]+", mark) and mark != "select"
    return OddPlatform(
        name="odd",
        schema=mark,
        course_path=f"exercise_id.{mark if is_bare else sql.Identifier(mark).as_string()}",
        task_column="exercise_id",
        task_tables=((mark, mark),),
        extras={mark: {"title": "An exercise"}},
    )


@contextmanager
def loaded(cluster: Cluster, mark: str) -> Iterator[PlatformDatabase]:
    platform = odd(mark)
    with cluster.new_database(platform) as database:
        with database.connect() as connection:
            platform.load(connection)
        yield database


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.like_cases) for name in packed()])
def odd_db(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[PlatformDatabase]:
    with loaded(cluster, request.param) as database:
        yield database


def test_no_comment_of_a_source_is_compiled() -> None:
    """A name that is put into a comment could end it."""
    for folder in ("functions", "triggers"):
        for path in (ROOT / "sql" / folder).glob("*.sql"):
            plain = re.sub(
                r"^ *-- citus:.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE
            )  # code, or left out
            comments = " ".join(re.findall(r"/\*.*?\*/|--[^\n]*", plain, re.DOTALL))
            assert not re.search(r'\bplatform\.[A-Za-z_"{]|course_of\(\w+\)|search_path FROM CURRENT', comments), path


def works(db: PlatformDatabase) -> None:
    with db.connect() as connection:
        world = World(db.platform, connection)
        org, course = world.org(), world.course()
        before = world.user(org)
        session = world.session(org, course)
        for table in ("enrollments", "submissions"):
            user = world.user(org)
            assert world.write(table, user, course) == session
            assert world.find(user, course) == session
            world.run("ALTER TABLE {} DISABLE TRIGGER USER", table)
            assert world.write(table, before, course) is None
            world.run("ALTER TABLE {} ENABLE TRIGGER USER", table)
        assert check(db) == []
        backfilled = on(db, "backfill")
        assert backfilled.code == 0, backfilled
        for table in ("enrollments", "submissions"):
            assert world.stored(table, before) == [session]
    for command in ("show submissions", "show enrollments --unlinked", "show submissions --unlinked", "plan", "check"):
        done = on(db, *command.split())
        assert done.code == 0, done
    for other in ("session list", f"session create --course {course} --by {before} --org"):
        with db.connect() as connection:
            slug = World(db.platform, connection).run("SELECT slug FROM {} WHERE id = {}", "orgs", org)[0][0]
        done = on(db, *other.split(), *([slug] if other.endswith("--org") else []))
        assert done.code == 0, done
    explained = on(db, "explain", "--user", str(before), "--course", str(course), "--format", "json")
    assert explained.json["reason"] == "linked"
    status = on(db, "status", "--format", "json")
    assert status.json["schema"] == db.platform.schema
    assert status.json["course_path"] == db.platform.course_path


def tables(connection: Connection) -> list[tuple[str, ...]]:
    """The tables of the platform with their columns."""
    return connection.execute(
        "SELECT c.oid::regclass::text, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sessiondb') ORDER BY 1, 2"
    ).fetchall()


@pytest.mark.slow
def test_any_name_is_handled_from_apply_to_rollback(odd_db: PlatformDatabase) -> None:
    with odd_db.connect() as connection:
        before = tables(connection)
    applied = on(odd_db, "apply")
    assert applied.code == 0, applied
    works(odd_db)
    rolled_back = on(odd_db, "rollback", "--all", "--yes")
    assert rolled_back.code == 0, rolled_back
    with odd_db.connect() as connection:
        assert tables(connection) == before
    assert on(odd_db, "apply").code == 0
    assert check(odd_db) == []


@pytest.mark.slow
def test_any_name_is_handled_by_the_script_for_psql(odd_db: PlatformDatabase, psql: str, tmp_path: Path) -> None:
    if re.search(r"[\x00-\x1f]|\$(preflight|workers)\$", odd_db.platform.schema):
        refused = on(odd_db, "plan", "--sql")
        assert (refused.code, refused.out) == (2, "")
        assert "sessiondb apply" in refused.err
        return
    done = by_psql(psql, odd_db, script_for(odd_db), tmp_path)

    assert done.code == 0, done.err
    works(odd_db)
    with odd_db.database().connect() as connection:
        assert Runner(connection).apply() == []
    assert check(odd_db) == []


@pytest.mark.parametrize("mark", REFUSED)
def test_what_we_put_names_in_the_place_of_is_refused_before_anything_is_changed(
    cluster: Cluster, psql: str, tmp_path: Path, mark: str
) -> None:
    with loaded(cluster, REFUSED[mark]) as db:
        found = {(f.check, f.object) for f in look(db) if f.level == "error"}
        schema = f'Schema "{db.platform.schema}"'
        assert found == {("names", schema), ("names", f"Course path {db.platform.course_path}")}
        assert on(db, "apply").code == 5
        assert "preflight refuses" in by_psql(psql, db, script_for(db), tmp_path).err
        with db.connect() as connection:
            assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'sessiondb'").rowcount == 0
            connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO plain").format(sql.Identifier(db.platform.schema)))
        assert on(db, "apply", "--schema", "plain").code == 5  # for the column alone
