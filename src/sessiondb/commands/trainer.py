"""trainer."""

from __future__ import annotations

import sys
import uuid
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from sessiondb import output
from sessiondb.commands import Name, Options, command
from sessiondb.errors import SessiondbError, UsageError

if TYPE_CHECKING:
    from sessiondb.connection import Connection
    from sessiondb.trainer.store import Who


@contextmanager
def _forwarding(address: str) -> Iterator[str]:
    """Yield the address of a file that redirects there: all users can see the arguments of a browser."""
    with TemporaryDirectory(prefix="sessiondb-") as folder:
        page = Path(folder, "trainer.html")
        page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">', "utf-8")
        yield page.as_uri()


def _visitor(connection: Connection, user: uuid.UUID | None, role: str | None) -> Who:
    """Return whom to act as; a user of a hosted backend has its usual role."""
    from sessiondb.trainer.store import Who

    if user is None:
        if role:
            raise UsageError("--as-role is the role of the user that --as names", "Add --as USER.")
        return Who()
    if role is None and connection.execute("SELECT FROM pg_roles WHERE rolname = 'authenticated'").rowcount == 0:
        raise UsageError("--as needs a role, and this server has no role authenticated", "Add --as-role ROLE.")
    return Who(str(user), role or "authenticated")


@command("trainer")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="The port on 127.0.0.1; by default, a free one.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option(
    "--as", "user", type=click.UUID, metavar="USER", help="Act as this user of a hosted backend, given by id."
)
@click.option(
    "--as-role", type=Name(), metavar="ROLE", help="The database role for --as; by default authenticated, if it exists."
)
@click.option("--demo", is_flag=True, help="Show a fictitious school on an embedded PostgreSQL.")
def trainer(
    options: Options, port: int, no_browser: bool, user: uuid.UUID | None, as_role: str | None, demo: bool
) -> None:
    """Serve a web page on which trainers manage sessions. Only to this machine; Ctrl-C ends it.

    \b
    Example:
      sessiondb trainer --demo
      sessiondb trainer --no-browser --port 8642
    """
    from sessiondb.queries import require_installed

    try:
        from sessiondb.trainer.serve import Server
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("sessiondb"):
            raise
        raise SessiondbError(
            f"the page needs the package {error.name}", "Install it: pip install flask waitress"
        ) from error
    with ExitStack() as stack:
        if demo:
            from sessiondb.trainer.demo import school

            output.note("Setting up the school ...")
            dsn = stack.enter_context(school())
            server = Server(dsn, None, port)
        else:
            # a wrong address, or a role that cannot be set, is reported here, not in the browser
            with options.database.transaction(read_only=True) as connection:
                require_installed(connection)
                who = _visitor(connection, user, as_role)
                who.become(connection, local=True)
            server = Server(options.database.conninfo, options.schema, port, who.user, who.role)
        if options.json:
            output.json_document({"address": server.address})
        else:
            output.say(f"The page is at {server.address}")
        sys.stdout.flush()
        output.note("The address works in one browser only. Ctrl-C ends it.")
        if not no_browser:
            webbrowser.open(stack.enter_context(_forwarding(server.address)))
        server.run()
