"""PostgreSQL's errors as ours: one sentence, and what to do about it."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg

from sessiondb import pooler
from sessiondb.errors import LockNotObtainedError, SessiondbError, StoppedError


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
        error, pg.UndefinedColumn | pg.DependentObjectsStillExist
    ):  # PostgreSQL would suggest another column, or CASCADE
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
    pg.InsufficientPrivilege: "Grant this role what the command needs there (docs/grants.md has a line for each),"
    " or connect as the owner of the tables. If it is the owner, sessiondb check owner_rights, run as a superuser,"
    " shows what the trigger functions lack.",
    pg.ReadOnlySqlTransaction: "Connect to the primary, as a role without default_transaction_read_only.",
    pg.NotNullViolation: "The table has other required columns; insert the row with SQL. If it is an older row,"
    " give it a value first.",
    pg.UniqueViolation: "Such a row already exists, and the platform allows only one.",
    pg.UndefinedTable: "The command needs this table, and USAGE on its schema; name the schema with --schema.",
    pg.UndefinedColumn: "If it was renamed, restore its name; if the platform never had it,"
    " create the row with your application.",
    pg.CharacterNotInRepertoire: "A row contains bytes that are not UTF-8, which encoding SQL_ASCII allows;"
    " convert these rows, or restore a dump into a database with encoding UTF8.",
    pg.DataError: "Give a value that the platform's column accepts.",
    pg.LockNotAvailable: "Another session has locked what the command needs; SELECT * FROM pg_catalog.pg_locks"
    " WHERE mode = 'AccessExclusiveLock' shows which; run the command again when that session has ended.",
    pg.QueryCanceled: "Run the command again when the server is less busy.",
    pg.CheckViolation: "A row does not meet this constraint. If it was there before a constraint that is NOT VALID,"
    " correct it first: SELECT the rows that do not meet it, and ALTER TABLE ... VALIDATE CONSTRAINT at the end.",
    pg.ForeignKeyViolation: "Correct the row that refers to a row that does not exist.",
    pg.DependentObjectsStillExist: "Save the definition of what depends on it, and drop that first.",
    pg.RaiseException: "A trigger of the platform raised this: do what it asks for, or disable it temporarily.",
    pg.DiskFull: "Free space on the server's disk.",
    pg.OutOfMemory: "Give the server more memory.",
}
"""What to do about an error for which PostgreSQL gives no hint, by its class."""
