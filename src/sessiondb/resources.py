"""Where the SQL is: beside the modules in an installed wheel, at the top level of a checkout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "migrations").is_dir() else _PACKAGE.parents[1]

MIGRATIONS = _ROOT / "migrations"
SQL = _ROOT / "sql"


def read(name: str) -> str:
    """Return the text of a file below ``sql/``, for instance ``queries/show_sessions.sql``."""
    return (SQL / name).read_text(encoding="utf-8")


def names(folder: str) -> list[str]:
    """Return the names, without ending and in order, of the SQL files in a folder below ``sql/``."""
    return sorted(path.stem for path in (SQL / folder).glob("*.sql"))


def function_body(name: str) -> str:
    """Return the body of an SQL-language function below ``sql/functions/``.

    The bodies of those that only read the catalogs stand alone, so that they can be run as queries
    on a database in which nothing of ours is installed yet; ``$1`` is then the first argument.
    """
    match = re.search(r"\$function\$(.*)\$function\$", read(f"functions/{name}.sql"), re.DOTALL)
    if match is None:
        raise ValueError(f"sql/functions/{name}.sql has no $function$ body")
    return match.group(1)


def with_function_bodies(query: str) -> str:
    """Put the body of an SQL function in the place of each ``{name(argument, ...)}`` in a query.

    And in the place of ``{claims}`` the objects that the migrations claim: kind, parent (NULL is the platform's
    schema), name, and the number of the migration before, to which a rollback undoes the one that made it.
    """

    def body(match: re.Match[str]) -> str:
        name, arguments = match.groups()
        text = function_body(name)
        for number, argument in enumerate(arguments.split(", "), start=1):
            text = text.replace(f"${number}", argument)
        return text

    return re.sub(r"\{(\w+)\(([^)]*)\)\}", body, query).replace("{claims}", _claims() if "{claims}" in query else "")


def _claims() -> str:
    rows, before = [], None
    for path in sorted(path for path in MIGRATIONS.glob("*.sql") if not path.name.endswith(".rollback.sql")):
        for kind, parent, name in re.findall(
            r"CALL sessiondb\.claim\('(\w+)', ('\w+'|v_platform), '(\w+)'\)", path.read_text(encoding="utf-8")
        ):
            rows.append(f"('{kind}', {parent.replace('v_platform', 'NULL')}, '{name}', '{before}')")
        before = path.name.partition(".")[0]
    return "VALUES " + ", ".join(rows)


def with_course_path(query: str, pieces: Sequence[str]) -> str:
    """Put the SQL expression of a submission's course in the place of each ``course_of(row)`` in a query.

    Args:
        query: of our own.
        pieces: as ``sessiondb.installation`` keeps them, quoted by PostgreSQL.
    """
    return re.sub(r"course_of\((\w+)\)", lambda match: match.group(1).join(pieces), query)


def reference_platform() -> str:
    """Return the SQL of the reference platform, a small learning platform as ``demo`` uses it."""
    packaged = SQL / "platforms" / "reference.sql"
    path = packaged if packaged.exists() else _ROOT / "tests" / "platforms" / "reference.sql"
    return path.read_text(encoding="utf-8")
