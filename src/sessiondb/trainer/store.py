"""The database as one visitor sees it: a connection for a request, and the queries below ``sql/trainer/``."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from sessiondb import naming, queries, resources
from sessiondb.citus import is_distributed
from sessiondb.connection import Connection, named_path, platform_path, trusted
from sessiondb.database import Database
from sessiondb.errors import SessiondbError
from sessiondb.preconditions import require_columns, require_search_path
from sessiondb.server_errors import is_lost

Row = dict[str, Any]

_T = TypeVar("_T")

PAGE_ROWS = 50
"""Rows on a page."""

MOST = 5_000
"""A count goes no further than this."""

_SECONDS = 5
"""How long a statement of a page may take."""

_SILENCE = 7
"""After so many seconds, in which the server ends each statement, one that has not answered is lost."""

_PATIENCE = {
    "connect_timeout": 4,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""How long one waits for a server that has fallen silent, as libpq has it."""

_QUICK = 0.05
"""How long one may take whose answer the page can do without."""


_SORT_KEY = "pg_catalog.lower(pg_catalog.regexp_replace(pg_catalog.normalize({}, 'NFD'), '[\\u0300-\\u036f]', '', 'g'))"
"""By what a name is sorted: without accents, for the database may sort by code, with accented letters after Z. Only the
encoding UTF8 has normal forms."""


