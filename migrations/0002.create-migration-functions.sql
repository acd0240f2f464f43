-- The functions that the later migrations are made of: the way to the course, the statements that a
-- foreign key or an index still needs, and the links kept over a rollback.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0001.create-bookkeeping

CREATE OR REPLACE FUNCTION sessiondb.course_paths()
RETURNS TABLE (path text, hops integer, pieces text[], tables oid[], believed boolean, joins jsonb)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Every way from a row of submissions to its course.
 *
 * path      the columns to follow, written as --course-path takes them: exercise_id.course_id
 * hops      how many tables are read on the way; 0 is a course_id in submissions itself
 * pieces    the SQL expression of the course, cut where the name of the submission's row belongs:
 *           array_to_string(pieces, 'NEW') is the expression in a trigger
 * tables    the tables that are read on the way
 * believed  true where no foreign key says that the last column holds courses, only the path that was given
 * joins     from submissions to courses, what is joined with what: the tables, their columns and operators
 *
 * Not followed: session_id and the table sessions (those are what we add), org_members, and the
 * table that user_id refers to (a user's course is not the course of his submission).
 *
 * Two settings are read: sessiondb.schema, the platform's schema, and sessiondb.course_path, NULL or empty
 * where the foreign keys are to decide. The body stands alone (nothing of schema sessiondb), so that
 * preflight and plan can run it as a query on a database that has nothing of ours yet.
 */
WITH RECURSIVE
platform AS (
    SELECT n.oid AS namespace,
           to_regclass(format('%I.submissions', n.nspname))::oid AS submissions,
           to_regclass(format('%I.courses', n.nspname))::oid AS courses,
           parse_ident(nullif(current_setting('sessiondb.course_path', true), '')) AS names
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
-- A foreign key of several columns is named by the one that refers to "id", else by its last
-- column, and joins on all of them. The operators are named with their schema: for a varchar key the
-- "=" that somebody made in the platform's schema would otherwise be taken before the catalog's.
foreign_key AS (
    SELECT c.conrelid AS from_table,
           c.confrelid AS to_table,
           (array_agg(a.attname::text ORDER BY (f.attname = 'id') DESC, k.place DESC))[1] AS column_name,
           array_agg(a.attname::text ORDER BY k.place) AS from_columns,
           array_agg(f.attname::text ORDER BY k.place) AS to_columns,
           array_agg(format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place) AS operators,
           true AS is_foreign_key
      FROM pg_constraint AS c
     CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey), unnest(c.conpfeqop))
           WITH ORDINALITY AS k (from_attnum, to_attnum, equal, place)
      JOIN pg_operator AS o ON o.oid = k.equal
      JOIN pg_namespace AS n ON n.oid = o.oprnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.from_attnum
      JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.to_attnum
     WHERE c.contype = 'f'
       AND c.conparentid = 0
     GROUP BY c.oid, c.conrelid, c.confrelid
),
-- Where no foreign key tells the table of a column, the path that was given names it:
-- exercise_id.exercises.course_id. The table is joined on its primary key, or on a unique "id".
named_table AS (
    SELECT a.attrelid AS from_table,
           t.oid AS to_table,
           a.attname::text AS column_name,
           ARRAY[a.attname::text] AS from_columns,
           ARRAY[k.attname::text] AS to_columns,
           ARRAY[k.operator] AS operators,
           false AS is_foreign_key
      FROM platform AS h
     CROSS JOIN LATERAL generate_subscripts(h.names, 1) AS n
      JOIN pg_attribute AS a ON a.attname = h.names[n] AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class AS t ON t.relnamespace = h.namespace AND t.relname = h.names[n + 1] AND t.relkind IN ('r', 'p')
     CROSS JOIN LATERAL (
            SELECT ka.attname, format('OPERATOR(%I.%s)', ns.nspname, o.oprname) AS operator
              FROM pg_index AS i
              JOIN pg_attribute AS ka ON ka.attrelid = t.oid AND ka.attnum = i.indkey[0]
              JOIN pg_opclass AS oc ON oc.oid = i.indclass[0]
              -- 3 is "=" in a btree
              JOIN pg_amop AS ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
                                AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
              JOIN pg_operator AS o ON o.oid = ao.amopopr
              JOIN pg_namespace AS ns ON ns.oid = o.oprnamespace
             WHERE i.indrelid = t.oid
               AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
               AND (i.indisprimary OR ka.attname = 'id')
               AND ka.atttypid = a.atttypid
             ORDER BY (ka.attname = 'id') DESC
             LIMIT 1
           ) AS k
),
edge AS (
    SELECT f.* FROM foreign_key AS f
    UNION ALL
    SELECT t.* FROM named_table AS t
),
passed_over AS (
    SELECT c.oid AS table_oid
      FROM pg_class AS c
      JOIN platform AS h ON h.namespace = c.relnamespace
     WHERE c.relname IN ('sessions', 'org_members')
     UNION
    SELECT f.to_table
      FROM foreign_key AS f
      JOIN platform AS h ON h.submissions = f.from_table
     WHERE f.column_name = 'user_id'
),
-- at_table is where we stand, row_name what its row is called in the query so far ('' is the
-- submission itself); source and keys are that query's FROM and WHERE; next_name counts through the
-- path that was given.
walk AS (
    SELECT g.given, h.submissions AS at_table, '' AS row_name, ARRAY[]::text[] AS names,
           ARRAY[h.submissions] AS seen, 0 AS hops, '' AS source, ARRAY[]::text[] AS keys,
           1 AS next_name, '[]'::jsonb AS joins
      FROM platform AS h
     CROSS JOIN (VALUES (false), (true)) AS g (given)
     WHERE h.submissions IS NOT NULL
       AND g.given = (h.names IS NOT NULL)
    UNION ALL
    SELECT w.given,
           e.to_table,
           n.row_name,
           (w.names || e.column_name
               || CASE WHEN w.given AND used.names = 2 THEN ARRAY[h.names[w.next_name + 1]] ELSE '{}' END) COLLATE "default",
           w.seen || e.to_table,
           w.hops + 1,
           (CASE w.hops
               WHEN 0 THEN format('%I.%I AS %s', ns.nspname, t.relname, n.row_name)
               ELSE format('%s JOIN %I.%I AS %s ON %s', w.source, ns.nspname, t.relname, n.row_name,
                           (SELECT string_agg(format('%s.%I %s %s.%I', n.row_name, c.to_column, c.operator, w.row_name, c.from_column), ' AND ')
                              FROM ROWS FROM (unnest(e.from_columns), unnest(e.to_columns), unnest(e.operators))
                                   AS c (from_column, to_column, operator)))
           END) COLLATE "default",
           (CASE w.hops
               WHEN 0 THEN ARRAY(
                   SELECT CASE WHEN i > 1 THEN format('.%I', e.from_columns[i - 1]) ELSE '' END
                       || CASE WHEN i > 1 AND i <= cardinality(e.from_columns) THEN ' AND ' ELSE '' END
                       || CASE WHEN i <= cardinality(e.to_columns) THEN format('%s.%I %s ', n.row_name, e.to_columns[i], e.operators[i]) ELSE '' END
                     FROM generate_series(1, cardinality(e.from_columns) + 1) AS i
                    ORDER BY i)
               ELSE w.keys
           END) COLLATE "default",
           w.next_name + used.names,
           w.joins || jsonb_build_object(
               'from', w.at_table::regclass::text, 'columns', e.from_columns,
               'to', e.to_table::regclass::text, 'keys', e.to_columns, 'operators', e.operators)
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN edge AS e ON e.from_table = w.at_table
      JOIN pg_class AS t ON t.oid = e.to_table
      JOIN pg_namespace AS ns ON ns.oid = t.relnamespace
     CROSS JOIN LATERAL (SELECT 'h' || (w.hops + 1) AS row_name) AS n
     CROSS JOIN (VALUES (1), (2)) AS used (names)
     WHERE e.to_table <> ALL (w.seen)
       AND CASE
               WHEN w.given THEN e.column_name = h.names[w.next_name]
                             AND w.next_name + used.names <= cardinality(h.names)
                             AND CASE used.names
                                     WHEN 1 THEN e.is_foreign_key
                                     ELSE t.relname = h.names[w.next_name + 1]
                                 END
               ELSE used.names = 1
                AND w.hops < 6
                AND e.is_foreign_key
                AND e.column_name <> 'session_id'
                AND e.to_table <> h.courses
                AND e.to_table NOT IN (SELECT p.table_oid FROM passed_over AS p)
           END
),
arrival AS (
    SELECT w.*, e.column_name AS course_column, false AS believed
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN edge AS e ON e.from_table = w.at_table AND e.to_table = h.courses
     WHERE NOT w.given
       AND e.is_foreign_key
       AND e.column_name NOT IN ('session_id', 'user_id')
    UNION ALL
    SELECT w.*, a.attname::text, k.leads_to_courses IS NULL
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN pg_attribute AS a ON a.attrelid = w.at_table AND a.attname = h.names[w.next_name]
     CROSS JOIN LATERAL (
            SELECT bool_or(f.to_table = h.courses) AS leads_to_courses
              FROM foreign_key AS f
             WHERE f.from_table = w.at_table AND f.column_name = a.attname
           ) AS k
     WHERE w.given
       AND w.next_name = cardinality(h.names)
       AND a.attname <> 'user_id'
       AND a.attnum > 0 AND NOT a.attisdropped
       AND a.atttypid = 'uuid'::regtype
       -- a foreign key to another table says that it is no course; where there is none, the path is believed
       AND k.leads_to_courses IS NOT FALSE
)
SELECT DISTINCT
       (SELECT string_agg(quote_ident(n.name), '.' ORDER BY n.place)
          FROM unnest(a.names || a.course_column) WITH ORDINALITY AS n (name, place)) AS path,
       a.hops,
       CASE a.hops
           WHEN 0 THEN ARRAY['(', format('.%I)::pg_catalog.uuid', a.course_column)]
           ELSE ARRAY[format('(SELECT %s.%I FROM %s WHERE %s', a.row_name, a.course_column, a.source, a.keys[1])]
                || a.keys[2:cardinality(a.keys) - 1]
                || (a.keys[cardinality(a.keys)] || ')::pg_catalog.uuid')
       END AS pieces,
       a.seen[2:] AS tables,
       a.believed,
       a.joins || jsonb_build_object(
           'from', a.at_table::regclass::text, 'columns', ARRAY[a.course_column],
           'to', (SELECT h.courses::regclass::text FROM platform AS h), 'keys', '["id"]'::jsonb,
           'operators', '["OPERATOR(pg_catalog.=)"]'::jsonb) AS joins
  FROM arrival AS a
 ORDER BY a.hops, path
