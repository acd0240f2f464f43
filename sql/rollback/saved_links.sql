-- The links can be saved before a rollback drops them: by a key of their table, and those of all rows. The setting
-- sessiondb.undone holds the numbers of the migrations to be undone; undoing 0006 saves the links.
SELECT 'saved_links' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM sessiondb.installation AS i
  JOIN sessiondb.objects AS o ON o.kind = 'column' AND o.name = 'session_id' AND o.origin <> 'found'
  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = o.parent AND c.relkind IN ('r', 'p')
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = o.name AND NOT a.attisdropped
 CROSS JOIN LATERAL (
        SELECT format('%s', c.oid::regclass) AS object,
               format('Table %s has no primary key that is not deferrable and has no generated column, so its links cannot be '
                      'saved before session_id is dropped.', c.oid::regclass) AS detail,
               format('Add one%s: ALTER TABLE %s ADD %s (%s)', CASE WHEN k.name IS NOT NULL THEN ', for instance' END, c.oid::regclass,
                      CASE WHEN EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisprimary) THEN 'UNIQUE' ELSE 'PRIMARY KEY' END,
                      coalesce(k.name, '...')) AS fix
          FROM (VALUES (1)) AS one
          LEFT JOIN (SELECT i.attname AS name FROM pg_attribute AS i WHERE i.attrelid = c.oid AND i.attname = 'id'
                     AND NOT i.attisdropped) AS k ON true
         WHERE ({row_key(c.oid)}) IS NULL
        UNION ALL
        SELECT format('%s', c.oid::regclass),
               format('Table %s has another key than when its links were saved by a rollback.', c.oid::regclass),
               'Restore these links first: sessiondb apply'
          FROM pg_constraint AS k
         WHERE k.conrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || c.relname)) AND k.contype = 'p'
           AND (({row_key(c.oid)}) <> ARRAY(
                    SELECT quote_ident(a.attname)
                      FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                      JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
                     ORDER BY u.place)
             -- another type may have values that the one before has not
             OR EXISTS (
                    SELECT FROM pg_attribute AS s
                      JOIN pg_attribute AS r ON r.attrelid = c.oid AND r.attname = s.attname AND NOT r.attisdropped
                     WHERE s.attrelid = k.conrelid AND s.attnum = ANY (k.conkey) AND ({base_type(r.atttypid)}) <> ({base_type(s.atttypid)})))
        UNION ALL
        SELECT format('%s', c.oid::regclass),
               format('Column session_belongs_to of table %s has the name of a column of the saved links.', c.oid::regclass),
               format('ALTER TABLE %s RENAME COLUMN session_belongs_to TO another_name', c.oid::regclass)
         WHERE 'session_belongs_to' = ANY (({row_key(c.oid)}) || ARRAY(SELECT jsonb_array_elements_text(i.course_joins -> 0 -> 'columns')))
        UNION ALL
        SELECT format('%s', h.inhrelid::regclass),
               format('Table %s inherits from %s, and its links are not saved before session_id is dropped.', h.inhrelid::regclass, c.oid::regclass),
               format('Detach it: ALTER TABLE %s NO INHERIT %s', h.inhrelid::regclass, c.oid::regclass)
          FROM pg_inherits AS h
         WHERE h.inhparent = c.oid AND c.relkind = 'r'
       ) AS f
 WHERE '0006' = ANY (string_to_array(current_setting('sessiondb.undone'), ','))
UNION ALL
-- what is saved of each session
SELECT 'saved_links', 'error', format('%s', c.oid::regclass),
       format('Table %s has no column %I, which is saved with the links.', c.oid::regclass, k.name),
       format('If it has another name, restore it: ALTER TABLE %s RENAME COLUMN other TO %I', c.oid::regclass, k.name)
  FROM sessiondb.installation AS i
  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'sessions'
 CROSS JOIN (VALUES ('id'), ('org_id'), ('course_id')) AS k (name)
 WHERE '0006' = ANY (string_to_array(current_setting('sessiondb.undone'), ','))
   AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = k.name AND NOT a.attisdropped)
 ORDER BY object, detail
