-- The bytes that the indexes may need, estimated as 50 per row and index, and the directory of the server, if this role may
-- know it.
SELECT coalesce(sum(greatest(c.reltuples, 0) * 50 * (CASE c.relname WHEN 'enrollments' THEN 2 ELSE 1 END)), 0)::bigint,
       (SELECT s.setting
          FROM pg_settings AS s
         WHERE s.name = 'data_directory' AND pg_has_role('pg_read_all_settings', 'USAGE'))
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
