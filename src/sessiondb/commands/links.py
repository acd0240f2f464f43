"""check, backfill, explain and show: what is linked, what is not, and why."""

from __future__ import annotations

import contextlib
import shlex
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.types import UUIDParameterType

from sessiondb import output
from sessiondb.commands import ROWS, SHOWN, Name, Options, Seconds, command, ids, name_option, print_rows
from sessiondb.errors import Exit, UsageError, ready_to_paste

if TYPE_CHECKING:
    from sessiondb.backfill import Pace, Result
    from sessiondb.connection import Connection
    from sessiondb.errors import Finding


def _check_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from sessiondb.checks import check_names

    return [name for name in check_names() if name.startswith(incomplete)]


@command("check", formats=("table", "json", "junit"))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_check_names)
@click.option("--strict", is_flag=True, help="Also exit with 4 for warnings.")
@click.option(
    "--examples",
    type=click.IntRange(min=1, max=1_000_000),
    default=3,
    show_default=True,
    metavar="N",
    help="Maximum number of rows that a finding names.",
)
@click.option(
    "--timeout",
    type=Seconds(least=0.01),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Maximum time for each check of the data.",
)
def check(options: Options, names: tuple[str, ...], strict: bool, examples: int, timeout: float) -> int:
    """Verify the installation and the consistency of the data. Reads only; exits with 4 if there are errors.

    Without a name, all checks are run; the findings begin with their names, and a wrong name lists them all.

    \b
    Example:
      sessiondb check
      sessiondb check installed_objects triggers_enabled --format json
      sessiondb check --strict --format junit > sessiondb.xml
    """
    from sessiondb.checks import check as run
    from sessiondb.checks import junit

    with options.database.transaction(read_only=True) as connection:
        findings = run(connection, names, examples, output.note, timeout)
    bad = {"error", "warning"} if strict else {"error"}
    ok = not any(finding.level in bad for finding in findings)
    if options.json:
        output.json_document({"ok": ok, "findings": [finding.as_json() for finding in findings]})
    elif options.format == "junit":
        output.code(junit(findings, names, bad))
    else:
        told = _told_together(findings)
        for finding in told:
            _print_finding(options, finding)
        _print_found(told)
    return Exit.DONE if ok else Exit.FINDINGS


