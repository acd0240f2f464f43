"""What a rival who may create things in the platform's schema can put in the way of every name that our SQL looks up.

What types the arguments of an operator or a function have is known when PostgreSQL has analysed a statement. So the
commands are run once on a platform without traps, with ``debug_print_parse``; the trees in the server's log show every
operator and function that was looked up, in functions and dynamic SQL, too, and the types that it was called with.

Each trap leaves a mark when a role other than the rival runs it: it calls a function whose calls the server counts
(``track_functions``). That count outlives a rollback, holds in read-only transactions, and no handler catches it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

from conftest import PlatformDatabase
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlnames import Names
from sqltext import PLATFORM_TABLES, STAND_IN

from sessiondb.connection import Connection

RIVAL = "sessiondb_rival"

# what was looked up


Columns = dict[str, list[tuple[str, str]]]
"""Relations, each with its columns and their types."""


@dataclass(frozen=True)
class Call:
    """An operator or function that was looked up.

    Attributes:
        oid: of the operator or function that was found; 0 for one that is not among those.
        is_operator: whether it is an operator.
        types: of its arguments, before any was converted; -1 where the last is of an array's elements.
        result: its type.
    """

    oid: int
    is_operator: bool
    types: tuple[int, ...]
    result: int


_VALUES = (
    "funcid|funcresulttype|funcretset|funcformat|opno|opresulttype|aggfnoid|aggtype|winfnoid|wintype|vartype|consttype"
    "|paramtype|resulttype|relabelformat|coerceformat|casetype|coalescetype|array_typeid|refrestype|minmaxtype|type"
    "|row_typeid|typeId|subLinkType"
)
_TOKENS = re.compile(rf"\\.|\{{[A-Z_]+|[{{}}()]|:(?:{_VALUES})\s+(?:true|false|-?\d+)|:[A-Za-z]+\s+(?=[{{(])")


def calls(log: str) -> set[Call]:
    """Return what the analysed statements in a server's log looked up."""
    # a tree ends where the next line of the log begins, with the time; its own lines begin with a tab
    bodies = {chunk[chunk.find("{QUERY") :].partition("\n2")[0] for chunk in log.split("LOG:  parse tree:\n")[1:]}
    found: set[Call] = set()
    for tokens in {tuple(_TOKENS.findall(body)) for body in bodies}:
        _collect(_tree(tokens), found)
    return found


def _tree(tokens: Iterable[str]) -> list[Any]:
    """Return nodes as dictionaries, lists as lists; what is left out of the tokens is left out here."""
    root: list[Any] = []
    stack: list[Any] = [root]
    key = ""
    for token in tokens:
        if token[0] in "{(":
            new: Any = {"node": token[1:]} if token[0] == "{" else []
            if isinstance(stack[-1], list):
                stack[-1].append(new)
            else:
                stack[-1].setdefault(key or "other", []).append(new)
            stack.append(new)
            key = ""
        elif token[0] in "})":
            if len(stack) > 1:
                stack.pop()
            key = ""
        elif token[0] == ":" and isinstance(stack[-1], dict):
            key, *value = token[1:].split()
            if value:
                stack[-1].setdefault(key, value[0])
                key = ""
    return root


_LOOKED_UP = {
    "OPEXPR": ("opno", "opresulttype"),
    "DISTINCTEXPR": ("opno", "opresulttype"),
    "NULLIFEXPR": ("opno", "opresulttype"),
    "SCALARARRAYOPEXPR": ("opno", ""),
    "FUNCEXPR": ("funcid", "funcresulttype"),
    "AGGREF": ("aggfnoid", "aggtype"),
    "WINDOWFUNC": ("winfnoid", "wintype"),
}
_EXPLICIT_CALL, _IMPLICIT_CAST = "0", "2"


