"""Links that a rollback saves come back, and no code of another role runs, whatever the platform does meanwhile."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from uuid import UUID

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import errors
from test_cli import on, rows
from test_half_installed import run
from test_upgrade import fill

from sessiondb.backfill import Pace, backfill
from sessiondb.connection import Connection
from sessiondb.errors import SessiondbError
from sessiondb.migrate import Runner

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


def apply_while_it_waits_for(client: Connection, db: PlatformDatabase) -> None:
    """Apply until that waits for a row that the client's transaction has locked, commit the latter, and apply to the end."""
    with db.connect() as watch, ThreadPoolExecutor() as pool:
        applied = pool.submit(on, db, "apply")
        waits = "SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        while not watch.execute(waits).rowcount and not applied.done():
            time.sleep(0.01)
        client.execute("COMMIT")
        assert applied.result().code == 0, applied.result().err


@pytest.mark.slow
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


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(
    ("stopped_by", "remedy"),
    [
        (
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER zzzz_closed BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION closed()",
            "ALTER TABLE enrollments DISABLE TRIGGER zzzz_closed",
        ),
        (
            "CREATE RULE closed AS ON UPDATE TO enrollments DO INSTEAD NOTHING",
            "ALTER TABLE enrollments DISABLE RULE closed",
        ),
    ],
    ids=["trigger", "rule"],
)
@pytest.mark.parametrize("ended", ["", "DELETE FROM org_members"], ids=["members", "memberships ended"])
def test_a_link_that_cannot_be_restored_stays_saved(
    platform_db: PlatformDatabase, stopped_by: str, remedy: str, ended: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, stopped_by, ended)

    refused = on(platform_db, "apply")

    assert refused.code != 0
    assert "did not get their saved links back" in refused.err
    alter(platform_db, remedy)
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


@pytest.mark.slow
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
        f"CREATE FUNCTION public.{column}({table}) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE 'a rival was run'; END $$",
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


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("forced", [False, True])
def test_a_link_that_was_changed_between_two_rollbacks_comes_back_as_it_was_last(
    platform_db: PlatformDatabase, *, forced: bool
) -> None:
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply", "--to", "0004").code == 0
    with platform_db.connect() as connection:
        other = platform_db.platform.add_session(connection, learners.org, learners.course)
    for table in ("enrollments", "submissions"):
        alter(
            platform_db,
            f"UPDATE {table} SET session_id = '{other}' WHERE course_id = '{learners.course}' AND user_id <> '{learners.old}'",
            *[
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                f"CREATE POLICY part ON {table} USING (id::text = current_setting('app.id', true))"
            ]
            * forced,
        )
    last = linked(platform_db)

    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0

    assert linked(platform_db) == last
    assert {row["session_id"] for row in last} == {None, other}


@pytest.mark.slow
@on_school
def test_a_link_that_no_apply_has_restored_outlasts_a_second_rollback_and_what_is_written_meanwhile(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(platform_db, "UPDATE sessions SET status = 'completed'")
    before = linked(platform_db)
    platform_db.rollback()
    platform_db.apply("0005")
    written: list[str] = []

    def writes(migration: str, point: str) -> None:
        if point in {"committed", "done"} and rows(
            platform_db, "SELECT FROM pg_trigger WHERE tgname = 'zzz_sessiondb_save'"
        ):
            alter(platform_db, "UPDATE submissions SET content = content || '!'")
            written.append(migration)

    run(platform_db, "rollback", writes)
    assert written
    platform_db.apply()
    assert linked(platform_db) == before


@pytest.mark.slow
@on_school
def test_a_link_that_a_client_gives_again_before_it_can_be_stored_stays_saved(platform_db: PlatformDatabase) -> None:
    """As an application does that writes all columns of a row that it has read before the rollback."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    before = linked(platform_db)
    platform_db.rollback()
    platform_db.apply("0003")
    alter(
        platform_db,
        f"UPDATE submissions SET session_id = '{session}' WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions)",
    )
    assert not [row for row in linked(platform_db) if row["session_id"]]
    platform_db.apply()
    assert linked(platform_db) == before


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("change", ["DROP COLUMN number", "RENAME COLUMN number TO nr", "RENAME COLUMN id TO row_id"])
def test_no_write_fails_because_a_column_by_which_links_are_saved_is_gone(
    platform_db: PlatformDatabase, change: str
) -> None:
    """While a rollback has stopped after it has saved the links."""
    alter(platform_db, "ALTER TABLE submissions ADD number bigint GENERATED ALWAYS AS IDENTITY UNIQUE")
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback("0005")
    assert rows(platform_db, "SELECT number FROM sessiondb.saved_links_of_submissions")

    alter(platform_db, f"ALTER TABLE submissions {change}", "UPDATE submissions SET content = content || '!'")
    columns = "user_id, course_id" + ", row_id" * ("row_id" in change) + ", id" * ("row_id" not in change)
    alter(
        platform_db,
        f"INSERT INTO submissions ({columns}) SELECT user_id, course_id, gen_random_uuid() FROM submissions",
    )


@pytest.mark.slow
@on_school
def test_a_row_that_shares_the_key_of_another_one_does_not_get_its_link_nor_keep_others_from_theirs(
    platform_db: PlatformDatabase,
) -> None:
    """The platform got a key with more columns since."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    alter(platform_db, "UPDATE sessions SET status = 'completed'")
    before = linked(platform_db)
    platform_db.rollback()
    alter(
        platform_db,
        "DELETE FROM org_members",
        "ALTER TABLE enrollments DROP CONSTRAINT enrollments_pkey CASCADE, ADD COLUMN attempt integer NOT NULL DEFAULT 1,"
        " ADD PRIMARY KEY (id, attempt)",
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey CASCADE, ADD COLUMN attempt integer NOT NULL DEFAULT 1,"
        " ADD PRIMARY KEY (id, attempt)",
        "INSERT INTO submissions (id, user_id, course_id, attempt) SELECT id, user_id, course_id, 2 FROM submissions"
        " WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions)",
        # the row of another student is no other version
        "SET session_replication_role TO replica; INSERT INTO enrollments (id, user_id, course_id, attempt)"
        " SELECT id, gen_random_uuid(), course_id, 2 FROM enrollments",
    )
    ((shared, *_),) = [[*row.values()] for row in rows(platform_db, "SELECT id FROM submissions WHERE attempt = 2")]
    platform_db.apply("0005")
    with pytest.raises(errors.CheckViolation):
        alter(
            platform_db,
            f"UPDATE submissions SET session_id = '{session}' WHERE attempt = 2",
        )

    done = on(platform_db, "apply")

    assert (done.code, "discarded" in done.err) == (0, True), done.err
    first = "SELECT id, session_id FROM {0} WHERE attempt = 1"
    now = rows(platform_db, f"{first.format('enrollments')} UNION ALL {first.format('submissions')} ORDER BY 1")
    assert [row for row in now if row["id"] != shared] == [row for row in before if row["id"] != shared]
    assert not any(row["session_id"] for row in linked(platform_db) if row["id"] == shared)
    assert rows(platform_db, "SELECT FROM enrollments WHERE attempt = 2 AND session_id IS NOT NULL") == []


@on_school
def test_links_that_were_saved_by_a_key_of_another_type_come_back_after_the_fix(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "ALTER TABLE enrollments ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text")

    refused = on(platform_db, "apply")

    assert refused.code == 5
    (fix,) = re.findall(r"ALTER TABLE .*", refused.err)
    alter(platform_db, fix)
    assert on(platform_db, "apply").code == 0
    alter(platform_db, "ALTER TABLE enrollments ALTER COLUMN id TYPE uuid USING id::uuid")
    assert linked(platform_db) == before


@on_school
def test_links_that_were_saved_by_a_text_of_another_collation_come_back_after_the_fix(
    platform_db: PlatformDatabase,
) -> None:
    alter(
        platform_db,
        "ALTER TABLE submissions ALTER id DROP DEFAULT, ALTER id TYPE text, ALTER id SET DEFAULT gen_random_uuid()",
    )
    query = "SELECT id, session_id FROM submissions ORDER BY 1"
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(
        platform_db,
        'CREATE SCHEMA "My collations"; CREATE COLLATION "My collations".mine FROM "C"',
        'ALTER TABLE submissions ALTER id TYPE text COLLATE "My collations".mine',
    )

    refused = on(platform_db, "apply")

    assert refused.code == 5
    (fix,) = re.findall(r"ALTER TABLE .*", refused.err)
    alter(platform_db, fix)
    assert on(platform_db, "apply").code == 0
    assert [row["session_id"] is None for row in rows(platform_db, query)].count(False) == 1


@on_school
def test_links_that_were_saved_with_a_column_that_is_gone_come_back_after_the_fix(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "ALTER TABLE sessiondb.saved_links_of_submissions ADD token uuid DEFAULT gen_random_uuid()")

    refused = on(platform_db, "apply")

    assert refused.code == 5
    (fix,) = re.findall(r"ALTER TABLE .* DROP COLUMN .*", refused.err)
    alter(platform_db, fix)
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


@on_school
def test_links_that_were_saved_by_a_time_with_its_zone_come_back_after_the_fix(platform_db: PlatformDatabase) -> None:
    """Compared with one without, it depends on the setting of who compares."""
    alter(
        platform_db,
        "ALTER TABLE enrollments ADD at timestamptz NOT NULL DEFAULT now(), DROP CONSTRAINT enrollments_pkey,"
        " ADD PRIMARY KEY (id, at)",
    )
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "ALTER TABLE enrollments ALTER at TYPE timestamp USING at AT TIME ZONE 'Asia/Tokyo'")

    refused = on(platform_db, "apply")

    assert refused.code == 5
    (fix,) = re.findall(r"ALTER TABLE .*ZONE'", refused.err)
    alter(platform_db, fix.replace("'ZONE'", "'Asia/Tokyo'"))
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


@on_school
def test_a_rollback_does_not_save_links_by_another_key_than_an_earlier_one(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply", "--to", "0004").code == 0
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD PRIMARY KEY (id, user_id)",
    )

    refused = on(platform_db, "rollback", "--all", "--yes")

    assert (refused.code, "has another key" in refused.err) == (5, True)
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


rewritten = pytest.mark.parametrize(
    "rewrite",
    ["VACUUM FULL {}", "ALTER TABLE {} ALTER COLUMN user_id TYPE uuid USING user_id::text::uuid"],
    ids=["VACUUM FULL", "ALTER TABLE"],
)


