"""Connections as libpq makes them, and the translation of PostgreSQL's errors into ours."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from weakref import WeakSet

import psycopg
from psycopg import IsolationLevel, sql
from psycopg import errors as pg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from sessiondb import pooler, resources
from sessiondb.errors import (
    Finding,
    LockNotObtainedError,
    PlatformRefusedError,
    SessiondbError,
    StoppedError,
    UsageError,
)
from sessiondb.passwords import SECRETS, is_sound, kind_of

Connection = psycopg.Connection[tuple[Any, ...]]

SPELLING = {
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
    # On Citus; elsewhere these have no effect. Otherwise CREATE SCHEMA sessiondb creates the schema of a tenant, and
    # these are refused: triggers, functions that read, called for rows of a reference table, functions after other DDL.
    "citus.enable_schema_based_sharding": "off",
    "citus.enable_unsafe_triggers": "on",
    "citus.allow_nested_distributed_execution": "on",
    "citus.multi_shard_modify_mode": "sequential",
}
"""How the server parses statements and formats values, whatever the role or the database sets: we compare some."""

OUR_PATH = "pg_catalog, pg_temp"
"""The search_path of all SQL that touches no table of the platform (see :func:`platform_path`)."""

_PATIENCE = "10s"
"""How long a command waits for a lock for which it has no budget, before it fails."""

SILENCE = 3
"""The server ends a client that is silent for this many seconds: other sessions may be waiting for its locks.

The client may be suspended, or the network may be down; see :func:`rest` for a client that only waits.
"""

REACH = {
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": "2s",
    "tcp_keepalives_interval": "1s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5s",
}
"""Settings with which the server notices, even during a statement, that the client is gone or unreachable."""


def conninfo(dsn: str | None) -> str:
    """Return the connection string to use, in libpq's ``key=value`` form.

    Args:
        dsn: a URI, a ``key=value`` string, ``service=NAME`` or a database name, as psql takes them;
            ``None`` for ``SESSIONDB_DATABASE_URL``, else ``DATABASE_URL``, else what libpq takes from
            its own ``PG*`` variables, service file and password file.

    Raises:
        UsageError: libpq cannot parse it. The text is not repeated, because it may contain a password.
    """
    given = dsn or os.environ.get("SESSIONDB_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""
    if re.fullmatch(r"[\w.-]+", given):
        return make_conninfo("", dbname=given)
    with suppress(psycopg.ProgrammingError, UnicodeEncodeError):
        parameters = conninfo_to_dict(given)
        # with a special character in a password, libpq takes part of it for host or database, which are printed
        is_uri = given.startswith(("postgresql://", "postgres://"))
        if "@" not in str(parameters.get("host", "")) and (not is_uri or is_sound(given)):
            _remember(parameters)
            return make_conninfo("", **parameters)
    SECRETS.remember([given], "name")
    raise UsageError("the database address cannot be read", _address_hint(given))


def named_by(dsn: str | None) -> str:
    """Return what named the database: ``-d``, a variable, or nothing for libpq's own defaults."""
    variables = ("SESSIONDB_DATABASE_URL", "DATABASE_URL")
    return "-d" if dsn else next((name for name in variables if os.environ.get(name)), "")


def _address_hint(given: str) -> str:
    """Return what is wrong with an address, without repeating any of it."""
    scheme = re.match(r"([a-z]+)(\+[a-z0-9]+)?://", given)
    if scheme and scheme[1] not in ("postgresql", "postgres"):
        return "sessiondb works with PostgreSQL only: give an address such as postgresql://user@host/dbname."
    if scheme and scheme[2]:
        return "Remove the driver of SQLAlchemy after the +: postgresql://user@host/dbname"
    if scheme and given.count("@") > 1:
        return "Percent-encode special characters in the user and the password: @ is %40, : is %3A, / is %2F, # is %23."
    return (
        "Give a URI such as postgresql://user@host/dbname, or 'host=... dbname=...', or service=NAME; "
        "special characters in a URI must be percent-encoded, and parameters after ? must be those of libpq "
        "(?sslmode=require, but not ?schema= of Prisma)."
    )