def _told_together(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with one for all checks that cannot be run, or all objects that are wrong, for one reason."""
    of_same: dict[tuple[str, ...], list[Finding]] = {}
    for f in findings:
        of_what = ("",) if f.object == f.check else (f.check,) if f.has_lines else (f.check, f.object)
        of_same.setdefault((*of_what, f.detail, f.fix), []).append(f)
    return [_with_others(first, len(others)) if others else first for first, *others in of_same.values()]


def _with_others(first: Finding, others: int) -> Finding:
    if first.object == first.check:
        return replace(first, check=f"{first.check} and {output.count(others, 'other check')}")
    return replace(first, object=f"{first.object} and {output.count(others, 'other')}")


def _print_finding(options: Options, finding: Finding) -> None:
    lead = f"{finding.level:8} "
    if finding.has_lines:  # a diff, each line with its sign
        first, *others = finding.detail.split("\n")
        output.wrapped(f"{finding.check}: {finding.object}: {first}", lead)
        for line in others:
            output.say(" " * len(lead) + line)
    else:
        # such as "trigger a on public.b", if the detail says "it" or "there"
        _, *names = finding.object.split(" ")
        is_said = all(name.split(".")[-1] in finding.detail for name in names if name != "on")
        of_object = "" if is_said else f"{finding.object}: "
        output.wrapped(options.named(f"{finding.check}: {of_object}{finding.detail}"), lead)
    for number, (what, to_paste) in enumerate(finding.fixes):
        first = "Fix" if what in ("", "Run") else f"Fix: {what[:1].lower()}{what[1:]}"
        if said := what if number else first:
            output.wrapped(said + ":" * bool(to_paste))
        if to_paste:
            output.say(f"  {to_paste}")
    output.say()


def _print_found(findings: Sequence[Finding]) -> None:
    levels = {"error": "error", "warning": "warning", "info": "remark"}
    number = {noun: sum(f.level == level for f in findings) for level, noun in levels.items()}
    found = [output.count(n, noun) for noun, n in number.items() if n]
    output.say(f"Found {', '.join(found)}." if found else "No problems found.")


@command("backfill")
@name_option("session", "Link only what belongs to this session: title or id.")
@click.option(
    "--batch-rows",
    type=click.IntRange(min=1, max=1_000_000),
    metavar="N",
    help="Rows per transaction; by default, as many as take 200 ms.",
)
@click.option("--sleep", type=Seconds(), default=0.0, metavar="SECONDS", help="Time to wait between two batches.")
@click.option(
    "--max-runtime",
    type=Seconds(),
    metavar="SECONDS",
    help="Stop after this time with exit code 7; the next run resumes there.",
)
@click.option("--max-lag", type=Seconds(), metavar="SECONDS", help="Pause while a replica lags further behind.")
@click.option("--dry-run", "dry", is_flag=True, help="Only count what would be linked; write nothing.")
def backfill(
    options: Options,
    session_name: str | None,
    batch_rows: int | None,
    sleep: float,
    max_runtime: float | None,
    max_lag: float | None,
    dry: bool,
) -> int:
    """Link rows that existed before their session was created. Never changes a linked row.

    \b
    Example:
      sessiondb backfill --dry-run
      sessiondb backfill --max-runtime 3600 --max-lag 10
    """
    from sessiondb.backfill import Pace, Result

    pace, result = Pace(batch_rows, sleep, max_runtime, max_lag), Result()
    try:
        with options.database.transaction(read_only=True) if dry else options.changing.connect() as connection:
            with connection.transaction():  # in which no other role replaces what finds the name
                (session,) = ids(connection, session=session_name or None)
            link(connection, session, pace, result, dry=dry)
    except BaseException:  # also an interrupt; committed batches stay
        if any(counts["scanned"] for counts in result.tables.values()):
            _print_backfill(options, result, dry)
        raise
    _print_backfill(options, result, dry)
    return Exit.DONE if result.complete else Exit.INCOMPLETE


def link(connection: Connection, session: uuid.UUID | None, pace: Pace, result: Result, *, dry: bool = False) -> None:
    """Run a backfill, or count what it would do, with its progress on stderr."""
    from sessiondb.backfill import backfill as run

    since: tuple[float, int] | None = None
    with contextlib.closing(output.Progress()) as bar:

        def progress(done: int, total: int, linked: int) -> None:
            nonlocal since
            now = time.monotonic()
            rate = f", {(linked - since[1]) / max(now - since[0], 0.001):.0f}/s" if since else ""
            since = since or (now, linked)  # earlier runs may have linked some
            done_with = "to link" if dry else "linked"
            # with a bar and the time left this fits a terminal of 60 columns
            bar(f"{output.count(linked, 'row')} {done_with}{rate}, pages", done, total)

        run(connection, session, pace, output.note, progress, result, dry=dry)


def _print_backfill(options: Options, result: Result, dry: bool) -> None:
    if options.json:
        output.json_document({**result.as_json(), "dry_run": dry})
        return
    say_linked(result, dry=dry)
    if not result.complete:
        output.say("Stopped before the end; " + ("not all rows are counted." if dry else "run it again to resume."))
    if dry:
        output.say("A dry run: nothing was written.")


def say_linked(result: Result, *, dry: bool = False) -> None:
    """Print what a backfill has linked, and what it has not, by reason."""
    for table, counts in result.tables.items():
        linked = "would be linked" if dry else "linked"
        output.say(f"{table}: {counts['linked']} {linked}, {counts['unlinkable']} cannot be.")
        for reason, number in sorted(counts["reasons"].items()):
            output.say(f"  {reason}: {number}")


class _RowId(UUIDParameterType):
    """The id of a row."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> uuid.UUID:
        try:
            id_: uuid.UUID = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(
                f"'{value}' is not a uuid; name the row's user and course instead, with --user and --course", param, ctx
            )
        return id_


@command("explain")
@click.option("--user", type=Name(), metavar="USER", help="The student, with --course: e-mail, login, name or id.")
@name_option("course", "The course, with --user: title, slug or id.")
@click.option("--enrollment", type=_RowId(), metavar="ID", help="An enrolment, by its id.")
@click.option("--submission", type=_RowId(), metavar="ID", help="A submission, by its id.")
def explain(
    options: Options,
    user: str | None,
    course_name: str | None,
    enrollment: uuid.UUID | None,
    submission: uuid.UUID | None,
) -> None:
    """Show why work is in a session or in none, and the fix. Reads only.

    A step is "yes" if it allows a link, and "no" if something is missing.

    \b
    Example:
      sessiondb explain --submission 00000000-0000-4000-8000-000000000001
      sessiondb explain --user bruno@example.org --course "Python for beginners"
    """
    from sessiondb import linking

    if [user, enrollment, submission].count(None) != 2 or (user is None) != (course_name is None):
        raise UsageError(
            "explain needs --user and --course, or --enrollment, or --submission",
            "For instance: sessiondb explain --user EMAIL --course COURSE, or sessiondb explain --submission ID",
        )
    if "" in {user, course_name}:
        raise UsageError("the value of --user or --course is empty", "Give an e-mail, login, name, title or id.")
    with options.database.transaction(read_only=True) as connection:
        if user and course_name:
            document = linking.explain(connection, *ids(connection, user=user, course=course_name))
        else:
            table, row_id = ("enrollments", enrollment) if enrollment else ("submissions", submission)
            document = linking.explain_row(connection, table, row_id)
    if options.json:
        output.json_document(document)
        return
    output.wrapped(options.named(document["verdict"]))
    output.say()
    for step in document["steps"]:
        output.wrapped(options.named(step["detail"]), f"  {'yes' if step['ok'] else 'no':4} {step['step']:12} ")
    for number, fix in enumerate(document["fixes"]):
        output.say()
        is_sql = bool(fix["command"]) and not fix["command"].startswith("sessiondb")
        said = options.named(fix["what"]) + ", in psql" * is_sql + ":" * bool(fix["command"])
        output.wrapped(said, "Or: " if number else "Fix: ")
        if fix["command"]:
            output.say(f"  {ready_to_paste(fix['command'])}")
        if fix["then"]:
            if is_sql:
                output.say("Then, in a shell:")
            elif not fix["then"].startswith("sessiondb"):
                output.say("Then, in psql, with values for what is in angle brackets:")
            output.say(f"  {ready_to_paste(fix['then'])}")


@command("show", formats=ROWS)
@click.argument("what", type=click.Choice(["sessions", "enrollments", "submissions"]))
@name_option("session", "Only this session, or only rows linked to it: title or id.")
@click.option("--unlinked", is_flag=True, help="Only rows without a session, or sessions without rows.")
def show(options: Options, what: str, session_name: str | None, unlinked: bool) -> None:
    """Run one of the verification queries.

    \b
    Example:
      sessiondb show submissions --unlinked
      sessiondb show enrollments --session "Session Automne 2024" --format json
    """
    from sessiondb import linking

    if session_name and unlinked and what != "sessions":
        raise UsageError(
            f"{what} that are not linked have no session",
            "Give --session or --unlinked. To count what a backfill would link: "
            f"sessiondb backfill --session {shlex.quote(session_name)} --dry-run",
        )
    with options.database.transaction(read_only=True) as connection:
        (session,) = ids(connection, session=session_name or None)
        # one more than is shown, to know whether there are more
        most = options.limit or (SHOWN + 1 if options.format == "table" else None)
        rows = linking.show(connection, what, session=session, unlinked=unlinked, limit=most)
        columns = _SESSION if what == "sessions" else _UNLINKED if unlinked else _LINKED
        print_rows(options, rows, columns)
        if hidden := linking.hidden(connection, [what]):
            output.note(hidden)


_SESSION = {"title": "title", "org": "org_slug", "course": "course_title", "status": "status", "date": "created_at"}
_ROW = {"status": "status", "enrolled": "enrolled_at", "submitted": "submitted_at", "created": "created_at"}
_LINKED = {"student": "student", "course": "course_title", "session": "session_title", "org": "org_slug", **_ROW}
_UNLINKED = {"student": "student", "course": "course_title", "reason": "reason", **_ROW}