@on_school
@pytest.mark.parametrize(
    ("made", "type_", "finer"),
    [
        ("TYPE code AS (letters text)", "code", "record_image_ops"),
        (
            "COLLATION either_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "text COLLATE either_case",
            'COLLATE "C"',
        ),
    ],
    ids=["operator class", "collation"],
)
def test_a_rollback_is_refused_if_the_only_key_distinguishes_values_that_are_equal(
    platform_db: PlatformDatabase, made: str, type_: str, finer: str
) -> None:
    try:
        alter(platform_db, f"CREATE {made}")
    except errors.FeatureNotSupported:
        pytest.skip("this server has no ICU")
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(
        platform_db,
        f"ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD code {type_}",
        f"UPDATE submissions SET code = {'ROW(id::text)' if type_ == 'code' else 'id::text'}",
        "ALTER TABLE submissions ALTER code SET NOT NULL",
        f"CREATE UNIQUE INDEX ON submissions (code {finer})",
    )
    before = linked(platform_db)

    refused = on(platform_db, "rollback", "--all", "--yes")

    assert "its links cannot be saved" in refused.err, refused
    (fix,) = re.findall(r"ALTER TABLE .*", refused.err)
    alter(platform_db, fix)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0
    assert linked(platform_db) == before


@on_school
def test_the_links_of_one_platform_are_not_discarded_by_an_apply_for_another_in_the_database(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    schema, names = platform_db.platform.schema, "users, orgs, org_members, courses, sessions, enrollments, submissions"
    copies = [f"CREATE TABLE staging.{name} (LIKE {schema}.{name} INCLUDING ALL)" for name in names.split(", ")]
    alter(
        platform_db,
        f"SET ROLE {platform_db.platform.owner}; CREATE SCHEMA staging",
        *copies,
        "ALTER TABLE staging.submissions ADD FOREIGN KEY (course_id) REFERENCES staging.courses",
    )
    other = replace(platform_db, platform=replace(platform_db.platform, schema="staging"))

    refused = on(other, "apply")

    assert (refused.code, f"has the links of {schema}.submissions" in refused.err) == (5, True), refused
    assert f"sessiondb apply --schema {schema}" in refused.err
    alter(platform_db, f"ALTER SCHEMA {schema} RENAME TO moved")
    moved = replace(platform_db, platform=replace(platform_db.platform, schema="moved"))
    assert on(moved, "apply").code == 0
    assert linked(moved) == before


@on_school
def test_no_message_of_the_platforms_triggers_is_waited_for_while_links_are_written(
    platform_db: PlatformDatabase,
) -> None:
    """For each the server waits, with the rows locked, while the client is suspended or does not read."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(
        platform_db,
        "CREATE FUNCTION speak() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'spoken'; RETURN NULL; END $$",
        "CREATE TRIGGER speak AFTER UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION speak()",
    )

    sent: list[str] = []
    with platform_db.database().connect() as connection:
        connection.add_notice_handler(lambda diagnostic: sent.append(str(diagnostic.message_primary)))
        Runner(connection).apply()
        assert linked(platform_db) == before
        alter(
            platform_db,
            "ALTER TABLE submissions DISABLE TRIGGER speak",
            "UPDATE submissions SET session_id = NULL",
            "ALTER TABLE submissions ENABLE TRIGGER speak",
        )
        result = backfill(connection, None, Pace(), lambda line: None, lambda *numbers: None)

    assert result.tables["submissions"]["linked"] == 1
    assert "spoken" not in sent


@on_school
def test_a_row_that_is_replaced_over_and_over_does_not_keep_the_other_links_from_coming_back(
    platform_db: PlatformDatabase,
) -> None:
    """As by an application that deletes an answer and inserts it again with the same key."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    submit_many(platform_db, 20)
    query = f"SELECT id FROM submissions WHERE session_id = '{session}' ORDER BY id"
    replaced, *others = [row["id"] for row in rows(platform_db, query)]
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    stop = threading.Event()

    def replace_it() -> None:
        with platform_db.connect(autocommit=False) as client:
            while not stop.is_set():
                ((user, course),) = client.execute(
                    "DELETE FROM campus.submissions WHERE id = %s RETURNING user_id, course_id", [replaced]
                ).fetchall()
                client.execute(
                    "INSERT INTO campus.submissions (id, user_id, course_id) VALUES (%s, %s, %s)",
                    [replaced, user, course],
                )
                time.sleep(0.03)
                client.commit()

    thread = threading.Thread(target=replace_it)
    thread.start()
    try:
        done = on(platform_db, "apply")
    finally:
        stop.set()
        thread.join()

    assert done.code == 0, done.err
    assert [row["id"] for row in rows(platform_db, query) if row["id"] != replaced] == others


@on_school
def test_apply_says_how_many_saved_links_it_discards(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "DELETE FROM submissions", f"DELETE FROM sessions WHERE id = '{session}'")

    done = on(platform_db, "apply")

    for table in ("enrollments", "submissions"):
        assert re.search(rf"saved links of campus.{table} that are discarded, .*: 1$", done.err, re.MULTILINE)


@pytest.mark.parametrize("platform", [PLATFORMS["academy"]], indirect=True, ids=str)
def test_a_new_row_with_the_natural_key_of_a_deleted_one_does_not_get_its_link(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    enrolment = f"SELECT user_id, course_id FROM enrollments WHERE session_id = '{session}'"
    ((user, course),) = [row.values() for row in rows(platform_db, enrolment)]
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(
        platform_db,
        f"DELETE FROM org_members WHERE user_id = '{user}'",
        f"DELETE FROM enrollments WHERE user_id = '{user}'",
        f"INSERT INTO enrollments (user_id, course_id) VALUES ('{user}', '{course}')",
    )

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, f"SELECT session_id FROM enrollments WHERE user_id = '{user}'") == [{"session_id": None}]


def between(db: PlatformDatabase, command: str, text: str, *statements: str) -> None:
    """Apply or roll back, and run statements after the first transaction that has this text."""
    points: list[str] = []

    def boundary(_: str, point: str) -> None:
        if points != ["done"] and text in point:
            points[:] = [point]
        elif point == "committed" and points not in ([], ["done"]):
            points[:] = ["done"]
            alter(db, *statements)

    try:
        run(db, command, boundary)
    finally:
        assert points == ["done"]


def submit_many(db: PlatformDatabase, number: int) -> None:
    """Linked submissions, one on a page."""
    alter(
        db,
        "ALTER TABLE submissions SET (fillfactor = 10)",
        "INSERT INTO submissions (user_id, course_id, content)"
        f" SELECT user_id, course_id, repeat('x', 900) FROM submissions, generate_series(1, {number}) WHERE session_id IS NOT NULL",
    )


@on_school
@rewritten
def test_no_link_is_lost_if_the_platform_s_table_is_rewritten_while_links_are_saved(
    platform_db: PlatformDatabase, rewrite: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    submit_many(platform_db, 5000)
    alter(platform_db, "DELETE FROM submissions WHERE ctid BETWEEN '(1,0)' AND '(3000,0)'")
    before = linked(platform_db)

    with pytest.raises(SessiondbError, match="was rewritten while its links were saved") as refused:
        between(
            platform_db,
            "rollback",
            "INTO sessiondb.saved_links_of_submissions",
            rewrite.format("submissions").replace(
                "ALTER COLUMN user_id TYPE uuid USING user_id::text::uuid", "ADD later float8 DEFAULT random()"
            ),
        )

    assert "Run rollback again" in str(refused.value.hint)
    assert linked(platform_db) == before
    platform_db.rollback()
    platform_db.apply()
    assert linked(platform_db) == before


@pytest.mark.slow
@on_school
@rewritten
def test_no_link_is_lost_if_the_table_of_saved_links_is_rewritten_while_they_are_restored(
    platform_db: PlatformDatabase, rewrite: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    submit_many(platform_db, 4000)
    before = linked(platform_db)
    platform_db.rollback()
    saved = "sessiondb.saved_links_of_submissions"

    with pytest.raises(SessiondbError, match="was rewritten while its links were restored") as refused:
        between(platform_db, "apply", f"DELETE FROM {saved} AS r WHERE", rewrite.format(saved))

    assert "Run apply again" in str(refused.value.hint)
    platform_db.apply()
    assert linked(platform_db) == before


@on_school
@pytest.mark.parametrize("disabled", [True, False], ids=["DISABLE TRIGGER", "session_replication_role"])
def test_a_link_that_is_written_past_the_triggers_while_a_rollback_runs_is_saved(
    platform_db: PlatformDatabase, *, disabled: bool
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    past = ("ALTER TABLE submissions DISABLE TRIGGER USER", "ALTER TABLE submissions ENABLE TRIGGER USER")
    if not disabled:
        past = ("SET session_replication_role TO replica", "RESET session_replication_role")
    write = (
        "INSERT INTO submissions (user_id, course_id, session_id, content)"
        " SELECT user_id, course_id, session_id, 'late' FROM submissions WHERE session_id IS NOT NULL"
    )

    with pytest.raises(SessiondbError, match="its triggers were disabled") if disabled else nullcontext():
        between(platform_db, "rollback", "INTO sessiondb.saved_links_of_submissions", past[0], write, past[1])

    if disabled:
        platform_db.rollback()
    platform_db.apply()
    (late,) = rows(platform_db, "SELECT session_id FROM submissions WHERE content = 'late'")
    assert late["session_id"] is not None


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(("applied", "to"), [("0004", "0003"), ("0003", None), ("0004", None)])
def test_a_second_rollback_forgets_links_to_a_session_that_was_created_again_for_another_organisation(
    platform_db: PlatformDatabase, applied: str, to: str | None
) -> None:
    """Whether the first one has dropped the column or, as it was stopped, only the keys."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback(to="0003" if applied == "0003" else None)
    if applied == "0004":
        platform_db.apply(to=applied)
    alter(platform_db, f"DELETE FROM sessions WHERE id = '{learners.session}'")
    with platform_db.connect() as connection:
        other = platform_db.platform.add_org(connection)
        platform_db.platform.add_session(connection, other, learners.course, id=learners.session)

    platform_db.rollback(to)
    platform_db.apply()

    assert {row["session_id"] for row in linked(platform_db)} == {None}


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("how", ["deleted", "given another key"])
@pytest.mark.parametrize("is_new", [False, True], ids=["an old session", "a new one"])
@pytest.mark.parametrize("is_undone", [False, True], ids=["applied again at once", "all rolled back"])
def test_no_saved_link_of_a_row_that_was_away_is_to_a_session_that_was_created_again_meanwhile(
    platform_db: PlatformDatabase, how: str, is_undone: bool, is_new: bool
) -> None:
    """While a rollback waits between saving the links and dropping the keys, which correct only the rows that are there."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback(to="0005")
    session = learners.session
    with platform_db.connect() as connection:
        if is_new:
            query = "SELECT org_id, course_id FROM campus.sessions WHERE id = %s"
            ((org, course),) = connection.execute(query, [session]).fetchall()
            session = platform_db.platform.add_session(connection, org, course)
            connection.execute("UPDATE campus.submissions SET session_id = %s WHERE session_id IS NOT NULL", [session])
        connection.execute(
            "CREATE TABLE campus.away AS SELECT (to_jsonb(s) - 'session_id') AS row FROM campus.submissions AS s"
        )
        away = (
            "DELETE FROM campus.submissions"
            if how == "deleted"
            else "UPDATE campus.submissions SET id = gen_random_uuid()"
        )
        connection.execute(away.encode())
        connection.execute("DELETE FROM campus.sessions WHERE id = %s", [session])
        other = platform_db.platform.add_org(connection)
        platform_db.platform.add_session(connection, other, learners.course, id=session)
    if is_undone:
        platform_db.rollback()
    with platform_db.connect() as connection:
        connection.execute("DELETE FROM campus.submissions")
        connection.execute(
            "INSERT INTO campus.submissions SELECT r.* FROM campus.away AS a"
            " CROSS JOIN LATERAL jsonb_populate_record(NULL::campus.submissions, a.row) AS r"
        )
    platform_db.apply()

    assert session not in {row["session_id"] for row in linked(platform_db)}


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("how", ["deleted", "given another key"])
def test_no_saved_link_of_a_session_that_was_another_ones_for_a_while_is_to_the_first_again(
    platform_db: PlatformDatabase, how: str
) -> None:
    """Created for a second organisation, whose student it is saved for, then for the first one again."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback(to="0005")
    platform, session = platform_db.platform, learners.session
    with platform_db.connect() as connection:

        def created_for(org: UUID) -> None:
            connection.execute("DELETE FROM campus.sessions WHERE id = %s", [session])
            platform.add_session(connection, org, learners.course, id=session)

        other = platform.add_org(connection)
        student = platform.add_member(connection, other, platform.add_user(connection))
        created_for(other)
        row = "user_id = '" + str(student) + "'"
        connection.execute(
            "INSERT INTO campus.submissions (user_id, course_id, session_id) VALUES (%s, %s, %s)",
            [student, learners.course, session],
        )
        ((key,),) = connection.execute(f"SELECT id FROM campus.submissions WHERE {row}".encode()).fetchall()
        if how == "deleted":
            connection.execute(f"DELETE FROM campus.submissions WHERE {row}".encode())
        else:
            connection.execute(
                f"UPDATE campus.submissions SET id = gen_random_uuid(), session_id = NULL WHERE {row}".encode()
            )
        created_for(learners.org)
    platform_db.rollback()
    with platform_db.connect() as connection:
        if how == "deleted":
            connection.execute(
                "INSERT INTO campus.submissions (id, user_id, course_id) VALUES (%s, %s, %s)",
                [key, student, learners.course],
            )
        else:
            connection.execute(f"UPDATE campus.submissions SET id = %s WHERE {row}".encode(), [key])
    platform_db.apply()

    assert rows(platform_db, f"SELECT session_id FROM campus.submissions WHERE {row}") == [{"session_id": None}]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("rollback", "INTO sessiondb.saved_links_of_submissions"),
        ("apply", "DELETE FROM sessiondb.saved_links_of_submissions"),
    ],
    ids=["rollback", "apply"],
)
def test_no_link_is_lost_if_row_level_security_is_forced_while_links_are_saved_or_restored(
    platform_db: PlatformDatabase, command: str, after: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    submit_many(platform_db, 5000)
    before = linked(platform_db)
    if command == "apply":
        platform_db.rollback()
    forced = (
        "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY none ON submissions USING (false)"
    )

    with pytest.raises(SessiondbError, match="row level security was forced"):
        between(platform_db, command, after, forced)

    platform_db.rollback()
    platform_db.apply()
    assert linked(platform_db) == before


@on_school
@pytest.mark.parametrize("change", ["content = 'again'", "id = gen_random_uuid()"])
def test_no_link_is_lost_to_a_client_from_which_a_forced_policy_hides_the_session_while_a_rollback_works(
    platform_db: PlatformDatabase, change: str
) -> None:
    """The trigger that saves the link of what it writes reads sessions under the policy, as its owner."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(
        platform_db,
        "ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE POLICY part ON sessions USING (id::text = current_setting('app.id', true))",
    )
    count = "SELECT count(*) AS n FROM submissions WHERE session_id IS NOT NULL"
    assert rows(platform_db, count) == [{"n": 1}]

    between(platform_db, "rollback", "DROP INDEX CONCURRENTLY", f"UPDATE submissions SET {change}")
    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, count) == [{"n": 1}]


@on_school
def test_no_function_is_called_in_the_place_of_a_column_that_is_renamed_while_a_rollback_works(
    platform_db: PlatformDatabase,
) -> None:
    """Where row level security is forced, what the trigger could not see is looked up before the column is dropped."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(
        platform_db,
        "ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE POLICY part ON sessions USING (id::text = current_setting('app.id', true))",
    )

    with pytest.raises(SessiondbError, match="org_id") as refused:
        between(
            platform_db,
            "rollback",
            "DROP INDEX CONCURRENTLY",
            "UPDATE submissions SET id = gen_random_uuid()",
            "ALTER TABLE sessions RENAME org_id TO renamed;"
            "CREATE FUNCTION public.org_id(sessions) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE 'a rival was run'; END $$",
        )

    assert "a rival was run" not in str(refused.value)


@on_school
def test_a_row_that_no_jsonb_holds_gets_its_saved_link_back(platform_db: PlatformDatabase) -> None:
    """Its membership has ended, so that it is compared with what was saved."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    for table in ("enrollments", "submissions"):
        alter(platform_db, f"ALTER TABLE {table} ADD answer json DEFAULT '\"\\u0000\"'")
    before = linked(platform_db)
    platform_db.rollback()
    alter(platform_db, "DELETE FROM org_members")

    assert on(platform_db, "apply").code == 0

    assert linked(platform_db) == before


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(
    ("type_", "others", "key"),
    [
        ("text[]", "ARRAY[id::text]", "'[0:1]={x,y}'"),
        ("jsonb", "to_jsonb(id)", "'null'"),
        ("float8", "random()", "0.1 + 0.2"),
    ],
)
def test_a_row_whose_key_json_would_change_gets_its_saved_link_back(
    platform_db: PlatformDatabase, type_: str, others: str, key: str
) -> None:
    """Its membership has ended, so that it is compared with what was saved."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    alter(
        platform_db,
        f"ALTER TABLE submissions ALTER id DROP DEFAULT, ALTER id TYPE {type_} USING {others}",
        f"UPDATE submissions SET id = {key} WHERE session_id = '{session}'",
    )
    query = "SELECT id::text, session_id FROM submissions ORDER BY 1"
    before = rows(platform_db, query)
    platform_db.rollback()
    alter(platform_db, "DELETE FROM org_members")

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


@pytest.mark.slow
@on_school
def test_a_key_with_any_name_is_saved(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    for name in ("belongs_to", "of_session", "t", "s"):
        alter(
            platform_db,
            f"ALTER TABLE submissions ADD {name} integer NOT NULL DEFAULT 1, DROP CONSTRAINT submissions_pkey,"
            f"ADD PRIMARY KEY (id, {name})",
        )
        assert on(platform_db, "rollback", "--all", "--yes").code == 0
        assert on(platform_db, "apply").code == 0
        assert linked(platform_db) == before
        alter(platform_db, f"ALTER TABLE submissions DROP {name}, ADD PRIMARY KEY (id)")
    alter(platform_db, "ALTER TABLE submissions RENAME COLUMN id TO session_belongs_to")
    refused = on(platform_db, "rollback", "--all", "--yes")
    assert refused.code == 5
    (fix,) = re.findall("(ALTER TABLE .*)", refused.err)
    alter(platform_db, fix)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "table", "place"),
    [
        (PLATFORMS["school"], "submissions", "beside an id"),
        (PLATFORMS["academy"], "enrollments", "beside a natural key"),
        (PLATFORMS["school"], "submissions", "in the key"),
    ],
    indirect=["platform"],
    ids=["beside an id", "beside a natural key", "in the key"],
)
def test_a_row_that_gets_another_version_when_it_is_written_gets_its_saved_link_back(
    platform_db: PlatformDatabase, table: str, place: str
) -> None:
    """Its membership has ended, so that it is compared with what was saved; the trigger that renews it fires before ours."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(
        platform_db,
        "CREATE SEQUENCE versions; GRANT USAGE ON SEQUENCE versions TO PUBLIC",
        f"ALTER TABLE {table} ADD version bigint NOT NULL DEFAULT nextval('versions') UNIQUE",
        "CREATE FUNCTION renew() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT"
        " AS 'BEGIN NEW.version := nextval(''versions''); RETURN NEW; END'",
        f"CREATE TRIGGER renew BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION renew()",
    )
    if place == "in the key":
        alter(platform_db, f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (id, version)")
    query = f"SELECT user_id, session_id FROM {table} ORDER BY 1, 2"
    before = rows(platform_db, query)
    platform_db.rollback()
    alter(platform_db, "DELETE FROM org_members")
    if place == "beside an id":
        alter(platform_db, f"UPDATE {table} SET user_id = user_id")

    done = on(platform_db, "apply")

    assert (done.code, "discarded" in done.err) == (0, False)
    assert rows(platform_db, query) == before


@on_school
@pytest.mark.parametrize("during", ["apply", "rollback"])
def test_no_other_row_gets_a_saved_link_by_taking_its_key_or_giving_it_away(
    platform_db: PlatformDatabase, during: str
) -> None:
    """The membership has ended, so no other row may be in the session."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    ((key, user, course),) = [
        row.values()
        for row in rows(platform_db, f"SELECT id, user_id, course_id FROM submissions WHERE session_id = '{session}'")
    ]
    platform_db.rollback("0005" if during == "rollback" else None)
    alter(platform_db, "DELETE FROM org_members")
    if during == "apply":
        platform_db.apply("0005")
    link = f"UPDATE submissions SET session_id = '{session}'"
    again = (
        f"INSERT INTO submissions (id, user_id, course_id) VALUES ('{key}', '{user}', '{course}')",
        f"{link} WHERE id = '{key}'",
    )

    with pytest.raises(errors.CheckViolation):
        alter(
            platform_db,
            f"UPDATE submissions SET session_id = NULL WHERE id = '{key}'",
            f"{link}, id = gen_random_uuid() WHERE id = '{key}'",
        )
    assert rows(platform_db, f"SELECT FROM submissions WHERE session_id = '{session}'") == []
    for statement in (f"UPDATE submissions SET id = gen_random_uuid() WHERE id = '{key}'", again[0]):
        alter(platform_db, statement)
    with pytest.raises(errors.CheckViolation):
        alter(platform_db, again[1])
    assert rows(platform_db, f"SELECT session_id FROM submissions WHERE id = '{key}'") == [{"session_id": None}]

    assert on(platform_db, "apply").code == 0
    assert rows(platform_db, f"SELECT count(*) FROM submissions WHERE session_id = '{session}'") == [
        {"count": 1 if during == "apply" else 0}
    ]


@on_school
def test_a_key_of_a_domain_over_a_domain_is_saved(platform_db: PlatformDatabase) -> None:
    query = "SELECT id::text, session_id FROM submissions ORDER BY 1"
    alter(
        platform_db,
        "CREATE EXTENSION citext; CREATE DOMAIN code AS citext; CREATE DOMAIN short_code AS code",
        "ALTER TABLE submissions ALTER id DROP DEFAULT, ALTER id TYPE short_code,"
        " ALTER id SET DEFAULT gen_random_uuid()::text",
    )
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = rows(platform_db, query)

    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


class StoppedError(Exception):
    """What ends a run in the middle."""


@on_school
def test_a_row_that_leaves_its_session_while_an_apply_is_stopped_stays_out_of_it(platform_db: PlatformDatabase) -> None:
    """The rollback kept the column, so that the row was linked and its link saved."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = [row for row in linked(platform_db) if row["session_id"]]
    platform_db.rollback(to="0005")

    def stop(_: str, point: str) -> None:
        if "AS t SET session_id = r.session_id" in point:
            raise StoppedError

    with pytest.raises(StoppedError):
        run(platform_db, "apply", stop)
    alter(platform_db, "UPDATE submissions SET session_id = NULL", "UPDATE enrollments SET session_id = NULL")
    platform_db.apply()

    assert before
    assert {row["session_id"] for row in linked(platform_db)} == {None}
    with platform_db.connect() as connection:
        assert not connection.execute("SELECT FROM pg_trigger WHERE tgname = 'zzz_sessiondb_save'").rowcount


@pytest.mark.slow
@on_school
def test_a_row_that_gives_up_its_saved_link_while_apply_waits_for_it_does_not_stop_that(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    before = linked(platform_db)
    platform_db.rollback()
    platform_db.apply("0005")
    with platform_db.connect() as client:
        client.execute(f"SET search_path TO {platform_db.platform.schema}; BEGIN".encode())
        ((key,),) = client.execute(
            "SELECT id FROM submissions WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions)"
        )
        client.execute("UPDATE submissions SET session_id = %s WHERE id = %s", [session, key])
        client.execute("UPDATE submissions SET session_id = NULL WHERE id = %s", [key])
        apply_while_it_waits_for(client, platform_db)
    assert linked(platform_db) == [{**row, "session_id": None} if row["id"] == key else row for row in before]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("locked", ["min", "max"])
def test_no_row_is_locked_while_apply_waits_for_another_one_to_get_its_saved_link(
    platform_db: PlatformDatabase, locked: str
) -> None:
    """Else a client that waits for the first could be the victim of a deadlock."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    with platform_db.connect() as connection:
        for _ in range(3):
            platform_db.platform.submit(connection, learners.old, learners.course)
    before = linked(platform_db)
    platform_db.rollback()
    platform_db.apply("0005")
    ours, others = (
        f"SELECT FROM {platform_db.platform.schema}.submissions"
        f" WHERE ctid {which} (SELECT {locked}(s.ctid) FROM {platform_db.platform.schema}.submissions AS s"
        " JOIN sessiondb.saved_links_of_submissions AS r ON r.id = s.id) FOR UPDATE NOWAIT"
        for which in ("=", "<>")
    )

    with platform_db.connect() as client, platform_db.connect() as watch, ThreadPoolExecutor() as pool:
        client.execute("BEGIN")
        assert client.execute(ours.encode()).rowcount == 1
        applied = pool.submit(on, platform_db, "apply")
        for _ in range(3):
            while not watch.execute("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'").rowcount:
                assert not applied.done()
                time.sleep(0.002)
            assert watch.execute(others.encode()).rowcount > 0
            time.sleep(0.15)
        client.execute("COMMIT")

        assert applied.result().code == 0, applied.result().err

    assert linked(platform_db) == before


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
def test_a_row_that_moves_to_another_partition_while_apply_waits_for_it_does_not_stop_that(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    query = "SELECT id, session_id FROM submissions ORDER BY id"
    before = rows(platform_db, query)
    platform_db.rollback()
    platform_db.apply("0005")
    with platform_db.connect() as client:
        client.execute("BEGIN")
        moved = client.execute(
            "UPDATE submissions SET submitted_at = submitted_at - interval '1 year'"
            " WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions) RETURNING id"
        ).fetchall()
        apply_while_it_waits_for(client, platform_db)
    of_others = [row for row in before if (row["id"],) not in moved]
    assert moved
    assert [row for row in rows(platform_db, query) if (row["id"],) not in moved] == of_others


@on_school
def test_saved_links_that_are_given_up_while_a_rollback_has_stopped_keep_no_client_from_writing(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback("0005")
    alter(
        platform_db,
        "DROP TABLE sessiondb.saved_links_of_submissions",
        "UPDATE submissions SET content = 'later'",
        "DELETE FROM submissions",
    )
    assert on(platform_db, "apply").code == 0


@pytest.mark.slow
@on_school
def test_a_column_of_the_platform_gets_no_trigger_that_a_rollback_would_leave(platform_db: PlatformDatabase) -> None:
    """It was made after a rollback that saved links, and apply is stopped before it has restored them."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "ALTER TABLE submissions ADD session_id uuid", "ALTER TABLE enrollments ADD session_id uuid")
    assert on(platform_db, "apply", "--to", "0005").code == 0
    done = on(platform_db, "rollback", "--all", "--yes")
    assert done.code == 0, done.err
    assert rows(platform_db, "SELECT FROM pg_trigger WHERE tgname = 'zzz_sessiondb_save'") == []


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("to", ["0004", "0005"])
def test_a_row_that_leaves_a_session_that_it_was_given_before_links_are_restored_stays_out_of_it(
    platform_db: PlatformDatabase, to: str
) -> None:
    """After a rollback that has dropped the column."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback()
    platform_db.apply(to)
    link = f"SET session_id = '{session}' WHERE id IN (SELECT id FROM sessiondb.saved_links_of"
    alter(platform_db, f"UPDATE submissions {link}_submissions)", f"UPDATE enrollments {link}_enrollments)")
    before = [row for row in linked(platform_db) if row["session_id"]]
    alter(platform_db, "UPDATE submissions SET session_id = NULL", "UPDATE enrollments SET session_id = NULL")
    platform_db.apply()

    assert before
    assert {row["session_id"] for row in linked(platform_db)} == {None}
    with platform_db.connect() as connection:
        assert not connection.execute("SELECT FROM pg_trigger WHERE tgname = 'zzz_sessiondb_save'").rowcount


@on_school
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_what_a_client_with_an_older_snapshot_writes_while_a_rollback_saves_links_is_saved(
    platform_db: PlatformDatabase, level: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    schema = platform_db.platform.schema
    with platform_db.connect() as client:
        client.execute(f"SET default_transaction_isolation TO '{level}'; SET search_path TO {schema}".encode())
        client.execute("BEGIN; SELECT 1")
        platform_db.rollback(to="0005")
        client.execute(
            "INSERT INTO submissions (user_id, course_id, session_id, content)"
            " SELECT user_id, course_id, session_id, 'late' FROM submissions WHERE session_id IS NOT NULL"
        )
        client.execute("COMMIT")
    platform_db.rollback()
    platform_db.apply()
    (late,) = rows(platform_db, "SELECT session_id FROM submissions WHERE content = 'late'")
    assert late["session_id"] is not None


@on_school
def test_a_schema_with_the_old_name_of_the_platform_s_does_not_keep_its_saved_links(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    """Another role has made it since, and no fix names it."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    platform_db.rollback()
    schema = platform_db.platform.schema
    alter(
        platform_db,
        f"ALTER SCHEMA {schema} RENAME TO moved",
        f"CREATE SCHEMA {schema} AUTHORIZATION {new_role}; SET ROLE {new_role}",
        f"CREATE TABLE {schema}.enrollments (); CREATE TABLE {schema}.submissions ()",
    )

    applied = on(replace(platform_db, platform=replace(platform_db.platform, schema="moved")), "apply")

    assert applied.code == 0, applied.err
    with platform_db.connect() as connection:
        connection.execute("SET search_path TO moved")
        after = connection.execute(
            "SELECT id, session_id FROM enrollments UNION ALL SELECT id, session_id FROM submissions ORDER BY 1"
        ).fetchall()
    assert after == [(row["id"], row["session_id"]) for row in before]


@on_school
def test_the_check_of_a_domain_in_the_key_does_not_run_with_the_rights_of_the_owner(
    platform_db: PlatformDatabase,
) -> None:
    """A client's temporary table may be what it reads."""
    alter(
        platform_db,
        "CREATE FUNCTION fits(uuid) RETURNS boolean LANGUAGE plpgsql AS"
        " 'BEGIN RETURN current_setting(''app.falls'', true) IS DISTINCT FROM ''on'' OR current_user = ''campus_app''; END'",
        "CREATE DOMAIN key AS uuid CHECK (campus.fits(VALUE))",
        "ALTER TABLE enrollments ALTER COLUMN id TYPE key",
    )
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback(to="0005")
    with platform_db.connect() as connection:
        connection.execute("SET search_path TO campus; SET app.falls TO 'on'")
        done = connection.execute("UPDATE enrollments SET session_id = NULL WHERE session_id = %s", [learners.session])
        assert done.rowcount


TRAP = """
CREATE SCHEMA loot; CREATE SEQUENCE loot.n; GRANT ALL ON SCHEMA loot TO PUBLIC; GRANT ALL ON SEQUENCE loot.n TO PUBLIC;
CREATE FUNCTION campus.{column}(campus.{table}) RETURNS uuid LANGUAGE plpgsql IMMUTABLE
AS 'BEGIN PERFORM nextval(''loot.n''); RETURN gen_random_uuid(); END';
CREATE FUNCTION public.{column}(campus.{table}) RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT campus.{column}($1)'
"""
"""What PostgreSQL takes alias.column for, if the table has no such column; the sequence counts also what is undone."""


def is_sprung(db: PlatformDatabase) -> bool:
    return rows(db, "SELECT is_called AS c FROM loot.n") == [{"c": True}]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("column", ["session_id", "id"])
@pytest.mark.parametrize("snapshot", ["newer", "older"])
@pytest.mark.parametrize("state", ["rollback", "apply"])
def test_no_function_is_called_in_the_place_of_a_column_that_is_renamed_while_links_are_saved(
    platform_db: PlatformDatabase, column: str, snapshot: str, state: str
) -> None:
    """Nor where the catalogs as the transaction sees them still have the column."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback(to="0005" if state == "rollback" else None)
    if state == "apply":
        platform_db.apply(to="0005")
    alter(platform_db, TRAP.format(column=column, table="submissions"))
    rename = f"ALTER TABLE submissions RENAME {column} TO renamed"
    name = "renamed" if column == "session_id" else "session_id"
    with platform_db.connect() as client:
        if snapshot == "newer":
            alter(platform_db, rename)
        client.execute("SET search_path TO campus; BEGIN ISOLATION LEVEL REPEATABLE READ")
        client.execute("SELECT")
        if snapshot == "older":
            alter(platform_db, rename)
        for statement in (
            f"UPDATE submissions SET {name} = '{session}'",
            f"UPDATE submissions SET {name} = NULL",
            "INSERT INTO submissions (user_id, course_id) SELECT user_id, course_id FROM submissions LIMIT 1",
        ):
            with suppress(errors.Error), client.transaction():
                client.execute(statement.encode())
        client.execute("COMMIT")
    assert not is_sprung(platform_db)


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(
    ("command", "after", "column", "setting"),
    [
        (
            "rollback",
            "DROP INDEX CONCURRENTLY",
            "id",
            "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
            "CREATE POLICY all_rows ON submissions USING (true)",
        ),
        ("apply", "ADD CONSTRAINT submissions_session_id_fkey", "session_id", ""),
        ("apply", "0006.", "session_id", ""),
        ("apply", "0003.", "id", ""),
    ],
    ids=["a forced policy", "the guard", "our triggers", "the key"],
)
def test_no_function_is_called_in_the_place_of_a_column_that_is_renamed_between_two_steps(
    platform_db: PlatformDatabase, command: str, after: str, column: str, setting: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    if command == "apply":
        platform_db.rollback()
    if setting:
        alter(platform_db, setting)
    alter(platform_db, TRAP.format(column=column, table="submissions"))

    with suppress(errors.Error, SessiondbError):
        between(platform_db, command, after, f"ALTER TABLE submissions RENAME {column} TO renamed")

    with suppress(errors.Error):
        alter(platform_db, "UPDATE submissions SET content = content")
    assert not is_sprung(platform_db)
    alter(platform_db, f"ALTER TABLE submissions RENAME renamed TO {column}")
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0
    assert not is_sprung(platform_db)
    assert linked(platform_db) == before


@on_school
def test_no_client_takes_a_saved_link_while_an_apply_is_stopped(platform_db: PlatformDatabase) -> None:
    """Only the apply restores it, though the membership has ended; what staff gave the row since, it keeps."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback()
    platform_db.apply(to="0005")
    platform = platform_db.platform
    (saved,) = rows(platform_db, "SELECT id, user_id, session_id FROM sessiondb.saved_links_of_submissions")
    with platform_db.connect() as connection:
        connection.execute("DELETE FROM campus.org_members WHERE user_id = %s", [saved["user_id"]])
        other = platform.add_org(connection)
        platform.add_member(connection, other, UUID(str(saved["user_id"])))
        given = platform.add_session(connection, other, learners.course)
        link = f"UPDATE campus.submissions SET session_id = '{{}}' WHERE id = '{saved['id']}'"
        with pytest.raises(errors.CheckViolation):
            connection.execute(link.format(saved["session_id"]).encode())
        connection.execute(link.format(given).encode())
        with pytest.raises(errors.CheckViolation):
            connection.execute(link.format(saved["session_id"]).encode())

    platform_db.apply()

    assert rows(platform_db, f"SELECT session_id FROM submissions WHERE id = '{saved['id']}'") == [
        {"session_id": given}
    ]


@on_school
def test_a_row_that_takes_its_session_to_another_key_leaves_no_link_for_the_next_one_with_its_key(
    platform_db: PlatformDatabase,
) -> None:
    """A rollback stopped when links were saved and rows had them, too, then an apply before it restored them."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback(to="0005")
    alter(platform_db, "DELETE FROM org_members")
    (row,) = rows(platform_db, f"SELECT id, user_id, course_id FROM submissions WHERE session_id = '{session}'")
    again = f"INSERT INTO submissions (id, user_id, course_id) VALUES ('{row['id']}', '{row['user_id']}', '{row['course_id']}')"

    alter(platform_db, f"UPDATE submissions SET id = gen_random_uuid() WHERE id = '{row['id']}'", again)
    platform_db.apply()

    assert rows(platform_db, f"SELECT count(*) AS n FROM submissions WHERE session_id = '{session}'") == [{"n": 1}]
    assert rows(platform_db, f"SELECT session_id AS s FROM submissions WHERE id = '{row['id']}'") == [{"s": None}]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("of", ["another student", "another course"])
def test_no_session_of_another_row_is_saved_for_the_student_and_the_course_of_an_event(
    platform_db: PlatformDatabase, of: str
) -> None:
    """A statement in RETURNING has given the key, or the row, to another one since."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform = platform_db.platform
    (row,) = rows(
        platform_db, f"SELECT id, user_id, course_id FROM submissions WHERE session_id = '{learners.session}'"
    )
    with platform_db.connect() as connection:
        connection.execute("SET search_path TO campus")
        org, course = learners.org, learners.course
        if of == "another student":
            org = platform.add_org(connection)
            student = platform.add_member(connection, org, platform.add_user(connection))
            nested = f"INSERT INTO submissions (id, user_id, course_id, session_id) VALUES ('{row['id']}', '{student}', '{course}', '%s')"
            outer, back = "id = gen_random_uuid()", f"DELETE FROM submissions WHERE id = '{row['id']}'"
            last = f"INSERT INTO submissions (id, user_id, course_id) VALUES ('{row['id']}', '{row['user_id']}', '{course}')"
        else:
            course = platform.add_course(connection)
            nested = f"UPDATE submissions SET course_id = '{course}', session_id = '%s' WHERE id = '{row['id']}'"
            outer, back = (
                "content = 'x'",
                f"UPDATE submissions SET course_id = '{row['course_id']}' WHERE id = '{row['id']}'",
            )
            last = "SELECT"
        session = platform.add_session(connection, org, course)
        connection.execute(
            f"CREATE FUNCTION campus.nested() RETURNS integer LANGUAGE sql SET search_path = campus AS"
            f" $$ {nested % session} RETURNING 1 $$".encode()
        )
        changed = f"UPDATE submissions SET {outer} WHERE id = '{row['id']}' RETURNING nested()"
        between(platform_db, "rollback", "UPDATE OR DELETE ON campus.submissions", changed)
        connection.execute(f"{back}; {last}".encode())
    platform_db.apply()

    assert rows(
        platform_db,
        "SELECT count(*) AS n FROM submissions AS r JOIN sessions AS s ON s.id = r.session_id"
        " WHERE s.course_id <> r.course_id OR NOT EXISTS"
        " (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = r.user_id)",
    ) == [{"n": 0}]


@on_school
def test_a_snapshot_that_is_older_than_a_table_of_ours_lets_no_role_write_to_it(
    new_role: str, platform_db: PlatformDatabase
) -> None:
    with platform_db.connect() as early:
        early.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        early.execute("SELECT")
        platform_db.apply(to="0001")
        alter(platform_db, f'GRANT pg_write_all_data TO "{new_role}"')
        early.execute(f'SET LOCAL ROLE "{new_role}"'.encode())
        with pytest.raises(errors.InsufficientPrivilege, match="only the owner"):
            early.execute(
                "INSERT INTO sessiondb.objects (kind, parent, name, migration, origin)"
                " VALUES ('trigger', 'enrollments', 'quiet', '0007', 'replaced')"
            )
        early.execute("ROLLBACK")


@on_school
def test_a_column_of_the_platform_that_is_renamed_for_a_moment_while_apply_runs_stays_the_platforms(
    platform_db: PlatformDatabase,
) -> None:
    alter(platform_db, "ALTER TABLE enrollments ADD COLUMN session_id uuid REFERENCES sessions (id)")

    with suppress(errors.Error, SessiondbError):
        between(platform_db, "apply", "0006.", "ALTER TABLE enrollments RENAME session_id TO renamed")
    alter(platform_db, "ALTER TABLE enrollments RENAME renamed TO session_id")

    assert on(platform_db, "apply").code == 0
    assert on(platform_db, "check", "installed_objects").code == 0
    assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert rows(platform_db, "SELECT count(session_id) AS n FROM enrollments") == [{"n": 0}]


@pytest.mark.slow
@on_school
def test_no_link_is_saved_of_a_row_that_a_forced_policy_hides_but_its_own(platform_db: PlatformDatabase) -> None:
    """A statement in RETURNING gives the row another key, and its old one to a new row."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    (row,) = rows(
        platform_db, f"SELECT id, user_id, course_id FROM submissions WHERE session_id = '{learners.session}'"
    )
    alter(
        platform_db,
        "DELETE FROM org_members",
        "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE FUNCTION nested() RETURNS void LANGUAGE sql AS"
        f" $$ UPDATE submissions SET id = gen_random_uuid() WHERE id = '{row['id']}';"
        f" INSERT INTO submissions (id, user_id, course_id) VALUES ('{row['id']}', '{row['user_id']}', '{row['course_id']}') $$",
    )
    changed = f"UPDATE submissions SET content = 'x' WHERE id = '{row['id']}' RETURNING nested()"

    between(platform_db, "rollback", "UPDATE OR DELETE ON campus.submissions", changed)
    alter(platform_db, "ALTER TABLE submissions NO FORCE ROW LEVEL SECURITY")
    platform_db.apply()

    found = f"SELECT id = '{row['id']}' AS is_new FROM submissions WHERE session_id = '{learners.session}'"
    assert rows(platform_db, found) == [{"is_new": False}]


@on_school
def test_the_keys_that_links_refer_to_are_found_while_links_are_saved(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback(to="0005")

    assert "missing or not validated" not in on(platform_db, "check", "foreign_keys").out


@pytest.mark.slow
@on_school
def test_a_row_that_leaves_a_session_is_noted_after_a_column_of_the_saved_links_was_dropped(
    platform_db: PlatformDatabase,
) -> None:
    """As preflight proposes where the platform has dropped its column."""
    alter(platform_db, "ALTER TABLE submissions ADD COLUMN serial bigint GENERATED ALWAYS AS IDENTITY UNIQUE")
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback()
    platform_db.apply(to="0005")
    alter(
        platform_db,
        "ALTER TABLE submissions DROP COLUMN serial",
        "ALTER TABLE sessiondb.saved_links_of_submissions DROP COLUMN serial",
    )

    link = "UPDATE submissions SET session_id = {} WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions)"
    left = (link.format(f"'{session}'"), link.format("NULL"))

    alter(platform_db, *left)
    platform_db.apply()

    assert rows(platform_db, "SELECT count(session_id) AS n FROM submissions") == [{"n": 0}]


@on_school
def test_a_refusal_has_its_code_under_a_snapshot_from_before_the_first_apply(platform_db: PlatformDatabase) -> None:
    with platform_db.connect() as early:
        early.execute("SET search_path TO campus; BEGIN ISOLATION LEVEL REPEATABLE READ")
        early.execute("SELECT")
        platform_db.apply(to="0004")  # an index would wait for that snapshot
        with pytest.raises(errors.CheckViolation):
            early.execute(
                "INSERT INTO enrollments (user_id, course_id, session_id)"
                " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid()"
            )


@pytest.mark.slow
@on_school
@pytest.mark.parametrize(
    "before",
    [
        "LOCK sessiondb.saved_links_of_submissions IN ROW SHARE MODE",
        "LOCK sessiondb.saved_links_of_submissions, sessiondb.installation IN ACCESS EXCLUSIVE MODE",
        "SELECT FROM sessiondb.installation FOR UPDATE",
        "UPDATE sessiondb.installation SET version = version",
        "UPDATE sessiondb.installation SET version = version WHERE false",
    ],
)
def test_no_role_with_all_rights_to_write_passes_for_a_restore(
    new_role: str, platform_db: PlatformDatabase, before: str
) -> None:
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform_db.rollback()
    platform_db.apply(to="0005")
    with platform_db.connect() as connection:
        other = platform_db.platform.add_session(connection, platform_db.platform.add_org(connection), learners.course)
        connection.execute(
            f"GRANT pg_write_all_data, pg_read_all_data TO {new_role}; SET ROLE {new_role}; BEGIN".encode()
        )
        connection.execute("SAVEPOINT before")
        try:
            connection.execute(before.encode())
        except errors.InsufficientPrivilege:
            connection.execute("ROLLBACK TO before")
        with pytest.raises(errors.CheckViolation):
            connection.execute(f"UPDATE campus.submissions SET session_id = '{other}'".encode())
        connection.execute("ROLLBACK")


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("of", ["a stranger", "the same student"])
def test_a_trigger_of_the_platform_that_links_other_rows_when_one_is_restored_links_those_with_saved_links(
    platform_db: PlatformDatabase, of: str
) -> None:
    """The membership of the student has ended, and the stranger never had one."""
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    before = linked(platform_db)
    platform_db.rollback()
    with platform_db.connect() as connection:
        stranger = platform_db.platform.add_user(connection)
        platform_db.platform.submit(connection, stranger, learners.course)
    whose = f"'{stranger}'" if of == "a stranger" else "NEW.user_id"
    alter(
        platform_db,
        "DELETE FROM org_members",
        "CREATE FUNCTION carry() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS"
        " $$BEGIN EXECUTE format('UPDATE submissions SET %I = $1 WHERE user_id = $2', 'session' || '_id')"
        f" USING NEW.session_id, {whose}::uuid; RETURN NULL; END$$",
    )
    platform_db.apply(to="0005")
    alter(
        platform_db,
        "CREATE TRIGGER carry AFTER UPDATE ON enrollments FOR EACH ROW WHEN (NEW.session_id IS NOT NULL)"
        " EXECUTE FUNCTION carry()",
    )

    applied = on(platform_db, "apply")

    assert (applied.code == 0) == (of != "a stranger"), applied.err
    found = rows(platform_db, f"SELECT session_id FROM submissions WHERE user_id = '{stranger}'")
    assert found == [{"session_id": None}]
    if of != "a stranger":
        assert [row for row in linked(platform_db) if row["session_id"]] == [row for row in before if row["session_id"]]


@pytest.mark.slow
@on_school
def test_functions_of_a_later_version_are_there_before_it_restores_links(platform_db: PlatformDatabase) -> None:
    """An earlier version has saved them, and begun to apply; the membership has ended since."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = linked(platform_db)
    platform_db.rollback()
    alter(platform_db, "DELETE FROM org_members")
    platform_db.apply(to="0005")
    later = "('is_restoring', 'is_of_this_transaction', 'note_change', 'query_of_saved_link')"
    with platform_db.connect() as connection:
        for (name,) in connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'sessiondb'::regnamespace"
            f" AND proname IN {later}".encode()
        ).fetchall():
            connection.execute(f"DROP ROUTINE {name} CASCADE".encode())
        connection.execute(f"DELETE FROM sessiondb.objects WHERE name IN {later}".encode())

    assert on(platform_db, "apply").code == 0

    assert linked(platform_db) == before


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
@pytest.mark.parametrize("leaves", [True, False])
def test_a_row_that_moves_to_another_partition_has_no_saved_link_any_more(
    platform_db: PlatformDatabase, leaves: bool
) -> None:
    """It leaves the session that it was given since, and moves back, or takes it with it, and a new row gets its key."""
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback(to=None if leaves else "0005")
    (saved,) = rows(
        platform_db, "SELECT id, user_id FROM sessiondb.saved_links_of_submissions WHERE session_id IS NOT NULL"
    )
    its = f"WHERE id = '{saved['id']}'"
    move = "UPDATE submissions SET {}submitted_at = submitted_at {} interval '400 days' " + its
    ended = f"DELETE FROM org_members WHERE user_id = '{saved['user_id']}'"
    if leaves:
        platform_db.apply(to="0005")
        given = f"UPDATE submissions SET session_id = '{session}' {its}"
        alter(platform_db, given, ended, move.format("session_id = NULL, ", "-"), move.format("", "+"))
        assert on(platform_db, "apply").code == 0
    else:
        again = (
            "INSERT INTO submissions (id, user_id, exercise_id, submitted_at)"
            f" SELECT id, user_id, exercise_id, submitted_at + interval '400 days' FROM submissions {its}"
        )
        alter(platform_db, move.format("", "-"), ended, again)
        assert on(platform_db, "apply").code == 0

    count = f"SELECT count(session_id) AS n FROM submissions WHERE user_id = '{saved['user_id']}'"
    assert rows(platform_db, count) == [{"n": 0 if leaves else 1}]


@pytest.mark.slow
@on_school
def test_any_name_of_a_column_is_saved_by_while_clients_write(platform_db: PlatformDatabase) -> None:
    for name in ("sessiondb_row", "session_now", "x", "n"):
        alter(platform_db, f"ALTER TABLE submissions ADD {name} text NOT NULL DEFAULT '1'")
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD PRIMARY KEY (id, session_now, sessiondb_row, x, n),"
        "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE POLICY all_rows ON submissions USING (true)",
    )
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    before = rows(platform_db, "SELECT user_id, session_id FROM submissions ORDER BY 1, 2")
    changed = "UPDATE submissions SET id = gen_random_uuid(), sessiondb_row = '2', content = 'x'"

    between(platform_db, "rollback", "UPDATE OR DELETE ON campus.submissions", changed)
    platform_db.apply()

    assert rows(platform_db, "SELECT user_id, session_id FROM submissions ORDER BY 1, 2") == before


@pytest.mark.slow
@on_school
def test_a_policy_that_a_client_makes_fail_does_not_keep_what_its_row_is_now_from_being_saved(
    platform_db: PlatformDatabase,
) -> None:
    """It is forced for the owner, as whom the trigger reads the row."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    alter(
        platform_db,
        "ALTER TABLE submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE POLICY own ON submissions USING (user_id = current_setting('app.id', true)::uuid)",
    )
    left = "UPDATE submissions SET session_id = NULL RETURNING set_config('app.id', 'x', false)"

    between(platform_db, "rollback", "DROP INDEX CONCURRENTLY", left)
    alter(platform_db, "ALTER TABLE submissions NO FORCE ROW LEVEL SECURITY", "DELETE FROM org_members")
    platform_db.apply()

    assert rows(platform_db, "SELECT count(session_id) AS n FROM submissions") == [{"n": 0}]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_what_a_rollback_saved_after_the_snapshot_of_a_client_is_not_restored_to_a_row_that_leaves_its_session(
    platform_db: PlatformDatabase, level: str
) -> None:
    """Or takes it to another key, whose old one another row has then. The trigger is there from an earlier rollback or apply."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    columns = "id, user_id, course_id"

    def stop(_: str, point: str) -> None:
        if "AS t SET session_id = r.session_id" in point:
            raise StoppedError

    with platform_db.connect() as client:
        client.execute(f"SET default_transaction_isolation TO '{level}'; SET search_path TO campus".encode())
        for statement in ("UPDATE submissions SET session_id = NULL", "UPDATE submissions SET id = gen_random_uuid()"):
            before = client.execute(
                f"SELECT {columns} FROM submissions WHERE session_id IS NOT NULL".encode()
            ).fetchall()
            assert len(before) > 1
            platform_db.rollback(to="0005")
            with pytest.raises(StoppedError):
                run(platform_db, "apply", stop)
            client.execute("BEGIN; SELECT 1")
            platform_db.rollback(to="0005")
            with pytest.raises(StoppedError):
                run(platform_db, "apply", stop)
            client.execute(f"{statement} WHERE session_id IS NOT NULL; COMMIT".encode())
            client.cursor().executemany(
                f"INSERT INTO submissions ({columns}) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING".encode(), before
            )
            platform_db.apply()
            left = client.execute(
                "SELECT FROM submissions WHERE id = ANY (%s) AND session_id IS NOT NULL", [[row[0] for row in before]]
            )
            assert left.rowcount == 0
            taken = client.execute("SELECT FROM submissions WHERE session_id IS NOT NULL")
            assert taken.rowcount == (0 if "NULL" in statement else len(before))
            client.execute(
                "DELETE FROM submissions WHERE session_id IS NULL AND id <> ALL (%s)", [[row[0] for row in before]]
            )
            assert on(platform_db, "backfill").code == 0


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("fails", ["with a value", "as if a column was gone"])
def test_a_policy_of_the_sessions_that_a_client_makes_fail_does_not_keep_what_its_row_is_now_from_being_saved(
    platform_db: PlatformDatabase, fails: str
) -> None:
    assert on(platform_db, "apply").code == 0
    learners = fill(platform_db)
    platform = platform_db.platform
    with platform_db.connect() as connection:
        (saved,) = rows(platform_db, "SELECT user_id FROM submissions WHERE session_id IS NOT NULL")
        other = platform.add_org(connection)
        platform.add_member(connection, other, UUID(str(saved["user_id"])))
        given = platform.add_session(connection, other, learners.course)
    alter(
        platform_db,
        "CREATE FUNCTION is_mine() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN"
        " IF current_setting('app.id', true) = 'as if a column was gone' THEN RAISE undefined_function; END IF;"
        " RETURN coalesce(current_setting('app.id', true), '') = '' OR current_setting('app.id')::uuid IS NOT NULL; END$$",
        "ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON sessions USING (is_mine())",
    )
    moved = f"UPDATE submissions SET session_id = '{given}' WHERE session_id IS NOT NULL RETURNING set_config('app.id', '{{}}', false)"

    between(platform_db, "rollback", "DROP INDEX CONCURRENTLY", moved.format(fails))
    alter(platform_db, "DELETE FROM org_members", "ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY")
    platform_db.apply()

    (row,) = rows(platform_db, f"SELECT session_id FROM submissions WHERE user_id = '{saved['user_id']}'")
    assert row["session_id"] == given


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
@pytest.mark.parametrize("ended", [False, True])
def test_a_row_that_a_trigger_moves_to_another_partition_when_it_is_written_gets_its_saved_link_back_or_is_named(
    platform_db: PlatformDatabase, ended: bool
) -> None:
    """Its key has another value then; a backfill links it, too."""
    alter(
        platform_db,
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.submitted_at := OLD.submitted_at - interval ''400 days''; RETURN NEW; END'",
        "CREATE TRIGGER touch BEFORE UPDATE ON submissions FOR EACH ROW WHEN (OLD.submitted_at > '2024-12-31') EXECUTE FUNCTION touch()",
    )
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    query = "SELECT id, session_id FROM submissions WHERE session_id IS NOT NULL ORDER BY id"
    alter(
        platform_db,
        "ALTER TABLE submissions DISABLE TRIGGER USER",
        "UPDATE submissions SET session_id = NULL, submitted_at = '2025-02-02'",
        "ALTER TABLE submissions ENABLE TRIGGER USER",
    )
    assert on(platform_db, "backfill").code == 0
    before = rows(platform_db, query)
    assert before != []
    assert rows(platform_db, "SELECT FROM submissions_2025 WHERE session_id IS NOT NULL") == []
    alter(
        platform_db,
        "ALTER TABLE submissions DISABLE TRIGGER touch",
        "UPDATE submissions SET submitted_at = '2025-02-02'",
        "ALTER TABLE submissions ENABLE TRIGGER touch",
    )
    platform_db.rollback()
    if ended:
        alter(platform_db, "DELETE FROM org_members")
        refused = on(platform_db, "apply")
        assert refused.code != 0
        assert "did not get their saved links back" in refused.err
        alter(platform_db, "ALTER TABLE submissions DISABLE TRIGGER touch")

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


@pytest.mark.slow
@on_school
def test_no_saved_link_of_another_student_is_forgotten_where_its_key_is_none_any_more(
    platform_db: PlatformDatabase,
) -> None:
    """A student gives a row of its own the same value, and deletes it, before an apply has restored links."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    platform_db.rollback()
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey CASCADE, ADD place int NOT NULL DEFAULT 1, ADD PRIMARY KEY (id, place)",
    )
    platform_db.apply(to="0005")
    saved = rows(
        platform_db,
        "SELECT id, user_id, session_id FROM sessiondb.saved_links_of_submissions WHERE session_id IS NOT NULL ORDER BY 1",
    )
    first, second = saved[:2]
    assert first["user_id"] != second["user_id"]
    for level in ("read committed", "repeatable read"):
        alter(
            platform_db,
            f"SET default_transaction_isolation TO '{level}'",
            f"INSERT INTO submissions (id, place, user_id, course_id, content, session_id) SELECT '{first['id']}', 2, user_id, course_id, 'x',"
            f" '{second['session_id']}' FROM submissions WHERE id = '{second['id']}'",
            "DELETE FROM submissions WHERE place = 2",
        )

    platform_db.apply()

    kept = f"SELECT session_id FROM submissions WHERE id = '{first['id']}'"
    assert rows(platform_db, kept) == [{"session_id": first["session_id"]}]


@pytest.mark.slow
@on_school
def test_no_session_is_saved_of_a_version_that_a_row_has_not_any_more(platform_db: PlatformDatabase) -> None:
    """A client with an older snapshot sees it under the key that it had, which its own row has for a moment."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    with platform_db.connect() as client, platform_db.connect() as other:
        client.execute("SET default_transaction_isolation TO 'repeatable read'; SET search_path TO campus")
        client.execute(
            "CREATE FUNCTION pg_temp.again(uuid) RETURNS uuid LANGUAGE sql AS"
            " 'UPDATE campus.submissions SET id = gen_random_uuid() WHERE id = $1 AND content = ''again'' RETURNING id'"
        )
        query = "SELECT id, user_id, course_id, session_id FROM submissions WHERE session_id IS NOT NULL"
        ((key, user, course, session),) = client.execute(query.encode()).fetchall()
        client.execute("BEGIN; SELECT 1")
        ((new,),) = other.execute(
            "UPDATE campus.submissions SET id = gen_random_uuid() WHERE id = %s RETURNING id", [key]
        )
        platform_db.rollback(to="0005")
        client.execute(
            "INSERT INTO submissions (id, user_id, course_id, content, session_id) SELECT id, user_id, course_id, 'again', session_id"
            " FROM submissions WHERE id = %s RETURNING pg_temp.again(id)",
            [key],
        )
        client.execute("COMMIT")
        platform_db.rollback()
        saved = {*other.execute("SELECT id FROM sessiondb.saved_links_of_submissions WHERE session_id = %s", [session])}
        found = {
            *other.execute("SELECT id FROM campus.submissions WHERE user_id = %s AND course_id = %s", [user, course])
        }
        assert (saved, len(found)) == (found, 2)
        assert {(new,), (key,)} & found == {(new,)}


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_a_row_that_leaves_its_session_for_a_key_that_saved_links_cannot_hold_stays_out_of_it(
    platform_db: PlatformDatabase, level: str
) -> None:
    """The type of the key has changed since the rollback: its links have the one before."""
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD n int GENERATED BY DEFAULT AS IDENTITY, ADD PRIMARY KEY (n)",
    )
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    (row,) = rows(platform_db, f"SELECT n, user_id FROM submissions WHERE session_id = '{session}'")
    platform_db.rollback()
    alter(platform_db, "ALTER TABLE submissions ALTER n TYPE bigint")
    platform_db.apply(to="0005")
    alter(platform_db, f"UPDATE submissions SET session_id = '{session}' WHERE n = {row['n']}")
    alter(
        platform_db,
        f"SET default_transaction_isolation TO '{level}'",
        f"UPDATE submissions SET session_id = NULL, n = 3000000000 WHERE n = {row['n']}",
        f"UPDATE submissions SET n = {row['n']} WHERE n = 3000000000",
        f"DELETE FROM org_members WHERE user_id = '{row['user_id']}'",
    )
    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, f"SELECT session_id FROM submissions WHERE n = {row['n']}") == [{"session_id": None}]


