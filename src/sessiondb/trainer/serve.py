"""Serving the page to one person on this machine."""

from __future__ import annotations

import errno
import secrets
from typing import Any

import waitress
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sessiondb.errors import SessiondbError
from sessiondb.trainer.app import create_app
from sessiondb.trainer.guard import Gate

PATH = "/trainer"


class Server:
    """The page at a secret address below :data:`PATH` on 127.0.0.1, with a token in its address.

    Args:
        database: how to connect, as libpq has it.
        schema: of the platform's tables.
        port: 0 for one that is free.
        user: whom to act as; None for the database's own role.
        role: what the transactions become for that.

    Attributes:
        address: to open in a browser, once.

    Raises:
        SessiondbError: the port is taken.
    """

    def __init__(
        self, database: str, schema: str | None, port: int, user: str | None = None, role: str | None = None
    ) -> None:
        hosts: set[str] = set()
        dispatcher = DispatcherMiddleware(NotFound())
        try:
            self._server = waitress.create_server(
                dispatcher, host="127.0.0.1", port=port, threads=8, ident=None, max_request_body_size=2**20
            )
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise SessiondbError(f"port {port} {why}", "Choose another with --port, or leave it out.") from error
        port = self._server.effective_port
        hosts |= {f"127.0.0.1:{port}", f"localhost:{port}"}
        gate = Gate(f"sessiondb-trainer-{port}")
        given: dict[str, Any] = {"who": lambda _: user, "role": role} if user else {}
        app = create_app(database, schema=schema, hosts=hosts, gate=gate, **given)
        path = f"{PATH}/{secrets.token_urlsafe(12)}"  # browsers send the cookie to all ports, but below its path only
        dispatcher.mounts = {path: app}
        self.address = f"http://127.0.0.1:{port}{path}/?token={gate.token}"

    def run(self) -> None:
        """Serve until Ctrl-C or close()."""
        self._server.run()

    def close(self) -> None:
        """Stop serving."""
        self._server.close()
