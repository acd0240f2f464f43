"""org, member and session: what the guide does by hand."""

from __future__ import annotations

import uuid
from typing import Any

import click

from sessiondb import output
from sessiondb.commands import Name, Options, command


@click.group()
def org() -> None:
    """Organisations.

    \b
    Example:
      sessiondb org create --name "Mon Organisation" --slug mon-org
    """


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
def member() -> None:
    """Members of organisations.

    \b
    Example:
      sessiondb member add --org mon-org --user 00000000-0000-4000-8000-000000000001
    """


@command("add", group=member)
@click.option("--org", "org_slug", type=Name(), required=True, metavar="SLUG", help="The organisation.")
@click.option("--user", type=click.UUID, required=True, metavar="ID", help="The user.")
@click.option("--role", type=Name(), default="student", show_default=True, help="The user's role in it.")
def member_add(options: Options, org_slug: str, user: uuid.UUID, role: str) -> None:
    """Make a user a member of an organisation; nothing happens if he is one.

    \b
    Example:
      sessiondb member add --org mon-org --user 00000000-0000-4000-8000-000000000001
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        row = records.add_member(connection, org_slug, user, role)
    if options.json:
        output.json_document(row)
    elif row["created"]:
        output.say(f"User {user} is now a member of {org_slug} as {row['role']}.")
    else:
        output.say(f"User {user} was already a member of {org_slug} as {row['role']}.")


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

    counts: dict[str, Any] = dict.fromkeys(("linkable_enrollments", "linkable_submissions"))
    try:
        with options.database.transaction(read_only=True) as connection:
            counts = records.count_linkable(connection, row["course_id"])
    except SessiondbError as error:
        output.note(f"What a backfill would link now could not be counted: {error}")
    if options.json:
        output.json_document({**row, **counts})
        return
    output.say(f'{done} session "{row["title"]}" ({row["status"]}): {row["id"]}')
    if None not in counts.values():
        output.say(
            f"A backfill would now link {output.count(counts['linkable_enrollments'], 'enrolment')} and "
            f"{output.count(counts['linkable_submissions'], 'submission')} of this course without a session."
        )


@command("create", group=session)
@click.option("--org", "org_slug", type=Name(), required=True, metavar="SLUG", help="The organisation.")
@click.option("--course", type=click.UUID, required=True, metavar="ID", help="The course.")
@click.option("--by", type=click.UUID, required=True, metavar="ID", help="The user who creates it.")
@click.option("--title", help="Default: after the course.")
@click.option("--status", type=Name(), default="active", show_default=True, help="Only active sessions link students.")
def session_create(
    options: Options, org_slug: str, course: uuid.UUID, by: uuid.UUID, title: str | None, status: str
) -> None:
    """Create a session of a course for an organisation.

    \b
    Example:
      sessiondb session create --org mon-org --title "Session Automne 2024" \\
        --course 00000000-0000-4000-8000-000000000001 --by 00000000-0000-4000-8000-000000000002
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        row = records.create_session(connection, org_slug, course, by, title, status)
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
        rows = records.list_sessions(connection)
        output.json_rows(rows) if options.json else output.table(rows)


@command("set-status", group=session)
@click.argument("session_id", type=click.UUID, metavar="ID")
@click.argument("status", type=Name())
def session_set_status(options: Options, session_id: uuid.UUID, status: str) -> None:
    """Give a session another status.

    \b
    Example:
      sessiondb session set-status 00000000-0000-4000-8000-000000000001 completed
    """
    from sessiondb import records

    with options.changing.transaction(read_only=False) as connection:
        row = records.set_session_status(connection, session_id, status)
    _print_session(options, row, "Changed")