@on_school
def test_a_row_whose_old_key_may_be_null_by_now_is_written_while_links_are_saved(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback()
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD place int GENERATED BY DEFAULT AS IDENTITY, ADD PRIMARY KEY (place)",
        "ALTER TABLE submissions ALTER id DROP NOT NULL",
    )
    platform_db.apply(to="0005")
    linked_row = "INSERT INTO submissions (id, user_id, course_id, content, session_id) SELECT NULL, user_id, course_id, 'x', s.session_id"
    alter(
        platform_db,
        "SET default_transaction_isolation TO 'repeatable read'",
        f"{linked_row} FROM sessiondb.saved_links_of_submissions AS s WHERE session_id IS NOT NULL",
        "UPDATE submissions SET content = 'y' WHERE id IS NULL",
    )
    assert rows(platform_db, "SELECT content FROM submissions WHERE id IS NULL AND session_id IS NOT NULL") == [
        {"content": "y"}
    ]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("level", ["read committed", "repeatable read"], ids=["renamed", "renamed since a snapshot"])
@pytest.mark.parametrize("during", ["apply", "rollback"])
def test_a_row_that_leaves_its_session_while_a_column_of_the_key_is_renamed_stays_out_of_it(
    platform_db: PlatformDatabase, level: str, during: str
) -> None:
    """What a rollback saved of other students is restored."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    query = "SELECT user_id, session_id FROM submissions WHERE session_id IS NOT NULL ORDER BY user_id"
    before = rows(platform_db, query)
    left = before[0]["user_id"]
    assert {row["user_id"] for row in before} != {left}
    platform_db.rollback(to=None if during == "apply" else "0005")
    alter(platform_db, "DELETE FROM org_members")
    if during == "apply":
        platform_db.apply(to="0004")
        alter(
            platform_db,
            "ALTER TABLE submissions DISABLE TRIGGER zzz_sessiondb_check_submission_update",
            "UPDATE submissions SET session_id = s.session_id FROM sessiondb.saved_links_of_submissions AS s"
            f" WHERE s.id = submissions.id AND s.user_id = '{left}'",
            "ALTER TABLE submissions ENABLE TRIGGER zzz_sessiondb_check_submission_update",
        )
    with platform_db.connect() as client:
        client.execute(f"SET default_transaction_isolation TO '{level}'; SET search_path TO campus".encode())
        client.execute("BEGIN; SELECT 1")
        alter(platform_db, "ALTER TABLE submissions RENAME id TO number")
        client.execute(f"UPDATE submissions SET session_id = NULL WHERE user_id = '{left}'".encode())
        client.execute("COMMIT")
    alter(platform_db, "ALTER TABLE submissions RENAME number TO id")
    if during == "rollback":
        assert on(platform_db, "rollback", "--all", "--yes").code == 0
    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == [row for row in before if row["user_id"] != left]


@pytest.mark.slow
@on_school
def test_a_column_of_ours_with_a_comment_of_the_platform_s_is_no_column_of_the_platform_s(
    platform_db: PlatformDatabase,
) -> None:
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback()
    platform_db.apply(to="0003")
    alter(platform_db, "COMMENT ON COLUMN submissions.session_id IS 'documented by a tool'")
    platform_db.apply(to="0005")
    alter(
        platform_db,
        f"UPDATE submissions SET session_id = '{session}' WHERE id IN (SELECT id FROM sessiondb.saved_links_of_submissions)",
        "UPDATE submissions SET session_id = NULL",
    )

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, "SELECT FROM submissions WHERE session_id IS NOT NULL") == []


@on_school
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_client_with_a_snapshot_from_before_an_apply_writes_while_that_is_to_restore_links(
    platform_db: PlatformDatabase, level: str
) -> None:
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    platform_db.rollback()
    with platform_db.connect() as client:
        client.execute(f"SET default_transaction_isolation TO '{level}'; SET search_path TO campus".encode())
        client.execute("BEGIN; SELECT 1")
        platform_db.apply(to="0004")
        client.execute("UPDATE submissions SET content = 'later'")
        client.execute("DELETE FROM submissions WHERE id NOT IN (SELECT id FROM sessiondb.saved_links_of_submissions)")
        client.execute("COMMIT")

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, "SELECT content, session_id FROM submissions") == [
        {"content": "later", "session_id": session}
    ]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("column", ["user_id", "session_id"])
@pytest.mark.parametrize("then", ["apply", "rollback"])
def test_a_row_that_leaves_its_session_while_its_column_or_that_of_the_user_is_renamed_stays_out_of_it(
    platform_db: PlatformDatabase, column: str, then: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    query = "SELECT user_id, session_id FROM submissions WHERE session_id IS NOT NULL ORDER BY user_id"
    left, *others = rows(platform_db, query)
    platform_db.rollback(to="0005")
    name = {column: "renamed"}
    alter(
        platform_db,
        f"ALTER TABLE submissions RENAME {column} TO renamed",
        f"UPDATE submissions SET {name.get('session_id', 'session_id')} = NULL WHERE {name.get('user_id', 'user_id')} = '{left['user_id']}'",
        f"ALTER TABLE submissions RENAME renamed TO {column}",
    )
    if then == "rollback":
        assert on(platform_db, "rollback", "--all", "--yes").code == 0
    alter(platform_db, "DELETE FROM org_members")
    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == others


@pytest.mark.slow
@on_school
def test_a_row_that_another_user_had_meanwhile_has_been_given_a_session_since(platform_db: PlatformDatabase) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    left, other = rows(
        platform_db, "SELECT id, user_id, session_id FROM submissions WHERE session_id IS NOT NULL LIMIT 2"
    )
    assert left["user_id"] != other["user_id"]
    platform_db.rollback()
    platform_db.apply(to="0005")
    alter(
        platform_db,
        f"UPDATE submissions SET user_id = '{other['user_id']}', course_id = s.course_id FROM sessions AS s"
        f" WHERE s.id = '{other['session_id']}' AND submissions.id = '{left['id']}'",
        f"UPDATE submissions SET session_id = '{other['session_id']}' WHERE id = '{left['id']}'",
        f"UPDATE submissions SET session_id = NULL WHERE id = '{left['id']}'",
        f"UPDATE submissions SET user_id = '{left['user_id']}', course_id = s.course_id FROM sessions AS s"
        f" WHERE s.id = '{left['session_id']}' AND submissions.id = '{left['id']}'",
        f"DELETE FROM org_members WHERE user_id = '{left['user_id']}'",
    )

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, f"SELECT session_id FROM submissions WHERE id = '{left['id']}'") == [{"session_id": None}]


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("then", ["apply", "rollback"])
def test_a_row_that_leaves_its_session_while_triggers_are_disabled_stays_out_of_it(
    platform_db: PlatformDatabase, then: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    assert on(platform_db, "backfill").code == 0
    query = "SELECT user_id, session_id FROM submissions WHERE session_id IS NOT NULL ORDER BY user_id"
    left, *others = rows(platform_db, query)
    platform_db.rollback(to="0005")
    alter(
        platform_db,
        "ALTER TABLE submissions DISABLE TRIGGER USER",
        f"UPDATE submissions SET session_id = NULL WHERE user_id = '{left['user_id']}'",
        "ALTER TABLE submissions ENABLE TRIGGER USER, ENABLE ALWAYS TRIGGER zzz_sessiondb_save",
        f"DELETE FROM org_members WHERE user_id = '{left['user_id']}'",
    )
    if then == "apply":
        refused = on(platform_db, "apply")
        assert (refused.code, "apply: sessiondb rollback --to 0004" in refused.err) == (1, True)
        assert on(platform_db, "rollback", "--to", "0004", "--yes").code == 0
    else:
        assert on(platform_db, "rollback", "--all", "--yes").code == 0

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == others


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("then", ["restored", "given up"])
@pytest.mark.parametrize(
    "gap",
    [
        "ALTER TABLE submissions DISABLE TRIGGER USER; ALTER TABLE submissions ENABLE TRIGGER USER",
        "ALTER TABLE submissions ADD copy uuid DEFAULT gen_random_uuid() UNIQUE; UPDATE submissions SET copy = id;"
        "ALTER TABLE submissions RENAME id TO old; ALTER TABLE submissions RENAME copy TO id",
        "ALTER TABLE submissions ADD copy uuid DEFAULT gen_random_uuid() UNIQUE; UPDATE submissions SET copy = id;"
        "ALTER TABLE submissions DROP COLUMN id CASCADE; ALTER TABLE submissions RENAME copy TO id",
    ],
    ids=["disabled triggers", "a key with the name of another column", "a copy of the key"],
)
def test_an_apply_that_cannot_know_which_rows_have_left_their_session_leaves_the_choice(
    platform_db: PlatformDatabase, gap: str, then: str
) -> None:
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    query = "SELECT user_id, session_id FROM submissions WHERE session_id IS NOT NULL"
    before = rows(platform_db, query)
    platform_db.rollback()
    platform_db.apply(to="0005")
    alter(platform_db, *gap.split(";"))

    refused = on(platform_db, "apply")

    assert (refused.code, "it is not known which rows" in refused.err) == (1, True)
    restore, give_up = re.findall("DROP (?:TRIGGER|TABLE) [^;,]+", refused.err[refused.err.rindex("hint:") :])
    alter(platform_db, restore if then == "restored" else give_up)
    assert on(platform_db, "apply").code == 0
    assert rows(platform_db, query) == (before if then == "restored" else [])


@pytest.mark.slow
@pytest.mark.parametrize("platform", [PLATFORMS["partitioned"]], indirect=True, ids=str)
@pytest.mark.parametrize("then", ["apply", "rollback"])
def test_a_partition_that_is_created_while_links_are_to_be_restored_costs_none(
    platform_db: PlatformDatabase, then: str
) -> None:
    assert on(platform_db, "apply").code == 0
    assert on(platform_db, "backfill").code == 0
    count = "SELECT count(*) AS n FROM public.submissions WHERE session_id IS NOT NULL"
    before = rows(platform_db, count)
    assert before[0]["n"] > 0
    platform_db.rollback()
    platform_db.apply(to="0005")
    alter(
        platform_db,
        "CREATE TABLE public.later PARTITION OF public.submissions FOR VALUES FROM ('2040-01-01') TO ('2041-01-01')",
    )
    if then == "rollback":
        platform_db.rollback()

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, count) == before


@pytest.mark.slow
@on_school
def test_a_key_of_several_values_one_of_which_is_null_is_noted(platform_db: PlatformDatabase) -> None:
    alter(
        platform_db,
        "CREATE TYPE pair AS (a int, b text)",
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD n int GENERATED ALWAYS AS IDENTITY, ADD k pair",
        "UPDATE submissions SET k = ROW(n, NULL)::pair",
        "ALTER TABLE submissions ALTER k SET DEFAULT ROW((random() * 1000000000)::int, NULL)::pair",
        "ALTER TABLE submissions ADD PRIMARY KEY (k)",
    )
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    assert on(platform_db, "backfill").code == 0
    query = f"SELECT n FROM submissions WHERE session_id = '{session}' ORDER BY n"
    left, *others = rows(platform_db, query)
    platform_db.rollback(to="0005")
    alter(platform_db, f"UPDATE submissions SET session_id = NULL WHERE n = {left['n']}")

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == others


@pytest.mark.slow
@on_school
def test_a_new_key_that_the_type_of_the_saved_ones_does_not_hold_costs_its_student_no_saved_link(
    platform_db: PlatformDatabase,
) -> None:
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD n int GENERATED BY DEFAULT AS IDENTITY, ADD PRIMARY KEY (n)",
    )
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    query = "SELECT n, session_id FROM submissions WHERE session_id IS NOT NULL AND n < 3000000000"
    before = rows(platform_db, query)
    assert before
    platform_db.rollback()
    alter(platform_db, "ALTER TABLE submissions ALTER n TYPE bigint")
    platform_db.apply(to="0005")
    alter(
        platform_db,
        "INSERT INTO submissions (n, user_id, course_id, session_id)"
        f" SELECT 3000000000, user_id, course_id, '{session}' FROM submissions WHERE n = {before[0]['n']}",
    )

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


@on_school
@pytest.mark.parametrize("during", ["apply", "rollback"])
@pytest.mark.parametrize("column", ["id", "user_id"])
def test_the_type_of_a_column_by_which_links_are_saved_stays_while_they_are(
    platform_db: PlatformDatabase, column: str, during: str
) -> None:
    """What was noted would be compared with other values, which could depend on a setting of the client."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback(to=None if during == "apply" else "0005")
    if during == "apply":
        platform_db.apply(to="0005")

    with pytest.raises(errors.FeatureNotSupported, match="zzz_sessiondb_save_columns") as refused:
        alter(platform_db, f"ALTER TABLE submissions ALTER {column} TYPE text")
    assert f'depends on column "{column}"' in str(refused.value)

    platform_db.apply()
    if column == "id":
        alter(platform_db, "ALTER TABLE submissions ALTER id TYPE text")


