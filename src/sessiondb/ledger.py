"""yoyo-migrations: its file format and its ledger. No other module uses yoyo.

The tables are those of yoyo, so its own tools can read them. Its runner and its backend are not used: their
lock is a row that survives a crash, they write the ledger on another connection than the migration's, and
they hash only the name of a file.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import LiteralString

from psycopg import errors as pg
from psycopg import sql

from sessiondb.connection import Connection
from sessiondb.errors import SessiondbError
from sessiondb.installation import is_there

TABLES = ("enrollments", "submissions")
"""The tables whose rows are linked."""


def saved_links(connection: Connection) -> int:
    """Return how many links a rollback has saved, as far as this role may read that.

    Raises:
        PlatformRefusedError: as :func:`sessiondb.installation.is_there`.
    """
    if not is_there(connection):
        return 0
    kept = connection.execute(
        "SELECT c.relname FROM pg_class AS c"
        " WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind = 'r' AND NOT c.relrowsecurity"
        "   AND c.relname = ANY (%s)"
        "   AND has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')",
        [[f"saved_links_of_{table}" for table in TABLES]],
    ).fetchall()
    number = 0
    for (name,) in kept:
        table = sql.Identifier("sessiondb", name)
        with suppress(pg.UndefinedTable, pg.InvalidSchemaName), connection.transaction():
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
            if is_there(connection):  # still, now that the lock keeps it
                ((links,),) = connection.execute(
                    sql.SQL("SELECT count(session_id) FROM ONLY {}").format(table)
                ).fetchall()
                number += links
    return number


def of_saved_links(number: int) -> str:
    """Return a sentence about the links that a rollback has saved."""
    stay = "1 link stays" if number == 1 else f"{number} links stay"
    return f"{stay} in schema sessiondb; DROP SCHEMA sessiondb CASCADE deletes them."


@dataclass(frozen=True)
class Script:
    """One direction of a migration."""

    # in the order in which they run: statements, each with the comment lines above it, and lines ``-- step: NAME
    # ARGUMENT``, which name a query of ``sql/steps/``
    items: Sequence[str]
    transactional: bool  # whether all of them run in one transaction


@dataclass(frozen=True)
class Migration:
    """A migration file and its rollback file; they are split into statements on demand."""

    path: Path  # of the migration file
    # of its text, without line endings, trailing blanks and lines that name objects. The rollback file is not included,
    # so mistakes in it can be corrected after a release.
    sha256: str

    @property
    def id(self) -> str:
        """The file's name without ``.sql``, for instance ``0005.create-indexes``."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The beginning of the id, for instance ``0005``."""
        return self.id.partition(".")[0]

    @property
    def hash(self) -> str:
        """The hash of the id, as yoyo computes it."""
        from yoyo.migrations import get_migration_hash  # noqa: PLC0415  (slow, and few commands need it)

        return str(get_migration_hash(self.id))

    @property
    def steps(self) -> list[str]:
        """The lines of the migration file that name steps."""
        return _steps(self.path.read_text(encoding="utf-8"))

    @cached_property
    def apply(self) -> Script:
        """The script that applies it."""
        return _read(self.path)

    @cached_property
    def rollback(self) -> Script:
        """The script that undoes it."""
        return _read(_rollback_of(self.path))


def read_migrations(folder: Path) -> list[Migration]:
    """Return the migrations of a folder, oldest first.

    Raises:
        SessiondbError: there are none, one has no rollback file, or one does not depend on the previous
            migration.
    """
    paths = sorted(p for p in folder.glob("*.sql") if not p.name.endswith(".rollback.sql"))
    if not paths:
        raise SessiondbError(f"no migrations in {folder}", "Install the package again.")
    migrations: list[Migration] = []
    for path in paths:
        rollback = _rollback_of(path)
        if not rollback.exists():
            raise SessiondbError(
                f"migration {path.stem} has no rollback file",
                f"Add {rollback.name}; a migration that cannot be undone is not applied.",
            )
        text = path.read_text(encoding="utf-8")
        depends = re.findall(r"^-- depends: (\S+)", text, re.MULTILINE)
        if depends != [m.id for m in migrations[-1:]]:
            raise SessiondbError(f"migration {path.stem} must contain: -- depends: ID of the previous migration")
        migrations.append(Migration(path, _sha256(text)))
    return migrations


def _rollback_of(path: Path) -> Path:
    return path.with_suffix(".rollback.sql")


def _read(path: Path) -> Script:
    """Return the steps of a file or, if it has none, its statements."""
    text = path.read_text(encoding="utf-8")
    if steps := _steps(text):
        return Script(tuple(steps), not re.search(r"^-- transactional: false\s*$", text, re.MULTILINE))
    from yoyo.migrations import read_sql_migration  # noqa: PLC0415  (as above)

    directives, leading_comment, statements = read_sql_migration(str(path))
    # yoyo treats the comment above the first statement as the description of the file
    first = [f"-- {line}" for line in leading_comment.splitlines() if line]
    statements = ["\n".join([*first, statements[0]]), *statements[1:]]
    # the lines that name objects follow the last statement
    return Script(
        items=tuple(s for s in statements if re.sub(r"^--.*$", "", s, flags=re.MULTILINE).strip()),
        transactional=directives.get("transactional", "true").lower() == "true",
    )


