-- Each row of enrollments, submissions and sessions is in the table of that name or in a partition of it. A table that
-- inherits from another (INHERITS) has neither its triggers nor its foreign keys, and a foreign key finds no session
-- there. No column can be added to a single partition or to a typed table.
SELECT 'inheritance' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
  JOIN pg_inherits AS i ON c.oid IN (i.inhparent, i.inhrelid)
  JOIN pg_class AS child ON child.oid = i.inhrelid
  JOIN pg_class AS parent ON parent.oid = i.inhparent
 CROSS JOIN LATERAL (
        SELECT format('%s', child.oid::regclass) AS object,
               format('Table %s inherits from %s: triggers and foreign keys of %s do not apply to it.',
                      child.oid::regclass, parent.oid::regclass, parent.oid::regclass) AS detail,
               format('Detach it: ALTER TABLE %s NO INHERIT %s', child.oid::regclass, parent.oid::regclass) AS fix
         WHERE parent.oid = c.oid AND parent.relkind = 'r' AND c.relname <> 'org_members'
        UNION ALL
        SELECT format('%s', c.oid::regclass),
               format('Table %s is a partition of %s, so no column can be added to it alone.', c.oid::regclass, parent.oid::regclass),
               format('Detach it: ALTER TABLE %s DETACH PARTITION %s', parent.oid::regclass, c.oid::regclass)
         WHERE child.oid = c.oid AND c.relispartition AND c.relname IN ('enrollments', 'submissions')
       ) AS f
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
UNION ALL
SELECT 'inheritance', 'error',
       format('%s', c.oid::regclass),
       format('Table %s is a typed table (OF %s), so no column can be added to it.', c.oid::regclass, format_type(c.reloftype, NULL)),
       format('Make it an ordinary one: ALTER TABLE %s NOT OF', c.oid::regclass)
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.reloftype <> 0
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('enrollments', 'submissions')
   AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
UNION ALL
SELECT 'inheritance', 'error',
       format('%s', leaf.oid::regclass),
       format('Partition %s of table %s is a foreign table, which cannot have the indexes and foreign keys of sessiondb.',
              leaf.oid::regclass, c.oid::regclass),
       format('Detach it: ALTER TABLE %s DETACH PARTITION %s', t.parentrelid, leaf.oid::regclass)
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind = 'p'
 CROSS JOIN LATERAL pg_partition_tree(c.oid) AS t
  JOIN pg_class AS leaf ON leaf.oid = t.relid AND leaf.relkind = 'f'
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
UNION ALL
{detaching()}
 ORDER BY object, detail
