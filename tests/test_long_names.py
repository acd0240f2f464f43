"""Names of 63 bytes, the most that PostgreSQL keeps, of letters of one, two and four bytes: of everything that has a name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from conftest import Cluster, PlatformDatabase
from psycopg import sql
from test_checks import check
from test_cli import on
from test_odd_names import OddPlatform, odd, works

from sessiondb.connection import trusted
from sessiondb.migrate import Runner

NAMES = {"one byte": "n" * 63, "two bytes": "é" * 31 + "n", "four bytes": "𝄞" * 15 + "nnn"}


class KilledError(Exception):
    """The process ends here."""


@pytest.fixture(params=NAMES)
def long_db(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[PlatformDatabase]:
    """The schema, the database, its owner, the way to the course and the partitions of submissions have such a name."""
    name = NAMES[request.param]
    platform: OddPlatform = replace(odd(name), owner=name)
    role = sql.Identifier(name)
    with cluster.new_database(platform) as made:
        cluster.execute("CREATE ROLE {} LOGIN", name)
        with made.connect() as connection:
            platform.load(connection)
            run(connection, "GRANT CREATE ON DATABASE {} TO {}", made.name, name)
            run(connection, "ALTER SCHEMA {0} OWNER TO {0}", name)
            for (table,) in connection.execute(
                "SELECT relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
                " WHERE n.nspname = %s AND c.relkind = 'r'",
                [name],
            ).fetchall():
                run(connection, "ALTER TABLE {}.{} OWNER TO {}", name, table, name)
            connection.execute(sql.SQL("SET ROLE {}; SET search_path TO {}").format(role, role))
            connection.execute(
                "DROP TABLE submissions;"
                "CREATE TABLE submissions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL,"
                " exercise_id uuid, content text) PARTITION BY HASH (id)"
            )
            run(connection, "ALTER TABLE submissions ADD FOREIGN KEY (exercise_id) REFERENCES {}", name)
            for number in range(2):
                run(
                    connection,
                    f"CREATE TABLE {{}} PARTITION OF submissions FOR VALUES WITH (MODULUS 2, REMAINDER {number})",
                    f"{name[:-1]}{number}",
                )
        run(cluster.connection, "ALTER DATABASE {} RENAME TO {}", made.name, name)
        try:
            yield PlatformDatabase(platform, name, cluster)
        finally:
            with suppress(Exception):
                run(cluster.connection, "ALTER DATABASE {} RENAME TO {}", name, made.name)
    cluster.execute("DROP ROLE {}", name)


def run(connection: object, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(trusted(statement)).format(*map(sql.Identifier, names)))  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.like_cases(one_in=3)
def test_apply_a_killed_apply_check_and_rollback_handle_them(long_db: PlatformDatabase) -> None:
    number = 0
    while True:
        number += 25  # at each 25th boundary
        left = iter(range(number))

        def boundary(migration: str, point: str) -> None:
            if next(left, None) is None:  # noqa: B023
                raise KilledError

        with suppress(KilledError), long_db.database().connect() as connection:
            Runner(connection, boundary=boundary).apply()
            break
    assert on(long_db, "apply").out.startswith("Nothing to do")
    works(long_db)
    assert check(long_db) == []
    rolled_back = on(long_db, "rollback", "--all", "--yes")
    assert rolled_back.code == 0, rolled_back
    assert on(long_db, "apply").code == 0
    assert check(long_db) == []
    assert on(long_db, "status", "--exit-code").code == 0
