"""The names in our SQL: which break the rule of their text's kind (see sqltext.py), and which there are at all.

``python tests/sqlnames.py`` prints the violations.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import A_Expr_Kind, CoercionForm, ObjectType, SubLinkType
from pglast.parser import ParseError
from sqltext import BEGINS, PLATFORM_TABLES, STAND_IN, Kind, Text, filled, parsable, parses, texts

from sessiondb import resources

REQUIRED_COLUMNS = {
    "orgs": {"id"},
    "courses": {"id"},
    "org_members": {"org_id", "user_id"},
    "sessions": {"id", "org_id", "course_id", "status", "created_at"},
    "enrollments": {"user_id", "course_id", "session_id"},
    "submissions": {"user_id", "session_id"},
}
"""The columns that each command makes sure of: ``o.slug`` calls a function ``slug(orgs)`` where there is no such column."""


def _fired_by_others() -> set[str]:
    """Return the functions that applications call or fire, which pin the path that apply began with, and what they call."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (resources.SQL / "functions").glob("*.sql")}
    found = {name for name, text in sources.items() if "SET search_path FROM CURRENT" in text}
    while (
        called := {called for name in found for called in re.findall(r"sessiondb\.(\w+)\(", sources[name])}
        & {*sources} - found
    ):
        found |= called
    return {f"sql/functions/{name}.sql" for name in found}


NOBODY_LOOKED = _fired_by_others()
"""Where no command of ours has looked before whether the columns are there."""

NO_CODE_OF_THE_PLATFORM = {
    "sql/functions/note_change.sql": "its table is sessiondb.changed_rows_of_...",
    "sql/functions/lock_table.sql": "LOCK TABLE runs nothing of the platform's",
    "sql/functions/hold_tables.sql": "nor does PREPARE",
}
"""Functions of kind B that run a statement on a table whose name is put in, and why they may."""

OUR_PATH = ["pg_catalog", "pg_temp"]

RUNS_ON_PLATFORM = "run_on_platform"
"""Our procedure that runs a statement under the path that the connection began with."""


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


