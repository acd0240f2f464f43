"""What is printed to be pasted is ours alone: no name, value or query of another role is run, or looks like a command."""

from __future__ import annotations

import re
import shlex
import sys

import psycopg
import pytest
from conftest import PlatformDatabase
from pglast import parse_sql
from platforms import PLATFORMS
from psycopg import sql
from rich.cells import cell_len
from test_cli import at_terminal as at_terminal_of_80
from test_cli import on, read_all
from test_data_checks import FAULTS, world

from sessiondb import output
from sessiondb.errors import STATEMENTS

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

EVIL = "ALTER ROLE mallory SUPERUSER;"
COMMAND = re.compile(rf"^ {{0,8}}((?:sessiondb|{STATEMENTS}) .*)$", re.MULTILINE)
TEXTS = [
    "x'; touch pwned #",
    'x"; touch pwned #',
    "x\nOr: sessiondb rollback --all --yes",
    "x\n\\! touch pwned",
    "$(touch pwned) `touch pwned`",
    "x\x1b[2J\u202e",
    f"x: {EVIL} --",
]


def is_ours(command: str) -> bool:
    """Whether a printed line is one command of ours for a shell, or one statement for psql."""
    if command.startswith("sessiondb "):
        # what is quoted is one word; outside quotes nothing has a meaning for the shell
        words = shlex.split(command)
        bare = re.sub(r"'[^']*'|\\'", "", command)
        return bool(re.fullmatch(r"[\w@.+= -]*", bare)) and "rollback" not in words
    return len(parse_sql(command)) == 1 and "SUPERUSER" not in re.sub(
        r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "", command
    )


# on a terminal


