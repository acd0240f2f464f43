"""org, course, member and session: the steps that the guide did by hand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any
from uuid import UUID

import click

from sessiondb import output
from sessiondb.commands import ROWS, Name, Options, command, complete, group, ids, links, name_option, print_rows
from sessiondb.errors import SessiondbError, UsageError

org = group("org", "Organisations.", 'sessiondb org create --name "Mon Organisation" --slug mon-org')


@command("list", group=org, formats=ROWS)
def org_list(options: Options) -> None:
    """List the organisations.

    \b
    Example:
      sessiondb org list
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        columns = {"name": "name", "slug": "slug", "members": "members", "active sessions": "active_sessions"}
        print_rows(options, records.list_orgs(connection), columns)


@command("create", group=org)
@click.option("--name", required=True, help="The name that people see.")
@click.option("--slug", type=Name(), required=True, help="The short name to use in commands.")
def org_create(options: Options, name: str, slug: str) -> None:
    """Create an organisation. Does nothing if one with this name and slug exists.

    \b
    Example:
      sessiondb org create --name "Mon Organisation" --slug mon-org
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        row = records.create_org(connection, name, slug)
        if row["name"] != name:
            raise SessiondbError(
                f'there is already an organisation "{slug}", and its name is "{row["name"]}"',
                "Choose another slug; sessiondb does not rename organisations.",
            )
    if options.json:
        output.json_document(row)
    else:
        done = "Created" if row["created"] else "There is already"
        output.say(options.named(f'{done} organisation "{row["name"]}" ({row["slug"]}) ({row["id"]}).'))


course = group("course", "Courses.", "sessiondb course list")


@command("list", group=course, formats=ROWS)
def course_list(options: Options) -> None:
    """List the courses.

    \b
    Example:
      sessiondb course list
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        columns = {"title": "title", "sessions": "sessions", "active": "active_sessions"}
        print_rows(options, records.list_courses(connection), columns)


member = group("member", "Members of organisations.", "sessiondb member add --org mon-org --user bruno@example.org")


_org = name_option("org", "The organisation: slug, name or id.", required=True)
_user = click.option("--user", type=Name(), required=True, metavar="USER", help="The user: e-mail, login, name or id.")
_backfill = click.option("--backfill", is_flag=True, help="Link older rows immediately, as the command backfill does.")
_STATUSES = "others are usually draft, completed and cancelled."


