-- The statements that create sessiondb.saved_links_of_TABLE for table $1, with the key of that table, and the trigger that
-- notes what is written until session_id is dropped. What an earlier rollback saved of a row that is linked now is deleted,
-- because save_links saves what it is linked to. With each link, session_belongs_to is the organisation and the course of the
-- session, which may be created again with its id; empty if they are not known, and "?" if sessiondb 0.1.0 or Citus saved it. None
-- if session_id is not ours or no longer exists. If the platform's table is distributed, each link is saved where its row is.
WITH platform AS (
    SELECT c.oid, c.relname, format('%I.%I', n.nspname, c.relname) AS name, format('sessiondb.%I', 'saved_links_of_' || c.relname) AS saved,
           ({row_key(c.oid)}) AS key,
           CASE WHEN current_setting('sessiondb.citus', true) = 'distributed' THEN '?' ELSE '' END AS unknown
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $1
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'column' AND o.parent = $1 AND o.origin = 'created')
)
SELECT s.statement, s.locks, NULL::name AS scans
  FROM (SELECT h.*, array_cat(h.key, CASE WHEN 'user_id' = ANY (h.key) THEN '{}' ELSE ARRAY['user_id'] END) AS noted FROM platform AS h) AS p
 -- whose work it is and on what: another row that later gets the same key must not get the link
 CROSS JOIN LATERAL (
        SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS columns
          FROM pg_attribute AS a
         WHERE a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attname <> 'session_id'
           AND quote_ident(a.attname) <> ALL (p.key)
           -- not other references, such as who graded it, which may change meanwhile
           AND (a.attname IN ('user_id', CASE $1 WHEN 'enrollments' THEN 'course_id' END)
                OR $1 = 'submissions'
                    AND a.attname IN (SELECT jsonb_array_elements_text(i.course_joins -> 0 -> 'columns') FROM sessiondb.installation AS i)
                -- and what the server gives each row, such as an id beside a natural key; beside an id that it gives, only what clients cannot
                -- give, because it may be a version of the row
                OR (a.attidentity = 'a' OR NOT EXISTS (
                    SELECT FROM pg_attribute AS k
                      LEFT JOIN pg_attrdef AS d ON d.adrelid = k.attrelid AND d.adnum = k.attnum
                     WHERE k.attrelid = p.oid AND quote_ident(k.attname) = ANY (p.key)
                       AND (k.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(|uuid\w*\(')))
                   AND a.attnotnull AND a.attgenerated = '' AND (a.atthasdef OR a.attidentity <> '') AND EXISTS (
                    SELECT FROM pg_index AS x
                     WHERE x.indrelid = p.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indnkeyatts = 1
                         AND x.indkey[0] = a.attnum))
       ) AS other
 CROSS JOIN LATERAL (
        SELECT 1 AS turn,
               format('DO %L', format(
                   'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %L, HINT = %L; END',
                   format('table %s has no primary key that is not deferrable and has no generated column, so its links cannot be '
                          'saved before session_id is dropped', p.name),
                   format('Add a primary key, or give up the links with: UPDATE %s SET session_id = NULL, then '
                          'ALTER TABLE %s DROP COLUMN session_id, and roll back again.', p.name, p.name))) AS statement,
               NULL::json AS locks
         WHERE p.key IS NULL
        UNION ALL
        SELECT 2, format('DO %L', format(
                   E'BEGIN\n'
                   '    CALL sessiondb.lock_tables(''ACCESS SHARE'', ARRAY[%3$L]::pg_catalog.regclass[]);\n'
                   -- not of a domain, whose CHECK would be evaluated here
                   '    CREATE TABLE %1$s AS SELECT %2$s, session_id, NULL::pg_catalog.text AS session_belongs_to FROM %3$s WITH NO DATA;\n'
                   '    ALTER TABLE %1$s ALTER session_belongs_to SET DEFAULT %7$L, ALTER session_belongs_to SET NOT NULL;\n'
                   '    ALTER TABLE %1$s ADD CONSTRAINT saved_links_of_%4$s_pkey PRIMARY KEY (%5$s);\n'
                   '    COMMENT ON TABLE %1$s IS %6$L;\n'
                   '    CALL sessiondb.secure_schema();\n'
                   'END',
                   p.saved,
                   (SELECT string_agg(format('%s::%s', c.name, ({base_type(a.atttypid)})), ', ' ORDER BY c.place)
                      FROM unnest(p.key || other.columns) WITH ORDINALITY AS c (name, place)
                      JOIN pg_attribute AS a ON a.attrelid = p.oid AND quote_ident(a.attname) = c.name),
                   p.name, p.relname, array_to_string(p.key, ', '),
                   format('The sessions that rows of %s were linked to before a rollback; apply restores them', p.name), p.unknown)),
               json_build_object($1, 'ACCESS SHARE')
         WHERE to_regclass(p.saved) IS NULL
        UNION ALL
        -- sessiondb 0.1.0 created it
        SELECT 2, format('DO %L', format(
                   E'BEGIN\n'
                   '    ALTER TABLE %1$s ADD COLUMN session_belongs_to pg_catalog.text NOT NULL DEFAULT ''?'';\n'
                   '    ALTER TABLE %1$s ALTER session_belongs_to SET DEFAULT %2$L;\n'
                   '    CALL sessiondb.secure_schema();\n'
                   'END', p.saved, p.unknown)), NULL
         WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = to_regclass(p.saved) AND a.attname = 'session_belongs_to')
           AND to_regclass(p.saved) IS NOT NULL
        UNION ALL
        SELECT 3, format('CALL sessiondb.distribute_saved_links(%L)', p.relname), NULL
         WHERE current_setting('sessiondb.citus', true) = 'distributed'
        UNION ALL
        SELECT 4, w.statement, json_build_object($1, 'SHARE ROW EXCLUSIVE')
          FROM (SELECT ({note_changes($1, p.name, p.noted, 'rollback')}) AS statement) AS w
        UNION ALL
        SELECT 5, format('DO %L', concat('BEGIN' || u.before, format(
                   E'BEGIN\n'
                   '    CALL sessiondb.lock_tables(''ACCESS SHARE'', ARRAY[%3$L]::pg_catalog.regclass[]);\n'
                   '    PERFORM %1$s FROM %2$s LIMIT 0;\n'
                   '    DELETE FROM %2$s AS r USING (SELECT %1$s FROM %3$s WHERE session_id IS NOT NULL) AS t WHERE %4$s;\n'
                   'END',
                   array_to_string(p.key, ', '), p.saved, p.name,
                   ({same_key(s.oid, 't')})),
                   ';' || u.after || 'END')),
               json_build_object($1, CASE WHEN u.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END)
          FROM (
{unforced(ARRAY[p.oid])}
               ) AS u
          JOIN pg_class AS s ON s.oid = to_regclass(p.saved)
        UNION ALL
        -- where any row may have been written
        SELECT 6, format('WITH t AS (DELETE FROM %1$s AS t WHERE %2$s RETURNING *) DELETE FROM %3$s AS r WHERE EXISTS (SELECT FROM t)',
                         n.name, ({noted_without_key(s.oid)}), p.saved), NULL
          FROM (SELECT 'sessiondb.changed_rows_of_' || $1 AS name) AS n
          JOIN pg_class AS s ON s.oid = to_regclass(p.saved)
         WHERE current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
       ) AS s
 ORDER BY s.turn