def _remember(parameters: Mapping[str, Any]) -> None:
    """Hide what may be a password in another parameter: libpq and the server print those."""
    for name, value in parameters.items():
        if name not in ("password", "sslpassword") and value is not None:
            SECRETS.remember([str(value)], kind_of(name))


@dataclass(frozen=True)
class Choices:
    """What the user chooses for an apply. None keeps the last choice.

    Attributes:
        course_path: the columns from a submission to its course; found from the foreign keys before the first choice.
        adopt: whether to replace the platform's own triggers that write session_id.
        staff: the roles of members that read the rows of their organisation's sessions, separated by commas; empty for
            none.
        current_user: the SQL expression of the current user.
    """

    course_path: str | None = None
    adopt: bool = False
    staff: str | None = None
    current_user: str | None = None

    def settings(self, schema: str) -> dict[str, str]:
        """Return the settings for a platform in this schema."""
        return {
            "sessiondb.schema": schema,
            "sessiondb.course_path": self.course_path or "",
            "sessiondb.adopt": "on" if self.adopt else "",
            "sessiondb.staff": self.staff or "",
            "sessiondb.user_expression": self.current_user or "",
            # our catalog queries look expensive, and compiling them would take longer than running them
            "jit": "off",
        }


_AS_KEPT = Choices()