def _collect(node: Any, found: set[Call]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if node["node"] in _LOOKED_UP and node.get("funcformat", _EXPLICIT_CALL) == _EXPLICIT_CALL:
            oid, result = _LOOKED_UP[node["node"]]
            types = [_type(argument) for argument in _arguments(node)]
            if node["node"] == "SCALARARRAYOPEXPR":
                types[-1] = -types[-1]  # of the elements of that array
            found.add(Call(int(node[oid]), oid == "opno", tuple(types), int(node.get(result, _BOOLEAN))))
        for value in node.values():
            if isinstance(value, list):
                _collect(value, found)


def _arguments(node: dict[str, Any]) -> list[Any]:
    (listed,) = node.get("args") or [[]]
    return [argument["expr"][0] if argument["node"] == "TARGETENTRY" else argument for argument in listed]


_BOOLEAN = 16
_TYPES = (
    *("vartype", "consttype", "paramtype", "funcresulttype", "opresulttype", "aggtype", "wintype", "resulttype"),
    *("casetype", "coalescetype", "array_typeid", "refrestype", "minmaxtype", "type", "row_typeid", "typeId"),
)


def _type(node: dict[str, Any]) -> int:
    """Return the type of an expression before it was converted for what it is an argument of; 0 for any."""
    formats = [node.get(name) for name in ("relabelformat", "coerceformat", "funcformat")]
    if _IMPLICIT_CAST in formats:
        inner = node.get("arg") or node.get("args", [[]])[0]
        return _type(inner[0])
    if node["node"] in ("BOOLEXPR", "NULLTEST", "BOOLEANTEST", "SCALARARRAYOPEXPR", "DISTINCTEXPR"):
        return _BOOLEAN
    if node["node"] == "SUBLINK":
        return _of_sublink(node)
    return next((int(node[name]) for name in _TYPES if name in node), 0)


def _of_sublink(node: dict[str, Any]) -> int:
    if node.get("subLinkType") in ("0", "1", "2", "3"):  # EXISTS, ALL, ANY, a comparison of rows
        return _BOOLEAN
    if node.get("subLinkType") == "4":  # one value
        first = node["subselect"][0]["targetList"][0][0]
        return _type(first["expr"][0])
    return 0


def columns(connection: Connection, schema: str, names: Names) -> Columns:
    """Return the columns of the relations that our texts name, in a database where sessiondb is installed."""
    found: Columns = {}
    connection.execute("SET search_path TO pg_catalog")  # so that types are written with their schemas
    for full_name in sorted({*names.relations, *(f"platform.{table}" for table in PLATFORM_TABLES)}):
        of, _, name = full_name.rpartition(".")
        if STAND_IN in full_name:
            continue
        found[name] = connection.execute(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a"
            "  JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            "  JOIN pg_type AS t ON t.oid = a.atttypid AND t.typtype <> 'p'"
            " WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [{"": "pg_catalog", "platform": schema}.get(of, of), name],
        ).fetchall()
    return {name: listed for name, listed in found.items() if listed}


# the traps

SPRUNG: LiteralString = """
SET search_path TO pg_catalog;
CREATE FUNCTION {schema}.sprung_operator() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION {schema}.sprung_function() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION {schema}.sprung_type() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION {schema}.sprung_relation() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION {schema}.springs(p_kind text, p_what text) RETURNS boolean LANGUAGE plpgsql AS $springs$
BEGIN
    IF current_user OPERATOR(pg_catalog.<>) {rival} THEN
        RAISE LOG 'sprung: % by %', p_what, current_user;
        IF p_kind OPERATOR(pg_catalog.=) 'operator' THEN
            PERFORM {schema}.sprung_operator();
        ELSIF p_kind OPERATOR(pg_catalog.=) 'function' THEN
            PERFORM {schema}.sprung_function();
        ELSIF p_kind OPERATOR(pg_catalog.=) 'type' THEN
            PERFORM {schema}.sprung_type();
        ELSE
            PERFORM {schema}.sprung_relation();
        END IF;
    END IF;
    RETURN true;
END
$springs$;
"""
"""What the traps call. Its own names are bound: it runs under the path of the role that springs it."""


def set_traps(connection: Connection, schema: str, names: Names, learnt: set[Call], shapes: Columns) -> int:
    """Make the traps as the rival, in the platform's schema; return how many.

    Args:
        connection: of a superuser, in a database with the platform.
        schema: the platform's.
        names: what our texts look up.
        learnt: what was looked up in another copy of the same database.
        shapes: what :func:`columns` found there.
    """
    named = {"schema": sql.Identifier(schema), "rival": sql.Literal(RIVAL)}
    connection.execute(
        sql.SQL("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}").format(**named, role=sql.Identifier(RIVAL))
    )
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(RIVAL)))
    connection.execute(sql.SQL(SPRUNG).format(**named))
    connection.execute("SELECT set_config('trap.schema', %s, false)", [schema])
    made = 0
    for statement in [
        *_operator_traps(connection, names, learnt),
        *_function_traps(connection, names, learnt),
        *_type_traps(connection, names),
        *_relation_traps(connection, shapes),
    ]:
        with connection.transaction():
            connection.execute(statement)
        made += 1
    connection.execute("RESET ROLE; RESET search_path")
    return made


