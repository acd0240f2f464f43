"""The workflow of the guide on an embedded PostgreSQL, with expected and actual results."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg.conninfo import make_conninfo

from sessiondb import output, resources
from sessiondb.connection import Connection, trusted
from sessiondb.embedded import SOCKET_PATH_BYTES, Server, ephemeral_server
from sessiondb.errors import UsageError

# of tests/platforms/reference.sql
BRUNO, CHLOE, DMITRI = (f"00000000-0000-4000-8000-0000000000b{n}" for n in (2, 3, 4))
COURSE = "00000000-0000-4000-8000-0000000000c1"
EXERCISE = "00000000-0000-4000-8000-0000000000e1"


@dataclass
class _Story:
    """Runs commands and statements, prints them with their results, and compares these with the expected ones."""

    program: click.Command
    dsn: str
    connection: Connection
    verbose: bool
    outcomes: list[dict[str, Any]] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        if self.outcomes:
            output.say()
        output.say(f"== {title}")

    def command(self, line: str, *, brief: bool = True) -> None:
        """Run a command as a user would type it; long output is printed only with --verbose."""
        with contextlib.ExitStack() as stack:
            quiet = stack.enter_context(Path(os.devnull).open("w"))
            if not (brief or self.verbose):
                stack.enter_context(contextlib.redirect_stdout(quiet))
            stack.enter_context(contextlib.redirect_stderr(quiet))
            output.say(f"$ sessiondb {line}")
            everything = ["--verbose"] * self.verbose
            self.program.main(["-d", self.dsn, *everything, *shlex.split(line)], standalone_mode=False)

    def sql(self, statement: str) -> Any:
        """Run a statement of the platform and return its single value."""
        value = self.value(statement)
        if self.verbose:
            output.say(f"platform=> {statement};")
            output.say(f"  {value}")
        return value

    def expect(self, what: str, expected: Any, came: Any) -> None:
        """Record and print whether a result is as expected."""
        ok = str(expected) == str(came)
        self.outcomes.append({"step": what, "expected": str(expected), "came": str(came), "ok": ok})
        detail = f" (expected {expected}, got {came})" if self.verbose or not ok else ""
        output.say(f"  {'ok' if ok else 'WRONG'}: {what}{detail}")

    def value(self, query: str) -> Any:
        row = self.connection.execute(trusted(query)).fetchone()
        return row and row[0]


def run(program: click.Command, keep: Path | None, *, as_json: bool, verbose: bool) -> bool:
    """Run the workflow and return whether all results are as expected.

    Args:
        program: the command line that runs the workflow.
        keep: a directory in which to keep the server; None leaves nothing behind.
        as_json: print one document ``{"ok", "steps": [{"step", "expected", "came", "ok"}]}`` only.
        verbose: print every statement, and ids beside names.

    Raises:
        ServerNotFound: no PostgreSQL server is installed here.
        UsageError: the kept server could have no socket there.
    """
    with contextlib.ExitStack() as stack:
        socket = keep.resolve() / "data/.s.PGSQL.5432" if keep else Path()
        if len(os.fsencode(socket)) > SOCKET_PATH_BYTES or "," in str(socket):  # libpq would read a list of hosts
            what = "is too long for the socket of a server, or has a comma"
            raise UsageError(f"the path of {keep} {what}", "Name another directory.")
        server = stack.enter_context(ephemeral_server(keep=keep))
        if keep:
            _restrict(server)
        if as_json:
            quiet = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(contextlib.redirect_stdout(quiet))
        for name in ("platform", *(["guide"] if keep else [])):
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(trusted(f"CREATE DATABASE {name}"))
            with psycopg.connect(server.dsn(name), autocommit=True) as connection:
                connection.execute(trusted(resources.reference_platform()))
        connection = stack.enter_context(psycopg.connect(server.dsn("platform"), autocommit=True))
        story = _Story(program, server.dsn("platform"), connection, verbose)
        _run(story)
    ok = all(outcome["ok"] for outcome in story.outcomes)
    if as_json:
        output.json_document({"ok": ok, "steps": story.outcomes})
    else:
        done = sum(outcome["ok"] for outcome in story.outcomes)
        output.say()
        output.say(f"{done} of {len(story.outcomes)} results are as expected.")
        if keep:
            _say_how_to_start(server, keep.resolve())
    return ok


def _restrict(server: Server) -> None:
    """Keep other accounts from the kept server: by the mode of its directory, and by asking who connects."""
    data = server.socket_dir.with_name("data")
    accounts = {pwd.getpwuid(os.geteuid()), *filter(None, [server.account])}
    (data / "pg_hba.conf").write_text("local all all peer map=keeper\n")
    (data / "pg_ident.conf").write_text("".join(f'keeper "{a.pw_name}" {server.user}\n' for a in accounts))
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("listen_addresses = ''\nunix_socket_directories = '.'\nunix_socket_permissions = 0700\n")


def _say_how_to_start(server: Server, keep: Path) -> None:
    """Print how to start the kept server, and which database is ready for the guide."""
    data = shlex.quote(str(keep / "data"))
    program = shlex.quote(str(server.bindir / "pg_ctl"))
    address = make_conninfo(host=str(keep / "data"), port=5432, user=server.user, dbname="guide")
    start = f"{program} -D {data} -l {data}/server.log start"
    if server.account:  # the server refuses root
        start = f"runuser -u {server.account.pw_name} -- {start}"
    output.say()
    output.say(f"The server is kept in {keep}. Start it:")
    output.say(f"  {start}")
    output.say("To follow the guide, use its database guide; database platform is as the demo left it:")
    output.say(f"  export DATABASE_URL={shlex.quote(address)}")
    output.say("  sessiondb status")


def _run(story: _Story) -> None:
    story.chapter("Students submit, but no session exists: the trainer's dashboard is empty")
    numbers = story.sql("SELECT count(*) || ', ' || (SELECT count(*) FROM submissions) FROM sessions")
    story.expect("there are 0 sessions and 3 submissions", "0, 3", numbers)

    story.chapter("Install sessiondb, then open a session; older rows are linked at once")
    story.command("apply")
    story.command("org create --name 'Mon Organisation' --slug mon-org", brief=False)
    story.command("member add --org mon-org --user ada@example.org --role trainer", brief=False)
    story.command("member add --org mon-org --user bruno@example.org", brief=False)
    story.command(
        "session create --org mon-org --course 'Python for beginners' --title 'Session Automne 2024' --backfill"
    )
    autumn = story.value("SELECT id FROM sessions WHERE title = 'Session Automne 2024'")
    linked = story.sql(f"SELECT session_id FROM submissions WHERE user_id = '{BRUNO}'")
    story.expect("Bruno's submission from before is in the autumn session", autumn, linked)
    story.expect("so is the next one, without a command", autumn, story.sql(_submission(BRUNO)))

    story.chapter("Why is Chloe's work missing?")
    story.command("explain --user chloe@example.org --course 'Python for beginners'")
    story.command("member add --org mon-org --user chloe@example.org --backfill")
    linked = story.sql(f"SELECT session_id FROM submissions WHERE user_id = '{CHLOE}'")
    story.expect("Chloe's submission is in the autumn session", autumn, linked)

    story.chapter("A winter session opens; sessions are optional, and closed to others")
    story.command(
        "session create --org mon-org --course 'Python for beginners' --title 'Session Hiver 2025'", brief=False
    )
    winter = story.value("SELECT id FROM sessions WHERE title = 'Session Hiver 2025'")
    story.expect("Bruno, enrolled in autumn, submits to autumn", autumn, story.sql(_submission(BRUNO)))
    story.command("member add --org mon-org --user dmitri@example.org", brief=False)
    enrolled = story.sql(
        f"INSERT INTO enrollments (user_id, course_id) VALUES ('{DMITRI}', '{COURSE}') RETURNING session_id"
    )
    story.expect("Dmitri enrols now, and is in winter", winter, enrolled)
    story.command("member remove --org mon-org --user dmitri@example.org", brief=False)
    story.expect("a student of no organisation submits without a session", None, story.sql(_submission(DMITRI)))
    try:
        story.sql(
            "INSERT INTO submissions (user_id, exercise_id, content, session_id) "
            f"VALUES ('{DMITRI}', '{EXERCISE}', 'print(42)', '{autumn}') RETURNING session_id"
        )
        refused = "stored"
    except psycopg.errors.CheckViolation as error:
        if story.verbose:
            output.say(f"  ERROR: {error.diag.message_primary}")
            output.say(f"  DETAIL: {error.diag.message_detail}")
        refused = "refused"
    story.expect("and cannot write into the session of an organisation", "refused", refused)

    story.chapter("Verification")
    story.command("session list", brief=False)
    story.command("show enrollments", brief=False)
    story.command("show submissions", brief=False)
    story.command("show submissions --unlinked")
    story.command("check", brief=False)
    unlinked = story.value("SELECT count(*) FROM submissions WHERE session_id IS NULL")
    story.expect("only Dmitri's submissions have no session", 2, unlinked)


def _submission(user: str) -> str:
    return (
        "INSERT INTO submissions (user_id, exercise_id, content) "
        f"VALUES ('{user}', '{EXERCISE}', 'print(42)') RETURNING session_id"
    )