@dataclass(frozen=True)
class Database:
    """A database and the platform's schema in it.

    Attributes:
        conninfo: as :func:`conninfo` returns it.
        schema: the platform's schema; ``None`` for the one in which sessiondb is installed, else ``public``.
        named_by: the option or variable that named it, as :func:`named_by` returns it.
        opens: the class of its connections.
    """

    conninfo: str
    schema: str | None = None
    named_by: str = ""
    opens: type[Connection] = psycopg.Connection

    @contextmanager
    def connect(self, choices: Choices = _AS_KEPT) -> Iterator[Connection]:
        """Yield an autocommit connection with our settings, for work in many transactions.

        Its search_path is :data:`OUR_PATH`. The settings of :meth:`Choices.settings` pass what the user chose to our
        SQL, ``sessiondb.search_path`` the initial path of the connection. The server ends the connection if the client
        is gone or silent (:data:`REACH`, :data:`SILENCE`), and no timeout of the role or the database applies to our
        statements.

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
            connection.read_only = True if read_only else None
            connection.isolation_level = IsolationLevel.REPEATABLE_READ if read_only else IsolationLevel.READ_COMMITTED
            self._prepare(connection, choices, local=True, is_reader=read_only)
            yield connection
            if not read_only:
                connection.execute("SET LOCAL search_path TO DEFAULT")  # deferred triggers fire at the commit

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
        with explained():
            try:
                connection = self.opens.connect(
                    self.conninfo,
                    fallback_application_name="sessiondb",
                    client_encoding="UTF8",
                    prepare_threshold=None,
                )
            except psycopg.Error as error:
                if error.pgconn:  # including what a service file contains
                    _remember({o.keyword.decode(): o.val.decode(errors="replace") for o in error.pgconn.info if o.val})
                raise SessiondbError(_connection_failure(error), self._hint(error)) from None
            except UnicodeError as error:
                if "idna" not in str(error):
                    raise
                raise SessiondbError(
                    "cannot connect to the database: its host name is not valid", _connection_hint(error)
                ) from None
            with connection:
                yield connection

    def _hint(self, error: Exception) -> str:
        other = "" if self.named_by == "-d" else "; -d names another one"
        if self.named_by:
            return f"{_connection_hint(error)} The address is from {self.named_by}{other}."
        if any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT")):
            return f"{_connection_hint(error)} The address is from the PG* variables{other}."
        return "No database is named, so libpq's defaults were used: name one with -d or DATABASE_URL."

    def _prepare(self, connection: Connection, choices: Choices, *, local: bool, is_reader: bool = False) -> None:
        # the initial path; qualified, so no object of another role is taken for these
        ((path,),) = connection.execute("SELECT pg_catalog.current_schemas(false)").fetchall()
        connection.execute("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', %s)", [local])
        # before anything that may take long
        connection.execute(
            trusted(resources.query("queries/connection_settings")),
            {"patience": _PATIENCE, "silence": SILENCE * 1000, "is_reader": is_reader, "local": local},
        )
        owner = self._table_owner(connection)
        connection.execute("SELECT set_config('sessiondb.table_owner', %s, %s)", [str(owner or ""), local])
        there = installation(connection)
        schema = self._schema(connection, there)
        kept = (there and there.staff) or {}
        chosen = replace(
            choices,
            course_path=choices.course_path or (there.course_path if there else None),
            staff=kept.get("roles") if choices.staff is None else choices.staff,
            current_user=choices.current_user or kept.get("current_user"),
        )
        settings = {
            **chosen.settings(schema),
            **SPELLING,
            "sessiondb.search_path": pinned_path(path),
            # users must see what our procedures report, whatever other notices they suppress
            "client_min_messages": "notice",
        }
        connection.execute(
            "SELECT set_config(s.name, s.value, %s) FROM unnest(%s::text[], %s::text[]) AS s (name, value)",
            [local, [*settings], [*settings.values()]],
        )
        look_at_citus(connection, local=local)

    def _table_owner(self, connection: Connection) -> int | None:
        """Return the role whose schema sessiondb is trusted because it owns the platform's enrollments.

        If no schema is given, a role could create a table of that name in schema public in order to be trusted.
        """
        tables: dict[str, int] = dict(connection.execute(_ENROLLMENTS).fetchall())
        is_sure = self.schema is not None or len({*tables.values()}) == 1
        return tables.get(self.schema or "public") if is_sure else None

    def _schema(self, connection: Connection, there: Installation | None) -> str:
        def exists(name: str) -> bool:
            return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [name]).rowcount > 0

        schema = self.schema or (there.platform_schema if there else "public")
        if not (self.schema or there) and len({owner for _, owner in connection.execute(_ENROLLMENTS)}) > 1:
            raise SessiondbError(
                "tables named enrollments belong to several roles in this database",
                "Name the schema of the platform's tables with --schema.",
            )
        if not exists(schema):
            raise SessiondbError(
                f'schema "{schema}" does not exist in this database',
                "If it was renamed, run: sessiondb apply --schema NEW"
                if there and schema == there.platform_schema
                else "Name the schema that holds enrollments and submissions with --schema.",
            )
        # if that no longer exists, it was renamed, and apply installs again for the given name
        if there and schema != there.platform_schema and exists(there.platform_schema):
            raise SessiondbError(
                f'sessiondb is installed in this database for schema "{there.platform_schema}", not "{schema}"',
                "Leave --schema out: sessiondb finds the schema in which it is installed.",
            )
        return schema


def look_at_citus(connection: Connection, *, local: bool) -> None:
    """Note in the setting ``sessiondb.citus`` whether the platform's tables are distributed.

    It stays unset where there is no Citus.
    """
    if connection.execute("SELECT FROM pg_class WHERE oid = to_regclass('pg_dist_partition')").rowcount:
        connection.execute(trusted(resources.query("script/citus", str(local).lower())))


def is_distributed(connection: Connection) -> bool:
    """Return whether :func:`look_at_citus` found the platform's tables distributed."""
    return connection.execute("SELECT WHERE current_setting('sessiondb.citus', true) = 'distributed'").rowcount > 0


def bound_waits_on_workers(connection: Connection) -> None:
    """Bound, in the open transaction, how long a statement waits for a lock on a worker of Citus, as it is here."""
    ((timeout,),) = connection.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchall()
    connection.execute(
        trusted(
            f"SET LOCAL citus.propagate_set_commands TO local; SET LOCAL lock_timeout TO '{timeout}';"
            " SET LOCAL citus.propagate_set_commands TO none"
        )
    )


