SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA sessiondb;
ALTER SCHEMA sessiondb OWNER TO postgres;
COMMENT ON SCHEMA sessiondb IS 'sessiondb: links enrolments and submissions to training sessions; nothing in here is meant for applications';
CREATE FUNCTION sessiondb.check_session() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
/*
 * BEFORE INSERT or UPDATE on enrollments or submissions, only where the client gave a session: it must be of the row's
 * course, and the row's user a member of its organisation. Otherwise students could place themselves in the dashboard
 * of another organisation. The status does not matter: staff may place someone by hand in a session that has not begun
 * or is over. A session that does not exist yet is refused, and not left to the foreign key, which looks at the end of
 * the statement or transaction, when someone may have created it in any organisation.
 *
 * The argument names the table, for which TG_TABLE_NAME may be a partition. PL/pgSQL plans only the branch that is
 * taken, so each branch may name columns that the other table does not have; course_of() is compiled as in
 * link_submission.
 *
 * One answer for all: those who may not read sessions and org_members must not learn by trying whether a session
 * exists, of which course it is, or to which course an exercise leads. SECURITY DEFINER: they need not be able to.
 */
DECLARE
    v_course_id pg_catalog.uuid;
BEGIN
    IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'submissions' THEN
        v_course_id := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;
    ELSE
        v_course_id := NEW.course_id;
    END IF;
    IF NOT EXISTS (
        SELECT FROM (SELECT org_id AS of_org
                       FROM public.sessions
                      WHERE id OPERATOR(pg_catalog.=) NEW.session_id
                        AND course_id OPERATOR(pg_catalog.=) v_course_id) AS given
         WHERE EXISTS (SELECT
                         FROM public.org_members
                        WHERE org_id OPERATOR(pg_catalog.=) given.of_org
                          AND user_id OPERATOR(pg_catalog.=) NEW.user_id))
        -- an apply restores what a rollback saved, though a membership may have ended since
        AND NOT sessiondb.is_saved_link(TG_ARGV[0], pg_catalog.to_jsonb(NEW))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = pg_catalog.format('session %s does not fit this row of table "%s"', NEW.session_id, TG_ARGV[0]),
            DETAIL = 'There is no such session of the row''s course in an organisation that the row''s user is a member of.',
            HINT = 'Leave session_id out to have the right session found, or give a session of the same course '
                   'in an organisation of the user.',
            SCHEMA = (SELECT i.platform_schema FROM sessiondb.installation AS i),
            TABLE = TG_ARGV[0],
            COLUMN = 'session_id',
            CONSTRAINT = TG_ARGV[0] OPERATOR(pg_catalog.||) '_session_id_coherent';
    END IF;
    RETURN NEW;
END
$$;
ALTER FUNCTION sessiondb.check_session() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.check_session() IS 'Trigger function: refuses a session that is not of the row''s course or of the user''s organisations';
CREATE FUNCTION sessiondb.compile(p_source text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * The source of a function or trigger of ours as it is created on this platform: the qualifier "platform" becomes the
 * platform's schema, course_of(...) the expression that leads from that row of submissions to its course, and SET
 * search_path FROM the CURRENT one the path that the connection of apply began with, pg_temp last. So the sources read
 * the same for every platform, and yet hold static SQL: nothing is looked up per row. (This text is compiled, too, so
 * that it does not spell out what it replaces.)
 *
 * The tags of dollar quoting are made longer where a name of the platform holds one of them.
 */
DECLARE
    v_at record;
    v_row text;
    v_names text;
    v_tag text;
BEGIN
    SELECT i.*, CASE i.platform_schema WHEN 'public' THEN 'public' ELSE format('"%s"', replace(i.platform_schema, '"', '""')) END AS schema_name
      INTO v_at FROM sessiondb.installation AS i;
    p_source := btrim(p_source, E'\n');
    v_names := concat(v_at.schema_name, v_at.search_path, array_to_string(v_at.course_pieces, ' '));
    FOREACH v_tag IN ARRAY ARRAY['function', 'procedure'] LOOP
        IF strpos(v_names, format('$%s$', v_tag)) > 0 THEN
            p_source := replace(p_source, format('$%s$', v_tag), format('$%s_%s$', v_tag, md5(v_names)));
        END IF;
    END LOOP;
    p_source := array_to_string(regexp_split_to_array(p_source, '\mplatform\.(?=[[:alpha:]_"])'), v_at.schema_name || '.');
    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, 'course_of\((\w+)\)', 'g') AS m (groups) LOOP
        IF v_at.course_pieces IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'the way from a submission to its course is not chosen yet',
                HINT = 'Run sessiondb apply.';
        END IF;
        p_source := replace(p_source, format('course_of(%s)', v_row), array_to_string(v_at.course_pieces, v_row));
    END LOOP;
    RETURN replace(p_source, 'SET search_path FROM ' || 'CURRENT', format('SET search_path = %s', v_at.search_path));
END
$_$;
ALTER FUNCTION sessiondb.compile(p_source text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.compile(p_source text) IS 'The source of a function or trigger as it is created on this platform';
CREATE FUNCTION sessiondb.course_expression(p_row text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The SQL expression of the course of a row of submissions, for SQL that is put together; p_row is what the row is
 * called there. In a source, course_of() of a row is the same, put in by compile().
 */
SELECT array_to_string(i.course_pieces, p_row)
  FROM sessiondb.installation AS i
$$;
ALTER FUNCTION sessiondb.course_expression(p_row text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.course_expression(p_row text) IS 'The SQL expression of the course of a row of submissions';
CREATE PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean DEFAULT false, IN p_where text DEFAULT NULL::text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET check_function_bodies TO 'off'
    AS $$
/*
 * Creates or replaces a function or trigger from its source, and records it. Of a function PUBLIC may not make use,
 * unless p_public. A trigger that is so already is left alone, for its lock; one that was disabled stays so, though
 * CREATE OR REPLACE TRIGGER enables it.
 *
 * p_parent is the table of a trigger, the schema of a function ("platform" is the platform's). p_where: only where
 * session_id of the table is ours ("created") or was there before us ("found"); the platform's own triggers may write
 * it then, and are not checked before they are taken over.
 *
 * check_function_bodies is off: functions may name each other, in whatever order they come.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table of a trigger, where that is made or replaced.
 */
DECLARE
    v_source text := sessiondb.compile(p_source);
    v_sha256 text := encode(sha256(convert_to(v_source, 'UTF8')), 'hex');
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_object text;
    v_enabled "char";
BEGIN
    IF p_where IS NOT NULL AND NOT EXISTS (
        SELECT FROM sessiondb.objects AS o
         WHERE o.kind = 'column' AND o.parent = p_parent AND o.name = 'session_id' AND o.origin = p_where)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'trigger' AND EXISTS (
        SELECT FROM sessiondb.objects AS o
          JOIN (
WITH wanted (kind, parent, name, arguments) AS (
SELECT p_kind, p_parent, p_name::text, p_arguments
),
platform AS (
    SELECT c.oid, c.relname
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND c.relkind IN ('r', 'p')
)
SELECT w.kind, w.parent, w.name, f.facts, coalesce(f.comment LIKE '%(sessiondb)', false) AS is_ours
  FROM wanted AS w
 CROSS JOIN LATERAL (
        SELECT jsonb_build_object('columns', (
                   SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS facts,
               NULL AS comment
          FROM pg_class AS c
         WHERE w.kind = 'table' AND c.relname = w.name AND c.relkind = 'r'
           AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = 'sessiondb')
        UNION ALL
        SELECT jsonb_build_object('type', t.typname, 'not null', a.attnotnull, 'default', a.atthasdef),
               col_description(c.oid, a.attnum)
          FROM platform AS c
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped
          JOIN pg_type AS t ON t.oid = a.atttypid
         WHERE w.kind = 'column' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', k.contype, 'refers to', r.relname, 'on delete', k.confdeltype, 'validated', k.convalidated,
                   'columns', (SELECT array_agg(a.attname ORDER BY u.place)
                                 FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),
               obj_description(k.oid, 'pg_constraint')
          FROM platform AS c
          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name
          LEFT JOIN pg_class AS r ON r.oid = k.confrelid
         WHERE w.kind = 'constraint' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'valid', d.indisvalid, 'unique', d.indisunique,
                   'columns', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || '/' || u.options ORDER BY u.place)
                                 FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),
                   'where', regexp_replace(pg_get_expr(d.indpred, d.indrelid), '::("[^"]*"|[a-z_. ])+|[() ]', '', 'g')),
               obj_description(x.oid, 'pg_class')
          FROM platform AS c
          JOIN pg_index AS d ON d.indrelid = c.oid
          JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name
         WHERE w.kind = 'index' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', t.tgtype, 'function', n.nspname || '.' || p.proname, 'arguments', encode(t.tgargs, 'escape'),
                   'columns', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),
                   'when', substring(pg_get_triggerdef(t.oid, true), 'WHEN \((.*)\) EXECUTE FUNCTION')),
               obj_description(t.oid, 'pg_trigger')
          FROM platform AS c
          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal
          JOIN pg_proc AS p ON p.oid = t.tgfoid
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE w.kind = 'trigger' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'body', p.prosrc, 'settings', p.proconfig, 'security definer', p.prosecdef, 'volatility', p.provolatile,
                   'parallel', p.proparallel, 'strict', p.proisstrict, 'language', l.lanname, 'kind', p.prokind,
                   'names', p.proargnames, 'result', t.typname, 'set', p.proretset,
                   'types', (SELECT array_agg(a.typname ORDER BY u.place)
                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)
                               JOIN pg_type AS a ON a.oid = u.type),
                   'defaults', pg_get_expr(p.proargdefaults, 0)),
               obj_description(p.oid, 'pg_proc')
          FROM pg_proc AS p
          JOIN pg_language AS l ON l.oid = p.prolang
          JOIN pg_type AS t ON t.oid = p.prorettype
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE w.kind = 'function' AND p.proname = w.name
           AND oidvectortypes(p.proargtypes) = w.arguments
           AND n.nspname = CASE w.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE w.parent END
       ) AS f
               ) AS f ON f.facts @> o.facts
         WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name
           AND o.migration = p_migration AND o.sha256 = v_sha256)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'trigger' THEN
        v_object := format('%I.%I', v_schema, p_parent);
        CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', v_object);
        v_enabled := (SELECT t.tgenabled FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(v_object) AND t.tgname = p_name);
        CALL sessiondb.run_on_platform(v_source);
        IF v_enabled <> 'O' THEN
            CALL sessiondb.run_on_platform(format('ALTER TABLE %s %s TRIGGER %I', v_object,
                CASE v_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, p_name));
        END IF;
        v_object := format('TRIGGER %I ON %s', p_name, v_object);
    ELSE
        v_object := format('%I.%I(%s)', CASE p_parent WHEN 'platform' THEN v_schema ELSE p_parent END, p_name, p_arguments);
        CALL sessiondb.run_on_platform(v_source);
        -- what another role makes here in this very moment is replaced, and stays that role's
        IF to_regprocedure(v_object) IN (SELECT p.oid FROM pg_proc AS p WHERE p.proowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user))
            AND NOT EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.facts IS NOT NULL)
        THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_in_use',
                MESSAGE = format('another role makes a function %s at the same time', v_object),
                HINT = 'Drop that function, then run sessiondb apply again.';
        END IF;
        v_object := format('ROUTINE %s', v_object);
        IF NOT p_public THEN
            CALL sessiondb.run_on_platform(format('REVOKE ALL ON %s FROM PUBLIC', v_object));
        END IF;
    END IF;
    CALL sessiondb.run_on_platform(format('COMMENT ON %s IS %L', v_object, p_comment));
    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)
    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, 'created', v_sha256)
    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;
