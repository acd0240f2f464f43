"""What apply would run: as a list with the locks, or as a script for psql."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import sql

from sessiondb import __version__, ledger, objects, preflight, resources, steps
from sessiondb.citus import is_distributed
from sessiondb.connection import OUR_PATH, SILENCE, Connection, catalogs, trusted
from sessiondb.database import REACH, SETTINGS, Choices
from sessiondb.errors import UsageError
from sessiondb.locks import ADVISORY_KEY
from sessiondb.migrate import expanded, upgrade
from sessiondb.objects import missing
from sessiondb.resources import literal
from sessiondb.steps import Query, Statement, Step

BLOCKS = {
    "ACCESS EXCLUSIVE": "reads and writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "SHARE": "writes",
    "SHARE UPDATE EXCLUSIVE": "other DDL and vacuum",
    "ROW EXCLUSIVE": "other DDL",
    "ROW SHARE": "DROP and the like",
    "ACCESS SHARE": "DROP and the like",
}
"""What a table lock blocks (PostgreSQL manual, 13.3.1, table 13.2)."""

_PLATFORM_PATH = "pg_catalog.current_setting('sessiondb.platform_path')"


def _lock(mode: str, table: str, rows: int | None, size: int | None) -> dict[str, Any]:
    return {"mode": mode, "table": table, "blocks": BLOCKS[mode], "rows": rows, "bytes": size}


def plan(connection: Connection, migrations: Sequence[ledger.Migration]) -> list[dict[str, Any]]:
    """Return the statements that apply would run, by reading only.

    Args:
        connection: as :class:`sessiondb.database.Database` yields it.
        migrations: the migrations to apply, as :func:`sessiondb.migrate.pending` returns them.

    Returns:
        One object per statement: ``migration``, ``statement``, ``transactional`` (it commits with the others
        of its migration, else by itself), ``locks`` on tables of the platform, each ``{"mode", "table",
        "blocks", "rows", "bytes"}`` and held until the commit, and ``scans``, the table that is read
        completely, or None. No statement rewrites a table. ACCESS SHARE, which every query acquires, is not
        listed; ``rows`` is an estimate, None before the first ANALYZE.
    """
    has_records = not any(o.name == "objects" for o in missing(connection))
    steps_ = [*upgrade(connection, migrations), *([steps.comments()] if has_records else [])]
    statements = [
        (step, statement)
        for step in steps_
        for item in step.items
        for statement in ([item] if isinstance(item, Statement) else expanded(connection, item))
    ]
    with catalogs(connection):
        locked = sorted({table for _, statement in statements for table in statement.locks})
        query = resources.query("queries/table_sizes", f"{literal(locked)}::text[]")
        query = resources.with_citus(query, is_distributed=is_distributed(connection))
        sizes = {table: (rows, size) for table, rows, size in connection.execute(trusted(query))}
    return [
        {
            "migration": step.of,
            "statement": statement.text,
            "transactional": not step.each,
            "locks": [_lock(mode, table, *sizes.get(table, (None, None))) for table, mode in statement.locks.items()],
            "scans": statement.scans,
        }
        for step, statement in statements
    ]


def _settings(named: str | None, choices: Choices) -> dict[str, str]:
    return {
        **SETTINGS,
        **choices.settings(named or "public"),
        "sessiondb.is_named": "off" if named is None else "on",
        "statement_timeout": "0",
        "client_min_messages": "notice" if choices.adopt else "warning",
    }


def _trusted() -> str:
    """Return SQL that refuses a schema sessiondb of other roles, and tables of several owners if no schema is given."""
    return resources.query("script/trusted", "false")


def _uncommitted() -> str:
    """Return SQL that refuses a schema sessiondb in which another role may have created what is not committed yet."""
    return resources.query("script/uncommitted", "NULL::oid").rstrip()


def _hold() -> str:
    """Return SQL that holds schema sessiondb until the transaction ends, under any search_path."""
    return resources.query("script/hold_schema").rstrip(";")


def _first_look(migrations: Sequence[ledger.Migration], choices: Choices) -> str:
    """Return SQL that compares what is installed with the script."""
    contents = ", ".join(f"('{migration.id}', '{migration.sha256}')" for migration in migrations)
    text = resources.with_queries(resources.read("script/installed.sql")).replace("{migrations}", contents)
    text = text.replace("{keeps_staff}", str(choices.staff is None).lower())
    return text.replace("{version}", __version__).replace("{hold}", _hold()).rstrip()


def script(named: str | None, choices: Choices, lock_timeout: float) -> Iterator[str]:
    """Yield the lines of a psql script that does what apply does, including the ledger, without a connection.

    It can be run again after an interruption: applied migrations are skipped.

    Args:
        named: the platform's schema; None for public, unless other roles have such tables elsewhere.
        choices: as for apply.
        lock_timeout: the maximum wait for a lock in seconds, after which the script stops.

    Raises:
        UsageError: psql would not read the name of the schema unchanged.
    """
    schema = named or "public"
    tags = re.findall(r"\$\w+\$", resources.read("script/preflight.sql"))
    if any(tag in schema for tag in tags) or re.search(r"[\x00-\x1f\x7f]", f"{schema}{choices.course_path}"):
        raise UsageError(
            "a script for psql cannot contain this name: it has a control character or a quoting tag of the script",
            "Run instead: sessiondb apply",
        )
    timeout = f"{lock_timeout * 1000:.0f}ms"
    silence = dict.fromkeys(("idle_in_transaction_session_timeout", "idle_session_timeout"), f"{SILENCE}s")
    settings = {"client_encoding": "UTF8", **_settings(named, choices), **silence}
    migrations = ledger.read_migrations(resources.MIGRATIONS)
    same_backend = resources.read("script/same_backend.sql").rstrip()
    yield resources.read("script/begin.sql").rstrip()
    yield same_backend  # before anything is set
    for name, value in settings.items():
        yield f"SET {name} TO {sql.Literal(value).as_string(None)};"
    yield resources.with_queries(resources.read("script/path.sql")).rstrip()
    yield resources.query("script/rare_settings")
    yield "-- If psql is killed or unreachable, its work ends within seconds; a server on Windows cannot detect this."
    for name, value in REACH.items():
        yield (
            f"DO $notice$ BEGIN PERFORM set_config('{name}', '{value}', false);"
            " EXCEPTION WHEN invalid_parameter_value THEN NULL; END $notice$;"
        )
    yield resources.read("script/lock.sql").replace("{key}", str(ADVISORY_KEY)).rstrip()
    yield _uncommitted()
    yield _trusted()
    yield _first_look(migrations, choices)
    yield resources.query("script/citus", "false")
    yield preflight.preflight_script(schema).rstrip()
    for migration in migrations:
        yield f"\n\\echo checking {migration.id}"
        yield same_backend
        is_pending = _is_pending(migration)
        if is_pending:
            yield f"BEGIN;\n{_hold()};\nSELECT ({is_pending}) AS sessiondb_is_pending \\gset\nCOMMIT;"
            yield "\\if :sessiondb_is_pending"
        *parts, last = steps.apply(migration, schema)
        marks = len(ledger.mark_applied(migration))
        made = _require_made(migration.id, [i for s in (*parts, last) for i in s.items if isinstance(i, Query)])
        for step in (*parts, replace(last, items=[*last.items[:-marks], *made, *last.items[-marks:]])):
            yield from _rendered(step, timeout)
            if step.creates:
                yield _trusted()
        if is_pending:
            yield "\\endif"
    yield "\n\\echo checking functions and triggers"
    for step in _code():
        yield same_backend
        yield from _rendered(step, timeout)
    yield "\n-- The original settings of the session are restored."
    yield resources.query("script/reset_rare_settings")
    ours = [f"sessiondb.{name}" for name in ("platform_path", "citus", "schema_oid", "statements")]
    for name in [*settings, "search_path", *ours, *REACH, "lock_timeout"]:
        yield f"RESET {name};"
    yield resources.read("script/end.sql").replace("{key}", str(ADVISORY_KEY)).rstrip()


def batch(named: str | None, choices: Choices, lock_timeout: float) -> Iterator[str]:
    """Yield the lines of a DO statement that does what apply does, for tools other than psql."""
    begin, end = resources.read("script/batch.sql").split("{statements}")
    body = list(_batch(named, choices, lock_timeout))
    yield begin.rstrip()
    yield from _without_repetition(body)
    yield end.strip()


def _without_repetition(body: Sequence[str]) -> Iterator[str]:
    """Yield PL/pgSQL statements that write a long text once: web editors refuse more than a megabyte.

    Most functions are installed by their migration and again at the end; what installs a function is first created by
    itself; and some queries are the same for both tables.
    """
    parts = [_EXECUTED.fullmatch(statement) for statement in body]
    long = [part["text"] for part in parts if part and len(part["text"]) > 500]
    names: dict[str, str] = {}  # of the texts that are kept, in the order of their first use
    for text, times in Counter(long).items():
        if times > 1 or ((of_submissions := text.replace(*_TABLES)) != text and of_submissions in long):
            names[text] = f"v_texts[{len(names) + 1}]"

    def written(text: str) -> str:
        for kept, name in names.items():
            if text == kept.replace(*_TABLES) != kept:
                return f"pg_catalog.replace({name}, {', '.join(map(literal, _TABLES))})"
            if kept in text and kept != text:
                before, after = text.split(kept, 1)
                return f"pg_catalog.concat({_dollar_quoted(before)}, {name}, {_dollar_quoted(after)})"
        return _dollar_quoted(text)

    yield "-- what is executed more than once"
    for text, name in names.items():
        yield f"{name} := {written(text)};"
    for statement, part in zip(body, parts, strict=True):
        if part and len(part["text"]) > 500:
            yield f"EXECUTE {names.get(part['text']) or written(part['text'])}{part['into']};"
        else:
            yield statement


_TABLES = ("enrollments", "submissions")
_EXECUTED = re.compile(r"EXECUTE (\$run\d?\$)(?P<text>.*)\1(?P<into>( INTO \w+)?);", re.DOTALL)
"""A statement of :func:`_execute`."""


def _batch(named: str | None, choices: Choices, lock_timeout: float) -> Iterator[str]:
    """Yield the PL/pgSQL statements of :func:`batch`, each of which may have several lines."""
    schema = named or "public"
    migrations = ledger.read_migrations(resources.MIGRATIONS)
    settings = {
        **_settings(named, choices),
        "lock_timeout": f"{lock_timeout * 1000:.0f}ms",
    }
    yield "IF pg_catalog.current_setting('transaction_isolation')"
    yield "   OPERATOR(pg_catalog.<>) ALL ('{read committed,read uncommitted}') THEN"
    yield "    RAISE EXCEPTION 'this works in a transaction in READ COMMITTED only'"
    yield "        USING HINT = 'SET default_transaction_isolation TO ''read committed'', then run this again.';"
    yield "END IF;"
    yield from _set_for_batch(settings)
    yield f"IF NOT pg_try_advisory_xact_lock({ADVISORY_KEY}) THEN"
    yield "    RAISE EXCEPTION 'another sessiondb run is working on this database'"
    yield "        USING ERRCODE = 'lock_not_available',"
    yield "        HINT = 'Run this again when that run has ended.';"
    yield "END IF;"
    yield _execute(_uncommitted())
    yield _execute(_trusted().replace(", false);", ", true);"))
    tables = literal([f"sessiondb.{o.name}" for o in objects.of_migration("0001") if o.kind == "table"])
    yield "IF current_setting('sessiondb.schema_oid') <> '0'"
    yield f"   AND NOT EXISTS (SELECT FROM unnest({tables}::text[]) AS t (name) WHERE to_regclass(t.name) IS NULL) THEN"
    for text in _without_psql(_first_look(migrations, choices)):
        yield _execute(text.replace(", false);", ", true);"))
    digest = _execute(resources.query("script/batch_digest"))[:-1]
    yield f"    {digest} INTO v_before;"
    yield "END IF;"
    yield _execute(resources.query("script/citus", "true"))
    for text in _without_psql(preflight.preflight_script(schema)):
        yield _execute(text)
    for migration in migrations:
        yield f"-- {migration.id}"
        is_pending = _is_pending(migration)
        if is_pending:
            yield f"{_execute(f'SELECT {is_pending}')[:-1]} INTO v_is_pending;"
            yield "IF v_is_pending THEN"
        for step in steps.apply(migration, schema):
            yield from _in_batch(step)
        if is_pending:
            yield "END IF;"
    for step in _code():
        yield from _in_batch(step)
    yield f"{digest} INTO v_after;"
    yield "v_said := CASE WHEN v_before = v_after THEN 'nothing to do, ' ELSE '' END || 'everything is applied';"
    yield "PERFORM set_config('client_min_messages', 'notice', true);"
    yield "RAISE NOTICE 'sessiondb: %', v_said;"
    yield "PERFORM pg_catalog.set_config(s.key, s.value, true) FROM pg_catalog.jsonb_each_text(v_settings) AS s;"


def _set_for_batch(settings: Mapping[str, str]) -> Iterator[str]:
    """Yield statements that save the settings of the connection and set those of the batch."""
    names = literal([*settings, "search_path", "sessiondb.platform_path", "sessiondb.citus"])
    value = "coalesce(pg_catalog.current_setting(s.name, true), '')"
    yield f"v_settings := (SELECT pg_catalog.jsonb_object_agg(s.name, {value})"
    yield f"  FROM pg_catalog.unnest({names}::pg_catalog.text[]) AS s (name));"
    path = re.sub(r" .gset", ";", resources.query("script/path"))
    for text in path.replace(", false)", ", true)").replace("SET search", "SET LOCAL search").split(";"):
        if text.strip():
            yield _execute(text)
    for name, value in settings.items():
        yield f"PERFORM set_config({literal(name)}, {literal(value)}, true);"
    rare = resources.query("queries/rare_settings")
    kept = "SELECT coalesce(jsonb_object_agg(s.name, s.setting), '{}')"
    yield f"v_settings := v_settings || ({kept} FROM (\n{rare}\n) AS s);"
    yield f"PERFORM set_config(s.name, s.meant, true) FROM (\n{rare}\n) AS s;"


def _without_psql(text: str) -> list[str]:
    """Return the DO statements in a part of the script for psql."""
    return [match[0] for match in re.finditer(r"^DO (\$\w+\$).*?^\1;", text, re.DOTALL | re.MULTILINE)]


def _execute(text: str) -> str:
    return f"EXECUTE {_dollar_quoted(text.rstrip().rstrip(';'))};"


def _dollar_quoted(text: str) -> str:
    tag = next(t for t in ("$run$", "$run1$", "$run2$") if t not in text)
    return f"{tag}{text}{tag}"


def _in_batch(step: Step) -> Iterator[str]:
    """Yield a step as PL/pgSQL statements, without CONCURRENTLY."""
    platform_path = f"PERFORM pg_catalog.set_config('search_path', {_PLATFORM_PATH}, true);"
    for item in step.items:
        if isinstance(item, Statement):
            yield f"SET LOCAL search_path TO {OUR_PATH};" if item.ours else platform_path
            yield _execute(item.text)
            continue
        yield f"SET LOCAL search_path TO {OUR_PATH};"
        rows = f"SELECT array_agg(e.statement) FROM (\n{item.text}\n) AS e (statement, locks, scans)"  # noqa: S608
        yield f"{_execute(rows)[:-1]} INTO v_statements;"
        yield platform_path
        yield "FOREACH v_statement IN ARRAY coalesce(v_statements, '{}') LOOP"
        yield "    EXECUTE pg_catalog.regexp_replace(v_statement, '^(CREATE|DROP) INDEX CONCURRENTLY ', '\\1 INDEX ');"
        yield "END LOOP;"
        if item.name == "restore_links":
            yield "IF v_statements IS NOT NULL THEN SET CONSTRAINTS ALL IMMEDIATE; END IF;"
    yield f"SET LOCAL search_path TO {OUR_PATH};"


def _code() -> list[Step]:
    """Return what follows the migrations."""
    return [Step("staff", steps.configure_staff()), *steps.code(None), steps.comments()]


def _is_pending(migration: ledger.Migration) -> str | None:
    """Return the SQL condition that a migration is not applied or not recorded, or that its tables are missing.

    None for a migration made of steps, which skip what exists. The first migration always runs: it creates the tables
    and tools that the condition needs.
    """
    if migration.steps or migration.number == "0001":
        return None
    made = [o for o in objects.of_migration(migration.number) if o.kind == "table"]
    gone = [f"to_regclass('sessiondb.{o.name}') IS NULL" for o in made]
    ledger_lacks = (
        "NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m JOIN sessiondb.migration_content AS c"
        f" ON c.migration_id::text = m.migration_id::text WHERE m.migration_id::text = '{migration.id}')"
    )
    return " OR ".join([ledger_lacks, *gone])


def _require_made(id_: str, queries: Sequence[Query]) -> list[Statement]:
    """Return a statement that fails before a migration is recorded if statements of it are still to run.

    A tool that does not support \\gexec, or continues after an error, also reaches this point.
    """
    if not queries:
        return []
    left = " OR ".join(f"EXISTS (SELECT FROM (\n{query.text}\n) AS e)" for query in queries)
    text = f"""DO $made$