_ENROLLMENTS = """
SELECT n.nspname, c.relowner
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = 'enrollments' AND c.relpersistence <> 't'
"""
"""The schemas that have a table of that name, and its owner."""

_TRUSTED: WeakSet[Connection] = WeakSet()
"""Connections that found schema sessiondb to be trusted: no role can replace it before a rollback drops it."""


def look_again(connection: Connection) -> None:
    """Make :func:`is_there` look again: meanwhile another session may have rolled back and created such a schema."""
    _TRUSTED.discard(connection)


def is_there(connection: Connection) -> bool:
    """Return whether schema sessiondb exists, from the catalogs alone, before anything in it is read.

    Args:
        connection: under :data:`OUR_PATH`. Its setting ``sessiondb.table_owner`` is the owner of the platform's tables.

    Raises:
        PlatformRefusedError: a role that is not trusted has created objects there, or may create some.
    """
    if connection in _TRUSTED:
        return True
    # before its owner is checked: a schema that another role creates now does not exist yet
    if connection.execute("SELECT FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'").rowcount == 0:
        return False
    query = resources.query("queries/strangers", "nullif(current_setting('sessiondb.table_owner'), '')::oid")
    found = connection.execute(trusted(query)).fetchall()
    made = [f"{object_} of role {role}" for object_, role, may_create in found if not may_create]
    makers = [role for _, role, may_create in found if may_create]
    reasons = []
    if made:
        reasons.append(
            (
                f"not all of it belongs to a role that is trusted: {', '.join(made[:5])}"
                f"{', ...' if len(made) > 5 else ''}",
                "If that role owns the platform's tables, name their schema: --schema NAME. If not, inspect what it "
                "created, and drop it or give it to the owner of those tables.",
            )
        )
    if makers:
        revoked = ", ".join(makers)
        reasons.append(
            (
                f"a role that is not trusted may create objects there: {revoked}",
                f"REVOKE CREATE ON SCHEMA sessiondb FROM {revoked}",
            )
        )
    if reasons:
        nothing = "Nothing in schema sessiondb is read or run, because"
        raise PlatformRefusedError(
            [Finding("owners", "error", "schema sessiondb", f"{nothing} {reason}.", fix) for reason, fix in reasons]
        )
    _TRUSTED.add(connection)
    return True


@dataclass(frozen=True)
class Installation:
    """What sessiondb knows of its platform.

    Attributes:
        platform_schema: the schema with sessions, enrollments and submissions.
        version: of the sessiondb that applied last.
        course_path: the columns from a submission to its course, None before they are chosen.
        course_pieces: the SQL expression of the course, split where the name of the submission's row belongs.
        search_path: of the functions that the platform calls: the initial path of apply's connection, pg_temp last.
        staff: the parameters of the policies for staff, as ``queries/staff.sql`` returns them; None without policies.
        distributed: whether Citus distributes its tables, for which the code differs.
    """

    platform_schema: str
    version: str
    course_path: str | None
    course_pieces: list[str] | None
    search_path: str
    staff: dict[str, Any] | None = None
    distributed: bool = False


def installation(connection: Connection) -> Installation | None:
    """Return what is installed in this database, None if there is nothing or this role may not see it.

    Raises:
        PlatformRefusedError: as :func:`is_there`.
    """
    if not is_there(connection):
        return None
    row = connection.execute(
        """
        SELECT CASE WHEN has_schema_privilege(n.oid, 'USAGE') THEN to_regclass('sessiondb.installation') END
          FROM pg_namespace AS n
         WHERE n.nspname = 'sessiondb'
        """
    ).fetchone()
    if row is None or row[0] is None:
        return None
    # a rollback that is about to end may have locked the table, which then no longer exists
    with suppress(pg.UndefinedTable, pg.InvalidSchemaName), connection.transaction():
        row = connection.execute(
            "SELECT i.platform_schema, i.version, i.course_path, i.course_pieces, i.search_path,"
            " nullif(to_jsonb(i) -> 'staff', 'null'),"
            " coalesce(current_setting('sessiondb.citus', true) = 'distributed', false)"
            " FROM sessiondb.installation AS i"
        ).fetchone()
        return Installation(*row) if row else None
    return None