$function$;

COMMENT ON FUNCTION sessiondb.course_paths() IS
    'Every way from a submission to its course, along the foreign keys or as the setting sessiondb.course_path says';

REVOKE ALL ON FUNCTION sessiondb.course_paths() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.choose_course_path()
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Keeps the way from a submission to its course in sessiondb.installation: the one that the setting
 * sessiondb.course_path names, else the one shortest path along the foreign keys. Several equally
 * short ones, or none, are refused: nobody but the platform's owner knows which is meant.
 */
DECLARE
    v_candidates text[];
BEGIN
    WITH shortest AS (
        SELECT p.path, p.pieces, p.joins, rank() OVER (ORDER BY p.hops) AS place
          FROM sessiondb.course_paths() AS p
    ),
    choice AS (
        UPDATE sessiondb.installation AS i
           SET course_path = s.path, course_pieces = s.pieces, course_joins = s.joins
          FROM shortest AS s
         WHERE s.place = 1
           AND (SELECT count(*) FROM shortest AS o WHERE o.place = 1) = 1
    )
    SELECT array_agg(s.path ORDER BY s.path) INTO v_candidates FROM shortest AS s WHERE s.place = 1;

    IF v_candidates IS NULL OR cardinality(v_candidates) > 1 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = CASE
                WHEN v_candidates IS NULL THEN 'no way was found from submissions to courses'
                ELSE 'several ways lead from submissions to courses: ' || array_to_string(v_candidates, ', ')
            END,
            HINT = 'Name one: sessiondb apply --course-path exercise_id.course_id, or '
                   'SET sessiondb.course_path = ''exercise_id.course_id''.';
    END IF;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.choose_course_path() IS
    'Keeps the way from a submission to its course that the functions are compiled with';

REVOKE ALL ON PROCEDURE sessiondb.choose_course_path() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.compile(p_source text)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path FROM CURRENT
AS $procedure$
/*
 * Runs the CREATE FUNCTION statement p_source after putting, for each course_of(ROW) in it, the
 * expression that leads from that row of submissions to its course in this platform. So the functions
 * read the same for every platform, and yet hold static SQL: nothing is looked up per row.
 *
 * Functions are named with pg_catalog, here and wherever the platform's schema is on the path: one that
 * somebody made there with more exact argument types would otherwise be taken.
 */
DECLARE
    v_pieces text[] := (SELECT i.course_pieces FROM sessiondb.installation AS i);
    v_row text;
