"""Connections to a database, with our settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from shlex import quote

import psycopg
from psycopg import IsolationLevel
from psycopg import errors as pg

from sessiondb import pooler, resources
from sessiondb.address import unreachable
from sessiondb.citus import look_at_citus
from sessiondb.connection import OUR_PATH, SILENCE, Connection, named_path, set_platform_path, trusted
from sessiondb.errors import SessiondbError, UsageError
from sessiondb.installation import Installation, installation, is_there
from sessiondb.ledger import require_visible
from sessiondb.server_errors import explain, is_lost

SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "quote_all_identifiers": "off",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    # the isolation that our statements expect; a serializable batch would fail repeatedly under load
    "default_transaction_isolation": "read committed",
    "transform_null_equals": "off",
    "array_nulls": "on",
    "row_security": "on",
    # our catalog queries look expensive, also the first one: compiling them would take seconds
    "jit": "off",
    # On Citus; elsewhere these have no effect. Otherwise CREATE SCHEMA sessiondb creates the schema of a tenant, and
    # these are refused: triggers, functions that read, called for rows of a reference table, functions after other DDL.
    "citus.enable_schema_based_sharding": "off",
    "citus.enable_unsafe_triggers": "on",
    "citus.allow_nested_distributed_execution": "on",
    "citus.multi_shard_modify_mode": "sequential",
}
"""How the server parses and plans statements and formats values, whatever the role or the database sets."""


_PATIENCE = "10s"
"""How long a command waits for a lock for which it has no budget, before it fails."""


REACH = {
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": "2s",
    "tcp_keepalives_interval": "1s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5s",
}
"""Settings with which the server notices, even during a statement, that the client is gone or unreachable."""


@dataclass(frozen=True)
class Choices:
    """What the user chooses for an apply. None keeps the last choice."""

    # the columns from a submission to its course; found from the foreign keys before the first choice
    course_path: str | None = None
    adopt: bool = False  # whether to replace the platform's own triggers that write session_id
    # the roles of members that read the rows of their organisation's sessions, separated by commas; empty for none
    staff: str | None = None
    current_user: str | None = None  # the SQL expression of the current user

    def settings(self, schema: str) -> dict[str, str]:
        """Return the settings for a platform in this schema."""
        return {
            "sessiondb.schema": schema,
            "sessiondb.course_path": self.course_path or "",
            "sessiondb.adopt": "on" if self.adopt else "",
            "sessiondb.staff": self.staff or "",
            "sessiondb.user_expression": self.current_user or "",
        }


_AS_KEPT = Choices()


@dataclass(frozen=True)
class Database:
    """A database and the platform's schema in it."""

    conninfo: str  # as :func:`sessiondb.address.conninfo` returns it
    # the platform's schema; ``None`` for the one in which sessiondb is installed, else ``public``
    schema: str | None = None
    named_by: str = ""  # the option or variable that named it, as :func:`sessiondb.address.named_by` returns it
    opens: type[Connection] = psycopg.Connection  # the class of its connections

    @contextmanager
    def connect(self, choices: Choices = _AS_KEPT) -> Iterator[Connection]:
        """Yield an autocommit connection with our settings, for work in many transactions.

        Its search_path is :data:`sessiondb.connection.OUR_PATH`. The settings of :meth:`Choices.settings` pass what the
        user chose to our SQL, ``sessiondb.platform_path`` the initial path of the connection. The server ends the
        connection if the client is gone or silent (:data:`REACH`, :data:`sessiondb.connection.SILENCE`), and no timeout
        of the role or the database applies to our statements.

        Raises:
            PlatformRefusedError: a pooler gives every transaction another server connection.
            StoppedError: the connection was lost.
            SessiondbError: no connection, or no such schema.
        """
        with self._opened() as connection:
            connection.autocommit = True
            pooler.require_own_backend(connection)  # before anything is set
            self._prepare(connection, choices, local=False)
            for name, value in REACH.items():
                with suppress(pg.InvalidParameterValue):  # a server on Windows cannot notice
                    connection.execute("SELECT set_config(%s, %s, false)", [name, value])
            try:
                yield connection
            except psycopg.Error as error:
                if is_lost(error):
                    raise explain(error, is_partway=True) from error
                raise

    @contextmanager
    def transaction(self, choices: Choices = _AS_KEPT, *, read_only: bool) -> Iterator[Connection]:
        """Yield a connection in one transaction with the settings of :meth:`connect`, then commit.

        The settings end with the transaction, so this also works with a pooler that gives every
        transaction another server connection; reading works on a standby.

        Raises:
            SessiondbError: no connection, or no such schema.
        """
        with self._opened() as connection:
            known = ""
            if read_only:
                # before the snapshot is taken, in which nothing is seen of what another role commits meanwhile; a
                # standby has no locks of who has not committed yet, so there another look is taken in the snapshot
                connection.isolation_level = IsolationLevel.READ_COMMITTED
                with connection.transaction():
                    self._look(connection, local=True, is_reader=True)
                    ((known,),) = connection.execute(
                        "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE current_setting('sessiondb.schema_oid') END"
                    ).fetchall()
            connection.read_only = True if read_only else None
            connection.isolation_level = IsolationLevel.REPEATABLE_READ if read_only else IsolationLevel.READ_COMMITTED
            self._prepare(connection, choices, local=True, is_reader=read_only, known=known)
            yield connection
            if not read_only:
                set_platform_path(connection)  # deferred triggers fire at the commit

    def require_own_backend(self) -> None:
        """Refuse a pooler as :meth:`connect` does, without setting anything.

        Raises:
            PlatformRefusedError: a pooler gives every transaction another server connection.
            SessiondbError: no connection.
        """
        with self._opened() as connection:
            connection.autocommit = True
            pooler.require_own_backend(connection)

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        try:
            connection = self.opens.connect(
                self.conninfo, fallback_application_name="sessiondb", client_encoding="UTF8", prepare_threshold=None
            )
        except (psycopg.Error, UnicodeError) as error:
            if isinstance(error, UnicodeError) and "idna" not in str(error):
                raise
            raise unreachable(error, self.named_by) from None
        try:
            with connection:
                yield connection
        except psycopg.Error as error:
            raise explain(error) from error

    def _look(
        self, connection: Connection, *, local: bool, is_reader: bool, known: str = ""
    ) -> tuple[list[str], int | None]:
        """Set what the first look at schema sessiondb needs, and look, unless it is ``known``, by its oid.

        Returns:
            The initial search_path of the connection, and the role that owns the platform's tables.
        """
        # qualified, so no object of another role is taken for these
        ((path,),) = connection.execute("SELECT pg_catalog.current_schemas(false)").fetchall()
        # another client of a pooler may have left a schema_oid
        is_named = "off" if self.schema is None else "on"
        first = {"search_path": OUR_PATH, "sessiondb.schema_oid": known, "sessiondb.is_named": is_named, **SETTINGS}
        first["statement_timeout"] = "0"  # that of a role may be too short for the next statement on a busy server
        connection.execute(
            "SELECT pg_catalog.set_config(s.name, s.value, %s)"
            " FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[]))"
            " AS s (name, value)",
            [local, [*first], [*first.values()]],
        )
        # before anything that may take long
        connection.execute(
            trusted(resources.query("queries/connection_settings")),
            {"patience": _PATIENCE, "silence": SILENCE * 1000, "is_reader": is_reader, "local": local},
        )
        owner = self._table_owner(connection)
        connection.execute("SELECT set_config('sessiondb.table_owner', %s, %s)", [str(owner or ""), local])
        is_there(connection)
        return path, owner

    def _prepare(
        self, connection: Connection, choices: Choices, *, local: bool, is_reader: bool = False, known: str = ""
    ) -> None:
        path, owner = self._look(connection, local=local, is_reader=is_reader, known=known)
        there = installation(connection)
        schema = self._schema(connection, there)
        if there and owner is None:  # the schema was not named, and is not public
            right = resources.query("queries/right_owner", "to_regnamespace(quote_ident(%(schema)s::text))")
            set_owner = f"SELECT set_config('sessiondb.table_owner', coalesce(({right})::text, ''), %(local)s)"
            connection.execute(trusted(set_owner), {"schema": schema, "local": local})
        kept = (there and there.staff) or {}
        chosen = replace(
            choices,
            course_path=choices.course_path or (there.course_path if there else None),
            staff=kept.get("roles") if choices.staff is None else choices.staff,
            current_user=choices.current_user or kept.get("current_user"),
        )
        if choices.current_user and not chosen.staff:
            raise UsageError(
                "--current-user is only for the policies for staff, and there are none", "Name the roles with --staff."
            )
        settings = {
            **chosen.settings(schema),
            "sessiondb.platform_path": named_path(path),
            # users must see what our procedures report, whatever other notices they suppress
            "client_min_messages": "notice",
        }
        ((has_citus, _), *_) = connection.execute(
            "SELECT to_regclass('pg_dist_partition') IS NOT NULL, set_config(s.name, s.value, %s)"
            " FROM unnest(%s::text[], %s::text[]) AS s (name, value)",
            [local, [*settings], [*settings.values()]],
        ).fetchall()
        if has_citus:
            look_at_citus(connection, local=local)

    def _table_owner(self, connection: Connection) -> int | None:
        """Return the role whose schema sessiondb is trusted because it owns the platform's enrollments.

        If no schema is given, a role could create a table of that name in schema public in order to be trusted; if the
        schema was renamed, one of its old name.
        """
        query = resources.query("queries/table_owner", "to_regnamespace(quote_ident(%(schema)s::text))")
        found = connection.execute(trusted(query), {"schema": self.schema or "public"}).fetchone()
        return int(found[0]) if found else None

    def _schema(self, connection: Connection, there: Installation | None) -> str:
        def exists(name: str) -> bool:
            return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [name]).rowcount > 0

        def has_triggers() -> bool:
            return (
                there is not None and connection.execute(trusted(resources.query("queries/linked_tables"))).rowcount > 0
            )

        schema = self.schema or (there.platform_schema if there else "public")
        if self.schema is None and there is None and connection.execute(_ENROLLMENTS_IN_PUBLIC).rowcount == 0:
            require_visible(connection)  # the schema may be recorded there
        is_unclear = connection.execute(_OWNERS_OF_ENROLLMENTS).rowcount > 1 and not has_triggers()
        if is_unclear and self.schema is None:
            raise SessiondbError(
                "tables named enrollments belong to several roles in this database",
                "Name the schema of the platform's tables with --schema.",
            )
        moved = trusted(resources.query("queries/moved_to", "%s::text"))
        ((moved_to,),) = connection.execute(moved, [there and there.platform_schema]).fetchall()
        again = f"sessiondb apply --schema {quote(moved_to) if moved_to else 'NEW'}"
        if not exists(schema):
            raise SessiondbError(
                f'schema "{schema}" does not exist in this database',
                f"If it was renamed, run: {again}"
                if there and schema == there.platform_schema
                else "Name the schema that holds enrollments and submissions with --schema.",
            )
        if moved_to and there and schema == there.platform_schema:
            raise SessiondbError(
                f'table enrollments is no longer in schema "{schema}", but in "{moved_to}"',
                f"Move it back or, if all tables are there, run: {again}",
            )
        # apply installs again for the schema that has another name, or to which the tables were moved
        is_known = is_unclear or (there and schema in (there.platform_schema, moved_to))
        if there and not is_known and exists(there.platform_schema):
            raise SessiondbError(
                f'sessiondb is installed in this database for schema "{there.platform_schema}", not "{schema}"',
                "Leave --schema out: sessiondb finds the schema in which it is installed.",
            )
        shut = connection.execute(
            "SELECT quote_ident(n.nspname), quote_ident(current_user) FROM pg_namespace AS n"
            " JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'"
            " WHERE n.nspname = %s AND NOT has_schema_privilege(n.oid, 'USAGE')"
            " AND pg_get_userbyid(c.relowner) = current_user",
            [schema],
        ).fetchone()
        if shut:
            raise SessiondbError(
                "role {1}, which owns table enrollments, may not use its schema {0}, so INSERTs fail".format(*shut),
                "GRANT USAGE ON SCHEMA {} TO {}".format(*shut),
            )
        return schema


_ENROLLMENTS_IN_PUBLIC = """
SELECT FROM pg_class AS c WHERE c.relname = 'enrollments' AND c.relnamespace = to_regnamespace('public')
"""

_OWNERS_OF_ENROLLMENTS = """
SELECT DISTINCT c.relowner
  FROM pg_class AS c
 WHERE c.relname = 'enrollments' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
"""
"""The roles that own a table of that name, in whichever schema."""
