-- What trigger $1 (an oid) gives to functions that may run it: arguments, and texts or OIDs in its condition. Not to functions that are
-- known to use only names of columns, or whose text has no EXECUTE, nor to those that are IMMUTABLE.
SELECT 'info' AS level, format('Its function %s may run its arguments', p.oid::regprocedure) AS what
  FROM pg_trigger AS x
  JOIN pg_proc AS p ON p.oid = x.tgfoid
  JOIN pg_language AS l ON l.oid = p.prolang
 WHERE x.oid = $1
   AND x.tgnargs > 0
   AND NOT x.tgisinternal
   AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, to_regnamespace('sessiondb'))
   AND NOT (l.lanname = 'c' AND p.proname IN ('moddatetime', 'insert_username', 'autoinc', 'lo_manage'))
   AND NOT (l.lanname = 'plpgsql' AND p.prosrc !~* E'\\mexecute\\M')
UNION ALL
SELECT 'warning', format('Its condition gives a text to function %s, which may run it', p.oid::regprocedure)
  FROM pg_trigger AS x
 CROSS JOIN LATERAL (
        SELECT f.found[1]::oid FROM regexp_matches(x.tgqual::text, E':funcid (\\d+)', 'g') AS f (found)
        UNION
        SELECT o.oprcode FROM regexp_matches(x.tgqual::text, E':opno (\\d+)', 'g') AS f (found) JOIN pg_operator AS o ON o.oid = f.found[1]::oid
       ) AS called (oid)
  JOIN pg_proc AS p ON p.oid = called.oid
 WHERE x.oid = $1
   AND p.provolatile <> 'i'
   AND p.proargtypes::oid[] && '{text,varchar,name,cstring,oid,regclass,regtype,regproc,regprocedure,'
                                 'json,jsonb,xml,anyelement,anyarray}'::regtype[]::oid[]
   AND NOT (p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN (
       'current_setting', 'to_json', 'to_jsonb', 'row_to_json', 'json_build_object', 'jsonb_build_object', 'concat', 'concat_ws',
           'format', 'to_char', 'to_date',
       'to_timestamp', 'to_tsvector', 'to_tsquery', 'plainto_tsquery', 'timezone', 'date_trunc', 'date_part', 'extract',
           'array_to_string', 'has_table_privilege',
       'has_column_privilege', 'pg_has_role', 'timestamp', 'timestamptz', 'date'))
UNION ALL
SELECT 'warning', 'Its condition may run any statement'
  FROM pg_trigger AS x
 WHERE x.oid = $1 AND x.tgqual IS NOT NULL AND pg_get_triggerdef(x.oid) ~ E'\\mRETURNING\\M'
