"""The version that is installed in a database, and this one."""

from __future__ import annotations

from packaging.version import Version

from sessiondb import __version__
from sessiondb.errors import SessiondbError
from sessiondb.installation import Installation


def refuse_newer(there: Installation | None) -> None:
    """Refuse a database to which a newer version was applied; it may contain what this one does not know.

    Raises:
        SessiondbError: the database is of a newer version.
    """
    if there and Version(there.version) > Version(__version__):
        raise SessiondbError(
            f"this database was set up by sessiondb {there.version}, and this is sessiondb {__version__}",
            f"Use sessiondb {there.version} or later.",
        )


def require_same(there: Installation | None) -> None:
    """Refuse a database of another version; for commands that need the functions of this one.

    Raises:
        SessiondbError: the database is of another version.
    """
    refuse_newer(there)
    if there and Version(there.version) < Version(__version__):
        raise SessiondbError(
            f"this database was set up by sessiondb {there.version}, and this is sessiondb {__version__}",
            "Upgrade it first: sessiondb apply",
        )