@dataclass
class Names:
    """What texts look up by name.

    Attributes:
        functions: each with the number of its arguments.
        columns: tables of the platform, each with a column that is written ``alias.column``.
    """

    operators: set[str] = field(default_factory=set)
    functions: set[tuple[str, int]] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    relations: set[str] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Lint:
    """What was found in texts.

    Attributes:
        violations: of the rule of names.
        names: all that are looked up.
        parsed: how many statements, expressions and pieces of dynamic SQL were looked at.
        unparsed: what could not be parsed, and why.
    """

    violations: set[Violation] = field(default_factory=set)
    names: Names = field(default_factory=Names)
    parsed: int = 0
    unparsed: list[str] = field(default_factory=list)

    def look(self, text: Text) -> list[tuple[int, str]]:
        """Look at a text and at all that is in it; return its string constants with their lines."""
        strings = []
        for begins, statement in self._parsed(text):
            if isinstance(statement, ast.CreateFunctionStmt):
                self._function(text, begins, statement)
            elif isinstance(statement, ast.DoStmt):
                body = next(option.arg.sval for option in statement.args or () if option.defname == "as")
                Body(self, text.part(body, begins)).look()
            else:
                strings += (found := self.walk(text, statement))
                if isinstance(statement, ast.VariableSetStmt) and statement.name == "search_path":
                    text = replace(text, kind="B" if _strings_of(statement.args) == OUR_PATH else "A")
                elif [value for _, value in found[:1]] == ["search_path"]:  # of set_config()
                    text = replace(text, kind="A")
        if text.file.startswith("sql/steps/") and text.kind == "B":
            for line, value in strings:
                self.generated(replace(text, kind="A", line=line), value)
        return strings

    def walk(self, text: Text, statement: Any) -> list[tuple[int, str]]:
        """Look at a parsed statement or expression."""
        self.parsed += 1
        walk = Walk(text, self.names)
        walk.through(statement)
        self.violations.update(
            Violation(text.file, text.line_at(at), text.kind, name, rule) for at, name, rule in walk.found
        )
        return [(text.line_at(at), value) for at, value in walk.strings]

    def _parsed(self, text: Text) -> list[tuple[int, Any]]:
        try:
            return [(raw.stmt_location or 0, raw.stmt) for raw in parse_sql(text.sql)]
        except ParseError as error:
            self.unparsed.append(f"{text.file}:{text.line}: {error}: {text.sql[:200]!r}")
            return []

    def _function(self, text: Text, begins: int, statement: ast.CreateFunctionStmt) -> None:
        """Look at the body of a function, and at the defaults of its arguments.

        The types in its head may do without a schema: pg_catalog comes first on every path that preflight lets pass,
        and the session that creates the function has no temporary types.
        """
        if len(statement.funcname or ()) == 1:
            self.violations.add(Violation(text.file, text.line, text.kind, "function", "function without a schema"))
        for parameter in statement.parameters or ():
            self.walk(replace(text, kind="A"), parameter.defexpr)
        if statement.sql_body:
            self.walk(replace(text, kind="A"), statement.sql_body)
            return
        options = {option.defname: option.arg for option in statement.options or ()}
        body = options["as"][0].sval
        paths = [o.arg for o in statement.options or () if o.defname == "set" and o.arg.name == "search_path"]
        kind: Kind = "B" if any(_strings_of(path.args) == OUR_PATH for path in paths) else "A"
        inner = replace(text.part(body, begins), kind=kind)
        if options["language"].sval == "plpgsql":
            head = text.sql[begins : text.sql.find(body, begins)]
            Body(self, inner, function=f"{head}{body}{re.findall(r'[$][^$]*[$]', head)[-1]}").look()
        else:
            self.look(inner)

    def generated(self, text: Text, value: str) -> None:
        """Look at a string that is a statement, or a part of one, which is put together by ``format()``."""
        has_holes = re.search(r"%(\d+\$)?[sIL]", value)
        whole = value = filled(value)
        value = re.sub(r"%(\d+\$)?I", STAND_IN, re.sub(r"%(\d+\$)?L", "'x'", value))
        if re.match(r"\s*(BEGIN|DECLARE)\s", value):
            # a whole statement; what may follow one; a name or an expression
            value = re.sub(r"(?m)^(\s*)%(\d+\$)?s;$", rf"\1SELECT {STAND_IN};", value)
            value = re.sub(r"(?<=[\w)])%(\d+\$)?s;", ";", value)
            value = re.sub(r"%(\d+\$)?s(?= (?:\w+\.)?put_in)", "OPERATOR(pg_catalog.=)", value)
            value = re.sub(r"%(\d+\$)?s", STAND_IN, value).replace("%%", "%")
            Body(self, replace(text, sql=value)).look()
            return
        is_statement = BEGINS.match(value) and " " in value.strip()
        if value == "DO 'x'" or not (is_statement or (has_holes and _LOOKS_UP.search(value))):
            return
        sql = parsable(value.replace("%%", "%"), re.compile(r"%(?:\d+\$)?s"))
        if sql is None and parses(whole) and "%" not in re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", whole):
            sql = whole  # the holes are those of format() in it
        if sql is None:
            if is_statement and has_holes:
                self.unparsed.append(f"{text.file}:{text.line}: {value[:200]!r}")
            return
        for line, string in self.look(replace(text, sql=sql)):
            if string not in (value, sql):
                self.generated(replace(text, line=line), string)


CALLS_A_FUNCTION = "calls {}({}) where there is no such column"
NEEDLESS_PREFIX = "needless prefix in B"
_LOOKS_UP = re.compile(r"[=<>~|(]|::|\b(IS|IN|LIKE|BETWEEN)\b")