@contextmanager
def catalogs(connection: Connection) -> Iterator[None]:
    """Open a read-only transaction, or join the open one, for queries that read only the catalogs.

    They join many small tables: to plan more join orders than this takes longer than to run any of them.
    """
    is_nested = connection.info.transaction_status != TransactionStatus.IDLE
    with connection.transaction():
        connection.execute("SET LOCAL transaction_read_only TO on")
        connection.execute("SET LOCAL from_collapse_limit TO 4; SET LOCAL join_collapse_limit TO 4")
        yield
        if is_nested:
            connection.execute("SET LOCAL from_collapse_limit TO DEFAULT; SET LOCAL join_collapse_limit TO DEFAULT")


@contextmanager
def platform_path(connection: Connection) -> Iterator[None]:
    """Open a transaction, or join the open one, under the initial search_path of the connection.

    SQL that touches the platform's tables runs the platform's policies, triggers, defaults, event triggers and
    inlined functions, which expect this path. Every name in our own SQL that runs here is qualified.
    """
    before = None
    if connection.info.transaction_status != TransactionStatus.IDLE:
        ((before,),) = connection.execute("SELECT pg_catalog.current_setting('search_path')").fetchall()
    with connection.transaction():
        connection.execute("SET LOCAL search_path TO DEFAULT")
        yield
        if before is not None:
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [before])


def pinned_path(schemas: Sequence[str]) -> str:
    """Return a search_path for functions that the platform calls: these schemas, then pg_temp."""
    named = [sql.Identifier(name).as_string(None) for name in schemas if not name.startswith("pg_temp")]
    return ", ".join([*named, "pg_temp"])


def place(connection: Connection) -> str:
    """Describe the database, the server and the role of a connection."""
    ((role,),) = connection.execute("SELECT current_user").fetchall()
    info = connection.info
    return f"database {info.dbname} on {info.host or 'localhost'}:{info.port}, as role {role}"


def platform_schema(connection: Connection) -> str:
    """Return the name of the platform's schema, from the setting ``sessiondb.schema``."""
    ((schema,),) = connection.execute("SELECT pg_catalog.current_setting('sessiondb.schema')").fetchall()
    return str(schema)


def trusted(text: str) -> LiteralString:
    """Return SQL that comes from our own files, marked as such for psycopg's type."""
    return text


def rest(connection: Connection, seconds: float) -> None:
    """Wait, but keep the connection alive: the server ends it after :data:`SILENCE` without a message."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SILENCE / 6))
        if left > SILENCE / 6:
            connection.execute("SELECT")


@contextmanager
def explained() -> Iterator[None]:
    """Turn a PostgreSQL error into a :class:`SessiondbError` with its detail and hint."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error) from error


def explain(error: psycopg.Error, failed: str | None = None, *, is_partway: bool = False) -> SessiondbError:
    """Return the error in one sentence, with what to do about it.

    Args:
        error: of PostgreSQL or of the connection to it.
        failed: the migration and the statement that failed, if others were committed before.
        is_partway: other parts of the work may already be committed.
    """
    if "statement pooling mode" in str(error):  # the reason for which PgBouncer closes the connection
        return pooler.refusal()
    diagnosis = error.diag
    lost = is_lost(error)
    message = diagnosis.message_primary or str(error).strip() or type(error).__name__
    # "Failing row contains ..." would print a student's row
    if diagnosis.message_detail and not isinstance(error, pg.NotNullViolation | pg.CheckViolation):
        message += f": {diagnosis.message_detail}"
    if isinstance(error, pg.IdleInTransactionSessionTimeout | pg.IdleSessionTimeout):
        message = "the server received nothing from this client for seconds and ended the connection"
        hint = "Run the command again."
    elif lost:
        message, *_ = message.removeprefix("consuming input failed: ").splitlines()
        hint = "The connection was lost; run the command again when the server answers."
    elif diagnosis.message_hint and not isinstance(
        error, pg.UndefinedColumn
    ):  # PostgreSQL would suggest another column
        hint = diagnosis.message_hint
    else:
        of_class = next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), None)
        hint = of_class or f"This is SQLSTATE {error.sqlstate} of PostgreSQL; see the server log."
    if lost or failed or is_partway:
        hint = hint if hint.endswith((".", "!", "?")) else f"{hint}."
        hint += " Committed changes stay; the same command resumes where it stopped."
    kind = LockNotObtainedError if isinstance(error, pg.LockNotAvailable) else SessiondbError
    if lost and (failed or is_partway):
        kind = StoppedError
    return kind(f"{failed}: {message}" if failed else message, hint)


