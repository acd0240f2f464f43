"""Every SQL text that can reach a server, each with its place and its kind.

A text is of one of two kinds (design, section 3). B is pinned to ``pg_catalog, pg_temp`` and reads plainly: it names no
relation of the platform and repeats no ``pg_catalog.``. A runs under a search_path that is not ours: in it every
relation, function, type and operator carries its schema, and no construct looks an operator up by itself.

What is put into a text where it is made ready (``{facts}``, ``$1``, ``%(name)s``, ``%I``) is a text of its own, or a
name or a value; here a stand-in takes its place.
"""

from __future__ import annotations

import ast as python_ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

from pglast import parse_sql
from pglast.parser import ParseError

import sessiondb
from sessiondb import resources

Kind = Literal["A", "B"]

ROOT = resources.MIGRATIONS.parent
SOURCES = Path(sessiondb.__file__).parent

PLATFORM_TABLES = ("orgs", "org_members", "courses", "sessions", "enrollments", "submissions")

OWN_DATABASES = {"demo.py", "testing.py", "embedded.py"}
"""What these run, they run on a server of their own, which no other role can reach."""

STAND_IN = "put_in"
"""The name that stands for one that is put in where the statement is made."""


@dataclass(frozen=True)
class Text:
    """A piece of SQL with its place.

    Attributes:
        file: its path from the top of the checkout.
        line: its first line there.
        sql: the text, with stand-ins for what is put in.
        kind: A or B.
    """

    file: str
    line: int
    sql: str
    kind: Kind

    def line_at(self, location: int) -> int:
        """Return the line in the file of a place in the text."""
        return self.line + self.sql.count("\n", 0, location)

    def part(self, sql: str, begins: int) -> Text:
        """Return a part of the text, that is to be found from a place on."""
        return replace(self, sql=sql, line=self.line_at(max(self.sql.find(sql, begins), 0)))


def texts() -> Iterator[Text]:
    """Yield the SQL texts of the checkout, file by file."""
    for folder in ("checks", "preflight", "rollback", "steps", "facts"):
        yield from (_of_file(path, "B") for path in _files(folder))
    for folder in ("functions", "triggers", "policies"):  # a function says itself if it is pinned
        yield from (_of_file(path, "A") for path in _files(folder))
    for path in (*_files("functions"), *_files("queries")):
        if "-- citus: " in path.read_text(encoding="utf-8"):
            kind: Kind = "A" if path.parent.name == "functions" or names_platform(_of_file(path, "B").sql) else "B"
            yield _of_file(path, kind, is_distributed=True)
    for path in _files("data_checks"):
        check = _of_file(path, "A")
        yield replace(check, sql=filled(resources.with_grouped_rows(check.sql)))
    for path in (*_files("queries"), *_files("trainer")):
        text = _of_file(path, "B")
        yield replace(text, kind="A") if names_platform(text.sql) or path.stem == "optional" else text
    yield from (_of_file(path, "A") for path in sorted(resources.MIGRATIONS.glob("*.sql")))
    for path in _files("script"):
        yield _of_script(path)
    for path in sorted(SOURCES.rglob("*.py")):
        if path.name not in OWN_DATABASES:
            yield from _of_module(path)


def names_platform(sql: str) -> bool:
    """Return whether a query names a relation of the platform, with its schema or without."""
    tables = "|".join(PLATFORM_TABLES)
    return bool(re.search(rf"\bplatform\.\w|(?:\bFROM|\bJOIN|\bINTO|\bUPDATE)\s+(?:{tables})\b", bare(sql)))


def bare(sql: str) -> str:
    """Return SQL without its comments and what stands in quotes."""
    return re.sub(r"--[^\n]*|'(?:[^']|'')*'", "''", sql)


def _files(folder: str) -> list[Path]:
    return sorted((resources.SQL / folder).glob("*.sql"))


def _of_file(path: Path, kind: Kind, *, is_distributed: bool = False) -> Text:
    """Return a file, as it is where Citus distributes the tables or elsewhere."""
    sql = filled(resources.with_citus(path.read_text(encoding="utf-8"), is_distributed=is_distributed))
    if path.stem == "optional":  # its arguments are names
        sql = sql.replace("$1", "r").replace("$2", "title")
    if "%(" in bare(sql):  # what is sent with arguments
        sql = without_placeholders(sql)
    if around := re.search("^-- WITH: (.*)$", sql, re.M):  # the queries of WITH around it
        names = re.findall(r"\b(\w+)\b(?![^(]*\))", around[1])
        seen = ", ".join(f"{name} AS (SELECT)" for name in names)
        sql = re.sub(
            r"\A((?:--.*\n)*)(?:WITH\b( RECURSIVE\b)?)?",
            lambda m: f"{m[1]}WITH{m[2] or ''} {seen}{',' if len(m[0]) > len(m[1]) else ''} ",
            sql,
        )
    if not parses(sql):  # one that is an expression
        sql = f"SELECT {sql}"
    return Text(str(path.relative_to(ROOT)), 1, sql, kind)


def _of_script(path: Path) -> Text:
    """Return a piece of the script for psql, without its commands for psql.

    What begins and what asks for the server process is sent before anything is pinned, what ends after that.
    """
    sql = for_psql(filled(path.read_text(encoding="utf-8")))
    kind: Kind = "A" if path.stem in ("begin", "same_backend", "hold_schema", "end", "batch") else "B"
    return Text(str(path.relative_to(ROOT)), 1, sql, kind)