@pytest.mark.parametrize(
    "said",
    [
        f'warning: Function mal."{{}}: {EVIL} --"() copies rows of public.enrollments by position, and will fail',
        f'sessiondb: 0008: no lock within 2 s, 3 tries; in the way: pid 1 (psql, role app, idle): "{{}} {EVIL} --"',
        f"  waiting for the end of: prepared transaction '{{}}: {EVIL} --' of role app, prepared today, and no more",
        f'  hint: Perhaps you meant to reference the column "s.{{}}: {EVIL} --" or the column "s.id" of another table.',
    ],
)
def test_a_name_or_a_query_is_on_no_line_of_its_own(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    for filled in range(80):
        output.note(said.format("x " * (filled // 2) + "x" * (filled % 2)))
    # a line that goes on is deeper than any command
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(" " * 8)]
    assert COMMAND.findall("\n".join(lines)) == []


NAMES = [
    "Chloe Martin, whose older work is not linked yet. Run: {}sessiondb rollback --all --yes #",
    'Chloe" of the course, whose work is not linked yet. Run: {}sessiondb rollback --all --yes #',
    "Chloe' \\\\ of the course. Run: {}  sessiondb rollback --all --yes #",
    '"" Chloe \N{CJK UNIFIED IDEOGRAPH-65E5} {}  sessiondb rollback --all --yes #',
]


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_a_command_on_a_screen(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor where the terminal divides what is wider than a line; no quotes of the name, and no width of it, help."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    for padding in ("x", "x ", "\N{CJK UNIFIED IDEOGRAPH-65E5}", "\N{GRADUATION CAP} "):
        for filled in range(columns):
            of_length = name.format(padding * filled)
            for said in (
                f"User {of_length}: 00000000-0000-4000-8000-0000000000b2",
                f"  00000000-0000-4000-8000-0000000000b2  {of_length} (Atelier Nord)",
                f'warning: session "{of_length}" is also active',
                f"waiting for another run: prepared transaction E'{of_length}' of role mallory",
            ):
                output.note(said)
                output.wrapped(said)
            told = capsys.readouterr()
            assert [line for line in on_screen(told.err, columns) if re.match(r" {0,6}sessiondb ", line)] == []
            assert [line for line in on_screen(told.out, columns) if re.match(r" {0,3}sessiondb ", line)] == []


def on_screen(text: str, columns: int) -> list[str]:
    """Return the lines that a terminal of so many columns shows."""
    lines = []
    for line in text.split("\n"):
        shown, width = "", 0
        for character in line:
            cells = cell_len(character)
            if width + cells > columns:
                lines.append(shown)
                shown, width = "", 0
            shown, width = shown + character, width + cells
        lines.append(shown)
    return lines


@pytest.mark.parametrize(
    "said",
    [
        "  fix: Inspect it, then rename it, and give the table of the platform its name again; or: {}",
        "    Or unlink the rows that are linked to sessions of organisations that they do not belong to: {}",
        "  hint: If it has ended: {}",
        "  fix: {}",
    ],
)
def test_a_command_of_ours_is_on_a_line_of_its_own_whatever_the_width(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    for command in (
        "sessiondb session set-status 'A session: with a name that is longer than a line' completed",
        'ALTER TABLE public.enrollments RENAME CONSTRAINT "a: name" TO another_name_that_is_long',
    ):
        output.note(said.format(command))
        assert COMMAND.findall(capsys.readouterr().err) == [command]


@on_reference
def test_what_the_one_in_the_way_says_of_itself_is_in_quotes(installed_db: PlatformDatabase) -> None:
    """The query of a student, and the name that its application gives itself: for that CONNECT is enough."""
    with installed_db.connect() as student, student.transaction(force_rollback=True):
        student.execute(f"SET application_name TO 'x: {EVIL} --'".encode())
        student.execute("LOCK TABLE submissions IN ACCESS SHARE MODE")
        student.execute(f"SELECT 1 AS a; -- {EVIL}".encode())
        pid = student.info.backend_pid
        arguments = ["rollback", "--yes", "--all", "--lock-budget", "1", "--lock-timeout", "0.3"]
        with at_terminal_of_80("-d", installed_db.conninfo(), *arguments) as (_, terminal):
            shown = read_all(terminal)
    told = " ".join(shown.split())
    assert f'pid {pid} ("x: {EVIL} --", role ' in told
    assert '"SELECT 1 AS a;"' in told  # without the comment
    assert [line for line in COMMAND.findall(shown.replace("\r", "")) if EVIL in line] == []


# names and values


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize("text", TEXTS)
def test_no_value_of_a_row_is_run_with_a_command_that_takes_something_from_it(
    text: str, platform_db: PlatformDatabase
) -> None:
    """Each check of the rows finds something, in rows with this text in every column that can hold it, also the id."""
    with platform_db.connect() as connection:
        for table in ("submissions", "enrollments"):
            connection.execute(
                f"ALTER TABLE {table} ALTER id DROP DEFAULT, ALTER id TYPE text,"
                " ALTER id SET DEFAULT gen_random_uuid()::text".encode()
            )
    platform_db.apply()
    with platform_db.connect() as connection:
        its = world(platform_db.platform, connection)
        for name, fault in FAULTS.items():
            if name != "split_students":
                fault.do(its)
        submission = platform_db.platform.submit(connection, its.students[0], its.course)
        assert submission is None
        connection.execute("SET session_replication_role TO replica")
        connection.execute("UPDATE submissions SET exercise_id = NULL, session_id = NULL WHERE session_id IS NULL")
        for table, columns in {
            "orgs": ("name", "slug"),
            "users": ("email", "full_name"),
            "courses": ("title",),
            "sessions": ("title",),
            "submissions": ("id", "content"),
            "enrollments": ("id", "status"),
        }.items():
            for column in columns:
                # with a number, where they must differ
                connection.execute(
                    sql.SQL(
                        "UPDATE {0} AS t SET {1} = {2} || repeat(' ', n.n::int) FROM"
                        " (SELECT ctid, row_number() OVER () - 1 AS n FROM {0}) AS n WHERE t.ctid = n.ctid"
                    ).format(sql.Identifier(table), sql.Identifier(column), sql.Literal(text))
                )
        connection.execute("RESET session_replication_role")
    printed = [on(platform_db, "check").out]
    printed += [
        on(platform_db, "explain", "--user", str(its.students[n]), "--course", str(its.course)).out for n in (0, 1)
    ]
    printed += [on(platform_db, "session", "create", "--org", str(its.org), "--course", str(its.course)).out]
    found = [command for out in printed for command in COMMAND.findall(out)]
    assert len(found) > 5
    assert {word for command in found for word in re.findall("^sessiondb ([a-z]+)", command)} >= {"session", "show"}
    assert [command for command in found if not is_ours(command)] == []
    assert not re.search("[\x1b\u202e]", "".join(printed))


@pytest.mark.slow
@on_reference
@pytest.mark.parametrize("text", TEXTS)
def test_no_name_is_run_with_a_command_that_takes_it(text: str, platform_db: PlatformDatabase) -> None:
    """Of columns and tables on the way to the course, triggers, indexes, keys and functions."""
    name = sql.Identifier(text)
    with platform_db.connect() as connection:
        for statement in (
            "ALTER TABLE exercises RENAME course_id TO {0}",
            "ALTER TABLE submissions RENAME exercise_id TO {0}",
            "ALTER TABLE exercises RENAME TO {0}",
            "ALTER TABLE submissions ADD {1} uuid REFERENCES {0}",
        ):
            connection.execute(sql.SQL(statement).format(name, sql.Identifier(text + "2")))
    ambiguous = on(platform_db, "apply")
    assert ambiguous.code == 5
    (path,) = re.findall("--course-path (.*)$", ambiguous.err, re.MULTILINE)
    assert re.sub(r"'[^']*'|\\'", "", path) == "", path
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("ALTER TABLE submissions DROP {}").format(sql.Identifier(text + "2")))
    assert on(platform_db, "apply", "--course-path", '"{0}"."{0}"'.format(text.replace('"', '""'))).code == 0
    with platform_db.connect() as connection:
        for statement in (
            "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END'",
            "CREATE TRIGGER {0} BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION {0}()",
            "CREATE TRIGGER {1} BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE VIEW {0}.{0} AS SELECT session_id FROM submissions",
            "ALTER TABLE {0} DROP CONSTRAINT exercises_pkey CASCADE",
        ):
            if "VIEW" in statement:
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            connection.execute(sql.SQL(statement).format(name, sql.Identifier("zzzz" + text)))
    printed = [on(platform_db, "check").out]
    refused = on(platform_db, "rollback", "--all", "--yes")
    assert refused.code == 5
    found = COMMAND.findall("".join(printed))
    found += re.findall(rf"^ +(?:fix|Then|Or): (?:[^:]*: )?((?:sessiondb|{STATEMENTS}) .*)$", refused.err, re.MULTILINE)
    assert len(found) > 3
    assert [command for command in found if not is_ours(command)] == []


# operators


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_update_that_explain_prints_uses_the_operator_of_the_key(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """For a key of type varchar the operator of another role would fit better than PostgreSQL's own."""
    with platform_db.connect() as connection:
        connection.execute(
            "ALTER TABLE submissions DROP CONSTRAINT submissions_exercise_id_fkey;"
            "ALTER TABLE exercises ALTER id DROP DEFAULT, ALTER id TYPE varchar, ALTER course_id DROP NOT NULL;"
            "ALTER TABLE submissions ALTER exercise_id TYPE varchar, ADD FOREIGN KEY (exercise_id) REFERENCES exercises"
        )
    platform_db.apply()
    with platform_db.connect() as connection:
        connection.execute("UPDATE exercises SET course_id = NULL")
        row = connection.execute("UPDATE submissions SET session_id = NULL RETURNING id").fetchone()
        connection.execute(
            f"GRANT USAGE, CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role};"
            "CREATE FUNCTION public.evil(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS"
            " 'BEGIN RAISE EXCEPTION ''intercepted''; END';"
            "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.evil); RESET ROLE".encode()
        )
        assert row
        explained = on(platform_db, "explain", "--submission", str(row[0])).out
        (statement,) = [command for command in COMMAND.findall(explained) if command.startswith("UPDATE ")]
        assert connection.execute(statement.encode()).rowcount == 1
        with pytest.raises(psycopg.Error, match="intercepted"):
            connection.execute("UPDATE exercises SET title = title WHERE id = 'x'")


@on_reference
def test_no_statement_writes_to_a_table_that_took_the_place_of_a_renamed_one(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "ALTER TABLE enrollments RENAME TO enrollments_2;"
            f"GRANT USAGE, CREATE ON SCHEMA public TO {new_role}; SET ROLE {new_role};"
            "CREATE TABLE public.enrollments (id uuid PRIMARY KEY, user_id uuid, course_id uuid, session_id uuid, other uuid);"
            "COMMENT ON COLUMN public.enrollments.other IS 'The training session that the row belongs to (sessiondb)';"
            "RESET ROLE".encode()
        )
    told = on(installed_db, "check", "renamed")
    assert told.code == 4
    assert "Table public.enrollments_2 was created or linked by sessiondb, and another enrollments exists" in " ".join(
        told.out.split()
    )
    assert COMMAND.findall(told.out) == ["sessiondb check table_owners"]
    refused = on(installed_db, "rollback", "--all", "--yes")
    assert refused.code == 5
    assert not re.search("UPDATE|DROP COLUMN", refused.err)


@on_reference
def test_no_reason_forges_a_line_of_the_procedure(installed_db: PlatformDatabase) -> None:
    """Who may run a backfill may write its progress, and so the reasons."""
    told: list[str] = []
    with installed_db.connect() as connection:
        connection.execute("CALL sessiondb.backfill()")
        connection.execute(
            "UPDATE sessiondb.backfill_progress SET finished_at = NULL, position = NULL,"
            """ reasons = '{"x\\nNOTICE:  Run: \\u001b[2J\\u202e": 1}'"""
        )
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        connection.execute("CALL sessiondb.backfill()")
    assert told
    assert not [line for line in told if "Run: " in line or not line.isprintable()]
