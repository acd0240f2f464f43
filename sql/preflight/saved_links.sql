-- The tables still have the columns by which a rollback saved their links, with a type that can be compared: without one, they
-- could not be restored. They are of this schema.
SELECT 'saved_links' AS "check", 'error' AS level, format('%I.%I', n.nspname, c.relname) AS object, f.detail, f.fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions')
  JOIN pg_class AS k ON k.relnamespace = to_regnamespace('sessiondb')
      AND k.relname IN ('saved_links_of_' || c.relname, 'changed_rows_of_' || c.relname)
  JOIN pg_attribute AS a ON a.attrelid = k.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('session_id', 'session_belongs_to')
  LEFT JOIN pg_constraint AS p ON p.conrelid = k.oid AND p.contype = 'p' AND a.attnum = ANY (p.conkey)
  LEFT JOIN pg_attribute AS o ON o.attrelid = c.oid AND o.attname = a.attname AND NOT o.attisdropped
 CROSS JOIN LATERAL (
        SELECT format('Table %I.%I has no column %I, by which a rollback saved its links.', n.nspname, c.relname, a.attname) AS detail,
               format(E'If it has another name, restore it: ALTER TABLE %I.%I RENAME COLUMN other TO %I\n', n.nspname, c.relname, a.attname)
               || CASE WHEN p.conname IS NULL AND a.attname <> 'user_id' THEN
                      format('If it is gone, rows can be recognised without it: ALTER TABLE %s DROP COLUMN %I', k.oid::regclass, a.attname)
                  ELSE format('If it is gone, give up the saved links: DROP TABLE %s', k.oid::regclass) END AS fix
         WHERE o.attname IS NULL AND starts_with(k.relname, 'saved_links_of_')  -- it has all of the other one
        UNION ALL
        SELECT format('Column %I.%I.%I, by which a rollback saved its links, has another collation than it had.', n.nspname, c.relname, a.attname),
               format('Give the saved ones this one: ALTER TABLE %s ALTER COLUMN %I TYPE %s COLLATE %s.%I', k.oid::regclass, a.attname,
                      format_type(a.atttypid, a.atttypmod), l.collnamespace::regnamespace, l.collname)
          FROM pg_collation AS l
         WHERE l.oid = o.attcollation AND a.attcollation NOT IN (0, l.oid)
           AND ({base_type(o.atttypid)}) = ({base_type(a.atttypid)})
        UNION ALL
        SELECT format('Column %I.%I.%I, by which a rollback saved its links, is %s, and was %s.', n.nspname, c.relname, a.attname,
                      format_type(o.atttypid, NULL), format_type(a.atttypid, NULL)),
               CASE WHEN a.atttypid = 'timestamptz'::regtype THEN
                   format('Give the saved ones this type, with the time zone of that change for ZONE: ALTER TABLE %s '
                          'ALTER COLUMN %I TYPE %s USING %I AT TIME ZONE ''ZONE''',
                          k.oid::regclass, a.attname, format_type(o.atttypid, o.atttypmod), a.attname)
               ELSE
                   format('Give the saved ones this type: ALTER TABLE %s ALTER COLUMN %I TYPE %s USING %I::text::%s',
                          k.oid::regclass, a.attname, format_type(o.atttypid, o.atttypmod), a.attname, format_type(o.atttypid, o.atttypmod))
               END
         WHERE o.atttypid <> a.atttypid
           AND ({base_type(o.atttypid)}) <> ({base_type(a.atttypid)})
           AND NOT EXISTS (
                SELECT FROM pg_amop AS m
                  JOIN pg_operator AS e ON e.oid = m.amopopr
                  -- not one that depends on a setting, such as the time zone
                  JOIN pg_proc AS p ON p.oid = e.oprcode AND p.provolatile = 'i'
                 WHERE (m.amoplefttype, m.amoprighttype, m.amopstrategy) = (o.atttypid, a.atttypid, 3)
                   AND m.amopmethod = (SELECT am.oid FROM pg_am AS am WHERE am.amname = 'btree'))
       ) AS f
 WHERE n.nspname = current_setting('sessiondb.schema')
UNION ALL
-- Their comment says of which, unless the platform was moved since. Those of another platform would be discarded, or given to the
-- same rows of a copy.
SELECT 'saved_links', 'error', format('%s', k.oid::regclass),
       format('Table %s has the links of %I.%I, and would lose them in schema "%s".', k.oid::regclass, n.nspname, c.relname,
              current_setting('sessiondb.schema')),
       format(E'Restore them: sessiondb apply --schema %s\nOr give them up: DROP TABLE %s', ({shell_word(n.nspname)}), k.oid::regclass)
  FROM pg_class AS k
  JOIN pg_class AS c ON c.relkind IN ('r', 'p')
  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> current_setting('sessiondb.schema')
   -- not to_regclass(), which refuses a schema that this role may not use
   AND format('%I.%I', n.nspname, c.relname) = substring(obj_description(k.oid, 'pg_class') FROM '^The sessions that rows of (.+) were linked to')
  JOIN pg_namespace AS h ON h.nspname = current_setting('sessiondb.schema')
 CROSS JOIN LATERAL (SELECT ({right_owner(h.oid)}) AS oid) AS o
 WHERE k.relnamespace = to_regnamespace('sessiondb') AND k.relname = 'saved_links_of_' || c.relname
   -- any role may have created one of that name since
   AND c.relowner IN (
{trusted_roles(o.oid)}
       )
 ORDER BY object, detail