def for_psql(sql: str) -> str:
    """Return a script for psql without its commands for psql, and with a value for each variable."""
    return re.sub(r"(?<![:\w]):(sessiondb_\w+)", "0", re.sub(r"(?m)^\\.*|\\gset.*|\\gexec.*", ";", sql))


_VALUES = {
    "table": "enrollments",
    "course": "r.course_id",
    "by_enrollment": "true",
    "grouped": "enrolled",
    **dict.fromkeys(("session_title", "course_title", "org_name"), "NULL::pg_catalog.text"),
    **dict.fromkeys(("session_start", "session_end", "enrolled_at", "submitted_at"), "NULL::pg_catalog.timestamptz"),
    "joins": "",
    "people": "(SELECT NULL::pg_catalog.uuid AS id, NULL::pg_catalog.text AS name)",
    "joined_course": "NULL",
    "every": "true",
    "keeps_staff": "true",
    "examples": "1",
    "ended": "'completed'",
    "key": "1",
    "version": "0",
    "migrations": "('', '')",
    "orphaned_links": "''",
    "statements": "",
}
"""What is put in and is no query."""

_HOLE = re.compile(r"\{(\w+)(\([^{}]*\))?\}")


def filled(sql: str) -> str:
    """Return SQL with stand-ins for ``{name}``, a query or a value, and ``{name(arguments)}``, a query."""
    return _HOLE.sub(lambda match: _VALUES.get(match[1], "(SELECT)"), sql)


def without_placeholders(sql: str) -> str:
    """Put a parameter in the place of each of psycopg's placeholders."""
    return re.sub(r"%\((\w+)\)s|%s", "$1", sql).replace("%%", "%")


_VERBS = (
    "SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|VALUES|SET|RESET|SHOW|CALL|DO|CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|LOCK"
    "|BEGIN|COMMIT|ROLLBACK|DECLARE|FETCH|CLOSE|COPY|EXECUTE|PREPARE|DISCARD|TABLE|EXISTS|NOT"
)
BEGINS = re.compile(rf"\s*(?:--[^\n]*\n\s*)*(?:{_VERBS})\b")
"""Matches what begins as SQL does."""


def _of_module(path: Path) -> Iterator[Text]:
    """Yield the SQL in the strings of a module.

    A string says itself of which kind it is: with a schema before PostgreSQL's own names, or with a relation of the
    platform, it is of kind A. That those of kind B are sent under our path is for a test that looks at what is sent.
    """
    tree = python_ast.parse(path.read_text(encoding="utf-8"))
    passed_over = {
        id(part) for node in python_ast.walk(tree) if isinstance(node, python_ast.JoinedStr) for part in node.values
    }
    for node in python_ast.walk(tree):
        if isinstance(node, python_ast.Module | python_ast.ClassDef | python_ast.FunctionDef) and isinstance(
            node.body[0], python_ast.Expr
        ):
            passed_over.add(id(node.body[0].value))  # its docstring
    for node in python_ast.walk(tree):
        if id(node) in passed_over:
            continue
        if isinstance(node, python_ast.JoinedStr):
            value = "".join(str(v.value) if isinstance(v, python_ast.Constant) else "{put_in}" for v in node.values)
        elif isinstance(node, python_ast.Constant) and isinstance(node.value, str):
            value = node.value
        else:
            continue
        is_sql = BEGINS.match(value) or "pg_catalog." in value
        sql = parsable(without_placeholders(value)) if is_sql and re.search(r"\w\W+\w", _HOLE.sub("", value)) else None
        if sql is not None:
            is_a = names_platform(sql) or "pg_catalog." in bare(sql)
            yield Text(str(path.relative_to(ROOT)), node.lineno, sql, "A" if is_a else "B")


_CHOICES = (
    *("$1", STAND_IN, "", "SELECT", "SHARE", "DISABLE", f"TABLE {STAND_IN}", "('', '')", f"WHERE {STAND_IN}"),
    *(
        f"{STAND_IN} OPERATOR(pg_catalog.=) $1",
        f"{STAND_IN} pg_catalog.text",
        f"SELECT {STAND_IN}",
        "OPERATOR(pg_catalog.=)",
    ),
)
"""What may stand where something is put in: a value, a name, nothing, a query, a lock, a condition, a column ..."""

_FEW_HOLES = 4


def parsable(text: str, holes: re.Pattern[str] = _HOLE) -> str | None:
    """Return the text with stand-ins in its holes so that it parses, as a statement or an expression; else None."""
    number = len(holes.findall(text))
    several = product(_CHOICES, repeat=number) if number <= _FEW_HOLES else ((c,) * number for c in _CHOICES)
    for choice in several:
        put_in = iter(choice)
        sql = holes.sub(lambda _, put_in=put_in: next(put_in), text)  # type: ignore[misc]
        for prefix in ("", "SELECT "):
            if parses(prefix + sql):
                return prefix + sql
    return None


def parses(sql: str) -> bool:
    """Return whether SQL can be parsed."""
    try:
        parse_sql(sql)
    except ParseError:
        return False
    return True