def _rows(connection: Connection, query: LiteralString, *arguments: object) -> list[Any]:
    return connection.execute(query, arguments).fetchall()


def _body(schema: str, kind: str, what: str, *, is_set: bool = False) -> sql.Composable:
    body = sql.SQL("BEGIN PERFORM {}.springs({}, {}); {} END").format(
        sql.Identifier(schema), sql.Literal(kind), sql.Literal(what), sql.SQL("RETURN;" if is_set else "RETURN NULL;")
    )
    return sql.Literal(body.as_string(None))


def _schema(connection: Connection) -> str:
    ((schema,),) = _rows(connection, "SELECT current_setting('trap.schema')")
    return str(schema)


def _operator_traps(connection: Connection, names: Names, learnt: set[Call]) -> Iterator[sql.Composed]:
    """An operator for the types of each that was looked up, and of each name for two of each type of the platform."""
    schema = _schema(connection)
    looked_up = [
        (c.oid, *((0,) if len(c.types) == 1 else ()), *c.types) for c in learnt if c.is_operator and 0 not in c.types
    ]
    pairs = _rows(
        connection,
        """
        WITH looked_up AS (
            SELECT o.oprname AS name, f.l, CASE WHEN f.r < 0 THEN (SELECT t.typelem FROM pg_type AS t WHERE t.oid = -f.r) ELSE f.r END AS r,
                   o.oprresult AS result
              FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS f (oid, l, r)
              JOIN pg_operator AS o ON o.oid = f.oid
        ),
        of_platform AS (
            SELECT DISTINCT a.atttypid AS type
              FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
             WHERE c.relnamespace = quote_ident(current_setting('trap.schema'))::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        )
        SELECT DISTINCT ON (f.name, f.l, f.r) f.name, nullif(f.l, 0)::oid::regtype::text, f.r::oid::regtype::text, f.result::oid::regtype::text
          FROM (SELECT * FROM looked_up
                 UNION ALL
                SELECT n.name, p.type, p.type, (SELECT min(o.oprresult::bigint) FROM pg_operator AS o WHERE o.oprname = n.name AND o.oprresult::regtype::text NOT LIKE 'any%%')
                  FROM unnest(%s::name[]) AS n (name) CROSS JOIN of_platform AS p) AS f
          JOIN pg_type AS r ON r.oid = f.r AND r.typtype <> 'p'
          LEFT JOIN pg_type AS l ON l.oid = f.l
          JOIN pg_type AS t ON t.oid = f.result
         WHERE l.typtype IS DISTINCT FROM 'p'
           -- not one of an extension
           AND NOT EXISTS (
                SELECT FROM pg_operator AS o
                 WHERE o.oprnamespace = quote_ident(current_setting('trap.schema'))::regnamespace
                   AND (o.oprname, o.oprleft, o.oprright) = (f.name, f.l, f.r))
         ORDER BY f.name, f.l, f.r, f.result
        """,
        [call[0] for call in looked_up],
        [call[1] for call in looked_up],
        [call[2] for call in looked_up],
        sorted(names.operators - {"!="}),
    )
    for number, (name, left, right, result) in enumerate(pairs):
        function = sql.Identifier(schema, f"trap_{number}")
        arguments = [kind for kind in (left, right) if kind]
        what = f"operator {name} ({', '.join(arguments)})"
        yield sql.SQL("CREATE FUNCTION {}({}) RETURNS {} LANGUAGE plpgsql AS {}").format(
            function,
            _joined(arguments),
            _type_name("boolean" if result.startswith(("any", "record")) else result),
            _body(schema, "operator", what),
        )
        yield sql.SQL("CREATE OPERATOR {}.{} (FUNCTION = {}, {}RIGHTARG = {})").format(
            sql.Identifier(schema),
            sql.SQL(name),
            function,
            sql.SQL("LEFTARG = {}, ").format(_type_name(left)) if left else sql.SQL(""),
            _type_name(right),
        )


