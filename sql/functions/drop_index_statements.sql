CREATE OR REPLACE FUNCTION sessiondb.drop_index_statements(p_name name, p_table name)
RETURNS SETOF text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that drop an index of ours, each to be run by itself, outside a transaction; none
 * for an index that was found in the host. An index on a partitioned table cannot be dropped
 * concurrently; dropping it takes those of the partitions along.
 */
SELECT CASE c.relkind
           WHEN 'i' THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
           ELSE format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP INDEX %I.%I; END',
                                       t.oid::regclass, n.nspname, c.relname))
       END
  FROM sessiondb.installation AS i
  JOIN pg_namespace AS n ON n.nspname = i.host_schema
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = p_name AND c.relkind IN ('i', 'I')
  JOIN pg_index AS x ON x.indexrelid = c.oid
  JOIN pg_class AS t ON t.oid = x.indrelid AND t.relname = p_table
 WHERE sessiondb.is_ours('index', p_table, p_name)
$function$;

COMMENT ON FUNCTION sessiondb.drop_index_statements(name, name) IS
    'The statements that drop an index of ours';

REVOKE ALL ON FUNCTION sessiondb.drop_index_statements(name, name) FROM PUBLIC;