@command("list", group=member, formats=ROWS)
@_org
def member_list(options: Options, org_name: str) -> None:
    """List the members of an organisation.

    \b
    Example:
      sessiondb member list --org mon-org
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        members = records.list_members(connection, *ids(connection, org=org_name))
        print_rows(options, members, {"member": "member", "role": "role"})


@command("add", group=member)
@_org
@_user
@click.option(
    "--role",
    type=Name(),
    shell_complete=complete("role"),
    help="The role of the user in it; default student or, where there is no such role, that of most enrolled members.",
)
@_backfill
def member_add(options: Options, org_name: str, user: str, role: str | None, backfill: bool) -> None:
    """Make a user a member of an organisation. Does nothing for a user who is one.

    \b
    Example:
      sessiondb member add --org mon-org --user bruno@example.org
      sessiondb member add --org mon-org --user chloe@example.org --backfill
    """
    from sessiondb import linking, naming, records

    if backfill:
        options.database.require_own_backend()

    with options.changing.transaction(read_only=False) as connection:
        org_id, user_id = ids(connection, org=org_name, user=user)
        known = naming.offered(connection, "role")
        given = naming.role_of_students(connection) if role is None else role
        row = records.add_member(connection, org_id, user_id, given)
        if role not in (None, row["role"]):
            raise SessiondbError(
                options.named(f"user {row['user']} is already a member of {row['org']}, as {row['role']}"),
                "Run: sessiondb member set-role "
                f"--org {shlex.quote(org_name)} --user {shlex.quote(user)} {shlex.quote(role or '')}",
            )
    _warn_of_new_role(row["role"], known)
    done = "is now" if row["created"] else "was already"
    said = f"User {row['user']} {done} in {row['org']}, as {row['role']}."
    if not backfill:
        _print_member(options, row, said)
        return
    with options.database.transaction(read_only=True) as connection:
        sessions = linking.sessions_for(connection, user_id)
        is_waiting = linking.has_unlinked_rows(connection, user_id)

    _link(options, row, sessions, lambda: _print_member(options, row, said))
    if is_waiting and not sessions:
        raise SessiondbError(
            "none of the user's older rows can be linked, because no organisation of the user has an active session of"
            " their courses; the membership is stored",
            f"See what is missing: sessiondb explain --user {shlex.quote(user)} --course COURSE",
        )


@command("set-role", group=member)
@_org
@_user
@click.argument("role", type=Name(), shell_complete=complete("role"))
def member_set_role(options: Options, org_name: str, user: str, role: str) -> None:
    """Give a member of an organisation another role.

    \b
    Example:
      sessiondb member set-role --org mon-org --user ada@example.org trainer
    """
    from sessiondb import naming, records

    with options.changing.transaction(read_only=False) as connection:
        org_id, user_id = ids(connection, org=org_name, user=user)
        known = naming.offered(connection, "role")
        row = records.set_member_role(connection, org_id, user_id, role)
    _warn_of_new_role(role, known)
    done = "is now" if row["changed"] else "was already"
    _print_member(options, row, f"User {row['user']} {done} in {row['org']}, as {row['role']}.")


def _warn_of_new_role(role: str, known: list[str]) -> None:
    """Warn about a role that no member has and the platform does not list: it may be misspelled."""
    if known and role not in known:
        near = get_close_matches(role.lower(), known, 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        output.note(f"warning: No member has the role {role} yet; roles in use: {', '.join(known)}.{meant}")


@command("remove", group=member)
@_org
@_user
def member_remove(options: Options, org_name: str, user: str) -> None:
    """Remove a user from an organisation. Linked rows stay linked.

    \b
    Example:
      sessiondb member remove --org mon-org --user bruno@example.org
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        org_id, user_id = ids(connection, org=org_name, user=user)
        row = records.remove_member(connection, org_id, user_id)
    _print_member(options, row, f"User {row['user']} is no longer a member of {row['org']}.")


def _print_member(options: Options, row: dict[str, Any], done: str) -> None:
    if options.json:
        output.json_document(row)
    else:
        output.wrapped(options.named(done))


session = group("session", "Training sessions.", "sessiondb session list")


def _print_session(options: Options, row: dict[str, Any], done: str, backfill: bool) -> None:
    """Print a committed session, then link its older rows or print how many a backfill would link."""
    from sessiondb import checks, ledger, linking, naming, records

    hidden = None
    counts: dict[str, Any] = dict.fromkeys(("linkable_enrollments", "linkable_submissions", "org", "course"))
    name = row["id"]
    try:
        with options.database.transaction(read_only=True) as connection:
            if row["status"] == "active":
                active = list(records.active_sessions(connection, row["org_id"], row["course_id"]))
                for other in active[1:]:
                    warned = (
                        f"warning: session {other['name']} is also active, but only its enrolled students stay in it; "
                        f"others are linked to {active[0]['name']}"
                    )
                    output.note(options.named(warned))
                    called = naming.shell_name(connection, "session", other["id"])
                    ended = checks.ended_status(connection)
                    output.note(f"  hint: If it has ended: sessiondb session set-status {called} {ended}")
            name = naming.shell_name(connection, "session", row["id"])
            counts = linking.count_linkable(connection, row["org_id"], row["course_id"])
            hidden = linking.hidden(connection, ledger.TABLES)
    except SessiondbError as error:
        output.note(f"What a backfill would link now could not be counted: {error}")

    def said() -> None:
        if options.json:
            output.json_document({**row, **counts})
            return
        output.say(options.named(f'{done} session "{row["title"]}" ({row["status"]}) ({row["id"]}).'))
        if counts["course"]:
            output.say(options.named(f"It is a session of the course {counts['course']} for {counts['org']}."))

    if backfill:
        _link(options, row, [row["id"]], said)
        return
    said()
    is_linkable = row["status"] == "active" and (counts["linkable_enrollments"] or counts["linkable_submissions"])
    if is_linkable and not options.json:
        output.wrapped(
            f"A backfill would now link {output.count(counts['linkable_enrollments'], 'enrolment')} and "
            f"{output.count(counts['linkable_submissions'], 'submission')} of this course without a session."
        )
        output.say(f"Run: sessiondb backfill --session {name}")
    if hidden and not options.json:
        output.wrapped(f"{hidden} A backfill may find more to link.")


