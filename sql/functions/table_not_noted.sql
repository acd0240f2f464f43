CREATE OR REPLACE FUNCTION sessiondb.table_not_noted(p_table regclass)
RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The table p_table, or a partition of it or a table that inherits from it, of which not every change has been noted since trigger
 * zzz_sessiondb_save was created; NULL if there is none. The transaction that created the trigger (xmin) created that of each partition, and
 * the comment. A command that disables the trigger, and so writes what it does not note, changes its xmin, also if it is enabled again.
 */
WITH RECURSIVE part AS (
    SELECT p_table::oid AS relid
     UNION
    SELECT i.inhrelid FROM part AS p JOIN pg_inherits AS i ON i.inhparent = p.relid
)
SELECT min(p.relid)::regclass
  FROM part AS p
  JOIN pg_class AS c ON c.oid = p.relid AND c.relkind = 'r'
 WHERE NOT EXISTS (
        SELECT FROM pg_trigger AS t
          JOIN pg_description AS d ON d.xmin = t.xmin
          JOIN pg_trigger AS w ON w.oid = d.objoid AND d.classoid = 'pg_trigger'::regclass
         WHERE t.tgrelid = p.relid AND t.tgname = 'zzz_sessiondb_save'
           AND w.tgrelid = p_table AND w.tgname = t.tgname)
$function$
