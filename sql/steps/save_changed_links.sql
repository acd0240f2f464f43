-- The statement that saves what the rows of table $1 are linked to now that were written since the trigger of step prepare_saved_links
-- was created. What is written meanwhile is noted for the next time; step drop_column repeats it when no other session can
-- write to the table.
--
-- An error if of a row only the user is known, or nothing: it may be any, and the next rollback saves them all.
--
-- On Citus, the place of a row in a table (ctid) is that on another server, so that no other session may write meanwhile.
SELECT CASE WHEN d.is_distributed THEN format('DO %L', format($distributed$
BEGIN
    CALL sessiondb.lock_tables('EXCLUSIVE', ARRAY[%4$L]::pg_catalog.regclass[]);
    DELETE FROM %2$s AS r USING %1$s AS t WHERE %3$s;
    INSERT INTO %2$s (%5$s, session_id)
    SELECT t.* FROM (SELECT %5$s, session_id FROM %4$s WHERE session_id IS NOT NULL) AS t WHERE EXISTS (SELECT FROM %1$s AS r WHERE %3$s);
    DELETE FROM %1$s;
END$distributed$, n.name, v.name, v.same_key, t.name, v.columns))
       ELSE format('DO %L', concat('BEGIN' || u.before, format($plain$
DECLARE
    v_noted pg_catalog.tid[];
BEGIN
    CALL sessiondb.lock_tables('ACCESS SHARE', ARRAY[%4$L, %6$L]::pg_catalog.regclass[]);
    %7$s;
    IF EXISTS (SELECT FROM %1$s AS t WHERE %8$s) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = %9$L, HINT = 'Run rollback again, which saves them.';
    END IF;
    v_noted := ARRAY(SELECT n.ctid FROM %1$s AS n);
    DELETE FROM %2$s AS r USING %1$s AS t WHERE %3$s AND t.ctid OPERATOR(pg_catalog.=) ANY (v_noted);
    INSERT INTO %2$s (%5$s, session_id, session_belongs_to)
    SELECT t.*, coalesce(s.session_belongs_to, '')
      FROM (SELECT %5$s, session_id FROM %4$s WHERE session_id IS NOT NULL) AS t
      LEFT JOIN (SELECT id AS session_id, pg_catalog.concat(org_id, ' ', course_id) AS session_belongs_to FROM %6$s) AS s
        ON s.session_id OPERATOR(pg_catalog.=) t.session_id
     WHERE EXISTS (SELECT FROM %1$s AS r WHERE %3$s AND r.ctid OPERATOR(pg_catalog.=) ANY (v_noted));
    DELETE FROM %1$s AS n WHERE n.ctid OPERATOR(pg_catalog.=) ANY (v_noted);
END$plain$, n.name, v.name, v.same_key, t.name, v.columns, t.sessions, u.guard,
           ({noted_without_key(v.oid)}),
           format('a column of the key of table %s was changed while links were saved, and some of them are not', t.name)),
               ';' || u.after || 'END')) END AS statement,
       json_build_object($1, l.mode, 'sessions', l.mode) AS locks, NULL::name AS scans
  FROM (SELECT format('%I.%I', current_setting('sessiondb.schema'), $1) AS name,
        format('%I.sessions', current_setting('sessiondb.schema')) AS sessions) AS t
 CROSS JOIN (SELECT coalesce(current_setting('sessiondb.citus', true), '') = 'distributed' AS is_distributed) AS d
 CROSS JOIN (SELECT 'sessiondb.changed_rows_of_' || $1 AS name) AS n
 CROSS JOIN LATERAL (
        SELECT c.oid, c.oid::regclass AS name, ({same_key(c.oid, 't')}) AS same_key,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                     AND a.attname NOT IN ('session_id', 'session_belongs_to')) AS columns
          FROM pg_class AS c
         WHERE c.oid = to_regclass('sessiondb.saved_links_of_' || $1)
       ) AS v
 CROSS JOIN LATERAL (SELECT to_regclass(t.name)::oid AS oid, to_regclass(t.sessions)::oid AS of_sessions) AS w
 CROSS JOIN LATERAL ({unforced(ARRAY[w.oid,w.of_sessions])}) AS u
 CROSS JOIN LATERAL (
        SELECT CASE WHEN d.is_distributed THEN 'EXCLUSIVE' WHEN u.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END AS mode) AS l
 WHERE to_regclass(n.name) IS NOT NULL
   AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = w.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
   AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'column' AND o.parent = $1 AND o.origin = 'created')