BEGIN
    IF v_pieces IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'the way from a submission to its course is not chosen yet',
            HINT = 'Run sessiondb apply.';
    END IF;
    FOR v_row IN
        SELECT DISTINCT m.groups[1]
          FROM pg_catalog.regexp_matches(p_source, 'course_of\((\w+)\)', 'g') AS m (groups)
    LOOP
        p_source := pg_catalog.replace(p_source, pg_catalog.format('course_of(%s)', v_row), pg_catalog.array_to_string(v_pieces, v_row));
    END LOOP;
    EXECUTE p_source;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.compile(text) IS
    'Creates a function from its source, with course_of(ROW) replaced by this platform''s way to the course';

REVOKE ALL ON PROCEDURE sessiondb.compile(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.in_the_way(p_pids integer[])
RETURNS text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Who the backends $1 are, for people; NULL when they have ended. 0 stands for prepared transactions,
 * as in pg_blocking_pids(). The body stands alone.
 */
SELECT pg_catalog.string_agg(w.description, '; ' ORDER BY w.pid)
  FROM (
        SELECT a.pid,
               -- of another role only those who may read all statistics see more than pid, role and application
               pg_catalog.format(
                   'pid %s (%s): %s',
                   a.pid,
                   pg_catalog.concat_ws(', ',
                       coalesce(nullif(a.application_name, ''), 'no application name'), 'role ' || a.usename::text, a.state,
                       'in a transaction for ' || pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start)::text),
                   -- and of a password nothing
                   pg_catalog.left(pg_catalog.regexp_replace(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), '(password|://[^\s/@]*:).*', '\1 ...', 'i'), 80)) AS description
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.pid = ANY ($1)
         UNION ALL
        SELECT 0, pg_catalog.format('prepared transaction %L of role %s, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_catalog.pg_prepared_xacts AS x
         WHERE 0 = ANY ($1)
       ) AS w
$function$;

COMMENT ON FUNCTION sessiondb.in_the_way(integer[]) IS
    'Who some backends are and what they do, for people';

REVOKE ALL ON FUNCTION sessiondb.in_the_way(integer[]) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.lock_tables(p_mode text, VARIADIC p_tables regclass[])
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Locks each of the tables, and its partitions, for what comes next in the transaction, so that nobody
 * else is ever cancelled for our sake. A lock that is not to be had in time is an error that says who
 * is in the way.
 *
 * The first table is waited for as long as lock_timeout says. Everybody queues behind us there, and
 * one of those may have what we want next: a deadlock, which the server finds deadlock_timeout after he
 * began to wait, and ends by cancelling him. So the other locks are waited for 100 ms at most, and only
 * until nobody can have stood behind us for that long.
 *
 * Whoever builds an index concurrently waits in the end for all older snapshots, ours among them. While
 * there is one, we do not even begin to wait: he would be the one to be cancelled.
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
                DETAIL = 'In the way: ' || sessiondb.in_the_way(v_builders),
                HINT = 'Run it again when that is done.';
        END IF;
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_table, p_mode);
        EXCEPTION WHEN lock_not_available THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('%s: %s on table %s', SQLERRM, p_mode, v_table),
                DETAIL = 'In the way: ' || coalesce(
                    sessiondb.in_the_way(ARRAY(
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
                               END::text[]))),
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
$procedure$;

COMMENT ON PROCEDURE sessiondb.lock_tables(text, regclass[]) IS
    'Locks tables and their partitions, so that nobody else is cancelled for our sake, or says who is in the way';

REVOKE ALL ON PROCEDURE sessiondb.lock_tables(text, regclass[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.ignore_early_link()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * BEFORE INSERT or UPDATE, as long as session_id is there and the functions that check it are not, in
 * an apply or a rollback under way: a session that a client gives is not taken, or he could place himself
 * in any. His statement goes on without it. The owner of the table may, for he restores saved links.
 */
BEGIN
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE') THEN
        NEW.session_id := CASE TG_OP WHEN 'UPDATE' THEN OLD.session_id END;
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION sessiondb.ignore_early_link() IS
    'Trigger function: takes no session from a client while sessiondb is installed by half';

REVOKE ALL ON FUNCTION sessiondb.ignore_early_link() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.has_own_session_id(p_table name)
RETURNS boolean
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether the table has a column session_id that we made, and that nobody has dropped since.
 */
SELECT sessiondb.is_ours('column', p_table, 'session_id')
   AND EXISTS (
        SELECT FROM sessiondb.installation AS i
          JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', i.platform_schema, p_table))
         WHERE a.attname = 'session_id' AND NOT a.attisdropped)
$function$;

COMMENT ON FUNCTION sessiondb.has_own_session_id(name) IS
    'Whether a table has the column session_id, made by sessiondb';

REVOKE ALL ON FUNCTION sessiondb.has_own_session_id(name) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.guard_links(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $procedure$
/*
 * Puts ignore_early_link() behind the two triggers that check a session, before they can check it and
 * after they could: whoever adds session_id must not leave it open for a moment. A column that was there
 * before us was open before us; there the triggers are dropped, without a notice where there are none.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table, or ACCESS EXCLUSIVE to drop them.
 */
DECLARE
    v_table regclass := (SELECT format('%I.%I', i.platform_schema, p_table)::regclass FROM sessiondb.installation AS i);
    v_check name := format('zzz_sessiondb_check_%s', rtrim(p_table, 's'));
    v_update name := format('zzz_sessiondb_check_%s_update', rtrim(p_table, 's'));
    v_comment text := 'Takes no session from a client until it can be checked (sessiondb)';
BEGIN
    IF NOT sessiondb.has_own_session_id(p_table) THEN
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', v_update, v_table);
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', v_check, v_table);
        RETURN;
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT ON %s FOR EACH ROW '
                   'WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION sessiondb.ignore_early_link()', v_check, v_table);
    EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OF session_id ON %s FOR EACH ROW '
                   'WHEN (NEW.session_id IS NOT NULL AND NEW.session_id IS DISTINCT FROM OLD.session_id) '
                   'EXECUTE FUNCTION sessiondb.ignore_early_link()', v_update, v_table);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_check, v_table, v_comment);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_update, v_table, v_comment);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.guard_links(name) IS
    'Closes session_id of a table to clients until it can be checked';

