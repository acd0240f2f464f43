"""No password is ever printed, and any command line is answered with one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import click
import psycopg
import pytest
from conftest import Part, PlatformDatabase
from hypothesis import example, given, settings
from hypothesis import strategies as st
from platforms import PLATFORMS
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb
from rich.cells import cell_len
from test_bad_input import MALFORMED, NOBODY_THERE, PASSWORD, uri
from test_cli import ADA, SQL, Run, commands, environment, run
from test_properties import PROFILE

import sessiondb.cli
from sessiondb import output
from sessiondb.address import conninfo
from sessiondb.errors import Exit, UsageError

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

# where a password could turn up


@pytest.mark.parametrize("command", ["apply", "status", "check", "show sessions"])
@pytest.mark.parametrize("way", NOBODY_THERE)
def test_no_command_prints_a_password_not_even_verbosely(way: str, command: str, tmp_path: Path) -> None:
    arguments, env = NOBODY_THERE[way]
    services = tmp_path / "services"
    services.write_text(f"[platform]\nhost=127.0.0.1\nport=1\nuser=owner\ndbname=platform\npassword={PASSWORD}\n")

    done = run("-v", *arguments, *command.split(), env={**env, "PGSERVICEFILE": str(services)})

    assert (done.code, done.out) == (1, "")
    assert PASSWORD not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("way", MALFORMED)
def test_no_malformed_address_is_told_not_even_verbosely(way: str) -> None:
    done = run("-v", "-d", MALFORMED[way], "status")

    assert (done.code, done.out) == (2, "")
    assert PASSWORD not in done.err


@pytest.mark.parametrize("option", ["-d", "--dsn="])
def test_no_address_in_another_encoding_is_told(option: str) -> None:
    latin = os.fsdecode(b"\xe9")
    done = run(f"{option}postgresql://owner:{PASSWORD}{latin}@127.0.0.1:1/platform", "status")

    assert (done.code, done.out) == (2, "")
    assert PASSWORD not in done.err
    assert "database address" in done.err


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        ([uri(), "status"], {}),
        (["status", uri()], {}),
        (["backfill", f"--batch-rows={uri()}"], {}),
        (["--schema", uri(), "status"], {}),
        (["-d", f"dbname={uri()}", "status"], {}),
        (["-d", f"host=127.0.0.1;port=1;password={PASSWORD};database=x", "status"], {}),
        (["status"], {"PGDATABASE": uri()}),
    ],
    ids=[
        "for a command",
        "for an argument",
        "for a number",
        "for a schema",
        "for a database",
        "ADO.NET's",
        "PGDATABASE",
    ],
)
@on_reference
def test_no_address_in_the_wrong_place_is_told(
    platform_db: PlatformDatabase, arguments: list[str], env: dict[str, str]
) -> None:
    """It is taken for something else, and named as what is wrong."""
    own = {name: str(value) for name, value in conninfo_to_dict(platform_db.conninfo()).items()}
    server = {f"PG{name.upper()}": own[name] for name in ("host", "port", "user", "password") if name in own}
    server["PGDATABASE"] = platform_db.name

    done = run(*arguments, env=server | env)

    assert done.code in (1, 2)
    assert PASSWORD not in done.out + done.err
    assert "..." in done.err


@on_reference
def test_no_password_reaches_the_server_but_to_log_in(platform_db: PlatformDatabase) -> None:
    """Neither as a part of what others see of the connection, nor as a setting."""
    with platform_db.database().connect() as connection:
        row = connection.execute("SELECT a::text FROM pg_stat_activity AS a WHERE pid = pg_backend_pid()").fetchone()
        own = (
            make_conninfo(platform_db.conninfo(), password=PASSWORD)
            if "password" not in platform_db.conninfo()
            else None
        )
    assert row
    assert "sessiondb" in row[0]
    if own is None:
        return  # a server that wants its own password
    done = run("-v", "-d", own, "apply")
    assert done.code == 0
    assert PASSWORD not in done.out + done.err
    with psycopg.connect(own) as connection:
        ledger = connection.execute("SELECT string_agg(l::text, ' ') FROM sessiondb._yoyo_log AS l").fetchone()
    assert ledger
    assert PASSWORD not in ledger[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a process change what ps shows of it")
@pytest.mark.parametrize("form", ["URI", "key=value", "malformed"])
def test_ps_does_not_show_a_password(form: str) -> None:
    """Once the program has begun; so better a service or a passfile."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        address = {
            "URI": uri(host=f"127.0.0.1:{port}"),
            "key=value": f"host=127.0.0.1 port={port} user=owner password='{PASSWORD}'",
            "malformed": f"host=127.0.0.1 port={port} user=owner:{PASSWORD}@platform",
        }[form]
        with subprocess.Popen(
            [sys.executable, "-m", "sessiondb", "-d", address, "status"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            silent.settimeout(60)
            with silent.accept()[0]:  # it has read its arguments
                shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.kill()
    assert PASSWORD.encode() not in shown
    assert shown.split(b"\0")[-4:-2] == [b"-d", b"x" * len(address)]


@pytest.mark.parametrize(
    "query",
    [
        "CREATE ROLE {0} PASSWORD '{1}'",
        """SELECT 1 AS "CREATE ROLE", 'postgresql://app:{1}@db'""",
        """SELECT 1 AS "CREATE ROLE", 'postgresql://app@example.org:{1}@db'""",
        """SELECT 1 AS "CREATE ROLE", 'client_secret' = '{1}'""",
        """SELECT 1 AS "CREATE ROLE", '{1}' AS mot_de_passe""",
        """SELECT 1 AS "CREATE ROLE", E'it\\'s', '{1}'""",
        """SELECT 1 AS "CREATE ROLE", 'it''s {1}', $it$'$it$, $$ '{1} $$, '{1}'""",
        """SELECT 1 AS "CREATE ROLE" /* bob's */, '{1}'""",
        """SELECT 1 AS "CREATE ROLE" -- don't
           , '{1}'""",
        """SELECT 1 AS "it's CREATE ROLE", '{1}'""",
        """SELECT 1 AS "CREATE ROLE" /* a /* b */ it's */, '{1}'""",
        r"""SELECT 1 AS "CREATE ROLE", 'x' LIKE 'y' ESCAPE '\' OR '{1}' = 'z'""",
        'SELECT 1 AS "CREATE ROLE"; SET app.pass TO "{1}"',
        'SELECT 1 AS "CREATE ROLE"; SET LOCAL app.token = "{1}"',
        """SELECT 1 AS "CREATE ROLE"; SET LOCAL "app.password" TO {2}""",
        """SELECT 1 AS "CREATE ROLE"; SET "app" . token TO {2}""",
        """SELECT 1 AS "CREATE ROLE"; SET /* of it */ SESSION/* */app.jwt TO {2}""",
        """SELECT 1 AS "CREATE ROLE"; ALTER ROLE CURRENT_USER SET "app.token" TO {2}""",
    ],
)
@on_reference
def test_neither_a_password_nor_an_escape_sequence_of_a_blocking_session_is_printed(
    platform_db: PlatformDatabase, query: str
) -> None:
    word = re.sub(r"\W", "_", PASSWORD)
    with platform_db.connect() as admin:
        admin.execute("SET application_name TO 'nightly \x1b[2J'")
        with admin.transaction(force_rollback=True):
            admin.execute("LOCK TABLE enrollments")
            admin.execute(f"/* \x1b[2J */ {query.format(platform_db.name, PASSWORD, word)}".encode())
            done = run("-d", platform_db.conninfo(), "apply", "--lock-timeout", "0.2", "--lock-budget", "0.5")

    assert done.code == 6
    assert "nightly" in done.err
    assert "CREATE ROLE" in done.err
    assert PASSWORD not in done.out + done.err
    assert word not in done.out + done.err
    assert "\x1b" not in done.out + done.err


@on_reference
def test_the_query_of_a_blocking_session_does_not_steer_psql(installed_db: PlatformDatabase) -> None:
    """The script for psql prints the detail of this error as it is."""
    with installed_db.connect() as admin, installed_db.connect() as waiting, admin.transaction(force_rollback=True):
        admin.execute(f"/* \x1b[2J\u202e{UNSEEN[:9]} */ LOCK TABLE enrollments".encode())
        waiting.execute("SET lock_timeout TO '200ms'")
        with pytest.raises(errors.LockNotAvailable) as refused:
            waiting.execute("CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', '{public.enrollments}')")
    detail = refused.value.diag.message_detail or ""
    assert "LOCK TABLE enrollments" in detail
    assert detail == output.visible(detail)


@on_reference
def test_what_is_in_a_row_does_not_steer_the_terminal(installed_db: PlatformDatabase) -> None:
    """Titles and names come from people; an escape sequence in one could rewrite what the reader sees."""
    evil = f"\x1b]0;owned\x07\x9b2J{UNSEEN}[red]"
    with installed_db.connect() as connection:
        connection.execute("UPDATE courses SET title = %s", [evil])
        connection.execute("UPDATE orgs SET name = %s", [evil])
        connection.execute("UPDATE submissions SET content = %s", [evil])
        connection.execute(sql.SQL("ALTER TABLE submissions ADD {} jsonb").format(sql.Identifier(f"a{UNSEEN[:9]}b")))
        connection.execute("UPDATE submissions SET {} = %s".format('"a' + UNSEEN[:9] + 'b"').encode(), [Jsonb([evil])])
        course = connection.execute("SELECT id FROM courses LIMIT 1").fetchone()
    assert course
    for command in (
        f"explain --user {ADA} --course {course[0]}",
        "show submissions",
        "--format json show submissions",
        f"--format json explain --user {ADA} --course {course[0]}",
        f"session create --org atelier-nord --course {course[0]} --by {ADA}",
        "session list",
    ):
        done = run("-d", installed_db.conninfo(), *command.split())
        assert done.code == 0
        assert not re.search(rf"[{UNSEEN}]", (done.out + done.err).replace("\n", "")), command
        assert re.search(r"\\x1b|\\u001b", done.out)
        if command not in ("show submissions", "session list"):  # where it is cut to the width of the terminal
            assert re.search(r"\\u202e", done.out)
            assert "[red]" in done.out
        if command.startswith("--format json show"):
            assert {row["content"] for row in done.json} == {evil}  # nothing is lost


def test_what_is_not_seen_is_all_that_unicode_has_of_it() -> None:
    """Control characters, ends of lines and formats, and what is to be ignored where a font does not have it."""
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} or character in IGNORED:
            assert output.visible(character) == character.encode("unicode_escape").decode()
        elif not 0xD800 <= ord(character) < 0xE000 and unicodedata.category(character) != "Cn":
            assert output.visible(character) == character or character in "\u2800\ufffb" + WIDER
    for text in ("é", "l'été à Orléans", "日本語", "עברית", "🎓", "a\\b", "e\u0301"):
        assert output.visible(text) == text


# DerivedCoreProperties.txt: Default_Ignorable_Code_Point, where it is assigned and no format character
IGNORED = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
WIDER = "\u302e\u302f" + "".join(map(chr, [*range(0x3248, 0x3250), *range(0x4DC0, 0x4E00), *range(0x1F3FB, 0x1F400)]))
"""Of one cell for Python and rich, of two for the C library and tmux: a line would be wrapped by the terminal."""
UNSEEN = "".join(
    c for c in map(chr, range(1, sys.maxunicode + 1)) if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"}
)
FORGED = "x\n-[ 2 ]-----\nid | 1\rsessiondb: all is well\u2028{\u0085}\x0b\x0c\x1c\u2029warning: y\n  fix: DROP TABLE z"


@pytest.mark.parametrize("columns", ["40", "1000"])
def test_no_row_forges_another_however_it_is_printed(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "dumb")
    rows = [{"id": n, "title": FORGED, f"na\nme{FORGED}": [FORGED], "none": None} for n in range(3)]

    output.table(rows)
    output.table(rows, {"id": "id", "title": "title", "names": f"na\nme{FORGED}"})
    lines = capsys.readouterr().out.split("\n")
    assert all(line.isprintable() for line in lines)
    assert [len(line) for line in lines if not line.strip()] == [0]
    assert len(lines) == 2 * (2 + 3) + 1
    assert all(len(line) <= int(columns) for line in lines[5:])
    output.wrapped(FORGED, "error    ")
    first, *lines = capsys.readouterr().out.split("\n")
    assert first.isprintable()
    assert all(line.isprintable() and re.match(r"         \S|\Z", line) for line in lines)
    output.csv_rows({"text": row["title"], "list": [row["title"]], "object": {"x": row["title"]}} for row in rows)
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))
    for print_line in (output.say, output.note):
        print_line(FORGED)
        shown = capsys.readouterr()
        (line, rest) = (shown.out + shown.err).split("\n")
        assert rest == ""
        assert line.isprintable()
    output.paragraph(FORGED, 2)
    lines = capsys.readouterr().out.split("\n")
    assert all(line.isprintable() and re.match(r"  \S|\Z", line) for line in lines)  # wrapped, but never at the left


