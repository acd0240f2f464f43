"""In every SQL text of ours each name is bound by the text, or looked up where no other role can make anything.

What the two kinds of text are, and what holds for each: sqltext.py. Where a text is not what the file says, as it is put
together for a platform, the statements that the commands send are looked at, each under the path that it is sent under.
"""

from __future__ import annotations

import functools
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from psycopg import sql
from sqlnames import NEEDLESS_PREFIX, OUR_PATH, REQUIRED_COLUMNS, Lint, lint
from sqltext import ROOT, SOURCES, Kind, Text, for_psql, texts, without_placeholders
from test_cli import ADA, CHLOE, SQL

from sessiondb import plan, resources
from sessiondb.cli import cli
from sessiondb.commands import Options
from sessiondb.database import Choices


@pytest.fixture(scope="session")
def all_texts() -> list[Text]:
    return [*texts()]


@pytest.fixture(scope="session")
def found(all_texts: list[Text]) -> Lint:
    return lint(iter(all_texts))


def test_all_sql_is_looked_at(all_texts: list[Text], found: Lint) -> None:
    """Each file with SQL, the strings of the modules, and what functions put together."""
    files = {str(path.relative_to(ROOT)) for folder in ("sql", "migrations") for path in (ROOT / folder).rglob("*.sql")}
    packaged = {"sql/platforms/reference.sql"}
    assert files - {text.file for text in all_texts} - packaged == set()
    modules = {Path(text.file).name for text in all_texts if text.file.endswith(".py")}
    assert modules >= {"backfill.py", "database.py", "installation.py", "ledger.py", "locks.py", "plan.py"}
    assert SOURCES.is_dir()
    assert found.parsed > 2 * len(all_texts)
    assert found.unparsed == []


@pytest.mark.parametrize("kind", ["A", "B"])
def test_no_name_breaks_the_rule_of_its_text(found: Lint, kind: Kind) -> None:
    """A: nothing without its schema. B: no relation of the platform, and nothing with a needless prefix."""
    violations = [str(violation) for violation in sorted(found.violations) if violation.kind == kind]
    assert violations == [], "\n".join(["", *violations])


# that the test would see it

