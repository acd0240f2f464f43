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
