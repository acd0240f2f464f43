"""Every SQL text that can reach a server, parsed with PostgreSQL's own grammar, and what in it breaks the rule of names.

A text is of one of two kinds (design, section 3). B is pinned to ``pg_catalog, pg_temp`` and reads plainly: it names no
relation of the platform and repeats no ``pg_catalog.``. A runs under a search_path that is not ours: in it every
relation, function, type and operator carries its schema, and no construct looks an operator up by itself.

``python -m tests.sqltext`` prints the violations.
"""

from __future__ import annotations

import ast as python_ast
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import A_Expr_Kind, CoercionForm, ObjectType, SubLinkType
from pglast.parser import ParseError

from sessiondb import resources

Kind = Literal["A", "B"]

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "sessiondb"
PLATFORM_TABLES = {"orgs", "org_members", "courses", "sessions", "enrollments", "submissions"}
REQUIRED_COLUMNS = {
    "orgs": {"id"},
    "courses": {"id"},
    "org_members": {"org_id", "user_id", "role"},
    "sessions": {"id", "org_id", "course_id", "status", "created_at"},
    "enrollments": {"user_id", "course_id", "session_id"},
    "submissions": {"user_id", "session_id"},
}
"""The columns that preflight asks for. ``alias.other`` calls a function ``other(table)`` where there is no such column."""

STAND_IN = "zzz_put_in"
"""A name in the place of one that is put in where the statement is made."""

NO_PLATFORM_CODE = {
    "sql/functions/is_saved_link.sql": "its table is sessiondb.saved_links_of_...",
    "sql/functions/save_link.sql": "its table is sessiondb.saved_links_of_...",
    "sql/functions/lock_tables.sql": "LOCK TABLE fires nothing of the platform's",
}
"""Functions of kind B that run statements on a table that is put in, and why they may."""

OWN_DATABASES = {"demo.py", "testing.py", "embedded.py"}
"""These run on a server of their own, which no other role can reach."""


@dataclass(frozen=True)
class Text:
    """A piece of SQL, as it is sent or as a body, with its place.

    Attributes:
        file: its path from the top of the checkout.
        line: its first line there.
        sql: the text, with stand-ins for what is put in.
        kind: A or B.
        what: ``sql``, ``plpgsql`` (the body of a function or DO), ``expression`` or ``fragment`` of dynamic SQL.
        language: whether it stands in PL/pgSQL, where FOUND and the variables are names, too.
    """

    file: str
    line: int
    sql: str
    kind: Kind
    what: str = "sql"


@dataclass(frozen=True, order=True)
class Violation:
    """A name that breaks the rule."""

    file: str
    line: int
    kind: Kind
    name: str
    rule: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: [{self.kind}] {self.name}: {self.rule}"


# gathering


def texts() -> Iterator[Text]:
    """Yield the SQL texts of the checkout, each file by itself, with stand-ins for what is put in."""
    for folder, kind in (
        ("checks", "B"),
        ("preflight", "B"),
        ("rollback", "B"),
        ("steps", "B"),
        ("data_checks", "A"),
        ("triggers", "A"),
        ("policies", "A"),
    ):
        for path in sorted((resources.SQL / folder).glob("*.sql")):
            yield _of_file(path, kind)
    for path in sorted((resources.SQL / "queries").glob("*.sql")):
        text = _of_file(path, "B")
        yield replace(text, kind="A") if names_platform(text.sql) else text
    for path in sorted((resources.SQL / "functions").glob("*.sql")):
        text = _of_file(path, "B")
        yield replace(text, kind="B" if re.search(r"^SET search_path = pg_catalog, pg_temp", text.sql, re.M) else "A")
    for path in sorted(resources.MIGRATIONS.glob("*.sql")):
        yield _of_file(path, "A")
    for path in sorted((resources.SQL / "script").glob("*.sql")):
        yield from _of_script(path)
    for path in sorted(SOURCES.rglob("*.py")):
        if path.name not in OWN_DATABASES:
            yield from _of_module(path)


def names_platform(sql: str) -> bool:
    """Return whether a query names a relation of the platform, with its schema or without."""
    bare = re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", sql)
    tables = "|".join(PLATFORM_TABLES)
    return bool(re.search(rf"\bplatform\.\w|(?:\bFROM|\bJOIN|\bINTO|\bUPDATE)\s+(?:{tables})\b", bare))