class _Impatient(Connection):
    """A connection that is given up where the server, or what is between, is silent but does not go away."""

    def wait(self, gen: Generator[Any, Any, _T], *args: Any, **kwargs: Any) -> _T:
        """Wait for an answer, at most :data:`_SILENCE` seconds."""
        return super().wait(self._soon(gen), *args, **kwargs)

    def _soon(self, gen: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        end = time.monotonic() + _SILENCE
        try:
            asked = next(gen)
            while True:
                ready = yield asked  # psycopg sends something ten times a second
                if time.monotonic() > end:
                    self.close()
                    raise psycopg.OperationalError("the server does not answer")
                asked = gen.send(ready)
        except StopIteration as end_of:
            return end_of.value  # type: ignore[no-any-return]


def is_away(error: SessiondbError) -> bool:
    """Return whether the database cannot be reached, or was lost on the way."""
    cause = error.__cause__ or error.__context__
    return isinstance(cause, psycopg.Error) and is_lost(cause)


@dataclass(frozen=True)
class Who:
    """Whose rights decide."""

    user: str | None = None  # the id of the user of the platform that is acted as; None for the database's own role
    role: str | None = None  # what the transactions become for that, with the user in the claims

    def __post_init__(self) -> None:
        """Let no role be left out because there is no user: the rights of the database's own role would hold."""
        if self.role is not None and not self.user:
            raise ValueError("a role needs a user")

    def become(self, connection: Connection, *, local: bool) -> None:
        """Go on with the rights of that user, to the end of the transaction or of the connection.

        Raises:
            PlatformRefusedError: the search_path of that role names a schema of another one.
            SessiondbError: the platform lacks what is read, or another role has replaced it.
        """
        if self.role is None:
            return
        connection.execute(
            "SELECT set_config('request.jwt.claims', %(claims)s, %(local)s),"
            " set_config('request.jwt.claim.sub', %(user)s, %(local)s), set_config('role', %(role)s, %(local)s)",
            {
                "claims": json.dumps({"sub": self.user, "role": self.role}),
                "user": self.user,
                "role": self.role,
                "local": local,
            },
        )
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL search_path TO DEFAULT")  # in which "$user" now means another schema
            ((path,),) = connection.execute("SELECT pg_catalog.current_schemas(false)").fetchall()
        connection.execute(
            "SELECT set_config('sessiondb.platform_path', %(path)s, %(local)s)",
            {"path": named_path(path), "local": local},
        )
        require_search_path(connection)
        require_columns(connection, all_tables=True)  # the role that asked before may not read them, so it locked none


@dataclass
class View:
    """A transaction of a visitor."""

    connection: Connection  # with the visitor's rights
    # what is put into the queries: the columns that this platform has, and the course of a submission
    holes: dict[str, str] = field(default_factory=dict)
    sees_all: bool = False  # whether row level security hides nothing that decides which session work belongs to
    distributed: bool = False  # whether Citus distributes the platform's tables

    def rows(self, name: str, **arguments: object) -> list[Row]:
        """Return the rows of a query; only one that names all that it uses runs under the platform's search_path."""
        text = resources.with_citus(resources.query(f"trainer/{name}"), is_distributed=self.distributed)
        # in one pass, before the schema: a name that is put in may look like a hole
        parts = re.split(r"\{(\w+)\}", text)
        parts[::2] = [queries.of_platform(self.connection, part) for part in parts[::2]]
        parts[1::2] = [self.holes[hole] for hole in parts[1::2]]
        query = trusted("".join(parts))
        with (
            platform_path(self.connection) if "platform." in text else nullcontext(),
            self.connection.cursor(row_factory=dict_row) as cursor,
        ):
            for kind, loader in queries.LOADERS.items():
                cursor.adapters.register_loader(kind, loader)
            return cursor.execute(query, arguments).fetchall()

    def quick_rows(self, name: str, seconds: float = _QUICK, **arguments: object) -> list[Row] | None:
        """Return the same, or None where that takes longer."""
        try:
            with self.connection.transaction():
                self._limit(seconds)
                found = self.rows(name, **arguments)
                self._limit(_SECONDS)
                return found
        except pg.QueryCanceled:
            return None

    def labels(self, table: str, column: str, usual: list[str]) -> list[str]:
        """Return what a column may say, the usual words where the platform takes any."""
        return naming.allowed(self.connection, table, column) or usual

    @property
    def has_times(self) -> bool:
        """Whether this platform says when something was submitted."""
        return not self.holes["submitted_at"].startswith("NULL")

    @property
    def has_names(self) -> bool:
        """Whether this role may read what users are called."""
        return self.holes["users"] != queries.NO_PEOPLE

    def _limit(self, seconds: float) -> None:
        self.connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}"])

    def prepare(self, who: Who) -> None:
        """Look whose schema sessiondb is and what the platform has, then become the visitor."""
        connection = self.connection
        queries.require_installed(connection)
        ((steps,),) = connection.execute("SELECT course_joins FROM sessiondb.installation").fetchall()
        self.distributed = is_distributed(connection)
        who.become(connection, local=True)
        self._limit(_SECONDS)
        ((self.sees_all,),) = connection.execute(trusted(resources.query("trainer/sees_all"))).fetchall()
        holes: dict[str, str] = {}
        for place, kind, name in connection.execute(trusted(resources.query("trainer/columns"))):
            holes[place] = f"{name or 'NULL'}::pg_catalog.{kind}"
        holes["users"] = queries.people(connection)
        is_utf8 = connection.info.parameter_status("server_encoding") == "UTF8"
        for by, name in (("by_name", "u.name"), ("by_org", holes["org_name"]), ("by_course", holes["course_title"])):
            holes[by] = _SORT_KEY.format(name) if is_utf8 else name
        for hole in ("joined_course", "joins"):
            holes[hole] = resources.with_joined_course(f"{{{hole}}}", steps)
        # a name may hold a percent sign, which psycopg takes for a placeholder
        self.holes = {hole: text.replace("%", "%%") for hole, text in holes.items()}


@dataclass(frozen=True)
class Store:
    """Where the pages get what they show."""

    database: Database  # as the commands use it

    @classmethod
    def of(cls, conninfo: str, schema: str | None) -> Store:
        """Return the store of a database; one that does not answer keeps no one waiting for long."""
        given = conninfo_to_dict(conninfo)
        return cls(Database(make_conninfo("", **{**_PATIENCE, **given}), schema))

    @contextmanager
    def open(self, who: Who, mode: Literal["read", "live"] = "read") -> Iterator[View]:
        """Yield the database as a visitor sees it, in one transaction.

        Args:
            who: the visitor.
            mode: ``live`` may write, and each query sees what is committed by then.

        Raises:
            SessiondbError: as the commands.
        """
        with replace(self.database, opens=_Impatient).transaction(read_only=mode == "read") as connection:
            view = View(connection)
            view.prepare(who)
            yield view