REVOKE ALL ON PROCEDURE sessiondb.guard_links(name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.foreign_key_statements(p_table name)
RETURNS TABLE (statement text, locks json, scans name)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements still needed for a foreign key from session_id of table $1 to sessions, in order;
 * none where one exists, whatever its name. Each is to be run in a transaction of its own. With each
 * go the locks that it takes, as {"table": "mode"}, and the table that it reads from end to end.
 *
 * Added NOT VALID, so that the lock (SHARE ROW EXCLUSIVE on both tables) is held for a moment only;
 * validated by itself under SHARE UPDATE EXCLUSIVE, which blocks no reader and no writer.
 *
 * A key that the platform left NOT VALID is left so. Ours is known by its comment.
 *
 * A partitioned table takes NOT VALID from PostgreSQL 18 on. Before, each partition gets its own key
 * that way, and the key of the parent then adopts those without a scan. It drops the triggers on
 * sessions that theirs have made needless, which keeps readers of sessions out for that moment.
 */
WITH
platform AS (
    SELECT n.oid AS namespace, n.nspname,
           format('%I.sessions', n.nspname) AS sessions,
           current_setting('server_version_num')::integer >= 180000 AS takes_not_valid
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
target AS (
    SELECT t.oid, p.level, p.isleaf, h.sessions,
           format('%I.%I', tn.nspname, t.relname) AS name,
           t.relname AS table_name,
           format('%s_session_id_fkey', left(t.relname, 46)) AS key_name,
           t.relkind = 'r' OR h.takes_not_valid AS not_valid,
           CASE WHEN t.relkind = 'r' OR h.takes_not_valid THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END AS mode_on_sessions
      FROM platform AS h
      JOIN pg_class AS root ON root.relnamespace = h.namespace AND root.relname = $1
     CROSS JOIN LATERAL (
            SELECT root.oid AS relid, 0 AS level, true AS isleaf WHERE root.relkind = 'r' OR h.takes_not_valid
            UNION ALL
            SELECT pt.relid, pt.level, pt.isleaf
              FROM pg_partition_tree(root.oid) AS pt
             WHERE root.relkind = 'p' AND NOT h.takes_not_valid AND (pt.isleaf OR pt.level = 0)
           ) AS p
      JOIN pg_class AS t ON t.oid = p.relid
      JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
),
key AS (
    SELECT c.conrelid, c.conname, c.convalidated,
           coalesce(obj_description(c.oid, 'pg_constraint') LIKE '%(sessiondb)', false) AS ours
      FROM pg_constraint AS c
      JOIN platform AS h ON c.confrelid = to_regclass(h.sessions)
      JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = 'session_id'
     WHERE c.contype = 'f'
       AND c.conkey = ARRAY[a.attnum]
       AND c.confkey = ARRAY(SELECT i.attnum FROM pg_attribute AS i WHERE i.attrelid = c.confrelid AND i.attname = 'id')
       AND (c.conparentid = 0 OR c.conrelid <> (SELECT p.conrelid FROM pg_constraint AS p WHERE p.oid = c.conparentid))
)
SELECT s.statement, json_build_object(t.table_name, s.mode, 'sessions', s.mode_on_sessions), s.scans
  FROM target AS t
  LEFT JOIN key AS k ON k.conrelid = t.oid
 CROSS JOIN LATERAL (
        SELECT 1 AS turn,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', %L);\n'
                   '    CALL sessiondb.lock_tables(%L, %L);\n'
                   '    ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (session_id) REFERENCES %s (id) ON DELETE SET NULL%s;\n'
                   '    COMMENT ON CONSTRAINT %I ON %s IS ''A session that is deleted leaves its rows without one (sessiondb)'';\n'
                   'END',
                   t.name, t.mode_on_sessions, t.sessions, t.name, t.key_name, t.sessions, CASE WHEN t.not_valid THEN ' NOT VALID' ELSE '' END,
                   t.key_name, t.name)) AS statement,
               'SHARE ROW EXCLUSIVE' AS mode,
               t.mode_on_sessions,
               NULL::name AS scans
         WHERE k.conname IS NULL
        UNION ALL
        SELECT 2,
               format('ALTER TABLE %s VALIDATE CONSTRAINT %I', t.name, coalesce(k.conname, t.key_name)),
               'SHARE UPDATE EXCLUSIVE',
               'ROW SHARE',
               t.table_name
         WHERE t.not_valid
           AND (k.conname IS NULL OR (k.ours AND NOT k.convalidated))
       ) AS s
 ORDER BY t.level DESC, t.name, s.turn
$function$;

COMMENT ON FUNCTION sessiondb.foreign_key_statements(name) IS
    'The statements still needed for a validated foreign key from session_id of a table to sessions';

