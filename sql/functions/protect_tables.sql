CREATE OR REPLACE PROCEDURE sessiondb.protect_tables()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Has require_owner() called before each statement that writes to a table of schema sessiondb, also of a replication. Not
 * backfill_progress, which a role that runs a backfill writes to and which is not believed, nor saved links that Citus
 * distributes, as it supports no triggers there.
 *
 * Also gives a table that a superuser created, for instance in a rollback, to the owner of the schema: save_link() runs with the
 * rights of that role. And disables row level security if an event trigger of the platform enabled it on a new table: a role with the
 * documented grants would see no rows there, as if sessiondb were not installed.
 */
DECLARE
    v_statement text;
BEGIN
    FOR v_statement IN
        SELECT s.statement
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'sessiondb'
         CROSS JOIN LATERAL (
                SELECT 0 AS turn, format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(n.nspowner)) AS statement
                 WHERE c.relkind = 'r' AND c.relowner <> n.nspowner AND pg_has_role(n.nspowner, 'MEMBER')
                UNION ALL
                SELECT 1, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.oid::regclass)
                 WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid)
                UNION ALL
                SELECT u.turn, format(u.statement, c.oid::regclass)
                  FROM (VALUES (2, 'CREATE OR REPLACE TRIGGER zzz_sessiondb_require_owner BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
                                   ' FOR EACH STATEMENT EXECUTE FUNCTION sessiondb.require_owner()'),
                               (3, 'ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_require_owner'),
                               (4, 'COMMENT ON TRIGGER zzz_sessiondb_require_owner ON %s IS ''Only the owner may write (sessiondb)''')) AS u (turn, statement)
                 WHERE c.relkind = 'r'
                   AND c.relname <> 'backfill_progress'
                   AND NOT (starts_with(c.relname, 'saved_links_of_') AND coalesce(current_setting('sessiondb.citus', true), '') = 'distributed')
                   AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgenabled = 'A' AND t.tgfoid = 'sessiondb.require_owner()'::regprocedure)
               ) AS s
         WHERE pg_has_role(c.relowner, 'USAGE')
         ORDER BY c.relname, s.turn
    LOOP
        CALL sessiondb.run_on_platform(v_statement);
    END LOOP;
END
$procedure$
