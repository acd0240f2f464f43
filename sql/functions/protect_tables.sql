CREATE OR REPLACE PROCEDURE sessiondb.protect_tables()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Has require_owner() called before each statement that writes to a table of schema sessiondb, also of a replication. Not
 * backfill_progress, which a role that runs a backfill writes to and which is not believed, nor saved links that Citus
 * distributes, as it supports no triggers there.
 *
 * Also disables row level security if an event trigger of the platform enabled it on a new table: a role with the
 * documented grants would see no rows there, as if sessiondb were not installed.
 */
DECLARE
    v_statement text;
BEGIN
    FOR v_statement IN
        SELECT s.statement
          FROM pg_class AS c
         CROSS JOIN LATERAL (
                SELECT 1 AS turn, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.oid::regclass) AS statement
                 WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid)
                UNION ALL
                SELECT u.turn, format(u.statement, c.oid::regclass)
                  FROM (VALUES (2, 'CREATE TRIGGER zzz_sessiondb_require_owner BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
                                   ' FOR EACH STATEMENT EXECUTE FUNCTION sessiondb.require_owner()'),
                               (3, 'ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_require_owner'),
                               (4, 'COMMENT ON TRIGGER zzz_sessiondb_require_owner ON %s IS ''Only the owner may write (sessiondb)''')) AS u (turn, statement)
                 WHERE c.relkind = 'r'
                   AND c.relname <> 'backfill_progress'
                   AND NOT (starts_with(c.relname, 'saved_links_of_') AND coalesce(current_setting('sessiondb.citus', true), '') = 'distributed')
                   AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname = 'zzz_sessiondb_require_owner')
               ) AS s
         WHERE c.relnamespace = to_regnamespace('sessiondb')
         ORDER BY c.relname, s.turn
    LOOP
        CALL sessiondb.run_on_platform(v_statement);
    END LOOP;
END
$procedure$