def test_no_row_is_wider_than_the_terminal_whatever_is_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or the terminal would begin a line with what is next. As glibc, tmux and xterm count, a spacing mark is a cell."""
    monkeypatch.setenv("COLUMNS", "60")
    titles = ["a" + "\u0903" * 59 + "rm -rf ~/x", "日本語" * 30, "e\u0301" * 100, "short", "हिन्दी (2)" * 9]
    output.table(
        [{"id": 1, "title": title, "status": "active"} for title in titles],
        {"id": "id", "title": "title", "status": "status"},
    )
    for line in capsys.readouterr().out.splitlines():
        assert line.endswith(("active", "status", "------"))
        marks = sum(unicodedata.category(c) == "Mc" for c in line)
        assert cell_len(line) + marks <= 60


@on_reference
def test_no_name_forges_a_line_of_a_refusal(platform_db: PlatformDatabase) -> None:
    """A role that may create in the schema could choose what the fix asks the DBA to run."""
    forged = "zz\nThen: DROP SCHEMA public\n  fix: DROP SCHEMA public -- \u202e"
    with platform_db.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.session_id := NULL; RETURN NEW; END';"
                "CREATE TRIGGER {} BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION f()"
            ).format(sql.Identifier(forged))
        )
    for arguments in (["apply"], ["apply", "--adopt", "--dry-run"]):
        done = run("-d", platform_db.conninfo(), *arguments)
        assert not re.search(r"^ *(fix|Then): DROP SCHEMA", done.err, re.MULTILINE)
        assert "\\n  fix: DROP SCHEMA public -- \\u202e" in done.err
        assert "\u202e" not in done.out + done.err
    batch = run("plan", "--sql", "--single-transaction").out
    with platform_db.connect() as connection, pytest.raises(psycopg.Error, match="fix: DROP SCHEMA") as refused:
        connection.execute(batch.encode())
    assert not re.search(r"^ *(fix|Then): DROP SCHEMA|\u202e", str(refused.value), re.MULTILINE)


@on_reference
def test_no_name_forges_a_line_of_a_check(installed_db: PlatformDatabase) -> None:
    forged = "zzzz\nerror: y: \u202e"
    with installed_db.connect() as connection:
        connection.execute(
            sql.SQL("CREATE TRIGGER {} BEFORE INSERT ON submissions FOR EACH ROW EXECUTE FUNCTION tf()")
            .format(sql.Identifier(forged))
            .as_string()
            .replace("tf()", "suppress_redundant_updates_trigger()")
            .encode()
        )
        connection.execute(
            "CREATE OR REPLACE FUNCTION sessiondb.link_submission() RETURNS trigger LANGUAGE plpgsql AS"
            " E'BEGIN /*\\n-[ 2 ]---\\rcheck | x\\nerror: z \u202e\\n*/ RETURN NEW; END'".encode()
        )
    for form in ("table", "junit", "json"):
        done = run("-d", installed_db.conninfo(), "check", "--format", form, "triggers_last", "installed_objects")
        assert done.code == 4
        assert not re.search(r"^(error: [yz]|-\[ 2 \]|check \|)", done.out, re.MULTILINE)
        assert "\r" not in done.out
        assert "\u202e" not in done.out
        assert r"\u202e" in done.out


@on_reference
def test_no_row_forges_a_line_of_an_error(installed_db: PlatformDatabase) -> None:
    with installed_db.connect() as connection:
        connection.execute("CREATE UNIQUE INDEX ON orgs (name)")
        connection.execute("INSERT INTO orgs (name, slug) VALUES (E'a\\nsessiondb: done\u202e', 'x')".encode())
    done = run("-d", installed_db.conninfo(), "org", "create", "--name", "a\nsessiondb: done\u202e", "--slug", "y")

    assert done.code == 1
    assert len(done.err.splitlines()) == 2
    assert "\u202e" not in done.err


# wherever a password stands, and however it is spelled

PARTS_OF_IT = PASSWORD.split("-")
SPELLINGS = {
    "URI": uri(),
    "URI with an @ in the user": uri(user="owner@example.org"),
    "URI with an encoded @ in the user": uri(user="owner%40example.org"),
    "URI with an @ in the password": uri(user="owner:my@").replace(":s3", "s3"),
    "URI with a / in the password": uri(user="owner:1/").replace(":s3", "s3"),
    "URI with a ? in the password": uri(user="owner:1/a?").replace(":s3", "s3"),
    "URI with a blank in the password": uri(user="owner:my ").replace(":s3", "s3"),
    "URI with the colon encoded": uri(user="owner%3A").replace(":s3", "s3"),
    "URI without a host": f"postgresql://owner:{PASSWORD}",
    "URI with parameters": f"postgresql://127.0.0.1:1/platform?user=owner&password={PASSWORD}&sslmode=disable",
    "URI with several hosts": f"postgresql://owner:{PASSWORD}@127.0.0.1:1,127.0.0.1:2/platform",
    "URI of SQLAlchemy": uri("postgresql+psycopg"),
    "URI of JDBC": f"jdbc:postgresql://127.0.0.1:1/platform?user=owner&password={PASSWORD}",
    "URI that is longer than a name": uri(user="owner-of-the-tables-of-the-platform-of-the-s"),
    "no scheme": f"owner:{PASSWORD}@127.0.0.1:1/platform",
    "half a scheme": f"//owner:{PASSWORD}@127.0.0.1:1/platform",
    "key=value": f"host=127.0.0.1 port=1 user=owner password={PASSWORD} dbname=platform",
    "key = value": f"host = 127.0.0.1 port = 1 password = {PASSWORD}",
    "quoted": f"host=127.0.0.1 port=1 password='my {PASSWORD}' dbname=platform",
    "quoted, with quotes in it": f"host=127.0.0.1 port=1 password='it\\'s {PASSWORD}' dbname=platform",
    "in double quotes": f'host=127.0.0.1 port=1 password="my {PASSWORD}" dbname=platform',
    "with a blank, not quoted": f"host=127.0.0.1 port=1 password=my {PASSWORD} dbname=platform",
    "sslpassword": f"host=127.0.0.1 port=1 sslpassword={PASSWORD}",
    "pwd": f"host=127.0.0.1;port=1;pwd={PASSWORD};database=platform",
    "Pwd of ADO.NET": f"Host=127.0.0.1;Port=1;Pwd={PASSWORD}",
    "PGPASSWORD": f"PGPASSWORD={PASSWORD}",
    "option": f"--password={PASSWORD}",
    "line of a passfile": f"127.0.0.1:1:platform:owner:{PASSWORD}",
    "passfile": f"*:*:*:*:my {PASSWORD}\n127.0.0.1:1:*:owner:{PASSWORD}\n",
    "service file": f"[platform]\nhost=127.0.0.1\nport=1\nuser=owner\npassword=my {PASSWORD}\n",
    "JSON": f'{{"host": "127.0.0.1", "password": "{PASSWORD}"}}',
}
ARGUMENTS = [
    "--schema {} status",
    "--schema {} apply",
    "--schema {} plan --sql",
    "--schema={} plan",
    "apply --course-path {}",
    "plan --course-path {}",
    "plan --sql --course-path {}",
    "apply --to {}",
    "rollback --to {} --yes",
    "org create --name x --slug {}",
    "org create --name {} --slug mon-org",
    "member add --org {} --user %(user)s",
    "member add --org atelier-nord --user %(user)s --role {}",
    "session create --org {} --course %(course)s --by %(user)s",
    "session create --org atelier-nord --course %(course)s --by %(user)s --title {}",
    "session create --org atelier-nord --course %(course)s --by %(user)s --title={} --format json",
    "session create --org atelier-nord --course %(course)s --by %(user)s --status {}",
    "session set-status %(user)s {}",
    "session set-status {} active",
    "session create --org atelier-nord --course {} --by %(user)s",
    "session create --org atelier-nord --course %(course)s --by {}",
    "member list --org {}",
    "member set-role --org atelier-nord --user {} trainer",
    "member set-role --org atelier-nord --user %(user)s {}",
    "member remove --org {} --user %(user)s",
    "explain --user {} --course %(course)s",
    "explain --user %(user)s --course {}",
    "show sessions --session {}",
    "backfill --session {}",
    "backfill --batch-rows {}",
    "show {}",
    "check {}",
    "status {}",
    "--format {} status",
    "{} status",
    "-d {} status",
    "--dsn={} status",
]
VARIABLES = [
    *("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGOPTIONS", "PGAPPNAME", "PGPASSFILE"),
    *("PGSSLMODE", "PGSSLCERT", "PGCLIENTENCODING", "PGCHANNELBINDING", "PGTARGETSESSIONATTRS", "PGCONNECT_TIMEOUT"),
    *("SESSIONDB_DATABASE_URL", "DATABASE_URL"),
]


def assert_kept(done: Run, where: object) -> None:
    for word in PARTS_OF_IT:
        assert word not in done.out + done.err, (where, done)
    assert "bug in sessiondb" not in done.err, (where, done)
    assert "Traceback" not in done.err, (where, done)


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize("spelling", SPELLINGS)
@on_reference
def test_no_password_in_any_argument_is_printed(installed_db: PlatformDatabase, spelling: str, part: Part) -> None:
    text = SPELLINGS[spelling]
    for template in part(ARGUMENTS):
        words = [w.replace("%(user)s", ADA).replace("%(course)s", SQL).replace("{}", text) for w in template.split()]
        assert_kept(run("-v", "-d", installed_db.conninfo(), *words), template)
        if " " in text and "=" not in template:  # the shell has cut it
            cut = [one for word in words for one in (word.split() if word == text else [word])]
            assert_kept(run("-v", "-d", installed_db.conninfo(), *cut), template)


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS)
@on_reference
def test_no_password_in_any_variable_is_told(installed_db: PlatformDatabase, spelling: str, part: Part) -> None:
    own = {name: str(value) for name, value in conninfo_to_dict(installed_db.conninfo()).items()}
    server = {f"PG{name.upper()}": own[name] for name in ("host", "port", "user", "password") if name in own}
    for name in part(VARIABLES):
        for command in ("status", "apply"):
            env = {**server, "PGDATABASE": installed_db.name, name: SPELLINGS[spelling]}
            assert_kept(run("-v", command, env=env), name)


@pytest.mark.parametrize("name", ["PGHOST", "PGUSER", "PGDATABASE", "PGPORT", "PGSERVICE"])
@pytest.mark.parametrize("form", ["owner:{}", "owner: {}", "owner:{}@127.0.0.1", "{0}@x:{0}"])
@on_reference
def test_no_password_beside_a_name_is_told(installed_db: PlatformDatabase, name: str, form: str) -> None:
    own = {key: str(value) for key, value in conninfo_to_dict(installed_db.conninfo()).items()}
    server = {f"PG{key.upper()}": own[key] for key in ("host", "port", "user", "password") if key in own}
    password = f"1,{PASSWORD}" if name == "PGPORT" else PASSWORD

    env = {
        **server,
        "PGDATABASE": installed_db.name,
        name: form.replace("{0}@", "owner@").replace("{0}", "{}").format(password),
    }
    assert_kept(run("-v", "status", env=env), name)
    key = {"PGDATABASE": "dbname"}.get(name, name[2:].lower())
    dsn = make_conninfo("", **{k.removeprefix("PG").lower().replace("database", "dbname"): v for k, v in env.items()})
    assert f"{key}=" in dsn
    assert_kept(run("-v", "-d", dsn, "status"), name)


@pytest.mark.parametrize("key", ["host", "user", "dbname", "port", "sslmode", "options"])
@pytest.mark.parametrize("form", ["owner:{}", "postgresql://owner@x:{}@127.0.0.1:1/platform", "password = {}"])
def test_no_password_in_the_wrong_place_of_a_service_file_is_told(tmp_path: Path, key: str, form: str) -> None:
    services = tmp_path / "services"
    given = {"host": "127.0.0.1", "port": "1", "user": "owner", key: form.format(PASSWORD)}
    services.write_text("[platform]\n" + "".join(f"{name}={value}\n" for name, value in given.items()))

    for arguments, env in ((["-d", "service=platform"], {}), ([], {"PGSERVICE": "platform"})):
        done = run("-v", *arguments, "status", env={**env, "PGSERVICEFILE": str(services)})
        assert done.code in (1, 2)
        assert_kept(done, key)


@on_reference
def test_a_password_that_is_a_common_word_hides_nothing_else(installed_db: PlatformDatabase) -> None:
    """Where it stands where it belongs."""
    own = {name: str(value) for name, value in conninfo_to_dict(installed_db.conninfo()).items()}
    user = quote(own["user"])
    address = f"postgresql://{user}:public@/{own['dbname']}?host={quote(own['host'], safe='')}&port={own['port']}"
    if "password" in own:
        return  # a server that wants its own
    for arguments, env in ((["-d", address], {}), ([], {"DATABASE_URL": address})):
        assert run(*arguments, "status", env=env).out.startswith("Database ")
        assert run(*arguments, "--format", "json", "status", env=env).json["schema"] == "public"


@on_reference
def test_what_a_row_holds_is_not_taken_for_a_password_of_the_user(installed_db: PlatformDatabase) -> None:
    text = f"Exercise: connect with {uri()} or password = 'x'; 10:30 @ home"
    with installed_db.connect() as connection:
        connection.execute("UPDATE submissions SET content = %s", [text])

    for form in ("table", "csv", "json"):
        shown = run("-d", installed_db.conninfo(), "show", "submissions", "--format", form, "--wide")
        assert text in shown.out


# whatever is on the command line

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
numbers = st.one_of(st.integers(), st.floats()).map(str)
names = st.sampled_from(
    ["0002", "active", "exercise_id.course_id", "public", "json", "reference", '"', "'", "%s", "{0}"]
)
undecodable = st.binary(max_size=5).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"")))
values = st.one_of(
    texts, numbers, names, st.uuids().map(str), undecodable, st.sampled_from(["", "-", "--", "-1", "\n"])
)
USELESS = {"demo", "trainer"}  # they start a server; their options are a directory, and a port and a user


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    path, command = draw(st.sampled_from([(p, c) for p, c in commands(sessiondb.cli.cli) if p and p[0] not in USELESS]))
    words = [*path]
    for parameter in command.params:
        given = draw(st.integers(0, 2)) if not parameter.required else draw(st.integers(0, 9))
        for _ in range(min(given, 1)):
            if isinstance(parameter, click.Argument):
                words += draw(st.lists(values, min_size=1, max_size=2))
            elif parameter.name not in {"help", "version", "dsn", "yes"}:
                words.append(draw(st.sampled_from(parameter.opts)))
                words += [] if getattr(parameter, "is_flag", False) else [draw(values)]
    return words


@pytest.mark.slow
@on_reference
def test_any_command_line_is_answered_with_an_exit_code_and_one_message(
    new_role: str, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a role that may read all, so that what is understood does no harm."""
    with installed_db.connect() as connection:
        connection.execute(f"GRANT pg_read_all_data TO {new_role}".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA sessiondb TO {new_role}".encode())
    monkeypatch.setattr("sessiondb.cli._hide_passwords", lambda: None)  # it would look at ours
    codes = set()

    @settings(PROFILE, max_examples=150)
    @given(command_lines())
    @example(["status"])
    @example(["show", "students"])
    def answer(words: list[str]) -> None:
        code, out, err = in_process("-d", installed_db.conninfo(new_role), *words)
        codes.add(code)
        assert code in {*Exit}
        assert "Traceback" not in out + err
        assert "bug in sessiondb" not in err, err
        if code in {Exit.ERROR, Exit.USAGE}:
            said = r"^(sessiondb: .+\n  hint: .+|Error: .+|\{\"error\": \{.+\}\})\n\Z"
            assert re.search(said, err, re.MULTILINE | re.DOTALL), err
            assert len(re.findall(r"^(sessiondb: |Error: |\{\"error\")", err, re.MULTILINE)) == 1

    answer()
    assert {Exit.DONE, Exit.USAGE} <= codes


def in_process(*words: str) -> tuple[int, str, str]:
    """The command line in this process: its exit code and what it prints."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(sys, "argv", ["sessiondb", *words])
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        with pytest.raises(SystemExit) as ended:
            sessiondb.cli.main()
        for stream in (out, err):
            stream.flush()
        said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return int(ended.value.code or 0), said[0], said[1]


PARTS = "postgresql:// postgres: // user : @ [::1 ] / ? & = % %zz platform port service password sslmode options ' \\ 5432 , é"
parts = st.sampled_from([*PARTS.split(), " ", "\n", "\udcff"])


@settings(PROFILE, max_examples=400)
@given(st.one_of(st.lists(parts, max_size=12).map("".join), texts))
@example("postgresql://owner:s3cr3t@[::1/platform")
def test_any_address_is_understood_or_refused_without_being_repeated(text: str) -> None:
    try:
        said = conninfo(text + PASSWORD).replace(PASSWORD, "", 1)
    except UsageError as error:
        said = f"{error} {error.hint}"
    assert PASSWORD not in said