_PUT_IN = {
    "table": "enrollments",
    "course": "r.course_id",
    "by_enrollment": "true",
    "every": "true",
    "examples": "1",
    "key": "1",
    "version": "0",
    "migrations": "('', '')",
    "orphaned_links": "''",
}


def filled(sql: str) -> str:
    """Return SQL with stand-ins for ``{name}``, a query or a value, and ``{name(arguments)}``, a query."""

    def stand_in(match: re.Match[str]) -> str:
        return "SELECT" if match[2] else _PUT_IN.get(match[1], "SELECT")

    return re.sub(r"\{(\w+)(\([^)]*\))?\}", stand_in, sql)


def _of_file(path: Path, kind: Kind) -> Text:
    sql = filled(path.read_text(encoding="utf-8"))
    # psycopg's placeholders, in what is sent with arguments
    if "%(" in _bare(sql):
        sql = _without_placeholders(sql)
    return Text(str(path.relative_to(ROOT)), 1, sql, kind)


def _of_script(path: Path) -> Iterator[Text]:
    """Yield a piece of the script for psql, without its commands for psql.

    What begins and what asks for the server process is sent before anything is pinned.
    """
    kind: Kind = "A" if path.stem in ("begin", "same_backend", "path", "end") else "B"
    text = _of_file(path, kind)
    lines = [
        "" if line.startswith("\\") else re.sub(r"\\(gset|gexec).*", ";", line) for line in text.sql.splitlines()
    ]
    sql = re.sub(r"(?<![:\w]):([a-z]\w*)", "0", "\n".join(lines))
    yield replace(text, sql=sql)


_HOLE = re.compile(r"\{\w+(?:\([^)]*\))?\}")
_VERBS = (
    "SELECT WITH INSERT UPDATE DELETE MERGE VALUES SET RESET SHOW CALL DO CREATE ALTER DROP COMMENT GRANT REVOKE LOCK"
    " BEGIN COMMIT ROLLBACK DECLARE FETCH CLOSE MOVE COPY EXECUTE PREPARE DISCARD TABLE EXISTS NOT"
).split()
_STARTS = re.compile(rf"\s*(?:--[^\n]*\n\s*)*(?:{'|'.join(_VERBS)})\b")


def _of_module(path: Path) -> Iterator[Text]:
    """Yield the SQL in the strings of a module.

    A string says itself of which kind it is: with a schema before PostgreSQL's own names it is of kind A.
    That those of kind B are sent under our path only is for a test that looks at what is sent.
    """
    tree = python_ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in python_ast.walk(tree)
        if isinstance(node, python_ast.Module | python_ast.ClassDef | python_ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], python_ast.Expr)
    }
    inner: set[int] = set()
    for node in python_ast.walk(tree):
        if isinstance(node, python_ast.JoinedStr):
            inner |= {id(value) for value in node.values}
    for node in python_ast.walk(tree):
        if id(node) in docstrings or id(node) in inner:
            continue
        if isinstance(node, python_ast.JoinedStr):
            value = "".join(
                str(v.value) if isinstance(v, python_ast.Constant) else "{zzz}" for v in node.values
            )
        elif isinstance(node, python_ast.Constant) and isinstance(node.value, str):
            value = node.value
        else:
            continue
        if not (_STARTS.match(value) or "pg_catalog." in value) or not re.search(r"\w\W+\w", _HOLE.sub("", value)):
            continue
        sql = parsable(_without_placeholders(value))
        if sql is None:
            continue
        kind: Kind = "A" if re.search(r"\bpg_catalog\.|\bplatform\.", _bare(sql)) or names_platform(sql) else "B"
        yield Text(str(path.relative_to(ROOT)), node.lineno, sql, kind)


def _bare(sql: str) -> str:
    return re.sub(r"--[^\n]*|'(?:[^']|'')*'", "''", sql)


def _without_placeholders(value: str) -> str:
    """Put a parameter in the place of each of psycopg's placeholders."""
    return re.sub(r"%\((\w+)\)s|%s", "$1", value).replace("%%", "%")


