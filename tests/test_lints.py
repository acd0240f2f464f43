"""What tools that look for holes say of our objects: nothing."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import LiteralString

import pytest
from conftest import PlatformDatabase
from pglast.parser import scan
from platforms import PLATFORMS

from sessiondb import resources

# plpgsql_check

FUNCTIONS = """
    SELECT p.oid, p.proname::text,
           CASE WHEN p.prorettype = 'trigger'::regtype
                THEN CASE WHEN p.proname IN ('check_session', 'link_submission') THEN 'submissions' ELSE 'enrollments' END END
      FROM pg_proc AS p
      JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
     WHERE p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course'
     ORDER BY p.proname
"""
DYNAMIC = {
    "check_session",
    "choose_for_pages",
    "count_linkable",
    "explain_course",
    "grouped_rows",
    "install",
    "link_batch",
    "link_users",
    "lock_rows",
    "lock_table",
    "note_change",
    "secure_schema",
    "write_links",
    # what they are given to run, functions of ours put together
    "ask",
    "run_on_platform",
}
"""They run SQL put together from names that format('%I') or regclass quotes; what a variable holds is not seen through."""


def test_no_line_of_sql_is_longer_than_150_columns() -> None:
    long = [
        f"{path.relative_to(resources.SQL)}:{number}"
        for path in sorted(resources.SQL.glob("**/*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 150
    ]
    assert long == []


def test_plpgsql_check_finds_nothing(installed_db: PlatformDatabase) -> None:
    """Neither errors nor unsafe SQL, on the tables of this very platform."""
    with installed_db.connect() as connection:
        if connection.execute("SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'").rowcount == 0:
            pytest.skip("this server has no plpgsql_check; Debian has it as postgresql-15-plpgsql-check")
        connection.execute("CREATE EXTENSION plpgsql_check")
        connection.execute("SELECT set_config('sessiondb.schema', %s, false)", [installed_db.platform.schema])
        said, checked = [], 0
        for function, name, table in connection.execute(FUNCTIONS).fetchall():
            checked += 1
            said += [
                (name, *row)
                for row in connection.execute(
                    """
                    SELECT c.lineno, c.level, c.message
                      FROM plpgsql_check_function_tb(
                               %(function)s,
                               relid => coalesce(to_regclass(quote_ident(%(schema)s) || '.' || %(table)s), 0),
                               fatal_errors => false, extra_warnings => true, security_warnings => true, performance_warnings => false) AS c
                    """,
                    {"function": function, "schema": installed_db.platform.schema, "table": table},
                )
                if not (name in DYNAMIC and re.search("not sanitized|maybe unmodified|injection safe", row[2]))
                # the status may be an enum of the platform, and is given as text
                and not (name in {"add_session", "change_session_status"} and "target type is different" in row[2])
                # of enrollments, in a branch that is not taken for submissions
                and not (name == "check_session" and row[2].endswith('has no field "course_id"'))
                # a platform's rows need not have an id, and then asking by it is answered so
                and not (name.startswith("explain_") and row[2].endswith('"id" does not exist'))
            ]
        assert checked > 20
        assert said == [], "\n".join(map(str, said))


def literals(text: str) -> Generator[str, None, None]:
    """The string literals of an SQL text, and of those that hold SQL."""
    for token in scan(text):
        literal = text[token.start : token.end + 1]
        if token.name == "SCONST" and literal.startswith("$"):
            yield from literals(
                literal.strip("$").partition("$")[2].rpartition("$")[0] if literal[1] != "$" else literal[2:-2]
            )
        elif token.name == "SCONST":
            yield literal


def test_no_function_asks_whether_a_backslash_stands_for_itself(installed_db: PlatformDatabase) -> None:
    """Which the setting standard_conforming_strings of who calls it decides, unless a literal begins with E."""
    with installed_db.connect() as connection:
        sources = connection.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'sessiondb'::regnamespace OR proname = 'get_user_session_for_course'"
        ).fetchall()
    found = [(name, literal) for name, source in sources for literal in literals(source)]
    assert len(found) > 500
    assert [f for f in found if "\\" in f[1] and not f[1].startswith("E")] == []


# what the linters of hosted backends ask

LINTS: dict[str, LiteralString] = {
    "a function with its owner's rights, or in an exposed schema, whose search_path its caller chooses": """
        SELECT p.oid::regprocedure::text FROM pg_proc AS p
         WHERE (p.pronamespace = 'sessiondb'::regnamespace AND p.prosecdef OR p.proname = 'get_user_session_for_course')
           AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE starts_with(c, 'search_path='))
    """,
    "a function with its owner's rights that others may call": """
        SELECT p.oid::regprocedure::text FROM pg_proc AS p
         CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
         WHERE p.prosecdef AND a.grantee <> p.proowner
           AND (p.pronamespace = 'sessiondb'::regnamespace OR p.proname = 'get_user_session_for_course')
    """,
    "a view with its owner's rights in an exposed schema": """
        SELECT c.oid::regclass::text FROM pg_class AS c
         WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('v', 'm')
    """,
    "a table without a primary key": """
        SELECT c.oid::regclass::text FROM pg_class AS c
         WHERE c.relnamespace = 'sessiondb'::regnamespace AND c.relkind = 'r'
           AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
    """,
    "a foreign key without an index": """
        SELECT k.conname::text FROM pg_constraint AS k
         WHERE k.contype = 'f' AND k.conname LIKE '%%session_id%%'
           AND NOT EXISTS (SELECT FROM pg_index AS i
                            WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indkey[0] = k.conkey[1])
    """,
    "an index that is not valid": "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid",
    "an index that another one serves": """
        SELECT a.indexrelid::regclass::text FROM pg_index AS a
          JOIN pg_index AS b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
                            AND b.indkey::text = a.indkey::text AND b.indoption = a.indoption
                            AND b.indpred::text IS NOT DISTINCT FROM a.indpred::text
          JOIN pg_class AS c ON c.oid = a.indexrelid
         WHERE c.relname IN (SELECT o.name FROM sessiondb.objects AS o WHERE o.kind = 'index')
    """,
}


@pytest.mark.parametrize("lint", LINTS)
def test_there_is_no_such_thing_of_ours_as(installed_db: PlatformDatabase, lint: str) -> None:
    with installed_db.connect() as connection:
        quoted = connection.execute("SELECT quote_ident(%s)", [installed_db.platform.schema]).fetchone()
        assert quoted
        assert connection.execute(LINTS[lint], {"schema": quoted[0]}).fetchall() == []


def test_the_exposed_schema_gets_no_table_without_row_level_security(platform_db: PlatformDatabase) -> None:
    """It gets no table at all, nor a view, a type or a function but the guide's."""
    query: LiteralString = """
        SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind <> 'i'
           AND c.relkind <> 'I'
        UNION SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = %(schema)s::regnamespace
    """
    with platform_db.connect() as connection:
        schema = connection.execute("SELECT quote_ident(%s)", [platform_db.platform.schema]).fetchone()
        assert schema
        before = connection.execute(query, {"schema": schema[0]}).fetchall()
        platform_db.apply()
        after = connection.execute(query, {"schema": schema[0]}).fetchall()
    assert set(after) - set(before) == {("get_user_session_for_course",)}


# what naive quoting trips over

KINDS = {
    "a quote": '"',
    "an apostrophe or a dollar": "['$]",
    "a dot": r"\.",
    "a space": " ",
    "a capital": "[A-Z]",
    "a semicolon": ";",
    "a percent sign": "%",
    "a letter that is not ASCII": "[^\x00-\x7f]",
}


@pytest.mark.parametrize("platform", [PLATFORMS["quoted"]], indirect=True, ids=str)
def test_a_platform_of_the_tests_has_names_of_every_kind_on_the_way_to_the_course(
    installed_db: PlatformDatabase,
) -> None:
    """So that whatever builds SQL from a name, and every command that shows one, has met them."""
    platform = installed_db.platform
    (table, column) = platform.task_tables[0]
    for what, name in {"schema": platform.schema, "table": table, "column": column}.items():
        for kind, pattern in KINDS.items():
            if kind == "an apostrophe or a dollar" and what != "table":
                continue
            assert re.search(pattern, name), f"the {what} has not {kind}"
