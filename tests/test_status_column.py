"""What a platform may do to sessions.status after apply: nothing of it makes an INSERT or a command fail."""

from __future__ import annotations

import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_cli import on, rows
from test_found_objects import by_hand

INDEX = "sessions_active_org_id_course_id_idx"
DEFINED = f"SELECT pg_get_indexdef(indexrelid) AS made FROM pg_index WHERE indexrelid = '{INDEX}'::regclass"

UNLISTED = {
    "label renamed": (
        PLATFORMS["school"],
        "ALTER TYPE session_status RENAME VALUE 'active' TO 'open'",
        "Restore its name: ",
    ),
    "CHECK without active": (
        PLATFORMS["reference"],
        "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check; UPDATE sessions SET status = 'open';"
        "ALTER TABLE sessions ADD CONSTRAINT known_status CHECK (status IN ('draft', 'open'))",
        "Only sessions with that status are chosen, so add it: ",
    ),
}


@pytest.mark.like_cases(one_in=2)
@pytest.mark.parametrize(
    ("platform", "change", "before_fix"), [*UNLISTED.values()], indirect=["platform"], ids=[*UNLISTED]
)
def test_where_no_session_can_be_active_rows_are_stored_and_check_and_status_say_why_none_is_linked(
    installed_db: PlatformDatabase, change: str, before_fix: str
) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        first, late, last = (platform.add_member(connection, org, platform.add_user(connection)) for _ in range(3))
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, first, course) == session
    by_hand(installed_db, change)

    with installed_db.connect() as connection:
        assert platform.enroll(connection, late, course) is None
        assert platform.submit(connection, late, course) is None
    checked = on(installed_db, "check", "--format", "json")
    assert checked.code == 4
    (found,) = (f for f in checked.json["findings"] if f["level"] == "error")
    assert found["check"] == "active_status"
    status = on(installed_db, "status", "--exit-code")
    assert (status.code, found["detail"].rstrip(".") in " ".join(status.out.split())) == (3, True), status
    explained = on(installed_db, "explain", "--user", str(late), "--course", str(course), "--format", "json")
    assert explained.json["reason"] == "no_active_session"
    for command in (
        "show sessions",
        "show submissions --unlinked",
        "session list",
        "course list",
        "org list",
        "backfill",
        "apply",
    ):
        assert on(installed_db, *command.split()).code == 0
    assert on(installed_db, "session", "set-status", str(session), "open").code == 0
    unlinked = on(installed_db, "check", "unlinked_rows", "--format", "json").json["findings"]
    (of_words,) = {f["detail"].partition(". ")[2] for f in unlinked if "(no_active_session)" in f["detail"]}
    assert of_words == "Only active sessions are chosen, but the status of each is another: open."
    refused = on(installed_db, "session", "set-status", str(session), "active")
    assert (refused.code, "See: sessiondb check active_status" in refused.err) == (1, True), refused

    assert status.out.endswith(f"Next: {found['fix']};\n")
    applied = on(installed_db, "apply").out
    assert found["detail"] in " ".join(applied.split())
    assert applied.endswith("Next: sessiondb check\n")
    by_hand(installed_db, found["fix"].removeprefix(before_fix))
    assert on(installed_db, "session", "set-status", str(session), "active").code == 0
    with installed_db.connect() as connection:
        assert platform.enroll(connection, last, course) == session
    assert on(installed_db, "status", "--exit-code").code == 0
    assert on(installed_db, "backfill").code == 0
    assert on(installed_db, "check").code == 0