REVOKE ALL ON FUNCTION sessiondb.foreign_key_statements(name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.index_statements(
    p_name name, p_table name, p_columns text[], p_predicate text
)
RETURNS TABLE (statement text, locks json, scans name)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements still needed for index $1 on table $2, in order; none where a valid index that does
 * the same job exists, whatever its name. Each is to be run by itself, outside a transaction. With
 * each go the locks that it takes, as {"table": "mode"}, and the table that it reads from end to end.
 *
 * $3 holds the column lists that do the job, as PostgreSQL writes them; the first is what we build.
 * An index does the job if its columns begin with one of them and its predicate is $4 or none.
 *
 * An index of that name which is invalid and not being built is what a crash left of an earlier try:
 * it is dropped and built again; one that is being built is not ours, and is refused. On a
 * partitioned table, where CONCURRENTLY is not possible, the index is made on the parent alone, built
 * concurrently on each partition, and attached. The parent's is invalid until then; that it is ours,
 * and not one that somebody else has not finished, is known by its comment, for preflight.
 *
 * Attaching takes ACCESS EXCLUSIVE on the index of the partition, and whoever plans a query on the
 * partition locks all of its indexes: so readers and writers of that one partition are kept out for
 * the moment of the attaching, and are waited for. (On the parent's index, which nobody uses before
 * it is whole, it is SHARE UPDATE EXCLUSIVE; on both tables ACCESS SHARE.) The way that would keep no
 * reader out, CREATE INDEX on the whole table once the partitions have theirs, takes SHARE on all
 * partitions at once, and with writers kept out builds the index of a partition that came meanwhile.
 */
WITH
platform AS (
    SELECT n.oid AS namespace, n.nspname
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
root AS (
    SELECT c.oid, c.relkind
      FROM platform AS h
      JOIN pg_class AS c ON c.relnamespace = h.namespace AND c.relname = $2
),
-- The table and, under a partitioned one, its partitions.
node AS (
    SELECT p.relid, p.parentrelid, p.level, p.isleaf,
           n.nspname AS schema_name,
           c.relname AS table_name,
           CASE p.level
               WHEN 0 THEN $1::text
               ELSE format('%s_%s_idx', left(c.relname, 48), left(md5($1 || c.relname), 8))
           END AS index_name
      FROM root AS r
     CROSS JOIN LATERAL (
            SELECT r.oid AS relid, NULL::oid AS parentrelid, 0 AS level, true AS isleaf WHERE r.relkind <> 'p'
            UNION ALL
            SELECT t.relid, t.parentrelid, t.level, t.isleaf FROM pg_partition_tree(r.oid) AS t WHERE r.relkind = 'p'
           ) AS p
      JOIN pg_class AS c ON c.oid = p.relid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
),
-- Somebody who builds an index concurrently, and which one, where this role may see that. (Of this database: one
-- that was copied from the same database as this one may have a table with the same oid.)
builder AS (
    SELECT l.relation AS relid, p.index_relid
      FROM pg_stat_progress_create_index AS p
      JOIN pg_locks AS l ON l.pid = p.pid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
     WHERE p.datname = current_database() AND p.pid <> pg_backend_pid()
),
existing AS (
    SELECT i.indexrelid, i.indrelid, c.relname, i.indisvalid,
           NOT i.indisvalid AND EXISTS (
                SELECT FROM builder AS b
                 WHERE b.relid = i.indrelid AND coalesce(b.index_relid, i.indexrelid) = i.indexrelid) AS being_built,
           EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid) AS attached,
           (SELECT string_agg(
                       pg_get_indexdef(i.indexrelid, k.place::integer, true)
                       || CASE k.options & 3 WHEN 0 THEN '' WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE ' DESC' END,
                       ', ' ORDER BY k.place)
              FROM unnest(i.indoption) WITH ORDINALITY AS k (options, place)) AS columns,
           -- (status = 'active'::text) and ((status)::text = 'active'::text) are the same to us
           regexp_replace(pg_get_expr(i.indpred, i.indrelid), '::[a-z_." ]+|[() ]', '', 'g') AS predicate,
           a.amname
      FROM node AS n
      JOIN pg_index AS i ON i.indrelid = n.relid
      JOIN pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_am AS a ON a.oid = c.relam
),
-- Those that do the job.
suitable AS (
    SELECT e.indexrelid, e.indrelid
      FROM existing AS e
     WHERE e.indisvalid
       AND e.amname = 'btree'
       AND EXISTS (
            SELECT FROM unnest($3::text[]) AS wanted (columns)
             WHERE e.columns = wanted.columns OR starts_with(e.columns, wanted.columns || ', '))
       AND (e.predicate IS NULL OR e.predicate = replace($4, ' ', ''))
),
-- A partition needs none where one is attached already to the index of its table, whatever its name.
attached AS (
    SELECT n.relid
      FROM node AS n
      JOIN suitable AS s ON s.indrelid = n.relid
      JOIN pg_inherits AS h ON h.inhrelid = s.indexrelid
      JOIN existing AS e ON e.indexrelid = h.inhparent
      JOIN node AS parent ON parent.relid = n.parentrelid AND parent.index_name = e.relname
),
-- Nor where its table as a whole has what it needs.
served AS (
    SELECT n.relid, n.level
      FROM node AS n
     WHERE n.relid IN (SELECT s.indrelid FROM suitable AS s)
)
SELECT s.statement,
       CASE WHEN s.mode IS NOT NULL THEN json_build_object(n.table_name, s.mode) END,
       CASE s.turn WHEN 3 THEN n.table_name END
  FROM node AS n
  LEFT JOIN existing AS ours ON ours.indrelid = n.relid AND ours.relname = n.index_name
  LEFT JOIN node AS parent ON parent.relid = n.parentrelid
 -- the statement is run with the platform's schema on the path, where somebody may have made a more exact "="
 CROSS JOIN (SELECT ' WHERE ' || replace($4, ' = ', ' OPERATOR(pg_catalog.=) ') AS clause) AS w
 CROSS JOIN LATERAL (
        -- first the parents' definitions, then the partitions from the leaves up
        SELECT 0 AS turn, n.level AS place,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    CREATE INDEX %I ON ONLY %I.%I (%s)%s;\n'
                   '    COMMENT ON INDEX %I.%I IS ''The indexes of all partitions (sessiondb)'';\n'
                   'END',
                   n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause, n.schema_name, n.index_name)) AS statement,
               'SHARE' AS mode
         WHERE NOT n.isleaf AND ours.relname IS NULL
        UNION ALL
        -- to wait for somebody else's build, or to say who it is
        SELECT 1, -n.level,
               format('CALL sessiondb.lock_tables(''SHARE UPDATE EXCLUSIVE'', %L)', format('%I.%I', n.schema_name, n.table_name)),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND ours.being_built IS NOT TRUE AND n.relid IN (SELECT b.relid FROM builder AS b)
        UNION ALL
        SELECT 2, -n.level,
               format('DROP INDEX CONCURRENTLY %I.%I', n.schema_name, n.index_name),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND NOT ours.indisvalid AND NOT ours.being_built
        UNION ALL
        SELECT 3, -n.level,
               format('CREATE INDEX CONCURRENTLY %I ON %I.%I (%s)%s', n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf
           AND (ours.indisvalid IS NOT TRUE OR n.relid NOT IN (SELECT v.relid FROM served AS v))
           AND ours.being_built IS NOT TRUE
        UNION ALL
        SELECT 1, -n.level,
               format('DO %L', format(
                   'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_in_use'', MESSAGE = %L, HINT = %L; END',
                   format('index %I.%I is being built by somebody else', n.schema_name, n.index_name),
                   'Run sessiondb apply again when it is done.')),
               NULL
         WHERE n.isleaf AND ours.being_built
        UNION ALL
        SELECT 4, -n.level,
               format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', parent.schema_name, parent.index_name, n.schema_name, n.index_name),
               'ACCESS EXCLUSIVE'
         WHERE n.level > 0 AND ours.attached IS NOT TRUE
       ) AS s
 WHERE NOT EXISTS (SELECT FROM served AS v WHERE v.level = 0)
   AND n.relid NOT IN (SELECT a.relid FROM attached AS a)
 ORDER BY CASE s.turn WHEN 0 THEN 0 ELSE 1 END, s.place, n.table_name, s.turn
$function$;

COMMENT ON FUNCTION sessiondb.index_statements(name, name, text[], text) IS
    'The statements still needed for a valid index that does a given job on a table';