@on_school
@pytest.mark.parametrize("during", ["apply", "rollback"])
def test_a_column_of_the_key_may_be_dropped_while_links_are_saved(platform_db: PlatformDatabase, during: str) -> None:
    """DROP ... CASCADE drops the trigger that knows the names of the columns."""
    assert on(platform_db, "apply").code == 0
    fill(platform_db)
    platform_db.rollback(to=None if during == "apply" else "0005")
    if during == "apply":
        platform_db.apply(to="0005")
        alter(
            platform_db,
            "UPDATE submissions SET session_id = s.session_id FROM sessiondb.saved_links_of_submissions AS s WHERE s.id = submissions.id",
        )
    alter(
        platform_db,
        "ALTER TABLE submissions DROP COLUMN id CASCADE, ADD n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "UPDATE submissions SET content = 'x'",
        "DELETE FROM submissions WHERE session_id IS NULL",
    )
    query = "SELECT n, session_id FROM submissions WHERE session_id IS NOT NULL"
    before = rows(platform_db, query)
    assert before
    refused = on(platform_db, "apply")
    assert (refused.code, "DROP TABLE sessiondb.saved_links_of_submissions" in refused.err) == (5, True)
    alter(platform_db, "DROP TABLE sessiondb.saved_links_of_submissions")
    if during == "rollback":
        run = on(platform_db, "rollback", "--to", "0004", "--yes")
        assert run.code == 0, run.err[-1500:]

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


