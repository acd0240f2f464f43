-- The statements, in order, that have require_owner() called before what is written to a table of schema sessiondb, also by a
-- replication. Not backfill_progress, which a role that runs a backfill writes to and which is not believed, nor saved links that Citus
-- distributes, as it supports no triggers there.
--
-- Also those that disable row level security if an event trigger of the platform enabled it on a new table: a role with the
-- documented grants would see no rows there, as if sessiondb were not installed.
SELECT row_number() OVER (ORDER BY c.relname, s.turn, s.statement) AS place, s.statement, c.oid AS relid
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'sessiondb'
 CROSS JOIN LATERAL (
        SELECT 1 AS turn, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.oid::regclass) AS statement
         WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid)
        UNION ALL
        SELECT u.turn, format(u.statement, c.oid::regclass, g.name, g.events, g.level)
          FROM (VALUES ('zzz_sessiondb_require_owner', 'INSERT OR UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 62),
                       ('zzz_sessiondb_require_owner_of_row', 'INSERT OR UPDATE OR DELETE', 'ROW', 31)) AS g (name, events, level, type)
         CROSS JOIN (VALUES (2, 'CREATE OR REPLACE TRIGGER %2$s BEFORE %3$s ON %1$s FOR EACH %4$s EXECUTE FUNCTION sessiondb.require_owner()'),
                            (3, 'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER %2$s'),
                            (4, 'COMMENT ON TRIGGER %2$s ON %1$s IS ''Only the owner may write (sessiondb)''')) AS u (turn, statement)
         WHERE c.relkind = 'r'
           AND c.relname <> 'backfill_progress'
           AND NOT (c.relname ~ '^(saved_links|changed_rows)_of_' AND coalesce(current_setting('sessiondb.citus', true), '') = 'distributed')
           AND NOT EXISTS (
                SELECT FROM pg_trigger AS t
                 WHERE t.tgrelid = c.oid AND t.tgname = g.name AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgtype = g.type
                   AND t.tgfoid = to_regprocedure('sessiondb.require_owner()'))
       ) AS s
 WHERE pg_has_role(c.relowner, 'USAGE')
