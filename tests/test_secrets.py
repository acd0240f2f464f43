"""A password is told to nobody, and whatever is on the command line, it is answered with one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import psycopg
import pytest
from conftest import PlatformDatabase
from hypothesis import example, given, settings
from hypothesis import strategies as st
from platforms import PLATFORMS
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from test_bad_input import MALFORMED, NOBODY_THERE, PASSWORD, uri
from test_cli import ADA, commands, environment, run
from test_properties import PROFILE

import sessiondb.cli
from sessiondb.database import conninfo
from sessiondb.errors import Exit, UsageError

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)

# where a password could turn up


@pytest.mark.parametrize("command", ["apply", "status", "check", "show sessions"])
@pytest.mark.parametrize("way", NOBODY_THERE)
def test_no_command_tells_a_password_not_even_verbosely(way: str, command: str, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("query", ["CREATE ROLE {0} PASSWORD '{1}'", "SELECT 'CREATE ROLE', 'postgresql://app:{1}@db'"])
@on_reference
def test_of_who_is_in_the_way_neither_a_password_nor_an_escape_sequence_is_told(
    platform_db: PlatformDatabase, query: str
) -> None:
    with platform_db.connect() as admin:
        admin.execute("SET application_name TO 'nightly \x1b[2J'")
        with admin.transaction(force_rollback=True):
            admin.execute("LOCK TABLE enrollments")
            admin.execute(f"/* \x1b[2J */ {query.format(platform_db.name, PASSWORD)}".encode())
            done = run("-d", platform_db.conninfo(), "apply", "--lock-timeout", "0.2", "--lock-budget", "0.5")

    assert done.code == 6
    assert "nightly" in done.err
    assert "CREATE ROLE" in done.err
    assert PASSWORD not in done.out + done.err
    assert "\x1b" not in done.out + done.err


@on_reference
def test_what_is_in_a_row_does_not_steer_the_terminal(installed_db: PlatformDatabase) -> None:
    """Titles and names come from people; an escape sequence in one could rewrite what the reader sees."""
    evil = "\x1b]0;owned\x07\x9b2J[red]"
    with installed_db.connect() as connection:
        connection.execute("UPDATE courses SET title = %s", [evil])
        connection.execute("UPDATE orgs SET name = %s", [evil])
        connection.execute("UPDATE submissions SET content = %s", [evil])
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
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.out + done.err), command
        assert re.search(r"\\x1b|\\u001b", done.out)
        assert "[red]" in done.out


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
USELESS = {"demo"}  # starts a server; its one option is a directory


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
        assert "defect of sessiondb" not in err, err
        if code in {Exit.ERROR, Exit.USAGE}:
            assert re.search(r"^(sessiondb: .+\n  hint: .+|Error: .+)\n\Z", err, re.MULTILINE | re.DOTALL), err
            assert len(re.findall(r"^(sessiondb|Error): ", err, re.MULTILINE)) == 1

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