END
$$;
ALTER PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) IS 'Creates or replaces a function or trigger of sessiondb from its source, and records it';
CREATE FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it
 * as it was, though a membership may have ended since. The row is found by its key; only then is there such a table at
 * all.
 */
DECLARE
    v_saved regclass := to_regclass('sessiondb.saved_links_of_' || p_table);
    v_found boolean;
BEGIN
    IF v_saved IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE (
        SELECT format('SELECT EXISTS (SELECT FROM %s AS s WHERE %s)', v_saved,
                      string_agg(format('s.%I = (jsonb_populate_record(NULL::%s, $1)).%I', a.attname, v_saved, a.attname), ' AND '))
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = v_saved
           AND (a.attnum = ANY (k.conkey) OR a.attname = 'session_id'))
       INTO v_found
      USING p_row;
    RETURN v_found;
END
$_$;
ALTER FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) IS 'Whether a rollback saved the link of a row, so that an apply restores it';
CREATE PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Locks each of the tables, and its partitions, for what comes next in the transaction, so that nobody
 * else is ever cancelled for our sake. A lock that is not to be had in time is an error that says who is in the way.
 *
 * The first table is waited for as long as lock_timeout says. Everybody queues behind us there, and one of those may
 * have what we want next: a deadlock, which the server finds deadlock_timeout after he began to wait, and ends by
 * cancelling him. So the other locks are waited for 100 ms at most, and only until nobody can have stood behind us for
 * that long.
 *
 * Whoever builds an index concurrently waits in the end for all older snapshots, ours among them. While there is one,
 * we do not even begin to wait: he would be the one to be cancelled.
 */
DECLARE
    v_began timestamptz := clock_timestamp();
    v_table regclass;
    v_builders integer[];
