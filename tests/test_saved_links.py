"""Links that a rollback saves come back, and no code of another role runs, whatever the platform does meanwhile."""

from __future__ import annotations

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_cli import on, rows
from test_upgrade import fill

# its owner is no superuser
on_school = pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)


def linked(db: PlatformDatabase) -> list[dict[str, object]]:
    return rows(
        db, "SELECT id, session_id FROM enrollments UNION ALL SELECT id, session_id FROM submissions ORDER BY 1"
    )


def alter(db: PlatformDatabase, *statements: str) -> None:
    """Run statements as a superuser, with the platform's schema on the path."""
    with db.connect() as connection:
        connection.execute(f"SET search_path TO {db.platform.schema}".encode())
        for statement in statements:
            connection.execute(statement.encode())


@on_school
@pytest.mark.parametrize("table", ["enrollments", "submissions", "sessions"])
def test_no_link_is_lost_to_a_row_level_security_that_is_forced_for_the_owner(
    platform_db: PlatformDatabase, table: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    alter(
        platform_db,
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY part ON {table} USING (id::text = current_setting('app.id', true))",
    )

    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0

    assert linked(platform_db) == before
    assert rows(platform_db, f"SELECT relforcerowsecurity AS f FROM pg_class WHERE oid = '{table}'::regclass") == [
        {"f": True}
    ]


@on_school
@pytest.mark.parametrize(
    ("stopped_by", "remedy"),
    [
        (
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER closed BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION closed()",
            "ALTER TABLE enrollments DISABLE TRIGGER closed",
        ),
        (
            "CREATE RULE closed AS ON UPDATE TO enrollments DO INSTEAD NOTHING",
            "ALTER TABLE enrollments DISABLE RULE closed",
        ),
    ],
    ids=["trigger", "rule"],
)
def test_a_link_that_cannot_be_restored_stays_saved(
    platform_db: PlatformDatabase, stopped_by: str, remedy: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, stopped_by)

    refused = on(platform_db, "apply")

    assert refused.code != 0
    assert "keeps rows from getting their saved links back" in refused.err
    alter(platform_db, remedy)
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


@on_school
@pytest.mark.parametrize(
    ("table", "column", "when"),
    [
        ("sessions", "org_id", "rollback"),
        ("sessions", "id", "rollback"),
        ("enrollments", "id", "apply"),
        ("submissions", "id", "apply"),
        ("submissions", "course_id", "apply"),
        ("sessions", "org_id", "apply"),
    ],
)
def test_no_function_is_called_in_the_place_of_a_renamed_column_and_its_name_brings_the_links_back(
    platform_db: PlatformDatabase, table: str, column: str, when: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    if when == "apply":
        assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(
        platform_db,
        f"CREATE FUNCTION {column}({table}) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE 'a rival was run'; END $$",
        f"ALTER TABLE {table} RENAME COLUMN {column} TO renamed",
    )

    refused = on(platform_db, *(["apply"] if when == "apply" else ["rollback", "--all", "--yes"]))

    assert refused.code == 5
    assert "a rival was run" not in refused.err
    assert column in refused.err
    alter(platform_db, f"ALTER TABLE {table} RENAME COLUMN renamed TO {column}")
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before