REVOKE ALL ON FUNCTION sessiondb.index_statements(name, name, text[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.required_indexes()
RETURNS TABLE (name name, table_name name, columns text[], predicate text)
LANGUAGE sql
IMMUTABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The indexes that the triggers, the foreign keys and the dashboard read, as index_statements() takes
 * them. The body stands alone, for preflight and check.
 */
VALUES
    -- the newest active session of an organisation in a course
    ('sessions_active_org_id_course_id_idx'::name, 'sessions'::name,
     ARRAY['org_id, course_id, created_at DESC NULLS LAST, id DESC'], 'status = ''active'''),
    -- the organisations of a user
    ('org_members_user_id_org_id_idx', 'org_members', ARRAY['user_id, org_id'], NULL),
    -- the student's enrolment in a course, for his submissions
    ('enrollments_user_id_course_id_idx', 'enrollments', ARRAY['user_id, course_id', 'course_id, user_id'], NULL),
    -- the rows of a session, for the dashboard and for deleting a session
    ('enrollments_session_id_idx', 'enrollments', ARRAY['session_id'], 'session_id IS NOT NULL'),
    ('submissions_session_id_idx', 'submissions', ARRAY['session_id'], 'session_id IS NOT NULL')
$function$;

COMMENT ON FUNCTION sessiondb.required_indexes() IS
    'The indexes that the triggers, the foreign keys and the dashboard read';

REVOKE ALL ON FUNCTION sessiondb.required_indexes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.drop_index_statements(p_name name, p_table name)
RETURNS SETOF text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that drop an index of ours, each to be run by itself, outside a transaction; none
 * for an index that was found in the platform. An index on a partitioned table cannot be dropped
 * concurrently; dropping it takes those of the partitions along. Those that an apply has not come to
 * attach, which have the names that index_statements() gives, are dropped by themselves.
 */
SELECT CASE c.relkind
           WHEN 'i' THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
           ELSE format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP INDEX %I.%I; END',
                                       t.oid::regclass, n.nspname, c.relname))
       END
  FROM sessiondb.installation AS i
  JOIN pg_namespace AS h ON h.nspname = i.platform_schema
  JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname = p_table
 CROSS JOIN LATERAL (
        SELECT root.oid AS relid, 0 AS level
        UNION
        SELECT p.relid, p.level FROM pg_partition_tree(root.oid) AS p
       ) AS node
  JOIN pg_class AS t ON t.oid = node.relid
  JOIN pg_index AS x ON x.indrelid = t.oid
  JOIN pg_class AS c ON c.oid = x.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE sessiondb.is_ours('index', p_table, p_name)
   AND c.relname = CASE node.level
                       WHEN 0 THEN p_name
                       ELSE format('%s_%s_idx', left(t.relname, 48), left(md5(p_name || t.relname), 8))
                   END
   AND NOT EXISTS (SELECT FROM pg_inherits AS a WHERE a.inhrelid = x.indexrelid)
 ORDER BY node.level, t.relname
$function$;

COMMENT ON FUNCTION sessiondb.drop_index_statements(name, name) IS
    'The statements that drop an index of ours';