BEGIN
    FOR v_table IN
        WITH RECURSIVE tree AS (
            SELECT t.relid, ARRAY[t.place] AS place
              FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)
             UNION ALL
            SELECT i.inhrelid, t.place || i.inhrelid::bigint
              FROM tree AS t
              JOIN pg_inherits AS i ON i.inhparent = t.relid
        )
        SELECT t.relid
          FROM tree AS t
          JOIN pg_class AS c ON c.oid = t.relid AND c.relkind IN ('r', 'p')
         ORDER BY cardinality(t.place), t.place
    LOOP
        v_builders := ARRAY(
            SELECT b.pid
              FROM pg_stat_progress_create_index AS b
              JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = v_table AND l.granted
             -- another database that was copied from the same one may have a table with this oid
             WHERE b.datname = current_database() AND l.mode = 'ShareUpdateExclusiveLock' AND b.pid <> pg_backend_pid());
        IF v_builders <> '{}' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('an index is being built on table %s', v_table),
                DETAIL = 'In the way: ' || (SELECT string_agg(w.description, '; ' ORDER BY w.pid)
  FROM (
        SELECT a.pid,
               -- of another role only those who may read all statistics see more than pid, role and application
               format(
                   'pid %s (%s): %s',
                   a.pid,
                   concat_ws(', ',
                       coalesce(nullif(a.application_name, ''), 'no application name'), 'role ' || a.usename::text, a.state,
                       'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text),
                   -- and of a password nothing
                   left(regexp_replace(regexp_replace(a.query, '\s+', ' ', 'g'), '(password|passwd|pwd|secret|://).*', '\1 ...', 'i'), 80)) AS description
          FROM pg_stat_activity AS a
         WHERE a.pid = ANY (v_builders)
         UNION ALL
        SELECT 0, format('prepared transaction %L of role %s, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_prepared_xacts AS x
         WHERE 0 = ANY (v_builders)
       ) AS w),
                HINT = 'Run it again when that is done.';
        END IF;
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_table, p_mode);
        EXCEPTION WHEN lock_not_available THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('%s: %s on table %s', SQLERRM, p_mode, v_table),
                DETAIL = 'In the way: ' || coalesce(
                    (SELECT (SELECT string_agg(w.description, '; ' ORDER BY w.pid)
  FROM (
        SELECT a.pid,
               -- of another role only those who may read all statistics see more than pid, role and application
               format(
                   'pid %s (%s): %s',
                   a.pid,
                   concat_ws(', ',
                       coalesce(nullif(a.application_name, ''), 'no application name'), 'role ' || a.usename::text, a.state,
                       'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text),
                   -- and of a password nothing
                   left(regexp_replace(regexp_replace(a.query, '\s+', ' ', 'g'), '(password|passwd|pwd|secret|://).*', '\1 ...', 'i'), 80)) AS description
          FROM pg_stat_activity AS a
         WHERE a.pid = ANY (h.pids)
         UNION ALL
        SELECT 0, format('prepared transaction %L of role %s, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_prepared_xacts AS x
         WHERE 0 = ANY (h.pids)
       ) AS w) FROM (SELECT ARRAY(
                        SELECT coalesce(l.pid, 0)
                          FROM pg_locks AS l
                         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                           AND l.relation = v_table
                           AND l.granted
                           AND l.pid IS DISTINCT FROM pg_backend_pid()
                           AND l.mode <> ALL (CASE p_mode
                                   WHEN 'ACCESS EXCLUSIVE' THEN '{}'
                                   WHEN 'SHARE ROW EXCLUSIVE' THEN '{AccessShareLock, RowShareLock}'
                                   ELSE '{AccessShareLock, RowShareLock, RowExclusiveLock}'
                               END::text[])) AS pids) AS h),
                    'unknown, it has just ended'),
                HINT = 'Run it again when what is in the way has ended.';
        END;
        PERFORM set_config(
            'lock_timeout',
            format('%sms', greatest(1, least(100, (EXTRACT(epoch FROM
                0.9 * current_setting('deadlock_timeout')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),
            true);
    END LOOP;
END
$$;
ALTER PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) IS 'Locks tables and their partitions, so that nobody else is cancelled for our sake, or says who is in the way';
CREATE PROCEDURE sessiondb.run_on_platform(IN p_statement text)
    LANGUAGE plpgsql
    AS $$
/*
 * Runs a statement under the search_path that the connection began with, for the event triggers of the platform, and
 * whatever else of its own the statement makes run. To be called where the path is pinned, which it is afterwards.
 *
 * Between the two settings stands nothing but the statement: an expression there would be looked up in the platform's
 * schemas.
 */
BEGIN
    SET LOCAL search_path TO DEFAULT;
    EXECUTE p_statement;
    SET LOCAL search_path TO pg_catalog, pg_temp;
END
$$;
ALTER PROCEDURE sessiondb.run_on_platform(IN p_statement text) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.run_on_platform(IN p_statement text) IS 'Runs a statement under the search_path that the connection began with';
CREATE FUNCTION sessiondb.save_link() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * AFTER INSERT or UPDATE, only while a rollback is under way: keeps the row's link beside those that were
 * saved in bulk, so that none is lost up to the moment the column goes. The trigger's argument is enrollments or
 * submissions; sessiondb.prepare_saved_links() made the table whose key the row is saved by. The dynamic SQL is paid
 * during a rollback only.
 *
 * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb. Nothing but the two tables of the
 * platform is taken, and no SQL from a trigger's argument: whoever could call this function could put it on a table of
 * his own.
 */
DECLARE
    v_saved regclass := format('sessiondb.%I', 'saved_links_of_' || TG_ARGV[0]);
    v_columns text[] := ARRAY(
        SELECT quote_ident(a.attname) FROM pg_attribute AS a
         WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'
         ORDER BY a.attnum);
BEGIN
    IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM (
            SELECT to_regclass(format('%I.%I', i.platform_schema, TG_ARGV[0]))::oid FROM sessiondb.installation AS i)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table that sessiondb saves no links of', TG_NAME),
            HINT = 'Drop that trigger.';
    END IF;
    EXECUTE format('INSERT INTO %s (%s, session_id) VALUES (($1).%s, ($1).session_id) '
                   'ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s, session_id) = ROW (EXCLUDED.%s, EXCLUDED.session_id)',
                   v_saved, array_to_string(v_columns, ', '), array_to_string(v_columns, ', ($1).'),
                   'saved_links_of_' || TG_ARGV[0] || '_pkey', array_to_string(v_columns, ', '),
                   array_to_string(v_columns, ', EXCLUDED.'))
      USING NEW;
    RETURN NULL;
END
$_$;
ALTER FUNCTION sessiondb.save_link() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.save_link() IS 'Trigger function: keeps links that are written while a rollback is under way';
CREATE PROCEDURE sessiondb.withdraw_default_grants()
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Takes back what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) gave to other roles
 * on what was made in schema sessiondb: there are backends that grant everything to the roles of their API that way.
 * What was granted by hand to other roles than those stays.
 */
DECLARE
    v_revoke text;
BEGIN
    FOR v_revoke IN
        WITH object (type, owner, acl, name) AS (
            SELECT 'n', n.nspowner, n.nspacl, format('SCHEMA %I', n.nspname)
              FROM pg_namespace AS n
             WHERE n.nspname = 'sessiondb'
            UNION ALL
            SELECT 'r', c.relowner, c.relacl, format('TABLE %s', c.oid::regclass)
              FROM pg_class AS c
             WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v')
            UNION ALL
            SELECT 'f', p.proowner, p.proacl, format('ROUTINE %s', p.oid::regprocedure)
              FROM pg_proc AS p
             WHERE p.pronamespace = to_regnamespace('sessiondb')
        )
        SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', o.name,
                               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
          FROM object AS o
          JOIN pg_default_acl AS d ON d.defaclrole = o.owner AND d.defaclobjtype = o.type AND d.defaclnamespace = 0
         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
         CROSS JOIN LATERAL aclexplode(o.acl) AS a
         WHERE a.grantee = g.grantee
           AND a.grantee <> o.owner
           -- which functions are for everybody is said where they are made
           AND NOT (o.type = 'f' AND a.grantee = 0)
         ORDER BY 1
    LOOP
        CALL sessiondb.run_on_platform(v_revoke);
        RAISE NOTICE 'default privileges of the platform withdrawn: %', v_revoke;
    END LOOP;
END
$$;
ALTER PROCEDURE sessiondb.withdraw_default_grants() OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.withdraw_default_grants() IS 'Takes back what default privileges of the platform gave to other roles in schema sessiondb';
SET default_tablespace = '';

SET default_table_access_method = heap;
CREATE TABLE public.courses (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL
);
ALTER TABLE public.courses OWNER TO postgres;
CREATE TABLE public.enrollments (
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    session_id uuid
)
PARTITION BY HASH (user_id);
ALTER TABLE public.enrollments OWNER TO postgres;
COMMENT ON COLUMN public.enrollments.session_id IS 'The training session that the row belongs to, NULL if none (sessiondb)';
CREATE TABLE public.enrollments_0 (
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    session_id uuid
);
ALTER TABLE public.enrollments_0 OWNER TO postgres;
CREATE TABLE public.enrollments_1 (
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    session_id uuid
);
ALTER TABLE public.enrollments_1 OWNER TO postgres;
CREATE TABLE public.exercises (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    course_id uuid NOT NULL,
    title text NOT NULL
);
ALTER TABLE public.exercises OWNER TO postgres;
CREATE TABLE public.org_members (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text DEFAULT 'student'::text NOT NULL
);
ALTER TABLE public.org_members OWNER TO postgres;
CREATE TABLE public.orgs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.orgs OWNER TO postgres;
CREATE TABLE public.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    org_id uuid NOT NULL,
    course_id uuid NOT NULL,
    title text NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now(),
    starts_on date,
    ends_on date,
    CONSTRAINT sessions_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'completed'::text, 'cancelled'::text])))
);
ALTER TABLE public.sessions OWNER TO postgres;
CREATE TABLE public.submissions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (submitted_at);
ALTER TABLE public.submissions OWNER TO postgres;
CREATE TABLE public.submissions_2023 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.submissions_2023 OWNER TO postgres;
CREATE TABLE public.submissions_2024 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.submissions_2024 OWNER TO postgres;
CREATE TABLE public.submissions_2025 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.submissions_2025 OWNER TO postgres;
CREATE TABLE public.submissions_default (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.submissions_default OWNER TO postgres;
CREATE TABLE public.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    full_name text
);
ALTER TABLE public.users OWNER TO postgres;
CREATE TABLE sessiondb._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_log OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_log IS 'Every apply and rollback of a migration, by whom and when (yoyo-migrations)';
CREATE TABLE sessiondb._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_migration OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_migration IS 'The migrations that are applied (yoyo-migrations)';
CREATE TABLE sessiondb._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_version OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_version IS 'The version of the ledger''s own tables (yoyo-migrations)';
CREATE TABLE sessiondb.installation (
    singleton boolean DEFAULT true NOT NULL,
    platform_schema name NOT NULL,
    search_path text NOT NULL,
    version text NOT NULL,
    course_path text,
    course_pieces text[],
    course_joins jsonb,
    CONSTRAINT installation_singleton_check CHECK (singleton)
);
ALTER TABLE sessiondb.installation OWNER TO postgres;
COMMENT ON TABLE sessiondb.installation IS 'What sessiondb knows of its platform; one row';
COMMENT ON COLUMN sessiondb.installation.platform_schema IS 'The schema with sessions, enrollments and submissions';
COMMENT ON COLUMN sessiondb.installation.search_path IS 'Of the functions that the platform calls: the path that the connection of apply began with, and pg_temp';
COMMENT ON COLUMN sessiondb.installation.version IS 'The version of sessiondb that applied last; an older one does not work on this database';
COMMENT ON COLUMN sessiondb.installation.course_path IS 'The columns that lead from a submission to its course';
COMMENT ON COLUMN sessiondb.installation.course_pieces IS 'The SQL expression of a submission''s course, cut where the name of its row belongs';
COMMENT ON COLUMN sessiondb.installation.course_joins IS 'What is joined with what from submissions to courses: from, columns, to, keys, operators';
CREATE TABLE sessiondb.migration_content (
    migration_id text NOT NULL,
    sha256 text NOT NULL
);
ALTER TABLE sessiondb.migration_content OWNER TO postgres;
COMMENT ON TABLE sessiondb.migration_content IS 'What each applied migration said';
COMMENT ON COLUMN sessiondb.migration_content.sha256 IS 'SHA-256 of its text; line endings, trailing blanks and the lines that name objects do not count';
CREATE TABLE sessiondb.objects (
    kind text NOT NULL,
    parent name NOT NULL,
    name name NOT NULL,
    arguments text DEFAULT ''::text NOT NULL,
    migration text NOT NULL,
    origin text NOT NULL,
    sha256 text,
    facts jsonb,
    previous_definition text,
    CONSTRAINT objects_kind_check CHECK ((kind = ANY ('{column,constraint,index,function,trigger}'::text[]))),
    CONSTRAINT objects_origin_check CHECK ((origin = ANY ('{created,found,replaced}'::text[])))
);
ALTER TABLE sessiondb.objects OWNER TO postgres;
COMMENT ON TABLE sessiondb.objects IS 'The objects that sessiondb needs in the platform, and which of them were there before';
COMMENT ON COLUMN sessiondb.objects.parent IS 'The table of a column, constraint, index or trigger; the schema of a function, "platform" for the platform''s';
COMMENT ON COLUMN sessiondb.objects.migration IS 'The number of the migration that it came with';
COMMENT ON COLUMN sessiondb.objects.origin IS 'created by us; found, and left alone by a rollback; replaced, and restored by a rollback';
COMMENT ON COLUMN sessiondb.objects.sha256 IS 'SHA-256 of the text of a function or trigger as it was compiled for this platform';
COMMENT ON COLUMN sessiondb.objects.facts IS 'As the catalogs showed it when it was made; NULL of an index or key whose job another one does';
COMMENT ON COLUMN sessiondb.objects.previous_definition IS 'What was there before us';
CREATE TABLE sessiondb.saved_links_of_enrollments (
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    session_id uuid
);
ALTER TABLE sessiondb.saved_links_of_enrollments OWNER TO postgres;
COMMENT ON TABLE sessiondb.saved_links_of_enrollments IS 'The sessions that rows of enrollments were linked to before a rollback; apply restores them';
CREATE TABLE sessiondb.saved_links_of_submissions (
    id uuid NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    user_id uuid,
    exercise_id uuid,
    session_id uuid
);
ALTER TABLE sessiondb.saved_links_of_submissions OWNER TO postgres;
COMMENT ON TABLE sessiondb.saved_links_of_submissions IS 'The sessions that rows of submissions were linked to before a rollback; apply restores them';
ALTER TABLE ONLY public.enrollments ATTACH PARTITION public.enrollments_0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY public.enrollments ATTACH PARTITION public.enrollments_1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY public.submissions ATTACH PARTITION public.submissions_2023 FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2024-01-01 00:00:00+00');
ALTER TABLE ONLY public.submissions ATTACH PARTITION public.submissions_2024 FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00');
ALTER TABLE ONLY public.submissions ATTACH PARTITION public.submissions_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');
ALTER TABLE ONLY public.submissions ATTACH PARTITION public.submissions_default DEFAULT;
INSERT INTO public.courses VALUES ('00000000-0000-4000-8000-0000000000c1', 'Python for beginners');
INSERT INTO public.courses VALUES ('00000000-0000-4000-8000-0000000000c2', 'Data with SQL');
INSERT INTO public.courses VALUES ('b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'A course');
INSERT INTO public.enrollments_0 VALUES ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'enrolled', '2024-09-02 09:00:00+00', NULL);
INSERT INTO public.enrollments_0 VALUES ('00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'completed', '2024-09-03 10:30:00+00', NULL);
INSERT INTO public.enrollments_0 VALUES ('710b74be-55c7-4095-8ceb-72692e9f629e', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:16.419496+00', NULL);
INSERT INTO public.enrollments_0 VALUES ('c925df10-a00a-4654-86fb-da70b99fac11', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:19.615835+00', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO public.enrollments_0 VALUES ('4c22cf57-1083-4528-87cb-717a7c3122e7', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:19.639749+00', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO public.enrollments_1 VALUES ('00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'enrolled', '2024-09-04 18:45:00+00', NULL);
INSERT INTO public.enrollments_1 VALUES ('3c979edb-d661-4fc4-85b8-3c3d2633c936', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:16.428324+00', NULL);
INSERT INTO public.enrollments_1 VALUES ('59ad7907-144e-4bbd-ac76-0fb96821ac8b', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:16.430955+00', NULL);
INSERT INTO public.enrollments_1 VALUES ('9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'enrolled', '2026-11-28 21:43:19.626187+00', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000c1', 'Hello, world');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-0000000000c1', 'Loops');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-0000000000c2', 'Your first join');
INSERT INTO public.exercises VALUES ('c211c7c9-d3bf-4521-81ac-091b5a6d1921', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'An exercise');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b1', 'trainer');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b2', 'student');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b3', 'student');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000b3', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', '710b74be-55c7-4095-8ceb-72692e9f629e', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', '3c979edb-d661-4fc4-85b8-3c3d2633c936', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', '59ad7907-144e-4bbd-ac76-0fb96821ac8b', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', 'c925df10-a00a-4654-86fb-da70b99fac11', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', '9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'student');
INSERT INTO public.org_members VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', '4c22cf57-1083-4528-87cb-717a7c3122e7', 'student');
INSERT INTO public.orgs VALUES ('00000000-0000-4000-8000-0000000000a1', 'Atelier Nord', 'atelier-nord', '2026-11-28 21:43:16.26485+00');
INSERT INTO public.orgs VALUES ('00000000-0000-4000-8000-0000000000a2', 'Campus Sud', 'campus-sud', '2026-11-28 21:43:16.26485+00');
INSERT INTO public.orgs VALUES ('be4d0a69-0bbb-4843-b9e2-a3758224a8de', 'Org-90F86Ad576D544Ee98C82244292F54Df', 'org-90f86ad576d544ee98c82244292f54df', '2026-11-28 21:43:16.411263+00');
INSERT INTO public.sessions VALUES ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Autumn 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00:00+00', NULL, NULL);
INSERT INTO public.sessions VALUES ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00:00+00', NULL, NULL);
INSERT INTO public.sessions VALUES ('0dabae51-645a-4248-b904-6c103206358f', 'be4d0a69-0bbb-4843-b9e2-a3758224a8de', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', 'A session', 'active', NULL, '2026-11-28 21:43:19.606502+00', NULL, NULL);
INSERT INTO public.submissions_2023 VALUES ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', 'print("Hello, world")', '2023-12-31 23:59:00+00');
INSERT INTO public.submissions_2024 VALUES ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', 'for i in range(3): print(i)', '2024-09-11 08:00:00+00');
INSERT INTO public.submissions_2025 VALUES ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e3', 'SELECT 1', '2025-01-01 00:00:00+00');
INSERT INTO public.submissions_default VALUES ('00000000-0000-4000-8000-000000000024', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e2', 'while True: pass', '2022-06-01 08:00:00+00');
INSERT INTO public.submissions_default VALUES ('df22f25b-083b-47cd-b85e-7798581fac74', '710b74be-55c7-4095-8ceb-72692e9f629e', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:16.421636+00');
INSERT INTO public.submissions_default VALUES ('f3886469-6bcb-4fd6-95f9-da05d1f1bcf0', '3c979edb-d661-4fc4-85b8-3c3d2633c936', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:16.429446+00');
INSERT INTO public.submissions_default VALUES ('24502c85-766a-4d09-9545-e6a280f55fbd', '59ad7907-144e-4bbd-ac76-0fb96821ac8b', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:16.434686+00');
INSERT INTO public.submissions_default VALUES ('74b17b45-7e24-465c-8e3e-ee7db436490e', 'c925df10-a00a-4654-86fb-da70b99fac11', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:19.6238+00');
INSERT INTO public.submissions_default VALUES ('a8bd96a7-a42f-437c-b82d-700b9f5dfc52', '9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:19.631624+00');
INSERT INTO public.submissions_default VALUES ('123225a5-2894-442a-804c-e6d64310b0e9', '4c22cf57-1083-4528-87cb-717a7c3122e7', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', NULL, '2026-11-28 21:43:19.640972+00');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', 'Ada Moreau');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', 'Bruno Keller');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', 'Chloe Martin');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', 'Dmitri Sokolov');
INSERT INTO public.users VALUES ('710b74be-55c7-4095-8ceb-72692e9f629e', 'old-0b167ad6-60fb-4c44-8768-9558f9d5b437@example.org', NULL);
INSERT INTO public.users VALUES ('3c979edb-d661-4fc4-85b8-3c3d2633c936', 'old-7ac90d58-af22-41e1-8ab8-7ad68a7607e4@example.org', NULL);
INSERT INTO public.users VALUES ('59ad7907-144e-4bbd-ac76-0fb96821ac8b', 'old-d8f277a4-5a24-4e8a-a44c-c87ea1b3622e@example.org', NULL);
INSERT INTO public.users VALUES ('c925df10-a00a-4654-86fb-da70b99fac11', 'linked-97cdaa00-1b1f-4619-b14c-f27d46c7bf43@example.org', NULL);
INSERT INTO public.users VALUES ('9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'linked-c638c1a7-6e05-45f7-9dc1-cdb72099cb21@example.org', NULL);
INSERT INTO public.users VALUES ('4c22cf57-1083-4528-87cb-717a7c3122e7', 'linked-6e60f5fa-b788-4a7e-9e4e-0479aac83ef2@example.org', NULL);
INSERT INTO sessiondb._yoyo_log VALUES ('f8331260-8934-422c-8fc8-00c73264da21', '6faef72ccfe29a9ca80d4002a238f5fcbaa3f937c2e2f703c65214647621eef4', '0001.create-bookkeeping', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:18.660599');
INSERT INTO sessiondb._yoyo_log VALUES ('b7fa398c-15ef-44f3-868f-8c8205466a00', 'e499b2caee4a2f976d18de7f47a67f8f34ad62580c78d759cce51862daaae181', '0002.add-enrollments-session_id', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:18.787152');
INSERT INTO sessiondb._yoyo_log VALUES ('0bcff984-d4a2-4f3f-a438-01d4b4db1c62', '615d768e37cc1f89dacd71c8f70a8cb9172d1a959040428352b05a74ad2ae238', '0003.add-submissions-session_id', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:18.884518');
INSERT INTO sessiondb._yoyo_log VALUES ('ee934a5b-ca03-4948-8e67-3c0676ca6350', '05bd01dc0f8bf848360904f0c2a9a0d8612ff71570137af6e7b5e19b86981231', '0004.add-foreign-keys', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.03024');
INSERT INTO sessiondb._yoyo_log VALUES ('84ba270b-96d8-4b97-87ac-b4602879a068', 'f7e0954fc42016192858d1dbf77d81a222af501267065ecbe2c149f158c27f91', '0005.create-indexes', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.122883');
INSERT INTO sessiondb._yoyo_log VALUES ('0aaacab8-ae92-4376-a119-61065c821336', '336807bbacc3757732146efe855e3edac1637437d93b931dca18121fce3c67da', '0006.restore-links', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.157174');
INSERT INTO sessiondb._yoyo_log VALUES ('5e7404a6-b8ec-453e-a041-aa2a56501d90', '9da6eaf7b093698f24a46d4da8fbc039e048db81eb4c792feb1be45b7d55b731', '0007.link-enrollments', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.21981');
INSERT INTO sessiondb._yoyo_log VALUES ('1ed457be-1de1-4c24-9b1c-6b366db374c0', '4aa8b5c56dbabe42e45f28017975abd10f1783963e83f833e0088d0b4459200d', '0008.link-submissions', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.257275');
INSERT INTO sessiondb._yoyo_log VALUES ('c4dd4f49-57b9-4eab-9663-f790df6f0243', '3f6f327cc779d77fc9acfb93ea74815edb37f6813e1f6d36fecf838d9eb508ca', '0009.create-backfill_progress', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:19.376432');
INSERT INTO sessiondb._yoyo_log VALUES ('8611cd99-ce9f-493c-8b6e-cda56e27be27', '3f6f327cc779d77fc9acfb93ea74815edb37f6813e1f6d36fecf838d9eb508ca', '0009.create-backfill_progress', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.226488');
INSERT INTO sessiondb._yoyo_log VALUES ('57774472-92fc-4def-9819-546e1b9f8f7b', '4aa8b5c56dbabe42e45f28017975abd10f1783963e83f833e0088d0b4459200d', '0008.link-submissions', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.302746');
INSERT INTO sessiondb._yoyo_log VALUES ('26e4a79e-8f56-4d6a-99c2-42b9c4a4a03e', '9da6eaf7b093698f24a46d4da8fbc039e048db81eb4c792feb1be45b7d55b731', '0007.link-enrollments', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.344356');
INSERT INTO sessiondb._yoyo_log VALUES ('2e8562a9-9213-4be7-aea2-244104241674', '336807bbacc3757732146efe855e3edac1637437d93b931dca18121fce3c67da', '0006.restore-links', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.355901');
INSERT INTO sessiondb._yoyo_log VALUES ('399d0d5b-160a-4ed2-b213-2bd6541c4b8d', 'f7e0954fc42016192858d1dbf77d81a222af501267065ecbe2c149f158c27f91', '0005.create-indexes', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.478749');
INSERT INTO sessiondb._yoyo_log VALUES ('2777a569-980e-4b0c-a774-6d09444836b9', '05bd01dc0f8bf848360904f0c2a9a0d8612ff71570137af6e7b5e19b86981231', '0004.add-foreign-keys', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.570505');
INSERT INTO sessiondb._yoyo_log VALUES ('3ca70b36-7b37-402f-81cc-7775addd25d8', '615d768e37cc1f89dacd71c8f70a8cb9172d1a959040428352b05a74ad2ae238', '0003.add-submissions-session_id', 'rollback', 'postgres', 'local', NULL, '2026-11-28 21:43:21.591105');
INSERT INTO sessiondb._yoyo_migration VALUES ('6faef72ccfe29a9ca80d4002a238f5fcbaa3f937c2e2f703c65214647621eef4', '0001.create-bookkeeping', '2026-11-28 21:43:18.66286');
INSERT INTO sessiondb._yoyo_migration VALUES ('e499b2caee4a2f976d18de7f47a67f8f34ad62580c78d759cce51862daaae181', '0002.add-enrollments-session_id', '2026-11-28 21:43:18.787554');
INSERT INTO sessiondb._yoyo_version VALUES (1, '2026-11-28 21:43:18.467201');
INSERT INTO sessiondb._yoyo_version VALUES (2, '2026-11-28 21:43:18.467201');
INSERT INTO sessiondb.installation VALUES (true, 'public', '"public", pg_temp', '0.1.0', 'exercise_id.course_id', '{"(SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) ",.exercise_id)::pg_catalog.uuid}', '[{"to": "public.exercises", "from": "public.submissions", "keys": ["id"], "columns": ["exercise_id"], "operators": ["OPERATOR(pg_catalog.=)"]}, {"to": "public.courses", "from": "public.exercises", "keys": ["id"], "columns": ["course_id"], "operators": ["OPERATOR(pg_catalog.=)"]}]');
INSERT INTO sessiondb.migration_content VALUES ('0001.create-bookkeeping', '2b9b6ed5d031fce224ec9ba57f21a36fc88cfb8998855381d050c586838c2e7b');
INSERT INTO sessiondb.migration_content VALUES ('0002.add-enrollments-session_id', '317590a6cbae74c65323e200a8b180e2d26782f0ccf0a8fc09e1dbb14734ea2a');
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'install', 'text, text, name, text, text, text, text, boolean, text', '0001', 'created', '1942d35749300fa4ecfbb575ca147d2a3e79ddcc08e104ea43c4e3b1b1fe77f9', '{"set": false, "body": "\n/*\n * Creates or replaces a function or trigger from its source, and records it. Of a function PUBLIC may not make use,\n * unless p_public. A trigger that is so already is left alone, for its lock; one that was disabled stays so, though\n * CREATE OR REPLACE TRIGGER enables it.\n *\n * p_parent is the table of a trigger, the schema of a function (\"platform\" is the platform''s). p_where: only where\n * session_id of the table is ours (\"created\") or was there before us (\"found\"); the platform''s own triggers may write\n * it then, and are not checked before they are taken over.\n *\n * check_function_bodies is off: functions may name each other, in whatever order they come.\n *\n * Lock: SHARE ROW EXCLUSIVE on the table of a trigger, where that is made or replaced.\n */\nDECLARE\n    v_source text := sessiondb.compile(p_source);\n    v_sha256 text := encode(sha256(convert_to(v_source, ''UTF8'')), ''hex'');\n    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);\n    v_object text;\n    v_enabled \"char\";\nBEGIN\n    IF p_where IS NOT NULL AND NOT EXISTS (\n        SELECT FROM sessiondb.objects AS o\n         WHERE o.kind = ''column'' AND o.parent = p_parent AND o.name = ''session_id'' AND o.origin = p_where)\n    THEN\n        RETURN;\n    END IF;\n    IF p_kind = ''trigger'' AND EXISTS (\n        SELECT FROM sessiondb.objects AS o\n          JOIN (\nWITH wanted (kind, parent, name, arguments) AS (\nSELECT p_kind, p_parent, p_name::text, p_arguments\n),\nplatform AS (\n    SELECT c.oid, c.relname\n      FROM pg_class AS c\n      JOIN pg_namespace AS n ON n.oid = c.relnamespace\n     WHERE n.nspname = current_setting(''sessiondb.schema'')\n       AND c.relkind IN (''r'', ''p'')\n)\nSELECT w.kind, w.parent, w.name, f.facts, coalesce(f.comment LIKE ''%(sessiondb)'', false) AS is_ours\n  FROM wanted AS w\n CROSS JOIN LATERAL (\n        SELECT jsonb_build_object(''columns'', (\n                   SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))\n                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS facts,\n               NULL AS comment\n          FROM pg_class AS c\n         WHERE w.kind = ''table'' AND c.relname = w.name AND c.relkind = ''r''\n           AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = ''sessiondb'')\n        UNION ALL\n        SELECT jsonb_build_object(''type'', t.typname, ''not null'', a.attnotnull, ''default'', a.atthasdef),\n               col_description(c.oid, a.attnum)\n          FROM platform AS c\n          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped\n          JOIN pg_type AS t ON t.oid = a.atttypid\n         WHERE w.kind = ''column'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''type'', k.contype, ''refers to'', r.relname, ''on delete'', k.confdeltype, ''validated'', k.convalidated,\n                   ''columns'', (SELECT array_agg(a.attname ORDER BY u.place)\n                                 FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)\n                                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),\n               obj_description(k.oid, ''pg_constraint'')\n          FROM platform AS c\n          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name\n          LEFT JOIN pg_class AS r ON r.oid = k.confrelid\n         WHERE w.kind = ''constraint'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''valid'', d.indisvalid, ''unique'', d.indisunique,\n                   ''columns'', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || ''/'' || u.options ORDER BY u.place)\n                                 FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),\n                   ''where'', regexp_replace(pg_get_expr(d.indpred, d.indrelid), ''::(\"[^\"]*\"|[a-z_. ])+|[() ]'', '''', ''g'')),\n               obj_description(x.oid, ''pg_class'')\n          FROM platform AS c\n          JOIN pg_index AS d ON d.indrelid = c.oid\n          JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name\n         WHERE w.kind = ''index'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''type'', t.tgtype, ''function'', n.nspname || ''.'' || p.proname, ''arguments'', encode(t.tgargs, ''escape''),\n                   ''columns'', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a\n                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),\n                   ''when'', substring(pg_get_triggerdef(t.oid, true), ''WHEN \\((.*)\\) EXECUTE FUNCTION'')),\n               obj_description(t.oid, ''pg_trigger'')\n          FROM platform AS c\n          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal\n          JOIN pg_proc AS p ON p.oid = t.tgfoid\n          JOIN pg_namespace AS n ON n.oid = p.pronamespace\n         WHERE w.kind = ''trigger'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''body'', p.prosrc, ''settings'', p.proconfig, ''security definer'', p.prosecdef, ''volatility'', p.provolatile,\n                   ''parallel'', p.proparallel, ''strict'', p.proisstrict, ''language'', l.lanname, ''kind'', p.prokind,\n                   ''names'', p.proargnames, ''result'', t.typname, ''set'', p.proretset,\n                   ''types'', (SELECT array_agg(a.typname ORDER BY u.place)\n                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)\n                               JOIN pg_type AS a ON a.oid = u.type),\n                   ''defaults'', pg_get_expr(p.proargdefaults, 0)),\n               obj_description(p.oid, ''pg_proc'')\n          FROM pg_proc AS p\n          JOIN pg_language AS l ON l.oid = p.prolang\n          JOIN pg_type AS t ON t.oid = p.prorettype\n          JOIN pg_namespace AS n ON n.oid = p.pronamespace\n         WHERE w.kind = ''function'' AND p.proname = w.name\n           AND oidvectortypes(p.proargtypes) = w.arguments\n           AND n.nspname = CASE w.parent WHEN ''platform'' THEN current_setting(''sessiondb.schema'') ELSE w.parent END\n       ) AS f\n               ) AS f ON f.facts @> o.facts\n         WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name\n           AND o.migration = p_migration AND o.sha256 = v_sha256)\n    THEN\n        RETURN;\n    END IF;\n    IF p_kind = ''trigger'' THEN\n        v_object := format(''%I.%I'', v_schema, p_parent);\n        CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', v_object);\n        v_enabled := (SELECT t.tgenabled FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(v_object) AND t.tgname = p_name);\n        CALL sessiondb.run_on_platform(v_source);\n        IF v_enabled <> ''O'' THEN\n            CALL sessiondb.run_on_platform(format(''ALTER TABLE %s %s TRIGGER %I'', v_object,\n                CASE v_enabled WHEN ''D'' THEN ''DISABLE'' WHEN ''R'' THEN ''ENABLE REPLICA'' ELSE ''ENABLE ALWAYS'' END, p_name));\n        END IF;\n        v_object := format(''TRIGGER %I ON %s'', p_name, v_object);\n    ELSE\n        v_object := format(''%I.%I(%s)'', CASE p_parent WHEN ''platform'' THEN v_schema ELSE p_parent END, p_name, p_arguments);\n        CALL sessiondb.run_on_platform(v_source);\n        -- what another role makes here in this very moment is replaced, and stays that role''s\n        IF to_regprocedure(v_object) IN (SELECT p.oid FROM pg_proc AS p WHERE p.proowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user))\n            AND NOT EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.facts IS NOT NULL)\n        THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''object_in_use'',\n                MESSAGE = format(''another role makes a function %s at the same time'', v_object),\n                HINT = ''Drop that function, then run sessiondb apply again.'';\n        END IF;\n        v_object := format(''ROUTINE %s'', v_object);\n        IF NOT p_public THEN\n            CALL sessiondb.run_on_platform(format(''REVOKE ALL ON %s FROM PUBLIC'', v_object));\n        END IF;\n    END IF;\n    CALL sessiondb.run_on_platform(format(''COMMENT ON %s IS %L'', v_object, p_comment));\n    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)\n    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, ''created'', v_sha256)\n    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;\nEND\n", "kind": "p", "names": ["p_kind", "p_parent", "p_name", "p_arguments", "p_migration", "p_source", "p_comment", "p_public", "p_where"], "types": ["text", "text", "name", "text", "text", "text", "text", "bool", "text"], "result": "void", "strict": false, "defaults": "false, NULL::text", "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp", "check_function_bodies=off"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'lock_tables', 'text, regclass[]', '0001', 'created', '707f644f77be269e16f6be7380edf80b9e83297031ca178d7d634309dc9e0500', '{"set": false, "body": "\n/*\n * Locks each of the tables, and its partitions, for what comes next in the transaction, so that nobody\n * else is ever cancelled for our sake. A lock that is not to be had in time is an error that says who is in the way.\n *\n * The first table is waited for as long as lock_timeout says. Everybody queues behind us there, and one of those may\n * have what we want next: a deadlock, which the server finds deadlock_timeout after he began to wait, and ends by\n * cancelling him. So the other locks are waited for 100 ms at most, and only until nobody can have stood behind us for\n * that long.\n *\n * Whoever builds an index concurrently waits in the end for all older snapshots, ours among them. While there is one,\n * we do not even begin to wait: he would be the one to be cancelled.\n */\nDECLARE\n    v_began timestamptz := clock_timestamp();\n    v_table regclass;\n    v_builders integer[];\nBEGIN\n    FOR v_table IN\n        WITH RECURSIVE tree AS (\n            SELECT t.relid, ARRAY[t.place] AS place\n              FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)\n             UNION ALL\n            SELECT i.inhrelid, t.place || i.inhrelid::bigint\n              FROM tree AS t\n              JOIN pg_inherits AS i ON i.inhparent = t.relid\n        )\n        SELECT t.relid\n          FROM tree AS t\n          JOIN pg_class AS c ON c.oid = t.relid AND c.relkind IN (''r'', ''p'')\n         ORDER BY cardinality(t.place), t.place\n    LOOP\n        v_builders := ARRAY(\n            SELECT b.pid\n              FROM pg_stat_progress_create_index AS b\n              JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = v_table AND l.granted\n             -- another database that was copied from the same one may have a table with this oid\n             WHERE b.datname = current_database() AND l.mode = ''ShareUpdateExclusiveLock'' AND b.pid <> pg_backend_pid());\n        IF v_builders <> ''{}'' THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''lock_not_available'',\n                MESSAGE = format(''an index is being built on table %s'', v_table),\n                DETAIL = ''In the way: '' || (SELECT string_agg(w.description, ''; '' ORDER BY w.pid)\n  FROM (\n        SELECT a.pid,\n               -- of another role only those who may read all statistics see more than pid, role and application\n               format(\n                   ''pid %s (%s): %s'',\n                   a.pid,\n                   concat_ws('', '',\n                       coalesce(nullif(a.application_name, ''''), ''no application name''), ''role '' || a.usename::text, a.state,\n                       ''in a transaction for '' || date_trunc(''second'', clock_timestamp() - a.xact_start)::text),\n                   -- and of a password nothing\n                   left(regexp_replace(regexp_replace(a.query, ''\\s+'', '' '', ''g''), ''(password|passwd|pwd|secret|://).*'', ''\\1 ...'', ''i''), 80)) AS description\n          FROM pg_stat_activity AS a\n         WHERE a.pid = ANY (v_builders)\n         UNION ALL\n        SELECT 0, format(''prepared transaction %L of role %s, prepared %s'', x.gid, x.owner, x.prepared)\n          FROM pg_prepared_xacts AS x\n         WHERE 0 = ANY (v_builders)\n       ) AS w),\n                HINT = ''Run it again when that is done.'';\n        END IF;\n        BEGIN\n            EXECUTE format(''LOCK TABLE ONLY %s IN %s MODE'', v_table, p_mode);\n        EXCEPTION WHEN lock_not_available THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''lock_not_available'',\n                MESSAGE = format(''%s: %s on table %s'', SQLERRM, p_mode, v_table),\n                DETAIL = ''In the way: '' || coalesce(\n                    (SELECT (SELECT string_agg(w.description, ''; '' ORDER BY w.pid)\n  FROM (\n        SELECT a.pid,\n               -- of another role only those who may read all statistics see more than pid, role and application\n               format(\n                   ''pid %s (%s): %s'',\n                   a.pid,\n                   concat_ws('', '',\n                       coalesce(nullif(a.application_name, ''''), ''no application name''), ''role '' || a.usename::text, a.state,\n                       ''in a transaction for '' || date_trunc(''second'', clock_timestamp() - a.xact_start)::text),\n                   -- and of a password nothing\n                   left(regexp_replace(regexp_replace(a.query, ''\\s+'', '' '', ''g''), ''(password|passwd|pwd|secret|://).*'', ''\\1 ...'', ''i''), 80)) AS description\n          FROM pg_stat_activity AS a\n         WHERE a.pid = ANY (h.pids)\n         UNION ALL\n        SELECT 0, format(''prepared transaction %L of role %s, prepared %s'', x.gid, x.owner, x.prepared)\n          FROM pg_prepared_xacts AS x\n         WHERE 0 = ANY (h.pids)\n       ) AS w) FROM (SELECT ARRAY(\n                        SELECT coalesce(l.pid, 0)\n                          FROM pg_locks AS l\n                         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())\n                           AND l.relation = v_table\n                           AND l.granted\n                           AND l.pid IS DISTINCT FROM pg_backend_pid()\n                           AND l.mode <> ALL (CASE p_mode\n                                   WHEN ''ACCESS EXCLUSIVE'' THEN ''{}''\n                                   WHEN ''SHARE ROW EXCLUSIVE'' THEN ''{AccessShareLock, RowShareLock}''\n                                   ELSE ''{AccessShareLock, RowShareLock, RowExclusiveLock}''\n                               END::text[])) AS pids) AS h),\n                    ''unknown, it has just ended''),\n                HINT = ''Run it again when what is in the way has ended.'';\n        END;\n        PERFORM set_config(\n            ''lock_timeout'',\n            format(''%sms'', greatest(1, least(100, (EXTRACT(epoch FROM\n                0.9 * current_setting(''deadlock_timeout'')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),\n            true);\n    END LOOP;\nEND\n", "kind": "p", "names": ["p_mode", "p_tables"], "types": ["text", "_regclass"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'run_on_platform', 'text', '0001', 'created', '07d200b73dbd7cc8eb0167e24f62ba4d41f189f5f4afefe72bd00ebf0d4be566', '{"set": false, "body": "\n/*\n * Runs a statement under the search_path that the connection began with, for the event triggers of the platform, and\n * whatever else of its own the statement makes run. To be called where the path is pinned, which it is afterwards.\n *\n * Between the two settings stands nothing but the statement: an expression there would be looked up in the platform''s\n * schemas.\n */\nBEGIN\n    SET LOCAL search_path TO DEFAULT;\n    EXECUTE p_statement;\n    SET LOCAL search_path TO pg_catalog, pg_temp;\nEND\n", "kind": "p", "names": ["p_statement"], "types": ["text"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'compile', 'text', '0001', 'created', '21d31f3e9a6fb789cc2055ccce229c49fe2714229d815c8d408699c6b6b50093', '{"set": false, "body": "\n/*\n * The source of a function or trigger of ours as it is created on this platform: the qualifier \"platform\" becomes the\n * platform''s schema, course_of(...) the expression that leads from that row of submissions to its course, and SET\n * search_path FROM the CURRENT one the path that the connection of apply began with, pg_temp last. So the sources read\n * the same for every platform, and yet hold static SQL: nothing is looked up per row. (This text is compiled, too, so\n * that it does not spell out what it replaces.)\n *\n * The tags of dollar quoting are made longer where a name of the platform holds one of them.\n */\nDECLARE\n    v_at record;\n    v_row text;\n    v_names text;\n    v_tag text;\nBEGIN\n    SELECT i.*, CASE i.platform_schema WHEN ''public'' THEN ''public'' ELSE format(''\"%s\"'', replace(i.platform_schema, ''\"'', ''\"\"'')) END AS schema_name\n      INTO v_at FROM sessiondb.installation AS i;\n    p_source := btrim(p_source, E''\\n'');\n    v_names := concat(v_at.schema_name, v_at.search_path, array_to_string(v_at.course_pieces, '' ''));\n    FOREACH v_tag IN ARRAY ARRAY[''function'', ''procedure''] LOOP\n        IF strpos(v_names, format(''$%s$'', v_tag)) > 0 THEN\n            p_source := replace(p_source, format(''$%s$'', v_tag), format(''$%s_%s$'', v_tag, md5(v_names)));\n        END IF;\n    END LOOP;\n    p_source := array_to_string(regexp_split_to_array(p_source, ''\\mplatform\\.(?=[[:alpha:]_\"])''), v_at.schema_name || ''.'');\n    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, ''course_of\\((\\w+)\\)'', ''g'') AS m (groups) LOOP\n        IF v_at.course_pieces IS NULL THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''object_not_in_prerequisite_state'',\n                MESSAGE = ''the way from a submission to its course is not chosen yet'',\n                HINT = ''Run sessiondb apply.'';\n        END IF;\n        p_source := replace(p_source, format(''course_of(%s)'', v_row), array_to_string(v_at.course_pieces, v_row));\n    END LOOP;\n    RETURN replace(p_source, ''SET search_path FROM '' || ''CURRENT'', format(''SET search_path = %s'', v_at.search_path));\nEND\n", "kind": "f", "names": ["p_source"], "types": ["text"], "result": "text", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'withdraw_default_grants', '', '0001', 'created', '2d129dce1e569c35ef5f440a144005762c9122086baca1efd106e593a5aa1d45', '{"set": false, "body": "\n/*\n * Takes back what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) gave to other roles\n * on what was made in schema sessiondb: there are backends that grant everything to the roles of their API that way.\n * What was granted by hand to other roles than those stays.\n */\nDECLARE\n    v_revoke text;\nBEGIN\n    FOR v_revoke IN\n        WITH object (type, owner, acl, name) AS (\n            SELECT ''n'', n.nspowner, n.nspacl, format(''SCHEMA %I'', n.nspname)\n              FROM pg_namespace AS n\n             WHERE n.nspname = ''sessiondb''\n            UNION ALL\n            SELECT ''r'', c.relowner, c.relacl, format(''TABLE %s'', c.oid::regclass)\n              FROM pg_class AS c\n             WHERE c.relnamespace = to_regnamespace(''sessiondb'') AND c.relkind IN (''r'', ''v'')\n            UNION ALL\n            SELECT ''f'', p.proowner, p.proacl, format(''ROUTINE %s'', p.oid::regprocedure)\n              FROM pg_proc AS p\n             WHERE p.pronamespace = to_regnamespace(''sessiondb'')\n        )\n        SELECT DISTINCT format(''REVOKE ALL ON %s FROM %s'', o.name,\n                               CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)\n          FROM object AS o\n          JOIN pg_default_acl AS d ON d.defaclrole = o.owner AND d.defaclobjtype = o.type AND d.defaclnamespace = 0\n         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g\n         CROSS JOIN LATERAL aclexplode(o.acl) AS a\n         WHERE a.grantee = g.grantee\n           AND a.grantee <> o.owner\n           -- which functions are for everybody is said where they are made\n           AND NOT (o.type = ''f'' AND a.grantee = 0)\n         ORDER BY 1\n    LOOP\n        CALL sessiondb.run_on_platform(v_revoke);\n        RAISE NOTICE ''default privileges of the platform withdrawn: %'', v_revoke;\n    END LOOP;\nEND\n", "kind": "p", "names": null, "types": null, "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'course_expression', 'text', '0001', 'created', 'e8e6a05f82e9c8cdc93d6670b4074c349bdeb06468e42cfd661e4af1ba43a2e8', '{"set": false, "body": "\n/*\n * The SQL expression of the course of a row of submissions, for SQL that is put together; p_row is what the row is\n * called there. In a source, course_of() of a row is the same, put in by compile().\n */\nSELECT array_to_string(i.course_pieces, p_row)\n  FROM sessiondb.installation AS i\n", "kind": "f", "names": ["p_row"], "types": ["text"], "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'save_link', '', '0001', 'created', 'dd737fe6c411bd16becb848234488463ca894d1988d7b417bc6f326e39e65a6c', '{"set": false, "body": "\n/*\n * AFTER INSERT or UPDATE, only while a rollback is under way: keeps the row''s link beside those that were\n * saved in bulk, so that none is lost up to the moment the column goes. The trigger''s argument is enrollments or\n * submissions; sessiondb.prepare_saved_links() made the table whose key the row is saved by. The dynamic SQL is paid\n * during a rollback only.\n *\n * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb. Nothing but the two tables of the\n * platform is taken, and no SQL from a trigger''s argument: whoever could call this function could put it on a table of\n * his own.\n */\nDECLARE\n    v_saved regclass := format(''sessiondb.%I'', ''saved_links_of_'' || TG_ARGV[0]);\n    v_columns text[] := ARRAY(\n        SELECT quote_ident(a.attname) FROM pg_attribute AS a\n         WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ''session_id''\n         ORDER BY a.attnum);\nBEGIN\n    IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM (\n            SELECT to_regclass(format(''%I.%I'', i.platform_schema, TG_ARGV[0]))::oid FROM sessiondb.installation AS i)\n    THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''object_not_in_prerequisite_state'',\n            MESSAGE = format(''trigger %I is on a table that sessiondb saves no links of'', TG_NAME),\n            HINT = ''Drop that trigger.'';\n    END IF;\n    EXECUTE format(''INSERT INTO %s (%s, session_id) VALUES (($1).%s, ($1).session_id) ''\n                   ''ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s, session_id) = ROW (EXCLUDED.%s, EXCLUDED.session_id)'',\n                   v_saved, array_to_string(v_columns, '', ''), array_to_string(v_columns, '', ($1).''),\n                   ''saved_links_of_'' || TG_ARGV[0] || ''_pkey'', array_to_string(v_columns, '', ''),\n                   array_to_string(v_columns, '', EXCLUDED.''))\n      USING NEW;\n    RETURN NULL;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'is_saved_link', 'text, jsonb', '0002', 'created', '6693de6a74bb4fe3b3f8838b296bcb0955794346562a3674745d583cbee08bf4', '{"set": false, "body": "\n/*\n * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it\n * as it was, though a membership may have ended since. The row is found by its key; only then is there such a table at\n * all.\n */\nDECLARE\n    v_saved regclass := to_regclass(''sessiondb.saved_links_of_'' || p_table);\n    v_found boolean;\nBEGIN\n    IF v_saved IS NULL THEN\n        RETURN false;\n    END IF;\n    EXECUTE (\n        SELECT format(''SELECT EXISTS (SELECT FROM %s AS s WHERE %s)'', v_saved,\n                      string_agg(format(''s.%I = (jsonb_populate_record(NULL::%s, $1)).%I'', a.attname, v_saved, a.attname), '' AND ''))\n          FROM pg_attribute AS a\n          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = ''p''\n         WHERE a.attrelid = v_saved\n           AND (a.attnum = ANY (k.conkey) OR a.attname = ''session_id''))\n       INTO v_found\n      USING p_row;\n    RETURN v_found;\nEND\n", "kind": "f", "names": ["p_table", "p_row"], "types": ["text", "jsonb"], "result": "bool", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'check_session', '', '0002', 'created', 'f5584dbcbace96fdb2a2d2f9c8043dfcd80342ff65450f6c789a6232a0f1656a', '{"set": false, "body": "\n/*\n * BEFORE INSERT or UPDATE on enrollments or submissions, only where the client gave a session: it must be of the row''s\n * course, and the row''s user a member of its organisation. Otherwise students could place themselves in the dashboard\n * of another organisation. The status does not matter: staff may place someone by hand in a session that has not begun\n * or is over. A session that does not exist yet is refused, and not left to the foreign key, which looks at the end of\n * the statement or transaction, when someone may have created it in any organisation.\n *\n * The argument names the table, for which TG_TABLE_NAME may be a partition. PL/pgSQL plans only the branch that is\n * taken, so each branch may name columns that the other table does not have; course_of() is compiled as in\n * link_submission.\n *\n * One answer for all: those who may not read sessions and org_members must not learn by trying whether a session\n * exists, of which course it is, or to which course an exercise leads. SECURITY DEFINER: they need not be able to.\n */\nDECLARE\n    v_course_id pg_catalog.uuid;\nBEGIN\n    IF TG_ARGV[0] OPERATOR(pg_catalog.=) ''submissions'' THEN\n        v_course_id := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;\n    ELSE\n        v_course_id := NEW.course_id;\n    END IF;\n    IF NOT EXISTS (\n        SELECT FROM (SELECT org_id AS of_org\n                       FROM public.sessions\n                      WHERE id OPERATOR(pg_catalog.=) NEW.session_id\n                        AND course_id OPERATOR(pg_catalog.=) v_course_id) AS given\n         WHERE EXISTS (SELECT\n                         FROM public.org_members\n                        WHERE org_id OPERATOR(pg_catalog.=) given.of_org\n                          AND user_id OPERATOR(pg_catalog.=) NEW.user_id))\n        -- an apply restores what a rollback saved, though a membership may have ended since\n        AND NOT sessiondb.is_saved_link(TG_ARGV[0], pg_catalog.to_jsonb(NEW))\n    THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''check_violation'',\n            MESSAGE = pg_catalog.format(''session %s does not fit this row of table \"%s\"'', NEW.session_id, TG_ARGV[0]),\n            DETAIL = ''There is no such session of the row''''s course in an organisation that the row''''s user is a member of.'',\n            HINT = ''Leave session_id out to have the right session found, or give a session of the same course ''\n                   ''in an organisation of the user.'',\n            SCHEMA = (SELECT i.platform_schema FROM sessiondb.installation AS i),\n            TABLE = TG_ARGV[0],\n            COLUMN = ''session_id'',\n            CONSTRAINT = TG_ARGV[0] OPERATOR(pg_catalog.||) ''_session_id_coherent'';\n    END IF;\n    RETURN NEW;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=public, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'zzz_sessiondb_check_enrollment', '', '0002', 'created', '52ec81ce8b16777e73f5168847c3cd57cf8c5d1f52d0b4d6cde2fd3c78ef4a0b', '{"type": 7, "when": "new.session_id IS NOT NULL", "columns": null, "function": "sessiondb.check_session", "arguments": "enrollments\\000"}', NULL);
INSERT INTO sessiondb.objects VALUES ('column', 'enrollments', 'session_id', '', '0002', 'created', NULL, '{"type": "uuid", "default": false, "not null": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'zzz_sessiondb_check_enrollment_update', '', '0002', 'created', '8c1d1c924b2d3ede1c05b68bc7bef9c5b09a30968ca730551db836bf73f3e923', '{"type": 19, "when": "new.session_id IS NOT NULL AND (old.session_id IS NULL OR new.session_id <> old.session_id)", "columns": ["session_id"], "function": "sessiondb.check_session", "arguments": "enrollments\\000"}', NULL);
INSERT INTO sessiondb.saved_links_of_enrollments VALUES ('c925df10-a00a-4654-86fb-da70b99fac11', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO sessiondb.saved_links_of_enrollments VALUES ('4c22cf57-1083-4528-87cb-717a7c3122e7', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO sessiondb.saved_links_of_enrollments VALUES ('9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'b04973f3-c9f6-43bc-bea2-d48fa0f603f1', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO sessiondb.saved_links_of_submissions VALUES ('74b17b45-7e24-465c-8e3e-ee7db436490e', '2026-11-28 21:43:19.6238+00', 'c925df10-a00a-4654-86fb-da70b99fac11', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO sessiondb.saved_links_of_submissions VALUES ('a8bd96a7-a42f-437c-b82d-700b9f5dfc52', '2026-11-28 21:43:19.631624+00', '9dffb487-c6ca-4cb5-89c2-2d6d4ab39160', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', '0dabae51-645a-4248-b904-6c103206358f');
INSERT INTO sessiondb.saved_links_of_submissions VALUES ('123225a5-2894-442a-804c-e6d64310b0e9', '2026-11-28 21:43:19.640972+00', '4c22cf57-1083-4528-87cb-717a7c3122e7', 'c211c7c9-d3bf-4521-81ac-091b5a6d1921', '0dabae51-645a-4248-b904-6c103206358f');
ALTER TABLE ONLY public.courses
    ADD CONSTRAINT courses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_pkey PRIMARY KEY (user_id, course_id);
ALTER TABLE ONLY public.enrollments_0
    ADD CONSTRAINT enrollments_0_pkey PRIMARY KEY (user_id, course_id);
ALTER TABLE ONLY public.enrollments_1
    ADD CONSTRAINT enrollments_1_pkey PRIMARY KEY (user_id, course_id);
ALTER TABLE ONLY public.exercises
    ADD CONSTRAINT exercises_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_pkey PRIMARY KEY (org_id, user_id);
ALTER TABLE ONLY public.orgs
    ADD CONSTRAINT orgs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orgs
    ADD CONSTRAINT orgs_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_pkey PRIMARY KEY (id, submitted_at);
ALTER TABLE ONLY public.submissions_2023
    ADD CONSTRAINT submissions_2023_pkey PRIMARY KEY (id, submitted_at);
ALTER TABLE ONLY public.submissions_2024
    ADD CONSTRAINT submissions_2024_pkey PRIMARY KEY (id, submitted_at);
ALTER TABLE ONLY public.submissions_2025
    ADD CONSTRAINT submissions_2025_pkey PRIMARY KEY (id, submitted_at);
ALTER TABLE ONLY public.submissions_default
    ADD CONSTRAINT submissions_default_pkey PRIMARY KEY (id, submitted_at);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY sessiondb._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY sessiondb._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY sessiondb._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY sessiondb.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY sessiondb.migration_content
    ADD CONSTRAINT migration_content_pkey PRIMARY KEY (migration_id);
ALTER TABLE ONLY sessiondb.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (kind, parent, name);
ALTER TABLE ONLY sessiondb.saved_links_of_enrollments
    ADD CONSTRAINT saved_links_of_enrollments_pkey PRIMARY KEY (user_id, course_id);
ALTER TABLE ONLY sessiondb.saved_links_of_submissions
    ADD CONSTRAINT saved_links_of_submissions_pkey PRIMARY KEY (id, submitted_at);
ALTER INDEX public.enrollments_pkey ATTACH PARTITION public.enrollments_0_pkey;
ALTER INDEX public.enrollments_pkey ATTACH PARTITION public.enrollments_1_pkey;
ALTER INDEX public.submissions_pkey ATTACH PARTITION public.submissions_2023_pkey;
ALTER INDEX public.submissions_pkey ATTACH PARTITION public.submissions_2024_pkey;
ALTER INDEX public.submissions_pkey ATTACH PARTITION public.submissions_2025_pkey;
ALTER INDEX public.submissions_pkey ATTACH PARTITION public.submissions_default_pkey;
CREATE TRIGGER zzz_sessiondb_check_enrollment BEFORE INSERT ON public.enrollments FOR EACH ROW WHEN ((new.session_id IS NOT NULL)) EXECUTE FUNCTION sessiondb.check_session('enrollments');
COMMENT ON TRIGGER zzz_sessiondb_check_enrollment ON public.enrollments IS 'Refuses a session that does not fit the new row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_check_enrollment_update BEFORE UPDATE OF session_id ON public.enrollments FOR EACH ROW WHEN (((new.session_id IS NOT NULL) AND ((old.session_id IS NULL) OR (new.session_id <> old.session_id)))) EXECUTE FUNCTION sessiondb.check_session('enrollments');
COMMENT ON TRIGGER zzz_sessiondb_check_enrollment_update ON public.enrollments IS 'Refuses a change to a session that does not fit the row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_save AFTER INSERT OR UPDATE ON public.enrollments FOR EACH ROW EXECUTE FUNCTION sessiondb.save_link('enrollments');
ALTER TABLE public.enrollments
    ADD CONSTRAINT enrollments_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE public.enrollments
    ADD CONSTRAINT enrollments_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.exercises
    ADD CONSTRAINT exercises_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE;
ALTER TABLE public.submissions
    ADD CONSTRAINT submissions_exercise_id_fkey FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE SET NULL;
ALTER TABLE public.submissions
    ADD CONSTRAINT submissions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
REVOKE ALL ON FUNCTION sessiondb.check_session() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.compile(p_source text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.run_on_platform(IN p_statement text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.save_link() FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.withdraw_default_grants() FROM PUBLIC;