def _type_name(name: str) -> sql.SQL:
    return sql.SQL(name)  # as regtype spells it


def _joined(types: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(_type_name, types))


def _function_traps(connection: Connection, names: Names, learnt: set[Call]) -> Iterator[sql.Composed]:
    """A function for the types of each that was looked up, and for each ``alias.column`` one of that name."""
    schema = _schema(connection)
    looked_up = [c for c in learnt if not c.is_operator and 0 not in c.types]
    found = _rows(
        connection,
        """
        SELECT DISTINCT ON (p.proname, types.names)
               p.proname::text, types.names,
               CASE WHEN out.columns IS NOT NULL THEN format('TABLE (%%s)', out.columns)
                    ELSE CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || f.result::oid::regtype::text END,
               p.proretset OR out.columns IS NOT NULL
          FROM jsonb_to_recordset(%s) AS f (oid bigint, types bigint[], result bigint)
          JOIN pg_proc AS p ON p.oid = f.oid AND p.pronamespace = 'pg_catalog'::regnamespace
          JOIN pg_type AS t ON t.oid = f.result
         CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(u.type::oid::regtype::text ORDER BY u.place), '{}') AS names,
                       coalesce(bool_or(k.typtype = 'p'), false) AS are_pseudo
                  FROM unnest(f.types) WITH ORDINALITY AS u (type, place) JOIN pg_type AS k ON k.oid = u.type) AS types
         CROSS JOIN LATERAL (
                SELECT string_agg(format('%%I %%s', coalesce(nullif(p.proargnames[u.place], ''), 'column' || u.place), u.type::regtype), ', ' ORDER BY u.place) AS columns
                  FROM unnest(p.proallargtypes, p.proargmodes) WITH ORDINALITY AS u (type, mode, place)
                 WHERE u.mode IN ('o', 't') AND u.type::regtype::text NOT LIKE 'any%%') AS out
         WHERE NOT types.are_pseudo AND (t.typtype <> 'p' OR f.result = 'record'::regtype::oid::bigint AND (p.proretset OR out.columns IS NOT NULL))
        """,
        Jsonb([{"oid": c.oid, "types": [*c.types], "result": c.result} for c in looked_up]),
    )
    for name, types, result, is_set in found:
        yield sql.SQL("CREATE FUNCTION {}({}) RETURNS {} LANGUAGE plpgsql AS {}").format(
            sql.Identifier(schema, name),
            _joined(types),
            _type_name(result),
            _body(schema, "function", f"function {name}({', '.join(types)})", is_set=is_set),
        )
    for table, column in sorted(names.columns):
        yield sql.SQL("CREATE FUNCTION {}({}) RETURNS {} LANGUAGE plpgsql AS {}").format(
            sql.Identifier(schema, column),
            sql.Identifier(schema, table),
            sql.SQL("uuid" if column.endswith("id") else "timestamptz" if column.endswith("_at") else "text"),
            _body(schema, "function", f"function {column}({table})"),
        )