REVOKE ALL ON FUNCTION sessiondb.drop_index_statements(name, name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.triggers_writing(p_columns text)
RETURNS TABLE (table_name name, trigger_name name, relation regclass, definition text)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The platform's own triggers on enrollments and submissions whose function writes one of the columns $1,
 * names separated by "|", with the table or partition that each is on, and the statements that make
 * each of them again as it is.
 *
 * Read from the text of the function: an assignment to NEW.column, INTO NEW.column, a copy of the row
 * that is given the column and returned, an UPDATE of one of the two tables that sets it. All of NEW may
 * be written, too; that counts unless the columns are named by literals and none of them is ours, as in
 * jsonb_populate_record(NEW, jsonb_build_object('updated_at', now())). A function that only compares or
 * copies the column does not count; what a function in C or behind another call does is not seen.
 *
 * The body stands alone, so that preflight can run it as a query before anything of ours exists.
 */
SELECT platform.relname,
       t.tgname,
       c.oid::regclass,
       pg_get_triggerdef(t.oid)
           || CASE t.tgenabled
                  WHEN 'D' THEN format('; ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname)
                  WHEN 'A' THEN format('; ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I', n.nspname, c.relname, t.tgname)
                  WHEN 'R' THEN format('; ALTER TABLE %I.%I ENABLE REPLICA TRIGGER %I', n.nspname, c.relname, t.tgname)
                  ELSE ''
              END
           || coalesce(format('; COMMENT ON TRIGGER %I ON %I.%I IS ', t.tgname, n.nspname, c.relname)
                           || quote_literal(obj_description(t.oid, 'pg_trigger')), '')
  FROM pg_namespace AS hn
  JOIN pg_class AS platform ON platform.relnamespace = hn.oid AND platform.relname IN ('enrollments', 'submissions')
 CROSS JOIN LATERAL (
        SELECT platform.oid AS relid
        UNION
        SELECT p.relid FROM pg_partition_tree(platform.oid) AS p
       ) AS node
  JOIN pg_class AS c ON c.oid = node.relid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_trigger AS t ON t.tgrelid = c.oid
  JOIN pg_proc AS p ON p.oid = t.tgfoid
  JOIN pg_namespace AS pn ON pn.oid = p.pronamespace
 CROSS JOIN LATERAL (
        -- the text without comments and without the quotes of names, the trigger's arguments in their places
        SELECT regexp_replace(
                   replace(regexp_replace(p.prosrc, '--[^\n]*|/\*.*?\*/', ' ', 'g'), '"', ''),
                   '\mtg_argv\s*\[[^]]*\]',
                   quote_literal(replace(replace(encode(t.tgargs, 'escape'), '\000', ' '), '\', '/')),
                   'gi') AS body
       ) AS f
 WHERE hn.nspname = current_setting('sessiondb.schema')
   AND pn.nspname <> 'sessiondb'
   AND NOT t.tgisinternal
   AND t.tgparentid = 0
   AND (
        -- a copy of the row
        f.body ~* format('(?:^|;|\mbegin|\mthen|\melse|\mloop)\s*(\w+)\s*\.\s*(?:%s)\s*:?=.*\mreturn\s+\1\M', $1)
        OR EXISTS (
            SELECT FROM string_to_table(f.body, ';') AS s (statement)
             WHERE s.statement ~* format(
                       -- NEW.column := ..., and "=" where a statement begins
                       '\mnew\s*\.\s*(%1$s)\s*:=|(^|\mbegin|\mthen|\melse|\mloop)\s*new\s*\.\s*(%1$s)\s*='
                       -- INTO [STRICT] ..., NEW.column
                       '|\minto\s+(strict\s+)?(\w[\w.]*\s*,\s*)*new\s*\.\s*(%1$s)\M'
                       -- UPDATE of one of the two tables: column among what is between SET and WHERE
                       '|\mupdate\s+(only\s+)?(\w+\s*\.\s*)?(enrollments|submissions)\M.*\mset\M((?!\mwhere\M).)*(?:[,(]|\mset)?\s*\m(%1$s)\s*[=,)]',
                       $1)
                   -- all of NEW, or a row that is returned in its place
                OR (s.statement ~* ('\mnew\s*:=|(^|\mbegin|\mthen|\melse|\mloop)\s*new\s*=|\minto\s+(strict\s+)?new\M(?!\s*\.)'
                                    '|\mreturn\s+(jsonb?_populate_record\M|new\s*#=)')
                    -- but not where literals name the columns, and others than these
                    AND NOT (s.statement ~* ('\mjsonb?_populate_record\s*\(\s*new\s*,\s*(jsonb?_build_object\s*\(\s*)?'''
                                             '|\mnew\s*#=\s*hstore\s*\(\s*''[^'']*''\s*,')
                             AND s.statement !~* format('''(\s*\{[^'']*|[\w ]*)\m(%s)\M', $1)))))
$function$;

COMMENT ON FUNCTION sessiondb.triggers_writing(text) IS
    'The platform''s own triggers on enrollments and submissions that write given columns';

REVOKE ALL ON FUNCTION sessiondb.triggers_writing(text) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.adopt_triggers(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Takes over the triggers of the platform that write session_id of the table, or of one of its partitions:
 * each is dropped, and its definition kept for the rollback. Only where the setting sessiondb.adopt is
 * on; otherwise such a trigger is an error, since two that choose a session would not agree.
 *
 * Lock: ACCESS EXCLUSIVE on the table, only where there is such a trigger.
 */
DECLARE
    v_trigger record;
BEGIN
    FOR v_trigger IN
        SELECT w.trigger_name, w.relation, c.relname AS relation_name, w.definition
          FROM sessiondb.triggers_writing('session_id') AS w
          JOIN pg_class AS c ON c.oid = w.relation
         WHERE w.table_name = p_table
         ORDER BY c.relname, w.trigger_name
    LOOP
        IF coalesce(current_setting('sessiondb.adopt', true), '') <> 'on' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('trigger %I on %I writes session_id too', v_trigger.trigger_name, v_trigger.relation_name),
                HINT = 'Have it taken over with: sessiondb apply --adopt, or SET sessiondb.adopt = on.';
        END IF;
        INSERT INTO sessiondb.objects (kind, parent, name, origin, previous_definition)
        VALUES ('trigger', v_trigger.relation_name, v_trigger.trigger_name, 'replaced', v_trigger.definition);
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', format('%I.%I', current_setting('sessiondb.schema'), p_table));
        EXECUTE format('DROP TRIGGER %I ON %s', v_trigger.trigger_name, v_trigger.relation);
        RAISE NOTICE 'trigger % on % is taken over; a rollback restores it with: %',
            v_trigger.trigger_name, v_trigger.relation_name, v_trigger.definition;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.adopt_triggers(name) IS
    'Takes over the platform''s triggers that write session_id of a table; a rollback restores them';

REVOKE ALL ON PROCEDURE sessiondb.adopt_triggers(name) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.restore_triggers(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Makes the triggers again that adopt_triggers() took over, as they were: those of the table and of its
 * partitions, and of what is no partition any more. That of a table that is gone is gone, too.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table, only where there is such a trigger.
 */
DECLARE
    v_trigger record;
BEGIN
    FOR v_trigger IN
        DELETE FROM sessiondb.objects AS o
         WHERE o.kind = 'trigger'
           AND o.origin = 'replaced'
           AND o.parent NOT IN (
                -- what belongs to the other of the two tables
                SELECT c.relname
                  FROM sessiondb.installation AS i
                  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
                  JOIN pg_class AS other ON other.relnamespace = n.oid
                   AND other.relname IN ('enrollments', 'submissions') AND other.relname <> p_table
                 CROSS JOIN LATERAL (
                        SELECT other.oid AS relid
                        UNION
                        SELECT p.relid FROM pg_partition_tree(other.oid) AS p
                       ) AS node
                  JOIN pg_class AS c ON c.oid = node.relid)
        RETURNING o.parent, o.name, o.previous_definition AS definition
    LOOP
        BEGIN
            EXECUTE v_trigger.definition;
            RAISE NOTICE 'trigger % on % is restored', v_trigger.name, v_trigger.parent;
        EXCEPTION WHEN undefined_table THEN
            RAISE NOTICE 'trigger % is not restored, as table % is gone: %', v_trigger.name, v_trigger.parent, v_trigger.definition;
        END;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_triggers(name) IS
    'Makes the platform''s triggers again that sessiondb took over';

REVOKE ALL ON PROCEDURE sessiondb.restore_triggers(name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.save_link()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT or UPDATE OF session_id, only while a rollback is under way: keeps the row's link
 * beside those that were saved in bulk, so that none is lost up to the moment the column goes. The
 * trigger's argument is enrollments or submissions; sessiondb.prepare_saved_links() made the table
 * whose key the row is saved by. The dynamic SQL is paid during a rollback only.
 *
 * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb. Nothing but the two
 * tables of the platform is taken, and no SQL from a trigger's argument: whoever could call this function
 * could put it on a table of his own.
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
$function$;

COMMENT ON FUNCTION sessiondb.save_link() IS
    'Trigger function: keeps links that are written while a rollback is under way';

REVOKE ALL ON FUNCTION sessiondb.save_link() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.prepare_saved_links(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Makes sessiondb.saved_links_of_TABLE, keyed as the platform keys its table, and the trigger that keeps
 * it up to date until session_id is dropped. Nothing to do where session_id is not ours to drop, or is gone.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table for the trigger; blocks writers for a moment.
 */
DECLARE
    v_table text := (SELECT format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    v_keys text[];
    v_others text[];
BEGIN
    IF NOT sessiondb.has_own_session_id(p_table) THEN
        RETURN;
    END IF;

    SELECT array_agg(quote_ident(a.attname) ORDER BY k.place)
      INTO v_keys
      FROM (
            SELECT i.indrelid, i.indkey, i.indnkeyatts
              FROM pg_index AS i
             WHERE i.indrelid = to_regclass(v_table)
               AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
               AND (i.indisprimary OR NOT EXISTS (
                    SELECT FROM pg_attribute AS n
                     WHERE n.attrelid = i.indrelid AND n.attnum = ANY (i.indkey) AND NOT n.attnotnull))
             ORDER BY i.indisprimary DESC, i.indexrelid
             LIMIT 1
           ) AS u
     CROSS JOIN unnest(u.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_attribute AS a ON a.attrelid = u.indrelid AND a.attnum = k.attnum
     WHERE k.place <= u.indnkeyatts;

    IF v_keys IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('table %s has no primary key, so its links cannot be saved before session_id is dropped', v_table),
            HINT = format('Add a primary key, or give up the links with: UPDATE %s SET session_id = NULL, then '
                          'ALTER TABLE %s DROP COLUMN session_id, and roll back again.', v_table, v_table);
    END IF;

    -- whose work it is and on what: another row that gets the same key one day must not get the link
    v_others := ARRAY(
        SELECT quote_ident(a.attname)
          FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(v_table) AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attname <> 'session_id'
           AND quote_ident(a.attname) <> ALL (v_keys)
           AND (a.attname = 'user_id'
                OR EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey)))
         ORDER BY a.attnum);
    IF to_regclass(v_saved) IS NULL THEN
        EXECUTE format('CREATE TABLE %s AS SELECT %s, session_id FROM %s WITH NO DATA',
                       v_saved, array_to_string(v_keys || v_others, ', '), v_table);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT saved_links_of_%s_pkey PRIMARY KEY (%s)',
                       v_saved, p_table, array_to_string(v_keys, ', '));
        CALL sessiondb.withdraw_default_grants();
        EXECUTE format('COMMENT ON TABLE %s IS %L', v_saved,
                       format('The sessions that rows of %s were linked to before a rollback; apply restores them', v_table));
    END IF;
    CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', v_table);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER INSERT OR UPDATE OF session_id ON %s '
        'FOR EACH ROW EXECUTE FUNCTION sessiondb.save_link(%L)',
        v_table, p_table);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.prepare_saved_links(name) IS
    'Makes the table that keeps a table''s links over a rollback, and the trigger that completes it';

REVOKE ALL ON PROCEDURE sessiondb.prepare_saved_links(name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.save_links_statements(p_table name)
RETURNS SETOF text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that copy the links of a table to sessiondb.saved_links_of_TABLE, each a short
 * transaction over 4,096 pages (32 MB) of one partition, so that a writer who meets the copy waits
 * for one of them at most. What the trigger kept meanwhile is newer and stays. None where
 * prepare_saved_links() made no table.
 */
SELECT format(
           'INSERT INTO %1$s (%2$s, session_id) SELECT %2$s, session_id FROM ONLY %3$I.%4$I '
           'WHERE session_id IS NOT NULL AND ctid >= %5$L AND ctid < %6$L ON CONFLICT DO NOTHING',
           s.saved, s.key_list, n.nspname, c.relname,
           format('(%s,0)', b.block), format('(%s,0)', b.block + 4096))
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (
        SELECT format('sessiondb.%I', 'saved_links_of_' || p_table) AS saved,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || p_table))
                   AND a.attnum > 0 AND NOT a.attisdropped
                   AND a.attname <> 'session_id') AS key_list
       ) AS s
 CROSS JOIN LATERAL (
        SELECT to_regclass(format('%I.%I', i.platform_schema, p_table)) AS relid
       ) AS root
 CROSS JOIN LATERAL (
        SELECT root.relid UNION SELECT t.relid FROM pg_partition_tree(root.relid) AS t WHERE t.isleaf
       ) AS leaf
  JOIN pg_class AS c ON c.oid = leaf.relid AND c.relkind = 'r'
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL generate_series(0, greatest(pg_relation_size(c.oid) / current_setting('block_size')::integer - 1, 0), 4096) AS b (block)
 WHERE s.key_list IS NOT NULL
   AND sessiondb.has_own_session_id(p_table)
 ORDER BY n.nspname, c.relname, b.block
$function$;

COMMENT ON FUNCTION sessiondb.save_links_statements(name) IS
    'The statements that copy the links of a table aside before its session_id is dropped';

REVOKE ALL ON FUNCTION sessiondb.save_links_statements(name) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.restore_links(p_table name, p_first bigint, p_end bigint)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Gives the links that a rollback saved, those on the pages from p_first to before p_end, back to
 * their rows and takes them from the saved ones, in one transaction. A row that was linked anew
 * keeps its session; a link whose row or session is gone is let go.
 */
DECLARE
    v_table text := (SELECT format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i);
    v_sessions text := (SELECT format('%I.sessions', i.platform_schema) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    -- the same row, of the same user and on the same thing, unless that is gone
    v_same_row text := (
        SELECT string_agg(
                   format(CASE
                              WHEN a.attnum = ANY (k.conkey) THEN 't.%1$I = r.%1$I'
                              WHEN a.attname = 'user_id' THEN 't.%1$I IS NOT DISTINCT FROM r.%1$I'
                              ELSE '(t.%1$I IS NOT DISTINCT FROM r.%1$I OR t.%1$I IS NULL)'
                          END, a.attname), ' AND ')
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = to_regclass(v_saved) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id');
BEGIN
    EXECUTE format(
        'WITH restored AS (DELETE FROM %s WHERE ctid >= %L AND ctid < %L RETURNING *), '
        'living AS (SELECT s.id FROM %s AS s WHERE s.id IN (SELECT r.session_id FROM restored AS r) FOR KEY SHARE) '
        'UPDATE %s AS t SET session_id = r.session_id FROM restored AS r JOIN living AS l ON l.id = r.session_id '
        'WHERE %s AND t.session_id IS NULL',
        v_saved, format('(%s,0)', p_first), format('(%s,0)', p_end), v_sessions, v_table, v_same_row);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) IS
    'Gives some of the links that a rollback saved back to their rows';

REVOKE ALL ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.restore_links_statements(p_table name)
RETURNS TABLE (statement text, locks json, scans name)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that give the links saved by a rollback back to the rows of table $1, those on 32
 * pages (some 4,000) in a transaction, and drop the table that kept them; none where nothing was
 * saved. With each go the locks that it takes, as {"table": "mode"}, and the table that it reads
 * from end to end, which none of them does.
 *
 * A rollback that was stopped before the column went leaves the trigger that keeps links up to date;
 * it goes first.
 *
 * The body stands alone, so that plan can run it as a query after a rollback of everything, which
 * leaves only the saved links.
 */
WITH
platform AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $1
     WHERE n.nspname = current_setting('sessiondb.schema')
),
saved AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'saved_links_of_' || $1
     WHERE n.nspname = 'sessiondb'
)
SELECT s.statement, s.locks, NULL::name
  FROM (
        SELECT 1 AS turn, 0::bigint AS page,
               format('DO %L', format(
                   'BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP TRIGGER zzz_sessiondb_save ON %s; END',
                   h.name, h.name)) AS statement,
               json_build_object($1, 'ACCESS EXCLUSIVE') AS locks
          FROM platform AS h
          JOIN pg_trigger AS t ON t.tgrelid = h.oid AND t.tgname = 'zzz_sessiondb_save'
        UNION ALL
        SELECT 2, b.page,
               format('CALL sessiondb.restore_links(%L, %s, %s)', $1, b.page, b.page + 32),
               json_build_object($1, 'ROW EXCLUSIVE', 'sessions', 'ROW SHARE')
          FROM saved AS v
         CROSS JOIN LATERAL generate_series(0, v.pages - 1, 32) AS b (page)
        UNION ALL
        SELECT 3, 0, format('DROP TABLE %s', v.name), NULL
          FROM saved AS v
       ) AS s
 ORDER BY s.turn, s.page
$function$;

COMMENT ON FUNCTION sessiondb.restore_links_statements(name) IS
    'The statements that give the links saved by a rollback back to their rows';

REVOKE ALL ON FUNCTION sessiondb.restore_links_statements(name) FROM PUBLIC;

CALL sessiondb.withdraw_default_grants();
