"""The SQL files: next to the modules in an installed wheel, at the top level of a checkout."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from sessiondb.output import INVISIBLE

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "migrations").is_dir() else _PACKAGE.parents[1]

MIGRATIONS = _ROOT / "migrations"
SQL = _ROOT / "sql"


@functools.cache
def read(name: str) -> str:
    """Return the text of a file below ``sql/``, for instance ``queries/show_sessions.sql``."""
    return (SQL / name).read_text(encoding="utf-8")


def names(folder: str) -> list[str]:
    """Return the sorted names, without extension, of the SQL files in a folder below ``sql/``."""
    return sorted(path.stem for path in (SQL / folder).glob("*.sql"))


def query(name: str, *arguments: str) -> str:
    """Return a query below ``sql/`` as it is sent.

    Args:
        name: the file without its extension, for instance ``steps/index``.
        arguments: SQL expressions that replace ``$1`` and so on.
    """
    text = with_queries(re.sub(r"\A(--.*\n)+", "", read(f"{name}.sql")))
    return re.sub(r"\$(\d)", lambda match: arguments[int(match[1]) - 1], text).rstrip()


def with_queries(text: str) -> str:
    """Replace each ``{name(argument, ...)}`` in SQL with that query of ``sql/queries/`` or ``sql/steps/``.

    ``{invisible}`` becomes :data:`sessiondb.output.INVISIBLE`, for a literal that begins with ``E'``.
    """

    def put_in(match: re.Match[str]) -> str:
        name, arguments = match.groups()
        folder = "queries" if (SQL / "queries" / f"{name}.sql").exists() else "steps"
        return query(f"{folder}/{name}", *re.split(r",\s+", arguments))

    return re.sub(r"\{(\w+)\(([^)]*)\)\}", put_in, text).replace("{invisible}", INVISIBLE.replace("\\", r"\\"))


def with_platform(text: str, schema: str) -> str:
    """Replace ``platform`` with the platform's schema wherever it qualifies a name in SQL.

    A literal that contains only such a name, ``'platform.sessions'``, is meant for ``regclass``.
    """
    qualifier = quoted(schema) + "."
    # in one pass, because the name of the schema may look like that as well
    return re.sub(
        r"""'platform\.(\w+)'|\bplatform\.(?=[A-Za-z_"{])""",
        lambda match: literal(qualifier + match[1]) if match[1] else qualifier,
        text,
    )


def quoted(schema: str) -> str:
    """Return the name of a schema as SQL writes it; ``sessiondb.compile()`` does the same."""
    return schema if schema == "public" else sql.Identifier(schema).as_string(None)


def with_course_path(text: str, pieces: Sequence[str]) -> str:
    """Replace each ``course_of(row)`` in SQL with the SQL expression of a submission's course.

    Args:
        text: our own SQL.
        pieces: as in ``sessiondb.installation``, quoted by PostgreSQL.
    """
    return re.sub(r"course_of\((\w+)\)", lambda match: match.group(1).join(pieces), text)


def with_citus(text: str, *, is_distributed: bool) -> str:
    """Make each line ``-- citus: ...`` of SQL a line of the text where Citus distributes the tables, else drop it."""
    if is_distributed:
        return re.sub("^( *)-- citus: ", r"\1", text, flags=re.MULTILINE)
    return re.sub("^ *-- citus: .*\n", "", text, flags=re.MULTILINE)


def with_grouped_rows(checks: str, *, is_distributed: bool = False) -> str:
    """Return checks of the data as one query, preceded by the queries that they share.

    Where Citus distributes the tables, a function runs those that read them, so that the rest is as for plain tables.
    """
    grouped = query("queries/grouped_rows")
    queries = {
        "enrolled": for_table(grouped, "enrollments").replace("{joined_course}", "r.course_id").replace("{joins}", ""),
        "submitted": for_table(grouped, "submissions"),
        "offered": query("queries/offered_courses"),
    }
    if is_distributed:
        for name in ("enrolled", "submitted"):
            text = queries[name]
            queries[name] = f"SELECT g.* FROM sessiondb.grouped_rows($rows${text}$rows$) AS g"  # noqa: S608  (our own)
    needed = {name: text for name, text in queries.items() if re.search(rf"\b(FROM|JOIN) {name}\b", checks)}
    texts = ",\n".join(f"{name} AS MATERIALIZED (\n{text}\n)" for name, text in needed.items())
    return f"WITH {texts}\n{checks}" if needed else checks


def with_joined_course(text: str, steps: Sequence[Mapping[str, Any]]) -> str:
    """Replace ``{joined_course}`` in SQL with the course of rows ``r`` of submissions, and ``{joins}`` with its joins.

    Args:
        text: our own SQL.
        steps: from a submission to its course, as in ``sessiondb.installation``.
    """
    joins, at = [], "r"
    for place, step in enumerate(steps[:-1], 1):
        casts = step.get("casts", [None] * len(step["keys"]))
        columns = zip(step["keys"], step["operators"], step["columns"], casts, strict=True)
        pairs = [
            f"t{place}.{quoted(key)} {equal} {at}.{quoted(column)}{cast or ''}" for key, equal, column, cast in columns
        ]
        at = f"t{place}"
        joins.append(f"LEFT JOIN {step.get('only', '')}{step['to']} AS {at} ON {' AND '.join(pairs)}")
    course = f"{at}.{quoted(steps[-1]['columns'][0])}"
    return text.replace("{joined_course}", course).replace("{joins}", " ".join(joins))


def for_table(text: str, table: str) -> str:
    """Replace the placeholders in SQL that is about either ``enrollments`` or ``submissions``.

    ``{table}`` is the table, ``{course}`` the course of its row ``r``, ``{by_enrollment}`` whether the session of the
    student's enrolment is the first choice, ``{grouped}`` its rows as :func:`with_grouped_rows` returns them.
    """
    is_submission = table == "submissions"
    course = "course_of(r)" if is_submission else "r.course_id"
    text = text.replace("{table}", table).replace("{course}", course)
    text = text.replace("{grouped}", "submitted" if is_submission else "enrolled")
    return text.replace("{by_enrollment}", str(is_submission).lower())


def literal(value: object) -> str:
    """Return a value as SQL writes it."""
    return _text(value) if isinstance(value, str | None) else sql.Literal(value).as_string(None)


@functools.cache  # the list of objects is written into many queries
def _text(value: str | None) -> str:
    return sql.Literal(value).as_string(None)


def reference_platform() -> str:
    """Return the SQL of the reference platform, the small learning platform of ``demo``."""
    packaged = SQL / "platforms" / "reference.sql"
    path = packaged if packaged.exists() else _ROOT / "tests" / "platforms" / "reference.sql"
    return path.read_text(encoding="utf-8")