class Walk:
    """A walk through one parsed statement.

    Attributes:
        found: where in the text, the name, and what is wrong with it.
        strings: the string constants, each with its place.
    """

    def __init__(self, text: Text, names: Names) -> None:
        self.text = text
        self.is_a = text.kind == "A"
        self.names = names
        self.found: list[tuple[int, str, str]] = []
        self.strings: list[tuple[int, str]] = []
        self._at = 0

    def through(
        self, tree: object, ctes: frozenset[str] = frozenset(), aliases: Mapping[str, str] | None = None
    ) -> None:
        """Walk on, from here down.

        Args:
            tree: a node of the parse tree, or several.
            ctes: the names of the queries of WITH that can be seen here.
            aliases: of tables of the platform.
        """
        if isinstance(tree, tuple | list):
            for item in tree:
                self.through(item, ctes, aliases)
        if not isinstance(tree, ast.Node):
            return
        node: Any = tree
        if getattr(node, "location", None) not in (None, -1):
            self._at = node.location
        if getattr(node, "withClause", None) is not None:
            ctes = ctes | {cte.ctename for cte in node.withClause.ctes}
        if isinstance(node, ast.SelectStmt | ast.UpdateStmt | ast.DeleteStmt | ast.InsertStmt | ast.MergeStmt):
            aliases = {**(aliases or {}), **_aliases(node)}
        if isinstance(node, ast.RangeVar):
            self._relation(node, ctes)
        elif isinstance(node, ast.ColumnRef):
            self._column(node, aliases or {})
        else:
            look = getattr(self, f"_on_{type(node).__name__.lower()}", None)
            if look is not None:
                look(node)
        for slot in node.__slots__:
            # FOR UPDATE OF: an alias. The arguments of a function that is named: see Lint._function().
            if slot not in ("lockedRels", "objargs", "objfuncargs"):
                self.through(getattr(node, slot), ctes, aliases)

    def _wrong(self, name: str, rule: str) -> None:
        self.found.append((self._at, name, rule))

    def _must_have_schema(self, what: str, names: list[str], least: int = 2) -> None:
        """What is looked up in a schema: in A it is written, in B that of PostgreSQL is not."""
        if self.is_a and len(names) < least and names[0] != STAND_IN:
            self._wrong(".".join(names), f"{what} without a schema")
        elif not self.is_a and names[0] == "pg_catalog":
            self._wrong(".".join(names), NEEDLESS_PREFIX)

    def _looks_up_by_itself(self, name: str, *operators: str) -> None:
        self.names.operators.update(operators)
        if self.is_a:
            self._wrong(name, "looks an operator up by itself")

    def _relation(self, node: ast.RangeVar, ctes: frozenset[str]) -> None:
        schema, name = node.schemaname, str(node.relname)
        if schema is None and name in ctes:
            return
        self.names.relations.add(f"{schema}.{name}" if schema else name)
        if self.is_a:
            self._must_have_schema("relation", [*([schema] if schema else []), name])
        elif STAND_IN in (schema, name):
            if self.text.file not in NO_CODE_OF_THE_PLATFORM and schema != "sessiondb":
                self._wrong(name, "what is put in may be a relation of the platform, and B names none")
        elif schema == "pg_catalog":
            self._wrong(f"pg_catalog.{name}", NEEDLESS_PREFIX)
        elif schema != "sessiondb" and (schema or not name.startswith("pg_")):
            self._wrong(f"{schema}.{name}" if schema else name, "B names a relation that is not ours")

    def _column(self, node: ast.ColumnRef, aliases: Mapping[str, str]) -> None:
        names = _strings(node.fields)
        if len(names) < 2 or names[-1] == "*" or names[-2] not in aliases:
            return
        table, column = aliases[names[-2]], names[-1]
        self.names.columns.add((table, column))
        if self.is_a and (column not in REQUIRED_COLUMNS[table] or self.text.file in NOBODY_LOOKED):
            self._wrong(".".join(names), CALLS_A_FUNCTION.format(column, table))

    def _on_funccall(self, node: ast.FuncCall) -> None:
        names = _strings(node.funcname)
        if node.funcformat == CoercionForm.COERCE_SQL_SYNTAX or names == ["course_of"]:  # EXTRACT(...); our own
            return
        self.names.functions.add((".".join(names), len(node.args or ())))
        self._must_have_schema("function", names)
        if names[-1] == "current_schema":
            self._wrong("current_schema()", "is the first schema of whatever path it is, not the platform's")
        if names[-1] in ("to_regclass", "to_regtype", "to_regproc", "to_regprocedure") and node.args:
            self._name_in_string(node.args[0])

    def _on_typename(self, node: ast.TypeName) -> None:
        names = _strings(node.names)
        if not names:
            return
        self.names.types.add(names[-1])
        written = self.text.sql[node.location :] if node.location not in (None, -1) else ""
        if not self.is_a:
            # the grammar itself puts pg_catalog before what it knows: integer, boolean
            if names[0] != "pg_catalog" or written.startswith("pg_catalog."):
                self._must_have_schema("type", names)
            if names[0] == "platform":
                self._wrong(".".join(names), "B names a type of the platform")
        elif names[-1] == "json" and not written.startswith("pg_catalog."):
            self._wrong("json", "type without a schema (the grammar knows it from PostgreSQL 16 on)")
        else:
            self._must_have_schema("type", names, least=3 if node.pct_type else 2)

    def _on_typecast(self, node: ast.TypeCast) -> None:
        if node.typeName is not None and _strings(node.typeName.names)[-1] in _NAMING_TYPES:
            self._name_in_string(node.arg)

    def _name_in_string(self, argument: Any) -> None:
        """Look at a constant that a type like regclass looks up."""
        if isinstance(argument, ast.TypeCast):
            argument = argument.arg
        value = getattr(getattr(argument, "val", None), "sval", None)
        if value is not None and self.is_a and "." not in value:
            self._wrong(f"'{value}'", "name in a string without a schema")
        elif value is not None and not self.is_a and value.removeprefix("platform.") in PLATFORM_TABLES:
            self._wrong(f"'{value}'", "B names a relation that is not ours")

    def _operator(self, names: list[str]) -> None:
        if names:
            self.names.operators.add(names[-1])
            self._must_have_schema("operator", names)

    def _on_a_expr(self, node: ast.A_Expr) -> None:
        hidden = _HIDDEN.get(node.kind)
        if hidden is None:
            self._operator(_strings(node.name))
        else:
            self._looks_up_by_itself(
                hidden[0], *hidden[1].split(), *(n for n in _strings(node.name) if n[0] in "=<>!~")
            )

    def _on_sublink(self, node: ast.SubLink) -> None:
        if node.operName:
            self._operator(_strings(node.operName))
        elif node.subLinkType == SubLinkType.ANY_SUBLINK:
            self._looks_up_by_itself("IN (SELECT ...)", "=")

    def _on_caseexpr(self, node: ast.CaseExpr) -> None:
        if node.arg is not None:
            self._looks_up_by_itself("CASE x WHEN", "=")

    def _on_joinexpr(self, node: ast.JoinExpr) -> None:
        if node.usingClause or node.isNatural:
            self._looks_up_by_itself("JOIN USING", "=")

    def _on_sortby(self, node: ast.SortBy) -> None:
        self._operator(_strings(node.useOp))

    def _on_indexelem(self, node: ast.IndexElem) -> None:
        for what, names in (("operator class", node.opclass), ("collation", node.collation)):
            if names:
                self._must_have_schema(what, _strings(names))

    def _on_collateclause(self, node: ast.CollateClause) -> None:
        self._must_have_schema("collation", _strings(node.collname))

    def _on_objectwithargs(self, node: ast.ObjectWithArgs) -> None:
        self._must_have_schema("function", _strings(node.objname))

    def _on_createtrigstmt(self, node: ast.CreateTrigStmt) -> None:
        self._must_have_schema("function", _strings(node.funcname))

    def _on_dropstmt(self, node: ast.DropStmt) -> None:
        for named in node.objects or ():
            self._object(node.removeType, named)

    def _on_commentstmt(self, node: ast.CommentStmt) -> None:
        self._object(node.objtype, node.object)

    def _object(self, kind: Any, named: Any) -> None:
        if isinstance(named, tuple):
            self._must_have_schema("object", _strings(named), least=3 if kind in _OF_A_TABLE else 2)

    def _on_a_const(self, node: ast.A_Const) -> None:
        value = getattr(node.val, "sval", None)
        if value:
            self.strings.append((self._at, value))