@pytest.mark.slow
@on_school
@pytest.mark.parametrize("others", ["a time on the same day", "no key"])
def test_a_new_row_with_a_key_that_no_saved_link_can_have_costs_its_student_none(
    platform_db: PlatformDatabase, others: str
) -> None:
    """The key is a timestamp, and was a date; or the table has another one by now, and this may be NULL."""
    alter(
        platform_db,
        "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey,"
        " ADD day date DEFAULT '2026-01-01'::date + (random() * 9000)::int NOT NULL, ADD PRIMARY KEY (day)",
    )
    assert on(platform_db, "apply").code == 0
    session = fill(platform_db).session
    query = "SELECT id, session_id FROM submissions WHERE session_id IS NOT NULL AND content IS DISTINCT FROM 'other'"
    before = rows(platform_db, query)
    assert before
    platform_db.rollback()
    if others == "no key":
        alter(
            platform_db,
            "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey, ADD PRIMARY KEY (id), ALTER day DROP NOT NULL",
        )
    else:
        alter(platform_db, "ALTER TABLE submissions ALTER day TYPE timestamp")
    platform_db.apply(to="0005")
    day = "NULL" if others == "no key" else "day + interval '1 hour'"
    alter(
        platform_db,
        "INSERT INTO submissions (id, day, user_id, course_id, session_id, content)"
        f" SELECT gen_random_uuid(), {day}, user_id, course_id, '{session}', 'other' FROM submissions WHERE id = '{before[0]['id']}'",
    )

    assert on(platform_db, "apply").code == 0

    assert rows(platform_db, query) == before


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_writer_of_a_row_is_distinguished_from_one_whose_number_comes_again(installed_db: PlatformDatabase) -> None:
    """A frozen row keeps its xmin, and 2^31 transactions later that is one which PostgreSQL has not given out."""
    with installed_db.connect(autocommit=False) as connection:
        asked = "SELECT sessiondb.is_of_this_transaction(%s::text::xid)"
        for xid, is_ours in (
            ("SELECT pg_current_xact_id()::text", True),
            ("SELECT ((pg_current_xact_id()::text::bigint + 1000000) & 4294967295)::text", False),
            ("SELECT ((pg_current_xact_id()::text::bigint + 3000000000) & 4294967295)::text", False),
            ("SELECT xmin::text FROM pg_database LIMIT 1", False),
            ("SELECT '2'", False),
        ):
            ((number,),) = connection.execute(xid.encode()).fetchall()
            assert connection.execute(asked, [number]).fetchone() == (is_ours,), xid
        with connection.transaction():
            connection.execute("CREATE TABLE mine AS SELECT 1 AS a")
            assert connection.execute("SELECT sessiondb.is_of_this_transaction(xmin) FROM mine").fetchone() == (True,)