def _steps(text: str) -> list[str]:
    return re.findall(r"^-- step: .*\S", text, re.MULTILINE)


def _sha256(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("-- object: ")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def exists(connection: Connection) -> bool:
    """Return whether the tables of the ledger exist.

    Raises:
        PlatformRefusedError: as :func:`sessiondb.installation.is_there`.
    """
    query: LiteralString = (
        "SELECT FROM pg_class WHERE relname = '_yoyo_migration' AND relnamespace = to_regnamespace('sessiondb')"
    )
    return is_there(connection) and connection.execute(query).rowcount > 0


def require_visible(connection: Connection) -> None:
    """Refuse to continue if the role may not use an existing schema sessiondb.

    Raises:
        SessiondbError: the schema belongs to the role that applied, and this one has no USAGE on it.
    """
    shut = connection.execute(
        """
        SELECT quote_ident(pg_get_userbyid(n.nspowner)), quote_ident(current_user)
          FROM pg_namespace AS n
         WHERE n.nspname = 'sessiondb' AND NOT has_schema_privilege(n.oid, 'USAGE')
        """
    ).fetchone()
    if shut:
        owner, role = shut
        if owner == role:
            message = f"role {role}, which owns schema sessiondb, may not use it"
            raise SessiondbError(message, f"GRANT USAGE ON SCHEMA sessiondb TO {role}")
        raise SessiondbError(
            f"schema sessiondb belongs to {owner}, and role {role} may not use it",
            f"Connect as {owner}. To read only, grant {role} USAGE on the schema and SELECT on its tables."
            " To change the owner, see docs/grants.md.",
        )


def applied(connection: Connection) -> dict[str, tuple[datetime, str | None]]:
    """Return, for each applied migration's id, when it was applied and the hash of its text.

    Raises:
        SessiondbError: as :func:`require_visible`.
    """
    if not exists(connection):
        return {}
    require_visible(connection)
    rows = connection.execute(
        "SELECT m.migration_id, timezone('UTC', m.applied_at_utc) FROM sessiondb._yoyo_migration AS m"
        " ORDER BY m.migration_id"
    ).fetchall()
    hashes: dict[str, str] = {}
    # in the snapshot; the name may be of another role's table by now
    there = "SELECT FROM pg_class WHERE relname = 'migration_content' AND relnamespace = to_regnamespace('sessiondb')"
    if connection.execute(there).rowcount:
        query: LiteralString = "SELECT c.migration_id, c.sha256 FROM sessiondb.migration_content AS c"
        hashes = dict(connection.execute(query).fetchall())
    return {id_: (when, hashes.get(id_)) for id_, when in rows}


def mark_applied(migration: Migration) -> list[str]:
    """Return the statements that record the migration as applied, in yoyo's tables and in ours.

    If it is recorded already, because only something that it made was missing, they change nothing.
    """
    return [
        _log(migration, "apply"),
        _compose(
            """
            INSERT INTO sessiondb._yoyo_migration (migration_hash, migration_id, applied_at_utc)
            VALUES ({hash}, {id}, timezone('UTC', clock_timestamp()))
            ON CONFLICT DO NOTHING
            """,
            migration,
        ),
        _compose(
            """
            INSERT INTO sessiondb.migration_content (migration_id, sha256) VALUES ({id}, {sha256})
            ON CONFLICT (migration_id) DO UPDATE SET sha256 = EXCLUDED.sha256
            """,
            migration,
        ),
    ]


def mark_rolled_back(migration: Migration) -> list[str]:
    """Return the statements that record the migration as rolled back."""
    return [
        _compose("DELETE FROM sessiondb._yoyo_migration WHERE migration_hash::text = {hash}", migration),
        _log(migration, "rollback"),
        _compose("DELETE FROM sessiondb.migration_content WHERE migration_id = {id}", migration),
    ]


def _log(migration: Migration, operation: str) -> str:
    return _compose(
        """
        INSERT INTO sessiondb._yoyo_log
            (id, migration_hash, migration_id, operation, username, hostname, created_at_utc)
        SELECT gen_random_uuid()::text, {hash}, {id}, {operation}, session_user,
               coalesce(host(inet_client_addr()), 'local'),
               timezone('UTC', clock_timestamp())
         WHERE NOT EXISTS (SELECT FROM sessiondb._yoyo_migration WHERE migration_hash::text = {hash})
        """,
        migration,
        operation=operation,
    )


def _compose(statement: LiteralString, migration: Migration, **values: str) -> str:
    values = {"id": migration.id, "hash": migration.hash, "sha256": migration.sha256, **values}
    literals = {name: sql.Literal(value) for name, value in values.items()}
    return textwrap.dedent(sql.SQL(statement).format(**literals).as_string(None)).strip()