def _link(options: Options, row: dict[str, Any], sessions: Iterable[UUID], say: Callable[[], None]) -> None:
    """Link the older rows of sessions, then print the row and what was linked, even if an error or a signal ends it."""
    from sessiondb.backfill import Pace, Result

    total = Result(complete=True)
    try:
        for id_ in sessions:
            with options.changing.connect() as connection:
                result = Result()
                try:
                    links.link(connection, id_, Pace(), result)
                finally:
                    total.add(result)
    except BaseException:
        total.complete = False
        raise
    finally:
        row["backfill"] = total.as_json()
        say()
        if not options.json:
            links.say_linked(total)


def _require_active(options: Options, status: str, backfill: bool) -> None:
    """Refuse a backfill that is not possible before anything is done."""
    if backfill and status.lower() != "active":
        raise UsageError("only an active session links rows", "Leave --backfill out.")
    if backfill:
        options.database.require_own_backend()


@command("create", group=session)
@_org
@name_option("course", "The course: title, slug or id.", required=True)
@click.option(
    "--by",
    type=Name(),
    metavar="USER",
    help="The user who creates it: e-mail, login, name or id. Some platforms require it.",
)
@click.option("--title", help="Default: Session - and the title of the course, with a number if it is taken.")
@click.option(
    "--status",
    type=Name(),
    default="active",
    show_default=True,
    shell_complete=complete("status"),
    help=f"Only active sessions link students; {_STATUSES}",
)
@_backfill
def session_create(
    options: Options, org_name: str, course_name: str, by: str | None, title: str | None, status: str, backfill: bool
) -> None:
    """Create a session of a course for an organisation.

    \b
    Example:
      sessiondb session create --org mon-org --title "Session Automne 2024" \\
        --course "Python for beginners" --backfill
    """
    from sessiondb import records

    _require_active(options, status, backfill)

    with options.changing.transaction(read_only=False) as connection:
        org_id, course_id, user_id = ids(connection, org=org_name, course=course_name, user=by or None)
        row = records.create_session(connection, org_id, course_id, user_id, title, status)
    _print_session(options, row, "Created", backfill)


@command("list", group=session, formats=ROWS)
@name_option("org", "Only sessions of this organisation.")
@name_option("course", "Only sessions of this course.")
@click.option("--status", type=Name(), shell_complete=complete("status"), help="Only sessions with this status.")
def session_list(options: Options, org_name: str | None, course_name: str | None, status: str | None) -> None:
    """List the sessions, newest first.

    \b
    Example:
      sessiondb session list
      sessiondb session list --org mon-org --status active
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        org_id, course_id = ids(connection, org=org_name or None, course=course_name or None)
        columns = {"title": "title", "org": "org", "course": "course", "status": "status", "date": "created_at"}
        print_rows(options, records.list_sessions(connection, org_id, course_id, status), columns)


@command("set-status", group=session)
@click.argument("session_name", type=Name(), metavar="SESSION", shell_complete=complete("session"))
@click.argument("status", type=Name(), shell_complete=complete("status"))
@name_option("org", "The organisation of the session, if several have its title.")
@name_option("course", "The course of the session, if several have its title.")
@_backfill
def session_set_status(
    options: Options, session_name: str, status: str, org_name: str | None, course_name: str | None, backfill: bool
) -> None:
    """Change the status of a session, named by its title or id.

    Only active sessions link students; usual statuses are draft, active, completed and cancelled.

    \b
    Example:
      sessiondb session set-status "Session Automne 2024" completed
      sessiondb session set-status "Session Automne 2024" active --backfill
    """
    from sessiondb import naming, records

    _require_active(options, status, backfill)

    with options.changing.transaction(read_only=False) as connection:
        org_id, course_id = ids(connection, org=org_name or None, course=course_name or None)
        session_id = naming.find(connection, "session", session_name, output.note, (org_id, course_id))
        row = records.set_session_status(connection, session_id, status)
    _print_session(options, row, "Changed" if row["changed"] else "Unchanged:", backfill)
