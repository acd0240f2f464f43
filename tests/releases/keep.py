"""Keep two databases of a release, for later versions to bring to theirs: ``python -m releases.keep BINDIR`` in tests/.

BINDIR is that of the oldest server that CI has, with pg_dump. Each database holds students who were linked when the
release was made, and students who were there before the session and are not linked yet; their e-mail addresses say it.

reference    with a trigger of the platform's that was adopted, and a backfill that was stopped half-way
partitioned  rolled back to where submissions have no session_id, with their links saved
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psycopg
from platforms import PLATFORMS

from sessiondb import __version__
from sessiondb.embedded import ephemeral_server

OWN_TRIGGER = (
    "ALTER TABLE enrollments ADD COLUMN session_id uuid",
    "CREATE FUNCTION own_link() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN NEW.session_id := (SELECT s.id FROM sessions AS s WHERE s.course_id = NEW.course_id LIMIT 1);"
    " RETURN NEW; END'",
    "CREATE TRIGGER own_link BEFORE INSERT ON enrollments FOR EACH ROW EXECUTE FUNCTION own_link()",
)
"""What a platform has that did the job by itself."""


def keep(name: str, dsn: str, bindir: Path) -> str:
    """Return the dump of a database in which this version did its work on a platform."""

    def sessiondb(*arguments: str, codes: tuple[int, ...] = (0,)) -> None:
        code = subprocess.run([sys.executable, "-m", "sessiondb", "-d", dsn, *arguments], check=False).returncode
        assert code in codes, (arguments, code)

    platform = PLATFORMS[name]
    with psycopg.connect(dsn, autocommit=True) as connection:
        platform.load(connection)
        for statement in OWN_TRIGGER if name == "reference" else ():
            connection.execute(statement)
        org, course = platform.add_org(connection), platform.add_course(connection)

        def students(kind: str) -> None:
            for _ in range(3):
                user = platform.add_member(connection, org, platform.add_user(connection))
                connection.execute("UPDATE users SET email = %s || '-' || email WHERE id = %s", [kind, user])
                platform.enroll(connection, user, course)
                platform.submit(connection, user, course)

        students("old")
        sessiondb("apply", *["--adopt"] * (name == "reference"))
        platform.add_session(connection, org, course)
        students("linked")
        if name == "reference":
            sessiondb("backfill", "--max-runtime", "0", codes=(7,))
            connection.execute("CALL sessiondb.begin_backfill(NULL)")
            connection.execute("SELECT sessiondb.backfill_step(1000)")
        else:
            sessiondb("rollback", "--to", "0002", "--yes")
    dump = subprocess.run(
        [bindir / "pg_dump", "--inserts", "--dbname", dsn], capture_output=True, text=True, check=True
    ).stdout
    # Debian's PostgreSQL 15 has an option of columns that no other server knows
    dump = re.sub(r"^ALTER TABLE .*pg_attver.*\n", "", dump, flags=re.MULTILINE)
    # what pg_dump writes between statements; single empty lines of a body stay, or status would call it changed by hand
    return re.sub(r"^(\n\n+|\n*(--\n-- .*\n--|-- Dumped .*|\\(un)?restrict .*)\n+)", "", dump, flags=re.MULTILINE)


def main(bindir: str) -> None:
    with ephemeral_server(Path(bindir)) as server:
        for name in ("reference", "partitioned"):
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            text = keep(name, server.dsn(name), Path(bindir))
            Path(__file__).with_name(f"{__version__}-{name}.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
