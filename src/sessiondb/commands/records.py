"""org, member and session: what the guide does by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from sessiondb import output
from sessiondb.commands import Name, Options, command


def _print_rows(options: Options, rows: Iterable[dict[str, Any]]) -> None:
    output.json_rows(rows) if options.json else output.table(rows)


@click.group()
def org() -> None:
    """Organisations.

    \b
    Example:
      sessiondb org create --name "Mon Organisation" --slug mon-org
    """


@command("list", group=org)
def org_list(options: Options) -> None:
    """List the organisations.

    \b
    Example:
      sessiondb org list
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        _print_rows(options, records.list_orgs(connection))


@command("create", group=org)
@click.option("--name", required=True, help="The name that people see.")
@click.option("--slug", type=Name(), required=True, help="The short name that commands take.")
def org_create(options: Options, name: str, slug: str) -> None:
    """Create an organisation; nothing happens if the slug exists.

    \b
    Example:
      sessiondb org create --name "Mon Organisation" --slug mon-org
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        row = records.create_org(connection, name, slug)
    if options.json:
        output.json_document(row)
    else:
        done = "Created" if row["created"] else "There is already"
        output.say(f'{done} organisation "{row["name"]}" ({row["slug"]}): {row["id"]}')


@click.group()
def course() -> None:
    """Courses.

    \b
    Example:
      sessiondb course list
    """


@command("list", group=course)
def course_list(options: Options) -> None:
    """List the courses.

    \b
    Example:
      sessiondb course list
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        _print_rows(options, records.list_courses(connection))


@click.group()
def member() -> None:
    """Members of organisations.

    \b
    Example:
      sessiondb member add --org mon-org --user bruno@example.org
    """


_org = click.option(
    "--org", "org_name", type=Name(), required=True, metavar="ORG", help="The organisation: slug, name or id."
)
_user = click.option("--user", type=Name(), required=True, metavar="USER", help="The user: e-mail, login, name or id.")


@command("list", group=member)
@_org
def member_list(options: Options, org_name: str) -> None:
    """List the members of an organisation.

    \b
    Example:
      sessiondb member list --org mon-org
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        _print_rows(options, records.list_members(connection, records.find(connection, "org", org_name, output.note)))


@command("add", group=member)
@_org
@_user
@click.option("--role", type=Name(), default="student", show_default=True, help="The user's role in it.")
def member_add(options: Options, org_name: str, user: str, role: str) -> None:
    """Make a user a member of an organisation; nothing happens to one who is a member.

    \b
    Example:
      sessiondb member add --org mon-org --user bruno@example.org
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        org_id = records.find(connection, "org", org_name, output.note)
        user_id = records.find(connection, "user", user, output.note)
        row = records.add_member(connection, org_id, user_id, role)
    done = "is now" if row["created"] else "was already"
    _print_member(options, row, f"User {row['user']} {done} a member of {row['org']} as {row['role']}.")


@command("set-role", group=member)
@_org
@_user
@click.argument("role", type=Name())
def member_set_role(options: Options, org_name: str, user: str, role: str) -> None:
    """Give a member of an organisation another role.

    \b
    Example:
      sessiondb member set-role --org mon-org --user ada@example.org trainer
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        org_id = records.find(connection, "org", org_name, output.note)
        user_id = records.find(connection, "user", user, output.note)
        row = records.set_member_role(connection, org_id, user_id, role)
    _print_member(options, row, f"User {row['user']} is now a member of {row['org']} as {row['role']}.")


@command("remove", group=member)
@_org
@_user
def member_remove(options: Options, org_name: str, user: str) -> None:
    """End the membership of a user in an organisation. Rows that are linked stay linked.

    \b
    Example:
      sessiondb member remove --org mon-org --user bruno@example.org
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        org_id = records.find(connection, "org", org_name, output.note)
        user_id = records.find(connection, "user", user, output.note)
        row = records.remove_member(connection, org_id, user_id)
    _print_member(options, row, f"User {row['user']} is no longer a member of {row['org']}.")


def _print_member(options: Options, row: dict[str, Any], done: str) -> None:
    if options.json:
        output.json_document(row)
    else:
        output.say(done)


@click.group()
def session() -> None:
    """Training sessions.

    \b
    Example:
      sessiondb session list
    """


def _print_session(options: Options, row: dict[str, Any], done: str) -> None:
    """Print a session that is committed, and what a backfill would link now, where that can be counted."""
    from sessiondb import records
    from sessiondb.errors import SessiondbError

    counts: dict[str, Any] = dict.fromkeys(("linkable_enrollments", "linkable_submissions", "org", "course"))
    try:
        with options.database.transaction(read_only=True) as connection:
            if row["status"] == "active":
                active = list(records.active_sessions(connection, row["org_id"], row["course_id"]))
                for other in active[1:]:
                    output.note(
                        f"warning: session {other['name']} is active, too, and links only students enrolled in it; "
                        f"new ones get {active[0]['name']}"
                    )
                    output.note(f"  hint: If it is over: sessiondb session set-status {other['id']} completed")
            counts = records.count_linkable(connection, row["org_id"], row["course_id"])
    except SessiondbError as error:
        output.note(f"What a backfill would link now could not be counted: {error}")
    if options.json:
        output.json_document({**row, **counts})
        return
    output.say(f'{done} session "{row["title"]}" ({row["status"]}): {row["id"]}')
    if counts["course"]:
        output.say(f"It is of course {counts['course']} for {counts['org']}.")
        output.say(
            f"A backfill would now link {output.count(counts['linkable_enrollments'], 'enrolment')} and "
            f"{output.count(counts['linkable_submissions'], 'submission')} of this course without a session."
        )


@command("create", group=session)
@_org
@click.option(
    "--course", "course_name", type=Name(), required=True, metavar="COURSE", help="The course: title, slug or id."
)
@click.option(
    "--by",
    type=Name(),
    metavar="USER",
    help="The user who creates it: e-mail, login, name or id. The platform may demand it.",
)
@click.option("--title", help="Default: after the course.")
@click.option("--status", type=Name(), default="active", show_default=True, help="Only active sessions link students.")
def session_create(
    options: Options, org_name: str, course_name: str, by: str | None, title: str | None, status: str
) -> None:
    """Create a session of a course for an organisation.

    \b
    Example:
      sessiondb session create --org mon-org --title "Session Automne 2024" \\
        --course "Python for beginners"
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        org_id = records.find(connection, "org", org_name, output.note)
        course_id = records.find(connection, "course", course_name, output.note)
        user_id = records.find(connection, "user", by, output.note) if by else None
        row = records.create_session(connection, org_id, course_id, user_id, title, status)
    _print_session(options, row, "Created")


@command("list", group=session)
def session_list(options: Options) -> None:
    """List the sessions, newest first.

    \b
    Example:
      sessiondb session list
    """
    from sessiondb import records

    with options.database.transaction(read_only=True) as connection:
        _print_rows(options, records.list_sessions(connection))


@command("set-status", group=session)
@click.argument("session_name", type=Name(), metavar="SESSION")
@click.argument("status", type=Name())
def session_set_status(options: Options, session_name: str, status: str) -> None:
    """Give a session, named by its title or id, another status.

    \b
    Example:
      sessiondb session set-status "Session Automne 2024" completed
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        session_id = records.find(connection, "session", session_name, output.note)
        row = records.set_session_status(connection, session_id, status)
    _print_session(options, row, "Changed")
