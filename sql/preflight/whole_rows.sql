-- A row is NOT NULL only if all its columns are. With session_id, which is NULL until a row is linked, code that asks so of whole rows of
-- enrollments or submissions gets another answer. In functions it is not searched for.
SELECT DISTINCT 'whole_rows' AS "check", CASE WHEN t.is_constraint THEN 'error' ELSE 'warning' END AS level,
       format('%s %s', i.type, i.identity) AS object,
       format('The %s %s asks whether whole rows are NOT NULL, which those of %I.%I are not until they have a session.', i.type,
              i.identity, n.nspname, c.relname) AS detail,
       'Ask it of a column that is NOT NULL, such as the key.' AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions') AND c.relkind IN ('r', 'p')
  JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
  LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.contype = 'c'
  LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
  LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  LEFT JOIN pg_trigger AS g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid AND NOT g.tgisinternal
 CROSS JOIN LATERAL (
        SELECT k.oid IS NOT NULL AS is_constraint,
               concat_ws(' ', pg_get_constraintdef(k.oid), pg_get_expr(p.polqual, p.polrelid),
                         pg_get_expr(p.polwithcheck, p.polrelid), pg_get_ruledef(r.oid),
                         pg_get_triggerdef(g.oid)) AS text
       ) AS t
 CROSS JOIN LATERAL pg_identify_object(CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END, coalesce(r.ev_class, d.objid), 0) AS i
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND t.text ~ '\.\* IS NOT NULL'
   AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
 ORDER BY object
