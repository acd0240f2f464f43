"""The guide's whole workflow on an embedded PostgreSQL, with expected and actual results."""

from __future__ import annotations

import contextlib
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg

from sessiondb import output, resources
from sessiondb.database import Connection, trusted
from sessiondb.embedded import ephemeral_server

# People and things of tests/platforms/reference.sql
BRUNO, CHLOE, DMITRI = (f"00000000-0000-4000-8000-0000000000b{n}" for n in (2, 3, 4))
COURSE = "00000000-0000-4000-8000-0000000000c2"
EXERCISE = "00000000-0000-4000-8000-0000000000e3"


@dataclass
class _Story:
    """Runs commands and statements, prints them with their results, and keeps what was expected."""

    program: click.Command
    dsn: str
    connection: Connection
    outcomes: list[dict[str, Any]] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        output.say()
        output.say(f"== {title}")

    def command(self, line: str) -> None:
        """Run a command of ours as a user would type it."""
        output.say()
        output.say(f"$ sessiondb {line}")
        with Path(os.devnull).open("w") as quiet, contextlib.redirect_stderr(quiet):
            self.program.main(["-d", self.dsn, *shlex.split(line)], standalone_mode=False)

    def sql(self, statement: str) -> Any:
        """Run a statement of the platform and return the one value that it returns."""
        output.say()
        output.say(f"platform=> {statement};")
        row = self.connection.execute(trusted(statement)).fetchone()
        output.say(f"  {row[0] if row else '(no row)'}")
        return row and row[0]

    def expect(self, what: str, expected: Any, came: Any) -> None:
        """Keep and print whether something came out as expected."""
        ok = str(expected) == str(came)
        self.outcomes.append({"step": what, "expected": str(expected), "came": str(came), "ok": ok})
        output.say(f"  {'ok' if ok else 'WRONG'}: {what} (expected {expected}, got {came})")

    def value(self, query: str) -> Any:
        row = self.connection.execute(trusted(query)).fetchone()
        return row and row[0]


def tell(program: click.Command, keep: Path | None, *, as_json: bool) -> bool:
    """Run the workflow and return whether all results are as expected.

    Args:
        program: the command line that runs it.
        keep: a directory in which to keep the database; None leaves nothing behind.
        as_json: print one document ``{"ok", "steps": [{"step", "expected", "came", "ok"}]}`` only.

    Raises:
        ServerNotFound: no PostgreSQL server is installed here.
    """
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ephemeral_server(keep=keep))
        if as_json:
            quiet = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(contextlib.redirect_stdout(quiet))
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform")
        connection = stack.enter_context(psycopg.connect(server.dsn("platform"), autocommit=True))
        connection.execute(trusted(resources.reference_platform()))
        story = _Story(program, server.dsn("platform"), connection)
        _tell(story)
    ok = all(outcome["ok"] for outcome in story.outcomes)
    if as_json:
        output.json_document({"ok": ok, "steps": story.outcomes})
    else:
        done = sum(outcome["ok"] for outcome in story.outcomes)
        output.say()
        output.say(f"{done} of {len(story.outcomes)} expectations came true.")
        if keep:
            output.say(f"The database is kept in {keep}/data.")
    return ok


def _tell(story: _Story) -> None:
    story.chapter("The problem: students submit, and the trainer's dashboard stays empty")
    sessions = story.sql("SELECT count(*) FROM sessions")
    story.expect("no session was ever created", 0, sessions)
    submissions = story.sql("SELECT count(*) FROM submissions")
    story.expect("yet students have submitted", True, submissions > 0)

    story.chapter("sessiondb is applied")
    story.command("apply")

    story.chapter("The guide: an organisation, its members, a session")
    story.command("org create --name 'Mon Organisation' --slug mon-org")
    story.command("member add --org mon-org --user ada@example.org --role trainer")
    story.command("member add --org mon-org --user bruno@example.org")
    story.command("member add --org mon-org --user chloe@example.org")
    story.command(
        "session create --org mon-org --course 'Data with SQL' --by ada@example.org --title 'Session Automne 2024'"
    )
    autumn = story.value("SELECT id FROM sessions WHERE title = 'Session Automne 2024'")
    story.expect("the session is there and active", 1, story.value("SELECT count(*) FROM sessions"))

    story.chapter("Bruno enrols and submits: both rows link themselves")
    enrolled = story.sql(
        f"INSERT INTO enrollments (user_id, course_id) VALUES ('{BRUNO}', '{COURSE}') RETURNING session_id"
    )
    story.expect("Bruno's enrolment is in the autumn session", autumn, enrolled)
    submitted = story.sql(_submission(BRUNO))
    story.expect("Bruno's submission is in the autumn session", autumn, submitted)

    story.chapter("Chloe is a member of several organisations; only one of them has an active session")
    organisations = story.sql(f"SELECT count(*) FROM org_members WHERE user_id = '{CHLOE}'")
    story.expect("she is in several", True, organisations > 1)
    story.command(
        "session create --org campus-sud --course 'Data with SQL' --by ada@example.org "
        "--title 'Session Printemps 2024' --status completed"
    )
    story.expect("her submission is in the autumn session", autumn, story.sql(_submission(CHLOE)))

    story.chapter("A winter session opens: students enrolled in autumn stay there")
    story.command(
        "session create --org mon-org --course 'Data with SQL' --by ada@example.org --title 'Session Hiver 2025'"
    )
    winter = story.value("SELECT id FROM sessions WHERE title = 'Session Hiver 2025'")
    story.expect("Bruno's next submission is still in autumn", autumn, story.sql(_submission(BRUNO)))
    story.expect("Chloe, who never enrolled, is now in winter", winter, story.sql(_submission(CHLOE)))

    story.chapter("Dmitri is in no organisation: sessions are optional, so Dmitri can still submit")
    story.expect("Dmitri's submission is stored without a session", None, story.sql(_submission(DMITRI)))
    try:
        story.sql(
            "INSERT INTO submissions (user_id, exercise_id, content, session_id) "
            f"VALUES ('{DMITRI}', '{EXERCISE}', 'SELECT 42', '{autumn}') RETURNING session_id"
        )
        refused = "stored"
    except psycopg.errors.CheckViolation as error:
        output.say(f"  ERROR: {error.diag.message_primary}")
        output.say(f"  DETAIL: {error.diag.message_detail}")
        refused = "refused"
    story.expect("joining a session of another organisation is refused", "refused", refused)

    story.chapter("The guide's three verification queries")
    story.command("show sessions")
    story.command("show enrollments")
    story.command("show submissions")
    unlinked = story.value("SELECT count(*) FROM submissions WHERE session_id IS NULL")
    story.expect("the rows from before, and Dmitri's, have no session", submissions + 1, unlinked)
    story.command("check")


def _submission(user: str) -> str:
    return (
        "INSERT INTO submissions (user_id, exercise_id, content) "
        f"VALUES ('{user}', '{EXERCISE}', 'SELECT 42') RETURNING session_id"
    )
