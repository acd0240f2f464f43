"""What belongs to another role is not taken for ours, and not run for it, whatever its name is."""

from __future__ import annotations

from typing import LiteralString

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from test_checks import brief, check, look
from test_cli import on

on_hosted = pytest.mark.parametrize("platform", [PLATFORMS["hosted"]], indirect=True, ids=str)
on_partitioned = pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)


def by_role(db: PlatformDatabase, role: str, *statements: LiteralString) -> None:
    """Run statements as a role that may make functions in the platform's schema, and put triggers on its tables."""
    name, schema = sql.Identifier(role), sql.Identifier(db.platform.schema)
    with db.connect() as connection:
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(schema, name))
        connection.execute(sql.SQL("GRANT TRIGGER ON ALL TABLES IN SCHEMA {} TO {}").format(schema, name))
        connection.execute(sql.SQL("SET search_path TO {}; SET ROLE {}").format(schema, name))
        connection.execute(
            "CREATE OR REPLACE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        for statement in statements:
            connection.execute(statement)


# triggers that have a name like ours


@on_partitioned
@pytest.mark.parametrize("table", ["submissions", "submissions_2024"])
def test_a_trigger_is_not_taken_for_ours_by_its_name(new_role: str, installed_db: PlatformDatabase, table: str) -> None:
    by_role(
        installed_db,
        new_role,
        f"CREATE TRIGGER zzz_sessiondb_more BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION mine()",
    )
    object_ = f"trigger zzz_sessiondb_more on {table}"

    assert brief(check(installed_db, "triggers_last")) == [("triggers_last", "warning", object_)]
    assert ("triggers_last", "warning", object_) in brief(look(installed_db))
    assert "zzz_sessiondb_more" in on(installed_db, "backfill").err  # it fires, and may refuse or change the row
    (finding,) = check(installed_db, "triggers_last")
    with installed_db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert check(installed_db, "triggers_last") == []


@on_partitioned
@pytest.mark.parametrize("name", ["zzz_sessiondb_link_submission", "zzz_sessiondb_save"])
@pytest.mark.parametrize("table", ["submissions", "submissions_2024"])
def test_a_trigger_that_has_the_very_name_of_ours_is_refused(
    new_role: str, platform_db: PlatformDatabase, table: str, name: str
) -> None:
    """On a partition alone, too, where ours could not be made."""
    by_role(
        platform_db, new_role, f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION mine()"
    )

    (finding,) = [f for f in look(platform_db) if f.check == "names"]
    assert (finding.level, finding.object) == ("error", f"trigger {name} on {table}")
    assert on(platform_db, "apply").code == 5
    with platform_db.connect() as connection:
        connection.execute(finding.fix.partition(": ")[2].encode())
    assert on(platform_db, "apply").code == 0


@on_hosted
def test_a_trigger_that_was_put_in_the_place_of_ours_does_not_count(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_role(
        installed_db,
        new_role,
        "CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission BEFORE INSERT ON submissions"
        " FOR EACH ROW EXECUTE FUNCTION mine()",
    )

    status = on(installed_db, "status", "--exit-code", "--format", "json")
    assert status.code == 3
    assert [t for t in status.json["triggers"] if t["name"] == "zzz_sessiondb_link_submission"] == [
        {"name": "zzz_sessiondb_link_submission", "table": "submissions", "state": "CHANGED", "enabled": False}
    ]
    assert ("installed_objects", "error") in {(f.check, f.level) for f in check(installed_db)}
    assert on(installed_db, "apply").code == 5

    with installed_db.connect() as connection:
        connection.execute("ALTER TABLE submissions DISABLE TRIGGER zzz_sessiondb_link_submission")
    assert check(installed_db, "triggers_enabled") == []  # it is not ours that is disabled


@on_hosted
def test_a_rollback_is_not_stopped_half_way_by_a_trigger_with_a_name_like_ours(
    new_role: str, installed_db: PlatformDatabase
) -> None:
    by_role(
        installed_db,
        new_role,
        "CREATE TRIGGER zzz_sessiondb_more BEFORE UPDATE OF session_id ON submissions FOR EACH ROW"
        " WHEN (NEW.session_id IS NULL) EXECUTE FUNCTION mine()",
    )

    refused = on(installed_db, "rollback", "--all", "--yes")

    assert refused.code == 5
    assert "zzz_sessiondb_more" in refused.err
    assert on(installed_db, "status", "--exit-code").code == 0