BEGIN
    IF {left} THEN
        RAISE EXCEPTION 'what {id_} creates does not exist, so it is not recorded'
            USING HINT = 'For tools other than psql, use: sessiondb plan --sql --single-transaction';
    END IF;
END
$made$"""
    return [Statement(text, ours=True)]


def _rendered(step: Step, timeout: str) -> Iterator[str]:
    """Yield a step for psql: a query with \\gexec; every statement except a concurrent build gets a lock_timeout."""
    platform_path = (
        f"SELECT pg_catalog.set_config('search_path', {_PLATFORM_PATH}, false) AS sessiondb_platform_path \\gset"
    )
    if not step.items:
        return
    yield f"SET lock_timeout TO '{timeout}';"
    if not step.each:
        yield "BEGIN;" if step.creates else f"BEGIN;\n{_hold()};"
    ours = True
    for item in step.items:
        if ours is not (isinstance(item, Query) or item.ours):
            ours = not ours
            yield f"SET search_path TO {OUR_PATH};" if ours else platform_path
        if isinstance(item, Statement):
            yield item.text.rstrip().rstrip(";") + ";"
            continue
        before = [f"""'SET search_path TO ' || coalesce(nullif({_PLATFORM_PATH}, '""'), '''''')"""]
        statement, rows = "e.statement", f"(\n{item.text}\n) AS e (statement, locks, scans)"
        if step.each:  # a concurrent build cannot be in a transaction, and names nothing of schema sessiondb
            is_concurrent = "e.statement ~ '^(CREATE|DROP) INDEX CONCURRENTLY '"
            before.append(f"format('SET lock_timeout TO %L', CASE WHEN {is_concurrent} THEN '0' ELSE '{timeout}' END)")
            statement = f"CASE WHEN {is_concurrent} THEN '' ELSE {literal(_hold() + '; ')} END || e.statement"
            found = "set_config('sessiondb.statements', coalesce(array_agg(e.statement)::text, '{}'), false)"
            yield f"BEGIN;\n{_hold()};\nSELECT {found} AS sessiondb_statements\n  FROM {rows} \\gset\nCOMMIT;"
            rows = "unnest(current_setting('sessiondb.statements')::text[]) AS e (statement)"
        yield f"SELECT {', '.join(before)}, {statement}\n  FROM {rows} \\gexec"  # noqa: S608  (our own text)
        ours = False
    if not step.each:
        yield platform_path  # deferred triggers fire at the commit
        yield "COMMIT;"
    yield f"SET search_path TO {OUR_PATH};"