def parsable(text: str, holes: str = r"\{\w+(?:\([^)]*\))?\}") -> str | None:
    """Return the text with stand-ins in its holes so that it parses, as a statement or an expression; else None."""
    found = list(re.finditer(holes, text))
    tries = product(_CHOICES, repeat=len(found)) if len(found) <= _FEW_HOLES else ((c,) * len(found) for c in _CHOICES)
    for chosen in tries:
        put = iter(chosen)
        sql = re.sub(holes, lambda _: next(put), text)  # noqa: B023  (called at once)
        for prefix in ("", "SELECT "):
            try:
                parse_sql(prefix + sql)
            except ParseError:
                continue
            return prefix + sql
    return None


_FEW_HOLES = 4
_CHOICES = (
    *("$1", STAND_IN, "", "SELECT", "SHARE", "DISABLE", f"TABLE {STAND_IN}", f"{STAND_IN} = $1", "('', '')"),
    *(f"WHERE {STAND_IN}", f"{STAND_IN} text", f"SELECT {STAND_IN}"),
)
"""What may stand where something is put in: a value, a name, nothing, a query, a lock, a condition, a column."""


# looking at what is parsed


Breach = tuple[int, str, str]
"""Where in the text, the name, and what is wrong with it."""


class _Look:
    """Walks through one parsed statement."""

    def __init__(self, sql: str, kind: Kind, file: str = "") -> None:
        self.sql = sql
        self.kind = kind
        self.file = file
        self.found: list[Breach] = []
        self.strings: list[tuple[int, str]] = []
        self.operators: set[str] = set()
        self.functions: set[tuple[str, int]] = set()
        self.types: set[str] = set()
        self.relations: set[str] = set()
        self.columns: set[tuple[str, str]] = set()

    def breach(self, node: Any, name: str, rule: str) -> None:
        location = getattr(node, "location", None)
        self.found.append((self._at if location is None or location < 0 else location, name, rule))

    _at = 0

    def walk(self, node: Any, ctes: frozenset[str] = frozenset(), aliases: dict[str, str] | None = None) -> None:
        if isinstance(node, tuple | list):
            for item in node:
                self.walk(item, ctes, aliases)
            return
        if not isinstance(node, ast.Node):
            return
        location = getattr(node, "location", None)
        if isinstance(location, int) and location >= 0:
            self._at = location
        with_clause = getattr(node, "withClause", None)
        if with_clause is not None:
            ctes = ctes | {cte.ctename for cte in with_clause.ctes}
        if isinstance(node, ast.SelectStmt | ast.UpdateStmt | ast.DeleteStmt | ast.InsertStmt | ast.MergeStmt):
            aliases = {**(aliases or {}), **_aliases(node)}
        look = getattr(self, f"_{type(node).__name__}", None)
        if look is not None:
            look(node, ctes, aliases or {})
        for slot in node.__slots__:
            if slot != "lockedRels":  # these are aliases
                self.walk(getattr(node, slot), ctes, aliases)

    # what is looked up by name

    def _RangeVar(self, node: ast.RangeVar, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        schema, name = node.schemaname, node.relname
        if schema is None and name in ctes:
            return
        self.relations.add(f"{schema}.{name}" if schema else name)
        if STAND_IN in (schema or name):
            if self.kind == "B" and self.file not in NO_PLATFORM_CODE:
                self.breach(node, name, "a relation that is put in may be the platform's; B names none")
            return
        if self.kind == "A":
            if schema is None:
                self.breach(node, name, "relation without a schema")
        elif schema == "platform" or (schema is None and not name.startswith("pg_")):
            self.breach(node, name, "B names a relation of the platform" if schema else "relation without a schema")
        elif schema == "pg_catalog":
            self.breach(node, f"pg_catalog.{name}", "needless prefix in B")

    def _ColumnRef(self, node: ast.ColumnRef, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        names = [getattr(field_, "sval", "*") for field_ in node.fields]
        if len(names) < 2 or names[-1] == "*":
            return
        table = aliases.get(names[-2])
        if table is None:
            return
        self.columns.add((table, names[-1]))
        if names[-1] not in REQUIRED_COLUMNS[table] and self.kind == "A":
            self.breach(node, ".".join(names), f"calls {names[-1]}({table}) where there is no such column")

    def _FuncCall(self, node: ast.FuncCall, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        names = [n.sval for n in node.funcname]
        if node.funcformat == CoercionForm.COERCE_SQL_SYNTAX:
            return
        self.functions.add((".".join(names), len(node.args or ())))
        if self.kind == "A":
            if len(names) == 1 and names[0] not in ("course_of", STAND_IN):
                self.breach(node, f"{names[0]}()", "function without a schema")
            if names[-1] == "current_schema":
                self.breach(node, f"{names[-1]}()", "is the first schema of a path that is not ours")
        elif names[0] == "pg_catalog":
            self.breach(node, f"{'.'.join(names)}()", "needless prefix in B")
        elif names[-1] == "current_schema":
            self.breach(node, f"{names[-1]}()", "is pg_catalog here")
        if names[-1] in ("to_regclass", "to_regtype", "to_regproc", "to_regprocedure", "regclass") and node.args:
            self._name_in_string(node, node.args[0])

    def _TypeName(self, node: ast.TypeName, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        names = [n.sval for n in node.names or ()]
        if not names:
            return
        self.types.add(names[-1])
        written = self.sql[node.location :] if node.location is not None and node.location >= 0 else ""
        if self.kind == "A":
            if len(names) == 1 or (node.pct_type and len(names) == 2):  # noqa: PLR2004
                self.breach(node, names[0], "type without a schema")
            elif names[-1] == "json" and not written.startswith("pg_catalog"):
                self.breach(node, "json", "type without a schema (the grammar binds it from PostgreSQL 16 on only)")
        elif names[0] == "platform":
            self.breach(node, ".".join(names), "B names a type of the platform")
        elif written.startswith("pg_catalog."):
            self.breach(node, ".".join(names), "needless prefix in B")

    def _TypeCast(self, node: ast.TypeCast, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        target = node.typeName.names[-1].sval
        if target in ("regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator"):
            self._name_in_string(node, node.arg)

    def _name_in_string(self, node: Any, argument: Any) -> None:
        """Look at a name in a string constant that a type like regclass looks up."""
        value = getattr(getattr(argument, "val", None), "sval", None)
        if isinstance(argument, ast.TypeCast):
            self._name_in_string(node, argument.arg)
        if value is None:
            return
        if self.kind == "A" and "." not in value:
            self.breach(node, f"'{value}'", "name in a string without a schema")
        elif self.kind == "B" and value in PLATFORM_TABLES:
            self.breach(node, f"'{value}'", "B names a relation of the platform")

    def _operator(self, node: Any, name: Sequence[Any] | None) -> None:
        names = [n.sval for n in name or ()]
        if not names:
            return
        self.operators.add(names[-1])
        if self.kind == "A" and len(names) == 1:
            self.breach(node, names[0], "operator without a schema")
        elif self.kind == "B" and names[0] == "pg_catalog":
            self.breach(node, f"OPERATOR(pg_catalog.{names[-1]})", "needless prefix in B")

    _HIDDEN = {  # noqa: RUF012
        A_Expr_Kind.AEXPR_DISTINCT: "IS DISTINCT FROM",
        A_Expr_Kind.AEXPR_NOT_DISTINCT: "IS NOT DISTINCT FROM",
        A_Expr_Kind.AEXPR_NULLIF: "NULLIF",
        A_Expr_Kind.AEXPR_IN: "IN",
        A_Expr_Kind.AEXPR_LIKE: "LIKE",
        A_Expr_Kind.AEXPR_ILIKE: "ILIKE",
        A_Expr_Kind.AEXPR_SIMILAR: "SIMILAR TO",
        A_Expr_Kind.AEXPR_BETWEEN: "BETWEEN",
        A_Expr_Kind.AEXPR_NOT_BETWEEN: "NOT BETWEEN",
        A_Expr_Kind.AEXPR_BETWEEN_SYM: "BETWEEN SYMMETRIC",
        A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM: "NOT BETWEEN SYMMETRIC",
    }

    def _A_Expr(self, node: ast.A_Expr, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        hidden = self._HIDDEN.get(node.kind)
        if hidden is None:
            self._operator(node, node.name)
            return
        self.operators |= {n.sval for n in node.name if not n.sval.isalpha()} or {"=", "<", ">", "<=", ">="}
        if node.kind in _BETWEEN:
            self.operators |= {"<=", ">=", "<", ">"}
        if self.kind == "A":
            self.breach(node, hidden, "looks an operator up by itself")

    def _SubLink(self, node: ast.SubLink, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        if node.subLinkType not in (SubLinkType.ANY_SUBLINK, SubLinkType.ALL_SUBLINK) or node.testexpr is None:
            return
        if node.operName:
            self._operator(node, node.operName)
        else:
            self.operators.add("=")
            if self.kind == "A":
                self.breach(node, "IN (SELECT ...)", "looks an operator up by itself")

    def _CaseExpr(self, node: ast.CaseExpr, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        if node.arg is not None:
            self.operators.add("=")
            if self.kind == "A":
                self.breach(node, "CASE x WHEN", "looks an operator up by itself")

    def _JoinExpr(self, node: ast.JoinExpr, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        if node.usingClause or node.isNatural:
            self.operators.add("=")
            if self.kind == "A":
                self.breach(node, "JOIN USING", "looks an operator up by itself")

    def _SortBy(self, node: ast.SortBy, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        self._operator(node, node.useOp)

    def _IndexElem(self, node: ast.IndexElem, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        for what, names in (("operator class", node.opclass), ("collation", node.collation)):
            if self.kind == "A" and names and len(names) == 1:
                self.breach(node, names[0].sval, f"{what} without a schema")

    def _CollateClause(self, node: ast.CollateClause, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        names = [n.sval for n in node.collname]
        if self.kind == "A" and len(names) == 1:
            self.breach(node, f'COLLATE "{names[0]}"', "collation without a schema")
        elif self.kind == "B" and names[0] == "pg_catalog":
            self.breach(node, f'COLLATE pg_catalog."{names[-1]}"', "needless prefix in B")

    def _ObjectWithArgs(self, node: ast.ObjectWithArgs, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        if self.kind == "A" and len(node.objname) == 1 and node.objname[0].sval != STAND_IN:
            self.breach(node, node.objname[0].sval, "function without a schema")

    def _CreateTrigStmt(self, node: ast.CreateTrigStmt, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        if len(node.funcname) == 1:
            self.breach(node, node.funcname[0].sval, "function without a schema")

    def _CreateFunctionStmt(  # noqa: N802
        self, node: ast.CreateFunctionStmt, ctes: frozenset[str], aliases: dict[str, str]
    ) -> None:
        if len(node.funcname) == 1:
            self.breach(node, node.funcname[0].sval, "function without a schema")

    def _DropStmt(self, node: ast.DropStmt, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        for named in node.objects or ():
            self._object(node, node.removeType, named)

    def _CommentStmt(self, node: ast.CommentStmt, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        self._object(node, node.objtype, node.object)

    def _object(self, node: Any, kind: ObjectType, named: Any) -> None:
        if not isinstance(named, tuple):
            return
        names = [n.sval for n in named]
        on_table = kind in (
            ObjectType.OBJECT_COLUMN,
            ObjectType.OBJECT_TRIGGER,
            ObjectType.OBJECT_TABCONSTRAINT,
            ObjectType.OBJECT_POLICY,
            ObjectType.OBJECT_RULE,
        )
        if len(names) < (3 if on_table else 2) and not (names and STAND_IN in names[0]):
            self.breach(node, ".".join(names), "object without a schema")

    def _A_Const(self, node: ast.A_Const, ctes: frozenset[str], aliases: dict[str, str]) -> None:  # noqa: N802
        value = getattr(node.val, "sval", None)
        if value:
            self.strings.append((self._at, value))


_BETWEEN = {
    A_Expr_Kind.AEXPR_BETWEEN,
    A_Expr_Kind.AEXPR_NOT_BETWEEN,
    A_Expr_Kind.AEXPR_BETWEEN_SYM,
    A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM,
}


def _aliases(node: Any) -> dict[str, str]:
    """Return the aliases of tables of the platform in the FROM of a statement."""
    found: dict[str, str] = {}

    def look(item: Any) -> None:
        if isinstance(item, tuple | list):
            for one in item:
                look(one)
        elif isinstance(item, ast.JoinExpr):
            look(item.larg)
            look(item.rarg)
        elif isinstance(item, ast.RangeVar):
            name = item.alias.aliasname if item.alias else item.relname
            if item.relname in PLATFORM_TABLES and item.schemaname in (None, "platform"):
                found[name] = item.relname
        elif isinstance(item, ast.RangeSubselect | ast.RangeFunction) and item.alias:
            found.pop(item.alias.aliasname, None)

    for slot in ("fromClause", "usingClause", "relation", "sourceRelation"):
        look(getattr(node, slot, None))
    return found


# a text and what is in it


@dataclass
class Names:
    """What the texts look up by name, for whoever sets traps."""

    operators: set[str] = field(default_factory=set)
    functions: set[tuple[str, int]] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    relations: set[str] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)


class Lint:
    """Looks at texts, and keeps what it finds.

    Attributes:
        violations: in the order in which they were found.
        names: what the texts look up.
        parsed: how many statements, expressions and pieces of dynamic SQL were parsed.
        unparsed: those that could not be, with the parser's error.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.names = Names()
        self.parsed = 0
        self.unparsed: list[tuple[Text, str]] = []

    def look(self, text: Text) -> None:
        """Look at one text, and at all that is in it."""
        try:
            statements = parse_sql(text.sql)
        except ParseError as error:
            self.unparsed.append((text, str(error)))
            return
        for raw in statements:
            self._statement(text, raw.stmt)

    def _statement(self, text: Text, statement: Any) -> None:
        if isinstance(statement, ast.CreateFunctionStmt):
            self._function(text, statement)
            return
        if isinstance(statement, ast.DoStmt):
            body = next(a.arg.sval for a in statement.args if a.defname == "as")
            self._body(text, body, _line_of(text, body))
            return
        look = self._walked(text, statement)
        if text.file.startswith("sql/steps/"):
            for location, value in look.strings:
                self.generated(replace(text, kind="A"), _line(text, location), value)

    def _walked(self, text: Text, node: Any) -> _Look:
        self.parsed += 1
        look = _Look(text.sql, text.kind, text.file)
        look.walk(node)
        for location, name, rule in look.found:
            self.violations.append(Violation(text.file, _line(text, location), text.kind, name, rule))
        for kept in ("operators", "functions", "types", "relations", "columns"):
            getattr(self.names, kept).update(getattr(look, kept))
        return look

    def _function(self, text: Text, statement: ast.CreateFunctionStmt) -> None:
        """Look at a function: its head is read when it is created, which is under our path."""
        self._walked(replace(text, kind="B"), statement)
        options = {option.defname: option.arg for option in statement.options}
        body = options["as"][0].sval
        line = _line_of(text, body)
        if options["language"].sval == "plpgsql":
            self._body(text, body, line, head=text.sql)
        else:
            self.look(replace(text, sql=body, line=line))

    # PL/pgSQL

    def _body(self, text: Text, body: str, line: int, head: str | None = None) -> None:
        source = head or f"DO $zzz_body$\n{body}$zzz_body$"
        # the parser takes a variadic argument of a type that it does not know for no array
        source = re.sub(r"\bVARIADIC (\w+ )", r"\1", source)
        try:
            (function,) = parse_plpgsql(source)
        except (ParseError, ValueError) as error:
            self.unparsed.append((replace(text, sql=body, line=line, what="plpgsql"), str(error)))
            return
        _Body(self, text, body, line, first=1 if head else 2).look(function["PLpgSQL_function"])

    def expression(self, text: Text, sql: str, line: int, mode: int, kind: Kind) -> _Look | None:
        """Look at an expression or a statement within PL/pgSQL."""
        prefix = ""
        if mode >= 3:  # an assignment; what is assigned to is no name of SQL  # noqa: PLR2004
            sql = re.split(r":?=", sql, maxsplit=1)[1]
        if mode >= 2:  # noqa: PLR2004
            prefix = "SELECT "
        inner = replace(text, sql=prefix + sql, line=line, kind=kind, what="expression")
        try:
            statements = parse_sql(inner.sql)
        except ParseError as error:
            self.unparsed.append((inner, str(error)))
            return None
        look = None
        for raw in statements:
            look = self._walked(inner, raw.stmt)
        return look

    # dynamic SQL

    def generated(self, text: Text, line: int, value: str) -> None:
        """Look at a string that is, or is a part of, a statement to be run under a path that is not ours."""
        if re.match(r"\s*(BEGIN|DECLARE)\s", value):
            body = re.sub(r"%(\d+\$)?L", f"'{STAND_IN}'", value)
            body = re.sub(r"%(\d+\$)?I", STAND_IN, body)
            # a whole statement, and what may follow one
            body = re.sub(r"(?m)^(\s*)%s;$", rf"\1SELECT {STAND_IN};", body)
            body = re.sub(r"(?<=[\w)])%s;", ";", body)
            body = re.sub(r"%(\d+\$)?s", STAND_IN, body).replace("%%", "%")
            self._body(text, body, line)
            return
        is_statement = _STARTS.match(value) and " " in value.strip()
        if not is_statement and not re.search(r"%(\d+\$)?[sIL]", value):
            return
        filled_ = _filled_format(value)
        sql = filled_ and parsable(filled_, holes=r"%(?:\d+\$)?s")
        if sql is None:
            if is_statement and re.search(r"%(\d+\$)?[sIL]", value):
                self.unparsed.append((replace(text, sql=value, line=line, what="fragment"), "no parse"))
            return
        inner = replace(text, sql=sql, line=line, what="fragment")
        for raw in parse_sql(sql):
            look = self._walked(inner, raw.stmt)
            for _, string in look.strings:
                if string != value:
                    self.generated(text, line, string)


def _filled_format(value: str) -> str:
    value = re.sub(r"%(\d+\$)?L", "'x'", value)
    return re.sub(r"%(\d+\$)?I", STAND_IN, value).replace("%%", "%")


def _line(text: Text, location: int) -> int:
    return text.line + text.sql.count("\n", 0, location)


def _line_of(text: Text, body: str) -> int:
    at = text.sql.find(body)
    return _line(text, at if at >= 0 else 0)


PIN = re.compile(r"set_config\('search_path',\s*'pg_catalog, pg_temp'|SET LOCAL search_path (TO|=) pg_catalog, pg_temp")
UNPIN = re.compile(r"set_config\('search_path'|SET LOCAL search_path|RESET search_path|\A\s*(COMMIT|ROLLBACK)")


class _Body:
    """Walks through a PL/pgSQL body in the order of its statements, and knows where it is pinned.

    A function that sets no search_path is of kind A; where it pins itself it is of kind B until it lets go.
    A function of kind B is of kind A between ``SET LOCAL search_path TO DEFAULT`` and the pin that follows.
    """

    def __init__(self, lint: Lint, text: Text, body: str, line: int, first: int) -> None:
        self.lint = lint
        self.text = text
        self.body = body
        self.line = line
        self.first = first
        self.kind: Kind = text.kind
        self.at = line
        self.executed: dict[str, Kind] = {}
        self.assigned: list[tuple[str, list[str], int]] = []

    def look(self, function: dict[str, Any]) -> None:
        for datum in function.get("datums", ()):
            ((what, variable),) = datum.items()
            if "lineno" not in variable:
                continue
            self.at = self.line + variable["lineno"] - self.first
            if what == "PLpgSQL_var":
                self._type(variable["datatype"]["PLpgSQL_type"]["typname"], variable["refname"])
                if "default_val" in variable:
                    look = self._expression(variable["default_val"]["PLpgSQL_expr"])
                    if look:
                        self.assigned.append((variable["refname"], [v for _, v in look.strings], self.at))
            elif what == "PLpgSQL_rec" and self.kind == "A":
                declared = re.search(rf"^\s*{variable['refname']}\s+record\b", self.body, re.M | re.I)
                if declared:
                    self._breach("record", "type without a schema")
        self._walk(function["action"])
        for name, strings, line in self.assigned:
            if name in self.executed:
                for value in strings:
                    self.lint.generated(replace(self.text, kind=self.executed[name]), line, value)

    def _breach(self, name: str, rule: str) -> None:
        self.lint.violations.append(Violation(self.text.file, self.at, self.kind, name, rule))

    def _type(self, name: str, variable: str) -> None:
        if name.startswith("UNKNOWN") or not name or variable in ("sqlstate", "sqlerrm"):
            return
        # the parser of PL/pgSQL gives the name that it found in the catalog; how it was written, the text says
        declared = re.search(rf"^\s*{variable}\s+(?:CONSTANT\s+)?([\w.]+)", self.body, re.M | re.I)
        if declared and re.match(r"pg_catalog\.|(integer|bigint|smallint|boolean)$", declared[1], re.I):
            return
        self.lint.expression(self.text, f"NULL::{name.replace('%TYPE', '').replace('%ROWTYPE', '')}", self.at, 2, self.kind)

    def _expression(self, expr: dict[str, Any]) -> _Look | None:
        line = self.at
        start = expr["query"].strip()[:30].split("\n")[0]
        lines = self.body.split("\n")
        for ahead in range(max(self.at - self.line, 0), min(self.at - self.line + 40, len(lines))):
            if start in lines[ahead]:
                line = self.line + ahead
                break
        query = expr["query"].lstrip()
        return self.lint.expression(self.text, query, line, expr.get("parseMode", 0), self.kind)

    def _walk(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self._walk(item)
            return
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            if key == "PLpgSQL_expr":
                self._expression(value)
            elif key.startswith("PLpgSQL_stmt_"):
                self._stmt(key.removeprefix("PLpgSQL_stmt_"), value)
            elif key not in ("target", "datatype", "var"):
                self._walk(value)

    def _stmt(self, what: str, stmt: dict[str, Any]) -> None:
        if "lineno" in stmt:
            self.at = self.line + stmt["lineno"] - self.first
        said = json.dumps(stmt) if what in ("perform", "execsql", "set", "commit", "rollback") else ""
        if what in ("commit", "rollback"):
            self.kind = self.text.kind
            return
        if what in ("dynexecute", "dynfors", "return_query"):
            self._dynamic(stmt)
        if what in ("assign", "execsql"):
            self._assignment(what, stmt)
        if what in ("loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors"):
            before = self.kind
            held = len(self.lint.violations)
            self._walk(stmt)
            if self.kind != before and "A" in (self.kind, before):
                # what is pinned at the first turn only is not pinned
                del self.lint.violations[held:]
                self.kind = "A"
                self._walk(stmt)
            return
        self._walk(stmt)
        if PIN.search(said):
            self.kind = "B"
        elif UNPIN.search(said.replace('"query": "', "\n")):
            self.kind = "A"

    def _dynamic(self, stmt: dict[str, Any]) -> None:
        expr = stmt.get("query") or stmt.get("dynquery")
        if not expr:
            return
        query = expr["PLpgSQL_expr"]["query"] if "PLpgSQL_expr" in expr else ""
        try:
            (raw,) = parse_sql(f"SELECT {query}")
        except ParseError:
            return
        if "dynquery" not in stmt and stmt.get("query") and "PLpgSQL_expr" in stmt["query"]:
            mode = stmt["query"]["PLpgSQL_expr"].get("parseMode", 0)
            if mode != 2:  # noqa: PLR2004  (RETURN QUERY of a static statement)
                return
        look = _Look(query, "A")
        look.walk(raw.stmt)
        for _, value in look.strings:
            self.lint.generated(replace(self.text, kind=self.kind), self.at, value)
        for name in re.findall(r"\bv_\w+", query):
            # of two places the one that is not pinned
            self.executed[name.lower()] = min(self.executed.get(name.lower(), "B"), self.kind)

    def _assignment(self, what: str, stmt: dict[str, Any]) -> None:
        if what == "assign":
            query = stmt["expr"]["PLpgSQL_expr"]["query"]
            target, _, value = re.split(r"(:?=)", query, maxsplit=1)
            targets, sql = [target.strip().lower()], f"SELECT {value}"
        elif stmt.get("into"):
            targets = re.findall(r'"name": "(\w+)"|"refname": "(\w+)"', json.dumps(stmt.get("target", {})))
            targets = [a or b for a, b in targets]
            sql = stmt["sqlstmt"]["PLpgSQL_expr"]["query"]
        else:
            return
        try:
            (raw,) = parse_sql(sql)
        except (ParseError, ValueError):
            return
        look = _Look(sql, "A")
        look.walk(raw.stmt)
        for name in targets:
            self.assigned.append((name, [v for _, v in look.strings], self.at))


def lint(gather: Callable[[], Iterator[Text]] = texts) -> Lint:
    """Look at all texts."""
    found = Lint()
    for text in gather():
        found.look(text)
    return found


def main() -> int:
    """Print the violations, and what could not be parsed."""
    found = lint()
    for violation in sorted(set(found.violations)):
        print(violation)  # noqa: T201
    for text, error in found.unparsed:
        print(f"{text.file}:{text.line}: [{text.kind}] cannot be parsed: {error}: {text.sql[:200]!r}")  # noqa: T201
    print(f"{len(set(found.violations))} violations in {found.parsed} parsed texts, {len(found.unparsed)} not parsed")  # noqa: T201
    return 1 if found.violations or found.unparsed else 0


if __name__ == "__main__":
    sys.exit(main())
