"""Databases that a release has left behind, kept as dumps by releases/keep.py, become as a fresh install by ``apply``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Cluster, PlatformDatabase
from platforms import PLATFORMS
from releases.keep import OWN_TRIGGER
from test_checks import check
from test_cli import on
from test_half_installed import run
from test_upgrade import installed

from sessiondb import __version__, resources
from sessiondb.ledger import read_migrations

RELEASES = sorted(Path(__file__).with_name("releases").glob("*.sql"))

FROZEN = {
    "0001": "2b9b6ed5d031fce224ec9ba57f21a36fc88cfb8998855381d050c586838c2e7b",
    "0002": "317590a6cbae74c65323e200a8b180e2d26782f0ccf0a8fc09e1dbb14734ea2a",
    "0003": "448253ad1a177bcf502abfac0c082c75b3ca6adfc9ba721ea1a6a4c50ac2bf08",
    "0004": "e960e7ec5917591759c286466609f365476a223533e47f24c1bc0afef18f7dfe",
    "0005": "6d9a454d1cd78614e6578e0093eb3db96a430e81282ed9b8548ee3046d5984a6",
    "0006": "7e635c6711ebea998a33b401f607f8c346efaf1d0c1f2abcc758a60f52d60d0d",
    "0007": "c3d852f7c13456137d33878c8bdf4e57c635abffa55f610eb2ce86d68b9cf3e5",
    "0008": "199bbdaa962ae0e71de3dbbf7deba53f19e9e466887a43ddef39c1da896c2983",
    "0009": "37401b0a46737a45cf73d2663aafd709479a7169c843c30280eeff31913f9599",
}
"""The hashes of the migrations that are released: what they say was done, and is not done again."""


def test_a_migration_that_is_released_says_what_it_said() -> None:
    said = {m.id[:4]: m.sha256 for m in read_migrations(resources.MIGRATIONS)}

    assert {id_: said.get(id_) for id_ in FROZEN} == FROZEN


@pytest.fixture(params=RELEASES, ids=lambda path: path.stem)
def left_behind(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[PlatformDatabase]:
    with cluster.new_database(PLATFORMS[request.param.stem.rsplit("-", 1)[1]]) as database:
        with database.connect() as connection:
            connection.execute(request.param.read_bytes())
        yield database


def linked(db: PlatformDatabase) -> dict[str, int]:
    """How many rows have a session, by what the address of their user begins with and the table."""
    with db.connect() as connection:
        rows = connection.execute(
            "SELECT split_part(u.email, '-', 1) || ' ' || r.name, count(r.session_id) FROM users AS u"
            "  JOIN (SELECT 'enrollments' AS name, user_id, session_id FROM enrollments UNION ALL"
            "        SELECT 'submissions', user_id, session_id FROM submissions) AS r ON r.user_id = u.id"
            " WHERE u.email ~ '^(old|linked)-' GROUP BY 1"
        )
        return dict(rows.fetchall())


def named(schema: str) -> str:
    """A schema without the names of NOT NULL, which PostgreSQL 18 gives and older ones do not know."""
    return re.sub(r"CONSTRAINT \w+_not_null ", "", schema)


@pytest.mark.slow
def test_a_database_of_a_release_becomes_as_a_fresh_install_by_apply(
    cluster: Cluster, left_behind: PlatformDatabase, dump: Callable[..., str]
) -> None:
    platform = left_behind.platform
    is_adopted = ["--adopt"] * (platform.name == "reference")
    with cluster.clone(platform, installed=False) as db:
        with db.connect() as connection:
            for statement in OWN_TRIGGER if is_adopted else ():
                connection.execute(statement)
        assert on(db, "apply", *is_adopted).code == 0
        fresh = installed(db, dump)

    status = " ".join(on(left_behind, "status").out.split())
    assert ("CHANGED" in status, f"Version 0.1.0 is installed, and apply upgrades it to {__version__}: " in status) == (
        False,
        True,
    )
    applied = on(left_behind, "apply")

    assert applied.code == 0, applied
    assert named(installed(left_behind, dump)) == named(fresh)
    assert check(left_behind) == []
    assert on(left_behind, "status", "--exit-code").code == 0
    before = linked(left_behind)
    assert {name: count for name, count in before.items() if name.startswith("linked")} == {
        "linked enrollments": 3,
        "linked submissions": 3,
    }
    assert on(left_behind, "backfill").code == 0
    assert set(linked(left_behind).values()) == {3}
    assert on(left_behind, "rollback", "--all", "--yes").code == 0


def test_what_a_release_left_half_applied_is_continued_with_the_functions_of_this_version(
    left_behind: PlatformDatabase,
) -> None:
    """Not with its own until the end: what the triggers of 0002 call decides which sessions are taken."""
    with left_behind.connect() as connection:
        for id_ in ("0009", "0008", "0007", "0006", "0005", "0004"):
            connection.execute("DELETE FROM sessiondb._yoyo_migration WHERE migration_id ~ %s", [f"^{id_}"])
        seen: list[str] = []

        def at(migration: str, point: str) -> None:
            if point == "committed" and migration.startswith("0004"):
                seen.extend(
                    source
                    for (source,) in connection.execute(
                        "SELECT prosrc FROM pg_proc WHERE oid = 'sessiondb.check_session()'::regprocedure"
                    )
                )

        run(left_behind, "apply", at)
    assert seen
    assert all("key_is_to_come" in source for source in seen)


INDEX = "sessions_active_org_id_course_id_idx"

PARTITION = f"""
DROP INDEX {INDEX};
ALTER TABLE enrollments DROP CONSTRAINT enrollments_session_id_fkey;
ALTER TABLE submissions DROP CONSTRAINT submissions_session_id_fkey;
ALTER TABLE sessions RENAME TO whole;
CREATE TABLE sessions (LIKE whole INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE sessions_0 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sessions_1 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO sessions SELECT * FROM whole;
DROP TABLE whole;
ALTER TABLE enrollments ADD CONSTRAINT enrollments_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES sessions ON DELETE SET NULL;
ALTER TABLE submissions ADD CONSTRAINT submissions_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES sessions ON DELETE SET NULL;
CREATE INDEX {INDEX} ON ONLY sessions (org_id, course_id, created_at DESC NULLS LAST, id DESC) WHERE status = 'active';
DO $$
DECLARE
    v_part text;
    v_index text;
BEGIN
    FOREACH v_part IN ARRAY '{{sessions_0, sessions_1}}'::text[] LOOP
        v_index := format('%s_%s_idx', v_part, left(md5('{INDEX}' || v_part), 8));
        EXECUTE format('CREATE INDEX %I ON %I (org_id, course_id, created_at DESC NULLS LAST, id DESC)'
                       ' WHERE status = ''active''', v_index, v_part);
        EXECUTE format('ALTER INDEX {INDEX} ATTACH PARTITION %I', v_index);
    END LOOP;
END $$;
"""
"""Sessions in partitions, with the index that 0.1.0 created on such a table, except for its comment."""

COMMENTED = f"COMMENT ON INDEX {INDEX} IS 'The newest active session of an organisation in a course (sessiondb)'"


@pytest.mark.slow
@pytest.mark.like_cases
@pytest.mark.parametrize(
    "changes",
    [(), (PARTITION,), (PARTITION, COMMENTED), ("DROP SCHEMA sessiondb CASCADE",)],
    ids=["plain", "partitions", "partitions with comments", "no record"],
)
def test_the_index_of_0_1_0_is_replaced_and_leaves_with_us_though_the_comments_are_lost(
    cluster: Cluster, changes: tuple[str, ...]
) -> None:
    dumped = next(path for path in RELEASES if path.stem == "0.1.0-reference").read_text()
    ours = "SELECT indexdef FROM pg_indexes WHERE tablename ~ '^sessions(_[01])?$' AND indexdef LIKE '%org_id, course_id,%'"
    with cluster.new_database(PLATFORMS["reference"]) as db:
        with db.connect() as connection:
            connection.execute(re.sub("(?m)^COMMENT ON .*$", "", dumped).encode())
            connection.execute("SET search_path TO public")
            for change in changes:
                connection.execute(change.encode())
            count = len(connection.execute(ours).fetchall())

        applied = on(db, "apply", *["--adopt"] * ("DROP SCHEMA" in "".join(changes)))

        assert applied.code == 0, applied
        with db.connect() as connection:
            made = [definition for (definition,) in connection.execute(ours)]
        assert len(made) == count
        assert not [definition for definition in made if " WHERE " in definition]
        assert check(db) == []
        assert on(db, "status", "--exit-code").code == 0
        assert on(db, "rollback", "--all", "--yes").code == 0
        with db.connect() as connection:
            assert connection.execute(ours).fetchall() == []