CHANGES = {
    "enum to text": (PLATFORMS["school"], "TYPE text USING status::text"),
    "enum to another enum": (PLATFORMS["school"], "TYPE state USING status::text::state"),
    "enum to varchar": (PLATFORMS["school"], "TYPE varchar(20) USING status::text"),
    "text to varchar": (PLATFORMS["reference"], "TYPE varchar(20)"),
    "text to enum": (PLATFORMS["reference"], "TYPE state USING status::state"),
}


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_if_the_platform_has_another_word_for_active_check_names_it_and_its_fix_links_the_rows(
    installed_db: PlatformDatabase,
) -> None:
    by_hand(installed_db, "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check")
    with installed_db.connect() as connection:
        platform = installed_db.platform
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course, "actif")
        assert platform.enroll(connection, user, course) is None

    (found,) = (
        f
        for f in on(installed_db, "check", "unlinked_rows", "--format", "json").json["findings"]
        if "(no_active_session)" in f["detail"]
    )
    assert found["detail"].endswith("the status of each is another: actif.")
    fix = found["fix"].splitlines()[-1]
    assert fix.startswith("If one of these means active, with it for STATUS: UPDATE ")
    by_hand(installed_db, fix.partition(": ")[2].replace("STATUS", "actif"))
    assert on(installed_db, "backfill").code == 0
    assert rows(installed_db, f"SELECT session_id::text AS it FROM enrollments WHERE user_id = '{user}'") == [
        {"it": str(session)}
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("platform", "change"), [*CHANGES.values()], indirect=["platform"], ids=[*CHANGES])
def test_the_platform_may_change_the_type_of_status(installed_db: PlatformDatabase, change: str) -> None:
    platform = installed_db.platform
    by_hand(installed_db, "CREATE TYPE state AS ENUM ('draft', 'active', 'completed')")
    if platform.name == "reference":
        by_hand(installed_db, "ALTER TABLE sessions DROP CONSTRAINT sessions_status_check")
    by_hand(installed_db, f"ALTER TABLE sessions ALTER status DROP DEFAULT, ALTER status {change}")

    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        assert platform.enroll(connection, user, course) == session
        assert platform.submit(connection, user, course) == session

    assert on(installed_db, "status", "--exit-code").code == 0
    checked = on(installed_db, "check")
    assert checked.code == 0, checked
    assert on(installed_db, "rollback", "--all", "--yes").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["school"]], indirect=True, ids=str)
def test_a_label_of_the_enum_may_hold_a_comma(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    by_hand(installed_db, "ALTER TYPE session_status ADD VALUE 'done, archived'")
    with installed_db.connect() as connection:
        session = str(platform.add_session(connection, platform.add_org(connection), platform.add_course(connection)))

    changed = on(installed_db, "session", "set-status", session, "done, archived")

    assert changed.code == 0, changed.err
    refused = on(installed_db, "session", "set-status", session, "archived")
    assert "The platform knows: draft, active, completed, done, archived" in refused.err


@pytest.mark.parametrize("platform", [PLATFORMS["school"], PLATFORMS["reference"]], indirect=True, ids=str)
def test_an_index_of_0_1_0_that_keeps_the_type_of_status_is_replaced(installed_db: PlatformDatabase) -> None:
    before = rows(installed_db, DEFINED)
    by_hand(
        installed_db,
        f"DROP INDEX {INDEX}",
        f"CREATE INDEX {INDEX} ON sessions (org_id, course_id, created_at DESC NULLS LAST, id DESC) WHERE status = 'active'",
        f"COMMENT ON INDEX {INDEX} IS 'The newest active session of an organisation in a course (sessiondb)'",
    )
    assert on(installed_db, "status", "--exit-code").code == 3

    assert on(installed_db, "apply").code == 0
    assert rows(installed_db, DEFINED) == before
    assert on(installed_db, "status", "--exit-code").code == 0
    assert on(installed_db, "check").code == 0


@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_newer_sessions_that_are_not_active_are_not_read(installed_db: PlatformDatabase) -> None:
    platform = installed_db.platform
    with installed_db.connect() as connection:
        org, course = platform.add_org(connection), platform.add_course(connection)
        user = platform.add_member(connection, org, platform.add_user(connection))
        session = platform.add_session(connection, org, course)
        connection.execute(
            "INSERT INTO sessions (org_id, course_id, title, status, created_at)"
            " SELECT org_id, course_id, title, 'completed', created_at + n * interval '1 day'"
            "   FROM sessions CROSS JOIN generate_series(1, 3000) AS n WHERE id = %s",
            [session],
        )
        connection.execute("ANALYZE sessions")
        with connection.transaction():
            assert platform.enroll(connection, user, course) == session
            read = connection.execute("SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'sessions'")
            assert read.fetchall()[0][0] < 10
