"""apply, rollback, status and plan."""

from __future__ import annotations

import contextlib
import datetime
import functools
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sessiondb import output
from sessiondb.commands import Name, Options, Seconds, command, complete
from sessiondb.errors import Exit, SessiondbError, UsageError

if TYPE_CHECKING:
    from sessiondb.database import Choices
    from sessiondb.errors import Finding
    from sessiondb.locks import LockBudget
    from sessiondb.migrate import Runner


def _together(name: str, make: Callable[..., Any], *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add options to a command, which receives what is made of their values as one argument of this name."""

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def run(*arguments: Any, **values: Any) -> Any:
            own = {option: values.pop(option) for option in inspect.signature(make).parameters}
            return function(*arguments, **values, **{name: make(**own)})

        return functools.reduce(lambda f, option: option(f), reversed(options), run)

    return decorate


def _budget(lock_timeout: float, lock_budget: float) -> LockBudget:
    from sessiondb.locks import LockBudget

    return LockBudget(lock_timeout, lock_budget)


def _choices(course_path: str | None, adopt: bool, staff: str | None, current_user: str | None) -> Choices:
    from sessiondb.database import Choices

    if "$" in (staff or "") + (current_user or ""):
        raise UsageError("--staff and --current-user cannot contain a dollar sign", "Leave it out, or call a function.")
    if (staff or "").strip() and not all(name.strip() for name in str(staff).split(",")):
        raise UsageError(
            f'--staff "{staff}" has an empty role', "Leave out the comma; members without a role are no staff."
        )
    return Choices(course_path, adopt, staff, current_user)


_lock_timeout = click.option(
    "--lock-timeout",
    type=Seconds(least=0.01),
    default=1.5,
    show_default=True,
    metavar="SECONDS",
    help="Maximum time to wait for a lock; also the longest that others can be blocked behind it.",
)

_lock_options = _together(
    "budget",
    _budget,
    _lock_timeout,
    click.option(
        "--lock-budget",
        type=Seconds(),
        default=600.0,
        show_default=True,
        metavar="SECONDS",
        help="Give up if a lock is not obtained within this time.",
    ),
)

_choice_options = _together(
    "choices",
    _choices,
    click.option(
        "--course-path",
        type=Name(),
        metavar="PATH",
        help="The columns from a submission to its course, for instance item_id.module_id.course_id.",
    ),
    click.option(
        "--adopt",
        is_flag=True,
        help="Replace the platform's own triggers that write session_id; rollback restores them.",
    ),
    click.option(
        "--staff",
        type=Name(),
        metavar="ROLE,...",
        help="Members with these roles may read the rows of their organisation's sessions despite row level security;"
        " '' for none. The last choice is kept.",
    ),
    click.option(
        "--current-user",
        type=Name(),
        metavar="EXPR",
        help="For --staff: an SQL expression that returns the id of the current user; default auth.uid().",
    ),
)


@contextlib.contextmanager
def _runner(options: Options, connection: Any, budget: LockBudget) -> Iterator[Runner]:
    """Yield a runner of migrations on the connection that reports on stderr what it does."""
    from sessiondb.migrate import Runner, on_one_line

    def boundary(migration: str, point: str) -> None:
        if options.verbose:
            output.note(f"  {migration}: {on_one_line(point)}")

    with contextlib.closing(output.Progress()) as bar:
        yield Runner(connection, budget, output.note, bar, boundary)


@command("apply")
@click.option("--to", metavar="ID", shell_complete=complete("migration"), help="Stop after this migration.")
@_choice_options
@click.option("--dry-run", is_flag=True, help="Check the platform and show the plan; change nothing.")
@_lock_options
def apply(options: Options, to: str | None, choices: Choices, dry_run: bool, budget: LockBudget) -> None:
    """Check the platform, then apply the pending migrations.

    \b
    Example:
      sessiondb -d postgresql://owner@db.example/platform apply
      sessiondb apply --course-path item_id.module_id.course_id
      sessiondb apply --staff trainer,admin
    """
    from sessiondb import checks, ledger, linking, migrate, objects, resources
    from sessiondb.installation import installation

    course_path = choices.course_path
    if dry_run:
        _dry_apply(options, to, choices)
        return
    with options.changing.connect(choices) as connection:
        with _runner(options, connection, budget) as runner:
            applied = runner.apply(to, course_path)
            again, changed = runner.again, runner.changed
        with connection.transaction():
            there = installation(connection)
            path = there.course_path if there else None
            linked = {} if any(o.kind == "column" for o in objects.missing(connection)) else linking.linked(connection)
            left = [m.id for m in migrate.pending(connection, ledger.read_migrations(resources.MIGRATIONS), None)]
            hidden = linking.hidden(connection, ledger.TABLES) if linked else None
            is_open = bool(linked) and linking.has_active_session(connection)
            is_unlinked = any(counts["unlinked"] for counts in linked.values())
            wrong = checks.problems(connection, there) if there and not left else []
            of_staff = checks.found_by(connection, "staff") if choices.staff and there and there.staff else []
            is_whole = there and path and not (left or wrong)
            first = linking.first_session(connection) if is_whole and not is_open else None
            is_linkable = linking.is_linkable(connection) if is_whole and is_open and is_unlinked else False
            # before a backfill: the old table may have their links
            has_old = is_whole and bool(checks.found_by(connection, "renamed"))
            others = migrate.longer_course_paths(connection, path) if path and not course_path else []
    if options.json:
        output.json_document({"applied": applied, "course_path": path, "linked": linked})
        return
    if applied or not changed:
        output.say(_applied(len(applied), again) if applied else _nothing_to_do(to))
    else:
        output.say("Functions and triggers are as this version installs them.")
    if path:
        also = f" Other paths lead there, too: {', '.join(others)}. --course-path chooses one."
        output.wrapped(f"A submission's course is found by {path}.{also if others else ''}")
    if choices.staff is not None and there:
        readers = f"Members with the role {there.staff['roles']}" if there.staff else "No members"
        output.wrapped(f"{readers} read the rows of their organisation's sessions by a policy of sessiondb.")
    for finding in of_staff:
        output.wrapped(finding.detail)
    _say_linked(linked, hidden)
    for problem in wrong[:1]:
        output.wrapped(problem.detail)
    if wrong or has_old:
        output.say("Next: sessiondb check" if wrong else "Next: sessiondb check renamed")
    elif left:
        output.say("Next: sessiondb apply")
    else:
        output.say(f"Next: {_after_apply(first, is_unlinked, is_linkable)}")


def _dry_apply(options: Options, to: str | None, choices: Choices) -> None:
    """Check the platform and show the plan."""
    from sessiondb import ledger, migrate, preflight, resources
    from sessiondb.connection import platform_schema
    from sessiondb.plan import plan as make_plan

    options.database.require_own_backend()
    with options.database.transaction(choices, read_only=True) as connection:
        preflight.require_course_path(connection, choices.course_path)
        migrate.settle_course_path(connection, choices.course_path)
        todo = migrate.pending(connection, ledger.read_migrations(resources.MIGRATIONS), to)
        if todo or migrate.is_outdated(connection):
            migrate.report_warnings(preflight.preflight(connection, choices.course_path), output.note)
        _print_plan(options, make_plan(connection, todo), to, platform_schema(connection))


def _applied(number: int, again: list[str]) -> str:
    """Return how many migrations were applied, and which of them had been before."""
    first = f"{output.count(number - len(again), 'migration')} applied." if number > len(again) else ""
    second = f"Applied again, to create what was missing: {', '.join(again)}." if again else ""
    return f"{first} {second}".strip()


def _say_linked(linked: dict[str, dict[str, int]], hidden: str | None) -> None:
    for table, counts in linked.items():
        output.say(f"{table}: {counts['linked']} linked to a session, {counts['unlinked']} not.")
    if hidden:
        output.wrapped(hidden)


def _after_apply(first: str | None, is_unlinked: bool, is_linkable: bool) -> str:
    """Return the next command; ``first`` creates the first active session."""
    if first:
        return first
    if is_linkable:
        return "sessiondb backfill"
    return "sessiondb explain --user USER --course COURSE" if is_unlinked else "sessiondb check"


@command("rollback")
@click.option("--to", metavar="ID", shell_complete=complete("migration"), help="The newest migration to keep.")
@click.option("--all", "everything", is_flag=True, help="Undo all migrations.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be undone and lost; change nothing.")
@_lock_options
def rollback(options: Options, to: str | None, everything: bool, yes: bool, dry_run: bool, budget: LockBudget) -> None:
    """Undo migrations, newest first. Links are saved, and the next apply restores them.

    \b
    Example:
      sessiondb rollback --all --dry-run
      sessiondb rollback --to 0008
      sessiondb rollback --all --yes
    """
    from sessiondb import ledger, migrate, resources

    if to and everything:
        raise UsageError("rollback takes --to ID or --all, not both", "Leave one of them out.")
    if not (to or everything):
        raise _how_far(options)
    if to:
        migrate.find_migration(ledger.read_migrations(resources.MIGRATIONS), to)
    warnings: list[Finding] = []
    if dry_run or not yes:
        todo, warnings = _look_before_rollback(options, to, dry_run)
        if dry_run:
            return
        if todo:
            click.confirm(f"Undo {output.count(len(todo), 'migration')}?", abort=True, err=True)
    with options.changing.connect() as connection, _runner(options, connection, budget) as runner:
        undone = runner.rollback(to, warnings)
    if options.json:
        output.json_document({"rolled_back": undone})
    else:
        output.say(f"{output.count(len(undone), 'migration')} rolled back." if undone else _nothing_to_undo(to))
        if runner.saved:
            output.wrapped(ledger.of_saved_links(runner.saved))


def _how_far(options: Options) -> UsageError:
    """Return the error of a rollback without --to or --all, with what can be undone if the database answers."""
    from sessiondb.connection import place
    from sessiondb.migrate import undoable

    message, hint = "rollback needs --to ID or --all", "Show what would be undone: sessiondb rollback --all --dry-run"
    with contextlib.suppress(SessiondbError), options.database.transaction(read_only=True) as connection:
        where, todo = place(connection), undoable(connection, None)
        message += f"; {output.count(len(todo), 'migration')} can be undone in {where}"
        if len(todo) > 1:
            hint = f"Undo only the newest, {todo[0].id}: sessiondb rollback --to {todo[1].number}. {hint}"
    return UsageError(message, hint)


def _look_before_rollback(options: Options, to: str | None, dry_run: bool) -> tuple[list[str], list[Finding]]:
    """Show what a rollback would undo and what would be lost, and return the ids of the migrations and the warnings."""
    from sessiondb import ledger, linking, migrate, objects, preconditions, preflight
    from sessiondb.connection import place

    options.database.require_own_backend()
    with options.database.transaction(read_only=True) as connection:
        where = place(connection)
        todo = migrate.undoable(connection, to)
        gone = objects.missing(connection) if todo else []
        is_whole = not any(o.kind == "table" and o.after == "0001" for o in gone)
        numbers = [m.number for m in todo]
        if todo:
            preconditions.require_search_path(connection)
        warnings = preflight.rollback_preflight(connection, numbers) if todo and is_whole else []
        linked = linking.linked(connection) if todo and not any(o.kind == "column" for o in gone) else {}
        hidden = linking.hidden(connection, ledger.TABLES) if linked else None
    if todo and not (dry_run or sys.stdin.isatty()):
        raise UsageError("rollback requires confirmation, but standard input is not a terminal", "Add --yes.")
    ids = [m.id for m in todo]
    if options.json and dry_run:
        output.json_document({"would_roll_back": ids, "warnings": [warning.as_json() for warning in warnings]})
        return ids, warnings
    say = output.say if dry_run else output.note
    if not todo:
        if dry_run:
            say(_nothing_to_undo(to))
        return ids, warnings
    say(f"To be rolled back in {where}:")
    for id_ in ids:
        say(f"  {id_}")
    saved = [
        output.count(linked[table]["linked"], noun)
        for number, table, noun in (("0002", "enrollments", "enrolment"), ("0003", "submissions", "submission"))
        if linked and number in numbers
    ]
    if saved:
        say(f"The links of {' and '.join(saved)} are saved, and restored by the next apply.")
        if hidden:
            say(f"{hidden} The links of those are saved, too.")
    migrate.report_warnings(warnings, say)
    if dry_run:
        say("A dry run: nothing was changed.")
    return ids, warnings


def _nothing_to_undo(to: str | None) -> str:
    return f"Nothing to do: no migration {'after ' + to + ' ' if to else ''}is applied."


@command("status")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 3 if migrations are pending, or objects are missing, changed or of another version.",
)
def status(options: Options, exit_code: bool) -> int:
    """Show what is installed, what was changed, and the next step. Reads only.

    \b
    Example:
      sessiondb status
      sessiondb status --exit-code --format json
    """
    from sessiondb.connection import place
    from sessiondb.status import status as read_status
    from sessiondb.status import summary

    with options.database.transaction(read_only=True) as connection:
        where = place(connection)
        state = read_status(connection)
    said, step = summary(state)
    if options.json:
        output.json_document({"database": where, **state})
    else:
        output.wrapped(f"{where[0].upper()}{where[1:]}.")
        output.wrapped(said)
        _print_state(state)
        output.say()
        output.say(f"Next: {step or 'sessiondb check'}")
    return Exit.PENDING if exit_code and step else Exit.DONE


def _print_state(state: dict[str, Any]) -> None:
    """Print what is installed, or only the migrations if nothing is."""
    output.say()
    migrations = [{**m, "applied_at": _time(m["applied_at"])} for m in state["migrations"]]
    output.table(migrations, {"migration": "id", "state": "state", "applied": "applied_at"})
    if state["version"] is None:
        return
    output.say()
    enabled = {True: "ENABLED", False: "DISABLED"}
    triggers = [{**t, "enabled": enabled[t["enabled"]] if t["state"] != "MISSING" else "-"} for t in state["triggers"]]
    output.table(triggers, {"trigger": "name", "state": "state", "enabled": "enabled"})
    if differing := [o for o in state["objects"] if o["state"] != "INSTALLED" and o["kind"] != "trigger"]:
        output.say()
        output.table(differing, {"kind": "kind", "object": "name", "of": "parent", "state": "state"})
    output.say()
    output.say(f"schema: {state['schema']}")
    output.say(f"version: {state['version']}")
    is_broken = any(problem["check"] == "course_path" for problem in state["problems"])
    output.say(f"course path: {state['course_path'] or '-'}{', which no longer leads to courses' * is_broken}")
    if state["staff"]:
        output.wrapped(f"{state['staff']} (of {state['current_user']})", "staff: ")


def _time(iso: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(iso) if iso else None


@command("plan")
@_choice_options
@click.option("--sql", "as_script", is_flag=True, help="Print a script for psql, without connecting.")
@click.option(
    "--single-transaction",
    is_flag=True,
    help="With --sql: print one statement instead, for web editors, migration folders and drivers.",
)
@_lock_timeout
def plan(options: Options, choices: Choices, as_script: bool, single_transaction: bool, lock_timeout: float) -> None:
    """Show the statements that apply would run, and their locks. Reads only.

    \b
    Example:
      sessiondb plan
      sessiondb plan --sql --course-path exercise_id.course_id > apply.sql
      sessiondb plan --sql --single-transaction > migrations/0042_sessiondb.sql
    """
    from sessiondb import ledger, migrate, preflight, resources
    from sessiondb.connection import platform_schema
    from sessiondb.installation import installation
    from sessiondb.plan import batch, script
    from sessiondb.plan import plan as make_plan

    if single_transaction and not as_script:
        raise UsageError("--single-transaction requires --sql", "Add --sql.")
    if as_script and options.json:
        raise UsageError("--sql prints SQL, not JSON", "Leave out --sql or --format json.")
    if as_script:
        write = batch if single_transaction else script
        for line in write(options.schema, choices, lock_timeout):
            output.code(line)
        return
    with options.database.transaction(choices, read_only=True) as connection:
        if installation(connection) is None or choices.course_path:
            preflight.require_plannable(connection, choices.course_path)
        migrate.settle_course_path(connection, choices.course_path)
        todo = migrate.pending(connection, ledger.read_migrations(resources.MIGRATIONS), None)
        _print_plan(options, make_plan(connection, todo), None, platform_schema(connection))


def _nothing_to_do(to: str | None) -> str:
    return f"Nothing to do: {'every migration up to ' + to + ' is' if to else 'all migrations are'} applied."


def _print_plan(options: Options, statements: list[dict[str, Any]], to: str | None, schema: str) -> None:
    from sessiondb.migrate import on_one_line, readable
    from sessiondb.resources import with_platform

    if options.json:
        output.json_document({"statements": statements})
        return
    if not statements:
        output.say(_nothing_to_do(to))
        return
    # what install() does with a source
    statements = [{**s, "statement": with_platform(s["statement"], schema)} for s in statements]
    for migration, group in itertools.groupby(statements, lambda s: s["migration"]):
        output.say(migration)
        of_migration = list(group)
        locking = [statement for statement in of_migration if statement["locks"]]
        no_lock = f"no {'further ' if locking else ''}lock on a table of the platform"
        if options.verbose:
            for statement in of_migration:
                for line in readable(statement["statement"]).split("\n"):
                    output.say(f"  {line}" if line else "")
                for line in [_lock(statement, lock) for lock in statement["locks"]] or [no_lock]:
                    output.paragraph(f"-- {line}", indent=4)
            continue
        # those that restore links differ only in the pages
        for _, alike in itertools.groupby(locking, lambda s: (re.sub(r"\d+", "", s["statement"]), s["locks"])):
            first, *others = alike
            more = f" -- and {len(others)} more like it" if others else ""
            output.paragraph(on_one_line(first["statement"]) + more, indent=2)
            for lock in first["locks"]:
                output.paragraph(_lock(first, lock), indent=4)
        if quiet := len(of_migration) - len(locking):
            output.say(f"  {output.count(quiet, 'more statement')}: {no_lock}" if locking else f"  {no_lock}")
    output.wrapped(
        f"{output.count(len(statements), 'statement')}. ACCESS SHARE, which every query takes, is not listed. No table"
        " is rewritten, and none is read whole under a lock that blocks reads or writes."
    )


def _lock(statement: dict[str, Any], lock: dict[str, Any]) -> str:
    """Return the mode of a lock, its table, what it blocks, and for how long."""
    rows = "rows unknown" if lock["rows"] is None else f"about {lock['rows']:,} row{'' if lock['rows'] == 1 else 's'}"
    how_big = ", ".join(filter(None, [rows, output.size(lock["bytes"])]))
    if statement["scans"]:
        until = f"while all of {statement['scans']} is read"
    elif statement["transactional"]:
        number = statement["migration"].split(".")[0]
        until = f"until {number if number.isdigit() else 'the transaction'} commits"
    else:
        until = "until it commits"
    return f"{lock['mode']} on {lock['table']} ({how_big}): blocks {lock['blocks']} {until}"