def is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection was lost, according to libpq or to the server before it closed it."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith("08") or error.sqlstate in ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04")


_HINTS: dict[type[psycopg.Error], str] = {
    pg.InsufficientPrivilege: "Grant the role what the command needs, or connect as the owner of the tables.",
    pg.ReadOnlySqlTransaction: "Connect to the primary, as a role without default_transaction_read_only.",
    pg.NotNullViolation: "The table has other required columns; insert the row with SQL.",
    pg.UniqueViolation: "Such a row already exists, and the platform allows only one.",
    pg.UndefinedTable: "The command needs this table, and USAGE on its schema; name the schema with --schema.",
    pg.UndefinedColumn: "If it was renamed, sessiondb check shows the fix; if the platform never had it, use SQL.",
    pg.CharacterNotInRepertoire: "A row contains bytes that are not UTF-8, which encoding SQL_ASCII allows;"
    " convert these rows, or restore a dump into a database with encoding UTF8.",
    pg.DataError: "Give a value that the platform's column accepts.",
    pg.LockNotAvailable: "Another session has locked what the command needs; SELECT * FROM pg_catalog.pg_locks"
    " WHERE mode = 'AccessExclusiveLock' shows which; run the command again when that session has ended.",
    pg.QueryCanceled: "Run the command again when the server is less busy.",
    pg.ForeignKeyViolation: "Correct the row that refers to a row that does not exist.",
    pg.DependentObjectsStillExist: "Drop or change what depends on it first.",
    pg.RaiseException: "A trigger of the platform raised this: do what it asks for, or disable it temporarily.",
    pg.DiskFull: "Free space on the server's disk.",
    pg.OutOfMemory: "Give the server more memory.",
}
"""What to do about an error for which PostgreSQL gives no hint, by its class."""


def _connection_failure(error: psycopg.Error) -> str:
    text = SECRETS.hide(str(error))  # before its lines are joined: a given name may contain line breaks and a password
    lines = [line.strip() for line in text.removeprefix("connection is bad: ").splitlines() if line.strip()]
    text = "; ".join(line.rstrip(".") for line in lines)
    return f"cannot connect to the database: {text}"


def _connection_hint(error: Exception) -> str:
    hints = (hint for pattern, hint in _CONNECTION_HINTS.items() if re.search(pattern, str(error)))
    return next(hints, "Check that the server is running and accepts connections at this address.")


_CONNECTION_HINTS = {
    r"service .* not found": "Add the service to ~/.pg_service.conf, or to the file that PGSERVICEFILE names.",
    r"pg_hba\.conf": "Add a line for this role, database and client address to the server's pg_hba.conf.",
    r"SSL": "Set sslmode to what the server offers, or configure SSL on the server.",
    r"password|authentication": "Check the user and the password, also in PGPASSWORD and ~/.pgpass.",
    r"does not exist": "Check the names of the database and the role.",
    r"starting up|shutting down|recovery": "Run the command again when the server has started.",
    r"too many|connection slots": "Run the command again when a connection is free, or allow more connections.",
}
"""What to do about a failed connection, by the message of libpq."""
