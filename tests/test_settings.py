"""How the role, the database or the client has values and names spelled makes no difference to what we do and say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_cli import BRUNO, MIGRATIONS, PYTHON, run
from test_plan import books, link

Dump = Callable[..., str]

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "quote_all_identifiers": "on",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "constraint_exclusion": "on",
    "xmlbinary": "hex",
}
READERS = (
    ("status",),
    ("check",),
    ("show", "sessions"),
    ("show", "enrollments"),
    ("show", "submissions"),
    ("session", "list"),
    ("explain", "--user", BRUNO, "--course", PYTHON),
)

on_reference = pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
# names that want quotes, and partitions
on_three = pytest.mark.parametrize(
    "platform", [PLATFORMS[name] for name in ("reference", "partitioned", "quoted")], indirect=True, ids=str
)


def choose(db: PlatformDatabase, settings: dict[str, str]) -> None:
    """Set it, and nothing else, for every role that connects to the database from now on."""
    with db.connect() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(db.name)))
        for name, value in settings.items():
            alter = sql.SQL("ALTER DATABASE {} SET {} TO {}")
            connection.execute(alter.format(sql.Identifier(db.name), sql.Identifier(name), sql.Literal(value)))


@on_three
def test_apply_and_rollback_do_and_write_the_same(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
) -> None:
    before = dump(platform_db)

    choose(platform_db, SETTINGS)
    assert platform_db.apply() == MIGRATIONS

    choose(platform_db, {})  # pg_dump would say it their way
    assert books(platform_db) == books(installed_db)
    assert dump(platform_db) == dump(installed_db)

    link(platform_db)
    choose(platform_db, SETTINGS)
    assert platform_db.rollback() == MIGRATIONS[::-1]

    choose(platform_db, {})
    assert dump(platform_db, exclude_sessiondb=True) == before


@on_reference
@pytest.mark.parametrize("options", [None, "-c DateStyle=German -c quote_all_identifiers=on"])
def test_the_commands_that_read_say_the_same(installed_db: PlatformDatabase, options: str | None) -> None:
    def told() -> list[tuple[int, str]]:
        runs = [run("-d", installed_db.conninfo(), "--format", "json", *reader, env=env) for reader in READERS]
        return [(ended.code, ended.out) for ended in runs]

    link(installed_db)
    env: dict[str, str] = {}
    before = told()
    assert {code for code, _ in before} <= {0, 4}

    if options is None:
        choose(installed_db, SETTINGS)
    else:
        env["PGOPTIONS"] = options

    assert told() == before


@pytest.mark.parametrize("options", [(), ("--single-transaction",)], ids=["script", "batch"])
def test_what_plan_writes_is_not_compiled_by_the_server(options: tuple[str, ...]) -> None:
    """A look at the platform looks expensive to the planner; where there is LLVM it would take a minute to compile."""
    written = run("plan", "--sql", *options).out
    off = {"script": "SET jit TO 'off';", "batch": "PERFORM set_config('jit', 'off', true);"}
    assert written.index(off["batch" if options else "script"]) < written.index("$preflight$")
