"""Versions that meet on one database: the one that is installed there, and this one."""

from __future__ import annotations

from packaging.version import Version

from sessiondb import __version__
from sessiondb.database import Installation
from sessiondb.errors import SessiondbError


def refuse_newer(there: Installation | None) -> None:
    """Refuse to work on a database that a newer version has applied to; it can hold what this one does not know.

    Raises:
        SessiondbError: the database is of a newer version.
    """
    if there and Version(there.version) > Version(__version__):
        raise SessiondbError(
            f"this database was set up by sessiondb {there.version}, and this is sessiondb {__version__}",
            f"Use sessiondb {there.version} or later.",
        )


def require_same(there: Installation | None) -> None:
    """Refuse a database of another version, for what needs the functions of this one.

    Raises:
        SessiondbError: the database is of another version.
    """
    refuse_newer(there)
    if there and Version(there.version) < Version(__version__):
        raise SessiondbError(
            f"this database was set up by sessiondb {there.version}, and this is sessiondb {__version__}",
            "Bring it to this version first: sessiondb apply",
        )