_NAMING_TYPES = ("regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator")
_OF_A_TABLE = (
    ObjectType.OBJECT_COLUMN,
    ObjectType.OBJECT_TRIGGER,
    ObjectType.OBJECT_TABCONSTRAINT,
    ObjectType.OBJECT_POLICY,
    ObjectType.OBJECT_RULE,
)
_HIDDEN: dict[A_Expr_Kind | None, tuple[str, str]] = {
    A_Expr_Kind.AEXPR_DISTINCT: ("IS DISTINCT FROM", "="),
    A_Expr_Kind.AEXPR_NOT_DISTINCT: ("IS NOT DISTINCT FROM", "="),
    A_Expr_Kind.AEXPR_NULLIF: ("NULLIF", "="),
    A_Expr_Kind.AEXPR_IN: ("IN", ""),
    A_Expr_Kind.AEXPR_LIKE: ("LIKE", ""),
    A_Expr_Kind.AEXPR_ILIKE: ("ILIKE", ""),
    A_Expr_Kind.AEXPR_SIMILAR: ("SIMILAR TO", ""),
    A_Expr_Kind.AEXPR_BETWEEN: ("BETWEEN", "<= >="),
    A_Expr_Kind.AEXPR_NOT_BETWEEN: ("NOT BETWEEN", "< >"),
    A_Expr_Kind.AEXPR_BETWEEN_SYM: ("BETWEEN SYMMETRIC", "<= >="),
    A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM: ("NOT BETWEEN SYMMETRIC", "< >"),
}
"""What looks operators up that cannot be written with a schema, and which."""