def _type_traps(connection: Connection, names: Names, schema: str | None = None) -> Iterator[sql.Composed]:
    """A domain of the name of each type of PostgreSQL's that we write, over that type."""
    where = _schema(connection)
    types = _rows(
        connection,
        "SELECT t.typname::text, t.oid::regtype::text FROM pg_type AS t WHERE t.typname = ANY (%s)"
        " AND t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typelem = 0 ORDER BY 1",
        [*names.types],
    )
    for name, of in types:
        yield sql.SQL("CREATE DOMAIN {}.{} AS {} CHECK ({}.springs('type', {}))").format(
            sql.Identifier(schema or where),
            sql.Identifier(name),
            sql.SQL(of),
            sql.Identifier(where),
            sql.Literal(f"type {name}"),
        )


def _relation_traps(connection: Connection, shapes: Columns, schema: str | None = None) -> Iterator[sql.Composed]:
    """A view of the name of each relation that we write, with its columns; where there is none of that name."""
    where = _schema(connection)
    for name, shape in shapes.items():
        there = connection.execute(
            "SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
            [schema or where, name],
        )
        if there.rowcount:
            continue
        shown = sql.SQL(", ").join(
            sql.SQL("NULL::{} AS {}").format(_type_name(kind), sql.Identifier(column)) for column, kind in shape
        )
        yield sql.SQL("CREATE VIEW {}.{} AS SELECT {} WHERE {}.springs('relation', {})").format(
            *map(sql.Identifier, (schema or where, name)), shown, sql.Identifier(where), sql.Literal(f"relation {name}")
        )
        yield sql.SQL("GRANT ALL ON {}.{} TO PUBLIC").format(*map(sql.Identifier, (schema or where, name)))


def set_temporary_traps(connection: Connection, schema: str, names: Names, shapes: Columns) -> int:
    """Make types and relations of all names in the temporary schema of a session, the platform's tables among them."""
    connection.execute("SELECT set_config('trap.schema', %s, false)", [schema])
    connection.execute("SET search_path TO pg_catalog")
    connection.execute("CREATE TEMPORARY TABLE a_temporary_schema ()")
    made = 0
    for statement in [*_type_traps(connection, names, "pg_temp"), *_relation_traps(connection, shapes, "pg_temp")]:
        connection.execute(statement)
        made += 1
    connection.execute("RESET search_path")
    return made


def sprung(db: PlatformDatabase) -> dict[str, int]:
    """Return how often traps of each kind were sprung in a database, once all who worked there have gone.

    PostgreSQL 14 counts calls in a process of its own, which is told of them when a session ends and shows a state that
    may be half a second old. It is told in order: once it shows a call of ours, it shows those before, too.
    """
    deadline = time.monotonic() + 20
    name = f"looks_{time.monotonic_ns()}"
    with db.connect() as connection:
        connection.execute("SET search_path TO pg_catalog")  # or this very query springs one
        while connection.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type IN ('client backend', 'parallel worker')"
        ).rowcount:
            assert time.monotonic() < deadline, "a session does not end"
            time.sleep(0.01)
        looks = sql.Identifier(db.platform.schema, name)
        connection.execute(sql.SQL("CREATE FUNCTION {}() RETURNS void LANGUAGE plpgsql AS 'BEGIN END'").format(looks))
        connection.execute(sql.SQL("SELECT {}()").format(looks))
    with db.connect() as connection:
        connection.execute("SET search_path TO pg_catalog")
        while True:
            seen: dict[str, int] = dict(
                connection.execute("SELECT funcname::text, calls FROM pg_stat_user_functions").fetchall()
            )
            if name in seen:
                return {function: times for function, times in seen.items() if function.startswith("sprung_")}
            assert time.monotonic() < deadline, "the server does not show what was called"
            time.sleep(0.02)


def marks(log: str) -> Iterator[tuple[str, str]]:
    """Yield which traps were sprung, and in which statement, as a server's log shows it."""
    for found in re.finditer(
        r"LOG:  sprung: (.*)\n(?:.*CONTEXT: (?:.*\n\t?)*?.*STATEMENT:  (.*(?:\n\t.*){0,3}))?", log
    ):
        yield found[1], " ".join((found[2] or "").split())[:200]
