CREATE OR REPLACE FUNCTION sessiondb.table_not_noted(p_table regclass)
RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The table p_table, or a partition of it or a table that inherits from it, of which not every change has been noted since trigger
 * zzz_sessiondb_save was created; NULL if there is none. The transaction that created the trigger (xmin) created that of each partition, and
 * the comment; that of a partition which was created since is as old as this. A command that disables the trigger, and so writes what it does
 * not note, changes its xmin, also if it is enabled again. The columns that it notes still have the names by which links are saved.
 */
WITH RECURSIVE part AS (
    SELECT p_table::oid AS relid
     UNION
    SELECT i.inhrelid FROM part AS p JOIN pg_inherits AS i ON i.inhparent = p.relid
),
created AS (
    SELECT d.xmin AS by
      FROM pg_trigger AS t
      JOIN pg_description AS d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
     WHERE t.tgrelid = p_table AND t.tgname = 'zzz_sessiondb_save'
)
SELECT min(p.relid)::regclass
  FROM part AS p
  JOIN pg_class AS c ON c.oid = p.relid AND c.relkind = 'r'
 WHERE NOT EXISTS (
        SELECT FROM created AS w
          JOIN pg_trigger AS t ON t.tgrelid = p.relid AND t.tgname = 'zzz_sessiondb_save'
          JOIN pg_attribute AS a ON a.attrelid = p.relid AND a.attnum = -1
         WHERE t.xmin = w.by OR t.xmin = a.xmin AND p.relid <> p_table)
    -- citus: /*
    OR NOT EXISTS (
        SELECT FROM created AS w
          JOIN pg_trigger AS t ON t.tgrelid = p_table AND t.tgname = 'zzz_sessiondb_save_columns' AND t.xmin = w.by
          JOIN pg_class AS h ON h.oid = p_table
         WHERE ARRAY(SELECT a.attname
                       FROM unnest(t.tgattr::smallint[]) WITH ORDINALITY AS k (attnum, place)
                           JOIN pg_attribute AS a ON a.attrelid = p_table AND a.attnum = k.attnum
                      ORDER BY k.place)
             = ARRAY(SELECT a.attname FROM pg_attribute AS a
                      WHERE a.attrelid = to_regclass('sessiondb.changed_rows_of_' || h.relname) AND a.attnum > 0
                          ORDER BY a.attnum) || 'session_id'::name)
    -- citus: */
$function$