def _strings(nodes: Iterable[Any] | None) -> list[str]:
    return [getattr(node, "sval", "*") for node in nodes or ()]


def _strings_of(constants: Iterable[Any] | None) -> list[str]:
    return [getattr(getattr(constant, "val", None), "sval", "") for constant in constants or ()]


def _aliases(statement: Any) -> dict[str, str]:
    """Return the aliases of tables of the platform in the FROM of a statement."""
    found: dict[str, str] = {}

    def look(item: Any) -> None:
        if isinstance(item, tuple | list):
            for one in item:
                look(one)
        elif isinstance(item, ast.JoinExpr):
            look((item.larg, item.rarg))
        elif isinstance(item, ast.RangeVar) and item.relname in PLATFORM_TABLES and item.schemaname != "sessiondb":
            found[str(item.alias.aliasname if item.alias else item.relname)] = item.relname

    for slot in ("fromClause", "usingClause", "relation", "sourceRelation"):
        look(getattr(statement, slot, None))
    return found


class Body:
    """A walk through the body of a function or of DO, statement after statement, that knows where it is pinned.

    A body of kind A that sets the path to ours is of kind B from there on, and one of kind B is of kind A where the
    path is the DEFAULT, or another.

    Args:
        lint: is told what is found.
        text: the body.
        function: the statement that creates it; None for DO.
    """

    def __init__(self, lint: Lint, text: Text, function: str | None = None) -> None:
        self.lint = lint
        self.text = text
        self.function = function
        self.kind = text.kind
        self.line = text.line
        self.lines = text.sql.split("\n")
        self.exits: list[Kind] = []
        self.executed: dict[str, Kind] = {}
        self.assigned: list[tuple[str, int, str]] = []

    def look(self) -> None:
        """Look at declarations, statements and what they execute."""
        source = self.function or f"DO $the_body$\n{self.text.sql}$the_body$"
        # the parser knows of no type whether it is an array, as a variadic argument has to be
        source = re.sub(r"\bVARIADIC (?=\w+ )", "", source)
        try:
            ((function,),) = (tree.values() for tree in parse_plpgsql(source))
        except (ParseError, ValueError) as error:
            self.lint.unparsed.append(f"{self.text.file}:{self.text.line}: {error}: {self.text.sql[:200]!r}")
            return
        for datum in function.get("datums", ()):
            ((what, variable),) = datum.items()
            if "lineno" in variable and "refname" in variable:
                self._declared(what, variable)
        self._all([function["action"]])
        for name, line, value in self.assigned:
            if name in self.executed:
                self.lint.generated(replace(self.text, line=line, kind=self.executed[name]), value)

    def _at(self, statement: dict[str, Any]) -> None:
        if "lineno" in statement:
            self.line = self.text.line + statement["lineno"] - (1 if self.function else 2)

    def _declared(self, what: str, variable: dict[str, Any]) -> None:
        self._at(variable)
        written = self.lines[self.line - self.text.line]
        declared = re.search(
            rf"(?i)\b{variable['refname']}\s+(?:CONSTANT\s+)?([^;:=]+?)(%(?:ROW)?TYPE)?\s*(?::?=|;|NOT NULL|DEFAULT)",
            written,
        )
        if declared and what in ("PLpgSQL_var", "PLpgSQL_rec") and not re.search(r"(?i)\bCURSOR\b", declared[1]):
            # the parser of PL/pgSQL leaves schemas out
            self._sql(f"SELECT NULL::{declared[1]}", self.line)
        if "default_val" in variable:
            strings = self._expression(variable["default_val"]["PLpgSQL_expr"])
            self.assigned += [(variable["refname"], *string) for string in strings]

    def _expression(self, expr: dict[str, Any]) -> list[tuple[int, str]]:
        """Look at an expression or a statement; return its string constants."""
        query = expr["query"].strip()
        begins = query[:30].split("\n")[0]
        first = self.line - self.text.line
        ahead = (n for n in range(max(first, 0), min(first + 40, len(self.lines))) if begins in self.lines[n])
        line = self.text.line + next(ahead, first)
        mode = expr.get("parseMode", 0)
        if mode > 2:  # an assignment; its target is no name of SQL
            query = query.partition("=")[2]
        return self._sql(query if mode == 0 else f"SELECT {query}", line)

    def _sql(self, sql: str, line: int) -> list[tuple[int, str]]:
        return self.lint.look(replace(self.text, sql=sql, line=line, kind=self.kind))

    def _all(self, statements: Iterable[Any]) -> None:
        for statement in statements:
            ((what, content),) = statement.items()
            self._at(content)
            step = getattr(self, f"_{what.removeprefix('PLpgSQL_stmt_')}", None)
            if step is not None:
                step(content)
            else:
                self._inside(content)

    def _inside(self, node: Any) -> None:
        """Look at the expressions in a statement that is not made of others."""
        if isinstance(node, list):
            for item in node:
                self._inside(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "PLpgSQL_expr":
                    self._expression(value)
                elif key not in ("target", "datatype", "var"):
                    self._inside(value)

    def _branches(self, branches: Iterable[Iterable[Any]]) -> None:
        """Look at ways of which one is gone; pinned afterwards is what is so after each."""
        before, after = self.kind, []
        for branch in branches:
            self.kind = before
            self._all(branch)
            after.append(self.kind)
        self.kind = min(after, default=before)

    def _block(self, block: dict[str, Any]) -> None:
        before = self.kind
        self._all(block.get("body", ()))
        after = [self.kind]
        for handler in block.get("exceptions", {}).get("PLpgSQL_exception_block", {}).get("exc_list", ()):
            self.kind = before  # what the block has set is undone
            self._all(handler["PLpgSQL_exception"].get("action", ()))
            after.append(self.kind)
        self.kind = min(after)

    def _if(self, statement: dict[str, Any]) -> None:
        others = [branch["PLpgSQL_if_elsif"] for branch in statement.get("elsif_list", ())]
        self._inside([statement["cond"], *(branch["cond"] for branch in others)])
        bodies = [statement.get("then_body", ()), *(branch.get("stmts", ()) for branch in others)]
        self._branches([*bodies, statement.get("else_body", ())])

    def _case(self, statement: dict[str, Any]) -> None:
        branches = [branch["PLpgSQL_case_when"] for branch in statement.get("case_when_list", ())]
        self._inside([statement.get("t_expr"), *(branch["expr"] for branch in branches)])
        self._branches([*(branch.get("stmts", ()) for branch in branches), statement.get("else_stmts", ())])

    def _loop(self, loop: dict[str, Any]) -> None:
        self._inside({key: value for key, value in loop.items() if key != "body"})
        outer, self.exits = self.exits, []
        is_endless = set(loop) <= {"lineno", "body", "label"}
        before = self.kind
        known = set(self.lint.violations)
        self._all(loop.get("body", ()))
        if self.kind < before:  # pinned at the first turn alone is not pinned
            self.lint.violations = known
            self.kind, self.exits = "A", []
            self._all(loop.get("body", ()))
        ends = self.exits + ([] if is_endless else [before, self.kind])
        self.kind = min(ends, default=self.kind)
        self.exits = outer

    _while = _fori = _fors = _forc = _foreach_a = _loop

    def _dynfors(self, loop: dict[str, Any]) -> None:
        self._dynamic(loop["query"])
        self._loop(loop)

    def _exit(self, statement: dict[str, Any]) -> None:
        self._inside(statement)
        if statement.get("is_exit"):
            self.exits.append(self.kind)

    def _commit(self, statement: dict[str, Any]) -> None:
        self.kind = self.text.kind

    _rollback = _commit

    def _perform(self, statement: dict[str, Any]) -> None:
        query = statement["expr"]["PLpgSQL_expr"]["query"]
        self._inside(statement)
        if re.search(r"\bset_config\(\s*'search_path'", query):
            self.kind = "B" if re.search(r"'search_path',\s*'pg_catalog, pg_temp'", query) else "A"

    def _execsql(self, statement: dict[str, Any]) -> None:
        expr = statement["sqlstmt"]["PLpgSQL_expr"]
        strings = self._expression(expr)
        if statement.get("into"):
            named = re.findall(r"'(?:name|refname)': '(\w+)'", str(statement.get("target")))
            self.assigned += [(name, *string) for name in named for string in strings]
        if match := re.match(r"SET (?:LOCAL )?search_path (?:TO|=) (.*)|RESET search_path()", expr["query"].strip()):
            self.kind = "B" if match[1] == "pg_catalog, pg_temp" else "A"

    def _assign(self, statement: dict[str, Any]) -> None:
        expr = statement["expr"]["PLpgSQL_expr"]
        name = re.split(r"[\s:=\[.]", expr["query"].strip())[0].lower()
        self.assigned += [(name, *string) for string in self._expression(expr)]

    def _call(self, statement: dict[str, Any]) -> None:
        if RUNS_ON_PLATFORM in statement["expr"]["PLpgSQL_expr"]["query"]:
            self._dynamic(statement["expr"], "A")
        else:
            self._inside(statement)

    def _dynexecute(self, statement: dict[str, Any]) -> None:
        self._dynamic(statement["query"])
        self._inside(statement.get("params", ()))

    def _return_query(self, statement: dict[str, Any]) -> None:
        if "dynquery" in statement:
            self._dynamic(statement["dynquery"])
            self._inside(statement.get("params", ()))
        else:
            self._inside(statement)

    def _dynamic(self, query: dict[str, Any], kind: Kind | None = None) -> None:
        """Look at a statement that is put together, or kept in a variable, and executed."""
        kind = kind or self.kind
        for line, value in self._expression(query["PLpgSQL_expr"]):
            self.lint.generated(replace(self.text, line=line, kind=kind), value)
        for name in re.findall(r"\b[a-z]\w*", query["PLpgSQL_expr"]["query"].lower()):
            self.executed[name] = min(self.executed.get(name, "B"), kind)


def lint(all_texts: Iterator[Text] | None = None) -> Lint:
    """Look at all texts."""
    found = Lint()
    for text in all_texts or texts():
        found.look(text)
    return found


def main() -> int:
    """Print the violations, and what could not be parsed."""
    found = lint()
    for line in [*map(str, sorted(found.violations)), *(f"cannot be parsed: {line}" for line in found.unparsed)]:
        print(line)  # noqa: T201
    number = len(found.violations)
    print(f"{number} violations in {found.parsed} parsed texts; {len(found.unparsed)} not parsed")  # noqa: T201
    return 1 if number or found.unparsed else 0


if __name__ == "__main__":
    sys.exit(main())
