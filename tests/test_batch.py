"""plan --sql --single-transaction: one statement that does what apply does, for tools that are not psql."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_cli import MIGRATIONS, run
from test_plan import books, link

Dump = Callable[..., str]


def batch(db: PlatformDatabase, *options: str) -> str:
    printed = run("plan", "--sql", "--single-transaction", "--schema", db.platform.schema, *options)
    assert printed.code == 0, printed
    return printed.out


def paste(db: PlatformDatabase, text: str, role: str | None = None) -> list[str]:
    """Send it as a web editor does, as one simple query; returns what the server says."""
    said: list[str] = []
    with db.connect(role or db.platform.owner) as connection:
        connection.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        connection.execute(text.encode(), prepare=False)
    return said


def test_the_batch_does_what_apply_does_and_once(
    platform_db: PlatformDatabase, installed_db: PlatformDatabase, dump: Dump
) -> None:
    text = batch(platform_db)
    assert "\n\\" not in text

    assert paste(platform_db, text)[-1] == "sessiondb: all is applied"
    assert dump(platform_db) == dump(installed_db)
    assert books(platform_db) == books(installed_db)

    before = dump(platform_db), books(platform_db)
    assert paste(platform_db, text)[-1] == "sessiondb: nothing to do, all is applied"
    assert (dump(platform_db), books(platform_db)) == before
    assert platform_db.apply() == []
    assert platform_db.rollback() == MIGRATIONS[::-1]


def test_a_batch_in_a_transaction_leaves_its_settings_as_they_were(platform_db: PlatformDatabase) -> None:
    shown = "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql%' ORDER BY name"
    with platform_db.connect(platform_db.platform.owner, autocommit=False) as connection:
        connection.execute("SET lock_timeout TO '7s'; SET search_path TO pg_catalog; SET DateStyle TO 'German'")
        before = connection.execute(shown).fetchall()
        connection.execute(batch(platform_db).encode(), prepare=False)
        assert connection.execute(shown).fetchall() == before


def test_a_batch_gives_saved_links_back(installed_db: PlatformDatabase) -> None:
    link(installed_db)
    links = "SELECT count(*) FROM {}.{} WHERE session_id IS NOT NULL"
    schema = sql.Identifier(installed_db.platform.schema)
    queries = [sql.SQL(links).format(schema, sql.Identifier(table)) for table in ("enrollments", "submissions")]
    with installed_db.connect() as connection:
        before = [connection.execute(query).fetchall() for query in queries]
        installed_db.rollback()
        paste(installed_db, batch(installed_db))
        assert [connection.execute(query).fetchall() for query in queries] == before
    assert before != [[(0,)], [(0,)]]


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_refused_batch_names_the_fix_and_changes_nothing(platform_db: PlatformDatabase, dump: Dump) -> None:
    with platform_db.connect() as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN status")
    before = dump(platform_db)
    with pytest.raises(psycopg.Error, match=r"nothing was changed(?s:.*)ADD COLUMN status"):
        paste(platform_db, batch(platform_db))
    assert dump(platform_db) == before


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_batch_makes_the_policies_for_staff_and_keeps_them(platform_db: PlatformDatabase) -> None:
    policies = "SELECT polname::text FROM pg_policy WHERE polname LIKE 'sessiondb%' ORDER BY polname"
    ours = [("sessiondb_staff_enrollments",), ("sessiondb_staff_submissions",)]
    for options, expected in ((("--staff", "trainer"), ours), ((), ours), (("--staff", ""), [])):
        paste(platform_db, batch(platform_db, *options))
        with platform_db.connect() as connection:
            assert connection.execute(policies).fetchall() == expected


@pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
def test_a_role_of_a_hosted_backend_pastes_the_batch_and_goes_on(new_role: str, platform_db: PlatformDatabase) -> None:
    role = sql.Identifier(new_role)
    with platform_db.connect() as connection:
        connection.execute(sql.SQL("ALTER ROLE {} CREATEROLE BYPASSRLS").format(role))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(platform_db.name), role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA auth TO {0}; GRANT SELECT ON auth.users TO {0}").format(role))
        for table in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ):
            connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(*table), role))
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(role))
    assert (
        paste(platform_db, batch(platform_db, "--staff", "trainer,admin"), new_role)[-1] == "sessiondb: all is applied"
    )

    linked = "SELECT count(session_id) FROM submissions"
    page = (Path(__file__).parents[1] / "docs" / "migration-tools.md").read_text(encoding="utf-8")
    pieces = re.findall(r"(?<=^```sql\n).*?(?=^```$)", page, re.MULTILINE | re.DOTALL)
    with platform_db.connect() as connection:
        assert connection.execute(linked).fetchone() == (0,)
        for text in pieces:
            paste(platform_db, text, new_role)
        assert connection.execute(linked).fetchone() == (2,)

    env = {"DATABASE_URL": platform_db.conninfo(new_role)}
    for code, *command in ((0, "status", "--exit-code"), (0, "check"), (0, "rollback", "--all", "--yes")):
        done = run(*command, env=env)
        assert done.code == code, done