FUNCTION = "CREATE FUNCTION sessiondb.f() RETURNS trigger LANGUAGE plpgsql {} AS $$ {} $$"
DIFFERENT = "SET search_path = pg_catalog, pg_temp"
WRONG: dict[str, tuple[Kind, str]] = {
    "relation": ("A", "SELECT FROM sessions AS s"),
    "relation in a sub-query": ("A", "SELECT EXISTS (SELECT FROM sessions AS s)"),
    "function": ("A", "SELECT count(*)"),
    "type": ("A", "SELECT NULL::uuid"),
    "type of an array": ("A", "SELECT NULL::text[]"),
    "operator": ("A", "SELECT 1 = 2"),
    "operator with ANY": ("A", "SELECT 1 = ANY (ARRAY[1])"),
    "operator between rows": ("A", "SELECT (1, 2) = (3, 4)"),
    "IN": ("A", "SELECT 1 IN (2, 3)"),
    "IN a query": ("A", "SELECT 1 IN (SELECT 2)"),
    "NOT IN a query": ("A", "SELECT 1 NOT IN (SELECT 2)"),
    "IS DISTINCT FROM": ("A", "SELECT 1 IS DISTINCT FROM 2"),
    "NULLIF": ("A", "SELECT NULLIF(1, 2)"),
    "CASE": ("A", "SELECT CASE 1 WHEN 2 THEN 3 END"),
    "BETWEEN": ("A", "SELECT 1 BETWEEN 2 AND 3"),
    "LIKE": ("A", "SELECT 'a' LIKE 'b'"),
    "USING": ("A", "SELECT FROM platform.sessions AS s JOIN platform.courses AS c USING (id)"),
    "ORDER BY USING": ("A", "SELECT s.id FROM platform.sessions AS s ORDER BY s.id USING <"),
    "collation": ("A", "SELECT 'a' COLLATE \"C\""),
    "operator class": ("A", "CREATE INDEX i ON platform.sessions (id uuid_ops)"),
    "name in a string": ("A", "SELECT 'sessions'::pg_catalog.regclass"),
    "column that may be a function": ("A", "SELECT s.title FROM platform.sessions AS s"),
    "WHEN of a trigger": (
        "A",
        "CREATE TRIGGER t BEFORE INSERT ON platform.sessions FOR EACH ROW WHEN (NEW.id = OLD.id)"
        " EXECUTE FUNCTION sessiondb.f()",
    ),
    "trigger function": ("A", "CREATE TRIGGER t BEFORE INSERT ON platform.sessions EXECUTE FUNCTION f()"),
    "dropped table": ("A", "DROP TABLE sessions"),
    "declared type": ("A", FUNCTION.format("", "DECLARE v uuid; BEGIN END")),
    "declared default": ("A", FUNCTION.format("", "DECLARE v pg_catalog.text := lower('A'); BEGIN END")),
    "expression in PL/pgSQL": ("A", FUNCTION.format("", "BEGIN IF 1 = 2 THEN RETURN NULL; END IF; END")),
    "ELSIF": ("A", FUNCTION.format("", "BEGIN IF true THEN NULL; ELSIF 1 = 2 THEN RETURN NULL; END IF; END")),
    "assignment": ("A", FUNCTION.format("", "BEGIN NEW.id := 1 + 2; END")),
    "RAISE": ("A", FUNCTION.format("", "BEGIN RAISE NOTICE '%', 'a' || 'b'; END")),
    "handler": ("A", FUNCTION.format("", "BEGIN NULL; EXCEPTION WHEN OTHERS THEN PERFORM now(); END")),
    "dynamic SQL": (
        "A",
        FUNCTION.format("", "BEGIN EXECUTE pg_catalog.format('DELETE FROM %s WHERE ctid = $1', 'a'); END"),
    ),
    "dynamic SQL in a variable": (
        "A",
        FUNCTION.format("", "DECLARE v pg_catalog.text := 'SELECT now()'; BEGIN EXECUTE v; END"),
    ),
    "after the path is let go": (
        "B",
        FUNCTION.format(DIFFERENT, "BEGIN SET LOCAL search_path TO DEFAULT; PERFORM now(); END"),
    ),
    "pinned in one branch alone": (
        "A",
        FUNCTION.format(
            "", "BEGIN IF true THEN SET LOCAL search_path TO pg_catalog, pg_temp; END IF; PERFORM now(); END"
        ),
    ),
    "pinned in the first turn alone": (
        "A",
        FUNCTION.format(
            "", "BEGIN SET LOCAL search_path TO pg_catalog, pg_temp; LOOP PERFORM now(); COMMIT; END LOOP; END"
        ),
    ),
    "platform's relation in B": ("B", "SELECT FROM platform.sessions AS s"),
    "relation without schema in B": ("B", "SELECT FROM sessions AS s"),
    "prefix of a relation in B": ("B", "SELECT FROM pg_catalog.pg_class AS c"),
    "prefix of a function in B": ("B", "SELECT pg_catalog.now()"),
    "prefix of a type in B": ("B", "SELECT NULL::pg_catalog.uuid"),
    "prefix of an operator in B": ("B", "SELECT 1 OPERATOR(pg_catalog.=) 2"),
    "platform's relation in a body of B": (
        "B",
        FUNCTION.format(DIFFERENT, "BEGIN PERFORM FROM platform.sessions AS s; END"),
    ),
    "platform's relation in dynamic SQL of B": (
        "B",
        FUNCTION.format(DIFFERENT, "BEGIN EXECUTE format('ALTER TABLE %s DISABLE TRIGGER t', 'a'); END"),
    ),
}
RIGHT: dict[str, tuple[Kind, str]] = {
    "all with schemas": (
        "A",
        "SELECT pg_catalog.count(*) FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) $1"
        " AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY['a']) GROUP BY s.org_id ORDER BY s.org_id DESC",
    ),
    "what the grammar binds": (
        "A",
        "SELECT coalesce(NULL::integer, EXTRACT(epoch FROM $1)::bigint), 1::boolean, ''::varchar(3), current_user",
    ),
    "WITH": ("A", "WITH a AS (SELECT 1 AS x) SELECT a.x FROM a"),
    "lock": ("A", "SELECT s.id FROM platform.sessions AS s FOR KEY SHARE OF s"),
    "ON CONFLICT": ("A", "INSERT INTO sessiondb.objects (kind) VALUES ('a') ON CONFLICT (kind) DO NOTHING"),
    "plain": (
        "B",
        "SELECT count(*), NULL::uuid FROM pg_class AS c JOIN sessiondb.objects AS o ON o.name = c.relname"
        " WHERE c.relkind IN ('r', 'p') AND c.oid IS DISTINCT FROM to_regclass('sessiondb.objects')",
    ),
    "pinned by itself": (
        "A",
        FUNCTION.format(
            "",
            "BEGIN LOOP PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true); PERFORM now();"
            " SET LOCAL search_path TO DEFAULT; COMMIT; END LOOP; END",
        ),
    ),
    "let go and pinned again": (
        "B",
        FUNCTION.format(
            DIFFERENT,
            "BEGIN SET LOCAL search_path TO DEFAULT; EXECUTE v; SET LOCAL search_path TO pg_catalog, pg_temp;"
            " PERFORM now(); END",
        ),
    ),
    "undone by the handler": (
        "B",
        FUNCTION.format(
            DIFFERENT,
            "BEGIN BEGIN SET LOCAL search_path TO DEFAULT; EXECUTE v; SET LOCAL search_path TO pg_catalog, pg_temp;"
            " EXCEPTION WHEN OTHERS THEN PERFORM now(); END; PERFORM now(); END",
        ),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_text_is_found(what: str) -> None:
    kind, text = WRONG[what]
    looked = lint(iter([Text("wrong.sql", 1, text, kind)]))
    assert looked.unparsed == []
    assert len(looked.violations) >= 1


@pytest.mark.parametrize("what", RIGHT)
def test_a_right_text_is_let_pass(what: str) -> None:
    kind, text = RIGHT[what]
    looked = lint(iter([Text("right.sql", 1, text, kind)]))
    assert (looked.unparsed, looked.violations) == ([], set())


def test_a_violation_names_its_line() -> None:
    body = FUNCTION.format("", "\nDECLARE\n    v uuid;\nBEGIN\n    RETURN\n        now();\nEND\n").replace(
        "$$ \n", "$$\n"
    )
    looked = lint(iter([Text("lines.sql", 1, f"\n\n{body}", "A")]))
    assert [(v.line, v.name) for v in sorted(looked.violations)] == [(5, "uuid"), (8, "now")]


# what is sent

LIFE = f"""
plan
apply
status
org create --name Nord --slug nord
member add --org nord --user {CHLOE}
session create --org nord --course {SQL} --by {ADA}
session list
explain --user {CHLOE} --course {SQL}
show sessions
show enrollments
show submissions --unlinked
backfill --dry-run
backfill
check
rollback --all --yes
apply
check
""".strip().splitlines()

NOT_FOUND = ("member add --org nord --user nobody@example.org", "member list --org nobody")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The statements that are sent while the test runs, each with the search_path that it is sent under."""
    statements: list[tuple[str, str]] = []

    def listening(execute: Any) -> Any:
        @functools.wraps(execute)
        def listened(self: psycopg.Cursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
            text = query.as_string(self) if isinstance(query, sql.Composable) else query
            text = text.decode() if isinstance(text, bytes) else str(text)
            if arguments and arguments[0] is not None:
                text = without_placeholders(text)
            statements.append((text, self.connection.info.parameter_status("search_path") or ""))
            return execute(self, query, *arguments, **options)

        return listened

    for kind in (psycopg.Cursor, psycopg.ServerCursor):
        monkeypatch.setattr(kind, "execute", listening(kind.execute))
    return statements


@pytest.mark.slow
@pytest.mark.parametrize(
    "platform", [PLATFORMS["hosted"], PLATFORMS["partitioned"], PLATFORMS["quoted"]], indirect=True, ids=str
)
def test_what_is_sent_is_of_the_kind_that_its_path_asks_for(
    platform_db: PlatformDatabase, sent: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_db.connect() as connection:
        if connection.info.server_version < 180000:
            pytest.skip("the server reports search_path only from PostgreSQL 18 on")
        # here the platform's columns are known, and the course path may name any of them
        columns = connection.execute(
            "SELECT table_name::text, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = %s GROUP BY table_name",
            [platform_db.platform.schema],
        ).fetchall()
    for table, names in columns:
        if table in REQUIRED_COLUMNS:
            monkeypatch.setitem(REQUIRED_COLUMNS, table, REQUIRED_COLUMNS[table] | set(names))
    looked = Lint()
    for command in [*LIFE, *NOT_FOUND]:
        del sent[:]
        arguments = ["-d", platform_db.conninfo(platform_db.platform.owner), "--schema", platform_db.platform.schema]
        with pytest.raises(Exception, match="nobody") if command in NOT_FOUND else nullcontext():
            cli.main([*arguments, *command.split()], standalone_mode=False, obj=Options())  # in this very process
        for statement, path in {*sent}:
            kind: Kind = "B" if path.split(", ") == OUR_PATH else "A"
            said = " ".join(statement.split())[:100]
            looked.look(Text(f'{command}, under {path}: "{said}"', 1, statement, kind))
    assert looked.parsed > 300
    # what carries its schemas may be sent under our path, too; columns on the way to the course are looked up before
    wrong = [str(v) for v in sorted(looked.violations) if v.rule != NEEDLESS_PREFIX and not v.rule.startswith("calls ")]
    assert (looked.unparsed, wrong) == ([], []), "\n".join(["", *looked.unparsed, *wrong])


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["public", PLATFORMS["quoted"].schema])
def test_the_script_for_psql_sets_the_path_that_each_of_its_statements_asks_for(schema: str) -> None:
    script = "\n".join(plan.script(schema, Choices(adopt=True), 1))
    looked = Lint()
    looked.look(Text("plan --sql", 1, for_psql(script), "A"))
    assert looked.parsed > 100
    wrong = [str(v) for v in sorted(looked.violations) if v.rule != NEEDLESS_PREFIX]
    assert (looked.unparsed, wrong) == ([], []), "\n".join(["", *looked.unparsed, *wrong])


def joined(text: str) -> str:
    """Return SQL with each literal that goes on in the next line on one, but for those with several lines of their own."""
    return re.sub(r"(?<!\\n)'\s*\n\s*'", "", text)


def test_a_statement_that_is_printed_leaves_no_operator_to_the_path_of_whoever_pastes_it() -> None:
    """The role that may create objects in the platform's schema could have made one that fits better than ``=``."""
    looked_at = 0
    for folder in ("checks", "data_checks", "preflight", "rollback", "queries"):
        for path in sorted((resources.SQL / folder).glob("*.sql")):
            text = joined(re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")))
            for literal in re.findall(r"'((?:[^']|'')*)'", text):
                printed = re.search(r"\b(UPDATE|DELETE FROM|SELECT) .* (WHERE|ON) .*", literal)
                if printed and ("%1$I." in literal or "%I.%I" in literal or "sessiondb." in literal):
                    looked_at += 1
                    left = re.search(r" (=|<>|<|>|<=|>=|~|\|\|) ", re.sub(r" SET \w+ = ", " ", printed[0]))
                    assert not left, (path.name, printed[0])
    assert looked_at > 5
    # functions put the condition together from parts; "=" stands only before the new value of a column
    parts = 0
    for path in sorted((resources.SQL / "functions").glob("*.sql")):
        text = joined(re.sub(r"--[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
        for literal, after in re.findall(r"format\(\s*E?'((?:[^']|'')*)'([^;]*?AS \w+ \()?", text):
            if part := re.search(r"%\d?\$?[IL] (\S+) %\d?\$?[IL]", literal):
                parts += 1
                is_new_value = part[1] == "=" and "', ')" in after
                assert is_new_value or part[1].startswith(("OPERATOR(pg_catalog.", "%s")), (path.name, literal)
    assert parts > 2
