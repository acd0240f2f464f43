CREATE OR REPLACE FUNCTION sessiondb.table_of_users(OUT users regclass, OUT key name)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The table to which user_id refers, with its key, if there is one and the caller may read all of its rows.
 */
SELECT k.confrelid, f.attname
  FROM sessiondb.installation AS i
 CROSS JOIN unnest(ARRAY['org_members', 'enrollments', 'submissions']) WITH ORDINALITY AS t (name, place)
  JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = to_regclass(format('%I.%I', i.platform_schema, t.name))
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'user_id' AND k.conkey = ARRAY[a.attnum]
  JOIN pg_attribute AS f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]
  JOIN pg_class AS c ON c.oid = k.confrelid
 WHERE has_schema_privilege(c.relnamespace, 'USAGE')
   AND has_column_privilege(k.confrelid, f.attnum, 'SELECT')
   AND NOT row_security_active(k.confrelid)
 ORDER BY t.place
 LIMIT 1
$function$
