"""No function of another role is called in the place of ours because it fits the arguments of a call better.

No command runs while another role has one in schema sessiondb, but it may be created between the look at the schema and
the call. PostgreSQL calls a function with exactly the types of the arguments before any other; so each call of ours gives
exactly the declared types. Here, a function that fails lies beside each of ours for each way to fit other arguments.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_cli import DMITRI, on
from test_plan import by_psql, psql
from test_rules import World
from test_shadowing import LOOKS, WORKS

from sessiondb.connection import Connection

__all__ = ["psql"]  # a fixture

OTHERS = (
    "text",
    "varchar",
    "name",
    "smallint",
    "integer",
    "bigint",
    "uuid",
    "regclass",
    "tid",
    "anyelement",
    "anyarray",
    "jsonb",
)
OURS = """
SELECT p.proname, p.prokind = 'p', p.pronargdefaults, p.provariadic <> 0,
       ARRAY(SELECT format_type(t.type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, place) ORDER BY t.place)
  FROM pg_proc AS p
 WHERE p.pronamespace = 'sessiondb'::regnamespace
"""


def overload(connection: Connection) -> int:
    """Create functions that fail beside those of schema sessiondb; return how many."""
    made = 0
    for name, is_procedure, defaults, is_variadic, types in connection.execute(OURS).fetchall():
        lists = {
            *((*types[:i], other, *types[i + 1 :]) for i in range(len(types)) for other in OTHERS),
            *(tuple(types[: len(types) - n]) for n in range(1, defaults + 1)),
            tuple("text" for _ in types),
        }
        if is_variadic:
            lists |= {(*types[:-1], *([other] * n)) for other in ("text", "regclass", "anyelement") for n in (1, 2)}
        for arguments in lists - {tuple(types)}:
            connection.execute(
                sql.SQL(
                    "CREATE OR REPLACE {} sessiondb.{}({}) {} LANGUAGE plpgsql AS 'BEGIN RAISE ''fallen: {}''; END'"
                ).format(
                    sql.SQL("PROCEDURE" if is_procedure else "FUNCTION"),
                    sql.Identifier(name),
                    sql.SQL(", ".join(arguments)),
                    sql.SQL("" if is_procedure else "RETURNS void"),
                    sql.SQL(f"{name}({', '.join(arguments)})"),
                )
            )
            made += 1
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "platform", [PLATFORMS[n] for n in ("reference", "hosted", "partitioned")], indirect=True, ids=str
)
def test_no_call_fits_another_function_in_schema_sessiondb_better(
    installed_db: PlatformDatabase, psql: str, tmp_path: Path
) -> None:
    with installed_db.connect() as connection:
        world = World(installed_db.platform, connection)
        assert overload(connection) > 1000
        org, course = world.org(), world.course()
        session = world.session(org, course)
        for _ in range(2):
            student = world.user(org)
            assert world.write("enrollments", student, course) == world.write("submissions", student, course) == session
            world.run("UPDATE {} SET session_id = NULL WHERE user_id = {}", "submissions", student)
    seen = []
    for command in [
        *LOOKS,
        *WORKS,
        "rollback --to 0008 --yes",
        "rollback --to 0004 --yes",
        *LOOKS,
        "apply --to 0006",
        "apply",
        *LOOKS,
        *WORKS,
        "apply --staff admin",
        f"member add --org nord --user {DMITRI} --backfill",
        "rollback --to 0001 --yes",
        "apply",
    ]:
        run = on(installed_db, *command.split())
        seen += [f"{command}: {found}" for found in re.findall(r"fallen: .*|.* is not unique", run.out + run.err)]
    assert seen == []
    with installed_db.connect() as connection:
        connection.execute("CALL sessiondb.backfill(NULL::uuid)")
    run = by_psql(psql, installed_db, on(installed_db, "plan", "--sql").out, tmp_path)
    assert (run.code, run.err) == (0, "")
