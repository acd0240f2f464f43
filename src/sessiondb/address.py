"""The address of a database: as it is given, as libpq reads it, and what is wrong when nothing answers there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sessiondb.errors import SessiondbError, UsageError
from sessiondb.passwords import SECRETS, is_sound, kind_of


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
        "Give a URI such as postgresql://user@host/dbname, libpq's keywords with =, or service=NAME; a quote must be"
        " closed, special characters in a URI must be percent-encoded, and parameters after ? must be those of libpq "
        "(?sslmode=require, but not ?schema= of Prisma)."
    )


def _remember(parameters: Mapping[str, Any]) -> None:
    """Hide what may be a password in another parameter: libpq and the server print those."""
    for name, value in parameters.items():
        if name not in ("password", "sslpassword") and value is not None:
            SECRETS.remember([str(value)], kind_of(name))


def unreachable(error: psycopg.Error | UnicodeError, named_by: str) -> SessiondbError:
    """Return what to do about a connection that failed.

    Args:
        error: of libpq, or of the encoding of a host name that it cannot have.
        named_by: as :func:`named_by` returns it.
    """
    if isinstance(error, UnicodeError):
        return SessiondbError("cannot connect to the database: its host name is not valid", _HINT)
    if error.pgconn:  # including what a service file contains
        _remember({o.keyword.decode(): o.val.decode(errors="replace") for o in error.pgconn.info if o.val})
    text = SECRETS.hide(str(error))  # before its lines are joined: a given name may contain line breaks and a password
    lines = [line.strip() for line in text.removeprefix("connection is bad: ").splitlines() if line.strip()]
    text = "; ".join(line.rstrip(".") for line in lines)
    hints = (hint for pattern, hint in _HINTS.items() if re.search(pattern, str(error)))
    hint = next(hints, _HINT)
    other = "" if named_by == "-d" else "; -d names another one"
    if named_by:
        hint = f"{hint} The address is from {named_by}{other}."
    elif any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT")):
        hint = f"{hint} The address is from the PG* variables{other}."
    else:
        hint = "No database is named, so libpq's defaults were used: name one with -d or DATABASE_URL."
    return SessiondbError(f"cannot connect to the database: {text}", hint)


_HINT = "Check that the server is running and accepts connections at this address."

_HINTS = {
    r"service .* not found": "Add the service to ~/.pg_service.conf, or to the file that PGSERVICEFILE names.",
    r"pg_hba\.conf": "Add a line for this role, database and client address to the server's pg_hba.conf.",
    r"SSL": "Set sslmode to what the server offers, or configure SSL on the server.",
    r"password|authentication": "Check the user and the password, also in PGPASSWORD and ~/.pgpass.",
    r"does not exist": "Check the names of the database and the role.",
    r"starting up|shutting down|recovery": "Run the command again when the server has started.",
    r"too many|connection slots": "Run the command again when a connection is free, or allow more connections.",
}
"""What to do about a failed connection, by the message of libpq."""
